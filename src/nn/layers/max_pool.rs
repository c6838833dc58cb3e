//! Max pooling with indices (also over the whole image) and the unpooling that undoes it.
//!
//! PyTorch: `MaxPool2d(return_indices=True)`, `MaxUnpool2d`. Where windows overlap, two values can carry
//! one index; unpooling then adds them up (PyTorch leaves the result open), so that its gradient is exact.

use super::{Buffer, Dims, Layer, Result, as_rows, channels_last};
use crate::NnError;
use crate::network::Context;
use crate::ops::device::{self, DevicePool};
use crate::ops::pooling::{gather_cpu, max_cpu, scatter_cpu};
use crate::ops::storage::{Indices, fill, view};
use crate::ops::taps::Taps;
use crate::ops::with_real;
use candle_core::Tensor;
use strata_core::project::size::Shape;
use strata_core::shape::op::Geometry;

/// The indices of the latest forward pass, wherever they were made.
#[derive(Clone)]
pub(crate) enum PoolIndices {
    /// Of our kernel.
    Cpu(Indices),
    /// Of candle's operators, `N × positions × C`.
    Device(Tensor),
}

pub(crate) struct MaxPool {
    taps: Taps,
    /// The tables on the device, made at the first batch there.
    on_device: Option<DevicePool>,
    output: Shape,
    slot: Option<usize>,
    chosen: Option<PoolIndices>,
    input_dims: Dims,
    y: Buffer,
    dx: Buffer,
}

impl MaxPool {
    pub(crate) fn new(geometry: &Geometry, output: &Shape, slot: Option<usize>) -> MaxPool {
        MaxPool {
            taps: Taps::new(geometry),
            on_device: None,
            output: output.clone(),
            slot,
            chosen: None,
            input_dims: Dims::default(),
            y: Buffer::default(),
            dx: Buffer::default(),
        }
    }

    fn keep(&mut self, chosen: PoolIndices, cx: &mut Context<'_>) {
        if let Some(slot) = self.slot {
            cx.slots[slot] = Some(chosen.clone());
        }
        self.chosen = Some(chosen);
    }
}

impl Layer for MaxPool {
    fn buffers(&mut self) -> Option<(&mut Buffer, &mut Buffer)> {
        Some((&mut self.y, &mut self.dx))
    }

    fn forward(&mut self, x: &Tensor, cx: &mut Context<'_>) -> Result<Tensor> {
        self.input_dims = Dims::of(x);
        let (dims, channels) = (
            channels_last(x.dims()[0], &self.output),
            x.dims()[x.rank() - 1],
        );
        if cx.uses_candle(x) {
            let pool = match &self.on_device {
                Some(pool) => pool,
                None => self.on_device.insert(DevicePool::new(&self.taps, x)?),
            };
            let (y, index) = pool.apply(&as_rows(x)?)?;
            self.keep(PoolIndices::Device(index), cx);
            return Ok(y.reshape(&*dims)?);
        }
        let (y, taps) = (self.y.get(&dims, x)?, &self.taps);
        let mut indices = match self.chosen.take() {
            Some(PoolIndices::Cpu(indices)) => indices,
            Some(PoolIndices::Device(_)) | None => Indices::default(),
        };
        // Only one holder may write: the last step's unpool is done with them.
        if let Some(slot) = self.slot {
            cx.slots[slot] = None;
        }
        with_real!(x, T => {
            let x = view::<T>(x)?;
            fill::<T>(&y, |y| max_cpu(taps, channels, &x, y, indices.writable(y.len())))
        })?;
        self.keep(PoolIndices::Cpu(indices), cx);
        Ok(y)
    }

    fn backward(
        &mut self,
        gradient: &Tensor,
        need_input: bool,
        _: &mut Context<'_>,
    ) -> Result<Option<Tensor>> {
        if !need_input {
            return Ok(None);
        }
        let chosen = self.chosen.as_ref();
        spread(&self.taps, chosen, gradient, &self.input_dims, &mut self.dx).map(Some)
    }
}

fn no_indices() -> NnError {
    NnError::Unsupported(
        "a pass backward or through an unpool without its pooling before it".into(),
    )
}

/// `large[index] += small`.
fn spread(
    taps: &Taps,
    chosen: Option<&PoolIndices>,
    small: &Tensor,
    dims: &[usize],
    out: &mut Buffer,
) -> Result<Tensor> {
    match chosen {
        Some(PoolIndices::Device(index)) => {
            Ok(device::scatter(taps.inputs, &as_rows(small)?, index)?.reshape(dims)?)
        }
        Some(PoolIndices::Cpu(indices)) => {
            let (large, channels) = (out.get(dims, small)?, dims[dims.len() - 1]);
            with_real!(small, T => {
                let small = view::<T>(small)?;
                fill::<T>(&large, |large| scatter_cpu(taps, channels, &small, indices.read(), large))
            })?;
            Ok(large)
        }
        None => Err(no_indices()),
    }
}

/// Unpooling with the indices of the paired max pooling.
pub(crate) struct Unpool {
    taps: Taps,
    output: Shape,
    slot: usize,
    input_dims: Dims,
    y: Buffer,
    dx: Buffer,
}

impl Unpool {
    pub(crate) fn new(geometry: &Geometry, output: &Shape, slot: usize) -> Unpool {
        Unpool {
            taps: Taps::new(geometry),
            output: output.clone(),
            slot,
            input_dims: Dims::default(),
            y: Buffer::default(),
            dx: Buffer::default(),
        }
    }
}

impl Layer for Unpool {
    fn buffers(&mut self) -> Option<(&mut Buffer, &mut Buffer)> {
        Some((&mut self.y, &mut self.dx))
    }

    fn forward(&mut self, x: &Tensor, cx: &mut Context<'_>) -> Result<Tensor> {
        self.input_dims = Dims::of(x);
        let dims = channels_last(x.dims()[0], &self.output);
        spread(
            &self.taps,
            cx.slots[self.slot].as_ref(),
            x,
            &dims,
            &mut self.y,
        )
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
        match &cx.slots[self.slot] {
            Some(PoolIndices::Device(index)) => Ok(Some(
                device::gather(&as_rows(gradient)?, index)?.reshape(&*self.input_dims)?,
            )),
            Some(PoolIndices::Cpu(indices)) => {
                let (dx, taps) = (self.dx.get(&self.input_dims, gradient)?, &self.taps);
                let channels = self.output.channels();
                with_real!(gradient, T => {
                    let gradient = view::<T>(gradient)?;
                    fill::<T>(&dx, |dx| gather_cpu(taps, channels, &gradient, indices.read(), dx))
                })?;
                Ok(Some(dx))
            }
            None => Err(no_indices()),
        }
    }
}
