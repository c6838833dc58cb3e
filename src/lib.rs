pub mod data;
pub mod project;
pub mod rng;
