//! Weights of another program on their way into a run of the project.

use super::wake::Wake;
use crossbeam_channel::Receiver;
use strata_engine::storage::import::Imported;

/// A run that is being made on its own thread: where its result comes, and what wakes the window then.
#[derive(Default)]
pub struct ImportTask(pub(super) Option<(Receiver<Result<Imported, String>>, Wake)>);
