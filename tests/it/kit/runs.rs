//! Tiny projects that train in a second, and a record of what a run told.

use std::path::{Path, PathBuf};
use strata::engine::command::Command;
use strata::engine::event::{Event, Failure, Outcome, Summary};
use strata::engine::inspection::live::LiveResults;
use strata::engine::run::run;
use strata::engine::thread::RunOptions;
use strata::project::{Project, file};

/// Two stages with everything that draws random numbers or remembers: dropout, batch norm, Adam, a schedule.
pub const TINY: &str = r#"
format = 1
title = "tiny"
seed = 5
[data]
source = "shapes"
resize = [16, 16]
range = [-1, 1]
limit = 40
[network]
input = "3x16x16"
encoder = ["conv 6 k3 s2 p1", "bn", "relu"]
decoder = ["convt 3 k4 s2 p1", "tanh"]
head = ["flatten", "dropout 0.3", "dense 10"]
[[stage]]
name = "images"
task = "reconstruct"
split = "unlabeled"
loss = "mse"
optimizer = "adam lr=3e-3"
schedule = "cosine warmup=1"
sparsity = "rho=0.1 beta=1e-3"
epochs = 2
batch = 16
[[stage]]
name = "labels"
task = "classify"
freeze = ["encoder.0"]
loss = "cross-entropy"
optimizer = "sgd lr=0.05 momentum=0.9 nesterov"
epochs = 2
batch = 16
"#;

/// The tiny project with texts replaced.
pub fn tiny(changes: &[(&str, &str)]) -> Project {
    let text = changes.iter().fold(TINY.to_owned(), |text, (from, to)| {
        assert!(text.contains(from), "{from}");
        text.replacen(from, to, 1)
    });
    file::parse(&text, "tiny.toml").unwrap()
}

/// Options for a run in this folder.
pub fn options(run: &Path) -> RunOptions {
    RunOptions {
        run: Some(run.to_owned()),
        device: Some("cpu".into()),
        ..RunOptions::default()
    }
}

/// Trains; gives how it ended and what it told.
pub fn train(project: &Project, options: &RunOptions) -> (Outcome, Vec<Event>) {
    train_until(project, options, |_| None)
}

/// Trains, and sends the command that `react` gives for an event.
pub fn train_until(
    project: &Project,
    options: &RunOptions,
    react: impl Fn(&Event) -> Option<Command> + Send,
) -> (Outcome, Vec<Event>) {
    let (sender, receiver) = crossbeam_channel::unbounded();
    let mut events = Vec::new();
    let told = &mut events;
    let mut sink = move |event: Event| {
        if let Some(command) = react(&event) {
            sender.send(command).unwrap();
        }
        told.push(event);
    };
    let outcome = run(
        project,
        options,
        &receiver,
        &mut sink,
        &LiveResults::default(),
    );
    (outcome, events)
}

/// Stops after this step.
pub fn stop_at(step: u64) -> impl Fn(&Event) -> Option<Command> {
    move |event| match event {
        Event::Step(report) if report.step == step => Some(Command::Stop),
        _ => None,
    }
}

pub fn completed(outcome: Outcome) -> Summary {
    match outcome {
        Outcome::Completed(summary) => summary,
        other => panic!("not completed: {other:?}"),
    }
}

pub fn stopped(outcome: Outcome) -> Summary {
    match outcome {
        Outcome::Stopped(summary) => summary,
        other => panic!("not stopped: {other:?}"),
    }
}

pub fn failed(outcome: Outcome) -> Failure {
    match outcome {
        Outcome::Failed(failure) => failure,
        other => panic!("not failed: {other:?}"),
    }
}

/// Every row of `metrics.csv` without its last column, `seconds`.
pub fn metrics(run: &Path) -> Vec<String> {
    let text = std::fs::read_to_string(run.join("metrics.csv")).unwrap();
    text.lines()
        .map(|line| line.rsplit_once(',').unwrap().0.to_owned())
        .collect()
}

/// The bytes of everything in a run folder that has to repeat.
pub fn repeatable(run: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let tables = ["steps.csv", "dynamics.csv", "project.toml"];
    let mut files = tables.map(PathBuf::from).to_vec();
    for folder in ["checkpoints", "probe"] {
        let mut names: Vec<_> = std::fs::read_dir(run.join(folder))
            .unwrap()
            .map(|e| e.unwrap().file_name())
            .collect();
        names.sort();
        files.extend(names.into_iter().map(|name| Path::new(folder).join(name)));
    }
    files
        .into_iter()
        .map(|file| (file.clone(), std::fs::read(run.join(&file)).unwrap()))
        .collect()
}

/// Asserts that two run folders hold the same training.
pub fn assert_same(one: &Path, other: &Path) {
    assert_eq!(metrics(one), metrics(other));
    for ((name, a), (other_name, b)) in repeatable(one).into_iter().zip(repeatable(other)) {
        assert_eq!(name, other_name);
        assert!(a == b, "{} differs", name.display());
    }
}
