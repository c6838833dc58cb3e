//! The project file: TOML in, TOML out.
//!
//! Reading fails with the line and what to do; a mistyped layer alone does not fail (see
//! [`super::node::Node::Broken`]).
//!
//! Writing has two forms. [`to_text`] writes a project that has no text yet, one layer a line. [`update_text`] changes
//! in a text only what an edited project changes: comments, order and spacing of a hand-written file stay. Either way
//! a file is replaced in one step, so that a crash leaves the old project or the new one.

use super::data::DataSpec;
pub use super::foreign_file::read_text;
use super::goals::Goals;
use super::init::Init;
use super::node::{self, Node, quote};
use super::reference::{self, Complaint};
use super::size::Shape;
use super::stage::Stage;
use super::study::{self, RawRun};
use super::sweep::Sweep;
pub use super::text_update::update_text;
use super::{FORMAT, Network, Project, stack_write, structured};
use crate::atomic_write::{remove_abandoned, save_over};
use serde::{Deserialize, Serialize};
use std::path::Path;
use toml::de::DeTable;

/// Why a project file could not be read or written.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProjectError {
    /// The file could not be read at all.
    #[error("cannot read {file}: {reason}; check the name, or start from a built-in project")]
    Read {
        /// The file.
        file: String,
        /// The system's reason.
        reason: String,
    },
    /// The file is of another kind.
    #[error("{file} is no project: {what}")]
    NoProject {
        /// The file.
        file: String,
        /// What it is, and what to do with it.
        what: &'static str,
        /// The same for the window.
        in_window: &'static str,
    },
    /// The text is not a project.
    #[error("{file}, line {line}: {message}")]
    Text {
        /// The file.
        file: String,
        /// Line from 1.
        line: usize,
        /// What is wrong there.
        message: String,
    },
    /// The file was made by a newer Strata.
    #[error(
        "{file} has format {found}, this Strata reads up to format {FORMAT}: update Strata to open it (the file was not changed)"
    )]
    Newer {
        /// The file.
        file: String,
        /// The format it states.
        found: u32,
    },
    /// The file could not be written; what was there before is untouched.
    #[error("cannot write {file}: {reason}; the former file is untouched, save to another place")]
    Write {
        /// The file.
        file: String,
        /// The system's reason.
        reason: String,
    },
}

