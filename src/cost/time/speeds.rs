//! What a machine was measured to do, and what that says of kernels and passes of other sizes.
//!
//! Short probes are measured on the machine itself ([`super::probes`]), so that a kernel that becomes faster is
//! judged faster. A kernel of other sizes takes the rate of the probes of its kind that are nearest to it: in how much
//! one position reads, in how many channels come out, in the number of positions and in the stride.

use super::super::memory::Machine;
use super::super::memory::kernels::{Kernel, volume};
use super::probes::{PassKind, pass_kind};
use std::collections::BTreeMap;
use strata_core::project::loss::Loss;
use strata_core::project::optimizer::Optimizer;
use strata_core::shape::op::{Op, PlannedLayer};

/// Bytes that a step may hold for its numbers to be found in the caches: what [`Speeds::bandwidth`] is measured with.
pub const CACHED: f64 = 25e6;
/// Bytes from which on they are not: what [`Speeds::memory_bandwidth`] is measured with.
pub const UNCACHED: f64 = 100e6;
/// The squared distance at which a probe counts a quarter of what it counts nearby.
const NEAR: f64 = 0.25;

/// Seconds of a layer's passes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Passes {
    /// From the input to the output.
    pub forward: f64,
    /// To the layer's weights; 0 where it has none.
    pub weight: f64,
    /// To its input.
    pub input: f64,
}

/// What is measured of a machine.
#[derive(Clone, Debug, PartialEq)]
pub struct Measured {
    /// Layers with a kernel: resolved, with the batch and the times.
    pub kernels: Vec<(PlannedLayer, usize, Passes)>,
    /// Layers without one, likewise.
    pub passes: Vec<(PlannedLayer, usize, Passes)>,
    /// Kernels whose weight is laid out before they run: a smaller and a larger batch and the times of both.
    pub laid: Vec<(PlannedLayer, [usize; 2], [Passes; 2])>,
    /// Seconds that each loss needs for a number of the output.
    pub losses: Vec<(Loss, f64)>,
    /// Seconds that each optimizer needs for a weight.
    pub optimizers: Vec<(Optimizer, f64)>,
    /// Seconds that a sparsity penalty needs for a number, forward and backward.
    pub penalty: f64,
    /// Seconds in which a number of a weight is put into another order.
    pub reordering: f64,
    /// Bytes a second of simple layers whose numbers stay in the caches: [`CACHED`] together.
    pub bandwidth: f64,
    /// The same where they come from memory: [`UNCACHED`] together.
    pub memory_bandwidth: f64,
    /// Seconds that a pass of a layer needs to begin.
    pub start: f64,
    /// Seconds that the update of a tensor needs to begin.
    pub update_start: f64,
}

/// Which way a kernel goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Direction {
    /// From the side that the window slides over to that of its positions.
    Down,
    /// Back.
    Up,
    /// To the gradient of its weight.
    Weight,
}

/// How a kernel is computed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Method {
    Direct,
    Points,
    Pointwise,
    Depthwise,
    Dense,
}

impl Method {
    fn of(kernel: &Kernel) -> Method {
        match volume(kernel.geometry.kernel) {
            _ if kernel.is_depthwise() => Method::Depthwise,
            1 if volume(kernel.geometry.input) == 1 => Method::Dense,
            1 => Method::Pointwise,
            _ if kernel.points().is_some() => Method::Points,
            _ => Method::Direct,
        }
    }
}

/// What a kernel's rate depends on, as powers of two: numbers that a position reads, channels that come out, positions
/// of the batch, positions from one window to the next.
type Size = [f64; 4];

/// How much each of them tells probes apart; a dense layer's batch is what decides how often its weight is read.
const WEIGHTS: Size = [1.0, 1.0, 0.5, 1.0];
const DENSE_WEIGHTS: Size = [0.5, 0.5, 1.0, 1.0];

