//! The runs as a table: what differs, notes, order, search, runs of other folders, and their curves.

use super::kit::window::*;
use std::path::Path;
use strata::app::action::Action;
use strata::app::state::PathPurpose;
use strata::app::view_kind::ViewKind;
use strata::engine::event::Metrics;
use strata::engine::storage::record::{RunRecord, Status};
use strata::project::{Project, file};

/// A finished run of this project, with one epoch and this accuracy on the test images.
fn run_of(folder: &Path, project: &Project, started: &str, accuracy: f64, seconds: f64) {
    std::fs::create_dir_all(folder).unwrap();
    file::save(project, &folder.join("project.toml")).unwrap();
    let stage = &project.stages[0].name;
    let rows = (1..=60).map(|step| {
        let loss = 2.0 / f64::from(step);
        format!("{step},{stage},1,{loss},0.1,,{accuracy}\n")
    });
    let steps = format!(
        "step,stage,epoch,loss,lr,penalty,accuracy\n{}",
        rows.collect::<String>()
    );
    std::fs::write(folder.join("steps.csv"), steps).unwrap();
    let metrics = format!(
        "stage,epoch,step,split,loss,accuracy,log_loss,lr,seconds\n{stage},1,60,train,0.3,{accuracy},,0.1,1\n{stage},1,60,valid,0.4,{},,,1\n",
        accuracy - 0.01
    );
    std::fs::write(folder.join("metrics.csv"), metrics).unwrap();
    let mut record = RunRecord {
        status: Status::Completed,
        started: started.to_owned(),
        seconds,
        steps: 60,
        ..RunRecord::default()
    };
    let test = Metrics {
        loss: 0.5,
        accuracy: Some(accuracy),
        ..Metrics::default()
    };
    record.metrics.insert("test".to_owned(), test);
    record.write(folder).unwrap();
}

/// Where a run stands in the table.
fn top(window: &Window, run: &str) -> f32 {
    window.get(run).rect().top()
}

fn three_runs(folder: &Path) -> Project {
    let project = builtin("lenet-mnist");
    let runs = folder.join("runs");
    run_of(
        &runs.join("first"),
        &project,
        "2026-01-01T10:00:00",
        0.97,
        80.0,
    );
    let mut second = project.clone();
    second.stages[0].optimizer = "sgd lr=0.1".parse().unwrap();
    run_of(
        &runs.join("second"),
        &second,
        "2026-01-02T10:00:00",
        0.95,
        70.0,
    );
    let mut third = project.clone();
    third.stages[0].batch = 128;
    third.network.head.pop();
    run_of(
        &runs.join("third"),
        &third,
        "2026-01-03T10:00:00",
        0.99,
        95.0,
    );
    project
}

fn show_three_runs(window: &mut Window) {
    window.show_alone(ViewKind::Runs);
    window.wait("the list", |state| {
        state.runs.list.len() == 3 && !state.runs.is_reading()
    });
}

#[test]
fn the_table_says_what_differs_and_what_was_reached() {
    let folder = tempfile::tempdir().unwrap();
    let project = three_runs(folder.path());
    let mut window = open(folder.path(), &project);
    show_three_runs(&mut window);
    assert!(window.has("first: head of 4 layers · batch 64 · optimizer adam lr=1e-3"));
    assert!(window.has("second: optimizer sgd lr=0.1 · head of 4 layers · batch 64"));
    assert!(window.has("third: head of 3 layers · batch 128"));
    assert!(window.has("best valid 96.00 %, test 97.00 %, time 1 min 20 s, parameters 431,080"));
    for dark in [true, false] {
        window.set_dark(dark);
        window.keep_picture(if dark {
            "runs/table-dark"
        } else {
            "runs/table-light"
        });
    }
    // The newest is above; by test the best is.
    assert!(top(&window, "Hide run third") < top(&window, "Hide run first"));
    window.click("Sort runs by test");
    assert!(top(&window, "Hide run third") < top(&window, "Hide run first"));
    assert!(top(&window, "Hide run first") < top(&window, "Hide run second"));
    window.click("Sort runs by test");
    assert!(top(&window, "Hide run second") < top(&window, "Hide run first"));
    window.type_over("Search runs", "sgd");
    assert!(window.has("Hide run second") && !window.has("Hide run first"));
    window.type_over("Search runs", " ");
    assert!(window.has("Hide run first"));
}

