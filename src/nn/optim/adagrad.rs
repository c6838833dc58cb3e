//! Adagrad (torch.optim.Adagrad).

use super::{CHUNK, UpdateRule, wrong_state};
use crate::ops::real::Real;
use crate::ops::simd::vectorized;
use crate::ops::storage::fill_both;
use crate::ops::team::each_chunk;
use crate::{NnError, Parameter};
use candle_core::Tensor;
use strata_core::project::optimizer::Adagrad;

/// One step's constants.
pub(super) struct Step {
    adagrad: Adagrad,
    lr: f64,
}

impl Step {
    pub(super) fn new(adagrad: Adagrad, lr: f64, steps: u64) -> Step {
        let done = steps.saturating_sub(1) as f64;
        Step {
            adagrad,
            lr: lr / (1.0 + done * adagrad.lr_decay),
        }
    }

    fn apply<T: Real>(&self, value: &mut [T], gradient: &[T], sum: &mut [T]) {
        let numbers = [self.lr, self.adagrad.weight_decay, self.adagrad.eps].map(T::from_f64);
        each_chunk([value, sum], CHUNK, |place, [value, sum]| {
            adapt(value, &gradient[place], sum, numbers);
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
        let [sum] = state else {
            return Err(wrong_state());
        };
        fill_both::<T>(value, sum, |value, sum| self.apply(value, gradient, sum))
    }

    fn step_on_device(
        &self,
        parameter: &mut Parameter,
        state: &mut [Tensor],
    ) -> Result<(), NnError> {
        let [sum] = state else {
            return Err(wrong_state());
        };
        let decay = (&parameter.value * self.adagrad.weight_decay)?;
        let gradient = (&parameter.gradient + decay)?;
        *sum = (&*sum + gradient.sqr()?)?;
        let step = (gradient / (sum.sqrt()? + self.adagrad.eps)?)?;
        parameter.value = (&parameter.value - (step * self.lr)?)?;
        Ok(())
    }
}

vectorized! {
    fn adapt<T: Real>(value: &mut [T], gradient: &[T], sum: &mut [T], numbers: [T; 3]) {
        let [lr, decay, eps] = numbers;
        for ((value, &gradient), sum) in value.iter_mut().zip(gradient).zip(sum) {
            let gradient = gradient + decay * *value;
            *sum += gradient * gradient;
            *value -= lr * gradient / (sum.sqrt() + eps);
        }
    }
}
