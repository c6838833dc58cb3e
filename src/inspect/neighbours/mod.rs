//! Nearest neighbours: the images of a split that are nearest to one, by their pixels and by what a layer gives for them;
//! and how many images of a held-out split the neighbours among the training images classify right.
//!
//! Fails as [`super::features`] does, and for an image that is not there.

mod nearest;

pub use nearest::{Metric, Near, Rows, all_nearest, squared, vote};

use super::features::{Reading, Sampled, drawn, features, layer};
use super::gallery::SmallPictures;
use super::image_set::Chosen;
use super::inspection::{InspectError, Inspection, InspectionContext, Needs};
use super::reconstructions::split_of;
use super::slices::SliceOf;
use std::sync::Arc;
use strata_core::project::Place;
use strata_core::project::data::Split;
use strata_data::{DataError, Dataset, Progress, SplitData};

/// Neighbours that are shown.
pub const SHOWN: usize = 10;
/// Neighbours that vote unless asked for otherwise.
pub const VOTES: usize = 5;

/// What is asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Request {
    /// The layer; `None` for the code.
    pub place: Option<Place>,
    /// The split that is searched and how many of its images; the first file takes the place of an image of the split.
    pub chosen: Chosen,
    /// The image by its place in the split.
    pub image: u32,
    /// How distance is measured.
    pub metric: Metric,
    /// How many neighbours vote, 0 for [`VOTES`].
    pub votes: usize,
}

/// An image that is near.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Neighbour {
    /// Its place in the split.
    pub index: u32,
    /// Its class, where it is known.
    pub label: Option<u32>,
    /// How far it is.
    pub distance: f32,
    /// Its picture.
    pub pixels: Vec<u8>,
}

/// How many images their neighbours among the training images classify right.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct KnnAccuracy {
    /// How many neighbours vote.
    pub votes: usize,
    /// Training images that are searched.
    pub fitted: usize,
    /// The split that is asked, and how many of its images.
    pub split: Split,
    /// See `split`.
    pub asked: usize,
    /// Of them right by pixels, and by features.
    pub right_by_pixels: usize,
    /// See `right_by_pixels`.
    pub right_by_features: usize,
}

impl KnnAccuracy {
    /// The shares that are right, by pixels and by features.
    pub fn shares(&self) -> [f64; 2] {
        [self.right_by_pixels, self.right_by_features]
            .map(|right| right as f64 / self.asked.max(1) as f64)
    }
}

/// The neighbours of an image.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Neighbours {
    /// Steps taken when they were found.
    pub step: u64,
    /// The layer, with its text.
    pub layer: String,
    /// The split that was searched, how many of its images, of how many.
    pub split: Split,
    /// See `split`.
    pub images: usize,
    /// See `split`.
    pub of: usize,
    /// How distance is measured.
    pub metric: Metric,
    /// The image: its place in the split (`None` of a file), its class, its picture.
    pub image: Option<u32>,
    /// See `image`.
    pub label: Option<u32>,
    /// See `image`.
    pub picture: Vec<u8>,
    /// Height, width and channels of a picture.
    pub size: [usize; 3],
    /// The nearest by pixels, the nearest first.
    pub by_pixels: Vec<Neighbour>,
    /// The nearest by features.
    pub by_features: Vec<Neighbour>,
    /// The places of all images that were searched, and how far each is by pixels and by features.
    pub indices: Vec<u32>,
    /// See `indices`.
    pub distances: [Vec<f32>; 2],
    /// Of labelled images of a run that is not in training.
    pub accuracy: Option<KnnAccuracy>,
    /// The classes' names.
    pub classes: Vec<String>,
}

impl Neighbours {
    /// A class's name; its number where it has none.
    pub fn class_name(&self, class: u32) -> String {
        super::class_name(&self.classes, class)
    }
}

/// What the next request can use again: samples of splits at one layer.
struct Kept {
    step: u64,
    place: Place,
    limit: Option<usize>,
    slice: Option<SliceOf>,
    samples: Vec<(Split, Arc<Sampled>)>,
    accuracy: Option<((Metric, usize), KnnAccuracy)>,
}

/// The image whose neighbours are asked for.
struct Asked {
    index: Option<u32>,
    label: Option<u32>,
    values: Vec<f32>,
    features: Vec<f32>,
    picture: Vec<u8>,
}

impl Inspection for Neighbours {
    const NAME: &'static str = "neighbours";
    const NEEDS: Needs = Needs::RunWithImages;
    type Request = Request;

    fn compute(cx: &mut InspectionContext<'_>, request: &Request) -> Result<Self, InspectError> {
        let dataset = cx.images()?;
        let (split, data) = split_of(dataset, request.chosen.split)?;
        let run = cx.run()?;
        let step = run.step;
        let (place, layer) = layer(run.inference, request.place.as_ref())?;
        let slice = SliceOf::of(dataset, cx.slice);
        let is_live = cx.deadline.is_some();
        let kept = cx.take_kept::<Kept>().filter(|kept| {
            let is_same = kept.step == step && kept.place == place && kept.slice == slice;
            is_same && kept.limit == request.chosen.limit && !is_live
        });
        let mut kept = kept.unwrap_or(Kept {
            step,
            place,
            limit: request.chosen.limit,
            slice,
            samples: Vec::new(),
            accuracy: None,
        });
        let asked = Asked::read(cx, request, data, &kept)?;
        let sample = kept.sample(cx, split, data)?;
        let accuracy = match is_live {
            true => None,
            false => kept.accuracy(cx, request)?,
        };
        cx.keep(kept);
        let mut found = found(&sample, &asked, request.metric);
        found.step = step;
        found.layer = layer;
        (found.split, found.of) = (split, data.len());
        found.accuracy = accuracy;
        found.classes = dataset.classes().to_vec();
        Ok(found)
    }

