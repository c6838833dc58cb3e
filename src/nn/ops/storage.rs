//! Candle tensors as slices, and output buffers that live from step to step.

use super::real::Real;
use crate::NnError;
use candle_core::{CpuStorage, InplaceOp1, Layout, Storage, StorageRef, Tensor};
use std::cell::RefCell;
use std::marker::PhantomData;
use std::ops::{Deref, Range};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Read access to a contiguous CPU tensor as one slice, for as long as it lives.
pub struct View<'a, T> {
    storage: StorageRef<'a>,
    range: Range<usize>,
    element: PhantomData<T>,
}

/// The elements of a contiguous CPU tensor of type `T`.
pub fn view<T: Real>(tensor: &Tensor) -> Result<View<'_, T>, NnError> {
    let (storage, layout) = tensor.storage_and_layout();
    let range = contiguous(layout)?;
    let legal = matches!(&*storage, Storage::Cpu(cpu) if T::slice(cpu).is_some_and(|s| s.len() >= range.end));
    if !legal {
        return Err(NnError::Unsupported(
            "reading a tensor of another type or device as a slice".into(),
        ));
    }
    Ok(View {
        storage,
        range,
        element: PhantomData,
    })
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
            Storage::Cpu(cpu) => T::slice(cpu)
                .and_then(|s| s.get(self.range.clone()))
                .unwrap_or(&[]),
            _ => &[],
        }
    }
}

/// Lets `write` fill the elements of a contiguous CPU tensor in place. No [`View`] of the same tensor may
/// be alive: writing waits for it.
pub fn fill<T: Real>(tensor: &Tensor, write: impl FnOnce(&mut [T])) -> Result<(), NnError> {
    let mut write = Some(write);
    fill_with(tensor, &mut |elements: &mut [T]| {
        if let Some(write) = write.take() {
            write(elements);
        }
    })
}

/// Writes elements.
type Write<'a, T> = dyn FnMut(&mut [T]) + 'a;

/// Not generic over the closure: candle's in-place operation would be compiled again for each of them.
fn fill_with<'a, T: Real>(tensor: &Tensor, write: &'a mut Write<'a, T>) -> Result<(), NnError> {
    let op = Fill {
        write: RefCell::new(write),
    };
    tensor.inplace_op1(&op)?;
    Ok(())
}

struct Fill<'a, T> {
    write: RefCell<&'a mut Write<'a, T>>,
}

impl<T: Real> InplaceOp1 for Fill<'_, T> {
    fn name(&self) -> &'static str {
        "fill"
    }

    fn cpu_fwd(&self, storage: &mut CpuStorage, layout: &Layout) -> candle_core::Result<()> {
        let range = contiguous(layout).map_err(candle_core::Error::wrap)?;
        match T::slice_mut(storage).and_then(|s| s.get_mut(range)) {
            Some(elements) => {
                (self.write.borrow_mut())(elements);
                Ok(())
            }
            None => candle_core::bail!("writing a tensor of another type as a slice"),
        }
    }
}

/// Bytes of the widest vector, and of a line of the caches: vectors that begin at a multiple never lie in two lines.
pub(super) const ALIGNMENT: usize = 64;

/// Memory that buffers write to, one of them at a time.
#[derive(Clone, Debug, Default)]
pub struct Memory(Arc<Mutex<Slab>>);

#[derive(Debug, Default)]
struct Slab {
    /// All of it, in one axis.
    tensor: Option<Tensor>,
    /// What each buffer was lent last, by the buffer's number. They go when the memory is replaced: otherwise
    /// the first steps would hold every size that it ever had.
    lent: Vec<(u64, Tensor)>,
}

impl Memory {
    fn lock(&self) -> MutexGuard<'_, Slab> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Gives back what is there. Tensors that were lent live on for those who hold them.
    pub fn clear(&self) {
        *self.lock() = Slab::default();
    }
}

impl Slab {
    /// The memory, replaced where it is too small or of another kind. On the CPU it begins where a vector may.
    fn room(&mut self, count: usize, like: &Tensor) -> Result<Tensor, NnError> {
        let fits = |all: &Tensor| all.elem_count() >= count && is_of_kind(all, like);
        if let Some(all) = self.tensor.as_ref().filter(|all| fits(all)) {
            return Ok(all.clone());
        }
        *self = Slab::default();
        let spare = if like.device().is_cpu() {
            ALIGNMENT / like.dtype().size_in_bytes()
        } else {
            0
        };
        let all = Tensor::zeros(count + spare, like.dtype(), like.device())?;
        let all = all.narrow(0, unaligned(&all).min(spare), count)?;
        self.tensor = Some(all.clone());
        Ok(all)
    }

