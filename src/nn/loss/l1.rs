//! Mean absolute error.

use super::ImageLoss;
use crate::ops::real::Real;

#[derive(Clone, Copy)]
pub(super) struct L1;

impl ImageLoss for L1 {
    #[inline(always)]
    fn value<T: Real>(self, y: T, target: T) -> f64 {
        (y - target).wide().abs()
    }

    #[inline(always)]
    fn gradient<T: Real>(self, y: T, target: T, fraction: T) -> T {
        if y == target {
            T::zero()
        } else {
            (y - target).signum() * fraction
        }
    }
}
