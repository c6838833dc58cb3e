//! PyTorch's functions (`F.relu(x)`, `torch.flatten(x, 1)`, `x.view(-1, 400)`): a layer on a value with a name.

use super::arguments::Arguments;
use super::python::{Call, Value};
use super::{Reading, Translation, pytorch, term};
use crate::project::layer_text::LayerTextError;

/// Functions with the class that does the same, their first argument is the value.
const FUNCTIONS: &[(&str, &str, &[&str])] = &[
    ("relu", "ReLU", &["input", "inplace"]),
    ("relu6", "ReLU6", &["input", "inplace"]),
    (
        "leaky_relu",
        "LeakyReLU",
        &["input", "negative_slope", "inplace"],
    ),
    ("elu", "ELU", &["input", "alpha", "inplace"]),
    ("gelu", "GELU", &["input", "approximate"]),
    ("silu", "SiLU", &["input", "inplace"]),
    ("hardswish", "Hardswish", &["input", "inplace"]),
    ("sigmoid", "Sigmoid", &["input"]),
    ("tanh", "Tanh", &["input"]),
    ("softmax", "Softmax", &["input", "dim"]),
    ("dropout", "Dropout", &["input", "p", "training", "inplace"]),
    (
        "dropout2d",
        "Dropout2d",
        &["input", "p", "training", "inplace"],
    ),
    ("max_pool1d", "MaxPool1d", MAX_POOL),
    ("max_pool2d", "MaxPool2d", MAX_POOL),
    ("max_pool3d", "MaxPool3d", MAX_POOL),
    ("avg_pool1d", "AvgPool1d", AVG_POOL),
    ("avg_pool2d", "AvgPool2d", AVG_POOL),
    ("avg_pool3d", "AvgPool3d", AVG_POOL),
    (
        "adaptive_avg_pool2d",
        "AdaptiveAvgPool2d",
        &["input", "output_size"],
    ),
    (
        "interpolate",
        "Upsample",
        &["input", "size", "scale_factor", "mode", "align_corners"],
    ),
    ("flatten", "Flatten", &["input", "start_dim", "end_dim"]),
];

const MAX_POOL: &[&str] = &[
    "input",
    "kernel_size",
    "stride",
    "padding",
    "dilation",
    "ceil_mode",
    "return_indices",
];
const AVG_POOL: &[&str] = &[
    "input",
    "kernel_size",
    "stride",
    "padding",
    "ceil_mode",
    "count_include_pad",
    "divisor_override",
];

/// How a function is called, and which class does the same.
pub struct Function {
    signature: &'static [&'static str],
    class: &'static Reading,
}

/// The function of this name, if the path before it is a module of functions.
pub fn find(path: &str, name: &str) -> Option<Function> {
    let is_module = path
        .split('.')
        .next_back()
        .is_some_and(|module| matches!(module, "F" | "functional" | "torch"));
    let (_, class, signature) = FUNCTIONS
        .iter()
        .find(|(function, ..)| is_module && *function == name)?;
    let class = pytorch::READINGS
        .iter()
        .find(|reading| reading.names.contains(class))?;
    Some(Function { signature, class })
}

/// Adds the layers of a function's value, where that is a call itself, and the function's own.
pub fn read(
    function: &Function,
    call: &Call,
    translation: &mut Translation,
) -> Result<(), LayerTextError> {
    let mut arguments = Arguments::bind(call, function.signature)?;
    let value = arguments.needed("input")?;
    if !value.is_name() {
        term(value, translation)?;
    }
    // Dropout acts while training, whatever the variable is called.
    arguments.take("training");
    if call.name.ends_with("flatten") && call.arguments.len() == 1 {
        let help = "write start_dim=1: without it the images of a batch are joined";
        return Err(call.error(format!("`{}` needs `start_dim`", call.name), help));
    }
    (function.class.read)(&mut arguments, translation)?;
    arguments.finish()
}

/// `x.view(-1, 400)` and `x.reshape(x.size(0), -1)`: a vector of an image's values.
pub fn view(path: &str, name: &str, call: &Call) -> Option<Result<(), LayerTextError>> {
    let is_value = !path.is_empty() && !matches!(path, "torch" | "tf" | "layers" | "keras.layers");
    if !is_value || !matches!(name, "view" | "reshape" | "flatten") {
        return None;
    }
    let values: Vec<&Value> = call
        .arguments
        .iter()
        .map(|argument| &argument.term.value)
        .collect();
    let is_batch = |value: &Value| !matches!(value, Value::Number(size) if *size > 0.0);
    let is_vector = match (name, values.as_slice()) {
        ("flatten", [Value::Number(first)]) => *first == 1.0,
        ("view" | "reshape", [batch, _]) => is_batch(batch),
        _ => false,
    };
    Some(if is_vector {
        Ok(())
    } else {
        let help = "write reshape with the sizes of one image, channels first: reshape 64x7x7";
        Err(call.error(format!("`{}` can't be expressed here", call.name), help))
    })
}
