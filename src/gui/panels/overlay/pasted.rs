//! A pasted network of which not all was understood: its lines with their numbers, those that were left out marked, each
//! with its reason; a list of them leads to each.

use super::about::heading;
use crate::theme;
use crate::widgets::plain;
use eframe::egui::text::{LayoutJob, TextFormat};
use eframe::egui::{
    Align, Button, FontId, Frame, Id, Label, Margin, RichText, ScrollArea, Stroke, Ui, vec2,
};
use strata_app::pasted_text::PastedText;
use strata_app::state::State;
use strata_core::format::count;
use strata_core::shape::foreign::pasted::Unread;

/// Heights of the list and of the text, where the window has room for them.
const LIST: f32 = 150.0;
const TEXT: f32 = 340.0;
/// Height of what is above and below both.
const REST: f32 = 200.0;

/// Shows it.
pub(super) fn show(ui: &mut Ui, state: &State) {
    heading(ui, "Pasted lines");
    let Some(pasted) = &state.pasted else { return };
    let left_out = match pasted.unread.len() {
        1 => "1 line was left out. Add by hand what it stands for.".to_owned(),
        lines => format!(
            "{} lines were left out. Add by hand what they stand for.",
            count(lines as u64)
        ),
    };
    let said = match pasted.layers {
        1 => format!("1 layer was understood, {left_out}"),
        layers => format!(
            "{} layers were understood, {left_out}",
            count(layers as u64)
        ),
    };
    let weak = theme::palette(ui).weak;
    ui.add(Label::new(RichText::new(said).color(weak)).wrap());
    ui.add_space(theme::STEP);
    let room = (ui.ctx().content_rect().height() - REST).max(120.0);
    let target = Id::unique("line of the pasted text");
    let chosen = list(ui, pasted, LIST.min(0.3 * room));
    if let Some(line) = chosen {
        ui.data_mut(|data| data.insert_temp(target, line));
    }
    ui.separator();
    let wanted: Option<usize> = ui.data_mut(|data| data.remove_temp(target));
    ScrollArea::both()
        .id_salt("pasted text")
        .max_height(TEXT.min(0.7 * room))
        .auto_shrink([false, true])
        .show(ui, |ui| {
            ui.spacing_mut().item_spacing.y = 0.0;
            for (index, line) in pasted.text.lines().enumerate() {
                text_line(ui, pasted, index + 1, line, wanted == Some(index + 1));
            }
        });
}

/// What was left out; the line that was clicked.
fn list(ui: &mut Ui, pasted: &PastedText, height: f32) -> Option<usize> {
    let mut chosen = None;
    ScrollArea::vertical()
        .id_salt("lines that were left out")
        .max_height(height)
        .auto_shrink([false, true])
        .show(ui, |ui| {
            ui.spacing_mut().item_spacing.y = 0.0;
            for unread in &pasted.unread {
                let said = said(unread);
                let text = RichText::new(&said).size(theme::SMALL);
                let button = Button::selectable(false, text).truncate();
                let button = ui.add(button.min_size(vec2(ui.available_width(), 20.0)));
                let name = format!("Go to {said}");
                if button.on_hover_text(&said).accessible_name(name).clicked() {
                    chosen = Some(unread.line);
                }
            }
        });
    chosen
}

fn said(unread: &Unread) -> String {
    format!("line {}: {}", unread.line, plain(&unread.reason))
}

/// A line with its number; one that was left out is marked, and its reason stands below.
fn text_line(ui: &mut Ui, pasted: &PastedText, number: usize, line: &str, is_wanted: bool) {
    let colors = *theme::palette(ui);
    let mut of_line = pasted.unread.iter().filter(|unread| unread.line == number);
    let unread = of_line.next();
    let mut job = LayoutJob::default();
    job.wrap.max_width = f32::INFINITY;
    let font = || theme::digits(theme::CODE);
    let format = |color| TextFormat::simple(font(), color);
    job.append(&format!("{number:>4}  "), 0.0, format(colors.weak));
    match unread {
        None => job.append(line, 0.0, format(colors.text)),
        Some(unread) => {
            let indent = line.len() - line.trim_start().len();
            let marked = indent + unread.marked.start..indent + unread.marked.end;
            let part = |range: std::ops::Range<usize>| line.get(range).unwrap_or_default();
            job.append(part(0..marked.start), 0.0, format(colors.text));
            let mut wrong = format(colors.wrong);
            wrong.underline = Stroke::new(1.5, colors.wrong);
            job.append(part(marked.clone()), 0.0, wrong);
            job.append(part(marked.end..line.len()), 0.0, format(colors.text));
        }
    }
    let fill = match unread {
        Some(_) => colors.wrong_back,
        None => colors.panel,
    };
    let shown = Frame::new()
        .fill(fill)
        .inner_margin(Margin::symmetric(4, 1))
        .show(ui, |ui| {
            ui.set_min_width(ui.available_width());
            ui.add(Label::new(job).extend());
            for unread in unread.into_iter().chain(of_line) {
                let mut reason = LayoutJob::default();
                let indent = line.len() - line.trim_start().len();
                reason.append(&" ".repeat(6 + indent), 0.0, format(colors.wrong));
                let small = FontId::proportional(theme::SMALL);
                let small = TextFormat::simple(small, colors.wrong);
                reason.append(&plain(&unread.reason), 0.0, small);
                ui.add(Label::new(reason).extend());
            }
        });
    if is_wanted {
        shown.response.scroll_to_me(Some(Align::Center));
    }
}
