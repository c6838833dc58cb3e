//! The operators, each as the layers that stand for it.

use super::super::IncomingError;
use super::constants::Constant;
use super::graph::{attribute, first_to_last, float, int, ints, last_to_first, text};
use super::reader::{Parts, Reader, State, is_positive, last, push, refused};
use super::windows::{Window, by_axis, margins_text, rounds_up, transposed};
use candle_core::Tensor;
use onnx_rs::ast::Node;
use strata_core::project::layer::Kind;

/// What every batch norm here adds to the variance.
const EPSILON: f32 = 1e-5;
/// Two numbers that differ by less are one in a file of 32 bits.
const ROUNDING: f32 = 1e-6;

type Read = Result<(), IncomingError>;

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
        "Identity" | "Cast" => Ok(()),
        "Conv" => conv(reader, node, state, parts),
        "ConvTranspose" => conv_transpose(reader, node, state, parts),
        "Gemm" | "MatMul" => dense(reader, node, state, parts),
        "BatchNormalization" => batch_norm(reader, node, state, parts),
        "LayerNormalization" => layer_norm(reader, node, state, parts),
        "Add" | "Sub" | "Mul" | "Div" => affine(reader, node, state, parts),
        "MaxPool" | "AveragePool" => pool(node, state, parts),
        "GlobalAveragePool" => over_space(node, "adaptive-avgpool 1", state, parts),
        "GlobalMaxPool" => {
            let text = format!("maxpool {}", by_axis(&state.dims[1..]));
            over_space(node, &text, state, parts)
        }
        "ReduceMean" => mean(reader, node, state, parts),
        "Flatten" | "Squeeze" => flatten(node, state, parts),
        "Reshape" => reshape(reader, node, state, parts),
        "Transpose" => transpose(node, state),
        "Pad" => pad(reader, node, state, parts),
        "Resize" | "Upsample" => resize(reader, node, state, parts),
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

fn tensor(node: &Node<'_>, constant: &Constant) -> Result<Tensor, IncomingError> {
    let made = constant.tensor();
    made.ok_or_else(|| refused(node, "its weights do not fit into memory"))
}

/// The axes of space must be there, and behind the channels.
fn spatial(node: &Node<'_>, state: &State) -> Read {
    if state.dims.len() < 2 {
        return Err(refused(node, "its input has no axes of space"));
    }
    match state.is_last {
        true => Err(refused(node, "its input has its channels last")),
        false => Ok(()),
    }
}

