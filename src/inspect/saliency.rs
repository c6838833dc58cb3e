//! Saliency: how much each pixel counts for what the network says, by any of the methods of [`crate::attribution`].
//!
//! The number that is explained is the logit of a class, before a last softmax layer where there is one (the
//! probability of a sure answer hardly moves, and its gradient would show nothing), the mean over a unit's positions,
//! or the mean squared error of the reconstruction, in which the input counts as the target too. Running statistics are
//! used, dropout and noise are off. Fails as the network does, and when something is asked for that it does not have.

mod answer;
mod question;
mod randomised;

pub use answer::{Answer, TOP};
pub use question::{Question, cam_layer};
pub use randomised::{Randomised, rank_correlation};

use super::attribution::score::{Score, Scored};
use super::attribution::{How, Method, Watch, attribute};
use super::curve::is_signal;
use super::effective_field::Cut;
use super::image_set::Chosen;
use super::inspection::{InspectError, Inspection, InspectionContext, Needs};
use super::map_look::MapLook;
use super::reconstructions::Probe;
use super::slices::{SliceOf, shown, shown_size};
use super::subtract;
use std::path::PathBuf;
use std::time::Instant;
use strata_core::project::Place;
use strata_core::project::stage::Task;
use strata_core::shape::Inference;
use strata_data::Dataset;
use strata_nn::{Network, NnError};

/// What saliency is asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Request {
    /// The number; `None` for what the stage trains for: the predicted class, or the error.
    pub question: Option<Question>,
    /// An image file instead of the probe images.
    pub image: Option<PathBuf>,
    /// Other images instead of the probe images.
    pub chosen: Chosen,
    /// The method.
    pub method: Method,
    /// The layer of the unit, or of Grad-CAM (by default the last one with maps).
    pub layer: Option<Place>,
    /// The sanity check: of so many layers the weights are drawn anew, one after another from the last on.
    pub randomised: usize,
}

/// What the attributions of integrated gradients add up to.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Completeness {
    /// The sum over all values of the image.
    pub sum: f32,
    /// What it would be without error: the score of the image less that of an image of zeros.
    pub difference: f32,
}

/// Saliency maps of some images.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Saliency {
    /// Steps taken when they were made.
    pub step: u64,
    /// What was asked.
    pub question: Question,
    /// How the maps were made.
    pub method: Method,
    /// The layer of the unit or of Grad-CAM, with its text.
    pub layer: Option<String>,
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
    /// `N × H × W × C` attributions, in score for each unit of the network's input where the method is a gradient, else
    /// in score.
    pub values: Vec<f32>,
    /// `N × H × W` absolute attributions, the largest over the channels.
    pub maps: Vec<f32>,
    /// `N × H × W` attributions, the sum over the channels.
    pub signed: Vec<f32>,
    /// One for each image.
    pub answers: Vec<Answer>,
    /// Of integrated gradients, one for each image.
    pub completeness: Vec<Completeness>,
    /// The maps of the sanity check, after each layer whose weights were drawn anew.
    pub checks: Vec<Randomised>,
    /// The classes' names.
    pub classes: Vec<String>,
    /// How many images were asked for: a run in training has no time for all at once.
    pub of: usize,
    /// Where the maps are the change: since which step, and what was answered then.
    pub since: Option<(u64, Vec<Answer>)>,
}

impl Saliency {
    /// Whether the images are drawn as curves.
    pub fn are_signals(&self) -> bool {
        is_signal([self.height, self.width, self.channels])
    }

    /// The absolute map of an image.
    pub fn map(&self, index: usize) -> &[f32] {
        self.part(&self.maps, index, 1)
    }

    /// The map of an image with its signs.
    pub fn signed_map(&self, index: usize) -> &[f32] {
        self.part(&self.signed, index, 1)
    }

