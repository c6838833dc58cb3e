//! Sets of positions along one axis, and the way back through one layer.
//!
//! A set is a list of runs, so that it is exact for dilated kernels, which leave positions out, and for strides
//! that skip some. Sets with very many runs become one from the first to the last position, and say so.

use crate::shape::layers::Reads;
use crate::shape::op::Geometry;

/// More runs than this become one, where a caller does not ask for more.
const MOST_RUNS: usize = 128;

/// Positions, as runs from a first to a last one: rising, apart from each other.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Set(Vec<(i64, i64)>);

impl Set {
    /// All positions of an axis with `size` cells.
    pub fn all(size: usize) -> Set {
        Set::run(0, size as i64 - 1)
    }

    /// A single position.
    pub fn one(position: usize) -> Set {
        Set::run(position as i64, position as i64)
    }

    pub(super) fn run(first: i64, last: i64) -> Set {
        Set(if first <= last {
            vec![(first, last)]
        } else {
            Vec::new()
        })
    }

    /// From any runs.
    pub(super) fn of(mut runs: Vec<(i64, i64)>) -> Set {
        runs.retain(|(first, last)| first <= last);
        runs.sort_unstable();
        let mut joined: Vec<(i64, i64)> = Vec::with_capacity(runs.len());
        for (first, last) in runs {
            match joined.last_mut() {
                Some((_, end)) if first <= end.saturating_add(1) => *end = (*end).max(last),
                _ => joined.push((first, last)),
            }
        }
        Set(joined)
    }

    /// The runs, first and last position of each.
    pub fn runs(&self) -> &[(i64, i64)] {
        &self.0
    }

    /// The first and the last position; `None` when there are none.
    pub fn bounds(&self) -> Option<(i64, i64)> {
        Some((self.0.first()?.0, self.0.last()?.1))
    }

    /// Whether nothing is in it.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether a position is in it.
    pub fn contains(&self, position: i64) -> bool {
        self.0
            .iter()
            .any(|&(first, last)| (first..=last).contains(&position))
    }

    /// Whether all of it is in another.
    pub fn is_within(&self, other: &Set) -> bool {
        self.0.iter().all(|run| {
            other
                .0
                .iter()
                .any(|holds| holds.0 <= run.0 && run.1 <= holds.1)
        })
    }

    /// The positions of either.
    pub(super) fn with(&self, other: &Set) -> Set {
        Set::of([self.0.as_slice(), other.0.as_slice()].concat())
    }

    /// Everything from the first to the last position of both.
    pub(super) fn spanning(&self, other: &Set) -> Set {
        match (self.bounds(), other.bounds()) {
            (Some(a), Some(b)) => Set::run(a.0.min(b.0), a.1.max(b.1)),
            (Some(one), None) | (None, Some(one)) => Set::run(one.0, one.1),
            (None, None) => Set::default(),
        }
    }

    /// The part from 0 to below `size`.
    pub(super) fn inside(self, size: usize) -> Set {
        let last = size as i64 - 1;
        Set(self
            .0
            .into_iter()
            .map(|(a, b)| (a.max(0), b.min(last)))
            .filter(|(a, b)| a <= b)
            .collect())
    }
}

/// The way back along one axis of a layer: from outputs to the inputs they depend on.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Back {
    Same,
    Shift(i64),
    Down(Window),
    Up(Window),
    Nearest(i64),
    Bilinear(i64),
    Adaptive { input: i64, output: i64 },
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Window {
    kernel: i64,
    stride: i64,
    dilation: i64,
    pad: i64,
}

impl Window {
    pub(super) fn of(geometry: &Geometry, axis: usize) -> Window {
        let size = |sizes: &[usize; 3]| sizes[axis] as i64;
        let Geometry {
            kernel,
            stride,
            dilation,
            pad,
            ..
        } = geometry;
        Window {
            kernel: size(kernel),
            stride: size(stride),
            dilation: size(dilation),
            pad: size(pad),
        }
    }

    fn reach(&self) -> i64 {
        (self.kernel - 1).saturating_mul(self.dilation)
    }
}

impl Back {
    /// The way back through a layer that keeps axes apart.
    pub fn of(reads: Reads, axis: usize) -> Back {
        match reads {
            Reads::Window(geometry, _) => Back::Down(Window::of(&geometry, axis)),
            Reads::Spread(geometry) | Reads::Unpooled(geometry) => {
                Back::Up(Window::of(&geometry, axis))
            }
            Reads::Enlarged { factor, bilinear } if bilinear => Back::Bilinear(factor[axis] as i64),
            Reads::Enlarged { factor, .. } => Back::Nearest(factor[axis] as i64),
            Reads::Adaptive { input, output } => Back::Adaptive {
                input: input[axis] as i64,
                output: output[axis] as i64,
            },
            Reads::Padded { before, .. } => Back::Shift(-(before[axis] as i64)),
            Reads::Cropped { before, .. } => Back::Shift(before[axis] as i64),
            Reads::Own | Reads::OwnAndStatistics | Reads::All => Back::Same,
        }
    }

