//! Optimizers as PyTorch defines them: SGD with momentum, Nesterov and weight decay, Adam, AdamW.
//!
//! Each keeps what it needs beside a parameter (nothing, the velocity, or two means), saved under `KEY.first`
//! and `KEY.second`, and counts its steps. Sources: torch.optim.SGD, torch.optim.Adam, torch.optim.AdamW.

use super::ops::real::Real;
use super::ops::simd::vectorized;
use super::ops::storage::{fill, fill_both, view};
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

/// What is kept beside a parameter.
#[derive(Debug)]
struct Moments {
    key: String,
    /// The velocity, or Adam's mean of the gradient.
    first: Option<Tensor>,
    /// Adam's mean of the gradient's square.
    second: Option<Tensor>,
}

impl Moments {
    fn new(optimizer: &Optimizer, parameter: &Parameter) -> Result<Moments, NnError> {
        let kept = match optimizer {
            Optimizer::Sgd { momentum: 0.0, .. } => 0,
            Optimizer::Sgd { .. } => 1,
            Optimizer::Adam(_) | Optimizer::AdamW(_) => 2,
        };
        let zeros = |needed: bool| needed.then(|| parameter.value.zeros_like()).transpose();
        Ok(Moments {
            key: parameter.key.clone(),
            first: zeros(kept > 0)?,
            second: zeros(kept > 1)?,
        })
    }

    /// The tensors kept, with the keys they are saved under.
    fn named(&self) -> impl Iterator<Item = (String, &Tensor)> {
        let parts = [("first", &self.first), ("second", &self.second)];
        parts
            .into_iter()
            .filter_map(|(part, tensor)| Some((format!("{}.{part}", self.key), tensor.as_ref()?)))
    }

    /// The same, to replace.
    fn named_mut(&mut self) -> impl Iterator<Item = (String, &mut Tensor)> {
        let Moments { key, first, second } = self;
        let parts = [("first", first), ("second", second)];
        parts
            .into_iter()
            .filter_map(move |(part, tensor)| Some((format!("{key}.{part}"), tensor.as_mut()?)))
    }
}

impl Updater {
    /// A fresh optimizer for the parameters of a network.
    pub fn new(optimizer: &Optimizer, network: &Network) -> Result<Updater, NnError> {
        let moments = network
            .parameters()
            .iter()
            .map(|p| Moments::new(optimizer, p))
            .collect::<Result<_, NnError>>()?;
        Ok(Updater {
            optimizer: *optimizer,
            steps: 0,
            moments,
        })
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
        let mut state = vec![(
            "steps".to_owned(),
            Tensor::new(&[self.steps as i64], &Device::Cpu)?,
        )];
        for moments in &self.moments {
            for (key, tensor) in moments.named() {
                state.push((key, tensor.to_device(&Device::Cpu)?.copy()?));
            }
        }
        Ok(state)
    }

    /// Takes over what [`Updater::state`] gave.
    pub fn load_state(&mut self, state: &HashMap<String, Tensor>) -> Result<(), NnError> {
        let missing = |key: &str| {
            NnError::Weights(format!(
                "the optimizer's `{key}` is missing or of another shape"
            ))
        };
        let steps = state
            .get("steps")
            .ok_or_else(|| missing("steps"))?
            .to_vec1::<i64>()?;
        for moments in &mut self.moments {
            for (key, tensor) in moments.named_mut() {
                let saved = state
                    .get(&key)
                    .filter(|saved| saved.dims() == tensor.dims());
                *tensor = saved
                    .ok_or_else(|| missing(&key))?
                    .to_device(tensor.device())?
                    .copy()?;
            }
        }
        self.steps = steps.first().map_or(0, |&steps| steps as u64);
        Ok(())
    }
}

/// One step's constants.
enum Rule {
    Sgd(Sgd),
    Adam(Adam),
}

struct Sgd {
    lr: f64,
    momentum: f64,
    nesterov: bool,
    decay: f64,
    /// True at the first step.
    first: bool,
}

struct Adam {
    settings: AdamSettings,
    lr: f64,
    /// Weight decay beside the step (AdamW) instead of in the gradient.
    decoupled: bool,
    /// 1 − β₁ᵗ and 1 − β₂ᵗ.
    correction1: f64,
    correction2: f64,
}

