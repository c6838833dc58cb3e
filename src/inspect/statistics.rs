//! What is measured on a dataset's images: for each split mean, deviation, mean image and histogram by channel;
//! and which images are there twice.
//!
//! Values are fractions: 0 for pixel 0 and 1 for pixel 255, before `range` or `normalize`. Images are read in blocks on
//! all threads and forgotten; what stays is a few numbers a pixel and a hash an image. Of a large split, images at
//! even distances are counted, and how many is stated. Sums are of whole numbers, so that the result is the same on
//! any number of threads. Fails as reading does, and when the listener wants to stop.

mod duplicates;

use super::inspection::{InspectError, Inspection, InspectionContext, Needs};
use super::slices::{SliceOf, shown, shown_size};
use duplicates::Seen;
pub use duplicates::{Duplicates, Image, MOST_PAIRS, MOST_PICTURES, MOST_SETS, Set, Twin};
use foldhash::quality::FixedState;
use rayon::prelude::*;
use std::hash::{BuildHasher, Hasher};
use strata_core::project::data::{MeanStd, Split};
use strata_data::{DataError, Dataset, Progress, SplitData};

/// Steps of a histogram.
pub const BINS: usize = 256;
/// Images read before progress is reported.
const BLOCK: usize = 512;
/// Images that a thread sums up at a time.
const CHUNK: usize = 64;
/// Values of an image that has a mean image: 512×512 in colour.
const MOST_VALUES: usize = 3 << 18;
/// One, in the whole numbers that are summed up.
const ONE: f64 = 65_280.0;
/// Values this near to each other count as equal, as fractions.
const FLAT: f32 = 0.01;
/// A channel that never changes is only shifted.
const LEAST_STD: f64 = 1e-3;

/// What is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Request {
    /// Images counted of each split, at most.
    pub most: usize,
}

impl Default for Request {
    fn default() -> Request {
        Request { most: 20_000 }
    }
}

/// What is measured.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Statistics {
    /// The classes' names.
    pub classes: Vec<String>,
    /// Channels, height and width, before a crop of the training.
    pub shape: [usize; 3],
    /// Every split, in their usual order.
    pub splits: Vec<SplitStatistics>,
    /// Images that are there twice.
    pub duplicates: Duplicates,
    /// Which slice of volumes the pictures show; all numbers are of whole volumes.
    pub slice: Option<SliceOf>,
}

impl Statistics {
    /// The same with pictures of one slice of each volume.
    fn of_slice(mut self, slice: Option<SliceOf>) -> Statistics {
        let [channels, height, width] = self.shape;
        let size = [height, width, channels];
        for split in &mut self.splits {
            split.mean_image = shown(slice, &split.mean_image, size).into_owned();
            split.std_image = shown(slice, &split.std_image, size).into_owned();
        }
        let [height, ..] = shown_size(slice, size);
        self.shape = [channels, height, width];
        Statistics { slice, ..self }
    }
}

/// One split.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SplitStatistics {
    /// Its name.
    pub split: Split,
    /// Its images.
    pub images: usize,
    /// Those that were counted.
    pub counted: usize,
    /// Images of each class, all of them; empty when it has no labels.
    pub per_class: Vec<usize>,
    /// By channel: how many values are nearest to each of 256 steps from 0 to 1.
    pub histogram: Vec<Vec<u64>>,
    /// By channel.
    pub mean: Vec<f64>,
    /// By channel.
    pub std: Vec<f64>,
    /// Mean of every pixel, H×W×C bytes; empty for very large images.
    pub mean_image: Vec<u8>,
    /// Deviation of every pixel, the largest one white; H×W×C bytes.
    pub std_image: Vec<u8>,
    /// The largest deviation of a pixel.
    pub largest_std: f64,
    /// Images that are all black.
    pub black: usize,
    /// Other images whose values are nearly one.
    pub flat: usize,
    /// The least and the greatest value.
    pub range: [f64; 2],
}

impl SplitStatistics {
    /// Mean and deviation as `normalize` takes them.
    pub fn as_normalize(&self) -> MeanStd {
        let round = |value: &f64| ((value * 10_000.0).round() / 10_000.0) as f32;
        let std = |value: &f64| {
            if *value < LEAST_STD {
                1.0
            } else {
                round(value)
            }
        };
        MeanStd {
            mean: self.mean.iter().map(round).collect(),
            std: self.std.iter().map(std).collect(),
        }
    }
}

/// What was measured for the latest request: another slice only changes what is shown of it.
struct Measured {
    request: Request,
    found: Statistics,
}

