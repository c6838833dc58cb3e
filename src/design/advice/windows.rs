//! Advice about sliding windows: what they never read, kernels without a centre, poolings that can't be undone well.

use super::case::Case;
use super::{Advice, OF_A_KIND, after};
use strata_core::project::edit::Edit;
use strata_core::project::layer::{Kind, Layer};
use strata_core::project::node::Node;
use strata_core::project::size::{Axes, Padding};
use strata_core::project::stage::Task;
use strata_core::project::target::node_at;
use strata_core::project::{Place, Project, Stack};
use strata_core::shape::infer::{Inference, infer};
use strata_core::shape::op::{Geometry, Op, PlannedLayer};

/// How much larger a kernel may get to read all.
const MOST_GROWN: usize = 3;

/// Positions of each axis that no window reads, and the axis's size.
fn unread_cells(geometry: &Geometry) -> [(usize, usize); 3] {
    [0, 1, 2].map(|axis| {
        let (size, stride, span) = (
            geometry.input[axis],
            geometry.stride[axis],
            geometry.reach(axis),
        );
        let end = ((geometry.output[axis] - 1) * stride + span).saturating_sub(geometry.pad[axis]);
        let between = (geometry.output[axis] - 1) * stride.saturating_sub(span);
        ((size.saturating_sub(end) + between).min(size), size)
    })
}

/// Rows and columns that a stride steps over.
pub fn unread(case: &Case<'_>) -> Vec<Advice> {
    case.planned()
        .into_iter()
        .filter_map(|layer| stepped_over(case, layer))
        .take(OF_A_KIND)
        .collect()
}

/// A pixel that an autoencoder never reads can't come back; a classifier can do without one in ten.
fn matters(case: &Case<'_>, layer: &PlannedLayer) -> bool {
    let Some(geometry) = layer.op.slides() else {
        return false;
    };
    // Every second pixel of a shortcut is left out by design (ResNet).
    let is_shortcut = geometry.kernel == [1; 3] && layer.place.path.len() > 1;
    let rebuilds = layer.place.stack == Stack::Encoder
        && !case.project.network.decoder.is_empty()
        && case
            .project
            .stages
            .iter()
            .any(|stage| stage.task == Task::Reconstruct);
    let counts = |(unread, size): (usize, usize)| {
        unread > 0 && (rebuilds || unread.saturating_mul(10) >= size)
    };
    !is_shortcut && unread_cells(geometry).into_iter().any(counts)
}

fn stepped_over(case: &Case<'_>, layer: &PlannedLayer) -> Option<Advice> {
    let geometry = layer.op.slides().filter(|_| matters(case, layer))?;
    let text = case.row(&layer.place)?.text.clone();
    let message = format!(
        "`{text}` never reads {} of its {} input",
        listing(geometry, &layer.input),
        layer.input
    );
    let why = "The window steps by its stride and stops before the end, or jumps over what lies between: what stands \
         there cannot reach the code, and a decoder can only guess it.";
    let advice = Advice::new(message, why).at(&layer.place);
    Some(match wider(case, layer) {
        Some((label, edit)) => advice.fix(label, edit),
        None => advice,
    })
}

/// `1 row and 1 column`
fn listing(geometry: &Geometry, input: &strata_core::project::size::Shape) -> String {
    let units: &[&str] = match input.rank() {
        1 => &["", "", "sample"],
        2 => &["", "row", "column"],
        _ => &["slice", "row", "column"],
    };
    let cells = unread_cells(geometry)
        .into_iter()
        .zip(units)
        .filter(|((unread, _), unit)| *unread > 0 && !unit.is_empty());
    let one = |((unread, _), unit): ((usize, usize), &&str)| {
        format!("{unread} {unit}{}", if unread == 1 { "" } else { "s" })
    };
    cells.map(one).collect::<Vec<_>>().join(" and ")
}

