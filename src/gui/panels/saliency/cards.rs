//! The cards of the saliency view: image, map and overlay of each image (of a signal, one wide curve), and what the
//! network says of it.

use super::Drawn;
use crate::theme;
use crate::widgets::raster::color_bar;
use crate::widgets::{elided, first_fitting};
use eframe::egui::{
    Align2, Color32, FontId, Galley, Rect, Role, ScrollArea, Sense, Ui, UiBuilder, Vec2,
    WidgetInfo, pos2, vec2,
};
use strata_core::format;
use strata_inspect::attribution::Method;
use strata_inspect::map_look::MapLook;
use strata_inspect::maps::{SIGNAL, samples_at};
use strata_inspect::saliency::{Answer, Question, Saliency};

const PARTS: [&str; 3] = ["image", "saliency", "overlay"];
const GAP: f32 = 4.0;
const BETWEEN: f32 = 16.0;
/// A line of a card's text.
const LINE: f32 = 16.0;
/// Room of the colour bar.
pub(super) const BAR: f32 = 66.0;
/// Letters of a class's name that have room.
const NAME: usize = 14;

/// Shows all cards, with the colour bar to their right.
pub(super) fn show(ui: &mut Ui, saliency: &Saliency, drawn: &Drawn) {
    let area = ui.available_rect_before_wrap();
    let (cards, bar) = area.split_left_right_at_x(area.right() - BAR);
    scale(ui, bar, &drawn.limits, &drawn.look);
    let mut inner = ui.new_child(UiBuilder::new().id_salt("cards").max_rect(cards));
    ScrollArea::vertical()
        .auto_shrink(false)
        .show(&mut inner, |ui| grid(ui, saliency, drawn, cards.size()));
}

/// The meaning of the colours: with one scale for all its value, else each map's largest.
pub(super) fn scale(ui: &Ui, area: Rect, limits: &[f32], look: &MapLook) {
    let common = limits.first().copied().filter(|_| look.common);
    let high = common.map_or_else(|| "largest".to_owned(), |limit| format::loss(limit.into()));
    let low = match look.signed {
        true => format!("−{high}"),
        false => "0".to_owned(),
    };
    let color = |share: f32| match look.signed {
        true => look.color(2.0 * share - 1.0),
        false => look.color(share),
    };
    color_bar(ui, area, [&low, &high], color);
}

/// How the pictures of a card lie.
struct Parts {
    count: usize,
    /// A picture's height by the third of the card that is called a side.
    ratio: f32,
}

impl Parts {
    fn of(saliency: &Saliency) -> Parts {
        if saliency.are_signals() {
            return Parts {
                count: 1,
                ratio: 3.0 * SIGNAL[0] as f32 / SIGNAL[1] as f32,
            };
        }
        Parts {
            count: 3,
            ratio: saliency.height as f32 / saliency.width.max(1) as f32,
        }
    }

    /// From the left edge of one picture to that of the next.
    fn pitch(&self, side: f32) -> f32 {
        (3.0 * side + 3.0 * GAP) / self.count as f32
    }
}

