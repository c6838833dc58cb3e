//! What an image is made of while it is optimised: pixels, or waves; with colours as they are or decorrelated.
//!
//! The optimised numbers θ become logits, and their sigmoid is the share of the way from black to white, so that no
//! value leaves that range. In the Fourier basis θ are the coefficients of waves, each divided by its frequency as the
//! spectrum of photographs falls (Olah, Mordvintsev, Schubert 2017, "Feature Visualization"); the waves are taken in
//! Hartley's real form, cos + sin, whose transform is its own inverse and transpose. Decorrelated colours are mixed by
//! a root of the training images' colour covariance; with plain gradient steps any root gives the same image.

use serde::{Deserialize, Serialize};
use std::f64::consts::TAU;

/// What an image is made of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Basis {
    /// Pixels.
    #[default]
    Pixel,
    /// Waves, the slower the stronger.
    Fourier,
}

impl Basis {
    /// Both.
    pub const ALL: [Basis; 2] = [Basis::Pixel, Basis::Fourier];

    /// Its word in the terminal, and in the window.
    pub fn word(self) -> &'static str {
        match self {
            Basis::Pixel => "pixel",
            Basis::Fourier => "fourier",
        }
    }

    /// What it is called in the window.
    pub fn name(self) -> &'static str {
        match self {
            Basis::Pixel => "pixels",
            Basis::Fourier => "Fourier",
        }
    }

    /// The basis of this word.
    pub fn of_word(word: &str) -> Option<Basis> {
        Basis::ALL.into_iter().find(|basis| basis.word() == word)
    }
}

/// The map from optimised numbers to logits of pixels, for images of one size.
#[derive(Clone, Debug)]
pub struct Canvas {
    /// Height, width and channels of a slice.
    size: [usize; 3],
    /// Rows and columns of the waves, `side × side` each, symmetric.
    waves: [Vec<f32>; 2],
    /// By how much each coefficient counts, `H × W`.
    spectrum: Vec<f32>,
    /// `C × C`, lower triangular.
    colours: Vec<f32>,
}

impl Canvas {
    /// For slices of this height, width and channels, with the colour covariance (`C × C`) of the training images.
    pub fn new(size: [usize; 3], covariance: &[f64]) -> Canvas {
        let [height, width, channels] = size;
        Canvas {
            size,
            waves: [waves(height), waves(width)],
            spectrum: spectrum(height, width),
            colours: root(covariance, channels),
        }
    }

    /// Logits of an image (`S × H × W × C`), from what is optimised.
    pub fn logits(&self, theta: &[f32], basis: Basis, decorrelated: bool) -> Vec<f32> {
        let mut made = theta.to_vec();
        if basis == Basis::Fourier {
            self.weigh(&mut made, |weight| weight);
            self.transform(&mut made);
        }
        if decorrelated {
            self.mix(&mut made, |to, from| self.colours[to * self.size[2] + from]);
        }
        made
    }

    /// The gradient by what is optimised, from the one by the logits: the transpose of [`Canvas::logits`].
    pub fn pull_back(&self, gradient: &[f32], basis: Basis, decorrelated: bool) -> Vec<f32> {
        let mut back = gradient.to_vec();
        if decorrelated {
            self.mix(&mut back, |to, from| self.colours[from * self.size[2] + to]);
        }
        if basis == Basis::Fourier {
            self.transform(&mut back);
            self.weigh(&mut back, |weight| weight);
        }
        back
    }

    /// What is optimised so that these are the logits.
    pub fn theta(&self, logits: &[f32], basis: Basis, decorrelated: bool) -> Vec<f32> {
        let mut theta = logits.to_vec();
        if decorrelated {
            self.unmix(&mut theta);
        }
        if basis == Basis::Fourier {
            self.transform(&mut theta);
            self.weigh(&mut theta, f32::recip);
        }
        theta
    }

