//! Volumes as MedMNIST3D has them: trained by 3-D layers without a reshape, shown as slices.

use crate::kit::runs::{completed, options, train};
use crate::kit::terminal::{code, err, json, strata};
use crate::kit::window::*;
use egui_kittest::kittest::Queryable;
use std::path::Path;
use strata::app::action::{Action, Show};
use strata::app::view_kind::ViewKind;
use strata::inspect::gallery::Gallery;
use strata::inspect::kernel_playground::Playground;
use strata::inspect::statistics::Statistics;
use strata::project::file;
use strata_testkit::files::{npy, write};

/// Volumes of 6×8×8: a bright slice near the front or near the back says the class.
fn write_volumes(folder: &Path) {
    let count = 24;
    let mut voxels = Vec::new();
    for volume in 0..count {
        let bright = if volume % 2 == 0 { 1 } else { 4 };
        for slice in 0..6 {
            let value = if slice == bright {
                220
            } else {
                10 + volume as u8
            };
            voxels.extend([value; 64]);
        }
    }
    let labels: Vec<u8> = (0..count).map(|volume| (volume % 2) as u8).collect();
    for split in ["train", "test"] {
        write(
            folder,
            &format!("{split}_images.npy"),
            &npy("|u1", &[count, 6, 8, 8], &voxels),
        );
        write(
            folder,
            &format!("{split}_labels.npy"),
            &npy("|u1", &[count, 1], &labels),
        );
    }
}

fn project(folder: &Path, lines: &str) -> String {
    format!(
        "format = 1\ntitle = \"volumes\"\n[data]\nsource = \"npy\"\npath = \"{}\"\nvalid = 0.25\n{lines}\n[network]\ninput = \"1x6x8x8\"\nencoder = [\"conv 4 k3 p1\", \"relu\"]\ndecoder = [\"conv 1 k3 p1\", \"sigmoid\"]\nhead = [\"flatten\", \"dense 2\"]\n[[stage]]\nname = \"pictures\"\ntask = \"reconstruct\"\nloss = \"mse\"\noptimizer = \"adam lr=1e-2\"\nepochs = 1\nbatch = 6\n[[stage]]\nname = \"classes\"\ntask = \"classify\"\nloss = \"cross-entropy\"\noptimizer = \"adam lr=1e-2\"\nepochs = 12\nbatch = 6\n",
        folder.display()
    )
}

#[test]
fn volumes_are_learned_and_inspected_without_a_reshape() {
    let folder = tempfile::tempdir().unwrap();
    write_volumes(folder.path());
    let text = project(folder.path(), "");
    let run = folder.path().join("run");
    let (outcome, _) = train(&file::parse(&text, "volumes").unwrap(), &options(&run));
    let summary = completed(outcome);
    let accuracy = summary
        .metrics
        .last()
        .and_then(|(_, metrics)| metrics.accuracy);
    assert!(accuracy.unwrap() > 0.9, "{accuracy:?}");
    for (what, slice) in [
        ("reconstructions", "1"),
        ("saliency", "4"),
        ("activations", "0"),
    ] {
        let picture = format!("{what}.png");
        let args = ["inspect", "run", what, "--slice", slice, "-o", &picture];
        let drawn = strata(folder.path(), &args);
        assert_eq!(code(&drawn), 0, "{}", err(&drawn));
        assert!(folder.path().join(picture).is_file());
    }
}

#[test]
fn volumes_are_described_and_what_moves_pixels_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    write_volumes(folder.path());
    let at = folder.path().display().to_string();
    let value = json(&strata(folder.path(), &["data", &at, "--json"]));
    assert_eq!(value["shape"], serde_json::json!([1, 6, 8, 8]));
    assert_eq!(value["source"], "npy");
    let note = value["notes"][0]["text"].as_str().unwrap();
    assert!(note.starts_with("volumes of 6×8×8"), "{note}");
    for (setting, key) in [
        ("resize=[4, 4]", "resize"),
        ("patch=4x4", "patch"),
        ("augment=[\"hflip\"]", "augment"),
        ("transpose=true", "transpose"),
    ] {
        let refused = strata(
            folder.path(),
            &["data", "npy", "--path", &at, "--set", setting],
        );
        assert_eq!(code(&refused), 2, "{setting}");
        let message = err(&refused);
        assert!(
            message.contains(key) && message.contains("volumes"),
            "{message}"
        );
    }
}

