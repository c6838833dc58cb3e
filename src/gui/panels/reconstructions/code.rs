//! The code of an image, changed by hand: every unit is a bar that can be dragged; beside it the way to another image,
//! noise on the code, and what the decoder paints from each unit alone.

use super::choice::{ReconstructionChoice, choose};
use crate::plate::of_reconstructions::paints;
use crate::theme;
use crate::widgets::keep_arrows;
use crate::widgets::raster::Sheet;
use crate::widgets::slider;
use eframe::egui::{
    Align2, Button, Context, DragValue, FontId, Key, Rect, Response, RichText, Role, Sense, Slider,
    Stroke, Ui, WidgetInfo, pos2, vec2,
};
use std::sync::Arc;
use strata_app::action::Action;
use strata_core::format;
use strata_engine::inspection::reply::Reply;
use strata_inspect::code_edit::{CodeEdit, Request, STEPS};
use strata_inspect::picture::FilterScale;

/// What is drawn, with its textures: image, reconstruction, edited, walk, noise; and what units paint.
pub(super) struct Drawn {
    of: Arc<Reply<CodeEdit>>,
    pictures: Sheet,
    paints: Sheet,
}

const PICTURE: f32 = 96.0;
const SMALL: f32 = 64.0;
const CHART: f32 = 112.0;
const GAP: f32 = 8.0;
/// How far beyond its values over the probe images a unit can be dragged.
const BEYOND: f32 = 1.5;
/// The most noise, in standard deviations.
const MOST_NOISE: f32 = 3.0;

impl Drawn {
    /// Textures, unless they are of this code already.
    pub(super) fn update(
        drawn: &mut Option<Drawn>,
        ctx: &Context,
        of: &Arc<Reply<CodeEdit>>,
        edit: &CodeEdit,
    ) {
        if drawn
            .as_ref()
            .is_some_and(|drawn| Arc::ptr_eq(&drawn.of, of))
        {
            return;
        }
        let several = |bytes: &'_ Vec<u8>| if bytes.is_empty() { 0 } else { STEPS };
        let single = edit.pictures.iter().map(Vec::as_slice);
        let walk = (0..several(&edit.walk)).map(|step| edit.picture(&edit.walk, step));
        let noisy = (0..several(&edit.noisy)).map(|step| edit.picture(&edit.noisy, step));
        let pictures: Vec<&[u8]> = single.chain(walk).chain(noisy).collect();
        let weights = paints(edit);
        let (count, scale) = (edit.painted.len(), FilterScale::PerFilter);
        *drawn = Some(Drawn {
            of: of.clone(),
            pictures: Sheet::of_images(ctx, "code", edit.size, &pictures),
            paints: Sheet::of_filters(ctx, "paints", &weights, count, scale),
        });
    }
}

pub(super) fn show(
    ui: &mut Ui,
    edit: &CodeEdit,
    drawn: &Drawn,
    former: &ReconstructionChoice,
    unit: &mut usize,
    actions: &mut Vec<Action>,
) {
    let mut choice = former.clone();
    controls(ui, edit, &mut choice.code);
    let texts = ["image", "reconstruction", "of the edited code"];
    pictures(
        ui,
        drawn,
        0,
        &texts,
        PICTURE,
        "image, reconstruction and that of the edited code",
    );
    chart(ui, edit, &mut choice.code, unit);
    let mut at = texts.len();
    for (bytes, name) in [
        (&edit.walk, "on the way to the other image"),
        (&edit.noisy, "of the code with noise"),
    ] {
        if !bytes.is_empty() {
            let label = format!("{STEPS} pictures {name}");
            heading(ui, &label);
            pictures(ui, drawn, at, &[""; STEPS], SMALL, &label);
            at += STEPS;
        }
    }
    painted(ui, edit, drawn, unit);
    choose(former, choice, actions);
}

fn heading(ui: &mut Ui, text: &str) {
    let color = theme::palette(ui).weak;
    ui.label(RichText::new(text).size(theme::SMALL).color(color));
}

/// Which image, the other one, the noise, and back to the code as it was.
fn controls(ui: &mut Ui, edit: &CodeEdit, code: &mut Request) {
    let small = |text: &str| Button::new(RichText::new(text).size(theme::SMALL));
    let [image, images] = edit.image;
    ui.horizontal_wrapped(|ui| {
        let mut number = code.image + 1;
        let field = DragValue::new(&mut number)
            .range(1..=images)
            .prefix("image ");
        let field = ui
            .add(field)
            .on_hover_text(format!("Which of the {images} probe images"));
        if field.accessible_name("Image of the code").changed() {
            code.image = number - 1;
            code.edits.clear();
        }
        let mut walks = code.other.is_some();
        let toggle = ui.checkbox(&mut walks, RichText::new("walk to").size(theme::SMALL));
        if toggle
            .on_hover_text("Shows the way in the code from this image to another")
            .changed()
        {
            code.other = walks.then(|| (image + 1) % images.max(1));
        }
        if let Some(other) = &mut code.other {
            let mut number = *other + 1;
            let field = DragValue::new(&mut number)
                .range(1..=images)
                .prefix("image ");
            if ui.add(field).accessible_name("Image at the end").changed() {
                *other = number - 1;
            }
        }
        ui.label(RichText::new("noise").size(theme::SMALL));
        let mut noise = code.noise;
        let field = slider(ui, Slider::new(&mut noise, 0.0..=MOST_NOISE));
        let hover = "Noise on the code, in standard deviations of each unit over the probe images";
        if field
            .on_hover_text(hover)
            .accessible_name("Noise of the code")
            .changed()
        {
            code.noise = noise;
        }
        if code.noise > 0.0 && ui.add(small("Draw anew")).clicked() {
            code.seed += 1;
        }
        if !code.edits.is_empty() && ui.add(small("Undo edits")).clicked() {
            code.edits.clear();
        }
    });
}

