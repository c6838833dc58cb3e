//! What of the network's input one cell of a layer's map depends on: exactly, cell by cell.
//!
//! Gone backwards through the plan: each layer turns the positions that are needed of its output into those
//! that are needed of its input, on each axis by itself. A sequence of layers needs a product of one set for
//! each axis; where branches meet, several such products. Layers that mix all positions (`flatten`, `dense`,
//! global pooling) need everything, and so do `layernorm` and `groupnorm`, whose statistics are of a whole image.

use super::set::{Back, Set};
use crate::project::Place;
use crate::project::size::Shape;
use crate::shape::infer::Inference;
use crate::shape::layers::Reads;
use crate::shape::op::{Plan, Planned, PlannedLayer};

/// More products than this become one.
const MOST_PARTS: usize = 16;

/// What one cell sees. Axes are those of the input's shape: of an image rows, then columns.
#[derive(Clone, Debug, PartialEq)]
pub struct Seen {
    /// The cell in the layer's map, by its axes.
    pub cell: Vec<usize>,
    /// The sizes of the layer's map; empty for a vector.
    pub map: Vec<usize>,
    /// The positions, as products of one set for each axis. None at all where nothing of the input is seen.
    pub parts: Vec<Vec<Set>>,
    /// First and last position on each axis, cut to the input; `None` where nothing is seen.
    pub bounds: Option<Vec<(i64, i64)>>,
    /// The same with the padding that is seen: may begin below 0 and end behind the input.
    pub padded: Option<Vec<(i64, i64)>>,
    /// False where `parts` hold more than is seen: the network was too intricate to keep count.
    pub exact: bool,
    /// Whether a layer on the way mixes all positions (`dense`, `flatten`, global pooling, a norm over the image).
    pub whole: bool,
    /// Whether it is the statistics of a norm on the way that make it see the whole image.
    pub statistics: bool,
}

impl Seen {
    /// Whether a position of the input is seen.
    pub fn contains(&self, position: &[usize]) -> bool {
        let inside = |part: &Vec<Set>| {
            part.iter()
                .zip(position)
                .all(|(set, &at)| set.contains(at as i64))
        };
        self.parts.iter().any(inside)
    }
}

/// What the cell of a layer's (or block's) map sees. Positions beyond the map are moved to its edge, missing
/// ones are those of its middle. `None` where there is no such place, or its stack has an error.
pub fn seen(inference: &Inference, place: &Place, cell: &[usize]) -> Option<Seen> {
    let plan = inference.plan.as_ref()?;
    let path = path(plan, place)?;
    let shape = inference.row(place)?.output.as_ref()?;
    let sizes = shape.spatial().iter().enumerate();
    let cell: Vec<usize> = sizes
        .map(|(axis, &n)| cell.get(axis).copied().unwrap_or(n / 2).min(n - 1))
        .collect();
    Some(of_cell(&path, &inference.input, shape, cell))
}

/// The layers that a place depends on, in order, up to the place itself: those before it and, in a block, those
/// before it in its branch. Of a repeat, its first pass.
pub fn path(plan: &Plan, place: &Place) -> Option<Vec<Planned>> {
    let encoder = plan.stack(crate::project::Stack::Encoder)?;
    if place.stack == crate::project::Stack::Encoder {
        return within(encoder, &place.path);
    }
    let mut path = encoder.to_vec();
    path.extend(within(plan.stack(place.stack)?, &place.path)?);
    Some(path)
}

fn within(nodes: &[Planned], path: &[usize]) -> Option<Vec<Planned>> {
    let (&index, deeper) = path.split_first()?;
    let node = nodes.get(index)?;
    let mut before = nodes.get(..index)?.to_vec();
    let Some((&branch, deeper)) = deeper.split_first() else {
        before.push(node.clone());
        return Some(before);
    };
    let inner = match node {
        Planned::Add { branches, .. } | Planned::Concat { branches, .. } => branches.get(branch)?,
        Planned::Repeat { passes, .. } => passes.first()?,
        Planned::Layer(_) => return None,
    };
    before.extend(within(inner, deeper)?);
    Some(before)
}

