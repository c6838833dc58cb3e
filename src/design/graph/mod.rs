//! The whole network as a drawing: layers in boxes from top to bottom, branches side by side, shapes at the arrows.
//!
//! [`Graph::of`] is pure and total: every network has a drawing, in a time that follows its number of layers. Lengths
//! are in points of a text of 11 points; whoever draws scales them. A layer that keeps the shape (an activation, a
//! norm, dropout) is a further line of the box above it.

mod flow;
mod part;

use part::Part;
use strata_core::project::layer::Family;
use strata_core::project::node::Node;
use strata_core::project::size::Shape;
use strata_core::project::{Network, Place, Stack};
use strata_core::shape::Inference;

/// Width of a letter of the boxes' text.
pub const LETTER: f32 = 6.63;
/// Height of a line of a box.
pub const LINE: f32 = 17.0;
/// Beside a line's text, with the strip of its family.
pub const PAD: f32 = 10.0;
/// From a box to the next: an arrow with its shape.
const ARROW: f32 = 24.0;
/// Between branches side by side.
const BESIDE: f32 = 18.0;
/// From where the ways part to the first box of each, and from their last to where they meet.
const PARTING: f32 = 16.0;
/// Radius of the sign where branches meet.
pub const MEETING: f32 = 8.0;
/// Around what is repeated or belongs to a stack.
const FRAME: f32 = 10.0;
/// Height of a frame's title.
pub const TITLE: f32 = 16.0;

/// A line of a box.
#[derive(Clone, Debug, PartialEq)]
pub struct Line {
    /// The layer; `None` for the network's input.
    pub place: Option<Place>,
    /// Its text.
    pub text: String,
    /// Its colour.
    pub family: Family,
    /// Whether it cannot be computed.
    pub is_wrong: bool,
}

/// A box of lines, from its left upper corner.
#[derive(Clone, Debug, PartialEq)]
pub struct GraphBox {
    /// From the left.
    pub left: f32,
    /// From the top.
    pub top: f32,
    /// Its width.
    pub width: f32,
    /// From top to bottom.
    pub lines: Vec<Line>,
}

impl GraphBox {
    /// Its height.
    pub fn height(&self) -> f32 {
        LINE * self.lines.len() as f32 + 4.0
    }
}

/// A way from a box to the next.
#[derive(Clone, Debug, PartialEq)]
pub struct Edge {
    /// From point to point, across and down.
    pub points: Vec<[f32; 2]>,
    /// The shape that takes this way.
    pub shape: String,
    /// Whether it ends in an arrow.
    pub has_arrow: bool,
    /// Whether it leads past layers.
    pub is_skip: bool,
}

/// Where branches meet: `+` or `⧺`.
#[derive(Clone, Debug, PartialEq)]
pub struct Meeting {
    /// Its middle.
    pub center: [f32; 2],
    /// The block.
    pub place: Place,
    /// Whether the values are added instead of joined along channels.
    pub is_sum: bool,
}

/// What belongs together.
#[derive(Clone, Debug, PartialEq)]
pub struct GraphFrame {
    /// From the left, from the top, width and height.
    pub rect: [f32; 4],
    /// `×8`, `decoder`.
    pub title: String,
    /// The block; `None` for a stack.
    pub place: Option<Place>,
}

/// A network as a drawing.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Graph {
    /// Width and height.
    pub size: [f32; 2],
    /// The boxes.
    pub boxes: Vec<GraphBox>,
    /// The ways between them.
    pub edges: Vec<Edge>,
    /// Where branches meet.
    pub meetings: Vec<Meeting>,
    /// What belongs together.
    pub frames: Vec<GraphFrame>,
}

impl Graph {
    /// The drawing of a network for an area of this width and height: in as many columns as let its text be largest.
    pub fn of(network: &Network, inference: &Inference, area: [f32; 2]) -> Graph {
        let parts = parts(network, inference);
        let fit = |graph: &Graph| scale(graph.size, area);
        let first = flow::columns(&parts, 1);
        let more = (2..=flow::MOST_COLUMNS.min(parts.len().max(1)))
            .map(|columns| flow::columns(&parts, columns));
        more.fold(first, |best, other| {
            // Columns interrupt the way, so they have to gain something.
            if fit(&other) > 1.15 * fit(&best) {
                other
            } else {
                best
            }
        })
    }
}

/// How much larger a drawing may be drawn in an area; not beyond its natural size.
pub fn scale(size: [f32; 2], area: [f32; 2]) -> f32 {
    let fit = |axis: usize| area[axis] / size[axis].max(1.0);
    fit(0).min(fit(1)).min(1.0)
}

/// The parts of the drawing that stand one below the other.
fn parts(network: &Network, inference: &Inference) -> Vec<Part> {
    let input = Line {
        place: None,
        text: format!("input {}", inference.input),
        family: Family::Shape,
        is_wrong: false,
    };
    let mut all = vec![Part::of_lines(vec![input], inference.input.to_string())];
    let nodes = |stack: Stack| sequence(inference, network.stack(stack), stack, &[]);
    all.extend(nodes(Stack::Encoder));
    let code = inference.code.as_ref().map(ToString::to_string);
    let code = code.unwrap_or_default();
    let ending = |mut parts: Vec<Part>, name: &str, shape: Option<&Shape>| {
        if let Some(shape) = shape.filter(|_| !parts.is_empty()) {
            let end = Line {
                place: None,
                text: format!("{name} {shape}"),
                family: Family::Shape,
                is_wrong: false,
            };
            parts.push(Part::of_lines(vec![end], String::new()));
        }
        parts
    };
    let decoder = ending(nodes(Stack::Decoder), "output", inference.output.as_ref());
    let head = ending(nodes(Stack::Head), "scores", inference.answer.as_ref());
    match (decoder.is_empty(), head.is_empty()) {
        (false, false) => {
            let framed = [(decoder, Stack::Decoder), (head, Stack::Head)]
                .map(|(parts, stack)| Part::stacked(parts, &code).framed(stack.name(), None));
            all.push(Part::beside(framed.to_vec(), &code));
        }
        _ => all.extend(decoder.into_iter().chain(head)),
    }
    all
}