fn pictures(ui: &mut Ui, drawn: &Drawn, first: usize, texts: &[&str], side: f32, label: &str) {
    let [height, width] = drawn.pictures.size;
    let cell = vec2(
        (side * width as f32 / height.max(1) as f32).min(3.0 * side),
        side,
    );
    let words = if texts.iter().any(|text| !text.is_empty()) {
        16.0
    } else {
        0.0
    };
    let pitch = cell.x.max(if words > 0.0 { 104.0 } else { 0.0 }) + GAP;
    let size = vec2(ui.available_width(), cell.y + words);
    let (area, response) = ui.allocate_exact_size(size, Sense::hover());
    response.widget_info(|| WidgetInfo::labeled(Role::Image, true, label));
    let painter = ui.painter().with_clip_rect(area.intersect(ui.clip_rect()));
    let color = theme::palette(ui).weak;
    for (column, text) in texts.iter().enumerate() {
        let at = pos2(area.left() + column as f32 * pitch, area.top());
        drawn
            .pictures
            .paint(&painter, first + column, Rect::from_min_size(at, cell));
        let below = at + vec2(0.0, cell.y + 2.0);
        painter.text(
            below,
            Align2::LEFT_TOP,
            text,
            FontId::proportional(theme::TINY),
            color,
        );
    }
}

/// The value of a unit, as it is given by hand or as the network gives it.
fn value_of(edit: &CodeEdit, code: &Request, unit: usize) -> f32 {
    let given = code
        .edits
        .iter()
        .find(|(edited, _)| *edited as usize == unit);
    let own = || edit.code.get(unit).copied().unwrap_or(0.0);
    given.map_or_else(own, |(_, value)| *value)
}

fn set(code: &mut Request, unit: usize, value: f32) {
    code.edits.retain(|(edited, _)| *edited as usize != unit);
    code.edits.push((unit as u32, value));
}

/// The code as bars around 0; one can be dragged, or moved with the arrow keys.
fn chart(ui: &mut Ui, edit: &CodeEdit, code: &mut Request, chosen: &mut usize) {
    let units = edit.code.len();
    if units == 0 {
        return;
    }
    *chosen = (*chosen).min(units - 1);
    let ends = edit
        .ranges
        .iter()
        .flat_map(|range| [range.low.abs(), range.high.abs()]);
    let limit = BEYOND
        * ends
            .chain(edit.code.iter().map(|value| value.abs()))
            .fold(f32::MIN_POSITIVE, f32::max);
    let size = vec2(ui.available_width(), CHART);
    let (area, response) = ui.allocate_exact_size(size, Sense::click_and_drag());
    let value = value_of(edit, code, *chosen);
    let text = format!(
        "Code of {units} units; unit {} is {}",
        *chosen + 1,
        format::short(value.into(), 3)
    );
    response.widget_info(|| WidgetInfo::labeled(Role::Image, true, text.clone()));
    let wide = area.width() / units as f32;
    if let Some(point) = response.interact_pointer_pos() {
        if response.drag_started() || response.clicked() {
            *chosen = (((point.x - area.left()) / wide) as usize).min(units - 1);
            response.request_focus();
        }
        if response.dragged() || response.clicked() {
            let share = (area.center().y - point.y) / (area.height() / 2.0);
            set(code, *chosen, share.clamp(-1.0, 1.0) * limit);
        }
    }
    keys(ui, &response, edit, code, chosen, limit);
    let colors = theme::palette(ui);
    let painter = ui.painter();
    painter.rect_filled(area, 0.0, colors.raised);
    let y = |value: f32| area.center().y - (value / limit).clamp(-1.0, 1.0) * area.height() / 2.0;
    let gap = if wide > 4.0 { 1.0 } else { 0.0 };
    for unit in 0..units {
        let left = area.left() + unit as f32 * wide;
        let value = value_of(edit, code, unit);
        let is_edited = code
            .edits
            .iter()
            .any(|(edited, _)| *edited as usize == unit);
        let bar = Rect::from_two_pos(
            pos2(left, y(0.0)),
            pos2(left + (wide - gap).max(0.5), y(value)),
        );
        painter.rect_filled(
            bar,
            0.0,
            if is_edited {
                colors.second
            } else {
                colors.accent
            },
        );
    }
    painter.hline(area.x_range(), area.center().y, (1.0, colors.line));
    let left = area.left() + *chosen as f32 * wide;
    let column = Rect::from_min_max(
        pos2(left, area.top()),
        pos2(left + wide.max(2.0), area.bottom()),
    );
    let width = if response.has_focus() { 1.5 } else { 1.0 };
    painter.rect_stroke(
        column,
        0.0,
        Stroke::new(width, colors.strong),
        eframe::egui::StrokeKind::Inside,
    );
    heading(ui, &unit_words(edit, code, *chosen));
    if let Some(point) = response.hover_pos() {
        let unit = (((point.x - area.left()) / wide) as usize).min(units - 1);
        response.on_hover_text_at_pointer(unit_words(edit, code, unit));
    }
}

