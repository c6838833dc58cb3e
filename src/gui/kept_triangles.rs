//! Triangles of what is painted as it was before are kept: most of a window stays as it is from one frame to the next,
//! and making its triangles anew reads every letter of it.
//!
//! It stands between egui and whatever paints, so no view knows of it. A part is taken from before only if all its
//! shapes are equal to those of the frame before, each text being the very same layout.

use super::frame_parts::timed;
use eframe::egui::epaint::{ClippedShape, Primitive, TessellationOptions, TextShape};
use eframe::egui::{Context, FullOutput, Mesh, Plugin, Rect, Shape};
use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;

/// Fewer shapes in a row are not worth a comparison.
const FEW: usize = 3;

/// Keeps triangles from now on. Only for a context whose shapes nobody reads: of kept ones the texts are gone.
pub fn keep(ctx: &Context) {
    ctx.add_plugin(KeptTriangles::default());
}

/// The shapes of the frame before, in parts that have one clip rectangle each.
#[derive(Default)]
struct KeptTriangles {
    shapes: Vec<ClippedShape>,
    parts: HashMap<Place, Part>,
    made_for: Option<MadeFor>,
}

/// A clip rectangle, and how many parts before have the same.
type Place = ([u32; 4], usize);

/// What triangles depend on besides their shapes.
#[derive(Clone, Copy, PartialEq)]
struct MadeFor {
    pixels_per_point: f32,
    atlas: [usize; 2],
    options: TessellationOptions,
}

/// Where the shapes of a part lie, and its triangles once it was painted twice.
struct Part {
    shapes: Range<usize>,
    triangles: Option<Vec<Arc<Mesh>>>,
}

impl Plugin for KeptTriangles {
    fn debug_name(&self) -> &'static str {
        "kept triangles"
    }

    fn output_hook(&mut self, ctx: &Context, output: &mut FullOutput) {
        timed("kept triangles", || self.exchange(ctx, output));
    }
}

impl KeptTriangles {
    /// Puts triangles in the place of shapes that are as they were.
    fn exchange(&mut self, ctx: &Context, output: &mut FullOutput) {
        let made_for = MadeFor {
            pixels_per_point: output.pixels_per_point,
            atlas: ctx.fonts(|fonts| fonts.font_image_size()),
            options: ctx.tessellation_options(|options| *options),
        };
        if self.made_for.replace(made_for) != Some(made_for) {
            self.parts.clear();
        }
        let mut shapes = std::mem::take(&mut output.shapes);
        let mut former = std::mem::take(&mut self.parts);
        let mut counts: HashMap<[u32; 4], usize> = HashMap::new();
        let mut start = 0;
        while start < shapes.len() {
            let end = end_of_part(&shapes, start);
            if end - start <= FEW {
                output
                    .shapes
                    .extend(shapes[start..end].iter_mut().map(taken));
                start = end;
                continue;
            }
            let clip = shapes[start].clip_rect;
            let count = counts.entry(bits(clip)).or_default();
            let place = (bits(clip), *count);
            *count += 1;
            let before = former.remove(&place);
            let before = before
                .filter(|part| are_same(&self.shapes[part.shapes.clone()], &shapes[start..end]));
            let triangles = before.map(|part| {
                let make = || triangles(ctx, &shapes[start..end], made_for.pixels_per_point);
                part.triangles.unwrap_or_else(make)
            });
            match &triangles {
                None => output.shapes.extend_from_slice(&shapes[start..end]),
                Some(meshes) => output.shapes.extend(meshes.iter().map(|mesh| {
                    let mesh = Shape::Mesh(mesh.clone());
                    ClippedShape::new(clip, mesh)
                })),
            }
            let shapes = start..end;
            self.parts.insert(place, Part { shapes, triangles });
            start = end;
        }
        self.shapes = shapes;
    }
}

/// Where the shapes end that have the clip rectangle of the first.
fn end_of_part(shapes: &[ClippedShape], start: usize) -> usize {
    let clip = shapes[start].clip_rect;
    let others = shapes[start..].iter();
    start + others.take_while(|shape| shape.clip_rect == clip).count()
}

fn bits(rect: Rect) -> [u32; 4] {
    [rect.min.x, rect.min.y, rect.max.x, rect.max.y].map(f32::to_bits)
}

/// A shape that is not kept.
fn taken(shape: &mut ClippedShape) -> ClippedShape {
    let nothing = ClippedShape::new(shape.clip_rect, Shape::Noop);
    std::mem::replace(shape, nothing)
}

/// The triangles of shapes with one clip rectangle, by texture.
fn triangles(ctx: &Context, shapes: &[ClippedShape], pixels_per_point: f32) -> Vec<Arc<Mesh>> {
    let made = ctx.tessellate(shapes.to_vec(), pixels_per_point);
    let meshes = made.into_iter().filter_map(|made| match made.primitive {
        Primitive::Mesh(mesh) => Some(Arc::new(mesh)),
        // A part with one is never the same.
        Primitive::Callback(_) => None,
    });
    meshes.collect()
}

