//! Probe images and their reconstructions as plain arrays.
//!
//! Fails as the network or the reading of an image does. Making them changes no number of a training.

use super::curve::is_signal;
use super::image_set::Chosen;
use super::inspection::{InspectError, Inspection, InspectionContext, Needs, Slice};
use super::slices::{SliceOf, shown, shown_size};
use candle_core::{Device, Tensor};
use rand::RngCore;
use std::borrow::Cow;
use std::path::PathBuf;
use strata_core::project::data::Split;
use strata_core::rng::{Purpose, stream};
use strata_core::run_buffers::probe_count;
use strata_data::{DataError, Dataset, SplitData};
use strata_nn::{Mode, Network, NnError, Route};

pub use strata_core::run_buffers::PROBES;

/// The probe images over what the network makes of them.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Reconstructions {
    /// Steps taken when they were made.
    pub step: u64,
    /// Height, width and channels of an image.
    pub height: usize,
    /// See `height`.
    pub width: usize,
    /// 1 (grey) or 3 (RGB); other numbers are drawn by their first channel.
    pub channels: usize,
    /// `N × H × W × C` bytes of the inputs.
    pub inputs: Vec<u8>,
    /// Which slice of volumes is shown; `None` of images.
    pub slice: Option<SliceOf>,
    /// The same of the outputs.
    pub outputs: Vec<u8>,
    /// Mean squared error of each image in pixels: in the units of `range`, from 0 to 1 with `normalize`.
    pub mse: Vec<f32>,
    /// Mean over the images shown: MSE and PSNR in dB.
    pub mean_mse: f32,
    /// See `mean_mse`.
    pub psnr: f32,
    /// Of the outputs' values the fraction beyond black or white, which is drawn black or white.
    pub outside: f64,
    /// Where the change is shown: since which step. `inputs` are then the outputs at that step, and the errors are
    /// measured between both as they are drawn, where from black to white is 1.
    pub since: Option<u64>,
}

impl Reconstructions {
    /// One slice of each volume, the middle one unless another is asked for. Kept are whole volumes.
    pub fn shown(&self, asked: Slice) -> Cow<'_, Reconstructions> {
        let Some(SliceOf { slices, slice }) = self.slice else {
            return Cow::Borrowed(self);
        };
        let slice = asked.unwrap_or(slice).min(slices.saturating_sub(1));
        let of = Some(SliceOf { slice, slices });
        let size = [self.height, self.width, self.channels];
        let [height, ..] = shown_size(of, size);
        Cow::Owned(Reconstructions {
            height,
            inputs: shown(of, &self.inputs, size).into_owned(),
            outputs: shown(of, &self.outputs, size).into_owned(),
            slice: None,
            ..self.clone()
        })
    }

    /// Whether they are drawn as curves.
    pub fn are_signals(&self) -> bool {
        is_signal([self.height, self.width, self.channels])
    }
}

/// Images to make pictures from: of a run (fixed by its seed), or from files.
#[derive(Clone, Debug)]
pub struct Probe {
    images: Tensor,
    values: Vec<f32>,
    size: [usize; 3],
    labels: Vec<Option<u32>>,
    /// Where an image may have several labels: those of each, by their numbers.
    label_sets: Vec<Option<Vec<u32>>>,
}

impl Probe {
    /// The probe images of a run: a few of the first split there is of valid, test, unlabeled, train.
    pub fn of_run(
        dataset: &Dataset,
        seed: u64,
        device: &Device,
    ) -> Result<Option<Probe>, DataError> {
        let Some((name, places)) = probe_places(dataset, seed) else {
            return Ok(None);
        };
        let Some(split) = dataset.split(name) else {
            return Ok(None);
        };
        let size = split.image_shape();
        let mut values = vec![0.0; size.iter().product()];
        let (mut images, mut labels) = (Vec::new(), Vec::new());
        let mut label_sets = Vec::new();
        for index in places {
            labels.push(split.label(index));
            label_sets.push(split.label_set(index).map(<[u32]>::to_vec));
            split.read(index, &mut values)?;
            images.extend_from_slice(&values);
        }
        // A tensor on the CPU cannot fail to be made of the right number of values; without one there is no picture.
        Ok(Probe::new(images, size, device).ok().map(|probe| Probe {
            labels,
            label_sets,
            ..probe
        }))
    }

