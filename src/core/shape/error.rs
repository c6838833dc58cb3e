//! Why a layer is impossible, and what would help.

use crate::project::layer_text::LayerTextError;
use std::ops::Range;

/// What is wrong with a layer or block, in words a student knows.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct ShapeError {
    /// One sentence with the numbers of this case.
    pub message: String,
    /// What to write instead, best first; each line stands alone.
    pub help: Vec<String>,
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

    /// The same error with one more line of help.
    pub fn help(mut self, line: impl Into<String>) -> ShapeError {
        self.help.push(line.into());
        self
    }

    /// The same error with a line of help where there is one.
    pub(crate) fn maybe_help(self, line: Option<String>) -> ShapeError {
        match line {
            Some(line) => self.help(line),
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
