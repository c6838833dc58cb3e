//! A separable convolution image by image: what the depthwise part gives stays in the cache until the product has read
//! it, and is computed again for the gradients, which is less work than keeping it in memory.

use super::dense::MIN_CHANNELS;
use super::{DensePass, Matrix, Packed, RowsBackward, SOME_ROWS, Sizes};
use crate::ops::blocking::PARTS;
use crate::ops::conv_input::ConvInput;
use crate::ops::convolution::{ConvPass, Convolution, Finish, WHOLE};
use crate::ops::real::Real;
use crate::ops::reduce::{add_parts, part_of};
use crate::ops::shared_output::SharedOutput;
use crate::ops::weight_gradient::WeightGradient;
use crate::ops::winograd::Piece;
use rayon::prelude::*;
use std::ops::Range;
use strata_core::shape::op::Geometry;

/// Numbers of an image, all that is between its input and its output included, that stay in the second cache.
const IMAGE_NUMBERS: usize = 1 << 19;
/// Positions of an image that fill the tiles of a product.
const MIN_POSITIONS: usize = 64;

/// Whether a separable convolution of so many channels and outputs is computed image by image: where there are enough
/// images for the threads, and each stays in the cache.
pub fn is_by_image(geometry: &Geometry, channels: usize, outputs: usize, batch: usize) -> bool {
    let [positions, inputs] = [geometry.output, geometry.input].map(|size| {
        size.iter()
            .fold(1usize, |volume, &size| volume.saturating_mul(size))
    });
    let between = (2 * channels).saturating_add(outputs);
    let numbers = positions.saturating_mul(between);
    let numbers = numbers.saturating_add(inputs.saturating_mul(channels));
    let product = DensePass {
        batch: batch.saturating_mul(positions),
        inputs: channels,
        outputs,
    };
    batch >= PARTS
        && positions >= MIN_POSITIONS
        && numbers <= IMAGE_NUMBERS
        && channels.min(outputs) >= MIN_CHANNELS
        && product.divides_rows()
}

/// A separable convolution on a batch.
#[derive(Clone, Copy)]
pub(crate) struct SeparablePass<'a, T> {
    pub depthwise: &'a Convolution,
    /// Of the depthwise part, packed from large to small.
    pub packed: &'a [T],
    /// Of the product, `outputs × channels`.
    pub weight: &'a [T],
    pub outputs: usize,
    pub batch: usize,
    pub x: &'a [T],
}

impl<'a, T: Real> SeparablePass<'a, T> {
    fn channels(&self) -> usize {
        self.depthwise.down.to
    }

    /// Positions of an image between the parts.
    fn positions(&self) -> usize {
        self.depthwise.down.sliding.targets
    }

    /// The product for so many images.
    fn product(&self, images: usize) -> DensePass {
        DensePass {
            batch: images * self.positions(),
            inputs: self.channels(),
            outputs: self.outputs,
        }
    }

    /// Elements of scratch of both passes: those of the product, and the parts of the depthwise weight's gradient.
    pub fn scratch_len(&self) -> usize {
        self.product(self.batch).scratch() + PARTS * self.depthwise.packed_len(true)
    }

    fn first(&self) -> ConvPass<'a, T> {
        ConvPass {
            convolution: self.depthwise,
            down: true,
            weight: self.packed,
            input: ConvInput::Plain(self.x),
            finish: Finish::NONE,
        }
    }

    /// The outputs of a batch.
    pub fn forward(&self, finish: Finish<'_, T>, scratch: &mut [T], y: &mut [T]) {
        let (channels, positions) = (self.channels(), self.positions());
        let sizes = self.product(self.batch).forward_sizes();
        let weight = Matrix::by_column(self.weight);
        let packed = Packed::new(self.depthwise.level, sizes, weight, scratch);
        let images = y.par_chunks_mut(positions * self.outputs);
        images.enumerate().for_each(|(image, y)| {
            let (pass, len) = (self.first(), positions * channels);
            T::with_scratch(len + pass.work_len(1), |scratch| {
                let (between, work) = scratch.split_at_mut(len);
                let target = SharedOutput::new(&mut *between);
                pass.share(image..image + 1, target, 0, WHOLE, work);
                let some = between.chunks(SOME_ROWS * channels);
                for (y, between) in y.chunks_mut(SOME_ROWS * self.outputs).zip(some) {
                    packed.multiply(between, finish, y);
                }
            });
        });
    }
}

