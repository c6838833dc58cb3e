//! What a run reached, and the place for it: one that is there before there is anything to say, so that nothing moves
//! when there is.

use super::{BUTTONS, ROW, fix, has_trouble_above, line, status};
use crate::theme;
use eframe::egui::{Galley, Label, Sense, Ui};
use std::sync::Arc;
use strata_app::action::Action;
use strata_app::run_monitor::Phase;
use strata_app::state::State;
use strata_core::project::data::Split;
use strata_core::project::loss::Loss;
use strata_core::project::stage::Task;

/// As long as what a run reaches usually is: the bar has room for it before there is any, and stays as it is then.
const USUAL_LOSS: &str = "loss 0.00000";
const USUAL_ACCURACY: &str = ", 100.00 %";
/// The same where an image may have several labels.
const USUAL_LABELS: &str = ", F1 100.00 %, exact match 100.00 %";

/// The height of the place above the buttons for what the run reached, where that has no room for one line beside them.
/// It does not depend on whether there are results yet.
pub(super) fn place_above(ui: &Ui, state: &State, width: f32) -> Option<f32> {
    let texts = [usual_results(state), state.training.curves.results()];
    let fits = |text: &String| written(ui, text).size().x <= width - BUTTONS;
    if texts.iter().all(fits) {
        return None;
    }
    let heights = texts.map(|text| written(ui, &in_lines(ui, &text, width)).size().y);
    Some(heights[0].max(heights[1]))
}

/// Results as long as those of a run of this project usually are.
fn usual_results(state: &State) -> String {
    let stages = &state.project().stages;
    let classifying = || {
        let of = stages.iter();
        of.filter(|stage| stage.task == Task::Classify)
    };
    let accuracy = match classifying().next() {
        Some(_) => USUAL_ACCURACY,
        None => "",
    };
    let labels = match classifying().any(|stage| stage.loss == Loss::Bce) {
        true => USUAL_LABELS,
        false => "",
    };
    let of = |split: Split| format!("{} {USUAL_LOSS}{accuracy}{labels}", split.name());
    [Split::Train, Split::Valid, Split::Test]
        .map(of)
        .join(" · ")
}

/// A text on as few lines of this width as it needs, each part of it whole.
fn in_lines(ui: &Ui, text: &str, width: f32) -> String {
    let mut lines = String::new();
    let mut line = String::new();
    for part in text.split(" · ") {
        let longer = match line.as_str() {
            "" => part.to_owned(),
            line => format!("{line} · {part}"),
        };
        if line.is_empty() || written(ui, &longer).size().x <= width {
            line = longer;
        } else {
            lines += &format!("{line}\n");
            line = part.to_owned();
        }
    }
    lines + &line
}

/// What the run has reached so far, or what will stand there.
pub(super) fn show_above(ui: &mut Ui, state: &State, actions: &mut Vec<Action>) {
    let results = state.training.curves.results();
    if !results.is_empty() {
        let lines = in_lines(ui, &results, ui.available_width());
        let shown = written(ui, &lines);
        return show(ui, state, shown);
    }
    if !state.training.is_live() && has_trouble_above(state) {
        return trouble(ui, state, actions);
    }
    let text = match state.training.is_live() {
        true => "What the run reaches stands here after its first epoch",
        false => "What a run reaches stands here",
    };
    line(ui, text, theme::palette(ui).weak, 1);
}

/// What keeps a run from beginning, with what mends it: here it has room for its words.
fn trouble(ui: &mut Ui, state: &State, actions: &mut Vec<Action>) {
    let rows = (ui.available_height() / ROW).floor().max(1.0) as usize;
    let Some((text, color)) = status(ui, state) else {
        return;
    };
    ui.horizontal(|ui| {
        ui.spacing_mut().interact_size.y = ROW;
        fix(ui, state, actions);
        line(ui, &text, color, rows);
    });
}

/// What a run that has ended reached.
pub(super) fn reached(state: &State) -> Option<String> {
    let has_ended = matches!(state.training.phase, Phase::Idle | Phase::Ended(_));
    let results = state.training.curves.results();
    (has_ended && !results.is_empty()).then_some(results)
}

pub(super) fn written(ui: &Ui, results: &str) -> Arc<Galley> {
    let color = theme::palette(ui).strong;
    ui.painter()
        .layout_no_wrap(results.to_owned(), theme::digits(theme::SMALL), color)
}

pub(super) fn show(ui: &mut Ui, state: &State, shown: Arc<Galley>) {
    let label = ui.add(Label::new(shown).sense(Sense::hover()));
    label
        .on_hover_text(
            "What the run reached: means over the images of each split, as in metrics.csv",
        )
        .accessible_name(state.training.curves.results());
}
