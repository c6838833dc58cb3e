//! Tensors as a safetensors file with one entry of metadata. It is written in one step and tensor by tensor, and read
//! tensor by tensor: a checkpoint may be as large as all else that a training holds.

use candle_core::{CpuStorage, DType, Device, Storage, Tensor};
use safetensors::tensor::{Dtype, Metadata, TensorInfo};
use std::collections::HashMap;
use std::fs::File;
use std::io::{self, Read, Write};
use std::path::Path;
use strata_core::atomic_write::{write_unsynced, write_with};
use strata_core::{files, system_memory};

/// The metadata's key. One key alone: several would be written in no fixed order.
pub(crate) const KEY: &str = "strata";
/// Bytes of the header's length, and what the header is filled up to a multiple of.
const WORD: usize = 8;
/// Values that are turned into bytes at a time.
const PIECE: usize = 1 << 14;

/// Writes tensors as a safetensors file in one step.
pub(crate) fn write(path: &Path, blobs: Vec<Blob>, metadata: Option<String>) -> Result<(), String> {
    let content = Content::of(blobs, metadata)?;
    let written = write_with(path, |file| content.write(file));
    written.map_err(|error| error.to_string())
}

/// The same without waiting for the disk, for a file that may be lost with the power.
pub(crate) fn write_quickly(
    path: &Path,
    blobs: Vec<Blob>,
    metadata: Option<String>,
) -> Result<(), String> {
    let content = Content::of(blobs, metadata)?;
    let written = write_unsynced(path, |file| content.write(file));
    written.map_err(|error| error.to_string())
}

/// The header and the tensors of a file, in their order.
struct Content {
    header: Vec<u8>,
    blobs: Vec<Blob>,
}

impl Content {
    fn of(mut blobs: Vec<Blob>, metadata: Option<String>) -> Result<Content, String> {
        // The order of the format: large types first, then by name.
        blobs.sort_by(|a, b| b.dtype.cmp(&a.dtype).then_with(|| a.key.cmp(&b.key)));
        let header = header(&blobs, metadata)?;
        Ok(Content { header, blobs })
    }

    fn write(&self, file: &mut File) -> io::Result<()> {
        file.write_all(&(self.header.len() as u64).to_le_bytes())?;
        file.write_all(&self.header)?;
        self.blobs.iter().try_for_each(|blob| blob.write(file))
    }
}

fn header(blobs: &[Blob], metadata: Option<String>) -> Result<Vec<u8>, String> {
    let mut start = 0;
    let mut infos = Vec::with_capacity(blobs.len());
    for blob in blobs {
        let end = start + blob.len();
        let info = TensorInfo {
            dtype: blob.dtype,
            shape: blob.dims.clone(),
            data_offsets: (start, end),
        };
        infos.push((blob.key.clone(), info));
        start = end;
    }
    let metadata = metadata.map(|json| HashMap::from([(KEY.to_owned(), json)]));
    let header = Metadata::new(metadata, infos).map_err(|error| error.to_string())?;
    let mut bytes = serde_json::to_vec(&header).map_err(|error| error.to_string())?;
    bytes.resize(bytes.len().next_multiple_of(WORD), b' ');
    Ok(bytes)
}

/// A tensor on its way into a file.
#[derive(Debug)]
pub(crate) struct Blob {
    key: String,
    dtype: Dtype,
    dims: Vec<usize>,
    content: BlobContent,
}

#[derive(Debug)]
enum BlobContent {
    /// Little-endian.
    Bytes(Vec<u8>),
    /// Shares its memory with whoever computes with it.
    Tensor(Tensor),
}

impl Blob {
    /// A tensor from its bytes.
    pub fn new(key: &str, dtype: Dtype, dims: Vec<usize>, bytes: Vec<u8>) -> Blob {
        Blob {
            key: key.to_owned(),
            dtype,
            dims,
            content: BlobContent::Bytes(bytes),
        }
    }

    /// A tensor of whatever device; its numbers are read when they are written.
    pub fn of(key: String, tensor: &Tensor) -> Blob {
        let dtype = match tensor.dtype() {
            DType::F64 => Dtype::F64,
            DType::I64 => Dtype::I64,
            DType::U32 => Dtype::U32,
            DType::U8 => Dtype::U8,
            _ => Dtype::F32,
        };
        Blob {
            key,
            dtype,
            dims: tensor.dims().to_vec(),
            content: BlobContent::Tensor(tensor.clone()),
        }
    }

    /// Its bytes in the file.
    fn len(&self) -> usize {
        self.dims.iter().product::<usize>() * self.dtype.bitsize() / 8
    }

    fn write(&self, file: &mut dyn Write) -> io::Result<()> {
        match &self.content {
            BlobContent::Bytes(bytes) => file.write_all(bytes),
            BlobContent::Tensor(tensor) => write_values(tensor, file),
        }
    }
}

/// Writes the numbers of a tensor; those of types that files of ours do not have as f32.
fn write_values(tensor: &Tensor, file: &mut dyn Write) -> io::Result<()> {
    let tensor = tensor
        .to_device(&Device::Cpu)
        .and_then(|tensor| tensor.contiguous())
        .map_err(io::Error::other)?;
    let (storage, layout) = tensor.storage_and_layout();
    let (Storage::Cpu(storage), Some((start, end))) = (&*storage, layout.contiguous_offsets())
    else {
        return Err(io::Error::other("a tensor that is in no order in memory"));
    };
    match storage {
        CpuStorage::F32(values) => put(&values[start..end], f32::to_le_bytes, file),
        CpuStorage::F64(values) => put(&values[start..end], f64::to_le_bytes, file),
        CpuStorage::I64(values) => put(&values[start..end], i64::to_le_bytes, file),
        CpuStorage::U32(values) => put(&values[start..end], u32::to_le_bytes, file),
        CpuStorage::U8(values) => file.write_all(&values[start..end]),
        _ => {
            let floats = tensor.to_dtype(DType::F32).map_err(io::Error::other)?;
            write_values(&floats, file)
        }
    }
}

