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
//! Rooms are crates, so that dependencies point one way: `core` ([`project`], [`shape`], [`rng`], [`mod@format`],
//! [`logging`]) ← [`nn`] ← [`cost`] ← [`design`]; [`nn`] and [`data`] ← [`inspect`] ← [`engine`] ← [`baselines`] ← [`compare`], [`sweep`] ← [`export`] ←
//! [`app`] ← [`gui`] and the terminal. One engine serves the window and the terminal: the window never touches a tensor,
//! the engine never draws. This crate holds the terminal and the measurements, and gives every room its short name.

pub mod bench;
pub mod cli;

pub use strata_app as app;
pub use strata_baselines as baselines;
pub use strata_compare as compare;
pub use strata_core::{atomic_write, format, logging, project, rng, shape, spoken, system_memory};
pub use strata_cost as cost;
pub use strata_data as data;
pub use strata_design as design;
pub use strata_engine as engine;
pub use strata_export as export;
pub use strata_gui as gui;
pub use strata_inspect as inspect;
pub use strata_nn as nn;
pub use strata_study as study;
pub use strata_sweep as sweep;
pub use strata_system_report as system_report;
