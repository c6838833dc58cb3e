//! Settings that are changed while a run trains: they hold from their step on, are noted with it, and a run that is
//! resumed or dies takes them over to the last bit.

use crate::kit::runs::{assert_same, completed, options, stopped, tiny, train, train_until};
use crate::kit::terminal::{code, err, out, strata};
use crate::kit::window::{builtin, classifier, open};
use std::path::Path;
use std::process::{Child, Command as Process, Stdio};
use std::time::{Duration, Instant};
use strata::app::action::Action;
use strata::app::run_monitor::Phase;
use strata::app::view_kind::ViewKind;
use strata::engine::command::Command;
use strata::engine::event::Event;
use strata::engine::storage::changes::{Change, Changes};
use strata::engine::thread::RunOptions;
use strata::project::Project;
use strata::project::live_setting::LiveSetting;

fn setting(key: &str) -> LiveSetting {
    key.parse().unwrap()
}

/// Changes a setting after each of these steps, and stops after the last where that is asked for.
fn after(
    wanted: &[(u64, &str, f64)],
    stop: Option<u64>,
) -> impl Fn(&Event) -> Option<Command> + use<> {
    let wanted: Vec<(u64, LiveSetting, f64)> = wanted
        .iter()
        .map(|(step, key, value)| (*step, setting(key), *value))
        .collect();
    move |event| match event {
        Event::Step(report) if stop == Some(report.step) => Some(Command::Stop),
        Event::Step(report) => {
            let mut wanted = wanted.iter();
            let found = wanted.find(|(step, _, _)| *step == report.step)?;
            Some(Command::Set(found.1, found.2))
        }
        _ => None,
    }
}

const CHANGES: [(u64, &str, f64); 6] = [
    (1, "beta", 0.5),
    (2, "lr", 0.01),
    (3, "rho", 0.2),
    (4, "weight_decay", 0.001),
    (7, "momentum", 0.0),
    (9, "momentum", 0.8),
];

/// TINY without Nesterov's look-ahead, which needs a momentum.
fn project() -> Project {
    tiny(&[(" nesterov", "")])
}

fn column(run: &Path, name: &str) -> Vec<String> {
    let text = std::fs::read_to_string(run.join("steps.csv")).unwrap();
    let heading = text.lines().next().unwrap();
    let index = heading
        .split(',')
        .position(|column| column == name)
        .unwrap();
    let field = |line: &str| line.split(',').nth(index).unwrap().to_owned();
    text.lines().skip(1).map(field).collect()
}

#[test]
fn a_change_holds_from_the_next_step_on_and_is_noted() {
    let folder = tempfile::tempdir().unwrap();
    let [plain, changed] = ["plain", "changed"].map(|name| folder.path().join(name));
    completed(train(&project(), &options(&plain)).0);
    assert!(!plain.join("changes.csv").exists());
    let (outcome, events) = train_until(&project(), &options(&changed), after(&CHANGES, None));
    completed(outcome);
    let noted = std::fs::read_to_string(changed.join("changes.csv")).unwrap();
    assert_eq!(
        noted,
        "step,stage,setting,value\n2,images,beta,0.5\n3,images,lr,0.01\n4,images,rho,0.2\n\
         5,images,weight_decay,0.001\n8,labels,momentum,0\n10,labels,momentum,0.8\n"
    );
    let text = |run: &Path| std::fs::read_to_string(run.join("project.toml")).unwrap();
    assert_eq!(text(&plain), text(&changed), "the project keeps its text");
    let told = events.iter().rev().find_map(|event| match event {
        Event::Changes(all) => Some(all.clone()),
        _ => None,
    });
    assert_eq!(told.unwrap(), Changes::read(&changed).unwrap().all());
    // The cosine keeps its shape: the same share of another rate.
    let [before, now] = [&plain, &changed].map(|run| column(run, "lr"));
    assert_eq!(before[..2], now[..2]);
    for step in 2..6 {
        let [before, now]: [f64; 2] = [&before[step], &now[step]].map(|lr| lr.parse().unwrap());
        assert!(
            (now / before - 0.01 / 3e-3).abs() < 1e-9,
            "{step}: {before} {now}"
        );
    }
    assert_eq!(before[6..], now[6..], "the next stage has its own");
    let [before, now] = [&plain, &changed].map(|run| column(run, "penalty"));
    assert_eq!(before[0], now[0]);
    let [before, now]: [f64; 2] = [&before[1], &now[1]].map(|penalty| penalty.parse().unwrap());
    assert!(
        (now / before - 500.0).abs() < 1e-6,
        "β went from 0.001 to 0.5: {before} {now}"
    );
    let [before, now] = [&plain, &changed].map(|run| column(run, "loss"));
    assert_eq!(
        before[..2],
        now[..2],
        "the second step's loss is before its update"
    );
    assert_ne!(before[2], now[2]);
}

