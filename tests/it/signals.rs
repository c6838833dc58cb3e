//! Sounds in the window: their reconstructions, their saliency and what augmentation makes of them are curves.

use crate::every_inspection::{self, KINDS, opened, settle};
use crate::kit::window::*;
use eframe::egui::accesskit::Role;
use eframe::egui::vec2;
use egui_kittest::kittest::Queryable;
use std::f32::consts::TAU;
use std::path::Path;
use strata::app::view_kind::ViewKind;
use strata::inspect::activations::Activations;
use strata::inspect::augmented::Augmented;
use strata::inspect::gallery::Gallery;
use strata::inspect::pixel::Pixel;
use strata::inspect::saliency::Saliency;
use strata::inspect::statistics::Statistics;
use strata::project::{Project, Stack, file};
use strata_testkit::files::{wav, write};

const SAMPLES: usize = 512;

/// Twenty notes of each class that fade away: a high one and a low one.
fn write_notes(folder: &Path) {
    for (class, waves) in [("high", 24.0), ("low", 6.0)] {
        for number in 0..20 {
            let sample = |at: usize| {
                let time = at as f32 / SAMPLES as f32;
                let wave = (TAU * (waves * time + number as f32 / 7.0)).sin();
                (9000.0 * wave * (-3.0 * time).exp()) as i16
            };
            let bytes = wav(1, 8000, (0..SAMPLES).map(sample));
            write(folder, &format!("{class}/{number}.wav"), &bytes);
        }
    }
}

/// An autoencoder, then a classifier on its code.
fn project(folder: &Path) -> Project {
    let text = format!(
        r#"
format = 1
title = "Notes"
[data]
source = "wav"
path = {folder:?}
valid = 0.5
augment = ["hflip p0.5", "shift 0.2", "noise 0.05"]
[network]
input = "1x512"
encoder = ["conv 8 k16 s4 p6", "tanh"]
decoder = ["convt 1 k16 s4 p6"]
head = ["relu", "gap", "dense 2"]
[[stage]]
name = "waves"
task = "reconstruct"
loss = "mse"
optimizer = "adam lr=5e-3"
epochs = 20
batch = 10
[[stage]]
name = "classes"
task = "classify"
loss = "cross-entropy"
optimizer = "adam lr=1e-2"
epochs = 10
batch = 10
"#
    );
    file::parse(&text, "notes.toml").unwrap()
}

/// Pixels of the window whose red, green and blue are all within these limits.
fn pixels(window: &mut Window, limits: [[u8; 2]; 3]) -> usize {
    let within = |pixel: &image::Rgba<u8>| {
        limits
            .iter()
            .zip(pixel.0)
            .all(|([low, high], v)| (*low..=*high).contains(&v))
    };
    window
        .picture(1.0)
        .pixels()
        .filter(|pixel| within(pixel))
        .count()
}

#[test]
fn a_sample_of_a_map_opens_in_the_arithmetic_of_its_layer() {
    let folder = tempfile::tempdir().unwrap();
    let (_, sizes) = KINDS[0];
    let mut window = opened(
        &every_inspection::project(folder.path(), sizes),
        folder.path(),
        SIZE,
    );
    window.select(Stack::Encoder, 1);
    window.show_alone(ViewKind::Activations);
    settle(&mut window);
    let label = "Values of the large map: a click opens one in the layer's arithmetic";
    let map = window.get(label).rect();
    // The eleventh of 64 samples.
    let at = map.min + map.size() * vec2(10.5 / 64.0, 0.5);
    window.harness.hover_at(at);
    window.run();
    window.harness.drag_at(at);
    window.harness.drop_at(at);
    window.run();
    assert_eq!(window.state().view.lens.at, Some([0, 0, 0, 10]));
    let cell = window.state().inspections.cell.as_ref().unwrap();
    assert_eq!(cell.cell, [10]);
    let maps = window.state().inspections.output::<Activations>().unwrap();
    let value = maps.values[10];
    window.wait("the arithmetic", |state| {
        let pixel = state.inspections.output::<Pixel>();
        pixel.is_some_and(|pixel| pixel.at == [0, 0, 0, 10])
    });
    let pixel = window.state().inspections.output::<Pixel>().unwrap();
    let apart = (pixel.network - value).abs();
    assert!(apart < 1e-6, "{} {value}", pixel.network);
}