/// Cards of three pictures with what the network says below, as large as fits.
fn grid(ui: &mut Ui, saliency: &Saliency, drawn: &Drawn, space: Vec2) {
    let Drawn {
        look,
        limits,
        sheet,
        ..
    } = drawn;
    let count = saliency.answers.len();
    let parts = Parts::of(saliency);
    let ratio = parts.ratio;
    let has_class = matches!(saliency.question, Question::Predicted | Question::Class(_));
    // A heading and a line for each probability, and below them the scale of the map.
    let named = saliency.answers.iter().map(|answer| answer.top.len()).max();
    let lines = 2 + named.filter(|_| has_class).unwrap_or(0);
    let (columns, side) = arrangement(count, ratio, lines, space);
    let side = if parts.count == 1 {
        side
    } else {
        whole(side, saliency.width)
    };
    let card = vec2(
        3.0 * side + 2.0 * GAP,
        side * ratio + GAP + lines as f32 * LINE,
    );
    let pitch = card + Vec2::splat(BETWEEN);
    let size = vec2(
        columns as f32 * pitch.x,
        count.div_ceil(columns) as f32 * pitch.y,
    );
    let (area, response) = ui.allocate_exact_size(size, Sense::hover());
    response.widget_info(|| WidgetInfo::labeled(Role::Image, true, described(saliency)));
    let place = |index: usize, part: usize| {
        let at = vec2(
            (index % columns) as f32 * pitch.x,
            (index / columns) as f32 * pitch.y,
        );
        let across = parts.pitch(side);
        Rect::from_min_size(
            area.min + at + vec2(part as f32 * across, 0.0),
            vec2(across - GAP, side * ratio),
        )
    };
    for (index, answer) in saliency.answers.iter().enumerate() {
        if !ui.is_rect_visible(Rect::from_min_size(place(index, 0).min, card)) {
            continue;
        }
        let picture =
            |part| sheet.paint(ui.painter(), parts.count * index + part, place(index, part));
        (0..parts.count).for_each(picture);
        let below = place(index, 0).left_bottom() + vec2(0.0, GAP);
        let words = Rect::from_min_size(below, vec2(card.x, (lines - 1) as f32 * LINE));
        say(ui, saliency, answer, words);
        let range = range(
            saliency,
            index,
            limits.get(index).copied().unwrap_or(1.0),
            look,
        );
        let font = FontId::proportional(theme::SMALL);
        let weak = theme::palette(ui).weak;
        let range = elided(ui, &range, font, weak, card.x);
        let at = words.left_bottom() + vec2(0.0, 0.5 * (LINE - range.size().y));
        ui.painter().galley(at, range, weak);
    }
    let all = (0..count).flat_map(|index| (0..parts.count).map(move |part| (index, part)));
    let at = response.hover_pos();
    let found = at.and_then(|at| {
        all.into_iter()
            .find(|&(i, p)| place(i, p).contains(at))
            .zip(Some(at))
    });
    if let Some(((index, part), at)) = found {
        let inside = (at - place(index, part).min) / place(index, part).size();
        response.on_hover_text_at_pointer(value(saliency, index, part, inside, look));
    }
}

/// `map: gradient 0 … 0.41`, and of integrated gradients what they add up to.
fn range(saliency: &Saliency, index: usize, limit: f32, look: &MapLook) -> String {
    let limit = format::loss(limit.into());
    let low = match look.signed {
        true => format!("−{limit}"),
        false => "0".to_owned(),
    };
    match saliency.completeness.get(index) {
        Some(complete) => format!(
            "{low} … {limit} · sum {} of {}",
            format::short(complete.sum.into(), 2),
            format::short(complete.difference.into(), 2)
        ),
        None => format!("map: {} {low} … {limit}", noun(saliency.method)),
    }
}

/// What the values of a map are called.
fn noun(method: Method) -> &'static str {
    match method {
        Method::Gradient | Method::Guided => "gradient",
        Method::GradientXInput => "gradient × input",
        Method::Smoothgrad => "mean gradient",
        Method::Integrated => "share of the score",
        Method::GradCam => "weighted maps",
        Method::Occlusion => "loss of score",
    }
}

/// A side that gives every pixel the same size, where that costs little of the room.
fn whole(side: f32, pixels: usize) -> f32 {
    let zoom = (side / pixels.max(1) as f32).floor();
    let even = zoom * pixels as f32;
    if even >= 0.85 * side { even } else { side }
}

/// Columns of cards and the side of a picture: the largest that need no scrolling, from 72 to 160 points.
fn arrangement(count: usize, ratio: f32, lines: usize, space: Vec2) -> (usize, f32) {
    let side = |columns: usize| {
        ((space.x / columns as f32 - BETWEEN - 2.0 * GAP) / 3.0)
            .floor()
            .min(160.0)
    };
    let tall = |columns: usize| side(columns) * ratio + GAP + lines as f32 * LINE + BETWEEN;
    let fits = |columns: &usize| count.div_ceil(*columns) as f32 * tall(*columns) <= space.y;
    let most = (1..=count.max(1))
        .take_while(|&columns| side(columns) >= 72.0)
        .last()
        .unwrap_or(1);
    let columns = (1..=most).find(fits).unwrap_or(most);
    (columns, side(columns).max(24.0))
}

