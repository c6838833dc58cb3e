//! Which class every image of a split is taken for, in the order of the split, and the log loss of that.

use super::confusion::{classifying, counted};
use super::head::check_one_class;
use super::inspection::{InspectError, Inspection, InspectionContext, Needs};
use candle_core::{Device, Tensor};
use strata_core::project::data::Split;
use strata_data::{DataError, Progress, fill_batch};
use strata_nn::{Mode, Route};

/// Images at a time.
const BATCH: usize = 100;

/// The answer for every image of a split.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Answers {
    /// Steps taken when they were given.
    pub step: u64,
    /// The split.
    pub split: Split,
    /// The names of the classes.
    pub classes: Vec<String>,
    /// The right class of each image.
    pub labels: Vec<u32>,
    /// The class it is taken for; beyond the classes where the head gives an answer that is none.
    pub answers: Vec<u32>,
    /// Mean negative natural logarithm of the right class's probability.
    pub log_loss: f64,
}

impl Inspection for Answers {
    const NAME: &'static str = "answers";
    const NEEDS: Needs = Needs::RunWithImages;
    /// The split; `None` for the images that the network never learnt from, as far as there are some.
    type Request = Option<Split>;

    fn compute(
        cx: &mut InspectionContext<'_>,
        request: &Option<Split>,
    ) -> Result<Self, InspectError> {
        let dataset = cx.images()?;
        classifying(cx)?;
        check_one_class(dataset, "answers to compare")?;
        let step = cx.run()?.step;
        let (split, data) = counted(dataset, *request)?;
        let mut answers = Answers {
            step,
            split,
            classes: dataset.classes().to_vec(),
            ..Answers::default()
        };
        let [height, width, channels] = data.image_shape();
        let indices: Vec<u32> = (0..data.len() as u32).collect();
        let mut losses = 0.0;
        let mut mirror = cx.take_mirror()?;
        for indices in indices.chunks(BATCH) {
            let mut images = vec![0.0; indices.len() * height * width * channels];
            let mut labels = vec![0; indices.len()];
            fill_batch(data, indices, &mut images, &mut labels)?;
            let network = mirror.network();
            let shape = (indices.len(), height, width, channels);
            let images = Tensor::from_vec(images, shape, network.device())?;
            let output = network.forward(Route::Classify, &images, Mode::Eval)?;
            // A GPU's argmax takes any of equal scores; the first counts.
            let scores = network.logits(&output)?.to_device(&Device::Cpu)?;
            answers.answers.extend(scores.argmax(1)?.to_vec1::<u32>()?);
            let rows = scores.to_vec2::<f32>()?;
            losses += rows
                .iter()
                .zip(&labels)
                .map(|(row, label)| loss(row, *label))
                .sum::<f64>();
            answers.labels.extend(labels);
            let progress = Progress {
                what: "asking the network",
                done: answers.labels.len(),
                total: data.len(),
            };
            if !cx.report(progress) {
                return Err(DataError::Cancelled.into());
            }
        }
        cx.return_mirror(mirror);
        answers.log_loss = losses / answers.labels.len().max(1) as f64;
        Ok(answers)
    }

    fn step(&self) -> Option<u64> {
        Some(self.step)
    }
}

/// The negative logarithm of the softmax at the label.
fn loss(scores: &[f32], label: u32) -> f64 {
    let most = scores.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let sum: f64 = scores
        .iter()
        .map(|score| f64::from(score - most).exp())
        .sum();
    let own = scores
        .get(label as usize)
        .copied()
        .unwrap_or(f32::NEG_INFINITY);
    sum.ln() - f64::from(own - most)
}
