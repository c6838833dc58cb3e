//! The smallest edits after which a decoder's output equals the network's input, and other aims. Without a decoder:
//! after which no layer of encoder and head has an error.
//!
//! The search goes by rising number of edits; sizes are searched axis by axis ([`search`]), channels are set at the
//! end, and every draft is confirmed by inference before it is called a solution. Repairs that are usual, of skip
//! connections of any depth, are tried as well ([`repair`]). A solution whose output has rows that no input
//! reaches is marked, and comes after all others. Fails with nothing: where nothing was found, [`Solved::message`]
//! says what was searched.

mod aims;
mod attribute;
mod axis;
mod candidates;
mod draft;
mod effort;
mod input_margins;
mod mirror;
mod prepare;
mod repair;
mod search;
mod symmetry;

use draft::{Draft, Goal};
use std::collections::BTreeMap;
use strata_core::project::help::{Step, Surface, sentence};
use strata_core::project::node::Node;
use strata_core::project::target::Target;
use strata_core::project::{Network, Place};
use strata_core::shape::field::Unreached;
use strata_core::shape::infer::{Inference, infer};

pub use mirror::mirror;

/// The most edits of one solution.
pub(crate) const MOST_EDITS: u8 = 3;
/// Solutions that are given.
const MOST: usize = 16;
/// Drafts that are put to inference for each number of edits.
const MOST_CONFIRMED: usize = 300;
/// Solutions that change the same attributes of the same layers, with other values.
const ALIKE: usize = 3;
/// Solutions with the same number of edits.
const EQUAL: usize = 6;

/// What is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Aim {
    /// The decoder's output has the input's shape.
    OutputEqualsInput,
    /// The code holds at most so many numbers.
    CodeAtMost(u64),
    /// One number of the code sees the whole input.
    ReceptiveFieldCovers,
    /// The network has at most so many parameters.
    ParametersAtMost(u64),
}

/// One node changed.
#[derive(Clone, Debug, PartialEq)]
pub struct Change {
    /// Where it is in the network after the changes; of a removed one, where it was.
    pub place: Place,
    /// The node before; `None`: it is inserted.
    pub from: Option<Node>,
    /// The node after; `None`: it is removed.
    pub to: Option<Node>,
}

/// Edits after which the aim is met, confirmed by inference.
#[derive(Clone, Debug, PartialEq)]
pub struct Solution {
    /// What is changed.
    pub changes: Vec<Change>,
    /// The network after it.
    pub network: Network,
    /// Attributes changed and layers inserted.
    pub edits: u32,
    /// What else is to be known, in a few words: `the decoder mirrors the encoder · no checkerboard`.
    pub note: String,
    /// Rows and columns of the output that no input reaches, by axis: they are the same for every image. Empty
    /// where there are none.
    pub unreached: Vec<Unreached>,
}

impl Solution {
    /// What is changed, as steps of a repair.
    pub fn steps(&self) -> Vec<Step> {
        let step = |change: &Change| match (&change.from, &change.to) {
            (None, Some(to)) => Step::Insert(change.place.clone(), to.clone()),
            (Some(_), Some(to)) => Step::Write(change.place.clone(), to.clone()),
            (_, None) => Step::Remove(change.place.clone()),
        };
        self.changes.iter().map(step).collect()
    }

    /// What to write where, as a sentence: write `convt 3 k3 s2 p1 op1` at decoder.0.
    pub fn sentence(&self) -> String {
        sentence(&self.steps(), Surface::Terminal)
    }
}

/// What came of a search.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Solved {
    /// The best first: those with rows that no input reaches last, before them those that skip cells; then few edits;
    /// then small ones, without leaps of a number or inserted margins; then the decoder that is the encoder's mirror;
    /// then those without checkerboards.
    pub solutions: Vec<Solution>,
    /// One sentence for people: how many there are, or why there is none.
    pub message: String,
}

impl Solved {
    fn nothing(message: impl Into<String>) -> Solved {
        Solved {
            solutions: Vec::new(),
            message: message.into(),
        }
    }
}