impl ProjectError {
    /// The sentence as the window says it: with what can be done there, without commands.
    pub fn in_window(&self) -> String {
        match self {
            ProjectError::Read { file, reason } => format!(
                "cannot read {file}: {reason}; check the name, or begin with a project of the start page"
            ),
            ProjectError::NoProject {
                file, in_window, ..
            } => format!("{file} is no project: {in_window}"),
            ProjectError::Text { file, message, .. }
                if [reference::NO_PROJECT, NO_FORMAT].contains(&message.as_str()) =>
            {
                format!("{file} is no project: begin with a project of the start page")
            }
            ProjectError::Text { .. } | ProjectError::Newer { .. } | ProjectError::Write { .. } => {
                self.to_string()
            }
        }
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawProject {
    format: u32,
    #[serde(default)]
    title: String,
    #[serde(default = "default_seed")]
    seed: u64,
    #[serde(default)]
    init: Option<Init>,
    #[serde(default)]
    data: DataSpec,
    network: RawNetwork,
    #[serde(default)]
    goals: Goals,
    #[serde(default)]
    sweep: Option<Sweep>,
    #[serde(default, rename = "stage")]
    stages: Vec<Stage>,
    #[serde(default, rename = "run")]
    runs: Vec<RawRun>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawNetwork {
    #[serde(deserialize_with = "shape")]
    input: Shape,
    #[serde(default, deserialize_with = "node::stack")]
    encoder: Vec<Node>,
    #[serde(default, deserialize_with = "node::stack")]
    decoder: Vec<Node>,
    #[serde(default, deserialize_with = "node::stack")]
    head: Vec<Node>,
    #[serde(default, deserialize_with = "structured::names")]
    locked: Vec<String>,
}

fn default_seed() -> u64 {
    42
}

fn shape<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Shape, D::Error> {
    String::deserialize(deserializer)?
        .parse()
        .map_err(serde::de::Error::custom)
}

/// Reads the text of a project file; `file` is its name in messages.
pub fn parse(text: &str, file: &str) -> Result<Project, ProjectError> {
    let wrong = |complaint: Complaint| ProjectError::Text {
        file: file.to_owned(),
        line: line_of(text, complaint.span.start),
        message: complaint.message,
    };
    check_format(text, file)?;
    reference::judge(text).map_err(wrong)?;
    let raw: RawProject =
        toml::from_str(text).map_err(|error| wrong(reference::explained(text, &error)))?;
    debug_assert!(raw.format <= FORMAT);
    let RawNetwork {
        input,
        encoder,
        decoder,
        head,
        locked,
    } = raw.network;
    let network = Network {
        input,
        encoder,
        decoder,
        head,
    };
    let RawProject {
        title,
        seed,
        init,
        data,
        stages,
        goals,
        sweep,
        runs,
        ..
    } = raw;
    let project = Project {
        title,
        seed,
        init,
        data,
        network,
        stages,
        goals,
        sweep,
        locked,
        study: None,
    };
    if runs.is_empty() {
        return Ok(project);
    }
    study::study(project, runs).map_err(|(run, message)| ProjectError::Text {
        file: file.to_owned(),
        line: line_of(text, reference::start_of_run(text, run)),
        message,
    })
}

/// Of a table that states no format which is known.
const NO_FORMAT: &str = "a project starts with `format = 1`";

/// The format, whatever else the file holds: a newer file must be distinguished from a broken one. A text that is no TOML is
/// judged later.
fn check_format(text: &str, file: &str) -> Result<(), ProjectError> {
    let Ok(table) = DeTable::parse(text) else {
        return Ok(());
    };
    let (line, found) = match table.get_ref().get("format") {
        None => (1, None),
        Some(format) => (
            line_of(text, format.span().start),
            format.get_ref().as_integer(),
        ),
    };
    let found = found.and_then(|format| format.as_str().parse::<u32>().ok());
    match found {
        Some(1..=FORMAT) => Ok(()),
        Some(found) if found > FORMAT => Err(ProjectError::Newer {
            file: file.to_owned(),
            found,
        }),
        _ => Err(ProjectError::Text {
            file: file.to_owned(),
            line,
            message: NO_FORMAT.to_owned(),
        }),
    }
}

fn line_of(text: &str, byte: usize) -> usize {
    1 + text.bytes().take(byte).filter(|&b| b == b'\n').count()
}

/// Reads a project file.
pub fn load(path: &Path) -> Result<Project, ProjectError> {
    load_with_text(path).map(|(project, _)| project)
}

/// Reads a project file, and its text for [`update_text`].
pub fn load_with_text(path: &Path) -> Result<(Project, String), ProjectError> {
    let text = read_text(path)?;
    let project = parse(&text, &path.display().to_string())?;
    Ok((project, text))
}

/// Writes a project file in one step (temporary file, sync, rename).
pub fn save(project: &Project, path: &Path) -> Result<(), ProjectError> {
    save_text(&to_text(project), path)
}

/// Writes the text of a project in one step, and removes the temporary file of a killed save.
pub fn save_text(text: &str, path: &Path) -> Result<(), ProjectError> {
    let saved = save_over(path, text.as_bytes());
    saved.map_err(|error| ProjectError::Write {
        file: path.display().to_string(),
        reason: error.to_string(),
    })?;
    remove_abandoned(
        path.parent()
            .filter(|folder| !folder.as_os_str().is_empty())
            .unwrap_or(Path::new(".")),
    );
    Ok(())
}

/// The text of a project file; [`parse`] reads it back to the same value, showing the first of several runs.
pub fn to_text(project: &Project) -> String {
    match &project.study {
        Some(study) => settings_to_text(&study.shared) + &study::to_toml(study),
        None => settings_to_text(project),
    }
}

fn settings_to_text(project: &Project) -> String {
    let mut text = format!(
        "format = {FORMAT}\ntitle = {}\nseed = {}\n",
        quote(&project.title),
        project.seed
    );
    if let Some(init) = &project.init {
        text += &format!("init = {}\n", quote(&init.to_string()));
    }
    text += &tables(&DataTable {
        data: &project.data,
    });
    text += &format!(
        "\n[network]\ninput = {}\n",
        quote(&project.network.input.to_file_text())
    );
    for (name, stack) in [
        ("encoder", &project.network.encoder),
        ("decoder", &project.network.decoder),
        ("head", &project.network.head),
    ] {
        if !stack.is_empty() {
            text += &format!("{name} = {}\n", stack_write::stack(stack));
        }
    }
    if !project.locked.is_empty() {
        let names: Vec<String> = project.locked.iter().map(|name| quote(name)).collect();
        text += &format!("locked = [{}]\n", names.join(", "));
    }
    text += &project.goals.to_toml();
    text += &project
        .sweep
        .as_ref()
        .map_or_else(String::new, Sweep::to_toml);
    if !project.stages.is_empty() {
        text += &tables(&StageTables {
            stage: &project.stages,
        });
    }
    text
}

// Written with their headings, so that a table inside them gets its full name (`[data.normalize]`).
#[derive(Serialize)]
struct DataTable<'a> {
    data: &'a DataSpec,
}

#[derive(Serialize)]
struct StageTables<'a> {
    stage: &'a [Stage],
}

/// Serialising these plain tables cannot fail; should it ever, the file says so instead of losing a part silently.
fn tables<T: Serialize>(value: &T) -> String {
    let text =
        toml::to_string(value).unwrap_or_else(|error| format!("# could not be written: {error}\n"));
    format!("\n{text}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::project::builtin;

    #[test]
    fn every_builtin_round_trips() {
        for entry in builtin::ALL {
            let project = entry.project().unwrap();
            assert_eq!(
                parse(&to_text(&project), "again").unwrap(),
                project,
                "{}",
                entry.name
            );
        }
    }

    #[test]
    fn tables_inside_tables_round_trip() {
        let text = "format = 1\n[data]\nnormalize = { mean = [0.5], std = [0.25] }\nlimit = 3\n[network]\ninput = \"1x8x8\"\n\
            [[stage]]\nname = \"a\"\ntask = \"reconstruct\"\nloss = \"mse\"\nepochs = 1\nbatch = 2\n\
            early_stop = { patience = 5 }\nsparsity = \"rho=0.05 beta=3\"\n\
            [[stage]]\nname = \"b\"\ntask = \"reconstruct\"\nloss = \"l1\"\nepochs = 1\nbatch = 2\n";
        let project = parse(text, "p").unwrap();
        assert_eq!(
            project.stages[0]
                .early_stop
                .as_ref()
                .map(|early| early.patience),
            Some(5)
        );
        assert_eq!(
            parse(&to_text(&project), "again").unwrap(),
            project,
            "{}",
            to_text(&project)
        );
    }

    #[test]
    fn broken_layers_open_and_save() {
        let text = "format = 1\n[network]\ninput = \"1x8x8\"\nencoder = [\"cnov 3\", \"relu\"]\n";
        let project = parse(text, "p").unwrap();
        assert!(matches!(project.network.encoder[0], Node::Broken { .. }));
        assert_eq!(parse(&to_text(&project), "p").unwrap(), project);
    }

    #[test]
    fn wrong_files_say_the_line() {
        let base = "format = 1\n[network]\ninput = \"1x8x8\"\n";
        for (text, part) in [
            ("", "a project starts with `format = 1`"),
            ("# README\nSome words\n", "this text is no project"),
            ("format = 7\nanything = 1\n", "has format 7"),
            (
                "format = 1\n[network]\ninput = \"1x0x8\"\n",
                "line 3: input: `1x0x8` is not a shape",
            ),
            (
                "format = 1\n[nework]\n",
                "line 2: there is no setting `nework` in a project: did you mean `network`?",
            ),
            (
                &format!("{base}encodr = []\n"),
                "line 4: there is no setting `encodr` in [network]: did you mean `encoder`?",
            ),
            (
                &format!("{base}encoder = [3]\n"),
                "line 4: encoder: 3 is no layer",
            ),
            (
                &format!("{base}[[stage]]\nname = \"a\"\ntask = \"fly\"\n"),
                "line 6: task = \"fly\" is not possible: write one of reconstruct, classify",
            ),
            (
                "format = 1\n[network\n",
                "line 2: `[network`: a bracket is opened here",
            ),
            (
                &format!("{base}[data]\nrange = [0, nan]\n"),
                "line 5: range = [0, nan] is not possible: write ",
            ),
            (
                &format!(
                    "{base}[data]\nnormalize = {{ mean = [18446744073709551616], std = [1] }}\n"
                ),
                "line 5: normalize: 18446744073709551616 is too large a number",
            ),
            (
                &format!(
                    "{base}[[stage]]\nname = \"a\"\ntask = \"reconstruct\"\nloss = \"mse\"\n\
                     epochs = 1\nbatch = 2\noptimizer = \"sgd {}\"\n",
                    "[".repeat(900)
                ),
                "[…` is not known or given twice",
            ),
            (
                &format!(
                    "{base}encoder = [{}\"relu\"{}]\n",
                    "{ add = [[".repeat(200),
                    "], []] }".repeat(200)
                ),
                "deeper than can be read",
            ),
        ] {
            let error = parse(text, "p.toml").unwrap_err().to_string();
            assert!(error.contains(part), "{text}: {error}");
            assert!(error.chars().count() < 400, "{error}");
        }
    }

    #[test]
    fn saving_replaces_in_one_step_and_reports_what_fails() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("p.toml");
        let project = builtin::ALL[0].project().unwrap();
        save(&project, &path).unwrap();
        assert_eq!(load(&path).unwrap(), project);
        let error = save(&project, &folder.path().join("none/p.toml")).unwrap_err();
        assert!(error.to_string().contains("cannot write"), "{error}");
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn saving_takes_away_what_a_killed_save_left() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        for name in [".strata-AbC123", ".strata-notes", "mine"] {
            std::fs::write(path(name), "x").unwrap();
        }
        save(&builtin::ALL[0].project().unwrap(), &path("p.toml")).unwrap();
        assert!(!path(".strata-AbC123").exists());
        assert!(path(".strata-notes").exists() && path("mine").exists());
    }
}
