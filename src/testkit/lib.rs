//! What the unit tests and the test programs have in common: networks from texts, made-up files, the folders of tests.
#![allow(clippy::unwrap_used)] // Only tests use it.

pub mod examples;
pub mod files;
pub mod folders;
pub mod networks;
