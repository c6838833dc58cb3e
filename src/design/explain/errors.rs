//! What an error comes from: branches that don't meet, an image that has become too small, a vector of another
//! length.

use super::causes::Paired;
use super::chain::Chain;
use super::{Cause, Explanation, Reason, branches, path};
use strata_core::project::Place;
use strata_core::shape::error::ShapeError;
use strata_core::shape::infer::Row;

/// Explains the first error of a network, whose row this is.
pub(crate) fn explain(chain: &Chain, row: &Row, error: &ShapeError) -> Explanation {
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

/// Behind an error nothing is undone yet: every step stands in a row of its own.
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
