//! A number in a field with two arrows: typed, clicked or moved with the arrow keys.
//!
//! What a step means is the caller's: one more, the next size of a kernel, a learning rate three times as large.

use super::{Field, FieldEvent};
use crate::theme;
use eframe::egui::{
    Color32, Id, Key, Modifiers, Pos2, Rect, Response, Role, Sense, Shape, Stroke, Ui, WidgetInfo,
    pos2, vec2,
};

/// Width of the arrows.
const ARROWS: f32 = 16.0;

/// A field with arrows.
pub struct Stepper<'a> {
    /// What was typed is kept under it.
    pub id: Id,
    /// What screen readers and tests call it.
    pub name: &'a str,
    /// The text now.
    pub text: &'a str,
    /// What is shown while it is not edited.
    pub shown: &'a str,
    /// One sentence on hover.
    pub hover: &'a str,
    /// Refuses texts.
    pub check: &'a dyn Fn(&str) -> Result<(), String>,
    /// The text one step up (true) or down from this one; `None` where there is none.
    pub step: &'a dyn Fn(&str, bool) -> Option<String>,
}

impl Stepper<'_> {
    /// Shows it in this width; the text that was typed or stepped to.
    pub fn show(self, ui: &mut Ui, width: f32) -> Option<FieldEvent> {
        let keyed = self.keyed(ui);
        let shown = Field::new(self.id, self.name, self.text)
            .shown(self.shown)
            .width(width)
            .check(self.check)
            .of_project()
            .show_full(ui);
        let (response, event) = shown;
        let clicked = self.arrows(ui, response.rect);
        response.on_hover_text(self.hover);
        match keyed.or(clicked) {
            Some(up) => self.stepped(ui, up).or(event),
            None => event,
        }
    }

    /// Whether an arrow key was pressed in the field: up or down.
    fn keyed(&self, ui: &Ui) -> Option<bool> {
        if !ui.memory(|memory| memory.has_focus(self.id)) {
            return None;
        }
        let pressed = |key| ui.input_mut(|input| input.consume_key(Modifiers::NONE, key));
        match (pressed(Key::ArrowUp), pressed(Key::ArrowDown)) {
            (true, _) => Some(true),
            (false, true) => Some(false),
            (false, false) => None,
        }
    }

    /// The text of a step from what is typed, if that can be read, or else from what holds.
    fn stepped(&self, ui: &Ui, up: bool) -> Option<FieldEvent> {
        let draft = ui.data(|data| data.get_temp::<String>(self.id));
        let typed = draft.filter(|text| (self.check)(text).is_ok());
        let from = typed.unwrap_or_else(|| self.text.to_owned());
        let next = (self.step)(from.trim(), up).filter(|next| (self.check)(next).is_ok())?;
        ui.data_mut(|data| data.remove::<String>(self.id));
        Some(FieldEvent::Commit(next))
    }

    fn arrows(&self, ui: &Ui, field: Rect) -> Option<bool> {
        let room = Rect::from_min_max(pos2(field.right() - ARROWS, field.top()), field.max);
        let (upper, lower) = room.split_top_bottom_at_fraction(0.5);
        let up = arrow(
            ui,
            self.id.with("up"),
            upper,
            &format!("Increase {}", self.name),
        );
        triangle(ui, &up, vec2(0.0, 2.0), -1.0);
        let down = arrow(
            ui,
            self.id.with("down"),
            lower,
            &format!("Decrease {}", self.name),
        );
        triangle(ui, &down, vec2(0.0, -2.0), 1.0);
        match (up.clicked(), down.clicked()) {
            (true, _) => Some(true),
            (false, true) => Some(false),
            (false, false) => None,
        }
    }
}

/// The arrows are for the pointer: with the keyboard the arrow keys do the same, without two more stops of Tab.
fn arrow(ui: &Ui, id: Id, rect: Rect, name: &str) -> Response {
    let response = ui.interact(rect, id, Sense::CLICK);
    let enabled = ui.is_enabled();
    response.widget_info(|| WidgetInfo::labeled(Role::Button, enabled, name));
    response
}

fn triangle(ui: &Ui, arrow: &Response, shift: eframe::egui::Vec2, way: f32) {
    let colors = theme::palette(ui);
    let color = if arrow.hovered() {
        colors.strong
    } else {
        colors.weak
    };
    let center = arrow.rect.center() + shift;
    let points: Vec<Pos2> = [(-3.0, -1.5), (3.0, -1.5), (0.0, 2.0)]
        .map(|(x, y)| center + vec2(x, y * way))
        .to_vec();
    ui.painter().add(Shape::convex_polygon(
        points,
        color,
        Stroke::new(0.0, Color32::TRANSPARENT),
    ));
}
