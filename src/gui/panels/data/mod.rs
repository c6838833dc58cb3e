//! The project's images with their labels, how many there are of each class, and what was left out.

mod augmentation;
mod balance;
pub(super) mod download;
mod grid;
mod kernels;
pub(super) mod packed;
mod pages;
mod statistics;

pub use augmentation::AugmentationView;
pub use kernels::KernelsView;
pub use statistics::StatisticsView;

use super::loading_state::{reading, unread};
use crate::theme;
use crate::view::View;
use crate::widgets::{chevron, close_by_key, empty, said, volume_slice};
use eframe::egui::{
    Align, Button, Color32, ComboBox, FontId, Label, Layout, Rect, RichText, ScrollArea, Ui,
    UiBuilder, vec2,
};
use grid::Grid;
use pages::Pages;
use std::any::TypeId;
use std::sync::Arc;
use strata_app::action::{Action, Show};
use strata_app::arrangement::Workspace;
use strata_app::state::State;
use strata_core::format;
use strata_core::project::data::Split;
use strata_engine::inspection::reply::{InspectionError, Reply};
use strata_inspect::gallery::{Gallery, Part, Request, SplitCounts};

/// The view, with the textures of what it shows.
#[derive(Default)]
pub(crate) struct DataView {
    pages: Pages,
    grid: Grid,
}

type Seen = Reply<Gallery>;

const GAP: f32 = 4.0;
/// Width of the class's name before its images or its bar, at most.
const NAMES: f32 = 104.0;
/// Room between a class's name and what belongs to it.
const NEAR: f32 = 6.0;
/// Width of the column with the balance of the classes.
const BALANCE: f32 = 208.0;
/// The share of a wide view that the column has.
const SIDE: f32 = 0.27;
/// Height of the same below the grid, where there is no room next to it.
const BELOW: f32 = 110.0;

impl View for DataView {
    fn title(&self) -> &'static str {
        "Images"
    }

    fn summary(&self) -> &'static str {
        "The images with their labels, and how many of each"
    }

    fn words(&self) -> &'static str {
        "images dataset gallery download samples"
    }

    fn workspace(&self) -> Workspace {
        Workspace::Data
    }

    fn about(&self) -> &'static str {
        "The images as the network gets them: scaled, grey or colour, before augmentation. A few of each class a page, or all of them in one long grid; how many there are of each class (a click on one shows it alone); and the files that were left out, with the reason."
    }

    fn status(&self, state: &State) -> String {
        latest(state).map_or_else(String::new, |gallery| {
            let shape: Vec<String> = gallery.shape.iter().map(usize::to_string).collect();
            format!("{} · {}", state.project().data.source, shape.join("×"))
        })
    }

    fn tools(&mut self, ui: &mut Ui, state: &State, actions: &mut Vec<Action>) {
        let Some(gallery) = latest(state) else { return };
        volume_slice(ui, state, gallery.slice, actions);
        let part = state.inspections.gallery.part;
        let mut show = |split, part| {
            actions.push(Action::Show(Show::Images(Request {
                split: Some(split),
                part,
            })))
        };
        match gallery.part {
            Part::Page(page) => turn(ui, gallery, page, &mut show),
            Part::Block { class, .. } => self.where_it_is(ui, gallery, class, &mut show),
        }
        // Images with several labels are not sorted by them.
        if labelled(gallery) && !gallery.has_label_sets {
            modes(ui, gallery, part, &mut show);
        }
        // The tabs' parts: the same kind of view, from its start.
        let mut choose = |split| show(split, part.numbered(0));
        if ui.available_size_before_wrap().x < tabs_width(ui, gallery) {
            return split_box(ui, gallery, &mut choose);
        }
        for counts in gallery.splits.iter().rev() {
            let name = counts.split.to_string();
            let tab = ui.selectable_label(
                counts.split == gallery.split,
                RichText::new(&name).size(theme::SMALL),
            );
            if tab.accessible_name(format!("Show {name} images")).clicked() {
                choose(counts.split);
            }
        }
    }

    fn body(&mut self, ui: &mut Ui, state: &State, actions: &mut Vec<Action>) {
        actions.extend(state.request(Some(state.gallery_query())));
        match seen(state).map(|seen| (seen, &seen.result)) {
            Some((_, Err(error))) => {
                let message = error.to_string();
                if let Some(archive) = state.shown_archive()
                    && *error != InspectionError::Cancelled
                {
                    packed::show(ui, state, &archive, &message, actions);
                } else if download::is_offered(state) && *error != InspectionError::Cancelled {
                    missing(ui, state, &message, actions);
                } else {
                    empty_wrapped(ui, state, error, actions);
                }
            }
            Some((_, Ok(gallery))) if gallery.splits.is_empty() => {
                empty(
                    ui,
                    "No images",
                    "Choose another source or folder in the settings on the right.",
                );
            }
            Some((seen, Ok(gallery))) => {
                counts(ui, gallery);
                self.images(ui, state, seen, gallery, actions);
            }
            None => {
                self.grid.clear();
                reading(
                    ui,
                    state,
                    ("Reading the images …", &[TypeId::of::<Gallery>()]),
                    actions,
                );
            }
        }
    }
}

