//! The views of the design: what is known of a network before it is trained.

mod advice;
mod checkerboard;
mod cost;
mod field;
mod lens;
mod solve;

pub use advice::AdviceView;
pub use checkerboard::CheckerboardView;
pub use cost::CostView;
pub use field::FieldView;
pub use lens::LensView;
pub use solve::SolveView;
