//! Next to the table, or below it: the memory of a run by kind, the batch and the largest that fits, the time,
//! and the selected convolution compared with a dense layer of the same shapes.

use super::figures::{Figures, query, reply, stage};
use super::kinds;
use crate::theme;
use crate::widgets::said;
use eframe::egui::{
    Align, Align2, Button, FontId, Label, Layout, Rect, RichText, Role, ScrollArea, Sense, Ui,
    UiBuilder, WidgetInfo, pos2, vec2,
};
use strata_app::action::{Action, Show};
use strata_app::run_monitor::Phase;
use strata_app::state::{State, Switch};
use strata_core::format;
use strata_core::project::edit::Edit;
use strata_core::project::stage::Stage;
use strata_design::{AgainstDense, layer_at};
use strata_engine::event::Outcome;
use strata_engine::inspection::reply::AnyQuery;

/// Width next to the table.
pub(super) const WIDTH: f32 = 280.0;
/// Heights below it.
const BAR: f32 = 10.0;
const LINE: f32 = 20.0;

/// How high the part below a table is in this width; `legend`: whether the parts of the memory are named.
pub(super) fn height(ui: &Ui, width: f32, figures: &Figures, legend: bool) -> f32 {
    let memory = figures.memory.as_ref().filter(|_| legend);
    let names = memory.map_or(0.0, |memory| {
        kinds::legend_height(ui, width, memory.total())
    });
    BAR + theme::STEP + names + LINE
}

/// The part next to the table.
pub(super) fn beside(ui: &mut Ui, state: &State, figures: &Figures, actions: &mut Vec<Action>) {
    ScrollArea::vertical()
        .auto_shrink(false)
        .id_salt("cost side")
        .show(ui, |ui| {
            ui.set_width(ui.available_width() - 8.0);
            ui.spacing_mut().item_spacing.y = theme::STEP;
            if let Some(memory) = &figures.memory {
                let total = memory.total();
                heading(ui, "Memory of a run", &format::bytes(total.total()));
                let (area, _) =
                    ui.allocate_exact_size(vec2(ui.available_width(), BAR), Sense::hover());
                kinds::bar(ui, area, total);
                kinds::list(ui, total);
                ui.add_space(theme::STEP);
                batch(ui, state, figures, actions);
                time(ui, state, figures);
                ui.horizontal(|ui| measure(ui, state, figures, actions));
            } else {
                weak(ui, UNKNOWN);
            }
            if let Some(against) = against(state) {
                ui.add_space(theme::GAP);
                comparison(ui, &against);
            }
        });
}

/// The part below the table, as high as [`height`] says.
pub(super) fn below(
    ui: &mut Ui,
    area: Rect,
    state: &State,
    figures: &Figures,
    actions: &mut Vec<Action>,
) {
    let last = area.with_min_y(area.bottom() - LINE);
    let Some(memory) = &figures.memory else {
        let font = FontId::proportional(theme::SMALL);
        ui.painter().text(
            last.left_center(),
            Align2::LEFT_CENTER,
            UNKNOWN,
            font,
            theme::palette(ui).weak,
        );
        return;
    };
    kinds::bar(
        ui,
        Rect::from_min_size(area.min, vec2(area.width(), BAR)),
        memory.total(),
    );
    let between = Rect::from_min_max(
        pos2(area.left(), area.top() + BAR + theme::STEP),
        last.right_top(),
    );
    if between.height() >= LINE - 1.0 {
        kinds::legend(ui, between, memory.total());
    }
    let line = Layout::left_to_right(Align::Center);
    let mut inner = ui.new_child(
        UiBuilder::new()
            .id_salt("cost batch")
            .max_rect(last)
            .layout(line),
    );
    // All that stands in the line is centred in it.
    inner.spacing_mut().interact_size.y = LINE;
    largest(&mut inner, state, figures, actions);
    measure(&mut inner, state, figures, actions);
    if let Some(against) = against(state) {
        let text = format!(
            "as dense: {} parameters (×{}), {} MACs (×{})",
            format::large(against.parameters[1]),
            times(against.parameters_factor()),
            format::large(against.macs[1]),
            times(against.macs_factor()),
        );
        let hover = format!("{text}\n{ABOUT_DENSE}");
        let text = RichText::new(text)
            .size(theme::SMALL)
            .color(theme::palette(ui).text);
        inner.with_layout(Layout::right_to_left(Align::Center), |ui| {
            let label = Label::new(text).truncate();
            ui.add(label.show_tooltip_when_elided(false))
                .on_hover_text(hover);
        });
    }
}

const UNKNOWN: &str = "Memory and time are known once the stage's stacks have no error.";

