//! Drawing numbers and shuffling, spelled out so that a run can be repeated with a later version
//! of the `rand` crate: only the generator itself is borrowed from it. Nothing here fails.

use rand::RngCore;
use std::collections::BTreeMap;
use strata_core::rng::{Purpose, stream};

/// The order of an epoch's images: a permutation of `0..len` that depends on the seed and the
/// epoch alone.
pub fn epoch_order(len: usize, seed: u64, epoch: u64) -> Vec<u32> {
    permutation(len, &mut stream(seed, Purpose::Shuffle, epoch))
}

/// The same for images with these labels, of each class as many: those of a rare class come several times, in turn,
/// and of a frequent one some do not come at all, others in each epoch. As long as all images are many.
pub(crate) fn balanced_order(labels: &[u32], seed: u64, epoch: u64) -> Vec<u32> {
    let mut classes: BTreeMap<u32, Vec<u32>> = BTreeMap::new();
    for (image, &label) in (0u32..).zip(labels) {
        classes.entry(label).or_default().push(image);
    }
    let mut rng = stream(seed, Purpose::Balance, epoch);
    // Which classes get one more, where the images cannot be dealt out evenly.
    let turns = permutation(classes.len(), &mut rng);
    let (each, over) = (
        labels.len() / classes.len().max(1),
        labels.len() % classes.len().max(1),
    );
    let mut order = Vec::with_capacity(labels.len());
    for (images, turn) in classes.values().zip(turns) {
        let mut left = each + usize::from((turn as usize) < over);
        while left > 0 {
            let drawn = permutation(images.len(), &mut rng);
            let chosen = drawn.iter().filter_map(|&place| images.get(place as usize));
            order.extend(chosen.take(left));
            left = left.saturating_sub(images.len());
        }
    }
    let places = permutation(order.len(), &mut rng);
    places
        .iter()
        .filter_map(|&place| order.get(place as usize).copied())
        .collect()
}

/// A permutation of `0..len` (Fisher and Yates). A split never has more than `u32::MAX` images.
pub(crate) fn permutation(len: usize, rng: &mut impl RngCore) -> Vec<u32> {
    let len = u32::try_from(len).unwrap_or(u32::MAX);
    let mut order: Vec<u32> = (0..len).collect();
    for last in (1..len).rev() {
        order.swap(last as usize, below(rng, last + 1) as usize);
    }
    order
}

/// A number in `0..end`. The bias of scaling 64 random bits is below 2⁻³².
pub(crate) fn below(rng: &mut impl RngCore, end: u32) -> u32 {
    ((u128::from(rng.next_u64()) * u128::from(end)) >> 64) as u32
}

/// A number in `[0, 1)`, a multiple of 2⁻²⁴.
pub(crate) fn unit(rng: &mut impl RngCore) -> f32 {
    (rng.next_u32() >> 8) as f32 / (1 << 24) as f32
}

/// A number in `[low, high)`.
pub(crate) fn between(rng: &mut impl RngCore, low: f32, high: f32) -> f32 {
    low + (high - low) * unit(rng)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_epoch_is_a_permutation_that_repeats() {
        let order = epoch_order(1000, 42, 3);
        let mut sorted = order.clone();
        sorted.sort_unstable();
        assert_eq!(sorted, (0..1000).collect::<Vec<u32>>());
        assert_eq!(order, epoch_order(1000, 42, 3));
        assert_ne!(order, epoch_order(1000, 42, 4));
        assert_ne!(order, epoch_order(1000, 43, 3));
        assert!(epoch_order(0, 1, 1).is_empty());
        assert_eq!(epoch_order(1, 1, 1), [0]);
    }

    #[test]
    fn a_balanced_epoch_has_as_many_of_each_class() {
        let labels: Vec<u32> = (0..200).map(|image| u32::from(image % 20 == 0)).collect();
        let order = balanced_order(&labels, 42, 3);
        let rare = |order: &[u32]| order.iter().filter(|&&image| image % 20 == 0).count();
        assert_eq!((order.len(), rare(&order)), (200, 100));
        let mut times = [0usize; 200];
        order.iter().for_each(|&image| times[image as usize] += 1);
        assert!(
            (0..200).step_by(20).all(|image| times[image] == 10),
            "{times:?}"
        );
        assert!(
            times
                .iter()
                .enumerate()
                .all(|(image, &n)| image % 20 == 0 || n <= 1)
        );
        assert_eq!(order, balanced_order(&labels, 42, 3));
        assert_ne!(order, balanced_order(&labels, 42, 4));
        assert_ne!(order, balanced_order(&labels, 43, 3));
        assert!((80..120).contains(&(2 * rare(&order[..100]))), "mixed");
        assert_eq!(balanced_order(&[5, 5, 9], 1, 0).len(), 3);
        assert!(balanced_order(&[], 1, 0).is_empty());
    }

    #[test]
    fn the_order_is_part_of_what_a_run_can_repeat() {
        assert_eq!(epoch_order(8, 1, 0), epoch_order(8, 1, 0));
        let mut counts = [0u32; 5];
        let mut rng = stream(9, Purpose::Shuffle, 0);
        for _ in 0..5000 {
            counts[below(&mut rng, 5) as usize] += 1;
        }
        assert!(
            counts.iter().all(|&n| (900..1100).contains(&n)),
            "{counts:?}"
        );
    }
}
