//! What a stage reached: over the batches of an epoch, and measured on the images that were kept out.

use super::super::compatibility::is_measured;
use super::super::evaluate::with_mse;
use super::super::restore::Best;
use super::super::session::Session;
use super::super::step::Stepper;
use crate::error::RunError;
use crate::event::Metrics;
use crate::storage::checkpoint::Tally;
use strata_core::project::data::Split;
use strata_core::project::stage::{Loss, Stage, Task};
use strata_data::Dataset;

/// Measures the images that were kept out with the weights of the best epoch, those for the final figure for `metrics`
/// too. False when a stop was asked for meanwhile. Afterwards the network has the weights of the last step again.
pub(super) fn measure_best(
    session: &mut Session<'_>,
    stepper: &Stepper,
    best: &mut Best,
    metrics: &mut Vec<(Split, Metrics)>,
) -> Result<bool, RunError> {
    let last = best.put(session)?;
    let own = &mut best.metrics;
    let is_measured = measure_into(session, stepper, Split::Valid, own)?
        && measure_into(session, stepper, Split::Test, own)?
        && measure_own(session, stepper, own)?;
    session.network.load_state(&last).map_err(RunError::input)?;
    let is_test = |(split, _): &&(Split, Metrics)| {
        *split == Split::Test && stepper.stage().split != Split::Test
    };
    metrics.extend(best.metrics.iter().find(is_test).cloned());
    Ok(is_measured)
}

/// False when a stop was asked for meanwhile.
pub(super) fn measure_into(
    session: &mut Session<'_>,
    stepper: &Stepper,
    split: Split,
    metrics: &mut Vec<(Split, Metrics)>,
) -> Result<bool, RunError> {
    let stage = stepper.stage();
    if split == stage.split || !is_measured(stage, &session.dataset, split) {
        return Ok(true);
    }
    let weights = stepper.class_weights.as_deref();
    let Some(measured) = session.measure(stage, weights, split)? else {
        return Ok(false);
    };
    metrics.push((split, measured));
    Ok(true)
}

/// Where a stage trains on images that others keep out, what it reached on them is measured at its end, as `strata eval`
/// does: the means of its last epoch are no figures of the network that it leaves. False when a stop was asked for.
pub(super) fn measure_own(
    session: &mut Session<'_>,
    stepper: &Stepper,
    metrics: &mut Vec<(Split, Metrics)>,
) -> Result<bool, RunError> {
    let stage = stepper.stage();
    if !matches!(stage.split, Split::Valid | Split::Test) {
        return Ok(true);
    }
    let weights = stepper.class_weights.as_deref();
    let Some(measured) = session.measure(stage, weights, stage.split)? else {
        return Ok(false);
    };
    metrics.retain(|(split, _)| *split != stage.split);
    metrics.push((stage.split, measured));
    Ok(true)
}

/// The training split's metrics: means over the epoch's batches, as they were when each was trained on.
pub(super) fn trained(stage: &Stage, tally: Tally, dataset: &Dataset) -> Metrics {
    let images = tally.images.max(1) as f64;
    let pixels = &dataset.pixel_units();
    let answers = match dataset.has_label_sets() {
        true => images * dataset.classes().len().max(1) as f64,
        false => images,
    };
    let weight = match stage.class_weights {
        Some(_) => tally.weight.max(f64::MIN_POSITIVE),
        None => images,
    };
    let metrics = Metrics {
        loss: tally.loss / weight,
        ..Metrics::default()
    };
    let loss = metrics.loss;
    match stage.task {
        Task::Reconstruct => {
            let counted = tally.pixel_error / images;
            let error = (stage.loss == Loss::Mse)
                .then(|| pixels.of_network_error(loss).unwrap_or(counted))
                .filter(|error| !error.is_nan());
            match error {
                Some(error) => with_mse(metrics, error, pixels),
                None => metrics,
            }
        }
        Task::Classify => Metrics {
            accuracy: Some(tally.correct as f64 / answers),
            log_loss: (is_log_loss(stage) && !dataset.has_label_sets()).then_some(loss),
            ..metrics
        },
    }
}

/// Whether a classifying stage minimises what is reported as its log loss.
fn is_log_loss(stage: &Stage) -> bool {
    [Loss::CROSS_ENTROPY, Loss::Bce].contains(&stage.loss) && stage.class_weights.is_none()
}
