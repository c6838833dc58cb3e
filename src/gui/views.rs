//! The views of the centre: what there is. A new view is a variant of [`ViewKind`] with its words, a
//! file in `panels`, and its place in [`Views`].

use super::action::Action;
use super::arrangement::Workspace;
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
use eframe::egui::Ui;
use serde::{Deserialize, Serialize};

/// One of the views.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ViewKind {
    /// The loss of every step.
    Loss,
    /// The share classified right.
    Accuracy,
    /// Probe images over what the network makes of them.
    Reconstructions,
    /// The first layer's weights.
    Filters,
    /// Which pixels an answer rests on.
    Saliency,
    /// Mean activations of the hidden units.
    Sparse,
    /// The images.
    Data,
    /// What is measured on the images.
    Statistics,
    /// What augmentation makes of an image.
    Augmentation,
    /// A playground for kernels.
    Kernels,
    /// All runs of the project.
    Runs,
    /// Whether the output equals the input, why not, and what would make it so.
    Solve,
    /// One layer as arithmetic.
    Lens,
    /// What of the input each layer sees.
    Field,
    /// Parameters, arithmetic, memory and time.
    Cost,
    /// The pattern that transposed convolutions leave.
    Checkerboard,
    /// What a teacher would say about the project.
    Advice,
}

impl ViewKind {
    /// All views, in the order of the menu.
    pub const ALL: [ViewKind; 17] = [
        ViewKind::Loss,
        ViewKind::Accuracy,
        ViewKind::Reconstructions,
        ViewKind::Filters,
        ViewKind::Saliency,
        ViewKind::Sparse,
        ViewKind::Data,
        ViewKind::Statistics,
        ViewKind::Augmentation,
        ViewKind::Kernels,
        ViewKind::Runs,
        ViewKind::Solve,
        ViewKind::Lens,
        ViewKind::Field,
        ViewKind::Cost,
        ViewKind::Checkerboard,
        ViewKind::Advice,
    ];

    /// Where it is at home: before the training, or during and after it.
    pub fn workspace(self) -> Workspace {
        match self {
            ViewKind::Data | ViewKind::Statistics | ViewKind::Augmentation | ViewKind::Kernels => {
                Workspace::Data
            }
            ViewKind::Solve
            | ViewKind::Lens
            | ViewKind::Field
            | ViewKind::Cost
            | ViewKind::Checkerboard
            | ViewKind::Advice => Workspace::Design,
            _ => Workspace::Training,
        }
    }

    /// Its title.
    pub fn title(self) -> &'static str {
        match self {
            ViewKind::Loss => "Loss",
            ViewKind::Accuracy => "Accuracy",
            ViewKind::Reconstructions => "Reconstructions",
            ViewKind::Filters => "Filters",
            ViewKind::Saliency => "Saliency",
            ViewKind::Sparse => "Sparse code",
            ViewKind::Data => "Data",
            ViewKind::Statistics => "Statistics",
            ViewKind::Augmentation => "Augmentation",
            ViewKind::Kernels => "Kernels",
            ViewKind::Runs => "Runs",
            ViewKind::Solve => "Output = input",
            ViewKind::Lens => "Lens",
            ViewKind::Field => "Receptive field",
            ViewKind::Cost => "Cost",
            ViewKind::Checkerboard => "Checkerboard",
            ViewKind::Advice => "Advice",
        }
    }

    /// One line of what it shows.
    pub fn line(self) -> &'static str {
        match self {
            ViewKind::Loss => "What training makes small, step by step",
            ViewKind::Accuracy => "The share of images whose class is named right",
            ViewKind::Reconstructions => "Probe images over what the network makes of them",
            ViewKind::Filters => "The first layer's weights as small pictures",
            ViewKind::Saliency => "The pixels that an answer rests on",
            ViewKind::Sparse => "How active each hidden unit is on average",
            ViewKind::Data => "The images with their labels, and how many of each",
            ViewKind::Statistics => "Classes, mean image, histogram of the values, duplicates",
            ViewKind::Augmentation => "One image, and what the training makes of it",
            ViewKind::Kernels => "A kernel by hand on any image: what one convolution does",
            ViewKind::Runs => "The runs of this project laid over each other",
            ViewKind::Solve => "What lost the pixel, and the smallest edits that bring it back",
            ViewKind::Lens => "The selected layer as arithmetic, step by step",
            ViewKind::Field => "What of the image one value of a layer sees",
            ViewKind::Cost => "Parameters, multiply-accumulates, memory and time of every layer",
            ViewKind::Checkerboard => "The pattern that transposed convolutions leave in pictures",
            ViewKind::Advice => "What is unusual about this project, and its goals",
        }
    }
}

