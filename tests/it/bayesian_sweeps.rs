//! The Bayesian search whole: the same choices however many are trained side by side and wherever it was killed, shared by
//! processes, merged, told and reported.

use crate::kit::runs::assert_same;
use crate::kit::terminal::{code, err, json, out, strata};
use crate::sweeps::{finished, folder, start, tables};
use std::path::Path;
use std::time::{Duration, Instant};
use strata::sweep::{Standing, Table};

const SEARCH: &str = "method = \"bayesian startup=3 round=2\"\ntrials = 7\nseeds = 2\nmetric = \"valid loss\"\n\
     stop = \"train loss > 5 after 1\"\nstage.0.lr = \"1e-3..3.0 log\"\nstage.0.momentum = [0, \"0.9 nesterov\"]\n\
     encoder.0.layers.0.out_channels = \"2..6\"";

fn chosen(sweep: &Path) -> String {
    std::fs::read_to_string(sweep.join("chosen.toml")).unwrap_or_default()
}

/// Waits until so many trials were chosen.
fn until_chosen(sweep: &Path, trials: usize) {
    let limit = Instant::now() + Duration::from_secs(120);
    while chosen(sweep).lines().count() < trials + 3 && Instant::now() < limit {
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn the_choices_are_the_same_side_by_side_after_kills_and_of_two_processes() {
    let folder = folder(SEARCH);
    let path = |name: &str| folder.path().join(name);
    let one = strata(
        folder.path(),
        &["sweep", "p.toml", "-o", "one", "--jobs", "1"],
    );
    assert_eq!(code(&one), 0, "{}", err(&one));
    let told = err(&one);
    assert!(
        told.contains("7 trials, 14 runs in")
            && told.contains("round 2: 2 trials chosen from what the others have reached"),
        "{told}"
    );
    let table = Table::read(&path("one")).unwrap();
    assert_eq!((table.trials.len(), table.to_choose), (7, 0));
    assert!(table.is_done() && table.count(Standing::Waiting) == 0);
    let rounds: Vec<Option<usize>> = table.trials.iter().map(|row| row.round).collect();
    let expected = [None, None, None, Some(1), Some(1), Some(2), Some(2)];
    assert_eq!(rounds, expected);
    assert!(out(&one).contains("round") && out(&one).contains("drawn"));
    finished(start(
        folder.path(),
        &["sweep", "p.toml", "-o", "two", "--jobs", "2"],
    ));
    // Killed within the first draws, and within each round.
    for trials in [0, 2, 4] {
        let mut killed = start(
            folder.path(),
            &["sweep", "p.toml", "-o", "killed", "--jobs", "2"],
        );
        until_chosen(&path("killed"), trials);
        std::thread::sleep(Duration::from_millis(40));
        killed.kill().unwrap();
        killed.wait().unwrap();
    }
    finished(start(folder.path(), &["sweep", "killed", "--jobs", "1"]));
    let shared = || {
        start(
            folder.path(),
            &["sweep", "p.toml", "-o", "shared", "--jobs", "1"],
        )
    };
    [shared(), shared()].into_iter().for_each(finished);
    for other in ["two", "killed", "shared"] {
        assert_eq!(chosen(&path("one")), chosen(&path(other)), "{other}");
        assert_eq!(tables(&path("one")), tables(&path(other)), "{other}");
    }
    for run in table.trials.iter().flat_map(|row| &row.runs) {
        if run.standing == Standing::Completed {
            assert_same(
                &path("one/runs").join(&run.name),
                &path("killed/runs").join(&run.name),
            );
        }
    }
    // There is nothing left to do, and a run that is tried again changes no choice.
    let again = strata(folder.path(), &["sweep", "one", "--retry", "--json"]);
    assert_eq!(json(&again)["trials"].as_array().unwrap().len(), 7);
    assert_eq!(chosen(&path("one")), chosen(&path("two")));
}

#[test]
fn a_part_alone_is_refused_and_folders_that_chose_the_same_are_merged() {
    let folder = folder(SEARCH);
    let path = |name: &str| folder.path().join(name);
    let part = strata(folder.path(), &["sweep", "p.toml", "--shard", "1/2"]);
    let told = err(&part);
    assert!(
        code(&part) == 2
            && told.contains("chooses trials from what all others have reached")
            && told.contains("with the same -o DIR"),
        "{told}"
    );
    let script = strata(
        folder.path(),
        &["sweep", "p.toml", "-o", "s", "--emit", "slurm"],
    );
    let text = out(&script);
    assert!(
        text.contains("--array=1-4") && !text.contains("--shard"),
        "{text}"
    );
    let listed = out(&strata(folder.path(), &["sweep", "p.toml", "--list"]));
    assert!(
        listed.contains("3 trials, 3 fit, 6 runs")
            && listed
                .contains("4 more trials, 8 runs, are chosen from what these reach, 2 at a time"),
        "{listed}"
    );
    // One that was stopped on its way, and one that is whole.
    let mut stopped = start(
        folder.path(),
        &["sweep", "p.toml", "-o", "stopped", "--jobs", "1"],
    );
    until_chosen(&path("stopped"), 2);
    stopped.kill().unwrap();
    stopped.wait().unwrap();
    finished(start(folder.path(), &["sweep", "p.toml", "-o", "whole"]));
    let merge = |others: [&str; 2]| {
        let args = ["sweep", "--merge", others[0], others[1], "-o", "merged"];
        strata(folder.path(), &args)
    };
    let merged = merge(["stopped", "whole"]);
    assert_eq!(code(&merged), 0, "{}", err(&merged));
    assert_eq!(tables(&path("whole")), tables(&path("merged")));
    // What was chosen elsewhere from other results is another search.
    let text = chosen(&path("stopped"));
    let first = text.lines().nth(2).unwrap();
    let other = first.replacen('[', "[9, ", 1);
    let other = other
        .rsplit_once(',')
        .unwrap()
        .0
        .rsplit_once(',')
        .unwrap()
        .0;
    std::fs::write(
        path("stopped/chosen.toml"),
        text.replace(first, &format!("{other}],")),
    )
    .unwrap();
    let refused = merge(["stopped", "whole"]);
    assert!(
        code(&refused) == 2 && err(&refused).contains("have chosen different trials"),
        "{}",
        err(&refused)
    );
    // The page says how the trials came about.
    let report = strata(folder.path(), &["report", "whole"]);
    assert_eq!(code(&report), 0, "{}", err(&report));
    let page = std::fs::read_to_string(path("whole/report.html")).unwrap();
    for part in [
        "a Bayesian search: 3 trials drawn at random",
        "the search, trial after trial",
        "<th>round</th>",
    ] {
        assert!(page.contains(part), "{part}");
    }
}

#[test]
fn what_cannot_be_searched_is_told() {
    for (lines, part) in [
        (
            "method = \"bayesian\"\nstage.0.lr = \"1e-3..1 log\"",
            "needs the number of trials",
        ),
        (
            "method = \"bayesian\"\ntrials = 10\nstage.0.lr = \"1e-3..1 log\"",
            "draws the first 10 at random, so none would be chosen",
        ),
        (
            "method = \"bayesian startup=0\"\ntrials = 10\nstage.0.lr = \"1e-3..1 log\"",
            "startup",
        ),
    ] {
        let folder = folder(lines);
        let told = strata(folder.path(), &["sweep", "p.toml"]);
        assert!(
            code(&told) == 2 && err(&told).contains(part),
            "{}",
            err(&told)
        );
    }
}

/// A search on MNIST against as many random trials, for several seeds of the search. What the note tells is printed.
#[test]
#[ignore = "minutes: 480 runs on MNIST"]
fn long_search_on_mnist_beats_random_trials() {
    let Some(data) = strata_testkit::folders::real_data("long_search_on_mnist") else {
        return;
    };
    let project = |seed: usize, method: &str| {
        format!(
            r#"format = 1
title = "mnist search"
seed = {seed}
[data]
source = "mnist"
path = "{}"
limit = 2000
valid = 0.4
[network]
input = "1x28x28"
encoder = ["conv 8 k3 same", "relu", "maxpool 2", "conv 8 k3 same", "relu", "maxpool 2"]
head = ["flatten", "dense 10"]
[[stage]]
name = "classify"
task = "classify"
loss = "cross-entropy"
optimizer = "sgd lr=0.05 momentum=0.9"
epochs = 2
batch = 32
[sweep]
method = "{method}"
trials = 30
metric = "valid log_loss"
stage.0.lr = "1e-4..1.0 log"
stage.0.momentum = "0.0..0.99"
"encoder.0.out_channels, encoder.3.out_channels" = [2, 4, 8, 16]
stage.0.batch = "8..128 log"
"#,
            data.join("mnist").display()
        )
    };
    let folder = tempfile::tempdir().unwrap();
    let mut best = [0.0; 2];
    // Trials behind the first ten that have learnt something.
    let mut learnt = [0; 2];
    for seed in 1..=8 {
        for (place, method) in ["random", "bayesian"].into_iter().enumerate() {
            let (file, into) = (format!("{method}-{seed}.toml"), format!("{method}-{seed}"));
            std::fs::write(folder.path().join(&file), project(seed, method)).unwrap();
            finished(start(folder.path(), &["sweep", &file, "-o", &into]));
            let table = Table::read(&folder.path().join(into)).unwrap();
            let first = table.ranked()[0].value.unwrap().mean;
            println!("seed {seed}, {method}: best of 30 log losses {first:.4}");
            best[place] += first / 8.0;
            let later = table.trials.iter().filter(|row| row.number > 10);
            learnt[place] += later
                .filter(|row| row.value.is_some_and(|value| value.mean < 0.5))
                .count();
        }
    }
    println!("mean of the best: {best:?}; trials 11 to 30 below 0.5: {learnt:?} of 160");
    assert!(best[1] < best[0], "{best:?}");
    assert!(learnt[1] > 2 * learnt[0], "{learnt:?}");
}
