//! The decoder that undoes an encoder layer by layer: `conv` → `convt`, `maxpool` → `unpool`, `flatten` →
//! `reshape`, `dense` → `dense`, in reverse order, each giving exactly the shape that its partner got.
//!
//! Activations and norms follow the layer with weights that they followed in the encoder; dropout and noise
//! are left out. Fails where the encoder has an error.

#![deny(clippy::wildcard_enum_match_arm)]

use super::{Change, Solution};
use crate::constant_borders::{output_note, unreached_output};
use strata_core::project::node::Node;
use strata_core::project::size::Shape;
use strata_core::project::target::Target;
use strata_core::project::{Network, Place, Stack};
use strata_core::shape::error::ShapeError;
use strata_core::shape::infer::infer;
use strata_core::shape::layers::Mirrored;
use strata_core::shape::layers::facts::MirroredWindow;
use strata_core::shape::op::{Geometry, Op, Planned, PlannedLayer};

/// Replaces the decoder by the encoder's mirror; a last activation of the former decoder is kept.
///
/// # Errors
/// The encoder's error, or that it is empty; that a layer of the decoder is locked.
pub fn mirror(network: &Network, locked: &[Target]) -> Result<Solution, ShapeError> {
    if locked.iter().any(|lock| lock.stack() == Stack::Decoder) {
        return Err(ShapeError::new("the decoder is locked").help("unlock it first"));
    }
    let inference = infer(network);
    let encoder_error = inference
        .errors()
        .find(|(row, _)| row.place.stack == Stack::Encoder);
    if let Some((row, error)) = encoder_error {
        return Err(ShapeError::new(format!("{}: {}", row.place, error.message))
            .help("mend the encoder first"));
    }
    let planned = inference
        .plan
        .as_ref()
        .and_then(|plan| plan.stack(Stack::Encoder))
        .unwrap_or_default();
    if planned.is_empty() {
        return Err(
            ShapeError::new("there is no encoder to mirror").help("add layers to the encoder")
        );
    }
    let last = network
        .decoder
        .last()
        .filter(|node| is_activation(node))
        .cloned();
    // Where a pooling cannot be undone by its indices, repeating is always possible.
    let mirrored = [true, false].into_iter().map(|unpool| {
        let mut decoder = Mirror {
            encoder: &network.encoder,
            unpool,
        }
        .stack(planned, &network.input);
        decoder.extend(last.clone());
        if decoder.is_empty() {
            decoder.push(Node::from_text("identity"));
        }
        Network {
            decoder,
            ..network.clone()
        }
    });
    let exact = |network: &Network| infer(network).output_equals_input == Some(true);
    mirrored
        .into_iter()
        .find(exact)
        .map(|mirrored| solution(network, mirrored))
        .ok_or_else(|| {
            ShapeError::new("the encoder's mirror would be too large")
                .help("use smaller sizes in the encoder")
        })
}

fn solution(before: &Network, after: Network) -> Solution {
    let length = before.decoder.len().max(after.decoder.len());
    let change = |index: usize| {
        let (from, to) = (
            before.decoder.get(index).cloned(),
            after.decoder.get(index).cloned(),
        );
        (from != to).then(|| Change {
            place: Place::new(Stack::Decoder, index),
            from,
            to,
        })
    };
    let changes: Vec<Change> = (0..length).filter_map(change).collect();
    let edits = changes.len() as u32;
    let unreached = unreached_output(&infer(&after));
    let note = "the decoder undoes the encoder layer by layer".to_owned();
    let note = match output_note(&unreached) {
        Some(rows) => format!("{note} · {rows}"),
        None => note,
    };
    Solution {
        changes,
        network: after,
        edits,
        note,
        unreached,
    }
}

fn is_activation(node: &Node) -> bool {
    matches!(node, Node::Layer(layer) if layer.kind.is_activation())
}

struct Mirror<'a> {
    /// For the names of poolings.
    encoder: &'a [Node],
    unpool: bool,
}

/// A layer or block that changes the tensor's shape or has weights, and what followed it.
struct Segment<'a> {
    node: &'a Planned,
    input: Shape,
    output: Shape,
    trail: Vec<String>,
}

