//! Sums and products with numbers, one for each channel.

use super::constants::Constant;
use super::layers::{EPSILON, Read, tensor};
use super::reader::{Parts, Reader, State, last, push, refused};
use candle_core::Tensor;
use onnx_rs::ast::Node;
use strata_core::project::layer::Kind;

/// A sum or product with numbers, one for each channel: a bias of the layer before it, or a batch norm that stands for
/// it.
pub(super) fn affine(
    reader: &Reader<'_>,
    node: &Node<'_>,
    state: &State,
    parts: &mut Parts,
) -> Read {
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
        // These norms are of that form already: w·(x − m)/d + b.
        if matches!(step.layer.kind, Kind::BatchNorm | Kind::GroupNorm { .. }) {
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
            if step.layer.kind == Kind::BatchNorm && changes_nothing(&step.weights) {
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
pub(super) fn by_channel(constant: &Constant, state: &State) -> Option<Vec<f32>> {
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
