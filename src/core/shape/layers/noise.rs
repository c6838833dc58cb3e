//! `noise 0.1`: adds Gaussian noise while training.

use super::count::Count;
use super::fields::{FieldForm, placed};
use super::text::LayerWord;
use super::{Effort, Example, Linearity, Mirrored, Reads, ResolvedLayer, Shaping, WrittenLayer};
use crate::project::help::Help;
use crate::project::layer::{Family, Kind};
use crate::project::size::Shape;
use crate::shape::error::ShapeError;
use crate::shape::op::Op;
use crate::shape::rules::{Context, Resolved};
use std::fmt;

pub(super) const WORD: LayerWord = LayerWord {
    word: "noise",
    example: "noise 0.1",
    about: "Adds Gaussian noise while training (denoising autoencoder).",
    elsewhere: &["gaussiannoise"],
    fields: &[placed(
        "std",
        FieldForm::Number(0.05),
        "The standard deviation of the noise.",
    )],
    read: |reader| {
        Ok(Kind::Noise {
            std: reader.number("a standard deviation", 0.0..=1e6)?,
        })
    },
};

pub(super) struct Noise {
    pub std: f32,
}

impl<'a> WrittenLayer<'a> for Noise {
    fn family(&self) -> Family {
        Family::Regularisation
    }

    fn write(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "noise {}", self.std)
    }

    fn check(&self) -> Result<(), ShapeError> {
        if self.std >= 0.0 && self.std.is_finite() {
            return Ok(());
        }
        let message = format!("{} is not a standard deviation", self.std);
        Err(ShapeError::new(message).help(Help::write("noise 0.1")))
    }

    fn shaping(&self) -> Shaping<'a> {
        Shaping::Keeps
    }

    fn linearity(&self) -> Linearity {
        Linearity::Nonlinear
    }

    fn resolve(&self, input: &Shape, _: &Context<'_>) -> Result<Resolved, ShapeError> {
        super::kept(Op::Noise { std: self.std }, input)
    }
}

impl ResolvedLayer for Noise {
    fn reads(&self) -> Reads {
        Reads::Own
    }

    fn changes_nothing(&self) -> bool {
        self.std == 0.0
    }

    fn count(&self) -> Count {
        Count::NOTHING
    }

    fn effort(&self, _: &Shape, _: &Shape) -> Effort {
        Effort::Draws { by_channel: false }
    }

    fn mirrored(&self) -> Mirrored {
        Mirrored::Follows(None)
    }

    fn example(&self) -> Example {
        Example::Noise(self.std)
    }

    fn computed(&self, _: &Shape) -> Option<String> {
        let std = self.std;
        Some(format!(
            "x + {std}·z in training, z normally distributed; afterwards x"
        ))
    }
}
