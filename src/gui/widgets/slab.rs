//! A tensor drawn to scale: the face's area follows height × width, its thickness the logarithm of
//! the channels. A column of slabs shows the funnel of a network before a number is read.

use crate::theme;
use eframe::egui::{Color32, Painter, Pos2, Rect, Stroke, pos2, vec2};
use strata_core::project::size::Shape;

/// Height of the largest face.
const FACE: f32 = 18.0;
/// Width of the room that slabs usually have; with more they are thicker.
const USUAL: f32 = 40.0;
/// The slanted side, as a fraction of the face's width.
const SLANT: f32 = 0.34;

/// Paints the slab of a shape at the right end of a rectangle; `largest` is the longest side of any
/// tensor of the network.
pub fn paint(painter: &Painter, rect: Rect, shape: &Shape, largest: usize, color: Color32) {
    let room = (rect.width() / USUAL).max(1.0);
    let thickness = (3.0 + 3.0 * (shape.channels() as f32).log2()) * room;
    let thickness = thickness.min(rect.width() - FACE * SLANT);
    match *shape.spatial() {
        [] => bar(painter, rect, thickness, color),
        [width] => solid(painter, rect, thickness, [3.0, side(width, largest)], color),
        [height, width] | [_, height, width] => {
            solid(
                painter,
                rect,
                thickness,
                [side(height, largest), side(width, largest)],
                color,
            );
        }
        _ => {}
    }
}

fn side(size: usize, largest: usize) -> f32 {
    (FACE * size as f32 / largest.max(1) as f32).max(3.0)
}

fn bar(painter: &Painter, rect: Rect, length: f32, color: Color32) {
    let right = rect.right();
    let bar = Rect::from_center_size(
        pos2(right - length / 2.0, rect.center().y),
        vec2(length, 3.0),
    );
    painter.rect_filled(bar, 0.5, color);
}

/// A box: channels run to the right, height down, width into the page.
fn solid(painter: &Painter, rect: Rect, thickness: f32, [height, width]: [f32; 2], color: Color32) {
    let slant = (width * SLANT).max(1.5);
    let front = Rect::from_min_size(
        pos2(
            rect.right() - thickness - slant,
            rect.center().y - (height - slant) / 2.0,
        ),
        vec2(thickness, height),
    );
    let back = vec2(slant, -slant);
    let face = |points: [Pos2; 4], share: f32| {
        let fill = theme::faded(color, share);
        painter.add(eframe::egui::Shape::convex_polygon(
            points.to_vec(),
            fill,
            Stroke::NONE,
        ));
    };
    face(
        [
            front.left_top(),
            front.left_top() + back,
            front.right_top() + back,
            front.right_top(),
        ],
        0.55,
    );
    face(
        [
            front.right_top(),
            front.right_top() + back,
            front.right_bottom() + back,
            front.right_bottom(),
        ],
        0.35,
    );
    painter.rect_filled(front, 0.0, theme::faded(color, 0.9));
}
