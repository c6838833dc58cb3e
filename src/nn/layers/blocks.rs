//! Sequences of layers.

mod building;

use super::{Layer, Result};
use crate::network::{Context, Penalised, Penalty, Timed};
use crate::ops::storage::Memory;
use candle_core::Tensor;
use strata_core::project::Place;
use strata_core::shape::Target;

/// Layers one after the other.
#[derive(Default)]
pub(crate) struct Sequence {
    nodes: Vec<Node>,
    /// Where layers that nothing will be learnt from write in turn.
    outputs: [Memory; 2],
    /// The two buffers that gradients alternate between on the way back.
    gradients: [Memory; 2],
    /// The node of the softmax, or of the sigmoid of a single score, that the sequence ends with, if it does.
    softmax: Option<usize>,
    /// What came into that softmax in the latest forward pass.
    logits: Option<Tensor>,
}

/// A layer with its name and latest output.
pub(crate) struct Node {
    /// PyTorch-style key, `encoder.0`; blocks carry the name of their place.
    pub key: String,
    /// Its place in the project, the same in every pass of a repeat.
    place: Place,
    layer: Box<dyn Layer>,
    /// The output of the latest forward pass; none where another layer did the work, or where it was needed
    /// only by the next layer.
    pub output: Option<Tensor>,
    penalty: Option<Penalty>,
    penalised: Penalised,
    /// Copies of what passes, where they were asked for.
    pub tap: Option<Tap>,
    /// How many of the nodes that follow this layer can do the work of.
    absorbs: usize,
    /// Whether the layer that follows can do this layer's work.
    given_up: bool,
    /// Where its output stays until the gradient comes back.
    own: Memory,
    /// Its parameters in the network's list.
    parameters: Vec<usize>,
    /// Whether the latest forward pass left this layer's work to one before it.
    pub skipped: bool,
}

impl Node {
    fn new(key: String, place: &Place, layer: Box<dyn Layer>) -> Node {
        let (output, penalty, penalised) = (None, None, Penalised::default());
        let (place, parameters) = (place.clone(), layer.parameters());
        Node {
            key,
            place,
            layer,
            output,
            penalty,
            penalised,
            tap: None,
            absorbs: 0,
            given_up: false,
            own: Memory::default(),
            parameters,
            skipped: false,
        }
    }

    /// Whether it or a node inside of it is tapped.
    fn has_tap(&self) -> bool {
        let inside = |sequence: &Sequence| sequence.nodes.iter().any(Node::has_tap);
        self.tap.is_some() || self.layer.sequences().iter().any(inside)
    }
}

/// Copies of what passed a node. They have their own memory: the tensors of a pass are overwritten
/// by the next one, and gradients already by the layers before.
#[derive(Default)]
pub(crate) struct Tap {
    pub input: Option<Tensor>,
    pub output: Option<Tensor>,
    /// The gradient for the output; none until a backward pass after the latest forward pass.
    pub gradient: Option<Tensor>,
}

/// A forward pass on its way through a sequence.
struct Way {
    /// What has come out so far.
    x: Tensor,
    /// The first node that needs a gradient.
    first: usize,
    /// Whether something before the sequence needs one.
    carries: bool,
    /// Which of the shared memories `x` is in.
    holder: usize,
    /// Nodes to come whose work is done.
    absorbed: usize,
    /// Whether `x` is needed only by the next layer.
    passes: bool,
}

impl Sequence {
    /// What came into the softmax that ends the sequence in the latest forward pass: one score for each of its
    /// outputs. `None` where it ends in another layer.
    pub(crate) fn logits(&self) -> Option<&Tensor> {
        self.logits.as_ref()
    }

    pub(crate) fn forward(&mut self, x: &Tensor, cx: &mut Context<'_>) -> Result<Tensor> {
        let (first, carries) = (self.first_with_gradient(cx), cx.carries);
        let mut way = Way {
            x: x.clone(),
            first,
            carries,
            holder: 0,
            absorbed: 0,
            passes: false,
        };
        for i in 0..self.nodes.len() {
            if self.softmax == Some(i) {
                // Where layers forget, those behind may write over what came in.
                self.logits = Some(if cx.forgets {
                    way.x.copy()?
                } else {
                    way.x.clone()
                });
            }
            self.advance(i, &mut way, cx)?;
        }
        cx.carries = carries;
        Ok(way.x)
    }

