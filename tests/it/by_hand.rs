//! What is done with the pointer in the architecture: whole rows, layers put between others, the graph, the tiles.

use crate::kit::window::*;
use eframe::egui::{Key, Modifiers, PointerButton, Pos2, pos2, vec2};
use egui_kittest::kittest::{NodeT, Queryable};
use strata::app::action::{Action, Overlay};
use strata::app::view_kind::ViewKind;
use strata::gui::views;
use strata::project::{Place, Stack};

fn window() -> Window {
    Window::without_engine(builtin("lenet-mnist"), SIZE)
}

/// The middle of the text of a layer.
fn text(window: &Window, place: &str) -> Pos2 {
    window.get(place).rect().left_center() + vec2(24.0, 0.0)
}

fn press(window: &mut Window, at: Pos2, button: PointerButton) {
    window.harness.hover_at(at);
    window.harness.step();
    for pressed in [true, false] {
        let event = eframe::egui::Event::PointerButton {
            pos: at,
            button,
            pressed,
            modifiers: Modifiers::NONE,
        };
        window.harness.event(event);
        window.harness.step();
    }
    window.run();
}

#[test]
fn the_text_of_a_row_selects_edits_drags_and_has_the_menu() {
    let mut window = window();
    let at = text(&window, "encoder.0");
    press(&mut window, at, PointerButton::Primary);
    assert_eq!(window.state().selected, Some(Place::new(Stack::Encoder, 0)));
    assert!(
        !window.get("encoder.0").is_focused(),
        "the first click selects"
    );
    press(&mut window, at, PointerButton::Primary);
    assert!(window.get("encoder.0").is_focused(), "the second edits");
    window.press(Modifiers::NONE, Key::Escape);
    let other = text(&window, "encoder.1");
    press(&mut window, other, PointerButton::Secondary);
    assert!(window.has("Open in lens") && window.has("Insert after"));
    window.press(Modifiers::NONE, Key::Escape);
    let before = window.texts(Stack::Encoder);
    let (from, to) = (text(&window, "encoder.0"), text(&window, "encoder.2"));
    window.drag(from, to + vec2(0.0, 10.0));
    let after = window.texts(Stack::Encoder);
    assert_eq!(after[2], before[0], "dragged by its text");
}

/// What is typed after a layer was dragged goes nowhere: not into the layer that has taken its place.
#[test]
fn typing_after_a_drag_changes_no_other_layer() {
    let mut window = window();
    let at = text(&window, "encoder.0");
    (0..2).for_each(|_| press(&mut window, at, PointerButton::Primary));
    assert!(window.get("encoder.0").is_focused());
    let before = window.texts(Stack::Encoder);
    let row = window.get("encoder.2").rect();
    let strip = window.get("encoder.0").rect().left_center() - vec2(8.0, 0.0);
    window.drag(strip, row.left_center() + vec2(0.0, 10.0));
    window.harness.event(eframe::egui::Event::Text("9".into()));
    window.run();
    window.press(Modifiers::NONE, Key::Enter);
    let mut moved = before.clone();
    let first = moved.remove(0);
    moved.insert(2, first);
    assert_eq!(window.texts(Stack::Encoder), moved);
}

/// A key that moves the layer being typed takes over what was typed, and leaves it.
#[test]
fn a_layer_moved_by_a_key_keeps_what_was_typed() {
    let mut window = window();
    let before = window.texts(Stack::Encoder);
    window.select(Stack::Encoder, 0);
    window.type_over("encoder.0", "conv 21 k5");
    window.press(Modifiers::ALT, Key::ArrowDown);
    let after = window.texts(Stack::Encoder);
    assert_eq!(
        [&after[0], &after[1]],
        [&before[1], &"conv 21 k5".to_owned()]
    );
    window.harness.event(eframe::egui::Event::Text("9".into()));
    window.run();
    assert_eq!(window.texts(Stack::Encoder), after);
}