/// `unit 3: 1.2, was 0.5; over the probe images 0 … 2.1`
fn unit_words(edit: &CodeEdit, code: &Request, unit: usize) -> String {
    let figure = |value: f32| format::short(value.into(), 3);
    let own = edit.code.get(unit).copied().unwrap_or(0.0);
    let value = value_of(edit, code, unit);
    let was = if value == own {
        String::new()
    } else {
        format!(", was {}", figure(own))
    };
    let range = edit.ranges.get(unit).copied().unwrap_or_default();
    format!(
        "unit {}: {}{was}; over the probe images {} … {} · drag a bar, or use the arrow keys; Home undoes",
        unit + 1,
        figure(value),
        figure(range.low),
        figure(range.high)
    )
}

/// Left and right choose a unit, up and down move it, Home gives it back its own value.
fn keys(
    ui: &Ui,
    response: &Response,
    edit: &CodeEdit,
    code: &mut Request,
    chosen: &mut usize,
    limit: f32,
) {
    if !response.has_focus() {
        return;
    }
    keep_arrows(response);
    let pressed = |key: Key| ui.input(|input| input.key_pressed(key) && input.modifiers.is_none());
    if pressed(Key::ArrowLeft) {
        *chosen = chosen.saturating_sub(1);
    }
    if pressed(Key::ArrowRight) {
        *chosen = (*chosen + 1).min(edit.code.len().saturating_sub(1));
    }
    for (key, by) in [(Key::ArrowUp, 0.05), (Key::ArrowDown, -0.05)] {
        if pressed(key) {
            let value = value_of(edit, code, *chosen) + by * limit;
            set(code, *chosen, value.clamp(-limit, limit));
        }
    }
    if pressed(Key::Home) {
        code.edits.retain(|(unit, _)| *unit as usize != *chosen);
    }
}

/// What the decoder paints from each unit alone; a click chooses the unit.
fn painted(ui: &mut Ui, edit: &CodeEdit, drawn: &Drawn, chosen: &mut usize) {
    let sheet = &drawn.paints;
    let count = edit.painted.len();
    let all = edit.code.len();
    let which = match count < all {
        true => format!("the {count} units that differ most, of {all}"),
        false => format!("each of {all} units"),
    };
    heading(
        ui,
        &format!(
            "Painted from {which} alone, at its largest value over the probe images, less what zeros give; each by its own largest"
        ),
    );
    let cell = vec2(
        SMALL * sheet.size[1] as f32 / sheet.size[0].max(1) as f32,
        SMALL,
    );
    let columns = ((ui.available_width() / (cell.x + GAP)) as usize).max(1);
    let tall = count.div_ceil(columns) as f32 * (cell.y + 16.0);
    let (area, response) = ui.allocate_exact_size(vec2(ui.available_width(), tall), Sense::click());
    response.widget_info(|| {
        WidgetInfo::labeled(Role::Image, true, format!("What {count} units paint alone"))
    });
    let place = |index: usize| {
        let at = vec2(
            (index % columns) as f32 * (cell.x + GAP),
            (index / columns) as f32 * (cell.y + 16.0),
        );
        Rect::from_min_size(area.min + at, cell)
    };
    let colors = theme::palette(ui);
    for (index, unit) in edit.painted.iter().enumerate() {
        sheet.paint(ui.painter(), index, place(index));
        let at = place(index).left_bottom() + vec2(0.0, 1.0);
        let color = if *unit as usize == *chosen {
            colors.accent
        } else {
            colors.weak
        };
        ui.painter().text(
            at,
            Align2::LEFT_TOP,
            unit + 1,
            theme::digits(theme::TINY),
            color,
        );
    }
    let clicked = response
        .interact_pointer_pos()
        .filter(|_| response.clicked());
    if let Some(index) =
        clicked.and_then(|point| (0..count).find(|index| place(*index).contains(point)))
    {
        *chosen = edit.painted[index] as usize;
    }
}
