//! `prelu`: x above zero, a learned slope below; one slope for all, or with `channels` one for each
//! (PyTorch `PReLU`, whose `num_parameters` is 1 or the number of channels). Slopes start at 0.25.

use super::count::{Count, Factor};
use super::fields::switched;
use super::text::LayerWord;
use super::{Effort, Example, Linearity, Mirrored, Reads, ResolvedLayer, Shaping, WrittenLayer};
use crate::project::layer::{Activation, Family, Kind};
use crate::project::size::Shape;
use crate::shape::error::ShapeError;
use crate::shape::op::Op;
use crate::shape::rules::{Context, Resolved};
use std::fmt;

pub(super) const WORD: LayerWord = LayerWord {
    word: "prelu",
    example: "prelu",
    about: "x above zero, a learned slope below: one for all, or with “channels” one for each channel.",
    elsewhere: &[],
    fields: &[switched(
        "by channel",
        "channels",
        "A slope for each channel instead of one for all.",
    )],
    read: |reader| {
        Ok(Kind::PRelu {
            by_channel: reader.flag("channels"),
        })
    },
};

/// What every slope starts at, as in PyTorch.
pub const PRELU_SLOPE: f32 = 0.25;

fn text(by_channel: bool) -> &'static str {
    if by_channel {
        "prelu channels"
    } else {
        WORD.word
    }
}

pub(super) struct PRelu {
    pub by_channel: bool,
}

impl<'a> WrittenLayer<'a> for PRelu {
    fn family(&self) -> Family {
        Family::Activation
    }

    fn write(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(text(self.by_channel))
    }

    fn check(&self) -> Result<(), ShapeError> {
        Ok(())
    }

    fn shaping(&self) -> Shaping<'a> {
        Shaping::Keeps
    }

    fn linearity(&self) -> Linearity {
        Linearity::Nonlinear
    }

    fn resolve(&self, input: &Shape, _: &Context<'_>) -> Result<Resolved, ShapeError> {
        let channels = self.by_channel.then(|| input.channels());
        super::kept(Op::PRelu { channels }, input)
    }
}

pub(super) struct PReluOp {
    pub channels: Option<usize>,
}

impl ResolvedLayer for PReluOp {
    fn reads(&self) -> Reads {
        Reads::Own
    }

    fn count(&self) -> Count {
        let slopes = match self.channels {
            Some(channels) => Factor::Size("C", channels),
            None => Factor::Plain(1),
        };
        Count::scales([slopes, Factor::One, Factor::One])
    }

    fn effort(&self, _: &Shape, _: &Shape) -> Effort {
        Effort::Elementwise
    }

    fn mirrored(&self) -> Mirrored {
        Mirrored::Follows(Some(text(self.channels.is_some()).to_owned()))
    }

    fn example(&self) -> Example {
        Example::Elementwise {
            word: WORD.word,
            function: Activation::LeakyRelu(Some(PRELU_SLOPE)),
        }
    }

    fn computed(&self, _: &Shape) -> Option<String> {
        let whose = match self.channels {
            Some(_) => "of its channel",
            None => "of all channels",
        };
        Some(format!(
            "y = x for x > 0, else a·x; a is the learned slope {whose}, {PRELU_SLOPE} at the start"
        ))
    }
}
