//! How long a training step takes, from what a machine was measured to do.
//!
//! Each pass of a layer takes as long as its arithmetic at the speed of its kind of kernel ([`Speeds`]), and as long
//! as the numbers that are no longer in the caches need to and from memory; the two overlap in part. To that come what
//! a pass needs to begin, the laying out of weights, threads that find no task, the loss, the penalty and the
//! optimizer. Which numbers are met, in how many tasks, is read from what the kernels read.

#![deny(clippy::wildcard_enum_match_arm)]

pub mod probes;
mod speeds;

pub use speeds::{CACHED, Measured, Passes, Speeds, UNCACHED};

use super::fusion::{FusedUnit, Watch, Work, end, first_trained, units};
use super::memory::Machine;
use super::memory::by_image::ByImage;
use super::memory::kernels::{Ends, Kernel, volume};
use super::memory::step_memory;
use speeds::Direction;
use std::collections::BTreeMap;
use strata_core::project::stage::{Stage, Task};
use strata_core::project::{Place, Stack};
use strata_core::shape::layers::Effort;
use strata_core::shape::op::{Op, Plan, PlannedLayer};
use strata_nn::fusion_rules::reorders;
use strata_nn::ops::blocking;

const FLOAT: f64 = 4.0;

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
    let held = step_memory(plan, stage, batch, machine)?.total().total() as f64;
    let mut clock = Clock {
        machine,
        speeds,
        held,
        batch: f64::from(batch),
        layers: BTreeMap::new(),
        weights: 0.0,
        tensors: 0.0,
    };
    let learns = first_trained(&encoder) < encoder.len();
    clock.sequence(&encoder, false);
    clock.sequence(&last, learns);
    let outputs = end(&last, code) as f64 * f64::from(batch);
    let loss = clock.overlapped(
        speeds.loss(stage.loss) * outputs,
        speeds.moved(3.0 * FLOAT * outputs, held),
    );
    // The gradient is looked at for numbers that are none, then it, the weight and the optimizer's state are read, the
    // last two written.
    let bytes = FLOAT * (4 + 2 * stage.optimizer.state_names().len()) as f64 * clock.weights;
    let update = clock.overlapped(
        speeds.optimizer(&stage.optimizer) * clock.weights,
        speeds.moved(bytes, held),
    );
    Some(StepTime {
        loss: speeds.start + loss,
        update: speeds.update_start * clock.tensors + update,
        layers: clock.layers,
    })
}

struct Clock<'a> {
    machine: Machine,
    speeds: &'a Speeds,
    /// Bytes that the step holds.
    held: f64,
    batch: f64,
    layers: BTreeMap<Place, f64>,
    /// Numbers that learn, and tensors of them.
    weights: f64,
    tensors: f64,
}

