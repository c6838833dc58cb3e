//! The engine on a thread of its own, as the window uses it.

use super::command::Command;
use super::event::Event;
use super::slot::Slots;
use crossbeam_channel::{Receiver, Sender};
use std::path::PathBuf;
use std::sync::Arc;

/// How a project is to be run, apart from what the project itself says.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RunOptions {
    /// The folder that relative paths of the project start at (the project file's folder).
    pub base: PathBuf,
    /// The run's folder; by default the next free `runs/TITLE-N` below `base`.
    pub run: Option<PathBuf>,
    /// `cpu`, `cuda:0`; by default CUDA where there is one, else the CPU.
    pub device: Option<String>,
    /// Overrides the epochs of every stage.
    pub epochs: Option<u32>,
    /// Trains this stage alone.
    pub stage: Option<String>,
    /// Goes on from the last checkpoint in `run`.
    pub resume: bool,
}

/// A run on its thread.
#[derive(Debug)]
pub struct Running {
    /// Requests; each takes effect at the next step.
    pub commands: Sender<Command>,
    /// Facts, in order; [`Event::Finished`] is the last.
    pub events: Receiver<Event>,
    /// The newest pictures.
    pub slots: Arc<Slots>,
}
