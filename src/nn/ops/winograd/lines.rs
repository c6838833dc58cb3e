//! Winograd's transforms of one axis, as adds of vectors, and how two axes are made of them.
//!
//! With N points an axis gives N − 2 outputs of a window of 3: `y = Aᵀ[(G·w) ⊙ (Bᵀ·x)]`. The gradient of
//! the weight is the transpose of the same: `Gᵀ[(A·∂y) ⊙ (Bᵀ·x)]`. 4 points are 0, 1, −1, ∞; 6 points are
//! 0, 1, −1, 2, −2, ∞.

// The lines are written as the formulas are; elements that a line has too few of stay unused.
#![allow(clippy::needless_range_loop)]

use crate::ops::real::Real;
use crate::ops::simd::Lanes;

/// Elements of the window along an axis.
pub(super) const WINDOW: usize = 3;

/// A vector for each point of an axis.
type Line<V, const N: usize> = [V; N];

/// A transform of one axis. A trait and no closure: whoever calls it twice must have it inlined, as it is compiled
/// for the instructions of its caller.
pub(super) trait LineTransform<T: Real> {
    /// The transformed line; elements that are not given or not made are whatever they are.
    fn apply<L: Lanes<T>, const N: usize>(lanes: L, x: Line<L::Vector, N>) -> Line<L::Vector, N>;
}

/// Applies a line transform of `from` elements to `to` along both axes. Columns are loaded and transformed one by
/// one, then rows are transformed and stored: few vectors are alive at a time.
#[inline(always)]
pub(super) fn both_axes<T: Real, L: Lanes<T>, F: LineTransform<T>, const N: usize>(
    lanes: L,
    [from, to]: [usize; 2],
    load: impl Fn(usize, usize) -> L::Vector,
    mut store: impl FnMut(usize, usize, L::Vector),
) {
    let zero = lanes.splat(T::zero());
    let mut rows = [[zero; N]; N];
    for j in 0..from {
        let mut column = [zero; N];
        for i in 0..from {
            column[i] = load(i, j);
        }
        let column = F::apply::<L, N>(lanes, column);
        for i in 0..to {
            rows[i][j] = column[i];
        }
    }
    for i in 0..to {
        let row = F::apply::<L, N>(lanes, rows[i]);
        for j in 0..to {
            store(i, j, row[j]);
        }
    }
}

/// A number in every lane.
#[inline(always)]
fn constant<T: Real, L: Lanes<T>>(lanes: L, value: f64) -> L::Vector {
    lanes.splat(T::from_f64(value))
}

/// `a + factor·b`.
#[inline(always)]
fn plus<T: Real, L: Lanes<T>>(lanes: L, a: L::Vector, factor: f64, b: L::Vector) -> L::Vector {
    lanes.multiply_add(constant(lanes, factor), b, a)
}

/// `factor·a`.
#[inline(always)]
fn times<T: Real, L: Lanes<T>>(lanes: L, factor: f64, a: L::Vector) -> L::Vector {
    lanes.multiply_add(constant(lanes, factor), a, constant(lanes, 0.0))
}

/// `Bᵀ·x`: N inputs to N points.
pub(super) struct Input;

impl<T: Real> LineTransform<T> for Input {
    #[inline(always)]
    fn apply<L: Lanes<T>, const N: usize>(lanes: L, x: Line<L::Vector, N>) -> Line<L::Vector, N> {
        let mut z = x;
        if N == 4 {
            z[0] = lanes.subtract(x[0], x[2]);
            z[1] = lanes.add(x[1], x[2]);
            z[2] = lanes.subtract(x[2], x[1]);
            z[3] = lanes.subtract(x[1], x[3]);
        } else {
            let even = plus(lanes, x[4], -4.0, x[2]);
            let odd = plus(lanes, x[3], -4.0, x[1]);
            let near_even = lanes.subtract(x[4], x[2]);
            let near_odd = lanes.subtract(x[3], x[1]);
            z[0] = plus(lanes, plus(lanes, x[4], -5.0, x[2]), 4.0, x[0]);
            z[1] = lanes.add(even, odd);
            z[2] = lanes.subtract(even, odd);
            z[3] = plus(lanes, near_even, 2.0, near_odd);
            z[4] = plus(lanes, near_even, -2.0, near_odd);
            z[5] = plus(lanes, plus(lanes, x[5], -5.0, x[3]), 4.0, x[1]);
        }
        z
    }
}

/// `Aᵀ·m`: N points to N − 2 outputs.
pub(super) struct Output;

