//! Shapes, costs and advice: everything that can be known before a tensor exists.
//!
//! [`infer()`] walks the three stacks and gives a [`Row`] for every layer and, for stacks without an
//! error, the resolved layers ([`op::Plan`]) that `nn` runs. [`check()`] adds what the stages and the
//! data need. Both are pure and total: for any project they return, they never panic, and no sum
//! overflows. What is impossible is a [`ShapeError`] at its layer, in words and with help; the
//! layers after it show what can still be known.

pub mod advice;
mod blocks;
mod budget;
pub mod check;
pub mod checkerboard;
mod compare;
pub mod cost;
mod data_check;
mod error;
pub mod explain;
pub mod field;
pub mod goals;
pub mod infer;
pub mod layers;
pub mod lens;
pub mod memory;
pub mod mismatch;
pub mod op;
mod outline;
mod pools;
pub mod rules;

pub mod sizes;
pub mod solve;
mod stage_check;
mod through;
pub mod time;
mod units;
mod walk;

pub use crate::project::target::{Target, target};
pub use check::{Problem, Severity, can_train, check, check_inferred};
pub use compare::{AgainstDense, layer_at, macs_formula, parameters_formula};
pub use cost::Cost;
pub use error::ShapeError;
pub use explain::{Explanation, explain};
pub use infer::{Inference, Row, Totals, infer};
pub use memory::{Bytes, Machine, StepMemory, largest_batch, step_memory};
pub use mismatch::{Banner, Level, banner};
pub use op::{Geometry, Op, Plan, Planned, PlannedLayer};
pub use outline::Outline;
pub use pools::Pool;
pub use time::{Speeds, StepTime, step_time};