    /// The first images of a split: of the one that is chosen, or the first there is of test, valid and train.
    pub(crate) fn of_split(
        dataset: &Dataset,
        chosen: &Chosen,
        device: &Device,
    ) -> Result<Probe, InspectError> {
        let (_, split) = split_of(dataset, chosen.split)?;
        let count = chosen.limit.unwrap_or(PROBES).clamp(1, split.len().max(1));
        let size = split.image_shape();
        let each = size.iter().product::<usize>();
        let mut values = vec![0.0; count * each];
        for (index, image) in values.chunks_exact_mut(each.max(1)).enumerate() {
            split.read(index, image)?;
        }
        let labels = (0..count).map(|index| split.label(index)).collect();
        let sets = (0..count).map(|index| split.label_set(index).map(<[u32]>::to_vec));
        Ok(Probe {
            labels,
            label_sets: sets.collect(),
            ..Probe::new(values, size, device)?
        })
    }

    /// The first few of them.
    pub(crate) fn first(&self, count: usize) -> candle_core::Result<Probe> {
        let count = count.min(self.labels.len());
        let each = self.size.iter().product::<usize>();
        Ok(Probe {
            images: self.images.narrow(0, 0, count)?.contiguous()?,
            values: self.values[..count * each].to_vec(),
            size: self.size,
            labels: self.labels[..count].to_vec(),
            label_sets: self.label_sets[..count].to_vec(),
        })
    }

    /// Images as `H×W×C` floats one after the other.
    pub fn new(values: Vec<f32>, size: [usize; 3], device: &Device) -> candle_core::Result<Probe> {
        let [height, width, channels] = size;
        let count = values.len() / (height * width * channels).max(1);
        let images = Tensor::from_slice(&values, (count, height, width, channels), device)?;
        Ok(Probe {
            images,
            values,
            size,
            labels: vec![None; count],
            label_sets: vec![None; count],
        })
    }

    /// The images as a batch, `N×H×W×C`.
    pub fn images(&self) -> &Tensor {
        &self.images
    }

    /// The same as plain numbers.
    pub fn values(&self) -> &[f32] {
        &self.values
    }

    /// Height, width and channels of an image.
    pub fn size(&self) -> [usize; 3] {
        self.size
    }

    /// The class of each image, where it is known.
    pub fn labels(&self) -> &[Option<u32>] {
        &self.labels
    }

    /// The labels of each image, where it may have several and they are known.
    pub fn label_sets(&self) -> &[Option<Vec<u32>>] {
        &self.label_sets
    }
}

/// The split that is asked for, or the first there is of test, valid and train.
pub(crate) fn split_of(
    dataset: &Dataset,
    asked: Option<Split>,
) -> Result<(Split, &SplitData), InspectError> {
    let usual = [Split::Test, Split::Valid, Split::Train, Split::Unlabeled];
    let all = asked.map_or(usual.to_vec(), |split| vec![split]);
    let found = all.into_iter().find_map(|split| {
        let data = dataset.split(split)?;
        (!data.is_empty()).then_some((split, data))
    });
    let none = || {
        let split = asked.map_or("of any split".to_owned(), |split| {
            format!("of the split {split}")
        });
        InspectError::Input(format!("there are no images {split}"))
    };
    found.ok_or_else(none)
}

/// The probe images of a run: which of the first split there is of valid, test, unlabeled, train.
pub fn probe_places(dataset: &Dataset, seed: u64) -> Option<(Split, Vec<usize>)> {
    let order = [Split::Valid, Split::Test, Split::Unlabeled, Split::Train];
    let mut there = order.into_iter();
    there.find_map(|name| Some((name, choose(dataset.split(name)?, seed))))
}

