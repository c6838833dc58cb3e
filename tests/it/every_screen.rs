//! Every screen in both themes and at the sizes that people have, to be looked at. A file is called
//! `screens/size/theme/screen.png`. `STRATA_SIZE=1280x720` asks for one size only.

use crate::kit::window::*;
use eframe::egui::{Event, Key, Modifiers, PointerButton, Vec2, vec2};
use std::path::{Path, PathBuf};
use strata::app::action::{Action, Answer, Overlay, Show};
use strata::app::arrangement::Workspace;
use strata::app::state::{SideTab, Switch};
use strata::app::view_kind::ViewKind;
use strata::gui::views;
use strata::project::node::Node;
use strata::project::{Project, Stack};
use strata_testkit::folders::pictures;

/// Pixels of the window, and pixels of a point.
const SIZES: [(&str, Vec2, f32); 4] = [
    ("1280x720", vec2(1280.0, 720.0), 1.0),
    ("1440x900", vec2(1440.0, 900.0), 1.0),
    ("1920x1080", vec2(1920.0, 1080.0), 1.0),
    ("1920x1080-at-150", vec2(1920.0, 1080.0), 1.5),
];

/// All sizes, or the one that is asked for.
fn sizes() -> impl Iterator<Item = (&'static str, Vec2, f32)> {
    let asked = std::env::var("STRATA_SIZE").ok();
    SIZES
        .into_iter()
        .filter(move |(name, ..)| asked.as_deref().is_none_or(|asked| asked == *name))
}

/// A window of one size, and where its pictures go.
struct Screen {
    window: Window,
    folder: PathBuf,
    scale: f32,
}

impl Screen {
    fn of(project: Project, (name, size, scale): (&str, Vec2, f32)) -> Screen {
        let mut window = Window::real(project, size);
        window.harness.set_pixels_per_point(scale);
        window.run();
        Screen {
            window,
            folder: pictures().join("screens").join(name),
            scale,
        }
    }

    fn act(&mut self, actions: impl IntoIterator<Item = Action>) {
        for action in actions {
            self.window.harness.state_mut().handle(action);
            self.window.run();
        }
    }

    /// Writes what is shown in both themes.
    fn picture(&mut self, name: &str) {
        for (dark, theme) in [(true, "dark"), (false, "light")] {
            self.window.set_dark(dark);
            settle(&mut self.window);
            let path = self.folder.join(theme).join(name).with_extension("png");
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            self.window.frame(self.scale).save(path).unwrap();
        }
    }

    /// Each view with all the room, and each workspace as it is at first.
    fn views(&mut self, of: &str) {
        for workspace in Workspace::ALL {
            self.act([Action::Show(Show::Workspace(workspace))]);
            self.picture(&format!("{of}-workspace-{}", workspace.name()));
        }
        for info in views::all() {
            self.window.show_alone(info.kind);
            self.window.run();
            self.picture(&format!("{of}-view-{:?}", info.kind));
        }
    }
}

