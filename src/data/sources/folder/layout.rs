//! What a tree of folders means: which folders are splits, which are classes, which only wrap others. Works on names
//! alone and cannot fail; what belongs nowhere is named.

use super::names;
use super::walk::{Tree, Walk};
use crate::source::Told;
use std::path::PathBuf;
use strata_core::format::count;
use strata_core::project::data::{ClassLevel, Split};

/// Class folders named in a note.
const MOST_NAMED: usize = 6;

/// The images of one class folder.
pub(crate) struct ClassFolder {
    pub name: String,
    pub files: Vec<PathBuf>,
}

/// One split as its folders have it.
pub(crate) struct SplitFolder {
    pub split: Split,
    pub classes: Vec<ClassFolder>,
    /// Images that lie in no class folder.
    pub loose: Vec<PathBuf>,
}

/// All of a tree.
pub(crate) struct Layout {
    pub parts: Vec<SplitFolder>,
    /// Whether the folders say what is for training and what for testing.
    pub has_splits: bool,
}

/// Reads a tree; what is left out goes to `walk`, what is worth knowing to `told`.
pub(crate) fn read(tree: &Tree, level: ClassLevel, walk: &mut Walk, told: &mut Told) -> Layout {
    let mut reader = Reader { level, walk, told };
    let root = reader.unwrapped(tree);
    if root.path != tree.path {
        let inner = root.path.strip_prefix(&tree.path).unwrap_or(&root.path);
        let inner = inner.display();
        let text = format!("read from {inner}, which is all that this folder holds");
        reader.told.note(text);
    }
    if let Some(splits) = splits_in(root) {
        return reader.splits(root, &splits);
    }
    if let Some(layout) = reader.splits_in_classes(root) {
        return layout;
    }
    let part = reader.part(Split::Train, root);
    Layout {
        parts: vec![part],
        has_splits: false,
    }
}

/// The folders that count as content: masks beside images do not.
fn content(tree: &Tree) -> Vec<&Tree> {
    let used: Vec<&Tree> = tree.used().collect();
    let has_images = used.iter().any(|folder| names::is_neutral(&folder.name));
    used.into_iter()
        .filter(|folder| !(has_images && names::is_of_masks(&folder.name)))
        .collect()
}

/// Whether a lone folder is no class: it holds several, or splits, or its name says nothing.
fn is_wrapped(above: &Tree, only: &Tree) -> bool {
    let inner = content(only);
    let split = names::split_of(&only.name);
    if matches!(split, Some(Split::Train | Split::Unlabeled)) {
        return false;
    }
    let holds_more = only.files.is_empty()
        && match inner[..] {
            [] => false,
            [one] => is_wrapped(only, one) || splits_in(only).is_some(),
            _ => true,
        };
    holds_more || names::is_neutral(&only.name) || only.name.eq_ignore_ascii_case(&above.name)
}

/// The splits that folders in a folder are; none where they are classes.
fn splits_in(root: &Tree) -> Option<Vec<(Split, &Tree)>> {
    let used = content(root);
    let all: Vec<&str> = used.iter().map(|folder| folder.name.as_str()).collect();
    let found = names::splits_of(&root.name, &all);
    let splits: Vec<(Split, &Tree)> = found
        .iter()
        .zip(&used)
        .filter_map(|(split, folder)| Some(((*split)?, *folder)))
        .collect();
    let others: Vec<&Tree> = found
        .iter()
        .zip(&used)
        .filter(|(split, _)| split.is_none())
        .map(|(_, folder)| *folder)
        .collect();
    let (first, folder) = splits.first().copied()?;
    if splits.iter().any(|(split, _)| *split != first) {
        return Some(splits);
    }
    match first {
        // A class can be called `train` too: a vehicle among others.
        Split::Train => (others.is_empty() || !content(folder).is_empty()).then_some(splits),
        // Class folders, and one folder of what is to be told apart later.
        Split::Test | Split::Valid if others.len() >= 2 => {
            let train = others.into_iter().map(|folder| (Split::Train, folder));
            Some(splits.into_iter().chain(train).collect())
        }
        Split::Unlabeled => {
            let train = others.into_iter().map(|folder| (Split::Train, folder));
            Some(splits.into_iter().chain(train).collect())
        }
        Split::Test | Split::Valid => None,
    }
}

