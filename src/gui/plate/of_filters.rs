//! Filters as they are handed in when they are looked at closely: sorted, flagged, by input channel or frequency, and
//! the images with and without those that are switched off.

use super::of_network::{bar, value};
use super::{Plate, Tile, in_rows, tile};
use crate::snapshot::Snapshot;
use crate::widgets::plain;
use strata_core::format;
use strata_inspect::curve;
use strata_inspect::filters::study::{FilterStudy, Score};
use strata_inspect::maps::viridis;
use strata_inspect::picture::{
    FilterScale, diverging, filter_limit, filter_rgba, image_rgba, opaque, zoom_for,
};

/// What is drawn of each filter.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Shown {
    /// Its weights: in colour, or the mean over the input channels.
    #[default]
    Weights,
    /// Its weights for every input channel by itself.
    Channels,
    /// Which frequencies pass it.
    Frequencies,
}

impl Shown {
    /// All of them.
    pub const ALL: [Shown; 3] = [Shown::Weights, Shown::Channels, Shown::Frequencies];

    /// Its word in the terminal.
    pub fn word(self) -> &'static str {
        match self {
            Shown::Weights => "weights",
            Shown::Channels => "channels",
            Shown::Frequencies => "frequencies",
        }
    }
}

/// What is said of filters behind a whitening that are shown on pixels.
pub const ON_PIXELS: &str = "On the pixels of the images: the network sees these whitened, and its weights are changed back. Norms and marks are of the network's own weights.";

/// Pictures of input channels at most: more do not fit a texture.
const MOST_CHANNELS: usize = 64;

/// The filters in this order, and what changes without those that are switched off.
pub fn plate(study: &FilterStudy, order: &[usize], shown: Shown) -> Snapshot {
    let filters = &study.filters;
    let mut lines = vec![format!(
        "step {}{} · {} filters of {}×{}×{}",
        format::count(filters.step),
        strata_inspect::since_words(filters.since),
        filters.count,
        filters.channels,
        filters.height,
        filters.width
    )];
    if filters.on_pixels {
        lines.push(ON_PIXELS.to_owned());
    }
    let flags = study.flags();
    for index in order {
        let sentences = flags[*index].iter();
        lines.extend(sentences.map(|flag| format!("filter {}: {}", index + 1, flag.sentence())));
    }
    let columns = (order.len() as f64).sqrt().ceil().max(1.0) as usize;
    let responses = study
        .responses
        .as_ref()
        .filter(|_| shown == Shown::Frequencies);
    let (mut rows, how, bars) = match (shown, responses) {
        (Shown::Channels, _) => {
            let how = "A row for each filter, a picture for each of its input channels, all by the filter's largest weight: blue negative, white 0, red positive.";
            let ends = ["−largest", "0", "+largest"].map(str::to_owned);
            let bar = bar("weight", |share| diverging(2.0 * share - 1.0), &ends);
            let rows = order
                .iter()
                .map(|index| channel_row(study, *index))
                .collect();
            (rows, how, vec![bar])
        }
        (_, Some(responses)) => {
            let how = "How strongly each frequency passes: frequency 0 in the middle, half a cycle a pixel at the edges, each by its own largest.";
            let one = |index: &usize| {
                let values = responses.of(*index);
                let largest = values.iter().copied().fold(f32::MIN_POSITIVE, f32::max);
                let pixels = values
                    .iter()
                    .flat_map(|value| opaque(viridis(value / largest)));
                let caption = format!("{}: {}", index + 1, value(largest));
                tile(pixels.collect(), responses.size, 4, caption)
            };
            let ends = ["0".to_owned(), "largest".to_owned()];
            let tiles = order.iter().map(one).collect();
            (
                in_rows(tiles, columns),
                how,
                vec![bar("frequency response", viridis, &ends)],
            )
        }
        _ => {
            let how = "Each is drawn by its own largest weight; below it its norm.";
            let one = |index: &usize| {
                let off = if study.off.contains(&(*index as u32)) {
                    " (off)"
                } else {
                    ""
                };
                let caption = format!("{}{off}: {}", index + 1, value(study.measures[*index].norm));
                let rgba = filter_rgba(filters, *index, FilterScale::PerFilter);
                tile(
                    rgba,
                    [filters.height, filters.width],
                    2 * zoom_for(filters.height),
                    caption,
                )
            };
            let tiles = order.iter().map(one).collect();
            (in_rows(tiles, columns), how, Vec::new())
        }
    };
    lines.push(how.to_owned());
    lines.extend(effect(study));
    rows.extend(examples(study));
    Plate {
        title: format!(
            "Filters of {}: {}",
            plain(&filters.key),
            plain(&filters.layer)
        ),
        lines,
        rows,
        bars,
    }
    .draw()
}

