//! Files of a run as they should not be: project, record, tables and checkpoints, cut, overwritten and mixed. Each is read
//! or refused with one message that names the run, whoever asks: evaluation, curves, the report, a run that goes on. And
//! the files that the window keeps.

use super::alone;
use super::mutator::{Mutator, count, seed};
use super::trials::{Trials, assert_none};
use rand::RngCore;
use std::path::{Path, PathBuf};
use strata::app::persistence::{Persistence, last_placement};
use strata::app::placement::Placement;
use strata::app::remembered::Remembered;
use strata::app::state::State;
use strata::app::store::Store;
use strata::engine::event::Outcome;
use strata::engine::inspection::live::LiveResults;
use strata::engine::run::run;
use strata::engine::storage::metrics_read::{each_step, epoch_figures, measurements};
use strata::engine::storage::record::RunRecord;
use strata::engine::storage::saved_run::SavedRun;
use strata::engine::thread::RunOptions;
use strata::export::report;
use strata::project::data::Split;
use strata::project::{Project, builtin, file};
use strata::rng::{Purpose, stream};

/// Two stages with all that is remembered: batch norm, Adam, momentum, the best epoch.
const PROJECT: &str = r#"
format = 1
title = "tiny"
seed = 5
[data]
source = "shapes"
resize = [16, 16]
limit = 20
valid = 0.2
[network]
input = "3x16x16"
encoder = ["conv 4 k3 s2 p1", "bn", "relu"]
decoder = ["convt 3 k4 s2 p1", "sigmoid"]
head = ["flatten", "dropout 0.3", "dense 10"]
[[stage]]
name = "images"
task = "reconstruct"
loss = "mse"
optimizer = "adam lr=3e-3"
sparsity = "rho=0.1 beta=1e-3"
early_stop = { patience = 9 }
epochs = 2
batch = 8
[[stage]]
name = "labels"
task = "classify"
loss = "cross-entropy"
optimizer = "sgd lr=0.05 momentum=0.9 nesterov"
epochs = 1
batch = 8
"#;
/// Of so many cases one is trained on.
const RESUMED: u64 = 10;
/// More epochs than this are not trained for: the file asks for them, and would get them.
const MOST_EPOCHS: u32 = 4;

fn train(project: &Project, folder: &Path, resume: bool) -> Outcome {
    let options = RunOptions {
        run: Some(folder.to_owned()),
        device: Some("cpu".into()),
        loaders: Some(1),
        // One more of the last stage.
        epochs: resume.then_some(2),
        resume,
        ..RunOptions::default()
    };
    let (_sender, commands) = crossbeam_channel::unbounded();
    let live = LiveResults::default();
    run(project, &options, &commands, &mut |_| {}, &live)
}

/// A run and every file of it, the largest last.
fn trained(folder: &Path) -> (PathBuf, Vec<(PathBuf, Vec<u8>)>) {
    let run = folder.join("run");
    let project = file::parse(PROJECT, "tiny.toml").unwrap();
    assert!(matches!(
        train(&project, &run, false),
        Outcome::Completed(_)
    ));
    let mut files = Vec::new();
    for inside in ["", "checkpoints"] {
        let entries = std::fs::read_dir(run.join(inside)).unwrap();
        let paths = entries.map(|entry| entry.unwrap().path());
        files.extend(paths.filter(|path| path.is_file()));
    }
    let read = |path: PathBuf| {
        let bytes = std::fs::read(&path).unwrap();
        (path, bytes)
    };
    let mut files: Vec<(PathBuf, Vec<u8>)> = files.into_iter().map(read).collect();
    files.sort_by_key(|(path, bytes)| (bytes.len(), path.clone()));
    (run, files)
}

/// What is asked of a run that is there; what is refused.
fn read(run: &Path, folder: &Path) -> Vec<String> {
    let mut messages = Vec::new();
    for checkpoint in ["last", "best"] {
        match SavedRun::open(run, checkpoint, Some("cpu"), &mut |_| true) {
            Ok(mut saved) => {
                let evaluated = saved.evaluate(Split::Valid);
                messages.extend(evaluated.err().map(|error| error.to_string()));
            }
            Err(error) => messages.push(error.to_string()),
        }
    }
    each_step(run, |_| {});
    epoch_figures(&measurements(run));
    // It is told where it is asked for, with the run's name.
    drop(RunRecord::read(run));
    match report::write_stored(run, &folder.join("report.html")) {
        Ok(missing) => messages.extend(missing),
        Err(error) => messages.push(error.to_string()),
    }
    messages
}

/// The run goes on, in a copy; what stops it.
fn resumed(run: &Path, folder: &Path) -> Vec<String> {
    let copy = folder.join("again");
    copy_folder(run, &copy);
    let outcome = match file::load(&copy.join("project.toml")) {
        Ok(project) if is_quick(&project) => train(&project, &copy, true),
        Ok(_) => Outcome::Stopped(Default::default()),
        Err(error) => {
            std::fs::remove_dir_all(&copy).unwrap();
            return vec![error.to_string()];
        }
    };
    std::fs::remove_dir_all(&copy).unwrap();
    match outcome {
        Outcome::Completed(_) | Outcome::Stopped(_) => Vec::new(),
        Outcome::Failed(failure) => {
            assert!(!failure.message.contains("a defect"), "{}", failure.message);
            vec![failure.message]
        }
    }
}

