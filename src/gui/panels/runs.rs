//! The runs of this project: one quantity of them laid over each other, and a list with what they reached.

mod baselines;
mod columns;
mod plot;
mod table;

use super::loss::{by_epoch, smoothing};
use crate::theme;
use crate::view::View;
use crate::widgets::{chevron, close_by_key, empty};
use eframe::egui::{Button, Color32, ComboBox, Rect, RichText, Ui, UiBuilder, vec2};
use egui_plot::LineStyle;
use strata_app::action::{Action, Show};
use strata_app::arrangement::Workspace;
use strata_app::curves::{Curves, Quantity};
use strata_app::runs::StoredRun;
use strata_app::state::State;
use strata_app::view_settings::Switch;

/// The view.
#[derive(Default)]
pub struct RunsView;

/// In a tile lower than this and wider than that the table stands beside the plot.
const LOW: f32 = 360.0;
const WIDE: f32 = 900.0;
/// A plot with its heading and its axes that is lower than this shows nothing but them.
const LEAST: f32 = 96.0;
/// The line that stands for it.
const NOTE: f32 = 22.0;

impl View for RunsView {
    fn title(&self) -> &'static str {
        "Runs"
    }

    fn summary(&self) -> &'static str {
        "The runs of this project laid over each other"
    }

    fn words(&self) -> &'static str {
        "compare history experiments tensorboard wandb"
    }

    fn workspace(&self) -> Workspace {
        Workspace::Training
    }

    fn about(&self) -> &'static str {
        "The runs of this project laid over each other, each in a colour of its own that it keeps, by their loss or by another quantity that they have. Faint: the running mean of the batches of training; strong: on the validation images. The pointer tells the value of every run, as it was measured. The table says in which settings a run differs from the others and what it reached; a click on a heading sorts it, a click on a run hides or shows its curve. Losses of another kind or of other pixels are no comparison: their runs are listed, and a click draws them instead."
    }

    fn status(&self, state: &State) -> String {
        let runs = &state.runs;
        let folder = state.runs_to_list().folder;
        match (runs.list.len(), runs.older) {
            (0, _) => String::new(),
            (1, _) => format!("1 run in {}", folder.display()),
            (count, 0) => format!("{count} runs in {}", folder.display()),
            (count, older) => format!(
                "the newest {count} of {} runs in {}",
                count + older,
                folder.display()
            ),
        }
    }

    fn tools(&mut self, ui: &mut Ui, state: &State, actions: &mut Vec<Action>) {
        let quantity = quantity(state);
        if quantity.has_logarithm() {
            let mut log = state.view.log_loss;
            let switch = ui.toggle_value(&mut log, RichText::new("log").size(theme::SMALL));
            let switch = switch.on_hover_text("Logarithmic axis: equal distances are equal ratios");
            if switch.accessible_name("Logarithmic axis of runs").clicked() {
                actions.push(Action::Show(Show::LogLoss(log)));
            }
        }
        by_epoch(ui, state, "Runs", actions);
        let text = match state.view.smoothing {
            1 => "not smoothed ▾".to_owned(),
            steps => format!("smooth {steps} ▾"),
        };
        let text = RichText::new(text).size(theme::SMALL);
        smoothing(ui, state, text, "Runs", actions);
        quantities(ui, state, quantity, actions);
        replay(ui, state, actions);
        if ui
            .add(Button::new(RichText::new("Reload").size(theme::SMALL)))
            .on_hover_text("Read the folders anew")
            .clicked()
        {
            actions.push(Action::ListRuns);
        }
    }

    fn body(&mut self, ui: &mut Ui, state: &State, actions: &mut Vec<Action>) {
        if !state.runs.is_of(&state.runs_to_list()) && !state.runs.is_reading() {
            actions.push(Action::ListRuns);
        }
        if state.runs.list.is_empty() && !state.runs.baselines.is_empty() {
            return table::show(ui, state, actions);
        }
        if state.runs.list.is_empty() {
            table::fields(ui, state, actions);
            return match state.runs.is_reading() {
                true => empty(ui, "Reading the runs …", "Their losses are being read."),
                false => empty(
                    ui,
                    "No runs of this project yet",
                    "Press Train: every run is kept in the folder runs beside the project.",
                ),
            };
        }
        let rows = state.runs.list.len() + state.runs.baselines.len();
        let (plot, table) = places(ui.available_rect_before_wrap(), rows);
        let mut inner = ui.new_child(UiBuilder::new().id_salt("curves").max_rect(plot));
        if plot.height() < LEAST {
            let text = RichText::new("Their curves are drawn in a taller tile");
            let color = theme::palette(ui).weak;
            inner.label(text.size(theme::SMALL).color(color));
        } else {
            plot::show(&mut inner, state);
        }
        let mut inner = ui.new_child(UiBuilder::new().id_salt("table").max_rect(table));
        table::show(&mut inner, state, actions);
    }
}

