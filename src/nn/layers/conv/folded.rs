//! A convolution whose forward pass and weight gradient are those of a convolution of blocks.

use super::Packed;
use crate::layers::{Buffer, Result};
use crate::network::Context;
use crate::ops::convolution::Convolution;
use crate::ops::folding::Folding;
use crate::ops::real::Real;
use crate::ops::simd::Vectors;
use crate::ops::storage::{fill, view};
use candle_core::Tensor;
use strata_core::shape::op::Geometry;

/// The convolution of blocks, and the images as blocks.
pub(super) struct Folded {
    folding: Folding,
    pub convolution: Convolution,
    blocks: Buffer,
}

impl Folded {
    /// That of a convolution, where it takes less time.
    pub fn of<T: Vectors>(
        geometry: &Geometry,
        large: usize,
        small: usize,
        groups: usize,
    ) -> Option<Folded> {
        let folding = Folding::chosen(geometry, large, small, groups).filter(|_| T::USES_POINTS)?;
        Some(Folded {
            folding,
            convolution: Convolution::new::<T>(&folding.folded, folding.channels(), small, 1),
            blocks: Buffer::default(),
        })
    }

    /// Images as blocks, which are kept for the gradient of the weight.
    pub fn fold<T: Real>(&mut self, x: &Tensor) -> Result<Tensor> {
        let batch = x.dims()[0];
        let blocks = self.blocks.get(&[batch, self.folding.image()], x)?;
        let images = view::<T>(x)?;
        fill::<T>(&blocks, |blocks| self.folding.fold(&images, blocks))?;
        Ok(blocks)
    }

    /// What [`Folded::fold`] gave last.
    pub fn blocks(&self) -> Result<Tensor> {
        self.blocks.latest()
    }

    /// The weight packed for the forward pass; packed again only when weights have changed.
    pub fn pack<T: Real>(
        &self,
        weight: usize,
        packed: &mut Packed,
        cx: &Context<'_>,
    ) -> Result<Tensor> {
        let value = &cx.parameters[weight].value;
        let len = self.convolution.packed_len(true);
        let buffer = packed.buffer.get(&[len], value)?;
        if packed.version != Some(cx.version) {
            let value = view::<T>(value)?;
            T::with_scratch(self.weight_len(), |folded| {
                self.folding.fold_weight(&value, folded);
                fill::<T>(&buffer, |buffer| {
                    self.convolution.pack(true, folded, buffer)
                })
            })?;
            packed.version = Some(cx.version);
        }
        Ok(buffer)
    }

    /// The gradient of the packed weight to PyTorch's layout.
    pub fn unpack<T: Real>(&self, sums: &[T], gradient: &mut [T]) {
        T::with_scratch(self.weight_len(), |folded| {
            self.convolution.unpack(sums, folded);
            self.folding.unfold_weight(folded, gradient);
        });
    }

    fn weight_len(&self) -> usize {
        self.folding.weight(self.convolution.sizes.small)
    }
}