/// Up to [`PROBES`] different images of a split, fewer where they are large.
fn choose(split: &SplitData, seed: u64) -> Vec<usize> {
    let numbers = split.image_shape().iter().product::<usize>();
    let count = probe_count(numbers as u64).min(split.len());
    let mut rng = stream(seed, Purpose::Probe, 0);
    let mut chosen = Vec::with_capacity(count);
    while chosen.len() < count {
        let index = (rng.next_u64() % split.len() as u64) as usize;
        if !chosen.contains(&index) {
            chosen.push(index);
        }
    }
    chosen
}

/// What the network makes of the probe images now, after `step` steps. It gets at most `batch` of them at a time: no
/// more memory is needed than for a step with such a batch.
pub fn reconstruct(
    network: &mut Network,
    dataset: &Dataset,
    probe: &Probe,
    batch: usize,
    step: u64,
) -> Result<Reconstructions, NnError> {
    let count = probe.labels.len();
    let batch = batch.max(1);
    let mut output = Vec::with_capacity(probe.values.len());
    for first in (0..count).step_by(batch) {
        let images = probe.images.narrow(0, first, batch.min(count - first))?;
        let made = network.forward(Route::Reconstruct, &images, Mode::Eval)?;
        let made = made.flatten_all()?.to_device(&Device::Cpu)?;
        output.extend(made.to_vec1::<f32>()?);
    }
    let [height, width, channels] = probe.size;
    let size = (height * width * channels).max(1);
    let units = dataset.pixel_units();
    let mse: Vec<f32> = probe
        .values
        .chunks_exact(size)
        .zip(output.chunks_exact(size))
        .map(|(a, b)| units.mean_square(b, a) as f32)
        .collect();
    let mean_mse = mse.iter().sum::<f32>() / mse.len().max(1) as f32;
    Ok(Reconstructions {
        step,
        height,
        width,
        channels,
        inputs: dataset.to_pixels(&probe.values),
        slice: SliceOf::of(dataset, None),
        outputs: dataset.to_pixels(&output),
        outside: dataset.outside(&output) as f64 / output.len().max(1) as f64,
        mse,
        mean_mse,
        psnr: units.psnr(f64::from(mean_mse)) as f32,
        since: None,
    })
}

impl Inspection for Reconstructions {
    const NAME: &'static str = "reconstructions";
    const NEEDS: Needs = Needs::RunWithImages;
    /// An image file instead of the probe images.
    type Request = Option<PathBuf>;

    fn compute(
        cx: &mut InspectionContext<'_>,
        image: &Option<PathBuf>,
    ) -> Result<Self, InspectError> {
        let dataset = cx.images()?;
        if cx.run()?.inference.output_equals_input != Some(true) {
            return Err(InspectError::Input(
                "the network has no decoder whose output equals the input".to_owned(),
            ));
        }
        let probe = cx.probe(image.as_deref())?;
        let run = cx.run()?;
        Ok(reconstruct(run.network, dataset, &probe, PROBES, run.step)?)
    }

    fn change_since(&self, earlier: &Self) -> Result<Self, InspectError> {
        let mut made = self.clone();
        if self.outputs.len() != earlier.outputs.len() {
            let message = "the two steps have no pictures of the same size to compare";
            return Err(InspectError::Input(message.to_owned()));
        }
        let size = (self.height * self.width * self.channels).max(1);
        let pairs = self
            .outputs
            .chunks_exact(size)
            .zip(earlier.outputs.chunks_exact(size));
        made.mse = pairs.map(|(now, then)| byte_error(now, then)).collect();
        made.mean_mse = made.mse.iter().sum::<f32>() / made.mse.len().max(1) as f32;
        made.psnr = -10.0 * made.mean_mse.log10();
        made.inputs = earlier.outputs.clone();
        made.since = Some(earlier.step);
        Ok(made)
    }

    fn step(&self) -> Option<u64> {
        Some(self.step)
    }
}

/// The mean squared difference of two pictures, where from black to white is 1.
fn byte_error(a: &[u8], b: &[u8]) -> f32 {
    let squares = a.iter().zip(b).map(|(a, b)| {
        let difference = (f32::from(*a) - f32::from(*b)) / 255.0;
        difference * difference
    });
    squares.sum::<f32>() / a.len().max(1) as f32
}
