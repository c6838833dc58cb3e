//! Baselines: classifiers that are no networks, fitted to the same images as a network or to what a layer gives for
//! them, so that it is seen what the network adds.
//!
//! | module | what it does |
//! |---|---|
//! | `model` | the models, what each is fitted with, fitting and predicting |
//! | `linear` | multinomial logistic regression and the linear support vector machine, by L-BFGS |
//! | `trees` | random forest and gradient-boosted trees on binned values |
//! | `nearest` | the k nearest neighbours, by `strata_inspect::neighbours` |
//! | `samples` | the rows of a split: pixels, or the features of a layer of a run |
//! | `score` | accuracy, log loss, confusion |
//! | `record`, `work` | what a baseline leaves in its folder; making one, with progress and cancelling |
//! | `task` | the same on a thread of its own |
//!
//! Equal inputs and an equal seed give equal results to the last bit, whatever the number of threads: sums are made in
//! blocks of fixed sizes, and every tree draws from a stream of its own.

mod error;
mod linear;
pub mod model;
mod nearest;
pub mod record;
pub mod samples;
pub mod score;
pub mod task;
#[cfg(test)]
mod tests;
mod trees;
pub mod work;

pub use error::BaselineError;
pub use model::Model;
