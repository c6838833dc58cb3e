//! Several named runs in one project file: each changes something of the settings that stand before them.
//!
//! ```toml
//! [[run]]
//! name = "autoencoder"
//!
//! [[run]]
//! name = "transfer"
//! init = "autoencoder encoder"
//! network.head = ["flatten", "dense 10"]
//!
//! [[run]]
//! name = "forest on the code"
//! baseline = "forest"
//! features = "autoencoder"
//! ```
//!
//! A project with runs shows one of them: its own fields are the settings of that run, so that whatever reads a project
//! reads an ordinary one. [`Study::shared`] is what the file says before the runs, and [`Changes`] is what a run has
//! otherwise.

mod changes;
mod read;
mod references;
#[cfg(test)]
mod tests;
mod write;

pub use changes::Changes;
pub(in crate::project) use read::{RawRun, study};
pub use references::Taken;
pub(in crate::project) use write::to_toml;

use super::Project;

/// The named runs of a project file.
#[derive(Clone, Debug, PartialEq)]
pub struct Study {
    /// What the file says before its runs, as a project without runs.
    pub shared: Box<Project>,
    /// The runs, in the order of the file.
    pub runs: Vec<NamedRun>,
    /// The run that the project's own fields show, counted from 0; none where they show what is shared.
    shown: Option<usize>,
}

/// One run of a project file.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct NamedRun {
    /// Its name, once in the file.
    pub name: String,
    /// Seeds that it is trained with, one after the other; only the project's seed where there are none.
    pub seeds: Vec<u64>,
    /// Classifiers that are fitted in place of the training of a network.
    pub baseline: Option<Baselines>,
    /// What it has otherwise than the settings before the runs.
    pub changes: Changes,
}

/// Classifiers that are no networks, as a run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Baselines {
    /// Their words: `logistic`, `forest` and so on.
    pub models: Vec<String>,
    /// The run whose code they are fitted to, and the layer where one is named; pixels where there is none.
    pub features: Option<(String, Option<String>)>,
    /// How many training images at most.
    pub limit: Option<usize>,
}

impl Baselines {
    /// `logistic and forest, fitted to the code of the run autoencoder; no network is trained`
    pub fn in_words(&self) -> String {
        let models = match self.models.split_last() {
            Some((last, [])) => last.clone(),
            Some((last, others)) => format!("{} and {last}", others.join(", ")),
            None => "classifiers".to_owned(),
        };
        let on = match &self.features {
            None => "pixels".to_owned(),
            Some((run, None)) => format!("the code of the run {run}"),
            Some((run, Some(layer))) => format!("what {layer} of the run {run} gives"),
        };
        let limit = self.limit.map_or_else(String::new, |limit| {
            format!(" of {limit} training images at most")
        });
        format!("{models}, fitted to {on}{limit}; no network is trained")
    }
}

impl Study {
    /// The run that the project's own fields show, counted from 0; none where they show what is shared.
    pub fn shown(&self) -> Option<usize> {
        self.shown
    }

    /// The place of the run of this name.
    pub fn find(&self, name: &str) -> Option<usize> {
        self.runs.iter().position(|run| run.name == name)
    }

    /// The names of all runs.
    pub fn names(&self) -> Vec<&str> {
        self.runs.iter().map(|run| run.name.as_str()).collect()
    }

    /// The run that is shown when the file is opened: the first that trains a network.
    fn first_shown(&self) -> Option<usize> {
        self.runs.iter().position(|run| run.baseline.is_none())
    }

    /// The settings of a run, or those before all runs, as a project without runs.
    pub fn settings_of(&self, run: Option<usize>) -> Project {
        match run.and_then(|run| self.runs.get(run)) {
            Some(run) => run.changes.applied(&self.shared),
            None => (*self.shared).clone(),
        }
    }
}

impl Project {
    /// The run that is shown where it is of baselines: the project's network is then that of other runs.
    pub fn shown_baselines(&self) -> Option<(&str, &Baselines)> {
        let study = self.study.as_ref()?;
        let run = study.runs.get(study.shown?)?;
        Some((run.name.as_str(), run.baseline.as_ref()?))
    }

    /// The project without the runs of its file: what is trained and kept is one of them.
    pub fn alone(&self) -> Project {
        Project {
            study: None,
            ..self.clone()
        }
    }

    /// The project showing another of its runs, or (`None`) what all of them share. An ordinary project stays as it is.
    #[must_use]
    pub fn showing(&self, run: Option<usize>) -> Project {
        let Some(study) = &self.study else {
            return self.clone();
        };
        let run = run.filter(|run| *run < study.runs.len());
        let mut study = study.clone();
        study.shown = run;
        let mut next = study.settings_of(run);
        next.study = Some(study);
        next
    }

    /// The project as its file has it: showing the run that is shown when the file is opened.
    #[must_use]
    pub fn as_opened(&self) -> Project {
        match &self.study {
            Some(study) => self.showing(study.first_shown()),
            None => self.clone(),
        }
    }

    /// Takes over into the runs what the project's own fields say of the run that is shown. The title is that of all.
    #[must_use]
    pub(in crate::project) fn folded(self) -> Project {
        let Some(mut study) = self.study.clone() else {
            return self;
        };
        let own = self.alone();
        match study.shown.and_then(|run| study.runs.get_mut(run)) {
            Some(run) => {
                study.shared.title.clone_from(&own.title);
                run.changes = Changes::between(&study.shared, &own);
            }
            None => study.shared = Box::new(own),
        }
        Project {
            study: Some(study),
            ..self
        }
    }
}
