//! Latest-value slots: the writer replaces, the reader takes what is newest when it draws.

use super::look::Looked;
use crate::inspect::effective_field::{self, EffectiveField};
use crate::inspect::filters::Filters;
use crate::inspect::pixel::{self, Pixel};
use crate::inspect::reconstructions::Reconstructions;
use crate::inspect::saliency::{Request, Saliency};
use crate::inspect::sparse::SparseCode;
use std::sync::{Arc, Mutex, PoisonError};

/// Holds the newest value of one kind. Neither side waits for the other beyond a pointer swap.
#[derive(Debug)]
pub struct Slot<T>(Mutex<Option<Arc<T>>>);

impl<T> Default for Slot<T> {
    fn default() -> Slot<T> {
        Slot(Mutex::new(None))
    }
}

impl<T> Slot<T> {
    /// Replaces the value.
    pub fn put(&self, value: T) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(Arc::new(value));
    }

    /// The newest value, which stays in the slot.
    pub fn latest(&self) -> Option<Arc<T>> {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Takes the newest value out; `None` until the next [`Slot::put`].
    pub fn take(&self) -> Option<Arc<T>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

/// The pictures of a run.
#[derive(Debug, Default)]
pub struct Slots {
    /// Probe images and what the network makes of them.
    pub reconstructions: Slot<Reconstructions>,
    /// The first layer's filters.
    pub filters: Slot<Filters>,
    /// What the reader wants to see besides; the engine takes it out, so that nothing is made which nobody
    /// looks at.
    pub wanted: Wanted,
    /// Saliency, as it was asked for.
    pub saliency: Slot<Looked<Request, Saliency>>,
    /// Mean activations, as they were asked for.
    pub sparse: Slot<Looked<(), SparseCode>>,
    /// The effective receptive field of a cell, as it was asked for.
    pub field: Slot<Looked<effective_field::Request, EffectiveField>>,
    /// The arithmetic of one value, as it was asked for.
    pub pixel: Slot<Looked<pixel::Request, Pixel>>,
}

/// Questions of the reader, answered once each with the next pictures.
#[derive(Debug, Default)]
pub struct Wanted {
    /// Saliency.
    pub saliency: Slot<Request>,
    /// Mean activations.
    pub sparse: Slot<()>,
    /// The effective receptive field of a cell.
    pub field: Slot<effective_field::Request>,
    /// The arithmetic of one value.
    pub pixel: Slot<pixel::Request>,
}
