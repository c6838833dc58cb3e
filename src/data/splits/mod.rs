//! Which image is in which split, and in which order: drawn from the seed, on labels alone.

pub(crate) mod assembly;
pub(crate) mod concat_images;
pub(crate) mod holdout;
pub(crate) mod shuffle;
pub(crate) mod split;
pub(crate) mod split_assignment;
