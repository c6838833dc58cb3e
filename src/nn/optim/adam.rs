//! Adam and AdamW (torch.optim.Adam, torch.optim.AdamW).

use super::{CHUNK, UpdateRule, wrong_state};
use crate::ops::real::Real;
use crate::ops::simd::vectorized;
use crate::ops::storage::{fill, fill_both};
use crate::ops::team::each_chunk;
use crate::{NnError, Parameter};
use candle_core::Tensor;
use strata_core::project::optimizer::{Adam, AdamSettings, AdamW};

/// The numbers that a step computes with, in the precision of the weights.
#[derive(Clone, Copy)]
struct Numbers<T> {
    keep: T,
    add: T,
    beta1: T,
    /// 1 − β₁.
    rest1: T,
    beta2: T,
    /// 1 − β₂.
    rest2: T,
    eps: T,
    /// The learning rate over 1 − β₁ᵗ.
    size: T,
    /// One over the root of 1 − β₂ᵗ.
    widen: T,
}

impl Numbers<f64> {
    fn rounded<T: Real>(self) -> Numbers<T> {
        Numbers {
            keep: T::from_f64(self.keep),
            add: T::from_f64(self.add),
            beta1: T::from_f64(self.beta1),
            rest1: T::from_f64(self.rest1),
            beta2: T::from_f64(self.beta2),
            rest2: T::from_f64(self.rest2),
            eps: T::from_f64(self.eps),
            size: T::from_f64(self.size),
            widen: T::from_f64(self.widen),
        }
    }
}

/// One step's constants.
pub(super) struct Step {
    settings: AdamSettings,
    lr: f64,
    /// Factor on the value: less than 1 where the weight decay shrinks it (AdamW).
    keep: f64,
    /// Fraction of the value that is added to the gradient (Adam's weight decay).
    add: f64,
    /// 1 − β₁ᵗ and 1 − β₂ᵗ.
    correction1: f64,
    correction2: f64,
}

impl Step {
    pub(super) fn adam(Adam(settings): Adam, lr: f64, steps: u64) -> Step {
        Step::new(settings, lr, steps, 1.0, settings.weight_decay)
    }

    pub(super) fn adamw(AdamW(settings): AdamW, lr: f64, steps: u64) -> Step {
        let keep = 1.0 - lr * settings.weight_decay;
        Step::new(settings, lr, steps, keep, 0.0)
    }

    fn new(settings: AdamSettings, lr: f64, steps: u64, keep: f64, add: f64) -> Step {
        Step {
            settings,
            lr,
            keep,
            add,
            correction1: 1.0 - settings.beta1.powf(steps as f64),
            correction2: 1.0 - settings.beta2.powf(steps as f64),
        }
    }

    fn apply<T: Real>(&self, value: &mut [T], gradient: &[T], mean: &mut [T], square: &mut [T]) {
        let AdamSettings {
            beta1, beta2, eps, ..
        } = self.settings;
        // Computed in f64: in f32 the difference of 1 and a number close to it is off by up to a fifth.
        let numbers = Numbers {
            keep: self.keep,
            add: self.add,
            beta1,
            rest1: 1.0 - beta1,
            beta2,
            rest2: 1.0 - beta2,
            eps,
            size: self.lr / self.correction1,
            widen: 1.0 / self.correction2.sqrt(),
        };
        let numbers = numbers.rounded::<T>();
        each_chunk(
            [value, mean, square],
            CHUNK,
            |place, [value, mean, square]| {
                adapt(value, &gradient[place], mean, square, numbers);
            },
        );
    }
}

impl UpdateRule for Step {
    fn step<T: Real>(
        &self,
        value: &Tensor,
        gradient: &[T],
        state: &[Tensor],
    ) -> Result<(), NnError> {
        let [mean, square] = state else {
            return Err(wrong_state());
        };
        let mut inner = Ok(());
        fill::<T>(square, |square| {
            inner = fill_both::<T>(value, mean, |value, mean| {
                self.apply(value, gradient, mean, square)
            });
        })?;
        inner
    }

    fn step_on_device(
        &self,
        parameter: &mut Parameter,
        state: &mut [Tensor],
    ) -> Result<(), NnError> {
        let [mean, square] = state else {
            return Err(wrong_state());
        };
        let AdamSettings {
            beta1, beta2, eps, ..
        } = self.settings;
        let gradient = (&parameter.gradient + (&parameter.value * self.add)?)?;
        *mean = ((&*mean * beta1)? + (&gradient * (1.0 - beta1))?)?;
        *square = ((&*square * beta2)? + (gradient.sqr()? * (1.0 - beta2))?)?;
        let root = ((square.sqrt()? / self.correction2.sqrt())? + eps)?;
        let step = ((&*mean / root)? * (self.lr / self.correction1))?;
        parameter.value = ((&parameter.value * self.keep)? - step)?;
        Ok(())
    }
}

vectorized! {
    fn adapt<T: Real>(value: &mut [T], gradient: &[T], mean: &mut [T], square: &mut [T], numbers: Numbers<T>) {
        let Numbers { keep, add, beta1, rest1, beta2, rest2, eps, size, widen } = numbers;
        // Of two equal formulas the one whose factor is small, as torch.lerp does.
        let is_slow = rest1 < T::from_f64(0.5);
        let moments = mean.iter_mut().zip(square);
        for ((value, &gradient), (mean, square)) in value.iter_mut().zip(gradient).zip(moments) {
            let gradient = gradient + add * *value;
            let way = gradient - *mean;
            *mean = if is_slow { *mean + rest1 * way } else { gradient - beta1 * way };
            *square = beta2 * *square + rest2 * gradient * gradient;
            *value = *value * keep - size * *mean / (square.sqrt() * widen + eps);
        }
    }
}
