//! Separable convolution: depthwise, then pointwise.

use super::conv::{Conv, Parts, Sizes};
use super::{Buffer, Layer, Result};
use crate::fusion_rules::Follower;
use crate::network::{Builder, Context};
use crate::ops::with_real;
use candle_core::Tensor;
use strata_core::project::size::Shape;
use strata_core::shape::op::{Geometry, Op, PlannedLayer};

/// Depthwise convolution without bias, then 1×1 with one (Keras `SeparableConv2D`).
pub(crate) struct Separable {
    depthwise: Conv,
    pointwise: Conv,
}

impl Separable {
    pub(crate) fn new(planned: &PlannedLayer, builder: &mut Builder<'_>) -> Result<Separable> {
        let Op::SeparableConv {
            in_channels,
            out_channels,
            bias,
            geometry,
        } = &planned.op
        else {
            return Err(crate::NnError::Unsupported(
                "another layer as a separable convolution".into(),
            ));
        };
        let mut dims = planned.output.dims().to_vec();
        dims[0] = *in_channels;
        let middle = Shape::new(&dims).unwrap_or_else(|| planned.output.clone());
        let c = *in_channels;
        let depthwise = Sizes {
            geometry,
            large: c,
            small: c,
            groups: c,
            bias: false,
            transposed: false,
        };
        let point = Geometry::pointwise(geometry.output);
        let pointwise = Sizes {
            geometry: &point,
            large: c,
            small: *out_channels,
            groups: 1,
            bias: *bias,
            transposed: false,
        };
        let key = |part: &str| format!("{}.{part}", planned.key);
        Ok(Separable {
            depthwise: Conv::with_sizes(
                &key("depthwise"),
                depthwise,
                &planned.input,
                &middle,
                builder,
            )?,
            pointwise: Conv::with_sizes(
                &key("pointwise"),
                pointwise,
                &middle,
                &planned.output,
                builder,
            )?,
        })
    }

    fn parts(&mut self) -> Parts<'_> {
        Parts {
            depthwise: &mut self.depthwise,
            pointwise: &mut self.pointwise,
        }
    }
}

impl Layer for Separable {
    fn buffers(&mut self) -> Option<(&mut Buffer, &mut Buffer)> {
        let (_, dx) = self.depthwise.buffers()?;
        let (y, _) = self.pointwise.buffers()?;
        Some((y, dx))
    }

    fn forward(&mut self, x: &Tensor, cx: &mut Context<'_>) -> Result<Tensor> {
        let parts = self.parts();
        if !cx.uses_candle(x) && parts.are_by_image(x.dims()[0]) {
            return with_real!(x, T => parts.forward::<T>(x, cx));
        }
        let middle = self.depthwise.forward(x, cx)?;
        self.pointwise.forward(&middle, cx)
    }

    fn backward(
        &mut self,
        gradient: &Tensor,
        need_input: bool,
        cx: &mut Context<'_>,
    ) -> Result<Option<Tensor>> {
        let parts = self.parts();
        if !cx.uses_candle(gradient) && parts.were_by_image() {
            return with_real!(gradient, T => parts.backward::<T>(gradient, need_input, cx));
        }
        let need_middle = need_input || cx.trains(self.depthwise.weight());
        match self.pointwise.backward(gradient, need_middle, cx)? {
            Some(middle) => self.depthwise.backward(&middle, need_input, cx),
            None => Ok(None),
        }
    }

    fn parameters(&self) -> Vec<usize> {
        [self.depthwise.parameters(), self.pointwise.parameters()].concat()
    }

    fn absorb(&mut self, next: Follower<'_>) {
        self.pointwise.absorb(next);
    }

    fn set_fused(&mut self, fused: bool) {
        self.pointwise.set_fused(fused);
    }
}

#[cfg(test)]
mod tests {
    use crate::{Mode, Network, Route};
    use candle_core::{DType, Device, Tensor};
    use strata_core::project::Network as Stacks;
    use strata_core::project::node::Node;

