//! The name of a view, as actions, arrangements and files use it.

use super::arrangement::Workspace;
use serde::{Deserialize, Serialize};

/// The name of a view. What it shows, its title and its workspace are said by the view itself, which the window draws.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs)]
pub enum ViewKind {
    Loss,
    Accuracy,
    Confusion,
    Predictions,
    Reconstructions,
    Filters,
    Activations,
    Saliency,
    Adversarial,
    Visualize,
    Exciting,
    Neighbours,
    Embedding,
    Sparse,
    Dynamics,
    Data,
    Statistics,
    Augmentation,
    Kernels,
    Runs,
    Compare,
    Sweep,
    Solve,
    Lens,
    Field,
    Cost,
    Checkerboard,
    Advice,
    Graph,
}

impl ViewKind {
    /// How many there are. The registry of views does not compile without a line for each.
    pub const COUNT: usize = ViewKind::Graph as usize + 1;
}

/// What a view says of itself.
#[derive(Clone, Copy, Debug)]
pub struct ViewInfo {
    /// Its name.
    pub kind: ViewKind,
    /// The title on its tab.
    pub title: &'static str,
    /// One line for menus.
    pub summary: &'static str,
    /// What it shows and how it is read, in sentences.
    pub about: &'static str,
    /// Other words that it is looked for by.
    pub words: &'static str,
    /// The workspace that it is opened in.
    pub workspace: Workspace,
}
