//! What is counted at the heap of the whole process.
#![allow(clippy::unwrap_used)] // A test program as a whole.

mod allocations;
mod archives;
mod memory;
mod mutations;
mod mutator;
mod on_device;
mod project_mutations;
mod run_mutations;
mod runs;
mod trials;

use peakmem_alloc::PeakMemAlloc;
use stats_alloc::StatsAlloc;
use std::alloc::System;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Counts how often memory is asked for.
static CALLS: StatsAlloc<System> = StatsAlloc::system();

/// Counts the bytes in use.
#[global_allocator]
static HEAP: PeakMemAlloc<&StatsAlloc<System>> = PeakMemAlloc::new(&CALLS);

/// Waits for the other tests: only one at a time may use the heap.
fn alone() -> MutexGuard<'static, ()> {
    static COUNTING: Mutex<()> = Mutex::new(());
    COUNTING.lock().unwrap_or_else(PoisonError::into_inner)
}
