//! What the kernels of a convolution need besides the tensors: packed weights, laid-out images, partial sums.
//!
//! "Large" is the side that the window slides over, "small" the side of its positions; "down" goes from large
//! to small. How work is cut into tasks is read from `nn::ops::blocking`.

mod tiles;

use super::Machine;
use strata_core::shape::layers::Effort;
use strata_core::shape::layers::facts::KernelSizes;
use strata_core::shape::op::{Geometry, PlannedLayer};
use strata_nn::ops::blocking::{self, TileCut};
use strata_nn::ops::folding::Folding;
use strata_nn::ops::product::{self, DensePass};
use strata_nn::ops::sliding::Sliding;
use strata_nn::ops::winograd;
use tiles::Tiles;

/// Two lists with 16 bytes for each position of the window, for each direction.
const WINDOW_BYTES: u64 = 64;

/// A convolution of known sizes.
#[derive(Clone, Copy)]
pub(crate) struct Kernel {
    pub geometry: Geometry,
    pub large: u64,
    pub small: u64,
    pub groups: u64,
    pub transposed: bool,
}

/// Numbers that each of some tasks works in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Scratch {
    pub tasks: u64,
    pub numbers: u64,
}

/// How the gradient of the kernel's output is read, and what it writes.
#[derive(Clone, Copy)]
pub(crate) struct Ends {
    /// Whether a relu or pooling behind it is computed along: its gradient is then laid out first.
    pub laid: bool,
    /// Whether a pooling is: whole images are then computed in scratch.
    pub pooled: bool,
}

impl Ends {
    /// Nothing is computed along.
    pub const PLAIN: Ends = Ends {
        laid: false,
        pooled: false,
    };
}

impl Kernel {
    /// The kernels of a layer: one, two for a separable convolution, none for most.
    pub fn of(layer: &PlannedLayer) -> Vec<Kernel> {
        let kernel = |sizes: KernelSizes| Kernel {
            geometry: sizes.geometry,
            large: sizes.large as u64,
            small: sizes.small as u64,
            groups: sizes.groups.max(1) as u64,
            transposed: sizes.transposed,
        };
        match layer.op.effort(&layer.input, &layer.output) {
            Effort::Kernels(first, second) => {
                std::iter::once(first).chain(second).map(kernel).collect()
            }
            Effort::Nothing
            | Effort::Reorders
            | Effort::Elementwise
            | Effort::Windows { .. }
            | Effort::GlobalMaximum
            | Effort::Map { .. }
            | Effort::BatchStatistics { .. }
            | Effort::ImageStatistics { .. }
            | Effort::Draws { .. } => Vec::new(),
        }
    }

    /// One channel in and out a group.
    pub(crate) fn is_depthwise(&self) -> bool {
        self.groups > 1 && self.groups == self.large && self.groups == self.small
    }

    /// Vectors times a matrix, as a dense layer is: its weight is read as it is stored, unless a pooling is part of it.
    pub(crate) fn is_product(&self, ends: Ends) -> bool {
        let [large, small, groups] =
            [self.large, self.small, self.groups].map(|size| size as usize);
        !ends.pooled
            && !self.transposed
            && product::is_product(&self.geometry, large, small, groups)
    }

    /// Numbers that all tasks of a product share, and what each works in.
    pub(crate) fn product(&self, batch: u64) -> (u64, Scratch) {
        let pass = DensePass {
            batch: batch.saturating_mul(volume(self.geometry.output)) as usize,
            inputs: self.large as usize,
            outputs: self.small as usize,
        };
        let panel = Scratch {
            tasks: blocking::MIN_TASKS as u64,
            numbers: pass.task_scratch::<f32>() as u64,
        };
        (pass.scratch() as u64, panel)
    }

    /// Groups that the kernels loop over.
    fn loops(&self) -> u64 {
        if self.is_depthwise() { 1 } else { self.groups }
    }

    fn cells(&self) -> u64 {
        volume(self.geometry.kernel)
    }

    /// Channels of the source and of the target.
    fn channels(&self, down: bool) -> (u64, u64) {
        if down {
            (self.large, self.small)
        } else {
            (self.small, self.large)
        }
    }

    /// Rows of a packed weight: what one position reads.
    fn rows(&self, down: bool) -> u64 {
        let each = if self.is_depthwise() {
            1
        } else {
            self.channels(down).0 / self.loops()
        };
        self.cells().saturating_mul(each)
    }

    /// How the images are folded for the forward pass and the gradient of the weight, if they are.
    pub(crate) fn folding(&self) -> Option<Folding> {
        let [large, small, groups] =
            [self.large, self.small, self.groups].map(|size| size as usize);
        Folding::chosen(&self.geometry, large, small, groups).filter(|_| !self.transposed)
    }

    /// The kernel that computes a direction, or with `down` the gradient of the weight: that of blocks where images are
    /// folded.
    pub(crate) fn of_direction(&self, down: bool) -> Kernel {
        let Some(folding) = self.folding().filter(|_| down) else {
            return *self;
        };
        Kernel {
            geometry: folding.folded,
            large: folding.channels() as u64,
            ..*self
        }
    }

