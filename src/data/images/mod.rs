//! From an image file to the values of the network's input: decoding, size, channels, range.

pub(crate) mod depth;
pub(crate) mod frames;
pub(crate) mod image_file;
pub(crate) mod image_fitting;
pub(crate) mod input_transform;
mod jpeg_file;
mod lanes;
pub(crate) mod luma;
pub(crate) mod mean_std;
pub(crate) mod pixel_scale;
pub(crate) mod resize;
pub(crate) mod single_image;
pub(crate) mod tiff_file;
