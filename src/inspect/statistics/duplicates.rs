//! Images that are there twice, bit by bit: how many, which, and the first of them as small pictures.
//!
//! An image is identified by a hash of its values, which is kept when the image is dropped; the pictures are read again at
//! the end. Fails as reading does.

use super::shares_of;
use crate::gallery::{fitting, shrink};
use crate::slices::{SliceOf, shown, shown_size};
use std::collections::HashMap;
use strata_core::project::data::Split;
use strata_data::{DataError, Dataset};

/// Pairs of equal images that are listed.
pub const MOST_PAIRS: usize = 200;
/// Sets of equal images that have pictures.
pub const MOST_SETS: usize = 24;
/// Pictures of a set.
pub const MOST_PICTURES: usize = 4;

/// An image: its split and its number there.
pub type Image = (Split, usize);

/// Images that equal one before them, bit by bit.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Duplicates {
    /// How many there are, by the splits of the first one and of its copy.
    pub counts: Vec<([Split; 2], usize)>,
    /// The first of them, each with the image that it equals; those between splits come first.
    pub pairs: Vec<[Image; 2]>,
    /// Height and width of the pictures.
    pub size: [usize; 2],
    /// The first pairs as sets with pictures.
    pub sets: Vec<Set>,
}

/// Images that equal one another.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Set {
    /// How many there are, the first one included.
    pub total: usize,
    /// The first of them, [`MOST_PICTURES`] at most.
    pub images: Vec<Twin>,
    is_mixed: bool,
}

/// One of several equal images.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Twin {
    /// Which one.
    pub image: Image,
    /// Its class; copies of one image can have several.
    pub class: Option<u32>,
    /// `H × W × C` bytes.
    pub pixels: Vec<u8>,
}

impl Duplicates {
    /// How many images equal one before them.
    pub fn total(&self) -> usize {
        self.counts.iter().map(|(_, count)| count).sum()
    }

    /// How many equal one of another split.
    pub fn between(&self) -> usize {
        self.counts
            .iter()
            .filter(|([first, second], _)| first != second)
            .map(|(_, count)| count)
            .sum()
    }

    /// Reads the pictures again, of volumes as this slice of them.
    pub(super) fn show_slice(
        &mut self,
        dataset: &Dataset,
        slice: SliceOf,
    ) -> Result<(), DataError> {
        self.size = size(dataset, Some(slice));
        for twin in self.sets.iter_mut().flat_map(|set| &mut set.images) {
            *twin = read(dataset, twin.image, Some(slice))?;
        }
        Ok(())
    }

    /// The pairs whose images have no pictures.
    pub fn unpictured(&self) -> impl Iterator<Item = &[Image; 2]> {
        let has_pictures = |image: &Image| self.sets.iter().any(|set| set.first() == Some(*image));
        self.pairs
            .iter()
            .filter(move |[first, _]| !has_pictures(first))
    }
}

impl Set {
    /// The image that the others equal.
    fn first(&self) -> Option<Image> {
        self.images.first().map(|twin| twin.image)
    }

    /// Whether those of its images that have a class do not all have the same, the ones not shown included.
    pub fn has_several_classes(&self) -> bool {
        self.is_mixed
    }
}

/// The images so far by their hash. Two different images with one hash of 128 bits do not occur in practice.
#[derive(Default)]
pub(super) struct Seen {
    /// What is known of a hash.
    first: HashMap<u128, Copies>,
    counts: Vec<([Split; 2], usize)>,
    between: Vec<[Image; 2]>,
    within: Vec<[Image; 2]>,
}

/// The first image of a hash, and what equals it.
struct Copies {
    first: Image,
    count: usize,
    /// The first class that is known.
    class: Option<u32>,
    is_mixed: bool,
}

