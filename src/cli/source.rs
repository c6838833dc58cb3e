//! What PROJECT on the command line means: a file, a folder with a `project.toml` (a run), or a
//! built-in project's name, in this order.

use super::{WrongInput, overrides};
use std::path::{Path, PathBuf};
use strata_core::project::builtin::{self, Builtin};
use strata_core::project::{Project, ProjectError};

/// A project and where it came from.
#[derive(Debug)]
pub struct Source {
    /// The project.
    pub project: Project,
    /// The folder its relative paths start at, and in which `runs` is made.
    pub base: PathBuf,
    /// The run it is the project of.
    pub run: Option<PathBuf>,
    /// Its file; `None` for a built-in project.
    pub file: Option<PathBuf>,
    /// The text that it was read from.
    pub text: String,
}

/// Finds and reads a project, with settings changed on the way.
pub fn open(name: &str, settings: &[String]) -> anyhow::Result<Source> {
    let path = Path::new(name);
    if path.is_dir() {
        return from_folder(path, settings);
    }
    if path.is_file() {
        return from_file(path, settings);
    }
    let builtin = builtin::find(name).ok_or_else(|| WrongInput(unknown(name)))?;
    from_builtin(builtin, settings)
}

/// A built-in project; its runs are made in the current folder.
pub fn from_builtin(builtin: &Builtin, settings: &[String]) -> anyhow::Result<Source> {
    let project = overrides::project(builtin.text, builtin.name, settings)?;
    log::info!("opened the built-in project {}", builtin.name);
    Ok(Source {
        project,
        base: PathBuf::new(),
        run: None,
        file: None,
        text: builtin.text.to_owned(),
    })
}

fn from_file(path: &Path, settings: &[String]) -> anyhow::Result<Source> {
    let text = std::fs::read_to_string(path).map_err(|error| read_error(path, &error))?;
    let project = overrides::project(&text, &path.display().to_string(), settings)?;
    log::info!("opened {}", path.display());
    let base = path.parent().unwrap_or(Path::new("")).to_owned();
    Ok(Source {
        project,
        base,
        run: None,
        file: Some(path.to_owned()),
        text,
    })
}

fn from_folder(path: &Path, settings: &[String]) -> anyhow::Result<Source> {
    let file = path.join("project.toml");
    if !file.is_file() {
        return Err(WrongInput(format!(
            "{} is a folder without a project.toml: give a project file or a run",
            path.display()
        ))
        .into());
    }
    let source = from_file(&file, settings)?;
    if !path.join("run.json").is_file() {
        return Ok(source);
    }
    // A run's project has absolute paths; training it again makes its new run here, not inside the old one.
    Ok(Source {
        run: Some(path.to_owned()),
        base: PathBuf::new(),
        ..source
    })
}

fn read_error(path: &Path, error: &std::io::Error) -> ProjectError {
    ProjectError::Read {
        file: path.display().to_string(),
        reason: error.to_string(),
    }
}

/// `there is no …`, with what was probably meant.
pub fn unknown(name: &str) -> String {
    let near = builtin::ALL
        .iter()
        .map(|entry| (strsim::damerau_levenshtein(name, entry.name), entry.name))
        .min();
    let hint = match near {
        Some((distance, near)) if distance <= 3 => format!("did you mean `{near}`?"),
        _ => "`strata new` lists the built-in projects".to_owned(),
    };
    format!("there is no file, run folder or built-in project `{name}`; {hint}")
}
