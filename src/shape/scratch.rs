//! Memory that the kernels need beside tensors: tables of windows, gathered columns, partial sums.

use super::op::{Geometry, Op, Plan, Planned};

const FLOAT_BYTES: u64 = 4;
/// Index of a window's table.
const INDEX_BYTES: u64 = 4;
/// Index and weight of a spatial map, forward and transposed.
const MAP_BYTES: u64 = 32;
/// A weight is packed, its gradient is packed, and gradients are summed in eight parts.
const WEIGHT_COPIES: u64 = 10;

/// Bytes beside the tensors of a training step on the CPU, for every stack of a plan, with this many threads.
/// Tables stay; columns and partial sums are those of the layer that needs most.
pub fn scratch_bytes(plan: &Plan, threads: usize) -> u64 {
    let mut scratch = Scratch { kept: 0, passing: 0, threads: threads as u64 };
    for stack in plan.stacks.iter().flatten() {
        scratch.add_all(stack);
    }
    scratch.kept.saturating_add(scratch.passing)
}

struct Scratch {
    kept: u64,
    passing: u64,
    threads: u64,
}

impl Scratch {
    fn add_all(&mut self, nodes: &[Planned]) {
        for node in nodes {
            match node {
                Planned::Layer(layer) => self.add(&layer.op),
                Planned::Add { branches, .. } | Planned::Concat { branches, .. } => {
                    branches.iter().for_each(|branch| self.add_all(branch));
                }
                Planned::Repeat { passes, .. } => passes.iter().for_each(|pass| self.add_all(pass)),
            }
        }
    }

    fn add(&mut self, op: &Op) {
        match op {
            Op::Conv { in_channels, out_channels, groups, geometry, .. } => {
                self.convolution(geometry, *in_channels / groups, *out_channels);
            }
            Op::ConvTranspose { in_channels, out_channels, groups, geometry, .. } => {
                self.convolution(geometry, *out_channels / groups, *in_channels);
            }
            Op::SeparableConv { in_channels, geometry, .. } => self.convolution(geometry, 1, *in_channels),
            Op::MaxPool { geometry, .. } | Op::Unpool { geometry, .. } => self.keep(cells(geometry), INDEX_BYTES),
            Op::AvgPool { geometry, .. } => self.keep(cells(geometry), MAP_BYTES),
            _ => {}
        }
    }

    /// `group`: channels of the large side that one filter sees; `small`: channels of the small side.
    fn convolution(&mut self, geometry: &Geometry, group: usize, small: usize) {
        self.keep(cells(geometry), INDEX_BYTES);
        let row = product(&geometry.kernel).saturating_mul(group as u64);
        let columns = row.saturating_mul(product(&geometry.output)).saturating_mul(self.threads);
        let weights = row.saturating_mul(small as u64).saturating_mul(WEIGHT_COPIES);
        self.passing = self.passing.max(columns.saturating_add(weights).saturating_mul(FLOAT_BYTES));
    }

    fn keep(&mut self, count: u64, bytes: u64) {
        self.kept = self.kept.saturating_add(count.saturating_mul(bytes));
    }
}

fn cells(geometry: &Geometry) -> u64 {
    product(&geometry.output).saturating_mul(product(&geometry.kernel))
}

fn product(sizes: &[usize; 3]) -> u64 {
    sizes.iter().fold(1u64, |product, &size| product.saturating_mul(size as u64))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::project::Network;
    use crate::project::node::Node;
    use crate::shape::infer;

    fn scratch(input: &str, texts: &[&str]) -> u64 {
        let encoder = texts.iter().map(|text| Node::from_text(text)).collect();
        let network = Network { input: input.parse().unwrap(), encoder, decoder: vec![], head: vec![] };
        scratch_bytes(&infer(&network).plan.unwrap(), 2)
    }

    #[test]
    fn tables_add_up_and_columns_take_turns() {
        assert_eq!(scratch("3x8x8", &["relu"]), 0);
        assert_eq!(scratch("3x8x8", &["maxpool 2"]), 64 * 4);
        // Table 36·9 indices; columns 36·9·3 for two threads; weights 9·3·4 ten times.
        let conv = 4 * (36 * 9) + 4 * (2 * 36 * 9 * 3 + 10 * 9 * 3 * 4);
        assert_eq!(scratch("3x8x8", &["conv 4 k3"]), conv);
        assert_eq!(scratch("3x8x8", &["conv 4 k3", "conv 1 k1"]), conv + 4 * 36);
        // A wide window's columns outweigh its tensors by far.
        assert!(scratch("64x224x224", &["conv 64 k7 p3"]) > 1 << 30);
    }
}
