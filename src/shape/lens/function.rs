//! The elementwise functions: formula and value.

use crate::project::layer::Activation;

/// The formula, as PyTorch's documentation has it.
pub fn formula(activation: Activation) -> String {
    match activation {
        Activation::Relu => "max(0, x)".into(),
        Activation::Relu6 => "min(max(0, x), 6)".into(),
        Activation::LeakyRelu(slope) => format!("x for x > 0, else {}·x", slope.unwrap_or(SLOPE)),
        Activation::Elu(alpha) => format!("x for x > 0, else {}·(e^x − 1)", alpha.unwrap_or(1.0)),
        Activation::Gelu => "x·Φ(x), Φ the normal distribution".into(),
        Activation::Silu => "x·σ(x) = x/(1 + e^−x)".into(),
        Activation::Sigmoid => "σ(x) = 1/(1 + e^−x)".into(),
        Activation::Tanh => "(e^x − e^−x)/(e^x + e^−x)".into(),
        Activation::HardSwish => "x·min(max(0, x + 3), 6)/6".into(),
        Activation::Step => "1 for x > 0, else 0".into(),
    }
}

/// The slope of `leakyrelu` unless given.
const SLOPE: f32 = 0.01;

/// The value at a number.
pub fn value(activation: Activation, x: f64) -> f64 {
    let sigmoid = |x: f64| 1.0 / (1.0 + (-x).exp());
    match activation {
        Activation::Relu => x.max(0.0),
        Activation::Relu6 => x.clamp(0.0, 6.0),
        Activation::LeakyRelu(slope) => {
            if x > 0.0 {
                x
            } else {
                f64::from(slope.unwrap_or(SLOPE)) * x
            }
        }
        Activation::Elu(alpha) => {
            if x > 0.0 {
                x
            } else {
                f64::from(alpha.unwrap_or(1.0)) * x.exp_m1()
            }
        }
        Activation::Gelu => x * 0.5 * erfc(-x / std::f64::consts::SQRT_2),
        Activation::Silu => x * sigmoid(x),
        Activation::Sigmoid => sigmoid(x),
        Activation::Tanh => x.tanh(),
        Activation::HardSwish => x * (x + 3.0).clamp(0.0, 6.0) / 6.0,
        Activation::Step => {
            if x > 0.0 {
                1.0
            } else {
                0.0
            }
        }
    }
}

/// The complementary error function, to a relative error of 1.2e-7 (Press et al., Numerical Recipes, `erfcc`).
fn erfc(x: f64) -> f64 {
    const TERMS: [f64; 10] = [
        -1.265_512_23,
        1.000_023_68,
        0.374_091_96,
        0.096_784_18,
        -0.186_288_06,
        0.278_868_07,
        -1.135_203_98,
        1.488_515_87,
        -0.822_152_23,
        0.170_872_77,
    ];
    let t = 1.0 / (1.0 + 0.5 * x.abs());
    let sum = TERMS.iter().rev().fold(0.0, |sum, term| sum * t + term);
    let tail = t * (sum - x * x).exp();
    if x < 0.0 { 2.0 - tail } else { tail }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Values of PyTorch 2.15's functions.
    #[test]
    fn values_are_pytorchs() {
        for (activation, x, wanted) in [
            (Activation::Relu, -2.0, 0.0),
            (Activation::Relu6, 7.0, 6.0),
            (Activation::LeakyRelu(None), -2.0, -0.02),
            (Activation::Elu(Some(2.0)), -1.0, -1.264_241_1),
            (Activation::Gelu, 1.0, 0.841_344_7),
            (Activation::Gelu, -2.0, -0.045_500_3),
            (Activation::Silu, 1.0, 0.731_058_6),
            (Activation::Sigmoid, 0.0, 0.5),
            (Activation::Tanh, 0.5, 0.462_117_2),
            (Activation::HardSwish, 1.0, 0.666_666_7),
            (Activation::Step, 0.0, 0.0),
        ] {
            let found = value(activation, x);
            assert!(
                (found - wanted).abs() < 1e-6,
                "{activation:?}({x}) = {found}"
            );
        }
    }
}
