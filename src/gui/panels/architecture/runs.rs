//! The runs of a project that has several, above the layers of the one that is shown: where each stands, one to choose,
//! all to train, those that are done to compare.

use crate::theme;
use crate::widgets::{Icon, elided, plain, quiet_button};
use eframe::egui::{
    Align, Align2, CollapsingHeader, FontId, Label, Layout, Rect, Response, RichText, Role,
    ScrollArea, Sense, Stroke, StrokeKind, TextEdit, Ui, WidgetInfo, pos2, vec2,
};
use strata_app::action::Action;
use strata_app::state::State;
use strata_app::studying::OnRuns;
use strata_core::project::study::{Baselines, Study};
use strata_study::{Item, Standing};

/// Height of a row.
const ROW: f32 = 22.0;
/// Rows that are seen at once.
const ROWS: f32 = 6.0;
/// What the first row is called.
const SHARED: &str = "What all runs share";

/// Shows them; nothing of an ordinary project.
pub(super) fn show(ui: &mut Ui, state: &State, actions: &mut Vec<Action>) {
    let Some(study) = &state.project().study else {
        return;
    };
    heading(ui, state, actions);
    if let Some(why) = &state.studying.failed {
        ui.label(RichText::new(plain(why)).color(theme::palette(ui).wrong));
    }
    let rows = (study.runs.len() + 1) as f32;
    ScrollArea::vertical()
        .id_salt("runs of the project")
        .max_height(ROW * rows.min(ROWS))
        .auto_shrink([false, true])
        .show(ui, |ui| {
            ui.spacing_mut().item_spacing.y = 0.0;
            row(ui, (study, None), state, actions);
            for run in 0..study.runs.len() {
                row(ui, (study, Some(run)), state, actions);
            }
        });
    words(ui, state, actions);
    ui.add_space(theme::GAP);
    ui.separator();
    ui.add_space(theme::STEP);
}

/// What is said in place of a network where the run that is shown is of baselines.
pub(super) fn of_baselines(ui: &mut Ui, name: &str, baselines: &Baselines) {
    let colors = theme::palette(ui);
    ui.label(
        RichText::new(name)
            .font(theme::heading(theme::BODY))
            .color(colors.strong),
    );
    let said = format!("Baselines: {}.", plain(&baselines.in_words()));
    ui.add(Label::new(RichText::new(said).color(colors.text)).wrap());
    let images = "Their images are those of the settings; Train all fits them.";
    ui.add(Label::new(RichText::new(images).color(colors.weak)).wrap());
}

/// The author's own words for the report of the runs, kept beside the project file.
fn words(ui: &mut Ui, state: &State, actions: &mut Vec<Action>) {
    let title = RichText::new("Your words for the report").size(theme::SMALL);
    CollapsingHeader::new(title).id_salt("words for the report").show(ui, |ui| {
        let colors = theme::palette(ui);
        let small = |text: &str| RichText::new(text).size(theme::SMALL).color(colors.weak);
        let Some(file) = &state.file else {
            let hint = "Save the project first: the words are kept beside its file.";
            ui.add(Label::new(small(hint)).wrap());
            return;
        };
        let kept = state.studying.words(file).unwrap_or_default();
        let id = ui.scope_id().with(("words", file));
        // What is being written is kept once the field is left.
        let mut text = ui.data_mut(|data| data.get_temp::<String>(id)).unwrap_or_else(|| kept.to_owned());
        let field = TextEdit::multiline(&mut text)
            .id(id.with("field"))
            .hint_text("Question, what was tried, what follows. A line that begins with # is a heading.")
            .desired_rows(4)
            .desired_width(f32::INFINITY);
        let response = ui.add(field).accessible_name("Your words for the report");
        if response.has_focus() {
            ui.data_mut(|data| data.insert_temp(id, text));
        } else if response.lost_focus() {
            ui.data_mut(|data| data.remove_temp::<String>(id));
            if text.trim() != kept.trim() {
                actions.push(Action::ReportWords(text));
            }
        }
    });
}

fn heading(ui: &mut Ui, state: &State, actions: &mut Vec<Action>) {
    let studying = &state.studying;
    let items = &studying.plan.items;
    let done = items.iter().filter(|item| item.standing == Standing::Done);
    let done = done.count();
    ui.horizontal(|ui| {
        let colors = theme::palette(ui);
        let title = RichText::new("Runs").font(theme::heading(theme::BODY));
        ui.label(title.color(colors.strong));
        let count = format!("{done} of {} done", items.len());
        ui.label(RichText::new(count).size(theme::SMALL).color(colors.weak));
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            let compare = quiet_button(ui, Icon::Open, "Compare", done > 1, 84.0)
                .on_hover_text("Compare the runs that are done, here and as a page beside them")
                .on_disabled_hover_text("Fewer than two runs are done");
            if compare.clicked() {
                actions.push(Action::Runs(OnRuns::Compare));
            }
            train(ui, state, done < items.len(), actions);
        });
    });
}

