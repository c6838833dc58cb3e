//! The drafts of a number of edits: axes put together, channels set, layers appended.

use super::attribute::{Attribute, Value, margins};
use super::axis::{AxisEdit, AxisProgram, LayerId, Program, State};
use super::draft::{Draft, weights_of};
use super::search::Search;
use std::collections::BTreeMap;
use strata_core::project::layer::Kind;
use strata_core::project::node::Node;
use strata_core::project::target::Target;
use strata_core::project::{Network, Place, Stack};
use strata_core::shape::infer::infer;
use strata_core::shape::layers::Shaping;
use strata_core::shape::layers::facts::Channels;

/// Unions of edits along different axes that are looked at.
const MOST_PAIRS: usize = 100_000;
const MOST_DRAFTS: usize = 400;

/// Edits of all axes: for each attribute of a layer its new value by axis.
type Edits = BTreeMap<(LayerId, Attribute), Vec<Option<Value>>>;

/// Drafts with exactly `edits` edits more than `base`, as far as sizes along the axes tell; unconfirmed.
/// The flag says that some were left out.
pub fn of_sizes(base: &Draft, locked: &[Target], edits: u8) -> (Vec<Draft>, bool) {
    let network = &base.network;
    let (rank, Some(program)) = (network.input.rank(), Program::new(network)) else {
        return (Vec::new(), true);
    };
    let fixed: Vec<bool> = program
        .layers
        .iter()
        .map(|(place, _)| locked.iter().any(|lock| lock.contains(place)))
        .collect();
    let most = most_size(network);
    let axes: Vec<AxisProgram> = (0..rank)
        .map(|axis| AxisProgram::new(&program, rank, axis, most))
        .collect();
    let mut all: Vec<Edits> = vec![Edits::new()];
    let mut cut = false;
    for class in classes(network, &axes) {
        let Some(axis) = class.first().and_then(|&axis| axes.get(axis)) else {
            continue;
        };
        let size = network
            .input
            .spatial()
            .get(axis.axis)
            .map_or(1, |&size| size as i64);
        let mut search = Search::new(axis, &fixed);
        let found = search.solve(&program.items, State::start(size), size, edits);
        cut |= search.cut;
        let found: Vec<Edits> = found
            .iter()
            .map(|edits| spread(edits, &class, rank))
            .collect();
        (all, cut) = joined(&all, &found, usize::from(edits), cut);
    }
    all.retain(|found| found.len() == usize::from(edits));
    cut |= all.len() > MOST_DRAFTS;
    all.sort_by_cached_key(|edits| weights(&program, rank, edits));
    all.truncate(MOST_DRAFTS);
    (
        all.iter()
            .filter_map(|edits| drafted(base, &program, rank, edits))
            .collect(),
        cut,
    )
}

/// Leaps and effort of edits.
fn weights(program: &Program, rank: usize, edits: &Edits) -> (u32, u32) {
    let each = edits.iter().filter_map(|((id, attribute), values)| {
        let (_, layer) = program.layers.get(*id)?;
        Some(weights_of(&layer.kind, rank, *attribute, values))
    });
    each.fold((0, 0), |(leaps, effort), (leap, more)| {
        (leaps + leap, effort.saturating_add(more))
    })
}

/// Four times the largest size there is: larger ones lead nowhere.
fn most_size(network: &Network) -> i64 {
    let inference = infer(network);
    let outputs = inference.rows.iter().filter_map(|row| row.output.as_ref());
    let sizes = outputs
        .chain([&network.input])
        .flat_map(|shape| shape.spatial().iter().copied());
    sizes.max().map_or(64, |size| 4 * size as i64 + 64)
}

/// Axes along which everything is the same need one search.
fn classes(network: &Network, axes: &[AxisProgram]) -> Vec<Vec<usize>> {
    let mut classes: Vec<Vec<usize>> = Vec::new();
    let size = |axis: usize| network.input.spatial().get(axis);
    for (index, axis) in axes.iter().enumerate() {
        let same = |class: &&mut Vec<usize>| {
            let first = class.first().copied().unwrap_or(0);
            size(first) == size(index)
                && axes
                    .get(first)
                    .is_some_and(|other| other.rules == axis.rules)
        };
        match classes.iter_mut().find(same) {
            Some(class) => class.push(index),
            None => classes.push(vec![index]),
        }
    }
    classes
}

fn spread(edits: &[AxisEdit], class: &[usize], rank: usize) -> Edits {
    let values = |value: Value| {
        (0..rank)
            .map(|axis| class.contains(&axis).then_some(value))
            .collect()
    };
    edits
        .iter()
        .map(|&(id, attribute, value)| ((id, attribute), values(value)))
        .collect()
}

