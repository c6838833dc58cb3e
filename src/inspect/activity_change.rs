//! How active something is, less how active it was at an earlier step.

use serde::Serialize;
use strata_core::format::short;

/// The change of the figures of a layer or a channel.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct ActivityChange {
    /// Of the mean of its values.
    pub mean: f64,
    /// Of their standard deviation.
    pub deviation: f64,
    /// Of the share that is exactly 0.
    pub zeros: f64,
}

impl ActivityChange {
    /// From mean, deviation and share of zeros then to those of now.
    pub(crate) fn between(then: [f64; 3], now: [f64; 3]) -> ActivityChange {
        let [mean, deviation, zeros] = [0, 1, 2].map(|at| now[at] - then[at]);
        ActivityChange {
            mean,
            deviation,
            zeros,
        }
    }
}

/// A change with its sign: `+0.05`, `−0.2`, `0`.
pub fn signed(value: f64, decimals: usize) -> String {
    let sign = if value > 0.0 { "+" } else { "" };
    format!("{sign}{}", short(value, decimals))
}

/// What is in one list of numbers and not in the other.
pub(crate) fn only_in<T: PartialEq + Copy>(these: &[T], others: &[T]) -> Vec<T> {
    let only = these.iter().filter(|one| !others.contains(one));
    only.copied().collect()
}
