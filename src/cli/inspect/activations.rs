//! `strata inspect RUN activations`: the feature maps of a layer for one image.

use super::field::place;
use super::picture::{Draw, Drawn, Picture};
use crate::cli::args::InspectArgs;
use crate::cli::numbers::Numbers;
use crate::cli::output;
use serde_json::{Value, json};
use strata_design::layer_math::number;
use strata_engine::storage::saved_run::SavedRun;
use strata_gui::plate::of_network;
use strata_inspect::activations::{Activations, Layout, Request};

/// `strata inspect RUN activations`
pub(super) const PICTURE: Picture = Picture {
    word: "activations",
    shows: "What each channel of a layer gives for an image",
    takes: &["--since", "--layer", "--image", "--numbers", "--slice"],
    draw: Draw::Run(picture),
    ..Picture::NONE
};

/// The sheet, with its numbers.
fn picture(run: &mut SavedRun, args: &InspectArgs) -> anyhow::Result<Drawn> {
    let request = Request {
        place: place(run, args.layer.as_deref())?,
        image: 0,
        file: args.one_image(),
    };
    let maps = run.inspect_slice::<Activations>(args.slice, &request)?;
    output::say(&line(&maps));
    if let Some(file) = &args.numbers {
        let [depth, height, width] = maps.shape.volume();
        let axes = [
            ("channel", maps.count()),
            ("slice", depth),
            ("row", height),
            ("column", width),
        ];
        // Signals and images have no slices.
        let axes = if depth > 1 {
            &axes[..]
        } else {
            &[axes[0], axes[2], axes[3]]
        };
        let values = &maps.values;
        Numbers { axes, values }.save(file)?;
    }
    Ok((of_network::activations(&maps), Some(value(&maps))))
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
