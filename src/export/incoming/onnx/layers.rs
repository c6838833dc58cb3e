//! The operators, each as the layers that stand for it: what has weights here, what only moves numbers in `shapes`, sums
//! and products with numbers in `affine`.

use super::super::IncomingError;
use super::affine::{affine, by_channel};
use super::constants::Constant;
use super::graph::{attribute, float, int, text};
use super::reader::{Parts, Reader, State, push, refused};
use super::shapes;
use super::windows::{Window, by_axis, transposed};
use candle_core::Tensor;
use onnx_rs::ast::Node;

/// What every norm here adds to the variance.
pub(super) const EPSILON: f32 = 1e-5;
/// Two numbers that differ by less are one in a file of 32 bits.
const ROUNDING: f32 = 1e-6;

/// What becomes of a node.
pub(super) type Read = Result<(), IncomingError>;

/// Reads a node with one value that depends on the input; adds its layers and follows what it does to the sizes.
pub(super) fn read(
    reader: &mut Reader<'_>,
    node: &Node<'_>,
    state: &mut State,
    parts: &mut Parts,
) -> Read {
    let plain =
        |word: &str, state: &State, parts: &mut Parts| push(node, word, Vec::new(), state, parts);
    match node.op_type.as_str() {
        // A sum or a joint of one branch is that branch.
        "Identity" | "Cast" | "Sum" | "Concat" => Ok(()),
        "Conv" => conv(reader, node, state, parts),
        "ConvTranspose" => conv_transpose(reader, node, state, parts),
        "Gemm" | "MatMul" => dense(reader, node, state, parts),
        "BatchNormalization" => batch_norm(reader, node, state, parts),
        "LayerNormalization" => layer_norm(reader, node, state, parts),
        "GroupNormalization" => {
            let groups = usize::try_from(int(node, "num_groups", 0)).unwrap_or(0);
            norm_of_groups(reader, node, groups, state, parts)
        }
        // A group of each channel.
        "InstanceNormalization" => norm_of_groups(reader, node, state.dims[0], state, parts),
        "Add" | "Sub" | "Mul" | "Div" => affine(reader, node, state, parts),
        "MaxPool" | "AveragePool" => shapes::pool(node, state, parts),
        "GlobalAveragePool" => shapes::over_space(node, "adaptive-avgpool 1", state, parts),
        "GlobalMaxPool" => {
            let text = format!("maxpool {}", by_axis(&state.dims[1..]));
            shapes::over_space(node, &text, state, parts)
        }
        "ReduceMean" => shapes::mean(reader, node, state, parts),
        "Flatten" | "Squeeze" => shapes::flatten(node, state, parts),
        "Reshape" => shapes::reshape(reader, node, state, parts),
        "Transpose" => shapes::transpose(node, state),
        "Pad" => shapes::pad(reader, node, state, parts),
        "Resize" | "Upsample" => shapes::resize(reader, node, state, parts),
        "Relu" => plain("relu", state, parts),
        "Sigmoid" => plain("sigmoid", state, parts),
        "Tanh" => plain("tanh", state, parts),
        "HardSwish" => plain("hardswish", state, parts),
        "Gelu" if text(node, "approximate").is_none_or(|text| text == "none") => {
            plain("gelu", state, parts)
        }
        "Clip" => clip(reader, node, state, parts),
        "LeakyRelu" => plain(
            &format!("leakyrelu {}", float(node, "alpha", 0.01)),
            state,
            parts,
        ),
        "Elu" => plain(&format!("elu {}", float(node, "alpha", 1.0)), state, parts),
        "PRelu" => prelu(reader, node, state, parts),
        "Softmax" => {
            let rank = state.dims.len() as i64 + 1;
            let axis = int(node, "axis", -1).rem_euclid(rank);
            let channels = if state.is_last { rank - 1 } else { 1 };
            match axis == channels {
                true => plain("softmax", state, parts),
                false => Err(refused(node, "a softmax is over channels here")),
            }
        }
        "Dropout" => plain(&format!("dropout {}", dropped(reader, node)), state, parts),
        _ => Err(refused(node, "there is no such layer")),
    }
}

fn dropped(reader: &Reader<'_>, node: &Node<'_>) -> f32 {
    let given = reader.graph.taken(node, 1).and_then(Constant::single);
    given.unwrap_or_else(|| float(node, "ratio", 0.5))
}

/// The tensor of a weight; it must be in the file.
fn weight(reader: &Reader<'_>, node: &Node<'_>, place: usize) -> Result<Constant, IncomingError> {
    let found = reader.graph.taken(node, place);
    found
        .cloned()
        .ok_or_else(|| refused(node, "its weights are computed, not given"))
}

