//! The layer that multiplies by the transposed matrix: of a convolution the transposed convolution, and back.
//!
//! Nothing is claimed: a partner is named only where inference gives it the very same geometry.

use strata_core::project::layer::{Kind, Layer, Window};
use strata_core::project::size::{Axes, Padding, Shape};
use strata_core::shape::layers::Effort;
use strata_core::shape::layers::facts::KernelSizes;
use strata_core::shape::op::{Geometry, Op};
use strata_core::shape::rules::{self, Context};

/// The text of the partner; `None` where no layer does just that.
pub(crate) fn transpose_of(kind: &Kind, op: &Op, input: &Shape, output: &Shape) -> Option<String> {
    let kernel = only_kernel(op, input, output)?;
    let geometry = &kernel.geometry;
    let to_transposed = !kernel.transposed;
    let channels = if to_transposed {
        kernel.large
    } else {
        kernel.small
    };
    let groups = kernel.groups;
    let written = Window {
        output_padding: None,
        ..kind.window()?.clone()
    };
    let output_padding = if to_transposed {
        left_over(geometry, output.rank(), &written)
    } else {
        None
    };
    let window = Window {
        output_padding,
        ..written
    };
    let (out_channels, bias) = (u32::try_from(channels).ok()?, true);
    let groups = (groups > 1).then(|| u32::try_from(groups).ok()).flatten();
    let kind = match to_transposed {
        true => Kind::ConvTranspose {
            out_channels,
            window,
            groups,
            bias,
        },
        false => Kind::Conv {
            out_channels,
            window,
            groups,
            bias,
        },
    };
    let resolved = rules::resolve(&kind, output, &Context::default()).ok()?;
    let found = only_kernel(&resolved.op, output, &resolved.output)?;
    let is_same = found.transposed == to_transposed && found.geometry == *geometry;
    is_same.then(|| Layer { kind, name: None }.to_string())
}

/// The kernel of a layer that computes nothing else.
fn only_kernel(op: &Op, input: &Shape, output: &Shape) -> Option<KernelSizes> {
    match op.effort(input, output) {
        Effort::Kernels(kernel, None) => Some(kernel),
        Effort::Kernels(_, Some(_))
        | Effort::Nothing
        | Effort::Reorders
        | Effort::Elementwise
        | Effort::Windows { .. }
        | Effort::GlobalMaximum
        | Effort::Map { .. }
        | Effort::BatchStatistics { .. }
        | Effort::ImageStatistics { .. }
        | Effort::Draws { .. } => None,
    }
}

/// The output padding that makes up for what the floor dropped.
fn left_over(geometry: &Geometry, rank: usize, window: &Window) -> Option<Axes> {
    if window.padding == Some(Padding::Same) {
        return None;
    }
    let rest = |axis: usize| {
        let reach = (geometry.output[axis] - 1) * geometry.stride[axis] + geometry.reach(axis);
        u32::try_from((geometry.input[axis] + 2 * geometry.pad[axis]).saturating_sub(reach))
            .unwrap_or(u32::MAX)
    };
    let rests: Vec<u32> = (3 - rank.min(3)..3).map(rest).collect();
    match rests.as_slice() {
        rests if rests.iter().all(|&rest| rest == 0) => None,
        [first, others @ ..] if others.iter().all(|other| other == first) => {
            Some(Axes::all(*first))
        }
        rests => Some(Axes::each(rests)),
    }
}
