//! The project: data, network and stages, as plain values and as a TOML file.
pub mod data;
