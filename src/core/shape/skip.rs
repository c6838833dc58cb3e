//! Skip connections: a block with a branch that keeps its size next to one that goes down and comes back up, as the
//! levels of a U-Net are. Their sizes meet only where every stride divides the input, so what helps is a margin.

use super::error::ShapeError;
use super::layers::Shaping;
use super::partial_shape::PartialShape;
use super::rules::axis_of;
use crate::project::help::{Help, Repair};
use crate::project::layer::Kind;
use crate::project::node::Node;
use crate::project::size::{Margins, Shape};

/// Whether one of these branches scales nothing and another one enlarges again what it made smaller.
pub fn is_skip(branches: &[Vec<Node>]) -> bool {
    let scales = |nodes: &[Node], wanted: &dyn Fn(&Kind) -> bool| any(nodes, wanted);
    let comes_back = |nodes: &Vec<Node>| scales(nodes, &shrinks) && scales(nodes, &enlarges);
    let keeps = |nodes: &Vec<Node>| !scales(nodes, &shrinks) && !scales(nodes, &enlarges);
    branches.iter().any(comes_back) && branches.iter().any(keeps)
}

fn any(nodes: &[Node], wanted: &dyn Fn(&Kind) -> bool) -> bool {
    nodes.iter().any(|node| match node {
        Node::Layer(layer) => wanted(&layer.kind),
        _ => node.branches().iter().any(|branch| any(branch, wanted)),
    })
}

fn strides(kind: &Kind) -> bool {
    let along = |rank: usize, axis: usize| axis_of(kind, rank, axis);
    (1..=3).any(|rank| (0..rank).any(|axis| along(rank, axis).is_some_and(|axis| axis.stride > 1)))
}

fn shrinks(kind: &Kind) -> bool {
    match kind.shaping() {
        Shaping::Slides { .. } => strides(kind),
        Shaping::AdaptsTo(_) | Shaping::Pools => true,
        Shaping::Keeps
        | Shaping::Spreads { .. }
        | Shaping::Unpools
        | Shaping::Scales(_)
        | Shaping::Grows(_)
        | Shaping::Shrinks(_)
        | Shaping::Flattens
        | Shaping::Features(_)
        | Shaping::Reshapes(_) => false,
    }
}

fn enlarges(kind: &Kind) -> bool {
    match kind.shaping() {
        Shaping::Spreads { .. } => strides(kind),
        Shaping::Unpools | Shaping::Scales(_) => true,
        Shaping::Keeps
        | Shaping::Slides { .. }
        | Shaping::AdaptsTo(_)
        | Shaping::Pools
        | Shaping::Grows(_)
        | Shaping::Shrinks(_)
        | Shaping::Flattens
        | Shaping::Features(_)
        | Shaping::Reshapes(_) => false,
    }
}

/// The error of branches that do not meet; of a skip connection with the margins that would bring them together.
pub(super) fn helped(
    error: ShapeError,
    branches: &[Vec<Node>],
    outlines: &[PartialShape],
) -> ShapeError {
    let shapes: Option<Vec<Shape>> = outlines.iter().map(PartialShape::full).collect();
    match shapes.filter(|_| is_skip(branches)) {
        Some(shapes) => {
            margins_help(&shapes).map_or(error.clone(), |help| ShapeError { help, ..error })
        }
        None => error,
    }
}

fn margins_help(shapes: &[Shape]) -> Option<Vec<Help>> {
    let first = shapes.first()?;
    let rank = first.rank();
    if rank == 0 || shapes.iter().any(|shape| shape.rank() != rank) {
        return None;
    }
    let along = |axis: usize| {
        shapes
            .iter()
            .filter_map(move |shape| shape.spatial().get(axis))
    };
    let (most, least): (Vec<usize>, Vec<usize>) = (0..rank)
        .map(|axis| Some((*along(axis).max()?, *along(axis).min()?)))
        .collect::<Option<Vec<_>>>()?
        .into_iter()
        .unzip();
    if most == least {
        return None;
    }
    let ends = |word: &str, wanted: &[usize]| -> Vec<Help> {
        let end = |(branch, shape): (usize, &Shape)| {
            let margin = margin(shape.spatial(), wanted)?;
            let node = Node::from_text(&format!("{word} {margin}"));
            Some(Help::from(Repair::EndBranch(branch, node)))
        };
        shapes.iter().enumerate().filter_map(end).collect()
    };
    let (pads, crops) = (ends("pad", &most), ends("crop", &least));
    // Where several branches have to end in something, no single repair does it.
    let mut help: Vec<Help> = [pads, crops]
        .into_iter()
        .filter_map(|ways| <[Help; 1]>::try_from(ways).ok())
        .map(|[way]| way)
        .collect();
    help.iter_mut()
        .skip(1)
        .for_each(|way| *way = way.clone().or());
    let meet = "the two sides of a skip connection have to end in one size";
    help.push(Help::note(
        format!("{meet}: where no margin does it, use an input that all strides divide (`strata check` lists the sizes); `strata solve` shows every way"),
        format!("{meet}: where no margin does it, use an input that all strides divide; *Output = input* shows every way"),
    ));
    Some(help)
}

/// The margin from one size to another on each axis, the odd position at the end; `None` where there is none.
fn margin(sizes: &[usize], wanted: &[usize]) -> Option<String> {
    let sides = sizes.iter().zip(wanted).map(|(&size, &wanted)| {
        let by = u32::try_from(size.abs_diff(wanted)).unwrap_or(u32::MAX);
        (by / 2, by - by / 2)
    });
    let sides: Vec<(u32, u32)> = sides.collect();
    let equal = sides.windows(2).all(|two| two[0] == two[1]);
    let shown = if equal { sides.get(..1)? } else { &sides };
    sides
        .iter()
        .any(|&side| side != (0, 0))
        .then(|| Margins::each(shown).to_string())
}

#[cfg(test)]
mod tests {

    use crate::networks::network;
    use crate::shape::infer::infer;

    fn help(block: &str) -> Vec<String> {
        let inference = infer(&network("8x33x33", &[block], &[], &[]));
        let (_, error) = inference.errors().next().unwrap();
        error.help.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn the_help_of_skips_names_margins() {
        let block = "{ concat = [[], [\"maxpool 2\", \"conv 16 same\", \"upsample 2\"]] }";
        let lines = help(block);
        assert_eq!(lines[0], "end branch 2 with `pad 0+1`");
        assert_eq!(lines[1], "or end branch 1 with `crop 0+1`");
        assert!(lines[2].starts_with("the two sides of a skip connection have to end in one size"));
        let unpadded =
            "{ concat = [[\"crop 2\"], [\"maxpool 2\", \"conv 16 k3\", \"upsample 2\"]] }";
        assert!(help(unpadded).contains(&"or end branch 1 with `crop 0+1`".to_owned()));
        let add = "{ add = [[], [\"maxpool 2x1\", \"upsample 2x1\"]] }";
        assert_eq!(help(add)[0], "end branch 2 with `pad 0+1x0`");
    }

    #[test]
    fn the_help_of_other_branches_names_strides() {
        let inception = "{ concat = [[\"maxpool 2\"], [\"conv 4 k1\"]] }";
        assert!(help(inception)[0].contains("the same stride"));
    }
}
