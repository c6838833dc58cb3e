//! The smallest edits after which a decoder's output equals the network's input, and other aims.
//!
//! The search goes by rising number of edits; sizes are searched axis by axis ([`search`]), channels are set at the
//! end, and every draft is confirmed by inference before it is called a solution. Fails with nothing: where
//! there is no solution within [`MOST_EDITS`] edits, [`Solved::message`] says so.

mod aims;
mod attribute;
mod axis;
mod candidates;
mod draft;
mod mirror;
mod prepare;
mod search;

use draft::{Draft, head_errors};
use std::collections::BTreeMap;
use strata_core::project::help::{Step, sentence};
use strata_core::project::node::Node;
use strata_core::project::target::Target;
use strata_core::project::{Network, Place};
use strata_core::shape::infer::infer;

pub use mirror::mirror;

/// The most edits of one solution.
pub const MOST_EDITS: u8 = 3;
/// Solutions that are given.
const MOST: usize = 12;
/// Drafts that are put to inference for each number of edits.
const MOST_CONFIRMED: usize = 160;
/// Solutions that change the same attributes of the same layers, with other values.
const ALIKE: usize = 3;
/// Solutions with the same number of edits.
const EQUAL: usize = 6;

/// What is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Aim {
    /// The decoder gives the input's shape.
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
        sentence(&self.steps())
    }
}

/// What came of a search.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Solved {
    /// The best first; fewer edits come first (where a leap of a number counts twice, and a border of zeros
    /// as three), then the decoder that is the encoder's mirror, then those without checkerboards.
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
        Aim::OutputEqualsInput if network.decoder.is_empty() => {
            Solved::nothing("There is no decoder to change: mirror the encoder to make one.")
        }
        Aim::OutputEqualsInput if inference.output_equals_input == Some(true) => {
            Solved::nothing("The output equals the input already.")
        }
        Aim::OutputEqualsInput => {
            completed(&Draft::new(network), locked, head_errors(&inference)).solved()
        }
        aim => aims::solve(network, locked, aim),
    }
}

/// The best single edit (with the channels, two) after which the output equals the input: what is quick enough
/// to be asked at every letter that is typed.
pub fn hint(network: &Network, locked: &[Target]) -> Option<Solution> {
    let mut search = Confirmed {
        locked,
        head_errors: head_errors(&infer(network)),
        found: Vec::new(),
        cut: false,
    };
    let base = Draft::new(network);
    let channels = candidates::with_channels(&base, locked).map_or(0, |draft| draft.edits as u8);
    (1..=1 + channels).for_each(|edits| search.level(&base, edits));
    search.families(&base);
    best(search.found).into_iter().next()
}

/// The smallest edits on top of a draft after which its output equals the input.
fn completed<'a>(base: &Draft, locked: &'a [Target], head_errors: usize) -> Confirmed<'a> {
    let mut search = Confirmed {
        locked,
        head_errors,
        found: Vec::new(),
        cut: false,
    };
    // One more than sizes alone may take: for the channels.
    for edits in 1..=MOST_EDITS + 1 {
        search.level(base, edits);
        let lightest = search
            .found
            .iter()
            .map(|draft| draft.weight() - base.weight())
            .min();
        if edits == 1 {
            search.families(base);
        }
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
    head_errors: usize,
    found: Vec<Draft>,
    cut: bool,
}

impl Confirmed<'_> {
    /// All drafts of exactly so many edits more than the base.
    fn level(&mut self, base: &Draft, edits: u8) {
        let mut drafts = Vec::new();
        let wanted = base.edits + u32::from(edits);
        for base in prepare::bases(base, self.locked) {
            let Some(base) = candidates::with_channels(&base, self.locked) else {
                continue;
            };
            let Some(left) = wanted.checked_sub(base.edits) else {
                continue;
            };
            if left <= u32::from(MOST_EDITS) {
                let (sizes, cut) = candidates::of_sizes(&base, self.locked, left as u8);
                self.cut |= cut;
                drafts.extend(sizes);
            }
            drafts.extend(
                candidates::of_margins(&base, self.locked).filter(|draft| draft.edits == wanted),
            );
        }
        self.confirm(drafts);
    }

    fn families(&mut self, base: &Draft) {
        let base = candidates::with_channels(base, self.locked);
        let families = base
            .map(|base| candidates::of_families(&base, self.locked))
            .unwrap_or_default();
        self.confirm(families);
    }

    fn confirm(&mut self, drafts: Vec<Draft>) {
        let sound = drafts.into_iter().filter(|draft| !draft.skips_cells());
        let mut ranked: Vec<_> = sound.map(|draft| (draft.rank(), draft)).collect();
        ranked.sort_by_key(|(rank, _)| *rank);
        self.cut |= ranked.len() > MOST_CONFIRMED;
        let exact = ranked
            .into_iter()
            .map(|(_, draft)| draft)
            .take(MOST_CONFIRMED);
        let head_errors = self.head_errors;
        self.found
            .extend(exact.filter(|draft| draft.is_exact(head_errors)));
    }

    fn solved(self) -> Solved {
        let cut = self.cut;
        let solutions = best(self.found);
        let message = match (solutions.first(), cut) {
            (Some(best), _) => found_message(best, solutions.len()),
            (None, false) => {
                format!("No {MOST_EDITS} edits or fewer make the output equal the input.")
            }
            (None, true) => {
                format!(
                    "No way was found, but not every combination of {MOST_EDITS} edits could be tried."
                )
            }
        };
        Solved { solutions, message }
    }
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
    drafts.sort_by_key(Draft::rank);
    drafts.dedup_by(|a, b| a.network == b.network);
    drafts.retain(|draft| {
        let alike = kinds
            .entry((draft.edits, draft.kind_of_change()))
            .or_default();
        *alike += 1;
        let equal = edits.entry(draft.edits).or_default();
        *equal += usize::from(*alike <= ALIKE);
        *alike <= ALIKE && *equal <= EQUAL
    });
    // The one with the fewest edits is always among them, whatever its numbers look like.
    let fewest = (0..drafts.len()).min_by_key(|&at| {
        drafts
            .get(at)
            .map(|draft| (draft.is_makeshift(), draft.edits))
    });
    if let Some(fewest) = fewest.filter(|&at| at >= MOST) {
        drafts.swap(fewest, MOST - 1);
    }
    drafts.into_iter().take(MOST).map(Draft::solution).collect()
}

#[cfg(test)]
mod tests;
