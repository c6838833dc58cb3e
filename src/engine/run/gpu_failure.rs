//! What a GPU that failed means for a run.

use super::session::Session;
use crate::error::RunError;
use crate::gpu_failure::{FailedStage, GpuFailure};
use strata_cost::{device_memory, largest_device_batch};
use strata_nn::device::fault::{DeviceFault, first_line};

/// The error of a run that had no step yet.
pub(super) fn at_start(error: RunError) -> RunError {
    match (error.device_fault(), &error) {
        (Some(fault), RunError::Network(_) | RunError::Tensor(_)) => {
            RunError::Gpu(Box::new(GpuFailure {
                fault,
                stage: None,
                step: None,
                needed: None,
                free: None,
                smaller_batch: None,
                words: first_line(&error),
                is_kept: false,
            }))
        }
        _ => error,
    }
}

/// The error of a run in its stage, with what the stage needs by the estimate.
pub(super) fn while_training(error: RunError, session: &Session<'_>) -> RunError {
    let Some(fault) = error.device_fault() else {
        return error;
    };
    let index = session.position.stage;
    let stage = session.project.stages.get(index);
    let plan = session.inference.plan.as_ref();
    let needed = plan
        .zip(stage)
        .and_then(|(plan, stage)| device_memory(plan, stage, stage.batch));
    // What does not fit by experience fits by the estimate: less than that, and than half of the batch.
    let fits = plan
        .zip(stage)
        .zip(session.free_on_device)
        .and_then(|((plan, stage), free)| largest_device_batch(plan, stage, free));
    let half = stage.map(|stage| stage.batch / 2).filter(|half| *half > 0);
    RunError::Gpu(Box::new(GpuFailure {
        fault,
        stage: stage.map(|stage| FailedStage::new(index, stage)),
        step: Some(session.position.step + 1),
        needed: needed.filter(|_| fault == DeviceFault::OutOfMemory),
        free: session.free_on_device,
        smaller_batch: half.map(|half| fits.map_or(half, |fits| fits.min(half))),
        words: first_line(&error),
        is_kept: session.folder.checkpoint("last").is_file(),
    }))
}
