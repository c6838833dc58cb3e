//! `identity`: passes its input on.

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
    word: "identity",
    example: "identity",
    about: "Passes its input on unchanged.",
    elsewhere: &[],
    fields: &[],
    read: |_| Ok(Kind::Identity),
};

pub(super) struct Identity;

impl<'a> WrittenLayer<'a> for Identity {
    fn family(&self) -> Family {
        Family::Shape
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
        super::kept(Op::Identity, input)
    }
}

impl ResolvedLayer for Identity {
    fn reads(&self) -> Reads {
        Reads::Own
    }

    fn count(&self) -> Count {
        Count::NOTHING
    }

    fn effort(&self, _: &Shape, _: &Shape) -> Effort {
        Effort::Nothing
    }

    fn mirrored(&self) -> Mirrored {
        Mirrored::Follows(None)
    }

    fn example(&self) -> Example {
        Example::Copied
    }

    fn computed(&self, _: &Shape) -> Option<String> {
        None
    }

    fn output_formula(&self, _: &Shape, output: &Shape) -> Option<(&'static str, Vec<String>)> {
        Some(("output", vec!["the input".into(), output.to_string()]))
    }
}
