//! `strata check --paste FILE`: lines of PyTorch or Keras as the layers of a project file, as the window's layer field
//! reads them.

use crate::cli::{WrongInput, output};
use serde_json::json;
use std::io::Read;
use std::path::Path;
use strata_core::files;
use strata_core::project::layer_text::LayerTextError;
use strata_core::project::node::Node;
use strata_core::shape::foreign::pasted::{Pasted, Unread, is_print, paste};
use strata_core::shape::foreign::{Translation, is_call, translate};

/// No lines that a person would paste are longer.
const MOST_BYTES: u64 = 1 << 20;

/// Prints the layers of the lines in this file, `-` for standard input, as TOML or as JSON.
pub fn run(file: &Path, as_json: bool) -> anyhow::Result<()> {
    let is_input = file == Path::new("-");
    let name = match is_input {
        true => "standard input".to_owned(),
        false => file.display().to_string(),
    };
    let read = match is_input {
        true => read_input(),
        false => files::read_text(file, MOST_BYTES),
    };
    let text = read.map_err(|reason| WrongInput(format!("cannot read {name}: {reason}")))?;
    if !is_call(&text) {
        let message = format!(
            "{name} holds no line of PyTorch or Keras, such as nn.Conv2d(3, 32, 3, padding=1)"
        );
        return Err(WrongInput(message).into());
    }
    let (translation, unread) = match translate(&text) {
        Err(_) if is_print(&text) => without_unread(paste(&text)),
        read => {
            let read = read.map_err(|error| WrongInput(described(&name, &text, &error)))?;
            (read, Vec::new())
        }
    };
    match as_json {
        true => output::print_json(&json!({
            "layers": translation.layers.iter().map(ToString::to_string).collect::<Vec<_>>(),
            "notes": translation.notes,
            "unread": unread.iter().map(|unread| json!({
                "line": unread.line,
                "text": unread.text,
                "marked": unread.text.get(unread.marked.clone()),
                "reason": unread.reason,
            })).collect::<Vec<_>>(),
        })),
        false => output::print(&as_toml(&translation)),
    }
}

/// What was understood of a print; the rest is told with its line.
fn without_unread(pasted: Pasted) -> (Translation, Vec<Unread>) {
    for unread in &pasted.unread {
        output::say(&format!(
            "line {} was left out: {}\n  {}\n  {}",
            unread.line,
            unread.reason,
            unread.text,
            unread.carets()
        ));
    }
    let translation = Translation {
        layers: pasted.layers,
        notes: pasted.notes,
    };
    (translation, pasted.unread)
}

pub(crate) fn read_input() -> std::io::Result<String> {
    let mut text = String::new();
    std::io::stdin()
        .take(MOST_BYTES)
        .read_to_string(&mut text)
        .map(|_| text)
}

/// A stack, one layer a line; what lies elsewhere in a project stands above it as comments.
fn as_toml(translation: &Translation) -> String {
    let mut lines: Vec<String> = translation
        .notes
        .iter()
        .map(|note| format!("# {note}"))
        .collect();
    lines.push("encoder = [".to_owned());
    let layers = translation.layers.iter().cloned().map(Node::Layer);
    lines.extend(layers.map(|layer| format!("    {},", layer.to_toml())));
    lines.push("]".to_owned());
    lines.join("\n")
}

/// The message with its line, the line itself, and what to write instead.
fn described(name: &str, text: &str, error: &LayerTextError) -> String {
    let start = error.span.start.min(text.len());
    let before = text.get(..start).unwrap_or_default();
    let number = before.matches('\n').count() + 1;
    let line = text.lines().nth(number - 1).unwrap_or_default().trim();
    let LayerTextError { message, help, .. } = error;
    format!("{name}, line {number}: {message}\n  {line}\n  help: {help}")
}