impl Mirror<'_> {
    fn stack(&self, planned: &[Planned], input: &Shape) -> Vec<Node> {
        let mut segments = Vec::new();
        segment(planned, input.clone(), &mut segments);
        let mut nodes = Vec::new();
        for (index, this) in segments.iter().enumerate().rev() {
            nodes.extend(self.inverse(this));
            let before = segments
                .iter()
                .take(index)
                .rev()
                .find(|segment| has_weights(segment.node));
            if let Some(before) = before.filter(|_| has_weights(this.node)) {
                nodes.extend(before.trail.iter().map(|text| Node::from_text(text)));
            }
        }
        nodes
    }

    fn inverse(&self, segment: &Segment<'_>) -> Vec<Node> {
        match segment.node {
            Planned::Layer(layer) => self
                .texts(layer)
                .iter()
                .map(|text| Node::from_text(text))
                .collect(),
            // Last to first, so that every unpool finds the pooling of its branch.
            Planned::Add { branches, .. } => {
                vec![Node::Add(
                    branches
                        .iter()
                        .rev()
                        .map(|branch| self.stack(branch, &segment.input))
                        .collect(),
                )]
            }
            Planned::Concat { .. } => resized(&segment.output, &segment.input),
            // Unrolled by `segment`.
            Planned::Repeat { .. } => Vec::new(),
        }
    }

    fn texts(&self, layer: &PlannedLayer) -> Vec<String> {
        let (input, output) = (&layer.input, &layer.output);
        let rank = input.rank();
        match layer.op.mirrored() {
            Mirrored::Follows(_) => Vec::new(),
            Mirrored::Transposed(window) => spread(&window, rank),
            Mirrored::Convolved(window) => slid(&window, rank),
            Mirrored::Unpooled if self.unpool => vec![match self.name(&layer.place) {
                Some(name) => format!("unpool @{name}"),
                None => "unpool".to_owned(),
            }],
            Mirrored::Unpooled | Mirrored::Resized => scaled(output, input),
            Mirrored::Spread => {
                let ones = vec!["1"; rank].join("x");
                let sides: Vec<usize> = input.spatial().to_vec();
                vec![
                    format!("reshape {}x{ones}", input.channels()),
                    format!("upsample {}", join(&sides)),
                ]
            }
            Mirrored::Reshaped if input.is_vector() => vec!["flatten".to_owned()],
            Mirrored::Reshaped => vec![format!("reshape {}", input.to_file_text())],
            Mirrored::Dense { features, bias } => {
                let nobias = if bias { "" } else { " nobias" };
                vec![format!("dense {features}{nobias}")]
            }
            Mirrored::Cropped { before, after } => {
                vec![format!("crop {}", sides(&before, &after, rank))]
            }
            Mirrored::Padded { before, after } => {
                vec![format!("pad {}", sides(&before, &after, rank))]
            }
        }
    }

    fn name(&self, place: &Place) -> Option<String> {
        match strata_core::project::layer_path::node_at(self.encoder, &place.path)? {
            Node::Layer(layer) => layer.name.clone(),
            Node::Broken { .. } | Node::Add(_) | Node::Concat(_) | Node::Repeat { .. } => None,
        }
    }
}

/// Unrolls repeats, and gives every layer what followed it and left the shape as it was. Returns the last shape.
fn segment<'a>(planned: &'a [Planned], mut input: Shape, segments: &mut Vec<Segment<'a>>) -> Shape {
    for node in planned {
        match node {
            Planned::Layer(layer) if follows(&layer.op) => {
                if let (Some(last), Mirrored::Follows(Some(text))) =
                    (segments.last_mut(), layer.op.mirrored())
                {
                    last.trail.push(text);
                }
            }
            Planned::Repeat { passes, .. } => {
                input = passes
                    .iter()
                    .fold(input, |input, pass| segment(pass, input, segments));
            }
            Planned::Layer(_) | Planned::Add { .. } | Planned::Concat { .. } => {
                let output = after(node, &input);
                segments.push(Segment {
                    node,
                    input,
                    output: output.clone(),
                    trail: Vec::new(),
                });
                input = output;
            }
        }
    }
    input
}

