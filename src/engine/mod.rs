//! The engine: trains a project and tells what happens, without a window.
//!
//! [`run::run`] is a synchronous function from a project to a run folder; [`thread::start`] puts it
//! on a thread. Commands go in over one channel, events come out over another, and what is big
//! (reconstructions, filters) lies in latest-value [`slot`]s. Every failure is an
//! [`event::Outcome::Failed`] with one message; the process and its window live on.

pub mod checkpoint;
pub mod command;
pub mod event;
pub mod folder;
pub mod record;
pub mod slot;
pub mod table;
pub mod thread;
