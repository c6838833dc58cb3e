//! Products of matrices, for layers whose every position is its own: dense layers.
//!
//! `left` (rows × depth) times `right` (depth × columns), each row by row or column by column in memory. A task takes a
//! block of columns and a piece of the rows. It copies some rows of its block of `right` into a panel that stays in the
//! nearest cache while all rows of the piece go by. A sum is added up by rising depth, however the work is cut, so that
//! results depend neither on the cut nor on the number of threads.
//!
//! Where rows are many and `right` is small, as of a convolution with a window of one position, all of `right` is laid
//! out in panels once, and tasks take some rows at a time while those are in the cache ([`RowsBackward`]).

#![allow(unsafe_code)]

mod backward;
mod dense;
mod separable;
#[cfg(test)]
mod speed;
#[cfg(test)]
mod tests;
mod tile;

pub(crate) use backward::RowsBackward;
pub use dense::{DensePass, is_product};
pub use separable::is_by_image;
pub(crate) use separable::{SeparableBackward, SeparablePass};

use super::blocking::{MIN_TASKS, even_pieces};
use super::convolution::Finish;
use super::packed::Block;
use super::real::Real;
use super::reduce::part_of;
use super::shared_output::SharedOutput;
use super::simd::{Level, vectorized};
use super::team::{each_chunk, each_of_some};
use super::turn::turn;
use tile::{ProductTile, tiles};

/// Bytes of a panel: it shares the nearest cache (32 KiB or more) with the rows that go by.
const PANEL_BYTES: usize = 24 << 10;
/// Rows of a panel at most: as much of the other matrix has to stay beside it.
const PANEL_ROWS: usize = 256;
/// Fewer rows are no piece of their own.
const MIN_ROWS: usize = 24;
/// Multiply-adds that are worth handing to another thread.
const MIN_MACS: usize = 1 << 17;
/// Rows that a task takes at a time: with the widest tile, a panel.
const SOME_ROWS: usize = 96;

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

/// A matrix in memory.
#[derive(Clone, Copy)]
pub(crate) struct Matrix<'a, T> {
    numbers: &'a [T],
    by_column: bool,
}

