//! What is shown instead of the views while a project has no layers: what is to be built.

use crate::theme;
use crate::widgets::elided;
use eframe::egui::{
    FontId, Response, RichText, Role, Sense, Stroke, StrokeKind, Ui, WidgetInfo, pos2, vec2,
};
use strata_app::action::Action;
use strata_app::begin::Beginning;
use strata_app::state::PathPurpose;

/// Width and height of a choice.
const CHOICE: [f32; 2] = [440.0, 56.0];

/// Shows the choices in the middle of the room there is.
pub(crate) fn show(ui: &mut Ui, actions: &mut Vec<Action>) {
    let colors = *theme::palette(ui);
    let space = 0.5 * (ui.available_height() - 4.0 * CHOICE[1] - 24.0).max(0.0);
    ui.vertical_centered(|ui| {
        ui.add_space(space);
        let heading = RichText::new("What do you want to build?");
        ui.label(
            heading
                .font(theme::heading(theme::TITLE))
                .color(colors.strong),
        );
        ui.add_space(theme::GAP);
        ui.spacing_mut().item_spacing.y = theme::GAP;
        for (name, about, action) in [
            (
                "A classifier",
                "names the class of an image: layers, then one number for each class",
                Action::Begin(Beginning::Classifier),
            ),
            (
                "An autoencoder",
                "draws its input again from less: an encoder and a decoder",
                Action::Begin(Beginning::Autoencoder),
            ),
            (
                "From my images …",
                "choose their folder, or drop it onto the window",
                Action::AskPath(PathPurpose::Images),
            ),
        ] {
            if choice(ui, name, about).clicked() {
                actions.push(action);
            }
        }
        let rest = RichText::new("Or add a layer on the left.");
        ui.label(rest.size(theme::SMALL).color(colors.weak));
    });
}

/// A large button: what it is, and below that what it does.
fn choice(ui: &mut Ui, name: &str, about: &str) -> Response {
    let size = vec2(CHOICE[0].min(ui.available_width()), CHOICE[1]);
    let (rect, response) = ui.allocate_exact_size(size, Sense::click());
    let label = format!("Build: {name}");
    response.widget_info(|| WidgetInfo::labeled(Role::Button, true, label.clone()));
    let colors = *theme::palette(ui);
    let lit = response.hovered() || response.has_focus();
    let (fill, line) = match lit {
        true => (colors.lifted, colors.accent),
        false => (colors.raised, colors.line),
    };
    let line = Stroke::new(1.0, line);
    ui.painter()
        .rect(rect, theme::RADIUS, fill, line, StrokeKind::Inside);
    let left = rect.left() + 2.0 * theme::GAP;
    let room = rect.right() - theme::GAP - left;
    let font = theme::heading(theme::BODY);
    let above = elided(ui, name, font, colors.strong, room);
    let font = FontId::proportional(theme::SMALL);
    let below = elided(ui, about, font, colors.text, room);
    let top = rect.center().y - 0.5 * (above.size().y + below.size().y + 2.0);
    let under = top + above.size().y + 2.0;
    ui.painter().galley(pos2(left, top), above, colors.strong);
    ui.painter().galley(pos2(left, under), below, colors.text);
    response
}