fn are_same(before: &[ClippedShape], now: &[ClippedShape]) -> bool {
    let is_same = |(before, now): (&ClippedShape, &ClippedShape)| {
        before.transform_after_tessellation == now.transform_after_tessellation
            && is_same(&before.shape, &now.shape)
    };
    before.len() == now.len() && before.iter().zip(now).all(is_same)
}

fn is_same(before: &Shape, now: &Shape) -> bool {
    match (before, now) {
        (Shape::Text(before), Shape::Text(now)) => is_same_text(before, now),
        (Shape::Vec(before), Shape::Vec(now)) => {
            let mut pairs = before.iter().zip(now);
            before.len() == now.len() && pairs.all(|(before, now)| is_same(before, now))
        }
        (Shape::Callback(_), _) => false,
        (before, now) => before == now,
    }
}

/// Whether it is the same layout in the same place: the letters of two layouts are not compared.
fn is_same_text(before: &TextShape, now: &TextShape) -> bool {
    let TextShape {
        pos,
        galley,
        underline,
        fallback_color,
        override_text_color,
        opacity_factor,
        angle,
    } = before;
    Arc::ptr_eq(galley, &now.galley)
        && *pos == now.pos
        && *underline == now.underline
        && *fallback_color == now.fallback_color
        && *override_text_color == now.override_text_color
        && *opacity_factor == now.opacity_factor
        && *angle == now.angle
}

#[cfg(test)]
mod tests {
    use super::*;
    use eframe::egui::{Color32, FontId, Pos2, RawInput, pos2, vec2};

    /// One frame of a window in which a number and the place of a line change, at this scale.
    fn frame(ctx: &Context, number: u32, pixels_per_point: f32) -> FullOutput {
        let mut input = RawInput {
            screen_rect: Some(Rect::from_min_size(Pos2::ZERO, vec2(300.0, 200.0))),
            ..RawInput::default()
        };
        let viewport = input.viewports.entry(input.viewport_id).or_default();
        viewport.native_pixels_per_point = Some(pixels_per_point);
        ctx.run_ui(input, |ui| {
            for part in 0..3 {
                let corner = pos2(0.0, 60.0 * part as f32);
                let area = Rect::from_min_size(corner, vec2(280.0, 60.0));
                let painter = ui.painter().with_clip_rect(area);
                for line in 0..4u32 {
                    let at = corner + vec2(4.0, 14.0 * line as f32);
                    let shown = if part == 1 { number } else { part };
                    let font = FontId::proportional(12.0);
                    let text = format!("line {line}: {shown}");
                    let ink = Color32::from_rgb(200, 100, 50);
                    painter.text(at, eframe::egui::Align2::LEFT_TOP, text, font, ink);
                    let x = 100.0 + if part == 2 { number as f32 } else { 0.0 };
                    painter.circle_filled(at + vec2(x, 6.0), 5.0, ink);
                    painter.line_segment([at, at + vec2(x, 0.0)], (1.0, ink));
                }
            }
        })
    }

    /// Whatever changes, what is painted is what would be painted without it, triangle for triangle.
    #[test]
    fn kept_triangles_are_those_that_would_be_made() {
        let [plain, keeping] = [(); 2].map(|()| Context::default());
        keep(&keeping);
        let mut kept = 0;
        for (number, scale) in [
            (1, 1.0),
            (1, 1.0),
            (1, 1.0),
            (2, 1.0),
            (2, 1.0),
            (2, 1.5),
            (2, 1.5),
            (1, 1.0),
        ] {
            let [made, painted] = [&plain, &keeping].map(|ctx| {
                let mut output = frame(ctx, number, scale);
                output.textures_delta.clear();
                let meshes = output
                    .shapes
                    .iter()
                    .filter(|shape| matches!(shape.shape, Shape::Mesh(_)));
                kept += meshes.count();
                ctx.tessellate(output.shapes, output.pixels_per_point)
            });
            let meshes = |painted: Vec<eframe::egui::ClippedPrimitive>| -> Vec<(Rect, Mesh)> {
                let mesh = |part: eframe::egui::ClippedPrimitive| match part.primitive {
                    Primitive::Mesh(mesh) => (part.clip_rect, mesh),
                    Primitive::Callback(_) => panic!("none is used"),
                };
                painted.into_iter().map(mesh).collect()
            };
            let [made, painted] = [made, painted].map(meshes);
            assert!(!made.is_empty());
            assert!(made == painted, "{number} at {scale}");
        }
        assert!(kept >= 8, "{kept} parts were taken from before");
    }
}
