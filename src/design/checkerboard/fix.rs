//! What to write instead of an uneven transposed convolution: a kernel that the stride divides, or upsampling
//! with an ordinary convolution behind it. Where stride and dilation have a common factor no kernel is even: there the
//! dilation goes. Only what inference confirms to keep every shape is offered, if it is even and makes no constant
//! border.

use super::taps::gcd;
use super::uneven;
use crate::constant_borders::constant_borders;
use strata_core::project::layer::{Kind, Layer, Window};
use strata_core::project::node::Node;
use strata_core::project::size::{Axes, MAX_SIZE, Padding};
use strata_core::project::{Network, Place};
use strata_core::shape::infer::{Inference, infer};
use strata_core::shape::op::{Op, PlannedLayer};

/// Layers to write instead of one.
#[derive(Clone, Debug, PartialEq)]
pub struct Fix {
    /// The layers.
    pub nodes: Vec<Node>,
    /// The network with them.
    pub network: Network,
}

impl Fix {
    /// The layers' texts: `convt 16 k4 s2 p1`, or `upsample 2` and `conv 16 k3 p1`.
    pub fn texts(&self) -> Vec<String> {
        self.nodes.iter().map(Node::text).collect()
    }
}

/// The fixes of one layer, best first.
pub(crate) fn fixes(network: &Network, inference: &Inference, layer: &PlannedLayer) -> Vec<Fix> {
    let Some(Node::Layer(written)) = network.node(&layer.place) else {
        return Vec::new();
    };
    let kernels = [true, false]
        .into_iter()
        .filter_map(|up| with_kernel(written, layer, up));
    let mut all: Vec<Vec<Layer>> = kernels.map(|layer| vec![layer]).collect();
    all.dedup();
    all.extend(upsampled(written, layer));
    let node = |layers: Vec<Layer>| layers.into_iter().map(Node::Layer).collect::<Vec<_>>();
    all.into_iter()
        .filter_map(|layers| confirmed(network, inference, &layer.place, node(layers)))
        .collect()
}

/// The fix, if every shape that follows stays as it was.
fn confirmed(
    network: &Network,
    inference: &Inference,
    place: &Place,
    nodes: Vec<Node>,
) -> Option<Fix> {
    let mut changed = network.clone();
    let (siblings, index) = changed.siblings_mut(place)?;
    siblings.get(index)?;
    siblings.splice(index..=index, nodes.iter().cloned());
    let after = infer(&changed);
    let mut last = place.clone();
    *last.path.last_mut()? += nodes.len() - 1;
    let output = |inference: &Inference, place: &Place| inference.row(place)?.output.clone();
    let replaced = |at: &Place| place <= at && *at <= last && at.path.len() == last.path.len();
    let same = output(&after, &last) == output(inference, place)
        && !uneven(&after).iter().any(replaced)
        && constant_borders(&after).len() <= constant_borders(inference).len()
        && (&after.code, &after.output, &after.answer)
            == (&inference.code, &inference.output, &inference.answer)
        && after.errors().count() == inference.errors().count();
    same.then_some(Fix {
        nodes,
        network: changed,
    })
}

/// One axis of the layer.
struct Axis {
    input: i64,
    output: i64,
    kernel: i64,
    stride: i64,
    dilation: i64,
}

impl Axis {
    /// Without a dilation that no kernel is even with, and a kernel as wide as the taps were.
    fn without_dilation(self) -> Axis {
        let shares = gcd(self.stride as usize, self.dilation as usize) > 1;
        match shares {
            true => Axis {
                kernel: (self.kernel - 1) * self.dilation + 1,
                dilation: 1,
                ..self
            },
            false => self,
        }
    }
}

fn axes(layer: &PlannedLayer) -> Option<Vec<Axis>> {
    let Op::ConvTranspose { geometry, .. } = &layer.op else {
        return None;
    };
    let of = |sizes: &[usize; 3], axis: usize| sizes[axis] as i64;
    let axis = |axis: usize| Axis {
        input: of(&geometry.output, axis),
        output: of(&geometry.input, axis),
        kernel: of(&geometry.kernel, axis),
        stride: of(&geometry.stride, axis),
        dilation: of(&geometry.dilation, axis),
    };
    Some((3 - layer.input.rank()..3).map(axis).collect())
}

