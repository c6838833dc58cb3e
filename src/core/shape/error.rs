//! Why a layer is impossible, and what would help.

use crate::project::help::Help;
use crate::project::layer_text::LayerTextError;
use std::ops::Range;

/// What is wrong with a layer or block, in words a student knows.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("{message}")]
pub struct ShapeError {
    /// One sentence with the numbers of this case.
    pub message: String,
    /// What mends it, best first.
    pub help: Vec<Help>,
    /// The bytes of the layer's text it is about, for a layer whose text cannot be read.
    pub span: Option<Range<usize>>,
}

impl ShapeError {
    /// An error without help yet.
    pub fn new(message: impl Into<String>) -> ShapeError {
        ShapeError {
            message: message.into(),
            help: Vec::new(),
            span: None,
        }
    }

    /// The same error with one more way to mend it.
    pub fn help(mut self, help: impl Into<Help>) -> ShapeError {
        let help = help.into();
        let is_first = self.help.is_empty();
        self.help.push(if is_first { help.first() } else { help });
        self
    }

    /// The same error with a way to mend it where there is one.
    pub(crate) fn maybe_help(self, help: Option<Help>) -> ShapeError {
        match help {
            Some(help) => self.help(help),
            None => self,
        }
    }
}

impl From<&LayerTextError> for ShapeError {
    fn from(error: &LayerTextError) -> ShapeError {
        let span = Some(error.span.clone());
        ShapeError {
            message: error.message.clone(),
            help: vec![error.help.clone()],
            span,
        }
    }
}

/// `3×5`, for messages.
pub fn times<T: ToString>(sizes: &[T]) -> String {
    sizes.iter().map(T::to_string).collect::<Vec<_>>().join("×")
}