/// The smallest change of the window after which it reads everything: more padding, or a larger kernel.
fn wider(case: &Case<'_>, layer: &PlannedLayer) -> Option<(String, Edit)> {
    let place = Some(&layer.place).filter(|_| !case.is_large())?;
    let Node::Layer(written) = node_at(case.project.network.stack(place.stack), &place.path)?
    else {
        return None;
    };
    let geometry = layer.op.slides()?;
    let grown =
        |sizes: [usize; 3], by: usize| axes(&sizes[3 - layer.input.rank().clamp(1, 3)..], by);
    let padded = grown(geometry.pad, 1)
        .and_then(|pad| with(written, |w| w.padding = Some(Padding::Zeros(pad))));
    let enlarged = (1..=MOST_GROWN).filter_map(|by| {
        let (kernel, stride) = (grown(geometry.kernel, by)?, grown(geometry.stride, 0));
        with(written, |w| {
            (w.kernel_size, w.stride) = (Some(kernel), stride)
        })
    });
    let same = with(written, |w| w.padding = Some(Padding::Same));
    let tried = padded.into_iter().chain(enlarged).chain(same);
    let mut edits = tried.map(|layer| {
        (
            layer.to_string(),
            Edit::Replace(place.clone(), Node::Layer(layer)),
        )
    });
    let (text, edit) = edits.find(|(_, edit)| mends(case, place, edit))?;
    Some((format!("write {text} at {place}"), edit))
}

/// Sizes by axis, each larger by so much.
fn axes(sizes: &[usize], by: usize) -> Option<Axes> {
    let sizes: Option<Vec<u32>> = sizes
        .iter()
        .map(|&size| u32::try_from(size.checked_add(by)?).ok())
        .collect();
    let sizes = sizes?;
    let first = *sizes.first()?;
    Some(if sizes.iter().all(|size| *size == first) {
        Axes::all(first)
    } else {
        Axes::each(&sizes)
    })
}

fn with(
    layer: &Layer,
    change: impl FnOnce(&mut strata_core::project::layer::Window),
) -> Option<Layer> {
    let mut layer = layer.clone();
    change(layer.kind.window_mut()?);
    Some(layer)
}

/// Whether the window reads everything then, and no shape goes wrong for it.
fn mends(case: &Case<'_>, place: &Place, edit: &Edit) -> bool {
    let Some((next, problems)) = after(case.project, edit) else {
        return false;
    };
    let inference = infer(&next.network);
    super::adds_no_error(case.problems(), &problems) && quiet_at(&next, &inference, place)
}

fn quiet_at(project: &Project, inference: &Inference, place: &Place) -> bool {
    let case = Case::new(project, inference);
    let layers = case.planned();
    let quiet = layers.iter().any(|layer| layer.place == *place)
        && !layers
            .iter()
            .any(|layer| layer.place == *place && matters(&case, layer));
    // An unpooling puts the maxima of windows that overlap on top of each other.
    quiet && !overlaps(&case).iter().any(|pool| pool.place == *place)
}

/// A kernel of even size that is padded as if it had a centre.
pub(crate) fn even_kernel(case: &Case<'_>) -> Vec<Advice> {
    case.planned()
        .into_iter()
        .filter_map(|layer| centreless(case, layer))
        .collect()
}

fn centreless(case: &Case<'_>, layer: &PlannedLayer) -> Option<Advice> {
    let (Op::Conv { geometry, .. } | Op::SeparableConv { geometry, .. }) = &layer.op else {
        return None;
    };
    let own = 3 - layer.input.rank().clamp(1, 3)..3;
    let is_even = |axis: usize| {
        let (kernel, pad) = (geometry.kernel[axis], geometry.pad[axis]);
        kernel % 2 == 0
            && 2 * pad == kernel
            && geometry.stride[axis] == 1
            && geometry.dilation[axis] == 1
    };
    if !own.clone().all(is_even) {
        return None;
    }
    let odd = axes(&geometry.kernel[own], 1)?;
    let (place, text) = (&layer.place, case.row(&layer.place)?.text.clone());
    let message =
        format!("`{text}` makes its input one larger: a kernel of even size has no centre");
    let why = "With k even, p = k/2 gives N + 1 outputs, each half a pixel beside its input; with k odd it gives N, \
         and every output lies over its own input (Dumoulin and Visin 2016, section 2.3).";
    let advice = Advice::new(message, why).at(place);
    let node = node_at(case.project.network.stack(place.stack), &place.path);
    let Some(Node::Layer(written)) = node else {
        return Some(advice);
    };
    let Some(layer) = with(written, |window| window.kernel_size = Some(odd)) else {
        return Some(advice);
    };
    Some(advice.fix(
        format!("write {layer} at {place}"),
        Edit::Replace(place.clone(), Node::Layer(layer)),
    ))
}

