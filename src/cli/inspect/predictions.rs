//! `strata inspect RUN predictions`: what the network says of each image, and how far it can be trusted.

use super::picture::{Draw, Drawn, Images, Picture};
use crate::cli::args::InspectArgs;
use crate::cli::numbers::Numbers;
use crate::cli::{output, text};
use serde_json::{Value, json};
use strata_core::format;
use strata_engine::storage::saved_run::SavedRun;
use strata_gui::plate::of_predictions;
use strata_inspect::image_set::Chosen;
use strata_inspect::predictions::{ClassFigures, List, Predictions, Request, ShownImage};

/// `strata inspect RUN predictions`
pub(super) const PICTURE: Picture = Picture {
    word: "predictions",
    shows: "The most wrong or least sure answers, precision and recall of each class, calibration",
    images: Images::Each,
    takes: &[
        "--since",
        "--numbers",
        "--list",
        "--top",
        "--augmentations",
        "--slice",
    ],
    draw: Draw::Run(picture),
    ..Picture::NONE
};

/// The images of the list, with the figures.
fn picture(run: &mut SavedRun, args: &InspectArgs) -> anyhow::Result<Drawn> {
    let has_files = !args.image.is_empty();
    let usual = if has_files {
        List::First
    } else {
        List::MostWrong
    };
    let request = Request {
        chosen: Chosen {
            files: args.image.clone(),
            split: args.split,
            limit: args.limit,
        },
        list: args.predictions.list.unwrap_or(usual),
        top: args.predictions.top.unwrap_or(0),
        augmentations: args.predictions.augmentations.unwrap_or(0),
    };
    let predictions = run.inspect_slice::<Predictions>(args.slice, &request)?;
    say(&predictions);
    if let Some(file) = &args.numbers {
        let answers = &predictions.answers;
        let axes = [("image", predictions.images), ("class", answers.outputs)];
        let values = &answers.probabilities;
        Numbers {
            axes: &axes,
            values,
        }
        .save(file)?;
    }
    Ok((
        of_predictions::plate(&predictions),
        Some(value(&predictions)),
    ))
}

fn say(predictions: &Predictions) {
    if let Some((accuracy, error)) = predictions.accuracy.zip(predictions.calibration_error) {
        let images = format::count(predictions.images as u64);
        output::say(&format!(
            "{:.2} % of {images} right; expected calibration error {:.2} %",
            100.0 * accuracy,
            100.0 * error
        ));
        for (class, figures) in predictions.per_class.iter().enumerate() {
            let name = predictions.class_name(class as u32);
            output::say(&format!("{name}: {}", figures_line(figures)));
        }
    } else if let Some(accuracy) = predictions.accuracy {
        output::say(&format!(
            "{:.2} % of the answers about {} labels of {} images right",
            100.0 * accuracy,
            predictions.classes.len(),
            format::count(predictions.images as u64)
        ));
        for (class, figures) in predictions.per_class.iter().enumerate() {
            let name = predictions.class_name(class as u32);
            output::say(&format!("{name}: {}", figures_line(figures)));
        }
    }
    if let Some(change) = &predictions.change {
        output::say(&of_predictions::change_words(change));
    }
    for image in &predictions.shown {
        output::say(&line(predictions, image));
    }
}

/// `precision 91.2 %, recall 88.0 %, F1 89.6 %, 64 images`
fn figures_line(figures: &ClassFigures) -> String {
    let percent = |share: Option<f64>| {
        share.map_or_else(
            || "none".to_owned(),
            |share| format!("{:.1} %", 100.0 * share),
        )
    };
    format!(
        "precision {}, recall {}, F1 {}, {} images",
        percent(figures.precision()),
        percent(figures.recall()),
        percent(figures.f1()),
        format::count(figures.images)
    )
}

/// `image 312, 7: 1 98.2 %, 7 1.1 %`
fn line(predictions: &Predictions, image: &ShownImage) -> String {
    let truth = predictions.truth(image);
    let label = truth.map_or_else(String::new, |truth| format!(", {truth}"));
    let top = image.top.iter().map(|(class, probability)| {
        let percent = text::figure(f64::from(100.0 * probability));
        format!("{} {percent} %", predictions.class_name(*class))
    });
    let top = top.collect::<Vec<_>>().join(", ");
    let before = image
        .before
        .map_or_else(String::new, |(class, probability)| {
            let percent = text::figure(f64::from(100.0 * probability));
            format!("; then {} {percent} %", predictions.class_name(class))
        });
    format!("image {}{label}: {top}{before}", image.index)
}

fn value(predictions: &Predictions) -> Value {
    let name = |class: u32| predictions.class_name(class);
    let per_class = predictions
        .per_class
        .iter()
        .enumerate()
        .map(|(class, figures)| {
            json!({
                "class": name(class as u32),
                "precision": figures.precision(),
                "recall": figures.recall(),
                "f1": figures.f1(),
                "images": figures.images,
                "taken": figures.taken,
            })
        });
    let shown = predictions.shown.iter().map(|image| {
        let top = image.top.iter();
        let top = top.map(|(class, probability)| json!({"class": name(*class), "probability": probability}));
        let mut one =
            json!({"image": image.index, "label": image.label.map(name), "top": top.collect::<Vec<_>>()});
        if let (Some(labels), Some(one)) = (&image.labels, one.as_object_mut()) {
            let labels: Vec<String> = labels.iter().copied().map(name).collect();
            one.insert("labels".to_owned(), labels.into());
        }
        one
    });
    let bins = predictions.bins.iter().map(|bin| {
        let [probability, right] = bin.point().map_or([None; 2], |point| point.map(Some));
        json!({"images": bin.images, "probability": probability, "right": right})
    });
    let change = predictions.change.map(|change| {
        json!({"since": change.since, "other_answers": change.others, "learnt": change.learnt,
            "forgotten": change.forgotten, "accuracy": change.accuracy, "ece": change.calibration_error})
    });
    json!({
        "step": predictions.step,
        "change": change,
        "augmentations": predictions.augmentations,
        "split": predictions.split.map(|split| split.name()),
        "images": predictions.images,
        "of": predictions.of,
        "accuracy": predictions.accuracy,
        "ece": predictions.calibration_error,
        "classes": per_class.collect::<Vec<_>>(),
        "calibration": bins.collect::<Vec<_>>(),
        "listed": predictions.listed,
        "shown": shown.collect::<Vec<_>>(),
    })
}
