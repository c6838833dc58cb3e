//! Networks that several tests start from.

use crate::networks::network;
use strata_core::project::Network;

/// Two levels of convolution and pooling, undone by two transposed convolutions, and a head on their code.
pub fn two_levels() -> Network {
    network(
        "3x32x32",
        &[
            "conv 24 k3 p1 nobias",
            "bn",
            "relu",
            "maxpool 2",
            "conv 48 k3 p1 nobias",
            "bn",
            "relu",
            "maxpool 2",
        ],
        &["convt 24 k4 s2 p1", "relu", "convt 3 k4 s2 p1", "tanh"],
        &["conv 64 k3 p1 nobias", "bn", "relu", "gmp", "dense 10"],
    )
}
