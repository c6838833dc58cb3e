//! The strip of input sizes: for which of them the network works, with the rule in words; a click, or arrows and
//! Enter, takes another size.

use super::answers::Known;
use super::slice;
use crate::theme;
use crate::widgets::keep_arrows;
use crate::widgets::plain;
use eframe::egui::{
    Align, Align2, Button, Id, Key, Label, Layout, Rect, Response, RichText, Sense,
    Shape as Drawing, Stroke, StrokeKind, Ui, UiBuilder, WidgetInfo, pos2, vec2,
};
use strata_app::action::{Action, Show};
use strata_app::state::Switch;
use strata_core::project::Network;
use strata_core::project::edit::Edit;
use strata_core::project::size::Shape;
use strata_core::shape::infer;
use strata_design::valid_input_sizes::{MOST, Strip};
use strata_design::{banner, explain};

const WORDS: f32 = 24.0;
const BAR: f32 = 16.0;
const TICKS: f32 = 14.0;
const BELOW: f32 = 2.0;

/// The size that is looked at, and what was found out about it.
#[derive(Default)]
pub struct Cursor {
    /// The size that the keyboard is on.
    at: Option<usize>,
    said: Option<(Network, Shape, String)>,
}

/// The room that the strip takes; `None` while it is worked out.
pub(super) fn height(strips: Option<&[Strip]>) -> f32 {
    if strips.is_some_and(<[Strip]>::is_empty) {
        0.0
    } else {
        WORDS + BAR + TICKS + BELOW
    }
}

/// Shows the strip, with a choice of the axis where they differ.
pub(super) fn show(
    ui: &mut Ui,
    known: &Known,
    axis: usize,
    cursor: &mut Cursor,
    actions: &mut Vec<Action>,
) {
    let area = ui.available_rect_before_wrap();
    let line = slice(area, 0.0, WORDS);
    let Some(strips) = &known.strips else {
        let font = eframe::egui::FontId::proportional(theme::SMALL);
        let text = "Trying all sizes from 1 to 512 …";
        ui.painter().text(
            line.left_center(),
            Align2::LEFT_CENTER,
            text,
            font,
            theme::palette(ui).weak,
        );
        return;
    };
    let Some(strip) = strips.get(axis).or(strips.first()) else {
        return;
    };
    let bar = slice(area, WORDS, BAR).shrink2(vec2(1.0, 0.0));
    let looked_at = one(ui, bar, strip, known, cursor, actions);
    let mut line = ui.new_child(
        UiBuilder::new()
            .id_salt("rule")
            .max_rect(line)
            .layout(Layout::left_to_right(Align::Center)),
    );
    line.spacing_mut().item_spacing.x = 6.0;
    if strips.len() > 1 {
        choice(&mut line, strips, axis, actions);
    }
    words(&mut line, strip, looked_at, known, cursor, actions);
    ticks(ui, bar);
}

/// Which axis the strip is about.
fn choice(ui: &mut Ui, strips: &[Strip], shown: usize, actions: &mut Vec<Action>) {
    for (axis, strip) in strips.iter().enumerate() {
        let text = RichText::new(strip.name).size(theme::SMALL);
        let button = ui
            .selectable_label(shown == axis, text)
            .accessible_name(format!("Sizes of {}", strip.name));
        if button
            .on_hover_text(format!("The strip of input {}s", strip.name))
            .clicked()
        {
            actions.push(Action::Show(Show::Switch(Switch::SizesAxis(axis))));
        }
    }
}

/// The place of a size.
fn place(bar: Rect, size: usize) -> Rect {
    let width = bar.width() / MOST as f32;
    Rect::from_min_size(
        pos2(bar.left() + (size - 1) as f32 * width, bar.top()),
        vec2(width, bar.height()),
    )
}

/// One bar; returns the size that is looked at.
fn one(
    ui: &Ui,
    bar: Rect,
    strip: &Strip,
    known: &Known,
    cursor: &mut Cursor,
    actions: &mut Vec<Action>,
) -> Option<usize> {
    let response = ui.interact(bar, Id::unique(("sizes", strip.name)), Sense::click());
    let hovered = response
        .hover_pos()
        .map(|at| ((at.x - bar.left()) / bar.width() * MOST as f32) as usize + 1);
    let hovered = hovered.map(|size| size.clamp(1, MOST));
    let steered = steer(ui, &response, strip, cursor);
    let shown = hovered.or(steered);
    let name = format!("Input {}", strip.name);
    let value = shown.unwrap_or(strip.present) as f64;
    response.widget_info(|| WidgetInfo::slider(true, value, &name));
    paint(ui, bar, strip, shown, response.has_focus());
    let entered = steered.filter(|_| ui.input(|input| input.key_pressed(Key::Enter)));
    let clicked = response
        .interact_pointer_pos()
        .filter(|_| response.clicked())
        .and(hovered);
    let chosen = clicked.or(entered).filter(|&size| size != strip.present);
    let shape = chosen.and_then(|size| strip.shape(&known.network.input, size));
    actions.extend(shape.map(|shape| Action::Edit(Edit::Input(shape))));
    shown
}

