//! Output that several threads write at once, each its own positions.

#![allow(unsafe_code)]

use std::marker::PhantomData;
use std::ops::Range;

/// A mutable slice whose interleaved positions several threads can write at the same time.
///
/// A handle is exclusive, as `&mut [T]` is. Only [`SharedOutput::share`] makes a second one, and whoever
/// calls it answers for all that is done with both.
pub struct SharedOutput<'a, T> {
    data: *mut T,
    len: usize,
    borrow: PhantomData<&'a mut [T]>,
}

// SAFETY: a handle is an exclusive borrow of a slice, and `&mut [T]` is `Send` where `T` is. Handles to
// the same slice come only from `share`, whose caller keeps them apart.
unsafe impl<T: Send> Send for SharedOutput<'_, T> {}
// SAFETY: through a shared reference no element is used. It can be given to `share`, whose caller keeps the
// handles apart.
unsafe impl<T: Send> Sync for SharedOutput<'_, T> {}

impl<'a, T> SharedOutput<'a, T> {
    /// The only handle to a slice.
    pub fn new(slice: &'a mut [T]) -> SharedOutput<'a, T> {
        SharedOutput {
            data: slice.as_mut_ptr(),
            len: slice.len(),
            borrow: PhantomData,
        }
    }

    /// Another handle to the same slice.
    ///
    /// # Safety
    /// No two handles use one position at the same time: what a `ConvTile` writes through one, or
    /// [`SharedOutput::slice_mut`] borrows from it, is used through no other meanwhile.
    pub unsafe fn share(&self) -> SharedOutput<'_, T> {
        SharedOutput {
            data: self.data,
            len: self.len,
            borrow: PhantomData,
        }
    }

    /// Another handle to a part of the same slice.
    ///
    /// # Safety
    /// As of [`SharedOutput::share`].
    ///
    /// # Panics
    /// Where the range is not inside the slice.
    pub(super) unsafe fn share_part(&self, range: Range<usize>) -> SharedOutput<'_, T> {
        assert!(
            range.start <= range.end && range.end <= self.len,
            "a range outside its slice"
        );
        SharedOutput {
            // SAFETY: the assertion puts the range inside the slice.
            data: unsafe { self.data.add(range.start) },
            len: range.len(),
            borrow: PhantomData,
        }
    }

    /// A handle that takes the place of this one for as long as it is used.
    pub(crate) fn reborrow(&mut self) -> SharedOutput<'_, T> {
        SharedOutput {
            data: self.data,
            len: self.len,
            borrow: PhantomData,
        }
    }

    /// Elements of the slice.
    pub(super) fn len(&self) -> usize {
        self.len
    }

    /// The first element, for whoever writes through this handle.
    pub(super) fn as_mut_ptr(&self) -> *mut T {
        self.data
    }

    /// A part of the slice.
    ///
    /// # Panics
    /// Where the range is not inside the slice.
    pub(crate) fn slice_mut(&mut self, range: Range<usize>) -> &mut [T] {
        assert!(
            range.start <= range.end && range.end <= self.len,
            "a range outside its slice"
        );
        // SAFETY: the assertion puts the range inside the slice. It is borrowed exclusively: through this
        // handle because of `&mut self`, through others because of the contract of `share`.
        unsafe { std::slice::from_raw_parts_mut(self.data.add(range.start), range.len()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_of_a_slice_write_their_own_positions() {
        let mut numbers = [0; 6];
        let shared = SharedOutput::new(&mut numbers);
        std::thread::scope(|scope| {
            for thread in 0..2 {
                // SAFETY: each thread borrows three elements that the other does not.
                let mut share = unsafe { shared.share() };
                scope.spawn(move || share.slice_mut(3 * thread..3 * thread + 3).fill(thread + 1));
            }
        });
        assert_eq!(numbers, [1, 1, 1, 2, 2, 2]);
    }

    #[test]
    #[should_panic(expected = "a range outside its slice")]
    fn a_range_outside_a_shared_slice_is_refused() {
        SharedOutput::new(&mut [0; 3]).slice_mut(2..4);
    }
}
