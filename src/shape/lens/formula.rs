//! Formulas with a layer's own numbers.

use super::function;
use super::slide::Slide;
use crate::project::layer::Kind;
use crate::project::size::{Padding, Shape};
use crate::shape::cost;
use crate::shape::error::times;
use crate::shape::op::{Geometry, Op};

/// A formula in steps that are equal: symbols, numbers, result.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Formula {
    /// What it gives: `height, width`, `parameters`.
    pub of: String,
    /// What is written between equals signs; the first has the symbols, the last is the result.
    pub chain: Vec<String>,
}

impl Formula {
    fn new<const N: usize>(of: impl Into<String>, chain: [String; N]) -> Formula {
        Formula {
            of: of.into(),
            chain: chain.into(),
        }
    }

    /// The whole chain: `⌈N/s⌉ = ⌈32/2⌉ = 16`.
    pub fn text(&self) -> String {
        self.chain.join(" = ")
    }
}

/// The names of the axes of an input of this rank.
pub fn axis_names(rank: usize) -> &'static [&'static str] {
    match rank {
        1 => &["length"],
        2 => &["height", "width"],
        3 => &["depth", "height", "width"],
        _ => &[],
    }
}

/// All formulas of a layer: its output's sizes first, then what it computes, then its parameters.
pub fn formulas(kind: &Kind, op: &Op, input: &Shape, output: &Shape) -> Vec<Formula> {
    let mut all = sizes(kind, op, input, output);
    all.extend(computed(op, input).map(|text| Formula::new("each value", text)));
    all.extend(parameters(op, input));
    all
}

fn sizes(kind: &Kind, op: &Op, input: &Shape, output: &Shape) -> Vec<Formula> {
    let rank = input.rank();
    let by_axis = |chain: &dyn Fn(usize) -> Vec<String>| merged(rank, chain);
    match op {
        Op::Conv { geometry, .. }
        | Op::SeparableConv { geometry, .. }
        | Op::MaxPool { geometry, .. }
        | Op::AvgPool { geometry, .. } => {
            by_axis(&|axis| slid(&Slide::of(geometry, axis), is_same(kind)))
        }
        Op::ConvTranspose { geometry, .. } => {
            by_axis(&|axis| spread(&Slide::of(geometry, axis), is_same(kind)))
        }
        Op::Unpool { geometry, .. } => by_axis(&|axis| {
            vec![
                "the size before the max pooling that it undoes".into(),
                geometry.input[axis].to_string(),
            ]
        }),
        Op::Upsample { input, factor, .. } => by_axis(&|axis| {
            let (n, f) = (input[axis], factor[axis]);
            vec!["f·N".into(), format!("{f}·{n}"), (f * n).to_string()]
        }),
        Op::AdaptiveAvgPool { input, output } => by_axis(&|axis| {
            let (n, m) = (input[axis], output[axis]);
            vec![
                format!("M, as written; window i is ⌊i·N/M⌋ … ⌈(i + 1)·N/M⌉ − 1 with N = {n}"),
                m.to_string(),
            ]
        }),
        Op::Pad { before, after } => {
            by_axis(&|axis| sides(input.volume()[axis], before[axis], after[axis], '+'))
        }
        Op::Crop { before, after } => {
            by_axis(&|axis| sides(input.volume()[axis], before[axis], after[axis], '−'))
        }
        Op::GlobalAvgPool | Op::GlobalMaxPool => {
            vec![Formula::new(
                "output",
                ["C, one number a channel".into(), output.to_string()],
            )]
        }
        Op::Flatten => vec![Formula::new(
            "output",
            [symbols(rank), dims(input), output.to_string()],
        )],
        Op::Reshape => vec![Formula::new(
            "numbers",
            [dims(output), dims(input), input.elements().to_string()],
        )],
        Op::Identity => vec![Formula::new(
            "output",
            ["the input".into(), output.to_string()],
        )],
        // The shape stays, or is what is written: nothing to reckon.
        _ => Vec::new(),
    }
}

fn is_same(kind: &Kind) -> bool {
    kind.window()
        .is_some_and(|window| window.padding == Some(Padding::Same))
}

