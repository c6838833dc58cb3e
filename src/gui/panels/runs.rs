//! The runs of this project: their losses laid over each other, and a list with what they reached.

use super::axes::{Axes, Quantity, Span, plot};
use super::loss::{MOST_DOTS, Marked, by_epoch, odd_marks};
use crate::theme;
use crate::view::View;
use crate::widgets::{Icon, empty, icon_button};
use eframe::egui::{
    Align2, Button, Color32, FontId, Label, Rect, RichText, ScrollArea, Sense, Stroke, StrokeKind,
    Ui, UiBuilder, pos2, vec2,
};
use egui_plot::{Line, PlotUi, Points};
use strata_app::action::{Action, Show};
use strata_app::arrangement::Workspace;
use strata_app::curves::{Curves, Extent, OddSteps, by_stage};
use strata_app::runs::StoredRun;
use strata_app::state::State;
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
        "The runs of this project whose losses mean the same laid over each other, each in a colour of its own that it keeps. Faint: the running mean of the batches of training; strong: on the validation images. Losses of another kind or of other pixels are no comparison: their runs are listed, and a click draws them instead. A click on a drawn run hides or shows it; the arrow opens it."
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

/// Whether a run's losses are those that are drawn.
fn is_compared(state: &State, run: &StoredRun) -> bool {
    state.runs.meaning() == Some(run.meaning.as_str())
}

fn curves(ui: &mut Ui, state: &State) {
    let colors: Vec<Color32> = (0..state.runs.list.len())
        .map(|index| color(ui, index))
        .collect();
    let runs = state.runs.list.iter().zip(&colors);
    let shown: Vec<(&StoredRun, Color32)> = runs
        .filter(|(run, _)| !state.runs.hidden.contains(&run.path) && is_compared(state, run))
        .map(|(run, color)| (run, *color))
        .collect();
    let of_name = |name: &str| {
        let found = state.runs.list.iter().find(|run| run.name == name);
        found.map(|run| of(state, run))
    };
    let axes = Axes {
        quantity: Quantity::Loss,
        log: state.view.log_loss,
        by_epoch: state.view.by_epoch,
    };
    heading(ui, state, &shown, axes);
    let columns = (ui.available_width() / 2.0).max(64.0) as usize;
    let extents = shown.iter().map(|(run, _)| of(state, run).loss.course);
    let span = axes.span(extents.fold(Extent::default(), Extent::joined));
    plot(ui, axes, span, "loss", of_name).show(ui, |plot| {
        for (run, color) in &shown {
            draw(plot, run, of(state, run), *color, axes, span, columns);
        }
    });
}

/// What is drawn, and what is not.
fn heading(ui: &mut Ui, state: &State, shown: &[(&StoredRun, Color32)], axes: Axes) {
    let meaning = state.runs.meaning().unwrap_or_default();
    let left_out = state
        .runs
        .list
        .iter()
        .filter(|run| !is_compared(state, run))
        .count();
    let over = shown
        .iter()
        .map(|(run, _)| of(state, run).loss.smoothed_over())
        .max();
    let mut text = match over {
        Some(over) => format!("{meaning}. Strong: valid; faint: train, smoothed over {over} steps"),
        None => format!("{meaning}. No run of it is shown"),
    };
    if left_out > 0 {
        let (runs, have) = if left_out == 1 {
            ("run", "has")
        } else {
            ("runs", "have")
        };
        text += &format!(
            ". {left_out} {runs} {have} another loss and {} not drawn",
            if left_out == 1 { "is" } else { "are" }
        );
    }
    let odd = |count: fn(&OddSteps) -> usize| -> usize {
        let of_run = |(run, _): &(&StoredRun, Color32)| {
            let odd = &of(state, run).loss.odd;
            count(&odd.steps) + count(&odd.epochs)
        };
        shown.iter().map(of_run).sum()
    };
    let (zeros, not_finite) = (
        odd(OddSteps::zeros) + odd(OddSteps::below_zero),
        odd(OddSteps::not_finite),
    );
    if axes.log && zeros > 0 {
        text += &format!(". ▼ {zeros} values of 0 or below");
    }
    if not_finite > 0 {
        text += &format!(". × {not_finite} values not finite");
    }
    let text = RichText::new(text)
        .size(theme::SMALL)
        .color(theme::palette(ui).text);
    ui.add(Label::new(text).wrap());
}

fn draw<'a>(
    plot: &mut PlotUi<'a>,
    run: &'a StoredRun,
    curves: &'a Curves,
    color: Color32,
    axes: Axes,
    span: Span,
    columns: usize,
) {
    let curve = &curves.loss;
    let range = axes.steps(plot, curves, curve);
    let odd = curve.odd.steps.without_logarithm();
    for piece in curve.smooth.visible(range, columns) {
        for points in axes.places(curves, &piece, odd) {
            let stroke = Stroke::new(1.5, theme::faded(color, 0.55));
            plot.line(Line::new(run.name.clone(), points).stroke(stroke));
        }
    }
    for line in by_stage(&curve.valid, &curves.stages) {
        for points in axes.places(curves, line, &[]) {
            plot.line(
                Line::new(run.name.clone(), points.clone())
                    .stroke(Stroke::new(2.0, color))
                    .allow_hover(false),
            );
            // Where epochs are many, their dots would hide the line.
            let dots = if points.len() > MOST_DOTS {
                points[points.len() - 1..].to_vec()
            } else {
                points
            };
            let dots = Points::new(run.name.clone(), dots);
            plot.points(dots.radius(3.0).color(color));
        }
    }
    for odd in [&curve.odd.steps, &curve.odd.epochs] {
        odd_marks(plot, &Marked { curves, axes, span }, odd, color);
    }
}

fn row(ui: &mut Ui, state: &State, run: &StoredRun, index: usize, actions: &mut Vec<Action>) {
    let compared = is_compared(state, run);
    let hidden = state.runs.hidden.contains(&run.path) || !compared;
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
        if compared {
            when(run)
        } else {
            format!("not drawn: {}", run.meaning)
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
        if compared {
            actions.push(Action::Show(Show::Run(run.path.clone(), hidden)));
        } else {
            actions.push(Action::Show(Show::RunsOf(run.meaning.clone())));
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
