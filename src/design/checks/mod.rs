//! What keeps a project from being trained, and what should be known before it is.

pub(crate) mod data_check;
mod freeze_check;
pub mod project_check;
pub(crate) mod stage_check;
mod update_check;
pub(crate) mod value_range;

pub use project_check::{Problem, Severity, can_train, check, check_inferred};
