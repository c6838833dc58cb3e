//! What the tests of the window, the terminal and the engine share.

pub mod contrast;
pub mod random_stack;
pub mod round_trip;
pub mod runs;
pub mod terminal;
pub mod web;
pub mod window;
pub mod words;
pub mod written;

use std::time::Duration;

/// How long a test waits for something that takes seconds on a machine with other work to do.
pub const PATIENCE: Duration = Duration::from_secs(120);

/// Some of `all` seeds, spread over the whole range. The stride is odd, so that no pattern of two, four or eight
/// in the seeds is missed.
pub fn sample(all: u64, count: u64) -> impl Iterator<Item = u64> {
    (0..all).step_by(((all / count) | 1) as usize)
}
