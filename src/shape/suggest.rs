//! The smallest change of a decoder after which its output equals the input.
//!
//! Tries, it does not solve: a handful of attributes of the last layers with a window, each variant
//! inferred as a whole. What is named was inferred to be equal.

use super::infer::infer;
use super::mismatch::difference;
use crate::project::layer::{Kind, Window};
use crate::project::node::Node;
use crate::project::size::{Axes, Margins, Padding, Shape};
use crate::project::{Network, Place, Stack};

/// How many layers, from the last, are varied.
const LAYERS: usize = 3;

/// What to write, and where, for the decoder to give the input's shape; else how much is missing.
pub fn suggestion(network: &Network, output: &Shape) -> String {
    let mut fixed = network.clone();
    if output.channels() != network.input.channels() {
        let channels = u32::try_from(network.input.channels()).unwrap_or(u32::MAX);
        fixed.decoder.iter_mut().rev().find_map(filters).into_iter().for_each(|filters| *filters = channels);
    }
    let varied = variants(&fixed).into_iter();
    let all = [fixed.clone()].into_iter().chain(varied).chain(doubled(&fixed)).chain(margins(&fixed));
    let found = all.into_iter().find(|changed| infer(changed).output_equals_input == Some(true));
    found.map_or_else(
        || {
            format!(
                "change the decoder's last layers so that they give {} ({})",
                network.input,
                difference(output, &network.input)
            )
        },
        |changed| edits(&network.decoder, &changed.decoder),
    )
}

fn edits(before: &[Node], after: &[Node]) -> String {
    let edit = |(index, node): (usize, &Node)| match before.get(index) {
        Some(old) if old == node => None,
        Some(_) => Some(format!("write `{}` at {}", node.text(), Place::new(Stack::Decoder, index))),
        None => Some(format!("append `{}` to the decoder", node.text())),
    };
    after.iter().enumerate().filter_map(edit).collect::<Vec<_>>().join(" and ")
}

fn filters(node: &mut Node) -> Option<&mut u32> {
    let Node::Layer(layer) = node else { return None };
    match &mut layer.kind {
        Kind::Conv { out_channels, .. }
        | Kind::ConvTranspose { out_channels, .. }
        | Kind::SeparableConv { out_channels, .. } => Some(out_channels),
        _ => None,
    }
}

/// The window of a layer that is worth varying, and whether it is a transposed convolution's.
fn window(node: &mut Node) -> Option<(&mut Window, bool)> {
    let Node::Layer(layer) = node else { return None };
    match &mut layer.kind {
        Kind::ConvTranspose { window, .. } => Some((window, true)),
        Kind::Conv { window, .. } | Kind::SeparableConv { window, .. } => Some((window, false)),
        _ => None,
    }
}

/// One layer changed, the least change first.
fn variants(network: &Network) -> Vec<Network> {
    let spatial = |node: &Node| window(&mut node.clone()).is_some();
    let last = (0..network.decoder.len()).rev().filter(|&index| spatial(&network.decoder[index])).take(LAYERS);
    let mut found = Vec::new();
    for index in last {
        for (added, [op_high, op_wide]) in (0..9).map(|n| [n / 3, n % 3]).enumerate() {
            for (p, k, s) in (0..27).map(|n| (n / 9 - 1, n / 3 % 3 - 1, n % 3 - 1)) {
                let mut changed = network.clone();
                let Some((window, transposed)) = window(&mut changed.decoder[index]) else { continue };
                if (added > 0 && !transposed) || !shift(window, p, k, s) {
                    continue;
                }
                let wide = [op_high, op_wide];
                window.output_padding = output_padding(window.output_padding.take(), added, wide, network.input.rank());
                let unequal = u32::from(op_high != op_wide);
                let effort = 2 * u32::from(added > 0) + unequal + 3 * p.unsigned_abs() + 4 * k.unsigned_abs();
                found.push((effort + 5 * s.unsigned_abs(), changed));
            }
        }
    }
    found.sort_by_key(|(effort, _)| *effort);
    found.into_iter().map(|(_, network)| network).collect()
}

fn output_padding(old: Option<Axes>, added: usize, [high, wide]: [u32; 2], rank: usize) -> Option<Axes> {
    match added {
        0 => old,
        _ if high == wide => Some(Axes::all(high)),
        _ if rank == 2 => Some(Axes::each(&[high, wide])),
        _ => old,
    }
}

