//! Saliency as it is handed in: images, maps and both over each other; or the maps of the sanity check.

use super::of_network::{bar, value};
use super::{ColorBar, Plate, Tile, in_rows, tile};
use crate::snapshot::Snapshot;
use crate::widgets::plain;
use strata_core::format::{self, short};
use strata_inspect::attribution::Method;
use strata_inspect::curve;
use strata_inspect::map_look::MapLook;
use strata_inspect::maps::{SIGNAL, signal_rgba};
use strata_inspect::picture::{image_rgba, zoom_for};
use strata_inspect::saliency::{Answer, Question, Saliency};

/// The images, their maps and both over each other, with what the network says; with a sanity check its maps.
pub fn plate(saliency: &Saliency, look: &MapLook) -> Snapshot {
    let look = &saliency.look(look);
    let is_checked = !saliency.checks.is_empty();
    let count = saliency.answers.len();
    let layer = saliency.layer.as_ref();
    let layer = layer.map_or_else(String::new, |layer| format!(" · {}", plain(layer)));
    let mut lines = vec![
        format!(
            "step {}{} · {}{layer}",
            format::count(saliency.step),
            strata_inspect::since_words(saliency.since_step()),
            saliency.method.name()
        ),
        saliency.method.about().to_owned(),
    ];
    let rows = if is_checked {
        lines.push(
            "Sanity check: from left to right the weights of one layer after another were drawn anew; ρ is the rank correlation with the map of the trained weights."
                .to_owned(),
        );
        (0..count).map(|index| checked(saliency, index)).collect()
    } else {
        lines.push(scales(look));
        let limits = saliency.limits(look);
        let limit = |index: usize| limits.get(index).copied().unwrap_or(1.0);
        let tiles = (0..count).flat_map(|index| tiles(saliency, index, look, limit(index)));
        let [one, columns] = if saliency.are_signals() {
            [1, 2]
        } else {
            [3, 6]
        };
        in_rows(tiles.collect(), columns.min(one * count.max(1)))
    };
    let look = if is_checked {
        MapLook::default()
    } else {
        *look
    };
    Plate {
        title: "Saliency: how much each pixel counts for the answer".to_owned(),
        lines,
        rows,
        bars: vec![colors(saliency.method, look)],
    }
    .draw()
}

fn scales(look: &MapLook) -> String {
    let values = match look.signed {
        true => "With signs, the sum over the channels",
        false => "Absolute values, the largest of the channels",
    };
    let scale = match look.common {
        true => "all maps on one scale",
        false => "each map by its own largest value, which is written below it",
    };
    let clip = match look.clip > 0.0 {
        true => format!(
            "; {} % of the values lie beyond the scale",
            short(f64::from(100.0 * look.clip), 2)
        ),
        false => String::new(),
    };
    format!("{values}; {scale}{clip}.")
}

fn colors(method: Method, look: MapLook) -> ColorBar {
    let end = "the map's largest";
    let name = match (method, look.signed) {
        (Method::Gradient, false) => "absolute gradient".to_owned(),
        (_, false) => format!("absolute {}", method.name()),
        (_, true) => method.name().to_owned(),
    };
    match look.signed {
        true => {
            let marks = [format!("−{end}"), "0".to_owned(), format!("+{end}")];
            bar(&name, move |share| look.color(2.0 * share - 1.0), &marks)
        }
        false => {
            let marks = ["0".to_owned(), end.to_owned()];
            bar(&name, move |share| look.color(share), &marks)
        }
    }
}

fn tiles(saliency: &Saliency, index: usize, look: &MapLook, limit: f32) -> Vec<Tile> {
    let Some(answer) = saliency.answers.get(index) else {
        return Vec::new();
    };
    let low = match look.signed {
        true => format!("−{}", value(limit)),
        false => "0".to_owned(),
    };
    let mut range = format!("{low} … {}", value(limit));
    if let Some(complete) = saliency.completeness.get(index) {
        range += &format!(
            " · sum {} of {}",
            value(complete.sum),
            value(complete.difference)
        );
    }
    let (label, says) = words(saliency, index, answer);
    if saliency.are_signals() {
        let fitted = curve::fitted(&saliency.inputs, curve::BYTES);
        let signal = (saliency.input(index), saliency.channels);
        let map = saliency.shown(index, look);
        let drawn = signal_rgba(signal, map, fitted, (look, limit));
        let caption = format!("{label} · {says} · {range}");
        return vec![tile(drawn, SIGNAL, 1, caption)];
    }
    let size = [saliency.height, saliency.width];
    let (input, zoom) = (saliency.input(index), 2 * zoom_for(saliency.height));
    let map = saliency.shown(index, look);
    let over = look.overlay_rgba(input, saliency.channels, map, limit);
    vec![
        tile(image_rgba(input, saliency.channels), size, zoom, label),
        tile(look.map_rgba(map, limit), size, zoom, range),
        tile(over, size, zoom, says.replace("; ", "\n")),
    ]
}

/// An image, its map, and its map after each layer of the sanity check; a signal is drawn over its maps.
fn checked(saliency: &Saliency, index: usize) -> Vec<Tile> {
    let look = MapLook::default();
    let size = [saliency.height, saliency.width];
    let (input, zoom) = (saliency.input(index), 2 * zoom_for(saliency.height));
    let are_signals = saliency.are_signals();
    let fitted = curve::fitted(&saliency.inputs, curve::BYTES);
    let map = |map: &[f32], caption: String| match are_signals {
        true => {
            let colors = (&look, look.limit(map));
            let signal = (input, saliency.channels);
            let drawn = signal_rgba(signal, map, fitted, colors);
            tile(drawn, SIGNAL, 1, caption)
        }
        false => tile(look.map_rgba(map, look.limit(map)), size, zoom, caption),
    };
    let answer = saliency.answers.get(index).cloned().unwrap_or_default();
    let (label, _) = words(saliency, index, &answer);
    let mut row = match are_signals {
        true => vec![map(saliency.map(index), format!("{label}\ntrained"))],
        false => vec![
            tile(image_rgba(input, saliency.channels), size, zoom, label),
            map(saliency.map(index), "trained".to_owned()),
        ],
    };
    for check in &saliency.checks {
        let Some(correlation) = check.correlations.get(index) else {
            continue;
        };
        let layer = plain(&check.layer);
        let caption = format!("{layer}\nρ {}", short(f64::from(*correlation), 2));
        row.push(map(&saliency.checked_map(check, index), caption));
    }
    row
}

/// What an image is, and what the network says of it.
fn words(saliency: &Saliency, index: usize, answer: &Answer) -> (String, String) {
    let label = answer.label.map_or_else(String::new, |label| {
        format!(": {}", saliency.class_name(label))
    });
    let noun = if saliency.are_signals() {
        "signal"
    } else {
        "image"
    };
    let label = format!("{noun} {}{label}", index + 1);
    let Some(class) = answer.class else {
        let score = format::loss(f64::from(answer.score));
        let says = match saliency.question {
            Question::Unit(unit) => format!("unit {}: {score}", unit + 1),
            _ => format!("mse {score}"),
        };
        return (label, says);
    };
    let top = answer.top.first().map_or_else(String::new, |(class, p)| {
        format!(
            "taken for {}, {:.1} %; ",
            saliency.class_name(*class),
            100.0 * p
        )
    });
    let score = value(answer.score);
    let before = saliency
        .class_before(index)
        .map_or_else(String::new, |class| {
            format!("; then of {}", saliency.class_name(class))
        });
    (
        label,
        format!(
            "{top}logit of {}: {score}{before}",
            saliency.class_name(class)
        ),
    )
}
