//! `reshape 32x8x8`: the inverse of `flatten`.

use super::count::Count;
use super::fields::{FieldForm, placed};
use super::flatten::ORDER;
use super::text::LayerWord;
use super::{Effort, Example, Linearity, Mirrored, Reads, ResolvedLayer, Shaping, WrittenLayer};
use crate::project::layer::{Family, Kind};
use crate::project::size::Shape;
use crate::shape::error::{ShapeError, times};
use crate::shape::rules::{Context, Resolved, vector};
use std::fmt;

pub(super) const WORD: LayerWord = LayerWord {
    word: "reshape",
    example: "reshape 32x8x8",
    about: "Makes a tensor of a vector; the inverse of flatten (PyTorch Unflatten).",
    elsewhere: &["unflatten", "view"],
    fields: &[placed(
        "shape",
        FieldForm::Shape,
        "The new shape, channels first: as many values as go in.",
    )],
    read: |reader| {
        Ok(Kind::Reshape {
            shape: reader.parsed::<Shape>("a shape")?,
        })
    },
};

pub(super) struct Reshape<'a> {
    pub shape: &'a Shape,
}

impl<'a> WrittenLayer<'a> for Reshape<'a> {
    fn family(&self) -> Family {
        Family::Shape
    }

    fn write(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "reshape {}", self.shape.to_file_text())
    }

    fn check(&self) -> Result<(), ShapeError> {
        Ok(())
    }

    fn shaping(&self) -> Shaping<'a> {
        Shaping::Reshapes(self.shape)
    }

    fn linearity(&self) -> Linearity {
        Linearity::Weightless
    }

    fn resolve(&self, input: &Shape, _: &Context<'_>) -> Result<Resolved, ShapeError> {
        vector::reshape(input, self.shape)
    }
}

pub(super) struct ReshapeOp;

impl ResolvedLayer for ReshapeOp {
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
        Example::Reshaped
    }

    fn computed(&self, _: &Shape) -> Option<String> {
        Some(ORDER.into())
    }

    fn output_formula(&self, input: &Shape, output: &Shape) -> Option<(&'static str, Vec<String>)> {
        let [to, from] = [output, input].map(|shape| times(shape.dims()).replace('×', "·"));
        Some(("numbers", vec![to, from, input.elements().to_string()]))
    }
}
