//! Adversarial examples: images changed so little that a person sees the same, and so that the network is wrong.
//!
//! Running statistics are used, dropout and noise are off. Fails as the network and the reading of images do, and where
//! nothing is classified.

pub mod attack;
pub mod robustness;
pub mod transfer;
pub mod transformation;

pub use attack::{Attack, How, Norm, Shares, attack};
pub use robustness::Robustness;
pub use transfer::Transfer;

use super::confusion::classifying;
use super::head::check_one_class;
use super::image_set::Chosen;
use super::inspection::{InspectError, Inspection, InspectionContext, Needs};
use super::predictions::softmax;
use super::reconstructions::Probe;
use super::slices::{SliceOf, shown, shown_size};
use crate::attribution::score::numbers;
use candle_core::Tensor;
use std::path::PathBuf;
use std::sync::Arc;
use strata_data::Dataset;
use strata_nn::{Mode, Network, NnError, Route};
use transformation::Transformation;

/// Classes listed for each image.
const TOP: usize = 3;
/// ε unless asked for otherwise, in shares of the way from black to white.
pub const EPSILON: f32 = 0.1;
/// Transformations that the result is looked at through.
const VIEWS: usize = 50;

/// What is asked for.
#[derive(Clone, Debug, PartialEq)]
pub struct Request {
    /// An image file instead of the probe images.
    pub image: Option<PathBuf>,
    /// Other images instead of the probe images.
    pub chosen: Chosen,
    /// The attack.
    pub attack: Attack,
    /// The norm of the ball.
    pub norm: Norm,
    /// Its radius, in shares of the way from black to white.
    pub epsilon: f32,
    /// The class that the images should be taken for; `None` for any but the right one.
    pub target: Option<u32>,
    /// Random transformations that the attack averages over, 0 for none.
    pub transformations: usize,
}

impl Default for Request {
    fn default() -> Request {
        Request {
            image: None,
            chosen: Chosen::default(),
            attack: Attack::default(),
            norm: Norm::default(),
            epsilon: EPSILON,
            target: None,
            transformations: 0,
        }
    }
}

/// What an image was taken for, and what it is taken for after the attack.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Outcome {
    /// The right class, where it is known.
    pub label: Option<u32>,
    /// The most probable classes before, falling.
    pub before: Vec<(u32, f32)>,
    /// And after.
    pub after: Vec<(u32, f32)>,
    /// The largest change of a value, and the root of the sum of all squared, in shares of the way from black to white.
    pub change: [f32; 2],
    /// Of the transformations that the result was looked at through, the share that fools the network; `None` without
    /// transformations.
    pub views_fooled: Option<f32>,
}

/// Images, changed images and what the network says of them.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Adversarial {
    /// Steps taken when they were made.
    pub step: u64,
    /// How they were made.
    pub request: Request,
    /// Height, width and channels of an image.
    pub size: [usize; 3],
    /// `N × H × W × C` bytes of the images.
    pub inputs: Vec<u8>,
    /// The same of the changed images.
    pub results: Vec<u8>,
    /// `N × H × W × C` changes, in shares of the way from black to white.
    pub changes: Vec<f32>,
    /// The images in shares of the way from black to white, and the changed ones; of volumes all slices.
    pub originals: Arc<Vec<f32>>,
    /// See `originals`.
    pub changed: Arc<Vec<f32>>,
    /// Height, width and channels of these.
    pub whole: [usize; 3],
    /// One for each image.
    pub outcomes: Vec<Outcome>,
    /// The classes' names.
    pub classes: Vec<String>,
    /// Which slice of volumes is shown; `None` of images.
    pub slice: Option<SliceOf>,
}

impl Adversarial {
    /// A class's name; its number where it has none.
    pub fn class_name(&self, class: u32) -> String {
        super::class_name(&self.classes, class)
    }

    /// Whether an image fools the network: it is taken for the target, or no more for what it is (where that is not
    /// known, for what it was taken for).
    pub fn is_fooled(&self, outcome: &Outcome) -> bool {
        let answer = outcome.after.first().map(|(class, _)| *class);
        let before = outcome.before.first().map(|(class, _)| *class);
        fools(answer, self.request.target, outcome.label.or(before))
    }

