//! Input positions that no position of a sliding window reads: rows behind the last position, and cells that a stride
//! larger than the kernel steps over.

use crate::output_check::units;
use std::ops::Range;
use strata_core::format::count;
use strata_core::project::{Network, Place};
use strata_core::shape::infer::Inference;
use strata_core::shape::op::{Geometry, Op, Planned, PlannedLayer};

/// Positions of one axis that are never read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Unread {
    /// The positions, counted from 0, as runs in order; at most [`MOST_RUNS`] of them.
    pub runs: Vec<Range<usize>>,
    /// How many positions there are in all runs, those left out of the list included.
    pub cells: usize,
}

/// More runs than this are counted, not listed.
pub const MOST_RUNS: usize = 64;

/// Along longer axes with dilation only those after the last window are looked for.
const MOST_CELLS: usize = 1 << 13;

impl Unread {
    fn add(&mut self, run: Range<usize>) {
        if run.is_empty() {
            return;
        }
        self.cells = self.cells.saturating_add(run.len());
        let is_full = self.runs.len() >= MOST_RUNS;
        match self.runs.last_mut() {
            Some(last) if last.end == run.start => last.end = run.end,
            _ if !is_full => self.runs.push(run),
            _ => {}
        }
    }
}

/// What a window never reads of its input along one of the three axes (depth, height, width). The zeros around the
/// input are no loss and not counted.
pub fn unread(geometry: &Geometry, axis: usize) -> Unread {
    let (size, pad) = (geometry.input[axis], geometry.pad[axis]);
    let (stride, positions) = (geometry.stride[axis], geometry.output[axis]);
    let end = ((positions - 1).saturating_mul(stride))
        .saturating_add(geometry.reach(axis))
        .saturating_sub(pad)
        .min(size);
    let mut unread = Unread::default();
    match geometry.dilation[axis] {
        _ if geometry.kernel[axis] == 1 || geometry.dilation[axis] == 1 => {
            gaps(geometry, axis, &mut unread)
        }
        _ if size <= MOST_CELLS => {
            (0..end)
                .filter(|&cell| !is_read(geometry, axis, cell + pad))
                .for_each(|cell| unread.add(cell..cell + 1));
        }
        _ => {}
    }
    unread.add(end..size);
    unread
}

/// What a window without holes steps over: what is between the end of one window and the start of the next.
fn gaps(geometry: &Geometry, axis: usize, unread: &mut Unread) {
    let (size, pad, kernel) = (
        geometry.input[axis],
        geometry.pad[axis],
        geometry.kernel[axis],
    );
    let (stride, positions) = (geometry.stride[axis], geometry.output[axis]);
    if stride <= kernel {
        return;
    }
    // In cells of the padded input: where the last position ends, and how many are stepped over before a cell.
    let end = (positions - 1) * stride + kernel;
    let skipped = |cell: usize| {
        cell.min(end) / stride * (stride - kernel) + (cell.min(end) % stride).saturating_sub(kernel)
    };
    let gap = |position: usize| {
        let start = (position * stride + kernel).saturating_sub(pad);
        start.min(size)..((position + 1) * stride).saturating_sub(pad).min(size)
    };
    let first = pad / stride;
    (first..positions - 1)
        .take(MOST_RUNS + 1)
        .for_each(|position| unread.add(gap(position)));
    unread.cells = skipped(pad + size) - skipped(pad);
}

/// Whether some position reads a cell of the padded input through one of its taps.
fn is_read(geometry: &Geometry, axis: usize, cell: usize) -> bool {
    let (stride, dilation) = (geometry.stride[axis], geometry.dilation[axis]);
    let last = (geometry.output[axis] - 1) * stride;
    let first_tap = cell.saturating_sub(last).div_ceil(dilation);
    let last_tap = (cell / dilation).min(geometry.kernel[axis] - 1);
    (first_tap..=last_tap).any(|tap| (cell - tap * dilation).is_multiple_of(stride))
}

/// A layer that leaves something unread.
#[derive(Clone, Debug, PartialEq)]
pub struct UnreadLayer {
    /// Where it is.
    pub place: Place,
    /// Its text.
    pub text: String,
    /// By axis of its input, first after the channels.
    pub axes: Vec<Unread>,
    /// In words: `never reads the last row and the last column (its input: 15×15)`.
    pub sentence: String,
}

/// All layers of a network that leave cells unread, in the order of the text; a layer of a `repeat` once.
pub fn layers(network: &Network, inference: &Inference) -> Vec<UnreadLayer> {
    let Some(plan) = &inference.plan else {
        return Vec::new();
    };
    let mut found: Vec<UnreadLayer> = Vec::new();
    for stack in plan.stacks.iter().flatten() {
        visit(stack, &mut |layer| {
            let known = found.iter().any(|other| other.place == layer.place);
            found.extend((!known).then(|| of_layer(network, layer)).flatten());
        });
    }
    found.sort_by(|a, b| a.place.cmp(&b.place));
    found
}

fn visit(nodes: &[Planned], on: &mut dyn FnMut(&PlannedLayer)) {
    for node in nodes {
        match node {
            Planned::Layer(layer) => on(layer),
            Planned::Add {
                branches: lists, ..
            }
            | Planned::Concat {
                branches: lists, ..
            }
            | Planned::Repeat { passes: lists, .. } => {
                lists.iter().for_each(|list| visit(list, on))
            }
        }
    }
}