fn conv(reader: &Reader<'_>, node: &Node<'_>, state: &mut State, parts: &mut Parts) -> Read {
    spatial(node, state)?;
    let kernel = weight(reader, node, 1)?;
    let mut window = Window::of(node, kernel.dims.get(2..), &state.dims[1..])?;
    window.fit(&state.dims[1..], false);
    let positions = window.positions(&state.dims[1..]);
    let positions =
        positions.ok_or_else(|| refused(node, "its window is larger than its input"))?;
    pad_before(node, &mut window, state, parts)?;
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

/// A layer of zeros where a window pads its ends unequally.
fn pad_before(node: &Node<'_>, window: &mut Window, state: &State, parts: &mut Parts) -> Read {
    let Some(text) = window.pad_text() else {
        return Ok(());
    };
    let mut padded = state.clone();
    for (axis, size) in padded.dims[1..].iter_mut().enumerate() {
        *size += window.before[axis] + window.after[axis];
    }
    window.before.fill(0);
    window.after.fill(0);
    push(node, &text, Vec::new(), &padded, parts)
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
    spatial(node, state)?;
    let kernel = weight(reader, node, 1)?;
    let window = Window::of(node, kernel.dims.get(2..), &state.dims[1..])?;
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
    push(node, &text, named(node, &kernel, bias)?, state, parts)
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

/// A sum or product with numbers, one for each channel: a bias of the layer before it, or a batch norm that stands for
/// it.
fn affine(reader: &Reader<'_>, node: &Node<'_>, state: &State, parts: &mut Parts) -> Read {
    let (place, constant) = [0, 1]
        .into_iter()
        .find_map(|place| Some((place, reader.graph.taken(node, place)?)))
        .ok_or_else(|| refused(node, "both of what it takes depend on the input"))?;
    let numbers = by_channel(constant, state)
        .ok_or_else(|| refused(node, "its numbers are not one for each channel"))?;
    let negative = || numbers.iter().map(|number| -number).collect::<Vec<f32>>();
    let ones = |one: f32| vec![one; numbers.len()];
    let (factors, summands) = match (node.op_type.as_str(), place) {
        ("Add", _) => (ones(1.0), numbers.clone()),
        ("Sub", 1) => (ones(1.0), negative()),
        ("Sub", _) => (ones(-1.0), numbers.clone()),
        ("Mul", _) => (numbers.clone(), ones(0.0)),
        ("Div", 1) => (
            numbers.iter().map(|number| number.recip()).collect(),
            ones(0.0),
        ),
        _ => return Err(refused(node, "it divides by what depends on the input")),
    };
    apply(node, &factors, &summands, state, parts)
}

/// Multiplies by these and adds those, by channel.
pub(super) fn apply(
    node: &Node<'_>,
    factors: &[f32],
    summands: &[f32],
    state: &State,
    parts: &mut Parts,
) -> Read {
    let is_sum = factors.iter().all(|&factor| factor == 1.0);
    if is_sum && summands.iter().all(|&summand| summand == 0.0) {
        return Ok(());
    }
    if let Some((step, _)) = last(parts) {
        let has_bias = match &mut step.layer.kind {
            Kind::Conv { bias, .. }
            | Kind::ConvTranspose { bias, .. }
            | Kind::Dense { bias, .. }
                if is_sum =>
            {
                Some(std::mem::replace(bias, true))
            }
            _ => None,
        };
        if let Some(has_bias) = has_bias {
            let before = step.weights.iter().find(|(name, _)| *name == "bias");
            let before = before.filter(|_| has_bias);
            let before = before.and_then(|(_, bias)| bias.to_vec1::<f32>().ok());
            let before = before.unwrap_or_else(|| vec![0.0; summands.len()]);
            let sums = before.iter().zip(summands).map(|(one, other)| one + other);
            let bias = tensor(node, &Constant::vector(sums.collect()))?;
            step.weights.retain(|(name, _)| *name != "bias");
            step.weights.push(("bias", bias));
            return Ok(());
        }
        // A batch norm is of that form already: w·(x − m)/d + b.
        if step.layer.kind == Kind::BatchNorm {
            for (name, numbers) in &mut step.weights {
                if !["weight", "bias"].contains(name) {
                    continue;
                }
                let old = numbers.to_vec1::<f32>().unwrap_or_default();
                let pairs = old.iter().zip(factors);
                let mut new: Vec<f32> = pairs.map(|(one, other)| one * other).collect();
                if *name == "bias" {
                    let pairs = new.iter_mut().zip(summands);
                    pairs.for_each(|(one, other)| *one += other);
                }
                *numbers = tensor(node, &Constant::vector(new))?;
            }
            if changes_nothing(&step.weights) {
                parts.pop();
            }
            return Ok(());
        }
    }
    let channels = factors.len();
    let weights = vec![
        ("weight", tensor(node, &Constant::vector(factors.to_vec()))?),
        ("bias", tensor(node, &Constant::vector(summands.to_vec()))?),
        (
            "running_mean",
            tensor(node, &Constant::vector(vec![0.0; channels]))?,
        ),
        (
            "running_var",
            tensor(node, &Constant::vector(vec![1.0 - EPSILON; channels]))?,
        ),
    ];
    push(node, "bn", weights, state, parts)
}

/// Whether a batch norm gives back what it gets.
fn changes_nothing(weights: &[(&'static str, Tensor)]) -> bool {
    let usual = [
        ("weight", 1.0),
        ("bias", 0.0),
        ("running_mean", 0.0),
        ("running_var", 1.0 - EPSILON),
    ];
    weights.iter().all(|(name, numbers)| {
        let numbers = numbers.to_vec1::<f32>().unwrap_or_default();
        let value = usual.iter().find(|(usual, _)| usual == name);
        value.is_some_and(|(_, value)| numbers.iter().all(|number| number == value))
    })
}

/// Numbers for each channel; none where they differ along another axis.
fn by_channel(constant: &Constant, state: &State) -> Option<Vec<f32>> {
    let channels = state.dims[0];
    if let Some(single) = constant.single() {
        return Some(vec![single; channels]);
    }
    if constant.values.len() != channels || state.flattened.is_some() {
        return None;
    }
    // Shapes are compared from their ends.
    let rank = state.dims.len() + 1;
    let axis = if state.is_last { rank - 1 } else { 1 };
    let from_end = rank - 1 - axis;
    let place = constant.dims.len().checked_sub(1 + from_end)?;
    (constant.dims.get(place) == Some(&channels)).then(|| constant.values.clone())
}

fn pool(node: &Node<'_>, state: &mut State, parts: &mut Parts) -> Read {
    spatial(node, state)?;
    let is_max = node.op_type.as_str() == "MaxPool";
    let space = state.dims[1..].to_vec();
    let mut window = Window::of(node, None, &space)?;
    if !window.is_same {
        window.fit(&space, rounds_up(node));
    }
    let positions = window.positions(&space);
    let positions =
        positions.ok_or_else(|| refused(node, "its window is larger than its input"))?;
    let pads = window
        .before
        .iter()
        .chain(&window.after)
        .any(|&pad| pad > 0);
    let counts = int(node, "count_include_pad", 0) == 1;
    if !window.is_same && !window.is_even() {
        // Zeros win against no value that is positive.
        if !(is_max && is_positive(parts)) && !(counts && !is_max && !rounds_up(node)) {
            return Err(refused(node, "it pads one side more than the other"));
        }
        pad_before(node, &mut window, state, parts)?;
    } else if !is_max && pads && !counts && !window.is_same {
        let halves = window
            .kernel
            .iter()
            .zip(&window.before)
            .all(|(kernel, pad)| kernel / 2 == *pad && kernel % 2 == 1);
        let steps = window
            .stride
            .iter()
            .chain(&window.dilation)
            .all(|&step| step == 1);
        if !(halves && steps) {
            return Err(refused(node, "it averages over what is inside alone"));
        }
        window.is_same = true;
    }
    let word = if is_max { "maxpool" } else { "avgpool" };
    state.dims = [vec![state.dims[0]], positions].concat();
    let usual = window.kernel.clone();
    push(
        node,
        &format!("{word}{}", window.text(&usual)),
        Vec::new(),
        state,
        parts,
    )
}

/// A layer that leaves one value of every channel.
fn over_space(node: &Node<'_>, text: &str, state: &mut State, parts: &mut Parts) -> Read {
    if state.dims.len() < 2 {
        return Err(refused(node, "its input has no axes of space"));
    }
    state.dims[1..].fill(1);
    push(node, text, Vec::new(), state, parts)
}

fn mean(reader: &Reader<'_>, node: &Node<'_>, state: &mut State, parts: &mut Parts) -> Read {
    let rank = state.dims.len() as i64 + 1;
    let axes = ints(node, "axes").or_else(|| reader.graph.taken(node, 1).map(Constant::whole));
    let mut axes: Vec<i64> = axes
        .unwrap_or_default()
        .iter()
        .map(|axis| axis.rem_euclid(rank))
        .collect();
    axes.sort_unstable();
    let space: Vec<i64> = if state.is_last {
        (1..rank - 1).collect()
    } else {
        (2..rank).collect()
    };
    if space.is_empty() || axes != space {
        return Err(refused(node, "means are over all of space here"));
    }
    over_space(node, "adaptive-avgpool 1", state, parts)?;
    if int(node, "keepdims", 1) == 0 {
        return to_vector(node, state, parts);
    }
    Ok(())
}

fn flatten(node: &Node<'_>, state: &mut State, parts: &mut Parts) -> Read {
    if node.op_type.as_str() == "Flatten" && int(node, "axis", 1) != 1 {
        return Err(refused(node, "images are flattened one by one here"));
    }
    let is_squeeze = node.op_type.as_str() == "Squeeze";
    if is_squeeze && state.dims.iter().skip(1).any(|&size| size > 1) {
        return Err(refused(node, "it takes single axes away"));
    }
    to_vector(node, state, parts)
}

/// Makes a vector; means and maxima over space become one layer with it.
fn to_vector(node: &Node<'_>, state: &mut State, parts: &mut Parts) -> Read {
    if state.dims.len() == 1 {
        return Ok(());
    }
    let dims = std::mem::take(&mut state.dims);
    state.dims = vec![dims.iter().product()];
    let is_one_each = dims[1..].iter().all(|&size| size == 1);
    if state.is_last && !is_one_each {
        state.flattened = Some(dims);
    }
    state.is_last = false;
    if is_one_each && let Some((step, end)) = last(parts) {
        let over_space = match &step.layer.kind {
            Kind::AdaptiveAvgPool { .. } => Some(Kind::GlobalAvgPool),
            _ => None,
        };
        if let Some(kind) = over_space {
            step.layer.kind = kind;
            *end = state.clone();
            return Ok(());
        }
    }
    push(node, "flatten", Vec::new(), state, parts)
}

fn reshape(reader: &Reader<'_>, node: &Node<'_>, state: &mut State, parts: &mut Parts) -> Read {
    let Some(target) = reader.graph.taken(node, 1).map(Constant::whole) else {
        // A shape that is computed keeps the batch and makes a vector of the rest.
        return to_vector(node, state, parts);
    };
    let size: usize = state.dims.iter().product();
    let rest = target.get(1..).unwrap_or_default();
    match rest {
        [only] if *only == -1 || *only as usize == size => to_vector(node, state, parts),
        [_, _, ..] if rest.iter().all(|&size| size > 0) && !state.is_last => {
            let dims: Vec<usize> = rest.iter().map(|&size| size as usize).collect();
            if dims == state.dims {
                return Ok(());
            }
            let text: Vec<String> = dims.iter().map(usize::to_string).collect();
            state.dims = dims;
            push(
                node,
                &format!("reshape {}", text.join("x")),
                Vec::new(),
                state,
                parts,
            )
        }
        _ => Err(refused(
            node,
            "it makes something that is neither a vector nor an image",
        )),
    }
}

fn transpose(node: &Node<'_>, state: &mut State) -> Read {
    let axes = state.dims.len() + 1;
    let turn = ints(node, "perm").unwrap_or_default();
    if turn == last_to_first(axes) && state.is_last {
        state.is_last = false;
    } else if turn == first_to_last(axes) && !state.is_last {
        state.is_last = true;
    } else {
        return Err(refused(node, "it exchanges other axes than the channels"));
    }
    Ok(())
}

fn pad(reader: &Reader<'_>, node: &Node<'_>, state: &mut State, parts: &mut Parts) -> Read {
    let mode = text(node, "mode").unwrap_or("constant");
    let filled = reader.graph.taken(node, 2).and_then(Constant::single);
    let filled = filled.unwrap_or_else(|| float(node, "value", 0.0));
    let pads = ints(node, "pads").or_else(|| reader.graph.taken(node, 1).map(Constant::whole));
    let axes = state.dims.len() + 1;
    let pads = pads.filter(|pads| pads.len() == 2 * axes && mode == "constant" && filled == 0.0);
    let pads = pads.ok_or_else(|| refused(node, "zeros are padded here, and nothing else"))?;
    let space = if state.is_last { 1..axes - 1 } else { 2..axes };
    let (before, after): (Vec<i64>, Vec<i64>) = space
        .clone()
        .map(|axis| (pads[axis], pads[axes + axis]))
        .unzip();
    let others = (0..axes).filter(|axis| !space.contains(axis));
    if others
        .flat_map(|axis| [pads[axis], pads[axes + axis]])
        .any(|pad| pad != 0)
    {
        return Err(refused(node, "channels are not padded here"));
    }
    let all = || before.iter().chain(&after);
    let word = match (all().all(|&pad| pad >= 0), all().all(|&pad| pad <= 0)) {
        (true, true) => return Ok(()),
        (true, false) => "pad",
        (false, true) => "crop",
        (false, false) => return Err(refused(node, "it pads some sides and cuts others")),
    };
    for (axis, size) in state.dims[1..].iter_mut().enumerate() {
        let changed = *size as i64 + before[axis] + after[axis];
        *size = usize::try_from(changed).map_err(|_| refused(node, "it leaves nothing"))?;
    }
    let sizes = |pads: &[i64]| {
        pads.iter()
            .map(|pad| pad.unsigned_abs() as usize)
            .collect::<Vec<_>>()
    };
    push(
        node,
        &margins_text(word, &sizes(&before), &sizes(&after)),
        Vec::new(),
        state,
        parts,
    )
}

fn resize(reader: &Reader<'_>, node: &Node<'_>, state: &mut State, parts: &mut Parts) -> Read {
    let axes = state.dims.len() + 1;
    let is_old = node.op_type.as_str() == "Upsample";
    let scales = reader
        .graph
        .taken(node, if is_old { 1 } else { 2 })
        .filter(|scales| scales.values.len() == axes);
    let space = if state.is_last { 1..axes - 1 } else { 2..axes };
    let scales: Option<Vec<f32>> = scales
        .map(|scales| scales.values[space.clone()].to_vec())
        .or_else(|| {
            let sizes = reader.graph.taken(node, 3)?.values.get(space)?;
            Some(
                sizes
                    .iter()
                    .zip(&state.dims[1..])
                    .map(|(size, old)| size / *old as f32)
                    .collect(),
            )
        });
    let whole = |scale: &f32| (scale.fract() == 0.0 && *scale >= 1.0).then_some(*scale as usize);
    let factors: Option<Vec<usize>> = scales.and_then(|scales| scales.iter().map(whole).collect());
    let factors =
        factors.ok_or_else(|| refused(node, "images are enlarged by whole factors here"))?;
    let corners = text(node, "coordinate_transformation_mode").unwrap_or("half_pixel");
    let kind = match text(node, "mode").unwrap_or("nearest") {
        "nearest" if corners != "align_corners" => "",
        "linear" if ["half_pixel", "pytorch_half_pixel"].contains(&corners) => " bilinear",
        mode => {
            return Err(refused(
                node,
                format!("its mode {mode} with {corners} is not known here"),
            ));
        }
    };
    for (size, factor) in state.dims[1..].iter_mut().zip(&factors) {
        *size *= factor;
    }
    push(
        node,
        &format!("upsample {}{kind}", by_axis(&factors)),
        Vec::new(),
        state,
        parts,
    )
}

fn clip(reader: &Reader<'_>, node: &Node<'_>, state: &State, parts: &mut Parts) -> Read {
    let bound = |name: &str, place: usize| {
        let given = attribute(node, name).map(|attribute| attribute.f);
        given.or_else(|| reader.graph.taken(node, place).and_then(Constant::single))
    };
    match (bound("min", 1), bound("max", 2)) {
        (Some(low), Some(high)) if low == 0.0 && high == 6.0 => {
            push(node, "relu6", Vec::new(), state, parts)
        }
        (Some(low), None) if low == 0.0 => push(node, "relu", Vec::new(), state, parts),
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
