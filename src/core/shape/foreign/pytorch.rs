//! PyTorch's classes (`torch.nn`), with the order and the defaults of their arguments.

mod values;

use super::arguments::{Arguments, joined, sizes_of};
use super::python::{Term, Value};
use super::{Read, Reading, Translation, class};
use crate::project::layer_text::LayerTextError;
use values::{
    batch_norm, dropout, elu, gelu, group_norm, instance_norm, layer_norm, leaky_relu, plain,
    prelu, softmax, zero_pad,
};

const CONV: &[&str] = &[
    "in_channels",
    "out_channels",
    "kernel_size",
    "stride",
    "padding",
    "dilation",
    "groups",
    "bias",
    "padding_mode",
];
const LAZY_CONV: &[&str] = &[
    "out_channels",
    "kernel_size",
    "stride",
    "padding",
    "dilation",
    "groups",
    "bias",
    "padding_mode",
];
const TRANSPOSED: &[&str] = &[
    "in_channels",
    "out_channels",
    "kernel_size",
    "stride",
    "padding",
    "output_padding",
    "groups",
    "bias",
    "dilation",
    "padding_mode",
];
const NORM: &[&str] = &[
    "num_features",
    "eps",
    "momentum",
    "affine",
    "track_running_stats",
    "bias",
];

/// The classes that are layers here.
pub(crate) const READINGS: &[Reading] = &[
    class(&["Conv1d", "Conv2d", "Conv3d"], CONV, conv),
    class(&["LazyConv1d", "LazyConv2d", "LazyConv3d"], LAZY_CONV, conv),
    class(
        &["ConvTranspose1d", "ConvTranspose2d", "ConvTranspose3d"],
        TRANSPOSED,
        transposed,
    ),
    class(
        &["Linear"],
        &["in_features", "out_features", "bias"],
        linear,
    ),
    class(&["LazyLinear"], &["out_features", "bias"], linear),
    class(
        &["MaxPool1d", "MaxPool2d", "MaxPool3d"],
        &[
            "kernel_size",
            "stride",
            "padding",
            "dilation",
            "return_indices",
            "ceil_mode",
        ],
        max_pool,
    ),
    class(
        &["AvgPool1d", "AvgPool2d", "AvgPool3d"],
        &[
            "kernel_size",
            "stride",
            "padding",
            "ceil_mode",
            "count_include_pad",
            "divisor_override",
        ],
        avg_pool,
    ),
    class(
        &["MaxUnpool1d", "MaxUnpool2d", "MaxUnpool3d"],
        &["kernel_size", "stride", "padding"],
        unpool,
    ),
    class(
        &[
            "AdaptiveAvgPool1d",
            "AdaptiveAvgPool2d",
            "AdaptiveAvgPool3d",
        ],
        &["output_size"],
        adaptive,
    ),
    class(
        &["Upsample"],
        &[
            "size",
            "scale_factor",
            "mode",
            "align_corners",
            "recompute_scale_factor",
        ],
        upsample,
    ),
    class(
        &["UpsamplingNearest2d"],
        &["size", "scale_factor"],
        upsample,
    ),
    class(&["Flatten"], &["start_dim", "end_dim"], flatten),
    class(&["Unflatten"], &["dim", "unflattened_size"], unflatten),
    class(
        &["BatchNorm1d", "BatchNorm2d", "BatchNorm3d"],
        NORM,
        batch_norm,
    ),
    class(
        &["LazyBatchNorm1d", "LazyBatchNorm2d", "LazyBatchNorm3d"],
        &NORM_LAZY,
        batch_norm,
    ),
    class(
        &["InstanceNorm1d", "InstanceNorm2d", "InstanceNorm3d"],
        NORM,
        instance_norm,
    ),
    class(
        &["GroupNorm"],
        &["num_groups", "num_channels", "eps", "affine", "bias"],
        group_norm,
    ),
    class(
        &["LayerNorm"],
        &["normalized_shape", "eps", "elementwise_affine", "bias"],
        layer_norm,
    ),
    class(&["Dropout"], &["p", "inplace"], |a, t| {
        dropout(a, t, "dropout")
    }),
    class(
        &["Dropout1d", "Dropout2d", "Dropout3d"],
        &["p", "inplace"],
        |a, t| dropout(a, t, "dropout-channels"),
    ),
    class(&["ReLU"], INPLACE, |a, t| plain(a, t, "relu")),
    class(&["ReLU6"], INPLACE, |a, t| plain(a, t, "relu6")),
    class(&["SiLU"], INPLACE, |a, t| plain(a, t, "silu")),
    class(&["Hardswish"], INPLACE, |a, t| plain(a, t, "hardswish")),
    class(&["Sigmoid"], &[], |a, t| plain(a, t, "sigmoid")),
    class(&["Tanh"], &[], |a, t| plain(a, t, "tanh")),
    class(&["Identity"], &[], |a, t| plain(a, t, "identity")),
    class(&["LeakyReLU"], &["negative_slope", "inplace"], leaky_relu),
    class(&["ELU"], &["alpha", "inplace"], elu),
    class(&["PReLU"], &["num_parameters", "init"], prelu),
    class(&["GELU"], &["approximate"], gelu),
    class(&["Softmax"], &["dim"], softmax),
    class(&["Softmax2d"], &[], |a, t| plain(a, t, "softmax")),
    class(
        &["ZeroPad1d", "ZeroPad2d", "ZeroPad3d"],
        &["padding"],
        zero_pad,
    ),
];

