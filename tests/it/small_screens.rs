//! At a presentation size on a small projector there is no room for everything at once: each part is reached, nothing
//! leaves the window, and what keeps a training from being started is told where it has room.

use crate::kit::window::*;
use eframe::egui::{Key, Modifiers, Pos2, Rect, Vec2, vec2};
use egui_kittest::kittest::{NodeT, Queryable};
use strata::app::action::{Action, Show};
use strata::app::arrangement::Workspace;
use strata::app::view_kind::ViewKind;
use strata::project::data::Source;
use strata::project::{Project, Stack};

/// 1280×720 pixels at 200, 180 and 150 %, and a window that somebody drew small.
const SIZES: [Vec2; 4] = [
    vec2(640.0, 360.0),
    vec2(711.0, 400.0),
    vec2(853.0, 480.0),
    vec2(820.0, 560.0),
];

fn whole(size: Vec2) -> Rect {
    Rect::from_min_size(Pos2::ZERO, size).expand(0.5)
}

/// How wide the tiles of the views are together.
fn views_width(window: &Window) -> f32 {
    window.get("Add view beside Loss").rect().right() - window.get("Loss view").rect().left()
}

#[test]
fn a_small_projector_shows_every_part() {
    for size in SIZES {
        let mut window = Window::new(builtin("lenet-mnist"), size, no_engine());
        window.show_alone(ViewKind::Loss);
        window.run();
        let controls = [
            "Train",
            "Step",
            "Stop",
            "Report",
            "Export",
            "Undo",
            "Redo",
            "Workspace",
            "Device",
            "Show layers",
            "Show settings",
            "Switch theme",
        ];
        for label in controls {
            let place = window.get(label).rect();
            assert!(
                whole(size).contains_rect(place),
                "{size:?} {label}: {place:?}"
            );
        }
        assert!(
            views_width(&window) > 0.9 * size.x,
            "the views have all the room"
        );
        window.click("Show layers");
        let row = window.get("encoder.0").rect();
        assert!(whole(size).contains_rect(row), "{size:?}: {row:?}");
        assert!(views_width(&window) > 240.0, "{size:?}");
        // The settings take the place of the layers, and the other way about.
        window.press(Modifiers::COMMAND, Key::B);
        assert!(!window.state().shows_layers() && window.state().shows_settings());
        // What is below is scrolled to.
        let field = window.get("Batch").rect().x_range();
        assert!(
            whole(size).x_range().contains(field.max),
            "{size:?}: {field:?}"
        );
        assert!(views_width(&window) > 240.0, "{size:?}");
        window.press(Modifiers::COMMAND.plus(Modifiers::SHIFT), Key::B);
        assert!(window.state().shows_layers() && !window.state().shows_settings());
        // Who asks for a layer sees where it comes.
        window.click("Hide layers");
        window.select(Stack::Encoder, 0);
        window.press(Modifiers::NONE, Key::Insert);
        assert!(window.state().shows_layers());
        window.press(Modifiers::NONE, Key::Escape);
        // Every workspace and all that is done with files.
        window.click("Workspace");
        window.click("Design workspace");
        assert_eq!(window.state().view.workspace, Workspace::Design);
        window.press(Modifiers::NONE, Key::Escape);
        window.click("File ▾");
        for label in ["Examples and recent projects", "Open…", "Save", "Save as…"] {
            let place = window.get(label).rect();
            assert!(
                whole(size).contains_rect(place),
                "{size:?} {label}: {place:?}"
            );
        }
        window.click("Examples and recent projects");
        assert!(window.state().start);
    }
}

#[test]
fn a_large_window_can_give_the_layers_room_to_the_views() {
    let config = tempfile::tempdir().unwrap();
    let mut window = Window::kept("lenet-mnist", config.path());
    window.show_alone(ViewKind::Loss);
    window.run();
    let before = views_width(&window);
    window.find("hide layers");
    window.run();
    assert!(views_width(&window) > before + 300.0);
    assert!(window.harness.query_by_label("encoder.0").is_none());
    window.click("Show layers");
    assert!((views_width(&window) - before).abs() < 1.0);
    assert!(window.has("encoder.0"));
}