/// Searches for the smallest edits after which the aim is met. Nodes in `locked` stay as they are.
pub fn solve(network: &Network, locked: &[Target], aim: Aim) -> Solved {
    let inference = infer(network);
    if let Some((row, _)) = inference.errors().find(|(_, error)| error.span.is_some()) {
        return Solved::nothing(format!(
            "{} cannot be read: mend its text first.",
            row.place
        ));
    }
    match aim {
        Aim::OutputEqualsInput
            if network.decoder.is_empty() && inference.errors().next().is_none() =>
        {
            Solved::nothing("There is no decoder to change: mirror the encoder to make one.")
        }
        Aim::OutputEqualsInput if inference.output_equals_input == Some(true) => {
            Solved::nothing("The output equals the input already.")
        }
        Aim::OutputEqualsInput => {
            let goal = Goal::of(network, &inference);
            completed(&first_draft(network, &inference), locked, goal).solved(network)
        }
        aim => aims::solve(network, locked, aim),
    }
}

/// The network as it is, with the blocks that do not meet.
fn first_draft(network: &Network, inference: &Inference) -> Draft {
    match inference.errors().next() {
        Some(_) => Draft::with_wrong(network, &repair::wrong_blocks(network)),
        None => Draft::new(network),
    }
}

/// The best single edit (with the channels, two) after which the output equals the input: what is quick enough
/// to be asked at every letter that is typed.
pub fn hint(network: &Network, locked: &[Target]) -> Option<Solution> {
    let inference = infer(network);
    let mut search = Confirmed::new(locked, Goal::of(network, &inference));
    let base = first_draft(network, &inference);
    let channels = candidates::with_channels(&base, locked).map_or(0, |draft| draft.edits as u8);
    (1..=1 + channels).for_each(|edits| search.level(&base, edits));
    search.families(&base);
    best(search.found).into_iter().next()
}

/// The smallest edits on top of a draft after which it meets the goal.
fn completed<'a>(base: &Draft, locked: &'a [Target], goal: Goal) -> Confirmed<'a> {
    let mut search = Confirmed::new(locked, goal);
    // One more than sizes alone may take: for the channels.
    for edits in 1..=MOST_EDITS + 1 {
        search.level(base, edits);
        if edits == 1 {
            search.families(base);
        }
        let lightest = search
            .found
            .iter()
            .map(|draft| draft.weight() - base.weight())
            .min();
        // More edits are never lighter than what they count; two that are as light as a leap are worth a look.
        if lightest.is_some_and(|weight| weight <= u32::from(edits) + u32::from(edits > 1)) {
            return search;
        }
    }
    search
}

/// Drafts that inference confirmed.
struct Confirmed<'a> {
    locked: &'a [Target],
    goal: Goal,
    found: Vec<Draft>,
    /// Whether some single edits, and whether some of several edits, were left out.
    cut: [bool; 2],
}

