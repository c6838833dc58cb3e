//! From the parts of a source and the rules that share them out to splits ready to be read. Fails on a split of more
//! images than can be numbered, and on shares of training images where there are none.

use super::concat_images::ConcatImages;
use super::split::{Common, PATCHES_PER_IMAGE, SplitData};
use super::split_assignment::{GivenSplit, Item, SplitItems, SplitRules};
use crate::error::DataError;
use crate::source::{ImageStore, SourceSplit};
use std::sync::Arc;
use strata_core::format::count;
use strata_core::project::data::{DataSpec, Split};
use strata_core::project::help::Help;

/// Splits of `parts`, shared out by `rules` unless the source has done that. The limit comes last, so that it never
/// moves an image to another split. Of finished images they keep `room` bytes at most, the first split first.
pub(crate) fn make_splits(
    parts: &[SourceSplit],
    rules: Option<&SplitRules>,
    limit: Option<usize>,
    common: &Common,
    mut room: u64,
) -> Vec<(Split, SplitData)> {
    // Of images with several labels shares are drawn at random: most of their sets are rare.
    let of_one_class: Vec<Vec<u32>> = match common.sets {
        Some(_) => parts
            .iter()
            .map(|part| vec![0; part.pictures.len()])
            .collect(),
        None => Vec::new(),
    };
    let given: Vec<GivenSplit> = (0..)
        .zip(parts)
        .map(|(at, part): (usize, &SourceSplit)| GivenSplit {
            split: part.split,
            len: part.pictures.len(),
            labels: part
                .labels
                .as_deref()
                .map(|labels| of_one_class.get(at).map_or(labels, Vec::as_slice)),
        })
        .collect();
    let shares = match rules {
        Some(rules) => rules.share_out(&given),
        None => SplitRules::as_given(&given),
    };
    shares
        .into_iter()
        .map(|share| (share.split, choose(parts, share, limit, common, &mut room)))
        .collect()
}

fn choose(
    parts: &[SourceSplit],
    mut share: SplitItems,
    limit: Option<usize>,
    common: &Common,
    room: &mut u64,
) -> SplitData {
    share.items.truncate(limit.unwrap_or(usize::MAX));
    let label = |&(part, place): &Item| {
        parts
            .get(part as usize)?
            .labels
            .as_ref()?
            .get(place as usize)
            .copied()
    };
    let labels = if share.labelled {
        share.items.iter().map(label).collect()
    } else {
        None
    };
    let first = share.items.first().map_or(0, |(part, _)| *part);
    let (pictures, chosen): (Arc<dyn ImageStore>, Vec<u32>) = match parts.get(first as usize) {
        Some(part) if share.items.iter().all(|item| item.0 == first) => (
            Arc::clone(&part.pictures),
            share.items.iter().map(|item| item.1).collect(),
        ),
        _ => {
            let chosen = (0..share.items.len() as u32).collect();
            (
                Arc::new(ConcatImages::new(
                    parts
                        .iter()
                        .map(|part| Arc::clone(&part.pictures))
                        .collect(),
                    share.items,
                )),
                chosen,
            )
        }
    };
    SplitData::new(share.split, pictures, chosen, labels, common, room)
}

/// Settings that share out training images act only where there are some.
pub(crate) fn check_shares(
    spec: &DataSpec,
    splits: &[(Split, SplitData)],
) -> Result<(), DataError> {
    let train = splits.iter().find(|(split, _)| *split == Split::Train);
    let of_classes = [
        ("per_class", spec.per_class.is_some(), "choose from"),
        ("weights", spec.weights.is_some(), "balance"),
    ];
    let asked = of_classes.into_iter().find(|(_, is_asked, _)| *is_asked);
    if let Some((key, _, purpose)) = asked
        && !train.is_some_and(|(_, data)| data.labelled())
    {
        let has_several = train.is_some_and(|(_, data)| data.has_label_sets());
        let problem = match has_several {
            true => {
                format!("an image has several labels here, and there are no classes to {purpose}")
            }
            false => format!("there are no labelled training images to {purpose}"),
        };
        return Err(DataError::setting(key, problem, Help::without(key)));
    }
    if let (Some(fold), Some((_, train))) = (spec.fold, train)
        && !splits
            .iter()
            .any(|(split, data)| *split == Split::Valid && !data.is_empty())
    {
        let images = train.images();
        let problem = format!(
            "{fold} holds no image: there are {} to share out",
            count(images as u64)
        );
        let help = Help::line("fold = \"1/5\"");
        return Err(DataError::setting("fold", problem, help));
    }
    let holds_back = [
        ("valid", spec.valid.is_some_and(|share| share > 0.0)),
        ("test", spec.test.is_some_and(|share| share > 0.0)),
        ("fold", spec.fold.is_some()),
    ];
    match holds_back.into_iter().find(|(_, is_asked)| *is_asked) {
        Some((key, _)) if train.is_none() => Err(DataError::setting(
            key,
            "there are no training images to hold some of them back",
            Help::without(key),
        )),
        _ => Ok(()),
    }
}

/// Images are numbered with 32 bits in a batch.
pub(crate) fn check_lengths(splits: &[(Split, SplitData)]) -> Result<(), DataError> {
    match splits
        .iter()
        .find(|(_, data)| u32::try_from(data.len()).is_err())
    {
        Some((split, data)) => Err(DataError::setting(
            "limit",
            format!(
                "the {split} split would have {} images, more than can be numbered",
                data.len()
            ),
            Help::value("limit", format!("{} or less", u32::MAX / PATCHES_PER_IMAGE)),
        )),
        None => Ok(()),
    }
}
