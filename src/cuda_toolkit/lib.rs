//! The CUDA toolkit that this program was built with. Finding it, and saying what is missing, is in `build.rs`.

/// Its version: `13.0`.
pub const VERSION: &str = env!("STRATA_CUDA_VERSION");

/// Whether the program loads the NVIDIA libraries when it first needs them, and starts without them
/// (`.cargo/cuda.toml`).
pub const LOADS_AT_RUN_TIME: bool = cfg!(strata_loads_cuda_at_run_time);
