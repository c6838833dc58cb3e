//! The text of a layer: `kind positional… attribute…`, as in `conv 16 k3 s2 p1 @stem`.
//!
//! `Display` writes attributes in one fixed order and `FromStr` reads them in any, so text written
//! by Strata reads back to the same value and writes to the same text. A [`LayerTextError`] points
//! at the bytes of the line it is about and says what to write instead.

use super::layer::{Activation, Kind, Layer, Window};
use super::size::{Axes, Margins, Padding, Shape};
use std::ops::Range;
use std::str::FromStr;

/// Why a layer's text could not be read, and where in the line.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct LayerTextError {
    /// What is wrong.
    pub message: String,
    /// What to write instead.
    pub help: String,
    /// The bytes of the text it is about.
    pub span: Range<usize>,
}

/// Every kind's word with an example of its text and one sentence for people, in palette order.
pub const KINDS: &[(&str, &str, &str)] = &[
    (
        "conv",
        "conv 16 k3 p1",
        "Convolution: slides out_channels learned kernels over the input (Keras Conv2D).",
    ),
    (
        "convt",
        "convt 16 k4 s2 p1",
        "Transposed convolution: spreads every value through a kernel; enlarges (Keras Conv2DTranspose).",
    ),
    (
        "dwconv",
        "dwconv k3 p1",
        "Depthwise convolution: each channel has its own kernel (Keras DepthwiseConv2D).",
    ),
    (
        "sepconv",
        "sepconv 32 k3 p1",
        "Separable convolution: depthwise, then 1×1 (Keras SeparableConv2D).",
    ),
    (
        "maxpool",
        "maxpool 2",
        "Keeps the largest value of each window.",
    ),
    ("avgpool", "avgpool 2", "Keeps the mean of each window."),
    (
        "unpool",
        "unpool",
        "Puts values back where the mirrored maxpool took them from; zeros elsewhere.",
    ),
    (
        "upsample",
        "upsample 2",
        "Enlarges by repeating values (or bilinear).",
    ),
    (
        "gap",
        "gap",
        "Global average pooling: the mean of each channel, a vector.",
    ),
    (
        "gmp",
        "gmp",
        "Global max pooling: the largest value of each channel, a vector.",
    ),
    (
        "adaptive-avgpool",
        "adaptive-avgpool 4",
        "Averages over windows chosen so that the output has this size.",
    ),
    (
        "flatten",
        "flatten",
        "Makes a vector of the tensor, in C, H, W order.",
    ),
    (
        "reshape",
        "reshape 32x8x8",
        "Makes a tensor of a vector; the inverse of flatten (PyTorch Unflatten).",
    ),
    (
        "dense",
        "dense 64",
        "Fully connected: every output sees every input (PyTorch Linear).",
    ),
    (
        "bn",
        "bn",
        "Batch normalisation: each channel to mean 0 and deviation 1 over the batch, then scaled.",
    ),
    (
        "groupnorm",
        "groupnorm 4",
        "Normalises groups of channels within each image.",
    ),
    (
        "layernorm",
        "layernorm",
        "Normalises all values of each image.",
    ),
    (
        "dropout",
        "dropout 0.5",
        "Zeroes values at random while training, against overfitting.",
    ),
    (
        "dropout-channels",
        "dropout-channels 0.2",
        "Zeroes whole channels at random while training (PyTorch Dropout2d).",
    ),
    ("relu", "relu", "max(0, x)"),
    ("relu6", "relu6", "min(max(0, x), 6)"),
    (
        "leakyrelu",
        "leakyrelu 0.01",
        "x above zero, a small slope below.",
    ),
    ("elu", "elu", "x above zero, α(eˣ − 1) below."),
    ("gelu", "gelu", "x·Φ(x), the Gaussian error linear unit."),
    ("silu", "silu", "x·sigmoid(x), also called swish."),
    ("sigmoid", "sigmoid", "1/(1 + e⁻ˣ): into 0..1."),
    ("tanh", "tanh", "Into −1..1."),
    ("hardswish", "hardswish", "x·relu6(x + 3)/6, a cheap silu."),
    (
        "softmax",
        "softmax",
        "Turns scores into probabilities that sum to 1.",
    ),
    ("step", "step", "1 above zero, else 0; no gradient passes."),
    (
        "noise",
        "noise 0.1",
        "Adds Gaussian noise while training (denoising autoencoder).",
    ),
    ("pad", "pad 1", "Zeros around the image."),
    ("crop", "crop 1", "Cuts rows and columns from the sides."),
    ("identity", "identity", "Passes its input on unchanged."),
];

