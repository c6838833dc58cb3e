//! Advice about layers that follow each other.

use super::Advice;
use super::case::{Case, List, is_dropout, is_linear};
use strata_core::project::Place;
use strata_core::project::edit::Edit;
use strata_core::project::layer::{Kind, Window};
use strata_core::project::node::Node;
use strata_core::shape::layers::Linearity;

fn linearity(node: &Node) -> Linearity {
    match node {
        Node::Layer(layer) => layer.kind.linearity(),
        Node::Broken { .. } | Node::Add(_) | Node::Concat(_) | Node::Repeat { .. } => {
            Linearity::Nonlinear
        }
    }
}

/// Two layers with weights and nothing nonlinear between: together they are one.
pub(crate) fn no_nonlinearity(case: &Case<'_>) -> Vec<Advice> {
    case.lists
        .iter()
        .flat_map(|list| in_list(case, list))
        .collect()
}

fn in_list(case: &Case<'_>, list: &List<'_>) -> Vec<Advice> {
    let mut found = Vec::new();
    let mut before: Option<usize> = None;
    for (index, node) in list.nodes.iter().enumerate() {
        match linearity(node) {
            Linearity::Weighted => {
                let pair = before.replace(index).map(|first| (first, index));
                found.extend(
                    pair.filter(|&pair| is_idle(case, list, pair))
                        .map(|pair| merged(list, pair)),
                );
            }
            Linearity::Weightless => {}
            Linearity::Nonlinear => before = None,
        }
    }
    let first = list
        .nodes
        .iter()
        .position(|node| linearity(node) != Linearity::Weightless);
    let first =
        first.filter(|&index| list.repeats && linearity(&list.nodes[index]) == Linearity::Weighted);
    let wrapped = before.zip(first).filter(|&pair| is_idle(case, list, pair));
    found.extend(wrapped.map(|(last, first)| next_pass(list, last, first)));
    found
}

/// Whether the pair is no known design without a nonlinearity between.
fn is_idle(case: &Case<'_>, list: &List<'_>, (first, second): (usize, usize)) -> bool {
    let rows = (case.row(&list.place(first)), case.row(&list.place(second)));
    let (Some(one), Some(other)) = rows else {
        return false;
    };
    let sizes = |row: &strata_core::shape::Row| {
        Some((
            row.input.as_ref()?.channels(),
            row.output.as_ref()?.channels(),
        ))
    };
    let (Some((before, between)), Some((_, after))) = (sizes(one), sizes(other)) else {
        return false;
    };
    let (Some(first), Some(second)) = (list.kind(first), list.kind(second)) else {
        return false;
    };
    // A narrow middle is intended: a linear bottleneck (Sandler et al. 2018), a linear code.
    let is_bottleneck = between < before && between < after && is_pointwise(first);
    !(is_bottleneck || is_separated(first) || is_separated(second) || are_crosswise(first, second))
}

fn is_pointwise(kind: &Kind) -> bool {
    let has_one_cell = |window: &Window| {
        let kernel = window.kernel_size.as_ref();
        kernel.is_some_and(|kernel| kernel.sizes().iter().all(|&k| k == 1))
    };
    matches!(kind, Kind::Dense { .. })
        || matches!(kind, Kind::Conv { window, .. } if has_one_cell(window))
}

/// Depthwise and grouped convolutions are followed by one that mixes: the two replace one (MobileNet, Xception).
fn is_separated(kind: &Kind) -> bool {
    matches!(kind, Kind::DepthwiseConv { .. })
        || matches!(kind, Kind::Conv { groups, .. } | Kind::ConvTranspose { groups, .. } if groups.unwrap_or(1) > 1)
}

/// `k1x3` and `k3x1`: one kernel in two factors.
fn are_crosswise(first: &Kind, second: &Kind) -> bool {
    let kernel = |kind: &Kind| {
        let Kind::Conv { window, .. } = kind else {
            return None;
        };
        let kernel = window.kernel_size.as_ref()?;
        Some(kernel.sizes().to_vec())
    };
    let (Some(a), Some(b)) = (kernel(first), kernel(second)) else {
        return false;
    };
    a.len() > 1 && a.len() == b.len() && a.iter().zip(&b).all(|(a, b)| (*a == 1) != (*b == 1))
}

const WHY_NONLINEAR: &str = "Two linear layers in a row can learn no more than one: without a nonlinearity between, \
     depth adds nothing (Goodfellow et al. 2016, Deep Learning, section 6.1).";

fn merged(list: &List<'_>, (first, second): (usize, usize)) -> Advice {
    let message = format!(
        "`{}` follows `{}` with nothing nonlinear between",
        list.nodes[second].label(),
        list.nodes[first].label()
    );
    // After batch norm, as usual.
    let normed = matches!(list.kind(first + 1), Some(Kind::BatchNorm));
    insert_relu(
        message,
        &list.place(second),
        list.place(first + 1 + usize::from(normed)),
    )
}

fn next_pass(list: &List<'_>, last: usize, first: usize) -> Advice {
    let message = format!(
        "`{}` of the next pass follows `{}` with nothing nonlinear between",
        list.nodes[first].label(),
        list.nodes[last].label()
    );
    insert_relu(message, &list.place(last), list.place(list.nodes.len()))
}

fn insert_relu(message: String, place: &Place, at: Place) -> Advice {
    let label = format!("insert relu at {at}");
    Advice::new(message, WHY_NONLINEAR)
        .at(place)
        .fix(label, Edit::Insert(at, Node::from_text("relu")))
}

