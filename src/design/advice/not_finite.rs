//! Why a training ended in NaN or infinity, where the project itself says it.

use crate::checks::value_range;
use strata_core::project::stage::{Stage, Task};
use strata_core::project::{Project, Stack};

/// Pixels beyond this make the first steps of any network huge.
const LARGE: f32 = 10.0;

/// What in the network or the data lets the loss leave the numbers, with what to write instead; `None` where
/// nothing but the learning rate is left to blame.
pub fn cause_of_not_finite(project: &Project, stage: &Stage) -> Option<String> {
    logarithm_of_anything(project, stage).or_else(|| large_values(project))
}

/// The logarithm of an output that nothing keeps between 0 and 1.
fn logarithm_of_anything(project: &Project, stage: &Stage) -> Option<String> {
    let is_kept = value_range::is_fraction(value_range::at_end(&project.network, Stack::Decoder));
    if stage.task != Task::Reconstruct || !stage.loss.spec().needs_probabilities || is_kept {
        return None;
    }
    Some(format!(
        "the loss {} takes the logarithm of the outputs, and nothing keeps them between 0 and 1: end the decoder \
         with `sigmoid`, or use loss = \"mse\"",
        stage.loss
    ))
}

fn large_values(project: &Project) -> Option<String> {
    let data = &project.data;
    let [low, high] = data.range.filter(|_| data.normalize.is_none())?;
    let largest = low.abs().max(high.abs());
    (largest > LARGE).then(|| {
        format!(
            "the pixels are from {low} to {high}: use range = [0, 1], then a smaller learning rate"
        )
    })
}

#[cfg(test)]
mod tests;