impl Clock<'_> {
    /// `need_input`: something before it learns, so that a gradient comes out.
    fn sequence(&mut self, units: &[FusedUnit<'_>], need_input: bool) {
        let first = if need_input { 0 } else { first_trained(units) };
        for (i, unit) in units.iter().enumerate() {
            let need = need_input || i > first;
            let mut seconds = 0.0;
            if unit.watched {
                seconds += self.speeds.penalty * unit.output as f64 * self.batch;
            }
            if !unit.skipped {
                seconds += match &unit.work {
                    Work::Layer(layer) => self.layer(unit, layer, i >= first, need),
                    Work::Join { concat, branches } => {
                        for branch in branches {
                            self.sequence(branch, need);
                        }
                        self.join(unit, *concat, branches.len(), need)
                    }
                };
            }
            *self.layers.entry(unit.place.clone()).or_default() += seconds;
        }
    }

    /// Branches put side by side, or added up; and what comes back for each of them.
    fn join(&self, unit: &FusedUnit<'_>, concat: bool, branches: usize, need: bool) -> f64 {
        let (input, output) = (self.of_batch(unit.input), self.of_batch(unit.output));
        let times = branches.saturating_sub(1) as f64;
        let forward = if concat {
            2.0 * output
        } else {
            3.0 * times * output
        };
        // Parts of the gradient are cut out; the gradients of the input are added up.
        let backward = if concat { 2.0 * output } else { 0.0 } + 3.0 * times * input;
        let bytes = forward + if need { backward } else { 0.0 };
        // All branches but the last were computed a while ago.
        self.speeds.start * times + self.speeds.copied(bytes, self.held)
    }

    /// Bytes of so many numbers of every image.
    fn of_batch(&self, numbers: u64) -> f64 {
        FLOAT * numbers as f64 * self.batch
    }

    /// What was written so many bytes ago is in the caches unless that is too long ago.
    fn recent(&self, bytes: f64) -> f64 {
        (2.0 * bytes).min(self.held)
    }

    /// Arithmetic and memory keep each other waiting in part: where they take equally long, together 1.6 times that.
    fn overlapped(&self, arithmetic: f64, memory: f64) -> f64 {
        const OVERLAP: f64 = 1.5;
        (arithmetic.powf(OVERLAP) + memory.powf(OVERLAP)).powf(1.0 / OVERLAP)
    }

    /// How much longer work takes that threads can't share evenly.
    fn crowding(&self, tasks: u64) -> f64 {
        let (tasks, threads) = (tasks.max(1) as f64, self.machine.threads.max(1) as f64);
        (tasks / threads).ceil() * threads / tasks
    }

    fn layer(
        &mut self,
        unit: &FusedUnit<'_>,
        layer: &PlannedLayer,
        goes_back: bool,
        need: bool,
    ) -> f64 {
        if unit.trains {
            self.weights += layer.op.count().parameters(&layer.input) as f64;
            self.tensors += TENSORS;
        }
        let kernels = Kernel::of(layer);
        let Some(last) = kernels.len().checked_sub(1) else {
            return self.without_kernel(unit, layer, goes_back && (need || unit.trains))
                + self.followers(unit, goes_back && (need || unit.trains));
        };
        let mut seconds = self.followers(unit, need || unit.trains);
        let reads = unit.unflattens.is_some_and(reorders);
        let writes = unit.fused && unit.followers.reshape.is_some_and(reorders);
        if reads || writes {
            seconds += self.reordered(unit, layer, need);
        }
        let (batch, machine) = (self.batch as u64, self.machine);
        if ByImage::of(&kernels, unit.ends(true), batch, machine).is_some() {
            return seconds + self.by_image(unit, &kernels, [unit.trains, need]);
        }
        let mut input = unit.input;
        for (index, kernel) in kernels.iter().enumerate() {
            let need = need || (index > 0 && unit.trains);
            let between = volume(kernel.geometry.output).saturating_mul(kernel.small);
            let written = if index == last { unit.written } else { between };
            let bytes = [input, written].map(|numbers| self.of_batch(numbers));
            let ends = unit.ends(index == last);
            seconds += self.kernel(kernel, ends, [unit.trains, need], bytes);
            input = written;
        }
        seconds
    }

    /// A weight that is laid out in the order of the images, once for the passes and once for its gradient.
    fn reordered(&self, unit: &FusedUnit<'_>, layer: &PlannedLayer, need: bool) -> f64 {
        let numbers = layer.op.count().parameters(&layer.input) as f64;
        let times = 1 + u64::from(unit.trains || need);
        times as f64 * numbers * self.speeds.reordering
    }

    /// What a layer does of those behind it.
    fn followers(&self, unit: &FusedUnit<'_>, goes_back: bool) -> f64 {
        let followers = [unit.followers.pool, unit.followers.activation];
        let done = followers.into_iter().flatten().filter(|_| unit.fused);
        let seconds = done.map(|layer| {
            let [forward, backward] = self.speeds.pass(layer);
            let seconds = forward + if goes_back { backward } else { 0.0 };
            seconds * self.batch * self.crowding(self.batch as u64)
        });
        seconds.sum()
    }

    /// A layer that no kernel computes.
    fn without_kernel(&self, unit: &FusedUnit<'_>, layer: &PlannedLayer, goes_back: bool) -> f64 {
        if layer.op.effort(&layer.input, &layer.output) == Effort::Nothing {
            return 0.0;
        }
        let [input, written] = [unit.input, unit.written].map(|numbers| self.of_batch(numbers));
        let crowding = self.crowding(self.tasks(layer));
        let [forward, backward] = self
            .speeds
            .pass(layer)
            .map(|each| each * self.batch * crowding);
        let recent = self.recent(input + written);
        // Sums over all images come first; then what they were taken of is read once more.
        let has_sums = matches!(layer.op, Op::BatchNorm { .. });
        let again = |bytes: f64| match has_sums {
            true => self.speeds.moved(bytes, self.recent(bytes)),
            false => 0.0,
        };
        let moved =
            again(input) + self.speeds.moved(input, recent) + self.speeds.moved(written, self.held);
        let forward = self.speeds.start + self.overlapped(forward, moved);
        if !goes_back {
            return forward;
        }
        let moved = again(input + written)
            + self.speeds.moved(input + written, recent)
            + self.speeds.moved(input, self.held);
        forward + self.speeds.start + self.overlapped(backward, moved)
    }

    /// Tasks of a layer that no kernel computes: images, where it looks at them one by one.
    fn tasks(&self, layer: &PlannedLayer) -> u64 {
        let batch = self.batch as u64;
        let numbers = layer.output.elements().saturating_mul(batch);
        if matches!(
            layer.op,
            Op::GroupNorm { .. } | Op::LayerNorm | Op::BatchNorm { .. }
        ) {
            batch.min(blocking::PARTS as u64)
        } else if matches!(
            layer.op,
            Op::MaxPool { .. } | Op::AvgPool { .. } | Op::Upsample { .. } | Op::Pad { .. }
        ) {
            batch
        } else {
            numbers.div_ceil(ELEMENTS_PER_TASK)
        }
    }

    /// Forward, the gradient of the weight, the gradient of the input.
    fn kernel(
        &self,
        kernel: &Kernel,
        ends: Ends,
        [trains, need]: [bool; 2],
        [input, written]: [f64; 2],
    ) -> f64 {
        let (forward, back) = match kernel.transposed {
            false => (Direction::Down, Direction::Up),
            true => (Direction::Up, Direction::Down),
        };
        let weight = FLOAT * (kernel.weight_numbers() as f64);
        let recent = self.recent(input + written);
        let speeds = self.speeds;
        let old = |bytes: f64| speeds.moved(bytes, self.held);
        let fresh = |bytes: f64| speeds.moved(bytes, recent);
        let mut seconds = self.pass(kernel, ends, forward, fresh(input) + old(written + weight));
        if trains {
            seconds += self.pass(
                kernel,
                ends,
                Direction::Weight,
                fresh(written) + old(input + weight),
            );
        }
        if need {
            seconds += self.pass(kernel, ends, back, fresh(written + input) + old(weight));
        }
        seconds
    }

    /// A separable convolution whose parts are computed together, image by image: what is between them stays in the
    /// cache, and is computed again for the gradient of the weight.
    fn by_image(&self, unit: &FusedUnit<'_>, kernels: &[Kernel], [trains, need]: [bool; 2]) -> f64 {
        let [depthwise, pointwise] = kernels else {
            return 0.0;
        };
        let ends = unit.ends(true);
        let all = |passes: &[(&Kernel, Direction, bool)]| {
            let passes = passes.iter().filter(|(.., is_computed)| *is_computed);
            let each = passes.map(|(kernel, direction, _)| self.computed(kernel, ends, *direction));
            each.fold([0.0, 0.0], |[a, b], [c, d]| [a + c, b + d])
        };
        let [input, written] = [unit.input, unit.written].map(|numbers| self.of_batch(numbers));
        let recent = self.recent(input + written);
        let (fresh, old) = (
            |bytes: f64| self.speeds.moved(bytes, recent),
            |bytes: f64| self.speeds.moved(bytes, self.held),
        );
        let [laid, arithmetic] = all(&[
            (depthwise, Direction::Down, true),
            (pointwise, Direction::Down, true),
        ]);
        let moved = fresh(input) + old(written);
        let forward = self.speeds.start + laid + self.overlapped(arithmetic, moved);
        if !trains && !need {
            return forward;
        }
        let [laid, arithmetic] = all(&[
            (depthwise, Direction::Down, trains),
            (pointwise, Direction::Weight, trains),
            (pointwise, Direction::Up, true),
            (depthwise, Direction::Weight, trains),
            (depthwise, Direction::Up, need),
        ]);
        let back = if need { old(input) } else { 0.0 };
        let moved = fresh(written) + old(input) + back;
        forward + self.speeds.start + laid + self.overlapped(arithmetic, moved)
    }

    fn pass(&self, kernel: &Kernel, ends: Ends, direction: Direction, moved: f64) -> f64 {
        let [laid, arithmetic] = self.computed(kernel, ends, direction);
        self.speeds.start + laid + self.overlapped(arithmetic, moved)
    }

    /// Seconds in which the weight of a pass is laid out, and of its arithmetic.
    fn computed(&self, kernel: &Kernel, ends: Ends, direction: Direction) -> [f64; 2] {
        let kernel = &kernel.of_direction(direction != Direction::Up);
        let (batch, machine) = (self.batch as u64, self.machine);
        let is_forward = (direction == Direction::Up) == kernel.transposed;
        let scratch = match direction {
            Direction::Weight => kernel.weight_gradient(batch, ends, machine),
            Direction::Down | Direction::Up if is_forward => kernel.forward(batch, ends, machine),
            Direction::Down | Direction::Up => kernel.input_gradient(batch, ends, machine),
        };
        let tasks = if kernel.is_product(ends) {
            u64::MAX
        } else {
            scratch.tasks
        };
        let work = kernel.multiply_adds(direction == Direction::Up, machine) as f64;
        let arithmetic = work * self.batch * self.crowding(tasks)
            / self.speeds.rate(kernel, direction, self.batch);
        let laid = self
            .speeds
            .laying_seconds(kernel, direction, self.batch, machine);
        [laid, arithmetic]
    }
}

