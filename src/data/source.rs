//! What every source gives: pictures, labels, class names, by split; what it is opened with, and where its `path`
//! points. Which module reads which source is in [`super::sources`].

use super::error::DataError;
use super::formats::bytes;
use super::images::depth::Depth;
use super::notes::Note;
use super::{Progress, Skipped};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use strata_core::files::path_in;
use strata_core::project::data::{DataSpec, Split};
use strata_core::project::help::Help;

/// A picture's values, H×W×C.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum RawImage {
    /// Pixels from 0 to 255.
    Bytes(Vec<u8>),
    /// Pixels of 16 bits, from 0 to 65,535.
    Words(Vec<u16>),
    /// Numbers of any range, such as samples of a signal; [`OpenedSource::span`] says which count as 0 and 255.
    Floats(Vec<f32>),
}

impl RawImage {
    /// How many values there are.
    pub fn len(&self) -> usize {
        match self {
            RawImage::Bytes(values) => values.len(),
            RawImage::Words(values) => values.len(),
            RawImage::Floats(values) => values.len(),
        }
    }

    /// The values as they are, as floats.
    pub(crate) fn into_floats(self) -> Vec<f32> {
        match self {
            RawImage::Bytes(values) => values.into_iter().map(f32::from).collect(),
            RawImage::Words(values) => values.into_iter().map(f32::from).collect(),
            RawImage::Floats(values) => values,
        }
    }

    /// Bytes of a value.
    pub fn value_size(&self) -> usize {
        match self {
            RawImage::Bytes(_) => size_of::<u8>(),
            RawImage::Words(_) => size_of::<u16>(),
            RawImage::Floats(_) => size_of::<f32>(),
        }
    }

    /// The values' bytes, little-endian.
    pub fn to_le_bytes(&self) -> Vec<u8> {
        match self {
            RawImage::Bytes(values) => values.clone(),
            RawImage::Words(values) => values
                .iter()
                .flat_map(|value| value.to_le_bytes())
                .collect(),
            RawImage::Floats(values) => values
                .iter()
                .flat_map(|value| value.to_le_bytes())
                .collect(),
        }
    }
}

/// Pictures of one shape that can be fetched in any order, from any thread.
pub(crate) trait ImageStore: Send + Sync {
    fn len(&self) -> usize;
    /// H×W×C of every picture.
    fn shape(&self) -> [usize; 3];
    /// Picture `index`, H×W×C.
    fn raw(&self, index: usize) -> Result<RawImage, DataError>;
    /// The same, where what is made of it is kept and not the picture: it need not stay in memory.
    fn raw_once(&self, index: usize) -> Result<RawImage, DataError> {
        self.raw(index)
    }
    /// Picture `index`, where the store holds it as it is.
    fn held(&self, _index: usize) -> Option<&RawImage> {
        None
    }
    /// Bytes of a value of a picture.
    fn value_size(&self) -> usize {
        1
    }
    /// Whether fetching one costs enough that its pixels are worth keeping.
    fn is_costly(&self) -> bool {
        false
    }
    /// A hash of what the file itself holds, where it was read whole: pictures that differ may be alike once scaled.
    fn fingerprint(&self, _index: usize) -> Option<u128> {
        None
    }
}

/// One split as its source has it.
pub(crate) struct SourceSplit {
    pub split: Split,
    pub pictures: Arc<dyn ImageStore>,
    /// As many as there are pictures, each below the number of classes (or of sets of labels).
    pub labels: Option<Vec<u32>>,
}

pub(crate) struct OpenedSource {
    pub classes: Vec<String>,
    pub parts: Vec<SourceSplit>,
    pub skipped: Vec<Skipped>,
    /// The values of pixel 0 and pixel 255; of bytes simply these.
    pub span: [f32; 2],
    /// Whether the project's shares are still to be applied; a folder has done so before it decoded files.
    pub holds_out: bool,
}

/// The span of bytes.
pub(crate) const BYTES: [f32; 2] = [0.0, 255.0];
/// The span of 16-bit pixels.
pub(crate) const WORDS: [f32; 2] = [0.0, 65_535.0];

/// In which order classes are numbered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum ClassOrder {
    /// Numbers in names by their value: 2 before 10.
    #[default]
    Natural,
    /// Character by character, as earlier versions had it: 10 before 2.
    ByCharacter,
}

