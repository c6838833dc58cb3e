//! A part of a split's images, small enough to be shown, with what a dataset is made of.
//!
//! Labels are looked through, images are read only for the part. Fails as the reading of an image does, and with
//! [`DataError::Cancelled`] where the caller wants no more.

use super::curve::{self, is_signal};
use super::inspection::{InspectError, Inspection, InspectionContext, Needs, Slice};
use super::slices::{SliceOf, shown, shown_size};
use image::imageops::{FilterType, resize};
use image::{GrayImage, RgbImage};
use strata_core::project::data::Split;
use strata_data::{DataError, Dataset, Note, SplitData, by_reason};

/// Images of each class on a page.
pub const PER_CLASS: usize = 12;
/// Images of a block.
pub const BLOCK: usize = 240;
/// Images on any page at most: with very many classes, only the first ones are shown.
const MOST: usize = 600;
/// The longest side of an image that is shown.
const LONGEST: usize = 64;

/// Files of one reason that are named.
const NAMED: usize = 4;

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
    /// Whether an image may have several of them, or none: they are labels then.
    pub has_label_sets: bool,
    /// Of each image here, its labels, where it may have several.
    pub label_sets: Vec<Vec<u32>>,
    /// Files left out while reading, with the reason.
    pub skipped: Vec<(String, String)>,
    /// Files that are no images, with what they are, and how many: each reason with the names of its first files.
    pub passed_over: Vec<String>,
    /// What is worth knowing, with what changes it.
    pub notes: Vec<Note>,
    /// The shape as the network gets it, channels first.
    pub shape: Vec<usize>,
    /// Which slice of volumes the pictures show.
    pub slice: Option<SliceOf>,
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

impl Gallery {
    /// Whether the images are signals, which are drawn as curves.
    pub fn are_signals(&self) -> bool {
        matches!(*self.shape, [channels, height, width] if is_signal([height, width, channels]))
    }
}

/// Reads a part of the images; `go_on` is asked before each of them.
pub fn part(
    dataset: &Dataset,
    request: Request,
    slice: Slice,
    go_on: &mut dyn FnMut() -> bool,
) -> Result<Gallery, DataError> {
    let counts = |(split, data): (Split, &SplitData)| SplitCounts {
        split,
        images: data.len(),
        per_class: if data.labelled() || data.has_label_sets() {
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
    let slice = SliceOf::of(dataset, slice);
    let (size, pixels) = pictures(dataset, data, &chosen.images, slice, go_on)?;
    let skipped = dataset
        .skipped()
        .iter()
        .map(|s| (s.file.display().to_string(), s.reason.clone()))
        .collect();
    let passed_over = by_reason(dataset.passed_over())
        .iter()
        .map(|group| format!("{}: {}", group.names(NAMED), group.reason))
        .collect();
    let notes = dataset.notes().to_vec();
    let (classes, split) = (dataset.classes().to_vec(), counts.split);
    let labels_of = |(index, _): &(usize, Option<u32>)| data.label_set(*index).map(<[u32]>::to_vec);
    let label_sets = chosen.images.iter().filter_map(labels_of).collect();
    let Chosen {
        part,
        parts,
        total,
        images,
    } = chosen;
    Ok(Gallery {
        splits,
        classes,
        has_label_sets: dataset.has_label_sets(),
        label_sets,
        skipped,
        passed_over,
        notes,
        shape: dataset.input_dims(),
        slice,
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
    slice: Option<SliceOf>,
    go_on: &mut dyn FnMut() -> bool,
) -> Result<([usize; 3], Vec<u8>), DataError> {
    let small = SmallPictures::of(dataset, data, slice)?;
    let mut pixels = Vec::with_capacity(images.len() * small.size.iter().product::<usize>());
    let mut values = vec![0.0; data.image_shape().iter().product()];
    for (index, _) in images {
        if !go_on() {
            return Err(DataError::Cancelled);
        }
        data.read(*index, &mut values)?;
        pixels.extend(small.picture(&values));
    }
    Ok((small.size, pixels))
}

/// How the images of a split are drawn small.
pub(super) struct SmallPictures<'a> {
    dataset: &'a Dataset,
    slice: Option<SliceOf>,
    whole: [usize; 3],
    range: [f32; 2],
    /// Height, width and channels of a picture.
    pub size: [usize; 3],
}

impl<'a> SmallPictures<'a> {
    /// Signals are drawn as curves in one range, images at most [`LONGEST`] pixels long.
    pub fn of(
        dataset: &'a Dataset,
        data: &SplitData,
        slice: Option<SliceOf>,
    ) -> Result<SmallPictures<'a>, DataError> {
        let whole = data.image_shape();
        let [height, width, channels] = shown_size(slice, whole);
        let (range, [tall, wide], channels) = if is_signal(whole) {
            (loudness(dataset, data)?, curve::SIZE, 1)
        } else {
            (dataset.pixel_range(), fitting([height, width]), channels)
        };
        Ok(SmallPictures {
            dataset,
            slice,
            whole,
            range,
            size: [tall, wide, channels],
        })
    }

    /// An image, as the network gets it, as `H × W × C` bytes.
    pub fn picture(&self, values: &[f32]) -> Vec<u8> {
        if is_signal(self.whole) {
            return curve::picture(values, self.whole[2], self.range);
        }
        let [tall, wide, _] = self.size;
        let size = shown_size(self.slice, self.whole);
        let pixels = self
            .dataset
            .to_pixels(&shown(self.slice, values, self.whole));
        shrink(pixels, size, [tall, wide])
    }
}

/// The range that all signals of a split are drawn in, so that loud and quiet ones differ: that of the
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
    // Images with several labels are not sorted by them.
    let most = counts
        .per_class
        .iter()
        .copied()
        .max()
        .filter(|_| data.labelled());
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
            let is_known = most.is_some() || data.has_label_sets();
            in_order(data, counts, class.filter(|_| is_known), block)
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
    let wanted = (0..data.len()).map(labelled).filter(|(index, label)| {
        match (class, data.label_set(*index)) {
            (None, _) => true,
            (Some(class), Some(labels)) => labels.contains(&class),
            (Some(_), None) => *label == class,
        }
    });
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
pub(crate) fn fitting(size: [usize; 2]) -> [usize; 2] {
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

pub(crate) fn shrink(
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
        _ => shrink_by_channel(&pixels, [width, height], [wide, tall], channels),
    };
    small.unwrap_or_else(|| vec![0; size[0] * size[1] * channels])
}

/// The same of any number of channels, one after the other.
fn shrink_by_channel(
    pixels: &[u8],
    [width, height]: [u32; 2],
    [wide, tall]: [u32; 2],
    channels: usize,
) -> Option<Vec<u8>> {
    let mut out = vec![0; (wide * tall) as usize * channels];
    for channel in 0..channels {
        let plane = pixels.iter().skip(channel).step_by(channels).copied();
        let plane = GrayImage::from_raw(width, height, plane.collect())?;
        let small = resize(&plane, wide, tall, FilterType::Triangle).into_raw();
        let places = out.iter_mut().skip(channel).step_by(channels);
        places.zip(small).for_each(|(place, value)| *place = value);
    }
    Some(out)
}

impl Inspection for Gallery {
    const NAME: &'static str = "images";
    const NEEDS: Needs = Needs::Images;
    type Request = Request;

    fn compute(cx: &mut InspectionContext<'_>, request: &Request) -> Result<Self, InspectError> {
        let (dataset, slice) = (cx.images()?, cx.slice);
        Ok(part(dataset, *request, slice, &mut || cx.is_wanted())?)
    }
}

#[cfg(test)]
mod tests;
