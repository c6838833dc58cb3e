//! The structural similarity of candle's operators: the window is a matrix for each axis, since it is the product of
//! two lines.

use super::{Result, sum};
use crate::NnError;
use crate::loss::ssim::{K1, K2, window};
use candle_core::{Device, Tensor};
use strata_core::project::loss::SSIM_WINDOW as WINDOW;

/// The windows of both axes, `places × pixels` each.
struct Windows {
    rows: Tensor,
    columns: Tensor,
}

impl Windows {
    /// The weighted mean around every place of `planes × height × width`, as `planes × across × down`.
    fn gather(&self, planes: &Tensor) -> Result<Tensor> {
        let across = times(planes, &self.columns.t()?)?;
        times(&across.transpose(1, 2)?.contiguous()?, &self.rows.t()?)
    }

    /// The transpose of [`Windows::gather`].
    fn spread(&self, means: &Tensor) -> Result<Tensor> {
        let down = times(means, &self.rows)?;
        times(&down.transpose(1, 2)?.contiguous()?, &self.columns)
    }
}

/// Every line of a stack of planes times a matrix.
fn times(planes: &Tensor, matrix: &Tensor) -> Result<Tensor> {
    let (count, lines, length) = planes.dims3()?;
    let lines_in_all = planes.reshape((count * lines, length))?;
    let product = lines_in_all.matmul(&matrix.contiguous()?)?;
    Ok(product.reshape((count, lines, ()))?)
}

/// A line of the matrix for each place where the whole window lies inside.
fn matrix(pixels: usize, like: &Tensor) -> Result<Tensor> {
    let places = pixels + 1 - WINDOW;
    let window = window();
    let mut weights = vec![0.0; places * pixels];
    for (place, line) in weights.chunks_exact_mut(pixels).enumerate() {
        line[place..place + WINDOW].copy_from_slice(&window);
    }
    let matrix = Tensor::from_vec(weights, (places, pixels), &Device::Cpu)?;
    Ok(matrix.to_dtype(like.dtype())?.to_device(like.device())?)
}

/// The loss between N×H×W×C images whose values span `range`, and its gradient for the first.
pub(super) fn evaluate(range: f64, x: &Tensor, y: &Tensor) -> Result<(Tensor, Tensor)> {
    let &[images, height, width, channels] = x.dims() else {
        return Err(NnError::Unsupported(
            "the structural similarity of what is no image".into(),
        ));
    };
    if height < WINDOW || width < WINDOW {
        return Err(NnError::Unsupported(format!(
            "the structural similarity of images of {height}×{width}: its window has {WINDOW}×{WINDOW} pixels"
        )));
    }
    let windows = Windows {
        rows: matrix(height, x)?,
        columns: matrix(width, x)?,
    };
    let planes = |images_of: &Tensor| -> Result<Tensor> {
        let by_channel = images_of.permute((0, 3, 1, 2))?.contiguous()?;
        Ok(by_channel.reshape((images * channels, height, width))?)
    };
    let (x, y) = (planes(x)?, planes(y)?);
    let (c1, c2) = ((K1 * range).powi(2), (K2 * range).powi(2));
    let (m, my) = (windows.gather(&x)?, windows.gather(&y)?);
    let q = windows.gather(&x.sqr()?)?;
    let r = windows.gather(&(&x * &y)?)?;
    let qy = windows.gather(&y.sqr()?)?;
    let both = (&m * &my)?;
    let a1 = ((&both * 2.0)? + c1)?;
    let a2 = (((r - &both)? * 2.0)? + c2)?;
    let b1 = ((m.sqr()? + my.sqr()?)? + c1)?;
    let b2 = (((q - m.sqr()?)? + (qy - my.sqr()?)?)? + c2)?;
    let bottom = (&b1 * &b2)?;
    let similarity = ((&a1 * &a2)? / &bottom)?;
    let fraction = 1.0 / similarity.elem_count().max(1) as f64;
    let value = ((sum(&similarity)? * -fraction)? + 1.0)?;
    // The derivatives for the mean of x, of its squares and of the products.
    let of_mean = (((&my * (a2 - &a1)?)? / &bottom)? * 2.0)?;
    let of_mean = (of_mean - ((&m * &similarity)? * (b1.recip()? - b2.recip()?)?)? * 2.0)?;
    let of_square = (&similarity / &b2)?.neg()?;
    let of_product = ((a1 / bottom)? * 2.0)?;
    let gradient = windows.spread(&of_mean)?;
    let gradient = (gradient + ((&x * windows.spread(&of_square)?)? * 2.0)?)?;
    let gradient = ((gradient + (y * windows.spread(&of_product)?)?)? * -fraction)?;
    let gradient = gradient.reshape((images, channels, height, width))?;
    Ok((value, gradient.permute((0, 2, 3, 1))?.contiguous()?))
}
