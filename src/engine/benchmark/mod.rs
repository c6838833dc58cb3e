//! Measuring a project's training step: as a whole, layer by layer, and against what the machine can do at most.
//!
//! | file | what it does |
//! |---|---|
//! | `workload` | a project with random numbers for images, ready to be stepped |
//! | `work` | multiply-accumulates that a step really does |
//! | `roofs` | products and memory traffic that the machine reaches at most |
//! | `layer_times` | forward, backward and update of every layer, beside those roofs |

pub mod layer_times;
pub mod roofs;
pub mod work;
pub mod workload;

pub use layer_times::{LayerTime, LayerTimes};
pub use workload::Workload;

use strata_nn::NnError;

/// Why nothing was measured.
#[derive(Debug, thiserror::Error)]
pub enum BenchmarkError {
    /// The network could not be built or computed.
    #[error(transparent)]
    Network(#[from] NnError),
    /// A project has no network or stage to measure.
    #[error("{0}: there is nothing to measure: {1}")]
    Unsound(String, String),
    /// Times of a step that computes NaN mean nothing.
    #[error("{0} is not finite after {1} steps: its times would mean nothing")]
    NotFinite(String, u64),
    /// A run of this size would not fit.
    #[error("{0}")]
    TooLarge(String),
}

impl From<candle_core::Error> for BenchmarkError {
    fn from(error: candle_core::Error) -> BenchmarkError {
        BenchmarkError::Network(error.into())
    }
}