    /// Goes through one node: by its layer, unless another one has done its work or will do it.
    fn advance(&mut self, i: usize, way: &mut Way, cx: &mut Context<'_>) -> Result<()> {
        let leaves = cx.fuses && self.leaves_work(i);
        let node = &mut self.nodes[i];
        node.skipped = way.absorbed > 0 || leaves;
        if let Some(tap) = &mut node.tap {
            *tap = Tap::default();
            tap.input = Some(way.x.copy()?);
        }
        if way.absorbed > 0 {
            way.absorbed -= 1;
        } else if !leaves {
            self.compute(i, way, cx)?;
        }
        let node = &mut self.nodes[i];
        let is_seen = way.absorbed == 0 && !leaves;
        if let Some(penalty) = node.penalty.as_mut().filter(|_| is_seen) {
            penalty.observe(&way.x, cx)?;
        }
        if let Some(tap) = &mut node.tap {
            tap.output = Some(way.x.copy()?);
        }
        node.output = (is_seen && !way.passes).then(|| way.x.clone());
        Ok(())
    }

    /// Whether the layer that follows does this one's work, and nothing looks in between.
    fn leaves_work(&self, i: usize) -> bool {
        let node = &self.nodes[i];
        let is_tapped = |node: &Node| node.tap.is_some();
        let next_is_tapped = self.nodes.get(i + 1).is_some_and(is_tapped);
        node.given_up && node.penalty.is_none() && !is_tapped(node) && !next_is_tapped
    }

    fn compute(&mut self, i: usize, way: &mut Way, cx: &mut Context<'_>) -> Result<()> {
        let fused = if cx.fuses { self.fused_after(i) } else { 0 };
        let node = &mut self.nodes[i];
        // Before everything that learns, an output is needed no longer than the next layer runs.
        way.passes = cx.forgets && !way.carries && i < way.first;
        cx.carries = way.carries || i > way.first;
        if way.passes {
            node.own.clear();
        }
        if let Some((output, _)) = node.layer.buffers() {
            output.move_to(if way.passes {
                &self.outputs[1 - way.holder]
            } else {
                &node.own
            });
        }
        node.layer.set_fused(fused > 0);
        let Node { layer, place, .. } = node;
        way.x = cx.timed(Timed::Forward, place, |cx| layer.forward(&way.x, cx))?;
        let is_new = node
            .layer
            .buffers()
            .is_some_and(|(output, _)| output.has_lent(&way.x));
        if way.passes && is_new {
            way.holder = 1 - way.holder;
        }
        way.absorbed = fused;
        Ok(())
    }

    /// How many nodes after this one it now does the work of: all that it absorbs, unless a penalty or a
    /// tap needs an output in between.
    fn fused_after(&self, i: usize) -> usize {
        let absorbs = self.nodes[i].absorbs;
        let is_penalised = |node: &Node| node.penalty.is_some();
        let is_tapped = |node: &Node| node.tap.is_some();
        // The input of a tapped node is the output of the one before, so the last one counts too.
        let watched = self.nodes[i..i + absorbs].iter().any(is_penalised)
            || (absorbs > 0 && self.nodes[i..=i + absorbs].iter().any(is_tapped));
        if watched { 0 } else { absorbs }
    }

    /// Goes back as far as something is still to learn, or to the input when its gradient is needed.
    pub(crate) fn backward(
        &mut self,
        gradient: &Tensor,
        need_input: bool,
        cx: &mut Context<'_>,
    ) -> Result<Option<Tensor>> {
        let first = self.first_to_reach(need_input, cx);
        self.go_back(first..self.nodes.len(), gradient, need_input, cx)
    }

    /// The same with the gradient for the scores before a softmax that ends the sequence: what that softmax does is
    /// part of the loss. Without such a softmax the scores are the output.
    pub(crate) fn backward_from_logits(
        &mut self,
        gradient: &Tensor,
        need_input: bool,
        cx: &mut Context<'_>,
    ) -> Result<Option<Tensor>> {
        let (Some(softmax), Some(logits)) = (self.softmax, self.logits.as_ref()) else {
            return self.backward(gradient, need_input, cx);
        };
        let mut scores = shaped(gradient, logits.dims())?;
        let last = softmax..self.nodes.len();
        let is_penalised = |node: &Node| node.penalty.is_some();
        if self.nodes[last.clone()].iter().any(is_penalised) {
            let nothing = gradient.zeros_like()?;
            if let Some(penalty) = self.go_back(last, &nothing, true, cx)? {
                scores = (scores + penalty)?;
            }
        }
        let first = self.first_to_reach(need_input, cx);
        self.go_back(first..softmax, &scores, need_input, cx)
    }

    /// The first node that a gradient has to come back to.
    fn first_to_reach(&self, need_input: bool, cx: &Context<'_>) -> usize {
        if need_input {
            0
        } else {
            self.first_with_gradient(cx)
        }
    }

