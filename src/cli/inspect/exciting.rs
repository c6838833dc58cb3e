//! `strata inspect RUN exciting`: the images that excite the channels of a layer most.

use super::field::place;
use super::picture::{Draw, Drawn, Images, Picture};
use crate::cli::args::{Channels, InspectArgs};
use crate::cli::numbers::Numbers;
use crate::cli::output;
use serde_json::json;
use std::path::Path;
use strata_core::format::short;
use strata_engine::storage::saved_run::SavedRun;
use strata_gui::plate::of_exciting;
use strata_inspect::activity_change::{ActivityChange, signed};
use strata_inspect::exciting::{Channel, Exciting, Request, SHOWN, place_words};

/// `strata inspect RUN exciting`
pub(super) const PICTURE: Picture = Picture {
    word: "exciting",
    shows: "The images of a split that excite each channel of a layer most, and how active it is",
    images: Images::Set,
    takes: &["--since", "--layer", "--channel", "--numbers", "--slice"],
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
    let made = run.inspect_slice::<Exciting>(args.slice, &request)?;
    let (images, split, shown) = (made.images, made.split, made.channels.len());
    output::say(&format!(
        "{} `{}`: {shown} of {} channels over {images} {split} images",
        request.place, made.layer, made.of
    ));
    for channel in &made.channels {
        output::say(&line(channel, |index| image_name(args, index)));
    }
    if let Some(file) = &args.numbers {
        save(&made, file)?;
    }
    let value = json!({
        "step": made.step,
        "since": made.since,
        "layer": request.place.to_string(),
        "text": made.layer,
        "of": made.of,
        "split": split,
        "images": images,
        "channels": made.channels,
    });
    Ok((of_exciting::plate(&made), Some(value)))
}

/// A row for each channel: its number, mean, deviation and share of zeros; then the images that excite it most and their
/// values, not-a-number where there are fewer.
fn save(made: &Exciting, file: &Path) -> anyhow::Result<()> {
    let rows = made.channels.iter().flat_map(|channel| {
        let figures = [channel.mean, channel.deviation, channel.zeros];
        let figures = figures.map(|figure| figure as f32);
        let most = (0..SHOWN).flat_map(|at| {
            let excited = channel.excited.get(at);
            excited.map_or([f32::NAN; 2], |excited| {
                [excited.index as f32, excited.value]
            })
        });
        let first = [channel.channel as f32].into_iter().chain(figures);
        first.chain(most).collect::<Vec<f32>>()
    });
    let values: Vec<f32> = rows.collect();
    let of_images = (1..=SHOWN).map(|place| format!(",image{place},value{place}"));
    let columns = format!(
        "channel,mean,deviation,zeros{}",
        of_images.collect::<String>()
    );
    Numbers {
        axes: &[("row", made.channels.len()), (&columns, 4 + 2 * SHOWN)],
        values: &values,
    }
    .save(file)
}

/// An image's number in its split; of files the name it was given by.
fn image_name(args: &InspectArgs, index: u32) -> String {
    let file = args.image.get(index as usize);
    file.map_or_else(|| index.to_string(), |file| file.display().to_string())
}

/// `since then mean +0.1, deviation −0.02, +3.1 % zero`
pub(super) fn grown(change: ActivityChange) -> String {
    format!(
        "since then mean {}, deviation {}, {} % zero",
        signed(change.mean, 3),
        signed(change.deviation, 3),
        signed(100.0 * change.zeros, 1)
    )
}

/// `channel 3: mean 0.12, deviation 0.4, 61.2 % zero; most for images 17, 4, 230`
fn line(channel: &Channel, name: impl Fn(u32) -> String) -> String {
    let before = channel.change.as_ref().map(|change| &change.places);
    let most: Vec<String> = channel
        .excited
        .iter()
        .enumerate()
        .map(|(at, excited)| match before {
            Some(places) => {
                let before = place_words(places.get(at).copied().flatten());
                format!("{} ({before})", name(excited.index))
            }
            None => name(excited.index),
        })
        .collect();
    let most = match channel.is_dead() {
        true => "dead, no image excites it".to_owned(),
        false => format!("most for images {}", most.join(", ")),
    };
    let change = channel
        .change
        .as_ref()
        .map_or_else(String::new, |change| format!(", {}", grown(change.figures)));
    format!(
        "channel {}: mean {}, deviation {}, {:.1} % zero{change}; {most}",
        channel.channel,
        short(channel.mean, 3),
        short(channel.deviation, 3),
        100.0 * channel.zeros
    )
}
