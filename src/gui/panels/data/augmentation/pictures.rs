//! The pictures of the view: the image before, all transforms together, each by itself.

use crate::theme;
use crate::widgets::raster::Sheet;
use crate::widgets::said;
use eframe::egui::{
    Align, Context, Label, Layout, Rect, RichText, Role, Sense, Ui, Vec2, WidgetInfo, vec2,
};
use strata_engine::inspection::reply::Reply;
use strata_inspect::augmented::{ALONE, Augmented, Row, TOGETHER};
use strata_inspect::picture::image_rgba;

pub type Seen = Reply<Augmented>;

/// Room between pictures.
const GAP: f32 = 4.0;
/// Curves in a row at most.
const CURVES: usize = 4;
/// Sides of the image before, of the draws of all transforms, and of those of one, at least; with room to spare they
/// are larger, up to so many times.
const BEFORE: f32 = 104.0;
const LARGE: f32 = 64.0;
const SMALL: f32 = 44.0;
const LARGER: f32 = 2.0;

/// Textures of all rows.
pub struct Pictures {
    before: (Sheet, usize),
    together: (Sheet, usize),
    alone: Vec<(Sheet, usize)>,
}

impl Pictures {
    pub fn new(ctx: &Context, seen: &Augmented) -> Pictures {
        let sheet = |row: &Row| {
            let count = row.count(seen.channels);
            let rgba = |index: usize| image_rgba(row.picture(index, seen.channels), seen.channels);
            let make = if seen.are_curves {
                Sheet::smooth
            } else {
                Sheet::new
            };
            (make(ctx, "augmented", row.size, count, &rgba), count)
        };
        Pictures {
            before: sheet(&seen.before),
            together: sheet(&seen.together),
            alone: seen.alone.iter().map(sheet).collect(),
        }
    }
}

/// The image before at the left, the draws together at the right; `from` is the epoch of the first. Whether the list is
/// applied, and whether it is empty.
pub fn head(
    ui: &mut Ui,
    seen: &Augmented,
    pictures: &Pictures,
    left: f32,
    (applied, is_empty): (bool, bool),
    from: usize,
) {
    ui.horizontal_top(|ui| {
        ui.allocate_ui_with_layout(vec2(left, 0.0), Layout::top_down(Align::Min), |ui| {
            ui.set_width(left);
            title(ui, "Before", "");
            row(ui, &pictures.before, BEFORE, "The image before", true);
        });
        ui.vertical(|ui| {
            if is_empty {
                return unchanged(ui);
            }
            let epochs = format!("epochs {} to {}", from + 1, from + TOGETHER);
            title(
                ui,
                "All together",
                if applied {
                    &epochs
                } else {
                    "off: the training gets the images as they are"
                },
            );
            match &seen.together.problem {
                Some(problem) => {
                    ui.label(said(problem, theme::BODY, theme::palette(ui).wrong));
                }
                None => row(
                    ui,
                    &pictures.together,
                    LARGE,
                    "The image with all transforms",
                    applied,
                ),
            }
        });
    });
}

/// What is said in the place of twelve pictures that would be equal.
fn unchanged(ui: &mut Ui) {
    let colors = theme::palette(ui);
    title(ui, "No transform yet", "");
    let text = "Every epoch trains on the images as they are. Add a transform below: its pictures appear beside it.";
    ui.add(Label::new(RichText::new(text).color(colors.weak)).wrap());
}

/// The draws of one transform; none while they are being made.
pub fn alone(ui: &mut Ui, pictures: &Pictures, index: Option<usize>, text: &str, applied: bool) {
    match index.and_then(|index| pictures.alone.get(index)) {
        Some(sheet) => row(ui, sheet, SMALL, &format!("The image with {text}"), applied),
        None => {
            ui.allocate_space(vec2(SMALL, SMALL));
        }
    }
}

fn title(ui: &mut Ui, heading: &str, beside: &str) {
    let colors = theme::palette(ui);
    ui.horizontal(|ui| {
        ui.label(
            RichText::new(heading)
                .font(theme::heading(theme::BODY))
                .color(colors.strong),
        );
        ui.label(RichText::new(beside).size(theme::SMALL).color(colors.weak));
    });
}

/// Pictures side by side, in as many rows as they need; pale where they are not applied.
fn row(ui: &mut Ui, (sheet, count): &(Sheet, usize), side: f32, name: &str, applied: bool) {
    if *count == 0 {
        return;
    }
    // Smaller pictures beat more rows: one of a single transform, two of all together. Curves are wide and low.
    let across = match *count > ALONE {
        _ if sheet.smooth => CURVES.min(*count),
        true => count.div_ceil(2),
        false => *count,
    };
    let room = ((ui.available_width() + GAP) / across as f32 - GAP)
        .floor()
        .max(side / 2.0);
    let side = if sheet.smooth {
        sheet.size[1] as f32
    } else {
        side
    };
    // Pictures of other pixels than screen pixels are as clear when they are larger.
    let side = match sheet.smooth {
        true => side.min(room),
        false => room.min(LARGER * side),
    };
    let size = fitted(sheet.size, side);
    let columns = (((ui.available_width() + GAP) / (size.x + GAP)) as usize).clamp(1, *count);
    let rows = count.div_ceil(columns);
    let all = vec2(
        columns as f32 * (size.x + GAP) - GAP,
        rows as f32 * (size.y + GAP),
    );
    let (area, response) = ui.allocate_exact_size(all, Sense::hover());
    response.widget_info(|| WidgetInfo::labeled(Role::Image, true, name));
    for index in 0..*count {
        let place = vec2(
            (index % columns) as f32 * (size.x + GAP),
            (index / columns) as f32 * (size.y + GAP),
        );
        let rect = Rect::from_min_size(area.min + place, size);
        if ui.is_rect_visible(rect) {
            sheet.paint(ui.painter(), index, rect);
            if !applied {
                ui.painter()
                    .rect_filled(rect, 0.0, theme::faded(theme::palette(ui).panel, 0.65));
            }
        }
    }
}

/// The size of a picture whose longer side is `side`.
fn fitted([height, width]: [usize; 2], side: f32) -> Vec2 {
    let (height, width) = (height.max(1) as f32, width.max(1) as f32);
    let scale = side / height.max(width);
    vec2(width * scale, (height * scale).max(6.0))
}
