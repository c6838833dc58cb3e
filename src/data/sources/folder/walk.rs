//! Going through folders without being led astray: names in order, links followed but no folder
//! twice, what cannot be read noted and passed over. Fails only on more files than a dataset has. A regular file is
//! known as such from its folder: none is opened, none asked about.

use super::names::is_hidden;
use crate::Skipped;
use crate::error::DataError;
use crate::formats::not_read;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use strata_core::files::path_text;

/// A link to the root of the disk must not end in a list of all of it.
const MOST_FILES: usize = 5_000_000;
/// Folders in folders: deeper ones are no dataset's.
const DEEPEST: usize = 64;
const HIDDEN: &str = "hidden, or left behind by a system";

/// Asked in every folder whether the walk is still wanted.
pub(crate) type Still<'a> = &'a mut dyn FnMut() -> Result<(), DataError>;

pub(crate) struct Walk {
    /// Whether a file's name is one of those looked for.
    wanted: fn(&Path) -> bool,
    /// Folders seen, by their real place.
    seen: BTreeSet<PathBuf>,
    files: usize,
    /// Files that should be images and cannot be used.
    pub skipped: Vec<Skipped>,
    /// Hidden files, and those of another kind.
    pub passed_over: Vec<Skipped>,
}

/// A folder with the files wanted, and the folders in it; all in the order of their names.
pub(crate) struct Tree {
    pub path: PathBuf,
    pub name: String,
    pub files: Vec<PathBuf>,
    pub folders: Vec<Tree>,
    /// Files wanted here and below.
    pub total: usize,
}

impl Tree {
    fn new(folder: &Path) -> Tree {
        Tree {
            path: folder.to_path_buf(),
            name: name_of(folder),
            files: Vec::new(),
            folders: Vec::new(),
            total: 0,
        }
    }

    /// The folder at a path below this one, made where it is new.
    fn folder_at(&mut self, path: &Path) -> &mut Tree {
        let mut tree = self;
        for part in path.components() {
            let place = tree.path.join(part);
            // Files come in the order of their names: a folder that is known is the last one.
            if tree.folders.last().is_none_or(|last| last.path != place) {
                tree.folders.push(Tree::new(&place));
            }
            let last = tree.folders.len() - 1;
            tree = &mut tree.folders[last];
        }
        tree
    }

    fn count(&mut self) {
        let below = self.folders.iter().map(|folder| folder.total);
        self.total = self.files.len() + below.sum::<usize>();
    }

    fn count_all(&mut self) {
        self.folders.iter_mut().for_each(Tree::count_all);
        self.count();
    }

    /// The files here and below, those of this folder first.
    pub(crate) fn all_files(&self) -> Vec<PathBuf> {
        let mut files = self.files.clone();
        self.folders
            .iter()
            .for_each(|folder| files.extend(folder.all_files()));
        files
    }

    /// The folders that hold files wanted, at any depth.
    pub fn used(&self) -> impl Iterator<Item = &Tree> {
        self.folders.iter().filter(|folder| folder.total > 0)
    }

    /// Those that hold none.
    pub(crate) fn unused(&self) -> impl Iterator<Item = &Tree> {
        self.folders.iter().filter(|folder| folder.total == 0)
    }
}

impl Walk {
    pub fn new(wanted: fn(&Path) -> bool) -> Walk {
        Walk {
            wanted,
            seen: BTreeSet::new(),
            files: 0,
            skipped: Vec::new(),
            passed_over: Vec::new(),
        }
    }

    /// All that is in a folder and below it; `still` ends the walk with its error.
    pub fn tree(&mut self, folder: &Path, still: Still) -> Result<Tree, DataError> {
        self.tree_at(folder, 0, still)
    }

    fn tree_at(&mut self, folder: &Path, depth: usize, still: Still) -> Result<Tree, DataError> {
        still()?;
        let mut tree = Tree::new(folder);
        if depth > DEEPEST {
            self.skip(
                folder,
                "more folders in folders than are looked into".to_string(),
            );
            return Ok(tree);
        }
        if !self.enter(folder) {
            return Ok(tree);
        }
        for (path, kind) in self.entries(folder) {
            if is_hidden(&path) {
                self.pass_over(&path, HIDDEN);
            } else if kind == Kind::Folder {
                tree.folders.push(self.tree_at(&path, depth + 1, still)?);
            } else if self.is_wanted(&path, kind) {
                tree.files.push(path);
            }
        }
        self.files += tree.files.len();
        self.check(folder)?;
        tree.count();
        Ok(tree)
    }

