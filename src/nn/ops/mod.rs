//! Operators on plain arrays: our own kernels on the CPU, candle's operators elsewhere.
//!
//! Every operator comes twice: one works on slices and is what trains on the CPU, in the best vector
//! instructions that the machine has (see [`simd`]); the other, in [`device`], is built of candle's own
//! operators and runs wherever candle does (CUDA; on the CPU it is the tests' second opinion). Both work
//! channels last: a batch is `N × S × C` with S the product of the spatial sizes. Sizes come from
//! `strata_core::shape` and are legal; a slice of another size is a bug of the caller.
//!
//! Unsafe code is allowed here and nowhere else, file by file; every block has its reason. Miri can check the
//! plain path, which has no vector instructions:
//! `STRATA_SIMD=plain MIRIFLAGS=-Zmiri-disable-isolation cargo +nightly miri test -p strata-nn --lib -- ops::tile ops::packed`.
//!
//! Work is always split the same way, whatever the number of threads, and partial sums are added in
//! order: results do not depend on it.

pub(crate) mod activated;
pub mod batch_norm;
pub mod blocking;
pub(crate) mod chacha;
pub mod conv_input;
pub mod convolution;
#[cfg(test)]
mod cpu_time;
#[cfg(feature = "cuda")]
pub(crate) mod cuda;
pub mod device;
pub mod elementwise;
pub mod folding;
mod functions;
pub(crate) mod group_norm;
pub(crate) mod layer_norm;
pub mod norm_rows;
pub mod packed;
pub mod pooling;
pub mod product;
pub(crate) mod random;
pub mod real;
pub mod reduce;
pub mod shared_output;
pub mod simd;
pub mod sliding;
pub mod spatial_map;
pub mod storage;
pub mod taps;
pub mod team;
pub mod tile;
pub(crate) mod turn;
pub mod weight_gradient;
pub mod winograd;

/// Runs `$body` with `$T` as the element type of `$tensor` (f32 or f64).
macro_rules! with_real {
    ($tensor:expr, $T:ident => $body:expr) => {
        match $tensor.dtype() {
            candle_core::DType::F32 => {
                type $T = f32;
                $body
            }
            candle_core::DType::F64 => {
                type $T = f64;
                $body
            }
            other => Err($crate::NnError::Unsupported(format!(
                "numbers of type {other:?}"
            ))),
        }
    };
}
pub(crate) use with_real;
