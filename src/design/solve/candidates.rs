//! The drafts of a number of edits: axes put together, channels set, margins inserted, layers appended.

use super::attribute::{Attribute, Value};
use super::axis::{AxisEdit, AxisProgram, LayerId, Program, State};
use super::draft::{Draft, Goal};
use super::effort::{margin_weights, weights_of};
use super::search::Search;
use std::collections::BTreeMap;
use std::rc::Rc;
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
/// Positions that an inserted `pad` or `crop` adds or cuts away at most, as the only edit and as one of two; as one of
/// more, none is tried.
pub(crate) const MOST_MARGIN: [u32; 2] = [64, 12];

/// Edits of all axes: for each attribute of a layer its new value by axis.
type Edits = BTreeMap<(LayerId, Attribute), Vec<Option<Value>>>;

/// Drafts with exactly `edits` edits more than `base`, as far as sizes along the axes tell; unconfirmed.
/// The flag says that some were left out.
pub(crate) fn of_sizes(
    base: &Draft,
    locked: &[Target],
    goal: Goal,
    edits: u8,
) -> (Vec<Draft>, bool) {
    let margin = usize::from(edits)
        .checked_sub(1)
        .and_then(|at| MOST_MARGIN.get(at));
    // Of two edits those without a margin are searched alone as well: there are so many with one.
    let margins = match (margin, edits) {
        (Some(&one), 1) => vec![one],
        (Some(&two), _) => vec![0, two],
        (None, _) => vec![0],
    };
    let (mut drafts, mut cut) = (Vec::new(), false);
    for margin in margins {
        let (more, left_out) = within_margin(base, locked, goal, edits, margin);
        drafts.extend(more);
        cut |= left_out;
    }
    (drafts, cut)
}

/// The same with margins of up to so many positions inserted.
fn within_margin(
    base: &Draft,
    locked: &[Target],
    goal: Goal,
    edits: u8,
    margin: u32,
) -> (Vec<Draft>, bool) {
    let network = &base.network;
    let Some(program) = Program::new(network, margin) else {
        return (Vec::new(), true);
    };
    let rank = network.input.rank();
    let is_fixed = |(id, (place, _)): (LayerId, &(Place, _))| match program.is_gap(id) {
        true => margin_place(&program, id, locked).is_none(),
        false => locked.iter().any(|lock| lock.contains(place)),
    };
    let fixed: Vec<bool> = program.layers.iter().enumerate().map(is_fixed).collect();
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
        let found = search.solve(&program.items, State::start(size), goal.size(size), edits);
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
            .filter_map(|edits| drafted(base, &program, rank, edits, locked))
            .collect(),
        cut,
    )
}

/// Whether nothing that is locked is at this place, holds it, or would be moved by what is inserted there.
pub(crate) fn takes_insertion(place: &Place, locked: &[Target]) -> bool {
    let Some((&index, above)) = place.path.split_last() else {
        return false;
    };
    locked.iter().all(|lock| match lock {
        Target::Stack(stack) => *stack != place.stack,
        Target::Node(node) if node.stack != place.stack => true,
        Target::Node(node) if above.starts_with(&node.path) => false,
        Target::Node(node) => {
            let beside = node.path.starts_with(above);
            !beside || node.path.get(above.len()).is_none_or(|&at| at < index)
        }
    })
}

/// Leaps and effort of edits.
fn weights(program: &Program, rank: usize, edits: &Edits) -> (u32, u32) {
    let each = edits.iter().filter_map(|((id, attribute), values)| {
        let (_, layer) = program.layers.get(*id)?;
        Some(match program.is_gap(*id) {
            true => margin_weights(values),
            false => weights_of(&layer.kind, rank, *attribute, values),
        })
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

/// Where a margin of a gap is inserted: at the gap itself, unless something locked would move.
fn margin_place<'a>(program: &'a Program, id: LayerId, locked: &[Target]) -> Option<&'a Place> {
    let (own, _) = program.layers.get(id)?;
    let mut places = [own].into_iter().chain(program.other_places(id)?);
    places.find(|place| takes_insertion(place, locked))
}

/// The earliest such place.
fn earliest_place<'a>(program: &'a Program, id: LayerId, locked: &[Target]) -> Option<&'a Place> {
    let (own, _) = program.layers.get(id)?;
    let mut places = program.other_places(id)?.iter().chain([own]);
    places.find(|place| place.stack == own.stack && takes_insertion(place, locked))
}

