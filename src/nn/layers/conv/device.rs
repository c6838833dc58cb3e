//! Convolution by candle's operators, wherever candle computes.

use super::{Conv, bias_gradient};
use crate::layers::{Result, as_rows, channels_last, kept};
use crate::network::Context;
use crate::ops::device::{DeviceConvolution, DeviceTaps};
use crate::ops::taps::Taps;
use candle_core::Tensor;

impl Conv {
    /// `small × large/groups × cells`, for the device.
    fn flat_weight(&self, weight: &Tensor) -> Result<Tensor> {
        let sizes = &self.convolution.sizes;
        Ok(weight.reshape((sizes.small, sizes.large / sizes.groups, sizes.cells))?)
    }

    fn device_taps(&mut self, x: &Tensor) -> Result<DeviceTaps> {
        match &self.device_taps {
            Some(taps) => Ok(taps.clone()),
            None => {
                let taps = DeviceTaps::new(&Taps::new(&self.geometry), x.device())?;
                Ok(self.device_taps.insert(taps).clone())
            }
        }
    }

    fn apply_device(
        &mut self,
        x: &Tensor,
        down: bool,
        weight: &Tensor,
        dims: &[usize],
    ) -> Result<Tensor> {
        let taps = self.device_taps(x)?;
        let convolution = DeviceConvolution {
            taps: &taps,
            groups: self.convolution.sizes.groups,
        };
        let (x, weight) = (as_rows(x)?, self.flat_weight(weight)?);
        let y = if down {
            convolution.forward(&x, &weight)?
        } else {
            convolution.transposed(&x, &weight)?
        };
        Ok(y.reshape(dims)?)
    }

    pub(super) fn forward_device(&mut self, x: &Tensor, cx: &Context<'_>) -> Result<Tensor> {
        let dims = channels_last(x.dims()[0], &self.output);
        let y = self.apply_device(
            x,
            !self.transposed,
            &cx.parameters[self.weight].value,
            &dims,
        )?;
        Ok(match self.bias {
            Some(bias) => y.broadcast_add(&cx.parameters[bias].value)?,
            None => y,
        })
    }

    pub(super) fn backward_device(
        &mut self,
        gradient: &Tensor,
        need_input: bool,
        cx: &mut Context<'_>,
    ) -> Result<Option<Tensor>> {
        let x = kept(&self.x)?.clone();
        if cx.trains(self.weight) {
            let (large, small) = if self.transposed {
                (gradient, &x)
            } else {
                (&x, gradient)
            };
            let taps = self.device_taps(&x)?;
            let convolution = DeviceConvolution {
                taps: &taps,
                groups: self.convolution.sizes.groups,
            };
            let sums = convolution.weight_gradient(&as_rows(large)?, &as_rows(small)?)?;
            let target = &mut cx.parameters[self.weight].gradient;
            *target = sums.reshape(target.dims())?;
        }
        bias_gradient(self.bias, gradient, cx)?;
        if !need_input {
            return Ok(None);
        }
        let (weight, dims) = (
            cx.parameters[self.weight].value.clone(),
            channels_last(x.dims()[0], &self.input),
        );
        self.apply_device(gradient, self.transposed, &weight, &dims)
            .map(Some)
    }
}
