//! Mixup: images of a batch blended two by two, and their labels with the same weights (torchvision `v2.MixUp`).

use rand_chacha::ChaCha8Rng;
use rand_distr::{Beta, Distribution};

/// The weight of an image in its blend with another, from Beta(α, α). An α that is no positive number gives 1.
pub fn draw_share(alpha: f64, rng: &mut ChaCha8Rng) -> f32 {
    Beta::new(alpha, alpha).map_or(1.0, |beta| beta.sample(rng) as f32)
}

/// `share` of `image` and the rest of `other`. Works for one-hot labels too.
pub fn blend(image: &mut [f32], other: &[f32], share: f32) {
    image
        .iter_mut()
        .zip(other)
        .for_each(|(value, other)| *value = *value * share + other * (1.0 - share));
}
