//! Which input position every element of a sliding window reads, by window position.

use super::blocking::NORM_BLOCK;
use super::sliding::{grid, volume};
use std::ops::Range;
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

    /// The input positions from the first to the last that some windows read.
    pub(crate) fn reach(&self, positions: Range<usize>) -> Range<usize> {
        let taps = &self.table[positions.start * self.cells..positions.end * self.cells];
        let inside = || taps.iter().filter(|&&tap| tap != OUTSIDE);
        match (inside().min(), inside().max()) {
            (Some(&first), Some(&last)) => first as usize..last as usize + 1,
            _ => 0..0,
        }
    }
}

/// How a max pooling behind a normalisation is cut, so that what it reads stays in the cache.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bands {
    /// Positions of a band: whole rows, or planes.
    pub positions: usize,
    /// Elements of the input that a band reads, at most.
    pub elements: usize,
}

impl Bands {
    /// Those of a pooling's geometry over so many channels.
    pub fn new(geometry: &Geometry, channels: usize) -> Bands {
        let Geometry { input, output, .. } = *geometry;
        let image = volume(input) * channels;
        let axis = output.iter().position(|&count| count > 1).unwrap_or(2);
        if input[..axis].iter().any(|&count| count > 1) {
            return Bands {
                positions: volume(output),
                elements: image,
            };
        }
        let step = |sizes: [usize; 3]| sizes[axis + 1..].iter().product::<usize>();
        let line = step(input) * channels;
        let steps = NORM_BLOCK / (geometry.stride[axis] * line).max(1);
        let steps = steps.clamp(1, output[axis].max(1));
        let lines = (steps - 1) * geometry.stride[axis] + geometry.reach(axis);
        Bands {
            positions: steps * step(output),
            elements: (lines * line).min(image),
        }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_band_reads_no_more_than_it_says() {
        for (input, kernel, stride, pad) in [
            ([1, 96, 96], [1, 2, 2], [1, 2, 2], [0, 0, 0]),
            ([1, 41, 67], [1, 3, 3], [1, 2, 2], [0, 1, 1]),
            ([12, 20, 20], [2, 2, 2], [2, 2, 2], [0, 0, 0]),
            ([1, 1, 9000], [1, 1, 5], [1, 1, 3], [0, 0, 2]),
            ([3, 30, 30], [3, 2, 2], [1, 2, 2], [0, 0, 0]),
            ([1, 4, 4], [1, 2, 2], [1, 2, 2], [0, 0, 0]),
        ] {
            let output = [0, 1, 2]
                .map(|axis| (input[axis] + 2 * pad[axis] - kernel[axis]) / stride[axis] + 1);
            let geometry = Geometry {
                input,
                output,
                kernel,
                stride,
                dilation: [1; 3],
                pad,
            };
            let taps = Taps::new(&geometry);
            for channels in [1, 32, 300] {
                let bands = Bands::new(&geometry, channels);
                let firsts = (0..taps.positions).step_by(bands.positions);
                for first in firsts {
                    let band = first..(first + bands.positions).min(taps.positions);
                    let read = taps.reach(band).len() * channels;
                    assert!(read <= bands.elements, "{geometry:?} {channels}");
                }
                assert!(bands.elements <= volume(input) * channels);
            }
        }
    }
}
