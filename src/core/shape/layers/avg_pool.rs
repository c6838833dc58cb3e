//! `avgpool 2`: the mean of each window; zeros of the padding count, as in PyTorch.

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
    word: "avgpool",
    example: "avgpool 2",
    about: "Keeps the mean of each window.",
    elsewhere: &[
        "avgpool1d",
        "avgpool2d",
        "avgpool3d",
        "averagepooling1d",
        "averagepooling2d",
        "averagepooling3d",
    ],
    fields: &[POOL_KERNEL, POOL_STRIDE, PADDING],
    read: |reader| {
        Ok(Kind::AvgPool {
            window: reader.pool_window()?,
        })
    },
};

pub(super) struct AvgPool<'a> {
    pub window: &'a Window,
}

impl<'a> WrittenLayer<'a> for AvgPool<'a> {
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
            by: Slider::AvgPool,
        }
    }

    fn linearity(&self) -> Linearity {
        Linearity::Weightless
    }

    fn resolve(&self, input: &Shape, _: &Context<'_>) -> Result<Resolved, ShapeError> {
        pooling::avg(input, self.window)
    }
}

pub(super) struct AvgPoolOp {
    pub geometry: Geometry,
    pub count_padding: bool,
}

impl ResolvedLayer for AvgPoolOp {
    fn reads(&self) -> Reads {
        let count_padding = self.count_padding;
        Reads::Window(self.geometry, Joins::Mean { count_padding })
    }

    fn count(&self) -> Count {
        Count::NOTHING
    }

    fn effort(&self, _: &Shape, _: &Shape) -> Effort {
        let [windows, cells] = [self.geometry.output, self.geometry.kernel].map(super::volume);
        Effort::Map {
            entries: windows.saturating_mul(cells),
        }
    }

    fn mirrored(&self) -> Mirrored {
        Mirrored::Resized
    }

    fn example(&self) -> Example {
        Example::AvgPool {
            geometry: self.geometry,
            count_padding: self.count_padding,
        }
    }

    fn computed(&self, _: &Shape) -> Option<String> {
        Some(if self.count_padding {
            "mean over the window, zeros of the padding counted".into()
        } else {
            "mean over the cells of the window inside the input".into()
        })
    }
}
