//! A pasted text of which not all was understood, as the window shows it: line by line, with marks.

use strata_core::shape::foreign::pasted::Unread;

/// A pasted text with the lines that were left out.
#[derive(Clone, Debug, PartialEq)]
pub struct PastedText {
    /// All of it.
    pub text: String,
    /// What was left out, by line.
    pub unread: Vec<Unread>,
    /// How many layers were understood.
    pub layers: usize,
}
