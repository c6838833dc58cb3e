//! Concatenates the images of several parts of a source: what a split is made of that is drawn from more than one of them.

use super::split_assignment::Item;
use crate::error::DataError;
use crate::source::{Pictures, Raw};
use std::sync::Arc;

/// Pictures by part and place.
pub(crate) struct Joined {
    parts: Vec<Arc<dyn Pictures>>,
    items: Vec<Item>,
}

impl Joined {
    pub fn new(parts: Vec<Arc<dyn Pictures>>, items: Vec<Item>) -> Joined {
        Joined { parts, items }
    }
}

impl Pictures for Joined {
    fn len(&self) -> usize {
        self.items.len()
    }

    fn shape(&self) -> [usize; 3] {
        self.parts.first().map_or([1, 1, 1], |part| part.shape())
    }

    fn raw(&self, index: usize) -> Result<Raw, DataError> {
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

    fn is_costly(&self) -> bool {
        self.parts.iter().any(|part| part.is_costly())
    }
}
