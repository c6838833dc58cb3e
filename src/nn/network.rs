//! A network that computes: three sequences of layers, their parameters, one forward and one backward.

use super::layers::{Sequence, channels_last};
use super::ops::elementwise::{add_row, zip};
use super::ops::real::Real;
use super::ops::reduce::wide_column_sums;
use super::ops::storage::{Buffer, Memory, fill, view};
use super::ops::with_real;
use super::{NnError, init};
use crate::nn::layers::Chosen;
use crate::project::stage::{Sparsity, Task};
use crate::project::{Place, Stack};
use crate::shape::Target;
use crate::shape::op::{Op, Plan, Planned};
use candle_core::{DType, Device, Tensor};
use std::collections::HashMap;

type Result<T> = std::result::Result<T, NnError>;

/// Which stacks a batch runs through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Route {
    /// Encoder, decoder.
    Reconstruct,
    /// Encoder, head.
    Classify,
}

impl Route {
    /// The stack after the encoder.
    pub fn second(self) -> Stack {
        match self {
            Route::Reconstruct => Stack::Decoder,
            Route::Classify => Stack::Head,
        }
    }
}

impl From<Task> for Route {
    fn from(task: Task) -> Route {
        match task {
            Task::Reconstruct => Route::Reconstruct,
            Task::Classify => Route::Classify,
        }
    }
}

/// Whether layers behave as in training.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Running statistics, no dropout, no noise.
    Eval,
    /// Batch statistics, dropout and noise drawn for this step from this seed.
    Train {
        /// The project's seed.
        seed: u64,
        /// The step over the whole run.
        step: u64,
    },
}

/// A learned tensor.
#[derive(Clone, Debug)]
pub struct Parameter {
    /// PyTorch-style key, `encoder.0.weight`.
    pub key: String,
    /// The numbers, in PyTorch's layout.
    pub value: Tensor,
    /// The latest gradient, in the same layout.
    pub gradient: Tensor,
    /// The layer it belongs to, the same in every pass of a repeat.
    pub place: Place,
    /// Frozen parameters get no gradient and no update.
    pub frozen: bool,
}

/// A KL penalty on the mean activation of every unit: β·Σ KL(ρ‖ρ̂).
#[derive(Clone, Debug)]
pub(crate) struct Penalty {
    rho: f64,
    beta: f64,
    /// Its value at the latest forward pass.
    pub value: f64,
    /// ∂/∂ρ̂ of each unit, divided by the number of values it is the mean of.
    slopes: Vec<f64>,
}

/// Mean activations are kept this far from 0 and 1, where the penalty is infinite.
const RHO_MARGIN: f64 = 1e-6;

impl Penalty {
    /// Computes the penalty for an activation; a unit is a feature or a channel.
    pub(crate) fn observe(&mut self, activation: &Tensor) -> Result<()> {
        let units = activation.dims()[activation.rank() - 1];
        let count = (activation.elem_count() / units) as f64;
        let host = activation.to_device(&Device::Cpu)?;
        self.slopes.resize(units, 0.0);
        with_real!(host, T => {
            wide_column_sums(&view::<T>(&host)?, &mut self.slopes);
            Ok::<_, NnError>(())
        })?;
        let (rho, beta) = (self.rho, self.beta);
        self.value = 0.0;
        for slope in &mut self.slopes {
            let m = (*slope / count).clamp(RHO_MARGIN, 1.0 - RHO_MARGIN);
            self.value += beta * (rho * (rho / m).ln() + (1.0 - rho) * ((1.0 - rho) / (1.0 - m)).ln());
            *slope = beta * ((1.0 - rho) / (1.0 - m) - rho / m) / count;
        }
        Ok(())
    }

    /// The gradient of the loss plus that of the penalty.
    pub(crate) fn add_gradient(&self, gradient: &Tensor, out: &mut Penalised, cx: &Context<'_>) -> Result<Tensor> {
        if cx.uses_candle(gradient) {
            let slopes = Tensor::new(self.slopes.as_slice(), gradient.device())?.to_dtype(gradient.dtype())?;
            return Ok(gradient.broadcast_add(&slopes)?);
        }
        let slopes = out.slopes.get(&[self.slopes.len()], gradient)?;
        let sum = out.sum.get(gradient.dims(), gradient)?;
        with_real!(gradient, T => {
            fill::<T>(&slopes, |slopes| slopes.iter_mut().zip(&self.slopes).for_each(|(to, &from)| *to = T::of(from)))?;
            let (gradient, slopes) = (view::<T>(gradient)?, view::<T>(&slopes)?);
            fill::<T>(&sum, |sum| add_row(&gradient, &slopes, sum))
        })?;
        Ok(sum)
    }
}

