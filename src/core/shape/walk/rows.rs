//! The rows of the walk, and the limits that keep it short.

use super::{Flow, Step, Walker};
use crate::project::node::Node;
use crate::shape::budget::{MAX_DEPTH, too_deep, too_many, unrolled};
use crate::shape::cost::Cost;
use crate::shape::error::ShapeError;
use crate::shape::field::Field;
use crate::shape::infer::Row;
use crate::shape::partial_shape::PartialShape;

impl Walker {
    /// Makes the node's row, or finds it again in a later pass of a repeat.
    pub(super) fn enter(&mut self, node: &Node, flow: &Flow) -> usize {
        let row = self.cursor;
        self.cursor += 1;
        if row == self.rows.len() {
            self.rows.push(Row {
                place: self.at.place(),
                depth: self.at.depth(),
                text: node.label(),
                family: node.family(),
                is_block: !matches!(node, Node::Layer(_) | Node::Broken { .. }),
                input: flow.outline.full(),
                output: None,
                outline: PartialShape::UNKNOWN,
                parameters: 0,
                macs: 0,
                memory_bytes: 0,
                receptive_field: None,
                grid: None,
                error: None,
            });
        }
        row
    }

    pub(super) fn leave(&mut self, row: usize, fresh: bool, before: Cost, step: &mut Step) {
        let error = step.error.take().map(|error| self.in_pass(error));
        self.errors += usize::from(error.is_some());
        let cost = self.cost.since(before);
        let Some(row) = self.rows.get_mut(row) else {
            return;
        };
        row.parameters = row.parameters.saturating_add(cost.parameters);
        row.macs = row.macs.saturating_add(cost.macs);
        row.memory_bytes = row.memory_bytes.saturating_add(cost.memory_bytes);
        if fresh {
            row.outline = step.flow.outline;
            row.output = if error.is_some() {
                None
            } else {
                step.flow.outline.full()
            };
            let input = self.input.as_ref();
            row.receptive_field = step
                .flow
                .field
                .as_ref()
                .zip(input)
                .map(|(field, input)| field.sizes(input));
            row.grid = step.flow.field.as_ref().and_then(Field::grid);
        }
        if row.error.is_none() {
            row.error = error;
        }
    }

    /// Says in which pass an error shows up that the first pass has not.
    fn in_pass(&self, mut error: ShapeError) -> ShapeError {
        if let Some((pass, times)) = self.passes.iter().rev().find(|(pass, _)| *pass > 0) {
            error.message = format!("in pass {} of {times}: {}", pass + 1, error.message);
        }
        error
    }

    /// Why a node is not walked at all: too many layers, too many blocks inside one another.
    pub(super) fn refusal(&mut self, node: &Node) -> Option<Option<ShapeError>> {
        if self.listing {
            return Some(None);
        }
        let is_block = !node.branches().is_empty();
        if is_block && self.at.depth() >= MAX_DEPTH {
            return Some(Some(too_deep()));
        }
        if self.at.depth() > 0 {
            return None;
        }
        let needed = unrolled(node);
        if needed <= self.budget {
            self.budget -= needed;
            return None;
        }
        // Once a long list of layers is over the limit, its other layers are no news.
        let error = (is_block || !self.overspent).then(|| too_many(needed, self.budget));
        self.overspent = true;
        Some(error)
    }

    /// Makes the rows of what is inside a node, without inferring anything.
    pub(super) fn list(&mut self, branches: &[Vec<Node>], error: Option<ShapeError>) -> Step {
        self.pools.uncertain = true;
        let was_listing = std::mem::replace(&mut self.listing, true);
        if self.at.depth() < MAX_DEPTH {
            for (branch, nodes) in branches.iter().enumerate() {
                self.at.push(branch, branch);
                self.nodes(nodes, Flow::after_error(PartialShape::UNKNOWN));
                self.at.pop();
            }
        }
        self.listing = was_listing;
        Step::failed(PartialShape::UNKNOWN, error)
    }
}
