//! PyTorch's classes that change values and not shapes: normalisations, dropout, activations; and padding.

use super::super::Translation;
use super::super::arguments::{Arguments, sizes_of};
use super::super::python::Value;
use super::Read;

pub(super) fn batch_norm(arguments: &mut Arguments<'_>, translation: &mut Translation) -> Read {
    arguments.take("num_features");
    arguments.only_number("eps", 1e-5, "batch norm has eps 1e-5: take it out")?;
    arguments.only_number("momentum", 0.1, "batch norm has momentum 0.1: take it out")?;
    let learned = "batch norm always learns scale and shift: take it out";
    arguments.only("affine", &Value::Truth(true), learned)?;
    learns_shift(arguments)?;
    let tracked = "batch norm always keeps running statistics: take it out";
    arguments.only("track_running_stats", &Value::Truth(true), tracked)?;
    translation.add("bn".into())
}

/// Late versions of PyTorch print of every norm whether it learns a shift.
fn learns_shift(arguments: &mut Arguments<'_>) -> Read {
    let learned = "norms always learn a shift: take it out";
    arguments.only("bias", &Value::Truth(true), learned)
}

pub(super) fn instance_norm(arguments: &mut Arguments<'_>, translation: &mut Translation) -> Read {
    let channels = arguments.needed_count("num_features")?;
    arguments.only_number("eps", 1e-5, "it has eps 1e-5: take it out")?;
    arguments.number("momentum")?;
    if arguments.truth("affine")? != Some(true) {
        let message = format!(
            "`affine` of `{}` is False unless given",
            arguments.call().name
        );
        let help =
            format!("write affine=True: `groupnorm {channels}` has a learned scale and shift");
        return Err(arguments.call().error(message, help));
    }
    learns_shift(arguments)?;
    arguments.only(
        "track_running_stats",
        &Value::Truth(false),
        "each image is normalised by itself",
    )?;
    translation.add(format!("groupnorm {channels}"))
}

pub(super) fn group_norm(arguments: &mut Arguments<'_>, translation: &mut Translation) -> Read {
    let groups = arguments.needed_count("num_groups")?;
    arguments.take("num_channels");
    arguments.only_number("eps", 1e-5, "group norm has eps 1e-5: take it out")?;
    arguments.only(
        "affine",
        &Value::Truth(true),
        "group norm always learns scale and shift",
    )?;
    learns_shift(arguments)?;
    translation.add(format!("groupnorm {groups}"))
}

pub(super) fn layer_norm(arguments: &mut Arguments<'_>, translation: &mut Translation) -> Read {
    let sizes = arguments.needed_sizes("normalized_shape")?;
    if sizes.len() == 1 {
        translation.note("layernorm is over all values of an image: the same as here on a vector");
    }
    arguments.only_number("eps", 1e-5, "layer norm has eps 1e-5: take it out")?;
    arguments.only(
        "elementwise_affine",
        &Value::Truth(true),
        "layer norm always learns scale and shift",
    )?;
    arguments.only(
        "bias",
        &Value::Truth(true),
        "layer norm always learns a shift",
    )?;
    translation.add("layernorm".into())
}

pub(super) fn dropout(
    arguments: &mut Arguments<'_>,
    translation: &mut Translation,
    word: &str,
) -> Read {
    let p = arguments.number("p")?.unwrap_or(0.5);
    arguments.truth("inplace")?;
    translation.add(format!("{word} {p}"))
}

/// An activation without numbers; whether it works in place changes no value.
pub(super) fn plain(
    arguments: &mut Arguments<'_>,
    translation: &mut Translation,
    word: &str,
) -> Read {
    arguments.truth("inplace")?;
    translation.add(word.into())
}

pub(super) fn leaky_relu(arguments: &mut Arguments<'_>, translation: &mut Translation) -> Read {
    let slope = arguments.number("negative_slope")?.unwrap_or(0.01);
    arguments.truth("inplace")?;
    translation.add(format!("leakyrelu {slope}"))
}

pub(super) fn elu(arguments: &mut Arguments<'_>, translation: &mut Translation) -> Read {
    let alpha = arguments.number("alpha")?.unwrap_or(1.0);
    arguments.truth("inplace")?;
    translation.add(if alpha == 1.0 {
        "elu".into()
    } else {
        format!("elu {alpha}")
    })
}

pub(super) fn prelu(arguments: &mut Arguments<'_>, translation: &mut Translation) -> Read {
    let slopes = arguments.count("num_parameters")?.unwrap_or(1);
    arguments.only_number("init", 0.25, "slopes start at 0.25: take it out")?;
    translation.add(if slopes == 1 {
        "prelu".into()
    } else {
        "prelu channels".into()
    })
}

pub(super) fn gelu(arguments: &mut Arguments<'_>, translation: &mut Translation) -> Read {
    let exact = Value::Text("none".into());
    arguments.only("approximate", &exact, "gelu is the exact one: take it out")?;
    translation.add("gelu".into())
}

/// Softmax over the channels, which are the classes of a vector.
pub(super) fn softmax(arguments: &mut Arguments<'_>, translation: &mut Translation) -> Read {
    let Some(term) = arguments.take("dim") else {
        return translation.add("softmax".into());
    };
    match term.value {
        Value::Number(1.0) => {}
        Value::Number(-1.0) => {
            translation.note("softmax is over the channels: the same on a vector")
        }
        _ => {
            return Err(arguments.refuse("dim", term, "softmax is over the channels: write dim=1"));
        }
    }
    translation.add("softmax".into())
}

/// `2`, or (left, right, top, bottom), the last axis first.
pub(super) fn zero_pad(arguments: &mut Arguments<'_>, translation: &mut Translation) -> Read {
    let term = arguments.needed("padding")?;
    let sizes = sizes_of(term).filter(|sizes| sizes.len() == 1 || sizes.len().is_multiple_of(2));
    let Some(sizes) = sizes else {
        return Err(arguments.refuse("padding", term, "write one number, or two for each axis"));
    };
    if let [all] = sizes.as_slice() {
        return translation.add(format!("pad {all}"));
    }
    let sides: Vec<(u32, u32)> = sizes
        .chunks(2)
        .rev()
        .map(|pair| (pair[0], pair[1]))
        .collect();
    translation.add(format!("pad {}", super::super::margins(&sides)))
}
