//! The words of the window: what belongs into the project's file and on a command line is in no text that it shows.

use eframe::egui::Shape;
use eframe::egui::epaint::ClippedShape;

/// Parts of texts that are of another place: marks of code, tables of the file, commands, the system's numbers.
const FOREIGN: [&str; 9] = [
    "`",
    "[data]",
    "[goals]",
    "[[stage]]",
    "[network]",
    "(os error",
    "strata solve",
    "strata check",
    "strata new",
];

/// What is wrong with a text of the window.
pub fn foreign(text: &str) -> Option<&'static str> {
    let part = FOREIGN.into_iter().find(|part| text.contains(part));
    part.or_else(|| has_option(text).then_some("an option of a command"))
        .or_else(|| has_sides(text).then_some("a list of the file"))
        .or_else(|| has_place(text).then_some("a layer's name of the file"))
}

/// `--stage`, `--fetch`
fn has_option(text: &str) -> bool {
    let after = text.split(" --").skip(1);
    let mut words = after.chain(text.strip_prefix("--"));
    words.any(|rest| rest.starts_with(|letter: char| letter.is_ascii_lowercase()))
}

/// `[64, 64]`, `[0, 1]`: the window has 64×64 and 0..1.
fn has_sides(text: &str) -> bool {
    text.split('[').skip(1).any(|rest| {
        let inner = rest.split(']').next().unwrap_or_default();
        let is_number = |part: &str| part.trim().parse::<f64>().is_ok();
        inner.contains(", ") && inner.split(',').all(is_number)
    })
}

/// `encoder.3`, counted from 0, but for the text of a setting (`at=encoder.3`): the window has `encoder layer 4`.
fn has_place(text: &str) -> bool {
    ["encoder.", "decoder.", "head."].into_iter().any(|stack| {
        text.match_indices(stack).any(|(start, _)| {
            let before = text[..start].chars().next_back();
            let is_word =
                before.is_none_or(|letter| letter.is_whitespace() || "(:,·".contains(letter));
            is_word
                && text[start + stack.len()..].starts_with(|letter: char| letter.is_ascii_digit())
        })
    })
}

/// Every text of a frame.
pub fn check(shapes: &[ClippedShape]) {
    shapes.iter().for_each(|clipped| of_shape(&clipped.shape));
}

fn of_shape(shape: &Shape) {
    match shape {
        Shape::Vec(shapes) => shapes.iter().for_each(of_shape),
        Shape::Text(text) => {
            let text = text.galley.text();
            assert_eq!(foreign(text), None, "{text}");
        }
        _ => {}
    }
}
