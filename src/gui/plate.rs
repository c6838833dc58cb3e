//! Pictures with their words, as files: a title, what they show, captions, and a bar that says which colour means
//! which value. Pixels of a picture keep their values: they are only enlarged.
//!
//! Nothing here fails.

pub mod of_adversarial;
pub mod of_embedding;
pub mod of_exciting;
pub mod of_filters;
pub mod of_kernel;
pub mod of_neighbours;
pub mod of_network;
pub mod of_predictions;
pub mod of_reconstructions;
pub mod of_saliency;
pub mod of_unit;
pub mod of_visualization;
mod slices;

use crate::offscreen::Canvas;
use crate::snapshot::{SCALE, Snapshot};
use crate::theme;
use eframe::egui::{
    Align2, Color32, ColorImage, Context, FontId, Galley, Painter, Pos2, RawInput, Rect,
    TextureHandle, TextureOptions, Theme, ViewportId, pos2, vec2,
};
use image::RgbaImage;
use std::sync::Arc;
use strata_core::format;

/// Around everything, in points.
const MARGIN: f32 = 20.0;
/// Between pictures.
const GAP: f32 = 8.0;
/// As wide as a caption and the title have room, at least; and a caption where long names would take too many lines.
const LEAST: [f32; 2] = [64.0, 420.0];
const WIDE: f32 = 132.0;
const SOMEWHAT_WIDE: f32 = 96.0;
const MOST_LINES: usize = 5;
/// About the width of a letter of a caption.
const LETTER: f32 = 6.0;
/// Height of a line of a caption.
const LINE: f32 = 14.0;
/// Rows of pictures are at most so high together: of more than 32,767 pixels many programs open no picture.
const TALLEST: f32 = 15_000.0;
/// Width and height of a colour bar.
const BAR: [f32; 2] = [200.0, 10.0];
/// Steps of a colour bar.
const SHADES: u32 = 100;
const SMALL: f32 = theme::TINY;
/// Pixels across and down that any text and picture fits in while it is laid out.
const PAPER: f32 = 60_000.0;

/// A picture below which something is written.
pub struct Tile {
    /// Its pixels.
    pub image: RgbaImage,
    /// How many times as large each pixel is drawn.
    pub zoom: u32,
    /// What is written below it.
    pub caption: String,
}

/// Which colour means which value.
pub struct ColorBar {
    /// What the values are.
    pub name: String,
    /// The colour at a fraction of the way from the lower to the upper end.
    pub color: Box<dyn Fn(f32) -> [u8; 3]>,
    /// The values at both ends, and between them at equal distances.
    pub marks: Vec<String>,
}

/// Pictures of one kind with their words.
#[derive(Default)]
pub(crate) struct Plate {
    /// What it is.
    pub title: String,
    /// Lines below the title.
    pub lines: Vec<String>,
    /// The pictures in rows.
    pub rows: Vec<Vec<Tile>>,
    /// The colours' meanings.
    pub bars: Vec<ColorBar>,
}

impl Plate {
    /// Lays it out, dark on light; as much of it as fits into a picture.
    pub fn draw(mut self) -> Snapshot {
        self.cut();
        let ctx = Context::default();
        theme::install(&ctx);
        ctx.set_theme(Theme::Light);
        let mut canvas = Canvas::default();
        let (mut shapes, mut primitives) = (Vec::new(), Vec::new());
        let (mut corner, mut textures) = (Pos2::ZERO, Vec::new());
        for _ in 0..2 {
            let mut output = ctx.run_ui(input(), |ui| {
                if textures.is_empty() {
                    textures = self.textures(ui.ctx());
                }
                corner = self.lay_out(ui.painter(), &textures);
            });
            canvas.update(&mut output.textures_delta);
            shapes = output.shapes.clone();
            primitives = ctx.tessellate(output.shapes, output.pixels_per_point);
        }
        Snapshot {
            shapes,
            primitives,
            canvas,
            back: theme::LIGHT.panel,
            size: [corner.x, corner.y],
        }
    }

