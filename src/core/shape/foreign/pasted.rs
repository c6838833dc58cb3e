//! Networks as programs print them: `print(model)` of PyTorch, summaries of torchinfo and Keras, lines of a constructor.
//!
//! What is not understood is left out and said with its line. A summary holds shapes and numbers of parameters alone:
//! windows are worked out from them, the plainest that fits.

use super::summary;
use super::tables::{self, Table};
use super::{Translation, translate};
use crate::project::layer::Layer;
use crate::project::size::Shape;
use std::ops::Range;

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
    /// Its text, without the blanks around it.
    pub text: String,
    /// What is wrong with it.
    pub reason: String,
    /// The bytes of the text that are meant.
    pub marked: Range<usize>,
}

impl Unread {
    /// A line of which this part is wrong; all of it where the part does not stand in it.
    pub(super) fn of(line: usize, text: &str, part: &str, reason: &str) -> Unread {
        let text = text.trim();
        let marked = match text.find(part).filter(|_| !part.is_empty()) {
            Some(start) => start..start + part.len(),
            None => 0..text.len(),
        };
        Unread {
            line,
            text: text.to_owned(),
            reason: reason.to_owned(),
            marked,
        }
    }

    /// A line that stands below the text and points at what is meant.
    pub fn carets(&self) -> String {
        let letters = |part: Option<&str>| part.map_or(0, |part| part.chars().count());
        let before = letters(self.text.get(..self.marked.start));
        let count = letters(self.text.get(self.marked.clone())).max(1);
        format!("{}{}", " ".repeat(before), "^".repeat(count))
    }
}

/// Lines of a print that stand for so many, at most.
const MOST_LINES: usize = 20_000;

/// Whether a text is a network as a program prints it, not lines of code.
pub fn is_print(text: &str) -> bool {
    let is_named = |line: &str| line.trim().starts_with('(') && line.contains("): ");
    text.lines().any(is_named) || tables::read(text).is_some()
}

/// The text in lines: a field of one line has blanks where the lines of a print ended.
pub fn in_lines(text: &str) -> String {
    if text.trim().contains('\n') {
        return text.to_owned();
    }
    let mut lines = String::new();
    let mut rest = text.trim();
    while let Some((at, _)) = rest
        .match_indices(" (")
        .find(|(at, _)| begins_named(&rest[at + 1..]))
    {
        lines.push_str(rest[..at].trim_end());
        lines.push('\n');
        rest = &rest[at + 1..];
    }
    lines + rest
}

/// Whether a text begins with the name of a layer in a print: `(conv1): `.
fn begins_named(text: &str) -> bool {
    let named = text
        .strip_prefix('(')
        .and_then(|rest| rest.split_once("): "));
    let is_name = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '.');
    named.is_some_and(|(name, _)| !name.is_empty() && name.chars().all(is_name))
}

/// Reads all that is understood of a printed network.
pub fn paste(text: &str) -> Pasted {
    match tables::read(text) {
        None => of_calls(text),
        Some(table) => of_table(table),
    }
}

/// Layers that are calls, one after the other.
fn of_calls(text: &str) -> Pasted {
    let mut pasted = Pasted::default();
    let written: Vec<&str> = text.lines().collect();
    // Each call with the place of its line.
    let mut calls: Vec<(usize, String)> = match is_print(text) {
        true => of_print(&written, &mut pasted.unread),
        false => written
            .iter()
            .enumerate()
            .map(|(place, line)| (place, (*line).to_owned()))
            .collect(),
    };
    // Every line that cannot be read is taken out, until all others can.
    let translation = loop {
        let lines: Vec<&str> = calls.iter().map(|(_, call)| call.as_str()).collect();
        let whole = lines.join("\n");
        match translate(&whole) {
            Ok(translation) => break translation,
            Err(error) => {
                let before = whole.get(..error.span.start).unwrap_or_default();
                let at = before
                    .matches('\n')
                    .count()
                    .min(calls.len().saturating_sub(1));
                let Some((place, _)) = calls.get(at).filter(|(_, call)| !call.trim().is_empty())
                else {
                    break Translation::default();
                };
                let place = *place;
                let part = whole.get(error.span.clone()).unwrap_or_default();
                let part = part.lines().next().unwrap_or_default();
                pasted
                    .unread
                    .push(Unread::of(place + 1, written[place], part, &error.message));
                // Of a line that stands for several, all of them.
                let of_line = calls.iter_mut().filter(|(line, _)| *line == place);
                of_line.for_each(|(_, call)| call.clear());
            }
        }
    };
    pasted.unread.sort_by_key(|unread| unread.line);
    pasted.layers = translation.layers;
    pasted.notes = translation.notes;
    pasted
}

