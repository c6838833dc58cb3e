//! One unit of the code: what it looks for and paints, how its activations are spread, the images that excite it most.

use super::charts::{filled, plot};
use crate::panels::axes::ticks::counts;
use crate::panels::axes::{axis, show_focus};
use crate::theme;
use crate::widgets::in_lines;
use crate::widgets::raster::Sheet;
use eframe::egui::{
    DragValue, FontId, Label, Rect, Response, RichText, Role, ScrollArea, Sense, Ui, WidgetInfo,
    vec2,
};
use egui_plot::{AxisHints, Bar, GridMark};
use std::sync::Arc;
use strata_app::state::State;
use strata_core::format;
use strata_engine::inspection::reply::Reply;
use strata_inspect::picture::FilterScale;
use strata_inspect::sparse::SparseCode;
use strata_inspect::sparse::unit::{BINS, SparseUnit, Template};

/// Side of the pictures of what it looks for and paints.
const TEMPLATE: f32 = 84.0;
/// Side of the images that excite it.
const IMAGE: f32 = 48.0;
/// Lines in which is said why there is no template.
const LINES: usize = 6;
/// Width of the histogram.
const HISTOGRAM: f32 = 170.0;
/// Marks of its axis of counts, at most.
const MARKS: usize = 4;
/// Units that are named at most.
const NAMED: usize = 12;

type Seen = Reply<SparseUnit>;

/// The pictures of the unit that is shown.
#[derive(Default)]
pub(super) struct UnitPictures {
    drawn: Option<Drawn>,
}

struct Drawn {
    seen: Arc<Seen>,
    /// What it looks for and what it paints.
    templates: [Option<Sheet>; 2],
    images: Sheet,
    /// What the unit sees of each, where that is a part.
    patches: Option<Sheet>,
}

/// `1, 5, 12 and 7 more`
pub(super) fn numbers(units: &[usize]) -> String {
    let named: Vec<String> = units
        .iter()
        .take(NAMED)
        .map(|unit| (unit + 1).to_string())
        .collect();
    match units.len() - named.len() {
        0 => named.join(", "),
        more => format!("{} and {more} more", named.join(", ")),
    }
}

impl UnitPictures {
    /// Shows the latest unit; which one is wanted now.
    pub fn show(
        &mut self,
        ui: &mut Ui,
        state: &State,
        code: &SparseCode,
        wanted: Option<usize>,
    ) -> Option<usize> {
        let seen = state.run_reply::<SparseUnit>();
        let latest = seen.and_then(|seen| Some((seen, seen.result.as_deref().ok()?)));
        let Some((seen, unit)) = latest else {
            let text = match seen.map(|seen| &seen.result) {
                Some(Err(error)) => error.to_string(),
                _ => "Looking for the images that excite a unit …".to_owned(),
            };
            ui.label(
                RichText::new(text)
                    .size(theme::SMALL)
                    .color(theme::palette(ui).weak),
            );
            return wanted;
        };
        let wanted = header(ui, code, unit, wanted);
        self.update(ui, seen, unit);
        if let Some(drawn) = &self.drawn {
            ScrollArea::horizontal()
                .id_salt("a unit")
                .auto_shrink(false)
                .show(ui, |ui| ui.horizontal_top(|ui| parts(ui, unit, drawn)));
        }
        wanted
    }

