//! Which files are there, of which class and split. Reads names only. Fails when nothing that
//! looks like an image is found.

use super::layout::{self, Layout, SplitFolder};
use super::walk::{Tree, Walk, read_folder};
use super::{by_name, names};
use crate::Skipped;
use crate::error::DataError;
use crate::formats::not_read;
use crate::formats::parquet::Row;
use crate::images::image_file;
use crate::source::{ClassOrder, OpenRequest};
use bytes::Bytes;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use strata_core::project::data::{LabelRule, Split};
use strata_core::project::help::Help;

/// A file that should be an image, or a row that should hold one.
#[derive(Clone)]
pub(crate) struct Entry {
    pub path: PathBuf,
    pub class: Option<u32>,
    /// The row of a table that holds the image; the path then only names it.
    pub row: Option<Row>,
    /// The whole file, where it is small and was read already.
    pub bytes: Option<Bytes>,
}

impl Entry {
    /// A file of its own.
    pub fn new(path: PathBuf, class: Option<u32>) -> Entry {
        Entry {
            path,
            class,
            row: None,
            bytes: None,
        }
    }
}

pub(crate) struct Listing {
    pub classes: Vec<String>,
    pub splits: Vec<(Split, Vec<Entry>)>,
    pub skipped: Vec<Skipped>,
    /// Whether the folder itself says what is for training and what for testing.
    pub has_splits: bool,
}

/// What tells folders of one source from those of another.
#[derive(Clone, Copy)]
pub(crate) struct FolderKind {
    /// Folders that archives unpack to, which people point at from above.
    pub inner: &'static [&'static str],
    /// Finds the files.
    pub find: fn(&mut OpenRequest, &Path) -> Result<Listing, DataError>,
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

pub(crate) fn list(ask: &mut OpenRequest, kind: &FolderKind) -> Result<Listing, DataError> {
    ask.report("looking for files", 0, 1)?;
    let root = root(&ask.folder, kind.inner);
    if root.is_file() {
        return Err(no_folder(&root));
    }
    if !root.is_dir() {
        return Err(nothing(kind, &root, "there is no such folder"));
    }
    read_folder(&root).map_err(|cause| DataError::unreadable(&root, cause))?;
    let listing = (kind.find)(ask, &root)?;
    if listing.splits.iter().all(|(_, entries)| entries.is_empty()) {
        if let Some(error) = not_read(&root, &listing.skipped) {
            return Err(error);
        }
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
        )
        .into(),
    }
}

/// What to say of a file where a folder is wanted.
fn no_folder(file: &Path) -> DataError {
    if let Some(kind) = not_read::by_name(file) {
        let folder = file.parent().unwrap_or(Path::new(""));
        let python = kind.python(folder);
        return DataError::malformed(
            file,
            format!("this is {}, which is not read", kind.name),
            format!("convert it with these lines of Python:\n{python}"),
        );
    }
    let problem = match image_file::is_named_like_one(file) {
        true => "this is one image",
        false => "a file of this kind holds no images that are read",
    };
    let help = "point path at a folder of images, or at a table (.csv), arrays (.npy, .npz, .mat, .h5), a Parquet file or an archive (.zip, .tar, .tar.gz)";
    DataError::malformed(file, problem, help)
}

/// Archives unpack to a folder of their own, which people point at from above.
fn root(path: &Path, below: &[&str]) -> PathBuf {
    let inner = below
        .iter()
        .map(|name| path.join(name))
        .find(|folder| folder.is_dir());
    inner.unwrap_or_else(|| path.to_path_buf())
}

/// What to do where all that was found is of a kind that is not read.
fn not_read(root: &Path, skipped: &[Skipped]) -> Option<DataError> {
    let kind = skipped
        .iter()
        .find_map(|skipped| not_read::by_name(&skipped.file))?;
    let files = skipped
        .iter()
        .filter(|skipped| not_read::by_name(&skipped.file) == Some(kind));
    Some(DataError::NoImages {
        folder: root.to_path_buf(),
        problem: format!(
            "no image that is read, and {} files of which each is {}",
            files.count(),
            kind.name
        ),
        help: format!(
            "convert them with these lines of Python:\n{}",
            kind.python(root)
        )
        .into(),
    })
}

pub(crate) fn list_folder(
    ask: &mut OpenRequest,
    root: &Path,
    wanted: fn(&Path) -> bool,
) -> Result<Listing, DataError> {
    let mut walk = Walk::new(wanted);
    let tree = walk.tree(root, &mut || ask.still())?;
    list_tree(ask, &tree, walk)
}

/// What a tree of folders means, of files or of names in an archive.
pub(crate) fn list_tree(
    ask: &mut OpenRequest,
    tree: &Tree,
    mut walk: Walk,
) -> Result<Listing, DataError> {
    let mut layout = layout::read(tree, ask.spec.class_level, &mut walk, ask.told);
    match &ask.spec.label {
        Some(LabelRule::Name(pattern)) => by_name::label(&mut layout, pattern, &mut walk),
        Some(LabelRule::Column(_)) => {
            return Err(DataError::setting(
                "label",
                "names a column, and a folder has no table",
                Help::note(
                    "write label = \"name: {class}.{n}.jpg\", or use source = \"csv\"",
                    "set label to name: {class}.{n}.jpg, or choose the source csv",
                ),
            ));
        }
        None => by_name::propose(&layout, ask.told),
    }
    by_name::set_unlabeled_apart(&mut layout, ask.told);
    let classes = classes_of(ask, &layout);
    let has_splits = layout.has_splits;
    let splits = layout.parts.into_iter().map(|part| {
        let split = part.split;
        (split, entries(part, &classes, &mut walk))
    });
    let splits = splits.collect();
    ask.told.passed_over.append(&mut walk.passed_over);
    Ok(Listing {
        splits,
        classes,
        skipped: walk.skipped,
        has_splits,
    })
}

/// The names of all class folders, in their order.
fn classes_of(ask: &mut OpenRequest, layout: &Layout) -> Vec<String> {
    let labelled = layout
        .parts
        .iter()
        .filter(|part| part.split != Split::Unlabeled);
    let mut classes: Vec<String> = labelled
        .flat_map(|part| part.classes.iter().map(|folder| folder.name.clone()))
        .collect();
    let order = ask.order;
    classes.sort_by(|one, other| names::compare(order, one, other));
    classes.dedup();
    if order == ClassOrder::Natural
        && let Some(other) = names::by_character(&classes)
    {
        ask.told.note(format!(
            "classes are in the order of their numbers ({}); torchvision's ImageFolder has {}",
            names::some_of(&classes, 4),
            names::some_of(&other, 4)
        ));
    }
    classes
}

fn entries(part: SplitFolder, classes: &[String], walk: &mut Walk) -> Vec<Entry> {
    let numbers: BTreeMap<&str, u32> = (0u32..)
        .zip(classes)
        .map(|(number, name)| (name.as_str(), number))
        .collect();
    let unlabelled = part.split == Split::Unlabeled || part.classes.is_empty();
    let mut entries = Vec::new();
    for folder in part.classes {
        let class = numbers
            .get(folder.name.as_str())
            .copied()
            .filter(|_| !unlabelled);
        entries.extend(folder.files.into_iter().map(|path| Entry::new(path, class)));
    }
    if unlabelled {
        entries.extend(part.loose.into_iter().map(|path| Entry::new(path, None)));
    } else {
        let reason = "it lies beside the class folders, so it has no class";
        part.loose
            .iter()
            .for_each(|file| walk.skip(file, reason.to_string()));
    }
    entries
}
