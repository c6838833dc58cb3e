//! One problem or hint: where it is, what it is, why, and the buttons that mend it.

use super::what_it_does;
use crate::theme;
use crate::widgets::icon::{self, Icon};
use crate::widgets::{plain, said};
use eframe::egui::{
    Button, Color32, Frame, Margin, RichText, Role, Sense, Stroke, Ui, UiBuilder, WidgetInfo, vec2,
};
use strata_app::action::{Action, Show};
use strata_app::state::State;
use strata_core::project::Place;
use strata_core::project::help::{Help, Repair};
use strata_design::advice::{Advice, Fix};
use strata_design::{Problem, Severity};

/// Height of the first line.
const LINE: f32 = 18.0;

/// What is shown of a problem or a hint.
pub struct Entry<'a> {
    /// `error`, `warning` or `hint`.
    kind: &'static str,
    icon: Icon,
    /// `head layer 5`, `stage train`, or nothing.
    at: String,
    message: &'a str,
    lines: Vec<Line<'a>>,
    place: Option<&'a Place>,
    stage: Option<usize>,
}

/// The reason, or what helps: a button where it is an edit.
struct Line<'a> {
    text: String,
    fix: Option<&'a Fix>,
}

impl Line<'_> {
    fn of(text: String) -> Self {
        Line { text, fix: None }
    }
}

impl<'a> Entry<'a> {
    pub(crate) fn of_problem(state: &State, problem: &'a Problem, fixes: &'a [Fix]) -> Entry<'a> {
        let is_error = problem.severity == Severity::Error;
        Entry {
            kind: if is_error { "error" } else { "warning" },
            icon: Icon::Warning,
            at: at(state, problem.place.as_ref(), problem.stage),
            message: &problem.message,
            lines: problem
                .help
                .iter()
                .map(|help| helping(help, fixes))
                .collect(),
            place: problem.place.as_ref(),
            stage: problem.stage,
        }
    }

    pub(crate) fn of_advice(state: &State, advice: &'a Advice) -> Entry<'a> {
        Entry {
            kind: "hint",
            icon: Icon::Hint,
            at: at(state, advice.place.as_ref(), advice.stage),
            message: &advice.message,
            lines: [advice.why.clone()]
                .into_iter()
                .chain(locked(state, advice))
                .map(Line::of)
                .chain(advice.fix.as_ref().map(|fix| Line {
                    text: format!("Fix: {}", fix.label),
                    fix: Some(fix),
                }))
                .collect(),
            place: advice.place.as_ref(),
            stage: advice.stage,
        }
    }

    /// The same where its layer is on screen already.
    pub(crate) fn here(self) -> Entry<'a> {
        Entry {
            at: String::new(),
            place: None,
            stage: None,
            ..self
        }
    }

    fn ink(&self, ui: &Ui) -> Color32 {
        let colors = theme::palette(ui);
        match self.kind {
            "error" => colors.wrong,
            "warning" => colors.second,
            _ => colors.accent,
        }
    }
}

/// A line of help, with the edit that does it.
fn helping<'a>(help: &Help, fixes: &'a [Fix]) -> Line<'a> {
    let is_this = |fix: &&Fix| fix.repair.as_ref() == Some(&*help.repair);
    let fix = fixes.iter().find(is_this);
    let text = match (&*help.repair, fix) {
        // Its button has the value.
        (Repair::Data(_) | Repair::Mirror, Some(fix)) => fix.label.clone(),
        _ => help.in_window(),
    };
    Line { text, fix }
}

/// Why there is no fix, where it is a lock.
fn locked(state: &State, advice: &Advice) -> Option<String> {
    let is_locked = advice
        .place
        .as_ref()
        .is_some_and(|place| state.lock_on(place).is_some());
    (advice.fix.is_none() && is_locked).then(|| "It is locked: unlock it to change it.".to_owned())
}

fn at(state: &State, place: Option<&Place>, stage: Option<usize>) -> String {
    match (
        place,
        stage.and_then(|index| state.project().stages.get(index)),
    ) {
        (Some(place), _) => place.in_words(),
        (None, Some(stage)) => format!("stage {}", stage.name),
        (None, None) => String::new(),
    }
}