struct Reader<'a> {
    level: ClassLevel,
    walk: &'a mut Walk,
    told: &'a mut Told,
}

impl Reader<'_> {
    /// The folder below lone wrapping ones: an archive's own name, repeated or not.
    fn unwrapped<'t>(&mut self, tree: &'t Tree) -> &'t Tree {
        match content(tree)[..] {
            [only] if tree.files.is_empty() && is_wrapped(tree, only) => {
                self.name_masks(tree);
                self.unwrapped(only)
            }
            _ => tree,
        }
    }

    /// Masks beside images.
    fn name_masks(&mut self, tree: &Tree) {
        let content = content(tree);
        for masks in tree.used() {
            if !content.iter().any(|folder| folder.path == masks.path) {
                let reason = format!("{}: masks, which are not read", images(masks.total));
                self.walk.skip(&masks.path, reason);
            }
        }
    }

    fn splits(&mut self, root: &Tree, splits: &[(Split, &Tree)]) -> Layout {
        let mut parts: Vec<SplitFolder> = Vec::new();
        for (split, folder) in splits {
            // Folders that are none of the splits by name are classes for training.
            let part = match names::splits_of(&root.name, &[folder.name.as_str()])[..] {
                [None] if !self.is_named_with_others(root, splits, folder) => SplitFolder {
                    split: *split,
                    classes: self.classes(&[*folder]),
                    loose: Vec::new(),
                },
                _ => {
                    let inner = self.unwrapped(folder);
                    self.part(*split, inner)
                }
            };
            match parts.iter_mut().find(|known| known.split == *split) {
                Some(known) => {
                    known.classes.extend(part.classes);
                    known.loose.extend(part.loose);
                }
                None => parts.push(part),
            }
        }
        parts.sort_by_key(|part| part.split);
        let is_used = |folder: &&Tree| splits.iter().any(|(_, used)| used.path == folder.path);
        for folder in root.used().filter(|folder| !is_used(folder)) {
            let reason = match names::is_of_masks(&folder.name) {
                true => format!("{}: masks, which are not read", images(folder.total)),
                false => format!(
                    "{}: the folder lies beside those of the splits",
                    images(folder.total)
                ),
            };
            self.walk.skip(&folder.path, reason);
        }
        self.name_unused(root);
        for file in &root.files {
            self.walk
                .skip(file, "it lies beside the folders of the splits".to_owned());
        }
        told_of_splits(self.told, splits);
        Layout {
            parts,
            has_splits: true,
        }
    }

    /// Whether a name is that of a split only beside the others.
    fn is_named_with_others(&self, root: &Tree, splits: &[(Split, &Tree)], folder: &Tree) -> bool {
        let all: Vec<&str> = splits.iter().map(|(_, tree)| tree.name.as_str()).collect();
        let found = names::splits_of(&root.name, &all);
        let mut named = found.iter().zip(&all);
        named.any(|(split, name)| split.is_some() && *name == folder.name)
    }

    /// `cat/train`, `cat/test`, `dog/train`, …: the classes are above the splits.
    fn splits_in_classes(&mut self, root: &Tree) -> Option<Layout> {
        let classes = content(root);
        let inner: Vec<Vec<(Split, &Tree)>> = classes
            .iter()
            .filter(|class| class.files.is_empty())
            .filter_map(|class| splits_in(class))
            .collect();
        let has_train = |splits: &Vec<(Split, &Tree)>| {
            splits.iter().any(|(split, _)| *split == Split::Train)
                && splits.iter().any(|(split, _)| *split != Split::Train)
        };
        if classes.len() < 2 || inner.len() != classes.len() || !inner.iter().all(has_train) {
            return None;
        }
        let mut parts: Vec<SplitFolder> = Vec::new();
        for (class, splits) in classes.iter().zip(inner) {
            for (split, folder) in splits {
                let one = ClassFolder {
                    name: class.name.clone(),
                    files: folder.all_files(),
                };
                match parts.iter_mut().find(|part| part.split == split) {
                    Some(part) => part.classes.push(one),
                    None => parts.push(SplitFolder {
                        split,
                        classes: vec![one],
                        loose: Vec::new(),
                    }),
                }
            }
        }
        parts.sort_by_key(|part| part.split);
        self.told.note("the splits are folders in each class");
        Some(Layout {
            parts,
            has_splits: true,
        })
    }

    /// The classes of one folder, and what lies beside them.
    fn part(&mut self, split: Split, tree: &Tree) -> SplitFolder {
        let folders = content(tree);
        self.name_masks(tree);
        self.name_unused(tree);
        let is_alone = matches!(folders[..], [only] if names::is_neutral(&only.name));
        if is_alone && let [only] = folders[..] {
            // Images beside a folder `images`: all of them have no class.
            let mut inner = self.part(split, only);
            inner.loose.extend(tree.files.iter().cloned());
            return inner;
        }
        SplitFolder {
            split,
            classes: self.classes(&folders),
            loose: tree.files.clone(),
        }
    }

    fn classes(&mut self, folders: &[&Tree]) -> Vec<ClassFolder> {
        let nested: Vec<&&Tree> = folders
            .iter()
            .filter(|folder| folder.files.is_empty() && folder.used().count() > 1)
            .collect();
        if self.level == ClassLevel::Last {
            let mut classes = Vec::new();
            folders
                .iter()
                .for_each(|folder| last_folders(folder, &mut classes));
            return classes;
        }
        if let Some(first) = nested.first() {
            let inner: Vec<&str> = first.used().map(|folder| folder.name.as_str()).collect();
            let text = format!(
                "class {} holds only folders ({}): its images are all of this one class, and the folders below can be the classes instead",
                first.name,
                names::some_of(&inner, MOST_NAMED)
            );
            let names = |folder: &Tree| -> Vec<String> {
                let names = folder.used().map(|inner| inner.name.clone());
                names.collect()
            };
            let are_alike =
                nested.len() > 1 && nested.iter().all(|folder| names(folder) == names(first));
            let text = match are_alike {
                true => format!(
                    "{text}; {} hold folders of the same names: if they are splits, call them train and test",
                    names::some_of(
                        &nested
                            .iter()
                            .map(|folder| folder.name.as_str())
                            .collect::<Vec<_>>(),
                        MOST_NAMED
                    )
                ),
                false => text,
            };
            self.told.propose(text, "class_level = \"last\"");
        }
        let class = |folder: &&Tree| ClassFolder {
            name: folder.name.clone(),
            files: folder.all_files(),
        };
        folders.iter().map(class).collect()
    }

    /// Folders in which nothing is found, unless it was said why.
    fn name_unused(&mut self, tree: &Tree) {
        for folder in tree.unused() {
            let is_told = self
                .walk
                .skipped
                .iter()
                .any(|skipped| skipped.file.starts_with(&folder.path));
            if !is_told {
                let reason = "no image in this folder or below it".to_owned();
                self.walk.skip(&folder.path, reason);
            }
        }
    }
}