fn size(kernel: &Kernel, direction: Direction, batch: f64) -> Size {
    let (from, to) = match direction {
        Direction::Down | Direction::Weight => (kernel.large, kernel.small),
        Direction::Up => (kernel.small, kernel.large),
    };
    let (groups, cells) = (kernel.groups.max(1), volume(kernel.geometry.kernel));
    let lanes = if kernel.is_depthwise() {
        to
    } else {
        to / groups
    };
    let positions = volume(kernel.geometry.output) as f64 * batch;
    [
        (from / groups * cells) as f64,
        lanes as f64,
        positions,
        volume(kernel.geometry.stride) as f64,
    ]
    .map(|number| number.max(1.0).log2())
}

#[derive(Clone, Debug, PartialEq)]
struct KernelSpeed {
    method: Method,
    direction: Direction,
    size: Size,
    /// Multiply-adds a second.
    rate: f64,
}

/// Seconds for each number of a weight, or of a gradient in parts, that a kernel lays out before or after it runs.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Laying {
    packed: f64,
    parts: f64,
}

/// Seconds for each number that a pass goes over, and for each that a window reads besides.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct PassSpeed {
    forward: f64,
    backward: f64,
    cell: f64,
}

/// What the measured times say.
#[derive(Clone, Debug, PartialEq)]
pub struct Speeds {
    kernels: Vec<KernelSpeed>,
    direct: Laying,
    points: Laying,
    passes: BTreeMap<PassKind, PassSpeed>,
    losses: BTreeMap<&'static str, f64>,
    optimizers: BTreeMap<(&'static str, usize), f64>,
    pub(super) penalty: f64,
    pub(super) reordering: f64,
    bandwidth: f64,
    memory_bandwidth: f64,
    pub(super) start: f64,
    pub(super) update_start: f64,
}

impl Speeds {
    /// What these times say of a machine.
    pub fn of(measured: &Measured, machine: Machine) -> Speeds {
        let losses = measured.losses.iter();
        let optimizers = measured.optimizers.iter();
        let mut speeds = Speeds {
            kernels: Vec::new(),
            direct: Laying::default(),
            points: Laying::default(),
            passes: BTreeMap::new(),
            losses: losses.map(|(loss, s)| (loss.spec().word, *s)).collect(),
            optimizers: optimizers.map(|(o, s)| (optimizer_key(o), *s)).collect(),
            penalty: measured.penalty,
            reordering: measured.reordering,
            bandwidth: measured.bandwidth,
            memory_bandwidth: measured.memory_bandwidth,
            start: measured.start,
            update_start: measured.update_start,
        };
        for (layer, batches, times) in &measured.laid {
            speeds.learn_laying(layer, *batches, *times, machine);
        }
        let laid = measured.laid.iter();
        let larger = laid.map(|(layer, batches, times)| (layer, batches[1], times[1]));
        let kernels = measured
            .kernels
            .iter()
            .map(|(layer, batch, times)| (layer, *batch, *times));
        for (layer, batch, times) in kernels.chain(larger) {
            speeds.learn_kernel(layer, batch, times, machine);
        }
        for (layer, batch, times) in &measured.passes {
            speeds.learn_pass(layer, *batch, *times);
        }
        speeds
    }

    /// A machine that computes and moves everything equally fast, and starts at once.
    pub fn even(rate: f64, bandwidth: f64) -> Speeds {
        let all = [Direction::Down, Direction::Up, Direction::Weight];
        let methods = [
            Method::Direct,
            Method::Points,
            Method::Pointwise,
            Method::Depthwise,
            Method::Dense,
        ];
        let kernels = methods.into_iter().flat_map(|method| {
            all.map(|direction| KernelSpeed {
                method,
                direction,
                size: Size::default(),
                rate,
            })
        });
        Speeds {
            kernels: kernels.collect(),
            direct: Laying::default(),
            points: Laying::default(),
            passes: BTreeMap::new(),
            losses: BTreeMap::new(),
            optimizers: BTreeMap::new(),
            penalty: 0.0,
            reordering: 0.0,
            bandwidth,
            memory_bandwidth: bandwidth,
            start: 0.0,
            update_start: 0.0,
        }
    }