#[test]
fn a_run_takes_its_changes_over_wherever_it_stopped_or_died() {
    let folder = tempfile::tempdir().unwrap();
    let whole = folder.path().join("whole");
    completed(train_until(&project(), &options(&whole), after(&CHANGES, None)).0);
    for step in 1..12 {
        let run = folder.path().join(step.to_string());
        let react = after(&CHANGES, Some(step));
        stopped(train_until(&project(), &options(&run), react).0);
        let resume = RunOptions {
            resume: true,
            ..options(&run)
        };
        // What was changed at the step of the stop is changed in the part that follows.
        let left: Vec<_> = CHANGES
            .into_iter()
            .filter(|change| change.0 >= step)
            .collect();
        let first = left.iter().find(|change| change.0 == step).copied();
        let react = after(&left, None);
        let outcome = train_until(&project(), &resume, |event| match (event, first) {
            (Event::Started { .. }, Some((_, key, value))) => {
                Some(Command::Set(setting(key), value))
            }
            _ => react(event),
        });
        completed(outcome.0);
        assert_same(&whole, &run);
        assert_eq!(Changes::read(&whole), Changes::read(&run), "{step}");
    }
    // A death: the last checkpoint is older than the changes that were made after it.
    let died = folder.path().join("died");
    stopped(train_until(&project(), &options(&died), after(&CHANGES, Some(2))).0);
    std::fs::copy(whole.join("changes.csv"), died.join("changes.csv")).unwrap();
    let resume = RunOptions {
        resume: true,
        ..options(&died)
    };
    completed(train(&project(), &resume).0);
    assert_same(&whole, &died);
    assert_eq!(Changes::read(&whole), Changes::read(&died));
}

#[test]
fn what_the_stage_does_not_have_is_told_and_not_noted() {
    let folder = tempfile::tempdir().unwrap();
    let run = folder.path().join("run");
    let wanted = [
        (1, "momentum", 0.9),
        (2, "lr", -1.0),
        (8, "beta", 1.0),
        (10, "lr", 0.05),
    ];
    let (outcome, events) = train_until(&project(), &options(&run), after(&wanted, None));
    completed(outcome);
    let told: Vec<String> = events
        .iter()
        .filter_map(|event| match event {
            Event::Warning { message, in_window } => Some(format!("{message}|{in_window}")),
            _ => None,
        })
        .collect();
    for part in [
        "stage `images` has no momentum: its optimizer is adam|",
        "must be a number from 0 to 1e3",
        "|the learning rate is a number from 0 to 1000",
        "stage `labels` has no sparsity β: it has no sparsity",
    ] {
        assert!(
            told.iter().any(|told| told.contains(part)),
            "{part}: {told:?}"
        );
    }
    let noted = Changes::read(&run).unwrap();
    assert_eq!(noted.all().len(), 1, "{noted:?}");
}

