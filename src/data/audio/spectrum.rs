//! Spectrograms: the strength of every frequency over time, as a picture of `window / 2 + 1` rows
//! with low frequencies at the bottom.
//!
//! A full-scale sine has 0 dB; on the log scale -80 dB and less is 0 and 0 dB is 1, else a sine's
//! amplitude is the value. Fails on sizes that make no picture.

use realfft::{RealFftPlanner, RealToComplex};
use std::f64::consts::TAU;
use std::sync::Arc;

const DECIBELS: f32 = 80.0;
const LONGEST_WINDOW: usize = 1 << 13;
const MOST_FRAMES: usize = 1 << 14;

pub(crate) struct Spectrum {
    transform: Arc<dyn RealToComplex<f32>>,
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
            transform: RealFftPlanner::new().plan_fft_forward(window),
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
        let (mut input, mut output) = (
            self.transform.make_input_vec(),
            self.transform.make_output_vec(),
        );
        for frame in 0..width {
            let values = signal.get(frame * self.hop..).unwrap_or_default();
            let values = values.iter().copied().chain(std::iter::repeat(0.0));
            for ((place, value), weight) in input.iter_mut().zip(values).zip(&self.window) {
                *place = value * weight;
            }
            if self.transform.process(&mut input, &mut output).is_err() {
                continue;
            }
            for (bin, value) in output.iter().enumerate() {
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
