//! How long a training step takes, from what a machine was measured to do: a roofline by layer.
//!
//! Each pass of a layer takes as long as its arithmetic at the speed of its kind of kernel, or as its numbers
//! need to and from memory, whichever is longer, and a little to begin. Lanes to spare count as arithmetic, since
//! they are computed. It is an estimate: caches, and how well a size fits the tiles, are not modelled.

#![deny(clippy::wildcard_enum_match_arm)]

use super::fusion::{FusedUnit, Watch, Work, end, first_trained, units};
use super::memory::Machine;
use super::memory::kernels::{Ends, Kernel, volume};
use super::memory::step_memory;
use super::pass_cost::{self, MOVED};
use std::collections::BTreeMap;
use strata_core::project::stage::{Optimizer, Stage, Task};
use strata_core::project::{Place, Stack};
use strata_core::shape::layers::Effort;
use strata_core::shape::op::{Plan, PlannedLayer};

const FLOAT: f64 = 4.0;
/// Bytes that a step may hold for its numbers to be found in the caches: what [`Speeds::bandwidth`] is measured with.
pub const CACHED: f64 = 25e6;
/// Bytes from which on they are not: what [`Speeds::memory_bandwidth`] is measured with.
pub const UNCACHED: f64 = 100e6;
/// Vectors of outputs that a kernel computes together at most.
const MOST_VECTORS: f64 = 4.0;

/// Multiply-adds a second, in either pass.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rate {
    /// Computing outputs.
    pub forward: f64,
    /// Computing gradients of weights and inputs.
    pub backward: f64,
}

/// What a machine was measured to do.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Speeds {
    /// A window of several positions, few channels out: one vector.
    pub narrow: Rate,
    /// The same with many channels out.
    pub wide: Rate,
    /// A window of 3×3 that is computed at points, two vectors of channels out: as many multiply-adds as directly.
    pub narrow_points: Rate,
    /// The same with many channels out.
    pub wide_points: Rate,
    /// A window of one position.
    pub pointwise: Rate,
    /// Every channel by itself.
    pub depthwise: Rate,
    /// A dense layer.
    pub dense: Rate,
    /// Bytes a second of simple layers whose numbers stay in the caches: [`CACHED`] together.
    pub bandwidth: f64,
    /// The same where they come from memory: [`UNCACHED`] together.
    pub memory_bandwidth: f64,
    /// Seconds that a layer needs to begin.
    pub start: f64,
}

impl Speeds {
    /// Bytes a second of the layers of a step that holds so many bytes.
    fn bandwidth_of(&self, held: f64) -> f64 {
        let outside = ((held - CACHED) / (UNCACHED - CACHED)).clamp(0.0, 1.0);
        let seconds = (1.0 - outside) / self.bandwidth + outside / self.memory_bandwidth;
        1.0 / seconds
    }
}

/// The time of a training step.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct StepTime {
    /// Seconds of each layer, forward and backward; a layer in a repeat has all passes.
    pub layers: BTreeMap<Place, f64>,
    /// The loss.
    pub loss: f64,
    /// The optimizer.
    pub update: f64,
}

impl StepTime {
    /// Seconds of everything.
    pub fn total(&self) -> f64 {
        self.layers.values().sum::<f64>() + self.loss + self.update
    }

    /// Seconds of a node with all that is in it.
    pub fn within(&self, place: &Place) -> f64 {
        let inside = |at: &&Place| at.stack == place.stack && at.path.starts_with(&place.path);
        self.layers
            .iter()
            .filter(|(at, _)| inside(at))
            .map(|(_, seconds)| seconds)
            .sum()
    }
}

/// Estimates a training step of a stage with this many images; `None` where a stack that it needs has an error.
pub fn step_time(
    plan: &Plan,
    stage: &Stage,
    batch: u32,
    machine: Machine,
    speeds: &Speeds,
) -> Option<StepTime> {
    let watch = Watch::of(stage);
    let second = match stage.task {
        Task::Reconstruct => Stack::Decoder,
        Task::Classify => Stack::Head,
    };
    let (input, code) = (plan.input.elements(), plan.code.elements());
    let encoder = units(plan.stack(Stack::Encoder)?, input, &watch);
    let last = units(plan.stack(second)?, code, &watch);
    let held = step_memory(plan, stage, batch, machine)?.total().total();
    let bandwidth = speeds.bandwidth_of(held as f64);
    let mut clock = Clock {
        machine,
        speeds,
        bandwidth,
        batch: f64::from(batch),
        layers: BTreeMap::new(),
        weights: 0.0,
    };
    let learns = first_trained(&encoder) < encoder.len();
    clock.sequence(&encoder, false);
    clock.sequence(&last, learns);
    let outputs = end(&last, code) as f64 * f64::from(batch);
    let loss = speeds.start + 4.0 * FLOAT * outputs / bandwidth;
    let update = update_bytes(&stage.optimizer) * clock.weights / bandwidth;
    Some(StepTime {
        layers: clock.layers,
        loss,
        update,
    })
}

