//! A network with its weights as a `.keras` file, as Keras 3 loads it on any backend.
//!
//! Images are channels last there, so kernels are turned, and what is flattened is first brought into our order. Layers
//! are named after ours, with `_` for the dots. What Keras has no layer for is refused with the layer's name.

mod graph;
mod layer;

use crate::error::ExportError;
use crate::plan::whole;
use candle_core::Tensor;
use graph::Graph;
use layer::Writer;
use std::collections::HashMap;
use strata_core::project::{Project, Stack};
use strata_core::shape::infer;

/// The file of the network.
pub const MODEL_FILE: &str = "model.keras";

/// The bytes of the file, from the weights under PyTorch's keys.
pub fn model(project: &Project, weights: &HashMap<String, Tensor>) -> Result<Vec<u8>, ExportError> {
    let inference = infer(&project.network);
    let plan = whole(&inference)?;
    let mut graph = Graph::default();
    let input = graph.input(&plan.input);
    let mut writer = Writer::new(&mut graph, weights);
    let stack = |stack: Stack| plan.stack(stack).unwrap_or_default();
    let code = writer.sequence(stack(Stack::Encoder), Stack::Encoder.name(), input)?;
    let mut outputs = Vec::new();
    for (behind, has) in [
        (Stack::Decoder, inference.output.is_some()),
        (Stack::Head, inference.answer.is_some()),
    ] {
        if has {
            outputs.push(writer.sequence(stack(behind), behind.name(), code)?);
        }
    }
    if outputs.is_empty() {
        outputs.push(code);
    }
    graph.file(&outputs).map_err(ExportError::Keras)
}
