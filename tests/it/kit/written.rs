//! What is written in a frame, and whether it can be read: no text lies over another or is cut at an edge.

use eframe::egui::epaint::ClippedShape;
use eframe::egui::{Rect, Shape};

/// A text of a frame.
#[derive(Clone, Debug)]
pub struct Written {
    pub text: String,
    pub rect: Rect,
    /// Where it may be painted.
    pub clip: Rect,
}

/// The texts that are in sight.
pub fn written(shapes: &[ClippedShape]) -> Vec<Written> {
    let mut found = Vec::new();
    for clipped in shapes {
        collect(&clipped.shape, clipped.clip_rect, &mut found);
    }
    let in_sight = |one: &Written| one.rect.intersect(one.clip).is_positive();
    found.retain(in_sight);
    found
}

fn collect(shape: &Shape, clip: Rect, found: &mut Vec<Written>) {
    match shape {
        Shape::Vec(shapes) => shapes.iter().for_each(|shape| collect(shape, clip, found)),
        Shape::Text(text) if !text.galley.text().trim().is_empty() => found.push(Written {
            text: text.galley.text().to_owned(),
            rect: text.visual_bounding_rect(),
            clip,
        }),
        _ => {}
    }
}

/// Pairs of texts that lie over each other.
pub fn lying_over_each_other(texts: &[Written]) -> Vec<String> {
    let seen = |one: &Written| one.rect.intersect(one.clip);
    let mut found = Vec::new();
    for (at, one) in texts.iter().enumerate() {
        for other in &texts[at + 1..] {
            let common = seen(one).intersect(seen(other));
            let is_twice = one.text == other.text && one.rect == other.rect;
            if common.width() > 2.0 && common.height() > 3.0 && !is_twice {
                let [a, b] = [one, other].map(|one| (&one.text, one.rect));
                found.push(format!("{a:?} over {b:?}"));
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
    let cut = texts.iter().filter(is_cut);
    cut.map(|one| format!("{:?} at {:?} in {:?}", one.text, one.rect, one.clip))
        .collect()
}