/// What a source says besides its pictures.
#[derive(Default)]
pub(crate) struct Told {
    pub notes: Vec<Note>,
    /// Files that are no pictures, with what they are instead.
    pub passed_over: Vec<Skipped>,
    /// Height and width of the source's own pictures, and how many have them; the most frequent first.
    pub sizes: Vec<([usize; 2], usize)>,
    /// Slices of each volume, where the source has volumes: its pictures are then the slices one below the other.
    pub depth_of_volumes: Option<usize>,
    /// What the values of image files are; none of a source that has none.
    pub depth: Option<Depth>,
    /// The names of the labels of which an image has several or none; its classes are then sets of them
    /// ([`crate::label_sets`]). Empty where each image has one class.
    pub label_names: Vec<String>,
}

impl Told {
    pub fn note(&mut self, text: impl Into<String>) {
        self.notes.push(Note::new(text));
    }

    /// One that names keys and commands in the terminal, fields and buttons in the window.
    pub(crate) fn note_on(&mut self, terminal: impl Into<String>, window: impl Into<String>) {
        self.notes.push(Note {
            window: Some(window.into()),
            ..Note::new(terminal)
        });
    }

    /// With the line for `[data]` that changes it.
    pub(crate) fn propose(&mut self, text: impl Into<String>, line: impl Into<String>) {
        self.notes.push(Note {
            line: Some(line.into()),
            ..Note::new(text)
        });
    }
}

/// What a source is opened with.
pub(crate) struct OpenRequest<'a> {
    pub spec: &'a DataSpec,
    pub seed: u64,
    /// The project's `path`, with `~` and the base folder put in.
    pub folder: PathBuf,
    pub channels: Option<usize>,
    pub order: ClassOrder,
    pub told: &'a mut Told,
    pub progress: &'a mut dyn FnMut(Progress) -> bool,
    /// What was reported last.
    pub last: Progress,
}

impl<'a> OpenRequest<'a> {
    /// What to read only the names of files with: no seed, no network, classes in their natural order.
    pub fn listing(
        spec: &'a DataSpec,
        folder: &Path,
        told: &'a mut Told,
        progress: &'a mut dyn FnMut(Progress) -> bool,
    ) -> OpenRequest<'a> {
        OpenRequest {
            spec,
            seed: 0,
            folder: folder.to_path_buf(),
            channels: None,
            order: ClassOrder::default(),
            told,
            progress,
            last: Progress {
                what: "looking for files",
                done: 0,
                total: 1,
            },
        }
    }

    /// Says how far the work is; an error when the listener wants to stop.
    pub fn report(
        &mut self,
        what: &'static str,
        done: usize,
        total: usize,
    ) -> Result<(), DataError> {
        self.last = Progress { what, done, total };
        self.still()
    }

    /// Says once more how far the work is, between two pieces of a large step; an error when the listener wants to stop.
    pub fn still(&mut self) -> Result<(), DataError> {
        if (self.progress)(self.last) {
            Ok(())
        } else {
            Err(DataError::Cancelled)
        }
    }
}

/// Where `path` points: `~` is the home folder, a relative path starts at `base`.
pub(crate) fn locate(spec: &DataSpec, base: &Path) -> Result<PathBuf, DataError> {
    let Some(path) = spec.path.as_deref().filter(|path| !path.trim().is_empty()) else {
        let Some(wants) = spec.source.info().wants else {
            return Ok(base.to_path_buf());
        };
        return Err(DataError::setting(
            "path",
            format!("missing, and source = \"{}\" reads files", spec.source),
            Help::note(
                format!(
                    "write path = \"…\" with {wants}, or use source = \"shapes\", which needs none"
                ),
                format!("choose {wants} under Path, or the source shapes, which needs none"),
            ),
        ));
    };
    match path
        .strip_prefix('~')
        .map(|rest| rest.trim_start_matches(['/', '\\']))
    {
        Some(rest) if path.len() == 1 || path.starts_with("~/") || path.starts_with("~\\") => {
            Ok(home()?.join(rest))
        }
        _ => Ok(base.join(path_in(path))),
    }
}

fn home() -> Result<PathBuf, DataError> {
    let variable = if cfg!(windows) { "USERPROFILE" } else { "HOME" };
    std::env::var_os(variable).map(PathBuf::from).ok_or_else(|| {
        DataError::setting(
            "path",
            format!("begins with ~, and the environment variable {variable} that says which folder that is is not set"),
            "write the path in full",
        )
    })
}

/// A label outside the classes: `position` counts from 0.
pub(crate) fn bad_label(
    file: &Path,
    position: usize,
    label: impl std::fmt::Display,
    allowed: &str,
) -> DataError {
    DataError::malformed(
        file,
        format!("image {position} has label {label}, and labels go from {allowed}"),
        format!(
            "check that this is the right file, or {}",
            bytes::DOWNLOAD_AGAIN
        ),
    )
}