    /// The same of files that lie in no folder yet but in an archive: `root` stands for the archive, called `name`, and
    /// the files are below it, none hidden.
    pub fn tree_of<'f>(
        &mut self,
        root: &Path,
        name: String,
        files: impl Iterator<Item = &'f Path>,
    ) -> Tree {
        let mut sorted: Vec<PathBuf> = files.map(|file| root.join(file)).collect();
        sorted.sort();
        let mut tree = Tree {
            name,
            ..Tree::new(root)
        };
        for file in sorted {
            if self.is_wanted(&file, Kind::File) {
                let above = file
                    .parent()
                    .and_then(|above| above.strip_prefix(root).ok());
                let folder = tree.folder_at(above.unwrap_or(Path::new("")));
                folder.files.push(file);
            }
        }
        tree.count_all();
        tree
    }

    /// What is in a folder, by name: the system's own order differs from machine to machine.
    fn entries(&mut self, folder: &Path) -> Vec<(PathBuf, Kind)> {
        match read_entries(folder) {
            Ok(entries) => entries,
            Err(cause) => {
                self.skip(folder, format!("this folder cannot be read ({cause})"));
                Vec::new()
            }
        }
    }

    /// The files wanted directly in a folder.
    pub fn files(&mut self, folder: &Path) -> Vec<PathBuf> {
        let mut paths: Vec<PathBuf> = Vec::new();
        for (path, kind) in self.entries(folder) {
            if is_hidden(&path) {
                self.pass_over(&path, HIDDEN);
            } else if kind != Kind::Folder && self.is_wanted(&path, kind) {
                paths.push(path);
            }
        }
        paths
    }

    fn check(&self, folder: &Path) -> Result<(), DataError> {
        if self.files <= MOST_FILES {
            return Ok(());
        }
        let problem = format!("there are more than {MOST_FILES} files below this folder");
        Err(DataError::malformed(
            folder,
            problem,
            "point path at the dataset's own folder",
        ))
    }

    /// Whether a folder is a new one; links make one folder appear in many places, in itself too.
    fn enter(&mut self, folder: &Path) -> bool {
        match folder.canonicalize().map(|place| self.seen.insert(place)) {
            Ok(true) => return true,
            Ok(false) => self.skip(
                folder,
                "this folder was read already, under another name".to_string(),
            ),
            Err(cause) => self.skip(folder, format!("this folder cannot be read ({cause})")),
        }
        false
    }

    /// A pipe or a device is not opened: reading it might never end.
    fn is_wanted(&mut self, path: &Path, kind: Kind) -> bool {
        if !(self.wanted)(path) {
            match not_read::by_name(path) {
                Some(kind) => self.skip(path, format!("{}, which is not read", kind.name)),
                None => self.pass_over(path, &other_kind(path)),
            }
            return false;
        }
        if kind == Kind::File {
            return true;
        }
        match path.metadata() {
            Ok(about) if about.is_file() => return true,
            Ok(about) if about.is_dir() => {}
            Ok(_) => self.skip(path, "this is no file but a pipe or a device".to_string()),
            Err(cause) => self.skip(path, format!("cannot be read ({cause})")),
        }
        false
    }

    pub fn skip(&mut self, path: &Path, reason: String) {
        self.skipped.push(Skipped {
            file: path.to_path_buf(),
            reason,
        });
    }

    fn pass_over(&mut self, path: &Path, reason: &str) {
        self.passed_over.push(Skipped {
            file: path.to_path_buf(),
            reason: reason.to_owned(),
        });
    }
}

/// The last name in a path; of `.` and `..` that of the folder meant.
pub(crate) fn name_of(path: &Path) -> String {
    let name = |path: &Path| {
        // Two names that are no UTF-8 must not become one class.
        path.file_name().map(|name| path_text(Path::new(name)))
    };
    name(path)
        .or_else(|| name(&path.canonicalize().ok()?))
        .unwrap_or_default()
}

/// What a file is that is none of those wanted.
fn other_kind(path: &Path) -> String {
    match path.extension() {
        Some(ending) => format!(
            "another kind of file (.{})",
            ending.to_string_lossy().to_lowercase()
        ),
        None => "another kind of file (no ending)".to_owned(),
    }
}

pub(crate) fn read_folder(folder: &Path) -> std::io::Result<Vec<PathBuf>> {
    let entries = read_entries(folder)?;
    Ok(entries.into_iter().map(|(path, _)| path).collect())
}

/// What a folder says of an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    Folder,
    File,
    /// A link to a file, a pipe, a device: to be asked.
    Other,
}

/// What is in a folder, by name.
fn read_entries(folder: &Path) -> std::io::Result<Vec<(PathBuf, Kind)>> {
    let mut paths = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        let path = entry.path();
        let kind = match entry.file_type() {
            Ok(kind) if kind.is_file() => Kind::File,
            Ok(kind) if kind.is_dir() => Kind::Folder,
            _ if path.is_dir() => Kind::Folder,
            _ => Kind::Other,
        };
        paths.push((path, kind));
    }
    paths.sort();
    Ok(paths)
}
