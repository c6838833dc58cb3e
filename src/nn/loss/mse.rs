//! Mean squared error.

use super::ImageLoss;
use crate::ops::real::Real;

#[derive(Clone, Copy)]
pub(super) struct Mse;

impl ImageLoss for Mse {
    #[inline(always)]
    fn value<T: Real>(self, y: T, target: T) -> f64 {
        let distance = y.wide() - target.wide();
        distance * distance
    }

    #[inline(always)]
    fn gradient<T: Real>(self, y: T, target: T, fraction: T) -> T {
        (y - target) * (fraction + fraction)
    }
}
