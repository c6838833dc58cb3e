//! Inputs, outputs and differences below each other: as large as there is room for, in bands where there is more.

use super::{GAP, LABELS, NUMBERS, noun, rows, size};
use crate::theme;
use crate::widgets::first_fitting;
use eframe::egui::{
    Align2, Color32, FontId, Pos2, Rect, Role, ScrollArea, Sense, TextureHandle, Ui, UiBuilder,
    Vec2, WidgetInfo, pos2, vec2,
};
use strata_core::format;
use strata_inspect::reconstructions::Reconstructions;

/// The rectangle of each picture.
struct Grid {
    origin: Pos2,
    cell: Vec2,
    /// From the left edge of one picture to that of the next.
    pitch: f32,
    count: usize,
    /// Pictures side by side; the next ones are in a band below.
    in_band: usize,
}

impl Grid {
    /// As large as three rows allow, a little less so that whole pictures fill the width.
    fn new(r: &Reconstructions, origin: Pos2, space: Vec2) -> Grid {
        let [height, width] = size(r);
        let ratio = width as f32 / height.max(1) as f32;
        let count = r.mse.len();
        let tallest = ((space.y - NUMBERS) / 3.0 - GAP).clamp(16.0, 128.0);
        let columns = (space.x / (tallest * ratio + GAP)).ceil().max(1.0);
        let tall = ((space.x / columns - GAP) / ratio).min(tallest).max(16.0);
        let roomy = count as f32 <= columns - 1.0;
        let cell = Vec2::splat(if roomy { tallest } else { tall }.floor()) * vec2(ratio, 1.0);
        let pitch = if roomy {
            cell.x + GAP
        } else {
            (space.x / columns).max(cell.x + GAP / 2.0)
        };
        let mut grid = Grid {
            origin,
            cell,
            pitch,
            count,
            in_band: columns as usize,
        };
        let bands = ((space.y / grid.band()).floor() as usize).max(1);
        grid.in_band = grid.in_band.max(count.div_ceil(bands));
        grid
    }

    /// From the top of a band to that of the next.
    fn band(&self) -> f32 {
        3.0 * (self.cell.y + GAP) + NUMBERS
    }

    fn bands(&self) -> usize {
        self.count.div_ceil(self.in_band).max(1)
    }

    fn size(&self) -> Vec2 {
        vec2(
            self.count.min(self.in_band) as f32 * self.pitch,
            self.bands() as f32 * self.band(),
        )
    }

    fn place(&self, row: usize, column: usize) -> Rect {
        let (band, column) = (column / self.in_band, column % self.in_band);
        let down = band as f32 * self.band() + row as f32 * (self.cell.y + GAP);
        let at = vec2(column as f32 * self.pitch, down);
        Rect::from_min_size(self.origin + at, self.cell)
    }

    fn at(&self, point: Pos2) -> Option<(usize, usize)> {
        let all = (0..3).flat_map(|row| (0..self.count).map(move |column| (row, column)));
        all.into_iter()
            .find(|&(row, column)| self.place(row, column).contains(point))
    }
}

/// Shows them; what there is no room for is scrolled to.
pub(super) fn show_grid(ui: &mut Ui, r: &Reconstructions, texture: &TextureHandle) {
    let area = ui.available_rect_before_wrap();
    let (names, pictures) = area.split_left_right_at_x(area.left() + LABELS);
    let mut inner = ui.new_child(UiBuilder::new().id_salt("pictures").max_rect(pictures));
    inner.spacing_mut().scroll.fade.strength = 0.0;
    let grid = ScrollArea::horizontal()
        .auto_shrink(false)
        .show(&mut inner, |ui| scrolled(ui, r, texture, pictures.size()));
    let colors = theme::palette(ui);
    let firsts = (0..grid.inner.bands()).map(|band| band * grid.inner.in_band);
    let named = firsts.flat_map(|first| rows(r).iter().enumerate().map(move |row| (first, row)));
    for (first, (row, (name, _))) in named {
        let at = pos2(names.left(), grid.inner.place(row, first).center().y);
        ui.painter().text(
            at,
            Align2::LEFT_CENTER,
            *name,
            FontId::proportional(theme::SMALL),
            colors.weak,
        );
    }
}

fn scrolled(ui: &mut Ui, r: &Reconstructions, texture: &TextureHandle, space: Vec2) -> Grid {
    let size = Grid::new(r, Pos2::ZERO, space).size();
    let down = ((space.y - size.y) / 2.0).clamp(0.0, 16.0);
    let (area, response) = ui.allocate_exact_size(vec2(size.x, space.y), Sense::hover());
    let grid = Grid::new(r, area.min + vec2(0.0, down), space);
    let (count, noun, mse) = (grid.count, noun(r), r.mean_mse);
    let text = format!(
        "{count} probe {noun}s and their reconstructions, mean squared error {}",
        format::loss(mse.into())
    );
    response.widget_info(|| WidgetInfo::labeled(Role::Image, true, text.clone()));
    paint(ui, r, texture, &grid);
    if let Some((row, column)) = response.hover_pos().and_then(|point| grid.at(point)) {
        let (name, about) = rows(r)[row];
        let mse = format::loss(f64::from(r.mse[column]));
        response.on_hover_text_at_pointer(format!(
            "{name} of probe {noun} {}\n{about}\nMSE {mse}",
            column + 1
        ));
    }
    grid
}

fn paint(ui: &Ui, r: &Reconstructions, texture: &TextureHandle, grid: &Grid) {
    let (w, h) = (1.0 / 3.0, 1.0 / grid.count as f32);
    for (column, mse) in r.mse.iter().enumerate() {
        for row in 0..3 {
            let uv = Rect::from_min_size(pos2(row as f32 * w, column as f32 * h), vec2(w, h));
            ui.painter()
                .image(texture.id(), grid.place(row, column), uv, Color32::WHITE);
        }
        let below = grid.place(2, column).center_bottom() + vec2(0.0, 4.0);
        let mse = f64::from(*mse);
        let whole = format::loss(mse);
        let [two, one] = [2, 1].map(|digits| format::rounded(mse, digits));
        let weak = theme::palette(ui).weak;
        let font = theme::digits(theme::TINY);
        let room = grid.place(2, column).width();
        let text = first_fitting(ui, &[&whole, &two, &one], font, weak, room);
        // Numbers that would run into each other are told where the pointer is.
        if !text.elided {
            let at = below - vec2(0.5 * text.size().x, 0.0);
            ui.painter().galley(at, text, weak);
        }
    }
}
