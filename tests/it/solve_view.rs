//! The view "Output = input", by mouse and by keyboard alone.

use crate::kit::PATIENCE;
use crate::kit::window::*;
use eframe::egui::{Key, Modifiers, Vec2, vec2};
use egui_kittest::kittest::Queryable;
use strata::app::action::{Action, Show};
use strata::app::arrangement::Workspace;
use strata::app::view_kind::ViewKind;
use strata::project::{Place, Project, Stack};
use strata_testkit::folders;
use strata_testkit::networks::nodes;

fn project(input: &str, encoder: &[&str], decoder: &[&str]) -> Project {
    let mut project = builtin("conv-autoencoder");
    project.network.input = input.parse().unwrap();
    (project.network.encoder, project.network.decoder) = (nodes(encoder), nodes(decoder));
    project
}

/// One row and one column short.
fn short() -> Project {
    project(
        "3x32x32",
        &["conv 8 k3 s2 p1", "relu"],
        &["convt 3 k3 s2 p1", "tanh"],
    )
}

/// A window in which the view stands alone.
fn alone(project: Project, size: Vec2) -> Window {
    let mut window = Window::without_engine(project, size);
    window.show_alone(ViewKind::Solve);
    answered(&mut window);
    window
}

/// Waits for the thread that searches.
fn answered(window: &mut Window) {
    window.run();
    window.wait_for(PATIENCE, "answer", |window| {
        !window.has("Searching …") && !window.has("Trying all sizes")
    });
}

fn input(window: &Window) -> String {
    window.state().network().input.to_string()
}

fn decoder(window: &Window, index: usize) -> String {
    window.state().network().decoder[index].text()
}

#[test]
fn the_banner_leads_to_the_cause_and_a_click_mends_it() {
    let mut window = Window::without_engine(short(), SIZE);
    window.click("Explain and fix");
    answered(&mut window);
    assert_eq!(window.state().view.workspace, Workspace::Design);
    assert!(window.has("Output 3×31×31 ≠ input 3×32×32: one row and one column short"));
    assert!(
        window.has("Stride 2 at encoder layer 1 rounds down: 32 → 16 would come from 31 as well")
    );
    window
        .harness
        .get_by_label_contains("Step encoder.0")
        .click();
    window.run();
    assert_eq!(window.state().selected, Some(Place::new(Stack::Encoder, 0)));
    window.get("Apply solution 1").scroll_to_me();
    window.run();
    let apply = window.get("Apply solution 1").rect().center();
    window.harness.hover_at(apply);
    window.run();
    assert_eq!(
        window.state().shown.inference.output_equals_input,
        Some(true),
        "looked at before it is taken"
    );
    assert_eq!(decoder(&window, 0), "convt 3 k3 s2 p1", "and not taken yet");
    window.harness.hover_at(eframe::egui::pos2(200.0, 10.0));
    window.run();
    assert_eq!(
        window.state().shown.inference.output_equals_input,
        Some(false)
    );
    window.click("Apply solution 1");
    answered(&mut window);
    assert_eq!(decoder(&window, 0), "convt 3 k3 s2 p1 op1");
    assert!(window.has("Output 3×32×32 = input 3×32×32") && window.state().proposal().is_none());
    window.press(Modifiers::COMMAND, Key::Z);
    assert_eq!(*window.state().project(), short());
}

