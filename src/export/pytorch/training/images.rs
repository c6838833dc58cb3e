//! The images of a project as files of NumPy: bytes where the source has bytes, else fractions of the range from black
//! to white, N×C×H×W; their labels beside them.

use super::unwritten;
use crate::error::ExportError;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use strata_data::{Dataset, SplitData};
use strata_engine::error::RunError;

/// Bytes of a file before its numbers: enough for any shape.
const HEADER: usize = 128;
/// The byte of the brightest pixel.
const WHITE: f32 = 255.0;

/// Writes all splits into a folder; gives the files.
pub(super) fn write(dataset: &Dataset, folder: &Path) -> Result<Vec<PathBuf>, ExportError> {
    let mut files = Vec::new();
    for (split, data) in dataset.splits() {
        let file = folder.join(format!("{split}.npy"));
        if !pixels(data, &file, true)? {
            pixels(data, &file, false)?;
        }
        files.push(file);
        if data.labelled() || data.has_label_sets() {
            let file = folder.join(format!("{split}.labels.npy"));
            let written = match data.has_label_sets() {
                true => label_rows(data, dataset.classes().len(), &file),
                false => labels(data, &file),
            };
            written.map_err(|reason| unwritten(&file, &reason))?;
            files.push(file);
        }
    }
    Ok(files)
}

/// Writes the pixels of a split. False where they were to be bytes and one is none.
fn pixels(data: &SplitData, file: &Path, as_bytes: bool) -> Result<bool, ExportError> {
    let failed = |reason: std::io::Error| unwritten(file, &reason);
    let [height, width, channels] = data.whole_shape();
    let mut out = BufWriter::new(File::create(file).map_err(failed)?);
    let kind = if as_bytes { "|u1" } else { "<f4" };
    let shape = format!("({}, {channels}, {height}, {width})", data.len());
    out.write_all(&header(kind, &shape)).map_err(failed)?;
    let mut image = vec![0.0; height * width * channels];
    let mut bytes = Vec::new();
    for index in 0..data.len() {
        data.read_shares(index, &mut image)
            .map_err(|error| ExportError::Run(RunError::Data(error)))?;
        bytes.clear();
        for channel in 0..channels {
            let values = image.iter().skip(channel).step_by(channels);
            match as_bytes {
                true => {
                    for &value in values {
                        let byte = (value * WHITE).round();
                        if byte / WHITE != value {
                            return Ok(false);
                        }
                        bytes.push(byte as u8);
                    }
                }
                false => bytes.extend(values.flat_map(|value| value.to_le_bytes())),
            }
        }
        out.write_all(&bytes).map_err(failed)?;
    }
    out.flush().map_err(failed)?;
    Ok(true)
}

fn labels(data: &SplitData, file: &Path) -> std::io::Result<()> {
    let mut out = BufWriter::new(File::create(file)?);
    out.write_all(&header("<i8", &format!("({},)", data.len())))?;
    for index in 0..data.len() {
        let label = data.label(index).map_or(-1, i64::from);
        out.write_all(&label.to_le_bytes())?;
    }
    out.flush()
}

/// A row for each image, which may have several labels: 1 for each that it has.
fn label_rows(data: &SplitData, labels: usize, file: &Path) -> std::io::Result<()> {
    let mut out = BufWriter::new(File::create(file)?);
    out.write_all(&header("|u1", &format!("({}, {labels})", data.len())))?;
    let mut row = Vec::new();
    for index in 0..data.len() as u32 {
        row.clear();
        data.push_label_rows(&[index], &mut row);
        let bytes = row.iter().map(|cell| u8::from(*cell > 0.5));
        out.write_all(&bytes.collect::<Vec<u8>>())?;
    }
    out.flush()
}

/// The first bytes of an array file (NumPy's format 1.0).
fn header(kind: &str, shape: &str) -> Vec<u8> {
    let mut header = b"\x93NUMPY\x01\x00".to_vec();
    header.extend(((HEADER - 10) as u16).to_le_bytes());
    header.extend(
        format!("{{'descr': '{kind}', 'fortran_order': False, 'shape': {shape}, }}").bytes(),
    );
    header.resize(HEADER - 1, b' ');
    header.push(b'\n');
    header
}
