//! Functions of other libraries that are no layer here, and what does their work.

/// Words in small letters without `_`, and what is written instead.
const MISSING: &[(&[&str], &str)] = &[
    (
        &["selu"],
        "there is no selu: `elu` is the same curve without its fixed scale",
    ),
    (&["celu"], "there is no celu: with alpha 1 it is `elu`"),
    (
        &["mish"],
        "there is no mish: `silu` is the nearest smooth curve",
    ),
    (
        &[
            "softplus",
            "softsign",
            "softshrink",
            "hardshrink",
            "tanhshrink",
            "logsigmoid",
            "exponential",
            "exp",
            "threshold",
            "pelu",
            "crelu",
            "quickgelu",
        ],
        "it is not there: relu, elu, gelu, silu, sigmoid and tanh are",
    ),
    (
        &["rrelu"],
        "there is no rrelu: without its chance it is `leakyrelu 0.23`, and `prelu` learns the slope",
    ),
    (
        &["softmin"],
        "there is no softmin: it is `softmax` of the values with the other sign",
    ),
    (
        &["hardsigmoid", "hsigmoid"],
        "there is no hardsigmoid: `sigmoid` is its smooth form",
    ),
    (
        &["hardtanh"],
        "there is no hardtanh: `tanh` is its smooth form, and `relu6` is cut off above",
    ),
    (
        &["glu", "swiglu", "geglu", "maxout"],
        "there are no gates: branches are added or joined, not multiplied",
    ),
    (
        &["mul", "multiply", "dot", "scale", "se", "squeezeexcite"],
        "branches can't be multiplied: `add` and `concat` blocks join them",
    ),
    (
        &[
            "add",
            "residual",
            "shortcut",
            "skip",
            "resblock",
            "residualblock",
            "basicblock",
        ],
        "it is a block: write { add = [[\"conv 16 k3 p1\"], []] }, whose empty branch is the input",
    ),
    (
        &[
            "concat",
            "concatenate",
            "cat",
            "route",
            "merge",
            "inception",
            "dense block",
            "denseblock",
        ],
        "it is a block: write { concat = [[\"conv 16 k3 p1\"], []] }, whose empty branch is the input",
    ),
    (
        &["subtract", "average", "maximum", "minimum"],
        "branches are summed by an `add` block or joined by a `concat` block, nothing else",
    ),
    (
        &["repeat", "sequential", "loop"],
        "it is a block: write { repeat = 2, layers = [\"conv 16 k3 p1\", \"relu\"] }",
    ),
    (
        &[
            "lrn",
            "localresponsenorm",
            "localresponsenormalization",
            "crossmaplrn2d",
        ],
        "there is no local response norm: `bn` after a convolution has taken its place",
    ),
    (
        &[
            "instancenorm",
            "instancenorm1d",
            "instancenorm2d",
            "instancenorm3d",
            "instancenormalization",
            "in",
        ],
        "it is `groupnorm` with as many groups as channels: groupnorm 16 after conv 16",
    ),
    (
        &["layernormalization"],
        "`layernorm` is over all values of an image; Keras' is over the channels alone",
    ),
    (
        &["weightnorm", "spectralnorm", "rmsnorm", "unitnormalization"],
        "it is not there: bn, groupnorm and layernorm are",
    ),
    (
        &["logsoftmax"],
        "leave it out: the loss cross-entropy applies log-softmax itself",
    ),
    (
        &[
            "attention",
            "multiheadattention",
            "selfattention",
            "transformer",
            "transformerencoderlayer",
        ],
        "there is no attention: networks here are convolutional",
    ),
    (
        &[
            "lstm",
            "gru",
            "rnn",
            "simplernn",
            "bidirectional",
            "convlstm2d",
        ],
        "there are no recurrent layers: `conv` slides over signals, with an input such as 1x4000",
    ),
    (
        &["embedding"],
        "there is no embedding: inputs are images, signals and volumes",
    ),
    (
        &[
            "pixelshuffle",
            "pixelunshuffle",
            "depthtospace",
            "spacetodepth",
            "subpixel",
        ],
        "there is no pixel shuffle: `upsample 2` and `conv`, or `convt`, make maps larger",
    ),
    (
        &[
            "permute",
            "transpose",
            "channelshuffle",
            "squeeze",
            "unsqueeze",
            "roll",
        ],
        "axes can't be exchanged: `reshape` and `flatten` are there",
    ),
    (
        &["lambda", "function"],
        "functions of one's own can't be run",
    ),
    (
        &[
            "adaptivemaxpool",
            "adaptivemaxpool1d",
            "adaptivemaxpool2d",
            "adaptivemaxpool3d",
        ],
        "there is no adaptive max pooling: `gmp` gives each channel's maximum, `adaptive-avgpool` means",
    ),
    (
        &[
            "lppool",
            "lppool1d",
            "lppool2d",
            "lppool3d",
            "fractionalmaxpool",
            "fractionalmaxpool2d",
            "fractionalmaxpool3d",
        ],
        "it is not there: maxpool and avgpool are",
    ),
    (
        &[
            "gaussiandropout",
            "alphadropout",
            "featurealphadropout",
            "dropblock",
        ],
        "it is not there: `dropout`, `dropout-channels` and `noise` are",
    ),
    (
        &["rescaling", "normalization", "resizing", "centercrop"],
        "it is a setting of the data: range, normalize or resize",
    ),
    (
        &[
            "randomflip",
            "randomrotation",
            "randomzoom",
            "randomcrop",
            "randomtranslation",
            "randomcontrast",
        ],
        "it is an augmentation of the data, such as hflip or rotate 10",
    ),
    (
        &["upsamplingbilinear2d"],
        "it aligns the corners: `upsample 2 bilinear` does not",
    ),
    (
        &["reflectionpad2d", "replicationpad2d", "circularpad2d"],
        "`pad` fills with zeros alone",
    ),
    (
        &["locallyconnected2d", "unfold", "fold"],
        "it is not there: `conv` and `dense` are",
    ),
];

