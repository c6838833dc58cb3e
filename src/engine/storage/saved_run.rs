//! A run that was trained before, opened again: its project, its images and its network.
//!
//! For evaluating and inspecting; it is only read, and may be in training meanwhile. Fails with
//! what is missing of the run or its images.

use super::checkpoint::{self, Checkpoint, Position};
use super::metrics_read::measurements;
use super::record::RunRecord;
use super::run_folder;
use super::transform_file;
use crate::error::RunError;
use crate::event::Metrics;
use crate::run::compatibility::{check_input, is_measured};
use crate::run::evaluate::{Measure, confusion, label_figures, measure};
use crate::run::groups::class_weights;
use crate::run::memory_check::check_forward;
use crate::run::prepare::{check_size, load_weights, new_network};
use candle_core::{Device, Tensor};
use std::collections::{BTreeSet, HashMap};
use std::path::{Path, PathBuf};
use strata_core::project::data::Split;
use strata_core::project::stage::{Stage, Task};
use strata_core::project::{Project, file};
use strata_core::shape::{Inference, infer};
use strata_data::{Dataset, Progress};
use strata_inspect::head::check_head;
use strata_inspect::image_set::Chosen;
use strata_inspect::inspection::{InspectedRun, Inspection, InspectionContext, Slice};
use strata_inspect::inspector::Inspector;
use strata_inspect::predictions::ClassFigures;
use strata_nn::{self, Network};

/// Images that inspections run through a network at once.
const INSPECTED: u32 = 16;

/// A trained run.
pub struct SavedRun {
    /// The project as it was trained.
    pub project: Project,
    /// Its shapes.
    pub inference: Inference,
    /// Its images.
    pub dataset: Dataset,
    /// The network with the checkpoint's weights.
    pub network: Network,
    /// Where the checkpoint was taken.
    pub position: Position,
    /// What will make its figures differ from those of its training.
    pub warnings: Vec<String>,
    /// The names of the stages that were trained up to the checkpoint.
    trained: BTreeSet<String>,
    device: Device,
    inspector: Inspector,
    compared: Option<Compared>,
}

/// Two checkpoints of a run between which the change is shown.
#[derive(Clone, Debug)]
struct Compared {
    run: PathBuf,
    /// The later one, which is loaded.
    now: String,
    earlier: String,
}

/// What a split measured, over every task the run was trained for.
#[derive(Clone, Debug, Default, PartialEq, serde::Serialize)]
pub struct Evaluation {
    /// Accuracy and log loss when it classifies, MSE and PSNR when it reconstructs.
    #[serde(flatten)]
    pub metrics: Metrics,
    /// Counts by right class (row) and answer (column), when it classifies; one more column for answers
    /// that are no class, where the network can give them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub confusion: Option<Vec<Vec<u64>>>,
    /// Where an image may have several labels instead of one class: how well each label is told.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub labels: Option<Vec<ClassFigures>>,
}

impl SavedRun {
    /// Opens a run folder with one of its checkpoints (`last`, `best`, `stage-1`).
    pub fn open(
        run: &Path,
        checkpoint: &str,
        device: Option<&str>,
        progress: &mut dyn FnMut(Progress) -> bool,
    ) -> Result<SavedRun, RunError> {
        let project = file::load(&run.join("project.toml"))?;
        let saved = checkpoint::load(&run_folder::find_checkpoint(run, checkpoint)?)?;
        let inference = infer(&project.network);
        let device = strata_nn::device::open(device).map_err(RunError::input)?;
        let network = load_network(&project, &inference, &device, &saved, INSPECTED)?;
        let channels = Some(project.network.input.channels());
        let name = RunRecord::read(run).ok().map(|record| record.data_hash);
        let mut dataset = Dataset::open_for_run(
            &project.data,
            channels,
            project.seed,
            run,
            name.as_deref(),
            progress,
        )?;
        transform_file::read(run, &mut dataset).map_err(RunError::Input)?;
        check_input(&project, &dataset)?;
        let (warnings, position) = (
            other_images(run, &dataset).into_iter().collect(),
            saved.position,
        );
        let trained = trained(run, &project, &position);
        Ok(SavedRun {
            project,
            inference,
            dataset,
            network,
            position,
            warnings,
            trained,
            device,
            inspector: Inspector::default(),
            compared: None,
        })
    }

