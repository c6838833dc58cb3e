//! The arithmetic of one value of each kind of layer, from the layer's whole input.

use super::{Joined, MOST_TERMS, Part, PixelError, TOP, Term, bracketed, flat};
use candle_core::{DType, Device};
use strata_core::project::size::Shape;
use strata_core::shape::layers::NORM_EPS;
use strata_core::shape::op::Geometry;
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

/// A cell of the input along one axis, and its weight.
type Reads = Vec<(i64, f32)>;

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

    /// The input at a channel and a cell; 0 outside.
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

    /// A convolution or its transpose: the window of every channel of the group.
    fn convolution(
        &self,
        geometry: &Geometry,
        [outputs, groups]: [usize; 2],
        bias: bool,
        transposed: bool,
    ) -> Result<Worked, PixelError> {
        let channel = self.at[0];
        let weights = self.numbers("weight")?;
        let cells: usize = geometry.kernel.iter().product();
        let (inputs, by_group) = (
            self.layer.input.channels() / groups.max(1),
            outputs / groups.max(1),
        );
        let group = channel / by_group.max(1);
        let taps = if transposed {
            stamps(geometry, self.at)
        } else {
            window(geometry, self.at)
        };
        let mut kept = 0;
        let parts = (0..inputs).map(|index| {
            let from = group * inputs + index;
            // PyTorch: [out, in/groups, k…] of a convolution, [in, out/groups, k…] of a transposed one.
            let row = if transposed {
                from * by_group + channel % by_group.max(1)
            } else {
                channel * inputs + index
            };
            let term = |(tap, at): &(usize, [i64; 3])| Term {
                at: *at,
                value: self.read(from, *at),
                weight: weights.get(row * cells + tap).copied(),
                tap: *tap,
            };
            let terms: Vec<Term> = taps.iter().map(term).collect();
            part(from, terms, &mut kept)
        });
        let parts = parts.collect();
        Ok(Worked::sum(parts, self.bias(bias, channel, "bias")?))
    }

    fn separable(
        &self,
        geometry: &Geometry,
        channels: usize,
        bias: bool,
    ) -> Result<Worked, PixelError> {
        let (depthwise, pointwise) = (
            self.numbers("depthwise.weight")?,
            self.numbers("pointwise.weight")?,
        );
        let cells: usize = geometry.kernel.iter().product();
        let (taps, mut kept) = (window(geometry, self.at), 0);
        let parts = (0..channels).map(|channel| {
            let term = |(tap, at): &(usize, [i64; 3])| Term {
                at: *at,
                value: self.read(channel, *at),
                weight: depthwise.get(channel * cells + tap).copied(),
                tap: *tap,
            };
            let terms = taps.iter().map(term).collect();
            let factor = pointwise.get(self.at[0] * channels + channel).copied();
            Part {
                factor,
                ..part(channel, terms, &mut kept)
            }
        });
        let parts = parts.collect();
        Ok(Worked::sum(
            parts,
            self.bias(bias, self.at[0], "pointwise.bias")?,
        ))
    }

    /// What is read of the value's own channel, without weights.
    fn own(&self, taps: &[(usize, [i64; 3])]) -> Part {
        let term = |&(tap, at): &(usize, [i64; 3])| Term {
            at,
            value: self.read(self.at[0], at),
            weight: None,
            tap,
        };
        let inside = taps
            .iter()
            .filter(|(_, at)| self.is_inside(*at))
            .map(term)
            .collect();
        Part {
            channel: self.at[0],
            terms: inside,
            sum: 0.0,
            factor: None,
            chosen: None,
        }
    }

    fn mean(&self, taps: &[(usize, [i64; 3])], count_padding: bool) -> Worked {
        let term = |&(tap, at): &(usize, [i64; 3])| Term {
            at,
            value: self.read(self.at[0], at),
            weight: None,
            tap,
        };
        let counted = taps
            .iter()
            .filter(|(_, at)| count_padding || self.is_inside(*at));
        let mut terms: Vec<Term> = counted.map(term).collect();
        let count = terms.len().max(1) as f64;
        let sum = terms.iter().map(Term::product).sum::<f64>() / count;
        let words = (terms.len() > MOST_TERMS)
            .then(|| format!("mean of {} numbers = {}", terms.len(), number(sum)));
        terms.truncate(MOST_TERMS);
        let part = Part {
            channel: self.at[0],
            terms,
            sum,
            factor: None,
            chosen: None,
        };
        Worked {
            words,
            ..Worked::of(Joined::Mean, part)
        }
    }

    /// A weighted sum of cells of the own channel, where both axes are treated alike.
    fn resized(&self, reads: impl Fn(usize, usize) -> Reads) -> Worked {
        let axes = [0, 1, 2].map(|axis| reads(axis, self.at[axis + 1]));
        let mut terms = Vec::new();
        for &(depth, a) in &axes[0] {
            for &(row, b) in &axes[1] {
                for &(column, c) in &axes[2] {
                    let at = [depth, row, column];
                    terms.push(Term {
                        at,
                        value: self.read(self.at[0], at),
                        weight: Some(a * b * c),
                        tap: terms.len(),
                    });
                }
            }
        }
        Worked::sum(vec![part(self.at[0], terms, &mut 0)], None)
    }

    fn dense(&self, bias: bool) -> Result<Worked, PixelError> {
        let unit = self.at[0];
        let weights = self.numbers("weight")?;
        let row = weights
            .get(unit * self.input.len()..(unit + 1) * self.input.len())
            .unwrap_or_default();
        let mut terms: Vec<(usize, Term)> = self
            .input
            .iter()
            .zip(row)
            .enumerate()
            .map(|(index, (&value, &weight))| {
                (
                    index,
                    Term {
                        at: [0, 0, index as i64],
                        value,
                        weight: Some(weight),
                        tap: index,
                    },
                )
            })
            .collect();
        terms.sort_by(|(_, a), (_, b)| b.product().abs().total_cmp(&a.product().abs()));
        let (top, others) = terms.split_at(terms.len().min(TOP));
        let parts = top
            .iter()
            .map(|(index, term)| part(*index, vec![*term], &mut 0))
            .collect();
        let rest = others.iter().map(|(_, term)| term.product()).sum::<f64>();
        let worked = Worked::sum(parts, self.bias(bias, unit, "bias")?);
        let value = worked.value + rest;
        Ok(Worked {
            rest: (!others.is_empty()).then_some((others.len() as u64, rest)),
            value,
            ..worked
        })
    }

    /// The input at the value's own place.
    fn same_place(&self) -> (Part, f64) {
        let [channel, at @ ..] = self.at;
        let at = at.map(|at| at as i64);
        let value = self.read(channel, at);
        let term = Term {
            at,
            value,
            weight: None,
            tap: 0,
        };
        (part(channel, vec![term], &mut 0), value.into())
    }

    fn softmax(&self) -> Worked {
        let (part, x) = self.same_place();
        let [_, at @ ..] = self.at;
        let logits = || {
            (0..self.layer.input.channels())
                .map(|channel| f64::from(self.read(channel, at.map(|at| at as i64))))
        };
        let highest = logits().fold(f64::NEG_INFINITY, f64::max);
        let sum: f64 = logits().map(|logit| (logit - highest).exp()).sum();
        let y = (x - highest).exp() / sum;
        let count = self.layer.input.channels();
        let words = format!(
            "e^{}/(sum of e^x over {count} channels) = {}",
            bracketed(x),
            number(y)
        );
        Worked::function(part, y, words)
    }

    fn prelu(&self, by_channel: bool) -> Result<Worked, PixelError> {
        let (part, x) = self.same_place();
        let slopes = self.numbers("weight")?;
        let slope = slopes.get(if by_channel { self.at[0] } else { 0 });
        let slope = f64::from(slope.copied().unwrap_or(f32::NAN));
        if x > 0.0 {
            let words = format!("prelu({}) = {}", number(x), number(x));
            return Ok(Worked::function(part, x, words));
        }
        let y = slope * x;
        let words = format!(
            "prelu({}) = {}·{} = {}",
            number(x),
            number(slope),
            bracketed(x),
            number(y)
        );
        Ok(Worked::function(part, y, words))
    }

    fn batch_norm(&self) -> Result<Worked, PixelError> {
        let channel = self.at[0];
        let of = |name: &str| {
            Ok::<f64, PixelError>(
                self.numbers(name)?
                    .get(channel)
                    .copied()
                    .unwrap_or(f32::NAN)
                    .into(),
            )
        };
        let [mean, variance] = [of("running_mean")?, of("running_var")?];
        let [scale, shift] = [of("weight")?, of("bias")?];
        let (part, x) = self.same_place();
        Ok(scaled(part, x, [mean, variance], [scale, shift]))
    }

    /// Normalisation over `size` channels around the value's own; with weights by channel or by value.
    fn group_norm(&self, size: usize, by_channel: bool) -> Result<Worked, PixelError> {
        let channel = self.at[0];
        let cells = self.input.len() / self.layer.input.channels();
        let first = channel / size.max(1) * size;
        let group = self
            .input
            .get(first * cells..(first + size) * cells)
            .unwrap_or_default();
        let count = group.len().max(1) as f64;
        let mean = group.iter().map(|&x| f64::from(x)).sum::<f64>() / count;
        let variance = group
            .iter()
            .map(|&x| (f64::from(x) - mean).powi(2))
            .sum::<f64>()
            / count;
        let place = if by_channel {
            channel
        } else {
            flat(self.at, &self.layer.input)
        };
        let of = |name: &str| {
            Ok::<f64, PixelError>(
                self.numbers(name)?
                    .get(place)
                    .copied()
                    .unwrap_or(f32::NAN)
                    .into(),
            )
        };
        let (part, x) = self.same_place();
        Ok(scaled(
            part,
            x,
            [mean, variance],
            [of("weight")?, of("bias")?],
        ))
    }

    /// What an unpooling put here, of the windows that cover the place. Which of them had its maximum here the
    /// pooling knows; here it is read off the network's own output.
    fn unpool(&self, geometry: &Geometry) -> Worked {
        let output = self
            .output
            .get(flat(self.at, &self.layer.output))
            .copied()
            .unwrap_or(0.0);
        let taps = stamps(geometry, self.at);
        let values: Vec<f32> = taps
            .iter()
            .map(|(_, at)| self.read(self.at[0], *at))
            .collect();
        let here = given(&values, output);
        let term = |(index, &(tap, at)): (usize, &(usize, [i64; 3]))| {
            let weight = if here & (1 << index) > 0 { 1.0 } else { 0.0 };
            Term {
                at,
                value: values[index],
                weight: Some(weight),
                tap,
            }
        };
        let part = part(
            self.at[0],
            taps.iter().take(WINDOWS).enumerate().map(term).collect(),
            &mut 0,
        );
        let value = part.sum;
        let words = match here.count_ones() {
            0 => "0: the pooling found its maximum elsewhere".to_owned(),
            1 => format!(
                "{} comes back: the pooling found its maximum here",
                number(value)
            ),
            many => format!(
                "{many} windows had their maximum here, which add up to {}",
                number(value)
            ),
        };
        Worked::function(part, value, words)
    }

    /// The number of the same rank in C, H, W order.
    fn reordered(&self) -> Worked {
        let index = flat(self.at, &self.layer.output);
        let value = self.input.get(index).copied().unwrap_or(0.0);
        let [depths, rows, columns] = self.layer.input.volume();
        let at = [
            index / columns / rows % depths,
            index / columns % rows,
            index % columns,
        ]
        .map(|at| at as i64);
        let channel = index / (depths * rows * columns);
        let term = Term {
            at,
            value,
            weight: None,
            tap: 0,
        };
        let words = format!(
            "{} is number {index} in channel, row, column order",
            number(value.into())
        );
        Worked::function(part(channel, vec![term], &mut 0), value.into(), words)
    }
}

