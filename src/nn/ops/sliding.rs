//! How a window meets its image, as the kernels walk it: no tables, only steps along three axes.
//!
//! The source is first copied into a margin of zeros ([`Margin`]), so that a window never reaches outside.
//! Then every target position is a sum over taps at fixed offsets in the source. Going from
//! the large side to the small one ([`Sliding::down`]) takes one such [`Phase`]; going up, a stride of s
//! has s phases along each axis, each with the taps that meet it.

use strata_core::shape::op::Geometry;

/// A source image with room around it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Margin {
    /// Sizes of the image itself.
    pub image: [usize; 3],
    /// Zeros before it.
    pub before: [usize; 3],
    /// Sizes with everything.
    pub padded: [usize; 3],
}

impl Margin {
    /// Positions of the image.
    pub fn cells(&self) -> usize {
        volume(self.image)
    }

    /// Positions with the margin.
    pub(crate) fn padded_cells(&self) -> usize {
        volume(self.padded)
    }

    /// True when the image needs nothing around it.
    pub fn is_empty(&self) -> bool {
        self.image == self.padded
    }

    /// The padded index of an image position, given by axis.
    pub fn place(&self, cell: [usize; 3]) -> usize {
        flat(
            self.padded,
            [0, 1, 2].map(|axis| cell[axis] + self.before[axis]),
        )
    }
}

/// Positions by axis, as start and steps in a flat image.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Walk {
    /// The first position.
    pub start: usize,
    /// Steps to the next position along each axis.
    pub step: [usize; 3],
}

/// An element of the window and its offset in the source from where a position begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tap {
    /// Positions of the padded source.
    pub offset: usize,
    /// Index of the element in the window.
    pub cell: u32,
    /// Which of the target positions that are computed together reads through it.
    pub slot: u32,
}

/// Target positions that read the source through the same taps.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Phase {
    /// Target positions along each axis.
    pub counts: [usize; 3],
    /// Where they read.
    pub source: Walk,
    /// Where they are.
    pub target: Walk,
    /// What they read, by rising offset; none: the target stays zero.
    pub taps: Vec<Tap>,
    /// Neighbours along the last axis that are computed together, as one position with the lanes of all.
    pub slots: usize,
}

impl Phase {
    /// Number of target positions.
    pub fn positions(&self) -> usize {
        volume(self.counts)
    }

    /// The offsets of the taps, each once.
    pub fn offsets(&self) -> impl Iterator<Item = usize> {
        let mut before = None;
        self.taps.iter().filter_map(move |tap| {
            let is_new = before.replace(tap.offset) != Some(tap.offset);
            is_new.then_some(tap.offset)
        })
    }
}

/// The same positions with up to so many neighbours together, and those that are left over; `None` where that would
/// take nearly as many products. `phases`: those whose positions take turns along the last axis.
fn in_slots(phases: &[Phase], most: usize) -> Option<Vec<Phase>> {
    let mut turns: Vec<&Phase> = phases.iter().collect();
    turns.sort_by_key(|phase| phase.target.start);
    let first = turns.first()?;
    let take_turns = turns.iter().enumerate().all(|(turn, phase)| {
        phase.target.start == first.target.start + turn
            && phase.target.step[2] == turns.len()
            && phase.counts[..2] == first.counts[..2]
            && phase.source.step == first.source.step
    });
    let width: usize = turns.iter().map(|phase| phase.counts[2]).sum();
    // Positions that each phase has of a group.
    let each = most.min(width) / turns.len();
    let slots = each * turns.len();
    if !take_turns || slots < 2 {
        return None;
    }
    let groups = width / slots;
    let source_step = first.source.step[2];
    let start = turns.iter().map(|phase| phase.source.start).min()?;
    let mut taps = Vec::new();
    for slot in 0..slots {
        let (phase, index) = (turns[slot % turns.len()], slot / turns.len());
        let from = phase.source.start - start + index * source_step;
        taps.extend(phase.taps.iter().map(|tap| Tap {
            offset: from + tap.offset,
            slot: slot as u32,
            ..*tap
        }));
    }
    taps.sort_by_key(|tap| (tap.offset, tap.slot));
    let apart = taps.len();
    let together = Phase {
        counts: [first.counts[0], first.counts[1], groups],
        source: Walk {
            start,
            ..first.source.by_groups(each)
        },
        target: first.target.by_groups(each),
        taps,
        slots,
    };
    if 5 * together.offsets().count() > 4 * apart {
        return None;
    }
    let done = groups * each;
    let rest = turns.iter().map(|&phase| {
        let mut rest = phase.clone();
        rest.counts[2] -= done;
        rest.source.start += done * source_step;
        rest.target.start += done * turns.len();
        rest
    });
    Some(std::iter::once(together).chain(rest).collect())
}

