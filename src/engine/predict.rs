//! What a run answers for image files from outside of its data.

use crate::error::RunError;
use crate::run::memory_check::check_forward;
use crate::run::pool::in_pool;
use crate::storage::saved_run::SavedRun;
use candle_core::{IndexOp, Tensor};
use rayon::prelude::*;
use std::path::Path;
use strata_core::project::stage::Task;
use strata_data::DataError;
use strata_inspect::predictions::{sigmoid, softmax};
use strata_nn::Route;

/// Files that are read and run through the network at once.
const TOGETHER: usize = 64;

/// What the network makes of one image.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Prediction {
    /// The probability of each class, or of each label by itself where an image may have several; empty where no stage that classifies was trained.
    pub probabilities: Vec<f32>,
    /// The code's numbers, channels last.
    pub code: Vec<f32>,
    /// The reconstruction, where a stage that reconstructs was trained.
    pub reconstruction: Option<Reconstruction>,
}

/// An image as the network reconstructs it.
#[derive(Clone, Debug, PartialEq)]
pub struct Reconstruction {
    /// Its pixels, H×W×C.
    pub pixels: Vec<u8>,
    /// The mean squared error in pixels, from 0 to 1.
    pub mse: f64,
    /// The same in dB.
    pub psnr: f64,
}

impl Prediction {
    /// The most probable classes with their probabilities, the first of equal ones before the others.
    pub fn top(&self, count: usize) -> Vec<(usize, f32)> {
        let mut ranked: Vec<(usize, f32)> =
            self.probabilities.iter().copied().enumerate().collect();
        ranked.sort_by(|one, other| other.1.total_cmp(&one.1));
        ranked.truncate(count);
        ranked
    }
}

impl SavedRun {
    /// Runs image files through the network, each as the run's data would read it, and tells of them in their order;
    /// of a file that cannot be read, why.
    pub fn predict<P: AsRef<Path> + Sync>(
        &mut self,
        files: &[P],
        mut each: impl FnMut(&P, Result<Prediction, DataError>) -> Result<(), RunError>,
    ) -> Result<(), RunError> {
        check_forward(&self.inference, TOGETHER.min(files.len().max(1)) as u32)?;
        for files in files.chunks(TOGETHER) {
            let dataset = &self.dataset;
            let read: Vec<_> = files
                .par_iter()
                .map(|file| dataset.read_file(file.as_ref()))
                .collect();
            let images: Vec<&Vec<f32>> = read.iter().flatten().collect();
            let mut predictions = self.of_images(&images)?.into_iter();
            for (file, image) in files.iter().zip(read) {
                match image {
                    Ok(_) => each(file, Ok(predictions.next().unwrap_or_default()))?,
                    Err(error) => each(file, Err(error))?,
                }
            }
        }
        Ok(())
    }

    /// What the network makes of images as it sees them, H×W×C each.
    fn of_images(&mut self, images: &[&Vec<f32>]) -> Result<Vec<Prediction>, RunError> {
        if images.is_empty() {
            return Ok(Vec::new());
        }
        let [channels, height, width] = self.dataset.shape();
        let values: Vec<f32> = images
            .iter()
            .flat_map(|image| image.iter().copied())
            .collect();
        let x = Tensor::from_vec(
            values,
            (images.len(), height, width, channels),
            &self.device().clone(),
        )?;
        let (classifies, reconstructs) = (
            self.has_trained(Task::Classify),
            self.has_trained(Task::Reconstruct),
        );
        let network = &mut self.network;
        let (codes, scores, pictures) = in_pool(|| -> Result<_, RunError> {
            // Both stacks start from the code; its buffer is written by the next pass only.
            let code = network.encode(&x)?;
            let codes = rows(&code)?;
            let scores = match classifies {
                true => {
                    let output = network.decode(Route::Classify, &code)?;
                    Some(rows(&network.logits(&output)?)?)
                }
                false => None,
            };
            let pictures = match reconstructs {
                true => Some(rows(&network.decode(Route::Reconstruct, &code)?)?),
                false => None,
            };
            Ok((codes, scores, pictures))
        })?;
        let units = self.dataset.pixel_units();
        let of_labels = self.dataset.has_label_sets();
        let reconstruction = |picture: &Vec<f32>, image: &Vec<f32>| {
            let mse = units.mean_square(picture, image);
            Reconstruction {
                pixels: self.dataset.to_pixels(picture),
                mse,
                psnr: units.psnr(mse),
            }
        };
        let prediction = |(index, code): (usize, Vec<f32>)| Prediction {
            probabilities: scores
                .as_ref()
                .map(|scores| match of_labels {
                    true => sigmoid(&scores[index]),
                    false => softmax(&scores[index]),
                })
                .unwrap_or_default(),
            code,
            reconstruction: pictures
                .as_ref()
                .map(|pictures| reconstruction(&pictures[index], images[index])),
        };
        Ok(codes.into_iter().enumerate().map(prediction).collect())
    }
}

/// The numbers of each image of a batch.
fn rows(batch: &Tensor) -> Result<Vec<Vec<f32>>, RunError> {
    let count = batch.dims().first().copied().unwrap_or_default();
    let row = |index: usize| Ok(batch.i(index)?.flatten_all()?.to_vec1::<f32>()?);
    (0..count).map(row).collect()
}