    /// Points of an axis that it is computed with, if it is not computed directly.
    pub fn points(&self) -> Option<usize> {
        winograd::points(
            &self.geometry,
            self.large as usize,
            self.small as usize,
            self.groups as usize,
        )
    }

    /// Numbers of the weight packed for a direction.
    pub fn packed(&self, down: bool, machine: Machine) -> u64 {
        if down && self.folding().is_some() {
            return self.of_direction(true).packed(true, machine);
        }
        let of_window = self.direct(down, machine);
        let rows = match self.points() {
            Some(points) => (points * points) as u64,
            None => self.rows_in_slots(down, machine),
        };
        (of_window / self.cells()).saturating_mul(rows)
    }

    /// Rows of the packed weight for each source channel: more than the window has elements where neighbours with few
    /// channels are computed together.
    fn rows_in_slots(&self, down: bool, machine: Machine) -> u64 {
        let (lanes, width) = (self.channels(down).1, machine.lanes);
        if self.groups > 1 || 2 * lanes > width {
            return self.cells();
        }
        let sliding = if down {
            Sliding::down(&self.geometry)
        } else {
            Sliding::up(&self.geometry)
        };
        sliding.in_slots(lanes as usize, width as usize).rows() as u64
    }

    /// The same for a convolution that is computed directly, position by position: lanes come in whole vectors.
    fn direct(&self, down: bool, machine: Machine) -> u64 {
        let lanes = (self.channels(down).1 / self.loops()).div_ceil(machine.lanes.max(1))
            * machine.lanes.max(1);
        self.loops()
            .saturating_mul(lanes)
            .saturating_mul(self.rows(down))
    }

    /// Multiply-adds for an image in a direction if it is computed directly, those of lanes to spare included.
    pub fn work(&self, down: bool, machine: Machine) -> u64 {
        self.direct(down, machine)
            .saturating_mul(volume(self.geometry.output))
    }

    /// Multiply-adds for an image in a direction as it is computed: at points where that is how, lanes and tiles to spare
    /// included.
    pub(crate) fn multiply_adds(&self, up: bool, machine: Machine) -> u64 {
        match self.points() {
            Some(points) => Tiles::new(self, points, !up, machine).work,
            None if self.is_product(Ends::PLAIN) => self
                .weight_numbers()
                .saturating_mul(volume(self.geometry.output)),
            None => self.work(!up, machine),
        }
    }

    /// Numbers of the weight as it is stored.
    pub(crate) fn weight_numbers(&self) -> u64 {
        let pairs = (self.large / self.groups).saturating_mul(self.small);
        pairs.saturating_mul(self.cells())
    }

    /// Bytes of the lists that say what a position reads.
    pub fn lists(&self) -> u64 {
        let rows = grown(self.rows(true), 4).saturating_mul(8);
        rows.saturating_add(self.cells().saturating_mul(WINDOW_BYTES))
    }

    /// Positions of a direction's source, without and with padding.
    pub(crate) fn source_cells(&self, down: bool) -> (u64, u64) {
        let Geometry {
            input,
            output,
            kernel,
            stride,
            dilation,
            pad,
        } = self.geometry;
        if down {
            return (volume(input), volume(self.geometry.padded()));
        }
        let padded = [0, 1, 2].map(|axis| {
            let back = (kernel[axis] - 1).saturating_mul(dilation[axis]) / stride[axis].max(1);
            let before = back.saturating_sub(pad[axis] / stride[axis].max(1));
            let after = ((input[axis] - 1).saturating_add(pad[axis]) / stride[axis].max(1))
                .saturating_sub(output[axis].saturating_sub(1));
            before.saturating_add(output[axis]).saturating_add(after)
        });
        (volume(output), volume(padded))
    }

    fn targets(&self, down: bool) -> u64 {
        volume(if down {
            self.geometry.output
        } else {
            self.geometry.input
        })
    }

    /// Images that a task takes at a time.
    fn images(&self, down: bool, batch: u64) -> u64 {
        let Geometry {
            input,
            output,
            stride,
            ..
        } = self.geometry;
        // Going up, a stride of s has s kinds of positions along its axis.
        let kinds = [0, 1, 2].map(|axis| (input[axis] / stride[axis].max(1)).max(1));
        let positions = volume(if down { output } else { kinds });
        blocking::images_per_task(positions as usize, batch as usize) as u64
    }

    /// What a pass in a direction works in.
    fn pass(
        &self,
        down: bool,
        batch: u64,
        ends: Ends,
        is_forward: bool,
        machine: Machine,
    ) -> Scratch {
        if let Some(points) = self.points() {
            let tiles = Tiles::new(self, points, down, machine);
            return tiles.pass(self, batch, ends, is_forward);
        }
        let ((cells, padded), (from, to)) = (self.source_cells(down), self.channels(down));
        let spare = self.is_depthwise() && !from.is_multiple_of(machine.lanes.max(1));
        let in_place = cells == padded && !spare && (is_forward || !ends.laid);
        let source = if in_place {
            0
        } else {
            padded.saturating_mul(from)
        };
        let cut = self.cut(down, batch, machine);
        let (images, bands) = (cut.images as u64, cut.bands as u64);
        let image = if is_forward && ends.pooled && bands == 1 {
            self.targets(down).saturating_mul(to)
        } else {
            0
        };
        let numbers = images
            .saturating_mul(source.saturating_add(image))
            .saturating_add(4 * machine.lanes);
        Scratch {
            tasks: batch.div_ceil(images) * bands,
            numbers,
        }
    }

