//! Small pictures painted from one texture, and the colour bar that says what their colours mean.

use crate::theme;
use eframe::egui::{
    Align2, Color32, ColorImage, Context, Painter, Rect, TextureHandle, TextureOptions, Ui, pos2,
    vec2,
};
use strata_inspect::curve::{self, is_signal};
use strata_inspect::filter_picture::{filter_picture, filter_size};
use strata_inspect::filters::Filters;
use strata_inspect::maps::viridis;
use strata_inspect::picture::{FilterScale, image_rgba};

/// Pictures of one size in one texture, without gaps.
pub struct Sheet {
    texture: TextureHandle,
    columns: usize,
    /// Height and width of a picture in the texture.
    drawn: [usize; 2],
    /// Height and width of a picture.
    pub size: [usize; 2],
    /// Whether the pictures are drawn ones, whose pixels are not meant to be seen.
    pub smooth: bool,
}

/// Pictures in a row of the texture at most, and the pixels of such a row: no graphics driver takes a texture of any
/// size.
const COLUMNS: usize = 24;
const WIDEST: usize = 2048;

impl Sheet {
    /// A sheet of `count` pictures whose pixels are seen one by one; `rgba` gives the `H × W × 4` bytes of each.
    pub fn new(
        ctx: &Context,
        name: &str,
        size: [usize; 2],
        count: usize,
        rgba: impl Fn(usize) -> Vec<u8>,
    ) -> Sheet {
        Sheet::with(ctx, name, size, count, TextureOptions::NEAREST, rgba)
    }

    /// Images as `H×W×C` bytes of this size; signals become curves, all of them in one range.
    pub fn of_images(ctx: &Context, name: &str, size: [usize; 3], images: &[&[u8]]) -> Sheet {
        let ([height, width, channels], count) = (size, images.len());
        let image = |index: usize| images.get(index).copied().unwrap_or_default();
        if !is_signal(size) {
            return Sheet::new(ctx, name, [height, width], count, |index| {
                image_rgba(image(index), channels)
            });
        }
        let range = curve::fitted(&images.concat(), curve::BYTES);
        let rgba = |index: usize| image_rgba(&curve::picture(image(index), channels, range), 1);
        Sheet::smooth(ctx, name, curve::SIZE, count, rgba)
    }

    /// The first filters: of signals as bars, of volumes slice by slice.
    pub fn of_filters(
        ctx: &Context,
        name: &str,
        filters: &Filters,
        count: usize,
        scale: FilterScale,
    ) -> Sheet {
        let size = filter_size(filters);
        let rgba = |index| filter_picture(filters, index, scale);
        match filters.are_rows() {
            true => Sheet::smooth(ctx, name, size, count, rgba),
            false => Sheet::new(ctx, name, size, count, rgba),
        }
    }

    /// The same for drawn pictures, such as curves, that stay smooth at any size.
    pub fn smooth(
        ctx: &Context,
        name: &str,
        size: [usize; 2],
        count: usize,
        rgba: impl Fn(usize) -> Vec<u8>,
    ) -> Sheet {
        Sheet::with(ctx, name, size, count, TextureOptions::LINEAR, rgba)
    }

    fn with(
        ctx: &Context,
        name: &str,
        size: [usize; 2],
        count: usize,
        options: TextureOptions,
        rgba: impl Fn(usize) -> Vec<u8>,
    ) -> Sheet {
        let (steps, columns) = fitting(size, count);
        let [height, width] = [size[0].div_ceil(steps[0]), size[1].div_ceil(steps[1])];
        let (wide, tall) = (columns * width, count.div_ceil(columns).max(1) * height);
        let mut image = ColorImage::filled([wide.max(1), tall.max(1)], Color32::TRANSPARENT);
        for index in 0..count {
            let (left, top) = (index % columns * width, index / columns * height);
            let picture = rgba(index);
            let rows = picture.chunks_exact(4 * size[1].max(1)).step_by(steps[0]);
            let places = image.pixels.chunks_exact_mut(wide.max(1)).skip(top);
            for (place, row) in places.zip(rows).take(height) {
                let pixels = row.as_chunks::<4>().0.iter().step_by(steps[1]);
                for (place, [r, g, b, a]) in place.iter_mut().skip(left).zip(pixels) {
                    *place = Color32::from_rgba_unmultiplied(*r, *g, *b, *a);
                }
            }
        }
        let smooth = options == TextureOptions::LINEAR;
        Sheet {
            texture: ctx.load_texture(name, image, options),
            columns,
            drawn: [height, width],
            size,
            smooth,
        }
    }

