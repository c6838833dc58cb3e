//! The memory that finished images will take, told before their source is opened: what an estimate of a run counts.
//!
//! Sources of files hold as many images as they please, which is known once they are open
//! ([`SplitData::kept_bytes`](crate::SplitData::kept_bytes)); of the built-in and the published ones it is known before.

#![deny(clippy::wildcard_enum_match_arm)]

use crate::sources::shapes;
use crate::splits::split::finished_bytes;
use crate::splits::split_assignment::{GivenSplit, SplitRules};
use strata_core::project::data::{DataSpec, Source, Split};
use strata_core::run_buffers::room_for_images;

/// Classes of the labels that images are counted with; how many there are hardly changes how they are shared out.
const CLASSES: u32 = 10;

/// What is known of a source that is not open.
struct Known {
    /// H×W×C of its images.
    shape: [usize; 3],
    /// Whether making one costs enough that it is kept, whatever its size.
    is_costly: bool,
    sizes: &'static [(Split, u32)],
}

fn known(source: Source) -> Option<Known> {
    let of_files = |shape, sizes| Known {
        shape,
        is_costly: false,
        sizes,
    };
    match source {
        Source::Shapes => Some(Known {
            shape: [shapes::SIDE, shapes::SIDE, 3],
            is_costly: true,
            sizes: &shapes::SIZES,
        }),
        Source::Mnist | Source::FashionMnist => Some(of_files(
            [28, 28, 1],
            &[(Split::Train, 60_000), (Split::Test, 10_000)],
        )),
        Source::Cifar10 | Source::Cifar100 => Some(of_files(
            [32, 32, 3],
            &[(Split::Train, 50_000), (Split::Test, 10_000)],
        )),
        Source::Stl10 => Some(of_files(
            [96, 96, 3],
            &[
                (Split::Train, 5_000),
                (Split::Test, 8_000),
                (Split::Unlabeled, 100_000),
            ],
        )),
        Source::Eurosat
        | Source::Flowers17
        | Source::Folder
        | Source::Csv
        | Source::Wav
        | Source::Npy
        | Source::Hdf5
        | Source::Parquet => None,
    }
}

/// Bytes of the finished images of these splits that stay in memory once all were read, where so many bytes are free
/// now; images have as many `channels` as the network's input. `None` of a source whose size is in its files.
pub fn kept_images(
    spec: &DataSpec,
    seed: u64,
    channels: usize,
    splits: &[Split],
    free: Option<u64>,
) -> Option<u64> {
    let source = known(spec.source)?;
    let own = [source.shape[0], source.shape[1]];
    let [height, width] = spec
        .resize
        .map_or(own, |size| size.map(|side| side as usize));
    let loses_color = spec.grey && source.shape[2] == 3;
    if !source.is_costly && own == [height, width] && !loses_color {
        return Some(0);
    }
    let mut room = room_for_images(free);
    let mut kept = 0;
    for (split, count) in counts(spec, seed, source.sizes)? {
        let bytes = finished_bytes(count, [height, width, channels], 1);
        if bytes <= room {
            room -= bytes;
            kept += if splits.contains(&split) { bytes } else { 0 };
        }
    }
    Some(kept)
}

/// Images of each split, as the settings share them out; `None` where these contradict each other.
fn counts(spec: &DataSpec, seed: u64, sizes: &[(Split, u32)]) -> Option<Vec<(Split, u64)>> {
    let labels: Vec<Option<Vec<u32>>> = sizes
        .iter()
        .map(|(split, count)| {
            (*split != Split::Unlabeled).then(|| (0..*count).map(|image| image % CLASSES).collect())
        })
        .collect();
    let given: Vec<GivenSplit> = sizes
        .iter()
        .zip(&labels)
        .map(|((split, count), labels)| GivenSplit {
            split: *split,
            len: *count as usize,
            labels: labels.as_deref(),
        })
        .collect();
    let rules = SplitRules::new(spec, seed, None).ok()?;
    let limit = spec.limit.unwrap_or(usize::MAX);
    let shares = rules.share_out(&given).into_iter();
    Some(
        shares
            .map(|share| (share.split, share.items.len().min(limit) as u64))
            .collect(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Dataset;
    use std::path::Path;

    /// Settings that change how many finished images there are, or how large one is.
    fn specs() -> Vec<DataSpec> {
        let usual = DataSpec {
            limit: Some(700),
            ..DataSpec::default()
        };
        let changes: [fn(&mut DataSpec); 8] = [
            |_| {},
            |spec| spec.resize = Some([40, 50]),
            |spec| spec.limit = Some(30),
            |spec| spec.valid = Some(0.5),
            |spec| (spec.valid, spec.limit) = (Some(0.0), None),
            |spec| spec.test = Some(0.3),
            |spec| spec.per_class = Some(4),
            |spec| spec.grey = true,
        ];
        let changed = |change: &fn(&mut DataSpec)| {
            let mut spec = usual.clone();
            change(&mut spec);
            spec
        };
        changes.iter().map(changed).collect()
    }

    #[test]
    fn what_is_told_before_is_what_is_kept() {
        for spec in specs() {
            let open = || Dataset::open_as(&spec, Some(3), 5, Path::new("."), &mut |_| true);
            let dataset = open().unwrap();
            for splits in [
                &Split::ALL[..],
                &[Split::Train],
                &[Split::Valid, Split::Test],
            ] {
                let kept: u64 = dataset
                    .splits()
                    .filter(|(split, _)| splits.contains(split))
                    .map(|(_, data)| data.kept_bytes())
                    .sum();
                assert!(kept > 0 || !splits.contains(&Split::Train), "{spec:?}");
                let told = kept_images(&spec, 5, 3, splits, None);
                assert_eq!(told, Some(kept), "{splits:?} of {spec:?}");
            }
        }
    }

    #[test]
    fn all_splits_together_stay_within_the_room() {
        let spec = DataSpec {
            resize: Some([64, 64]),
            ..DataSpec::default()
        };
        let train = finished_bytes(8000, [64, 64, 3], 1);
        for (free, splits) in [
            (8 * train, vec![Split::Train]),
            (8 * train - 8, vec![Split::Valid, Split::Test]),
            (u64::MAX, Split::ALL.to_vec()),
        ] {
            let kept = kept_images(&spec, 1, 3, &Split::ALL, Some(free)).unwrap();
            let these = kept_images(&spec, 1, 3, &splits, Some(free)).unwrap();
            assert!(these == kept && kept > 0, "{splits:?} with {free}");
            assert!(kept <= room_for_images(Some(free)), "{kept} of {free}");
        }
    }

    #[test]
    fn images_that_are_as_they_lie_in_their_files_are_not_kept() {
        let mut spec = DataSpec {
            source: Source::Mnist,
            ..DataSpec::default()
        };
        assert_eq!(kept_images(&spec, 1, 1, &Split::ALL, None), Some(0));
        spec.resize = Some([32, 32]);
        let all = finished_bytes(70_000, [32, 32, 1], 1);
        assert_eq!(kept_images(&spec, 1, 1, &Split::ALL, None), Some(all));
        spec.source = Source::Folder;
        assert_eq!(kept_images(&spec, 1, 1, &Split::ALL, None), None);
    }
}
