//! Whether a run fits into memory, asked before anything large is allocated: an allocation that fails ends the
//! process, and no message could be given then.

use crate::error::RunError;
use strata_core::project::Project;
use strata_core::run_buffers::MOST_LOADERS;
use strata_core::shape::Inference;
use strata_core::system_memory;
use strata_cost::{Machine, StepMemory, run_memory};
use strata_nn::ops::simd::{Level, Vectors};

const MIB: u64 = 1 << 20;

/// This machine, as far as memory depends on it.
pub fn machine() -> Machine {
    let (threads, lanes) = (rayon::current_num_threads(), f32::width(Level::chosen()));
    Machine {
        threads: threads as u64,
        lanes: lanes as u64,
        loaders: usual_loaders() as u64,
    }
}

/// Threads that make batches ahead, unless a run is started with another number.
pub(crate) fn usual_loaders() -> usize {
    std::thread::available_parallelism()
        .map_or(1, usize::from)
        .min(MOST_LOADERS)
}

/// Refuses a project whose run needs more than `available` bytes at its peak (unknown: everything passes).
pub(crate) fn check(
    project: &Project,
    inference: &Inference,
    stages: &[usize],
    machine: Machine,
    available: Option<u64>,
) -> Result<(), RunError> {
    let Some((available, plan)) = available.zip(inference.plan.as_ref()) else {
        return Ok(());
    };
    let mut held = StepMemory::default();
    for stage in stages.iter().filter_map(|&index| project.stages.get(index)) {
        let Some(run) = run_memory(plan, stage, stage.batch, machine) else {
            continue;
        };
        // What the stages before it used stays with the network.
        held = run.after(&held);
        let needed = held.total().total();
        if needed > available {
            let (name, batch) = (&stage.name, stage.batch);
            return Err(RunError::Input(format!(
                "stage `{name}`: training with batch {batch} needs about {} MiB, {} MiB are free: use a smaller batch, or fewer channels in the largest layer",
                needed / MIB,
                available / MIB,
            )));
        }
    }
    Ok(())
}

/// Refuses to run `images` at once through a network whose layers alone would not fit into memory: a run's project may
/// have been changed since it was trained, or come from a larger machine.
pub(crate) fn check_forward(inference: &Inference, images: u32) -> Result<(), RunError> {
    let largest = inference.rows.iter().max_by_key(|row| row.memory_bytes);
    let Some(row) = largest else { return Ok(()) };
    // What goes into the layer is held with what comes out, and is at least a part of it.
    let needed = row.memory_bytes.saturating_mul(u64::from(images));
    system_memory::check(needed).map_err(|problem| {
        RunError::Input(format!(
            "{} `{}` does not fit with {images} images at once: {problem}; use a smaller batch, or close other programs",
            row.place, row.text
        ))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use strata_core::project::builtin;
    use strata_core::shape::infer;

    #[test]
    fn a_step_that_does_not_fit_is_refused_with_the_numbers() {
        let project = builtin::find("keras-cifar").unwrap().project().unwrap();
        let inference = infer(&project.network);
        let check = |available| check(&project, &inference, &[0], machine(), available);
        assert!(check(None).is_ok() && check(Some(u64::MAX)).is_ok());
        let message = check(Some(3 * MIB)).unwrap_err().to_string();
        assert!(
            message.contains("batch 64") && message.contains("3 MiB are free"),
            "{message}"
        );
    }
}
