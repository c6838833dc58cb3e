//! Which image is in which split: the source's own splits, shares drawn from the seed, folds of a
//! cross-validation, a few labelled images of each class. Works on labels alone, so that files that
//! are not needed are never decoded. Fails on settings that are no shares or contradict each other.

use super::holdout::{self, HoldoutPurpose, by_turns};
use super::shuffle::permutation;
use crate::error::DataError;
use std::collections::BTreeMap;
use strata_core::project::data::{DataSpec, Fold, Split};
use strata_core::rng::{Purpose, stream};

/// What a source has of a split.
pub(crate) struct GivenSplit<'a> {
    pub split: Split,
    pub len: usize,
    pub labels: Option<&'a [u32]>,
}

/// An image: which part of the source, and its place in it.
pub(crate) type Item = (u32, u32);

/// A split as the project wants it.
#[derive(Debug, PartialEq)]
pub(crate) struct SplitItems {
    pub split: Split,
    pub items: Vec<Item>,
    /// Whether its images keep their labels.
    pub labelled: bool,
}

/// The settings, checked.
pub(crate) struct SplitRules {
    seed: u64,
    test: Option<f64>,
    /// The share of a source that has no test images of its own and should have.
    usual_test: Option<f64>,
    valid: f64,
    /// Whether the project itself says how large `valid` is: then a source's own `valid` is drawn anew.
    is_valid_given: bool,
    fold: Option<Fold>,
    per_class: Option<usize>,
}

impl SplitRules {
    pub fn new(
        spec: &DataSpec,
        seed: u64,
        usual_test: Option<f64>,
    ) -> Result<SplitRules, DataError> {
        if spec.fold.is_some() && spec.valid.is_some() {
            return Err(DataError::setting(
                "fold",
                "given together with valid, and both say which training images are held back",
                "delete one of the two",
            ));
        }
        if spec.per_class == Some(0) {
            return Err(DataError::setting(
                "per_class",
                "0 leaves no labelled image",
                "write at least 1",
            ));
        }
        let test = spec
            .test
            .map(|share| holdout::share("test", Some(share)))
            .transpose()?;
        let valid = holdout::share("valid", spec.valid)?;
        Ok(SplitRules {
            seed,
            test,
            usual_test,
            valid,
            is_valid_given: spec.valid.is_some(),
            fold: spec.fold,
            per_class: spec.per_class,
        })
    }

    /// Shares the images out. Every image is in one split at most.
    pub(crate) fn share_out(&self, given: &[GivenSplit]) -> Vec<SplitItems> {
        let mut shares: Vec<SplitItems> = given
            .iter()
            .enumerate()
            .map(|(part, given)| whole(part as u32, given))
            .collect();
        let label = |item: &Item| -> Option<u32> {
            given
                .get(item.0 as usize)?
                .labels?
                .get(item.1 as usize)
                .copied()
        };
        if self.test.is_some() {
            pool(&mut shares);
        }
        let has = |shares: &[SplitItems], split| shares.iter().any(|share| share.split == split);
        if let Some(share) = self
            .test
            .or(self.usual_test.filter(|_| !has(&shares, Split::Test)))
        {
            self.hold_back(
                &mut shares,
                Split::Test,
                share,
                HoldoutPurpose::Test,
                &label,
            );
        }
        match self.fold {
            Some(fold) => self.hold_back_fold(&mut shares, fold, &label),
            None if self.is_valid_given || !has(&shares, Split::Valid) => {
                take_back_valid(&mut shares);
                self.hold_back(
                    &mut shares,
                    Split::Valid,
                    self.valid,
                    HoldoutPurpose::Valid,
                    &label,
                );
            }
            None => {}
        }
        if let Some(count) = self.per_class {
            self.take_labels(&mut shares, count, &label);
        }
        tidy(&mut shares);
        shares
    }

    /// The source's own splits.
    pub(crate) fn as_given(given: &[GivenSplit]) -> Vec<SplitItems> {
        let mut shares: Vec<SplitItems> = given
            .iter()
            .enumerate()
            .map(|(part, given)| whole(part as u32, given))
            .collect();
        tidy(&mut shares);
        shares
    }

    fn hold_back(
        &self,
        shares: &mut Vec<SplitItems>,
        to: Split,
        share: f64,
        what: HoldoutPurpose,
        label: &impl Fn(&Item) -> Option<u32>,
    ) {
        let Some(train) = shares.iter_mut().find(|share| share.split == Split::Train) else {
            return;
        };
        let labels: Option<Vec<u32>> = train.items.iter().map(label).collect();
        let (kept, held) =
            holdout::hold_out(train.items.len(), labels.as_deref(), share, self.seed, what);
        let held = SplitItems {
            split: to,
            items: pick(&train.items, &held),
            labelled: train.labelled,
        };
        train.items = pick(&train.items, &kept);
        shares.push(held);
    }

