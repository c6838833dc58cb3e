//! What every layer costs: parameters, multiply-accumulates, memory and time, as bars and in total.

mod figures;
mod hover;
mod kinds;
mod side;
mod table;

use crate::theme;
use crate::view::View;
use crate::widgets::empty;
use eframe::egui::{Rect, RichText, Ui, UiBuilder, vec2};
use figures::{Figures, stage};
use strata_app::action::{Action, Show};
use strata_app::arrangement::Workspace;
use strata_app::state::{CostColumn, State, Switch};
use strata_core::format;
use strata_engine::machine_benchmark;

/// The view, with what it computed last.
#[derive(Default)]
pub struct CostView {
    figures: Figures,
    /// Whether all columns had room in the last frame.
    all: bool,
}

/// Room for the memory next to the table.
const WIDE: f32 = 820.0;
/// Room for the names of its parts below it.
const TALL: f32 = 280.0;

impl View for CostView {
    fn title(&self) -> &'static str {
        "Cost"
    }

    fn summary(&self) -> &'static str {
        "Parameters, multiply-accumulates, memory and time of every layer"
    }

    fn words(&self) -> &'static str {
        "memory time flops macs parameters params summary torchsummary torchinfo analyzenetwork batch size"
    }

    fn workspace(&self) -> Workspace {
        Workspace::Design
    }

    fn about(&self) -> &'static str {
        "What every layer costs: parameters, multiply-accumulates for one image (1 MAC = 2 FLOPs), the memory it holds in a training step with the stage's batch, and about how long it takes. A click selects the layer; a selected convolution is compared with the dense layer from the same input to the same output. The time is estimated from a few kernels that are measured on this machine once; Measure times every layer of this network."
    }

    fn status(&self, state: &State) -> String {
        let Some(((_, stage), memory)) = stage(state).zip(self.figures.memory.as_ref()) else {
            return String::new();
        };
        let (batch, bytes) = (
            format::count(stage.batch.into()),
            format::bytes(memory.total().total()),
        );
        let mut status = format!("stage “{}”, batch {batch} · {bytes} a run", stage.name);
        if let Some(time) = &self.figures.time {
            status += &format!(" · about {}", format::milliseconds(1e3 * time.total()));
        }
        if let Some(speed) = side::measured(state) {
            status += &format!(" · measured {} images/s", format::rate(speed));
        }
        status
    }

    fn tools(&mut self, ui: &mut Ui, state: &State, actions: &mut Vec<Action>) {
        let measured = self.shows_measured(state);
        if self.figures.measured.is_some() {
            let button =
                ui.selectable_label(measured, RichText::new("measured").size(theme::SMALL));
            let button = button.on_hover_text(
                "What each layer took in steps of this network on this machine, instead of what follows from its shapes",
            );
            if button.accessible_name("Show what was measured").clicked() {
                actions.push(Action::Show(Show::Switch(Switch::CostMeasured(!measured))));
            }
        }
        if self.all {
            return;
        }
        for quantity in columns(measured).iter().copied().rev() {
            let chosen = chosen(state, measured) == quantity;
            let button =
                ui.selectable_label(chosen, RichText::new(quantity.name()).size(theme::SMALL));
            let button = button.on_hover_text(quantity.about());
            if button
                .accessible_name(format!("Show {}", quantity.name()))
                .clicked()
            {
                actions.push(Action::Show(Show::Switch(Switch::CostColumn(quantity))));
            }
        }
    }

    fn body(&mut self, ui: &mut Ui, state: &State, actions: &mut Vec<Action>) {
        if state.shown.inference.rows.is_empty() {
            self.figures = Figures::default();
            return empty(
                ui,
                "No layers yet",
                "Add a layer in the architecture: what it costs is shown as you type.",
            );
        }
        if !state.training.is_running() {
            // During a training it would measure what the run leaves.
            let ctx = ui.ctx().clone();
            machine_benchmark::begin(move || ctx.request_repaint());
        }
        self.figures.update(state);
        self.show(ui, state, actions);
    }
}

/// The columns there are.
fn columns(measured: bool) -> &'static [CostColumn] {
    match measured {
        true => &CostColumn::MEASURED,
        false => &CostColumn::PREDICTED,
    }
}

/// The column that is shown where there is room for one.
fn chosen(state: &State, measured: bool) -> CostColumn {
    let remembered = state.view.cost_column;
    let first = columns(measured).first().copied();
    match remembered.is_measured() == measured {
        true => remembered,
        false => first.unwrap_or_default(),
    }
}

impl CostView {
    fn shows_measured(&self, state: &State) -> bool {
        state.view.cost_measured && self.figures.measured.is_some()
    }

    fn show(&mut self, ui: &mut Ui, state: &State, actions: &mut Vec<Action>) {
        let area = ui.available_rect_before_wrap();
        let beside = area.width() >= WIDE;
        let (table, rest) = if beside {
            let (table, side) = area.split_left_right_at_x(area.right() - side::WIDTH);
            (
                Rect::from_min_max(table.min, table.max - vec2(16.0, 0.0)),
                side,
            )
        } else {
            let legend = area.height() >= TALL;
            let below = side::height(ui, area.width(), &self.figures, legend);
            area.split_top_bottom_at_y(area.bottom() - below - theme::GAP)
        };
        let measured = self.shows_measured(state);
        let all = columns(measured);
        self.all = table::shows_all(table.width(), all.len());
        let one = [chosen(state, measured)];
        let columns = if self.all { all } else { &one[..] };
        table::show(ui, table, state, &self.figures, columns, actions);
        if beside {
            let mut inner = ui.new_child(UiBuilder::new().id_salt("cost side").max_rect(rest));
            side::beside(&mut inner, state, &self.figures, actions);
        } else {
            let below = rest.with_min_y(rest.top() + theme::GAP);
            side::below(ui, below, state, &self.figures, actions);
        }
    }
}
