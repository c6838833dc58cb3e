//! A text in a place that may be too narrow for it: it ends where one of its clauses does, not within a word.

use super::{plain, said};
use eframe::egui::{Color32, Label, Role, Sense, Ui, WidgetInfo};

/// Shows a text in the first of these sizes of type in which it has room on so many lines. Where it has none, as many of
/// its clauses as have in the last; the whole is in the tooltip then.
pub fn clauses(ui: &mut Ui, text: &str, color: Color32, sizes: &[(f32, usize)]) {
    let laid_out = |text: &str, (size, rows): (f32, usize)| {
        // A number and its unit are on one line.
        let mut job = said(&text.replace(" %", "\u{a0}%"), size, color);
        job.wrap.max_width = ui.available_width();
        job.wrap.max_rows = rows;
        ui.fonts_mut(|fonts| fonts.layout_job(job))
    };
    let Some(&last) = sizes.last() else { return };
    let whole = sizes.iter().map(|&size| laid_out(text, size));
    let whole = whole.into_iter().find(|galley| !galley.elided);
    let is_cut = whole.is_none();
    let galley = whole.unwrap_or_else(|| {
        let cut = laid_out(text, last);
        // What has more letters than there is room for need not be laid out.
        let room: usize = cut.rows.iter().map(|row| row.glyphs.len()).sum();
        let short = beginnings(text).filter(|part| part.chars().count() <= room + cut.rows.len());
        let parts = short.map(|part| laid_out(&part, last));
        let mut fitting = parts.filter(|galley| !galley.elided);
        fitting.next().unwrap_or(cut)
    });
    let label = Label::new(galley).show_tooltip_when_elided(false);
    let label = ui.add(label.sense(Sense::hover()));
    let label = match is_cut {
        true => label.on_hover_text(plain(text)),
        false => label,
    };
    // Whoever hears the window hears all of it.
    label.widget_info(|| WidgetInfo::labeled(Role::Label, true, plain(text)));
}

/// The beginnings of a text that end where a clause does, the longest first, each with `…`.
fn beginnings(text: &str) -> impl Iterator<Item = String> {
    let is_end = |mark: char| matches!(mark, ',' | ';' | ':' | '.' | '·');
    let ends = text.match_indices(' ').map(|(at, _)| &text[..at]);
    let ends: Vec<&str> = ends.filter(|part| part.ends_with(is_end)).collect();
    let bare = move |part: &str| format!("{} …", part.trim_end_matches(is_end).trim_end());
    ends.into_iter().rev().map(bare)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_without_room_ends_with_a_clause() {
        let text = "Cannot train yet: it gives 1,024 numbers, not 10; add a layer";
        let found: Vec<String> = beginnings(text).collect();
        assert_eq!(
            found,
            [
                "Cannot train yet: it gives 1,024 numbers, not 10 …",
                "Cannot train yet: it gives 1,024 numbers …",
                "Cannot train yet …"
            ]
        );
        let text = "Stopped after 12 s · best valid 98.55 % after epoch 2; Go on continues it";
        let last = beginnings(text).last();
        assert_eq!(last.as_deref(), Some("Stopped after 12 s …"));
    }
}
