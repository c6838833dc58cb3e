//! The examples: original, difference and result of each image, with what the network says.

use crate::theme;
use crate::widgets::raster::Sheet;
use crate::widgets::{elided, first_fitting};
use eframe::egui::{Align2, FontId, Rect, Role, ScrollArea, Sense, Ui, WidgetInfo, pos2, vec2};
use strata_core::format;
use strata_inspect::adversarial::{Adversarial, Outcome};

/// The longest side of a picture, at most and at least, and room for what is said of it.
const SIDE: f32 = 96.0;
const LEAST: f32 = 40.0;
const NARROWEST: f32 = 72.0;
const GAP: f32 = 6.0;
const BETWEEN: f32 = 18.0;
const LINE: f32 = 15.0;
/// The line above the pictures, and those below.
const HEAD: f32 = 15.0;
const LINES: usize = 4;

/// Shows all, and what else there is below them.
pub(super) fn show(ui: &mut Ui, made: &Adversarial, sheet: &Sheet, below: impl FnOnce(&mut Ui)) {
    ScrollArea::vertical().auto_shrink(false).show(ui, |ui| {
        grid(ui, made, sheet);
        below(ui);
    });
}

fn grid(ui: &mut Ui, made: &Adversarial, sheet: &Sheet) {
    let [height, width] = sheet.size.map(|side| side.max(1) as f32);
    let room = ui.available_width() - 8.0;
    // A whole card fits in a narrow tile.
    let across = (room - 2.0 * GAP) / 3.0;
    let scale = SIDE.min(across).max(LEAST) / height.max(width);
    let side = vec2(width * scale, height * scale);
    let card = vec2(
        3.0 * side.x.max(across.min(NARROWEST)) + 2.0 * GAP,
        HEAD + side.y + LINES as f32 * LINE,
    );
    let columns = ((room + BETWEEN) / (card.x + BETWEEN)).floor().max(1.0) as usize;
    let rows = made.outcomes.len().div_ceil(columns);
    let pitch = card + vec2(BETWEEN, BETWEEN);
    let size = vec2(room, rows as f32 * pitch.y);
    let (area, response) = ui.allocate_exact_size(size, Sense::hover());
    response.widget_info(|| WidgetInfo::labeled(Role::Image, true, described(made)));
    for (index, outcome) in made.outcomes.iter().enumerate() {
        let at = vec2((index % columns) as f32, (index / columns) as f32) * pitch;
        let card = Rect::from_min_size(area.min + at, card);
        if ui.is_rect_visible(card) {
            one(ui, made, sheet, (index, outcome), (card, side));
        }
    }
}

/// The names of the pictures above them, the pictures, and the answers below.
fn one(
    ui: &Ui,
    made: &Adversarial,
    sheet: &Sheet,
    (index, outcome): (usize, &Outcome),
    (card, side): (Rect, eframe::egui::Vec2),
) {
    let colors = theme::palette(ui);
    let tiny = || FontId::proportional(theme::TINY);
    let factor = format::short(made.amplification(index).into(), 1);
    let names = [
        "image".to_owned(),
        format!("difference × {factor}"),
        "result".to_owned(),
    ];
    let across = (card.width() + GAP) / 3.0;
    for (part, name) in names.iter().enumerate() {
        let x = card.left() + part as f32 * across;
        let name = elided(ui, name, tiny(), colors.weak, across - GAP);
        ui.painter().galley(pos2(x, card.top()), name, colors.weak);
        let picture = Rect::from_min_size(pos2(x, card.top() + HEAD), side);
        sheet.paint(ui.painter(), 3 * index + part, picture);
    }
    let top = card.top() + HEAD + side.y + 3.0;
    let half = (card.width() - GAP) / 2.0;
    let is_fooled = made.is_fooled(outcome);
    let before = outcome.label.map_or_else(
        || "before".to_owned(),
        |label| format!("is {}", made.class_name(label)),
    );
    let columns = [
        (card.left(), before, &outcome.before, colors.text),
        (
            card.left() + half + GAP,
            if is_fooled { "fooled" } else { "not fooled" }.to_owned(),
            &outcome.after,
            if is_fooled {
                colors.wrong
            } else {
                colors.proven
            },
        ),
    ];
    for (x, name, answers, ink) in columns {
        let font = FontId::proportional(theme::SMALL);
        let name = elided(ui, &name, font.clone(), ink, half);
        ui.painter().galley(pos2(x, top), name, ink);
        for (line, (class, probability)) in answers.iter().take(2).enumerate() {
            let y = top + (line + 1) as f32 * LINE;
            let percent = format!("{:.1} %", 100.0 * probability);
            let ink = if line == 0 {
                colors.strong
            } else {
                colors.weak
            };
            let class = elided(ui, &made.class_name(*class), font.clone(), ink, half - 48.0);
            ui.painter().galley(pos2(x, y), class, ink);
            let digits = theme::digits(theme::TINY);
            let at = pos2(x + half - 8.0, y + LINE / 2.0);
            ui.painter()
                .text(at, Align2::RIGHT_CENTER, percent, digits, ink);
        }
    }
    let y = top + 3.0 * LINE;
    let [long, short] = change(outcome);
    let words = first_fitting(ui, &[&long, &short], tiny(), colors.weak, card.width());
    ui.painter()
        .galley(pos2(card.left(), y), words, colors.weak);
}

/// `changed: L∞ 0.1, L2 1.83 · fools through 72 % of views`, and the same in fewer words.
fn change(outcome: &Outcome) -> [String; 2] {
    let [linf, l2] = outcome.change.map(|length| format::short(length.into(), 2));
    let views = |words: &str| {
        let share = outcome.views_fooled;
        share.map_or_else(String::new, |share| {
            format!(" · {words}{:.0} % of views", 100.0 * share)
        })
    };
    [
        format!("changed: L∞ {linf}, L2 {l2}{}", views("fools through ")),
        format!("L∞ {linf}, L2 {l2}{}", views("")),
    ]
}

/// What a screen reader says of them.
fn described(made: &Adversarial) -> String {
    let (all, fooled) = (made.outcomes.len(), made.fooled());
    format!("{all} adversarial examples, {fooled} fool the network")
}
