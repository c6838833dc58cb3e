//! Advice about weight decay that outweighs the loss.
//!
//! A loss of images is a mean over all values, so it is about as large as the pixels' variance, however large the
//! images are; the penalty λ/2·|w|² is a sum over all weights. λ of a textbook is weighed against a sum of errors and
//! is then hundreds of times too strong.

use super::Advice;
use super::case::{Case, is_linear};
use strata_core::project::Stack;
use strata_core::project::edit::Edit;
use strata_core::project::layer::{Family, Kind};
use strata_core::project::node::Node;
use strata_core::project::stage::{Loss, Stage, Task};
use strata_core::project::target::node_at;
use strata_core::shape::Row;

/// From this fraction of the loss of an answer that is the mean on, the penalty suppresses detail.
const TOO_MUCH: f64 = 0.05;
/// The fraction that the proposed decay has at most.
const LITTLE: f64 = 0.01;

/// Weight decay whose penalty is no small part of a mean loss.
pub(crate) fn out_of_proportion(case: &Case<'_>) -> Vec<Advice> {
    let stages = case.project.stages.iter().enumerate();
    stages
        .filter_map(|(index, stage)| outweighs(case, index, stage))
        .collect()
}

fn outweighs(case: &Case<'_>, index: usize, stage: &Stage) -> Option<Advice> {
    let decay = stage
        .optimizer
        .penalty_decay()
        .filter(|decay| *decay > 0.0)?;
    let loss = loss_of_the_mean(stage, case.pixels())?;
    let squares = squared_weights(case, stage);
    let share = decay / 2.0 * squares / loss;
    if share < TOO_MUCH {
        return None;
    }
    let fitting = 10f64.powf((LITTLE * decay / share).log10().floor());
    let message = format!(
        "weight_decay={decay:e} is strong for a loss that is a mean: its penalty is {:.0} % of it at the start",
        100.0 * share
    );
    let why = format!(
        "The penalty λ/2·|w|² sums over all weights (|w|² is about {squares:.0} at the start), the loss {} is a mean \
         over all values of an image: about {loss:.2} for an answer that is grey all over. A λ made for a sum of \
         errors is smaller here by the number of values.",
        stage.loss
    );
    let gentler = Stage {
        optimizer: stage.optimizer.with_penalty_decay(fitting),
        ..stage.clone()
    };
    let label = format!("set weight decay to {fitting:e} in stage {}", index + 1);
    Some(
        Advice::new(message, why)
            .of_stage(index)
            .fix(label, Edit::Stage(index, gentler)),
    )
}

/// The loss of an answer that is the pixels' mean everywhere, for pixels spread evenly over their range.
fn loss_of_the_mean(stage: &Stage, pixels: Option<[f32; 2]>) -> Option<f64> {
    let (variance, distance) = match pixels {
        // Normalised pixels have the variance 1.
        None => (1.0, 0.8),
        Some([low, high]) => {
            let width = f64::from(high - low).abs();
            (width * width / 12.0, width / 4.0)
        }
    };
    match (stage.task, stage.loss) {
        (Task::Classify, _) | (Task::Reconstruct, Loss::CrossEntropy { .. }) => None,
        (Task::Reconstruct, Loss::Mse) => Some(variance),
        (Task::Reconstruct, Loss::Huber { .. } | Loss::SmoothL1 { .. }) => Some(variance / 2.0),
        (Task::Reconstruct, Loss::L1) => Some(distance),
        // An even image has nothing of the structure.
        (Task::Reconstruct, Loss::Ssim { .. }) => Some(1.0),
        (Task::Reconstruct, Loss::Bce) => Some(std::f64::consts::LN_2),
    }
    .filter(|loss| *loss > 0.0)
}

/// |w|² at the start: PyTorch's weights have the variance 1/(3·inputs), so each output adds a third; the scales of
/// a normalisation are 1.
fn squared_weights(case: &Case<'_>, stage: &Stage) -> f64 {
    let runs = |row: &&Row| {
        !row.is_block
            && row.parameters > 0
            && matches!(
                (row.place.stack, stage.task),
                (Stack::Encoder, _)
                    | (Stack::Decoder, Task::Reconstruct)
                    | (Stack::Head, Task::Classify)
            )
    };
    case.inference
        .rows
        .iter()
        .filter(runs)
        .map(|row| squares_of(case, row))
        .sum()
}

fn squares_of(case: &Case<'_>, row: &Row) -> f64 {
    let node = node_at(case.project.network.stack(row.place.stack), &row.place.path);
    let Some(Node::Layer(layer)) = node else {
        return 0.0;
    };
    let channels = |shape: &Option<strata_core::project::size::Shape>| {
        shape.as_ref().map_or(0.0, |shape| shape.channels() as f64)
    };
    // The inputs of a transposed convolution's initial weights are counted by its outputs.
    let is_transposed = matches!(layer.kind, Kind::ConvTranspose { .. });
    if is_linear(&layer.kind) {
        return channels(if is_transposed {
            &row.input
        } else {
            &row.output
        }) / 3.0;
    }
    if layer.kind.family() == Family::Normalisation {
        return row.parameters as f64 / 2.0;
    }
    0.0
}

#[cfg(test)]
mod tests;
