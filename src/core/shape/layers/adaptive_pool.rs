//! `adaptive-avgpool 7`: the mean over windows ⌊i·in/out⌋ … ⌈(i + 1)·in/out⌉, chosen to give this size.

use super::count::Count;
use super::fields::{FieldForm, placed};
use super::text::LayerWord;
use super::{Effort, Example, Linearity, Mirrored, Reads, ResolvedLayer, Shaping, WrittenLayer};
use crate::project::help::Help;
use crate::project::layer::{Family, Kind};
use crate::project::size::{Axes, Shape};
use crate::shape::error::ShapeError;
use crate::shape::rules::{Context, Resolved, check, pooling};
use std::fmt;

pub(super) const WORD: LayerWord = LayerWord {
    word: "adaptive-avgpool",
    example: "adaptive-avgpool 4",
    about: "Averages over windows chosen so that the output has this size.",
    elsewhere: &[
        "adaptiveavgpool1d",
        "adaptiveavgpool2d",
        "adaptiveavgpool3d",
        "adaptiveavgpool",
    ],
    fields: &[placed(
        "output_size",
        FieldForm::Sizes(1),
        "The size that comes out, whatever goes in.",
    )],
    read: |reader| {
        Ok(Kind::AdaptiveAvgPool {
            output: reader.axes("the output size")?,
        })
    },
};

pub(super) struct AdaptiveAvgPool<'a> {
    pub output: &'a Axes,
}

impl<'a> WrittenLayer<'a> for AdaptiveAvgPool<'a> {
    fn family(&self) -> Family {
        Family::Pooling
    }

    fn write(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "adaptive-avgpool {}", self.output)
    }

    fn check(&self) -> Result<(), ShapeError> {
        check::positive(
            self.output,
            "the output size",
            Help::write("adaptive-avgpool 1"),
        )
    }

    fn shaping(&self) -> Shaping<'a> {
        Shaping::AdaptsTo(self.output)
    }

    fn linearity(&self) -> Linearity {
        Linearity::Weightless
    }

    fn resolve(&self, input: &Shape, _: &Context<'_>) -> Result<Resolved, ShapeError> {
        pooling::adaptive(input, self.output)
    }
}

pub(super) struct AdaptiveAvgPoolOp {
    pub input: [usize; 3],
    pub output: [usize; 3],
}

impl ResolvedLayer for AdaptiveAvgPoolOp {
    fn reads(&self) -> Reads {
        Reads::Adaptive {
            input: self.input,
            output: self.output,
        }
    }

    fn count(&self) -> Count {
        Count::NOTHING
    }

    fn effort(&self, _: &Shape, _: &Shape) -> Effort {
        let by_axis = [0, 1, 2].map(|axis| {
            let (cells, windows) = (self.input[axis], self.output[axis]);
            let overlap = if cells % windows.max(1) == 0 {
                0
            } else {
                windows - 1
            };
            cells.max(windows) + overlap
        });
        Effort::Map {
            entries: super::volume(by_axis),
        }
    }

    fn mirrored(&self) -> Mirrored {
        Mirrored::Resized
    }

    fn example(&self) -> Example {
        Example::Adaptive {
            input: self.input,
            output: self.output,
        }
    }

    fn computed(&self, _: &Shape) -> Option<String> {
        None
    }
}
