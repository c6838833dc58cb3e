//! Optimizers as PyTorch defines them: SGD with momentum, Nesterov and weight decay, Adam, AdamW.
//!
//! Each keeps up to two tensors for every parameter, saved under `KEY.first` and `KEY.second`, and counts
//! its steps. Sources: torch.optim.SGD, torch.optim.Adam, torch.optim.AdamW.

use super::ops::real::Real;
use super::ops::storage::{fill3, view};
use super::ops::with_real;
use super::{Network, NnError, Parameter};
use crate::project::stage::{AdamSettings, Optimizer};
use candle_core::{Device, Tensor};
use rayon::prelude::*;
use std::collections::HashMap;

const CHUNK: usize = 1 << 14;

/// An optimizer at work on one network.
#[derive(Debug)]
pub struct Updater {
    optimizer: Optimizer,
    steps: u64,
    moments: Vec<Moments>,
}

/// Momentum, or Adam's means of the gradient and of its square.
#[derive(Debug)]
struct Moments {
    key: String,
    first: Tensor,
    second: Tensor,
}

impl Updater {
    /// A fresh optimizer for the parameters of a network.
    pub fn new(optimizer: &Optimizer, network: &Network) -> Result<Updater, NnError> {
        let moments = |p: &Parameter| {
            Ok(Moments { key: p.key.clone(), first: p.value.zeros_like()?, second: p.value.zeros_like()? })
        };
        let moments = network.parameters().iter().map(moments).collect::<Result<_, NnError>>()?;
        Ok(Updater { optimizer: *optimizer, steps: 0, moments })
    }

    /// Moves every parameter that is not frozen along its gradient.
    pub fn step(&mut self, network: &mut Network, lr: f64) -> Result<(), NnError> {
        self.steps += 1;
        let rule = Rule::new(&self.optimizer, lr, self.steps);
        for (parameter, moments) in network.parameters_mut().iter_mut().zip(&mut self.moments) {
            if !parameter.frozen {
                rule.apply(parameter, moments)?;
            }
        }
        Ok(())
    }

    /// Everything needed to go on exactly, copied to the CPU.
    pub fn state(&self) -> Result<Vec<(String, Tensor)>, NnError> {
        let steps = Tensor::new(&[self.steps as i64], &Device::Cpu)?;
        let mut state = vec![("steps".to_owned(), steps)];
        for moments in &self.moments {
            for (part, tensor) in [("first", &moments.first), ("second", &moments.second)] {
                state.push((format!("{}.{part}", moments.key), tensor.to_device(&Device::Cpu)?.copy()?));
            }
        }
        Ok(state)
    }

    /// Takes over what [`Updater::state`] gave.
    pub fn load_state(&mut self, state: &HashMap<String, Tensor>) -> Result<(), NnError> {
        let missing = |key: &str| NnError::Weights(format!("the optimizer's `{key}` is missing or of another shape"));
        let take = |key: String, like: &Tensor| match state.get(&key) {
            Some(tensor) if tensor.dims() == like.dims() => Ok(tensor.to_device(like.device())?.copy()?),
            _ => Err(missing(&key)),
        };
        let steps = state.get("steps").ok_or_else(|| missing("steps"))?.to_vec1::<i64>()?;
        for moments in &mut self.moments {
            moments.first = take(format!("{}.first", moments.key), &moments.first)?;
            moments.second = take(format!("{}.second", moments.key), &moments.second)?;
        }
        self.steps = steps.first().map_or(0, |&steps| steps as u64);
        Ok(())
    }
}

/// One step's constants.
enum Rule {
    Sgd { lr: f64, momentum: f64, nesterov: bool, decay: f64, first: bool },
    Adam { settings: AdamSettings, lr: f64, decoupled: bool, correction1: f64, correction2: f64 },
}

impl Rule {
    fn new(optimizer: &Optimizer, lr: f64, steps: u64) -> Rule {
        let corrections = |s: &AdamSettings| (1.0 - s.beta1.powf(steps as f64), 1.0 - s.beta2.powf(steps as f64));
        match *optimizer {
            Optimizer::Sgd { momentum, nesterov, weight_decay, .. } => {
                Rule::Sgd { lr, momentum, nesterov, decay: weight_decay, first: steps == 1 }
            }
            Optimizer::Adam(settings) | Optimizer::AdamW(settings) => {
                let (correction1, correction2) = corrections(&settings);
                let decoupled = matches!(optimizer, Optimizer::AdamW(_));
                Rule::Adam { settings, lr, decoupled, correction1, correction2 }
            }
        }
    }

    fn apply(&self, parameter: &mut Parameter, moments: &mut Moments) -> Result<(), NnError> {
        if !parameter.value.device().is_cpu() {
            return self.apply_on_device(parameter, moments);
        }
        let Parameter { value, gradient, .. } = parameter;
        with_real!(value, T => {
            let gradient = view::<T>(gradient)?;
            fill3::<T>([value, &moments.first, &moments.second], |value, first, second| {
                let chunks = value.par_chunks_mut(CHUNK).zip(gradient.par_chunks(CHUNK));
                let moments = first.par_chunks_mut(CHUNK).zip(second.par_chunks_mut(CHUNK));
                chunks.zip(moments).for_each(|((value, gradient), (first, second))| {
                    self.apply_to_slices(value, gradient, first, second);
                });
            })
        })
    }

