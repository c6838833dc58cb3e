//! The sentences: what happens, at which layer, with the numbers of this case.

use super::Reason;
use super::causes::Finding;
use super::chain::Chain;
use crate::output_check::{count, kind_of, units};
use strata_core::format;
use strata_core::project::node::Node;
use strata_core::project::size::Shape;
use strata_core::project::{Network, Place, Stack};
use strata_core::shape::axis_rule::{AxisRule, Slide};
use strata_core::shape::infer::{Inference, Row};
use strata_core::shape::propagate::Link;

/// A place for what has none: only an empty chain has no layer to name.
pub(crate) fn nowhere() -> Place {
    Place::new(Stack::Encoder, 0)
}

/// The sentence where nothing is lost; `without_steps` where no layer changes the size.
pub(crate) fn equal(network: &Network, without_steps: bool) -> String {
    let last = network.decoder.last().map(Node::label).unwrap_or_default();
    let begin = match without_steps {
        true => "No layer changes the size",
        false => "Every step down is undone by a step up of the same size",
    };
    format!("{begin}; `{last}` gives the input's shape.")
}

/// What is said where the path has no steps: that nothing changes the size, or which layers of a stack too deep to be
/// drawn do.
pub fn without_steps(inference: &Inference) -> String {
    const SHOWN: usize = 4;
    let scales = |row: &&Row| {
        let sizes = |shape: &Option<Shape>| shape.as_ref().map(|shape| shape.spatial().to_vec());
        let changes = sizes(&row.input) != sizes(&row.output) && row.output.is_some();
        !row.is_block && row.place.stack != Stack::Head && changes
    };
    let steps: Vec<String> = inference
        .rows
        .iter()
        .filter(scales)
        .map(|row| format!("`{}` at {}", row.text, row.place))
        .collect();
    let listed = steps.get(..SHOWN).unwrap_or(&steps).join(", ");
    match (steps.len(), steps.len().saturating_sub(SHOWN)) {
        (0, _) => "No layer changes the size: it passes through as it is.".to_owned(),
        (_, 0) => format!("The size changes at {listed}."),
        (_, more) => format!("The size changes at {listed} and {more} more."),
    }
}

/// `one row and one column`, `two rows and two columns`
pub(crate) fn cells(number: i64, axes: &[usize], rank: usize) -> String {
    let number = usize::try_from(number.unsigned_abs()).unwrap_or(usize::MAX);
    let each = axes
        .iter()
        .filter_map(|&axis| units(rank).get(axis + 1))
        .map(|unit| count(number, unit));
    each.collect::<Vec<_>>().join(" and ")
}

/// `one row and one column short`, `two rows too many`
pub(crate) fn amount(difference: i64, axes: &[usize], rank: usize) -> String {
    format!(
        "{} {}",
        cells(difference, axes, rank),
        if difference < 0 { "short" } else { "too many" }
    )
}

/// The sentence of a finding.
pub(crate) fn sentence(chain: &Chain, finding: &Finding, rank: usize) -> String {
    let body = match finding.reason {
        Reason::Floor => floor(chain, finding),
        Reason::Window => window(chain, finding),
        Reason::Factor => factor(chain, finding),
        Reason::MissingStep => missing(chain, finding),
        Reason::ExtraStep => extra(chain, finding),
        Reason::Margin => return margin(chain, finding, rank),
        _ => start(chain, finding),
    };
    format!("{body}: {}.", outcome(finding, rank))
}

/// How much is missing there, and what becomes of it at the output.
fn outcome(finding: &Finding, rank: usize) -> String {
    let here = finding.got - finding.wanted;
    let there = amount(here, &finding.axes, rank);
    if here == finding.effect || finding.effect == 0 {
        return there;
    }
    format!(
        "{there}; at the output that is {}",
        amount(finding.effect, &finding.axes, rank)
    )
}

