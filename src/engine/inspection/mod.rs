//! Inspections of runs and images: requests, replies, and who computes them.
//!
//! Inspections are defined in [`strata_inspect::inspection`]. A run in training computes what is
//! asked of it between two steps ([`live`]); saved runs and images are for the thread of [`service`].

pub mod dynamics;
pub mod live;
pub(crate) mod live_previews;
pub mod reply;
pub mod service;