const INPLACE: &[&str] = &["inplace"];
const NORM_LAZY: [&str; 5] = ["eps", "momentum", "affine", "track_running_stats", "bias"];

/// ` k3 s2 p1 d2`: what is not PyTorch's default, with the kernel always.
pub(super) fn window(arguments: &mut Arguments<'_>) -> Result<String, LayerTextError> {
    let kernel = arguments.needed_sizes("kernel_size")?;
    let stride = arguments.sizes("stride")?.unwrap_or_else(|| vec![1]);
    let padding = padding(arguments, &stride)?;
    let dilation = arguments.sizes("dilation")?.unwrap_or_else(|| vec![1]);
    let mut text = format!(" k{}", joined(&kernel));
    text.push_str(&attribute("s", &stride, 1));
    text.push_str(&padding);
    text.push_str(&attribute("d", &dilation, 1));
    Ok(text)
}

/// ` s2`, or nothing where all sizes are the default.
pub(super) fn attribute(letter: &str, sizes: &[u32], default: u32) -> String {
    if sizes.iter().all(|size| *size == default) {
        return String::new();
    }
    format!(" {letter}{}", joined(sizes))
}

fn padding(arguments: &mut Arguments<'_>, stride: &[u32]) -> Result<String, LayerTextError> {
    let Some(term) = arguments.take("padding") else {
        return Ok(String::new());
    };
    match &term.value {
        Value::Text(word) if word == "valid" => Ok(String::new()),
        Value::Text(word) if word == "same" && stride.iter().all(|size| *size == 1) => {
            Ok(" same".into())
        }
        Value::Text(word) if word == "same" => Err(term.error(
            "PyTorch has padding='same' for stride 1 alone",
            "write the padding as a number",
        )),
        _ => match sizes_of(term) {
            Some(sizes) => Ok(attribute("p", &sizes, 0)),
            None => Err(arguments.refuse("padding", term, "write a number, 'same' or 'valid'")),
        },
    }
}

fn zeros(arguments: &mut Arguments<'_>) -> Read {
    let zeros = Value::Text("zeros".into());
    arguments.only("padding_mode", &zeros, "only zeros are padded: take it out")
}

pub(super) fn no_bias(
    arguments: &mut Arguments<'_>,
    key: &str,
) -> Result<&'static str, LayerTextError> {
    Ok(if arguments.truth(key)?.unwrap_or(true) {
        ""
    } else {
        " nobias"
    })
}

