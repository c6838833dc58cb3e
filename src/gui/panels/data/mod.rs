//! The project's images with their labels, how many there are of each class, and what was left out.

mod augmentation;
mod balance;
pub(super) mod download;
mod kernels;
mod statistics;

pub use augmentation::AugmentationView;
pub use kernels::KernelsView;
pub use statistics::StatisticsView;

use super::reading::{failed, reading};
use crate::engine::look::{CANCELLED, DataQuestion, Looked};
use crate::gui::action::{Action, Show};
use crate::gui::looking::LookAt;
use crate::gui::state::State;
use crate::gui::theme;
use crate::gui::views::View;
use crate::gui::widgets::raster::Sheet;
use crate::gui::widgets::{chevron, empty};
use crate::inspect::gallery::{Gallery, Request};
use crate::inspect::picture::image_rgba;
use crate::project::data::Split;
use crate::text;
use eframe::egui::{
    Align, Align2, Button, ComboBox, FontId, Layout, Rect, RichText, Role, ScrollArea, Sense, Ui, UiBuilder, Vec2,
    WidgetInfo, pos2, vec2,
};
use std::sync::Arc;

/// The view, with the texture of the page it shows.
#[derive(Default)]
pub struct DataView {
    drawn: Option<(Arc<Seen>, Sheet)>,
}

/// What was asked and what came of it.
type Seen = Looked<DataQuestion, Gallery>;

const GAP: f32 = 4.0;
/// Room for the name of a split.
const TABS: f32 = 84.0;
/// Width of the class's name before its images or its bar, at most.
const NAMES: f32 = 96.0;
/// Width of the column with the balance of the classes.
const BALANCE: f32 = 208.0;

impl View for DataView {
    fn about(&self) -> &'static str {
        "The images as the network gets them: scaled, grey or colour, before augmentation. A few of each class a page; how many there are of each class; and the files that were left out, with the reason."
    }

    fn status(&self, state: &State) -> String {
        latest(state).map_or_else(String::new, |gallery| {
            let [channels, height, width] = gallery.shape;
            let count = |counts: &crate::inspect::gallery::SplitCounts| {
                format!("{} {}", counts.split, text::count(counts.images as u64))
            };
            let splits = gallery.splits.iter().map(count).collect::<Vec<_>>().join(", ");
            format!("{} · {channels}×{height}×{width} · {splits}", state.project().data.source)
        })
    }

    fn tools(&mut self, ui: &mut Ui, state: &State, actions: &mut Vec<Action>) {
        let Some(gallery) = latest(state) else { return };
        let mut show = |split, page| actions.push(Action::Show(Show::DataPage(Request { split: Some(split), page })));
        let (page, pages) = (gallery.page, gallery.pages);
        let small = |text: &str| Button::new(RichText::new(text).size(theme::SMALL));
        let next = ui.add_enabled(page + 1 < pages, small("▶")).on_hover_text("The next images");
        if next.accessible_name("Next page").clicked() {
            show(gallery.split, page + 1);
        }
        let at = format!("{} / {}", page + 1, text::count(pages as u64));
        ui.label(RichText::new(at).font(theme::digits(11.5)).color(theme::palette(ui).weak));
        let former = ui.add_enabled(page > 0, small("◀")).on_hover_text("The images before");
        if former.accessible_name("Page before").clicked() {
            show(gallery.split, page.saturating_sub(1));
        }
        if ui.available_width() < TABS * gallery.splits.len() as f32 {
            return split_box(ui, gallery, &mut show);
        }
        for counts in gallery.splits.iter().rev() {
            let name = counts.split.to_string();
            let tab = ui.selectable_label(counts.split == gallery.split, RichText::new(&name).size(theme::SMALL));
            if tab.accessible_name(format!("Show {name} images")).clicked() {
                show(counts.split, 0);
            }
        }
    }

    fn body(&mut self, ui: &mut Ui, state: &State, actions: &mut Vec<Action>) {
        actions.extend(state.question(LookAt::Data));
        match seen(state).map(|seen| (seen, &seen.result)) {
            Some((_, Err(message))) => {
                if download::is_offered(state) && message != CANCELLED {
                    missing(ui, state, message, actions);
                } else {
                    empty_wrapped(ui, "No images to show", message, actions);
                }
            }
            Some((_, Ok(gallery))) if gallery.images.is_empty() => {
                empty(ui, "No images", "Choose another source or folder in the data settings.");
            }
            Some((seen, Ok(gallery))) => {
                self.update(ui, seen, gallery);
                if let Some((_, sheet)) = &self.drawn {
                    show(ui, gallery, sheet);
                }
            }
            None => reading(ui, state, "Reading the images …", actions),
        }
    }
}

