//! Where branches meet: `add` needs equal shapes, `concat` equal sizes.
//!
//! A branch with its own error is not judged here as well: one mistake, one message.

use super::error::ShapeError;
use super::partial_shape::PartialShape;
use super::rules::tensor;
use crate::project::help::Repair;
use crate::project::node::Node;
use crate::project::size::Shape;

/// The shape of a sum, from the outlines of its branches.
pub fn add(branches: &[PartialShape]) -> Result<PartialShape, ShapeError> {
    let Some(shapes) = shapes(branches, "add")? else {
        return Ok(unite(branches));
    };
    match shapes.iter().position(|shape| *shape != shapes[0]) {
        None => Ok(branches[0]),
        Some(other) => Err(different(&shapes, other)),
    }
}

/// The shape of branches joined along channels.
pub fn concat(branches: &[PartialShape]) -> Result<PartialShape, ShapeError> {
    let channels = branches
        .iter()
        .try_fold(0usize, |sum, branch| sum.checked_add(branch.channels()?));
    let Some(shapes) = shapes(branches, "concat")? else {
        let sizes = unite(branches);
        return Ok(sizes.map(channels, |_, size| Some(size)));
    };
    if let Some(other) = shapes
        .iter()
        .position(|shape| shape.spatial() != shapes[0].spatial())
    {
        return Err(different_sizes(&shapes, other));
    }
    let mut dims = vec![channels.unwrap_or(usize::MAX) as u64];
    dims.extend(shapes[0].spatial().iter().map(|&size| size as u64));
    tensor(&dims).map(|shape| PartialShape::of(&shape))
}

/// All shapes, or `None` when one is not known.
fn shapes(branches: &[PartialShape], word: &str) -> Result<Option<Vec<Shape>>, ShapeError> {
    if branches.is_empty() {
        let message = format!("`{word}` has no branches");
        return Err(ShapeError::new(message)
            .help(format!("write {{ {word} = [[\"conv 16 k3 p1\"], []] }}")));
    }
    Ok(branches.iter().map(PartialShape::full).collect())
}

fn unite(branches: &[PartialShape]) -> PartialShape {
    branches
        .iter()
        .skip(1)
        .fold(branches[0], |all, branch| all.unite(branch))
}

fn different(shapes: &[Shape], other: usize) -> ShapeError {
    let (first, second) = (&shapes[0], &shapes[other]);
    let error = ShapeError::new(format!("the branches can't be added: {}", listing(shapes)));
    if first.rank() != second.rank() {
        return error.help(
            "end every branch in a tensor with the same number of axes, or every one in a vector",
        );
    }
    match stretch(first, second) {
        Some((from, layer)) => {
            let branch = if from == 0 { 0 } else { other };
            error.help(Repair::EndBranch(branch, Node::from_text(&layer)))
        }
        None => error.help("give every branch the same stride and padding (with k3: p1), so that they end in one size"),
    }
}

/// The 1×1 convolution that brings the larger of two shapes to the smaller: which one, and its text.
fn stretch(first: &Shape, second: &Shape) -> Option<(usize, String)> {
    if first.is_vector() {
        return Some((0, format!("dense {}", second.channels())));
    }
    let ratio = |large: &Shape, small: &Shape| {
        let ratios: Option<Vec<usize>> = large
            .spatial()
            .iter()
            .zip(small.spatial())
            .map(|(&l, &s)| (l >= s).then(|| l.div_ceil(s)))
            .collect();
        let ratios = ratios?;
        let fits = large
            .spatial()
            .iter()
            .zip(small.spatial())
            .zip(&ratios)
            .all(|((&l, &s), &r)| l.div_ceil(r) == s);
        (fits && ratios.iter().all(|&r| r == ratios[0])).then(|| match ratios[0] {
            1 => format!("conv {} k1", small.channels()),
            r => format!("conv {} k1 s{r}", small.channels()),
        })
    };
    ratio(first, second)
        .map(|layer| (0, layer))
        .or_else(|| ratio(second, first).map(|layer| (1, layer)))
}

fn different_sizes(shapes: &[Shape], other: usize) -> ShapeError {
    let error = ShapeError::new(format!(
        "the branches can't be joined along channels: {}",
        listing(shapes)
    ));
    if shapes[0].rank() != shapes[other].rank() {
        return error.help(
            "end every branch in a tensor with the same number of axes, or every one in a vector",
        );
    }
    error.help("give every branch the same stride, and padding that keeps the size (k3 p1, k5 p2, or same)")
}

/// `branch 1 gives 16×8×8, branch 2 gives 32×8×8`, the first few, counted from 1.
fn listing(shapes: &[Shape]) -> String {
    let one = |(branch, shape): (usize, &Shape)| format!("branch {} gives {shape}", branch + 1);
    let mut parts: Vec<String> = shapes.iter().enumerate().take(6).map(one).collect();
    if shapes.len() > 6 {
        parts.push(format!("and {} more", shapes.len() - 6));
    }
    parts.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outline(text: &str) -> PartialShape {
        PartialShape::of(&text.parse().unwrap())
    }

    #[test]
    fn sums_need_equal_shapes() {
        assert_eq!(
            add(&[outline("8x4x4"), outline("8x4x4")])
                .unwrap()
                .to_string(),
            "8×4×4"
        );
        let error = add(&[outline("8x8x8"), outline("16x4x4")]).unwrap_err();
        assert!(
            error
                .message
                .contains("branch 1 gives 8×8×8, branch 2 gives 16×4×4"),
            "{error}"
        );
        assert_eq!(
            error.help[0].to_string(),
            "end branch 1 with `conv 16 k1 s2`"
        );
        let error = add(&[outline("16x4x4"), outline("8x4x4")]).unwrap_err();
        assert_eq!(error.help[0].to_string(), "end branch 1 with `conv 8 k1`");
        assert!(add(&[]).is_err());
    }

    #[test]
    fn joins_add_channels() {
        assert_eq!(
            concat(&[outline("8x4x4"), outline("3x4x4")])
                .unwrap()
                .to_string(),
            "11×4×4"
        );
        assert_eq!(
            concat(&[outline("8"), outline("3")]).unwrap().to_string(),
            "11"
        );
        assert!(concat(&[outline("8x4x4"), outline("8x3x3")]).is_err());
        assert!(concat(&[outline("1073741824"), outline("1073741824")]).is_err());
        assert_eq!(
            concat(&[outline("8x4x4"), PartialShape::UNKNOWN])
                .unwrap()
                .to_string(),
            "?×4×4"
        );
    }
}