/// Gives what is computed beside the window the time to arrive.
fn settle(window: &mut Window) {
    for turn in 0..60 {
        window.harness.step();
        if turn > 3 && !window.has(" …") {
            return;
        }
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
}

/// Trains once; what is shown of the run is read from its folder in every size.
fn trained(folder: &Path, project: &Project) -> PathBuf {
    let mut window = open(folder, project);
    window.train();
    window.state().training.run.clone().unwrap()
}

fn of_runs(name: &str, project: &Project) {
    let folder = tempfile::tempdir().unwrap();
    let run = trained(folder.path(), project);
    for size in sizes() {
        let mut screen = Screen::of(project.clone(), size);
        screen.act([Action::Open(run.clone())]);
        screen.window.select(Stack::Encoder, 0);
        screen.views(name);
    }
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
fn pictures_before_a_training() {
    for size in sizes() {
        let mut screen = Screen::of(builtin("pretrain-classify"), size);
        screen.views("empty");
        for name in ["lenet-mnist", "xception", "unet", "sparse-autoencoder"] {
            screen.act([
                Action::Builtin(name),
                Action::Unsaved(Answer::Discard),
                Action::Show(Show::Workspace(Workspace::Design)),
            ]);
            screen.picture(&format!("built-in-{name}"));
        }
    }
}

#[test]
#[ignore = "writes pictures"]
fn pictures_of_forms_menus_and_mishaps() {
    for size in sizes() {
        let mut screen = Screen::of(builtin("pretrain-classify"), size);
        forms(&mut screen);
        overlays(&mut screen);
        mishaps(&mut screen);
        screen.act([Action::Start(true)]);
        screen.picture("start-page");
        screen.act([Action::New, Action::Unsaved(Answer::Discard)]);
        screen.picture("new-project");
    }
}

/// The panel on the right.
fn forms(screen: &mut Screen) {
    for (stack, index, name) in [
        (Stack::Encoder, 0, "conv"),
        (Stack::Encoder, 1, "activation"),
        (Stack::Decoder, 0, "convt"),
        (Stack::Head, 1, "dense"),
    ] {
        screen.window.show_tab(SideTab::Layer);
        screen.window.select(stack, index);
        screen.picture(&format!("form-{name}"));
    }
    screen.window.show_tab(SideTab::Data);
    for group in Switch::GROUPS_OF_DATA {
        screen.act([Action::Show(Show::Switch(Switch::Group(group, true)))]);
    }
    screen.picture("form-data");
    for stage in [0, 2] {
        screen.act([Action::Show(Show::Stage(Some(stage)))]);
        screen.picture(&format!("form-stage-{stage}"));
    }
    screen.act([Action::Show(Show::Settings(false))]);
    screen.picture("form-hidden");
    screen.act([Action::Show(Show::Settings(true))]);
}

fn overlays(screen: &mut Screen) {
    for (overlay, name) in [
        (Overlay::Palette, "palette"),
        (Overlay::Keys, "keys"),
        (Overlay::About, "about"),
        (Overlay::Page(ViewKind::Saliency), "help-page"),
    ] {
        screen.act([Action::Overlay(Some(overlay))]);
        screen.picture(&format!("overlay-{name}"));
        screen.act([Action::Overlay(None)]);
    }
    for (label, name) in [
        ("Add layer to head", "add-layer"),
        ("Device", "device"),
        ("Add view beside Loss", "add-view"),
    ] {
        screen.act([Action::Show(Show::Workspace(Workspace::Training))]);
        screen.window.click(label);
        screen.picture(&format!("menu-{name}"));
        screen.window.press(Modifiers::NONE, Key::Escape);
    }
    let row = screen.window.get("encoder.0").rect().center();
    for pressed in [true, false] {
        screen.window.harness.event(Event::PointerButton {
            pos: row,
            button: PointerButton::Secondary,
            pressed,
            modifiers: Modifiers::NONE,
        });
        screen.window.harness.step();
    }
    screen.picture("menu-row");
    screen.window.press(Modifiers::NONE, Key::Escape);
}

/// What was typed wrongly, what does not fit, what is asked.
fn mishaps(screen: &mut Screen) {
    let window = &mut screen.window;
    window.enter("encoder.0", "Conv2d(3, 64, kernel_size=3)");
    screen.picture("mishap-layer");
    screen.window.press(Modifiers::COMMAND, Key::Z);
    screen.window.enter("encoder.0", "conv 16 k30 s7");
    screen.picture("mishap-shape");
    screen.window.press(Modifiers::COMMAND, Key::Z);
    screen.window.enter("Batch", "many");
    screen.window.click("Train");
    screen.picture("mishap-field");
    screen.window.press(Modifiers::NONE, Key::Escape);
    let named = |name: &str| Action::Open(Path::new("/nowhere").join(name));
    screen.act([named("one.toml"), named("two.toml")]);
    screen.picture("mishap-messages");
    screen.act([Action::Builtin("lenet-mnist"), Action::Train]);
    screen
        .window
        .wait("the end", |state| !state.training.is_running());
    screen.picture("mishap-no-files");
    let title = "A title that is far too long for the place that it has got in the bar at the top";
    screen.window.enter("Project title", title);
    let long = Node::from_text("sepconv 1024 k3x5 s2x1 p1x2 d1x1 nobias @a-layer-with-a-long-name");
    let place = strata::project::Place::new(Stack::Encoder, 1);
    screen.act([Action::Add(place, long)]);
    screen.picture("long-names");
    screen.window.press(Modifiers::COMMAND, Key::O);
    screen.picture("asked-path");
    screen.window.press(Modifiers::NONE, Key::Escape);
    screen.act([Action::New]);
    screen.picture("asked-unsaved");
    screen.act([Action::Unsaved(Answer::Discard)]);
    screen.act([
        Action::Builtin("pretrain-classify"),
        Action::Unsaved(Answer::Discard),
    ]);
}
