//! `bn`: each channel to mean 0 and deviation 1 over batch and space; eps 1e-5, momentum 0.1 as in PyTorch.

use super::count::{Count, Factor};
use super::text::LayerWord;
use super::{Effort, Example, Linearity, Mirrored, Reads, ResolvedLayer, Shaping, WrittenLayer};
use crate::project::layer::{Family, Kind};
use crate::project::size::Shape;
use crate::shape::error::ShapeError;
use crate::shape::op::Op;
use crate::shape::rules::{Context, Resolved};
use std::fmt;

/// What is added to a variance before its root is taken, by every norm, as in PyTorch.
pub const NORM_EPS: f64 = 1e-5;

pub(super) const WORD: LayerWord = LayerWord {
    word: "bn",
    example: "bn",
    about: "Batch normalisation: each channel to mean 0 and deviation 1 over the batch, then scaled.",
    elsewhere: &[
        "batchnorm",
        "batchnorm1d",
        "batchnorm2d",
        "batchnorm3d",
        "batchnormalization",
    ],
    fields: &[],
    read: |_| Ok(Kind::BatchNorm),
};

pub(super) struct BatchNorm;

impl<'a> WrittenLayer<'a> for BatchNorm {
    fn family(&self) -> Family {
        Family::Normalisation
    }

    fn write(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(WORD.word)
    }

    fn check(&self) -> Result<(), ShapeError> {
        Ok(())
    }

    fn shaping(&self) -> Shaping<'a> {
        Shaping::Keeps
    }

    fn linearity(&self) -> Linearity {
        Linearity::Weightless
    }

    fn resolve(&self, input: &Shape, _: &Context<'_>) -> Result<Resolved, ShapeError> {
        let channels = input.channels();
        super::kept(Op::BatchNorm { channels }, input)
    }
}

pub(super) struct BatchNormOp {
    pub channels: usize,
}

impl ResolvedLayer for BatchNormOp {
    fn reads(&self) -> Reads {
        Reads::Own
    }

    fn count(&self) -> Count {
        Count::scales([
            Factor::Plain(2),
            Factor::Size("C", self.channels),
            Factor::One,
        ])
    }

    fn effort(&self, _: &Shape, _: &Shape) -> Effort {
        Effort::BatchStatistics {
            channels: self.channels,
        }
    }

    fn mirrored(&self) -> Mirrored {
        Mirrored::Follows(Some("bn".into()))
    }

    fn example(&self) -> Example {
        Example::Normalised
    }

    fn computed(&self, _: &Shape) -> Option<String> {
        Some("y = γ·(x − μ)/√(σ² + ε) + β, μ and σ² of the channel over batch and space".into())
    }
}
