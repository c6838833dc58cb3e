//! Sums of inputs times weights: convolutions and dense layers.

use super::positions::{stamps, window};
use super::{Layer, Worked};
use crate::pixel::{MOST_TERMS, Part, PixelError, TOP, Term};
use strata_core::shape::op::Geometry;

impl Layer<'_> {
    /// A convolution or its transpose: the window of every channel of the group.
    pub(super) fn convolution(
        &self,
        geometry: &Geometry,
        [outputs, groups]: [usize; 2],
        bias: bool,
        transposed: bool,
    ) -> Result<Worked, PixelError> {
        let channel = self.at[0];
        let weights = self.numbers("weight")?;
        let cells: usize = geometry.kernel.iter().product();
        let (inputs, by_group) = (
            self.layer.input.channels() / groups.max(1),
            outputs / groups.max(1),
        );
        let group = channel / by_group.max(1);
        let taps = if transposed {
            stamps(geometry, self.at)
        } else {
            window(geometry, self.at)
        };
        let mut kept = 0;
        let parts = (0..inputs).map(|index| {
            let from = group * inputs + index;
            // PyTorch: [out, in/groups, k…] of a convolution, [in, out/groups, k…] of a transposed one.
            let row = if transposed {
                from * by_group + channel % by_group.max(1)
            } else {
                channel * inputs + index
            };
            let term = |(tap, at): &(usize, [i64; 3])| Term {
                at: *at,
                value: self.read(from, *at),
                weight: weights.get(row * cells + tap).copied(),
                tap: *tap,
            };
            let terms: Vec<Term> = taps.iter().map(term).collect();
            part(from, terms, &mut kept)
        });
        let parts = parts.collect();
        Ok(Worked::sum(parts, self.bias(bias, channel, "bias")?))
    }

    pub(super) fn separable(
        &self,
        geometry: &Geometry,
        channels: usize,
        bias: bool,
    ) -> Result<Worked, PixelError> {
        let (depthwise, pointwise) = (
            self.numbers("depthwise.weight")?,
            self.numbers("pointwise.weight")?,
        );
        let cells: usize = geometry.kernel.iter().product();
        let (taps, mut kept) = (window(geometry, self.at), 0);
        let parts = (0..channels).map(|channel| {
            let term = |(tap, at): &(usize, [i64; 3])| Term {
                at: *at,
                value: self.read(channel, *at),
                weight: depthwise.get(channel * cells + tap).copied(),
                tap: *tap,
            };
            let terms = taps.iter().map(term).collect();
            let factor = pointwise.get(self.at[0] * channels + channel).copied();
            Part {
                factor,
                ..part(channel, terms, &mut kept)
            }
        });
        let parts = parts.collect();
        Ok(Worked::sum(
            parts,
            self.bias(bias, self.at[0], "pointwise.bias")?,
        ))
    }

    pub(super) fn dense(&self, bias: bool) -> Result<Worked, PixelError> {
        let unit = self.at[0];
        let weights = self.numbers("weight")?;
        let row = weights
            .get(unit * self.input.len()..(unit + 1) * self.input.len())
            .unwrap_or_default();
        let mut terms: Vec<(usize, Term)> = self
            .input
            .iter()
            .zip(row)
            .enumerate()
            .map(|(index, (&value, &weight))| {
                (
                    index,
                    Term {
                        at: [0, 0, index as i64],
                        value,
                        weight: Some(weight),
                        tap: index,
                    },
                )
            })
            .collect();
        terms.sort_by(|(_, a), (_, b)| b.product().abs().total_cmp(&a.product().abs()));
        let (top, others) = terms.split_at(terms.len().min(TOP));
        let parts = top
            .iter()
            .map(|(index, term)| part(*index, vec![*term], &mut 0))
            .collect();
        let rest = others.iter().map(|(_, term)| term.product()).sum::<f64>();
        let worked = Worked::sum(parts, self.bias(bias, unit, "bias")?);
        let value = worked.value + rest;
        Ok(Worked {
            rest: (!others.is_empty()).then_some((others.len() as u64, rest)),
            value,
            ..worked
        })
    }
}

/// A part with its sum; its terms are kept while there is room for them.
pub(super) fn part(channel: usize, terms: Vec<Term>, kept: &mut usize) -> Part {
    let sum = terms.iter().map(Term::product).sum();
    *kept += terms.len();
    let terms = if *kept <= MOST_TERMS {
        terms
    } else {
        Vec::new()
    };
    Part {
        channel,
        terms,
        sum,
        factor: None,
        chosen: None,
    }
}
