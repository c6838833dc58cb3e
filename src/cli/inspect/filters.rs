//! `strata inspect RUN filters`: the weights of a layer as pictures, what they say in numbers, and the network without
//! some of them.

use super::picture::{Draw, Drawn, Images, Picture};
use crate::cli::args::InspectArgs;
use crate::cli::numbers::Numbers;
use crate::cli::{WrongInput, output, text};
use serde_json::{Value, json};
use strata_core::project::target::Target;
use strata_core::{format, project};
use strata_engine::storage::saved_run::{self, SavedRun};
use strata_gui::plate::of_filters::{self, Shown};
use strata_gui::plate::of_network;
use strata_inspect::filters::on_pixels::FiltersOnPixels;
use strata_inspect::filters::study::{self, FilterStudy, Score};
use strata_inspect::filters::{self, Filters};
use strata_inspect::image_set::Chosen;

/// `strata inspect RUN filters`
pub(super) const PICTURE: Picture = Picture {
    word: "filters",
    shows: "The filters of the first layer, or of another one",
    images: Images::Set,
    takes: &[
        "--since",
        "--layer",
        "--decoder",
        "--numbers",
        "--sort",
        "--show",
        "--without",
        "--whitened",
        "--slice",
        "--checkpoint",
        "--device",
    ],
    draw: Draw::Folder(picture),
    ..Picture::NONE
};

/// The weights; with options that need the run's images, what they say too.
fn picture(args: &InspectArgs) -> anyhow::Result<Drawn> {
    let is_studied = args.has(&["--sort", "--show", "--without"])
        || args.json
        || !args.image.is_empty()
        || args.split.is_some()
        || args.limit.is_some()
        || args.numbers.is_some()
        || args.slice.is_some()
        || args.since.is_some();
    let data = project::file::load(&args.run.join("project.toml"))?.data;
    let is_changed = data.whiten.is_some() || data.center.is_some();
    if args.filters.whitened && !is_changed {
        let message =
            "the images of this run are neither whitened nor centred: leave --whitened out";
        return Err(WrongInput(message.to_owned()).into());
    }
    if is_studied {
        return studied(args);
    }
    if is_changed && !args.filters.whitened {
        let filters = super::open(args)?
            .inspect::<FiltersOnPixels>(&layer(args)?)?
            .0;
        output::say(&heading(&filters));
        return Ok((of_network::filters(&filters), None));
    }
    let filters = saved_run::inspect_weights::<Filters>(
        &args.run,
        &args.checkpoint,
        args.device.as_deref(),
        &layer(args)?,
    )?;
    output::say(&heading(&filters));
    Ok((of_network::filters(&filters), None))
}

/// ``20 filters of encoder.0 `conv 20 k5` ``
fn heading(filters: &Filters) -> String {
    let what = if filters.are_templates {
        "templates"
    } else {
        "filters"
    };
    let where_to = match filters.on_pixels {
        true => ", on the images' pixels",
        false => "",
    };
    format!(
        "{} {what} of {} `{}`{where_to}",
        filters.count, filters.key, filters.layer
    )
}

fn studied(args: &InspectArgs) -> anyhow::Result<Drawn> {
    let options = &args.filters;
    let mut run: SavedRun = super::open(args)?;
    let request = study::Request {
        layer: layer(args)?,
        // Filters are counted from 1, as below their pictures.
        off: options.without.iter().map(|number| number - 1).collect(),
        chosen: Chosen {
            split: args.split,
            limit: args.limit,
            ..Chosen::default()
        },
        whitened: options.whitened,
    };
    let study = run.inspect_slice::<FilterStudy>(args.slice, &request)?;
    let order = study.order(options.sort.unwrap_or_default());
    say(&study, &order);
    let shown = options.show.unwrap_or_default();
    if shown == Shown::Frequencies && study.responses.is_none() {
        let message = format!(
            "the filters of {} have no frequencies: signals and images have, volumes, vectors and changes have not",
            study.filters.key
        );
        return Err(WrongInput(message).into());
    }
    if let Some(file) = &args.numbers {
        save(&study, shown, file)?;
    }
    let plate = of_filters::plate(&study, &order, shown);
    Ok((plate, Some(value(&study, &order))))
}

