//! Choosing where to compute: the CPU, or an NVIDIA GPU when this build has the feature `cuda`.
//!
//! The CUDA libraries panic when the driver is missing; that panic is caught here and becomes a message,
//! or, when no device was asked for, the CPU.

use super::NnError;
use candle_core::Device;

/// Whether this build can compute on NVIDIA GPUs.
pub const BUILT_WITH_CUDA: bool = cfg!(feature = "cuda");

/// Opens `cpu`, `cuda` or `cuda:N`. Without a name: the first GPU where there is one, else the CPU.
pub fn open(name: Option<&str>) -> Result<Device, NnError> {
    match name {
        None => Ok(best()),
        Some("cpu") => Ok(Device::Cpu),
        Some("cuda") => gpu(0),
        Some(name) => match name
            .strip_prefix("cuda:")
            .and_then(|index| index.parse().ok())
        {
            Some(index) => gpu(index),
            None => Err(NnError::Device(format!(
                "there is no device `{name}`: write cpu or cuda:0"
            ))),
        },
    }
}

fn best() -> Device {
    gpu(0).unwrap_or_else(|error| {
        if BUILT_WITH_CUDA {
            log::info!("networks are computed on the CPU: {error}");
        }
        Device::Cpu
    })
}

/// A sentence for people: `CPU, 2 threads`, `CUDA 0`.
pub fn describe(device: &Device) -> String {
    match device {
        Device::Cpu => match rayon::current_num_threads() {
            1 => "CPU, 1 thread".into(),
            threads => format!("CPU, {threads} threads"),
        },
        other => format!("{:?}", other.location())
            .replace("Cuda { gpu_id: ", "CUDA ")
            .replace(" }", ""),
    }
}

/// The names that [`open`] accepts on this machine.
pub fn available() -> Vec<String> {
    let gpus = (0..16).map_while(|index| gpu(index).is_ok().then(|| format!("cuda:{index}")));
    std::iter::once("cpu".to_owned()).chain(gpus).collect()
}

#[cfg(not(feature = "cuda"))]
fn gpu(index: usize) -> Result<Device, NnError> {
    Err(NnError::Device(format!(
        "cuda:{index} is not available: this Strata was built without CUDA (build it with --features cuda, or use cpu)"
    )))
}

/// Opens a GPU and proves it with a small product: cuBLAS and cuRAND load as lazily as the driver.
#[cfg(feature = "cuda")]
fn gpu(index: usize) -> Result<Device, NnError> {
    let attempt = quietly(|| -> candle_core::Result<Device> {
        let device = Device::new_cuda(index)?;
        let x = candle_core::Tensor::ones((2, 2), candle_core::DType::F32, &device)?;
        x.matmul(&x)?.sum_all()?.to_scalar::<f32>()?;
        Ok(device)
    });
    let refused = |reason: String| {
        NnError::Device(format!("cuda:{index} is not available: {reason}; use cpu"))
    };
    match attempt {
        Ok(Ok(device)) => Ok(device),
        Ok(Err(error)) => Err(refused(error.to_string())),
        Err(_) => Err(refused("no NVIDIA driver was found".into())),
    }
}

/// Catches a panic without printing it.
#[cfg(feature = "cuda")]
fn quietly<T>(attempt: impl FnOnce() -> T + std::panic::UnwindSafe) -> std::thread::Result<T> {
    let former = std::panic::take_hook();
    std::panic::set_hook(Box::new(|_| {}));
    let result = std::panic::catch_unwind(attempt);
    std::panic::set_hook(former);
    result
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
            ("cuda:7", "cuda:7 is not available"),
        ] {
            assert!(
                open(Some(name)).unwrap_err().to_string().contains(part),
                "{name}"
            );
        }
    }
}
