//! Every inspection on signals and on volumes: it shows something, or says why not; and each of its views empty and with a
//! run, in both themes, with all the room and in a quarter of it.

use crate::kit::runs::{completed, options, train};
use crate::kit::terminal::{code, err, strata};
use crate::kit::window::*;
use eframe::egui::Vec2;
use std::path::{Path, PathBuf};
use strata::app::action::{Action, OnView, Show};
use strata::app::arrangement::{Arrangement, Pane, Workspace};
use strata::app::view_kind::ViewKind;
use strata::gui::views;
use strata::project::{Project, file};
use strata_testkit::files::{npy, write};
use strata_testkit::folders::pictures;

/// Arrays of so many axes, with a decoder and a head, and labels that a bright part tells.
pub fn project(folder: &Path, sizes: &[usize]) -> Project {
    let count = 32;
    let size: usize = sizes.iter().product();
    let value = |at: usize| {
        let (image, place) = (at / size, at % size);
        let is_bright = (2 * place / size) == image % 2;
        if is_bright {
            200 + (7 * image % 50) as u8
        } else {
            (at * 31 % 60) as u8
        }
    };
    let values: Vec<u8> = (0..count * size).map(value).collect();
    let labels: Vec<u8> = (0..count).map(|image| (image % 2) as u8).collect();
    for split in ["train", "test"] {
        let shape: Vec<usize> = [count].into_iter().chain(sizes.iter().copied()).collect();
        write(
            folder,
            &format!("{split}_images.npy"),
            &npy("|u1", &shape, &values),
        );
        write(
            folder,
            &format!("{split}_labels.npy"),
            &npy("|u1", &[count, 1], &labels),
        );
    }
    let input: Vec<String> = sizes.iter().map(usize::to_string).collect();
    let text = format!(
        r#"
format = 1
title = "all kinds"
[data]
source = "npy"
path = {folder:?}
valid = 0.25
[network]
input = "1x{}"
encoder = ["conv 4 k3 p1", "relu"]
decoder = ["conv 1 k3 p1", "sigmoid"]
head = ["flatten", "dense 2"]
[[stage]]
name = "pictures"
task = "reconstruct"
loss = "mse"
sparsity = "rho=0.1 beta=1e-3"
optimizer = "adam lr=1e-2"
epochs = 1
batch = 8
[[stage]]
name = "classes"
task = "classify"
loss = "cross-entropy"
optimizer = "adam lr=1e-2"
epochs = 3
batch = 8
"#,
        input.join("x")
    );
    file::parse(&text, "kinds.toml").unwrap()
}

pub const KINDS: [(&str, &[usize]); 2] = [("signals", &[64]), ("volumes", &[6, 8, 8])];

#[test]
fn every_picture_of_signals_and_volumes_is_drawn_or_refused_with_a_reason() {
    for (kind, sizes) in KINDS {
        let folder = tempfile::tempdir().unwrap();
        let at = folder.path();
        completed(train(&project(at, sizes), &options(&at.join("run"))).0);
        let asked: [(&str, &[&str]); 24] = [
            ("filters", &[]),
            ("filters", &["--json"]),
            ("filters", &["--decoder"]),
            ("loss", &[]),
            ("accuracy", &[]),
            ("confusion", &[]),
            ("predictions", &[]),
            ("reconstructions", &[]),
            ("reconstructions", &["--json"]),
            ("reconstructions", &["--probe", "1"]),
            ("activations", &["--layer", "encoder.1"]),
            ("saliency", &[]),
            ("saliency", &["--method", "integrated"]),
            (
                "saliency",
                &["--method", "grad-cam", "--layer", "encoder.1"],
            ),
            ("saliency", &["--method", "occlusion"]),
            ("saliency", &["--randomise", "1"]),
            ("adversarial", &["--attack", "pgd", "--limit", "8"]),
            ("neighbours", &[]),
            ("embedding", &["--by", "pca"]),
            ("visualize", &["--class", "0", "--steps", "4"]),
            ("exciting", &["--layer", "encoder.1"]),
            ("layers", &[]),
            ("sparse-code", &["--unit", "0"]),
            ("dynamics", &[]),
        ];
        for (number, (what, more)) in asked.iter().enumerate() {
            let name = format!("{number}-{what}.png");
            let args = [&["inspect", "run", what, "-o", &name], *more].concat();
            let made = strata(at, &args);
            let said = err(&made);
            assert!(
                !said.contains("panicked") && !said.contains("defect"),
                "{kind} {args:?}: {said}"
            );
            let is_drawn = at.join(&name).is_file();
            assert_eq!(code(&made) == 0, is_drawn, "{kind} {args:?}: {said}");
            // What is refused says what to do or look at instead.
            println!(
                "{kind} {args:?}: {}",
                said.lines().last().unwrap_or_default()
            );
            assert!(is_drawn || said.contains(':'), "{kind} {args:?}: {said}");
            if is_drawn && std::env::var_os("STRATA_PICTURES").is_some() {
                let to = pictures().join(format!("kinds/{kind}-{name}"));
                std::fs::create_dir_all(to.parent().unwrap()).unwrap();
                std::fs::copy(at.join(&name), to).unwrap();
            }
        }
        for what in ["pixel", "receptive-field"] {
            let made = strata(at, &["inspect", "run", what, "--layer", "encoder.0"]);
            assert_eq!(code(&made), 0, "{kind} {what}: {}", err(&made));
        }
    }
}