/// Windows that may cover one place and are told apart.
const WINDOWS: usize = 12;

/// The fewest of some values that add up to a number, as bits.
fn given(values: &[f32], sum: f32) -> usize {
    let masks = 0..1usize << values.len().min(WINDOWS);
    let off = |mask: &usize| {
        let chosen = values
            .iter()
            .enumerate()
            .filter(|(index, _)| mask & (1 << index) > 0);
        (chosen.map(|(_, value)| value).sum::<f32>() - sum).abs()
    };
    let near = 1e-5 * sum.abs();
    masks
        .filter(|mask| off(mask) <= near)
        .min_by_key(|mask| mask.count_ones())
        .unwrap_or(0)
}

/// A part with its sum; its terms are kept while there is room for them.
fn part(channel: usize, terms: Vec<Term>, kept: &mut usize) -> Part {
    let sum = terms.iter().map(Term::product).sum();
    *kept += terms.len();
    let terms = if *kept <= MOST_TERMS {
        terms
    } else {
        Vec::new()
    };
    Part {
        channel,
        terms,
        sum,
        factor: None,
        chosen: None,
    }
}

fn largest(mut part: Part) -> Worked {
    let better = |best: Option<(usize, f32)>, (index, term): (usize, &Term)| {
        // Of equal numbers the first counts.
        if best.is_some_and(|(_, most)| term.value <= most) {
            best
        } else {
            Some((index, term.value))
        }
    };
    let best = part.terms.iter().enumerate().fold(None, better);
    part.chosen = best.map(|(index, _)| index);
    part.sum = best.map_or(f64::NAN, |(_, value)| value.into());
    let count = part.terms.len();
    let words =
        (count > MOST_TERMS).then(|| format!("largest of {count} numbers = {}", number(part.sum)));
    if count > MOST_TERMS {
        part.terms = part
            .chosen
            .and_then(|chosen| part.terms.get(chosen))
            .copied()
            .into_iter()
            .collect();
        part.chosen = Some(0);
    }
    Worked {
        words,
        ..Worked::of(Joined::Max, part)
    }
}

