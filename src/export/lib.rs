//! What leaves Strata: the report of a run, and a comparison as one page.

pub mod comparison;
pub mod report;
