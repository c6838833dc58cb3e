//! How the colours of the training images vary together.

use crate::adversarial::Shares;
use crate::inspection::InspectError;
use crate::reconstructions::split_of;
use strata_core::project::data::Split;
use strata_data::Dataset;

/// Images that are looked at.
const IMAGES: usize = 128;

/// The covariance of the channels (`C × C`) over the first training images, in shares of the way from black to white;
/// of the first split there is, where there are no training images.
pub(super) fn covariance(dataset: &Dataset, shares: &Shares) -> Result<Vec<f64>, InspectError> {
    let train = dataset.split(Split::Train).map(|_| Split::Train);
    let (_, split) = split_of(dataset, train)?;
    let channels = shares.size[2].max(1);
    let mut sums = vec![0.0f64; channels];
    let mut products = vec![0.0f64; channels * channels];
    let mut count = 0.0;
    let mut image = vec![0.0; shares.len()];
    for index in 0..split.len().min(IMAGES) {
        split.read(index, &mut image)?;
        for pixel in shares.of_numbers(&image).chunks_exact(channels) {
            count += 1.0;
            for (row, one) in pixel.iter().enumerate() {
                sums[row] += f64::from(*one);
                for (column, other) in pixel.iter().enumerate() {
                    products[row * channels + column] += f64::from(*one) * f64::from(*other);
                }
            }
        }
    }
    let count = f64::max(count, 1.0);
    let entry = |at: usize| {
        let means = sums[at / channels] / count * (sums[at % channels] / count);
        products[at] / count - means
    };
    Ok((0..channels * channels).map(entry).collect())
}