    /// Takes the weights of another of the run's checkpoints; its images stay open.
    pub fn load(&mut self, run: &Path, checkpoint: &str) -> Result<(), RunError> {
        let saved = checkpoint::load(&run_folder::find_checkpoint(run, checkpoint)?)?;
        check_size(&self.inference, &saved)?;
        load_weights(&mut self.network, &saved)?;
        self.trained = trained(run, &self.project, &saved.position);
        self.position = saved.position;
        // What was computed with the weights of before.
        self.inspector = self.inspector.of_other_weights();
        Ok(())
    }

    /// From now on what is inspected is the change to the checkpoint that is loaded, `now`, since an earlier one.
    pub fn compare(&mut self, run: &Path, now: &str, earlier: &str) -> Result<(), RunError> {
        run_folder::find_checkpoint(run, earlier)?;
        self.compared = Some(Compared {
            run: run.to_owned(),
            now: now.to_owned(),
            earlier: earlier.to_owned(),
        });
        Ok(())
    }

    /// From now on inspections of the probe images look at these instead; how many they are.
    pub fn look_at(&mut self, chosen: &Chosen) -> Result<usize, RunError> {
        Ok(self.with_context(&mut |_| true, |mut cx| cx.look_at(chosen))?)
    }

    /// From now on these files are the images in place of the run's splits.
    pub fn look_at_files(&mut self, files: &[PathBuf]) -> Result<(), RunError> {
        self.dataset = self.dataset.of_files(files)?;
        self.inspector = Inspector::default();
        Ok(())
    }

    /// Where it computes.
    pub fn device(&self) -> &Device {
        &self.device
    }

    /// Whether a stage with this task was trained, or begun.
    pub fn has_trained(&self, task: Task) -> bool {
        let mut stages = self.project.stages.iter();
        stages.any(|stage| stage.task == task && self.trained.contains(&stage.name))
    }

    /// Measures a split: with the last stage of every task that was trained, or begun.
    pub fn evaluate(&mut self, split: Split) -> Result<Evaluation, RunError> {
        let data = self
            .dataset
            .split(split)
            .ok_or_else(|| self.no_split(split))?;
        let stages = self.trained_stages(split);
        if stages.is_empty() {
            return Err(RunError::Input(format!(
                "the split `{split}` has no labels, and the run only classifies"
            )));
        }
        let mut evaluation = Evaluation::default();
        for stage in &stages {
            if stage.task == Task::Classify {
                check_head(stage, &self.inference, &self.dataset)
                    .map_err(|misfit| RunError::Input(misfit.to_string()))?;
            }
            let pixels = self.dataset.pixel_units();
            let images = u32::try_from(data.len()).unwrap_or(u32::MAX);
            check_forward(&self.inference, stage.batch.min(images))?;
            let weights = class_weights(stage, &self.dataset);
            let how = Measure {
                task: stage.task,
                loss: stage.loss,
                class_weights: weights.as_deref(),
                batch: stage.batch as usize,
                pixels: &pixels,
            };
            let measured = measure(&mut self.network, data, how, &self.device, &mut || true)?
                .unwrap_or_default();
            evaluation.metrics = merge(&evaluation.metrics, measured);
            if stage.task == Task::Classify && data.has_label_sets() {
                let (network, device) = (&mut self.network, &self.device);
                evaluation.labels = Some(label_figures(network, data, how, device)?);
            } else if stage.task == Task::Classify {
                let classes = self.dataset.classes().len();
                evaluation.confusion = Some(confusion(
                    &mut self.network,
                    data,
                    how,
                    classes,
                    &self.device,
                )?);
            }
        }
        Ok(evaluation)
    }

