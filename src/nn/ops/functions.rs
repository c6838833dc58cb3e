//! Exponential, hyperbolic tangent and normal distribution of f32 without branches or tables, so that loops over them
//! become vectors. Within a few units in the last place of the exact value, which the tests check over all of f32.
//!
//! Polynomials of four terms and more are computed in pairs of pairs, since a loop waits for the longest chain of
//! operations that follow from each other.
//!
//! Source: the Cephes library by S. Moshier (expf.c, tanhf.c, logf.c, sinf.c), whose polynomials these are, but for
//! the normal distribution's.

/// Adding and taking away this number rounds a small f32 to a whole one: 1.5·2²³.
const ROUND: f32 = 12_582_912.0;
/// ln 2 in two parts: whole numbers times the first are exact.
const LN2_HIGH: f32 = 0.693_359_4;
const LN2_LOW: f32 = -2.121_944_4e-4;

/// 1/√(2π).
const DENSITY_AT_ZERO: f32 = 0.398_942_3;

/// eˣ: 0 below −104, infinite above 88.73.
#[inline(always)]
pub fn exp(x: f32) -> f32 {
    // NaN fails both comparisons and stays.
    let x = if x < -104.0 { -104.0 } else { x };
    let x = if x > 89.0 { 89.0 } else { x };
    let (n, r) = whole_and_rest(x);
    let value = near_one(r) + 1.0;
    // 2ⁿ in two steps, since n may lie outside the exponents of normal numbers.
    let half = n >> 1;
    let power = |n: i32| f32::from_bits((n.wrapping_add(127) as u32) << 23);
    value * power(half) * power(n.wrapping_sub(half))
}

/// n and r of x = n·ln 2 + r, with |r| at most ½·ln 2.
#[inline(always)]
fn whole_and_rest(x: f32) -> (i32, f32) {
    let rounded = x * std::f32::consts::LOG2_E + ROUND;
    let whole = rounded - ROUND;
    let r = (x - whole * LN2_HIGH) - whole * LN2_LOW;
    (rounded.to_bits().wrapping_sub(ROUND.to_bits()) as i32, r)
}

/// eʳ − 1 for |r| at most ½·ln 2.
#[inline(always)]
fn near_one(r: f32) -> f32 {
    let square = r * r;
    let high = 1.987_569_1e-4 * r + 1.398_199_9e-3;
    let middle = 8.333_452e-3 * r + 4.166_579_6e-2;
    let low = 1.666_666_5e-1 * r + 5e-1;
    let p = (high * square + middle) * square + low;
    p * square + r
}

/// e^(−x) for x from 0 on: 0 above 87, where it would no longer be a normal number.
#[inline(always)]
fn exp_below_one(x: f32) -> f32 {
    // NaN fails both comparisons and stays.
    let near = if x > 87.0 { 87.0 } else { x };
    let (n, r) = whole_and_rest(-near);
    let value = near_one(r) + 1.0;
    let value = value * f32::from_bits((n.wrapping_add(127) as u32) << 23);
    if x > 87.0 { 0.0 } else { value }
}

/// tanh x.
#[inline(always)]
pub fn tanh(x: f32) -> f32 {
    let size = x.abs();
    let far = 1.0 - 2.0 / (exp(2.0 * size) + 1.0);
    let far = if x < 0.0 { -far } else { far };
    let z = x * x;
    let fourth = z * z;
    let high = -5.704_988_7e-3 * fourth + (2.063_908_8e-2 * z - 5.373_971_6e-2);
    let p = high * fourth + (1.333_144_2e-1 * z - 3.333_328e-1);
    let near = x + x * (z * p);
    if size < 0.625 { near } else { far }
}

/// eˣ − 1, exact near 0.
#[inline(always)]
pub(crate) fn exp_minus_one(x: f32) -> f32 {
    // NaN fails both comparisons and stays. Below −80 the rounded result is −1.
    let x = if x < -80.0 { -80.0 } else { x };
    let x = if x > 89.0 { 89.0 } else { x };
    let (n, r) = whole_and_rest(x);
    // eʳ − 1, and eˣ − 1 = 2·(2ⁿ⁻¹·(eʳ − 1) + (2ⁿ⁻¹ − ½)); half, because 2ⁿ may be infinite where eˣ is not.
    let rest = near_one(r);
    let half = f32::from_bits((n.wrapping_add(126) as u32) << 23);
    2.0 * (rest * half + (half - 0.5))
}

/// The standard normal distribution: the probability of a value below x, and the density at x.
#[inline(always)]
pub(crate) fn normal(x: f32) -> (f32, f32) {
    let square = x * x;
    let bell = exp_below_one(0.5 * square);
    // Near 0: ½ + x·p(x²), within 8e-10.
    let fourth = square * square;
    let high = -7.660_538e-6 * square + 1.135_023e-4;
    let middle = -1.186_344e-3 * square + 9.973_329e-3;
    let low = -6.649_036e-2 * square + 3.989_423e-1;
    let p = (high * fourth + middle) * fourth + low;
    let near = 0.5 + x * p;
    // From 1 on: the tail beyond |x| over the bell is t·p(t) with t = 1/(1 + 0.48·|x|), within 3e-8 of itself.
    let t = 1.0 / (1.0 + 0.48 * x.abs());
    let second = t * t;
    let high = (-1.106_07e-1 * t + 3.546_899e-1) * second + (-3.768_222e-1 * t + 6.424_408e-2);
    let low =
        (3.441_291_3e-2 * t + 1.508_082_5e-1) * second + (1.912_279_7e-1 * t + 1.915_009_3e-1);
    let p = high * (second * second) + low;
    let tail = bell * (p * t);
    let far = if x < 0.0 { tail } else { 1.0 - tail };
    let below = if square < 1.0 { near } else { far };
    (below, bell * DENSITY_AT_ZERO)
}

