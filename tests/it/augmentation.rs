//! Augmentation as people meet it: text in the project file, the view with its list, the picture of the terminal.

use crate::kit::terminal::{code, err, out};
use crate::kit::{terminal, window::*};
use eframe::egui::vec2;
use std::path::Path;
use std::process::Output;
use strata::app::action::{Action, OnView};
use strata::app::state::State;
use strata::app::view_kind::ViewKind;
use strata::inspect::augmented::{ALONE, Augmented, TOGETHER};
use strata::project::{Project, file};

const PROJECT: &str = "format = 1\n[data]\nsource = \"shapes\"\nlimit = 64\n\
    augment = [\"hflip p0.5\", \"rotate 18\", { choice = [\"noise 0.05\", \"blur 5\"] }]\n\
    [network]\ninput = \"3x32x32\"\nencoder = [\"conv 4 k3 p1\"]\n";

fn project() -> Project {
    file::parse(PROJECT, "test").unwrap()
}

fn strata(folder: &Path, arguments: &[&str]) -> Output {
    terminal::strata(folder, &[&["data"][..], arguments].concat())
}

/// A window that shows nothing but the view of augmentation.
fn open(project: &Project, size: [f32; 2]) -> Window {
    let mut window = Window::real(project.clone(), vec2(size[0], size[1]));
    window.show_alone(ViewKind::Augmentation);
    settle(&mut window);
    window
}

fn answer(state: &State) -> Option<&Augmented> {
    state
        .inspections
        .reply_to(&state.augment_query())?
        .result
        .as_deref()
        .ok()
}

fn settle(window: &mut Window) {
    window.run();
    window.wait("pictures", |state| answer(state).is_some());
}

fn texts(window: &Window) -> Vec<String> {
    window
        .state()
        .project()
        .data
        .augment
        .iter()
        .map(ToString::to_string)
        .collect()
}

#[test]
fn a_list_in_the_file_is_read_and_written_again() {
    let project = project();
    let again = file::parse(&file::to_text(&project), "again").unwrap();
    assert_eq!(again, project);
    let only_tables = PROJECT.replace("\"hflip p0.5\", \"rotate 18\", ", "");
    let project = file::parse(&only_tables, "test").unwrap();
    assert_eq!(
        file::parse(&file::to_text(&project), "again").unwrap(),
        project,
        "{}",
        file::to_text(&project)
    );
    let error = file::parse(&PROJECT.replace("rotate 18", "rotaet 18"), "p.toml")
        .unwrap_err()
        .to_string();
    assert!(
        error.starts_with(
            "p.toml, line 5: [data] augment, entry 2: there is no augmentation `rotaet`"
        ),
        "{error}"
    );
    assert!(error.ends_with("did you mean `rotate`?"), "{error}");
}

#[test]
fn the_view_shows_each_transform_and_edits_the_list() {
    let mut window = open(&project(), [1280.0, 720.0]);
    let seen = answer(window.state()).unwrap();
    assert_eq!(
        (
            seen.alone.len(),
            seen.together.count(3),
            seen.alone[1].count(3)
        ),
        (3, TOGETHER, ALONE)
    );
    assert!(window.has("train image 1 of 64") && window.has("epochs 1 to 12"));

    window.enter("Transform 2", "rotate 45 bilinear");
    settle(&mut window);
    assert_eq!(texts(&window)[1], "rotate 45 bilinear");
    window.enter("Transform 2", "rotate north");
    assert!(window.has("must be a number from 0 to 360"));
    assert_eq!(texts(&window)[1], "rotate 45 bilinear");
    window.enter("Transform 2", "rotate 45 bilinear");

    window.click("Move up transform 2");
    window.click("Remove transform 3");
    settle(&mut window);
    assert_eq!(texts(&window), ["rotate 45 bilinear", "hflip p0.5"]);
    window.click("Add a transform");
    window.click("Add crop");
    settle(&mut window);
    assert_eq!(texts(&window)[2], "crop 32 pad4");

    window.click("Another image");
    settle(&mut window);
    assert!(window.has("train image 2 of 64"));
    window.click("Other draws");
    settle(&mut window);
    assert!(window.has("epochs 13 to 24"));
    window.click("Apply augmentation");
    assert!(!window.state().project().data.use_augment);
    assert!(window.has("the training gets the images as they are"));
}

#[test]
fn a_transform_that_means_nothing_says_so_at_its_field() {
    let mut project = project();
    project.data.augment = vec!["crop 99".parse().unwrap()];
    let window = open(&project, [1280.0, 720.0]);
    assert!(window.has("crop 99 is larger than the images, which are 32×32"));
}

#[test]
fn the_terminal_draws_the_same_as_a_picture() {
    let folder = tempfile::tempdir().unwrap();
    let output = strata(
        folder.path(),
        &[
            "shapes",
            "--augment",
            "hflip p1",
            "rotate 18",
            "--image-index",
            "3",
            "-o",
            "seen.png",
        ],
    );
    assert_eq!(code(&output), 0, "{}", err(&output));
    assert_eq!(err(&output), "");
    let text = out(&output);
    assert!(text.contains("row 1: image 3 of train"), "{text}");
    assert!(text.contains("row 3: rotate 18"), "{text}");
    let picture = image::open(folder.path().join("seen.png")).unwrap();
    // One picture and eight draws across, three rows, pixels doubled, gaps of four.
    assert_eq!(
        (picture.width(), picture.height()),
        (9 * 68 + 4, 3 * 68 + 4)
    );
    for (arguments, part) in [
        (
            &["shapes", "--augment", "rotaet 18"][..],
            "did you mean `rotate`?",
        ),
        (
            &["shapes", "--augment", "crop 99"],
            "`crop 99` is larger than the images",
        ),
        (
            &["shapes", "--augment", "hflip", "--image-index", "999999"],
            "is past the end",
        ),
        (
            &["shapes", "--augment", "hflip", "-o", "seen.jpg"],
            "write -o seen.png",
        ),
        (&["shapes", "--image-index", "3"], "--augment"),
    ] {
        let output = strata(folder.path(), arguments);
        let message = err(&output);
        assert_ne!(code(&output), 0, "{arguments:?}: {message}");
        assert!(message.contains(part), "{arguments:?}: {message}");
    }
}

#[test]
#[ignore = "writes pictures"]
fn pictures_of_the_view() {
    for (name, size, dark) in [
        ("small-dark", [1280.0, 720.0], true),
        ("large-light", [1920.0, 1080.0], false),
    ] {
        let mut window = open(&project(), size);
        window.set_dark(dark);
        window.run();
        window.write_picture(&format!("augmentation/{name}"));
        window
            .harness
            .state_mut()
            .handle(Action::View(OnView::Reset));
        window
            .harness
            .state_mut()
            .handle(Action::View(OnView::Open(ViewKind::Augmentation, None)));
        settle(&mut window);
        window.write_picture(&format!("augmentation/{name}-workspace"));
    }
}