/// How many images each split has, on as many lines as that needs: the line above is shared with the switches.
fn counts(ui: &mut Ui, gallery: &Gallery) {
    let count =
        |counts: &SplitCounts| format!("{} {}", counts.split, format::count(counts.images as u64));
    let splits: Vec<String> = gallery.splits.iter().map(count).collect();
    let text = RichText::new(splits.join(" · "))
        .size(theme::SMALL)
        .color(theme::palette(ui).text);
    ui.add(Label::new(text).wrap())
        .on_hover_text("Images of each split");
}

/// Whether the split shown has labels.
fn labelled(gallery: &Gallery) -> bool {
    gallery
        .splits
        .iter()
        .any(|counts| counts.split == gallery.split && !counts.per_class.is_empty())
}

/// Whether there is something to say next to the images.
fn has_notes(state: &State, gallery: &Gallery) -> bool {
    let has_files = !(gallery.skipped.is_empty() && gallery.passed_over.is_empty());
    has_files || balance::told(state, gallery).next().is_some()
}

/// The buttons for the pages.
fn turn(ui: &mut Ui, gallery: &Gallery, page: usize, show: &mut impl FnMut(Split, Part)) {
    let small = |text: &str| Button::new(RichText::new(text).size(theme::SMALL));
    let next = ui
        .add_enabled(page + 1 < gallery.parts, small("▶"))
        .on_hover_text("The next images");
    if next.accessible_name("Next page").clicked() {
        show(gallery.split, Part::Page(page + 1));
    }
    let at = format!("{} / {}", page + 1, format::count(gallery.parts as u64));
    ui.label(
        RichText::new(at)
            .font(theme::digits(theme::SMALL))
            .color(theme::palette(ui).weak),
    );
    let former = ui
        .add_enabled(page > 0, small("◀"))
        .on_hover_text("The images before");
    if former.accessible_name("Page before").clicked() {
        show(gallery.split, Part::Page(page.saturating_sub(1)));
    }
}

/// A few of each class, or all.
fn modes(ui: &mut Ui, gallery: &Gallery, part: Part, show: &mut impl FnMut(Split, Part)) {
    let is_page = matches!(part, Part::Page(_));
    let small = |text: &str| RichText::new(text).size(theme::SMALL);
    let all = ui
        .selectable_label(!is_page, small("all"))
        .on_hover_text("All images in one long grid");
    if all.accessible_name("Show all images").clicked() && is_page {
        show(
            gallery.split,
            Part::Block {
                class: None,
                block: 0,
            },
        );
    }
    let pages = ui
        .selectable_label(is_page, small("by class"))
        .on_hover_text("A few images of each class");
    if pages.accessible_name("Show images by class").clicked() && !is_page {
        show(gallery.split, Part::Page(0));
    }
    ui.separator();
}

/// What the tabs of all splits need beside each other.
fn tabs_width(ui: &Ui, gallery: &Gallery) -> f32 {
    let spacing = ui.spacing();
    let around = 2.0 * spacing.button_padding.x + spacing.item_spacing.x;
    let wide = |counts: &SplitCounts| {
        let font = FontId::proportional(theme::SMALL);
        let name = counts.split.to_string();
        let name = ui.painter().layout_no_wrap(name, font, Color32::WHITE);
        name.size().x + around
    };
    gallery.splits.iter().map(wide).sum()
}

