//! Optimizers as PyTorch defines them, one file each.
//!
//! Each keeps tensors for every parameter, named by [`Optimizer::state_names`] and saved under `KEY.NAME`, and
//! counts its steps. [`Learner`] is what a stage of training does with gradients: it adds up those of several batches,
//! keeps them within a bound, and lets the optimizer move the weights.

#![deny(clippy::wildcard_enum_match_arm)]

mod accumulate;
mod adagrad;
mod adam;
mod clip;
mod learner;
mod rmsprop;
mod sgd;

pub use clip::clip;
pub use learner::Learner;

use super::device::has_own_kernels;
use super::ops::real::Real;
use super::ops::storage::view;
use super::ops::with_real;
use super::{Network, NnError, Parameter};
use candle_core::{Device, Tensor};
use std::collections::HashMap;
use strata_core::project::optimizer::Optimizer;
use strata_core::project::schedule::Rates;

/// Values that are worth a task.
const CHUNK: usize = 1 << 12;

/// How one step changes a parameter; rebuilt for each step, with that step's constants.
trait UpdateRule {
    /// Changes a parameter on the CPU. `state` has the tensors of [`Optimizer::state_names`], in that order.
    fn step<T: Real>(
        &self,
        value: &Tensor,
        gradient: &[T],
        state: &[Tensor],
    ) -> Result<(), NnError>;

    /// The same with candle's operators.
    fn step_on_device(
        &self,
        parameter: &mut Parameter,
        state: &mut [Tensor],
    ) -> Result<(), NnError>;
}

/// The rule of the optimizer that is at work.
enum Rule {
    Sgd(sgd::Step),
    Adam(adam::Step),
    RmsProp(rmsprop::Step),
    Adagrad(adagrad::Step),
}

impl Rule {
    /// That of the step of this number, counted from 1.
    fn of(optimizer: Optimizer, lr: f64, steps: u64) -> Rule {
        match optimizer {
            Optimizer::Sgd(sgd) => Rule::Sgd(sgd::Step::new(sgd, lr, steps)),
            Optimizer::Adam(adam) => Rule::Adam(adam::Step::adam(adam, lr, steps)),
            Optimizer::AdamW(adamw) => Rule::Adam(adam::Step::adamw(adamw, lr, steps)),
            Optimizer::RmsProp(rmsprop) => Rule::RmsProp(rmsprop::Step::new(rmsprop, lr)),
            Optimizer::Adagrad(adagrad) => Rule::Adagrad(adagrad::Step::new(adagrad, lr, steps)),
        }
    }
}

impl UpdateRule for Rule {
    fn step<T: Real>(
        &self,
        value: &Tensor,
        gradient: &[T],
        state: &[Tensor],
    ) -> Result<(), NnError> {
        match self {
            Rule::Sgd(rule) => rule.step(value, gradient, state),
            Rule::Adam(rule) => rule.step(value, gradient, state),
            Rule::RmsProp(rule) => rule.step(value, gradient, state),
            Rule::Adagrad(rule) => rule.step(value, gradient, state),
        }
    }

    fn step_on_device(
        &self,
        parameter: &mut Parameter,
        state: &mut [Tensor],
    ) -> Result<(), NnError> {
        match self {
            Rule::Sgd(rule) => rule.step_on_device(parameter, state),
            Rule::Adam(rule) => rule.step_on_device(parameter, state),
            Rule::RmsProp(rule) => rule.step_on_device(parameter, state),
            Rule::Adagrad(rule) => rule.step_on_device(parameter, state),
        }
    }
}

/// What is done otherwise with some parameters (PyTorch's parameter groups).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Group {
    /// Factor on the learning rate.
    pub lr_factor: f64,
    /// Whether the optimizer's weight decay acts on them.
    pub decays: bool,
    /// Updates of the stage before the first one that moves them: they are frozen until then, and their first step is
    /// what the optimizer counts from, as PyTorch counts each parameter's own.
    pub begins_after: u64,
}

