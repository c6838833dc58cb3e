//! One axis of a network: how layers change its size, with the poolings that are still to be undone.
//!
//! Sizes along one axis do not depend on the others, nor on channels, so a search over one axis is a
//! search over small numbers. Nothing here fails: what a layer cannot do is `None`.

use super::attribute::{Attribute, Value, attributes, domain, edited, inserted_margins};
use strata_core::project::layer::{Kind, Layer};
use strata_core::project::node::Node;
use strata_core::project::{Network, Place, Stack};
use strata_core::shape::budget::{MAX_DEPTH, unrolled};
use strata_core::shape::layers::Shaping;
use strata_core::shape::layers::facts::Slider;
use strata_core::shape::rules::{Axis, axis_of};

/// Networks with more layers (repeats unrolled) are not searched.
pub(crate) const MOST_LAYERS: u64 = 256;

/// A layer of the program.
pub type LayerId = usize;

/// An edit along one axis: a layer, one of its attributes, the new value.
pub type AxisEdit = (LayerId, Attribute, Value);

/// What a layer does to the size of one axis.
#[derive(Clone, Debug, PartialEq)]
pub enum Rule {
    /// Nothing.
    Keep,
    /// A sliding window; a pooling's padding is at most half of it.
    Slide(Axis, bool),
    /// The same, with its sizes kept for an `unpool`.
    MaxPool(Axis, Option<String>),
    /// A transposed convolution.
    Spread(Axis),
    /// Repeats.
    Times(i64),
    /// Zeros around, or (below 0) rows cut away.
    Grow(i64),
    /// A given size from any.
    To(i64),
    /// A vector from a tensor.
    Vector,
    /// A vector from a vector.
    Dense,
    /// A given size; 0 is a vector.
    Shape(i64),
    /// Back to before the paired pooling.
    Unpool(Option<String>),
    /// Impossible.
    Never,
}

/// A max pooling that ran.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Ran {
    name: Option<String>,
    input: i64,
    output: i64,
    open: bool,
}

/// The size of an axis on its way (0 in a vector), with the poolings so far.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct State {
    /// Positions along the axis.
    pub size: i64,
    pools: Vec<Ran>,
}

impl State {
    /// At the input.
    pub fn start(size: i64) -> State {
        State {
            size,
            pools: Vec::new(),
        }
    }

    /// The sizes of the latest pooling: with the size all that differs after one layer.
    pub fn pools(&self) -> (i64, i64) {
        self.pools
            .last()
            .map_or((0, 0), |ran| (ran.input, ran.output))
    }

    fn of(self, size: i64) -> State {
        State { size, ..self }
    }

    /// The latest pooling of this name, or the latest without an unpool; it is taken then.
    fn pair(&mut self, name: Option<&str>) -> Option<(i64, i64)> {
        let fits = |ran: &Ran| match name {
            None => ran.open,
            Some(name) => ran.name.as_deref() == Some(name),
        };
        let at = self.pools.iter().rposition(fits)?;
        let ran = self.pools.get_mut(at)?;
        ran.open = false;
        let sizes = (ran.input, ran.output);
        if ran.name.is_none() {
            self.pools.remove(at);
        }
        Some(sizes)
    }
}

/// A node of the program.
#[derive(Clone, Debug)]
pub enum Item {
    /// A layer.
    Layer(LayerId),
    /// Branches that have to end in one size.
    Branches(Vec<Vec<Item>>),
    /// The items so many times.
    Repeat(u32, Vec<Item>),
}

/// Encoder and decoder (without a decoder, the head) one after the other, as far as sizes are concerned.
#[derive(Clone, Debug)]
pub struct Program {
    /// The nodes of both stacks in their order.
    pub items: Vec<Item>,
    /// Every layer with its place; a gap is an `identity` at the place where a margin would be inserted.
    pub layers: Vec<(Place, Layer)>,
    /// Of the layers that are gaps the other places where a margin makes the same sizes, the earliest first.
    gaps: Vec<Option<Vec<Place>>>,
    /// Positions that a margin in a gap adds or cuts away at most; 0: there are no gaps.
    most_margin: u32,
    /// Axes of the input.
    rank: usize,
    /// Whether sizes of poolings are needed later.
    unpools: bool,
}