    fn weigh(&self, values: &mut [f32], of: impl Fn(f32) -> f32) {
        let channels = self.size[2].max(1);
        let weights = self.spectrum.iter().cycle();
        for (pixel, weight) in values.chunks_exact_mut(channels).zip(weights) {
            pixel.iter_mut().for_each(|value| *value *= of(*weight));
        }
    }

    /// Hartley's transform of every slice and channel, along columns and along rows.
    fn transform(&self, values: &mut [f32]) {
        let [height, width, channels] = self.size;
        let [down, across] = &self.waves;
        let mut column = vec![0.0f32; height * width * channels];
        for slice in values.chunks_exact_mut((height * width * channels).max(1)) {
            let line = width * channels;
            column.fill(0.0);
            for (to, waves) in down.chunks_exact(height).enumerate() {
                let sums = &mut column[to * line..(to + 1) * line];
                for (wave, row) in waves.iter().zip(slice.chunks_exact(line)) {
                    let pairs = sums.iter_mut().zip(row);
                    pairs.for_each(|(sum, value)| *sum += wave * value);
                }
            }
            slice.fill(0.0);
            for (sums, row) in slice.chunks_exact_mut(line).zip(column.chunks_exact(line)) {
                for (to, waves) in sums
                    .chunks_exact_mut(channels)
                    .zip(across.chunks_exact(width))
                {
                    for (wave, pixel) in waves.iter().zip(row.chunks_exact(channels)) {
                        let pairs = to.iter_mut().zip(pixel);
                        pairs.for_each(|(sum, value)| *sum += wave * value);
                    }
                }
            }
        }
    }

    fn mix(&self, values: &mut [f32], weight: impl Fn(usize, usize) -> f32) {
        let channels = self.size[2].max(1);
        let mut mixed = vec![0.0; channels];
        for pixel in values.chunks_exact_mut(channels) {
            for (to, sum) in mixed.iter_mut().enumerate() {
                let parts = pixel.iter().enumerate();
                *sum = parts.map(|(from, value)| weight(to, from) * value).sum();
            }
            pixel.copy_from_slice(&mixed);
        }
    }

    /// Solves for the colours before mixing, from the first channel on.
    fn unmix(&self, values: &mut [f32]) {
        let channels = self.size[2].max(1);
        for pixel in values.chunks_exact_mut(channels) {
            for to in 0..channels {
                let row = &self.colours[to * channels..(to + 1) * channels];
                let known: f32 = row[..to].iter().zip(&*pixel).map(|(w, v)| w * v).sum();
                pixel[to] = (pixel[to] - known) / row[to];
            }
        }
    }
}

/// cos + sin of every frequency at every place, so scaled that the transform is its own inverse.
fn waves(side: usize) -> Vec<f32> {
    let wave = |index: usize| {
        let (frequency, place) = (index / side, index % side);
        let angle = TAU * ((frequency * place) % side) as f64 / side as f64;
        ((angle.cos() + angle.sin()) / (side as f64).sqrt()) as f32
    };
    (0..side * side).map(wave).collect()
}

/// One over the frequency in cycles over the longer side, at least one; the mean square is 1.
fn spectrum(height: usize, width: usize) -> Vec<f32> {
    let longer = height.max(width).max(1) as f64;
    let of = |index: usize, side: usize| index.min(side - index) as f64 / side as f64;
    let weight = |pixel: usize| {
        let (y, x) = (of(pixel / width, height), of(pixel % width, width));
        1.0 / (longer * y.hypot(x)).max(1.0)
    };
    let weights: Vec<f64> = (0..height * width).map(weight).collect();
    let square = weights.iter().map(|weight| weight * weight).sum::<f64>();
    let scale = (weights.len().max(1) as f64 / square.max(f64::MIN_POSITIVE)).sqrt();
    weights
        .iter()
        .map(|weight| (scale * weight) as f32)
        .collect()
}

/// A share of the mean variance that every channel gets in addition: no colour is quite fixed.
const FLOOR: f64 = 0.02;

