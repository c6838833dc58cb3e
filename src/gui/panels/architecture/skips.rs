//! The ways through a block as lines beside its rows: where they part, which one skips the layers, where they meet.

use super::row::INDENT;
use crate::theme;
use eframe::egui::{Pos2, Rect, Shape, Stroke, Ui, pos2, vec2};
use strata_core::project::layer::Family;
use strata_core::project::node::Node;

/// Radius of the sign where the ways meet.
const MEETING: f32 = 5.0;
/// Height that the sign takes.
const ROOM: f32 = 12.0;

/// The ways of one block, while its rows are shown.
pub struct Ways {
    block: Rect,
    /// Where each begins, and whether it has no layers.
    branches: Vec<(f32, bool)>,
}

impl Ways {
    /// The ways of the block in this row.
    pub fn new(block: Rect) -> Ways {
        Ways {
            block,
            branches: Vec::new(),
        }
    }

    /// Another way, whose name is here; an empty one skips the layers.
    pub fn branch(&mut self, label: Rect, is_empty: bool) {
        self.branches.push((label.center().y, is_empty));
    }

    /// Paints the lines, and takes the room of the sign in which they end.
    pub fn paint(&self, ui: &mut Ui, node: &Node) {
        ui.add_space(ROOM - theme::STEP);
        let end = ui.cursor().top() - theme::STEP - MEETING;
        let color = theme::family(ui, Family::Block);
        let thin = Stroke::new(1.0, theme::faded(color, 0.55));
        let strong = Stroke::new(2.0, color);
        let x = self.block.left() + INDENT / 2.0;
        let painter = ui.painter();
        let skips = self.branches.iter().any(|(_, is_empty)| *is_empty);
        let trunk = if skips { strong } else { thin };
        painter.vline(x, self.block.bottom()..=end - MEETING, trunk);
        for &(y, is_empty) in &self.branches {
            let stroke = if is_empty { strong } else { thin };
            painter.hline(x..=x + INDENT / 2.0, y, stroke);
            if !is_empty {
                arrow(ui, pos2(x + INDENT / 2.0 + 1.0, y), thin);
            }
        }
        meeting(ui, pos2(x, end), node, strong);
    }
}

fn arrow(ui: &Ui, tip: Pos2, stroke: Stroke) {
    let points = [vec2(-3.0, -2.5), vec2(0.0, 0.0), vec2(-3.0, 2.5)];
    let points = points.map(|by| tip + by).to_vec();
    ui.painter().add(Shape::line(points, stroke));
}

/// A plus where values are added, two bars where channels are joined.
fn meeting(ui: &Ui, center: Pos2, node: &Node, stroke: Stroke) {
    let painter = ui.painter();
    let back = theme::palette(ui).panel;
    painter.circle(center, MEETING, back, Stroke::new(1.5, stroke.color));
    let reach = MEETING - 2.0;
    let mark = Stroke::new(1.2, stroke.color);
    if matches!(node, Node::Add(_)) {
        painter.hline(center.x - reach..=center.x + reach, center.y, mark);
        painter.vline(center.x, center.y - reach..=center.y + reach, mark);
    } else {
        for x in [-1.5, 1.5] {
            painter.vline(
                center.x + x,
                center.y - reach + 0.5..=center.y + reach - 0.5,
                mark,
            );
        }
    }
}
