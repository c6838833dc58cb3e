//! The way of the tensor as one list of layers: through blocks along the branch that changes the size least, or, for
//! a drawing, along the one that changes it most.

use strata_core::project::{Network, Stack};
use strata_core::shape::axis_rule::AxisRule;
use strata_core::shape::propagate::{Item, Link, ShapePropagator};

/// The layers of encoder and decoder that were passed, in order; up to the first error, if there is one.
pub(crate) struct Chain {
    /// The layers.
    pub links: Vec<Link>,
    /// How many of them are the encoder's.
    pub code: usize,
    /// The block whose branches do not fit together, where that is what ended the way.
    pub broken: Option<Item>,
}

/// Which branch of a block the way takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    /// Past what happens inside, on the skip connection where there is one.
    Shortest,
    /// Down to where the size is least.
    Deepest,
}

/// What a layer does to one axis, if it matters there.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Change {
    /// The layer's index in the chain.
    pub link: usize,
    pub rule: AxisRule,
    pub before: i64,
    pub after: i64,
}

impl Chain {
    /// The chain of a network.
    pub fn of(network: &Network) -> Chain {
        Chain::along(network, Way::Shortest)
    }

    /// The chain of a network through the branches that change the size most.
    pub fn through_blocks(network: &Network) -> Chain {
        Chain::along(network, Way::Deepest)
    }

    fn along(network: &Network, way: Way) -> Chain {
        let mut through = ShapePropagator::default();
        let (mut encoder, mut decoder) = (Vec::new(), Vec::new());
        let code = through.stack(
            network,
            Stack::Encoder,
            network.input.clone(),
            Some(&mut encoder),
        );
        if let Some(code) = code {
            through.stack(network, Stack::Decoder, code, Some(&mut decoder));
        }
        let mut chain = Chain {
            links: Vec::new(),
            code: 0,
            broken: None,
        };
        chain.add(encoder, way);
        chain.code = chain.links.len();
        chain.add(decoder, way);
        chain
    }

    /// A chain of what was passed in one branch.
    pub(crate) fn of_branch(items: Vec<Item>) -> Chain {
        let mut chain = Chain {
            links: Vec::new(),
            code: usize::MAX,
            broken: None,
        };
        chain.add(items, Way::Shortest);
        chain
    }

    fn add(&mut self, items: Vec<Item>, way: Way) {
        for item in items {
            match item {
                Item::Layer(link) => self.links.push(link),
                Item::Branches {
                    place,
                    label,
                    input,
                    branches,
                    output: Some(output),
                    ..
                } => {
                    self.add(taken(branches, way), way);
                    let before = self.links.last().map_or(input, |link| link.after.clone());
                    if before != output {
                        let rules = vec![AxisRule::Same; output.rank()];
                        self.links.push(Link {
                            place,
                            text: label,
                            kind: None,
                            before,
                            after: output,
                            rules,
                        });
                    }
                }
                broken => self.broken = Some(broken),
            }
        }
    }

    /// The layers that matter to an axis, among some of them.
    pub fn changes(&self, axis: usize, links: std::ops::Range<usize>) -> Vec<Change> {
        let links = links.start.min(self.links.len())..links.end.min(self.links.len());
        let change = |link: usize| {
            let passed = &self.links[link];
            let rule = *passed.rules.get(axis)?;
            let (before, after) = (
                *passed.before.spatial().get(axis)? as i64,
                *passed.after.spatial().get(axis)? as i64,
            );
            rule.matters(before).then_some(Change {
                link,
                rule,
                before,
                after,
            })
        };
        links.filter_map(change).collect()
    }

    /// The first and the last layer where space ends or begins.
    pub fn cuts(&self) -> Option<(usize, usize)> {
        let is_cut = |link: &Link| link.rules.is_empty();
        Some((
            self.links.iter().position(is_cut)?,
            self.links.iter().rposition(is_cut)?,
        ))
    }
}

/// The branch that the way takes; the first of equals.
fn taken(branches: Vec<Vec<Item>>, way: Way) -> Vec<Item> {
    let key = |branch: &Vec<Item>| match way {
        Way::Shortest => changes_in(branch),
        Way::Deepest => usize::MAX - most_changes_in(branch),
    };
    branches.into_iter().min_by_key(key).unwrap_or_default()
}

/// How many layers of a branch change the size of some axis, along the branches within it that do so least.
pub(crate) fn changes_in(items: &[Item]) -> usize {
    count_changes(items, |counts| counts.min())
}

/// The same along the branches that do so most.
fn most_changes_in(items: &[Item]) -> usize {
    count_changes(items, |counts| counts.max())
}

fn count_changes(
    items: &[Item],
    choose: fn(&mut dyn Iterator<Item = usize>) -> Option<usize>,
) -> usize {
    let matters = |link: &Link| {
        let sizes = link.before.spatial();
        link.rules.is_empty()
            || link
                .rules
                .iter()
                .zip(sizes)
                .any(|(rule, &size)| rule.matters(size as i64))
    };
    let count = |item: &Item| match item {
        Item::Layer(link) => usize::from(matters(link)),
        Item::Branches { branches, .. } => {
            let mut counts = branches.iter().map(|branch| count_changes(branch, choose));
            choose(&mut counts).unwrap_or(0)
        }
    };
    items.iter().map(count).sum()
}
