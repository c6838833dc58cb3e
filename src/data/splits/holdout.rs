//! Stratified hold-out: draws the same fraction of every class from the seed, at most all but one image. Fails if the
//! fraction is not at least 0 and less than 1.

use super::shuffle::permutation;
use crate::error::DataError;
use strata_core::rng::{Purpose, stream};

/// The fraction of the training images held back where the project does not say.
const USUAL_SHARE: f32 = 0.1;

/// What is held back for.
#[derive(Clone, Copy)]
pub(crate) enum HoldoutPurpose {
    Valid,
    Test,
    Fold,
    Labels,
}

/// The project's `valid` or `test`, checked.
pub(crate) fn share(key: &'static str, share: Option<f32>) -> Result<f64, DataError> {
    let share = share.unwrap_or(USUAL_SHARE);
    if (0.0..1.0).contains(&share) {
        return Ok(f64::from(share));
    }
    Err(DataError::setting(
        key,
        format!("{share} is no share of the images"),
        format!("write a number from 0 (no {key} split) to less than 1, for example 0.1"),
    ))
}

/// Positions kept and positions held back of `len` images, both in rising order.
pub(crate) fn hold_out(
    len: usize,
    labels: Option<&[u32]>,
    share: f64,
    seed: u64,
    what: HoldoutPurpose,
) -> (Vec<u32>, Vec<u32>) {
    let mut order = permutation(len, &mut stream(seed, Purpose::Split, what as u64));
    if let Some(labels) = labels {
        order = by_turns(order, labels);
    }
    let held = ((len as f64 * share).round() as usize).min(len.saturating_sub(1));
    let mut kept = order.split_off(held);
    kept.sort_unstable();
    order.sort_unstable();
    (kept, order)
}

/// Reorders so that any first part of the result has nearly the same fraction of every class: the
/// k-th image of a class of n is at (k + ½)/n of the way.
pub(crate) fn by_turns(order: Vec<u32>, labels: &[u32]) -> Vec<u32> {
    let label = |image: u32| {
        labels
            .get(image as usize)
            .map_or(0, |&label| label as usize)
    };
    let classes = labels.iter().max().map_or(1, |&most| most as usize + 1);
    let mut sizes = vec![0u64; classes];
    order.iter().for_each(|&image| sizes[label(image)] += 1);
    let mut seen = vec![0u64; classes];
    let place = |&image: &u32| {
        let class = label(image);
        seen[class] += 1;
        // (2k + 1) / 2n as a whole number; stable sorting keeps ties in the drawn order.
        ((2 * seen[class] - 1) << 31) / sizes[class].max(1)
    };
    let places: Vec<u64> = order.iter().map(place).collect();
    let mut placed: Vec<(u64, u32)> = places.into_iter().zip(order).collect();
    placed.sort_by_key(|&(place, _)| place);
    placed.into_iter().map(|(_, image)| image).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_keep_their_shares_and_nothing_is_lost() {
        let labels: Vec<u32> = (0..1000).map(|i| u32::from(i % 10 == 0)).collect();
        let (kept, held) = hold_out(1000, Some(&labels), 0.1, 7, HoldoutPurpose::Valid);
        assert_eq!((kept.len(), held.len()), (900, 100));
        let rare = held.iter().filter(|&&i| labels[i as usize] == 1).count();
        assert!((9..=11).contains(&rare), "{rare}");
        let mut all = [kept.clone(), held.clone()].concat();
        all.sort_unstable();
        assert_eq!(all, (0..1000).collect::<Vec<u32>>());
        assert_eq!(
            hold_out(1000, Some(&labels), 0.1, 7, HoldoutPurpose::Valid),
            (kept, held.clone())
        );
        assert_ne!(
            hold_out(1000, Some(&labels), 0.1, 8, HoldoutPurpose::Valid).1,
            held
        );
        assert_ne!(
            hold_out(1000, Some(&labels), 0.1, 7, HoldoutPurpose::Test).1,
            held
        );
    }

    #[test]
    fn small_sets_keep_an_image_to_train_on() {
        assert_eq!(
            hold_out(1, None, 0.9, 1, HoldoutPurpose::Valid),
            (vec![0], vec![])
        );
        assert_eq!(
            hold_out(0, None, 0.5, 1, HoldoutPurpose::Valid),
            (vec![], vec![])
        );
        assert_eq!(hold_out(3, None, 0.1, 1, HoldoutPurpose::Valid).1.len(), 0);
        assert_eq!(
            hold_out(10, None, 0.0, 1, HoldoutPurpose::Valid).0.len(),
            10
        );
    }

    #[test]
    fn only_shares_are_accepted() {
        assert!(share("valid", Some(0.0)).is_ok() && share("valid", None).is_ok());
        for bad in [-0.1, 1.0, f32::NAN, f32::INFINITY] {
            assert!(
                share("valid", Some(bad))
                    .unwrap_err()
                    .to_string()
                    .contains("valid")
            );
        }
    }
}
