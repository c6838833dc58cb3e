//! Layers that keep the position of a value: functions, norms and reshapes.

use super::weighted::part;
use super::{Layer, Worked};
use crate::pixel::{Part, PixelError, Term, bracketed, flat};
use strata_core::shape::layers::NORM_EPS;
use strata_design::layer_math::number;

impl Layer<'_> {
    /// The input at the value's own place.
    pub(super) fn same_place(&self) -> (Part, f64) {
        let [channel, at @ ..] = self.at;
        let at = at.map(|at| at as i64);
        let value = self.read(channel, at);
        let term = Term {
            at,
            value,
            weight: None,
            tap: 0,
        };
        (part(channel, vec![term], &mut 0), value.into())
    }

    pub(super) fn softmax(&self) -> Worked {
        let (part, x) = self.same_place();
        let [_, at @ ..] = self.at;
        let logits = || {
            (0..self.layer.input.channels())
                .map(|channel| f64::from(self.read(channel, at.map(|at| at as i64))))
        };
        let highest = logits().fold(f64::NEG_INFINITY, f64::max);
        let sum: f64 = logits().map(|logit| (logit - highest).exp()).sum();
        let y = (x - highest).exp() / sum;
        let count = self.layer.input.channels();
        let words = format!(
            "e^{}/(sum of e^x over {count} channels) = {}",
            bracketed(x),
            number(y)
        );
        Worked::function(part, y, words)
    }

    pub(super) fn prelu(&self, by_channel: bool) -> Result<Worked, PixelError> {
        let (part, x) = self.same_place();
        let slopes = self.numbers("weight")?;
        let slope = slopes.get(if by_channel { self.at[0] } else { 0 });
        let slope = f64::from(slope.copied().unwrap_or(f32::NAN));
        if x > 0.0 {
            let words = format!("prelu({}) = {}", number(x), number(x));
            return Ok(Worked::function(part, x, words));
        }
        let y = slope * x;
        let words = format!(
            "prelu({}) = {}·{} = {}",
            number(x),
            number(slope),
            bracketed(x),
            number(y)
        );
        Ok(Worked::function(part, y, words))
    }

    pub(super) fn batch_norm(&self) -> Result<Worked, PixelError> {
        let channel = self.at[0];
        let of = |name: &str| {
            Ok::<f64, PixelError>(
                self.numbers(name)?
                    .get(channel)
                    .copied()
                    .unwrap_or(f32::NAN)
                    .into(),
            )
        };
        let [mean, variance] = [of("running_mean")?, of("running_var")?];
        let [scale, shift] = [of("weight")?, of("bias")?];
        let (part, x) = self.same_place();
        Ok(scaled(part, x, [mean, variance], [scale, shift]))
    }

    /// Normalisation over `size` channels around the value's own; with weights by channel or by value.
    pub(super) fn group_norm(&self, size: usize, by_channel: bool) -> Result<Worked, PixelError> {
        let channel = self.at[0];
        let cells = self.input.len() / self.layer.input.channels();
        let first = channel / size.max(1) * size;
        let group = self
            .input
            .get(first * cells..(first + size) * cells)
            .unwrap_or_default();
        let count = group.len().max(1) as f64;
        let mean = group.iter().map(|&x| f64::from(x)).sum::<f64>() / count;
        let variance = group
            .iter()
            .map(|&x| (f64::from(x) - mean).powi(2))
            .sum::<f64>()
            / count;
        let place = if by_channel {
            channel
        } else {
            flat(self.at, &self.layer.input)
        };
        let of = |name: &str| {
            Ok::<f64, PixelError>(
                self.numbers(name)?
                    .get(place)
                    .copied()
                    .unwrap_or(f32::NAN)
                    .into(),
            )
        };
        let (part, x) = self.same_place();
        Ok(scaled(
            part,
            x,
            [mean, variance],
            [of("weight")?, of("bias")?],
        ))
    }

    /// The number of the same rank in C, H, W order.
    pub(super) fn reordered(&self) -> Worked {
        let index = flat(self.at, &self.layer.output);
        let value = self.input.get(index).copied().unwrap_or(0.0);
        let [depths, rows, columns] = self.layer.input.volume();
        let at = [
            index / columns / rows % depths,
            index / columns % rows,
            index % columns,
        ]
        .map(|at| at as i64);
        let channel = index / (depths * rows * columns);
        let term = Term {
            at,
            value,
            weight: None,
            tap: 0,
        };
        let words = format!(
            "{} is number {index} in channel, row, column order",
            number(value.into())
        );
        Worked::function(part(channel, vec![term], &mut 0), value.into(), words)
    }
}

/// γ·(x − μ)/√(σ² + ε) + β.
fn scaled(part: Part, x: f64, [mean, variance]: [f64; 2], [scale, shift]: [f64; 2]) -> Worked {
    let y = scale * (x - mean) / (variance + NORM_EPS).sqrt() + shift;
    let [x, mean, variance, scale, shift] = [x, mean, variance, scale, shift].map(bracketed);
    let words = format!(
        "{scale}·({x} − {mean})/√({variance} + {NORM_EPS}) + {shift} = {}",
        number(y)
    );
    Worked::function(part, y, words)
}
