//! Makes `screenshots/*.png` from the window itself, with networks that are really trained:
//!
//! ```text
//! cargo test --release --test screenshots -- --ignored --test-threads 1
//! ```
//!
//! Some pictures are of real images (`../shared/data`, or where `STRATA_TEST_DATA` says) and are left as they
//! are where these are missing.

#![allow(clippy::unwrap_used, clippy::panic)] // A test program as a whole.
// The kit is shared with the program `it`.
#![allow(dead_code)]

#[path = "it/kit/mod.rs"]
mod kit;

use eframe::egui::{Vec2, vec2};
use kit::window::*;
use std::path::Path;
use std::time::Duration;
use strata::app::action::{Action, OnView, Show};
use strata::app::arrangement::{Arrangement, Pane, Workspace};
use strata::app::state::State;
use strata::app::view_kind::ViewKind;
use strata::inspect::augmented::Augmented;
use strata::inspect::effective_field::EffectiveField;
use strata::inspect::gallery::Gallery;
use strata::inspect::inspection::Subject;
use strata::inspect::kernel_playground::Playground;
use strata::inspect::saliency::Saliency;
use strata::inspect::sparse::SparseCode;
use strata::inspect::statistics::Statistics;
use strata::project::node::Node;
use strata::project::{Project, Stack, file};
use strata_testkit::folders::data_root;

const LARGE: Vec2 = vec2(1440.0, 900.0);
/// How long a network may take to train.
const TRAINING: Duration = Duration::from_secs(900);

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
    window.set_dark(dark);
    window.run();
    window
}

/// Trains until this many epochs have passed, all stages counted.
fn train(window: &mut Window, epochs: f64) {
    window.click("Train");
    let passed = |state: &State| {
        state
            .training
            .curves
            .epoch_at(state.training.curves.steps() as f64)
    };
    window.wait_at_most(TRAINING, "epochs", |state| {
        passed(state) >= epochs || !state.training.is_running()
    });
}

#[test]
#[ignore = "trains networks and writes pictures"]
fn the_first_autoencoder() {
    let folder = tempfile::tempdir().unwrap();
    let mut window = Window::real(builtin("conv-autoencoder"), SIZE);
    window.set_dark(false);
    picture(&mut window, "first-look-light.png");
    let mut window = open(folder.path(), &builtin("conv-autoencoder"), LARGE, true);
    train(&mut window, 6.4);
    window.select(Stack::Encoder, 0);
    picture(&mut window, "autoencoder-dark.png");
    window.click("Switch theme");
    picture(&mut window, "autoencoder-light.png");
}

#[test]
#[ignore = "trains networks and writes pictures"]
fn stages_and_a_classifier() {
    let folder = tempfile::tempdir().unwrap();
    let mut window = open(folder.path(), &builtin("pretrain-classify"), LARGE, true);
    train(&mut window, 10.5);
    window
        .harness
        .state_mut()
        .handle(Action::Show(Show::Stage(Some(2))));
    window.run();
    picture(&mut window, "stages-dark.png");
}

#[test]
#[ignore = "writes pictures"]
fn breaking_and_building() {
    let mut window = Window::idle("deep-autoencoder");
    window.set_dark(true);
    window.harness.state_mut().handle(Action::Start(true));
    picture(&mut window, "start-page-dark.png");
    window.harness.state_mut().handle(Action::Start(false));
    window.run();
    window.enter("encoder.3", "conv 32 k30");
    picture(&mut window, "broken-layer-dark.png");
    window.click("Undo");
    window.click("Add layer to encoder");
    picture(&mut window, "add-layer-dark.png");
    let mut window = Window::real(blocks(), LARGE);
    window.set_dark(false);
    window.select(Stack::Encoder, 2);
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
    .map(Node::from_text)
    .to_vec();
    project.network.head = vec![Node::from_text("dense 10")];
    project
}

#[test]
#[ignore = "trains networks and writes pictures"]
fn real_photographs() {
    let folder = tempfile::tempdir().unwrap();
    let mut project = builtin("deep-autoencoder");
    project.title = "Deep autoencoder on STL-10".into();
    project.data.source = strata::project::data::Source::Stl10;
    project.data.path = Some("data/stl10_binary".into());
    (project.stages[0].epochs, project.stages[0].batch) = (200, 20);
    if !lay_beside("stl10/stl10_binary", folder.path(), &project) {
        return;
    }
    let mut window = open(folder.path(), &project, LARGE, true);
    train(&mut window, 160.3);
    window.select(Stack::Encoder, 3);
    picture(&mut window, "stl10-dark.png");
}

#[test]
#[ignore = "trains networks and writes pictures"]
fn handwritten_digits() {
    let folder = tempfile::tempdir().unwrap();
    let mut project = builtin("lenet-mnist");
    project.data.path = Some("data/mnist".into());
    if !lay_beside("mnist", folder.path(), &project) {
        return;
    }
    let mut window = open(folder.path(), &project, LARGE, false);
    train(&mut window, 2.4);
    window.select(Stack::Head, 1);
    window.wait("maps", |state| {
        state.inspections.latest::<Saliency>().is_some()
    });
    picture(&mut window, "lenet-light.png");
    window.click("Stop");
    window.wait("the end", |state| !state.training.is_running());
    window.show_column(&[ViewKind::Saliency]);
    window.click("Switch theme");
    window.wait("maps of the checkpoint", |state| {
        let seen = state.inspections.latest::<Saliency>();
        seen.is_some_and(|seen| matches!(seen.query.subject, Subject::Stored(_)))
    });
    picture(&mut window, "saliency-dark.png");
    window.show_column(&[ViewKind::Data]);
    window.click("Switch theme");
    window.wait("images", |state| {
        state.inspections.latest::<Gallery>().is_some()
    });
    picture(&mut window, "data-light.png");
}