impl Seen {
    pub(super) fn add(&mut self, image: Image, class: Option<u32>, hash: u128) {
        let new = || Copies {
            first: image,
            count: 0,
            class,
            is_mixed: false,
        };
        let Copies {
            first,
            count,
            class: known,
            is_mixed,
        } = self.first.entry(hash).or_insert_with(new);
        if *first == image {
            return;
        }
        *count += 1;
        *is_mixed |= known
            .zip(class)
            .is_some_and(|(known, class)| known != class);
        *known = known.or(class);
        let splits = [first.0, image.0];
        match self.counts.iter_mut().find(|(of, _)| *of == splits) {
            Some((_, count)) => *count += 1,
            None => self.counts.push((splits, 1)),
        }
        let pairs = if first.0 == image.0 {
            &mut self.within
        } else {
            &mut self.between
        };
        if pairs.len() < MOST_PAIRS {
            pairs.push([*first, image]);
        }
    }

    pub(super) fn finish(self, dataset: &Dataset) -> Result<Duplicates, DataError> {
        let (mut counts, mut pairs) = (self.counts, self.between);
        counts.sort();
        pairs.extend(self.within);
        pairs.truncate(MOST_PAIRS);
        let copies = self
            .first
            .into_values()
            .filter(|copies| copies.count > 0)
            .map(|copies| (copies.first, copies));
        let copies: HashMap<Image, Copies> = copies.collect();
        let slice = SliceOf::of(dataset, None);
        let size = size(dataset, slice);
        let set = |images: Vec<Image>| {
            let copies = images.first().and_then(|first| copies.get(first));
            let total = copies.map_or(images.len(), |copies| copies.count + 1);
            let is_mixed = copies.is_some_and(|copies| copies.is_mixed);
            let images = images
                .into_iter()
                .map(|image| read(dataset, image, slice))
                .collect::<Result<_, _>>()?;
            Ok::<_, DataError>(Set {
                total,
                images,
                is_mixed,
            })
        };
        let sets = gather(&pairs)
            .into_iter()
            .map(set)
            .collect::<Result<_, _>>()?;
        Ok(Duplicates {
            counts,
            pairs,
            size,
            sets,
        })
    }
}

/// The first sets of the pairs: an image with the first ones that equal it.
fn gather(pairs: &[[Image; 2]]) -> Vec<Vec<Image>> {
    let mut sets: Vec<Vec<Image>> = Vec::new();
    for [first, copy] in pairs {
        let is_full = sets.len() == MOST_SETS;
        match sets.iter_mut().find(|set| set.first() == Some(first)) {
            Some(set) if set.len() < MOST_PICTURES => set.push(*copy),
            None if !is_full => sets.push(vec![*first, *copy]),
            _ => {}
        }
    }
    sets
}

/// Height and width of the pictures.
fn size(dataset: &Dataset, slice: Option<SliceOf>) -> [usize; 2] {
    let whole = dataset.splits().next().map(|(_, data)| data.whole_shape());
    whole.map_or([0, 0], |whole| fitting(sides(shown_size(slice, whole))))
}

fn read(dataset: &Dataset, image: Image, slice: Option<SliceOf>) -> Result<Twin, DataError> {
    let (split, index) = image;
    let Some(data) = dataset.split(split) else {
        return Ok(Twin {
            image,
            ..Twin::default()
        });
    };
    let whole = data.whole_shape();
    let shape = shown_size(slice, whole);
    let bytes = shown(slice, &shares_of(data, index)?, whole)
        .iter()
        .map(|value| (value * 255.0).round().clamp(0.0, 255.0) as u8)
        .collect();
    Ok(Twin {
        image,
        class: data.label(index),
        pixels: shrink(bytes, shape, fitting(sides(shape))),
    })
}

fn sides([height, width, _]: [usize; 3]) -> [usize; 2] {
    [height, width]
}

#[cfg(test)]
mod tests {
    use super::super::tests::folder;
    use super::super::{Request, measure};
    use super::*;
    use strata_core::project::data::{DataSpec, Source};