/// Every edit of the first with every one of the second, where together they are at most so many.
fn joined(first: &[Edits], second: &[Edits], most: usize, cut: bool) -> (Vec<Edits>, bool) {
    let mut all = Vec::new();
    for (count, (a, b)) in first
        .iter()
        .flat_map(|a| second.iter().map(move |b| (a, b)))
        .enumerate()
    {
        if count >= MOST_PAIRS {
            return (all, true);
        }
        if a.len().max(b.len()) > most {
            continue;
        }
        let own = b.keys().filter(|key| !a.contains_key(key)).count();
        if a.len() + own > most {
            continue;
        }
        let mut union = a.clone();
        for (key, values) in b {
            let slots = union
                .entry(*key)
                .or_insert_with(|| vec![None; values.len()]);
            slots
                .iter_mut()
                .zip(values)
                .for_each(|(slot, value)| *slot = slot.or(*value));
        }
        all.push(union);
    }
    (all, cut)
}

fn drafted(base: &Draft, program: &Program, rank: usize, edits: &Edits) -> Option<Draft> {
    edits
        .iter()
        .try_fold(base.clone(), |draft, ((id, attribute), values)| {
            let (place, _) = program.layers.get(*id)?;
            draft.set(place, rank, *attribute, values)
        })
}

/// The draft with as many channels at its end as the input has; itself where it has.
pub fn with_channels(draft: &Draft, locked: &[Target]) -> Option<Draft> {
    let network = &draft.network;
    let wanted = u32::try_from(network.input.channels()).ok()?;
    for stack in [Stack::Decoder, Stack::Encoder] {
        let place = Place {
            stack,
            path: Vec::new(),
        };
        match last_channels(network.stack(stack), &place) {
            Found::Layer(place) => {
                let mut node = network.clone().node_mut(&place)?.clone();
                let channels = channels_mut(&mut node)?;
                if *channels == wanted {
                    return Some(draft.clone());
                }
                *channels = wanted;
                return if locked.iter().any(|lock| lock.contains(&place)) {
                    None
                } else {
                    draft.clone().replace(&place, node, 2)
                };
            }
            Found::Other => return Some(draft.clone()),
            Found::Nothing => {}
        }
    }
    Some(draft.clone())
}

/// What decides the channels at the end of a stack.
enum Found {
    Layer(Place),
    /// Something that cannot be told in one number: branches, a reshape.
    Other,
    Nothing,
}

fn last_channels(nodes: &[Node], above: &Place) -> Found {
    for (index, node) in nodes.iter().enumerate().rev() {
        let place = above.child(&[index]);
        match node {
            Node::Layer(_) if channels_mut(&mut node.clone()).is_some() => {
                return Found::Layer(place);
            }
            Node::Layer(layer) if moves_channels(&layer.kind) => return Found::Other,
            Node::Layer(_) => {}
            Node::Repeat { layers, .. } => match last_channels(layers, &place.child(&[0])) {
                Found::Nothing => {}
                found => return found,
            },
            Node::Broken { .. } | Node::Add(_) | Node::Concat(_) => return Found::Other,
        }
    }
    Found::Nothing
}

/// Whether a layer whose channels cannot be set makes other channels of those that come in.
fn moves_channels(kind: &Kind) -> bool {
    match kind.shaping() {
        Shaping::Reshapes(_) | Shaping::Flattens => true,
        Shaping::Slides { channels, .. } => match channels {
            Channels::Times(times) => times != 1,
            Channels::Kept | Channels::Fixed(_) => false,
        },
        Shaping::Keeps
        | Shaping::Spreads { .. }
        | Shaping::Unpools
        | Shaping::Scales(_)
        | Shaping::AdaptsTo(_)
        | Shaping::Grows(_)
        | Shaping::Shrinks(_)
        | Shaping::Pools
        | Shaping::Features(_) => false,
    }
}

