//! Fully connected layer (PyTorch `Linear`): y = x·Wᵀ + b.
//!
//! On the CPU it is a convolution with a window of one position, so that it shares fusing, computed as products of
//! matrices: see [`crate::ops::product`]. A flatten before it and a reshape after it move no number of the batch: see
//! [`super::layout_views`].

use super::conv::{Conv, Sizes, bias_gradient};
use super::{Buffer, Layer, Result, kept};
use crate::fusion_rules::Follower;
use crate::network::{Builder, Context};
use candle_core::Tensor;
use strata_core::shape::op::{Geometry, PlannedLayer};

/// A dense layer.
pub(crate) struct Dense {
    conv: Conv,
    x: Option<Tensor>,
}

impl Dense {
    pub(crate) fn new(
        planned: &PlannedLayer,
        inputs: usize,
        outputs: usize,
        bias: bool,
        builder: &mut Builder<'_>,
    ) -> Result<Dense> {
        let sizes = Sizes {
            geometry: &Geometry::ONE_CELL,
            large: inputs,
            small: outputs,
            groups: 1,
            bias,
            transposed: false,
        };
        Ok(Dense {
            conv: Conv::with_sizes(
                &planned.key,
                sizes,
                &planned.input,
                &planned.output,
                builder,
            )?,
            x: None,
        })
    }

    fn forward_device(&mut self, x: &Tensor, cx: &Context<'_>) -> Result<Tensor> {
        self.x = Some(x.clone());
        let y = x.matmul(&cx.parameters[self.conv.weight()].value.t()?)?;
        Ok(match self.conv.bias() {
            Some(bias) => y.broadcast_add(&cx.parameters[bias].value)?,
            None => y,
        })
    }

    fn backward_device(
        &mut self,
        gradient: &Tensor,
        need_input: bool,
        cx: &mut Context<'_>,
    ) -> Result<Option<Tensor>> {
        let weight = self.conv.weight();
        if cx.trains(weight) {
            cx.parameters[weight].gradient = gradient.t()?.contiguous()?.matmul(kept(&self.x)?)?;
        }
        bias_gradient(self.conv.bias(), gradient, cx)?;
        Ok(if need_input {
            Some(gradient.matmul(&cx.parameters[weight].value)?)
        } else {
            None
        })
    }
}

impl Layer for Dense {
    fn buffers(&mut self) -> Option<(&mut Buffer, &mut Buffer)> {
        self.conv.buffers()
    }

    fn forward(&mut self, x: &Tensor, cx: &mut Context<'_>) -> Result<Tensor> {
        if cx.uses_candle(x) {
            self.forward_device(x, cx)
        } else {
            self.conv.forward(x, cx)
        }
    }

    fn backward(
        &mut self,
        gradient: &Tensor,
        need_input: bool,
        cx: &mut Context<'_>,
    ) -> Result<Option<Tensor>> {
        if cx.uses_candle(gradient) {
            return self.backward_device(gradient, need_input, cx);
        }
        self.conv.backward(gradient, need_input, cx)
    }

    fn parameters(&self) -> Vec<usize> {
        self.conv.parameters()
    }

    fn absorb(&mut self, next: Follower<'_>) {
        match next {
            Follower::Reshape(image) => self.conv.view_output(image),
            Follower::Relu | Follower::Activation(_) | Follower::MaxPool { .. } => {
                self.conv.absorb(next);
            }
        }
    }

    fn read_through(&mut self, before: &PlannedLayer) {
        self.conv.view_input(&before.input);
    }

    fn set_fused(&mut self, fused: bool) {
        self.conv.set_fused(fused);
    }
}
