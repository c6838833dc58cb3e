//! Gaussian noise, salt and pepper, and erased rectangles.

use super::Size;
use rand::{Rng, RngCore};
use rand_chacha::ChaCha8Rng;
use rand_distr::StandardNormal;

/// Adds Gaussian noise and clamps to 0..1 (torchvision `gaussian_noise`).
pub(crate) fn gaussian_noise(image: &mut [f32], std: f32, rng: &mut ChaCha8Rng) {
    for value in image {
        let noise: f32 = rng.sample(StandardNormal);
        *value = (*value + std * noise).clamp(0.0, 1.0);
    }
}

/// Turns each pixel white or black, all channels alike, with probability `share`: half of them white.
pub(crate) fn salt_and_pepper(image: &mut [f32], size: Size, share: f32, rng: &mut ChaCha8Rng) {
    const ALL: f64 = 4_294_967_296.0;
    let (struck, white) = (
        (f64::from(share) * ALL) as u64,
        (f64::from(share) * ALL / 2.0) as u64,
    );
    for pixel in image.chunks_exact_mut(size.channels.max(1)) {
        let drawn = u64::from(rng.next_u32());
        if drawn < struck {
            pixel.fill(if drawn < white { 1.0 } else { 0.0 });
        }
    }
}

/// Blackens `height`×`width` pixels from (`top`, `left`) on (torchvision `erase` with value 0).
pub fn erase(image: &mut [f32], size: Size, [top, left]: [usize; 2], [height, width]: [usize; 2]) {
    for row in image
        .chunks_exact_mut(size.row().max(1))
        .skip(top)
        .take(height)
    {
        row.iter_mut()
            .skip(left * size.channels)
            .take(width * size.channels)
            .for_each(|value| *value = 0.0);
    }
}
