//! What the machine can do at most: the speed of one large matrix product in single precision.

use super::BenchError;
use crate::nn::ops::matmul::{Mat, product};
use candle_core::{DType, Device, Tensor};
use rayon::prelude::*;
use std::time::{Duration, Instant};

/// Rows and columns of both factors.
const SIZE: usize = 2048;
/// The best of so many products counts.
const TRIES: usize = 3;

/// GFLOP/s of a product of 2048 × 2048 matrices, on the threads of the current pool or on the GPU.
pub fn sgemm_gflops(device: &Device) -> Result<f64, BenchError> {
    let best = if device.is_cpu() {
        on_cpu()
    } else {
        on_device(device)?
    };
    let flops = 2.0 * (SIZE as f64).powi(3);
    Ok(flops / best.as_secs_f64().max(f64::MIN_POSITIVE) / 1e9)
}

/// Every thread computes a band of rows.
fn on_cpu() -> Duration {
    let (a, b) = (vec![0.5f32; SIZE * SIZE], vec![0.25f32; SIZE * SIZE]);
    let mut out = vec![0.0f32; SIZE * SIZE];
    let rows = SIZE.div_ceil(rayon::current_num_threads());
    let b = Mat::new(&b, SIZE, SIZE, SIZE);
    let mut once = || {
        let bands = out
            .par_chunks_mut(rows * SIZE)
            .zip(a.par_chunks(rows * SIZE));
        bands.for_each(|(out, a)| {
            product(out, SIZE, Mat::new(a, a.len() / SIZE, SIZE, SIZE), b, false)
        });
    };
    once();
    let times = (0..TRIES).map(|_| {
        let start = Instant::now();
        once();
        start.elapsed()
    });
    times.min().unwrap_or_default()
}

fn on_device(device: &Device) -> Result<Duration, BenchError> {
    let a = Tensor::ones((SIZE, SIZE), DType::F32, device)?;
    let mut best = Duration::MAX;
    // The first product loads the library.
    for index in 0..=TRIES {
        device.synchronize()?;
        let start = Instant::now();
        let _product = a.matmul(&a)?;
        device.synchronize()?;
        best = if index == 0 {
            best
        } else {
            best.min(start.elapsed())
        };
    }
    Ok(best)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_machine_has_a_speed() {
        let gflops = sgemm_gflops(&Device::Cpu).unwrap();
        assert!(gflops > 0.1 && gflops < 1e6, "{gflops}");
    }
}
