//! Beside a map: the classes with their colours, which hide and show them, and the image that is open.

use super::scatter::{Pictures, sentence};
use crate::theme;
use crate::widgets::elided;
use eframe::egui::{
    Button, CornerRadius, FontId, Rect, RichText, Role, ScrollArea, Sense, Stroke, StrokeKind, Ui,
    WidgetInfo, pos2, vec2,
};
use std::collections::{BTreeMap, BTreeSet};
use strata_core::format;
use strata_inspect::embedding::Embedding;

const ROW: f32 = 20.0;
const DOT: f32 = 10.0;
/// The longest side of the open image.
const OPEN: f32 = 128.0;

/// What was clicked.
#[derive(Default)]
pub(super) struct Clicked {
    /// The class to hide or to show again.
    pub class: Option<Option<u32>>,
    /// Shows all classes.
    pub all: bool,
    /// Opens the neighbours of this image of the split.
    pub neighbours: Option<u32>,
    /// Closes the open image.
    pub close: bool,
}

/// The classes of a map and how many images each has.
pub(super) fn classes(map: &Embedding) -> BTreeMap<Option<u32>, usize> {
    let mut counts = BTreeMap::new();
    for label in &map.features.sample.labels {
        *counts.entry(*label).or_default() += 1;
    }
    counts
}

/// The open image and the legend, one below the other.
pub(super) fn show(
    ui: &mut Ui,
    map: &Embedding,
    pictures: &Pictures,
    (open, hidden): (Option<usize>, &BTreeSet<Option<u32>>),
) -> Clicked {
    let mut clicked = Clicked::default();
    ScrollArea::vertical()
        .id_salt("classes of the map")
        .auto_shrink(false)
        .show(ui, |ui| {
            if let Some(index) = open.filter(|index| *index < map.points.len()) {
                opened(ui, map, pictures, index, &mut clicked);
                ui.add_space(theme::GAP);
            }
            if !hidden.is_empty() {
                let all = Button::new(RichText::new("Show all classes").size(theme::SMALL));
                clicked.all = ui.add(all).clicked();
            }
            for (label, count) in classes(map) {
                let is_hidden = hidden.contains(&label);
                if class(ui, map, (label, count), is_hidden) {
                    clicked.class = Some(label);
                }
            }
        });
    clicked
}

fn opened(ui: &mut Ui, map: &Embedding, pictures: &Pictures, index: usize, clicked: &mut Clicked) {
    let size = pictures.size(OPEN.min(ui.available_width() - 8.0));
    let (area, response) = ui.allocate_exact_size(size, Sense::hover());
    pictures.paint(ui, index, area);
    let said = sentence(map, index);
    response.widget_info(|| WidgetInfo::labeled(Role::Image, true, said.as_str()));
    ui.label(
        RichText::new(&said)
            .size(theme::SMALL)
            .color(theme::palette(ui).text),
    );
    ui.horizontal_wrapped(|ui| {
        let place = map.features.sample.indices.get(index).copied();
        let hover = "Shows the images that are nearest to it, by pixels and by features";
        let button = ui.add(Button::new(RichText::new("Neighbours").size(theme::SMALL)));
        if button.on_hover_text(hover).clicked() {
            clicked.neighbours = place;
        }
        clicked.close = ui
            .add(Button::new(RichText::new("Close").size(theme::SMALL)))
            .accessible_name("Close the image")
            .clicked();
    });
}

/// A class of the legend; whether it was clicked.
fn class(
    ui: &mut Ui,
    map: &Embedding,
    (label, count): (Option<u32>, usize),
    is_hidden: bool,
) -> bool {
    let colors = theme::palette(ui);
    let size = vec2(ui.available_width() - 8.0, ROW);
    let (area, response) = ui.allocate_exact_size(size, Sense::click());
    if response.hovered() || response.has_focus() {
        let corner = CornerRadius::same(theme::RADIUS);
        ui.painter().rect_filled(area, corner, colors.lifted);
    }
    let color = theme::class_color(ui, label);
    let dot = Rect::from_center_size(pos2(area.left() + DOT, area.center().y), vec2(DOT, DOT));
    if is_hidden {
        let stroke = Stroke::new(1.5, color);
        ui.painter()
            .rect_stroke(dot, CornerRadius::same(2), stroke, StrokeKind::Inside);
    } else {
        ui.painter().rect_filled(dot, CornerRadius::same(2), color);
    }
    let ink = if is_hidden { colors.weak } else { colors.text };
    let name = name(map, label);
    let number = format::count(count as u64);
    let figure =
        ui.painter()
            .layout_no_wrap(number.clone(), theme::digits(theme::TINY), colors.weak);
    let left = area.left() + 2.0 * DOT + 2.0;
    let room = area.right() - figure.size().x - 8.0 - left;
    let galley = elided(ui, &name, FontId::proportional(theme::SMALL), ink, room);
    let at = pos2(left, area.center().y - galley.size().y / 2.0);
    ui.painter().galley(at, galley, ink);
    let at = pos2(
        area.right() - figure.size().x - 4.0,
        area.center().y - figure.size().y / 2.0,
    );
    ui.painter().galley(at, figure, colors.weak);
    let said = format!("class {name}, {number} images");
    response.widget_info(|| WidgetInfo::selected(Role::CheckBox, true, !is_hidden, said.as_str()));
    let hover = match is_hidden {
        true => "Shows the images of this class again",
        false => "Hides the images of this class",
    };
    response.on_hover_text(hover).clicked()
}

/// A class's name; `not labelled` of images without one.
pub(super) fn name(map: &Embedding, label: Option<u32>) -> String {
    label.map_or_else(
        || "not labelled".to_owned(),
        |label| map.features.class_name(label),
    )
}