    /// Paints one of the pictures.
    pub fn paint(&self, painter: &Painter, index: usize, to: Rect) {
        let [wide, tall] = self.texture.size();
        let (w, h) = (
            self.drawn[1] as f32 / wide as f32,
            self.drawn[0] as f32 / tall as f32,
        );
        let at = pos2(
            (index % self.columns) as f32 * w,
            (index / self.columns) as f32 * h,
        );
        painter.image(
            self.texture.id(),
            to,
            Rect::from_min_size(at, vec2(w, h)),
            Color32::WHITE,
        );
    }
}

/// Of what is larger than a texture, such as the map of a long signal, only every n-th pixel is kept: n down and
/// across, and how many pictures are in a row.
fn fitting(size: [usize; 2], count: usize) -> ([usize; 2], usize) {
    let mut steps = size.map(|side| side.div_ceil(WIDEST).max(1));
    loop {
        let [height, width] = [size[0].div_ceil(steps[0]), size[1].div_ceil(steps[1])];
        let columns = count.clamp(1, COLUMNS.min((WIDEST / width.max(1)).max(1)));
        if height <= 1 || count.div_ceil(columns) * height <= WIDEST {
            return (steps, columns);
        }
        steps = [steps[0] + 1, (steps[1] + 1).min(size[1].max(1))];
    }
}

/// A bar of colours, from 0 at the bottom to 1 at the top.
pub(crate) fn shades(painter: &Painter, bar: Rect, color: impl Fn(f32) -> Color32) {
    const SHADES: usize = 32;
    for shade in 0..SHADES {
        let top = bar.top() + bar.height() * shade as f32 / SHADES as f32;
        let size = vec2(bar.width(), bar.height() / SHADES as f32 + 0.5);
        let share = 1.0 - (shade as f32 + 0.5) / SHADES as f32;
        painter.rect_filled(
            Rect::from_min_size(pos2(bar.left(), top), size),
            0.0,
            color(share),
        );
    }
}

/// The colours of unsigned values, from `low` below to `high` above.
pub(crate) fn unsigned_bar(ui: &Ui, area: Rect, low: &str, high: &str) {
    color_bar(ui, area, [low, high], viridis);
}

/// The colours of values, by how far each is from the lower to the upper end.
pub(crate) fn color_bar(
    ui: &Ui,
    area: Rect,
    [low, high]: [&str; 2],
    color: impl Fn(f32) -> [u8; 3],
) {
    let weak = theme::palette(ui).weak;
    let bar = Rect::from_min_size(
        area.min + vec2(8.0, 0.0),
        vec2(8.0, area.height().min(160.0)),
    );
    shades(ui.painter(), bar, |share| {
        let [r, g, b] = color(share);
        Color32::from_rgb(r, g, b)
    });
    let write = |y: f32, align: Align2, text: &str| {
        ui.painter().text(
            pos2(bar.right() + 4.0, y),
            align,
            text,
            theme::digits(theme::TINY),
            weak,
        );
    };
    write(bar.top(), Align2::LEFT_TOP, high);
    write(bar.bottom(), Align2::LEFT_BOTTOM, low);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_sheet_is_larger_than_a_driver_takes() {
        let ctx = Context::default();
        let make = |size: [usize; 2], count: usize| {
            let sheet = Sheet::new(&ctx, "test", size, count, |_| {
                vec![7; size[0] * size[1] * 4]
            });
            (sheet.texture.size(), sheet.size)
        };
        let signals = Sheet::of_images(&ctx, "test", [1, 500, 2], &[[7; 1000].as_slice(); 3]);
        assert_eq!(
            (signals.texture.size(), signals.size),
            ([3 * 128, 64], [64, 128])
        );
        assert_eq!(
            Sheet::of_images(&ctx, "test", [9, 8, 3], &[[7; 216].as_slice(); 2])
                .texture
                .size(),
            [16, 9]
        );
        assert_eq!(make([28, 28], 30), ([24 * 28, 2 * 28], [28, 28]));
        assert_eq!(make([64, 128], 40), ([16 * 128, 3 * 64], [64, 128]));
        let ([wide, tall], size) = make([1, 48_000], 3);
        assert!(
            wide == 2000 && tall == 3 && size == [1, 48_000],
            "{wide} {tall}"
        );
        let ([wide, tall], _) = make([1024, 1024], 48);
        assert!(
            wide <= WIDEST && tall <= WIDEST && wide * tall > WIDEST * WIDEST / 2,
            "{wide} {tall}"
        );
    }
}
