//! How much work a network may be: counted before any is done.
//!
//! `repeat` inside `repeat` multiplies, so a line of text can ask for 2^90 layers. The count
//! saturates and stops at the depth limit, so it costs no more than reading the text.

use super::error::ShapeError;
use crate::project::node::Node;

/// The most layers a network may unroll to.
pub(crate) const MAX_LAYERS: u64 = 4096;

/// How deeply blocks may be nested; deeper nesting could exhaust the call stack.
pub const MAX_DEPTH: usize = 64;

/// How many layers a node unrolls to (a block counts itself as one more).
pub fn unrolled(node: &Node) -> u64 {
    unrolled_at(node, 0)
}

fn unrolled_at(node: &Node, depth: usize) -> u64 {
    if depth >= MAX_DEPTH {
        return 1;
    }
    let inside = node.branches().iter().flatten();
    let once = inside.fold(0u64, |sum, node| {
        sum.saturating_add(unrolled_at(node, depth + 1))
    });
    let passes = match node {
        Node::Repeat { times, .. } => u64::from(*times),
        Node::Layer(_) | Node::Broken { .. } | Node::Add(_) | Node::Concat(_) => 1,
    };
    // A repeat of nothing costs a pass each as well.
    once.max(1)
        .saturating_mul(passes)
        .saturating_add(u64::from(once > 0))
}

/// The error of a node that needs `needed` layers where `left` are allowed.
pub(crate) fn too_many(needed: u64, left: u64) -> ShapeError {
    let needed = if needed == u64::MAX {
        "more than 10^19".into()
    } else {
        needed.to_string()
    };
    let message = format!(
        "this unrolls to {needed} layers; a network may have {MAX_LAYERS}, and {left} are left"
    );
    ShapeError::new(message).help("repeat it less often")
}

/// The error of a block inside too many others.
pub(crate) fn too_deep() -> ShapeError {
    ShapeError::new(format!(
        "blocks stand inside one another more than {MAX_DEPTH} deep"
    ))
    .help("take the inner blocks out of the outer ones")
}
