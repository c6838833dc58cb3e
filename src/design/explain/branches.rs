//! Branches that don't meet: the skip connection of a U-Net that kept 65 rows where the parallel branch comes
//! back with 64.

use super::causes::{self, Paired, cause, defects, merge};
use super::chain::{Chain, changes_in};
use super::{Cause, Reason};
use strata_core::project::Place;
use strata_core::project::size::Shape;
use strata_core::shape::axis_rule::{AxisRule, Turn};
use strata_core::shape::propagate::{Item, Link};

/// A block whose branches end in different sizes, with the layers that led to it.
pub(crate) struct Meeting {
    /// The block.
    pub place: Place,
    /// What goes into every branch.
    input: Shape,
    branches: Vec<Vec<Item>>,
    outputs: Vec<Shape>,
}

/// What is known of a meeting that failed.
pub(crate) struct Failed {
    pub sentences: Vec<String>,
    pub causes: Vec<Cause>,
    /// The branch that fails, and how its steps pair.
    pub chain: Chain,
    pub pairs: Paired,
}

/// The innermost block that failed, if what ended the way is one; the layers before it go to `links`.
pub(crate) fn innermost(item: Item, links: &mut Vec<Link>) -> Option<Meeting> {
    let Item::Branches {
        place,
        input,
        branches,
        outputs,
        ..
    } = item
    else {
        return None;
    };
    let known: Option<Vec<Shape>> = outputs.iter().cloned().collect();
    if let Some(outputs) = known {
        return Some(Meeting {
            place,
            input,
            branches,
            outputs,
        });
    }
    let failed = outputs.iter().position(Option::is_none)?;
    let inner = Chain::of_branch(branches.into_iter().nth(failed)?);
    links.extend(inner.links);
    innermost(inner.broken?, links)
}

/// Why the branches of a block don't meet.
pub(crate) fn explain(meeting: Meeting) -> Option<Failed> {
    let Meeting {
        place,
        input,
        branches,
        outputs,
    } = meeting;
    let reference = (0..branches.len()).min_by_key(|&branch| changes_in(&branches[branch]))?;
    let other = (0..branches.len()).find(|&branch| outputs[branch] != outputs[reference])?;
    let (kept, differs) = (outputs[reference].clone(), outputs[other].clone());
    let mut branches: Vec<Option<Vec<Item>>> = branches.into_iter().map(Some).collect();
    let chain = Chain::of_branch(branches.get_mut(other)?.take()?);
    let beside = Chain::of_branch(branches.get_mut(reference)?.take()?);
    let met = format!(
        "The branches of {place} don't meet: branch {} gives {differs}, branch {} gives {kept}.",
        other + 1,
        reference + 1
    );
    let returns = kept.spatial() == input.spatial() && differs.rank() == input.rank();
    let (mut causes, pairs) = if returns {
        back(&chain, &input, &differs)
    } else {
        (Vec::new(), Paired::default())
    };
    if causes.is_empty() {
        causes.push(side_by_side(place, &chain, &beside, &differs, &kept));
    }
    let sentences = std::iter::once(met)
        .chain(causes.iter().map(|cause| cause.sentence.clone()))
        .collect();
    Some(Failed {
        sentences,
        causes,
        chain,
        pairs,
    })
}

/// A branch that should come back to the size it started from.
fn back(chain: &Chain, input: &Shape, output: &Shape) -> (Vec<Cause>, Paired) {
    let (mut findings, mut best) = (Vec::new(), Paired::default());
    for axis in 0..input.rank() {
        let paired = causes::pairs(chain, axis);
        let size = input.spatial().get(axis).map_or(1, |&size| size as i64);
        let code = paired.down.last().map_or(size, |change| change.after);
        let differs = output.spatial().get(axis) != input.spatial().get(axis);
        let found = if differs {
            defects(&paired, code, axis)
        } else {
            Vec::new()
        };
        if axis == 0 || (findings.is_empty() && !found.is_empty()) {
            best = paired;
        }
        merge(&mut findings, found);
    }
    let causes = findings
        .iter()
        .map(|finding| cause(chain, finding, input.rank()))
        .collect();
    (causes, best)
}

/// Two branches that both change the size, and differ in how.
fn side_by_side(
    block: Place,
    chain: &Chain,
    beside: &Chain,
    differs: &Shape,
    kept: &Shape,
) -> Cause {
    let axis =
        (0..kept.rank()).find(|&axis| differs.spatial().get(axis) != kept.spatial().get(axis));
    let size = |shape: &Shape| {
        axis.and_then(|axis| shape.spatial().get(axis))
            .map(|&size| size as u64)
    };
    let tells = |chain: &Chain| {
        let changes = axis
            .map(|axis| chain.changes(axis, 0..usize::MAX))
            .unwrap_or_default();
        let steps: Vec<String> = changes
            .iter()
            .filter_map(|change| Some((change, chain.links.get(change.link)?)))
            .map(|(change, link)| {
                format!(
                    "{} → {} (`{}` at {})",
                    change.before, change.after, link.text, link.place
                )
            })
            .collect();
        if steps.is_empty() {
            "leaves the size as it is".to_owned()
        } else {
            format!("goes {}", steps.join(", "))
        }
    };
    let comes_back = axis.is_some_and(|axis| scales_both_ways(chain, axis));
    let help = match comes_back {
        true => "a `pad` or `crop` at the end of one of them would bring both to one size",
        false => "the same stride and padding would bring both to one size",
    };
    let sentence = match axis {
        Some(_) => format!("One {}, the other {}: {help}.", tells(chain), tells(beside)),
        None => "Their sizes are equal, their channels are not; `add` needs both.".to_owned(),
    };
    let changing = axis.and_then(|axis| chain.changes(axis, 0..usize::MAX).into_iter().next());
    let place = changing
        .and_then(|change| chain.links.get(change.link))
        .map_or(block.clone(), |link| link.place.clone());
    Cause {
        reason: Reason::Branches,
        place,
        partner: Some(block),
        axes: axis.into_iter().collect(),
        sizes: size(kept).zip(size(differs)),
        effect: 0,
        sentence,
    }
}

/// Whether a branch goes down and comes back up, as in a block with a skip connection.
fn scales_both_ways(chain: &Chain, axis: usize) -> bool {
    let changes = chain.changes(axis, 0..usize::MAX);
    let any = |wanted: fn(&Turn) -> bool| changes.iter().any(|change| wanted(&change.rule.turn()));
    any(|turn| matches!(turn, Turn::Down(_))) && any(|turn| matches!(turn, Turn::Up(_)))
}

/// What made an image as small as it is: the steps of an axis that divide, `28 → 14 (maxpool 2 at encoder.1)`.
pub(crate) fn shrinking(chain: &Chain) -> Option<String> {
    const SHOWN: usize = 5;
    let down: Vec<String> = chain
        .changes(0, 0..usize::MAX)
        .iter()
        .filter(|change| {
            change.after < change.before && !matches!(change.rule, AxisRule::Margin(_))
        })
        .filter_map(|change| {
            let link = chain.links.get(change.link)?;
            Some(format!(
                "{} → {} at {} (`{}`)",
                change.before, change.after, link.place, link.text
            ))
        })
        .collect();
    let more = if down.len() > SHOWN { ", …" } else { "" };
    (!down.is_empty()).then(|| format!("{}{more}", down[..down.len().min(SHOWN)].join(", ")))
}
