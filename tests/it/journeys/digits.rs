//! A course's first classifier: from the start page to the accuracy on images that were never trained on, and to the
//! picture of what is taken for what.

use crate::kit::window::*;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use strata::app::action::{Action, Show};
use strata::app::dialogs::{Chosen, Wanted};
use strata::app::services::StartRun;
use strata::app::state::{State, Switch};
use strata::engine::thread;
use strata::inspect::confusion::Confusion;
use strata_testkit::folders::real_data;

/// The engine, with its runs in this folder.
fn engine_in(folder: &Path) -> StartRun {
    let base = folder.to_path_buf();
    Box::new(move |project, mut options, wake| {
        options.base = base.clone();
        thread::start(project, options, move || wake())
    })
}

/// A window on the start page, whose file dialog is answered with this folder.
fn window(runs: &Path, images: PathBuf) -> Window {
    let picker = move |wanted: Wanted| match wanted {
        Wanted::DataFolder => Some(Chosen::DataFolder(images.clone())),
        Wanted::Path(_) | Wanted::DataFile | Wanted::Image => None,
    };
    let mut window = Window::asking(
        builtin("conv-autoencoder"),
        engine_in(runs),
        Arc::new(picker),
    );
    window.harness.state_mut().handle(Action::Start(true));
    window.run();
    window
}

/// A few images, so that it does not take long. Typed, not clicked.
fn shorten(window: &mut Window) {
    let splits = Action::Show(Show::Switch(Switch::Group("Splits", true)));
    window.harness.state_mut().handle(splits);
    window.run();
    window.enter("Image limit", "600");
    window.enter("Epochs", "2");
}

#[test]
fn digits_are_learnt_and_tested_in_six_clicks() {
    let Some(data) = real_data("digits_are_learnt_and_tested_in_six_clicks") else {
        return;
    };
    let runs = tempfile::tempdir().unwrap();
    let mut window = window(runs.path(), data.join("mnist"));
    let mut clicks = 0;
    let mut click = |window: &mut Window, label: &str| {
        clicks += 1;
        window.click(label);
    };
    let ended = |state: &State| !state.training.is_running();
    click(&mut window, "Start from lenet-mnist");
    // The bar says that the images are missing before anything is started.
    window.wait("the look for the images", |state| {
        state.missing_data().is_some()
    });
    window.run();
    click(&mut window, "Browse to train");
    window.wait("the folder", |state| state.project().data.path.is_some());
    shorten(&mut window);
    click(&mut window, "Train");
    window.wait("the end", ended);
    let results = window.state().training.curves.results();
    assert!(results.contains("test loss"), "{results}");
    let Some((_, accuracy)) = results
        .split_once("test loss")
        .and_then(|(_, test)| test.split_once(", "))
    else {
        panic!("no accuracy on the test images: {results}");
    };
    let percent: f64 = accuracy.split(' ').next().unwrap().parse().unwrap();
    assert!(percent > 30.0, "{results}");
    assert!(window.has(&results), "it stays on screen");
    click(&mut window, "Confusion view");
    window.wait("the matrix", |state| {
        state.inspections.latest::<Confusion>().is_some()
    });
    click(&mut window, "Save picture of Confusion");
    click(&mut window, "Save path");
    window.wait("the picture", |state| !state.is_saving_pictures());
    let run = window.state().training.run.clone().unwrap();
    let saved = std::fs::read_dir(&run)
        .unwrap()
        .filter_map(|entry| entry.unwrap().file_name().into_string().ok());
    let pictures: Vec<String> = saved
        .filter(|name| name.starts_with("confusion-step-"))
        .collect();
    assert_eq!(pictures.len(), 1, "{pictures:?}");
    assert_eq!(image::open(run.join(&pictures[0])).unwrap().width(), 1920);
    assert_eq!(clicks, 6);
}
