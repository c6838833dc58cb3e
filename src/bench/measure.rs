//! Measuring a case: warm-up, steps, medians.

use super::workload::StepTimes;
use super::{BenchError, Case, Workload};
use candle_core::Device;
use serde::Serialize;
use std::time::Duration;

/// Steps before those that count: buffers are made, caches and branch predictors filled.
pub const WARM_UP: usize = 5;

/// What was measured of a case; times are medians over the steps.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Measurement {
    /// A whole step.
    pub step_ms: f64,
    /// The forward pass.
    pub forward_ms: f64,
    /// The loss and its gradient.
    pub loss_ms: f64,
    /// The backward pass.
    pub backward_ms: f64,
    /// The optimizer.
    pub update_ms: f64,
    /// Arithmetic done in a second, 2 for each multiply-accumulate.
    pub gflops: f64,
    /// The most memory that the case held at once, as [`super::peak`] measures it; `None` where the
    /// system does not tell.
    pub peak_bytes: Option<u64>,
}

/// Measures the times of a case over so many steps, on the threads of the current pool.
pub fn measure(
    case: &Case,
    steps: usize,
    device: &Device,
    peak_bytes: Option<u64>,
) -> Result<Measurement, BenchError> {
    let mut workload = super::of_case(case, device)?;
    let times = step_times(&mut workload, steps)?;
    Ok(summary(&times, workload.macs(), peak_bytes))
}

/// Times of so many steps after the warm-up.
pub fn step_times(workload: &mut Workload, steps: usize) -> Result<Vec<StepTimes>, BenchError> {
    for _ in 0..WARM_UP {
        workload.step()?;
    }
    let times = (0..steps).map(|_| workload.step());
    Ok(times.collect::<Result<_, _>>()?)
}

fn summary(times: &[StepTimes], macs: u64, peak_bytes: Option<u64>) -> Measurement {
    let step_ms = median_ms(times, StepTimes::total);
    Measurement {
        step_ms,
        forward_ms: median_ms(times, |times| times.forward),
        loss_ms: median_ms(times, |times| times.loss),
        backward_ms: median_ms(times, |times| times.backward),
        update_ms: median_ms(times, |times| times.update),
        gflops: 2.0 * macs as f64 / 1e6 / step_ms.max(f64::MIN_POSITIVE),
        peak_bytes,
    }
}

/// The middle of these times, or the mean of the two middle ones, in milliseconds.
pub fn median_ms(times: &[StepTimes], part: impl Fn(&StepTimes) -> Duration) -> f64 {
    median(
        times
            .iter()
            .map(|times| part(times).as_secs_f64() * 1e3)
            .collect(),
    )
}

/// The middle of these numbers, or the mean of the two middle ones; 0 of none.
pub(crate) fn median(mut all: Vec<f64>) -> f64 {
    all.sort_unstable_by(f64::total_cmp);
    let middle = |index: usize| all.get(index).copied().unwrap_or_default();
    (middle(all.len().saturating_sub(1) / 2) + middle(all.len() / 2)) / 2.0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn times(forward_ms: &[u64]) -> Vec<StepTimes> {
        let times = |&ms: &u64| StepTimes {
            forward: Duration::from_millis(ms),
            ..StepTimes::default()
        };
        forward_ms.iter().map(times).collect()
    }

    #[test]
    fn medians_are_middles() {
        let median = |ms: &[u64]| median_ms(&times(ms), StepTimes::total);
        assert_eq!(median(&[5, 1, 900]), 5.0);
        assert_eq!(median(&[4, 1, 2, 900]), 3.0);
        assert_eq!(median(&[7]), 7.0);
    }

    #[test]
    fn speed_is_two_operations_for_each_multiply_accumulate() {
        let summary = summary(&times(&[2]), 1_000_000_000, None);
        assert_eq!(
            (summary.gflops, summary.step_ms, summary.backward_ms),
            (1000.0, 2.0, 0.0)
        );
    }
}
