//! The two parts of a separable convolution as one, image by image.

use super::{Conv, pack};
use crate::layers::{Result, channels_last, kept};
use crate::network::Context;
use crate::ops::conv_input::ConvInput;
use crate::ops::convolution::Finish;
use crate::ops::product::{SeparableBackward, SeparablePass, is_by_image};
use crate::ops::real::Real;
use crate::ops::storage::{fill, fill_both, view};
use candle_core::Tensor;

/// The depthwise part, and the product at each position.
pub(in crate::layers) struct Parts<'a> {
    pub depthwise: &'a mut Conv,
    pub pointwise: &'a mut Conv,
}

impl Parts<'_> {
    /// Whether a batch is computed image by image: not where a pooling is part of it, whose windows cross positions.
    pub fn are_by_image(&self, batch: usize) -> bool {
        let epilogue = &self.pointwise.epilogue;
        let pools = epilogue.active && epilogue.pool.is_some();
        let sizes = &self.pointwise.convolution.sizes;
        let geometry = &self.depthwise.geometry;
        !pools && is_by_image(geometry, sizes.large, sizes.small, batch)
    }

    /// Whether the latest forward pass was.
    pub fn were_by_image(&self) -> bool {
        let x = self.depthwise.x.as_ref();
        x.is_some_and(|x| self.are_by_image(x.dims()[0]))
    }

    pub fn forward<T: Real>(self, x: &Tensor, cx: &mut Context<'_>) -> Result<Tensor> {
        let Parts {
            depthwise,
            pointwise,
        } = self;
        depthwise.x = Some(x.clone());
        pointwise.x = None;
        let batch = x.dims()[0];
        let packed = pack::<T>(
            &depthwise.convolution,
            true,
            depthwise.weight,
            &mut depthwise.packed_forward,
            &mut depthwise.views,
            cx,
        )?;
        let y = pointwise
            .y
            .get(&channels_last(batch, &pointwise.output), x)?;
        let bias = pointwise
            .bias
            .map(|bias| view::<T>(&cx.parameters[bias].value))
            .transpose()?;
        let weight = view::<T>(&cx.parameters[pointwise.weight].value)?;
        let (packed, numbers) = (view::<T>(&packed)?, view::<T>(x)?);
        let pass = SeparablePass {
            depthwise: &depthwise.convolution,
            packed: &packed,
            weight: &weight,
            outputs: pointwise.convolution.sizes.small,
            batch,
            x: &numbers,
        };
        let finish = Finish {
            bias: bias.as_deref(),
            relu: pointwise.epilogue.relu_first(),
        };
        pointwise.sums.move_to(cx.scratch);
        let scratch = pointwise.sums.get(&[pass.scratch_len()], x)?;
        fill_both::<T>(&scratch, &y, |scratch, y| pass.forward(finish, scratch, y))?;
        Ok(y)
    }

    pub fn backward<T: Real>(
        self,
        gradient: &Tensor,
        need_input: bool,
        cx: &mut Context<'_>,
    ) -> Result<Option<Tensor>> {
        let Parts {
            depthwise,
            pointwise,
        } = self;
        let bias = pointwise.bias.filter(|&bias| cx.trains(bias));
        let learns = [
            cx.trains(depthwise.weight),
            cx.trains(pointwise.weight) || bias.is_some(),
        ];
        let x = kept(&depthwise.x)?;
        let (convolution, views) = (&depthwise.convolution, &mut depthwise.views);
        let mut packed = |down: bool| {
            let packed = if down {
                &mut depthwise.packed_forward
            } else {
                &mut depthwise.packed_backward
            };
            pack::<T>(convolution, down, depthwise.weight, packed, views, cx)
        };
        let (down, up) = (
            packed(true)?,
            need_input.then(|| packed(false)).transpose()?,
        );
        let dx = need_input
            .then(|| {
                let dims = channels_last(x.dims()[0], &depthwise.input);
                depthwise.dx.get(&dims, x)
            })
            .transpose()?;
        let y = pointwise.y.latest()?;
        let (gradient, y) = (view::<T>(gradient)?, view::<T>(&y)?);
        let gate = match pointwise.epilogue.own_gradient(&gradient, &y) {
            ConvInput::Relu { output, .. } => Some(output),
            // A pooling is never part of it.
            ConvInput::Plain(_) | ConvInput::Pooled { .. } => None,
        };
        let weight = view::<T>(&cx.parameters[pointwise.weight].value)?;
        let (down, numbers) = (view::<T>(&down)?, view::<T>(x)?);
        let backward = SeparableBackward {
            pass: SeparablePass {
                depthwise: convolution,
                packed: &down,
                weight: &weight,
                outputs: pointwise.convolution.sizes.small,
                batch: x.dims()[0],
                x: &numbers,
            },
            gradient: &gradient,
            gate,
            learns,
        };
        pointwise.sums.move_to(cx.scratch);
        let scratch = pointwise.sums.get(&[backward.pass.scratch_len()], x)?;
        let up = up.as_ref().map(view::<T>).transpose()?;
        let mut written = Ok(());
        fill::<T>(&scratch, |scratch| {
            let sums = match (&dx, &up) {
                (Some(dx), Some(up)) => {
                    let mut sums = None;
                    written =
                        fill::<T>(dx, |dx| sums = Some(backward.run(Some((up, dx)), scratch)));
                    sums.unwrap_or_default()
                }
                _ => backward.run(None, scratch),
            };
            let mut write = |index: usize, write: &mut dyn FnMut(&mut [T])| {
                if written.is_ok() && cx.trains(index) {
                    written = fill::<T>(&cx.parameters[index].gradient, write);
                }
            };
            let (of_depthwise, of_product) = sums;
            write(depthwise.weight, &mut |to| {
                convolution.unpack(of_depthwise, to)
            });
            let (of_weight, of_bias) = of_product.split_at(weight.len().min(of_product.len()));
            write(pointwise.weight, &mut |to| to.copy_from_slice(of_weight));
            if let Some(bias) = bias {
                write(bias, &mut |to| to.copy_from_slice(of_bias));
            }
        })?;
        written?;
        Ok(dx)
    }
}
