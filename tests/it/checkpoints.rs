//! Checkpoints that a stage keeps, new runs that go on from them, and runs that stop or die anywhere: the same bits and
//! the same files.

use crate::kit::runs::{
    assert_same, completed, metrics, options, stop_at, stopped, tiny, train, train_until,
};
use crate::kit::terminal::{code, err, strata};
use crate::kit::window::{classifier, open};
use std::path::{Path, PathBuf};
use std::process::{Command as Process, Stdio};
use std::time::{Duration, Instant};
use strata::app::action::{Action, Show};
use strata::engine::event::Event;
use strata::engine::storage::checkpoint;
use strata::engine::storage::record::{RunRecord, Status};
use strata::engine::storage::snapshots::Snapshots;
use strata::engine::thread::RunOptions;
use strata::project::{Project, file};

fn names(run: &Path) -> Vec<String> {
    strata::engine::storage::run_folder::checkpoints(run)
}

fn bytes(run: &Path, checkpoint: &str) -> Vec<u8> {
    std::fs::read(run.join(format!("checkpoints/{checkpoint}.safetensors"))).unwrap()
}

/// TINY with validation images, five epochs a stage, and checkpoints in the first.
fn kept(what: &str) -> Project {
    let setting = format!("epochs = 5\ncheckpoints = \"{what}\"\nbatch = 16\n[[stage]]");
    tiny(&[
        ("limit = 40", "limit = 40\nvalid = 0.2"),
        ("epochs = 2\nbatch = 16\n[[stage]]", &setting),
    ])
}

/// The epoch of a checkpoint.
fn epoch(run: &Path, name: &str) -> u32 {
    let file = run.join(format!("checkpoints/{name}.safetensors"));
    checkpoint::load(&file).unwrap().position.epoch
}

/// The epoch of a stage with the smallest loss on a split.
fn best_epoch(run: &Path, stage: &str, split: &str) -> u32 {
    let table = std::fs::read_to_string(run.join("metrics.csv")).unwrap();
    let rows = table
        .lines()
        .map(|line| line.split(',').collect::<Vec<_>>());
    let rows = rows.filter(|row| row[0] == stage && row[3] == split);
    let losses = rows.map(|row| (row[4].parse::<f64>().unwrap(), row[1].parse().unwrap()));
    losses.min_by(|a, b| a.0.total_cmp(&b.0)).unwrap().1
}

#[test]
fn a_stage_keeps_the_best_epoch_and_every_few() {
    let folder = tempfile::tempdir().unwrap();
    let run = folder.path().join("run");
    completed(train(&kept("best, every 2"), &options(&run)).0);
    let all = [
        "best",
        "last",
        "stage-1",
        "stage-1-epoch-2",
        "stage-1-epoch-4",
        "stage-2",
    ];
    assert_eq!(names(&run), all);
    for (name, of) in [
        ("stage-1-epoch-2", 2),
        ("stage-1-epoch-4", 4),
        ("stage-1", 5),
    ] {
        assert_eq!(epoch(&run, name), of);
    }
    assert_eq!(epoch(&run, "best"), best_epoch(&run, "images", "valid"));
    // The figures are those of a run that keeps none.
    let bare = folder.path().join("bare");
    let plain = tiny(&[
        ("limit = 40", "limit = 40\nvalid = 0.2"),
        (
            "epochs = 2\nbatch = 16\n[[stage]]",
            "epochs = 5\nbatch = 16\n[[stage]]",
        ),
    ]);
    completed(train(&plain, &options(&bare)).0);
    assert_eq!(metrics(&run), metrics(&bare));
    assert_eq!(names(&bare), ["last", "stage-1", "stage-2"]);
    // Without validation images the training images judge.
    let blind = folder.path().join("blind");
    let project = tiny(&[("loss = \"mse\"", "loss = \"mse\"\ncheckpoints = \"best\"")]);
    completed(train(&project, &options(&blind)).0);
    assert_eq!(
        epoch(&blind, "best"),
        best_epoch(&blind, "images", "unlabeled")
    );
    let told = strata(
        folder.path(),
        &["eval", "run", "--checkpoint", "stage-1-epoch-4"],
    );
    assert_eq!(code(&told), 0, "{}", err(&told));
}