/// Moves padding, kernel and stride; false where that cannot be.
fn shift(window: &mut Window, p: i32, k: i32, s: i32) -> bool {
    let moved = |axes: Axes, by: i32, least: u32| -> Option<Axes> {
        let size = |size: &u32| size.checked_add_signed(by).filter(|&size| size >= least);
        axes.sizes().iter().map(size).collect::<Option<Vec<u32>>>().map(|sizes| Axes::each(&sizes))
    };
    let padding = match window.padding.clone() {
        Some(Padding::Zeros(axes)) => axes,
        Some(_) if p != 0 => return false,
        _ => Axes::all(0),
    };
    let kernel = window.kernel_size.clone().unwrap_or(Axes::all(3));
    let stride = window.stride.clone().unwrap_or(Axes::all(1));
    let (Some(padding), Some(kernel), Some(stride)) = (moved(padding, p, 0), moved(kernel, k, 1), moved(stride, s, 1))
    else {
        return false;
    };
    if p != 0 {
        window.padding = (padding != Axes::all(0)).then_some(Padding::Zeros(padding));
    }
    if k != 0 {
        window.kernel_size = Some(kernel);
    }
    if s != 0 {
        window.stride = Some(stride);
    }
    true
}

/// Output padding 1 wherever a transposed convolution enlarges: what a halved odd size lost.
fn doubled(network: &Network) -> Option<Network> {
    let mut changed = network.clone();
    let windows = changed.decoder.iter_mut().filter_map(window).filter(|(window, transposed)| {
        *transposed && window.stride.as_ref().is_some_and(|stride| stride.sizes().iter().all(|&size| size > 1))
    });
    windows.for_each(|(window, _)| window.output_padding = Some(Axes::all(1)));
    Some(changed)
}

/// A `crop` of what is too much or a `pad` of what is missing, appended.
fn margins(network: &Network) -> Option<Network> {
    let output = infer(network).output?;
    let pairs = output.spatial().iter().zip(network.input.spatial());
    let sides = |few: usize, many: usize| {
        let missing = u32::try_from(many.saturating_sub(few)).unwrap_or(u32::MAX);
        (missing / 2, missing - missing / 2)
    };
    let pad: Vec<(u32, u32)> = pairs.clone().map(|(&is, &wanted)| sides(is, wanted)).collect();
    let crop: Vec<(u32, u32)> = pairs.map(|(&is, &wanted)| sides(wanted, is)).collect();
    let mut changed = network.clone();
    for (word, sides) in [("pad", pad), ("crop", crop)] {
        let equal = sides.windows(2).all(|two| two[0] == two[1]);
        let sides = if equal { &sides[..sides.len().min(1)] } else { &sides[..] };
        if sides.iter().any(|&side| side != (0, 0)) {
            changed.decoder.push(Node::from_text(&format!("{word} {}", Margins::each(sides))));
        }
    }
    Some(changed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_least_change_is_named() {
        let nodes = |text: &str| text.split(';').map(Node::from_text).collect::<Vec<_>>();
        for (encoder, decoder, wanted) in [
            ("conv 8 k3 s2 p1", "convt 3 k3 s2 p1;sigmoid", "write `convt 3 k3 s2 p1 op1` at decoder.0"),
            ("conv 8 k3 s2 p1", "convt 1 k4 s2 p1", "write `convt 3 k4 s2 p1` at decoder.0"),
            ("conv 8 k3 s2 p1", "convt 8 k4 s2 p1;conv 3 k3", "write `conv 3 k3 p1` at decoder.1"),
            ("conv 8 k3 s2 p1", "convt 1 k3x4 s2 p1", "write `convt 3 k3x4 s2 p1 op1x0` at decoder.0"),
            ("conv 3 k5", "upsample 2", "append `crop 12` to the decoder"),
            ("conv 3 k5", "relu", "append `pad 2` to the decoder"),
            ("conv 8 k3 s2 p1", "flatten", "so that they give 3×32×32 (a vector instead of an image)"),
        ] {
            let (encoder, decoder) = (nodes(encoder), nodes(decoder));
            let network = Network { input: "3x32x32".parse().unwrap(), encoder, decoder, head: vec![] };
            let text = suggestion(&network, &infer(&network).output.unwrap());
            assert!(text.ends_with(wanted), "{text}");
        }
    }
}