/// Arrows move by one, up and down to the next size that works.
fn steer(ui: &Ui, response: &Response, strip: &Strip, cursor: &mut Cursor) -> Option<usize> {
    if !response.has_focus() {
        cursor.at = None;
        return None;
    }
    keep_arrows(response);
    let mut size = cursor.at.unwrap_or(strip.present).clamp(1, MOST);
    let pressed = |key: Key| ui.input(|input| input.num_presses(key));
    size = (size + pressed(Key::ArrowRight))
        .min(MOST)
        .saturating_sub(pressed(Key::ArrowLeft))
        .max(1);
    if pressed(Key::ArrowUp) > 0 {
        size = strip.nearest_to(size).1.unwrap_or(size);
    }
    if pressed(Key::ArrowDown) > 0 {
        size = strip.nearest_to(size).0.unwrap_or(size);
    }
    cursor.at = Some(size);
    Some(size)
}

fn paint(ui: &Ui, bar: Rect, strip: &Strip, shown: Option<usize>, focused: bool) {
    let colors = theme::palette(ui);
    let line = if focused { colors.accent } else { colors.line };
    ui.painter().rect(
        bar.expand(1.0),
        2.0,
        colors.raised,
        Stroke::new(1.0, line),
        StrokeKind::Outside,
    );
    let mut at = 1;
    while at <= MOST {
        let run = (at..=MOST).take_while(|&size| strip.works_at(size)).count();
        if run > 0 {
            let rect = Rect::from_min_max(place(bar, at).min, place(bar, at + run - 1).max);
            ui.painter().rect_filled(rect, 0.0, colors.proven);
        }
        at += run.max(1);
    }
    if let Some(size) = shown {
        let rect = place(bar, size);
        ui.painter().rect_filled(
            Rect::from_center_size(rect.center(), vec2(2.0, BAR + 4.0)),
            0.0,
            colors.accent,
        );
    }
    if strip.present <= MOST {
        let rect = place(bar, strip.present);
        let ink = if strip.is_fine {
            colors.strong
        } else {
            colors.wrong
        };
        ui.painter().rect_filled(
            Rect::from_center_size(rect.center(), vec2(2.0, BAR)),
            0.0,
            ink,
        );
        let top = pos2(rect.center().x, bar.top() + 1.0);
        let marker = vec![top, top + vec2(-4.0, -6.0), top + vec2(4.0, -6.0)];
        ui.painter()
            .add(Drawing::convex_polygon(marker, ink, Stroke::NONE));
    }
}

fn ticks(ui: &Ui, bar: Rect) {
    let ink = theme::palette(ui).weak;
    for size in [1, 64, 128, 192, 256, 320, 384, 448, 512] {
        let align = match size {
            1 => Align2::LEFT_TOP,
            512 => Align2::RIGHT_TOP,
            _ => Align2::CENTER_TOP,
        };
        let x = if size == 512 {
            bar.right()
        } else {
            place(bar, size).center().x
        };
        ui.painter().text(
            pos2(x, bar.bottom() + 2.0),
            align,
            size.to_string(),
            theme::digits(theme::TINY),
            ink,
        );
    }
}

/// The rule, and what would be with the size that is looked at, or the sizes to take instead.
fn words(
    line: &mut Ui,
    strip: &Strip,
    looked_at: Option<usize>,
    known: &Known,
    cursor: &mut Cursor,
    actions: &mut Vec<Action>,
) {
    let colors = *theme::palette(line);
    let small = |text: String| RichText::new(text).size(theme::SMALL);
    let given = strip
        .given
        .map(|size| format!(", others at {size}"))
        .unwrap_or_default();
    line.label(small(format!("Works for {}{given}", strip.rule)).color(colors.strong)).on_hover_text(format!(
        "Every {} from 1 to {MOST} was tried. Green: {}. Click on a size to take it, or step with the arrow keys and press Enter; ↑ and ↓ jump to the next one that works.",
        strip.name,
        if known.network.decoder.is_empty() { "no layer has an error" } else { "the output equals the input" }
    ));
    if let Some(size) = looked_at {
        let text = format!("{size}: {}", cursor.verdict(strip, size, known));
        let ink = if strip.works_at(size) {
            colors.proven
        } else {
            colors.wrong
        };
        line.add(Label::new(small(text).color(ink)).truncate());
        return;
    }
    if strip.is_fine {
        line.label(small(format!("now {} ✓", strip.present)).color(colors.proven));
        return;
    }
    line.label(small(format!("now {}", strip.present)).color(colors.wrong));
    let (below, above) = strip.nearest;
    for size in [below, above].into_iter().flatten() {
        let button = Button::new(small(format!("use {size}"))).small();
        let name = format!("Use {} {size}", strip.name);
        let clicked = line
            .add(button)
            .on_hover_text("Take this size as the input's")
            .accessible_name(&name)
            .clicked();
        let shape = strip.shape(&known.network.input, size).filter(|_| clicked);
        actions.extend(shape.map(|shape| Action::Edit(Edit::Input(shape))));
    }
}

impl Cursor {
    /// What inference says of a size, and the first cause if it does not work.
    fn verdict(&mut self, strip: &Strip, size: usize, known: &Known) -> String {
        let Some(input) = strip.shape(&known.network.input, size) else {
            return String::new();
        };
        if let Some((network, shape, said)) = &self.said
            && *shape == input
            && *network == known.network
        {
            return said.clone();
        }
        let network = Network {
            input: input.clone(),
            ..known.network.clone()
        };
        let inference = infer(&network);
        let told = banner(&inference).text;
        let cause = explain(&network, &inference)
            .sentences
            .into_iter()
            .next()
            .unwrap_or_default();
        let said = match strip.works_at(size) {
            true if known.network.decoder.is_empty() => "every layer works".to_owned(),
            true => told,
            false => format!("{told} · {}", plain(&cause)),
        };
        self.said = Some((known.network.clone(), input, said.clone()));
        said
    }
}
