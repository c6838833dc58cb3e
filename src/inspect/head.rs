//! Whether the head of a network has an output for every class.

use super::inspection::InspectError;
use std::fmt;
use strata_core::project::Stack;
use strata_core::project::help::{Help, Repair, StageSetting};
use strata_core::project::loss::Loss;
use strata_core::project::stage::Stage;
use strata_core::shape::Inference;
use strata_data::Dataset;

/// A head that does not give a score for each class.
#[derive(Debug)]
pub struct HeadMisfit {
    /// Which stage, what it gives and what is needed.
    pub problem: String,
    /// The layer that it is to end with.
    pub help: Help,
}

impl fmt::Display for HeadMisfit {
    /// As the terminal shows it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.problem, self.help)
    }
}

/// Whether a head of one score, which tells two classes apart, has two classes.
fn one_score(stage: &Stage, inference: &Inference, classes: usize) -> Result<(), HeadMisfit> {
    let answer = inference.answer.as_ref();
    if classes == 2 && answer.is_some_and(|answer| answer.elements() == 1) {
        return Ok(());
    }
    let (name, loss) = (&stage.name, stage.loss);
    let gives = answer.map_or_else(|| "nothing".to_owned(), ToString::to_string);
    Err(HeadMisfit {
        problem: format!(
            "stage `{name}`: {loss} tells two classes apart by one score, but the images have {classes} classes and \
             the head gives {gives}"
        ),
        help: Repair::Stage(StageSetting::Loss(Loss::CROSS_ENTROPY)).into(),
    })
}

/// Refuses images that may have several labels, of what is about one class an image; `what` is that in the plural.
pub(crate) fn check_one_class(dataset: &Dataset, what: &str) -> Result<(), InspectError> {
    if !dataset.has_label_sets() {
        return Ok(());
    }
    Err(InspectError::Input(format!(
        "{what} are of images with one class each, and an image may have several labels here"
    )))
}

/// Whether a stage learns which of several labels an image has: by a score for each label.
fn scores_of_labels(stage: &Stage, inference: &Inference, labels: usize) -> Result<(), HeadMisfit> {
    let name = &stage.name;
    if stage.loss != Loss::Bce {
        let problem = format!(
            "stage `{name}`: an image may have several of {labels} labels, and {} chooses one class",
            stage.loss
        );
        let help = Repair::Stage(StageSetting::Loss(Loss::Bce)).into();
        return Err(HeadMisfit { problem, help });
    }
    let answer = inference.answer.as_ref();
    if answer.is_some_and(|answer| answer.is_vector() && answer.channels() == labels) {
        return Ok(());
    }
    let gives = answer.map_or_else(|| "nothing".to_owned(), ToString::to_string);
    let problem = format!(
        "stage `{name}`: an image may have several of {labels} labels, which needs a score for each, but the head \
         gives {gives}"
    );
    let end = format!("dense {labels}");
    let is_vector = answer.is_some_and(|answer| answer.is_vector());
    let layers: &[&str] = if is_vector {
        &[&end]
    } else {
        &["flatten", &end]
    };
    let help = Help::end(Stack::Head, layers);
    Err(HeadMisfit { problem, help })
}

/// Checks that the head has an output for every class; fails with what to change.
pub fn check_head(
    stage: &Stage,
    inference: &Inference,
    dataset: &Dataset,
) -> Result<(), HeadMisfit> {
    let name = &stage.name;
    let classes = dataset.classes().len();
    let end = format!("dense {classes}");
    if dataset.has_label_sets() {
        return scores_of_labels(stage, inference, classes);
    }
    if stage.loss.spec().tells_two_apart {
        return one_score(stage, inference, classes);
    }
    let problem = match &inference.answer {
        None => format!("stage `{name}` classifies, but the network has no head"),
        Some(answer) if !answer.is_vector() => {
            let help = Help::end(Stack::Head, &["flatten", &end]);
            let problem = format!(
                "stage `{name}`: the images have {classes} classes, but the head gives {answer}"
            );
            return Err(HeadMisfit { problem, help });
        }
        Some(answer) if answer.channels() < classes => format!(
            "stage `{name}`: the images have {classes} classes, but the head gives {answer}"
        ),
        Some(_) => return Ok(()),
    };
    let help = Help::end(Stack::Head, &[&end]);
    Err(HeadMisfit { problem, help })
}