    fn update(&mut self, ui: &Ui, seen: &Arc<Seen>, unit: &SparseUnit) {
        let is_drawn = |drawn: &Drawn| Arc::ptr_eq(&drawn.seen, seen);
        if self.drawn.as_ref().is_some_and(is_drawn) {
            return;
        }
        let template = |name: &str, template: &Option<Template>| {
            let filters = template.as_ref()?.as_filters();
            Some(Sheet::of_filters(
                ui.ctx(),
                name,
                &filters,
                1,
                FilterScale::PerFilter,
            ))
        };
        let each: usize = unit.size.iter().product();
        let images: Vec<&[u8]> = unit.pixels.chunks_exact(each.max(1)).collect();
        self.drawn = Some(Drawn {
            seen: seen.clone(),
            templates: [
                template("looks for", &unit.encoder),
                template("paints", &unit.decoder),
            ],
            images: Sheet::of_images(ui.ctx(), "images of a unit", unit.size, &images),
            patches: (!unit.patches.is_empty()).then(|| {
                let rgba = |at: usize| unit.patches[at].clone();
                let count = unit.patches.len();
                Sheet::new(ui.ctx(), "patches of a unit", unit.patch_size, count, rgba)
            }),
        });
    }
}

/// Which unit, and its figures.
fn header(
    ui: &mut Ui,
    code: &SparseCode,
    unit: &SparseUnit,
    wanted: Option<usize>,
) -> Option<usize> {
    let mut chosen = wanted;
    ui.horizontal(|ui| {
        let mut number = wanted.unwrap_or(unit.unit) + 1;
        ui.label(RichText::new("unit").size(theme::SMALL));
        let field = ui.add(
            DragValue::new(&mut number)
                .speed(0.1)
                .range(1..=unit.units.max(1)),
        );
        let field = field.on_hover_text("Which unit: drag, type, or click on it in the chart");
        field.widget_info(|| WidgetInfo::labeled(Role::SpinButton, true, "Unit of the code"));
        if field.changed() {
            chosen = Some(number - 1);
        }
        let colors = theme::palette(ui);
        let text = RichText::new(figures(code, unit))
            .size(theme::SMALL)
            .color(colors.weak);
        ui.add(Label::new(text).truncate());
    });
    chosen
}

/// `of 100 · mean 0.0350 · active for 6.2 % · 1.1 % of the penalty`
fn figures(code: &SparseCode, unit: &SparseUnit) -> String {
    let mean = format::loss(f64::from(unit.mean));
    let active = code.active.get(unit.unit);
    let active = active.map_or_else(String::new, |share| {
        format!(" · active for {:.1} %", 100.0 * share)
    });
    let shares = code.penalty_shares();
    let share = shares.as_ref().and_then(|shares| shares.get(unit.unit));
    let share = share.map_or_else(String::new, |share| {
        format!(" · {:.1} % of the penalty", 100.0 * share)
    });
    format!("of {} · mean {mean}{active}{share}", unit.units)
}

fn parts(ui: &mut Ui, unit: &SparseUnit, drawn: &Drawn) {
    let missing = [
        "It sees another layer, not the image, so that its weights are no picture.",
        "Its activation passes other layers before it becomes an image.",
    ];
    let names = ["looks for", "paints"];
    for ((name, sheet), missing) in names.into_iter().zip(&drawn.templates).zip(missing) {
        part(ui, name, TEMPLATE, |ui| {
            let (rect, response) = ui.allocate_exact_size(vec2(TEMPLATE, TEMPLATE), Sense::hover());
            match sheet {
                Some(sheet) => {
                    sheet.paint(ui.painter(), 0, fitted(rect, sheet.size));
                    named(response, &format!("what unit {} {name}", unit.unit + 1));
                }
                None => {
                    let (font, weak) = (FontId::proportional(theme::TINY), theme::palette(ui).weak);
                    let words = in_lines(ui, missing, font, weak, (TEMPLATE, LINES));
                    ui.painter().galley(rect.min, words, weak);
                    response.widget_info(|| WidgetInfo::labeled(Role::Label, true, missing));
                }
            }
        });
    }
    part(ui, "its activations", HISTOGRAM, |ui| histogram(ui, unit));
    let name = match unit.patches.is_empty() {
        _ if unit.best.is_empty() => "dead: no image excites it",
        true => "images that excite it most",
        false => "most exciting images, with what it sees",
    };
    part(ui, name, best_width(unit), |ui| best(ui, unit, drawn));
}

