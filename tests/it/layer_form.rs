//! The form of a layer and the fields of a stage: by label, by pointer and in step with the text.

use crate::kit::window::*;
use eframe::egui::{Key, Modifiers, vec2};
use egui_kittest::kittest::{NodeT, Queryable};
use strata::app::action::Action;
use strata::app::state::SideTab;
use strata::project::edit::Edit;
use strata::project::node::Node;
use strata::project::{Place, Stack, file};
use strata::shape::layers::{FieldForm, WORDS};

const SIZE: eframe::egui::Vec2 = vec2(1440.0, 900.0);

fn window() -> Window {
    let mut window = Window::without_engine(builtin("deep-autoencoder"), SIZE);
    window.select(Stack::Encoder, 0);
    window
}

fn first(window: &Window) -> String {
    window.texts(Stack::Encoder)[0].clone()
}

fn value(window: &Window, field: &str) -> String {
    window.get(field).value().unwrap_or_default()
}

#[test]
fn a_layer_is_changed_by_its_widgets_and_by_its_text() {
    let mut window = window();
    window.enter("encoder.0", "conv 16 k3 p1");
    assert_eq!(value(&window, "Layer out_channels"), "16");
    window.click("Increase Layer kernel_size");
    assert_eq!(first(&window), "conv 16 k4 p1");
    window.enter("Layer stride", "2");
    window.enter("Layer dilation", "2x1");
    assert_eq!(first(&window), "conv 16 k4 s2 p1 d2x1");
    window.click("Increase Layer dilation height");
    window.click("Layer bias");
    assert_eq!(first(&window), "conv 16 k4 s2 p1 d3x1 nobias");
    window.click("Layer padding mode");
    window.click("same");
    window.enter("Layer name", "stem");
    assert_eq!(first(&window), "conv 16 k4 s2 same d3x1 nobias @stem");
    for _ in 0..7 {
        window.press(Modifiers::COMMAND, Key::Z);
    }
    assert_eq!(first(&window), "conv 16 k3 p1", "each is one step to undo");
    window.type_over("encoder.0", "conv 24 k3 p1");
    assert!(window.has("24"), "the form follows what is typed");
    window.press(Modifiers::NONE, Key::Escape);
    window.enter("encoder.0", "dense 7");
    assert_eq!(
        value(&window, "Layer out_features"),
        "7",
        "another layer has another form"
    );
    assert!(!window.has("Layer kernel_size"));
}

#[test]
fn shapes_follow_a_field_while_it_is_typed_and_what_is_wrong_is_refused() {
    let mut window = window();
    window.enter("encoder.0", "conv 16 k3 p1");
    window.type_over("Layer out_channels", "5");
    assert!(window.has("encoder.0: conv 5 k3 p1 gives 5×32×32"));
    assert_eq!(first(&window), "conv 16 k3 p1", "not taken over yet");
    window.press(Modifiers::NONE, Key::Escape);
    assert!(window.has("gives 16×32×32"));
    window.type_over("Layer out_channels", "many");
    assert!(window.has("write a whole number from 1"));
    window.press(Modifiers::NONE, Key::Enter);
    assert_eq!(first(&window), "conv 16 k3 p1");
}