    /// How many images fool the network.
    pub fn fooled(&self) -> usize {
        let fools = |outcome: &&Outcome| self.is_fooled(outcome);
        self.outcomes.iter().filter(fools).count()
    }

    /// The bytes of an image.
    pub fn input(&self, index: usize) -> &[u8] {
        part(&self.inputs, index, self.size)
    }

    /// The bytes of a changed image.
    pub fn result(&self, index: usize) -> &[u8] {
        part(&self.results, index, self.size)
    }

    /// By how much a difference is drawn stronger: its largest value becomes half of the way from black to white.
    pub fn amplification(&self, index: usize) -> f32 {
        let most = Norm::Linf.length(part(&self.changes, index, self.size));
        if most > 0.0 { 0.5 / most } else { 1.0 }
    }

    /// A difference as bytes around grey, which is no change.
    pub fn difference(&self, index: usize) -> Vec<u8> {
        let factor = self.amplification(index);
        let byte = |change: &f32| ((0.5 + factor * change) * 255.0).round().clamp(0.0, 255.0) as u8;
        part(&self.changes, index, self.size)
            .iter()
            .map(byte)
            .collect()
    }

    fn of_slice(self, slice: Option<SliceOf>) -> Adversarial {
        let size = self.size;
        Adversarial {
            size: shown_size(slice, size),
            inputs: shown(slice, &self.inputs, size).into_owned(),
            results: shown(slice, &self.results, size).into_owned(),
            changes: shown(slice, &self.changes, size).into_owned(),
            slice,
            ..self
        }
    }
}

fn part<T>(all: &[T], index: usize, size: [usize; 3]) -> &[T] {
    let size = size.iter().product::<usize>();
    all.get(index * size..(index + 1) * size)
        .unwrap_or_default()
}

fn fools(answer: Option<u32>, target: Option<u32>, right: Option<u32>) -> bool {
    match target {
        Some(target) => answer == Some(target),
        None => answer.is_some() && answer != right,
    }
}

/// Probabilities of each image (numbers as the network gets them).
fn probabilities(
    network: &mut Network,
    images: &[f32],
    [height, width, channels]: [usize; 3],
) -> Result<Vec<Vec<f32>>, NnError> {
    let count = images.len() / (height * width * channels).max(1);
    let images = Tensor::from_slice(images, (count, height, width, channels), network.device())?;
    let output = network.forward(Route::Classify, &images, Mode::Eval)?;
    let scores = numbers(&network.logits(&output)?)?;
    let each = (scores.len() / count.max(1)).max(1);
    Ok(scores.chunks_exact(each).map(softmax).collect())
}

pub(crate) fn ranked(probabilities: &[f32]) -> Vec<(u32, f32)> {
    let mut ranked: Vec<(u32, f32)> = (0..).zip(probabilities.iter().copied()).collect();
    ranked.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
    ranked
}

impl Inspection for Adversarial {
    const NAME: &'static str = "adversarial examples";
    const NEEDS: Needs = Needs::RunWithImages;
    type Request = Request;

    fn compute(cx: &mut InspectionContext<'_>, request: &Request) -> Result<Self, InspectError> {
        let dataset = cx.images()?;
        classifying(cx)?;
        let run = cx.run()?;
        let (step, seed) = (run.step, run.seed);
        check(dataset, request)?;
        let mut probe = cx.chosen(request.image.as_deref(), &request.chosen)?;
        if cx.deadline.is_some() && probe.labels().len() > LIVE {
            // A run in training has no time for all of them.
            probe = Arc::new(probe.first(LIVE)?);
        }
        let slice = SliceOf::of(dataset, cx.slice);
        let mut mirror = cx.take_mirror()?;
        let network = mirror.network();
        let watch = &mut |progress| cx.report(progress);
        let made = examples(network, dataset, &probe, request, seed, watch)?;
        cx.return_mirror(mirror);
        Ok(Adversarial { step, ..made }.of_slice(slice))
    }