    fn lent_to(&self, buffer: u64) -> Option<&Tensor> {
        self.lent
            .iter()
            .find(|(owner, _)| *owner == buffer)
            .map(|(_, tensor)| tensor)
    }

    fn take_back(&mut self, buffer: u64) {
        self.lent.retain(|(owner, _)| *owner != buffer);
    }
}

/// Elements before the first one that lies at a multiple of [`ALIGNMENT`].
fn unaligned(tensor: &Tensor) -> usize {
    let (storage, _) = tensor.storage_and_layout();
    match &*storage {
        Storage::Cpu(CpuStorage::F32(numbers)) => numbers.as_ptr().align_offset(ALIGNMENT),
        Storage::Cpu(CpuStorage::F64(numbers)) => numbers.as_ptr().align_offset(ALIGNMENT),
        _ => 0,
    }
}

fn is_of_kind(tensor: &Tensor, like: &Tensor) -> bool {
    tensor.dtype() == like.dtype() && tensor.device().same_device(like.device())
}

/// An output tensor that is kept and overwritten from step to step. A smaller batch gets the beginning of a
/// larger one's memory.
#[derive(Debug)]
pub struct Buffer {
    /// Distinguishes this buffer from others on the same memory.
    number: u64,
    memory: Memory,
}

impl Default for Buffer {
    fn default() -> Buffer {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        Buffer {
            number: NEXT.fetch_add(1, Ordering::Relaxed),
            memory: Memory::default(),
        }
    }
}

impl Buffer {
    /// A tensor of this shape with the type and device of `like`. Holds old values.
    pub fn get(&mut self, dims: &[usize], like: &Tensor) -> Result<Tensor, NnError> {
        let mut slab = self.memory.lock();
        let fits = |tensor: &&Tensor| tensor.dims() == dims && is_of_kind(tensor, like);
        if let Some(tensor) = slab.lent_to(self.number).filter(fits) {
            return Ok(tensor.clone());
        }
        slab.take_back(self.number);
        let count = dims.iter().product::<usize>();
        let tensor = slab.room(count, like)?.narrow(0, 0, count)?.reshape(dims)?;
        slab.lent.push((self.number, tensor.clone()));
        Ok(tensor)
    }

    /// Writes to this memory from now on; what was lent before stays as it is.
    pub(crate) fn move_to(&mut self, memory: &Memory) {
        if !Arc::ptr_eq(&self.memory.0, &memory.0) {
            self.memory.lock().take_back(self.number);
            self.memory = memory.clone();
        }
    }

    /// Whether a tensor is the one that was lent last.
    pub(crate) fn has_lent(&self, tensor: &Tensor) -> bool {
        self.memory
            .lock()
            .lent_to(self.number)
            .is_some_and(|lent| lent.id() == tensor.id())
    }

    /// The tensor that was lent last.
    pub fn latest(&self) -> Result<Tensor, NnError> {
        let lent = self.memory.lock().lent_to(self.number).cloned();
        lent.ok_or_else(|| {
            NnError::Unsupported("a backward pass without a forward pass before it".into())
        })
    }
}

/// Indices shared between a max pooling and its unpooling, reused from step to step once nothing else
/// holds them.
#[derive(Clone, Debug, Default)]
pub struct Indices(Arc<Vec<u32>>);

impl Indices {
    /// Exactly `len` elements to write.
    pub(crate) fn writable(&mut self, len: usize) -> &mut [u32] {
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

    /// The elements.
    pub fn read(&self) -> &[u32] {
        &self.0
    }
}

/// Writes two distinct tensors at once.
pub(crate) fn fill_both<T: Real>(
    a: &Tensor,
    b: &Tensor,
    write: impl FnOnce(&mut [T], &mut [T]),
) -> Result<(), NnError> {
    let mut inner = Ok(());
    fill::<T>(a, |a| inner = fill::<T>(b, |b| write(a, b)))?;
    inner
}
