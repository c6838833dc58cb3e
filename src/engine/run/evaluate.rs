//! Measuring a split: loss, accuracy and log loss, or MSE and PSNR, over all of its images.
//!
//! Dropout and noise are off and running statistics are used, so measuring changes nothing. Means
//! are over images, whatever the batches.

use super::batch::Batcher;
use super::label_rows;
use super::pool::in_pool;
use crate::error::RunError;
use crate::event::Metrics;
use candle_core::{Device, Tensor};
use strata_core::project::stage::{Loss, Task};
use strata_data::{PixelUnits, SplitData};
use strata_inspect::confusion::count_answers;
use strata_inspect::label_figures::{count_labels, label_accuracy, macro_f1};
use strata_inspect::predictions::ClassFigures;
use strata_nn::loss::{Target, count_correct, evaluate, evaluate_weighted};
use strata_nn::ops::storage::view;
use strata_nn::{Mode, Network};

/// How a split is measured.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Measure<'a> {
    /// What the network is used for.
    pub task: Task,
    /// The loss that is reported.
    pub loss: Loss,
    /// How much the images of each class count in it.
    pub class_weights: Option<&'a [f64]>,
    /// Images at a time.
    pub batch: usize,
    /// The units of errors of pixels.
    pub pixels: &'a PixelUnits,
}

/// Measures a split; `None` when `keep_going` said no.
pub fn measure(
    network: &mut Network,
    split: &SplitData,
    how: Measure<'_>,
    device: &Device,
    keep_going: &mut dyn FnMut() -> bool,
) -> Result<Option<Metrics>, RunError> {
    let mut sums = Sums::default();
    let finished = for_each_batch(
        network,
        split,
        how,
        device,
        &mut |output, images, labels| {
            sums.add(how, output, images, labels)?;
            Ok(keep_going())
        },
    )?;
    Ok(finished.then(|| sums.metrics(how)))
}

/// Which class each image of a split is taken for: counts by right class (row) and answer (column).
/// Where the network has more answers than there are classes, one more column counts those others.
pub fn confusion(
    network: &mut Network,
    split: &SplitData,
    how: Measure<'_>,
    classes: usize,
    device: &Device,
) -> Result<Vec<Vec<u64>>, RunError> {
    let mut counts = Vec::new();
    for_each_batch(network, split, how, device, &mut |output, _, labels| {
        count_answers(&mut counts, classes, output, labels.classes)?;
        Ok(true)
    })?;
    Ok(counts)
}

/// How well each label is told, where an image may have several.
pub fn label_figures(
    network: &mut Network,
    split: &SplitData,
    how: Measure<'_>,
    device: &Device,
) -> Result<Vec<ClassFigures>, RunError> {
    let mut figures = Vec::new();
    for_each_batch(network, split, how, device, &mut |output, _, labels| {
        if let Some(rows) = labels.rows {
            count_labels(&mut figures, output, rows)?;
        }
        Ok(true)
    })?;
    Ok(figures)
}

/// The labels of a batch.
struct BatchLabels<'a> {
    /// The class of each image; `u32::MAX` where there is none.
    classes: &'a [u32],
    /// Where an image may have several labels, a row for each.
    rows: Option<&'a Tensor>,
}

/// What is done with a batch's output (of a classification its logits), images and labels; false ends it.
type Visit<'a> = dyn FnMut(&Tensor, &Tensor, BatchLabels<'_>) -> Result<bool, RunError> + 'a;

/// False when the visitor ended it before the last batch.
fn for_each_batch(
    network: &mut Network,
    split: &SplitData,
    how: Measure<'_>,
    device: &Device,
    visit: &mut Visit<'_>,
) -> Result<bool, RunError> {
    let mut batcher = Batcher::new(device);
    let indices: Vec<u32> = (0..split.len() as u32).collect();
    for indices in indices.chunks(how.batch.max(1)) {
        let batch = batcher.read(split, indices)?;
        let output = in_pool(|| {
            let output = network.forward(how.task.into(), &batch.images, Mode::Eval)?;
            match how.task {
                Task::Reconstruct => Ok(output),
                Task::Classify => network.logits(&output),
            }
        })?;
        let rows = label_rows::of_images(split, indices, &output)?;
        let labels = BatchLabels {
            classes: batch.labels,
            rows: rows.as_ref(),
        };
        if !visit(&output, &batch.images, labels)? {
            return Ok(false);
        }
    }
    Ok(true)
}

