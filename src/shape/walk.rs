//! The walk over nodes: carries what is known of the tensor through layers and blocks, fills the
//! rows and builds the plan.
//!
//! Every node is entered (a row is made, or found again in a later pass of a repeat), stepped
//! through and left (costs and errors go into the row). The amount of work is bounded before it
//! starts, by [`super::budget`].

use super::blocks;
use super::budget::{MAX_DEPTH, MAX_LAYERS, too_deep, too_many, unrolled};
use super::cost::{Cost, memory_bytes};
use super::error::ShapeError;
use super::field::Field;
use super::infer::{Row, Totals};
use super::op::{Op, Planned, PlannedLayer};
use super::outline::Outline;
use super::pools::{Pool, Pools};
use super::rules::{self, Context};
use crate::project::layer::{Kind, Layer};
use crate::project::node::Node;
use crate::project::size::Shape;
use crate::project::{Place, Stack};
use std::fmt::Write;

/// The tensor on its way: its shape as far as known, and what of the input it sees.
#[derive(Clone, Debug)]
pub(super) struct Flow {
    pub outline: Outline,
    pub field: Option<Field>,
}

impl Flow {
    /// At the network's input.
    pub fn start(input: &Shape) -> Flow {
        Flow { outline: Outline::of(input), field: Some(Field::start(input)) }
    }

    fn after_error(outline: Outline) -> Flow {
        Flow { outline, field: None }
    }
}

/// What a run of nodes gives; `planned` is `None` when one has an error or an unknown shape.
pub(super) struct Outcome {
    pub flow: Flow,
    pub planned: Option<Vec<Planned>>,
}

impl Outcome {
    /// The shape, if it is known; an error may stand before it.
    pub fn shape(&self) -> Option<Shape> {
        self.flow.outline.full()
    }
}

/// What one node gives.
struct Step {
    flow: Flow,
    planned: Option<Planned>,
    error: Option<ShapeError>,
}

impl Step {
    fn failed(outline: Outline, error: Option<ShapeError>) -> Step {
        Step { flow: Flow::after_error(outline), planned: None, error }
    }
}

/// Where the walk is.
#[derive(Default)]
struct At {
    stack: Option<Stack>,
    /// Indices of the place: index, branch, index, …
    path: Vec<usize>,
    /// The same with the pass of a repeat instead of its branch.
    key: Vec<usize>,
}

impl At {
    fn place(&self) -> Place {
        Place { stack: self.stack.unwrap_or(Stack::Encoder), path: self.path.clone() }
    }

    fn key(&self) -> String {
        let mut key = self.stack.unwrap_or(Stack::Encoder).name().to_owned();
        for part in &self.key {
            // Writing to a string can't fail.
            let _ = write!(key, ".{part}");
        }
        key
    }

    fn depth(&self) -> usize {
        self.path.len() / 2
    }

    fn push(&mut self, path: usize, key: usize) {
        self.path.push(path);
        self.key.push(key);
    }

    fn pop(&mut self) {
        self.path.pop();
        self.key.pop();
    }
}

/// The state of the walk.
pub(super) struct Walker {
    pub rows: Vec<Row>,
    pub totals: Totals,
    pub pools: Pools,
    pub slots: usize,
    input: Option<Shape>,
    /// The row that the next node gets; behind the end of `rows` except in later passes.
    cursor: usize,
    at: At,
    /// Errors so far, to see whether a pass had one.
    errors: usize,
    /// Passes of the repeats the walk is in, as (pass, times).
    passes: Vec<(usize, u32)>,
    /// Layers that may still be unrolled.
    budget: u64,
    overspent: bool,
    /// Only rows are made, nothing is inferred.
    listing: bool,
}

impl Default for Walker {
    fn default() -> Walker {
        Walker {
            rows: Vec::new(),
            totals: Totals::default(),
            pools: Pools::default(),
            slots: 0,
            input: None,
            cursor: 0,
            at: At::default(),
            errors: 0,
            passes: Vec::new(),
            budget: MAX_LAYERS,
            overspent: false,
            listing: false,
        }
    }
}

impl Walker {
    /// Walks one of the three stacks.
    pub fn stack(&mut self, stack: Stack, nodes: &[Node], flow: Flow, input: &Shape) -> Outcome {
        self.at = At { stack: Some(stack), ..At::default() };
        self.input = Some(input.clone());
        self.nodes(nodes, flow)
    }

