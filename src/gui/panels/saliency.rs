//! What in an image bears on the network's answer: for the probe images, or for an image from disk.

use crate::engine::look::Looked;
use crate::gui::action::{Action, Show};
use crate::gui::looking::{LookAt, Subject};
use crate::gui::state::State;
use crate::gui::text;
use crate::gui::theme;
use crate::gui::widgets::raster::{Sheet, unsigned_bar};
use crate::gui::widgets::tile::View;
use crate::gui::widgets::{Field, FieldEvent, chevron, empty};
use crate::inspect::maps::{map_rgba, overlay_rgba};
use crate::inspect::picture::image_rgba;
use crate::inspect::saliency::{Answer, Question, Request, Saliency};
use crate::project::stage::Task;
use eframe::egui::{
    Align2, ComboBox, FontId, Id, Rect, RichText, Role, ScrollArea, Sense, Ui, UiBuilder, Vec2, WidgetInfo, pos2, vec2,
};
use std::path::PathBuf;
use std::sync::Arc;

/// What was asked and what came of it.
type Seen = Looked<(Subject, Request), Saliency>;

/// The view, with the texture of what it shows.
#[derive(Default)]
pub struct SaliencyView {
    drawn: Option<(Arc<Seen>, Sheet)>,
}

const PARTS: [&str; 3] = ["image", "saliency", "overlay"];
const GAP: f32 = 4.0;
const BETWEEN: f32 = 16.0;
/// A line of a card's text.
const LINE: f32 = 16.0;
const BAR: f32 = 56.0;
/// Letters of a class's name that have room.
const NAME: usize = 14;

impl View for SaliencyView {
    fn title(&self) -> &'static str {
        "Saliency"
    }

    fn about(&self) -> &'static str {
        "How strongly each pixel bears on the answer: the gradient of the class score (its logit) by the input, |∂score/∂pixel|, the largest over the channels (Simonyan et al. 2013). For autoencoders the gradient of the reconstruction error. Bright pixels are those whose change would change the answer most."
    }

    fn status(&self, state: &State) -> String {
        let Some(saliency) = latest(state).and_then(|looked| looked.result.as_ref().ok()) else { return String::new() };
        let of = match saliency.question {
            Question::Predicted => "predicted class".to_owned(),
            Question::Class(class) => format!("class {}", saliency.class_name(class)),
            Question::Error => "reconstruction error".to_owned(),
        };
        format!("gradient of the {of} · step {}", text::count(saliency.step))
    }

    fn tools(&mut self, ui: &mut Ui, state: &State, actions: &mut Vec<Action>) {
        let request = &state.looking.request;
        let mut chosen = request.question;
        let classes = self.drawn.as_ref().and_then(|(seen, _)| seen.result.as_ref().ok()).map(|s| s.classes.as_slice());
        let combo = ComboBox::from_id_salt("saliency of")
            .width(148.0)
            .icon(chevron)
            .selected_text(RichText::new(name(request.question, state, classes)).size(theme::SMALL))
            .show_ui(ui, |ui| choices(ui, state, classes, &mut chosen));
        combo.response.on_hover_text("The number whose gradient is shown").accessible_name("Saliency of");
        if chosen != request.question {
            actions.push(Action::Show(Show::Saliency(Request { question: chosen, ..request.clone() })));
        }
    }

    fn body(&mut self, ui: &mut Ui, state: &State, actions: &mut Vec<Action>) {
        actions.extend(state.question(LookAt::Saliency));
        source(ui, state, actions);
        let Some(seen) = latest(state) else {
            self.drawn = None;
            return nothing(ui, state);
        };
        match &seen.result {
            Err(message) => empty(ui, "No saliency of this", message),
            Ok(saliency) => {
                self.update(ui, seen, saliency);
                if let Some((_, sheet)) = &self.drawn {
                    show(ui, saliency, sheet);
                }
            }
        }
    }
}