#[test]
#[ignore = "trains networks and writes pictures"]
fn edges_in_patches() {
    let folder = tempfile::tempdir().unwrap();
    let mut project = builtin("sparse-autoencoder");
    project.stages[0].epochs = 60;
    let mut window = open(folder.path(), &project, LARGE, true);
    let row = |kind, other| Pane::Row(vec![(0.5, Pane::of(&[kind])), (0.5, Pane::of(&[other]))]);
    let (above, below) = (
        row(ViewKind::Loss, ViewKind::Filters),
        row(ViewKind::Sparse, ViewKind::Reconstructions),
    );
    let shown = Arrangement(Some(Pane::Column(vec![(0.5, above), (0.5, below)])));
    window
        .harness
        .state_mut()
        .handle(Action::View(OnView::Arrange(shown)));
    train(&mut window, 50.5);
    window.wait("the code", |state| {
        state.inspections.latest::<SparseCode>().is_some()
    });
    picture(&mut window, "sparse-code-dark.png");
}

/// A decoder that is a row short, and the layer that lost it.
#[test]
#[ignore = "writes pictures"]
fn shapes_that_explain_themselves() {
    let mut project = builtin("conv-autoencoder");
    let nodes = |texts: &[&str]| {
        texts
            .iter()
            .map(|text| Node::from_text(text))
            .collect::<Vec<_>>()
    };
    project.title = "An autoencoder that is three pixels short".into();
    project.network.encoder = nodes(&["conv 16 k3 s2 p1", "relu", "conv 32 k3 s2 p1", "relu"]);
    project.network.decoder = nodes(&["convt 16 k3 s2 p1", "relu", "convt 3 k3 s2 p1", "tanh"]);
    let mut window = Window::real(project, LARGE);
    window.set_dark(true);
    window
        .harness
        .state_mut()
        .handle(Action::Show(Show::Workspace(Workspace::Design)));
    window.select(Stack::Encoder, 2);
    settle(&mut window);
    picture(&mut window, "design-dark.png");
    window.click("Switch theme");
    window.show_column(&[ViewKind::Checkerboard, ViewKind::Advice]);
    settle(&mut window);
    picture(&mut window, "checkerboard-light.png");
}

#[test]
#[ignore = "trains networks and writes pictures"]
fn fields_and_costs() {
    let folder = tempfile::tempdir().unwrap();
    let mut project = builtin("deep-autoencoder");
    project.data.limit = Some(800);
    let mut window = open(folder.path(), &project, LARGE, false);
    train(&mut window, 4.5);
    window.select(Stack::Encoder, 3);
    window
        .harness
        .state_mut()
        .handle(Action::Show(Show::Workspace(Workspace::Design)));
    window.show_column(&[ViewKind::Field, ViewKind::Cost]);
    window.wait("a field", |state| {
        state.inspections.latest::<EffectiveField>().is_some()
    });
    settle(&mut window);
    picture(&mut window, "field-light.png");
}

/// The images, what augmentation makes of one, what is measured on them and a kernel of one's own.
#[test]
#[ignore = "writes pictures"]
fn data_as_people_have_it() {
    let mut project = builtin("keras-cifar");
    project.title = "Pictures drawn from the seed, augmented".into();
    project.data = strata::project::data::DataSpec {
        limit: Some(2000),
        ..Default::default()
    };
    let texts = [
        "hflip p0.5",
        "rotate 18",
        "shift 0.1 reflect",
        "contrast 0.6..1.4",
        "erase p0.5",
    ];
    project.data.augment = texts.iter().map(|text| text.parse().unwrap()).collect();
    let mut window = Window::real(project, LARGE);
    window.set_dark(true);
    window
        .harness
        .state_mut()
        .handle(Action::Show(Show::Workspace(Workspace::Data)));
    window.show_column(&[ViewKind::Data, ViewKind::Augmentation]);
    window.wait("images", |state| {
        state.inspections.latest::<Gallery>().is_some()
            && state.inspections.latest::<Augmented>().is_some()
    });
    settle(&mut window);
    picture(&mut window, "data-dark.png");
    window.click("Switch theme");
    window.show_column(&[ViewKind::Statistics, ViewKind::Kernels]);
    window.wait("figures", |state| {
        state.inspections.latest::<Statistics>().is_some()
            && state.inspections.latest::<Playground>().is_some()
    });
    settle(&mut window);
    picture(&mut window, "statistics-light.png");
}

/// Gives what is computed beside the window the time to arrive.
fn settle(window: &mut Window) {
    for _ in 0..40 {
        std::thread::sleep(std::time::Duration::from_millis(25));
        window.harness.step();
    }
}

/// Links the images to the path that the project names; false where they are missing.
fn lay_beside(name: &str, folder: &Path, project: &Project) -> bool {
    let source = data_root().join(name);
    let Ok(source) = source.canonicalize() else {
        println!(
            "{} is missing: the picture that needs it stays as it is",
            source.display()
        );
        return false;
    };
    let link = folder.join(project.data.path.as_deref().unwrap());
    std::fs::create_dir_all(link.parent().unwrap()).unwrap();
    #[cfg(unix)]
    std::os::unix::fs::symlink(source, &link).unwrap();
    link.exists()
}
