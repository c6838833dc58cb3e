//! What a view shows while it has nothing to show: what will be here, and what to do for it.

use super::{covered, plain, said};
use crate::theme;
use eframe::egui::text::LayoutJob;
use eframe::egui::{Align, Layout, RichText, Ui};

/// Fills what is left with a heading and one sentence in its middle.
pub fn empty(ui: &mut Ui, heading: &str, what_to_do: &str) {
    let colors = theme::palette(ui);
    let height = covered::free_height(ui, HEADING);
    let space = (height - TEXT).max(0.0) / 2.0;
    let bottom = ui.cursor().top() + height;
    ui.with_layout(Layout::top_down(Align::Center), |ui| {
        ui.add_space(space);
        let heading = RichText::new(heading).font(theme::heading(theme::BODY));
        let heading = ui.label(heading.color(colors.text));
        let mut job = said(what_to_do, theme::BODY, colors.weak);
        job.halign = Align::Center;
        job.wrap.max_width = balanced(ui, &job);
        let lines = ui.fonts_mut(|fonts| fonts.layout_job(job));
        // What would be cut is read where the pointer rests.
        match ui.cursor().top() + lines.size().y <= bottom {
            true => drop(ui.label(lines)),
            false => drop(heading.on_hover_text(plain(what_to_do))),
        }
    });
}

/// Height of a heading, and of one with a line below it.
const HEADING: f32 = 18.0;
const TEXT: f32 = 44.0;
/// The widest line of such a sentence.
const LINE: f32 = 440.0;
/// Lines cannot be broken anywhere: so much wider than their mean they may be.
const SLACK: f32 = 1.12;

/// The width in which a sentence has as few lines as it needs, and none with a single word.
fn balanced(ui: &Ui, job: &LayoutJob) -> f32 {
    let widest = ui.available_width().min(LINE);
    let mut whole = job.clone();
    whole.wrap.max_width = f32::INFINITY;
    let whole = ui.fonts_mut(|fonts| fonts.layout_job(whole)).size().x;
    let lines = (whole / widest).ceil().max(1.0);
    (SLACK * whole / lines).min(widest)
}
