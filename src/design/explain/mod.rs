//! Why the decoder's output differs from the input: which layer lost the row, and which one should have known.
//!
//! [`explain`] follows the tensor through encoder and decoder, pairs every step down with the step up that undoes
//! it, axis by axis, and judges each pair by itself: does the step up give back what the step down had? Where it
//! does not, the pair is a [`Cause`]. Pure and total: for any network it returns, and what cannot be followed
//! (behind an error) is explained by that error.

mod align;
mod branches;
mod causes;
mod chain;
mod errors;
mod path;
pub mod unread;
mod words;

pub use align::Pair;
pub use path::{Side, Step};
pub use unread::{Unread, UnreadLayer};
pub use words::without_steps;

use chain::Chain;
use strata_core::project::{Network, Place};
use strata_core::shape::infer::Inference;

/// What kind of cause it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Reason {
    /// A stride rounded: several input sizes give the same output, and the step up takes it for another one.
    Floor,
    /// The step up cannot undo the step down: its kernel or padding leads to another size than the step down started from.
    Window,
    /// The step up multiplies by something else than the step down divides by.
    Factor,
    /// A step down that nothing undoes.
    MissingStep,
    /// A step up without a step down.
    ExtraStep,
    /// Rows taken or added, by a kernel without padding, a `pad` or a `crop`, that nothing gives or takes back.
    Margin,
    /// `reshape` starts from another size than the encoder ended with.
    Start,
    /// The number of channels.
    Channels,
    /// A vector where there should be an image, or an image where there should be a vector.
    Rank,
    /// Branches that end in different sizes.
    Branches,
    /// A layer that is refused for another reason.
    Impossible,
}

impl Reason {
    /// One word, for JSON.
    pub fn name(self) -> &'static str {
        match self {
            Reason::Floor => "floor",
            Reason::Window => "window",
            Reason::Factor => "factor",
            Reason::MissingStep => "missing step",
            Reason::ExtraStep => "extra step",
            Reason::Margin => "margin",
            Reason::Start => "start",
            Reason::Channels => "channels",
            Reason::Rank => "rank",
            Reason::Branches => "branches",
            Reason::Impossible => "impossible",
        }
    }
}

/// One cause of a difference.
#[derive(Clone, Debug, PartialEq)]
pub struct Cause {
    /// What kind it is.
    pub reason: Reason,
    /// The layer that lost the row, or that is wrong.
    pub place: Place,
    /// The layer that should undo it, or that it should undo.
    pub partner: Option<Place>,
    /// The axes it is about, counted from 0 after the channels; empty where it is about none in particular.
    pub axes: Vec<usize>,
    /// The size that should have come back, and the one that did, where sizes are the matter.
    pub sizes: Option<(u64, u64)>,
    /// Positions that this by itself adds to the output (negative: takes away), along each of the axes.
    pub effect: i64,
    /// The whole in one or two sentences.
    pub sentence: String,
}

/// Why the output differs from the input, or that it does not.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Explanation {
    /// For people, the most important first.
    pub sentences: Vec<String>,
    /// The causes, from the code outwards; none when output and input are equal.
    pub causes: Vec<Cause>,
    /// The layers that the size depends on, in the order they run.
    pub path: Vec<Step>,
}

/// Explains a network whose shapes were inferred.
pub fn explain(network: &Network, inference: &Inference) -> Explanation {
    let mut explanation =
        errors::explain_all(network, inference).unwrap_or_else(|| without_error(network));
    path::name_blocks(network, &mut explanation.path);
    explanation
}

fn without_error(network: &Network) -> Explanation {
    let chain = Chain::of(network);
    let judged = causes::judge(&chain, &network.input);
    let wanted = !network.decoder.is_empty();
    let causes = if wanted { judged.causes } else { Vec::new() };
    let path = path::of_network(network, &chain, &judged.pairs, &causes);
    let sentences = match (wanted, causes.is_empty()) {
        (true, false) => causes.iter().map(|cause| cause.sentence.clone()).collect(),
        (true, true) => vec![words::equal(network, path.is_empty())],
        (false, _) => {
            vec!["There is no decoder, so nothing has to come back to the input's size.".to_owned()]
        }
    };
    Explanation {
        sentences,
        causes,
        path,
    }
}

#[cfg(test)]
mod tests;
