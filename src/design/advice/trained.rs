//! Advice after training: what the figures of its epochs say.

use super::case::{Case, is_dropout};
use super::{Advice, ROWS_TO_TRY, is_sound};
use strata_core::project::Project;
use strata_core::project::data::Split;
use strata_core::project::edit::Edit;
use strata_core::project::stage::{EARLY_STOP_METRICS, EarlyStop, Stage, Task};
use strata_core::shape::infer::Inference;

/// What a split measured at the end of an epoch.
#[derive(Clone, Debug, PartialEq)]
pub struct EpochFigures {
    /// The stage's name.
    pub stage: String,
    /// Epoch of the stage from 1.
    pub epoch: u32,
    /// What was measured.
    pub split: Split,
    /// The loss without its penalty.
    pub loss: f64,
    /// The fraction classified correctly.
    pub accuracy: Option<f64>,
    /// Where an image may have several labels: F1, the mean over the labels.
    pub f1: Option<f64>,
    /// Where an image may have several labels: the fraction of images of which every one is right.
    pub exact_match: Option<f64>,
}

/// What the figures of a run say, stage by stage.
pub fn advise_trained(
    project: &Project,
    inference: &Inference,
    figures: &[EpochFigures],
) -> Vec<Advice> {
    let case = Case::new(project, inference);
    let stages = project.stages.iter().enumerate();
    let mut all: Vec<Advice> = stages
        .filter_map(|(index, stage)| overfitting(&case, index, stage, figures))
        .collect();
    let is_quick = inference.rows.len() < ROWS_TO_TRY;
    for advice in &mut all {
        advice.fix = advice
            .fix
            .take()
            .filter(|fix| is_quick && is_sound(&case, &fix.edit));
    }
    all
}

/// The epochs of a stage in which both splits were measured: epoch, train, valid.
fn paired<'a>(
    stage: &Stage,
    figures: &'a [EpochFigures],
) -> Vec<(u32, &'a EpochFigures, &'a EpochFigures)> {
    let of = |split: Split| figures.iter().filter(move |figures| figures.split == split);
    let own = of(Split::Train).filter(|train| train.stage == stage.name);
    own.filter_map(|train| {
        let valid = of(Split::Valid)
            .find(|valid| valid.stage == stage.name && valid.epoch == train.epoch)?;
        let is_finite = train.loss.is_finite() && valid.loss.is_finite();
        is_finite.then_some((train.epoch, train, valid))
    })
    .collect()
}

/// The validation loss is taken to have turned when it ends so much above its least.
const TURNED: f64 = 1.05;
/// So much more of the training images right than of the others is a gap by itself.
const GAP: f64 = 0.1;
/// Fewer epochs say nothing of a course.
const LEAST_EPOCHS: usize = 3;

/// How the losses of a stage went.
#[derive(Clone, Debug, PartialEq)]
pub struct Course {
    /// The last epoch, and what it measured on training and validation images.
    pub last_epoch: u32,
    /// See `last_epoch`.
    pub train: EpochFigures,
    /// See `last_epoch`.
    pub valid: EpochFigures,
    /// The epoch whose validation loss was least, and that.
    pub best_epoch: u32,
    /// See `best_epoch`.
    pub best: EpochFigures,
    /// Whether the validation loss rose from then on while the training loss fell.
    pub has_turned: bool,
    /// So much more of the training images are right than of the validation images.
    pub gap: Option<f64>,
}

impl Course {
    /// Whether the training overfits.
    pub fn overfits(&self) -> bool {
        self.has_turned || self.gap.is_some_and(|gap| gap >= GAP)
    }
}

/// The course of a stage; `None` where too few epochs measured both splits.
pub fn course(stage: &Stage, figures: &[EpochFigures]) -> Option<Course> {
    let epochs = paired(stage, figures);
    let (last_epoch, train, valid) = *epochs.last().filter(|_| epochs.len() >= LEAST_EPOCHS)?;
    let (best_epoch, best_train, best) =
        *epochs.iter().min_by(|a, b| a.2.loss.total_cmp(&b.2.loss))?;
    let has_turned =
        best_epoch < last_epoch && valid.loss > TURNED * best.loss && train.loss < best_train.loss;
    let accuracies = train.accuracy.zip(valid.accuracy);
    Some(Course {
        last_epoch,
        train: train.clone(),
        valid: valid.clone(),
        best_epoch,
        best: best.clone(),
        has_turned,
        gap: accuracies.map(|(train, valid)| train - valid),
    })
}

fn overfitting(
    case: &Case<'_>,
    index: usize,
    stage: &Stage,
    figures: &[EpochFigures],
) -> Option<Advice> {
    let course = course(stage, figures).filter(Course::overfits)?;
    let (train, valid, best) = (&course.train, &course.valid, &course.best);
    let (best_epoch, has_turned) = (course.best_epoch, course.has_turned);
    let message = format!(
        "the training overfits: {}{}",
        gap_in_words(train, valid),
        if has_turned {
            format!(
                "; the valid loss was least after epoch {best_epoch} ({}) and rose to {}",
                short(best.loss),
                short(valid.loss)
            )
        } else {
            String::new()
        }
    );
    let advice = Advice::new(message, why(case, stage)).of_stage(index);
    if stage.early_stop.is_some() || !has_turned {
        return Some(advice);
    }
    let stop = EarlyStop {
        metric: EARLY_STOP_METRICS[0].to_owned(),
        patience: 3,
    };
    let stopped = Stage {
        early_stop: Some(stop),
        ..stage.clone()
    };
    let label = format!("stop stage {} early by the valid loss", index + 1);
    Some(advice.fix(label, Edit::Stage(index, stopped)))
}

fn gap_in_words(train: &EpochFigures, valid: &EpochFigures) -> String {
    match train.accuracy.zip(valid.accuracy) {
        Some((train, valid)) => format!(
            "at its end {:.1} % of the training images are right, {:.1} % of valid",
            100.0 * train,
            100.0 * valid
        ),
        None => format!(
            "at its end the loss is {} on training images, {} on valid",
            short(train.loss),
            short(valid.loss)
        ),
    }
}

fn short(value: f64) -> String {
    if value != 0.0 && value.abs() < 1e-3 {
        format!("{value:.2e}")
    } else {
        format!("{value:.4}")
    }
}

/// What overfitting is, and what this project has not tried against it.
fn why(case: &Case<'_>, stage: &Stage) -> String {
    let data = &case.project.data;
    let drops = case
        .lists
        .iter()
        .any(|list| (0..list.nodes.len()).any(|index| list.kind(index).is_some_and(is_dropout)));
    let mut ways = Vec::new();
    if data.augment.is_empty() || !data.use_augment {
        ways.push("augment the training images");
    }
    if !drops && stage.task == Task::Classify {
        ways.push("put `dropout 0.5` before the last dense layer");
    }
    if stage.optimizer.penalty_decay() == Some(0.0) {
        ways.push("give the optimizer a weight_decay");
    }
    if stage.early_stop.is_none() {
        ways.push("stop where the valid loss is least");
    }
    ways.push("use a smaller network or more images");
    format!(
        "What is learned after that turn is true of the training images alone (Goodfellow et al. 2016, Deep \
         Learning, sections 5.2 and 7.8). Try, one at a time: {}.",
        ways.join("; ")
    )
}

#[cfg(test)]
mod tests;