/// One formula for all axes where they are alike, else one for each.
fn merged(rank: usize, chain: &dyn Fn(usize) -> Vec<String>) -> Vec<Formula> {
    let mut all: Vec<Formula> = Vec::new();
    for (axis, name) in (3 - rank.min(3)..3).zip(axis_names(rank)) {
        let chain = chain(axis);
        match all.last_mut().filter(|last| last.chain == chain) {
            Some(last) => last.of += &format!(", {name}"),
            None => all.push(Formula {
                of: (*name).to_owned(),
                chain,
            }),
        }
    }
    all
}

/// `⌊(N + 2p − d(k − 1) − 1)/s⌋ + 1`, and TensorFlow's rule for `same`.
fn slid(slide: &Slide, same: bool) -> Vec<String> {
    let Slide {
        input: n,
        output,
        kernel: k,
        stride: s,
        dilation: d,
        before: p,
    } = *slide;
    if same {
        return vec!["⌈N/s⌉".into(), format!("⌈{n}/{s}⌉"), output.to_string()];
    }
    let room = (n + 2 * p).saturating_sub(slide.span());
    vec![
        "⌊(N + 2p − d(k − 1) − 1)/s⌋ + 1".into(),
        format!("⌊({n} + 2·{p} − {d}·({k} − 1) − 1)/{s}⌋ + 1"),
        format!("⌊{room}/{s}⌋ + 1"),
        output.to_string(),
    ]
}

/// `(N − 1)s − 2p + d(k − 1) + op + 1`; `same` gives N·s.
fn spread(slide: &Slide, same: bool) -> Vec<String> {
    let Slide {
        input: out,
        output: n,
        kernel: k,
        stride: s,
        dilation: d,
        before: p,
    } = *slide;
    if same {
        return vec!["N·s".into(), format!("{n}·{s}"), out.to_string()];
    }
    let op = (out + 2 * p).saturating_sub((n - 1) * s + slide.span());
    vec![
        "(N − 1)s − 2p + d(k − 1) + op + 1".into(),
        format!("({n} − 1)·{s} − 2·{p} + {d}·({k} − 1) + {op} + 1"),
        out.to_string(),
    ]
}

fn sides(n: usize, before: usize, after: usize, sign: char) -> Vec<String> {
    let out = if sign == '+' {
        n + before + after
    } else {
        n.saturating_sub(before + after)
    };
    vec![
        format!("N {sign} before {sign} after"),
        format!("{n} {sign} {before} {sign} {after}"),
        out.to_string(),
    ]
}

fn symbols(rank: usize) -> String {
    ["C", "C·L", "C·H·W", "C·D·H·W"]
        .get(rank)
        .copied()
        .unwrap_or("C")
        .to_owned()
}

fn dims(shape: &Shape) -> String {
    times(shape.dims()).replace('×', "·")
}