/// Other libraries' words for our kinds, for the help of an error.
const FOREIGN: &[(&str, &str)] = &[
    ("conv1d", "conv"),
    ("conv2d", "conv"),
    ("conv3d", "conv"),
    ("convolution", "conv"),
    ("conv2dtranspose", "convt"),
    ("convtranspose2d", "convt"),
    ("convtranspose", "convt"),
    ("deconv", "convt"),
    ("depthwiseconv2d", "dwconv"),
    ("separableconv2d", "sepconv"),
    ("maxpool2d", "maxpool"),
    ("maxpooling2d", "maxpool"),
    ("avgpool2d", "avgpool"),
    ("averagepooling2d", "avgpool"),
    ("maxunpool2d", "unpool"),
    ("upsampling2d", "upsample"),
    ("globalaveragepooling2d", "gap"),
    ("globalmaxpooling2d", "gmp"),
    ("adaptiveavgpool2d", "adaptive-avgpool"),
    ("linear", "dense"),
    ("fc", "dense"),
    ("unflatten", "reshape"),
    ("view", "reshape"),
    ("batchnorm", "bn"),
    ("batchnorm2d", "bn"),
    ("batchnormalization", "bn"),
    ("dropout2d", "dropout-channels"),
    ("spatialdropout2d", "dropout-channels"),
    ("leaky_relu", "leakyrelu"),
    ("swish", "silu"),
    ("gaussiannoise", "noise"),
    ("zeropadding2d", "pad"),
    ("cropping2d", "crop"),
];

/// A word of the line with its place.
#[derive(Clone, Copy)]
struct Token<'a> {
    text: &'a str,
    start: usize,
}

impl Token<'_> {
    fn span(&self) -> Range<usize> {
        self.start..self.start + self.text.len()
    }

    fn error(&self, message: String, help: impl Into<String>) -> LayerTextError {
        LayerTextError {
            message,
            help: help.into(),
            span: self.span(),
        }
    }
}

fn tokens(text: &str) -> Vec<Token<'_>> {
    let start_of = |word: &str| word.as_ptr() as usize - text.as_ptr() as usize;
    text.split_whitespace()
        .map(|word| Token {
            text: word,
            start: start_of(word),
        })
        .collect()
}

/// The attributes read so far, for whichever kind takes them.
#[derive(Default)]
struct Attributes {
    window: Window,
    groups: Option<u32>,
    multiplier: Option<u32>,
    nobias: bool,
    bilinear: bool,
    name: Option<String>,
}

/// The letters a kind accepts, besides the name.
struct Grammar {
    letters: &'static [&'static str],
    example: &'static str,
}

impl FromStr for Layer {
    type Err = LayerTextError;

    fn from_str(text: &str) -> Result<Layer, LayerTextError> {
        let all = tokens(text);
        let Some((&head, rest)) = all.split_first() else {
            let help = "write a kind, such as conv 16 k3 p1".to_owned();
            return Err(LayerTextError {
                message: "the layer is empty".into(),
                help,
                span: 0..text.len(),
            });
        };
        let grammar = grammar(head)?;
        let (attributes, positional) = split(rest, &grammar, head)?;
        let name = attributes.name.clone();
        let mut reader = Reader {
            head,
            positional,
            next: 0,
            example: grammar.example,
        };
        let kind = reader.kind(attributes)?;
        reader.finish()?;
        Ok(Layer { kind, name })
    }
}

