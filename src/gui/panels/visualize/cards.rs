//! The way of one image as a strip, and all images below.

use crate::theme;
use crate::widgets::raster::Sheet;
use crate::widgets::{elided, first_fitting};
use eframe::egui::{
    Align2, FontId, Rect, Response, Role, ScrollArea, Sense, Stroke, StrokeKind, Ui, Vec2,
    WidgetInfo, pos2, vec2,
};
use strata_core::format::short;
use strata_inspect::visualize::{Picture, Visualization};

/// The longest side of an image of the grid: at least and at most; and of one of the strip.
const LEAST: f32 = 72.0;
const MOST: f32 = 240.0;
const FRAME: f32 = 64.0;
const GAP: f32 = 8.0;
const LINE: f32 = 14.0;
/// Lines below an image of the grid.
const LINES: f32 = 2.0;

/// Shows the strip of the chosen image and the grid; a click chooses another.
pub(super) fn show(
    ui: &mut Ui,
    made: &Visualization,
    [images, frames]: [&Sheet; 2],
    words: &str,
    chosen: &mut usize,
) {
    ScrollArea::vertical().auto_shrink(false).show(ui, |ui| {
        strip(ui, made, frames, *chosen);
        line(ui, words);
        grid(ui, made, images, chosen);
    });
}

fn line(ui: &mut Ui, words: &str) {
    let colors = theme::palette(ui);
    let font = FontId::proportional(theme::TINY);
    let words = elided(ui, words, font, colors.weak, ui.available_width());
    let (rect, response) = ui.allocate_exact_size(words.size(), Sense::hover());
    response.widget_info(|| WidgetInfo::labeled(Role::Label, true, words.text()));
    ui.painter().galley(rect.min, words, colors.weak);
    ui.add_space(theme::GAP);
}

/// Width and height of an image whose longer side is this.
fn fitted(sheet: &Sheet, side: f32) -> Vec2 {
    let [height, width] = sheet.size.map(|side| side.max(1) as f32);
    let scale = side / height.max(width);
    vec2(width * scale, height * scale)
}

fn strip(ui: &mut Ui, made: &Visualization, frames: &Sheet, chosen: usize) {
    let side = fitted(frames, FRAME);
    let pitch = side.x.max(48.0) + GAP;
    let size = vec2(pitch * made.frames.len() as f32, 2.0 * LINE + side.y + 4.0);
    let room = vec2(ui.available_width().max(pitch), size.y);
    let (area, response) = ui.allocate_exact_size(room, Sense::hover());
    let name = made.name(chosen, 1);
    response.widget_info(|| {
        let steps: Vec<String> = made
            .frames
            .iter()
            .map(|frame| frame.step.to_string())
            .collect();
        let text = format!("the way of {name}: after {} steps", steps.join(", "));
        WidgetInfo::labeled(Role::Image, true, text)
    });
    let colors = theme::palette(ui);
    let tiny = || FontId::proportional(theme::TINY);
    // As many as there is room for, the last of them always.
    let fits = ((room.x / pitch).floor() as usize).clamp(1, made.frames.len().max(1));
    for place in 0..fits {
        let at = match fits {
            1 => made.frames.len() - 1,
            _ => place * (made.frames.len() - 1) / (fits - 1),
        };
        let Some(frame) = made.frames.get(at) else {
            continue;
        };
        let left = area.left() + place as f32 * pitch;
        let step = match frame.step {
            0 => "start".to_owned(),
            step => format!("step {step}"),
        };
        let top = pos2(left, area.top());
        ui.painter()
            .text(top, Align2::LEFT_TOP, step, tiny(), colors.weak);
        let rect = Rect::from_min_size(pos2(left, area.top() + LINE), side);
        frames.paint(ui.painter(), at * made.pictures.len() + chosen, rect);
        let score = frame.scores.get(chosen).copied().unwrap_or(f32::NAN);
        let below = pos2(left, rect.bottom() + 2.0);
        let digits = theme::digits(theme::TINY);
        ui.painter().text(
            below,
            Align2::LEFT_TOP,
            short(score.into(), 2),
            digits,
            colors.text,
        );
    }
}

