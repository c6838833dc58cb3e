//! From what a table writes to the file that it means: relative to the table or to a folder of images, with an ending
//! or without, with either kind of slash. Fails where there is no such file, and where several could be meant.

use crate::error::DataError;
use crate::formats::array::shortened;
use crate::images::image_file;
use crate::sources::folder::names;
use crate::sources::folder::walk::{Still, Walk, read_folder};
use std::collections::HashMap;
use std::path::{Path, PathBuf};

/// The images that a table can mean.
pub(crate) struct Files {
    base: PathBuf,
    index: Index,
}

/// Files by the last part of their path, in small letters, with its ending and without.
#[derive(Default)]
struct Index {
    by_name: HashMap<String, Vec<PathBuf>>,
    by_stem: HashMap<String, Vec<PathBuf>>,
}

impl Files {
    /// Those of a table in this folder; `still` ends the search with its error.
    pub fn new(base: &Path, still: Still) -> Result<Files, DataError> {
        Ok(Files {
            base: base.to_path_buf(),
            index: Index::of(base, still)?,
        })
    }

    /// The file that a cell means.
    pub fn resolve(&self, cell: &str) -> Result<PathBuf, String> {
        if cell.is_empty() {
            return Err("it names no file".to_owned());
        }
        let plain = cell.replace('\\', "/");
        let direct = self.base.join(&plain);
        match direct.metadata() {
            Ok(about) if about.is_file() => {
                return match image_file::is_named_like_one(&direct) {
                    true => Ok(direct),
                    false => Err(format!("{} is not named like an image", shortened(cell))),
                };
            }
            // A pipe could keep the reader waiting for ever.
            Ok(about) if !about.is_dir() => {
                return Err(format!("{} is no file", shortened(cell)));
            }
            _ => {}
        }
        self.index
            .find(&plain)
            .map_err(|problem| format!("{problem} {}", shortened(cell)))
    }

    /// Whether a cell means a file that is there.
    pub fn has(&self, cell: &str) -> bool {
        self.resolve(cell).is_ok()
    }
}

impl Index {
    /// The images below a folder, and below folders of images beside it.
    fn of(base: &Path, still: Still) -> Result<Index, DataError> {
        let mut index = Index::default();
        index.add_tree(base, still)?;
        let beside = base.parent().map(read_folder);
        for folder in beside.into_iter().flatten().flatten() {
            let name = folder.file_name().unwrap_or_default().to_string_lossy();
            let is_of_images = names::is_neutral(&name) || names::split_in_name(&name).is_some();
            if folder != base && is_of_images && folder.is_dir() {
                index.add_tree(&folder, still)?;
            }
        }
        Ok(index)
    }

    fn add_tree(&mut self, folder: &Path, still: Still) -> Result<(), DataError> {
        let mut walk = Walk::new(image_file::is_named_like_one);
        let files = match walk.tree(folder, still) {
            Ok(tree) => tree.all_files(),
            Err(DataError::Cancelled) => return Err(DataError::Cancelled),
            // A folder with too many files names none of them; its rows then say that.
            Err(_) => Vec::new(),
        };
        for file in files {
            let lower = |part: Option<&std::ffi::OsStr>| {
                part.unwrap_or_default().to_string_lossy().to_lowercase()
            };
            let (name, stem) = (lower(file.file_name()), lower(file.file_stem()));
            self.by_name.entry(name).or_default().push(file.clone());
            self.by_stem.entry(stem).or_default().push(file);
        }
        Ok(())
    }

    /// The file whose path ends most like the one written.
    fn find(&self, plain: &str) -> Result<PathBuf, &'static str> {
        let parts: Vec<&str> = plain
            .split('/')
            .filter(|part| !matches!(*part, "" | "." | ".."))
            .collect();
        let name = parts
            .last()
            .map(|name| name.to_lowercase())
            .unwrap_or_default();
        let found = self.by_name.get(&name).or_else(|| self.by_stem.get(&name));
        let found = found.ok_or("there is no file")?;
        let alike = |path: &PathBuf| {
            let above = path.parent().unwrap_or(Path::new("")).iter().rev();
            let written = parts.iter().rev().skip(1);
            above
                .zip(written)
                .take_while(|(one, other)| one.eq_ignore_ascii_case(other))
                .count()
        };
        let most = found.iter().map(alike).max().unwrap_or(0);
        let mut best = found.iter().filter(|path| alike(path) == most);
        match (best.next(), best.next()) {
            (Some(one), None) => Ok(one.clone()),
            _ => Err("several files are called"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_found_as_people_write_them() {
        let root = tempfile::tempdir().unwrap();
        let base = root.path().join("set");
        for name in [
            "set/images/a/1.jpg",
            "set/images/b/1.jpg",
            "set/x.PNG",
            "images/far.jpg",
            "set/t.csv",
        ] {
            let path = root.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, b"x").unwrap();
        }
        let files = Files::new(&base, &mut || Ok(())).unwrap();
        let found = |cell: &str| {
            let path = files.resolve(cell).unwrap();
            let path = path.strip_prefix(root.path()).unwrap();
            path.to_string_lossy().replace('\\', "/")
        };
        assert_eq!(found("images/a/1.jpg"), "set/images/a/1.jpg");
        assert_eq!(found("images\\a\\1.jpg"), "set/images/a/1.jpg");
        assert_eq!(found("/kaggle/input/b/1.jpg"), "set/images/b/1.jpg");
        assert_eq!(found("C:\\data\\b\\1.jpg"), "set/images/b/1.jpg");
        assert_eq!(found("b/1"), "set/images/b/1.jpg");
        assert_eq!(found("X"), "set/x.PNG");
        assert_eq!(found("far"), "images/far.jpg");
        let fails = |cell: &str| files.resolve(cell).unwrap_err();
        assert!(fails("1.jpg").contains("several files are called 1.jpg"));
        assert!(fails("none.jpg").contains("there is no file none.jpg"));
        assert!(fails("t.csv").contains("not named like an image"));
        assert!(fails("").contains("names no file"));
    }
}