    /// The absolute map of an image after a layer of the sanity check.
    pub fn checked_map(&self, check: &Randomised, index: usize) -> Vec<f32> {
        self.part(&check.maps, index, 1).to_vec()
    }

    /// How the maps are drawn: a change has signs.
    pub fn look(&self, look: &MapLook) -> MapLook {
        MapLook {
            signed: look.signed || self.since.is_some(),
            ..*look
        }
    }

    /// The step since which the change is shown.
    pub fn since_step(&self) -> Option<u64> {
        self.since.as_ref().map(|(step, _)| *step)
    }

    /// The class that an image's map was of before, where it is another one.
    pub fn class_before(&self, index: usize) -> Option<u32> {
        let (_, answers) = self.since.as_ref()?;
        let now = self.answers.get(index)?.class;
        answers
            .get(index)?
            .class
            .filter(|before| Some(*before) != now)
    }

    /// The map of an image as it is drawn.
    pub fn shown(&self, index: usize, look: &MapLook) -> &[f32] {
        match self.look(look).signed {
            true => self.signed_map(index),
            false => self.map(index),
        }
    }

    /// The end of each map's scale.
    pub fn limits(&self, look: &MapLook) -> Vec<f32> {
        let maps: Vec<&[f32]> = (0..self.answers.len())
            .map(|index| self.shown(index, look))
            .collect();
        look.limits(&maps)
    }

    /// The bytes of an image.
    pub fn input(&self, index: usize) -> &[u8] {
        self.part(&self.inputs, index, self.channels)
    }

    fn part<'a, T>(&self, all: &'a [T], index: usize, channels: usize) -> &'a [T] {
        let size = self.height * self.width * channels;
        all.get(index * size..(index + 1) * size)
            .unwrap_or_default()
    }

    /// A class's name; its number where it has none.
    pub fn class_name(&self, class: u32) -> String {
        super::class_name(&self.classes, class)
    }

    /// The same of one slice of each volume.
    fn of_slice(mut self, slice: Option<SliceOf>) -> Saliency {
        let size = [self.height, self.width, self.channels];
        let pixel = [self.height, self.width, 1];
        let [height, ..] = shown_size(slice, size);
        for check in &mut self.checks {
            check.maps = shown(slice, &check.maps, pixel).into_owned();
        }
        Saliency {
            height,
            inputs: shown(slice, &self.inputs, size).into_owned(),
            values: shown(slice, &self.values, size).into_owned(),
            maps: shown(slice, &self.maps, pixel).into_owned(),
            signed: shown(slice, &self.signed, pixel).into_owned(),
            slice,
            ..self
        }
    }
}

/// What is looked at, and how.
#[derive(Clone, Copy)]
pub struct Look<'a> {
    /// Where the images are from.
    pub dataset: &'a Dataset,
    /// The images.
    pub probe: &'a Probe,
    /// The network's shapes.
    pub inference: &'a Inference,
    /// The number.
    pub question: Question,
    /// Method, layer and sanity check.
    pub request: &'a Request,
    /// The project's seed.
    pub seed: u64,
    /// Steps taken.
    pub step: u64,
    /// When to stop before the next image.
    pub deadline: Option<Instant>,
}