fn best_width(unit: &SparseUnit) -> f32 {
    let each = if unit.patches.is_empty() { 1.0 } else { 2.0 };
    let images = unit.best.len().max(4).div_ceil(2);
    each * (IMAGE + theme::GAP / 2.0) * images as f32
}

/// A part below its name.
fn part(ui: &mut Ui, name: &str, width: f32, content: impl FnOnce(&mut Ui)) {
    ui.vertical(|ui| {
        ui.set_width(width);
        let weak = theme::palette(ui).weak;
        ui.label(RichText::new(name).size(theme::TINY).color(weak));
        content(ui);
    });
}

fn named(response: Response, name: &str) {
    response.widget_info(|| WidgetInfo::labeled(Role::Image, true, name));
}

/// As large as there is room, in its own ratio.
fn fitted(room: Rect, [height, width]: [usize; 2]) -> Rect {
    let scale = (room.height() / height.max(1) as f32).min(room.width() / width.max(1) as f32);
    Rect::from_min_size(room.min, vec2(width as f32 * scale, height as f32 * scale))
}

fn histogram(ui: &mut Ui, unit: &SparseUnit) {
    let [low, high] = unit.range.map(f64::from);
    let width = (high - low) / BINS as f64;
    let colors = *theme::palette(ui);
    let bar = |(bin, count): (usize, &usize)| {
        let from = low + bin as f64 * width;
        let name = format!(
            "{count} values\nfrom {} to {}",
            format::loss(from),
            format::loss(from + width)
        );
        // Most are near 0: the logarithm shows the others beside them.
        let height = (1.0 + *count as f64).log10();
        Bar::new(from + width / 2.0, height)
            .width(0.92 * width)
            .name(name)
    };
    let bars = unit.histogram.iter().enumerate().map(bar).collect();
    let most = unit.histogram.iter().copied().max().unwrap_or(0) as u64;
    let place = |count: u64| GridMark {
        value: (1.0 + count as f64).log10(),
        step_size: 1.0,
    };
    let marks: Vec<GridMark> = counts(most, MARKS).into_iter().map(place).collect();
    let shown = plot(ui, "histogram of a unit", false)
        .height(TEMPLATE + 20.0)
        .y_grid_spacer(move |_| marks.clone())
        .custom_y_axes(vec![
            axis(AxisHints::new_y(), &colors)
                .min_thickness(32.0)
                .formatter(|mark, _| written_count(mark.value)),
        ])
        .show(ui, |plot| plot.bar_chart(filled(bars, &colors)));
    show_focus(ui, &shown.response);
}

/// The count at a height of the histogram.
fn written_count(height: f64) -> String {
    format::large((10f64.powf(height) - 1.0).round().max(0.0) as u64)
}

fn best(ui: &mut Ui, unit: &SparseUnit, drawn: &Drawn) {
    let rows = unit.best.len().div_ceil(2).max(1);
    for (row, images) in unit.best.chunks(rows).enumerate() {
        ui.horizontal(|ui| {
            ui.spacing_mut().item_spacing.x = theme::GAP / 2.0;
            for (at, (index, activation)) in images.iter().enumerate() {
                let (rect, response) = ui.allocate_exact_size(vec2(IMAGE, IMAGE), Sense::hover());
                let sheet = &drawn.images;
                sheet.paint(ui.painter(), row * rows + at, fitted(rect, sheet.size));
                if let Some(patches) = &drawn.patches {
                    let (rect, _) = ui.allocate_exact_size(vec2(IMAGE, IMAGE), Sense::hover());
                    patches.paint(ui.painter(), row * rows + at, fitted(rect, patches.size));
                }
                let value = format::short(f64::from(*activation), 3);
                let text = format!("image {} of {}: {value}", index + 1, unit.split);
                named(response.on_hover_text(&text), &text);
            }
        });
    }
}