/// The shape after a node.
fn after(node: &Planned, input: &Shape) -> Shape {
    let all = |nodes: &[Planned]| {
        nodes
            .iter()
            .fold(input.clone(), |shape, node| after(node, &shape))
    };
    match node {
        Planned::Layer(layer) => layer.output.clone(),
        Planned::Add { branches, .. } => branches
            .first()
            .map_or_else(|| input.clone(), |branch| all(branch)),
        Planned::Concat { branches, .. } => {
            let ends: Vec<Shape> = branches.iter().map(|branch| all(branch)).collect();
            let mut dims = ends
                .first()
                .map_or_else(Vec::new, |end| end.dims().to_vec());
            if let Some(channels) = dims.first_mut() {
                *channels = ends.iter().map(Shape::channels).sum();
            }
            Shape::new(&dims).unwrap_or_else(|| input.clone())
        }
        Planned::Repeat { passes, .. } => passes
            .iter()
            .flatten()
            .fold(input.clone(), |shape, node| after(node, &shape)),
    }
}

fn follows(op: &Op) -> bool {
    matches!(op.mirrored(), Mirrored::Follows(_))
}

fn has_weights(node: &Planned) -> bool {
    match node {
        Planned::Layer(layer) => layer.op.mirrored().has_weights(),
        Planned::Add { .. } | Planned::Concat { .. } | Planned::Repeat { .. } => true,
    }
}

/// The transposed convolution back to `channels` and the geometry's input.
fn spread(window: &MirroredWindow, rank: usize) -> Vec<String> {
    let MirroredWindow {
        channels,
        geometry,
        groups,
        bias,
    } = window;
    let own = 3 - rank..3;
    // What the output of a transposed convolution without padding has too much.
    let surplus = |axis: usize| {
        let full = (geometry.output[axis] - 1) * geometry.stride[axis] + geometry.reach(axis);
        full as i64 - geometry.input[axis] as i64
    };
    let most = |axis: usize| geometry.stride[axis].max(geometry.dilation[axis]) as i64;
    let added = |axis: usize| 2 * geometry.pad[axis] as i64 - surplus(axis);
    let fits = own
        .clone()
        .all(|axis| (0..most(axis)).contains(&added(axis)));
    let tail = if *bias { "" } else { " nobias" };
    let groups = if *groups > 1 {
        format!(" g{groups}")
    } else {
        String::new()
    };
    let window = window_words(geometry, rank);
    if fits {
        let pads: Vec<i64> = own.clone().map(|axis| geometry.pad[axis] as i64).collect();
        let added: Vec<i64> = own.map(added).collect();
        let words = word("p", &pads) + &word("op", &added);
        return vec![format!("convt {channels}{window}{words}{groups}{tail}")];
    }
    let cut: Vec<(i64, i64)> = own
        .map(|axis| {
            let before = (geometry.pad[axis] as i64).min(surplus(axis).max(0));
            (before, surplus(axis) - before)
        })
        .collect();
    [
        vec![format!("convt {channels}{window}{groups}{tail}")],
        margin_texts(&cut),
    ]
    .concat()
}

/// The convolution back from what a transposed one gave.
fn slid(window: &MirroredWindow, rank: usize) -> Vec<String> {
    let MirroredWindow {
        channels,
        geometry,
        groups,
        bias,
    } = window;
    let own = 3 - rank..3;
    let pads: Vec<i64> = own.clone().map(|axis| geometry.pad[axis] as i64).collect();
    let positions = |axis: usize| {
        let room = geometry.input[axis] as i64 + 2 * geometry.pad[axis] as i64
            - geometry.reach(axis) as i64;
        if room < 0 {
            0
        } else {
            room / geometry.stride[axis] as i64 + 1
        }
    };
    let tail = if *bias { "" } else { " nobias" };
    let groups = if *groups > 1 {
        format!(" g{groups}")
    } else {
        String::new()
    };
    let same = own
        .clone()
        .all(|axis| geometry.input[axis].div_ceil(geometry.stride[axis]) == geometry.output[axis]);
    let surplus: Vec<(i64, i64)> = own
        .map(|axis| (0, positions(axis) - geometry.output[axis] as i64))
        .collect();
    let window = window_words(geometry, rank);
    // Only `same` pads one zero more at the end, as a transposed convolution with `same` cuts one more.
    if same && surplus.iter().any(|side| *side != (0, 0)) {
        return vec![format!("conv {channels}{window} same{groups}{tail}")];
    }
    let conv = format!("conv {channels}{window}{}{groups}{tail}", word("p", &pads));
    [vec![conv], margin_texts(&surplus)].concat()
}

