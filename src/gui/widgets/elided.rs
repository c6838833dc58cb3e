//! Text on one line or a few, as much of it as there is room for.

use eframe::egui::text::{LayoutJob, TextWrapping};
use eframe::egui::{Color32, FontId, Galley, Ui};
use std::sync::Arc;

/// A text on one line, with an ellipsis where it is wider than `width` points.
pub fn elided(ui: &Ui, text: &str, font: FontId, color: Color32, width: f32) -> Arc<Galley> {
    let mut job = LayoutJob::simple_singleline(text.to_owned(), font, color);
    job.wrap = TextWrapping::truncate_at_width(width);
    ui.fonts_mut(|fonts| fonts.layout_job(job))
}

/// A name without as much of its beginning as has no room: runs of one project differ at the end of their names.
pub fn ending(ui: &Ui, name: &str, font: FontId, width: f32) -> String {
    let written = ui
        .painter()
        .layout_no_wrap(name.to_owned(), font, Color32::PLACEHOLDER);
    let wide = written.size().x;
    if wide <= width {
        return name.to_owned();
    }
    let letters = name.chars().count();
    let kept = (letters as f32 * width / wide).floor() as usize;
    let rest = name.chars().skip(letters + 2 - kept.min(letters));
    ['…'].into_iter().chain(rest).collect()
}

/// The first of these texts that is no wider than `width` points; the last, with an ellipsis, where none is.
pub fn first_fitting(
    ui: &Ui,
    texts: &[&str],
    font: FontId,
    color: Color32,
    width: f32,
) -> Arc<Galley> {
    let laid_out = |text: &&str| elided(ui, text, font.clone(), color, width);
    let fitting = texts.iter().map(laid_out).find(|galley| !galley.elided);
    fitting.unwrap_or_else(|| elided(ui, texts.last().unwrap_or(&""), font, color, width))
}

/// A text on so many lines at most, with an ellipsis where they have no room for all of it.
pub fn in_lines(
    ui: &Ui,
    text: &str,
    font: FontId,
    color: Color32,
    (width, lines): (f32, usize),
) -> Arc<Galley> {
    let mut job = LayoutJob::simple(text.to_owned(), font, color, width);
    job.wrap.max_rows = lines;
    ui.fonts_mut(|fonts| fonts.layout_job(job))
}