    /// The inputs that a set of outputs depends on, those in the padding too, and whether that is exact.
    pub fn through(self, set: &Set) -> (Set, bool) {
        self.through_at_most(set, MOST_RUNS)
    }

    /// The same, where more than `most` runs become one.
    pub(crate) fn through_at_most(self, set: &Set, most: usize) -> (Set, bool) {
        let mut runs = Vec::with_capacity(set.0.len());
        let mut exact = true;
        for &run in &set.0 {
            exact &= self.run(run, most as i64, &mut runs);
            if runs.len() > 4 * most {
                runs = Set::of(runs).0;
            }
        }
        let found = Set::of(runs);
        match found.0.len() > most {
            true => (found.spanning(&Set::default()), false),
            false => (found, exact),
        }
    }

    /// Adds the inputs of a run of outputs; false when more than those were added.
    fn run(self, (first, last): (i64, i64), most: i64, runs: &mut Vec<(i64, i64)>) -> bool {
        let one = match self {
            Back::Same => (first, last),
            Back::Shift(by) => (first + by, last + by),
            Back::Nearest(factor) => (first.div_euclid(factor), last.div_euclid(factor)),
            Back::Bilinear(factor) => (below(first, factor).0, below(last, factor).1),
            Back::Adaptive { input, output } => {
                let start = |i: i64| i.saturating_mul(input).div_euclid(output);
                // ⌈(last + 1)·in/out⌉ is −⌊−(last + 1)·in/out⌋.
                let end = -(last + 1).saturating_mul(-input).div_euclid(output);
                (start(first), end - 1)
            }
            Back::Down(window) => return down(window, (first, last), most, runs),
            Back::Up(window) => return up(window, (first, last), most, runs),
        };
        runs.push(one);
        true
    }
}

/// The inputs between which interpolation puts an output: (o + ½)/f − ½, and not below 0.
fn below(output: i64, factor: i64) -> (i64, i64) {
    let place = (2 * output + 1 - factor).max(0);
    let first = place / (2 * factor);
    (first, first + i64::from(place % (2 * factor) > 0))
}

/// Output o reads o·s − p + t·d for every tap t.
fn down(window: Window, (first, last): (i64, i64), most: i64, runs: &mut Vec<(i64, i64)>) -> bool {
    let Window {
        kernel,
        stride,
        dilation,
        pad,
    } = window;
    let start = |output: i64| output.saturating_mul(stride) - pad;
    let outputs = last - first + 1;
    if dilation == 1 || kernel == 1 {
        if kernel >= stride || outputs == 1 {
            runs.push((start(first), start(last).saturating_add(kernel - 1)));
            return true;
        }
        if outputs <= most {
            runs.extend((first..=last).map(|output| (start(output), start(output) + kernel - 1)));
            return true;
        }
    } else if stride == 1 && kernel <= most {
        runs.extend(
            (0..kernel).map(|tap| (start(first) + tap * dilation, start(last) + tap * dilation)),
        );
        return true;
    } else if outputs.saturating_mul(kernel) <= most {
        let taps = |output: i64| (0..kernel).map(move |tap| start(output) + tap * dilation);
        runs.extend(
            (first..=last)
                .flat_map(taps)
                .map(|position| (position, position)),
        );
        return true;
    }
    runs.push((start(first), start(last).saturating_add(window.reach())));
    false
}

/// Output o is written by the inputs i with i·s = o + p − t·d for some tap t.
fn up(window: Window, (first, last): (i64, i64), most: i64, runs: &mut Vec<(i64, i64)>) -> bool {
    let Window {
        kernel,
        stride,
        dilation,
        pad,
    } = window;
    let inputs = |low: i64, high: i64| (-(-low).div_euclid(stride), high.div_euclid(stride));
    // Runs that touch when moved by the dilation are one.
    if last - first + 1 >= dilation || kernel == 1 {
        runs.push(inputs(first + pad - window.reach(), last + pad));
        return true;
    }
    if kernel <= most {
        runs.extend(
            (0..kernel)
                .map(|tap| inputs(first + pad - tap * dilation, last + pad - tap * dilation)),
        );
        return true;
    }
    runs.push(inputs(first + pad - window.reach(), last + pad));
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_are_joined() {
        let set = Set::of(vec![(5, 6), (0, 1), (2, 3), (9, 8)]);
        assert_eq!(set.runs(), [(0, 3), (5, 6)]);
        assert!(
            set.contains(5)
                && !set.contains(4)
                && Set::one(6).is_within(&set)
                && !Set::one(4).is_within(&set)
        );
        assert_eq!(set.clone().inside(6).runs(), [(0, 3), (5, 5)]);
        assert_eq!(set.spanning(&Set::one(8)).bounds(), Some((0, 8)));
        assert!(Set::all(0).is_empty());
    }

    #[test]
    fn very_many_runs_become_one() {
        let window = Window {
            kernel: 1,
            stride: 2,
            dilation: 1,
            pad: 0,
        };
        let (set, exact) = Back::Down(window).through(&Set::all(1 << 20));
        assert_eq!((set.runs(), exact), (&[(0, (1 << 21) - 2)][..], false));
    }
}
