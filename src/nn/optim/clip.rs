//! Gradients kept within a bound (torch.nn.utils.clip_grad_norm_ and clip_grad_value_).

use super::CHUNK;
use crate::ops::real::Real;
use crate::ops::storage::{fill, view};
use crate::ops::with_real;
use crate::{Network, NnError, Parameter};
use candle_core::{DType, Device, Tensor};
use rayon::prelude::*;
use strata_core::project::gradient::Clip;

/// Added to the norm, so that it is never divided by zero; PyTorch's.
const EPS: f64 = 1e-6;

/// Scales or cuts the gradients of all parameters that are not frozen.
pub fn clip(network: &mut Network, clip: Clip) -> Result<(), NnError> {
    match clip {
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
    if !gradient.device().is_cpu() {
        let sum = gradient.sqr()?.sum_all()?.to_dtype(DType::F64)?;
        return Ok(sum.to_device(&Device::Cpu)?.to_scalar::<f64>()?);
    }
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
    if !parameter.gradient.device().is_cpu() {
        parameter.gradient = (&parameter.gradient * factor)?;
        return Ok(());
    }
    let gradient = &parameter.gradient;
    with_real!(gradient, T => {
        let factor = T::narrow(factor);
        fill::<T>(gradient, |numbers| by_chunk(numbers, |number| *number *= factor))
    })
}

fn cut(parameter: &mut Parameter, most: f64) -> Result<(), NnError> {
    if !parameter.gradient.device().is_cpu() {
        parameter.gradient = parameter.gradient.clamp(-most, most)?;
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
