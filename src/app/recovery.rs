//! Unsaved edits, kept until they are saved or discarded, and offered again after a crash.
//!
//! Every window owns one numbered file and a lock beside it. The lock dies with its window, so a file
//! whose lock is free was left behind. Files that cannot be read are left alone.

use super::store::Store;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, UNIX_EPOCH};
use strata_core::project::{Project, file};

/// Edits rest so long before they are kept.
pub const REST: Duration = Duration::from_secs(2);
const FOLDER: &str = "unsaved";
const ORIGIN: &str = "# file: ";

/// What a window left behind.
#[derive(Clone, Debug, PartialEq)]
pub struct Unsaved {
    /// Its number.
    pub number: u32,
    /// The project with the edits.
    pub project: Project,
    /// The file it came from.
    pub origin: Option<PathBuf>,
    /// When it was kept, in seconds since 1970.
    pub time: u64,
}

/// The file of one window.
#[derive(Default)]
pub struct Recovery {
    number: u32,
    lock: Option<File>,
    kept: Option<Project>,
    changed: Option<(Project, Instant)>,
}

impl Recovery {
    /// Takes the first number that is free, and finds what other windows left behind.
    pub fn new(store: &Store) -> (Recovery, Vec<Unsaved>) {
        let Some(folder) = store.path(FOLDER) else {
            return Default::default();
        };
        if let Err(error) = std::fs::create_dir_all(&folder) {
            let folder = folder.display();
            log::warn!("{folder} cannot be made, so unsaved edits are not kept: {error}");
            return Default::default();
        }
        strata_core::atomic_write::remove_abandoned(&folder);
        let left = left_behind(&folder);
        let taken = (0..1000).find_map(|number| {
            let free = !folder.join(format!("{number}.toml")).exists();
            free.then(|| Some((number, lock(&folder, number)?)))
                .flatten()
        });
        let recovery = taken.map(|(number, lock)| Recovery {
            number,
            lock: Some(lock),
            ..Recovery::default()
        });
        (recovery.unwrap_or_default(), left)
    }

    /// Keeps unsaved edits once they have rested; the time until then.
    pub fn keep(
        &mut self,
        store: &Store,
        project: &Project,
        origin: Option<&Path>,
    ) -> Option<Duration> {
        self.lock.as_ref()?;
        if self.kept.as_ref() == Some(project) {
            self.changed = None;
            return None;
        }
        let since = match &self.changed {
            Some((seen, since)) if seen == project => *since,
            _ => Instant::now(),
        };
        self.changed = Some((project.clone(), since));
        let rested = since.elapsed();
        if rested < REST {
            return Some(REST - rested);
        }
        self.write(store, project, origin);
        None
    }

    /// Keeps the edits at once.
    pub fn write(&mut self, store: &Store, project: &Project, origin: Option<&Path>) {
        let origin = origin.map_or_else(String::new, |origin| {
            format!("{ORIGIN}{}\n", origin.display())
        });
        store.write(&name(self.number), origin + &file::to_text(project));
        self.kept = Some(project.clone());
    }

    /// There is nothing unsaved any more.
    pub fn clear(&mut self, store: &Store) {
        self.changed = None;
        if self.kept.take().is_some() {
            store.remove(&name(self.number));
        }
    }
}

/// Takes away what was recovered or discarded.
pub fn remove(store: &Store, number: u32) {
    store.remove(&name(number));
}

fn name(number: u32) -> String {
    format!("{FOLDER}/{number}.toml")
}

fn lock(folder: &Path, number: u32) -> Option<File> {
    let path = folder.join(format!("{number}.lock"));
    let unmade = |error: &std::io::Error| {
        let path = path.display();
        log::warn!("{path} cannot be made, so unsaved edits are not kept: {error}");
    };
    let file = File::create(&path).inspect_err(unmade).ok()?;
    // A lock that is held is the usual case: its window is alive.
    file.try_lock().ok().map(|()| file)
}

fn left_behind(folder: &Path) -> Vec<Unsaved> {
    let Ok(entries) = std::fs::read_dir(folder) else {
        return Vec::new();
    };
    let paths = entries.filter_map(|entry| Some(entry.ok()?.path()));
    let mut left: Vec<_> = paths.filter_map(|path| read(folder, &path)).collect();
    left.sort_by_key(|unsaved| std::cmp::Reverse(unsaved.time));
    left
}

fn read(folder: &Path, path: &Path) -> Option<Unsaved> {
    let number = path
        .file_name()?
        .to_str()?
        .strip_suffix(".toml")?
        .parse()
        .ok()?;
    lock(folder, number)?;
    let unread = |error: &dyn std::error::Error| {
        let path = path.display();
        log::warn!("unsaved edits in {path} cannot be recovered: {error}");
    };
    let text = std::fs::read_to_string(path);
    let text = text.inspect_err(|error| unread(error)).ok()?;
    let origin = text
        .lines()
        .next()
        .and_then(|line| line.strip_prefix(ORIGIN))
        .map(PathBuf::from);
    let project = file::parse(&text, &path.display().to_string());
    let project = project.inspect_err(|error| unread(error)).ok()?;
    let modified = std::fs::metadata(path)
        .and_then(|meta| meta.modified())
        .ok()?;
    let time = modified
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| since.as_secs());
    Some(Unsaved {
        number,
        project,
        origin,
        time,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use strata_core::project::builtin;

    #[test]
    fn a_living_window_keeps_its_edits_to_itself_and_a_dead_one_leaves_them() {
        let folder = tempfile::tempdir().unwrap();
        let project = builtin::ALL[0].project().unwrap();
        let store = Store::new(Some(folder.path().to_path_buf()));
        let (mut first, left) = Recovery::new(&store);
        assert!(left.is_empty());
        first.write(&store, &project, Some(Path::new("/a/b.toml")));
        drop(store);
        let store = Store::new(Some(folder.path().to_path_buf()));
        let (second, left) = Recovery::new(&store);
        assert!(
            left.is_empty() && second.number != first.number,
            "it still lives"
        );
        drop(first);
        let (_, left) = Recovery::new(&store);
        assert_eq!(left.len(), 1);
        assert_eq!(
            (&left[0].project, left[0].origin.as_deref()),
            (&project, Some(Path::new("/a/b.toml")))
        );
    }

    #[test]
    fn nonsense_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let inside = folder.path().join(FOLDER);
        std::fs::create_dir_all(&inside).unwrap();
        std::fs::write(inside.join("0.toml"), "half a proj").unwrap();
        std::fs::write(inside.join("x.toml"), "").unwrap();
        std::fs::write(inside.join(".strata-AbC123"), "half a proj").unwrap();
        let store = Store::new(Some(folder.path().to_path_buf()));
        let (own, left) = Recovery::new(&store);
        assert!(left.is_empty() && own.number == 1 && inside.join("0.toml").exists());
        assert!(inside.join("x.toml").exists() && !inside.join(".strata-AbC123").exists());
    }
}
