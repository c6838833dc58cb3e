//! Tensors as a safetensors file, written in one step, with one entry of metadata.

use candle_core::{DType, Device, Tensor};
use safetensors::tensor::{Dtype, TensorView};
use safetensors::{SafeTensorError, serialize};
use std::collections::HashMap;
use std::path::Path;
use strata_core::atomic_write::write_atomic;

/// The metadata's key. One key alone: several would be written in no fixed order.
pub(crate) const KEY: &str = "strata";

/// Writes tensors as a safetensors file in one step.
pub(crate) fn write(path: &Path, blobs: &[Blob], metadata: Option<String>) -> Result<(), String> {
    let views: Vec<_> = blobs
        .iter()
        .map(Blob::view)
        .collect::<Result<_, _>>()
        .map_err(|e| e.to_string())?;
    let metadata = metadata.map(|json| HashMap::from([(KEY.to_owned(), json)]));
    let bytes = serialize(views, metadata).map_err(|error| error.to_string())?;
    write_atomic(path, &bytes).map_err(|error| error.to_string())
}

/// A tensor's bytes, little-endian.
#[derive(Debug)]
pub(crate) struct Blob {
    key: String,
    dtype: Dtype,
    dims: Vec<usize>,
    bytes: Vec<u8>,
}

impl Blob {
    /// A tensor from its bytes.
    pub fn new(key: &str, dtype: Dtype, dims: Vec<usize>, bytes: Vec<u8>) -> Blob {
        Blob {
            key: key.to_owned(),
            dtype,
            dims,
            bytes,
        }
    }

    /// A tensor's numbers, from whatever device.
    pub fn of(key: String, tensor: &Tensor) -> candle_core::Result<Blob> {
        let flat = tensor.to_device(&Device::Cpu)?.flatten_all()?;
        let (dtype, bytes) = match tensor.dtype() {
            DType::F64 => (
                Dtype::F64,
                flat.to_vec1::<f64>()?
                    .iter()
                    .flat_map(|v| v.to_le_bytes())
                    .collect(),
            ),
            DType::I64 => (
                Dtype::I64,
                flat.to_vec1::<i64>()?
                    .iter()
                    .flat_map(|v| v.to_le_bytes())
                    .collect(),
            ),
            DType::U32 => (
                Dtype::U32,
                flat.to_vec1::<u32>()?
                    .iter()
                    .flat_map(|v| v.to_le_bytes())
                    .collect(),
            ),
            DType::U8 => (Dtype::U8, flat.to_vec1::<u8>()?),
            _ => {
                let values = flat.to_dtype(DType::F32)?.to_vec1::<f32>()?;
                (
                    Dtype::F32,
                    values.iter().flat_map(|v| v.to_le_bytes()).collect(),
                )
            }
        };
        Ok(Blob {
            key,
            dtype,
            dims: tensor.dims().to_vec(),
            bytes,
        })
    }

    fn view(&self) -> Result<(&str, TensorView<'_>), SafeTensorError> {
        Ok((
            &self.key,
            TensorView::new(self.dtype, self.dims.clone(), &self.bytes)?,
        ))
    }
}