    /// How a pass in a direction is cut into tasks.
    fn cut(&self, down: bool, batch: u64, machine: Machine) -> TileCut {
        if let Some(points) = self.points() {
            return Tiles::new(self, points, down, machine).cut(batch);
        }
        let images = self.images(down, batch);
        let blocks = batch.div_ceil(images) as usize;
        TileCut {
            images: images as usize,
            bands: blocking::bands(blocks, self.work(down, machine) as usize),
            pieces: 1,
        }
    }

    /// Numbers before a pooling that all tasks of the forward pass share: where images are shared by tasks.
    pub(crate) fn unpooled(&self, batch: u64, ends: Ends, machine: Machine) -> u64 {
        let down = !self.transposed;
        let cut = self.of_direction(down).cut(down, batch, machine);
        if !ends.pooled || cut.bands * cut.pieces == 1 {
            return 0;
        }
        let image = self.targets(down).saturating_mul(self.channels(down).1);
        image.saturating_mul(cut.images as u64)
    }

    /// What the forward pass works in.
    pub fn forward(&self, batch: u64, ends: Ends, machine: Machine) -> Scratch {
        let down = !self.transposed;
        self.of_direction(down)
            .pass(down, batch, ends, true, machine)
    }

    /// What the gradient of the input works in.
    pub fn input_gradient(&self, batch: u64, ends: Ends, machine: Machine) -> Scratch {
        self.pass(self.transposed, batch, ends, false, machine)
    }

    /// What the gradient of the weight lays out.
    pub fn weight_gradient(&self, batch: u64, ends: Ends, machine: Machine) -> Scratch {
        if self.folding().is_some() {
            let of_blocks = self.of_direction(true);
            return of_blocks.weight_gradient(batch, ends, machine);
        }
        if let Some(points) = self.points() {
            return Tiles::new(self, points, true, machine).weight_gradient(self, batch, ends);
        }
        let ((cells, padded), lanes) = (self.source_cells(true), machine.lanes.max(1));
        let (large_laid, small_laid) = if self.transposed {
            (ends.laid, false)
        } else {
            (false, ends.laid)
        };
        let large_in_place = !large_laid
            && cells == padded
            && (!self.is_depthwise() || self.large.is_multiple_of(lanes));
        let small_in_place = !small_laid && (self.small / self.loops()).is_multiple_of(lanes);
        let images = match self.gradient_bands(batch) {
            1 => self.images(true, batch),
            _ => 1,
        };
        let room = |in_place: bool, image: u64| {
            if in_place {
                0
            } else {
                images.saturating_mul(image).saturating_add(4 * lanes)
            }
        };
        let large = room(large_in_place, padded.saturating_mul(self.large));
        let small = room(
            small_in_place,
            volume(self.geometry.output).saturating_mul(self.small),
        );
        Scratch {
            tasks: blocking::MIN_TASKS as u64,
            numbers: large.saturating_add(small),
        }
    }

    /// Bands that each image is cut into for the weight's gradient.
    fn gradient_bands(&self, batch: u64) -> u64 {
        let [depth, rows, _] = self.geometry.output;
        let weight = (self.large / self.groups).saturating_mul(self.small);
        let work = weight
            .saturating_mul(self.cells())
            .saturating_mul(volume(self.geometry.output));
        blocking::gradient_bands(batch as usize, work as usize, depth, rows) as u64
    }

    /// Numbers that the parts of the weight's gradient take, which are added up at the end.
    pub(crate) fn partial_sums(&self, batch: u64, machine: Machine) -> u64 {
        if self.folding().is_some() {
            return self.of_direction(true).partial_sums(batch, machine);
        }
        let bias = if self.transposed {
            self.large
        } else {
            self.small
        };
        let part = self.packed(true, machine).saturating_add(bias).max(1);
        let units = batch.saturating_mul(self.gradient_bands(batch)) as usize;
        let terms = match self.points() {
            Some(points) => winograd::tiles(&self.geometry, points, true) as u64,
            None => volume(self.geometry.output),
        };
        let terms = batch.saturating_mul(terms) as usize;
        let parts = blocking::gradient_parts(part as usize, units, terms);
        part.saturating_mul(parts as u64)
    }
}

/// The capacity of a list that began with room for `first` entries and was doubled until `count` fitted.
pub(crate) fn grown(count: u64, first: u64) -> u64 {
    let (mut room, first) = (first.max(1), first.max(1));
    while room < count {
        room = room.checked_mul(2).unwrap_or(count.max(first));
    }
    room
}

/// Product of three sizes.
pub(crate) fn volume(sizes: [usize; 3]) -> u64 {
    sizes
        .iter()
        .fold(1u64, |product, &size| product.saturating_mul(size as u64))
}
