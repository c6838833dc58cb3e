//! What the machine can do at most: multiply-adds in single precision, and bytes to and from memory.
//!
//! The products' roof is the better of a large matrix product and our own tile kernel, a convolution whose numbers stay
//! in the caches.

use super::BenchmarkError;
use crate::machine_benchmark;
use candle_core::{DType, Device, Tensor};
use rayon::prelude::*;
use serde::Serialize;
use std::time::{Duration, Instant};
use strata_cost::time::probes::Probe;

/// Rows and columns of both factors.
const SIZE: usize = 2048;
/// Those of the product that the roofs are measured with in a moment.
const QUICK_SIZE: usize = 1024;
/// The best of so many products counts.
const TRIES: usize = 3;
/// Floats of each list of the stream test: more than the caches hold.
const STREAM: usize = 1 << 24;
/// Numbers that a task of the stream test takes.
const CHUNK: usize = 1 << 16;
/// A convolution that keeps the tile kernel as busy as it can be.
const TILE: Probe = Probe {
    layer: "conv 64 k9 p4",
    input: "64x16x16",
    batch: 8,
};

/// What the machine does at most.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Roofs {
    /// GFLOP/s of products.
    pub gflops: f64,
    /// GB/s to and from memory.
    pub gigabytes: f64,
}

impl Roofs {
    /// Measures both, on the threads of the current pool.
    pub fn measure() -> Result<Roofs, BenchmarkError> {
        let product = product_gflops(QUICK_SIZE, &Device::Cpu)?;
        Ok(Roofs {
            gflops: product.max(machine_benchmark::gflops(TILE)?),
            gigabytes: stream_gigabytes(),
        })
    }
}

/// GB/s of `a = b + 3·c` over lists that no cache holds: two read, one written.
fn stream_gigabytes() -> f64 {
    let (b, c) = (vec![1.0f32; STREAM], vec![2.0f32; STREAM]);
    let mut a = vec![0.0f32; STREAM];
    let best = (0..=TRIES).map(|_| {
        let start = Instant::now();
        a.par_chunks_mut(CHUNK)
            .zip(b.par_chunks(CHUNK).zip(c.par_chunks(CHUNK)))
            .for_each(|(a, (b, c))| {
                for ((a, b), c) in a.iter_mut().zip(b).zip(c) {
                    *a = b + 3.0 * c;
                }
            });
        start.elapsed()
    });
    let best = best.min().unwrap_or_default().as_secs_f64();
    (3 * STREAM * size_of::<f32>()) as f64 / best.max(f64::MIN_POSITIVE) / 1e9
}

/// GFLOP/s of a product of 2048 × 2048 matrices, on the threads of the current pool or on the GPU.
pub fn sgemm_gflops(device: &Device) -> Result<f64, BenchmarkError> {
    product_gflops(SIZE, device)
}

fn product_gflops(size: usize, device: &Device) -> Result<f64, BenchmarkError> {
    // A band of rows for each thread: by itself candle takes as many threads as there are physical cores.
    let bands = if device.is_cpu() {
        rayon::current_num_threads()
    } else {
        1
    };
    let rows = size.div_ceil(bands);
    let left = (0..size)
        .step_by(rows)
        .map(|first| Tensor::ones((rows.min(size - first), size), DType::F32, device))
        .collect::<candle_core::Result<Vec<_>>>()?;
    let right = Tensor::ones((size, size), DType::F32, device)?;
    let product = |left: &Tensor| left.matmul(&right).map(drop);
    let best = fastest(device, || match left.as_slice() {
        [all] => product(all),
        bands => bands.par_iter().try_for_each(product),
    })?;
    let flops = 2.0 * (size as f64).powi(3);
    Ok(flops / best.as_secs_f64().max(f64::MIN_POSITIVE) / 1e9)
}

fn fastest(
    device: &Device,
    product: impl Fn() -> candle_core::Result<()>,
) -> Result<Duration, BenchmarkError> {
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
    fn a_machine_has_roofs() {
        let roofs = Roofs::measure().unwrap();
        assert!(roofs.gflops > 0.1 && roofs.gflops < 1e6, "{roofs:?}");
        assert!(roofs.gigabytes > 0.1 && roofs.gigabytes < 1e5, "{roofs:?}");
    }
}
