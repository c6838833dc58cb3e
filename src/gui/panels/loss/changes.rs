//! Marks of the settings that were changed while the run trained.

use super::Drawn;
use crate::theme::{self, Palette};
use eframe::egui::{Align2, FontId, RichText};
use egui_plot::{LineStyle, PlotPoint, PlotUi, Text, VLine};

impl<'a> Drawn<'a> {
    /// Where a setting was changed, with what it was changed to where that has room.
    pub(super) fn changes(&self, plot: &mut PlotUi<'a>, colors: &Palette) {
        let curves = self.curves;
        let place = |step: u64| self.axes.place(curves, [step as f64, 1.0])[0];
        let taken = curves.steps();
        let mut shown = curves
            .changes
            .iter()
            .filter(|change| change.step <= taken && self.has(change.step as f64))
            .peekable();
        let end = plot.plot_bounds().max()[0];
        while let Some(change) = shown.next() {
            let x = place(change.step);
            let line = VLine::new("changed setting", x)
                .color(colors.second)
                .width(1.0)
                .allow_hover(false);
            plot.vline(line.style(LineStyle::dotted_dense()));
            let until = shown.peek().map_or(end, |next| place(next.step).max(x));
            let at = |x: f64| plot.screen_from_plot(PlotPoint::new(x, 0.0)).x;
            let room = at(until) - at(x);
            let letters = FontId::proportional(theme::SMALL);
            let width = |text: &str| {
                let text = text.to_owned();
                let galley = plot
                    .ctx()
                    .fonts_mut(|fonts| fonts.layout_no_wrap(text, letters.clone(), colors.second));
                galley.size().x
            };
            let text = format!(" {}", change.text());
            if width(&text) > room {
                continue;
            }
            let text = RichText::new(text).size(theme::SMALL).color(colors.second);
            let below = PlotPoint::new(x, plot.plot_bounds().min()[1]);
            plot.text(
                Text::new("changed setting", below, text)
                    .anchor(Align2::LEFT_BOTTOM)
                    .allow_hover(false),
            );
        }
    }
}
