//! The Huber loss (torch.nn.HuberLoss): half the square up to `delta`, a straight line beyond.

use super::ImageLoss;
use crate::ops::real::Real;

#[derive(Clone, Copy)]
pub(super) struct Huber {
    pub(super) delta: f64,
}

impl ImageLoss for Huber {
    #[inline(always)]
    fn value<T: Real>(self, y: T, target: T) -> f64 {
        let distance = (y.wide() - target.wide()).abs();
        if distance < self.delta {
            0.5 * distance * distance
        } else {
            self.delta * (distance - 0.5 * self.delta)
        }
    }

    #[inline(always)]
    fn gradient<T: Real>(self, y: T, target: T, fraction: T) -> T {
        let difference = y - target;
        let delta = T::narrow(self.delta);
        if difference.abs() <= delta {
            difference * fraction
        } else {
            difference.signum() * delta * fraction
        }
    }
}