pub(crate) fn double_activation(case: &Case<'_>) -> Vec<Advice> {
    let mut found = Vec::new();
    for list in &case.lists {
        let mut before: Option<usize> = None;
        for index in 0..list.nodes.len() {
            let kind = list.kind(index);
            if kind.is_some_and(Kind::is_activation) {
                let first = before.replace(index);
                found.extend(first.map(|first| doubled(list, first, index)));
            } else if !kind.is_some_and(|kind| *kind == Kind::Identity || is_dropout(kind)) {
                before = None;
            }
        }
    }
    found
}

fn doubled(list: &List<'_>, first: usize, second: usize) -> Advice {
    let (one, other) = (list.nodes[first].text(), list.nodes[second].text());
    let (gone, why) = if one == other {
        (
            second,
            format!(
                "A second `{other}` bends again what is bent already, and can only lose some of it."
            ),
        )
    } else {
        let why = format!(
            "`{other}` sees only what `{one}` lets through: the first takes away part of its input."
        );
        (first, why)
    };
    let place = list.place(gone);
    let label = format!("remove {} at {place}", list.nodes[gone].text());
    let message = format!("two activations in a row: `{one}`, `{other}`");
    Advice::new(message, why)
        .at(&list.place(second))
        .fix(label, Edit::Remove(place))
}

/// Dropout changes the variance that batch norm has learnt to expect.
pub(crate) fn dropout_before_norm(case: &Case<'_>) -> Vec<Advice> {
    case.lists
        .iter()
        .flat_map(|list| (0..list.nodes.len()).filter_map(|index| shifted(list, index)))
        .collect()
}

fn shifted(list: &List<'_>, dropout: usize) -> Option<Advice> {
    list.kind(dropout).filter(|kind| is_dropout(kind))?;
    let mut end = norm_after(list, dropout)?;
    let norm = list.place(end);
    // Behind every norm that would come after it, and the activation of the last.
    while let Some(next) = norm_after(list, end) {
        end = next;
    }
    if list.kind(end + 1).is_some_and(Kind::is_function) {
        end += 1;
    }
    let (place, text) = (list.place(dropout), list.nodes[dropout].text());
    let why = "While training, dropout changes the variance of its outputs, when evaluating it does not: the running \
         variance of the batch norm behind it is then wrong (Li, Chen, Hu and Yang 2018).";
    let label = format!("move {text} behind {}", list.place(end));
    let advice = Advice::new(
        format!("`{text}` stands before the batch norm at {norm}"),
        why,
    )
    .at(&place);
    Some(advice.fix(label, Edit::Move(place, end)))
}

/// The next batch norm, at most one layer with weights away.
fn norm_after(list: &List<'_>, from: usize) -> Option<usize> {
    let mut weights = 0;
    for index in from + 1..list.nodes.len() {
        match list.kind(index)? {
            Kind::BatchNorm => return Some(index),
            kind if is_linear(kind) && weights > 0 => return None,
            kind => weights += usize::from(is_linear(kind)),
        }
    }
    None
}

/// A bias that batch norm subtracts again.
pub(crate) fn bias_before_norm(case: &Case<'_>) -> Vec<Advice> {
    let mut found = Vec::new();
    for list in &case.lists {
        for index in 0..list.nodes.len().saturating_sub(1) {
            let normed = matches!(list.kind(index + 1), Some(Kind::BatchNorm));
            found.extend(
                without_bias(list, index)
                    .filter(|_| normed)
                    .map(|node| (list.place(index), node)),
            );
        }
    }
    found.sort_by(|(a, _), (b, _)| a.cmp(b));
    let Some((place, node)) = found.first() else {
        return Vec::new();
    };
    let why = "Batch norm subtracts each channel's mean, and any bias with it; its own β does the bias's work \
         (Ioffe and Szegedy 2015, section 3.2).";
    let (message, label) = match found.len() {
        1 => (
            format!("the bias of {place} has no effect: batch norm follows"),
            format!("add nobias at {place}"),
        ),
        count => (
            format!(
                "the biases of {count} layers have no effect: batch norm follows ({})",
                listing(&found)
            ),
            format!("add nobias to {count} layers"),
        ),
    };
    let edit = match found.len() {
        1 => Some(Edit::Replace(place.clone(), node.clone())),
        _ => all(case, &found),
    };
    let advice = Advice::new(message, why).at(place);
    vec![match edit {
        Some(edit) => advice.fix(label, edit),
        None => advice,
    }]
}

fn without_bias(list: &List<'_>, index: usize) -> Option<Node> {
    let mut layer = list.layer(index)?.clone();
    let bias = layer.kind.bias_mut()?;
    std::mem::replace(bias, false).then_some(Node::Layer(layer))
}

/// `encoder.0, encoder.3 and 4 more`
fn listing(found: &[(Place, Node)]) -> String {
    const SHOWN: usize = 3;
    let names: Vec<String> = found
        .iter()
        .take(SHOWN)
        .map(|(place, _)| place.to_string())
        .collect();
    let more = found.len().saturating_sub(SHOWN);
    if more == 0 {
        names.join(", ")
    } else {
        format!("{} and {more} more", names.join(", "))
    }
}

/// All replacements as one step; locked layers stay as they are.
fn all(case: &Case<'_>, found: &[(Place, Node)]) -> Option<Edit> {
    let mut project = case.project.clone();
    for (place, node) in found {
        project = Edit::Replace(place.clone(), node.clone())
            .apply(&project)
            .unwrap_or(project);
    }
    (project != *case.project).then(|| Edit::All(Box::new(project)))
}
