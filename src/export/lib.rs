//! What leaves Strata: so far a report of a run.

pub mod report;
