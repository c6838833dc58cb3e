//! Plain numbers as files: NumPy's `.npy`, or CSV.

use super::{WrongInput, output};
use serde_json::Value;
use std::fmt::Write;
use std::path::Path;

/// An array with a name for each axis.
pub struct Numbers<'a> {
    /// The axes' names and lengths; the last varies fastest. Where its columns differ in kind its name is theirs, with
    /// commas between them.
    pub axes: &'a [(&'a str, usize)],
    /// The values.
    pub values: &'a [f32],
}

impl Numbers<'_> {
    /// Writes them: as CSV a line for each row of the last axis, with the indices of the others in front.
    pub fn save(&self, file: &Path) -> anyhow::Result<()> {
        let ends = |ending: &str| {
            let extension = file.extension();
            extension.is_some_and(|found| found.eq_ignore_ascii_case(ending))
        };
        let bytes = match (ends("npy"), ends("csv")) {
            (true, _) => self.npy(),
            (_, true) => self.csv().into_bytes(),
            _ => {
                let npy = file.with_extension("npy");
                let told = format!(
                    "numbers are written as NPY or CSV: give the file a name such as {}",
                    npy.display()
                );
                return Err(WrongInput(told).into());
            }
        };
        output::write_file(file, &bytes)
    }

    fn npy(&self) -> Vec<u8> {
        let lengths: Vec<String> = self
            .axes
            .iter()
            .map(|(_, length)| format!("{length},"))
            .collect();
        let mut header = format!(
            "{{'descr': '<f4', 'fortran_order': False, 'shape': ({}), }}",
            lengths.join(" ")
        );
        // The values begin at a multiple of 64 bytes; ten come before the header, and a line end behind it.
        let rest = (64 - (10 + header.len() + 1) % 64) % 64;
        header.push_str(&" ".repeat(rest));
        header.push('\n');
        let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
        bytes.extend((header.len() as u16).to_le_bytes());
        bytes.extend(header.bytes());
        bytes.extend(self.values.iter().flat_map(|value| value.to_le_bytes()));
        bytes
    }

    fn csv(&self) -> String {
        let Some(((last, length), others)) = self.axes.split_last() else {
            return String::new();
        };
        let names = others.iter().map(|(name, _)| (*name).to_owned());
        let columns: Vec<String> = match last.split(',').count() == *length {
            true => vec![(*last).to_owned()],
            false => (0..*length).map(|index| format!("{last}{index}")).collect(),
        };
        let mut text = names.chain(columns).collect::<Vec<_>>().join(",");
        text.push('\n');
        for (row, values) in self.values.chunks(*length.max(&1)).enumerate() {
            let mut rest = row;
            let mut indices: Vec<usize> = others
                .iter()
                .rev()
                .map(|(_, length)| {
                    let index = rest % length.max(&1);
                    rest /= length.max(&1);
                    index
                })
                .collect();
            indices.reverse();
            let indices = indices.iter().map(usize::to_string);
            let cells = indices.chain(values.iter().map(f32::to_string));
            // Writing to a text cannot fail.
            let _ = writeln!(text, "{}", cells.collect::<Vec<_>>().join(","));
        }
        text
    }
}

/// The figures of one image as they are; of several as a list.
pub fn one_or_all(mut values: Vec<Value>) -> Value {
    match values.len() {
        1 => values.swap_remove(0),
        _ => Value::Array(values),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arrays_are_written_as_numpy_and_as_tables() {
        let numbers = Numbers {
            axes: &[("image", 2), ("row", 1), ("column", 2)],
            values: &[1.0, -0.5, 0.25, 3.0],
        };
        assert_eq!(
            numbers.csv(),
            "image,row,column0,column1\n0,0,1,-0.5\n1,0,0.25,3\n"
        );
        let mixed = Numbers {
            axes: &[("image", 2), ("mse,psnr", 2)],
            ..numbers
        };
        assert!(mixed.csv().starts_with("image,mse,psnr\n0,1,-0.5\n"));
        let npy = numbers.npy();
        assert_eq!((npy.len() - 16) % 64, 0);
        assert!(String::from_utf8_lossy(&npy[..128]).contains("(2, 1, 2,)"));
        assert_eq!(npy[npy.len() - 4..], 3.0f32.to_le_bytes());
    }
}
