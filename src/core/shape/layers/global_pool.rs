//! `gap` and `gmp`: the mean or the maximum of each channel, a vector.

use super::count::Count;
use super::text::LayerWord;
use super::{Effort, Example, Linearity, Mirrored, Reads, ResolvedLayer, Shaping, WrittenLayer};
use crate::project::layer::{Family, Kind};
use crate::project::size::Shape;
use crate::shape::error::ShapeError;
use crate::shape::op::Op;
use crate::shape::rules::{Context, Resolved, pooling};
use std::fmt;

pub(super) const GAP: LayerWord = LayerWord {
    word: "gap",
    example: "gap",
    about: "Global average pooling: the mean of each channel, a vector.",
    elsewhere: &[
        "globalaveragepooling2d",
        "globalavgpool",
        "globalavgpool2d",
        "globalaveragepooling1d",
        "globalaveragepooling3d",
    ],
    fields: &[],
    read: |_| Ok(Kind::GlobalAvgPool),
};

pub(super) const GMP: LayerWord = LayerWord {
    word: "gmp",
    example: "gmp",
    about: "Global max pooling: the largest value of each channel, a vector.",
    elsewhere: &["globalmaxpooling2d", "globalmaxpool", "globalmaxpool2d"],
    fields: &[],
    read: |_| Ok(Kind::GlobalMaxPool),
};

/// How the output's shape follows for both.
fn one_a_channel(output: &Shape) -> (&'static str, Vec<String>) {
    (
        "output",
        vec!["C, one number a channel".into(), output.to_string()],
    )
}

fn cells(input: &Shape) -> u64 {
    input.elements() / input.channels() as u64
}

pub(super) struct GlobalAvgPool;

impl<'a> WrittenLayer<'a> for GlobalAvgPool {
    fn family(&self) -> Family {
        Family::Pooling
    }

    fn write(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(GAP.word)
    }

    fn check(&self) -> Result<(), ShapeError> {
        Ok(())
    }

    fn shaping(&self) -> Shaping<'a> {
        Shaping::Pools
    }

    fn linearity(&self) -> Linearity {
        Linearity::Weightless
    }

    fn resolve(&self, input: &Shape, _: &Context<'_>) -> Result<Resolved, ShapeError> {
        pooling::global(input, Op::GlobalAvgPool)
    }
}

impl ResolvedLayer for GlobalAvgPool {
    fn reads(&self) -> Reads {
        Reads::All
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
        Mirrored::Spread
    }

    fn example(&self) -> Example {
        Example::GlobalMean
    }

    fn computed(&self, input: &Shape) -> Option<String> {
        Some(format!("mean over {} cells", cells(input)))
    }

    fn output_formula(&self, _: &Shape, output: &Shape) -> Option<(&'static str, Vec<String>)> {
        Some(one_a_channel(output))
    }
}

pub(super) struct GlobalMaxPool;

impl<'a> WrittenLayer<'a> for GlobalMaxPool {
    fn family(&self) -> Family {
        Family::Pooling
    }

    fn write(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(GMP.word)
    }

    fn check(&self) -> Result<(), ShapeError> {
        Ok(())
    }

    fn shaping(&self) -> Shaping<'a> {
        Shaping::Pools
    }

    fn linearity(&self) -> Linearity {
        Linearity::Nonlinear
    }

    fn resolve(&self, input: &Shape, _: &Context<'_>) -> Result<Resolved, ShapeError> {
        pooling::global(input, Op::GlobalMaxPool)
    }
}

impl ResolvedLayer for GlobalMaxPool {
    fn reads(&self) -> Reads {
        Reads::All
    }

    fn count(&self) -> Count {
        Count::NOTHING
    }

    fn effort(&self, _: &Shape, _: &Shape) -> Effort {
        Effort::GlobalMaximum
    }

    fn mirrored(&self) -> Mirrored {
        Mirrored::Spread
    }

    fn example(&self) -> Example {
        Example::GlobalMax
    }

    fn computed(&self, input: &Shape) -> Option<String> {
        Some(format!("max over {} cells", cells(input)))
    }

    fn output_formula(&self, _: &Shape, output: &Shape) -> Option<(&'static str, Vec<String>)> {
        Some(one_a_channel(output))
    }
}
