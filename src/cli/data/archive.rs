//! `strata data FILE.zip`: what an archive holds, from its directory; `--unpack` unpacks it beside itself, with a bar.
//! Ctrl-C ends that and keeps what was unpacked. Fails as [`strata_data::archive`] does.

use super::describe;
use super::fetch::{INTERRUPTED, stop_flag};
use super::name::DataName;
use crate::cli::args::DataArgs;
use crate::cli::progress;
use crate::cli::text::{left, right};
use crate::cli::{Told, output};
use serde_json::{Map, Value, json};
use std::path::Path;
use std::sync::atomic::Ordering::SeqCst;
use strata_core::files::path_text;
use strata_core::format::{self, count};
use strata_core::project::data::{DataSpec, Source};
use strata_data::archive::{
    ArchiveError, Contents, Described, DescribedSplit, describe as describe_contents,
    folder_beside, is_unpacked, unpack,
};
use strata_data::{Recognised, recognise};

/// Files named in the text where no classes are known.
const MOST_FILES: usize = 12;

/// Prints what an archive holds; or unpacks it, and gives what lies in its folder.
pub fn run(args: &DataArgs, archive: &Path) -> anyhow::Result<Option<Recognised>> {
    let (bar, stopped) = (
        progress::bar("{msg} [{bar:24}] {bytes} of {total_bytes}"),
        stop_flag(),
    );
    let mut go_on = |done: u64, total: u64| {
        bar.set_length(total);
        bar.set_position(done);
        !stopped.load(SeqCst)
    };
    bar.set_message("reading the directory");
    let contents = Contents::read(archive, &mut go_on);
    let unpacked = contents.and_then(|contents| {
        if args.unpack {
            bar.set_message("unpacking");
            let unpacked = unpack(&contents, &mut go_on)?;
            return Ok((contents, Some(unpacked)));
        }
        Ok((contents, None))
    });
    bar.finish_and_clear();
    let (contents, unpacked) = match unpacked {
        Err(ArchiveError::Cancelled) => {
            output::say("stopped; what was unpacked is kept, and --unpack goes on from there");
            return Err(Told(INTERRUPTED).into());
        }
        unpacked => unpacked?,
    };
    if let Some(unpacked) = unpacked {
        if let Some(aside) = &unpacked.set_aside {
            let aside = aside.display();
            output::say(&format!("what was in the way, incomplete, is now {aside}"));
        }
        output::say(&format!("unpacked into {}", unpacked.folder.display()));
        return Ok(Some(found_in(args, &unpacked.folder)));
    }
    let spec = DataSpec {
        source: named(args).unwrap_or_default(),
        ..DataSpec::default()
    };
    let described = describe_contents(&contents, &spec);
    match args.json {
        true => output::print_json(&as_json(&contents, &described))?,
        false => output::print(&as_text(&contents, &described))?,
    }
    Ok(None)
}

fn named(args: &DataArgs) -> Option<Source> {
    match &args.name {
        DataName::Source(source) => Some(*source),
        DataName::Path(_) => None,
    }
}

/// What lies in a folder; a source that was named stays.
fn found_in(args: &DataArgs, folder: &Path) -> Recognised {
    let recognised = recognise(folder, named(args).unwrap_or_default());
    match named(args) {
        Some(source) if source != recognised.source => Recognised {
            source,
            why: "named so".to_owned(),
            path: folder.to_path_buf(),
        },
        _ => recognised,
    }
}

/// The settings once it is unpacked.
fn settings(described: &Described) -> Vec<String> {
    describe::settings(&DataSpec {
        source: described.recognised.source,
        path: Some(path_text(&described.recognised.path)),
        ..DataSpec::default()
    })
}

fn command(contents: &Contents) -> String {
    format!("strata data \"{}\" --unpack", contents.archive.display())
}

fn as_json(contents: &Contents, described: &Described) -> Value {
    let of_split = |split: &DescribedSplit| {
        let value = json!({ "images": split.files, "labelled": !split.per_class.is_empty(), "per_class": split.per_class });
        (split.split.name().to_owned(), value)
    };
    json!({
        "archive": {
            "file": path_text(&contents.archive),
            "files": contents.members.len(),
            "bytes": contents.bytes(),
            "folder": path_text(&folder_beside(&contents.archive)),
            "is_unpacked": is_unpacked(contents),
            "unpack": command(contents),
        },
        "source": described.recognised.source.name(),
        "why": described.recognised.why,
        "settings": settings(described),
        "classes": described.classes,
        "splits": Value::Object(described.splits.iter().map(of_split).collect::<Map<_, _>>()),
        "skipped": describe::files_json(&described.skipped),
        "passed_over": describe::files_json(&described.passed_over),
        "notes": describe::notes_json(&described.notes),
    })
}

fn as_text(contents: &Contents, described: &Described) -> String {
    let bytes = format::bytes(contents.bytes());
    let files = count(contents.members.len() as u64);
    let mut lines = vec![
        format!("an archive of {files} files, {bytes} unpacked"),
        format!(
            "recognised as {}: {}",
            described.recognised.source, described.recognised.why
        ),
    ];
    if !described.classes.is_empty() {
        let (number, names) = (described.classes.len(), described.classes.join(", "));
        let what = if number == 1 { "class" } else { "classes" };
        lines.push(format!("{number} {what}: {names}"));
    }
    for split in &described.splits {
        let is_labelled = !split.per_class.is_empty();
        let labels = if is_labelled {
            "labelled"
        } else {
            "without labels"
        };
        let files = right(&count(split.files as u64), 9);
        lines.push(format!(
            "{}  {files}  {labels}",
            left(split.split.name(), 9)
        ));
        if is_labelled {
            lines.extend(describe::balance(&described.classes, &split.per_class));
        }
    }
    if described.splits.is_empty() {
        lines.extend(members(contents));
    }
    lines.extend(describe::left_out(
        &described.skipped,
        &described.passed_over,
        &described.notes,
    ));
    let folder = folder_beside(&contents.archive);
    lines.push(match is_unpacked(contents) {
        true => format!("all of it is unpacked in {}", folder.display()),
        false => format!(
            "to unpack it into {}: {}",
            folder.display(),
            command(contents)
        ),
    });
    lines.extend(describe::in_a_project(&settings(described)));
    lines.join("\n")
}

/// The first files with their sizes.
fn members(contents: &Contents) -> Vec<String> {
    let shown = contents.members.iter().take(MOST_FILES);
    let mut lines: Vec<String> = shown
        .map(|member| {
            let size = right(&format::bytes(member.bytes), 10);
            format!("{size}  {}", member.path.display())
        })
        .collect();
    let more = contents.members.len().saturating_sub(MOST_FILES);
    if more > 0 {
        lines.push(format!("and {} more", count(more as u64)));
    }
    lines
}
