//! The name of a view, as actions, arrangements and files use it.

use serde::{Deserialize, Serialize};

/// The name of a view. What it shows, its title and its workspace are said by the view itself: see
/// [`super::views`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs)]
pub enum ViewKind {
    Loss,
    Accuracy,
    Reconstructions,
    Filters,
    Activations,
    Saliency,
    Sparse,
    Data,
    Statistics,
    Augmentation,
    Kernels,
    Runs,
    Solve,
    Lens,
    Field,
    Cost,
    Checkerboard,
    Advice,
}

impl ViewKind {
    /// How many there are. [`super::views`] does not compile without a line for each.
    pub(super) const COUNT: usize = ViewKind::Advice as usize + 1;
}
