//! Products of matrices, for layers whose every position is its own: dense layers.
//!
//! `left` (rows × depth) times `right` (depth × columns), all row by row in memory. A task takes a block of columns
//! and a piece of the rows. It copies some rows of its block of `right` into a panel that stays in the nearest cache
//! while all rows of the piece go by. A sum is added up by rising depth, however the work is cut, so that results
//! depend neither on the cut nor on the number of threads.

#![allow(unsafe_code, clippy::needless_range_loop)]

use super::blocking::MIN_TASKS;
use super::convolution::Finish;
use super::packed::Block;
use super::real::Real;
use super::reduce::part_of;
use super::shared_output::SharedOutput;
use super::simd::{Kernel, Lanes, Level};
use super::tile::vectors_per_tile;
use rayon::prelude::*;

/// Bytes of a panel: it shares the nearest cache (32 KiB or more) with the rows that go by.
const PANEL_BYTES: usize = 24 << 10;
/// Fewer rows are no piece of their own.
const MIN_ROWS: usize = 24;
/// Columns that a task of [`transpose`] turns into rows: a line of the cache of f32.
const STRIP: usize = 16;

/// Sizes of a product.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sizes {
    /// Rows of the left matrix and of the result.
    pub rows: usize,
    /// Columns of the left matrix, rows of the right one.
    pub depth: usize,
    /// Columns of the right matrix and of the result.
    pub columns: usize,
}

/// Elements of scratch that a task of [`multiply`] works in.
pub fn panel_len<T>() -> usize {
    PANEL_BYTES / size_of::<T>()
}

/// `result = left·right`.
pub(crate) fn multiply<T: Real>(sizes: Sizes, left: &[T], right: &[T], result: &mut [T]) {
    multiply_at(Level::chosen(), sizes, left, right, result);
}

fn multiply_at<T: Real>(level: Level, sizes: Sizes, left: &[T], right: &[T], result: &mut [T]) {
    let blocks = Blocks::new::<T>(level, sizes.columns);
    let pieces = MIN_TASKS
        .div_ceil(blocks.count().max(1))
        .min(sizes.rows / MIN_ROWS)
        .max(1);
    let result = SharedOutput::new(result);
    (0..blocks.count() * pieces)
        .into_par_iter()
        .for_each(|task| {
            let rows = part_of(sizes.rows, pieces, task / blocks.count());
            let product = Product {
                level,
                sizes,
                left: &left[rows.start * sizes.depth..rows.end * sizes.depth],
                right,
                // SAFETY: tasks write different elements: those of one block of columns in one piece of the rows.
                result: unsafe { result.share() },
                first_row: rows.start,
                rows: rows.len(),
            };
            product.block(blocks.get(task % blocks.count()));
        });
}

/// The columns of a product in blocks: as many vectors each as a tile has at most, the last with what is left. Not a
/// list, which every step would allocate.
#[derive(Clone, Copy)]
struct Blocks {
    columns: usize,
    width: usize,
    /// Columns of a whole block.
    wide: usize,
}

impl Blocks {
    fn new<T: Real>(level: Level, columns: usize) -> Blocks {
        let sizes = vectors_per_tile(T::many_registers(level), false);
        let width = T::width(level);
        Blocks {
            columns,
            width,
            wide: width * sizes.iter().max().copied().unwrap_or(1),
        }
    }

    fn count(self) -> usize {
        self.columns.div_ceil(self.wide)
    }

    fn get(self, index: usize) -> Block {
        let first = index * self.wide;
        let lanes = self.wide.min(self.columns - first);
        Block {
            first,
            lanes,
            vectors: lanes.div_ceil(self.width),
        }
    }
}

/// The part of a product that one task computes.
struct Product<'a, T> {
    level: Level,
    sizes: Sizes,
    /// The piece's rows.
    left: &'a [T],
    right: &'a [T],
    result: SharedOutput<'a, T>,
    first_row: usize,
    rows: usize,
}

impl<T: Real> Product<'_, T> {
    fn block(mut self, block: Block) {
        let wide = block.vectors * T::width(self.level);
        let Sizes { depth, columns, .. } = self.sizes;
        let most = (panel_len::<T>() / wide).max(1);
        T::with_scratch(most * wide, |panel| {
            let mut first = 0;
            // Without any depth the result is 0 all the same.
            while first == 0 || first < depth {
                let some = most.min(depth - first);
                copy_panel(
                    self.right,
                    columns,
                    first,
                    block,
                    &mut panel[..some * wide],
                    wide,
                );
                let tile = ProductTile {
                    left: &self.left[first.min(self.left.len())..],
                    left_row: depth,
                    rows: self.rows,
                    depth: some,
                    panel,
                    vectors: block.vectors,
                    lanes: block.lanes,
                    result: self.result.reborrow(),
                    start: self.first_row * columns + block.first,
                    result_row: columns,
                    adds: first > 0,
                };
                T::run_kernel(self.level, tile);
                first += most;
            }
        });
    }
}