#[test]
fn layers_are_put_between_others_one_after_the_other() {
    let mut window = window();
    let before = window.texts(Stack::Encoder);
    window.select(Stack::Encoder, 0);
    window.press(Modifiers::NONE, Key::Insert);
    for layer in ["bn", "dropout 0.2"] {
        window.get("Search layers").type_text(layer);
        window.run();
        window.press(Modifiers::NONE, Key::Enter);
    }
    let mut wanted = before.clone();
    wanted.insert(1, "bn".into());
    wanted.insert(2, "dropout 0.2".into());
    assert_eq!(window.texts(Stack::Encoder), wanted);
    assert!(window.has("Search layers"), "ready for the next");
    window.keep_picture("insert-list");
    window.press(Modifiers::NONE, Key::Escape);
    assert!(!window.has("Search layers"));
}

/// What there is to say of a row comes while the pointer rests on it, and not between two rows, where it would lie over
/// the +.
#[test]
fn between_two_rows_the_plus_is_seen_and_no_hover_text() {
    let mut window = window();
    let row = window.get("encoder.1").rect();
    let rest = |window: &mut Window, y: f32| {
        window.harness.hover_at(pos2(row.left() + 10.0, y));
        window.harness.run_steps(60);
    };
    rest(&mut window, row.center().y);
    assert!(window.has("one output value sees"));
    rest(&mut window, row.center().y + 13.0);
    assert!(!window.has("one output value sees"));
    assert!(window.has("Insert a layer after encoder.1"));
}

#[test]
fn a_plus_between_rows_asks_for_a_layer() {
    let mut window = window();
    let row = window.get("encoder.1").rect();
    let below = row.left_center() + vec2(10.0, 10.0);
    window.harness.hover_at(below);
    window.run();
    let shown = window.harness.query_all_by_label_contains("Insert a layer");
    let shown: Vec<_> = shown
        .filter_map(|node| node.accesskit_node().label())
        .collect();
    assert_eq!(
        shown,
        ["Insert a layer after encoder.1"],
        "{below:?} {row:?}"
    );
    window.get("Insert a layer after encoder.1").hover();
    window.run();
    window.get("Insert a layer after encoder.1").click();
    window.run();
    assert_eq!(
        window.state().asked_layer,
        Some(Place::new(Stack::Encoder, 2))
    );
    window.get("Search layers").type_text("tanh");
    window.run();
    window.press(Modifiers::NONE, Key::Enter);
    assert_eq!(window.texts(Stack::Encoder)[2], "tanh");
}

#[test]
fn the_graph_is_clicked_and_looked_at() {
    for name in [
        "resnet-18",
        "unet",
        "xception",
        "deep-autoencoder",
        "pretrain-classify",
    ] {
        let mut window = Window::without_engine(builtin(name), vec2(1920.0, 1080.0));
        window.show_alone(ViewKind::Graph);
        window.run();
        let first = window.state().shown.inference.rows[0].text.clone();
        window.get(&format!("Graph encoder.0: {first}")).click();
        window.run();
        assert_eq!(window.state().selected, Some(Place::new(Stack::Encoder, 0)));
        let last = window
            .state()
            .shown
            .inference
            .rows
            .iter()
            .rfind(|row| !row.is_block);
        let last = last
            .map(|row| format!("Graph {}: {}", row.place, row.text))
            .unwrap();
        assert!(window.has(&last), "{last}");
        window.keep_picture(&format!("graph-{name}"));
    }
}