/// The splits where there is no room for all of them.
fn split_box(ui: &mut Ui, gallery: &Gallery, choose: &mut impl FnMut(Split)) {
    let mut chosen = gallery.split;
    let combo = ComboBox::from_id_salt("split of the images")
        .width(76.0)
        .icon(chevron);
    let combo = combo
        .selected_text(RichText::new(chosen.to_string()).size(theme::SMALL))
        .show_ui(ui, |ui| {
            close_by_key(ui);
            for counts in &gallery.splits {
                ui.selectable_value(&mut chosen, counts.split, counts.split.to_string());
            }
        });
    combo
        .response
        .on_hover_text("The images of which split are shown")
        .accessible_name("Split of the images");
    if chosen != gallery.split {
        choose(chosen);
    }
}

/// The latest reply, until other images are being read.
fn seen(state: &State) -> Option<&Arc<Seen>> {
    state.inspections.shown_for(&state.gallery_query())
}

fn latest(state: &State) -> Option<&Gallery> {
    seen(state)?.result.as_deref().ok()
}

/// A message can be long: it names the file, and what would help.
fn empty_wrapped(ui: &mut Ui, state: &State, error: &InspectionError, actions: &mut Vec<Action>) {
    let inner = ui.available_rect_before_wrap().shrink2(vec2(32.0, 0.0));
    ui.scope_builder(UiBuilder::new().max_rect(inner), |ui| {
        unread(ui, state, "No images to show", error, actions);
    });
}

/// Files that could be downloaded are not there.
fn missing(ui: &mut Ui, state: &State, message: &str, actions: &mut Vec<Action>) {
    let space = (ui.available_height() / 2.0 - 80.0).max(0.0);
    let inner = ui.available_rect_before_wrap().shrink2(vec2(32.0, 0.0));
    ui.scope_builder(
        UiBuilder::new()
            .max_rect(inner)
            .layout(Layout::top_down(Align::Center)),
        |ui| {
            ui.add_space(space);
            ui.label(RichText::new("No images to show").font(theme::heading(theme::BODY)));
            ui.label(said(message, theme::BODY, theme::palette(ui).weak));
            ui.add_space(theme::GAP);
            download::show(ui, state, actions);
        },
    );
}

impl DataView {
    /// Which of all images are in sight, and of which class.
    fn where_it_is(
        &self,
        ui: &mut Ui,
        gallery: &Gallery,
        of: Option<u32>,
        show: &mut impl FnMut(Split, Part),
    ) {
        let colors = theme::palette(ui);
        let sight = &self.grid.in_sight;
        let count = |number: usize| format::count(number as u64);
        if !sight.is_empty() {
            let at = format!(
                "{}–{} / {}",
                count(sight.start + 1),
                count(sight.end),
                count(gallery.total)
            );
            ui.label(
                RichText::new(at)
                    .font(theme::digits(theme::SMALL))
                    .color(colors.weak),
            );
        }
        if let Some(label) = of {
            let name =
                RichText::new(format!("{}  ×", fitted(class(gallery, label)))).size(theme::SMALL);
            let chip = ui
                .selectable_label(true, name)
                .on_hover_text("Show all classes again");
            if chip.accessible_name("Show all classes").clicked() {
                show(
                    gallery.split,
                    Part::Block {
                        class: None,
                        block: 0,
                    },
                );
            }
        }
    }

    /// The grid, and the question for what is missing in it.
    fn all(
        &mut self,
        ui: &mut Ui,
        state: &State,
        seen: &Arc<Seen>,
        gallery: &Gallery,
        actions: &mut Vec<Action>,
    ) {
        if gallery.total == 0 {
            self.grid.in_sight = 0..0;
            return empty(
                ui,
                "No images of this class",
                "This split has none; choose another class or split.",
            );
        }
        self.grid.take(ui, seen, gallery);
        let missing = self.grid.show(ui, gallery);
        // What was clicked in this frame goes before what the grid would like to have.
        let is_chosen = actions
            .iter()
            .any(|action| matches!(action, Action::Show(Show::Images(_))));
        actions.extend(
            missing
                .filter(|_| !is_chosen)
                .and_then(|block| ask(state, gallery, block)),
        );
    }

