//! WAV files to signals: PCM of 8, 16, 24 or 32 bits and 32-bit floats, channels averaged to one
//! unless two are wanted, brought to one rate and one length, and to a spectrogram if one is asked
//! for.
//!
//! No dither, nothing random: a file gives the same numbers everywhere. Fails with a sentence on
//! what is no WAV file, on one that ends early and on values that are not finite. No more is read
//! than the wanted length needs.

mod resample;
mod spectrum;

use hound::{SampleFormat, WavReader};
use spectrum::Spectrum;
use std::fs::File;
use std::io::BufReader;
use std::path::Path;
use strata_core::files::open_regular;
use strata_core::format;
use strata_core::logging::panic::caught;

/// The longest signal: 22 seconds at 48 kHz.
pub(super) const LONGEST: usize = 1 << 20;
/// What is read of one file at most, in values of all channels.
const MOST_VALUES: usize = 1 << 26;
/// Rates that a file can have.
const RATES: std::ops::RangeInclusive<u32> = 1_000..=768_000;
const MOST_CHANNELS: u16 = 64;

/// What a file says about itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Header {
    /// Values of one channel.
    pub length: usize,
    pub rate: u32,
}

/// What every file of a dataset is made into.
pub(super) struct Form {
    pub rate: u32,
    /// Values of one channel.
    pub length: usize,
    /// One, or two for stereo.
    pub channels: usize,
    spectrum: Option<Spectrum>,
}

impl Form {
    /// Without a spectrogram.
    pub fn new(rate: u32, length: usize, channels: usize) -> Form {
        Form {
            rate,
            length,
            channels,
            spectrum: None,
        }
    }

    /// With windows of `window` values, each `hop` after the one before.
    pub(crate) fn with_spectrogram(
        mut self,
        window: usize,
        hop: usize,
        log: bool,
    ) -> Result<Form, String> {
        self.spectrum = Some(Spectrum::new(window, hop, log, self.length)?);
        Ok(self)
    }

    /// H×W×C of what [`read`] gives.
    pub fn shape(&self) -> [usize; 3] {
        let [height, width] = self
            .spectrum
            .as_ref()
            .map_or([1, self.length], Spectrum::size);
        [height, width, self.channels]
    }
}

/// Whether the file's name is one of a recording. Hidden files are not.
pub(super) fn is_named_like_one(path: &Path) -> bool {
    let name = path
        .file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .to_lowercase();
    !name.starts_with('.') && (name.ends_with(".wav") || name.ends_with(".wave"))
}

/// Whether recordings have such a rate.
pub(super) fn is_rate(rate: u32) -> bool {
    RATES.contains(&rate)
}

/// Length and rate, without the values.
pub(super) fn header(path: &Path) -> Result<Header, String> {
    let read = || {
        open(path).map(|reader| Header {
            length: reader.duration() as usize,
            rate: reader.spec().sample_rate,
        })
    };
    caught(read).unwrap_or_else(|panic| Err(undecoded(&panic)))
}

/// What is said of a file on which a library gave up.
fn undecoded(panic: &str) -> String {
    format!("the sound is damaged (its decoder failed: {panic})")
}

/// How many values a recording has at another rate.
pub(super) fn length_at(header: Header, rate: u32) -> usize {
    let length = (header.length as u64)
        .saturating_mul(u64::from(rate))
        .div_ceil(u64::from(header.rate.max(1)));
    usize::try_from(length).unwrap_or(usize::MAX)
}

/// The whole recording in the form wanted, H×W×C.
pub(super) fn read(path: &Path, form: &Form) -> Result<Vec<f32>, String> {
    caught(|| decoded(path, form)).unwrap_or_else(|panic| Err(undecoded(&panic)))
}

