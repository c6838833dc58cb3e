//! Which source reads a folder or file that a person points at: told by names, without opening anything. Cannot fail:
//! what is nothing else is a folder of images.

use crate::audio;
use crate::images::image_file;
use crate::sources::folder::names;
use crate::sources::{hdf5, parquet};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use strata_core::project::data::Source;

/// Names looked at.
const MOST_NAMES: usize = 5000;
/// Lone folders in folders that are looked into: an archive's own name, repeated or not.
const MOST_WRAPPED: usize = 4;
/// Folders of one folder that are looked into for images.
const MOST_FOLDERS: usize = 20;
/// The last of Oxford's 17 flowers.
const LAST_FLOWER: u32 = 1360;

/// What was recognised.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recognised {
    /// The source that reads it.
    pub source: Source,
    /// What says so, in words.
    pub why: String,
    /// What the project's `path` is to be: what was pointed at, or the one folder in it that holds the files.
    pub path: PathBuf,
}

/// What was found below a path: names in small letters.
struct Found {
    /// Those directly in it.
    own: BTreeSet<String>,
    /// These, and those one folder down.
    names: BTreeSet<String>,
    /// The folders that hold images directly, by name; the path itself has none.
    image_folders: BTreeSet<String>,
    has_images: bool,
}

/// What is in a folder, by name, and whether it is a folder.
type Entries<'a> = dyn Fn(&Path) -> Vec<(PathBuf, bool)> + 'a;

/// The source for a path; `now` is kept where it reads the same files.
pub fn recognise(path: &Path, now: Source) -> Recognised {
    if path.is_dir() {
        return recognise_folder(path, now, &on_disk);
    }
    let name = BTreeSet::from([last_name(path)]);
    let found = Found {
        own: name.clone(),
        names: name,
        image_folders: BTreeSet::new(),
        has_images: false,
    };
    recognised(path, known(&found, now, false))
}

/// Whether a folder holds what a source reads: a known set, tables, arrays, or images at most three folders down.
pub fn holds_data(folder: &Path) -> bool {
    recognise(folder, Source::default()).source != Source::Folder || holds_images(folder, 3)
}

fn holds_images(folder: &Path, deep: usize) -> bool {
    let (folders, files): (Vec<_>, Vec<_>) = on_disk(folder)
        .into_iter()
        .filter(|(path, _)| !names::is_hidden(path))
        .partition(|(_, is_folder)| *is_folder);
    let mut files = files.iter();
    files.any(|(path, _)| image_file::is_named_like_one(path))
        || deep > 0
            && folders
                .iter()
                .take(MOST_FOLDERS)
                .any(|(path, _)| holds_images(path, deep - 1))
}

/// The same for files that lie in an archive: `root` stands for it.
pub(crate) fn recognise_packed<'a>(
    root: &Path,
    files: impl Iterator<Item = &'a Path>,
    now: Source,
) -> Recognised {
    let mut folders: BTreeMap<PathBuf, BTreeSet<(PathBuf, bool)>> = BTreeMap::new();
    for file in files {
        let mut place = root.join(file);
        let mut is_folder = false;
        while let Some(above) = place.parent().filter(|above| above.starts_with(root)) {
            let above = above.to_path_buf();
            if !folders
                .entry(above.clone())
                .or_default()
                .insert((place, is_folder))
            {
                break;
            }
            (place, is_folder) = (above, true);
        }
    }
    recognise_folder(root, now, &|folder| {
        let entries = folders.get(folder).into_iter().flatten();
        entries.take(MOST_NAMES).cloned().collect()
    })
}

fn recognised(path: &Path, known: Option<(Source, String)>) -> Recognised {
    let (source, why) = known.unwrap_or((Source::Folder, "a folder of images".to_owned()));
    Recognised {
        source,
        why,
        path: path.to_path_buf(),
    }
}

fn recognise_folder(path: &Path, now: Source, entries: &Entries) -> Recognised {
    let mut inner = path.to_path_buf();
    for _ in 0..MOST_WRAPPED {
        if let Some(known) = known(&Found::below(&inner, entries), now, true) {
            return recognised(&inner, Some(known));
        }
        let mut held = entries(&inner);
        held.retain(|(path, _)| !names::is_hidden(path));
        match held.pop() {
            Some((only, true)) if held.is_empty() => inner = only,
            _ => break,
        }
    }
    recognised(path, None)
}

fn known(found: &Found, now: Source, is_folder: bool) -> Option<(Source, String)> {
    named_set(found, now).or_else(|| by_ending(found, is_folder))
}