    fn learn_kernel(
        &mut self,
        layer: &PlannedLayer,
        batch: usize,
        times: Passes,
        machine: Machine,
    ) {
        let [kernel] = Kernel::of(layer)[..] else {
            return;
        };
        for (direction, seconds) in directions(&kernel, times) {
            let kernel = kernel.of_direction(direction != Direction::Up);
            let laid = self.laying_seconds(&kernel, direction, batch as f64, machine);
            let left = (seconds - self.start - laid).max(0.1 * seconds);
            let work =
                kernel.multiply_adds(direction == Direction::Up, machine) as f64 * batch as f64;
            self.kernels.push(KernelSpeed {
                method: Method::of(&kernel),
                direction,
                size: size(&kernel, direction, batch as f64),
                rate: work / left.max(f64::MIN_POSITIVE),
            });
        }
    }

    /// What does not grow with the batch.
    fn learn_laying(
        &mut self,
        layer: &PlannedLayer,
        [few, many]: [usize; 2],
        [of_few, of_many]: [Passes; 2],
        machine: Machine,
    ) {
        let [kernel] = Kernel::of(layer)[..] else {
            return;
        };
        let (few, many) = (few as f64, many as f64);
        let fixed = |of_few: f64, of_many: f64| {
            let fixed = (of_few * many - of_many * few) / (many - few).max(1.0);
            (fixed - self.start).clamp(0.0, of_few)
        };
        let packed = fixed(of_few.forward, of_many.forward) + fixed(of_few.input, of_many.input);
        let numbers = kernel.packed(true, machine) + kernel.packed(false, machine);
        let parts = fixed(of_few.weight, of_many.weight);
        let summed = kernel.partial_sums(few as u64, machine);
        let laying = Laying {
            packed: packed / numbers.max(1) as f64,
            parts: parts / summed.max(1) as f64,
        };
        match kernel.points() {
            Some(_) => self.points = laying,
            None => self.direct = laying,
        }
    }

    fn learn_pass(&mut self, layer: &PlannedLayer, batch: usize, times: Passes) {
        let Some(kind) = pass_kind(&layer.op) else {
            return;
        };
        let (numbers, cells) = pass_numbers(layer);
        let of_each = |seconds: f64| {
            (seconds - self.start).max(0.1 * seconds) / (numbers * batch as f64).max(1.0)
        };
        let (forward, backward) = (of_each(times.forward), of_each(times.weight + times.input));
        let speed = self.passes.entry(kind).or_default();
        // The second probe of a window says what each of its cells adds.
        if speed.forward > 0.0 && cells > 0.0 {
            speed.cell = ((forward - speed.forward) / (cells - FIRST_WINDOW).max(1.0)).max(0.0);
        } else {
            *speed = PassSpeed {
                forward,
                backward,
                cell: 0.0,
            };
        }
    }

    /// Multiply-adds a second of a kernel in a direction.
    pub(super) fn rate(&self, kernel: &Kernel, direction: Direction, batch: f64) -> f64 {
        let (method, wanted) = (Method::of(kernel), size(kernel, direction, batch));
        let alike = self
            .kernels
            .iter()
            .filter(|speed| speed.method == method && speed.direction == direction);
        let by = match method {
            Method::Dense => DENSE_WEIGHTS,
            Method::Direct | Method::Points | Method::Pointwise | Method::Depthwise => WEIGHTS,
        };
        let (mut sum, mut weights) = (0.0, 0.0);
        for speed in alike {
            let apart = speed.size.iter().zip(wanted).zip(by);
            let distance: f64 = apart.map(|((a, b), weight)| weight * (a - b).powi(2)).sum();
            let weight = 1.0 / (distance + NEAR).powi(2);
            sum += weight * speed.rate.ln();
            weights += weight;
        }
        (sum / f64::max(weights, f64::MIN_POSITIVE)).exp()
    }