const POOL: &[&str] = &["k", "s", "p"];
const CONV: &[&str] = &["k", "s", "p", "d", "g", "nobias"];
const CONVT: &[&str] = &["k", "s", "p", "op", "d", "g", "nobias"];

fn grammar(head: Token<'_>) -> Result<Grammar, LayerTextError> {
    let Some((_, example, _)) = KINDS.iter().find(|(word, ..)| *word == head.text) else {
        return Err(head.error(
            format!("there is no layer `{}`", head.text),
            suggestion(head.text),
        ));
    };
    let letters: &[&str] = match head.text {
        "conv" => CONV,
        "convt" => CONVT,
        "dwconv" => &["k", "s", "p", "d", "m", "nobias"],
        "sepconv" => &["k", "s", "p", "d", "nobias"],
        "maxpool" | "avgpool" => POOL,
        "upsample" => &["bilinear"],
        "dense" => &["nobias"],
        _ => &[],
    };
    Ok(Grammar { letters, example })
}

fn suggestion(word: &str) -> String {
    let lower = word.to_lowercase();
    if let Some((_, ours)) = FOREIGN
        .iter()
        .find(|(foreign, _)| *foreign == lower.replace('_', "") || *foreign == lower)
    {
        return format!("it is called `{ours}` here");
    }
    if KINDS.iter().any(|(ours, ..)| *ours == lower) {
        return format!("write it in small letters: `{lower}`");
    }
    let near = KINDS
        .iter()
        .map(|(ours, ..)| (strsim::damerau_levenshtein(&lower, ours), *ours))
        .min();
    match near {
        Some((distance, ours)) if distance <= 2 => format!("did you mean `{ours}`?"),
        _ => {
            "for example conv, convt, maxpool, unpool, upsample, flatten, dense, relu, bn, dropout"
                .into()
        }
    }
}

/// Sorts the words after the kind into attributes and positional arguments.
fn split<'a>(
    rest: &[Token<'a>],
    grammar: &Grammar,
    head: Token<'a>,
) -> Result<(Attributes, Vec<Token<'a>>), LayerTextError> {
    let mut attributes = Attributes::default();
    let mut positional = Vec::new();
    let mut seen: Vec<&str> = Vec::new();
    for token in rest {
        let Some((letter, value)) = letter_of(token.text) else {
            positional.push(*token);
            continue;
        };
        let pads = matches!(letter, "same" | "valid");
        let slot = if pads { "p" } else { letter };
        if letter != "@" && !grammar.letters.contains(&slot) {
            let help = format!(
                "`{}` takes {}; for example {}",
                head.text,
                listing(grammar.letters),
                grammar.example
            );
            return Err(token.error(
                format!("`{}` is not an attribute of `{}`", token.text, head.text),
                help,
            ));
        }
        if seen.contains(&slot) {
            return Err(token.error(
                format!("`{}` is given twice", token.text),
                "keep one of them",
            ));
        }
        seen.push(slot);
        store(&mut attributes, letter, value, *token)?;
    }
    Ok((attributes, positional))
}

fn listing(letters: &[&str]) -> String {
    if letters.is_empty() {
        "no attributes".into()
    } else {
        letters.join(", ")
    }
}

/// The attribute a word starts with and the rest of it; `None` for a positional argument.
fn letter_of(word: &str) -> Option<(&str, &str)> {
    if let Some(name) = word.strip_prefix('@') {
        return Some(("@", name));
    }
    if matches!(word, "same" | "valid" | "nobias" | "bilinear") {
        return Some((word, ""));
    }
    if matches!(word, "psame" | "pvalid") {
        return Some((&word[1..], ""));
    }
    let letters = word.bytes().take_while(u8::is_ascii_lowercase).count();
    let (letter, value) = word.split_at(letters);
    (letters > 0).then_some((letter, value))
}

