//! Looking into a network: plain arrays made of its weights and activations, and pictures of them.
//!
//! Nothing here changes a network or knows a window.

pub mod filters;
pub mod picture;
pub mod reconstructions;
