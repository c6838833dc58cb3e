//! Which images: those of a project as it is edited.

use serde::{Serialize, Serializer};
use std::fmt;
use std::path::PathBuf;
use strata_core::project::Project;
use strata_core::project::data::{DataSpec, Split};
use strata_data::Dataset;

/// Which images of a run are looked at; without a choice its probe images.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Chosen {
    /// Image files.
    pub files: Vec<PathBuf>,
    /// The first images of a split.
    pub split: Option<Split>,
    /// How many of them.
    pub limit: Option<usize>,
}

/// Images of a split that are gone over: so many, drawn from all of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FromSplit {
    /// The split; `None` for the usual one of what is measured.
    pub split: Option<Split>,
    /// How many of its images; `None` for as many as are usual.
    pub limit: Option<usize>,
}

/// Whose images were gone over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ImagesOf {
    /// Those of a split.
    Split(Split),
    /// Image files of the user's own.
    Files,
}

impl ImagesOf {
    /// What a split of a dataset holds.
    pub fn of(dataset: &Dataset, split: Split) -> ImagesOf {
        match dataset.own_images() {
            Some(_) => ImagesOf::Files,
            None => ImagesOf::Split(split),
        }
    }

    /// The word before "images": `test`, `own`.
    pub fn name(self) -> &'static str {
        match self {
            ImagesOf::Split(split) => split.name(),
            ImagesOf::Files => "own",
        }
    }

    /// The split; `None` of files.
    pub fn split(self) -> Option<Split> {
        match self {
            ImagesOf::Split(split) => Some(split),
            ImagesOf::Files => None,
        }
    }
}

impl Default for ImagesOf {
    fn default() -> ImagesOf {
        ImagesOf::Split(Split::default())
    }
}

impl fmt::Display for ImagesOf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl Serialize for ImagesOf {
    /// A split's name; of files `null`.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.split().serialize(serializer)
    }
}

/// The images of a project as it is edited.
#[derive(Clone, Debug, PartialEq)]
pub struct ImageSet {
    /// What names the images.
    pub spec: DataSpec,
    /// The channels of the network's input.
    pub channels: usize,
    /// The project's seed.
    pub seed: u64,
    /// The folder that relative paths start at.
    pub base: PathBuf,
    /// Counts up when the files may have changed.
    pub files: u64,
}

impl ImageSet {
    /// The images of a project.
    pub fn new(project: &Project, base: PathBuf, files: u64) -> ImageSet {
        // The list of augmentations does not change these images: without it, nothing is read again for an edit.
        let spec = DataSpec {
            augment: Vec::new(),
            use_augment: true,
            ..project.data.clone()
        };
        ImageSet {
            spec,
            channels: project.network.input.channels(),
            seed: project.seed,
            base,
            files,
        }
    }
}
