//! `strata inspect RUN exciting`: the images that excite the channels of a layer most.

use super::field::place;
use super::picture::{Draw, Drawn, Picture};
use crate::cli::args::{Channels, InspectArgs};
use crate::cli::output;
use serde_json::json;
use strata_core::format::short;
use strata_engine::storage::saved_run::SavedRun;
use strata_gui::plate::of_exciting;
use strata_inspect::exciting::{Channel, Exciting, Request};

/// `strata inspect RUN exciting`
pub(super) const PICTURE: Picture = Picture {
    word: "exciting",
    shows: "The images of a split that excite each channel of a layer most, and how active it is",
    takes: &["--layer", "--channel", "--split", "--limit"],
    draw: Draw::Run(picture),
    ..Picture::NONE
};

/// The images with their patches, and how active each channel is.
fn picture(run: &mut SavedRun, args: &InspectArgs) -> anyhow::Result<Drawn> {
    let request = Request {
        place: place(run, args.layer.as_deref())?,
        channels: match &args.channel {
            Some(Channels::These(channels)) => Some(channels.clone()),
            Some(Channels::All) | None => None,
        },
        split: args.split,
        limit: args.limit,
    };
    let made = run.inspect::<Exciting>(&request)?;
    let (images, split, shown) = (made.images, made.split, made.channels.len());
    output::say(&format!(
        "{} `{}`: {shown} of {} channels over {images} {split} images",
        request.place, made.layer, made.of
    ));
    for channel in &made.channels {
        output::say(&line(channel));
    }
    let value = json!({
        "step": made.step,
        "layer": request.place.to_string(),
        "text": made.layer,
        "of": made.of,
        "split": split.name(),
        "images": images,
        "channels": made.channels,
    });
    Ok((of_exciting::plate(&made), Some(value)))
}

/// `channel 3: mean 0.12, deviation 0.4, 61.2 % zero; most for images 17, 4, 230`
fn line(channel: &Channel) -> String {
    let most: Vec<String> = channel
        .excited
        .iter()
        .map(|excited| excited.index.to_string())
        .collect();
    let dead = if channel.is_dead() { ", dead" } else { "" };
    format!(
        "channel {}: mean {}, deviation {}, {:.1} % zero{dead}; most for images {}",
        channel.channel,
        short(channel.mean, 3),
        short(channel.deviation, 3),
        100.0 * channel.zeros,
        most.join(", ")
    )
}
