//! A made noisy curve: the signal to smooth when there is none at hand.

use rand_distr::{Distribution, StandardNormal};
use strata_core::rng::{Purpose, stream};

/// A curve, with and without its noise.
#[derive(Clone, Debug, PartialEq)]
pub struct Curve {
    /// As it was made.
    pub clean: Vec<f32>,
    /// With Gaussian noise.
    pub noisy: Vec<f32>,
}

/// Counter of the stream, far from those of pictures.
const COUNTER: u64 = u64::MAX;

/// Two waves and a step, `length` values about −1 to 1, with noise of this standard deviation.
pub fn noisy_curve(seed: u64, length: usize, noise: f32) -> Curve {
    let mut random = stream(seed, Purpose::Shapes, COUNTER);
    let value = |at: usize| {
        let x = at as f32 / length.max(1) as f32;
        let turn = std::f32::consts::TAU * x;
        let step = if (0.55..0.8).contains(&x) { 0.5 } else { 0.0 };
        0.5 * turn.sin() + 0.25 * (3.0 * turn).cos() + step
    };
    let clean: Vec<f32> = (0..length).map(value).collect();
    let noisy = clean.iter().map(|value| {
        let draw: f32 = StandardNormal.sample(&mut random);
        value + noise * draw
    });
    let noisy = noisy.collect();
    Curve { clean, noisy }
}
