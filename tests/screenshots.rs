//! Makes `screenshots/*.png` from the window itself, with networks that are really trained:
//!
//! ```text
//! cargo test --release --test screenshots -- --ignored
//! ```
//!
//! Two pictures are of real images and are left as they are where these are missing: `STRATA_STL10`
//! and `STRATA_MNIST` say where their files are.

mod window;

use eframe::egui::{Vec2, vec2};
use std::path::{Path, PathBuf};
use strata::gui::action::{Action, Show};
use strata::gui::state::State;
use strata::project::{Place, Project, Stack, file};
use window::*;

const LARGE: Vec2 = vec2(1440.0, 900.0);
const SMALL: Vec2 = vec2(1280.0, 720.0);

fn picture(window: &mut Window, name: &str) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("screenshots");
    window.save_picture(&folder.join(name), 1.0);
    println!("screenshots/{name}");
}

/// A window on a project that lies in a folder of its own, so that its runs do too.
fn open(folder: &Path, project: &Project, size: Vec2, dark: bool) -> Window {
    let path = folder.join("project.toml");
    file::save(project, &path).unwrap();
    let mut window = Window::real(project.clone(), size);
    window.harness.state_mut().handle(Action::Open(path));
    window.harness.state_mut().handle(Action::Show(Show::Dark(dark)));
    window.run();
    window
}

fn select(window: &mut Window, stack: Stack, index: usize) {
    window.harness.state_mut().handle(Action::Select(Some(Place::new(stack, index))));
    window.run();
}

/// Trains until this many epochs have passed, all stages counted.
fn train(window: &mut Window, epochs: f64) {
    window.click("Train");
    let passed = |state: &State| state.training.curves.epoch_at(state.training.curves.steps() as f64);
    window.wait("epochs", |state| passed(state) >= epochs || !state.training.is_running());
}

fn real_images(variable: &str) -> Option<PathBuf> {
    let path = std::env::var_os(variable).map(PathBuf::from).filter(|path| path.exists());
    if path.is_none() {
        println!("{variable} is not set: the picture that needs it stays as it is");
    }
    path
}

#[test]
#[ignore = "trains networks and writes pictures"]
fn the_first_autoencoder() {
    let folder = tempfile::tempdir().unwrap();
    let mut window = Window::real(builtin("conv-autoencoder"), SMALL);
    window.harness.state_mut().handle(Action::Show(Show::Dark(false)));
    picture(&mut window, "first-look-light.png");
    let mut window = open(folder.path(), &builtin("conv-autoencoder"), LARGE, true);
    train(&mut window, 6.4);
    select(&mut window, Stack::Encoder, 0);
    picture(&mut window, "autoencoder-dark.png");
    window.click("Switch theme");
    picture(&mut window, "autoencoder-light.png");
}

#[test]
#[ignore = "trains networks and writes pictures"]
fn stages_and_a_classifier() {
    let folder = tempfile::tempdir().unwrap();
    let mut project = builtin("pretrain-classify");
    project.data.limit = Some(6000);
    let mut window = open(folder.path(), &project, LARGE, true);
    train(&mut window, 11.5);
    window.harness.state_mut().handle(Action::Show(Show::Stage(Some(2))));
    picture(&mut window, "stages-dark.png");
}

#[test]
#[ignore = "writes pictures"]
fn breaking_and_building() {
    let mut window = Window::idle("deep-autoencoder");
    window.enter("encoder.3", "conv 32 k30");
    picture(&mut window, "broken-layer-dark.png");
    window.click("Undo");
    window.click("Add layer to encoder");
    picture(&mut window, "add-layer-dark.png");
    let mut window = Window::real(blocks(), LARGE);
    window.harness.state_mut().handle(Action::Show(Show::Dark(false)));
    select(&mut window, Stack::Encoder, 2);
    picture(&mut window, "blocks-light.png");
}

fn blocks() -> Project {
    let mut project = builtin("keras-cifar");
    project.title = "Residual and inception blocks".into();
    project.network.encoder = [
        "conv 32 k3 p1",
        "relu",
        "{ add = [[\"conv 32 k3 p1\", \"bn\", \"relu\", \"conv 32 k3 p1\"], []] }",
        "maxpool 2",
        "{ concat = [[\"conv 16 k1\"], [\"conv 32 k3 p1\", \"relu\"]] }",
        "gap",
    ]
    .map(strata::project::node::Node::from_text)
    .to_vec();
    project.network.head = vec![strata::project::node::Node::from_text("dense 10")];
    project
}

#[test]
#[ignore = "trains networks and writes pictures"]
fn real_photographs() {
    let Some(path) = real_images("STRATA_STL10") else { return };
    let folder = tempfile::tempdir().unwrap();
    let mut project = builtin("deep-autoencoder");
    project.title = "Deep autoencoder on STL-10".into();
    project.data.source = strata::project::data::Source::Stl10;
    project.data.path = Some("~/data/stl10_binary".into());
    let mut window = open(folder.path(), &with_path(&project, &path), LARGE, true);
    train(&mut window, 6.3);
    select(&mut window, Stack::Encoder, 3);
    picture(&mut window, "stl10-dark.png");
}

#[test]
#[ignore = "trains networks and writes pictures"]
fn handwritten_digits() {
    let Some(path) = real_images("STRATA_MNIST") else { return };
    let folder = tempfile::tempdir().unwrap();
    let mut window = open(folder.path(), &with_path(&builtin("lenet-mnist"), &path), LARGE, false);
    train(&mut window, 1.4);
    select(&mut window, Stack::Head, 1);
    picture(&mut window, "lenet-light.png");
}

fn with_path(project: &Project, path: &Path) -> Project {
    let mut project = project.clone();
    project.data.path = Some(path.display().to_string());
    project
}