/// The label and the most probable classes with bars for their probabilities; or the error.
fn say(ui: &Ui, saliency: &Saliency, answer: &Answer, area: Rect) {
    let colors = theme::palette(ui);
    let small = FontId::proportional(theme::SMALL);
    let row = |line: usize| area.left_center().y - area.height() / 2.0 + (line as f32 + 0.5) * LINE;
    let write = |x: f32, line: usize, align: Align2, text: String, font: FontId, color| {
        ui.painter()
            .text(pos2(x, row(line)), align, text, font, color);
    };
    let Some(class) = answer.class else {
        let score = format::loss(f64::from(answer.score));
        let text = match saliency.question {
            Question::Unit(unit) => format!("unit {}: {score}", unit + 1),
            _ => format!("error (MSE) {score}"),
        };
        return write(
            area.left(),
            0,
            Align2::LEFT_CENTER,
            text,
            theme::digits(theme::SMALL),
            colors.weak,
        );
    };
    let right =
        answer.label.is_some() && answer.label == answer.top.first().map(|(class, _)| *class);
    let (label, color) = match answer.label {
        Some(label) if right => (
            format!("is {}", short(&saliency.class_name(label))),
            colors.weak,
        ),
        Some(label) => (
            format!("is {}", short(&saliency.class_name(label))),
            colors.wrong,
        ),
        None => match &answer.labels {
            Some(labels) => of_labels(saliency, answer, labels, colors),
            None => ("not labelled".to_owned(), colors.weak),
        },
    };
    let name = short(&saliency.class_name(class));
    let value = format::short(answer.score.into(), 2);
    heading(ui, area, (&label, color), [&name, &value]);
    let letters = answer
        .top
        .iter()
        .map(|(class, _)| short(&saliency.class_name(*class)).chars().count())
        .max();
    let names = area.left() + (8.0 + 7.0 * letters.unwrap_or(0) as f32).min(area.width() * 0.45);
    let bars = area.right() - 52.0 - names - 6.0;
    for (line, (class, probability)) in answer.top.iter().enumerate() {
        let color = if line == 0 {
            colors.strong
        } else {
            colors.text
        };
        write(
            area.left(),
            line + 1,
            Align2::LEFT_CENTER,
            short(&saliency.class_name(*class)),
            small.clone(),
            color,
        );
        let share = if probability.is_finite() {
            probability.clamp(0.0, 1.0)
        } else {
            0.0
        };
        let bar = Rect::from_min_size(
            pos2(names, row(line + 1) - 3.0),
            vec2((bars * share).max(1.0), 6.0),
        );
        ui.painter().rect_filled(
            bar,
            1.0,
            if line == 0 {
                colors.accent
            } else {
                colors.line
            },
        );
        let percent = format!("{:.1} %", 100.0 * probability);
        write(
            area.right(),
            line + 1,
            Align2::RIGHT_CENTER,
            percent,
            theme::digits(theme::SMALL),
            color,
        );
    }
}

/// Which of several labels an image has, and whether the score says so of the one that is explained.
fn of_labels(
    saliency: &Saliency,
    answer: &Answer,
    labels: &[u32],
    colors: &theme::Palette,
) -> (String, Color32) {
    let names: Vec<String> = labels
        .iter()
        .map(|label| short(&saliency.class_name(*label)))
        .collect();
    let text = match names.is_empty() {
        true => "none of the labels".to_owned(),
        false => format!("is {}", names.join(" + ")),
    };
    let is_there = answer.class.is_some_and(|class| labels.contains(&class));
    match is_there == (answer.score > 0.0) {
        true => (text, colors.weak),
        false => (text, colors.wrong),
    }
}