#[test]
fn a_closed_view_comes_back_and_arrangements_have_names() {
    let mut window = window();
    let before = window.state().arrangement().clone();
    window.click("Close Filters view");
    assert!(!window.state().arrangement().is_open(ViewKind::Filters));
    window.press(Modifiers::COMMAND | Modifiers::SHIFT, Key::T);
    assert_eq!(*window.state().arrangement(), before);
    window.show_column(&[ViewKind::Loss, ViewKind::Accuracy]);
    let mine = window.state().arrangement().clone();
    window.click("Add view beside Loss");
    // A click into the field leaves the menu open.
    window.click("Name this arrangement");
    window.get("Name this arrangement").type_text("two curves");
    window.run();
    window.press(Modifiers::NONE, Key::Enter);
    window.find("reset arrangement");
    assert_eq!(*window.state().arrangement(), before);
    window.find("arrangement: two curves");
    assert_eq!(*window.state().arrangement(), mine);
}

#[test]
fn a_deep_network_has_a_field_that_finds_layers() {
    let mut window = Window::without_engine(builtin("resnet-18"), SIZE);
    window.enter("Find a layer", "dense");
    let selected = window.state().selected.clone().unwrap();
    assert!(
        window
            .state()
            .network()
            .node(&selected)
            .unwrap()
            .text()
            .starts_with("dense")
    );
    window.find("unfold all blocks");
    assert!(window.has("branch 2: identity"));
    window.keep_picture("resnet-rows");
}

#[test]
fn every_view_has_its_page_of_help() {
    let mut window = window();
    let tile = window.get("Loss view").rect().center() + vec2(0.0, 120.0);
    window.harness.hover_at(tile);
    window.run();
    window.press(Modifiers::NONE, Key::F1);
    assert_eq!(window.state().overlay, Some(Overlay::Page(ViewKind::Loss)));
    window.click("Help page Graph");
    let overlay = window.state().overlay;
    assert_eq!(overlay, Some(Overlay::Page(ViewKind::Graph)));
    assert!(window.has("Help: Graph"));
    window.keep_picture("help-page");
    window.press(Modifiers::NONE, Key::F1);
    assert_eq!(window.state().overlay, None);
    // The entry of a page is in sight, wherever it stands in the list.
    for info in views::all() {
        let page = Action::Overlay(Some(Overlay::Page(info.kind)));
        window.harness.state_mut().handle(page);
        window.run();
        let entry = window.get(&format!("Help page {}", info.title)).rect();
        let close = window.get("Close box").rect();
        assert!(
            entry.top() >= close.bottom() && entry.bottom() <= close.bottom() + 580.0,
            "{}: {entry:?}",
            info.title
        );
    }
}

#[test]
fn anything_is_found_by_other_words() {
    let mut window = window();
    window.find("recent");
    assert!(window.state().start, "the start page says so in its hint");
    window.harness.state_mut().handle(Action::Start(false));
    window.run();
    window.find("сщтм");
    assert!(
        window
            .texts(Stack::Encoder)
            .contains(&"conv 16 k3 p1".to_owned())
    );
    window.find("weight_decay");
    assert!(window.has("Weight decay"), "its field is on screen");
    window.find("encoder layer 2");
    assert_eq!(window.state().selected, Some(Place::new(Stack::Encoder, 1)));
    window.press(Modifiers::COMMAND, Key::K);
    window.get("Find anything by name").type_text("batch");
    window.run();
    window.keep_picture("palette");
    assert!(
        window
            .harness
            .query_by_label("Do Setting: batch of a stage")
            .is_some()
    );
}

/// What is typed and what follows from it are in one frame: where frames are slow, the second one is waited for.
#[test]
fn shapes_follow_a_letter_in_the_same_frame() {
    let mut window = window();
    let at = text(&window, "encoder.0");
    (0..2).for_each(|_| press(&mut window, at, PointerButton::Primary));
    window.press(Modifiers::NONE, Key::End);
    window.press(Modifiers::NONE, Key::Backspace);
    window.harness.event(eframe::egui::Event::Text("3".into()));
    window.harness.step();
    assert_eq!(
        window.get("encoder.0").value().as_deref(),
        Some("conv 20 k3")
    );
    assert!(window.has("20×26×26"), "28 − 3 + 1 = 26");
}
