//! Adam and AdamW (torch.optim.Adam, torch.optim.AdamW).

use super::{CHUNK, UpdateRule, wrong_state};
use crate::ops::real::Real;
use crate::ops::simd::vectorized;
use crate::ops::storage::{fill, fill_both};
use crate::{NnError, Parameter};
use candle_core::Tensor;
use rayon::prelude::*;
use strata_core::project::optimizer::{Adam, AdamSettings, AdamW};

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
        let size = self.lr / self.correction1;
        let root = self.correction2.sqrt();
        let numbers = [self.keep, self.add, beta1, beta2, eps, size, root].map(T::from_f64);
        let values = value.par_chunks_mut(CHUNK).zip(gradient.par_chunks(CHUNK));
        let moments = mean.par_chunks_mut(CHUNK).zip(square.par_chunks_mut(CHUNK));
        values
            .zip(moments)
            .for_each(|((value, gradient), (mean, square))| {
                adapt(value, gradient, mean, square, numbers);
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
    fn adapt<T: Real>(value: &mut [T], gradient: &[T], mean: &mut [T], square: &mut [T], numbers: [T; 7]) {
        let [keep, add, beta1, beta2, eps, size, root] = numbers;
        let moments = mean.iter_mut().zip(square);
        for ((value, &gradient), (mean, square)) in value.iter_mut().zip(gradient).zip(moments) {
            let gradient = gradient + add * *value;
            *mean = beta1 * *mean + (T::one() - beta1) * gradient;
            *square = beta2 * *square + (T::one() - beta2) * gradient * gradient;
            *value = *value * keep - size * *mean / (square.sqrt() / root + eps);
        }
    }
}