#[test]
fn signals_are_curves() {
    let folder = tempfile::tempdir().unwrap();
    write_notes(&folder.path().join("notes"));
    let mut window = open(folder.path(), &project(&folder.path().join("notes")));
    window.train();
    window.show_alone(ViewKind::Reconstructions);
    window.wait("pictures", |state| {
        state.reconstructions().is_some_and(|seen| seen.is_ok())
    });
    assert!(
        window.has("16 probe signals and their reconstructions")
            && window.has("probe signals · step")
    );
    let white = pixels(&mut window, [[235, 255]; 3]);
    let blue = pixels(&mut window, [[80, 96], [158, 178], [240, 255]]);
    let orange = pixels(&mut window, [[240, 255], [152, 172], [50, 72]]);
    window.keep_picture("signals/reconstructions");
    assert!(
        white > 400 && blue > 1000 && orange > 1000,
        "{white} {blue} {orange}"
    );
    window.show_alone(ViewKind::Saliency);
    window.wait("maps", |state| {
        state
            .inspections
            .latest::<Saliency>()
            .is_some_and(|seen| seen.result.is_ok())
    });
    assert!(window.has("saliency of 16 signals"));
    let (white, yellow) = (
        pixels(&mut window, [[245, 255]; 3]),
        pixels(&mut window, [[250, 255], [228, 234], [34, 40]]),
    );
    window.keep_picture("signals/saliency");
    assert!(white > 1000 && yellow > 300, "{white} {yellow}");
    window.show_alone(ViewKind::Augmentation);
    window.wait("draws", |state| {
        state
            .inspections
            .latest::<Augmented>()
            .is_some_and(|seen| seen.result.is_ok())
    });
    let seen = window
        .state()
        .inspections
        .latest::<Augmented>()
        .cloned()
        .unwrap();
    let seen = seen.result.as_ref().unwrap();
    assert!(seen.are_curves && seen.channels == 1 && seen.together.size == [64, 128]);
    assert_eq!(
        (
            seen.before.count(1),
            seen.together.count(1),
            seen.alone.len()
        ),
        (1, 12, 3)
    );
    window.keep_picture("signals/augmentation");
    assert!(
        seen.before.picture(0, 1) != seen.alone[2].picture(0, 1),
        "noise is seen"
    );
    window.show_alone(ViewKind::Lens);
    window.run();
    window.click("Show one value of the trained network");
    window.wait("numbers", |state| {
        state
            .inspections
            .latest::<Pixel>()
            .is_some_and(|seen| seen.result.is_ok())
    });
    assert_eq!(
        window.get("Output map").rect().height(),
        32.0,
        "a band, not a hair"
    );
    window.show_alone(ViewKind::Data);
    window.wait("images", |state| {
        state
            .inspections
            .latest::<Gallery>()
            .is_some_and(|seen| seen.result.is_ok())
    });
    let seen = window
        .state()
        .inspections
        .latest::<Gallery>()
        .cloned()
        .unwrap();
    let seen = seen.result.as_ref().unwrap();
    assert_eq!(
        (seen.shape.clone(), seen.size),
        (vec![1, 1, SAMPLES], [64, 128, 1])
    );
    let light = pixels(&mut window, [[190, 255], [190, 255], [190, 255]]);
    assert!(light > 3000, "{light}");
    window.keep_picture("signals/data");
    window.show_alone(ViewKind::Statistics);
    window.wait("figures", |state| {
        state
            .inspections
            .latest::<Statistics>()
            .is_some_and(|seen| seen.result.is_ok())
    });
    window.keep_picture("signals/statistics");
    let mean = window
        .harness
        .get_by_role_and_label(Role::Image, "Mean image")
        .rect();
    assert_eq!(
        mean.height(),
        mean.width() / 2.0,
        "a curve, not a row of pixels"
    );
}
