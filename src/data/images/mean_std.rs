//! Mean and standard deviation of a split by channel, for `normalize = "train"`. Reads every image once; fails as
//! reading does.

use crate::error::DataError;
use crate::splits::split::SplitData;
use rayon::prelude::*;
use strata_core::project::data::MeanStd;

/// Images summed up at a time: sums are added in their order, so that the result does not depend on the threads.
const CHUNK: usize = 256;
/// A channel that never changes is only shifted.
const LEAST_STD: f64 = 1e-3;

/// Sum and sum of squares by channel.
type Sums = Vec<[f64; 2]>;

pub(crate) fn mean_and_std(data: &SplitData) -> Result<MeanStd, DataError> {
    let [height, width, channels] = data.whole_shape();
    let chunks: Vec<usize> = (0..data.len()).step_by(CHUNK).collect();
    let sums: Result<Vec<Sums>, DataError> = chunks
        .into_par_iter()
        .map(|first| sum(data, first))
        .collect();
    let mut total: Sums = vec![[0.0; 2]; channels];
    for sums in sums? {
        for (total, sum) in total.iter_mut().zip(sums) {
            *total = [total[0] + sum[0], total[1] + sum[1]];
        }
    }
    let count = (data.len() * height * width).max(1) as f64;
    let mean: Vec<f64> = total.iter().map(|[sum, _]| sum / count).collect();
    let std = total
        .iter()
        .zip(&mean)
        .map(|([_, squares], mean)| (squares / count - mean * mean).max(0.0).sqrt());
    let std = std
        .map(|std| if std < LEAST_STD { 1.0 } else { std as f32 })
        .collect();
    Ok(MeanStd {
        mean: mean.iter().map(|&mean| mean as f32).collect(),
        std,
    })
}

fn sum(data: &SplitData, first: usize) -> Result<Sums, DataError> {
    let shape = data.whole_shape();
    let mut image = vec![0.0; shape.iter().product()];
    let mut sums = vec![[0.0; 2]; shape[2]];
    for index in first..(first + CHUNK).min(data.len()) {
        data.read_shares(index, &mut image)?;
        for pixel in image.chunks_exact(shape[2].max(1)) {
            for (sum, &value) in sums.iter_mut().zip(pixel) {
                let value = f64::from(value);
                *sum = [sum[0] + value, sum[1] + value * value];
            }
        }
    }
    Ok(sums)
}