/// The gradients of a separable convolution.
pub(crate) struct SeparableBackward<'a, T> {
    pub pass: SeparablePass<'a, T>,
    /// Of the output.
    pub gradient: &'a [T],
    /// The output, where a relu let through what is positive.
    pub gate: Option<&'a [T]>,
    /// Whether the depthwise part learns, and whether the product does.
    pub learns: [bool; 2],
}

/// What a part of the batch writes, as far as it is asked for: the gradient of its images, and its sums for the
/// depthwise weight and for the product.
struct Targets<'a, T> {
    dx: Option<&'a mut [T]>,
    of_depthwise: Option<&'a mut [T]>,
    of_product: Option<&'a mut [T]>,
}

impl<T: Real> SeparableBackward<'_, T> {
    /// Writes the gradient of the input, where it is asked for, from the depthwise weight packed from small to large.
    /// What is returned are the gradients of the depthwise weight, packed from large to small, and of the product's
    /// weight followed by its bias; those that do not learn hold old values. `scratch`: [`SeparablePass::scratch_len`].
    pub fn run<'s>(
        &self,
        of_input: Option<(&[T], &mut [T])>,
        scratch: &'s mut [T],
    ) -> (&'s [T], &'s [T]) {
        let product = self.pass.product(self.pass.batch);
        let (panels, sums) = scratch.split_at_mut(product.panels());
        let (of_product, of_depthwise) = sums.split_at_mut(PARTS * product.of_part());
        let [depthwise_learns, product_learns] = self.learns;
        let packed = (of_input.is_some() || depthwise_learns).then(|| {
            let sizes = Sizes {
                rows: product.batch,
                depth: product.outputs,
                columns: product.inputs,
            };
            let weight = Matrix::by_row(self.pass.weight);
            Packed::new(self.pass.depthwise.level, sizes, weight, panels)
        });
        let (up, dx) = of_input.unzip();
        let size = self.pass.depthwise.packed_len(true);
        let of_part = self.pass.batch.div_ceil(PARTS) * self.input_image();
        let mut dx = dx.unwrap_or_default().chunks_mut(of_part.max(1));
        let mut depthwise_parts = of_depthwise.chunks_mut(size);
        let mut product_parts = of_product.chunks_mut(product.of_part());
        let mut parts: [_; PARTS] = std::array::from_fn(|_| Targets {
            dx: dx.next(),
            of_depthwise: depthwise_parts.next().filter(|_| depthwise_learns),
            of_product: product_parts.next().filter(|_| product_learns),
        });
        parts.par_iter_mut().enumerate().for_each(|(part, to)| {
            let images = part_of(self.pass.batch, PARTS, part);
            self.part(images, packed.as_ref(), up, to);
        });
        if depthwise_learns {
            add_parts(&mut of_depthwise[..PARTS * size], size);
        }
        if product_learns {
            add_parts(of_product, product.of_part());
        }
        (&of_depthwise[..size], &of_product[..product.of_part()])
    }

    /// Elements of an input image.
    fn input_image(&self) -> usize {
        self.pass.x.len() / self.pass.batch.max(1)
    }

    /// A part of the images.
    fn part(
        &self,
        images: Range<usize>,
        packed: Option<&Packed<'_, T>>,
        up: Option<&[T]>,
        to: &mut Targets<'_, T>,
    ) {
        let sums = [&mut to.of_depthwise, &mut to.of_product];
        sums.into_iter()
            .flatten()
            .for_each(|sums| sums.fill(T::zero()));
        let (first, image_len) = (images.start, self.input_image());
        let task = Task::new(self, up);
        T::with_scratch(task.scratch_len(), |scratch| {
            for image in images {
                let at = (image - first) * image_len;
                let dx = to.dx.as_deref_mut().map(|dx| &mut dx[at..at + image_len]);
                let to = Targets {
                    dx,
                    of_depthwise: to.of_depthwise.as_deref_mut(),
                    of_product: to.of_product.as_deref_mut(),
                };
                task.image(image, packed, to, scratch);
            }
        });
    }
}

