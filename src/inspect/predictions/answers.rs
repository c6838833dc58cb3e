//! What the network answers to each image, and the lists of images that are told by it.

use super::List;
use super::augmented::Draws;
use super::figures::ClassFigures;
use crate::attribution::score::numbers;
use crate::batches::Batch;
use crate::inspection::InspectError;
use crate::label_figures;
use crate::network_copy::InspectionNetwork;
use candle_core::Tensor;
use std::cmp::Ordering;
use strata_nn::{Mode, Route};

/// The probability from which on a label is said to be there.
const HALF: f32 = 0.5;

/// The answers for all images that were counted.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Answers {
    /// Answers of the head.
    pub outputs: usize,
    /// The place of each image in the split (or among the files).
    pub indices: Vec<u32>,
    /// The right class of each, where it is known.
    pub labels: Vec<Option<u32>>,
    /// `N × outputs` probabilities.
    pub probabilities: Vec<f32>,
    /// Whether an image may have several labels: each probability is then one of its own.
    pub of_labels: bool,
    /// In that case, a row for each image whose labels are known: 1 for a label that it has, else 0.
    pub label_rows: Vec<f32>,
}

impl Answers {
    /// The probabilities of an image.
    pub fn of(&self, image: usize) -> &[f32] {
        let from = image * self.outputs;
        self.probabilities
            .get(from..from + self.outputs)
            .unwrap_or_default()
    }

    /// The most probable classes of an image, falling.
    pub fn top(&self, image: usize, count: usize) -> Vec<(u32, f32)> {
        let mut ranked: Vec<(u32, f32)> = (0..).zip(self.of(image).iter().copied()).collect();
        ranked.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
        ranked.truncate(count);
        ranked
    }

    /// The class that an image is taken for, and how probable it is.
    pub fn taken(&self, image: usize) -> (u32, f32) {
        let better = |best: (u32, f32), next: (u32, f32)| match next.1.total_cmp(&best.1) {
            Ordering::Greater => next,
            _ => best,
        };
        let all = (0..).zip(self.of(image).iter().copied());
        all.reduce(better).unwrap_or((0, f32::NAN))
    }

    /// The row of labels of an image, where it may have several and they are known.
    fn row(&self, image: usize) -> Option<&[f32]> {
        let from = image * self.outputs;
        self.label_rows.get(from..from + self.outputs)
    }

    /// The labels of an image, where it may have several and they are known.
    pub(super) fn set(&self, image: usize) -> Option<Vec<u32>> {
        let cells = (0..).zip(self.row(image)?);
        Some(
            cells
                .filter(|(_, cell)| **cell > 0.5)
                .map(|(label, _)| label)
                .collect(),
        )
    }