fn store(
    attributes: &mut Attributes,
    letter: &str,
    value: &str,
    token: Token<'_>,
) -> Result<(), LayerTextError> {
    let axes = || value.parse::<Axes>().map_err(|_| bad_size(token, letter));
    let number = || {
        value
            .parse::<Axes>()
            .ok()
            .and_then(single)
            .ok_or_else(|| bad_number(token, letter))
    };
    let window = &mut attributes.window;
    match letter {
        "k" => window.kernel_size = Some(axes()?),
        "s" => window.stride = Some(axes()?),
        "p" => window.padding = Some(Padding::Zeros(axes()?)),
        "op" => window.output_padding = Some(axes()?),
        "d" => window.dilation = Some(axes()?),
        "same" => window.padding = Some(Padding::Same),
        "valid" => window.padding = Some(Padding::Valid),
        "g" => attributes.groups = Some(number()?),
        "m" => attributes.multiplier = Some(number()?),
        "nobias" => attributes.nobias = true,
        "bilinear" => attributes.bilinear = true,
        "@" => attributes.name = Some(name(value, token)?),
        _ => {
            return Err(token.error(
                format!("`{}` is not an attribute", token.text),
                "use k, s, p, op, d, g or nobias",
            ));
        }
    }
    Ok(())
}

fn single(axes: Axes) -> Option<u32> {
    match axes.sizes() {
        [one] => Some(*one),
        _ => None,
    }
}

fn bad_size(token: Token<'_>, letter: &str) -> LayerTextError {
    let help = format!("write {letter} and a number, {letter}3, or one for each axis, {letter}3x5");
    token.error(format!("`{}` needs a size", token.text), help)
}

fn bad_number(token: Token<'_>, letter: &str) -> LayerTextError {
    token.error(
        format!("`{}` needs a whole number", token.text),
        format!("for example {letter}2"),
    )
}

fn name(text: &str, token: Token<'_>) -> Result<String, LayerTextError> {
    let legal = |c: char| c.is_alphanumeric() || c == '_' || c == '-';
    if text.is_empty() || !text.chars().all(legal) {
        return Err(token.error(
            format!("`{}` is not a name", token.text),
            "letters, digits, - and _ after the @",
        ));
    }
    Ok(text.to_owned())
}

/// Hands out the positional arguments of one layer.
struct Reader<'a> {
    head: Token<'a>,
    positional: Vec<Token<'a>>,
    next: usize,
    example: &'static str,
}

impl<'a> Reader<'a> {
    fn kind(&mut self, attributes: Attributes) -> Result<Kind, LayerTextError> {
        let Attributes {
            mut window,
            groups,
            multiplier,
            nobias,
            bilinear,
            ..
        } = attributes;
        let bias = !nobias;
        Ok(match self.head.text {
            "conv" => Kind::Conv {
                out_channels: self.count("the number of filters")?,
                window,
                groups,
                bias,
            },
            "convt" => Kind::ConvTranspose {
                out_channels: self.count("the number of filters")?,
                window,
                groups,
                bias,
            },
            "dwconv" => Kind::DepthwiseConv {
                window,
                multiplier,
                bias,
            },
            "sepconv" => Kind::SeparableConv {
                out_channels: self.count("the number of filters")?,
                window,
                bias,
            },
            "maxpool" | "avgpool" => {
                self.pool_size(&mut window)?;
                if self.head.text == "maxpool" {
                    Kind::MaxPool { window }
                } else {
                    Kind::AvgPool { window }
                }
            }
            "unpool" => Kind::Unpool,
            "upsample" => Kind::Upsample {
                factor: self.axes("a factor")?,
                bilinear,
            },
            "gap" => Kind::GlobalAvgPool,
            "gmp" => Kind::GlobalMaxPool,
            "adaptive-avgpool" => Kind::AdaptiveAvgPool {
                output: self.axes("the output size")?,
            },
            "flatten" => Kind::Flatten,
            "reshape" => Kind::Reshape {
                shape: self.parsed::<Shape>("a shape")?,
            },
            "dense" => Kind::Dense {
                out_features: self.count("the number of outputs")?,
                bias,
            },
            "bn" => Kind::BatchNorm,
            "groupnorm" => Kind::GroupNorm {
                groups: self.count("the number of groups")?,
            },
            "layernorm" => Kind::LayerNorm,
            "dropout" => Kind::Dropout {
                p: self.probability()?,
            },
            "dropout-channels" => Kind::DropoutChannels {
                p: self.probability()?,
            },
            "softmax" => Kind::Softmax,
            "noise" => Kind::Noise {
                std: self.number("a standard deviation", 0.0..=1e6)?,
            },
            "pad" => Kind::Pad {
                margins: self.parsed::<Margins>("a margin")?,
            },
            "crop" => Kind::Crop {
                margins: self.parsed::<Margins>("a margin")?,
            },
            "identity" => Kind::Identity,
            _ => Kind::Activation(self.activation()?),
        })
    }

