//! From pairs of steps to causes: every pair is judged by itself, at the size that it would have if all others
//! were right, so that one defect is one cause and causes add up.

use super::align::{Pair, align, through};
use super::chain::{Chain, Change};
use super::words;
use super::{Cause, Reason};
use strata_core::project::size::Shape;
use strata_core::shape::axis_rule::Turn;
use strata_core::shape::propagate::Link;

/// The causes of a chain without an error, and how its steps pair.
pub(crate) struct Judged {
    /// From the code outwards.
    pub causes: Vec<Cause>,
    /// For the axis that says most: the steps down, the steps up, and how they pair.
    pub pairs: Paired,
}

/// Steps of one axis with their pairs, from the code outwards.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Paired {
    pub down: Vec<Change>,
    pub up: Vec<Change>,
    pub pairs: Vec<Pair>,
    /// The axis they are about.
    pub axis: usize,
}

/// What is wrong with one pair along one axis.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Finding {
    pub reason: Reason,
    /// The layers it is about, as indices of the chain.
    pub culprit: usize,
    pub partner: Option<usize>,
    /// The size that should have come back, where the step up starts, and its output size.
    pub wanted: i64,
    pub from: i64,
    pub got: i64,
    /// All sizes that the step down makes the same of.
    pub origin: Option<(i64, i64)>,
    /// What comes of it at the output.
    pub effect: i64,
    pub axes: Vec<usize>,
}

/// Judges encoder and decoder against the input.
pub(crate) fn judge(chain: &Chain, input: &Shape) -> Judged {
    let output = chain.links.last().map_or(input, |link| &link.after);
    let (mut findings, mut best) = (Vec::new(), Paired::default());
    for axis in 0..input.rank() {
        let paired = pairs(chain, axis);
        let found = if output.rank() == input.rank() {
            findings_of(chain, &paired, axis, input)
        } else {
            Vec::new()
        };
        if axis == 0 || (findings.is_empty() && !found.is_empty()) {
            best = paired;
        }
        merge(&mut findings, found);
    }
    let mut causes: Vec<Cause> = findings
        .iter()
        .map(|finding| cause(chain, finding, input.rank()))
        .collect();
    causes.extend(whole(chain, output, input));
    Judged {
        causes,
        pairs: best,
    }
}

/// The steps down and up of an axis, paired.
pub(crate) fn pairs(chain: &Chain, axis: usize) -> Paired {
    let all = chain.links.len();
    let (down, up) = match chain.cuts() {
        Some((first, last)) => (
            chain.changes(axis, 0..first),
            chain.changes(axis, last + 1..all),
        ),
        None => divided(chain, axis),
    };
    Paired {
        pairs: align(&down, &up),
        down,
        up,
        axis,
    }
}

/// Down in the encoder and up in the decoder; where one stack has both, parted where the size is least.
fn divided(chain: &Chain, axis: usize) -> (Vec<Change>, Vec<Change>) {
    let mut changes = chain.changes(axis, 0..usize::MAX);
    let up = |change: &Change| matches!(change.rule.turn(), Turn::Up(_));
    let decoder_scales = changes
        .iter()
        .any(|change| change.link >= chain.code && up(change));
    let at = if decoder_scales || !changes.iter().any(up) {
        changes
            .iter()
            .position(|change| change.link >= chain.code)
            .unwrap_or(changes.len())
    } else {
        let least = changes.iter().map(|change| change.after).min();
        changes
            .iter()
            .rposition(|change| Some(change.after) == least)
            .map_or(0, |last| last + 1)
    };
    let rest = changes.split_off(at);
    (changes, rest)
}

fn findings_of(chain: &Chain, paired: &Paired, axis: usize, input: &Shape) -> Vec<Finding> {
    let size = |shape: &Shape| shape.spatial().get(axis).map_or(1, |&size| size as i64);
    let output = chain.links.last().map_or(input, |link| &link.after);
    if size(output) == size(input) {
        return Vec::new();
    }
    let code = paired
        .down
        .last()
        .map_or_else(|| size(input), |change| change.after);
    let mut found: Vec<Finding> = start(chain, axis, code).into_iter().collect();
    found.extend(defects(paired, code, axis));
    if let Some(first) = found
        .first_mut()
        .filter(|finding| finding.reason == Reason::Start)
    {
        first.effect = effect(&paired.up, first.got, first.wanted);
    }
    found
}

/// What is wrong with the pairs of one axis, from the code outwards.
pub(crate) fn defects(paired: &Paired, code: i64, axis: usize) -> Vec<Finding> {
    let mut level = code;
    let mut found = Vec::new();
    for pair in &paired.pairs {
        let (down, up) = (&paired.down[pair.down.clone()], &paired.up[pair.up.clone()]);
        let rest = &paired.up[pair.up.end..];
        let wanted = down.first().map_or(level, |change| change.before);
        let got = through(up, level).unwrap_or(1);
        if got != wanted {
            found.push(finding(down, up, rest, [level, wanted, got], axis));
        }
        level = wanted;
    }
    found
}

