//! Predictions as they are handed in: the images of a list with their most probable classes, and the figures in words.

use super::{Plate, Tile, in_rows, tile};
use crate::snapshot::Snapshot;
use strata_core::format;
use strata_inspect::curve;
use strata_inspect::picture::{image_rgba, zoom_for};
use strata_inspect::predictions::{Change, List, Predictions, ShownImage};

/// Images side by side.
const COLUMNS: usize = 6;

/// The images with what they are and what they are taken for.
pub fn plate(predictions: &Predictions) -> Snapshot {
    let split = predictions.split.map_or("own", |split| split.name());
    let mut lines = vec![format!(
        "step {} · {} of {} {split} images",
        format::count(predictions.step),
        format::count(predictions.images as u64),
        format::count(predictions.of as u64)
    )];
    let figures = predictions.accuracy.zip(predictions.calibration_error);
    if let Some((accuracy, error)) = figures {
        lines.push(format!(
            "{:.2} % right · expected calibration error {:.2} %",
            100.0 * accuracy,
            100.0 * error
        ));
    }
    if let Some(accuracy) = predictions.accuracy.filter(|_| predictions.has_label_sets) {
        let labels = format!(
            "{:.2} % of the answers about all labels right",
            100.0 * accuracy
        );
        lines.push(labels);
    }
    if predictions.augmentations > 0 {
        lines.push(format!(
            "Each answer is the mean over {} draws of the augmentations.",
            predictions.augmentations
        ));
    }
    lines.extend(predictions.change.as_ref().map(change_words));
    lines.push(list_line(predictions));
    let tiles = (0..predictions.shown.len()).map(|index| one(predictions, index));
    Plate {
        title: "Predictions".to_owned(),
        lines,
        rows: in_rows(tiles.collect(), COLUMNS),
        bars: Vec::new(),
    }
    .draw()
}

/// `since step 8: 41 images have another answer, 30 right now, 4 not any more; 2.60 % more are right`
pub fn change_words(change: &Change) -> String {
    let count = |number: usize| format::count(number as u64);
    let [others, learnt, forgotten] = [change.others, change.learnt, change.forgotten].map(count);
    let accuracy = change.accuracy.map_or_else(String::new, |share| {
        let word = if share < 0.0 { "fewer" } else { "more" };
        format!("; {:.2} % {word} are right", 100.0 * share.abs())
    });
    format!(
        "Since step {}: {others} images have another answer, {learnt} are right now and were not, {forgotten} were right and are not any more{accuracy}.",
        format::count(change.since)
    )
}

fn list_line(predictions: &Predictions) -> String {
    let listed = format::count(predictions.listed as u64);
    match predictions.list {
        List::MostWrong if predictions.listed == 0 => "No answer is wrong.".to_owned(),
        List::MostWrong if predictions.has_label_sets => {
            format!("{listed} images with a wrong label, the surest first.")
        }
        List::MostWrong => format!("{listed} wrong answers, the surest first."),
        List::LeastSure => format!("{listed} answers, the least sure first."),
        List::First => format!("{listed} images in their order."),
        List::Taken(label, answer) => format!(
            "{listed} images of {} taken for {}.",
            predictions.class_name(label),
            predictions.class_name(answer)
        ),
    }
}

fn one(predictions: &Predictions, index: usize) -> Tile {
    let [height, width, channels] = predictions.size;
    let image = &predictions.shown[index];
    let caption = words(predictions, image);
    let input = predictions.input(index);
    if curve::is_signal(predictions.size) {
        let drawn = curve::picture(input, channels, curve::fitted(input, curve::BYTES));
        return tile(image_rgba(&drawn, 1), curve::SIZE, 1, caption);
    }
    let zoom = 2 * zoom_for(height);
    tile(image_rgba(input, channels), [height, width], zoom, caption)
}

/// `is 7`, `1 98.2 %`, `7 1.1 %`, a line each
fn words(predictions: &Predictions, image: &ShownImage) -> String {
    let truth = predictions.truth(image);
    let label = truth.map_or_else(String::new, |truth| format!("is {truth}\n"));
    let top = image.top.iter().map(|(class, probability)| {
        format!(
            "{} {:.1} %",
            predictions.class_name(*class),
            100.0 * probability
        )
    });
    let before = image
        .before
        .map_or_else(String::new, |(class, probability)| {
            let class = predictions.class_name(class);
            format!("\nthen {class} {:.1} %", 100.0 * probability)
        });
    format!("{label}{}{before}", top.collect::<Vec<_>>().join("\n"))
}
