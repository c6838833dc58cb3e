//! `relu` and its kin: functions of each value. This is the one table of them; the kernels of `nn` are tested
//! against it.

use super::count::Count;
use super::fields::{FieldForm, FieldKey, LayerField};
use super::text::{LayerWord, Reader};
use super::{Effort, Example, Linearity, Mirrored, Reads, ResolvedLayer, Shaping, WrittenLayer};
use crate::project::layer::{Activation, Family, Kind};
use crate::project::layer_text::LayerTextError;
use crate::project::size::Shape;
use crate::shape::error::ShapeError;
use crate::shape::op::Op;
use crate::shape::rules::{Context, Resolved};
use std::fmt;

/// A function without a number.
const fn plain(
    word: &'static str,
    about: &'static str,
    read: fn(&mut Reader<'_>) -> Result<Kind, LayerTextError>,
) -> LayerWord {
    LayerWord {
        word,
        example: word,
        about,
        elsewhere: &[],
        fields: &[],
        read,
    }
}

/// The number of a function that has one.
const fn number_field(
    name: &'static str,
    default: &'static str,
    step: f32,
    about: &'static str,
) -> LayerField {
    LayerField {
        name,
        key: FieldKey::Place,
        form: FieldForm::Number(step),
        default,
        about,
    }
}

pub(super) const RELU: LayerWord = plain("relu", "max(0, x)", |_| {
    Ok(Kind::Activation(Activation::Relu))
});

pub(super) const RELU6: LayerWord = plain("relu6", "min(max(0, x), 6)", |_| {
    Ok(Kind::Activation(Activation::Relu6))
});

pub(super) const LEAKY_RELU: LayerWord = LayerWord {
    example: "leakyrelu 0.01",
    elsewhere: &["leaky_relu", "leaky"],
    fields: &[number_field(
        "negative_slope",
        "0.01",
        0.01,
        "The slope below zero.",
    )],
    ..plain(
        "leakyrelu",
        "x above zero, a small slope below.",
        |reader| {
            let slope = reader.optional_number(-1e6..=1e6)?;
            Ok(Kind::Activation(Activation::LeakyRelu(slope)))
        },
    )
};

pub(super) const ELU: LayerWord = LayerWord {
    fields: &[number_field(
        "alpha",
        "1",
        0.1,
        "What the function falls to, with a minus, far below zero.",
    )],
    ..plain("elu", "x above zero, α(exp(x) − 1) below.", |reader| {
        let alpha = reader.optional_number(-1e6..=1e6)?;
        Ok(Kind::Activation(Activation::Elu(alpha)))
    })
};

pub(super) const GELU: LayerWord =
    plain("gelu", "x·Φ(x), the Gaussian error linear unit.", |_| {
        Ok(Kind::Activation(Activation::Gelu))
    });

pub(super) const SILU: LayerWord = LayerWord {
    elsewhere: &["swish"],
    ..plain("silu", "x·sigmoid(x), also called swish.", |_| {
        Ok(Kind::Activation(Activation::Silu))
    })
};

pub(super) const SIGMOID: LayerWord = plain("sigmoid", "1/(1 + exp(−x)): into 0..1.", |_| {
    Ok(Kind::Activation(Activation::Sigmoid))
});

pub(super) const TANH: LayerWord = plain("tanh", "Into −1..1.", |_| {
    Ok(Kind::Activation(Activation::Tanh))
});

pub(super) const HARD_SWISH: LayerWord = LayerWord {
    elsewhere: &["hswish"],
    ..plain("hardswish", "x·relu6(x + 3)/6, a cheap silu.", |_| {
        Ok(Kind::Activation(Activation::HardSwish))
    })
};

pub(super) const STEP: LayerWord =
    plain("step", "1 above zero, else 0; no gradient passes.", |_| {
        Ok(Kind::Activation(Activation::Step))
    });

/// The slope of `leakyrelu` below zero unless given, as in PyTorch.
pub const LEAKY_SLOPE: f32 = 0.01;

/// The α of `elu` unless given, as in PyTorch.
pub const ELU_ALPHA: f32 = 1.0;

impl Activation {
    /// The word of the project file.
    pub fn name(self) -> &'static str {
        match self {
            Activation::Relu => RELU.word,
            Activation::Relu6 => RELU6.word,
            Activation::LeakyRelu(_) => LEAKY_RELU.word,
            Activation::Elu(_) => ELU.word,
            Activation::Gelu => GELU.word,
            Activation::Silu => SILU.word,
            Activation::Sigmoid => SIGMOID.word,
            Activation::Tanh => TANH.word,
            Activation::HardSwish => HARD_SWISH.word,
            Activation::Step => STEP.word,
        }
    }

    /// The number behind the word, where one was written.
    fn number(self) -> Option<f32> {
        match self {
            Activation::LeakyRelu(number) | Activation::Elu(number) => number,
            Activation::Relu
            | Activation::Relu6
            | Activation::Gelu
            | Activation::Silu
            | Activation::Sigmoid
            | Activation::Tanh
            | Activation::HardSwish
            | Activation::Step => None,
        }
    }

    /// Whether a gradient passes at all.
    fn has_gradient(self) -> bool {
        self != Activation::Step
    }

    /// The values that it can give, where they are fewer than all.
    pub fn range(self) -> Option<[f32; 2]> {
        match self {
            Activation::Sigmoid => Some([0.0, 1.0]),
            Activation::Tanh => Some([-1.0, 1.0]),
            Activation::Relu => Some([0.0, f32::INFINITY]),
            Activation::Relu6 => Some([0.0, 6.0]),
            Activation::Step => Some([0.0, 1.0]),
            Activation::LeakyRelu(_)
            | Activation::Elu(_)
            | Activation::Gelu
            | Activation::Silu
            | Activation::HardSwish => None,
        }
    }

    /// The formula, as PyTorch's documentation has it.
    pub(crate) fn formula(self) -> String {
        match self {
            Activation::Relu => "max(0, x)".into(),
            Activation::Relu6 => "min(max(0, x), 6)".into(),
            Activation::LeakyRelu(slope) => {
                format!("x for x > 0, else {}·x", slope.unwrap_or(LEAKY_SLOPE))
            }
            Activation::Elu(alpha) => {
                format!("x for x > 0, else {}·(e^x − 1)", alpha.unwrap_or(ELU_ALPHA))
            }
            Activation::Gelu => "x·Φ(x), Φ the normal distribution".into(),
            Activation::Silu => "x·σ(x) = x/(1 + e^−x)".into(),
            Activation::Sigmoid => "σ(x) = 1/(1 + e^−x)".into(),
            Activation::Tanh => "(e^x − e^−x)/(e^x + e^−x)".into(),
            Activation::HardSwish => "x·min(max(0, x + 3), 6)/6".into(),
            Activation::Step => "1 for x > 0, else 0".into(),
        }
    }

    /// The value at a number.
    pub fn value(self, x: f64) -> f64 {
        let sigmoid = |x: f64| 1.0 / (1.0 + (-x).exp());
        match self {
            Activation::Relu => x.max(0.0),
            Activation::Relu6 => x.clamp(0.0, 6.0),
            Activation::LeakyRelu(slope) => {
                if x > 0.0 {
                    x
                } else {
                    f64::from(slope.unwrap_or(LEAKY_SLOPE)) * x
                }
            }
            Activation::Elu(alpha) => {
                if x > 0.0 {
                    x
                } else {
                    f64::from(alpha.unwrap_or(ELU_ALPHA)) * x.exp_m1()
                }
            }
            Activation::Gelu => x * 0.5 * libm::erfc(-x * std::f64::consts::FRAC_1_SQRT_2),
            Activation::Silu => x * sigmoid(x),
            Activation::Sigmoid => sigmoid(x),
            Activation::Tanh => x.tanh(),
            Activation::HardSwish => x * (x + 3.0).clamp(0.0, 6.0) / 6.0,
            Activation::Step => f64::from(u8::from(x > 0.0)),
        }
    }
}

