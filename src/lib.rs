//! Strata: a workbench for convolutional networks.
//!
//! ```text
//! project.toml ──parse──▶ Project ──infer──▶ shapes ──▶ costs, checks, solutions, advice   (pure: no tensors, no threads)
//!                            │
//!                            ├──compile──▶ Network (parameters, forward, backward)
//!    files ──read──▶ Dataset ┤
//!                            ▼
//!                      Engine thread ──Event──▶ window | terminal | files
//!                            ▲                      │
//!                            └──────Command─────────┘
//!                      Inspect: (Network, images) ──▶ plain arrays ──▶ pictures and plots
//! ```
//!
//! Dependencies point one way: [`project`] ← [`shape`] ← [`cost`], [`design`] and [`nn`] ← [`inspect`] ← [`engine`] ←
//! window and terminal; [`data`] feeds [`engine`]; [`rng`], [`mod@format`] and [`logging`] are below all of them. One
//! engine serves the window and the terminal: the window never touches a tensor, the engine never draws.

// The kit of the tests names the library as the test programs do.
#[cfg(test)]
extern crate self as strata;

pub mod bench;
pub mod cli;
pub mod cost;
pub mod data;
pub mod design;
pub mod engine;
pub mod export;
pub mod format;
pub mod gui;
pub mod inspect;
pub mod logging;
pub mod nn;
pub mod project;
pub mod rng;
pub mod shape;
pub mod system_report;
#[cfg(test)]
mod testkit;
