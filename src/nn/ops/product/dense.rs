//! Dense layers, and convolutions with a window of one position, as products.

use super::{Matrix, Packed, SOME_ROWS, Sizes, multiply, multiply_turned, panel_len};
use crate::ops::blocking::PARTS;
use crate::ops::convolution::Finish;
use crate::ops::real::Real;
use crate::ops::simd::Level;
use crate::ops::team::each_chunk;
use crate::ops::turn::turn;
use strata_core::shape::op::Geometry;

/// Rows from which on tasks take some rows at a time.
const MANY_ROWS: usize = 768;
/// Elements of the weight up to which they do: its gradient is kept for each part of the rows.
const SMALL_WEIGHT: usize = 3 << 18;
/// Channels that a convolution with a window of one position must have to be a product, and elements of its weight:
/// smaller ones stay in the nearest cache as a convolution packs them.
pub(super) const MIN_CHANNELS: usize = 16;
const MIN_WEIGHT: usize = 1 << 14;
/// Lanes of the widest vectors.
const WIDEST: usize = 16;
/// Outputs whose gradients a task turns at a time, and numbers of them that are worth handing to another thread.
const TURNED_AT_ONCE: usize = 64;
const MIN_TURNED: usize = 1 << 14;

/// A dense layer on some vectors: `inputs` numbers each to `outputs`, by a weight of `outputs × inputs`.
#[derive(Clone, Copy, Debug)]
pub struct DensePass {
    /// Vectors.
    pub batch: usize,
    /// Numbers of a vector.
    pub inputs: usize,
    /// Numbers of a result.
    pub outputs: usize,
}

impl DensePass {
    /// Whether the weight is turned over for the forward pass, rather than the vectors and their results: whatever is
    /// less.
    fn turns_weight(self) -> bool {
        self.inputs * self.outputs <= self.batch * (self.inputs + self.outputs)
    }

    /// Whether tasks take some rows at a time.
    pub fn divides_rows(self) -> bool {
        self.batch >= MANY_ROWS && self.inputs * self.outputs <= SMALL_WEIGHT
    }

    /// Elements of scratch that a pass works in. The results before they are turned, or the gradient and the same
    /// turned, and the sums for the bias; or the weight in panels, and the gradients of weight and bias for each part of
    /// the rows.
    pub fn scratch(self) -> usize {
        if self.divides_rows() {
            self.panels() + PARTS * self.of_part()
        } else {
            (2 * self.batch + 1) * self.outputs
        }
    }

    /// Elements of scratch that a task works in.
    pub fn task_scratch<T>(self) -> usize {
        let gradients = if self.divides_rows() {
            2 * SOME_ROWS * self.outputs
        } else {
            0
        };
        panel_len::<T>() + gradients
    }

    /// Elements of the weight in panels, in either direction.
    pub(super) fn panels(self) -> usize {
        let wide = |columns: usize| columns.next_multiple_of(WIDEST);
        let forward = self.inputs * wide(self.outputs);
        forward.max(wide(self.inputs) * self.outputs)
    }

    /// Elements of the gradients of weight and bias.
    pub(super) fn of_part(self) -> usize {
        (self.inputs + 1) * self.outputs
    }

    /// The sizes of the forward pass.
    pub(super) fn forward_sizes(self) -> Sizes {
        Sizes {
            rows: self.batch,
            depth: self.inputs,
            columns: self.outputs,
        }
    }

    /// The outputs of a batch, with bias and activation.
    pub(crate) fn forward<T: Real>(
        self,
        x: &[T],
        weight: &[T],
        finish: Finish<'_, T>,
        scratch: &mut [T],
        y: &mut [T],
    ) {
        let DensePass {
            batch,
            inputs,
            outputs,
        } = self;
        if self.divides_rows() {
            let (level, sizes) = (Level::chosen(), self.forward_sizes());
            let packed = Packed::new(level, sizes, Matrix::by_column(weight), scratch);
            return each_chunk([y], SOME_ROWS * outputs, |place, [y]| {
                let rows = place.start / outputs..place.end / outputs;
                packed.multiply(&x[rows.start * inputs..rows.end * inputs], finish, y);
            });
        }
        if self.turns_weight() {
            let (x, weight) = (Matrix::by_row(x), Matrix::by_column(weight));
            return multiply(self.forward_sizes(), x, weight, finish, y);
        }
        let sizes = Sizes {
            rows: outputs,
            depth: inputs,
            columns: batch,
        };
        let (weight, x) = (Matrix::by_row(weight), Matrix::by_column(x));
        let scratch = &mut scratch[..batch * outputs];
        multiply_turned(sizes, weight, x, finish, scratch, y);
    }

    /// The gradient of the input from that of the output.
    pub(crate) fn input_gradient<T: Real>(self, gradient: &[T], weight: &[T], dx: &mut [T]) {
        let sizes = Sizes {
            rows: self.batch,
            depth: self.outputs,
            columns: self.inputs,
        };
        let (gradient, weight) = (Matrix::by_row(gradient), Matrix::by_row(weight));
        multiply(sizes, gradient, weight, Finish::NONE, dx);
    }

    /// The gradient of the weight from the input and the gradient of the output. `turned`: room for the latter, which is
    /// turned first: read by columns, numbers far apart would push each other out of the nearest cache.
    pub(crate) fn weight_gradient<T: Real>(
        self,
        x: &[T],
        gradient: &[T],
        turned: &mut [T],
        of_weight: &mut [T],
    ) {
        let (level, batch) = (Level::chosen(), self.batch);
        let turned = &mut turned[..batch * self.outputs];
        let columns = TURNED_AT_ONCE * MIN_TURNED.div_ceil((TURNED_AT_ONCE * batch).max(1));
        each_chunk([&mut *turned], columns * batch, |place, [turned]| {
            let from = &gradient[place.start / batch..];
            let sizes = [batch, turned.len() / batch];
            turn(level, sizes, (from, self.outputs), (turned, batch));
        });
        let sizes = Sizes {
            rows: self.outputs,
            depth: batch,
            columns: self.inputs,
        };
        let (gradient, x) = (Matrix::by_row(turned), Matrix::by_row(x));
        multiply(sizes, gradient, x, Finish::NONE, of_weight);
    }
}

/// Whether a convolution is a product: its window has one position, and its channels fill vectors.
pub fn is_product(geometry: &Geometry, large: usize, small: usize, groups: usize) -> bool {
    let Geometry {
        kernel,
        stride,
        pad,
        input,
        output,
        ..
    } = *geometry;
    let is_window = kernel == [1; 3] && stride == [1; 3] && pad == [0; 3] && input == output;
    let is_wide = large.min(small) >= MIN_CHANNELS && large * small >= MIN_WEIGHT;
    groups == 1 && is_window && (is_wide || output == [1; 3])
}