impl Default for Group {
    fn default() -> Group {
        Group {
            lr_factor: 1.0,
            decays: true,
            begins_after: 0,
        }
    }
}

/// An optimizer at work on one network.
#[derive(Debug)]
pub struct Updater {
    optimizer: Optimizer,
    steps: u64,
    groups: Vec<Group>,
    states: Vec<ParameterState>,
}

/// The tensors kept for a parameter, each of its shape.
#[derive(Debug)]
struct ParameterState {
    key: String,
    /// Which of the groups it is in.
    group: usize,
    names: &'static [&'static str],
    dims: Vec<usize>,
    device: Device,
    tensors: Vec<Tensor>,
}

impl ParameterState {
    /// Without its tensors.
    fn empty(optimizer: &Optimizer, parameter: &Parameter) -> ParameterState {
        ParameterState {
            key: parameter.key.clone(),
            group: 0,
            names: optimizer.state_names(),
            dims: parameter.value.dims().to_vec(),
            device: parameter.value.device().clone(),
            tensors: Vec::new(),
        }
    }

    fn fresh(optimizer: &Optimizer, parameter: &Parameter) -> Result<ParameterState, NnError> {
        let value = &parameter.value;
        let initial = optimizer.initial_state();
        let tensor = |_: &&str| match initial {
            0.0 => value.zeros_like(),
            initial => value.zeros_like()?.affine(0.0, initial),
        };
        let mut state = ParameterState::empty(optimizer, parameter);
        state.tensors = state.names.iter().map(tensor).collect::<Result<_, _>>()?;
        Ok(state)
    }

    /// The keys that the tensors are saved under.
    fn keys(&self) -> impl Iterator<Item = String> + use<> {
        let key = self.key.clone();
        self.names.iter().map(move |name| format!("{key}.{name}"))
    }
}

impl Updater {
    /// A fresh optimizer for the parameters of a network.
    pub fn new(optimizer: &Optimizer, network: &Network) -> Result<Updater, NnError> {
        let states = network
            .parameters()
            .iter()
            .map(|parameter| ParameterState::fresh(optimizer, parameter))
            .collect::<Result<_, NnError>>()?;
        Ok(Updater {
            optimizer: *optimizer,
            steps: 0,
            groups: vec![Group::default()],
            states,
        })
    }

    /// An optimizer that goes on with what [`Updater::state`] gave. It never holds fresh tensors beside those: a run
    /// that is resumed holds no more than a new one.
    pub fn resumed(
        optimizer: &Optimizer,
        network: &Network,
        state: HashMap<String, Tensor>,
    ) -> Result<Updater, NnError> {
        let parameters = network.parameters().iter();
        let mut updater = Updater {
            optimizer: *optimizer,
            steps: 0,
            groups: vec![Group::default()],
            states: parameters
                .map(|parameter| ParameterState::empty(optimizer, parameter))
                .collect(),
        };
        updater.load_state(state)?;
        Ok(updater)
    }

    /// Goes on with other settings of the same optimizer. What both keep for each parameter stays; what only the new
    /// one keeps begins as before a first step.
    pub fn change(&mut self, optimizer: &Optimizer, network: &Network) -> Result<(), NnError> {
        let names = optimizer.state_names();
        for (kept, parameter) in self.states.iter_mut().zip(network.parameters()) {
            if kept.names == names {
                continue;
            }
            let mut fresh = ParameterState::fresh(optimizer, parameter)?;
            fresh.group = kept.group;
            for (name, tensor) in names.iter().zip(&mut fresh.tensors) {
                if let Some(at) = kept.names.iter().position(|known| known == name) {
                    *tensor = kept.tensors[at].clone();
                }
            }
            *kept = fresh;
        }
        self.optimizer = *optimizer;
        Ok(())
    }

