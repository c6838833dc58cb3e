//! A network with its weights as an ONNX file of opset 19, the batch left free.
//!
//! Values and nodes are named after the layers (`encoder.0`), so that Netron shows the project's names; a node's
//! description is the layer's text. Dropout and noise are left out: the file is for prediction.

mod graph;
mod layer;

use crate::error::ExportError;
use candle_core::Tensor;
use graph::Graph;
use layer::Writer;
use std::collections::HashMap;
use strata_core::project::{Project, Stack};
use strata_core::shape::infer;

/// The file of the network.
pub const MODEL_FILE: &str = "model.onnx";
/// The version of the operators.
pub const OPSET: i64 = 19;
/// The name of the network's input.
pub const INPUT: &str = "input";
/// The name of what the decoder gives.
pub const RECONSTRUCTION: &str = "reconstruction";
/// The name of what the head gives.
pub const ANSWER: &str = "answer";
/// The name of what the encoder gives, of a network that has nothing behind it.
pub const CODE: &str = "code";

/// The bytes of the file, from the weights under PyTorch's keys.
pub fn model(project: &Project, weights: &HashMap<String, Tensor>) -> Result<Vec<u8>, ExportError> {
    let inference = infer(&project.network);
    let plan = crate::plan::whole(&inference)?;
    let stack = |stack: Stack| plan.stack(stack).unwrap_or_default();
    let mut graph = Graph::default();
    let mut writer = Writer::new(&mut graph, weights, &inference);
    let code = writer.sequence(
        stack(Stack::Encoder),
        Stack::Encoder.name(),
        INPUT.to_owned(),
    )?;
    let mut outputs = Vec::new();
    for (behind, name, shape) in [
        (Stack::Decoder, RECONSTRUCTION, &inference.output),
        (Stack::Head, ANSWER, &inference.answer),
    ] {
        if let Some(shape) = shape {
            let value = writer.sequence(stack(behind), behind.name(), code.clone())?;
            writer.call_it(value, name);
            outputs.push((name, shape.clone()));
        }
    }
    if outputs.is_empty() {
        writer.call_it(code, CODE);
        outputs.push((CODE, plan.code.clone()));
    }
    Ok(graph.encode(&project.title, (INPUT, &plan.input), &outputs))
}
