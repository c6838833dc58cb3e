//! Sweeps whole: trained alone, side by side, in parts and after kills, with the same tables and the same bits.

use crate::kit::runs::{assert_same, completed, options, tiny, train};
use crate::kit::terminal::{code, err, json, out, strata};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;
use std::time::{Duration, Instant};
use strata::project::{Project, file};
use strata::sweep::table::RunRow;
use strata::sweep::work::{News, Options, Stop, work};
use strata::sweep::{Standing, SweepFolder, Table};

/// Four classes' worth of shapes on a network that trains in a moment, with factors of every kind.
const SWEPT: &str = r#"
format = 1
title = "swept"
seed = 5
[data]
source = "shapes"
resize = [12, 12]
range = [-1, 1]
limit = 48
valid = 0.25
[network]
input = "3x12x12"
encoder = [{ repeat = 1, layers = ["conv 4 k3 same", "relu", "maxpool 2"] }]
head = ["flatten", "dropout 0.2", "dense 10"]
[[stage]]
name = "labels"
task = "classify"
loss = "cross-entropy"
optimizer = "sgd lr=0.05 momentum=0.9"
epochs = 2
batch = 12
"#;

fn swept(sweep: &str) -> String {
    format!("{SWEPT}[sweep]\n{sweep}\n")
}

/// A folder with the project as `p.toml`.
pub(crate) fn folder(sweep: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("p.toml"), swept(sweep)).unwrap();
    folder
}

pub(crate) fn tables(sweep: &Path) -> [String; 2] {
    ["table.csv", "runs.csv"].map(|name| std::fs::read_to_string(sweep.join(name)).unwrap())
}