fn on_disk(folder: &Path) -> Vec<(PathBuf, bool)> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let about = |entry: std::fs::DirEntry| {
        let path = entry.path();
        let kind = entry.file_type().ok().filter(|kind| !kind.is_symlink());
        let is_folder = kind.map_or_else(|| path.is_dir(), |kind| kind.is_dir());
        (path, is_folder)
    };
    let mut entries: Vec<(PathBuf, bool)> = entries.take(MOST_NAMES).map(about).collect();
    entries.sort();
    entries
}

fn last_name(path: &Path) -> String {
    path.file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .to_lowercase()
}

impl Found {
    fn below(path: &Path, entries: &Entries) -> Found {
        let mut found = Found {
            own: BTreeSet::new(),
            names: BTreeSet::from([last_name(path)]),
            image_folders: BTreeSet::new(),
            has_images: false,
        };
        for (entry, is_folder) in entries(path) {
            found.add(&entry, None);
            if is_folder && !names::is_hidden(&entry) && found.names.len() < MOST_NAMES {
                let inner = entries(&entry);
                inner
                    .iter()
                    .for_each(|(path, _)| found.add(path, Some(&entry)));
            }
        }
        found
    }

    fn add(&mut self, path: &Path, folder: Option<&Path>) {
        if names::is_hidden(path) {
            return;
        }
        if image_file::is_named_like_one(path) {
            self.has_images = true;
            self.image_folders.extend(folder.map(last_name));
        }
        self.names.insert(last_name(path));
        if folder.is_none() {
            self.own.insert(last_name(path));
        }
    }

    /// The first name that is one of these.
    fn first(&self, is_one: impl Fn(&str) -> bool) -> Option<&str> {
        self.names
            .iter()
            .map(String::as_str)
            .find(|name| is_one(name))
    }

    /// The first of those directly in it.
    fn first_own(&self, is_one: impl Fn(&str) -> bool) -> Option<&str> {
        self.own
            .iter()
            .map(String::as_str)
            .find(|name| is_one(name))
    }

    fn has(&self, name: &str) -> bool {
        let packed = format!("{name}.gz");
        self.names.contains(name) || self.names.contains(&packed)
    }
}

/// Sets that are known by the names of their files.
fn named_set(found: &Found, now: Source) -> Option<(Source, String)> {
    let file = |source: Source, name: &str| Some((source, format!("the file {name}")));
    if let Some(name) = found.first(|name| name.contains("idx3-ubyte")) {
        let is_same = matches!(now, Source::Mnist | Source::FashionMnist);
        return file(if is_same { now } else { Source::Mnist }, name);
    }
    let is_batch = |name: &str| {
        let name = name.trim_end_matches(".gz").trim_end_matches(".bin");
        name == "test_batch" || (name.starts_with("data_batch_") && !name.contains('.'))
    };
    if let Some(name) = found.first(is_batch) {
        return file(Source::Cifar10, name);
    }
    let is_hundred = |name: &str| matches!(name, "cifar-100-python" | "cifar-100-binary");
    if let Some(name) = found
        .first(is_hundred)
        .or(found.has("train.bin").then_some("train.bin"))
    {
        return file(Source::Cifar100, name);
    }
    let is_stl = |name: &str| {
        matches!(
            name.trim_end_matches(".gz"),
            "train_x.bin" | "test_x.bin" | "unlabeled_x.bin"
        )
    };
    if let Some(name) = found.first(is_stl) {
        return file(Source::Stl10, name);
    }
    let number = |name: &str| {
        name.strip_prefix("image_")?
            .split('.')
            .next()?
            .parse::<u32>()
            .ok()
    };
    let last = found.names.iter().filter_map(|name| number(name)).max();
    if found.first(|name| name == "image_0001.jpg").is_some()
        && last.is_some_and(|last| last <= LAST_FLOWER)
    {
        return file(Source::Flowers17, "image_0001.jpg");
    }
    let is_eurosat = |name: &str| matches!(name, "eurosat_rgb" | "2750");
    let name = found.first(is_eurosat)?;
    Some((Source::Eurosat, format!("the folder {name}")))
}

