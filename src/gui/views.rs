//! The registry of the views: one line a view. Menus, the palette and the tiles read it.

use super::arrangement::Workspace;
use super::panels::activations::ActivationsView;
use super::panels::data::{AugmentationView, DataView, KernelsView, StatisticsView};
use super::panels::design::{
    AdviceView, CheckerboardView, CostView, FieldView, LensView, SolveView,
};
use super::panels::filters::FiltersView;
use super::panels::loss::{LossView, Quantity};
use super::panels::reconstructions::ReconstructionsView;
use super::panels::runs::RunsView;
use super::panels::saliency::SaliencyView;
use super::panels::sparse::SparseView;
use super::state::State;
use super::view::View;
use super::view_kind::ViewKind;
use std::sync::LazyLock;

/// Makes a view.
type Make = fn() -> Box<dyn View>;

/// All views, in the order of the menu. A new view is a name in [`ViewKind`], a file in `panels`
/// and a line here.
const REGISTRY: [(ViewKind, Make); ViewKind::COUNT] = [
    (ViewKind::Loss, || Box::new(LossView(Quantity::Loss))),
    (ViewKind::Accuracy, || {
        Box::new(LossView(Quantity::Accuracy))
    }),
    (ViewKind::Reconstructions, || {
        Box::new(ReconstructionsView::default())
    }),
    (ViewKind::Filters, || Box::new(FiltersView::default())),
    (ViewKind::Activations, || {
        Box::new(ActivationsView::default())
    }),
    (ViewKind::Saliency, || Box::new(SaliencyView::default())),
    (ViewKind::Sparse, || Box::new(SparseView::default())),
    (ViewKind::Data, || Box::new(DataView::default())),
    (ViewKind::Statistics, || Box::new(StatisticsView::default())),
    (ViewKind::Augmentation, || {
        Box::new(AugmentationView::default())
    }),
    (ViewKind::Kernels, || Box::new(KernelsView::default())),
    (ViewKind::Runs, || Box::new(RunsView)),
    (ViewKind::Solve, || Box::new(SolveView::default())),
    (ViewKind::Lens, || Box::new(LensView::default())),
    (ViewKind::Field, || Box::new(FieldView::default())),
    (ViewKind::Cost, || Box::new(CostView::default())),
    (ViewKind::Checkerboard, || {
        Box::new(CheckerboardView::default())
    }),
    (ViewKind::Advice, || Box::new(AdviceView)),
];

/// What a view says of itself.
#[derive(Clone, Copy, Debug)]
pub struct ViewInfo {
    /// Its name.
    pub kind: ViewKind,
    /// The title on its tab.
    pub title: &'static str,
    /// One line for menus.
    pub summary: &'static str,
    /// The workspace that it is opened in.
    pub workspace: Workspace,
}

static INFOS: LazyLock<Vec<ViewInfo>> = LazyLock::new(|| {
    let info = |&(kind, make): &(ViewKind, Make)| {
        let view = make();
        ViewInfo {
            kind,
            title: view.title(),
            summary: view.summary(),
            workspace: view.workspace(),
        }
    };
    REGISTRY.iter().map(info).collect()
});

/// All views, in the order of the menu.
pub fn all() -> &'static [ViewInfo] {
    &INFOS
}

impl ViewKind {
    /// What the view of this name says of itself.
    pub fn info(self) -> &'static ViewInfo {
        &INFOS[self as usize]
    }
}

/// The views of a window, with what each keeps to draw with.
pub struct Views(Vec<Box<dyn View>>);

impl Default for Views {
    fn default() -> Views {
        Views(REGISTRY.iter().map(|(_, make)| make()).collect())
    }
}

impl Views {
    /// The view of this name.
    pub fn get(&mut self, kind: ViewKind) -> &mut dyn View {
        self.0[kind as usize].as_mut()
    }
}

/// The open views that show something which can be saved as an image file.
pub fn with_picture(state: &State) -> Vec<ViewKind> {
    let mut open = state.arrangement().views();
    open.retain(|kind| REGISTRY[*kind as usize].1().has_picture(state));
    open
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn every_line_stands_at_the_place_of_its_name() {
        for (index, (kind, _)) in REGISTRY.iter().enumerate() {
            assert_eq!(*kind as usize, index, "{kind:?}");
        }
        let titles: BTreeSet<_> = all().iter().map(|info| info.title).collect();
        assert_eq!(titles.len(), ViewKind::COUNT, "no two views have one title");
    }
}