fn finding(
    down: &[Change],
    up: &[Change],
    rest: &[Change],
    [from, wanted, got]: [i64; 3],
    axis: usize,
) -> Finding {
    let origin = down
        .iter()
        .rev()
        .try_fold((from, from), |(least, most), change| {
            Some((change.rule.origin(least)?.0, change.rule.origin(most)?.1))
        });
    let scales = |run: &[Change]| run.iter().any(|change| change.rule.factor() > 1);
    let factor = |run: &[Change]| {
        run.iter()
            .map(|change| change.rule.factor())
            .fold(1i64, i64::saturating_mul)
    };
    let reason = match (down, up) {
        ([], _) if scales(up) => Reason::ExtraStep,
        (_, []) if scales(down) => Reason::MissingStep,
        ([], _) | (_, []) => Reason::Margin,
        _ if scales(down) && scales(up) && factor(down) != factor(up) => Reason::Factor,
        _ if origin.is_some_and(|(least, most)| (least..=most).contains(&got)) => Reason::Floor,
        _ => Reason::Window,
    };
    let rounded = down
        .iter()
        .rev()
        .find(|change| change.rule.origin(change.after).is_some_and(|(a, b)| a < b));
    let (first_up, first_down) = (
        up.first().map(|change| change.link),
        rounded.or(down.last()).map(|c| c.link),
    );
    let (culprit, partner) = match reason {
        Reason::Window | Reason::Factor => (first_up, first_down),
        _ => (
            first_down.or(first_up),
            first_up.filter(|_| first_down.is_some()),
        ),
    };
    let effect = effect(rest, got, wanted);
    Finding {
        reason,
        culprit: culprit.unwrap_or(0),
        partner,
        wanted,
        from,
        got,
        origin,
        effect,
        axes: vec![axis],
    }
}

/// What a wrong size becomes at the output, against the right one.
fn effect(rest: &[Change], got: i64, wanted: i64) -> i64 {
    match (through(rest, got), through(rest, wanted)) {
        (Some(got), Some(wanted)) => got - wanted,
        _ => got - wanted,
    }
}

/// A `reshape` that starts from another size than the encoder ended with.
fn start(chain: &Chain, axis: usize, code: i64) -> Option<Finding> {
    let (first, last) = chain.cuts()?;
    let got = *chain.links[last].after.spatial().get(axis)? as i64;
    let partner = Some(first).filter(|first| *first != last);
    let (reason, effect) = (Reason::Start, got - code);
    let finding = Finding {
        reason,
        culprit: last,
        partner,
        wanted: code,
        from: code,
        got,
        origin: None,
        effect,
        axes: vec![axis],
    };
    (got != code).then_some(finding)
}

/// Puts together what is the same along several axes.
pub(crate) fn merge(all: &mut Vec<Finding>, more: Vec<Finding>) {
    for finding in more {
        let same = |other: &&mut Finding| {
            Finding {
                axes: other.axes.clone(),
                ..finding.clone()
            } == **other
        };
        match all.iter_mut().find(same) {
            Some(other) => other.axes.extend(finding.axes),
            None => all.push(finding),
        }
    }
}

/// A finding as a cause, in words.
pub(crate) fn cause(chain: &Chain, finding: &Finding, rank: usize) -> Cause {
    let place = |link: usize| chain.links.get(link).map(|link| link.place.clone());
    Cause {
        reason: finding.reason,
        place: place(finding.culprit).unwrap_or_else(words::nowhere),
        partner: finding.partner.and_then(place),
        axes: finding.axes.clone(),
        sizes: Some((finding.wanted.max(0) as u64, finding.got.max(0) as u64)),
        effect: finding.effect,
        sentence: words::sentence(chain, finding, rank),
    }
}

/// What is wrong with the output as a whole: no image, or other channels.
fn whole(chain: &Chain, output: &Shape, input: &Shape) -> Option<Cause> {
    let reason = match () {
        () if output.rank() != input.rank() => Reason::Rank,
        () if output.channels() != input.channels() => Reason::Channels,
        () => return None,
    };
    let changes = |link: &&Link| match reason {
        Reason::Rank => link.before.rank() != link.after.rank() || link.rules.is_empty(),
        _ => sets_channels(link),
    };
    let link = chain
        .links
        .iter()
        .rev()
        .find(changes)
        .or(chain.links.last());
    let place = link.map_or_else(words::nowhere, |link| link.place.clone());
    let sentence = match reason {
        Reason::Rank => words::rank(link, output, input),
        _ => words::channels(link, output, input),
    };
    let (partner, axes, sizes) = (None, Vec::new(), None);
    Some(Cause {
        reason,
        place,
        partner,
        axes,
        sizes,
        effect: 0,
        sentence,
    })
}

fn sets_channels(link: &Link) -> bool {
    use strata_core::project::layer::Kind::{Conv, ConvTranspose, Dense, Reshape, SeparableConv};
    let named = matches!(
        link.kind,
        Some(
            Conv { .. }
                | ConvTranspose { .. }
                | SeparableConv { .. }
                | Reshape { .. }
                | Dense { .. }
        )
    );
    named || link.before.channels() != link.after.channels()
}
