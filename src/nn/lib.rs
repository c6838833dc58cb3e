//! Networks that compute: layers with explicit forward and backward, losses, optimizers.
//!
//! A [`network::Network`] is built from a [`strata_core::shape::op::Plan`], whose every size is legal; what can
//! still fail is memory, a device, or a file of weights, each an [`NnError`]. Activations are candle
//! tensors, channels last (`N×H×W×C`); parameters keep PyTorch's layout, order and keys
//! (`encoder.0.weight`), so that weights travel both ways. Candle's autograd is not used.

pub mod device;
pub mod fusion_rules;
pub mod init;
pub mod layers;
pub mod loss;
pub mod network;
pub mod ops;
pub mod optim;

pub use network::{Mode, Network, Parameter, PassTimes, Route, Tapped};

/// Why a network could not be built or computed.
#[derive(Debug, thiserror::Error)]
pub enum NnError {
    /// Candle or the device refused.
    #[error("the device refused an operation: {0}")]
    Candle(#[from] candle_core::Error),
    /// Something this version cannot do.
    #[error("not supported: {0}")]
    Unsupported(String),
    /// A stack that the task needs has an error in it.
    #[error("the {0} has an error; `strata check` says where")]
    Unsound(&'static str),
    /// Weights that do not fit the network.
    #[error("the weights do not fit this network: {0}")]
    Weights(String),
    /// A device that is not there.
    #[error("{0}")]
    Device(String),
    /// A setting that names a layer that does not exist.
    #[error("{0}")]
    NoSuchLayer(String),
}

impl From<NnError> for candle_core::Error {
    fn from(error: NnError) -> candle_core::Error {
        candle_core::Error::wrap(error)
    }
}
