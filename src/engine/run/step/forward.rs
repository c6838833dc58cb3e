//! The forward pass of a step: the loss with its gradient, and what is reported of it.
//!
//! On the CPU the numbers are there when it returns. Elsewhere they stay where they are computed until they are read,
//! all at once, when the backward pass is asked for: the host waits for the device once a step.

use super::Stepper;
use crate::error::RunError;
use crate::run::batch::Batch;
use crate::run::evaluate::pixel_error;
use crate::run::label_rows::LabelRows;
use crate::run::session::Session;
use candle_core::{DType, Tensor};
use strata_core::project::stage::{Loss, Task};
use strata_data::PixelUnits;
use strata_nn::device::has_own_kernels;
use strata_nn::loss::{self, Blend, Target, on_device};
use strata_nn::{Mode, NnError};

/// What a step's forward pass gave.
pub(super) struct Forward {
    pub loss: f64,
    /// What the loss is the mean over: images, or the weights of their classes.
    pub weight: f64,
    pub penalty: f64,
    pub correct: Option<usize>,
    /// Answers of each image: as many as labels where it may have several.
    pub answers: usize,
    /// The mean squared error in pixels, where it is reported.
    pub pixel_error: Option<f64>,
    pub gradient: Tensor,
    /// Numbers that are still on the device.
    unread: Option<Unread>,
}

/// What is computed and not read yet.
struct Unread {
    /// The loss, the penalty, and how many answers are right.
    numbers: Tensor,
    counts: bool,
    /// The output and the images, where their error in pixels is reported.
    compared: Option<(Tensor, Tensor)>,
}

impl Forward {
    /// Whether its numbers are there.
    pub fn is_known(&self) -> bool {
        self.unread.is_none()
    }

    /// What is minimised.
    pub fn total(&self) -> f64 {
        self.loss + self.penalty
    }

    /// Waits for the numbers, where they are not there yet.
    pub fn read(&mut self, pixels: &PixelUnits) -> Result<(), RunError> {
        let Some(unread) = self.unread.take() else {
            return Ok(());
        };
        let numbers = unread.numbers.to_vec1::<f32>()?;
        let number = |at: usize| f64::from(numbers.get(at).copied().unwrap_or(f32::NAN));
        (self.loss, self.penalty) = (number(0), number(1));
        self.correct = unread.counts.then(|| number(2).round() as usize);
        if let Some((output, images)) = &unread.compared {
            self.pixel_error = Some(pixel_error(pixels, self.loss, output, images)?);
        }
        Ok(())
    }
}

impl Stepper {
    pub(super) fn forward(
        &mut self,
        session: &mut Session<'_>,
        batch: &Batch<'_>,
    ) -> Result<Forward, RunError> {
        let mode = Mode::Train {
            seed: session.project.seed,
            step: session.position.step,
        };
        let output = session
            .network
            .forward(self.stage.task.into(), &batch.images, mode)?;
        let rows = LabelRows::of(batch, &output)?;
        let (output, target) = self.compared(session, output, batch, rows.as_ref())?;
        let forward = if has_own_kernels(&session.device) {
            self.forward_here(session, &output, target, rows.as_ref())?
        } else {
            self.forward_there(session, &output, target, rows.as_ref())?
        };
        Ok(Forward {
            answers: rows.map_or(1, |rows| rows.answers),
            ..forward
        })
    }

    /// The loss by our own kernels.
    fn forward_here(
        &mut self,
        session: &Session<'_>,
        output: &Tensor,
        target: Target<'_>,
        rows: Option<&LabelRows>,
    ) -> Result<Forward, RunError> {
        let correct = match answers(target, rows) {
            Some(Answers::Labels(labels)) => Some(loss::count_correct(output, labels)?),
            Some(Answers::Rows(rows)) => Some(loss::count_rows_right(output, rows)?.labels),
            None => None,
        };
        let weights = self.class_weights.as_deref();
        let buffer = Some(&mut self.gradient);
        let evaluated = loss::evaluate_weighted(self.stage.loss, weights, output, target, buffer)?;
        let gradient = evaluated.gradient.ok_or_else(no_gradient)?;
        let compared = self.reported_images(target);
        let pixel_error = compared
            .map(|images| pixel_error(&self.pixels, evaluated.value, output, images))
            .transpose()?;
        Ok(Forward {
            pixel_error,
            loss: evaluated.value,
            weight: evaluated.weight,
            penalty: session.network.penalty(),
            correct,
            answers: 1,
            gradient,
            unread: None,
        })
    }

