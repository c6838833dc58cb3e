//! The number that saliency is of, and whether a network has it.

use super::Request;
use crate::attribution::Method;
use crate::confusion::NOT_CLASSIFIED;
use crate::head::check_head;
use crate::layer_of;
use serde::{Deserialize, Serialize};
use strata_core::project::stage::{Stage, Task};
use strata_core::project::{Place, Stack};
use strata_core::shape::op::Op;
use strata_core::shape::{Inference, Row};
use strata_data::Dataset;

/// The number that is explained.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Question {
    /// The score of the class that each image is taken for.
    #[default]
    Predicted,
    /// The score of this class.
    Class(u32),
    /// The reconstruction error.
    Error,
    /// The mean over the positions of this channel of the layer that is asked for.
    Unit(u32),
}

/// Whether the network can be asked this; fails with the reason.
pub(super) fn check(
    question: Question,
    request: &Request,
    stage: &Stage,
    inference: &Inference,
    dataset: &Dataset,
) -> Result<(), String> {
    let classes = dataset.classes().len();
    if let Some(place) = &request.layer {
        inference
            .row(place)
            .ok_or_else(|| format!("the network that was trained has no layer {place}"))?;
    }
    match question {
        Question::Error if inference.output_equals_input != Some(true) => {
            Err("the network has no decoder whose output equals the input".to_owned())
        }
        Question::Error => Ok(()),
        Question::Unit(unit) => check_unit(unit, request, inference),
        Question::Class(class) if class as usize >= classes => Err(format!(
            "there is no class {class}; the images have {classes}"
        )),
        Question::Predicted if dataset.has_label_sets() => Err(
            "an image may have several labels here and is taken for no single class: choose the label that is explained"
                .to_owned(),
        ),
        _ if !dataset.has_label_sets()
            && !dataset.splits().any(|(_, data)| data.labelled()) =>
        {
            Err("these images have no classes to ask for".to_owned())
        }
        _ if stage.task != Task::Classify && inference.answer.is_none() => {
            Err(NOT_CLASSIFIED.to_owned())
        }
        _ => check_head(stage, inference, dataset).map_err(|misfit| misfit.to_string()),
    }
}

fn check_unit(unit: u32, request: &Request, inference: &Inference) -> Result<(), String> {
    if request.method == Method::GradCam {
        return Err(
            "Grad-CAM weighs the maps of a layer for a class or for the error; choose another method for a unit"
                .to_owned(),
        );
    }
    let none = || "a unit belongs to a layer: choose one".to_owned();
    let place = request.layer.as_ref().ok_or_else(none)?;
    let output = inference.row(place).and_then(|row| row.output.as_ref());
    let units = output.map_or(0, |shape| shape.channels());
    match (unit as usize) < units {
        true => Ok(()),
        false => Err(format!(
            "{place} has no unit {unit}: it has {units}, counted from 0"
        )),
    }
}

/// The layer whose maps Grad-CAM takes unless another is chosen: the last before the score that has maps, pooling and
/// dropout left out.
pub fn cam_layer(inference: &Inference, question: Question) -> Option<Place> {
    let stacks: &[Stack] = match question {
        Question::Predicted | Question::Class(_) => &[Stack::Encoder, Stack::Head],
        Question::Error | Question::Unit(_) => &[Stack::Encoder],
    };
    let has_maps = |row: &&Row| {
        let output = row.output.as_ref();
        output.is_some_and(|shape| shape.volume().iter().product::<usize>() > 1)
    };
    let computes = |row: &&Row| {
        let layer = layer_of(inference, &row.place.to_string());
        row.is_block
            || layer.is_some_and(|(layer, _)| {
                !matches!(
                    layer.op,
                    Op::MaxPool { .. } | Op::AvgPool { .. } | Op::Dropout { .. } | Op::Identity
                )
            })
    };
    let rows = inference.rows.iter().filter(|row| row.depth == 0);
    rows.filter(|row| stacks.contains(&row.place.stack))
        .filter(has_maps)
        .rfind(computes)
        .map(|row| row.place.clone())
}
