//! The runs of this project: one quantity of them laid over each other, and a list with what they reached.

mod plot;

use super::loss::by_epoch;
use crate::theme;
use crate::view::View;
use crate::widgets::{Icon, chevron, empty, icon_button};
use eframe::egui::{
    Align2, Button, Color32, ComboBox, FontId, Rect, RichText, ScrollArea, Sense, Stroke,
    StrokeKind, Ui, UiBuilder, pos2, vec2,
};
use strata_app::action::{Action, Show};
use strata_app::arrangement::Workspace;
use strata_app::curves::{Curves, Quantity};
use strata_app::runs::StoredRun;
use strata_app::state::State;
use strata_app::view_settings::Switch;
use strata_core::format;
use strata_engine::storage::record::Status;

/// The view.
#[derive(Default)]
pub struct RunsView;

/// Width of the list.
const LIST: f32 = 284.0;
const ROW: f32 = 56.0;
impl View for RunsView {
    fn title(&self) -> &'static str {
        "Runs"
    }

    fn summary(&self) -> &'static str {
        "The runs of this project laid over each other"
    }

    fn workspace(&self) -> Workspace {
        Workspace::Training
    }

    fn about(&self) -> &'static str {
        "The runs of this project laid over each other, each in a colour of its own that it keeps, by their loss or by another quantity that they have. Faint: the running mean of the batches of training; strong: on the validation images. The pointer tells the value of every run, as it was measured. Losses of another kind or of other pixels are no comparison: their runs are listed, and a click draws them instead. A click on a drawn run hides or shows it; the arrow opens it."
    }

    fn status(&self, state: &State) -> String {
        let runs = &state.runs;
        match runs.list.len() {
            0 => String::new(),
            1 => format!("1 run in {}", state.runs_to_list().folder.display()),
            count => format!("{count} runs in {}", state.runs_to_list().folder.display()),
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
        quantities(ui, state, quantity, actions);
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
        if state.runs.list.is_empty() {
            return match state.runs.is_reading() {
                true => empty(ui, "Reading the runs …", "Their losses are being read."),
                false => empty(
                    ui,
                    "No runs of this project yet",
                    "Press Train: every run is kept in the folder runs beside the project.",
                ),
            };
        }
        let (plot, list) = places(ui.available_rect_before_wrap(), state.runs.list.len());
        plot::show(
            &mut ui.new_child(UiBuilder::new().id_salt("curves").max_rect(plot)),
            state,
        );
        let mut inner = ui.new_child(UiBuilder::new().id_salt("list").max_rect(list));
        ScrollArea::vertical()
            .auto_shrink(false)
            .show(&mut inner, |ui| {
                for (index, run) in state.runs.list.iter().enumerate().rev() {
                    row(ui, state, run, index, actions);
                }
            });
    }
}

/// The list next to the plot, or below it where there is little room.
fn places(area: Rect, runs: usize) -> (Rect, Rect) {
    if area.width() >= 2.0 * LIST {
        let (plot, list) = area.split_left_right_at_x(area.right() - LIST);
        return (
            Rect::from_min_max(plot.min, plot.max - vec2(16.0, 0.0)),
            list,
        );
    }
    let rows = (runs as f32).min((0.45 * area.height() / ROW).floor().max(1.0));
    let (plot, list) = area.split_top_bottom_at_y(area.bottom() - rows * ROW);
    (
        Rect::from_min_max(plot.min, plot.max - vec2(0.0, theme::GAP)),
        list,
    )
}

