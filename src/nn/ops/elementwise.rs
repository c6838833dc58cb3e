//! Functions of single elements over whole slices.

#![deny(clippy::wildcard_enum_match_arm)]

use super::real::Real;
use super::simd::vectorized;
use rayon::prelude::*;
use strata_core::project::layer::Activation;
use strata_core::shape::layers::{ELU_ALPHA, LEAKY_SLOPE};

const CHUNK: usize = 1 << 14;
/// Elements up to which nothing is divided.
const FEW: usize = CHUNK + CHUNK / 4;

/// `out[i] = f(x[i])`.
pub fn map<T: Real>(x: &[T], out: &mut [T], f: impl Fn(T) -> T + Sync) {
    if out.len() <= FEW {
        return map_chunk(x, out, &f);
    }
    out.par_chunks_mut(CHUNK)
        .zip(x.par_chunks(CHUNK))
        .for_each(|(out, x)| map_chunk(x, out, &f));
}

/// `out[i] = f(a[i], b[i])`.
pub fn zip<T: Real>(a: &[T], b: &[T], out: &mut [T], f: impl Fn(T, T) -> T + Sync) {
    if out.len() <= FEW {
        return zip_chunk(a, b, out, &f);
    }
    let sources = a.par_chunks(CHUNK).zip(b.par_chunks(CHUNK));
    out.par_chunks_mut(CHUNK)
        .zip(sources)
        .for_each(|(out, (a, b))| zip_chunk(a, b, out, &f));
}

vectorized! {
    fn map_chunk<T: Real>(x: &[T], out: &mut [T], f: &impl Fn(T) -> T) {
        for (out, &x) in out.iter_mut().zip(x) {
            *out = f(x);
        }
    }

    fn zip_chunk<T: Real>(a: &[T], b: &[T], out: &mut [T], f: &impl Fn(T, T) -> T) {
        for ((out, &a), &b) in out.iter_mut().zip(a).zip(b) {
            *out = f(a, b);
        }
    }

    fn add_row_chunk<T: Real>(x: &[T], row: &[T], out: &mut [T]) {
        for (out, x) in out.chunks_exact_mut(row.len()).zip(x.chunks_exact(row.len())) {
            for ((out, &x), &row) in out.iter_mut().zip(x).zip(row) {
                *out = x + row;
            }
        }
    }

    fn add_chunk<T: Real>(x: &[T], out: &mut [T]) {
        for (out, &x) in out.iter_mut().zip(x) {
            *out += x;
        }
    }
}

/// `out[i] += x[i]`.
pub fn add_to<T: Real>(x: &[T], out: &mut [T]) {
    out.par_chunks_mut(CHUNK)
        .zip(x.par_chunks(CHUNK))
        .for_each(|(out, x)| add_chunk(x, out));
}

/// Every row of `x` plus `row`.
pub(crate) fn add_row<T: Real>(x: &[T], row: &[T], out: &mut [T]) {
    let chunk = CHUNK.next_multiple_of(row.len().max(1));
    out.par_chunks_mut(chunk)
        .zip(x.par_chunks(chunk))
        .for_each(|(out, x)| add_row_chunk(x, row, out));
}

/// Applies an activation. NaN stays NaN.
///
/// Functions hold their numbers themselves, and none is chosen between two that they hold: behind a reference those might
/// change with every number that is written, and no loop over them would become vectors.
pub(crate) fn activate<T: Real>(activation: Activation, x: &[T], out: &mut [T]) {
    let three = T::from_f64(3.0);
    let six = T::from_f64(6.0);
    match activation {
        Activation::Relu => map(x, out, move |v| if v < T::zero() { T::zero() } else { v }),
        Activation::Relu6 => map(x, out, move |v| clamp(v, T::zero(), six)),
        Activation::LeakyRelu(slope) => {
            let slope = T::from_f64(f64::from(slope.unwrap_or(LEAKY_SLOPE)));
            map(x, out, move |v| if v < T::zero() { v * slope } else { v });
        }
        Activation::Elu(alpha) => {
            let alpha = T::from_f64(f64::from(alpha.unwrap_or(ELU_ALPHA)));
            map(x, out, move |v| {
                // Computed on both sides, since vectors do not branch.
                let below = alpha * lower(v, T::zero()).exponential_minus_one();
                if v < T::zero() { below } else { v }
            });
        }
        Activation::Gelu => map(x, out, move |v| v * v.normal().0),
        Activation::Silu => map(x, out, move |v| v * sigmoid(v)),
        Activation::Sigmoid => map(x, out, sigmoid),
        Activation::Tanh => map(x, out, T::hyperbolic_tangent),
        Activation::HardSwish => map(x, out, move |v| v * clamp(v + three, T::zero(), six) / six),
        Activation::Step => map(x, out, move |v| {
            if v > T::zero() {
                T::one()
            } else if v.is_nan() {
                v
            } else {
                T::zero()
            }
        }),
    }
}

