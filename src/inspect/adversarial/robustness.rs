//! How many images of a split are still taken for what they are, by how much they may be changed.

use super::attack::{Attack, How, Norm, Shares, attack};
use super::{probabilities, ranked};
use crate::batches::{Batch, Walk};
use crate::confusion::{classifying, counted};
use crate::head::check_one_class;
use crate::inspection::{InspectError, Inspection, InspectionContext, Needs};
use strata_core::project::data::Split;

/// Radii that are tried, from 0 to [`FARTHEST`] times the one asked for.
pub const RADII: usize = 7;
/// See [`RADII`].
pub const FARTHEST: f32 = 2.0;
/// Images attacked unless asked for otherwise.
pub const IMAGES: usize = 200;
/// Images at a time.
const BATCH: usize = 50;
/// The same while a run trains.
const LIVE: usize = 8;

/// What is asked for.
#[derive(Clone, Debug, PartialEq)]
pub struct Request {
    /// The attack.
    pub attack: Attack,
    /// The norm of the ball.
    pub norm: Norm,
    /// The radius in the middle of those that are tried.
    pub epsilon: f32,
    /// The split; `None` for test, or the first there is.
    pub split: Option<Split>,
    /// How many of its images, drawn at random; `None` for the usual number.
    pub limit: Option<usize>,
}

/// Right answers by radius.
#[derive(Clone, Debug, PartialEq)]
pub struct Robustness {
    /// Steps taken when it was measured.
    pub step: u64,
    /// What was asked.
    pub request: Request,
    /// The split.
    pub split: Split,
    /// Images attacked.
    pub images: usize,
    /// Of how many there are.
    pub of: usize,
    /// Each radius with the number of right answers.
    pub right: Vec<(f32, usize)>,
}

impl Robustness {
    /// The share of right answers at each radius.
    pub fn accuracies(&self) -> Vec<(f32, f64)> {
        let share =
            |(epsilon, right): &(f32, usize)| (*epsilon, *right as f64 / self.images.max(1) as f64);
        self.right.iter().map(share).collect()
    }
}

impl Inspection for Robustness {
    const NAME: &'static str = "accuracy under attack";
    const NEEDS: Needs = Needs::RunWithImages;
    type Request = Request;

    fn compute(cx: &mut InspectionContext<'_>, request: &Request) -> Result<Self, InspectError> {
        let dataset = cx.images()?;
        classifying(cx)?;
        let run = cx.run()?;
        let (step, seed) = (run.step, run.seed);
        check_one_class(dataset, "adversarial examples")?;
        let (split, data) = counted(dataset, request.split)?;
        let shares = Shares::of(dataset, data.image_shape())?;
        let radius = |index: usize| FARTHEST * request.epsilon * index as f32 / (RADII - 1) as f32;
        let mut robustness = Robustness {
            step,
            request: request.clone(),
            split,
            images: 0,
            of: data.len(),
            right: (0..RADII).map(|index| (radius(index), 0)).collect(),
        };
        let batch = if cx.deadline.is_some() { LIVE } else { BATCH };
        let most = request.limit.unwrap_or(IMAGES);
        let walk = Walk::drawn(data.len(), most, batch, "attacking");
        let mut mirror = cx.take_mirror()?;
        let read = |indices: &[u32]| Batch::read(data, indices);
        robustness.images = walk.each(cx, read, |cx, batch| {
            let images = shares.of_numbers(&batch.values);
            // The split has labels: they were asked for.
            let labels: Vec<u32> = batch
                .labels
                .iter()
                .map(|label| label.unwrap_or(0))
                .collect();
            for (epsilon, right) in &mut robustness.right {
                let how = How {
                    attack: request.attack,
                    norm: request.norm,
                    epsilon: *epsilon,
                    is_targeted: false,
                    transformations: 0,
                    seed,
                };
                let network = mirror.network();
                let watch = &mut |_| cx.is_wanted();
                let changed = attack(network, &shares, &images, &labels, &how, watch)?;
                let numbers = shares.to_numbers(&changed);
                let answers = probabilities(network, &numbers, shares.size)?;
                let is_right = |(answer, label): &(&Vec<f32>, &u32)| {
                    ranked(answer)
                        .first()
                        .is_some_and(|(class, _)| class == *label)
                };
                *right += answers.iter().zip(&labels).filter(is_right).count();
            }
            Ok(())
        })?;
        cx.return_mirror(mirror);
        Ok(robustness)
    }

    fn step(&self) -> Option<u64> {
        Some(self.step)
    }
}
