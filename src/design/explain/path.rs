//! The path through the stack as a drawing needs it: steps down on one side, steps up on the other, each next to
//! the one that undoes it.

use super::Cause;
use super::causes::{self, Paired};
use super::chain::Chain;
use strata_core::project::node::Node;
use strata_core::project::size::Shape;
use strata_core::project::{Network, Place, Stack};
use strata_core::shape::propagate::Link;

/// The place of a step in the drawing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// On the way from the input to the code.
    Down,
    /// Where there is no image: `flatten`, `dense`, `reshape`.
    Bottom,
    /// On the way from the code to the output.
    Up,
}

/// A layer that the size depends on.
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    /// Where it is.
    pub place: Place,
    /// Its text.
    pub text: String,
    /// The shape it gets.
    pub before: Shape,
    /// Its output shape.
    pub after: Shape,
    /// Positions that its stride rounds away, by axis: (n + 2p − span) mod s.
    pub dropped: Vec<u64>,
    /// The layer that undoes it, or that it undoes.
    pub partner: Option<Place>,
    /// Whether it is a cause of the difference.
    pub culprit: bool,
    /// Whether its size differs from the one that its partner had.
    pub wrong: bool,
    /// On which side it is.
    pub side: Side,
    /// In which row, counted from input and output; partners are in the same.
    pub row: usize,
    /// The block of branches that it is in, where another branch leads past it: `add`, `concat`.
    pub block: Option<&'static str>,
}

/// The steps of a network without an error: into its blocks as far as the size changes there, unless a cause lies on
/// the way past them.
pub(crate) fn of_network(
    network: &Network,
    chain: &Chain,
    paired: &Paired,
    causes: &[Cause],
) -> Vec<Step> {
    let deep = Chain::through_blocks(network);
    let passes = |cause: &Cause| deep.links.iter().any(|link| link.place == cause.place);
    if causes.iter().all(passes) {
        steps(&deep, &causes::pairs(&deep, paired.axis), causes)
    } else {
        steps(chain, paired, causes)
    }
}

/// Says of every step in which block of branches it is.
pub(crate) fn name_blocks(network: &Network, path: &mut [Step]) {
    for step in path {
        step.block = block_of(network, &step.place);
    }
}

/// The word of the innermost block of branches around a layer.
fn block_of(network: &Network, place: &Place) -> Option<&'static str> {
    let word = |block: &Place| match network.node(block)? {
        Node::Add(_) => Some("add"),
        Node::Concat(_) => Some("concat"),
        Node::Layer(_) | Node::Broken { .. } | Node::Repeat { .. } => None,
    };
    place.enclosing_blocks().iter().rev().find_map(word)
}

/// The steps of a chain in the order they run.
pub(crate) fn steps(chain: &Chain, paired: &Paired, causes: &[Cause]) -> Vec<Step> {
    let rows = paired.pairs.len();
    let mut steps: Vec<(usize, Step)> = Vec::new();
    for (at, pair) in paired.pairs.iter().enumerate() {
        let (down, up) = (&paired.down[pair.down.clone()], &paired.up[pair.up.clone()]);
        let link = |change: Option<&super::chain::Change>| {
            change.and_then(|change| chain.links.get(change.link))
        };
        let (start, undo) = (link(down.first()), link(up.first()));
        for change in down {
            steps.extend(step(chain, change.link, undo, Side::Down, rows - 1 - at));
        }
        for (nth, change) in up.iter().enumerate() {
            let mut made = step(chain, change.link, start, Side::Up, rows - 1 - at);
            if let (Some((_, step)), Some(start)) =
                (&mut made, start.filter(|_| nth + 1 == up.len()))
            {
                step.wrong = step.after.spatial() != start.before.spatial();
            }
            steps.extend(made);
        }
    }
    let bottom = chain
        .links
        .iter()
        .enumerate()
        .filter(|(_, link)| link.rules.is_empty());
    steps.extend(bottom.filter_map(|(link, _)| step(chain, link, None, Side::Bottom, rows)));
    add_culprits(chain, causes, rows, &mut steps);
    steps.sort_by_key(|(link, _)| *link);
    steps.into_iter().map(|(_, step)| step).collect()
}

fn step(
    chain: &Chain,
    at: usize,
    partner: Option<&Link>,
    side: Side,
    row: usize,
) -> Option<(usize, Step)> {
    let link = chain.links.get(at)?;
    let sizes = link.before.spatial().iter();
    let dropped = link
        .rules
        .iter()
        .zip(sizes)
        .map(|(rule, &size)| rule.remainder(size as i64) as u64)
        .collect();
    let step = Step {
        place: link.place.clone(),
        text: link.text.clone(),
        before: link.before.clone(),
        after: link.after.clone(),
        dropped,
        partner: partner.map(|link| link.place.clone()),
        culprit: false,
        wrong: false,
        side,
        row,
        block: None,
    };
    Some((at, step))
}

/// Marks the causes, and adds those of no pair of this axis: the layer with the wrong channels.
fn add_culprits(chain: &Chain, causes: &[Cause], rows: usize, steps: &mut Vec<(usize, Step)>) {
    for cause in causes {
        if !steps.iter().any(|(_, step)| step.place == cause.place) {
            let at = chain
                .links
                .iter()
                .rposition(|link| link.place == cause.place);
            let (side, row) = match cause.place.stack {
                Stack::Encoder => (Side::Down, rows.saturating_sub(1)),
                _ => (Side::Up, 0),
            };
            steps.extend(at.and_then(|at| step(chain, at, None, side, row)));
        }
        for (_, step) in steps
            .iter_mut()
            .filter(|(_, step)| step.place == cause.place)
        {
            step.culprit = true;
            step.wrong |= step.side == Side::Up;
        }
    }
}
