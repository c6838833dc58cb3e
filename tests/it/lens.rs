//! The lens: a layer as arithmetic, in the window by mouse and by keyboard, and in the terminal.

use crate::kit::window::*;
use eframe::egui::{Key, Modifiers, Pos2, Vec2, vec2};
use egui_kittest::kittest::Queryable;
use std::path::Path;
use strata::app::action::{Action, OnView, Show};
use strata::app::arrangement::Workspace;
use strata::app::lens::{LensMode, LensSettings};
use strata::app::view_kind::ViewKind;
use strata::inspect::pixel::Pixel;
use strata::project::{Place, Project, Stack};
use strata_testkit::networks::network;

/// A project with one encoder.
fn project(input: &str, encoder: &[&str]) -> Project {
    let mut project = builtin("conv-autoencoder");
    project.network = network(input, encoder, &[], &[]);
    project
}

fn designing(project: Project, size: Vec2) -> Window {
    let mut window = Window::without_engine(project, size);
    window.show_workspace(Workspace::Design);
    window
}

/// The design of a small classifier that was trained.
fn trained(folder: &Path) -> Window {
    let mut window = open(folder, &classifier());
    window.train();
    window.show_workspace(Workspace::Design);
    window
}

fn set(window: &mut Window, change: impl Fn(&mut LensSettings)) {
    let mut lens = window.state().view.lens;
    change(&mut lens);
    window
        .harness
        .state_mut()
        .handle(Action::Show(Show::Lens(lens)));
    window.run();
}

fn step(window: &Window) -> usize {
    window.state().view.lens.step
}

/// The middle of a cell of the output grid.
fn output_cell(window: &Window, label: &str, size: [usize; 2], at: [usize; 2]) -> Pos2 {
    let node = window
        .harness
        .query_all_by_label_contains(label)
        .next()
        .unwrap();
    let rect = node.rect();
    let share = vec2(
        (at[1] as f32 + 0.5) / size[1] as f32,
        (at[0] as f32 + 0.5) / size[0] as f32,
    );
    rect.min + share * rect.size()
}

#[test]
fn the_selected_layer_is_arithmetic() {
    let mut window = designing(
        project("3x32x32", &["conv 16 k3 s2 p1", "relu", "maxpool 2"]),
        SIZE,
    );
    assert!(window.has(
        "⌊(N + 2p − d(k − 1) − 1)/s⌋ + 1 = ⌊(32 + 2·1 − 1·(3 − 1) − 1)/2⌋ + 1 = ⌊31/2⌋ + 1 = 16"
    ));
    assert!(
        window.has("position 1 of 9: output (1, 1): 0·1 + 0·0"),
        "the first layer is chosen by itself"
    );
    window.select(Stack::Encoder, 2);
    assert!(
        window.has("⌊(16 + 2·0 − 1·(2 − 1) − 1)/2⌋ + 1 = ⌊14/2⌋ + 1 = 8") && window.has("max(")
    );
    window.select(Stack::Encoder, 1);
    assert!(window.has("relu(−3) = 0"));
    window.enter("encoder.1", "convt 8 k3 s2 p1 op1");
    assert!(window.has("(N − 1)s − 2p + d(k − 1) + op + 1") && window.has("stamps 1·kernel"));
    window.enter("encoder.1", "conv 8 k99");
    assert!(
        window.has("kernel 99×99 is larger than the input") && window.has("No small grid of this")
    );
}

#[test]
fn the_kernel_is_moved_by_buttons_keys_and_clicks() {
    let mut window = designing(project("3x32x32", &["conv 16 k3 s2 p1"]), SIZE);
    window.click("Next position");
    window.click("Next position");
    assert!(step(&window) == 2 && window.has("position 3 of 9: output (1, 3)"));
    window.click("Previous position");
    assert_eq!(step(&window), 1);
    window.click("First position");
    assert_eq!(step(&window), 0);
    let cell = output_cell(&window, "Output grid", [3, 3], [1, 2]);
    window.harness.hover_at(cell);
    window.harness.step();
    window.harness.drag_at(cell);
    window.harness.step();
    window.harness.drop_at(cell);
    window.run();
    assert_eq!(step(&window), 5, "a click on an output cell goes there");
    // By keyboard alone: the grid has the focus after a click, and the arrows move the kernel.
    window.press(Modifiers::NONE, Key::ArrowRight);
    assert_eq!(step(&window), 6);
    window.press(Modifiers::NONE, Key::ArrowUp);
    assert_eq!(step(&window), 3);
    window.press(Modifiers::NONE, Key::End);
    assert_eq!(step(&window), 8);
    window.press(Modifiers::NONE, Key::Home);
    assert_eq!(step(&window), 0);
    window.get("Next position").focus();
    window.run();
    window.press(Modifiers::NONE, Key::Enter);
    assert_eq!(step(&window), 1);
}

