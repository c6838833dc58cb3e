//! Separable convolution: depthwise, then pointwise.

use super::conv::{Conv, Sizes};
use super::{Buffer, Layer, Result};
use crate::fusion_rules::Follower;
use crate::network::{Builder, Context};
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
}

impl Layer for Separable {
    fn buffers(&mut self) -> Option<(&mut Buffer, &mut Buffer)> {
        let (_, dx) = self.depthwise.buffers()?;
        let (y, _) = self.pointwise.buffers()?;
        Some((y, dx))
    }

    fn forward(&mut self, x: &Tensor, cx: &mut Context<'_>) -> Result<Tensor> {
        let middle = self.depthwise.forward(x, cx)?;
        self.pointwise.forward(&middle, cx)
    }

    fn backward(
        &mut self,
        gradient: &Tensor,
        need_input: bool,
        cx: &mut Context<'_>,
    ) -> Result<Option<Tensor>> {
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
