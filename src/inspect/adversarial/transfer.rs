//! Whether images that were made to fool one network fool another, too: they know nothing of its weights.

use super::{Adversarial, Shares, probabilities, ranked};
use crate::confusion::classifying;
use crate::inspection::{InspectError, Inspection, InspectionContext, Needs};
use std::sync::Arc;

/// Classes listed for each image.
const TOP: usize = 3;

/// What is asked of the other network.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Request {
    /// Height, width and channels of an image.
    pub size: [usize; 3],
    /// The images, one after the other, in shares of the way from black to white.
    pub images: Arc<Vec<f32>>,
    /// The changed images.
    pub changed: Arc<Vec<f32>>,
    /// The right classes, where they are known.
    pub labels: Vec<Option<u32>>,
    /// The class that they were made to be taken for.
    pub target: Option<u32>,
}

impl Request {
    /// Asks of these examples.
    pub fn of(made: &Adversarial) -> Request {
        Request {
            size: made.whole,
            images: made.originals.clone(),
            changed: made.changed.clone(),
            labels: made.outcomes.iter().map(|outcome| outcome.label).collect(),
            target: made.request.target,
        }
    }
}

/// What the other network says of the images, and of the changed ones.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Transfer {
    /// Steps that the other network has taken.
    pub step: u64,
    /// The most probable classes of each image, falling.
    pub before: Vec<Vec<(u32, f32)>>,
    /// The same of the changed images.
    pub after: Vec<Vec<(u32, f32)>>,
    /// Which images it had right before, and of those which fool it after.
    pub was_right: Vec<bool>,
    /// See `was_right`; with a target, which are taken for it.
    pub is_fooled: Vec<bool>,
}

impl Transfer {
    /// Images that it had right before.
    pub fn right(&self) -> usize {
        self.was_right.iter().filter(|is| **is).count()
    }

    /// Of those the number that fools it.
    pub fn fooled(&self) -> usize {
        let both = self.was_right.iter().zip(&self.is_fooled);
        both.filter(|(right, fooled)| **right && **fooled).count()
    }
}

impl Inspection for Transfer {
    const NAME: &'static str = "transfer of adversarial examples";
    const NEEDS: Needs = Needs::RunWithImages;
    type Request = Request;

    fn compute(cx: &mut InspectionContext<'_>, request: &Request) -> Result<Self, InspectError> {
        let dataset = cx.images()?;
        classifying(cx)?;
        let [channels, height, width] = dataset.shape();
        if [height, width, channels] != request.size {
            let [high, wide, deep] = request.size;
            return Err(InspectError::Input(format!(
                "the other run takes images of {channels}×{height}×{width}, these are {deep}×{high}×{wide}"
            )));
        }
        let shares = Shares::of(dataset, request.size)?;
        let step = cx.run()?.step;
        let network = cx.mirror()?.network();
        let mut answers = |images: &[f32]| -> Result<Vec<Vec<(u32, f32)>>, InspectError> {
            let all = probabilities(network, &shares.to_numbers(images), request.size)?;
            let top = |one: &Vec<f32>| ranked(one).into_iter().take(TOP).collect();
            Ok(all.iter().map(top).collect())
        };
        let before = answers(&request.images)?;
        let after = answers(&request.changed)?;
        let first = |answers: &[(u32, f32)]| answers.first().map(|(class, _)| *class);
        let was_right: Vec<bool> = before
            .iter()
            .zip(&request.labels)
            // Where the right class is not known, what it says of the image itself counts as right.
            .map(|(answers, label)| label.is_none_or(|label| first(answers) == Some(label)))
            .collect();
        let fooled = |(index, answers): (usize, &Vec<(u32, f32)>)| match request.target {
            Some(target) => first(answers) == Some(target),
            None => first(answers) != first(&before[index]),
        };
        Ok(Transfer {
            step,
            is_fooled: after.iter().enumerate().map(fooled).collect(),
            was_right,
            before,
            after,
        })
    }

    fn step(&self) -> Option<u64> {
        Some(self.step)
    }
}