/// A project whose images are missing, the message of it, and the place of that.
fn without_images(path: &str, size: Vec2) -> Window {
    let mut project: Project = classifier();
    project.data.source = Source::Mnist;
    project.data.path = Some(path.to_owned());
    project.data.resize = None;
    project.network.input = "1x28x28".parse().unwrap();
    Window::new(project, size, no_engine())
}

#[test]
fn missing_images_are_told_before_a_training_with_what_mends_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("digits");
    for size in [SIZE, vec2(1920.0, 1080.0), SIZES[0]] {
        let _ = std::fs::remove_dir(&path);
        let mut window = without_images(&path.display().to_string(), size);
        window.wait("the look", |state| state.missing_data().is_some());
        window.run();
        assert!(window.has("there is nothing at") && !window.has("Ready to train"));
        for label in ["Download to train", "Browse to train"] {
            let place = window.get(label).rect();
            assert!(
                whole(size).contains_rect(place),
                "{size:?} {label}: {place:?}"
            );
        }
        // Who starts all the same is told by the run what it lacks.
        assert!(!window.get("Train").accesskit_node().is_disabled());
        std::fs::create_dir_all(&path).unwrap();
        let mut data = window.state().project().data.clone();
        data.path = Some(format!("{}/", path.display()));
        let edit = strata::project::edit::Edit::Data(data);
        window.harness.state_mut().handle(Action::Edit(edit));
        window.run();
        window.wait("the second look", |state| {
            state.has_looked_for_files() && state.missing_data().is_none()
        });
        window.run();
        assert!(window.has("Ready to train"), "{size:?}");
    }
}

#[test]
fn what_keeps_from_training_has_a_line_of_its_own_before_a_run() {
    let mut window = Window::idle("lenet-mnist");
    window.enter("encoder.0", "conv 20 k50");
    window.run();
    window.keep_picture("small/cannot-train");
    let told = window
        .harness
        .query_all_by_label_contains("Cannot train yet");
    let places: Vec<Rect> = told.map(|node| node.rect()).collect();
    let [place] = places[..] else {
        unreachable!("told once: {places:?}")
    };
    let train = window.get("Train").rect();
    assert!(place.bottom() <= train.top(), "{place:?} above {train:?}");
    assert!(place.width() > 300.0, "{place:?}");
}

#[test]
fn an_empty_view_says_what_to_do_above_a_message() {
    let mut window = Window::idle("lenet-mnist");
    let open = Action::Open("/nowhere/one.toml".into());
    window.show_alone(ViewKind::Saliency);
    window
        .harness
        .state_mut()
        .handle(Action::Show(Show::Settings(true)));
    window.run();
    let label = "No network to look into yet";
    let before = window.get(label).rect();
    window.harness.state_mut().handle(open);
    window.run();
    let close = window.get("Dismiss message").rect();
    let now = window.get(label).rect();
    assert!(now.bottom() < close.top() && now.top() <= before.top());
    window.click("Dismiss message");
    assert_eq!(window.get(label).rect(), before);
    // In a low tile the heading alone has room above it, or is hidden as a whole.
    let column = [
        ViewKind::Loss,
        ViewKind::Accuracy,
        ViewKind::Confusion,
        ViewKind::Saliency,
    ];
    window.show_column(&column);
    let open = Action::Open("/nowhere/two.toml".into());
    window.harness.state_mut().handle(open);
    window.run();
    let message = window.get("Dismiss message").rect().expand(6.0);
    let now = window.get(label).rect();
    let is_hidden = now.top() >= message.top() && now.bottom() <= message.bottom();
    assert!(
        now.bottom() <= message.top() || is_hidden,
        "{now:?} {message:?}"
    );
}