    /// Leaves out the rows behind the largest height of a picture, and says so.
    fn cut(&mut self) {
        let room = self.room();
        let mut height = 0.0;
        let fits = |row: &&Vec<Tile>| {
            let tallest = row.iter().map(|tile| size_of(tile)[1]).fold(0.0, f32::max);
            let lines = row.iter().map(|tile| lines_of(tile, room)).max();
            height += tallest + GAP + LINE * lines.unwrap_or(0) as f32;
            height <= TALLEST
        };
        let [shown, all] = [
            self.rows.iter().take_while(fits).count().max(1),
            self.rows.len(),
        ];
        if shown < all {
            self.rows.truncate(shown);
            self.lines.push(format!(
                "The first {} of {} rows are drawn.",
                format::count(shown as u64),
                format::count(all as u64)
            ));
        }
    }

    fn textures(&self, ctx: &Context) -> Vec<TextureHandle> {
        let tiles = self.rows.iter().flatten();
        let load = |tile: &Tile| {
            let size = [tile.image.width() as usize, tile.image.height() as usize];
            let image = ColorImage::from_rgba_unmultiplied(size, tile.image.as_raw());
            ctx.load_texture("tile", image, TextureOptions::NEAREST)
        };
        tiles.map(load).collect()
    }

    /// Room of every caption: more where names are long.
    fn room(&self) -> f32 {
        let tiles = || self.rows.iter().flatten();
        let widest = |tile: &Tile| tile.caption.lines().map(|line| line.chars().count()).max();
        let longest = tiles().filter_map(widest).max().unwrap_or(0) as f32 * LETTER;
        let most = tiles().map(|tile| lines_of(tile, LEAST[0])).max();
        match most.unwrap_or(0) {
            // A little more keeps every caption in its lines.
            _ if longest <= SOMEWHAT_WIDE => LEAST[0].max(longest + LETTER),
            most if most > MOST_LINES => WIDE,
            _ => LEAST[0],
        }
    }

    /// Paints everything; returns the lower right corner.
    fn lay_out(&self, painter: &Painter, textures: &[TextureHandle]) -> Pos2 {
        let room = self.room();
        let row_width =
            |row: &Vec<Tile>| row.iter().map(|tile| cell(tile, room) + GAP).sum::<f32>();
        let width = self.rows.iter().map(row_width).fold(LEAST[1], f32::max);
        let colors = theme::LIGHT;
        let mut y = MARGIN;
        let heading = theme::heading(theme::TITLE);
        y += write(
            painter,
            pos2(MARGIN, y),
            &self.title,
            heading,
            colors.strong,
            width,
        );
        for line in &self.lines {
            let font = FontId::proportional(theme::SMALL);
            y += 3.0
                + write(
                    painter,
                    pos2(MARGIN, y + 3.0),
                    line,
                    font,
                    colors.text,
                    width,
                );
        }
        y += 2.0 * GAP;
        let mut textures = textures.iter();
        for row in &self.rows {
            y += row_of(painter, (row, room), &mut textures, y) + GAP;
        }
        for bar in &self.bars {
            y += GAP + bar.paint(painter, pos2(MARGIN, y + GAP), width);
        }
        pos2(width + 2.0 * MARGIN, y + MARGIN)
    }
}

fn input() -> RawInput {
    let mut input = RawInput {
        screen_rect: Some(Rect::from_min_size(Pos2::ZERO, vec2(PAPER, PAPER))),
        max_texture_side: Some(1 << 13),
        ..RawInput::default()
    };
    if let Some(viewport) = input.viewports.get_mut(&ViewportId::ROOT) {
        viewport.native_pixels_per_point = Some(SCALE);
    }
    input
}

