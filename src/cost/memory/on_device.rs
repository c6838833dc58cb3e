//! The memory that a training step holds on a GPU, where candle's operators compute: another sum than on the CPU, since
//! convolutions lay out their windows as columns and nothing is computed in place.
//!
//! What is kept for the gradient adds up; of what an operator needs besides only the largest counts, since it is freed
//! when the operator is done. The test `tests/heap/on_device.rs` compares it with what candle allocates for the same
//! step on the CPU. The driver's own memory, and what cuBLAS works in, is not a part of it.

use super::kernels::volume;
use super::{FLOAT, kept_beside};
use strata_core::project::Stack;
use strata_core::project::stage::{MAX_BATCH, Stage, Task};
use strata_core::shape::layers::Effort;
use strata_core::shape::layers::facts::KernelSizes;
use strata_core::shape::op::{Geometry, Op, Plan, Planned, PlannedLayer};

/// Batches that are on the device: the one that is computed, and the next.
const BATCHES: u64 = 2;

/// Tensors of an optimizer's step that are there at the same time, each as large as the parameter.
const OPTIMIZER_TENSORS: u64 = 6;

/// Tensors as large as the output that a loss needs at the same time; similarity looks at moments as well.
const LOSS_TENSORS: u64 = 6;
const SIMILARITY_TENSORS: u64 = 16;

/// Numbers of one tensor that candle's kernels for a GPU can count: their indices have 32 bits, and all threads together
/// step over as many numbers as there are, which must not wrap around.
pub const MOST_DEVICE_NUMBERS: u64 = i32::MAX as u64;

/// What a training step needs on a GPU.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DeviceStep {
    /// Bytes that it holds at its peak.
    pub bytes: u64,
    /// Numbers of the largest tensor.
    pub widest: u64,
}

impl DeviceStep {
    /// Whether it can be computed in so many bytes.
    fn fits(self, free: u64) -> bool {
        self.bytes <= free && self.widest <= MOST_DEVICE_NUMBERS
    }
}

/// What was met so far, in bytes.
struct Walk {
    batch: u64,
    kept_beside: u64,
    /// Weights, gradients, what the optimizer keeps, tables.
    fixed: u64,
    /// Outputs and what else the gradient needs.
    kept: u64,
    /// The most that an operator needs while it computes.
    most: u64,
    /// Numbers of the largest tensor.
    widest: u64,
}

impl Walk {
    /// Bytes of so many numbers for every image.
    fn of_batch(&self, numbers: u64) -> u64 {
        numbers.saturating_mul(self.batch).saturating_mul(FLOAT)
    }

    /// The same of a tensor that is larger than what comes in and goes out.
    fn laid_out(&mut self, numbers: u64) -> u64 {
        self.widest = self.widest.max(numbers.saturating_mul(self.batch));
        self.of_batch(numbers)
    }

    fn keep(&mut self, bytes: u64) {
        self.kept = self.kept.saturating_add(bytes);
    }

    /// An operator that needs so much besides what is kept, its input's and its output's gradient.
    fn need(&mut self, bytes: u64) {
        self.most = self.most.max(bytes);
    }

    fn nodes(&mut self, nodes: &[Planned], passes: bool) {
        for node in nodes {
            match node {
                Planned::Layer(layer) => self.layer(layer, passes),
                Planned::Add { branches, .. } | Planned::Concat { branches, .. } => {
                    branches
                        .iter()
                        .for_each(|branch| self.nodes(branch, passes));
                    // Every branch has a gradient, and the join has an output.
                    let outputs = branches.iter().map(|branch| width(branch));
                    let outputs = outputs.fold(0, u64::saturating_add);
                    if passes {
                        self.keep(self.of_batch(outputs));
                        self.need(self.of_batch(outputs.saturating_mul(2)));
                    }
                }
                Planned::Repeat { passes: all, .. } => {
                    all.iter().for_each(|pass| self.nodes(pass, passes));
                }
            }
        }
    }