/// The colour of a run: by its place in time, so that it keeps it.
fn color(ui: &Ui, index: usize) -> Color32 {
    const DARK: [u32; 8] = [
        0x5aa2ff, 0xe8b04a, 0x4ccf92, 0xf08ab0, 0xc58af9, 0x3cc0b6, 0xff9466, 0xc8cdd6,
    ];
    const LIGHT: [u32; 8] = [
        0x1f6fd6, 0xb07a10, 0x0f8a55, 0xc74f7e, 0x8d4fd0, 0x138c83, 0xc9551f, 0x4a525e,
    ];
    let hex = if ui.visuals().dark_mode { DARK } else { LIGHT }[index % 8];
    Color32::from_rgb((hex >> 16) as u8, (hex >> 8) as u8, hex as u8)
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

fn row(ui: &mut Ui, state: &State, run: &StoredRun, index: usize, actions: &mut Vec<Action>) {
    let left_out = left_out(state, run);
    let hidden = state.runs.hidden.contains(&run.path) || left_out.is_some();
    let (area, _) = ui.allocate_exact_size(vec2(ui.available_width() - 8.0, ROW), Sense::hover());
    let toggle = Rect::from_min_max(area.min, area.max - vec2(32.0, 0.0));
    let id = ui.scope_id().with(&run.path);
    let response = ui.interact(toggle, id, Sense::click());
    let word = if hidden { "Show" } else { "Hide" };
    let label = format!("{word} run {}", run.name);
    response.widget_info(|| {
        eframe::egui::WidgetInfo::labeled(eframe::egui::Role::Button, true, label.clone())
    });
    let colors = theme::palette(ui);
    if response.hovered() || response.has_focus() {
        ui.painter().rect_filled(area, theme::RADIUS, colors.lifted);
    }
    let ink = if hidden { colors.weak } else { colors.strong };
    let mark = Rect::from_center_size(pos2(area.left() + 14.0, area.center().y), vec2(12.0, 12.0));
    let color = color(ui, index);
    let fill = if hidden { Color32::TRANSPARENT } else { color };
    ui.painter()
        .rect(mark, 2.0, fill, Stroke::new(1.5, color), StrokeKind::Inside);
    let write = |x: f32, y: f32, align: Align2, text: String, font: FontId, color: Color32| {
        ui.painter().text(pos2(x, y), align, text, font, color);
    };
    let (above, below) = (area.center().y - 16.0, area.center().y + 15.0);
    write(
        area.left() + 30.0,
        above,
        Align2::LEFT_CENTER,
        fitted(&run.name),
        FontId::proportional(theme::BODY),
        ink,
    );
    write(
        area.left() + 30.0,
        below,
        Align2::LEFT_CENTER,
        match &left_out {
            None => when(run),
            Some(why) => format!("not drawn: {why}"),
        },
        FontId::proportional(10.5),
        colors.weak,
    );
    write(
        area.left() + 30.0,
        area.center().y,
        Align2::LEFT_CENTER,
        reached(run),
        theme::digits(11.0),
        colors.text,
    );
    let hover = format!(
        "{}\n{} · {}\nloss: {}\n{}",
        run.path.display(),
        run.record.device,
        format::duration(run.record.seconds),
        run.meaning,
        of(state, run).results()
    );
    if response.on_hover_text(hover).clicked() {
        match left_out {
            None => actions.push(Action::Show(Show::Run(run.path.clone(), hidden))),
            Some(_) if quantity(state) == Quantity::Loss => {
                actions.push(Action::Show(Show::RunsOf(run.meaning.clone())));
            }
            Some(_) => {}
        }
    }
    let button =
        Rect::from_center_size(pos2(area.right() - 16.0, area.center().y), vec2(24.0, 24.0));
    // Its own child leaves the next row where the list puts it.
    let mut inner = ui.new_child(UiBuilder::new().id_salt(&run.path).max_rect(button));
    let name = format!("Open run {}", run.name);
    if icon_button(
        &mut inner,
        Icon::Closed,
        &name,
        "Open this run: its project, its curves, its network",
        true,
    )
    .clicked()
    {
        actions.push(Action::Open(run.path.clone()));
    }
}

fn fitted(name: &str) -> String {
    const LETTERS: usize = 34;
    // Runs of one project differ in the end of their names.
    let extra = name.chars().count().saturating_sub(LETTERS);
    if extra == 0 {
        name.to_owned()
    } else {
        ['…']
            .into_iter()
            .chain(name.chars().skip(extra + 1))
            .collect()
    }
}

fn when(run: &StoredRun) -> String {
    let status = match run.record.status {
        Status::Running => "not ended",
        Status::Completed => "completed",
        Status::Stopped => "stopped",
        Status::Failed => "failed",
    };
    let started = run.record.started.replace('T', " ");
    let minute: String = started.chars().take(16).collect();
    format!(
        "{minute} · {status} · {} steps",
        format::count(run.record.steps)
    )
}

/// What it reached on the images it never learnt from, as far as it was measured.
fn reached(run: &StoredRun) -> String {
    let part = |name: &str| {
        let metrics = run.record.metrics.get(name)?;
        Some(match metrics.accuracy {
            Some(accuracy) => format!("{name} {:.2} %", 100.0 * accuracy),
            None => format!("{name} {}", format::loss(metrics.loss)),
        })
    };
    let parts: Vec<String> = ["valid", "test"].into_iter().filter_map(part).collect();
    match parts.is_empty() {
        true => part("train").unwrap_or_else(|| "—".to_owned()),
        false => parts.join(" · "),
    }
}
