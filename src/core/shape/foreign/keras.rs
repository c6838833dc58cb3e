//! Keras' classes (`keras.layers`), with the order and the defaults of their arguments.

mod values;

use super::arguments::{Arguments, joined, sizes_of};
use super::python::{Term, Value};
use super::pytorch::{attribute, no_bias, pool_text};
use super::{Read, Reading, Translation, class};
use crate::project::layer_text::LayerTextError;
use values::{
    activation, batch_norm, dropout, elu, group_norm, input, leaky_relu, noise, prelu, relu,
    softmax,
};

const CONV: &[&str] = &[
    "filters",
    "kernel_size",
    "strides",
    "padding",
    "data_format",
    "dilation_rate",
    "groups",
    "activation",
    "use_bias",
];
const TRANSPOSED: &[&str] = &[
    "filters",
    "kernel_size",
    "strides",
    "padding",
    "output_padding",
    "data_format",
    "dilation_rate",
    "activation",
    "use_bias",
];
const DEPTHWISE: &[&str] = &[
    "kernel_size",
    "strides",
    "padding",
    "depth_multiplier",
    "data_format",
    "dilation_rate",
    "activation",
    "use_bias",
];
const SEPARABLE: &[&str] = &[
    "filters",
    "kernel_size",
    "strides",
    "padding",
    "data_format",
    "dilation_rate",
    "depth_multiplier",
    "activation",
    "use_bias",
];
const POOL: &[&str] = &["pool_size", "strides", "padding", "data_format"];

/// The classes that are layers here.
pub(crate) const READINGS: &[Reading] = &[
    class(&["Conv1D", "Conv2D", "Conv3D", "Convolution2D"], CONV, conv),
    class(
        &["Conv1DTranspose", "Conv2DTranspose", "Conv3DTranspose"],
        TRANSPOSED,
        transposed,
    ),
    class(
        &["DepthwiseConv1D", "DepthwiseConv2D"],
        DEPTHWISE,
        depthwise,
    ),
    class(
        &["SeparableConv1D", "SeparableConv2D"],
        SEPARABLE,
        separable,
    ),
    class(&["Dense"], &["units", "activation", "use_bias"], dense),
    class(
        &[
            "MaxPooling1D",
            "MaxPooling2D",
            "MaxPooling3D",
            "MaxPool1D",
            "MaxPool2D",
            "MaxPool3D",
        ],
        POOL,
        |a, t| pool(a, t, "maxpool"),
    ),
    class(
        &[
            "AveragePooling1D",
            "AveragePooling2D",
            "AveragePooling3D",
            "AvgPool1D",
            "AvgPool2D",
            "AvgPool3D",
        ],
        POOL,
        |a, t| pool(a, t, "avgpool"),
    ),
    class(
        &[
            "GlobalAveragePooling1D",
            "GlobalAveragePooling2D",
            "GlobalAveragePooling3D",
            "GlobalAvgPool2D",
        ],
        GLOBAL,
        |a, t| global(a, t, "gap", "adaptive-avgpool 1"),
    ),
    class(
        &[
            "GlobalMaxPooling1D",
            "GlobalMaxPooling2D",
            "GlobalMaxPooling3D",
            "GlobalMaxPool2D",
        ],
        GLOBAL,
        |a, t| global(a, t, "gmp", ""),
    ),
    class(
        &["UpSampling1D", "UpSampling2D", "UpSampling3D"],
        &["size", "data_format", "interpolation"],
        upsample,
    ),
    class(
        &["ZeroPadding1D", "ZeroPadding2D", "ZeroPadding3D"],
        &["padding", "data_format"],
        |a, t| margins(a, t, "pad", "padding"),
    ),
    class(
        &["Cropping1D", "Cropping2D", "Cropping3D"],
        &["cropping", "data_format"],
        |a, t| margins(a, t, "crop", "cropping"),
    ),
    class(&["Flatten"], &["data_format"], |a, t| a.read(t, "flatten")),
    class(&["Reshape"], &["target_shape"], reshape),
    class(
        &["BatchNormalization"],
        &["axis", "momentum", "epsilon", "center", "scale"],
        batch_norm,
    ),
    class(
        &["GroupNormalization"],
        &["groups", "axis", "epsilon", "center", "scale"],
        group_norm,
    ),
    class(&["Dropout"], &["rate", "noise_shape", "seed"], |a, t| {
        dropout(a, t, "dropout")
    }),
    class(
        &["SpatialDropout1D", "SpatialDropout2D", "SpatialDropout3D"],
        &["rate", "data_format"],
        |a, t| dropout(a, t, "dropout-channels"),
    ),
    class(&["GaussianNoise"], &["stddev", "seed"], noise),
    class(&["Activation"], &["activation"], activation),
    class(
        &["ReLU"],
        &["max_value", "negative_slope", "threshold"],
        relu,
    ),
    class(&["LeakyReLU"], &["negative_slope"], leaky_relu),
    class(
        &["PReLU"],
        &[
            "alpha_initializer",
            "alpha_regularizer",
            "alpha_constraint",
            "shared_axes",
        ],
        prelu,
    ),
    class(&["ELU"], &["alpha"], elu),
    class(&["Softmax"], &["axis"], softmax),
    class(&["Identity"], &[], |a, t| a.read(t, "identity")),
    class(&["Input", "InputLayer"], &["shape", "batch_size"], input),
];