pub(super) fn tensor(node: &Node<'_>, constant: &Constant) -> Result<Tensor, IncomingError> {
    let made = constant.tensor();
    made.ok_or_else(|| refused(node, "its weights do not fit into memory"))
}
fn conv(reader: &Reader<'_>, node: &Node<'_>, state: &mut State, parts: &mut Parts) -> Read {
    shapes::spatial(node, state)?;
    let kernel = weight(reader, node, 1)?;
    let mut window = Window::of(node, kernel.dims.get(2..), &state.dims[1..])?;
    window.fit(&state.dims[1..], false);
    let positions = window.positions(&state.dims[1..]);
    let positions =
        positions.ok_or_else(|| refused(node, "its window is larger than its input"))?;
    shapes::pad_before(node, &mut window, state, parts)?;
    let (channels, groups) = (kernel.dims[0], int(node, "group", 1));
    let bias = reader.graph.taken(node, 2);
    let groups = if groups > 1 {
        format!(" g{groups}")
    } else {
        String::new()
    };
    let text = format!(
        "conv {channels}{}{groups}{}",
        window.text(&vec![1; positions.len()]),
        if bias.is_none() { " nobias" } else { "" }
    );
    state.dims = [vec![channels], positions].concat();
    push(node, &text, named(node, &kernel, bias)?, state, parts)
}

fn named(
    node: &Node<'_>,
    kernel: &Constant,
    bias: Option<&Constant>,
) -> Result<Vec<(&'static str, Tensor)>, IncomingError> {
    let mut weights = vec![("weight", tensor(node, kernel)?)];
    if let Some(bias) = bias {
        weights.push((
            "bias",
            tensor(node, &Constant::vector(bias.values.clone()))?,
        ));
    }
    Ok(weights)
}

fn conv_transpose(
    reader: &Reader<'_>,
    node: &Node<'_>,
    state: &mut State,
    parts: &mut Parts,
) -> Read {
    shapes::spatial(node, state)?;
    let kernel = weight(reader, node, 1)?;
    let mut window = Window::of(node, kernel.dims.get(2..), &state.dims[1..])?;
    let (before, after) = window.cut_evenly();
    let (sizes, added) = transposed(node, &window, state)?;
    let groups = int(node, "group", 1).max(1) as usize;
    let channels = kernel.dims[1] * groups;
    let bias = reader.graph.taken(node, 2);
    let mut text = format!("convt {channels}{}", window.text(&vec![1; sizes.len()]));
    if added.iter().any(|&size| size > 0) {
        text.push_str(&format!(" op{}", by_axis(&added)));
    }
    if groups > 1 {
        text.push_str(&format!(" g{groups}"));
    }
    if bias.is_none() {
        text.push_str(" nobias");
    }
    state.dims = [vec![channels], sizes].concat();
    push(node, &text, named(node, &kernel, bias)?, state, parts)?;
    shapes::crop(node, &before, &after, state, parts)
}

fn dense(reader: &Reader<'_>, node: &Node<'_>, state: &mut State, parts: &mut Parts) -> Read {
    if state.dims.len() != 1 {
        return Err(refused(node, "a dense layer takes a vector"));
    }
    let mut matrix = weight(reader, node, 1)?;
    let is_gemm = node.op_type.as_str() == "Gemm";
    if is_gemm && int(node, "transA", 0) != 0 {
        return Err(refused(node, "it turns its input around"));
    }
    // [out, in], as PyTorch has it.
    if !is_gemm || int(node, "transB", 0) == 0 {
        let turned = matrix.transposed();
        matrix = turned.ok_or_else(|| refused(node, "its weights are no matrix"))?;
    }
    let factor = if is_gemm {
        float(node, "alpha", 1.0)
    } else {
        1.0
    };
    matrix.values.iter_mut().for_each(|value| *value *= factor);
    if let Some(dims) = state.flattened.take() {
        matrix = with_channels_first(&matrix, &dims);
    }
    let outputs = matrix.dims[0];
    let bias = reader.graph.taken(node, 2).filter(|_| is_gemm);
    let bias = bias.map(|bias| {
        let factor = float(node, "beta", 1.0);
        let values = bias
            .values
            .iter()
            .map(|value| value * factor)
            .collect::<Vec<f32>>();
        Constant::vector(if values.len() == 1 {
            vec![values[0]; outputs]
        } else {
            values
        })
    });
    let text = format!(
        "dense {outputs}{}",
        if bias.is_none() { " nobias" } else { "" }
    );
    state.dims = vec![outputs];
    push(
        node,
        &text,
        named(node, &matrix, bias.as_ref())?,
        state,
        parts,
    )
}

