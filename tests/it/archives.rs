//! Archives of data: described and unpacked in the terminal and by a click, then used; one undo takes all of it back.

use crate::kit::terminal::{code, err, json, out, strata};
use crate::kit::window::*;
use std::io::{Cursor, Write};
use std::path::Path;
use std::sync::Arc;
use strata::app::action::Action;
use strata::app::arrangement::Workspace;
use strata::app::dialogs::{Chosen, Wanted};
use strata::app::view_kind::ViewKind;
use strata::project::data::Source;
use strata_testkit::files::write;
use zip::write::SimpleFileOptions;

/// Pictures of two classes in a zip file, twelve of each for training and two for testing.
fn pets() -> Vec<u8> {
    let mut out = zip::ZipWriter::new(Cursor::new(Vec::new()));
    let mut add = |name: String, shade: u8| {
        let picture = image::GrayImage::from_fn(16, 16, |x, y| {
            image::Luma([shade.wrapping_mul(7) ^ (x * 12 + y * 9) as u8])
        });
        let mut png = Cursor::new(Vec::new());
        picture.write_to(&mut png, image::ImageFormat::Png).unwrap();
        out.start_file(name, SimpleFileOptions::default()).unwrap();
        out.write_all(png.get_ref()).unwrap();
    };
    for (at, class) in (0u8..).zip(["cat", "dog"]) {
        (0..12).for_each(|n| add(format!("pets/train/{class}/{n}.png"), 40 * at + n));
        (0..2).for_each(|n| add(format!("pets/test/{class}/{n}.png"), 40 * at + 20 + n));
    }
    out.start_file("__MACOSX/._pets", SimpleFileOptions::default())
        .unwrap();
    out.finish().unwrap().into_inner()
}

#[test]
fn an_archive_is_described_unpacked_and_used_in_the_terminal() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), "pets.zip", &pets());
    let run = |args: &[&str]| strata(folder.path(), &[&["data"], args].concat());
    let described = run(&["pets.zip", "--json"]);
    let value = json(&described);
    assert_eq!(value["archive"]["files"], 28);
    assert_eq!(value["archive"]["is_unpacked"], false);
    assert_eq!(value["source"], "folder");
    assert_eq!(value["settings"][1], "path = \"pets\"");
    assert_eq!(
        value["splits"]["train"]["per_class"],
        serde_json::json!([12, 12])
    );
    assert_eq!(value["splits"]["test"]["images"], 4);
    let text = out(&run(&["pets.zip"]));
    assert!(
        text.contains("2 classes: cat, dog") && text.contains("strata data \"pets.zip\" --unpack")
    );
    // A project that names the archive is told what to do.
    let refused = run(&["folder", "--path", "pets.zip", "--fetch"]);
    assert_eq!(code(&refused), 2);
    let unpacked = run(&["pets.zip", "--unpack", "--json"]);
    assert!(
        err(&unpacked).contains("unpacked into pets"),
        "{}",
        err(&unpacked)
    );
    let value = json(&unpacked);
    assert_eq!(value["source"], "folder");
    assert_eq!(value["shape"], serde_json::json!([1, 16, 16]));
    assert_eq!(value["splits"]["test"]["images"], 4);
    let value = json(&run(&["pets.zip", "--json"]));
    assert_eq!(value["archive"]["is_unpacked"], true);
    // The folder is recognised too, and says the same.
    let value = json(&run(&["pets", "--json"]));
    assert_eq!(
        value["settings"],
        serde_json::json!(["source = \"folder\"", "path = \"pets\""])
    );
    assert_eq!(value["input"], "1x16x16");
    let text = out(&run(&["pets"]));
    assert!(
        text.ends_with("input = \"1x16x16\", and a head that ends in dense 2\n"),
        "{text}"
    );
    assert!(
        text.starts_with("recognised as folder: a folder of images\n"),
        "{text}"
    );
}

#[test]
fn what_is_wrong_with_an_archive_is_one_message() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), "half.zip", &pets()[..900]);
    write(folder.path(), "notes.txt", b"no archive");
    for (args, message) in [
        (["half.zip", "--json"], "the archive is damaged"),
        (["notes.txt", "--unpack"], "--unpack needs an archive"),
        (
            ["nothing.zip", "--unpack"],
            "there is no such file or folder",
        ),
    ] {
        let refused = strata(folder.path(), &[&["data"], &args[..]].concat());
        assert_eq!(code(&refused), 2, "{message}");
        assert!(err(&refused).contains(message), "{}", err(&refused));
    }
}

#[test]
fn a_project_of_an_archive_says_how_to_unpack_it() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), "pets.zip", &pets());
    let text = "format = 1\n[data]\nsource = \"folder\"\npath = \"pets.zip\"\n[network]\ninput = \"1x16x16\"\nhead = [\"flatten\", \"dense 2\"]\n[[stage]]\nname = \"c\"\ntask = \"classify\"\nloss = \"cross-entropy\"\nepochs = 1\nbatch = 8\n";
    write(folder.path(), "p.toml", text.as_bytes());
    let refused = strata(folder.path(), &["train", "p.toml"]);
    let message = err(&refused);
    assert_eq!(code(&refused), 2);
    assert!(
        message.contains("an archive of 28 files") && message.contains("2 classes: cat, dog"),
        "{message}"
    );
    assert!(message.contains("pets.zip\" --unpack"), "{message}");
}