impl Look<'_> {
    /// Looks into a network; for a unit's value one that was cut off behind its layer.
    pub fn into(
        self,
        network: &mut Network,
        watch: &mut Watch<'_>,
    ) -> Result<Saliency, InspectError> {
        let how = self.how();
        let mut answers = self.answers(network)?;
        let values = self.attributed(network, &answers, &how, watch)?;
        let count = values.len() / self.size().max(1);
        let of = answers.len();
        answers.truncate(count);
        let completeness = match how.method {
            Method::Integrated => self.completeness(network, &answers, &values)?,
            _ => Vec::new(),
        };
        let [height, width, channels] = self.probe.size();
        let mut saliency = Saliency {
            step: self.step,
            question: self.question,
            method: how.method,
            layer: self.layer_name(&how),
            height,
            width,
            channels,
            inputs: self.dataset.to_pixels(&self.images()[..values.len()]),
            slice: None,
            maps: absolute(&values, channels),
            signed: summed(&values, channels),
            values,
            answers,
            completeness,
            checks: Vec::new(),
            classes: self.dataset.classes().to_vec(),
            of,
            since: None,
        };
        saliency.checks = randomised::check(&self, network, &saliency, watch)?;
        Ok(saliency)
    }

    fn how(&self) -> How {
        let layer = match self.request.method {
            Method::GradCam => self
                .request
                .layer
                .clone()
                .or_else(|| cam_layer(self.inference, self.question)),
            _ => None,
        };
        How {
            method: self.request.method,
            volume: self.inference.input.volume(),
            layer,
            seed: self.seed,
        }
    }

    fn layer_name(&self, how: &How) -> Option<String> {
        let unit = matches!(self.question, Question::Unit(_));
        let of_unit = self.request.layer.as_ref().filter(|_| unit);
        let place = how.layer.as_ref().or(of_unit)?;
        let row = self.inference.row(place)?;
        Some(format!("{place} `{}`", row.text))
    }

    /// Values of an image.
    fn size(&self) -> usize {
        self.probe.size().iter().product()
    }

    fn images(&self) -> &[f32] {
        self.probe.values()
    }

    fn scored<'n>(&self, network: &'n mut Network, answers: &[Answer]) -> Scored<'n> {
        let score = match self.question {
            Question::Predicted | Question::Class(_) => {
                let class = |answer: &Answer| answer.class.unwrap_or_default();
                Score::Classes(answers.iter().map(class).collect())
            }
            Question::Error => Score::Error(self.dataset.pixel_units()),
            Question::Unit(unit) => Score::Unit(unit as usize),
        };
        Scored::new(network, score, self.probe.size())
    }

    /// What the network says of each image.
    fn answers(&self, network: &mut Network) -> Result<Vec<Answer>, NnError> {
        let asked = match self.question {
            Question::Predicted => Some(None),
            Question::Class(class) => Some(Some(class)),
            Question::Error | Question::Unit(_) => None,
        };
        let mut answers = match asked {
            Some(class) => answer::of_classes(network, self.probe.images(), class)?,
            None => {
                let score = |score: f32| Answer {
                    score,
                    ..Answer::default()
                };
                let scores = self.scored(network, &[]).values(self.images())?;
                scores.into_iter().map(score).collect()
            }
        };
        let known = self.probe.labels().iter().zip(self.probe.label_sets());
        for (answer, (label, labels)) in answers.iter_mut().zip(known) {
            answer.label = *label;
            answer.labels.clone_from(labels);
            if self.dataset.has_label_sets() {
                // Probabilities of single classes, which these are not.
                answer.top.clear();
            }
        }
        Ok(answers)
    }

    /// The attributions of as many images as there is time for.
    fn attributed(
        &self,
        network: &mut Network,
        answers: &[Answer],
        how: &How,
        watch: &mut Watch<'_>,
    ) -> Result<Vec<f32>, InspectError> {
        let at_once = match self.deadline {
            Some(_) if !how.method.is_quick() => 1,
            _ => answers.len().max(1),
        };
        let mut values = Vec::with_capacity(self.images().len());
        let images = self.images().chunks(at_once * self.size().max(1));
        for (images, answers) in images.zip(answers.chunks(at_once)) {
            let mut scored = self.scored(network, answers);
            values.extend(attribute(&mut scored, images, how, watch)?);
            if self.is_late() {
                break;
            }
        }
        Ok(values)
    }

    fn is_late(&self) -> bool {
        self.deadline
            .is_some_and(|deadline| Instant::now() > deadline)
    }

    fn completeness(
        &self,
        network: &mut Network,
        answers: &[Answer],
        values: &[f32],
    ) -> Result<Vec<Completeness>, InspectError> {
        let mut scored = self.scored(network, answers);
        let of_images = scored.values(&self.images()[..values.len()])?;
        let of_zeros = scored.values(&vec![0.0; values.len()])?;
        let sums = values
            .chunks_exact(self.size().max(1))
            .map(|image| image.iter().map(|value| f64::from(*value)).sum::<f64>() as f32);
        let pairs = of_images.iter().zip(&of_zeros).zip(sums);
        let pair = |((image, zero), sum): ((&f32, &f32), f32)| Completeness {
            sum,
            difference: image - zero,
        };
        Ok(pairs.map(pair).collect())
    }
}

