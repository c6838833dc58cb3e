//! What leaves Strata: the report of a run, a comparison as one page, and networks as other programs read them; and those
//! of other programs that come in.

pub mod bundle;
pub mod comparison;
pub mod error;
pub mod incoming;
pub mod keras;
pub mod onnx;
mod plan;
pub mod pytorch;
pub mod report;
pub mod tensorboard;
pub mod torchvision;
mod windows;
