//! Looking into a network, in training or trained before: saliency, the sparse code, the arithmetic of one value.
//!
//! What looking needs (a second network, the probe images) is made at the first question, so that a run at
//! which nobody looks carries none of it. Fails with what is asked for in vain.

use super::error::RunError;
use super::fit::check_head;
use crate::data::Dataset;
use crate::inspect::effective_field::{self, Cut, EffectiveField, FieldError};
use crate::inspect::mirror::Mirror;
use crate::inspect::pixel::{self, Pixel, PixelError};
use crate::inspect::reconstructions::Probe;
use crate::inspect::saliency::{Question, Request, Saliency, explain};
use crate::inspect::sparse::{Measured, SparseCode, SparseError, measure};
use crate::nn::{Network, NnError};
use crate::project::stage::{Stage, Task};
use crate::shape::{Inference, Plan};
use candle_core::Device;
use std::path::Path;
use std::time::Instant;

/// What is looked at.
#[derive(Clone, Copy)]
pub(super) struct Scene<'a> {
    pub network: &'a Network,
    pub inference: &'a Inference,
    pub dataset: &'a Dataset,
    /// The stage in training, or the last that was.
    pub stage: &'a Stage,
    /// The project's seed.
    pub seed: u64,
    /// Steps taken.
    pub step: u64,
    pub device: &'a Device,
}

/// What looking needs, once it is needed.
#[derive(Default)]
pub(super) struct Lens {
    mirror: Option<Mirror>,
    /// The same with its last softmax.
    whole: Option<Mirror>,
    probe: Option<Probe>,
    cut: Option<Cut>,
}

impl Lens {
    /// Saliency of the probe images, or of an image file.
    pub fn saliency(&mut self, scene: Scene<'_>, request: &Request) -> Result<Saliency, RunError> {
        let question = request.question.unwrap_or(match scene.stage.task {
            Task::Classify => Question::Predicted,
            Task::Reconstruct => Question::Error,
        });
        check(question, scene)?;
        let file = request
            .image
            .as_deref()
            .map(|file| read(file, scene))
            .transpose()?;
        self.keep_probe(scene)?;
        let mirror = reflect(&mut self.mirror, scene, Mirror::new)?;
        let probe = file.as_ref().or(self.probe.as_ref());
        let probe =
            probe.ok_or_else(|| RunError::Input("there are no images to look at".to_owned()))?;
        Ok(explain(mirror, scene.dataset, probe, question, scene.step)?)
    }

    /// Mean activations over images of the split that the stage trains on.
    pub fn sparse_code(
        &mut self,
        scene: Scene<'_>,
        until: Option<Instant>,
    ) -> Result<SparseCode, RunError> {
        let Scene {
            dataset,
            stage,
            inference,
            step,
            ..
        } = scene;
        let split = dataset.split(stage.split).map(|data| (stage.split, data));
        let split = split.or_else(|| dataset.splits().next());
        let split =
            split.ok_or_else(|| RunError::Input("there are no images to measure".to_owned()))?;
        let mirror = reflect(&mut self.mirror, scene, Mirror::new)?;
        let what = Measured {
            route: stage.task.into(),
            sparsity: stage.sparsity.as_ref(),
            split,
            until,
        };
        Ok(measure(mirror, inference, what, step)?)
    }

    /// The effective receptive field of a cell, over the probe images.
    pub fn effective_field(
        &mut self,
        scene: Scene<'_>,
        request: &effective_field::Request,
    ) -> Result<EffectiveField, RunError> {
        self.keep_probe(scene)?;
        let Scene {
            network,
            inference,
            dataset,
            step,
            device,
            ..
        } = scene;
        let kept = self.cut.take().filter(|cut| *cut.place() == request.place);
        let made = kept.map_or_else(|| Cut::new(inference, &request.place, device), Ok)?;
        let (cut, probe) = (self.cut.insert(made), self.probe.as_ref());
        let probe =
            probe.ok_or_else(|| RunError::Input("there are no images to look at".to_owned()))?;
        cut.take(network)?;
        Ok(effective_field::measure(
            cut,
            inference,
            dataset,
            probe,
            &request.cell,
            step,
        )?)
    }