    fn nodes(&mut self, nodes: &[Node], flow: Flow) -> Outcome {
        let mut outcome = Outcome { flow, planned: Some(Vec::with_capacity(nodes.len())) };
        for (index, node) in nodes.iter().enumerate() {
            self.at.push(index, index);
            let step = self.node(node, outcome.flow);
            self.at.pop();
            outcome.flow = step.flow;
            outcome.planned = outcome.planned.zip(step.planned).map(|(mut planned, next)| {
                planned.push(next);
                planned
            });
        }
        outcome
    }

    fn node(&mut self, node: &Node, flow: Flow) -> Step {
        let fresh = self.cursor == self.rows.len();
        let row = self.enter(node, &flow);
        let before = self.totals.cost;
        let mut step = match self.refusal(node) {
            None => self.step(node, flow),
            Some(error) => self.list(node.branches(), error),
        };
        self.leave(row, fresh, before, &mut step);
        step
    }

    fn step(&mut self, node: &Node, flow: Flow) -> Step {
        match node {
            Node::Layer(layer) => self.layer(layer, flow),
            Node::Broken { error, .. } => {
                self.pools.uncertain = true;
                Step::failed(Outline::UNKNOWN, Some(ShapeError::from(error)))
            }
            Node::Add(branches) => {
                self.branches(branches, flow, blocks::add, |place, branches| Planned::Add { place, branches })
            }
            Node::Concat(branches) => {
                self.branches(branches, flow, blocks::concat, |place, branches| Planned::Concat { place, branches })
            }
            Node::Repeat { times: 0, .. } => {
                let error = ShapeError::new("a block repeated 0 times is nothing");
                self.list(node.branches(), Some(error.help("repeat it once or more, or remove it")))
            }
            Node::Repeat { times, layers } => self.repeat(*times, layers, flow),
        }
    }
}