#[test]
fn playing_moves_on_by_itself_and_stops_at_the_end() {
    let mut window = designing(project("3x32x32", &["conv 16 k3 s2 p1"]), SIZE);
    window.get("Play the sliding kernel").click();
    for _ in 0..4 {
        window.harness.step();
    }
    let settings = window.state().view.lens;
    assert!(settings.playing && settings.step > 0, "{settings:?}");
    assert!(window.has("Pause the sliding kernel"));
    for _ in 0..40 {
        window.harness.step();
    }
    assert_eq!(
        (step(&window), window.state().view.lens.playing),
        (8, false),
        "it stops at the last position"
    );
    window.run();
    let delay = window
        .harness
        .output()
        .viewport_output
        .values()
        .map(|viewport| viewport.repaint_delay)
        .min()
        .unwrap();
    assert!(
        delay.as_secs() > 0,
        "a kernel at rest asks for no frames: {delay:?}"
    );
    window.get("Play the sliding kernel").click();
    for _ in 0..3 {
        window.harness.step();
    }
    assert!(window.state().view.lens.playing);
    window.get("Pause the sliding kernel").click();
    for _ in 0..4 {
        window.harness.step();
    }
    assert!(
        !window.state().view.lens.playing && step(&window) < 8,
        "paused, not at the end"
    );
    window.run();
    // Another layer starts at its first position.
    set(&mut window, |lens| lens.step = 4);
    window.enter("encoder.0", "conv 16 k5");
    assert_eq!(step(&window), 0);
}

#[test]
fn the_matrix_has_its_transpose() {
    let mut window = designing(project("3x32x32", &["conv 16 k3 s2 p1"]), SIZE);
    window.click("Show the layer as a sparse matrix");
    assert!(window.has("Matrix of 9 rows and 36 columns") && window.has("A is 9×36"));
    window.click("Transposed matrix");
    assert!(window.has("Matrix of 36 rows and 9 columns"));
    assert!(window.has("it is the layer convt 3 k3 s2 p1 op1 with the same weights"));
    window.get("Transposed matrix").focus();
    window.run();
    window.press(Modifiers::NONE, Key::Space);
    assert!(window.has("Matrix of 9 rows"), "by keyboard as well");
    window.enter("encoder.0", "relu");
    assert!(window.has("This layer is no matrix"));
}

#[test]
fn a_layer_is_opened_from_its_row_and_by_name() {
    let mut window = Window::idle("lenet-mnist");
    let row = window
        .harness
        .query_all_by_label_contains("encoder.3: ")
        .next()
        .unwrap()
        .rect();
    let at = row.right_center() - vec2(20.0, 0.0);
    window.harness.hover_at(at);
    window.harness.step();
    for pressed in [true, false, true, false] {
        let (button, modifiers) = (eframe::egui::PointerButton::Primary, Modifiers::NONE);
        let event = eframe::egui::Event::PointerButton {
            pos: at,
            button,
            pressed,
            modifiers,
        };
        window.harness.input_mut().events.push(event);
    }
    window.harness.step();
    window.run();
    assert_eq!(window.state().view.workspace, Workspace::Design);
    assert_eq!(
        window.state().lens_place().unwrap().to_string(),
        "encoder.3"
    );
    window
        .harness
        .state_mut()
        .handle(Action::View(OnView::Close(ViewKind::Lens)));
    window.run();
    window.press(Modifiers::COMMAND, Key::K);
    window
        .harness
        .event(eframe::egui::Event::Text("layer in the lens".into()));
    window.run();
    window.press(Modifiers::NONE, Key::Enter);
    assert!(window.state().arrangement().is_open(ViewKind::Lens));
}