#[test]
fn a_resume_with_an_edited_project_wins_over_a_change() {
    let folder = tempfile::tempdir().unwrap();
    let run = folder.path().join("run");
    let wanted = [(1, "lr", 0.01), (2, "beta", 0.5)];
    stopped(train_until(&project(), &options(&run), after(&wanted, Some(3))).0);
    let resume = RunOptions {
        resume: true,
        ..options(&run)
    };
    let edited = tiny(&[(" nesterov", ""), ("adam lr=3e-3", "adam lr=5e-3")]);
    completed(train(&edited, &resume).0);
    let noted = Changes::read(&run).unwrap();
    let last = Change {
        step: 4,
        stage: "images".into(),
        setting: setting("lr"),
        value: 5e-3,
    };
    assert_eq!(noted.all().last(), Some(&last));
    assert_eq!(noted.all().len(), 3, "β stays as it was changed");
}

#[test]
fn a_damaged_file_of_changes_is_told_in_words() {
    let folder = tempfile::tempdir().unwrap();
    let run = folder.path().join("run");
    stopped(
        train_until(
            &project(),
            &options(&run),
            after(&[(1, "lr", 0.01)], Some(3)),
        )
        .0,
    );
    let file = run.join("changes.csv");
    let text = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, format!("{text}7,images,speed,2\n")).unwrap();
    let told = strata(folder.path(), &["train", "run", "--resume"]);
    assert_eq!(code(&told), 2);
    let message = err(&told);
    assert!(
        message.contains("line 3: `speed` is no setting"),
        "{message}"
    );
    assert!(message.contains("take the line out"), "{message}");
    let mut window = open(folder.path(), &project());
    window.harness.state_mut().handle(Action::Open(run));
    window.wait("the curves", |state| !state.training.is_reading());
    assert!(window.has("is no setting that changes while a stage trains"));
}

