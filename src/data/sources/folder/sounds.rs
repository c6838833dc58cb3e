//! From a list of WAV files to signals or spectrograms of one shape. Fails on files of different
//! rates where the project does not say which is wanted; broken files go to `skipped`.

use super::decode::{self, Splits};
use super::listing::Entry;
use crate::Skipped;
use crate::audio::{self, Form, Header, LONGEST};
use crate::error::DataError;
use crate::source::{Ask, Part, Pictures, Raw};
use std::path::PathBuf;
use std::sync::Arc;

/// Signals together larger than this are read again at every reading.
const MOST_KEPT_VALUES: usize = 256 << 20;

struct Sounds {
    form: Arc<Form>,
    paths: Vec<PathBuf>,
    /// As many as there are paths, unless they are too large to keep.
    values: Option<Vec<Box<[f32]>>>,
}

impl Pictures for Sounds {
    fn len(&self) -> usize {
        self.paths.len()
    }

    fn shape(&self) -> [usize; 3] {
        self.form.shape()
    }

    fn raw(&self, index: usize) -> Result<Raw, DataError> {
        if let Some(values) = self.values.as_ref().and_then(|values| values.get(index)) {
            return Ok(Raw::Floats(values.to_vec()));
        }
        let missing = DataError::OutOfRange {
            index,
            len: self.paths.len(),
            split: "stored",
        };
        let path = self.paths.get(index).ok_or(missing)?;
        audio::read(path, &self.form)
            .map(Raw::Floats)
            .map_err(|problem| {
                DataError::malformed(
                    path,
                    problem,
                    "it changed since the data were opened; put it back as it was",
                )
            })
    }

    fn is_costly(&self) -> bool {
        self.values.is_none()
    }
}

/// The parts, and the values that stand for black and white.
pub(crate) fn decode(
    ask: &mut Ask,
    mut splits: Splits,
    skipped: &mut Vec<Skipped>,
) -> Result<(Vec<Part>, [f32; 2]), DataError> {
    let total = splits.iter().map(|(_, entries)| entries.len()).sum();
    let before = skipped.len();
    let mut headers = Vec::new();
    for (_, entries) in &mut splits {
        let found = decode::in_steps(ask, "looking at recordings", entries, skipped, |entry| {
            audio::header(&entry.path)
        })?;
        headers.extend(
            found
                .into_iter()
                .zip(entries.iter().map(|entry| entry.path.clone())),
        );
    }
    decode::check_share(ask, total, skipped.get(before..).unwrap_or_default())?;
    let form = Arc::new(form(ask, &headers)?);
    let size: usize = form.shape().iter().product();
    let keep = headers
        .len()
        .checked_mul(size)
        .is_some_and(|values| values <= MOST_KEPT_VALUES);
    let mut parts = Vec::new();
    for (split, mut entries) in splits {
        let values = read_all(ask, &mut entries, &form, keep, skipped)?;
        if !entries.is_empty() {
            let labels = entries.iter().map(|entry| entry.class).collect();
            let paths = entries.into_iter().map(|entry| entry.path).collect();
            let sounds = Sounds {
                form: Arc::clone(&form),
                paths,
                values: keep.then_some(values),
            };
            parts.push(Part {
                split,
                pictures: Arc::new(sounds),
                labels,
            });
        }
    }
    decode::check_share(ask, total, skipped.get(before..).unwrap_or_default())?;
    let span = if ask.spec.spectrogram.is_some() {
        [0.0, 1.0]
    } else {
        [-1.0, 1.0]
    };
    Ok((parts, span))
}

fn read_all(
    ask: &mut Ask,
    entries: &mut Vec<Entry>,
    form: &Form,
    keep: bool,
    skipped: &mut Vec<Skipped>,
) -> Result<Vec<Box<[f32]>>, DataError> {
    let work = |entry: &Entry| {
        let values = audio::read(&entry.path, form)?;
        Ok(if keep {
            values.into_boxed_slice()
        } else {
            Box::default()
        })
    };
    decode::in_steps(ask, "reading recordings", entries, skipped, work)
}

fn form(ask: &Ask, headers: &[(Header, PathBuf)]) -> Result<Form, DataError> {
    let rate = common_rate(ask, headers)?;
    let longest = headers
        .iter()
        .map(|(header, _)| audio::length_at(*header, rate))
        .max()
        .unwrap_or(1);
    let length = match ask.spec.length {
        Some(length) if (1..=LONGEST).contains(&(length as usize)) => length as usize,
        Some(length) => {
            let help = format!("write length = N with a number from 1 to {LONGEST}");
            return Err(DataError::setting(
                "length",
                format!("{length} values make no signal"),
                help,
            ));
        }
        None => longest.clamp(1, LONGEST),
    };
    let form = Form::new(rate, length, if ask.channels == Some(2) { 2 } else { 1 });
    match ask.spec.spectrogram {
        None => Ok(form),
        Some(wanted) => form
            .with_spectrogram(wanted.window as usize, wanted.hop as usize, wanted.log)
            .map_err(|problem| {
                DataError::setting(
                    "spectrogram",
                    problem,
                    "write window = 512 and hop = 256, for example",
                )
            }),
    }
}

/// The rate that the project asks for, else the one that all files have.
fn common_rate(ask: &Ask, headers: &[(Header, PathBuf)]) -> Result<u32, DataError> {
    if let Some(rate) = ask.spec.rate {
        let help = "write rate = N in Hz, from 1000 to 768000";
        let problem = || format!("{rate} Hz is no rate that recordings have");
        return if audio::is_rate(rate) {
            Ok(rate)
        } else {
            Err(DataError::setting("rate", problem(), help))
        };
    }
    let Some((first, path)) = headers.first() else {
        return Ok(1);
    };
    let Some((other, other_path)) = headers.iter().find(|(header, _)| header.rate != first.rate)
    else {
        return Ok(first.rate);
    };
    let name = |path: &PathBuf| {
        path.file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned()
    };
    let problem = format!(
        "missing, and the recordings differ: {} has {} Hz, {} {} Hz",
        name(path),
        first.rate,
        name(other_path),
        other.rate
    );
    let help = format!(
        "write rate = {} under [data], and every file is brought to it",
        first.rate.min(other.rate)
    );
    Err(DataError::setting("rate", problem, help))
}
