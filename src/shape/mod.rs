//! Shapes, costs and advice: everything that can be known before a tensor exists.
//!
//! [`infer()`] walks the three stacks and gives a [`Row`] for every layer and, for stacks without an
//! error, the resolved layers ([`op::Plan`]) that `nn` runs. [`check()`] adds what the stages and the
//! data need. Both are pure and total: for any project they return, they never panic, and no sum
//! overflows. What is impossible is a [`ShapeError`] at its layer, in words and with help; the
//! layers after it show what can still be known.

mod blocks;
mod budget;
pub mod check;
pub mod cost;
mod data_check;
mod error;
mod field;
pub mod infer;
pub mod lens;
pub mod mismatch;
pub mod op;
mod outline;
mod pools;
pub mod rules;

mod scratch;
mod stage_check;
mod suggest;
mod target;
mod walk;

pub use check::{Problem, Severity, can_train, check, check_inferred};
pub use cost::{Cost, step_memory_bytes};
pub use error::ShapeError;
pub use infer::{Inference, Row, Totals, infer};

pub use mismatch::{Banner, Level, banner};
pub use op::{Geometry, Op, Plan, Planned, PlannedLayer};
pub use outline::Outline;
pub use pools::Pool;
pub use scratch::scratch_bytes;
pub use target::{Target, target};
