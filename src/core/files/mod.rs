//! Files, opened with care.
//!
//! What is read is a regular file (a pipe or a device may never end) and no larger than what it can be for. Paths
//! become text without losing a byte.

mod path_text;
mod read;

pub use path_text::{path_in, path_text};
pub use read::{BoundedLines, open_measured, open_regular, open_table, read_bounded, read_text};
