//! A convolution with a window of one position, as every dense layer is on images of one position: products of
//! matrices, with the weight as it is stored.

use super::Conv;
use crate::layers::layout_views::FlattenViews;
use crate::layers::{Buffer, Result, channels_last, kept};
use crate::network::Context;
use crate::ops::conv_input::ConvInput;
use crate::ops::convolution::Finish;
use crate::ops::packed::WeightSizes;
use crate::ops::product::{DensePass, RowsBackward, is_product};
use crate::ops::real::Real;
use crate::ops::reduce::column_sums;
use crate::ops::simd::Level;
use crate::ops::storage::{fill, fill_both, view};
use candle_core::Tensor;
use strata_core::project::size::Shape;

impl Conv {
    /// Whether the passes are products: not where a pooling is part of them, whose windows cross positions.
    pub(super) fn is_product(&self) -> bool {
        let pools = self.epilogue.active && self.epilogue.pool.is_some();
        let WeightSizes {
            large,
            small,
            groups,
            ..
        } = self.convolution.sizes;
        !pools && !self.transposed && is_product(&self.geometry, large, small, groups)
    }

    fn dense_pass(&self, batch: usize) -> DensePass {
        DensePass {
            batch: batch * self.geometry.output.iter().product::<usize>(),
            inputs: self.convolution.sizes.large,
            outputs: self.convolution.sizes.small,
        }
    }

    pub(super) fn forward_product<T: Real>(
        &mut self,
        x: &Tensor,
        cx: &mut Context<'_>,
    ) -> Result<Tensor> {
        self.views.select(x.rank() > 2, self.epilogue.active);
        let batch = x.dims()[0];
        let pass = self.dense_pass(batch);
        let weight = self
            .views
            .weight::<T>(&cx.parameters[self.weight].value, cx.version)?;
        let bias = self
            .bias
            .map(|bias| self.views.bias::<T>(&cx.parameters[bias].value))
            .transpose()?;
        let bias = bias.as_ref().map(view::<T>).transpose()?;
        let output = self
            .views
            .seen_output()
            .map_or(&self.output, |view| &view.shape);
        let y = self.y.get(&channels_last(batch, output), x)?;
        let finish = Finish {
            bias: bias.as_deref(),
            relu: self.epilogue.relu_first(),
        };
        self.sums.move_to(cx.scratch);
        let scratch = self.sums.get(&[pass.scratch()], x)?;
        let (x, weight) = (view::<T>(x)?, view::<T>(&weight)?);
        fill_both::<T>(&scratch, &y, |scratch, y| {
            pass.forward(&x, &weight, finish, scratch, y)
        })?;
        Ok(y)
    }

    pub(super) fn backward_product<T: Real>(
        &mut self,
        gradient: &Tensor,
        need_input: bool,
        cx: &mut Context<'_>,
    ) -> Result<Option<Tensor>> {
        let x = kept(&self.x)?;
        let pass = self.dense_pass(x.dims()[0]);
        let y = self.y.latest()?;
        let (gradient, y) = (view::<T>(gradient)?, view::<T>(&y)?);
        let own = self.epilogue.own_gradient(&gradient, &y);
        let count = gradient.len();
        let mut backward = Backward {
            level: Level::chosen(),
            pass,
            x,
            weight: self.weight,
            bias: self.bias,
            input: &self.input,
            views: &mut self.views,
            dx: &mut self.dx,
        };
        self.sums.move_to(cx.scratch);
        let scratch = self.sums.get(&[pass.scratch()], x)?;
        let mut result = Ok(None);
        fill::<T>(&scratch, |scratch| {
            if pass.divides_rows() {
                let (gradient, gate) = match own {
                    ConvInput::Relu { gradient, output } => (gradient, Some(output)),
                    ConvInput::Plain(gradient) => (gradient, None),
                    // Excluded by `is_product`.
                    ConvInput::Pooled { gradient, .. } => (gradient, None),
                };
                result = backward.run_by_rows(gradient, gate, scratch, need_input, cx);
                return;
            }
            let (masked, rest) = scratch.split_at_mut(count);
            let (turned, sums) = rest.split_at_mut(count);
            let gradient = match own.plain() {
                Some(gradient) => gradient,
                None => {
                    own.write_vectors(pass.outputs, masked);
                    masked
                }
            };
            result = backward.run(gradient, [turned, sums], need_input, cx);
        })?;
        result
    }
}

/// What the backward pass works with.
struct Backward<'a> {
    level: Level,
    pass: DensePass,
    x: &'a Tensor,
    weight: usize,
    bias: Option<usize>,
    input: &'a Shape,
    views: &'a mut FlattenViews,
    dx: &'a mut Buffer,
}