/// Rows and limits.
impl Walker {
    /// Makes the node's row, or finds it again in a later pass of a repeat.
    fn enter(&mut self, node: &Node, flow: &Flow) -> usize {
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
                outline: Outline::UNKNOWN,
                parameters: 0,
                macs: 0,
                memory_bytes: 0,
                receptive_field: None,
                error: None,
            });
        }
        row
    }

    fn leave(&mut self, row: usize, fresh: bool, before: Cost, step: &mut Step) {
        let error = step.error.take().map(|error| self.in_pass(error));
        self.errors += usize::from(error.is_some());
        let cost = self.totals.cost.since(before);
        let Some(row) = self.rows.get_mut(row) else { return };
        row.parameters = row.parameters.saturating_add(cost.parameters);
        row.macs = row.macs.saturating_add(cost.macs);
        row.memory_bytes = row.memory_bytes.saturating_add(cost.memory_bytes);
        if fresh {
            row.outline = step.flow.outline;
            row.output = if error.is_some() { None } else { step.flow.outline.full() };
            let input = self.input.as_ref();
            row.receptive_field = step.flow.field.as_ref().zip(input).map(|(field, input)| field.sizes(input));
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
    fn refusal(&mut self, node: &Node) -> Option<Option<ShapeError>> {
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
    fn list(&mut self, branches: &[Vec<Node>], error: Option<ShapeError>) -> Step {
        self.pools.uncertain = true;
        let was_listing = std::mem::replace(&mut self.listing, true);
        if self.at.depth() < MAX_DEPTH {
            for (branch, nodes) in branches.iter().enumerate() {
                self.at.push(branch, branch);
                self.nodes(nodes, Flow::after_error(Outline::UNKNOWN));
                self.at.pop();
            }
        }
        self.listing = was_listing;
        Step::failed(Outline::UNKNOWN, error)
    }
}

/// Layers.
impl Walker {
    fn layer(&mut self, layer: &Layer, flow: Flow) -> Step {
        let paired = match layer.kind {
            Kind::Unpool => self.pools.pair(layer.name.as_deref()),
            _ => None,
        };
        let context = Context { slot: self.slots, paired: paired.as_ref(), name: layer.name.as_deref() };
        let input = flow.outline;
        let mut step = match input.full() {
            Some(shape) => self.known(layer, &shape, &context, flow),
            None => {
                let error = self.unknown_error(layer, paired.as_ref());
                Step::failed(rules::outline(&layer.kind, &input, paired.as_ref()), error)
            }
        };
        if matches!(layer.kind, Kind::MaxPool { .. }) {
            self.note_pool(layer, input, &step);
        }
        if matches!(layer.kind, Kind::Unpool) {
            self.excuse(paired.as_ref(), &mut step);
        }
        step
    }

    fn known(&mut self, layer: &Layer, input: &Shape, context: &Context<'_>, flow: Flow) -> Step {
        let resolved = match rules::resolve(&layer.kind, input, context) {
            Ok(resolved) => resolved,
            Err(error) => {
                return Step::failed(rules::outline(&layer.kind, &flow.outline, context.paired), Some(error));
            }
        };
        let rules::Resolved { op, output } = resolved;
        self.totals.cost = self.totals.cost.plus(Cost::of(&op, input, &output));
        self.totals.layers += 1;
        let flow = Flow { outline: Outline::of(&output), field: flow.field.map(|field| field.after(&op)) };
        let (place, key) = (self.at.place(), self.at.key());
        let planned = PlannedLayer { place, key, op, input: input.clone(), output };
        Step { flow, planned: Some(Planned::Layer(planned)), error: None }
    }

    /// What is wrong with a layer whatever its input is.
    fn unknown_error(&self, layer: &Layer, paired: Option<&Pool>) -> Option<ShapeError> {
        match (&layer.kind, paired) {
            (Kind::Unpool, None) => Some(rules::unpaired(layer.name.as_deref())),
            (kind, _) => rules::attributes(kind).err(),
        }
    }

    fn note_pool(&mut self, layer: &Layer, input: Outline, step: &Step) {
        let geometry = match &step.planned {
            Some(Planned::Layer(PlannedLayer { op: Op::MaxPool { geometry, .. }, .. })) => Some(*geometry),
            _ => None,
        };
        let (place, text, name) = (self.at.place(), layer.to_string(), layer.name.clone());
        self.pools.push(Pool { slot: self.slots, name, place, text, input, output: step.flow.outline, geometry });
        self.slots += 1;
    }

    /// Takes back the error of an unpool that only follows from another, and adds the name that
    /// would help.
    fn excuse(&self, paired: Option<&Pool>, step: &mut Step) {
        let follows = self.pools.uncertain || paired.is_some_and(|pool| pool.geometry.is_none());
        if follows {
            step.error = None;
            if step.planned.is_none() && paired.is_none() {
                step.flow.outline = Outline::UNKNOWN;
            }
        }
        let (Some(error), Some(_)) = (&mut step.error, paired) else { return };
        let Some(input) = self.rows.get(self.cursor.saturating_sub(1)).and_then(|row| row.input.as_ref()) else {
            return;
        };
        if let Some(other) = self.pools.giving(&Outline::of(input)) {
            let line = format!(
                "or undo the pooling at {}, which gave {input}: name it @a there, and write unpool @a",
                other.place
            );
            error.help.push(line);
        }
    }
}

/// Blocks.
impl Walker {
    fn branches(
        &mut self,
        branches: &[Vec<Node>],
        flow: Flow,
        join: fn(&[Outline]) -> Result<Outline, ShapeError>,
        plan: fn(Place, Vec<Vec<Planned>>) -> Planned,
    ) -> Step {
        let outcomes: Vec<Outcome> =
            branches.iter().enumerate().map(|(branch, nodes)| self.branch(branch, nodes, flow.clone())).collect();
        let outlines: Vec<Outline> = outcomes.iter().map(|outcome| outcome.flow.outline).collect();
        let sound = outcomes.iter().all(|outcome| outcome.planned.is_some());
        let outline = match join(&outlines) {
            Ok(outline) => outline,
            // Where a branch has an error of its own, its guessed shape proves nothing.
            Err(_) if !sound && !branches.is_empty() => return Step::failed(Outline::UNKNOWN, None),
            Err(error) => return Step::failed(Outline::UNKNOWN, Some(error)),
        };
        let (fields, planned): (Vec<_>, Vec<_>) =
            outcomes.into_iter().map(|outcome| (outcome.flow.field, outcome.planned)).unzip();
        let planned: Option<Vec<Vec<Planned>>> = planned.into_iter().collect();
        let Some(planned) = planned else { return Step::failed(outline, None) };
        let own = Cost { memory_bytes: outline.full().map_or(0, |shape| memory_bytes(&shape)), ..Cost::default() };
        self.totals.cost = self.totals.cost.plus(own);
        let field = fields.into_iter().reduce(|a, b| Some(a?.widest(b?))).flatten();
        Step { flow: Flow { outline, field }, planned: Some(plan(self.at.place(), planned)), error: None }
    }

    fn branch(&mut self, branch: usize, nodes: &[Node], flow: Flow) -> Outcome {
        self.at.push(branch, branch);
        let outcome = self.nodes(nodes, flow);
        self.at.pop();
        outcome
    }

    fn repeat(&mut self, times: u32, layers: &[Node], mut flow: Flow) -> Step {
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
                return Step::failed(Outline::UNKNOWN, None);
            }
        }
        let planned = passes.map(|passes| Planned::Repeat { place: self.at.place(), passes });
        Step { flow, planned, error: None }
    }
}
