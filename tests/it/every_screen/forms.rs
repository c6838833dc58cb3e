//! The panels beside the views: the form of each layer, of the data and of the stages; and what is wrong in them.

use super::{SIZES, Screen, Size, sizes};
use crate::kit::window::*;
use eframe::egui::{Key, Modifiers};
use std::path::Path;
use strata::app::action::{Action, Answer, Show};
use strata::app::arrangement::Workspace;
use strata::app::state::{SideTab, Switch};
use strata::project::edit::Edit;
use strata::project::node::Node;
use strata::project::{Place, Project, Stack};
use strata::shape::layers::WORDS;

/// A form of every layer.
fn layers(screen: &mut Screen) {
    screen.window.show_tab(SideTab::Layer);
    let place = Place::new(Stack::Encoder, 0);
    screen.act([Action::Select(Some(place.clone()))]);
    for word in WORDS {
        screen.act([Action::WriteText(place.clone(), word.example.to_owned())]);
        screen.look(&format!("form-{}", word.word));
        screen.window.press(Modifiers::COMMAND, Key::Z);
    }
    let blocks = [
        "{ add = [[\"conv 16 k3 p1\", \"bn\"], []] }",
        "{ concat = [[\"conv 16 k1\"], [\"conv 32 k3 p1\", \"relu\"]] }",
        "{ repeat = 3, layers = [\"conv 16 k3 p1\", \"relu\"] }",
    ];
    for (text, name) in blocks.into_iter().zip(["add", "concat", "repeat"]) {
        screen.act([Action::Add(place.clone(), Node::from_text(text))]);
        screen.look(&format!("form-{name}"));
        screen.window.press(Modifiers::COMMAND, Key::Z);
    }
}

/// The settings of the data and of the stages.
fn settings(screen: &mut Screen) {
    screen.window.show_tab(SideTab::Data);
    for group in Switch::GROUPS_OF_DATA {
        screen.act([Action::Show(Show::Switch(Switch::Group(group, true)))]);
        screen.look(&format!("form-data-{group}"));
        screen.act([Action::Show(Show::Switch(Switch::Group(group, false)))]);
    }
    screen.window.show_tab(SideTab::Stages);
    for stage in 0..screen.window.state().project().stages.len() {
        screen.act([Action::Show(Show::Stage(Some(stage)))]);
        screen.look(&format!("form-stage-{stage}"));
    }
    screen.act([Action::Show(Show::Settings(false))]);
    screen.look("form-hidden");
    screen.act([Action::Show(Show::Settings(true))]);
}

/// Stages in which every field is set, with long values.
fn full() -> Project {
    let mut project = builtin("pretrain-classify");
    let stage = &mut project.stages[0];
    stage.optimizer = "adamw lr=1.25e-3 beta1=0.85 beta2=0.9995 weight_decay=1.5e-4"
        .parse()
        .unwrap();
    stage.schedule = "cosine warmup=1".parse().ok();
    stage.sparsity = "rho=0.035 beta=1e-1".parse().ok();
    stage.early_stop = "valid loss patience=15".parse().ok();
    stage.name = "pretraining with a name that is long".to_owned();
    project
}

/// What was typed wrongly, what does not fit, what is asked.
fn mishaps(screen: &mut Screen) {
    let window = &mut screen.window;
    window.enter("encoder.0", "Conv2d(3, 64, kernel_size=3)");
    screen.look("mishap-layer");
    screen.window.press(Modifiers::COMMAND, Key::Z);
    screen.window.enter("encoder.0", "conv 16 k30 s7");
    screen.look("mishap-shape");
    screen.window.press(Modifiers::COMMAND, Key::Z);
    screen.window.enter("Batch", "many");
    screen.window.click("Train");
    screen.look("mishap-field");
    screen.window.press(Modifiers::NONE, Key::Escape);
    let named = |name: &str| Action::Open(Path::new("/nowhere").join(name));
    screen.act([named("one.toml"), named("two.toml")]);
    screen.look("mishap-messages");
    screen.act([Action::Builtin("lenet-mnist"), Action::Train]);
    screen
        .window
        .wait("the end", |state| !state.training.is_running());
    screen.look("mishap-no-files");
    let title = "A title that is far too long for the place that it has got in the bar at the top";
    screen.window.enter("Project title", title);
    let long = Node::from_text("sepconv 1024 k3x5 s2x1 p1x2 d1x1 nobias @a-layer-with-a-long-name");
    screen.act([Action::Add(Place::new(Stack::Encoder, 1), long)]);
    screen.look("long-names");
    screen.window.press(Modifiers::COMMAND, Key::O);
    screen.look("asked-path");
    screen.window.press(Modifiers::NONE, Key::Escape);
    screen.act([Action::New]);
    screen.look("asked-unsaved");
    screen.act([
        Action::Unsaved(Answer::Discard),
        Action::Builtin("pretrain-classify"),
        Action::Unsaved(Answer::Discard),
    ]);
}

fn all(screen: &mut Screen) {
    layers(screen);
    settings(screen);
    mishaps(screen);
}

#[test]
#[ignore = "writes pictures"]
fn pictures_of_forms_and_mishaps() {
    for size in sizes() {
        let mut screen = Screen::of(builtin("pretrain-classify"), size);
        all(&mut screen);
        screen.act([Action::Start(true)]);
        screen.look("start-page");
        screen.act([Action::New, Action::Unsaved(Answer::Discard)]);
        screen.look("new-project");
        screen.act([Action::Edit(Edit::All(Box::new(full())))]);
        settings(&mut screen);
        for name in [
            "lenet-mnist",
            "xception",
            "unet",
            "keras-lab",
            "stl10-study",
        ] {
            screen.act([
                Action::Builtin(name),
                Action::Unsaved(Answer::Discard),
                Action::Show(Show::Workspace(Workspace::Design)),
            ]);
            screen.look(&format!("built-in-{name}"));
        }
        screen.finish();
    }
}

fn can_be_read(size: Size) {
    let mut screen = Screen::checked(builtin("pretrain-classify"), size);
    all(&mut screen);
    screen.finish();
}

#[test]
#[ignore = "takes minutes"]
fn long_every_form_and_mishap_can_be_read_at_150_percent() {
    can_be_read(SIZES[3]);
}

#[test]
#[ignore = "takes minutes"]
fn long_every_form_and_mishap_can_be_read_in_the_smallest_window() {
    can_be_read(SIZES[0]);
}
