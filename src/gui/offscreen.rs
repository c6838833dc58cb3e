//! Paints egui's output on the processor, without a window or a graphics driver: for tests and for
//! the pictures of `screenshots/`.
//!
//! As egui's own OpenGL painter does it: triangles with interpolated premultiplied colours times the
//! texture, bilinear or nearest, blended in gamma space.

use eframe::egui::epaint::{
    ClippedPrimitive, ImageData, ImageDelta, Mesh, Primitive, Vertex, textures::TexturesDelta,
};
use eframe::egui::{
    Color32, ColorImage, Pos2, Rangef, Rect, TextureFilter, TextureId, TextureOptions, pos2,
};
use image::{Rgba, RgbaImage};
use std::collections::HashMap;
use std::ops::Range;

/// A canvas with its textures.
#[derive(Default)]
pub struct Canvas {
    textures: HashMap<TextureId, (ColorImage, TextureOptions)>,
}

impl Canvas {
    /// Takes over new and changed textures. Freed ones are kept until they are replaced, so that the
    /// last frame can still be painted.
    pub fn update(&mut self, delta: &mut TexturesDelta) {
        for (id, changes) in std::mem::take(&mut delta.set) {
            for change in changes {
                self.change(id, change);
            }
        }
        delta.free.clear();
    }

    fn change(&mut self, id: TextureId, change: ImageDelta) {
        let ImageData::Color(image) = change.image;
        let Some([left, top]) = change.pos else {
            self.textures.insert(id, ((*image).clone(), change.options));
            return;
        };
        let Some((texture, _)) = self.textures.get_mut(&id) else {
            return;
        };
        for y in 0..image.size[1] {
            for x in 0..image.size[0] {
                texture[(left + x, top + y)] = image[(x, y)];
            }
        }
    }

    /// The part of a texture at these fractions of it, and whether it is smoothed when it is enlarged.
    pub(crate) fn cut(&self, id: TextureId, uv: Rect) -> Option<(RgbaImage, bool)> {
        let (texture, options) = self.textures.get(&id)?;
        let [width, height] = texture.size;
        let pixel = |share: f32, size: usize| (share * size as f32).round().clamp(0.0, size as f32);
        let [left, right] = [uv.left(), uv.right()].map(|share| pixel(share, width) as usize);
        let [top, bottom] = [uv.top(), uv.bottom()].map(|share| pixel(share, height) as usize);
        if right <= left || bottom <= top {
            return None;
        }
        let image = RgbaImage::from_fn((right - left) as u32, (bottom - top) as u32, |x, y| {
            let pixel = texture[(left + x as usize, top + y as usize)];
            Rgba(pixel.to_srgba_unmultiplied())
        });
        let is_smooth = options.magnification == TextureFilter::Linear;
        Some((image, is_smooth))
    }

    /// Paints a frame of this many pixels over a background.
    pub fn paint(
        &self,
        primitives: &[ClippedPrimitive],
        size: [usize; 2],
        scale: f32,
        back: Color32,
    ) -> ColorImage {
        let mut image = ColorImage::filled(size, back);
        for ClippedPrimitive {
            clip_rect,
            primitive,
        } in primitives
        {
            let Primitive::Mesh(mesh) = primitive else {
                continue;
            };
            let Some((texture, options)) = self.textures.get(&mesh.texture_id) else {
                continue;
            };
            let clip = Rect::from_min_max(
                (clip_rect.min.to_vec2() * scale).to_pos2(),
                (clip_rect.max.to_vec2() * scale).to_pos2(),
            );
            let texture = Texture {
                image: texture,
                linear: options.magnification == TextureFilter::Linear,
            };
            paint_mesh(&mut image, mesh, clip, scale, &texture);
        }
        image
    }
}

struct Texture<'a> {
    image: &'a ColorImage,
    linear: bool,
}

