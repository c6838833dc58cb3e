//! Which input position every element of a sliding window reads, by window position.

use super::sliding::{grid, volume};
use strata_core::shape::op::Geometry;

/// Marks a window element in the padding.
pub const OUTSIDE: u32 = u32::MAX;

/// The table of a sliding window: `positions × cells` indices into the flattened spatial axes of one image.
#[derive(Clone, Debug)]
pub struct Taps {
    /// Row-major `positions × cells`; [`OUTSIDE`] in the padding.
    pub table: Vec<u32>,
    /// Positions of the window (product of output sizes).
    pub positions: usize,
    /// Elements of the window (product of kernel sizes).
    pub cells: usize,
    /// Input positions (product of input sizes).
    pub inputs: usize,
}

impl Taps {
    /// The table of a geometry.
    pub fn new(geometry: &Geometry) -> Taps {
        let positions = volume(geometry.output);
        let cells = volume(geometry.kernel);
        let mut table = Vec::with_capacity(positions * cells);
        for position in grid(geometry.output) {
            for cell in grid(geometry.kernel) {
                table.push(input_cell(geometry, position, cell));
            }
        }
        Taps {
            table,
            positions,
            cells,
            inputs: volume(geometry.input),
        }
    }

    /// The input positions that one window position reads.
    pub fn at(&self, position: usize) -> &[u32] {
        &self.table[position * self.cells..(position + 1) * self.cells]
    }
}

fn input_cell(geometry: &Geometry, position: [usize; 3], cell: [usize; 3]) -> u32 {
    let mut flat = 0;
    for axis in 0..3 {
        let padded = position[axis] * geometry.stride[axis] + cell[axis] * geometry.dilation[axis];
        match padded.checked_sub(geometry.pad[axis]) {
            Some(at) if at < geometry.input[axis] => flat = flat * geometry.input[axis] + at,
            _ => return OUTSIDE,
        }
    }
    u32::try_from(flat).unwrap_or(OUTSIDE)
}
