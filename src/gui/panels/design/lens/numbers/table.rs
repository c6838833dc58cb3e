//! The numbers of a window over the weights of the kernel.

use super::CAPTION;
use crate::panels::design::lens::grid;
use crate::theme;
use eframe::egui::{Align2, Color32, Rect, Ui, pos2, vec2};
use strata_design::layer_math::number;
use strata_inspect::picture::diverging;
use strata_inspect::pixel::{Part, Pixel, Term};

/// The window's numbers over the kernel's: each cell has the input above and the weight below.
pub(super) struct Table<'a> {
    terms: Vec<&'a Term>,
    columns: usize,
    part: &'a Part,
    title: String,
}

/// A cell of the table.
const WIDE: f32 = 46.0;
const HIGH: f32 = 30.0;
/// Terms that have room as a list.
const LISTED: usize = 12;

impl<'a> Table<'a> {
    pub(super) fn new(pixel: &'a Pixel, part: &'a Part) -> Table<'a> {
        if pixel.input.rank() == 0 {
            let terms: Vec<&Term> = pixel
                .parts
                .iter()
                .flat_map(|part| &part.terms)
                .take(LISTED)
                .collect();
            let columns = if terms.len() > 5 { 2 } else { 1 };
            return Table {
                terms,
                columns,
                part,
                title: "largest input · weight".into(),
            };
        }
        let columns = pixel
            .kernel
            .map_or(1, |[_, width]| width)
            .min(part.terms.len())
            .max(1);
        let weighted = part.terms.iter().any(|term| term.weight.is_some());
        let title = match (part.factor, weighted) {
            (Some(factor), _) => format!(
                "window · kernel = {}, · {}",
                number(part.sum),
                number(factor.into())
            ),
            (None, true) => format!("window · kernel = {}", number(part.sum)),
            (None, false) => format!("window: {}", number(part.sum)),
        };
        let whole = part.terms.len() / columns * columns == part.terms.len();
        let columns = if whole {
            columns
        } else {
            (part.terms.len() as f64).sqrt().ceil() as usize
        };
        Table {
            terms: part.terms.iter().collect(),
            columns,
            part,
            title,
        }
    }

    fn rows(&self) -> usize {
        self.terms.len().div_ceil(self.columns.max(1))
    }

    pub(super) fn width(&self) -> f32 {
        (self.columns as f32 * WIDE).max(140.0)
    }

    /// Draws the cells into a room; numbers are left out where cells are too small for them.
    pub(super) fn show(&self, ui: &Ui, room: Rect) -> Rect {
        let colors = theme::palette(ui);
        let wide = (room.width() / self.columns as f32).min(WIDE * 1.4);
        let high = ((room.height() - CAPTION) / self.rows().max(1) as f32).min(HIGH * 1.3);
        let size = vec2(wide * self.columns as f32, high * self.rows() as f32);
        let center = pos2(
            room.center().x,
            (room.top() + CAPTION + room.bottom()) / 2.0,
        );
        let bounds = Rect::from_center_size(center, size);
        grid::caption(ui, bounds, &self.title);
        ui.painter().rect_filled(bounds, 1.0, colors.panel);
        let most = self
            .terms
            .iter()
            .map(|term| term.product().abs())
            .fold(1e-12, f64::max);
        for (index, term) in self.terms.iter().enumerate() {
            let corner = bounds.min
                + vec2(
                    (index % self.columns) as f32 * wide,
                    (index / self.columns) as f32 * high,
                );
            let rect = Rect::from_min_size(corner, vec2(wide, high));
            let [r, g, b] = diverging((term.product() / most) as f32);
            let fill = grid::mix(
                colors.raised,
                Color32::from_rgb(r, g, b),
                0.35 * (term.product().abs() / most) as f32,
            );
            let chosen = self.part.chosen == Some(index);
            grid::cell(
                ui.painter(),
                rect,
                fill,
                if chosen { colors.accent } else { colors.line },
            );
            write(ui, rect, term);
        }
        bounds
    }
}

fn write(ui: &Ui, rect: Rect, term: &Term) {
    let colors = theme::palette(ui);
    let size = (rect.height() * 0.36).min(rect.width() / 4.6).min(11.5);
    if size < 6.5 {
        return;
    }
    let text = |y: f32, text: String, color: Color32| {
        ui.painter().text(
            pos2(rect.center().x, y),
            Align2::CENTER_CENTER,
            text,
            theme::digits(size),
            color,
        );
    };
    match term.weight {
        Some(weight) => {
            text(
                rect.top() + rect.height() * 0.30,
                brief(term.value),
                colors.strong,
            );
            text(
                rect.top() + rect.height() * 0.72,
                format!("·{}", brief(weight)),
                colors.text,
            );
        }
        None => text(rect.center().y, brief(term.value), colors.strong),
    }
}

/// A number in few letters: three digits.
fn brief(value: f32) -> String {
    let value = f64::from(value);
    let digits = if value == 0.0 || !value.is_finite() {
        0
    } else {
        (2 - value.abs().log10().floor() as i32).clamp(0, 3)
    };
    let text = format!("{:.*}", digits as usize, value.abs());
    let text = text
        .strip_prefix('0')
        .filter(|rest| rest.starts_with('.'))
        .map_or(text.clone(), str::to_owned);
    if value < 0.0 {
        format!("−{text}")
    } else {
        text
    }
}