    /// Inspects the run; of volumes the middle slice is shown.
    pub fn inspect<I: Inspection>(&mut self, request: &I::Request) -> Result<I, RunError> {
        self.inspect_slice(None, request)
    }

    /// Inspects the run; of volumes this slice is shown.
    pub fn inspect_slice<I: Inspection>(
        &mut self,
        slice: Slice,
        request: &I::Request,
    ) -> Result<I, RunError> {
        let compute = |mut cx: InspectionContext<'_>| {
            cx.slice = slice;
            I::compute(&mut cx, request)
        };
        let output = self.with_context(&mut |_| true, compute)?;
        let Some(Compared { run, now, earlier }) = self.compared.clone() else {
            return Ok(output);
        };
        self.load(&run, &earlier)?;
        let earlier = self.with_context(&mut |_| true, compute);
        self.load(&run, &now)?;
        Ok(output.change_since(&earlier?)?)
    }

    /// Inspects the run; `monitor` takes how far it has come and returns whether the output is still wanted.
    pub fn inspect_watched<I: Inspection>(
        &mut self,
        request: &I::Request,
        monitor: &mut dyn FnMut(Option<Progress>) -> bool,
    ) -> Result<I, RunError> {
        Ok(self.with_context(monitor, |mut cx| I::compute(&mut cx, request))?)
    }

    /// What inspections need of the run.
    pub(crate) fn with_context<T>(
        &mut self,
        monitor: &mut dyn FnMut(Option<Progress>) -> bool,
        work: impl FnOnce(InspectionContext<'_>) -> T,
    ) -> T {
        let stages = latest_stages(&self.project, &self.trained);
        work(InspectionContext {
            run: Some(InspectedRun {
                network: &mut self.network,
                inference: &self.inference,
                stages: &stages,
                seed: self.project.seed,
                step: self.position.step,
                device: &self.device,
            }),
            images: Some(&self.dataset),
            slice: None,
            inspector: &mut self.inspector,
            deadline: None,
            monitor,
        })
    }

    /// The last stage of each task, as far as training went, in the order of the project.
    fn trained_stages(&self, split: Split) -> Vec<Stage> {
        let trained = self
            .project
            .stages
            .iter()
            .filter(|stage| self.trained.contains(&stage.name));
        let usable: Vec<&Stage> = trained
            .filter(|stage| is_measured(stage, &self.dataset, split))
            .collect();
        let is_last = |index: usize| {
            !usable[index + 1..]
                .iter()
                .any(|later| later.task == usable[index].task)
        };
        (0..usable.len())
            .filter(|&index| is_last(index))
            .map(|index| usable[index].clone())
            .collect()
    }

    /// The split that is measured unless one is asked for: the test images, else those held out for validation, else what
    /// there is.
    pub fn split_to_measure(&self) -> Split {
        const ORDER: [Split; 4] = [Split::Test, Split::Valid, Split::Train, Split::Unlabeled];
        let mut splits = ORDER.into_iter();
        let measured = splits.find(|split| !self.trained_stages(*split).is_empty());
        measured.unwrap_or(Split::Test)
    }

    fn no_split(&self, split: Split) -> RunError {
        let there: Vec<&str> = self
            .dataset
            .splits()
            .map(|(split, _)| split.name())
            .collect();
        RunError::Input(format!(
            "these images have no split `{split}`; choose one that is there: {}",
            there.join(", ")
        ))
    }
}

/// The weights and running statistics of one of a run's checkpoints, under PyTorch's keys.
pub fn weights(run: &Path, checkpoint: &str) -> Result<HashMap<String, Tensor>, RunError> {
    Ok(checkpoint::load(&run_folder::find_checkpoint(run, checkpoint)?)?.weights)
}

