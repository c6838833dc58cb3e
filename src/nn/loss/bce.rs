//! Binary cross-entropy of values from 0 to 1.

use super::{ImageLoss, floored_ln};
use crate::ops::real::Real;

/// Keeps the gradient's denominator y(1 − y) from 0, as PyTorch does.
const SMALLEST_VARIANCE: f64 = 1e-12;

#[derive(Clone, Copy)]
pub(super) struct Bce;

impl ImageLoss for Bce {
    #[inline(always)]
    fn value<T: Real>(self, y: T, target: T) -> f64 {
        let y = y.wide();
        let target = target.wide();
        -(target * floored_ln(y) + (1.0 - target) * floored_ln(1.0 - y))
    }

    #[inline(always)]
    fn gradient<T: Real>(self, y: T, target: T, fraction: T) -> T {
        let y = y.wide();
        let target = target.wide();
        T::narrow((y - target) / (y * (1.0 - y)).max(SMALLEST_VARIANCE)) * fraction
    }
}
