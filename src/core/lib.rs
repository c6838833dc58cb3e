//! What every room builds on: the project file as values, shape inference, numbers as text, random streams, files
//! replaced in one step, the log.

pub mod atomic_write;
pub mod base64;
pub mod files;
pub mod format;
pub mod logging;
pub mod project;
pub mod rng;
pub mod run_buffers;
pub mod shape;
pub mod signals;
pub mod spoken;
pub mod symmetric_eigen;
pub mod system_memory;

// The kit of the tests names this crate as all others do.
#[cfg(test)]
extern crate self as strata_core;
// Other rooms use the rest of it.
#[cfg(test)]
#[allow(dead_code)]
#[path = "../testkit/networks.rs"]
mod networks;
