//! The operators built of candle's own, for devices without kernels of ours.
//!
//! Batches are `N × S × C` tensors. Everything is index selection, matrix products and scattered sums,
//! all of which candle has for every device, for every geometry that [`strata_core::shape`] accepts.

use super::spatial_map::SpatialMap;
use super::taps::{OUTSIDE, Taps};
use crate::NnError;
use candle_core::{D, Device, Tensor};
use strata_core::project::layer::Activation;
use strata_core::shape::layers::{ELU_ALPHA, LEAKY_SLOPE};

type Result<T> = std::result::Result<T, NnError>;

/// A window's table on the device; entries in the padding point one past the image.
#[derive(Clone, Debug)]
pub struct DeviceTaps {
    table: Tensor,
    positions: usize,
    cells: usize,
    inputs: usize,
}

impl DeviceTaps {
    /// Copies a table to the device.
    pub fn new(taps: &Taps, device: &Device) -> Result<DeviceTaps> {
        let Taps {
            positions,
            cells,
            inputs,
            ..
        } = *taps;
        let inside = |&tap: &u32| if tap == OUTSIDE { inputs as u32 } else { tap };
        let table: Vec<u32> = taps.table.iter().map(inside).collect();
        Ok(DeviceTaps {
            table: Tensor::from_vec(table, positions * cells, device)?,
            positions,
            cells,
            inputs,
        })
    }

    /// `N × (positions·cells) × C`, with `outside` in the padding.
    fn columns(&self, x: &Tensor, outside: f64) -> Result<Tensor> {
        let (batch, _, channels) = x.dims3()?;
        let beyond =
            Tensor::full(outside, (batch, 1, channels), x.device())?.to_dtype(x.dtype())?;
        Ok(Tensor::cat(&[x, &beyond], 1)?.index_select(&self.table, 1)?)
    }

    /// The transpose of [`DeviceTaps::columns`]: sums columns back into `N × S × C`.
    fn scatter(&self, columns: &Tensor) -> Result<Tensor> {
        let (batch, _, channels) = columns.dims3()?;
        let image = Tensor::zeros(
            (batch, self.inputs + 1, channels),
            columns.dtype(),
            columns.device(),
        )?;
        Ok(image
            .index_add(&self.table, columns, 1)?
            .narrow(1, 0, self.inputs)?
            .contiguous()?)
    }
}

/// A convolution on the device; weights are PyTorch's, flattened to `small × large/groups × cells`.
pub(crate) struct DeviceConvolution<'a> {
    /// The window.
    pub taps: &'a DeviceTaps,
    /// Groups of channels.
    pub groups: usize,
}