/// γ·(x − μ)/√(σ² + ε) + β.
fn scaled(part: Part, x: f64, [mean, variance]: [f64; 2], [scale, shift]: [f64; 2]) -> Worked {
    let y = scale * (x - mean) / (variance + NORM_EPS).sqrt() + shift;
    let [x, mean, variance, scale, shift] = [x, mean, variance, scale, shift].map(bracketed);
    let words = format!(
        "{scale}·({x} − {mean})/√({variance} + {NORM_EPS}) + {shift} = {}",
        number(y)
    );
    Worked::function(part, y, words)
}

/// The cells that the window covers at a place, each with the number of its tap.
fn window(geometry: &Geometry, [_, at @ ..]: [usize; 4]) -> Vec<(usize, [i64; 3])> {
    let cell = |tap: [usize; 3]| {
        [0, 1, 2].map(|a| {
            (at[a] * geometry.stride[a] + tap[a] * geometry.dilation[a]) as i64
                - geometry.pad[a] as i64
        })
    };
    taps(geometry.kernel)
        .map(|(index, tap)| (index, cell(tap)))
        .collect()
}

/// The cells of the smaller side whose stamp reaches a place of the larger one.
fn stamps(geometry: &Geometry, [_, at @ ..]: [usize; 4]) -> Vec<(usize, [i64; 3])> {
    let along = |axis: usize, tap: usize| {
        let far = (at[axis] + geometry.pad[axis]).checked_sub(tap * geometry.dilation[axis])?;
        let position = far / geometry.stride[axis];
        (far % geometry.stride[axis] == 0 && position < geometry.output[axis])
            .then_some(position as i64)
    };
    let cell = |tap: [usize; 3]| Some([along(0, tap[0])?, along(1, tap[1])?, along(2, tap[2])?]);
    taps(geometry.kernel)
        .filter_map(|(index, tap)| Some((index, cell(tap)?)))
        .collect()
}

