//! Operators without weights that change sizes: pooling, padding, enlarging, and what only moves numbers.

use super::constants::Constant;
use super::graph::{first_to_last, float, int, ints, last_to_first, text};
use super::layers::Read;
use super::reader::{Parts, Reader, State, is_positive, last, push, refused};
use super::windows::{Window, by_axis, margins_text, rounds_up};
use onnx_rs::ast::Node;
use strata_core::project::layer::Kind;

/// The axes of space must be there, and behind the channels.
pub(super) fn spatial(node: &Node<'_>, state: &State) -> Read {
    if state.dims.len() < 2 {
        return Err(refused(node, "its input has no axes of space"));
    }
    match state.is_last {
        true => Err(refused(node, "its input has its channels last")),
        false => Ok(()),
    }
}
/// A layer of zeros where a window pads its ends unequally.
pub(super) fn pad_before(
    node: &Node<'_>,
    window: &mut Window,
    state: &State,
    parts: &mut Parts,
) -> Read {
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
/// A layer that cuts so much from the ends of every axis, where there is something to cut.
pub(super) fn crop(
    node: &Node<'_>,
    before: &[usize],
    after: &[usize],
    state: &mut State,
    parts: &mut Parts,
) -> Read {
    if before.iter().chain(after).all(|&cut| cut == 0) {
        return Ok(());
    }
    for (axis, size) in state.dims[1..].iter_mut().enumerate() {
        let left = size.checked_sub(before[axis] + after[axis]);
        *size = left
            .filter(|&left| left > 0)
            .ok_or_else(|| refused(node, "it leaves nothing"))?;
    }
    push(
        node,
        &margins_text("crop", before, after),
        Vec::new(),
        state,
        parts,
    )
}

pub(super) fn pool(node: &Node<'_>, state: &mut State, parts: &mut Parts) -> Read {
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
    // `same` of means leaves out what is padded.
    window.is_same |= !window.is_even() && (is_max || !counts) && window.pads_as_same(&space);
    if !window.is_same && !window.is_even() {
        // Zeros win against no value that is positive.
        let zeros_do_no_harm = match is_max {
            true => is_positive(parts),
            false => counts && !rounds_up(node),
        };
        if !zeros_do_no_harm {
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
pub(super) fn over_space(
    node: &Node<'_>,
    text: &str,
    state: &mut State,
    parts: &mut Parts,
) -> Read {
    if state.dims.len() < 2 {
        return Err(refused(node, "its input has no axes of space"));
    }
    state.dims[1..].fill(1);
    push(node, text, Vec::new(), state, parts)
}

pub(super) fn mean(
    reader: &Reader<'_>,
    node: &Node<'_>,
    state: &mut State,
    parts: &mut Parts,
) -> Read {
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

pub(super) fn flatten(node: &Node<'_>, state: &mut State, parts: &mut Parts) -> Read {
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

pub(super) fn reshape(
    reader: &Reader<'_>,
    node: &Node<'_>,
    state: &mut State,
    parts: &mut Parts,
) -> Read {
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

pub(super) fn transpose(node: &Node<'_>, state: &mut State) -> Read {
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

pub(super) fn pad(
    reader: &Reader<'_>,
    node: &Node<'_>,
    state: &mut State,
    parts: &mut Parts,
) -> Read {
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

pub(super) fn resize(
    reader: &Reader<'_>,
    node: &Node<'_>,
    state: &mut State,
    parts: &mut Parts,
) -> Read {
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
