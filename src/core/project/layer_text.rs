//! What a layer's text is when it cannot be read. Reading and writing is in [`crate::shape::layers`].

use super::help::Help;
use std::ops::Range;

/// Why a layer's text could not be read, and where in the line.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("{message}")]
pub struct LayerTextError {
    /// What is wrong.
    pub message: String,
    /// What to write instead.
    pub help: Help,
    /// The bytes of the text it is about.
    pub span: Range<usize>,
}