/// Cholesky's root of a covariance, scaled to a mean variance of 1; the identity where there is no covariance.
fn root(covariance: &[f64], channels: usize) -> Vec<f32> {
    let variance = (0..channels)
        .filter_map(|channel| covariance.get(channel * (channels + 1)))
        .sum::<f64>()
        / channels.max(1) as f64;
    let is_usable = variance.is_finite() && variance > 0.0;
    let entry = |row: usize, column: usize| {
        let same = f64::from(u8::from(row == column));
        match is_usable {
            true => (covariance[row * channels + column] / variance + FLOOR * same) / (1.0 + FLOOR),
            false => same,
        }
    };
    let mut root = vec![0.0f64; channels * channels];
    for row in 0..channels {
        for column in 0..=row {
            let known: f64 = (0..column)
                .map(|k| root[row * channels + k] * root[column * channels + k])
                .sum();
            let rest = entry(row, column) - known;
            root[row * channels + column] = match row == column {
                true => rest.max(FLOOR * FLOOR).sqrt(),
                false => rest / root[column * channels + column],
            };
        }
    }
    root.iter().map(|value| *value as f32).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values(count: usize, step: usize) -> Vec<f32> {
        let value = |index: usize| ((index * step) % 23) as f32 / 23.0 - 0.5;
        (0..count).map(value).collect()
    }

    fn canvas() -> (Canvas, [usize; 3]) {
        let size = [5, 8, 3];
        let covariance = [0.05, 0.04, 0.03, 0.04, 0.06, 0.05, 0.03, 0.05, 0.07];
        (Canvas::new(size, &covariance), size)
    }

    #[test]
    fn every_basis_goes_back_to_its_numbers() {
        let (canvas, size) = canvas();
        let theta = values(2 * size.iter().product::<usize>(), 7);
        for basis in Basis::ALL {
            for decorrelated in [false, true] {
                let logits = canvas.logits(&theta, basis, decorrelated);
                let back = canvas.theta(&logits, basis, decorrelated);
                for (one, other) in theta.iter().zip(&back) {
                    assert!((one - other).abs() < 1e-4, "{basis:?} {decorrelated}");
                }
            }
        }
    }

    /// The map is linear: a difference is exact, whatever its length.
    #[test]
    fn gradients_of_every_basis_equal_differences() {
        let (canvas, size) = canvas();
        let count = size.iter().product::<usize>();
        let (theta, slopes) = (values(count, 7), values(count, 11));
        let score = |theta: &[f32], basis: Basis, decorrelated: bool| {
            let logits = canvas.logits(theta, basis, decorrelated);
            let pairs = logits.iter().zip(&slopes);
            pairs
                .map(|(a, b)| f64::from(*a) * f64::from(*b))
                .sum::<f64>()
        };
        for basis in Basis::ALL {
            for decorrelated in [false, true] {
                let gradient = canvas.pull_back(&slopes, basis, decorrelated);
                for place in [0, 1, 17, 60, count - 1] {
                    let at = |step: f32| {
                        let mut moved = theta.clone();
                        moved[place] += step;
                        score(&moved, basis, decorrelated)
                    };
                    let difference = (at(0.5) - at(-0.5)) as f32;
                    assert!(
                        (gradient[place] - difference).abs() < 1e-4,
                        "{basis:?} {decorrelated} {place}: {} {difference}",
                        gradient[place]
                    );
                }
            }
        }
    }

    #[test]
    fn slow_waves_count_more_and_the_root_is_one() {
        let spectrum = spectrum(6, 6);
        assert!(
            spectrum[0] == spectrum[1] && spectrum[1] > spectrum[2] && spectrum[2] > spectrum[3]
        );
        let covariance = [2.0, 1.0, 1.0, 4.0];
        let root = root(&covariance, 2);
        assert_eq!(root[1], 0.0);
        let product = root[2] * root[0];
        assert!(
            (f64::from(product) - 1.0 / 3.0 / (1.0 + FLOOR)).abs() < 1e-6,
            "{product}"
        );
    }
}
