//! The figures that goals are judged by.

use crate::event::Metrics;
use strata_core::project::data::Split;
use strata_design::goals::Measured;

/// What a run measured on its test images, or on `valid` where there is no test.
pub fn measured(metrics: &[(Split, Metrics)]) -> Measured {
    let of = |wanted: Split| {
        metrics
            .iter()
            .find(|(split, _)| *split == wanted)
            .map(|(_, metrics)| metrics)
    };
    of(Split::Test)
        .or_else(|| of(Split::Valid))
        .map(of_split)
        .unwrap_or_default()
}

/// What was measured on one split.
pub fn of_split(metrics: &Metrics) -> Measured {
    Measured {
        psnr: metrics.psnr,
        accuracy: metrics.accuracy,
        mse: metrics.mse,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn test_counts_before_valid_and_nothing_else_does() {
        let of = |accuracy| Metrics {
            accuracy: Some(accuracy),
            ..Metrics::default()
        };
        let all = [
            (Split::Train, of(0.9)),
            (Split::Valid, of(0.8)),
            (Split::Test, of(0.7)),
        ];
        assert_eq!(measured(&all).accuracy, Some(0.7));
        assert_eq!(measured(&all[..2]).accuracy, Some(0.8));
        assert_eq!(measured(&all[..1]), Measured::default());
    }
}