fn latest(state: &State) -> Option<&Arc<Seen>> {
    let subject = state.subject();
    // While a run starts or ends, the last maps of it stay.
    state.looking.saliency.latest.as_ref().filter(|seen| {
        subject.is_none_or(|subject| subject == seen.question.0 || matches!(seen.question.0, Subject::Live))
    })
}

fn nothing(ui: &mut Ui, state: &State) {
    match state.subject() {
        Some(Subject::Stored(_)) => {
            empty(ui, "Opening the run …", "Its images and its last checkpoint are being read.")
        }
        Some(Subject::Live) => empty(ui, "Looking …", "The first maps come with the next pictures."),
        None => empty(
            ui,
            "No network to look into yet",
            "Press Train, or open a run folder: then every probe image shows where the network looks.",
        ),
    }
}

/// The questions that the project's tasks allow.
fn choices(ui: &mut Ui, state: &State, classes: Option<&[String]>, chosen: &mut Option<Question>) {
    let mut offer = |question| {
        ui.selectable_value(chosen, question, name(question, state, classes));
    };
    offer(None);
    if state.has_task(Task::Classify) {
        offer(Some(Question::Predicted));
    }
    if state.has_task(Task::Reconstruct) {
        offer(Some(Question::Error));
    }
    let count = if state.has_task(Task::Classify) { classes.map_or(0, <[String]>::len) } else { 0 };
    (0..count as u32).for_each(|class| offer(Some(Question::Class(class))));
}

fn name(question: Option<Question>, state: &State, classes: Option<&[String]>) -> String {
    match question {
        None if !state.has_task(Task::Classify) => "error".to_owned(),
        None => "as trained".to_owned(),
        Some(Question::Predicted) => "predicted class".to_owned(),
        Some(Question::Error) => "reconstruction error".to_owned(),
        Some(Question::Class(class)) => {
            let name = classes.and_then(|classes| classes.get(class as usize));
            format!("class {}", name.cloned().unwrap_or_else(|| class.to_string()))
        }
    }
}

/// The line that says whose saliency is shown: the probe images', or that of a file.
fn source(ui: &mut Ui, state: &State, actions: &mut Vec<Action>) {
    let request = &state.looking.request;
    let mut ask = |image: Option<PathBuf>| {
        actions.push(Action::Show(Show::Saliency(Request { image, ..request.clone() })));
    };
    let mut browse = false;
    ui.horizontal(|ui| {
        let path = request.image.as_ref().map_or_else(String::new, |path| path.display().to_string());
        let id = Id::unique(("saliency image", state.generation));
        let field = Field::new(id, "Image file", &path).hint("the probe images; or the path of an image").width(300.0);
        if let Some(FieldEvent::Commit(text)) = field.show(ui) {
            ask(Some(text.trim()).filter(|text| !text.is_empty()).map(PathBuf::from));
        }
        let button = ui.button("Open image…").on_hover_text("An image from disk, fitted as the project's images are");
        browse = button.clicked();
        let probes = ui.add_enabled(request.image.is_some(), eframe::egui::Button::new("Probe images"));
        if probes.on_hover_text("Back to the fixed images of the run").clicked() {
            ask(None);
        }
    });
    if browse {
        actions.push(Action::BrowseImage);
    }
    ui.add_space(theme::GAP);
}

impl SaliencyView {
    /// Makes a new texture only when new maps came: image, map and overlay of each in turn.
    fn update(&mut self, ui: &Ui, seen: &Arc<Seen>, saliency: &Saliency) {
        if self.drawn.as_ref().is_some_and(|(drawn, _)| Arc::ptr_eq(drawn, seen)) {
            return;
        }
        let rgba = |place: usize| {
            let (index, channels) = (place / 3, saliency.channels);
            match place % 3 {
                0 => image_rgba(saliency.input(index), channels),
                1 => map_rgba(saliency.map(index)),
                _ => overlay_rgba(saliency.input(index), channels, saliency.map(index)),
            }
        };
        let size = [saliency.height, saliency.width];
        let sheet = Sheet::new(ui.ctx(), "saliency", size, 3 * saliency.answers.len(), rgba);
        self.drawn = Some((seen.clone(), sheet));
    }
}

