//! The path through the stack: the encoder's sizes going down on the left, the decoder's coming up on the right,
//! partners next to each other, so that the level at which they differ is seen. Where a skip connection joins the two
//! sizes of a level, the line between them carries its word.

use super::answers::Known;
use super::slice;
use crate::theme;
use crate::widgets::{elided, said};
use eframe::egui::{
    Align2, Color32, FontId, Id, Rect, Response, RichText, Role, Sense, Stroke, StrokeKind, Ui,
    WidgetInfo, pos2, vec2,
};
use std::ops::RangeInclusive;
use strata_app::action::Action;
use strata_app::state::State;
use strata_core::project::node::Node;
use strata_core::project::size::Shape;
use strata_design::explain::{Side, Step};

/// A line with the two sizes of a level.
const LEVEL: f32 = 18.0;
/// A layer.
const CHIP: f32 = 22.0;
/// Between layers of one row.
const GAP: f32 = 3.0;
/// How far each level is indented from the one above, at most.
const INDENT: f32 = 9.0;

/// One row: what goes down and what comes up between two levels.
#[derive(Default)]
struct Row<'a> {
    down: Vec<&'a Step>,
    up: Vec<&'a Step>,
}

impl Row<'_> {
    fn chips(&self) -> usize {
        self.down.len().max(self.up.len())
    }

    /// The word of the block whose skip connection joins what goes down with what comes up.
    fn skip(&self) -> Option<&'static str> {
        let (down, up) = (self.down.first()?, self.up.first()?);
        let blocks = |step: &Step| step.place.enclosing_blocks();
        (blocks(down) == blocks(up)).then_some(down.block).flatten()
    }

    fn height(&self) -> f32 {
        LEVEL + self.chips() as f32 * (CHIP + GAP) + GAP
    }
}

/// Shows the path; a click on a layer selects it.
pub(super) fn show(ui: &mut Ui, known: &Known, state: &State, actions: &mut Vec<Action>) {
    let (rows, bottom) = rows(&known.explanation.path);
    if rows.is_empty() && bottom.is_empty() {
        ui.label(said(
            &known.without_steps,
            theme::BODY,
            theme::palette(ui).weak,
        ));
        return;
    }
    let middle = LEVEL + bottom.len() as f32 * (CHIP + GAP);
    let height: f32 = rows.iter().map(Row::height).sum::<f32>() + middle + GAP;
    let (area, _) =
        ui.allocate_exact_size(vec2(ui.available_width() - 6.0, height), Sense::hover());
    let indent = (area.width() * 0.16 / rows.len().max(1) as f32).min(INDENT);
    let mut top = 0.0;
    for (depth, row) in rows.iter().enumerate() {
        let inside = slice(area, top, row.height()).shrink2(vec2(indent * depth as f32, 0.0));
        level(ui, slice(inside, 0.0, LEVEL), row);
        let (left, right) =
            slice(inside, LEVEL, row.height() - LEVEL).split_left_right_at_fraction(0.5);
        column(ui, left, &row.down, known, state, actions);
        column(ui, right, &row.up, known, state, actions);
        top += row.height();
    }
    let inside = slice(area, top, middle).shrink2(vec2(indent * rows.len() as f32, 0.0));
    let turn = turn(known, &known.explanation.path);
    code(ui, slice(inside, 0.0, LEVEL), turn);
    let below = slice(inside, LEVEL, middle - LEVEL).shrink2(vec2(inside.width() * 0.2, 0.0));
    column(ui, below, &bottom, known, state, actions);
}

/// The steps by row, and those where there is no image.
fn rows(path: &[Step]) -> (Vec<Row<'_>>, Vec<&Step>) {
    let mut rows: Vec<Row<'_>> = Vec::new();
    let mut bottom = Vec::new();
    for step in path {
        if step.side == Side::Bottom {
            bottom.push(step);
            continue;
        }
        if rows.len() <= step.row {
            rows.resize_with(step.row + 1, Row::default);
        }
        let Some(row) = rows.get_mut(step.row) else {
            continue;
        };
        match step.side {
            Side::Down => row.down.push(step),
            // What comes up is drawn from below.
            _ => row.up.insert(0, step),
        }
    }
    (rows, bottom)
}

