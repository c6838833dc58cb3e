//! The banner: does the output equal the input?

use crate::gui::theme;
use crate::gui::widgets::icon::{self, Icon};
use crate::shape::{Banner, Level};
use eframe::egui::{Frame, Margin, RichText, Sense, Stroke, Ui, vec2};

/// Shows the banner; nothing where there is nothing to compare.
pub fn show(ui: &mut Ui, banner: &Banner) {
    let colors = theme::palette(ui);
    let (fill, ink, sign) = match banner.level {
        Level::Proven => (colors.proven_back, colors.proven, Some(Icon::Check)),
        Level::Wrong => (colors.wrong_back, colors.wrong, Some(Icon::Warning)),
        Level::Unknown => (colors.raised, colors.weak, None),
        Level::NotApplicable => return,
    };
    let frame = Frame::new().fill(fill).corner_radius(theme::RADIUS).inner_margin(Margin::symmetric(10, 8));
    frame.stroke(Stroke::new(1.0, theme::faded(ink, 0.5))).show(ui, |ui| {
        ui.set_min_width(ui.available_width());
        ui.horizontal_wrapped(|ui| {
            if let Some(sign) = sign {
                let (rect, _) = ui.allocate_exact_size(vec2(icon::SIZE, icon::SIZE), Sense::hover());
                icon::paint(ui.painter(), sign, rect, ink);
            }
            ui.label(RichText::new(banner.text.trim_end_matches([' ', '✓'])).color(if sign.is_some() {
                colors.strong
            } else {
                colors.weak
            }))
            .on_hover_text("An autoencoder can only be trained when its output has the input's shape.");
        });
    });
}
