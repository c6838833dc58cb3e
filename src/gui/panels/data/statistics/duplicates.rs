//! Images that are there twice: how many, the first of them as pictures side by side, the others by number.

use crate::theme;
use crate::widgets::elided;
use crate::widgets::raster::Sheet;
use eframe::egui::{
    Align2, Context, FontId, Label, Rect, RichText, Role, Sense, Ui, Vec2, WidgetInfo, pos2, vec2,
};
use strata_core::format::count;
use strata_inspect::class_name;
use strata_inspect::statistics::{Image, Set, Statistics, Twin};

/// Pairs that are listed by number.
const MOST_LISTED: usize = 60;
/// The longest side of a picture.
const SIDE: f32 = 56.0;
/// Room for a picture's name: its split and number.
const WIDE: f32 = 84.0;
/// Two lines of it.
const TALL: f32 = 28.0;

/// The pictures of all sets in one texture.
pub(super) fn sheet(ctx: &Context, found: &Statistics) -> Option<Sheet> {
    let twins = found.duplicates.sets.iter().flat_map(|set| &set.images);
    let twins: Vec<&[u8]> = twins.map(|twin| twin.pixels.as_slice()).collect();
    let [height, width] = found.duplicates.size;
    let size = [height, width, found.shape[0]];
    (!twins.is_empty()).then(|| Sheet::of_images(ctx, "duplicates", size, &twins))
}

/// The whole part of the view.
pub(super) fn show(ui: &mut Ui, found: &Statistics, sheet: Option<&Sheet>) {
    let (colors, copies) = (theme::palette(ui), &found.duplicates);
    super::heading(ui, "Images that are there twice, bit by bit");
    if copies.total() == 0 {
        ui.label("None among the images counted.");
        return;
    }
    for ([first, second], number) in &copies.counts {
        let (color, place) = match first == second {
            true => (colors.text, format!("within {first}")),
            false => (colors.second, format!("of {first} again in {second}")),
        };
        ui.label(RichText::new(format!("{} {place}", count(*number as u64))).color(color));
    }
    if copies.sets.iter().any(Set::has_several_classes) {
        let text = "In red: one image under several classes, of which one at most is right";
        ui.label(RichText::new(text).color(colors.wrong));
    }
    if let Some(sheet) = sheet {
        pictures(ui, found, sheet);
    }
    let mut lines: Vec<String> = copies
        .unpictured()
        .take(MOST_LISTED)
        .map(|[first, second]| format!("{} = {}", name(first), name(second)))
        .collect();
    let pictured: usize = copies
        .sets
        .iter()
        .map(|set| set.total.saturating_sub(1))
        .sum();
    let more = copies.total().saturating_sub(pictured + lines.len());
    if more > 0 {
        lines.push(format!("and {} more", count(more as u64)));
    }
    let line = RichText::new(lines.join(" · "))
        .font(theme::digits(theme::SMALL))
        .color(colors.weak);
    if !lines.is_empty() {
        ui.add(Label::new(line).wrap());
    }
}

fn name((split, index): &Image) -> String {
    format!("{split} {}", count(*index as u64))
}

/// Set after set, in rows.
fn pictures(ui: &mut Ui, found: &Statistics, sheet: &Sheet) {
    let [height, width] = sheet.size;
    let scale = SIDE / height.max(width).max(1) as f32;
    let size = vec2(width as f32, height as f32) * scale;
    ui.add_space(theme::STEP);
    ui.horizontal_wrapped(|ui| {
        ui.spacing_mut().item_spacing = Vec2::splat(theme::GAP);
        let mut first = 0;
        for set in &found.duplicates.sets {
            one(ui, found, set, sheet, first, size);
            first += set.images.len();
        }
    });
}

/// The images of a set side by side, each over its name.
fn one(ui: &mut Ui, found: &Statistics, set: &Set, sheet: &Sheet, first: usize, size: Vec2) {
    let colors = theme::palette(ui);
    let cells = set.images.len() as f32;
    let inner = vec2(cells * WIDE, size.y + TALL);
    let (area, response) =
        ui.allocate_exact_size(inner + Vec2::splat(2.0 * theme::STEP), Sense::hover());
    let names: Vec<String> = set.images.iter().map(|twin| name(&twin.image)).collect();
    response.widget_info(|| WidgetInfo::labeled(Role::Image, true, names.join(" = ")));
    if !ui.is_rect_visible(area) {
        return;
    }
    ui.painter()
        .rect_filled(area, f32::from(theme::RADIUS), colors.raised);
    let inner = area.shrink(theme::STEP);
    let is_mixed = set.has_several_classes();
    for (nth, twin) in set.images.iter().enumerate() {
        let centre = inner.left() + (nth as f32 + 0.5) * WIDE;
        let place = Rect::from_center_size(pos2(centre, inner.top() + size.y / 2.0), size);
        sheet.paint(ui.painter(), first + nth, place);
        let other = set
            .images
            .first()
            .is_some_and(|first| first.image.0 != twin.image.0);
        let color = if other { colors.second } else { colors.text };
        let at = pos2(centre, place.bottom() + 2.0);
        ui.painter().text(
            at,
            Align2::CENTER_TOP,
            name(&twin.image),
            theme::digits(theme::TINY),
            color,
        );
        let color = if is_mixed { colors.wrong } else { colors.weak };
        let font = FontId::proportional(theme::SMALL);
        let class = elided(ui, &class(found, twin), font, color, WIDE - theme::STEP);
        ui.painter()
            .galley(at + vec2(-class.size().x / 2.0, 13.0), class, color);
    }
    let more = set.total.saturating_sub(set.images.len());
    let mut text = names.join(" = ");
    if more > 0 {
        text.push_str(&format!("\nand {} more of this image", count(more as u64)));
    }
    response.on_hover_text(text);
}

fn class(found: &Statistics, twin: &Twin) -> String {
    twin.class
        .map_or_else(String::new, |class| class_name(&found.classes, class))
}
