//! Products of matrices, for layers whose every position is its own: dense layers.
//!
//! `left` (rows × depth) times `right` (depth × columns), each row by row or column by column in memory. A task takes a
//! block of columns and a piece of the rows. It copies some rows of its block of `right` into a panel that stays in the
//! nearest cache while all rows of the piece go by. A sum is added up by rising depth, however the work is cut, so that
//! results depend neither on the cut nor on the number of threads.
//!
//! Where rows are many and `right` is small, as of a convolution with a window of one position, all of `right` is laid
//! out in panels once, and tasks take some rows at a time while those are in the cache ([`RowsBackward`]).

#![allow(unsafe_code, clippy::needless_range_loop)]

use super::blocking::{MIN_TASKS, PARTS, even_pieces};
use super::convolution::Finish;
use super::packed::Block;
use super::real::Real;
use super::reduce::{add_columns, add_parts, part_of};
use super::shared_output::SharedOutput;
use super::simd::{Kernel, Lanes, Level, vectorized};
use super::turn::turn;
use rayon::prelude::*;
use strata_core::shape::op::Geometry;

/// Bytes of a panel: it shares the nearest cache (32 KiB or more) with the rows that go by.
const PANEL_BYTES: usize = 24 << 10;
/// Fewer rows are no piece of their own.
const MIN_ROWS: usize = 24;
/// Multiply-adds that are worth handing to another thread.
const MIN_MACS: usize = 1 << 19;
/// Rows from which on tasks take some rows at a time.
const MANY_ROWS: usize = 768;
/// Elements of the weight up to which they do: its gradient is kept for each part of the rows.
const SMALL_WEIGHT: usize = 3 << 18;
/// Rows that a task takes at a time: with the widest tile, a panel.
const SOME_ROWS: usize = 96;
/// Channels that a convolution with a window of one position must have to be a product, and elements of its weight:
/// smaller ones stay in the nearest cache as a convolution packs them.
const MIN_CHANNELS: usize = 16;
const MIN_WEIGHT: usize = 1 << 14;
/// Vectors and rows of the tiles that are compiled, with many registers and with few: the arms of `run` below.
const TILES: [&[(usize, usize)]; 2] = [
    &[(4, 6), (3, 8), (2, 12), (1, 12)],
    &[(3, 4), (2, 6), (1, 12)],
];

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
    (0..tasks)
        .into_par_iter()
        .with_min_len(MIN_MACS.div_ceil(macs.max(1)))
        .for_each(|task| {
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

fn tiles(many_registers: bool) -> &'static [(usize, usize)] {
    TILES[if many_registers { 0 } else { 1 }]
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
        let most = even_pieces(depth, panel_len::<T>() / wide).max(1);
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
        let each = panels[..sizes.depth * columns].par_chunks_mut(size.max(1));
        each.enumerate()
            .with_min_len(MIN_MACS.div_ceil(size.max(1)))
            .for_each(|(index, panel)| {
                copy_panel(level, sizes, right, 0, blocks.get(index), panel);
            });
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
            let most = even_pieces(depth, panel_len::<T>() / wide).max(1);
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

    /// Elements of scratch that a pass works in. The results before they are turned, or the gradient, and the sums for
    /// the bias; or the weight in panels, and the gradients of weight and bias for each part of the rows.
    pub fn scratch(self) -> usize {
        if self.divides_rows() {
            self.panels() + PARTS * self.of_part()
        } else {
            self.batch * self.outputs + self.outputs
        }
    }

    /// Elements of scratch that a task works in.
    pub fn task_scratch<T>(self) -> usize {
        let gradient = if self.divides_rows() {
            SOME_ROWS * self.outputs
        } else {
            0
        };
        panel_len::<T>() + gradient
    }

    /// Elements of the weight in panels, in either direction.
    fn panels(self) -> usize {
        let wide = |columns: usize| columns.next_multiple_of(WIDEST);
        let forward = self.inputs * wide(self.outputs);
        forward.max(wide(self.inputs) * self.outputs)
    }

    /// Elements of the gradients of weight and bias.
    fn of_part(self) -> usize {
        (self.inputs + 1) * self.outputs
    }

    /// The sizes of the forward pass.
    fn forward_sizes(self) -> Sizes {
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
            let some = y.par_chunks_mut(SOME_ROWS * outputs);
            let some = some.zip(x.par_chunks(SOME_ROWS * inputs));
            return some
                .with_min_len(MIN_MACS.div_ceil(SOME_ROWS * inputs * outputs))
                .for_each(|(y, x)| packed.multiply(x, finish, y));
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

    /// The gradient of the weight from the input and the gradient of the output.
    pub(crate) fn weight_gradient<T: Real>(self, x: &[T], gradient: &[T], of_weight: &mut [T]) {
        let sizes = Sizes {
            rows: self.outputs,
            depth: self.batch,
            columns: self.inputs,
        };
        let (gradient, x) = (Matrix::by_column(gradient), Matrix::by_row(x));
        multiply(sizes, gradient, x, Finish::NONE, of_weight);
    }
}

/// Lanes of the widest vectors.
const WIDEST: usize = 16;

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

/// The gradients of a dense layer with many rows, some rows after the other: of the input, the weight and the bias.
pub(crate) struct RowsBackward<'a, T> {
    pub level: Level,
    pub pass: DensePass,
    pub x: &'a [T],
    /// Of the output.
    pub gradient: &'a [T],
    /// The output, where a relu let through what is positive.
    pub gate: Option<&'a [T]>,
}

impl<T: Real> RowsBackward<'_, T> {
    /// Writes the gradient of the input, where it is asked for, from the weight. Those of weight and bias come one after
    /// the other in what is returned, where they are asked for.
    pub fn run<'s>(
        &self,
        of_input: Option<(&[T], &mut [T])>,
        learns: bool,
        scratch: &'s mut [T],
    ) -> &'s [T] {
        let DensePass {
            batch,
            inputs,
            outputs,
        } = self.pass;
        let level = self.level;
        let (panels, sums) = scratch.split_at_mut(self.pass.panels());
        let sizes = Sizes {
            rows: batch,
            depth: outputs,
            columns: inputs,
        };
        let (packed, dx) = match of_input {
            Some((weight, dx)) => {
                let weight = Matrix::by_row(weight);
                (Some(Packed::new(level, sizes, weight, panels)), dx)
            }
            None => (None, Default::default()),
        };
        let rows = batch.div_ceil(PARTS);
        let each = self.pass.of_part();
        let mut dx = dx.chunks_mut(rows * inputs);
        let mut sums_of_parts = sums.chunks_mut(each);
        let mut parts: [_; PARTS] =
            std::array::from_fn(|_| (dx.next(), sums_of_parts.next().filter(|_| learns)));
        parts
            .par_iter_mut()
            .enumerate()
            .for_each(|(part, (dx, sums))| {
                let rows = part_of(batch, PARTS, part);
                self.part(
                    rows,
                    packed.as_ref(),
                    dx.as_deref_mut(),
                    sums.as_deref_mut(),
                );
            });
        if learns {
            add_parts(&mut sums[..PARTS * each], each);
        }
        &sums[..each]
    }

    /// A part of the rows.
    fn part(
        &self,
        rows: std::ops::Range<usize>,
        packed: Option<&Packed<'_, T>>,
        mut dx: Option<&mut [T]>,
        mut sums: Option<&mut [T]>,
    ) {
        let DensePass {
            inputs, outputs, ..
        } = self.pass;
        if let Some(sums) = &mut sums {
            sums.fill(T::zero());
        }
        T::with_scratch(self.pass.task_scratch::<T>(), |scratch| {
            let (panel, masked) = scratch.split_at_mut(panel_len::<T>());
            for first in rows.clone().step_by(SOME_ROWS) {
                let some = first..(first + SOME_ROWS).min(rows.end);
                let of_outputs = some.start * outputs..some.end * outputs;
                let mut gradient = &self.gradient[of_outputs.clone()];
                if let Some(gate) = self.gate {
                    let masked = &mut masked[..gradient.len()];
                    let_through(gradient, &gate[of_outputs], masked);
                    gradient = masked;
                }
                if let (Some(packed), Some(dx)) = (packed, &mut dx) {
                    let own = (some.start - rows.start) * inputs..(some.end - rows.start) * inputs;
                    packed.multiply(gradient, Finish::NONE, &mut dx[own]);
                }
                if let Some(sums) = &mut sums {
                    let (of_weight, of_bias) = sums.split_at_mut(inputs * outputs);
                    let x = &self.x[some.start * inputs..some.end * inputs];
                    add_columns(gradient, of_bias);
                    self.add_to_weight(x, gradient, panel, of_weight);
                }
            }
        });
    }

    /// Adds the gradient of the weight for some rows.
    fn add_to_weight(&self, x: &[T], gradient: &[T], panel: &mut [T], of_weight: &mut [T]) {
        let DensePass {
            inputs, outputs, ..
        } = self.pass;
        let level = self.level;
        let sizes = Sizes {
            rows: outputs,
            depth: x.len() / inputs,
            columns: inputs,
        };
        let blocks = Blocks::new::<T>(level, sizes);
        for block in (0..blocks.count()).map(|index| blocks.get(index)) {
            let panel = &mut panel[..sizes.depth * block.vectors * T::width(level)];
            copy_panel(level, sizes, Matrix::by_row(x), 0, block, panel);
            let tile = ProductTile {
                left: gradient,
                left_first: 0,
                left_row: 1,
                left_step: outputs,
                rows: outputs,
                depth: sizes.depth,
                panel,
                vectors: block.vectors,
                lanes: block.lanes,
                bias: None,
                relu: false,
                result: SharedOutput::new(of_weight),
                start: block.first,
                result_row: inputs,
                adds: true,
            };
            T::run_kernel(level, tile);
        }
    }
}

