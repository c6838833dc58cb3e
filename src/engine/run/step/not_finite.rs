//! What a step that came to a number which is none ends with: what is kept, and what to do about it.

use super::Stepper;
use crate::error::{NotFinite, RunError};
use crate::run::session::Session;
use strata_design::advice::cause_of_not_finite;
use strata_inspect::layer_name;

impl Stepper {
    pub(super) fn loss_not_finite(&self, session: &mut Session<'_>, loss: f64) -> RunError {
        let first = match session.network.first_not_finite() {
            Ok(Some(key)) => format!(
                "first in the output of {}",
                layer_name(&session.inference, &key)
            ),
            Ok(None) => "every layer's output is finite, the loss of it is not".to_owned(),
            Err(error) => format!("the layer could not be found: {error}"),
        };
        self.not_finite(session, &format!("the loss is {loss}"), first)
    }

    /// Keeps the weights before this step, if they are finite, and says what to do.
    pub(super) fn not_finite(
        &self,
        session: &mut Session<'_>,
        what: &str,
        first: String,
    ) -> RunError {
        let memory = self.learner.state().map_err(RunError::from);
        let kept = match memory.and_then(|memory| session.save_if_finite(&["last"], &memory)) {
            Ok(None) => {
                format!(
                    "The weights before this step are kept in {}",
                    session.folder.checkpoint("last").display()
                )
            }
            Ok(Some(_)) => last_finite(session),
            Err(error) => return error,
        };
        let at = (session.position.step + 1, session.position.epoch + 1);
        self.failure(session, what, at, first, kept)
    }

    /// The failure at this step and epoch, both from 1, with what to do about it.
    pub(super) fn failure(
        &self,
        session: &Session<'_>,
        what: &str,
        (step, epoch): (u64, u32),
        first: String,
        kept: String,
    ) -> RunError {
        let lr = self
            .rates(&session.position, session.position.step_in_epoch)
            .lr;
        RunError::NotFinite(Box::new(NotFinite {
            what: what.to_owned(),
            step,
            stage: self.stage.name.clone(),
            epoch,
            first,
            kept,
            advice: cause_of_not_finite(&session.project, &self.stage).unwrap_or_else(|| {
                let usual = self.stage.optimizer.usual().default;
                advice(
                    [lr, usual],
                    session.dataset.pixel_range(),
                    session.position.step,
                )
            }),
        }))
    }
}

/// Numbers of pixels from which on they are the cause of an overflow: the network squares them and adds them up.
const HUGE_PIXELS: f32 = 1e3;
/// Numbers of pixels that are larger than those networks are made for.
const LARGE_PIXELS: f32 = 16.0;

/// What to do about numbers that are no longer finite, after so many steps.
fn advice([lr, usual]: [f64; 2], pixel_range: [f32; 2], steps: u64) -> String {
    let [low, high] = pixel_range;
    let largest = low.abs().max(high.abs());
    let other_range = "set range = [0, 1] or normalize = \"train\"";
    let smaller = format!(
        "use a smaller learning rate than {lr:?}, such as lr={:?}",
        // Far beyond what is usual a tenth would not do either.
        (lr / 10.0).min(usual)
    );
    if largest >= HUGE_PIXELS {
        let reach = scientific(f64::from(largest));
        return format!("the pixels reach the network as numbers of up to {reach}: {other_range}");
    }
    match (steps, largest > LARGE_PIXELS) {
        (0, true) => format!("the learning rate is not the cause, no step was taken yet: {other_range}"),
        (0, false) => "the learning rate is not the cause, no step was taken yet: look at the loss and at the layer named".to_owned(),
        (_, true) => format!("{smaller}, or smaller pixels: {other_range}"),
        (_, false) => smaller,
    }
}

/// `1e18`, and `1000` for what is short anyway.
fn scientific(value: f64) -> String {
    if value < 1e6 {
        format!("{value}")
    } else {
        format!("{value:.0e}")
    }
}

/// No checkpoint is ever written with a number in it that is not finite.
pub(super) fn last_finite(session: &Session<'_>) -> String {
    format!(
        "The last finite weights are in {}",
        session.folder.checkpoint("last").display()
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_advice_names_the_cause() {
        let huge = advice([1e-30, 1.0], [0.0, 1e18], 0);
        assert!(
            huge.contains("up to 1e18") && huge.contains("range = [0, 1]"),
            "{huge}"
        );
        assert!(!huge.contains("lr="), "{huge}");
        let usual = advice([0.5, 1.0], [0.0, 1.0], 7);
        assert!(
            usual.contains("such as lr=0.05") && !usual.contains("range"),
            "{usual}"
        );
        let bytes = advice([0.5, 1.0], [0.0, 255.0], 7);
        assert!(
            bytes.contains("lr=0.05") && bytes.contains("range = [0, 1]"),
            "{bytes}"
        );
        let first = advice([0.5, 1.0], [0.0, 1.0], 0);
        assert!(
            first.contains("not the cause") && !first.contains("lr="),
            "{first}"
        );
    }
}
