//! Batch normalisation (PyTorch `BatchNorm1d/2d/3d`; Ioffe and Szegedy 2015): eps 1e-5, momentum 0.1.
//!
//! Training uses the batch's own mean and variance and moves the running ones; evaluation uses the running
//! ones. A frozen layer evaluates even while the rest trains, so its statistics stay as they are (as in
//! Keras; PyTorch keeps moving them).

mod device;

use super::epilogue::{Epilogue, Pool};
use super::{Buffer, Layer, Result, channels_last, kept};
use crate::fusion_rules::Follower;
use crate::network::{Builder, Context};
use crate::ops::activated::Activated;
use crate::ops::batch_norm::{Batch, Plane};
use crate::ops::conv_input::ConvInput;
use crate::ops::norm_rows::row_width;
use crate::ops::real::Real;
use crate::ops::storage::{fill, view};
use crate::ops::with_real;
use candle_core::Tensor;
use strata_core::shape::layers::NORM_EPS;

const MOMENTUM: f64 = 0.1;

/// Batch normalisation, with the relu and the max pooling that may follow.
pub(crate) struct BatchNorm {
    channels: usize,
    weight: usize,
    bias: usize,
    running_mean: usize,
    running_var: usize,
    epilogue: Epilogue,
    x: Option<Tensor>,
    used: Used,
    /// The same of a pass on a device.
    on_device: Option<device::Normalised>,
    /// Σ and Σ of products by channel.
    sums: Vec<f64>,
    centre: Buffer,
    forward_lines: Buffer,
    backward_lines: Buffer,
    y: Buffer,
    dx: Buffer,
}

/// The statistics that the latest forward pass normalised with.
#[derive(Default)]
struct Used {
    mean: Vec<f64>,
    inverse_std: Vec<f64>,
    of_batch: bool,
}

impl BatchNorm {
    pub(crate) fn new(key: &str, channels: usize, builder: &mut Builder<'_>) -> Result<BatchNorm> {
        let zeros = || vec![0.0; channels];
        Ok(BatchNorm {
            channels,
            weight: builder.constant(&format!("{key}.weight"), &[channels], 1.0)?,
            bias: builder.constant(&format!("{key}.bias"), &[channels], 0.0)?,
            running_mean: builder.statistic(&format!("{key}.running_mean"), channels, 0.0)?,
            running_var: builder.statistic(&format!("{key}.running_var"), channels, 1.0)?,
            epilogue: Epilogue::default(),
            x: None,
            used: Used {
                mean: zeros(),
                inverse_std: zeros(),
                of_batch: false,
            },
            on_device: None,
            sums: vec![0.0; 2 * channels],
            centre: Buffer::default(),
            forward_lines: Buffer::default(),
            backward_lines: Buffer::default(),
            y: Buffer::default(),
            dx: Buffer::default(),
        })
    }