    /// Goes back through a range of nodes; to its input only when that gradient is needed.
    fn go_back(
        &mut self,
        nodes: std::ops::Range<usize>,
        gradient: &Tensor,
        need_input: bool,
        cx: &mut Context<'_>,
    ) -> Result<Option<Tensor>> {
        let first = nodes.start;
        let (mut gradient, mut holder) = (gradient.clone(), 0);
        for i in nodes.rev() {
            let node = &mut self.nodes[i];
            if let Some(penalty) = &node.penalty {
                gradient = penalty.add_gradient(
                    &gradient,
                    node.output.as_ref(),
                    &mut node.penalised,
                    cx,
                )?;
            }
            if let Some(tap) = &mut node.tap {
                tap.gradient = Some(gradient.copy()?);
            }
            if node.skipped {
                continue;
            }
            if let Some((_, dx)) = node.layer.buffers() {
                dx.move_to(&self.gradients[1 - holder]);
            }
            let Node { layer, place, .. } = &mut *node;
            let need = need_input || i > first;
            let back = |cx: &mut Context<'_>| layer.backward(&gradient, need, cx);
            match cx.timed(Timed::Backward, place, back)? {
                Some(next) => gradient = next,
                None => return Ok(None),
            }
            let is_new = node
                .layer
                .buffers()
                .is_some_and(|(_, dx)| dx.has_lent(&gradient));
            holder = if is_new { 1 - holder } else { holder };
        }
        Ok(need_input.then_some(gradient))
    }

    /// The first node with a parameter that trains, or with a tap; the length when there is none.
    fn first_with_gradient(&self, cx: &Context<'_>) -> usize {
        let needs = |node: &Node| node.parameters.iter().any(|&p| cx.trains(p)) || node.has_tap();
        self.nodes
            .iter()
            .position(needs)
            .unwrap_or(self.nodes.len())
    }

    /// Whether it hands its input on.
    pub(super) fn is_empty(&self) -> bool {
        self.nodes.is_empty()
    }

    /// Whether gradients have to come back into this sequence: something in it learns or is tapped.
    pub(crate) fn needs_gradient(&self, cx: &Context<'_>) -> bool {
        self.first_with_gradient(cx) < self.nodes.len()
    }

    pub(super) fn parameters(&self) -> Vec<usize> {
        self.nodes
            .iter()
            .flat_map(|node| node.parameters.iter().copied())
            .collect()
    }

    /// Calls `visit` with every node, those inside blocks before the block's own.
    pub(crate) fn visit<'a>(&'a self, visit: &mut dyn FnMut(&'a Node)) {
        for node in &self.nodes {
            for sequence in node.layer.sequences() {
                sequence.visit(visit);
            }
            visit(node);
        }
    }

    /// The same, to change.
    fn visit_mut(&mut self, visit: &mut dyn FnMut(&mut Node)) {
        for node in &mut self.nodes {
            for sequence in node.layer.sequences_mut() {
                sequence.visit_mut(visit);
            }
            visit(node);
        }
    }

    /// Taps the nodes of these places, in every pass of a repeat, and no others; of a repeat itself its
    /// last node. Returns the places that no node has.
    pub(crate) fn set_taps(&mut self, places: &[Place]) -> Vec<Place> {
        self.visit_mut(&mut |node| {
            node.tap = places.contains(&node.place).then(Tap::default);
        });
        let mut missing = places.to_vec();
        self.visit(&mut |node| missing.retain(|place| *place != node.place));
        missing.retain(|place| !self.tap_last_inside(place));
        missing
    }

    /// Taps the last node inside of a place; false when there is none.
    fn tap_last_inside(&mut self, place: &Place) -> bool {
        let target = Target::Node(place.clone());
        let (mut count, mut last) = (0, None);
        self.visit(&mut |node| {
            last = if target.contains(&node.place) {
                Some(count)
            } else {
                last
            };
            count += 1;
        });
        let mut index = 0;
        self.visit_mut(&mut |node| {
            if Some(index) == last {
                node.tap = Some(Tap::default());
            }
            index += 1;
        });
        last.is_some()
    }

    /// Takes all penalties away and puts the given one on the output of what the target names: of a stack
    /// or a repeat, its last node. True when there is such a node.
    pub(crate) fn set_penalty(&mut self, target: Option<&Target>, penalty: &Penalty) -> bool {
        let is_named = |node: &Node| target.is_some_and(|target| target.contains(&node.place));
        let (mut count, mut last) = (0, None);
        self.visit(&mut |node| {
            last = if is_named(node) { Some(count) } else { last };
            count += 1;
        });
        let mut index = 0;
        self.visit_mut(&mut |node| {
            node.penalty = (Some(index) == last).then(|| penalty.clone());
            index += 1;
        });
        last.is_some()
    }
}

/// A tensor of these dimensions with the same numbers.
pub(crate) fn shaped(tensor: &Tensor, dims: &[usize]) -> Result<Tensor> {
    match tensor.dims() == dims {
        true => Ok(tensor.clone()),
        false => Ok(tensor.reshape(dims)?),
    }
}
