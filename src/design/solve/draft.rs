//! A network on its way to a solution: the edits made so far, whether it is one, and how good.

use super::attribute::{Attribute, Value, current, margins, write};
use super::effort::{margin_effort, weights_of};
use super::search::ANY_SIZE;
use super::symmetry::asymmetry;
use super::{Change, Solution};
use crate::checkerboard;
use crate::constant_borders::{output_note, unreached_output};
use std::rc::Rc;
use strata_core::project::layer::Kind;
use strata_core::project::node::Node;
use strata_core::project::size::Axes;
use strata_core::project::{Network, Place, Stack};
use strata_core::shape::field::Unreached;
use strata_core::shape::infer::{Inference, infer};

/// What a draft has to meet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Goal {
    /// The decoder's output has the input's shape; the head has no more errors than this.
    InputsShape(usize),
    /// No layer has an error.
    NoError,
}

impl Goal {
    /// The goal of a network: without a decoder, that there is no error.
    pub fn of(network: &Network, inference: &Inference) -> Goal {
        match network.decoder.is_empty() {
            true => Goal::NoError,
            false => Goal::InputsShape(head_errors(inference)),
        }
    }

    /// The size that an axis has to end with.
    pub fn size(self, input: i64) -> i64 {
        match self {
            Goal::InputsShape(_) => input,
            Goal::NoError => ANY_SIZE,
        }
    }

    /// Whether inference confirms it.
    pub(crate) fn is_met(self, inference: &Inference) -> bool {
        match self {
            Goal::InputsShape(errors) => {
                inference.output_equals_input == Some(true) && head_errors(inference) <= errors
            }
            Goal::NoError => inference.errors().next().is_none(),
        }
    }
}

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
    /// Margins among the inserted layers.
    margins: u32,
    /// Leaps that do not count: margins where people put them, at the end of a branch or around the network.
    pub forgiven: u32,
    /// How much the numbers moved, weighted by how deep the change goes.
    effort: u32,
    /// Edits that move a number far, and inserted margins: they make sizes equal that have little to do with each
    /// other.
    leaps: u32,
    /// The blocks of the first network whose branches do not meet.
    wrong: Rc<[Place]>,
    /// The same with its margins earlier: for where this one has constant rows.
    pub instead: Option<Rc<Draft>>,
    /// What inference says of it, once it is confirmed.
    judged: Judged,
}

/// What a confirmed draft is judged by.
#[derive(Clone, Debug, Default)]
struct Judged {
    unreached: Vec<Unreached>,
    uneven: Vec<Place>,
    has_transposed: bool,
}

impl Draft {
    /// The network as it is.
    pub fn new(network: &Network) -> Draft {
        Draft {
            network: network.clone(),
            changes: Vec::new(),
            edits: 0,
            inserted: 0,
            forgiven: 0,
            margins: 0,
            effort: 0,
            leaps: 0,
            wrong: Rc::default(),
            instead: None,
            judged: Judged::default(),
        }
    }