/// The splits where there is no room for all of them.
fn split_box(ui: &mut Ui, gallery: &Gallery, show: &mut impl FnMut(Split, usize)) {
    let mut chosen = gallery.split;
    let combo = ComboBox::from_id_salt("split of the images").width(76.0).icon(chevron);
    let combo = combo.selected_text(RichText::new(chosen.to_string()).size(theme::SMALL)).show_ui(ui, |ui| {
        for counts in &gallery.splits {
            ui.selectable_value(&mut chosen, counts.split, counts.split.to_string());
        }
    });
    combo.response.on_hover_text("The images of which split are shown").accessible_name("Split of the images");
    if chosen != gallery.split {
        show(chosen, 0);
    }
}

/// The newest answer, until other images are being read.
fn seen(state: &State) -> Option<&Arc<Seen>> {
    let question = state.data_question();
    let asked = &state.looking.data;
    asked.latest.as_ref().filter(|seen| seen.question.same_images(&question) || !asked.waits_for(&question))
}

fn latest(state: &State) -> Option<&Gallery> {
    seen(state)?.result.as_ref().ok()
}

/// A message can be long: it names the file, and what would help.
fn empty_wrapped(ui: &mut Ui, heading: &str, message: &str, actions: &mut Vec<Action>) {
    let inner = ui.available_rect_before_wrap().shrink2(vec2(32.0, 0.0));
    ui.scope_builder(UiBuilder::new().max_rect(inner), |ui| failed(ui, heading, message, actions));
}

/// Files that could be downloaded are not there.
fn missing(ui: &mut Ui, state: &State, message: &str, actions: &mut Vec<Action>) {
    let space = (ui.available_height() / 2.0 - 80.0).max(0.0);
    let inner = ui.available_rect_before_wrap().shrink2(vec2(32.0, 0.0));
    ui.scope_builder(UiBuilder::new().max_rect(inner).layout(Layout::top_down(Align::Center)), |ui| {
        ui.add_space(space);
        ui.label(RichText::new("No images to show").font(theme::heading(theme::BODY)));
        ui.label(RichText::new(message).color(theme::palette(ui).weak));
        ui.add_space(theme::GAP);
        download::show(ui, state, actions);
    });
}

impl DataView {
    /// Makes a new texture only for another page.
    fn update(&mut self, ui: &Ui, seen: &Arc<Seen>, gallery: &Gallery) {
        if self.drawn.as_ref().is_some_and(|(drawn, _)| Arc::ptr_eq(drawn, seen)) {
            return;
        }
        let (channels, [height, width]) = (gallery.shape[0], gallery.size);
        let size = height * width * channels;
        let rgba = |index: usize| {
            image_rgba(gallery.pixels.get(index * size..(index + 1) * size).unwrap_or_default(), channels)
        };
        let sheet = Sheet::new(ui.ctx(), "data", gallery.size, gallery.images.len(), rgba);
        self.drawn = Some((seen.clone(), sheet));
    }
}

