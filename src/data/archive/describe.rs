//! What an archive is as data, from its directory alone: the source that reads it, and of images in folders the classes
//! and splits as a folder would have them. Cannot fail; what is not known before unpacking is said so.

use super::contents::Contents;
use super::unpack::{folder_beside, is_unpacked};
use super::{Archive, stem};
use crate::error::DataError;
use crate::images::image_file;
use crate::notes::{self, Note};
use crate::recognise::{Recognised, recognise_packed};
use crate::source::{OpenRequest, Told};
use crate::sources::folder::listing::{Entry, Listing, list_tree};
use crate::sources::folder::names;
use crate::sources::folder::walk::Walk;
use crate::{Skipped, audio};
use std::path::Path;
use strata_core::files::path_text;
use strata_core::format::{self, count};
use strata_core::project::data::{DataSpec, Source, Split};
use strata_core::project::help::Help;

/// A split of what lies in an archive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DescribedSplit {
    /// Which.
    pub split: Split,
    /// How many files it has.
    pub files: usize,
    /// How many of each class; empty where none has a class.
    pub per_class: Vec<usize>,
}

/// What an archive is as data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Described {
    /// The source that reads it once it is unpacked, and the `path` then.
    pub recognised: Recognised,
    /// The classes, where folders are.
    pub classes: Vec<String>,
    /// The splits as the folders have them, before any fraction is drawn.
    pub splits: Vec<DescribedSplit>,
    /// Files that are left out, with the reason.
    pub skipped: Vec<Skipped>,
    /// Hidden files and files of other kinds.
    pub passed_over: Vec<Skipped>,
    /// What is worth knowing.
    pub notes: Vec<Note>,
}

/// Describes what an archive holds; of `spec` the settings of folders count.
pub fn describe(contents: &Contents, spec: &DataSpec) -> Described {
    let archive = contents.archive.as_path();
    let files = || contents.members.iter().map(|member| member.path.as_path());
    let mut recognised = recognise_packed(archive, files(), spec.source);
    let folder = folder_beside(archive);
    if let Ok(inner) = recognised.path.strip_prefix(archive) {
        // Joined to nothing, a folder's name would end in a mark.
        recognised.path = match inner.as_os_str().is_empty() {
            true => folder,
            false => folder.join(inner),
        };
    }
    let mut told = Told::default();
    told.passed_over.extend(contents.left_out.iter().cloned());
    let wanted: Option<fn(&Path) -> bool> = match recognised.source {
        Source::Folder | Source::Eurosat => Some(image_file::is_named_like_one),
        Source::Wav => Some(audio::is_named_like_one),
        _ => None,
    };
    let mut listing = Listing {
        classes: Vec::new(),
        splits: Vec::new(),
        skipped: Vec::new(),
        has_splits: false,
    };
    if let Some(wanted) = wanted {
        let mut walk = Walk::new(wanted);
        let tree = walk.tree_of(archive, stem(archive), files());
        let mut progress = |_| true;
        let mut request = OpenRequest::listing(spec, archive, &mut told, &mut progress);
        match list_tree(&mut request, &tree, walk) {
            Ok(found) => listing = found,
            Err(error) => told.note(error.to_string()),
        }
    }
    if contents.members.is_empty() {
        told.note("there is no file in it that is unpacked");
    }
    told_of_names(contents, &mut told);
    told_of_archives(contents, &mut told);
    // What to do with archives in it was said.
    let others = listing.skipped.iter();
    let others = others.filter(|skipped| !Archive::is_named_like_one(&skipped.file));
    notes::of_others(&mut told, others);
    Described {
        recognised,
        splits: splits(&listing),
        classes: listing.classes,
        skipped: listing.skipped,
        passed_over: told.passed_over,
        notes: told.notes,
    }
}

/// Why a dataset cannot be opened whose `path` names an archive: what that holds, and that it is to be unpacked; where
/// that was done, the line that names the folder.
pub(crate) fn instead_of_a_folder(request: &mut OpenRequest) -> DataError {
    let archive = request.folder.clone();
    let mut go_on = |done: u64, total: u64| {
        let thousandth = |bytes: u64| (bytes / 1000) as usize;
        request
            .report("reading the archive", thousandth(done), thousandth(total))
            .is_ok()
    };
    let contents = match Contents::read(&archive, &mut go_on) {
        Ok(contents) => contents,
        Err(error) => return error.into(),
    };
    let described = describe(&contents, request.spec);
    if is_unpacked(&contents) {
        let folder = path_text(&described.recognised.path);
        let problem = format!(
            "this archive is unpacked in {} already",
            folder_beside(&archive).display()
        );
        let text = folder.replace('\\', "\\\\").replace('"', "\\\"");
        let help = Help::line(format!("path = \"{text}\""));
        return DataError::malformed(&archive, problem, help);
    }
    DataError::Packed {
        what: described.in_words(&contents),
        archive,
    }
}

impl Described {
    /// In a sentence.
    fn in_words(&self, contents: &Contents) -> String {
        let mut text = format!(
            "an archive of {} files, {} unpacked, recognised as {} ({})",
            count(contents.members.len() as u64),
            format::bytes(contents.bytes()),
            self.recognised.source,
            self.recognised.why
        );
        if !self.classes.is_empty() {
            let (number, names) = (self.classes.len(), names::some_of(&self.classes, 6));
            text += &format!("; {number} classes: {names}");
        }
        for split in &self.splits {
            text += &format!("; {} {}", split.split, count(split.files as u64));
        }
        text
    }
}

fn splits(listing: &Listing) -> Vec<DescribedSplit> {
    let of_split = |(split, entries): &(Split, Vec<Entry>)| {
        let is_labelled = entries.iter().any(|entry| entry.class.is_some());
        let mut per_class = vec![
            0;
            if is_labelled {
                listing.classes.len()
            } else {
                0
            }
        ];
        for class in entries.iter().filter_map(|entry| entry.class) {
            if let Some(files) = per_class.get_mut(class as usize) {
                *files += 1;
            }
        }
        DescribedSplit {
            split: *split,
            files: entries.len(),
            per_class,
        }
    };
    let splits = listing.splits.iter().map(of_split);
    splits.filter(|split| split.files > 0).collect()
}

fn told_of_names(contents: &Contents, told: &mut Told) {
    if contents.old_names > 0 {
        told.note(format!(
            "{} names in it are no UTF-8 and are read as code page 437: letters in class names may be others than meant",
            count(contents.old_names as u64)
        ));
    }
}

/// Archives in the archive.
fn told_of_archives(contents: &Contents, told: &mut Told) {
    let members = contents.members.iter();
    let inner: Vec<String> = members
        .filter(|member| Archive::is_named_like_one(&member.path))
        .map(|member| member.path.display().to_string())
        .collect();
    if let [first, ..] = inner.as_slice() {
        let inner_archive = folder_beside(&contents.archive).join(first);
        let inner_archive = inner_archive.display();
        let held = match inner.len() {
            1 => format!("an archive, {first}"),
            more => format!("{} archives, the first {first}", count(more as u64)),
        };
        told.note_on(
            format!(
                "it holds {held}: unpack it, then what is in it with strata data \"{inner_archive}\" --unpack"
            ),
            format!("it holds {held}: unpack it, then choose {inner_archive} with File…"),
        );
    }
}
