//! Paints egui's output on the processor, without a window or a graphics driver: for tests and for
//! the pictures of `screenshots/`.
//!
//! As egui's own OpenGL painter does it: triangles with interpolated premultiplied colours times the
//! texture, bilinear or nearest, blended in gamma space.

use eframe::egui::epaint::{
    ClippedPrimitive, ImageData, ImageDelta, Mesh, Primitive, Vertex, textures::TexturesDelta,
};
use eframe::egui::{
    Color32, ColorImage, Pos2, Rect, TextureFilter, TextureId, TextureOptions, pos2,
};
use std::collections::HashMap;

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
        self.image[(x, y)]
            .to_array()
            .map(|channel| f32::from(channel) / 255.0)
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
    let bounds = Rect::from_points(&[a, b, c]).intersect(clip);
    let last = |edge: f32, size: usize| (edge.ceil().max(0.0) as usize).min(size);
    let (right, bottom) = (
        last(bounds.right(), image.size[0]),
        last(bounds.bottom(), image.size[1]),
    );
    let colors = corners.map(|corner| {
        corner
            .color
            .to_array()
            .map(|channel| f32::from(channel) / 255.0)
    });
    let clip = Rect::from_min_max(
        pos2(clip.min.x.round(), clip.min.y.round()),
        pos2(clip.max.x.round(), clip.max.y.round()),
    );
    for y in bounds.top().floor().max(0.0) as usize..bottom {
        for x in bounds.left().floor().max(0.0) as usize..right {
            let at = pos2(x as f32 + 0.5, y as f32 + 0.5);
            let shares = [
                cross(b, c, at) / area,
                cross(c, a, at) / area,
                cross(a, b, at) / area,
            ];
            if !clip.contains(at) || !covered(shares, [(b, c), (c, a), (a, b)], area) {
                continue;
            }
            let uv = corners
                .iter()
                .zip(shares)
                .fold(pos2(0.0, 0.0), |uv, (corner, share)| {
                    uv + corner.uv.to_vec2() * share
                });
            let texel = texture.at(uv);
            let color: [f32; 4] = std::array::from_fn(|i| {
                texel[i] * (0..3).map(|k| colors[k][i] * shares[k]).sum::<f32>()
            });
            blend(&mut image[(x, y)], color);
        }
    }
}

/// Twice the signed area of a triangle.
fn cross(a: Pos2, b: Pos2, c: Pos2) -> f32 {
    (b.x - a.x) * (c.y - a.y) - (b.y - a.y) * (c.x - a.x)
}

/// Whether a pixel belongs to the triangle; one on an edge belongs to exactly one of the two triangles there.
fn covered(shares: [f32; 3], edges: [(Pos2, Pos2); 3], area: f32) -> bool {
    shares.iter().zip(edges).all(|(&share, (from, to))| {
        let (from, to) = if area > 0.0 { (from, to) } else { (to, from) };
        let first = to.y < from.y || (to.y == from.y && to.x > from.x);
        share > 0.0 || (share == 0.0 && first)
    })
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