    /// Every class is dealt out in turn, beginning where the class before it ended: parts differ by one image at
    /// most, in each class as in all.
    fn hold_back_fold(
        &self,
        shares: &mut Vec<SplitItems>,
        fold: Fold,
        label: &impl Fn(&Item) -> Option<u32>,
    ) {
        take_back_valid(shares);
        let Some(train) = shares.iter_mut().find(|share| share.split == Split::Train) else {
            return;
        };
        let mut by_class: BTreeMap<Option<u32>, Vec<usize>> = BTreeMap::new();
        for place in permutation(
            train.items.len(),
            &mut stream(self.seed, Purpose::Split, HoldoutPurpose::Fold as u64),
        ) {
            let place = place as usize;
            by_class
                .entry(train.items.get(place).and_then(label))
                .or_default()
                .push(place);
        }
        let mut part_of = vec![0; train.items.len()];
        for (turn, place) in by_class.into_values().flatten().enumerate() {
            part_of[place] = turn % fold.of as usize + 1;
        }
        let held = |place: usize| part_of.get(place) == Some(&(fold.part as usize));
        let places = 0..train.items.len() as u32;
        let (held, kept): (Vec<u32>, Vec<u32>) = places.partition(|&place| held(place as usize));
        let held = SplitItems {
            split: Split::Valid,
            items: pick(&train.items, &held),
            labelled: train.labelled,
        };
        train.items = pick(&train.items, &kept);
        shares.push(held);
    }

    /// Leaves `count` training images of each class with their labels.
    fn take_labels(
        &self,
        shares: &mut Vec<SplitItems>,
        count: usize,
        label: &impl Fn(&Item) -> Option<u32>,
    ) {
        let has_unlabeled = shares.iter().any(|share| share.split == Split::Unlabeled);
        let Some(train) = shares.iter_mut().find(|share| share.split == Split::Train) else {
            return;
        };
        let Some(labels) = train.items.iter().map(label).collect::<Option<Vec<u32>>>() else {
            return;
        };
        let order = permutation(
            labels.len(),
            &mut stream(self.seed, Purpose::Split, HoldoutPurpose::Labels as u64),
        );
        let mut seen: BTreeMap<u32, usize> = BTreeMap::new();
        let mut keeps = |place: u32| {
            let seen = seen
                .entry(labels.get(place as usize).copied().unwrap_or_default())
                .or_default();
            *seen += 1;
            *seen <= count
        };
        let (mut kept, mut left): (Vec<u32>, Vec<u32>) =
            order.into_iter().partition(|&place| keeps(place));
        kept.sort_unstable();
        kept = by_turns(kept, &labels);
        left.sort_unstable();
        let left = pick(&train.items, &left);
        train.items = pick(&train.items, &kept);
        if !has_unlabeled {
            shares.push(SplitItems {
                split: Split::Unlabeled,
                items: left,
                labelled: false,
            });
        }
    }
}

fn tidy(shares: &mut Vec<SplitItems>) {
    shares.retain(|share| !share.items.is_empty());
    shares.sort_by_key(|share| share.split);
}

fn whole(part: u32, given: &GivenSplit) -> SplitItems {
    let items = (0..u32::try_from(given.len).unwrap_or(u32::MAX))
        .map(|place| (part, place))
        .collect();
    SplitItems {
        split: given.split,
        items,
        labelled: given.labels.is_some(),
    }
}

/// Puts the source's own `valid` into `train`, from where it is drawn again.
fn take_back_valid(shares: &mut Vec<SplitItems>) {
    if !shares.iter().any(|share| share.split == Split::Train) {
        return;
    }
    let valid: Vec<SplitItems> = shares
        .extract_if(.., |share| share.split == Split::Valid)
        .collect();
    let Some(train) = shares.iter_mut().find(|share| share.split == Split::Train) else {
        return;
    };
    train.labelled &= valid.iter().all(|share| share.labelled);
    let items = valid.into_iter().flat_map(|share| share.items);
    train.items.extend(items);
}

/// Puts all labelled images into `train`, from where they are drawn again.
fn pool(shares: &mut Vec<SplitItems>) {
    let labelled: Vec<SplitItems> = shares
        .extract_if(.., |share| {
            share.labelled || share.split != Split::Unlabeled
        })
        .collect();
    let is_labelled = labelled.iter().all(|share| share.labelled);
    let items = labelled.into_iter().flat_map(|share| share.items).collect();
    shares.push(SplitItems {
        split: Split::Train,
        items,
        labelled: is_labelled,
    });
}