    fn batch<'a, T>(&self, numbers: &'a [T], x: &Tensor) -> Batch<'a, T> {
        let cells = numbers.len() / (x.dims()[0] * self.channels).max(1);
        Batch {
            numbers,
            channels: self.channels,
            cells,
        }
    }

    fn uses_batch(&self, x: &Tensor, cx: &Context<'_>) -> bool {
        // One value has no deviation: such a batch is normalised as in evaluation (PyTorch refuses it).
        cx.training() && cx.trains(self.weight) && x.elem_count() > self.channels
    }

    /// Chooses mean and deviation, and moves the running ones.
    fn choose<T: Real>(
        &mut self,
        batch: &Batch<'_, T>,
        of_batch: bool,
        cx: &mut Context<'_>,
    ) -> Result<()> {
        self.used.of_batch = of_batch;
        if of_batch {
            let count = (batch.numbers.len() / self.channels) as f64;
            // Any centre serves; one near the mean keeps the sums exact.
            let centre = &batch.numbers[..self.channels];
            batch.moments(centre, &mut self.sums);
            let (sums, squares) = self.sums.split_at(self.channels);
            for (c, &centre) in centre.iter().enumerate() {
                let mean = sums[c] / count;
                let var = squares[c] / count - mean * mean;
                self.used.mean[c] = centre.to_f64() + mean;
                self.used.inverse_std[c] = if var < 0.0 { 0.0 } else { var };
            }
            self.move_statistics::<T>(count, cx)?;
        } else {
            let (mean, var) = (
                view::<T>(cx.statistic(self.running_mean))?,
                view::<T>(cx.statistic(self.running_var))?,
            );
            for c in 0..self.channels {
                (self.used.mean[c], self.used.inverse_std[c]) = (mean[c].to_f64(), var[c].to_f64());
            }
        }
        self.used.invert();
        Ok(())
    }

    /// Moves the running mean and variance towards the batch's (`inverse_std` holds the variance here).
    fn move_statistics<T: Real>(&self, count: f64, cx: &Context<'_>) -> Result<()> {
        let Used {
            mean,
            inverse_std: var,
            ..
        } = &self.used;
        // A batch gone wrong must not spoil the statistics that outlive it.
        if !mean.iter().chain(var).all(|v| v.is_finite()) {
            return Ok(());
        }
        let unbiased = count / (count - 1.0);
        let moved = |old: &mut T, new: f64| {
            *old = T::from_f64(old.to_f64() + MOMENTUM * (new - old.to_f64()))
        };
        fill::<T>(cx.statistic(self.running_mean), |old| {
            old.iter_mut().zip(mean).for_each(|(old, &m)| moved(old, m))
        })?;
        fill::<T>(cx.statistic(self.running_var), |old| {
            old.iter_mut()
                .zip(var)
                .for_each(|(old, &v)| moved(old, v * unbiased));
        })
    }

    fn forward_cpu<T: Real>(&mut self, x: &Tensor, cx: &mut Context<'_>) -> Result<Tensor> {
        let numbers = view::<T>(x)?;
        let batch = self.batch(&numbers, x);
        self.choose::<T>(&batch, self.uses_batch(x, cx), cx)?;
        let lines = self.forward_lines::<T>(x, cx)?;
        let lines = view::<T>(&lines)?;
        let (scale, shift) = lines.split_at(row_width(self.channels));
        let (relu_first, relu) = (self.epilogue.relu_first(), self.epilogue.relu);
        if let Some(activation) = self.epilogue.activation() {
            let y = self.y.get(x.dims(), x)?;
            let activated = Activated {
                activation,
                channels: self.channels,
                scale,
                shift,
            };
            fill::<T>(&y, |y| batch.activated(activated, y))?;
            return Ok(y);
        }
        let Some(pool) = self.epilogue.pooling() else {
            let y = self.y.get(x.dims(), x)?;
            fill::<T>(&y, |y| batch.line(scale, shift, relu_first, y))?;
            return Ok(y);
        };
        let y = self.y.get(&channels_last(x.dims()[0], &pool.output), x)?;
        pool.reclaim(cx);
        let Pool {
            taps,
            bands,
            indices,
            relu_after,
            ..
        } = pool;
        fill::<T>(&y, |y| {
            let indices = indices.writable(y.len());
            batch.line_pooled(
                (scale, shift),
                (taps, *bands),
                (relu_first, relu && *relu_after),
                y,
                indices,
            );
        })?;
        pool.share(cx);
        Ok(y)
    }

    /// y = x·scale + shift.
    fn forward_lines<T: Real>(&mut self, x: &Tensor, cx: &Context<'_>) -> Result<Tensor> {
        let weight = view::<T>(&cx.parameters[self.weight].value)?;
        let bias = view::<T>(&cx.parameters[self.bias].value)?;
        let Used {
            mean, inverse_std, ..
        } = &self.used;
        lines::<T, 2>(&mut self.forward_lines, x, self.channels, |c| {
            let scale = weight[c].to_f64() * inverse_std[c];
            [scale, bias[c].to_f64() - mean[c] * scale]
        })
    }

    fn backward_cpu<T: Real>(
        &mut self,
        epilogue: &Epilogue,
        gradient: &Tensor,
        need_input: bool,
        cx: &mut Context<'_>,
    ) -> Result<Option<Tensor>> {
        let (x, y) = (kept(&self.x)?.clone(), self.y.latest()?);
        let (numbers, gradient, y) = (view::<T>(&x)?, view::<T>(gradient)?, view::<T>(&y)?);
        let forward = self.forward_lines.latest()?;
        let forward = view::<T>(&forward)?;
        let batch = self.batch(&numbers, &x);
        if let Some(activation) = epilogue.activation() {
            let (scale, shift) = forward.split_at(row_width(self.channels));
            let activated = Activated {
                activation,
                channels: self.channels,
                scale,
                shift,
            };
            let of = [&*y, &*gradient];
            self.sum_gradients::<T>(&x, cx, |centre, sums| {
                batch.activated_sums(activated, of, centre, sums);
            })?;
            return self.input_gradient::<T>(&x, need_input, cx, |plane, dx| {
                batch.activated_gradient(activated, of, plane, dx);
            });
        }
        let (own_gradient, gate) = match epilogue.own_gradient(&gradient, &y) {
            ConvInput::Relu { gradient, .. } => (
                ConvInput::Plain(gradient),
                Some(forward.split_at(row_width(self.channels))),
            ),
            other => (other, None),
        };
        self.sum_gradients::<T>(&x, cx, |centre, sums| {
            batch.gradient_sums(own_gradient, gate, centre, sums);
        })?;
        self.input_gradient::<T>(&x, need_input, cx, |plane, dx| {
            batch.input_gradient(own_gradient, gate, plane, dx);
        })
    }

    /// The gradient of the input, where it is asked for: `write` computes it from a plane.
    fn input_gradient<T: Real>(
        &mut self,
        x: &Tensor,
        need_input: bool,
        cx: &Context<'_>,
        write: impl FnOnce(Plane<'_, T>, &mut [T]),
    ) -> Result<Option<Tensor>> {
        if !need_input {
            return Ok(None);
        }
        let lines = self.backward_lines::<T>(x, cx)?;
        let lines = view::<T>(&lines)?;
        let dx = self.dx.get(x.dims(), x)?;
        let width = row_width(self.channels);
        let (factor, line) = lines.split_at(width);
        let (scale, shift) = line.split_at(width);
        let plane = Plane {
            factor,
            scale,
            shift,
        };
        fill::<T>(&dx, |dx| write(plane, dx))?;
        Ok(Some(dx))
    }

    /// Σ g and Σ g·x̂ by channel: the gradients of bias and weight, left in `sums`. `add` computes Σ g and Σ g·(x − centre).
    fn sum_gradients<T: Real>(
        &mut self,
        x: &Tensor,
        cx: &Context<'_>,
        add: impl FnOnce(&[T], &mut [f64]),
    ) -> Result<()> {
        let (
            channels,
            Used {
                mean, inverse_std, ..
            },
        ) = (self.channels, &self.used);
        let centre = lines::<T, 1>(&mut self.centre, x, channels, |c| [mean[c]])?;
        let centre = view::<T>(&centre)?;
        add(&centre, &mut self.sums);
        let (sum, product) = self.sums.split_at_mut(channels);
        for c in 0..channels {
            // Corrects for `centre` having been rounded to T.
            product[c] = (product[c] - (mean[c] - centre[c].to_f64()) * sum[c]) * inverse_std[c];
        }
        for (parameter, sums) in [(self.bias, sum), (self.weight, product)] {
            if cx.trains(parameter) {
                fill::<T>(&cx.parameters[parameter].gradient, |gradient| {
                    gradient
                        .iter_mut()
                        .zip(sums)
                        .for_each(|(gradient, sum)| *gradient = T::from_f64(*sum));
                })?;
            }
        }
        Ok(())
    }

    /// dx = γ/σ·(g − mean(g) − x̂·mean(g·x̂)) as gradient·factor + x·scale + shift; without the means when the
    /// statistics were constants.
    fn backward_lines<T: Real>(&mut self, x: &Tensor, cx: &Context<'_>) -> Result<Tensor> {
        let weight = view::<T>(&cx.parameters[self.weight].value)?;
        let Used {
            mean,
            inverse_std,
            of_batch,
        } = &self.used;
        let share = if *of_batch {
            self.channels as f64 / x.elem_count() as f64
        } else {
            0.0
        };
        let (sum, product) = self.sums.split_at(self.channels);
        lines::<T, 3>(&mut self.backward_lines, x, self.channels, |c| {
            let factor = weight[c].to_f64() * inverse_std[c];
            let scale = -factor * product[c] * share * inverse_std[c];
            [factor, scale, -factor * sum[c] * share - scale * mean[c]]
        })
    }
}

