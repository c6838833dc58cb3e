//! How much of the heap a case needs at most. The program's allocator counts; a program without such an
//! allocator (a test) says nothing.

use peakmem_alloc::{PeakMemAlloc, PeakMemAllocTrait};
use std::alloc::GlobalAlloc;

/// An allocator that knows its peak.
pub trait HeapPeak: Sync {
    /// Counts from here on.
    fn restart(&self);

    /// The most bytes held at once since the restart, on top of what was held then.
    fn bytes(&self) -> Option<u64>;
}

impl<A: GlobalAlloc + Sync> HeapPeak for PeakMemAlloc<A> {
    fn restart(&self) {
        self.reset_peak_memory();
    }

    fn bytes(&self) -> Option<u64> {
        Some(self.get_peak_memory() as u64)
    }
}

/// For programs whose allocator does not count.
#[derive(Clone, Copy, Debug)]
pub struct Uncounted;

impl HeapPeak for Uncounted {
    fn restart(&self) {}

    fn bytes(&self) -> Option<u64> {
        None
    }
}
