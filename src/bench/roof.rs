//! What the machine can do at most: the speed of one large matrix product in single precision.

use super::BenchError;
use candle_core::{DType, Device, Tensor};
use rayon::prelude::*;
use std::time::{Duration, Instant};

/// Rows and columns of both factors.
const SIZE: usize = 2048;
/// The best of so many products counts.
const TRIES: usize = 3;

/// GFLOP/s of a product of 2048 × 2048 matrices, on the threads of the current pool or on the GPU.
pub fn sgemm_gflops(device: &Device) -> Result<f64, BenchError> {
    // A band of rows for each thread: by itself candle takes as many threads as there are physical cores.
    let bands = if device.is_cpu() {
        rayon::current_num_threads()
    } else {
        1
    };
    let rows = SIZE.div_ceil(bands);
    let left = (0..SIZE)
        .step_by(rows)
        .map(|first| Tensor::ones((rows.min(SIZE - first), SIZE), DType::F32, device))
        .collect::<candle_core::Result<Vec<_>>>()?;
    let right = Tensor::ones((SIZE, SIZE), DType::F32, device)?;
    let product = |left: &Tensor| left.matmul(&right).map(drop);
    let best = fastest(device, || match left.as_slice() {
        [all] => product(all),
        bands => bands.par_iter().try_for_each(product),
    })?;
    let flops = 2.0 * (SIZE as f64).powi(3);
    Ok(flops / best.as_secs_f64().max(f64::MIN_POSITIVE) / 1e9)
}

fn fastest(
    device: &Device,
    product: impl Fn() -> candle_core::Result<()>,
) -> Result<Duration, BenchError> {
    // The first product loads the GPU's library and touches all memory for the first time.
    product()?;
    let mut best = Duration::MAX;
    for _ in 0..TRIES {
        device.synchronize()?;
        let start = Instant::now();
        product()?;
        device.synchronize()?;
        best = best.min(start.elapsed());
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
