//! `strata inspect RUN activations`: the feature maps of a layer for one image.

use super::READ;
use super::field::place;
use super::picture::{Draw, Drawn, Images, Picture};
use crate::cli::args::InspectArgs;
use crate::cli::numbers::{Numbers, one_or_all};
use crate::cli::output;
use serde_json::{Value, json};
use std::path::Path;
use strata_design::layer_math::number;
use strata_engine::storage::saved_run::SavedRun;
use strata_gui::plate::of_network;
use strata_inspect::activations::{Activations, Layout, Request};

/// `strata inspect RUN activations`
pub(super) const PICTURE: Picture = Picture {
    word: "activations",
    shows: "What each channel of a layer gives for an image",
    images: Images::Each,
    takes: &["--since", "--layer", "--probe", "--numbers", "--slice"],
    draw: Draw::Run(picture),
    ..Picture::NONE
};

/// Images whose maps are drawn below each other, at most.
const MOST: usize = 16;

/// The maps of each image that is asked for, else of the first probe image, with their numbers.
fn picture(run: &mut SavedRun, args: &InspectArgs) -> anyhow::Result<Drawn> {
    let place = place(run, args.layer.as_deref())?;
    let images = match args.probe {
        Some(image) => {
            super::look_at(run, args, READ)?;
            image - 1..image
        }
        None => 0..super::look_at(run, args, MOST)?.unwrap_or(1),
    };
    let mut all = Vec::new();
    for image in images {
        let request = Request {
            place: place.clone(),
            image,
            file: None,
        };
        let maps = run.inspect_slice::<Activations>(args.slice, &request)?;
        super::is_there(image, &maps.image)?;
        output::say(&line(&maps));
        all.push(maps);
    }
    if let (Some(file), Some(first)) = (&args.numbers, all.first()) {
        save(&all, first, file)?;
    }
    let values: Vec<Value> = all.iter().map(value).collect();
    Ok((of_network::activations(&all), Some(one_or_all(values))))
}

/// Of several images they are the first axis.
fn save(all: &[Activations], first: &Activations, file: &Path) -> anyhow::Result<()> {
    let [depth, height, width] = first.shape.volume();
    let axes = [
        ("image", all.len()),
        ("channel", first.count()),
        ("slice", depth),
        ("row", height),
        ("column", width),
    ];
    // One image is no axis, and signals and images have no slices.
    let is_axis = |(name, length): &(&str, usize)| match *name {
        "image" | "slice" => *length > 1,
        _ => true,
    };
    let axes: Vec<_> = axes.into_iter().filter(is_axis).collect();
    let values: Vec<f32> = all.iter().flat_map(|maps| maps.values.clone()).collect();
    Numbers {
        axes: &axes,
        values: &values,
    }
    .save(file)
}

/// ``encoder.2 `relu`: 16 maps of 8×8, values 0 … 3.2, 41.3 % zero, 2 of them everywhere``
fn line(maps: &Activations) -> String {
    let whole = maps.summary();
    let dead = match (maps.layout(), maps.dead()) {
        (Layout::Units, _) | (_, 0) => String::new(),
        (_, dead) => format!(", {dead} of them everywhere"),
    };
    format!(
        "{} `{}`: {}, values {} … {}, {:.1} % zero{dead}",
        maps.place,
        maps.text,
        maps.described(),
        number(whole.min.into()),
        number(whole.max.into()),
        100.0 * whole.zeros
    )
}

fn value(maps: &Activations) -> Value {
    let channels: Vec<_> = (0..maps.count())
        .map(|channel| maps.summary_of(channel))
        .collect();
    json!({
        "step": maps.step,
        "since": maps.since,
        "layer": maps.place.to_string(),
        "text": maps.text,
        "shape": maps.shape.dims(),
        "class": maps.class,
        "all": maps.summary(),
        "maps": channels,
        "values": maps.values,
    })
}