/// The columns of a matrix on values in the order of channels last, put into that of channels first.
fn with_channels_first(matrix: &Constant, dims: &[usize]) -> Constant {
    let (channels, cells) = (dims[0], dims[1..].iter().product::<usize>());
    let columns = channels * cells;
    let mut values = Vec::with_capacity(matrix.values.len());
    for row in matrix.values.chunks_exact(columns) {
        for channel in 0..channels {
            values.extend((0..cells).map(|cell| row[cell * channels + channel]));
        }
    }
    Constant {
        dims: matrix.dims.clone(),
        values,
    }
}
fn batch_norm(reader: &Reader<'_>, node: &Node<'_>, state: &State, parts: &mut Parts) -> Read {
    if state.is_last {
        return Err(refused(node, "its input has its channels last"));
    }
    let epsilon = float(node, "epsilon", EPSILON);
    let [mut scale, bias, mean, mut variance] = [
        weight(reader, node, 1)?,
        weight(reader, node, 2)?,
        weight(reader, node, 3)?,
        weight(reader, node, 4)?,
    ];
    // Another epsilon becomes a part of the variance.
    for (scale, variance) in scale.values.iter_mut().zip(&mut variance.values) {
        if epsilon != EPSILON {
            let whole = *variance + epsilon;
            *variance = (whole - EPSILON).max(0.0);
            *scale *= ((*variance + EPSILON) / whole).sqrt();
        }
    }
    let weights = vec![
        ("weight", tensor(node, &scale)?),
        ("bias", tensor(node, &bias)?),
        ("running_mean", tensor(node, &mean)?),
        ("running_var", tensor(node, &variance)?),
    ];
    push(node, "bn", weights, state, parts)
}

/// A norm over groups of channels, whose weights are one for each channel or, as some files have them, for each group.
pub(super) fn norm_of_groups(
    reader: &Reader<'_>,
    node: &Node<'_>,
    groups: usize,
    state: &State,
    parts: &mut Parts,
) -> Read {
    let channels = state.dims[0];
    if state.is_last {
        return Err(refused(node, "its input has its channels last"));
    }
    if (float(node, "epsilon", EPSILON) - EPSILON).abs() > ROUNDING {
        return Err(refused(node, "its epsilon is 1e-5 here"));
    }
    let by_channel = |place: usize| -> Result<Tensor, IncomingError> {
        let given = weight(reader, node, place)?;
        let each = channels.checked_div(given.values.len()).unwrap_or(0);
        let values = given.values.iter();
        let values: Vec<f32> = values.flat_map(|&value| vec![value; each]).collect();
        if values.len() != channels {
            return Err(refused(
                node,
                "its weights are not one for each channel or group",
            ));
        }
        tensor(node, &Constant::vector(values))
    };
    let weights = vec![("weight", by_channel(1)?), ("bias", by_channel(2)?)];
    push(node, &format!("groupnorm {groups}"), weights, state, parts)
}

fn layer_norm(reader: &Reader<'_>, node: &Node<'_>, state: &State, parts: &mut Parts) -> Read {
    let rank = state.dims.len() as i64 + 1;
    let axis = int(node, "axis", -1).rem_euclid(rank);
    if axis != 1 || state.is_last || (float(node, "epsilon", EPSILON) - EPSILON).abs() > ROUNDING {
        return Err(refused(
            node,
            "a layer norm is over all of an image here, with an epsilon of 1e-5",
        ));
    }
    let whole = |constant: Constant| Constant {
        dims: state.dims.clone(),
        values: constant.values,
    };
    let scale = whole(weight(reader, node, 1)?);
    let bias = match reader.graph.taken(node, 2) {
        Some(bias) => whole(bias.clone()),
        None => Constant {
            dims: scale.dims.clone(),
            values: vec![0.0; scale.values.len()],
        },
    };
    let weights = vec![
        ("weight", tensor(node, &scale)?),
        ("bias", tensor(node, &bias)?),
    ];
    push(node, "layernorm", weights, state, parts)
}
fn clip(reader: &Reader<'_>, node: &Node<'_>, state: &State, parts: &mut Parts) -> Read {
    let bound = |name: &str, place: usize| {
        let given = attribute(node, name).map(|attribute| attribute.f);
        given.or_else(|| reader.graph.taken(node, place).and_then(Constant::single))
    };
    match (bound("min", 1), bound("max", 2)) {
        (Some(0.0), Some(6.0)) => push(node, "relu6", Vec::new(), state, parts),
        (Some(0.0), None) => push(node, "relu", Vec::new(), state, parts),
        _ => Err(refused(node, "values are cut off at 0 and 6 here, or at 0")),
    }
}

fn prelu(reader: &Reader<'_>, node: &Node<'_>, state: &State, parts: &mut Parts) -> Read {
    let slopes = weight(reader, node, 1)?;
    let by_channel = by_channel(&slopes, state)
        .ok_or_else(|| refused(node, "its slopes are not one for each channel"))?;
    let (text, slopes) = match slopes.single() {
        Some(slope) => ("prelu", vec![slope]),
        None => ("prelu channels", by_channel),
    };
    push(
        node,
        text,
        vec![("weight", tensor(node, &Constant::vector(slopes))?)],
        state,
        parts,
    )
}
