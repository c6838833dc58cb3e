//! Networks as programs print them: `print(model)` of PyTorch, summaries of torchinfo and Keras, lines of a constructor.
//!
//! What is not understood is left out and said with its line. A summary holds shapes and numbers of parameters alone:
//! windows are worked out from them, the plainest that fits.

use super::summary::{self, Row};
use super::{Translation, translate};
use crate::project::layer::Layer;
use crate::project::size::Shape;

/// What was understood of a printed network.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Pasted {
    /// The shape of an image, where the lines say it or it follows from them.
    pub input: Option<Shape>,
    /// The layers, in their order.
    pub layers: Vec<Layer>,
    /// What is set elsewhere here, or is not quite the same.
    pub notes: Vec<String>,
    /// What was left out.
    pub unread: Vec<Unread>,
}

/// A line that was not understood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unread {
    /// Which, from 1.
    pub line: usize,
    /// Its text.
    pub text: String,
    /// What is wrong with it.
    pub reason: String,
}

/// Whether a text is a network as a program prints it, not lines of code.
pub fn is_print(text: &str) -> bool {
    let is_named = |line: &str| line.trim().starts_with('(') && line.contains("): ");
    text.lines().any(is_named) || !summary::rows(text).is_empty()
}

/// Reads all that is understood of a printed network.
pub fn paste(text: &str) -> Pasted {
    let rows = summary::rows(text);
    match rows.is_empty() {
        true => of_calls(text),
        false => of_rows(&rows),
    }
}

/// Layers that are calls, one after the other.
fn of_calls(text: &str) -> Pasted {
    let mut pasted = Pasted::default();
    let mut lines: Vec<String> = Vec::new();
    let is_print = is_print(text);
    for (index, line) in text.lines().enumerate() {
        if !is_print {
            lines.push(line.to_owned());
            continue;
        }
        let (call, container) = without_name(line);
        if let Some(container) = container.filter(|_| index > 0) {
            pasted.unread.push(Unread {
                line: index + 1,
                text: line.trim().to_owned(),
                reason: format!(
                    "how {container} uses its layers is not printed; they are taken one after the other"
                ),
            });
        }
        lines.push(call);
    }
    // Every line that cannot be read is taken out, until all others can.
    let translation = loop {
        let whole = lines.join("\n");
        match translate(&whole) {
            Ok(translation) => break translation,
            Err(error) => {
                let before = whole.get(..error.span.start).unwrap_or_default();
                let at = before
                    .matches('\n')
                    .count()
                    .min(lines.len().saturating_sub(1));
                let Some(line) = lines.get_mut(at).filter(|line| !line.trim().is_empty()) else {
                    break Translation::default();
                };
                pasted.unread.push(Unread {
                    line: at + 1,
                    text: std::mem::take(line).trim().to_owned(),
                    reason: error.message,
                });
            }
        }
    };
    pasted.unread.sort_by_key(|unread| unread.line);
    pasted.layers = translation.layers;
    pasted.notes = translation.notes;
    pasted
}

/// A line of a print without the name before its call, and empty where it opens or closes what holds others: the second is
/// the class of one that may do more than run them in turn.
fn without_name(line: &str) -> (String, Option<&str>) {
    let trimmed = line.trim();
    let named = trimmed
        .strip_prefix('(')
        .and_then(|rest| rest.split_once("): "));
    let call = named.map_or(trimmed, |(_, call)| call.trim());
    if call == ")" {
        return (String::new(), None);
    }
    let opened = call.strip_suffix('(').filter(|class| is_word(class));
    match opened {
        Some("Sequential" | "ModuleList") => (String::new(), None),
        Some(class) => (String::new(), Some(class)),
        // PyTorch prints these words without quotes.
        None if named.is_some() => (
            call.replace("padding=same", "padding='same'")
                .replace("padding=valid", "padding='valid'")
                .replace("mode=nearest", "mode='nearest'")
                .replace("mode=bilinear", "mode='bilinear'"),
            None,
        ),
        None => (line.to_owned(), None),
    }
}

fn is_word(text: &str) -> bool {
    !text.is_empty()
        && text
            .chars()
            .all(|c| c.is_alphanumeric() || c == '_' || c == '.')
}

/// Layers that are rows of a table.
fn of_rows(rows: &[Row]) -> Pasted {
    let mut pasted = Pasted::default();
    pasted.notes.push(
        "a summary prints neither windows nor activations of layers: windows are the plainest that fit its shapes, and \
         activations that are no rows of their own are missing"
            .to_owned(),
    );
    if rows.iter().any(|row| row.is_last) {
        let note = "its shapes have their channels last; layers here have them first";
        pasted.notes.push(note.to_owned());
    }
    let mut before: Option<Vec<u32>> = None;
    for row in rows {
        match summary::layers(row, &mut before, &mut pasted.input) {
            Ok(texts) => {
                for text in texts {
                    match text.parse() {
                        Ok(layer) => pasted.layers.push(layer),
                        Err(_) => pasted.unread.push(row.unread("it is no layer here")),
                    }
                }
            }
            Err(reason) => pasted.unread.push(row.unread(&reason)),
        }
        before = Some(row.output.clone());
    }
    pasted
}