/// What one thread computes of one image after the other.
struct Task<'a, T> {
    backward: &'a SeparableBackward<'a, T>,
    /// The depthwise weight packed from small to large, where the gradient of the input is asked for.
    up: Option<&'a [T]>,
    /// Elements of an image between the parts, and of such an image with room for whole vectors behind it.
    between: [usize; 2],
    /// Elements that a convolution works in.
    work: usize,
}

impl<'a, T: Real> Task<'a, T> {
    fn new(backward: &'a SeparableBackward<'a, T>, up: Option<&'a [T]>) -> Task<'a, T> {
        let pass = &backward.pass;
        let between = pass.positions() * pass.channels();
        Task {
            backward,
            up,
            between: [between, between + pass.depthwise.down.width],
            work: pass.first().work_len(1),
        }
    }

    /// Back through the depthwise part, from its output's gradient.
    fn back<'b>(&'b self, weight: &'b [T], gradient: &'b [T]) -> ConvPass<'b, T> {
        ConvPass {
            convolution: self.backward.pass.depthwise,
            down: false,
            weight,
            input: ConvInput::Plain(gradient),
            finish: Finish::NONE,
        }
    }

    fn scratch_len(&self) -> usize {
        let pass = &self.backward.pass;
        let product = pass.product(pass.batch).task_scratch::<T>();
        let back = self.back(&[], &[]).work_len(1);
        let [between, with_room] = self.between;
        self.work + between + with_room + product.max(back)
    }

    fn image(
        &self,
        image: usize,
        packed: Option<&Packed<'_, T>>,
        mut to: Targets<'_, T>,
        scratch: &mut [T],
    ) {
        let pass = &self.backward.pass;
        let (laid, scratch) = scratch.split_at_mut(self.work);
        let (between, scratch) = scratch.split_at_mut(self.between[0]);
        let (gradient, scratch) = scratch.split_at_mut(self.between[1]);
        let laid = self.lay(image, laid);
        if to.of_product.is_some() {
            let target = SharedOutput::new(&mut *between);
            pass.first().tiles(laid, 1, target, 0, Piece::WHOLE);
        }
        let outputs = pass.positions() * pass.outputs;
        let outputs = image * outputs..(image + 1) * outputs;
        let product = RowsBackward {
            level: pass.depthwise.level,
            pass: pass.product(1),
            x: between,
            gradient: &self.backward.gradient[outputs.clone()],
            gate: self.backward.gate.map(|gate| &gate[outputs]),
        };
        let of_between = packed.map(|_| &mut gradient[..self.between[0]]);
        let rows = 0..pass.positions();
        product.add_rows(rows, packed, of_between, to.of_product, scratch);
        if let Some(sums) = &mut to.of_depthwise {
            let weight = WeightGradient {
                convolution: pass.depthwise,
                large: ConvInput::Plain(laid),
                small: ConvInput::Plain(gradient),
                bias_of_large: false,
                batch: 1,
            };
            weight.add_image(laid, gradient, sums);
        }
        if let (Some(weight), Some(dx)) = (self.up, to.dx) {
            let back = self.back(weight, &gradient[..self.between[0]]);
            back.share(0..1, SharedOutput::new(dx), 0, WHOLE, scratch);
        }
    }

    /// An image of the input as kernels read it.
    fn lay<'b>(&'b self, image: usize, scratch: &'b mut [T]) -> &'b [T] {
        let pass = &self.backward.pass;
        let len = self.backward.input_image();
        if pass.first().reads_in_place() {
            return &pass.x[image * len..(image + 1) * len];
        }
        let margin = &pass.depthwise.down.sliding.margin;
        let input = ConvInput::Plain(pass.x);
        input.write_padded(image..image + 1, margin, pass.channels(), scratch);
        scratch
    }
}