impl<'a, T> Matrix<'a, T> {
    /// One row after the other.
    pub fn by_row(numbers: &'a [T]) -> Matrix<'a, T> {
        Matrix {
            numbers,
            by_column: false,
        }
    }

    /// One column after the other.
    pub fn by_column(numbers: &'a [T]) -> Matrix<'a, T> {
        Matrix {
            numbers,
            by_column: true,
        }
    }
}

/// Where a product goes.
enum Target<'a, T> {
    /// Row by row.
    Rows(SharedOutput<'a, T>),
    /// Column by column. Before that, blocks of columns are kept one after the other, each row by row.
    Columns {
        blocks: SharedOutput<'a, T>,
        result: SharedOutput<'a, T>,
    },
}

/// Elements of scratch that a task of [`multiply`] works in.
pub fn panel_len<T>() -> usize {
    PANEL_BYTES / size_of::<T>()
}

/// Rows of each panel, of so many elements, that a matrix is cut into.
fn panel_rows<T>(depth: usize, wide: usize) -> usize {
    let most = (panel_len::<T>() / wide.max(1)).min(PANEL_ROWS);
    even_pieces(depth, most).max(1)
}

/// `result = left·right`, row by row; bias and activation are those of its columns.
pub(crate) fn multiply<T: Real>(
    sizes: Sizes,
    left: Matrix<'_, T>,
    right: Matrix<'_, T>,
    finish: Finish<'_, T>,
    result: &mut [T],
) {
    let target = Target::Rows(SharedOutput::new(result));
    multiply_at(Level::chosen(), sizes, [left, right], finish, target);
}

/// The same column by column; bias and activation are those of its rows. `scratch` is as long as the result.
fn multiply_turned<T: Real>(
    sizes: Sizes,
    left: Matrix<'_, T>,
    right: Matrix<'_, T>,
    finish: Finish<'_, T>,
    scratch: &mut [T],
    result: &mut [T],
) {
    let (blocks, result) = (SharedOutput::new(scratch), SharedOutput::new(result));
    let target = Target::Columns { blocks, result };
    multiply_at(Level::chosen(), sizes, [left, right], finish, target);
}

fn multiply_at<T: Real>(
    level: Level,
    sizes: Sizes,
    [left, right]: [Matrix<'_, T>; 2],
    finish: Finish<'_, T>,
    target: Target<'_, T>,
) {
    let blocks = Blocks::new::<T>(level, sizes);
    let pieces = MIN_TASKS
        .div_ceil(blocks.count().max(1))
        .min(sizes.rows / MIN_ROWS)
        .max(1);
    let tasks = blocks.count() * pieces;
    let macs = sizes.rows * sizes.depth * sizes.columns / tasks.max(1);
    each_of_some(tasks, MIN_MACS.div_ceil(macs.max(1)), |task| {
        let rows = part_of(sizes.rows, pieces, task / blocks.count());
        // SAFETY: tasks write different elements: those of one block of columns in one piece of the rows.
        let target = unsafe { target.share() };
        let product = Product {
            level,
            sizes,
            left,
            right,
            finish,
            target,
            first_row: rows.start,
            rows: rows.len(),
        };
        product.block(blocks.get(task % blocks.count()));
    });
}

impl<T> Target<'_, T> {
    /// Another handle to the same result.
    ///
    /// # Safety
    /// As of [`SharedOutput::share`].
    unsafe fn share(&self) -> Target<'_, T> {
        // SAFETY: the caller's contract.
        unsafe {
            match self {
                Target::Rows(result) => Target::Rows(result.share()),
                Target::Columns { blocks, result } => Target::Columns {
                    blocks: blocks.share(),
                    result: result.share(),
                },
            }
        }
    }
}

/// The columns of a product in blocks: as many vectors each as a tile has, the last with what is left. Not a list,
/// which every step would allocate.
#[derive(Clone, Copy)]
struct Blocks {
    columns: usize,
    width: usize,
    /// Columns of a whole block.
    wide: usize,
}

impl Blocks {
    /// Of the tile that computes the fewest numbers beyond the last row and column.
    fn new<T: Real>(level: Level, sizes: Sizes) -> Blocks {
        let width = T::width(level);
        let vectors = sizes.columns.div_ceil(width);
        let tiles = tiles(T::many_registers(level));
        let computed = |wide: usize| {
            let tile = tiles.iter().find(|(vectors, _)| *vectors == wide);
            let computed = wide
                * sizes
                    .rows
                    .next_multiple_of(tile.map_or(1, |(_, rows)| *rows));
            // A single vector waits for the numbers that it is multiplied with.
            if wide == 1 { 2 * computed } else { computed }
        };
        let all = |wide: usize| {
            let rest = match vectors % wide {
                0 => 0,
                rest => computed(rest),
            };
            vectors / wide * computed(wide) + rest
        };
        let widths = tiles.iter().map(|(wide, _)| *wide);
        let best = widths.min_by_key(|wide| all(*wide));
        Blocks {
            columns: sizes.columns,
            width,
            wide: width * best.unwrap_or(1),
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
    left: Matrix<'a, T>,
    right: Matrix<'a, T>,
    finish: Finish<'a, T>,
    target: Target<'a, T>,
    first_row: usize,
    rows: usize,
}

impl<T: Real> Product<'_, T> {
    fn block(mut self, block: Block) {
        let wide = block.vectors * T::width(self.level);
        let depth = self.sizes.depth;
        let most = panel_rows::<T>(depth, wide);
        T::with_scratch(most * wide, |panel| {
            let mut first = 0;
            // Without any depth the result is 0 all the same.
            while first == 0 || first < depth {
                let some = most.min(depth - first);
                let rows = &mut panel[..some * wide];
                copy_panel(self.level, self.sizes, self.right, first, block, rows);
                self.add_panel(first..first + some, block, panel);
                first += most;
            }
        });
        self.turn(block);
    }

    /// Adds the products of a panel, and finishes what is complete.
    fn add_panel(&mut self, some: std::ops::Range<usize>, block: Block, panel: &[T]) {
        let Sizes {
            rows,
            depth,
            columns,
        } = self.sizes;
        let (left_row, left_step) = if self.left.by_column {
            (1, rows)
        } else {
            (depth, 1)
        };
        let is_last = some.end == depth;
        let (bias, relu) = match &self.target {
            Target::Rows(_) if is_last => (self.finish.bias, self.finish.relu),
            Target::Rows(_) | Target::Columns { .. } => (None, false),
        };
        let (result, start, result_row) = match &mut self.target {
            Target::Rows(result) => (
                result.reborrow(),
                self.first_row * columns + block.first,
                columns,
            ),
            Target::Columns { blocks, .. } => (
                blocks.reborrow(),
                block.first * rows + self.first_row * block.lanes,
                block.lanes,
            ),
        };
        let tile = ProductTile {
            left: self.left.numbers,
            left_first: self.first_row * left_row + some.start * left_step,
            left_row,
            left_step,
            rows: self.rows,
            depth: some.len(),
            panel,
            vectors: block.vectors,
            lanes: block.lanes,
            bias: bias.map(|bias| &bias[block.first..block.first + block.lanes]),
            relu,
            result,
            start,
            result_row,
            adds: some.start > 0,
        };
        T::run_kernel(self.level, tile);
    }

    /// Writes the block where its rows become columns, with bias and activation.
    fn turn(&mut self, block: Block) {
        let Target::Columns { blocks, result } = &mut self.target else {
            return;
        };
        let row = self.sizes.rows;
        let first = block.first * row + self.first_row * block.lanes;
        let from = &*blocks.slice_mut(first..first + self.rows * block.lanes);
        let rows = self.first_row..self.first_row + self.rows;
        let bias = self.finish.bias.map(|bias| &bias[rows.clone()]);
        let mut lane = 0;
        while lane < block.lanes {
            // As many lines as stay in the nearest cache.
            let some = TURNED.min(block.lanes - lane);
            T::with_scratch(some * self.rows, |lines| {
                let from = (&from[lane..], block.lanes);
                turn(self.level, [self.rows, some], from, (lines, self.rows));
                for (line, numbers) in lines.chunks_exact_mut(self.rows).enumerate() {
                    let at = (block.first + lane + line) * row;
                    let to = result.slice_mut(at + rows.start..at + rows.end);
                    finish(numbers, bias, self.finish.relu, to);
                }
            });
            lane += some;
        }
    }
}

/// Copies rows of a block of the right matrix's columns, from row `first` on, into as many rows of whole vectors as
/// `panel` has. Lanes to spare become 0.
fn copy_panel<T: Real>(
    level: Level,
    Sizes { depth, columns, .. }: Sizes,
    Matrix { numbers, by_column }: Matrix<'_, T>,
    first: usize,
    block: Block,
    panel: &mut [T],
) {
    let wide = block.vectors * T::width(level);
    let some = panel.len() / wide;
    if some == 0 {
        return;
    }
    if by_column {
        let from = &numbers[block.first * depth + first..];
        turn(level, [block.lanes, some], (from, depth), (panel, wide));
    } else {
        let lanes = block.first..block.first + block.lanes;
        let rows = numbers[first * columns..].chunks_exact(columns.max(1));
        for (row, panel) in rows.zip(panel.chunks_exact_mut(wide)) {
            panel[..block.lanes].copy_from_slice(&row[lanes.clone()]);
        }
    }
    if block.lanes < wide {
        for panel in panel.chunks_exact_mut(wide) {
            panel[block.lanes..].fill(T::zero());
        }
    }
}

/// A right matrix, all of it laid out in panels.
struct Packed<'a, T> {
    level: Level,
    sizes: Sizes,
    blocks: Blocks,
    /// `depth` rows for each block, one block after the other.
    panels: &'a [T],
}

impl<'a, T: Real> Packed<'a, T> {
    /// Lays a matrix out in the first elements of `panels`.
    fn new(level: Level, sizes: Sizes, right: Matrix<'_, T>, panels: &'a mut [T]) -> Packed<'a, T> {
        let blocks = Blocks::new::<T>(level, sizes);
        let size = sizes.depth * blocks.wide;
        let columns = sizes.columns.next_multiple_of(T::width(level));
        each_chunk(
            [&mut panels[..sizes.depth * columns]],
            size,
            |place, [panel]| {
                copy_panel(
                    level,
                    sizes,
                    right,
                    0,
                    blocks.get(place.start / size),
                    panel,
                );
            },
        );
        Packed {
            level,
            sizes,
            blocks,
            panels,
        }
    }