const GLOBAL: &[&str] = &["data_format", "keepdims"];

impl Arguments<'_> {
    /// Adds a layer with the name that the call gives it; what any class of Keras takes is read here.
    fn read(&mut self, translation: &mut Translation, text: &str) -> Read {
        // How values lie in memory changes no layer but Reshape.
        self.take("data_format");
        for key in ["input_shape", "input_dim", "batch_input_shape"] {
            if self.take(key).is_some() {
                translation.note(&format!("`{key}` is the network's input, above the layers"));
            }
        }
        match self.text("name")? {
            Some(name) => translation.add(format!("{text} @{name}")),
            None => translation.add(text.into()),
        }
    }

    /// The same with the activation that Keras has inside the layer.
    fn read_activated(&mut self, translation: &mut Translation, text: &str) -> Read {
        let after = self.take("activation");
        self.read(translation, text)?;
        match after {
            Some(term) => function(self, term, translation),
            None => Ok(()),
        }
    }
}

/// The layer of an activation's name; `linear` is none.
fn function(arguments: &Arguments<'_>, term: &Term, translation: &mut Translation) -> Read {
    let name = match &term.value {
        Value::Text(name) => name.as_str(),
        Value::Name(name) => name.rsplit('.').next().unwrap_or(name),
        Value::Call(_) => return super::term(term, translation),
        _ => return Err(arguments.refuse("activation", term, "write its name: 'relu'")),
    };
    let text = match name {
        "linear" => return Ok(()),
        "relu" | "relu6" | "elu" | "gelu" | "silu" | "sigmoid" | "tanh" | "softmax" => name,
        "swish" => "silu",
        "leaky_relu" => "leakyrelu 0.2",
        "hard_swish" | "hard_silu" => "hardswish",
        other => {
            let help =
                crate::shape::layers::instead(other).unwrap_or("write it as a layer of its own");
            return Err(arguments.refuse("activation", term, help));
        }
    };
    translation.add(text.into())
}

/// `valid` or `same`.
fn is_same(arguments: &mut Arguments<'_>) -> Result<bool, LayerTextError> {
    let Some(term) = arguments.take("padding") else {
        return Ok(false);
    };
    match &term.value {
        Value::Text(word) if word.eq_ignore_ascii_case("valid") => Ok(false),
        Value::Text(word) if word.eq_ignore_ascii_case("same") => Ok(true),
        _ => Err(arguments.refuse("padding", term, "write 'same' or 'valid'")),
    }
}

/// ` k3 s2 same d2`
fn window(arguments: &mut Arguments<'_>) -> Result<String, LayerTextError> {
    let kernel = arguments.needed_sizes("kernel_size")?;
    let stride = arguments.sizes("strides")?.unwrap_or_else(|| vec![1]);
    let same = if is_same(arguments)? { " same" } else { "" };
    let dilation = arguments.sizes("dilation_rate")?.unwrap_or_else(|| vec![1]);
    let (stride, dilation) = (attribute("s", &stride, 1), attribute("d", &dilation, 1));
    Ok(format!(" k{}{stride}{same}{dilation}", joined(&kernel)))
}

fn conv(arguments: &mut Arguments<'_>, translation: &mut Translation) -> Read {
    let filters = arguments.needed_count("filters")?;
    let window = window(arguments)?;
    let groups = arguments.count("groups")?.unwrap_or(1);
    let bias = no_bias(arguments, "use_bias")?;
    let groups = attribute("g", &[groups], 1);
    arguments.read_activated(
        translation,
        &format!("conv {filters}{window}{groups}{bias}"),
    )
}

/// Keras' sizes without padding are `in·s + max(k − s, 0)`: a kernel smaller than the stride needs `op`.
fn transposed(arguments: &mut Arguments<'_>, translation: &mut Translation) -> Read {
    let filters = arguments.needed_count("filters")?;
    let kernel = arguments.needed_sizes("kernel_size")?;
    let stride = arguments.sizes("strides")?.unwrap_or_else(|| vec![1]);
    let same = is_same(arguments)?;
    let more = arguments.sizes("output_padding")?;
    let dilation = arguments.sizes("dilation_rate")?.unwrap_or_else(|| vec![1]);
    let bias = no_bias(arguments, "use_bias")?;
    let padding = match (same, &more) {
        (true, None) => " same".to_owned(),
        (true, Some(more)) => {
            let halves: Vec<u32> = kernel.iter().map(|size| size / 2).collect();
            attribute("p", &halves, 0) + &attribute("op", more, 0)
        }
        (false, Some(more)) => attribute("op", more, 0),
        (false, None) => attribute("op", &lacking(&kernel, &stride), 0),
    };
    let (stride, dilation) = (attribute("s", &stride, 1), attribute("d", &dilation, 1));
    let kernel = joined(&kernel);
    arguments.read_activated(
        translation,
        &format!("convt {filters} k{kernel}{stride}{padding}{dilation}{bias}"),
    )
}