    /// A layer; where no batch of the stage passes it, it only has its weights.
    fn layer(&mut self, layer: &PlannedLayer, passes: bool) {
        let parameters = layer.op.count().parameters(&layer.input);
        let bytes = parameters.saturating_mul(FLOAT);
        let each = self.kept_beside.saturating_add(2);
        self.fixed = self.fixed.saturating_add(bytes.saturating_mul(each));
        self.need(bytes.saturating_mul(OPTIMIZER_TENSORS));
        if !passes {
            return;
        }
        let (input, output) = (layer.input.elements(), layer.output.elements());
        let (x, y) = (self.laid_out(input), self.laid_out(output));
        // Gradients of both sides are there while a layer goes back.
        let sides = x.saturating_add(y);
        let with = |more: u64| sides.saturating_add(more);
        match layer.op.effort(&layer.input, &layer.output) {
            Effort::Nothing => {}
            Effort::Reorders => {
                self.keep(y);
                self.need(with(y));
            }
            Effort::Elementwise => {
                self.keep(y);
                self.need(with(y.saturating_mul(6)));
            }
            Effort::Kernels(first, second) => {
                let middle = second.map_or(0, |second| {
                    self.of_batch(small_side(&second).min(large_side(&second)))
                });
                self.keep(y.saturating_add(middle));
                let is_product = matches!(layer.op, Op::Dense { .. });
                for sizes in std::iter::once(first).chain(second).filter(|_| !is_product) {
                    self.convolution(&sizes, sides.saturating_add(middle));
                }
                self.need(with(y.saturating_add(bytes)));
            }
            Effort::Windows { geometry, .. } => {
                let cells = volume(geometry.kernel);
                self.tables(&geometry, 2);
                // The output, and the index of each maximum.
                self.keep(y.saturating_mul(2));
                let at_once = if cells > 16 {
                    cells.saturating_mul(4)
                } else {
                    6
                };
                self.need(with(y.saturating_mul(at_once).max(x)));
            }
            Effort::GlobalMaximum => {
                self.keep(y.saturating_mul(2));
                self.need(with(x.saturating_mul(4)));
            }
            Effort::Map { entries } => {
                let channels = layer.output.channels() as u64;
                // Every output position reads as many entries as the one with most; so does the way back.
                let read = self
                    .laid_out(entries.saturating_mul(channels))
                    .max(y)
                    .max(x);
                self.keep(y);
                self.need(with(read.saturating_mul(2)));
            }
            Effort::BatchStatistics { .. } => {
                self.keep(y);
                self.need(with(x.saturating_mul(5)));
            }
            Effort::ImageStatistics { .. } => {
                self.keep(y.saturating_mul(2));
                self.need(with(x.saturating_mul(5)));
            }
            Effort::Draws { by_channel } => {
                self.keep(if by_channel { y } else { y.saturating_mul(2) });
                self.need(with(y.saturating_mul(3)));
            }
        }
    }

    fn convolution(&mut self, sizes: &KernelSizes, sides: u64) {
        let windows = volume(sizes.geometry.output).saturating_mul(volume(sizes.geometry.kernel));
        let columns = self.laid_out(windows.saturating_mul(sizes.large as u64));
        let (small, large) = (
            self.of_batch(small_side(sizes)),
            self.of_batch(large_side(sizes)),
        );
        let readers = self.tables(&sizes.geometry, 1);
        // Columns of groups are put into another order before they are multiplied, and after.
        let copies = if sizes.groups > 1 { 2 } else { 1 };
        let laid_out = columns.saturating_mul(copies);
        let to_small = laid_out.saturating_add(small.saturating_mul(2));
        let back = self.laid_out(readers.saturating_mul(sizes.large as u64));
        let to_large = columns.saturating_add(laid_out.max(back).saturating_add(large));
        self.need(sides.saturating_add(to_small.max(to_large)));
    }

    /// The tables of a window, and how many entries the one has by which columns are summed.
    fn tables(&mut self, geometry: &Geometry, copies: u64) -> u64 {
        let windows = volume(geometry.output).saturating_mul(volume(geometry.kernel));
        let axis = |at: usize| {
            let overlap = geometry.reach(at).div_ceil(geometry.stride[at].max(1));
            overlap
                .min(geometry.kernel[at])
                .min(geometry.output[at])
                .max(1) as u64
        };
        let reach = (0..3).map(axis).fold(1, u64::saturating_mul);
        let readers = volume(geometry.input).saturating_mul(reach);
        let bytes = windows.saturating_mul(copies).saturating_add(readers);
        self.fixed = self.fixed.saturating_add(bytes.saturating_mul(4));
        readers
    }
}

fn small_side(sizes: &KernelSizes) -> u64 {
    volume(sizes.geometry.output).saturating_mul(sizes.small as u64)
}

fn large_side(sizes: &KernelSizes) -> u64 {
    volume(sizes.geometry.input).saturating_mul(sizes.large as u64)
}

