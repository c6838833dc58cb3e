//! `upsample 2`, `upsample 2 bilinear`: repeats or interpolates.

use super::count::Count;
use super::fields::{FieldForm, placed, switched};
use super::text::LayerWord;
use super::{Effort, Example, Linearity, Mirrored, Reads, ResolvedLayer, Shaping, WrittenLayer};
use crate::project::help::Help;
use crate::project::layer::{Family, Kind};
use crate::project::size::{Axes, Shape};
use crate::shape::error::ShapeError;
use crate::shape::rules::{Context, Resolved, check, resize};
use std::fmt;

pub(super) const WORD: LayerWord = LayerWord {
    word: "upsample",
    example: "upsample 2",
    about: "Enlarges by repeating values (or bilinear).",
    elsewhere: &[
        "upsampling1d",
        "upsampling2d",
        "upsampling3d",
        "upsamplingnearest2d",
        "interpolate",
    ],
    fields: &[
        placed(
            "scale_factor",
            FieldForm::Sizes(1),
            "How many times as large every axis becomes.",
        ),
        switched(
            "bilinear",
            "bilinear",
            "Interpolates between values instead of repeating them.",
        ),
    ],
    read: |reader| {
        Ok(Kind::Upsample {
            factor: reader.axes("a factor")?,
            bilinear: reader.flag("bilinear"),
        })
    },
};

pub(super) struct Upsample<'a> {
    pub factor: &'a Axes,
    pub bilinear: bool,
}

impl<'a> WrittenLayer<'a> for Upsample<'a> {
    fn family(&self) -> Family {
        Family::Upward
    }

    fn write(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "upsample {}", self.factor)?;
        f.write_str(if self.bilinear { " bilinear" } else { "" })
    }

    fn check(&self) -> Result<(), ShapeError> {
        check::positive(self.factor, "the factor", Help::write("upsample 2"))
    }

    fn shaping(&self) -> Shaping<'a> {
        Shaping::Scales(self.factor)
    }

    fn linearity(&self) -> Linearity {
        Linearity::Weightless
    }

    fn resolve(&self, input: &Shape, _: &Context<'_>) -> Result<Resolved, ShapeError> {
        resize::upsample(input, self.factor, self.bilinear)
    }
}

pub(super) struct UpsampleOp {
    pub input: [usize; 3],
    pub factor: [usize; 3],
    pub bilinear: bool,
}

impl ResolvedLayer for UpsampleOp {
    fn reads(&self) -> Reads {
        Reads::Enlarged {
            factor: self.factor,
            bilinear: self.bilinear,
        }
    }

    fn count(&self) -> Count {
        Count::NOTHING
    }

    fn effort(&self, _: &Shape, output: &Shape) -> Effort {
        let cells = super::volume(output.volume());
        let axes = self.factor.iter().filter(|factor| **factor > 1).count();
        Effort::Map {
            entries: if self.bilinear {
                cells.saturating_mul(1 << axes)
            } else {
                cells
            },
        }
    }

    fn mirrored(&self) -> Mirrored {
        Mirrored::Resized
    }

    fn example(&self) -> Example {
        Example::Upsample {
            input: self.input,
            factor: self.factor,
            bilinear: self.bilinear,
        }
    }

    fn computed(&self, _: &Shape) -> Option<String> {
        Some(if self.bilinear {
            "weighted mean of the nearest cells, by distance".into()
        } else {
            "every cell is repeated".into()
        })
    }
}
