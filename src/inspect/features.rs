//! Features: what a layer gives for many images of a split, a row of numbers for each.
//!
//! Running statistics are used, dropout and noise are off. Fails as the network and the reading of images do, and where
//! the layer's values are not finite.

use super::activations::output_of;
use super::attribution::score::numbers;
use super::gallery::SmallPictures;
use super::image_set::ImagesOf;
use super::inspection::{InspectError, Inspection, InspectionContext, Needs};
use super::neighbours::Rows;
use super::network_copy::InspectionNetwork;
use super::reconstructions::split_of;
use super::slices::SliceOf;
use candle_core::Tensor;
use std::fmt::{self, Debug, Formatter};
use std::time::Instant;
use strata_core::project::data::Split;
use strata_core::project::{Place, Stack};
use strata_core::shape::Inference;
use strata_data::{DataError, Dataset, Progress, SplitData, epoch_order, fill_batch};

/// Images that are read unless asked for otherwise, and at most.
pub const IMAGES: usize = 1000;
/// See [`IMAGES`].
pub const MOST_IMAGES: usize = 5000;
/// Numbers that are held at most: of wide layers and large images fewer images are read.
const MOST_NUMBERS: usize = 50_000_000;
/// Images at a time.
const BATCH: usize = 100;

/// What is asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Request {
    /// The layer; `None` for the code, the encoder's last.
    pub place: Option<Place>,
    /// The split; `None` for the first there is of test, valid and train.
    pub split: Option<Split>,
    /// How many images, [`MOST_IMAGES`] at most; `None` for [`IMAGES`].
    pub limit: Option<usize>,
    /// Which draw of so many images, where the split has more.
    pub draw: u64,
}

/// Images with what a layer gives for them.
#[derive(Clone, Default, PartialEq)]
pub struct Sampled {
    /// The place of each image in its split, rising.
    pub indices: Vec<u32>,
    /// The class of each, where it is known.
    pub labels: Vec<Option<u32>>,
    /// `N × width` features.
    pub values: Vec<f32>,
    /// Features of an image.
    pub width: usize,
    /// `N × H × W × C` values of the images, as the network gets them.
    pub images: Vec<f32>,
    /// Values of an image.
    pub image_width: usize,
    /// Height, width and channels of a picture.
    pub size: [usize; 3],
    /// `N × H × W × C` bytes.
    pub pixels: Vec<u8>,
}

impl Sampled {
    /// The features as rows.
    pub fn rows(&self) -> Rows<'_> {
        Rows::new(&self.values, self.width)
    }

    /// The images as rows.
    pub fn image_rows(&self) -> Rows<'_> {
        Rows::new(&self.images, self.image_width)
    }

    /// The picture of an image.
    pub fn picture(&self, index: usize) -> &[u8] {
        let size = self.size.iter().product::<usize>();
        self.pixels
            .get(index * size..(index + 1) * size)
            .unwrap_or_default()
    }
}

impl Debug for Sampled {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let (images, width) = (self.indices.len(), self.width);
        write!(f, "{images} images with {width} features")
    }
}

/// The features of a sample of a split.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Features {
    /// Steps taken when they were computed.
    pub step: u64,
    /// The layer, with its text.
    pub layer: String,
    /// The split, and how many images it has.
    pub split: ImagesOf,
    /// See `split`.
    pub of: usize,
    /// The classes' names.
    pub classes: Vec<String>,
    /// The project's seed, and which draw of images this is.
    pub seed: u64,
    /// See `seed`.
    pub draw: u64,
    /// The images.
    pub sample: Sampled,
}

impl Features {
    /// A class's name; its number where it has none.
    pub fn class_name(&self, class: u32) -> String {
        super::class_name(&self.classes, class)
    }
}

/// The code: the encoder's last layer, or, without an encoder, the last of the first stack.
pub fn code_place(inference: &Inference) -> Option<Place> {
    let first = inference.rows.first()?.place.stack;
    let has_encoder = inference
        .rows
        .iter()
        .any(|row| row.place.stack == Stack::Encoder);
    let stack = if has_encoder { Stack::Encoder } else { first };
    let mut of_stack = inference.rows.iter();
    let last = of_stack.rfind(|row| row.place.stack == stack && row.depth == 0);
    last.map(|row| row.place.clone())
}

/// The layer that is asked for, with its name.
pub(crate) fn layer(
    inference: &Inference,
    asked: Option<&Place>,
) -> Result<(Place, String), InspectError> {
    let none = || {
        InspectError::Input("the network has no layers whose output could be compared".to_owned())
    };
    let place = asked.cloned().or_else(|| code_place(inference));
    let place = place.ok_or_else(none)?;
    let text = inference.row(&place).map(|row| row.text.as_str());
    let name = format!("{place} `{}`", text.unwrap_or_default());
    Ok((place, name))
}

