//! Unsaved edits, kept until they are saved or discarded, and offered again after a crash.
//!
//! Every window owns one numbered file and a lock file next to it. The lock dies with its window, so a file
//! whose lock is free was left behind. Files that cannot be read are left alone.

use super::store::Store;
use std::fs::File;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, UNIX_EPOCH};
use strata_core::atomic_write::remove_abandoned;
use strata_core::files::{path_in, path_text};
use strata_core::project::{Project, file};

/// Edits rest so long before they are kept.
pub const REST: Duration = Duration::from_secs(2);
/// Of who edits without a rest they are kept after so long.
pub const LONGEST: Duration = Duration::from_secs(5);
const FOLDER: &str = "unsaved";
const ORIGIN: &str = "# file: ";
const BASE: &str = "# which held: ";

/// What a window left behind.
#[derive(Clone, Debug, PartialEq)]
pub struct Unsaved {
    /// Its number.
    pub number: u32,
    /// The project with the edits.
    pub project: Project,
    /// The file it came from, as an absolute path: the next window may start in another folder.
    pub origin: Option<PathBuf>,
    /// The fingerprint of what that file held.
    pub base: Option<u64>,
    /// When it was kept, in seconds since 1970.
    pub time: u64,
}

/// A project with edits that no file holds.
#[derive(Clone, Copy, Debug)]
pub struct Edited<'a> {
    /// The project with the edits.
    pub project: &'a Project,
    /// What its file holds.
    pub saved: &'a Project,
    /// Its file.
    pub origin: Option<&'a Path>,
}

/// The file of one window.
#[derive(Default)]
pub struct Recovery {
    number: u32,
    lock: Option<File>,
    kept: Option<Project>,
    changed: Option<(Project, Instant)>,
    /// Since when there are edits that were not kept.
    waiting: Option<Instant>,
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
        remove_abandoned(&folder);
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

    /// Keeps unsaved edits once they have rested, or waited for long; the time until then.
    pub fn keep(&mut self, store: &Store, edited: Edited<'_>) -> Option<Duration> {
        self.lock.as_ref()?;
        let project = edited.project;
        if self.kept.as_ref() == Some(project) {
            (self.changed, self.waiting) = (None, None);
            return None;
        }
        let since = match &self.changed {
            Some((seen, since)) if seen == project => *since,
            _ => Instant::now(),
        };
        self.changed = Some((project.clone(), since));
        let waiting = *self.waiting.get_or_insert(since);
        let left = REST
            .saturating_sub(since.elapsed())
            .min(LONGEST.saturating_sub(waiting.elapsed()));
        if !left.is_zero() {
            return Some(left);
        }
        self.write(store, edited);
        None
    }

    /// Keeps edits at once that were not kept yet.
    pub(crate) fn keep_now(&mut self, store: &Store, edited: Edited<'_>) {
        if self.lock.is_some() && self.kept.as_ref() != Some(edited.project) {
            self.write(store, edited);
        }
    }

    /// Keeps the edits at once.
    pub fn write(&mut self, store: &Store, edited: Edited<'_>) {
        let origin = edited.origin.map_or_else(String::new, |origin| {
            let origin = std::path::absolute(origin).unwrap_or_else(|_| origin.to_owned());
            let base = fingerprint(edited.saved);
            format!("{ORIGIN}{}\n{BASE}{base:016x}\n", path_text(&origin))
        });
        store.write(&name(self.number), origin + &file::to_text(edited.project));
        self.kept = Some(edited.project.clone());
        self.waiting = None;
    }

    /// There is nothing unsaved any more.
    pub fn clear(&mut self, store: &Store) {
        (self.changed, self.waiting) = (None, None);
        if self.kept.take().is_some() {
            store.remove(&name(self.number));
        }
    }
}

/// Returns whether a file still holds what it held when edits of it were kept. A number that another version of this
/// program computes differently only leads to a question.
pub fn fingerprint(project: &Project) -> u64 {
    let mut hasher = DefaultHasher::new();
    file::to_text(project).hash(&mut hasher);
    hasher.finish()
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
    let text = file::read_text(path);
    let text = text.inspect_err(|error| unread(error)).ok()?;
    let mut lines = text.lines();
    let origin = lines
        .next()
        .and_then(|line| line.strip_prefix(ORIGIN))
        .map(path_in);
    // Earlier versions wrote the path as it was typed; from here it would lead to another file.
    let origin = origin.filter(|origin| origin.is_absolute());
    let base = lines.next().and_then(|line| line.strip_prefix(BASE));
    let base = base.and_then(|base| u64::from_str_radix(base, 16).ok());
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
        base,
        time,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use strata_core::project::builtin;

    fn edited<'a>(project: &'a Project, origin: Option<&'a Path>) -> Edited<'a> {
        Edited {
            project,
            saved: project,
            origin,
        }
    }

    #[test]
    fn the_file_is_named_so_that_another_folder_makes_no_difference() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::new(Some(folder.path().to_path_buf()));
        let project = builtin::ALL[0].project().unwrap();
        let (mut first, _) = Recovery::new(&store);
        first.write(&store, edited(&project, Some(Path::new("k9.toml"))));
        drop((first, store));
        let store = Store::new(Some(folder.path().to_path_buf()));
        let (_, left) = Recovery::new(&store);
        let here = std::env::current_dir().unwrap();
        assert_eq!(left[0].origin, Some(here.join("k9.toml")));
        assert_eq!(left[0].base, Some(fingerprint(&project)));
        let kept = folder.path().join("unsaved/0.toml");
        let text = std::fs::read_to_string(&kept).unwrap();
        let earlier: Vec<&str> = text.lines().skip(2).collect();
        std::fs::write(&kept, format!("# file: k9.toml\n{}", earlier.join("\n"))).unwrap();
        let (_, left) = Recovery::new(&store);
        assert_eq!(
            (left[0].origin.as_deref(), &left[0].project),
            (None, &project)
        );
    }

    #[test]
    fn steady_edits_are_kept_too() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::new(Some(folder.path().to_path_buf()));
        let saved = builtin::ALL[0].project().unwrap();
        let (mut recovery, _) = Recovery::new(&store);
        let mut project = saved.clone();
        let mut edit = |recovery: &mut Recovery| {
            project.seed += 1;
            let edited = Edited {
                project: &project,
                saved: &saved,
                origin: None,
            };
            (
                recovery.keep(&store, edited),
                recovery.kept.as_ref() == Some(&project),
            )
        };
        let (left, is_kept) = edit(&mut recovery);
        assert!(left.is_some_and(|left| left <= REST) && !is_kept);
        recovery.waiting = Instant::now().checked_sub(LONGEST);
        assert_eq!(edit(&mut recovery), (None, true));
        assert!(!edit(&mut recovery).1, "the next edits wait again");
    }

    #[test]
    fn a_living_window_keeps_its_edits_to_itself_and_a_dead_one_leaves_them() {
        let folder = tempfile::tempdir().unwrap();
        let project = builtin::ALL[0].project().unwrap();
        let store = Store::new(Some(folder.path().to_path_buf()));
        let (mut first, left) = Recovery::new(&store);
        assert!(left.is_empty());
        first.write(&store, edited(&project, Some(Path::new("/a/b.toml"))));
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
