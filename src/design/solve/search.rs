//! The search along one axis: which few edits lead from the input's size to the wanted one.
//!
//! A state is a place in the program, a size there and how many edits are left; whether it leads to
//! the wanted size is found out once. Many edits lead to few sizes, so that three edits among thirty
//! layers are some ten thousand states. The search is complete within the values that
//! [`super::attribute::domain`] tries, but inside of branches, where it is sought which layer
//! of a branch is to be changed so that all end in one size, and for what was cut for want of time.

use super::attribute::Value;
use super::axis::{AxisEdit, AxisProgram, Item, LayerId, Rule, State};
use foldhash::HashMap;
use std::collections::BTreeSet;
use std::rc::Rc;

/// Attributes of one layer that are changed together, at most.
const MOST_OF_A_LAYER: u8 = 3;
/// Rules that are applied before the search is cut.
const MOST_WORK: u64 = 200_000;
/// Solutions along one axis that are kept.
const MOST_FOUND: usize = 1_000;
/// Ways to mend one branch that are kept.
const MENDED: usize = 12;
/// The wanted size where every size will do that is possible at all.
pub(crate) const ANY_SIZE: i64 = -1;

/// A way through an item: how many edits, the state after it, the edits.
#[derive(Clone)]
struct Way {
    cost: u8,
    end: State,
    edits: Rc<[AxisEdit]>,
}

/// A layer with other values: how many edits, what it does then, the edits.
struct Variant {
    cost: u8,
    rule: Rule,
    edits: Rc<[AxisEdit]>,
}

/// A question: from this state, before this item of these, to this size with so many edits?
#[derive(Clone, PartialEq, Eq, Hash)]
struct Question {
    /// Items stay where they are while they are searched, so their address names them.
    items: usize,
    at: usize,
    left: u8,
    target: i64,
    state: State,
}

/// A search along one axis.
pub struct Search<'a> {
    axis: &'a AxisProgram<'a>,
    locked: &'a [bool],
    variants: HashMap<(LayerId, u8), Rc<Vec<Variant>>>,
    ways: HashMap<(usize, u8, State), Rc<Vec<Way>>>,
    known: HashMap<Question, bool>,
    work: u64,
    /// Whether something was left out for want of time.
    pub cut: bool,
}

/// What has been collected so far.
struct Collected {
    target: i64,
    most: usize,
    made: Vec<AxisEdit>,
    found: Vec<Vec<AxisEdit>>,
}

