//! Candle tensors as slices, and output buffers that live from step to step.

use super::real::Real;
use crate::nn::NnError;
use candle_core::{CpuStorage, DType, InplaceOp1, Layout, Storage, StorageRef, Tensor};
use std::cell::RefCell;
use std::marker::PhantomData;
use std::ops::{Deref, Range};
use std::sync::Arc;

/// Read access to a contiguous CPU tensor as one slice, for as long as it lives.
pub struct View<'a, T> {
    storage: StorageRef<'a>,
    range: Range<usize>,
    element: PhantomData<T>,
}

/// The numbers of a contiguous CPU tensor of type `T`.
pub fn view<T: Real>(tensor: &Tensor) -> Result<View<'_, T>, NnError> {
    let (storage, layout) = tensor.storage_and_layout();
    let range = contiguous(layout)?;
    let legal = matches!(&*storage, Storage::Cpu(cpu) if T::slice(cpu).is_some_and(|s| s.len() >= range.end));
    if !legal {
        return Err(NnError::Unsupported("reading a tensor of another type or device as a slice".into()));
    }
    Ok(View { storage, range, element: PhantomData })
}

fn contiguous(layout: &Layout) -> Result<Range<usize>, NnError> {
    let (start, end) = layout
        .contiguous_offsets()
        .ok_or_else(|| NnError::Unsupported("a tensor that is not contiguous as a slice".into()))?;
    Ok(start..end)
}

impl<T: Real> Deref for View<'_, T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        match &*self.storage {
            Storage::Cpu(cpu) => T::slice(cpu).and_then(|s| s.get(self.range.clone())).unwrap_or(&[]),
            _ => &[],
        }
    }
}

/// Lets `write` fill the numbers of a contiguous CPU tensor in place. No [`View`] of the same tensor may
/// be alive: writing waits for it.
pub fn fill<T: Real>(tensor: &Tensor, write: impl FnOnce(&mut [T])) -> Result<(), NnError> {
    let op = Fill { write: RefCell::new(Some(write)), element: PhantomData };
    tensor.inplace_op1(&op)?;
    Ok(())
}

struct Fill<T, F> {
    write: RefCell<Option<F>>,
    element: PhantomData<T>,
}

impl<T: Real, F: FnOnce(&mut [T])> InplaceOp1 for Fill<T, F> {
    fn name(&self) -> &'static str {
        "fill"
    }

    fn cpu_fwd(&self, storage: &mut CpuStorage, layout: &Layout) -> candle_core::Result<()> {
        let range = contiguous(layout).map_err(candle_core::Error::wrap)?;
        let slice = T::slice_mut(storage).and_then(|s| s.get_mut(range));
        match (slice, self.write.borrow_mut().take()) {
            (Some(slice), Some(write)) => {
                write(slice);
                Ok(())
            }
            _ => candle_core::bail!("writing a tensor of another type as a slice"),
        }
    }
}

/// An output tensor that is kept and overwritten from step to step while its shape stays.
#[derive(Debug, Default)]
pub struct Buffer(Option<Tensor>);

impl Buffer {
    /// A tensor of this shape with the type and device of `like`. Holds old numbers.
    pub fn get(&mut self, dims: &[usize], like: &Tensor) -> Result<Tensor, NnError> {
        self.get_as(dims, like.dtype(), like)
    }

    /// The same, of another type.
    pub fn get_as(&mut self, dims: &[usize], dtype: DType, like: &Tensor) -> Result<Tensor, NnError> {
        if let Some(tensor) = &self.0
            && tensor.dims() == dims
            && tensor.dtype() == dtype
        {
            return Ok(tensor.clone());
        }
        let tensor = Tensor::zeros(dims, dtype, like.device())?;
        self.0 = Some(tensor.clone());
        Ok(tensor)
    }

    /// The tensor that was lent last.
    pub fn latest(&self) -> Result<Tensor, NnError> {
        self.0.clone().ok_or_else(|| NnError::Unsupported("a backward pass without a forward pass before it".into()))
    }
}

/// Indices shared between a max pooling and its unpooling, reused from step to step once nobody else
/// holds them.
#[derive(Clone, Debug, Default)]
pub struct Indices(Arc<Vec<u32>>);

impl Indices {
    /// Exactly `len` numbers to write.
    pub fn writable(&mut self, len: usize) -> &mut [u32] {
        if Arc::get_mut(&mut self.0).is_none() {
            self.0 = Arc::new(Vec::new());
        }
        match Arc::get_mut(&mut self.0) {
            Some(indices) => {
                indices.resize(len, 0);
                indices
            }
            None => &mut [],
        }
    }

    /// The numbers.
    pub fn read(&self) -> &[u32] {
        &self.0
    }
}

/// Writes several distinct tensors at once.
pub fn fill_all<T: Real>(tensors: &[&Tensor], write: impl FnOnce(&mut [&mut [T]])) -> Result<(), NnError> {
    fill_rest(tensors, Vec::new(), write)
}

/// Opens the tensors that are left, one inside the other, then writes.
fn fill_rest<T: Real, F: FnOnce(&mut [&mut [T]])>(
    tensors: &[&Tensor],
    mut opened: Vec<&mut [T]>,
    write: F,
) -> Result<(), NnError> {
    let Some((first, rest)) = tensors.split_first() else {
        write(&mut opened);
        return Ok(());
    };
    let mut inner = Ok(());
    fill::<T>(first, |slice| {
        let mut opened: Vec<&mut [T]> = opened;
        opened.push(slice);
        inner = fill_rest(rest, opened, write);
    })?;
    inner
}
