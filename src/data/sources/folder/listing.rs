//! Which files are there, of which class and split. Reads names only. Fails when nothing that
//! looks like an image is found.

use super::walk::{Walk, read_folder};
use crate::Skipped;
use crate::error::DataError;
use crate::images::image_file;
use crate::source::Ask;
use std::path::{Path, PathBuf};
use strata_core::files::path_text;
use strata_core::project::data::Split;

/// The names a split's folder can have.
const SPLIT_FOLDERS: [(Split, &[&str]); 4] = [
    (Split::Train, &["train", "training"]),
    (Split::Valid, &["valid", "val", "validation"]),
    (Split::Test, &["test", "testing"]),
    (Split::Unlabeled, &["unlabeled", "unlabelled"]),
];

/// A file that should be an image.
#[derive(Clone)]
pub(crate) struct Entry {
    pub path: PathBuf,
    pub class: Option<u32>,
}

/// The split that a word names.
pub(crate) fn split_of(word: &str) -> Option<Split> {
    let word = word.to_lowercase();
    SPLIT_FOLDERS
        .iter()
        .find(|(_, names)| names.contains(&word.as_str()))
        .map(|(split, _)| *split)
}

pub(crate) struct Listing {
    pub classes: Vec<String>,
    pub splits: Vec<(Split, Vec<Entry>)>,
    pub skipped: Vec<Skipped>,
    /// Whether the folder itself says what is for training and what for testing.
    pub has_splits: bool,
}

/// The images of one class folder.
struct ClassFolder {
    name: String,
    files: Vec<PathBuf>,
}

/// What tells folders of one source from those of another.
#[derive(Clone, Copy)]
pub(crate) struct FolderKind {
    /// Folders that archives unpack to, which people point at from above.
    pub inner: &'static [&'static str],
    /// Finds the files.
    pub find: fn(&mut Ask, &Path) -> Result<Listing, DataError>,
    /// What is wrong where none was found.
    pub missing: &'static str,
    /// The files in words.
    pub files: &'static str,
    /// The name of one of them, for example.
    pub example: &'static str,
    /// What their names end in.
    pub endings: fn() -> String,
}

/// Image files by class.
pub(crate) const IMAGES: FolderKind = FolderKind {
    inner: &[],
    find: |ask, root| list_folder(ask, root, image_file::is_named_like_one),
    missing: "no image in it or in the folders below it",
    files: "images",
    example: "picture.jpg",
    endings: image_file::extensions,
};

pub(crate) fn list(ask: &mut Ask, kind: &FolderKind) -> Result<Listing, DataError> {
    ask.report("looking for files", 0, 1)?;
    let root = root(&ask.folder, kind.inner);
    if !root.is_dir() {
        return Err(nothing(kind, &root, "there is no such folder"));
    }
    read_folder(&root).map_err(|cause| DataError::unreadable(&root, cause))?;
    let listing = (kind.find)(ask, &root)?;
    if listing.splits.iter().all(|(_, entries)| entries.is_empty()) {
        return Err(nothing(kind, &root, kind.missing));
    }
    Ok(listing)
}

pub(crate) fn nothing(kind: &FolderKind, folder: &Path, problem: &str) -> DataError {
    let endings = (kind.endings)();
    let FolderKind { files, example, .. } = kind;
    DataError::NoImages {
        folder: folder.to_path_buf(),
        problem: problem.to_string(),
        help: format!(
            "point path at a folder with one folder of {files} a class (CLASS/{example}), \
             or with train/CLASS and test/CLASS; names that end in {endings} are read"
        ),
    }
}

/// Archives unpack to a folder of their own, which people point at from above.
fn root(path: &Path, below: &[&str]) -> PathBuf {
    let inner = below
        .iter()
        .map(|name| path.join(name))
        .find(|folder| folder.is_dir());
    inner.unwrap_or_else(|| path.to_path_buf())
}

pub(crate) fn list_folder(
    ask: &mut Ask,
    root: &Path,
    wanted: fn(&Path) -> bool,
) -> Result<Listing, DataError> {
    let split_folders: Vec<(Split, PathBuf)> = SPLIT_FOLDERS
        .iter()
        .filter_map(|(split, names)| {
            let folder = names
                .iter()
                .map(|name| root.join(name))
                .find(|folder| folder.is_dir());
            Some((*split, folder?))
        })
        .collect();
    let has_splits = split_folders
        .iter()
        .any(|(split, _)| matches!(split, Split::Train | Split::Unlabeled));
    if has_splits {
        return list_splits(ask, &split_folders, wanted);
    }
    let whole = [(Split::Train, root.to_path_buf())];
    Ok(Listing {
        has_splits: false,
        ..list_splits(ask, &whole, wanted)?
    })
}

fn list_splits(
    ask: &mut Ask,
    split_folders: &[(Split, PathBuf)],
    wanted: fn(&Path) -> bool,
) -> Result<Listing, DataError> {
    let mut walk = Walk::new(wanted);
    let mut found = Vec::new();
    for (split, folder) in split_folders {
        found.push((
            *split,
            list_classes(ask, folder, &mut walk)?,
            walk.files(folder),
        ));
    }
    let labelled = found
        .iter()
        .filter(|(split, ..)| *split != Split::Unlabeled);
    let mut classes: Vec<String> = labelled
        .flat_map(|(_, folders, _)| folders.iter().map(|folder| folder.name.clone()))
        .collect();
    classes.sort();
    classes.dedup();
    let splits = found.into_iter().map(|(split, folders, loose)| {
        let entries = entries(split, folders, loose, &classes, &mut walk);
        (split, entries)
    });
    let splits = splits.collect();
    Ok(Listing {
        splits,
        classes,
        skipped: walk.skipped,
        has_splits: true,
    })
}

fn entries(
    split: Split,
    folders: Vec<ClassFolder>,
    loose: Vec<PathBuf>,
    classes: &[String],
    walk: &mut Walk,
) -> Vec<Entry> {
    let class_of = |name: &String| classes.binary_search(name).ok().map(|class| class as u32);
    let unlabelled = split == Split::Unlabeled || folders.is_empty();
    let mut entries = Vec::new();
    for folder in folders {
        let class = if unlabelled {
            None
        } else {
            class_of(&folder.name)
        };
        entries.extend(folder.files.into_iter().map(|path| Entry { path, class }));
    }
    if unlabelled {
        entries.extend(loose.into_iter().map(|path| Entry { path, class: None }));
    } else {
        let reason = "it lies beside the class folders, so it has no class";
        loose
            .iter()
            .for_each(|file| walk.skip(file, reason.to_string()));
    }
    entries
}

/// The folders of `folder` that hold images, at any depth, by name.
fn list_classes(
    ask: &mut Ask,
    folder: &Path,
    walk: &mut Walk,
) -> Result<Vec<ClassFolder>, DataError> {
    let mut classes = Vec::new();
    for path in walk.folders(folder) {
        // Two names that are no UTF-8 must not become one class.
        let name = path_text(Path::new(path.file_name().unwrap_or_default()));
        let before = walk.skipped.len();
        let files = walk.files_below(ask, &path)?;
        if !files.is_empty() {
            classes.push(ClassFolder { name, files });
        } else if walk.skipped.len() == before {
            walk.skip(&path, "no image in this folder or below it".to_string());
        }
    }
    Ok(classes)
}
