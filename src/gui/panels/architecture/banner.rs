//! The banner: does the output equal the input? A click opens the view that says why not and what would help.

use crate::theme;
use crate::widgets::icon::{self, Icon};
use crate::widgets::plain;
use eframe::egui::{
    Frame, Label, Margin, Response, RichText, Role, Sense, Stroke, StrokeKind, Ui, Vec2,
    WidgetInfo, vec2,
};
use strata_app::action::{Action, OnView};
use strata_app::view_kind::ViewKind;
use strata_design::{Banner, Level};

/// Room for the sign that there is more to see.
const MORE: f32 = 18.0;

/// Shows the banner, of a proposal perhaps; nothing where there is nothing to compare.
pub fn show(ui: &mut Ui, banner: &Banner, is_proposed: bool, actions: &mut Vec<Action>) {
    let colors = theme::palette(ui);
    let (fill, ink, sign) = match banner.level {
        Level::Proven => (colors.proven_back, colors.proven, Some(Icon::Check)),
        Level::Wrong => (colors.wrong_back, colors.wrong, Some(Icon::Warning)),
        Level::Unknown => (colors.raised, colors.weak, None),
        Level::NotApplicable => return,
    };
    let frame = Frame::new()
        .fill(fill)
        .corner_radius(theme::RADIUS)
        .inner_margin(Margin::symmetric(10, 8));
    let shown = frame
        .stroke(Stroke::new(1.0, theme::faded(ink, 0.5)))
        .show(ui, |ui| {
            ui.set_min_width(ui.available_width());
            ui.spacing_mut().item_spacing = Vec2::new(theme::GAP, 2.0);
            ui.horizontal_top(|ui| {
                ui.set_max_width(ui.available_width() - MORE);
                if let Some(sign) = sign {
                    let (rect, _) =
                        ui.allocate_exact_size(vec2(icon::SIZE, icon::SIZE), Sense::hover());
                    icon::paint(ui.painter(), sign, rect, ink);
                }
                let color = if sign.is_some() {
                    colors.strong
                } else {
                    colors.weak
                };
                let text = banner.text.trim_end_matches([' ', '✓']);
                let of = if is_proposed { "as proposed: " } else { "" };
                let text = RichText::new(plain(&format!("{of}{text}"))).color(color);
                ui.add(Label::new(text).wrap());
            });
            if banner.level == Level::Wrong {
                ui.horizontal(|ui| {
                    ui.add_space(icon::SIZE + theme::GAP);
                    ui.label(
                        RichText::new("Why? Fix it")
                            .font(theme::heading(theme::BODY))
                            .underline()
                            .color(ink),
                    );
                });
            }
        });
    if opener(ui, shown.response, banner.level).clicked() {
        actions.push(Action::View(OnView::Open(ViewKind::Solve, None)));
    }
}

/// The whole banner as a button.
fn opener(ui: &Ui, frame: Response, level: Level) -> Response {
    let name = if level == Level::Wrong {
        "Explain and fix"
    } else {
        "Open Output = input"
    };
    let response = ui.interact(frame.rect, frame.id.with("open"), Sense::click());
    response.widget_info(|| WidgetInfo::labeled(Role::Button, true, name));
    let colors = theme::palette(ui);
    let lit = response.hovered() || response.has_focus();
    let more = frame.rect.right_top() + vec2(-MORE, frame.rect.height().min(34.0) / 2.0);
    let sign = eframe::egui::Rect::from_center_size(more, vec2(icon::SIZE, icon::SIZE));
    icon::paint(
        ui.painter(),
        Icon::Closed,
        sign,
        if lit { colors.strong } else { colors.weak },
    );
    if lit {
        let stroke = Stroke::new(
            1.0,
            if response.has_focus() {
                colors.accent
            } else {
                colors.weak
            },
        );
        ui.painter()
            .rect_stroke(frame.rect, theme::RADIUS, stroke, StrokeKind::Inside);
    }
    response.on_hover_text(
        "An autoencoder can only be trained when its output has the input's shape. Opens the view that explains it.",
    )
}
