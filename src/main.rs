//! Strata: arguments to window or terminal.

use peakmem_alloc::PeakMemAlloc;
use std::alloc::System;
use std::process::ExitCode;

/// The system's allocator, counting for `strata bench`.
#[global_allocator]
static HEAP: PeakMemAlloc<System> = PeakMemAlloc::system();

fn main() -> ExitCode {
    strata::cli::run(&HEAP)
}