fn show(ui: &mut Ui, gallery: &Gallery, sheet: &Sheet) {
    let area = ui.available_rect_before_wrap();
    let labelled = gallery.images.iter().any(|(_, label)| label.is_some());
    let wide = area.width() >= 2.0 * BALANCE;
    let right = if wide && (labelled || !gallery.skipped.is_empty()) { BALANCE } else { 0.0 };
    let (images, side) = area.split_left_right_at_x(area.right() - right);
    let images = Rect::from_min_max(images.min, images.max - vec2(if right > 0.0 { 16.0 } else { 0.0 }, 0.0));
    let mut inner = ui.new_child(UiBuilder::new().id_salt("images").max_rect(images));
    ScrollArea::vertical().auto_shrink(false).show(&mut inner, |ui| {
        grid(ui, gallery, sheet, images.size(), labelled);
        if !wide {
            ui.add_space(theme::GAP);
            beside(ui, gallery);
        }
    });
    let mut inner = ui.new_child(UiBuilder::new().id_salt("balance").max_rect(side));
    if right > 0.0 {
        ScrollArea::vertical().auto_shrink(false).show(&mut inner, |ui| {
            beside(ui, gallery);
        });
    }
}

fn beside(ui: &mut Ui, gallery: &Gallery) {
    balance::show(ui, gallery);
    balance::skipped(ui, gallery);
}

/// Room for the longest name of a class.
fn names(gallery: &Gallery) -> f32 {
    let letters = gallery.classes.iter().map(|name| name.chars().count()).max().unwrap_or(0);
    (12.0 + 7.0 * letters as f32).min(NAMES)
}

/// Where each image stands: a row for each class, or simply row after row.
fn places(gallery: &Gallery, labelled: bool, space: Vec2) -> (Vec<Vec2>, Vec2) {
    let ratio = gallery.size[0] as f32 / gallery.size[1].max(1) as f32;
    let left = if labelled { names(gallery) } else { 0.0 };
    let across = if labelled { crate::inspect::gallery::PER_CLASS } else { 16 };
    let side = ((space.x - left) / across as f32 - GAP).floor().clamp(16.0, 64.0);
    let columns = if labelled { across } else { (((space.x - left) / (side + GAP)) as usize).max(1) };
    let (mut row, mut column, mut before) = (0usize, 0usize, None);
    let mut places = Vec::with_capacity(gallery.images.len());
    for (index, (_, label)) in gallery.images.iter().enumerate() {
        let new_row = column == columns || (labelled && before != Some(*label));
        if index > 0 && new_row {
            (row, column) = (row + 1, 0);
        }
        before = Some(*label);
        places.push(vec2(left + column as f32 * (side + GAP), row as f32 * (side * ratio + GAP)));
        column += 1;
    }
    (places, vec2(side, side * ratio))
}

fn grid(ui: &mut Ui, gallery: &Gallery, sheet: &Sheet, space: Vec2, labelled: bool) {
    let (places, side) = places(gallery, labelled, space);
    let height = places.last().map_or(0.0, |place| place.y + side.y);
    let (area, response) = ui.allocate_exact_size(vec2(space.x, height), Sense::hover());
    let text = format!("{} images of the {} split", gallery.images.len(), gallery.split);
    response.widget_info(|| WidgetInfo::labeled(Role::Image, true, text.clone()));
    let colors = theme::palette(ui);
    let mut before = None;
    for (index, (place, (_, label))) in places.iter().zip(&gallery.images).enumerate() {
        let rect = Rect::from_min_size(area.min + *place, side);
        if ui.is_rect_visible(rect) {
            sheet.paint(ui.painter(), index, rect);
        }
        if let Some(label) = label.filter(|label| before != Some(*label)) {
            let at = pos2(area.left(), rect.center().y);
            let name = fitted(class(gallery, label), 15);
            ui.painter().text(at, Align2::LEFT_CENTER, name, FontId::proportional(theme::SMALL), colors.text);
        }
        before = *label;
    }
    let under = |at| places.iter().position(|place| Rect::from_min_size(area.min + *place, side).contains(at));
    if let Some((index, label)) = response.hover_pos().and_then(under).and_then(|index| gallery.images.get(index)) {
        let label = label.map_or("no label".to_owned(), |label| class(gallery, label));
        response.on_hover_text_at_pointer(format!(
            "image {} of {}\n{label}",
            text::count(*index as u64),
            gallery.split
        ));
    }
}

fn class(gallery: &Gallery, label: u32) -> String {
    crate::inspect::class_name(&gallery.classes, label)
}

fn fitted(name: String, letters: usize) -> String {
    if name.chars().count() <= letters { name } else { name.chars().take(letters - 1).chain(['…']).collect() }
}