/// The gradient for the input, from input, output and the output's gradient. At a kink it is PyTorch's:
/// 0 at relu's zero.
pub(crate) fn activate_backward<T: Real>(
    activation: Activation,
    x: &[T],
    y: &[T],
    gradient: &[T],
    out: &mut [T],
) {
    let three = T::from_f64(3.0);
    let six = T::from_f64(6.0);
    match activation {
        Activation::Relu => zip(
            y,
            gradient,
            out,
            move |v, g| if v > T::zero() { g } else { T::zero() },
        ),
        Activation::Relu6 => scaled(x, gradient, out, move |v| {
            if v > T::zero() && v < six {
                T::one()
            } else {
                T::zero()
            }
        }),
        Activation::LeakyRelu(slope) => {
            let slope = T::from_f64(f64::from(slope.unwrap_or(LEAKY_SLOPE)));
            scaled(x, gradient, out, move |v| {
                if v > T::zero() { T::one() } else { slope }
            });
        }
        Activation::Elu(alpha) => {
            let alpha = T::from_f64(f64::from(alpha.unwrap_or(ELU_ALPHA)));
            scaled(x, gradient, out, move |v| {
                let below = alpha * lower(v, T::zero()).exponential();
                if v > T::zero() { T::one() } else { below }
            });
        }
        Activation::Gelu => scaled(x, gradient, out, move |v| {
            let (below, density) = v.normal();
            below + v * density
        }),
        Activation::Silu => scaled(x, gradient, out, move |v| {
            let s = sigmoid(v);
            s * (T::one() + v * (T::one() - s))
        }),
        Activation::Sigmoid => scaled(y, gradient, out, move |s| s * (T::one() - s)),
        Activation::Tanh => scaled(y, gradient, out, move |t| T::one() - t * t),
        Activation::HardSwish => scaled(x, gradient, out, move |v| {
            if v <= -three {
                T::zero()
            } else if v < three {
                (v + v + three) / six
            } else {
                T::one()
            }
        }),
        Activation::Step => out.fill(T::zero()),
    }
}

/// `out[i] = gradient[i]·slope(at[i])`.
fn scaled<T: Real>(at: &[T], gradient: &[T], out: &mut [T], slope: impl Fn(T) -> T + Sync) {
    zip(at, gradient, out, move |at, gradient| gradient * slope(at));
}

/// The lower of both; NaN stays.
fn lower<T: Real>(value: T, most: T) -> T {
    if value > most { most } else { value }
}

fn clamp<T: Real>(value: T, low: T, high: T) -> T {
    if value < low {
        low
    } else if value > high {
        high
    } else {
        value
    }
}

/// 1/(1 + e⁻ˣ), without overflow on either side.
fn sigmoid<T: Real>(x: T) -> T {
    let e = (-x.abs()).exponential();
    let upper = T::one() / (T::one() + e);
    if x < T::zero() { e * upper } else { upper }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: [Activation; 12] = [
        Activation::Relu,
        Activation::Relu6,
        Activation::LeakyRelu(None),
        Activation::LeakyRelu(Some(0.3)),
        Activation::Elu(None),
        Activation::Elu(Some(0.5)),
        Activation::Gelu,
        Activation::Silu,
        Activation::Sigmoid,
        Activation::Tanh,
        Activation::HardSwish,
        Activation::Step,
    ];

    fn grid<T: Real>() -> Vec<T> {
        (-400..=400)
            .map(|i| T::from_f64(f64::from(i) / 40.0))
            .collect()
    }

    fn agrees<T: Real>(tolerance: f64) {
        let x = grid::<T>();
        for activation in ALL {
            let mut y = vec![T::zero(); x.len()];
            activate(activation, &x, &mut y);
            for (&x, &y) in x.iter().zip(&y) {
                let wanted = activation.value(x.to_f64());
                let error = (y.to_f64() - wanted).abs();
                assert!(
                    error <= tolerance * (1.0 + wanted.abs()),
                    "{activation:?}({x}) = {y}, should be {wanted}"
                );
            }
        }
    }

    #[test]
    fn the_kernels_compute_the_table_of_activations() {
        agrees::<f64>(1e-12);
        agrees::<f32>(2e-6);
    }

    #[test]
    fn gradients_are_the_slopes_of_the_table() {
        let x: Vec<f64> = grid();
        let ones = vec![1.0; x.len()];
        for activation in ALL {
            let mut y = vec![0.0; x.len()];
            let mut dx = vec![0.0; x.len()];
            activate(activation, &x, &mut y);
            activate_backward(activation, &x, &y, &ones, &mut dx);
            for (x, dx) in x.iter().zip(&dx) {
                // Kinks lie on multiples of 1/2.
                if (x * 2.0).fract() == 0.0 {
                    continue;
                }
                let step = 1e-5;
                let slope =
                    (activation.value(x + step) - activation.value(x - step)) / (2.0 * step);
                assert!(
                    (slope - dx).abs() < 1e-8,
                    "{activation:?} at {x}: {dx}, should be {slope}"
                );
            }
        }
    }
}
