//! Which positions of a map depend on the network's input at all, axis by axis.
//!
//! Gone forwards through the plan: every layer turns the positions of its input that depend on the network's input
//! into those of its output that read one of them. What is left out is constant: it is computed of padding and
//! biases alone, whatever the image shows. Axes are kept apart, as every layer but those that mix all positions
//! does. The statistics of a norm over the image count as no connection here: they shift a constant row as a
//! whole, but say nothing in it.

use super::set::{Back, Set, Window};
use crate::project::size::Shape;
use crate::shape::layers::Reads;
use crate::shape::op::{Planned, PlannedLayer};

/// More runs of positions than this become one, from the first to the last.
const MOST_RUNS: usize = 2048;

/// The positions of a map that depend on the input, on each of three axes.
#[derive(Clone, Debug, PartialEq)]
pub struct Reached {
    axes: [Set; 3],
}

/// Rows (or columns, slices, samples) of one axis that no input reaches.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Unreached {
    /// At the beginning of the axis; all of them where none is reached.
    pub before: usize,
    /// Between rows that are reached.
    pub between: usize,
    /// At the end.
    pub after: usize,
}

impl Unreached {
    /// Whether there are any.
    pub fn any(&self) -> bool {
        self.has_border() || self.between > 0
    }

    /// Whether the outermost ones are among them.
    pub fn has_border(&self) -> bool {
        self.before > 0 || self.after > 0
    }
}

impl Reached {
    /// Every position of a map of this shape.
    pub fn all(shape: &Shape) -> Reached {
        Reached {
            axes: shape.volume().map(Set::all),
        }
    }

    /// After all of these layers.
    pub fn after(&self, nodes: &[Planned]) -> Reached {
        nodes.iter().fold(self.clone(), |reached, node| match node {
            Planned::Layer(layer) => reached.through(layer),
            Planned::Add { branches, .. } | Planned::Concat { branches, .. } => {
                Reached::met(branches.iter().map(|branch| reached.after(branch)))
            }
            Planned::Repeat { passes, .. } => passes
                .iter()
                .fold(reached, |reached, pass| reached.after(pass)),
        })
    }

    /// After one layer.
    pub fn through(&self, layer: &PlannedLayer) -> Reached {
        let reads = layer.op.reads();
        let sizes = layer.output.volume();
        if self.is_nothing() {
            return Reached {
                axes: std::array::from_fn(|_| Set::default()),
            };
        }
        if reads == Reads::All {
            return Reached::all(&layer.output);
        }
        let ahead = |axis: usize| ahead(reads, axis, &self.axes[axis]).inside(sizes[axis]);
        Reached {
            axes: std::array::from_fn(ahead),
        }
    }

    /// Where branches meet: what any of them reaches.
    pub fn met(branches: impl Iterator<Item = Reached>) -> Reached {
        let nothing = Reached {
            axes: std::array::from_fn(|_| Set::default()),
        };
        let union = |all: Reached, branch: Reached| match branch.is_nothing() {
            true => all,
            false => Reached {
                axes: std::array::from_fn(|axis| all.axes[axis].with(&branch.axes[axis])),
            },
        };
        branches.fold(nothing, union)
    }

    /// What is not reached of a map of this shape, by its axes.
    pub fn missing(&self, shape: &Shape) -> Vec<Unreached> {
        let first = 3usize.saturating_sub(shape.rank());
        let own = self.axes.iter().skip(first).zip(shape.spatial());
        own.map(|(set, &size)| missing(set, size)).collect()
    }

    fn is_nothing(&self) -> bool {
        self.axes.iter().any(Set::is_empty)
    }
}

fn missing(set: &Set, size: usize) -> Unreached {
    let Some((first, last)) = set.bounds() else {
        return Unreached {
            before: size,
            ..Unreached::default()
        };
    };
    let reached: i64 = set
        .runs()
        .iter()
        .map(|(first, last)| last - first + 1)
        .sum();
    Unreached {
        before: first.max(0) as usize,
        between: (last - first + 1 - reached).max(0) as usize,
        after: (size as i64 - 1 - last).max(0) as usize,
    }
}

/// The outputs that read some of these inputs: a window that slides reads what its transpose would write, and the
/// reverse.
fn ahead(reads: Reads, axis: usize, set: &Set) -> Set {
    let through = |way: Back| way.through_at_most(set, MOST_RUNS).0;
    let each = |run: &dyn Fn(i64, i64) -> (i64, i64)| {
        let runs = set.runs().iter().map(|&(first, last)| run(first, last));
        Set::of(runs.collect())
    };
    match reads {
        Reads::Own | Reads::OwnAndStatistics | Reads::All => set.clone(),
        Reads::Window(geometry, _) => through(Back::Up(Window::of(&geometry, axis))),
        Reads::Spread(geometry) | Reads::Unpooled(geometry) => {
            through(Back::Down(Window::of(&geometry, axis)))
        }
        Reads::Padded { before, .. } => through(Back::Shift(before[axis] as i64)),
        Reads::Cropped { before, .. } => through(Back::Shift(-(before[axis] as i64))),
        Reads::Enlarged { factor, bilinear } => {
            let factor = factor[axis] as i64;
            match bilinear {
                false => each(&|first, last| (first * factor, (last + 1) * factor - 1)),
                true => each(&|first, last| interpolated(first, last, factor)),
            }
        }
        Reads::Adaptive { input, output } => {
            let (input, output) = (input[axis] as i64, output[axis] as i64);
            each(&|first, last| ((first * output) / input, ((last + 1) * output - 1) / input))
        }
    }
}