/// Shows an entry; a click on it selects its layer, or opens its stage.
pub fn show(ui: &mut Ui, salt: (&str, usize), entry: &Entry<'_>, actions: &mut Vec<Action>) {
    let leads = entry.place.is_some() || entry.stage.is_some();
    let sense = if leads {
        Sense::click()
    } else {
        Sense::hover()
    };
    let scope = ui.scope_builder(UiBuilder::new().id_salt(salt).sense(sense), |ui| {
        card(ui, entry, actions)
    });
    let response = scope.response;
    let at = format!("{} {}", entry.kind, entry.at);
    let name = plain(&format!("{}: {}", at.trim_end(), entry.message));
    response.widget_info(|| {
        WidgetInfo::labeled(
            if leads { Role::Button } else { Role::Label },
            true,
            name.as_str(),
        )
    });
    if response.clicked() {
        actions.extend(lead(entry));
    }
}

/// To the layer, which may be in folded blocks; else to the stage.
fn lead(entry: &Entry<'_>) -> Vec<Action> {
    match (entry.place, entry.stage) {
        (Some(place), _) => {
            let unfolded = place
                .enclosing_blocks()
                .into_iter()
                .map(|block| Action::Fold(Some(block), false));
            unfolded
                .chain([Action::Select(Some(place.clone()))])
                .collect()
        }
        (None, Some(stage)) => vec![
            Action::Show(Show::Settings(true)),
            Action::Show(Show::Stage(Some(stage))),
        ],
        (None, None) => Vec::new(),
    }
}

fn card(ui: &mut Ui, entry: &Entry<'_>, actions: &mut Vec<Action>) {
    let colors = theme::palette(ui);
    let (hovered, focused) = (ui.response().hovered(), ui.response().has_focus());
    let fill = if hovered && ui.response().sense.senses_click() {
        colors.lifted
    } else {
        colors.raised
    };
    let line = if focused {
        colors.accent
    } else {
        Color32::TRANSPARENT
    };
    let frame = Frame::new()
        .fill(fill)
        .corner_radius(theme::RADIUS)
        .stroke(Stroke::new(1.0, line));
    frame
        .inner_margin(Margin {
            left: 8,
            right: 8,
            top: 5,
            bottom: 6,
        })
        .show(ui, |ui| {
            ui.set_min_width(ui.available_width());
            ui.horizontal_top(|ui| {
                let (rect, _) = ui.allocate_exact_size(vec2(icon::SIZE, LINE), Sense::hover());
                icon::paint(ui.painter(), entry.icon, rect, entry.ink(ui));
                ui.vertical(|ui| {
                    ui.spacing_mut().item_spacing.y = 3.0;
                    words(ui, entry);
                    for line in &entry.lines {
                        show_line(ui, line, actions);
                    }
                });
            });
        });
}

fn words(ui: &mut Ui, entry: &Entry<'_>) {
    let colors = theme::palette(ui);
    let at = RichText::new(&entry.at).font(theme::digits(theme::CODE));
    ui.scope(|ui| {
        // The first line is on the height of the sign beside it.
        ui.spacing_mut().interact_size.y = LINE;
        ui.horizontal_wrapped(|ui| {
            ui.spacing_mut().item_spacing.x = 6.0;
            if !entry.at.is_empty() {
                ui.label(at.color(entry.ink(ui)));
            }
            ui.label(said(entry.message, theme::BODY, colors.strong));
        });
    });
}

fn show_line(ui: &mut Ui, line: &Line<'_>, actions: &mut Vec<Action>) {
    let colors = theme::palette(ui);
    let Some(fix) = line.fix else {
        ui.label(said(&line.text, theme::SMALL, colors.weak));
        return;
    };
    let hover = format!("{}\nOne edit; Ctrl+Z takes it back", what_it_does(fix));
    let button = Button::new(said(&line.text, theme::SMALL, colors.strong)).wrap();
    let button = ui.add(button).on_hover_text(hover);
    let name = plain(&format!("Fix: {}", fix.label));
    if button.accessible_name(&name).clicked() {
        actions.push(Action::Edit(fix.edit.clone()));
    }
}
