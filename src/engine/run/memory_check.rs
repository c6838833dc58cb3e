//! Whether a run fits into memory, asked before anything large is allocated: an allocation that fails ends the
//! process, and no message could be given then.

use super::compatibility::is_measured;
use crate::error::{RunError, Unfit};
use crate::gpu_failure::{FailedStage, GpuFailure};
use strata_core::format::count;
use strata_core::project::Project;
use strata_core::project::data::Split;
use strata_core::project::help::{Help, Repair, StageSetting};
use strata_core::project::stage::Stage;
use strata_core::run_buffers::MOST_LOADERS;
use strata_core::shape::Inference;
use strata_core::system_memory;
use strata_cost::{
    DeviceStep, MOST_DEVICE_NUMBERS, Machine, StepMemory, batches_ahead, device_step,
    largest_device_batch, run_memory,
};
use strata_data::Dataset;
use strata_nn::device::fault::DeviceFault;
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

/// Bytes of the finished images that the run of a stage keeps at its peak, where so many bytes are free, with what
/// whitens them; of the images 0 where the source's number is known only when it has been opened. All splits are held
/// at the end, when the batches made ahead are gone.
pub fn kept_images(project: &Project, stage: &Stage, free: Option<u64>) -> u64 {
    let input = &project.network.input;
    let of = |splits: &[Split]| {
        let (spec, seed) = (&project.data, project.seed);
        strata_data::kept_images(spec, seed, input.channels(), splits, free).unwrap_or(0)
    };
    let while_training = of(&[stage.split]);
    let batches = batches_ahead(input.elements(), stage.batch, machine());
    let at_the_end = of(&splits_read(stage)).saturating_sub(batches);
    let whitening = strata_data::transform_bytes(&project.data, input.elements());
    while_training.max(at_the_end).saturating_add(whitening)
}

/// The splits that a stage trains on and is measured on, where there are such.
fn splits_read(stage: &Stage) -> [Split; 3] {
    [stage.split, Split::Valid, Split::Test]
}

/// Lets the dataset keep its finished images only where they fit into `available` bytes with the run's own memory. What
/// the source took when it was opened is known by now: a run that does not fit even without them is refused.
pub(crate) fn make_room(
    project: &Project,
    inference: &Inference,
    stages: &[usize],
    machine: Machine,
    dataset: &mut Dataset,
    available: Option<u64>,
) -> Result<(), RunError> {
    let Some(free) = available else {
        return Ok(());
    };
    let kept = kept_in(project, stages, dataset);
    let besides = Some(free.saturating_sub(kept));
    if check(project, inference, stages, machine, besides).is_ok() {
        return Ok(());
    }
    dataset.keep_nothing();
    check(project, inference, stages, machine, available)?;
    log::info!(
        "{} MiB of finished images do not fit into {} MiB with what the run needs: each image is made at every reading",
        kept / MIB,
        free / MIB
    );
    Ok(())
}

/// Bytes of the finished images that these stages read and the dataset keeps.
fn kept_in(project: &Project, stages: &[usize], dataset: &Dataset) -> u64 {
    let is_read = |split: Split| {
        let mut stages = stages.iter().filter_map(|&at| project.stages.get(at));
        stages
            .any(|stage| splits_read(stage).contains(&split) && is_measured(stage, dataset, split))
    };
    dataset
        .splits()
        .filter(|(split, _)| is_read(*split))
        .map(|(_, data)| data.kept_bytes())
        .sum()
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

fn too_wide(stage: &Stage, step: DeviceStep) -> String {
    format!(
        "stage `{}`: with batch {} a tensor on the GPU would have {} numbers, {} can be counted there",
        stage.name,
        stage.batch,
        count(step.widest),
        count(MOST_DEVICE_NUMBERS)
    )
}

fn smaller(batch: Option<u32>) -> Vec<Help> {
    let repair = batch.map(|batch| Repair::Stage(StageSetting::Batch(batch)).into());
    repair.into_iter().collect()
}

/// Refuses a project of which a step needs more than `free` bytes of a GPU's memory.
pub(crate) fn check_device(
    project: &Project,
    inference: &Inference,
    stages: &[usize],
    free: u64,
) -> Result<(), RunError> {
    let Some(plan) = inference.plan.as_ref() else {
        return Ok(());
    };
    for &index in stages {
        let Some(stage) = project.stages.get(index) else {
            continue;
        };
        let Some(step) = device_step(plan, stage, stage.batch) else {
            continue;
        };
        let smaller_batch = largest_device_batch(plan, stage, free);
        if step.widest > MOST_DEVICE_NUMBERS {
            return Err(RunError::Unfit(Box::new(
                Unfit::new(too_wide(stage, step), smaller(smaller_batch)).of_stage(index),
            )));
        }
        if step.bytes > free {
            return Err(RunError::Gpu(Box::new(GpuFailure {
                fault: DeviceFault::OutOfMemory,
                stage: Some(FailedStage::new(index, stage)),
                step: None,
                needed: Some(step.bytes),
                free: Some(free),
                smaller_batch,
                words: String::new(),
                is_kept: false,
            })));
        }
    }
    Ok(())
}

/// Bytes that training a project takes at its peak, finished images included; `None` where it cannot be trained.
pub fn peak(project: &Project, inference: &Inference) -> Option<u64> {
    let plan = inference.plan.as_ref()?;
    let mut held = StepMemory::default();
    let mut most = None;
    for stage in &project.stages {
        let run = run_memory(plan, stage, stage.batch, machine())?;
        held = run.after(&held);
        let images = kept_images(project, stage, None);
        most = most.max(Some(held.total().total().saturating_add(images)));
    }
    most
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

    #[test]
    fn finished_images_give_way_to_the_run() {
        let project = builtin::find("pretrain-classify")
            .unwrap()
            .project()
            .unwrap();
        let inference = infer(&project.network);
        let (stage, plan) = (&project.stages[0], inference.plan.as_ref().unwrap());
        let needed = run_memory(plan, stage, stage.batch, machine()).unwrap();
        let needed = needed.total().total();
        let open = || {
            let channels = Some(project.network.input.channels());
            let base = std::path::Path::new(".");
            Dataset::open_as(&project.data, channels, project.seed, base, &mut |_| true).unwrap()
        };
        let kept = kept_in(&project, &[0], &open());
        assert!(kept > 0);
        assert!((1..=kept).contains(&kept_images(&project, stage, None)));
        for (available, left) in [
            (Some(needed + kept), Some(kept)),
            (Some(needed + kept - 1), Some(0)),
            (Some(needed), Some(0)),
            (Some(needed - 1), None),
            (None, Some(kept)),
        ] {
            let mut dataset = open();
            let room = make_room(
                &project,
                &inference,
                &[0],
                machine(),
                &mut dataset,
                available,
            );
            let found = room.is_ok().then(|| kept_in(&project, &[0], &dataset));
            assert_eq!(found, left, "{available:?} of {needed} and {kept}");
        }
    }
}
