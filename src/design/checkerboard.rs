//! Checkerboards: where the kernels of transposed convolutions overlap unevenly, so that a constant code
//! becomes a pattern (Odena, Dumoulin, Olah 2016, "Deconvolution and Checkerboard Artifacts", Distill).
//!
//! Arithmetic of positions, axis by axis; no weight is known here. Nothing fails: a network with
//! errors has the layers of its sound stacks.

mod fix;
mod profile;
mod response;
mod taps;

pub use fix::Fix;
pub use response::{Response, response};
pub use taps::Taps;

use response::{pattern_after, ratio};
use std::collections::BTreeSet;
use strata_core::project::{Network, Place};
use strata_core::shape::error::times;
use strata_core::shape::infer::Inference;
use strata_core::shape::layers::Reads;
use strata_core::shape::op::{Op, Planned, PlannedLayer};

/// Whether a layer reaches some of its outputs with more taps than others; false for all but transposed
/// convolutions.
pub(crate) fn is_uneven(op: &Op) -> bool {
    match op.reads() {
        Reads::Spread(geometry) => (0..3).any(|axis| !Taps::of(&geometry, axis).is_even()),
        Reads::Own
        | Reads::OwnAndStatistics
        | Reads::Window(..)
        | Reads::Unpooled(_)
        | Reads::Enlarged { .. }
        | Reads::Adaptive { .. }
        | Reads::Padded { .. }
        | Reads::Cropped { .. }
        | Reads::All => false,
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

/// Whether there is a transposed convolution at all.
pub(crate) fn has_transposed(inference: &Inference) -> bool {
    !transposed(inference).is_empty()
}

/// Each place once: of a repeat the first pass.
fn once(layers: Vec<&PlannedLayer>) -> Vec<&PlannedLayer> {
    let mut seen = BTreeSet::new();
    layers
        .into_iter()
        .filter(|layer| seen.insert(&layer.place))
        .collect()
}

/// All transposed convolutions; those of a repeat once for every pass.
fn transposed(inference: &Inference) -> Vec<&PlannedLayer> {
    let mut found = Vec::new();
    if let Some(plan) = &inference.plan {
        plan.stacks
            .iter()
            .flatten()
            .for_each(|stack| collect(stack, &mut found));
    }
    found
}

fn collect<'a>(nodes: &'a [Planned], found: &mut Vec<&'a PlannedLayer>) {
    for node in nodes {
        match node {
            Planned::Layer(layer) if matches!(layer.op, Op::ConvTranspose { .. }) => {
                found.push(layer)
            }
            Planned::Layer(_) => {}
            Planned::Add { branches, .. } | Planned::Concat { branches, .. } => {
                branches.iter().for_each(|branch| collect(branch, found));
            }
            Planned::Repeat { passes, .. } => passes.iter().for_each(|pass| collect(pass, found)),
        }
    }
}

/// One transposed convolution: how evenly its kernel covers what it makes.
#[derive(Clone, Debug, PartialEq)]
pub struct Overlap {
    /// Where it is.
    pub place: Place,
    /// Its text.
    pub text: String,
    /// Its kernel on each axis of its map.
    pub axes: Vec<Taps>,
    /// Rows and columns of the output (samples of a signal) after which its pattern repeats: 1 where later layers
    /// even it out. `None` where the way to the output is too long or too intricate.
    pub period: Option<Vec<usize>>,
    /// The brightest position over the darkest, of this layer's output when all weights are equal; infinite where some
    /// positions are reached by no tap.
    pub strength: f64,
    /// The same of its pattern in the network's output; as `period`.
    pub strength_after: Option<f64>,
}

impl Overlap {
    /// Whether every output is reached by equally many taps.
    pub fn is_even(&self) -> bool {
        self.axes.iter().all(Taps::is_even)
    }

    /// What is uneven, in words.
    pub fn sentence(&self) -> String {
        let Some(taps) = self.axes.iter().find(|taps| !taps.is_even()) else {
            return "every output is reached by equally many taps".to_owned();
        };
        let reached = format!(
            "outputs are reached by {} or {} taps in turn",
            taps.least(),
            taps.most()
        );
        let why = match taps::gcd(taps.stride, taps.dilation) {
            1 => format!(
                "the kernel {} is no multiple of the stride {}",
                taps.kernel, taps.stride
            ),
            factor => format!(
                "the stride {} and the dilation {} share the factor {factor}, with which no kernel is even",
                taps.stride, taps.dilation
            ),
        };
        let seen = match &self.period {
            Some(period) if period.iter().all(|&cells| cells == 1) => {
                "; later layers would even it out if their weights were equal".to_owned()
            }
            Some(period) => format!(
                "; in the output a pattern repeats every {} cells",
                times(period)
            ),
            None => String::new(),
        };
        format!("{why}: {reached}{seen}")
    }
}

/// All transposed convolutions of a network, in the order of the text; of a repeat its first pass.
pub fn overlaps(inference: &Inference) -> Vec<Overlap> {
    let Some(plan) = &inference.plan else {
        return Vec::new();
    };
    let is_deep = response::is_too_deep(inference);
    let overlap = |layer: &PlannedLayer| {
        let Op::ConvTranspose { geometry, .. } = &layer.op else {
            return None;
        };
        let own = 3 - layer.input.rank()..3;
        let axes: Vec<Taps> = own.clone().map(|axis| Taps::of(geometry, axis)).collect();
        let after = |axis: usize| {
            if is_deep {
                None
            } else {
                pattern_after(plan, &layer.place, axis)
            }
        };
        let after: Option<Vec<Vec<f64>>> = own.map(after).collect();
        let text = inference
            .row(&layer.place)
            .map(|row| row.text.clone())
            .unwrap_or_default();
        Some(Overlap {
            place: layer.place.clone(),
            text,
            strength: axes
                .iter()
                .map(|taps| taps.most() as f64 / taps.least() as f64)
                .product(),
            axes,
            period: after
                .as_ref()
                .map(|axes| axes.iter().map(Vec::len).collect()),
            strength_after: after.map(|axes| axes.iter().map(|values| ratio(values)).product()),
        })
    };
    once(transposed(inference))
        .into_iter()
        .filter_map(overlap)
        .collect()
}

/// What to write instead of the uneven transposed convolution at a place, best first: every fix keeps all shapes.
pub fn fixes(network: &Network, inference: &Inference, place: &Place) -> Vec<Fix> {
    let layer = transposed(inference)
        .into_iter()
        .find(|layer| layer.place == *place && is_uneven(&layer.op));
    layer
        .map(|layer| fix::fixes(network, inference, layer))
        .unwrap_or_default()
}

#[cfg(test)]
mod tests;
