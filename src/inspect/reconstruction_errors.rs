//! How well the images of a split are reconstructed: the error of each, the best and the worst, and where in an image
//! the error is.
//!
//! Running statistics are used, dropout and noise are off. Errors are of pixels: in the units of `range`, from 0 to 1
//! with `normalize`. Outputs are compared as they are, also beyond black and white. Fails as the network and the
//! reading of images do, and without a decoder whose output equals the input.

use super::attribution::score::numbers;
use super::batches::{Batch, Walk};
use super::inspection::{InspectError, Inspection, InspectionContext, Needs};
use super::reconstructions::split_of;
use super::slices::{SliceOf, shown, shown_size};
use super::ssim::ssim;
use candle_core::Tensor;
use rayon::prelude::*;
use strata_core::format;
use strata_core::project::data::Split;
use strata_data::Dataset;
use strata_nn::{Mode, Network, Route};

/// Images that are measured unless a limit is given.
pub const IMAGES: usize = 1000;
/// The best and the worst images that are shown, so many each.
pub const SHOWN: usize = 8;
/// Bars of the histogram.
pub const BINS: usize = 32;
/// Images at a time, and while a run trains.
const BATCH: usize = 100;
const LIVE: usize = 25;

/// What is asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Request {
    /// The split; `None` for the first there is of test, valid and train.
    pub split: Option<Split>,
    /// So many of its images.
    pub limit: Option<usize>,
}

/// How well an image is reconstructed.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct ImageError {
    /// Its place in the split.
    pub index: u32,
    /// Its class, where it is known.
    pub label: Option<u32>,
    /// Mean squared error in pixels.
    pub mse: f64,
    /// The same as PSNR in dB; infinite for an error of 0.
    pub psnr: f64,
    /// Structural similarity; `None` of images under 11 pixels and of signals.
    pub ssim: Option<f64>,
}

/// How well the images of a split are reconstructed.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ReconstructionErrors {
    /// Steps taken when they were made.
    pub step: u64,
    /// The split.
    pub split: Split,
    /// The images of the split; measured are as many as there are errors.
    pub of: usize,
    /// The classes' names.
    pub classes: Vec<String>,
    /// Every image measured, the smallest error first.
    pub errors: Vec<ImageError>,
    /// Which of `errors` are shown: the best, then the worst.
    pub shown: Vec<usize>,
    /// Height, width and channels of an image.
    pub size: [usize; 3],
    /// Which slice of volumes is shown; `None` of images. Errors are of all.
    pub slice: Option<SliceOf>,
    /// `shown × H × W × C` bytes.
    pub inputs: Vec<u8>,
    /// The same of what the network makes of them.
    pub outputs: Vec<u8>,
    /// `shown × H × W` squared errors in pixels, the mean over the channels.
    pub maps: Vec<f32>,
    /// The errors at an earlier step, where the change since then is shown.
    pub before: Option<Before>,
}

/// The errors of the same images at an earlier step.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Before {
    /// The earlier step.
    pub step: u64,
    /// Of every image, in the order of [`ReconstructionErrors::errors`].
    pub errors: Vec<ImageError>,
}

impl ReconstructionErrors {
    /// The mean of a figure over the images that have it.
    pub fn mean(&self, figure: impl Fn(&ImageError) -> Option<f64>) -> Option<f64> {
        let all: Vec<f64> = self.errors.iter().filter_map(figure).collect();
        (!all.is_empty()).then(|| all.iter().sum::<f64>() / all.len() as f64)
    }

    /// How much a figure has grown on average since the earlier step, over the images that have it at both.
    pub fn mean_change(&self, figure: impl Fn(&ImageError) -> Option<f64>) -> Option<f64> {
        let before = &self.before.as_ref()?.errors;
        let pairs = self.errors.iter().zip(before);
        let changes = pairs.filter_map(|(now, then)| Some(figure(now)? - figure(then)?));
        let changes: Vec<f64> = changes.collect();
        (!changes.is_empty()).then(|| changes.iter().sum::<f64>() / changes.len() as f64)
    }

    /// How many images have a smaller squared error than at the earlier step, and how many a larger one.
    pub fn better_and_worse(&self) -> Option<[usize; 2]> {
        let before = &self.before.as_ref()?.errors;
        let count = |is: fn(&f64, &f64) -> bool| {
            let pairs = self.errors.iter().zip(before);
            pairs.filter(|(now, then)| is(&now.mse, &then.mse)).count()
        };
        Some([count(f64::lt), count(f64::gt)])
    }

    /// What the histogram counts the images by: their squared errors, or how much these have changed.
    fn counted(&self) -> Vec<f64> {
        let before = self.before.as_ref();
        let then = |at: usize| before.map_or(0.0, |before| before.errors[at].mse);
        let errors = self.errors.iter().enumerate();
        errors.map(|(at, error)| error.mse - then(at)).collect()
    }

