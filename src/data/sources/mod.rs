//! The sources of images: one file a source, with how its files are read and what of it is published.

pub(crate) mod cifar;
pub(crate) mod folder;
pub(crate) mod hdf5;
pub(crate) mod idx;
pub(crate) mod npy;
pub(crate) mod parquet;
pub(crate) mod shapes;
pub(crate) mod stl10;

use crate::download::published::Published;
use crate::error::DataError;
use crate::source::{OpenRequest, OpenedSource};
use strata_core::project::data::Source;

/// How the files of a source are read, and where they can be had.
pub(crate) struct SourceReader {
    /// Opens it; fails as its format does.
    pub load: fn(&mut OpenRequest) -> Result<OpenedSource, DataError>,
    /// Its files, where they are published.
    pub published: Option<&'static Published>,
}

/// The registry: one line a source.
pub(crate) fn reader(source: Source) -> &'static SourceReader {
    match source {
        Source::Shapes => &shapes::SHAPES,
        Source::Mnist => &idx::MNIST,
        Source::FashionMnist => &idx::FASHION_MNIST,
        Source::Cifar10 => &cifar::CIFAR10,
        Source::Cifar100 => &cifar::CIFAR100,
        Source::Stl10 => &stl10::STL10,
        Source::Eurosat => &folder::EUROSAT,
        Source::Flowers17 => &folder::flowers::FLOWERS17,
        Source::Folder => &folder::FOLDER,
        Source::Csv => &folder::table::CSV,
        Source::Wav => &folder::sounds::WAV,
        Source::Npy => &npy::NPY,
        Source::Hdf5 => &hdf5::HDF5,
        Source::Parquet => &parquet::PARQUET,
    }
}
