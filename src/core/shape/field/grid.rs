//! Where the windows of a layer's neighbouring cells begin on the network's input: stride and offset along one
//! axis (Araujo, Norris, Sim 2019, "Computing Receptive Fields of Convolutional Neural Networks", Distill).
//!
//! Every layer is a line: the window of output o begins at stride·o + offset of its input. Lines in a row are one
//! line. Transposed layers have windows that differ from cell to cell; their line is the one below which none
//! begins, and their stride a fraction.

use super::ratio::Ratio;
use crate::shape::layers::Reads;
use crate::shape::op::Geometry;

/// Where the windows of a layer begin: cell y's at `stride`·y + `offset`, in cells of the input.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Grid {
    /// Between the windows of neighbours.
    pub stride: Ratio,
    /// Of the first cell's window; below 0 where it begins in the padding.
    pub offset: Ratio,
}

impl Grid {
    /// The grid of the input itself.
    pub(super) fn start() -> Grid {
        Grid {
            stride: Ratio::whole(1),
            offset: Ratio::whole(0),
        }
    }

    /// The grid after one more layer; `None` when its numbers grow too large.
    pub(super) fn after(self, reads: Reads, axis: usize) -> Option<Grid> {
        let Some(own) = own(reads, axis) else {
            return Some(self);
        };
        let own = own?;
        let offset = self.stride.times(own.offset)?.plus(self.offset)?;
        Some(Grid {
            stride: self.stride.times(own.stride)?,
            offset,
        })
    }

    /// For branches that meet: the earlier beginning, where their strides agree.
    pub(super) fn meet(self, other: Grid) -> Option<Grid> {
        (self.stride == other.stride).then(|| Grid {
            offset: self.offset.min(other.offset),
            ..self
        })
    }
}

/// The line of a layer; the outer `None` where it changes nothing.
fn own(reads: Reads, axis: usize) -> Option<Option<Grid>> {
    Some(match reads {
        Reads::Window(geometry, _) => line(geometry.stride[axis], 1, -int(geometry.pad[axis])),
        Reads::Spread(geometry) | Reads::Unpooled(geometry) => up(&geometry, axis),
        Reads::Enlarged { factor, bilinear } => upsample(int(factor[axis]), bilinear),
        Reads::Adaptive { input, output } => {
            let rest = int(output[axis]) - gcd(int(input[axis]), int(output[axis]));
            line(input[axis], output[axis], -rest)
        }
        Reads::Padded { before, .. } => line(1, 1, -int(before[axis])),
        Reads::Cropped { before, .. } => line(1, 1, int(before[axis])),
        Reads::Own | Reads::OwnAndStatistics | Reads::All => return None,
    })
}

/// `over/under`·o + `offset/under`
fn line(over: usize, under: usize, offset: i128) -> Option<Grid> {
    Some(Grid {
        stride: Ratio::new(int(over), int(under))?,
        offset: Ratio::new(offset, int(under))?,
    })
}

/// Output o meets the inputs i with o + pad − i·stride from 0 to the kernel's reach.
fn up(geometry: &Geometry, axis: usize) -> Option<Grid> {
    let reach = (int(geometry.kernel[axis]) - 1) * int(geometry.dilation[axis]);
    line(1, geometry.stride[axis], int(geometry.pad[axis]) - reach)
}

/// As transposed convolutions: repeating has kernel = stride; interpolating k2f p(f/2) where f is even, else
/// k(2f − 1) p((f − 1)/2).
fn upsample(factor: i128, bilinear: bool) -> Option<Grid> {
    let offset = match bilinear {
        false => 1 - factor,
        true if factor % 2 == 0 => factor / 2 - (2 * factor - 1),
        true => (factor - 1) / 2 - (2 * factor - 2),
    };
    Some(Grid {
        stride: Ratio::new(1, factor)?,
        offset: Ratio::new(offset, factor)?,
    })
}

fn int(size: usize) -> i128 {
    size as i128
}

fn gcd(mut a: i128, mut b: i128) -> i128 {
    while b > 0 {
        (a, b) = (b, a % b);
    }
    a
}
