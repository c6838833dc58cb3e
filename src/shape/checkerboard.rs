//! Checkerboards: where the kernels of transposed convolutions overlap unevenly, so that a constant code
//! becomes a pattern (Odena, Dumoulin, Olah 2016, "Deconvolution and Checkerboard Artifacts", Distill).
//!
//! Arithmetic of positions alone, axis by axis; no weight is known here. Nothing fails: a network with
//! errors has the layers of its sound stacks.

mod taps;

pub use taps::Taps;

use super::infer::Inference;
use super::op::{Op, Planned, PlannedLayer};
use crate::project::Place;
use std::collections::BTreeSet;

/// Whether a layer reaches some of its outputs with more taps than others; false for all but transposed
/// convolutions.
pub fn is_uneven(op: &Op) -> bool {
    match op {
        Op::ConvTranspose { geometry, .. } => (0..3).any(|axis| !Taps::of(geometry, axis).is_even()),
        _ => false,
    }
}

/// The places of all uneven transposed convolutions, in the order of the text.
pub fn uneven(inference: &Inference) -> Vec<Place> {
    once(transposed(inference))
        .into_iter()
        .filter(|layer| is_uneven(&layer.op))
        .map(|layer| layer.place.clone())
        .collect()
}

/// Each place once: of a repeat the first pass.
fn once(layers: Vec<&PlannedLayer>) -> Vec<&PlannedLayer> {
    let mut seen = BTreeSet::new();
    layers.into_iter().filter(|layer| seen.insert(&layer.place)).collect()
}

/// All transposed convolutions; those of a repeat once for every pass.
fn transposed(inference: &Inference) -> Vec<&PlannedLayer> {
    let mut found = Vec::new();
    if let Some(plan) = &inference.plan {
        plan.stacks.iter().flatten().for_each(|stack| collect(stack, &mut found));
    }
    found
}

fn collect<'a>(nodes: &'a [Planned], found: &mut Vec<&'a PlannedLayer>) {
    for node in nodes {
        match node {
            Planned::Layer(layer) if matches!(layer.op, Op::ConvTranspose { .. }) => found.push(layer),
            Planned::Layer(_) => {}
            Planned::Add { branches, .. } | Planned::Concat { branches, .. } => {
                branches.iter().for_each(|branch| collect(branch, found));
            }
            Planned::Repeat { passes, .. } => passes.iter().for_each(|pass| collect(pass, found)),
        }
    }
}
