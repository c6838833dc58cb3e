//! What a constant becomes on its way to the output: through the whole decoder, or from one layer on.
//!
//! Exact for layers one after the other, since equal weights keep the axes apart; where branches meet their mean
//! is taken, axis by axis. After `reshape` a map counts as constant.

use super::profile::Profile;
use super::transposed;
use strata_core::project::{Place, Stack};
use strata_core::shape::infer::Inference;
use strata_core::shape::op::{Plan, Planned, PlannedLayer};

/// Layers gone through at most: more are too many for the moment that a window has.
const MOST_LAYERS: u64 = 1024;

/// What a constant code becomes, along the last two axes of the output (the last one of a signal).
#[derive(Clone, Debug, PartialEq)]
pub struct Response {
    /// Down the picture; a single 1 for a signal. The picture at row y, column x is `rows[y]`·`columns[x]`.
    pub rows: Vec<f64>,
    /// Across the picture.
    pub columns: Vec<f64>,
    /// One period of the pattern far from the borders, down and across, with a mean of 1.
    pub pattern: [Vec<f64>; 2],
    /// Whether it starts at the input instead of the code: transposed convolutions are in the encoder.
    pub from_input: bool,
    /// Whether branches on the way were averaged.
    pub averaged: bool,
}

impl Response {
    /// Rows and columns after which the pattern repeats; 1 where there is none.
    pub fn period(&self) -> [usize; 2] {
        [self.pattern[0].len(), self.pattern[1].len()]
    }

    /// The brightest position of the pattern over the darkest; infinite where some positions get nothing.
    pub fn strength(&self) -> f64 {
        self.pattern.iter().map(|axis| ratio(axis)).product()
    }

    /// Whether there is a pattern.
    pub fn has_pattern(&self) -> bool {
        self.strength() > 1.0 + 1e-6
    }
}

/// The largest value over the least.
pub(crate) fn ratio(values: &[f64]) -> f64 {
    let (low, high) = values
        .iter()
        .fold((f64::INFINITY, 0.0f64), |(low, high), &v| {
            (low.min(v), high.max(v))
        });
    if low > 0.0 { high / low } else { f64::INFINITY }
}

/// The response of the decoder to a constant code. Where the encoder has transposed convolutions, of the whole
/// network to a constant input. `None` without a decoder, with an error in it, for a vector, where a side is
/// longer than 4096, and for more than 1024 layers.
pub fn response(inference: &Inference) -> Option<Response> {
    let (plan, output) = (inference.plan.as_ref()?, inference.output.as_ref()?);
    if is_too_deep(inference) {
        return None;
    }
    let from_input = transposed(inference)
        .iter()
        .any(|layer| layer.place.stack == Stack::Encoder);
    let decoder = plan.stack(Stack::Decoder)?;
    let nodes: Vec<&[Planned]> = match from_input {
        true => vec![plan.stack(Stack::Encoder)?, decoder],
        false => vec![decoder],
    };
    let start = if from_input {
        &inference.input
    } else {
        &plan.code
    };
    let along = |axis: usize, profile: Profile| {
        nodes
            .iter()
            .try_fold(profile, |p, nodes| run(nodes, p, axis))
    };
    let strip = |axis: usize| along(axis, Profile::flat(start.volume()[axis])?);
    let pattern = |axis: usize| along(axis, Profile::endless()).map(one_period);
    let rows = match output.rank() {
        0 => return None,
        1 => vec![1.0],
        _ => strip(1)?.values,
    };
    let averaged = nodes.iter().any(|nodes| nodes.iter().any(branches));
    Some(Response {
        rows,
        columns: strip(2)?.values,
        pattern: [pattern(1)?, pattern(2)?],
        from_input,
        averaged,
    })
}

/// Whether there are too many layers to go through.
pub(crate) fn is_too_deep(inference: &Inference) -> bool {
    inference.totals.layers > MOST_LAYERS
}

fn one_period(profile: Profile) -> Vec<f64> {
    let period = profile.period();
    profile.values.into_iter().take(period).collect()
}

fn branches(node: &Planned) -> bool {
    match node {
        Planned::Layer(_) => false,
        Planned::Add { .. } | Planned::Concat { .. } => true,
        Planned::Repeat { passes, .. } => passes.iter().flatten().any(branches),
    }
}

/// What one period of a constant becomes between a layer (itself included) and the end of its stack, and of the
/// decoder after an encoder.
pub(crate) fn pattern_after(plan: &Plan, place: &Place, axis: usize) -> Option<Vec<f64>> {
    let own = resume(plan.stack(place.stack)?, &place.path, axis)?;
    let all = match (place.stack, plan.stack(Stack::Decoder)) {
        (Stack::Encoder, Some(decoder)) => run(decoder, own, axis)?,
        _ => own,
    };
    Some(one_period(all))
}

/// Starts with a constant at the layer of this path.
fn resume(nodes: &[Planned], path: &[usize], axis: usize) -> Option<Profile> {
    let (&index, deeper) = path.split_first()?;
    let (node, rest) = (nodes.get(index)?, nodes.get(index + 1..)?);
    let through = match (node, deeper.split_first()) {
        (Planned::Layer(layer), None) => one(layer, Profile::endless(), axis)?,
        (
            Planned::Add { branches, .. } | Planned::Concat { branches, .. },
            Some((&branch, deeper)),
        ) => {
            let mut all = vec![Profile::endless(); branches.len().saturating_sub(1)];
            all.push(resume(branches.get(branch)?, deeper, axis)?);
            Profile::mean(all)?
        }
        (Planned::Repeat { passes, .. }, Some((_, deeper))) => {
            let (first, later) = passes.split_first()?;
            later
                .iter()
                .try_fold(resume(first, deeper, axis)?, |profile, pass| {
                    run(pass, profile, axis)
                })?
        }
        _ => return None,
    };
    run(rest, through, axis)
}

fn run(nodes: &[Planned], profile: Profile, axis: usize) -> Option<Profile> {
    nodes.iter().try_fold(profile, |profile, node| match node {
        Planned::Layer(layer) => one(layer, profile, axis),
        Planned::Add { branches, .. } | Planned::Concat { branches, .. } => Profile::mean(
            branches
                .iter()
                .map(|branch| run(branch, profile.clone(), axis))
                .collect::<Option<_>>()?,
        ),
        Planned::Repeat { passes, .. } => passes
            .iter()
            .try_fold(profile, |profile, pass| run(pass, profile, axis)),
    })
}

fn one(layer: &PlannedLayer, profile: Profile, axis: usize) -> Option<Profile> {
    profile.through(&layer.op, axis, layer.output.volume()[axis])
}
