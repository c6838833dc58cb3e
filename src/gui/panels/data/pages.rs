//! A few images of each class, a row for each, as one page.

use super::{GAP, NEAR, Seen, class, hovered, names};
use crate::theme;
use crate::widgets::elided;
use crate::widgets::raster::Sheet;
use eframe::egui::{FontId, Rect, Role, Sense, Ui, Vec2, WidgetInfo, pos2, vec2};
use std::sync::Arc;
use strata_inspect::gallery::{Gallery, PER_CLASS};
use strata_inspect::picture::image_rgba;

/// The page with its texture.
#[derive(Default)]
pub(super) struct Pages {
    drawn: Option<(Arc<Seen>, Sheet)>,
}

impl Pages {
    /// Shows the page; a new texture is made for another one only.
    pub(super) fn show(&mut self, ui: &mut Ui, seen: &Arc<Seen>, gallery: &Gallery, space: Vec2) {
        let drawn = self
            .drawn
            .take()
            .filter(|(drawn, _)| Arc::ptr_eq(drawn, seen));
        let (_, sheet) = self
            .drawn
            .insert(drawn.unwrap_or_else(|| (seen.clone(), sheet(ui, gallery))));
        grid(ui, gallery, sheet, space);
    }
}

/// The images in one texture.
pub(super) fn sheet(ui: &Ui, gallery: &Gallery) -> Sheet {
    let [height, width, channels] = gallery.size;
    let size = height * width * channels;
    let rgba = |index: usize| {
        image_rgba(
            gallery
                .pixels
                .get(index * size..(index + 1) * size)
                .unwrap_or_default(),
            channels,
        )
    };
    // The thin lines of curves would be lost between their pixels.
    let sheet = if gallery.are_signals() {
        Sheet::smooth
    } else {
        Sheet::new
    };
    sheet(
        ui.ctx(),
        "images",
        [height, width],
        gallery.images.len(),
        rgba,
    )
}

/// Images below this width cannot be made out.
const LEAST: f32 = 28.0;
const MOST: f32 = 64.0;

/// The share of the width that the names of classes may have.
const WIDEST: f32 = 0.2;

/// The rectangle of each image.
fn places(gallery: &Gallery, width: f32) -> (Vec<Vec2>, Vec2) {
    let ratio = gallery.size[0] as f32 / gallery.size[1].max(1) as f32;
    let left = names(gallery, WIDEST * width);
    let side = |columns: usize| ((width - left) / columns as f32 - GAP).floor();
    // All of a class in one row; in two or more where that would make them too small.
    let scale = if gallery.size[1] >= 2 * gallery.size[0] {
        2.0
    } else {
        1.0
    };
    let columns = [1, 2, 3]
        .map(|rows| PER_CLASS / rows)
        .into_iter()
        .find(|&columns| side(columns) >= scale * LEAST);
    let columns = columns.unwrap_or(PER_CLASS / 4);
    let side = side(columns).clamp(LEAST / 2.0, scale * MOST);
    let (mut row, mut column, mut before) = (0usize, 0usize, None);
    let mut places = Vec::with_capacity(gallery.images.len());
    for (index, (_, label)) in gallery.images.iter().enumerate() {
        if index > 0 && (column == columns || before != Some(*label)) {
            (row, column) = (row + 1, 0);
        }
        before = Some(*label);
        places.push(vec2(
            left + column as f32 * (side + GAP),
            row as f32 * (side * ratio + GAP),
        ));
        column += 1;
    }
    (places, vec2(side, side * ratio))
}

fn grid(ui: &mut Ui, gallery: &Gallery, sheet: &Sheet, space: Vec2) {
    let (places, side) = places(gallery, space.x);
    let height = places.last().map_or(0.0, |place| place.y + side.y);
    let (area, response) = ui.allocate_exact_size(vec2(space.x, height), Sense::hover());
    let text = format!(
        "{} images of the {} split",
        gallery.images.len(),
        gallery.split
    );
    response.widget_info(|| WidgetInfo::labeled(Role::Image, true, text.clone()));
    let colors = theme::palette(ui);
    let mut before = None;
    for (index, (place, (_, label))) in places.iter().zip(&gallery.images).enumerate() {
        let rect = Rect::from_min_size(area.min + *place, side);
        if ui.is_rect_visible(rect) {
            sheet.paint(ui.painter(), index, rect);
        }
        if let Some(label) = label.filter(|label| before != Some(*label)) {
            let font = FontId::proportional(theme::SMALL);
            let named = elided(
                ui,
                &class(gallery, label),
                font,
                colors.text,
                names(gallery, WIDEST * area.width()) - NEAR,
            );
            let at = pos2(area.left(), rect.center().y - named.size().y / 2.0);
            ui.painter().galley(at, named, colors.text);
        }
        before = *label;
    }
    let under = |at| {
        places
            .iter()
            .position(|place| Rect::from_min_size(area.min + *place, side).contains(at))
    };
    if let Some(image) = response
        .hover_pos()
        .and_then(under)
        .and_then(|index| Some((gallery.images.get(index)?, gallery.label_sets.get(index))))
    {
        let (image, labels) = image;
        response.on_hover_text_at_pointer(hovered(gallery, *image, labels));
    }
}
