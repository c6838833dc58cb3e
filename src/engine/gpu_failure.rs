//! A run that a GPU ended, or that its memory is too small for: what happened, what is kept, and what to do.

use std::fmt;
use strata_core::project::help::{Repair, StageSetting, Surface};
use strata_core::project::stage::Stage;
use strata_nn::device::fault::DeviceFault;

const MIB: u64 = 1 << 20;

/// Why a GPU cannot go on.
#[derive(Clone, Debug, PartialEq)]
pub struct GpuFailure {
    /// What the device cannot do any more.
    pub fault: DeviceFault,
    /// The stage that was, or would be, trained.
    pub stage: Option<FailedStage>,
    /// The step that failed, from 1; `None` before the first.
    pub step: Option<u64>,
    /// Bytes that its stage needs by the estimate.
    pub needed: Option<u64>,
    /// Bytes that were free when it started.
    pub free: Option<u64>,
    /// A batch that fits by the estimate.
    pub smaller_batch: Option<u32>,
    /// The driver's words.
    pub words: String,
    /// Whether there is a checkpoint to go on from.
    pub is_kept: bool,
}

/// What of a stage matters for it.
#[derive(Clone, Debug, PartialEq)]
pub struct FailedStage {
    /// Counted from 0.
    pub index: usize,
    /// Its name.
    pub name: String,
    /// Images a step.
    pub batch: u32,
}

impl FailedStage {
    pub(crate) fn new(index: usize, stage: &Stage) -> FailedStage {
        FailedStage {
            index,
            name: stage.name.clone(),
            batch: stage.batch,
        }
    }
}

impl GpuFailure {
    /// What a button of the window does about it; computing on the CPU is another.
    pub fn repairs(&self) -> Vec<Repair> {
        let smaller = self
            .smaller_batch
            .filter(|_| self.fault == DeviceFault::OutOfMemory);
        smaller
            .map(|batch| Repair::Stage(StageSetting::Batch(batch)))
            .into_iter()
            .collect()
    }

    /// One message: what, where, what is kept, and what to do.
    pub fn text(&self, surface: Surface) -> String {
        [self.what(), self.kept().to_owned(), self.remedy(surface)].concat()
    }

    fn what(&self) -> String {
        let place = match (&self.stage, self.step) {
            (Some(stage), Some(step)) => format!("stage `{}`, step {step}: ", stage.name),
            (Some(stage), None) => format!("stage `{}`: ", stage.name),
            (None, _) => String::new(),
        };
        match self.fault {
            DeviceFault::OutOfMemory => format!("{place}{}", self.memory()),
            DeviceFault::Lost => format!("{place}the GPU stopped working ({})", self.words),
        }
    }

    /// `training with batch 512 needs about 9000 MiB of the GPU's memory, 4000 MiB are free`
    fn memory(&self) -> String {
        let batch = self.stage.as_ref().map(|stage| stage.batch);
        let needs = batch.zip(self.needed).map(|(batch, needed)| {
            format!(
                "training with batch {batch} needs about {} MiB of the GPU's memory",
                needed / MIB
            )
        });
        let free = self.free.map(|free| format!("{} MiB", free / MIB));
        match (self.step, needs, free) {
            (None, Some(needs), Some(free)) => format!("{needs}, {free} are free"),
            (Some(_), Some(needs), Some(free)) => {
                format!("the GPU's memory is full; {needs}, {free} were free")
            }
            (_, Some(needs), None) => format!("the GPU's memory is full; {needs}"),
            (_, None, _) => "the GPU's memory is full".to_owned(),
        }
    }

    fn kept(&self) -> &'static str {
        match (self.step, self.is_kept) {
            (Some(_), true) => "; the last checkpoint is kept",
            _ => "",
        }
    }

    fn remedy(&self, surface: Surface) -> String {
        let goes_on = self.is_kept && self.step.is_some();
        let cpu = match (surface, goes_on) {
            (Surface::Terminal, true) => "go on with --resume --device cpu",
            (Surface::Terminal, false) => "compute on the CPU with --device cpu",
            (Surface::Window, _) => "compute on the CPU",
        };
        match (self.fault, self.smaller_batch, surface) {
            (DeviceFault::OutOfMemory, Some(batch), Surface::Terminal) => {
                format!(": use batch = {batch}, or {cpu}")
            }
            (DeviceFault::OutOfMemory, Some(batch), Surface::Window) => {
                format!(": set batch to {batch}, or {cpu}")
            }
            (DeviceFault::OutOfMemory, None, _) => {
                format!(": use fewer channels in the largest layer, or {cpu}")
            }
            (DeviceFault::Lost, ..) => {
                format!(": it can be used again when Strata is started anew; until then {cpu}")
            }
        }
    }
}

impl fmt::Display for GpuFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text(Surface::Terminal))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failure(fault: DeviceFault, step: Option<u64>) -> GpuFailure {
        GpuFailure {
            fault,
            stage: Some(FailedStage {
                index: 1,
                name: "tune".into(),
                batch: 512,
            }),
            step,
            needed: Some(9000 * MIB),
            free: Some(4000 * MIB),
            smaller_batch: Some(200),
            words: "an illegal memory access".into(),
            is_kept: step.is_some(),
        }
    }

    #[test]
    fn what_is_full_names_the_estimate_and_a_batch_that_fits() {
        let before = failure(DeviceFault::OutOfMemory, None);
        assert_eq!(
            before.to_string(),
            "stage `tune`: training with batch 512 needs about 9000 MiB of the GPU's memory, 4000 MiB are free: \
             use batch = 200, or compute on the CPU with --device cpu"
        );
        assert_eq!(before.repairs(), [Repair::Stage(StageSetting::Batch(200))]);
        let within = failure(DeviceFault::OutOfMemory, Some(7));
        assert_eq!(
            within.text(Surface::Window),
            "stage `tune`, step 7: the GPU's memory is full; training with batch 512 needs about 9000 MiB of the \
             GPU's memory, 4000 MiB were free; the last checkpoint is kept: set batch to 200, or compute on the CPU"
        );
    }

    #[test]
    fn what_is_lost_is_kept_on_disk() {
        let lost = failure(DeviceFault::Lost, Some(7));
        assert!(lost.repairs().is_empty());
        assert_eq!(
            lost.to_string(),
            "stage `tune`, step 7: the GPU stopped working (an illegal memory access); the last checkpoint is kept: \
             it can be used again when Strata is started anew; until then go on with --resume --device cpu"
        );
    }
}
