//! All randomness of Strata: one seed, one independent stream per purpose.
//!
//! Candle's CPU generator cannot be seeded, and a single generator shared by weights, shuffles and
//! dropout would make each depend on how often the others draw. So every purpose has its own
//! ChaCha8 stream of the project's seed, and a counter (epoch, step, image index) selects a
//! position in it: any draw can be repeated without replaying those before it.

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

/// What a stream of random numbers is for. The discriminants are part of the file format of a run:
/// a checkpoint resumes bit for bit only while they stay as they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u64)]
pub enum Purpose {
    /// Initial weights.
    Weights = 1,
    /// The order of the training images in an epoch.
    Shuffle = 2,
    /// Dropout masks and noise layers.
    Dropout = 3,
    /// Augmentation of training images.
    Augment = 4,
    /// The built-in source of synthetic images.
    Shapes = 5,
    /// Which training images become the validation split.
    Split = 6,
    /// Positions of random patches.
    Patches = 7,
    /// Which images are the probe images.
    Probe = 8,
    /// The order of the training images in an epoch that has as many of each class.
    Balance = 9,
    /// What inspections draw: noise, first images, weights of a sanity check.
    Inspection = 10,
    /// What baselines draw: the rows and the features of the trees of a forest.
    Baseline = 20,
    /// The values of the trials of a sweep.
    Sweep = 30,
    /// The shares of repeated channels where a layer inherits from a narrower one, and the images that both are compared
    /// with.
    Widening = 21,
    /// Images, targets and labels of `strata bench`.
    Bench = 100,
}

/// The generator for `purpose` at `counter` (an epoch, a step, an image index, a layer number)
/// under the project's `seed`. Equal arguments give equal numbers on every platform.
pub fn stream(seed: u64, purpose: Purpose, counter: u64) -> ChaCha8Rng {
    let mut key = [0u8; 32];
    for (slot, word) in key.chunks_exact_mut(8).zip([seed, purpose as u64, counter]) {
        slot.copy_from_slice(&word.to_le_bytes());
    }
    ChaCha8Rng::from_seed(key)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::RngCore;

    #[test]
    fn streams_repeat_and_differ() {
        let first = |seed, purpose, counter| stream(seed, purpose, counter).next_u64();
        assert_eq!(first(1, Purpose::Weights, 0), first(1, Purpose::Weights, 0));
        assert_ne!(first(1, Purpose::Weights, 0), first(2, Purpose::Weights, 0));
        assert_ne!(first(1, Purpose::Weights, 0), first(1, Purpose::Shuffle, 0));
        assert_ne!(first(1, Purpose::Weights, 0), first(1, Purpose::Weights, 1));
    }
}