/// The same layer with the next larger (or smaller) kernel that the stride divides, and the padding for it.
fn with_kernel(written: &Layer, layer: &PlannedLayer, larger: bool) -> Option<Layer> {
    let axes: Vec<Axis> = axes(layer)?
        .into_iter()
        .map(Axis::without_dilation)
        .collect();
    let kernel = |axis: &Axis| {
        let times = if larger {
            (axis.kernel + axis.stride - 1) / axis.stride
        } else {
            axis.kernel / axis.stride
        };
        (times.max(1) * axis.stride).min(i64::from(MAX_SIZE))
    };
    let kernels: Vec<i64> = axes.iter().map(kernel).collect();
    let dilations: Vec<i64> = axes.iter().map(|axis| axis.dilation).collect();
    let mut changed = written.clone();
    let Kind::ConvTranspose { window, .. } = &mut changed.kind else {
        return None;
    };
    window.kernel_size = each(&kernels)?;
    window.dilation = each(&dilations)?.filter(|_| dilations.iter().any(|&size| size > 1));
    if window.padding != Some(Padding::Same) {
        // What the padding takes away on both sides, less what output_padding adds.
        let spare = |(axis, kernel): (&Axis, &i64)| {
            (axis.input - 1) * axis.stride + axis.dilation * (kernel - 1) + 1 - axis.output
        };
        let spare: Vec<i64> = axes.iter().zip(&kernels).map(spare).collect();
        let pads: Vec<i64> = spare.iter().map(|spare| (spare.max(&0) + 1) / 2).collect();
        let extra: Vec<i64> = pads
            .iter()
            .zip(&spare)
            .map(|(pad, spare)| 2 * pad - spare)
            .collect();
        window.padding = zeros(&pads)?;
        window.output_padding = each(&extra)?.filter(|_| extra.iter().any(|&extra| extra > 0));
    }
    Some(changed)
}

/// `upsample` by the stride, and a convolution that makes up for the size.
fn upsampled(written: &Layer, layer: &PlannedLayer) -> Option<Vec<Layer>> {
    let axes = axes(layer)?;
    let Kind::ConvTranspose {
        out_channels,
        groups,
        bias,
        ..
    } = &written.kind
    else {
        return None;
    };
    // A kernel of 3 (4 where an odd number of cells is to come or go), larger where more are to come or go: one
    // that reaches from every output to the image.
    let missing = |axis: &Axis| axis.output - axis.input * axis.stride;
    let kernel = |axis: &Axis| match missing(axis) {
        missing if missing % 2 == 0 => (1 + missing.abs()).max(3),
        missing => (1 + missing.abs()).max(4),
    };
    let kernels: Vec<i64> = axes.iter().map(kernel).collect();
    let pads: Vec<i64> = axes
        .iter()
        .zip(&kernels)
        .map(|(axis, k)| (missing(axis) + k - 1) / 2)
        .collect();
    let strides: Vec<i64> = axes.iter().map(|axis| axis.stride).collect();
    let window = Window {
        kernel_size: each(&kernels)?,
        padding: zeros(&pads)?,
        ..Window::default()
    };
    let conv = Kind::Conv {
        out_channels: *out_channels,
        window,
        groups: *groups,
        bias: *bias,
    };
    let upsample = Layer {
        kind: Kind::Upsample {
            factor: each(&strides)??,
            bilinear: false,
        },
        name: None,
    };
    Some(vec![
        upsample,
        Layer {
            kind: conv,
            name: written.name.clone(),
        },
    ])
}

fn zeros(sizes: &[i64]) -> Option<Option<Padding>> {
    Some(
        each(sizes)?
            .filter(|_| sizes.iter().any(|&size| size > 0))
            .map(Padding::Zeros),
    )
}

/// One number where all are equal, else one for each axis; `None` where one is out of range.
fn each(sizes: &[i64]) -> Option<Option<Axes>> {
    let sizes = sizes
        .iter()
        .map(|&size| u32::try_from(size).ok())
        .collect::<Option<Vec<_>>>()?;
    let first = *sizes.first()?;
    Some(Some(if sizes.iter().all(|&size| size == first) {
        Axes::all(first)
    } else {
        Axes::each(&sizes)
    }))
}
