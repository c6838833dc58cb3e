//! Parts of a drawing with the way through them: put below each other, side by side, into a frame.

use super::{
    ARROW, BESIDE, Edge, FRAME, Graph, GraphBox, GraphFrame, LETTER, LINE, Line, MEETING, Meeting,
    PAD, PARTING, TITLE,
};
use strata_core::project::Place;

/// A part: what is drawn of it, and where the way goes through it.
#[derive(Clone, Debug, Default)]
pub(super) struct Part {
    /// The drawing, from its own left upper corner.
    pub graph: Graph,
    /// Where the way enters at the top and leaves at the bottom, from the left.
    pub axis: f32,
    /// The shape that leaves it.
    pub shape: String,
    /// Whether nothing is drawn of it but the way.
    is_empty: bool,
}

impl Part {
    /// A box.
    pub fn of_lines(lines: Vec<Line>, shape: String) -> Part {
        let mut part = Part {
            shape,
            ..Part::default()
        };
        part.graph.boxes.push(GraphBox {
            left: 0.0,
            top: 0.0,
            width: 0.0,
            lines,
        });
        part.measure();
        part
    }

    /// Whether it is one box, to which a line can be added.
    pub fn is_box(&self) -> bool {
        self.graph.boxes.len() == 1 && self.graph.edges.is_empty() && self.graph.frames.is_empty()
    }

    /// Adds a line to the box.
    pub fn push(&mut self, line: Line, shape: String) {
        if let Some(only) = self.graph.boxes.first_mut() {
            only.lines.push(line);
        }
        self.shape = shape;
        self.measure();
    }

    fn measure(&mut self) {
        let Some(only) = self.graph.boxes.first_mut() else {
            return;
        };
        let letters = only.lines.iter().map(|line| line.text.chars().count());
        only.width = (letters.max().unwrap_or(0) as f32 * LETTER + 2.0 * PAD).ceil();
        self.graph.size = [only.width, only.height()];
        self.axis = only.width / 2.0;
    }

    /// Only the way, for a branch without layers.
    fn way(shape: &str) -> Part {
        let mut part = Part {
            shape: shape.to_owned(),
            is_empty: true,
            ..Part::default()
        };
        part.graph.size = [LINE, 0.0];
        part.axis = LINE / 2.0;
        part
    }

    pub fn width(&self) -> f32 {
        self.graph.size[0]
    }

    pub fn height(&self) -> f32 {
        self.graph.size[1]
    }

    /// Adds the drawing of another part at a place.
    pub fn draw(&mut self, other: &Part, at: [f32; 2]) {
        let moved = |[x, y]: [f32; 2]| [x + at[0], y + at[1]];
        let graph = &mut self.graph;
        graph
            .boxes
            .extend(other.graph.boxes.iter().cloned().map(|one| GraphBox {
                left: one.left + at[0],
                top: one.top + at[1],
                ..one
            }));
        graph
            .edges
            .extend(other.graph.edges.iter().cloned().map(|edge| Edge {
                points: edge.points.into_iter().map(moved).collect(),
                ..edge
            }));
        graph
            .meetings
            .extend(other.graph.meetings.iter().cloned().map(|one| Meeting {
                center: moved(one.center),
                ..one
            }));
        graph
            .frames
            .extend(other.graph.frames.iter().cloned().map(|frame| GraphFrame {
                rect: [
                    frame.rect[0] + at[0],
                    frame.rect[1] + at[1],
                    frame.rect[2],
                    frame.rect[3],
                ],
                ..frame
            }));
    }

    /// Parts one below the other, with arrows between them; without parts only the way of this shape.
    pub fn stacked(parts: Vec<Part>, shape: &str) -> Part {
        if parts.is_empty() {
            return Part::way(shape);
        }
        let axis = parts.iter().map(|part| part.axis).fold(0.0, f32::max);
        let mut all = Part {
            axis,
            ..Part::default()
        };
        let (mut top, mut right) = (0.0, 0.0f32);
        for (index, part) in parts.iter().enumerate() {
            if index > 0 {
                let points = vec![[axis, top], [axis, top + ARROW]];
                all.arrow(points, &parts[index - 1].shape);
                top += ARROW;
            }
            all.draw(part, [axis - part.axis, top]);
            top += part.height();
            right = right.max(axis - part.axis + part.width());
        }
        // A shape stands right of its arrow.
        let letters = parts.iter().map(|part| part.shape.chars().count()).max();
        let labelled = axis + 6.0 + letters.unwrap_or(0) as f32 * LETTER;
        all.graph.size = [
            if parts.len() > 1 {
                right.max(labelled)
            } else {
                right
            },
            top,
        ];
        all.shape = parts
            .last()
            .map(|part| part.shape.clone())
            .unwrap_or_default();
        all
    }