    fn images(
        &mut self,
        ui: &mut Ui,
        state: &State,
        seen: &Arc<Seen>,
        gallery: &Gallery,
        actions: &mut Vec<Action>,
    ) {
        let area = ui.available_rect_before_wrap();
        let wide = area.width() >= 2.0 * BALANCE;
        let has_side =
            labelled(gallery) || has_notes(state, gallery) || state.network_for_data().is_some();
        let side = (SIDE * area.width()).max(BALANCE);
        let right = if wide && has_side { side } else { 0.0 };
        let (images, side) = area.split_left_right_at_x(area.right() - right);
        let images = Rect::from_min_max(
            images.min,
            images.max - vec2(if right > 0.0 { 16.0 } else { 0.0 }, 0.0),
        );
        let is_page = matches!(gallery.part, Part::Page(_));
        let low = if wide || is_page {
            0.0
        } else {
            BELOW.min(area.height() / 3.0)
        };
        let (images, below) = images.split_top_bottom_at_y(images.bottom() - low);
        let mut inner = ui.new_child(UiBuilder::new().id_salt("images").max_rect(images));
        if is_page {
            ScrollArea::vertical()
                .auto_shrink(false)
                .show(&mut inner, |ui| {
                    self.pages.show(ui, seen, gallery, images.size());
                    if !wide {
                        ui.add_space(theme::GAP);
                        beside(ui, state, gallery, actions);
                    }
                });
        } else {
            self.all(&mut inner, state, seen, gallery, actions);
            let mut below = ui.new_child(UiBuilder::new().id_salt("below").max_rect(below));
            if !wide {
                ScrollArea::vertical()
                    .auto_shrink(false)
                    .show(&mut below, |ui| beside(ui, state, gallery, actions));
            }
        }
        let mut inner = ui.new_child(UiBuilder::new().id_salt("balance").max_rect(side));
        if right > 0.0 {
            ScrollArea::vertical()
                .auto_shrink(false)
                .show(&mut inner, |ui| beside(ui, state, gallery, actions));
        }
    }
}

/// Asks for a block of what is shown, unless something else has been asked for meanwhile.
fn ask(state: &State, gallery: &Gallery, block: usize) -> Option<Action> {
    let Request { split, part } = state.inspections.gallery;
    let is_this = split.is_none_or(|split| split == gallery.split)
        && part.numbered(0) == gallery.part.numbered(0);
    let is_answered = state.inspections.reply_to(&state.gallery_query()).is_some();
    let wanted = Request {
        split: Some(gallery.split),
        part: part.numbered(block),
    };
    ((is_this || is_answered) && wanted != state.inspections.gallery)
        .then_some(Action::Show(Show::Images(wanted)))
}

fn beside(ui: &mut Ui, state: &State, gallery: &Gallery, actions: &mut Vec<Action>) {
    balance::show(ui, gallery, actions);
    balance::notes(ui, state, gallery, actions);
    balance::skipped(ui, gallery);
}

/// What is said of an image under the pointer.
fn hovered(
    gallery: &Gallery,
    (index, label): (usize, Option<u32>),
    labels: Option<&Vec<u32>>,
) -> String {
    let label = match labels.map(Vec::as_slice) {
        Some([]) => "none of the labels".to_owned(),
        Some(labels) => {
            let names: Vec<String> = labels.iter().map(|label| class(gallery, *label)).collect();
            names.join(" + ")
        }
        None => label.map_or("no label".to_owned(), |label| class(gallery, label)),
    };
    format!(
        "image {} of {}\n{label}",
        format::count(index as u64 + 1),
        gallery.split
    )
}

/// Room for the longest name of a class, where there may be more than the usual at most.
fn names(gallery: &Gallery, most: f32) -> f32 {
    let letters = gallery
        .classes
        .iter()
        .map(|name| name.chars().count())
        .max()
        .unwrap_or(0);
    (12.0 + 7.0 * letters as f32).min(NAMES.max(most))
}

fn class(gallery: &Gallery, label: u32) -> String {
    strata_inspect::class_name(&gallery.classes, label)
}

/// A name short enough for a button.
fn fitted(name: String) -> String {
    const LETTERS: usize = 15;
    if name.chars().count() <= LETTERS {
        name
    } else {
        name.chars().take(LETTERS - 1).chain(['…']).collect()
    }
}