    /// The smallest and the largest error, and how many images lie in each of [`BINS`] equal parts between them. Where
    /// the change since an earlier step is shown, the same of the changes of the errors.
    pub fn histogram(&self) -> ([f64; 2], Vec<usize>) {
        let counted = self.counted();
        let [low, high] = format::span(counted.iter().copied()).unwrap_or_default();
        let mut counts = vec![0; BINS];
        for value in counted.into_iter().filter(|value| value.is_finite()) {
            let share = if high > low {
                (value - low) / (high - low)
            } else {
                0.0
            };
            counts[((share * BINS as f64) as usize).min(BINS - 1)] += 1;
        }
        ([low, high], counts)
    }

    /// Bytes of one of the images shown, of inputs or outputs.
    pub fn image<'a>(&self, bytes: &'a [u8], shown: usize) -> &'a [u8] {
        let size = self.size.iter().product::<usize>();
        bytes
            .get(shown * size..(shown + 1) * size)
            .unwrap_or_default()
    }

    /// The error map of one of the images shown.
    pub fn map(&self, shown: usize) -> &[f32] {
        let size = self.size[0] * self.size[1];
        self.maps
            .get(shown * size..(shown + 1) * size)
            .unwrap_or_default()
    }

    /// The largest value of all error maps: they have one scale, so that best and worst can be compared.
    pub fn largest(&self) -> f32 {
        let finite = self.maps.iter().copied().filter(|value| value.is_finite());
        finite.fold(f32::MIN_POSITIVE, f32::max)
    }

    /// A class's name; its number where it has none.
    pub fn class_name(&self, class: u32) -> String {
        super::class_name(&self.classes, class)
    }
}

/// Values of an image from 0 (black) to 1 (white).
fn fractions(dataset: &Dataset, image: &[f32]) -> Vec<f32> {
    let ends = dataset.ends();
    let ends = ends.iter().cycle();
    let one = |(value, [low, high]): (&f32, &[f32; 2])| (value - low) / (high - low);
    image.iter().zip(ends).map(one).collect()
}

/// The similarity of images; of volumes the mean over their slices.
fn similarity(dataset: &Dataset, input: &[f32], output: &[f32], size: [usize; 3]) -> Option<f64> {
    let [a, b] = [input, output].map(|image| fractions(dataset, image));
    let slices = SliceOf::of(dataset, None).map_or(1, |slice| slice.slices.max(1));
    let [rows, width, channels] = size;
    let size = [rows / slices, width, channels];
    let each = size.iter().product::<usize>().max(1);
    let parts = a.chunks_exact(each).zip(b.chunks_exact(each));
    let all: Option<Vec<f64>> = parts.map(|(a, b)| ssim(a, b, size)).collect();
    let all = all.filter(|all| !all.is_empty())?;
    Some(all.iter().sum::<f64>() / all.len() as f64)
}

/// What the network makes of images as it gets them.
pub(crate) fn outputs_of(
    network: &mut Network,
    images: &[f32],
    [height, width, channels]: [usize; 3],
) -> Result<Vec<f32>, InspectError> {
    let count = images.len() / (height * width * channels).max(1);
    let images = Tensor::from_slice(images, (count, height, width, channels), network.device())?;
    Ok(numbers(&network.forward(
        Route::Reconstruct,
        &images,
        Mode::Eval,
    )?)?)
}

/// Refuses networks that reconstruct nothing.
pub(crate) fn reconstructing(cx: &mut InspectionContext<'_>) -> Result<(), InspectError> {
    if cx.run()?.inference.output_equals_input == Some(true) {
        return Ok(());
    }
    Err(InspectError::Input(
        "the network has no decoder whose output equals the input".to_owned(),
    ))
}

impl Inspection for ReconstructionErrors {
    const NAME: &'static str = "errors of reconstruction";
    const NEEDS: Needs = Needs::RunWithImages;
    type Request = Request;