    /// A way with an arrow at its end.
    pub fn arrow(&mut self, points: Vec<[f32; 2]>, shape: &str) {
        self.graph.edges.push(Edge {
            points,
            shape: shape.to_owned(),
            has_arrow: true,
            is_skip: false,
        });
    }

    /// The same in a frame with a title.
    pub fn framed(self, title: &str, place: Option<Place>) -> Part {
        // The way leads out of a block, and ends in a stack.
        let goes_on = place.is_some();
        let mut framed = Part {
            axis: self.axis + FRAME,
            shape: self.shape.clone(),
            ..Part::default()
        };
        let letters = title.chars().count() as f32 * LETTER + 2.0 * PAD;
        let width = (self.width() + 2.0 * FRAME).max(letters);
        let height = self.height() + TITLE + 2.0 * FRAME;
        framed.graph.frames.push(GraphFrame {
            rect: [0.0, 0.0, width, height],
            title: title.to_owned(),
            place,
        });
        framed.draw(&self, [FRAME, TITLE + FRAME]);
        let top = vec![[framed.axis, 0.0], [framed.axis, TITLE + FRAME]];
        framed.line(top, false);
        if goes_on {
            let below = TITLE + FRAME + self.height();
            framed.line(vec![[framed.axis, below], [framed.axis, height]], false);
        }
        framed.graph.size = [width, height];
        framed
    }

    /// A way without an arrow.
    fn line(&mut self, points: Vec<[f32; 2]>, is_skip: bool) {
        self.graph.edges.push(Edge {
            points,
            shape: String::new(),
            has_arrow: false,
            is_skip,
        });
    }

    /// Parts side by side that start from one way and end each for itself.
    pub fn beside(parts: Vec<Part>, shape: &str) -> Part {
        let mut all = Part::spread(&parts);
        all.shape = shape.to_owned();
        all
    }

    /// Branches side by side that meet in a sign.
    pub fn met(branches: Vec<Part>, place: &Place, is_sum: bool, shape: &str) -> Part {
        if branches.is_empty() {
            return Part::way(shape);
        }
        let mut all = Part::spread(&branches);
        let bottom = all.height() + PARTING;
        let center = [all.axis, bottom + MEETING];
        for (axis, branch, top) in all.ends(&branches) {
            let from = [axis, top + branch.height()];
            let points = if (axis - all.axis).abs() < 0.5 {
                vec![from, [axis, bottom]]
            } else {
                let side = if axis < all.axis { -MEETING } else { MEETING };
                vec![from, [axis, center[1]], [all.axis + side, center[1]]]
            };
            all.graph.edges.push(Edge {
                points,
                shape: String::new(),
                has_arrow: true,
                is_skip: branch.is_empty,
            });
        }
        all.graph.meetings.push(Meeting {
            center,
            place: place.clone(),
            is_sum,
        });
        all.graph.size[1] = bottom + 2.0 * MEETING;
        all.graph.size[0] = all.width().max(all.axis + MEETING);
        all.shape = shape.to_owned();
        all
    }

    /// Where each of the parts side by side stands: its axis, itself, its top.
    fn ends<'a>(&self, parts: &'a [Part]) -> Vec<(f32, &'a Part, f32)> {
        let mut left = 0.0;
        parts
            .iter()
            .map(|part| {
                let axis = left + part.axis;
                left += part.width() + BESIDE;
                (axis, part, PARTING)
            })
            .collect()
    }

    /// Parts side by side below the place where the way parts.
    fn spread(parts: &[Part]) -> Part {
        let mut all = Part::default();
        let ends = all.ends(parts);
        let layers: Vec<_> = ends.iter().filter(|(_, part, _)| !part.is_empty).collect();
        // Where a way skips the layers, the way through them goes straight on.
        let straight = match layers.as_slice() {
            [(axis, ..)] => Some(*axis),
            _ => None,
        };
        let first = ends.first().map_or(0.0, |(axis, ..)| *axis);
        let last = ends.last().map_or(0.0, |(axis, ..)| *axis);
        all.axis = straight.unwrap_or((first + last) / 2.0);
        let mut height = 0.0f32;
        let mut right = 0.0f32;
        for (axis, part, top) in ends {
            let points = if (axis - all.axis).abs() < 0.5 {
                vec![[axis, 0.0], [axis, top]]
            } else {
                vec![[all.axis, 4.0], [axis, 4.0], [axis, top]]
            };
            all.graph.edges.push(Edge {
                points,
                shape: String::new(),
                has_arrow: !part.is_empty,
                is_skip: part.is_empty,
            });
            all.draw(part, [axis - part.axis, top]);
            height = height.max(top + part.height());
            right = right.max(axis - part.axis + part.width());
        }
        all.graph.size = [right.max(all.axis), height];
        all
    }
}
