//! From a pixel 0..255 to the number the network sees, and back: `range` or `normalize` of the
//! project. Making it fails on settings that would give infinities or make all pixels equal.

use super::input_transform::InputTransform;
use crate::error::DataError;
use std::sync::Arc;
use strata_core::project::data::{DataSpec, MeanStd};

/// What every pixel value becomes, by channel.
pub(crate) struct Scale {
    /// One for every channel, or a single one where all channels are alike.
    tables: Vec<[f32; 256]>,
    /// Whether the numbers are normalised: no user thinks of pixels in those.
    is_normalized: bool,
}

/// The units in which errors of pixels are given: those of `range`, or with `normalize` a pixel from 0 to 1, whatever
/// each channel was divided by.
#[derive(Clone, Debug, PartialEq)]
pub struct PixelUnits {
    /// What a difference of two of the network's numbers is multiplied by, for each channel or for all alike.
    factors: Vec<f32>,
    /// The distance of pixel 0 and pixel 255.
    peak: f32,
    /// The whitening that is undone first.
    whitening: Option<Arc<InputTransform>>,
}

impl PixelUnits {
    /// What a difference of two of the network's numbers is multiplied by, channel after channel without end.
    fn factors(&self) -> impl Iterator<Item = f32> {
        self.factors.iter().copied().cycle()
    }

    /// The mean squared error in pixels where it follows from that of the network's numbers: all channels are alike
    /// and not whitened.
    pub fn of_network_error(&self, mse: f64) -> Option<f64> {
        match self.factors.as_slice() {
            _ if self.whitening.is_some() => None,
            [factor] => Some(mse * f64::from(*factor) * f64::from(*factor)),
            _ => None,
        }
    }

    /// The mean squared error in pixels of images as the network sees them, both with their channels last.
    pub fn mean_square(&self, output: &[f32], target: &[f32]) -> f64 {
        let sum: f64 = match &self.whitening {
            Some(_) => {
                let errors = self.errors(output, target);
                errors.iter().map(|error| f64::from(*error).powi(2)).sum()
            }
            None => {
                let differences = output.iter().zip(target).zip(self.factors());
                let squares = differences.map(|((y, t), factor)| {
                    (f64::from(factor) * (f64::from(*y) - f64::from(*t))).powi(2)
                });
                squares.sum()
            }
        };
        sum / output.len().max(1) as f64
    }

    /// The errors in pixels of such images, value by value.
    pub fn errors(&self, output: &[f32], target: &[f32]) -> Vec<f32> {
        let mut errors: Vec<f32> = output.iter().zip(target).map(|(y, t)| y - t).collect();
        if let Some(whitening) = &self.whitening {
            whitening.undo_differences(&mut errors);
        }
        let pairs = errors.iter_mut().zip(self.factors());
        pairs.for_each(|(error, factor)| *error *= factor);
        errors
    }

    /// The slopes of the sum of their squares with respect to `output`.
    pub fn slopes_of_squares(&self, output: &[f32], target: &[f32]) -> Vec<f32> {
        let mut slopes = self.errors(output, target);
        let pairs = slopes.iter_mut().zip(self.factors());
        pairs.for_each(|(slope, factor)| *slope *= 2.0 * factor);
        if let Some(whitening) = &self.whitening {
            whitening.undo_slopes(&mut slopes);
        }
        slopes
    }

    /// Peak signal-to-noise ratio in dB of a mean squared error in pixels; infinite for an error of 0.
    pub fn psnr(&self, mse: f64) -> f64 {
        let peak = f64::from(self.peak);
        10.0 * (peak * peak / mse).log10()
    }
}

impl Scale {
    /// `usual` is the range where the project says nothing, `measured` what `normalize = "train"` came to (without
    /// it, such a project's pixels become 0 to 1).
    pub fn new(
        spec: &DataSpec,
        channels: usize,
        usual: [f32; 2],
        measured: Option<&MeanStd>,
    ) -> Result<Scale, DataError> {
        let ends = match (&spec.range, &spec.normalize) {
            (Some(_), Some(_)) => {
                return Err(DataError::setting(
                    "range",
                    "given together with normalize, and only one of them can decide what a pixel becomes",
                    "delete one of the two",
                ));
            }
            (range, None) => vec![check_range(range.unwrap_or(usual))?; channels],
            (None, Some(normalize)) => match normalize.numbers().or(measured) {
                Some(numbers) => normalized_ends(&numbers.mean, &numbers.std, channels)?,
                None => vec![[0.0, 1.0]; channels],
            },
        };
        let alike = ends.windows(2).all(|pair| pair[0] == pair[1]);
        let different = if alike { 1 } else { ends.len() };
        Ok(Scale {
            tables: ends.into_iter().take(different).map(table).collect(),
            is_normalized: spec.range.is_none() && spec.normalize.is_some(),
        })
    }

    /// Pixel 0 becomes 0 and pixel 255 becomes 1.
    pub fn shares() -> Scale {
        Scale {
            tables: vec![table([0.0, 1.0])],
            is_normalized: false,
        }
    }

