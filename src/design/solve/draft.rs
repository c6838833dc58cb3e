//! A network on its way to a solution: the edits made so far, whether it is one, and how good.

use super::attribute::{Attribute, Value, current, is_pooling, write};
use super::{Change, Solution};
use strata_core::project::layer::Kind;
use strata_core::project::node::Node;
use strata_core::project::{Network, Place, Stack};
use strata_core::shape::infer::{Inference, infer};
use strata_core::shape::layers::Shaping;
use strata_core::shape::layers::facts::Slider;

/// What is changed, and the network after it.
#[derive(Clone, Debug)]
pub struct Draft {
    /// The network with the changes.
    pub network: Network,
    /// The changes, each at its place in the network after them (a removed node: where it was).
    pub changes: Vec<Change>,
    /// Attributes changed, layers inserted.
    pub edits: u32,
    /// Layers inserted among them.
    pub inserted: u32,
    /// How much the numbers moved, weighted by how deep the change goes.
    effort: u32,
    /// Edits that move a number far: they make sizes equal that have little to do with each other.
    leaps: u32,
}

impl Draft {
    /// The network as it is.
    pub fn new(network: &Network) -> Draft {
        Draft {
            network: network.clone(),
            changes: Vec::new(),
            edits: 0,
            inserted: 0,
            effort: 0,
            leaps: 0,
        }
    }

    /// Gives an attribute of a layer these values (`None` keeps an axis). `None` where it cannot be written.
    pub fn set(
        mut self,
        place: &Place,
        rank: usize,
        attribute: Attribute,
        values: &[Option<Value>],
    ) -> Option<Draft> {
        let node = self.network.node_mut(place)?;
        let before = node.clone();
        let Node::Layer(layer) = node else {
            return None;
        };
        let (leaps, effort) = weights_of(&layer.kind, rank, attribute, values);
        self.leaps += leaps;
        self.effort = self.effort.saturating_add(effort);
        write(&mut layer.kind, rank, attribute, values)?;
        let after = node.clone();
        self.note(place, before, after);
        self.edits += 1;
        Some(self)
    }

    /// Replaces a node; `effort` says how far it moves.
    pub fn replace(mut self, place: &Place, node: Node, effort: u32) -> Option<Draft> {
        self.effort += effort;
        let slot = self.network.node_mut(place)?;
        let before = std::mem::replace(slot, node.clone());
        self.note(place, before, node);
        self.edits += 1;
        Some(self)
    }

    /// Appends a layer to a stack.
    pub fn append(mut self, stack: Stack, text: &str) -> Draft {
        let node = Node::from_text(text);
        let nodes = self.network.stack_mut(stack);
        let place = Place::new(stack, nodes.len());
        nodes.push(node.clone());
        self.inserted(place, node)
    }

    /// Puts a layer before all others of a stack.
    pub fn prepend(mut self, stack: Stack, text: &str) -> Draft {
        let node = Node::from_text(text);
        for change in self
            .changes
            .iter_mut()
            .filter(|change| change.place.stack == stack)
        {
            if let Some(index) = change.place.path.first_mut() {
                *index += 1;
            }
        }
        self.network.stack_mut(stack).insert(0, node.clone());
        self.inserted(Place::new(stack, 0), node)
    }

    fn inserted(mut self, place: Place, node: Node) -> Draft {
        self.changes.push(Change {
            place,
            from: None,
            to: Some(node),
        });
        self.edits += 1;
        self.inserted += 1;
        self
    }

    /// Two edits of one layer are one change.
    fn note(&mut self, place: &Place, before: Node, after: Node) {
        match self
            .changes
            .iter_mut()
            .find(|change| change.place == *place && change.from.is_some())
        {
            Some(change) => change.to = Some(after),
            None => self.changes.push(Change {
                place: place.clone(),
                from: Some(before),
                to: Some(after),
            }),
        }
    }

