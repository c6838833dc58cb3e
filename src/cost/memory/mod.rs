//! The memory that a training step, and the run that it is a part of, hold on the CPU, before there is a tensor: what
//! will be allocated, term by term, only from the plan.
//!
//! Nothing is fitted. Buffers are made in the first step and used again in all later ones, so what a step holds
//! is the sum of them. Sizes saturate, so every network has an answer. The test `tests/heap/memory.rs` compares it
//! with what is really allocated.

#![deny(clippy::wildcard_enum_match_arm)]

pub(crate) mod by_image;
pub(crate) mod kernels;
mod on_device;
mod tables;
mod turns;
mod walk;

pub use on_device::{
    DeviceStep, MOST_DEVICE_NUMBERS, device_memory, device_step, largest_device_batch,
};

use super::fusion::{Watch, end, units};
use std::collections::BTreeMap;
use strata_core::project::stage::MAX_BATCH;
use strata_core::project::stage::{Stage, Task};
use strata_core::project::{Place, Stack};
use strata_core::run_buffers::{BATCHES_AHEAD, probe_count};
use strata_core::shape::op::{Plan, Planned};
use walk::Walk;

/// Bytes of one number: everything is computed in single precision.
const FLOAT: u64 = 4;

/// What of the machine matters for memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Machine {
    /// Threads that compute.
    pub threads: u64,
    /// Numbers in a vector: 16 with AVX-512, 8 with AVX2.
    pub lanes: u64,
    /// Threads that make batches ahead.
    pub loaders: u64,
}

/// Bytes by what they are for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Bytes {
    /// What is learned, and the running statistics of batch norm.
    pub weights: u64,
    /// The gradients of what is learned.
    pub gradients: u64,
    /// What the optimizer keeps for each weight: nothing, a velocity, or averages.
    pub optimizer: u64,
    /// Outputs of layers for the batch and what of them the gradient needs; gradients on their way back; the
    /// batch itself.
    pub activations: u64,
    /// What kernels need besides: weights in the order they are read, tables, partial sums, laid-out images.
    pub scratch: u64,
    /// What a run holds besides its steps: finished images of the dataset, batches that are made ahead, filters that
    /// are shown, and the probe images with what the network makes of them.
    pub images: u64,
}

impl Bytes {
    /// All together.
    pub fn total(&self) -> u64 {
        self.parts()
            .into_iter()
            .fold(0, |sum, (_, bytes)| sum.saturating_add(bytes))
    }

    /// The parts with their words, in the order they are shown.
    pub fn parts(&self) -> [(&'static str, u64); 6] {
        [
            ("weights", self.weights),
            ("gradients", self.gradients),
            ("optimizer", self.optimizer),
            ("activations", self.activations),
            ("scratch", self.scratch),
            ("images", self.images),
        ]
    }

    /// Both together.
    pub fn plus(self, other: Bytes) -> Bytes {
        self.combine(other, u64::saturating_add)
    }

    fn combine(self, other: Bytes, with: impl Fn(u64, u64) -> u64) -> Bytes {
        Bytes {
            weights: with(self.weights, other.weights),
            gradients: with(self.gradients, other.gradients),
            optimizer: with(self.optimizer, other.optimizer),
            activations: with(self.activations, other.activations),
            scratch: with(self.scratch, other.scratch),
            images: with(self.images, other.images),
        }
    }
}

/// The memory of a training step, or of a run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StepMemory {
    /// What belongs to each layer, or to a block itself; a layer in a repeat has all passes.
    pub layers: BTreeMap<Place, Bytes>,
    /// What belongs to none: the batch, the loss's gradient, gradients on their way back, scratch that layers
    /// take turns in.
    pub shared: Bytes,
}

impl StepMemory {
    /// Everything.
    pub fn total(&self) -> Bytes {
        self.layers
            .values()
            .fold(self.shared, |sum, bytes| sum.plus(*bytes))
    }

    /// What belongs to a node itself.
    pub fn own(&self, place: &Place) -> Bytes {
        self.layers.get(place).copied().unwrap_or_default()
    }

