//! Which images: those of a project as it is edited.

use std::path::PathBuf;
use strata_core::project::Project;
use strata_core::project::data::{DataSpec, Split};

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
