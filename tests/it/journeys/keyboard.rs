//! Without the mouse, and with changes of mind.

use crate::kit::window::*;
use eframe::egui::{Key, Modifiers, vec2};
use std::path::Path;
use strata::engine::event::{Event, StepReport};
use strata::project::node::Node;

#[test]
fn a_network_is_built_and_trained_by_keyboard_alone() {
    let (engine, start) = fake_engine();
    let mut window = Window::new(builtin("lenet-mnist"), vec2(1280.0, 720.0), start);
    window.find("new project");
    for (stack, layers) in [
        ("encoder", ["conv 32 k8 s4 p2", "relu"]),
        ("decoder", ["convt 3 k8 s4 p2", "tanh"]),
    ] {
        window.tab_to(&format!("Add layer to {stack}"));
        window.press(Modifiers::NONE, Key::Space);
        for layer in layers {
            window.get("Search layers").type_text(layer);
            window.run();
            window.press(Modifiers::NONE, Key::Enter);
        }
        window.press(Modifiers::NONE, Key::Escape);
    }
    assert!(window.has("output 3×32×32 = input 3×32×32"));
    window.find("train");
    assert_eq!(
        engine.with(|run| run.project.network.decoder[0].clone()),
        Node::from_text("convt 3 k8 s4 p2")
    );
    engine.tell(started(Path::new("runs/one-1")));
    engine.tell(Event::Step(StepReport {
        epoch: 1,
        step: 1,
        loss: 0.5,
        ..StepReport::default()
    }));
    window.run();
    window.find("save picture loss");
    assert_eq!(
        window.get("Path").value().unwrap_or_default(),
        "runs/one-1/loss-step-1.png"
    );
}

#[test]
fn thirty_edits_are_taken_back_and_done_again() {
    let mut window = Window::idle("conv-autoencoder");
    let first = window.state().project().clone();
    for channels in 1..=30 {
        window.enter("encoder.0", &format!("conv {channels} k8 s4 p2"));
    }
    let last = window.state().project().clone();
    (0..30).for_each(|_| window.press(Modifiers::COMMAND, Key::Z));
    assert_eq!(*window.state().project(), first);
    assert!(!window.state().can_undo());
    (0..30).for_each(|_| window.press(Modifiers::COMMAND, Key::Y));
    assert_eq!(*window.state().project(), last);
}

#[test]
fn theme_size_and_panels_change_while_it_trains() {
    let (engine, start) = fake_engine();
    let mut window = Window::new(builtin("conv-autoencoder"), vec2(1280.0, 720.0), start);
    window.click("Train");
    engine.tell(started(Path::new("runs/one-1")));
    let step = |step| {
        Event::Step(StepReport {
            epoch: 1,
            step,
            loss: 1.0 / step as f64,
            ..StepReport::default()
        })
    };
    for (number, size) in [
        (1, vec2(960.0, 600.0)),
        (2, vec2(1920.0, 1080.0)),
        (3, vec2(1280.0, 720.0)),
    ] {
        engine.tell(step(number));
        window.click("Switch theme");
        window.harness.set_size(size);
        window.run();
        assert!(window.get("Loss view").rect().right() < size.x);
        assert!(window.get("Stop").rect().bottom() < size.y);
        assert_eq!(window.state().training.curves.steps(), number);
    }
    let wide = |window: &Window| {
        window.get("Stop").rect().left() + window.get("Switch theme").rect().left()
    };
    let (before, views) = (wide(&window), window.get("Filters view").rect().left());
    window.press(Modifiers::COMMAND, Key::B);
    assert!(
        !window.has("Stages settings") && window.get("Filters view").rect().left() > views,
        "the views have the room"
    );
    window.find("show settings");
    assert!(window.has("Optimizer") && wide(&window) == before);
    window.click("Loss against epochs");
    assert!(window.state().view.by_epoch && window.state().training.is_running());
}