impl<'a> Search<'a> {
    /// A search in a program of which some layers stay as they are.
    pub fn new(axis: &'a AxisProgram<'a>, locked: &'a [bool]) -> Search<'a> {
        let (variants, ways, known) = (HashMap::default(), HashMap::default(), HashMap::default());
        Search {
            axis,
            locked,
            variants,
            ways,
            known,
            work: 0,
            cut: false,
        }
    }

    /// All ways from a size to another with at most so many edits, those of late layers first.
    pub fn solve(
        &mut self,
        items: &'a [Item],
        start: State,
        target: i64,
        edits: u8,
    ) -> Vec<Vec<AxisEdit>> {
        let found = self.some(items, start, target, edits, MOST_FOUND);
        self.cut |= found.len() >= MOST_FOUND;
        found
    }

    fn some(
        &mut self,
        items: &'a [Item],
        start: State,
        target: i64,
        left: u8,
        most: usize,
    ) -> Vec<Vec<AxisEdit>> {
        let mut collected = Collected {
            target,
            most,
            made: Vec::new(),
            found: Vec::new(),
        };
        self.collect(items, 0, start, left, &mut collected);
        collected.found
    }

    /// Whether the wanted size can still be reached from a state before the item at `at`.
    fn reaches(
        &mut self,
        items: &'a [Item],
        at: usize,
        state: State,
        target: i64,
        left: u8,
    ) -> bool {
        let Some(item) = items.get(at) else {
            return state.size == target || target == ANY_SIZE;
        };
        let question = Question {
            items: items.as_ptr().addr(),
            at,
            left,
            target,
            state,
        };
        if let Some(known) = self.known.get(&question) {
            return *known;
        }
        self.work += 1;
        if self.work > MOST_WORK {
            self.cut = true;
            return false;
        }
        let state = &question.state;
        let unchanged = self.axis.run(item, state.clone(), &[]);
        let mut reaches =
            unchanged.is_some_and(|next| self.reaches(items, at + 1, next, target, left));
        if !reaches && left > 0 {
            // Many edits of one layer lead to the same size; the cheapest of them is kept.
            let mut tried = BTreeSet::new();
            let ways = self.ways(item, state, left);
            reaches = ways.iter().any(|way| {
                let same = matches!(item, Item::Layer(_))
                    && !tried.insert((way.end.size, way.end.pools()));
                !same && self.reaches(items, at + 1, way.end.clone(), target, left - way.cost)
            });
        }
        self.known.insert(question, reaches);
        reaches
    }

    fn collect(
        &mut self,
        items: &'a [Item],
        at: usize,
        state: State,
        left: u8,
        collected: &mut Collected,
    ) {
        if collected.found.len() >= collected.most {
            return;
        }
        if !self.reaches(items, at, state.clone(), collected.target, left) {
            return;
        }
        let Some(item) = items.get(at) else {
            return collected.found.push(collected.made.clone());
        };
        if let Some(next) = self.axis.run(item, state.clone(), &[]) {
            self.collect(items, at + 1, next, left, collected);
        }
        let ways = if left > 0 {
            self.ways(item, &state, left)
        } else {
            Rc::default()
        };
        for way in ways.iter() {
            let before = collected.made.len();
            collected.made.extend(way.edits.iter());
            self.collect(items, at + 1, way.end.clone(), left - way.cost, collected);
            collected.made.truncate(before);
        }
    }

    /// The ways through an item with at least one edit, the cheapest first.
    fn ways(&mut self, item: &'a Item, state: &State, left: u8) -> Rc<Vec<Way>> {
        if let Item::Layer(id) = item {
            return Rc::new(self.layer_ways(*id, state, left));
        }
        let key = (std::ptr::from_ref(item).addr(), left, state.clone());
        if let Some(ways) = self.ways.get(&key) {
            return ways.clone();
        }
        let ways = Rc::new(self.block_ways(item, state, left));
        self.ways.insert(key, ways.clone());
        ways
    }

    fn layer_ways(&mut self, id: LayerId, state: &State, left: u8) -> Vec<Way> {
        let variants = self.variants(id, left);
        self.work += variants.len() as u64;
        let way = |variant: &Variant| {
            let end = self.axis.step(&variant.rule, state.clone())?;
            Some(Way {
                cost: variant.cost,
                end,
                edits: variant.edits.clone(),
            })
        };
        variants.iter().filter_map(way).collect()
    }

    /// One layer of a block changed; and branches that end in different sizes brought to one of them.
    fn block_ways(&mut self, item: &'a Item, state: &State, left: u8) -> Vec<Way> {
        let mut ways = match item {
            Item::Branches(branches) if self.axis.run(item, state.clone(), &[]).is_none() => {
                self.mended(item, branches, state, left)
            }
            _ => Vec::new(),
        };
        for id in layers_of(item) {
            let variants = self.variants(id, left.min(2));
            self.work += variants.len() as u64;
            for variant in variants.iter() {
                let end = self
                    .axis
                    .run(item, state.clone(), &[(id, variant.rule.clone())]);
                ways.extend(end.map(|end| Way {
                    cost: variant.cost,
                    end,
                    edits: variant.edits.clone(),
                }));
            }
        }
        ways.sort_by_key(|way| way.cost);
        ways
    }

    fn mended(
        &mut self,
        item: &'a Item,
        branches: &'a [Vec<Item>],
        state: &State,
        left: u8,
    ) -> Vec<Way> {
        let ends: Vec<Option<i64>> = branches
            .iter()
            .map(|branch| Some(self.axis.run_all(branch, state.clone(), &[])?.size))
            .collect();
        let targets: BTreeSet<i64> = ends.iter().flatten().copied().collect();
        let mut ways = Vec::new();
        for target in targets {
            let mut made: Vec<Vec<AxisEdit>> = vec![Vec::new()];
            for (branch, _) in branches
                .iter()
                .zip(&ends)
                .filter(|(_, end)| **end != Some(target))
            {
                let fewest =
                    (1..=left).map(|edits| self.some(branch, state.clone(), target, edits, MENDED));
                let mends = fewest
                    .into_iter()
                    .find(|found| !found.is_empty())
                    .unwrap_or_default();
                let joined = |before: &Vec<AxisEdit>, mend: &Vec<AxisEdit>| {
                    [before.as_slice(), mend].concat()
                };
                made = made
                    .iter()
                    .flat_map(|before| mends.iter().map(move |mend| joined(before, mend)))
                    .collect();
                made.retain(|edits| edits.len() <= usize::from(left));
            }
            for edits in made {
                let end = self.axis.run(item, state.clone(), &self.rules(&edits));
                ways.extend(end.map(|end| Way {
                    cost: edits.len() as u8,
                    end,
                    edits: edits.into(),
                }));
            }
        }
        ways
    }

    /// What the edited layers do.
    fn rules(&self, edits: &[AxisEdit]) -> Vec<(LayerId, Rule)> {
        let ids: BTreeSet<LayerId> = edits.iter().map(|(id, ..)| *id).collect();
        ids.into_iter()
            .map(|id| (id, self.axis.rule_with(id, edits)))
            .collect()
    }

    /// The variants of a layer with at most so many attributes changed.
    fn variants(&mut self, id: LayerId, most: u8) -> Rc<Vec<Variant>> {
        let most = most.min(MOST_OF_A_LAYER);
        if let Some(variants) = self.variants.get(&(id, most)) {
            return variants.clone();
        }
        let mut variants = Vec::new();
        if !self.locked.get(id).copied().unwrap_or(true) {
            let choices = self.axis.choices(id);
            let mut all: Vec<Vec<AxisEdit>> = vec![Vec::new()];
            for (attribute, values) in choices {
                let with = |edits: &Vec<AxisEdit>| -> Vec<Vec<AxisEdit>> {
                    let one =
                        |value: &Value| [edits.as_slice(), &[(id, attribute, *value)]].concat();
                    if edits.len() < usize::from(most) {
                        values.iter().map(one).collect()
                    } else {
                        Vec::new()
                    }
                };
                let more: Vec<_> = all.iter().flat_map(with).collect();
                all.extend(more);
            }
            let variant = |edits: Vec<AxisEdit>| {
                let rule = self.axis.rule_with(id, &edits);
                Variant {
                    cost: edits.len() as u8,
                    rule,
                    edits: edits.into(),
                }
            };
            variants.extend(
                all.into_iter()
                    .skip(1)
                    .map(variant)
                    .filter(|variant| variant.rule != Rule::Never),
            );
            variants.sort_by_key(|variant| variant.cost);
        }
        let variants = Rc::new(variants);
        self.variants.insert((id, most), variants.clone());
        variants
    }
}

fn layers_of(item: &Item) -> Vec<LayerId> {
    match item {
        Item::Layer(id) => vec![*id],
        Item::Branches(branches) => branches.iter().flatten().flat_map(layers_of).collect(),
        Item::Repeat(_, items) => items.iter().flat_map(layers_of).collect(),
    }
}
