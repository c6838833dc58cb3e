//! SGD with momentum, Nesterov, dampening and weight decay (torch.optim.SGD).

use super::{CHUNK, UpdateRule, wrong_state};
use crate::ops::real::Real;
use crate::ops::simd::vectorized;
use crate::ops::storage::{fill, fill_both};
use crate::ops::team::each_chunk;
use crate::{NnError, Parameter};
use candle_core::Tensor;
use strata_core::project::optimizer::Sgd;

/// One step's constants.
pub(super) struct Step {
    sgd: Sgd,
    lr: f64,
    is_first: bool,
}

impl Step {
    pub(super) fn new(sgd: Sgd, lr: f64, steps: u64) -> Step {
        Step {
            sgd,
            lr,
            is_first: steps == 1,
        }
    }

    /// What of the gradient goes into the velocity: all of the first.
    fn share_taken(&self) -> f64 {
        if self.is_first {
            1.0
        } else {
            1.0 - self.sgd.dampening
        }
    }

    fn plain<T: Real>(&self, value: &mut [T], gradient: &[T]) {
        let lr = T::from_f64(self.lr);
        let decay = T::from_f64(self.sgd.weight_decay);
        each_chunk([value], CHUNK, |place, [value]| {
            descend(value, &gradient[place], lr, decay);
        });
    }

    fn with_momentum<T: Real>(&self, value: &mut [T], gradient: &[T], velocity: &mut [T]) {
        let lr = T::from_f64(self.lr);
        let momentum = T::from_f64(self.sgd.momentum);
        let decay = T::from_f64(self.sgd.weight_decay);
        // PyTorch starts the velocity at the first gradient; before it, it is 0.
        let keep = if self.is_first { T::zero() } else { momentum };
        let take = T::from_f64(self.share_taken());
        let (own, ahead) = if self.sgd.nesterov {
            (T::one(), momentum)
        } else {
            (T::zero(), T::one())
        };
        each_chunk([value, velocity], CHUNK, |place, [value, velocity]| {
            let numbers = [lr, decay, keep, take, own, ahead];
            roll(value, &gradient[place], velocity, numbers);
        });
    }
}

impl UpdateRule for Step {
    fn step<T: Real>(
        &self,
        value: &Tensor,
        gradient: &[T],
        state: &[Tensor],
    ) -> Result<(), NnError> {
        match state {
            [] => fill::<T>(value, |value| self.plain(value, gradient)),
            [velocity] => fill_both::<T>(value, velocity, |value, velocity| {
                self.with_momentum(value, gradient, velocity)
            }),
            [..] => Err(wrong_state()),
        }
    }

    fn step_on_device(
        &self,
        parameter: &mut Parameter,
        state: &mut [Tensor],
    ) -> Result<(), NnError> {
        let momentum = self.sgd.momentum;
        let gradient = (&parameter.gradient + (&parameter.value * self.sgd.weight_decay)?)?;
        let step = match state {
            [] => gradient,
            [velocity] => {
                *velocity = if self.is_first {
                    gradient.clone()
                } else {
                    ((&*velocity * momentum)? + (&gradient * self.share_taken())?)?
                };
                if self.sgd.nesterov {
                    (gradient + (&*velocity * momentum)?)?
                } else {
                    velocity.clone()
                }
            }
            [..] => return Err(wrong_state()),
        };
        parameter.value = (&parameter.value - (step * self.lr)?)?;
        Ok(())
    }
}

vectorized! {
    fn descend<T: Real>(value: &mut [T], gradient: &[T], lr: T, decay: T) {
        for (value, &gradient) in value.iter_mut().zip(gradient) {
            *value -= lr * (gradient + decay * *value);
        }
    }

    /// `velocity = keep·velocity + take·g`, then a step along `own·g + ahead·velocity`.
    fn roll<T: Real>(value: &mut [T], gradient: &[T], velocity: &mut [T], numbers: [T; 6]) {
        let [lr, decay, keep, take, own, ahead] = numbers;
        for ((value, &gradient), velocity) in value.iter_mut().zip(gradient).zip(velocity) {
            let gradient = gradient + decay * *value;
            *velocity = keep * *velocity + take * gradient;
            *value -= lr * (own * gradient + ahead * *velocity);
        }
    }
}
