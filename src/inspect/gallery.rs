//! A part of a split's images, small enough to be shown, with what a dataset is made of.
//!
//! Labels are looked through, images are read for the part alone. Fails as the reading of an image does, and with
//! [`DataError::Cancelled`] where the caller wants no more.

use super::curve::{self, is_signal};
use super::inspection::{InspectError, Inspection, InspectionContext, Needs};
use image::imageops::{FilterType, resize};
use image::{GrayImage, RgbImage};
use strata_core::project::data::Split;
use strata_data::{DataError, Dataset, SplitData};

/// Images of each class on a page.
pub const PER_CLASS: usize = 12;
/// Images of a block.
pub const BLOCK: usize = 240;
/// Images on any page at most: with very many classes, only the first ones are shown.
const MOST: usize = 600;
/// The longest side of an image that is shown.
const LONGEST: usize = 64;

/// Which of a split's images.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Part {
    /// The next few of each class: the page from 0. Of a split without labels, the block of this number.
    Page(usize),
    /// Some of all, or of all of one class, in their order: the block of [`BLOCK`] images from 0.
    Block {
        /// The class; `None` for all.
        class: Option<u32>,
        /// Which block.
        block: usize,
    },
}

impl Default for Part {
    fn default() -> Part {
        Part::Page(0)
    }
}

impl Part {
    /// Its number among its like.
    pub fn number(self) -> usize {
        match self {
            Part::Page(number) | Part::Block { block: number, .. } => number,
        }
    }

    /// The part of another number.
    pub fn numbered(self, number: usize) -> Part {
        match self {
            Part::Page(_) => Part::Page(number),
            Part::Block { class, .. } => Part::Block {
                class,
                block: number,
            },
        }
    }
}

/// What is asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Request {
    /// The split; `None` for the first there is.
    pub split: Option<Split>,
    /// Which of its images.
    pub part: Part,
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

/// A part of the images.
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
    /// What is here: what was asked for, or the last such part there is.
    pub part: Part,
    /// How many such parts there are.
    pub parts: usize,
    /// How many images they have together.
    pub total: usize,
    /// Height, width and channels of the pictures here: smaller than large images, and signals drawn as curves.
    pub size: [usize; 3],
    /// Index and label of each image; on a page by class.
    pub images: Vec<(usize, Option<u32>)>,
    /// `N × H × W × C` bytes.
    pub pixels: Vec<u8>,
}

/// Reads a part of the images; `go_on` is asked before each of them.
pub fn part(
    dataset: &Dataset,
    request: Request,
    go_on: &mut dyn FnMut() -> bool,
) -> Result<Gallery, DataError> {
    let counts = |(split, data): (Split, &SplitData)| SplitCounts {
        split,
        images: data.len(),
        per_class: if data.labelled() {
            data.per_class()
        } else {
            Vec::new()
        },
    };
    let splits: Vec<SplitCounts> = dataset.splits().map(counts).collect();
    let chosen = request
        .split
        .and_then(|wanted| splits.iter().find(|counts| counts.split == wanted));
    let Some(counts) = chosen.or(splits.first()).cloned() else {
        return Ok(Gallery::default());
    };
    let Some(data) = dataset.split(counts.split) else {
        return Ok(Gallery::default());
    };
    let chosen = choose(data, &counts, request.part);
    let (size, pixels) = pictures(dataset, data, &chosen.images, go_on)?;
    let skipped = dataset
        .skipped()
        .iter()
        .map(|s| (s.file.display().to_string(), s.reason.clone()))
        .collect();
    let (classes, shape, split) = (dataset.classes().to_vec(), dataset.shape(), counts.split);
    let Chosen {
        part,
        parts,
        total,
        images,
    } = chosen;
    Ok(Gallery {
        splits,
        classes,
        skipped,
        shape,
        split,
        part,
        parts,
        total,
        size,
        images,
        pixels,
    })
}

/// Their size and their bytes, one after the other.
fn pictures(
    dataset: &Dataset,
    data: &SplitData,
    images: &[(usize, Option<u32>)],
    go_on: &mut dyn FnMut() -> bool,
) -> Result<([usize; 3], Vec<u8>), DataError> {
    let [height, width, channels] = data.image_shape();
    let length = height * width * channels;
    let signals = is_signal([height, width, channels]);
    let [tall, wide] = if signals {
        curve::SIZE
    } else {
        fitting([height, width])
    };
    let size = [tall, wide, if signals { 1 } else { channels }];
    let range = if signals {
        loudness(dataset, data)?
    } else {
        dataset.pixel_range()
    };
    let mut pixels = Vec::with_capacity(images.len() * tall * wide * size[2]);
    let mut values = vec![0.0; length];
    for (index, _) in images {
        if !go_on() {
            return Err(DataError::Cancelled);
        }
        data.read(*index, &mut values)?;
        if signals {
            pixels.extend(curve::picture(&values, channels, range));
        } else {
            pixels.extend(shrink(
                dataset.to_pixels(&values),
                [height, width, channels],
                [tall, wide],
            ));
        }
    }
    Ok((size, pixels))
}