    fn network(layers: &[&str], dtype: DType) -> Network {
        let stacks = Stacks {
            input: "18x12x11".parse().unwrap(),
            encoder: layers.iter().map(|layer| Node::from_text(layer)).collect(),
            decoder: vec![],
            head: vec![Node::from_text("gap"), Node::from_text("dense 3")],
        };
        let plan = strata_core::shape::infer(&stacks).plan.unwrap();
        Network::with_dtype(&plan, 1, &Device::Cpu, dtype).unwrap()
    }

    /// The output, the gradient of the input, and those of all parameters, for so many images.
    fn passes(network: &mut Network, images: usize, dtype: DType) -> Vec<Vec<f64>> {
        let of = |i: usize| ((i * 7919) % 2003) as f64 / 1001.5 - 1.0;
        let numbers: Vec<f64> = (0..images * 12 * 11 * 18).map(of).collect();
        let batch = Tensor::from_vec(numbers, (images, 12, 11, 18), &Device::Cpu).unwrap();
        let batch = batch.to_dtype(dtype).unwrap();
        let mode = Mode::Train { seed: 0, step: 0 };
        let output = network.forward(Route::Classify, &batch, mode).unwrap();
        let gradient: Vec<f64> = (0..images * 3).map(of).collect();
        let gradient = Tensor::from_vec(gradient, (images, 3), &Device::Cpu).unwrap();
        let gradient = gradient.to_dtype(dtype).unwrap();
        let dx = network.backward_to_input(&gradient).unwrap();
        let numbers = |tensor: &Tensor| {
            let wide = tensor.to_dtype(DType::F64).unwrap();
            wide.flatten_all().unwrap().to_vec1().unwrap()
        };
        let parameters = network.parameters().iter();
        let gradients = parameters.map(|parameter| numbers(&parameter.gradient));
        [numbers(&output), numbers(&dx)]
            .into_iter()
            .chain(gradients)
            .collect()
    }

    #[test]
    fn image_by_image_gives_the_results_of_both_parts_one_after_the_other() {
        for layers in [
            ["sepconv 21 k3 p1", "relu"],
            ["sepconv 32 k3 s1 p1 nobias", "tanh"],
            ["sepconv 21 k3 p0", "tanh"],
            ["sepconv 16 k5 s2 p6", "relu"],
        ] {
            for (dtype, tolerance) in [(DType::F32, 2e-5), (DType::F64, 1e-12)] {
                let [ours, candles] = [false, true].map(|candle_only| {
                    let mut network = network(&layers, dtype);
                    network.set_candle_only(candle_only);
                    passes(&mut network, 10, dtype)
                });
                for (index, (ours, candles)) in ours.iter().zip(&candles).enumerate() {
                    assert_eq!(ours.len(), candles.len());
                    let size = candles.iter().fold(1e-9f64, |size, x| size.max(x.abs()));
                    for (a, b) in ours.iter().zip(candles) {
                        let off = (a - b).abs() / size;
                        assert!(off < tolerance, "{layers:?} {dtype:?} {index}: {a} {b}");
                    }
                }
            }
        }
    }

    #[test]
    fn image_by_image_gives_the_same_bits_on_any_number_of_threads() {
        let of_threads = |threads: usize| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads);
            let mut network = network(&["sepconv 21 k3 p1", "relu"], DType::F32);
            let pool = pool.build().unwrap();
            pool.install(|| passes(&mut network, 19, DType::F32))
        };
        let one = of_threads(1);
        for threads in [2, 3, 8] {
            assert_eq!(one, of_threads(threads), "{threads} threads");
        }
    }

    /// A last batch with fewer images is computed in another way; each backward pass is that of its forward pass.
    #[test]
    fn batches_of_either_kind_follow_each_other() {
        let mut network = network(&["sepconv 21 k3 p1", "relu"], DType::F32);
        let first = passes(&mut network, 10, DType::F32);
        let few = passes(&mut network, 3, DType::F32);
        assert_eq!(first, passes(&mut network, 10, DType::F32));
        assert_eq!(few, passes(&mut network, 3, DType::F32));
    }
}