    /// The arithmetic of one value, for a probe image or an image file.
    pub fn pixel(&mut self, scene: Scene<'_>, request: &pixel::Request) -> Result<Pixel, RunError> {
        let file = request
            .file
            .as_deref()
            .map(|file| read(file, scene))
            .transpose()?;
        self.keep_probe(scene)?;
        let mirror = reflect(&mut self.whole, scene, Mirror::whole)?;
        let probe = file.as_ref().or(self.probe.as_ref());
        let probe =
            probe.ok_or_else(|| RunError::Input("there are no images to look at".to_owned()))?;
        Ok(pixel::look(
            mirror,
            scene.inference,
            probe,
            request,
            scene.step,
        )?)
    }

    fn keep_probe(&mut self, scene: Scene<'_>) -> Result<(), RunError> {
        if self.probe.is_none() {
            self.probe = Probe::of_run(scene.dataset, scene.seed, scene.device)?;
        }
        Ok(())
    }
}

/// How a mirror is made.
type Make = fn(&Plan, &Device) -> Result<Mirror, NnError>;

/// The mirror with the network's present weights.
fn reflect<'a>(
    mirror: &'a mut Option<Mirror>,
    scene: Scene<'_>,
    make: Make,
) -> Result<&'a mut Mirror, RunError> {
    let mirror = match mirror.take() {
        Some(made) => mirror.insert(made),
        None => {
            let plan = scene.inference.plan.as_ref();
            let plan =
                plan.ok_or_else(|| RunError::Input("the encoder has an error".to_owned()))?;
            mirror.insert(make(plan, scene.device)?)
        }
    };
    mirror.take(scene.network)?;
    Ok(mirror)
}

/// The network can be asked this.
fn check(question: Question, scene: Scene<'_>) -> Result<(), RunError> {
    let classes = scene.dataset.classes();
    match question {
        Question::Error if scene.inference.output_equals_input != Some(true) => Err(
            RunError::Input("the network has no decoder whose output equals the input".to_owned()),
        ),
        Question::Error => Ok(()),
        Question::Class(class) if class as usize >= classes.len() => Err(RunError::Input(format!(
            "there is no class {class}; the images have {}",
            classes.len()
        ))),
        _ if !scene.dataset.splits().any(|(_, data)| data.labelled()) => Err(RunError::Input(
            "these images have no classes to ask for".to_owned(),
        )),
        _ => check_head(scene.stage, scene.inference, scene.dataset),
    }
}

/// An image file as the dataset would read it.
fn read(file: &Path, scene: Scene<'_>) -> Result<Probe, RunError> {
    let values = scene.dataset.read_file(file)?;
    let [channels, height, width] = scene.dataset.shape();
    Ok(Probe::new(values, [height, width, channels], scene.device)?)
}

impl From<FieldError> for RunError {
    fn from(error: FieldError) -> RunError {
        match error {
            FieldError::Network(error) => error.into(),
            FieldError::Device(error) => error.into(),
            FieldError::NoLayer(_) => RunError::Input(error.to_string()),
        }
    }
}

impl From<SparseError> for RunError {
    fn from(error: SparseError) -> RunError {
        match error {
            SparseError::Data(error) => error.into(),
            SparseError::Network(error) => error.into(),
            SparseError::Device(error) => error.into(),
            SparseError::NoLayer(_) => RunError::Input(error.to_string()),
        }
    }
}

impl From<PixelError> for RunError {
    fn from(error: PixelError) -> RunError {
        match error {
            PixelError::Network(error) => error.into(),
            PixelError::Device(error) => error.into(),
            PixelError::NoLayer(message) => RunError::Input(message),
        }
    }
}
