//! What every export asks of a network's plan.

use crate::error::ExportError;
use std::collections::{BTreeMap, BTreeSet};
use strata_core::project::Stack;
use strata_core::shape::op::{Op, Plan, Planned, PlannedLayer};
use strata_core::shape::{Inference, Row};

/// The plan, when every layer is sound.
pub(crate) fn whole(inference: &Inference) -> Result<&Plan, ExportError> {
    match (inference.errors().next(), &inference.plan) {
        (None, Some(plan)) => Ok(plan),
        (error, _) => Err(ExportError::Unsound(
            error.map(|(row, _)| row.place.clone()),
        )),
    }
}

/// The stacks that hold layers, in their order. The encoder is there even when it is empty: it gives the code.
pub(crate) fn stacks(plan: &Plan) -> impl Iterator<Item = (Stack, &[Planned])> {
    Stack::ALL.into_iter().filter_map(|stack| {
        let planned = plan.stack(stack)?;
        (stack == Stack::Encoder || !planned.is_empty()).then_some((stack, planned))
    })
}

/// The layers as they stand in the project, by place.
pub(crate) fn texts(inference: &Inference) -> BTreeMap<String, String> {
    let text = |row: &Row| (row.place.to_string(), row.text.clone());
    inference.rows.iter().map(text).collect()
}

/// The max poolings that something undoes, by slot: only these keep their places.
pub(crate) fn undone_slots(plan: &Plan) -> BTreeSet<usize> {
    let mut slots = BTreeSet::new();
    for (_, planned) in stacks(plan) {
        each_layer(planned, &mut |layer| {
            if let Op::Unpool { slot, .. } = layer.op {
                slots.insert(slot);
            }
        });
    }
    slots
}

/// Visits the layers in the order of their parameters.
pub(crate) fn each_layer<'a>(planned: &'a [Planned], visit: &mut impl FnMut(&'a PlannedLayer)) {
    for node in planned {
        match node {
            Planned::Layer(layer) => visit(layer),
            Planned::Add { branches, .. } | Planned::Concat { branches, .. } => {
                branches.iter().for_each(|branch| each_layer(branch, visit));
            }
            Planned::Repeat { passes, .. } => {
                passes.iter().for_each(|pass| each_layer(pass, visit))
            }
        }
    }
}