/// While the text of a layer is typed its form has what is typed, and while a field is typed the row has it.
#[test]
fn the_form_and_the_row_are_in_step_while_either_is_typed() {
    let mut window = window();
    window.enter("encoder.0", "conv 16 k3 p1");
    window.type_over("encoder.0", "conv 24 k5x3 s2 same nobias @stem");
    for (field, now) in [
        ("Layer out_channels", "24"),
        ("Layer kernel_size", "5 × 3"),
        ("Layer kernel_size height", "5"),
        ("Layer kernel_size width", "3"),
        ("Layer stride", "2 × 2"),
        ("Layer padding mode", "same"),
        ("Layer name", "stem"),
    ] {
        assert_eq!(value(&window, field), now, "{field}");
    }
    let bias = window.get("Layer bias").accesskit_node().toggled();
    assert_eq!(bias, Some(eframe::egui::accesskit::Toggled::False));
    assert_eq!(first(&window), "conv 16 k3 p1", "not taken over yet");
    window.type_over("encoder.0", "dense 7");
    assert_eq!(value(&window, "Layer out_features"), "7", "of another kind");
    window.type_over("encoder.0", "dens");
    assert_eq!(value(&window, "Layer out_channels"), "16", "no layer yet");
    window.press(Modifiers::NONE, Key::Escape);

    window.enter("encoder.0", "conv 16 k3x5 p1");
    for (field, typed, row) in [
        ("Layer out_channels", "9", "conv 9 k3x5 p1"),
        ("Layer kernel_size height", "7", "conv 16 k7x5 p1"),
        ("Layer padding", "2", "conv 16 k3x5 p2"),
        ("Layer name", "stem", "conv 16 k3x5 p1 @stem"),
    ] {
        window.type_over(field, typed);
        assert_eq!(value(&window, "encoder.0"), row, "{field}");
        assert_eq!(first(&window), "conv 16 k3x5 p1", "not taken over yet");
        window.press(Modifiers::NONE, Key::Escape);
        assert_eq!(value(&window, "encoder.0"), "conv 16 k3x5 p1", "{field}");
    }
    window.type_over("Layer kernel_size height", "7");
    window.press(Modifiers::NONE, Key::Enter);
    assert_eq!(first(&window), "conv 16 k7x5 p1");
}

#[test]
fn arrow_keys_step_a_number() {
    let mut window = window();
    window.enter("encoder.0", "conv 16 k3 p1");
    window.get("Layer out_channels").focus();
    window.run();
    window.press(Modifiers::NONE, Key::ArrowUp);
    window.press(Modifiers::NONE, Key::ArrowUp);
    window.press(Modifiers::NONE, Key::ArrowDown);
    assert_eq!(first(&window), "conv 17 k3 p1");
}

/// The form is made of what a layer says of itself: no layer is without its fields.
#[test]
fn every_layer_has_its_form() {
    let mut window = window();
    for word in WORDS {
        let node = Node::from_text(word.example);
        let place = Place::new(Stack::Encoder, 0);
        let edit = Action::Edit(Edit::Replace(place.clone(), node));
        window.harness.state_mut().handle(edit);
        window
            .harness
            .state_mut()
            .handle(Action::Select(Some(place)));
        window.run();
        for field in word.fields {
            let found = match field.form {
                FieldForm::Padding => "Layer padding mode".to_owned(),
                _ => format!("Layer {}", field.name),
            };
            assert!(window.has(&found), "{}: {}", word.word, field.name);
        }
        assert!(window.has("Layer name"));
    }
}

#[test]
fn blocks_have_their_numbers() {
    let mut window = window();
    window.enter(
        "encoder.1",
        "{ repeat = 2, layers = [\"conv 16 k3 p1\", \"relu\"] }",
    );
    window.select(Stack::Encoder, 1);
    window.type_over(
        "encoder.1",
        "{ repeat = 5, layers = [\"conv 16 k3 p1\", \"relu\"] }",
    );
    let follows = window
        .harness
        .query_all_by_label("times")
        .any(|field| field.value().as_deref() == Some("5"));
    assert!(follows, "the form follows the text");
    window.press(Modifiers::NONE, Key::Escape);
    window.click("Increase times");
    assert!(window.texts(Stack::Encoder)[1].contains("repeat = 3"));
    window.enter("encoder.2", "{ add = [[\"relu\"], []] }");
    window.select(Stack::Encoder, 2);
    window.click("Increase branches");
    assert_eq!(
        window.texts(Stack::Encoder)[2],
        "{ add = [[\"relu\"], [], []] }"
    );
    window.click("Decrease branches");
    assert_eq!(
        window.texts(Stack::Encoder)[2],
        "{ add = [[\"relu\"], []] }"
    );
}

#[test]
fn a_locked_layer_is_not_changed_by_its_form() {
    let mut window = window();
    let before = first(&window);
    let lock = Action::Edit(Edit::Lock("encoder.0".into(), true));
    window.harness.state_mut().handle(lock);
    window.run();
    assert!(window.has("It is locked"));
    window.get("Increase Layer kernel_size").click();
    window.run();
    assert_eq!(first(&window), before);
}