/// What a view does; it keeps no more than what it draws with (textures).
pub trait View {
    /// Sentences on hover.
    fn about(&self) -> &'static str;
    /// One line of what it shows now; empty while it shows nothing.
    fn status(&self, _: &State) -> String {
        String::new()
    }
    /// Its switches, from the right.
    fn tools(&mut self, _: &mut Ui, _: &State, _: &mut Vec<Action>) {}
    /// The view itself.
    fn body(&mut self, ui: &mut Ui, state: &State, actions: &mut Vec<Action>);
    /// The view as a picture: without switches.
    fn picture(&mut self, ui: &mut Ui, state: &State) {
        self.body(ui, state, &mut Vec::new());
    }
}

/// All views with what they keep.
pub struct Views {
    loss: LossView,
    accuracy: LossView,
    filters: FiltersView,
    reconstructions: ReconstructionsView,
    saliency: SaliencyView,
    sparse: SparseView,
    data: DataView,
    statistics: StatisticsView,
    augmentation: AugmentationView,
    kernels: KernelsView,
    runs: RunsView,
    solve: SolveView,
    lens: LensView,
    field: FieldView,
    cost: CostView,
    checkerboard: CheckerboardView,
    advice: AdviceView,
}

impl Default for Views {
    fn default() -> Views {
        Views {
            loss: LossView(Quantity::Loss),
            accuracy: LossView(Quantity::Accuracy),
            filters: FiltersView::default(),
            reconstructions: ReconstructionsView::default(),
            saliency: SaliencyView::default(),
            sparse: SparseView::default(),
            data: DataView::default(),
            statistics: StatisticsView::default(),
            augmentation: AugmentationView::default(),
            kernels: KernelsView::default(),
            runs: RunsView,
            solve: SolveView::default(),
            lens: LensView::default(),
            field: FieldView::default(),
            cost: CostView::default(),
            checkerboard: CheckerboardView::default(),
            advice: AdviceView,
        }
    }
}

impl Views {
    /// Whether a view shows something that can be saved as a picture.
    pub fn has_picture(&mut self, kind: ViewKind, state: &State) -> bool {
        !self.get(kind).status(state).is_empty()
    }

    /// The view of this kind.
    pub fn get(&mut self, kind: ViewKind) -> &mut dyn View {
        match kind {
            ViewKind::Loss => &mut self.loss,
            ViewKind::Accuracy => &mut self.accuracy,
            ViewKind::Reconstructions => &mut self.reconstructions,
            ViewKind::Filters => &mut self.filters,
            ViewKind::Saliency => &mut self.saliency,
            ViewKind::Sparse => &mut self.sparse,
            ViewKind::Data => &mut self.data,
            ViewKind::Statistics => &mut self.statistics,
            ViewKind::Augmentation => &mut self.augmentation,
            ViewKind::Kernels => &mut self.kernels,
            ViewKind::Runs => &mut self.runs,
            ViewKind::Solve => &mut self.solve,
            ViewKind::Lens => &mut self.lens,
            ViewKind::Field => &mut self.field,
            ViewKind::Cost => &mut self.cost,
            ViewKind::Checkerboard => &mut self.checkerboard,
            ViewKind::Advice => &mut self.advice,
        }
    }
}