/// What is written instead of a layer that is not there; `None` where it is not known.
pub(crate) fn instead(word: &str) -> Option<&'static str> {
    let bare = word.to_lowercase().replace(['_', '-'], "");
    MISSING
        .iter()
        .find(|(words, _)| words.contains(&bare.as_str()))
        .map(|(_, help)| *help)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::project::layer::Layer;
    use crate::project::node::Node;
    use crate::shape::layers::WORDS;

    #[test]
    fn what_is_there_is_not_missing() {
        for word in WORDS {
            assert_eq!(instead(word.word), None, "{}", word.word);
        }
    }

    #[test]
    fn help_is_about_the_same_function() {
        for (word, help) in [
            ("prelu", None),
            ("selu", Some("elu")),
            ("concat", Some("{ concat =")),
            ("add", Some("{ add =")),
            ("mul", Some("can't be multiplied")),
            ("lrn", Some("`bn`")),
            ("mish", Some("silu")),
            ("swish", Some("it is called `silu` here")),
            ("instancenorm", Some("groupnorm 16")),
            ("softplus", Some("it is not there")),
            ("hardswish", None),
            ("hard_swish", Some("it is called `hardswish` here")),
            ("glu", Some("no gates")),
            ("attention", Some("no attention")),
            ("embedding", Some("no embedding")),
            ("lstm", Some("no recurrent")),
            ("cnov", Some("did you mean `conv`?")),
            ("xyz", Some("for example conv")),
            ("len", Some("for example conv")),
            ("nn.ReLU", Some("it is called `relu` here")),
            ("nn.BatchNorm2d", Some("it is called `bn` here")),
            ("layers.SELU", Some("elu")),
            ("rrelu", Some("there is no rrelu")),
            ("crelu", Some("it is not there")),
            ("pelu", Some("it is not there")),
            ("softmin", Some("there is no softmin")),
            ("softmax2d", Some("it is called `softmax` here")),
            ("hsigmoid", Some("there is no hardsigmoid")),
            ("hswish", Some("it is called `hardswish` here")),
            ("lppool", Some("maxpool and avgpool are")),
            ("maxunpool", Some("it is called `unpool` here")),
            ("nn.MaxUnpool1d", Some("it is called `unpool` here")),
            ("leaky", Some("it is called `leakyrelu` here")),
            ("average", Some("`add` block")),
        ] {
            let error = word.parse::<Layer>().err();
            match (error, help) {
                (None, None) => {}
                (Some(error), Some(help)) => {
                    let said = error.help.to_string();
                    assert!(said.contains(help), "{word}: {said}");
                }
                (error, _) => panic!("{word}: {error:?}"),
            }
        }
    }

    #[test]
    fn the_blocks_that_are_named_can_be_read() {
        for (_, help) in MISSING {
            if let Some(block) = help.split_once("write {").map(|(_, rest)| rest) {
                let end = block.rfind('}').unwrap();
                let text = format!("{{{}}}", &block[..end]);
                assert!(
                    !matches!(Node::from_text(&text), Node::Broken { .. }),
                    "{text}"
                );
            }
        }
    }
}
