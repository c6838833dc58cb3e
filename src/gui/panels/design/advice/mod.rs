//! Advice and goals: problems and hints with their reasons and one-click fixes, and a list of ticks.

mod entry;
mod goals;

use crate::theme;
use crate::view::View;
use crate::widgets::icon::{self, Icon};
use crate::widgets::plain;
use eframe::egui::{Align, Layout, Rect, RichText, ScrollArea, Sense, Ui, UiBuilder, vec2};
use entry::Entry;
use strata_app::action::Action;
use strata_app::arrangement::Workspace;
use strata_app::state::State;
use strata_app::view_kind::ViewKind;
use strata_core::project::Place;
use strata_design::Severity;
use strata_design::advice::{Advice, Fix};
use strata_design::goals::Standing;

/// From this width on the goals are next to the hints.
const WIDE: f32 = 720.0;
/// The fraction for the goals then.
const GOALS: f32 = 0.42;

/// The view.
#[derive(Default)]
pub struct AdviceView;

impl View for AdviceView {
    fn title(&self) -> &'static str {
        "Advice"
    }

    fn summary(&self) -> &'static str {
        "What is unusual about this project, and its goals"
    }

    fn words(&self) -> &'static str {
        "problems hints goals warnings lint check overfitting underfitting"
    }

    fn workspace(&self) -> Workspace {
        Workspace::Design
    }

    fn about(&self) -> &'static str {
        "What is wrong or unusual about this project, why, and the edits that mend it; Ctrl+Z takes one back. \
         Below, the project's goals: proven now, or measured after training."
    }

    fn status(&self, state: &State) -> String {
        let of = |severity| {
            state
                .shown
                .problems
                .iter()
                .filter(|problem| problem.severity == severity)
                .count()
        };
        let goals = state.goals();
        let met = goals
            .iter()
            .filter(|goal| goal.standing == Standing::Met)
            .count();
        let mut parts: Vec<String> = [
            (of(Severity::Error), "error"),
            (of(Severity::Warning), "warning"),
            (state.shown.advice.len() + state.known.list.len(), "hint"),
        ]
        .into_iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, word)| format!("{count} {word}{}", if count == 1 { "" } else { "s" }))
        .collect();
        parts.extend((!goals.is_empty()).then(|| format!("{met} of {} goals met", goals.len())));
        parts.join(" · ")
    }

    fn body(&mut self, ui: &mut Ui, state: &State, actions: &mut Vec<Action>) {
        if ui.available_width() < WIDE {
            scroll(ui, "all", |ui| {
                entries(ui, state, actions);
                ui.add_space(theme::GAP);
                goals::show(ui, state, actions);
            });
            return;
        }
        let area = ui.available_rect_before_wrap();
        let (left, right) = area.split_left_right_at_x(area.right() - GOALS * area.width());
        column(
            ui,
            "hints",
            left.with_max_x(left.right() - theme::GAP),
            |ui| entries(ui, state, actions),
        );
        column(
            ui,
            "goals",
            right.with_min_x(right.left() + theme::GAP),
            |ui| goals::show(ui, state, actions),
        );
    }
}

/// What is wrong with a layer or unusual about it, under a heading; nothing where nothing is.
pub fn advice_of(ui: &mut Ui, state: &State, place: &Place, actions: &mut Vec<Action>) {
    let all = state.shown.advice.iter().chain(&state.known.list);
    let own: Vec<&Advice> = all
        .filter(|advice| advice.place.as_ref() == Some(place))
        .collect();
    let problems = state.shown.problems.iter().zip(&state.shown.fixes);
    let wrong: Vec<_> = problems
        .filter(|(problem, _)| problem.place.as_ref() == Some(place))
        .collect();
    // What the view of all advice says beside it is not said twice.
    let is_said = state.arrangement().fronts().contains(&ViewKind::Advice);
    if is_said || own.is_empty() && wrong.is_empty() {
        return;
    }
    ui.add_space(theme::GAP);
    heading(
        ui,
        "Advice",
        "What is unusual about this layer, and the edit that mends it.",
    );
    for (index, (problem, fixes)) in wrong.into_iter().enumerate() {
        let entry = Entry::of_problem(state, problem, fixes).here();
        entry::show(ui, ("problem of the layer", index), &entry, actions);
    }
    for (index, advice) in own.into_iter().enumerate() {
        let entry = Entry::of_advice(state, advice).here();
        entry::show(ui, ("hint of the layer", index), &entry, actions);
    }
}

/// What an edit does, and the error that is seen only after it.
pub fn what_it_does(fix: &Fix) -> String {
    let then = fix.then.as_ref();
    let then = then.map_or_else(String::new, |then| format!("\nMend then: {then}"));
    plain(&format!("{}{then}", fix.label))
}

fn column(ui: &mut Ui, name: &str, rect: Rect, content: impl FnOnce(&mut Ui)) {
    let mut inner = ui.new_child(
        UiBuilder::new()
            .id_salt(name)
            .max_rect(rect)
            .layout(Layout::top_down(Align::Min)),
    );
    scroll(&mut inner, name, content);
}

fn scroll(ui: &mut Ui, name: &str, content: impl FnOnce(&mut Ui)) {
    ScrollArea::vertical()
        .id_salt(name)
        .auto_shrink(false)
        .show(ui, |ui| {
            ui.spacing_mut().item_spacing.y = theme::STEP;
            content(ui);
        });
}

/// The heading of a section.
fn heading(ui: &mut Ui, text: &str, hover: &str) {
    let color = theme::palette(ui).text;
    ui.label(
        RichText::new(text)
            .font(theme::heading(theme::BODY))
            .color(color),
    )
    .on_hover_text(hover);
}

fn entries(ui: &mut Ui, state: &State, actions: &mut Vec<Action>) {
    let shown = &state.shown;
    let hints: Vec<&Advice> = state.known.list.iter().chain(&shown.advice).collect();
    let mut problems: Vec<_> = shown.problems.iter().zip(&shown.fixes).collect();
    problems.sort_by_key(|(problem, _)| problem.severity);
    if !problems.is_empty() {
        heading(
            ui,
            "Problems",
            "What keeps the project from being trained, and what will likely disappoint.",
        );
    }
    for (index, (problem, fixes)) in problems.into_iter().enumerate() {
        entry::show(
            ui,
            ("problem", index),
            &Entry::of_problem(state, problem, fixes),
            actions,
        );
    }
    if !hints.is_empty() {
        heading(
            ui,
            "Hints",
            "What is unusual: it trains, but there is a reason to do it otherwise.",
        );
    }
    for (index, advice) in hints.iter().enumerate() {
        entry::show(
            ui,
            ("hint", index),
            &Entry::of_advice(state, advice),
            actions,
        );
    }
    if shown.problems.is_empty() && hints.is_empty() {
        calm(ui);
    }
}

fn calm(ui: &mut Ui) {
    let colors = theme::palette(ui);
    ui.horizontal(|ui| {
        let (rect, _) = ui.allocate_exact_size(vec2(icon::SIZE, 24.0), Sense::hover());
        icon::paint(ui.painter(), Icon::Check, rect, colors.proven);
        ui.label(
            RichText::new("Nothing to say: this project follows what is usual.").color(colors.text),
        );
    });
}
