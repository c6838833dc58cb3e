//! A dense layer on an image, or with an image as its output, without moving a number of it.
//!
//! PyTorch's order of a flattened image is C, H, W; ours has the channels last. Where a flatten comes before
//! a dense layer or a reshape after it, the layer's weight is put in the other order instead of the batch.

use super::Result;
use crate::ops::real::Real;
use crate::ops::storage::{Buffer, fill, view};
use candle_core::Tensor;
use rayon::prelude::*;
use strata_core::project::size::Shape;

/// Rows of a weight that are worth a task.
const ROWS: usize = 16;

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
    /// By place in memory, the place in C, H, W order.
    order: Vec<u32>,
}

impl View {
    pub fn new(shape: &Shape) -> View {
        let (channels, cells) = (shape.channels(), shape.spatial().iter().product::<usize>());
        let order = (0..channels * cells)
            .map(|i| (i % channels * cells + i / channels) as u32)
            .collect();
        View {
            shape: shape.clone(),
            order,
        }
    }

    /// The place in memory of a number in C, H, W order.
    fn place(&self, ordered: usize) -> usize {
        let channels = self.shape.channels();
        let cells = self.order.len() / channels;
        ordered % cells * channels + ordered / cells
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

    fn order_of<'a>(view: &'a Option<View>, seen: bool) -> impl Fn(usize) -> usize + use<'a> {
        let order = view
            .as_ref()
            .filter(|_| seen)
            .map(|view| view.order.as_slice());
        move |place| order.map_or(place, |order| order[place] as usize)
    }

    /// The weight (`outputs × inputs`) in the order of the images; put in order again only when weights have changed.
    pub fn weight<T: Real>(&mut self, weight: &Tensor, version: u64) -> Result<Tensor> {
        if self.sees == (false, false) {
            return Ok(weight.clone());
        }
        let (inputs, ordered) = (weight.dims()[1], self.weight.get(weight.dims(), weight)?);
        if self.version == Some(version) {
            return Ok(ordered);
        }
        let (row_of, column_of) = (
            FlattenViews::order_of(&self.output, self.sees.1),
            FlattenViews::order_of(&self.input, self.sees.0),
        );
        let numbers = view::<T>(weight)?;
        fill::<T>(&ordered, |ordered| {
            ordered
                .par_chunks_mut(inputs)
                .enumerate()
                .with_min_len(ROWS)
                .for_each(|(row, ordered)| {
                    let from = &numbers[row_of(row) * inputs..][..inputs];
                    for (column, ordered) in ordered.iter_mut().enumerate() {
                        *ordered = from[column_of(column)];
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
        if self.sees == (false, false) {
            return fill::<T>(gradient, write);
        }
        let (inputs, ordered) = (
            gradient.dims()[1],
            self.weight.get(gradient.dims(), gradient)?,
        );
        let output = self.output.as_ref().filter(|_| self.sees.1);
        let column_of = FlattenViews::order_of(&self.input, self.sees.0);
        fill::<T>(&ordered, write)?;
        self.version = None;
        let numbers = view::<T>(&ordered)?;
        fill::<T>(gradient, |gradient| {
            let rows = gradient.par_chunks_exact_mut(inputs).enumerate();
            rows.with_min_len(ROWS).for_each(|(row, gradient)| {
                let place = output.map_or(row, |view| view.place(row));
                let from = &numbers[place * inputs..][..inputs];
                for (column, &number) in from.iter().enumerate() {
                    gradient[column_of(column)] = number;
                }
            });
        })
    }

    /// The bias in the order of the image that goes out.
    pub fn bias<T: Real>(&mut self, bias: &Tensor) -> Result<Tensor> {
        if !self.sees.1 {
            return Ok(bias.clone());
        }
        let (ordered, order) = (
            self.bias.get(bias.dims(), bias)?,
            FlattenViews::order_of(&self.output, true),
        );
        let numbers = view::<T>(bias)?;
        fill::<T>(&ordered, |to| {
            to.iter_mut()
                .enumerate()
                .for_each(|(place, to)| *to = numbers[order(place)])
        })?;
        Ok(ordered)
    }

    /// Writes the gradient of the bias, given in the order of the image that goes out.
    pub(crate) fn bias_gradient<T: Real>(&self, gradient: &Tensor, numbers: &[T]) -> Result<()> {
        let order = FlattenViews::order_of(&self.output, self.sees.1);
        fill::<T>(gradient, |gradient| {
            for place in 0..gradient.len() {
                gradient[order(place)] = numbers[place];
            }
        })
    }
}
