//! Choosing where to compute: the CPU, or an NVIDIA GPU when this build has the feature `cuda`.
//!
//! The driver is asked before candle's first call ([`crate::ops::cuda`]), so that what is missing becomes a [`NoGpu`]
//! instead of a panic of the bindings; when no device was asked for, it becomes the CPU. A GPU is opened once and
//! shared: all that is done on it is queued on one stream, whatever thread it comes from.

pub mod fault;
mod list;
mod no_gpu;
#[cfg(any(feature = "cuda", test))]
mod nvidia_smi;
pub mod stand_in;

pub use list::{DeviceInfo, DeviceMemory, devices};
pub use no_gpu::NoGpu;

use super::NnError;
use candle_core::Device;

/// Whether this build can compute on NVIDIA GPUs.
pub const BUILT_WITH_CUDA: bool = cfg!(feature = "cuda");

/// Opens `cpu`, `cuda` or `cuda:N`. Without a name: the first GPU where there is one, else the CPU.
pub fn open(name: Option<&str>) -> Result<Device, NnError> {
    let Some(name) = name else {
        return Ok(best());
    };
    if name == "cpu" {
        return Ok(Device::Cpu);
    }
    let index = gpu_index(name).ok_or_else(|| {
        NnError::Device(format!(
            "there is no device `{name}`: write cpu or cuda:0 (`strata devices` lists them)"
        ))
    })?;
    gpu(index).map_err(|reason| NnError::Device(reason.text(index)))
}

/// The number of the GPU that a name is for.
fn gpu_index(name: &str) -> Option<usize> {
    match name.strip_prefix("cuda")? {
        "" => Some(0),
        rest => rest.strip_prefix(':')?.parse().ok(),
    }
}

fn best() -> Device {
    gpu(0).unwrap_or_else(|reason| {
        if BUILT_WITH_CUDA {
            log::info!("networks are computed on the CPU: {reason}");
        }
        Device::Cpu
    })
}

#[cfg(not(feature = "cuda"))]
fn gpu(_: usize) -> Result<Device, NoGpu> {
    Err(NoGpu::NotBuilt)
}

#[cfg(feature = "cuda")]
fn gpu(index: usize) -> Result<Device, NoGpu> {
    crate::ops::cuda::shared(index)
}

/// How many GPUs there are, or why none can be used.
#[cfg(not(feature = "cuda"))]
fn gpu_count() -> Result<usize, NoGpu> {
    Err(NoGpu::NotBuilt)
}

#[cfg(feature = "cuda")]
fn gpu_count() -> Result<usize, NoGpu> {
    crate::ops::cuda::count()
}

/// Whether our own kernels compute there, which are for the CPU; elsewhere candle's operators do. The tests'
/// [`stand_in`] for a GPU has none either.
pub fn has_own_kernels(device: &Device) -> bool {
    device.is_cpu() && !stand_in::is_on()
}

/// Free and total bytes of a GPU's memory; of the CPU's nothing is said here.
pub fn memory(device: &Device) -> Option<DeviceMemory> {
    #[cfg(feature = "cuda")]
    if let Some(memory) = crate::ops::cuda::memory(device) {
        return Some(memory);
    }
    stand_in::memory().filter(|_| !has_own_kernels(device))
}

/// Gives memory of a GPU that is kept for the next tensors back to other programs.
pub fn release_memory(device: &Device) {
    #[cfg(feature = "cuda")]
    crate::ops::cuda::release_memory(device);
    #[cfg(not(feature = "cuda"))]
    let _ = device;
}

/// A sentence for people: `CPU, 2 threads`, `CUDA 0, NVIDIA A100`.
pub fn describe(device: &Device) -> String {
    match device {
        Device::Cpu => match rayon::current_num_threads() {
            1 => "CPU, 1 thread".into(),
            threads => format!("CPU, {threads} threads"),
        },
        #[cfg(feature = "cuda")]
        Device::Cuda(cuda) => crate::ops::cuda::describe(cuda),
        other => format!("{:?}", other.location()),
    }
}

/// The name that [`open`] takes for a device that [`describe`] described.
pub fn name_of(description: &str) -> Option<String> {
    let first = description.split(',').next()?;
    if first == "CPU" {
        return Some("cpu".to_owned());
    }
    let index: usize = first.strip_prefix("CUDA ")?.parse().ok()?;
    Some(format!("cuda:{index}"))
}

/// The names that [`open`] accepts on this machine.
pub fn available() -> Vec<String> {
    let gpus = 0..gpu_count().unwrap_or(0);
    let names = gpus.map(|index| format!("cuda:{index}"));
    std::iter::once("cpu".to_owned()).chain(names).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_are_no_device_are_refused() {
        assert!(open(Some("cpu")).is_ok());
        assert!(open(None).is_ok());
        for (name, part) in [
            ("gpu", "no device `gpu`"),
            ("cuda:x", "no device"),
            ("cuda0", "no device"),
            ("cuda:-1", "no device"),
            ("cuda:777", "cuda:777 is not available"),
        ] {
            assert!(
                open(Some(name)).unwrap_err().to_string().contains(part),
                "{name}"
            );
        }
        assert_eq!(gpu_index("cuda"), Some(0));
        assert_eq!(gpu_index("cuda:3"), Some(3));
    }

    #[test]
    fn a_description_leads_back_to_its_device() {
        let name = |description: &str| name_of(description);
        assert_eq!(name(&describe(&Device::Cpu)).as_deref(), Some("cpu"));
        assert_eq!(name("CUDA 1, NVIDIA A100").as_deref(), Some("cuda:1"));
        assert_eq!(name("CUDA 0").as_deref(), Some("cuda:0"));
        assert_eq!(name("Metal"), None);
    }

    #[test]
    fn the_cpu_comes_first_and_can_always_be_opened() {
        let names = available();
        assert_eq!(names[0], "cpu");
        let listed: Vec<String> = devices().0.into_iter().map(|device| device.name).collect();
        assert_eq!(names, listed);
    }
}
