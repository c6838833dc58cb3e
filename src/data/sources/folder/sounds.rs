//! Recordings by class: WAV files to signals or spectrograms of one shape. Fails on files of different rates where the
//! project does not say which is wanted; broken files go to `skipped`.

use super::files::{self, Decoded, FileFormat, SplitFiles, Splits};
use super::listing::{self, Entry, FolderKind, list_folder};
use crate::Skipped;
use crate::audio::{self, Form, Header, LONGEST};
use crate::error::DataError;
use crate::source::{OpenRequest, RawImage};
use crate::sources::SourceReader;
use strata_core::project::help::Help;

/// WAV files.
pub(crate) static WAV: SourceReader = SourceReader {
    load: |ask| super::load(ask, |ask| listing::list(ask, &RECORDINGS), decode),
    published: None,
};

/// Recordings by class.
const RECORDINGS: FolderKind = FolderKind {
    inner: &[],
    find: |ask, root| list_folder(ask, root, audio::is_named_like_one),
    missing: "no .wav file in it or in the folders below it",
    files: "recordings",
    example: "one.wav",
    endings: || ".wav".to_string(),
};

impl FileFormat for Form {
    type Header = Header;
    type Look = ();
    const LOOKING: &'static str = "looking at recordings";
    const READING: &'static str = "reading recordings";
    const MOST_KEPT: usize = 1 << 30;

    fn header(entry: &mut Entry) -> Result<Header, String> {
        audio::header(&entry.path)
    }

    fn sift(
        _ask: &mut OpenRequest,
        _splits: &mut Splits,
        _headers: &mut [Vec<Header>],
        _skipped: &mut Vec<Skipped>,
    ) -> Result<(), DataError> {
        Ok(())
    }

    fn new(
        ask: &mut OpenRequest,
        headers: &[Vec<Header>],
        splits: &Splits,
    ) -> Result<Form, DataError> {
        form(ask, &headers.concat(), splits)
    }

    fn shape(&self) -> [usize; 3] {
        self.shape()
    }

    fn value_size(&self) -> usize {
        size_of::<f32>()
    }

    fn read(&self, entry: &Entry) -> Result<(RawImage, ()), String> {
        Ok((RawImage::Floats(audio::read(&entry.path, self)?), ()))
    }

    fn fingerprint(_look: &()) -> Option<u128> {
        None
    }
}

fn decode(
    ask: &mut OpenRequest,
    splits: Splits,
    skipped: &mut Vec<Skipped>,
) -> Result<Decoded, DataError> {
    let parts = files::decode::<Form>(ask, splits, skipped)?;
    let parts = parts.into_iter().map(SplitFiles::into_part).collect();
    let span = if ask.spec.spectrogram.is_some() {
        [0.0, 1.0]
    } else {
        [-1.0, 1.0]
    };
    Ok(Decoded { parts, span })
}

fn form(ask: &OpenRequest, headers: &[Header], splits: &Splits) -> Result<Form, DataError> {
    let rate = common_rate(ask, headers, splits)?;
    let longest = headers
        .iter()
        .map(|header| audio::length_at(*header, rate))
        .max()
        .unwrap_or(1);
    let length = match ask.spec.length {
        Some(length) if (1..=LONGEST).contains(&(length as usize)) => length as usize,
        Some(length) => {
            let help = Help::value("length", format!("a number from 1 to {LONGEST}"));
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
fn common_rate(ask: &OpenRequest, headers: &[Header], splits: &Splits) -> Result<u32, DataError> {
    if let Some(rate) = ask.spec.rate {
        let help = Help::value("rate", "a number of Hz from 1000 to 768000");
        let problem = || format!("{rate} Hz is no rate that recordings have");
        return if audio::is_rate(rate) {
            Ok(rate)
        } else {
            Err(DataError::setting("rate", problem(), help))
        };
    }
    let entries = splits.iter().flat_map(|(_, entries)| entries);
    let mut files = headers.iter().zip(entries);
    let Some((first, entry)) = files.next() else {
        return Ok(1);
    };
    let Some((other, other_entry)) = files.find(|(header, _)| header.rate != first.rate) else {
        return Ok(first.rate);
    };
    let name = |entry: &Entry| {
        let name = entry.path.file_name().unwrap_or_default();
        name.to_string_lossy().into_owned()
    };
    let problem = format!(
        "missing, and the recordings differ: {} has {} Hz, {} {} Hz",
        name(entry),
        first.rate,
        name(other_entry),
        other.rate
    );
    let help = Help::line(format!("rate = {}", first.rate.min(other.rate)))
        .remark(", and every file is brought to it");
    Err(DataError::setting("rate", problem, help))
}
