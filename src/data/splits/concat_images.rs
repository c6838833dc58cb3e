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
}

impl ImageStore for ConcatImages {
    fn len(&self) -> usize {
        self.items.len()
    }

    fn shape(&self) -> [usize; 3] {
        self.parts.first().map_or([1, 1, 1], |part| part.shape())
    }

    fn raw(&self, index: usize) -> Result<RawImage, DataError> {
        let none = DataError::OutOfRange {
            index,
            len: self.items.len(),
            split: "stored",
        };
        let Some(&(part, place)) = self.items.get(index) else {
            return Err(none);
        };
        self.parts
            .get(part as usize)
            .ok_or(none)?
            .raw(place as usize)
    }

    fn fingerprint(&self, index: usize) -> Option<u128> {
        let &(part, place) = self.items.get(index)?;
        self.parts.get(part as usize)?.fingerprint(place as usize)
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
