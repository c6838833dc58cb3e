//! `strata inspect RUN embedding`: a map of a split, by what a layer gives for its images.

use super::field::place;
use super::picture::{Draw, Drawn, Images, Picture};
use crate::cli::args::InspectArgs;
use crate::cli::numbers::Numbers;
use crate::cli::output;
use serde_json::{Value, json};
use std::sync::Arc;
use strata_core::format;
use strata_core::project::Place;
use strata_engine::error::RunError;
use strata_engine::storage::saved_run::SavedRun;
use strata_gui::plate::of_embedding;
use strata_inspect::embedding::{By, Embedding, How, embed};
use strata_inspect::features::{Features, Request};

/// `strata inspect RUN embedding`
pub(super) const PICTURE: Picture = Picture {
    word: "embedding",
    shows: "A map of a split: each image a point, near to those that a layer finds alike",
    images: Images::Set,
    takes: &[
        "--layer",
        "--numbers",
        "--by",
        "--perplexity",
        "--neighbours",
        "--draw",
        "--slice",
    ],
    draw: Draw::Run(picture),
    ..Picture::NONE
};

/// The layer that was named, if one was.
pub(super) fn layer(run: &SavedRun, args: &InspectArgs) -> anyhow::Result<Option<Place>> {
    let name = args.layer.as_deref();
    Ok(name.map(|name| place(run, Some(name))).transpose()?)
}

/// The map, with its coordinates.
fn picture(run: &mut SavedRun, args: &InspectArgs) -> anyhow::Result<Drawn> {
    let options = &args.embedding;
    let usual = How::default();
    let how = How {
        by: options.by.unwrap_or(usual.by),
        perplexity: options.perplexity.unwrap_or(usual.perplexity),
        neighbours: options.neighbours.unwrap_or(usual.neighbours),
    };
    let request = Request {
        place: layer(run, args)?,
        split: args.split,
        limit: args.limit,
        draw: options.draw.unwrap_or(0),
    };
    let features = run.inspect_slice::<Features>(args.slice, &request)?;
    let map = embed(Arc::new(features), how, &mut |_| true).map_err(RunError::from)?;
    output::say(&line(&map));
    if let Some(file) = &args.numbers {
        let values: Vec<f32> = map.points.iter().flatten().map(|at| *at as f32).collect();
        let axes = [("image", map.points.len()), ("axis", 2)];
        Numbers {
            axes: &axes,
            values: &values,
        }
        .save(file)?;
    }
    Ok((of_embedding::picture(&map), Some(value(&map))))
}

/// ``encoder.5 `dense 32` by t-SNE (perplexity 30): 1,000 of 10,000 test images, KL 0.71, trustworthiness 0.98``
fn line(map: &Embedding) -> String {
    let features = &map.features;
    format!(
        "{} by {}: {} of {} {} images{}",
        features.layer,
        of_embedding::way(&map.how),
        format::count(map.points.len() as u64),
        format::count(features.of as u64),
        features.split,
        of_embedding::figures(map)
    )
}

fn value(map: &Embedding) -> Value {
    let features = &map.features;
    let sample = &features.sample;
    let classes = sample.labels.iter();
    let classes = classes.map(|label| label.map(|label| features.class_name(label)));
    json!({
        "step": features.step,
        "layer": features.layer,
        "split": features.split,
        "images": sample.indices.len(),
        "of": features.of,
        "by": map.how.by.word(),
        "perplexity": (map.how.by == By::Tsne).then_some(map.how.perplexity),
        "neighbours": (map.how.by == By::Umap).then_some(map.how.neighbours),
        "explained": map.explained,
        "kl": map.divergence,
        "trustworthiness": map.trust,
        "image": sample.indices,
        "class": classes.collect::<Vec<_>>(),
        "points": map.points,
    })
}
