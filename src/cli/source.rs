//! What PROJECT on the command line means: a file, a folder with a `project.toml` (a run), or a
//! built-in project's name, in this order.

use super::WrongInput;
use super::overrides::{self, Changes};
use std::path::{Path, PathBuf};
use strata_core::files::path_in;
use strata_core::project::Project;
use strata_core::project::builtin::{self, Builtin};
use strata_core::project::file::read_text;

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
    /// Whether nothing was changed on the way.
    pub is_as_written: bool,
}

/// Finds and reads a project, with settings changed on the way.
pub fn open(name: &str, changes: &Changes) -> anyhow::Result<Source> {
    let path = path_in(name);
    if path.is_dir() {
        return from_folder(&path, changes);
    }
    if path.exists() {
        return from_file(&path, changes);
    }
    let builtin = builtin::find(name).ok_or_else(|| WrongInput(unknown(name)))?;
    from_builtin(builtin, changes)
}

/// A built-in project; its runs are made in the current folder.
pub fn from_builtin(builtin: &Builtin, changes: &Changes) -> anyhow::Result<Source> {
    let project = overrides::project(builtin.text, builtin.name, changes)?;
    log::info!("opened the built-in project {}", builtin.name);
    Ok(Source {
        project,
        base: PathBuf::new(),
        run: None,
        file: None,
        text: builtin.text.to_owned(),
        is_as_written: changes.is_empty(),
    })
}

fn from_file(path: &Path, changes: &Changes) -> anyhow::Result<Source> {
    let text = read_text(path)?;
    let project = overrides::project(&text, &path.display().to_string(), changes)?;
    log::info!("opened {}", path.display());
    let base = path.parent().unwrap_or(Path::new("")).to_owned();
    Ok(Source {
        project,
        base,
        run: None,
        file: Some(path.to_owned()),
        text,
        is_as_written: changes.is_empty(),
    })
}

fn from_folder(path: &Path, changes: &Changes) -> anyhow::Result<Source> {
    let file = path.join("project.toml");
    if !file.is_file() {
        return Err(WrongInput(format!(
            "{} is a folder without a project.toml: give a project file or a run",
            path.display()
        ))
        .into());
    }
    let source = from_file(&file, changes)?;
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

/// `there is no …`, with what was probably meant.
pub fn unknown(name: &str) -> String {
    let hint = match meant(name) {
        Some(near) => format!("did you mean `{near}`?"),
        None => "`strata new` lists the built-in projects".to_owned(),
    };
    format!("there is no file, run folder or built-in project `{name}`; {hint}")
}

/// The built-in project that a name is a part of, or else the one that is spelled nearly like it.
fn meant(name: &str) -> Option<&'static str> {
    let names = || builtin::ALL.iter().map(|entry| entry.name);
    let holds = |entry: &&str| name.len() >= 3 && entry.contains(&name.to_lowercase());
    let near = || {
        let distance = |entry: &'static str| (strsim::damerau_levenshtein(name, entry), entry);
        let (distance, entry) = names().map(distance).min()?;
        (distance <= 1 + name.chars().count() / 4).then_some(entry)
    };
    names().find(holds).or_else(near)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_completed_before_they_are_mended() {
        for (name, near) in [
            ("lenet", Some("lenet-mnist")),
            ("unet", Some("unet")),
            ("resnet", Some("resnet-18")),
            ("ResNet", Some("resnet-18")),
            ("keras-cifr", Some("keras-cifar")),
            ("xyzzy", None),
        ] {
            assert_eq!(meant(name), near, "{name}");
        }
    }
}
