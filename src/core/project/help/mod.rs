//! What helps against a problem, as values: [`Help`] holds the repair itself, [`words`] puts it into a sentence.
//!
//! Whoever finds a problem says what mends it with the layer, attribute or setting itself, so that a button can do
//! it; only what no single edit can do is written as a sentence ([`Repair::Note`]).

mod attribute;
mod setting;
mod words;

use super::edit::Edit;
use super::layer::Activation;
use super::node::Node;
use super::size::Shape;
use super::{Place, Stack};
pub use attribute::Attribute;
pub use setting::{DataSetting, StageSetting};
pub use words::{Surface, sentence};

/// One way to mend a problem.
#[derive(Clone, Debug, PartialEq)]
pub struct Help {
    /// What mends it.
    pub repair: Box<Repair>,
    /// What the sentence ends with: `(or smaller)`, `, which needs no partner`.
    remark: String,
    /// Whether it is another way than the line before.
    is_alternative: bool,
}

/// What mends a problem. "The layer" is the one that the problem is about.
#[derive(Clone, Debug, PartialEq)]
pub enum Repair {
    /// A layer before the layer.
    Insert(Node),
    /// One attribute of the layer.
    Set(Attribute),
    /// Another layer in place of it.
    Write(Node),
    /// The same as several layers in place of it.
    Expand(Vec<Node>),
    /// A text of that kind, for who does not know how to write it.
    Example(Node),
    /// The layer's word, its arguments stay.
    Rename(&'static str, Misnomer),
    /// A part of the layer's text, that which its error is about.
    Spell {
        /// As it is written.
        wrong: String,
        /// As it should be.
        right: String,
        /// Whether others would do as well.
        is_example: bool,
    },
    /// The activation whose output is wanted there.
    Follow(Activation),
    /// The layer goes.
    Remove,
    /// The last activation of this kind in a stack goes.
    RemoveLast(Stack, Activation),
    /// Layers at the end of a stack.
    End(Stack, Vec<Node>),
    /// A layer at the end of a branch of the block.
    EndBranch(usize, Node),
    /// Edits at their own places.
    Steps(Vec<Step>),
    /// The decoder as the encoder's mirror.
    Mirror,
    /// A setting of the data.
    Data(DataSetting),
    /// A setting of the problem's stage.
    Stage(StageSetting),
    /// A lock is taken away.
    Unlock(String),
    /// What no edit does, for the terminal and for the window.
    Note {
        /// Names files, keys and commands.
        terminal: String,
        /// Names fields and buttons.
        window: String,
    },
}

/// Why a layer's word is not known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Misnomer {
    /// It is nearly the word.
    Misspelt,
    /// Other libraries call the layer so.
    Foreign,
    /// It is not in small letters.
    Capitals,
}

/// An edit at its own place.
#[derive(Clone, Debug, PartialEq)]
pub enum Step {
    /// A layer is put there.
    Insert(Place, Node),
    /// The layer there is replaced.
    Write(Place, Node),
    /// The layer there goes.
    Remove(Place),
    /// The network's input.
    Input(Shape),
}

impl Step {
    /// The edit of a project that it is.
    pub fn edit(&self) -> Edit {
        match self {
            Step::Insert(place, node) => Edit::Insert(place.clone(), node.clone()),
            Step::Write(place, node) => Edit::Replace(place.clone(), node.clone()),
            Step::Remove(place) => Edit::Remove(place.clone()),
            Step::Input(shape) => Edit::Input(shape.clone()),
        }
    }
}

impl From<Repair> for Help {
    fn from(repair: Repair) -> Help {
        Help {
            repair: Box::new(repair),
            remark: String::new(),
            is_alternative: false,
        }
    }
}

impl From<String> for Help {
    /// A sentence that is the same in the terminal and in the window.
    fn from(text: String) -> Help {
        Repair::Note {
            terminal: text.clone(),
            window: text,
        }
        .into()
    }
}

impl From<&str> for Help {
    fn from(text: &str) -> Help {
        text.to_owned().into()
    }
}

impl Help {
    /// A sentence that names commands in the terminal and buttons in the window.
    pub fn note(terminal: impl Into<String>, window: impl Into<String>) -> Help {
        Repair::Note {
            terminal: terminal.into(),
            window: window.into(),
        }
        .into()
    }

    /// A setting of the data, as a line of the file: `rate = 16000`.
    pub fn line(line: impl Into<String>) -> Help {
        Repair::Data(DataSetting::Line(line.into())).into()
    }

    /// A setting of the data goes.
    pub fn without(key: &'static str) -> Help {
        Repair::Data(DataSetting::Without(key)).into()
    }

    /// Another value of a setting of the data, in words: "a number from 1 to 9".
    pub fn value(key: &str, what: impl std::fmt::Display) -> Help {
        Help::note(
            format!("write {key} = N under [data], with {what}"),
            format!("set {key} to {what}"),
        )
    }

    /// A layer before the problem's layer, as text.
    pub fn insert(layer: &str) -> Help {
        Repair::Insert(Node::from_text(layer)).into()
    }

    /// Another layer in place of the problem's, as text.
    pub fn write(layer: &str) -> Help {
        Repair::Write(Node::from_text(layer)).into()
    }

    /// An example of what a part of the layer's text may be instead.
    pub fn spelled(wrong: &str, right: String) -> Help {
        Repair::Spell {
            wrong: wrong.to_owned(),
            right,
            is_example: true,
        }
        .into()
    }

    /// A layer of the kind that was meant, as text.
    pub fn example(layer: &str) -> Help {
        Repair::Example(Node::from_text(layer)).into()
    }

    /// Layers at the end of a stack, as texts.
    pub fn end(stack: Stack, layers: &[&str]) -> Help {
        let nodes = layers.iter().map(|layer| Node::from_text(layer)).collect();
        Repair::End(stack, nodes).into()
    }

    /// The same with an end to its sentence, with its comma or bracket.
    pub fn remark(self, remark: impl Into<String>) -> Help {
        Help {
            remark: remark.into(),
            ..self
        }
    }

    /// The same with no line before it.
    pub(crate) fn first(self) -> Help {
        Help {
            is_alternative: false,
            ..self
        }
    }

    /// The same as another way than the line before.
    pub fn or(self) -> Help {
        Help {
            is_alternative: true,
            ..self
        }
    }
}

#[cfg(test)]
mod tests;