    fn step(&self) -> Option<u64> {
        Some(self.step)
    }
}

impl Asked {
    fn read(
        cx: &mut InspectionContext<'_>,
        request: &Request,
        data: &SplitData,
        kept: &Kept,
    ) -> Result<Asked, InspectError> {
        let dataset = cx.images()?;
        let size = data.image_shape();
        let (index, label, values) = match request.chosen.files.first() {
            Some(file) => (None, None, dataset.read_file(file)?),
            None => {
                let index = request.image as usize;
                if index >= data.len() {
                    let message = format!(
                        "there is no image {index}: the split has {}, counted from 0",
                        data.len()
                    );
                    return Err(InspectError::Input(message));
                }
                let mut values = vec![0.0; size.iter().product()];
                data.read(index, &mut values)?;
                (Some(request.image), data.label(index), values)
            }
        };
        let inference = cx.run()?.inference;
        let features = features(cx.mirror()?, inference, &kept.place, &values, size)?;
        let picture = SmallPictures::of(dataset, data, kept.slice)?.picture(&values);
        Ok(Asked {
            index,
            label,
            values,
            features,
            picture,
        })
    }
}

impl Kept {
    /// The sample of a split, read at the first request.
    fn sample(
        &mut self,
        cx: &mut InspectionContext<'_>,
        split: Split,
        data: &SplitData,
    ) -> Result<Arc<Sampled>, InspectError> {
        if let Some((_, sample)) = self.samples.iter().find(|(of, _)| *of == split) {
            return Ok(sample.clone());
        }
        let seed = cx.run()?.seed;
        let reading = Reading {
            dataset: cx.images()?,
            data,
            place: &self.place,
            order: drawn(data.len(), self.limit, seed, 0),
            with_images: true,
            slice: self.slice,
            until: cx.deadline,
        };
        let sample = Arc::new(reading.read(cx)?);
        self.samples.push((split, sample.clone()));
        Ok(sample)
    }

    /// How well neighbours classify; `None` without a labelled training split and another one.
    fn accuracy(
        &mut self,
        cx: &mut InspectionContext<'_>,
        request: &Request,
    ) -> Result<Option<KnnAccuracy>, InspectError> {
        let votes = match request.votes {
            0 => VOTES,
            votes => votes,
        };
        let metric = request.metric;
        let known = self.accuracy.filter(|(how, _)| *how == (metric, votes));
        if let Some((_, known)) = known {
            return Ok(Some(known));
        }
        let Some([(train, fitted), (split, asked)]) = labelled_pair(cx.images()?) else {
            return Ok(None);
        };
        let fitted = self.sample(cx, train, fitted)?;
        let asked = self.sample(cx, split, asked)?;
        let by = [Sampled::image_rows, Sampled::rows];
        let mut right = [0; 2];
        for (right, rows) in right.iter_mut().zip(by) {
            let mut go_on = |done| {
                cx.report(Progress {
                    what: "comparing images",
                    done,
                    total: asked.indices.len(),
                })
            };
            let near = all_nearest(rows(&fitted), rows(&asked), metric, votes, &mut go_on);
            let near = near.ok_or(DataError::Cancelled)?;
            let answers = near.iter().map(|near| vote(near, &fitted.labels));
            *right = answers
                .zip(&asked.labels)
                .filter(|(answer, label)| answer.is_some() && answer == *label)
                .count();
        }
        let accuracy = KnnAccuracy {
            // No more can vote than there are.
            votes: votes.min(fitted.indices.len()),
            fitted: fitted.indices.len(),
            split,
            asked: asked.indices.len(),
            right_by_pixels: right[0],
            right_by_features: right[1],
        };
        self.accuracy = Some(((metric, votes), accuracy));
        Ok(Some(accuracy))
    }
}

/// The training images, and those that are asked; where both have classes.
fn labelled_pair(dataset: &Dataset) -> Option<[(Split, &SplitData); 2]> {
    let labelled = |split: Split| {
        let data = dataset.split(split)?;
        (data.labelled() && !data.is_empty()).then_some((split, data))
    };
    let asked = labelled(Split::Test).or_else(|| labelled(Split::Valid))?;
    Some([labelled(Split::Train)?, asked])
}

fn found(sample: &Sampled, asked: &Asked, metric: Metric) -> Neighbours {
    let own = asked
        .index
        .and_then(|index| sample.indices.iter().position(|other| *other == index));
    let by = |rows: Rows<'_>, from: &[f32]| {
        let near = rows.nearest(from, metric, SHOWN, own).into_iter();
        let neighbour = |(row, distance): Near| Neighbour {
            index: sample.indices[row],
            label: sample.labels[row],
            distance,
            pixels: sample.picture(row).to_vec(),
        };
        near.map(neighbour).collect()
    };
    Neighbours {
        images: sample.indices.len(),
        metric,
        image: asked.index,
        label: asked.label,
        picture: asked.picture.clone(),
        size: sample.size,
        by_pixels: by(sample.image_rows(), &asked.values),
        by_features: by(sample.rows(), &asked.features),
        indices: sample.indices.clone(),
        distances: [
            sample.image_rows().distances(&asked.values, metric),
            sample.rows().distances(&asked.features, metric),
        ],
        ..Neighbours::default()
    }
}

#[cfg(test)]
mod tests;