const ABOUT_DENSE: &str = "The dense layer from the same input to the same output needs inputs·outputs + outputs parameters and inputs·outputs MACs: a convolution saves by looking at a window only, and by using one kernel everywhere.";

fn heading(ui: &mut Ui, name: &str, figure: &str) {
    let (line, response) = ui.allocate_exact_size(vec2(ui.available_width(), LINE), Sense::hover());
    response.widget_info(|| WidgetInfo::labeled(Role::Label, true, format!("{name}: {figure}")));
    let colors = theme::palette(ui);
    let font = theme::heading(theme::SMALL);
    ui.painter().text(
        line.left_center(),
        Align2::LEFT_CENTER,
        name,
        font,
        colors.strong,
    );
    // In the column of the list below.
    let at = pos2(
        line.right() - if figure.is_empty() { 0.0 } else { 48.0 },
        line.center().y,
    );
    ui.painter().text(
        at,
        Align2::RIGHT_CENTER,
        figure,
        theme::digits(theme::SMALL),
        colors.strong,
    );
}

fn weak(ui: &mut Ui, text: &str) {
    ui.add(Label::new(said(text, theme::SMALL, theme::palette(ui).weak)).wrap());
}

/// The stage's batch, and the largest that fits.
fn batch(ui: &mut Ui, state: &State, figures: &Figures, actions: &mut Vec<Action>) {
    let Some((_, stage)) = stage(state) else {
        return;
    };
    let now = format!(
        "stage “{}”, batch {}",
        stage.name,
        format::count(stage.batch.into())
    );
    let now = RichText::new(now)
        .size(theme::SMALL)
        .color(theme::palette(ui).text);
    ui.add(Label::new(now).truncate());
    ui.allocate_ui_with_layout(
        vec2(ui.available_width(), LINE),
        Layout::left_to_right(Align::Center),
        |ui| {
            ui.spacing_mut().interact_size.y = LINE;
            largest(ui, state, figures, actions);
        },
    );
}

/// The largest batch that fits, of as many images as there are at most, and a button that takes it.
fn largest(ui: &mut Ui, state: &State, figures: &Figures, actions: &mut Vec<Action>) {
    let Some((index, stage)) = stage(state) else {
        return;
    };
    let small = |text: String| RichText::new(text).size(theme::SMALL);
    let all = state.images_in(stage.split);
    let all = all.and_then(|images| u32::try_from(images).ok());
    let largest = figures
        .largest
        .map(|fits| all.map_or(fits, |all| fits.min(all)));
    let is_all = largest.is_some() && largest == all;
    let fits = largest.map_or_else(
        || "not even 1".to_owned(),
        |batch| format::count(batch.into()),
    );
    let free = figures.budget.map_or_else(|| "?".to_owned(), format::bytes);
    let text = match is_all {
        true => format!("a batch of all {fits} images fits"),
        false => format!("largest batch that fits: {fits}"),
    };
    let text = small(text).color(theme::palette(ui).weak);
    let label = Label::new(text).truncate();
    ui.add(label.show_tooltip_when_elided(false)).on_hover_text(format!(
        "The largest batch whose step fits into the {free} of memory that are free now. Larger batches take less time for each image, but there are fewer steps in an epoch; what learns best is often far smaller."
    ));
    let usable = largest.filter(|batch| *batch != stage.batch);
    let button = ui.add_enabled(
        usable.is_some(),
        Button::new(small("Use".to_owned())).small(),
    );
    let button = button.on_hover_text("Set the stage's batch to it (Ctrl+Z takes it back)");
    if let Some(batch) =
        usable.filter(|_| button.accessible_name("Use the largest batch").clicked())
    {
        actions.push(Action::Edit(Edit::Stage(
            index,
            Stage {
                batch,
                ..stage.clone()
            },
        )));
    }
}

fn time(ui: &mut Ui, state: &State, figures: &Figures) {
    let Some((_, stage)) = stage(state) else {
        return;
    };
    let estimate = figures.time.as_ref().map(|time| {
        let seconds = time.total().max(f64::MIN_POSITIVE);
        format!(
            "about {} a step, {} images/s",
            format::milliseconds(1e3 * seconds),
            format::rate(f64::from(stage.batch) / seconds)
        )
    });
    let waiting = if state.training.is_running() {
        "the time is estimated when no run is training"
    } else {
        "measuring this machine …"
    };
    weak(ui, estimate.as_deref().unwrap_or(waiting));
    if let Some(speed) = measured(state) {
        weak(
            ui,
            &format!("measured in the run: {} images/s", format::rate(speed)),
        );
    }
}