#[test]
fn the_form_says_what_follows() {
    let mut window = window();
    window.enter("encoder.0", "conv 16 k3 s2 p1");
    for part in [
        "3×32×32 → 16×16×16",
        "448 parameters",
        "MACs an image",
        "Receptive field",
    ] {
        assert!(window.has(part), "{part}");
    }
    window.enter("encoder.0", "conv 96 k8 s8");
    assert!(window.has("= 18,528"), "as the count below is written");
    window.keep_picture("form-of-a-layer");
    window.set_dark(false);
    window.keep_picture("form-of-a-layer-light");
}

/// Its own filters and feature maps come with the weights, whichever view is open.
#[test]
fn a_trained_layer_shows_its_filters_and_feature_maps() {
    let folder = tempfile::tempdir().unwrap();
    let mut window = open(folder.path(), &classifier());
    window.train();
    window.select(Stack::Encoder, 0);
    let limit = crate::kit::PATIENCE;
    window.wait_for(limit, "its pictures", |window| {
        window.has("4 filters of the layer")
    });
    assert!(window.has("4 feature maps of the layer"));
    window.select(Stack::Encoder, 1);
    window.wait_for(limit, "its maps", |window| {
        window.has("4 feature maps of the layer") && !window.has("filters of the layer")
    });
    window.enter("encoder.0", "conv 5 k3 s2 p1");
    window.select(Stack::Encoder, 0);
    assert!(window.has("trained without this layer"));
    window.keep_picture("form-of-a-trained-layer");
}

#[test]
fn a_stage_is_set_by_its_widgets() {
    let mut window = window();
    window.show_tab(SideTab::Stages);
    let stage = |window: &Window| window.state().project().stages[0].clone();
    window.click("Choose the optimizer");
    window.click("sgd");
    assert_eq!(
        stage(&window).optimizer.to_string(),
        "sgd lr=0.01 momentum=0.9"
    );
    window.click("Increase Learning rate");
    window.enter("Momentum", "0.5");
    window.click("Increase Weight decay");
    window.click("Nesterov");
    assert_eq!(
        stage(&window).optimizer.to_string(),
        "sgd lr=0.03 momentum=0.5 nesterov weight_decay=1e-4"
    );
    window.click("Choose the schedule");
    window.click("cosine");
    window.enter("Schedule warm-up", "2");
    assert_eq!(
        stage(&window).schedule.unwrap().to_string(),
        "cosine warmup=2"
    );
    assert!(window.has("Learning rate over"), "it is drawn");
    window.click("Increase Epochs");
    window.click("Decrease Batch");
    window.click("Choose what ends the stage");
    window.click("valid loss");
    window.enter("Early stop patience", "3");
    assert_eq!(stage(&window).early_stop.unwrap().patience, 3);
    window.click("Choose the penalty");
    window.click("KL penalty");
    window.enter("Sparsity rho", "0.1");
    assert_eq!(stage(&window).sparsity.unwrap().rho, 0.1);
    window.click("Choose what stays as it is");
    let all = window.harness.get_all_by_label("encoder");
    all.last().unwrap().click();
    window.run();
    assert_eq!(stage(&window).freeze, ["encoder"]);
    let text = file::to_text(window.state().project());
    assert_eq!(
        file::parse(&text, "test").unwrap().stages[0],
        stage(&window)
    );
    window.keep_picture("fields-of-a-stage");
}

#[test]
fn a_refused_text_says_why_below_its_name_and_field() {
    let mut window = Window::idle("lenet-mnist");
    window.enter("Schedule", "x7!?");
    window.run();
    let field = window.get("Schedule").rect();
    let written = crate::kit::written::written(&window.harness.output().shapes);
    let lines = written
        .iter()
        .filter(|line| line.text.contains("there is no schedule") && line.rect.left() > 1016.0);
    let lines: Vec<_> = lines.map(|line| line.rect).collect();
    assert!((1..=6).contains(&lines.len()), "{lines:?}");
    assert!(lines.iter().all(|line| line.top() >= field.bottom()));
    assert!(
        lines[0].left() < field.left() - 60.0,
        "{lines:?} beside {field:?}"
    );
}