/// Memory of a penalty's gradient.
#[derive(Default)]
pub(crate) struct Penalised {
    slopes: Buffer,
    sum: Buffer,
}

/// What layers share while a batch passes: parameters, statistics, pooling indices.
pub(crate) struct Context<'a> {
    pub parameters: &'a mut [Parameter],
    statistics: &'a mut [(String, Tensor)],
    pub slots: &'a mut [Option<Chosen>],
    pub mode: Mode,
    /// Candle's operators even on the CPU: the tests' second opinion.
    pub candle_only: bool,
    /// Whether layers may do the work of those that follow them.
    pub fuses: bool,
    /// Whether outputs that no gradient will ask for, those before all that learns, may be overwritten.
    pub forgets: bool,
    /// Whether something before the present layer learns, so that gradients pass through it.
    pub carries: bool,
    /// Memory that one layer at a time works in.
    pub scratch: &'a Memory,
    /// Counts the changes of the weights.
    pub version: u64,
    /// Sum of the penalties observed.
    pub penalty: f64,
}

/// How [`Context::combine`] combines.
#[derive(Clone, Copy)]
pub(crate) enum Combine {
    Sum,
    Product,
}

impl Context<'_> {
    /// True where our CPU kernels do not apply.
    pub(crate) fn uses_candle(&self, tensor: &Tensor) -> bool {
        self.candle_only || !tensor.device().is_cpu()
    }

    pub(crate) fn training(&self) -> bool {
        matches!(self.mode, Mode::Train { .. })
    }

    /// True when a parameter learns.
    pub(crate) fn trains(&self, parameter: usize) -> bool {
        !self.parameters[parameter].frozen
    }

    /// Replaces the gradient of a parameter.
    pub(crate) fn set_gradient(&mut self, parameter: usize, values: &[f64]) -> Result<()> {
        let parameter = &mut self.parameters[parameter];
        let value = &parameter.value;
        let gradient = Tensor::new(values, value.device())?.to_dtype(value.dtype())?;
        parameter.gradient = gradient.reshape(value.dims())?;
        Ok(())
    }

    /// A running statistic.
    pub(crate) fn statistic(&self, index: usize) -> &Tensor {
        &self.statistics[index].1
    }

    /// Replaces a running statistic.
    pub(crate) fn set_statistic(&mut self, index: usize, value: Tensor) {
        self.statistics[index].1 = value;
    }

    /// Elementwise sum or product into a buffer.
    pub(crate) fn combine(&self, a: &Tensor, b: &Tensor, out: &mut Buffer, how: Combine) -> Result<Tensor> {
        if self.uses_candle(a) {
            return Ok(match how {
                Combine::Sum => (a + b)?,
                Combine::Product => (a * b)?,
            });
        }
        let y = out.get(a.dims(), a)?;
        with_real!(a, T => {
            let (a, b) = (view::<T>(a)?, view::<T>(b)?);
            fill::<T>(&y, |y| match how {
                Combine::Sum => zip(&a, &b, y, |a, b| a + b),
                Combine::Product => zip(&a, &b, y, |a, b| a * b),
            })
        })?;
        Ok(y)
    }
}

/// Collects parameters while layers are built.
pub(crate) struct Builder<'a> {
    parameters: Vec<Parameter>,
    statistics: Vec<(String, Tensor)>,
    random_layers: u64,
    place: Place,
    seed: u64,
    device: &'a Device,
    dtype: DType,
}