impl Used {
    /// From the variance, left in its place, to 1/σ.
    fn invert(&mut self) {
        for v in &mut self.inverse_std {
            *v = 1.0 / (*v + NORM_EPS).sqrt();
        }
    }
}

/// Some numbers a channel, each repeated over a row of the kernels.
fn lines<T: Real, const N: usize>(
    lines: &mut Buffer,
    like: &Tensor,
    channels: usize,
    line: impl Fn(usize) -> [f64; N],
) -> Result<Tensor> {
    let width = row_width(channels);
    let lines = lines.get(&[N * width], like)?;
    fill::<T>(&lines, |lines| {
        for c in 0..channels {
            for (row, number) in lines.chunks_exact_mut(width).zip(line(c)) {
                let number = T::from_f64(number);
                row.iter_mut()
                    .skip(c)
                    .step_by(channels)
                    .for_each(|to| *to = number);
            }
        }
    })?;
    Ok(lines)
}

/// The numbers of a small tensor.
pub(super) fn to_f64(tensor: &Tensor) -> Result<Vec<f64>> {
    Ok(tensor
        .to_dtype(candle_core::DType::F64)?
        .flatten_all()?
        .to_vec1()?)
}

impl Layer for BatchNorm {
    fn buffers(&mut self) -> Option<(&mut Buffer, &mut Buffer)> {
        Some((&mut self.y, &mut self.dx))
    }

    fn forward(&mut self, x: &Tensor, cx: &mut Context<'_>) -> Result<Tensor> {
        self.x = Some(x.clone());
        if cx.uses_candle(x) {
            return self.forward_device(x, cx);
        }
        with_real!(x, T => self.forward_cpu::<T>(x, cx))
    }

    fn backward(
        &mut self,
        gradient: &Tensor,
        need_input: bool,
        cx: &mut Context<'_>,
    ) -> Result<Option<Tensor>> {
        if cx.uses_candle(gradient) {
            return self.backward_device(gradient, need_input, cx);
        }
        // The epilogue is read while the rest of the layer works.
        let epilogue = std::mem::take(&mut self.epilogue);
        let dx =
            with_real!(gradient, T => self.backward_cpu::<T>(&epilogue, gradient, need_input, cx));
        self.epilogue = epilogue;
        dx
    }

    fn parameters(&self) -> Vec<usize> {
        vec![self.weight, self.bias]
    }

    fn absorb(&mut self, next: Follower<'_>) {
        self.epilogue.absorb(next, None);
    }

    fn set_fused(&mut self, fused: bool) {
        self.epilogue.active = fused;
    }
}