fn channel_row(study: &FilterStudy, index: usize) -> Vec<Tile> {
    let filters = &study.filters;
    let size = [filters.height, filters.width];
    let channels = 0..filters.channels.min(MOST_CHANNELS);
    let weights = |channel: usize| filters.of_channel(channel);
    let planes: Vec<_> = channels.map(weights).collect();
    let limits = planes
        .iter()
        .map(|plane| filter_limit(plane, index, FilterScale::PerFilter));
    let largest = limits.fold(f32::MIN_POSITIVE, f32::max);
    let one = |(channel, plane): (usize, &strata_inspect::filters::Filters)| {
        let rgba = filter_rgba(plane, index, FilterScale::Fixed(largest));
        let caption = match channel {
            0 => format!("{}: ±{}", index + 1, value(largest)),
            _ => String::new(),
        };
        tile(rgba, size, 2 * zoom_for(filters.height), caption)
    };
    planes.iter().enumerate().map(one).collect()
}

/// `97.10 % right · mean squared error 0.0123, 19.10 dB`
pub fn score_words(score: &Score) -> String {
    let accuracy = score
        .accuracy
        .map(|share| format!("{:.2} % right", 100.0 * share));
    let error = score
        .mse
        .zip(score.psnr)
        .map(|(mse, psnr)| format!("mean squared error {}, {psnr:.2} dB", format::loss(mse)));
    let parts: Vec<String> = accuracy.into_iter().chain(error).collect();
    parts.join(" · ")
}

/// How well the network does, with all filters and without some.
pub fn effect(study: &FilterStudy) -> Vec<String> {
    let [with, without] = study.scores.map(|score| score_words(&score));
    if with.is_empty() {
        return Vec::new();
    }
    let images = format::count(study.images as u64);
    let mut lines = vec![format!(
        "With all filters: {with} ({images} {} images)",
        study.split
    )];
    if !study.off.is_empty() {
        let off: Vec<String> = study.off.iter().map(|off| (off + 1).to_string()).collect();
        lines.push(format!("Without {}: {without}", off.join(", ")));
    }
    lines
}

/// What is said of an image, with all filters or without some.
pub fn said(study: &FilterStudy, which: usize, index: usize) -> String {
    let answer = study.examples.answers[which].get(index);
    answer.map_or_else(String::new, |(class, probability)| {
        format!("{} {:.1} %", study.class_name(*class), 100.0 * probability)
    })
}

/// The images, and where something is switched off what is made of them with and without it.
fn examples(study: &FilterStudy) -> Vec<Vec<Tile>> {
    let examples = &study.examples;
    let [height, width, channels] = examples.size;
    let count = examples.labels.len();
    if study.off.is_empty() || curve::is_signal(examples.size) {
        return Vec::new();
    }
    let row = |bytes: &[u8], caption: &dyn Fn(usize) -> String| -> Vec<Tile> {
        let one = |index: usize| {
            let rgba = image_rgba(examples.image(bytes, index), channels);
            tile(rgba, [height, width], 2 * zoom_for(height), caption(index))
        };
        (0..count).map(one).collect()
    };
    let words = |index: usize| match examples.answers[0].is_empty() {
        true => "image".to_owned(),
        false => format!("{} → {}", said(study, 0, index), said(study, 1, index)),
    };
    let mut rows = vec![row(&examples.inputs, &words)];
    if !examples.outputs[0].is_empty() {
        rows.push(row(&examples.outputs[0], &|_| "with all".to_owned()));
        rows.push(row(&examples.outputs[1], &|_| "without".to_owned()));
    }
    rows
}
