//! Runs that end anywhere and go on: within an epoch, between two stages, after an epoch, killed, within a sweep. What
//! they leave has the same bits as the training that was never ended, in the same files; a replay is identical.

use crate::checkpoints::{projects, same};
use crate::kit::runs::{completed, options, stop_at, train, train_until};
use crate::kit::terminal::{code, err, out, strata};
use crate::sweeps::{finished, folder, start, tables};
use std::path::Path;
use std::time::{Duration, Instant};
use strata::engine::command::Command;
use strata::engine::event::Event;
use strata::engine::storage::record::RunRecord;
use strata::engine::thread::RunOptions;
use strata::project::{Project, file};

/// A small generator: the points are the same every time.
fn drawn(seed: u64) -> impl FnMut(u64) -> u64 {
    let mut state = seed;
    move |below| {
        state = state
            .wrapping_mul(6364136223846793005)
            .wrapping_add(1442695040888963407);
        (state >> 33) % below.max(1)
    }
}

/// How a run is ended, in turn.
#[derive(Clone, Copy, Debug)]
enum End {
    /// After this step, and once more after this one.
    Steps(u64, u64),
    /// Before the first step of the second stage.
    BetweenStages,
    /// After this epoch was measured, counted from 1 over the run.
    Epoch(u64),
    /// With kill -9 after so many milliseconds, and once more.
    Kills(u64, u64),
}

fn ends(
    count: usize,
    steps: u64,
    milliseconds: u64,
    random: &mut impl FnMut(u64) -> u64,
) -> Vec<End> {
    let end = |point: usize| match point % 5 {
        0 | 3 => End::Steps(1 + random(steps), 1 + random(steps)),
        1 => End::Kills(random(milliseconds), random(milliseconds)),
        2 if point.is_multiple_of(2) => End::BetweenStages,
        2 => End::Epoch(1 + random(4)),
        _ => End::Kills(random(milliseconds), milliseconds * 10),
    };
    (0..count).map(end).collect()
}

/// Ends a run of the project in this folder, and lets it go on to its end.
fn end_and_go_on(project: &Project, at: &Path, name: &str, end: End) {
    let run = at.join(name);
    let resume = RunOptions {
        resume: true,
        ..options(&run)
    };
    let once = std::sync::atomic::AtomicU64::new(0);
    match end {
        End::Steps(first, second) => {
            train_until(project, &options(&run), stop_at(first));
            train_until(project, &resume, stop_at(second));
        }
        End::BetweenStages => {
            let at_second = |event: &Event| {
                matches!(event, Event::Stage { index: 1, .. }).then_some(Command::Stop)
            };
            train_until(project, &options(&run), at_second);
        }
        End::Epoch(epoch) => {
            let after = move |event: &Event| {
                let is_end = matches!(event, Event::Epoch(_));
                let ended = once.fetch_add(u64::from(is_end), std::sync::atomic::Ordering::Relaxed);
                (is_end && ended + 1 == epoch).then_some(Command::Stop)
            };
            train_until(project, &options(&run), after);
        }
        End::Kills(first, second) => {
            for milliseconds in [first, second] {
                let mut args = vec!["train", "p.toml", "-o", name, "--device", "cpu"];
                args.extend(run.exists().then_some("--resume"));
                let mut running = start(at, &args);
                std::thread::sleep(Duration::from_millis(milliseconds));
                // SIGKILL: nothing of it can be caught.
                running.kill().ok();
                running.wait().unwrap();
            }
            if !run.exists() {
                completed(train(project, &options(&run)).0);
                return;
            }
        }
    }
    completed(train(project, &resume).0);
}

fn check(points: usize, replays: usize) {
    let mut random = drawn(31);
    for (which, project) in projects().into_iter().enumerate() {
        let folder = tempfile::tempdir().unwrap();
        let at = folder.path();
        file::save(&project, &at.join("p.toml")).unwrap();
        let began = Instant::now();
        finished(start(
            at,
            &["train", "p.toml", "-o", "whole", "--device", "cpu"],
        ));
        let milliseconds = began.elapsed().as_millis() as u64;
        let whole = at.join("whole");
        let steps = RunRecord::read(&whole).unwrap().steps;
        let ends = ends(points, steps, milliseconds, &mut random);
        for (point, end) in ends.into_iter().enumerate() {
            println!("project {which}, point {point}: {end:?}");
            let name = format!("run-{point}");
            end_and_go_on(&project, at, &name, end);
            same(&whole, &at.join(&name));
            if point < replays {
                let told = strata(at, &["replay", &name]);
                assert_eq!(code(&told), 0, "{}", err(&told));
                assert!(out(&told).starts_with("identical"), "{}", out(&told));
            }
        }
    }
}

/// A sweep killed at random times, and begun again until it is done.
fn check_sweep(kills: usize) {
    let mut random = drawn(47);
    let folder = folder("seeds = 2\nstage.0.momentum = [0, 0.9]\nencoder.0.repeat = [1, 2]");
    let at = folder.path();
    let began = Instant::now();
    finished(start(
        at,
        &["sweep", "p.toml", "-o", "whole", "--jobs", "2"],
    ));
    let milliseconds = began.elapsed().as_millis() as u64;
    for kill in 0..kills {
        let mut args = vec!["sweep", "p.toml", "-o", "killed", "--jobs", "2"];
        if at.join("killed/project.toml").exists() {
            args = vec!["sweep", "killed"];
        }
        let mut running = start(at, &args);
        std::thread::sleep(Duration::from_millis(random(milliseconds)));
        running.kill().ok();
        running.wait().unwrap();
        println!("killed sweep {kill}");
    }
    finished(match at.join("killed/project.toml").exists() {
        true => start(at, &["sweep", "killed"]),
        false => start(at, &["sweep", "p.toml", "-o", "killed", "--jobs", "2"]),
    });
    assert_eq!(tables(&at.join("whole")), tables(&at.join("killed")));
    let runs = std::fs::read_dir(at.join("whole/runs")).unwrap();
    for run in runs.map(|entry| entry.unwrap().file_name()) {
        let [one, other] = ["whole", "killed"].map(|sweep| at.join(sweep).join("runs").join(&run));
        same(&one, &other);
    }
}

#[test]
fn a_run_ended_anywhere_goes_on_to_the_same_files() {
    check(3, 1);
    check_sweep(1);
}

#[test]
#[ignore = "minutes: 60 runs ended at random points, a sweep killed eight times"]
fn long_runs_ended_at_twenty_points_go_on_to_the_same_files() {
    check(20, 5);
    check_sweep(8);
}
