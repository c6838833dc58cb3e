//! The images of a list, with their most probable classes.

use crate::theme;
use crate::widgets::elided;
use crate::widgets::raster::Sheet;
use eframe::egui::{Align2, FontId, Rect, RichText, Role, Sense, Ui, WidgetInfo, pos2, vec2};
use strata_core::format;
use strata_inspect::predictions::{List, Predictions, ShownImage};

/// Width of a card and the longest side of its image.
const CARD: f32 = 176.0;
const SIDE: f32 = 64.0;
const GAP: f32 = 10.0;
const LINE: f32 = 15.0;
const PERCENT: f32 = 44.0;

/// The cards in rows.
pub(super) fn show(ui: &mut Ui, predictions: &Predictions, sheet: &Sheet) {
    let colors = theme::palette(ui);
    ui.label(
        RichText::new(heading(predictions))
            .size(theme::SMALL)
            .color(colors.weak),
    );
    let room = ui.available_width() - 8.0;
    let columns = ((room + GAP) / (CARD + GAP)).floor().max(1.0) as usize;
    let card = (room + GAP) / columns as f32 - GAP;
    let lines = 1 + predictions
        .shown
        .iter()
        .map(|image| image.top.len())
        .max()
        .unwrap_or(0);
    let [tall, wide] = sides(sheet);
    let height = tall.max(lines as f32 * LINE);
    let rows = predictions.shown.len().div_ceil(columns);
    let size = vec2(room, rows as f32 * (height + GAP));
    let (area, response) = ui.allocate_exact_size(size, Sense::hover());
    response.widget_info(|| WidgetInfo::labeled(Role::Image, true, described(predictions)));
    for (index, image) in predictions.shown.iter().enumerate() {
        let at = vec2(
            (index % columns) as f32 * (card + GAP),
            (index / columns) as f32 * (height + GAP),
        );
        let picture = Rect::from_min_size(area.min + at, vec2(wide, tall));
        if !ui.is_rect_visible(picture.expand2(vec2(card, height))) {
            continue;
        }
        sheet.paint(ui.painter(), index, picture);
        let words = Rect::from_min_size(
            picture.right_top() + vec2(8.0, 0.0),
            vec2(card - wide - 8.0, height),
        );
        say(ui, predictions, image, words);
    }
}

/// Height and width of an image on its card.
fn sides(sheet: &Sheet) -> [f32; 2] {
    let [height, width] = sheet.size.map(|side| side.max(1) as f32);
    let longest = height.max(width);
    [SIDE * height / longest, SIDE * width / longest]
}

fn heading(predictions: &Predictions) -> String {
    let listed = format::count(predictions.listed as u64);
    let shown = predictions.shown.len();
    let part = match shown < predictions.listed {
        true => format!(", the first {shown} are shown"),
        false => String::new(),
    };
    match predictions.list {
        List::MostWrong if shown == 0 => {
            "no wrong answer; “least sure” lists those that were nearest to one".to_owned()
        }
        List::MostWrong if predictions.has_label_sets => {
            format!("{listed} images with a wrong label, the surest first{part}")
        }
        List::MostWrong => format!("{listed} wrong answers, the surest first{part}"),
        List::LeastSure => format!("{listed} answers, the least sure first{part}"),
        List::First => format!("{listed} images in their order{part}"),
        List::Taken(label, answer) => format!(
            "{listed} images of {} taken for {}, the surest first{part}",
            predictions.class_name(label),
            predictions.class_name(answer)
        ),
    }
}

/// What an image is, and its most probable classes with bars.
fn say(ui: &Ui, predictions: &Predictions, image: &ShownImage, area: Rect) {
    let colors = theme::palette(ui);
    let font = || FontId::proportional(theme::SMALL);
    let answer = image.top.first().map(|(class, _)| *class);
    let label = match predictions.truth(image) {
        Some(truth) => format!("is {truth}"),
        None => "not labelled".to_owned(),
    };
    let before = image.before.filter(|(class, _)| Some(*class) != answer);
    let label = before.map_or(label.clone(), |(class, _)| {
        format!("{label}, then {}", predictions.class_name(class))
    });
    let ink = if image.is_wrong {
        colors.wrong
    } else {
        colors.weak
    };
    let name = elided(ui, &label, font(), ink, area.width());
    ui.painter().galley(area.min, name, ink);
    for (line, (class, probability)) in image.top.iter().enumerate() {
        let y = area.top() + (line + 1) as f32 * LINE;
        // Of several labels all that are answered stand out, of classes the most probable one.
        let is_answered = match predictions.has_label_sets {
            true => *probability > 0.5,
            false => line == 0,
        };
        let ink = if is_answered {
            colors.strong
        } else {
            colors.text
        };
        let name = elided(
            ui,
            &predictions.class_name(*class),
            font(),
            ink,
            area.width() - PERCENT,
        );
        ui.painter().galley(pos2(area.left(), y), name, ink);
        ui.painter().text(
            // In the middle of what is left above the bar.
            pos2(area.right(), y + (LINE - 3.0) / 2.0),
            Align2::RIGHT_CENTER,
            format!("{:.1} %", 100.0 * probability),
            theme::digits(theme::TINY),
            ink,
        );
        let share = if probability.is_finite() {
            probability.clamp(0.0, 1.0)
        } else {
            0.0
        };
        let bar = Rect::from_min_size(
            pos2(area.left(), y + LINE - 2.0),
            vec2(area.width() * share, 1.5),
        );
        let fill = if is_answered {
            colors.accent
        } else {
            colors.line
        };
        ui.painter().rect_filled(bar, 0.0, fill);
    }
}

/// What a screen reader says of them.
fn described(predictions: &Predictions) -> String {
    let first = predictions
        .shown
        .first()
        .and_then(|image| Some((predictions.truth(image), image.top.first()?)));
    let first = first.map_or_else(String::new, |(truth, (class, probability))| {
        let label = truth.map_or_else(String::new, |truth| format!("{truth} "));
        format!(
            "; the first: {label}taken for {} with {:.0} %",
            predictions.class_name(*class),
            100.0 * probability
        )
    });
    format!("{}{first}", heading(predictions))
}
