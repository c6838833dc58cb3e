//! The gradients of products with many rows: some rows at a time go through all of them.

use super::tile::ProductTile;
use super::{Blocks, DensePass, Matrix, Packed, SOME_ROWS, Sizes, copy_panel, panel_len};
use crate::ops::blocking::PARTS;
use crate::ops::conv_input::let_through;
use crate::ops::convolution::Finish;
use crate::ops::real::Real;
use crate::ops::reduce::{add_columns, add_parts, part_of};
use crate::ops::shared_output::SharedOutput;
use crate::ops::simd::Level;
use crate::ops::team::each_chunk;
use crate::ops::turn::turn;

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
        each_chunk([&mut parts[..]], 1, |place, [parts]| {
            for (part, (dx, sums)) in place.zip(parts) {
                let rows = part_of(batch, PARTS, part);
                self.part(
                    rows,
                    packed.as_ref(),
                    dx.as_deref_mut(),
                    sums.as_deref_mut(),
                );
            }
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
        dx: Option<&mut [T]>,
        mut sums: Option<&mut [T]>,
    ) {
        if let Some(sums) = &mut sums {
            sums.fill(T::zero());
        }
        T::with_scratch(self.pass.task_scratch::<T>(), |scratch| {
            self.add_rows(rows, packed, dx, sums, scratch)
        });
    }

    /// The same added to `sums`, with [`DensePass::task_scratch`] elements to work in.
    pub(super) fn add_rows(
        &self,
        rows: std::ops::Range<usize>,
        packed: Option<&Packed<'_, T>>,
        mut dx: Option<&mut [T]>,
        mut sums: Option<&mut [T]>,
        scratch: &mut [T],
    ) {
        let DensePass {
            inputs, outputs, ..
        } = self.pass;
        let (panel, gradients) = scratch.split_at_mut(panel_len::<T>());
        let (masked, turned) = gradients.split_at_mut(SOME_ROWS * outputs);
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
                self.add_to_weight(x, gradient, [panel, turned], of_weight);
            }
        }
    }

    /// Adds the gradient of the weight for some rows. Their gradients are turned first: read by columns, numbers far
    /// apart would push each other out of the nearest cache.
    fn add_to_weight(
        &self,
        x: &[T],
        gradient: &[T],
        [panel, turned]: [&mut [T]; 2],
        of_weight: &mut [T],
    ) {
        let DensePass {
            inputs, outputs, ..
        } = self.pass;
        let level = self.level;
        let sizes = Sizes {
            rows: outputs,
            depth: x.len() / inputs,
            columns: inputs,
        };
        let rows = sizes.depth;
        turn(
            level,
            [rows, outputs],
            (gradient, outputs),
            (&mut *turned, rows),
        );
        let blocks = Blocks::new::<T>(level, sizes);
        for block in (0..blocks.count()).map(|index| blocks.get(index)) {
            let panel = &mut panel[..sizes.depth * block.vectors * T::width(level)];
            copy_panel(level, sizes, Matrix::by_row(x), 0, block, panel);
            let tile = ProductTile {
                left: turned,
                left_first: 0,
                left_row: rows,
                left_step: 1,
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