/// A run in the terminal that takes a while.
fn in_the_background(folder: &Path) -> Child {
    let mut project = classifier();
    project.stages[0].epochs = 200_000;
    strata::project::file::save(&project, &folder.join("long.toml")).unwrap();
    Process::new(env!("CARGO_BIN_EXE_strata"))
        .env("STRATA_LOG", "off")
        .current_dir(folder)
        .args(["train", "long.toml", "-o", "run", "--no-snapshots"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

fn until(what: &str, holds: impl Fn() -> bool) {
    let start = Instant::now();
    while !holds() {
        assert!(start.elapsed() < Duration::from_secs(60), "{what}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

#[test]
fn the_terminal_changes_a_run_that_trains_elsewhere() {
    let folder = tempfile::tempdir().unwrap();
    let control = |args: &[&str]| strata(folder.path(), &[&["control", "run"], args].concat());
    let refused = control(&["--pause"]);
    assert!(code(&refused) == 2 && err(&refused).contains("there is no folder run"));
    let mut running = in_the_background(folder.path());
    let run = folder.path().join("run");
    until("a first checkpoint", || {
        run.join("checkpoints/last.safetensors").exists()
    });
    for (args, part) in [
        (["--set", "momentum=0.9"], "its optimizer is adam"),
        (["--set", "lr=-3"], "must be a number from 0"),
        (["--set", "pause"], "write KEY=VALUE"),
        (["--set", "epochs=3"], "no setting that changes"),
    ] {
        let refused = control(&args);
        assert!(
            code(&refused) == 2 && err(&refused).contains(part),
            "{}",
            err(&refused)
        );
    }
    let asked = control(&["--set", "lr=0.002", "--set", "weight_decay=1e-4", "--pause"]);
    assert_eq!(code(&asked), 0, "{}", err(&asked));
    assert!(
        out(&asked).contains("lr=0.002, weight_decay=0.0001, pause"),
        "{}",
        out(&asked)
    );
    assert_eq!(code(&control(&["--steps", "5"])), 0);
    until("the changes", || {
        Changes::read(&run).is_ok_and(|changes| changes.all().len() == 2)
    });
    let listed = out(&control(&[]));
    assert!(
        listed.contains("stage classify: lr=0.001 weight_decay=0"),
        "{listed}"
    );
    assert!(listed.contains("on, stage classify: lr=0.002"), "{listed}");
    assert_eq!(code(&control(&["--stop"])), 0);
    assert_eq!(
        running.wait().unwrap().code(),
        Some(130),
        "a stopped training is no success"
    );
    let mut told = String::new();
    std::io::Read::read_to_string(&mut running.stderr.take().unwrap(), &mut told).unwrap();
    assert!(told.contains("lr=0.002 from step"), "{told}");
    assert!(!run.join("commands.txt").exists());
    let refused = control(&["--resume"]);
    assert!(code(&refused) == 2 && err(&refused).contains("is not in training"));
    assert!(column(&run, "lr").last().is_some_and(|lr| lr == "0.002"));
}

#[test]
fn the_window_changes_settings_of_the_run_and_marks_them() {
    let folder = tempfile::tempdir().unwrap();
    let mut project = builtin("sparse-autoencoder");
    project.stages[0].epochs = 500;
    let mut window = open(folder.path(), &project);
    assert!(!window.has("Adjust"));
    window.click("Train");
    window.wait("some steps", |state| state.training.curves.steps() > 10);
    window.click("Pause");
    window.wait("the pause", |state| state.training.phase == Phase::Paused);
    window.click("Adjust");
    for name in ["learning rate", "weight decay", "sparsity β", "sparsity ρ"] {
        assert!(window.has(&format!("New {name}")), "{name}");
    }
    assert!(!window.has("New momentum"), "its optimizer has none");
    window.keep_picture("live-control/popup");
    window.enter("New sparsity β", "0.25");
    window.enter("New learning rate", "much");
    assert!(window.has("the learning rate is a number such as 0.01"));
    let beta = setting("beta");
    let held = |state: &strata::app::state::State| {
        let settings = state.training.live_settings();
        settings
            .iter()
            .find(|(of, _)| *of == beta)
            .map(|(_, value)| *value)
    };
    assert_eq!(
        held(window.state()),
        Some(0.25),
        "what was asked for is shown at once"
    );
    let before = window.state().training.curves.steps();
    window.click("Train 100 steps, then pause");
    window.wait("the next pause", |state| {
        state.training.phase == Phase::Paused && state.training.curves.steps() >= before + 100
    });
    let step = window.state().training.last.as_ref().unwrap().step;
    assert_eq!(held(window.state()), Some(0.25));
    let run = window.state().training.run.clone().unwrap();
    let noted = Changes::read(&run).unwrap();
    assert_eq!(noted.all().len(), 1, "{noted:?}");
    assert_eq!(
        noted.all()[0].step,
        step - 99,
        "it holds for all of the steps"
    );
    assert_eq!(window.state().training.curves.changes, noted.all());
    window.show_alone(ViewKind::Loss);
    window.run();
    window.keep_picture("live-control/mark");
    window
        .harness
        .state_mut()
        .handle(Action::Adjust(setting("momentum"), 0.5));
    window.harness.state_mut().handle(Action::Steps(1));
    window.wait("the refusal", |state| {
        state.training.last.as_ref().unwrap().step > step
    });
    assert!(window.has("the stage has no momentum of 0.5"));
    window.show_alone(ViewKind::Sparse);
    window.run();
    window.click("Adjust the sparsity");
    assert!(window.has("New sparsity ρ") && !window.has("New weight decay"));
    window.keep_picture("live-control/cockpit");
    window.harness.state_mut().handle(Action::Stop);
    window.wait("the stop", |state| !state.training.is_running());
    // The marks are there when the run is opened again.
    window.harness.state_mut().handle(Action::Open(run));
    window.wait("the curves", |state| !state.training.is_reading());
    assert_eq!(window.state().training.curves.changes, noted.all());
}
