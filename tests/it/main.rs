//! The tests that share one program: a module for each subject, and [`kit`] with what they have in common.
//!
//! Programs of their own are `heap`, which counts the memory of a whole process, `screenshots`, which makes the
//! pictures of the README, and `skipped`, which prints what was left out. What takes minutes is ignored:
//! `cargo test long_ -- --ignored` runs the long forms of the sampled tests, and
//! `cargo test pictures -- --ignored` writes pictures of the views.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // A test program as a whole.

mod kit;

mod advice;
mod archives;
mod arranged;
mod augmentation;
mod baselines;
mod by_hand;
mod by_keyboard;
mod changes;
mod checkpoints;
mod cli;
mod close_looks;
mod confusion;
mod cost;
mod curves;
mod data_view;
mod download;
mod engine;
mod every_inspection;
mod every_screen;
mod every_text;
mod explaining;
mod exports;
mod faults;
mod feature_maps;
mod following;
mod going_on;
mod gui;
mod import_cycles;
mod importing;
mod initial_weights;
mod inside_views;
mod inspections;
mod journeys;
mod kernels;
mod kernels_view;
mod known_networks;
mod layer_form;
mod layers;
mod legible;
mod lens;
mod live_control;
mod log;
mod looking_back;
mod neighbours;
mod old_run;
mod onnx_import;
mod own_data;
mod pictures;
mod pixel_errors;
mod predicting;
mod random_clicks;
mod random_networks;
mod readme;
mod receptive_fields;
mod remembered;
mod repairs;
mod replaying;
mod reported;
mod reported_mismatches;
mod runs_table;
mod saving;
mod settings;
mod shapes;
mod signals;
mod small_faults;
mod smallest_window;
mod solve;
mod solve_view;
mod sparse_builtin;
mod student_words;
mod studies;
mod sweep_view;
mod sweeps;
mod taps;
mod teaching;
mod time;
mod training_script;
mod updates;
mod views;
mod visualizing;
mod volumes;
mod whitening;
mod whole_texts;