/// A layer's place and its text.
fn named(chain: &Chain, link: Option<usize>) -> (String, String) {
    let link = link.and_then(|link| chain.links.get(link));
    link.map_or_else(
        || ("the decoder".to_owned(), String::new()),
        |link| (link.place.to_string(), link.text.clone()),
    )
}

/// The rule of a finding's layer along its first axis.
fn rule(chain: &Chain, link: usize, finding: &Finding) -> Option<AxisRule> {
    chain
        .links
        .get(link)?
        .rules
        .get(*finding.axes.first()?)
        .copied()
}

fn floor(chain: &Chain, finding: &Finding) -> String {
    let (place, text) = named(chain, Some(finding.culprit));
    let (partner, undo) = named(chain, finding.partner);
    let rule = rule(chain, finding.culprit, finding);
    let stride = rule.map_or(1, AxisRule::factor);
    let way = match rule {
        Some(AxisRule::Slide(Slide { pad: None, .. })) => "up",
        _ => "down",
    };
    let Finding {
        wanted,
        from,
        got,
        origin,
        ..
    } = finding;
    let others = others(*wanted, origin.unwrap_or((*got, *got)));
    format!(
        "Stride {stride} at {place} rounds {way}: {wanted} → {from} would come from {others} as well (`{text}`), and {partner} (`{undo}`) makes {got} of it"
    )
}

/// The sizes of a range without one of them: `16`, `14 or 15`, `any size from 226 to 241`.
fn others(one: i64, (least, most): (i64, i64)) -> String {
    let rest: Vec<String> = (least..=most.min(least.saturating_add(4)))
        .filter(|&n| n != one)
        .map(|n| n.to_string())
        .collect();
    match rest.as_slice() {
        _ if most - least > 3 => format!("any size from {least} to {most}"),
        [first @ .., last] if !first.is_empty() => format!("{} or {last}", first.join(", ")),
        rest => rest.concat(),
    }
}

fn window(chain: &Chain, finding: &Finding) -> String {
    let (place, text) = named(chain, Some(finding.culprit));
    let (partner, made) = named(chain, finding.partner);
    let Finding {
        wanted,
        from,
        got,
        origin,
        ..
    } = finding;
    let possible = match origin {
        Some((least, most)) if least < most => {
            format!(", which makes {from} of {least} to {most} alone")
        }
        _ => String::new(),
    };
    let padding = paddings(chain, finding)
        .map(|text| format!("; {text}"))
        .unwrap_or_default();
    format!(
        "`{text}` at {place} makes {got} of {from}, but the {from} was made of {wanted} by `{made}` at {partner}{possible}{padding}"
    )
}

/// Where only the padding differs, that is what to say.
fn paddings(chain: &Chain, finding: &Finding) -> Option<String> {
    let here = rule(chain, finding.culprit, finding)?;
    let there = rule(chain, finding.partner?, finding)?;
    let (AxisRule::Spread(up, _), AxisRule::Slide(down)) = (here, there) else {
        return None;
    };
    let (own, other) = (up.pad?, down.pad?);
    (own != other && up.span == down.span)
        .then(|| format!("its padding is {own}, the other's {other}"))
}

fn factor(chain: &Chain, finding: &Finding) -> String {
    let (place, text) = named(chain, Some(finding.culprit));
    let (partner, made) = named(chain, finding.partner);
    let factor = |link: Option<usize>| {
        link.and_then(|link| rule(chain, link, finding))
            .map_or(1, AxisRule::factor)
    };
    let (up, down) = (factor(Some(finding.culprit)), factor(finding.partner));
    format!(
        "`{text}` at {place} enlarges {up} times, but `{made}` at {partner}, which it should undo, divides by {down}; {} became {}, which becomes {}",
        finding.wanted, finding.from, finding.got
    )
}

fn missing(chain: &Chain, finding: &Finding) -> String {
    let (place, text) = named(chain, Some(finding.culprit));
    format!(
        "`{text}` at {place} makes {} of {}, and no layer of the decoder undoes this step",
        finding.from, finding.wanted
    )
}

