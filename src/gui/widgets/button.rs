//! Buttons: an icon, the one main action, and a quiet text.

use super::icon::{self, Icon};
use crate::theme;
use eframe::egui::{
    Align2, FontId, Rect, Response, Role, Sense, Stroke, StrokeKind, Ui, Widget, WidgetInfo, vec2,
};

/// A square button with an icon; `name` is what screen readers and tests call it, `hover` explains it.
pub fn icon_button(ui: &mut Ui, icon: Icon, name: &str, hover: &str, enabled: bool) -> Response {
    ui.add_enabled(enabled, IconButton { icon, name })
        .on_hover_text(hover)
        .on_disabled_hover_text(hover)
}

struct IconButton<'a> {
    icon: Icon,
    name: &'a str,
}

impl Widget for IconButton<'_> {
    fn ui(self, ui: &mut Ui) -> Response {
        let (rect, response) = ui.allocate_exact_size(vec2(24.0, 24.0), Sense::click());
        let enabled = ui.is_enabled();
        response.widget_info(|| WidgetInfo::labeled(Role::Button, enabled, self.name));
        let colors = theme::palette(ui);
        let lit = enabled && (response.hovered() || response.has_focus());
        if lit {
            ui.painter().rect_filled(rect, theme::RADIUS, colors.lifted);
        }
        if response.has_focus() {
            focus_ring(ui, rect);
        }
        icon::paint(
            ui.painter(),
            self.icon,
            rect,
            if lit { colors.strong } else { colors.text },
        );
        response
    }
}

/// The frame of what has the keys.
pub fn focus_ring(ui: &Ui, rect: Rect) {
    let stroke = Stroke::new(1.0, theme::palette(ui).accent);
    ui.painter()
        .rect_stroke(rect, theme::RADIUS, stroke, StrokeKind::Inside);
}

/// The main action: filled with the accent colour, with an icon before the text.
pub fn primary_button(ui: &mut Ui, icon: Icon, text: &str, enabled: bool, width: f32) -> Response {
    labelled(ui, icon, text, enabled, width, true)
}

/// A secondary action, with an icon before the text.
pub fn quiet_button(ui: &mut Ui, icon: Icon, text: &str, enabled: bool, width: f32) -> Response {
    labelled(ui, icon, text, enabled, width, false)
}

fn labelled(
    ui: &mut Ui,
    icon: Icon,
    text: &str,
    enabled: bool,
    width: f32,
    primary: bool,
) -> Response {
    ui.add_enabled(
        enabled,
        Labelled {
            icon,
            text,
            width,
            primary,
        },
    )
}

struct Labelled<'a> {
    icon: Icon,
    text: &'a str,
    width: f32,
    primary: bool,
}

impl Widget for Labelled<'_> {
    fn ui(self, ui: &mut Ui) -> Response {
        let (rect, response) = ui.allocate_exact_size(vec2(self.width, theme::ROW), Sense::click());
        let enabled = ui.is_enabled();
        response.widget_info(|| WidgetInfo::labeled(Role::Button, enabled, self.text));
        let colors = theme::palette(ui);
        let hovered = enabled && response.hovered();
        let (fill, ink) = match (self.primary && enabled, hovered) {
            (true, false) => (colors.accent, colors.on_accent),
            (true, true) => (theme::faded(colors.accent, 0.9), colors.on_accent),
            (false, true) => (colors.lifted, colors.strong),
            (false, false) => (colors.raised, colors.text),
        };
        let line = if self.primary && enabled {
            fill
        } else {
            colors.line
        };
        ui.painter().rect(
            rect,
            theme::RADIUS,
            fill,
            Stroke::new(1.0, line),
            StrokeKind::Inside,
        );
        if response.has_focus() {
            focus_ring(ui, rect.expand(1.0));
        }
        self.paint_label(ui, rect, ink);
        response
    }
}

impl Labelled<'_> {
    fn paint_label(&self, ui: &Ui, rect: Rect, ink: eframe::egui::Color32) {
        let font = if self.primary {
            theme::heading(theme::BODY)
        } else {
            FontId::proportional(theme::BODY)
        };
        let galley = ui
            .painter()
            .layout_no_wrap(self.text.to_owned(), font.clone(), ink);
        let left = rect.center().x - (icon::SIZE + 6.0 + galley.size().x) / 2.0;
        icon::paint(ui.painter(), self.icon, icon::beside(rect, left), ink);
        let at = eframe::egui::pos2(left + icon::SIZE + 6.0, rect.center().y);
        ui.painter()
            .text(at, Align2::LEFT_CENTER, self.text, font, ink);
    }
}
