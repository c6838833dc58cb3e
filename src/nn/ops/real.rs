//! The element types of the CPU kernels: f32 for work, f64 for finite differences.

use super::functions;
use super::simd::Vectors;
use super::storage::ALIGNMENT;
use candle_core::{CpuStorage, WithDType};
use std::cell::RefCell;

thread_local! {
    static SCRATCH_F32: RefCell<Vec<f32>> = const { RefCell::new(Vec::new()) };
    static SCRATCH_F64: RefCell<Vec<f64>> = const { RefCell::new(Vec::new()) };
}

/// f32 or f64. Candle's `from_f64` and `to_f64` are calls of another crate's functions: within loops [`Real::narrow`]
/// and [`Real::wide`], which become part of them.
pub trait Real: WithDType + num_traits::Float + std::iter::Sum + Vectors {
    /// Lends `len` elements of this thread's scratch, which keeps its memory and values between calls. A
    /// nested call gets a new array.
    fn with_scratch<R>(len: usize, work: impl FnOnce(&mut [Self]) -> R) -> R;
    /// From f64, rounded.
    fn narrow(value: f64) -> Self;
    /// As f64, exactly.
    fn wide(self) -> f64;
    /// eˣ.
    fn exponential(self) -> Self;
    /// eˣ − 1, exact near 0.
    fn exponential_minus_one(self) -> Self;
    /// tanh x.
    fn hyperbolic_tangent(self) -> Self;
    /// The standard normal distribution: the probability of a value below, and the density.
    fn normal(self) -> (Self, Self);
    /// The elements of a CPU storage, if they have this type.
    fn slice(storage: &CpuStorage) -> Option<&[Self]>;
    /// The elements of a CPU storage, mutable.
    fn slice_mut(storage: &mut CpuStorage) -> Option<&mut [Self]>;
}

impl Real for f32 {
    fn with_scratch<R>(len: usize, work: impl FnOnce(&mut [f32]) -> R) -> R {
        SCRATCH_F32.with(|scratch| lend(scratch, len, work))
    }

    #[inline(always)]
    fn narrow(value: f64) -> f32 {
        value as f32
    }

    #[inline(always)]
    fn wide(self) -> f64 {
        f64::from(self)
    }

    #[inline(always)]
    fn exponential(self) -> f32 {
        functions::exp(self)
    }

    #[inline(always)]
    fn exponential_minus_one(self) -> f32 {
        functions::exp_minus_one(self)
    }

    #[inline(always)]
    fn hyperbolic_tangent(self) -> f32 {
        functions::tanh(self)
    }

    #[inline(always)]
    fn normal(self) -> (f32, f32) {
        functions::normal(self)
    }

    fn slice(storage: &CpuStorage) -> Option<&[f32]> {
        match storage {
            CpuStorage::F32(values) => Some(values),
            _ => None,
        }
    }

    fn slice_mut(storage: &mut CpuStorage) -> Option<&mut [f32]> {
        match storage {
            CpuStorage::F32(values) => Some(values),
            _ => None,
        }
    }
}

impl Real for f64 {
    fn with_scratch<R>(len: usize, work: impl FnOnce(&mut [f64]) -> R) -> R {
        SCRATCH_F64.with(|scratch| lend(scratch, len, work))
    }

    #[inline(always)]
    fn narrow(value: f64) -> f64 {
        value
    }

    #[inline(always)]
    fn wide(self) -> f64 {
        self
    }

    fn exponential(self) -> f64 {
        self.exp()
    }

    fn exponential_minus_one(self) -> f64 {
        self.exp_m1()
    }

    fn hyperbolic_tangent(self) -> f64 {
        self.tanh()
    }

    fn normal(self) -> (f64, f64) {
        let below = candle_core::cpu::erf::erf_f64(self * std::f64::consts::FRAC_1_SQRT_2);
        let density = (-0.5 * self * self).exp() / (2.0 * std::f64::consts::PI).sqrt();
        (0.5 * (1.0 + below), density)
    }

    fn slice(storage: &CpuStorage) -> Option<&[f64]> {
        match storage {
            CpuStorage::F64(values) => Some(values),
            _ => None,
        }
    }

    fn slice_mut(storage: &mut CpuStorage) -> Option<&mut [f64]> {
        match storage {
            CpuStorage::F64(values) => Some(values),
            _ => None,
        }
    }
}

fn lend<T: Copy + Default, R>(
    scratch: &RefCell<Vec<T>>,
    len: usize,
    work: impl FnOnce(&mut [T]) -> R,
) -> R {
    let need = len + ALIGNMENT / size_of::<T>();
    match scratch.try_borrow_mut() {
        Ok(mut scratch) => {
            if scratch.len() < need {
                // Exactly: a kernel's need does not grow again.
                let more = need - scratch.len();
                scratch.reserve_exact(more);
                scratch.resize(need, T::default());
            }
            work(aligned(&mut scratch, len))
        }
        Err(_) => work(aligned(&mut vec![T::default(); need], len)),
    }
}

/// So many elements from the first one that a vector may begin with.
fn aligned<T>(numbers: &mut [T], len: usize) -> &mut [T] {
    let first = numbers.as_ptr().align_offset(ALIGNMENT);
    let first = first.min(numbers.len() - len);
    &mut numbers[first..first + len]
}
