//! Measuring: what a training step costs in time, arithmetic and memory.
//!
//! A [`cases::Case`] is a small project with random numbers for images. It is compiled and stepped by
//! what trains every other project ([`workload::Workload`]), so that what is measured is what runs.
//! Nothing is read from files; what fails is a device, memory, or a loss that is no number. Only
//! [`pipeline`] reads images, from a folder that it fills itself.

pub mod cases;
pub mod measure;
pub mod peak;
pub mod pipeline;
pub mod scaling;
pub mod window;

pub use cases::Case;
pub use measure::{Measurement, measure};
pub use strata_engine::benchmark::{Workload, work, workload};

use candle_core::Device;
use std::io;
use std::path::PathBuf;
use strata_core::project::ProjectError;
use strata_data::DataError;
use strata_engine::benchmark::BenchmarkError;
use strata_engine::error::RunError;

/// Why a case could not be measured.
#[derive(Debug, thiserror::Error)]
pub enum BenchError {
    /// A step could not be taken.
    #[error(transparent)]
    Step(#[from] BenchmarkError),
    /// A case's project cannot be read.
    #[error(transparent)]
    Project(#[from] ProjectError),
    /// A case's project has no network or stage to measure.
    #[error("{0}: there is nothing to measure: {1}")]
    Unsound(String, String),
    /// The system has no threads left.
    #[error("cannot start {0} threads: {1}")]
    Threads(usize, String),
    /// The images cannot be read, or not be handed to the network.
    #[error(transparent)]
    Images(Box<RunError>),
    /// The pictures to measure with cannot be written.
    #[error(
        "{0}: pictures to measure with cannot be written ({1}): choose another folder with --data, or free space"
    )]
    Pictures(PathBuf, io::Error),
}

impl From<DataError> for BenchError {
    fn from(error: DataError) -> BenchError {
        RunError::from(error).into()
    }
}

impl From<RunError> for BenchError {
    fn from(error: RunError) -> BenchError {
        BenchError::Images(Box::new(error))
    }
}

impl From<candle_core::Error> for BenchError {
    fn from(error: candle_core::Error) -> BenchError {
        BenchError::Step(error.into())
    }
}

/// The workload of a case.
pub fn of_case(case: &Case, device: &Device) -> Result<Workload, BenchError> {
    let project = case.project()?;
    let batch = case
        .inference
        .or_else(|| Some(project.stages.first()?.batch as usize))
        .unwrap_or(1);
    let pass = if case.inference.is_some() {
        work::Pass::Inference
    } else {
        work::Pass::Training
    };
    Ok(Workload::new(case.name, &project, batch, pass, device)?)
}

/// Runs something on a pool of this many threads, which all parallel work inside it uses. The threads have ended when
/// it returns: scratch memory that one still held would be counted as memory of what is measured next.
pub fn on_threads<T: Send>(
    threads: usize,
    work: impl FnOnce() -> T + Send,
) -> Result<T, BenchError> {
    let mut started = Vec::new();
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(threads)
        .spawn_handler(|thread| {
            started.push(std::thread::Builder::new().spawn(|| thread.run())?);
            Ok(())
        })
        .build();
    let pool = pool.map_err(|error| BenchError::Threads(threads, error.to_string()))?;
    let done = pool.install(work);
    drop(pool);
    for thread in started {
        // What a thread of the pool panics with has been thrown by `install` before.
        let _ = thread.join();
    }
    Ok(done)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn threads_are_as_many_as_asked_for() {
        for threads in [1, 3] {
            assert_eq!(
                on_threads(threads, rayon::current_num_threads).unwrap(),
                threads
            );
        }
    }
}
