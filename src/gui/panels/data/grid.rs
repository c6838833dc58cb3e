//! All images of a split, or those of one class, in one long grid: what is in sight is asked for, and only as much
//! as a few screens show is kept.

use super::pages::sheet;
use super::{GAP, Seen, class, hovered};
use crate::theme;
use crate::widgets::elided;
use crate::widgets::raster::Sheet;
use eframe::egui::{FontId, Pos2, Rect, Role, ScrollArea, Sense, Ui, Vec2, WidgetInfo, vec2};
use std::ops::Range;
use std::sync::Arc;
use strata_core::format;
use strata_core::project::data::Split;
use strata_inspect::gallery::{BLOCK, Gallery, Part};
use strata_inspect::inspection::Subject;

/// Blocks kept: several screens full, before and behind.
const KEPT: usize = 16;
/// Width of an image, about.
const SIDE: f32 = 56.0;
/// Height of the class's name below an image.
const CAPTION: f32 = 14.0;

/// Whose images are kept.
type Owner = (Subject, Split, Option<u32>);

/// The blocks about those in sight.
#[derive(Default)]
pub(super) struct Grid {
    owner: Option<Owner>,
    newest: Option<Arc<Seen>>,
    blocks: Vec<Block>,
    /// The images in sight.
    pub in_sight: Range<usize>,
}

struct Block {
    number: usize,
    sheet: Sheet,
    images: Vec<(usize, Option<u32>)>,
    label_sets: Vec<Vec<u32>>,
}

impl Grid {
    /// Forgets all: the images may be others now.
    pub(super) fn clear(&mut self) {
        *self = Grid::default();
    }

    /// Keeps the block that came last.
    pub(super) fn take(&mut self, ui: &Ui, seen: &Arc<Seen>, gallery: &Gallery) {
        let Part::Block {
            class,
            block: number,
        } = gallery.part
        else {
            return;
        };
        if self
            .newest
            .as_ref()
            .is_some_and(|newest| Arc::ptr_eq(newest, seen))
        {
            return;
        }
        let owner = (seen.query.subject.clone(), gallery.split, class);
        if self.owner.as_ref() != Some(&owner) {
            self.blocks.clear();
            self.owner = Some(owner);
        }
        self.newest = Some(seen.clone());
        self.blocks.retain(|block| block.number != number);
        self.blocks.push(Block {
            number,
            sheet: sheet(ui, gallery),
            images: gallery.images.clone(),
            label_sets: gallery.label_sets.clone(),
        });
        let middle = (self.in_sight.start + self.in_sight.end) / 2 / BLOCK;
        while self.blocks.len() > KEPT.max(self.in_sight.len() / BLOCK + 4) {
            let far = |block: &Block| block.number.abs_diff(middle);
            // The one that just came stays: as the last that was asked for, it would not be asked for again.
            let farthest = self
                .blocks
                .iter()
                .filter(|block| block.number != number)
                .map(far)
                .max();
            self.blocks
                .retain(|block| block.number == number || Some(far(block)) != farthest);
        }
    }

    /// Shows what is in sight; the number of a block that is missing, if one is.
    pub(super) fn show(&mut self, ui: &mut Ui, gallery: &Gallery) -> Option<usize> {
        let labelled = gallery.images.iter().any(|(_, label)| label.is_some());
        let layout = Places::new(gallery, ui.available_width() - 12.0, labelled);
        let area = ScrollArea::vertical().auto_shrink(false).id_salt((
            "all images",
            gallery.split,
            gallery.part.numbered(0),
        ));
        area.show_viewport(ui, |ui, viewport| {
            ui.set_height(layout.height());
            let origin = ui.max_rect().min;
            self.in_sight = layout.in_sight(viewport);
            self.paint(ui, gallery, &layout, origin);
            respond(
                self,
                ui,
                gallery,
                &layout,
                Rect::from_min_size(origin + viewport.min.to_vec2(), viewport.size()),
            );
            self.missing(gallery)
        })
        .inner
    }

    fn image(&self, index: usize) -> Option<(&Block, usize)> {
        let block = self
            .blocks
            .iter()
            .find(|block| block.number == index / BLOCK)?;
        (index % BLOCK < block.images.len()).then_some((block, index % BLOCK))
    }

