//! `flatten`: a vector in C, H, W order.

use super::count::{Count, dimension_symbols};
use super::text::LayerWord;
use super::{Effort, Example, Linearity, Mirrored, Reads, ResolvedLayer, Shaping, WrittenLayer};
use crate::project::layer::{Family, Kind};
use crate::project::size::Shape;
use crate::shape::error::{ShapeError, times};
use crate::shape::rules::{Context, Resolved, vector};
use std::fmt;

pub(super) const WORD: LayerWord = LayerWord {
    word: "flatten",
    example: "flatten",
    about: "Makes a vector of the tensor, in C, H, W order.",
    elsewhere: &[],
    fields: &[],
    read: |_| Ok(Kind::Flatten),
};

/// What flatten and reshape do to their values.
pub(super) const ORDER: &str = "the numbers keep their order: channel, then row, then column";

pub(super) struct Flatten;

impl<'a> WrittenLayer<'a> for Flatten {
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
        Shaping::Flattens
    }

    fn linearity(&self) -> Linearity {
        Linearity::Weightless
    }

    fn resolve(&self, input: &Shape, _: &Context<'_>) -> Result<Resolved, ShapeError> {
        vector::flatten(input)
    }
}

impl ResolvedLayer for Flatten {
    fn reads(&self) -> Reads {
        Reads::All
    }

    fn count(&self) -> Count {
        Count::NOTHING
    }

    fn effort(&self, _: &Shape, _: &Shape) -> Effort {
        Effort::Reorders
    }

    fn mirrored(&self) -> Mirrored {
        Mirrored::Reshaped
    }

    fn example(&self) -> Example {
        Example::Flattened
    }

    fn computed(&self, _: &Shape) -> Option<String> {
        Some(ORDER.into())
    }

    fn output_formula(&self, input: &Shape, output: &Shape) -> Option<(&'static str, Vec<String>)> {
        let symbols = dimension_symbols(input.rank()).to_owned();
        let numbers = times(input.dims()).replace('×', "·");
        Some(("output", vec![symbols, numbers, output.to_string()]))
    }
}
