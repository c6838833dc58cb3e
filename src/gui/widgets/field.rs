//! A line of text that is edited in place.
//!
//! What is being typed lives in egui's memory under the field's id, as the cursor does; the state
//! of the window hears of it through [`FieldEvent`]s. Enter and leaving the field commit, Esc takes
//! the former text back. Text that a field's check refuses is not committed: it stays, with the
//! message below it, until it is mended or reverted.

use super::{refused, said};
use crate::theme;
use eframe::egui::{
    Align, Color32, FontId, Frame, Id, Key, Layout, Margin, Response, RichText, Stroke, TextBuffer,
    TextEdit, Ui,
    text::{LayoutJob, TextFormat},
    vec2,
};
use std::ops::Range;

/// What happened in a field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FieldEvent {
    /// The cursor came into it.
    Entered,
    /// Another letter was typed; this is the text so far.
    Typing(String),
    /// This is the new text.
    Commit(String),
    /// The former text is back.
    Reverted,
}

/// Judges a text: `Err` is the sentence shown at the field.
type Check<'a> = &'a dyn Fn(&str) -> Result<(), String>;

/// An editable line of text.
pub struct Field<'a> {
    id: Id,
    name: &'a str,
    text: &'a str,
    shown: Option<&'a str>,
    hint: &'a str,
    width: f32,
    framed: bool,
    mono: bool,
    wrong: Option<Range<usize>>,
    check: Option<Check<'a>>,
    of_project: bool,
    wraps: bool,
}

