//! Folding blocks, so that a deep network still fits the eye.

use crate::theme;
use crate::widgets::icon::{self, Icon};
use eframe::egui::{Id, Rect, Role, Sense, Ui, WidgetInfo, pos2, vec2};
use strata_app::action::Action;
use strata_app::state::State;
use strata_core::project::node::Node;
use strata_core::project::{Place, Stack};

/// The room that the button takes before a block's text.
pub const WIDTH: f32 = 20.0;

/// The button that folds a block, or unfolds it.
pub fn button(
    ui: &Ui,
    state: &State,
    place: &Place,
    left: f32,
    row: Rect,
    actions: &mut Vec<Action>,
) {
    let folded = state.is_folded(place);
    let rect = Rect::from_center_size(
        pos2(left + WIDTH / 2.0 - 2.0, row.center().y),
        vec2(WIDTH, row.height()),
    );
    let response = ui.interact(rect, Id::unique(("fold", place)), Sense::click());
    let name = format!("{} {place}", if folded { "Unfold" } else { "Fold" });
    response.widget_info(|| WidgetInfo::labeled(Role::Button, true, name.clone()));
    let colors = theme::palette(ui);
    let lit = response.hovered() || response.has_focus();
    let ink = if lit { colors.strong } else { colors.weak };
    icon::paint(
        ui.painter(),
        if folded { Icon::Closed } else { Icon::Open },
        rect,
        ink,
    );
    if response.clicked() {
        actions.push(Action::Fold(Some(place.clone()), !folded));
    }
}

/// Whether there is anything to fold.
pub(crate) fn any_block(state: &State) -> bool {
    Stack::ALL.iter().any(|stack| {
        state
            .network()
            .stack(*stack)
            .iter()
            .any(|node| !node.branches().is_empty())
    })
}

/// What a folded block says of itself: `add · 7 layers`.
pub fn label(node: &Node) -> String {
    let layers = count(node);
    let label = node.label();
    let word = label.split(" of ").next().unwrap_or_default();
    format!(
        "{word} · {layers} layer{}",
        if layers == 1 { "" } else { "s" }
    )
}

fn count(node: &Node) -> usize {
    let inside = node.branches().iter().flatten();
    inside
        .map(|node| {
            if node.branches().is_empty() {
                1
            } else {
                count(node)
            }
        })
        .sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn layers_are_counted_through_nests() {
        let node = Node::from_text(
            "{ add = [[\"relu\", { repeat = 2, layers = [\"bn\", \"tanh\"] }], []] }",
        );
        assert_eq!(label(&node), "add · 3 layers");
    }
}
