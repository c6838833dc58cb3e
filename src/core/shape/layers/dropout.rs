//! `dropout 0.5` and `dropout-channels 0.2`: zeroes values or whole channels while training and scales the rest
//! by 1/(1 − p).

use super::count::Count;
use super::fields::{FieldForm, LayerField, placed};
use super::text::LayerWord;
use super::{Effort, Example, Linearity, Mirrored, Reads, ResolvedLayer, Shaping, WrittenLayer};
use crate::project::help::Help;
use crate::project::layer::{Family, Kind};
use crate::project::size::Shape;
use crate::shape::error::ShapeError;
use crate::shape::op::Op;
use crate::shape::rules::{Context, Resolved};
use std::fmt;

const P: LayerField = placed(
    "p",
    FieldForm::Number(0.05),
    "The probability of a zero while training.",
);

pub(super) const VALUES: LayerWord = LayerWord {
    word: "dropout",
    example: "dropout 0.5",
    about: "Zeroes values at random while training, against overfitting.",
    elsewhere: &[],
    fields: &[P],
    read: |reader| {
        Ok(Kind::Dropout {
            p: reader.probability()?,
        })
    },
};

pub(super) const CHANNELS: LayerWord = LayerWord {
    word: "dropout-channels",
    example: "dropout-channels 0.2",
    about: "Zeroes whole channels at random while training (PyTorch Dropout2d).",
    elsewhere: &[
        "dropout1d",
        "dropout2d",
        "dropout3d",
        "spatialdropout1d",
        "spatialdropout2d",
        "spatialdropout3d",
    ],
    fields: &[P],
    read: |reader| {
        Ok(Kind::DropoutChannels {
            p: reader.probability()?,
        })
    },
};

pub(super) struct Dropout {
    pub p: f32,
    pub channels: bool,
}

impl<'a> WrittenLayer<'a> for Dropout {
    fn family(&self) -> Family {
        Family::Regularisation
    }

    fn write(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let word = if self.channels { CHANNELS } else { VALUES }.word;
        write!(f, "{word} {}", self.p)
    }

    fn check(&self) -> Result<(), ShapeError> {
        if (0.0..1.0).contains(&self.p) {
            return Ok(());
        }
        let message = format!("a dropout of {} is not a probability below 1", self.p);
        Err(ShapeError::new(message).help(Help::write("dropout 0.5")))
    }

    fn shaping(&self) -> Shaping<'a> {
        Shaping::Keeps
    }

    fn linearity(&self) -> Linearity {
        Linearity::Weightless
    }

    fn resolve(&self, input: &Shape, _: &Context<'_>) -> Result<Resolved, ShapeError> {
        let op = Op::Dropout {
            p: self.p,
            channels: self.channels,
        };
        super::kept(op, input)
    }
}

impl ResolvedLayer for Dropout {
    fn reads(&self) -> Reads {
        Reads::Own
    }

    fn changes_nothing(&self) -> bool {
        self.p == 0.0
    }

    fn count(&self) -> Count {
        Count::NOTHING
    }

    fn effort(&self, _: &Shape, _: &Shape) -> Effort {
        Effort::Draws {
            by_channel: self.channels,
        }
    }

    fn mirrored(&self) -> Mirrored {
        Mirrored::Follows(None)
    }

    fn example(&self) -> Example {
        Example::Dropout {
            p: self.p,
            channels: self.channels,
        }
    }

    fn computed(&self, _: &Shape) -> Option<String> {
        let what = if self.channels {
            "a whole channel"
        } else {
            "a value"
        };
        let p = self.p;
        Some(format!(
            "in training {what} is 0 with probability {p}, else x/(1 − {p}); afterwards x"
        ))
    }
}
