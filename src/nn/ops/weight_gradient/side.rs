//! A side of the product that a weight gradient is: images in place, or laid out with a margin.

use crate::ops::conv_input::ConvInput;
use crate::ops::real::Real;
use crate::ops::sliding::Margin;
use std::ops::Range;

/// A side of the product.
pub(super) struct Side<'a, T> {
    pub in_place: Option<&'a [T]>,
    pub input: ConvInput<'a, T>,
    pub margin: Margin,
    pub channels: usize,
}

impl<T: Real> Side<'_, T> {
    /// Images in place, or with some rows of each written into scratch with their margin.
    pub fn read<'a>(
        &'a self,
        images: Range<usize>,
        rows: Range<usize>,
        scratch: &'a mut [T],
    ) -> &'a [T] {
        let image = self.margin.padded_cells() * self.channels;
        match self.in_place {
            Some(numbers) => &numbers[images.start * image..images.end * image],
            None => {
                self.input
                    .write_rows(images, &self.margin, self.channels, rows, scratch);
                scratch
            }
        }
    }
}
