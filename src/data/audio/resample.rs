//! Another sampling rate: a sinc filter in a Hann window, 16 zero crossings to each side, cut off
//! at the lower of the two rates' halves. Cannot fail.

use std::f64::consts::PI;

const CROSSINGS: f64 = 16.0;

/// How many values the filter looks to either side at the old rate.
pub(crate) fn reach(from: u32, to: u32) -> usize {
    (CROSSINGS / cut(from, to)).ceil() as usize + 1
}

/// The fraction of the old rate's band that is kept.
fn cut(from: u32, to: u32) -> f64 {
    (f64::from(to) / f64::from(from.max(1))).min(1.0)
}

/// The signal at the rate `to`; beyond its ends it counts as silent.
pub(crate) fn resample(signal: Vec<f32>, from: u32, to: u32) -> Vec<f32> {
    if from == to || from == 0 || to == 0 {
        return signal;
    }
    let length = (signal.len() as u64 * u64::from(to))
        .div_ceil(u64::from(from))
        .min(super::LONGEST as u64);
    (0..length)
        .map(|at| {
            value(
                &signal,
                at as f64 * f64::from(from) / f64::from(to),
                cut(from, to),
            )
        })
        .collect()
}

fn value(signal: &[f32], at: f64, cut: f64) -> f32 {
    let half = CROSSINGS / cut;
    let first = (at - half).ceil() as i64;
    let last = (at + half).floor() as i64;
    let (mut sum, mut weights) = (0.0, 0.0);
    for index in first..=last {
        let weight = filter(at - index as f64, cut, half);
        let value = usize::try_from(index)
            .ok()
            .and_then(|index| signal.get(index))
            .copied()
            .unwrap_or(0.0);
        sum += weight * f64::from(value);
        weights += weight;
    }
    (sum / weights) as f32
}

fn filter(distance: f64, cut: f64, half: f64) -> f64 {
    let turn = PI * distance * cut;
    let sinc = if turn.abs() < 1e-9 {
        1.0
    } else {
        turn.sin() / turn
    };
    sinc * (0.5 + 0.5 * (PI * distance / half).cos())
}
