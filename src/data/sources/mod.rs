//! The sources of images: one file a source.

pub(crate) mod cifar;
pub(crate) mod folder;
pub(crate) mod idx;
pub(crate) mod npy;
pub(crate) mod shapes;
pub(crate) mod stl10;