/// The range that all signals of a split are drawn in, so that loud ones can be told from quiet ones: that of the
/// first few.
fn loudness(dataset: &Dataset, data: &SplitData) -> Result<[f32; 2], DataError> {
    const FIRST: usize = 32;
    let length: usize = data.image_shape().iter().product();
    let mut values = vec![0.0; length * FIRST.min(data.len())];
    for (index, signal) in values.chunks_exact_mut(length.max(1)).enumerate() {
        data.read(index, signal)?;
    }
    Ok(curve::fitted(&values, dataset.pixel_range()))
}

/// Which images a part has.
struct Chosen {
    part: Part,
    parts: usize,
    total: usize,
    images: Vec<(usize, Option<u32>)>,
}

fn choose(data: &SplitData, counts: &SplitCounts, part: Part) -> Chosen {
    let most = counts.per_class.iter().copied().max();
    match (part, most) {
        (Part::Page(page), Some(most)) => {
            let parts = most.div_ceil(PER_CLASS).max(1);
            let page = page.min(parts - 1);
            Chosen {
                part: Part::Page(page),
                parts,
                total: counts.images,
                images: of_each_class(data, counts, page),
            }
        }
        (Part::Page(block), None) => in_order(data, counts, None, block),
        (Part::Block { class, block }, most) => {
            in_order(data, counts, class.filter(|_| most.is_some()), block)
        }
    }
}

/// The next images, of all or of one class.
fn in_order(data: &SplitData, counts: &SplitCounts, class: Option<u32>, block: usize) -> Chosen {
    let total = class.map_or(counts.images, |class| {
        counts.per_class.get(class as usize).copied().unwrap_or(0)
    });
    let parts = total.div_ceil(BLOCK).max(1);
    let block = block.min(parts - 1);
    let labelled = |index| (index, data.label(index));
    let wanted = (0..data.len())
        .map(labelled)
        .filter(|(_, label)| class.is_none() || *label == class);
    let images = wanted.skip(block * BLOCK).take(BLOCK).collect();
    Chosen {
        part: Part::Block { class, block },
        parts,
        total,
        images,
    }
}

/// Of each class in turn the next few.
fn of_each_class(data: &SplitData, counts: &SplitCounts, page: usize) -> Vec<(usize, Option<u32>)> {
    let mut seen = vec![0usize; counts.per_class.len()];
    let wanted = page * PER_CLASS..(page + 1) * PER_CLASS;
    let mut chosen: Vec<(u32, usize)> = (0..data.len())
        .filter_map(|index| {
            let label = data.label(index)?;
            let nth = seen
                .get_mut(label as usize)
                .map(|count| std::mem::replace(count, *count + 1))?;
            wanted.contains(&nth).then_some((label, index))
        })
        .collect();
    chosen.sort_unstable();
    chosen.truncate(MOST);
    chosen
        .into_iter()
        .map(|(label, index)| (index, Some(label)))
        .collect()
}

/// The size images are shown at: their own, or as much smaller as the longest side asks.
pub(super) fn fitting(size: [usize; 2]) -> [usize; 2] {
    within(size, LONGEST)
}

/// A size in its ratio, with no side longer than this.
pub(super) fn within([height, width]: [usize; 2], longest: usize) -> [usize; 2] {
    let now = height.max(width);
    if now <= longest {
        return [height, width];
    }
    [height, width].map(|side| (side * longest / now).max(1))
}

pub(super) fn shrink(
    pixels: Vec<u8>,
    [height, width, channels]: [usize; 3],
    size: [usize; 2],
) -> Vec<u8> {
    if size == [height, width] {
        return pixels;
    }
    let [tall, wide] = size.map(|side| side as u32);
    let (height, width) = (height as u32, width as u32);
    let small = match channels {
        1 => GrayImage::from_raw(width, height, pixels)
            .map(|i| resize(&i, wide, tall, FilterType::Triangle).into_raw()),
        3 => RgbImage::from_raw(width, height, pixels)
            .map(|i| resize(&i, wide, tall, FilterType::Triangle).into_raw()),
        _ => None,
    };
    small.unwrap_or_else(|| vec![0; size[0] * size[1] * channels])
}

impl Inspection for Gallery {
    const NAME: &'static str = "images";
    const NEEDS: Needs = Needs::Images;
    type Request = Request;