impl Builder<'_> {
    /// The type of the network's numbers.
    pub(crate) fn dtype(&self) -> DType {
        self.dtype
    }

    /// Parameters made from here on belong to this layer.
    pub(crate) fn enter(&mut self, place: &Place) {
        self.place = place.clone();
    }

    fn parameter(&mut self, key: &str, dims: &[usize], values: Vec<f64>) -> Result<usize> {
        let value = Tensor::from_vec(values, dims, &Device::Cpu)?.to_dtype(self.dtype)?.to_device(self.device)?;
        let gradient = Tensor::zeros(dims, self.dtype, self.device)?;
        self.parameters.push(Parameter {
            key: key.to_owned(),
            value,
            gradient,
            place: self.place.clone(),
            frozen: false,
        });
        Ok(self.parameters.len() - 1)
    }

    /// A parameter with PyTorch's default initial values.
    pub(crate) fn uniform(&mut self, key: &str, dims: &[usize], fan_in: usize) -> Result<usize> {
        let count = dims.iter().product();
        self.parameter(key, dims, init::uniform(self.seed, key, fan_in, count))
    }

    /// A parameter of equal values.
    pub(crate) fn constant(&mut self, key: &str, dims: &[usize], value: f64) -> Result<usize> {
        self.parameter(key, dims, vec![value; dims.iter().product()])
    }

    /// A running statistic: saved with the weights, never trained.
    pub(crate) fn statistic(&mut self, key: &str, count: usize, value: f64) -> Result<usize> {
        let values = Tensor::full(value, count, self.device)?.to_dtype(self.dtype)?;
        self.statistics.push((key.to_owned(), values));
        Ok(self.statistics.len() - 1)
    }

    /// A number of its own for every layer that draws random numbers.
    pub(crate) fn next_random(&mut self) -> u64 {
        self.random_layers += 1;
        self.random_layers
    }
}

/// A compiled network.
pub struct Network {
    stacks: [Option<Sequence>; 3],
    ends_in_softmax: [bool; 3],
    parameters: Vec<Parameter>,
    statistics: Vec<(String, Tensor)>,
    slots: Vec<Option<Chosen>>,
    input: crate::project::size::Shape,
    device: Device,
    candle_only: bool,
    observed: bool,
    scratch: Memory,
    /// Whether the latest forward pass kept only what the parameters that learn need.
    forgot: bool,
    version: u64,
    route: Route,
    penalty: f64,
}

/// `N×1×L×C` as `N×L×C`, for networks of signals.
fn signals(images: &Tensor, is_signal: bool) -> Result<Tensor> {
    match *images.dims() {
        [count, 1, length, channels] if is_signal => Ok(images.reshape((count, length, channels))?),
        _ => Ok(images.clone()),
    }
}

impl Network {
    /// Builds the network of a plan with initial weights from the seed, in f32.
    pub fn new(plan: &Plan, seed: u64, device: &Device) -> Result<Network> {
        Network::with_dtype(plan, seed, device, DType::F32)
    }

    /// The same with numbers of another type (f64 for finite differences).
    pub fn with_dtype(plan: &Plan, seed: u64, device: &Device, dtype: DType) -> Result<Network> {
        let (parameters, statistics) = (Vec::new(), Vec::new());
        let place = Place::new(Stack::Encoder, 0);
        let mut builder = Builder { parameters, statistics, random_layers: 0, place, seed, device, dtype };
        let mut stacks = [None, None, None];
        let mut softmax_last = [false; 3];
        for stack in Stack::ALL {
            if let Some(planned) = plan.stack(stack) {
                stacks[stack as usize] = Some(Sequence::new(planned, &mut builder)?);
                softmax_last[stack as usize] = ends_in_softmax(planned);
            }
        }
        let Builder { parameters, statistics, .. } = builder;
        let slots = vec![None; plan.slots];
        let (input, device) = (plan.input.clone(), device.clone());
        let (candle_only, observed, version) = (false, false, 0);
        let (route, penalty) = (Route::Reconstruct, 0.0);
        Ok(Network {
            stacks,
            ends_in_softmax: softmax_last,
            parameters,
            statistics,
            slots,
            input,
            device,
            candle_only,
            observed,
            scratch: Memory::default(),
            forgot: false,
            version,
            route,
            penalty,
        })
    }

    /// Computes with candle's operators even on the CPU. Slower; for checking one against the other.
    pub fn set_candle_only(&mut self, on: bool) {
        self.candle_only = on;
    }

    /// Computes layer by layer, so that [`Network::outputs`] has the output of every one. Otherwise a
    /// convolution does the work of the relu and max pooling behind it, and has no output of its own.
    pub fn set_observed(&mut self, on: bool) {
        self.observed = on;
    }

    /// Where the network computes.
    pub fn device(&self) -> &Device {
        &self.device
    }

    /// The dimensions of a batch of inputs: `N×H×W×C`.
    pub fn input_dims(&self, batch: usize) -> Vec<usize> {
        channels_last(batch, &self.input).to_vec()
    }

