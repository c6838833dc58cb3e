//! Concatenates the images of several parts of a source: what a split is made of that is drawn from more than one of them.

use super::split_assignment::Item;
use crate::error::DataError;
use crate::source::{ImageStore, RawImage};
use std::sync::Arc;

/// Pictures by part and place.
pub(crate) struct ConcatImages {
    parts: Vec<Arc<dyn ImageStore>>,
    items: Vec<Item>,
}

impl ConcatImages {
    pub fn new(parts: Vec<Arc<dyn ImageStore>>, items: Vec<Item>) -> ConcatImages {
        ConcatImages { parts, items }
    }

    /// The part that a picture lies in, and its place there.
    fn part(&self, index: usize) -> Result<(&dyn ImageStore, usize), DataError> {
        let item = self.items.get(index);
        let found = item.and_then(|&(part, place)| {
            let part = self.parts.get(part as usize)?;
            Some((part.as_ref(), place as usize))
        });
        found.ok_or(DataError::OutOfRange {
            index,
            len: self.items.len(),
            split: "stored",
        })
    }
}

impl ImageStore for ConcatImages {
    fn len(&self) -> usize {
        self.items.len()
    }

    fn shape(&self) -> [usize; 3] {
        self.parts.first().map_or([1, 1, 1], |part| part.shape())
    }

    fn raw(&self, index: usize) -> Result<RawImage, DataError> {
        let (part, place) = self.part(index)?;
        part.raw(place)
    }

    fn raw_once(&self, index: usize) -> Result<RawImage, DataError> {
        let (part, place) = self.part(index)?;
        part.raw_once(place)
    }

    fn held(&self, index: usize) -> Option<&RawImage> {
        let (part, place) = self.part(index).ok()?;
        part.held(place)
    }

    fn fingerprint(&self, index: usize) -> Option<u128> {
        let (part, place) = self.part(index).ok()?;
        part.fingerprint(place)
    }

    fn value_size(&self) -> usize {
        self.parts
            .iter()
            .map(|part| part.value_size())
            .max()
            .unwrap_or(1)
    }

    fn is_costly(&self) -> bool {
        self.parts.iter().any(|part| part.is_costly())
    }
}
