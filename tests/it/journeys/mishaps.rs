//! What goes wrong around the window: it says so, loses nothing and lives on.

use crate::kit::window::*;
use eframe::egui::{Key, Modifiers};
use std::fs;
use strata::app::action::Action;
use strata::engine::event::Event;
use strata::inspect::saliency::Saliency;
use strata::project::{Stack, file};

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
fn what_a_run_has_warned_of_goes_with_its_project_and_with_the_next_run() {
    let folder = tempfile::tempdir().unwrap();
    let other = folder.path().join("other.toml");
    file::save(&builtin("lenet-mnist"), &other).unwrap();
    let (engine, start) = fake_engine();
    let mut window = Window::new(classifier(), SIZE, start);
    let warned = |window: &mut Window| {
        window.click("Train");
        engine.tell(started(&folder.path().join("run")));
        engine.tell(Event::Warning {
            message: "images are stretched".into(),
            in_window: "images are stretched".into(),
        });
        window.run();
        assert!(window.has("images are stretched"));
        engine.with(|run| run.events = None);
        window.wait("the end", |state| !state.training.is_running());
    };
    warned(&mut window);
    window.click("Train");
    assert!(!window.has("images are stretched"), "of the run before");
    engine.with(|run| run.events = None);
    window.wait("the end", |state| !state.training.is_running());
    warned(&mut window);
    window.harness.state_mut().handle(Action::Open(other));
    window.run();
    assert!(!window.has("images are stretched"), "of another project");
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
fn a_file_that_is_no_project_is_no_reason_to_ask_about_unsaved_changes() {
    let folder = tempfile::tempdir().unwrap();
    let notes = folder.path().join("notes.md");
    fs::write(&notes, "# Notes\n\nNothing to train.\n").unwrap();
    let mut window = Window::idle("conv-autoencoder");
    window.enter("encoder.0", "conv 8 k8 s4 p2");
    window
        .harness
        .state_mut()
        .handle(Action::Open(notes.clone()));
    window.run();
    assert!(window.has("notes.md") && !window.has("has unsaved changes"));
    assert_eq!(window.texts(Stack::Encoder)[0], "conv 8 k8 s4 p2");
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

/// What is given as a project and is none is named with what to do here: no command, no key of the file.
#[test]
fn a_file_of_another_kind_is_told_what_to_do_with_it_here() {
    let folder = tempfile::tempdir().unwrap();
    for (name, bytes, said) in [
        (
            "a.png",
            &b"\x89PNG\r\n\x1a\n\0"[..],
            "drop it on the window",
        ),
        (
            "net.py",
            &b"format = 'a'\nimport torch\n"[..],
            "paste them among the layers",
        ),
        (
            "net.ipynb",
            &b"{\"nbformat\": 4}"[..],
            "paste them among the layers",
        ),
        ("a.bin", &b"\x93NUMPY\x01\0"[..], "drop it on the window"),
        ("b.bin", &b"\x1f\x8b\x08\0"[..], "packed file"),
        ("c.bin", &b"RIFF\0\0\0\0WAVE"[..], "class folders"),
        ("d.bin", &b"\x80\x04\0"[..], "pickle"),
        (
            "README.md",
            &b"Some words\n"[..],
            "project of the start page",
        ),
    ] {
        let path = folder.path().join(name);
        fs::write(&path, bytes).unwrap();
        let error = file::load(&path).unwrap_err();
        let text = error.in_window();
        assert!(
            text.contains("is no project") && text.contains(said),
            "{text}"
        );
        assert_eq!(crate::kit::words::foreign(&text), None, "{text}");
        for part in ["TOML", "format =", "source =", "strata new"] {
            assert!(!text.contains(part), "{text}");
        }
        let mut window = Window::idle("conv-autoencoder");
        window
            .harness
            .state_mut()
            .handle(Action::Open(path.clone()));
        window.run();
        assert!(!window.has("`") && !window.has("format ="), "{name}");
    }
}