    /// The output for a batch (`N×H×W×C`, `N×L×C` or `N×F`; signals may come as images of one row). The next call overwrites the returned tensor.
    pub fn forward(&mut self, route: Route, images: &Tensor, mode: Mode) -> Result<Tensor> {
        self.route = route;
        let is_signal = self.input.rank() == 1;
        let (mut cx, stacks) = self.context(mode);
        let mut x = signals(images, is_signal)?;
        for stack in [Stack::Encoder, route.second()] {
            let sequence = sound(&mut stacks[stack as usize], stack)?;
            x = sequence.forward(&x, &mut cx)?;
            cx.carries |= sequence.trains(&cx);
        }
        (self.penalty, self.forgot) = (cx.penalty, cx.forgets);
        Ok(x)
    }

    fn context(&mut self, mode: Mode) -> (Context<'_>, &mut [Option<Sequence>; 3]) {
        let Network { stacks, parameters, statistics, slots, candle_only, observed, version, device, scratch, .. } =
            self;
        let (candle_only, version) = (*candle_only, *version);
        let fuses = device.is_cpu() && !candle_only && !*observed;
        let some_frozen = parameters.iter().any(|parameter| parameter.frozen);
        let forgets = some_frozen && !*observed && matches!(mode, Mode::Train { .. });
        let (carries, penalty) = (false, 0.0);
        let (parameters, statistics) = (parameters.as_mut_slice(), statistics.as_mut_slice());
        let cx = Context {
            parameters,
            statistics,
            slots,
            mode,
            candle_only,
            fuses,
            forgets,
            carries,
            scratch,
            version,
            penalty,
        };
        (cx, stacks)
    }

    /// The gradients of all parameters that are not frozen, for the latest forward pass in training.
    pub fn backward(&mut self, gradient: &Tensor) -> Result<()> {
        self.backward_to(gradient, false).map(|_| ())
    }

    /// The same, with the gradient for the input (for saliency).
    pub fn backward_to_input(&mut self, gradient: &Tensor) -> Result<Tensor> {
        if self.forgot {
            return Err(NnError::Unsupported(
                "a gradient for the input after a step of training with frozen layers".into(),
            ));
        }
        let input = self.backward_to(gradient, true)?;
        input.ok_or_else(|| NnError::Unsupported("a gradient for the input of this network".into()))
    }

    fn backward_to(&mut self, gradient: &Tensor, need_input: bool) -> Result<Option<Tensor>> {
        let route = self.route;
        let (mut cx, stacks) = self.context(Mode::Train { seed: 0, step: 0 });
        let encoder = sound(&mut stacks[Stack::Encoder as usize], Stack::Encoder)?;
        let need_code = need_input || encoder.trains(&cx);
        let second = route.second();
        let code = sound(&mut stacks[second as usize], second)?.backward(gradient, need_code, &mut cx)?;
        match code {
            Some(code) => {
                sound(&mut stacks[Stack::Encoder as usize], Stack::Encoder)?.backward(&code, need_input, &mut cx)
            }
            None => Ok(None),
        }
    }

    /// Freezes the parameters under these stacks and layers (`encoder`, `encoder.0`; inside a repeat those
    /// of every pass) and frees all others.
    pub fn set_frozen(&mut self, names: &[String]) {
        let targets: Vec<Target> = names.iter().filter_map(|name| name.parse().ok()).collect();
        for parameter in &mut self.parameters {
            parameter.frozen = targets.iter().any(|target| target.contains(&parameter.place));
        }
    }

    /// Puts a sparsity penalty on an activation, or takes it away. Of a stack or a repeat the last output
    /// counts; without a name, the encoder's.
    pub fn set_sparsity(&mut self, sparsity: Option<&Sparsity>) -> Result<()> {
        let name = sparsity.map(|s| s.at.as_deref().unwrap_or(Stack::Encoder.name()));
        let target: Option<Target> = name.and_then(|name| name.parse().ok());
        let (rho, beta) = sparsity.map_or((0.5, 0.0), |s| (s.rho, s.beta));
        let penalty = Penalty { rho, beta, value: 0.0, slopes: Vec::new() };
        let mut found = false;
        for sequence in self.stacks.iter_mut().flatten() {
            found |= sequence.set_penalty(target.as_ref(), &penalty);
        }
        match name {
            Some(name) if !found => Err(NnError::NoSuchLayer(format!(
                "sparsity names `{name}`, which is no layer of this network: write at=encoder.N with N from 0"
            ))),
            _ => Ok(()),
        }
    }

    /// The penalty of the latest forward pass.
    pub fn penalty(&self) -> f64 {
        self.penalty
    }