/// The window after something was dropped on it.
fn dropped(path: &Path) -> Window {
    let mut window = Window::real(builtin("lenet-mnist"), SIZE);
    let action = strata::gui::drop::action(path);
    window.harness.state_mut().handle(action);
    window.run();
    window
}

#[test]
fn a_dropped_archive_is_unpacked_fitted_and_taken_back_at_once() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), "pets.zip", &pets());
    let mut window = dropped(&folder.path().join("pets.zip"));
    let before = builtin("lenet-mnist");
    assert_eq!(window.state().view.workspace, Workspace::Data);
    window.wait_for(crate::kit::PATIENCE, "what it holds", |window| {
        window.has("2 classes: cat, dog")
    });
    window.click("Unpack the archive");
    window.wait_for(crate::kit::PATIENCE, "the images", |window| {
        window.has("Fit the network")
    });
    let data = &window.state().project().data;
    assert_eq!(data.source, Source::Folder);
    assert!(data.path.as_ref().unwrap().ends_with("pets"));
    window.click("Fit the network");
    let network = &window.state().project().network;
    assert_eq!(network.input.to_string(), "1×16×16");
    assert_eq!(network.head.last().unwrap().text(), "dense 2");
    assert!(!window.has("Fit the network"), "it fits");
    window.harness.state_mut().handle(Action::Undo);
    window.run();
    assert_eq!(
        *window.state().project(),
        before,
        "one undo takes all of it back"
    );
}

#[test]
fn a_folder_or_a_file_is_chosen_with_a_button_and_goes_as_a_drop_does() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), "pets.zip", &pets());
    write(folder.path(), "digits.csv", b"label,pixel0,pixel1\n");
    write(folder.path(), "set/train-images-idx3-ubyte", b"");
    for (button, file, source) in [
        ("Browse for a data file", "digits.csv", Source::Csv),
        ("Browse for a data file", "pets.zip", Source::Folder),
        ("Browse for a data folder", "set", Source::Mnist),
    ] {
        let path = folder.path().join(file);
        let chosen = path.clone();
        let picker = move |wanted| match wanted {
            Wanted::DataFile if chosen.is_file() => Some(Chosen::DataFile(chosen.clone())),
            Wanted::DataFolder if chosen.is_dir() => Some(Chosen::DataFolder(chosen.clone())),
            other => panic!("{other:?} was wanted for {}", chosen.display()),
        };
        let mut window = Window::with_dialogs(builtin("lenet-mnist"), Arc::new(picker));
        window.show_workspace(Workspace::Training);
        window.click(button);
        let mut as_dropped = dropped(&path);
        let place = as_dropped.state().project().data.path.clone();
        window.wait("what was chosen", |state| {
            state.project().data.path == place
        });
        let data = &window.state().project().data;
        assert_eq!(data.source, source, "{file}");
        assert_eq!(window.state().view.workspace, Workspace::Data, "{file}");
        as_dropped.harness.state_mut().handle(Action::CancelReading);
    }
}

#[test]
fn a_drop_shows_what_was_recognised() {
    let folder = tempfile::tempdir().unwrap();
    let pixels = |label: usize| format!("{label}{}\n", format!(",{}", 9 * label).repeat(16));
    let names: String = (0..16).map(|at| format!(",pixel{at}")).collect();
    let rows: String = (0..12).map(|row| pixels(3 + row % 2)).collect();
    let table = format!("label{names}\n{rows}");
    write(folder.path(), "digits.csv", table.as_bytes());
    let mut window = Window::real(builtin("lenet-mnist"), SIZE);
    // The view was closed by its user, and the start page lies over everything.
    window.show_workspace(Workspace::Data);
    window.show_column(&[ViewKind::Statistics]);
    for workspace in [Workspace::Design, Workspace::Training] {
        window.show_workspace(workspace);
        let path = folder.path().join("digits.csv");
        let state = window.harness.state_mut();
        state.handle(Action::Start(true));
        state.handle(strata::gui::drop::action(&path));
        window.run();
        assert!(!window.state().start);
        assert_eq!(window.state().view.workspace, Workspace::Data);
        let fronts = window.state().arrangement().fronts();
        assert!(fronts.contains(&ViewKind::Data), "{fronts:?}");
        assert!(window.has("as csv (the table digits.csv)"));
        window.wait_for(crate::kit::PATIENCE, "the images", |window| {
            window.has("3") && window.has("Fit the network")
        });
    }
}

#[test]
fn a_dropped_folder_is_fitted_and_taken_back_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let mut archive = zip::ZipArchive::new(Cursor::new(pets())).unwrap();
    archive.extract(folder.path()).unwrap();
    let mut window = dropped(folder.path());
    window.show_workspace(Workspace::Data);
    window.wait_for(crate::kit::PATIENCE, "the images", |window| {
        window.has("Fit the network")
    });
    window.click("Fit the network");
    window.harness.state_mut().handle(Action::Undo);
    window.run();
    assert_eq!(*window.state().project(), builtin("lenet-mnist"));
}