impl<'a> Field<'a> {
    /// A field for `text`; `name` is what screen readers and tests call it.
    pub fn new(id: Id, name: &'a str, text: &'a str) -> Field<'a> {
        let (shown, hint, width) = (None, "", f32::INFINITY);
        Field {
            id,
            name,
            text,
            shown,
            hint,
            width,
            framed: true,
            mono: true,
            wrong: None,
            check: None,
            of_project: false,
            wraps: false,
        }
    }

    /// What is shown while it isn't edited, where that is not the text itself.
    pub fn shown(mut self, shown: &'a str) -> Self {
        self.shown = Some(shown);
        self
    }

    /// A grey text for an empty field.
    pub fn hint(mut self, hint: &'a str) -> Self {
        self.hint = hint;
        self
    }

    /// The width; by default all there is.
    pub fn width(mut self, width: f32) -> Self {
        self.width = width;
        self
    }

    /// Without a frame: looks like a label until it is edited.
    pub fn bare(mut self) -> Self {
        self.framed = false;
        self
    }

    /// In the font of ordinary text.
    pub fn words(mut self) -> Self {
        self.mono = false;
        self
    }

    /// On as many lines as it needs, instead of one that is cut.
    pub fn wrapped(mut self) -> Self {
        self.wraps = true;
        self
    }

    /// The bytes of the text that are wrong; drawn in red.
    pub fn wrong(mut self, span: Option<Range<usize>>) -> Self {
        self.wrong = span;
        self
    }

    /// Refuses texts.
    pub fn check(mut self, check: Check<'a>) -> Self {
        self.check = Some(check);
        self
    }

    /// For a setting of the project: while its text is refused, nothing is trained.
    pub(crate) fn of_project(mut self) -> Self {
        self.of_project = true;
        self
    }

    /// Shows the field and, below it, why its text is refused.
    pub fn show(self, ui: &mut Ui) -> Option<FieldEvent> {
        self.show_full(ui).1
    }

    /// The same, with the field's response.
    pub(crate) fn show_full(self, ui: &mut Ui) -> (Response, Option<FieldEvent>) {
        let draft = ui.data(|data| data.get_temp::<String>(self.id));
        let focused = ui.memory(|memory| memory.has_focus(self.id));
        let resting = if focused {
            self.text
        } else {
            self.shown.unwrap_or(self.text)
        };
        let mut text = draft.clone().unwrap_or_else(|| resting.to_owned());
        let judge = |text: &str| self.check.and_then(|check| check(text).err());
        let complaint = draft.as_deref().and_then(judge);
        if self.of_project {
            refused::note(ui.ctx(), self.id, self.name, complaint.as_deref());
        }
        let response = match &complaint {
            None => self.edit(ui, &mut text, false),
            Some(complaint) => self.refused(ui, &mut text, complaint),
        };
        let event = if response.changed() {
            ui.data_mut(|data| data.insert_temp(self.id, text.clone()));
            Some(FieldEvent::Typing(text))
        } else if response.gained_focus() {
            Some(FieldEvent::Entered)
        } else if response.lost_focus() {
            self.left(ui, draft, complaint.is_some())
        } else {
            None
        };
        (response, event)
    }

    /// The field with the complaint below it, unless that is shown elsewhere, also in a row: what is beside it keeps its place.
    fn refused(&self, ui: &mut Ui, text: &mut String, complaint: &str) -> Response {
        if refused::is_told_apart(ui, complaint) {
            return self.edit(ui, text, true);
        }
        let says = |ui: &mut Ui| ui.label(said(complaint, theme::SMALL, theme::palette(ui).wrong));
        if !ui.layout().is_horizontal() {
            let response = self.edit(ui, text, true);
            says(ui);
            return response;
        }
        let width = ui.available_width().min(self.width);
        let column = Layout::top_down(Align::Min);
        let shown = ui.allocate_ui_with_layout(vec2(width, 0.0), column, |ui| {
            let response = self.edit(ui, text, true);
            says(ui);
            response
        });
        shown.inner
    }

    fn left(&self, ui: &Ui, draft: Option<String>, refused: bool) -> Option<FieldEvent> {
        let reverted = ui.input(|input| input.key_pressed(Key::Escape));
        if refused && !reverted {
            return None;
        }
        ui.data_mut(|data| data.remove::<String>(self.id));
        match draft {
            Some(text) if !reverted && text != self.text => Some(FieldEvent::Commit(text)),
            _ => Some(FieldEvent::Reverted),
        }
    }

    fn edit(&self, ui: &mut Ui, text: &mut String, refused: bool) -> Response {
        let colors = *theme::palette(ui);
        let font = if self.mono {
            theme::digits(theme::CODE)
        } else {
            FontId::proportional(theme::BODY)
        };
        let wrong = self
            .wrong
            .clone()
            .filter(|_| !ui.memory(|memory| memory.has_focus(self.id)) || !refused);
        let wraps = self.wraps;
        let mut layouter = |ui: &Ui, text: &dyn TextBuffer, width: f32| {
            let (text, font, inks) = (text.as_str(), font.clone(), [colors.strong, colors.wrong]);
            let mut job = layout(text, font, inks, wrong.clone());
            if wraps {
                job.wrap.max_width = width;
            }
            ui.fonts_mut(|fonts| fonts.layout_job(job))
        };
        let line = if refused { colors.wrong } else { colors.line };
        let frame = match self.framed {
            true => Frame::new()
                .fill(colors.raised)
                .stroke(Stroke::new(1.0, line))
                .corner_radius(theme::RADIUS),
            false => Frame::new(),
        };
        let margin = if self.framed {
            Margin::symmetric(7, 4)
        } else {
            // On the height of what is painted beside it.
            Margin {
                top: 5,
                bottom: 3,
                ..Margin::ZERO
            }
        };
        let edit = TextEdit::singleline(text)
            .id(self.id)
            .font(font.clone())
            .frame(frame.inner_margin(margin))
            .hint_text(
                RichText::new(self.hint)
                    .font(font.clone())
                    .color(colors.weak),
            )
            .desired_width(self.width)
            .layouter(&mut layouter);
        let width = ui.available_width().min(self.width);
        let response = ui.add(edit).accessible_name(self.name);
        // What is longer than its field can be read without entering it.
        let letters = width / if self.mono { 7.2 } else { 6.6 };
        if !wraps && text.chars().count() as f32 > letters - 2.0 {
            response.on_hover_text(text.as_str())
        } else {
            response
        }
    }
}

/// The text in the first ink, what is wrong of it underlined in the second.
fn layout(
    text: &str,
    font: FontId,
    [ink, red]: [Color32; 2],
    wrong: Option<Range<usize>>,
) -> LayoutJob {
    let format = |color| TextFormat {
        font_id: font.clone(),
        color,
        ..TextFormat::default()
    };
    let mut job = LayoutJob::default();
    match wrong.filter(|span| text.get(span.clone()).is_some_and(|part| !part.is_empty())) {
        None => job.append(text, 0.0, format(ink)),
        Some(span) => {
            job.append(&text[..span.start], 0.0, format(ink));
            let underlined = TextFormat {
                underline: Stroke::new(1.0, red),
                ..format(red)
            };
            job.append(&text[span.clone()], 0.0, underlined);
            job.append(&text[span.end..], 0.0, format(ink));
        }
    }
    job
}