/// Tensors of a layer that learns: a weight and a bias.
const TENSORS: f64 = 2.0;
/// Numbers that a task of an element-wise layer takes.
const ELEMENTS_PER_TASK: u64 = 1 << 14;

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
    fn seconds(input: &str, texts: &[&str], bandwidth: f64) -> f64 {
        let network = network(input, texts, &[], &[]);
        let step = step_time(
            &infer(&network).plan.unwrap(),
            &Stage::default(),
            16,
            MACHINE,
            &Speeds::even(1e9, bandwidth),
        )
        .unwrap();
        let layers: f64 = step.layers.values().sum();
        let rest = step.total() - layers - step.loss - step.update;
        assert!(rest.abs() < 1e-9 * step.total());
        layers
    }

    #[test]
    fn arithmetic_takes_as_long_as_its_multiply_adds() {
        // The first layer has no gradient for its input: twice 16 images · 16·81·16·64 multiply-adds.
        let macs = 16.0 * 16.0 * 81.0 * 16.0 * 64.0;
        let one = seconds("16x8x8", &["conv 16 k9 p4"], 1e15);
        assert!((one - 2.0 * macs / 1e9).abs() < 1e-6 * one);
        let two = seconds("16x8x8", &["conv 16 k9 p4", "conv 16 k9 p4"], 1e15);
        assert!((two - 5.0 * macs / 1e9).abs() < 1e-6 * two);
        // Three channels out take a vector of 16 as well.
        let three = seconds("16x8x8", &["conv 3 k9 p4"], 1e15);
        assert!((three - one).abs() < 1e-6 * one);
        // A window of 3×3 at points: 36 for each tile of 4×4 positions, in place of 9 for each position.
        let points = 16.0 * 32.0 * 36.0 * 32.0 * 64.0;
        let at_points = seconds("32x32x32", &["conv 32 k3 p1"], 1e15);
        assert!((at_points - 2.0 * points / 1e9).abs() < 1e-6 * at_points);
    }

    #[test]
    fn what_is_not_in_the_caches_has_to_come_from_memory() {
        // 16 images of 2·4·512·512 numbers are more than the caches hold: they are read and written in both passes.
        let few = seconds("4x8x8", &["conv 4 k1"], 1e3);
        assert!(few < 1.0, "{few}");
        let bytes = 4.0 * 16.0 * 2.0 * 4.0 * 512.0 * 512.0;
        let many = seconds("4x512x512", &["conv 4 k1"], 1e3);
        assert!(many > 1.9 * bytes / 1e3, "{many}");
    }

    #[test]
    fn a_single_task_leaves_threads_without_work() {
        let speeds = Speeds::even(1e9, 1e15);
        let of = |threads: u64| {
            let network = network("16x4x4", &["conv 16 k9 p4"], &[], &[]);
            let machine = Machine { threads, ..MACHINE };
            let plan = infer(&network).plan.unwrap();
            step_time(&plan, &Stage::default(), 1, machine, &speeds).unwrap()
        };
        assert!(of(2).total() > 1.4 * of(1).total());
    }
}