impl Program {
    /// The program of a network, with gaps for margins of up to so many cells; `None` when a layer cannot be read
    /// or there are too many.
    pub fn new(network: &Network, most_margin: u32) -> Option<Program> {
        let second = match network.decoder.is_empty() {
            true => Stack::Head,
            false => Stack::Decoder,
        };
        let all = network.encoder.iter().chain(network.stack(second));
        let count = all.fold(0u64, |sum, node| sum.saturating_add(unrolled(node)));
        if count > MOST_LAYERS {
            return None;
        }
        let mut program = Program {
            items: Vec::new(),
            layers: Vec::new(),
            gaps: Vec::new(),
            most_margin,
            rank: network.input.rank(),
            unpools: false,
        };
        for stack in [Stack::Encoder, second] {
            let path = Vec::new();
            let above = Place { stack, path };
            let items = program.items(network.stack(stack), &above, 0)?;
            program.items.extend(items);
            // The last gap of the encoder stands for the start of the decoder as well.
            let last = program.gaps.iter_mut().flatten().next_back();
            if let (Stack::Encoder, Stack::Decoder, Some(others)) = (stack, second, last) {
                others.push(Place::new(Stack::Decoder, 0));
            }
        }
        program.unpools = program
            .layers
            .iter()
            .any(|(_, layer)| layer.kind == Kind::Unpool);
        Some(program)
    }

    /// Whether this is a place for a margin instead of a layer.
    pub(crate) fn is_gap(&self, id: LayerId) -> bool {
        self.other_places(id).is_some()
    }

    /// Of a gap the other places where a margin makes the same sizes, the earliest first; `None` of a layer.
    pub(crate) fn other_places(&self, id: LayerId) -> Option<&[Place]> {
        self.gaps.get(id)?.as_deref()
    }

    /// The nodes, with a gap before the first one, after the last one and between two that may change the size.
    fn items(&mut self, nodes: &[Node], above: &Place, depth: usize) -> Option<Vec<Item>> {
        if depth > MAX_DEPTH {
            return None;
        }
        let mut items = Vec::with_capacity(nodes.len());
        let mut changed = above.stack == Stack::Encoder || depth > 0 || nodes.is_empty();
        // Where the nodes begin that have kept the size up to here.
        let mut kept_from = 0;
        for (index, node) in nodes.iter().enumerate() {
            let keeps = self.keeps_size(node);
            if changed && (!keeps || index == 0) {
                items.extend(self.gap(above, index, kept_from));
                changed = false;
            }
            items.push(self.item(node, &above.child(&[index]), depth)?);
            changed |= !keeps;
            kept_from = if keeps { kept_from } else { index + 1 };
        }
        if changed {
            items.extend(self.gap(above, nodes.len(), kept_from));
        }
        Some(items)
    }

    /// A gap before the node at `index`, of which those from `kept_from` on keep the size.
    fn gap(&mut self, above: &Place, index: usize, kept_from: usize) -> Option<Item> {
        if self.most_margin == 0 || above.stack == Stack::Head {
            return None;
        }
        let kind = Kind::Identity;
        let earlier = (kept_from < index).then(|| above.child(&[kept_from]));
        let others = Some(earlier.into_iter().collect());
        self.add(above.child(&[index]), Layer { kind, name: None }, others)
    }

    fn add(&mut self, place: Place, layer: Layer, gap: Option<Vec<Place>>) -> Option<Item> {
        self.layers.push((place, layer));
        self.gaps.push(gap);
        Some(Item::Layer(self.layers.len() - 1))
    }

    /// Whether a margin behind the node does what one before it does.
    fn keeps_size(&self, node: &Node) -> bool {
        let Node::Layer(layer) = node else {
            return false;
        };
        let along = |axis: usize| {
            let Some(axis) = axis_of(&layer.kind, self.rank, axis) else {
                return false;
            };
            axis.stride == 1 && axis.pad.is_none_or(|pad| 2 * pad == axis.span() - 1)
        };
        match layer.kind.shaping() {
            Shaping::Keeps => true,
            Shaping::Slides { .. } => (0..self.rank).all(along),
            Shaping::Spreads { .. }
            | Shaping::Unpools
            | Shaping::Scales(_)
            | Shaping::AdaptsTo(_)
            | Shaping::Grows(_)
            | Shaping::Shrinks(_)
            | Shaping::Pools
            | Shaping::Flattens
            | Shaping::Features(_)
            | Shaping::Reshapes(_) => false,
        }
    }

