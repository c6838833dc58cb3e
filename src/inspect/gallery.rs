//! A page of a split's images, small enough to be shown, with what a dataset is made of.
//!
//! Labels are looked through, images are read for the page alone. Fails as the reading of an image does.

use crate::data::{DataError, Dataset, SplitData};
use crate::project::data::Split;
use image::imageops::{FilterType, resize};
use image::{GrayImage, RgbImage};

/// Images of each class on a page.
pub const PER_CLASS: usize = 12;
/// Images on a page of a split without labels.
pub const PER_PAGE: usize = 96;
/// Images on any page at most: with very many classes, only the first ones are shown.
const MOST: usize = 600;
/// The longest side of an image that is shown.
const LONGEST: usize = 64;

/// Which page.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Request {
    /// The split; `None` for the first there is.
    pub split: Option<Split>,
    /// The page from 0.
    pub page: usize,
}

/// One split in numbers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SplitCounts {
    /// Its name.
    pub split: Split,
    /// Its images.
    pub images: usize,
    /// Images of each class; empty when it has no labels.
    pub per_class: Vec<usize>,
}

/// A page of images.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Gallery {
    /// All splits.
    pub splits: Vec<SplitCounts>,
    /// The classes' names.
    pub classes: Vec<String>,
    /// Files left out while reading, with the reason.
    pub skipped: Vec<(String, String)>,
    /// Channels, height and width as the network gets them.
    pub shape: [usize; 3],
    /// The split shown.
    pub split: Split,
    /// The page shown, and how many there are.
    pub page: usize,
    /// See `page`.
    pub pages: usize,
    /// Height and width of the images here.
    pub size: [usize; 2],
    /// Index and label of each image, by class where there are labels.
    pub images: Vec<(usize, Option<u32>)>,
    /// `N × H × W × C` bytes.
    pub pixels: Vec<u8>,
}

/// Reads a page.
pub fn page(dataset: &Dataset, request: Request) -> Result<Gallery, DataError> {
    let counts = |(split, data): (Split, &SplitData)| SplitCounts {
        split,
        images: data.len(),
        per_class: if data.labelled() { data.per_class() } else { Vec::new() },
    };
    let splits: Vec<SplitCounts> = dataset.splits().map(counts).collect();
    let chosen = request.split.and_then(|wanted| splits.iter().find(|counts| counts.split == wanted));
    let Some(counts) = chosen.or(splits.first()).cloned() else { return Ok(Gallery::default()) };
    let Some(data) = dataset.split(counts.split) else { return Ok(Gallery::default()) };
    let pages = pages(&counts);
    let page = request.page.min(pages.saturating_sub(1));
    let images = choose(data, &counts, page);
    let [channels, height, width] = dataset.shape();
    let size = fitting([height, width]);
    let mut pixels = Vec::with_capacity(images.len() * size[0] * size[1] * channels);
    let mut values = vec![0.0; channels * height * width];
    for (index, _) in &images {
        data.read(*index, &mut values)?;
        pixels.extend(shrink(dataset.to_pixels(&values), [height, width, channels], size));
    }
    let skipped = dataset.skipped().iter().map(|s| (s.file.display().to_string(), s.reason.clone())).collect();
    let (classes, shape, split) = (dataset.classes().to_vec(), dataset.shape(), counts.split);
    Ok(Gallery { splits, classes, skipped, shape, split, page, pages, size, images, pixels })
}

fn pages(counts: &SplitCounts) -> usize {
    match counts.per_class.iter().max() {
        Some(most) => most.div_ceil(PER_CLASS),
        None => counts.images.div_ceil(PER_PAGE),
    }
    .max(1)
}

/// The images of a page: of each class in turn the next few, or simply the next ones.
fn choose(data: &SplitData, counts: &SplitCounts, page: usize) -> Vec<(usize, Option<u32>)> {
    if counts.per_class.is_empty() {
        return (page * PER_PAGE..((page + 1) * PER_PAGE).min(data.len())).map(|index| (index, None)).collect();
    }
    let mut seen = vec![0usize; counts.per_class.len()];
    let wanted = page * PER_CLASS..(page + 1) * PER_CLASS;
    let mut chosen: Vec<(u32, usize)> = (0..data.len())
        .filter_map(|index| {
            let label = data.label(index)?;
            let nth = seen.get_mut(label as usize).map(|count| std::mem::replace(count, *count + 1))?;
            wanted.contains(&nth).then_some((label, index))
        })
        .collect();
    chosen.sort_unstable();
    chosen.truncate(MOST);
    chosen.into_iter().map(|(label, index)| (index, Some(label))).collect()
}

/// The size images are shown at: their own, or as much smaller as the longest side asks.
pub(super) fn fitting([height, width]: [usize; 2]) -> [usize; 2] {
    let longest = height.max(width);
    if longest <= LONGEST {
        return [height, width];
    }
    [height, width].map(|side| (side * LONGEST / longest).max(1))
}

pub(super) fn shrink(pixels: Vec<u8>, [height, width, channels]: [usize; 3], size: [usize; 2]) -> Vec<u8> {
    if size == [height, width] {
        return pixels;
    }
    let [tall, wide] = size.map(|side| side as u32);
    let (height, width) = (height as u32, width as u32);
    let small = match channels {
        1 => {
            GrayImage::from_raw(width, height, pixels).map(|i| resize(&i, wide, tall, FilterType::Triangle).into_raw())
        }
        3 => RgbImage::from_raw(width, height, pixels).map(|i| resize(&i, wide, tall, FilterType::Triangle).into_raw()),
        _ => None,
    };
    small.unwrap_or_else(|| vec![0; size[0] * size[1] * channels])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::project::data::DataSpec;

    #[test]
    fn pages_hold_the_next_of_every_class() {
        let spec = DataSpec { limit: Some(400), ..DataSpec::default() };
        let dataset = Dataset::open(&spec, 1, ".".as_ref(), &mut |_| true).unwrap();
        let first = page(&dataset, Request::default()).unwrap();
        assert_eq!((first.split, first.size), (Split::Train, [32, 32]));
        assert_eq!(first.pixels.len(), first.images.len() * 32 * 32 * 3);
        let of = |gallery: &Gallery, class| gallery.images.iter().filter(|(_, label)| *label == Some(class)).count();
        assert!((0..10).all(|class| of(&first, class) == PER_CLASS));
        let second = page(&dataset, Request { split: Some(Split::Train), page: 1 }).unwrap();
        assert!(second.images.iter().all(|image| !first.images.contains(image)));
        let beyond = page(&dataset, Request { split: Some(Split::Train), page: 1000 }).unwrap();
        assert_eq!(beyond.page, beyond.pages - 1);
        let unlabeled = page(&dataset, Request { split: Some(Split::Unlabeled), page: 0 }).unwrap();
        assert_eq!((unlabeled.images.len(), unlabeled.pages), (PER_PAGE, 400usize.div_ceil(PER_PAGE)));
    }

    #[test]
    fn large_images_are_shown_small() {
        assert_eq!(fitting([480, 640]), [48, 64]);
        assert_eq!(shrink(vec![9; 128 * 128 * 3], [128, 128, 3], [64, 64]), vec![9; 64 * 64 * 3]);
    }
}
