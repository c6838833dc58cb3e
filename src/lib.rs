pub mod data;
pub mod project;
pub mod rng;
pub mod shape;
