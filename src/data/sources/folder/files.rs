//! From a list of files to values of one shape: first all headers, then all values, on all threads. Broken files go to
//! `skipped`.

use super::listing::Entry;
use crate::Skipped;
use crate::error::DataError;
use crate::formats::parquet::Row;
use crate::source::{ImageStore, OpenRequest, RawImage, SourceSplit};
use rayon::prelude::*;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use strata_core::project::data::Split;
use strata_core::system_memory;

/// Bytes of small files, kept from reading their headers to reading their values: not opening a small picture once
/// more saves a tenth of what it takes.
const MOST_BYTES_KEPT: usize = 64 << 20;
/// Files until the first report of progress; then as many as were read in [`STEP`].
const FIRST_STEP: usize = 64;
/// Time between two reports of progress. Threads wait for each other at each of them.
const STEP: Duration = Duration::from_millis(50);

pub(crate) type Splits = Vec<(Split, Vec<Entry>)>;

/// The parts of a source, and the values that count as 0 and 255.
pub(crate) struct Decoded {
    pub parts: Vec<SourceSplit>,
    pub span: [f32; 2],
}

/// How files are read to values of one shape.
pub(crate) trait FileFormat: Send + Sync + Sized + 'static {
    /// What is read of a file before its values.
    type Header: Send;
    /// What is kept of a file's own values, whether they themselves are kept or not.
    type Look: Send + Sync;
    /// What is reported while headers are read.
    const LOOKING: &'static str;
    /// What is reported while values are read.
    const READING: &'static str;
    /// Files of more bytes together than this are decoded once to find the broken ones, and again at every reading.
    const MOST_KEPT: usize;

    /// Reads the header of a file; a small file is read as a whole then, and its bytes put into the entry.
    fn header(entry: &mut Entry) -> Result<Self::Header, String>;
    /// Leaves out files whose headers alone make them doubtful; headers are by split, as the entries are.
    fn sift(
        ask: &mut OpenRequest,
        splits: &mut Splits,
        headers: &mut [Vec<Self::Header>],
        skipped: &mut Vec<Skipped>,
    ) -> Result<(), DataError>;
    /// The format of all files, given their headers.
    fn new(
        ask: &mut OpenRequest,
        headers: &[Vec<Self::Header>],
        splits: &Splits,
    ) -> Result<Self, DataError>;
    /// H×W×C of every file.
    fn shape(&self) -> [usize; 3];
    /// Bytes of a value.
    fn value_size(&self) -> usize;
    /// Reads the values of a file.
    fn read(&self, entry: &Entry) -> Result<(RawImage, Self::Look), String>;
    /// A hash of what the file itself holds, where it is known.
    fn fingerprint(look: &Self::Look) -> Option<u128>;
}

/// The values of files, unless they are too many to keep.
type Kept = Option<Vec<RawImage>>;

/// Files of one format.
pub(crate) struct Files<F: FileFormat> {
    pub format: Arc<F>,
    pub paths: Vec<PathBuf>,
    /// As many as there are paths.
    pub looks: Vec<F::Look>,
    /// As many as there are paths, of images in tables; dropped where the values are kept.
    pub rows: Vec<Row>,
    /// As many as there are paths.
    pub values: Kept,
}

/// The files of a split with their classes.
pub(crate) struct SplitFiles<F: FileFormat> {
    pub split: Split,
    pub files: Files<F>,
    labels: Option<Vec<u32>>,
}

impl<F: FileFormat> SplitFiles<F> {
    fn new(
        split: Split,
        entries: Vec<Entry>,
        format: &Arc<F>,
        (values, looks): (Kept, Vec<F::Look>),
    ) -> SplitFiles<F> {
        let labels = entries.iter().map(|entry| entry.class).collect();
        let rows = match &values {
            Some(_) => Vec::new(),
            None => entries
                .iter()
                .filter_map(|entry| entry.row.clone())
                .collect(),
        };
        let files = Files {
            format: Arc::clone(format),
            paths: entries.into_iter().map(|entry| entry.path).collect(),
            looks,
            rows,
            values,
        };
        SplitFiles {
            split,
            files,
            labels,
        }
    }

    /// As every source gives it.
    pub(crate) fn into_part(self) -> SourceSplit {
        SourceSplit {
            split: self.split,
            pictures: Arc::new(self.files),
            labels: self.labels,
        }
    }
}

impl<F: FileFormat> ImageStore for Files<F> {
    fn len(&self) -> usize {
        self.paths.len()
    }

    fn shape(&self) -> [usize; 3] {
        self.format.shape()
    }

    fn raw(&self, index: usize) -> Result<RawImage, DataError> {
        if let Some(values) = self.held(index) {
            return Ok(values.clone());
        }
        let path = self.paths.get(index).ok_or(DataError::OutOfRange {
            index,
            len: self.paths.len(),
            split: "stored",
        })?;
        let help = "it changed since the data were opened; put it back as it was";
        let entry = Entry {
            row: self.rows.get(index).cloned(),
            ..Entry::new(path.clone(), None)
        };
        let values = self.format.read(&entry);
        let (values, _) = values.map_err(|problem| DataError::malformed(path, problem, help))?;
        Ok(values)
    }

    fn held(&self, index: usize) -> Option<&RawImage> {
        self.values.as_ref()?.get(index)
    }

    fn value_size(&self) -> usize {
        self.format.value_size()
    }

    fn is_costly(&self) -> bool {
        self.values.is_none()
    }

