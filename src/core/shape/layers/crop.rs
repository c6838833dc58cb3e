//! `crop 1`: cuts from the sides.

use super::count::Count;
use super::fields::{FieldForm, placed};
use super::text::LayerWord;
use super::{Effort, Example, Linearity, Mirrored, Reads, ResolvedLayer, Shaping, WrittenLayer};
use crate::project::layer::{Family, Kind};
use crate::project::size::{Margins, Shape};
use crate::shape::error::ShapeError;
use crate::shape::rules::{Context, Resolved, resize};
use std::fmt;

pub(super) const WORD: LayerWord = LayerWord {
    word: "crop",
    example: "crop 1",
    about: "Cuts rows and columns from the sides.",
    elsewhere: &["cropping2d"],
    fields: &[placed(
        "cropping",
        FieldForm::Margins,
        "Cut from the ends: 1 on all sides, 1x2 by axis, 0+1x2 before and after.",
    )],
    read: |reader| {
        Ok(Kind::Crop {
            margins: reader.parsed::<Margins>("a margin")?,
        })
    },
};

pub(super) struct Crop<'a> {
    pub margins: &'a Margins,
}

impl<'a> WrittenLayer<'a> for Crop<'a> {
    fn family(&self) -> Family {
        Family::Shape
    }

    fn write(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "crop {}", self.margins)
    }

    fn check(&self) -> Result<(), ShapeError> {
        Ok(())
    }

    fn shaping(&self) -> Shaping<'a> {
        Shaping::Shrinks(self.margins)
    }

    fn linearity(&self) -> Linearity {
        Linearity::Weightless
    }

    fn resolve(&self, input: &Shape, _: &Context<'_>) -> Result<Resolved, ShapeError> {
        resize::crop(input, self.margins)
    }
}

pub(super) struct CropOp {
    pub before: [usize; 3],
    pub after: [usize; 3],
}

impl ResolvedLayer for CropOp {
    fn reads(&self) -> Reads {
        Reads::Cropped {
            before: self.before,
            after: self.after,
        }
    }

    fn count(&self) -> Count {
        Count::NOTHING
    }

    fn effort(&self, _: &Shape, output: &Shape) -> Effort {
        Effort::Map {
            entries: super::volume(output.volume()),
        }
    }

    fn mirrored(&self) -> Mirrored {
        Mirrored::Padded {
            before: self.before,
            after: self.after,
        }
    }

    fn example(&self) -> Example {
        Example::Crop {
            before: self.before,
            after: self.after,
        }
    }

    fn computed(&self, _: &Shape) -> Option<String> {
        None
    }
}
