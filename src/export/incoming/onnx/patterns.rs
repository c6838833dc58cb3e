//! Functions that files write as several nodes: x·σ(x), x·hardsigmoid(x), GELU by its error function.

use super::super::IncomingError;
use super::affine::apply;
use super::constants::Constant;
use super::graph::float;
use super::reader::{Parts, Reader, State, output_of, push};
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
    let number = |node: &Node<'_>| {
        let given = [0, 1]
            .into_iter()
            .find_map(|place| graph.taken(node, place));
        given.and_then(Constant::single).unwrap_or(f32::NAN)
    };
    let is = |node: &Node<'_>, wanted: f32| (number(node) - wanted).abs() < ROUNDING;
    let word = match (words.as_slice(), chain.as_slice()) {
        _ if !follows => return Ok(false),
        (["Sigmoid"], _) => "silu",
        (["HardSigmoid"], [hard])
            if (float(hard, "alpha", 0.2) - 1.0 / 6.0).abs() < ROUNDING
                && float(hard, "beta", 0.5) == 0.5 =>
        {
            "hardswish"
        }
        (["Div", "Erf", "Add"], [root, _, one]) if is(root, SQRT_2) && is(one, 1.0) => "gelu",
        (["Mul", "Erf", "Add"], [root, _, one]) if is(root, SQRT_2.recip()) && is(one, 1.0) => {
            "gelu"
        }
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
