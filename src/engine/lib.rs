//! The engine: trains a project and reports what happens, without a window.
//!
//! [`run::run`] is a synchronous function from a project to a run folder; [`thread::start`] puts it
//! on a thread. Commands go in over one channel, events come out over another, and what is big
//! (reconstructions, filters) is published in [`inspection::live::LiveResults`]. Every failure is an
//! [`event::Outcome::Failed`] with one message; the process and its window live on.

pub mod benchmark;
pub mod command;
pub mod download_task;
pub mod error;
pub mod event;
pub mod follow;
pub mod gpu_failure;
pub mod inspection;
pub mod machine_benchmark;
pub mod predict;
pub mod replay;
pub mod run;
pub mod slot;
pub mod storage;
pub mod thread;
pub mod unpack_task;

pub use run::compatibility::problem_of_images;
pub use run::prepare::image_counts;
