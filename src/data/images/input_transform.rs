//! What is done to the numbers of a whole image before the network sees them: `center` and `whiten` of the project, and
//! back. Both come after `range` or `normalize`, which change each pixel by itself.
//!
//! Fitting reads the training images twice; it fails as reading does, and on images of too many numbers.

use crate::error::DataError;
use crate::splits::split::SplitData;
use rayon::prelude::*;
use strata_core::project::data::{Center, DataSpec, Whiten, Whitening};
use strata_core::project::help::Help;
use strata_core::symmetric_eigen::Eigen;

/// Images that are measured at most, evenly spaced: far more than there are numbers in one.
const MOST_IMAGES: usize = 20_000;
/// Images measured at a time.
const BLOCK: usize = 256;

/// Images a thread takes at a time.
const IMAGES_PER_TASK: usize = 16;

/// `center` and `whiten`, fitted to a split.
#[derive(Clone, Debug, PartialEq)]
pub struct InputTransform {
    /// Numbers of an image, H×W×C.
    size: usize,
    /// What an image gets back for the mean that was taken away: the mean of all images' means.
    level: Option<f32>,
    whitening: Option<Matrices>,
}

/// x' = W·(x − mean) and x = V·x' + mean.
#[derive(Clone, Debug, PartialEq)]
struct Matrices {
    mean: Vec<f32>,
    /// W by column: what each number of x gives to all of x'.
    forward: Vec<f32>,
    /// V by column.
    backward: Vec<f32>,
}

/// Its numbers, for a file.
#[derive(Clone, Debug, PartialEq)]
pub struct Parts {
    /// Numbers of an image.
    pub size: usize,
    /// The mean brightness, where it is taken away.
    pub level: Option<f32>,
    /// The mean image (`size`), and the whitening and its inverse by column (`size` × `size`).
    pub whitening: Option<[Vec<f32>; 3]>,
}

/// Bytes that the transform of images of so many numbers takes.
pub fn bytes(spec: &DataSpec, numbers: u64) -> u64 {
    let matrices = 2 * numbers.saturating_mul(numbers).saturating_add(numbers);
    match spec.whiten {
        Some(_) if numbers <= Whiten::MOST_NUMBERS => size_of::<f32>() as u64 * matrices,
        _ => 0,
    }
}

impl InputTransform {
    /// Fits what the project asks for to the images of a split, which are as `range` or `normalize` made them. `None`
    /// where it asks for nothing.
    pub(crate) fn fit(
        spec: &DataSpec,
        data: &SplitData,
        go_on: &mut dyn FnMut(usize, usize) -> Result<(), DataError>,
    ) -> Result<Option<InputTransform>, DataError> {
        if spec.center.is_none() && spec.whiten.is_none() {
            return Ok(None);
        }
        let shape = data.image_shape();
        let size: usize = shape.iter().product();
        check(spec, shape)?;
        let mut images = Images {
            data,
            size,
            chosen: evenly_spaced(data.len()),
            centers: spec.center == Some(Center::Patch),
        };
        let (mean, level) = images.mean()?;
        let whitening = match spec.whiten {
            Some(whiten) => Some(images.whitening(whiten, mean, go_on)?),
            None => None,
        };
        Ok(Some(InputTransform {
            size,
            level: images.centers.then_some(level),
            whitening,
        }))
    }

    /// From its numbers; `None` where they do not fit together.
    pub fn from_parts(parts: Parts) -> Option<InputTransform> {
        let size = parts.size;
        let fits = |[mean, forward, backward]: &[Vec<f32>; 3]| {
            mean.len() == size && [forward, backward].iter().all(|m| m.len() == size * size)
        };
        let all = parts
            .whitening
            .iter()
            .flatten()
            .flatten()
            .chain(&parts.level);
        if size == 0 || !parts.whitening.iter().all(fits) || !all.into_iter().all(|x| x.is_finite())
        {
            return None;
        }
        let whitening = parts.whitening.map(|[mean, forward, backward]| Matrices {
            mean,
            forward,
            backward,
        });
        Some(InputTransform {
            size,
            level: parts.level,
            whitening,
        })
    }

    /// Its numbers.
    pub fn to_parts(&self) -> Parts {
        let whitening = self.whitening.clone();
        Parts {
            size: self.size,
            level: self.level,
            whitening: whitening.map(|m| [m.mean, m.forward, m.backward]),
        }
    }

    /// Numbers of an image, H×W×C.
    pub fn size(&self) -> usize {
        self.size
    }

    /// Whether the numbers are whitened.
    pub fn whitens(&self) -> bool {
        self.whitening.is_some()
    }

    /// Whether each image's own mean is taken away.
    pub fn centers(&self) -> bool {
        self.level.is_some()
    }

    /// Changes images, one after the other, into what the network sees.
    pub fn apply(&self, images: &mut [f32]) {
        for image in images.chunks_exact_mut(self.size) {
            if self.level.is_some() {
                center(image);
            }
            if let Some(Matrices { mean, forward, .. }) = &self.whitening {
                image.iter_mut().zip(mean).for_each(|(x, m)| *x -= m);
                multiply(forward, image);
            }
        }
    }