    fn apply_to_slices<T: Real>(&self, value: &mut [T], gradient: &[T], first: &mut [T], second: &mut [T]) {
        match self {
            Rule::Sgd { lr, momentum, nesterov, decay, first: fresh } => {
                let [lr, momentum, decay] = [*lr, *momentum, *decay].map(T::of);
                for ((value, &gradient), velocity) in value.iter_mut().zip(gradient).zip(first) {
                    let gradient = gradient + decay * *value;
                    // PyTorch starts the velocity at the first gradient.
                    *velocity = if *fresh { gradient } else { momentum * *velocity + gradient };
                    let step = if *nesterov { gradient + momentum * *velocity } else { *velocity };
                    *value -= lr * step;
                }
            }
            Rule::Adam { settings, lr, decoupled, correction1, correction2 } => {
                let AdamSettings { beta1, beta2, eps, weight_decay, .. } = *settings;
                let (keep, add) = if *decoupled { (1.0 - lr * weight_decay, 0.0) } else { (1.0, weight_decay) };
                let [keep, add, beta1, beta2, eps] = [keep, add, beta1, beta2, eps].map(T::of);
                let (size, root) = (T::of(lr / correction1), T::of(correction2.sqrt()));
                let moments = first.iter_mut().zip(second);
                for ((value, &gradient), (mean, square)) in value.iter_mut().zip(gradient).zip(moments) {
                    let gradient = gradient + add * *value;
                    *mean = beta1 * *mean + (T::one() - beta1) * gradient;
                    *square = beta2 * *square + (T::one() - beta2) * gradient * gradient;
                    *value = *value * keep - size * *mean / (square.sqrt() / root + eps);
                }
            }
        }
    }

    fn apply_on_device(&self, parameter: &mut Parameter, moments: &mut Moments) -> Result<(), NnError> {
        let (value, gradient) = (&parameter.value, &parameter.gradient);
        parameter.value = match self {
            Rule::Sgd { lr, momentum, nesterov, decay, first } => {
                let gradient = (gradient + (value * *decay)?)?;
                moments.first = if *first { gradient.clone() } else { ((&moments.first * *momentum)? + &gradient)? };
                let step = if *nesterov { (gradient + (&moments.first * *momentum)?)? } else { moments.first.clone() };
                (value - (step * *lr)?)?
            }
            Rule::Adam { settings, lr, decoupled, correction1, correction2 } => {
                let AdamSettings { beta1, beta2, eps, weight_decay, .. } = *settings;
                let (keep, add) = if *decoupled { (1.0 - lr * weight_decay, 0.0) } else { (1.0, weight_decay) };
                let gradient = (gradient + (value * add)?)?;
                moments.first = ((&moments.first * beta1)? + (&gradient * (1.0 - beta1))?)?;
                moments.second = ((&moments.second * beta2)? + (gradient.sqr()? * (1.0 - beta2))?)?;
                let root = ((moments.second.sqrt()? / correction2.sqrt())? + eps)?;
                ((value * keep)? - ((&moments.first / root)? * (lr / correction1))?)?
            }
        };
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::project::node::Node;
    use crate::project::{Network as Stacks, size::Shape};
    use candle_core::DType;

    fn network() -> Network {
        let encoder = vec![Node::from_text("dense 3 nobias")];
        let input = Shape::new(&[1]).unwrap();
        let stacks = Stacks { input, encoder, decoder: vec![], head: vec![] };
        let plan = crate::shape::infer(&stacks).plan.unwrap();
        let mut network = Network::with_dtype(&plan, 1, &Device::Cpu, DType::F64).unwrap();
        let start = Tensor::new(&[[0.5f64], [-1.0], [2.0]], &Device::Cpu).unwrap();
        network.load_state(&HashMap::from([("encoder.0.weight".to_owned(), start)])).unwrap();
        network
    }

    fn gradient(step: usize) -> Tensor {
        let sign = if step.is_multiple_of(2) { 0.1 } else { -0.1 };
        Tensor::new(&[[0.3 * (step + 1) as f64], [-0.2], [sign]], &Device::Cpu).unwrap()
    }

    #[test]
    fn optimizers_are_pytorchs() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/optim.json");
        let fixture: HashMap<String, Vec<[f64; 3]>> =
            serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
        assert_eq!(fixture.len(), 7);
        for (text, steps) in fixture {
            let optimizer: Optimizer = text.parse().unwrap();
            let mut network = network();
            let mut updater = Updater::new(&optimizer, &network).unwrap();
            for (step, wanted) in steps.iter().enumerate() {
                network.parameters_mut()[0].gradient = gradient(step);
                updater.step(&mut network, optimizer.lr()).unwrap();
                let found = network.parameters()[0].value.flatten_all().unwrap().to_vec1::<f64>().unwrap();
                let close = found.iter().zip(wanted).all(|(a, b)| (a - b).abs() < 1e-12);
                assert!(close, "{text}, step {step}: {found:?} {wanted:?}");
            }
        }
    }

    #[test]
    fn a_restored_optimizer_goes_on_exactly() {
        let optimizer: Optimizer = "adam lr=0.01".parse().unwrap();
        let (mut a, mut b) = (network(), network());
        let mut first = Updater::new(&optimizer, &a).unwrap();
        for step in 0..3 {
            a.parameters_mut()[0].gradient = gradient(step);
            first.step(&mut a, 0.01).unwrap();
        }
        b.load_state(&a.state().unwrap().into_iter().collect()).unwrap();
        let mut second = Updater::new(&optimizer, &b).unwrap();
        second.load_state(&first.state().unwrap().into_iter().collect()).unwrap();
        for (network, updater) in [(&mut a, &mut first), (&mut b, &mut second)] {
            network.parameters_mut()[0].gradient = gradient(3);
            updater.step(network, 0.01).unwrap();
        }
        let value = |n: &Network| n.parameters()[0].value.flatten_all().unwrap().to_vec1::<f64>().unwrap();
        assert_eq!(value(&a), value(&b));
    }
}