/// How much larger than the kernel the stride is, by axis.
fn lacking(kernel: &[u32], stride: &[u32]) -> Vec<u32> {
    let axes = kernel.len().max(stride.len());
    let along =
        |sizes: &[u32], axis: usize| sizes.get(axis).or(sizes.first()).copied().unwrap_or(1);
    (0..axes)
        .map(|axis| along(stride, axis).saturating_sub(along(kernel, axis)))
        .collect()
}

fn depthwise(arguments: &mut Arguments<'_>, translation: &mut Translation) -> Read {
    let window = window(arguments)?;
    let times = arguments.count("depth_multiplier")?.unwrap_or(1);
    let bias = no_bias(arguments, "use_bias")?;
    let times = attribute("m", &[times], 1);
    arguments.read_activated(translation, &format!("dwconv{window}{times}{bias}"))
}

fn separable(arguments: &mut Arguments<'_>, translation: &mut Translation) -> Read {
    let filters = arguments.needed_count("filters")?;
    let window = window(arguments)?;
    arguments.only_number(
        "depth_multiplier",
        1.0,
        "write dwconv with m, and conv k1, as two layers",
    )?;
    let bias = no_bias(arguments, "use_bias")?;
    arguments.read_activated(translation, &format!("sepconv {filters}{window}{bias}"))
}

fn dense(arguments: &mut Arguments<'_>, translation: &mut Translation) -> Read {
    let units = arguments.needed_count("units")?;
    let bias = no_bias(arguments, "use_bias")?;
    arguments.read_activated(translation, &format!("dense {units}{bias}"))
}

fn pool(arguments: &mut Arguments<'_>, translation: &mut Translation, word: &str) -> Read {
    let size = arguments.sizes("pool_size")?.unwrap_or_else(|| vec![2]);
    let stride = arguments.sizes("strides")?.unwrap_or_else(|| size.clone());
    let same = if is_same(arguments)? { " same" } else { "" };
    arguments.read(
        translation,
        &format!("{word}{}{same}", pool_text(&size, &stride)),
    )
}

/// `keepdims` keeps axes of size 1, which `adaptive` gives where it is not empty.
fn global(
    arguments: &mut Arguments<'_>,
    translation: &mut Translation,
    word: &str,
    adaptive: &str,
) -> Read {
    let keeps = arguments.take("keepdims");
    match keeps.filter(|term| term.value != Value::Truth(false)) {
        None => arguments.read(translation, word),
        Some(_) if !adaptive.is_empty() => arguments.read(translation, adaptive),
        Some(term) => {
            Err(arguments.refuse("keepdims", term, "it gives a vector here: take it out"))
        }
    }
}

fn upsample(arguments: &mut Arguments<'_>, translation: &mut Translation) -> Read {
    let size = arguments.sizes("size")?.unwrap_or_else(|| vec![2]);
    let word = match arguments
        .take("interpolation")
        .map(|term| (&term.value, term))
    {
        None => "",
        Some((Value::Text(word), _)) if word == "nearest" => "",
        Some((Value::Text(word), _)) if word == "bilinear" => " bilinear",
        Some((_, term)) => {
            return Err(arguments.refuse("interpolation", term, "write 'nearest' or 'bilinear'"));
        }
    };
    arguments.read(translation, &format!("upsample {}{word}", joined(&size)))
}

/// `1`, `(1, 2)` by axis, or `((0, 1), (0, 1))` before and after.
fn margins(
    arguments: &mut Arguments<'_>,
    translation: &mut Translation,
    word: &str,
    key: &str,
) -> Read {
    let text = match arguments.take(key) {
        None => "1".to_owned(),
        Some(term) => match (sizes_of(term), pairs(term)) {
            (Some(sizes), _) => joined(&sizes),
            (None, Some(pairs)) => super::margins(&pairs),
            (None, None) => {
                return Err(arguments.refuse(key, term, "write ((top, bottom), (left, right))"));
            }
        },
    };
    arguments.read(translation, &format!("{word} {text}"))
}

fn pairs(term: &Term) -> Option<Vec<(u32, u32)>> {
    let Value::List(terms) = &term.value else {
        return None;
    };
    let pair = |term: &Term| match sizes_of(term)?.as_slice() {
        [before, after] => Some((*before, *after)),
        _ => None,
    };
    terms.iter().map(pair).collect()
}

/// Keras' sizes have the channels last.
fn reshape(arguments: &mut Arguments<'_>, translation: &mut Translation) -> Read {
    let term = arguments.needed("target_shape")?;
    let Some(mut sizes) = sizes_of(term) else {
        return Err(arguments.refuse("target_shape", term, "write each size as a number"));
    };
    if sizes.len() > 1 {
        sizes.rotate_right(1);
        translation.note("the channels come first here, in the values of a vector too");
    }
    let text: Vec<String> = sizes.iter().map(u32::to_string).collect();
    arguments.read(translation, &format!("reshape {}", text.join("x")))
}