/// Two independent normal numbers from two words (Box and Muller 1958): below 6 in size.
#[inline(always)]
pub(crate) fn normal_pair(radius: u32, angle: u32) -> (f32, f32) {
    const UNIT: f32 = 1.0 / 16_777_216.0;
    const TURN: f32 = std::f32::consts::TAU / 4_294_967_296.0;
    let square = -2.0 * ln_below_one(((radius >> 8) as f32 + 0.5) * UNIT);
    let radius = if square > 0.0 { square } else { 0.0 }.sqrt();
    // The nearest quarter of a turn, and what is left to it: at most an eighth.
    let quarter = angle.wrapping_add(1 << 29) >> 30;
    let rest = angle.wrapping_sub(quarter << 30) as i32 as f32 * TURN;
    let (sine, cosine) = sine_and_cosine(rest);
    let is_odd = quarter & 1 == 1;
    let (x, y) = if is_odd {
        (sine, cosine)
    } else {
        (cosine, sine)
    };
    let signed = |value: f32, quarter: u32| f32::from_bits(value.to_bits() ^ ((quarter & 2) << 30));
    (
        radius * signed(x, quarter.wrapping_add(1)),
        radius * signed(y, quarter),
    )
}

/// ln x for normal numbers from 0 to 1.
#[inline(always)]
fn ln_below_one(x: f32) -> f32 {
    // The bits of √½: what is left of x lies between √½ and √2.
    let e = (x.to_bits() as i32).wrapping_sub(0x3f35_04f3) >> 23;
    let f = f32::from_bits(x.to_bits().wrapping_sub((e << 23) as u32)) - 1.0;
    let p = 7.037_683_6e-2;
    let p = p * f - 1.151_461e-1;
    let p = p * f + 1.167_699_9e-1;
    let p = p * f - 1.242_014_1e-1;
    let p = p * f + 1.424_932_3e-1;
    let p = p * f - 1.666_805_8e-1;
    let p = p * f + 2.000_071_5e-1;
    let p = p * f - 2.499_999_4e-1;
    let p = p * f + 3.333_333e-1;
    let square = f * f;
    let e = e as f32;
    (p * f * square + e * LN2_LOW - 0.5 * square + f) + e * LN2_HIGH
}

/// Up to an eighth of a turn.
#[inline(always)]
fn sine_and_cosine(x: f32) -> (f32, f32) {
    let z = x * x;
    let sine = (-1.951_529_6e-4 * z + 8.332_161e-3) * z - 1.666_665_5e-1;
    let cosine = (2.443_315_7e-5 * z - 1.388_731_6e-3) * z + 4.166_664_6e-2;
    (sine * z * x + x, cosine * z * z - 0.5 * z + 1.0)
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

    /// Probability and density of the normal distribution: the error in all, and of the part below in itself.
    #[test]
    fn the_normal_distribution_is_exact_to_the_last_places() {
        let (mut worst, mut at) = ([0.0f64; 3], [0.0f32; 3]);
        for bits in (0..0xff80_0000u32).step_by(997) {
            let x = f32::from_bits(bits);
            if !x.is_finite() {
                continue;
            }
            let wide = f64::from(x);
            let below =
                candle_core::cpu::erf::erfc_f64(-wide * std::f64::consts::FRAC_1_SQRT_2) / 2.0;
            let density = (-0.5 * wide * wide).exp() / (2.0 * std::f64::consts::PI).sqrt();
            let (ours, our_density) = normal(x);
            let off = f64::from(ours) - below;
            let of_itself = if x > -5.0 { (off / below).abs() } else { 0.0 };
            let errors = [
                off.abs(),
                of_itself,
                (f64::from(our_density) - density).abs(),
            ];
            for (i, error) in errors.into_iter().enumerate() {
                if error > worst[i] {
                    (worst[i], at[i]) = (error, x);
                }
            }
        }
        assert!(
            worst[0] < 1e-7 && worst[1] < 2e-6 && worst[2] < 1e-7,
            "{worst:?} at {at:?}"
        );
    }

    /// On a circle of the radius that the first word says, at the angle that the second one says.
    #[test]
    fn pairs_lie_where_their_words_say() {
        for radius in (0..=u32::MAX).step_by(48_611_387) {
            for angle in (0..=u32::MAX).step_by(39_916_801) {
                let (x, y) = normal_pair(radius, angle);
                let share = (f64::from(radius >> 8) + 0.5) / f64::from(1u32 << 24);
                let length = (-2.0 * share.ln()).sqrt();
                let turn = f64::from(angle) / 2f64.powi(32) * std::f64::consts::TAU;
                let off = (f64::from(x) - length * turn.cos()).abs();
                let off = off.max((f64::from(y) - length * turn.sin()).abs());
                assert!(off < 2e-6, "{radius} {angle}: {x} {y}, off by {off}");
            }
        }
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
        assert!(normal(f32::NAN).0.is_nan() && normal(f32::NAN).1.is_nan());
        assert_eq!(
            [normal(f32::INFINITY), normal(f32::NEG_INFINITY)],
            [(1.0, 0.0), (0.0, 0.0)]
        );
        assert_eq!(normal(0.0).0, 0.5);
    }
}
