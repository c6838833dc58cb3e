//! Data as people have them: what each layout of `docs/layouts.md` is recognised as.

mod archives;
mod arrays;
mod containers;
mod files;
mod folders;
mod tables;
mod volumes;

use super::made::{open, spec};
use crate::archive::{Archive, Contents, describe, unpack};
use crate::{DataError, Dataset};
use archives::ARCHIVES;
use arrays::{ARRAYS, IDX};
use containers::{HDF5, PARQUET};
use files::make;
use folders::FOLDERS;
use std::path::Path;
use strata_core::project::data::{DataSpec, Source};
use tables::TABLES;
use tempfile::TempDir;
use volumes::VOLUMES;

/// A layout: its name in the document, its files, where to point at, and what it is.
struct Layout {
    name: &'static str,
    files: &'static [&'static str],
    at: &'static str,
    source: Source,
    /// Lines of `[data]`.
    lines: &'static [&'static str],
    /// Classes and splits, then parts of notes.
    is: &'static str,
    says: &'static [&'static str],
}

const FOLDER: Layout = Layout {
    name: "",
    files: &[],
    at: "",
    source: Source::Folder,
    lines: &[],
    is: "",
    says: &[],
};

fn spec_of(layout: &Layout, root: &Path) -> DataSpec {
    // A fraction of the project's own would draw the layout's own `valid` anew.
    let has_valid = layout.is.contains("valid ");
    let mut data = DataSpec {
        valid: (!has_valid).then_some(0.0),
        ..spec(layout.source, &root.join(layout.at))
    };
    for line in layout.lines {
        data = data.with_line(line).unwrap_or_else(|| panic!("{line}"));
    }
    assert_eq!(data.idle(), [], "{}", layout.name);
    data
}

/// Classes and splits; the shape where it is asked for.
fn summary(dataset: &Dataset, with_shape: bool) -> String {
    let splits: Vec<String> = dataset
        .splits()
        .map(|(split, data)| format!("{split} {}", data.len()))
        .collect();
    let mut text = match dataset.classes() {
        [] => splits.join(", "),
        classes => format!("{}: {}", classes.join(", "), splits.join(", ")),
    };
    if with_shape {
        let dims = dataset.input_dims().into_iter();
        let shape: Vec<String> = dims.map(|size| size.to_string()).collect();
        text += &format!(" of {}", shape.join("x"));
    }
    text
}

/// All that is said besides classes and splits.
fn said(dataset: &Dataset) -> String {
    let notes = dataset.notes().iter().map(|note| note.to_string());
    let files = dataset.skipped().iter().chain(dataset.passed_over());
    let files = files.map(|skipped| format!("{}: {}", skipped.file.display(), skipped.reason));
    notes.chain(files).collect::<Vec<String>>().join("\n")
}

fn all() -> impl Iterator<Item = &'static Layout> {
    let folders = FOLDERS.iter().chain(&TABLES);
    folders
        .chain(&ARRAYS)
        .chain(&HDF5)
        .chain(&PARQUET)
        .chain(&IDX)
        .chain(&ARCHIVES)
        .chain(&VOLUMES)
}

#[test]
fn every_layout_is_recognised() {
    let mut wrong = Vec::new();
    for layout in all() {
        let root: TempDir = tempfile::tempdir().unwrap();
        let mut number = 0;
        layout
            .files
            .iter()
            .for_each(|file| make(root.path(), file, &mut number));
        let mut data = spec_of(layout, root.path());
        let mut described = String::new();
        if Archive::by_name(Path::new(layout.at)).is_some() {
            let contents = Contents::read(&root.path().join(layout.at), &mut |_, _| true).unwrap();
            let found = describe(&contents, &data);
            assert_eq!(found.recognised.source, layout.source, "{}", layout.name);
            assert_eq!(found.splits.is_empty(), layout.source != Source::Folder);
            let reasons = found
                .passed_over
                .iter()
                .map(|skipped| skipped.reason.clone());
            described = reasons.collect::<Vec<String>>().join("\n");
            unpack(&contents, &mut |_, _| true).unwrap();
            data.path = Some(found.recognised.path.display().to_string());
        }
        let dataset: Result<Dataset, DataError> = open(&data);
        match dataset {
            Err(error) => wrong.push(format!("{}: {error}", layout.name)),
            Ok(dataset) => {
                let is = summary(&dataset, layout.is.contains(" of "));
                let said = said(&dataset) + "\n" + &described;
                if is != layout.is {
                    wrong.push(format!("{}: {is}, not {}\n{said}", layout.name, layout.is));
                }
                for part in layout.says {
                    if !said.contains(part) {
                        wrong.push(format!("{}: {part} is missing in\n{said}", layout.name));
                    }
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

#[test]
fn the_document_has_every_layout() {
    let document = include_str!("../../../docs/layouts.md");
    let (read, _written) = document.split_once("\n## What leaves").unwrap();
    let rows = read
        .lines()
        .filter(|line| line.starts_with("| ") && !line.starts_with("| layout"));
    let names: Vec<&str> = rows
        .map(|row| row.trim_start_matches("| ").split(" | ").next().unwrap())
        .collect();
    for layout in all() {
        assert!(names.contains(&layout.name), "{} is missing", layout.name);
    }
    assert_eq!(names.len(), all().count());
    assert!(names.len() >= 40);
}
