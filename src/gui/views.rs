//! The registry of the views: one line a view. Menus, the palette and the tiles read it.

use super::panels::activations::ActivationsView;
use super::panels::adversarial::AdversarialView;
use super::panels::compare::CompareView;
use super::panels::confusion::ConfusionView;
use super::panels::data::{AugmentationView, DataView, KernelsView, StatisticsView};
use super::panels::design::{
    AdviceView, CheckerboardView, CostView, FieldView, GraphView, LensView, SolveView,
};
use super::panels::dynamics::DynamicsView;
use super::panels::embedding::EmbeddingView;
use super::panels::exciting::ExcitingView;
use super::panels::filters::FiltersView;
use super::panels::loss::{LossView, Quantity};
use super::panels::neighbours::NeighboursView;
use super::panels::predictions::PredictionsView;
use super::panels::reconstructions::ReconstructionsView;
use super::panels::runs::RunsView;
use super::panels::saliency::SaliencyView;
use super::panels::sparse::SparseView;
use super::panels::sweep::SweepView;
use super::panels::visualize::VisualizeView;
use super::snapshot::Snapshot;
use super::view::View;
use std::sync::LazyLock;
use strata_app::services::{Pixels, ViewCatalogue};
use strata_app::view_kind::{ViewInfo, ViewKind};

/// Makes a view.
type Make = fn() -> Box<dyn View>;

/// All views, in the order of the menu. A new view is a name in [`ViewKind`], a file in `panels`
/// and a line here.
const REGISTRY: [(ViewKind, Make); ViewKind::COUNT] = [
    (ViewKind::Loss, || Box::new(LossView(Quantity::Loss))),
    (ViewKind::Accuracy, || {
        Box::new(LossView(Quantity::Accuracy))
    }),
    (ViewKind::Confusion, || Box::new(ConfusionView)),
    (ViewKind::Predictions, || {
        Box::new(PredictionsView::default())
    }),
    (ViewKind::Reconstructions, || {
        Box::new(ReconstructionsView::default())
    }),
    (ViewKind::Filters, || Box::new(FiltersView::default())),
    (ViewKind::Activations, || {
        Box::new(ActivationsView::default())
    }),
    (ViewKind::Saliency, || Box::new(SaliencyView::default())),
    (ViewKind::Adversarial, || {
        Box::new(AdversarialView::default())
    }),
    (ViewKind::Visualize, || Box::new(VisualizeView::default())),
    (ViewKind::Exciting, || Box::new(ExcitingView::default())),
    (ViewKind::Neighbours, || Box::new(NeighboursView::default())),
    (ViewKind::Embedding, || Box::new(EmbeddingView::default())),
    (ViewKind::Sparse, || Box::new(SparseView::default())),
    (ViewKind::Dynamics, || Box::new(DynamicsView)),
    (ViewKind::Data, || Box::new(DataView::default())),
    (ViewKind::Statistics, || Box::new(StatisticsView::default())),
    (ViewKind::Augmentation, || {
        Box::new(AugmentationView::default())
    }),
    (ViewKind::Kernels, || Box::new(KernelsView::default())),
    (ViewKind::Runs, || Box::new(RunsView)),
    (ViewKind::Compare, || Box::new(CompareView)),
    (ViewKind::Sweep, || Box::new(SweepView::default())),
    (ViewKind::Solve, || Box::new(SolveView::default())),
    (ViewKind::Lens, || Box::new(LensView::default())),
    (ViewKind::Field, || Box::new(FieldView::default())),
    (ViewKind::Cost, || Box::new(CostView::default())),
    (ViewKind::Checkerboard, || {
        Box::new(CheckerboardView::default())
    }),
    (ViewKind::Advice, || Box::new(AdviceView)),
    (ViewKind::Graph, || Box::new(GraphView::default())),
];

static INFOS: LazyLock<Vec<ViewInfo>> = LazyLock::new(|| {
    let info = |&(kind, make): &(ViewKind, Make)| {
        let view = make();
        ViewInfo {
            kind,
            title: view.title(),
            summary: view.summary(),
            about: view.about(),
            words: view.words(),
            workspace: view.workspace(),
        }
    };
    REGISTRY.iter().map(info).collect()
});

/// All views, in the order of the menu.
pub fn all() -> &'static [ViewInfo] {
    &INFOS
}

/// What the view of this name says of itself.
pub fn info(kind: ViewKind) -> &'static ViewInfo {
    &INFOS[kind as usize]
}

/// The registry, for those who draw no view.
pub fn catalogue() -> ViewCatalogue {
    ViewCatalogue {
        infos: all(),
        has_picture: |kind, state| REGISTRY[kind as usize].1().has_picture(state),
        snapshot: |kind, state| {
            let snapshot = Snapshot::of(Views::default().get(kind), state);
            Box::new(move |path| snapshot.write(path))
        },
        pixels: |kind, state| {
            let snapshot = Snapshot::of(Views::default().get(kind), state);
            Box::new(move || {
                let painted = snapshot.paint();
                Pixels {
                    size: [painted.width() as usize, painted.height() as usize],
                    rgba: painted.into_raw(),
                }
            })
        },
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
