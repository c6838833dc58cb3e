//! Gradients of several batches added up into one, as if they had been one batch.

use super::CHUNK;
use crate::device::has_own_kernels;
use crate::ops::real::Real;
use crate::ops::storage::{fill, fill_both, view};
use crate::ops::with_real;
use crate::{Network, NnError, Parameter};
use candle_core::{Device, Tensor};
use rayon::prelude::*;
use std::collections::HashMap;

/// What the tensors and the count are saved as, behind the parameter's key and alone.
const NAME: &str = "accumulated";

/// Sums of gradients, each times the number of images that it is the mean of.
#[derive(Debug)]
pub(super) struct Sums {
    /// For every parameter, frozen or not.
    sums: Vec<(String, Tensor)>,
    /// Images that were added.
    images: u64,
}

impl Sums {
    /// Goes on with what [`Sums::state`] gave, or begins with nothing.
    pub fn new(network: &Network, state: &mut HashMap<String, Tensor>) -> Result<Sums, NnError> {
        let images = match state.remove(NAME) {
            Some(count) => count.to_vec1::<i64>()?.first().copied().unwrap_or(0),
            None => 0,
        };
        let images = u64::try_from(images).unwrap_or(0);
        let mut sums = Vec::new();
        for parameter in network.parameters() {
            let (key, value) = (&parameter.key, &parameter.value);
            let saved = state.remove(&format!("{key}.{NAME}"));
            let sum = match saved {
                Some(saved) if saved.dims() == value.dims() => {
                    saved.to_device(value.device())?.copy()?
                }
                Some(_) | None if images > 0 => {
                    return Err(NnError::Weights(format!(
                        "the gradient of `{key}` that was added up is missing or of another shape"
                    )));
                }
                Some(_) | None => value.zeros_like()?,
            };
            sums.push((key.clone(), sum));
        }
        Ok(Sums { sums, images })
    }

    /// Adds the gradients of a batch of so many images.
    pub fn add(&mut self, network: &Network, images: u64) -> Result<(), NnError> {
        let parameters = network.parameters().par_iter().zip(&mut self.sums);
        parameters
            .filter(|(parameter, _)| !parameter.frozen)
            .try_for_each(|(parameter, (_, sum))| add(parameter, sum, images as f64))?;
        self.images += images;
        Ok(())
    }

    /// Puts the mean over all images that were added where the gradients are, and begins again.
    pub fn finish(&mut self, network: &mut Network) -> Result<(), NnError> {
        let fraction = 1.0 / self.images.max(1) as f64;
        let parameters = network.parameters_mut().par_iter_mut().zip(&mut self.sums);
        parameters
            .filter(|(parameter, _)| !parameter.frozen)
            .try_for_each(|(parameter, (_, sum))| take(parameter, sum, fraction))?;
        self.images = 0;
        Ok(())
    }

    /// What the next batch is added to; nothing where it begins.
    pub fn state(&self) -> Result<Vec<(String, Tensor)>, NnError> {
        if self.images == 0 {
            return Ok(Vec::new());
        }
        let count = Tensor::new(&[self.images as i64], &Device::Cpu)?;
        let named = |(key, sum): &(String, Tensor)| (format!("{key}.{NAME}"), sum.clone());
        let mut state: Vec<_> = self.sums.iter().map(named).collect();
        state.push((NAME.to_owned(), count));
        Ok(state)
    }
}

fn add(parameter: &Parameter, sum: &mut Tensor, images: f64) -> Result<(), NnError> {
    let gradient = &parameter.gradient;
    if !has_own_kernels(gradient.device()) {
        *sum = (&*sum + (gradient * images)?)?;
        return Ok(());
    }
    with_real!(gradient, T => {
        let gradient = view::<T>(gradient)?;
        let images = T::narrow(images);
        fill::<T>(sum, |sum| {
            let pairs = sum.par_chunks_mut(CHUNK).zip(gradient.par_chunks(CHUNK));
            pairs.for_each(|(sum, gradient)| {
                for (sum, &gradient) in sum.iter_mut().zip(gradient) {
                    *sum += images * gradient;
                }
            });
        })
    })
}

/// The gradient becomes the sum's share, and the sum 0.
fn take(parameter: &mut Parameter, sum: &mut Tensor, fraction: f64) -> Result<(), NnError> {
    if !has_own_kernels(sum.device()) {
        parameter.gradient = (&*sum * fraction)?;
        *sum = sum.zeros_like()?;
        return Ok(());
    }
    let gradient = &parameter.gradient;
    with_real!(gradient, T => {
        let fraction = T::narrow(fraction);
        let share = |gradient: &mut [T], sum: &mut [T]| {
            let pairs = gradient.par_chunks_mut(CHUNK).zip(sum.par_chunks_mut(CHUNK));
            pairs.for_each(|(gradient, sum)| {
                for (gradient, sum) in gradient.iter_mut().zip(sum) {
                    *gradient = *sum * fraction;
                    *sum = T::narrow(0.0);
                }
            });
        };
        fill_both::<T>(gradient, sum, share)
    })
}
