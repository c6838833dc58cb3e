//! What the unit tests and the test programs share: networks from texts, made-up files, the folders of tests.
//!
//! The test programs include this folder by its path, so it names the library as they do: `strata`.
// Each program uses some of it.
#![allow(dead_code, clippy::unwrap_used)]

pub mod files;
pub mod folders;
pub mod networks;
