//! Whether data, network and stages fit together: checked once the images are open and before
//! anything is trained. What doesn't is one message that says what to change.

use super::early_stop;
use crate::error::RunError;
use strata_core::project::Project;
use strata_core::project::data::Split;
use strata_core::project::size::Shape;
use strata_core::project::stage::{Stage, Task};
use strata_core::shape::Inference;
use strata_data::Dataset;
use strata_inspect::head::check_head;

/// Checks the images against the network's input, and every stage that will be trained against the splits.
pub(crate) fn check(
    project: &Project,
    inference: &Inference,
    dataset: &Dataset,
    stages: &[usize],
) -> Result<(), RunError> {
    check_input(project, dataset)?;
    for stage in stages.iter().filter_map(|&index| project.stages.get(index)) {
        check_split(stage, dataset)?;
        check_early_stop(stage, dataset)?;
        if stage.task == Task::Classify {
            check_classes(stage, inference, dataset)?;
        }
    }
    Ok(())
}

/// Checks the images against the network's input.
pub(crate) fn check_input(project: &Project, dataset: &Dataset) -> Result<(), RunError> {
    let [channels, height, width] = dataset.shape();
    let input = &project.network.input;
    // A signal is stored as an image of one row.
    let dims = if input.rank() == 1 && height == 1 {
        vec![channels, width]
    } else {
        dataset.input_dims()
    };
    if input.dims() == dims {
        return Ok(());
    }
    let data = Shape::new(&dims).map_or_else(String::new, |shape| shape.to_string());
    let change_input = format!("the network's input to {}", data.replace('×', "x"));
    let help = match *input.dims() {
        [wanted, high, wide] if wanted == channels && dataset.depth().is_none() => {
            format!("set the data's resize to {high}x{wide}, or {change_input}")
        }
        [_, length] if height == 1 => {
            format!("set the data's length to {length}, or {change_input}")
        }
        _ => format!("set {change_input}"),
    };
    let source = project.data.source;
    Err(RunError::Input(format!(
        "the {} of `{source}` are {data}, but the network's input is {input}: {help}",
        if dataset.depth().is_some() {
            "volumes"
        } else {
            "images"
        }
    )))
}

fn check_split(stage: &Stage, dataset: &Dataset) -> Result<(), RunError> {
    let found = dataset.split(stage.split).map(|split| split.len());
    if found.is_some_and(|images| images > 0) {
        return Ok(());
    }
    let there: Vec<&str> = dataset.splits().map(|(split, _)| split.name()).collect();
    Err(RunError::Input(format!(
        "stage `{}` trains on the split `{}`, which these images do not have; there is {}: set the stage's split to {}",
        stage.name,
        stage.split,
        there.join(", "),
        there.first().copied().unwrap_or("train"),
    )))
}

fn check_early_stop(stage: &Stage, dataset: &Dataset) -> Result<(), RunError> {
    let Some(rule) = &stage.early_stop else {
        return Ok(());
    };
    let watched = early_stop::split_of(&rule.metric);
    if watched == Some(Split::Valid) && !is_measured(stage, dataset, Split::Valid) {
        return Err(RunError::Input(format!(
            "stage `{}` stops early by `{}`, but there is no valid split for it: set the data's valid to 0.1, or let it watch the train loss",
            stage.name, rule.metric
        )));
    }
    Ok(())
}

fn check_classes(stage: &Stage, inference: &Inference, dataset: &Dataset) -> Result<(), RunError> {
    let name = &stage.name;
    if !dataset
        .split(stage.split)
        .is_some_and(|split| split.labelled())
    {
        return Err(RunError::Input(format!(
            "stage `{name}` classifies, but the images of the split `{}` have no labels: train on a labelled split, or let it reconstruct",
            stage.split
        )));
    }
    check_head(stage, inference, dataset).map_err(RunError::Input)
}

/// Whether a stage can be measured on a split.
pub(crate) fn is_measured(stage: &Stage, dataset: &Dataset, split: Split) -> bool {
    let data = dataset.split(split);
    data.is_some_and(|data| {
        !data.is_empty() && (stage.task == Task::Reconstruct || data.labelled())
    })
}
