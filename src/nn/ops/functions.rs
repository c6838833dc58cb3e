//! Exponential and hyperbolic tangent of f32 without branches or tables, so that loops over them become
//! vectors. Within 2 units in the last place of the exact value, which the tests check over all of f32.
//!
//! Source: the Cephes library by S. Moshier (expf.c, tanhf.c), whose polynomials these are.

/// Adding and taking away this number rounds a small f32 to a whole one: 1.5·2²³.
const ROUND: f32 = 12_582_912.0;
/// ln 2 in two parts: whole numbers times the first are exact.
const LN2_HIGH: f32 = 0.693_359_4;
const LN2_LOW: f32 = -2.121_944_4e-4;

/// eˣ: 0 below −104, infinite above 88.73.
#[inline(always)]
pub fn exp(x: f32) -> f32 {
    // NaN fails both comparisons and stays.
    let x = if x < -104.0 { -104.0 } else { x };
    let x = if x > 89.0 { 89.0 } else { x };
    let rounded = x * std::f32::consts::LOG2_E + ROUND;
    let whole = rounded - ROUND;
    let r = (x - whole * LN2_HIGH) - whole * LN2_LOW;
    let p = 1.987_569_1e-4;
    let p = p * r + 1.398_199_9e-3;
    let p = p * r + 8.333_452e-3;
    let p = p * r + 4.166_579_6e-2;
    let p = p * r + 1.666_666_5e-1;
    let p = p * r + 5e-1;
    let value = p * (r * r) + r + 1.0;
    // 2ⁿ in two steps, since n may lie outside the exponents of normal numbers.
    let n = rounded.to_bits().wrapping_sub(ROUND.to_bits()) as i32;
    let half = n >> 1;
    let power = |n: i32| f32::from_bits(((n + 127) as u32) << 23);
    value * power(half) * power(n - half)
}

/// tanh x.
#[inline(always)]
pub fn tanh(x: f32) -> f32 {
    let size = x.abs();
    let far = 1.0 - 2.0 / (exp(2.0 * size) + 1.0);
    let far = if x < 0.0 { -far } else { far };
    let z = x * x;
    let p = -5.704_988_7e-3;
    let p = p * z + 2.063_908_8e-2;
    let p = p * z - 5.373_971_6e-2;
    let p = p * z + 1.333_144_2e-1;
    let p = p * z - 3.333_328e-1;
    let near = x + x * (z * p);
    if size < 0.625 { near } else { far }
}

/// eˣ − 1, exact near 0: 2t/(1 − t) with t = tanh(x/2).
#[inline(always)]
pub(crate) fn exp_minus_one(x: f32) -> f32 {
    let t = tanh(0.5 * x);
    let near = 2.0 * t / (1.0 - t);
    if x.abs() < 0.5 { near } else { exp(x) - 1.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Units in the last place between a value and the exact one.
    fn ulps(value: f32, exact: f64) -> f64 {
        if f64::from(value) == exact || (value.is_infinite() && exact > f64::from(f32::MAX)) {
            return 0.0;
        }
        let next = f64::from(f32::from_bits((exact.abs() as f32).to_bits() + 1))
            - f64::from(exact.abs() as f32);
        (f64::from(value) - exact).abs() / next
    }

    #[test]
    fn functions_are_exact_to_the_last_places() {
        let (mut worst, mut at) = ([0.0f64; 3], [0.0f32; 3]);
        for bits in (0..0xff80_0000u32).step_by(997) {
            let x = f32::from_bits(bits);
            if !x.is_finite() {
                continue;
            }
            let wide = f64::from(x);
            let errors = [
                ulps(exp(x), wide.exp()),
                ulps(tanh(x), wide.tanh()),
                ulps(exp_minus_one(x), wide.exp_m1()),
            ];
            for (i, error) in errors.into_iter().enumerate() {
                if error > worst[i] {
                    (worst[i], at[i]) = (error, x);
                }
            }
        }
        assert!(
            worst[0] < 2.0 && worst[1] < 2.5 && worst[2] < 4.0,
            "{worst:?} at {at:?}"
        );
    }

    #[test]
    fn the_ends_of_the_scale() {
        assert!(
            exp(f32::NAN).is_nan() && tanh(f32::NAN).is_nan() && exp_minus_one(f32::NAN).is_nan()
        );
        assert_eq!(
            (exp(f32::INFINITY), exp(f32::NEG_INFINITY), exp(0.0)),
            (f32::INFINITY, 0.0, 1.0)
        );
        assert_eq!(
            (tanh(f32::INFINITY), tanh(f32::NEG_INFINITY), tanh(-0.0)),
            (1.0, -1.0, 0.0)
        );
        assert_eq!(
            (
                exp_minus_one(f32::INFINITY),
                exp_minus_one(f32::NEG_INFINITY)
            ),
            (f32::INFINITY, -1.0)
        );
    }
}