/// Kinds of files.
fn by_ending(found: &Found, is_folder: bool) -> Option<(Source, String)> {
    let ends = |name: &str, endings: &[&str]| {
        let name = name.trim_end_matches(".gz");
        endings.iter().any(|ending| name.ends_with(ending))
    };
    let table = found.first_own(|name| ends(name, &[".csv", ".tsv"]));
    let say = |source: Source, what: &str, name: &str| Some((source, format!("the {what} {name}")));
    // Beside class folders, a table only repeats what their names say.
    let is_class = |name: &String| !names::is_neutral(name) && names::split_in_name(name).is_none();
    if let Some(name) = table
        && !found.image_folders.iter().any(is_class)
    {
        return say(Source::Csv, "table", name);
    }
    if found.has_images {
        return None;
    }
    let is_array =
        |name: &str| ends(name, &[".npy", ".npz", ".mat"]) || name.starts_with("train_data_batch_");
    if let Some(name) = found.first_own(is_array) {
        return say(Source::Npy, "array", name);
    }
    if let Some(name) = found.first_own(|name| hdf5::is_named_like_one(Path::new(name))) {
        return say(Source::Hdf5, "HDF5 file", name);
    }
    if let Some(name) = found.first(|name| parquet::is_named_like_one(Path::new(name))) {
        return say(Source::Parquet, "Parquet file", name);
    }
    if let Some(name) = found.first(|name| audio::is_named_like_one(Path::new(name))) {
        return say(Source::Wav, "recording", name);
    }
    let list = found.first_own(|name| !is_folder && ends(name, &[".txt"]))?;
    say(Source::Csv, "table", list)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(files: &[&str], now: Source) -> Source {
        let root = tempfile::tempdir().unwrap();
        for name in files {
            let path = root.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, "").unwrap();
        }
        recognise(root.path(), now).source
    }

    #[test]
    fn sets_are_recognised_by_their_files() {
        let of = |files: &[&str]| source(files, Source::Shapes);
        assert_eq!(of(&["train-images-idx3-ubyte.gz"]), Source::Mnist);
        assert_eq!(
            of(&[
                "MNIST/raw/train-images-idx3-ubyte",
                "MNIST/t10k-images-idx3-ubyte"
            ]),
            Source::Mnist
        );
        assert_eq!(
            source(&["t10k-images-idx3-ubyte"], Source::FashionMnist),
            Source::FashionMnist
        );
        assert_eq!(of(&["cifar-10-batches-py/data_batch_1"]), Source::Cifar10);
        assert_eq!(
            of(&["data_batch_1.bin.gz", "batches.meta.txt"]),
            Source::Cifar10
        );
        assert_eq!(of(&["cifar-100-python/train"]), Source::Cifar100);
        assert_eq!(of(&["train.bin", "test.bin"]), Source::Cifar100);
        assert_eq!(of(&["stl10_binary/train_X.bin"]), Source::Stl10);
        assert_eq!(
            of(&["jpg/image_0001.jpg", "jpg/image_1360.jpg"]),
            Source::Flowers17
        );
        assert_eq!(
            of(&["jpg/image_0001.jpg", "jpg/image_8189.jpg"]),
            Source::Folder
        );
        assert_eq!(of(&["EuroSAT_RGB/Forest/Forest_1.jpg"]), Source::Eurosat);
        assert_eq!(
            of(&["cat/1.jpg", "dog/1.jpg", "labels.csv"]),
            Source::Folder
        );
        assert_eq!(
            of(&["train/1.jpg", "test/2.jpg", "labels.csv"]),
            Source::Csv
        );
        assert_eq!(of(&["train.csv", "test.csv"]), Source::Csv);
        assert_eq!(of(&["x_train.npy", "y_train.npy"]), Source::Npy);
        assert_eq!(of(&["train_32x32.mat"]), Source::Npy);
        assert_eq!(of(&["data_batch_1.mat"]), Source::Npy);
        assert_eq!(
            of(&["README.md", "data/train-00000-of-00001.parquet"]),
            Source::Parquet
        );
        assert_eq!(of(&["x_train.h5", "y_train.h5"]), Source::Hdf5);
        assert_eq!(of(&["yes/1.wav", "no/1.wav"]), Source::Wav);
        assert_eq!(of(&["readme.txt"]), Source::Folder);
        assert_eq!(of(&[]), Source::Folder);
    }

    #[test]
    fn a_file_is_recognised_too() {
        let of = |name: &str| recognise(Path::new(name), Source::Shapes).source;
        assert_eq!(of("a/train.csv"), Source::Csv);
        assert_eq!(of("a/mnist.npz"), Source::Npy);
        assert_eq!(of("a/Galaxy10.h5"), Source::Hdf5);
        assert_eq!(of("a/set.HDF5"), Source::Hdf5);
        assert_eq!(of("a/0000.parquet"), Source::Parquet);
        assert_eq!(of("a/list.txt"), Source::Csv);
        assert_eq!(of("emnist-letters-train-images-idx3-ubyte"), Source::Mnist);
    }
}