/// While a card is looked at its layers stand in the architecture: nobody may take them for the network's.
#[test]
fn a_proposal_is_marked_as_one_until_it_is_taken() {
    let mut window = alone(short(), SIZE);
    let marks = [
        "Proposal, not applied yet",
        "as proposed: output 3×32×32",
        "as proposed:",
        "A proposal is shown; its Apply button takes it",
    ];
    assert!(marks.iter().all(|mark| !window.has(mark)));
    let dashes = |window: &Window| {
        // The card names the place too; the architecture is to the left of it.
        let named = window.harness.query_all_by_label("decoder.0");
        let rows = named.map(|node| node.rect());
        let row = rows.min_by(|a, b| a.left().total_cmp(&b.left())).unwrap();
        let picture = window.frame(1.0);
        let y = row.center().y as u32;
        let left = row.left() as u32;
        // The upper border of the row lies a few pixels above its text.
        let accent = |x: u32, y: u32| {
            let [red, _, blue, _] = picture.get_pixel(x, y).0;
            i32::from(blue) - i32::from(red) > 90
        };
        (y - 18..y - 6)
            .map(|y| (left..left + 200).filter(|x| accent(*x, y)).count())
            .max()
            .unwrap()
    };
    let button = |name: &str| window.get(name).rect().right();
    let (first, last) = (button("Apply solution 1"), button("Apply solution 3"));
    assert!(
        (first - last).abs() < 0.5,
        "cards of one width: {first} {last}"
    );
    for dark in [true, false] {
        window.set_dark(dark);
        let apply = window.get("Apply solution 1").rect().center();
        let plain = dashes(&window);
        window.harness.hover_at(apply);
        window.run();
        // A picture of the kit would take the pointer away, and the proposal with it.
        if std::env::var_os("STRATA_PICTURES").is_some() {
            let name = format!("proposal-{}.png", if dark { "dark" } else { "light" });
            window
                .frame(1.0)
                .save(folders::pictures().join(name))
                .unwrap();
        }
        for mark in marks {
            assert!(window.has(mark), "{mark}");
        }
        let drawn = dashes(&window);
        assert!(
            plain < 20 && (60..190).contains(&drawn),
            "a dashed border: {drawn} of 200 pixels, {plain} before"
        );
        window.harness.remove_cursor();
        window.run();
        assert!(marks.iter().all(|mark| !window.has(mark)));
    }
}

#[test]
fn everything_is_reached_by_keyboard_alone() {
    let mut window = alone(short(), SIZE);
    window.tab_to("Input side");
    window.press(Modifiers::NONE, Key::ArrowLeft);
    assert!(window.has("31: output 3×31×31 = input 3×31×31"));
    window.press(Modifiers::NONE, Key::ArrowUp);
    assert!(window.has("33: output 3×33×33 = input 3×33×33"));
    window.press(Modifiers::NONE, Key::ArrowRight);
    assert!(window.has("34: output 3×33×33 ≠ input 3×34×34"));
    window.press(Modifiers::NONE, Key::ArrowDown);
    window.press(Modifiers::NONE, Key::ArrowDown);
    window.press(Modifiers::NONE, Key::Enter);
    answered(&mut window);
    assert_eq!(input(&window), "3×31×31");
    window.press(Modifiers::COMMAND, Key::Z);
    answered(&mut window);
    window.tab_to("Apply solution 1");
    assert_eq!(
        window.state().shown.inference.output_equals_input,
        Some(true),
        "a focused card is looked at"
    );
    window.press(Modifiers::NONE, Key::Enter);
    answered(&mut window);
    assert_eq!(decoder(&window, 0), "convt 3 k3 s2 p1 op1");
}

#[test]
fn the_strip_tells_the_rule_and_takes_a_size() {
    let mut window = alone(short(), SIZE);
    assert!(window.has("Works for odd sizes") && window.has("Use side 31"));
    window.click("Use side 33");
    answered(&mut window);
    assert_eq!(input(&window), "3×33×33");
    let bar = window.get("Input side").rect();
    let at = eframe::egui::pos2(bar.left() + bar.width() * (100.5 / 512.0), bar.center().y);
    window.harness.hover_at(at);
    window.run();
    assert!(window.has("101: output 3×101×101 = input 3×101×101"));
    window.harness.drag_at(at);
    window.harness.drop_at(at);
    answered(&mut window);
    assert_eq!(input(&window), "3×101×101");
}

#[test]
fn axes_that_differ_have_strips_of_their_own() {
    let mut window = alone(project("3x49x64", &["maxpool 2"], &["upsample 2"]), SIZE);
    assert!(window.harness.query_by_label("Input height").is_some() && window.has("now 49"));
    window.click("Sizes of width");
    assert!(window.harness.query_by_label("Input width").is_some());
    assert!(window.has("Works for even sizes, others at 64") && window.has("now 64"));
}

