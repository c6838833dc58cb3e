//! The number that is attributed: a class's score, a reconstruction's error, a unit's value; with its gradient.

use crate::predictions::softmax;
use candle_core::{Device, Tensor};
use strata_data::PixelUnits;
use strata_nn::{Mode, Network, NnError, Route};

/// Which number of a network.
#[derive(Clone, Debug)]
pub enum Score {
    /// The score of a class before a last softmax, of each image its own.
    Classes(Vec<u32>),
    /// The cross-entropy of a class, of each image its own: −ln of its probability.
    Loss(Vec<u32>),
    /// The mean squared error of the reconstruction in pixels. The image is the target as well: moving a pixel moves
    /// what it is compared with.
    Error(PixelUnits),
    /// The mean over a channel's positions, of a network that was cut off behind a layer.
    Unit(usize),
}

/// A network and the number that is asked of it.
pub struct Scored<'a> {
    pub(super) network: &'a mut Network,
    score: Score,
    /// Height, width and channels of an image.
    size: [usize; 3],
}

impl<'a> Scored<'a> {
    /// Asks this number of a network that gets images of this height, width and channels.
    pub fn new(network: &'a mut Network, score: Score, size: [usize; 3]) -> Scored<'a> {
        Scored {
            network,
            score,
            size,
        }
    }

    /// Values of an image.
    pub fn size(&self) -> usize {
        self.size.iter().product()
    }

    /// Channels of an image.
    pub fn channels(&self) -> usize {
        self.size[2].max(1)
    }

    /// The stacks that are passed.
    pub fn route(&self) -> Route {
        match self.score {
            Score::Classes(_) | Score::Loss(_) => Route::Classify,
            Score::Error(_) | Score::Unit(_) => Route::Reconstruct,
        }
    }

    /// The number for each image (`N × H × W × C` values one after the other).
    pub fn values(&mut self, images: &[f32]) -> Result<Vec<f32>, NnError> {
        let output = self.forward(images)?;
        self.values_of(&output, images)
    }

    /// The same, and its gradient by every value of the images.
    pub fn gradients(&mut self, images: &[f32]) -> Result<(Vec<f32>, Vec<f32>), NnError> {
        let output = self.forward(images)?;
        let values = self.values_of(&output, images)?;
        let slopes = self.slopes(&output, images)?;
        let back = Tensor::from_slice(&slopes, output.dims(), self.network.device())?;
        let gradient = match self.score {
            Score::Classes(_) | Score::Loss(_) => {
                self.network.backward_from_logits_to_input(&back)?
            }
            Score::Error(_) | Score::Unit(_) => self.network.backward_to_input(&back)?,
        };
        let mut gradient = numbers(&gradient)?;
        if matches!(self.score, Score::Error(_)) {
            let direct = gradient.iter_mut().zip(&slopes);
            direct.for_each(|(through, direct)| *through -= direct);
        }
        Ok((values, gradient))
    }

    fn forward(&mut self, images: &[f32]) -> Result<Tensor, NnError> {
        let [height, width, channels] = self.size;
        let count = images.len() / self.size().max(1);
        let shape = (count, height, width, channels);
        let images = Tensor::from_slice(images, shape, self.network.device())?;
        let route = self.route();
        let output = self.network.forward(route, &images, Mode::Eval)?;
        match self.score {
            Score::Classes(_) | Score::Loss(_) => self.network.logits(&output),
            Score::Error(_) | Score::Unit(_) => Ok(output),
        }
    }

    fn values_of(&self, output: &Tensor, images: &[f32]) -> Result<Vec<f32>, NnError> {
        let count = output.dims().first().copied().unwrap_or(1).max(1);
        let values = numbers(output)?;
        let each = (values.len() / count).max(1);
        let rows = values.chunks_exact(each);
        Ok(match &self.score {
            Score::Classes(classes) => {
                let score = |(row, class): (&[f32], &u32)| row.get(*class as usize).copied();
                rows.zip(classes)
                    .map(|pair| score(pair).unwrap_or(f32::NAN))
                    .collect()
            }
            Score::Loss(classes) => {
                let loss = |(row, class): (&[f32], &u32)| {
                    softmax(row)
                        .get(*class as usize)
                        .map_or(f32::NAN, |p| -p.ln())
                };
                rows.zip(classes).map(loss).collect()
            }
            Score::Error(units) => rows
                .zip(images.chunks_exact(each))
                .map(|(y, x)| units.mean_square(y, x) as f32)
                .collect(),
            Score::Unit(unit) => {
                let units = output.dims().last().copied().unwrap_or(1).max(1);
                let of = |row: &[f32]| row.iter().skip(*unit).step_by(units).sum::<f32>();
                rows.map(|row| of(row) / (each / units).max(1) as f32)
                    .collect()
            }
        })
    }

    /// The derivative of each image's number by the output.
    fn slopes(&self, output: &Tensor, images: &[f32]) -> Result<Vec<f32>, NnError> {
        let dims = output.dims();
        let count = dims.first().copied().unwrap_or(1).max(1);
        let each = (dims.iter().product::<usize>() / count).max(1);
        let one_if = |is: bool| if is { 1.0f32 } else { 0.0 };
        Ok(match &self.score {
            Score::Classes(classes) => {
                let row = |class: &u32| {
                    let class = *class as usize;
                    (0..each).map(move |output| one_if(output == class))
                };
                classes.iter().flat_map(row).collect()
            }
            Score::Loss(classes) => {
                let scores = numbers(output)?;
                let row = |(row, class): (&[f32], &u32)| {
                    let mut slopes = softmax(row);
                    if let Some(slope) = slopes.get_mut(*class as usize) {
                        *slope -= 1.0;
                    }
                    slopes
                };
                scores
                    .chunks_exact(each)
                    .zip(classes)
                    .flat_map(row)
                    .collect()
            }
            Score::Error(units) => {
                let mut slopes = units.slopes_of_squares(&numbers(output)?, images);
                slopes.iter_mut().for_each(|slope| *slope /= each as f32);
                slopes
            }
            Score::Unit(unit) => {
                let units = dims.last().copied().unwrap_or(1).max(1);
                let share = 1.0 / (each / units).max(1) as f32;
                let slope = |at: usize| share * one_if(at % units == *unit);
                (0..count * each).map(slope).collect()
            }
        })
    }
}

/// The numbers of a tensor in its layout.
pub(crate) fn numbers(tensor: &Tensor) -> Result<Vec<f32>, NnError> {
    Ok(tensor
        .flatten_all()?
        .to_device(&Device::Cpu)?
        .to_vec1::<f32>()?)
}