impl DeviceConvolution<'_> {
    /// Columns by group: `groups × (N·positions) × (cells·channels)`.
    fn grouped_columns(&self, large: &Tensor) -> Result<Tensor> {
        let (batch, _, channels) = large.dims3()?;
        let rows = batch * self.taps.positions;
        let cells = self.taps.cells;
        let group = channels / self.groups;
        let columns = self
            .taps
            .columns(large, 0.0)?
            .reshape((rows, cells, self.groups, group))?;
        Ok(columns.permute((2, 0, 1, 3))?.contiguous()?.reshape((
            self.groups,
            rows,
            cells * group,
        ))?)
    }

    /// `groups × (cells·channels) × small/groups`.
    fn grouped_weight(&self, weight: &Tensor) -> Result<Tensor> {
        let (small, group, cells) = weight.dims3()?;
        let out = small / self.groups;
        let weight = weight
            .reshape((self.groups, out, group, cells))?
            .permute((0, 3, 2, 1))?;
        Ok(weight
            .contiguous()?
            .reshape((self.groups, cells * group, out))?)
    }

    /// `groups × (N·positions) × small/groups`.
    fn grouped_rows(&self, small: &Tensor) -> Result<Tensor> {
        let (batch, positions, channels) = small.dims3()?;
        let rows = small.reshape((batch * positions, self.groups, channels / self.groups))?;
        Ok(rows.transpose(0, 1)?.contiguous()?)
    }

    /// Large to small.
    pub fn forward(&self, large: &Tensor, weight: &Tensor) -> Result<Tensor> {
        let rows = self
            .grouped_columns(large)?
            .matmul(&self.grouped_weight(weight)?)?;
        let shape = (large.dim(0)?, self.taps.positions, weight.dim(0)?);
        Ok(rows.transpose(0, 1)?.contiguous()?.reshape(shape)?)
    }

    /// Small to large.
    pub fn transposed(&self, small: &Tensor, weight: &Tensor) -> Result<Tensor> {
        let batch = small.dim(0)?;
        let group = weight.dim(1)?;
        let weight = self.grouped_weight(weight)?.transpose(1, 2)?.contiguous()?;
        let columns = self.grouped_rows(small)?.matmul(&weight)?;
        let rows = (
            self.groups,
            batch * self.taps.positions,
            self.taps.cells,
            group,
        );
        let columns = columns.reshape(rows)?.permute((1, 2, 0, 3))?.contiguous()?;
        let cells = self.taps.positions * self.taps.cells;
        self.taps
            .scatter(&columns.reshape((batch, cells, self.groups * group))?)
    }

    /// The gradient for the weight.
    pub fn weight_gradient(&self, large: &Tensor, small: &Tensor) -> Result<Tensor> {
        let out = small.dim(2)? / self.groups;
        let group = large.dim(2)? / self.groups;
        let rows = self.grouped_rows(small)?.transpose(1, 2)?.contiguous()?;
        let gradient = rows.matmul(&self.grouped_columns(large)?)?;
        let gradient = gradient
            .reshape((self.groups, out, self.taps.cells, group))?
            .transpose(2, 3)?;
        Ok(gradient
            .contiguous()?
            .reshape((self.groups * out, group, self.taps.cells))?)
    }
}

/// Maximum of each window, and the index of the input position it came from (u32).
pub fn max_pool(taps: &DeviceTaps, x: &Tensor) -> Result<(Tensor, Tensor)> {
    let (batch, _, channels) = x.dims3()?;
    let shape = (batch, taps.positions, taps.cells, channels);
    let columns = taps.columns(x, f64::NEG_INFINITY)?.reshape(shape)?;
    let cell = columns.argmax_keepdim(2)?;
    let table = taps
        .table
        .reshape((1, taps.positions, taps.cells, 1))?
        .broadcast_as(shape)?
        .contiguous()?;
    let index = table.gather(&cell, 2)?.squeeze(2)?.contiguous()?;
    Ok((columns.max(2)?, index))
}

/// `large[index] += small` over an image of `inputs` positions.
pub(crate) fn scatter(inputs: usize, small: &Tensor, index: &Tensor) -> Result<Tensor> {
    let (batch, _, channels) = small.dims3()?;
    let large = Tensor::zeros((batch, inputs, channels), small.dtype(), small.device())?;
    Ok(large.scatter_add(index, small, 1)?)
}

/// `small = large[index]`.
pub fn gather(large: &Tensor, index: &Tensor) -> Result<Tensor> {
    Ok(large.gather(index, 1)?)
}

/// Applies a linear map over space.
pub(crate) fn apply_map(map: &SpatialMap, x: &Tensor) -> Result<Tensor> {
    let (batch, inputs, channels) = x.dims3()?;
    let outputs = map.outputs();
    let cells = (0..outputs)
        .map(|o| map.row(o).len())
        .max()
        .unwrap_or(0)
        .max(1);
    let mut table = vec![OUTSIDE; outputs * cells];
    let mut weights = vec![0f64; outputs * cells];
    for output in 0..outputs {
        for (slot, &(input, weight)) in map.row(output).iter().enumerate() {
            table[output * cells + slot] = input;
            weights[output * cells + slot] = weight;
        }
    }
    let taps = DeviceTaps::new(
        &Taps {
            table,
            positions: outputs,
            cells,
            inputs,
        },
        x.device(),
    )?;
    let weights =
        Tensor::from_vec(weights, (1, outputs, cells, 1), x.device())?.to_dtype(x.dtype())?;
    let columns = taps
        .columns(x, 0.0)?
        .reshape((batch, outputs, cells, channels))?;
    Ok(columns.broadcast_mul(&weights)?.sum(2)?)
}