fn decoded(path: &Path, form: &Form) -> Result<Vec<f32>, String> {
    let mut reader = open(path)?;
    let spec = reader.spec();
    let has = usize::from(spec.channels);
    let frames = needed(form, spec.sample_rate).min(reader.duration() as usize);
    if frames.saturating_mul(has) > MOST_VALUES {
        return Err(format!(
            "more than {} values would be read",
            format::count(MOST_VALUES as u64)
        ));
    }
    let values = values(&mut reader, frames * has)?;
    let mut out = vec![0.0; form.shape().iter().product()];
    for channel in 0..form.channels {
        let signal = one_channel(&values, has, channel, form.channels);
        let mut signal = resample::resample(signal, spec.sample_rate, form.rate);
        signal.resize(form.length, 0.0);
        place(form, &signal, channel, &mut out);
    }
    Ok(out)
}

fn place(form: &Form, signal: &[f32], channel: usize, out: &mut [f32]) {
    let picture = form.spectrum.as_ref().map(|spectrum| spectrum.of(signal));
    let values = picture.as_deref().unwrap_or(signal);
    for (place, &value) in out
        .iter_mut()
        .skip(channel)
        .step_by(form.channels)
        .zip(values)
    {
        *place = value;
    }
}

/// The values of one channel from which `form`'s length follows, and what the filter looks at.
fn needed(form: &Form, rate: u32) -> usize {
    if rate == form.rate {
        return form.length;
    }
    let length = (form.length as u64)
        .saturating_mul(u64::from(rate))
        .div_ceil(u64::from(form.rate.max(1)));
    usize::try_from(length)
        .unwrap_or(usize::MAX)
        .saturating_add(resample::reach(rate, form.rate))
}

fn open(path: &Path) -> Result<WavReader<BufReader<File>>, String> {
    let file = open_regular(path).map_err(|cause| format!("cannot be read ({cause})"))?;
    let reader = WavReader::new(BufReader::new(file))
        .map_err(|error| format!("not a WAV file that can be read ({error})"))?;
    let spec = reader.spec();
    let bits = match spec.sample_format {
        SampleFormat::Int => matches!(spec.bits_per_sample, 8 | 16 | 24 | 32),
        SampleFormat::Float => spec.bits_per_sample == 32,
    };
    if !bits {
        return Err(format!(
            "it has values of {} bits; 8, 16, 24 and 32 are read",
            spec.bits_per_sample
        ));
    }
    if !(1..=MOST_CHANNELS).contains(&spec.channels) || !RATES.contains(&spec.sample_rate) {
        return Err(format!(
            "its header says {} channels at {} Hz",
            spec.channels, spec.sample_rate
        ));
    }
    if reader.duration() == 0 {
        Err("it holds no sound".to_string())
    } else {
        Ok(reader)
    }
}

/// The first `count` values, full scale being -1 to 1.
fn values(reader: &mut WavReader<BufReader<File>>, count: usize) -> Result<Vec<f32>, String> {
    let spec = reader.spec();
    let values: Result<Vec<f32>, hound::Error> = match spec.sample_format {
        SampleFormat::Float => reader.samples::<f32>().take(count).collect(),
        SampleFormat::Int => {
            let scale = 2.0f32.powi(1 - i32::from(spec.bits_per_sample));
            reader
                .samples::<i32>()
                .take(count)
                .map(|value| Ok(value? as f32 * scale))
                .collect()
        }
    };
    let values = values.map_err(|error| format!("it ends in the middle of the sound ({error})"))?;
    if values.iter().all(|value| value.is_finite()) {
        Ok(values)
    } else {
        Err("it holds values that are not finite".into())
    }
}

/// Channel number `channel` of `wanted`: the file's own, or the mean of all it has where one is
/// wanted. A file of one channel gives it to both.
fn one_channel(values: &[f32], has: usize, channel: usize, wanted: usize) -> Vec<f32> {
    let frames = values.chunks_exact(has);
    if wanted == 1 {
        return frames
            .map(|frame| frame.iter().sum::<f32>() / has as f32)
            .collect();
    }
    frames
        .filter_map(|frame| frame.get(channel.min(has - 1)).copied())
        .collect()
}

#[cfg(test)]
mod tests;
