//! The arithmetic of one value of each kind of layer, from the layer's whole input.

mod elementwise;
mod pooling;
mod positions;
mod weighted;

use super::{Joined, Part, PixelError, flat};
use candle_core::{DType, Device};
use pooling::largest;
use positions::{adaptive, enlarged, whole, window};
use strata_core::shape::{Op, PlannedLayer};
use strata_design::layer_math::number;
use strata_nn::Network;

/// A layer with its numbers for one image.
pub struct Layer<'a> {
    pub layer: &'a PlannedLayer,
    pub network: &'a Network,
    pub input: &'a [f32],
    pub output: &'a [f32],
    pub at: [usize; 4],
}

/// The arithmetic of a value.
pub struct Worked {
    pub joined: Joined,
    pub parts: Vec<Part>,
    pub rest: Option<(u64, f64)>,
    pub bias: Option<f32>,
    pub words: Option<String>,
    pub value: f64,
}

impl Worked {
    fn sum(parts: Vec<Part>, bias: Option<f32>) -> Worked {
        let all: f64 = parts
            .iter()
            .map(|part| part.sum * part.factor.map_or(1.0, f64::from))
            .sum();
        let value = all + bias.map_or(0.0, f64::from);
        Worked {
            joined: Joined::Sum,
            parts,
            rest: None,
            bias,
            words: None,
            value,
        }
    }

    fn of(joined: Joined, part: Part) -> Worked {
        let value = part.sum;
        Worked {
            joined,
            parts: vec![part],
            rest: None,
            bias: None,
            words: None,
            value,
        }
    }

    fn function(part: Part, value: f64, words: String) -> Worked {
        let words = Some(words);
        Worked {
            joined: Joined::Function,
            parts: vec![part],
            rest: None,
            bias: None,
            words,
            value,
        }
    }
}

impl Layer<'_> {
    pub fn work(&self) -> Result<Worked, PixelError> {
        let input = &self.layer.input;
        Ok(match &self.layer.op {
            Op::Conv {
                out_channels,
                groups,
                bias,
                geometry,
                ..
            } => self.convolution(geometry, [*out_channels, *groups], *bias, false)?,
            Op::ConvTranspose {
                out_channels,
                groups,
                bias,
                geometry,
                ..
            } => self.convolution(geometry, [*out_channels, *groups], *bias, true)?,
            Op::SeparableConv {
                in_channels,
                bias,
                geometry,
                ..
            } => self.separable(geometry, *in_channels, *bias)?,
            Op::MaxPool { geometry, .. } => largest(self.own(&window(geometry, self.at))),
            Op::GlobalMaxPool => largest(self.own(&whole(input))),
            Op::AvgPool {
                geometry,
                count_padding,
            } => self.mean(&window(geometry, self.at), *count_padding),
            Op::GlobalAvgPool => self.mean(&whole(input), true),
            Op::AdaptiveAvgPool { input, output } => {
                self.mean(&adaptive(*input, *output, self.at), true)
            }
            Op::Upsample {
                input,
                factor,
                bilinear,
            } => self.resized(|axis, at| enlarged(input[axis], factor[axis], *bilinear, at)),
            Op::Pad { before, .. } => {
                self.resized(|axis, at| vec![(at as i64 - before[axis] as i64, 1.0)])
            }
            Op::Crop { before, .. } => {
                self.resized(|axis, at| vec![((at + before[axis]) as i64, 1.0)])
            }
            Op::Dense { bias, .. } => self.dense(*bias)?,
            Op::Activation(activation) => {
                let (part, x) = self.same_place();
                let y = activation.value(x);
                Worked::function(
                    part,
                    y,
                    format!("{}({}) = {}", activation.name(), number(x), number(y)),
                )
            }
            Op::PRelu { channels } => self.prelu(channels.is_some())?,
            Op::Softmax => self.softmax(),
            Op::BatchNorm { .. } => self.batch_norm()?,
            Op::GroupNorm { channels, groups } => self.group_norm(channels / groups, true)?,
            Op::LayerNorm => self.group_norm(input.channels(), false)?,
            Op::Unpool { geometry, .. } => self.unpool(geometry),
            Op::Flatten | Op::Reshape => self.reordered(),
            Op::Identity | Op::Dropout { .. } | Op::Noise { .. } => {
                let (part, x) = self.same_place();
                Worked::function(part, x, format!("{} passes through", number(x)))
            }
        })
    }

    /// A parameter's or statistic's numbers in PyTorch's layout.
    fn numbers(&self, name: &str) -> Result<Vec<f32>, PixelError> {
        let key = format!("{}.{name}", self.layer.key);
        let parameter = self
            .network
            .parameters()
            .iter()
            .find(|parameter| parameter.key == key);
        let tensor = match parameter {
            Some(parameter) => parameter.value.clone(),
            None => {
                let found = self
                    .network
                    .state()?
                    .into_iter()
                    .find(|(found, _)| *found == key);
                found
                    .ok_or_else(|| PixelError::NoLayer(format!("the network has no `{key}`")))?
                    .1
            }
        };
        Ok(tensor
            .flatten_all()?
            .to_device(&Device::Cpu)?
            .to_dtype(DType::F32)?
            .to_vec1::<f32>()?)
    }

    fn bias(&self, is_there: bool, channel: usize, name: &str) -> Result<Option<f32>, PixelError> {
        if !is_there {
            return Ok(None);
        }
        Ok(self.numbers(name)?.get(channel).copied())
    }

    /// The input at a channel and a position; 0 outside.
    fn read(&self, channel: usize, at: [i64; 3]) -> f32 {
        let sizes = self.layer.input.volume();
        let inside = (0..3).all(|axis| (0..sizes[axis] as i64).contains(&at[axis]));
        let place = [
            channel,
            at[0].max(0) as usize,
            at[1].max(0) as usize,
            at[2].max(0) as usize,
        ];
        if inside {
            self.input
                .get(flat(place, &self.layer.input))
                .copied()
                .unwrap_or(0.0)
        } else {
            0.0
        }
    }

    fn is_inside(&self, at: [i64; 3]) -> bool {
        let sizes = self.layer.input.volume();
        (0..3).all(|axis| (0..sizes[axis] as i64).contains(&at[axis]))
    }
}
