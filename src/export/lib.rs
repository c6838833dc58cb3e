//! What leaves Strata: reports, a comparison as one page, and networks as other programs read them; and networks of other
//! programs that come in.

pub mod bundle;
pub mod comparison;
pub mod error;
pub mod incoming;
pub mod keras;
pub mod onnx;
mod plan;
pub mod pytorch;
pub mod report;
pub mod study;
pub mod sweep;
pub mod tensorboard;
pub mod torchvision;
mod windows;
