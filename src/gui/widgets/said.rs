//! Sentences of the rooms below, as the window writes them. What is written in the file is set off by backticks, as the
//! terminal shows it; here it stands in the font of code, or, where a text has one font alone, as it is. The system's
//! numbers of errors are left to the log, and layers are counted from 1.

use crate::theme;
use eframe::egui::text::{LayoutJob, TextFormat};
use eframe::egui::{Color32, FontId};
use strata_core::format;
use strata_core::spoken::spoken;

/// The sign on both sides of what is code.
const QUOTE: char = '`';

/// A sentence of this size and colour, with what is quoted in it as code.
pub fn said(text: &str, size: f32, ink: Color32) -> LayoutJob {
    let mut job = LayoutJob::default();
    for (index, part) in spoken(text).split(QUOTE).enumerate() {
        let font = match index % 2 {
            0 => FontId::proportional(size),
            _ => theme::digits(size),
        };
        job.append(part, 0.0, TextFormat::simple(font, ink));
    }
    job
}

/// A sentence where there is one font alone: in hover texts and in the names that screen readers say.
pub fn plain(text: &str) -> String {
    spoken(text).replace(QUOTE, "")
}

/// So many parameters: `1 parameter`, `2,570 parameters`.
pub fn parameters(count: u64) -> String {
    let number = format::count(count);
    match count {
        1 => format!("{number} parameter"),
        _ => format!("{number} parameters"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_quoted_is_in_the_font_of_code() {
        let job = said("did you mean `conv`?", 12.0, Color32::WHITE);
        assert_eq!(job.text, "did you mean conv?");
        let fonts = job.sections.iter().map(|section| {
            let (start, end) = (section.byte_range.start.0, section.byte_range.end.0);
            let of = &job.text[start..end];
            (of, section.format.font_id.clone())
        });
        let code: Vec<_> = fonts
            .filter(|(_, font)| *font == theme::digits(12.0))
            .map(|(text, _)| text)
            .collect();
        assert_eq!(code, ["conv"]);
        assert_eq!(said("gone (os error 2)", 12.0, Color32::WHITE).text, "gone");
        assert_eq!(plain("`conv 8` at encoder.1"), "conv 8 at encoder layer 2");
    }
}
