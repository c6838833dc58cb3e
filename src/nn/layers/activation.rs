//! Elementwise activations: `relu` and its kin.

use super::{Buffer, Layer, Result, kept};
use crate::network::Context;
use crate::ops::storage::{fill, view};
use crate::ops::{device, elementwise, with_real};
use candle_core::Tensor;
use strata_core::project::layer::Activation;

/// An elementwise function.
pub(crate) struct Elementwise {
    activation: Activation,
    x: Option<Tensor>,
    y: Option<Tensor>,
    out: Buffer,
    dx: Buffer,
}

impl Elementwise {
    pub(crate) fn new(activation: Activation) -> Elementwise {
        Elementwise {
            activation,
            x: None,
            y: None,
            out: Buffer::default(),
            dx: Buffer::default(),
        }
    }
}

impl Layer for Elementwise {
    fn buffers(&mut self) -> Option<(&mut Buffer, &mut Buffer)> {
        Some((&mut self.out, &mut self.dx))
    }

    fn forward(&mut self, x: &Tensor, cx: &mut Context<'_>) -> Result<Tensor> {
        let y = if cx.uses_candle(x) {
            device::activate(self.activation, x)?
        } else {
            let (y, activation) = (self.out.get(x.dims(), x)?, self.activation);
            with_real!(x, T => {
                let x = view::<T>(x)?;
                fill::<T>(&y, |y| elementwise::activate(activation, &x, y))
            })?;
            y
        };
        (self.x, self.y) = (Some(x.clone()), Some(y.clone()));
        Ok(y)
    }

    fn backward(
        &mut self,
        gradient: &Tensor,
        need_input: bool,
        cx: &mut Context<'_>,
    ) -> Result<Option<Tensor>> {
        if !need_input {
            return Ok(None);
        }
        let (x, y) = (kept(&self.x)?, kept(&self.y)?);
        let is_guided = cx.guided && self.activation == Activation::Relu;
        if cx.uses_candle(x) {
            let dx = device::activate_backward(self.activation, x, y, gradient)?;
            return Ok(Some(if is_guided { device::relu(&dx)? } else { dx }));
        }
        let (dx, activation) = (self.dx.get(x.dims(), x)?, self.activation);
        with_real!(x, T => {
            let (x, y, gradient) = (view::<T>(x)?, view::<T>(y)?, view::<T>(gradient)?);
            fill::<T>(&dx, |dx| {
                elementwise::activate_backward(activation, &x, &y, &gradient, dx);
                if is_guided {
                    dx.iter_mut().for_each(|value| *value = value.max(0.0));
                }
            })
        })?;
        Ok(Some(dx))
    }
}
