//! What files write as several nodes: x·σ(x), x·hardsigmoid(x), GELU by its error function, a norm over groups of channels,
//! means over windows of unequal sizes.

use super::super::IncomingError;
use super::affine::apply;
use super::constants::Constant;
use super::graph::{float, ints};
use super::layers::norm_of_groups;
use super::reader::{Parts, Reader, State, output_of, push};
use super::windows::by_axis;
use crate::windows::means;
use onnx_rs::ast::Node;
use std::f32::consts::SQRT_2;

/// Two numbers that differ by less are one in a file of 32 bits.
const ROUNDING: f32 = 1e-4;

/// Reads what stands between a value and the product of it with something that was made of it; false where that is
/// none of these functions.
pub(super) fn read(
    reader: &Reader<'_>,
    value: &str,
    join: usize,
    state: &mut State,
    parts: &mut Parts,
) -> Result<bool, IncomingError> {
    let graph = reader.graph;
    let product = graph.nodes[join];
    if product.op_type.as_str() != "Mul" {
        return Ok(false);
    }
    let ends = graph.values(product, join);
    if let [one, other] = ends.as_slice()
        && is_half_and_raised(reader, value, [one, other])
    {
        push(product, "gelu", Vec::new(), state, parts)?;
        return Ok(true);
    }
    let Some(made) = ends
        .iter()
        .find(|end| **end != value)
        .filter(|_| ends.contains(&value))
    else {
        return Ok(false);
    };
    let chain: Vec<&Node<'_>> = graph
        .between(value, made)
        .iter()
        .map(|&index| graph.nodes[index])
        .collect();
    let follows = chain
        .windows(2)
        .all(|pair| pair[1].input.contains(&output_of(pair[0])));
    let words: Vec<&str> = chain.iter().map(|node| node.op_type.as_str()).collect();
    let is = |node: &Node<'_>, wanted: f32| has_number(reader, node, wanted);
    let word = match (words.as_slice(), chain.as_slice()) {
        _ if !follows => return Ok(false),
        (["Sigmoid"], _) => "silu",
        (["HardSigmoid"], [hard])
            if (float(hard, "alpha", 0.2) - 1.0 / 6.0).abs() < ROUNDING
                && float(hard, "beta", 0.5) == 0.5 =>
        {
            "hardswish"
        }
        _ if is_raised(reader, &chain) => "gelu",
        (["Div", "Erf", "Add", "Mul"], [root, _, one, half])
            if is(root, SQRT_2) && is(one, 1.0) && is(half, 0.5) =>
        {
            push(product, "gelu", Vec::new(), state, parts)?;
            return Ok(true);
        }
        _ => return Ok(false),
    };
    push(product, word, Vec::new(), state, parts)?;
    if word == "gelu" {
        // Its half comes with the next node.
        let twice = vec![2.0; state.dims[0]];
        apply(product, &twice, &vec![0.0; twice.len()], state, parts)?;
    }
    Ok(true)
}

/// Reads several nodes, one after the other, that stand for one layer; gives the last of them. None where none do.
pub(super) fn several<'a>(
    reader: &Reader<'a>,
    first: &'a Node<'a>,
    state: &mut State,
    parts: &mut Parts,
) -> Result<Option<&'a Node<'a>>, IncomingError> {
    if let Some(last) = grouped_norm(reader, first, state, parts)? {
        return Ok(Some(last));
    }
    // Whether a value is above 0, as a number.
    if let Some(last) = only_taker(reader, first)
        && first.op_type.as_str() == "Greater"
        && last.op_type.as_str() == "Cast"
        && reader.graph.taken(first, 1).and_then(Constant::single) == Some(0.0)
    {
        push(last, "step", Vec::new(), state, parts)?;
        return Ok(Some(last));
    }
    means_to_a_size(reader, first, state, parts)
}

/// Whether one of two values is half of `value` and the other 1 + erf(value/√2): factors of GELU.
fn is_half_and_raised(reader: &Reader<'_>, value: &str, ends: [&str; 2]) -> bool {
    let [one, other] = ends.map(|end| -> Vec<&Node<'_>> {
        let between = reader.graph.between(value, end).into_iter();
        between.map(|index| reader.graph.nodes[index]).collect()
    });
    let is_half = |chain: &[&Node<'_>]| match chain {
        [half] => half.op_type.as_str() == "Mul" && has_number(reader, half, 0.5),
        _ => false,
    };
    (is_half(&one) && is_raised(reader, &other)) || (is_half(&other) && is_raised(reader, &one))
}

/// Whether nodes, one after the other, make 1 + erf(x/√2) of x.
fn is_raised(reader: &Reader<'_>, chain: &[&Node<'_>]) -> bool {
    let [root, erf, one] = chain else {
        return false;
    };
    let is_root = match root.op_type.as_str() {
        "Mul" => has_number(reader, root, SQRT_2.recip()),
        "Div" => has_number(reader, root, SQRT_2),
        _ => false,
    };
    let is = |node: &Node<'_>, word: &str| node.op_type.as_str() == word;
    is_root && is(erf, "Erf") && is(one, "Add") && has_number(reader, one, 1.0)
}