fn extra(chain: &Chain, finding: &Finding) -> String {
    let (place, text) = named(chain, Some(finding.culprit));
    format!(
        "`{text}` at {place} makes {} of {}, but no layer of the encoder makes such a step down: one step up too many",
        finding.got, finding.from
    )
}

/// Positions that a layer removes or adds by itself.
fn margin(chain: &Chain, finding: &Finding, rank: usize) -> String {
    let (place, text) = named(chain, Some(finding.culprit));
    // In the encoder the layer itself went from `wanted` to `from`; in the decoder from `from` to `got`.
    let in_encoder = finding.got == finding.from;
    let (before, after) = if in_encoder {
        (finding.wanted, finding.from)
    } else {
        (finding.from, finding.got)
    };
    let cells = cells(after - before, &finding.axes, rank);
    let (does, undone) = if after < before {
        (format!("takes {cells} away"), "gives them back")
    } else {
        (format!("adds {cells}"), "takes them away")
    };
    let why = match rule(chain, finding.culprit, finding) {
        Some(AxisRule::Slide(Slide {
            span,
            pad: Some(pad),
            ..
        })) if after < before && span > 1 => {
            format!(" (a window {span} wide, padding {pad})")
        }
        _ => String::new(),
    };
    let end = if in_encoder {
        format!("no layer of the decoder {undone}")
    } else {
        "no layer of the encoder did so".to_owned()
    };
    format!(
        "`{text}` at {place} {does}, {before} → {after}{why}, and {end}{}.",
        far(finding, rank)
    )
}

fn far(finding: &Finding, rank: usize) -> String {
    let here = finding.got - finding.wanted;
    match finding.effect {
        effect if effect == here || effect == 0 => String::new(),
        effect => format!(
            "; at the output that is {}",
            amount(effect, &finding.axes, rank)
        ),
    }
}

fn start(chain: &Chain, finding: &Finding) -> String {
    let (place, text) = named(chain, Some(finding.culprit));
    let ended = match finding.partner {
        Some(link) => {
            format!(
                "{} where the encoder's image ended, before `{}`",
                finding.wanted,
                named(chain, Some(link)).1
            )
        }
        None => format!("{} before it", finding.wanted),
    };
    format!(
        "`{text}` at {place} starts from {}, but the size was {ended}",
        finding.got
    )
}

/// The sentence about channels.
pub(crate) fn channels(link: Option<&Link>, output: &Shape, input: &Shape) -> String {
    let (is, wanted) = (
        count(output.channels(), "channel"),
        count(input.channels(), "channel"),
    );
    match link {
        Some(link) => format!(
            "`{}` at {} gives {is}, the input has {wanted}.",
            link.text, link.place
        ),
        None => format!("The output has {is}, the input {wanted}."),
    }
}

/// The sentence about a vector in place of an image, or the reverse.
pub(crate) fn rank(link: Option<&Link>, output: &Shape, input: &Shape) -> String {
    let (is, wanted) = (kind_of(output), kind_of(input));
    let by = link.map_or_else(String::new, |link| {
        format!("`{}` at {} ends in ", link.text, link.place)
    });
    let end = if by.is_empty() {
        format!("The output is {is}")
    } else {
        format!("{by}{is}")
    };
    let help = match (output.is_vector(), output.elements() == input.elements()) {
        (true, true) => {
            format!(
                "; it holds as many numbers as the input: `reshape {}` makes the image of it",
                input.to_file_text()
            )
        }
        (true, false) => format!(
            " of {} numbers, where {wanted} of {input} holds {}: a `dense {}` and a `reshape {}` would make it",
            format::count(output.elements()),
            format::count(input.elements()),
            input.elements(),
            input.to_file_text()
        ),
        _ => format!(", {output}, instead of {wanted}"),
    };
    format!("{end}{help}.")
}
