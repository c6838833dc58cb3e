//! Lines of PyTorch and Keras as layers: `nn.Conv2d(3, 32, 3, padding=1)`, `Conv2D(32, 3, activation="relu")`.
//!
//! [`translate`] reads what a person would paste: one call or a whole `Sequential`, with assignments, commas and
//! comments around it. An argument that layers cannot express is refused by its name; what is left out because it
//! is written elsewhere here (the input's shape) is mentioned in a note.

mod arguments;
mod functional;
mod keras;
pub mod pasted;
mod python;
mod pytorch;
mod summary;
mod tables;

use crate::project::help::{Help, Repair};
use crate::project::layer::Layer;
use crate::project::layer_text::LayerTextError;
use crate::project::node::Node;
use crate::project::size::Margins;
use arguments::Arguments;
use python::{Call, Term, Value};

/// The layers that lines of another library describe.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Translation {
    /// In the order they are written.
    pub layers: Vec<Layer>,
    /// What of the lines is set elsewhere here, or is not quite the same.
    pub notes: Vec<String>,
}

/// Which library a line is written for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Library {
    PyTorch,
    Keras,
}

/// How the call of one class is read.
struct Reading {
    /// The class, as it is written.
    names: &'static [&'static str],
    /// Its arguments in the order they are given without names.
    signature: &'static [&'static str],
    /// Adds its layers.
    read: fn(&mut Arguments<'_>, &mut Translation) -> Read,
}

type Read = Result<(), LayerTextError>;

const fn class(
    names: &'static [&'static str],
    signature: &'static [&'static str],
    read: fn(&mut Arguments<'_>, &mut Translation) -> Read,
) -> Reading {
    Reading {
        names,
        signature,
        read,
    }
}

/// True where a text is a call, which no text of a layer is.
pub fn is_call(text: &str) -> bool {
    text.contains('(')
}

/// The layers of one or more lines.
pub fn translate(text: &str) -> Result<Translation, LayerTextError> {
    let mut translation = Translation::default();
    for statement in python::parse(text)? {
        term(&statement, &mut translation)?;
    }
    Ok(translation)
}

/// Why a pasted line is not a layer's text, with the layers that it means.
pub(crate) fn refusal(text: &str) -> LayerTextError {
    let whole = 0..text.len();
    match translate(text) {
        Err(error) => error,
        Ok(translation) if translation.layers.is_empty() => LayerTextError {
            message: "these lines of another library hold no layer".into(),
            help: Help::from(remark(&translation.notes).unwrap_or_else(|| "remove them".into())),
            span: whole,
        },
        Ok(translation) => {
            let nodes = translation.layers.into_iter().map(Node::Layer);
            let help = Help::from(Repair::Expand(nodes.collect()));
            let remark = remark(&translation.notes).map(|notes| format!(" ({notes})"));
            LayerTextError {
                message: "this is a line of another library".into(),
                help: help.remark(remark.unwrap_or_default()),
                span: whole,
            }
        }
    }
}

fn remark(notes: &[String]) -> Option<String> {
    (!notes.is_empty()).then(|| notes.join("; "))
}

/// An expression in the place of a layer.
fn term(term: &Term, translation: &mut Translation) -> Result<(), LayerTextError> {
    match &term.value {
        Value::Call(call) => one_call(call, translation),
        Value::Applied(call, inputs) => applied(call, inputs, translation),
        Value::List(terms) => match terms.as_slice() {
            // A pair of a name and a layer, as in an OrderedDict.
            [name, layer] if matches!(name.value, Value::Text(_)) => self::term(layer, translation),
            terms => terms
                .iter()
                .try_for_each(|each| self::term(each, translation)),
        },
        _ => Err(term.error(
            "this is no layer",
            "paste the call of a layer, such as nn.ReLU()",
        )),
    }
}

/// `Conv2D(8, 3)(x)`: the layers of its input, where that is a call, then its own.
fn applied(
    call: &Call,
    inputs: &[Term],
    translation: &mut Translation,
) -> Result<(), LayerTextError> {
    let mut own = Translation::default();
    one_call(call, &mut own)?;
    for input in inputs.iter().filter(|input| !input.is_name()) {
        term(input, translation)?;
    }
    translation.layers.extend(own.layers);
    translation.notes.extend(own.notes);
    Ok(())
}

/// Whether a path names a part of a library, not a value.
fn is_module(path: &str) -> bool {
    let last = path.rsplit('.').next().unwrap_or(path);
    matches!(
        last,
        "torch" | "nn" | "F" | "functional" | "tf" | "keras" | "layers"
    )
}