    fn activation(&mut self) -> Result<Activation, LayerTextError> {
        Ok(match self.head.text {
            "relu" => Activation::Relu,
            "relu6" => Activation::Relu6,
            "leakyrelu" => Activation::LeakyRelu(self.optional_number(-1e6..=1e6)?),
            "elu" => Activation::Elu(self.optional_number(-1e6..=1e6)?),
            "gelu" => Activation::Gelu,
            "silu" => Activation::Silu,
            "sigmoid" => Activation::Sigmoid,
            "tanh" => Activation::Tanh,
            "hardswish" => Activation::HardSwish,
            "step" => Activation::Step,
            other => {
                return Err(self
                    .head
                    .error(format!("there is no layer `{other}`"), suggestion(other)));
            }
        })
    }

    /// `maxpool 2` and `maxpool k2` are the same.
    fn pool_size(&mut self, window: &mut Window) -> Result<(), LayerTextError> {
        if self.next < self.positional.len() {
            let token = self.positional[self.next];
            let size = self.axes("the window's size")?;
            if window.kernel_size.is_some() {
                return Err(token.error(
                    "the window's size is given twice".into(),
                    "keep one of them",
                ));
            }
            window.kernel_size = Some(size);
        }
        Ok(())
    }

    fn take(&mut self, what: &str) -> Result<Token<'a>, LayerTextError> {
        let token = self.positional.get(self.next).copied();
        self.next += 1;
        token.ok_or_else(|| {
            let message = format!("`{}` needs {what}", self.head.text);
            self.head
                .error(message, format!("for example {}", self.example))
        })
    }

    fn wrong(&self, token: Token<'_>, what: &str) -> LayerTextError {
        token.error(
            format!("`{}` is not {what}", token.text),
            format!("for example {}", self.example),
        )
    }

    fn parsed<T: FromStr>(&mut self, what: &str) -> Result<T, LayerTextError> {
        let token = self.take(what)?;
        token.text.parse().map_err(|_| self.wrong(token, what))
    }

    fn axes(&mut self, what: &str) -> Result<Axes, LayerTextError> {
        self.parsed(what)
    }

    fn count(&mut self, what: &str) -> Result<u32, LayerTextError> {
        let token = self.take(what)?;
        let count = token
            .text
            .parse::<Axes>()
            .ok()
            .and_then(single)
            .filter(|&n| n >= 1);
        count.ok_or_else(|| self.wrong(token, &format!("{what}, a whole number from 1")))
    }

    fn number(
        &mut self,
        what: &str,
        range: std::ops::RangeInclusive<f32>,
    ) -> Result<f32, LayerTextError> {
        let token = self.take(what)?;
        let value = token.text.parse::<f32>().ok().filter(|v| range.contains(v));
        value.ok_or_else(|| self.wrong(token, what))
    }

    fn optional_number(
        &mut self,
        range: std::ops::RangeInclusive<f32>,
    ) -> Result<Option<f32>, LayerTextError> {
        if self.next >= self.positional.len() {
            Ok(None)
        } else {
            self.number("a number", range).map(Some)
        }
    }

    fn probability(&mut self) -> Result<f32, LayerTextError> {
        let token = self.positional.get(self.next).copied();
        let p = self.number("a probability", 0.0..=1.0)?;
        match token {
            Some(token) if p >= 1.0 => Err(token.error(
                "a dropout of 1 leaves nothing".into(),
                "write a probability below 1, such as 0.5",
            )),
            _ => Ok(p),
        }
    }

    fn finish(&self) -> Result<(), LayerTextError> {
        match self.positional.get(self.next) {
            None => Ok(()),
            Some(extra) => {
                let message = format!("`{}` does not belong to `{}`", extra.text, self.head.text);
                Err(extra.error(message, format!("for example {}", self.example)))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_round_trips() {
        for (_, example, _) in KINDS {
            let layer: Layer = example.parse().unwrap_or_else(|e| panic!("{example}: {e}"));
            assert_eq!(layer.to_string(), *example);
        }
    }

    #[test]
    fn attributes_round_trip_exactly() {
        for text in [
            "conv 16 k3x5 s2x1 p1x2 d2 g4 nobias @stem",
            "conv 16 k3 s1 p0 d1 g1",
            "conv 8 k4 s2 same",
            "convt 3 k3 s2 p1 op1",
            "dwconv k3 s2 p1 m2 nobias",
            "sepconv 64 k3 same nobias",
            "maxpool 3 s2 p1 @a",
            "maxpool",
            "avgpool 2x3",
            "unpool @a",
            "upsample 2x3 bilinear",
            "pad 0+1x0+1",
            "leakyrelu",
            "elu 0.5",
            "dropout 0.25",
        ] {
            assert_eq!(text.parse::<Layer>().unwrap().to_string(), text);
        }
        assert_eq!(
            "  relu6\t@x ".parse::<Layer>().unwrap().to_string(),
            "relu6 @x"
        );
        assert_eq!(
            "maxpool s2 k3 psame".parse::<Layer>().unwrap().to_string(),
            "maxpool 3 s2 same"
        );
    }

    #[test]
    fn errors_point_at_the_place() {
        for (text, place, message, help) in [
            (
                "cnov 3",
                "cnov",
                "there is no layer `cnov`",
                "did you mean `conv`?",
            ),
            (
                "Conv2D 3",
                "Conv2D",
                "there is no layer",
                "it is called `conv` here",
            ),
            (
                "conv",
                "conv",
                "needs the number of filters",
                "conv 16 k3 p1",
            ),
            ("conv 16 k", "k", "needs a size", "k3x5"),
            (
                "conv 16 q3",
                "q3",
                "not an attribute of `conv`",
                "k, s, p, d, g, nobias",
            ),
            ("conv 16 k3 k5", "k5", "given twice", "keep one"),
            ("conv 0", "0", "a whole number from 1", "conv 16"),
            (
                "relu k3",
                "k3",
                "not an attribute of `relu`",
                "no attributes",
            ),
            ("relu 3", "3", "does not belong", "relu"),
            ("dropout 1", "1", "leaves nothing", "0.5"),
            (
                "dropout x",
                "x",
                "not an attribute of `dropout`",
                "no attributes; for example dropout 0.5",
            ),
            ("conv 16 p-1", "p-1", "needs a size", "p3"),
            ("conv 16 op1", "op1", "not an attribute", "k, s"),
            ("reshape 3xx", "3xx", "not a shape", "reshape"),
        ] {
            let error = text.parse::<Layer>().unwrap_err();
            assert!(error.message.contains(message), "{text}: {}", error.message);
            assert!(error.help.contains(help), "{text}: {}", error.help);
            assert_eq!(&text[error.span.clone()], place, "{text}");
        }
    }
}
