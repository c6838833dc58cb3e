//! Group and layer normalisation of candle's operators, all on the device.

use super::super::{Result, as_rows, kept};
use super::GroupNorm;
use crate::network::Context;
use crate::ops::device::sum_rows;
use candle_core::Tensor;
use strata_core::shape::layers::NORM_EPS;

/// What the latest forward pass leaves for the backward pass: `images × cells × groups × channels of a group`, and 1/σ
/// of each group of each image.
pub(super) struct Normalised {
    hat: Tensor,
    inverse_std: Tensor,
}

impl GroupNorm {
    fn grouped_rows(&self, x: &Tensor) -> Result<Tensor> {
        let (images, cells, channels) = as_rows(x)?.dims3()?;
        let dims = (images, cells, self.groups, channels / self.groups);
        Ok(x.reshape(dims)?)
    }

    /// A parameter so that it can be multiplied with rows: a number for each channel, or for each value.
    fn for_rows(&self, parameter: &Tensor) -> Result<Tensor> {
        if !self.by_value {
            return Ok(parameter.reshape((1, 1, self.groups, ()))?);
        }
        // PyTorch stores these in C, H, W order.
        let by_channel = parameter.reshape((self.channels, ()))?;
        Ok(by_channel
            .t()?
            .contiguous()?
            .reshape((1, (), 1, self.channels))?)
    }

    pub(super) fn forward_device(&mut self, x: &Tensor, cx: &Context<'_>) -> Result<Tensor> {
        let rows = self.grouped_rows(x)?;
        let centred = rows.broadcast_sub(&mean(&rows)?)?;
        let inverse_std = (mean(&centred.sqr()?)? + NORM_EPS)?.sqrt()?.recip()?;
        let hat = centred.broadcast_mul(&inverse_std)?;
        let [weight, bias] =
            [self.weight, self.bias].map(|at| self.for_rows(&cx.parameters[at].value));
        let y = hat.broadcast_mul(&weight?)?.broadcast_add(&bias?)?;
        self.on_device = Some(Normalised { hat, inverse_std });
        Ok(y.reshape(x.dims())?)
    }

    pub(super) fn backward_device(
        &mut self,
        gradient: &Tensor,
        need_input: bool,
        cx: &mut Context<'_>,
    ) -> Result<Option<Tensor>> {
        let Normalised { hat, inverse_std } = kept(&self.on_device)?;
        let g = self.grouped_rows(gradient)?;
        if cx.trains(self.weight) {
            for (parameter, terms) in [(self.bias, g.clone()), (self.weight, (&g * hat)?)] {
                let sums = self.sum_of_images(&terms)?;
                let parameter = &mut cx.parameters[parameter];
                parameter.gradient = sums.reshape(parameter.value.dims())?;
            }
        }
        if !need_input {
            return Ok(None);
        }
        let weighted = g.broadcast_mul(&self.for_rows(&cx.parameters[self.weight].value)?)?;
        let along = hat.broadcast_mul(&mean(&(&weighted * hat)?)?)?;
        let dx = (weighted.broadcast_sub(&mean(&weighted)?)? - along)?;
        Ok(Some(
            dx.broadcast_mul(inverse_std)?.reshape(gradient.dims())?,
        ))
    }

    /// What all images add to the gradient of a parameter, in PyTorch's order.
    fn sum_of_images(&self, terms: &Tensor) -> Result<Tensor> {
        let (images, cells, groups, channels) = terms.dims4()?;
        if self.by_value {
            let sums = sum_rows(&terms.reshape((images, cells * channels))?)?;
            return Ok(sums.reshape((cells, channels))?.t()?.contiguous()?);
        }
        sum_rows(&terms.reshape((images * cells, groups * channels))?)
    }
}

/// The mean of each group of each image.
fn mean(rows: &Tensor) -> Result<Tensor> {
    Ok(rows.mean_keepdim((1, 3))?)
}