pub(crate) fn start(folder: &Path, args: &[&str]) -> Child {
    Command::new(env!("CARGO_BIN_EXE_strata"))
        .env("STRATA_LOG", "off")
        .env("RAYON_NUM_THREADS", "1")
        .current_dir(folder)
        .args(args)
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

pub(crate) fn finished(child: Child) {
    let output = child.wait_with_output().unwrap();
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{told}");
}

/// Waits until a run of the sweep is being trained.
fn until_a_run_is_begun(sweep: &Path) {
    let limit = Instant::now() + Duration::from_secs(60);
    let is_begun = || {
        let runs = std::fs::read_dir(sweep.join("runs"))
            .into_iter()
            .flatten()
            .flatten();
        runs.into_iter()
            .any(|run| run.path().join("run.json").exists())
    };
    while !is_begun() && Instant::now() < limit {
        std::thread::sleep(Duration::from_millis(5));
    }
}

const GRID: &str = "seeds = 2\nencoder.0.layers.0.kernel_size = [2, 3]\nencoder.0.repeat = [1, 2, 4]\n\
     stage.0.momentum = [0, \"0.9 nesterov\"]";

#[test]
fn four_parts_one_of_them_killed_give_the_table_of_one_process() {
    let folder = folder(GRID);
    let path = |name: &str| folder.path().join(name);
    let whole = strata(
        folder.path(),
        &["sweep", "p.toml", "-o", "whole", "--jobs", "1"],
    );
    assert_eq!(code(&whole), 0, "{}", err(&whole));
    let mut killed = start(
        folder.path(),
        &["sweep", "p.toml", "-o", "part-1", "--shard", "1/4"],
    );
    until_a_run_is_begun(&path("part-1"));
    // SIGKILL: nothing of it can be caught.
    killed.kill().unwrap();
    killed.wait().unwrap();
    for part in 1..=4 {
        let (into, shard) = (format!("part-{part}"), format!("{part}/4"));
        finished(start(
            folder.path(),
            &["sweep", "p.toml", "-o", &into, "--shard", &shard],
        ));
    }
    let parts = [
        "sweep", "--merge", "part-1", "part-2", "part-3", "part-4", "-o", "merged",
    ];
    let merged = strata(folder.path(), &parts);
    assert_eq!(code(&merged), 0, "{}", err(&merged));
    assert_eq!(tables(&path("whole")), tables(&path("merged")));
    // Twelve trials, of which the four with four blocks do not fit.
    let table = Table::read(&path("merged")).unwrap();
    assert_eq!(table.count(Standing::Completed), 8);
    assert_eq!(table.count(Standing::DoesNotFit), 4);
    assert!(table.is_done());
    let trained: Vec<&RunRow> = table.trials.iter().flat_map(|row| &row.runs).collect();
    for run in trained
        .iter()
        .filter(|run| run.standing == Standing::Completed)
    {
        let own = run.folder.as_ref().unwrap();
        assert_same(&path("whole/runs").join(&run.name), own);
    }
    // What is merged is a sweep like all others: there is nothing left to do.
    let again = strata(folder.path(), &["sweep", "merged", "--json"]);
    assert_eq!(json(&again)["trials"].as_array().unwrap().len(), 12);
}

#[test]
fn side_by_side_and_after_kills_the_bits_are_those_of_a_run_alone() {
    let folder = folder("stage.0.lr = [0.01, 0.05, 0.1]\nencoder.0.layers.0.filters = [3, 5]");
    let path = |name: &str| folder.path().join(name);
    for _ in 0..4 {
        let mut killed = start(
            folder.path(),
            &["sweep", "p.toml", "-o", "killed", "--jobs", "2"],
        );
        until_a_run_is_begun(&path("killed"));
        std::thread::sleep(Duration::from_millis(60));
        killed.kill().unwrap();
        killed.wait().unwrap();
    }
    finished(start(folder.path(), &["sweep", "killed"]));
    let table = Table::read(&path("killed")).unwrap();
    assert_eq!(table.count(Standing::Completed), 6);
    for row in &table.trials {
        let run = &row.runs[0];
        let project =
            file::load(&path("killed/runs").join(&run.name).join("project.toml")).unwrap();
        assert!(project.sweep.is_none());
        let alone = path(&format!("alone-{}", row.number));
        completed(train(&project, &options(&alone)).0);
        assert_same(&alone, run.folder.as_ref().unwrap());
    }
    // The values of a trial are in its project.
    let lr = |row: usize| {
        let run = table.trials[row].runs[0].folder.as_ref().unwrap();
        file::load(&run.join("project.toml")).unwrap().stages[0]
            .optimizer
            .lr()
    };
    let lrs = table
        .trials
        .iter()
        .enumerate()
        .map(|(place, row)| (row.values[1].clone(), lr(place)));
    assert!(
        lrs.into_iter()
            .all(|(value, lr)| value.parse::<f64>().unwrap() == lr)
    );
}

/// Trains a sweep of this project here, and what was told.
fn worked(project: &Project, into: &Path, options: &Options) -> (Table, Vec<News>) {
    let folder = SweepFolder::create(Some(into), Path::new(""), project).unwrap();
    let plan = folder.plan().unwrap();
    let told = Mutex::new(Vec::new());
    let tell = |news: News| told.lock().unwrap().push(news);
    let table = work(&plan, &folder, options, &Stop::default(), &tell).unwrap();
    (table, told.into_inner().unwrap())
}

fn read(sweep: &str) -> Project {
    file::parse(&swept(sweep), "p").unwrap()
}

fn one_job() -> Options {
    Options {
        device: Some("cpu".to_owned()),
        jobs: Some(1),
        ..Options::default()
    }
}

#[test]
fn halving_goes_on_with_the_best_and_resumes_them() {
    let folder = tempfile::tempdir().unwrap();
    let project = read(
        "method = \"halving factor=2 epochs=1\"\nstage.0.lr = [0.0, 0.01, 0.05, 0.1]\nstage.0.epochs = [4]",
    );
    let (table, _) = worked(&project, &folder.path().join("s"), &one_job());
    let epochs: Vec<u32> = table.trials.iter().map(|row| row.epochs).collect();
    let mut sorted = epochs.clone();
    sorted.sort_unstable();
    // Four for one epoch, two of them for a second, one to its end.
    assert_eq!(sorted, [1, 1, 2, 4], "{epochs:?}");
    assert_eq!(table.count(Standing::LeftBehind), 3);
    // The one that went on is the same as a run that never stopped.
    let best = table.trials.iter().find(|row| row.rank == Some(1)).unwrap();
    let run = best.runs[0].folder.clone().unwrap();
    let alone = folder.path().join("alone");
    completed(
        train(
            &file::load(&run.join("project.toml")).unwrap(),
            &options(&alone),
        )
        .0,
    );
    assert_same(&alone, &run);
    // At the first rung it was not worse than those that were left behind there.
    let value = |row: usize| {
        let text = std::fs::read_to_string(
            table.trials[row].runs[0]
                .folder
                .as_ref()
                .unwrap()
                .join("metrics.csv"),
        );
        let text = text.unwrap();
        let row = text
            .lines()
            .find(|line| line.contains(",1,") && line.contains(",valid,"));
        row.unwrap()
            .split(',')
            .nth(5)
            .unwrap()
            .parse::<f64>()
            .unwrap()
    };
    let behind = (0..4).filter(|row| epochs[*row] == 1);
    let ahead = best.number - 1;
    assert!(behind.into_iter().all(|row| value(row) <= value(ahead)));
    // Shards cannot decide alone.
    let options = Options {
        shard: Some("1/2".parse().unwrap()),
        ..one_job()
    };
    let sweep = SweepFolder::open(&folder.path().join("s")).unwrap();
    let refused = work(
        &sweep.plan().unwrap(),
        &sweep,
        &options,
        &Stop::default(),
        &|_| {},
    );
    assert!(
        refused
            .unwrap_err()
            .to_string()
            .contains("halving compares all trials")
    );
}

#[test]
fn hopeless_trials_stop_and_failed_ones_are_rows() {
    let folder = tempfile::tempdir().unwrap();
    let project = read(
        "stop = \"train loss > 3 after 1\"\ninit = [false, \"none-1\"]\nstage.0.lr = [0.01, 3.0]",
    );
    let (table, _) = worked(&project, &folder.path().join("s"), &one_job());
    let standing = |values: [&str; 2]| {
        let row = table
            .trials
            .iter()
            .find(|row| row.values[0].ends_with(values[0]) && row.values[1] == values[1])
            .unwrap();
        (
            row.standing,
            row.epochs,
            row.reason.clone().unwrap_or_default(),
        )
    };
    assert_eq!(standing(["off", "0.01"]).0, Standing::Completed);
    let hopeless = standing(["off", "3"]);
    assert_eq!(
        (hopeless.0, hopeless.1),
        (Standing::Hopeless, 1),
        "{hopeless:?}"
    );
    for lr in ["0.01", "3"] {
        let failed = standing(["none-1", lr]);
        assert_eq!(failed.0, Standing::Failed, "{failed:?}");
        assert!(failed.2.contains("none-1"), "{failed:?}");
    }
    assert_eq!(
        table.trials.iter().filter_map(|row| row.rank).max(),
        Some(1)
    );
    // The next call has nothing to do but what could not begin.
    let again = worked(&project, &folder.path().join("s"), &one_job()).0;
    let stable = |table: &Table| -> Vec<(Standing, u32)> {
        table
            .trials
            .iter()
            .map(|row| (row.standing, row.epochs))
            .collect()
    };
    assert_eq!(stable(&again), stable(&table));
}

#[test]
fn two_processes_in_one_folder_train_no_run_twice() {
    let folder = folder("seeds = 2\nstage.0.lr = [0.01, 0.02, 0.05, 0.1]");
    let both = [0, 1].map(|_| {
        start(
            folder.path(),
            &["sweep", "p.toml", "-o", "s", "--jobs", "1"],
        )
    });
    both.into_iter().for_each(finished);
    let table = Table::read(&folder.path().join("s")).unwrap();
    assert_eq!(table.count(Standing::Completed), 4);
    for run in table.trials.iter().flat_map(|row| &row.runs) {
        // A run that was begun twice would have been resumed, and have two parts.
        let record = std::fs::read_to_string(run.folder.as_ref().unwrap().join("run.json"));
        assert_eq!(
            record.unwrap().matches("\"epochs_done\"").count(),
            1,
            "{}",
            run.name
        );
    }
}

#[test]
fn what_is_wrong_is_told_before_anything_is_trained() {
    let folder = folder("encoder.0.layers.0.kernl = [1, 2]");
    let told = |args: &[&str]| {
        let output = strata(folder.path(), args);
        (code(&output), err(&output))
    };
    let (exit, message) = told(&["sweep", "p.toml"]);
    assert!(
        exit == 2 && message.contains("has no `kernl`: it has out_channels"),
        "{message}"
    );
    assert!(
        !folder
            .path()
            .join("sweeps")
            .read_dir()
            .is_ok_and(|mut all| all.next().is_some())
    );
    std::fs::write(folder.path().join("q.toml"), SWEPT).unwrap();
    let (exit, message) = told(&["sweep", "q.toml"]);
    assert!(exit == 2 && message.contains("[sweep]"), "{message}");
    std::fs::write(
        folder.path().join("p.toml"),
        swept("stage.0.lr = [0.1, 0.2]"),
    )
    .unwrap();
    std::fs::create_dir(folder.path().join("taken")).unwrap();
    std::fs::write(folder.path().join("taken/notes.txt"), "mine").unwrap();
    let (exit, message) = told(&["sweep", "p.toml", "-o", "taken"]);
    assert!(
        exit == 2 && message.contains("holds notes.txt"),
        "{message}"
    );
    let (exit, message) = told(&["sweep", "p.toml", "--shard", "3/2"]);
    assert!(exit == 2 && message.contains("such as 2/4"), "{message}");
}

#[test]
fn trials_are_listed_reported_and_emitted() {
    let folder = folder(GRID);
    let listed = out(&strata(folder.path(), &["sweep", "p.toml", "--list"]));
    assert!(
        listed.contains("12 trials, 8 fit, 16 runs") && listed.contains("maxpool"),
        "{listed}"
    );
    for (engine, part) in [
        ("slurm", "#SBATCH --array=1-16"),
        ("k8s", "completionMode: Indexed"),
        ("ray", "tune.grid_search"),
        ("parallel", "seq 16 | parallel"),
    ] {
        let script = strata(
            folder.path(),
            &["sweep", "p.toml", "-o", "s", "--emit", engine],
        );
        assert!(out(&script).contains(part), "{engine}: {}", out(&script));
    }
    let small = "[sweep]\nstage.0.lr = [0.01, 0.1]\n";
    std::fs::write(folder.path().join("p.toml"), format!("{SWEPT}{small}")).unwrap();
    let trained = strata(folder.path(), &["sweep", "p.toml", "--jobs", "1"]);
    assert_eq!(code(&trained), 0, "{}", err(&trained));
    assert!(
        out(&trained).contains("2 completed; tables: sweeps/swept-1"),
        "{}",
        out(&trained)
    );
    let report = strata(folder.path(), &["report", "sweeps/swept-1"]);
    assert_eq!(code(&report), 0, "{}", err(&report));
    let page = std::fs::read_to_string(folder.path().join("sweeps/swept-1/report.html")).unwrap();
    assert!(
        page.contains("Sweep of swept") && page.contains("stage.0.lr"),
        "{page}"
    );
}

#[test]
fn how_many_trials_side_by_side_is_measured() {
    use strata::sweep::pace::Pace;
    let plan = strata::sweep::Plan::new(&read("stage.0.lr = [0.1, 0.2, 0.3]")).unwrap();
    let pace = Pace::fastest(&plan, 3, Some("cpu"));
    let threads = rayon::current_num_threads();
    assert!((1..=threads.min(3)).contains(&pace.jobs), "{pace:?}");
    assert!(pace.jobs * pace.threads <= threads, "{pace:?}");
    // What was not faster is not told as faster.
    assert_eq!(pace.gain.is_some(), pace.jobs > 1);
    assert!(pace.gain.is_none_or(|gain| gain > 1.05));
    assert_eq!(Pace::fastest(&plan, 1, Some("cpu")).jobs, 1);
    assert_eq!(Pace::fastest(&plan, 3, Some("cuda:0")).jobs, 1);
}

#[test]
fn a_sweep_is_no_part_of_a_run() {
    let folder = tempfile::tempdir().unwrap();
    let project = tiny(&[("[[stage]]", "[sweep]\nstage.0.lr = [0.1, 0.2]\n[[stage]]")]);
    let bare = Project {
        sweep: None,
        ..project.clone()
    };
    assert!(project.trains_like(&bare));
    let [one, other] = ["one", "other"].map(|name| folder.path().join(name));
    completed(train(&project, &options(&one)).0);
    completed(train(&bare, &options(&other)).0);
    assert_eq!(
        crate::kit::runs::metrics(&one),
        crate::kit::runs::metrics(&other)
    );
}