/// The absolute maximum over the channels; not a number when one of the values isn't.
fn absolute(values: &[f32], channels: usize) -> Vec<f32> {
    let largest = |values: &[f32]| {
        values.iter().fold(0.0, |most: f32, v| {
            if v.is_nan() || v.abs() > most {
                v.abs()
            } else {
                most
            }
        })
    };
    values.chunks_exact(channels.max(1)).map(largest).collect()
}

fn summed(values: &[f32], channels: usize) -> Vec<f32> {
    let sum = |values: &[f32]| values.iter().sum();
    values.chunks_exact(channels.max(1)).map(sum).collect()
}

/// The network up to a unit's layer, kept for the next request.
struct UnitCut(Cut);

impl Inspection for Saliency {
    const NAME: &'static str = "saliency";
    const NEEDS: Needs = Needs::RunWithImages;
    type Request = Request;

    fn compute(cx: &mut InspectionContext<'_>, request: &Request) -> Result<Self, InspectError> {
        let stage = cx.stage()?;
        let dataset = cx.images()?;
        let run = cx.run()?;
        let (inference, device) = (run.inference, run.device);
        let (seed, step) = (run.seed, run.step);
        let question = request.question.unwrap_or(match stage.task {
            // Of several labels an image is taken for no single one: the first is explained.
            Task::Classify if dataset.has_label_sets() => Question::Class(0),
            Task::Classify => Question::Predicted,
            Task::Reconstruct => Question::Error,
        });
        question::check(question, request, &stage, inference, dataset)
            .map_err(InspectError::Input)?;
        let probe = cx.chosen(request.image.as_deref(), &request.chosen)?;
        let slice = SliceOf::of(dataset, cx.slice);
        let look = Look {
            dataset,
            probe: &probe,
            inference,
            question,
            request,
            seed,
            step,
            deadline: cx.deadline,
        };
        let saliency = match (question, &request.layer) {
            (Question::Unit(_), Some(place)) => {
                let kept = cx.take_kept::<UnitCut>().map(|UnitCut(cut)| cut);
                let kept = kept.filter(|cut| cut.place() == place);
                let mut cut = kept.map_or_else(|| Cut::new(inference, place, device), Ok)?;
                cut.take(cx.run()?.network)?;
                let made = look.into(cut.network(), &mut |progress| cx.report(progress))?;
                cx.keep(UnitCut(cut));
                made
            }
            _ => {
                let mut mirror = cx.take_mirror()?;
                let made = look.into(mirror.network(), &mut |progress| cx.report(progress))?;
                cx.return_mirror(mirror);
                made
            }
        };
        Ok(saliency.of_slice(slice))
    }

    fn change_since(&self, earlier: &Self) -> Result<Self, InspectError> {
        let mut made = self.clone();
        subtract(&mut made.values, &earlier.values)?;
        subtract(&mut made.signed, &earlier.signed)?;
        made.maps = made.signed.iter().map(|change| change.abs()).collect();
        made.completeness.clear();
        made.checks.clear();
        made.since = Some((earlier.step, earlier.answers.clone()));
        Ok(made)
    }

    fn step(&self) -> Option<u64> {
        Some(self.step)
    }
}

#[cfg(test)]
mod tests;
