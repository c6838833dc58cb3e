//! `strata inspect RUN neighbours`: the images nearest to one, and how well neighbours classify.

use super::embedding::layer;
use super::picture::{Draw, Drawn, Images, Picture};
use crate::cli::args::InspectArgs;
use crate::cli::numbers::{Numbers, one_or_all};
use crate::cli::{output, text};
use serde_json::{Value, json};
use std::path::PathBuf;
use strata_core::format;
use strata_engine::storage::saved_run::SavedRun;
use strata_gui::plate::of_neighbours;
use strata_inspect::image_set::Chosen;
use strata_inspect::neighbours::{KnnAccuracy, Neighbour, Neighbours, Request};

/// `strata inspect RUN neighbours`
pub(super) const PICTURE: Picture = Picture {
    word: "neighbours",
    shows: "The images nearest to one, by pixels and by the features of a layer; k-NN accuracy",
    images: Images::Beside,
    takes: &[
        "--layer",
        "--numbers",
        "--index",
        "--metric",
        "--k",
        "--slice",
    ],
    draw: Draw::Run(picture),
    ..Picture::NONE
};

/// Both rows of neighbours of each image, with their numbers.
fn picture(run: &mut SavedRun, args: &InspectArgs) -> anyhow::Result<Drawn> {
    let options = &args.neighbours;
    let place = layer(run, args)?;
    // An image of the split, or each file.
    let files = args.image.iter().map(|file| vec![file.clone()]);
    let mut each: Vec<Vec<PathBuf>> = files.collect();
    if each.is_empty() {
        each.push(Vec::new());
    }
    let mut all = Vec::new();
    for files in each {
        let request = Request {
            place: place.clone(),
            chosen: Chosen {
                files,
                split: args.split,
                limit: args.limit,
            },
            image: options.index.unwrap_or(0),
            metric: options.metric.unwrap_or_default(),
            votes: options.k.unwrap_or(0),
        };
        let found = run.inspect_slice::<Neighbours>(args.slice, &request)?;
        say(&found);
        all.push(found);
    }
    if let (Some(file), Some(first)) = (&args.numbers, all.first()) {
        let values: Vec<f32> = all
            .iter()
            .flat_map(|found| found.distances.concat())
            .collect();
        let axes = [
            ("query", all.len()),
            ("pixels_or_features", 2),
            ("image", first.images),
        ];
        // One image is no axis.
        let axes = &axes[usize::from(all.len() == 1)..];
        let values = &values;
        Numbers { axes, values }.save(file)?;
    }
    let values: Vec<Value> = all.iter().map(value).collect();
    Ok((of_neighbours::plate(&all), Some(one_or_all(values))))
}

fn say(found: &Neighbours) {
    let metric = found.metric.word();
    output::say(&format!(
        "{}: {metric} distance to {} of {} {} images",
        found.layer,
        format::count(found.images as u64),
        format::count(found.of as u64),
        found.split
    ));
    for (by, near) in [
        ("pixels", &found.by_pixels),
        ("features", &found.by_features),
    ] {
        let near = near.iter().map(|near| line(found, near));
        output::say(&format!(
            "nearest by {by}: {}",
            near.collect::<Vec<_>>().join(", ")
        ));
    }
    if let Some(accuracy) = &found.accuracy {
        output::say(&accuracy_line(accuracy));
    }
}

/// `312 (7) 0.41`
fn line(found: &Neighbours, near: &Neighbour) -> String {
    let label = near.label.map_or_else(String::new, |label| {
        format!(" ({})", found.class_name(label))
    });
    format!(
        "{}{label} {}",
        near.index,
        text::figure(near.distance.into())
    )
}

fn accuracy_line(accuracy: &KnnAccuracy) -> String {
    let [pixels, features] = accuracy.shares().map(|share| 100.0 * share);
    format!(
        "{}-NN accuracy: {features:.2} % by features, {pixels:.2} % by pixels ({} {} images by {} train images)",
        accuracy.votes,
        format::count(accuracy.asked as u64),
        accuracy.split,
        format::count(accuracy.fitted as u64)
    )
}

fn value(found: &Neighbours) -> Value {
    let name = |label: Option<u32>| label.map(|label| found.class_name(label));
    let near = |near: &Neighbour| json!({"image": near.index, "class": name(near.label), "distance": near.distance});
    let accuracy = found.accuracy.map(|accuracy| {
        let [pixels, features] = accuracy.shares();
        json!({
            "k": accuracy.votes,
            "pixels": pixels,
            "features": features,
            "split": accuracy.split.name(),
            "images": accuracy.asked,
            "train_images": accuracy.fitted,
        })
    });
    json!({
        "step": found.step,
        "layer": found.layer,
        "split": found.split.name(),
        "images": found.images,
        "of": found.of,
        "metric": found.metric.word(),
        "image": found.image,
        "class": name(found.label),
        "by_pixels": found.by_pixels.iter().map(near).collect::<Vec<_>>(),
        "by_features": found.by_features.iter().map(near).collect::<Vec<_>>(),
        "searched": found.indices,
        "knn": accuracy,
    })
}
