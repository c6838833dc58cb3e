//! Tables that layers make once, when a network is built.

use super::kernels::{Kernel, grown, volume};
use crate::shape::op::{Geometry, Op, PlannedLayer};

/// Index of a cell.
const INDEX: u64 = 4;
/// Input cell and weight of an entry of a spatial map.
const ENTRY: u64 = 16;

/// Bytes of a layer's tables, those for the layers that it may stand for aside.
pub(super) fn of(layer: &PlannedLayer) -> u64 {
    let (cells_in, cells_out) = (volume(layer.input.volume()), volume(layer.output.volume()));
    match &layer.op {
        Op::MaxPool { geometry, .. } | Op::Unpool { geometry, .. } => windows(geometry),
        Op::GlobalMaxPool => cells_in.saturating_mul(INDEX),
        Op::AvgPool { geometry, .. } => map(table_cells(geometry), cells_in, cells_out),
        Op::GlobalAvgPool => map(cells_in, cells_in, 1),
        Op::AdaptiveAvgPool { input, output } => {
            let by_axis = [0, 1, 2].map(|axis| {
                let overlap = if input[axis] % output[axis].max(1) == 0 {
                    0
                } else {
                    output[axis] - 1
                };
                input[axis].max(output[axis]) + overlap
            });
            map(volume(by_axis), cells_in, cells_out)
        }
        Op::Upsample {
            factor,
            bilinear: true,
            ..
        } => {
            let axes = factor.iter().filter(|factor| **factor > 1).count() as u32;
            map(cells_out.saturating_mul(1 << axes), cells_in, cells_out)
        }
        Op::Upsample { .. } | Op::Crop { .. } => map(cells_out, cells_in, cells_out),
        Op::Pad { .. } => map(cells_in, cells_in, cells_out),
        // Which weight belongs to each value.
        Op::LayerNorm => layer.input.elements().saturating_mul(8),
        op => Kernel::of(op)
            .iter()
            .fold(0, |sum, kernel| sum.saturating_add(kernel.lists())),
    }
}

/// The table of a window: what each position reads.
pub(super) fn windows(geometry: &Geometry) -> u64 {
    table_cells(geometry).saturating_mul(INDEX)
}

fn table_cells(geometry: &Geometry) -> u64 {
    volume(geometry.output).saturating_mul(volume(geometry.kernel))
}

/// Where each cell lies among the zeros that a pooling's gradient is laid into.
pub(super) fn places(cells: u64) -> u64 {
    grown(cells, 4).saturating_mul(INDEX)
}

/// A spatial map and its transpose: entries and where each row starts.
fn map(entries: u64, inputs: u64, outputs: u64) -> u64 {
    let one = |rows: u64| {
        let row = (entries / rows.max(1)).max(4);
        let list = grown(entries, row).saturating_mul(ENTRY);
        list.saturating_add(grown(rows.saturating_add(1), 4).saturating_mul(INDEX))
    };
    one(outputs).saturating_add(one(inputs))
}