/// The flags, and the figures with and without the filters that are switched off.
fn say(study: &FilterStudy, order: &[usize]) {
    output::say(&heading(&study.filters));
    for line in filters::flag_lines(&study.flags(), order) {
        output::say(&line);
    }
    let [with, without] = study.scores.map(|score| score_line(&score));
    if with.is_empty() {
        return;
    }
    let images = format!(
        "over {} {} images",
        format::count(study.images as u64),
        study.split
    );
    output::say(&format!("with all filters: {with}, {images}"));
    if !study.off.is_empty() {
        let off: Vec<String> = study.off.iter().map(|off| (off + 1).to_string()).collect();
        output::say(&format!("without {}: {without}, {images}", off.join(", ")));
    }
}

/// `97.10 % right, mse 0.0123 (psnr 19.10 dB)`
fn score_line(score: &Score) -> String {
    let accuracy = score
        .accuracy
        .map(|share| format!("{:.2} % right", 100.0 * share));
    let error = score.mse.zip(score.psnr);
    let error = error.map(|(mse, psnr)| {
        format!(
            "mse {} (psnr {} dB)",
            text::figure(mse),
            format::fixed(psnr, 2)
        )
    });
    let parts: Vec<String> = accuracy.into_iter().chain(error).collect();
    parts.join(", ")
}

fn save(study: &FilterStudy, shown: Shown, file: &std::path::Path) -> anyhow::Result<()> {
    let Filters {
        count,
        height,
        width,
        channels,
        ..
    } = study.filters;
    let responses = study
        .responses
        .as_ref()
        .filter(|_| shown == Shown::Frequencies);
    let axes = [
        ("filter", count),
        ("row", height),
        ("column", width),
        ("channel", channels),
    ];
    match responses {
        Some(responses) => Numbers {
            axes: &[
                ("filter", count),
                ("row", responses.size[0]),
                ("column", responses.size[1]),
            ],
            values: &responses.values,
        }
        .save(file),
        None => Numbers {
            axes: &axes,
            values: &study.filters.values,
        }
        .save(file),
    }
}

fn value(study: &FilterStudy, order: &[usize]) -> Value {
    let flags = study.flags();
    let one = |index: &usize| {
        let measures = &study.measures[*index];
        let flags: Vec<String> = flags[*index].iter().map(|flag| flag.sentence()).collect();
        json!({
            "filter": index + 1,
            "norm": measures.norm,
            "nearest": measures.nearest.map(|(other, _)| other + 1),
            "cosine": measures.nearest.map(|(_, cosine)| cosine),
            "roughness": measures.roughness,
            "activation": measures.activity,
            "zeros": measures.zeros,
            "flags": flags,
        })
    };
    let score =
        |score: &Score| json!({"accuracy": score.accuracy, "mse": score.mse, "psnr": score.psnr});
    let examples = &study.examples;
    let image = |index: usize| {
        let said = |which: usize| {
            let said: Option<&(u32, f32)> = examples.answers[which].get(index);
            said.map(|(class, probability)| json!({"class": study.class_name(*class), "probability": probability}))
        };
        let label = examples.labels[index].map(|label| study.class_name(label));
        json!({"label": label, "with": said(0), "without": said(1)})
    };
    json!({
        "step": study.filters.step,
        "since": study.filters.since,
        "on_pixels": study.filters.on_pixels,
        "layer": study.filters.key,
        "text": study.filters.layer,
        "filters": order.iter().map(one).collect::<Vec<_>>(),
        "split": study.split,
        "images": study.images,
        "of": study.of,
        "off": study.off.iter().map(|off| off + 1).collect::<Vec<_>>(),
        "with": score(&study.scores[0]),
        "without": score(&study.scores[1]),
        "examples": (0..examples.labels.len()).map(image).collect::<Vec<_>>(),
    })
}

/// Whose filters are asked for.
fn layer(args: &InspectArgs) -> Result<filters::Request, WrongInput> {
    let Some(name) = &args.layer else {
        return Ok(if args.filters.decoder {
            filters::Request::Decoder
        } else {
            filters::Request::First
        });
    };
    match name.parse() {
        Ok(Target::Node(place)) => Ok(filters::Request::Layer(place)),
        Ok(Target::Stack(_)) | Err(_) => Err(WrongInput(format!(
            "`{name}` is no layer: write --layer encoder.0, or --decoder for what the decoder paints"
        ))),
    }
}