    /// The loss of candle's operators, which is not waited for.
    fn forward_there(
        &mut self,
        session: &Session<'_>,
        output: &Tensor,
        target: Target<'_>,
        rows: Option<&LabelRows>,
    ) -> Result<Forward, RunError> {
        let correct = match answers(target, rows) {
            Some(Answers::Labels(labels)) => Some(on_device::count_correct(output, labels)?),
            Some(Answers::Rows(rows)) => Some(on_device::count_labels_right(output, rows)?),
            None => None,
        };
        let weights = self.class_weights.as_deref();
        let evaluated = on_device::evaluate(self.stage.loss, weights, output, target)?;
        let loss = evaluated.value.to_dtype(DType::F32)?;
        let nothing = loss.zeros_like()?;
        let penalty = session.network.penalty_on_device();
        let penalty = penalty
            .map(|penalty| penalty.to_dtype(DType::F32))
            .transpose()?;
        let numbers = [
            &loss,
            penalty.as_ref().unwrap_or(&nothing),
            correct.as_ref().unwrap_or(&nothing),
        ];
        let compared = self.reported_images(target);
        Ok(Forward {
            pixel_error: None,
            loss: f64::NAN,
            weight: evaluated.weight,
            penalty: 0.0,
            correct: None,
            answers: 1,
            gradient: evaluated.gradient,
            unread: Some(Unread {
                numbers: Tensor::stack(&numbers, 0)?,
                counts: correct.is_some(),
                compared: compared.map(|images| (output.clone(), images.clone())),
            }),
        })
    }

    /// What the loss reads of an output, and what it compares that with.
    fn compared<'b>(
        &self,
        session: &Session<'_>,
        output: Tensor,
        batch: &'b Batch<'_>,
        rows: Option<&'b LabelRows>,
    ) -> Result<(Tensor, Target<'b>), RunError> {
        if self.stage.task == Task::Reconstruct {
            return Ok((output, Target::Images(&batch.images)));
        }
        let logits = session.network.logits(&output)?;
        if let Some(rows) = rows {
            return Ok((logits, Target::LabelRows(&rows.blended)));
        }
        let blend = batch.blend.map(|blended| Blend {
            labels: batch.labels,
            others: &blended.labels,
            share: blended.share,
        });
        let target = blend.map_or(Target::Labels(batch.labels), Target::Blend);
        Ok((logits, target))
    }

    /// The images that an output's error in pixels is reported beside.
    fn reported_images<'b>(&self, target: Target<'b>) -> Option<&'b Tensor> {
        match target {
            Target::Images(images) if self.stage.loss == Loss::Mse => Some(images),
            Target::Images(_) | Target::Labels(_) | Target::Blend(_) | Target::LabelRows(_) => None,
        }
    }
}

/// What the answers of a batch are held against, as the images themselves have it: nothing is blended.
enum Answers<'b> {
    Labels(&'b [u32]),
    Rows(&'b Tensor),
}

/// None where images are compared.
fn answers<'b>(target: Target<'b>, rows: Option<&'b LabelRows>) -> Option<Answers<'b>> {
    match (target, rows) {
        (Target::Images(_), _) | (Target::LabelRows(_), None) => None,
        (_, Some(rows)) => Some(Answers::Rows(&rows.own)),
        (Target::Labels(labels) | Target::Blend(Blend { labels, .. }), None) => {
            Some(Answers::Labels(labels))
        }
    }
}

fn no_gradient() -> NnError {
    NnError::Unsupported("a loss without its gradient".into())
}
