//! Of runs of each kind: every view.

use super::{SIZES, Screen, settle, sizes};
use crate::every_inspection::KINDS;
use crate::kit::window::*;
use std::path::{Path, PathBuf};
use std::time::Duration;
use strata::app::action::{Action, Show};
use strata::app::view_kind::ViewKind;
use strata::project::data::{DataSpec, Source};
use strata::project::{Project, Stack, file};
use strata_testkit::folders::real_data;
use strata_testkit::networks::nodes;

const TRAINING: Duration = Duration::from_secs(600);

/// Trains once; what is shown of the run is read from its folder in every size.
fn trained(folder: &Path, project: &Project) -> PathBuf {
    let mut window = open(folder, project);
    window.click("Train");
    window.wait_at_most(TRAINING, "the end", |state| !state.training.is_running());
    window.state().training.run.clone().unwrap()
}

fn of_runs(name: &str, project: &Project) {
    let folder = tempfile::tempdir().unwrap();
    let run = trained(folder.path(), project);
    let mut faults = Vec::new();
    for size in sizes() {
        let mut screen = Screen::of(project.clone(), size);
        screen.act([Action::Open(run.clone())]);
        screen.window.select(Stack::Encoder, 0);
        screen.views(name);
        faults.extend(screen.faults);
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
#[ignore = "writes pictures"]
fn pictures_of_a_trained_classifier() {
    of_runs("classifier", &classifier());
}

#[test]
#[ignore = "writes pictures"]
fn pictures_of_a_trained_autoencoder() {
    let mut project = builtin("conv-autoencoder");
    project.data.limit = Some(200);
    project.stages[0].epochs = 3;
    of_runs("autoencoder", &project);
}

#[test]
#[ignore = "writes pictures"]
fn pictures_of_a_sparse_code() {
    let mut project = builtin("sparse-autoencoder");
    project.stages[0].epochs = 4;
    of_runs("sparse", &project);
}

#[test]
#[ignore = "writes pictures"]
fn pictures_of_a_u_net() {
    let mut project = builtin("unet");
    project.data.limit = Some(24);
    project.stages[0].epochs = 1;
    of_runs("unet", &project);
}

#[test]
#[ignore = "writes pictures"]
fn pictures_of_digits() {
    let Some(data) = real_data("pictures_of_digits") else {
        return;
    };
    let mut project = builtin("lenet-mnist");
    project.data.path = Some(data.join("mnist").display().to_string());
    project.data.limit = Some(2000);
    project.stages[0].epochs = 3;
    of_runs("digits", &project);
}

#[test]
#[ignore = "writes pictures"]
fn pictures_of_satellite_images() {
    let Some(data) = real_data("pictures_of_satellite_images") else {
        return;
    };
    let mut project = builtin("keras-cifar");
    project.title = "Land use from satellite images".to_owned();
    project.data = DataSpec {
        source: Source::Eurosat,
        path: Some(data.join("eurosat/EuroSAT_RGB").display().to_string()),
        resize: Some([32, 32]),
        limit: Some(600),
        ..project.data
    };
    project.stages[0].epochs = 3;
    of_runs("satellite", &project);
}

#[test]
#[ignore = "writes pictures"]
fn pictures_of_signals_and_volumes() {
    for (kind, sizes) in KINDS {
        let folder = tempfile::tempdir().unwrap();
        of_runs(
            kind,
            &crate::every_inspection::project(folder.path(), sizes),
        );
    }
}

#[test]
#[ignore = "writes pictures"]
fn pictures_before_a_training() {
    for size in sizes() {
        let mut screen = Screen::of(builtin("pretrain-classify"), size);
        screen.views("empty");
        screen.finish();
    }
}

/// Several runs and a baseline: the table, the comparison, and a run that is laid beside others.
#[test]
#[ignore = "writes pictures"]
fn pictures_of_a_comparison() {
    let folder = tempfile::tempdir().unwrap();
    let mut project = classifier();
    project.title = "A classifier with a name that is longer than usual".to_owned();
    project.stages[0].epochs = 4;
    trained(folder.path(), &project);
    for (optimizer, channels) in [("sgd lr=0.1 momentum=0.9", 8), ("adam lr=1e-2", 16)] {
        project.stages[0].optimizer = optimizer.parse().unwrap();
        project.network.encoder = nodes(&[&format!("conv {channels} k3 s2 p1"), "relu"]);
        trained(folder.path(), &project);
    }
    fit_a_baseline(folder.path(), &project);
    for size in sizes() {
        let mut screen = Screen::of(project.clone(), size);
        screen.act([Action::Open(folder.path().join("project.toml"))]);
        screen.window.show_alone(ViewKind::Runs);
        screen.window.wait("the list", |state| {
            state.runs.list.len() == 3 && !state.runs.is_reading()
        });
        screen.look("comparison-runs");
        screen.window.show_alone(ViewKind::Compare);
        screen.look("comparison-choice");
        let state = screen.window.state();
        let of_runs = state.runs.list.iter().map(|run| run.path.clone());
        let of_baselines = state.runs.baselines.iter().map(|one| one.path.clone());
        let all: Vec<PathBuf> = of_runs.chain(of_baselines).collect();
        screen.act(
            all.into_iter()
                .map(|path| Action::Show(Show::Compared(path, true))),
        );
        screen.act([Action::Compare(true)]);
        screen
            .window
            .wait("the comparison", |state| state.comparing.shown.is_some());
        screen.look("comparison-shown");
        screen.finish();
    }
}

fn fit_a_baseline(folder: &Path, project: &Project) {
    let mut window = open(folder, project);
    window.show_alone(ViewKind::Compare);
    window.run();
    window.click("Fit the baseline");
    window.wait("the baseline", |state| {
        state.baselines.progress().is_none() && !state.runs.baselines.is_empty()
    });
}

#[test]
#[ignore = "writes pictures"]
fn pictures_of_a_sweep_in_every_size() {
    let folder = tempfile::tempdir().unwrap();
    let lines = "seeds = 2\nstage.0.lr = [0.001, 0.003, 0.01]\nstage.0.batch = [16, 32]\n\
        encoder.0.out_channels = [4, 8]\nencoder.0.kernel_size = [3, 40]";
    let text = file::to_text(&classifier());
    let project = file::parse(&format!("{text}\n[sweep]\n{lines}\n"), "p").unwrap();
    let path = folder.path().join("p.toml");
    file::save(&project, &path).unwrap();
    for size in sizes() {
        let mut screen = Screen::of(project.clone(), size);
        screen.act([Action::Open(path.clone())]);
        screen.window.show_alone(ViewKind::Sweep);
        screen.window.wait("the trials", |state| {
            state.can_sweep() || state.sweeping.begun.is_some()
        });
        if screen.window.state().can_sweep() {
            screen.window.click("Train sweep");
            screen
                .window
                .wait_at_most(TRAINING, "the end", |state| !state.sweeping.is_running());
        }
        for page in ["Settings", "Trials", "Coordinates", "Effects", "Front"] {
            screen.window.click(&format!("Page {page} of the sweep"));
            screen.look(&format!("sweep-{page}"));
        }
        screen.finish();
    }
}

/// A run while it trains and while it is paused.
#[test]
#[ignore = "writes pictures"]
fn pictures_of_a_training() {
    let mut project = builtin("conv-autoencoder");
    project.stages[0].epochs = 1000;
    for size in sizes() {
        let folder = tempfile::tempdir().unwrap();
        let mut screen = Screen::of(project.clone(), size);
        let path = folder.path().join("project.toml");
        file::save(&project, &path).unwrap();
        screen.act([Action::Open(path), Action::Train]);
        screen
            .window
            .wait("steps", |state| state.training.curves.steps() > 40);
        screen.look("training-runs");
        screen.act([Action::Pause]);
        settle(&mut screen.window);
        screen.look("training-paused");
        screen.act([Action::Stop]);
        screen
            .window
            .wait("the end", |state| !state.training.is_running());
        screen.look("training-stopped");
        screen.finish();
    }
}

/// At 150 % of a usual screen every view of a run can be read.
#[test]
#[ignore = "takes minutes"]
fn long_every_view_can_be_read_at_150_percent() {
    let folder = tempfile::tempdir().unwrap();
    let project = classifier();
    let run = trained(folder.path(), &project);
    let mut screen = Screen::checked(project, SIZES[3]);
    screen.act([Action::Open(run)]);
    screen.window.select(Stack::Encoder, 0);
    screen.views("classifier");
    screen.finish();
}
