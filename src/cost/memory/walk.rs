//! A training step, walked through as `nn` takes it: what each layer holds, and what passes from one to the next.
//!
//! Outputs stay until the gradient comes back. Gradients alternate between two buffers, each as large as the
//! largest that it gets. Before everything that learns, outputs do so too.

use super::by_image::ByImage;
use super::kernels::{Ends, Kernel, Scratch};
use super::turns::Turns;
use super::{Bytes, FLOAT, Machine, tables};
use crate::fusion::{FusedUnit, Work, end, first_trained};
use std::collections::BTreeMap;
use strata_core::project::Place;
use strata_core::shape::layers::Effort;
use strata_core::shape::op::{Op, PlannedLayer};
use strata_nn::fusion_rules::reorders;
use strata_nn::ops::blocking;
use strata_nn::ops::norm_rows::row_width;
use strata_nn::ops::taps::Bands;

/// Parts that sums over a batch are taken in.
const PARTS: u64 = blocking::PARTS as u64;
/// Bytes of a number in f64.
const WIDE: u64 = 8;

/// What was met so far.
pub(crate) struct Walk {
    pub machine: Machine,
    pub batch: u64,
    /// Numbers that are kept for each weight besides its gradient.
    pub kept_beside: u64,
    /// Whether outputs that no gradient asks for are overwritten.
    pub forgets: bool,
    pub layers: BTreeMap<Place, Bytes>,
    pub shared: Bytes,
    /// Numbers of the largest gradient of a weight in parts.
    sums: u64,
    scratch: Vec<Scratch>,
    /// Bytes of the largest sum in f64.
    wide: u64,
}

impl Walk {
    pub fn new(machine: Machine, batch: u64, kept_beside: u64, forgets: bool) -> Walk {
        let (layers, shared) = (BTreeMap::new(), Bytes::default());
        let scratch = Vec::new();
        Walk {
            machine,
            batch,
            kept_beside,
            forgets,
            layers,
            shared,
            sums: 0,
            scratch,
            wide: 0,
        }
    }

    fn at(&mut self, place: &Place) -> &mut Bytes {
        self.layers.entry(place.clone()).or_default()
    }

    fn activations(&mut self, place: &Place, bytes: u64) {
        let at = self.at(place);
        at.activations = at.activations.saturating_add(bytes);
    }

    fn scratch(&mut self, place: &Place, bytes: u64) {
        let at = self.at(place);
        at.scratch = at.scratch.saturating_add(bytes);
    }

    /// Bytes of so many numbers for every image.
    fn of_batch(&self, numbers: u64) -> u64 {
        numbers.saturating_mul(self.batch).saturating_mul(FLOAT)
    }