/// The calls of a print, each with the place of its line: `(0-2): 3 x Block(` stands for three of what it holds.
fn of_print(written: &[&str], unread: &mut Vec<Unread>) -> Vec<(usize, String)> {
    let mut calls: Vec<(usize, String)> = Vec::new();
    // What is open: where its first call is, how often it is there, how far in its line begins.
    let mut open: Vec<(usize, usize, usize)> = Vec::new();
    for (place, line) in written.iter().enumerate() {
        let indent = line.len() - line.trim_start().len();
        if line.trim() == ")" {
            // A line that was lost leaves what it would have closed open.
            while let Some((first, times, _)) = open.pop_if(|(.., of)| *of >= indent) {
                let inside: Vec<(usize, String)> = calls[first..].to_vec();
                let room = MOST_LINES.saturating_sub(calls.len()) / inside.len().max(1);
                for _ in 1..times.min(room + 1) {
                    calls.extend(inside.iter().cloned());
                }
            }
            continue;
        }
        let (times, call, container) = without_name(line);
        if call.is_none() {
            open.push((calls.len(), times, indent));
        }
        if let Some(container) = container.filter(|_| place > 0) {
            let reason = format!(
                "how {container} uses its layers is not printed; they are taken one after the other"
            );
            unread.push(Unread::of(place + 1, line, container, &reason));
        }
        // What opens others is repeated with them, when it is closed.
        if let Some(call) = call {
            let times = times.min(MOST_LINES.saturating_sub(calls.len()));
            calls.extend(std::iter::repeat_n((place, call), times));
        }
    }
    calls
}

/// A line of a print without the name before its call: how often it is there, the call, where it opens nothing, and the
/// class of what may do more than run its layers in turn.
fn without_name(line: &str) -> (usize, Option<String>, Option<&str>) {
    let trimmed = line.trim();
    let named = trimmed
        .strip_prefix('(')
        .and_then(|rest| rest.split_once("): "));
    let call = named.map_or(trimmed, |(_, call)| call.trim());
    let several = call.split_once(" x ").and_then(|(count, call)| {
        let count = count.parse::<usize>().ok().filter(|count| *count > 0);
        count.map(|count| (count, call))
    });
    let (times, call) = several.unwrap_or((1, call));
    let opened = call.strip_suffix('(').filter(|class| is_word(class));
    match opened {
        Some("Sequential" | "ModuleList" | "ModuleDict") => (times, None, None),
        Some(class) => (times, None, Some(class)),
        // PyTorch prints these words without quotes.
        None if named.is_some() => {
            let call = call
                .replace("padding=same", "padding='same'")
                .replace("padding=valid", "padding='valid'")
                .replace("mode=nearest", "mode='nearest'")
                .replace("mode=bilinear", "mode='bilinear'");
            (times, Some(call), None)
        }
        None => (1, Some(line.to_owned()), None),
    }
}

fn is_word(text: &str) -> bool {
    !text.is_empty()
        && text
            .chars()
            .all(|c| c.is_alphanumeric() || c == '_' || c == '.')
}

/// Layers that are rows of a table.
fn of_table(table: Table) -> Pasted {
    let mut pasted = Pasted {
        unread: table.unread,
        ..Pasted::default()
    };
    pasted.notes.push(
        "a summary prints neither windows nor activations of layers: windows are the plainest that fit its shapes, and \
         activations that are no rows of their own are missing"
            .to_owned(),
    );
    pasted.notes.extend(table.note.map(str::to_owned));
    if table.rows.iter().any(|row| row.is_last) {
        let note = "its shapes have their channels last; layers here have them first";
        pasted.notes.push(note.to_owned());
    }
    let mut before: Option<Vec<u32>> = None;
    for row in &table.rows {
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
    pasted.unread.sort_by_key(|unread| unread.line);
    pasted
}