    fn step(&self) -> Option<u64> {
        Some(self.step)
    }
}

/// Images that a run in training attacks at once.
const LIVE: usize = 4;

fn check(dataset: &Dataset, request: &Request) -> Result<(), InspectError> {
    check_one_class(dataset, "adversarial examples")?;
    let classes = dataset.classes().len();
    if let Some(target) = request.target.filter(|target| *target as usize >= classes) {
        return Err(InspectError::Input(format!(
            "there is no class {target}; the images have {classes}"
        )));
    }
    let [_, height, _] = dataset.shape();
    if request.transformations > 0 && (dataset.depth().is_some() || height == 1) {
        return Err(InspectError::Input(
            "signals and volumes are not rotated: attack them without transformations".to_owned(),
        ));
    }
    Ok(())
}

fn examples(
    network: &mut Network,
    dataset: &Dataset,
    probe: &Probe,
    request: &Request,
    seed: u64,
    watch: &mut crate::attribution::Watch<'_>,
) -> Result<Adversarial, InspectError> {
    let shares = Shares::of(dataset, probe.size())?;
    let before = probabilities(network, probe.values(), shares.size)?;
    let answers = before
        .iter()
        .map(|image| ranked(image).first().map_or(0, |(class, _)| *class));
    let right: Vec<u32> = answers
        .zip(probe.labels())
        .map(|(answer, label)| label.unwrap_or(answer))
        .collect();
    let aimed = match request.target {
        Some(target) => vec![target; right.len()],
        None => right.clone(),
    };
    let how = How {
        attack: request.attack,
        norm: request.norm,
        epsilon: request.epsilon,
        is_targeted: request.target.is_some(),
        transformations: request.transformations,
        seed,
    };
    let images = shares.of_numbers(probe.values());
    let changed = attack(network, &shares, &images, &aimed, &how, watch)?;
    let numbers = shares.to_numbers(&changed);
    let after = probabilities(network, &numbers, shares.size)?;
    let fooled = views_fooled(network, &shares, &changed, &how, (request.target, &right))?;
    let changes: Vec<f32> = changed
        .iter()
        .zip(&images)
        .map(|(new, old)| new - old)
        .collect();
    let top = |probabilities: &[f32]| ranked(probabilities).into_iter().take(TOP).collect();
    let outcome = |index: usize| Outcome {
        label: probe.labels().get(index).copied().flatten(),
        before: top(&before[index]),
        after: top(&after[index]),
        change: Norm::ALL.map(|norm| norm.length(part(&changes, index, shares.size))),
        views_fooled: fooled.get(index).copied(),
    };
    let outcomes = (0..before.len()).map(outcome).collect();
    Ok(Adversarial {
        step: 0,
        request: request.clone(),
        size: shares.size,
        inputs: dataset.to_pixels(probe.values()),
        results: dataset.to_pixels(&numbers),
        changes,
        originals: Arc::new(images),
        changed: Arc::new(changed),
        whole: shares.size,
        outcomes,
        classes: dataset.classes().to_vec(),
        slice: None,
    })
}

/// Of each changed image the share of new transformations through which it fools.
fn views_fooled(
    network: &mut Network,
    shares: &Shares,
    changed: &[f32],
    how: &How,
    (target, right): (Option<u32>, &[u32]),
) -> Result<Vec<f32>, InspectError> {
    if how.transformations == 0 {
        return Ok(Vec::new());
    }
    let mut fooled = vec![0.0; right.len()];
    for view in 0..VIEWS as u64 {
        // Others than those that the attack has averaged over.
        let transformation = Transformation::draw(!how.seed, view);
        let seen = shares.to_numbers(&transformation.apply(changed, shares.size));
        let answers = probabilities(network, &seen, shares.size)?;
        for ((count, answer), right) in fooled.iter_mut().zip(&answers).zip(right) {
            let answer = ranked(answer).first().map(|(class, _)| *class);
            *count += f32::from(u8::from(fools(answer, target, Some(*right)))) / VIEWS as f32;
        }
    }
    Ok(fooled)
}

#[cfg(test)]
mod tests;