pub(super) struct Elementwise(pub Activation);

impl<'a> WrittenLayer<'a> for Elementwise {
    fn family(&self) -> Family {
        Family::Activation
    }

    fn write(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.name())?;
        match self.0.number() {
            Some(number) => write!(f, " {number}"),
            None => Ok(()),
        }
    }

    fn check(&self) -> Result<(), ShapeError> {
        Ok(())
    }

    fn shaping(&self) -> Shaping<'a> {
        Shaping::Keeps
    }

    fn linearity(&self) -> Linearity {
        Linearity::Nonlinear
    }

    fn resolve(&self, input: &Shape, _: &Context<'_>) -> Result<Resolved, ShapeError> {
        super::kept(Op::Activation(self.0), input)
    }
}

impl ResolvedLayer for Elementwise {
    fn reads(&self) -> Reads {
        Reads::Own
    }

    fn changes_nothing(&self) -> bool {
        self.0 == Activation::LeakyRelu(Some(1.0))
    }

    fn count(&self) -> Count {
        Count::NOTHING
    }

    fn effort(&self, _: &Shape, _: &Shape) -> Effort {
        Effort::Elementwise
    }

    fn mirrored(&self) -> Mirrored {
        let text = || Kind::Activation(self.0).to_string();
        Mirrored::Follows(self.0.has_gradient().then(text))
    }

    fn example(&self) -> Example {
        Example::Elementwise {
            word: self.0.name(),
            function: self.0,
        }
    }

    fn computed(&self, _: &Shape) -> Option<String> {
        Some(format!("y = {}", self.0.formula()))
    }
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
            (Activation::Elu(Some(2.0)), -1.0, -1.264_241_117_657),
            (Activation::Gelu, 1.0, 0.841_344_746_069),
            (Activation::Gelu, -2.0, -0.045_500_263_896),
            (Activation::Silu, 1.0, 0.731_058_578_630),
            (Activation::Sigmoid, 0.0, 0.5),
            (Activation::Tanh, 0.5, 0.462_117_157_260),
            (Activation::HardSwish, 1.0, 0.666_666_666_667),
            (Activation::Step, 0.0, 0.0),
        ] {
            let found = activation.value(x);
            // A slope of 0.01 is that of f32.
            assert!(
                (found - wanted).abs() < 1e-8,
                "{activation:?}({x}) = {found}"
            );
        }
    }
}
