//! Every inspection of the terminal on signals and on volumes: it draws something, or says why not; and how a view of such a
//! run is shown, for those that walk through all of them.

use crate::kit::PATIENCE;
use crate::kit::runs::{completed, options, train};
use crate::kit::terminal::{code, err, strata};
use crate::kit::window::*;
use eframe::egui::Vec2;
use std::path::Path;
use std::time::{Duration, Instant};
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
        let asked: [(&str, &[&str]); 30] = [
            ("filters", &[]),
            ("filters", &["--json"]),
            ("filters", &["--decoder"]),
            ("filters", &["--layer", "head.1"]),
            ("filters", &["--show", "frequencies"]),
            ("filters", &["--without", "1", "--split", "test"]),
            ("loss", &[]),
            ("accuracy", &[]),
            ("confusion", &[]),
            (
                "confusion",
                &["--split", "train", "--numbers", "counts.npy"],
            ),
            ("predictions", &[]),
            ("reconstructions", &[]),
            ("reconstructions", &["--json"]),
            ("reconstructions", &["--probe", "1"]),
            ("reconstructions", &["--split", "test"]),
            ("activations", &["--layer", "encoder.1"]),
            (
                "activations",
                &["--layer", "encoder.1", "--numbers", "maps.npy"],
            ),
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
            let axes = match sizes.len() {
                1 => "samples ",
                _ => "slices ",
            };
            let said = err(&made);
            assert!(what == "pixel" || said.contains(axes), "{kind}: {said}");
        }
        let shape = |file: &str| {
            let bytes = std::fs::read(at.join(file)).unwrap();
            let header = String::from_utf8_lossy(&bytes[..128]).into_owned();
            let from = header.find("'shape': ").unwrap() + 9;
            header[from..].split(')').next().unwrap().to_owned()
        };
        assert_eq!(shape("counts.npy"), "(2, 2,");
        let maps = match sizes {
            [length] => format!("(4, 1, {length},"),
            sizes => format!("(4, {}, {}, {},", sizes[0], sizes[1], sizes[2]),
        };
        assert_eq!(shape("maps.npy"), maps);
        // Volumes have three axes, so that a picture of two would be no spectrum of them.
        let spectrum = at.join("4-filters.png");
        assert_eq!(spectrum.is_file(), kind == "signals");
    }
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
    window.show_workspace(views::info(kind).workspace);
    let arrange = Action::View(OnView::Arrange(whole));
    window.harness.state_mut().handle(arrange);
    window.run();
}

/// Frames until nothing is asked for any more.
pub fn settle(window: &mut Window) {
    let start = Instant::now();
    let mut calm = 0;
    while calm < 4 && start.elapsed() < PATIENCE {
        window.harness.step();
        calm = match window.state().inspections.are_asked() {
            true => 0,
            false => calm + 1,
        };
        std::thread::sleep(Duration::from_millis(10));
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
