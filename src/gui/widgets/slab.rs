//! A tensor drawn to scale: the sides of the face follow the square roots of height and width, so that the small maps
//! deep in a network are told apart; its thickness follows the logarithm of the channels. A column of slabs shows the funnel of a network before a number is read: both are measured against the
//! largest of the network, so that the room there is tells layers apart.

use crate::theme;
use eframe::egui::{Color32, Painter, Pos2, Rect, Stroke, pos2, vec2};
use strata_core::project::size::Shape;

/// Height of the largest face.
const FACE: f32 = 20.0;
/// Thickness of a single channel.
const THIN: f32 = 3.0;
/// The slanted side, as a fraction of the face's width.
const SLANT: f32 = 0.34;

/// The largest tensors of a network, which its slabs are measured against.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Scale {
    /// The longest side.
    pub side: usize,
    /// The most channels, or numbers of a vector.
    pub channels: usize,
}

impl Scale {
    /// Of the tensors of these shapes.
    pub fn of<'a>(shapes: impl Iterator<Item = &'a Shape> + Clone) -> Scale {
        let sides = shapes.clone().flat_map(|shape| shape.spatial());
        let channels = shapes.map(|shape| shape.channels());
        Scale {
            side: sides.copied().max().unwrap_or(1),
            channels: channels.max().unwrap_or(1),
        }
    }

    /// How thick a shape is in so much room.
    fn thickness(self, shape: &Shape, room: f32) -> f32 {
        let doublings = |channels: usize| (channels.max(1) as f32).log2();
        let share = doublings(shape.channels()) / doublings(self.channels).max(1.0);
        THIN + share * (room - THIN)
    }
}

/// Paints the slab of a shape at the right end of a rectangle.
pub fn paint(painter: &Painter, rect: Rect, shape: &Shape, scale: Scale, color: Color32) {
    let largest = scale.side;
    let thickness = scale.thickness(shape, rect.width() - FACE * SLANT);
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
    (FACE * (size as f32 / largest.max(1) as f32).sqrt()).max(1.5)
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

#[cfg(test)]
mod tests {
    use super::*;

    /// Every halving of the maps is seen, of small and of large images.
    #[test]
    fn small_maps_are_told_apart_by_their_faces() {
        for sides in [&[32, 16, 8, 4, 2, 1][..], &[224, 112, 56, 28, 14, 7]] {
            let faces: Vec<f32> = sides.iter().map(|&size| side(size, sides[0])).collect();
            assert!(
                faces.windows(2).all(|two| two[0] - two[1] >= 1.0),
                "{faces:?}"
            );
        }
    }

    /// Twice as many channels are seen to be more, in the least room of a row and better in a wide panel.
    #[test]
    fn layers_are_told_apart_by_their_slabs() {
        let shapes = [3, 16, 32, 64, 128].map(|channels| Shape::new(&[channels, 32, 32]).unwrap());
        let scale = Scale::of(shapes.iter());
        assert_eq!(
            scale,
            Scale {
                side: 32,
                channels: 128
            }
        );
        for (room, apart) in [(34.0, 4.0), (90.0, 12.0)] {
            let thick = shapes.each_ref().map(|shape| scale.thickness(shape, room));
            assert!(
                thick.windows(2).all(|two| two[1] - two[0] >= apart),
                "{thick:?}"
            );
            assert!(thick[0] >= THIN && thick[4] <= room, "{thick:?}");
        }
    }
}
