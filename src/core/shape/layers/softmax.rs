//! `softmax` over channels or features.

use super::count::Count;
use super::text::LayerWord;
use super::{Effort, Example, Linearity, Mirrored, Reads, ResolvedLayer, Shaping, WrittenLayer};
use crate::project::layer::{Family, Kind};
use crate::project::size::Shape;
use crate::shape::error::ShapeError;
use crate::shape::op::Op;
use crate::shape::rules::{Context, Resolved};
use std::fmt;

pub(super) const WORD: LayerWord = LayerWord {
    word: "softmax",
    example: "softmax",
    about: "Turns scores into probabilities that sum to 1.",
    elsewhere: &["softmax2d"],
    fields: &[],
    read: |_| Ok(Kind::Softmax),
};

pub(super) struct Softmax;

impl<'a> WrittenLayer<'a> for Softmax {
    fn family(&self) -> Family {
        Family::Activation
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
        super::kept(Op::Softmax, input)
    }
}

impl ResolvedLayer for Softmax {
    fn reads(&self) -> Reads {
        Reads::Own
    }

    fn count(&self) -> Count {
        Count::NOTHING
    }

    fn effort(&self, _: &Shape, _: &Shape) -> Effort {
        Effort::Elementwise
    }

    fn mirrored(&self) -> Mirrored {
        Mirrored::Follows(None)
    }

    fn example(&self) -> Example {
        Example::Softmax
    }

    fn computed(&self, _: &Shape) -> Option<String> {
        Some("y = e^x / Σ e^x, the sum over all channels".into())
    }
}
