//! Where the panels stand: bars above and below, the architecture to the left, the settings to the
//! right, the views in the middle, arranged by what the project trains for.

use super::action::{Action, Alone, Show};
use super::panels::data::DataView;
use super::panels::filters::FiltersView;
use super::panels::loss::{LossView, Quantity};
use super::panels::reconstructions::ReconstructionsView;
use super::panels::runs::RunsView;
use super::panels::saliency::SaliencyView;
use super::panels::sparse::SparseView;
use super::panels::{architecture, controls, notices, settings, status_bar, top_bar};
use super::state::State;
use super::theme;
use super::widgets::tile::{self, View};
use crate::project::stage::Task;
use eframe::egui::{CentralPanel, Frame, Margin, Panel, Rect, Stroke, StrokeKind, Ui, UiBuilder, vec2};

/// The views of the centre with what they keep (textures).
pub struct Views {
    loss: LossView,
    accuracy: LossView,
    filters: FiltersView,
    reconstructions: ReconstructionsView,
    saliency: SaliencyView,
    sparse: SparseView,
    data: DataView,
    runs: RunsView,
}

impl Default for Views {
    fn default() -> Views {
        Views {
            loss: LossView(Quantity::Loss),
            accuracy: LossView(Quantity::Accuracy),
            filters: FiltersView::default(),
            reconstructions: ReconstructionsView::default(),
            saliency: SaliencyView::default(),
            sparse: SparseView,
            data: DataView::default(),
            runs: RunsView,
        }
    }
}

/// Shows the whole window.
pub fn show(ui: &mut Ui, state: &State, views: &mut Views, actions: &mut Vec<Action>) {
    let colors = *theme::palette(ui);
    let bar = Frame::new().fill(colors.panel).inner_margin(Margin::symmetric(theme::MARGIN, 0));
    let side = Frame::new().fill(colors.panel).inner_margin(Margin { left: 12, right: 12, top: 8, bottom: 0 });
    Panel::top("top bar").exact_size(top_bar::HEIGHT).frame(bar).show(ui, |ui| top_bar::show(ui, state, actions));
    Panel::bottom("status bar").exact_size(status_bar::HEIGHT).frame(bar).show(ui, |ui| status_bar::show(ui, state));
    Panel::left("architecture")
        .frame(side)
        .default_size(396.0)
        .size_range(360.0..=560.0)
        .show(ui, |ui| architecture::show(ui, state, actions));
    Panel::right("settings")
        .frame(side)
        .default_size(264.0)
        .size_range(240.0..=420.0)
        .show(ui, |ui| settings::show(ui, state, actions));
    CentralPanel::default().frame(Frame::new().fill(colors.back)).show(ui, |ui| {
        ui.spacing_mut().item_spacing.y = 0.0;
        notices::show(ui, state, actions);
        tabs(ui, state, actions);
        centre(ui, state, views, actions);
    });
}

fn centre(ui: &mut Ui, state: &State, views: &mut Views, actions: &mut Vec<Action>) {
    let area = ui.available_rect_before_wrap().shrink(theme::GAP);
    let (tiles, bar) = area.split_top_bottom_at_y(area.bottom() - controls::HEIGHT);
    let tiles = Rect::from_min_max(tiles.min, tiles.max - vec2(0.0, theme::GAP));
    for (rect, view) in arrange(tiles, state, views) {
        tile::show(ui, rect, view, state, actions);
    }
    let colors = theme::palette(ui);
    ui.painter().rect(bar, theme::RADIUS, colors.panel, Stroke::new(1.0, colors.line), StrokeKind::Inside);
    let inner = bar.shrink2(vec2(12.0, 0.0));
    ui.scope_builder(UiBuilder::new().max_rect(inner), |ui| controls::show(ui, state, actions));
}

/// The views that take the whole centre.
fn tabs(ui: &mut Ui, state: &State, actions: &mut Vec<Action>) {
    ui.horizontal(|ui| {
        ui.add_space(theme::GAP);
        for (name, alone) in [
            ("Training", None),
            ("Saliency", Some(Alone::Saliency)),
            ("Sparse code", Some(Alone::Sparse)),
            ("Data", Some(Alone::Data)),
            ("Runs", Some(Alone::Runs)),
        ] {
            let tab = ui.selectable_label(state.view.alone == alone, name);
            if tab.accessible_name(format!("View {name}")).clicked() {
                actions.push(Action::Show(Show::Alone(alone)));
            }
        }
    });
}

/// The arrangement for the project's tasks: pictures where something is reconstructed, accuracy where
/// something is only classified.
fn arrange<'a>(area: Rect, state: &State, views: &'a mut Views) -> Vec<(Rect, &'a mut dyn View)> {
    let gap = theme::GAP;
    let (top, bottom) = area.split_top_bottom_at_y(area.top() + (area.height() * 0.54).round());
    let top = Rect::from_min_max(top.min, top.max - vec2(0.0, gap / 2.0));
    let bottom = Rect::from_min_max(bottom.min + vec2(0.0, gap / 2.0), bottom.max);
    let (left, right) = top.split_left_right_at_x(top.left() + (top.width() * 0.56).round());
    let left = Rect::from_min_max(left.min, left.max - vec2(gap / 2.0, 0.0));
    let right = Rect::from_min_max(right.min + vec2(gap / 2.0, 0.0), right.max);
    let (reconstructs, classifies) = (state.has_task(Task::Reconstruct), state.has_task(Task::Classify));
    let alone = state.view.alone.map(|alone| match alone {
        Alone::Saliency => &mut views.saliency as &mut dyn View,
        Alone::Sparse => &mut views.sparse,
        Alone::Data => &mut views.data,
        Alone::Runs => &mut views.runs,
    });
    if let Some(view) = alone {
        return vec![(area, view)];
    }
    match (reconstructs, classifies) {
        (false, true) => vec![(left, &mut views.loss), (right, &mut views.filters), (bottom, &mut views.accuracy)],
        (true, true) => {
            let (first, second) = split(bottom, 0.62);
            vec![
                (left, &mut views.loss),
                (right, &mut views.filters),
                (first, &mut views.reconstructions),
                (second, &mut views.accuracy),
            ]
        }
        _ => vec![(left, &mut views.loss), (right, &mut views.filters), (bottom, &mut views.reconstructions)],
    }
}

fn split(area: Rect, share: f32) -> (Rect, Rect) {
    let half = theme::GAP / 2.0;
    let (left, right) = area.split_left_right_at_x(area.left() + (area.width() * share).round());
    (
        Rect::from_min_max(left.min, left.max - vec2(half, 0.0)),
        Rect::from_min_max(right.min + vec2(half, 0.0), right.max),
    )
}