/// Which images of a split: all, or so many of a draw, in the order of the split.
pub(crate) fn drawn(images: usize, limit: Option<usize>, seed: u64, draw: u64) -> Vec<u32> {
    let limit = limit.unwrap_or(IMAGES).clamp(1, MOST_IMAGES);
    // A sample of the whole split, since splits may come class by class.
    let mut order = epoch_order(images, seed, draw);
    order.truncate(limit);
    order.sort_unstable();
    order
}

/// The images of a split to read, and what of them.
pub(crate) struct Reading<'a> {
    pub dataset: &'a Dataset,
    pub data: &'a SplitData,
    pub place: &'a Place,
    pub order: Vec<u32>,
    /// Whether the images themselves are kept too.
    pub with_images: bool,
    pub slice: Option<SliceOf>,
    /// When to stop after a batch.
    pub until: Option<Instant>,
}

impl Reading<'_> {
    /// Reads the images and asks the network, or as many as there is time and room for.
    pub fn read(self, cx: &mut InspectionContext<'_>) -> Result<Sampled, InspectError> {
        let inference = cx.run()?.inference;
        let small = SmallPictures::of(self.dataset, self.data, self.slice)?;
        let mut sampled = Sampled {
            size: small.size,
            image_width: self.data.image_shape().iter().product(),
            ..Sampled::default()
        };
        // A part of a sample that is in order would be of the first classes only.
        let mut order = self.order.clone();
        if self.until.is_some() {
            let shuffled = epoch_order(order.len(), 0, 0).into_iter();
            order = shuffled.map(|at| self.order[at as usize]).collect();
        }
        let mut mirror = cx.take_mirror()?;
        for indices in order.chunks(BATCH) {
            self.add(&mut sampled, &mut mirror, inference, indices, &small)?;
            let progress = Progress {
                what: "asking the network",
                done: sampled.indices.len(),
                total: order.len(),
            };
            if !cx.report(progress) {
                return Err(DataError::Cancelled.into());
            }
            let numbers = sampled.values.len() + sampled.images.len();
            let is_late = self.until.is_some_and(|until| Instant::now() > until);
            if is_late || numbers > MOST_NUMBERS {
                break;
            }
        }
        cx.return_mirror(mirror);
        if sampled.values.iter().any(|value| !value.is_finite()) {
            let message = "the layer gives values that are not finite (NaN or infinite), so nothing can be compared: look at an earlier layer, or train with a smaller learning rate";
            return Err(InspectError::Input(message.to_owned()));
        }
        Ok(sampled)
    }

    fn add(
        &self,
        sampled: &mut Sampled,
        mirror: &mut InspectionNetwork,
        inference: &Inference,
        indices: &[u32],
        small: &SmallPictures<'_>,
    ) -> Result<(), InspectError> {
        let length = sampled.image_width;
        let mut images = vec![0.0; indices.len() * length];
        let mut classes = vec![0; indices.len()];
        fill_batch(self.data, indices, &mut images, &mut classes)?;
        let values = features(
            mirror,
            inference,
            self.place,
            &images,
            self.data.image_shape(),
        )?;
        sampled.width = values.len() / indices.len().max(1);
        sampled.values.extend(values);
        for image in images.chunks_exact(length.max(1)) {
            sampled.pixels.extend(small.picture(image));
        }
        if self.with_images {
            sampled.images.extend(images);
        }
        let labels = indices.iter().map(|index| self.data.label(*index as usize));
        sampled.labels.extend(labels);
        sampled.indices.extend(indices);
        Ok(())
    }
}

/// What a layer gives for images of this height, width and channels.
pub(crate) fn features(
    mirror: &mut InspectionNetwork,
    inference: &Inference,
    place: &Place,
    images: &[f32],
    [height, width, channels]: [usize; 3],
) -> Result<Vec<f32>, InspectError> {
    let count = images.len() / (height * width * channels).max(1);
    let shape = (count, height, width, channels);
    let images = Tensor::from_slice(images, shape, mirror.network().device())?;
    let output = output_of(mirror, inference, place, &images)?;
    Ok(numbers(&output)?)
}

impl Inspection for Features {
    const NAME: &'static str = "features";
    const NEEDS: Needs = Needs::RunWithImages;
    type Request = Request;

    fn compute(cx: &mut InspectionContext<'_>, request: &Request) -> Result<Self, InspectError> {
        let dataset = cx.images()?;
        let (split, data) = split_of(dataset, request.split)?;
        let run = cx.run()?;
        let (step, seed) = (run.step, run.seed);
        let (place, layer) = layer(run.inference, request.place.as_ref())?;
        let reading = Reading {
            dataset,
            data,
            place: &place,
            order: drawn(data.len(), request.limit, seed, request.draw),
            with_images: false,
            slice: SliceOf::of(dataset, cx.slice),
            until: cx.deadline,
        };
        let sample = reading.read(cx)?;
        Ok(Features {
            step,
            layer,
            split: ImagesOf::of(dataset, split),
            of: data.len(),
            classes: dataset.classes().to_vec(),
            seed,
            draw: request.draw,
            sample,
        })
    }

    fn step(&self) -> Option<u64> {
        Some(self.step)
    }
}