    /// Seconds in which a kernel lays its weight out, or adds up the parts of its gradient.
    pub(super) fn laying_seconds(
        &self,
        kernel: &Kernel,
        direction: Direction,
        batch: f64,
        machine: Machine,
    ) -> f64 {
        let laying = match Method::of(kernel) {
            Method::Dense => return 0.0,
            Method::Points => self.points,
            Method::Direct | Method::Pointwise | Method::Depthwise => self.direct,
        };
        match direction {
            Direction::Down => laying.packed * kernel.packed(true, machine) as f64,
            Direction::Up => laying.packed * kernel.packed(false, machine) as f64,
            Direction::Weight => laying.parts * kernel.partial_sums(batch as u64, machine) as f64,
        }
    }

    /// Seconds of a layer without a kernel for an image, forward and backward, inside the caches.
    pub(super) fn pass(&self, layer: &PlannedLayer) -> [f64; 2] {
        let known = pass_kind(&layer.op).and_then(|kind| self.passes.get(&kind));
        let (numbers, cells) = pass_numbers(layer);
        let speed = known.copied().unwrap_or_default();
        let cells = (cells - FIRST_WINDOW).max(0.0);
        [speed.forward + speed.cell * cells, speed.backward].map(|each| each * numbers)
    }

    /// Seconds of a loss for a number of the output.
    pub(super) fn loss(&self, loss: Loss) -> f64 {
        self.losses.get(loss.spec().word).copied().unwrap_or(0.0)
    }

    /// Seconds of an optimizer for a weight.
    pub(super) fn optimizer(&self, optimizer: &Optimizer) -> f64 {
        let known = self.optimizers.get(&optimizer_key(optimizer));
        known.copied().unwrap_or(0.0)
    }

    /// Seconds in which so many bytes come from memory or go there, as far as they are not found in the caches: those
    /// that are part of `held` bytes which are used in turn.
    pub(super) fn moved(&self, bytes: f64, held: f64) -> f64 {
        let outside = ((held - CACHED) / (UNCACHED - CACHED)).clamp(0.0, 1.0);
        outside * bytes / self.memory_bandwidth
    }

    /// Seconds in which so many bytes are moved, wherever they are.
    pub(super) fn copied(&self, bytes: f64, held: f64) -> f64 {
        let outside = ((held - CACHED) / (UNCACHED - CACHED)).clamp(0.0, 1.0);
        bytes * ((1.0 - outside) / self.bandwidth + outside / self.memory_bandwidth)
    }
}

/// Positions of the window of the first probe of a pooling.
const FIRST_WINDOW: f64 = 4.0;

/// Numbers of an image that a pass goes over, and positions of its window.
fn pass_numbers(layer: &PlannedLayer) -> (f64, f64) {
    let (input, output) = (
        layer.input.elements() as f64,
        layer.output.elements() as f64,
    );
    if let Op::MaxPool { geometry, .. } | Op::AvgPool { geometry, .. } = &layer.op {
        return (output, volume(geometry.kernel) as f64);
    }
    (input.max(output), 0.0)
}

fn optimizer_key(optimizer: &Optimizer) -> (&'static str, usize) {
    (optimizer.word(), optimizer.state_names().len())
}

/// The directions of a kernel's passes with their seconds.
fn directions(kernel: &Kernel, times: Passes) -> [(Direction, f64); 3] {
    let (forward, input) = match kernel.transposed {
        false => (Direction::Down, Direction::Up),
        true => (Direction::Up, Direction::Down),
    };
    [
        (forward, times.forward),
        (Direction::Weight, times.weight),
        (input, times.input),
    ]
}
