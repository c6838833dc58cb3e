//! What a teacher would say about a project that can be trained: what is unusual, why it matters, and one edit
//! that mends it.
//!
//! [`advise`] is pure and total. It says nothing of what [`super::check()`] says already; for those problems
//! [`mends`] finds the edits that their help means. Every fix was tried: the project after it has no error that it had
//! not before. What is locked is not offered a fix.

mod case;
mod decay;
mod images;
mod mend;
mod no_effect;
mod not_finite;
mod order;
mod output;
mod size;
mod trained;
mod training;
mod windows;

pub(crate) use images::last_dense;
pub use images::{ImageCounts, advise_images};
pub use mend::fixes_for_images;
use mend::mends_of;
pub use not_finite::cause_of_not_finite;
pub use trained::{Course, EpochFigures, advise_trained, course};

use super::checks::project_check::{Problem, Severity, found};
use case::Case;
use strata_core::project::edit::Edit;
use strata_core::project::help::Repair;
use strata_core::project::{Place, Project};
use strata_core::shape::infer::{Inference, infer};

/// Something unusual about a project.
#[derive(Clone, Debug, PartialEq)]
pub struct Advice {
    /// The layer it is about.
    pub place: Option<Place>,
    /// The stage it is about, counted from 0.
    pub stage: Option<usize>,
    /// One sentence.
    pub message: String,
    /// The reason, with a source where there is one.
    pub why: String,
    /// What mends it.
    pub fix: Option<Fix>,
}

/// An edit that mends something.
#[derive(Clone, Debug, PartialEq)]
pub struct Fix {
    /// What it does: `remove softmax at head.4`.
    pub label: String,
    /// The edit, one step to undo.
    pub edit: Edit,
    /// What in the problem's help it does; `None` for one that comes from elsewhere.
    pub repair: Option<Repair>,
    /// The error behind it that can be seen only once this is mended.
    pub then: Option<String>,
}

impl Advice {
    fn new(message: impl Into<String>, why: impl Into<String>) -> Advice {
        Advice {
            place: None,
            stage: None,
            message: message.into(),
            why: why.into(),
            fix: None,
        }
    }

    fn at(self, place: &Place) -> Advice {
        Advice {
            place: Some(place.clone()),
            ..self
        }
    }

    fn of_stage(self, stage: usize) -> Advice {
        Advice {
            stage: Some(stage),
            ..self
        }
    }

    fn fix(self, label: impl Into<String>, edit: Edit) -> Advice {
        Advice {
            fix: Some(Fix {
                label: label.into(),
                edit,
                repair: None,
                then: None,
            }),
            ..self
        }
    }
}

/// At most so many of one kind: the others come when these are mended.
const OF_A_KIND: usize = 4;

/// Rows that may be inferred for trying fixes; beyond, advice comes without. Keeps typing fluent in deep networks.
const ROWS_TO_TRY: usize = 4000;

/// Everything unusual about a project, layers first.
pub fn advise(project: &Project, inference: &Inference) -> Vec<Advice> {
    let case = Case::new(project, inference);
    let rules: [fn(&Case<'_>) -> Vec<Advice>; 21] = [
        order::no_nonlinearity,
        order::double_activation,
        order::dropout_before_norm,
        order::bias_before_norm,
        windows::unread,
        windows::even_kernel,
        windows::overlapping_pool,
        windows::crossed_pairs,
        training::step_has_no_gradient,
        size::huge_dense,
        output::after_the_last,
        output::scores,
        output::half_a_range,
        output::sigmoid_with_mse,
        training::learning_rate,
        training::norm_of_one,
        decay::out_of_proportion,
        training::frozen,
        no_effect::layers,
        no_effect::augmentations,
        no_effect::stages,
    ];
    let all = rules
        .iter()
        .flat_map(|rule| rule(&case).into_iter().take(OF_A_KIND));
    let mut all: Vec<Advice> = all.chain(training::large_pixels(&case)).collect();
    keep_sound_fixes(&case, &mut all);
    all
}

fn keep_sound_fixes(case: &Case<'_>, all: &mut [Advice]) {
    let mut rows = ROWS_TO_TRY;
    for advice in all {
        rows = rows.saturating_sub(case.inference.rows.len().max(1));
        advice.fix = advice
            .fix
            .take()
            .filter(|fix| rows > 0 && is_sound(case, &fix.edit));
    }
}

/// The edits that mend each of some problems; as many lists as there are problems.
pub fn mends(project: &Project, inference: &Inference, problems: &[Problem]) -> Vec<Vec<Fix>> {
    let mut tries = ROWS_TO_TRY / inference.rows.len().max(1);
    let one = |problem: &Problem| {
        if tries == 0 {
            return Vec::new();
        }
        tries = tries.saturating_sub(problem.help.len());
        mends_of(project, problems, problem)
    };
    problems.iter().map(one).collect()
}

/// Whether an edit is possible and makes no error that was not there before.
fn is_sound(case: &Case<'_>, edit: &Edit) -> bool {
    after(case.project, edit).is_some_and(|(_, problems)| adds_no_error(case.problems(), &problems))
}

/// The project after an edit with its problems.
fn after(project: &Project, edit: &Edit) -> Option<(Project, Vec<Problem>)> {
    let next = edit.apply(project).ok().filter(|next| next != project)?;
    let problems = found(&next, &infer(&next.network));
    Some((next, problems))
}

fn adds_no_error(before: &[Problem], after: &[Problem]) -> bool {
    let errors = |problems: &'_ [Problem]| {
        problems
            .iter()
            .filter(|problem| problem.severity == Severity::Error)
            .count()
    };
    let is_known = |problem: &Problem| before.iter().any(|known| known.message == problem.message);
    errors(after) <= errors(before)
        && after
            .iter()
            .all(|problem| problem.severity != Severity::Error || is_known(problem))
}

#[cfg(test)]
mod tests;