    #[test]
    fn copies_within_and_between_splits_are_found() {
        let at = tempfile::tempdir().unwrap();
        let found = measure(&folder(at.path()), Request::default(), &mut |_| true)
            .unwrap()
            .duplicates;
        assert_eq!(
            found.counts,
            [([Split::Train; 2], 1), ([Split::Train, Split::Test], 1)]
        );
        assert_eq!((found.total(), found.between()), (2, 1));
        assert_eq!(
            found.pairs[0].map(|image| image.0),
            [Split::Train, Split::Test],
            "between splits first"
        );
        assert_eq!(found.pairs[1].map(|image| image.0), [Split::Train; 2]);
    }

    #[test]
    fn sets_have_the_pictures_of_their_images() {
        let at = tempfile::tempdir().unwrap();
        let found = measure(&folder(at.path()), Request::default(), &mut |_| true)
            .unwrap()
            .duplicates;
        assert_eq!(
            (found.size, found.sets.len(), found.unpictured().count()),
            ([2, 2], 2, 0)
        );
        for (set, [first, copy]) in found.sets.iter().zip(&found.pairs) {
            assert_eq!((set.total, set.images.len()), (2, 2));
            assert_eq!((set.images[0].image, set.images[1].image), (*first, *copy));
            assert_eq!(
                (set.images[0].pixels.len(), &set.images[0].pixels),
                (4, &set.images[1].pixels)
            );
            assert!(!set.has_several_classes());
        }
        assert_eq!(found.sets[0].images[0].pixels, [20, 21, 22, 23]);
    }

    #[test]
    fn images_that_only_scaling_makes_alike_are_no_copies() {
        let at = tempfile::tempdir().unwrap();
        for (name, values) in [
            ("0", [0, 40, 80, 120]),
            ("1", [120, 80, 40, 0]),
            ("2", [0, 40, 80, 120]),
        ] {
            let path = at.path().join(format!("train/a/{name}.png"));
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            let picture = image::GrayImage::from_raw(2, 2, values.to_vec()).unwrap();
            picture.save(path).unwrap();
        }
        let spec = DataSpec {
            source: Source::Folder,
            path: Some(at.path().display().to_string()),
            resize: Some([1, 1]),
            valid: Some(0.0),
            ..DataSpec::default()
        };
        let dataset = Dataset::open(&spec, 1, ".".as_ref(), &mut |_| true).unwrap();
        let found = measure(&dataset, Request::default(), &mut |_| true).unwrap();
        assert_eq!(
            found.duplicates.pairs,
            [[(Split::Train, 0), (Split::Train, 2)]]
        );
        assert_eq!((found.splits[0].black, found.splits[0].flat), (0, 3));
    }

    #[test]
    fn sets_are_gathered_by_their_first_image_and_end_somewhere() {
        let pair = |first, copy| [(Split::Train, first), (Split::Train, copy)];
        let sets = gather(&[pair(0, 1), pair(7, 8), pair(0, 2), pair(0, 3), pair(0, 4)]);
        let indices = |set: &Vec<Image>| set.iter().map(|image| image.1).collect::<Vec<_>>();
        assert_eq!(
            sets.iter().map(indices).collect::<Vec<_>>(),
            [vec![0, 1, 2, 3], vec![7, 8]]
        );
        let many: Vec<_> = (0..100).map(|nth| pair(2 * nth, 2 * nth + 1)).collect();
        assert_eq!(gather(&many).len(), MOST_SETS);
    }

    #[test]
    fn all_copies_are_counted_even_where_few_are_shown() {
        let mut seen = Seen::default();
        // One of them, not shown, has another class; most have none.
        let class = |index: usize| index.is_multiple_of(100).then_some(u32::from(index == 400));
        (0..500).for_each(|index| seen.add((Split::Train, index), class(index), 7));
        let spec = DataSpec {
            limit: Some(500),
            valid: Some(0.0),
            ..DataSpec::default()
        };
        let dataset = Dataset::open(&spec, 1, ".".as_ref(), &mut |_| true).unwrap();
        let found = seen.finish(&dataset).unwrap();
        assert_eq!(
            (
                found.pairs.len(),
                found.sets[0].total,
                found.sets[0].images.len()
            ),
            (MOST_PAIRS, 500, 4)
        );
        assert!(found.sets[0].has_several_classes());
    }
}
