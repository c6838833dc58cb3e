//! Which files are there, of which class and split. Reads names only. Fails when nothing that
//! looks like an image is found.

use crate::data::Skipped;
use crate::data::error::DataError;
use crate::data::picture_file;
use crate::data::source::Ask;
use crate::project::data::{Source, Split};
use std::path::{Path, PathBuf};

/// The names a split's folder can have.
const SPLIT_FOLDERS: [(Split, &[&str]); 4] = [
    (Split::Train, &["train", "training"]),
    (Split::Valid, &["valid", "val", "validation"]),
    (Split::Test, &["test", "testing"]),
    (Split::Unlabeled, &["unlabeled", "unlabelled"]),
];

const FLOWERS: [&str; 17] = [
    "daffodil",
    "snowdrop",
    "lily of the valley",
    "bluebell",
    "crocus",
    "iris",
    "tigerlily",
    "tulip",
    "fritillary",
    "sunflower",
    "daisy",
    "coltsfoot",
    "dandelion",
    "cowslip",
    "buttercup",
    "windflower",
    "pansy",
];
const FLOWERS_PER_CLASS: u32 = 80;

/// A file that should be an image.
#[derive(Clone)]
pub(super) struct Entry {
    pub path: PathBuf,
    pub class: Option<u32>,
}

