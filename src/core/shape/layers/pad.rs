//! `pad 1`: zeros around.

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
    word: "pad",
    example: "pad 1",
    about: "Zeros around the image.",
    elsewhere: &["zeropadding1d", "zeropadding2d", "zeropad2d"],
    fields: &[placed(
        "padding",
        FieldForm::Margins,
        "Zeros added at the ends: 1 on all sides, 1x2 by axis, 0+1x2 before and after.",
    )],
    read: |reader| {
        Ok(Kind::Pad {
            margins: reader.parsed::<Margins>("a margin")?,
        })
    },
};

pub(super) struct Pad<'a> {
    pub margins: &'a Margins,
}

impl<'a> WrittenLayer<'a> for Pad<'a> {
    fn family(&self) -> Family {
        Family::Shape
    }

    fn write(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "pad {}", self.margins)
    }

    fn check(&self) -> Result<(), ShapeError> {
        Ok(())
    }

    fn shaping(&self) -> Shaping<'a> {
        Shaping::Grows(self.margins)
    }

    fn linearity(&self) -> Linearity {
        Linearity::Weightless
    }

    fn resolve(&self, input: &Shape, _: &Context<'_>) -> Result<Resolved, ShapeError> {
        resize::pad(input, self.margins)
    }
}

pub(super) struct PadOp {
    pub before: [usize; 3],
    pub after: [usize; 3],
}

impl ResolvedLayer for PadOp {
    fn reads(&self) -> Reads {
        Reads::Padded {
            before: self.before,
            after: self.after,
        }
    }

    fn count(&self) -> Count {
        Count::NOTHING
    }

    fn effort(&self, input: &Shape, _: &Shape) -> Effort {
        Effort::Map {
            entries: super::volume(input.volume()),
        }
    }

    fn mirrored(&self) -> Mirrored {
        Mirrored::Cropped {
            before: self.before,
            after: self.after,
        }
    }

    fn example(&self) -> Example {
        Example::Pad {
            before: self.before,
            after: self.after,
        }
    }

    fn computed(&self, _: &Shape) -> Option<String> {
        None
    }
}