    /// The units of errors, where this is done to whole images afterwards.
    pub fn units(&self, transform: Option<&Arc<InputTransform>>) -> PixelUnits {
        let whitening = transform.filter(|transform| transform.whitens()).cloned();
        let width = |table: &[f32; 256]| (table[255] - table[0]).abs();
        if self.is_normalized {
            return PixelUnits {
                factors: self.tables.iter().map(|table| 1.0 / width(table)).collect(),
                peak: 1.0,
                whitening,
            };
        }
        PixelUnits {
            factors: vec![1.0],
            peak: self.tables.first().map_or(1.0, width),
            whitening,
        }
    }

    /// What black and white become: for each channel, or for all alike.
    pub fn ends(&self) -> Vec<[f32; 2]> {
        self.tables
            .iter()
            .map(|table| [table[0], table[255]])
            .collect()
    }

    /// The least and the greatest number any pixel can become.
    pub fn pixel_range(&self) -> [f32; 2] {
        if let [table] = self.tables.as_slice() {
            return [table[0], table[255]];
        }
        let all = || self.tables.iter().flat_map(|table| [table[0], table[255]]);
        [
            all().fold(f32::INFINITY, f32::min),
            all().fold(f32::NEG_INFINITY, f32::max),
        ]
    }

    /// Pixels to numbers; both H×W×C (or whole rows of it) and of one length.
    pub fn apply(&self, pixels: &[u8], out: &mut [f32]) {
        if let [table] = self.tables.as_slice() {
            for (value, &pixel) in out.iter_mut().zip(pixels) {
                *value = table[usize::from(pixel)];
            }
            return;
        }
        let channels = self.tables.len();
        for (values, pixels) in out
            .chunks_exact_mut(channels)
            .zip(pixels.chunks_exact(channels))
        {
            for ((value, &pixel), table) in values.iter_mut().zip(pixels).zip(&self.tables) {
                *value = table[usize::from(pixel)];
            }
        }
    }

    /// Fractions of the range from pixel 0 to pixel 255 to values; both H×W×C or whole rows of it, and of one length.
    pub(crate) fn apply_to_shares(&self, shares: impl Iterator<Item = f32>, out: &mut [f32]) {
        if let [table] = self.tables.as_slice() {
            let (low, width) = (table[0], table[255] - table[0]);
            out.iter_mut()
                .zip(shares)
                .for_each(|(value, share)| *value = low + width * share);
            return;
        }
        for ((value, share), table) in out.iter_mut().zip(shares).zip(self.tables.iter().cycle()) {
            *value = table[0] + (table[255] - table[0]) * share;
        }
    }

    /// Numbers back to pixels, rounded and clamped; not-a-number becomes 0.
    pub fn to_pixels(&self, values: &[f32]) -> Vec<u8> {
        let tables = self.tables.iter().cycle();
        let back = |(&value, table): (&f32, &[f32; 256])| {
            let share = (value - table[0]) / (table[255] - table[0]);
            (share * 255.0).round().clamp(0.0, 255.0) as u8
        };
        values.iter().zip(tables).map(back).collect()
    }

    /// How many values lie beyond black or white, and so have the byte of its end.
    pub fn outside(&self, values: &[f32]) -> usize {
        const HALF: f32 = 0.5 / 255.0;
        let tables = self.tables.iter().cycle();
        let is_outside = |(value, table): &(&f32, &[f32; 256])| {
            let share = (*value - table[0]) / (table[255] - table[0]);
            !(-HALF..=1.0 + HALF).contains(&share)
        };
        values.iter().zip(tables).filter(is_outside).count()
    }
}

fn check_range(range: [f32; 2]) -> Result<[f32; 2], DataError> {
    let width = range[1] - range[0];
    if width.is_finite() && width != 0.0 {
        return Ok(range);
    }
    Err(DataError::setting(
        "range",
        format!(
            "[{}, {}] makes no difference between black and white",
            range[0], range[1]
        ),
        "write two different numbers, range = [0, 1] or [-1, 1]",
    ))
}

fn normalized_ends(mean: &[f32], std: &[f32], channels: usize) -> Result<Vec<[f32; 2]>, DataError> {
    let help = format!(
        "write {channels} numbers for mean and {channels} greater than 0 for std, one a channel"
    );
    if mean.len() != channels || std.len() != channels {
        let problem = format!(
            "{} means and {} stds for images of {channels} channels",
            mean.len(),
            std.len()
        );
        return Err(DataError::setting("normalize", problem, help));
    }
    let ends: Vec<[f32; 2]> = mean
        .iter()
        .zip(std)
        .map(|(m, s)| [(0.0 - m) / s, (1.0 - m) / s])
        .collect();
    let usable = |([low, high], std): (&[f32; 2], &f32)| {
        *std > 0.0 && (high - low).is_finite() && high != low
    };
    if !ends.iter().zip(std).all(usable) {
        let problem = format!("mean {mean:?} and std {std:?} give no finite numbers");
        return Err(DataError::setting("normalize", problem, help));
    }
    Ok(ends)
}