/// Width and height of a tile's picture in points.
fn size_of(tile: &Tile) -> [f32; 2] {
    let (width, height) = tile.image.dimensions();
    [width, height].map(|pixels| (pixels * tile.zoom.max(1)) as f32 / SCALE)
}

/// Lines of a tile's caption in a column of so much room, about.
fn lines_of(tile: &Tile, room: f32) -> usize {
    let letters = (room.max(size_of(tile)[0]) / LETTER) as usize;
    let lines = tile.caption.lines().map(|line| line.chars().count());
    lines.map(|line| line.div_ceil(letters.max(1))).sum()
}

/// Width of a tile with its caption, which has at least so much room.
fn cell(tile: &Tile, room: f32) -> f32 {
    size_of(tile)[0].max(room)
}

fn row_of<'a>(
    painter: &Painter,
    (row, room): (&[Tile], f32),
    textures: &mut impl Iterator<Item = &'a TextureHandle>,
    top: f32,
) -> f32 {
    let tallest = row.iter().map(|tile| size_of(tile)[1]).fold(0.0, f32::max);
    let (mut x, mut words) = (MARGIN, 0.0f32);
    let whole = Rect::from_min_max(Pos2::ZERO, pos2(1.0, 1.0));
    for (tile, texture) in row.iter().zip(textures) {
        let [width, height] = size_of(tile);
        let rect = Rect::from_min_size(pos2(x, top), vec2(width, height));
        // On whole pixels, so that every one is enlarged alike.
        let rect = Rect::from_min_size(
            (rect.min.to_vec2() * SCALE).round().to_pos2() / SCALE,
            rect.size(),
        );
        painter.image(texture.id(), rect, whole, Color32::WHITE);
        let below = pos2(x, top + tallest + 2.0);
        let font = theme::digits(SMALL);
        let tall = write(
            painter,
            below,
            &tile.caption,
            font,
            theme::LIGHT.text,
            cell(tile, room),
        );
        words = words.max(tall);
        x += cell(tile, room) + GAP;
    }
    tallest + 2.0 + words
}

/// Writes text in lines of this width; returns its height.
fn write(painter: &Painter, at: Pos2, text: &str, font: FontId, color: Color32, width: f32) -> f32 {
    if text.is_empty() {
        return 0.0;
    }
    let galley: Arc<Galley> = painter.layout(text.to_owned(), font, color, width);
    let height = galley.size().y;
    painter.galley(at, galley, color);
    height
}

impl ColorBar {
    fn paint(&self, painter: &Painter, at: Pos2, width: f32) -> f32 {
        let colors = theme::LIGHT;
        let name = write(
            painter,
            at,
            &self.name,
            FontId::proportional(theme::SMALL),
            colors.text,
            width,
        );
        let bar = Rect::from_min_size(pos2(at.x, at.y + name + 2.0), BAR.into());
        let step = bar.width() / SHADES as f32;
        for shade in 0..SHADES {
            let [r, g, b] = (self.color)((shade as f32 + 0.5) / SHADES as f32);
            let left = bar.left() + shade as f32 * step;
            let rect = Rect::from_min_size(pos2(left, bar.top()), vec2(step, bar.height()));
            painter.rect_filled(rect, 0.0, Color32::from_rgb(r, g, b));
        }
        let last = self.marks.len().saturating_sub(1).max(1) as f32;
        for (index, mark) in self.marks.iter().enumerate() {
            let share = index as f32 / last;
            let align = match share {
                0.0 => Align2::LEFT_TOP,
                1.0 => Align2::RIGHT_TOP,
                _ => Align2::CENTER_TOP,
            };
            let place = pos2(bar.left() + share * bar.width(), bar.bottom() + 2.0);
            painter.text(place, align, mark, theme::digits(SMALL), colors.text);
        }
        bar.bottom() + 16.0 - at.y
    }
}

