//! Small things that were wrong once, each of a kind that comes back easily.

use crate::kit::window::*;
use eframe::egui::{Order, Rect, vec2};
use strata::app::action::{Action, Answer, Show};
use strata::app::arrangement::Workspace;
use strata::app::state::{SideTab, State};
use strata::app::view_kind::ViewKind;
use strata::engine::event::Event;
use strata::project::Stack;
use strata::project::stage::Task;

/// A training that begins is shown; one that cannot begin leads nowhere.
#[test]
fn a_start_that_fails_leaves_the_workspace_as_it_was() {
    let folder = tempfile::tempdir().unwrap();
    let mut missing = builtin("lenet-mnist");
    missing.data.path = Some(folder.path().join("nothing").display().to_string());
    for (project, shown) in [
        (missing, Workspace::Design),
        (classifier(), Workspace::Training),
    ] {
        let mut window = open(folder.path(), &project);
        window.show_workspace(Workspace::Design);
        window.train();
        assert_eq!(window.state().view.workspace, shown);
    }
}

/// While another stage trains, the plot of the accuracy says which one it waits for.
#[test]
fn the_accuracy_says_which_stage_fills_it() {
    let (engine, start) = fake_engine();
    let mut window = Window::new(builtin("pretrain-classify"), SIZE, start);
    window.click("Train");
    engine.tell(started(std::path::Path::new("runs/one-1")));
    engine.tell(Event::Stage {
        index: 0,
        name: "pretrain".into(),
        task: Task::Reconstruct,
        epochs: 1,
        steps_per_epoch: 4,
    });
    window.show_alone(ViewKind::Accuracy);
    window.run();
    assert!(window.has("classifies: it fills this plot") && !window.has("Press Train"));
}

/// How far the layers are scrolled is of one project.
#[test]
fn another_project_begins_at_its_first_layer() {
    let mut window = Window::idle("resnet-18");
    window.find("unfold all blocks");
    let last = window.state().network().head.len() - 1;
    window.select(Stack::Head, last);
    window.run();
    assert!(window.get("encoder.0").rect().bottom() < 0.0, "scrolled");
    for action in [
        Action::Builtin("xception"),
        Action::Unsaved(Answer::Discard),
    ] {
        window.harness.state_mut().handle(action);
        window.run();
    }
    let first = window.get("encoder.0").rect();
    assert!(first.top() > 60.0 && first.bottom() < 200.0, "{first:?}");
}

/// A tooltip that repeats what it lies beside is in the way; and before anything was opened there is no way back.
#[test]
fn the_start_page_offers_nothing_that_is_not_there() {
    let mut state = State::new(builtin("conv-autoencoder"), None);
    (state.start, state.is_stand_in) = (true, true);
    let mut window = Window::of(state, SIZE, no_engine(), None);
    window.harness.ctx.all_styles_mut(|style| {
        style.interaction.tooltip_delay = 0.0;
        style.interaction.show_tooltips_only_when_still = false;
    });
    window.run();
    assert!(!window.has("Back to the project"));
    let card = window.get("Start from lenet-mnist").rect();
    window.harness.hover_at(card.center());
    (0..4).for_each(|_| window.harness.step());
    let layers = window
        .harness
        .ctx
        .memory(|memory| memory.areas().visible_layer_ids());
    assert!(layers.iter().all(|layer| layer.order != Order::Tooltip));
}

/// A layer may be dropped wherever a layer can be.
#[test]
fn a_layer_is_dropped_onto_add_layer() {
    let mut window = Window::idle("lenet-mnist");
    window.run();
    let before = window.texts(Stack::Encoder);
    let from = window.get("encoder.0").rect().left_center() + vec2(24.0, 0.0);
    let to = window.get("Add layer to encoder").rect().left_center() + vec2(40.0, 0.0);
    window.drag(from, to);
    let after = window.texts(Stack::Encoder);
    assert_eq!(after.last(), before.first());
    assert_eq!(after.len(), before.len());
}

/// A bar that scrolls takes its room from the margin, not from the fields.
#[test]
fn fields_are_as_wide_with_a_scroll_bar_as_without() {
    let field = |height: f32| {
        let mut window = Window::without_engine(builtin("pretrain-classify"), vec2(1280.0, height));
        window.show_tab(SideTab::Stages);
        window
            .harness
            .state_mut()
            .handle(Action::Show(Show::Stage(Some(0))));
        window.run();
        let field: Rect = window.get("Optimizer").rect();
        field.x_range()
    };
    assert_eq!(field(720.0), field(2400.0));
}
