//! A dense layer on an image, or with an image as its output, without moving a number of it.
//!
//! PyTorch's order of a flattened image is C, H, W; ours has the channels last. Where a flatten comes before
//! a dense layer or a reshape after it, the layer's weight is put in the other order instead of the batch. An image of
//! one channel or one position has the same order either way.

use super::Result;
use crate::fusion_rules::reorders;
use crate::ops::real::Real;
use crate::ops::simd::Level;
use crate::ops::storage::{Buffer, fill, view};
use crate::ops::team::each_chunk;
use crate::ops::turn::turn;
use candle_core::Tensor;
use strata_core::project::size::Shape;

/// Numbers of a weight that are worth a task.
const TASK: usize = 1 << 14;

/// The images around a dense layer.
#[derive(Default)]
pub(super) struct FlattenViews {
    /// What a flatten before the layer flattens.
    pub input: Option<View>,
    /// What a reshape after the layer makes.
    pub output: Option<View>,
    /// Whether the latest pass saw the images themselves.
    sees: (bool, bool),
    /// The version of the weights that `weight` holds, in the order of the images.
    version: Option<u64>,
    weight: Buffer,
    bias: Buffer,
}

/// An image as a vector.
pub(super) struct View {
    pub shape: Shape,
    channels: usize,
    cells: usize,
}

impl View {
    pub fn new(shape: &Shape) -> View {
        View {
            shape: shape.clone(),
            channels: shape.channels(),
            cells: shape.spatial().iter().product(),
        }
    }

    /// Whether the order in memory is another than C, H, W.
    fn reorders(&self) -> bool {
        reorders(&self.shape)
    }

    /// The place in C, H, W order of a number in memory.
    fn ordered(&self, place: usize) -> usize {
        place % self.channels * self.cells + place / self.channels
    }

    /// The place in memory of a number in C, H, W order.
    fn place(&self, ordered: usize) -> usize {
        ordered % self.cells * self.channels + ordered / self.cells
    }
}

impl FlattenViews {
    /// Chooses what the next pass sees; true when that is something else than before.
    pub fn select(&mut self, input: bool, output: bool) -> bool {
        let sees = (
            input && self.input.is_some(),
            output && self.output.is_some(),
        );
        let changes = sees != self.sees;
        if changes {
            self.version = None;
        }
        self.sees = sees;
        changes
    }

    /// The image that comes in, if the pass sees it.
    pub(crate) fn seen_input(&self) -> Option<&View> {
        self.input.as_ref().filter(|_| self.sees.0)
    }

    /// The image that goes out, if the pass sees it.
    pub(crate) fn seen_output(&self) -> Option<&View> {
        self.output.as_ref().filter(|_| self.sees.1)
    }

    /// The image that comes in, if the pass sees it and it has another order than the vector.
    fn reordered_input(&self) -> Option<&View> {
        self.seen_input().filter(|view| view.reorders())
    }

    /// The image that goes out, in the same way.
    fn reordered_output(&self) -> Option<&View> {
        self.seen_output().filter(|view| view.reorders())
    }

    fn reorders(&self) -> bool {
        self.reordered_input().is_some() || self.reordered_output().is_some()
    }

    /// The weight (`outputs × inputs`) in the order of the images; put in order again only when weights have changed.
    pub fn weight<T: Real>(&mut self, weight: &Tensor, version: u64) -> Result<Tensor> {
        if !self.reorders() {
            return Ok(weight.clone());
        }
        let (inputs, ordered) = (weight.dims()[1], self.weight.get(weight.dims(), weight)?);
        if self.version == Some(version) {
            return Ok(ordered);
        }
        let (input, output) = (self.reordered_input(), self.reordered_output());
        let numbers = view::<T>(weight)?;
        fill::<T>(&ordered, |ordered| {
            each_row(inputs, ordered, |row, ordered| {
                let row = output.map_or(row, |view| view.ordered(row));
                let from = &numbers[row * inputs..][..inputs];
                match input {
                    Some(&View {
                        channels, cells, ..
                    }) => {
                        exchange([channels, cells], from, ordered);
                    }
                    None => ordered.copy_from_slice(from),
                }
            });
        })?;
        self.version = Some(version);
        Ok(ordered)
    }

    /// Lets `write` fill the gradient of the weight in the order of the images, and puts it into PyTorch's.
    pub fn weight_gradient<T: Real>(
        &mut self,
        gradient: &Tensor,
        write: impl FnOnce(&mut [T]),
    ) -> Result<()> {
        if !self.reorders() {
            return fill::<T>(gradient, write);
        }
        let (inputs, ordered) = (
            gradient.dims()[1],
            self.weight.get(gradient.dims(), gradient)?,
        );
        fill::<T>(&ordered, write)?;
        self.version = None;
        let (input, output) = (self.reordered_input(), self.reordered_output());
        let numbers = view::<T>(&ordered)?;
        fill::<T>(gradient, |gradient| {
            each_row(inputs, gradient, |row, gradient| {
                let place = output.map_or(row, |view| view.place(row));
                let from = &numbers[place * inputs..][..inputs];
                match input {
                    Some(&View {
                        channels, cells, ..
                    }) => {
                        exchange([cells, channels], from, gradient);
                    }
                    None => gradient.copy_from_slice(from),
                }
            });
        })
    }

    /// The bias in the order of the image that goes out.
    pub fn bias<T: Real>(&mut self, bias: &Tensor) -> Result<Tensor> {
        let Some(view_of_output) = self.output.as_ref().filter(|_| self.sees.1) else {
            return Ok(bias.clone());
        };
        let ordered = self.bias.get(bias.dims(), bias)?;
        let numbers = view::<T>(bias)?;
        fill::<T>(&ordered, |to| {
            to.iter_mut()
                .enumerate()
                .for_each(|(place, to)| *to = numbers[view_of_output.ordered(place)])
        })?;
        Ok(ordered)
    }

    /// Writes the gradient of the bias, given in the order of the image that goes out, perhaps with more behind it.
    pub(crate) fn bias_gradient<T: Real>(&self, gradient: &Tensor, numbers: &[T]) -> Result<()> {
        let output = self.seen_output();
        fill::<T>(gradient, |gradient| {
            let own = &numbers[..gradient.len()];
            for (place, &number) in own.iter().enumerate() {
                gradient[output.map_or(place, |view| view.ordered(place))] = number;
            }
        })
    }
}

/// Calls `f` with every row of a weight and its number.
fn each_row<T: Real>(columns: usize, weight: &mut [T], f: impl Fn(usize, &mut [T]) + Sync) {
    let rows = TASK.div_ceil(columns.max(1));
    each_chunk([weight], rows * columns, |place, [some]| {
        for (row, numbers) in some.chunks_exact_mut(columns).enumerate() {
            f(place.start / columns + row, numbers);
        }
    });
}

/// Writes rows × columns as columns × rows.
fn exchange<T: Real>([rows, columns]: [usize; 2], from: &[T], to: &mut [T]) {
    turn(
        Level::chosen(),
        [rows, columns],
        (from, columns),
        (to, rows),
    );
}