/// The parts of a list of nodes.
fn sequence(inference: &Inference, nodes: &[Node], stack: Stack, inside: &[usize]) -> Vec<Part> {
    let mut all: Vec<Part> = Vec::new();
    for (index, node) in nodes.iter().enumerate() {
        let path = [inside, &[index]].concat();
        let place = Place { stack, path };
        let row = inference.row(&place);
        let shape = row.map_or_else(String::new, |row| row.shape_text());
        if !node.branches().is_empty() || matches!(node, Node::Add(_) | Node::Concat(_)) {
            all.push(block(inference, node, &place, &shape));
            continue;
        }
        let line = Line {
            text: node.text(),
            family: node.family(),
            is_wrong: row.is_some_and(|row| row.error.is_some()),
            place: Some(place),
        };
        let keeps_shape = matches!(
            node.family(),
            Family::Activation | Family::Normalisation | Family::Regularisation
        );
        match all.last_mut().filter(|part| keeps_shape && part.is_box()) {
            Some(above) => above.push(line, shape),
            None => all.push(Part::of_lines(vec![line], shape)),
        }
    }
    all
}

fn block(inference: &Inference, node: &Node, place: &Place, shape: &str) -> Part {
    let row = inference.row(place);
    let input = row.and_then(|row| row.input.as_ref());
    let input = input.map(ToString::to_string).unwrap_or_default();
    let branch = |branch: usize| {
        let inside = [place.path.as_slice(), &[branch]].concat();
        let nodes = node
            .branches()
            .get(branch)
            .map_or(&[] as &[Node], Vec::as_slice);
        Part::stacked(sequence(inference, nodes, place.stack, &inside), &input)
    };
    match node {
        Node::Repeat { times, .. } => branch(0).framed(&format!("×{times}"), Some(place.clone())),
        _ => {
            let branches = (0..node.branches().len()).map(branch).collect();
            let is_sum = matches!(node, Node::Add(_));
            Part::met(branches, place, is_sum, shape)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use strata_core::project::builtin;
    use strata_core::shape::infer;

    fn graph(name: &str, area: [f32; 2]) -> (Network, Graph) {
        let network = builtin::find(name).unwrap().project().unwrap().network;
        let graph = Graph::of(&network, &infer(&network), area);
        (network, graph)
    }

    fn overlap(a: &GraphBox, b: &GraphBox) -> bool {
        a.left < b.left + b.width
            && b.left < a.left + a.width
            && a.top < b.top + b.height()
            && b.top < a.top + a.height()
    }

    #[test]
    fn every_layer_of_every_example_has_a_line_and_no_boxes_overlap() {
        for entry in builtin::ALL {
            for area in [[400.0, 4000.0], [1200.0, 700.0]] {
                let (network, graph) = graph(entry.name, area);
                let rows = infer(&network).rows;
                let layers = rows.iter().filter(|row| !row.is_block).count();
                let lines = graph.boxes.iter().flat_map(|one| &one.lines);
                let placed = lines.clone().filter(|line| line.place.is_some());
                assert_eq!(placed.count(), layers, "{}", entry.name);
                assert!(lines.count() > layers + 1, "the input and an output");
                for (index, one) in graph.boxes.iter().enumerate() {
                    for other in &graph.boxes[index + 1..] {
                        assert!(!overlap(one, other), "{}: {one:?} {other:?}", entry.name);
                    }
                    assert!(one.left >= 0.0 && one.left + one.width <= graph.size[0] + 0.5);
                    assert!(one.top >= 0.0 && one.top + one.height() <= graph.size[1] + 0.5);
                }
                for edge in &graph.edges {
                    for [x, y] in &edge.points {
                        assert!(*x >= 0.0 && *x <= graph.size[0] + 0.5, "{}", entry.name);
                        assert!(*y >= 0.0 && *y <= graph.size[1] + 0.5, "{}", entry.name);
                    }
                }
            }
        }
    }

    #[test]
    fn a_skip_leads_past_the_layers_of_its_block() {
        let (network, graph) = graph("resnet-18", [1200.0, 700.0]);
        let rows = infer(&network).rows;
        let skips = graph.edges.iter().filter(|edge| edge.is_skip).count();
        assert!(skips >= 4, "{skips}");
        let sums = rows.iter().filter(|row| row.text.starts_with("add"));
        assert_eq!(
            graph.meetings.iter().filter(|one| one.is_sum).count(),
            sums.count()
        );
    }

    #[test]
    fn deep_networks_are_wrapped_where_that_makes_their_text_larger() {
        let (_, tall) = graph("resnet-18", [400.0, 9000.0]);
        let (_, wide) = graph("resnet-18", [1200.0, 700.0]);
        assert!(wide.size[0] > tall.size[0] && wide.size[1] < tall.size[1]);
        assert!(scale(wide.size, [1200.0, 700.0]) > 1.1 * scale(tall.size, [1200.0, 700.0]));
    }
}
