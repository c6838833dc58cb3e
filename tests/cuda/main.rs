//! What a GPU computes beside what the CPU computes. One command runs all of it:
//!
//! ```text
//! cargo test --release --features cuda --config .cargo/cuda.toml --test cuda
//! ```
//!
//! Every test runs on a stand-in first: the CPU, with candle's operators and everything else that a GPU's run does. Then
//! it runs on `cuda:0`; where there is none, a line on standard error says so and why.
#![allow(clippy::unwrap_used, clippy::panic)] // A test program as a whole.

mod failures;
mod layers;
mod losses;
mod networks;
mod optimizers;
mod place;
#[allow(dead_code)]
#[path = "../it/kit/random_stack.rs"]
mod random_stack;
#[allow(dead_code)]
#[path = "../it/kit/runs.rs"]
mod runs;
mod trainings;