    fn compute(cx: &mut InspectionContext<'_>, request: &Request) -> Result<Self, InspectError> {
        let dataset = cx.images()?;
        Ok(part(dataset, *request, &mut || cx.is_wanted())?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use strata_core::project::data::DataSpec;

    fn shapes() -> Dataset {
        let spec = DataSpec {
            limit: Some(400),
            ..DataSpec::default()
        };
        Dataset::open(&spec, 1, ".".as_ref(), &mut |_| true).unwrap()
    }

    fn of(dataset: &Dataset, split: Split, part: Part) -> Gallery {
        super::part(
            dataset,
            Request {
                split: Some(split),
                part,
            },
            &mut || true,
        )
        .unwrap()
    }

    #[test]
    fn pages_hold_the_next_of_every_class() {
        let dataset = shapes();
        let first = super::part(&dataset, Request::default(), &mut || true).unwrap();
        assert_eq!((first.split, first.size), (Split::Train, [32, 32, 3]));
        assert_eq!(first.pixels.len(), first.images.len() * 32 * 32 * 3);
        let count = |gallery: &Gallery, class| {
            gallery
                .images
                .iter()
                .filter(|(_, label)| *label == Some(class))
                .count()
        };
        assert!((0..10).all(|class| count(&first, class) == PER_CLASS));
        let second = of(&dataset, Split::Train, Part::Page(1));
        assert!(
            second
                .images
                .iter()
                .all(|image| !first.images.contains(image))
        );
        let beyond = of(&dataset, Split::Train, Part::Page(1000));
        assert_eq!(beyond.part, Part::Page(beyond.parts - 1));
        let unlabeled = of(&dataset, Split::Unlabeled, Part::Page(0));
        assert_eq!(
            (unlabeled.part, unlabeled.images.len()),
            (
                Part::Block {
                    class: None,
                    block: 0
                },
                BLOCK
            )
        );
    }

    #[test]
    fn blocks_hold_all_images_in_their_order() {
        let dataset = shapes();
        let blocks = |class| {
            let block = |block| of(&dataset, Split::Train, Part::Block { class, block });
            let parts = block(0).parts;
            (0..parts)
                .flat_map(|number| block(number).images)
                .collect::<Vec<_>>()
        };
        let all = blocks(None);
        assert_eq!(
            all.iter().map(|(index, _)| *index).collect::<Vec<_>>(),
            (0..400).collect::<Vec<_>>()
        );
        let third = blocks(Some(3));
        assert_eq!(
            third,
            all.iter()
                .copied()
                .filter(|(_, label)| *label == Some(3))
                .collect::<Vec<_>>()
        );
        assert_eq!(
            third.len(),
            of(
                &dataset,
                Split::Train,
                Part::Block {
                    class: Some(3),
                    block: 9
                }
            )
            .total
        );
        let none = of(
            &dataset,
            Split::Train,
            Part::Block {
                class: Some(99),
                block: 0,
            },
        );
        assert_eq!((none.total, none.images.len()), (0, 0));
    }

    #[test]
    fn signals_are_drawn_as_curves() {
        let folder = tempfile::tempdir().unwrap();
        for (class, step) in [("low", 0.05f32), ("high", 0.8)] {
            let at = folder.path().join(class);
            std::fs::create_dir(&at).unwrap();
            let format = hound::WavSpec {
                channels: 1,
                sample_rate: 8000,
                bits_per_sample: 32,
                sample_format: hound::SampleFormat::Float,
            };
            for name in ["a.wav", "b.wav", "c.wav"] {
                let mut file = hound::WavWriter::create(at.join(name), format).unwrap();
                (0..800).for_each(|n| file.write_sample((n as f32 * step).sin()).unwrap());
                file.finalize().unwrap();
            }
        }
        let spec = DataSpec {
            source: strata_core::project::data::Source::Wav,
            path: Some(folder.path().display().to_string()),
            ..DataSpec::default()
        };
        let dataset = Dataset::open(&spec, 1, ".".as_ref(), &mut |_| true).unwrap();
        let gallery = super::part(&dataset, Request::default(), &mut || true).unwrap();
        let [height, width] = curve::SIZE;
        assert_eq!(
            (gallery.shape, gallery.size),
            ([1, 1, 800], [height, width, 1])
        );
        assert_eq!(gallery.pixels.len(), gallery.images.len() * height * width);
        let lit = |image: usize, y: usize| gallery.pixels[(image * height + y) * width + 9] > 99;
        let column = |image: usize| (0..height).filter(|&y| lit(image, y)).count();
        let of = |class: &str| {
            gallery
                .images
                .iter()
                .position(|(_, l)| gallery.classes[l.unwrap() as usize] == class)
        };
        let (low, high) = (column(of("low").unwrap()), column(of("high").unwrap()));
        assert!(
            low < height / 3 && high > height / 2,
            "fast swings fill a column: {low}, {high}"
        );
    }

    #[test]
    fn a_part_that_is_no_longer_wanted_ends() {
        let result = super::part(&shapes(), Request::default(), &mut || false);
        assert!(matches!(result, Err(DataError::Cancelled)));
    }

    #[test]
    fn large_images_are_shown_small() {
        assert_eq!(fitting([480, 640]), [48, 64]);
        assert_eq!(
            shrink(vec![9; 128 * 128 * 3], [128, 128, 3], [64, 64]),
            vec![9; 64 * 64 * 3]
        );
    }
}