    /// Whether inference confirms it: the output equals the input, and no error came in.
    pub fn is_exact(&self, errors_of_head: usize) -> bool {
        let inference = infer(&self.network);
        inference.output_equals_input == Some(true) && head_errors(&inference) <= errors_of_head
    }

    /// Whether a changed layer skips cells that it read, or would have written, before.
    pub fn skips_cells(&self) -> bool {
        let skips = |node: &Option<Node>| match node {
            Some(Node::Layer(layer)) => skips(&layer.kind),
            Some(Node::Repeat { .. } | Node::Add(_) | Node::Concat(_) | Node::Broken { .. })
            | None => false,
        };
        self.changes
            .iter()
            .any(|change| change.from.is_some() && skips(&change.to) && !skips(&change.from))
    }

    /// Its edits, where a number that moves far (a kernel from 3 to 7, which makes up for rows that another layer lost)
    /// counts twice, and a border of zeros or one that is cut away as three edits more: what is there was never
    /// computed.
    pub fn weight(&self) -> u32 {
        self.edits + self.leaps + if self.is_makeshift() { 3 } else { 0 }
    }

    /// What sorts drafts, the best first: few edits, the encoder as it is, the decoder the encoder's mirror,
    /// kernels that the strides divide, small moves.
    pub fn rank(&self) -> [u32; 6] {
        let encoder = self
            .changes
            .iter()
            .filter(|change| change.place.stack == Stack::Encoder)
            .count() as u32;
        let asymmetry = asymmetry(&self.network);
        [
            self.weight(),
            self.inserted,
            encoder,
            asymmetry,
            uneven(&self.network).len() as u32,
            self.effort,
        ]
    }

    /// Whether a border is only filled with zeros or cut away.
    pub fn is_makeshift(&self) -> bool {
        self.adds("pad ") || self.adds("crop ")
    }

    fn adds(&self, word: &str) -> bool {
        let starts = |node: &Node| node.text().starts_with(word);
        self.changes
            .iter()
            .any(|change| change.from.is_none() && change.to.as_ref().is_some_and(starts))
    }

    /// What is changed, without the values.
    pub fn kind_of_change(&self) -> Vec<(Place, bool)> {
        self.changes
            .iter()
            .map(|change| (change.place.clone(), change.from.is_some()))
            .collect()
    }

    /// The finished solution. Layers that do nothing any more are taken away.
    pub fn solution(mut self) -> Solution {
        self.remove_idle();
        let note = self.remark();
        self.changes.sort_by(|a, b| a.place.cmp(&b.place));
        Solution {
            changes: self.changes,
            network: self.network,
            edits: self.edits,
            note,
        }
    }

    fn remove_idle(&mut self) {
        let idle =
            |change: &&mut Change| change.to.as_ref().is_some_and(is_idle) && change.from.is_some();
        let mut places: Vec<Place> = Vec::new();
        for change in self.changes.iter_mut().filter(idle) {
            change.to = None;
            places.push(change.place.clone());
        }
        // From the last on, so that the places before it stay true.
        places.sort();
        for place in places.into_iter().rev() {
            let Some((&last, way)) = place.path.split_last() else {
                continue;
            };
            let list = match way.split_last() {
                None => Some(self.network.stack_mut(place.stack)),
                Some((&branch, block)) => {
                    let block = Place {
                        stack: place.stack,
                        path: block.to_vec(),
                    };
                    self.network
                        .node_mut(&block)
                        .and_then(|node| node.branch_mut(branch))
                }
            };
            if let Some(list) = list.filter(|list| last < list.len()) {
                list.remove(last);
            }
        }
    }

    fn remark(&self) -> String {
        let mut parts = Vec::new();
        if self.adds("pad ") {
            parts.push("fills the border with zeros".to_owned());
        }
        if self.adds("crop ") {
            parts.push("computes a border that is cut away".to_owned());
        }
        if asymmetry(&self.network) == 0 {
            parts.push("the decoder mirrors the encoder".to_owned());
        }
        match uneven(&self.network).as_slice() {
            [] if spreads(&self.network) => parts.push("no checkerboard".to_owned()),
            [] => {}
            [place, ..] => parts.push(format!(
                "checkerboard: the stride does not divide the kernel at {place}"
            )),
        }
        parts.join(" · ")
    }
}

