//! What an error comes from: branches that don't meet, an image that has become too small, a vector of another
//! length. Where branches don't meet, what is behind them is explained as if they did: every level of a U-Net that
//! loses a row is a cause.

use super::causes::{self, Paired};
use super::chain::Chain;
use super::{Cause, Explanation, Reason, Step, branches, path};
use crate::mismatch::{Common, MOST_BLOCKS, Mismatch};
use strata_core::project::node::Node;
use strata_core::project::size::Margins;
use strata_core::project::{Network, Place};
use strata_core::shape::error::ShapeError;
use strata_core::shape::infer::{Inference, Row, infer};
use strata_core::shape::skip::is_skip;

/// Explains the first error of a network, and every block behind it whose branches don't meet either.
pub(crate) fn explain_all(network: &Network, inference: &Inference) -> Option<Explanation> {
    let (row, error) = of_sizes(network, inference)?;
    let mut all = explain(&Chain::of(network), row, error);
    let mut network = network.clone();
    let mut mismatch = Mismatch::first(&network, inference);
    let mut are_skips = true;
    for _ in 0..MOST_BLOCKS {
        let block = mismatch
            .as_ref()
            .and_then(|found| network.node(&found.place));
        are_skips &= block.is_some_and(|block| is_skip(block.branches()));
        let Some(mended) = mismatch.and_then(|mismatch| met(&network, &mismatch)) else {
            break;
        };
        network = mended;
        let inference = infer(&network);
        mismatch = Mismatch::first(&network, &inference);
        let chain = Chain::of(&network);
        let next = match (of_sizes(&network, &inference), &mismatch) {
            (Some((row, error)), Some(_)) => explain(&chain, row, error),
            (None, _) if are_skips && !network.decoder.is_empty() => behind(&chain, &network),
            _ => break,
        };
        add(&mut all, next);
    }
    Some(all)
}

/// The first error, but those of the head where there is a decoder.
fn of_sizes<'a>(network: &Network, inference: &'a Inference) -> Option<(&'a Row, &'a ShapeError)> {
    use strata_core::project::Stack::Head;
    inference
        .errors()
        .find(|(row, _)| row.place.stack != Head || network.decoder.is_empty())
}

/// The network with a margin at the end of each branch that differs from the skip connection.
fn met(network: &Network, mismatch: &Mismatch) -> Option<Network> {
    let mut network = network.clone();
    for (branch, cells) in mismatch.cells(Common::Skip) {
        let nodes = network.node_mut(&mismatch.place)?.branch_mut(branch)?;
        for (word, sign) in [("pad", 1), ("crop", -1)] {
            let side = |by: &i64| u32::try_from(by * sign).map_or((0, 0), |cells| (0, cells));
            let sides: Vec<(u32, u32)> = cells.iter().map(side).collect();
            if sides.iter().any(|&side| side != (0, 0)) {
                nodes.push(Node::from_text(&format!(
                    "{word} {}",
                    Margins::each(&sides)
                )));
            }
        }
    }
    Some(network)
}

/// What is left once all blocks meet: an output of another size than the input.
fn behind(chain: &Chain, network: &Network) -> Explanation {
    let judged = causes::judge(chain, &network.input);
    Explanation {
        sentences: judged
            .causes
            .iter()
            .map(|cause| cause.sentence.clone())
            .collect(),
        path: path::steps(chain, &judged.pairs, &judged.causes),
        causes: judged.causes,
    }
}

/// Adds what a later look found; its steps are outside of those that are there.
fn add(all: &mut Explanation, next: Explanation) {
    if next.causes.is_empty() {
        return;
    }
    let mut sentences = next.sentences.into_iter();
    let first = sentences
        .next()
        .map(|first| match first.strip_prefix("The branches") {
            Some(rest) => format!("With that mended, the branches{rest}"),
            None => format!("With that mended: {first}"),
        });
    all.sentences.extend(first.into_iter().chain(sentences));
    all.causes.extend(next.causes);
    let is_new = |step: &Step| all.path.iter().all(|other| other.place != step.place);
    let outside: Vec<Step> = next
        .path
        .iter()
        .filter(|step| is_new(step))
        .cloned()
        .collect();
    for step in &mut all.path {
        if let Some(again) = next.path.iter().find(|again| again.place == step.place) {
            step.culprit |= again.culprit;
            step.wrong |= again.wrong;
        }
    }
    let rows = outside.iter().map(|step| step.row + 1).max().unwrap_or(0);
    all.path.iter_mut().for_each(|step| step.row += rows);
    all.path.extend(outside);
    all.path.sort_by(|a, b| a.place.cmp(&b.place));
}

/// Explains the first error of a network, whose row this is.
fn explain(chain: &Chain, row: &Row, error: &ShapeError) -> Explanation {
    let mut links = chain.links.clone();
    let meeting = chain
        .broken
        .clone()
        .and_then(|item| branches::innermost(item, &mut links));
    let failed = meeting
        .filter(|meeting| meeting.place == row.place)
        .and_then(branches::explain);
    match failed {
        Some(failed) => {
            let path = path::steps(&failed.chain, &failed.pairs, &failed.causes);
            Explanation {
                sentences: failed.sentences,
                causes: failed.causes,
                path,
            }
        }
        None => layer(
            &Chain {
                links,
                code: chain.code,
                broken: None,
            },
            row,
            error,
        ),
    }
}

/// A layer that cannot be: its own message, and what made its input as it is.
fn layer(chain: &Chain, row: &Row, error: &ShapeError) -> Explanation {
    let mut sentences = vec![format!(
        "`{}` at {}: {}.",
        row.text,
        row.place,
        error.message.trim_end_matches('.')
    )];
    let image = row.input.as_ref().is_some_and(|input| !input.is_vector());
    if let Some(story) = branches::shrinking(chain).filter(|_| image) {
        sentences.push(format!("What made its input so small: {story}."));
    }
    sentences.extend(vector(chain, row));
    let cause = Cause {
        reason: Reason::Impossible,
        place: row.place.clone(),
        partner: last(chain),
        axes: Vec::new(),
        sizes: None,
        effect: 0,
        sentence: sentences.join(" "),
    };
    let paired = super::causes::pairs(chain, 0);
    let path = path::steps(chain, &only_down(paired), std::slice::from_ref(&cause));
    Explanation {
        sentences,
        causes: vec![cause],
        path,
    }
}

fn last(chain: &Chain) -> Option<Place> {
    chain.links.last().map(|link| link.place.clone())
}

/// Behind an error nothing is undone yet: every step has its own row.
fn only_down(mut paired: Paired) -> Paired {
    paired.down.append(&mut paired.up);
    let all = paired.down.len();
    paired.pairs = (0..all)
        .rev()
        .map(|at| super::Pair {
            down: at..at + 1,
            up: 0..0,
        })
        .collect();
    paired
}

/// Where the numbers of a vector come from that doesn't fit.
fn vector(chain: &Chain, row: &Row) -> Option<String> {
    let vector = row.input.as_ref().filter(|input| input.is_vector())?;
    let made = chain
        .links
        .iter()
        .rev()
        .find(|link| link.rules.is_empty() && link.after == *vector)?;
    Some(format!(
        "Its {} numbers come from `{}` at {}, of {}.",
        vector.channels(),
        made.text,
        made.place,
        made.before
    ))
}
