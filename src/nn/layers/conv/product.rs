//! A convolution with a window of one position on images of one position, as every dense layer is: products of
//! matrices, with the weight as it is stored.

use super::Conv;
use crate::layers::layout_views::FlattenViews;
use crate::layers::{Buffer, Result, channels_last, kept};
use crate::network::Context;
use crate::ops::convolution::Finish;
use crate::ops::product::DensePass;
use crate::ops::real::Real;
use crate::ops::reduce::column_sums;
use crate::ops::storage::{fill, fill_both, view};
use candle_core::Tensor;
use strata_core::project::size::Shape;
use strata_core::shape::op::Geometry;

impl Conv {
    /// Whether the passes are products: not where a pooling is part of them, whose windows cross positions.
    pub(super) fn is_product(&self) -> bool {
        let pools = self.epilogue.active && self.epilogue.pool.is_some();
        let sizes = &self.convolution.sizes;
        !pools && !self.transposed && sizes.groups == 1 && self.geometry == Geometry::ONE_CELL
    }

    fn dense_pass(&self, batch: usize) -> DensePass {
        DensePass {
            batch,
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
        let mut backward = Backward {
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
            let (masked, sums) = scratch.split_at_mut(gradient.len());
            let gradient = match own.plain() {
                Some(gradient) => gradient,
                None => {
                    own.write_vectors(pass.outputs, masked);
                    masked
                }
            };
            result = backward.run(gradient, sums, need_input, cx);
        })?;
        result
    }
}

/// What the backward pass works with.
struct Backward<'a> {
    pass: DensePass,
    x: &'a Tensor,
    weight: usize,
    bias: Option<usize>,
    input: &'a Shape,
    views: &'a mut FlattenViews,
    dx: &'a mut Buffer,
}

impl Backward<'_> {
    /// `gradient`: that of the layer's own output. `sums`: room for the gradient of the bias.
    fn run<T: Real>(
        &mut self,
        gradient: &[T],
        sums: &mut [T],
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
                pass.weight_gradient(&x, gradient, of_weight)
            })?;
        }
        if let Some(bias) = self.bias.filter(|&bias| cx.trains(bias)) {
            column_sums(gradient, self.pass.outputs, sums);
            self.views
                .bias_gradient::<T>(&cx.parameters[bias].gradient, sums)?;
        }
        Ok(dx)
    }

    fn input_gradient<T: Real>(&mut self, gradient: &[T], cx: &Context<'_>) -> Result<Tensor> {
        let weight = &cx.parameters[self.weight].value;
        let weight = self.views.weight::<T>(weight, cx.version)?;
        let input = self
            .views
            .seen_input()
            .map_or(self.input, |view| &view.shape);
        let dims = channels_last(self.pass.batch, input);
        let dx = self.dx.get(&dims, self.x)?;
        let weight = view::<T>(&weight)?;
        fill::<T>(&dx, |dx| self.pass.input_gradient(gradient, &weight, dx))?;
        Ok(dx)
    }
}