fn table(ends: [f32; 2]) -> [f32; 256] {
    std::array::from_fn(|pixel| match pixel {
        255 => ends[1],
        _ => ends[0] + (ends[1] - ends[0]) * (pixel as f32 / 255.0),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use strata_core::project::data::Normalize;

    fn made(spec: &DataSpec, channels: usize) -> Result<Scale, DataError> {
        Scale::new(spec, channels, [0.0, 1.0], None)
    }

    fn ranged(range: [f32; 2]) -> DataSpec {
        DataSpec {
            range: Some(range),
            ..DataSpec::default()
        }
    }

    fn normalized(mean: &[f32], std: &[f32]) -> DataSpec {
        DataSpec {
            normalize: Some(Normalize::By(MeanStd {
                mean: mean.to_vec(),
                std: std.to_vec(),
            })),
            ..DataSpec::default()
        }
    }

    fn round_trip(scale: &Scale) {
        let pixels: Vec<u8> = (0..=255).flat_map(|v| [v, 255 - v, v]).collect();
        let mut values = vec![0.0; pixels.len()];
        scale.apply(&pixels, &mut values);
        assert_eq!(scale.to_pixels(&values), pixels);
    }

    #[test]
    fn ranges_are_met_exactly_and_undone() {
        let scale = made(&ranged([-1.0, 1.0]), 3).unwrap();
        assert_eq!(scale.pixel_range(), [-1.0, 1.0]);
        round_trip(&scale);
        assert_eq!(
            scale.to_pixels(&[-9.0, 9.0, f32::NAN, 0.0]),
            [0, 255, 0, 128]
        );
        round_trip(&made(&DataSpec::default(), 1).unwrap());
        assert_eq!(
            made(&ranged([1.0, 0.0]), 3).unwrap().pixel_range(),
            [1.0, 0.0]
        );
    }

    #[test]
    fn normalize_is_by_channel() {
        let scale = made(&normalized(&[0.5, 0.4, 0.3], &[0.5, 0.2, 0.1]), 3).unwrap();
        let mut values = [0.0; 6];
        scale.apply(&[0, 0, 0, 255, 255, 255], &mut values);
        for (value, expected) in values.iter().zip([-1.0, -2.0, -3.0, 1.0, 3.0, 7.0]) {
            assert!((value - expected).abs() < 1e-5, "{value} for {expected}");
        }
        assert_eq!(scale.pixel_range()[0], values[2]);
        round_trip(&scale);
    }

    #[test]
    fn errors_are_those_of_pixels_whatever_they_are_divided_by() {
        let pixels = [10u8, 20, 30, 200, 100, 0];
        let others = [20u8, 0, 30, 190, 140, 5];
        let squares = pixels.iter().zip(&others).map(|(a, b)| {
            let difference = f64::from(a.abs_diff(*b)) / 255.0;
            difference * difference
        });
        let right = squares.sum::<f64>() / 6.0;
        let of = |spec: &DataSpec| {
            let scale = made(spec, 3).unwrap();
            let mut values = [[0.0; 6]; 2];
            scale.apply(&pixels, &mut values[0]);
            scale.apply(&others, &mut values[1]);
            let units = scale.units(None);
            let mse = units.mean_square(&values[0], &values[1]);
            (mse, units.psnr(mse))
        };
        let decibels = -10.0 * right.log10();
        for (spec, unit) in [
            (DataSpec::default(), 1.0),
            (ranged([-1.0, 1.0]), 2.0),
            (ranged([255.0, 0.0]), 255.0),
            (normalized(&[0.5; 3], &[0.05, 0.25, 0.5]), 1.0),
            (normalized(&[0.4; 3], &[0.2; 3]), 1.0),
        ] {
            let (mse, psnr) = of(&spec);
            let wanted = right * unit * unit;
            assert!(
                (mse - wanted).abs() < 1e-5 * wanted,
                "{spec:?}: {mse} {wanted}"
            );
            assert!(
                (psnr - decibels).abs() < 1e-4,
                "{spec:?}: {psnr} {decibels}"
            );
        }
    }

    #[test]
    fn useless_settings_are_refused() {
        for range in [[1.0, 1.0], [0.0, f32::INFINITY], [f32::NAN, 1.0]] {
            assert!(made(&ranged(range), 3).is_err());
        }
        for (mean, std) in [
            (0.5, 0.0),
            (0.5, -1.0),
            (f32::NAN, 1.0),
            (0.5, f32::INFINITY),
        ] {
            assert!(made(&normalized(&[mean], &[std]), 1).is_err());
        }
        assert!(made(&normalized(&[0.5], &[0.5]), 3).is_err());
        let mut both = normalized(&[0.5], &[0.5]);
        both.range = Some([0.0, 1.0]);
        let message = made(&both, 1).err().map(|error| error.to_string());
        assert!(message.unwrap_or_default().contains("delete one"));
    }
}