fn show(ui: &mut Ui, saliency: &Saliency, sheet: &Sheet) {
    let area = ui.available_rect_before_wrap();
    let (cards, bar) = area.split_left_right_at_x(area.right() - BAR);
    unsigned_bar(ui, bar, "0", "largest");
    let mut inner = ui.new_child(UiBuilder::new().id_salt("cards").max_rect(cards));
    ScrollArea::vertical().auto_shrink(false).show(&mut inner, |ui| grid(ui, saliency, sheet, cards.size()));
}

/// Cards of three pictures with what the network says below, as large as fits.
fn grid(ui: &mut Ui, saliency: &Saliency, sheet: &Sheet, space: Vec2) {
    let count = saliency.answers.len();
    let ratio = saliency.height as f32 / saliency.width.max(1) as f32;
    let lines = if saliency.question == Question::Error { 1 } else { 4 };
    let (columns, side) = arrangement(count, ratio, lines, space);
    let card = vec2(3.0 * side + 2.0 * GAP, side * ratio + GAP + lines as f32 * LINE);
    let pitch = card + Vec2::splat(BETWEEN);
    let size = vec2(columns as f32 * pitch.x, count.div_ceil(columns) as f32 * pitch.y);
    let (area, response) = ui.allocate_exact_size(size, Sense::hover());
    response.widget_info(|| WidgetInfo::labeled(Role::Image, true, described(saliency)));
    let place = |index: usize, part: usize| {
        let at = vec2((index % columns) as f32 * pitch.x, (index / columns) as f32 * pitch.y);
        let left = part as f32 * (side + GAP);
        Rect::from_min_size(area.min + at + vec2(left, 0.0), vec2(side, side * ratio))
    };
    for (index, answer) in saliency.answers.iter().enumerate() {
        (0..3).for_each(|part| sheet.paint(ui, 3 * index + part, place(index, part)));
        let below = place(index, 0).left_bottom() + vec2(0.0, GAP);
        say(ui, saliency, answer, Rect::from_min_size(below, vec2(card.x, lines as f32 * LINE)));
    }
    let all = (0..count).flat_map(|index| (0..3).map(move |part| (index, part)));
    let at = response.hover_pos();
    let found = at.and_then(|at| all.into_iter().find(|&(i, p)| place(i, p).contains(at)).zip(Some(at)));
    if let Some(((index, part), at)) = found {
        let inside = (at - place(index, part).min) / place(index, part).size();
        response.on_hover_text_at_pointer(value(saliency, index, part, inside));
    }
}

/// Columns of cards and the side of a picture: the largest that need no scrolling, from 48 to 160 points.
fn arrangement(count: usize, ratio: f32, lines: usize, space: Vec2) -> (usize, f32) {
    let side = |columns: usize| ((space.x / columns as f32 - BETWEEN - 2.0 * GAP) / 3.0).floor().min(160.0);
    let tall = |columns: usize| side(columns) * ratio + GAP + lines as f32 * LINE + BETWEEN;
    let fits = |columns: &usize| count.div_ceil(*columns) as f32 * tall(*columns) <= space.y;
    let most = (1..=count.max(1)).take_while(|&columns| side(columns) >= 48.0).last().unwrap_or(1);
    let columns = (1..=most).find(fits).unwrap_or(most);
    (columns, side(columns).max(24.0))
}