fn train(ui: &mut Ui, state: &State, is_something_left: bool, actions: &mut Vec<Action>) {
    if state.studying.is_training() {
        let stop = quiet_button(ui, Icon::Stop, "Stop all", true, 84.0);
        let hover = "Save a checkpoint of the run that is trained, and begin no other";
        if stop.on_hover_text(hover).clicked() {
            actions.push(Action::Runs(OnRuns::Stop));
        }
        return;
    }
    let is_free = !state.training.is_running() && state.baselines.progress().is_none();
    let enabled = is_free && is_something_left && state.hindrance().is_none();
    let hover = match (is_free, is_something_left) {
        (false, _) => "Something is in training".to_owned(),
        (true, false) => "Every run is done as its settings are now".to_owned(),
        (true, true) => state.hindrance().unwrap_or_else(|| {
            "Train every run that is not done, in their order, and compare them".to_owned()
        }),
    };
    let all = quiet_button(ui, Icon::Play, "Train all", enabled, 84.0);
    let hover = plain(&hover);
    let all = all.on_hover_text(&hover).on_disabled_hover_text(&hover);
    if all.clicked() {
        actions.push(Action::Runs(OnRuns::TrainAll));
    }
}

fn row(
    ui: &mut Ui,
    (study, run): (&Study, Option<usize>),
    state: &State,
    actions: &mut Vec<Action>,
) {
    let name = run.map_or(SHARED, |run| study.runs[run].name.as_str());
    let standing = run.map_or_else(String::new, |run| standing(state, run));
    let (area, response) = ui.allocate_exact_size(vec2(ui.available_width(), ROW), Sense::click());
    let is_shown = study.shown() == run;
    let said = match standing.is_empty() {
        true => name.to_owned(),
        false => format!("{name}: {standing}"),
    };
    response.widget_info(|| WidgetInfo::selected(Role::Button, true, is_shown, said.clone()));
    paint(ui, (area, &response), is_shown, (name, &standing));
    let hover = match run.and_then(|run| study.runs[run].baseline.as_ref()) {
        Some(_) => "Baselines: no network is trained; the images are those of the settings",
        None if run.is_none() => {
            "The settings that stand before the runs: a change here is one of all runs that have nothing of their own"
        }
        None => "Show the network and the settings of this run",
    };
    if response.on_hover_text(hover).clicked() {
        actions.push(Action::Runs(OnRuns::Show(run)));
    }
}

fn paint(
    ui: &Ui,
    (area, response): (Rect, &Response),
    is_shown: bool,
    (name, standing): (&str, &str),
) {
    let colors = theme::palette(ui);
    let fill = match (is_shown, response.hovered()) {
        (true, _) => Some(colors.tint),
        (false, true) => Some(colors.lifted),
        (false, false) => None,
    };
    if let Some(fill) = fill {
        ui.painter().rect_filled(area, theme::RADIUS, fill);
    }
    if response.has_focus() {
        let stroke = Stroke::new(1.0, colors.accent);
        ui.painter()
            .rect_stroke(area, theme::RADIUS, stroke, StrokeKind::Inside);
    }
    let small = FontId::proportional(theme::SMALL);
    let ink = if is_shown {
        colors.on_tint
    } else {
        colors.weak
    };
    let right = pos2(area.right() - theme::GAP, area.center().y);
    let state = ui
        .painter()
        .text(right, Align2::RIGHT_CENTER, standing, small, ink);
    let left = area.left() + theme::GAP;
    let room = state.left() - theme::GAP - left;
    let strong = if is_shown {
        colors.on_tint
    } else {
        colors.text
    };
    let font = FontId::proportional(theme::BODY);
    let name = elided(ui, name, font, strong, room);
    let top = area.center().y - 0.5 * name.size().y;
    ui.painter().galley(pos2(left, top), name, strong);
}

/// Where a run of the file stands; it may be trained with several seeds or fit several models.
fn standing(state: &State, run: usize) -> String {
    let items: Vec<&Item> = state.studying.plan.of_run(run).collect();
    let is_done = |item: &&&Item| item.standing == Standing::Done;
    let done = items.iter().filter(is_done).count();
    let now = state.studying.now();
    if items.iter().any(|item| now == Some(item.name.as_str())) {
        return match items.len() {
            1 => "in training".to_owned(),
            all => format!("{} of {all} in training", done + 1),
        };
    }
    if done == items.len() {
        return "done".to_owned();
    }
    if done > 0 {
        return format!("{done} of {} done", items.len());
    }
    let first = items.iter().find(|item| item.standing != Standing::Done);
    match first.map(|item| &item.standing) {
        Some(Standing::Interrupted) => "interrupted".to_owned(),
        Some(Standing::InTraining) => "in training".to_owned(),
        Some(Standing::Waits(other)) => format!("needs {other}"),
        Some(Standing::New | Standing::Done) | None => "not trained".to_owned(),
    }
}
