//! Blocks whose branches end in different sizes, and the positions to add for equal sizes.
//!
//! Behind a block that does not meet nothing is known; so the blocks of a U-Net are found one after the other, each
//! once those inside of it are brought to one size.

use strata_core::project::node::Node;
use strata_core::project::size::Shape;
use strata_core::project::{Network, Place};
use strata_core::shape::infer::{Inference, Row};

/// Blocks that are looked at, one after the other.
pub(crate) const MOST_BLOCKS: usize = 64;

/// A block whose branches end in different sizes.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Mismatch {
    pub place: Place,
    /// The output shape of each branch.
    pub outputs: Vec<Shape>,
    /// The branch that changes the size least: the skip connection, where there is one.
    pub skip: usize,
}

/// The size that branches are brought to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Common {
    /// That of the skip connection.
    Skip,
    /// The largest on each axis.
    Largest,
    /// The smallest on each axis.
    Smallest,
}

impl Mismatch {
    /// The first error of a network, if it is such a block.
    pub fn first(network: &Network, inference: &Inference) -> Option<Mismatch> {
        let (row, _) = inference.errors().next()?;
        let (Node::Add(branches) | Node::Concat(branches)) = network.node(&row.place)? else {
            return None;
        };
        let output = |(branch, nodes): (usize, &Vec<Node>)| match nodes.len().checked_sub(1) {
            None => row.input.clone(),
            Some(last) => inference
                .row(&row.place.child(&[branch, last]))?
                .output
                .clone(),
        };
        let outputs: Vec<Shape> = branches
            .iter()
            .enumerate()
            .map(output)
            .collect::<Option<_>>()?;
        let first = outputs.first()?;
        let differ = outputs
            .iter()
            .any(|shape| shape.spatial() != first.spatial());
        let images = outputs
            .iter()
            .all(|shape| shape.rank() == first.rank() && !shape.is_vector());
        let changes = |branch: &usize| changes_in(inference, &row.place.child(&[*branch]));
        let skip = (0..outputs.len()).min_by_key(changes)?;
        (differ && images).then(|| Mismatch {
            place: row.place.clone(),
            outputs,
            skip,
        })
    }

    /// The branches that have to change, with the positions that each needs more (below 0: fewer) on each axis.
    pub fn cells(&self, common: Common) -> Vec<(usize, Vec<i64>)> {
        let along = |axis: usize| {
            let sizes = self
                .outputs
                .iter()
                .map(move |shape| shape.spatial().get(axis));
            sizes.flatten().copied()
        };
        let wanted = |axis: usize| match common {
            Common::Skip => self.outputs.get(self.skip)?.spatial().get(axis).copied(),
            Common::Largest => along(axis).max(),
            Common::Smallest => along(axis).min(),
        };
        let cells = |(branch, shape): (usize, &Shape)| {
            let each = shape.spatial().iter().enumerate();
            let each = each.map(|(axis, &size)| wanted(axis).unwrap_or(size) as i64 - size as i64);
            let each: Vec<i64> = each.collect();
            each.iter().any(|&by| by != 0).then_some((branch, each))
        };
        self.outputs.iter().enumerate().filter_map(cells).collect()
    }
}

/// How many layers of a branch change the size.
fn changes_in(inference: &Inference, branch: &Place) -> usize {
    let inside = |row: &&Row| {
        row.place.stack == branch.stack && row.place.path.starts_with(&branch.path) && !row.is_block
    };
    let changes = |row: &&Row| match (&row.input, &row.output) {
        (Some(input), Some(output)) => input.spatial() != output.spatial(),
        _ => false,
    };
    inference.rows.iter().filter(inside).filter(changes).count()
}
