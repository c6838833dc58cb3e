//! A view of the centre: a header with its title, one line of what it shows and its switches, and
//! the view below it.

use crate::gui::action::Action;
use crate::gui::state::State;
use crate::gui::theme;
use eframe::egui::{Align, Layout, Rect, RichText, Sense, Stroke, StrokeKind, Ui, UiBuilder, pos2};

/// One view of the centre.
pub trait View {
    /// Its title.
    fn title(&self) -> &'static str;
    /// A sentence on hover.
    fn about(&self) -> &'static str;
    /// One line of what it shows now.
    fn status(&self, state: &State) -> String;
    /// Its switches, from the right.
    fn tools(&mut self, ui: &mut Ui, state: &State, actions: &mut Vec<Action>);
    /// The view itself.
    fn body(&mut self, ui: &mut Ui, state: &State, actions: &mut Vec<Action>);
}

const HEADER: f32 = 32.0;

/// Shows a view in a rectangle.
pub fn show(ui: &mut Ui, rect: Rect, view: &mut dyn View, state: &State, actions: &mut Vec<Action>) {
    let colors = theme::palette(ui);
    let line = Stroke::new(1.0, colors.line);
    ui.painter().rect(rect, theme::RADIUS, colors.panel, line, StrokeKind::Inside);
    let (header, body) = rect.split_top_bottom_at_y(rect.top() + HEADER);
    ui.painter().hline(header.x_range(), header.bottom(), line);
    let mut inner = ui.new_child(
        UiBuilder::new()
            .id_salt(view.title())
            .max_rect(header.shrink2(eframe::egui::vec2(12.0, 0.0)))
            .layout(Layout::right_to_left(Align::Center)),
    );
    self::header(&mut inner, view, state, actions);
    let body = Rect::from_min_max(pos2(body.left() + 12.0, body.top() + 8.0), body.max - eframe::egui::vec2(12.0, 8.0));
    let mut inner = ui.new_child(UiBuilder::new().id_salt((view.title(), "body")).max_rect(body));
    inner.shrink_clip_rect(rect);
    view.body(&mut inner, state, actions);
}

fn header(ui: &mut Ui, view: &mut dyn View, state: &State, actions: &mut Vec<Action>) {
    view.tools(ui, state, actions);
    ui.with_layout(Layout::left_to_right(Align::Center), |ui| {
        let colors = theme::palette(ui);
        let title = RichText::new(view.title()).font(theme::heading(theme::BODY)).color(colors.strong);
        ui.add(eframe::egui::Label::new(title).sense(Sense::hover())).on_hover_text(view.about());
        let status = RichText::new(view.status(state)).size(theme::SMALL).color(colors.weak);
        ui.add(eframe::egui::Label::new(status).truncate());
    });
}
