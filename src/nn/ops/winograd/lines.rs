//! Winograd's transforms of one axis, as adds of vectors, and how two axes are made of them.
//!
//! With N points an axis gives N + 1 − R outputs of a window of R: `y = Aᵀ[(G·w) ⊙ (Bᵀ·x)]`. The gradient of
//! the weight is the transpose of the same: `Gᵀ[(A·∂y) ⊙ (Bᵀ·x)]`. The points are 0, pairs of a number and its
//! opposite, and ∞; what a pair has in common is computed once.

// The lines are written as the formulas are; elements that a line has too few of stay unused.
#![allow(clippy::needless_range_loop)]

use crate::ops::real::Real;
use crate::ops::simd::Lanes;

/// Pairs of points at most.
const PAIRS: usize = 3;
/// The powers of each pair's positive point, as many as outputs or a window can have.
const POWERS: [[f64; 7]; PAIRS] = [
    [1.0; 7],
    [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0],
    [1.0, 0.5, 0.25, 0.125, 0.0625, 0.03125, 0.015625],
];

/// What N points an axis have in common. Polynomials of x² by rising power; the highest has the factor 1.
struct Points {
    /// The product of (x² − a²) over all pairs ±a.
    all: [f64; PAIRS + 1],
    /// For each pair, the same without it.
    without: [[f64; PAIRS]; PAIRS],
    /// For each pair, what its windows are multiplied by: one over the derivative of `x·all` there.
    scale: [f64; PAIRS],
    /// The same at 0.
    scale_of_zero: f64,
}

impl Points {
    /// 0, ±1, ∞.
    const FOUR: Points = Points {
        all: [-1.0, 1.0, 0.0, 0.0],
        without: [[1.0, 0.0, 0.0], [0.0; PAIRS], [0.0; PAIRS]],
        scale: [0.5, 0.0, 0.0],
        scale_of_zero: -1.0,
    };
    /// 0, ±1, ±2, ∞.
    const SIX: Points = Points {
        all: [4.0, -5.0, 1.0, 0.0],
        without: [[-4.0, 1.0, 0.0], [-1.0, 1.0, 0.0], [0.0; PAIRS]],
        scale: [-1.0 / 6.0, 1.0 / 24.0, 0.0],
        scale_of_zero: 0.25,
    };
    /// 0, ±1, ±2, ±½, ∞.
    const EIGHT: Points = Points {
        all: [-1.0, 5.25, -5.25, 1.0],
        without: [[1.0, -4.25, 1.0], [0.25, -1.25, 1.0], [4.0, -5.0, 1.0]],
        scale: [-2.0 / 9.0, 1.0 / 90.0, 32.0 / 45.0],
        scale_of_zero: -1.0,
    };

    #[inline(always)]
    const fn of(count: usize) -> &'static Points {
        match count {
            4 => &Points::FOUR,
            6 => &Points::SIX,
            _ => &Points::EIGHT,
        }
    }
}

/// Pairs of so many points.
const fn pairs(points: usize) -> usize {
    points / 2 - 1
}

/// A vector for each point of an axis.
type Line<V, const N: usize> = [V; N];

/// A transform of one axis. A trait and no closure: whoever calls it twice must have it inlined, as it is compiled
/// for the instructions of its caller.
pub(super) trait LineTransform<T: Real> {
    /// The transformed line; elements that are not given or not made are whatever they are.
    fn apply<L: Lanes<T>, const N: usize>(lanes: L, x: Line<L::Vector, N>) -> Line<L::Vector, N>;
}

/// Vectors on the stack, each in one line of the cache.
#[repr(align(64))]
struct Aligned<V>(V);

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
    let mut rows = Aligned([[zero; N]; N]);
    for j in 0..from {
        let mut column = [zero; N];
        for i in 0..from {
            column[i] = load(i, j);
        }
        let column = F::apply::<L, N>(lanes, column);
        for i in 0..to {
            rows.0[i][j] = column[i];
        }
    }
    for i in 0..to {
        let row = F::apply::<L, N>(lanes, rows.0[i]);
        for j in 0..to {
            store(i, j, row[j]);
        }
    }
}

/// A number in every lane.
#[inline(always)]
fn constant<T: Real, L: Lanes<T>>(lanes: L, value: f64) -> L::Vector {
    lanes.splat(T::narrow(value))
}

/// `a + factor·b`.
#[inline(always)]
fn plus<T: Real, L: Lanes<T>>(lanes: L, a: L::Vector, factor: f64, b: L::Vector) -> L::Vector {
    if factor == 1.0 {
        lanes.add(a, b)
    } else if factor == -1.0 {
        lanes.subtract(a, b)
    } else {
        lanes.multiply_add(constant(lanes, factor), b, a)
    }
}

/// `factor·a`.
#[inline(always)]
fn times<T: Real, L: Lanes<T>>(lanes: L, factor: f64, a: L::Vector) -> L::Vector {
    if factor == 1.0 {
        return a;
    }
    lanes.multiply_add(constant(lanes, factor), a, constant(lanes, 0.0))
}

/// `Σ factors[k]·x[first + 2·k]` up to `degree`, whose factor is 1.
#[inline(always)]
fn polynomial<T: Real, L: Lanes<T>, const N: usize>(
    lanes: L,
    x: &Line<L::Vector, N>,
    first: usize,
    factors: &[f64],
    degree: usize,
) -> L::Vector {
    let mut sum = x[first + 2 * degree];
    for k in (0..degree).rev() {
        sum = plus(lanes, sum, factors[k], x[first + 2 * k]);
    }
    sum
}

