//! A network as a readable module of PyTorch, with the parameters under the same keys as in a checkpoint.
//!
//! Stacks become `nn.Sequential`, blocks and what PyTorch has no class for become the small classes of `classes/`.
//! So `load_state_dict(..., strict=True)` takes the weights of a run as they are.

mod class;
mod expression;
pub(crate) mod training;

use crate::error::ExportError;
use crate::plan::{stacks, texts, undone_slots, whole};
use expression::Writer;
use std::fmt::Write;
use strata_core::project::{Project, Stack};
use strata_core::shape::infer;
use strata_core::shape::op::Plan;

/// The file of the network's code.
pub const MODEL_FILE: &str = "model.py";

/// The code of a project's network: a class `Network` with a stack for each that the project has.
pub fn model(project: &Project) -> Result<String, ExportError> {
    let inference = infer(&project.network);
    let plan = whole(&inference)?;
    let mut writer = Writer::new(undone_slots(plan), texts(&inference));
    let mut assigned = String::new();
    for (stack, planned) in stacks(plan) {
        let name = stack.name();
        let _ = write!(assigned, "        self.{name} = ");
        writer.sequence(planned, &format!("self.{name}"), 2, &mut assigned);
        assigned.push('\n');
    }
    for (unpool, pool) in writer.pairs() {
        let _ = writeln!(assigned, "        {unpool}.undoes({pool})");
    }
    Ok([
        heading(project, plan),
        writer.classes().code(),
        class_code(project, plan, &assigned),
    ]
    .concat())
}

fn heading(project: &Project, plan: &Plan) -> String {
    let sizes: Vec<String> = plan.input.dims().iter().map(usize::to_string).collect();
    format!(
        r#""""{title}: the network, written by Strata {version}.

Use:
    from safetensors.torch import load_file
    network = Network()
    network.load_state_dict(load_file("weights.safetensors"), strict=True)
    network.eval()

The input is float32 [N, {sizes}], prepared as the project's [data] says.
"""

import torch
import torch.nn.functional as F
from torch import nn
"#,
        title = one_line(&project.title),
        version = env!("CARGO_PKG_VERSION"),
        sizes = sizes.join(", "),
    )
}

/// A title that ends no docstring.
pub(crate) fn one_line(title: &str) -> String {
    let words: Vec<&str> = title.split_whitespace().collect();
    words.join(" ").replace('\\', "/").replace('"', "'")
}

fn class_code(project: &Project, plan: &Plan, assigned: &str) -> String {
    let has = |stack: Stack| stacks(plan).any(|(other, _)| other == stack);
    let answers: Vec<&str> = [
        (Stack::Decoder, "self.decoder(code)"),
        (Stack::Head, "self.head(code)"),
    ]
    .into_iter()
    .filter_map(|(stack, call)| has(stack).then_some(call))
    .collect();
    let (gives, returned) = match (has(Stack::Decoder), has(Stack::Head)) {
        (true, true) => (
            "the reconstruction and the head's answer",
            answers.join(", "),
        ),
        (true, false) => ("the reconstruction", answers.join(", ")),
        (false, true) => ("the head's answer", answers.join(", ")),
        (false, false) => ("the code", "code".to_owned()),
    };
    format!(
        r#"

class Network(nn.Module):
    """{title}."""

    def __init__(self):
        super().__init__()
{assigned}
    def forward(self, x):
        """Gives {gives}."""
        code = self.encoder(x)
        return {returned}
"#,
        title = one_line(&project.title).trim_end_matches('.'),
    )
}