fn put<T: Copy, const N: usize>(
    values: &[T],
    bytes: impl Fn(T) -> [u8; N],
    file: &mut dyn Write,
) -> io::Result<()> {
    let mut piece = Vec::with_capacity(N * PIECE.min(values.len()));
    for values in values.chunks(PIECE) {
        piece.clear();
        values
            .iter()
            .for_each(|&value| piece.extend_from_slice(&bytes(value)));
        file.write_all(&piece)?;
    }
    Ok(())
}

/// What a safetensors file holds: its tensors on the CPU, and our entry of its metadata. Never trusts the file.
pub(crate) fn read(path: &Path) -> Result<(HashMap<String, Tensor>, Option<String>), String> {
    let words = |error: io::Error| error.to_string();
    let mut file = files::open_regular(path).map_err(words)?;
    let len = file.metadata().map_err(words)?.len();
    system_memory::check(len)?;
    let metadata = read_header(&mut file, len)?;
    let mut tensors = HashMap::new();
    for key in metadata.offset_keys() {
        if let Some(info) = metadata.info(&key) {
            let tensor = read_tensor(&mut file, info)?;
            tensors.insert(key, tensor);
        }
    }
    let ours = metadata.metadata().as_ref().and_then(|map| map.get(KEY));
    Ok((tensors, ours.cloned()))
}

/// The header, whose tensors fill the rest of the file exactly.
fn read_header(file: &mut File, len: u64) -> Result<Metadata, String> {
    let too_short = "it is shorter than it says";
    let mut word = [0; WORD];
    file.read_exact(&mut word)
        .map_err(|_| too_short.to_owned())?;
    let size = u64::from_le_bytes(word);
    let rest = len.saturating_sub(WORD as u64);
    if size > rest {
        return Err(too_short.to_owned());
    }
    let mut bytes = Vec::new();
    Read::take(&mut *file, size)
        .read_to_end(&mut bytes)
        .map_err(|error| error.to_string())?;
    let metadata: Metadata =
        serde_json::from_slice(&bytes).map_err(|_| "its list of tensors is damaged".to_owned())?;
    match metadata.data_len() as u64 == rest - size {
        true => Ok(metadata),
        false => Err("its tensors are not as long as it says".to_owned()),
    }
}

fn read_tensor(file: &mut File, info: &TensorInfo) -> Result<Tensor, String> {
    let (start, end) = info.data_offsets;
    let mut bytes = vec![0; end - start];
    file.read_exact(&mut bytes)
        .map_err(|error| error.to_string())?;
    let tensor = DType::try_from(info.dtype)
        .and_then(|dtype| Tensor::from_raw_buffer(&bytes, dtype, &info.shape, &Device::Cpu));
    tensor.map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use safetensors::tensor::TensorView;

    /// Streamed or made in memory by the library, a file has the same bytes.
    #[test]
    fn the_file_is_the_one_that_safetensors_makes() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.safetensors");
        let floats: Vec<f32> = (0..40_000).map(|i| (i as f32).sin()).collect();
        let tensor = Tensor::from_slice(&floats, (200, 200), &Device::Cpu).unwrap();
        let turned = tensor.t().unwrap();
        let steps = Tensor::new(&[7i64], &Device::Cpu).unwrap();
        let blobs = vec![
            Blob::of("b".into(), &tensor),
            Blob::of("a".into(), &turned),
            Blob::of("steps".into(), &steps),
            Blob::new("bytes", Dtype::U8, vec![3], vec![1, 2, 3]),
        ];
        write(&path, blobs, Some("{}".into())).unwrap();
        let bytes = |values: &[f32]| -> Vec<u8> {
            values
                .iter()
                .flat_map(|value| value.to_le_bytes())
                .collect()
        };
        let turned = turned.flatten_all().unwrap().to_vec1::<f32>().unwrap();
        let parts = [
            ("b", Dtype::F32, vec![200, 200], bytes(&floats)),
            ("a", Dtype::F32, vec![200, 200], bytes(&turned)),
            ("steps", Dtype::I64, vec![1], 7i64.to_le_bytes().to_vec()),
            ("bytes", Dtype::U8, vec![3], vec![1, 2, 3]),
        ];
        let views = parts.iter().map(|(key, dtype, dims, bytes)| {
            (*key, TensorView::new(*dtype, dims.clone(), bytes).unwrap())
        });
        let metadata = HashMap::from([(KEY.to_owned(), "{}".to_owned())]);
        let whole = safetensors::serialize(views, Some(metadata)).unwrap();
        assert!(std::fs::read(&path).unwrap() == whole);
        let (read, entry) = read(&path).unwrap();
        assert_eq!(entry.as_deref(), Some("{}"));
        assert_eq!(
            read["a"].flatten_all().unwrap().to_vec1::<f32>().unwrap(),
            turned
        );
        assert_eq!(read["bytes"].to_vec1::<u8>().unwrap(), [1, 2, 3]);
    }

    #[test]
    fn a_damaged_list_of_tensors_is_told_in_words() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.safetensors");
        for header in ["[]", r#"{"a": "text"}"#, "{"] {
            let mut bytes = (header.len() as u64).to_le_bytes().to_vec();
            bytes.extend_from_slice(header.as_bytes());
            std::fs::write(&path, bytes).unwrap();
            assert_eq!(read(&path).unwrap_err(), "its list of tensors is damaged");
        }
    }
}