fn of_cell(path: &[Planned], input: &Shape, shape: &Shape, cell: Vec<usize>) -> Seen {
    let rank = input.rank();
    let mut start: Part = std::array::from_fn(|_| Set::one(0));
    let first = 3usize.saturating_sub(shape.rank());
    for (set, &at) in start.iter_mut().skip(first).zip(&cell) {
        *set = Set::one(at);
    }
    let mut way = Way {
        cut: true,
        exact: true,
        whole: false,
        statistics: false,
    };
    let own = |part: &[Set; 3]| part[3 - rank..].to_vec();
    let found = way.back(path, vec![start.clone()]);
    let mut beyond = Way { cut: false, ..way };
    let padded = spanned(&beyond.back(path, vec![start])).map(|part| own(&part));
    let bounds = |part: Option<Vec<Set>>| part?.iter().map(Set::bounds).collect::<Option<Vec<_>>>();
    Seen {
        cell,
        map: shape.spatial().to_vec(),
        bounds: bounds(spanned(&found).map(|part| own(&part))),
        padded: bounds(padded),
        parts: found.iter().map(own).collect(),
        exact: way.exact,
        whole: way.whole,
        statistics: way.statistics,
    }
}

/// One set of positions for each of three axes.
type Part = [Set; 3];

fn spanned(parts: &[Part]) -> Option<Part> {
    let span = |a: Part, b: &Part| std::array::from_fn(|axis| a[axis].spanning(&b[axis]));
    parts
        .split_first()
        .map(|(first, rest)| rest.iter().fold(first.clone(), span))
}

/// On the way back.
#[derive(Clone, Copy)]
struct Way {
    /// Whether positions in the padding are left out.
    cut: bool,
    exact: bool,
    whole: bool,
    statistics: bool,
}

impl Way {
    fn back(&mut self, nodes: &[Planned], mut parts: Vec<Part>) -> Vec<Part> {
        for node in nodes.iter().rev() {
            parts = match node {
                Planned::Layer(layer) => self.layer(layer, &parts),
                Planned::Add { branches, .. } | Planned::Concat { branches, .. } => branches
                    .iter()
                    .flat_map(|branch| self.back(branch, parts.clone()))
                    .collect(),
                Planned::Repeat { passes, .. } => passes
                    .iter()
                    .rev()
                    .fold(parts, |parts, pass| self.back(pass, parts)),
            };
            parts = self.fewer(parts);
        }
        parts
    }

    fn layer(&mut self, layer: &PlannedLayer, parts: &[Part]) -> Vec<Part> {
        let sizes = layer.input.volume();
        let reads = layer.op.reads();
        if matches!(reads, Reads::All | Reads::OwnAndStatistics) {
            self.whole = true;
            self.statistics |= reads == Reads::OwnAndStatistics;
            return parts.iter().take(1).map(|_| sizes.map(Set::all)).collect();
        }
        let through = |part: &Part| -> Part {
            std::array::from_fn(|axis| {
                let (set, exact) = Back::of(reads, axis).through(&part[axis]);
                self.exact &= exact;
                if self.cut {
                    set.inside(sizes[axis])
                } else {
                    set
                }
            })
        };
        // Without a position on one axis there is none at all.
        parts
            .iter()
            .map(through)
            .filter(|part| !part.iter().any(Set::is_empty))
            .collect()
    }

    /// Without those that lie within others.
    fn fewer(&mut self, parts: Vec<Part>) -> Vec<Part> {
        if parts.len() < 2 {
            return parts;
        }
        let mut kept: Vec<Part> = Vec::with_capacity(parts.len());
        let within = |a: &Part, b: &Part| a.iter().zip(b).all(|(a, b)| a.is_within(b));
        for part in parts {
            if !kept.iter().any(|other| within(&part, other)) {
                kept.retain(|other| !within(other, &part));
                kept.push(part);
            }
        }
        if kept.len() > MOST_PARTS {
            self.exact = false;
            return spanned(&kept).into_iter().collect();
        }
        kept
    }
}
