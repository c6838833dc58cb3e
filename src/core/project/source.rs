//! The sources of images and what a project, its checks and its settings know of each. How its files are read and what
//! of it is published is in the source's own file in the room `data`.

#![deny(clippy::wildcard_enum_match_arm)]

use serde::{Deserialize, Serialize};
use std::fmt;

macro_rules! sources {
    ($($(#[$about:meta])* $name:ident,)*) => {
        /// A source of images: which format to read, or the built-in generator.
        #[derive(
            Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
        )]
        #[serde(rename_all = "kebab-case")]
        pub enum Source {
            $($(#[$about])* $name,)*
        }

        impl Source {
            /// Every source, in the order shown to people.
            pub const ALL: [Source; [$(Source::$name),*].len()] = [$(Source::$name),*];
        }
    };
}

sources! {
    /// Procedural pictures made from the project's seed; needs no files.
    #[default]
    Shapes,
    /// MNIST in IDX files, plain or `.gz`.
    Mnist,
    /// Fashion-MNIST, in the same format.
    FashionMnist,
    /// CIFAR-10, binary or Python version, plain or `.gz`.
    Cifar10,
    /// CIFAR-100, binary or Python version, plain or `.gz`.
    Cifar100,
    /// STL-10, binary files, read image by image where they lie.
    Stl10,
    /// EuroSAT, a folder of class folders of 64×64 JPEG files.
    Eurosat,
    /// Oxford 17 flowers, `image_NNNN.jpg`, 80 consecutive numbers a class.
    Flowers17,
    /// Any folder of images, one folder a class.
    Folder,
    /// Images named in a CSV file: `path,label`.
    Csv,
    /// WAV files by class.
    Wav,
    /// NumPy arrays.
    Npy,
    /// HDF5 files.
    Hdf5,
    /// Parquet files of images.
    Parquet,
}

/// What there is to know of a source.
#[derive(Clone, Copy, Debug)]
pub struct SourceInfo {
    /// The word of the project file; serde writes the same.
    pub name: &'static str,
    /// What `path` names; `None` for a source that reads no files.
    pub wants: Option<&'static str>,
    /// How many classes it has, where that never changes.
    pub classes: Option<usize>,
    /// Whether its values are numbers of any range instead of bytes.
    pub has_numbers: bool,
    /// Whether none of its images has colours.
    pub is_grey: bool,
    /// What its own folds are, for `source_fold`; `None` where it has none.
    pub folds: Option<&'static str>,
}

impl Source {
    /// What there is to know of it.
    pub const fn info(self) -> SourceInfo {
        match self {
            Source::Shapes => SourceInfo {
                wants: None,
                ..SourceInfo::new("shapes", "")
            },
            Source::Mnist => SourceInfo::new("mnist", "the folder of the four idx-ubyte files")
                .classes(10)
                .grey(),
            Source::FashionMnist => {
                SourceInfo::new("fashion-mnist", "the folder of the four idx-ubyte files")
                    .classes(10)
                    .grey()
            }
            Source::Cifar10 => {
                SourceInfo::new("cifar10", "the folder cifar-10-batches-bin").classes(10)
            }
            // A subset of CIFAR-100 counts the classes that are in it.
            Source::Cifar100 => SourceInfo::new("cifar100", "the folder of train.bin and test.bin"),
            Source::Stl10 => SourceInfo {
                folds: Some("One of STL-10's ten folds of 1,000 training images, 0 to 9."),
                ..SourceInfo::new("stl10", "the folder stl10_binary").classes(10)
            },
            Source::Eurosat => SourceInfo::new("eurosat", "the folder EuroSAT_RGB").classes(10),
            Source::Flowers17 => SourceInfo {
                folds: Some("One of the three splits that come with the flowers, 1 to 3."),
                ..SourceInfo::new(
                    "flowers17",
                    "the folder of the files image_0001.jpg to image_1360.jpg",
                )
                .classes(17)
            },
            Source::Folder => SourceInfo::new(
                "folder",
                "a folder that has a folder of images for each class",
            ),
            Source::Csv => SourceInfo::new("csv", "the .csv file"),
            Source::Wav => SourceInfo {
                has_numbers: true,
                is_grey: true,
                ..SourceInfo::new(
                    "wav",
                    "a folder that has a folder of .wav files for each class",
                )
            },
            Source::Npy => SourceInfo {
                has_numbers: true,
                ..SourceInfo::new(
                    "npy",
                    "an .npy or .npz file, or the folder of several .npy files",
                )
            },
            Source::Hdf5 => SourceInfo {
                has_numbers: true,
                ..SourceInfo::new("hdf5", "an .h5 or .hdf5 file, or the folder of several")
            },
            Source::Parquet => SourceInfo::new(
                "parquet",
                "a .parquet file of images, or the folder of several",
            ),
        }
    }

    /// The name used in project files, `fashion-mnist` for example.
    pub const fn name(self) -> &'static str {
        self.info().name
    }
}

impl SourceInfo {
    /// A source of bytes in files.
    const fn new(name: &'static str, wants: &'static str) -> SourceInfo {
        SourceInfo {
            name,
            wants: Some(wants),
            classes: None,
            has_numbers: false,
            is_grey: false,
            folds: None,
        }
    }

    const fn grey(self) -> SourceInfo {
        SourceInfo {
            is_grey: true,
            ..self
        }
    }

    const fn classes(self, classes: usize) -> SourceInfo {
        SourceInfo {
            classes: Some(classes),
            ..self
        }
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_of_the_project_file() {
        for source in Source::ALL {
            let json = serde_json::to_string(&source).unwrap();
            assert_eq!(json, format!("\"{}\"", source.name()));
        }
    }
}
