//! `unpool`: puts values back where the mirrored `maxpool` took them from.

use super::count::Count;
use super::text::LayerWord;
use super::{Effort, Example, Linearity, Mirrored, Reads, ResolvedLayer, Shaping, WrittenLayer};
use crate::project::layer::{Family, Kind};
use crate::project::size::Shape;
use crate::shape::error::ShapeError;
use crate::shape::op::Geometry;
use crate::shape::rules::{Context, Resolved, pooling};
use std::fmt;

pub(super) const WORD: LayerWord = LayerWord {
    word: "unpool",
    example: "unpool",
    about: "Puts values back where the mirrored maxpool took them from; zeros elsewhere.",
    elsewhere: &["maxunpool", "maxunpool1d", "maxunpool2d", "maxunpool3d"],
    fields: &[],
    read: |_| Ok(Kind::Unpool),
};

pub(super) struct Unpool;

impl<'a> WrittenLayer<'a> for Unpool {
    fn family(&self) -> Family {
        Family::Upward
    }

    fn write(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(WORD.word)
    }

    fn check(&self) -> Result<(), ShapeError> {
        Ok(())
    }

    fn shaping(&self) -> Shaping<'a> {
        Shaping::Unpools
    }

    fn linearity(&self) -> Linearity {
        Linearity::Nonlinear
    }

    fn resolve(&self, input: &Shape, context: &Context<'_>) -> Result<Resolved, ShapeError> {
        pooling::unpool(input, context)
    }
}

/// `geometry` is the paired pooling's.
pub(super) struct UnpoolOp {
    pub geometry: Geometry,
}

impl ResolvedLayer for UnpoolOp {
    fn reads(&self) -> Reads {
        Reads::Unpooled(self.geometry)
    }

    fn count(&self) -> Count {
        Count::NOTHING
    }

    fn effort(&self, _: &Shape, _: &Shape) -> Effort {
        Effort::Windows {
            geometry: self.geometry,
            keeps_indices: false,
        }
    }

    fn mirrored(&self) -> Mirrored {
        Mirrored::Resized
    }

    fn example(&self) -> Example {
        Example::Unpool(self.geometry)
    }

    fn computed(&self, _: &Shape) -> Option<String> {
        Some("the value at the place of its maximum, 0 elsewhere".into())
    }
}