/// The outputs that one of the inputs is interpolated into: output o is at (o + ½)/f − ½.
fn interpolated(first: i64, last: i64, factor: i64) -> (i64, i64) {
    let low = match first {
        0 => 0,
        _ => (2 * factor * (first - 1) + factor - 1).div_euclid(2) + 1,
    };
    (low, (2 * factor * (last + 1) + factor - 2).div_euclid(2))
}

#[cfg(test)]
mod tests {
    use super::super::seen;
    use super::*;
    use crate::networks::{network, split};
    use crate::project::{Place, Stack};
    use crate::shape::infer::{Inference, infer};

    fn inferred(input: &str, encoder: &str) -> Inference {
        infer(&network(input, &split(encoder), &[], &[]))
    }

    fn found(inference: &Inference) -> Vec<Unreached> {
        let plan = inference.plan.as_ref().unwrap();
        let reached = Reached::all(&inference.input).after(plan.stack(Stack::Encoder).unwrap());
        reached.missing(&plan.code)
    }

    fn rows(encoder: &str) -> [usize; 3] {
        let Unreached {
            before,
            between,
            after,
        } = found(&inferred("1x9x9", encoder))[0];
        [before, between, after]
    }

    #[test]
    fn borders_of_padding_are_found() {
        assert_eq!(rows("conv 1 k3 p1"), [0, 0, 0]);
        assert_eq!(rows("conv 1 k1 p1"), [1, 0, 1]);
        assert_eq!(rows("conv 1 k2 p2"), [1, 0, 1]);
        assert_eq!(rows("conv 1 k4 p3"), [0, 0, 0]);
        assert_eq!(rows("convt 1 k2 s2 op1"), [0, 0, 1]);
        assert_eq!(rows("convt 1 k3 s2 op1"), [0, 0, 1]);
        assert_eq!(rows("convt 1 k3 s2 p1 op1"), [0, 0, 0]);
        assert_eq!(rows("pad 1+2"), [1, 0, 2]);
        assert_eq!(rows("pad 1+2;conv 1 k3"), [0, 0, 0]);
        assert_eq!(rows("pad 3;conv 1 k3;relu"), [1, 0, 1]);
        assert_eq!(rows("pad 1;crop 1"), [0, 0, 0]);
        assert_eq!(rows("convt 1 k2 s2 d2"), [0, 9, 0]);
        assert_eq!(rows("maxpool 2;unpool"), [0, 0, 1]);
        assert_eq!(
            rows("{ concat = [[\"pad 1\"], [\"conv 1 k3 p2\"]] }"),
            [0, 0, 0]
        );
        assert_eq!(rows("pad 9;crop 0+18"), [9, 0, 0]);
        assert_eq!(rows("pad 1;flatten;reshape 1x11x11"), [0, 0, 0]);
    }

    /// The way forwards agrees with the way back, which goes cell by cell.
    #[test]
    fn a_row_is_reached_where_its_cells_see_something() {
        for encoder in [
            "conv 1 k1 s2 p2;convt 1 k3 s3 d2 op1",
            "conv 1 k3 d3 p4;upsample 3;conv 1 k1 s2 p1",
            "pad 3+2;upsample 4 bilinear;conv 1 k2 d5 p3",
            "pad 4;adaptive-avgpool 7;convt 1 k1 s3 op2;conv 1 k2",
            "{ add = [[\"conv 1 k1 s2 p2\"], [\"pad 2\", \"conv 1 k1 s2\"]] };upsample 2 bilinear",
            "convt 1 k2 s4 d3 p1;avgpool 3 s2 p1;pad 1",
            "maxpool 3 s2;unpool;conv 1 k5 p4",
        ] {
            let inference = inferred("1x13", encoder);
            let place = inference.rows.iter().rfind(|row| row.depth == 0).unwrap();
            let size = place.output.as_ref().unwrap().spatial()[0];
            let place: Place = place.place.clone();
            let sees = |cell: usize| seen(&inference, &place, &[cell]).unwrap().bounds.is_some();
            let seeing: Vec<usize> = (0..size).filter(|&cell| sees(cell)).collect();
            let (first, last) = (seeing[0], seeing[seeing.len() - 1]);
            let wanted = Unreached {
                before: first,
                between: last - first + 1 - seeing.len(),
                after: size - 1 - last,
            };
            assert_eq!(found(&inference), [wanted], "{encoder}");
        }
    }
}
