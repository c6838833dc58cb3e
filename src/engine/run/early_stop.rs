//! Early stopping: a stage ends when its metric has not improved for `patience` epochs.

use crate::event::Metrics;
use crate::storage::checkpoint::Watch;
use strata_core::project::data::Split;
use strata_core::project::stage::{EARLY_STOP_METRICS, EarlyStop, Stage};

/// What an epoch meant for early stopping.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Verdict {
    /// What to remember.
    pub watch: Watch,
    /// The best epoch so far.
    pub is_best: bool,
    /// Patience is at its end.
    pub is_over: bool,
}

/// What a stage's epochs are judged by: its early stopping, or, where only the best is kept, the loss.
pub(crate) fn watched(stage: &Stage) -> Option<EarlyStop> {
    let keeps_best = stage.checkpoints.is_some_and(|kept| kept.best);
    let best = keeps_best.then(|| EarlyStop {
        metric: EARLY_STOP_METRICS[0].to_owned(),
        // It never ends the stage.
        patience: u32::MAX,
    });
    stage.early_stop.clone().or(best)
}

/// The split a metric such as `valid loss` is measured on; `None` when the text is no metric.
pub(crate) fn split_of(metric: &str) -> Option<Split> {
    match metric.split_once(' ') {
        Some(("valid", "loss" | "accuracy")) => Some(Split::Valid),
        Some(("train", "loss" | "accuracy")) => Some(Split::Train),
        _ => None,
    }
}

/// What a metric such as `valid loss` is after an epoch; that of the training split is looked for under `trained`, the
/// split trained on.
pub(crate) fn value(metric: &str, trained: Split, metrics: &[(Split, Metrics)]) -> Option<f64> {
    let split = if metric.starts_with("train") {
        trained
    } else {
        Split::Valid
    };
    value_on(metric, split, metrics)
}

/// What a metric is after an epoch on this split, whichever it names.
fn value_on(metric: &str, split: Split, metrics: &[(Split, Metrics)]) -> Option<f64> {
    let (_, measured) = metrics.iter().find(|(at, _)| *at == split)?;
    if metric.ends_with("accuracy") {
        measured.accuracy
    } else {
        Some(measured.loss)
    }
}

/// Judges an epoch. Metrics of the training split are looked for under `trained`, the split trained on.
pub(crate) fn judge(
    rule: &EarlyStop,
    mut watch: Watch,
    trained: Split,
    metrics: &[(Split, Metrics)],
) -> Verdict {
    let measured = value(&rule.metric, trained, metrics);
    // Where only the best is kept and nothing is validated, the training images judge.
    let is_only_kept = rule.patience == u32::MAX;
    let on_training = || value_on(&rule.metric, trained, metrics);
    let measured = measured.or_else(|| is_only_kept.then(on_training).flatten());
    let is_accuracy = rule.metric.ends_with("accuracy");
    let Some(value) = measured.map(|value| if is_accuracy { -value } else { value }) else {
        return Verdict {
            watch,
            is_best: false,
            is_over: false,
        };
    };
    let is_best = !value.is_nan() && watch.best.is_none_or(|best| best.is_nan() || value < best);
    (watch.best, watch.waited) = if is_best {
        (Some(value), 0)
    } else {
        (watch.best, watch.waited + 1)
    };
    Verdict {
        watch,
        is_best,
        is_over: !is_best && watch.waited >= rule.patience,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn epochs(metric: &str, patience: u32, values: &[f64]) -> usize {
        let rule = EarlyStop {
            metric: metric.into(),
            patience,
        };
        let mut watch = Watch::default();
        for (epoch, &value) in values.iter().enumerate() {
            let metrics = Metrics {
                loss: value,
                accuracy: Some(value),
                ..Metrics::default()
            };
            let verdict = judge(&rule, watch, Split::Train, &[(Split::Valid, metrics)]);
            if verdict.is_over {
                return epoch + 1;
            }
            watch = verdict.watch;
        }
        values.len()
    }

    #[test]
    fn patience_ends() {
        assert_eq!(
            epochs("valid loss", 2, &[3.0, 2.0, 2.0, 1.0, 1.5, 1.0, 0.5]),
            6
        );
        assert_eq!(epochs("valid accuracy", 1, &[0.5, 0.6, 0.5, 0.9]), 3);
        assert_eq!(
            epochs("train loss", 1, &[1.0, 1.0, 1.0]),
            3,
            "never measured, never over"
        );
    }

    #[test]
    fn nan_is_never_the_best() {
        assert_eq!(epochs("valid loss", 2, &[f64::NAN, 3.0, 2.0, 1.0, 0.5]), 5);
        assert_eq!(
            epochs("valid loss", 2, &[2.0, f64::NAN, f64::NAN, 1.0]),
            3,
            "it is no progress either"
        );
    }
}
