//! What can be asked of a run in progress.

/// A request to the engine; each takes effect at the next step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Command {
    /// Wait after the current step.
    Pause,
    /// Go on.
    Resume,
    /// Take one step, then wait.
    Step,
    /// Publish previews and replies again, though the run is paused: something was asked for.
    RefreshInspections,
    /// Save a checkpoint and end the run.
    Stop,
}