impl Texture<'_> {
    fn at(&self, uv: Pos2) -> [f32; 4] {
        let [width, height] = self.image.size;
        let (x, y) = (uv.x * width as f32, uv.y * height as f32);
        if !self.linear {
            return self.texel(x.floor(), y.floor());
        }
        let (x, y) = (x - 0.5, y - 0.5);
        let (left, top) = (x.floor(), y.floor());
        let (fx, fy) = (x - left, y - top);
        let corner = |dx: f32, dy: f32| self.texel(left + dx, top + dy);
        let (a, b, c, d) = (
            corner(0.0, 0.0),
            corner(1.0, 0.0),
            corner(0.0, 1.0),
            corner(1.0, 1.0),
        );
        std::array::from_fn(|i| {
            (a[i] * (1.0 - fx) + b[i] * fx) * (1.0 - fy) + (c[i] * (1.0 - fx) + d[i] * fx) * fy
        })
    }

    fn texel(&self, x: f32, y: f32) -> [f32; 4] {
        let [width, height] = self.image.size;
        let (x, y) = (
            x.clamp(0.0, width as f32 - 1.0) as usize,
            y.clamp(0.0, height as f32 - 1.0) as usize,
        );
        fractions(self.image[(x, y)])
    }
}

fn paint_mesh(image: &mut ColorImage, mesh: &Mesh, clip: Rect, scale: f32, texture: &Texture<'_>) {
    for triangle in mesh.indices.chunks_exact(3) {
        let corner = |i: usize| mesh.vertices.get(triangle[i] as usize);
        if let (Some(a), Some(b), Some(c)) = (corner(0), corner(1), corner(2)) {
            paint_triangle(image, [a, b, c], clip, scale, texture);
        }
    }
}

fn paint_triangle(
    image: &mut ColorImage,
    corners: [&Vertex; 3],
    clip: Rect,
    scale: f32,
    texture: &Texture<'_>,
) {
    let [a, b, c] = corners.map(|corner| (corner.pos.to_vec2() * scale).to_pos2());
    let area = cross(a, b, c);
    if area == 0.0 || !area.is_finite() {
        return;
    }
    let edges = [(b, c), (c, a), (a, b)].map(|ends| Edge::new(ends, area));
    let bounds = Rect::from_points(&[a, b, c]);
    let width = image.width();
    let columns = pixels(bounds.x_range(), clip.x_range(), width);
    let rows = pixels(bounds.y_range(), clip.y_range(), image.height());
    let colors = corners.map(|corner| fractions(corner.color));
    let is_plain = corners
        .iter()
        .all(|corner| corner.color == corners[0].color && corner.uv == corners[0].uv);
    // Most of a window is plain: frames, panels, bars.
    let plain = is_plain.then(|| mixed(texture.at(corners[0].uv), colors, [1.0, 0.0, 0.0]));
    for y in rows {
        let span = span(&edges, columns.clone(), y);
        let row = &mut image.pixels[y * width..(y + 1) * width];
        match plain {
            Some(color) if color[3] == 1.0 => row[span].fill(opaque(color)),
            Some(color) => row[span].iter_mut().for_each(|pixel| blend(pixel, color)),
            None => {
                for x in span {
                    let weights = edges.each_ref().map(|edge| edge.weight(x, y));
                    let uv = corners
                        .iter()
                        .zip(weights)
                        .fold(pos2(0.0, 0.0), |uv, (corner, weight)| {
                            uv + corner.uv.to_vec2() * weight
                        });
                    blend(&mut row[x], mixed(texture.at(uv), colors, weights));
                }
            }
        }
    }
}

/// The pixels of one axis whose centers can lie within both ranges.
fn pixels(bounds: Rangef, clip: Rangef, size: usize) -> Range<usize> {
    let first = bounds.min.floor().max(clip.min.round()).max(0.0) as usize;
    let end = bounds.max.ceil().min(clip.max.round()).max(0.0) as usize;
    // What lies outside of the clip has no pixels.
    let end = end.min(size);
    first.min(end)..end
}

