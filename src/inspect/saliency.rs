//! Saliency: how strongly each pixel bears on what the network says (Simonyan, Vedaldi, Zisserman 2013).
//!
//! The gradient of one number by the input, of its values the absolute maximum over the channels. The number is
//! the logit of a class, before a last softmax layer where there is one (the probability of a sure answer
//! hardly moves, and its gradient would show nothing), or the mean squared error of the reconstruction, in which
//! the input counts as the target too. Running statistics are used, dropout and noise are off. Fails as the
//! network does, and when a class is asked for that it has no output for.

use super::curve::is_signal;
use super::head::check_head;
use super::inspection::{InspectError, Inspection, InspectionContext, Needs};
use super::network_copy::InspectionNetwork;
use super::reconstructions::Probe;
use super::slices::{SliceOf, shown, shown_size};
use candle_core::{Device, Tensor};
use serde::{Deserialize, Serialize};
use std::path::PathBuf;
use strata_core::project::stage::{Stage, Task};
use strata_core::shape::Inference;
use strata_data::{Dataset, PixelUnits};
use strata_nn::{Mode, NnError, Route};

/// How many probabilities are listed for each image.
pub const TOP: usize = 3;

/// The number whose gradient is taken.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Question {
    /// The score of the class that each image is taken for.
    #[default]
    Predicted,
    /// The score of this class.
    Class(u32),
    /// The reconstruction error.
    Error,
}

/// What saliency is asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Request {
    /// The number; `None` for what the stage trains for: the predicted class, or the error.
    pub question: Option<Question>,
    /// An image file instead of the probe images.
    pub image: Option<PathBuf>,
}

/// What the network says of one image.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Answer {
    /// The right class, where it is known.
    pub label: Option<u32>,
    /// The class whose score was looked at; `None` for the reconstruction error.
    pub class: Option<u32>,
    /// The score (logit) or the error.
    pub score: f32,
    /// The most probable classes with their probabilities, falling; empty for the reconstruction error.
    pub top: Vec<(u32, f32)>,
}

/// Saliency maps of some images.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Saliency {
    /// Steps taken when they were made.
    pub step: u64,
    /// What was asked.
    pub question: Question,
    /// Height, width and channels of an image.
    pub height: usize,
    /// See `height`.
    pub width: usize,
    /// See `height`.
    pub channels: usize,
    /// `N × H × W × C` bytes of the images.
    pub inputs: Vec<u8>,
    /// Which slice of volumes is shown; `None` of images.
    pub slice: Option<SliceOf>,
    /// `N × H × W` absolute gradients, in score for each unit of the network's input.
    pub maps: Vec<f32>,
    /// One for each image.
    pub answers: Vec<Answer>,
    /// The classes' names.
    pub classes: Vec<String>,
}

impl Saliency {
    /// Whether the images are drawn as curves.
    pub fn are_signals(&self) -> bool {
        is_signal([self.height, self.width, self.channels])
    }

    /// The map of an image.
    pub fn map(&self, index: usize) -> &[f32] {
        let size = self.height * self.width;
        self.maps
            .get(index * size..(index + 1) * size)
            .unwrap_or_default()
    }

    /// The bytes of an image.
    pub fn input(&self, index: usize) -> &[u8] {
        let size = self.height * self.width * self.channels;
        self.inputs
            .get(index * size..(index + 1) * size)
            .unwrap_or_default()
    }

    /// A class's name; its number where it has none.
    pub fn class_name(&self, class: u32) -> String {
        super::class_name(&self.classes, class)
    }
}

impl Saliency {
    /// The same of one slice of each volume.
    fn of_slice(self, slice: Option<SliceOf>) -> Saliency {
        let size = [self.height, self.width, self.channels];
        let [height, ..] = shown_size(slice, size);
        Saliency {
            height,
            inputs: shown(slice, &self.inputs, size).into_owned(),
            maps: shown(slice, &self.maps, [self.height, self.width, 1]).into_owned(),
            slice,
            ..self
        }
    }
}

/// What bears on the answers for these images, with the weights that the mirror holds.
pub fn explain(
    mirror: &mut InspectionNetwork,
    dataset: &Dataset,
    probe: &Probe,
    question: Question,
    step: u64,
) -> Result<Saliency, NnError> {
    let (gradient, mut answers) = match question {
        Question::Error => of_error(mirror, &dataset.pixel_units(), probe)?,
        Question::Predicted => of_class(mirror, probe, None)?,
        Question::Class(class) => of_class(mirror, probe, Some(class))?,
    };
    for (answer, label) in answers.iter_mut().zip(probe.labels()) {
        answer.label = *label;
    }
    let [height, width, channels] = probe.size();
    Ok(Saliency {
        step,
        question,
        height,
        width,
        channels,
        inputs: dataset.to_pixels(probe.values()),
        slice: None,
        maps: gradient
            .chunks_exact(channels.max(1))
            .map(largest)
            .collect(),
        answers,
        classes: dataset.classes().to_vec(),
    })
}

/// The absolute maximum; not a number when one of the values isn't.
fn largest(values: &[f32]) -> f32 {
    values.iter().fold(0.0, |most, v| {
        if v.is_nan() || v.abs() > most {
            v.abs()
        } else {
            most
        }
    })
}

