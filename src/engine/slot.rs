//! Latest-value slots: the writer replaces, the reader takes what is newest when it draws.

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
