//! What every layer of a training step computes and moves: the numbers that its time is held against.

use super::fusion::{FusedUnit, Watch, Work, first_trained, units};
use std::collections::BTreeMap;
use strata_core::project::stage::{Stage, Task};
use strata_core::project::{Place, Stack};
use strata_core::shape::op::{Op, Plan, PlannedLayer};
use strata_core::shape::{Cost, layers::Effort};

const FLOAT: u64 = 4;

/// Work of a layer in a training step; of a block what it does itself, of a layer in a repeat that of all passes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LayerWork {
    /// Multiply-accumulates of the forward pass, as the layer's formula counts them.
    pub forward_macs: u64,
    /// Those of the gradients that are computed.
    pub backward_macs: u64,
    /// Bytes that the forward pass has to read and write: input, weight, output.
    pub forward_bytes: u64,
    /// Those of the gradients.
    pub backward_bytes: u64,
    /// Those of the update: gradient, weight and what the optimizer keeps.
    pub update_bytes: u64,
    /// Whether another layer does its work.
    pub is_part_of_another: bool,
}

impl LayerWork {
    /// Adds the work of another layer, or of the same one in another pass of a repeat.
    pub fn add(&mut self, other: LayerWork) {
        let sum = |a: &mut u64, b: u64| *a = a.saturating_add(b);
        sum(&mut self.forward_macs, other.forward_macs);
        sum(&mut self.backward_macs, other.backward_macs);
        sum(&mut self.forward_bytes, other.forward_bytes);
        sum(&mut self.backward_bytes, other.backward_bytes);
        sum(&mut self.update_bytes, other.update_bytes);
        self.is_part_of_another = other.is_part_of_another;
    }

    /// Multiply-accumulates of both passes.
    pub fn macs(&self) -> u64 {
        self.forward_macs.saturating_add(self.backward_macs)
    }

    /// Bytes of both passes and the update.
    pub fn bytes(&self) -> u64 {
        let passes = self.forward_bytes.saturating_add(self.backward_bytes);
        passes.saturating_add(self.update_bytes)
    }
}

/// The work of each layer in a step of a stage with this many images; `None` where a stack that it needs has an error.
pub fn step_work(plan: &Plan, stage: &Stage, batch: u32) -> Option<BTreeMap<Place, LayerWork>> {
    let watch = Watch::of(stage);
    let second = match stage.task {
        Task::Reconstruct => Stack::Decoder,
        Task::Classify => Stack::Head,
    };
    let encoder = units(plan.stack(Stack::Encoder)?, plan.input.elements(), &watch);
    let last = units(plan.stack(second)?, plan.code.elements(), &watch);
    let mut counter = Counter {
        batch: u64::from(batch),
        kept: stage.optimizer.state_names().len() as u64,
        layers: BTreeMap::new(),
    };
    let learns = first_trained(&encoder) < encoder.len();
    counter.sequence(&encoder, false);
    counter.sequence(&last, learns);
    Some(counter.layers)
}

struct Counter {
    batch: u64,
    /// Numbers that the optimizer keeps for each weight.
    kept: u64,
    layers: BTreeMap<Place, LayerWork>,
}

impl Counter {
    fn sequence(&mut self, units: &[FusedUnit<'_>], need_input: bool) {
        let first = if need_input { 0 } else { first_trained(units) };
        for (i, unit) in units.iter().enumerate() {
            let need = need_input || i > first;
            let work = match &unit.work {
                _ if unit.skipped => LayerWork {
                    is_part_of_another: true,
                    ..LayerWork::default()
                },
                Work::Layer(layer) => self.layer(unit, layer, i >= first, need),
                Work::Join { branches, .. } => {
                    for branch in branches {
                        self.sequence(branch, need);
                    }
                    self.join(unit, branches.len() as u64, need)
                }
            };
            self.layers.entry(unit.place.clone()).or_default().add(work);
        }
    }

    fn of_batch(&self, numbers: u64) -> u64 {
        numbers.saturating_mul(self.batch).saturating_mul(FLOAT)
    }

    fn join(&self, unit: &FusedUnit<'_>, branches: u64, need: bool) -> LayerWork {
        let Work::Join { concat, .. } = unit.work else {
            return LayerWork::default();
        };
        let [input, output] = [unit.input, unit.output].map(|numbers| self.of_batch(numbers));
        let times = branches.saturating_sub(1);
        let sums = |bytes: u64| bytes.saturating_mul(3 * times);
        let copied = if concat { output.saturating_mul(2) } else { 0 };
        LayerWork {
            forward_bytes: if concat { copied } else { sums(output) },
            backward_bytes: if need {
                copied.saturating_add(sums(input))
            } else {
                0
            },
            ..LayerWork::default()
        }
    }

    fn layer(
        &self,
        unit: &FusedUnit<'_>,
        layer: &PlannedLayer,
        goes_back: bool,
        need: bool,
    ) -> LayerWork {
        if layer.op.effort(&layer.input, &layer.output) == Effort::Nothing {
            return LayerWork::default();
        }
        let Cost {
            parameters, macs, ..
        } = Cost::of(&layer.op, &layer.input, &layer.output);
        let weight = parameters.saturating_mul(FLOAT);
        let [input, output] = [unit.input, unit.written].map(|numbers| self.of_batch(numbers));
        let macs = macs.saturating_mul(self.batch);
        let pass = input.saturating_add(output).saturating_add(weight);
        let gradients = u64::from(unit.trains) + u64::from(need);
        let (backward_macs, backward_bytes) = match layer.op {
            // Each gradient is a pass of its own over two of input, output and weight, which writes the third.
            Op::Conv { .. }
            | Op::ConvTranspose { .. }
            | Op::SeparableConv { .. }
            | Op::Dense { .. } => (
                macs.saturating_mul(gradients),
                pass.saturating_mul(gradients),
            ),
            _ if goes_back && gradients > 0 => (0, pass.saturating_add(input)),
            _ => (0, 0),
        };
        let learns = u64::from(unit.trains);
        LayerWork {
            forward_macs: macs,
            backward_macs,
            forward_bytes: pass,
            backward_bytes,
            update_bytes: learns
                .saturating_mul(weight)
                .saturating_mul(3 + 2 * self.kept),
            is_part_of_another: false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use strata_core::shape::infer;
    use strata_testkit::networks::network;

    #[test]
    fn work_is_counted_by_layer() {
        let network = network("3x8x8", &["conv 16 k3 p1", "relu"], &["conv 3 k1"], &[]);
        let stage = Stage {
            optimizer: "sgd lr=0.01 momentum=0.9".parse().unwrap(),
            ..Stage::default()
        };
        let work = step_work(&infer(&network).plan.unwrap(), &stage, 10).unwrap();
        let of = |stack: Stack, index: usize| work[&Place::new(stack, index)];
        let first = of(Stack::Encoder, 0);
        let macs = 10 * 16 * 27 * 64;
        // The images need no gradient.
        assert_eq!((first.forward_macs, first.backward_macs), (macs, macs));
        let (image, maps, weight) = (4 * 10 * 3 * 64, 4 * 10 * 16 * 64, 4 * (16 * 27 + 16));
        assert_eq!(first.forward_bytes, image + maps + weight);
        assert_eq!(first.update_bytes, 5 * weight);
        let relu = of(Stack::Encoder, 1);
        assert!(relu.is_part_of_another && relu.bytes() == 0);
        let last = of(Stack::Decoder, 0);
        assert_eq!(last.backward_macs, 2 * last.forward_macs);
        assert_eq!(last.backward_bytes, 2 * last.forward_bytes);
    }
}