/// `32×32`, or `3×32×32` where the channels are the matter.
fn sizes(shape: &Shape, whole: bool) -> String {
    if whole || shape.is_vector() {
        return shape.to_string();
    }
    shape
        .spatial()
        .iter()
        .map(usize::to_string)
        .collect::<Vec<_>>()
        .join("×")
}

/// What the encoder had at a level, and what the decoder comes back with.
fn level(ui: &Ui, rect: Rect, row: &Row<'_>) {
    let colors = theme::palette(ui);
    let had = row.down.first().map(|step| &step.before);
    let back = row.up.first();
    let wrong = back.is_some_and(|step| step.wrong);
    let known = back
        .zip(had)
        .filter(|(step, had)| step.after.spatial() == had.spatial());
    let ink = match (wrong, known) {
        (true, _) => colors.wrong,
        (false, Some(_)) => colors.proven,
        (false, None) => colors.weak,
    };
    let whole = wrong && known.is_some();
    let (mut from, mut to) = (rect.left() + 2.0, rect.right() - 2.0);
    let write = |x: f32, align: Align2, shape: &Shape, color: Color32| {
        let at = pos2(x, rect.center().y);
        ui.painter().text(
            at,
            align,
            sizes(shape, whole),
            theme::digits(theme::CODE),
            color,
        )
    };
    if let Some(had) = had {
        from = write(from, Align2::LEFT_CENTER, had, colors.strong).right() + 6.0;
    }
    if let Some(step) = back {
        let color = if wrong { colors.wrong } else { colors.strong };
        to = write(to, Align2::RIGHT_CENTER, &step.after, color).left() - 6.0;
    }
    if had.is_some() && back.is_some() && to > from {
        let word = match wrong {
            true => Some("≠"),
            false => row.skip(),
        };
        link(ui, from..=to, rect.center().y, ink, word);
    }
}

/// A line between two sizes: whole where they are equal, broken by ≠ where not, or by the word of what joins them.
fn link(ui: &Ui, span: RangeInclusive<f32>, y: f32, ink: Color32, word: Option<&str>) {
    const ROOM: f32 = 4.0;
    let (from, to) = (*span.start(), *span.end());
    let stroke = Stroke::new(1.0, theme::faded(ink, 0.7));
    let font = match word {
        Some("≠") | None => theme::heading(theme::BODY),
        Some(_) => FontId::proportional(theme::SMALL),
    };
    let word = word.unwrap_or_default().to_owned();
    let galley = ui.painter().layout_no_wrap(word, font, ink);
    let half = galley.size().x / 2.0 + if galley.is_empty() { 0.0 } else { ROOM };
    let middle = (from + to) / 2.0;
    if galley.is_empty() || 2.0 * half > to - from {
        ui.painter().hline(span, y, stroke);
        return;
    }
    ui.painter().hline(from..=middle - half, y, stroke);
    ui.painter().hline(middle + half..=to, y, stroke);
    let corner = pos2(middle, y) - galley.size() / 2.0;
    ui.painter().galley(corner, galley, ink);
}

/// What stands where the way turns: the code, or the least size where that lies inside of a block.
fn turn(known: &Known, path: &[Step]) -> String {
    let last = path.iter().rfind(|step| step.side == Side::Down);
    match (last.filter(|step| step.block.is_some()), &known.code) {
        (Some(step), _) => sizes(&step.after, false),
        (None, Some(code)) => format!("code {code}"),
        (None, None) => "code ?".to_owned(),
    }
}

fn code(ui: &Ui, rect: Rect, code: String) {
    let colors = theme::palette(ui);
    let stroke = Stroke::new(1.0, colors.line);
    let font = theme::digits(theme::CODE);
    let text = ui.painter().text(
        rect.center(),
        Align2::CENTER_CENTER,
        code,
        font,
        colors.weak,
    );
    ui.painter()
        .hline(rect.left()..=text.left() - 6.0, rect.center().y, stroke);
    ui.painter()
        .hline(text.right() + 6.0..=rect.right(), rect.center().y, stroke);
}

