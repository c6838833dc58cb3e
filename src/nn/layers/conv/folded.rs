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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Mode, Network, Route};
    use candle_core::{DType, Device};
    use strata_core::project::Network as Stacks;
    use strata_core::project::node::Node;

    fn numbers(tensor: &Tensor) -> Vec<f32> {
        tensor.flatten_all().unwrap().to_vec1().unwrap()
    }

    /// Outputs, the gradient of the input, and those of all parameters.
    fn passes(layers: &[&str], candle_only: bool) -> Vec<Vec<f32>> {
        let stacks = Stacks {
            input: "3x80x72".parse().unwrap(),
            encoder: layers.iter().map(|layer| Node::from_text(layer)).collect(),
            decoder: vec![],
            head: vec![Node::from_text("gap"), Node::from_text("dense 3")],
        };
        let plan = strata_core::shape::infer(&stacks).plan.unwrap();
        let mut network = Network::new(&plan, 1, &Device::Cpu).unwrap();
        network.set_candle_only(candle_only);
        let of = |i: usize| ((i * 7919) % 2003) as f32 / 1001.5 - 1.0;
        let images: Vec<f32> = (0..3 * 80 * 72 * 3).map(of).collect();
        let images = Tensor::from_vec(images, (3, 80, 72, 3), &Device::Cpu).unwrap();
        let mode = Mode::Train { seed: 0, step: 0 };
        let output = network.forward(Route::Classify, &images, mode).unwrap();
        let gradient = Tensor::ones(output.dims(), DType::F32, &Device::Cpu).unwrap();
        let dx = network.backward_to_input(&gradient).unwrap();
        let mut all = vec![numbers(&output), numbers(&dx)];
        let parameters = network.parameters().iter();
        all.extend(parameters.map(|parameter| numbers(&parameter.gradient)));
        all
    }

    #[test]
    fn a_folded_window_gives_the_results_of_one_that_is_not() {
        let geometry = Geometry {
            input: [1, 80, 72],
            output: [1, 20, 18],
            kernel: [1, 11, 11],
            stride: [1, 4, 4],
            dilation: [1; 3],
            pad: [0, 5, 5],
        };
        assert!(Folded::of::<f32>(&geometry, 3, 64, 1).is_some());
        assert!(Folded::of::<f64>(&geometry, 3, 64, 1).is_none());
        for layers in [
            &["conv 64 k11 s4 p5", "tanh"][..],
            &["conv 64 k11 s4 p5", "relu", "maxpool 2"],
            &["conv 3 k1", "conv 64 k11 s4 p5 nobias", "relu"],
        ] {
            let (ours, candles) = (passes(layers, false), passes(layers, true));
            for (index, (ours, candles)) in ours.iter().zip(&candles).enumerate() {
                assert_eq!(ours.len(), candles.len());
                let size = candles.iter().fold(1e-9f32, |size, x| size.max(x.abs()));
                for (a, b) in ours.iter().zip(candles) {
                    assert!((a - b).abs() <= 2e-5 * size, "{layers:?} {index}: {a} {b}");
                }
            }
        }
    }
}