/// The button that measures every layer, and what came of it.
fn measure(ui: &mut Ui, state: &State, figures: &Figures, actions: &mut Vec<Action>) {
    let small = |text: &str| RichText::new(text.to_owned()).size(theme::SMALL);
    let query = query(state);
    let waits = query
        .as_ref()
        .is_some_and(|query| state.inspections.waits_for(query));
    let trains = state.training.is_running();
    let usable = figures.memory.is_some() && !waits && !trains;
    let text = if waits { "Measuring …" } else { "Measure" };
    let button = ui.add_enabled(usable, Button::new(small(text)).small());
    let button = button
        .on_hover_text(
            "Take a few training steps of this network on random images and time every layer: forward, backward and update. It takes some seconds and leaves the project as it is.",
        )
        .on_disabled_hover_text(if trains {
            "A run is training: measuring would slow it down, and be slowed down. Measure when it has ended."
        } else {
            "The layers are being measured, or the network has an error."
        });
    let clicked = button.accessible_name("Measure every layer").clicked();
    if let Some(query) = query.filter(|_| clicked) {
        actions.push(Action::Inspect(AnyQuery::new(query)));
        actions.push(Action::Show(Show::Switch(Switch::CostMeasured(true))));
    }
    if let Some(Err(error)) = reply(state).map(|reply| &reply.result) {
        weak(ui, &error.to_string());
    }
    if let Some(measured) = &figures.measured {
        weak(
            ui,
            &format!(
                "measured {} a step; products reach {:.0} GFLOP/s here, memory {:.1} GB/s",
                format::milliseconds(measured.step_ms),
                measured.roofs.gflops,
                measured.roofs.gigabytes
            ),
        );
    }
}

/// Images a second of the run, where it trained this very network in this stage.
pub(super) fn measured(state: &State) -> Option<f64> {
    let (index, stage) = stage(state)?;
    let (training, project) = (&state.training, state.training.project.as_ref()?);
    if project.network != *state.network() || project.stages.get(index) != Some(stage) {
        return None;
    }
    match &training.phase {
        Phase::Ended(Outcome::Completed(summary) | Outcome::Stopped(summary))
            if project.stages.len() == 1 =>
        {
            Some(summary.images_per_second)
        }
        _ => training
            .last
            .as_ref()
            .filter(|last| last.stage == index)
            .map(|last| last.images_per_second),
    }
}

/// The selected layer, if it is a convolution.
fn against(state: &State) -> Option<AgainstDense> {
    let place = state.selected.as_ref()?;
    let layer = layer_at(state.shown.inference.plan.as_ref()?, place)?;
    AgainstDense::of(&layer.op, &layer.input, &layer.output)
}

/// How often: `98,773`, `113.8`.
fn times(factor: f64) -> String {
    match factor {
        factor if factor < 9.95 => format!("{factor:.2}"),
        factor if factor < 999.5 => format!("{factor:.0}"),
        factor => format::large(factor as u64),
    }
}

fn comparison(ui: &mut Ui, against: &AgainstDense) {
    heading(ui, "Convolution against dense", "");
    let columns = [0.0, 0.5, 0.76, 1.0];
    let rows = [
        [
            "".to_owned(),
            "conv".to_owned(),
            "dense".to_owned(),
            "×".to_owned(),
        ],
        row(
            "parameters",
            against.parameters,
            against.parameters_factor(),
        ),
        row("MACs", against.macs, against.macs_factor()),
    ];
    for (index, cells) in rows.iter().enumerate() {
        let (line, response) =
            ui.allocate_exact_size(vec2(ui.available_width(), 18.0), Sense::hover());
        let spoken = cells.join(" ");
        response.widget_info(|| WidgetInfo::labeled(Role::Label, true, spoken.clone()));
        let colors = theme::palette(ui);
        let ink = if index == 0 { colors.weak } else { colors.text };
        for (column, cell) in cells.iter().enumerate() {
            let (at, align, font) = match column {
                0 => (
                    line.left(),
                    Align2::LEFT_CENTER,
                    FontId::proportional(theme::SMALL),
                ),
                _ => {
                    let share = columns.get(column).copied().unwrap_or(1.0);
                    (
                        line.left() + share * line.width(),
                        Align2::RIGHT_CENTER,
                        theme::digits(theme::SMALL),
                    )
                }
            };
            ui.painter()
                .text(pos2(at, line.center().y), align, cell, font, ink);
        }
        response.on_hover_text(ABOUT_DENSE);
    }
}

fn row(name: &str, [own, dense]: [u64; 2], factor: f64) -> [String; 4] {
    [
        name.to_owned(),
        format::large(own),
        format::large(dense),
        times(factor),
    ]
}