impl Walk {
    /// To every so many-th position along the last axis.
    fn by_groups(&self, size: usize) -> Walk {
        let [of_d, of_h, of_w] = self.step;
        Walk {
            start: self.start,
            step: [of_d, of_h, size * of_w],
        }
    }
}

/// Neighbours that are computed together at most: their windows overlap, and every position in the reach of any of
/// them has a row of weights for all.
const MOST_SLOTS: usize = 8;

/// One direction through a window.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sliding {
    /// The source and the zeros around it.
    pub margin: Margin,
    /// Positions of a target image.
    pub targets: usize,
    /// The phases; together they cover every target position once.
    pub phases: Vec<Phase>,
}

impl Sliding {
    /// From the large side (the image) to the small one (the positions).
    pub fn down(geometry: &Geometry) -> Sliding {
        let Geometry {
            input,
            output,
            kernel,
            stride,
            dilation,
            pad,
        } = *geometry;
        let padded = geometry.padded();
        let rows = steps(padded);
        let offset = |cell: [usize; 3]| {
            (0..3)
                .map(|axis| cell[axis] * dilation[axis] * rows[axis])
                .sum()
        };
        let taps = grid(kernel)
            .enumerate()
            .map(|(cell, at)| Tap {
                offset: offset(at),
                cell: cell as u32,
                slot: 0,
            })
            .collect();
        let source = Walk {
            start: 0,
            step: [0, 1, 2].map(|axis| stride[axis] * rows[axis]),
        };
        let target = Walk {
            start: 0,
            step: steps(output),
        };
        let phase = Phase {
            counts: output,
            source,
            target,
            taps,
            slots: 1,
        };
        Sliding {
            margin: Margin {
                image: input,
                before: pad,
                padded,
            },
            targets: volume(output),
            phases: vec![phase],
        }
    }

    /// From the small side to the large one: the transpose of [`Sliding::down`].
    pub fn up(geometry: &Geometry) -> Sliding {
        let axes = [0, 1, 2].map(|axis| Axis::of(geometry, axis));
        let before = [0, 1, 2].map(|axis| axes[axis].before());
        let padded =
            [0, 1, 2].map(|axis| before[axis] + geometry.output[axis] + axes[axis].after());
        let margin = Margin {
            image: geometry.output,
            before,
            padded,
        };
        let residues = geometry.stride.map(|stride| stride.max(1));
        let phases = grid(residues)
            .filter_map(|residue| phase_up(&axes, &margin, residue))
            .collect();
        Sliding {
            margin,
            targets: volume(geometry.input),
            phases,
        }
    }
}

impl Sliding {
    /// The same with neighbours computed together where one position has so few of a vector's lanes that several
    /// fill it.
    pub fn in_slots(mut self, lanes: usize, width: usize) -> Sliding {
        let most = (width / lanes.max(1)).min(MOST_SLOTS);
        let turns = self.phases.first().map_or(1, |phase| phase.target.step[2]);
        if self.phases.len().is_multiple_of(turns) {
            let chunks = self.phases.chunks(turns);
            self.phases = chunks
                .flat_map(|phases| in_slots(phases, most).unwrap_or_else(|| phases.to_vec()))
                .filter(|phase| phase.positions() > 0)
                .collect();
        }
        self
    }

    /// Rows of weights that all phases have together, for a source channel.
    pub fn rows(&self) -> usize {
        let each = self.phases.iter().map(|phase| phase.offsets().count());
        each.sum()
    }
}

/// One axis of a window, seen from the large side.
#[derive(Clone, Copy)]
struct Axis {
    input: usize,
    output: usize,
    kernel: usize,
    stride: usize,
    dilation: usize,
    pad: usize,
}

impl Axis {
    fn of(geometry: &Geometry, axis: usize) -> Axis {
        let Geometry {
            input,
            output,
            kernel,
            stride,
            dilation,
            pad,
        } = *geometry;
        Axis {
            input: input[axis],
            output: output[axis],
            kernel: kernel[axis],
            stride: stride[axis],
            dilation: dilation[axis],
            pad: pad[axis],
        }
    }

