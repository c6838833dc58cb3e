//! The bytes of an HDF5 file for the library, which follows its trees wherever they point: nodes that share their
//! children, built on purpose, would be visited without end. What it reads of lists and indexes is counted, and ends in
//! an error where no honest file needs as much.

use crate::formats::records::read_at;
use hdf5_pure::{FormatError, Source};
use std::fs::File;
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use strata_core::files::open_regular;

/// What a read costs besides its bytes: many small ones take as long as a large one.
const READ: u64 = 128;

/// Bytes of lists and indexes that may still be read.
#[derive(Clone, Default)]
pub(super) struct Budget(Arc<AtomicU64>);

impl Budget {
    /// So much from now on.
    pub fn renew(&self, bytes: u64) {
        self.0.store(bytes, Relaxed);
    }

    fn take(&self, length: usize) -> Result<(), FormatError> {
        let cost = READ + length as u64;
        let taken = self
            .0
            .fetch_update(Relaxed, Relaxed, |left| left.checked_sub(cost));
        taken.map(drop).map_err(|_| {
            FormatError::Source("its lists lead to the same places again and again".to_owned())
        })
    }
}

/// A file that is read at any place, by several threads.
pub(super) struct Bounded {
    file: File,
    length: u64,
    budget: Budget,
}

impl Bounded {
    /// Fails on what is no plain file, before anything waits for it.
    pub fn open(path: &Path, budget: &Budget) -> io::Result<Bounded> {
        let file = open_regular(path)?;
        Ok(Bounded {
            length: file.metadata()?.len(),
            file,
            budget: budget.clone(),
        })
    }
}

impl Source for Bounded {
    fn len(&self) -> u64 {
        self.length
    }

    fn read_at(&self, offset: u64, out: &mut [u8]) -> Result<(), FormatError> {
        read_at(&self.file, out, offset).map_err(|cause| FormatError::Source(cause.to_string()))
    }

    fn read_metadata_at(&self, offset: u64, length: usize) -> Result<Vec<u8>, FormatError> {
        self.budget.take(length)?;
        self.read_exact_at(offset, length)
    }
}