/// Measures all splits. `progress` gets the images read so far; false ends it.
pub fn measure(
    dataset: &Dataset,
    request: Request,
    progress: &mut dyn FnMut(Progress) -> bool,
) -> Result<Statistics, DataError> {
    let total = dataset
        .splits()
        .map(|(_, data)| data.len().min(request.most))
        .sum();
    let (mut done, mut splits, mut seen) = (0, Vec::new(), Seen::default());
    for (split, data) in dataset.splits() {
        let chosen = spread(data.len(), request.most);
        let mut sums = Sums::new(data.whole_shape());
        for block in chosen.chunks(BLOCK) {
            if !progress(Progress {
                what: "measuring images",
                done,
                total,
            }) {
                return Err(DataError::Cancelled);
            }
            let (part, hashes) = read(data, block)?;
            sums.add(&part);
            block
                .iter()
                .zip(hashes)
                .for_each(|(&index, hash)| seen.add((split, index), data.label(index), hash));
            done += block.len();
        }
        splits.push(sums.finish(split, data, chosen.len()));
    }
    let [height, width, channels] = dataset
        .splits()
        .next()
        .map_or([0; 3], |(_, data)| data.whole_shape());
    let (classes, duplicates) = (dataset.classes().to_vec(), seen.finish(dataset)?);
    Ok(Statistics {
        classes,
        shape: [channels, height, width],
        splits,
        duplicates,
        slice: None,
    })
}

/// An image as fractions, H×W×C.
fn shares_of(data: &SplitData, index: usize) -> Result<Vec<f32>, DataError> {
    let mut values = vec![0.0; data.whole_shape().iter().product()];
    data.read_shares(index, &mut values)?;
    Ok(values)
}

/// At most so many numbers below `length`, at even distances.
fn spread(length: usize, most: usize) -> Vec<usize> {
    if length <= most {
        return (0..length).collect();
    }
    (0..most)
        .map(|nth| (nth as u128 * length as u128 / most as u128) as usize)
        .collect()
}

/// The sums of some images, and a hash of each in their order.
fn read(data: &SplitData, block: &[usize]) -> Result<(Sums, Vec<u128>), DataError> {
    let parts: Result<Vec<_>, DataError> = block
        .par_chunks(CHUNK)
        .map(|chunk| read_chunk(data, chunk))
        .collect();
    let (mut sums, mut hashes) = (
        Sums::new(data.whole_shape()),
        Vec::with_capacity(block.len()),
    );
    for (part, its) in parts? {
        sums.add(&part);
        hashes.extend(its);
    }
    Ok((sums, hashes))
}

fn read_chunk(data: &SplitData, chunk: &[usize]) -> Result<(Sums, Vec<u128>), DataError> {
    let mut values = vec![0.0; data.whole_shape().iter().product()];
    let (mut sums, mut hashes) = (
        Sums::new(data.whole_shape()),
        Vec::with_capacity(chunk.len()),
    );
    let hashers = [FixedState::with_seed(1), FixedState::with_seed(2)];
    let mut bytes = Vec::with_capacity(4 * values.len());
    for &index in chunk {
        data.read_shares(index, &mut values)?;
        sums.count(&values);
        if let Some(print) = data.fingerprint(index)? {
            hashes.push(print);
            continue;
        }
        bytes.clear();
        bytes.extend(
            values
                .iter()
                .flat_map(|value| value.to_bits().to_le_bytes()),
        );
        let hash = |state: &FixedState| {
            let mut hasher = state.build_hasher();
            hasher.write(&bytes);
            u128::from(hasher.finish())
        };
        hashes.push(hash(&hashers[0]) << 64 | hash(&hashers[1]));
    }
    Ok((sums, hashes))
}

/// Sums over images, in whole numbers.
struct Sums {
    shape: [usize; 3],
    images: usize,
    histogram: Vec<Vec<u64>>,
    /// Sum and sum of squares by channel.
    channels: Vec<(u128, u128)>,
    /// Likewise by value of the image; empty for very large images.
    values: Vec<(u64, u64)>,
    black: usize,
    flat: usize,
    range: [f32; 2],
}

impl Sums {
    fn new(shape: [usize; 3]) -> Sums {
        let values: usize = shape.iter().product();
        let kept = if values <= MOST_VALUES { values } else { 0 };
        let channels = shape[2].max(1);
        Sums {
            shape,
            images: 0,
            histogram: vec![vec![0; BINS]; channels],
            channels: vec![(0, 0); channels],
            values: vec![(0, 0); kept],
            black: 0,
            flat: 0,
            range: [f32::INFINITY, f32::NEG_INFINITY],
        }
    }