    fn compute(cx: &mut InspectionContext<'_>, request: &Request) -> Result<Self, InspectError> {
        reconstructing(cx)?;
        let dataset = cx.images()?;
        let (split, data) = split_of(dataset, request.split)?;
        let step = cx.run()?.step;
        let size = data.image_shape();
        let each = size.iter().product::<usize>().max(1);
        let batch = if cx.deadline.is_some() { LIVE } else { BATCH };
        let most = request.limit.unwrap_or(IMAGES);
        let walk = Walk::drawn(data.len(), most, batch, "reconstructing");
        let mut errors: Vec<ImageError> = Vec::new();
        let mut mirror = cx.take_mirror()?;
        let read = |indices: &[u32]| Batch::read(data, indices);
        walk.each(cx, read, |_, batch| {
            let outputs = outputs_of(mirror.network(), &batch.values, size)?;
            let units = dataset.pixel_units();
            let pairs = batch
                .values
                .par_chunks_exact(each)
                .zip(outputs.par_chunks_exact(each));
            let measured = pairs
                .zip(batch.indices.par_iter())
                .map(|((input, output), index)| {
                    let mse = units.mean_square(output, input);
                    ImageError {
                        index: *index,
                        label: data.label(*index as usize),
                        mse,
                        psnr: units.psnr(mse),
                        ssim: similarity(dataset, input, output, size),
                    }
                });
            errors.extend(measured.collect::<Vec<_>>());
            Ok(())
        })?;
        errors.sort_by(|a, b| a.mse.total_cmp(&b.mse).then(a.index.cmp(&b.index)));
        let count = errors.len();
        let best = count.min(SHOWN);
        let shown_errors: Vec<usize> = (0..best)
            .chain(count.saturating_sub(SHOWN).max(best)..count)
            .collect();
        let indices: Vec<u32> = shown_errors.iter().map(|at| errors[*at].index).collect();
        let images = Batch::read(data, &indices)?.values;
        let outputs = outputs_of(mirror.network(), &images, size)?;
        cx.return_mirror(mirror);
        let slice = SliceOf::of(dataset, cx.slice);
        let maps = error_maps(dataset, &images, &outputs, size[2]);
        Ok(ReconstructionErrors {
            step,
            split,
            of: data.len(),
            classes: dataset.classes().to_vec(),
            errors,
            shown: shown_errors,
            size: shown_size(slice, size),
            slice,
            inputs: shown(slice, &dataset.to_pixels(&images), size).into_owned(),
            outputs: shown(slice, &dataset.to_pixels(&outputs), size).into_owned(),
            maps: shown(slice, &maps, [size[0], size[1], 1]).into_owned(),
            before: None,
        })
    }

    /// Beside the errors of now those of then.
    fn change_since(&self, earlier: &Self) -> Result<Self, InspectError> {
        let of = |now: &ImageError| {
            let mut then = earlier.errors.iter();
            then.find(|then| then.index == now.index).copied()
        };
        let before: Option<Vec<ImageError>> = self.errors.iter().map(of).collect();
        let errors = before
            .filter(|_| self.split == earlier.split)
            .ok_or_else(|| {
                let message = "the two steps were measured on other images";
                InspectError::Input(message.to_owned())
            })?;
        let mut made = self.clone();
        made.before = Some(Before {
            step: earlier.step,
            errors,
        });
        Ok(made)
    }

    fn step(&self) -> Option<u64> {
        Some(self.step)
    }
}

/// Squared errors in pixels at every place, the mean over the channels.
fn error_maps(dataset: &Dataset, inputs: &[f32], outputs: &[f32], channels: usize) -> Vec<f32> {
    let channels = channels.max(1);
    let errors = dataset.pixel_units().errors(outputs, inputs);
    let places = errors.chunks_exact(channels);
    let place = |place: &[f32]| {
        let squares = place.iter().map(|error| error.powi(2));
        squares.sum::<f32>() / channels as f32
    };
    places.map(place).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_histogram_counts_every_image_once() {
        let error = |mse: f64| ImageError {
            mse,
            ..ImageError::default()
        };
        let errors = ReconstructionErrors {
            errors: [0.0, 0.1, 0.5, 1.0].map(error).to_vec(),
            ..ReconstructionErrors::default()
        };
        let (ends, counts) = errors.histogram();
        assert_eq!((ends, counts.iter().sum::<usize>()), ([0.0, 1.0], 4));
        assert_eq!([counts[0], counts[3], counts[16], counts[BINS - 1]], [1; 4]);
        assert_eq!(errors.mean(|error| Some(error.mse)), Some(0.4));
        assert_eq!(errors.mean(|error| error.ssim), None);
        assert_eq!(errors.better_and_worse(), None);
    }

    #[test]
    fn the_histogram_of_a_change_counts_the_differences() {
        let images = |errors: [f64; 4], order: [u32; 4]| ReconstructionErrors {
            errors: std::iter::zip(errors, order)
                .map(|(mse, index)| ImageError {
                    mse,
                    index,
                    ..ImageError::default()
                })
                .collect(),
            ..ReconstructionErrors::default()
        };
        let then = images([0.25, 0.5, 1.0, 2.0], [3, 0, 1, 2]);
        let now = images([0.125, 0.25, 0.5, 2.5], [0, 3, 1, 2]);
        let change = now.change_since(&then).unwrap();
        // Of the images 0, 3, 1 and 2.
        let ([low, high], counts) = change.histogram();
        assert_eq!(
            ([low, high], counts.iter().sum::<usize>()),
            ([-0.5, 0.5], 4)
        );
        assert_eq!([counts[0], counts[4], counts[16], counts[BINS - 1]], [1; 4]);
        assert_eq!(change.better_and_worse(), Some([2, 1]));
        let mean = change.mean_change(|error| Some(error.mse));
        assert_eq!(mean, Some((-0.375 + 0.0 - 0.5 + 0.5) / 4.0));
        assert!(now.change_since(&images([1.0; 4], [0, 1, 2, 4])).is_err());
    }
}
