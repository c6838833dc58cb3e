//! The projects and runs that were opened lately.

use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

/// Older ones are let go.
const MOST: usize = 24;

/// What was opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// A project file.
    Project,
    /// A run's folder.
    Run,
}

/// Something that was opened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recent {
    /// The file or folder.
    pub path: PathBuf,
    /// The project's title.
    pub title: String,
    /// What it is.
    pub kind: Kind,
    /// When, in seconds since 1970.
    pub time: u64,
    /// Why it cannot be opened now.
    #[serde(skip)]
    pub problem: Option<String>,
}

/// The list, newest first.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Recents(Vec<Recent>);

impl Recents {
    /// Puts something at the top.
    pub fn remember(&mut self, path: &Path, title: &str, kind: Kind) {
        let path = std::path::absolute(path).unwrap_or_else(|_| path.to_path_buf());
        self.0.retain(|entry| entry.path != path);
        self.0.insert(
            0,
            Recent {
                path,
                title: title.to_owned(),
                kind,
                time: now(),
                problem: None,
            },
        );
        self.0.truncate(MOST);
    }

    /// Whether this is the newest entry.
    pub fn is_newest(&self, path: &Path) -> bool {
        let path = std::path::absolute(path).unwrap_or_else(|_| path.to_path_buf());
        self.0.first().is_some_and(|entry| entry.path == path)
    }

    /// Looks which ones are still there.
    pub fn check(&mut self) {
        for entry in &mut self.0 {
            let file = if entry.kind == Kind::Run {
                entry.path.join("project.toml")
            } else {
                entry.path.clone()
            };
            entry.problem = match std::fs::metadata(&file) {
                Ok(_) => None,
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                    Some("moved or deleted".into())
                }
                Err(error) => Some(error.to_string()),
            };
        }
    }

    /// All of them, newest first.
    pub fn entries(&self) -> &[Recent] {
        &self.0
    }

    /// Reads the file of them.
    pub fn from_text(text: &str) -> Result<Recents, String> {
        serde_json::from_str(text).map_err(super::store::unread)
    }

    /// The file's text. It leaves out paths that are not UTF-8, which JSON cannot hold.
    pub fn to_text(&self) -> String {
        let can_be_written = |entry: &&Recent| entry.path.to_str().is_some();
        let entries: Vec<&Recent> = self.0.iter().filter(can_be_written).collect();
        serde_json::to_string_pretty(&entries).unwrap_or_default()
    }
}

fn now() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| since.as_secs())
}

/// `3 min ago`, `2 days ago`.
pub fn ago(time: u64) -> String {
    let seconds = now().saturating_sub(time);
    let plural = |n: u64, unit: &str| format!("{n} {unit}{} ago", if n == 1 { "" } else { "s" });
    match seconds {
        0..60 => "just now".into(),
        60..3600 => format!("{} min ago", seconds / 60),
        3600..86_400 => format!("{} h ago", seconds / 3600),
        _ => plural(seconds / 86_400, "day"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_comes_first_and_missing_ones_say_so() {
        let folder = tempfile::tempdir().unwrap();
        let (here, gone) = (
            folder.path().join("here.toml"),
            folder.path().join("gone.toml"),
        );
        std::fs::write(&here, "").unwrap();
        let mut recents = Recents::default();
        recents.remember(&here, "Here", Kind::Project);
        recents.remember(&gone, "Gone", Kind::Project);
        recents.remember(&here, "Here again", Kind::Project);
        assert!(recents.is_newest(&here));
        recents.check();
        let list: Vec<_> = recents
            .entries()
            .iter()
            .map(|e| (e.title.as_str(), e.problem.as_deref()))
            .collect();
        assert_eq!(
            list,
            [("Here again", None), ("Gone", Some("moved or deleted"))]
        );
        let again = Recents::from_text(&recents.to_text()).unwrap();
        assert_eq!(again.entries()[1].path, gone);
        assert!(Recents::from_text("nonsense").is_err());
        (0..40).for_each(|i| recents.remember(Path::new(&format!("/p{i}")), "", Kind::Run));
        assert_eq!(recents.entries().len(), MOST);
    }

    #[cfg(unix)]
    #[test]
    fn a_path_that_is_not_utf_8_does_not_cost_the_others() {
        use std::os::unix::ffi::OsStrExt;
        let mut recents = Recents::default();
        recents.remember(Path::new("/a.toml"), "A", Kind::Project);
        let odd = std::ffi::OsStr::from_bytes(b"/b\xff.toml");
        recents.remember(Path::new(odd), "B", Kind::Project);
        let again = Recents::from_text(&recents.to_text()).unwrap();
        assert_eq!(again.entries().len(), 1);
        assert_eq!(again.entries()[0].path, Path::new("/a.toml"));
    }

    #[test]
    fn times_are_told_as_people_do() {
        assert_eq!(
            (ago(now()), ago(now() - 130)),
            ("just now".into(), "2 min ago".into())
        );
        assert_eq!(
            (ago(now() - 90_000), ago(now() - 300_000)),
            ("1 day ago".into(), "3 days ago".into())
        );
    }
}
