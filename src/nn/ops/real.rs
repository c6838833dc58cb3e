//! The element types of the CPU kernels: f32 for work, f64 for finite differences.

use candle_core::{CpuStorage, WithDType};

/// f32 or f64.
pub trait Real: WithDType + num_traits::Float + std::iter::Sum {
    /// The numbers of a CPU storage, if they are of this type.
    fn slice(storage: &CpuStorage) -> Option<&[Self]>;
    /// The same, to write.
    fn slice_mut(storage: &mut CpuStorage) -> Option<&mut [Self]>;
    /// From an f64, rounded.
    fn of(value: f64) -> Self {
        <Self as WithDType>::from_f64(value)
    }
    /// To an f64, exact.
    fn wide(self) -> f64 {
        <Self as WithDType>::to_f64(self)
    }
}

impl Real for f32 {
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