    /// All parameters, in the order of the layers.
    pub fn parameters(&self) -> &[Parameter] {
        &self.parameters
    }

    /// The same, to update.
    pub fn parameters_mut(&mut self) -> &mut [Parameter] {
        self.version += 1;
        &mut self.parameters
    }

    /// True when the last layer of the route's second stack is a softmax.
    pub fn ends_in_softmax(&self, route: Route) -> bool {
        self.ends_in_softmax[route.second() as usize]
    }

    /// Weights and running statistics under PyTorch's keys and in its layout, copied to the CPU.
    pub fn state(&self) -> Result<Vec<(String, Tensor)>> {
        let parameters = self.parameters.iter().map(|p| (&p.key, &p.value));
        let all = parameters.chain(self.statistics.iter().map(|(key, value)| (key, value)));
        all.map(|(key, value)| Ok((key.clone(), value.to_device(&Device::Cpu)?.copy()?))).collect()
    }

    /// Takes over weights and statistics; on an error nothing has changed.
    pub fn load_state(&mut self, state: &HashMap<String, Tensor>) -> Result<()> {
        let (device, parameters, statistics) = (&self.device, &self.parameters, &self.statistics);
        let fit = |key: &str, value: &Tensor| fitting(state, key, value, device);
        let values = parameters.iter().map(|p| fit(&p.key, &p.value)).collect::<Result<Vec<_>>>()?;
        let moved = statistics.iter().map(|(key, value)| fit(key, value)).collect::<Result<Vec<_>>>()?;
        self.version += 1;
        for (parameter, value) in self.parameters.iter_mut().zip(values) {
            parameter.value = value;
        }
        for ((_, statistic), value) in self.statistics.iter_mut().zip(moved) {
            *statistic = value;
        }
        Ok(())
    }

    /// The key of the first layer, in the order of the latest forward pass, whose output holds NaN or
    /// infinity; `None` when all are finite. Of layers that were computed as one it is the first, which has
    /// the weights.
    pub fn first_not_finite(&self) -> Result<Option<String>> {
        let (mut outputs, mut head) = (Vec::new(), "");
        for sequence in [Stack::Encoder, self.route.second()].iter().filter_map(|&s| self.stacks[s as usize].as_ref()) {
            sequence.visit(&mut |node| {
                head = if node.skipped { head } else { node.key.as_str() };
                outputs.extend(node.output.as_ref().map(|output| (head, output)));
            });
        }
        for (key, output) in outputs {
            let total = output.to_dtype(DType::F64)?.abs()?.sum_all()?.to_scalar::<f64>()?;
            if !total.is_finite() {
                return Ok(Some(key.to_owned()));
            }
        }
        Ok(None)
    }

    /// The outputs of the latest forward pass by layer key: of every layer after
    /// [`Network::set_observed`], otherwise of those that were not computed as part of another.
    pub fn outputs(&self) -> Vec<(&str, &Tensor)> {
        let mut outputs = Vec::new();
        for stack in [Stack::Encoder, self.route.second()] {
            if let Some(sequence) = &self.stacks[stack as usize] {
                sequence.visit(&mut |node| outputs.extend(node.output.as_ref().map(|o| (node.key.as_str(), o))));
            }
        }
        outputs
    }
}

/// Whether the last layer that changes anything is a softmax.
fn ends_in_softmax(planned: &[Planned]) -> bool {
    for node in planned.iter().rev() {
        match node {
            Planned::Layer(layer) if matches!(layer.op, Op::Identity | Op::Flatten) => {}
            Planned::Layer(layer) => return layer.op == Op::Softmax,
            Planned::Repeat { passes, .. } => return passes.last().is_some_and(|pass| ends_in_softmax(pass)),
            _ => return false,
        }
    }
    false
}

fn sound(sequence: &mut Option<Sequence>, stack: Stack) -> Result<&mut Sequence> {
    sequence.as_mut().ok_or(NnError::Unsound(stack.name()))
}

fn fitting(state: &HashMap<String, Tensor>, key: &str, like: &Tensor, device: &Device) -> Result<Tensor> {
    let value = state.get(key).ok_or_else(|| NnError::Weights(format!("`{key}` is missing")))?;
    if value.dims() != like.dims() {
        let (found, wanted) = (value.dims(), like.dims());
        return Err(NnError::Weights(format!("`{key}` has the shape {found:?}, the network needs {wanted:?}")));
    }
    Ok(value.to_dtype(like.dtype())?.to_device(device)?.contiguous()?.copy()?)
}
