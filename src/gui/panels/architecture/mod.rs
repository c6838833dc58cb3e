//! The three stacks: every layer with its text, shape, parameters and slab, and whether the output
//! equals the input.

mod banner;
mod drag;
mod fold;
mod lock;
mod palette;
pub(super) mod proposal;
mod row;

use crate::theme;
use crate::widgets::{Field, FieldEvent, Icon, icon_button, steady_scroll};
use eframe::egui::{Align, Id, Layout, RichText, Ui};
use proposal::Proposal;
use strata_app::action::{Action, OnSelected};
use strata_app::state::State;
use strata_core::project::edit::Edit;
use strata_core::project::node::Node;
use strata_core::project::size::Shape;
use strata_core::project::{Place, Stack};

/// Shows the panel.
pub fn show(ui: &mut Ui, state: &State, actions: &mut Vec<Action>) {
    let proposal = Proposal::of(state);
    match &proposal {
        Some(_) => drop(ui.horizontal(proposal::heading)),
        None => heading(ui, state, actions),
    }
    ui.add_space(theme::STEP);
    steady_scroll(ui, ("architecture", state.opened), |ui| {
        ui.spacing_mut().item_spacing.y = theme::STEP;
        for stack in Stack::ALL {
            show_stack(ui, state, proposal.as_ref(), stack, actions);
            if stack == Stack::Decoder {
                let is_proposed = proposal.is_some();
                banner::show(ui, &state.shown.banner, is_proposed, actions);
                ui.add_space(theme::GAP);
            }
        }
    });
    row::note_selected(ui, state);
}

fn heading(ui: &mut Ui, state: &State, actions: &mut Vec<Action>) {
    ui.horizontal(|ui| {
        let colors = theme::palette(ui);
        ui.label(
            RichText::new("Architecture")
                .font(theme::heading(theme::BODY))
                .color(colors.strong),
        );
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            ui.spacing_mut().item_spacing.x = 0.0;
            for (icon, name, hover, change) in TOOLS {
                let locked = state
                    .selected
                    .as_ref()
                    .is_some_and(|place| state.lock_on(place).is_some());
                let enabled =
                    state.selected.is_some() && (change == OnSelected::Duplicate || !locked);
                if icon_button(ui, icon, name, hover, enabled).clicked() {
                    actions.push(Action::Selected(change));
                }
            }
            if fold::any_block(state) {
                fold_all(ui, state, actions);
            }
        });
    });
}

fn fold_all(ui: &mut Ui, state: &State, actions: &mut Vec<Action>) {
    let mut blocks = state.shown.inference.rows.iter().filter(|row| row.is_block);
    let folded = blocks.all(|row| state.is_folded(&row.place));
    let (icon, name) = if folded {
        (Icon::Closed, "Unfold all blocks")
    } else {
        (Icon::Open, "Fold all blocks")
    };
    if icon_button(ui, icon, name, name, true).clicked() {
        actions.push(Action::Fold(None, !folded));
    }
}

/// From right to left.
const TOOLS: [(Icon, &str, &str, OnSelected); 4] = [
    (
        Icon::Delete,
        "Delete layer",
        "Delete the selected layer (Delete)",
        OnSelected::Delete,
    ),
    (
        Icon::Duplicate,
        "Duplicate layer",
        "Put a copy after the selected layer (Ctrl+D)",
        OnSelected::Duplicate,
    ),
    (
        Icon::Down,
        "Move layer down",
        "Move the selected layer down (Alt+↓)",
        OnSelected::Down,
    ),
    (
        Icon::Up,
        "Move layer up",
        "Move the selected layer up (Alt+↑)",
        OnSelected::Up,
    ),
];

