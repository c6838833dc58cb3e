pub mod data;
pub mod engine;
pub mod inspect;
pub mod nn;
pub mod project;
pub mod rng;
pub mod shape;