/// Copies rows of a block of columns, from row `first` on, into as many rows of `wide` elements as `panel` has.
/// Lanes to spare become 0.
fn copy_panel<T: Real>(
    right: &[T],
    columns: usize,
    first: usize,
    block: Block,
    panel: &mut [T],
    wide: usize,
) {
    let lanes = block.first..block.first + block.lanes;
    let rows = right[first * columns..].chunks_exact(columns.max(1));
    for (row, panel) in rows.zip(panel.chunks_exact_mut(wide)) {
        let (own, spare) = panel.split_at_mut(block.lanes);
        own.copy_from_slice(&row[lanes.clone()]);
        spare.fill(T::zero());
    }
}

/// Writes a matrix (rows × columns) with its axes exchanged (columns × rows).
pub(crate) fn transpose<T: Real>(columns: usize, matrix: &[T], transposed: &mut [T]) {
    transpose_by(columns, matrix, transposed, |_, number| number);
}

/// The same, with every number replaced by `f(its row, it)`.
fn transpose_by<T: Real>(
    columns: usize,
    matrix: &[T],
    transposed: &mut [T],
    f: impl Fn(usize, T) -> T + Sync,
) {
    let rows = matrix.len() / columns.max(1);
    let strips = transposed.par_chunks_mut((rows * STRIP).max(1)).enumerate();
    strips.for_each(|(strip, transposed)| {
        let first = strip * STRIP;
        // A few rows at a time: more would push each other out of the cache where a row is 4 KiB long.
        for row in (0..rows).step_by(STRIP / 2) {
            let some = row..(row + STRIP / 2).min(rows);
            for (column, line) in transposed.chunks_exact_mut(rows).enumerate() {
                let column = first + column;
                for row in some.clone() {
                    line[row] = f(row, matrix[row * columns + column]);
                }
            }
        }
    });
}

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
    /// Whether the weight is turned over for the forward pass, rather than the vectors: whatever is smaller.
    fn turns_weight(self) -> bool {
        self.inputs * self.outputs <= self.batch * (self.inputs + self.outputs)
    }

    /// Elements of scratch that a pass works in: a matrix turned over, and either the result's or the gradient.
    pub fn scratch(self) -> usize {
        let outputs = self.batch * self.outputs;
        let forward = if self.turns_weight() {
            self.inputs * self.outputs
        } else {
            self.batch * self.inputs + outputs
        };
        forward.max(2 * outputs)
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
        let finished = |column: usize, number: T| {
            let number = number + finish.bias.map_or(T::zero(), |bias| bias[column]);
            // NaN stays.
            if finish.relu && number < T::zero() {
                T::zero()
            } else {
                number
            }
        };
        if self.turns_weight() {
            let turned = &mut scratch[..inputs * outputs];
            transpose(inputs, weight, turned);
            let sizes = Sizes {
                rows: batch,
                depth: inputs,
                columns: outputs,
            };
            multiply(sizes, x, turned, y);
            y.par_chunks_mut(outputs)
                .with_min_len(MIN_ROWS)
                .for_each(|row| {
                    for (column, number) in row.iter_mut().enumerate() {
                        *number = finished(column, *number);
                    }
                });
            return;
        }
        let (turned, result) = scratch.split_at_mut(inputs * batch);
        let result = &mut result[..outputs * batch];
        transpose(inputs, x, turned);
        let sizes = Sizes {
            rows: outputs,
            depth: inputs,
            columns: batch,
        };
        multiply(sizes, weight, turned, result);
        transpose_by(batch, result, y, finished);
    }

    /// The gradient of the input from that of the output.
    pub(crate) fn input_gradient<T: Real>(self, gradient: &[T], weight: &[T], dx: &mut [T]) {
        let sizes = Sizes {
            rows: self.batch,
            depth: self.outputs,
            columns: self.inputs,
        };
        multiply(sizes, gradient, weight, dx);
    }

    /// The gradient of the weight from the input and the gradient of the output.
    pub(crate) fn weight_gradient<T: Real>(
        self,
        x: &[T],
        gradient: &[T],
        scratch: &mut [T],
        of_weight: &mut [T],
    ) {
        let turned = &mut scratch[..self.batch * self.outputs];
        transpose(self.outputs, gradient, turned);
        let sizes = Sizes {
            rows: self.outputs,
            depth: self.batch,
            columns: self.inputs,
        };
        multiply(sizes, turned, x, of_weight);
    }
}