/// The label and the most probable classes with bars for their probabilities; or the error.
fn say(ui: &Ui, saliency: &Saliency, answer: &Answer, area: Rect) {
    let colors = theme::palette(ui);
    let small = FontId::proportional(theme::SMALL);
    let row = |line: usize| area.left_center().y - area.height() / 2.0 + (line as f32 + 0.5) * LINE;
    let write = |x: f32, line: usize, align: Align2, text: String, font: FontId, color| {
        ui.painter().text(pos2(x, row(line)), align, text, font, color);
    };
    let Some(class) = answer.class else {
        let text = format!("error (MSE) {}", text::loss(f64::from(answer.score)));
        return write(area.left(), 0, Align2::LEFT_CENTER, text, theme::digits(11.0), colors.weak);
    };
    let right = answer.label.is_some() && answer.label == answer.top.first().map(|(class, _)| *class);
    let (label, color) = match answer.label {
        Some(label) if right => (format!("is {}", short(&saliency.class_name(label))), colors.weak),
        Some(label) => (format!("is {}", short(&saliency.class_name(label))), colors.wrong),
        None => ("not labelled".to_owned(), colors.weak),
    };
    write(area.left(), 0, Align2::LEFT_CENTER, label, small.clone(), color);
    let score = format!("logit of {} {:.2}", short(&saliency.class_name(class)), answer.score);
    write(area.right(), 0, Align2::RIGHT_CENTER, score, small.clone(), colors.weak);
    let names = area.left() + area.width() * 0.42;
    let bars = area.right() - 52.0 - names - 6.0;
    for (line, (class, probability)) in answer.top.iter().enumerate() {
        let color = if line == 0 { colors.strong } else { colors.text };
        write(area.left(), line + 1, Align2::LEFT_CENTER, short(&saliency.class_name(*class)), small.clone(), color);
        let share = if probability.is_finite() { probability.clamp(0.0, 1.0) } else { 0.0 };
        let bar = Rect::from_min_size(pos2(names, row(line + 1) - 3.0), vec2((bars * share).max(1.0), 6.0));
        ui.painter().rect_filled(bar, 1.0, if line == 0 { colors.accent } else { colors.line });
        let percent = format!("{:.1} %", 100.0 * probability);
        write(area.right(), line + 1, Align2::RIGHT_CENTER, percent, theme::digits(11.0), color);
    }
}

fn short(name: &str) -> String {
    if name.chars().count() <= NAME { name.to_owned() } else { name.chars().take(NAME - 1).chain(['…']).collect() }
}

fn value(saliency: &Saliency, index: usize, part: usize, inside: Vec2) -> String {
    let at = |share: f32, size: usize| ((share * size as f32) as usize).min(size.saturating_sub(1));
    let (row, column) = (at(inside.y, saliency.height), at(inside.x, saliency.width));
    let pixel = row * saliency.width + column;
    let bytes = saliency.input(index).chunks_exact(saliency.channels.max(1)).nth(pixel).unwrap_or_default();
    let gradient = saliency.map(index).get(pixel).copied().unwrap_or(f32::NAN);
    let gradient = text::loss(f64::from(gradient));
    format!(
        "{} of image {}, row {row}, column {column}\npixel {bytes:?}\n|gradient| {gradient}",
        PARTS[part],
        index + 1
    )
}

/// What a screen reader says of it.
fn described(saliency: &Saliency) -> String {
    let sure = saliency.answers.first().and_then(|answer| answer.top.first());
    let first = sure.map_or_else(String::new, |(class, p)| {
        format!(", the first taken for {} with {:.0} %", saliency.class_name(*class), 100.0 * p)
    });
    format!("saliency of {} images{first}", saliency.answers.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cards_fill_the_space_they_have() {
        for (count, space) in [(16, vec2(900.0, 500.0)), (1, vec2(600.0, 300.0)), (16, vec2(500.0, 200.0))] {
            let (columns, side) = arrangement(count, 1.0, 4, space);
            assert!(columns as f32 * (3.0 * side + 2.0 * GAP + BETWEEN) <= space.x, "{count} {space:?}");
            assert!((48.0..=160.0).contains(&side));
        }
        assert_eq!(short("a very long name of a class"), "a very long n…");
    }
}
