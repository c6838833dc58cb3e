//! The goals as a list of ticks: each can be changed, taken away, and new ones written or chosen.

use super::heading;
use crate::theme;
use crate::widgets::icon::{self, Icon};
use crate::widgets::{Field, FieldEvent, close_by_key, icon_button};
use eframe::egui::{Align, Color32, Id, Label, Layout, Popup, RichText, Sense, Ui, vec2};
use strata_app::action::Action;
use strata_app::state::State;
use strata_core::project::edit::Edit;
use strata_core::project::goals::{Goal, Goals, Quantity};
use strata_core::project::reference;
use strata_design::goals::{Judged, Standing};

/// The field of a goal.
const FIELD: f32 = 184.0;
/// The room of a sign.
const SIGN: f32 = 20.0;
/// From this width on the measured value is on the goal's own line.
const ONE_LINE: f32 = 440.0;

/// Shows the section.
pub fn show(ui: &mut Ui, state: &State, actions: &mut Vec<Action>) {
    heading(
        ui,
        "Goals",
        "What the network is to reach. Goals are part of the project; those of a trained result are judged by its run.",
    );
    let judged = state.goals();
    for goal in &judged {
        row(ui, state, goal, actions);
    }
    if judged.is_empty() {
        let text = "No goals yet. Write one, such as parameters ≤ 50000 or output = input.";
        ui.label(RichText::new(text).color(theme::palette(ui).weak));
    }
    add(ui, state, actions);
}

fn sign(ui: &Ui, standing: Standing) -> (Icon, Color32) {
    let colors = theme::palette(ui);
    match standing {
        Standing::Met => (Icon::Check, colors.proven),
        Standing::Missed => (Icon::Close, colors.wrong),
        Standing::AfterTraining => (Icon::Ring, colors.weak),
    }
}

fn row(ui: &mut Ui, state: &State, judged: &Judged, actions: &mut Vec<Action>) {
    let one_line = ui.available_width() >= ONE_LINE;
    ui.horizontal_top(|ui| {
        let (sign, ink) = sign(ui, judged.standing);
        let (rect, response) =
            ui.allocate_exact_size(vec2(SIGN - theme::GAP, 24.0), Sense::hover());
        icon::paint(ui.painter(), sign, rect, ink);
        response.on_hover_text(reference::goals::of(judged.goal.quantity).about);
        ui.vertical(|ui| {
            ui.horizontal_top(|ui| {
                ui.vertical(|ui| {
                    ui.set_width(FIELD);
                    change(ui, state, judged, actions);
                });
                let name = format!("Remove goal {}", judged.goal.quantity.name());
                if icon_button(ui, Icon::Close, &name, "Take this goal away", true).clicked() {
                    let goals = state.project().goals.without(judged.goal.quantity);
                    actions.push(Action::Edit(Edit::Goals(goals)));
                }
                if one_line {
                    let room = vec2(ui.available_width(), 24.0);
                    let middle = Layout::left_to_right(Align::Center);
                    ui.allocate_ui_with_layout(room, middle, |ui| reached(ui, judged));
                }
            });
            if !one_line {
                reached(ui, judged);
            }
        });
    });
}

fn reached(ui: &mut Ui, judged: &Judged) {
    let colors = theme::palette(ui);
    let ink = match judged.standing {
        Standing::Met => colors.proven,
        Standing::Missed => colors.wrong,
        Standing::AfterTraining => colors.weak,
    };
    ui.add(Label::new(RichText::new(&judged.text).size(theme::SMALL).color(ink)).wrap());
}

fn change(ui: &mut Ui, state: &State, judged: &Judged, actions: &mut Vec<Action>) {
    let (quantity, text) = (judged.goal.quantity, judged.goal.to_string());
    let id = Id::unique(("goal", quantity.name(), state.generation));
    let name = format!("Goal {}", quantity.name());
    if let Some(FieldEvent::Commit(text)) = Field::new(id, &name, &text)
        .width(FIELD)
        .check(&readable)
        .of_project()
        .show(ui)
    {
        let others = state.project().goals.without(quantity);
        actions.extend(changed(&others, &text));
    }
}

/// An empty text takes a goal away.
fn readable(text: &str) -> Result<(), String> {
    if text.trim().is_empty() {
        Ok(())
    } else {
        text.parse::<Goal>().map(|_| ()).map_err(|error| error.0)
    }
}

fn changed(others: &Goals, text: &str) -> Option<Action> {
    let goals = match text.trim() {
        "" => others.clone(),
        text => others.with(text.parse().ok()?),
    };
    Some(Action::Edit(Edit::Goals(goals)))
}

fn add(ui: &mut Ui, state: &State, actions: &mut Vec<Action>) {
    let goals = &state.project().goals;
    ui.horizontal_top(|ui| {
        ui.add_space(SIGN);
        ui.vertical(|ui| {
            ui.set_width(FIELD);
            let id = Id::unique(("new goal", goals.iter().count(), state.generation));
            let field = Field::new(id, "New goal", "")
                .hint("parameters ≤ 50000")
                .width(FIELD)
                .check(&readable);
            if let Some(FieldEvent::Commit(text)) = field.show(ui) {
                actions.extend(changed(goals, &text).filter(|_| !text.trim().is_empty()));
            }
        });
        choose(ui, goals, actions);
    });
}

/// The kinds of goals there are, as examples to start from.
fn choose(ui: &mut Ui, goals: &Goals, actions: &mut Vec<Action>) {
    let button = icon_button(
        ui,
        Icon::Plus,
        "Choose a goal",
        "The kinds of goals there are",
        true,
    );
    Popup::menu(&button).width(240.0).show(|ui| {
        close_by_key(ui);
        for quantity in Quantity::ALL
            .into_iter()
            .filter(|quantity| goals.get(*quantity).is_none())
        {
            let Ok(goal) = Goal::parse(quantity, quantity.example()) else {
                continue;
            };
            let text = RichText::new(goal.to_string()).font(theme::digits(theme::CODE));
            if ui
                .button(text)
                .on_hover_text(reference::goals::of(quantity).about)
                .clicked()
            {
                actions.push(Action::Edit(Edit::Goals(goals.with(goal))));
                ui.close();
            }
        }
    });
}