/// Bytes that an update moves for each weight: the gradient is read, the weight and the optimizer's state are read and
/// written.
fn update_bytes(optimizer: &Optimizer) -> f64 {
    let numbers = 3 + 2 * optimizer.state_names().len();
    numbers as f64 * FLOAT
}

struct Clock<'a> {
    machine: Machine,
    speeds: &'a Speeds,
    /// Bytes a second to and from where the numbers of this step are.
    bandwidth: f64,
    batch: f64,
    layers: BTreeMap<Place, f64>,
    weights: f64,
}

impl Clock<'_> {
    /// `need_input`: something before it learns, so that a gradient comes out.
    fn sequence(&mut self, units: &[FusedUnit<'_>], need_input: bool) {
        let first = if need_input { 0 } else { first_trained(units) };
        for (i, unit) in units.iter().enumerate().filter(|(_, unit)| !unit.skipped) {
            let need = need_input || i > first;
            let seconds = match &unit.work {
                Work::Layer(layer) => self.layer(unit, layer, i >= first, need),
                Work::Join { branches, .. } => {
                    branches
                        .iter()
                        .for_each(|branch| self.sequence(branch, need));
                    let numbers = 2.0 * (unit.input as f64 + unit.output as f64);
                    self.moved(if need { 2.0 * numbers } else { numbers })
                }
            };
            *self.layers.entry(unit.place.clone()).or_default() += seconds;
        }
    }

    /// Seconds in which so many numbers of each image are read or written.
    fn moved(&self, numbers: f64) -> f64 {
        self.speeds.start + FLOAT * numbers * self.batch / self.bandwidth
    }

    fn layer(
        &mut self,
        unit: &FusedUnit<'_>,
        layer: &PlannedLayer,
        goes_back: bool,
        need: bool,
    ) -> f64 {
        let (input, own, written) = (unit.input as f64, unit.output as f64, unit.written as f64);
        if unit.trains {
            self.weights += layer.op.count().parameters(&layer.input) as f64;
        }
        let kernels = Kernel::of(layer);
        if !kernels.is_empty() {
            let pool = if unit.fused && unit.followers.pool.is_some() {
                self.moved(own + written)
            } else {
                0.0
            };
            let last = kernels.len() - 1;
            let each = kernels.iter().enumerate().map(|(index, kernel)| {
                let need = need || (index > 0 && unit.trains);
                self.kernel(
                    kernel,
                    unit.trains,
                    need,
                    [input, if index == last { written } else { input }],
                )
            });
            return each.sum::<f64>() + pool;
        }
        self.without_kernel(unit, layer, goes_back && (need || unit.trains))
    }

    /// A layer whose passes are in the table.
    fn without_kernel(&self, unit: &FusedUnit<'_>, layer: &PlannedLayer, goes_back: bool) -> f64 {
        let (input, written) = (unit.input as f64, unit.written as f64);
        let searched = match layer.op.effort(&layer.input, &layer.output) {
            Effort::Nothing => return 0.0,
            // Every window is searched, also where they overlap.
            Effort::Windows { geometry, .. } => volume(geometry.kernel) as f64 * written.min(input),
            Effort::Reorders
            | Effort::Elementwise
            | Effort::Kernels(..)
            | Effort::GlobalMaximum
            | Effort::Map { .. }
            | Effort::BatchStatistics { .. }
            | Effort::ImageStatistics { .. }
            | Effort::Draws { .. } => 0.0,
        };
        let numbers = input.max(written);
        let cost = pass_cost::of(&layer.op);
        let forward = self.pass(cost.forward, MOVED.forward, numbers.max(searched));
        if goes_back {
            forward + self.pass(cost.backward, MOVED.backward, numbers)
        } else {
            forward
        }
    }

    /// Seconds of a pass over so many numbers of each image, whose arithmetic costs as much as moving `computed` times
    /// as many inside the caches would, and which moves `moved` times as many.
    fn pass(&self, computed: f64, moved: f64, numbers: f64) -> f64 {
        let bytes = FLOAT * numbers * self.batch;
        let arithmetic = computed * bytes / self.speeds.bandwidth;
        self.speeds.start + arithmetic.max(moved * bytes / self.bandwidth)
    }

    /// Forward, the gradient of the weight, the gradient of the input.
    fn kernel(&self, kernel: &Kernel, trains: bool, need: bool, [input, written]: [f64; 2]) -> f64 {
        let down = !kernel.transposed;
        let weight = kernel.packed(true, self.machine) as f64;
        let pass = |down: bool, backward: bool| {
            let rate = self.rate(kernel, down);
            let rate = if backward {
                rate.backward
            } else {
                rate.forward
            };
            let products = kernel.work(down, self.machine) as f64 * kernel.products_at_points();
            let arithmetic = products * self.batch / rate;
            let moved = FLOAT * ((input + written) * self.batch + weight) / self.bandwidth;
            self.speeds.start + arithmetic.max(moved)
        };
        let twice = |numbers: f64| 2.0 * FLOAT * numbers / self.bandwidth;
        // Weights are packed again for the kernel of each direction; their gradient is added up from parts. A product
        // does neither.
        let (packed, parts) = if kernel.is_product(Ends::PLAIN) {
            (0.0, 0.0)
        } else {
            let parts = kernel.partial_sums(self.batch as u64, self.machine);
            (weight, parts as f64)
        };
        let of_weight = if trains {
            pass(true, true) + twice(parts)
        } else {
            0.0
        };
        let of_input = if need {
            pass(!down, true) + twice(packed)
        } else {
            0.0
        };
        pass(down, false) + twice(packed) + of_weight + of_input
    }

    fn rate(&self, kernel: &Kernel, down: bool) -> Rate {
        let speeds = self.speeds;
        let (window, positions) = (kernel.geometry.kernel, kernel.geometry.input);
        match volume(window) {
            _ if kernel.is_depthwise() => speeds.depthwise,
            1 if volume(positions) == 1 => speeds.dense,
            1 => speeds.pointwise,
            _ => {
                let lanes = if down { kernel.small } else { kernel.large } / kernel.groups.max(1);
                let vectors = lanes.div_ceil(self.machine.lanes.max(1)) as f64;
                let (narrow, wide, fewest) = match kernel.points() {
                    Some(_) => (speeds.narrow_points, speeds.wide_points, 2.0),
                    None => (speeds.narrow, speeds.wide, 1.0),
                };
                let share = (vectors.min(MOST_VECTORS) - fewest) / (MOST_VECTORS - fewest);
                let share = share.max(0.0);
                let between = |narrow: f64, wide: f64| narrow + share * (wide - narrow);
                Rate {
                    forward: between(narrow.forward, wide.forward),
                    backward: between(narrow.backward, wide.backward),
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use strata_core::shape::infer;
    use strata_testkit::networks::network;

    const MACHINE: Machine = Machine {
        threads: 2,
        lanes: 16,
        loaders: 2,
    };
    const RATE: Rate = Rate {
        forward: 1e9,
        backward: 1e9,
    };

    const POINTS: Rate = Rate {
        forward: 4e9,
        backward: 4e9,
    };

    fn seconds(input: &str, texts: &[&str], bandwidth: f64) -> f64 {
        let network = network(input, texts, &[], &[]);
        let (narrow, wide, pointwise, depthwise, dense) = (RATE, RATE, RATE, RATE, RATE);
        let speeds = Speeds {
            narrow,
            wide,
            narrow_points: POINTS,
            wide_points: POINTS,
            pointwise,
            depthwise,
            dense,
            bandwidth,
            memory_bandwidth: bandwidth,
            start: 0.0,
        };
        let step = step_time(
            &infer(&network).plan.unwrap(),
            &Stage::default(),
            10,
            MACHINE,
            &speeds,
        )
        .unwrap();
        let layers: f64 = step.layers.values().sum();
        assert!((step.total() - layers - step.loss - step.update).abs() < 1e-12);
        layers
    }

    #[test]
    fn arithmetic_or_memory_whichever_is_longer() {
        // The first layer has no gradient for its input: twice 10 images · 16·25·16·64 multiply-adds.
        let macs = 10.0 * 16.0 * 81.0 * 16.0 * 64.0;
        let one = seconds("16x8x8", &["conv 16 k9 p4"], 1e15);
        assert!((one - 2.0 * macs / 1e9).abs() < 1e-6 * one);
        let two = seconds("16x8x8", &["conv 16 k9 p4", "conv 16 k9 p4"], 1e15);
        assert!((two - 5.0 * macs / 1e9).abs() < 1e-6 * two);
        // 10 images of 1,024 numbers in and out, and the weight, in both passes; the weight laid out, and its gradient
        // in parts.
        let weight = 16.0 * 1296.0;
        let part = 16 * 1296 + 16;
        let parts = strata_nn::ops::blocking::gradient_parts(part, 10) * part;
        let laid = 2.0 * (weight + parts as f64);
        let moved = 4.0 * (2.0 * (10.0 * 2048.0 + weight) + laid);
        let slow = seconds("16x8x8", &["conv 16 k9 p4"], 1e3);
        assert!((slow - moved / 1e3).abs() < 1e-6 * slow);
        // Three channels out take a vector of 16 as well.
        let three = seconds("16x8x8", &["conv 3 k9 p4"], 1e15);
        assert!((three - one).abs() < 1e-6 * one);
        // At points a window of 3×3 takes as long as at a rate of its own.
        let macs = 10.0 * 32.0 * 9.0 * 32.0 * 64.0;
        let points = seconds("32x8x8", &["conv 32 k3 p1"], 1e15);
        assert!((points - 2.0 * macs / 4e9).abs() < 1e-6 * points);
        // One of 5×5 takes 64 products instead of 400, which is 64 % of the 36 instead of 144.
        let macs = 0.64 * 10.0 * 32.0 * 25.0 * 32.0 * 64.0;
        let points = seconds("32x8x8", &["conv 32 k5 p2"], 1e15);
        assert!((points - 2.0 * macs / 4e9).abs() < 1e-6 * points);
    }
}