impl Backward<'_> {
    /// `gradient`: that of the layer's own output. `turned`, `sums`: room for the same turned, and for the gradient of
    /// the bias.
    fn run<T: Real>(
        &mut self,
        gradient: &[T],
        [turned, sums]: [&mut [T]; 2],
        need_input: bool,
        cx: &mut Context<'_>,
    ) -> Result<Option<Tensor>> {
        // The weight's gradient comes last: it is written over the weight that was put in the order of the images.
        let dx = need_input
            .then(|| self.input_gradient(gradient, cx))
            .transpose()?;
        if cx.trains(self.weight) {
            let of_weight = &cx.parameters[self.weight].gradient;
            let x = view::<T>(self.x)?;
            let pass = self.pass;
            self.views.weight_gradient::<T>(of_weight, |of_weight| {
                pass.weight_gradient(&x, gradient, turned, of_weight)
            })?;
        }
        if let Some(bias) = self.bias.filter(|&bias| cx.trains(bias)) {
            column_sums(gradient, self.pass.outputs, sums);
            self.views
                .bias_gradient::<T>(&cx.parameters[bias].gradient, sums)?;
        }
        Ok(dx)
    }

    /// The same some rows at a time. `gate`: the output, where a relu let through what is positive.
    fn run_by_rows<T: Real>(
        &mut self,
        gradient: &[T],
        gate: Option<&[T]>,
        scratch: &mut [T],
        need_input: bool,
        cx: &mut Context<'_>,
    ) -> Result<Option<Tensor>> {
        let x = view::<T>(self.x)?;
        let backward = RowsBackward {
            level: self.level,
            pass: self.pass,
            x: &x,
            gradient,
            gate,
        };
        let bias = self.bias.filter(|&bias| cx.trains(bias));
        let learns = cx.trains(self.weight) || bias.is_some();
        let (dx, sums) = if need_input {
            let (weight, dx) = (self.weight::<T>(cx)?, self.own_dx()?);
            let weight = view::<T>(&weight)?;
            let mut sums = None;
            fill::<T>(&dx, |dx| {
                sums = Some(backward.run(Some((&weight, dx)), learns, scratch));
            })?;
            (Some(dx), sums.unwrap_or_default())
        } else {
            (None, backward.run(None, learns, scratch))
        };
        let (of_weight, of_bias) = sums.split_at(self.pass.inputs * self.pass.outputs);
        if cx.trains(self.weight) {
            let gradient = &cx.parameters[self.weight].gradient;
            self.views
                .weight_gradient::<T>(gradient, |to| to.copy_from_slice(of_weight))?;
        }
        if let Some(bias) = bias {
            self.views
                .bias_gradient::<T>(&cx.parameters[bias].gradient, of_bias)?;
        }
        Ok(dx)
    }

    /// The weight in the order of the images.
    fn weight<T: Real>(&mut self, cx: &Context<'_>) -> Result<Tensor> {
        let weight = &cx.parameters[self.weight].value;
        self.views.weight::<T>(weight, cx.version)
    }

    /// The tensor for the gradient of the input.
    fn own_dx(&mut self) -> Result<Tensor> {
        let input = self
            .views
            .seen_input()
            .map_or(self.input, |view| &view.shape);
        self.dx.get(&channels_last(self.x.dims()[0], input), self.x)
    }

    fn input_gradient<T: Real>(&mut self, gradient: &[T], cx: &Context<'_>) -> Result<Tensor> {
        let (weight, dx) = (self.weight::<T>(cx)?, self.own_dx()?);
        let weight = view::<T>(&weight)?;
        fill::<T>(&dx, |dx| self.pass.input_gradient(gradient, &weight, dx))?;
        Ok(dx)
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
    fn passes(candle_only: bool, bias: &str) -> Vec<Vec<f32>> {
        let conv = format!("conv 144 k1{bias}");
        let stacks = Stacks {
            input: "128x5x7".parse().unwrap(),
            encoder: vec![Node::from_text(&conv), Node::from_text("relu")],
            decoder: vec![],
            head: vec![Node::from_text("gap"), Node::from_text("dense 3")],
        };
        let plan = strata_core::shape::infer(&stacks).plan.unwrap();
        let mut network = Network::new(&plan, 1, &Device::Cpu).unwrap();
        network.set_candle_only(candle_only);
        let count = 23 * 5 * 7 * 128;
        let of = |i: usize| ((i * 7919) % 2003) as f32 / 1001.5 - 1.0;
        let images: Vec<f32> = (0..count).map(of).collect();
        let images = Tensor::from_vec(images, (23, 5, 7, 128), &Device::Cpu).unwrap();
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
    fn a_window_of_one_position_is_a_product_with_the_same_results() {
        let pass = DensePass {
            batch: 23 * 5 * 7,
            inputs: 128,
            outputs: 144,
        };
        assert!(pass.divides_rows());
        for bias in ["", " nobias"] {
            let (ours, candles) = (passes(false, bias), passes(true, bias));
            for (index, (ours, candles)) in ours.iter().zip(&candles).enumerate() {
                let size = candles
                    .iter()
                    .fold(0.0f32, |size, number| size.max(number.abs()));
                assert_eq!(ours.len(), candles.len());
                for (a, b) in ours.iter().zip(candles) {
                    assert!((a - b).abs() <= 2e-5 * size, "{index}{bias}: {a} {b}");
                }
            }
        }
    }
}
