//! A layer's numbers as a formula, and a convolution compared with the dense layer between the same shapes.

#![deny(clippy::wildcard_enum_match_arm)]

use strata_core::format::count;
use strata_core::project::Place;
use strata_core::project::size::Shape;
use strata_core::shape::layers::count::Count;
use strata_core::shape::op::{Op, Plan, Planned, PlannedLayer};

/// A convolution and the dense layer from the same input to the same output.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct AgainstDense {
    /// Parameters of the convolution and of the dense layer.
    pub parameters: [u64; 2],
    /// Multiply-accumulates for one image, of both.
    pub macs: [u64; 2],
    /// Numbers in and out.
    pub ends: [u64; 2],
}

impl AgainstDense {
    /// The comparison for a convolution, transposed or separable too; `None` for other layers.
    pub fn of(op: &Op, input: &Shape, output: &Shape) -> Option<AgainstDense> {
        if !matches!(
            op,
            Op::Conv { .. } | Op::ConvTranspose { .. } | Op::SeparableConv { .. }
        ) {
            return None;
        }
        let ends = [input.elements(), output.elements()];
        let [from, to] = ends;
        let weight = from.saturating_mul(to);
        let count = op.count();
        Some(AgainstDense {
            parameters: [count.parameters(input), weight.saturating_add(to)],
            macs: [count.macs(input), weight],
            ends,
        })
    }

    /// How many times the dense layer has as many parameters.
    pub fn parameters_factor(&self) -> f64 {
        let [own, dense] = self.parameters;
        dense as f64 / own.max(1) as f64
    }

    /// How many times the dense layer takes as many multiply-accumulates.
    pub fn macs_factor(&self) -> f64 {
        let [own, dense] = self.macs;
        dense as f64 / own.max(1) as f64
    }
}

/// The resolved layer at a place; of a repeat's that of the first pass.
pub fn layer_at<'a>(plan: &'a Plan, place: &Place) -> Option<&'a PlannedLayer> {
    first(plan.stack(place.stack)?, place)
}

fn first<'a>(nodes: &'a [Planned], place: &Place) -> Option<&'a PlannedLayer> {
    nodes.iter().find_map(|node| match node {
        Planned::Layer(layer) => (layer.place == *place).then_some(layer),
        Planned::Add { branches, .. } | Planned::Concat { branches, .. } => {
            branches.iter().find_map(|branch| first(branch, place))
        }
        Planned::Repeat { passes, .. } => passes.first().and_then(|pass| first(pass, place)),
    })
}

/// How a layer's parameters are counted, `32·(3·3·3 + 1) = 896`; `None` where there are none.
pub fn parameters_formula(layer: &PlannedLayer) -> Option<String> {
    let counted = layer.op.count();
    let sum = counted.parameters(&layer.input);
    (counted != Count::NOTHING)
        .then(|| format!("{} = {}", counted.factored(&layer.input), count(sum)))
}

/// How a layer's multiply-accumulates for one image are counted, `30·30 · 32·3·3·3 = 777,600`.
pub fn macs_formula(layer: &PlannedLayer) -> Option<String> {
    let counted = layer.op.count();
    let sum = counted.macs(&layer.input);
    let text = counted.macs_text(&layer.input)?;
    Some(format!("{text} = {}", count(sum)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use strata_core::project::Stack;
    use strata_core::shape::infer;
    use strata_testkit::networks::network;

    fn planned(input: &str, text: &str) -> PlannedLayer {
        let network = network(input, &[text], &[], &[]);
        let plan = infer(&network).plan.unwrap();
        layer_at(&plan, &Place::new(Stack::Encoder, 0))
            .unwrap()
            .clone()
    }

    #[test]
    fn the_lectures_example() {
        let layer = planned("3x32x32", "conv 32 k3");
        let against = AgainstDense::of(&layer.op, &layer.input, &layer.output).unwrap();
        assert_eq!(against.parameters, [896, 3072 * 28_800 + 28_800]);
        assert_eq!(against.macs, [30 * 30 * 32 * 27, 3072 * 28_800]);
        assert!(
            (against.parameters_factor() - 98_775.0).abs() < 1.0
                && (against.macs_factor() - 113.8).abs() < 0.1
        );
        assert_eq!(
            AgainstDense::of(&Op::Identity, &layer.input, &layer.output),
            None
        );
    }

    #[test]
    fn what_is_too_large_to_count_is_as_large_as_can_be() {
        let layer = planned("1024x16384x16384", "conv 4 k1");
        let against = AgainstDense::of(&layer.op, &layer.input, &layer.output).unwrap();
        assert_eq!(
            (against.parameters[1], against.macs[1]),
            (u64::MAX, u64::MAX)
        );
    }

    #[test]
    fn formulas_have_the_layers_numbers() {
        let formulas = |input: &str, text: &str| {
            let layer = planned(input, text);
            (
                parameters_formula(&layer).unwrap_or_default(),
                macs_formula(&layer).unwrap_or_default(),
            )
        };
        let pair = |a: &str, b: &str| (a.to_owned(), b.to_owned());
        assert_eq!(
            formulas("3x32x32", "conv 32 k3"),
            pair("32·(3·3·3 + 1) = 896", "30·30 · 32·3·3·3 = 777,600")
        );
        assert_eq!(
            formulas("8x16", "conv 4 k5 g2 nobias"),
            pair("4·8/2·5 = 80", "12 · 4·8/2·5 = 960")
        );
        assert_eq!(
            formulas("8x4x4", "convt 3 k4 s2 p1"),
            pair("3·(8·4·4 + 1) = 387", "4·4 · 8·3·4·4 = 6,144")
        );
        assert_eq!(
            formulas("8x4x4", "sepconv 6 k3 p1"),
            pair("8·3·3 + 6·(8 + 1) = 126", "4·4 · (8·3·3 + 8·6) = 1,920")
        );
        assert_eq!(
            formulas("20", "dense 10"),
            pair("10·(20 + 1) = 210", "10·20 = 200")
        );
        assert_eq!(formulas("8x4x4", "bn"), pair("2·8 = 16", ""));
        assert_eq!(formulas("8x4x4", "prelu channels"), pair("8 = 8", ""));
        assert_eq!(formulas("8x4x4", "relu"), pair("", ""));
    }
}