    /// Changes what the network sees back. Where the mean of each image was taken away, all get that of the training
    /// images.
    pub fn undo(&self, images: &mut [f32]) {
        let level = self.level.unwrap_or(0.0);
        for image in images.chunks_exact_mut(self.size) {
            if let Some(Matrices { mean, backward, .. }) = &self.whitening {
                multiply(backward, image);
                image.iter_mut().zip(mean).for_each(|(x, m)| *x += m);
            }
            image.iter_mut().for_each(|x| *x += level);
        }
    }

    /// Changes differences of what the network sees back into differences of images.
    pub fn undo_differences(&self, differences: &mut [f32]) {
        if let Some(Matrices { backward, .. }) = &self.whitening {
            differences
                .par_chunks_exact_mut(self.size)
                .with_min_len(IMAGES_PER_TASK)
                .for_each(|image| multiply(backward, image));
        }
    }

    /// The slopes with respect to what the network sees, of slopes with respect to images: Vᵀ·slope.
    pub fn undo_slopes(&self, slopes: &mut [f32]) {
        if let Some(Matrices { backward, .. }) = &self.whitening {
            for image in slopes.chunks_exact_mut(self.size) {
                multiply_transposed(backward, image);
            }
        }
    }

    /// The weights on images, of a unit's weights on what the network sees: Wᵀ·weights, and without the mean where
    /// that is taken away.
    pub fn weights_on_pixels(&self, weights: &mut [f32]) {
        for unit in weights.chunks_exact_mut(self.size) {
            if let Some(Matrices { forward, .. }) = &self.whitening {
                multiply_transposed(forward, unit);
            }
            if self.level.is_some() {
                center(unit);
            }
        }
    }
}

/// Takes the mean away.
fn center(image: &mut [f32]) {
    let mean = mean_of(image);
    image.iter_mut().for_each(|x| *x -= mean);
}

fn mean_of(image: &[f32]) -> f32 {
    let sum: f64 = image.iter().map(|x| f64::from(*x)).sum();
    (sum / image.len().max(1) as f64) as f32
}

/// The product with a matrix that stands by column.
fn multiply(columns: &[f32], image: &mut [f32]) {
    let size = image.len();
    let mut product = vec![0.0; size];
    // Four columns at a time: the product is read and written a quarter as often.
    let fours = image.chunks_exact(4).zip(columns.chunks_exact(4 * size));
    for (x, columns) in fours {
        let (first, second) = columns.split_at(2 * size);
        let (a, b) = first.split_at(size);
        let (c, d) = second.split_at(size);
        let columns = a.iter().zip(b).zip(c.iter().zip(d));
        for (y, ((a, b), (c, d))) in product.iter_mut().zip(columns) {
            *y += (x[0] * a + x[1] * b) + (x[2] * c + x[3] * d);
        }
    }
    let rest = size / 4 * 4;
    for (x, column) in image[rest..]
        .iter()
        .zip(columns[rest * size..].chunks_exact(size))
    {
        product
            .iter_mut()
            .zip(column)
            .for_each(|(y, w)| *y += x * w);
    }
    image.copy_from_slice(&product);
}

/// The same with the matrix transposed.
fn multiply_transposed(columns: &[f32], image: &mut [f32]) {
    let along = |column: &[f32]| -> f32 { column.iter().zip(&*image).map(|(w, x)| w * x).sum() };
    let product: Vec<f32> = columns.chunks_exact(image.len()).map(along).collect();
    image.copy_from_slice(&product);
}

/// Refuses what cannot be transformed.
fn check(spec: &DataSpec, shape: [usize; 3]) -> Result<(), DataError> {
    let size: usize = shape.iter().product();
    let [height, width, channels] = shape;
    let most = Whiten::MOST_NUMBERS;
    let key = if spec.whiten.is_some() {
        "whiten"
    } else {
        "center"
    };
    if height == 1 && width > 1 {
        return Err(DataError::setting(
            key,
            "it is for images, and these are signals",
            Help::without(key),
        ));
    }
    if spec.whiten.is_some() && size as u64 > Whiten::MOST_NUMBERS {
        return Err(DataError::setting(
            key,
            format!(
                "an image of {height}×{width} with {channels} channels has {size} numbers, and up to {most} can be made independent of each other"
            ),
            Help::line("patch = \"8x8\"").remark(", or make the images smaller (resize, grey)"),
        ));
    }
    Ok(())
}

fn evenly_spaced(count: usize) -> Vec<u32> {
    let chosen = count.min(MOST_IMAGES);
    let at = |index: usize| (index * count / chosen.max(1)) as u32;
    (0..chosen).map(at).collect()
}

/// The images that are measured.
struct Images<'a> {
    data: &'a SplitData,
    size: usize,
    chosen: Vec<u32>,
    centers: bool,
}

