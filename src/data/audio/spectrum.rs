//! Spectrograms: the strength of every frequency over time, as a picture of `window / 2 + 1` rows
//! with low frequencies at the bottom.
//!
//! A full-scale sine has 0 dB; on the log scale -80 dB and less is 0 and 0 dB is 1, else a sine's
//! amplitude is the value. Fails on sizes that make no picture.

use rustfft::algorithm::{BluesteinsAlgorithm, Radix4};
use rustfft::num_complex::Complex;
use rustfft::{Fft, FftDirection};
use std::f64::consts::TAU;
use std::sync::Arc;

const DECIBELS: f32 = 80.0;
const LONGEST_WINDOW: usize = 1 << 13;
const MOST_FRAMES: usize = 1 << 14;

pub(crate) struct Spectrum {
    transform: Arc<dyn Fft<f32>>,
    /// Hann's window, scaled so that a full-scale sine gives 1.
    window: Vec<f32>,
    hop: usize,
    frames: usize,
    log: bool,
}

impl Spectrum {
    pub fn new(window: usize, hop: usize, log: bool, length: usize) -> Result<Spectrum, String> {
        if !(2..=LONGEST_WINDOW).contains(&window) || !(1..=LONGEST_WINDOW).contains(&hop) {
            return Err(format!(
                "a window of {window} values every {hop} makes no spectrogram"
            ));
        }
        let frames = length.saturating_sub(window) / hop + 1;
        if frames > MOST_FRAMES {
            return Err(format!(
                "signals of {length} values would give {frames} columns"
            ));
        }
        let hann = |at: usize| 0.5 - 0.5 * (TAU * at as f64 / window as f64).cos();
        let scale = 2.0 / (0..window).map(hann).sum::<f64>();
        Ok(Spectrum {
            transform: transform(window),
            window: (0..window).map(|at| (hann(at) * scale) as f32).collect(),
            hop,
            frames,
            log,
        })
    }

    /// Height and width.
    pub fn size(&self) -> [usize; 2] {
        [self.window.len() / 2 + 1, self.frames]
    }

    /// The picture of a signal, row by row; a signal shorter than the window counts as silent
    /// after its end.
    pub fn of(&self, signal: &[f32]) -> Vec<f32> {
        let [height, width] = self.size();
        let mut out = vec![0.0; height * width];
        let zero = Complex::new(0.0, 0.0);
        let mut values = vec![zero; self.window.len()];
        let mut scratch = vec![zero; self.transform.get_inplace_scratch_len()];
        for frame in 0..width {
            let heard = signal.get(frame * self.hop..).unwrap_or_default();
            let heard = heard.iter().copied().chain(std::iter::repeat(0.0));
            for ((place, value), weight) in values.iter_mut().zip(heard).zip(&self.window) {
                *place = Complex::new(value * weight, 0.0);
            }
            self.transform
                .process_with_scratch(&mut values, &mut scratch);
            // The frequencies above the half mirror those below.
            for (bin, value) in values.iter().take(height).enumerate() {
                if let Some(place) = out.get_mut((height - 1 - bin) * width + frame) {
                    *place = self.shade(value.norm());
                }
            }
        }
        out
    }

    fn shade(&self, amplitude: f32) -> f32 {
        let shade = if self.log {
            1.0 + 20.0 * amplitude.max(f32::MIN_POSITIVE).log10() / DECIBELS
        } else {
            amplitude
        };
        shade.clamp(0.0, 1.0)
    }
}

/// The discrete Fourier transform of so many values. Not by rustfft's planner: it would compile its algorithms for
/// every length there is, a tenth of this crate.
fn transform(length: usize) -> Arc<dyn Fft<f32>> {
    let power = |length: usize| Radix4::new(length, FftDirection::Forward);
    if length.is_power_of_two() {
        return Arc::new(power(length));
    }
    let inner = power((2 * length - 1).next_power_of_two());
    Arc::new(BluesteinsAlgorithm::new(length, Arc::new(inner)))
}
