//! What is worth knowing of data, in words, with what would change it. Cannot fail.

use crate::Skipped;
use crate::formats::not_read::{self, NotRead};
use crate::source::Told;
use std::path::{Path, PathBuf};
use strata_core::format;
use strata_core::project::data::DataSpec;
use strata_core::project::help::Help;

/// A class with more than this many times the images of another is told of.
const MOST_UNBALANCED: usize = 3;
/// As many classes that hold hardly more than one image each are told of.
const LEAST_OWN: usize = 20;

/// Something about the data that a person should know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    /// What it is, in words; it may name keys of the project file and commands.
    pub text: String,
    /// The same for the window, where it speaks of fields and buttons.
    pub window: Option<String>,
    /// The line for `[data]` that changes it, `resize = [64, 64]` for example.
    pub line: Option<String>,
    /// Lines of Python that convert what is not read.
    pub python: Option<String>,
    /// Whether it matters only to a training that tells classes apart.
    pub of_classes: bool,
}

impl Note {
    pub(crate) fn new(text: impl Into<String>) -> Note {
        Note {
            text: text.into(),
            window: None,
            line: None,
            python: None,
            of_classes: false,
        }
    }
}

impl Note {
    /// Its words in the window, without what the button says.
    pub fn in_window(&self) -> &str {
        self.window.as_deref().unwrap_or(&self.text)
    }

    /// The same with what would change it.
    pub fn with_change_in_window(&self) -> String {
        match &self.line {
            Some(line) => format!("{}: {}", self.in_window(), Help::line(line).in_window()),
            None => self.in_window().to_owned(),
        }
    }
}

impl std::fmt::Display for Note {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.text)?;
        match &self.line {
            Some(line) => write!(f, ": {}", Help::line(line)),
            None => Ok(()),
        }
    }
}

/// Files with one reason.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group<'a> {
    /// The reason.
    pub reason: &'a str,
    /// Its files, in their order.
    pub files: Vec<&'a Path>,
}

impl Group<'_> {
    /// How many files, and the names of the first.
    pub fn names(&self, most: usize) -> String {
        let name = |file: &&Path| {
            file.file_name()
                .unwrap_or_default()
                .to_string_lossy()
                .into_owned()
        };
        let named: Vec<String> = self.files.iter().take(most).map(name).collect();
        let more = if self.files.len() > most { ", …" } else { "" };
        let number = match self.files.len() {
            1 => "1 file".to_owned(),
            files => format!("{} files", format::count(files as u64)),
        };
        format!("{number} ({}{more})", named.join(", "))
    }
}

/// Files gathered by their reasons, in the order in which those first come.
pub fn by_reason(files: &[Skipped]) -> Vec<Group<'_>> {
    let mut groups: Vec<Group> = Vec::new();
    for Skipped { file, reason } in files {
        match groups.iter_mut().find(|group| group.reason == reason) {
            Some(group) => group.files.push(file),
            None => groups.push(Group {
                reason,
                files: vec![file],
            }),
        }
    }
    groups
}

/// Says that an image may have several labels, and which of them no training image has.
pub(crate) fn of_labels(told: &mut Told, labels: &[String], counts: &[usize]) {
    told.note(format!(
        "an image may have several of {} labels, or none: a head of as many scores with the loss bce learns them",
        format::count(labels.len() as u64)
    ));
    let unseen = labels.iter().zip(counts).filter(|(_, count)| **count == 0);
    let unseen: Vec<&String> = unseen.map(|(label, _)| label).collect();
    if let [first, ..] = unseen[..] {
        told.note(format!(
            "{} of the labels no image for training has, {first} for one: they cannot be learnt",
            format::count(unseen.len() as u64)
        ));
    }
}

/// A hint where there is one class alone, where nearly every image has a class of its own, and where one class has far
/// more images for training than another.
pub(crate) fn of_classes(told: &mut Told, spec: &DataSpec, classes: &[String], counts: &[usize]) {
    let before = told.notes.len();
    tell_of_classes(told, spec, classes, counts);
    let own = told.notes[before..].iter_mut();
    own.for_each(|note| note.of_classes = true);
}

fn tell_of_classes(told: &mut Told, spec: &DataSpec, classes: &[String], counts: &[usize]) {
    if let [only] = classes {
        told.note(format!(
            "all labelled images are of one class, {only}: there is nothing to tell apart"
        ));
    }
    let images: usize = counts.iter().sum();
    if classes.len() >= LEAST_OWN && 2 * classes.len() > images {
        told.note(format!(
            "{} classes for {} images for training: labels that differ from image to image are no classes",
            format::count(classes.len() as u64),
            format::count(images as u64)
        ));
    }
    let most = counts.iter().copied().max().unwrap_or(0);
    let least = counts.iter().copied().filter(|count| *count > 0).min();
    let Some(least) = least.filter(|least| most > MOST_UNBALANCED * least) else {
        return;
    };
    if spec.weights.is_some() {
        return;
    }
    let name = |count: usize| {
        let at = counts.iter().position(|other| *other == count);
        at.and_then(|at| classes.get(at))
            .cloned()
            .unwrap_or_default()
    };
    let text = format!(
        "class {} has {} images for training, class {} has {}",
        name(most),
        format::count(most as u64),
        name(least),
        format::count(least as u64)
    );
    told.propose(text, "weights = \"balanced\"");
}