impl Images<'_> {
    /// A block of images, and the means that were taken away.
    fn read(&self, block: &[u32]) -> Result<(Vec<f32>, Vec<f32>), DataError> {
        let mut values = vec![0.0; block.len() * self.size];
        let mut means = vec![0.0; block.len()];
        values
            .par_chunks_exact_mut(self.size)
            .zip(&mut means)
            .zip(block)
            .try_for_each(|((image, mean), &index)| {
                self.data.read(index as usize, image)?;
                *mean = mean_of(image);
                if self.centers {
                    center(image);
                }
                Ok::<(), DataError>(())
            })?;
        Ok((values, means))
    }

    /// The mean image, and the mean of the means.
    fn mean(&self) -> Result<(Vec<f64>, f32), DataError> {
        let mut sums = vec![0.0; self.size];
        let mut brightness = 0.0;
        for block in self.chosen.chunks(BLOCK) {
            let (values, means) = self.read(block)?;
            brightness += means.iter().map(|mean| f64::from(*mean)).sum::<f64>();
            for image in values.chunks_exact(self.size) {
                let pairs = sums.iter_mut().zip(image);
                pairs.for_each(|(sum, x)| *sum += f64::from(*x));
            }
        }
        let count = self.chosen.len().max(1) as f64;
        sums.iter_mut().for_each(|sum| *sum /= count);
        Ok((sums, (brightness / count) as f32))
    }

    /// The covariance, row by row: each row is summed by one thread in the images' order.
    fn covariance(
        &self,
        mean: &[f64],
        go_on: &mut dyn FnMut(usize, usize) -> Result<(), DataError>,
    ) -> Result<Vec<f64>, DataError> {
        let size = self.size;
        let mut sums = vec![0.0; size * size];
        for (number, block) in self.chosen.chunks(BLOCK).enumerate() {
            go_on(number * BLOCK, self.chosen.len())?;
            let (values, _) = self.read(block)?;
            let centred: Vec<f64> = values
                .iter()
                .zip(mean.iter().cycle())
                .map(|(x, m)| f64::from(*x) - m)
                .collect();
            sums.par_chunks_exact_mut(size)
                .enumerate()
                .for_each(|(row, sums)| {
                    for image in centred.chunks_exact(size) {
                        let factor = image[row];
                        let pairs = sums[row..].iter_mut().zip(&image[row..]);
                        pairs.for_each(|(sum, x)| *sum += factor * x);
                    }
                });
        }
        let count = self.chosen.len().max(1) as f64;
        for row in 0..size {
            for column in row..size {
                let covariance = sums[row * size + column] / count;
                sums[row * size + column] = covariance;
                sums[column * size + row] = covariance;
            }
        }
        Ok(sums)
    }

    fn whitening(
        &mut self,
        whiten: Whiten,
        mean: Vec<f64>,
        go_on: &mut dyn FnMut(usize, usize) -> Result<(), DataError>,
    ) -> Result<Matrices, DataError> {
        let covariance = self.covariance(&mean, go_on)?;
        let eigen = Eigen::of_symmetric(covariance, self.size).ok_or_else(|| {
            DataError::setting(
                "whiten",
                "the covariance of the training images has no eigenvectors: some pixels are not finite",
                Help::without("whiten"),
            )
        })?;
        Ok(Matrices {
            mean: mean.iter().map(|m| *m as f32).collect(),
            forward: matrix(&eigen, whiten, -0.5),
            backward: matrix(&eigen, whiten, 0.5),
        })
    }
}

/// The whitening (`power` −1/2) or its inverse (1/2) by column, with (λ + ε) to this power.
fn matrix(eigen: &Eigen, whiten: Whiten, power: f64) -> Vec<f32> {
    let size = eigen.values.len();
    let strength = |value: &f64| (value.max(0.0) + whiten.eps).powf(power);
    let strengths: Vec<f64> = eigen.values.iter().map(strength).collect();
    let rows = || eigen.vectors.chunks_exact(size.max(1)).zip(&strengths);
    let column = |at: usize| -> Vec<f32> {
        let mut column = vec![0.0; size];
        match (whiten.by, power < 0.0) {
            (Whitening::Zca, _) => {
                for (vector, strength) in rows() {
                    let factor = strength * vector[at];
                    column
                        .iter_mut()
                        .zip(vector)
                        .for_each(|(c, v)| *c += factor * v);
                }
            }
            // diag(s)·Uᵀ: of each component what this pixel gives to it.
            (Whitening::Pca, true) => {
                let parts = column.iter_mut().zip(rows());
                parts.for_each(|(c, (vector, strength))| *c = strength * vector[at]);
            }
            // U·diag(s): the component as an image.
            (Whitening::Pca, false) => {
                let vector = &eigen.vectors[at * size..(at + 1) * size];
                let parts = column.iter_mut().zip(vector);
                parts.for_each(|(c, v)| *c = strengths[at] * v);
            }
        }
        column.into_iter().map(|c| c as f32).collect()
    };
    let columns: Vec<Vec<f32>> = (0..size).into_par_iter().map(column).collect();
    columns.concat()
}
