//! How other threads make the window look for what is new.

use std::sync::Arc;

/// Wakes the window from another thread.
pub type Wake = Arc<dyn Fn() + Send + Sync>;
