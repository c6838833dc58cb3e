//! The cost model: memory and time of a training step, predicted from the shapes.
//!
//! What runs as one kernel ([`fusion`]), what is held at the same time ([`memory`]) and how long it
//! takes ([`time`]). The rules are those of `nn`; tests compare them with what `nn` really does.

pub(crate) mod fusion;
pub mod memory;
pub mod time;
pub mod work;

pub use memory::{
    Bytes, DeviceStep, MOST_DEVICE_NUMBERS, Machine, StepMemory, batches_ahead, device_memory,
    device_step, largest_batch, largest_device_batch, run_memory, step_memory,
};
pub use time::{Speeds, StepTime, step_time};
pub use work::{LayerWork, step_work};
