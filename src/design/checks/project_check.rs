//! Everything that stops a project from being trained, before anything is read or built.
//!
//! [`check`] collects [`Problem`]s: shape errors at their layers, what each stage needs, what the
//! data table says. A project can be trained when none of them is an error. Nothing here fails or
//! reads a file.

use super::data_check;
use super::stage_check;
use crate::constant_borders;
use std::collections::BTreeSet;
use strata_core::project::help::{Help, Repair};
use strata_core::project::target::target;
use strata_core::project::{Place, Project};
use strata_core::shape::infer::{Inference, Row, infer};

/// Whether a problem stops the training.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// It does.
    Error,
    /// It does not, but the result will likely disappoint.
    Warning,
}

/// Something wrong with a project.
#[derive(Clone, Debug, PartialEq)]
pub struct Problem {
    /// Whether it stops the training.
    pub severity: Severity,
    /// The layer it is about.
    pub place: Option<Place>,
    /// The stage it is about, counted from 0.
    pub stage: Option<usize>,
    /// One sentence.
    pub message: String,
    /// What mends it, best first.
    pub help: Vec<Help>,
    /// Whether an error misleads and does no harm: a run that was begun with it, by an earlier version, is resumed.
    pub is_harmless: bool,
}

impl Problem {
    /// An error about the whole project.
    pub(crate) fn error(message: impl Into<String>) -> Problem {
        let severity = Severity::Error;
        Problem {
            severity,
            place: None,
            stage: None,
            message: message.into(),
            help: Vec::new(),
            is_harmless: false,
        }
    }

    /// The same as an error that does no harm.
    pub(crate) fn harmless(self) -> Problem {
        Problem {
            is_harmless: true,
            ..self
        }
    }

    /// A warning about the whole project.
    pub(crate) fn warning(message: impl Into<String>) -> Problem {
        Problem {
            severity: Severity::Warning,
            ..Problem::error(message)
        }
    }

    /// The same with one more way to mend it.
    pub(crate) fn help(mut self, help: impl Into<Help>) -> Problem {
        self.help.push(help.into());
        self
    }

    /// The same with a way to mend it where there is one.
    pub(crate) fn maybe_help(self, help: Option<Help>) -> Problem {
        match help {
            Some(help) => self.help(help),
            None => self,
        }
    }

    /// The same about a stage.
    pub(crate) fn of_stage(self, stage: usize) -> Problem {
        Problem {
            stage: Some(stage),
            ..self
        }
    }
}

/// Every problem of a project: shapes first, then stages, then data.
pub fn check(project: &Project) -> Vec<Problem> {
    check_inferred(project, &infer(&project.network))
}

/// The same for a project whose network was inferred already.
pub fn check_inferred(project: &Project, inference: &Inference) -> Vec<Problem> {
    let mut problems = found(project, inference);
    stage_check::add_ways(project, inference, &mut problems);
    problems
}

/// The same, but for ways to make the output equal the input: finding them takes longer than all the rest.
pub(crate) fn found(project: &Project, inference: &Inference) -> Vec<Problem> {
    let mut problems: Vec<Problem> = inference
        .errors()
        .map(|(row, error)| Problem {
            place: Some(row.place.clone()),
            help: error.help.clone(),
            ..Problem::error(error.message.clone())
        })
        .collect();
    problems.extend(doubled_names(inference));
    problems.extend(constant_borders::problems(inference));
    problems.extend(stage_check::stages(project, inference));
    problems.extend(data_check::data(project));
    problems.extend(
        project
            .locked
            .iter()
            .filter_map(|name| idle_lock(project, name)),
    );
    problems
}

/// Warns of a lock on what is not there.
fn idle_lock(project: &Project, name: &str) -> Option<Problem> {
    let message =
        format!("locked names `{name}`, which is no layer of this project: it locks nothing");
    let warning = || Problem::warning(message).help(Repair::Unlock(name.to_owned()));
    target(&project.network, name).is_none().then(warning)
}

/// Warns where an `unpool` names a pooling and two have that name: it takes the later one.
fn doubled_names(inference: &Inference) -> Vec<Problem> {
    let name_of = |row: &'_ Row, word: &str| -> Option<String> {
        let is_kind = row.text.split(' ').next() == Some(word);
        row.text
            .rsplit_once(" @")
            .filter(|_| is_kind && !row.is_block)
            .map(|(_, name)| name.to_owned())
    };
    let used: BTreeSet<String> = inference
        .rows
        .iter()
        .filter_map(|row| name_of(row, "unpool"))
        .collect();
    let mut seen = BTreeSet::new();
    let mut problems = Vec::new();
    for row in &inference.rows {
        let Some(name) = name_of(row, "maxpool").filter(|name| used.contains(name)) else {
            continue;
        };
        if !seen.insert(name.clone()) {
            let message = format!(
                "two layers are called @{name}; `unpool @{name}` undoes the later one before it"
            );
            let warning = Problem::warning(message).help("give each pooling a name of its own");
            problems.push(Problem {
                place: Some(row.place.clone()),
                ..warning
            });
        }
    }
    problems
}

/// True when nothing stops the training.
pub fn can_train(problems: &[Problem]) -> bool {
    problems
        .iter()
        .all(|problem| problem.severity != Severity::Error)
}

#[cfg(test)]
mod tests;
