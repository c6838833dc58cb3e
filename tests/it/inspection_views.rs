//! Every view that looks into a run, on images, signals and volumes: it shows something, or says why not; and each of them
//! empty and with a run, in both themes, with all the room and in a quarter of it.

use crate::every_inspection::{KINDS, arrange, opened, project, settle};
use crate::kit::PATIENCE;
use crate::kit::terminal::{code, err, strata};
use crate::kit::window::*;
use eframe::egui::vec2;
use std::collections::HashSet;
use std::path::Path;
use strata::app::action::{Action, Show};
use strata::app::arrangement::Workspace;
use strata::app::choices::Choice;
use strata::app::view_kind::ViewKind;
use strata::gui::panels::embedding::MapChoice;
use strata::gui::panels::exciting::ExcitingChoice;
use strata::gui::panels::filters::FilterChoice;
use strata::gui::panels::reconstructions::{ReconstructionChoice, Shown};
use strata::gui::views;
use strata::inspect::attribution::Method;
use strata::inspect::embedding::{By, Embedding};
use strata::inspect::predictions::Predictions;
use strata::inspect::saliency;
use strata::project::{Place, Project, Stack, file};
use strata_testkit::folders::{pictures, real_data};

/// A view as it is asked for, and the name of its picture.
struct Case {
    kind: ViewKind,
    name: String,
    asked: Vec<Action>,
}

/// Every view that looks into a run, and what else some of them can show.
fn cases() -> Vec<Case> {
    let all = views::all().iter();
    let training = all.filter(|info| info.workspace == Workspace::Training);
    let kinds = training
        .map(|info| info.kind)
        .chain([ViewKind::Lens, ViewKind::Field]);
    let plain = kinds.map(|kind| Case {
        kind,
        name: format!("{kind:?}"),
        asked: usual(),
    });
    let choose = |choice: Choice| Action::Choose(choice);
    let reconstructions = |shown| {
        let choice = ReconstructionChoice {
            shown,
            ..ReconstructionChoice::default()
        };
        choose(Choice::new(choice))
    };
    let measured = FilterChoice {
        is_measured: true,
        off: vec![0],
        ..FilterChoice::default()
    };
    let table = ExcitingChoice {
        layer: None,
        table: true,
    };
    let saliency = |method, randomised| {
        Action::Show(Show::Saliency(saliency::Request {
            method,
            randomised,
            ..saliency::Request::default()
        }))
    };
    let more = [
        (ViewKind::Filters, "Measured", choose(Choice::new(measured))),
        (ViewKind::Exciting, "Table", choose(Choice::new(table))),
        (
            ViewKind::Reconstructions,
            "Errors",
            reconstructions(Shown::Errors),
        ),
        (
            ViewKind::Reconstructions,
            "Code",
            reconstructions(Shown::Code),
        ),
        (
            ViewKind::Saliency,
            "Integrated",
            saliency(Method::Integrated, 0),
        ),
        (ViewKind::Saliency, "Sanity", saliency(Method::GradCam, 2)),
    ];
    let more = more.map(|(kind, word, action)| Case {
        kind,
        name: format!("{kind:?}{word}"),
        asked: [usual(), vec![action]].concat(),
    });
    plain.chain(more).collect()
}

/// A map made in this way.
fn map_by(by: By) -> Choice {
    let mut choice = MapChoice::default();
    choice.how.by = by;
    Choice::new(choice)
}

/// What the views show unless something is chosen; of the ways to a map the quickest.
fn usual() -> Vec<Action> {
    vec![
        Action::Choose(map_by(By::Pca)),
        Action::Choose(Choice::new(FilterChoice::default())),
        Action::Choose(Choice::new(ExcitingChoice::default())),
        Action::Choose(Choice::new(ReconstructionChoice::default())),
        Action::Show(Show::Saliency(saliency::Request::default())),
        Action::Select(Some(Place::new(Stack::Encoder, 1))),
    ]
}

/// Shows a view as it is asked for.
fn show(window: &mut Window, case: &Case, is_quarter: bool) {
    for action in case.asked.clone() {
        window.harness.state_mut().handle(action);
    }
    arrange(window, case.kind, is_quarter);
}

/// Colours of the middle of the window, where the view is.
fn colors(window: &Window) -> usize {
    let frame = window.frame(1.0);
    let [left, right] = [frame.width() * 2 / 5, frame.width() * 4 / 5];
    let pixels = frame.enumerate_pixels();
    let inside = pixels.filter(|(x, y, _)| (left..right).contains(x) && *y > 100);
    inside
        .map(|(_, _, pixel)| pixel.0)
        .collect::<HashSet<_>>()
        .len()
}

/// Goes through all views; none is empty.
fn walk(window: &mut Window, of: &str) {
    for case in cases() {
        show(window, &case, false);
        settle(window);
        window.run();
        let colors = colors(window);
        assert!(colors > 24, "{of} {}: {colors} colours", case.name);
        window.keep_picture(&format!("inspections/{of}-{}", case.name));
    }
}