impl Rule {
    fn new(optimizer: &Optimizer, lr: f64, steps: u64) -> Rule {
        match *optimizer {
            Optimizer::Sgd {
                momentum,
                nesterov,
                weight_decay,
                ..
            } => Rule::Sgd(Sgd {
                lr,
                momentum,
                nesterov,
                decay: weight_decay,
                first: steps == 1,
            }),
            Optimizer::Adam(settings) | Optimizer::AdamW(settings) => Rule::Adam(Adam {
                settings,
                lr,
                decoupled: matches!(optimizer, Optimizer::AdamW(_)),
                correction1: 1.0 - settings.beta1.powf(steps as f64),
                correction2: 1.0 - settings.beta2.powf(steps as f64),
            }),
        }
    }

    fn apply(&self, parameter: &mut Parameter, moments: &mut Moments) -> Result<(), NnError> {
        if !parameter.value.device().is_cpu() {
            return self.apply_on_device(parameter, moments);
        }
        let Parameter {
            value, gradient, ..
        } = parameter;
        with_real!(value, T => {
            let gradient = view::<T>(gradient)?;
            match (self, &moments.first, &moments.second) {
                (Rule::Sgd(sgd), None, _) => fill::<T>(value, |value| sgd.plain(value, &gradient)),
                (Rule::Sgd(sgd), Some(velocity), _) => {
                    fill_both::<T>(value, velocity, |value, velocity| sgd.with_momentum(value, &gradient, velocity))
                }
                (Rule::Adam(adam), Some(mean), Some(square)) => {
                    let mut inner = Ok(());
                    fill::<T>(square, |square| {
                        inner = fill_both::<T>(value, mean, |value, mean| adam.apply(value, &gradient, mean, square));
                    })?;
                    inner
                }
                _ => Ok(()),
            }
        })
    }

    fn apply_on_device(
        &self,
        parameter: &mut Parameter,
        moments: &mut Moments,
    ) -> Result<(), NnError> {
        match (self, &mut moments.first, &mut moments.second) {
            (Rule::Sgd(sgd), velocity, _) => sgd.apply_on_device(parameter, velocity.as_mut()),
            (Rule::Adam(adam), Some(mean), Some(square)) => {
                adam.apply_on_device(parameter, mean, square)
            }
            _ => Ok(()),
        }
    }
}

impl Sgd {
    fn plain<T: Real>(&self, value: &mut [T], gradient: &[T]) {
        let [lr, decay] = [self.lr, self.decay].map(T::of);
        let chunks = value.par_chunks_mut(CHUNK).zip(gradient.par_chunks(CHUNK));
        chunks.for_each(|(value, gradient)| descend(value, gradient, lr, decay));
    }

    fn with_momentum<T: Real>(&self, value: &mut [T], gradient: &[T], velocity: &mut [T]) {
        let [lr, momentum, decay] = [self.lr, self.momentum, self.decay].map(T::of);
        let chunks = value
            .par_chunks_mut(CHUNK)
            .zip(gradient.par_chunks(CHUNK))
            .zip(velocity.par_chunks_mut(CHUNK));
        // PyTorch starts the velocity at the first gradient; before it, it is 0.
        let keep = if self.first { T::zero() } else { momentum };
        let (own, ahead) = if self.nesterov {
            (T::one(), momentum)
        } else {
            (T::zero(), T::one())
        };
        chunks.for_each(|((value, gradient), velocity)| {
            roll(value, gradient, velocity, [lr, decay, keep, own, ahead]);
        });
    }

    fn apply_on_device(
        &self,
        parameter: &mut Parameter,
        velocity: Option<&mut Tensor>,
    ) -> Result<(), NnError> {
        let gradient = (&parameter.gradient + (&parameter.value * self.decay)?)?;
        let step = match velocity {
            None => gradient,
            Some(velocity) => {
                *velocity = if self.first {
                    gradient.clone()
                } else {
                    ((&*velocity * self.momentum)? + &gradient)?
                };
                if self.nesterov {
                    (gradient + (&*velocity * self.momentum)?)?
                } else {
                    velocity.clone()
                }
            }
        };
        parameter.value = (&parameter.value - (step * self.lr)?)?;
        Ok(())
    }
}

