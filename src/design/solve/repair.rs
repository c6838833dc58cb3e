//! Repairs that people know, for networks of any depth: branches of blocks brought to one size, from the innermost
//! block outwards, and an input that is padded until all strides divide it.
//!
//! The search by numbers of edits would take one edit more for every level of a U-Net; these go straight there.
//! Nothing is confirmed here.

use super::attribute::{Attribute, Value, current};
use super::candidates::takes_insertion;
use super::draft::{Draft, Goal};
use super::input_margins::{around, input_margins};
use crate::mismatch::{Common, MOST_BLOCKS, Mismatch};
use strata_core::project::layer::Kind;
use strata_core::project::node::Node;
use strata_core::project::target::Target;
use strata_core::project::{Network, Place, Stack};
use strata_core::shape::infer::infer;

/// How often the input is made larger until what is cut away inside leaves enough.
const ROUNDS: usize = 12;
/// Positions that the input gets where nothing is left of it inside.
const STEP: i64 = 32;

/// How a branch is brought to another size.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Means {
    /// A margin at its end.
    Margin(Common),
    /// The kernel or output padding of the last layer that enlarges, to the skip connection's size.
    Enlarging,
}

/// The blocks of a network whose branches do not meet, the innermost first: each with those before it mended.
pub(crate) fn wrong_blocks(network: &Network) -> Vec<Place> {
    let mut draft = Draft::new(network);
    let mut places = Vec::new();
    for _ in 0..MOST_BLOCKS {
        let Some(mismatch) = Mismatch::first(&draft.network, &infer(&draft.network)) else {
            break;
        };
        if places.contains(&mismatch.place) {
            break;
        }
        places.push(mismatch.place.clone());
        match brought(draft, &mismatch, Means::Margin(Common::Skip), &[]) {
            Some(next) => draft = next,
            None => break,
        }
    }
    places
}

/// Every repair that applies, unconfirmed.
pub(crate) fn repairs(base: &Draft, locked: &[Target], goal: Goal) -> Vec<Draft> {
    let mut drafts = repaired_blocks(base, locked);
    drafts.extend(input_margins(base, locked, goal));
    for common in [Common::Skip, Common::Smallest] {
        drafts.extend(input_and_blocks(base, common, locked, goal));
    }
    distinct(drafts)
}

/// Every way to bring all blocks to one size each.
pub(crate) fn repaired_blocks(base: &Draft, locked: &[Target]) -> Vec<Draft> {
    let mut drafts = Vec::new();
    let commons = [Common::Skip, Common::Largest, Common::Smallest];
    let margins = commons.map(Means::Margin);
    for means in [Means::Enlarging].into_iter().chain(margins) {
        let repaired = blocks_mended(base.clone(), means, locked);
        drafts.extend(repaired.filter(|draft| draft.edits > base.edits));
    }
    distinct(drafts)
}

/// The first of those with one network.
pub fn distinct(drafts: Vec<Draft>) -> Vec<Draft> {
    let mut distinct: Vec<Draft> = Vec::new();
    for draft in drafts {
        if !distinct.iter().any(|other| other.network == draft.network) {
            distinct.push(draft);
        }
    }
    distinct
}

/// The draft with every block brought to one size.
fn blocks_mended(base: Draft, means: Means, locked: &[Target]) -> Option<Draft> {
    let before = base.inserted;
    let mut draft = base;
    let mut mended: Vec<Place> = Vec::new();
    for _ in 0..MOST_BLOCKS {
        let inference = infer(&draft.network);
        if inference.errors().next().is_none() {
            draft.forgiven += draft.inserted - before;
            return Some(draft);
        }
        let place = inference
            .errors()
            .next()
            .map(|(row, _)| row.place.clone())?;
        if mended.contains(&place) {
            return None;
        }
        draft = match Mismatch::first(&draft.network, &inference) {
            Some(mismatch) => brought(draft, &mismatch, means, locked)?,
            None => without_crop(draft, &place, locked)?,
        };
        mended.push(place);
    }
    None
}

/// The draft with a `crop` that cuts everything away made to cut nothing.
fn without_crop(draft: Draft, place: &Place, locked: &[Target]) -> Option<Draft> {
    let Some(Node::Layer(layer)) = draft.network.node(place) else {
        return None;
    };
    let is_free = !locked.iter().any(|lock| lock.contains(place));
    let is_crop = matches!(layer.kind, Kind::Crop { .. });
    let rank = draft.network.input.rank();
    let nothing = vec![Some(Value::Size(0)); rank];
    (is_free && is_crop)
        .then(|| draft.set(place, rank, Attribute::Margin, &nothing))
        .flatten()
}

/// The branches of one block brought to one size.
fn brought(draft: Draft, mismatch: &Mismatch, means: Means, locked: &[Target]) -> Option<Draft> {
    let common = match means {
        Means::Margin(common) => common,
        Means::Enlarging => Common::Skip,
    };
    let cells = mismatch.cells(common);
    cells.iter().try_fold(draft, |draft, (branch, cells)| {
        let branch = mismatch.place.child(&[*branch]);
        match means {
            Means::Margin(_) => margin_at_end(draft, &branch, cells, locked),
            Means::Enlarging => enlarged(draft, &branch, cells, locked),
        }
    })
}

