//! What the files of a source mean where they do not say it: labels, classes, black and white, shapes.

use super::read::written;
use super::{Form, choice};
use strata_core::project::data::{ClassLevel, DataSpec, LabelRule, PixelSpan, Source};
use strata_core::project::reference::data::{CLASS_LEVEL, LABEL, PIXEL, SHAPE, TRANSPOSE};
use strata_core::project::size::Shape;

/// Whether a key acts with the source that is chosen.
fn acts(key: &str, probe: DataSpec) -> bool {
    !probe.idle().iter().any(|idle| idle.key == key)
}

/// Whether the source reads files: one that draws its images has nothing to say here.
pub(super) fn has_any(source: Source) -> bool {
    source.info().wants.is_some()
}

/// All of it in a few words.
pub(super) fn summary(data: &DataSpec) -> String {
    let mut words: Vec<String> = Vec::new();
    words.extend(data.label.as_ref().map(ToString::to_string));
    if data.class_level == ClassLevel::Last {
        words.push("class: last folder".to_owned());
    }
    words.extend(data.pixel.map(|pixel| format!("pixel {pixel}")));
    words.extend(data.shape.as_ref().map(Shape::to_file_text));
    if data.transpose {
        words.push("transposed".to_owned());
    }
    match words.is_empty() {
        true => "as they are".to_owned(),
        false => words.join(" · "),
    }
}

/// Shows the fields that act with the source.
pub(super) fn show(form: &mut Form<'_>) {
    let data = form.data;
    labels(form);
    let words = ["pixel", "Black and white", PIXEL.about, "all values"];
    let read = |text: &str| text.parse::<PixelSpan>();
    if let Some(pixel) = form.optional(words, &written(data.pixel), read) {
        form.next.pixel = pixel;
    }
    let probe = DataSpec {
        shape: Shape::new(&[1, 28, 28]),
        ..data.clone()
    };
    if acts("shape", probe) {
        let now = data.shape.as_ref().map(Shape::to_file_text);
        let words = ["shape", "Shape of an image", SHAPE.about, "their own"];
        if let Some(shape) = form.optional(words, &now.unwrap_or_default(), shape) {
            form.next.shape = shape;
        }
    }
    let probe = DataSpec {
        transpose: true,
        ..data.clone()
    };
    if acts("transpose", probe) {
        let words = ["transpose", "Transpose", TRANSPOSE.about, "rows ↔ columns"];
        form.next.transpose = form.switch(words, data.transpose);
    }
}

fn labels(form: &mut Form<'_>) {
    let data = form.data;
    let has_rule = |rule: &str| {
        rule.parse::<LabelRule>().is_ok_and(|rule| {
            let label = Some(rule);
            acts(
                "label",
                DataSpec {
                    label,
                    ..data.clone()
                },
            )
        })
    };
    if has_rule("name: {class}") || has_rule("column: label") {
        let now = data
            .label
            .as_ref()
            .map_or_else(String::new, ToString::to_string);
        let hint = match data.source {
            Source::Csv => "the label column",
            _ => "the folders",
        };
        let read = |text: &str| text.parse::<LabelRule>();
        if let Some(label) = form.optional(["label", "Label rule", LABEL.about, hint], &now, read) {
            form.next.label = label;
        }
    }
    let probe = DataSpec {
        class_level: ClassLevel::Last,
        ..data.clone()
    };
    if acts("class_level", probe) {
        let id = form.id("class_level");
        let words = ["class", "Class level", CLASS_LEVEL.about];
        let now = data.class_level;
        if let Some(level) = choice(form.ui, id, words, now, &ClassLevel::ALL) {
            form.next.class_level = level;
        }
    }
}

/// `1x28x28`.
fn shape(text: &str) -> Result<Shape, String> {
    let wrong =
        || format!("“{text}” is no shape: write channels x height x width, such as 1x28x28");
    let shape: Shape = text.parse().map_err(|_| wrong())?;
    match shape.dims().len() {
        2..=4 => Ok(shape),
        _ => Err(wrong()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn closed_the_group_says_what_is_set() {
        assert_eq!(summary(&DataSpec::default()), "as they are");
        let data = DataSpec {
            label: "column: kind".parse().ok(),
            class_level: ClassLevel::Last,
            pixel: "0..4095".parse().ok(),
            shape: Shape::new(&[1, 28, 28]),
            transpose: true,
            ..DataSpec::default()
        };
        assert_eq!(
            summary(&data),
            "column: kind · class: last folder · pixel 0..4095 · 1x28x28 · transposed"
        );
    }
}
