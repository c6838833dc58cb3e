//! In every view, with a run, each text can be read: with all the room and in a quarter of the window, in both themes, in
//! the smallest windows that the program is made for.

use crate::every_inspection::{KINDS, arrange, opened, project, settle};
use crate::kit::window::*;
use crate::kit::written::{Written, cut_at_a_side, ending_early, lying_over_each_other, written};
use eframe::egui::{Rect, Vec2, pos2, vec2};
use strata::app::arrangement::Workspace;
use strata::app::view_kind::ViewInfo;
use strata::gui::views;

/// The smallest usual window in the dark, and in the light one of 1440×900 pixels at 150 %: pixels, and pixels of a point.
const SIZES: [(Vec2, f32, bool); 2] = [(SIZE, 1.0, true), (vec2(1440.0, 900.0), 1.5, false)];

/// Views of signals and volumes: those that look into the run.
fn looks_inside(info: &&ViewInfo) -> bool {
    info.workspace == Workspace::Training
}

/// What of the frame is in the tile of a view, from its tab to the bar below.
fn in_tile(window: &Window, info: &ViewInfo) -> Vec<Written> {
    let tab = window.get(&format!("{} view", info.title)).rect();
    let corner = window
        .get(&format!("Add view beside {}", info.title))
        .rect();
    let bottom = window.get("Train").rect().top();
    let area = Rect::from_min_max(tab.min, pos2(corner.right(), bottom));
    let mut texts = written(&window.harness.output().shapes);
    texts.retain(|one| area.intersects(one.rect));
    texts
}

/// Of formulas, of what was set and of layers the beginning tells most; the rest is in a tooltip.
const LONG: [&str; 5] = ["output (", "pixels, ", "encoder ", "decoder ", "head "];

/// Texts of a view's tile that end early.
fn early(window: &Window, info: &ViewInfo) -> Vec<String> {
    let mut early = ending_early(&in_tile(window, info));
    early.retain(|text| !LONG.iter().any(|long| text[1..].starts_with(long)));
    early
}

/// What cannot be read in the views of a run of this kind.
fn faults(kind: &str, sizes: &[usize], which: fn(&&ViewInfo) -> bool) -> Vec<String> {
    let mut faults = Vec::new();
    for (size, scale, dark) in SIZES {
        let folder = tempfile::tempdir().unwrap();
        let mut window = opened(&project(folder.path(), sizes), folder.path(), size);
        window.harness.set_pixels_per_point(scale);
        window.set_dark(dark);
        for info in views::all().iter().filter(which) {
            for (is_quarter, place) in [(false, "whole"), (true, "quarter")] {
                arrange(&mut window, info.kind, is_quarter);
                settle(&mut window);
                window.run();
                let texts = written(&window.harness.output().shapes);
                let found = lying_over_each_other(&texts).into_iter();
                let found = found.chain(cut_at_a_side(&texts));
                // A quarter of a window of 600 points has no room for all that is to say.
                let is_low = is_quarter && scale > 1.0;
                let early = match is_low {
                    true => Vec::new(),
                    false => early(&window, info),
                };
                let found = found.chain(early);
                let of = format!("{kind} {:?} {place} {}", info.kind, size.x);
                for what in found {
                    println!("{of}: {what}");
                    faults.push(format!("{of}: {what}"));
                }
            }
        }
    }
    faults
}

#[test]
fn no_text_of_images_lies_over_another_or_is_cut() {
    let found = faults("images", &[12, 12], |_| true);
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
#[ignore = "takes a minute"]
fn long_no_text_of_signals_lies_over_another_or_is_cut() {
    let found = faults(KINDS[0].0, KINDS[0].1, looks_inside);
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
#[ignore = "takes a minute"]
fn long_no_text_of_volumes_lies_over_another_or_is_cut() {
    let found = faults(KINDS[1].0, KINDS[1].1, looks_inside);
    assert!(found.is_empty(), "{}", found.join("\n"));
}
