//! Images: from files or made from the seed, to batches ready for the network.
//!
//! [`Dataset::open`] reads what the project's `[data]` table names and checks all of it;
//! [`SplitData::read`] and [`fill_batch`] then give images as H×W×C floats, channels last.
//! Everything random (`valid`, patches, synthetic pictures, the order of an epoch) follows from
//! the project's seed, whatever the number of threads.
//!
//! | module | what it does |
//! |---|---|
//! | `dataset`, `splits` | the types that others use; which image is in which split, and in which order |
//! | `source`, `sources` | what every source gives; one file a source, and the registry |
//! | `formats`, `audio` | reading arrays, records, pickles and recordings without trusting them |
//! | `images` | from an image file to the network's input: channels, size, range |
//! | `augment` | random changes of training images |
//! | `label_sets` | which labels an image has, where it may have several |
//! | `loader` | batches made ahead, on threads of their own |
//! | `kept_images` | what finished images will take of memory, before a source is opened |
//! | `volumes` | what settings of images cannot do for volumes |
//! | `notes`, `recognise` | what is worth knowing of data, in words; which source reads what a person points at |
//! | `hash`, `download` | a name for the data; fetching it |
//! | `archive` | zip and tar files: what is in them, unpacking |
//!
//! What fails is a [`DataError`] that names the file or the setting and says what to do; single
//! broken images in a folder are left out and listed in [`Dataset::skipped`].

pub mod archive;
mod audio;
pub mod augment;
mod dataset;
mod disk_space;
pub mod download;
mod error;
pub mod formats;
mod hash;
pub mod images;
mod kept_images;
mod label_sets;
pub mod loader;
mod notes;
mod recognise;
mod source;
pub mod sources;
pub mod splits;
#[cfg(test)]
mod tests;
mod volumes;

pub use dataset::{Dataset, OwnImages};
pub use error::DataError;
pub use images::image_file::image_files;
pub use images::input_transform::{
    InputTransform, Parts as InputTransformParts, bytes as transform_bytes,
};
pub use images::luma::luma;
pub use images::pixel_scale::PixelUnits;
pub use images::single_image::FilePicture;
pub use kept_images::kept_images;
pub use label_sets::LabelSets;
pub use notes::{Group, Note, by_reason};
pub use recognise::{Recognised, holds_data, recognise};
pub use sources::shapes::picture;
pub use splits::shuffle::epoch_order;
pub use splits::split::{SplitData, fill_batch};
use std::path::{Path, PathBuf};
use strata_core::project::data::DataSpec;

/// The folder that a project's `path` names: `~` is the home folder, a relative path starts at `base`.
pub fn folder(spec: &DataSpec, base: &Path) -> Result<PathBuf, DataError> {
    source::locate(spec, base)
}

/// How far the opening of a dataset is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// What is being done, "reading images" for example.
    pub what: &'static str,
    /// Steps done.
    pub done: usize,
    /// Steps in all.
    pub total: usize,
}

/// A file that was left out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Skipped {
    /// Which file or folder.
    pub file: PathBuf,
    /// Why, in words.
    pub reason: String,
}