/// Whether neighbouring windows leave cells between them.
fn skips(kind: &Kind) -> bool {
    let axis_skips =
        |axis| size_of(kind, axis, Attribute::Kernel) < size_of(kind, axis, Attribute::Stride);
    kind.window().is_some() && (0..3).any(axis_skips)
}

/// An attribute along one of up to three axes, whatever the rank: one number stands for all of them.
fn value_of(kind: &Kind, axis: usize, attribute: Attribute) -> Option<Value> {
    (1..=3).find_map(|rank| current(kind, rank, axis.min(rank - 1), attribute))
}

fn size_of(kind: &Kind, axis: usize, attribute: Attribute) -> u32 {
    match value_of(kind, axis, attribute) {
        Some(Value::Size(size)) => size,
        Some(Value::Same) | None => 1,
    }
}

/// Errors in the head.
pub fn head_errors(inference: &Inference) -> usize {
    inference
        .errors()
        .filter(|(row, _)| row.place.stack == Stack::Head)
        .count()
}

fn is_idle(node: &Node) -> bool {
    matches!(node.text().as_str(), "pad 0" | "crop 0" | "upsample 1")
}

/// The largest move of an attribute that is no leap.
fn leap(attribute: Attribute) -> u32 {
    match attribute {
        Attribute::OutputPadding | Attribute::Padding | Attribute::Kernel => 2,
        Attribute::Stride | Attribute::Factor => 1,
        Attribute::Margin | Attribute::Output => u32::MAX,
    }
}

/// Whether a layer that scales no longer does: equal sizes are easy to have without any.
fn idles(kind: &Kind, attribute: Attribute, values: &[Option<Value>]) -> bool {
    let scales = match attribute {
        Attribute::Stride | Attribute::Factor => true,
        Attribute::Kernel => is_pooling(kind),
        Attribute::OutputPadding | Attribute::Padding | Attribute::Margin | Attribute::Output => {
            false
        }
    };
    scales && values.contains(&Some(Value::Size(1)))
}

/// Whether the values leap, and how far they move, weighted by how deep the change goes.
pub fn weights_of(
    kind: &Kind,
    rank: usize,
    attribute: Attribute,
    values: &[Option<Value>],
) -> (u32, u32) {
    let weight = match attribute {
        Attribute::OutputPadding => 1,
        Attribute::Padding | Attribute::Margin => 2,
        Attribute::Kernel => 3,
        Attribute::Factor | Attribute::Output => 4,
        Attribute::Stride => 5,
    };
    let far = |(axis, value): (usize, &Option<Value>)| match (
        value,
        current(kind, rank, axis, attribute),
    ) {
        (Some(Value::Size(new)), Some(Value::Size(old))) => new.abs_diff(old),
        (Some(_), _) => 2,
        (None, _) => 0,
    };
    let far: Vec<u32> = values.iter().enumerate().map(far).collect();
    let unequal = u32::from(far.contains(&0) && far.iter().any(|&by| by > 0));
    let far = far.iter().max().copied().unwrap_or(0);
    let leaps = u32::from(far > leap(attribute)) + 2 * u32::from(idles(kind, attribute, values));
    (
        leaps,
        far.saturating_add(4)
            .saturating_mul(weight)
            .saturating_add(unequal),
    )
}

/// The layers of a stack, those in blocks once each.
fn layers(nodes: &[Node], above: &Place, visit: &mut dyn FnMut(&Place, &Kind)) {
    for (index, node) in nodes.iter().enumerate() {
        let place = above.child(&[index]);
        if let Node::Layer(layer) = node {
            visit(&place, &layer.kind);
        }
        for (branch, nodes) in node.branches().iter().enumerate() {
            layers(nodes, &place.child(&[branch]), visit);
        }
    }
}

