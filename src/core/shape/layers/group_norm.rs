//! `groupnorm 8`: normalises groups of channels within each image; eps 1e-5.

use super::count::{Count, Factor};
use super::fields::{FieldForm, placed};
use super::text::LayerWord;
use super::{Effort, Example, Linearity, Mirrored, Reads, ResolvedLayer, Shaping, WrittenLayer};
use crate::project::help::Help;
use crate::project::layer::{Family, Kind};
use crate::project::size::Shape;
use crate::shape::error::ShapeError;
use crate::shape::rules::{Context, Resolved, check, vector};
use std::fmt;

pub(super) const WORD: LayerWord = LayerWord {
    word: "groupnorm",
    example: "groupnorm 4",
    about: "Normalises groups of channels within each image.",
    elsewhere: &["groupnormalization", "gn"],
    fields: &[placed(
        "num_groups",
        FieldForm::Count,
        "The channels are normalised in so many groups.",
    )],
    read: |reader| {
        Ok(Kind::GroupNorm {
            groups: reader.count("the number of groups")?,
        })
    },
};

pub(super) struct GroupNorm {
    pub groups: u32,
}

impl<'a> WrittenLayer<'a> for GroupNorm {
    fn family(&self) -> Family {
        Family::Normalisation
    }

    fn write(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "groupnorm {}", self.groups)
    }

    fn check(&self) -> Result<(), ShapeError> {
        check::one(self.groups, "groups", Help::write("groupnorm 1"))
    }

    fn shaping(&self) -> Shaping<'a> {
        Shaping::Keeps
    }

    fn linearity(&self) -> Linearity {
        Linearity::Nonlinear
    }

    fn resolve(&self, input: &Shape, _: &Context<'_>) -> Result<Resolved, ShapeError> {
        vector::group_norm(input, self.groups as usize)
    }
}

pub(super) struct GroupNormOp {
    pub channels: usize,
    pub groups: usize,
}

impl ResolvedLayer for GroupNormOp {
    fn reads(&self) -> Reads {
        Reads::OwnAndStatistics
    }

    fn count(&self) -> Count {
        Count::scales([
            Factor::Plain(2),
            Factor::Size("C", self.channels),
            Factor::One,
        ])
    }

    fn effort(&self, _: &Shape, _: &Shape) -> Effort {
        Effort::ImageStatistics { by_value: false }
    }

    fn mirrored(&self) -> Mirrored {
        Mirrored::Follows(Some(format!("groupnorm {}", self.groups)))
    }

    fn example(&self) -> Example {
        Example::Normalised
    }

    fn computed(&self, _: &Shape) -> Option<String> {
        Some("y = γ·(x − μ)/√(σ² + ε) + β, μ and σ² of the image's group of channels".into())
    }
}
