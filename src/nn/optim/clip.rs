//! Gradients kept within a bound (torch.nn.utils.clip_grad_norm_ and clip_grad_value_).

use super::CHUNK;
use crate::device::has_own_kernels;
use crate::ops::device::{at_least, at_most};
use crate::ops::real::Real;
use crate::ops::storage::{fill, view};
use crate::ops::with_real;
use crate::{Network, NnError, Parameter};
use candle_core::Tensor;
use rayon::prelude::*;
use strata_core::project::gradient::Clip;

/// Added to the norm, so that it is never divided by zero; PyTorch's.
const EPS: f64 = 1e-6;

/// Scales or cuts the gradients of all parameters that are not frozen.
pub fn clip(network: &mut Network, clip: Clip) -> Result<(), NnError> {
    match clip {
        Clip::Norm(most) if !has_own_kernels(network.device()) => {
            clip_norm_on_device(network, most)
        }
        Clip::Norm(most) => {
            let factor = most / (norm(network)? + EPS);
            if factor < 1.0 {
                each(network, &|gradient| scale(gradient, factor))?;
            }
            Ok(())
        }
        Clip::Value(most) => each(network, &|gradient| cut(gradient, most)),
    }
}

/// The same without waiting for the device: every gradient is multiplied, with 1 where the norm is within the bound.
fn clip_norm_on_device(network: &mut Network, most: f64) -> Result<(), NnError> {
    let learning = network.parameters_mut().iter_mut();
    let mut learning: Vec<&mut Parameter> = learning.filter(|learns| !learns.frozen).collect();
    let mut squares: Option<Tensor> = None;
    for parameter in &learning {
        let own = parameter.gradient.sqr()?.sum_all()?;
        squares = Some(match squares {
            Some(sum) => (sum + own)?,
            None => own,
        });
    }
    let Some(squares) = squares else {
        return Ok(());
    };
    let factor = ((squares.sqrt()? + EPS)?.recip()? * most)?;
    let factor = at_most(&factor, 1.0)?;
    for parameter in &mut learning {
        parameter.gradient = parameter.gradient.broadcast_mul(&factor)?;
    }
    Ok(())
}

/// The root of the sum of the squares of all gradients: the same bits on any number of threads.
fn norm(network: &Network) -> Result<f64, NnError> {
    let learning = network.parameters().par_iter();
    let squares: Vec<f64> = learning
        .filter(|parameter| !parameter.frozen)
        .map(|parameter| squares(&parameter.gradient))
        .collect::<Result<_, _>>()?;
    Ok(squares.iter().sum::<f64>().sqrt())
}

fn squares(gradient: &Tensor) -> Result<f64, NnError> {
    with_real!(gradient, T => {
        let numbers = view::<T>(gradient)?;
        let part = |some: &[T]| some.iter().map(|number| number.wide().powi(2)).sum();
        let parts: Vec<f64> = numbers.par_chunks(CHUNK).map(part).collect();
        Ok(parts.iter().sum())
    })
}

/// Changes the gradient of every parameter that learns.
fn each(
    network: &mut Network,
    change: &(dyn Fn(&mut Parameter) -> Result<(), NnError> + Sync),
) -> Result<(), NnError> {
    let parameters = network.parameters_mut().par_iter_mut();
    parameters
        .filter(|parameter| !parameter.frozen)
        .try_for_each(change)
}

fn scale(parameter: &mut Parameter, factor: f64) -> Result<(), NnError> {
    let gradient = &parameter.gradient;
    with_real!(gradient, T => {
        let factor = T::narrow(factor);
        fill::<T>(gradient, |numbers| by_chunk(numbers, |number| *number *= factor))
    })
}

fn cut(parameter: &mut Parameter, most: f64) -> Result<(), NnError> {
    if !has_own_kernels(parameter.gradient.device()) {
        parameter.gradient = at_most(&at_least(&parameter.gradient, -most)?, most)?;
        return Ok(());
    }
    let gradient = &parameter.gradient;
    with_real!(gradient, T => {
        let most = T::narrow(most);
        fill::<T>(gradient, |numbers| by_chunk(numbers, |number| {
            if *number > most {
                *number = most;
            } else if *number < -most {
                *number = -most;
            }
        }))
    })
}

fn by_chunk<T: Real>(numbers: &mut [T], change: impl Fn(&mut T) + Sync) {
    let chunks = numbers.par_chunks_mut(CHUNK);
    chunks.for_each(|chunk| chunk.iter_mut().for_each(&change));
}