/// The right class on the left and the score on the right, as much of both as one line has room for.
fn heading(ui: &Ui, area: Rect, (label, color): (&str, Color32), [name, value]: [&str; 2]) {
    let font = || FontId::proportional(theme::SMALL);
    let weak = theme::palette(ui).weak;
    let label = elided(ui, label, font(), color, area.width());
    let room = (area.width() - label.size().x - 2.0 * GAP).max(0.0);
    let [whole, short] = [
        format!("logit of {name}: {value}"),
        format!("logit {value}"),
    ];
    let score = first_fitting(ui, &[&whole, &short, value], font(), weak, room);
    let top = |galley: &Galley| area.top() + 0.5 * (LINE - galley.size().y);
    let left = pos2(area.left(), top(&label));
    ui.painter().galley(left, label, color);
    if !score.elided {
        let right = pos2(area.right() - score.size().x, top(&score));
        ui.painter().galley(right, score, weak);
    }
}

fn short(name: &str) -> String {
    if name.chars().count() <= NAME {
        name.to_owned()
    } else {
        name.chars().take(NAME - 1).chain(['…']).collect()
    }
}

fn value(saliency: &Saliency, index: usize, part: usize, inside: Vec2, look: &MapLook) -> String {
    if saliency.are_signals() {
        return stretch(saliency, index, inside.x, look);
    }
    let at = |share: f32, size: usize| ((share * size as f32) as usize).min(size.saturating_sub(1));
    let (row, column) = (at(inside.y, saliency.height), at(inside.x, saliency.width));
    let pixel = row * saliency.width + column;
    let bytes = saliency
        .input(index)
        .chunks_exact(saliency.channels.max(1))
        .nth(pixel)
        .unwrap_or_default();
    let shown = saliency.shown(index, look);
    let value = named(
        saliency,
        look,
        shown.get(pixel).copied().unwrap_or(f32::NAN),
    );
    let bytes: Vec<_> = bytes.iter().map(u8::to_string).collect();
    format!(
        "{} of image {}, row {}, column {}\npixel {}\n{value}",
        PARTS[part],
        index + 1,
        row + 1,
        column + 1,
        bytes.join(", ")
    )
}

/// `|gradient| 0.41`
fn named(saliency: &Saliency, look: &MapLook, value: f32) -> String {
    let (noun, number) = (noun(saliency.method), format::short(value.into(), 4));
    match look.signed {
        true => format!("{noun} {number}"),
        false => format!("|{noun}| {}", format::loss(f64::from(value))),
    }
}

/// The values of the part of a curve at this fraction of its width.
fn stretch(saliency: &Saliency, index: usize, share: f32, look: &MapLook) -> String {
    let [from, to] = samples_at(saliency.width, share);
    let values = saliency
        .shown(index, look)
        .get(from..to)
        .unwrap_or_default();
    let larger = |most: f32, value: f32| {
        if value.abs() > most.abs() {
            value
        } else {
            most
        }
    };
    let most = named(saliency, look, values.iter().copied().fold(0.0, larger));
    let samples = if to - from > 1 {
        format!("samples {from} to {}", to - 1)
    } else {
        format!("sample {from}")
    };
    format!("signal {}, {samples}\nat most {most}", index + 1)
}

/// What a screen reader says of it.
fn described(saliency: &Saliency) -> String {
    let sure = saliency
        .answers
        .first()
        .and_then(|answer| answer.top.first());
    let first = sure.map_or_else(String::new, |(class, p)| {
        format!(
            ", the first taken for {} with {:.0} %",
            saliency.class_name(*class),
            100.0 * p
        )
    });
    let noun = if saliency.are_signals() {
        "signals"
    } else {
        "images"
    };
    format!("saliency of {} {noun}{first}", saliency.answers.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cards_fill_the_space_they_have() {
        for (count, space) in [
            (16, vec2(900.0, 500.0)),
            (1, vec2(600.0, 300.0)),
            (16, vec2(500.0, 200.0)),
        ] {
            let (columns, side) = arrangement(count, 1.0, 4, space);
            assert!(
                columns as f32 * (3.0 * side + 2.0 * GAP + BETWEEN) <= space.x,
                "{count} {space:?}"
            );
            assert!((72.0..=160.0).contains(&side));
        }
        assert_eq!(
            (whole(90.0, 28), whole(78.0, 28), whole(72.0, 96)),
            (84.0, 78.0, 72.0)
        );
        assert_eq!(short("a very long name of a class"), "a very long n…");
    }
}
