//! A stand-in for a GPU on the CPU, for tests: while it is on, nothing is computed by our own kernels, and all code
//! asks and answers as it does where a GPU computes. It can fail like one, too.
//!
//! It holds for the whole process: tests that use it are in a program of their own (`tests/cuda`) and take turns.

use super::DeviceMemory;
use super::fault::DeviceFault;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

static IS_ON: AtomicBool = AtomicBool::new(false);
/// Bytes that it says are free; 0 for as many as one likes.
static FREE_BYTES: AtomicU64 = AtomicU64::new(0);
static FAILURE: Mutex<Option<Failure>> = Mutex::new(None);

/// What will go wrong.
#[derive(Clone, Copy)]
struct Failure {
    fault: DeviceFault,
    /// Uploads before it does.
    uploads: u64,
}

/// Puts it in the place of the CPU, or takes it away with all that was set of it.
pub fn set(on: bool) {
    IS_ON.store(on, Ordering::SeqCst);
    FREE_BYTES.store(0, Ordering::SeqCst);
    *FAILURE.lock().unwrap_or_else(PoisonError::into_inner) = None;
}

/// Whether the CPU stands in for a GPU.
pub fn is_on() -> bool {
    IS_ON.load(Ordering::Relaxed)
}

/// Lets it have so many bytes free.
pub fn set_free_bytes(bytes: u64) {
    FREE_BYTES.store(bytes, Ordering::SeqCst);
}

/// Lets it fail once at an upload, after as many that succeed.
pub fn fail_after(uploads: u64, fault: DeviceFault) {
    *FAILURE.lock().unwrap_or_else(PoisonError::into_inner) = Some(Failure { fault, uploads });
}

pub(super) fn memory() -> Option<DeviceMemory> {
    let free_bytes = FREE_BYTES.load(Ordering::SeqCst);
    (is_on() && free_bytes > 0).then_some(DeviceMemory {
        total_bytes: free_bytes,
        free_bytes,
    })
}

/// To be called where a batch is copied to a device: the error that a GPU would give.
pub fn upload() -> candle_core::Result<()> {
    if !is_on() {
        return Ok(());
    }
    let mut failure = FAILURE.lock().unwrap_or_else(PoisonError::into_inner);
    match failure.as_mut() {
        Some(due) if due.uploads == 0 => {
            let words = due.fault.words_of_the_driver();
            *failure = None;
            candle_core::bail!("{words}")
        }
        Some(due) => {
            due.uploads -= 1;
            Ok(())
        }
        None => Ok(()),
    }
}
