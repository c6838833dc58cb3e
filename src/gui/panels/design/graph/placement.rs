//! Where a drawing is in its view, and how large.

use super::TEXT;
use crate::theme;
use eframe::egui::{Vec2, vec2};
use strata_design::graph::{Graph, scale};

/// How much it can be enlarged.
pub const MOST: f32 = 3.0;
const LEAST: f32 = 0.05;
/// From this scale on the text is as large as that of the marks of an axis.
const READABLE: f32 = theme::TINY / TEXT;
/// Around the drawing.
const MARGIN: f32 = 12.0;

/// What of the drawing is seen.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) enum Sight {
    /// What is seen before anybody has moved it.
    #[default]
    First,
    /// All of it.
    Whole,
    /// As it was moved and enlarged.
    Moved(Placement),
}

/// Where the drawing is: its left upper corner in the view, and its scale.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Placement {
    pub at: Vec2,
    pub scale: f32,
}

impl Placement {
    /// In the middle of an area, as large as it fits but not beyond its natural size.
    pub fn fitting(graph: &Graph, area: Vec2) -> Placement {
        let room = area - Vec2::splat(2.0 * MARGIN);
        let scale = scale(graph.size, [room.x, room.y]).max(LEAST);
        let size = vec2(graph.size[0], graph.size[1]) * scale;
        Placement {
            at: ((area - size) / 2.0).max(Vec2::splat(MARGIN)),
            scale,
        }
    }

    /// What is seen first: all of it where that can be read, or else its beginning.
    pub fn first(graph: &Graph, area: Vec2) -> Placement {
        let whole = Placement::fitting(graph, area);
        if whole.scale >= READABLE {
            return whole;
        }
        let size = vec2(graph.size[0], graph.size[1]) * READABLE;
        let left = ((area.x - size.x) / 2.0).max(MARGIN);
        Placement {
            at: vec2(left, MARGIN),
            scale: READABLE,
        }
    }

    /// Another scale; what is at this point stays there.
    pub fn scaled(self, by: f32, around: Vec2) -> Placement {
        let scale = (self.scale * by).clamp(LEAST, MOST);
        Placement {
            at: around - (around - self.at) * (scale / self.scale),
            scale,
        }
    }
}