fn of_layer(network: &Network, layer: &PlannedLayer) -> Option<UnreadLayer> {
    let (Op::Conv { geometry, .. }
    | Op::SeparableConv { geometry, .. }
    | Op::MaxPool { geometry, .. }
    | Op::AvgPool { geometry, .. }) = &layer.op
    else {
        return None;
    };
    let rank = layer.input.rank();
    let axes: Vec<Unread> = (3usize.saturating_sub(rank)..3)
        .map(|axis| unread(geometry, axis))
        .collect();
    if axes.iter().all(|axis| axis.cells == 0) {
        return None;
    }
    let node = network.node(&layer.place);
    let text = node
        .map(strata_core::project::node::Node::text)
        .unwrap_or_default();
    let sentence = sentence(&text, layer, &axes);
    Some(UnreadLayer {
        place: layer.place.clone(),
        text,
        axes,
        sentence,
    })
}

fn sentence(text: &str, layer: &PlannedLayer, axes: &[Unread]) -> String {
    let rank = layer.input.rank();
    let each = axes
        .iter()
        .zip(layer.input.spatial())
        .zip(units(rank).iter().skip(1));
    let parts: Vec<String> = each
        .filter_map(|((unread, &size), unit)| phrase(unread, size, unit))
        .collect();
    let sizes = layer
        .input
        .spatial()
        .iter()
        .map(usize::to_string)
        .collect::<Vec<_>>()
        .join("×");
    format!(
        "`{text}` at {} never reads {} (its input: {sizes})",
        layer.place,
        parts.join(" and ")
    )
}

/// `the last row`, `the last 2 columns`, `every third row`, `12 of 30 columns`
fn phrase(unread: &Unread, size: usize, unit: &str) -> Option<String> {
    match unread.runs.as_slice() {
        [] => None,
        [one] if one.end == size && one.len() == 1 => Some(format!("the last {unit}")),
        [one] if one.end == size => Some(format!("the last {} {unit}s", count(one.len() as u64))),
        _ => Some(format!(
            "{} of {} {unit}s",
            count(unread.cells as u64),
            count(size as u64)
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use strata_core::shape::infer;
    use strata_testkit::networks::network;

    fn of(input: &str, text: &str) -> Vec<UnreadLayer> {
        let network = network(input, &[text], &[], &[]);
        let inference = infer(&network);
        assert!(inference.errors().next().is_none(), "{text}");
        layers(&network, &inference)
    }

    /// Every position and tap written out.
    fn brute(geometry: &Geometry, axis: usize) -> Vec<usize> {
        let mut read = vec![false; geometry.input[axis]];
        for position in 0..geometry.output[axis] {
            for tap in 0..geometry.kernel[axis] {
                let cell = position * geometry.stride[axis] + tap * geometry.dilation[axis];
                let cell = cell.checked_sub(geometry.pad[axis]);
                cell.and_then(|cell| read.get_mut(cell))
                    .into_iter()
                    .for_each(|read| *read = true);
            }
        }
        (0..read.len()).filter(|&cell| !read[cell]).collect()
    }

    #[test]
    fn unread_cells_are_those_that_no_tap_of_any_position_meets() {
        for n in 1..24 {
            for (k, s, p, d) in (0..192).map(|i| (i % 4 + 1, i / 4 % 4 + 1, i / 16 % 3, i / 48 + 1))
            {
                let layer: strata_core::project::layer::Layer =
                    format!("conv 1 k{k} s{s} p{p} d{d}").parse().unwrap();
                let shape = strata_core::project::size::Shape::new(&[1, n]).unwrap();
                let resolved =
                    strata_core::shape::rules::resolve(&layer.kind, &shape, &Default::default());
                let Ok(Op::Conv { geometry, .. }) = resolved.map(|resolved| resolved.op) else {
                    continue;
                };
                let found = unread(&geometry, 2);
                let cells: Vec<usize> = found.runs.iter().cloned().flatten().collect();
                assert_eq!(cells, brute(&geometry, 2), "n{n} k{k} s{s} p{p} d{d}");
                assert_eq!(found.cells, cells.len());
            }
        }
    }

    #[test]
    fn long_axes_are_counted_and_not_listed() {
        let found = of("1x1000000", "conv 1 k1 s4");
        assert_eq!(
            (found[0].axes[0].cells, found[0].axes[0].runs.len()),
            (750_000, MOST_RUNS)
        );
        assert!(
            found[0]
                .sentence
                .ends_with("never reads 750,000 of 1,000,000 samples (its input: 1000000)")
        );
    }

    #[test]
    fn what_is_unread_is_named() {
        for (input, text, sentence) in [
            (
                "1x7",
                "conv 1 k3 s3",
                "`conv 1 k3 s3` at encoder.0 never reads the last sample (its input: 7)",
            ),
            (
                "1x15x15",
                "maxpool 2",
                "`maxpool 2` at encoder.0 never reads the last row and the last column (its input: 15×15)",
            ),
            (
                "1x15x16",
                "maxpool 2",
                "`maxpool 2` at encoder.0 never reads the last row (its input: 15×16)",
            ),
            (
                "1x9x9",
                "conv 1 k1 s2",
                "`conv 1 k1 s2` at encoder.0 never reads 4 of 9 rows and 4 of 9 columns (its input: 9×9)",
            ),
            (
                "1x5x9x9",
                "avgpool 2",
                "`avgpool 2` at encoder.0 never reads the last slice and the last row and the last column (its input: 5×9×9)",
            ),
        ] {
            assert_eq!(of(input, text)[0].sentence, sentence);
        }
        assert!(
            of("1x32x32", "conv 1 k3 s2 p1").is_empty(),
            "the row left over is one of zeros"
        );
        assert!(of("1x32x32", "conv 1 k3 s2 same").is_empty());
    }
}
