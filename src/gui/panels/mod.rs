//! The panels of the window, one file (or folder) each. A panel reads the state, which it cannot
//! change, and pushes what the user did as actions.

pub mod activations;
pub mod adversarial;
pub mod architecture;
mod axes;
pub(crate) mod begin;
pub mod compare;
pub mod compared;
pub mod confusion;
pub mod controls;
pub mod data;
pub mod design;
pub mod dynamics;
pub mod embedding;
pub mod exciting;
pub mod filters;
mod image_source;
mod layer_entries;
mod live_settings;
pub mod loading_state;
pub mod loss;
pub mod neighbours;
pub mod notices;
pub mod overlay;
pub mod predictions;
pub mod reconstructions;
pub mod runs;
pub mod saliency;
pub mod settings;
pub mod sparse;
pub mod start;
pub mod status_bar;
pub mod sweep;
pub mod tiles;
pub mod time_slider;
pub mod top_bar;
pub mod visualize;