fn grid(ui: &mut Ui, made: &Visualization, images: &Sheet, chosen: &mut usize) {
    let count = made.pictures.len();
    let room = ui.available_width() - 8.0;
    let height = ui.available_height().max(LEAST);
    let places = |side: f32| {
        let side = fitted(images, side);
        let pitch = vec2(side.x.max(LEAST) + GAP, side.y + LINES * LINE + GAP);
        let columns = (room / pitch.x).floor().max(1.0) as usize;
        (side, pitch, columns)
    };
    let fits = |side: &f32| {
        let (_, pitch, columns) = places(*side);
        count.div_ceil(columns) as f32 * pitch.y <= height && pitch.x <= room
    };
    let [high, wide] = images.size.map(|side| side.max(1) as f32);
    // Of a curve that is twice as wide as high the width may be twice as much.
    let most = MOST * (wide / high).clamp(1.0, 2.0);
    let sides = (LEAST as u32..=most as u32).rev().map(|side| side as f32);
    let (side, pitch, columns) = places(sides.clone().find(fits).unwrap_or(LEAST));
    let rows = count.div_ceil(columns);
    let (area, _) = ui.allocate_exact_size(vec2(room, rows as f32 * pitch.y), Sense::hover());
    for (index, picture) in made.pictures.iter().enumerate() {
        let at = vec2((index % columns) as f32, (index / columns) as f32) * pitch;
        let card = Rect::from_min_size(area.min + at, pitch - Vec2::splat(GAP));
        let response = ui.interact(
            card,
            ui.scope_id().with(("visualization", index)),
            Sense::click(),
        );
        let text = described(made, index, picture);
        response.widget_info(|| WidgetInfo::labeled(Role::Button, true, text.clone()));
        if response.clicked() {
            *chosen = index;
        }
        if ui.is_rect_visible(card) {
            one(
                ui,
                made,
                images,
                (index, picture),
                (card, side),
                &response,
                index == *chosen,
            );
        }
        response.on_hover_text(text);
    }
}

fn one(
    ui: &Ui,
    made: &Visualization,
    images: &Sheet,
    (index, picture): (usize, &Picture),
    (card, side): (Rect, Vec2),
    response: &Response,
    is_chosen: bool,
) {
    let colors = theme::palette(ui);
    let rect = Rect::from_min_size(card.min, side);
    images.paint(ui.painter(), index, rect);
    if is_chosen || response.has_focus() {
        let width = if response.has_focus() { 3.0 } else { 1.5 };
        let stroke = Stroke::new(width, colors.accent);
        ui.painter()
            .rect_stroke(rect, 0.0, stroke, StrokeKind::Outside);
    }
    let small = FontId::proportional(theme::SMALL);
    // The score of a channel has the line below, where that of a class says what it is taken for.
    let mut name = made.name(index, 1);
    if !picture.answers.is_empty() {
        name += &format!("  {}", short(picture.score.into(), 2));
    }
    let name = elided(ui, &name, small, colors.text, card.width());
    let top = rect.bottom() + 2.0;
    ui.painter()
        .galley(pos2(card.left(), top), name, colors.text);
    let (words, ink) = below(made, picture, colors);
    let tiny = FontId::proportional(theme::TINY);
    let [long, short] = words.each_ref().map(String::as_str);
    let words = first_fitting(ui, &[long, short], tiny, ink, card.width());
    ui.painter()
        .galley(pos2(card.left(), top + LINE), words, ink);
}

/// What the network takes it for, the score of a channel, or that nothing moves it; and the same shorter.
fn below(
    made: &Visualization,
    picture: &Picture,
    colors: &theme::Palette,
) -> ([String; 2], eframe::egui::Color32) {
    let twice = |words: String| [words.clone(), words];
    if !picture.moved && made.done > 0 {
        return (twice("no gradient".to_owned()), colors.second);
    }
    match picture.answers.first() {
        Some((class, share)) => {
            let class = strata_inspect::class_name(&made.classes, *class);
            let answer = format!("{class} {:.0} %", 100.0 * share);
            ([format!("taken for {answer}"), answer], colors.weak)
        }
        None => (twice(short(picture.score.into(), 2)), colors.weak),
    }
}

/// `3: score 21.3, taken for 3, 99.9 %`
fn described(made: &Visualization, index: usize, picture: &Picture) -> String {
    let answer = picture
        .answers
        .first()
        .map_or_else(String::new, |(class, share)| {
            let class = strata_inspect::class_name(&made.classes, *class);
            format!(", taken for {class}, {:.1} %", 100.0 * share)
        });
    let still = match picture.moved || made.done == 0 {
        true => "",
        false => "; its gradient is 0 all the way: nothing moves it",
    };
    let score = short(picture.score.into(), 2);
    format!("{}: score {score}{answer}{still}", made.name(index, 1))
}