impl Adam {
    /// Factor on the value and share of it added to the gradient: decay beside the step or in the gradient.
    fn decay(&self) -> (f64, f64) {
        let decay = self.settings.weight_decay;
        if self.decoupled {
            (1.0 - self.lr * decay, 0.0)
        } else {
            (1.0, decay)
        }
    }

    fn apply<T: Real>(&self, value: &mut [T], gradient: &[T], mean: &mut [T], square: &mut [T]) {
        let AdamSettings {
            beta1, beta2, eps, ..
        } = self.settings;
        let (keep, add) = self.decay();
        let [keep, add, beta1, beta2, eps] = [keep, add, beta1, beta2, eps].map(T::of);
        let (size, root) = (
            T::of(self.lr / self.correction1),
            T::of(self.correction2.sqrt()),
        );
        let chunks = value.par_chunks_mut(CHUNK).zip(gradient.par_chunks(CHUNK));
        let moments = mean.par_chunks_mut(CHUNK).zip(square.par_chunks_mut(CHUNK));
        chunks
            .zip(moments)
            .for_each(|((value, gradient), (mean, square))| {
                adapt(
                    value,
                    gradient,
                    mean,
                    square,
                    [keep, add, beta1, beta2, eps, size, root],
                );
            });
    }

    fn apply_on_device(
        &self,
        parameter: &mut Parameter,
        mean: &mut Tensor,
        square: &mut Tensor,
    ) -> Result<(), NnError> {
        let AdamSettings {
            beta1, beta2, eps, ..
        } = self.settings;
        let (keep, add) = self.decay();
        let gradient = (&parameter.gradient + (&parameter.value * add)?)?;
        *mean = ((&*mean * beta1)? + (&gradient * (1.0 - beta1))?)?;
        *square = ((&*square * beta2)? + (gradient.sqr()? * (1.0 - beta2))?)?;
        let root = ((square.sqrt()? / self.correction2.sqrt())? + eps)?;
        parameter.value =
            ((&parameter.value * keep)? - ((&*mean / root)? * (self.lr / self.correction1))?)?;
        Ok(())
    }
}

vectorized! {
    fn descend<T: Real>(value: &mut [T], gradient: &[T], lr: T, decay: T) {
        for (value, &gradient) in value.iter_mut().zip(gradient) {
            *value -= lr * (gradient + decay * *value);
        }
    }

    /// `velocity = keep·velocity + g`, then a step along `own·g + ahead·velocity`.
    fn roll<T: Real>(value: &mut [T], gradient: &[T], velocity: &mut [T], numbers: [T; 5]) {
        let [lr, decay, keep, own, ahead] = numbers;
        for ((value, &gradient), velocity) in value.iter_mut().zip(gradient).zip(velocity) {
            let gradient = gradient + decay * *value;
            *velocity = keep * *velocity + gradient;
            *value -= lr * (own * gradient + ahead * *velocity);
        }
    }

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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testkit::networks;
    use candle_core::DType;

    fn network() -> Network {
        let stacks = networks::network("1", &["dense 3 nobias"], &[], &[]);
        let plan = crate::shape::infer(&stacks).plan.unwrap();
        let mut network = Network::with_dtype(&plan, 1, &Device::Cpu, DType::F64).unwrap();
        let start = Tensor::new(&[[0.5f64], [-1.0], [2.0]], &Device::Cpu).unwrap();
        network
            .load_state(&HashMap::from([("encoder.0.weight".to_owned(), start)]))
            .unwrap();
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
                let found = network.parameters()[0]
                    .value
                    .flatten_all()
                    .unwrap()
                    .to_vec1::<f64>()
                    .unwrap();
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
        b.load_state(&a.state().unwrap().into_iter().collect())
            .unwrap();
        let mut second = Updater::new(&optimizer, &b).unwrap();
        second
            .load_state(&first.state().unwrap().into_iter().collect())
            .unwrap();
        for (network, updater) in [(&mut a, &mut first), (&mut b, &mut second)] {
            network.parameters_mut()[0].gradient = gradient(3);
            updater.step(network, 0.01).unwrap();
        }
        let value = |n: &Network| {
            n.parameters()[0]
                .value
                .flatten_all()
                .unwrap()
                .to_vec1::<f64>()
                .unwrap()
        };
        assert_eq!(value(&a), value(&b));
    }
}