vectorized! {
    /// The gradient where the output is positive, 0 elsewhere.
    fn let_through<T: Real>(gradient: &[T], output: &[T], to: &mut [T]) {
        for ((to, &gradient), &output) in to.iter_mut().zip(gradient).zip(output) {
            *to = if output > T::zero() { gradient } else { T::zero() };
        }
    }
}

/// `result[row, lane] = Σ left[row, depth]·panel[depth, lane]` for the lanes of one block; or that is added.
struct ProductTile<'a, T> {
    left: &'a [T],
    /// The first element that is read.
    left_first: usize,
    /// To the next row.
    left_row: usize,
    /// To the next element of a row, of which `depth` are read.
    left_step: usize,
    rows: usize,
    depth: usize,
    /// `depth` rows of `vectors·WIDTH` elements.
    panel: &'a [T],
    vectors: usize,
    /// Lanes of the block that are stored.
    lanes: usize,
    /// One value per lane.
    bias: Option<&'a [T]>,
    /// Whether negative results become 0.
    relu: bool,
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
        let last = |count: usize, step: usize| count.saturating_sub(1).saturating_mul(step);
        let end = |start: usize, row: usize, len: usize| {
            last(self.rows, row)
                .saturating_add(start)
                .saturating_add(len)
        };
        let read = last(self.depth, self.left_step).saturating_add(1);
        let mut widths = tiles(L::MANY_REGISTERS).iter().map(|(width, _)| *width);
        widths.any(|width| width == self.vectors)
            && wide - L::WIDTH < self.lanes
            && self.lanes <= wide
            && self.rows > 0
            && (self.depth == 0 || end(self.left_first, self.left_row, read) <= self.left.len())
            && self.depth.saturating_mul(wide) <= self.panel.len()
            && self.bias.is_none_or(|bias| bias.len() >= self.lanes)
            && end(self.start, self.result_row, self.lanes) <= self.result.len()
    }

    #[inline(always)]
    fn all<L: Lanes<T>, const P: usize, const V: usize>(&self, lanes: L) {
        let bias = self.bias_vectors::<L, V>(lanes);
        let mut first = 0;
        while first < self.rows {
            let mut rows = [0; P];
            for p in 0..P {
                // After the end the last row again: it is computed and stored twice.
                rows[p] = (first + p).min(self.rows - 1);
            }
            self.tile::<L, P, V>(lanes, rows, bias);
            first += P;
        }
    }

    #[inline(always)]
    fn bias_vectors<L: Lanes<T>, const V: usize>(&self, lanes: L) -> [L::Vector; V] {
        let mut bias = [lanes.splat(T::zero()); V];
        if let Some(numbers) = self.bias {
            for (v, bias) in bias.iter_mut().enumerate() {
                let count = L::WIDTH.min(self.lanes - v * L::WIDTH);
                // SAFETY: `run` asserted `fits`: the bias has `lanes` elements, more than `v·WIDTH`, and `count` of
                // them follow.
                *bias = unsafe { lanes.load_some(numbers.as_ptr().add(v * L::WIDTH), count) };
            }
        }
        bias
    }

    #[inline(always)]
    fn tile<L: Lanes<T>, const P: usize, const V: usize>(
        &self,
        lanes: L,
        rows: [usize; P],
        bias: [L::Vector; V],
    ) {
        let mut sums = [[lanes.splat(T::zero()); V]; P];
        if self.adds {
            // All rows are read before any is written, so that one that is there twice is added to once.
            for p in 0..P {
                self.each_vector::<L, V>(rows[p], |v, at, count| {
                    // SAFETY: `each_vector` says that `count` elements follow.
                    sums[p][v] = unsafe {
                        match count == L::WIDTH {
                            true => lanes.load(at),
                            false => lanes.load_some(at, count),
                        }
                    };
                });
            }
        }
        let left = self.left.as_ptr().wrapping_add(self.left_first);
        let left = rows.map(|row| left.wrapping_add(row * self.left_row));
        let (mut panel, mut at) = (self.panel.as_ptr(), 0);
        for _ in 0..self.depth {
            // SAFETY: `run` asserted `fits`: every row of the left matrix has `depth` elements `left_step` apart, the
            // panel `depth` rows of V·WIDTH. V is `vectors`.
            unsafe {
                let mut right = [sums[0][0]; V];
                for v in 0..V {
                    right[v] = lanes.load(panel.add(v * L::WIDTH));
                }
                panel = panel.add(V * L::WIDTH);
                for p in 0..P {
                    let x = lanes.splat(*left[p].add(at));
                    for v in 0..V {
                        sums[p][v] = lanes.multiply_add(x, right[v], sums[p][v]);
                    }
                }
            }
            at += self.left_step;
        }
        if self.bias.is_some() {
            for p in 0..P {
                for v in 0..V {
                    sums[p][v] = lanes.add(sums[p][v], bias[v]);
                }
            }
        }
        if self.relu {
            let zero = lanes.splat(T::zero());
            for p in 0..P {
                for v in 0..V {
                    sums[p][v] = lanes.not_below(sums[p][v], zero);
                }
            }
        }
        for p in 0..P {
            self.each_vector::<L, V>(rows[p], |v, at, count| {
                // SAFETY: `each_vector` says that `count` elements follow. The handle is this tile's, and who shares
                // one promises that no other writes these elements.
                unsafe {
                    match count == L::WIDTH {
                        true => lanes.store(at, sums[p][v]),
                        false => lanes.store_some(at, sums[p][v], count),
                    }
                };
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
        // `run` asserted `fits`: `lanes` elements of every row lie in the slice, and more than (V − 1)·WIDTH.
        for v in 0..V - 1 {
            f(v, at.wrapping_add(v * L::WIDTH), L::WIDTH);
        }
        let last = (V - 1) * L::WIDTH;
        f(V - 1, at.wrapping_add(last), self.lanes - last);
    }
}

impl<T: Real> Kernel<T> for ProductTile<'_, T> {
    #[inline(always)]
    fn run<L: Lanes<T>>(self, lanes: L) {
        assert!(self.fits::<L>(), "a product outside its arrays");
        // As many vectors as `TILES` lists: 1 in the arm that names no number.
        match (L::MANY_REGISTERS, self.vectors) {
            (true, 4) => self.all::<L, 6, 4>(lanes),
            (true, 3) => self.all::<L, 8, 3>(lanes),
            (true, 2) => self.all::<L, 12, 2>(lanes),
            (false, 3) => self.all::<L, 4, 3>(lanes),
            (false, 2) => self.all::<L, 6, 2>(lanes),
            _ => self.all::<L, 12, 1>(lanes),
        }
    }
}

#[cfg(test)]
mod tests;
