//! Keras' classes that change values and not shapes: normalisations, dropout, activations; and the input.

use super::super::Translation;
use super::super::arguments::{Arguments, sizes_of};
use super::super::python::Value;
use super::{Read, function};

pub(super) fn batch_norm(arguments: &mut Arguments<'_>, translation: &mut Translation) -> Read {
    let momentum = arguments.number("momentum")?.unwrap_or(0.99);
    let epsilon = arguments.number("epsilon")?.unwrap_or(1e-3);
    arguments.only_number("axis", -1.0, "batch norm is by channel: take it out")?;
    scaled(arguments)?;
    if (momentum, epsilon) != (0.9, 1e-5) {
        translation.note(&format!(
            "momentum={momentum} and epsilon={epsilon} of Keras are 0.9 and 1e-5 here"
        ));
    }
    arguments.read(translation, "bn")
}

fn scaled(arguments: &mut Arguments<'_>) -> Read {
    for key in ["center", "scale"] {
        arguments.only(
            key,
            &Value::Truth(true),
            "scale and shift are always learned: take it out",
        )?;
    }
    Ok(())
}

pub(super) fn group_norm(arguments: &mut Arguments<'_>, translation: &mut Translation) -> Read {
    let groups = arguments.count("groups")?.unwrap_or(32);
    let epsilon = arguments.number("epsilon")?.unwrap_or(1e-3);
    arguments.only_number("axis", -1.0, "group norm is by channel: take it out")?;
    scaled(arguments)?;
    if epsilon != 1e-5 {
        translation.note(&format!("epsilon={epsilon} of Keras is 1e-5 here"));
    }
    arguments.read(translation, &format!("groupnorm {groups}"))
}

pub(super) fn dropout(
    arguments: &mut Arguments<'_>,
    translation: &mut Translation,
    word: &str,
) -> Read {
    let term = arguments.needed("rate")?;
    let Value::Number(rate) = term.value else {
        return Err(arguments.refuse("rate", term, "write a number below 1"));
    };
    arguments.read(translation, &format!("{word} {rate}"))
}

pub(super) fn noise(arguments: &mut Arguments<'_>, translation: &mut Translation) -> Read {
    let term = arguments.needed("stddev")?;
    let Value::Number(deviation) = term.value else {
        return Err(arguments.refuse("stddev", term, "write a number"));
    };
    arguments.read(translation, &format!("noise {deviation}"))
}

pub(super) fn activation(arguments: &mut Arguments<'_>, translation: &mut Translation) -> Read {
    let term = arguments.needed("activation")?;
    function(arguments, term, translation)?;
    named(arguments, translation)
}

/// A name that is given after the layer was added.
fn named(arguments: &mut Arguments<'_>, translation: &mut Translation) -> Read {
    let name = arguments.text("name")?.map(str::to_owned);
    if let (Some(name), Some(last)) = (name, translation.layers.last_mut()) {
        last.name = Some(name);
    }
    Ok(())
}

pub(super) fn relu(arguments: &mut Arguments<'_>, translation: &mut Translation) -> Read {
    let most = arguments.number("max_value")?;
    let slope = arguments.number("negative_slope")?.unwrap_or(0.0);
    arguments.only_number("threshold", 0.0, "relu has its kink at 0: take it out")?;
    let text = match (most, slope) {
        (None, 0.0) => "relu".to_owned(),
        (Some(6.0), 0.0) => "relu6".to_owned(),
        (None, slope) => format!("leakyrelu {slope}"),
        (Some(_), _) => {
            let help = "relu and relu6 are there: write max_value=6, or take it out";
            return Err(arguments
                .call()
                .error("`max_value` of `ReLU` can't be expressed here", help));
        }
    };
    arguments.read(translation, &text)
}

pub(super) fn leaky_relu(arguments: &mut Arguments<'_>, translation: &mut Translation) -> Read {
    let older = arguments.number("alpha")?;
    let slope = arguments.number("negative_slope")?.or(older).unwrap_or(0.3);
    arguments.read(translation, &format!("leakyrelu {slope}"))
}

/// Keras has a slope for every value unless axes share it.
pub(super) fn prelu(arguments: &mut Arguments<'_>, translation: &mut Translation) -> Read {
    let shared = arguments.take("shared_axes").and_then(sizes_of);
    let Some(shared) = shared else {
        let message = "`PReLU` of Keras has a slope for every value unless given `shared_axes`";
        let help = "write shared_axes=[1, 2] for one by channel: prelu channels";
        return Err(arguments.call().error(message, help));
    };
    translation.note("slopes start at 0.25 here, at 0 in Keras");
    let is_all = shared.contains(&3) || shared.len() > 2;
    arguments.read(translation, if is_all { "prelu" } else { "prelu channels" })
}

pub(super) fn elu(arguments: &mut Arguments<'_>, translation: &mut Translation) -> Read {
    let alpha = arguments.number("alpha")?.unwrap_or(1.0);
    let text = if alpha == 1.0 {
        "elu".to_owned()
    } else {
        format!("elu {alpha}")
    };
    arguments.read(translation, &text)
}

pub(super) fn softmax(arguments: &mut Arguments<'_>, translation: &mut Translation) -> Read {
    arguments.only_number("axis", -1.0, "softmax is over the channels: take it out")?;
    arguments.read(translation, "softmax")
}

/// The input is no layer here.
pub(super) fn input(arguments: &mut Arguments<'_>, translation: &mut Translation) -> Read {
    for key in ["shape", "input_shape", "batch_size", "name", "dtype"] {
        arguments.take(key);
    }
    translation.note("the network's input is set above the layers");
    Ok(())
}