/// The views that look into a run.
fn inspections() -> Vec<ViewKind> {
    let all = views::all().iter();
    let training = all.filter(|info| info.workspace == Workspace::Training);
    training.map(|info| info.kind).collect()
}

/// Shows a view with all the room, or in a quarter beside three others.
pub fn arrange(window: &mut Window, kind: ViewKind, is_quarter: bool) {
    if !is_quarter {
        return window.show_alone(kind);
    }
    let others = [
        ViewKind::Loss,
        ViewKind::Accuracy,
        ViewKind::Runs,
        ViewKind::Dynamics,
    ];
    let mut others = others.into_iter().filter(|other| *other != kind);
    let mut next = || Pane::of(&[others.next().unwrap_or(ViewKind::Data)]);
    let column = |a, b| Pane::Column(vec![(1.0, a), (1.0, b)]);
    let left = column(Pane::of(&[kind]), next());
    let right = column(next(), next());
    let whole = Arrangement(Some(Pane::Row(vec![(1.0, left), (1.0, right)])));
    window.show_workspace(Workspace::Training);
    let arrange = Action::View(OnView::Arrange(whole));
    window.harness.state_mut().handle(arrange);
    window.run();
}

pub fn settle(window: &mut Window) {
    for turn in 0..80 {
        window.harness.step();
        if turn > 4 && !window.state().inspections.are_asked() {
            return;
        }
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
}

fn draw(window: &mut Window, of: &str) {
    for kind in inspections() {
        for (is_quarter, size) in [(false, "whole"), (true, "quarter")] {
            arrange(window, kind, is_quarter);
            for (dark, theme) in [(true, "dark"), (false, "light")] {
                window.set_dark(dark);
                settle(window);
                let name = format!("inspections/{of}-{kind:?}-{size}-{theme}.png");
                let to: PathBuf = pictures().join(name);
                std::fs::create_dir_all(to.parent().unwrap()).unwrap();
                window.frame(1.0).save(to).unwrap();
            }
        }
    }
}

#[test]
#[ignore = "writes pictures"]
fn pictures_of_every_inspection() {
    let size = eframe::egui::vec2(1280.0, 720.0);
    let folder = tempfile::tempdir().unwrap();
    let digits = project(folder.path(), &[12, 12]);
    let mut window = Window::real(digits, size);
    draw(&mut window, "empty");
    for (kind, sizes) in [("images", &[12usize, 12][..])].into_iter().chain(KINDS) {
        let folder = tempfile::tempdir().unwrap();
        let project = project(folder.path(), sizes);
        let mut window = opened(&project, folder.path(), size);
        draw(&mut window, kind);
    }
}

/// A window that shows a run of this project.
pub fn opened(project: &Project, folder: &Path, size: Vec2) -> Window {
    completed(train(project, &options(&folder.join("run"))).0);
    let mut window = Window::real(project.clone(), size);
    for action in [
        Action::Open(folder.join("run")),
        Action::Show(Show::Workspace(Workspace::Training)),
    ] {
        window.harness.state_mut().handle(action);
    }
    window.run();
    window
}