fn one_call(call: &Call, translation: &mut Translation) -> Result<(), LayerTextError> {
    let (path, class) = call.name.rsplit_once('.').unwrap_or(("", &call.name));
    match class {
        "Sequential" | "OrderedDict" | "ModuleList" => {
            return call
                .arguments
                .iter()
                .try_for_each(|argument| term(&argument.term, translation));
        }
        "add" if !path.is_empty() && !is_module(path) => {
            return call
                .arguments
                .iter()
                .try_for_each(|argument| term(&argument.term, translation));
        }
        _ => {}
    }
    if let Some(function) = functional::find(path, class) {
        return functional::read(&function, call, translation);
    }
    if let Some(view) = functional::view(path, class, call) {
        return view.and_then(|()| translation.add("flatten".into()));
    }
    let readings = [Library::PyTorch, Library::Keras]
        .into_iter()
        .filter(|library| fits(*library, path))
        .filter_map(|library| {
            table(library)
                .iter()
                .find(|reading| reading.names.contains(&class))
        })
        .collect::<Vec<_>>();
    match readings.as_slice() {
        [] => Err(unknown(call, class)),
        [one] => read(one, call, translation),
        several => agreeing(several, call, translation),
    }
}

fn table(library: Library) -> &'static [Reading] {
    match library {
        Library::PyTorch => pytorch::READINGS,
        Library::Keras => keras::READINGS,
    }
}

/// Whether the path before a class (`nn`, `tf.keras.layers`) is a module of the library.
fn fits(library: Library, path: &str) -> bool {
    let is_keras = path
        .split('.')
        .any(|part| matches!(part, "tf" | "keras" | "layers"));
    let is_pytorch = path.split('.').any(|part| matches!(part, "torch" | "nn"));
    match library {
        Library::PyTorch => !is_keras,
        Library::Keras => !is_pytorch,
    }
}

fn read(
    reading: &Reading,
    call: &Call,
    translation: &mut Translation,
) -> Result<(), LayerTextError> {
    let mut arguments = Arguments::bind(call, reading.signature)?;
    (reading.read)(&mut arguments, translation).map_err(|error| placed(error, call))?;
    arguments.finish()
}

/// An error of the layer's own text is about the whole call.
fn placed(error: LayerTextError, call: &Call) -> LayerTextError {
    match error.span.is_empty() {
        true => LayerTextError {
            span: call.span.clone(),
            ..error
        },
        false => error,
    }
}

impl Translation {
    /// One more layer, as its text.
    fn add(&mut self, text: String) -> Result<(), LayerTextError> {
        let layer = text
            .parse()
            .map_err(|error: LayerTextError| LayerTextError {
                message: format!("that is `{text}`: {}", error.message),
                span: 0..0,
                ..error
            })?;
        self.layers.push(layer);
        Ok(())
    }

    /// Something to know, said once.
    fn note(&mut self, note: &str) {
        if self.notes.iter().all(|said| said != note) {
            self.notes.push(note.to_owned());
        }
    }
}

/// Margins before and after, axis by axis; one where all axes have the same.
fn margins(sides: &[(u32, u32)]) -> String {
    let all_equal = sides.iter().all(|side| Some(side) == sides.first());
    let shown = if all_equal {
        &sides[..sides.len().min(1)]
    } else {
        sides
    };
    Margins::each(shown).to_string()
}

/// A class that both libraries have, without a module before it: they have to mean the same.
fn agreeing(
    readings: &[&Reading],
    call: &Call,
    translation: &mut Translation,
) -> Result<(), LayerTextError> {
    let read_alone = |reading: &&Reading| {
        let mut alone = Translation::default();
        read(reading, call, &mut alone).map(|()| alone)
    };
    let results: Vec<Result<Translation, LayerTextError>> =
        readings.iter().map(read_alone).collect();
    let mut meanings: Vec<Translation> = results.iter().flatten().cloned().collect();
    meanings.dedup_by(|a, b| a.layers == b.layers);
    match (
        meanings.as_slice(),
        results.into_iter().find_map(Result::err),
    ) {
        ([one], _) => {
            translation.layers.extend(one.layers.iter().cloned());
            translation.notes.extend(one.notes.iter().cloned());
            Ok(())
        }
        ([], Some(error)) => Err(error),
        _ => Err(call.error(
            format!("PyTorch and Keras mean different things by `{}`", call.name),
            format!("write nn.{0} or layers.{0}", call.name),
        )),
    }
}

fn unknown(call: &Call, class: &str) -> LayerTextError {
    let lower = class.to_lowercase();
    if let Some(help) = crate::shape::layers::instead(&lower) {
        return call.error(format!("there is no layer like `{}`", call.name), help);
    }
    let help = match call.name.starts_with("self.") {
        true => "paste the line that defines it",
        false => "write the layer as text: strata's own words are in the list that + opens",
    };
    call.error(
        format!("`{}` is no layer that is known here", call.name),
        help,
    )
}

#[cfg(test)]
mod prints;
#[cfg(test)]
mod tests;