#[test]
fn every_view_of_signals_and_volumes_shows_something_or_says_why_not() {
    for (kind, sizes) in KINDS {
        let folder = tempfile::tempdir().unwrap();
        let project = project(folder.path(), sizes);
        walk(&mut opened(&project, folder.path(), SIZE), kind);
    }
}

#[test]
fn every_view_shows_the_weights_that_caffe_has_trained() {
    let test = "every_view_shows_the_weights_that_caffe_has_trained";
    let Some(data) = real_data(test) else { return };
    let folder = tempfile::tempdir().unwrap();
    let weights = data.join("weights/lenet_caffe_mnist.safetensors");
    let images = format!("data.path={}", data.join("mnist").display());
    let args = [
        "import",
        "lenet-caffe",
        &weights.display().to_string(),
        "--set",
        &images,
        "--set",
        "data.limit=400",
        "-o",
        "caffe",
    ];
    let made = strata(folder.path(), &args);
    assert_eq!(code(&made), 0, "{}", err(&made));
    let mut window = Window::real(builtin("lenet-caffe"), SIZE);
    let run = folder.path().join("caffe");
    window.harness.state_mut().handle(Action::Open(run));
    window.run();
    walk(&mut window, "caffe");
    let answers = window.state().inspections.output::<Predictions>().unwrap();
    assert!(answers.accuracy.unwrap() > 0.97, "{:?}", answers.accuracy);
}

#[test]
fn slow_work_is_told_beside_what_was_shown_before_and_can_be_ended() {
    let folder = tempfile::tempdir().unwrap();
    let mut project = classifier();
    project.data.limit = None;
    let mut window = opened(&project, folder.path(), SIZE);
    window.show_alone(ViewKind::Embedding);
    let choose = |window: &mut Window, by| {
        let action = Action::Choose(map_by(by));
        window.harness.state_mut().handle(action);
        window.harness.step();
    };
    choose(&mut window, By::Pca);
    window.wait("a map", |state| {
        state.inspections.output::<Embedding>().is_some()
    });
    settle(&mut window);
    assert!(!window.has("Cancel what is computed"));
    choose(&mut window, By::Tsne);
    window.wait_for(PATIENCE, "the work", |window| {
        window.has("Cancel what is computed")
    });
    // The former map is still there.
    let shown = window.state().inspections.output::<Embedding>();
    assert_eq!(shown.unwrap().how.by, By::Pca);
    window.click("Cancel what is computed");
    window.wait("the end", |state| !state.inspections.are_asked());
    assert!(!window.has("Cancel what is computed"));
}

/// An autoencoder and a classifier of photographs.
fn photographs(data: &Path) -> Project {
    let text = format!(
        r#"
format = 1
title = "photographs"
[data]
source = "cifar10"
path = {data:?}
limit = 1500
[network]
input = "3x32x32"
encoder = ["conv 16 k5 p2", "bn", "relu", "maxpool 2", "conv 32 k3 p1", "relu", "maxpool 2"]
decoder = ["conv 32 k3 p1", "relu", "upsample 4", "conv 3 k3 p1", "sigmoid"]
head = ["flatten", "dense 10"]
[[stage]]
name = "pictures"
task = "reconstruct"
loss = "mse"
sparsity = "rho=0.1 beta=1e-3"
optimizer = "adam lr=3e-3"
epochs = 3
batch = 32
[[stage]]
name = "classes"
task = "classify"
loss = "cross-entropy"
optimizer = "adam lr=2e-3"
epochs = 4
batch = 32
"#
    );
    file::parse(&text, "photographs.toml").unwrap()
}

fn draw(window: &mut Window, of: &str) {
    for case in cases() {
        for (is_quarter, size) in [(false, "whole"), (true, "quarter")] {
            show(window, &case, is_quarter);
            for (dark, theme) in [(true, "dark"), (false, "light")] {
                window.set_dark(dark);
                settle(window);
                let name = format!("inspections/{of}-{}-{size}-{theme}.png", case.name);
                let to = pictures().join(name);
                std::fs::create_dir_all(to.parent().unwrap()).unwrap();
                window.frame(1.0).save(to).unwrap();
            }
        }
    }
}

#[test]
#[ignore = "writes pictures; needs CIFAR-10"]
fn pictures_of_every_inspection() {
    let Some(data) = real_data("pictures_of_every_inspection") else {
        return;
    };
    let photographs = photographs(&data.join("cifar10/jpeg-decoded"));
    let size = vec2(1280.0, 720.0);
    draw(&mut Window::real(photographs.clone(), size), "empty");
    let folder = tempfile::tempdir().unwrap();
    let mut window = opened(&photographs, folder.path(), size);
    draw(&mut window, "images");
    for (kind, sizes) in KINDS {
        let folder = tempfile::tempdir().unwrap();
        let project = project(folder.path(), sizes);
        draw(&mut opened(&project, folder.path(), size), kind);
    }
}