    /// The node at a place with all that is in it.
    pub fn within(&self, place: &Place) -> Bytes {
        let inside = |at: &&Place| at.stack == place.stack && at.path.starts_with(&place.path);
        let own = self.layers.iter().filter(|(at, _)| inside(at));
        own.fold(Bytes::default(), |sum, (_, bytes)| sum.plus(*bytes))
    }

    /// The same with so many bytes of finished images that the dataset keeps.
    pub fn with_kept_images(mut self, bytes: u64) -> StepMemory {
        self.shared.images = self.shared.images.saturating_add(bytes);
        self
    }

    /// What is held when a stage follows another in one run: buffers are kept, those for both serve both.
    pub fn after(mut self, earlier: &StepMemory) -> StepMemory {
        for (place, bytes) in &earlier.layers {
            let at = self.layers.entry(place.clone()).or_default();
            // The optimizer's memory is rebuilt for each stage.
            *at = Bytes {
                optimizer: at.optimizer,
                ..at.combine(*bytes, u64::max)
            };
        }
        self.shared = self.shared.combine(earlier.shared, u64::max);
        self
    }
}

/// The memory that a training step of a stage holds with this many images; `None` where a stack that the stage
/// needs has an error.
pub fn step_memory(plan: &Plan, stage: &Stage, batch: u32, machine: Machine) -> Option<StepMemory> {
    let watch = Watch::of(stage);
    let second = match stage.task {
        Task::Reconstruct => Stack::Decoder,
        Task::Classify => Stack::Head,
    };
    let (input, code) = (plan.input.elements(), plan.code.elements());
    let stack = |stack: Stack| {
        let from = if stack == Stack::Encoder { input } else { code };
        plan.stack(stack)
            .map(|planned| units(planned, from, &watch))
    };
    let stacks = Stack::ALL.map(stack);
    let idle = Stack::ALL
        .into_iter()
        .zip(&stacks)
        .filter(|(stack, _)| ![Stack::Encoder, second].contains(stack));
    let learns_not = |units: &[super::fusion::FusedUnit<'_>]| {
        super::fusion::any_weight(units, &|place| !watch.trains(place))
    };
    let has_weights =
        |units: &[super::fusion::FusedUnit<'_>]| super::fusion::any_weight(units, &|_| true);
    let forgets = stacks.iter().flatten().any(|units| learns_not(units))
        || idle
            .filter_map(|(_, units)| units.as_deref())
            .any(has_weights);
    let mut walk = Walk::new(machine, u64::from(batch), kept_beside(stage), forgets);
    stacks.iter().flatten().for_each(|units| walk.build(units));
    let encoder = stacks.first()?.as_deref()?;
    let last = stacks.get(second as usize)?.as_deref()?;
    let learns =
        |units: &[super::fusion::FusedUnit<'_>]| super::fusion::first_trained(units) < units.len();
    walk.forward(encoder, false);
    walk.forward(last, learns(encoder));
    walk.backward(last, learns(encoder));
    if learns(encoder) {
        walk.backward(encoder, false);
    }
    let labels = u64::from(stage.task == Task::Classify);
    let around = input.saturating_add(end(last, code)).saturating_add(labels);
    let around = around
        .saturating_mul(u64::from(batch))
        .saturating_mul(FLOAT);
    walk.shared.activations = walk.shared.activations.saturating_add(around);
    let of_loss = loss_scratch(plan, stage).saturating_mul(machine.threads.min(u64::from(batch)));
    walk.shared.scratch = walk.common_scratch().saturating_add(of_loss);
    Some(StepMemory {
        layers: walk.layers,
        shared: walk.shared,
    })
}

/// Bytes that a thread needs to compare an image with the one that was to come out, of a loss that looks at surroundings:
/// two planes and their product, the rows' means, and five moments of every place (`nn/loss/ssim.rs`).
fn loss_scratch(plan: &Plan, stage: &Stage) -> u64 {
    let (Some(window), &[height, width]) = (stage.loss.spec().least_side, plan.input.spatial())
    else {
        return 0;
    };
    let [rows, columns] = [height, width].map(|side| (side + 1).saturating_sub(window));
    let numbers = 3 * height * width + height * columns + 5 * rows * columns;
    numbers as u64 * 8
}

/// Numbers kept for each weight besides its gradient: those of the optimizer, and the sum of the gradients that an
/// update is made of.
fn kept_beside(stage: &Stage) -> u64 {
    let sum = u64::from(stage.accumulate > 1);
    stage.optimizer.state_names().len() as u64 + sum
}

/// The memory that a whole run of a stage holds at its peak, with this many images a step: the steps, and the images
/// besides them. Checkpoints are written and read tensor by tensor, and measuring needs no more than training does.
/// What the dataset keeps in memory is not: its finished images come with [`StepMemory::with_kept_images`]. `None` as
/// for [`step_memory`].
pub fn run_memory(plan: &Plan, stage: &Stage, batch: u32, machine: Machine) -> Option<StepMemory> {
    let mut memory = step_memory(plan, stage, batch, machine)?;
    let image = plan.input.elements();
    let batches = batches_ahead(image, batch, machine);
    let decodes = plan
        .stack(Stack::Decoder)
        .is_some_and(|decoder| !decoder.is_empty());
    let probes = if decodes {
        probe_count(image) as u64
    } else {
        0
    };
    let pictures = probes.saturating_mul(image.saturating_mul(PROBE_BYTES));
    let filters = Stack::ALL
        .iter()
        .filter_map(|stack| first_filters(plan.stack(*stack)?))
        .next()
        .unwrap_or(0)
        .saturating_mul(FILTER_COPIES * FLOAT);
    memory.shared.images = [batches, pictures, filters]
        .into_iter()
        .fold(0, u64::saturating_add);
    Some(memory)
}

/// Bytes of the batches that are made ahead of the trainer, of images with so many numbers.
pub fn batches_ahead(image: u64, batch: u32, machine: Machine) -> u64 {
    let ahead = machine.loaders.saturating_add(BATCHES_AHEAD as u64);
    ahead
        .saturating_mul(u64::from(batch))
        .saturating_mul(image.saturating_add(1).saturating_mul(FLOAT))
}

/// Copies of the first layer's filters at the peak: those that are shown, and new ones in the layout of the weights
/// and in that of a picture.
const FILTER_COPIES: u64 = 3;

/// Weights of the first layer that has filters. A norm has no more than two numbers a channel.
fn first_filters(nodes: &[Planned]) -> Option<u64> {
    nodes.iter().find_map(|node| match node {
        Planned::Layer(layer) => {
            let weights = layer.op.count().parameters(&layer.input);
            (weights > 2 * layer.input.channels() as u64).then_some(weights)
        }
        Planned::Add { branches, .. } | Planned::Concat { branches, .. } => {
            branches.iter().find_map(|branch| first_filters(branch))
        }
        Planned::Repeat { passes, .. } => passes.iter().find_map(|pass| first_filters(pass)),
    })
}

/// Bytes of each number of a probe image: the image as a list and as a tensor, what is made of it as a tensor and as a
/// list, both as pixels, here and where they are shown, and both as the bytes of an epoch's preview file.
const PROBE_BYTES: u64 = 6 * FLOAT + 4;

/// The largest batch that a stage may have whose run fits into so many bytes, which the dataset's images are not a part
/// of; `None` when not even one image does, or when the stage cannot be trained.
pub fn largest_batch(plan: &Plan, stage: &Stage, machine: Machine, budget: u64) -> Option<u32> {
    let fits = |batch: u32| {
        run_memory(plan, stage, batch, machine).is_some_and(|run| run.total().total() <= budget)
    };
    largest(MAX_BATCH, fits)
}

/// The largest number up to `most` that fits, where each that is smaller than one that fits does too.
fn largest(most: u32, fits: impl Fn(u32) -> bool) -> Option<u32> {
    if !fits(1) {
        return None;
    }
    let (mut fitting, mut too_large) = (1u32, most);
    if fits(too_large) {
        return Some(too_large);
    }
    while too_large - fitting > 1 {
        let middle = fitting + (too_large - fitting) / 2;
        if fits(middle) {
            fitting = middle;
        } else {
            too_large = middle;
        }
    }
    Some(fitting)
}

#[cfg(test)]
mod tests;