#[test]
fn what_cannot_be_solved_is_said() {
    let mut window = alone(project("3x32x32", &[], &[]), SIZE);
    assert!(window.has("What do you want to build?"));
    window
        .harness
        .state_mut()
        .handle(Action::Builtin("lenet-mnist"));
    window.show_alone(ViewKind::Solve);
    answered(&mut window);
    assert!(window.has("There is no decoder, so nothing has to come back"));
    let mut window = alone(project("100", &["dense 10"], &["dense 100"]), SIZE);
    assert!(window.has("Output 100 = input 100"));
    window.harness.state_mut().handle(Action::Undo);
    window.run();
}

/// A view that is hidden while a proposal is looked at leaves nothing behind.
#[test]
fn a_proposal_ends_with_its_view() {
    let mut window = alone(short(), SIZE);
    let apply = window.get("Apply solution 1").rect().center();
    window.harness.hover_at(apply);
    window.run();
    assert!(window.state().proposal().is_some());
    window
        .harness
        .state_mut()
        .handle(Action::Show(Show::Workspace(Workspace::Training)));
    window.run();
    assert!(window.state().proposal().is_none());
    assert_eq!(
        window.state().shown.inference.output_equals_input,
        Some(false)
    );
}

#[test]
#[ignore = "writes pictures"]
fn pictures() {
    let deep = &[
        "conv 16 k5 p2",
        "relu",
        "maxpool 2",
        "conv 32 k3 p1",
        "relu",
        "maxpool 2",
        "conv 32 k3 s2 p1",
    ];
    let up = &[
        "convt 32 k3 s2 p1",
        "upsample 2",
        "conv 16 k3",
        "relu",
        "upsample 2",
        "conv 1 k3 p1",
        "tanh",
    ];
    let mut broken = builtin("unet");
    broken.network.input = "3x65x64".parse().unwrap();
    let vector = project(
        "1x28x28",
        &["conv 8 k3 s2 p1", "conv 8 k3 s2 p1", "flatten", "dense 32"],
        &[
            "dense 512",
            "reshape 8x8x8",
            "convt 8 k3 s2 p1 op1",
            "convt 1 k3 s2 p1 op1",
        ],
    );
    let volume = project(
        "1x30x64x64",
        &["conv 8 k3 s2 p1", "maxpool 2"],
        &["upsample 2", "convt 1 k3 s2 p1"],
    );
    let signal = project(
        "1x16000",
        &["conv 16 k25 s4", "conv 16 k25 s4"],
        &["convt 16 k25 s4", "convt 1 k25 s4"],
    );
    for (name, project) in [
        ("short", short()),
        ("lenet", builtin("lenet-mnist")),
        ("proven", builtin("deep-autoencoder")),
        ("resnet", builtin("resnet-18")),
        ("deep", project("3x33x33", deep, up)),
        ("unet-broken", broken),
        ("vector", vector),
        ("volume", volume),
        ("signal", signal),
        (
            "error",
            project("1x8x8", &["maxpool 2", "maxpool 2", "conv 4 k3"], &["relu"]),
        ),
        ("empty", project("3x32x32", &[], &[])),
    ] {
        for (size, dark) in [(SIZE, true), (vec2(1920.0, 1080.0), false)] {
            let mut window = Window::without_engine(project.clone(), size);
            window.set_dark(dark);
            window
                .harness
                .state_mut()
                .handle(Action::Show(Show::Workspace(Workspace::Design)));
            answered(&mut window);
            window.write_picture(&format!("solve/{name}-{}", size.x));
        }
    }
}

/// A solution with rows that no input reaches says so on its card, which comes after those without.
#[test]
fn constant_borders_stand_on_their_card() {
    let project = project("3x6x6", &["conv 8 k3 s2"], &["convt 3 k3 s2"]);
    let mut window = alone(project, SIZE);
    let note = "constant border: no input reaches the output's last row and last column";
    assert!(window.has(note));
    window.click("Apply solution 1");
    answered(&mut window);
    assert!(window.has("Output 3×6×6 = input 3×6×6"));
    let applied = decoder(&window, 0);
    assert!(!applied.contains("op1"), "{applied}");
}

/// The sentence about the way of the tensor looks into blocks.
#[test]
fn the_view_looks_into_the_blocks_of_a_u_net() {
    let window = alone(builtin("unet"), SIZE);
    assert!(!window.has("No layer changes the size"));
    assert!(window.has("Every step down is undone by a step up of the same size"));
    assert!(window.has("Step encoder.7.1.0 maxpool 2"));
}
