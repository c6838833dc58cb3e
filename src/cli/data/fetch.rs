//! `strata data NAME --fetch`: downloads a dataset, with a bar; and what is there of it. Ctrl-C ends the
//! download and keeps what was received. Fails as [`strata_data::download`] does.

use crate::cli::args::DataArgs;
use crate::cli::{Told, WRONG_INPUT, WrongInput, output};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use strata_core::format;
use strata_core::project::data::Source;
use strata_core::{logging, signals};
use strata_data::DataError;
use strata_data::download::{
    DownloadError, Entry, Fetched, Found, Options, Step, Survey, Told as Far, default_folder,
    entry, fetch, survey,
};

/// Exit code of a program ended by Ctrl-C.
pub const INTERRUPTED: u8 = 130;

/// Downloads what is missing; returns the folder to read.
pub fn run(source: Source, path: Option<&str>) -> anyhow::Result<PathBuf> {
    let Some(entry) = entry(source) else {
        let message = format!("source {source} has nothing to download; point --path at its files");
        return Err(WrongInput(message).into());
    };
    let folder = folder(&entry, path)?;
    let (bar, stopped) = (bar(&entry), stop_flag());
    let result = fetch(&entry, &folder, &Options::default(), &mut |far| {
        show(&bar, far);
        !stopped.load(SeqCst)
    });
    bar.finish_and_clear();
    match result {
        Ok(fetched) => {
            told(&fetched, &folder);
            Ok(fetched.path)
        }
        Err(DownloadError::Cancelled) => {
            output::say(&format!(
                "stopped; what was received is kept in {}",
                folder.display()
            ));
            Err(Told(INTERRUPTED).into())
        }
        Err(error) => Err(error.into()),
    }
}

/// Where to look unless a folder is given: the usual folder, if all of the dataset is there.
pub fn usual_path(source: Source) -> Option<PathBuf> {
    let entry = entry(source)?;
    let folder = default_folder(&entry.name)?;
    survey(&entry, &folder)
        .is_complete()
        .then(|| entry.project_path(&folder))
}

/// What is there of a source and how to get the rest, for one whose files are not all there; the exit code says which.
pub fn missing(
    args: &DataArgs,
    source: Source,
    path: Option<&str>,
    why: &DataError,
) -> Option<anyhow::Result<()>> {
    let entry = entry(source)?;
    output::fail(&why.to_string());
    let folder = folder(&entry, path).ok()?;
    let survey = survey(&entry, &folder);
    let command = match path {
        Some(path) => format!("strata data {source} --path {path} --fetch"),
        None => format!("strata data {source} --fetch"),
    };
    let printed = match args.json {
        true => output::print_json(&survey_json(&entry, &survey, &command)),
        false => output::print(&survey_text(&entry, &survey, &command)),
    };
    Some(printed.and(Err(Told(WRONG_INPUT).into())))
}

fn folder(entry: &Entry, path: Option<&str>) -> Result<PathBuf, WrongInput> {
    if let Some(path) = path {
        return Ok(entry.folder_of(Path::new(path)));
    }
    let unknown = || {
        WrongInput(
            "no home folder is known to put the files into; say where with --path".to_owned(),
        )
    };
    default_folder(&entry.name).ok_or_else(unknown)
}

/// Set by the first Ctrl-C; the second ends the program.
pub fn stop_flag() -> Arc<AtomicBool> {
    let stopped = Arc::<AtomicBool>::default();
    let flag = stopped.clone();
    let result = signals::on_end_request(move || {
        if flag.swap(true, SeqCst) {
            log::warn!("ended by a second Ctrl-C");
            logging::flush();
            std::process::exit(INTERRUPTED.into());
        }
    });
    if let Err(error) = result {
        output::warn(&[format!(
            "Ctrl-C will end the program without a word: {error}"
        )]);
    }
    stopped
}

fn bar(entry: &Entry) -> ProgressBar {
    let bar = ProgressBar::with_draw_target(Some(entry.bytes()), ProgressDrawTarget::stderr());
    let style = ProgressStyle::with_template(
        "{msg} [{bar:24}] {bytes} of {total_bytes}  {bytes_per_sec}  {eta} left",
    );
    bar.set_style(
        style
            .unwrap_or_else(|_| ProgressStyle::default_bar())
            .progress_chars("━╸─"),
    );
    bar
}

fn show(bar: &ProgressBar, far: &Far) {
    if far.step == Step::Downloading {
        bar.set_position(far.done);
    }
    bar.set_message(format!("{} {}", far.step.name(), far.file));
}

fn told(fetched: &Fetched, folder: &Path) {
    for aside in &fetched.set_aside {
        output::say(&format!(
            "what was in the way, incomplete or with wrong bytes, is now {}",
            aside.display()
        ));
    }
    match fetched.new.as_slice() {
        [] => output::say(&format!("all of it is in {} already", folder.display())),
        new => output::say(&format!(
            "fetched {} into {}",
            new.join(", "),
            folder.display()
        )),
    }
    output::say(&format!(
        "in a project: path = \"{}\"",
        fetched.path.display()
    ));
}

fn survey_text(entry: &Entry, survey: &Survey, command: &str) -> String {
    let mut lines = vec![format!(
        "{} is not complete in {}",
        entry.name,
        survey.folder.display()
    )];
    for state in &survey.files {
        let (file, size) = (&state.file, format::bytes(state.file.bytes));
        lines.push(format!(
            "  {}  {size}  {}",
            file.name,
            state.found.describe()
        ));
        if state.found != Found::Complete {
            lines.push(format!("    {}", file.sum));
            lines.extend(
                file.addresses
                    .iter()
                    .map(|address| format!("    {address}")),
            );
        }
    }
    lines.push(format!("download it with: {command}"));
    lines.push("or put the files there by hand, from the addresses above".to_owned());
    lines.join("\n")
}

fn survey_json(entry: &Entry, survey: &Survey, command: &str) -> Value {
    let file = |state: &strata_data::download::FileState| {
        json!({
            "name": state.file.name,
            "bytes": state.file.bytes,
            (state.file.sum.name()): state.file.sum.digits(),
            "addresses": state.file.addresses,
            "complete": state.found == Found::Complete,
            "state": state.found.describe(),
        })
    };
    json!({
        "source": entry.name,
        "folder": survey.folder,
        "complete": survey.is_complete(),
        "files": survey.files.iter().map(file).collect::<Vec<_>>(),
        "fetch": command,
    })
}