    /// How many small positions back an input position may read.
    fn back(&self) -> usize {
        (self.kernel - 1) * self.dilation / self.stride
    }

    /// Positions below the first that some tap looks at.
    fn before(&self) -> usize {
        self.back().saturating_sub(self.pad / self.stride)
    }

    /// Positions after the last that some tap looks at.
    fn after(&self) -> usize {
        ((self.input - 1 + self.pad) / self.stride).saturating_sub(self.output - 1)
    }

    /// The first input position of a residue and how many there are.
    fn cells(&self, residue: usize) -> (usize, usize) {
        let first = (residue + self.stride - self.pad % self.stride) % self.stride;
        (
            first,
            self.input.saturating_sub(first).div_ceil(self.stride),
        )
    }

    /// The window's elements that meet a residue, each with how many small positions back it reads.
    fn taps(&self, residue: usize) -> Vec<(usize, usize)> {
        let reach = |cell: usize| cell * self.dilation;
        let meets = |cell: &usize| reach(*cell) % self.stride == residue;
        (0..self.kernel)
            .filter(meets)
            .map(|cell| (cell, reach(cell) / self.stride))
            .collect()
    }
}

fn phase_up(axes: &[Axis; 3], margin: &Margin, residue: [usize; 3]) -> Option<Phase> {
    let cells = [0, 1, 2].map(|axis| axes[axis].cells(residue[axis]));
    let counts = cells.map(|(_, count)| count);
    if volume(counts) == 0 {
        return None;
    }
    let taps = [0, 1, 2].map(|axis| axes[axis].taps(residue[axis]));
    // The tap furthest back is where a position starts to read.
    let back = [0, 1, 2].map(|axis| taps[axis].iter().map(|&(_, back)| back).max().unwrap_or(0));
    let first = [0, 1, 2].map(|axis| {
        let place = (cells[axis].0 + axes[axis].pad) / axes[axis].stride + margin.before[axis];
        place.saturating_sub(back[axis])
    });
    let input = axes.map(|axis| axis.input);
    let source = Walk {
        start: flat(margin.padded, first),
        step: steps(margin.padded),
    };
    let rows = steps(input);
    let target = Walk {
        start: flat(input, cells.map(|(first, _)| first)),
        step: [0, 1, 2].map(|axis| axes[axis].stride * rows[axis]),
    };
    Some(Phase {
        counts,
        source,
        target,
        taps: taps_up(axes, margin, &taps, back),
        slots: 1,
    })
}

fn taps_up(
    axes: &[Axis; 3],
    margin: &Margin,
    by_axis: &[Vec<(usize, usize)>; 3],
    back: [usize; 3],
) -> Vec<Tap> {
    let kernel = axes.map(|axis| axis.kernel);
    let mut taps = Vec::new();
    for &(d, back_d) in &by_axis[0] {
        for &(h, back_h) in &by_axis[1] {
            for &(w, back_w) in &by_axis[2] {
                let offset = flat(
                    margin.padded,
                    [back[0] - back_d, back[1] - back_h, back[2] - back_w],
                );
                taps.push(Tap {
                    offset,
                    cell: flat(kernel, [d, h, w]) as u32,
                    slot: 0,
                });
            }
        }
    }
    taps.sort_by_key(|tap| tap.offset);
    taps
}

/// Product of three sizes.
pub fn volume(sizes: [usize; 3]) -> usize {
    sizes.iter().product()
}

/// Distance of neighbours along each axis of a box, last axis fastest.
pub fn steps(sizes: [usize; 3]) -> [usize; 3] {
    [sizes[1] * sizes[2], sizes[2], 1]
}

/// The flat index of coordinates in a box.
pub fn flat(sizes: [usize; 3], at: [usize; 3]) -> usize {
    (at[0] * sizes[1] + at[1]) * sizes[2] + at[2]
}

/// All coordinates of a box, last axis fastest.
pub fn grid(sizes: [usize; 3]) -> impl Iterator<Item = [usize; 3]> {
    let [depth, height, width] = sizes;
    (0..depth).flat_map(move |d| (0..height).flat_map(move |h| (0..width).map(move |w| [d, h, w])))
}

#[cfg(test)]
mod tests;