fn drafted(
    base: &Draft,
    program: &Program,
    rank: usize,
    edits: &Edits,
    locked: &[Target],
) -> Option<Draft> {
    let (gaps, layers): (Vec<_>, Vec<_>) =
        edits.iter().partition(|((id, _), _)| program.is_gap(*id));
    let changed =
        layers
            .into_iter()
            .try_fold(base.clone(), |draft, ((id, attribute), values)| {
                let (place, _) = program.layers.get(*id)?;
                draft.set(place, rank, *attribute, values)
            })?;
    type PlaceOf = for<'a> fn(&'a Program, LayerId, &[Target]) -> Option<&'a Place>;
    // From the last on, so that the places before stay true.
    let with_margins = |place: PlaceOf| {
        let mut from_last = gaps.iter().rev();
        from_last.try_fold(changed.clone(), |draft, ((id, _), values)| {
            draft.insert_margins(place(program, *id, locked)?, values)
        })
    };
    let mut draft = with_margins(margin_place)?;
    // Layers behind a margin compute across its border: with padding that is early fewer rows are constant.
    let pads = |value: &Option<Value>| matches!(value, Some(Value::Size(_)));
    if gaps.iter().any(|(_, values)| values.iter().any(pads)) {
        let instead = with_margins(earliest_place);
        let other = instead.filter(|instead| instead.network != draft.network);
        draft.instead = other.map(Rc::new);
    }
    Some(draft)
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
    /// Something that one number cannot describe: branches, a reshape.
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
pub(crate) fn channels_mut(node: &mut Node) -> Option<&mut u32> {
    let Node::Layer(layer) = node else {
        return None;
    };
    layer.kind.outputs_mut()
}

/// A draft with layers appended to the decoder: what is missing as zeros, what is too much cut away; a 1×1
/// convolution where the channels cannot be set.
pub(crate) fn of_margins(draft: &Draft, locked: &[Target]) -> Option<Draft> {
    if locked.contains(&Target::Stack(Stack::Decoder)) || draft.network.decoder.is_empty() {
        return None;
    }
    let wanted = &draft.network.input;
    let output = infer(&draft.network)
        .output
        .filter(|output| output.rank() == wanted.rank() && !output.is_vector())?;
    let end = Place::new(Stack::Decoder, draft.network.decoder.len());
    let sides = output.spatial().iter().zip(wanted.spatial());
    let sides: Vec<i64> = sides
        .map(|(&is, &wanted)| wanted as i64 - is as i64)
        .collect();
    let mut made = draft.clone().insert_cells(&end, &sides)?;
    if output.channels() != wanted.channels() {
        made = made.append(Stack::Decoder, &format!("conv {} k1", wanted.channels()));
    }
    Some(made)
}

/// The same change at every layer of the decoder that could need it: what single edits of three or four
/// layers would be. And every convolution of both stacks padded so that it keeps the size.
pub(crate) fn of_families(draft: &Draft, locked: &[Target]) -> Vec<Draft> {
    let rank = draft.network.input.rank();
    let uniform = |value: u32| vec![Some(Value::Size(value)); rank];
    let Some(program) = Program::new(&draft.network, 0) else {
        return Vec::new();
    };
    let free = |place: &Place, stacks: &[Stack]| {
        stacks.contains(&place.stack) && !locked.iter().any(|lock| lock.contains(place))
    };
    let set_in = |stacks: &[Stack], attribute, value: &dyn Fn(&Kind) -> Option<u32>| {
        let mut made = draft.clone();
        for (place, layer) in program
            .layers
            .iter()
            .filter(|(place, _)| free(place, stacks))
        {
            if let Some(value) = value(&layer.kind) {
                made = made.set(place, rank, attribute, &uniform(value))?;
            }
        }
        (made.edits > draft.edits).then_some(made)
    };
    let set = |attribute, value: &dyn Fn(&Kind) -> Option<u32>| {
        set_in(&[Stack::Decoder], attribute, value)
    };
    let number = |kind: &Kind, attribute| match super::attribute::current(kind, rank, 0, attribute)
    {
        Some(Value::Size(size)) => Some(size),
        Some(Value::Same | Value::Cut(_)) | None => None,
    };
    let enlarging = |kind: &Kind| {
        matches!(kind, Kind::ConvTranspose { .. })
            && number(kind, Attribute::Stride).is_some_and(|stride| stride > 1)
    };
    let odd = |kind: &Kind| {
        let is_conv = matches!(kind, Kind::Conv { .. });
        let kernel = number(kind, Attribute::Kernel).filter(|_| is_conv);
        kernel
            .filter(|k| !k.is_multiple_of(2))
            .map(|k| k / 2)
            .filter(|half| number(kind, Attribute::Padding).is_some_and(|now| now != *half))
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
        set_in(&[Stack::Encoder, Stack::Decoder], Attribute::Padding, &odd),
    ];
    families.into_iter().flatten().collect()
}