fn conv(arguments: &mut Arguments<'_>, translation: &mut Translation) -> Read {
    let input = arguments.take("in_channels");
    let output = arguments.needed_count("out_channels")?;
    let window = window(arguments)?;
    let groups = arguments.take("groups");
    let bias = no_bias(arguments, "bias")?;
    zeros(arguments)?;
    translation.add(match groups.map(|term| grouping(term, input, output)) {
        None | Some(Some(Grouping::One)) => format!("conv {output}{window}{bias}"),
        Some(Some(Grouping::Groups(groups))) => format!("conv {output}{window} g{groups}{bias}"),
        Some(Some(Grouping::Depthwise(1))) => format!("dwconv{window}{bias}"),
        Some(Some(Grouping::Depthwise(times))) => format!("dwconv{window} m{times}{bias}"),
        Some(None) => return Err(not_a_number(arguments, groups)),
    })
}

enum Grouping {
    One,
    Groups(u32),
    /// As many groups as input channels, with so many outputs each.
    Depthwise(u32),
}

/// A convolution with as many groups as channels is depthwise, whether the number or the name is written twice.
fn grouping(groups: &Term, input: Option<&Term>, output: u32) -> Option<Grouping> {
    let count = |term: &Term| {
        sizes_of(term)
            .filter(|sizes| sizes.len() == 1)
            .map(|sizes| sizes[0])
    };
    let inputs = input.and_then(count);
    match count(groups)? {
        1 => Some(Grouping::One),
        many if inputs == Some(many) && output.is_multiple_of(many) => {
            Some(Grouping::Depthwise(output / many))
        }
        many => Some(Grouping::Groups(many)),
    }
}

fn not_a_number(arguments: &Arguments<'_>, term: Option<&Term>) -> LayerTextError {
    match term {
        Some(term) => arguments.refuse("groups", term, "write its number, as that of the channels"),
        None => arguments
            .call()
            .error("`groups` is missing", "write its number"),
    }
}

fn transposed(arguments: &mut Arguments<'_>, translation: &mut Translation) -> Read {
    arguments.take("in_channels");
    let output = arguments.needed_count("out_channels")?;
    let kernel = arguments.needed_sizes("kernel_size")?;
    let stride = arguments.sizes("stride")?.unwrap_or_else(|| vec![1]);
    let padding = arguments.sizes("padding")?.unwrap_or_else(|| vec![0]);
    let more = arguments
        .sizes("output_padding")?
        .unwrap_or_else(|| vec![0]);
    let groups = arguments.count("groups")?.unwrap_or(1);
    let dilation = arguments.sizes("dilation")?.unwrap_or_else(|| vec![1]);
    let bias = no_bias(arguments, "bias")?;
    zeros(arguments)?;
    translation.add(format!(
        "convt {output} k{}{}{}{}{}{}{bias}",
        joined(&kernel),
        attribute("s", &stride, 1),
        attribute("p", &padding, 0),
        attribute("op", &more, 0),
        attribute("d", &dilation, 1),
        attribute("g", &[groups], 1),
    ))
}

fn linear(arguments: &mut Arguments<'_>, translation: &mut Translation) -> Read {
    arguments.take("in_features");
    let output = arguments.needed_count("out_features")?;
    let bias = no_bias(arguments, "bias")?;
    translation.add(format!("dense {output}{bias}"))
}

/// ` 2 s2 p1`; the stride is the kernel's size unless it is another.
fn pool_window(arguments: &mut Arguments<'_>) -> Result<String, LayerTextError> {
    let kernel = arguments.needed_sizes("kernel_size")?;
    let stride = arguments.sizes("stride")?.unwrap_or_else(|| kernel.clone());
    let padding = arguments.sizes("padding")?.unwrap_or_else(|| vec![0]);
    let ceil = "put `pad 0+1` before a pooling of sizes that do not divide";
    arguments.only("ceil_mode", &Value::Truth(false), ceil)?;
    Ok(pool_text(&kernel, &stride) + &attribute("p", &padding, 0))
}