/// The outputs that a layer has as many of as it likes.
pub fn channels_mut(node: &mut Node) -> Option<&mut u32> {
    let Node::Layer(layer) = node else {
        return None;
    };
    match &mut layer.kind {
        Kind::Conv { out_channels, .. }
        | Kind::ConvTranspose { out_channels, .. }
        | Kind::SeparableConv { out_channels, .. } => Some(out_channels),
        Kind::Dense { out_features, .. } => Some(out_features),
        Kind::DepthwiseConv { .. }
        | Kind::MaxPool { .. }
        | Kind::AvgPool { .. }
        | Kind::Unpool
        | Kind::Upsample { .. }
        | Kind::GlobalAvgPool
        | Kind::GlobalMaxPool
        | Kind::AdaptiveAvgPool { .. }
        | Kind::Flatten
        | Kind::Reshape { .. }
        | Kind::BatchNorm
        | Kind::GroupNorm { .. }
        | Kind::LayerNorm
        | Kind::Dropout { .. }
        | Kind::DropoutChannels { .. }
        | Kind::Activation(_)
        | Kind::PRelu { .. }
        | Kind::Softmax
        | Kind::Noise { .. }
        | Kind::Pad { .. }
        | Kind::Crop { .. }
        | Kind::Identity => None,
    }
}

/// A draft with layers appended to the decoder: what is missing as zeros, what is too much cut away; a 1×1
/// convolution where the channels cannot be set.
pub fn of_margins(draft: &Draft, locked: &[Target]) -> impl Iterator<Item = Draft> {
    let free = !locked.contains(&Target::Stack(Stack::Decoder));
    free.then(|| with_margins(draft)).flatten().into_iter()
}

fn with_margins(draft: &Draft) -> Option<Draft> {
    let wanted = &draft.network.input;
    let output = infer(&draft.network)
        .output
        .filter(|output| output.rank() == wanted.rank() && !output.is_vector())?;
    let sides = |more: &[usize], less: &[usize]| -> Vec<(u32, u32)> {
        let by = more
            .iter()
            .zip(less)
            .map(|(more, less)| u32::try_from(more.saturating_sub(*less)).unwrap_or(u32::MAX));
        by.map(|by| (by / 2, by - by / 2)).collect()
    };
    let (crop, pad) = (
        sides(output.spatial(), wanted.spatial()),
        sides(wanted.spatial(), output.spatial()),
    );
    let mut made = draft.clone();
    for (word, sides) in [("crop", crop), ("pad", pad)] {
        if sides.iter().any(|&side| side != (0, 0)) {
            made = made.append(Stack::Decoder, &format!("{word} {}", margins(&sides)));
        }
    }
    if output.channels() != wanted.channels() {
        made = made.append(Stack::Decoder, &format!("conv {} k1", wanted.channels()));
    }
    Some(made)
}

/// The same change at every layer of the decoder that could need it: what single edits of three or four
/// layers would be.
pub fn of_families(draft: &Draft, locked: &[Target]) -> Vec<Draft> {
    let rank = draft.network.input.rank();
    let uniform = |value: u32| vec![Some(Value::Size(value)); rank];
    let Some(program) = Program::new(&draft.network) else {
        return Vec::new();
    };
    let free = |place: &Place| {
        place.stack == Stack::Decoder && !locked.iter().any(|lock| lock.contains(place))
    };
    let set = |attribute: Attribute, value: &dyn Fn(&Kind) -> Option<u32>| {
        let mut made = draft.clone();
        for (place, layer) in program.layers.iter().filter(|(place, _)| free(place)) {
            if let Some(value) = value(&layer.kind) {
                made = made.set(place, rank, attribute, &uniform(value))?;
            }
        }
        (made.edits > draft.edits).then_some(made)
    };
    let number = |kind: &Kind, attribute| match super::attribute::current(kind, rank, 0, attribute)
    {
        Some(Value::Size(size)) => Some(size),
        Some(Value::Same) | None => None,
    };
    let enlarging = |kind: &Kind| {
        matches!(kind, Kind::ConvTranspose { .. })
            && number(kind, Attribute::Stride).is_some_and(|stride| stride > 1)
    };
    let odd = |kind: &Kind| {
        let is_conv = matches!(kind, Kind::Conv { .. });
        let kernel = number(kind, Attribute::Kernel).filter(|_| is_conv);
        kernel.filter(|k| !k.is_multiple_of(2)).map(|k| k / 2)
    };
    let kernel = |kind: &Kind, by: u32| {
        number(kind, Attribute::Kernel)
            .filter(|_| enlarging(kind))
            .map(|k| k + by)
    };
    let output_padding = |by: u32| move |kind: &Kind| enlarging(kind).then_some(by);
    let families = [
        set(Attribute::OutputPadding, &output_padding(1)),
        set(Attribute::OutputPadding, &output_padding(2)),
        set(Attribute::OutputPadding, &output_padding(0)),
        set(Attribute::Kernel, &|kind| kernel(kind, 1)),
        set(Attribute::Padding, &odd),
    ];
    families.into_iter().flatten().collect()
}