fn pick(items: &[Item], places: &[u32]) -> Vec<Item> {
    places
        .iter()
        .filter_map(|&place| items.get(place as usize).copied())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn share_out(spec: DataSpec, given: &[GivenSplit]) -> Vec<SplitItems> {
        SplitRules::new(&spec, 7, None).unwrap().share_out(given)
    }

    fn sizes(shares: &[SplitItems]) -> Vec<(Split, usize)> {
        shares
            .iter()
            .map(|share| (share.split, share.items.len()))
            .collect()
    }

    /// Ten classes of a hundred in `train`, ten of ten in `test`.
    fn labels(len: u32) -> Vec<u32> {
        (0..len).map(|place| place % 10).collect()
    }

    #[test]
    fn folds_are_disjoint_cover_everything_and_keep_the_classes() {
        let labels: Vec<u32> = (0..1003).map(|place| place % 10).collect();
        let given = [GivenSplit {
            split: Split::Train,
            len: 1003,
            labels: Some(&labels),
        }];
        let mut held = Vec::new();
        for part in 1..=5 {
            let spec = DataSpec {
                fold: Some(Fold { part, of: 5 }),
                ..DataSpec::default()
            };
            let shares = share_out(spec, &given);
            assert_eq!(shares[0].items.len() + shares[1].items.len(), 1003);
            let valid = &shares[1].items;
            assert!((200..=201).contains(&valid.len()), "{}", valid.len());
            for class in 0..10 {
                let count = valid
                    .iter()
                    .filter(|item| labels[item.1 as usize] == class)
                    .count();
                assert!((20..=21).contains(&count), "class {class}: {count}");
            }
            held.extend(valid.iter().copied());
        }
        held.sort_unstable();
        assert_eq!(
            held,
            (0..1003).map(|place| (0, place)).collect::<Vec<Item>>()
        );
    }

    #[test]
    fn a_test_share_draws_from_all_labelled_images() {
        let (train, test) = (labels(1000), labels(100));
        let given = [
            GivenSplit {
                split: Split::Train,
                len: 1000,
                labels: Some(&train),
            },
            GivenSplit {
                split: Split::Test,
                len: 100,
                labels: Some(&test),
            },
            GivenSplit {
                split: Split::Unlabeled,
                len: 5,
                labels: None,
            },
        ];
        let spec = DataSpec {
            test: Some(0.2),
            valid: Some(0.25),
            ..DataSpec::default()
        };
        let shares = share_out(spec, &given);
        let expected = [
            (Split::Train, 660),
            (Split::Valid, 220),
            (Split::Test, 220),
            (Split::Unlabeled, 5),
        ];
        assert_eq!(sizes(&shares), expected);
        let test = &shares[2].items;
        assert!(test.iter().any(|item| item.0 == 0) && test.iter().any(|item| item.0 == 1));
        for class in 0..10 {
            assert_eq!(test.iter().filter(|item| item.1 % 10 == class).count(), 22);
        }
    }

    #[test]
    fn few_labels_leave_the_others_without() {
        let train = labels(1000);
        let given = [GivenSplit {
            split: Split::Train,
            len: 1000,
            labels: Some(&train),
        }];
        let spec = DataSpec {
            per_class: Some(3),
            valid: Some(0.0),
            ..DataSpec::default()
        };
        let shares = share_out(spec, &given);
        assert_eq!(
            sizes(&shares),
            [(Split::Train, 30), (Split::Unlabeled, 970)]
        );
        assert!(shares[0].labelled && !shares[1].labelled);
        for class in 0..10 {
            assert_eq!(
                shares[0]
                    .items
                    .iter()
                    .filter(|item| item.1 % 10 == class)
                    .count(),
                3
            );
        }
        let mut all: Vec<Item> = shares
            .iter()
            .flat_map(|share| share.items.clone())
            .collect();
        all.sort_unstable();
        all.dedup();
        assert_eq!(all.len(), 1000);
    }

    #[test]
    fn contradictions_are_refused() {
        let fold = Some(Fold { part: 1, of: 2 });
        for (spec, part) in [
            (
                DataSpec {
                    fold,
                    valid: Some(0.1),
                    ..DataSpec::default()
                },
                "delete one",
            ),
            (
                DataSpec {
                    per_class: Some(0),
                    ..DataSpec::default()
                },
                "at least 1",
            ),
            (
                DataSpec {
                    test: Some(1.0),
                    ..DataSpec::default()
                },
                "test",
            ),
        ] {
            let message = SplitRules::new(&spec, 1, None).err().unwrap().to_string();
            assert!(message.contains(part), "{message}");
        }
    }
}