/// Applies an activation.
pub(crate) fn activate(activation: Activation, x: &Tensor) -> Result<Tensor> {
    Ok(match activation {
        Activation::Relu => x.relu()?,
        Activation::Relu6 => x.clamp(0.0, 6.0)?,
        Activation::LeakyRelu(slope) => {
            candle_nn::ops::leaky_relu(x, f64::from(slope.unwrap_or(LEAKY_SLOPE)))?
        }
        Activation::Elu(alpha) => x.elu(f64::from(alpha.unwrap_or(ELU_ALPHA)))?,
        Activation::Gelu => x.gelu_erf()?,
        Activation::Silu => (x * sigmoid(x)?)?,
        Activation::Sigmoid => sigmoid(x)?,
        Activation::Tanh => x.tanh()?,
        Activation::HardSwish => ((x * (x + 3.0)?.clamp(0.0, 6.0)?)? / 6.0)?,
        Activation::Step => x.gt(0.0)?.to_dtype(x.dtype())?,
    })
}

fn sigmoid(x: &Tensor) -> Result<Tensor> {
    Ok((x.neg()?.exp()? + 1.0)?.recip()?)
}

/// The gradient for the input of an activation.
pub(crate) fn activate_backward(
    activation: Activation,
    x: &Tensor,
    y: &Tensor,
    gradient: &Tensor,
) -> Result<Tensor> {
    let one_where = |mask: Tensor| mask.to_dtype(x.dtype());
    let positive = || x.gt(0.0).and_then(one_where);
    let slope = match activation {
        Activation::Relu => positive()?,
        Activation::Relu6 => (positive()? * one_where(x.lt(6.0)?)?)?,
        Activation::LeakyRelu(slope) => {
            let slope = f64::from(slope.unwrap_or(LEAKY_SLOPE));
            ((positive()? * (1.0 - slope))? + slope)?
        }
        Activation::Elu(alpha) => {
            let below =
                (x.minimum(&x.zeros_like()?)?.exp()? * f64::from(alpha.unwrap_or(ELU_ALPHA)))?;
            let positive = positive()?;
            (&positive + (positive.neg()? + 1.0)?.mul(&below)?)?
        }
        Activation::Gelu => {
            let cdf = (((x * std::f64::consts::FRAC_1_SQRT_2)?.erf()? + 1.0)? * 0.5)?;
            let density = ((x.sqr()? * -0.5)?.exp()? / (2.0 * std::f64::consts::PI).sqrt())?;
            (cdf + (x * density)?)?
        }
        Activation::Silu => {
            let s = sigmoid(x)?;
            (&s * ((x * (s.neg()? + 1.0)?)? + 1.0)?)?
        }
        Activation::Sigmoid => (y * (y.neg()? + 1.0)?)?,
        Activation::Tanh => (y.sqr()?.neg()? + 1.0)?,
        Activation::HardSwish => {
            let (inside, above) = (
                (one_where(x.gt(-3.0)?)? * one_where(x.lt(3.0)?)?)?,
                one_where(x.ge(3.0)?)?,
            );
            ((inside * (((x * 2.0)? + 3.0)? / 6.0)?)? + above)?
        }
        Activation::Step => x.zeros_like()?,
    };
    Ok((slope * gradient)?)
}

/// Softmax over the last axis.
pub fn softmax(x: &Tensor) -> Result<Tensor> {
    Ok(candle_nn::ops::softmax(x, D::Minus1)?)
}

/// The gradient for the input of a softmax over the last axis.
pub(crate) fn softmax_backward(y: &Tensor, gradient: &Tensor) -> Result<Tensor> {
    let mean = (y * gradient)?.sum_keepdim(D::Minus1)?;
    Ok((y * gradient.broadcast_sub(&mean)?)?)
}