/// Max poolings whose windows overlap and that an `unpool` undoes.
fn overlaps<'a>(case: &Case<'a>) -> Vec<&'a PlannedLayer> {
    let layers = case.planned();
    let undone: Vec<usize> = layers.iter().filter_map(|layer| unpooled(layer)).collect();
    let overlaps = |layer: &&&PlannedLayer| match &layer.op {
        Op::MaxPool { geometry, slot } => {
            undone.contains(slot) && (0..3).any(|axis| geometry.reach(axis) > geometry.stride[axis])
        }
        _ => false,
    };
    layers.iter().filter(overlaps).copied().collect()
}

/// Where an `unpool` finds the indices of its pooling.
pub(super) fn unpooled(layer: &PlannedLayer) -> Option<usize> {
    match &layer.op {
        Op::Unpool { slot, .. } => Some(*slot),
        _ => None,
    }
}

/// Windows that overlap can take the same maximum: unpooled, it appears there once and its neighbours nowhere.
pub(crate) fn overlapping_pool(case: &Case<'_>) -> Vec<Advice> {
    overlaps(case)
        .into_iter()
        .filter_map(|layer| overlapping(case, layer))
        .collect()
}

fn overlapping(case: &Case<'_>, layer: &PlannedLayer) -> Option<Advice> {
    let (place, text) = (&layer.place, case.row(&layer.place)?.text.clone());
    let message = format!("the windows of `{text}` overlap, and an unpool undoes it");
    let why = "Two windows can take the same maximum; unpooling then writes two values to one place and keeps the \
         last (PyTorch, MaxUnpool2d). With k = s each window has places of its own.";
    let advice = Advice::new(message, why).at(place);
    let node = node_at(case.project.network.stack(place.stack), &place.path);
    let Some(Node::Layer(written)) = node else {
        return Some(advice);
    };
    let apart = with(written, |window| {
        window.kernel_size = window.stride.take();
        window.padding = None;
        window.dilation = None;
    });
    let Some(layer) = apart.filter(
        |layer| matches!(&layer.kind, Kind::MaxPool { window } if window.kernel_size.is_some()),
    ) else {
        return Some(advice);
    };
    Some(advice.fix(
        format!("write {layer} at {place}"),
        Edit::Replace(place.clone(), Node::Layer(layer)),
    ))
}

/// Unpoolings by name that undo the poolings in another order than backwards.
pub(crate) fn crossed_pairs(case: &Case<'_>) -> Vec<Advice> {
    crossed(case).into_iter().collect()
}

fn crossed(case: &Case<'_>) -> Option<Advice> {
    let layers: Vec<_> = case
        .planned()
        .into_iter()
        .filter(|layer| layer.place.stack == Stack::Decoder)
        .collect();
    let undone: Vec<_> = layers
        .into_iter()
        .filter_map(|layer| Some((unpooled(layer)?, layer)))
        .collect();
    let (_, wrong) = undone.windows(2).find_map(|pair| match pair {
        [(first, _), (second, layer)] if second > first => Some((second, *layer)),
        _ => None,
    })?;
    let place = &wrong.place;
    let message = format!(
        "`{}` at {place} undoes a later pooling than the unpool before it",
        case.row(place)?.text
    );
    let why = "A decoder goes back the way the encoder came: the last pooling is undone first. In another order the \
         values are put where the maxima of another level were (Zeiler et al. 2011; SegNet).";
    let advice = Advice::new(message, why).at(place);
    let mut project = case.project.clone();
    for (_, layer) in &undone {
        let plain = Node::from_text("unpool");
        project = Edit::Replace(layer.place.clone(), plain)
            .apply(&project)
            .unwrap_or(project);
    }
    Some(advice.fix(
        "leave the names of the unpools out",
        Edit::All(Box::new(project)),
    ))
}