pub(super) struct Listing {
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

pub(super) fn list(ask: &mut Ask) -> Result<Listing, DataError> {
    ask.report("looking for images", 0, 1)?;
    let root = root(&ask.folder, ask.spec.source);
    if !root.is_dir() {
        return Err(no_images(&root, "there is no such folder"));
    }
    let listing = match ask.spec.source {
        Source::Flowers17 => list_flowers(&root)?,
        _ => list_folder(&root)?,
    };
    if listing.splits.iter().all(|(_, entries)| entries.is_empty()) {
        let help = match ask.spec.source {
            Source::Flowers17 => "no file named image_0001.jpg to image_1360.jpg in it",
            _ => "no image in it or in the folders below it",
        };
        return Err(no_images(&root, help));
    }
    Ok(listing)
}

fn no_images(folder: &Path, problem: &str) -> DataError {
    DataError::NoImages {
        folder: folder.to_path_buf(),
        problem: problem.to_string(),
        help: format!(
            "point path at a folder with one folder of images a class (CLASS/picture.jpg), \
             or with train/CLASS and test/CLASS; names that end in {} are read",
            picture_file::extensions()
        ),
    }
}

/// Archives unpack to a folder of their own, which people point at from above.
fn root(path: &Path, source: Source) -> PathBuf {
    let below: &[&str] = match source {
        Source::Eurosat => &["EuroSAT_RGB", "2750"],
        Source::Flowers17 => &["jpg"],
        _ => &[],
    };
    let inner = below.iter().map(|name| path.join(name)).find(|folder| folder.is_dir());
    inner.unwrap_or_else(|| path.to_path_buf())
}

fn list_folder(root: &Path) -> Result<Listing, DataError> {
    let split_folders: Vec<(Split, PathBuf)> = SPLIT_FOLDERS
        .iter()
        .filter_map(|(split, names)| {
            let folder = names.iter().map(|name| root.join(name)).find(|folder| folder.is_dir());
            Some((*split, folder?))
        })
        .collect();
    let has_splits = split_folders.iter().any(|(split, _)| matches!(split, Split::Train | Split::Unlabeled));
    if has_splits {
        list_splits(&split_folders)
    } else {
        let whole = [(Split::Train, root.to_path_buf())];
        let listing = list_splits(&whole)?;
        Ok(Listing { has_splits: false, ..listing })
    }
}

fn list_splits(split_folders: &[(Split, PathBuf)]) -> Result<Listing, DataError> {
    let mut skipped = Vec::new();
    let mut found = Vec::new();
    for (split, folder) in split_folders {
        found.push((*split, list_classes(folder, &mut skipped)?, images_in(folder)?));
    }
    let labelled = found.iter().filter(|(split, ..)| *split != Split::Unlabeled);
    let mut classes: Vec<String> =
        labelled.flat_map(|(_, folders, _)| folders.iter().map(|folder| folder.name.clone())).collect();
    classes.sort();
    classes.dedup();
    let splits = found.into_iter().map(|(split, folders, loose)| {
        let entries = entries(split, folders, loose, &classes, &mut skipped);
        (split, entries)
    });
    Ok(Listing { splits: splits.collect(), classes: classes.clone(), skipped, has_splits: true })
}

fn entries(
    split: Split,
    folders: Vec<ClassFolder>,
    loose: Vec<PathBuf>,
    classes: &[String],
    skipped: &mut Vec<Skipped>,
) -> Vec<Entry> {
    let class_of = |name: &String| classes.binary_search(name).ok().map(|class| class as u32);
    let unlabelled = split == Split::Unlabeled || folders.is_empty();
    let mut entries = Vec::new();
    for folder in folders {
        let class = if unlabelled { None } else { class_of(&folder.name) };
        entries.extend(folder.files.into_iter().map(|path| Entry { path, class }));
    }
    if unlabelled {
        entries.extend(loose.into_iter().map(|path| Entry { path, class: None }));
    } else {
        skipped.extend(
            loose.into_iter().map(|file| Skipped {
                file,
                reason: "it lies beside the class folders, so it has no class".to_string(),
            }),
        );
    }
    entries
}

/// The folders of `folder` that hold images, by name.
fn list_classes(folder: &Path, skipped: &mut Vec<Skipped>) -> Result<Vec<ClassFolder>, DataError> {
    let mut classes = Vec::new();
    for path in read_folder(folder)?.into_iter().filter(|path| path.is_dir()) {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let files = images_in(&path)?;
        if !files.is_empty() {
            classes.push(ClassFolder { name, files });
        } else if !name.starts_with('.') {
            skipped.push(Skipped { file: path, reason: "no image directly in this folder".to_string() });
        }
    }
    Ok(classes)
}

fn images_in(folder: &Path) -> Result<Vec<PathBuf>, DataError> {
    let mut files = read_folder(folder)?;
    files.retain(|path| picture_file::is_named_like_one(path) && path.is_file());
    Ok(files)
}

/// What is in a folder, by name: the system's own order differs from machine to machine.
fn read_folder(folder: &Path) -> Result<Vec<PathBuf>, DataError> {
    let fail = |cause| DataError::unreadable(folder, cause);
    let entries: Result<Vec<_>, _> = std::fs::read_dir(folder).map_err(fail)?.collect();
    let mut paths: Vec<PathBuf> = entries.map_err(fail)?.into_iter().map(|entry| entry.path()).collect();
    paths.sort();
    Ok(paths)
}

fn list_flowers(root: &Path) -> Result<Listing, DataError> {
    let mut skipped = Vec::new();
    let mut entries = Vec::new();
    for path in images_in(root)? {
        match flower_class(&path) {
            Some(class) => entries.push(Entry { path, class: Some(class) }),
            None => skipped.push(Skipped {
                file: path,
                reason: "not named image_0001.jpg to image_1360.jpg, so its class is unknown".to_string(),
            }),
        }
    }
    Ok(Listing {
        classes: FLOWERS.map(str::to_string).to_vec(),
        splits: vec![(Split::Train, entries)],
        skipped,
        has_splits: false,
    })
}

/// The class, from the number in the name.
fn flower_class(path: &Path) -> Option<u32> {
    let stem = path.file_stem()?.to_str()?;
    let number = stem.strip_prefix("image_")?.parse::<u32>().ok()?.checked_sub(1)?;
    let class = number / FLOWERS_PER_CLASS;
    ((class as usize) < FLOWERS.len()).then_some(class)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flowers_are_classed_by_number() {
        let class = |name: &str| flower_class(Path::new(name));
        assert_eq!(class("a/image_0001.jpg"), Some(0));
        assert_eq!(class("image_0080.jpg"), Some(0));
        assert_eq!(class("image_0081.jpg"), Some(1));
        assert_eq!(class("image_1360.jpg"), Some(16));
        for bad in ["image_0000.jpg", "image_1361.jpg", "image_.jpg", "rose.jpg", "image_99999999999.jpg"] {
            assert_eq!(class(bad), None, "{bad}");
        }
    }
}