impl<T: Real> LineTransform<T> for Output {
    #[inline(always)]
    fn apply<L: Lanes<T>, const N: usize>(lanes: L, m: Line<L::Vector, N>) -> Line<L::Vector, N> {
        let mut y = m;
        let (sum, difference) = (lanes.add(m[1], m[2]), lanes.subtract(m[1], m[2]));
        if N == 4 {
            y[0] = lanes.add(m[0], sum);
            y[1] = lanes.subtract(difference, m[3]);
        } else {
            let (far_sum, far_difference) = (lanes.add(m[3], m[4]), lanes.subtract(m[3], m[4]));
            y[0] = lanes.add(lanes.add(m[0], sum), far_sum);
            y[1] = plus(lanes, difference, 2.0, far_difference);
            y[2] = plus(lanes, sum, 4.0, far_sum);
            y[3] = lanes.add(plus(lanes, difference, 8.0, far_difference), m[5]);
        }
        y
    }
}

/// `A·∂y`: N − 2 gradients of outputs to N points.
pub(super) struct Gradient;

impl<T: Real> LineTransform<T> for Gradient {
    #[inline(always)]
    fn apply<L: Lanes<T>, const N: usize>(lanes: L, y: Line<L::Vector, N>) -> Line<L::Vector, N> {
        let mut z = y;
        if N == 4 {
            z[1] = lanes.add(y[0], y[1]);
            z[2] = lanes.subtract(y[0], y[1]);
            z[3] = lanes.subtract(constant(lanes, 0.0), y[1]);
        } else {
            let (even, odd) = (lanes.add(y[0], y[2]), lanes.add(y[1], y[3]));
            let far_even = plus(lanes, y[0], 4.0, y[2]);
            let far_odd = plus(lanes, times(lanes, 2.0, y[1]), 8.0, y[3]);
            z[1] = lanes.add(even, odd);
            z[2] = lanes.subtract(even, odd);
            z[3] = lanes.add(far_even, far_odd);
            z[4] = lanes.subtract(far_even, far_odd);
            z[5] = y[3];
        }
        z
    }
}

/// `G·w`: 3 weights to N points.
pub(super) struct Weight;

impl<T: Real> LineTransform<T> for Weight {
    #[inline(always)]
    fn apply<L: Lanes<T>, const N: usize>(lanes: L, w: Line<L::Vector, N>) -> Line<L::Vector, N> {
        let mut z = w;
        let sum = lanes.add(w[0], w[2]);
        if N == 4 {
            let half = times(lanes, 0.5, sum);
            z[1] = plus(lanes, half, 0.5, w[1]);
            z[2] = plus(lanes, half, -0.5, w[1]);
            z[3] = w[2];
        } else {
            let outer = plus(lanes, times(lanes, 1.0 / 24.0, w[0]), 1.0 / 6.0, w[2]);
            z[0] = times(lanes, 0.25, w[0]);
            z[1] = times(lanes, -1.0 / 6.0, lanes.add(sum, w[1]));
            z[2] = times(lanes, -1.0 / 6.0, lanes.subtract(sum, w[1]));
            z[3] = plus(lanes, outer, 1.0 / 12.0, w[1]);
            z[4] = plus(lanes, outer, -1.0 / 12.0, w[1]);
            z[5] = w[2];
        }
        z
    }
}

/// `Gᵀ·s`: N points to the gradients of 3 weights.
pub(super) struct WeightGradient;

impl<T: Real> LineTransform<T> for WeightGradient {
    #[inline(always)]
    fn apply<L: Lanes<T>, const N: usize>(lanes: L, s: Line<L::Vector, N>) -> Line<L::Vector, N> {
        let mut w = s;
        let (sum, difference) = (lanes.add(s[1], s[2]), lanes.subtract(s[1], s[2]));
        if N == 4 {
            w[0] = plus(lanes, s[0], 0.5, sum);
            w[1] = times(lanes, 0.5, difference);
            w[2] = plus(lanes, s[3], 0.5, sum);
        } else {
            let (far_sum, far_difference) = (lanes.add(s[3], s[4]), lanes.subtract(s[3], s[4]));
            let near = times(lanes, -1.0 / 6.0, sum);
            w[0] = plus(lanes, plus(lanes, near, 0.25, s[0]), 1.0 / 24.0, far_sum);
            w[1] = plus(
                lanes,
                times(lanes, -1.0 / 6.0, difference),
                1.0 / 12.0,
                far_difference,
            );
            w[2] = lanes.add(plus(lanes, near, 1.0 / 6.0, far_sum), s[5]);
        }
        w
    }
}