/// What a layer does to its numbers, where its size says nothing about that.
fn computed(op: &Op, input: &Shape) -> Option<[String; 1]> {
    let text = match op {
        Op::Conv { groups, .. } if *groups > 1 && *groups == input.channels() => {
            "Σ weight·input over the window, in its own channel alone".to_owned()
        }
        Op::Conv { groups, .. } if *groups > 1 => {
            format!(
                "Σ weight·input over the window and {} channels of its group, + bias",
                input.channels() / groups
            )
        }
        Op::Conv { .. } => format!(
            "Σ weight·input over the window and {}, + bias",
            all_channels(input)
        ),
        Op::ConvTranspose { .. } => {
            "every input value times the kernel is added into the output, + bias".into()
        }
        Op::SeparableConv { .. } => {
            "first each channel with its own kernel, then a 1×1 convolution mixes them".into()
        }
        Op::MaxPool { .. } => "max over the window; padding never wins".into(),
        Op::AvgPool {
            count_padding: true,
            ..
        } => "mean over the window, zeros of the padding counted".into(),
        Op::AvgPool { .. } => "mean over the cells of the window inside the input".into(),
        Op::Unpool { .. } => "the value at the place of its maximum, 0 elsewhere".into(),
        Op::GlobalAvgPool => format!(
            "mean over {} cells",
            input.elements() / input.channels() as u64
        ),
        Op::GlobalMaxPool => format!(
            "max over {} cells",
            input.elements() / input.channels() as u64
        ),
        Op::Dense {
            in_features,
            out_features,
            bias,
        } => {
            let and_bias = if *bias { " + b" } else { "" };
            format!(
                "y = W·x{and_bias}, W is {out_features}×{in_features}: every output reads every input"
            )
        }
        Op::BatchNorm { .. } => {
            "y = γ·(x − μ)/√(σ² + ε) + β, μ and σ² of the channel over batch and space".into()
        }
        Op::GroupNorm { .. } => {
            "y = γ·(x − μ)/√(σ² + ε) + β, μ and σ² of the image's group of channels".into()
        }
        Op::LayerNorm => "y = γ·(x − μ)/√(σ² + ε) + β, μ and σ² of all values of the image".into(),
        Op::Dropout { p, channels } => {
            let what = if *channels {
                "a whole channel"
            } else {
                "a value"
            };
            format!("in training {what} is 0 with probability {p}, else x/(1 − {p}); afterwards x")
        }
        Op::Noise { std } => {
            format!("x + {std}·z in training, z normally distributed; afterwards x")
        }
        Op::Activation(activation) => format!("y = {}", function::formula(*activation)),
        Op::Softmax => "y = e^x / Σ e^x, the sum over all channels".into(),
        Op::Flatten | Op::Reshape => {
            "the numbers keep their order: channel, then row, then column".into()
        }
        Op::Upsample { bilinear: true, .. } => {
            "weighted mean of the nearest cells, by distance".into()
        }
        Op::Upsample { .. } => "every cell is repeated".into(),
        _ => return None,
    };
    Some([text])
}

fn all_channels(input: &Shape) -> String {
    if input.channels() == 1 {
        "1 channel".into()
    } else {
        format!("all {} channels", input.channels())
    }
}

/// The parameters, counted as PyTorch does.
fn parameters(op: &Op, input: &Shape) -> Option<Formula> {
    let total = cost::parameters(op, input).to_string();
    let cells = |geometry: &Geometry| {
        times(&geometry.kernel[3 - input.rank().clamp(1, 3)..]).replace('×', "·")
    };
    let and_bias = |bias: bool, n: usize| {
        if bias {
            format!(" + {n}")
        } else {
            String::new()
        }
    };
    let (symbols, numbers) = match op {
        Op::Conv {
            in_channels,
            out_channels,
            groups,
            bias,
            geometry,
        }
        | Op::ConvTranspose {
            in_channels,
            out_channels,
            groups,
            bias,
            geometry,
        } => {
            let by_group = if *groups > 1 {
                format!("/{groups}")
            } else {
                String::new()
            };
            let symbols = format!(
                "out·in{}·k{}",
                if *groups > 1 { "/g" } else { "" },
                if *bias { " + out" } else { "" }
            );
            let (k, rest) = (cells(geometry), and_bias(*bias, *out_channels));
            (
                symbols,
                format!("{out_channels}·{in_channels}{by_group}·{k}{rest}"),
            )
        }
        Op::SeparableConv {
            in_channels,
            out_channels,
            bias,
            geometry,
        } => {
            let symbols = format!("in·k + in·out{}", if *bias { " + out" } else { "" });
            let (k, rest) = (cells(geometry), and_bias(*bias, *out_channels));
            (
                symbols,
                format!("{in_channels}·{k} + {in_channels}·{out_channels}{rest}"),
            )
        }
        Op::Dense {
            in_features,
            out_features,
            bias,
        } => {
            let symbols = if *bias { "in·out + out" } else { "in·out" };
            (
                symbols.to_owned(),
                format!(
                    "{in_features}·{out_features}{}",
                    and_bias(*bias, *out_features)
                ),
            )
        }
        Op::BatchNorm { channels } | Op::GroupNorm { channels, .. } => {
            ("2·C".to_owned(), format!("2·{channels}"))
        }
        Op::LayerNorm => (
            format!("2·{}", symbols(input.rank())),
            format!("2·{}", dims(input)),
        ),
        _ => return None,
    };
    Some(Formula::new("parameters", [symbols, numbers, total]))
}
