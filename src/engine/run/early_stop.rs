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

/// Judges an epoch. Metrics of the training split are looked for under `trained`, the split trained on.
pub(crate) fn judge(
    rule: &EarlyStop,
    mut watch: Watch,
    trained: Split,
    metrics: &[(Split, Metrics)],
) -> Verdict {
    let split = if rule.metric.starts_with("train") {
        trained
    } else {
        Split::Valid
    };
    let of = |split: Split| metrics.iter().find(|(at, _)| *at == split);
    // Where only the best is kept and nothing is validated, the training images judge.
    let is_only_kept = rule.patience == u32::MAX;
    let measured = of(split)
        .or_else(|| of(trained).filter(|_| is_only_kept))
        .map(|(_, metrics)| metrics);
    let value = match rule.metric.ends_with("accuracy") {
        true => measured
            .and_then(|metrics| metrics.accuracy)
            .map(|accuracy| -accuracy),
        false => measured.map(|metrics| metrics.loss),
    };
    let Some(value) = value else {
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
