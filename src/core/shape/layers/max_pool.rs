//! `maxpool 2`: the largest value of each window; its indices can be undone by `unpool`.

use super::count::Count;
use super::facts::{Channels, Joins, Slider};
use super::fields::{PADDING, POOL_KERNEL, POOL_STRIDE};
use super::text::{LayerWord, write_pool};
use super::{Effort, Example, Linearity, Mirrored, Reads, ResolvedLayer, Shaping, WrittenLayer};
use crate::project::layer::{Family, Kind, Window};
use crate::project::size::Shape;
use crate::shape::error::ShapeError;
use crate::shape::op::Geometry;
use crate::shape::rules::{Context, Resolved, check, pooling};
use std::fmt;

pub(super) const WORD: LayerWord = LayerWord {
    word: "maxpool",
    example: "maxpool 2",
    about: "Keeps the largest value of each window.",
    elsewhere: &[
        "maxpool1d",
        "maxpool2d",
        "maxpool3d",
        "maxpooling1d",
        "maxpooling2d",
        "maxpooling3d",
    ],
    fields: &[POOL_KERNEL, POOL_STRIDE, PADDING],
    read: |reader| {
        Ok(Kind::MaxPool {
            window: reader.pool_window()?,
        })
    },
};

pub(super) struct MaxPool<'a> {
    pub window: &'a Window,
}

impl<'a> WrittenLayer<'a> for MaxPool<'a> {
    fn family(&self) -> Family {
        Family::Pooling
    }

    fn write(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_pool(f, WORD.word, self.window)
    }

    fn check(&self) -> Result<(), ShapeError> {
        check::window(self.window)
    }

    fn shaping(&self) -> Shaping<'a> {
        Shaping::Slides {
            channels: Channels::Kept,
            window: self.window,
            by: Slider::MaxPool,
        }
    }

    fn linearity(&self) -> Linearity {
        Linearity::Nonlinear
    }

    fn resolve(&self, input: &Shape, context: &Context<'_>) -> Result<Resolved, ShapeError> {
        pooling::max(input, self.window, context.slot)
    }
}

pub(super) struct MaxPoolOp {
    pub geometry: Geometry,
}

impl ResolvedLayer for MaxPoolOp {
    fn reads(&self) -> Reads {
        Reads::Window(self.geometry, Joins::Max)
    }

    fn count(&self) -> Count {
        Count::NOTHING
    }

    fn effort(&self, _: &Shape, _: &Shape) -> Effort {
        Effort::Windows {
            geometry: self.geometry,
            keeps_indices: true,
        }
    }

    fn mirrored(&self) -> Mirrored {
        Mirrored::Unpooled
    }

    fn example(&self) -> Example {
        Example::MaxPool(self.geometry)
    }

    fn computed(&self, _: &Shape) -> Option<String> {
        Some("max over the window; padding never wins".into())
    }
}