fn column(
    ui: &mut Ui,
    rect: Rect,
    steps: &[&Step],
    known: &Known,
    state: &State,
    actions: &mut Vec<Action>,
) {
    for (at, step) in steps.iter().enumerate() {
        let rect = slice(rect, at as f32 * (CHIP + GAP), CHIP).shrink2(vec2(2.0, 0.0));
        let id = Id::unique(("solve step", &step.place, step.row, at));
        if chip(ui, rect, id, step, known, state).clicked() {
            actions.push(Action::Select(Some(step.place.clone())));
        }
    }
}

/// A layer as a small button.
fn chip(ui: &Ui, rect: Rect, id: Id, step: &Step, known: &Known, state: &State) -> Response {
    let response = ui.interact(rect, id, Sense::click());
    let said = format!(
        "Step {} {}: {} → {}",
        step.place, step.text, step.before, step.after
    );
    let name = if step.culprit {
        format!("{said}, a cause of the difference")
    } else {
        said
    };
    response.widget_info(|| WidgetInfo::labeled(Role::Button, true, name.clone()));
    let colors = theme::palette(ui);
    let lit =
        response.hovered() || response.has_focus() || state.selected.as_ref() == Some(&step.place);
    let fill = match (step.culprit, lit) {
        (true, _) => colors.wrong_back,
        (false, true) => colors.lifted,
        (false, false) => colors.raised,
    };
    let line = match (
        step.culprit,
        response.has_focus() || state.selected.as_ref() == Some(&step.place),
    ) {
        (_, true) => colors.accent,
        (true, false) => colors.wrong,
        (false, false) => Color32::TRANSPARENT,
    };
    ui.painter().rect(
        rect,
        theme::RADIUS,
        fill,
        Stroke::new(1.0, line),
        StrokeKind::Inside,
    );
    let strip = Rect::from_min_size(rect.min, vec2(3.0, rect.height()));
    let family = theme::family(ui, Node::from_text(&step.text).family());
    ui.painter()
        .rect_filled(strip, 1.0, if step.culprit { colors.wrong } else { family });
    let ink = if step.culprit || lit {
        colors.strong
    } else {
        colors.text
    };
    label(ui, rect, &step.text, ink);
    response.on_hover_ui(|ui| hover(ui, step, known))
}

fn label(ui: &Ui, rect: Rect, text: &str, ink: Color32) {
    let galley = elided(
        ui,
        text,
        theme::digits(theme::SMALL),
        ink,
        rect.width() - 12.0,
    );
    ui.painter().galley(
        pos2(rect.left() + 8.0, rect.center().y - galley.size().y / 2.0),
        galley,
        ink,
    );
}

fn hover(ui: &mut Ui, step: &Step, known: &Known) {
    ui.label(
        RichText::new(format!("{}  {}", step.place.in_words(), step.text))
            .font(theme::digits(theme::CODE)),
    );
    ui.label(format!("{} → {}", step.before, step.after));
    if let Some(block) = step.block {
        ui.label(format!("in a branch of {block}"));
    }
    if let Some(partner) = &step.partner {
        let word = if step.side == Side::Down {
            "undone by"
        } else {
            "undoes"
        };
        ui.label(format!("{word} {partner}"));
    }
    if step.dropped.iter().any(|&dropped| dropped > 0) {
        let dropped: Vec<String> = step.dropped.iter().map(u64::to_string).collect();
        let by_axis = if step.dropped.len() > 1 {
            " by axis"
        } else {
            ""
        };
        ui.label(format!(
            "(n + 2p − span) mod s = {}{by_axis}: so much the stride rounds away",
            dropped.join(", ")
        ));
    }
    for cause in known
        .explanation
        .causes
        .iter()
        .filter(|cause| cause.place == step.place)
    {
        ui.label(said(&cause.sentence, theme::BODY, theme::palette(ui).wrong));
    }
    ui.label(
        RichText::new("Click to select the layer")
            .font(FontId::proportional(theme::SMALL))
            .weak(),
    );
}
