//! The tabs of the panel on the right.

use serde::{Deserialize, Serialize};

/// What the panel on the right shows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SideTab {
    /// The form of the selected layer.
    Layer,
    /// The settings of the images.
    Data,
    /// The stages of the training.
    #[default]
    Stages,
}

impl SideTab {
    /// All of them, from left to right.
    pub const ALL: [SideTab; 3] = [SideTab::Layer, SideTab::Data, SideTab::Stages];

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            SideTab::Layer => "Layer",
            SideTab::Data => "Source",
            SideTab::Stages => "Stages",
        }
    }
}
