//! NVIDIA GPUs: whether there are any, asked of the driver before candle's first call, and how one is opened.
//!
//! A GPU is opened once and shared. Candle's usual device queues its work on a stream of the calling thread; a run
//! computes on whichever thread of the pool it meets, so that work would overtake what it needs. Here everything is
//! queued on one stream of the device's own, in the order in which it is asked for.
#![allow(unsafe_code)]

use crate::device::fault::first_line;
use crate::device::{DeviceMemory, NoGpu};
use candle_core::cuda_backend::cudarc::driver::{CudaContext, DriverError, result, sys};
use candle_core::{CudaDevice, DType, Device, Tensor};
use std::any::Any;
use std::collections::HashMap;
use std::panic::{UnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

/// The driver's library.
const DRIVER: [&str; 3] = ["libcuda.so.1", "libcuda.so", "nvcuda.dll"];

/// Libraries of the toolkit that candle calls, which are loaded at their first call.
const LIBRARIES: [&str; 2] = ["cublas", "curand"];

/// GPUs that are open, by their number.
static OPEN: Mutex<Vec<(usize, Device)>> = Mutex::new(Vec::new());

/// What of a GPU is told to people and recognised by.
#[derive(Clone, Debug)]
pub(crate) struct Identity {
    /// `NVIDIA A100`.
    pub title: String,
    /// `GPU-8d5e…`, as `nvidia-smi` writes it.
    pub uuid: String,
}

/// How many GPUs the driver lets this program use. What is missing at the start is missing until the end: it is looked
/// for once.
pub(crate) fn count() -> Result<usize, NoGpu> {
    static COUNT: OnceLock<Result<usize, NoGpu>> = OnceLock::new();
    COUNT.get_or_init(|| caught(ask_driver)).clone()
}

fn ask_driver() -> Result<usize, NoGpu> {
    if !DRIVER.iter().any(|name| can_be_loaded(name)) {
        return Err(NoGpu::NoDriver);
    }
    check_version()?;
    result::init().map_err(|error| reason(&error))?;
    let count = result::device::get_count().map_err(|error| reason(&error))?;
    let count = usize::try_from(count).unwrap_or(0);
    if count == 0 {
        return Err(NoGpu::NoDevice);
    }
    check_libraries()?;
    Ok(count)
}

fn can_be_loaded(name: &str) -> bool {
    // SAFETY: NVIDIA's libraries may be loaded and closed at any time; what they run at it is their own set-up.
    unsafe { libloading::Library::new(name) }.is_ok()
}

/// Kernels are compiled by the driver from what the toolkit made of them, which an older driver does not understand.
fn check_version() -> Result<(), NoGpu> {
    let mut version = 0;
    // SAFETY: the driver is there; it writes one number to where it is told.
    let asked = unsafe { sys::cuDriverGetVersion(&mut version) };
    asked.result().map_err(|error| reason(&error))?;
    let (major, minor) = (version / 1000, version % 1000 / 10);
    let driver = format!("{major}.{minor}");
    let needed = strata_cuda_toolkit::VERSION;
    if (major, minor) < number(needed) {
        return Err(NoGpu::OldDriver {
            driver,
            needed: needed.to_owned(),
        });
    }
    Ok(())
}

/// `13.0` as numbers.
fn number(version: &str) -> (i32, i32) {
    let mut parts = version.split('.').map(|part| part.parse().unwrap_or(0));
    (parts.next().unwrap_or(0), parts.next().unwrap_or(0))
}

/// Looked for here, since the bindings end in a panic where one is missing.
fn check_libraries() -> Result<(), NoGpu> {
    if !strata_cuda_toolkit::LOADS_AT_RUN_TIME {
        return Ok(());
    }
    let version = strata_cuda_toolkit::VERSION;
    for library in LIBRARIES {
        if !names(library, version)
            .iter()
            .any(|name| can_be_loaded(name))
        {
            return Err(NoGpu::NoLibrary {
                library,
                version: version.to_owned(),
            });
        }
    }
    Ok(())
}

/// The names that cudarc looks for a library under.
fn names(library: &str, version: &str) -> Vec<String> {
    let major = version.split('.').next().unwrap_or(version);
    let numbered = [major, "12", "11", "10"].map(|major| format!("lib{library}.so.{major}"));
    let windows = [major, "12", "11", "10"].map(|major| format!("{library}64_{major}.dll"));
    let mut names = vec![format!("lib{library}.so"), format!("{library}.dll")];
    names.extend(numbered);
    names.extend(windows);
    names
}

fn reason(error: &DriverError) -> NoGpu {
    use sys::CUresult;
    match error.0 {
        CUresult::CUDA_ERROR_NO_DEVICE => NoGpu::NoDevice,
        CUresult::CUDA_ERROR_STUB_LIBRARY => NoGpu::NoDriver,
        _ => NoGpu::Refused(error.to_string()),
    }
}

/// What the bindings' panic says, where they end in one after all.
fn caught<T>(attempt: impl FnOnce() -> Result<T, NoGpu> + UnwindSafe) -> Result<T, NoGpu> {
    catch_unwind(attempt).unwrap_or_else(|panic| Err(NoGpu::Refused(words(&*panic))))
}

fn words(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    let text = text.or_else(|| panic.downcast_ref::<&str>().copied());
    text.unwrap_or("no reason was given").to_owned()
}

/// The GPU of this number, opened if it is not yet.
pub(crate) fn shared(index: usize) -> Result<Device, NoGpu> {
    let count = count()?;
    if index >= count {
        return Err(NoGpu::BeyondLast { count });
    }
    let mut open = OPEN.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some((_, device)) = open.iter().find(|(known, _)| *known == index) {
        return Ok(device.clone());
    }
    let device = caught(move || new(index).map_err(|error| NoGpu::Refused(first_line(&error))))?;
    open.push((index, device.clone()));
    Ok(device)
}

/// Opens a GPU and proves it with a small product: cuBLAS and cuRAND load as lazily as the driver, and kernels are
/// compiled for the GPU at their first use.
fn new(index: usize) -> candle_core::Result<Device> {
    let device = Device::new_cuda_with_stream(index)?;
    if let Device::Cuda(cuda) = &device {
        // SAFETY: events order the work of several streams. All work of this device is on its one stream: every tensor
        // on it comes from this `Device`, which nothing else opens, and no other stream is made of it.
        unsafe { cuda.disable_event_tracking() };
        if let Err(error) = keep_freed_memory(cuda) {
            log::info!("cuda:{index} gives memory back after every step: {error}");
        }
    }
    let x = Tensor::ones((2, 2), DType::F32, &device)?;
    x.matmul(&x)?.sum_all()?.to_scalar::<f32>()?;
    Ok(device)
}

fn context(cuda: &CudaDevice) -> Arc<CudaContext> {
    Arc::clone(cuda.cuda_stream().context())
}

fn pool(cuda: &CudaDevice) -> Result<sys::CUmemoryPool, DriverError> {
    // SAFETY: the number is that of a device that is open.
    unsafe { result::device::get_default_mem_pool(context(cuda).cu_device()) }
}

/// Lets the driver keep what a step frees for the next one. By default it gives all of it back whenever the host waits
/// for the GPU, which it does once a step.
fn keep_freed_memory(cuda: &CudaDevice) -> Result<(), DriverError> {
    if !context(cuda).has_async_alloc() {
        return Ok(());
    }
    let mut everything = u64::MAX;
    // SAFETY: the attribute is a number of 64 bits, read during the call.
    unsafe {
        sys::cuMemPoolSetAttribute(
            pool(cuda)?,
            sys::CUmemPool_attribute::CU_MEMPOOL_ATTR_RELEASE_THRESHOLD,
            (&raw mut everything).cast(),
        )
    }
    .result()
}

/// A number that the driver keeps of a device's memory pool.
fn pool_bytes(cuda: &CudaDevice, attribute: sys::CUmemPool_attribute) -> Result<u64, DriverError> {
    let mut bytes = 0u64;
    // SAFETY: both attributes that are asked for are numbers of 64 bits, written during the call.
    unsafe { sys::cuMemPoolGetAttribute(pool(cuda)?, attribute, (&raw mut bytes).cast()) }
        .result()?;
    Ok(bytes)
}

/// What is free for tensors of this program: what the driver has, and what it keeps for them.
pub(crate) fn memory(device: &Device) -> Option<DeviceMemory> {
    let Device::Cuda(cuda) = device else {
        return None;
    };
    use sys::CUmemPool_attribute::{
        CU_MEMPOOL_ATTR_RESERVED_MEM_CURRENT, CU_MEMPOOL_ATTR_USED_MEM_CURRENT,
    };
    let (free, total) = context(cuda).mem_get_info().ok()?;
    let kept = match context(cuda).has_async_alloc() {
        true => {
            let reserved = pool_bytes(cuda, CU_MEMPOOL_ATTR_RESERVED_MEM_CURRENT).ok()?;
            let used = pool_bytes(cuda, CU_MEMPOOL_ATTR_USED_MEM_CURRENT).ok()?;
            reserved.saturating_sub(used)
        }
        false => 0,
    };
    Some(DeviceMemory {
        total_bytes: total as u64,
        free_bytes: (free as u64).saturating_add(kept),
    })
}

/// Gives what the driver keeps for tensors back to other programs.
pub(crate) fn release_memory(device: &Device) {
    let Device::Cuda(cuda) = device else { return };
    let release = || -> Result<(), DriverError> {
        cuda.cuda_stream().synchronize()?;
        if context(cuda).has_async_alloc() {
            // SAFETY: the pool is the device's own; only memory that no tensor has is given back.
            unsafe { sys::cuMemPoolTrimTo(pool(cuda)?, 0) }.result()?;
        }
        Ok(())
    };
    if let Err(error) = release() {
        log::info!("the GPU's memory could not be given back: {error}");
    }
}

/// The name and the mark of a GPU, without opening it.
pub(crate) fn identify(index: usize) -> Option<Identity> {
    static KNOWN: OnceLock<Mutex<HashMap<usize, Identity>>> = OnceLock::new();
    let known = KNOWN.get_or_init(Mutex::default);
    let mut known = known.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(identity) = known.get(&index) {
        return Some(identity.clone());
    }
    let asked = caught(move || {
        let identify = || -> Result<Identity, DriverError> {
            let device = result::device::get(i32::try_from(index).unwrap_or(i32::MAX))?;
            let title = result::device::get_name(device)?;
            let uuid = uuid(&result::device::get_uuid(device)?);
            Ok(Identity { title, uuid })
        };
        identify().map_err(|error| reason(&error))
    });
    let identity = asked
        .inspect_err(|error| log::info!("cuda:{index} has no name: {error}"))
        .ok()?;
    known.insert(index, identity.clone());
    Some(identity)
}

/// `GPU-8d5e3a10-aaaa-bbbb-cccc-0123456789ab`
fn uuid(uuid: &sys::CUuuid) -> String {
    let hex: Vec<String> = uuid
        .bytes
        .iter()
        .map(|&byte| format!("{:02x}", byte as u8))
        .collect();
    let part = |range: std::ops::Range<usize>| hex.get(range).unwrap_or_default().concat();
    let parts = [0..4, 4..6, 6..8, 8..10, 10..16].map(part);
    format!("GPU-{}", parts.join("-"))
}

/// `CUDA 0, NVIDIA A100`.
pub(crate) fn describe(cuda: &CudaDevice) -> String {
    let index = context(cuda).ordinal();
    match identify(index) {
        Some(identity) => format!("CUDA {index}, {}", identity.title),
        None => format!("CUDA {index}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_is_written_as_the_drivers_program_writes_it() {
        let bytes = std::array::from_fn(|at| (at as u8 * 17) as std::ffi::c_char);
        let written = uuid(&sys::CUuuid { bytes });
        assert_eq!(written, "GPU-00112233-4455-6677-8899-aabbccddeeff");
    }

    #[test]
    fn versions_are_compared_as_numbers() {
        assert!(number("12.10") > number("12.9") && number("13.0") > number("12.10"));
        assert!(names("cublas", "13.0").contains(&"libcublas.so.13".to_owned()));
    }
}