fn nodes<'a>(network: &'a Network, branch: &Place) -> Option<&'a [Node]> {
    let (&index, block) = branch.path.split_last()?;
    let block = Place {
        stack: branch.stack,
        path: block.to_vec(),
    };
    let branches = network.node(&block)?.branches();
    branches.get(index).map(Vec::as_slice)
}

/// A margin at the end of a branch; one that is there already is made larger or smaller instead.
fn margin_at_end(draft: Draft, branch: &Place, cells: &[i64], locked: &[Target]) -> Option<Draft> {
    let nodes = nodes(&draft.network, branch)?;
    let end = branch.child(&[nodes.len()]);
    if let Some(at) = nodes.len().checked_sub(1) {
        let last = branch.child(&[at]);
        let is_free = !locked.iter().any(|lock| lock.contains(&last));
        if let Some(sums) = sums_of_last(nodes, cells).filter(|_| is_free) {
            let rank = cells.len();
            let effort = draft.edits;
            let set = draft.clone().set(&last, rank, Attribute::Margin, &sums);
            return set.filter(|made| made.edits > effort);
        }
    }
    if takes_insertion(&end, locked) {
        draft.insert_cells(&end, cells)
    } else {
        None
    }
}

/// The sums of the margin that ends a branch, so that the branch has so many positions more; `None` where it ends in
/// something else, or would need the other kind of margin.
fn sums_of_last(nodes: &[Node], cells: &[i64]) -> Option<Vec<Option<Value>>> {
    let Some(Node::Layer(layer)) = nodes.last() else {
        return None;
    };
    let sign = match layer.kind {
        Kind::Pad { .. } => 1,
        Kind::Crop { .. } => -1,
        _ => return None,
    };
    let sum = |(axis, by): (usize, &i64)| {
        let now = match current(&layer.kind, cells.len(), axis, Attribute::Margin)? {
            Value::Size(now) => i64::from(now),
            Value::Cut(_) | Value::Same => return None,
        };
        let sum = u32::try_from(now + sign * by).ok()?;
        Some(Some(Value::Size(sum)))
    };
    cells.iter().enumerate().map(sum).collect()
}

/// The last layer of a branch that enlarges, with a larger kernel or output padding.
fn enlarged(draft: Draft, branch: &Place, cells: &[i64], locked: &[Target]) -> Option<Draft> {
    let nodes = nodes(&draft.network, branch)?;
    let is_transposed = |node: &Node| matches!(node, Node::Layer(layer) if matches!(layer.kind, Kind::ConvTranspose { .. }));
    let at = nodes.iter().rposition(is_transposed)?;
    let Some(Node::Layer(layer)) = nodes.get(at) else {
        return None;
    };
    let place = branch.child(&[at]);
    if locked.iter().any(|lock| lock.contains(&place)) {
        return None;
    }
    let below_stride = |sizes: &Vec<u32>| {
        let strides = raised(&layer.kind, &vec![0; cells.len()], Attribute::Stride);
        strides.is_some_and(|strides| sizes.iter().zip(strides).all(|(op, stride)| *op < stride))
    };
    let padding = raised(&layer.kind, cells, Attribute::OutputPadding).filter(below_stride);
    let (attribute, sizes) = match padding {
        Some(sizes) => (Attribute::OutputPadding, sizes),
        None => (
            Attribute::Kernel,
            raised(&layer.kind, cells, Attribute::Kernel)?,
        ),
    };
    let values: Vec<Option<Value>> = sizes
        .into_iter()
        .map(|size| Some(Value::Size(size)))
        .collect();
    draft.set(&place, cells.len(), attribute, &values)
}

/// An attribute on each axis, so many more than now.
fn raised(kind: &Kind, more: &[i64], attribute: Attribute) -> Option<Vec<u32>> {
    let size = |(axis, by): (usize, &i64)| match current(kind, more.len(), axis, attribute)? {
        Value::Size(now) => u32::try_from(i64::from(now) + by).ok(),
        Value::Cut(_) | Value::Same => None,
    };
    more.iter().enumerate().map(size).collect()
}

/// A larger input, blocks brought to one size, and what is too much cut away: what an unpadded U-Net needs whose
/// crops do not fit.
fn input_and_blocks(base: &Draft, common: Common, locked: &[Target], goal: Goal) -> Option<Draft> {
    infer(&base.network).errors().next()?;
    let wanted = base.network.input.spatial().to_vec();
    let mut more = vec![0i64; wanted.len()];
    let nothing = more.clone();
    for _ in 0..ROUNDS {
        let larger = around(base, &more, &nothing, locked)?;
        let Some(mended) = blocks_mended(larger, Means::Margin(common), locked) else {
            more.iter_mut().for_each(|more| *more += STEP);
            continue;
        };
        if goal == Goal::NoError {
            return Some(mended);
        }
        let output = infer(&mended.network).output?;
        if output.rank() != wanted.len() {
            return None;
        }
        let sizes = output.spatial().iter().zip(&wanted);
        let over: Vec<i64> = sizes
            .map(|(&is, &wanted)| is as i64 - wanted as i64)
            .collect();
        if over.iter().all(|&by| by >= 0) {
            let end = Place::new(Stack::Decoder, mended.network.decoder.len());
            let cut: Vec<i64> = over.iter().map(|by| -by).collect();
            let made = mended.insert_cells(&end, &cut)?;
            return takes_insertion(&end, locked).then_some(made);
        }
        for (more, over) in more.iter_mut().zip(&over) {
            *more += (-over).max(0);
        }
    }
    None
}