pub(super) fn pool_text(kernel: &[u32], stride: &[u32]) -> String {
    let stride = match joined(kernel) == joined(stride) {
        true => String::new(),
        false => format!(" s{}", joined(stride)),
    };
    format!(" {}{stride}", joined(kernel))
}

fn max_pool(arguments: &mut Arguments<'_>, translation: &mut Translation) -> Read {
    let window = pool_window(arguments)?;
    arguments.only_number("dilation", 1.0, "a max pooling has no dilation here")?;
    // Every max pooling keeps its indices for an `unpool`.
    arguments.truth("return_indices")?;
    translation.add(format!("maxpool{window}"))
}

fn avg_pool(arguments: &mut Arguments<'_>, translation: &mut Translation) -> Read {
    let window = pool_window(arguments)?;
    let counted = arguments.take("count_include_pad");
    if let Some(term) =
        counted.filter(|term| term.value != Value::Truth(true) && window.contains(" p"))
    {
        return Err(arguments.refuse(
            "count_include_pad",
            term,
            "use `same`, whose zeros do not count",
        ));
    }
    translation.add(format!("avgpool{window}"))
}

fn unpool(arguments: &mut Arguments<'_>, translation: &mut Translation) -> Read {
    for key in ["kernel_size", "stride", "padding"] {
        arguments.sizes(key)?;
    }
    translation.note("an unpool has the window of the max pooling that it undoes");
    translation.add("unpool".into())
}

fn adaptive(arguments: &mut Arguments<'_>, translation: &mut Translation) -> Read {
    let sizes = arguments.needed_sizes("output_size")?;
    translation.add(format!("adaptive-avgpool {}", joined(&sizes)))
}

fn upsample(arguments: &mut Arguments<'_>, translation: &mut Translation) -> Read {
    if let Some(term) = arguments.take("size") {
        return Err(arguments.refuse("size", term, "write scale_factor, the factor of the size"));
    }
    let factor = arguments.needed_sizes("scale_factor")?;
    let mode = arguments.take("mode");
    let corners = arguments.take("align_corners");
    if let Some(term) = corners.filter(|term| term.value != Value::Truth(false)) {
        return Err(arguments.refuse(
            "align_corners",
            term,
            "take it out: the corners are not aligned here",
        ));
    }
    let word = match mode.map(|term| (&term.value, term)) {
        None => "",
        Some((Value::Text(mode), _)) if mode == "nearest" => "",
        Some((Value::Text(mode), _))
            if matches!(mode.as_str(), "linear" | "bilinear" | "trilinear") =>
        {
            " bilinear"
        }
        Some((_, term)) => {
            return Err(arguments.refuse("mode", term, "write 'nearest' or 'bilinear'"));
        }
    };
    translation.add(format!("upsample {}{word}", joined(&factor)))
}

pub(super) fn flatten(arguments: &mut Arguments<'_>, translation: &mut Translation) -> Read {
    arguments.only_number(
        "start_dim",
        1.0,
        "a vector is made of all values of an image",
    )?;
    arguments.only_number(
        "end_dim",
        -1.0,
        "a vector is made of all values of an image",
    )?;
    translation.add("flatten".into())
}

fn unflatten(arguments: &mut Arguments<'_>, translation: &mut Translation) -> Read {
    arguments.only_number("dim", 1.0, "only the vector itself is unfolded")?;
    let term = arguments.needed("unflattened_size")?;
    let sizes = sizes_of(term).filter(|sizes| sizes.len() > 1);
    let Some(sizes) = sizes else {
        return Err(arguments.refuse("unflattened_size", term, "write each size: (64, 7, 7)"));
    };
    let text: Vec<String> = sizes.iter().map(u32::to_string).collect();
    translation.add(format!("reshape {}", text.join("x")))
}
