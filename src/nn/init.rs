//! Initial weights: PyTorch's defaults, from the project's seed.

use rand::Rng;
use strata_core::rng::{Purpose, stream};

/// Uniform in ±1/√fan_in: Kaiming uniform with a = √5, PyTorch's default for convolutions and dense layers
/// and for their biases (`torch.nn.modules.conv._ConvNd.reset_parameters`). A parameter's numbers depend on
/// the seed and its key alone, so adding a layer leaves the others as they were.
pub fn uniform(seed: u64, key: &str, fan_in: usize, count: usize) -> Vec<f64> {
    let mut rng = stream(seed, Purpose::Weights, hash(key));
    let bound = 1.0 / (fan_in.max(1) as f64).sqrt();
    (0..count)
        .map(|_| bound * (2.0 * f64::from(rng.random::<f32>()) - 1.0))
        .collect()
}

/// FNV-1a: stable between versions and platforms, which std's hasher is not.
fn hash(key: &str) -> u64 {
    key.bytes().fold(0xcbf2_9ce4_8422_2325, |h, b| {
        (h ^ u64::from(b)).wrapping_mul(0x0100_0000_01b3)
    })
}
