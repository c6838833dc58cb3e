//! Image files of the user's own, read as the dataset's own pictures are: one of them, or several as a dataset.

use super::Dataset;
use crate::error::DataError;
use crate::images::image_file;
use crate::images::image_fitting::{ImageFitter, Scaling};
use crate::source::{BYTES, ImageStore, RawImage, Told};
use crate::splits::split::{Common, SplitData};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use strata_core::project::data::Split;

/// What is known of the image files that a dataset was made of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwnImages {
    /// The files, in their order.
    pub files: Vec<PathBuf>,
    /// The first of them whose right class is not known: the name of its folder is no class.
    pub unlabelled: Option<PathBuf>,
}

/// Decoded files, all of one size.
struct DecodedFiles {
    pictures: Vec<RawImage>,
    shape: [usize; 3],
}

impl ImageStore for DecodedFiles {
    fn len(&self) -> usize {
        self.pictures.len()
    }

    fn shape(&self) -> [usize; 3] {
        self.shape
    }

    fn raw(&self, index: usize) -> Result<RawImage, DataError> {
        let none = DataError::OutOfRange {
            index,
            len: self.pictures.len(),
            split: "files",
        };
        self.pictures.get(index).cloned().ok_or(none)
    }

    fn value_size(&self) -> usize {
        self.pictures.first().map_or(1, RawImage::value_size)
    }
}

impl Dataset {
    /// Reads one image file of any size as this dataset would: converted, scaled to the images'
    /// size, and of a dataset of patches the middle one. H×W×C floats.
    pub fn read_file(&self, path: &Path) -> Result<Vec<f32>, DataError> {
        let split = self.split_of_files(&[path.to_owned()], None)?;
        let mut out = vec![0.0; split.image_shape().iter().product()];
        split.read(0, &mut out)?;
        Ok(out)
    }

    /// Image files in place of this dataset's splits, as the one split `test`: each read as [`Dataset::read_file`]
    /// does, with the same classes. A file's right class is the name of its folder, where that is a class for each of
    /// them; else the images have none.
    pub fn of_files(&self, files: &[PathBuf]) -> Result<Dataset, DataError> {
        let classes = files.iter().map(|file| self.class_of_folder(file));
        let classes: Vec<Option<u32>> = classes.collect();
        let unlabelled = classes.iter().position(Option::is_none);
        let labels = classes.into_iter().collect();
        let split = self.split_of_files(files, labels)?;
        Ok(Dataset {
            common: self.common_of_files(),
            classes: self.classes.clone(),
            splits: vec![(Split::Test, split)],
            skipped: Vec::new(),
            told: Told {
                depth: self.told.depth,
                ..Told::default()
            },
            hash: String::new(),
            measured: self.measured.clone(),
            transform: self.transform.clone(),
            augmenter: None,
            own_images: Some(OwnImages {
                files: files.to_vec(),
                unlabelled: unlabelled.map(|at| files[at].clone()),
            }),
        })
    }

    /// The files that this dataset is made of, where [`Dataset::of_files`] made it.
    pub fn own_images(&self) -> Option<&OwnImages> {
        self.own_images.as_ref()
    }

    /// The class that a file's folder is named after. Images with several labels have no folders of their own.
    fn class_of_folder(&self, file: &Path) -> Option<u32> {
        if self.has_label_sets() {
            return None;
        }
        let file = std::path::absolute(file).ok()?;
        let folder = file.parent()?.file_name()?.to_string_lossy();
        let found = self.classes.iter().position(|class| *class == folder);
        found.map(|class| class as u32)
    }

    fn split_of_files(
        &self,
        files: &[PathBuf],
        labels: Option<Vec<u32>>,
    ) -> Result<SplitData, DataError> {
        let pictures: Result<Vec<RawImage>, DataError> =
            files.iter().map(|file| self.decode_file(file)).collect();
        let pictures = Arc::new(DecodedFiles {
            pictures: pictures?,
            shape: self.common.fit.to(),
        });
        let chosen = (0..files.len() as u32).collect();
        let common = self.common_of_files();
        let mut split = SplitData::new(Split::Test, pictures, chosen, labels, &common, &mut 0);
        split.set_transform(self.transform.as_ref());
        Ok(split)
    }

    /// One file in the images' size.
    fn decode_file(&self, path: &Path) -> Result<RawImage, DataError> {
        let [height, width, channels] = self.common.fit.to();
        let is_signal = height == 1 && self.told.depth.is_none();
        let other = match self.depth() {
            Some(_) => Some("an image file is no volume, which this run takes"),
            None => is_signal.then_some("an image file is no signal, which this run takes"),
        };
        if let Some(other) = other {
            let choose = "choose images of one of its splits instead";
            return Err(DataError::malformed(path, other, choose));
        }
        let depth = self.told.depth.unwrap_or_default();
        let decoded = image_file::decode(path, channels, depth).map_err(|problem| {
            DataError::malformed(
                path,
                problem,
                "choose a PNG, JPEG, BMP, GIF, WebP or TIFF file that opens elsewhere",
            )
        })?;
        let from = [decoded.height, decoded.width, channels];
        let scaling = self.common.scaling;
        let fit = ImageFitter::new(from, Some([height, width]), Some(channels), scaling)?;
        Ok(fit.apply(decoded.values))
    }

    /// What is common to splits of files: they are of the right size already, and of each the middle is taken.
    fn common_of_files(&self) -> Common {
        let common = &self.common;
        Common {
            scale: Arc::clone(&common.scale),
            shares: Arc::clone(&common.shares),
            fit: Arc::new(ImageFitter::none(common.fit.to())),
            scaling: Scaling::default(),
            patches: None,
            view: common.view,
            // Of a source that has no image files, black and white are those of the file.
            span: self.told.depth.map_or(BYTES, |_| common.span),
            classes: common.classes,
            sets: common.sets.clone(),
            weights: None,
        }
    }
}