fn each_layer(network: &Network, stack: Stack, visit: &mut dyn FnMut(&Place, &Kind)) {
    layers(
        network.stack(stack),
        &Place {
            stack,
            path: Vec::new(),
        },
        visit,
    );
}

/// How the size-changing layers of the decoder differ from the encoder's, last to first: in their strides,
/// and half as much in kernels.
fn asymmetry(network: &Network) -> u32 {
    let (mut down, mut up) = (Vec::new(), Vec::new());
    each_layer(network, Stack::Encoder, &mut |_, kind| {
        down.extend(scales(kind))
    });
    each_layer(network, Stack::Decoder, &mut |_, kind| {
        up.extend(scales(kind))
    });
    down.reverse();
    let unpaired = down.len().abs_diff(up.len()) as u32;
    let differ = |(a, b): (&Scale, &Scale)| match (a, b) {
        (Scale::Window(s, k), Scale::Window(t, l)) => 2 * u32::from(s != t) + u32::from(k != l),
        (Scale::Window(s, _), Scale::Factor(t)) | (Scale::Factor(t), Scale::Window(s, _)) => {
            2 * u32::from(s != t)
        }
        (Scale::Factor(s), Scale::Factor(t)) => 2 * u32::from(s != t),
        (Scale::Paired, _) | (_, Scale::Paired) => 0,
    };
    2 * unpaired + down.iter().zip(&up).map(differ).sum::<u32>()
}

/// By how much a layer scales.
enum Scale {
    /// A window's stride and kernel.
    Window(Vec<Option<Value>>, Vec<Option<Value>>),
    /// A factor.
    Factor(Vec<Option<Value>>),
    /// By what its pooling did.
    Paired,
}

fn scales(kind: &Kind) -> Option<Scale> {
    let all = |attribute| -> Vec<Option<Value>> {
        (0..3).map(|axis| value_of(kind, axis, attribute)).collect()
    };
    let one = |values: &[Option<Value>]| {
        values
            .iter()
            .all(|value| matches!(value, Some(Value::Size(1)) | None))
    };
    match kind.shaping() {
        Shaping::Unpools => Some(Scale::Paired),
        Shaping::Scales(_) => Some(Scale::Factor(all(Attribute::Factor))),
        Shaping::Slides {
            by: Slider::MaxPool | Slider::AvgPool,
            ..
        } => Some(Scale::Factor(all(Attribute::Stride))),
        Shaping::Slides {
            by: Slider::Convolution,
            ..
        }
        | Shaping::Spreads { .. } => {
            let stride = all(Attribute::Stride);
            (!one(&stride)).then(|| Scale::Window(stride, all(Attribute::Kernel)))
        }
        Shaping::Keeps
        | Shaping::AdaptsTo(_)
        | Shaping::Grows(_)
        | Shaping::Shrinks(_)
        | Shaping::Pools
        | Shaping::Flattens
        | Shaping::Features(_)
        | Shaping::Reshapes(_) => None,
    }
}

fn spreads(network: &Network) -> bool {
    let mut any = false;
    each_layer(network, Stack::Decoder, &mut |_, kind| {
        any |= matches!(kind, Kind::ConvTranspose { .. })
    });
    any
}

/// The transposed convolutions whose kernel is no multiple of their stride (Odena et al. 2016).
fn uneven(network: &Network) -> Vec<Place> {
    let mut places = Vec::new();
    each_layer(network, Stack::Decoder, &mut |place, kind| {
        let is_uneven = |axis: usize| {
            let (kernel, stride) = (
                size_of(kind, axis, Attribute::Kernel),
                size_of(kind, axis, Attribute::Stride),
            );
            stride > 1 && !kernel.is_multiple_of(stride)
        };
        if matches!(kind, Kind::ConvTranspose { .. }) && (0..3).any(is_uneven) {
            places.push(place.clone());
        }
    });
    places
}