/// `result[row, lane] = Σ left[row, depth]·panel[depth, lane]` for the lanes of one block; or that is added.
struct ProductTile<'a, T> {
    /// Rows of `left_row` elements, of which the first `depth` are read.
    left: &'a [T],
    left_row: usize,
    rows: usize,
    depth: usize,
    /// `depth` rows of `vectors·WIDTH` elements.
    panel: &'a [T],
    vectors: usize,
    /// Lanes of the block that are stored.
    lanes: usize,
    result: SharedOutput<'a, T>,
    /// The first lane of the first row in the result.
    start: usize,
    result_row: usize,
    /// Whether the sums begin with what is in the result.
    adds: bool,
}

impl<T: Real> ProductTile<'_, T> {
    /// Whether a tile of this width is compiled, and everything that its loops address is inside the slices.
    fn fits<L: Lanes<T>>(&self) -> bool {
        let wide = self.vectors * L::WIDTH;
        let end = |start: usize, row: usize, len: usize| {
            (self.rows.saturating_sub(1).saturating_mul(row))
                .saturating_add(start)
                .saturating_add(len)
        };
        vectors_per_tile(L::MANY_REGISTERS, false).contains(&self.vectors)
            && wide - L::WIDTH < self.lanes
            && self.lanes <= wide
            && self.rows > 0
            && end(0, self.left_row, self.depth) <= self.left.len()
            && self.depth.saturating_mul(wide) <= self.panel.len()
            && end(self.start, self.result_row, self.lanes) <= self.result.len()
    }

    #[inline(always)]
    fn all<L: Lanes<T>, const P: usize, const V: usize>(&self, lanes: L) {
        let mut first = 0;
        while first < self.rows {
            let mut rows = [0; P];
            for p in 0..P {
                // After the end the last row again: it is computed and stored twice.
                rows[p] = (first + p).min(self.rows - 1);
            }
            self.tile::<L, P, V>(lanes, rows);
            first += P;
        }
    }

    #[inline(always)]
    fn tile<L: Lanes<T>, const P: usize, const V: usize>(&self, lanes: L, rows: [usize; P]) {
        let mut sums = [[lanes.splat(T::zero()); V]; P];
        if self.adds {
            // All rows are read before any is written, so that one that is there twice is added to once.
            for p in 0..P {
                self.each_vector::<L, V>(rows[p], |v, at, count| {
                    // SAFETY: `each_vector` says that `count` elements follow.
                    sums[p][v] = unsafe { lanes.load_some(at, count) };
                });
            }
        }
        let left = rows.map(|row| self.left.as_ptr().wrapping_add(row * self.left_row));
        let mut panel = self.panel.as_ptr();
        for k in 0..self.depth {
            // SAFETY: `run` asserted `fits`: every row of the left matrix has `depth` elements, the panel `depth`
            // rows of V·WIDTH. V is `vectors`.
            unsafe {
                let mut right = [sums[0][0]; V];
                for v in 0..V {
                    right[v] = lanes.load(panel.add(v * L::WIDTH));
                }
                panel = panel.add(V * L::WIDTH);
                for p in 0..P {
                    let x = lanes.splat(*left[p].add(k));
                    for v in 0..V {
                        sums[p][v] = lanes.multiply_add(x, right[v], sums[p][v]);
                    }
                }
            }
        }
        for p in 0..P {
            self.each_vector::<L, V>(rows[p], |v, at, count| {
                // SAFETY: `each_vector` says that `count` elements follow. The handle is this tile's, and who shares
                // one promises that no other writes these elements.
                unsafe { lanes.store_some(at, sums[p][v], count) };
            });
        }
    }

    /// Calls `f(vector, its place in a row of the result, its lanes)`.
    #[inline(always)]
    fn each_vector<L: Lanes<T>, const V: usize>(
        &self,
        row: usize,
        mut f: impl FnMut(usize, *mut T, usize),
    ) {
        let at = self
            .result
            .as_mut_ptr()
            .wrapping_add(self.start + row * self.result_row);
        for v in 0..V {
            // `run` asserted `fits`: `lanes` elements of every row lie in the slice, and more than (V − 1)·WIDTH.
            f(
                v,
                at.wrapping_add(v * L::WIDTH),
                L::WIDTH.min(self.lanes - v * L::WIDTH),
            );
        }
    }
}

impl<T: Real> Kernel<T> for ProductTile<'_, T> {
    #[inline(always)]
    fn run<L: Lanes<T>>(self, lanes: L) {
        assert!(self.fits::<L>(), "a product outside its arrays");
        // As many vectors as `vectors_per_tile` lists: 1 in the arm that names no number.
        match (L::MANY_REGISTERS, self.vectors) {
            (true, 4) => self.all::<L, 6, 4>(lanes),
            (true, 3) => self.all::<L, 8, 3>(lanes),
            (true, 2) => self.all::<L, 12, 2>(lanes),
            (false, 2) => self.all::<L, 6, 2>(lanes),
            _ => self.all::<L, 12, 1>(lanes),
        }
    }
}

#[cfg(test)]
mod tests;