    /// The probability of each label beside whether the image has it.
    fn cells(&self, image: usize) -> impl Iterator<Item = (f32, bool)> + '_ {
        let row = self.row(image).unwrap_or_default().iter();
        self.of(image)
            .iter()
            .copied()
            .zip(row.map(|cell| *cell > 0.5))
    }

    /// Whether an image is answered otherwise than it is.
    pub(super) fn is_wrong(&self, image: usize) -> bool {
        match self.of_labels {
            true => self
                .cells(image)
                .any(|(probability, there)| (probability > HALF) != there),
            false => self.labels[image].is_some_and(|label| label != self.taken(image).0),
        }
    }

    /// How far off the answer about the label that is most wrong is.
    fn worst(&self, image: usize) -> f32 {
        let off =
            |(probability, there): (f32, bool)| (probability - f32::from(u8::from(there))).abs();
        self.cells(image).map(off).fold(0.0, f32::max)
    }

    /// The figures of each label, where an image may have several and they are known.
    pub(super) fn label_figures(&self) -> Option<Vec<ClassFigures>> {
        if self.label_rows.is_empty() {
            return None;
        }
        let mut figures = vec![ClassFigures::default(); self.outputs];
        for image in 0..self.labels.len() {
            let labels = self
                .cells(image)
                .map(|(probability, there)| (probability > HALF, there));
            label_figures::add(&mut figures, labels);
        }
        Some(figures)
    }

    /// How much more probable the answer is than the next one; of several labels, how far the least sure one is from a
    /// half.
    fn margin(&self, image: usize) -> f32 {
        if self.of_labels {
            let far = |probability: &f32| (probability - HALF).abs();
            return self.of(image).iter().map(far).fold(f32::INFINITY, f32::min);
        }
        match self.top(image, 2).as_slice() {
            [first, second] => first.1 - second.1,
            _ => 1.0,
        }
    }

    /// Right class and answer of each image that has one.
    pub(super) fn pairs(&self) -> impl Iterator<Item = (u32, (u32, f32))> + '_ {
        let labelled = self.labels.iter().enumerate();
        labelled.filter_map(|(image, label)| Some(((*label)?, self.taken(image))))
    }

    /// Which images a list shows, in its order.
    pub(super) fn listed(&self, list: List) -> Vec<usize> {
        let all = 0..self.labels.len();
        let is_wrong = |image: &usize| self.is_wrong(*image);
        let sorted = |mut images: Vec<usize>, key: &dyn Fn(usize) -> f32| {
            images.sort_by(|a, b| key(*a).total_cmp(&key(*b)));
            images
        };
        match list {
            List::First => all.collect(),
            List::MostWrong => sorted(
                all.filter(is_wrong).collect(),
                &|image| match self.of_labels {
                    true => -self.worst(image),
                    false => -self.taken(image).1,
                },
            ),
            List::LeastSure => sorted(all.collect(), &|image| self.margin(image)),
            List::Taken(label, answer) => {
                let is = |image: &usize| {
                    self.labels[*image] == Some(label) && self.taken(*image).0 == answer
                };
                sorted(all.filter(is).collect(), &|image| -self.taken(image).1)
            }
        }
    }
}

impl Answers {
    /// Asks the network about more images.
    pub(super) fn add(
        &mut self,
        mirror: &mut InspectionNetwork,
        batch: Batch,
        draws: Option<&Draws<'_>>,
    ) -> Result<(), InspectError> {
        let Batch {
            indices,
            labels,
            label_rows,
            values: images,
            size,
        } = batch;
        let probabilities = match draws {
            None => probabilities(mirror, images, size, self.of_labels)?,
            Some(draws) => {
                let mut sum = vec![0.0; 0];
                for draw in 0..draws.count {
                    let images = draws.images(&indices, draw)?;
                    let one = probabilities(mirror, images, size, self.of_labels)?;
                    sum.resize(one.len(), 0.0);
                    let share = 1.0 / draws.count as f32;
                    let pairs = sum.iter_mut().zip(&one);
                    pairs.for_each(|(sum, one)| *sum += share * one);
                }
                sum
            }
        };
        self.outputs = (probabilities.len() / indices.len().max(1)).max(1);
        self.probabilities.extend(probabilities);
        self.labels.extend(labels);
        self.label_rows.extend(label_rows);
        self.indices.extend(indices);
        Ok(())
    }
}

/// The probabilities of images as the network gets them, one image after the other.
fn probabilities(
    mirror: &mut InspectionNetwork,
    images: Vec<f32>,
    [height, width, channels]: [usize; 3],
    of_labels: bool,
) -> Result<Vec<f32>, InspectError> {
    let count = images.len() / (height * width * channels).max(1);
    let network = mirror.network();
    let images = Tensor::from_vec(images, (count, height, width, channels), network.device())?;
    let output = network.forward(Route::Classify, &images, Mode::Eval)?;
    let scores = numbers(&network.logits(&output)?)?;
    if of_labels {
        return Ok(sigmoid(&scores));
    }
    let each = (scores.len() / count.max(1)).max(1);
    Ok(scores.chunks_exact(each).flat_map(softmax).collect())
}

/// The probability of each label from its score, where an image may have several.
pub fn sigmoid(scores: &[f32]) -> Vec<f32> {
    let probability = |score: &f32| 1.0 / (1.0 + (-score).exp());
    scores.iter().map(probability).collect()
}

/// Probabilities from scores.
pub fn softmax(scores: &[f32]) -> Vec<f32> {
    let highest = scores.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let powers: Vec<f32> = scores.iter().map(|score| (score - highest).exp()).collect();
    let sum: f32 = powers.iter().sum();
    powers.into_iter().map(|power| power / sum).collect()
}