    fn fingerprint(&self, index: usize) -> Option<u128> {
        F::fingerprint(self.looks.get(index)?)
    }
}

/// Reads all files; those that are broken are left out and reported.
pub(crate) fn decode<F: FileFormat>(
    ask: &mut OpenRequest,
    mut splits: Splits,
    skipped: &mut Vec<Skipped>,
) -> Result<Vec<SplitFiles<F>>, DataError> {
    let total = splits.iter().map(|(_, entries)| entries.len()).sum();
    let before = skipped.len();
    let mut headers = Vec::new();
    let kept = AtomicUsize::new(0);
    let work = |entry: &mut Entry| {
        let header = F::header(entry)?;
        let bytes = entry.bytes.as_ref().map_or(0, |bytes| bytes.len());
        if kept.fetch_add(bytes, Ordering::Relaxed) > MOST_BYTES_KEPT {
            entry.bytes = None;
        }
        Ok(header)
    };
    for (_, entries) in &mut splits {
        headers.push(in_steps(ask, F::LOOKING, entries, skipped, work)?);
    }
    F::sift(ask, &mut splits, &mut headers, skipped)?;
    check_broken(ask, total, skipped.get(before..).unwrap_or_default())?;
    let format = Arc::new(F::new(ask, &headers, &splits)?);
    let files: usize = headers.iter().map(Vec::len).sum();
    let keeps = is_kept(format.as_ref(), files);
    let mut parts = Vec::new();
    for (split, mut entries) in splits {
        let read = read_all(ask, &mut entries, format.as_ref(), keeps, skipped)?;
        if !entries.is_empty() {
            parts.push(SplitFiles::new(split, entries, &format, read));
        }
    }
    check_broken(ask, total, skipped.get(before..).unwrap_or_default())?;
    Ok(parts)
}

/// Whether the values of so many files can stay in memory, with as much again to work with.
fn is_kept<F: FileFormat>(format: &F, files: usize) -> bool {
    const LARGE: u64 = 64 << 20;
    let size = format.shape().into_iter().product::<usize>();
    let bytes = size
        .saturating_mul(format.value_size())
        .saturating_mul(files);
    let needed = (bytes as u64).saturating_mul(2);
    bytes <= F::MOST_KEPT && (needed < LARGE || system_memory::check(needed).is_ok())
}

/// The values of all files where they are kept, and what is kept anyway.
fn read_all<F: FileFormat>(
    ask: &mut OpenRequest,
    entries: &mut Vec<Entry>,
    format: &F,
    keeps: bool,
    skipped: &mut Vec<Skipped>,
) -> Result<(Kept, Vec<F::Look>), DataError> {
    let work = |entry: &mut Entry| {
        let (values, look) = format.read(entry)?;
        entry.bytes = None;
        Ok((keeps.then_some(values), look))
    };
    let read = in_steps(ask, F::READING, entries, skipped, work)?;
    let (values, looks): (Vec<Option<RawImage>>, Vec<F::Look>) = read.into_iter().unzip();
    Ok((values.into_iter().collect(), looks))
}

/// Does `work` for every entry, in parallel. Entries it fails for are removed and reported; the
/// results are those of the entries left, in order.
fn in_steps<T: Send>(
    ask: &mut OpenRequest,
    what: &'static str,
    entries: &mut Vec<Entry>,
    skipped: &mut Vec<Skipped>,
    work: impl Fn(&mut Entry) -> Result<T, String> + Sync,
) -> Result<Vec<T>, DataError> {
    let total = entries.len();
    let mut done: Vec<Result<T, String>> = Vec::with_capacity(total);
    let mut files = FIRST_STEP;
    while done.len() < total {
        ask.report(what, done.len(), total)?;
        let start = Instant::now();
        let end = total.min(done.len() + files);
        let step = entries.get_mut(done.len()..end).unwrap_or_default();
        done.par_extend(step.par_iter_mut().map(&work));
        if start.elapsed() < STEP / 2 {
            files *= 2;
        } else if start.elapsed() > STEP * 2 {
            files = (files / 2).max(FIRST_STEP);
        }
    }
    ask.report(what, total, total)?;
    let mut results = Vec::with_capacity(total);
    let mut left = Vec::with_capacity(total);
    for (entry, result) in std::mem::take(entries).into_iter().zip(done) {
        match result {
            Ok(value) => {
                results.push(value);
                left.push(entry);
            }
            Err(reason) => skipped.push(Skipped {
                file: entry.path,
                reason,
            }),
        }
    }
    *entries = left;
    Ok(results)
}

/// Refuses a folder of which more than half cannot be read: it is not what it was taken for.
fn check_broken(ask: &OpenRequest, total: usize, broken: &[Skipped]) -> Result<(), DataError> {
    if total > 0 && broken.len() * 2 <= total {
        return Ok(());
    }
    let example = |skipped: &Skipped| {
        let name = skipped
            .file
            .file_name()
            .unwrap_or_default()
            .to_string_lossy();
        format!("{name}: {}", skipped.reason)
    };
    let examples: Vec<String> = broken.iter().take(3).map(example).collect();
    let share = if broken.len() == total {
        "none of its".to_string()
    } else {
        format!("{} of its", broken.len())
    };
    let verb = if broken.len() == total {
        "can"
    } else {
        "cannot"
    };
    Err(DataError::NoImages {
        folder: ask.folder.clone(),
        problem: format!(
            "{share} {total} files {verb} be read ({})",
            examples.join("; ")
        ),
        help: "check that the files open in another program, or download them again".into(),
    })
}
