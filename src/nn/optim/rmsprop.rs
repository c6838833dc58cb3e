//! RMSprop (torch.optim.RMSprop).

use super::{CHUNK, UpdateRule, wrong_state};
use crate::ops::real::Real;
use crate::ops::simd::vectorized;
use crate::ops::storage::{fill, fill_both, view};
use crate::ops::team::each_chunk;
use crate::{NnError, Parameter};
use candle_core::Tensor;
use std::ops::Range;
use strata_core::project::optimizer::RmsProp;

/// One step's constants.
pub(super) struct Step {
    rmsprop: RmsProp,
    lr: f64,
}

/// The tensors of a state by what they are: the averages of the gradient's square and of the gradient, and the
/// velocity.
struct State<S> {
    square: S,
    mean: Option<S>,
    velocity: Option<S>,
}

impl Step {
    pub(super) fn new(rmsprop: RmsProp, lr: f64) -> Step {
        Step { rmsprop, lr }
    }

    /// Takes the state apart as the names of `RmsProp` order it.
    fn state<S>(&self, state: impl IntoIterator<Item = S>) -> Result<State<S>, NnError> {
        let mut state = state.into_iter();
        let square = state.next().ok_or_else(wrong_state)?;
        let mut next = |is_kept: bool| is_kept.then(|| state.next().ok_or_else(wrong_state));
        let velocity = next(self.rmsprop.momentum != 0.0).transpose()?;
        let mean = next(self.rmsprop.centered).transpose()?;
        Ok(State {
            square,
            mean,
            velocity,
        })
    }
}

impl UpdateRule for Step {
    fn step<T: Real>(
        &self,
        value: &Tensor,
        gradient: &[T],
        state: &[Tensor],
    ) -> Result<(), NnError> {
        let state = self.state(state)?;
        let RmsProp {
            alpha,
            weight_decay,
            ..
        } = self.rmsprop;
        // 1 − α is computed in f64: in f32 the difference of 1 and a number close to it is off by up to a fifth.
        let numbers = [alpha, 1.0 - alpha, weight_decay].map(T::from_f64);
        {
            let value = view::<T>(value)?;
            fill::<T>(state.square, |square| {
                each_chunk([square], CHUNK, |place, [square]| {
                    let (value, gradient) = (&value[place.clone()], &gradient[place]);
                    average_square(square, value, gradient, numbers);
                });
            })?;
            if let Some(mean) = state.mean {
                fill::<T>(mean, |mean| {
                    each_chunk([mean], CHUNK, |place, [mean]| {
                        let (value, gradient) = (&value[place.clone()], &gradient[place]);
                        average(mean, value, gradient, numbers);
                    });
                })?;
            }
        }
        let square = view::<T>(state.square)?;
        let mean = state.mean.map(view::<T>).transpose()?;
        let averages = Averages {
            square: &square,
            mean: mean.as_deref(),
        };
        let update = [
            self.lr,
            self.rmsprop.weight_decay,
            self.rmsprop.eps,
            self.rmsprop.momentum,
        ]
        .map(T::from_f64);
        match state.velocity {
            None => fill::<T>(value, |value| averages.descend(value, gradient, update)),
            Some(velocity) => fill_both::<T>(value, velocity, |value, velocity| {
                averages.roll(value, gradient, velocity, update)
            }),
        }
    }

    fn step_on_device(
        &self,
        parameter: &mut Parameter,
        state: &mut [Tensor],
    ) -> Result<(), NnError> {
        let state = self.state(state)?;
        let RmsProp {
            alpha,
            eps,
            weight_decay,
            momentum,
            ..
        } = self.rmsprop;
        let gradient = (&parameter.gradient + (&parameter.value * weight_decay)?)?;
        let square = state.square;
        *square = ((&*square * alpha)? + (gradient.sqr()? * (1.0 - alpha))?)?;
        let variance = match state.mean {
            None => square.clone(),
            Some(mean) => {
                *mean = ((&*mean * alpha)? + (&gradient * (1.0 - alpha))?)?;
                (&*square - mean.sqr()?)?.relu()?
            }
        };
        let mut step = (gradient / (variance.sqrt()? + eps)?)?;
        if let Some(velocity) = state.velocity {
            *velocity = ((&*velocity * momentum)? + step)?;
            step = velocity.clone();
        }
        parameter.value = (&parameter.value - (step * self.lr)?)?;
        Ok(())
    }
}

