//! The engine: trains a project and tells what happens, without a window.
//!
//! [`run::run`] is a synchronous function from a project to a run folder; [`thread::start`] puts it
//! on a thread. Commands go in over one channel, events come out over another, and what is big
//! (reconstructions, filters) is published in [`inspection::live::LiveResults`]. Every failure is an
//! [`event::Outcome::Failed`] with one message; the process and its window live on.

pub(crate) mod batch;
mod calm;
pub mod checkpoint;
mod clock;
pub mod command;
mod control;
mod early_stop;
pub mod error;
pub mod evaluate;
pub mod event;
pub mod fetch;
pub(crate) mod finite;
mod fit;
pub mod folder;
pub mod goals;
pub mod inspection;
pub mod memory;
mod prepare;
pub mod record;
mod resume;
pub mod run;
pub mod saved;
mod session;
pub mod slot;
pub mod speed;
pub(crate) mod stage;
mod step;
pub mod table;
mod tensor_file;
pub mod thread;