#[test]
fn wrong_checkpoints_are_told() {
    let folder = tempfile::tempdir().unwrap();
    let told = strata(
        folder.path(),
        &[
            "check",
            "conv-autoencoder",
            "--set",
            "stage.0.checkpoints=worst",
        ],
    );
    assert!(
        code(&told) == 2 && err(&told).contains("write best, best restored, every 5"),
        "{}",
        err(&told)
    );
    let mut window = open(folder.path(), &classifier());
    window.enter("Checkpoints", "worst");
    assert!(window.has("is not known here or given twice"));
    window.enter("Checkpoints", "best, every 3");
    let kept = window.state().project().stages[0].checkpoints.unwrap();
    assert!(kept.best && kept.every == Some(3));
}

/// Three projects: two stages with validation and kept checkpoints; a sparse one with augmentation; one that stops early.
pub(crate) fn projects() -> [Project; 3] {
    let augmented = [
        (
            "limit = 40",
            "limit = 40\naugment = [\"hflip\", \"rotate 18\", \"noise 0.05\"]",
        ),
        (
            "optimizer = \"adam lr=3e-3\"",
            "optimizer = \"rmsprop lr=1e-3 momentum=0.5\"",
        ),
        (
            "optimizer = \"sgd lr=0.05",
            "checkpoints = \"every 1\"\noptimizer = \"sgd lr=0.05",
        ),
    ];
    let early = [
        ("limit = 40", "limit = 40\nvalid = 0.3"),
        (
            "epochs = 2\nbatch = 16\n[[stage]]",
            "epochs = 6\nearly_stop = { patience = 1 }\nbatch = 16\n[[stage]]",
        ),
    ];
    [kept("best, every 2"), tiny(&augmented), tiny(&early)]
}

/// All that two runs must have in common, snapshots included.
pub(crate) fn same(whole: &Path, run: &Path) {
    assert_same(whole, run);
    assert_eq!(names(whole), names(run));
    assert_eq!(Snapshots::read(whole), Snapshots::read(run));
}

#[test]
fn a_run_stopped_at_a_random_step_resumes_to_the_same_files() {
    let mut state = 20u64;
    // A small generator: the points are the same every time.
    let mut random = |below: u64| {
        state = state
            .wrapping_mul(6364136223846793005)
            .wrapping_add(1442695040888963407);
        (state >> 33) % below
    };
    for project in projects() {
        let folder = tempfile::tempdir().unwrap();
        let whole = folder.path().join("whole");
        completed(train(&project, &options(&whole)).0);
        let steps = RunRecord::read(&whole).unwrap().steps;
        for point in 0..5 {
            let run = folder.path().join(point.to_string());
            let first = 1 + random(steps);
            let second = 1 + random(steps);
            let resume = RunOptions {
                resume: true,
                ..options(&run)
            };
            stopped(train_until(&project, &options(&run), stop_at(first)).0);
            train_until(&project, &resume, stop_at(second));
            completed(train(&project, &resume).0);
            same(&whole, &run);
        }
    }
}

