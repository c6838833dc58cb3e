//! Dropout of values or channels, and Gaussian noise: active only in training.
//!
//! The random numbers of a step come from the seed, the step and the layer's number, so a run repeats
//! and resumes exactly.

use super::{Buffer, Layer, Result};
use crate::network::{Context, Mode};
use crate::ops::chacha::Words;
use crate::ops::random::{Dropping, add_noise, scale_channels};
use crate::ops::real::Real;
use crate::ops::storage::{fill, view};
use crate::ops::with_real;
use candle_core::Tensor;
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
    drawn: Drawn,
    /// Which values of the latest forward pass were kept.
    kept: Vec<u8>,
    /// A factor for each channel of each of its images.
    factors: Vec<f32>,
    out: Buffer,
    dx: Buffer,
}

/// What the latest forward pass multiplied with.
enum Drawn {
    Nothing,
    ByValue(Dropping),
    ByChannel,
    /// Elsewhere than on the CPU.
    Mask(Tensor),
}

/// Steps and layers share one counter; no network has more random layers than this.
const LAYERS: u64 = 1 << 16;

impl Dropout {
    pub(crate) fn new(kind: Kind, number: u64) -> Dropout {
        Dropout {
            kind,
            number,
            drawn: Drawn::Nothing,
            kept: Vec::new(),
            factors: Vec::new(),
            out: Buffer::default(),
            dx: Buffer::default(),
        }
    }

    /// Draws for every value of a batch and writes the output.
    fn draw<T: Real>(&mut self, x: &[T], dims: &[usize], words: Words, y: &mut [T]) {
        self.drawn = match self.kind {
            Kind::Noise { std } => {
                add_noise(words, std, x, y);
                Drawn::Nothing
            }
            Kind::Zeroes { p, channels: false } => {
                let dropping = Dropping::new(p);
                self.kept.resize(x.len(), 0);
                dropping.draw(words, x, &mut self.kept, y);
                Drawn::ByValue(dropping)
            }
            Kind::Zeroes { p, channels: true } => {
                self.factors.resize(dims[0] * dims[dims.len() - 1], 0.0);
                Dropping::new(p).factors(words, &mut self.factors);
                scale_channels(x, &self.factors, dims[0], y);
                Drawn::ByChannel
            }
        };
    }

    /// The same of candle's operators. It is drawn on the CPU, so that the same values are dropped there; what is
    /// copied is a byte for each value, or a number for each channel.
    fn forward_device(&mut self, x: &Tensor, words: Words) -> Result<Tensor> {
        let (dims, device) = (x.dims(), x.device());
        let mask = match self.kind {
            Kind::Noise { std } => {
                let mut noise = vec![0.0f32; x.elem_count()];
                add_noise(words, std, &vec![0.0; noise.len()], &mut noise);
                let noise = Tensor::from_vec(noise, dims, device)?.to_dtype(x.dtype())?;
                return Ok((x + noise)?);
            }
            Kind::Zeroes { p, channels: false } => {
                let dropping = Dropping::new(p);
                let mut kept = vec![0; x.elem_count()];
                let ones = vec![1.0f32; kept.len()];
                dropping.draw(words, &ones, &mut kept, &mut vec![0.0; ones.len()]);
                let kept = Tensor::from_vec(kept, dims, device)?.to_dtype(x.dtype())?;
                (kept * f64::from(dropping.factor()))?
            }
            Kind::Zeroes { p, channels: true } => {
                let mut by_channel = vec![1; dims.len()];
                (by_channel[0], by_channel[dims.len() - 1]) = (dims[0], dims[dims.len() - 1]);
                let mut factors = vec![0.0; dims[0] * dims[dims.len() - 1]];
                Dropping::new(p).factors(words, &mut factors);
                Tensor::from_vec(factors, by_channel, device)?.to_dtype(x.dtype())?
            }
        };
        let y = x.broadcast_mul(&mask)?;
        self.drawn = Drawn::Mask(mask);
        Ok(y)
    }
}

impl Layer for Dropout {
    fn buffers(&mut self) -> Option<(&mut Buffer, &mut Buffer)> {
        Some((&mut self.out, &mut self.dx))
    }

    fn forward(&mut self, x: &Tensor, cx: &mut Context<'_>) -> Result<Tensor> {
        self.drawn = Drawn::Nothing;
        let Mode::Train { seed, step } = cx.mode else {
            return Ok(x.clone());
        };
        let counter = step.wrapping_mul(LAYERS).wrapping_add(self.number);
        let words = Words::new(stream(seed, Purpose::Dropout, counter).get_seed());
        if cx.uses_candle(x) {
            return self.forward_device(x, words);
        }
        let y = self.out.get(x.dims(), x)?;
        with_real!(x, T => {
            let numbers = view::<T>(x)?;
            fill::<T>(&y, |y| self.draw(&numbers, x.dims(), words, y))
        })?;
        Ok(y)
    }

    fn backward(
        &mut self,
        gradient: &Tensor,
        need_input: bool,
        _: &mut Context<'_>,
    ) -> Result<Option<Tensor>> {
        if !need_input {
            return Ok(None);
        }
        match &self.drawn {
            Drawn::Nothing => return Ok(Some(gradient.clone())),
            Drawn::Mask(mask) => return Ok(Some(gradient.broadcast_mul(mask)?)),
            Drawn::ByValue(_) | Drawn::ByChannel => {}
        }
        let dx = self.dx.get(gradient.dims(), gradient)?;
        with_real!(gradient, T => {
            let numbers = view::<T>(gradient)?;
            fill::<T>(&dx, |dx| match &self.drawn {
                Drawn::ByValue(dropping) => dropping.repeat(&numbers, &self.kept, dx),
                _ => scale_channels(&numbers, &self.factors, gradient.dims()[0], dx),
            })
        })?;
        Ok(Some(dx))
    }
}