    fn item(&mut self, node: &Node, place: &Place, depth: usize) -> Option<Item> {
        match node {
            Node::Layer(layer) => self.add(place.clone(), layer.clone(), None),
            Node::Broken { .. } => None,
            Node::Add(branches) | Node::Concat(branches) => {
                let branch = |(at, nodes): (usize, &Vec<Node>)| {
                    self.items(nodes, &place.child(&[at]), depth + 1)
                };
                Some(Item::Branches(
                    branches
                        .iter()
                        .enumerate()
                        .map(branch)
                        .collect::<Option<_>>()?,
                ))
            }
            Node::Repeat { times, layers } => Some(Item::Repeat(
                *times,
                self.items(layers, &place.child(&[0]), depth + 1)?,
            )),
        }
    }
}

/// The program along one axis.
#[derive(Clone, Debug)]
pub struct AxisProgram<'a> {
    /// The whole.
    pub program: &'a Program,
    /// Axes of the input.
    rank: usize,
    /// Which of them this is.
    pub axis: usize,
    /// What every layer does unchanged.
    pub rules: Vec<Rule>,
    /// Larger sizes are not followed.
    most: i64,
}

impl<'a> AxisProgram<'a> {
    /// The program along this axis of an input with `rank` axes.
    pub fn new(program: &'a Program, rank: usize, axis: usize, most: i64) -> AxisProgram<'a> {
        let rules = program
            .layers
            .iter()
            .map(|(_, layer)| rule(&layer.kind, layer.name.as_deref(), rank, axis));
        AxisProgram {
            program,
            rank,
            axis,
            rules: rules.collect(),
            most,
        }
    }

    /// The attributes of a layer that change its size, with the values to try.
    pub fn choices(&self, id: LayerId) -> Vec<(Attribute, Vec<Value>)> {
        let Some((_, layer)) = self.program.layers.get(id) else {
            return Vec::new();
        };
        if self.program.is_gap(id) {
            let margins = inserted_margins(self.program.most_margin);
            return vec![(Attribute::Margin, margins)];
        }
        let values = |attribute: &Attribute| {
            (
                *attribute,
                domain(&layer.kind, self.rank, self.axis, *attribute),
            )
        };
        attributes(&layer.kind).iter().map(values).collect()
    }

    /// What a layer does after these edits of it.
    pub(crate) fn rule_with(&self, id: LayerId, edits: &[AxisEdit]) -> Rule {
        let Some((_, layer)) = self.program.layers.get(id) else {
            return Rule::Never;
        };
        let mut own = edits
            .iter()
            .filter(|(of, ..)| *of == id)
            .map(|(_, attribute, value)| (*attribute, *value));
        if self.program.is_gap(id) {
            return match own.next() {
                Some((_, Value::Size(cells))) => Rule::Grow(i64::from(cells)),
                Some((_, Value::Cut(cells))) => Rule::Grow(-i64::from(cells)),
                Some((_, Value::Same)) | None => Rule::Keep,
            };
        }
        match edited(&layer.kind, self.rank, self.axis, own) {
            Some(kind) => rule(&kind, layer.name.as_deref(), self.rank, self.axis),
            None => Rule::Never,
        }
    }

    /// The state after a layer's rule.
    pub fn step(&self, rule: &Rule, state: State) -> Option<State> {
        let size = state.size;
        let tensor = size > 0;
        let next = match rule {
            Rule::Keep => return Some(state),
            Rule::Slide(axis, pooling) => slid(axis, *pooling, size)?,
            Rule::MaxPool(axis, name) => {
                let output = slid(axis, true, size)?;
                let mut state = state;
                if self.program.unpools {
                    state.pools.push(Ran {
                        name: name.clone(),
                        input: size,
                        output,
                        open: true,
                    });
                }
                return self.within(state.of(output));
            }
            Rule::Spread(axis) => spread(axis, size)?,
            Rule::Times(factor) if tensor => size.checked_mul(*factor)?,
            Rule::Grow(by) if tensor => size.checked_add(*by)?,
            Rule::To(size) if tensor => *size,
            Rule::Vector => 0,
            Rule::Dense if !tensor => 0,
            Rule::Shape(size) => *size,
            Rule::Unpool(name) => {
                let mut state = state;
                let (input, output) = state.pair(name.as_deref())?;
                return (output == size).then(|| state.of(input));
            }
            _ => return None,
        };
        let vector = matches!(rule, Rule::Vector | Rule::Dense | Rule::Shape(0));
        if vector {
            Some(state.of(0))
        } else {
            self.within(state.of(next))
        }
    }

    fn within(&self, state: State) -> Option<State> {
        (1..=self.most).contains(&state.size).then_some(state)
    }

    /// The state after an item, where some layers have other rules.
    pub fn run(&self, item: &Item, state: State, other: &[(LayerId, Rule)]) -> Option<State> {
        match item {
            Item::Layer(id) => {
                let changed = other.iter().find(|(of, _)| of == id).map(|(_, rule)| rule);
                self.step(changed.or_else(|| self.rules.get(*id))?, state)
            }
            Item::Branches(branches) => self.meet(branches, state, other),
            Item::Repeat(times, items) => (0..*times)
                .try_fold(state, |state, _| self.run_all(items, state, other))
                .filter(|_| *times > 0),
        }
    }

    /// The state after items one after the other.
    pub(crate) fn run_all(
        &self,
        items: &[Item],
        state: State,
        other: &[(LayerId, Rule)],
    ) -> Option<State> {
        items
            .iter()
            .try_fold(state, |state, item| self.run(item, state, other))
    }

    fn meet(
        &self,
        branches: &[Vec<Item>],
        state: State,
        other: &[(LayerId, Rule)],
    ) -> Option<State> {
        let (start, mut pools, mut size) = (state.size, state.pools, None);
        for branch in branches {
            let end = self.run_all(branch, State { size: start, pools }, other)?;
            pools = end.pools;
            if *size.get_or_insert(end.size) != end.size {
                return None;
            }
        }
        size.map(|size| State { size, pools })
    }
}

fn slid(axis: &Axis, pooling: bool, size: i64) -> Option<i64> {
    let wide = pooling && axis.pad.unwrap_or(0) > axis.span() / 2;
    (size > 0 && !wide)
        .then(|| axis.slide(size).map(|fit| fit.size))
        .flatten()
}

fn spread(axis: &Axis, size: i64) -> Option<i64> {
    let op = axis.output_padding;
    let legal = op == 0 || (axis.pad.is_some() && op < axis.stride.max(axis.dilation));
    (size > 0 && legal).then(|| axis.spread(size).size)
}

fn rule(kind: &Kind, name: Option<&str>, rank: usize, axis: usize) -> Rule {
    let size = |sizes: Option<Vec<usize>>| {
        sizes.and_then(|sizes| sizes.get(axis).map(|&size| size as i64))
    };
    let name = || name.map(str::to_owned);
    let along = || axis_of(kind, rank, axis);
    let found = match kind.shaping() {
        Shaping::Keeps => Some(Rule::Keep),
        Shaping::Slides { by, .. } => along().map(|axis| match by {
            Slider::MaxPool => Rule::MaxPool(axis, name()),
            Slider::AvgPool => Rule::Slide(axis, true),
            Slider::Convolution => Rule::Slide(axis, false),
        }),
        Shaping::Spreads { .. } => along().map(Rule::Spread),
        Shaping::Unpools => Some(Rule::Unpool(name())),
        Shaping::Scales(factor) => size(factor.resolve(rank))
            .filter(|&f| f > 0)
            .map(Rule::Times),
        Shaping::AdaptsTo(output) => size(output.resolve(rank)).map(Rule::To),
        Shaping::Grows(margins) => total(margins.resolve(rank), axis).map(Rule::Grow),
        Shaping::Shrinks(margins) => total(margins.resolve(rank), axis).map(|by| Rule::Grow(-by)),
        Shaping::Flattens | Shaping::Pools => Some(Rule::Vector),
        Shaping::Features(_) => Some(Rule::Dense),
        Shaping::Reshapes(shape) if shape.is_vector() => Some(Rule::Shape(0)),
        Shaping::Reshapes(shape) if shape.rank() == rank => shape
            .spatial()
            .get(axis)
            .map(|&size| Rule::Shape(size as i64)),
        Shaping::Reshapes(_) => None,
    };
    found.unwrap_or(Rule::Never)
}

fn total(margins: Option<Vec<(usize, usize)>>, axis: usize) -> Option<i64> {
    margins?
        .get(axis)
        .map(|&(before, after)| (before + after) as i64)
}
