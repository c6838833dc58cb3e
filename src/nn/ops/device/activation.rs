//! Activations of candle's operators. None of them hides a NaN: on a GPU the maximum of NaN and 0 is 0, and a network
//! that went wrong would train on.

use super::Result;
use super::constant::{above, at_least, at_most, constant};
use candle_core::{D, Tensor};
use strata_core::project::layer::Activation;
use strata_core::shape::layers::{ELU_ALPHA, LEAKY_SLOPE};

/// Applies an activation.
pub(crate) fn activate(activation: Activation, x: &Tensor) -> Result<Tensor> {
    Ok(match activation {
        Activation::Relu => relu(x)?,
        Activation::Relu6 => at_most(&relu(x)?, 6.0)?,
        Activation::LeakyRelu(slope) => {
            (x * leaky_slope(x, f64::from(slope.unwrap_or(LEAKY_SLOPE)))?)?
        }
        Activation::Elu(alpha) => x.elu(f64::from(alpha.unwrap_or(ELU_ALPHA)))?,
        Activation::Gelu => x.gelu_erf()?,
        Activation::Silu => (x * sigmoid(x)?)?,
        Activation::Sigmoid => sigmoid(x)?,
        Activation::Tanh => x.tanh()?,
        Activation::HardSwish => {
            ((x * at_most(&at_least(&(x + 3.0)?, 0.0)?, 6.0)?)? * (1.0 / 6.0))?
        }
        Activation::Step => above(x, 0.0)?,
    })
}

/// `x` above zero, else 0.
pub(crate) fn relu(x: &Tensor) -> Result<Tensor> {
    let zero = constant(0.0, x)?;
    Ok(x.le(&zero)?.where_cond(&zero, x)?)
}

/// 1 above zero, `below` elsewhere.
fn leaky_slope(x: &Tensor, below: f64) -> Result<Tensor> {
    Ok(((above(x, 0.0)? * (1.0 - below))? + below)?)
}

/// 1 / (1 + exp(−x)).
pub(crate) fn sigmoid(x: &Tensor) -> Result<Tensor> {
    Ok((x.neg()?.exp()? + 1.0)?.recip()?)
}

/// The gradient for the input of an activation.
pub(crate) fn activate_backward(
    activation: Activation,
    x: &Tensor,
    y: &Tensor,
    gradient: &Tensor,
) -> Result<Tensor> {
    let below =
        |number: f64| -> Result<Tensor> { Ok(x.lt(&constant(number, x)?)?.to_dtype(x.dtype())?) };
    let slope = match activation {
        Activation::Relu => above(x, 0.0)?,
        Activation::Relu6 => (above(x, 0.0)? * below(6.0)?)?,
        Activation::LeakyRelu(slope) => leaky_slope(x, f64::from(slope.unwrap_or(LEAKY_SLOPE)))?,
        Activation::Elu(alpha) => {
            let alpha = f64::from(alpha.unwrap_or(ELU_ALPHA));
            let falling = (at_most(x, 0.0)?.exp()? * alpha)?;
            let positive = above(x, 0.0)?;
            (&positive + (positive.neg()? + 1.0)?.mul(&falling)?)?
        }
        Activation::Gelu => {
            let cdf = (((x * std::f64::consts::FRAC_1_SQRT_2)?.erf()? + 1.0)? * 0.5)?;
            let density = ((x.sqr()? * -0.5)?.exp()? / (2.0 * std::f64::consts::PI).sqrt())?;
            (cdf + (x * density)?)?
        }
        Activation::Silu => {
            let s = sigmoid(x)?;
            (&s * ((x * (s.neg()? + 1.0)?)? + 1.0)?)?
        }
        Activation::Sigmoid => (y * (y.neg()? + 1.0)?)?,
        Activation::Tanh => (y.sqr()?.neg()? + 1.0)?,
        Activation::HardSwish => {
            let inside = (above(x, -3.0)? * below(3.0)?)?;
            let beyond = (below(3.0)?.neg()? + 1.0)?;
            ((inside * (((x * 2.0)? + 3.0)? / 6.0)?)? + beyond)?
        }
        Activation::Step => x.zeros_like()?,
    };
    Ok((slope * gradient)?)
}

/// Softmax over the last axis.
pub fn softmax(x: &Tensor) -> Result<Tensor> {
    Ok(candle_nn::ops::softmax(x, D::Minus1)?)
}

/// The gradient for the input of a softmax over the last axis.
pub(crate) fn softmax_backward(y: &Tensor, gradient: &Tensor) -> Result<Tensor> {
    let mean = (y * gradient)?.sum_keepdim(D::Minus1)?;
    Ok((y * gradient.broadcast_sub(&mean)?)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use candle_core::Device;

    #[test]
    fn what_is_not_a_number_stays_so() {
        let x = Tensor::new(&[f32::NAN, -1.0, 7.0], &Device::Cpu).unwrap();
        for activation in [
            Activation::Relu,
            Activation::Relu6,
            Activation::LeakyRelu(None),
            Activation::Elu(None),
            Activation::Gelu,
            Activation::Silu,
            Activation::Sigmoid,
            Activation::Tanh,
            Activation::HardSwish,
        ] {
            let y = activate(activation, &x).unwrap();
            let y = y.to_vec1::<f32>().unwrap();
            let are_numbers = y[1].is_finite() && y[2].is_finite();
            assert!(y[0].is_nan() && are_numbers, "{activation:?} {y:?}");
        }
    }
}
