//! Tables that layers make once, when a network is built.

use super::kernels::{Kernel, grown, volume};
use strata_core::shape::layers::Effort;
use strata_core::shape::op::{Geometry, PlannedLayer};

/// Index of a position.
const INDEX: u64 = 4;
/// Input position and weight of an entry of a spatial map.
const ENTRY: u64 = 16;

/// Bytes of a layer's tables, without those for the layers that it may replace.
pub(crate) fn of(layer: &PlannedLayer) -> u64 {
    let (cells_in, cells_out) = (volume(layer.input.volume()), volume(layer.output.volume()));
    match layer.op.effort(&layer.input, &layer.output) {
        Effort::Windows { geometry, .. } => windows(&geometry),
        Effort::GlobalMaximum => cells_in.saturating_mul(INDEX),
        Effort::Map { entries } => map(entries, cells_in, cells_out),
        // The gradients of weights and biases in f64.
        Effort::ImageStatistics { .. } => {
            layer.op.count().parameters(&layer.input).saturating_mul(8)
        }
        Effort::Kernels(..) => Kernel::of(layer)
            .iter()
            .fold(0, |sum, kernel| sum.saturating_add(kernel.lists())),
        Effort::Nothing
        | Effort::Reorders
        | Effort::Elementwise
        | Effort::BatchStatistics { .. }
        | Effort::Draws { .. } => 0,
    }
}

/// The table of a window: what each position reads.
pub(crate) fn windows(geometry: &Geometry) -> u64 {
    table_cells(geometry).saturating_mul(INDEX)
}

fn table_cells(geometry: &Geometry) -> u64 {
    volume(geometry.output).saturating_mul(volume(geometry.kernel))
}

/// The index of each position in the padded image that a pooling's gradient is written to.
pub(crate) fn places(cells: u64) -> u64 {
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