impl<'a> Confirmed<'a> {
    fn new(locked: &'a [Target], goal: Goal) -> Confirmed<'a> {
        Confirmed {
            locked,
            goal,
            found: Vec::new(),
            cut: [false; 2],
        }
    }

    /// What can be put right before sizes are searched, and the channels at the end.
    fn bases(&self, base: &Draft) -> Vec<Draft> {
        match self.goal {
            Goal::NoError => vec![base.clone()],
            Goal::InputsShape(_) => prepare::bases(base, self.locked)
                .iter()
                .filter_map(|base| candidates::with_channels(base, self.locked))
                .collect(),
        }
    }

    /// All drafts of exactly so many edits more than the base.
    fn level(&mut self, base: &Draft, edits: u8) {
        let mut drafts = Vec::new();
        let wanted = base.edits + u32::from(edits);
        let several = usize::from(edits > 1);
        for base in self.bases(base) {
            let Some(left) = wanted.checked_sub(base.edits) else {
                continue;
            };
            if left <= u32::from(MOST_EDITS) {
                let (sizes, cut) = candidates::of_sizes(&base, self.locked, self.goal, left as u8);
                self.cut[several] |= cut;
                drafts.extend(sizes);
            }
            let margins = candidates::of_margins(&base, self.locked);
            drafts.extend(margins.filter(|draft| draft.edits == wanted));
        }
        self.cut[several] |= self.confirm(drafts);
    }

    /// The same change at several layers, and the repairs of blocks and inputs.
    fn families(&mut self, base: &Draft) {
        let mut drafts = Vec::new();
        for base in self.bases(base) {
            let families = candidates::of_families(&base, self.locked);
            for family in &families {
                drafts.extend(repair::repaired_blocks(family, self.locked));
            }
            drafts.extend(families);
            drafts.extend(repair::repairs(&base, self.locked, self.goal));
        }
        self.confirm(drafts);
    }

    /// Keeps those that meet the goal; whether some were not looked at.
    fn confirm(&mut self, drafts: Vec<Draft>) -> bool {
        let mut ranked: Vec<_> = drafts
            .into_iter()
            .map(|draft| (draft.rank(), draft))
            .collect();
        ranked.sort_by_key(|(rank, _)| *rank);
        let cut = ranked.len() > MOST_CONFIRMED;
        let looked_at = ranked.into_iter().take(MOST_CONFIRMED);
        let goal = self.goal;
        self.found
            .extend(looked_at.flat_map(|(_, draft)| draft.confirmed_with_instead(goal)));
        cut
    }

    fn solved(self, network: &Network) -> Solved {
        let (goal, cut) = (self.goal, self.cut);
        let solutions = best(self.found);
        let message = match solutions.first() {
            Some(best) => found_message(best, solutions.len()),
            None => nothing_message(network, goal, cut),
        };
        Solved { solutions, message }
    }
}

/// Says what was searched in vain.
fn nothing_message(network: &Network, goal: Goal, [single, several]: [bool; 2]) -> String {
    let aim = match goal {
        Goal::InputsShape(_) => "make the output equal the input",
        Goal::NoError => "leave no layer with an error",
    };
    let [one, two] = candidates::MOST_MARGIN;
    let tried = "kernels up to 9, strides and output paddings up to 5, paddings up to 6, factors up to 8 (or 4 more than now) and margins of up to 64 cells more, of every layer that is not locked";
    let has_blocks = has_branches(&network.encoder) || has_branches(&network.decoder);
    if single {
        return format!(
            "No way was found to {aim}, but not every single edit could be tried: the network is too large for that."
        );
    }
    if several || has_blocks {
        return format!(
            "No way was found to {aim}. Every single edit was tried: {tried}, and a `pad` or `crop` of up to {one} cells anywhere. Of 2 and {MOST_EDITS} edits together not all could be tried."
        );
    }
    format!(
        "No {MOST_EDITS} edits or fewer {aim}: tried were {tried}; and a `pad` or `crop` of up to {one} cells inserted anywhere, or of up to {two} together with one other edit."
    )
}

fn has_branches(nodes: &[Node]) -> bool {
    nodes.iter().any(|node| match node {
        Node::Layer(_) | Node::Broken { .. } => false,
        Node::Add(_) | Node::Concat(_) => true,
        Node::Repeat { layers, .. } => has_branches(layers),
    })
}

fn found_message(best: &Solution, count: usize) -> String {
    let edits = if best.edits == 1 {
        "one edit".to_owned()
    } else {
        format!("{} edits", best.edits)
    };
    match count {
        1 => format!("There is one way, with {edits}."),
        count => format!("There are {count} ways; the first takes {edits}."),
    }
}

/// The best drafts, few of them alike, as solutions.
fn best(mut drafts: Vec<Draft>) -> Vec<Solution> {
    let (mut kinds, mut edits): (BTreeMap<_, usize>, BTreeMap<_, usize>) = Default::default();
    drafts.sort_by_cached_key(Draft::rank);
    let mut drafts = repair::distinct(drafts);
    drafts.retain(|draft| {
        let alike = kinds
            .entry((draft.edits, draft.kind_of_change()))
            .or_default();
        *alike += 1;
        let marked = draft.has_constant_rows() || draft.skips_cells();
        let equal = edits.entry((marked, draft.edits)).or_default();
        *equal += usize::from(*alike <= ALIKE);
        *alike <= ALIKE && *equal <= EQUAL
    });
    // The one with the fewest edits is always among them, whatever its numbers look like.
    let fewest =
        (0..drafts.len()).min_by_key(|&at| drafts.get(at).map(|draft| (draft.edits, draft.rank())));
    if let Some(fewest) = fewest.filter(|&at| at >= MOST) {
        drafts.swap(fewest, MOST - 1);
    }
    drafts.into_iter().take(MOST).map(Draft::solution).collect()
}

#[cfg(test)]
mod tests;
