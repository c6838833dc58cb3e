//! What is written in a frame, and whether it can be read: no text lies over another, is cut at an edge, or ends early.

use eframe::egui::epaint::ClippedShape;
use eframe::egui::{Color32, Pos2, Rect, Shape, Vec2, vec2};

/// A text of a frame.
#[derive(Clone, Debug)]
pub struct Written {
    pub text: String,
    pub rect: Rect,
    /// Where it may be painted.
    pub clip: Rect,
    /// Whether it ends with an ellipsis for want of room.
    pub is_elided: bool,
    /// Whether it runs in another direction than from left to right.
    pub is_turned: bool,
    /// What of it something that is painted later leaves.
    uncovered: Rect,
}

impl Written {
    /// What of it is in sight.
    pub fn seen(&self) -> Rect {
        self.rect.intersect(self.clip).intersect(self.uncovered)
    }

    /// What is painted over it takes away what it hides from edge to edge.
    fn cover(&mut self, cover: Rect) {
        let seen = self.seen();
        if cover.contains_rect(seen) {
            self.uncovered = Rect::NOTHING;
        } else if cover.top() <= seen.top() && cover.bottom() >= seen.bottom() {
            if cover.left() <= seen.left() {
                self.uncovered.min.x = self.uncovered.left().max(cover.right());
            } else if cover.right() >= seen.right() {
                self.uncovered.max.x = self.uncovered.right().min(cover.left());
            }
        }
    }

    fn told(&self) -> String {
        format!("{:?} at {:?} in {:?}", self.text, self.rect, self.clip)
    }
}

/// The texts that are in sight.
pub fn written(shapes: &[ClippedShape]) -> Vec<Written> {
    let mut found = Vec::new();
    for clipped in shapes {
        collect(&clipped.shape, clipped.clip_rect, &mut found);
    }
    found.retain(|one: &Written| one.seen().is_positive());
    found
}

fn collect(shape: &Shape, clip: Rect, found: &mut Vec<Written>) {
    match shape {
        Shape::Vec(shapes) => shapes.iter().for_each(|shape| collect(shape, clip, found)),
        Shape::Rect(rect) if rect.fill.is_opaque() => {
            let cover = rect.rect.intersect(clip);
            found.iter_mut().for_each(|text| text.cover(cover));
        }
        Shape::Text(text) if !text.galley.text().trim().is_empty() => {
            let written = |rect: Rect, is_turned: bool| Written {
                text: text.galley.text().to_owned(),
                rect,
                clip,
                is_elided: text.galley.elided,
                is_turned,
                uncovered: Rect::EVERYTHING,
            };
            if text.angle != 0.0 {
                return found.push(written(text.visual_bounding_rect(), true));
            }
            // The first line may begin behind what else is on it.
            let lines = text.galley.rows.iter();
            let lines = lines.map(|row| row.visuals.mesh_bounds.translate(row.pos.to_vec2()));
            let lines = lines.filter(|line| line.is_positive());
            found.extend(lines.map(|line| written(line.translate(text.pos.to_vec2()), false)));
        }
        _ => {}
    }
}

/// A rectangle of a frame, in the order in which they are painted.
struct Painted {
    rect: Rect,
    /// What of it may be painted.
    seen: Rect,
    /// Whether it has a line around it, and is as large as a tile, a bar, a card or a field.
    is_frame: bool,
    hides: bool,
}

/// What is smaller is the cell of a drawing.
const FRAME: Vec2 = vec2(80.0, 20.0);

fn painted(shape: &Shape, clip: Rect, found: &mut Vec<Painted>) {
    match shape {
        Shape::Vec(shapes) => shapes.iter().for_each(|shape| painted(shape, clip, found)),
        Shape::Rect(one) => {
            let is_large = one.rect.width() >= FRAME.x && one.rect.height() >= FRAME.y;
            let has_line = one.stroke.width > 0.0 && one.stroke.color != Color32::TRANSPARENT;
            found.push(Painted {
                rect: one.rect,
                seen: one.rect.intersect(clip),
                is_frame: is_large && has_line,
                hides: one.fill.is_opaque(),
            });
        }
        _ => {}
    }
}

/// Texts that begin in a frame and are seen beyond its right edge, or end on it.
pub fn over_the_edge(shapes: &[ClippedShape]) -> Vec<String> {
    let mut all = Vec::new();
    for clipped in shapes {
        painted(&clipped.shape, clipped.clip_rect, &mut all);
    }
    let edge = |start: Pos2| {
        let mut around: Vec<Rect> = Vec::new();
        for one in all.iter().filter(|one| one.seen.contains(start)) {
            if one.hides {
                // What lies above something else hides what it is not a part of.
                around.retain(|frame| frame.expand(1.0).contains_rect(one.rect));
            }
            around.extend(one.is_frame.then_some(one.rect));
        }
        let smallest = around.iter().min_by(|a, b| a.area().total_cmp(&b.area()));
        smallest.map_or(f32::INFINITY, |frame| frame.right())
    };
    let is_over = |text: &Written| {
        let start = text.rect.left_center() + vec2(2.0, 0.0);
        let is_whole = !text.is_turned && text.uncovered == Rect::EVERYTHING;
        is_whole && text.seen().right() > edge(start) - 1.0
    };
    let over = written(shapes).into_iter().filter(is_over);
    over.map(|text| format!("{} runs over its frame", text.told()))
        .collect()
}

/// Pairs of texts that lie over each other.
pub fn lying_over_each_other(texts: &[Written]) -> Vec<String> {
    let mut found = Vec::new();
    for (at, one) in texts.iter().enumerate() {
        for other in &texts[at + 1..] {
            let common = one.seen().intersect(other.seen());
            let is_twice = one.text == other.text && one.rect == other.rect;
            if common.width() > 2.0 && common.height() > 3.0 && !is_twice {
                found.push(format!("{} over {}", one.told(), other.told()));
            }
        }
    }
    found
}

/// Texts that end at the left or the right edge of what they are painted in, without an ellipsis.
pub fn cut_at_a_side(texts: &[Written]) -> Vec<String> {
    let is_cut = |one: &&Written| {
        one.rect.left() < one.clip.left() - 2.0 || one.rect.right() > one.clip.right() + 2.0
    };
    texts.iter().filter(is_cut).map(Written::told).collect()
}

/// Texts that end with an ellipsis.
pub fn ending_early(texts: &[Written]) -> Vec<String> {
    let elided = texts.iter().filter(|one| one.is_elided);
    elided.map(Written::told).collect()
}