/// `1 image`, `2 images`.
fn images(number: usize) -> String {
    match number {
        1 => "1 image".to_owned(),
        _ => format!("{} images", count(number as u64)),
    }
}

/// Each folder that holds images is a class of its own name.
fn last_folders(tree: &Tree, classes: &mut Vec<ClassFolder>) {
    if !tree.files.is_empty() {
        let known = classes.iter_mut().find(|class| class.name == tree.name);
        match known {
            Some(class) => class.files.extend(tree.files.iter().cloned()),
            None => classes.push(ClassFolder {
                name: tree.name.clone(),
                files: tree.files.clone(),
            }),
        }
    }
    tree.used().for_each(|folder| last_folders(folder, classes));
}

/// Says which folder is which split, where the names are not the splits' own.
fn told_of_splits(told: &mut Told, splits: &[(Split, &Tree)]) {
    let is_other = |(split, folder): &&(Split, &Tree)| {
        folder.name != split.name() && names::split_in_name(&folder.name) == Some(*split)
    };
    let mut sorted: Vec<&(Split, &Tree)> = splits.iter().collect();
    sorted.sort_by_key(|(split, _)| *split);
    let others: Vec<String> = sorted
        .into_iter()
        .filter(is_other)
        .map(|(split, folder)| format!("{} is {split}", folder.name))
        .collect();
    if !others.is_empty() {
        told.note(format!(
            "splits by the folders' names: {}",
            others.join(", ")
        ));
    }
}