#[test]
fn the_numbers_of_a_trained_network_are_shown() {
    let folder = tempfile::tempdir().unwrap();
    let mut window = designing(project("3x32x32", &["conv 16 k3 s2 p1"]), SIZE);
    window.click("Show one value of the trained network");
    assert!(window.has("No network to look into yet"));
    let mut window = trained(folder.path());
    window.click("Show one value of the trained network");
    window.wait("the numbers", |state| {
        state.inspections.latest::<Pixel>().is_some()
    });
    assert!(window.has("is what the network has") && window.has("bias "));
    let place = window.get("Output map").rect().min + vec2(3.0, 3.0);
    window.harness.hover_at(place);
    window.harness.drag_at(place);
    window.harness.step();
    window.harness.drop_at(place);
    window.wait("the corner", |state| {
        let seen = state.inspections.latest::<Pixel>();
        seen.and_then(|seen| seen.result.as_ref().ok())
            .is_some_and(|pixel| pixel.at == [0, 0, 0, 0])
    });
    window.select(Stack::Head, 1);
    window.wait("the dense layer", |state| {
        let seen = state.inspections.latest::<Pixel>();
        seen.is_some_and(|seen| seen.query.request.place.stack == Stack::Head)
    });
    assert!(window.has("others ") && window.has("is what the network has"));
}

#[test]
#[ignore = "writes pictures"]
fn pictures() {
    let layers = [
        ("3x32x32", "conv 16 k3 s2 p1", 4),
        ("3x32x32", "conv 16 k3 d2 p2", 7),
        ("8x16x16", "convt 3 k3 s2 p1 op1", 4),
        ("8x16x16", "convt 3 k4 s2 p1", 5),
        ("8x28x28", "maxpool 2", 4),
        ("8x29x29", "maxpool 3 s3", 2),
        ("8x28x28", "avgpool 2", 3),
        ("8x28x28", "relu", 5),
        ("1x16000", "conv 8 k5 s2 p2", 3),
        ("1x16x64x64", "conv 8 k3 s2 p1", 3),
        ("256", "dense 10", 2),
        ("8x4x4", "flatten", 6),
        ("8x8x8", "upsample 2 bilinear", 5),
        ("8x8x8", "gap", 0),
        ("3x64x64", "conv 8 k11 s4 p2", 1),
        ("8x8x8", "bn", 2),
        ("8x8x8", "{ add = [[\"conv 8 k3 p1\"], []] }", 4),
        ("10", "softmax", 1),
        ("3x32x32", "conv 8 k3x5 s2x1 p1x2", 2),
        ("8x8x8", "pad 1x2", 3),
        ("8x16", "convt 3 k4 s2 p1", 2),
        ("8x8x8", "dropout 0.5", 2),
    ];
    for (index, (input, text, step)) in layers.into_iter().enumerate() {
        let large = index % 3 == 1;
        let size = if large { vec2(1920.0, 1080.0) } else { SIZE };
        let mut window = designing(project(input, &[text]), size);
        window.set_dark(index % 2 == 0);
        set(&mut window, |lens| lens.step = step);
        let name: String = text
            .chars()
            .map(|c| if c.is_ascii_alphanumeric() { c } else { '-' })
            .collect();
        window.write_picture(&format!("lens/{index:02}-{name}"));
        if [0, 2, 4, 10].contains(&index) {
            set(&mut window, |lens| {
                (lens.mode, lens.transposed) = (LensMode::Matrix, index == 2)
            });
            window.write_picture(&format!("lens/{index:02}-{name}-matrix"));
            window.show_alone(ViewKind::Lens);
            window.write_picture(&format!("lens/{index:02}-{name}-matrix-alone"));
            set(&mut window, |lens| lens.mode = LensMode::Grid);
            window.write_picture(&format!("lens/{index:02}-{name}-alone"));
        }
    }
    let kept = tempfile::tempdir().unwrap();
    let mut window = trained(kept.path());
    set(&mut window, |lens| lens.mode = LensMode::Numbers);
    for (stack, index) in [(Stack::Encoder, 0), (Stack::Encoder, 1), (Stack::Head, 1)] {
        window.set_dark(index == 0);
        window.select(stack, index);
        let place = Place::new(stack, index);
        window.wait("the numbers", |state| {
            state
                .inspections
                .latest::<Pixel>()
                .is_some_and(|seen| seen.query.request.place == place)
        });
        window.write_picture(&format!("lens/numbers-{stack}-{index}"));
    }
    window.show_alone(ViewKind::Lens);
    window.select(Stack::Encoder, 0);
    window.wait("the numbers", |state| {
        state
            .inspections
            .latest::<Pixel>()
            .is_some_and(|seen| seen.query.request.place == Place::new(Stack::Encoder, 0))
    });
    window.write_picture("lens/numbers-alone");
}
