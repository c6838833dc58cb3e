//! Proposals as cards: what is written instead of what, and a button that takes it. A card under the pointer, or
//! with the focus, is shown in the architecture before it is taken.

use super::answers::Known;
use super::apply;
use crate::theme;
use crate::widgets::{plain, said};
use eframe::egui::{
    Align, Button, Color32, Frame, Label, Layout, Margin, Response, RichText, Stroke, Ui,
};
use strata_app::action::Action;
use strata_app::state::State;
use strata_core::format::count;
use strata_core::project::Network;
use strata_core::project::node::Node;
use strata_design::solve::{Aim, Change, Solution};

/// Changes of one card that are listed.
const LISTED: usize = 6;
/// Room for the button and what keeps it from the texts: a card that is wider than its list widens the next.
const BUTTON: f32 = 64.0;

/// Shows the cards; returns the network of the one that is looked at.
pub(super) fn show(
    ui: &mut Ui,
    known: &Known,
    state: &State,
    actions: &mut Vec<Action>,
) -> Option<Network> {
    let mut looked_at = None;
    let colors = *theme::palette(ui);
    ui.horizontal(|ui| {
        ui.label(
            RichText::new(title(known.aim))
                .font(theme::heading(theme::BODY))
                .color(colors.strong),
        );
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            looked_at = mirror(ui, known, state, actions);
        });
    });
    // Where there are cards they speak for themselves.
    let message = match &known.solved {
        None => "Searching …",
        Some(solved) if solved.solutions.is_empty() => &solved.message,
        Some(_) => "",
    };
    if !message.is_empty() {
        ui.label(said(message, theme::BODY, colors.weak));
    }
    let solutions = known
        .solved
        .as_ref()
        .map(|solved| solved.solutions.as_slice())
        .unwrap_or_default();
    for (index, solution) in solutions.iter().enumerate() {
        if card(ui, index, solution, state, actions) {
            looked_at = Some(solution.network.clone());
        }
    }
    looked_at
}

fn title(aim: Aim) -> String {
    match aim {
        Aim::OutputEqualsInput => "Smallest edits".to_owned(),
        Aim::CodeAtMost(most) => format!("Edits for a code of at most {}", count(most)),
        Aim::ReceptiveFieldCovers => "Edits so that the code sees the whole input".to_owned(),
        Aim::ParametersAtMost(most) => format!("Edits for at most {} parameters", count(most)),
    }
}

/// The button that rebuilds the decoder; returns the network when it is looked at.
fn mirror(ui: &mut Ui, known: &Known, state: &State, actions: &mut Vec<Action>) -> Option<Network> {
    let mirrored = known.mirrored.as_ref();
    let solution = mirrored.and_then(|mirrored| mirrored.as_ref().ok());
    let hover = match mirrored {
        None => "The mirrored decoder is being worked out.".to_owned(),
        Some(Err(message)) => format!("There is no mirror of this encoder: {message}"),
        Some(Ok(solution)) => format!(
            "Builds the decoder anew from the encoder, layer by layer in reverse: conv becomes convt, maxpool becomes unpool. {}",
            solution.note
        ),
    };
    let response = ui
        .add_enabled(solution.is_some(), Button::new("Mirror"))
        .accessible_name("Mirror the encoder");
    let response = response
        .on_hover_text(plain(&hover))
        .on_disabled_hover_text(plain(&hover));
    let solution = solution?;
    if response.clicked() {
        actions.push(apply(state, solution));
        return None;
    }
    is_looked_at(&response).then(|| solution.network.clone())
}

fn is_looked_at(response: &Response) -> bool {
    response.hovered() || response.has_focus()
}

/// One proposal; true while it is looked at.
fn card(
    ui: &mut Ui,
    index: usize,
    solution: &Solution,
    state: &State,
    actions: &mut Vec<Action>,
) -> bool {
    let colors = *theme::palette(ui);
    let lit = state.proposal() == Some(&solution.network);
    let fill = if lit { colors.lifted } else { colors.raised };
    let line = if lit { colors.accent } else { colors.line };
    let mut focused = false;
    let frame = Frame::new()
        .fill(fill)
        .stroke(Stroke::new(1.0, line))
        .corner_radius(theme::RADIUS);
    let shown = frame
        .inner_margin(Margin {
            left: 8,
            right: 6,
            top: 5,
            bottom: 5,
        })
        .show(ui, |ui| {
            ui.set_width(ui.available_width());
            ui.horizontal_top(|ui| {
                let texts = ui.available_width() - BUTTON;
                ui.vertical(|ui| {
                    ui.set_width(texts);
                    ui.spacing_mut().item_spacing.y = 1.0;
                    ui.spacing_mut().interact_size.y = 0.0;
                    solution
                        .changes
                        .iter()
                        .take(LISTED)
                        .for_each(|change| diff(ui, change));
                    ui.label(
                        RichText::new(plain(&note(solution)))
                            .size(theme::SMALL)
                            .color(colors.weak),
                    );
                });
                let name = format!("Apply solution {}", index + 1);
                let button = ui
                    .button("Apply")
                    .accessible_name(&name)
                    .on_hover_text("One step to undo (Ctrl+Z)");
                focused = button.has_focus();
                if button.clicked() {
                    actions.push(apply(state, solution));
                }
            });
        });
    focused || ui.rect_contains_pointer(shown.response.rect)
}

/// `1 edit · no checkerboard`
fn note(solution: &Solution) -> String {
    let more = match solution.changes.len().saturating_sub(LISTED) {
        0 => String::new(),
        more => format!("and {more} more changes · "),
    };
    let edits = if solution.edits == 1 {
        "1 edit".to_owned()
    } else {
        format!("{} edits", solution.edits)
    };
    if solution.note.is_empty() {
        format!("{more}{edits}")
    } else {
        format!("{more}{edits} · {}", solution.note)
    }
}

/// The layer before and after, with its place.
fn diff(ui: &mut Ui, change: &Change) {
    let colors = *theme::palette(ui);
    let lines = [
        (&change.from, '−', colors.wrong),
        (&change.to, '+', colors.proven),
    ];
    let mut place = Some(change.place.in_words());
    for (node, sign, color) in lines {
        let Some(node) = node else { continue };
        ui.horizontal(|ui| {
            ui.spacing_mut().item_spacing.x = 6.0;
            if let Some(place) = place.take() {
                ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                    ui.label(
                        RichText::new(place)
                            .font(theme::digits(theme::TINY))
                            .color(colors.weak),
                    );
                    ui.with_layout(Layout::left_to_right(Align::Center), |ui| {
                        text(ui, sign, node, color)
                    });
                });
            } else {
                text(ui, sign, node, color);
            }
        });
    }
}

fn text(ui: &mut Ui, sign: char, node: &Node, color: Color32) {
    let text = format!("{sign} {}", node.text());
    ui.add(
        Label::new(
            RichText::new(text)
                .font(theme::digits(theme::CODE))
                .color(color),
        )
        .truncate(),
    );
}
