//! Blocks: branches that start from one tensor and meet, layers that are repeated.

use super::{Flow, Outcome, Step, Walker};
use crate::project::Place;
use crate::project::node::Node;
use crate::shape::cost::{Cost, memory_bytes};
use crate::shape::error::ShapeError;
use crate::shape::op::Planned;
use crate::shape::partial_shape::PartialShape;
use crate::shape::skip;

impl Walker {
    pub(super) fn branches(
        &mut self,
        branches: &[Vec<Node>],
        flow: Flow,
        join: fn(&[PartialShape]) -> Result<PartialShape, ShapeError>,
        plan: fn(Place, Vec<Vec<Planned>>) -> Planned,
    ) -> Step {
        let outcomes: Vec<Outcome> = branches
            .iter()
            .enumerate()
            .map(|(branch, nodes)| self.branch(branch, nodes, flow.clone()))
            .collect();
        let outlines: Vec<PartialShape> = outcomes
            .iter()
            .map(|outcome| outcome.flow.outline)
            .collect();
        let sound = outcomes.iter().all(|outcome| outcome.planned.is_some());
        let outline = match join(&outlines) {
            Ok(outline) => outline,
            // Where a branch has its own error, its guessed shape proves nothing.
            Err(_) if !sound && !branches.is_empty() => {
                return Step::failed(PartialShape::UNKNOWN, None);
            }
            Err(error) => {
                let error = skip::helped(error, branches, &outlines);
                return Step::failed(PartialShape::UNKNOWN, Some(error));
            }
        };
        let (fields, planned): (Vec<_>, Vec<_>) = outcomes
            .into_iter()
            .map(|outcome| (outcome.flow.field, outcome.planned))
            .unzip();
        let planned: Option<Vec<Vec<Planned>>> = planned.into_iter().collect();
        let Some(planned) = planned else {
            return Step::failed(outline, None);
        };
        let own = Cost {
            memory_bytes: outline.full().map_or(0, |shape| memory_bytes(&shape)),
            ..Cost::default()
        };
        self.cost = self.cost.plus(own);
        let field = fields
            .into_iter()
            .reduce(|a, b| Some(a?.widest(b?)))
            .flatten();
        Step {
            flow: Flow { outline, field },
            planned: Some(plan(self.at.place(), planned)),
            error: None,
        }
    }

    fn branch(&mut self, branch: usize, nodes: &[Node], flow: Flow) -> Outcome {
        self.at.push(branch, branch);
        let outcome = self.nodes(nodes, flow);
        self.at.pop();
        outcome
    }

    pub(super) fn repeat(&mut self, times: u32, layers: &[Node], mut flow: Flow) -> Step {
        let (first, errors) = (self.cursor, self.errors);
        let mut passes = Some(Vec::new());
        for pass in 0..times as usize {
            self.cursor = first;
            self.passes.push((pass, times));
            self.at.push(0, pass);
            let outcome = self.nodes(layers, flow);
            self.at.pop();
            self.passes.pop();
            flow = outcome.flow;
            passes = passes.zip(outcome.planned).map(|(mut passes, planned)| {
                passes.push(planned);
                passes
            });
            // After an error in one pass the others would only repeat it.
            if self.errors > errors && pass + 1 < times as usize {
                return Step::failed(PartialShape::UNKNOWN, None);
            }
        }
        let planned = passes.map(|passes| Planned::Repeat {
            place: self.at.place(),
            passes,
        });
        Step {
            flow,
            planned,
            error: None,
        }
    }
}
