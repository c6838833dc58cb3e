//! A whole network as a row of slabs: how wide and how deep the tensors are on their way through.

use eframe::egui::{Color32, Painter, Pos2, Rect, Stroke, pos2, vec2};

use crate::theme;
use strata_core::project::size::Shape;

const GAP: f32 = 4.0;
/// The slanted side, as a fraction of the face's height.
const SLANT: f32 = 0.28;

/// Paints the shapes from left to right, centred in a rectangle.
pub fn paint(painter: &Painter, rect: Rect, shapes: &[(Shape, Color32)]) {
    let largest = shapes
        .iter()
        .flat_map(|(shape, _)| shape.spatial().iter().copied())
        .max()
        .unwrap_or(1);
    let face = rect.height() / (1.0 + SLANT);
    let slabs: Vec<_> = shapes
        .iter()
        .map(|(shape, color)| Slab::new(shape, largest, face, *color))
        .collect();
    let fixed: f32 = slabs.iter().map(|slab| slab.slant() + GAP).sum::<f32>() - GAP;
    let thick: f32 = slabs.iter().map(|slab| slab.thickness).sum();
    let scale = ((rect.width() - fixed) / thick).clamp(0.1, 1.6);
    let mut left = rect.center().x - (fixed + thick * scale) / 2.0;
    for slab in slabs {
        let width = slab.thickness * scale;
        slab.paint(painter, pos2(left, rect.center().y), width);
        left += width + slab.slant() + GAP;
    }
}

struct Slab {
    height: f32,
    thickness: f32,
    flat: bool,
    color: Color32,
}

impl Slab {
    fn new(shape: &Shape, largest: usize, face: f32, color: Color32) -> Slab {
        let channels = (shape.channels() as f32).log2();
        match shape.spatial() {
            // A vector is drawn as a thin bar as long as its logarithm.
            [] => Slab {
                height: (2.0 + 4.0 * channels).min(face),
                thickness: 4.0,
                flat: true,
                color,
            },
            sides => {
                let side = sides.first().copied().unwrap_or(1) as f32 / largest.max(1) as f32;
                Slab {
                    height: (face * side).max(3.0),
                    thickness: 4.0 + 2.5 * channels,
                    flat: false,
                    color,
                }
            }
        }
    }

    fn slant(&self) -> f32 {
        if self.flat {
            0.0
        } else {
            (self.height * SLANT).max(1.5)
        }
    }

    fn paint(&self, painter: &Painter, left: Pos2, width: f32) {
        let slant = self.slant();
        let top = left.y - (self.height - slant) / 2.0;
        let front = Rect::from_min_size(pos2(left.x, top), vec2(width, self.height));
        let back = vec2(slant, -slant);
        let face = |points: [Pos2; 4], share: f32| {
            let fill = theme::faded(self.color, share);
            painter.add(eframe::egui::Shape::convex_polygon(
                points.to_vec(),
                fill,
                Stroke::NONE,
            ));
        };
        if slant > 0.0 {
            face(
                [
                    front.left_top(),
                    front.left_top() + back,
                    front.right_top() + back,
                    front.right_top(),
                ],
                0.55,
            );
            let side = [
                front.right_top(),
                front.right_top() + back,
                front.right_bottom() + back,
                front.right_bottom(),
            ];
            face(side, 0.35);
        }
        painter.rect_filled(front, 0.0, theme::faded(self.color, 0.9));
    }
}