/// By pair, the sum and the difference of what is at its two points.
#[inline(always)]
fn sums_of_pairs<T: Real, L: Lanes<T>, const N: usize>(
    lanes: L,
    x: &Line<L::Vector, N>,
) -> [[L::Vector; PAIRS]; 2] {
    let mut both = [[x[0]; PAIRS]; 2];
    for pair in 0..pairs(N) {
        let (plus, minus) = (x[1 + 2 * pair], x[2 + 2 * pair]);
        both[0][pair] = lanes.add(plus, minus);
        both[1][pair] = lanes.subtract(plus, minus);
    }
    both
}

/// `Bᵀ·x`: N inputs to N points.
pub(super) struct Input;

impl<T: Real> LineTransform<T> for Input {
    #[inline(always)]
    fn apply<L: Lanes<T>, const N: usize>(lanes: L, x: Line<L::Vector, N>) -> Line<L::Vector, N> {
        let (points, count) = (const { Points::of(N) }, pairs(N));
        let mut z = x;
        z[0] = polynomial(lanes, &x, 0, &points.all, count);
        for pair in 0..count {
            let without = &points.without[pair];
            let even = polynomial(lanes, &x, 2, without, count - 1);
            let odd = polynomial(lanes, &x, 1, without, count - 1);
            let at = POWERS[pair][1];
            z[1 + 2 * pair] = plus(lanes, even, at, odd);
            z[2 + 2 * pair] = plus(lanes, even, -at, odd);
        }
        z[N - 1] = polynomial(lanes, &x, 1, &points.all, count);
        z
    }
}

/// `Aᵀ·m`: N points to the outputs of a window of R.
pub(super) struct Output<const R: usize>;

impl<T: Real, const R: usize> LineTransform<T> for Output<R> {
    #[inline(always)]
    fn apply<L: Lanes<T>, const N: usize>(lanes: L, m: Line<L::Vector, N>) -> Line<L::Vector, N> {
        let both = sums_of_pairs(lanes, &m);
        let mut y = m;
        for i in 0..N + 1 - R {
            let terms = &both[i % 2];
            let mut sum = terms[0];
            if i == 0 {
                sum = lanes.add(m[0], sum);
            }
            for pair in 1..pairs(N) {
                sum = plus(lanes, sum, POWERS[pair][i], terms[pair]);
            }
            if i == N - R {
                sum = lanes.add(sum, m[N - 1]);
            }
            y[i] = sum;
        }
        y
    }
}

/// `A·∂y`: gradients of the outputs of a window of R to N points.
pub(super) struct Gradient<const R: usize>;

impl<T: Real, const R: usize> LineTransform<T> for Gradient<R> {
    #[inline(always)]
    fn apply<L: Lanes<T>, const N: usize>(lanes: L, y: Line<L::Vector, N>) -> Line<L::Vector, N> {
        let mut z = y;
        for pair in 0..pairs(N) {
            let power = &POWERS[pair];
            let (mut even, mut odd) = (y[0], times(lanes, power[1], y[1]));
            for i in 2..N + 1 - R {
                if i % 2 == 0 {
                    even = plus(lanes, even, power[i], y[i]);
                } else {
                    odd = plus(lanes, odd, power[i], y[i]);
                }
            }
            z[1 + 2 * pair] = lanes.add(even, odd);
            z[2 + 2 * pair] = lanes.subtract(even, odd);
        }
        z[N - 1] = y[N - R];
        z
    }
}

/// `G·w`: R weights to N points.
pub(super) struct Weight<const R: usize>;

impl<T: Real, const R: usize> LineTransform<T> for Weight<R> {
    #[inline(always)]
    fn apply<L: Lanes<T>, const N: usize>(lanes: L, w: Line<L::Vector, N>) -> Line<L::Vector, N> {
        let points = const { Points::of(N) };
        let mut z = w;
        z[0] = times(lanes, points.scale_of_zero, w[0]);
        for pair in 0..pairs(N) {
            let (scale, power) = (points.scale[pair], &POWERS[pair]);
            let mut even = times(lanes, scale, w[0]);
            let mut odd = times(lanes, scale * power[1], w[1]);
            for k in 2..R {
                if k % 2 == 0 {
                    even = plus(lanes, even, scale * power[k], w[k]);
                } else {
                    odd = plus(lanes, odd, scale * power[k], w[k]);
                }
            }
            z[1 + 2 * pair] = lanes.add(even, odd);
            z[2 + 2 * pair] = lanes.subtract(even, odd);
        }
        z[N - 1] = w[R - 1];
        z
    }
}

/// `Gᵀ·s`: N points to the gradients of R weights.
pub(super) struct WeightGradient<const R: usize>;

impl<T: Real, const R: usize> LineTransform<T> for WeightGradient<R> {
    #[inline(always)]
    fn apply<L: Lanes<T>, const N: usize>(lanes: L, s: Line<L::Vector, N>) -> Line<L::Vector, N> {
        let points = const { Points::of(N) };
        let both = sums_of_pairs(lanes, &s);
        let mut w = s;
        for k in 0..R {
            let terms = &both[k % 2];
            let mut sum = times(lanes, points.scale[0], terms[0]);
            if k == 0 {
                sum = plus(lanes, sum, points.scale_of_zero, s[0]);
            }
            for pair in 1..pairs(N) {
                let factor = points.scale[pair] * POWERS[pair][k];
                sum = plus(lanes, sum, factor, terms[pair]);
            }
            if k == R - 1 {
                sum = lanes.add(sum, s[N - 1]);
            }
            w[k] = sum;
        }
        w
    }
}
