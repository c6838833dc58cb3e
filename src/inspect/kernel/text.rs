//! A kernel written as text: rows between `;` or line ends, values between spaces or commas, fractions as `1/9`.

use super::{Kernel, KernelError};

/// Reads a kernel; fails on what is no number, on rows of different length and on sizes that are none.
pub fn parse(text: &str) -> Result<Kernel, KernelError> {
    let rows = text
        .split([';', '\n'])
        .map(str::trim)
        .filter(|row| !row.is_empty());
    let rows: Vec<Vec<f32>> = rows.map(row).collect::<Result<_, _>>()?;
    let first = rows.first().map_or(0, Vec::len);
    if let Some(at) = rows.iter().position(|row| row.len() != first) {
        let has = rows.get(at).map_or(0, Vec::len);
        return Err(KernelError::Ragged {
            row: at + 1,
            has,
            first,
        });
    }
    Kernel::new("own", [rows.len(), first], rows.concat(), 1.0)
}

fn row(text: &str) -> Result<Vec<f32>, KernelError> {
    let words = text
        .split(|letter: char| letter == ',' || letter.is_whitespace())
        .filter(|word| !word.is_empty());
    words
        .map(|word| number(word).ok_or_else(|| KernelError::Value(word.to_owned())))
        .collect()
}

fn number(word: &str) -> Option<f32> {
    let value = match word.split_once('/') {
        Some((over, under)) => over.parse::<f32>().ok()? / under.parse::<f32>().ok()?,
        None => word.parse().ok()?,
    };
    value.is_finite().then_some(value)
}
