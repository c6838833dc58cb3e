//! Adversarial examples as they are handed in: image, difference and result of each, with the answers.

use super::{Plate, Tile, in_rows, tile};
use crate::snapshot::Snapshot;
use strata_core::format::{self, short};
use strata_inspect::adversarial::{Adversarial, Robustness};
use strata_inspect::curve;
use strata_inspect::picture::{image_rgba, zoom_for};

/// The examples; the accuracies in words.
pub fn plate(made: &Adversarial, robustness: Option<&Robustness>) -> Snapshot {
    let request = &made.request;
    let target = request.target.map_or_else(String::new, |class| {
        format!(", to be taken for {}", made.class_name(class))
    });
    let over = match request.transformations {
        0 => String::new(),
        count => format!(", over {count} transformations"),
    };
    let mut lines = vec![format!(
        "step {} · {}, {} distance at most {}{target}{over}",
        format::count(made.step),
        request.attack.name(),
        request.norm.name(),
        short(request.epsilon.into(), 3)
    )];
    if let Some(robustness) = robustness {
        let points = robustness.accuracies();
        let point = |(epsilon, share): &(f32, f64)| {
            format!("{:.1} % at {}", 100.0 * share, short((*epsilon).into(), 3))
        };
        let points: Vec<String> = points.iter().map(point).collect();
        lines.push(format!(
            "Accuracy by ε over {} {} images: {}.",
            robustness.images,
            robustness.split,
            points.join(", ")
        ));
    }
    lines.push(
        "From left to right: the image, the difference around grey and how much stronger it is drawn, the result."
            .to_owned(),
    );
    let tiles = (0..made.outcomes.len()).flat_map(|index| one(made, index));
    Plate {
        title: "Adversarial examples".to_owned(),
        lines,
        rows: in_rows(tiles.collect(), 6),
        bars: Vec::new(),
    }
    .draw()
}

fn one(made: &Adversarial, index: usize) -> Vec<Tile> {
    let outcome = &made.outcomes[index];
    let says = |answers: &[(u32, f32)]| {
        answers
            .first()
            .map_or_else(String::new, |(class, probability)| {
                format!("{} {:.1} %", made.class_name(*class), 100.0 * probability)
            })
    };
    let label = outcome.label.map_or_else(String::new, |label| {
        format!("is {}\n", made.class_name(label))
    });
    let views = outcome.views_fooled.map_or_else(String::new, |share| {
        format!("\nthrough {:.0} % of views", 100.0 * share)
    });
    let fooled = match made.is_fooled(outcome) {
        true => "fooled",
        false => "not fooled",
    };
    let factor = short(made.amplification(index).into(), 1);
    let draw = |bytes: &[u8], caption: String| {
        let [height, width, channels] = made.size;
        if curve::is_signal(made.size) {
            let drawn = curve::picture(bytes, channels, curve::BYTES);
            return tile(image_rgba(&drawn, 1), curve::SIZE, 1, caption);
        }
        let zoom = 2 * zoom_for(height);
        tile(image_rgba(bytes, channels), [height, width], zoom, caption)
    };
    vec![
        draw(
            made.input(index),
            format!("{label}{}", says(&outcome.before)),
        ),
        draw(&made.difference(index), format!("difference × {factor}")),
        draw(
            made.result(index),
            format!("{fooled}\n{}{views}", says(&outcome.after)),
        ),
    ]
}