/// Trains the opened run again, or ends that.
fn replay(ui: &mut Ui, state: &State, actions: &mut Vec<Action>) {
    let running = state.replays.text();
    let (text, hover) = match &running {
        Some(text) => (text.as_str(), "Press to end it; nothing is compared then"),
        None => (
            "Replay",
            "Train the opened run again, with its changed settings at their steps, and say whether it is identical to the last bit or where it first differs",
        ),
    };
    let is_there = running.is_some() || state.can_replay();
    let button = Button::new(RichText::new(text).size(theme::SMALL));
    let button = ui.add_enabled(is_there, button).on_hover_text(hover);
    let missing = "There is no run that has ended: train one, or open a run folder";
    if button.on_disabled_hover_text(missing).clicked() {
        actions.push(Action::Replay(running.is_none()));
    }
}

/// The table below the plot, or beside it where the tile is low.
fn places(area: Rect, runs: usize) -> (Rect, Rect) {
    if area.height() < LOW && area.width() > WIDE {
        let (plot, table) = area.split_left_right_at_fraction(0.45);
        let plot = Rect::from_min_max(plot.min, plot.max - vec2(2.0 * theme::GAP, 0.0));
        return (plot, table);
    }
    let wanted = table::HEAD + runs as f32 * table::ROW + 2.0 * theme::GAP;
    // In a low tile two of them are seen, as long as the plot keeps a third.
    let two = (table::HEAD + 2.0 * table::ROW).min(0.65 * area.height());
    let height = wanted.min(two.max(0.5 * area.height()));
    let height = match area.height() - height < LEAST {
        true => area.height() - NOTE,
        false => height,
    };
    let (plot, table) = area.split_top_bottom_at_y(area.bottom() - height);
    (
        Rect::from_min_max(plot.min, plot.max - vec2(0.0, theme::GAP)),
        table,
    )
}

/// The colour of a run: by its place in time, so that it keeps it.
fn color(ui: &Ui, index: usize) -> Color32 {
    // None of them is one of those of the training, the validation and the test images.
    const DARK: [u32; 8] = [
        0xc58af9, 0x3cc0b6, 0xff9a76, 0xf08ab0, 0xa9c94f, 0x8a97ff, 0xd6a98a, 0xc8cdd6,
    ];
    const LIGHT: [u32; 8] = [
        0x8d4fd0, 0x0b7c74, 0xc0491a, 0xb83f70, 0x5b7d12, 0x4a4fc4, 0x85603a, 0x4a525e,
    ];
    let hex = if ui.visuals().dark_mode { DARK } else { LIGHT }[index % 8];
    Color32::from_rgb((hex >> 16) as u8, (hex >> 8) as u8, hex as u8)
}

/// How the lines of a run are drawn: more runs than there are colours differ in this.
fn style(index: usize) -> LineStyle {
    match index / 8 % 3 {
        0 => LineStyle::Solid,
        1 => LineStyle::dashed_dense(),
        _ => LineStyle::dotted_dense(),
    }
}

/// The run's curves: of the run in training the living ones.
fn of<'a>(state: &'a State, run: &'a StoredRun) -> &'a Curves {
    let lives = state.training.is_running() && state.training.run.as_ref() == Some(&run.path);
    if lives {
        &state.training.curves
    } else {
        &run.curves
    }
}

/// Whether a run has values of this quantity.
fn has(state: &State, run: &StoredRun, quantity: Quantity) -> bool {
    !of(state, run).of(quantity).is_empty()
}

/// The quantity that is drawn: as chosen, or the loss where no run has that.
fn quantity(state: &State) -> Quantity {
    let chosen = state.view.runs_quantity;
    let is_there = state.runs.list.iter().any(|run| has(state, run, chosen));
    if is_there { chosen } else { Quantity::Loss }
}

/// Why a run is not drawn; `None` where it is. Losses must mean the same; the other quantities are the same in all runs.
fn left_out(state: &State, run: &StoredRun) -> Option<String> {
    match quantity(state) {
        Quantity::Loss if state.runs.meaning() != Some(run.meaning.as_str()) => {
            Some(run.meaning.clone())
        }
        Quantity::Loss => None,
        quantity if has(state, run, quantity) => None,
        quantity => Some(format!("no {}", quantity.name().to_lowercase())),
    }
}

/// The choice among what the runs have.
fn quantities(ui: &mut Ui, state: &State, shown: Quantity, actions: &mut Vec<Action>) {
    let runs = &state.runs.list;
    let mut chosen = shown;
    let combo = ComboBox::from_id_salt("quantity of runs")
        .selected_text(RichText::new(shown.name()).size(theme::SMALL))
        .width(112.0)
        .icon(chevron)
        .show_ui(ui, |ui| {
            close_by_key(ui);
            for quantity in Quantity::ALL {
                let have = runs.iter().filter(|run| has(state, run, quantity)).count();
                if have == 0 {
                    continue;
                }
                let name = match have == runs.len() {
                    true => quantity.name().to_owned(),
                    false => format!("{} ({have} of {} runs)", quantity.name(), runs.len()),
                };
                ui.selectable_value(&mut chosen, quantity, name)
                    .on_hover_text(quantity.about());
            }
        });
    combo
        .response
        .on_hover_text(shown.about())
        .accessible_name("Quantity of runs");
    if chosen != shown {
        actions.push(Action::Show(Show::Switch(Switch::RunsQuantity(chosen))));
    }
}
