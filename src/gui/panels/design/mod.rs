//! The views of the design: what is known of a network before it is trained.

mod advice;
mod checkerboard;
mod cost;
mod field;
mod graph;
mod lens;
mod solve;

pub use advice::{AdviceView, advice_of, what_it_does};
pub use checkerboard::CheckerboardView;
pub use cost::CostView;
pub use field::FieldView;
pub use graph::GraphView;
pub use lens::LensView;
pub use solve::SolveView;