/// The gradient (`N × H × W × C`) of a class's logit, and the answers.
fn of_class(
    mirror: &mut InspectionNetwork,
    probe: &Probe,
    class: Option<u32>,
) -> Result<(Vec<f32>, Vec<Answer>), NnError> {
    let network = mirror.network();
    let output = network.forward(Route::Classify, probe.images(), Mode::Eval)?;
    let dims = output.dims().to_vec();
    let logits = numbers(&network.logits(&output)?)?;
    let outputs = dims.iter().skip(1).product::<usize>();
    if let Some(class) = class.filter(|&class| class as usize >= outputs) {
        return Err(NnError::Unsupported(format!(
            "saliency of class {class} with {outputs} outputs"
        )));
    }
    let answers: Vec<Answer> = logits
        .chunks_exact(outputs.max(1))
        .map(|row| answer(row, class))
        .collect();
    let hit = |answer: &Answer| {
        let class = answer.class;
        (0..outputs).map(move |output| {
            if class == Some(output as u32) {
                1.0f32
            } else {
                0.0
            }
        })
    };
    let hits: Vec<f32> = answers.iter().flat_map(hit).collect();
    let hits = Tensor::from_vec(hits, dims, network.device())?;
    let gradient = network.backward_from_logits_to_input(&hits)?;
    Ok((numbers(&gradient)?, answers))
}

fn answer(logits: &[f32], class: Option<u32>) -> Answer {
    let mut ranked: Vec<(u32, f32)> = (0..).zip(logits.iter().copied()).collect();
    ranked.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
    let highest = ranked.first().map_or(0.0, |(_, logit)| *logit);
    let sum: f32 = logits.iter().map(|logit| (logit - highest).exp()).sum();
    let top = ranked
        .iter()
        .take(TOP)
        .map(|&(class, logit)| (class, (logit - highest).exp() / sum))
        .collect();
    let class = class.or(ranked.first().map(|(class, _)| *class));
    let score = class
        .and_then(|class| logits.get(class as usize))
        .copied()
        .unwrap_or(f32::NAN);
    Answer {
        label: None,
        class,
        score,
        top,
    }
}

/// The gradient of each image's mean squared reconstruction error in pixels. The image is the target as well: moving
/// a pixel moves what it is compared with.
fn of_error(
    mirror: &mut InspectionNetwork,
    units: &PixelUnits,
    probe: &Probe,
) -> Result<(Vec<f32>, Vec<Answer>), NnError> {
    let network = mirror.network();
    let output = network.forward(Route::Reconstruct, probe.images(), Mode::Eval)?;
    let dims = output.dims().to_vec();
    let size = probe.size().iter().product::<usize>().max(1);
    let differences: Vec<f32> = numbers(&output)?
        .iter()
        .zip(probe.values())
        .zip(units.factors())
        .map(|((y, x), factor)| factor * (y - x))
        .collect();
    let slopes: Vec<f32> = differences
        .iter()
        .zip(units.factors())
        .map(|(d, factor)| 2.0 * factor * d / size as f32)
        .collect();
    let through =
        network.backward_to_input(&Tensor::from_slice(&slopes, dims, network.device())?)?;
    let gradient = numbers(&through)?
        .iter()
        .zip(&slopes)
        .map(|(through, direct)| through - direct)
        .collect();
    let error = |image: &[f32]| image.iter().map(|d| d * d).sum::<f32>() / size as f32;
    let answers = differences.chunks_exact(size).map(|image| Answer {
        score: error(image),
        ..Answer::default()
    });
    Ok((gradient, answers.collect()))
}

fn numbers(tensor: &Tensor) -> Result<Vec<f32>, NnError> {
    Ok(tensor
        .flatten_all()?
        .to_device(&Device::Cpu)?
        .to_vec1::<f32>()?)
}

impl Inspection for Saliency {
    const NAME: &'static str = "saliency";
    const NEEDS: Needs = Needs::RunWithImages;
    type Request = Request;

    fn compute(cx: &mut InspectionContext<'_>, request: &Request) -> Result<Self, InspectError> {
        let stage = cx.stage()?;
        let dataset = cx.images()?;
        let run = cx.run()?;
        let step = run.step;
        let question = request.question.unwrap_or(match stage.task {
            Task::Classify => Question::Predicted,
            Task::Reconstruct => Question::Error,
        });
        check(question, &stage, run.inference, dataset).map_err(InspectError::Input)?;
        let probe = cx.probe(request.image.as_deref())?;
        let slice = SliceOf::of(dataset, cx.slice);
        let saliency = explain(cx.mirror()?, dataset, &probe, question, step)?;
        Ok(saliency.of_slice(slice))
    }

    fn step(&self) -> Option<u64> {
        Some(self.step)
    }
}

/// Whether the network can be asked this; fails with the reason.
fn check(
    question: Question,
    stage: &Stage,
    inference: &Inference,
    dataset: &Dataset,
) -> Result<(), String> {
    let classes = dataset.classes().len();
    match question {
        Question::Error if inference.output_equals_input != Some(true) => {
            Err("the network has no decoder whose output equals the input".to_owned())
        }
        Question::Error => Ok(()),
        Question::Class(class) if class as usize >= classes => Err(format!(
            "there is no class {class}; the images have {classes}"
        )),
        _ if !dataset.splits().any(|(_, data)| data.labelled()) => {
            Err("these images have no classes to ask for".to_owned())
        }
        _ => check_head(stage, inference, dataset).map_err(|misfit| misfit.to_string()),
    }
}

#[cfg(test)]
mod tests;
