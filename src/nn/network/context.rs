//! What layers share while a batch passes.

use super::{Mode, Parameter, PassTimes, Result};
use crate::device::has_own_kernels;
use crate::layers::PoolIndices;
use crate::ops::elementwise::zip;
use crate::ops::storage::{Buffer, Memory, fill, view};
use crate::ops::with_real;
use candle_core::Tensor;

/// What layers share while a batch passes: parameters, statistics, pooling indices.
pub(crate) struct Context<'a> {
    pub parameters: &'a mut [Parameter],
    pub(super) statistics: &'a mut [(String, Tensor)],
    pub slots: &'a mut [Option<PoolIndices>],
    pub mode: Mode,
    /// Candle's operators even on the CPU: the tests' second opinion.
    pub candle_only: bool,
    /// Whether layers may do the work of those that follow them.
    pub fuses: bool,
    /// Whether outputs that no gradient will ask for, those before all that learns, may be overwritten.
    pub forgets: bool,
    /// Whether something before the present layer learns or is tapped, so that gradients pass through it.
    pub carries: bool,
    /// Whether relu lets no negative gradient back (guided backpropagation).
    pub guided: bool,
    /// Memory that one layer at a time works in.
    pub scratch: &'a Memory,
    /// Counts the changes of the weights.
    pub version: u64,
    /// Sum of the penalties observed.
    pub penalty: f64,
    /// The same of those that were observed on a device.
    pub device_penalty: Option<Tensor>,
    /// What layers took, where that is counted.
    pub(super) times: Option<&'a mut PassTimes>,
}

impl Context<'_> {
    /// True where our CPU kernels do not apply.
    pub(crate) fn uses_candle(&self, tensor: &Tensor) -> bool {
        self.candle_only || !has_own_kernels(tensor.device())
    }

    pub(crate) fn training(&self) -> bool {
        matches!(self.mode, Mode::Train { .. })
    }

    /// True when a parameter learns.
    pub(crate) fn trains(&self, parameter: usize) -> bool {
        !self.parameters[parameter].frozen
    }

    /// Replaces the gradient of a parameter.
    pub(crate) fn set_gradient(&mut self, parameter: usize, values: &[f64]) -> Result<()> {
        let parameter = &mut self.parameters[parameter];
        let value = &parameter.value;
        let gradient = Tensor::new(values, value.device())?.to_dtype(value.dtype())?;
        parameter.gradient = gradient.reshape(value.dims())?;
        Ok(())
    }

    /// A running statistic.
    pub(crate) fn statistic(&self, index: usize) -> &Tensor {
        &self.statistics[index].1
    }

    /// Replaces a running statistic.
    pub(crate) fn set_statistic(&mut self, index: usize, value: Tensor) {
        self.statistics[index].1 = value;
    }

    /// Elementwise sum into a buffer.
    pub(crate) fn sum(&self, a: &Tensor, b: &Tensor, out: &mut Buffer) -> Result<Tensor> {
        if self.uses_candle(a) {
            return Ok((a + b)?);
        }
        let y = out.get(a.dims(), a)?;
        with_real!(a, T => {
            let (a, b) = (view::<T>(a)?, view::<T>(b)?);
            fill::<T>(&y, |y| zip(&a, &b, y, |a, b| a + b))
        })?;
        Ok(y)
    }
}