    /// What is allocated before any step: weights, the optimizer's state, tables.
    pub fn build(&mut self, units: &[FusedUnit<'_>]) {
        for unit in units {
            match &unit.work {
                Work::Join { branches, .. } => {
                    branches.iter().for_each(|branch| self.build(branch))
                }
                Work::Layer(layer) => self.build_layer(unit, layer),
            }
        }
    }

    fn build_layer(&mut self, unit: &FusedUnit<'_>, layer: &PlannedLayer) {
        let bytes = layer
            .op
            .count()
            .parameters(&layer.input)
            .saturating_mul(FLOAT);
        let beside = bytes.saturating_mul(self.kept_beside);
        let mut tables = tables::of(layer);
        let mut statistics = 0;
        if let Effort::BatchStatistics { channels } = effort(layer) {
            statistics = 2 * FLOAT * channels as u64;
            tables = 4 * WIDE * channels as u64;
        }
        if let Some(Op::MaxPool { geometry, .. }) = unit.followers.pool.map(|pool| &pool.op) {
            tables = tables.saturating_add(tables::windows(geometry));
            if let Some(kernel) = Kernel::of(layer).last() {
                let (cells, padded) = kernel.source_cells(kernel.transposed);
                tables = tables.saturating_add(if cells == padded {
                    0
                } else {
                    tables::places(cells)
                });
            }
        }
        let at = self.at(unit.place);
        let (gradients, activations) = (bytes, 0);
        let weights = bytes.saturating_add(statistics);
        *at = at.plus(Bytes {
            weights,
            gradients,
            optimizer: beside,
            activations,
            scratch: tables,
            images: 0,
        });
    }

    /// The forward pass of a sequence. `carries`: something before it learns.
    pub fn forward(&mut self, units: &[FusedUnit<'_>], carries: bool) {
        let (first, mut turns) = (first_trained(units), Turns::default());
        for (i, unit) in units.iter().enumerate().filter(|(_, unit)| !unit.skipped) {
            match &unit.work {
                Work::Join { branches, .. } => {
                    branches
                        .iter()
                        .for_each(|branch| self.forward(branch, carries || i > first));
                }
                Work::Layer(layer) => self.forward_layer(unit, layer),
            }
            let written = self.of_batch(unit.written);
            match unit.writes() {
                true if self.forgets && !carries && i < first => turns.take(written),
                true => self.activations(unit.place, written),
                false => {}
            }
        }
        self.shared.activations = self.shared.activations.saturating_add(turns.bytes());
    }

    fn forward_layer(&mut self, unit: &FusedUnit<'_>, layer: &PlannedLayer) {
        let written = self.of_batch(unit.written);
        match effort(layer) {
            // The position that each maximum came from.
            Effort::Windows {
                keeps_indices: true,
                ..
            }
            | Effort::GlobalMaximum => self.activations(unit.place, written),
            Effort::BatchStatistics { channels } => self.forward_norm(unit, channels as u64),
            Effort::ImageStatistics { by_value } => self.group_norm(unit, layer, by_value),
            Effort::Draws { by_channel } => self.drawn(layer, by_channel),
            Effort::Nothing
            | Effort::Reorders
            | Effort::Elementwise
            | Effort::Kernels(..)
            | Effort::Windows {
                keeps_indices: false,
                ..
            }
            | Effort::Map { .. } => {}
        }
        self.forward_kernels(unit, &Kernel::of(layer));
        let pooled = unit.fused && unit.followers.pool.is_some();
        self.activations(unit.place, if pooled { written } else { 0 });
        // Only dense layers take over the order of their input or output.
        let written = unit.followers.reshape.filter(|_| unit.fused);
        let mut ordered = if written.is_some() { unit.output } else { 0 };
        if unit.unflattens.is_some_and(reorders) || written.is_some_and(reorders) {
            let parameters = layer.op.count().parameters(&layer.input);
            ordered = ordered.saturating_add(parameters.saturating_sub(unit.output));
        }
        self.scratch(unit.place, ordered.saturating_mul(FLOAT));
    }

    /// The forward pass of a layer's kernels, one after the other or image by image.
    fn forward_kernels(&mut self, unit: &FusedUnit<'_>, kernels: &[Kernel]) {
        if let Some(pair) = ByImage::of(kernels, unit.ends(true), self.batch, self.machine) {
            self.sums = self.sums.max(pair.shared());
            self.scratch(unit.place, pair.packed(true).saturating_mul(FLOAT));
            self.scratch.push(pair.forward());
            return;
        }
        for (index, kernel) in kernels.iter().enumerate() {
            let is_last = index + 1 == kernels.len();
            if kernel.is_product(unit.ends(is_last)) {
                let (shared, panel) = kernel.product(self.batch);
                self.sums = self.sums.max(shared);
                self.scratch.push(panel);
                continue;
            }
            self.scratch(
                unit.place,
                kernel
                    .packed(!kernel.transposed, self.machine)
                    .saturating_mul(FLOAT),
            );
            if let Some(folding) = kernel.folding() {
                self.activations(unit.place, self.of_batch(folding.image() as u64));
                self.scratch.push(Scratch {
                    tasks: 1,
                    numbers: folding.weight(kernel.small as usize) as u64,
                });
            }
            let ends = unit.ends(is_last);
            let unpooled = kernel.unpooled(self.batch, ends, self.machine);
            self.sums = self.sums.max(unpooled);
            self.scratch
                .push(kernel.forward(self.batch, ends, self.machine));
            if !is_last {
                self.activations(unit.place, self.of_batch(middle(kernel)));
            }
        }
    }

    /// What dropout keeps for its backward pass; noise keeps nothing.
    fn drawn(&mut self, layer: &PlannedLayer, by_channel: bool) {
        let bytes = if matches!(layer.op, Op::Noise { .. }) {
            0
        } else if by_channel {
            // A factor for each channel of an image.
            self.of_batch(layer.output.channels() as u64)
        } else {
            // A byte for each value.
            layer.output.elements().saturating_mul(self.batch)
        };
        self.activations(&layer.place, bytes);
    }

    fn forward_norm(&mut self, unit: &FusedUnit<'_>, channels: u64) {
        let row = row_width(channels as usize) as u64;
        // Scale and shift.
        self.scratch(unit.place, 2 * FLOAT * row);
        self.wide = self.wide.max(2 * PARTS * WIDE * channels);
        self.scratch.push(Scratch {
            tasks: PARTS,
            numbers: 3 * row,
        });
        let pool = unit.followers.pool.filter(|_| unit.fused);
        if let Some(Op::MaxPool { geometry, .. }) = pool.map(|pool| &pool.op) {
            self.scratch.push(Scratch {
                tasks: self.batch,
                numbers: Bands::new(geometry, channels as usize).elements as u64,
            });
        }
        if unit.activates() {
            self.scratch.push(Scratch {
                tasks: PARTS,
                numbers: blocking::activated_elements(channels as usize) as u64,
            });
        }
    }

    /// Statistics of every group of every image, weights in the order of the images, sums in f64.
    fn group_norm(&mut self, unit: &FusedUnit<'_>, layer: &PlannedLayer, by_value: bool) {
        let parameters = layer.op.count().parameters(&layer.input);
        let groups = if let Op::GroupNorm { groups, .. } = layer.op {
            groups as u64
        } else {
            1
        };
        let statistics = groups.saturating_mul(2 * WIDE).saturating_mul(self.batch);
        self.activations(&layer.place, statistics);
        if by_value {
            self.scratch(&layer.place, parameters.saturating_mul(FLOAT));
            self.wide = self.wide.max(parameters.saturating_mul(PARTS * WIDE));
        } else {
            let row = row_width(layer.input.channels()) as u64;
            self.wide = self.wide.max(parameters.saturating_mul(2 * PARTS * WIDE));
            self.scratch.push(Scratch {
                tasks: PARTS.min(self.batch),
                numbers: 5 * row,
            });
            if unit.activates() {
                // The gradient before the activation of an image.
                self.scratch.push(Scratch {
                    tasks: PARTS.min(self.batch),
                    numbers: unit.input.saturating_add(7 * row),
                });
            }
        }
    }

    /// The backward pass of a sequence, as far as something learns, or to its input.
    pub fn backward(&mut self, units: &[FusedUnit<'_>], need_input: bool) {
        let (first, mut turns) = (
            if need_input { 0 } else { first_trained(units) },
            Turns::default(),
        );
        for (i, unit) in units.iter().enumerate().rev().filter(|(i, _)| *i >= first) {
            if unit.watched {
                self.penalty(unit);
            }
            if unit.skipped {
                continue;
            }
            let need = need_input || i > first;
            match &unit.work {
                Work::Join { concat, branches } => {
                    self.backward_join(unit, *concat, branches, need)
                }
                Work::Layer(layer) => self.backward_layer(unit, layer, need),
            }
            if need && unit.writes_gradient() {
                turns.take(self.of_batch(unit.input));
            }
        }
        self.shared.activations = self.shared.activations.saturating_add(turns.bytes());
    }

    fn penalty(&mut self, unit: &FusedUnit<'_>) {
        let units = match &unit.work {
            Work::Layer(layer) => layer.output.channels() as u64,
            Work::Join { .. } => 0,
        };
        self.activations(unit.place, self.of_batch(unit.output));
        self.scratch(unit.place, units.saturating_mul(WIDE + FLOAT));
        self.wide = self.wide.max(units.saturating_mul(PARTS * WIDE));
    }

    fn backward_join(
        &mut self,
        unit: &FusedUnit<'_>,
        concat: bool,
        branches: &[Vec<FusedUnit<'_>>],
        need: bool,
    ) {
        // A branch that hands its input on beside one other is added to that one's gradient from where it is.
        let adds = branches.len() == 2 && branches.iter().any(|branch| !branch.is_empty());
        for branch in branches {
            if !need && first_trained(branch) == branch.len() {
                continue;
            }
            let part = if concat && !(adds && branch.is_empty()) {
                self.of_batch(end(branch, unit.input))
            } else {
                0
            };
            self.activations(unit.place, part);
            self.backward(branch, need);
        }
    }

    fn backward_layer(&mut self, unit: &FusedUnit<'_>, layer: &PlannedLayer, need: bool) {
        if let Op::BatchNorm { channels } = layer.op {
            self.backward_norm(unit, channels as u64, need);
        }
        let kernels = Kernel::of(layer);
        if let Some(pair) = ByImage::of(&kernels, unit.ends(true), self.batch, self.machine) {
            let packed = if need { pair.packed(false) } else { 0 };
            self.scratch(unit.place, packed.saturating_mul(FLOAT));
            self.scratch.push(pair.backward());
            return;
        }
        for (index, kernel) in kernels.iter().enumerate().rev() {
            let (is_first, is_last) = (index == 0, index + 1 == kernels.len());
            let ends = unit.ends(is_last);
            if kernel.is_product(ends) {
                // What the forward pass worked in, and the parts of the bias's gradient.
                self.scratch.push(Scratch {
                    tasks: 1,
                    numbers: PARTS.min(self.batch).saturating_mul(kernel.small),
                });
                continue;
            }
            if unit.trains {
                self.sums = self.sums.max(kernel.partial_sums(self.batch, self.machine));
                self.scratch
                    .push(kernel.weight_gradient(self.batch, ends, self.machine));
            }
            if need || (!is_first && unit.trains) {
                self.scratch(
                    unit.place,
                    kernel
                        .packed(kernel.transposed, self.machine)
                        .saturating_mul(FLOAT),
                );
                self.scratch
                    .push(kernel.input_gradient(self.batch, ends, self.machine));
                if let Some(before) = kernels.get(index.wrapping_sub(1)) {
                    self.activations(unit.place, self.of_batch(middle(before)));
                }
            }
        }
    }

    fn backward_norm(&mut self, unit: &FusedUnit<'_>, channels: u64, need: bool) {
        let row = row_width(channels as usize) as u64;
        // The centre, and on the way back the three numbers of each plane.
        let lines = if need { 4 } else { 1 };
        self.scratch(unit.place, lines * FLOAT * row);
        // The gradient before a pooling is laid out a few images at a time, or a part of one.
        let pooled = unit.fused && unit.followers.pool.is_some();
        let laid = if pooled {
            blocking::norm_block(unit.input.max(1) as usize, channels as usize) as u64
        } else if unit.activates() {
            2 * blocking::activated_elements(channels as usize) as u64
        } else {
            0
        };
        self.scratch.push(Scratch {
            tasks: PARTS.min(self.batch),
            numbers: laid.saturating_add(2 * row),
        });
    }

    /// Bytes of all that one layer after the other works in.
    pub(crate) fn common_scratch(&self) -> u64 {
        let most = |thread: u64| {
            let tasks = self.scratch.iter().filter(|scratch| scratch.tasks > thread);
            tasks.map(|scratch| scratch.numbers).max().unwrap_or(0)
        };
        let threads = (0..self.machine.threads.max(1))
            .map(most)
            .fold(self.sums, u64::saturating_add);
        threads.saturating_mul(FLOAT).saturating_add(self.wide)
    }
}

/// Numbers of an image between the parts of a separable convolution.
fn middle(depthwise: &Kernel) -> u64 {
    super::kernels::volume(depthwise.geometry.output).saturating_mul(depthwise.small)
}

impl FusedUnit<'_> {
    /// Whether it writes an output, instead of handing on what it got.
    fn writes(&self) -> bool {
        match &self.work {
            Work::Layer(layer) => changes(layer),
            Work::Join { concat, branches } => *concat || branches.len() > 1,
        }
    }

    /// Whether it writes the gradient of its input.
    fn writes_gradient(&self) -> bool {
        match &self.work {
            Work::Layer(layer) => changes(layer) && !matches!(layer.op, Op::Noise { .. }),
            Work::Join { branches, .. } => branches.len() > 1,
        }
    }

    /// Whether it computes an activation behind a normalisation.
    fn activates(&self) -> bool {
        self.fused && self.followers.activation.is_some()
    }

    /// How the gradient of its last kernel is read.
    pub(crate) fn ends(&self, is_last: bool) -> Ends {
        let pooled = is_last && self.fused && self.followers.pool.is_some();
        Ends {
            laid: pooled || (is_last && self.fused && self.followers.relu),
            pooled,
        }
    }
}

/// Whether the layer writes its own output.
fn changes(layer: &PlannedLayer) -> bool {
    match effort(layer) {
        Effort::Nothing => false,
        Effort::Reorders => !(layer.input.is_vector() && layer.output.is_vector()),
        Effort::Elementwise
        | Effort::Kernels(..)
        | Effort::Windows { .. }
        | Effort::GlobalMaximum
        | Effort::Map { .. }
        | Effort::BatchStatistics { .. }
        | Effort::ImageStatistics { .. }
        | Effort::Draws { .. } => true,
    }
}

fn effort(layer: &PlannedLayer) -> Effort {
    layer.op.effort(&layer.input, &layer.output)
}