    /// The network as it is, where the branches of these blocks do not meet.
    pub(crate) fn with_wrong(network: &Network, wrong: &[Place]) -> Draft {
        Draft {
            wrong: wrong.into(),
            ..Draft::new(network)
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
    pub(crate) fn prepend(self, stack: Stack, text: &str) -> Draft {
        let place = Place::new(stack, 0);
        match self.clone().insert(&place, Node::from_text(text)) {
            Some(made) => made,
            None => self,
        }
    }

    /// Puts a node at a place; what is there and behind it moves on by one.
    pub fn insert(mut self, place: &Place, node: Node) -> Option<Draft> {
        let (list, index) = self.network.siblings_mut(place)?;
        if index > list.len() {
            return None;
        }
        list.insert(index, node.clone());
        for change in &mut self.changes {
            change.place = change.place.after_insert(place);
        }
        Some(self.inserted(place.clone(), node))
    }

    /// Inserts what these values of a gap say: a `pad`, a `crop`, or where axes differ both.
    pub(crate) fn insert_margins(self, place: &Place, values: &[Option<Value>]) -> Option<Draft> {
        let cells = |value: &Option<Value>| match value {
            Some(Value::Size(cells)) => i64::from(*cells),
            Some(Value::Cut(cells)) => -i64::from(*cells),
            Some(Value::Same) | None => 0,
        };
        self.insert_cells(place, &values.iter().map(cells).collect::<Vec<_>>())
    }

    /// Inserts a `pad` for axes with more positions, and a `crop` for those with fewer.
    pub(crate) fn insert_cells(self, place: &Place, cells: &[i64]) -> Option<Draft> {
        let sides = |sign: i64| -> Vec<(u32, u32)> {
            let side = |&by: &i64| {
                let by = u32::try_from((sign * by).max(0)).unwrap_or(u32::MAX);
                (by / 2, by - by / 2)
            };
            cells.iter().map(side).collect()
        };
        let mut made = self;
        for (word, sides) in [("pad", sides(1)), ("crop", sides(-1))] {
            if sides.iter().any(|&side| side != (0, 0)) {
                let text = format!("{word} {}", margins(&sides));
                made = made.insert(place, Node::from_text(&text))?;
                let far = sides.iter().map(|(before, after)| before + after).max();
                made.leaps += 1;
                made.margins += 1;
                made.effort = made.effort.saturating_add(margin_effort(far.unwrap_or(0)));
            }
        }
        Some(made)
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

    /// The draft with what inference says of it, if it meets the goal.
    pub fn confirmed(mut self, goal: Goal) -> Option<Draft> {
        let inference = infer(&self.network);
        if !goal.is_met(&inference) {
            return None;
        }
        self.judged = Judged {
            unreached: unreached_output(&inference),
            uneven: checkerboard::uneven(&inference),
            has_transposed: checkerboard::has_transposed(&inference),
        };
        Some(self)
    }

    /// The draft if it meets the goal, and where it has constant rows the same with earlier margins if that has none.
    pub(crate) fn confirmed_with_instead(mut self, goal: Goal) -> impl Iterator<Item = Draft> {
        let instead = self.instead.take();
        let own = self.confirmed(goal);
        let is_clean = own.as_ref().is_some_and(|own| !own.has_constant_rows());
        let instead = instead.filter(|_| !is_clean).map(Rc::unwrap_or_clone);
        let instead = instead.and_then(|draft| draft.confirmed(goal));
        let instead = instead.filter(|draft| !draft.has_constant_rows());
        own.into_iter().chain(instead)
    }

    /// Whether a changed layer skips positions that it read, or would have written, before.
    pub(crate) fn skips_cells(&self) -> bool {
        let skips = |node: &Option<Node>| match node {
            Some(Node::Layer(layer)) => skips(&layer.kind),
            Some(Node::Repeat { .. } | Node::Add(_) | Node::Concat(_) | Node::Broken { .. })
            | None => false,
        };
        self.changes
            .iter()
            .any(|change| change.from.is_some() && skips(&change.to) && !skips(&change.from))
    }

    /// Whether rows or columns of the output are the same whatever the input is.
    pub(crate) fn has_constant_rows(&self) -> bool {
        !self.judged.unreached.is_empty()
    }

    /// Its edits, where a number that moves far (a kernel from 3 to 7, which makes up for rows that another layer
    /// lost) and an inserted margin count twice, and rows that no input reaches, cells that are skipped, and margins
    /// that only make up for what is wrong elsewhere as three edits more. How long it is worth looking for better
    /// ones.
    pub fn weight(&self) -> u32 {
        let is_makeshift = self.margins > self.forgiven;
        let is_poor = self.has_constant_rows() || self.skips_cells() || is_makeshift;
        self.edits + self.far() + 3 * u32::from(is_poor)
    }

    /// Edits that move a number far, and margins but those that are usual where they are.
    fn far(&self) -> u32 {
        self.leaps.saturating_sub(self.forgiven)
    }

    /// What sorts drafts, the best first: those that are not marked (without constant rows, without cells that are
    /// skipped), few edits, and then how much they are: without leaps, changes in the blocks that do not meet, the
    /// encoder as it is, the decoder the encoder's mirror, kernels that the strides divide, small moves. Of two that
    /// are alike in all of it the one stays first that was found first.
    pub fn rank(&self) -> [u32; 9] {
        let encoder = |change: &&Change| change.place.stack == Stack::Encoder;
        [
            2 * u32::from(self.has_constant_rows()) + u32::from(self.skips_cells()),
            self.edits,
            self.far(),
            self.strays(),
            self.inserted,
            self.changes.iter().filter(encoder).count() as u32,
            asymmetry(&self.network),
            self.judged.uneven.len() as u32,
            self.effort,
        ]
    }

    /// Changes outside of the blocks that do not meet.
    fn strays(&self) -> u32 {
        let is_inside = |change: &Change| {
            let inside = |block: &Place| {
                block.stack == change.place.stack && change.place.path.starts_with(&block.path)
            };
            self.wrong.is_empty() || self.wrong.iter().any(inside)
        };
        self.changes
            .iter()
            .filter(|change| !is_inside(change))
            .count() as u32
    }

    /// What is changed, without the values.
    pub(crate) fn kind_of_change(&self) -> Vec<(Place, bool)> {
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
            unreached: self.judged.unreached,
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
        let mut parts: Vec<String> = output_note(&self.judged.unreached).into_iter().collect();
        if self.skips_cells() {
            parts.push("skips cells: a stride is larger than its kernel".to_owned());
        }
        if parts.is_empty() && self.adds("pad ") {
            parts.push("fills a border with zeros".to_owned());
        }
        if self.adds("crop ") {
            parts.push("computes a border that is cut away".to_owned());
        }
        if !self.network.decoder.is_empty() && asymmetry(&self.network) == 0 {
            parts.push("the decoder mirrors the encoder".to_owned());
        }
        match self.judged.uneven.as_slice() {
            [] if self.judged.has_transposed => parts.push("no checkerboard".to_owned()),
            [] => {}
            [place, ..] if self.is_dilated(place) => parts.push(format!(
                "checkerboard: stride and dilation leave outputs with fewer taps at {place}"
            )),
            [place, ..] => parts.push(format!(
                "checkerboard: the stride does not divide the kernel at {place}"
            )),
        }
        parts.join(" · ")
    }

    fn is_dilated(&self, place: &Place) -> bool {
        let Some(Node::Layer(layer)) = self.network.node(place) else {
            return false;
        };
        let one = |dilation: &Axes| dilation.sizes().iter().all(|&size| size == 1);
        let dilation = layer
            .kind
            .window()
            .and_then(|window| window.dilation.as_ref());
        dilation.is_some_and(|dilation| !one(dilation))
    }

    fn adds(&self, word: &str) -> bool {
        let starts = |node: &Node| node.text().starts_with(word);
        self.changes
            .iter()
            .any(|change| change.from.is_none() && change.to.as_ref().is_some_and(starts))
    }
}

/// Whether neighbouring windows leave positions between them.
pub fn skips(kind: &Kind) -> bool {
    let axis_skips =
        |axis| size_of(kind, axis, Attribute::Kernel) < size_of(kind, axis, Attribute::Stride);
    kind.window().is_some() && (0..3).any(axis_skips)
}

/// An attribute along one of up to three axes, whatever the rank: one number sets all of them.
pub fn value_of(kind: &Kind, axis: usize, attribute: Attribute) -> Option<Value> {
    (1..=3).find_map(|rank| current(kind, rank, axis.min(rank - 1), attribute))
}

fn size_of(kind: &Kind, axis: usize, attribute: Attribute) -> u32 {
    match value_of(kind, axis, attribute) {
        Some(Value::Size(size)) => size,
        Some(Value::Same | Value::Cut(_)) | None => 1,
    }
}

pub(crate) fn head_errors(inference: &Inference) -> usize {
    inference
        .errors()
        .filter(|(row, _)| row.place.stack == Stack::Head)
        .count()
}

fn is_idle(node: &Node) -> bool {
    matches!(node.text().as_str(), "pad 0" | "crop 0" | "upsample 1")
}