fn show_stack(
    ui: &mut Ui,
    state: &State,
    proposal: Option<&Proposal>,
    stack: Stack,
    actions: &mut Vec<Action>,
) {
    ui.horizontal(|ui| {
        ui.set_min_height(theme::ROW - 2.0);
        let colors = theme::palette(ui);
        let name = RichText::new(stack.name())
            .font(theme::heading(theme::BODY))
            .color(colors.text);
        lock::stack(ui, state, stack, name, about(stack), actions);
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| match stack {
            Stack::Encoder => input_field(ui, state, actions),
            Stack::Decoder | Stack::Head => code_label(ui, state),
        });
    });
    let nodes = state.drawn_network().stack(stack);
    let scale = row::scale(state);
    for (index, node) in nodes.iter().enumerate() {
        let place = Place::new(stack, index);
        show_node(ui, state, proposal, &place, (node, scale), actions);
    }
    if state.lock_on_stack(stack).is_none() {
        palette::add_button(
            ui,
            &Place::new(stack, nodes.len()),
            stack.name(),
            0.0,
            actions,
        );
    }
    ui.add_space(theme::GAP);
}

fn about(stack: Stack) -> &'static str {
    match stack {
        Stack::Encoder => {
            "Encoder: from the input to the code, the network's inner picture of an image."
        }
        Stack::Decoder => "Decoder: from the code back to an image, trained to equal the input.",
        Stack::Head => "Head: from the code to the answer, one score for each class.",
    }
}

fn code_label(ui: &mut Ui, state: &State) {
    let code = state
        .shown
        .inference
        .code
        .as_ref()
        .map_or_else(|| "?".to_owned(), Shape::to_string);
    let text = RichText::new(format!("code {code}"))
        .font(theme::digits(12.0))
        .color(theme::palette(ui).weak);
    ui.label(text)
        .on_hover_text("The encoder's output: what this stack starts from.");
}

fn input_field(ui: &mut Ui, state: &State, actions: &mut Vec<Action>) {
    let text = state.network().input.to_file_text();
    let shown = state.network().input.to_string();
    let check = |text: &str| text.parse::<Shape>().map(|_| ()).map_err(|error| error.0);
    ui.allocate_ui_with_layout(
        eframe::egui::vec2(220.0, 24.0),
        Layout::right_to_left(Align::Center),
        |ui| {
            let id = Id::unique(("input shape", state.generation));
            let field = Field::new(id, "Input shape", &text)
                .shown(&shown)
                .width(96.0)
                .check(&check)
                .of_project();
            if let Some(FieldEvent::Commit(text)) = field.show(ui)
                && let Ok(shape) = text.parse()
            {
                actions.push(Action::Edit(Edit::Input(shape)));
            }
            ui.label(
                RichText::new("input")
                    .font(theme::digits(12.0))
                    .color(theme::palette(ui).weak),
            )
            .on_hover_text(
                "Shape of one input: channels × height × width. RGB images have 3 channels.",
            );
        },
    );
}

fn show_node(
    ui: &mut Ui,
    state: &State,
    proposal: Option<&Proposal>,
    place: &Place,
    (node, scale): (&Node, usize),
    actions: &mut Vec<Action>,
) {
    let rect = row::show(ui, state, place, node, scale, actions);
    if let Some(proposal) = proposal {
        proposal::mark(ui, rect, proposal.writes(place));
    }
    if state.is_folded(place) {
        return;
    }
    let indent = row::indent(place) + row::INDENT;
    let many = node.branches().len() > 1;
    for (branch, nodes) in node.branches().iter().enumerate() {
        if many {
            branch_label(ui, branch, nodes.is_empty(), indent);
        }
        for (index, child) in nodes.iter().enumerate() {
            let place = place.child(&[branch, index]);
            show_node(ui, state, proposal, &place, (child, scale), actions);
        }
        if state.lock_on(place).is_some() {
            continue;
        }
        let end = place.child(&[branch, nodes.len()]);
        let name = format!("{place} branch {}", branch + 1);
        palette::add_button(ui, &end, &name, indent, actions);
    }
}

fn branch_label(ui: &mut Ui, branch: usize, identity: bool, indent: f32) {
    ui.horizontal(|ui| {
        ui.add_space(indent);
        let text = if identity {
            format!("branch {}: identity", branch + 1)
        } else {
            format!("branch {}", branch + 1)
        };
        ui.label(
            RichText::new(text)
                .size(theme::SMALL)
                .color(theme::palette(ui).weak),
        );
    });
}
