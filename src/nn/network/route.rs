//! How a batch passes: through which stacks, and whether as in training.

use strata_core::project::Stack;
use strata_core::project::stage::Task;

/// Which stacks a batch runs through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Route {
    /// Encoder, decoder.
    Reconstruct,
    /// Encoder, head.
    Classify,
}

impl Route {
    /// The stack after the encoder.
    pub fn second(self) -> Stack {
        match self {
            Route::Reconstruct => Stack::Decoder,
            Route::Classify => Stack::Head,
        }
    }
}

impl From<Task> for Route {
    fn from(task: Task) -> Route {
        match task {
            Task::Reconstruct => Route::Reconstruct,
            Task::Classify => Route::Classify,
        }
    }
}

/// Whether layers behave as in training.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Running statistics, no dropout, no noise.
    Eval,
    /// Batch statistics, dropout and noise drawn for this step from this seed.
    Train {
        /// The project's seed.
        seed: u64,
        /// The step over the whole run.
        step: u64,
    },
}
