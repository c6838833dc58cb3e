//! What goes wrong around the window: it says so, loses nothing and lives on.

use crate::kit::window::*;
use eframe::egui::{Key, Modifiers};
use std::fs;
use strata::app::action::Action;
use strata::inspect::saliency::Saliency;
use strata::project::file;

#[test]
fn a_run_folder_half_written_shows_what_there_is() {
    let folder = tempfile::tempdir().unwrap();
    let run = folder.path().join("half-1");
    fs::create_dir(&run).unwrap();
    file::save(&builtin("conv-autoencoder"), &run.join("project.toml")).unwrap();
    fs::write(
        run.join("steps.csv"),
        "step,stage,epoch,loss,lr\n1,reconstruct,1,0.5,0.001\n2,reconstruct,1,0.4",
    )
    .unwrap();
    let mut window = Window::idle("lenet-mnist");
    window.harness.state_mut().handle(Action::Open(run.clone()));
    window.wait("its curves and the refusal", |state| {
        !state.training.is_reading() && state.filters().is_some_and(|seen| seen.is_err())
    });
    assert_eq!(
        window.state().project().title,
        "One-layer convolutional autoencoder"
    );
    // The row that was cut off may have lost digits too.
    assert_eq!(window.state().training.curves.steps(), 1);
    assert!(
        window.has("No filters to show") && window.has("checkpoint"),
        "no checkpoint was written yet"
    );
    window.click("Saliency view");
    window.wait("the refusal", |state| {
        state.inspections.latest::<Saliency>().is_some()
    });
    assert!(window.has("No saliency of this"));
    window.enter("encoder.0", "conv 16 k8 s4 p2");
    assert!(
        window.has("output 3×32×32 = input 3×32×32"),
        "the project can be worked on"
    );
}

#[test]
fn a_project_deleted_under_the_window_is_saved_again_or_elsewhere() {
    let folder = tempfile::tempdir().unwrap();
    let (inside, gone) = (
        folder.path().join("inside"),
        folder.path().join("inside/mine.toml"),
    );
    fs::create_dir(&inside).unwrap();
    file::save(&builtin("conv-autoencoder"), &gone).unwrap();
    let mut window = Window::idle("lenet-mnist");
    window
        .harness
        .state_mut()
        .handle(Action::Open(gone.clone()));
    window.run();
    fs::remove_file(&gone).unwrap();
    window.enter("encoder.0", "conv 8 k8 s4 p2");
    window.press(Modifiers::COMMAND, Key::S);
    let first = |path: &std::path::Path| file::load(path).unwrap().network.encoder[0].text();
    assert_eq!(first(&gone), "conv 8 k8 s4 p2");
    fs::remove_dir_all(&inside).unwrap();
    window.enter("encoder.0", "conv 9 k8 s4 p2");
    window.press(Modifiers::COMMAND, Key::S);
    assert!(
        window.has("mine.toml") && window.state().is_unsaved(),
        "it says where it could not save"
    );
    let elsewhere = folder.path().join("elsewhere.toml");
    window.press(Modifiers::COMMAND | Modifiers::SHIFT, Key::S);
    window.enter("Path", elsewhere.to_str().unwrap());
    assert_eq!(first(&elsewhere), "conv 9 k8 s4 p2");
    assert!(!window.state().is_unsaved());
}

#[test]
fn unsaved_changes_are_asked_about_while_a_path_bar_is_open() {
    let folder = tempfile::tempdir().unwrap();
    let other = folder.path().join("other.toml");
    file::save(&builtin("lenet-mnist"), &other).unwrap();
    let mut window = Window::idle("conv-autoencoder");
    window.enter("encoder.0", "conv 8 k8 s4 p2");
    window.press(Modifiers::COMMAND, Key::O);
    window.enter("Path", other.to_str().unwrap());
    assert!(
        window.has("has unsaved changes"),
        "the question takes the place of the bar"
    );
    window.click("Discard changes");
    assert_eq!(window.state().project().title, "LeNet for MNIST");
    window.enter("encoder.0", "conv 8 k5");
    window.press(Modifiers::COMMAND, Key::O);
    window.harness.state_mut().handle(Action::Close);
    window.run();
    assert!(window.has("has unsaved changes"));
}

#[test]
fn the_path_bar_starts_afresh_each_time() {
    let mut window = Window::idle("conv-autoencoder");
    window.press(Modifiers::COMMAND, Key::O);
    window.type_over("Path", "/some/where");
    window.click("Close path bar");
    window.press(Modifiers::COMMAND, Key::O);
    assert_eq!(window.get("Path").value().unwrap_or_default(), "");
    window.get("Path").type_text("/no/such.toml");
    window.run();
    window.click("Open path");
    assert!(
        window.has("cannot read /no/such.toml"),
        "what was typed last is what is opened"
    );
}

#[test]
fn a_file_that_is_missing_is_told_without_commands() {
    let mut window = Window::idle("conv-autoencoder");
    let missing = Action::Open("/no/such.toml".into());
    window.harness.state_mut().handle(missing);
    window.run();
    assert!(window.has("begin with a project of the start page"));
    assert!(!window.has("strata new"));
}
