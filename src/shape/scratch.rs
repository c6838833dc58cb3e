//! Memory that the kernels need beside tensors: tables of windows, gathered columns, partial sums.

use super::op::{Geometry, Op, Plan, Planned};

const FLOAT_BYTES: u64 = 4;
/// Index of a window's table, and where the cell lies among its neighbours' zeros.
const INDEX_BYTES: u64 = 4;
/// Index and weight of a spatial map, forward and transposed.
const MAP_BYTES: u64 = 32;
/// A weight is packed for each direction.
const PACKED: u64 = 2;
/// A weight's gradient is summed in so many parts, unless they take more numbers than the second.
const PARTS: u64 = 8;
const PART_NUMBERS: u64 = 1 << 22;
/// Positions that a thread lays out at a time.
const BLOCK_POSITIONS: u64 = 96;

/// Bytes beside the tensors of a training step on the CPU, for every stack of a plan, with this many threads.
/// Tables and packed weights stay; padded images and partial sums are those of the layer that needs most.
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
                self.convolution(geometry, *in_channels, *out_channels, *groups);
            }
            Op::ConvTranspose { in_channels, out_channels, groups, geometry, .. } => {
                self.convolution(geometry, *out_channels, *in_channels, *groups);
            }
            Op::SeparableConv { in_channels, out_channels, geometry, .. } => {
                self.convolution(geometry, *in_channels, *in_channels, *in_channels);
                self.convolution(&Geometry::pointwise(geometry.output), *in_channels, *out_channels, 1);
            }
            Op::Dense { in_features, out_features, .. } => {
                self.convolution(&Geometry::ONE_CELL, *in_features, *out_features, 1);
            }
            Op::MaxPool { geometry, .. } | Op::Unpool { geometry, .. } => {
                self.keep(cells(geometry).saturating_add(product(&geometry.input)), INDEX_BYTES);
            }
            Op::AvgPool { geometry, .. } => self.keep(cells(geometry), MAP_BYTES),
            _ => {}
        }
    }

    fn convolution(&mut self, geometry: &Geometry, large: usize, small: usize, groups: usize) {
        let row = product(&geometry.kernel).saturating_mul((large / groups.max(1)) as u64);
        let weights = row.saturating_mul(small as u64);
        self.keep(weights.saturating_mul(PACKED), FLOAT_BYTES);
        let sums = weights.saturating_mul((PART_NUMBERS / weights.max(1)).clamp(1, PARTS));
        let (large, small) = (
            product(&geometry.padded()).saturating_mul(large as u64),
            product(&geometry.output).saturating_mul(small as u64),
        );
        let images = BLOCK_POSITIONS.div_ceil(product(&geometry.output).max(1));
        let laid = large.saturating_add(small).saturating_mul(images).saturating_mul(self.threads);
        self.passing = self.passing.max(laid.saturating_add(sums).saturating_mul(FLOAT_BYTES));
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
    fn tables_add_up_and_padded_images_take_turns() {
        assert_eq!(scratch("3x8x8", &["relu"]), 0);
        assert_eq!(scratch("3x8x8", &["maxpool 2"]), (64 + 64) * 4);
        // A weight of 3·9·4 for both directions and in eight parts; two images of both sides for two threads.
        let (weight, laid) = (3 * 9 * 4, 2 * 2 * (10 * 10 * 3 + 64 * 4));
        assert_eq!(scratch("3x8x8", &["conv 4 k3 p1"]), 4 * (2 * weight + laid + 8 * weight));
        // Two layers: packed weights add up, the rest is that of the larger one.
        let one = scratch("3x8x8", &["conv 4 k3 p1"]);
        assert_eq!(scratch("3x8x8", &["conv 4 k3 p1", "conv 1 k1"]), one + 4 * 2 * 4);
        // A large weight is not summed in parts.
        assert!(scratch("100352", &["dense 4096"]) < 4 * 100_352 * 4096 * 4);
    }
}
