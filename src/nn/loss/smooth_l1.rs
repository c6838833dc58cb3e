//! The smooth L1 loss (torch.nn.SmoothL1Loss): the distance, with a parabola in place of the kink below `beta`.

use super::ImageLoss;
use crate::ops::real::Real;

#[derive(Clone, Copy)]
pub(super) struct SmoothL1 {
    pub(super) beta: f64,
}

impl ImageLoss for SmoothL1 {
    #[inline(always)]
    fn value<T: Real>(self, y: T, target: T) -> f64 {
        let distance = (y.wide() - target.wide()).abs();
        if distance < self.beta {
            0.5 * distance * distance / self.beta
        } else {
            distance - 0.5 * self.beta
        }
    }

    #[inline(always)]
    fn gradient<T: Real>(self, y: T, target: T, fraction: T) -> T {
        let difference = y - target;
        let beta = T::narrow(self.beta);
        if difference.abs() < beta {
            difference / beta * fraction
        } else {
            difference.signum() * fraction
        }
    }
}