    /// Some rows of the product: `left` has as many elements a row as `depth`, `result` as `columns`.
    fn multiply(&self, left: &[T], finish: Finish<'_, T>, result: &mut [T]) {
        let Sizes { depth, columns, .. } = self.sizes;
        for block in (0..self.blocks.count()).map(|index| self.blocks.get(index)) {
            let wide = block.vectors * T::width(self.level);
            let panels = &self.panels[block.first * depth..][..wide * depth];
            let most = panel_rows::<T>(depth, wide);
            for first in (0..depth).step_by(most) {
                let some = first..(first + most).min(depth);
                let is_last = some.end == depth;
                let bias = finish.bias.filter(|_| is_last);
                let tile = ProductTile {
                    left,
                    left_first: first,
                    left_row: depth,
                    left_step: 1,
                    rows: result.len() / columns.max(1),
                    depth: some.len(),
                    panel: &panels[first * wide..some.end * wide],
                    vectors: block.vectors,
                    lanes: block.lanes,
                    bias: bias.map(|bias| &bias[block.first..block.first + block.lanes]),
                    relu: finish.relu && is_last,
                    result: SharedOutput::new(result),
                    start: block.first,
                    result_row: columns,
                    adds: first > 0,
                };
                T::run_kernel(self.level, tile);
            }
        }
    }
}

/// Lines of a turned result that are finished together.
const TURNED: usize = 8;

vectorized! {
    /// Numbers with bias and activation. NaN stays.
    fn finish<T: Real>(numbers: &[T], bias: Option<&[T]>, relu: bool, to: &mut [T]) {
        let floor = if relu { T::zero() } else { T::neg_infinity() };
        match bias {
            Some(bias) => {
                for ((to, &number), &bias) in to.iter_mut().zip(numbers).zip(bias) {
                    let number = number + bias;
                    *to = if number < floor { floor } else { number };
                }
            }
            None => {
                for (to, &number) in to.iter_mut().zip(numbers) {
                    *to = if number < floor { floor } else { number };
                }
            }
        }
    }
}
