//! ONNX files as projects: the nodes of a graph become the layers of stacks, what runs side by side becomes blocks.
//!
//! A graph is followed from its input to its output. Where a value goes to several nodes, everything up to the node that
//! all of them lead to is one block: an addition or a concatenation of branches. The order of axes is followed along:
//! files of Keras have channels last and turn them around at every convolution, a project has them first.
//! What no layer stands for is refused with its node.

mod affine;
mod constants;
mod graph;
mod layers;
mod patterns;
mod reader;
mod shapes;
mod windows;

use super::{Incoming, IncomingError, project_of};
use candle_core::Tensor;
use graph::Graph;
use reader::{Part, Reader, State};
use strata_core::project::init::Init;
use strata_core::project::layer::{Kind, Layer};
use strata_core::project::node::Node;
use strata_core::project::{Network, Stack};
use strata_core::shape::infer;

/// A step of a sequence that was read.
#[derive(Clone, Debug)]
struct Step {
    layer: Layer,
    /// Its weights by the ends of their keys.
    weights: Vec<(&'static str, Tensor)>,
}

/// Reads the bytes of a file. `weights` is the name of the file of the weights, from the project's folder, that the
/// project is to begin with.
pub fn read(bytes: &[u8], title: &str, weights: &str) -> Result<Incoming, IncomingError> {
    let model = onnx_rs::parse(bytes)
        .map_err(|error| IncomingError::File(format!("this is no ONNX file: {error}")))?;
    let graph = Graph::new(&model)?;
    let (input, state) = graph.input()?;
    let mut reader = Reader::new(&graph);
    if state.is_last {
        reader.notes.push(format!(
            "its images have their channels last; the project has them first, {}",
            shape_text(&state.dims)
        ));
    }
    let dims = state.dims.clone();
    let read = reader.network(&input, state)?;
    let notes = std::mem::take(&mut reader.notes);
    let [encoder, decoder, head] = read;
    let network = Network {
        input: shape_text(&dims)
            .parse()
            .map_err(|_| IncomingError::File(format!("its input {dims:?} is no image")))?,
        encoder: nodes(&encoder),
        decoder: nodes(&decoder),
        head: nodes(&head),
    };
    if let Some((row, error)) = infer(&network).errors().next() {
        return Err(IncomingError::File(format!(
            "read as layers it does not fit together: {}: {}",
            row.place, error.message
        )));
    }
    let mut tensors = Vec::new();
    for (stack, parts) in Stack::ALL.into_iter().zip([&encoder, &decoder, &head]) {
        keyed(parts, stack.name(), &mut tensors);
    }
    let init = (!tensors.is_empty()).then(|| Init {
        from: weights.to_owned(),
        parts: Vec::new(),
    });
    Ok(Incoming {
        project: project_of(network, title, init),
        weights: tensors,
        notes,
    })
}

fn shape_text(dims: &[usize]) -> String {
    let texts: Vec<String> = dims.iter().map(usize::to_string).collect();
    texts.join("x")
}

fn nodes(parts: &[(Part, State)]) -> Vec<Node> {
    let branches =
        |branches: &[Vec<(Part, State)>]| branches.iter().map(|branch| nodes(branch)).collect();
    let node = |(part, _): &(Part, State)| match part {
        Part::Step(step) => Node::Layer(step.layer.clone()),
        Part::Add(parts) => Node::Add(branches(parts)),
        Part::Concat(parts) => Node::Concat(branches(parts)),
    };
    parts.iter().map(node).collect()
}

/// The weights under the keys of their places.
fn keyed(parts: &[(Part, State)], path: &str, out: &mut Vec<(String, Tensor)>) {
    for (index, (part, _)) in parts.iter().enumerate() {
        let place = format!("{path}.{index}");
        match part {
            Part::Step(step) => {
                let named = step.weights.iter();
                out.extend(named.map(|(end, tensor)| (format!("{place}.{end}"), tensor.clone())));
            }
            Part::Add(branches) | Part::Concat(branches) => {
                for (branch, parts) in branches.iter().enumerate() {
                    keyed(parts, &format!("{place}.{branch}"), out);
                }
            }
        }
    }
}

/// Whether a layer makes a vector of what has axes of space.
fn makes_a_vector(part: &Part) -> bool {
    match part {
        Part::Step(step) => matches!(
            step.layer.kind,
            Kind::Flatten | Kind::GlobalAvgPool | Kind::GlobalMaxPool
        ),
        Part::Add(_) | Part::Concat(_) => false,
    }
}
