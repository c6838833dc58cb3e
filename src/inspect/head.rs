//! Whether the head of a network has an output for every class.

use std::fmt;
use strata_core::project::Stack;
use strata_core::project::help::Help;
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

/// Checks that the head has an output for every class; fails with what to change.
pub fn check_head(
    stage: &Stage,
    inference: &Inference,
    dataset: &Dataset,
) -> Result<(), HeadMisfit> {
    let name = &stage.name;
    let classes = dataset.classes().len();
    let end = format!("dense {classes}");
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