#[test]
fn a_run_killed_at_random_times_resumes_to_the_same_files() {
    let mut state = 9u64;
    let mut random = move |below: u64| {
        state = state
            .wrapping_mul(6364136223846793005)
            .wrapping_add(1442695040888963407);
        (state >> 33) % below
    };
    for project in projects() {
        let folder = tempfile::tempdir().unwrap();
        file::save(&project, &folder.path().join("p.toml")).unwrap();
        let start = |args: &[&str]| {
            Process::new(env!("CARGO_BIN_EXE_strata"))
                .env("STRATA_LOG", "off")
                .current_dir(folder.path())
                .args(args)
                .stdout(Stdio::null())
                .stderr(Stdio::piped())
                .spawn()
                .unwrap()
        };
        let began = Instant::now();
        let whole = start(&["train", "p.toml", "-o", "whole", "--device", "cpu"])
            .wait()
            .unwrap();
        assert!(whole.success());
        let time = began.elapsed().as_millis() as u64;
        for point in 0..5 {
            let name = format!("run-{point}");
            let mut running = start(&["train", "p.toml", "-o", &name, "--device", "cpu"]);
            std::thread::sleep(Duration::from_millis(random(time)));
            // SIGKILL: nothing of it can be caught.
            running.kill().ok();
            running.wait().unwrap();
            let run = folder.path().join(&name);
            let args: &[&str] = match run.exists() {
                true => &[
                    "train", "p.toml", "-o", &name, "--resume", "--device", "cpu",
                ],
                false => &["train", "p.toml", "-o", &name, "--device", "cpu"],
            };
            let resumed = start(args).wait_with_output().unwrap();
            let told = String::from_utf8_lossy(&resumed.stderr);
            assert!(resumed.status.success(), "{name}: {told}");
            same(&folder.path().join("whole"), &run);
        }
    }
}

fn copy_folder(from: &Path, to: &Path) {
    std::fs::create_dir(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let place = to.join(entry.file_name());
        match entry.path().is_dir() {
            true => copy_folder(&entry.path(), &place),
            false => drop(std::fs::copy(entry.path(), place).unwrap()),
        }
    }
}

#[test]
fn a_best_checkpoint_that_a_death_left_ahead_does_not_outlive_other_settings() {
    let folder = tempfile::tempdir().unwrap();
    let run = folder.path().join("run");
    let project = kept("best");
    let mut copies: Vec<PathBuf> = Vec::new();
    let (_sender, receiver) = crossbeam_channel::unbounded();
    let mut sink = |event: Event| {
        if let Event::Checkpoint { path } = &event
            && path.file_stem().is_some_and(|stem| stem == "best")
        {
            let copy = folder.path().join(format!("copy-{}", copies.len()));
            copy_folder(&run, &copy);
            copies.push(copy);
        }
    };
    let live = strata::engine::inspection::live::LiveResults::default();
    completed(strata::engine::run::run(
        &project,
        &options(&run),
        &receiver,
        &mut sink,
        &live,
    ));
    assert!(copies.len() > 1);
    let mut worse = project.clone();
    worse.stages[0].optimizer = "adam lr=0.5".parse().unwrap();
    for copy in copies {
        let resume = RunOptions {
            resume: true,
            ..options(&copy)
        };
        let outcome = train(&worse, &resume).0;
        completed(outcome);
        // The best is of an epoch that this run has trained, with the weights of that epoch.
        let last = checkpoint::load(&copy.join("checkpoints/stage-1.safetensors")).unwrap();
        let best = checkpoint::load(&copy.join("checkpoints/best.safetensors")).unwrap();
        assert!(best.position.epoch <= last.position.epoch);
        let best = best.position.watch.best.unwrap();
        let table = std::fs::read_to_string(copy.join("metrics.csv")).unwrap();
        let losses = table
            .lines()
            .filter(|line| line.starts_with("images,") && line.contains(",valid,"));
        let losses: Vec<f64> = losses
            .map(|line| line.split(',').nth(4).unwrap().parse().unwrap())
            .collect();
        assert!(losses.contains(&best), "{best} {losses:?}");
    }
}

