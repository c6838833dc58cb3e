//! Filters as they are handed in when they are looked at closely: sorted, flagged, by input channel or frequency, and
//! the images with and without those that are switched off.

use super::of_network::{
    MOST_DRAWN, bar, filter_tile, how_many, image_tile, nearly_square, value, weight_bar,
};
use super::{Plate, Tile, in_rows, tile};
use crate::snapshot::Snapshot;
use crate::widgets::plain;
use strata_core::format;
use strata_inspect::curve;
use strata_inspect::filter_picture::{response_picture, response_size};
use strata_inspect::filters::flag_lines;
use strata_inspect::filters::study::{FilterStudy, Score};
use strata_inspect::maps::viridis;
use strata_inspect::picture::{FilterScale, diverging, filter_limit};

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
        "step {}{} · {} filters of {}",
        format::count(filters.step),
        strata_inspect::since_words(filters.since),
        filters.count,
        filters.dims()
    )];
    lines.extend(how_many(order.len()));
    if filters.on_pixels {
        lines.push(ON_PIXELS.to_owned());
    }
    lines.extend(flag_lines(&study.flags(), order));
    let order = &order[..order.len().min(MOST_DRAWN)];
    let columns = nearly_square(order.len());
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
            let size = response_size(responses);
            let zoom = if size == responses.size { 4 } else { 1 };
            let one = |index: &usize| {
                let values = responses.of(*index).iter();
                let largest = values.copied().fold(f32::MIN_POSITIVE, f32::max);
                let caption = format!("{}: {}", index + 1, value(largest));
                tile(response_picture(responses, *index), size, zoom, caption)
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
                filter_tile(filters, *index, FilterScale::PerFilter, caption)
            };
            let tiles = order.iter().map(one).collect();
            (in_rows(tiles, columns), how, vec![weight_bar(filters)])
        }
    };
    lines.push(how.to_owned());
    lines.extend(effect(study));
    let slice = study.examples.slice.filter(|_| !study.off.is_empty());
    lines.extend(slice.map(|slice| format!("Of the volumes {slice}.")));
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
    let channels = 0..filters.channels.min(MOST_CHANNELS);
    let weights = |channel: usize| filters.of_channel(channel);
    let planes: Vec<_> = channels.map(weights).collect();
    let limits = planes
        .iter()
        .map(|plane| filter_limit(plane, index, FilterScale::PerFilter));
    let largest = limits.fold(f32::MIN_POSITIVE, f32::max);
    let one = |(channel, plane): (usize, &strata_inspect::filters::Filters)| {
        let caption = match channel {
            0 => format!("{}: ±{}", index + 1, value(largest)),
            _ => String::new(),
        };
        filter_tile(plane, index, FilterScale::Fixed(largest), caption)
    };
    planes.iter().enumerate().map(one).collect()
}

/// `97.10 % right · mean squared error 0.0123, 19.10 dB`
pub fn score_words(score: &Score) -> String {
    let accuracy = score
        .accuracy
        .map(|share| format!("{:.2} % right", 100.0 * share));
    let error = score.mse.zip(score.psnr).map(|(mse, psnr)| {
        format!(
            "mean squared error {}, {} dB",
            format::loss(mse),
            format::fixed(psnr, 2)
        )
    });
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
    let count = examples.labels.len();
    if study.off.is_empty() {
        return Vec::new();
    }
    let range = curve::fitted(&examples.inputs, curve::BYTES);
    let row = |bytes: &[u8], caption: &dyn Fn(usize) -> String| -> Vec<Tile> {
        let one = |index: usize| {
            let bytes = examples.image(bytes, index);
            image_tile(bytes, examples.size, range, caption(index))
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