#[test]
fn the_window_shows_a_slice_of_each_volume() {
    let folder = tempfile::tempdir().unwrap();
    write_volumes(folder.path());
    let text = project(folder.path(), "range = [0, 1]");
    let mut window = Window::real(file::parse(&text, "volumes").unwrap(), SIZE);
    window.show_alone(ViewKind::Data);
    window.wait_for(crate::kit::PATIENCE, "the slices", |window| {
        window.has("slice 4 of 6")
    });
    let first = |window: &Window| {
        let gallery = window.state().inspections.output::<Gallery>().unwrap();
        assert_eq!(gallery.size, [8, 8, 1]);
        gallery.pixels[0]
    };
    assert_eq!(first(&window), 10, "the middle one is dark");
    let action = Action::Show(Show::Slice(Some(1)));
    window.harness.state_mut().handle(action);
    window.wait_for(crate::kit::PATIENCE, "another slice", |window| {
        window.has("slice 2 of 6")
    });
    window.wait("the bright slice", |state| {
        state
            .inspections
            .output::<Gallery>()
            .is_some_and(|gallery| gallery.pixels[0] == 220)
    });
    assert!(
        !window.has("Fit the network"),
        "the input is that of the volumes"
    );
}

/// Wherever pictures of volumes are, one slider chooses the slice; feature maps follow the image's.
#[test]
fn every_view_with_pictures_has_one_slider_for_the_slice() {
    let folder = tempfile::tempdir().unwrap();
    write_volumes(folder.path());
    let text = project(folder.path(), "range = [0, 1]");
    let mut window = open(folder.path(), &file::parse(&text, "volumes").unwrap());
    window.click("Train");
    window.wait("the end", |state| !state.training.is_running());
    for kind in [
        ViewKind::Predictions,
        ViewKind::Neighbours,
        ViewKind::Embedding,
        ViewKind::Saliency,
        ViewKind::Activations,
    ] {
        window.show_alone(kind);
        window.wait_for(crate::kit::PATIENCE, "one slider", |window| {
            let sliders = window.harness.query_all_by_label("Slice of the volumes");
            window.has("slice 4 of 6") && sliders.count() == 1
        });
        assert!(!window.has("Slice of feature maps"), "{kind:?}");
    }
}

#[test]
fn statistics_and_kernels_show_the_slice_that_is_chosen() {
    let folder = tempfile::tempdir().unwrap();
    write_volumes(folder.path());
    let text = project(folder.path(), "range = [0, 1]");
    let mut window = Window::real(file::parse(&text, "volumes").unwrap(), SIZE);
    window.show_column(&[ViewKind::Statistics, ViewKind::Kernels]);
    let sliders = |window: &Window| {
        let sliders = window.harness.query_all_by_label("Slice of the volumes");
        sliders.count()
    };
    let slices = |window: &Window| {
        let inspections = &window.state().inspections;
        let statistics = inspections.output::<Statistics>().and_then(|s| s.slice);
        let kernels = inspections.output::<Playground>();
        [statistics, kernels.and_then(|k| k.picture.slice)].map(|of| of.map(|of| of.slice))
    };
    window.wait_for(crate::kit::PATIENCE, "the middle slice", |window| {
        slices(window) == [Some(3); 2]
    });
    assert_eq!(sliders(&window), 2);
    let seen = |window: &Window| {
        let inspections = &window.state().inspections;
        let statistics = inspections.output::<Statistics>().unwrap();
        assert_eq!(statistics.splits[0].mean_image.len(), 64);
        // Every volume is in both splits.
        assert_eq!(statistics.duplicates.size, [8, 8]);
        let twin = &statistics.duplicates.sets[0].images[0];
        let kernels = inspections.output::<Playground>().unwrap();
        assert_eq!(kernels.picture.pixels.size, [8, 8]);
        [statistics.splits[0].mean_image[0], twin.pixels[0]]
    };
    assert!(seen(&window).iter().all(|value| *value < 60), "dark");
    let action = Action::Show(Show::Slice(Some(1)));
    window.harness.state_mut().handle(action);
    window.run();
    assert_eq!(
        sliders(&window),
        2,
        "the slider stays while the slice is read"
    );
    window.wait_for(crate::kit::PATIENCE, "the first slice", |window| {
        slices(window) == [Some(1); 2]
    });
    let [mean, twin] = seen(&window);
    assert!(mean > 80 && (twin == 220 || twin < 60), "{mean} {twin}");
    let action = Action::Show(Show::Slice(Some(99)));
    window.harness.state_mut().handle(action);
    window.wait_for(crate::kit::PATIENCE, "the last slice", |window| {
        slices(window) == [Some(5); 2]
    });
}