    fn count(&mut self, values: &[f32]) {
        self.images += 1;
        let ends = values
            .iter()
            .fold([f32::INFINITY, f32::NEG_INFINITY], widened);
        self.range = ends.iter().fold(self.range, widened);
        if ends[1] <= FLAT {
            self.black += 1;
        } else if ends[1] - ends[0] <= FLAT {
            self.flat += 1;
        }
        let channels = self.channels.len();
        for (at, &value) in values.iter().enumerate() {
            let channel = at % channels;
            let share = f64::from(value).clamp(0.0, 1.0);
            if let Some(count) = self
                .histogram
                .get_mut(channel)
                .and_then(|h| h.get_mut((share * 255.0).round() as usize))
            {
                *count += 1;
            }
            let whole = (share * ONE).round() as u64;
            if let Some(sum) = self.channels.get_mut(channel) {
                *sum = (sum.0 + u128::from(whole), sum.1 + u128::from(whole * whole));
            }
            if let Some(sum) = self.values.get_mut(at) {
                *sum = (sum.0 + whole, sum.1 + whole * whole);
            }
        }
    }

    fn add(&mut self, other: &Sums) {
        self.images += other.images;
        self.black += other.black;
        self.flat += other.flat;
        self.range = other.range.iter().fold(self.range, widened);
        for (mine, theirs) in self
            .histogram
            .iter_mut()
            .flatten()
            .zip(other.histogram.iter().flatten())
        {
            *mine += theirs;
        }
        for (mine, theirs) in self.channels.iter_mut().zip(&other.channels) {
            *mine = (mine.0 + theirs.0, mine.1 + theirs.1);
        }
        for (mine, theirs) in self.values.iter_mut().zip(&other.values) {
            *mine = (mine.0 + theirs.0, mine.1 + theirs.1);
        }
    }

    fn finish(self, split: Split, data: &SplitData, counted: usize) -> SplitStatistics {
        let pixels = self.images * self.shape[0] * self.shape[1];
        let channels = self
            .channels
            .iter()
            .map(|&(sum, squares)| spread_of(sum as f64, squares as f64, pixels));
        let (mean, std) = channels.unzip();
        let values = self
            .values
            .iter()
            .map(|&(sum, squares)| spread_of(sum as f64, squares as f64, self.images));
        let (means, stds): (Vec<f64>, Vec<f64>) = values.unzip();
        let largest_std = stds.iter().copied().fold(0.0, f64::max);
        let bytes = |values: &[f64], white: f64| -> Vec<u8> {
            values
                .iter()
                .map(|value| (value / white.max(1e-9) * 255.0).round().clamp(0.0, 255.0) as u8)
                .collect()
        };
        SplitStatistics {
            split,
            images: data.len(),
            counted,
            per_class: if data.labelled() {
                data.per_class()
            } else {
                Vec::new()
            },
            histogram: self.histogram,
            mean,
            std,
            mean_image: bytes(&means, 1.0),
            std_image: bytes(&stds, largest_std),
            largest_std,
            black: self.black,
            flat: self.flat,
            range: self.range.map(f64::from),
        }
    }
}

/// A range that holds a value too.
fn widened([low, high]: [f32; 2], value: &f32) -> [f32; 2] {
    [low.min(*value), high.max(*value)]
}

/// Mean and deviation of whole numbers, as fractions.
fn spread_of(sum: f64, squares: f64, count: usize) -> (f64, f64) {
    let count = count.max(1) as f64;
    let mean = sum / count / ONE;
    (
        mean,
        (squares / count / (ONE * ONE) - mean * mean)
            .max(0.0)
            .sqrt(),
    )
}

impl Inspection for Statistics {
    const NAME: &'static str = "statistics";
    const NEEDS: Needs = Needs::Images;
    type Request = Request;

    fn compute(cx: &mut InspectionContext<'_>, request: &Request) -> Result<Self, InspectError> {
        let kept = cx.take_kept::<Measured>();
        let dataset = cx.images()?;
        let kept = kept.filter(|kept| kept.request == *request);
        let found = match kept {
            Some(kept) => kept.found,
            None => measure(dataset, *request, &mut |progress| cx.report(progress))?,
        };
        let Some(slice) = SliceOf::of(dataset, cx.slice) else {
            return Ok(found);
        };
        let mut shown = found.clone().of_slice(Some(slice));
        shown.duplicates.show_slice(dataset, slice)?;
        let request = *request;
        cx.keep(Measured { request, found });
        Ok(shown)
    }
}

#[cfg(test)]
mod tests;
