//! The runs of this project: their losses laid over each other, and a list with what they reached.

use super::axes::{Axes, Quantity, plot};
use super::loss::by_epoch;
use crate::theme;
use crate::view::View;
use crate::widgets::{Icon, empty, icon_button};
use eframe::egui::{
    Align2, Button, Color32, FontId, Rect, RichText, ScrollArea, Sense, Stroke, StrokeKind, Ui,
    UiBuilder, pos2, vec2,
};
use egui_plot::{Line, PlotUi, Points};
use strata_app::action::{Action, Show};
use strata_app::arrangement::Workspace;
use strata_app::curves::Curves;
use strata_app::runs::StoredRun;
use strata_app::state::State;
use strata_core::format;
use strata_engine::storage::record::Status;

/// The view.
#[derive(Default)]
pub struct RunsView;

/// Width of the list.
const LIST: f32 = 284.0;
const ROW: f32 = 40.0;
/// Width of a row with room for what the run reached beside its name.
const NAME_AND_FIGURE: f32 = 236.0;

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
        "All runs of this project laid over each other, each in a colour of its own that it keeps. Faint: the smoothed loss of training; strong: on the validation images. A click on a run hides or shows it; the arrow opens it."
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
        let mut log = state.view.log_loss;
        let switch = ui.toggle_value(&mut log, RichText::new("log").size(theme::SMALL));
        let switch = switch.on_hover_text("Logarithmic axis: equal distances are equal ratios");
        if switch.accessible_name("Logarithmic axis of runs").clicked() {
            actions.push(Action::Show(Show::LogLoss(log)));
        }
        by_epoch(ui, state, "Runs", actions);
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
        curves(
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

/// The list beside the plot, or below it where there is little room.
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

fn curves(ui: &mut Ui, state: &State) {
    let columns = (ui.available_width() / 2.0).max(64.0) as usize;
    let colors: Vec<Color32> = (0..state.runs.list.len())
        .map(|index| color(ui, index))
        .collect();
    let shown = || {
        state
            .runs
            .list
            .iter()
            .zip(&colors)
            .filter(|(run, _)| !state.runs.hidden.contains(&run.path))
    };
    let of_name = |name: &str| {
        state
            .runs
            .list
            .iter()
            .find(|run| run.name == name)
            .map(|run| of(state, run))
    };
    let axes = Axes {
        quantity: Quantity::Loss,
        log: state.view.log_loss,
        by_epoch: state.view.by_epoch,
    };
    plot(ui, axes, of_name).show(ui, |plot| {
        for (run, color) in shown() {
            draw(plot, run, of(state, run), *color, axes, columns);
        }
    });
}

fn draw<'a>(
    plot: &mut PlotUi<'a>,
    run: &'a StoredRun,
    curves: &'a Curves,
    color: Color32,
    axes: Axes,
    columns: usize,
) {
    let curve = &curves.loss;
    let range = axes.steps(plot, curves, curve);
    for piece in curve.smooth.visible(range, columns) {
        let points = axes.places(curves, &piece);
        let stroke = Stroke::new(1.5, theme::faded(color, 0.55));
        plot.line(Line::new(run.name.clone(), points).stroke(stroke));
    }
    for line in curve.valid_lines(&curves.stages) {
        let points = axes.places(curves, line);
        plot.line(
            Line::new(run.name.clone(), points.clone())
                .stroke(Stroke::new(2.0, color))
                .allow_hover(false),
        );
        plot.points(
            Points::new(run.name.clone(), points)
                .radius(3.0)
                .color(color),
        );
    }
}

fn row(ui: &mut Ui, state: &State, run: &StoredRun, index: usize, actions: &mut Vec<Action>) {
    let hidden = state.runs.hidden.contains(&run.path);
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
    let (above, below) = (area.center().y - 8.0, area.center().y + 8.0);
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
        when(run),
        FontId::proportional(10.5),
        colors.weak,
    );
    if toggle.width() >= NAME_AND_FIGURE {
        write(
            toggle.right() - 8.0,
            above,
            Align2::RIGHT_CENTER,
            reached(run),
            theme::digits(11.0),
            colors.text,
        );
    }
    let hover = format!(
        "{}\n{} · {}",
        run.path.display(),
        run.record.device,
        format::duration(run.record.seconds)
    );
    if response.on_hover_text(hover).clicked() {
        actions.push(Action::Show(Show::Run(run.path.clone(), hidden)));
    }
    let button =
        Rect::from_center_size(pos2(area.right() - 16.0, area.center().y), vec2(24.0, 24.0));
    // A child of its own leaves the next row where the list puts it.
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
    const LETTERS: usize = 18;
    // The end tells runs of one project apart.
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
    let metrics = &run.record.metrics;
    let Some((split, metrics)) = ["valid", "test", "train"]
        .iter()
        .find_map(|name| metrics.get_key_value(*name))
    else {
        return "—".to_owned();
    };
    match metrics.accuracy {
        Some(accuracy) => format!("{split} {:.2} %", 100.0 * accuracy),
        None => format!("{split} {}", format::loss(metrics.loss)),
    }
}