/// All cells of a kernel in order.
fn taps([depth, height, width]: [usize; 3]) -> impl Iterator<Item = (usize, [usize; 3])> {
    (0..depth * height * width).map(move |index| {
        (
            index,
            [
                index / width / height,
                index / width % height,
                index % width,
            ],
        )
    })
}

/// Every cell of an input.
fn whole(input: &Shape) -> Vec<(usize, [i64; 3])> {
    taps(input.volume())
        .map(|(index, at)| (index, at.map(|at| at as i64)))
        .collect()
}

/// The window of an adaptive pooling at a place.
fn adaptive(
    input: [usize; 3],
    output: [usize; 3],
    [_, at @ ..]: [usize; 4],
) -> Vec<(usize, [i64; 3])> {
    let from = [0, 1, 2].map(|axis| at[axis] * input[axis] / output[axis]);
    let to = [0, 1, 2].map(|axis| ((at[axis] + 1) * input[axis]).div_ceil(output[axis]));
    let sizes = [0, 1, 2].map(|axis| to[axis] - from[axis]);
    taps(sizes)
        .map(|(index, tap)| (index, [0, 1, 2].map(|axis| (from[axis] + tap[axis]) as i64)))
        .collect()
}

/// The cells of an axis that an enlarged one reads.
fn enlarged(cells: usize, factor: usize, bilinear: bool, at: usize) -> Reads {
    if !bilinear {
        return vec![((at / factor) as i64, 1.0)];
    }
    let source = ((at as f64 + 0.5) / factor as f64 - 0.5).max(0.0);
    let (low, share) = (source.floor() as usize, source.fract());
    let high = (low + 1).min(cells - 1);
    if share == 0.0 || high == low {
        vec![(low as i64, 1.0)]
    } else {
        vec![
            (low as i64, (1.0 - share) as f32),
            (high as i64, share as f32),
        ]
    }
}