/// Inspects a run's checkpoint; its images are not needed.
pub fn inspect_weights<I: Inspection>(
    run: &Path,
    checkpoint: &str,
    device: Option<&str>,
    request: &I::Request,
) -> Result<I, RunError> {
    with_weights(run, checkpoint, device, |mut cx| {
        Ok(I::compute(&mut cx, request)?)
    })
}

/// What inspections need of a run where weights are enough.
pub(crate) fn with_weights<T>(
    run: &Path,
    checkpoint: &str,
    device: Option<&str>,
    work: impl FnOnce(InspectionContext<'_>) -> Result<T, RunError>,
) -> Result<T, RunError> {
    let project = file::load(&run.join("project.toml"))?;
    let saved = checkpoint::load(&run_folder::find_checkpoint(run, checkpoint)?)?;
    let inference = infer(&project.network);
    let device = strata_nn::device::open(device).map_err(RunError::input)?;
    let mut network = load_network(&project, &inference, &device, &saved, 1)?;
    work(InspectionContext {
        run: Some(InspectedRun {
            network: &mut network,
            inference: &inference,
            stages: &project.stages,
            seed: project.seed,
            step: saved.position.step,
            device: &device,
        }),
        images: None,
        slice: None,
        inspector: &mut Inspector::default(),
        deadline: None,
        monitor: &mut |_| true,
    })
}

/// The network of a checkpoint, if there is memory to run it on `images` at once.
fn load_network(
    project: &Project,
    inference: &Inference,
    device: &Device,
    saved: &Checkpoint,
    images: u32,
) -> Result<Network, RunError> {
    // First, because a network that is too large for its checkpoint may also be too large for the memory.
    check_size(inference, saved)?;
    check_forward(inference, images)?;
    let mut network = new_network(project, inference, device)?;
    load_weights(&mut network, saved)?;
    Ok(network)
}

/// The stages that were trained, the latest first.
fn latest_stages(project: &Project, trained: &BTreeSet<String>) -> Vec<Stage> {
    let stages = project.stages.iter().rev();
    stages
        .filter(|stage| trained.contains(&stage.name))
        .cloned()
        .collect()
}

/// The stages of which the run's `metrics.csv` has epochs up to the checkpoint, and the one in
/// progress; without such rows, every stage up to the checkpoint's.
fn trained(run: &Path, project: &Project, position: &Position) -> BTreeSet<String> {
    let measured = measurements(run).into_iter();
    let reached = measured.filter(|line| line.step <= position.step as f64);
    let stages = reached.map(|line| line.stage);
    let mut names: BTreeSet<String> = stages.filter(|stage| !stage.is_empty()).collect();
    let present = project
        .stages
        .get(position.stage)
        .filter(|_| position.is_in_stage());
    names.extend(present.map(|stage| stage.name.clone()));
    if names.is_empty() {
        names.extend(
            project
                .stages
                .iter()
                .take(position.stage + 1)
                .map(|stage| stage.name.clone()),
        );
    }
    names
}

/// Says so when the images are not those of the run's `run.json`.
fn other_images(run: &Path, dataset: &Dataset) -> Option<String> {
    let unread = |error: &std::io::Error| {
        let run = run.display();
        log::warn!("run.json of {run} cannot be read, so its images are not compared: {error}");
    };
    let record = RunRecord::read(run).inspect_err(unread).ok()?;
    let message = "the images are not the ones this run was trained on; its figures differ in that";
    dataset
        .is_other_than(&record.data_hash)
        .then(|| message.to_owned())
}

/// The later task's loss, and what both know of the rest.
fn merge(former: &Metrics, later: Metrics) -> Metrics {
    Metrics {
        loss: later.loss,
        accuracy: later.accuracy.or(former.accuracy),
        f1: later.f1.or(former.f1),
        exact_match: later.exact_match.or(former.exact_match),
        log_loss: later.log_loss.or(former.log_loss),
        mse: later.mse.or(former.mse),
        psnr: later.psnr.or(former.psnr),
    }
}
