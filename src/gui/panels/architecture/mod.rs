//! The three stacks: every layer with its text, shape, parameters and slab, and whether the output
//! equals the input.

mod banner;
mod drag;
mod fold;
mod insert;
mod lock;
mod palette;
pub(super) mod proposal;
mod row;
mod runs;
mod search;
mod skips;
mod wrong;

use crate::theme;
use crate::widgets::slab::Scale;
use crate::widgets::{Field, FieldEvent, Icon, icon_button, steady_scroll};
use eframe::egui::{Align, Frame, Id, Layout, Margin, Rect, RichText, Ui};
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
    indented(ui, |ui| {
        runs::show(ui, state, actions);
        if state.project().shown_baselines().is_some() {
            return;
        }
        match &proposal {
            Some(_) => drop(ui.horizontal(proposal::heading)),
            None => heading(ui, state, actions),
        }
        search::show(ui, state, actions);
    });
    ui.add_space(theme::STEP);
    if let Some((name, baselines)) = state.project().shown_baselines() {
        // The network of the settings is that of the other runs.
        return indented(ui, |ui| runs::of_baselines(ui, name, baselines));
    }
    let mut stacks = Stacks {
        state,
        proposal: proposal.as_ref(),
        scale: row::scale(state),
        asked_at: None,
        actions,
    };
    steady_scroll(ui, ("architecture", state.opened), |ui| {
        indented(ui, |ui| {
            ui.spacing_mut().item_spacing.y = theme::STEP;
            for stack in Stack::ALL {
                if !state.has_place_for(stack) {
                    continue;
                }
                stacks.show(ui, stack);
                if stack == Stack::Decoder {
                    let is_proposed = proposal.is_some();
                    banner::show(ui, &state.shown.banner, is_proposed, stacks.actions);
                    ui.add_space(theme::GAP);
                }
            }
        });
    });
    let asked_at = stacks.asked_at;
    if let Some(place) = &state.asked_layer {
        palette::show(ui, place, asked_at, actions);
    }
    row::note_selected(ui, state);
}

/// Right of the room for what is drawn and pressed beside the rows.
fn indented<R>(ui: &mut Ui, content: impl FnOnce(&mut Ui) -> R) -> R {
    let margin = Margin {
        left: insert::GUTTER as i8,
        ..Margin::ZERO
    };
    Frame::new().inner_margin(margin).show(ui, content).inner
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

/// The stacks while they are shown.
struct Stacks<'a, 'b> {
    state: &'a State,
    proposal: Option<&'b Proposal>,
    /// The largest tensors.
    scale: Scale,
    /// Where the place is that a layer is asked for.
    asked_at: Option<Rect>,
    actions: &'a mut Vec<Action>,
}

impl Stacks<'_, '_> {
    fn show(&mut self, ui: &mut Ui, stack: Stack) {
        self.heading(ui, stack);
        let state = self.state;
        let nodes = state.drawn_network().stack(stack);
        for (index, node) in nodes.iter().enumerate() {
            self.node(ui, &Place::new(stack, index), node);
        }
        if state.lock_on_stack(stack).is_none() {
            let end = Place::new(stack, nodes.len());
            self.add_button(ui, &end, stack.name(), 0.0);
        }
        ui.add_space(theme::GAP);
    }

    fn heading(&mut self, ui: &mut Ui, stack: Stack) {
        let state = self.state;
        ui.horizontal(|ui| {
            ui.set_min_height(theme::ROW - 2.0);
            let colors = theme::palette(ui);
            let name = RichText::new(stack.name())
                .font(theme::heading(theme::BODY))
                .color(colors.text);
            lock::stack(ui, state, stack, name, about(stack), self.actions);
            ui.with_layout(Layout::right_to_left(Align::Center), |ui| match stack {
                Stack::Encoder => input_field(ui, state, self.actions),
                Stack::Decoder | Stack::Head => code_label(ui, state),
            });
        });
    }

    fn add_button(&mut self, ui: &mut Ui, end: &Place, name: &str, indent: f32) {
        let asked = palette::add_button(ui, self.state, end, name, indent, self.actions);
        self.asked_at = asked.or(self.asked_at);
    }

    fn node(&mut self, ui: &mut Ui, place: &Place, node: &Node) {
        let state = self.state;
        let rect = row::show(ui, state, place, node, self.scale, self.actions);
        if let Some(proposal) = self.proposal {
            proposal::mark(ui, rect, proposal.writes(place));
        }
        let asked = state.asked_layer.as_ref();
        if asked == Some(place) {
            let above = Rect::from_x_y_ranges(rect.x_range(), rect.top() - 2.0..=rect.top() - 2.0);
            self.asked_at = Some(above);
            drag::line(ui, above, above.top());
        } else if asked == Some(&drag::after(place)) {
            self.asked_at = Some(rect);
        }
        if !state.is_folded(place) {
            self.branches(ui, place, node, rect);
        }
    }

    /// The layers of a block, with the lines of the ways through it.
    fn branches(&mut self, ui: &mut Ui, place: &Place, node: &Node, rect: Rect) {
        let indent = row::indent(place) + row::INDENT;
        let many = node.branches().len() > 1;
        let free = self.state.lock_on(place).is_none();
        let mut ways = skips::Ways::new(rect);
        for (branch, nodes) in node.branches().iter().enumerate() {
            let end = place.child(&[branch, nodes.len()]);
            let name = format!("{place} branch {}", branch + 1);
            if many {
                let at = ui.horizontal(|ui| {
                    ui.spacing_mut().item_spacing.x = 0.0;
                    branch_label(ui, branch, nodes.is_empty(), indent);
                    if free {
                        self.add_button(ui, &end, &name, 0.0);
                    }
                });
                ways.branch(at.response.rect, nodes.is_empty());
            }
            for (index, child) in nodes.iter().enumerate() {
                self.node(ui, &place.child(&[branch, index]), child);
            }
            if !many && free {
                self.add_button(ui, &end, &name, indent);
            }
        }
        if many {
            ways.paint(ui, node);
        }
    }
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

fn branch_label(ui: &mut Ui, branch: usize, identity: bool, indent: f32) {
    ui.add_space(indent + 6.0);
    let text = if identity {
        format!("branch {}: identity", branch + 1)
    } else {
        format!("branch {}", branch + 1)
    };
    let color = theme::palette(ui).weak;
    ui.label(RichText::new(text).size(theme::SMALL).color(color));
}