/// A side of a triangle, opposite to one of its corners.
struct Edge {
    ends: (Pos2, Pos2),
    area: f32,
    /// Whether pixels exactly on this edge belong to the triangle: of two triangles that share an edge, to one.
    holds_its_pixels: bool,
}

impl Edge {
    fn new(ends: (Pos2, Pos2), area: f32) -> Self {
        let (from, to) = match area > 0.0 {
            true => ends,
            false => (ends.1, ends.0),
        };
        Self {
            ends,
            area,
            holds_its_pixels: to.y < from.y || (to.y == from.y && to.x > from.x),
        }
    }

    /// The barycentric coordinate of the corner opposite to this edge, at the center of a pixel.
    fn weight(&self, x: usize, y: usize) -> f32 {
        let center = pos2(x as f32 + 0.5, y as f32 + 0.5);
        cross(self.ends.0, self.ends.1, center) / self.area
    }

    fn is_inside(&self, x: usize, y: usize) -> bool {
        let weight = self.weight(x, y);
        weight > 0.0 || (weight == 0.0 && self.holds_its_pixels)
    }
}

/// The pixels of a row that a triangle covers. Along a row every edge has one inner and one outer side, so that the
/// border between them is found by halving.
fn span(edges: &[Edge; 3], columns: Range<usize>, y: usize) -> Range<usize> {
    let mut span = columns;
    for edge in edges {
        if span.is_empty() {
            return span;
        }
        let first_is_inside = edge.is_inside(span.start, y);
        let last_is_inside = edge.is_inside(span.end - 1, y);
        match (first_is_inside, last_is_inside) {
            (true, true) => {}
            (false, false) => return span.start..span.start,
            (true, false) => span.end = border(span.clone(), |x| edge.is_inside(x, y)),
            (false, true) => span.start = border(span.clone(), |x| !edge.is_inside(x, y)),
        }
    }
    span
}

/// The first place of a range at which something that holds at its start no longer holds.
fn border(range: Range<usize>, holds: impl Fn(usize) -> bool) -> usize {
    let Range { mut start, mut end } = range;
    while start < end {
        let middle = start + (end - start) / 2;
        match holds(middle) {
            true => start = middle + 1,
            false => end = middle,
        }
    }
    start
}

/// Twice the signed area of a triangle.
fn cross(a: Pos2, b: Pos2, c: Pos2) -> f32 {
    (b.x - a.x) * (c.y - a.y) - (b.y - a.y) * (c.x - a.x)
}

/// The channels of a color, from 0 to 1.
fn fractions(color: Color32) -> [f32; 4] {
    color.to_array().map(|channel| f32::from(channel) / 255.0)
}

/// A texel times the colors of the corners, as far as each weighs.
fn mixed(texel: [f32; 4], colors: [[f32; 4]; 3], weights: [f32; 3]) -> [f32; 4] {
    let [a, b, c] = colors;
    let mut color = texel;
    for (i, channel) in color.iter_mut().enumerate() {
        *channel *= a[i] * weights[0] + b[i] * weights[1] + c[i] * weights[2];
    }
    color
}

/// What `blend` makes of any pixel below a color that lets nothing through.
fn opaque(color: [f32; 4]) -> Color32 {
    let mut pixel = Color32::BLACK;
    blend(&mut pixel, color);
    pixel
}

fn blend(pixel: &mut Color32, color: [f32; 4]) {
    let below = pixel.to_array().map(f32::from);
    let mixed: [u8; 4] = std::array::from_fn(|i| {
        (255.0 * color[i] + below[i] * (1.0 - color[3]))
            .round()
            .clamp(0.0, 255.0) as u8
    });
    *pixel = Color32::from_rgba_premultiplied(mixed[0], mixed[1], mixed[2], mixed[3]);
}