    /// Puts every parameter into the group that is said of it.
    pub fn set_groups(&mut self, network: &Network, group_of: &dyn Fn(&Parameter) -> Group) {
        self.groups.clear();
        for (parameter, state) in network.parameters().iter().zip(&mut self.states) {
            let group = group_of(parameter);
            let known = self.groups.iter().position(|known| *known == group);
            state.group = known.unwrap_or(self.groups.len());
            if known.is_none() {
                self.groups.push(group);
            }
        }
    }

    /// Moves every parameter that is not frozen along its gradient.
    pub fn step(&mut self, network: &mut Network, lr: f64) -> Result<(), NnError> {
        let momentum = None;
        self.step_with(network, Rates { lr, momentum })
    }

    /// The same with a momentum that is not the optimizer's own.
    pub fn step_with(&mut self, network: &mut Network, rates: Rates) -> Result<(), NnError> {
        self.steps += 1;
        let changed = |momentum| self.optimizer.with_momentum(momentum);
        let optimizer = rates.momentum.map_or(self.optimizer, changed);
        let rule = |group: &Group| {
            let optimizer = if group.decays {
                optimizer
            } else {
                optimizer.without_decay()
            };
            let steps = self.steps.saturating_sub(group.begins_after).max(1);
            Rule::of(optimizer, rates.lr * group.lr_factor, steps)
        };
        let rules: Vec<Rule> = self.groups.iter().map(rule).collect();
        self.update(network, &rules)
    }

    /// One rule for each group.
    fn update(&mut self, network: &mut Network, rules: &[Rule]) -> Result<(), NnError> {
        let rule = |group: usize| rules.get(group).ok_or_else(wrong_state);
        let is_cpu = has_own_kernels(network.device());
        let parameters = network.parameters_mut();
        if is_cpu {
            let mut each = parameters.iter().zip(&self.states);
            return each.try_for_each(|(parameter, state)| {
                if parameter.frozen {
                    return Ok(());
                }
                let value = &parameter.value;
                with_real!(value, T => {
                    let gradient = view::<T>(&parameter.gradient)?;
                    rule(state.group)?.step::<T>(value, &gradient, &state.tensors)
                })
            });
        }
        for (parameter, state) in parameters.iter_mut().zip(&mut self.states) {
            if !parameter.frozen {
                rule(state.group)?.step_on_device(parameter, &mut state.tensors)?;
            }
        }
        Ok(())
    }

    /// Everything needed to continue exactly. The tensors are those that the optimizer works with: they change with the
    /// next step.
    pub fn state(&self) -> Result<Vec<(String, Tensor)>, NnError> {
        let mut state = vec![(
            "steps".to_owned(),
            Tensor::new(&[self.steps as i64], &Device::Cpu)?,
        )];
        for kept in &self.states {
            for (key, tensor) in kept.keys().zip(&kept.tensors) {
                state.push((key, tensor.clone()));
            }
        }
        Ok(state)
    }

    /// Takes over what [`Updater::state`] gave, out of the map, so that nothing is held twice.
    fn load_state(&mut self, mut state: HashMap<String, Tensor>) -> Result<(), NnError> {
        let missing = |key: &str| {
            NnError::Weights(format!(
                "the optimizer's `{key}` is missing or of another shape"
            ))
        };
        let steps = state
            .get("steps")
            .ok_or_else(|| missing("steps"))?
            .to_vec1::<i64>()?;
        for kept in &mut self.states {
            for key in kept.keys() {
                let saved = state
                    .remove(&key)
                    .filter(|saved| saved.dims() == kept.dims)
                    .ok_or_else(|| missing(&key))?;
                kept.tensors.push(saved.to_device(&kept.device)?.copy()?);
            }
        }
        self.steps = steps.first().map_or(0, |&steps| steps as u64);
        Ok(())
    }
}