/// Numbers of an image that come out of a branch.
fn width(branch: &[Planned]) -> u64 {
    match branch.last() {
        Some(Planned::Layer(layer)) => layer.output.elements(),
        Some(Planned::Add { branches, .. }) => branches.first().map_or(0, |branch| width(branch)),
        Some(Planned::Concat { branches, .. }) => branches
            .iter()
            .map(|branch| width(branch))
            .fold(0, u64::saturating_add),
        Some(Planned::Repeat { passes, .. }) => passes.last().map_or(0, |pass| width(pass)),
        None => 0,
    }
}

/// Bytes of a GPU's memory that a training step of a stage holds at its peak, with this many images; `None` where a
/// stack that the stage needs has an error.
pub fn device_memory(plan: &Plan, stage: &Stage, batch: u32) -> Option<u64> {
    device_step(plan, stage, batch).map(|step| step.bytes)
}

/// What a training step of a stage needs on a GPU, with this many images; `None` as for [`device_memory`].
pub fn device_step(plan: &Plan, stage: &Stage, batch: u32) -> Option<DeviceStep> {
    let second = match stage.task {
        Task::Reconstruct => Stack::Decoder,
        Task::Classify => Stack::Head,
    };
    let mut walk = Walk {
        batch: u64::from(batch),
        kept_beside: kept_beside(stage),
        fixed: 0,
        kept: 0,
        most: 0,
        widest: 0,
    };
    for stack in Stack::ALL {
        let passes = [Stack::Encoder, second].contains(&stack);
        match plan.stack(stack) {
            Some(nodes) => walk.nodes(nodes, passes),
            None if passes => return None,
            None => {}
        }
    }
    let input = plan.input.elements();
    let output = match width(plan.stack(second)?) {
        0 => plan.code.elements(),
        numbers => numbers,
    };
    walk.keep(walk.of_batch(input.saturating_mul(BATCHES)));
    let tensors = match stage.loss.spec().least_side {
        Some(_) => SIMILARITY_TENSORS,
        None => LOSS_TENSORS,
    };
    walk.need(walk.of_batch(output.saturating_mul(tensors)));
    let held = walk.fixed.saturating_add(walk.kept);
    Some(DeviceStep {
        bytes: held.saturating_add(walk.most),
        widest: walk.widest,
    })
}

/// The largest batch of a stage whose step fits into so many bytes of a GPU's memory; `None` when not even one image
/// does, or when the stage cannot be trained.
pub fn largest_device_batch(plan: &Plan, stage: &Stage, free: u64) -> Option<u32> {
    let fits = |batch: u32| device_step(plan, stage, batch).is_some_and(|step| step.fits(free));
    super::largest(MAX_BATCH, fits)
}

#[cfg(test)]
mod tests {
    use super::*;
    use strata_core::shape::infer;
    use strata_testkit::networks::network;

    fn stage() -> Stage {
        Stage {
            batch: 512,
            ..Stage::default()
        }
    }

    #[test]
    fn the_largest_batch_fits_and_one_more_does_not() {
        let plan = infer(&network(
            "3x32x32",
            &["conv 16 k3 p1", "relu"],
            &["conv 3 k3 p1"],
            &[],
        ))
        .plan;
        let (plan, stage) = (plan.unwrap(), stage());
        let free = 200_000_000;
        let batch = largest_device_batch(&plan, &stage, free).unwrap();
        let needed = |batch| device_memory(&plan, &stage, batch).unwrap();
        assert!(needed(batch) <= free && needed(batch + 1) > free, "{batch}");
        assert_eq!(largest_device_batch(&plan, &stage, 1000), None);
    }

    /// 512 × 224 × 224 positions × 9 cells × 64 channels.
    #[test]
    fn columns_that_a_kernel_cannot_count_are_seen() {
        let layers = ["conv 64 k3 p1", "conv 64 k3 p1"];
        let plan = infer(&network("64x224x224", &layers, &["identity"], &[]))
            .plan
            .unwrap();
        let step = device_step(&plan, &stage(), 512).unwrap();
        assert_eq!(step.widest, 512 * 224 * 224 * 9 * 64);
        let batch = largest_device_batch(&plan, &stage(), u64::MAX).unwrap();
        assert_eq!(u64::from(batch), MOST_DEVICE_NUMBERS / (224 * 224 * 9 * 64));
    }
}