    fn paint(&self, ui: &Ui, gallery: &Gallery, layout: &Places, origin: Pos2) {
        let colors = theme::palette(ui);
        for index in self.in_sight.clone() {
            let rect = Rect::from_min_size(origin + layout.place(index), layout.side);
            let Some((block, at)) = self.image(index) else {
                ui.painter().rect_filled(rect, 1.0, colors.raised);
                continue;
            };
            block.sheet.paint(ui.painter(), at, rect);
            if let Some(label) = block.images.get(at).and_then(|(_, label)| *label) {
                let font = FontId::proportional(theme::TINY);
                let galley = elided(
                    ui,
                    &class(gallery, label),
                    font,
                    colors.weak,
                    layout.side.x + GAP,
                );
                ui.painter()
                    .galley(rect.left_bottom() + vec2(0.0, 1.0), galley, colors.weak);
            }
        }
    }

    /// A block in sight that is not here; else the next one after or before.
    fn missing(&self, gallery: &Gallery) -> Option<usize> {
        let (first, last) = (
            self.in_sight.start / BLOCK,
            self.in_sight.end.saturating_sub(1) / BLOCK,
        );
        let around = (first..=last).chain([last + 1]).chain(first.checked_sub(1));
        let mut wanted = around.filter(|number| *number < gallery.parts);
        wanted.find(|number| self.blocks.iter().all(|block| block.number != *number))
    }
}

fn respond(grid: &Grid, ui: &mut Ui, gallery: &Gallery, layout: &Places, view: Rect) {
    let response = ui.allocate_rect(view, Sense::hover());
    let name = || {
        let whose = match gallery.part {
            Part::Block {
                class: Some(label), ..
            } => {
                format!("{} of the {} split", class(gallery, label), gallery.split)
            }
            _ => format!("the {} split", gallery.split),
        };
        format!("{} images of {whose}", format::count(gallery.total as u64))
    };
    response.widget_info(|| WidgetInfo::labeled(Role::Image, true, name()));
    let origin = ui.max_rect().min;
    let under = |at: Pos2| {
        grid.in_sight.clone().find(|index| {
            Rect::from_min_size(origin + layout.place(*index), layout.side).contains(at)
        })
    };
    let image = response
        .hover_pos()
        .and_then(under)
        .and_then(|index| grid.image(index));
    let image =
        image.and_then(|(block, at)| Some((block.images.get(at)?, block.label_sets.get(at))));
    if let Some((image, labels)) = image {
        response.on_hover_text_at_pointer(hovered(gallery, *image, labels));
    }
}

/// The rectangles of the images.
struct Places {
    columns: usize,
    side: Vec2,
    step: Vec2,
    total: usize,
}

impl Places {
    fn new(gallery: &Gallery, width: f32, labelled: bool) -> Places {
        // Curves of signals are twice as wide as high.
        let wide = if gallery.size[1] >= 2 * gallery.size[0] {
            2.0 * SIDE
        } else {
            SIDE
        };
        let columns = ((width / (wide + GAP)).round() as usize).max(1);
        let step = (width / columns as f32).floor().max(8.0);
        let side = step - GAP;
        let ratio = gallery.size[0] as f32 / gallery.size[1].max(1) as f32;
        let side = vec2(side, (side * ratio).max(1.0));
        let caption = if labelled { CAPTION } else { 0.0 };
        Places {
            columns,
            side,
            step: vec2(step, side.y + GAP + caption),
            total: gallery.total,
        }
    }

    fn height(&self) -> f32 {
        self.total.div_ceil(self.columns) as f32 * self.step.y
    }

    fn place(&self, index: usize) -> Vec2 {
        vec2(
            (index % self.columns) as f32 * self.step.x,
            (index / self.columns) as f32 * self.step.y,
        )
    }

    fn in_sight(&self, viewport: Rect) -> Range<usize> {
        let row = |y: f32| (y / self.step.y).max(0.0) as usize;
        let (first, last) = (row(viewport.top()), row(viewport.bottom()) + 1);
        (first * self.columns).min(self.total)..(last * self.columns).min(self.total)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use eframe::egui::pos2;

    #[test]
    fn what_is_in_sight_is_what_the_scroll_bar_says() {
        let gallery = Gallery {
            size: [32, 32, 3],
            total: 100_000,
            ..Gallery::default()
        };
        let places = Places::new(&gallery, 600.0, false);
        assert_eq!(
            (places.columns, places.step, places.side),
            (10, vec2(60.0, 60.0), vec2(56.0, 56.0))
        );
        assert_eq!(places.height(), 600_000.0);
        let window = |top: f32| Rect::from_min_size(pos2(0.0, top), vec2(600.0, 300.0));
        assert_eq!(places.in_sight(window(0.0)), 0..60);
        assert_eq!(places.in_sight(window(599_700.0)), 99_950..100_000);
        assert_eq!(places.place(99_999), vec2(540.0, 599_940.0));
    }
}
