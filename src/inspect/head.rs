//! Whether the head of a network has an output for every class.

use strata_core::project::stage::Stage;
use strata_core::shape::Inference;
use strata_data::Dataset;

/// Checks that the head has an output for every class; fails with what to change.
pub fn check_head(stage: &Stage, inference: &Inference, dataset: &Dataset) -> Result<(), String> {
    let name = &stage.name;
    let classes = dataset.classes().len();
    let Some(answer) = &inference.answer else {
        return Err(format!(
            "stage `{name}` classifies, but the network has no head: end it with `dense {classes}`"
        ));
    };
    if !answer.is_vector() || answer.channels() < classes {
        return Err(format!(
            "stage `{name}`: the images have {classes} classes, but the head gives {answer}: end it with `dense {classes}`"
        ));
    }
    Ok(())
}