/// What the gradient is divided by: the root of its mean square, about its mean where it is centered.
struct Averages<'a, T> {
    square: &'a [T],
    mean: Option<&'a [T]>,
}

impl<T: Real> Averages<'_, T> {
    /// The averages of a chunk. Without a mean the squares are passed in its place and not read.
    fn chunk(&self, range: &Range<usize>) -> (&[T], &[T]) {
        let square = &self.square[range.clone()];
        (
            square,
            self.mean.map_or(square, |mean| &mean[range.clone()]),
        )
    }

    fn descend(&self, value: &mut [T], gradient: &[T], numbers: [T; 4]) {
        each_chunk([value], CHUNK, |place, [value]| {
            let (averages, is_centered) = (self.chunk(&place), self.mean.is_some());
            descend(value, &gradient[place], averages, is_centered, numbers);
        });
    }

    fn roll(&self, value: &mut [T], gradient: &[T], velocity: &mut [T], numbers: [T; 4]) {
        each_chunk([value, velocity], CHUNK, |place, [value, velocity]| {
            let (averages, is_centered) = (self.chunk(&place), self.mean.is_some());
            let gradient = &gradient[place];
            roll(value, gradient, velocity, averages, is_centered, numbers);
        });
    }
}

/// The root of the variance. Rounding may take it below zero, which PyTorch does not catch.
#[inline(always)]
fn deviation<T: Real>(square: T, mean: T, is_centered: bool) -> T {
    let centre = if is_centered { mean * mean } else { T::zero() };
    let variance = square - centre;
    if variance < T::zero() {
        T::zero()
    } else {
        variance.sqrt()
    }
}

vectorized! {
    fn average_square<T: Real>(square: &mut [T], value: &[T], gradient: &[T], numbers: [T; 3]) {
        let [alpha, rest, decay] = numbers;
        for ((square, &value), &gradient) in square.iter_mut().zip(value).zip(gradient) {
            let gradient = gradient + decay * value;
            *square = alpha * *square + rest * gradient * gradient;
        }
    }

    fn average<T: Real>(mean: &mut [T], value: &[T], gradient: &[T], numbers: [T; 3]) {
        let [alpha, rest, decay] = numbers;
        // Of two equal formulas the one whose factor is small, as torch.lerp does.
        let is_slow = rest < T::from_f64(0.5);
        for ((mean, &value), &gradient) in mean.iter_mut().zip(value).zip(gradient) {
            let gradient = gradient + decay * value;
            let way = gradient - *mean;
            *mean = if is_slow { *mean + rest * way } else { gradient - alpha * way };
        }
    }

    fn descend<T: Real>(value: &mut [T], gradient: &[T], averages: (&[T], &[T]), is_centered: bool, numbers: [T; 4]) {
        let [lr, decay, eps, _] = numbers;
        let averages = averages.0.iter().zip(averages.1);
        for ((value, &gradient), (&square, &mean)) in value.iter_mut().zip(gradient).zip(averages) {
            let gradient = gradient + decay * *value;
            *value -= lr * gradient / (deviation(square, mean, is_centered) + eps);
        }
    }

    fn roll<T: Real>(value: &mut [T], gradient: &[T], velocity: &mut [T], averages: (&[T], &[T]), is_centered: bool, numbers: [T; 4]) {
        let [lr, decay, eps, momentum] = numbers;
        let averages = averages.0.iter().zip(averages.1);
        let values = value.iter_mut().zip(gradient).zip(velocity);
        for (((value, &gradient), velocity), (&square, &mean)) in values.zip(averages) {
            let gradient = gradient + decay * *value;
            *velocity = momentum * *velocity + gradient / (deviation(square, mean, is_centered) + eps);
            *value -= lr * *velocity;
        }
    }
}