/// `crop` of what is too much (above 0), `pad` of what is missing (below 0) before and after each axis.
fn margin_texts(surplus: &[(i64, i64)]) -> Vec<String> {
    let text = |word: &str, sign: i64| {
        let side = |by: i64| (sign * by).max(0);
        let any = surplus
            .iter()
            .any(|(before, after)| side(*before) + side(*after) > 0);
        let sides = surplus
            .iter()
            .map(|(before, after)| format!("{}+{}", side(*before), side(*after)));
        any.then(|| format!("{word} {}", sides.collect::<Vec<_>>().join("x")))
    };
    [text("crop", 1), text("pad", -1)]
        .into_iter()
        .flatten()
        .collect()
}

/// Repeats to about the wanted size, and cuts or fills the rest; averages where every wanted size is smaller.
fn scaled(from: &Shape, to: &Shape) -> Vec<String> {
    if from.spatial() == to.spatial() {
        return Vec::new();
    }
    let pairs = || from.spatial().iter().zip(to.spatial());
    if pairs().all(|(from, to)| to <= from) {
        return vec![format!("adaptive-avgpool {}", join(to.spatial()))];
    }
    // The nearest factor: what a pooling dropped at the end is one row, not a reason for another scale.
    let factors: Vec<usize> = pairs()
        .map(|(from, to)| ((to + from / 2) / from).max(1))
        .collect();
    let surplus = pairs()
        .zip(&factors)
        .map(|((from, to), factor)| (0, (from * factor) as i64 - *to as i64));
    let upsample = factors
        .iter()
        .any(|&factor| factor > 1)
        .then(|| format!("upsample {}", join(&factors)));
    upsample
        .into_iter()
        .chain(margin_texts(&surplus.collect::<Vec<_>>()))
        .collect()
}

/// Back from joined branches: to the size by repeating or averaging, to the channels by a convolution.
fn resized(from: &Shape, to: &Shape) -> Vec<Node> {
    let texts = match (from.is_vector(), to.is_vector()) {
        (_, true) => vec![format!("dense {}", to.channels())],
        (true, false) => vec![
            format!("dense {}", to.elements()),
            format!("reshape {}", to.to_file_text()),
        ],
        (false, false) => {
            let sized = scaled(from, to).into_iter();
            sized
                .chain([format!("conv {} k3 p1", to.channels())])
                .collect()
        }
    };
    texts.iter().map(|text| Node::from_text(text)).collect()
}

fn window_words(geometry: &Geometry, rank: usize) -> String {
    let own = |sizes: &[usize; 3]| -> Vec<i64> {
        sizes
            .iter()
            .skip(3 - rank)
            .map(|&size| size as i64)
            .collect()
    };
    let unless_one = |letter: &str, sizes: Vec<i64>| match sizes.iter().all(|&size| size == 1) {
        true => String::new(),
        false => word(letter, &sizes),
    };
    let kernel = format!(" k{}", short(&own(&geometry.kernel)));
    kernel + &unless_one("s", own(&geometry.stride)) + &unless_one("d", own(&geometry.dilation))
}

/// ` p1`; nothing where all are 0.
fn word(letter: &str, sizes: &[i64]) -> String {
    if sizes.iter().all(|&size| size == 0) {
        String::new()
    } else {
        format!(" {letter}{}", short(sizes))
    }
}

fn short(sizes: &[i64]) -> String {
    let join = |sizes: &[i64]| {
        sizes
            .iter()
            .map(i64::to_string)
            .collect::<Vec<_>>()
            .join("x")
    };
    if sizes.windows(2).all(|two| two[0] == two[1]) {
        join(&sizes[..sizes.len().min(1)])
    } else {
        join(sizes)
    }
}

fn join(sizes: &[usize]) -> String {
    short(&sizes.iter().map(|&size| size as i64).collect::<Vec<_>>())
}

fn sides(before: &[usize; 3], after: &[usize; 3], rank: usize) -> String {
    let pairs: Vec<String> = before
        .iter()
        .zip(after)
        .skip(3 - rank)
        .map(|(before, after)| format!("{before}+{after}"))
        .collect();
    pairs.join("x")
}