/// Tiles in rows of so many.
fn in_rows(tiles: Vec<Tile>, columns: usize) -> Vec<Vec<Tile>> {
    let mut rows: Vec<Vec<Tile>> = Vec::new();
    for tile in tiles {
        match rows.last_mut().filter(|row| row.len() < columns.max(1)) {
            Some(row) => row.push(tile),
            None => rows.push(vec![tile]),
        }
    }
    rows
}

/// A picture of `H × W × 4` bytes.
fn tile(bytes: Vec<u8>, [height, width]: [usize; 2], zoom: u32, caption: String) -> Tile {
    let image = RgbaImage::from_raw(width as u32, height as u32, bytes);
    let is_some = |image: &RgbaImage| image.width() > 0 && image.height() > 0;
    Tile {
        // What has no pixels keeps its place and its caption.
        image: image
            .filter(is_some)
            .unwrap_or_else(|| RgbaImage::new(1, 1)),
        zoom,
        caption,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use image::Rgba;

    fn plate(marks: &[&str]) -> Plate {
        let one = |color: [u8; 4]| Tile {
            image: RgbaImage::from_pixel(5, 4, Rgba(color)),
            zoom: 7,
            caption: "±0.31".to_owned(),
        };
        Plate {
            title: "Filters".to_owned(),
            lines: vec!["each by its own largest weight".to_owned()],
            rows: in_rows(
                vec![
                    one([255, 0, 0, 255]),
                    one([0, 255, 0, 255]),
                    one([0, 0, 255, 255]),
                ],
                2,
            ),
            bars: vec![ColorBar {
                name: "weight".to_owned(),
                color: Box::new(|share| [(255.0 * share) as u8, 7, 7]),
                marks: marks.iter().map(|mark| (*mark).to_owned()).collect(),
            }],
        }
    }

    fn count(image: &RgbaImage, color: [u8; 4]) -> usize {
        image.pixels().filter(|pixel| pixel.0 == color).count()
    }

    #[test]
    fn pixels_keep_their_values_and_are_all_enlarged_alike() {
        let image = plate(&["0", "1"]).draw().paint();
        for color in [[255, 0, 0, 255], [0, 255, 0, 255], [0, 0, 255, 255]] {
            assert_eq!(count(&image, color), 5 * 4 * 7 * 7);
        }
    }

    #[test]
    fn long_names_get_more_room_and_short_ones_leave_the_pictures_together() {
        let mut plate = plate(&[]);
        assert_eq!(plate.room(), LEAST[0]);
        let name = "Passeriformes: perching birds (songbirds)";
        plate.rows[0][1].caption = format!("is {name}\n{name} 98.2 %");
        assert_eq!(plate.room(), WIDE);
    }

    #[test]
    fn words_and_the_bar_are_there() {
        let (with, without) = (
            plate(&["−1", "0", "5"]).draw().paint(),
            plate(&[]).draw().paint(),
        );
        assert_eq!(with.dimensions(), without.dimensions());
        let dark = |image: &RgbaImage| {
            image
                .pixels()
                .filter(|pixel| pixel.0[..3].iter().all(|&c| c < 120))
                .count()
        };
        assert!(
            dark(&with) > dark(&without),
            "the ends of the bar are written"
        );
        let reds = with
            .pixels()
            .filter(|pixel| pixel.0[1] == 7 && pixel.0[2] == 7);
        assert!(reds.count() > 3000, "the bar has its colours");
    }

    #[test]
    fn a_picture_ends_where_programs_still_open_it() {
        let row = |_| vec![tile(vec![0; 4 * 64], [8, 8], 20, "a caption".to_owned())];
        let long = Plate {
            rows: (0..600).map(row).collect(),
            ..plate(&["0", "1"])
        };
        let drawn = long.draw();
        let height = drawn.size[1] * SCALE;
        assert!(height < 32_767.0, "{height}");
        // Much of it is there all the same.
        assert!(height > 25_000.0, "{height}");
    }
}
