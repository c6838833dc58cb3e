//! Probe images and their reconstructions as plain arrays.

/// The probe images over what the network makes of them.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Reconstructions {
    /// Steps taken when they were made.
    pub step: u64,
    /// Height, width and channels of an image.
    pub height: usize,
    /// See `height`.
    pub width: usize,
    /// 1 (grey) or 3 (RGB); other numbers are drawn by their first channel.
    pub channels: usize,
    /// `N × H × W × C` bytes of the inputs.
    pub inputs: Vec<u8>,
    /// The same of the outputs.
    pub outputs: Vec<u8>,
    /// Mean squared error of each image, in the network's units (the project's pixel range).
    pub mse: Vec<f32>,
    /// Mean over the images shown: MSE and PSNR in dB.
    pub mean_mse: f32,
    /// See `mean_mse`.
    pub psnr: f32,
}