#[test]
fn a_new_run_goes_on_from_any_checkpoint() {
    let folder = tempfile::tempdir().unwrap();
    let run = folder.path().join("runs/run");
    std::fs::create_dir(folder.path().join("runs")).unwrap();
    completed(train(&kept("best, every 2"), &options(&run)).0);
    let before = folder.path().join("before");
    copy_folder(&run, &before);
    for (name, again) in [("stage-1-epoch-2", "again"), ("stage-1", "later")] {
        let told = strata(
            folder.path(),
            &["train", "runs/run", "--checkpoint", name, "-o", again],
        );
        assert_eq!(code(&told), 0, "{}", err(&told));
        let again = folder.path().join(again);
        assert_eq!(metrics(&run), metrics(&again), "{name}");
        assert!(bytes(&run, "last") == bytes(&again, "last"), "{name}");
        assert_eq!(names(&run), names(&again), "{name}");
        assert_eq!(Snapshots::read(&run), Snapshots::read(&again));
        let parent = RunRecord::read(&again).unwrap().parent.unwrap();
        assert_eq!(
            (parent.run.as_path(), parent.checkpoint.as_str()),
            (run.as_path(), name)
        );
        let replayed = strata(folder.path(), &["replay", again.to_str().unwrap()]);
        assert_eq!(code(&replayed), 0, "{}", err(&replayed));
    }
    same(&before, &run);
    // With another setting, and beside the run where no folder is named.
    let args = [
        "train",
        "runs/run",
        "--checkpoint",
        "best",
        "--set",
        "stage.1.lr=1e-3",
    ];
    let told = strata(folder.path(), &args);
    assert_eq!(code(&told), 0, "{}", err(&told));
    assert!(folder.path().join("runs/tiny-1/run.json").exists());
    for (args, part) in [
        (
            vec!["train", "runs/run", "--checkpoint", "beste"],
            "has no checkpoint `beste`",
        ),
        (
            vec!["train", "conv-autoencoder", "--checkpoint", "best"],
            "needs a run's folder",
        ),
        (
            vec!["train", "runs/run", "--more-epochs", "2"],
            "needs --resume",
        ),
    ] {
        let told = strata(folder.path(), &args);
        assert!(
            code(&told) == 2 && err(&told).contains(part),
            "{}",
            err(&told)
        );
    }
}

#[test]
fn the_window_goes_on_from_a_checkpoint_and_from_earlier_weights() {
    let folder = tempfile::tempdir().unwrap();
    let mut project = classifier();
    project.stages[0].epochs = 4;
    project.stages[0].checkpoints = Some("every 2".parse().unwrap());
    let mut window = open(folder.path(), &project);
    window.train();
    let run = window.state().training.run.clone().unwrap();
    window.find("go on from stage 1 epoch 2");
    window.wait("the end", |state| !state.training.is_running());
    let again = window.state().training.run.clone().unwrap();
    assert_ne!(run, again);
    assert!(bytes(&run, "last") == bytes(&again, "last"));
    assert_eq!(window.state().training.curves.steps(), 16);
    let steps: Vec<f64> = window
        .state()
        .training
        .curves
        .loss
        .raw
        .points()
        .map(|[step, _]| step)
        .collect();
    assert_eq!(steps.len(), 16, "its curves begin with those of the other");
    let early = window.state().training.snapshots.steps[2];
    window
        .harness
        .state_mut()
        .handle(Action::Show(Show::At(Some(early))));
    window.run();
    window.keep_picture("checkpoints/go-on-from-here");
    window.click("Go on from here");
    window.wait("the end", |state| !state.training.is_running());
    let third = window.state().training.run.clone().unwrap();
    let record = RunRecord::read(&third).unwrap();
    assert_eq!((record.status, record.steps), (Status::Completed, 16));
    assert_eq!(record.parent.unwrap().step, early);
    assert!(
        bytes(&third, "last") != bytes(&again, "last"),
        "Adam began anew"
    );
    let told = strata(folder.path(), &["replay", third.to_str().unwrap()]);
    assert_eq!(code(&told), 0, "{}", err(&told));
}