#[test]
fn a_note_stays_with_its_run() {
    let folder = tempfile::tempdir().unwrap();
    let project = three_runs(folder.path());
    let mut window = open(folder.path(), &project);
    show_three_runs(&mut window);
    window.enter("Note of run second", "too fast");
    let note = folder.path().join("runs/second/note.txt");
    assert_eq!(std::fs::read_to_string(&note).unwrap(), "too fast\n");
    window.harness.state_mut().handle(Action::ListRuns);
    window.wait("the list again", |state| {
        !state.runs.is_reading() && state.runs.list[1].note == "too fast"
    });
    window.enter("Note of run second", " ");
    assert!(!note.exists());
}

#[test]
fn runs_of_any_folder_are_laid_beside() {
    let folder = tempfile::tempdir().unwrap();
    let project = three_runs(folder.path());
    let elsewhere = tempfile::tempdir().unwrap();
    let mut other = project.clone();
    other.title = "Another course".to_owned();
    run_of(
        &elsewhere.path().join("theirs"),
        &other,
        "2025-01-01T10:00:00",
        0.90,
        10.0,
    );
    let mut window = open(folder.path(), &project);
    show_three_runs(&mut window);
    window.enter(
        "Path of further runs",
        folder.path().join("nothing").to_str().unwrap(),
    );
    assert!(window.has("There is no run in"));
    window.enter("Path of further runs", elsewhere.path().to_str().unwrap());
    window.wait("the list", |state| {
        state.runs.list.len() == 4 && !state.runs.is_reading()
    });
    assert!(window.has("Hide run theirs"));
    assert_eq!(
        window.state().runs.list[3].name,
        "theirs",
        "the project's own keep their colours"
    );
}

#[test]
fn smoothing_is_chosen_and_never_hides_a_batch_or_an_epoch() {
    let folder = tempfile::tempdir().unwrap();
    let project = three_runs(folder.path());
    let mut window = open(folder.path(), &project);
    let run = folder.path().join("runs/first");
    window.harness.state_mut().handle(Action::Open(run));
    window.wait("the curves", |state| !state.training.is_reading());
    window.show_alone(ViewKind::Loss);
    window.run();
    let before = window.state().training.curves.loss.clone();
    window.click("Smoothing of Loss");
    window.keep_picture("curves/smoothing");
    let slider = window.get("Steps to smooth over").rect();
    window.drag(
        slider.center(),
        slider.left_center() + eframe::egui::vec2(2.0, 0.0),
    );
    let state = window.state();
    assert!(state.view.smoothing < 5, "{}", state.view.smoothing);
    let after = &state.training.curves.loss;
    assert_eq!(
        before.raw.points().collect::<Vec<_>>(),
        after.raw.points().collect::<Vec<_>>()
    );
    assert_eq!(before.valid, after.valid);
    assert_ne!(
        before.smooth.points().collect::<Vec<_>>(),
        after.smooth.points().collect::<Vec<_>>()
    );
    assert!(state.training.curves.is_smoothed_over(state.view.smoothing));
}

/// From a dark window: a light picture for print, as pixels and as SVG, and one for the clipboard.
#[test]
fn a_picture_is_saved_on_a_light_ground_and_copied() {
    let folder = tempfile::tempdir().unwrap();
    let project = three_runs(folder.path());
    let mut window = open(folder.path(), &project);
    window.set_dark(true);
    let run = folder.path().join("runs/first");
    window.harness.state_mut().handle(Action::Open(run));
    window.wait("the curves", |state| !state.training.is_reading());
    window.show_alone(ViewKind::Loss);
    window.run();
    let corner = |path: &Path| image::open(path).unwrap().to_rgb8().get_pixel(3, 3).0[0];
    let mut save = |name: &str, light: bool| {
        let ask = Action::AskPath(PathPurpose::Picture(ViewKind::Loss));
        window.harness.state_mut().handle(ask);
        window.run();
        if window.state().view.light_pictures != light {
            window.click("Light background");
        }
        window.keep_picture("pictures/path-bar");
        let path = folder.path().join(name);
        window.enter("Path", path.to_str().unwrap());
        window.wait("the file", |state| !state.is_saving_pictures());
        path
    };
    let dark = save("dark.png", false);
    let light = save("light.png", true);
    assert!(corner(&dark) < 60 && corner(&light) > 200);
    let svg = save("plot.svg", true);
    let text = std::fs::read_to_string(svg).unwrap();
    assert!(text.starts_with("<svg") && text.contains("loss (cross-entropy)"));
    let ask = Action::AskPath(PathPurpose::Picture(ViewKind::Loss));
    window.harness.state_mut().handle(ask);
    window.run();
    window.click("Copy picture");
    assert!(window.state().ask.is_none());
    window.wait("the picture", |state| {
        let note = state.messages.note();
        note.is_some_and(|note| note.text.contains("on the clipboard"))
    });
}