#[derive(Default)]
struct Sums {
    images: f64,
    loss: f64,
    /// What the loss is the mean over.
    weight: f64,
    correct: f64,
    log_loss: f64,
    mse: f64,
    /// Of each label, where an image may have several.
    labels: Vec<ClassFigures>,
    /// Images of which every label is answered right.
    exact: usize,
}

impl Sums {
    fn add(
        &mut self,
        how: Measure<'_>,
        output: &Tensor,
        images: &Tensor,
        labels: BatchLabels<'_>,
    ) -> Result<(), RunError> {
        let count = labels.classes.len() as f64;
        let target = match (how.task, labels.rows) {
            (Task::Reconstruct, _) => Target::Images(images),
            (Task::Classify, Some(rows)) => Target::LabelRows(rows),
            (Task::Classify, None) => Target::Labels(labels.classes),
        };
        let evaluated = evaluate_weighted(how.loss, how.class_weights, output, target, None)?;
        let second = |other: Loss| -> Result<f64, RunError> {
            if other == how.loss && how.class_weights.is_none() {
                Ok(evaluated.value)
            } else {
                Ok(evaluate(other, output, target, None)?.value)
            }
        };
        match how.task {
            Task::Reconstruct => {
                let mse = second(Loss::Mse)?;
                self.mse += count * pixel_error(how.pixels, mse, output, images)?;
            }
            Task::Classify => match labels.rows {
                Some(rows) => {
                    self.exact += count_labels(&mut self.labels, output, rows)?;
                }
                None => {
                    self.correct += count_correct(output, labels.classes)? as f64;
                    self.log_loss += count * second(Loss::CROSS_ENTROPY)?;
                }
            },
        }
        self.images += count;
        self.loss += evaluated.weight * evaluated.value;
        self.weight += evaluated.weight;
        Ok(())
    }

    fn metrics(&self, how: Measure<'_>) -> Metrics {
        let mean = |sum: f64| sum / self.images.max(1.0);
        let metrics = Metrics {
            loss: self.loss / self.weight.max(f64::MIN_POSITIVE),
            ..Metrics::default()
        };
        match how.task {
            Task::Reconstruct => with_mse(metrics, mean(self.mse), how.pixels),
            Task::Classify if !self.labels.is_empty() => Metrics {
                accuracy: label_accuracy(&self.labels, self.images as u64),
                f1: macro_f1(&self.labels),
                exact_match: Some(mean(self.exact as f64)),
                ..metrics
            },
            Task::Classify => Metrics {
                accuracy: Some(mean(self.correct)),
                log_loss: Some(mean(self.log_loss)),
                ..metrics
            },
        }
    }
}

/// The mean squared error of a batch in pixels, of which `mse` is the one in the network's numbers.
pub(crate) fn pixel_error(
    pixels: &PixelUnits,
    mse: f64,
    output: &Tensor,
    images: &Tensor,
) -> Result<f64, RunError> {
    if let Some(error) = pixels.of_network_error(mse) {
        return Ok(error);
    }
    let output = output.to_device(&Device::Cpu)?;
    let images = images.to_device(&Device::Cpu)?;
    Ok(pixels.mean_square(&view::<f32>(&output)?, &view::<f32>(&images)?))
}

/// Metrics of reconstructions with this mean squared error in pixels.
pub(crate) fn with_mse(metrics: Metrics, mse: f64, pixels: &PixelUnits) -> Metrics {
    Metrics {
        mse: Some(mse),
        psnr: Some(pixels.psnr(mse)),
        ..metrics
    }
}
