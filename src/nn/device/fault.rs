//! What a GPU that fails means: candle hands on the words of the driver and of its libraries, and nothing else.

/// A failure of a GPU that is no defect of Strata.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeviceFault {
    /// Its memory is full.
    OutOfMemory,
    /// It cannot be used any more: until the program is started anew, every call of the driver fails.
    Lost,
}

/// Names of errors of the driver (`cuda.h`, CUresult) and of its libraries that mean a full memory.
const OUT_OF_MEMORY: [&str; 3] = [
    "CUDA_ERROR_OUT_OF_MEMORY",
    "CUBLAS_STATUS_ALLOC_FAILED",
    "CUDNN_STATUS_ALLOC_FAILED",
];

/// Names of errors after which the CUDA documentation says that the process must be ended to use CUDA again, or that
/// mean hardware that is gone.
const LOST: [&str; 26] = [
    "CUDA_ERROR_DEINITIALIZED",
    "CUDA_ERROR_DEVICE_UNAVAILABLE",
    "CUDA_ERROR_NO_DEVICE",
    "CUDA_ERROR_INVALID_DEVICE",
    "CUDA_ERROR_ECC_UNCORRECTABLE",
    "CUDA_ERROR_NVLINK_UNCORRECTABLE",
    "CUDA_ERROR_ILLEGAL_ADDRESS",
    "CUDA_ERROR_LAUNCH_TIMEOUT",
    "CUDA_ERROR_CONTEXT_IS_DESTROYED",
    "CUDA_ERROR_ASSERT",
    "CUDA_ERROR_HARDWARE_STACK_ERROR",
    "CUDA_ERROR_ILLEGAL_INSTRUCTION",
    "CUDA_ERROR_MISALIGNED_ADDRESS",
    "CUDA_ERROR_INVALID_ADDRESS_SPACE",
    "CUDA_ERROR_INVALID_PC",
    "CUDA_ERROR_LAUNCH_FAILED",
    "CUDA_ERROR_SYSTEM_NOT_READY",
    "CUDA_ERROR_CONTAINED",
    "CUDA_ERROR_EXTERNAL_DEVICE",
    "CUDA_ERROR_TENSOR_MEMORY_LEAK",
    "CUDA_ERROR_MPS_CLIENT_TERMINATED",
    "CUDA_ERROR_MPS_RPC_FAILURE",
    "CUDA_ERROR_UNKNOWN",
    "CUBLAS_STATUS_EXECUTION_FAILED",
    "CUBLAS_STATUS_INTERNAL_ERROR",
    "CUDNN_STATUS_EXECUTION_FAILED",
];

impl DeviceFault {
    /// What an error's words say of the device.
    pub fn of(words: &str) -> Option<DeviceFault> {
        let names = |known: &[&str]| known.iter().any(|name| words.contains(name));
        if names(&OUT_OF_MEMORY) {
            Some(DeviceFault::OutOfMemory)
        } else if names(&LOST) {
            Some(DeviceFault::Lost)
        } else {
            None
        }
    }

    /// As cudarc words it.
    pub(super) fn words_of_the_driver(self) -> &'static str {
        match self {
            DeviceFault::OutOfMemory => r#"DriverError(CUDA_ERROR_OUT_OF_MEMORY, "out of memory")"#,
            DeviceFault::Lost => {
                r#"DriverError(CUDA_ERROR_ILLEGAL_ADDRESS, "an illegal memory access was encountered")"#
            }
        }
    }
}

/// The first line of an error: candle writes a backtrace below it where RUST_BACKTRACE asks for one.
pub fn first_line(error: &dyn std::error::Error) -> String {
    let text = error.to_string();
    text.lines().next().unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_drivers_words_are_understood() {
        for fault in [DeviceFault::OutOfMemory, DeviceFault::Lost] {
            assert_eq!(DeviceFault::of(fault.words_of_the_driver()), Some(fault));
        }
        let cublas = "CublasError(CUBLAS_STATUS_ALLOC_FAILED)";
        assert_eq!(DeviceFault::of(cublas), Some(DeviceFault::OutOfMemory));
        assert_eq!(DeviceFault::of("shape mismatch in matmul"), None);
    }
}
