//! Weights or a network of another program on their way into a run or a project.

use super::wake::Wake;
use crossbeam_channel::Receiver;
use std::path::PathBuf;
use strata_engine::storage::import::Imported;

/// What is being made on its own thread: where its result comes, and what wakes the window then.
#[derive(Default)]
pub struct ImportTask(pub(super) Option<(Receiver<Result<MadeOf, String>>, Wake)>);

/// What was made of a file.
pub(super) enum MadeOf {
    /// A run, of weights.
    Weights(Imported),
    /// A project, of a network: its file, and what is worth knowing of how it was read.
    Network(PathBuf, Vec<String>),
}