/// Whether the number that a node takes besides its value is this one.
fn has_number(reader: &Reader<'_>, node: &Node<'_>, wanted: f32) -> bool {
    let mut given = [0, 1]
        .into_iter()
        .filter_map(|place| reader.graph.taken(node, place));
    let number = given.next().and_then(Constant::single);
    number.is_some_and(|number| (number - wanted).abs() < ROUNDING)
}

/// Reads means over windows of an image that is made smaller to a size: along one axis after the other a product with
/// the matrix of the means, the axis exchanged with the last one meanwhile. Gives the last node; none where these are not
/// what follows.
fn means_to_a_size<'a>(
    reader: &Reader<'a>,
    first: &'a Node<'a>,
    state: &mut State,
    parts: &mut Parts,
) -> Result<Option<&'a Node<'a>>, IncomingError> {
    let (mut node, mut end) = (Some(first), None);
    let mut dims = state.dims.clone();
    if state.is_last || dims.len() < 2 {
        return Ok(None);
    }
    while let Some((axis, size, last)) =
        node.and_then(|node| means_along_an_axis(reader, node, &dims))
    {
        dims[axis] = size;
        end = Some(last);
        node = only_taker(reader, last);
    }
    let Some(end) = end else {
        return Ok(None);
    };
    state.dims = dims;
    let sizes = by_axis(&state.dims[1..]);
    push(
        end,
        &format!("adaptive-avgpool {sizes}"),
        Vec::new(),
        state,
        parts,
    )?;
    Ok(Some(end))
}

/// The axis of an image whose means a node begins with, how many means there are, and the node that ends with them.
fn means_along_an_axis<'a>(
    reader: &Reader<'a>,
    first: &'a Node<'a>,
    dims: &[usize],
) -> Option<(usize, usize, &'a Node<'a>)> {
    let is = |node: &Node<'_>, word: &str| node.op_type.as_str() == word;
    let product = match is(first, "Transpose") {
        true => only_taker(reader, first)?,
        false => first,
    };
    let matrix = reader
        .graph
        .taken(product, 1)
        .filter(|_| is(product, "MatMul"))?;
    let last_axis = dims.len() - 1;
    let (axis, last) = match is(first, "Transpose") {
        false => (last_axis, product),
        true => {
            let back = only_taker(reader, product).filter(|node| is(node, "Transpose"))?;
            let order =
                ints(first, "perm").filter(|order| ints(back, "perm").as_ref() == Some(order))?;
            let moved =
                (0..last_axis).find(|&axis| order.get(axis + 1) != Some(&(axis as i64 + 1)))?;
            let mut exchanged: Vec<i64> = (0..=dims.len() as i64).collect();
            exchanged.swap(moved + 1, last_axis + 1);
            (moved, (order == exchanged).then_some(back)?)
        }
    };
    let [from, to] = <[usize; 2]>::try_from(matrix.dims.clone()).ok()?;
    let is_means = axis > 0 && from == dims[axis] && {
        let wanted = means(from, to);
        let mut pairs = matrix.values.iter().zip(&wanted);
        pairs.all(|(one, other)| (one - other).abs() < ROUNDING)
    };
    is_means.then_some((axis, to, last))
}

/// The node that a node's value goes to, where it is one alone.
fn only_taker<'a>(reader: &Reader<'a>, node: &Node<'_>) -> Option<&'a Node<'a>> {
    match reader.graph.takers(output_of(node)) {
        [index] => Some(reader.graph.nodes[*index]),
        _ => None,
    }
}

/// Reads a norm over groups from the node that makes a channel of each group on, through the norm of each channel, to
/// the one that gives the channels back; gives the last. None where these are not what follows.
fn grouped_norm<'a>(
    reader: &Reader<'a>,
    first: &Node<'_>,
    state: &mut State,
    parts: &mut Parts,
) -> Result<Option<&'a Node<'a>>, IncomingError> {
    let graph = reader.graph;
    let is = |node: &Node<'_>, word: &str| node.op_type.as_str() == word;
    if !is(first, "Reshape") || state.is_last {
        return Ok(None);
    }
    let Some(norm) = only_taker(reader, first).filter(|norm| is(norm, "InstanceNormalization"))
    else {
        return Ok(None);
    };
    let Some(last) = only_taker(reader, norm).filter(|last| is(last, "Reshape")) else {
        return Ok(None);
    };
    let target = graph.taken(first, 1).map(Constant::whole);
    let groups = match target.as_deref() {
        Some([_, groups, _]) => usize::try_from(*groups).unwrap_or(0),
        _ => 0,
    };
    let gives_back = graph.taken(last, 1).is_none_or(|dims| {
        let dims = dims.whole();
        let mut pairs = dims.iter().skip(1).zip(&state.dims);
        dims.len() == state.dims.len() + 1
            && pairs.all(|(one, other)| [-1, 0, *other as i64].contains(one))
    });
    if groups == 0 || !state.dims[0].is_multiple_of(groups) || !gives_back {
        return Ok(None);
    }
    norm_of_groups(reader, norm, groups, state, parts)?;
    Ok(Some(last))
}