/// A limit that no split reaches: `largest` is the number of images of the largest.
pub(crate) fn of_limit(told: &mut Told, spec: &DataSpec, largest: usize) {
    let Some(limit) = spec.limit.filter(|limit| largest < *limit) else {
        return;
    };
    let (limit, largest) = (format::count(limit as u64), format::count(largest as u64));
    let why = format!("changes nothing: no split has more than {largest} images");
    told.note_on(
        format!("limit = {limit} {why}"),
        format!("a limit of {limit} {why}"),
    );
}

/// A number of labelled images that no class reaches: `largest` is the number of the largest class.
pub(crate) fn of_per_class(told: &mut Told, spec: &DataSpec, largest: usize) {
    let Some(wanted) = spec.per_class.filter(|wanted| largest < *wanted) else {
        return;
    };
    let (wanted, largest) = (format::count(wanted as u64), format::count(largest as u64));
    let why = format!("takes no label away: no class has more than {largest} images for training");
    told.note_on(
        format!("per_class = {wanted} {why}"),
        format!("{wanted} labelled images of each class: it {why}"),
    );
}

/// How to convert files of kinds that are not read, once for each kind.
pub(crate) fn of_others<'a>(told: &mut Told, skipped: impl IntoIterator<Item = &'a Skipped>) {
    let mut kinds: Vec<(&'static NotRead, PathBuf, usize)> = Vec::new();
    for Skipped { file, .. } in skipped {
        let Some(kind) = not_read::by_name(file) else {
            continue;
        };
        match kinds.iter_mut().find(|(known, ..)| *known == kind) {
            Some((_, folder, count)) => {
                *count += 1;
                while !file.starts_with(&*folder) && folder.pop() {}
            }
            None => {
                let folder = file.parent().unwrap_or(Path::new(""));
                kinds.push((kind, folder.to_path_buf(), 1));
            }
        }
    }
    for (kind, folder, count) in kinds {
        let text = match count {
            1 => format!("1 file is {}, which is not read", kind.name),
            _ => format!("{count} files are not read, each {}", kind.name),
        };
        told.notes.push(Note {
            python: Some(kind.python(&folder)),
            ..Note::new(text)
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_gathered_by_reason() {
        let skipped = |file: &str, reason: &str| Skipped {
            file: file.into(),
            reason: reason.into(),
        };
        let files = [skipped("a", "x"), skipped("b", "y"), skipped("c", "x")];
        let groups = by_reason(&files);
        assert_eq!(groups.len(), 2);
        assert_eq!(groups[0].files, [Path::new("a"), Path::new("c")]);
        assert_eq!(groups[0].names(1), "2 files (a, …)");
        assert_eq!(groups[1].names(1), "1 file (b)");
    }

    #[test]
    fn a_limit_that_is_not_reached_is_told() {
        let told = |limit: Option<usize>| {
            let spec = DataSpec {
                limit,
                ..DataSpec::default()
            };
            let mut told = Told::default();
            of_limit(&mut told, &spec, 800);
            told.notes
                .into_iter()
                .map(|note| note.text)
                .collect::<String>()
        };
        assert_eq!(told(None), "");
        assert_eq!(told(Some(800)), "");
        assert_eq!(
            told(Some(1000)),
            "limit = 1,000 changes nothing: no split has more than 800 images"
        );
    }

    #[test]
    fn the_window_is_told_of_fields() {
        let mut told = Told::default();
        told.note_on("write a = 1 under [data]", "set a to 1");
        told.propose("b is better", "b = 2");
        let words = told.notes.iter().map(Note::in_window);
        assert_eq!(words.collect::<Vec<_>>(), ["set a to 1", "b is better"]);
        let words = told.notes.iter().map(ToString::to_string);
        assert_eq!(
            words.collect::<Vec<_>>(),
            [
                "write a = 1 under [data]",
                "b is better: write b = 2 under [data]"
            ]
        );
    }

    #[test]
    fn three_to_one_is_let_pass() {
        let classes = ["a".to_owned(), "b".to_owned(), "c".to_owned()];
        let spec = DataSpec::default();
        let mut told = Told::default();
        of_classes(&mut told, &spec, &classes, &[30, 10, 0]);
        assert_eq!(told.notes, []);
        of_classes(&mut told, &spec, &classes, &[31, 10, 20]);
        let note = told.notes[0].to_string();
        assert!(told.notes[0].of_classes);
        assert_eq!(
            note,
            "class a has 31 images for training, class b has 10: write weights = \"balanced\" under [data]"
        );
    }
}