/// A rule was given other tensors than its [`Optimizer::state_names`].
fn wrong_state() -> NnError {
    NnError::Unsupported("an optimizer's step with the state of another".into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use candle_core::DType;
    use strata_core::project::node::Node;
    use strata_core::project::{Network as Stacks, size::Shape};

    fn network() -> Network {
        network_of(&[0.5, -1.0, 2.0], DType::F64)
    }

    /// A dense layer of these weights.
    fn network_of(weights: &[f64], dtype: DType) -> Network {
        let encoder = vec![Node::from_text(&format!("dense {} nobias", weights.len()))];
        let input = Shape::new(&[1]).unwrap();
        let stacks = Stacks {
            input,
            encoder,
            decoder: vec![],
            head: vec![],
        };
        let plan = strata_core::shape::infer(&stacks).plan.unwrap();
        let mut network = Network::with_dtype(&plan, 1, &Device::Cpu, dtype).unwrap();
        let start = column(weights, dtype);
        network
            .load_state(&HashMap::from([("encoder.0.weight".to_owned(), start)]))
            .unwrap();
        network
    }

    fn column(values: &[f64], dtype: DType) -> Tensor {
        let column = Tensor::from_slice(values, (values.len(), 1), &Device::Cpu).unwrap();
        column.to_dtype(dtype).unwrap()
    }

    fn weights(network: &Network) -> Vec<f64> {
        let value = network.parameters()[0].value.flatten_all().unwrap();
        value.to_dtype(DType::F64).unwrap().to_vec1().unwrap()
    }

    fn gradient(step: usize) -> Tensor {
        let sign = if step.is_multiple_of(2) { 0.1 } else { -0.1 };
        Tensor::new(&[[0.3 * (step + 1) as f64], [-0.2], [sign]], &Device::Cpu).unwrap()
    }

    #[test]
    fn optimizers_are_pytorchs() {
        let path = concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/../../tests/fixtures/optim.json"
        );
        let fixture: HashMap<String, Vec<[f64; 3]>> =
            serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
        assert_eq!(fixture.len(), 18);
        for (text, steps) in fixture {
            let optimizer: Optimizer = text.parse().unwrap();
            let mut network = network();
            let mut updater = Updater::new(&optimizer, &network).unwrap();
            for (step, wanted) in steps.iter().enumerate() {
                network.parameters_mut()[0].gradient = gradient(step);
                updater.step(&mut network, optimizer.lr()).unwrap();
                let found = weights(&network);
                let close = found.iter().zip(wanted).all(|(a, b)| (a - b).abs() < 1e-12);
                assert!(close, "{text}, step {step}: {found:?} {wanted:?}");
            }
        }
    }

    /// Steps in f32, as networks train: each weight has moved as far as PyTorch's, also where 1 − β is so small that it
    /// would be off by a fifth if it were computed in f32.
    #[test]
    fn steps_in_single_precision_are_pytorchs() {
        let path = concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/../../tests/fixtures/optim_f32.json"
        );
        let fixture: HashMap<String, Vec<[f64; 2]>> =
            serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
        assert_eq!(fixture.len(), 12);
        let start = [1e-3, -2e-3];
        for (text, steps) in fixture {
            let optimizer: Optimizer = text.parse().unwrap();
            let mut network = network_of(&start, DType::F32);
            let mut updater = Updater::new(&optimizer, &network).unwrap();
            for (step, wanted) in steps.iter().enumerate() {
                let slopes = [0.3 * (step + 1) as f64, -0.2];
                network.parameters_mut()[0].gradient = column(&slopes, DType::F32);
                updater.step(&mut network, optimizer.lr()).unwrap();
                for ((found, wanted), start) in weights(&network).iter().zip(wanted).zip(start) {
                    let off = (found - wanted).abs() / (wanted - start).abs();
                    assert!(off < 1e-6, "{text}, step {step}: {found} {wanted} {off}");
                }
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
        let state = first.state().unwrap().into_iter().collect();
        let mut second = Updater::resumed(&optimizer, &b, state).unwrap();
        for (network, updater) in [(&mut a, &mut first), (&mut b, &mut second)] {
            network.parameters_mut()[0].gradient = gradient(3);
            updater.step(network, 0.01).unwrap();
        }
        assert_eq!(weights(&a), weights(&b));
    }
}