/// Whether a damaged project asks for no more than the good one.
fn is_quick(project: &Project) -> bool {
    let good = file::parse(PROJECT, "tiny.toml").unwrap();
    let epochs: u32 = project
        .stages
        .iter()
        .fold(0, |sum, stage| sum.saturating_add(stage.epochs));
    project.network == good.network && project.data == good.data && epochs <= MOST_EPOCHS
}

fn copy_folder(from: &Path, to: &Path) {
    std::fs::create_dir(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let place = to.join(path.file_name().unwrap());
        match path.is_dir() {
            true => copy_folder(&path, &place),
            false => drop(std::fs::copy(&path, place).unwrap()),
        }
    }
}

/// A version of a file: of texts by words and lines, of others by bytes.
fn changed(mutator: &mut Mutator<impl RngCore>, bytes: &[u8], other: &[u8]) -> Vec<u8> {
    match (std::str::from_utf8(bytes), std::str::from_utf8(other)) {
        (Ok(text), Ok(other)) => mutator.mutate_text(text, other),
        (Ok(text), Err(_)) => mutator.mutate_text(text, text),
        (Err(_), _) => mutator.mutate(bytes, other),
    }
}

/// So many versions of every file of a run.
fn try_runs(cases: u64) {
    let _alone = alone();
    let folder = tempfile::tempdir().unwrap();
    let (run, files) = trained(folder.path());
    assert_eq!(read(&run, folder.path()), Vec::<String>::new());
    assert_eq!(resumed(&run, folder.path()), Vec::<String>::new());
    let mut failures = Vec::new();
    for (number, (path, bytes)) in files.iter().enumerate() {
        let name = path.strip_prefix(&run).unwrap().display().to_string();
        // What its project says needs no name: it is that of the run that was asked for.
        let named = if name == "project.toml" { "" } else { "run" };
        let (mut reading, mut resuming) = (Trials::default(), Trials::default());
        for case in 0..cases {
            let mut mutator = Mutator {
                rng: stream(seed(), Purpose::Probe, (number as u64 + 2) << 56 | case),
            };
            let other = &files[mutator.below(files.len())].1;
            std::fs::write(path, changed(&mut mutator, bytes, other)).unwrap();
            let what = format!("{name} {case}");
            reading.trial(&what, named, &mut || read(&run, folder.path()));
            if case % RESUMED == 0 {
                resuming.trial(&what, "", &mut || resumed(&run, folder.path()));
            }
        }
        std::fs::write(path, bytes).unwrap();
        reading.tell(&format!("{name} read"));
        resuming.tell(&format!("{name} gone on with"));
        failures.extend([reading.failures, resuming.failures].concat());
    }
    assert_eq!(read(&run, folder.path()), Vec::<String>::new());
    assert_none(&failures);
}

/// What a window says of the files it kept when it starts.
fn started(folder: &Path) -> Vec<String> {
    last_placement(Some(folder));
    let mut state = first_state();
    drop(Persistence::new(
        Store::new(Some(folder.to_owned())),
        &mut state,
    ));
    let shown = state.messages.lasting().map(|message| message.text.clone());
    shown.collect()
}

fn first_state() -> State {
    let project = builtin::find("conv-autoencoder")
        .unwrap()
        .project()
        .unwrap();
    State::new(project, None)
}

/// So many versions of every file that a window keeps.
fn try_window(cases: u64) {
    let _alone = alone();
    let folder = tempfile::tempdir().unwrap();
    let state = first_state();
    let files = [
        (
            "window.json",
            Remembered::of(&state, Placement::default()).to_text(),
        ),
        ("views.json", state.arrangements.to_text()),
        ("recent.json", state.recents.to_text()),
        ("unsaved/0.toml", format!("# file: /tmp/p.toml\n{PROJECT}")),
    ];
    std::fs::create_dir(folder.path().join("unsaved")).unwrap();
    let mut failures = Vec::new();
    for (number, (name, text)) in files.iter().enumerate() {
        let mut trials = Trials::default();
        for case in 0..cases {
            let mut mutator = Mutator {
                rng: stream(seed(), Purpose::Probe, (number as u64 + 100) << 40 | case),
            };
            let other = &files[mutator.below(files.len())].1;
            let changed = mutator.mutate_text(text, other);
            std::fs::write(folder.path().join(name), changed).unwrap();
            let part = name.split_once('.').map_or(*name, |(stem, _)| stem);
            trials.trial(&format!("{name} {case}"), part, &mut || {
                started(folder.path())
            });
        }
        std::fs::write(folder.path().join(name), text).unwrap();
        trials.tell(&format!("{name} at the start of a window"));
        failures.extend(trials.failures);
    }
    assert_none(&failures);
}

#[test]
fn damaged_files_of_the_window_stop_no_window() {
    try_window(60);
}

#[test]
#[ignore = "takes minutes"]
fn long_damaged_files_of_the_window_stop_no_window() {
    try_window(count(10_000));
}

#[test]
fn damaged_files_of_a_run_are_refused_in_words_or_read() {
    try_runs(5);
}

/// `STRATA_MUTATION_SEED=7 cargo test --test heap long_damaged_files_of_a_run -- --ignored --nocapture`
#[test]
#[ignore = "takes many minutes"]
fn long_damaged_files_of_a_run_are_refused_in_words_or_read() {
    try_runs(count(1_000));
}
