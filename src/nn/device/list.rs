//! The devices of this machine with what is known of each: the terminal's `devices`, the window's list.

use super::{NoGpu, describe, gpu_count};
use candle_core::Device;

/// Bytes of a GPU's memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DeviceMemory {
    /// All of it.
    pub total_bytes: u64,
    /// What could be taken now.
    pub free_bytes: u64,
}

/// A device that networks can be computed on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeviceInfo {
    /// What [`super::open`] calls it: `cpu`, `cuda:0`.
    pub name: String,
    /// For people: `CPU, 2 threads`, `NVIDIA A100`.
    pub title: String,
    /// Of a GPU, where it is known.
    pub memory: Option<DeviceMemory>,
    /// How much of the last second something was computed on it, where that is known.
    pub busy_percent: Option<u8>,
}

/// All devices, the CPU first, and why there is no GPU among them.
pub fn devices() -> (Vec<DeviceInfo>, Option<NoGpu>) {
    let cpu = DeviceInfo {
        name: "cpu".to_owned(),
        title: describe(&Device::Cpu),
        memory: None,
        busy_percent: None,
    };
    let mut devices = vec![cpu];
    match gpu_count() {
        Ok(count) => {
            devices.extend(gpus(count));
            (devices, None)
        }
        Err(reason) => (devices, Some(reason)),
    }
}

#[cfg(not(feature = "cuda"))]
fn gpus(_: usize) -> Vec<DeviceInfo> {
    Vec::new()
}

#[cfg(feature = "cuda")]
fn gpus(count: usize) -> Vec<DeviceInfo> {
    let told = super::nvidia_smi::ask();
    let info = |index: usize| {
        let gpu = crate::ops::cuda::identify(index);
        let title = gpu.as_ref().map(|gpu| gpu.title.clone());
        let told = gpu
            .as_ref()
            .and_then(|gpu| told.iter().find(|told| told.uuid == gpu.uuid));
        DeviceInfo {
            name: format!("cuda:{index}"),
            title: title.unwrap_or_else(|| "NVIDIA GPU".to_owned()),
            memory: told.and_then(|told| told.memory),
            busy_percent: told.and_then(|told| told.busy_percent),
        }
    };
    (0..count).map(info).collect()
}
