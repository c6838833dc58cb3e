//! Dropout of values or channels, and Gaussian noise: active only in training.
//!
//! The random numbers of a step come from the seed, the step and the layer's number, so a run repeats
//! and resumes exactly.

use super::{Buffer, Layer, Result};
use crate::network::{Combine, Context, Mode};
use crate::ops::storage::fill;
use crate::ops::with_real;
use candle_core::{Tensor, WithDType};
use rand::Rng;
use rand_distr::StandardNormal;
use strata_core::rng::{Purpose, stream};

/// What is done to a batch.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Kind {
    /// Zeroes with probability `p`, scaling the rest by 1/(1 − p).
    Zeroes { p: f32, channels: bool },
    /// Adds noise.
    Noise { std: f32 },
}

/// Dropout or noise.
pub(crate) struct Dropout {
    kind: Kind,
    /// Distinguishes this layer's random numbers from those of others.
    number: u64,
    mask: Option<Tensor>,
    drawn: Vec<f32>,
    by_channel: Vec<f32>,
    random: Buffer,
    out: Buffer,
    dx: Buffer,
}

/// Steps and layers share one counter; no network has more random layers than this.
const LAYERS: u64 = 1 << 16;

impl Dropout {
    pub(crate) fn new(kind: Kind, number: u64) -> Dropout {
        Dropout {
            kind,
            number,
            mask: None,
            drawn: Vec::new(),
            by_channel: Vec::new(),
            random: Buffer::default(),
            out: Buffer::default(),
            dx: Buffer::default(),
        }
    }

    /// One random number for each value of the batch.
    fn draw(&mut self, x: &Tensor, seed: u64, step: u64) -> Result<Tensor> {
        let mut rng = stream(
            seed,
            Purpose::Dropout,
            step.wrapping_mul(LAYERS).wrapping_add(self.number),
        );
        let (count, dims) = (x.elem_count(), x.dims());
        let (batch, channels) = (dims[0].max(1), dims[dims.len() - 1]);
        self.drawn.clear();
        match self.kind {
            Kind::Noise { std } => self
                .drawn
                .extend((0..count).map(|_| std * rng.sample::<f32, _>(StandardNormal))),
            Kind::Zeroes { p, channels: false } => {
                self.drawn.extend((0..count).map(|_| keep(&mut rng, p)))
            }
            Kind::Zeroes { p, channels: true } => {
                self.by_channel.clear();
                self.by_channel
                    .extend((0..batch * channels).map(|_| keep(&mut rng, p)));
                let (size, by_channel) = (count / batch, &self.by_channel);
                self.drawn
                    .extend((0..count).map(|i| by_channel[i / size * channels + i % channels]));
            }
        }
        if !x.device().is_cpu() {
            return Ok(Tensor::from_slice(&self.drawn, dims, x.device())?.to_dtype(x.dtype())?);
        }
        let mask = self.random.get(dims, x)?;
        with_real!(x, T => fill::<T>(&mask, |mask| {
            mask.iter_mut().zip(&self.drawn).for_each(|(to, &from)| *to = T::from_f64(f64::from(from)));
        }))?;
        Ok(mask)
    }
}

fn keep(rng: &mut impl Rng, p: f32) -> f32 {
    if rng.random::<f32>() < p {
        0.0
    } else {
        1.0 / (1.0 - p)
    }
}

impl Layer for Dropout {
    fn buffers(&mut self) -> Option<(&mut Buffer, &mut Buffer)> {
        Some((&mut self.out, &mut self.dx))
    }

    fn forward(&mut self, x: &Tensor, cx: &mut Context<'_>) -> Result<Tensor> {
        let Mode::Train { seed, step } = cx.mode else {
            self.mask = None;
            return Ok(x.clone());
        };
        let drawn = self.draw(x, seed, step)?;
        match self.kind {
            Kind::Noise { .. } => cx.combine(x, &drawn, &mut self.out, Combine::Sum),
            Kind::Zeroes { .. } => {
                let y = cx.combine(x, &drawn, &mut self.out, Combine::Product);
                self.mask = Some(drawn);
                y
            }
        }
    }

    fn backward(
        &mut self,
        gradient: &Tensor,
        need_input: bool,
        cx: &mut Context<'_>,
    ) -> Result<Option<Tensor>> {
        if !need_input {
            return Ok(None);
        }
        match &self.mask {
            None => Ok(Some(gradient.clone())),
            Some(mask) => cx
                .combine(gradient, mask, &mut self.dx, Combine::Product)
                .map(Some),
        }
    }
}
