//! `layernorm`: normalises all values of each image, with a weight and a bias for each; eps 1e-5.

use super::count::{Count, Factor};
use super::text::LayerWord;
use super::{Effort, Example, Linearity, Mirrored, Reads, ResolvedLayer, Shaping, WrittenLayer};
use crate::project::layer::{Family, Kind};
use crate::project::size::Shape;
use crate::shape::error::ShapeError;
use crate::shape::op::Op;
use crate::shape::rules::{Context, Resolved};
use std::fmt;

pub(super) const WORD: LayerWord = LayerWord {
    word: "layernorm",
    example: "layernorm",
    about: "Normalises all values of each image.",
    elsewhere: &["ln"],
    fields: &[],
    read: |_| Ok(Kind::LayerNorm),
};

pub(super) struct LayerNorm;

impl<'a> WrittenLayer<'a> for LayerNorm {
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
        Linearity::Nonlinear
    }

    fn resolve(&self, input: &Shape, _: &Context<'_>) -> Result<Resolved, ShapeError> {
        super::kept(Op::LayerNorm, input)
    }
}

impl ResolvedLayer for LayerNorm {
    fn reads(&self) -> Reads {
        Reads::OwnAndStatistics
    }

    fn count(&self) -> Count {
        Count::scales([Factor::Plain(2), Factor::Elements, Factor::One])
    }

    fn effort(&self, _: &Shape, _: &Shape) -> Effort {
        Effort::ImageStatistics { by_value: true }
    }

    fn mirrored(&self) -> Mirrored {
        Mirrored::Follows(Some(WORD.word.into()))
    }

    fn example(&self) -> Example {
        Example::Normalised
    }

    fn computed(&self, _: &Shape) -> Option<String> {
        Some("y = γ·(x − μ)/√(σ² + ε) + β, μ and σ² of all values of the image".into())
    }
}
