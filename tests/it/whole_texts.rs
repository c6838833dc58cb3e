//! Texts of the window's own that must be read whole, and frames that must be seen, at the smallest size.

use crate::kit::window::*;
use eframe::egui::epaint::ClippedShape;
use eframe::egui::{Rect, Shape, vec2};
use egui_kittest::kittest::Queryable;
use std::path::Path;
use strata::app::action::{Action, OnView, Show};
use strata::app::arrangement::{Arrangement, Pane, Workspace};
use strata::app::view_kind::ViewKind;
use strata::engine::event::{Event, StepReport};
use strata::gui::views;
use strata::project::stage::Task;

/// The texts of a frame that end in an ellipsis for want of room.
fn elided(shapes: &[ClippedShape]) -> Vec<String> {
    let mut found = Vec::new();
    shapes
        .iter()
        .for_each(|clipped| collect(&clipped.shape, &mut found));
    found
}

fn collect(shape: &Shape, found: &mut Vec<String>) {
    match shape {
        Shape::Vec(shapes) => shapes.iter().for_each(|shape| collect(shape, found)),
        Shape::Text(text) if text.galley.elided => found.push(text.galley.text().to_owned()),
        _ => {}
    }
}

#[test]
fn the_cards_of_the_start_page_are_read_whole() {
    let mut window = Window::idle("conv-autoencoder");
    window.harness.state_mut().handle(Action::Start(true));
    window.run();
    assert!(window.has("Start from lenet-mnist"));
    let shapes = &window.harness.output().shapes;
    assert_eq!(elided(shapes), Vec::<String>::new());
}

/// The line of the image file in a quarter of the smallest window: what may be typed is read whole, and there is no
/// button that takes away what is not there.
#[test]
fn the_image_of_saliency_is_chosen_in_a_small_tile() {
    let mut window = Window::idle("lenet-mnist");
    window.show_workspace(Workspace::Training);
    let action = Action::View(OnView::Open(ViewKind::Saliency, None));
    window.harness.state_mut().handle(action);
    window.run();
    assert!(window.get("Image file").rect().width() > 150.0);
    assert!(window.harness.query_by_label("Probe images").is_none());
    let cut = elided(&window.harness.output().shapes);
    assert!(
        cut.iter().all(|text| !text.contains("probe images")),
        "{cut:?}"
    );
    let mut request = window.state().inspections.saliency.clone();
    request.image = Some("/pictures/one.png".into());
    window
        .harness
        .state_mut()
        .handle(Action::Show(Show::Saliency(request)));
    window.run();
    window.click("Probe images");
    assert!(window.state().inspections.saliency.image.is_none());
}

/// While it trains, nothing in the bar lies over anything else, however little room there is.
#[test]
fn the_progress_of_a_run_is_legible_at_any_width() {
    for width in [960.0, 1100.0, 1280.0, 1600.0] {
        let (engine, start) = fake_engine();
        let mut window = Window::new(builtin("pretrain-classify"), vec2(width, 720.0), start);
        window.run();
        window.click("Train");
        engine.tell(started(Path::new("runs/one-1")));
        engine.tell(Event::Stage {
            index: 1,
            name: "a stage with a name of its own".into(),
            task: Task::Classify,
            epochs: 100,
            steps_per_epoch: 400,
        });
        let step = StepReport {
            stage: 1,
            epoch: 17,
            step: 7000,
            step_in_epoch: 200,
            seconds_left: 2540.0,
            ..StepReport::default()
        };
        engine.tell(Event::Step(step));
        window.run();
        let bar = window.get("Progress of the stage").rect();
        let above = bar.with_min_y(bar.top() - 24.0);
        let mut parts: Vec<Rect> = ["epoch 17/100", "stage 2/3", "42 min 20 s left"]
            .into_iter()
            .flat_map(|label| window.harness.query_all_by_label(label))
            .map(|node| node.rect())
            .collect();
        parts.sort_by(|a, b| a.left().total_cmp(&b.left()));
        let least = if width < 1280.0 { 1 } else { 2 };
        assert!(parts.len() >= least, "{width}: {parts:?}");
        assert!(
            parts
                .iter()
                .all(|part| above.expand(2.0).contains_rect(*part)),
            "{parts:?}"
        );
        assert!(
            parts.windows(2).all(|two| two[0].right() <= two[1].left()),
            "{width}: {parts:?}"
        );
    }
}

/// In the light theme too a field in a menu has its frame.
#[test]
fn the_name_of_an_arrangement_has_a_frame_in_both_themes() {
    for dark in [true, false] {
        let mut window = Window::idle("lenet-mnist");
        window.set_dark(dark);
        window.click("Add view beside Loss");
        let field = window.get("Name this arrangement").rect();
        let is_frame = |shape: &Shape| match shape {
            Shape::Rect(one) => {
                let is_seen = one.stroke.width > 0.0 && one.stroke.color.a() > 0;
                let is_around = one.rect.expand(3.0).contains_rect(field);
                is_seen && is_around && one.rect.height() < 2.0 * field.height()
            }
            _ => false,
        };
        let shapes = &window.harness.output().shapes;
        assert!(
            shapes.iter().any(|clipped| is_frame(&clipped.shape)),
            "dark: {dark}"
        );
    }
}

/// What a line of a plot is stands on one line with its value.
#[test]
fn an_entry_of_a_legend_is_never_broken() {
    let folder = tempfile::tempdir().unwrap();
    let mut window = open(folder.path(), &classifier());
    window.train();
    window.show_workspace(Workspace::Training);
    let mut rows = Vec::new();
    let shapes = &window.harness.output().shapes;
    shapes
        .iter()
        .for_each(|clipped| rows_of(&clipped.shape, &mut rows));
    let of = |part: &str| {
        rows.iter()
            .filter(|(text, _)| text.starts_with(part))
            .collect::<Vec<_>>()
    };
    for entry in ["train ", "valid ", "test ", "thin: batches"] {
        assert!(
            of(entry).len() >= 2,
            "{entry} is in Loss and in Accuracy: {rows:?}"
        );
        assert!(
            of(entry).iter().all(|(_, rows)| *rows == 1),
            "{entry}: {rows:?}"
        );
    }
}

/// The texts of a shape, each with its number of lines.
fn rows_of(shape: &Shape, found: &mut Vec<(String, usize)>) {
    match shape {
        Shape::Vec(shapes) => shapes.iter().for_each(|shape| rows_of(shape, found)),
        Shape::Text(text) => found.push((text.galley.text().to_owned(), text.galley.rows.len())),
        _ => {}
    }
}

/// However narrow a tile is, the title of its tab ends before the buttons of the tile, and the tab can be closed.
#[test]
fn a_tab_ends_where_its_tile_does() {
    let kinds = [
        ViewKind::Reconstructions,
        ViewKind::Visualize,
        ViewKind::Adversarial,
        ViewKind::Embedding,
    ];
    let mut window = Window::idle("conv-autoencoder");
    let parts = kinds.iter().map(|kind| (1.0, Pane::of(&[*kind]))).collect();
    let narrow = Arrangement(Some(Pane::Row(parts)));
    let action = Action::View(OnView::Arrange(narrow));
    window.harness.state_mut().handle(action);
    window.run();
    window.keep_picture("tiles/narrow");
    for kind in kinds {
        let title = views::info(kind).title;
        let tab = window.get(&format!("{title} view")).rect();
        let buttons = window.get(&format!("Add view beside {title}")).rect();
        let close = window.get(&format!("Close {title} view")).rect();
        assert!(buttons.left() < tab.left() + 170.0, "{title} is narrow");
        assert!(
            tab.right() <= buttons.left(),
            "{title}: {tab:?}, {buttons:?}"
        );
        assert!(close.right() <= tab.right(), "{title}: {close:?}");
    }
}

/// Where tabs have no room for titles that can be read, the one in front has all of it, and the others are in a menu.
#[test]
fn tabs_without_room_are_in_a_menu() {
    let mut window = Window::idle("conv-autoencoder");
    let group = |front: ViewKind| Pane::Tabs {
        views: vec![
            ViewKind::Reconstructions,
            ViewKind::Visualize,
            ViewKind::Filters,
        ],
        front,
    };
    let others = [ViewKind::Loss, ViewKind::Adversarial, ViewKind::Embedding];
    let others = others.map(|kind| (1.0, Pane::of(&[kind])));
    let parts = [(1.0, group(ViewKind::Reconstructions))];
    let narrow = Arrangement(Some(Pane::Row(parts.into_iter().chain(others).collect())));
    let before = narrow.clone();
    let action = Action::View(OnView::Arrange(narrow));
    window.harness.state_mut().handle(action);
    window.run();
    window.keep_picture("tiles/folded");
    let width = |window: &Window, title: &str| {
        let tab = window.get(&format!("{title} view")).rect();
        let end = window.get(&format!("Views behind {title}")).rect();
        assert!(tab.right() <= end.left(), "{title}: {tab:?}, {end:?}");
        tab.width()
    };
    // Of a cut title six letters at least, and the cross that closes the view.
    let cut = width(&window, "Reconstructions");
    assert!(cut >= 80.0, "{cut}");
    assert!(!window.has("Filters view"), "it is in the menu");
    window.click("Views behind Reconstructions");
    window.keep_picture("tiles/folded-menu");
    window.click("Show Filters view");
    assert!(width(&window, "Filters") >= 60.0);
    assert!(window.has("Close Filters view"));
    let arrangement = window.state().arrangement();
    assert_eq!(
        arrangement.fronts().first(),
        Some(&ViewKind::Filters),
        "it has come to the front"
    );
    assert!(arrangement.has_views_of(&before), "and none is lost");
}

/// A view that comes to the front has its tab in sight, also behind more tabs than the bar has room for.
#[test]
fn the_tab_in_front_is_in_sight() {
    let group = [
        ViewKind::Loss,
        ViewKind::Reconstructions,
        ViewKind::Visualize,
        ViewKind::Adversarial,
        ViewKind::Accuracy,
    ];
    let mut window = Window::idle("conv-autoencoder");
    let shown = |front: ViewKind| {
        let tabs = Pane::Tabs {
            views: group.to_vec(),
            front,
        };
        let parts = vec![(1.0, tabs), (1.0, Pane::of(&[ViewKind::Graph]))];
        Action::View(OnView::Arrange(Arrangement(Some(Pane::Row(parts)))))
    };
    for front in [ViewKind::Loss, ViewKind::Accuracy, ViewKind::Visualize] {
        window.harness.state_mut().handle(shown(front));
        (0..4).for_each(|_| window.run());
        let title = views::info(front).title;
        let tab = window.get(&format!("{title} view")).rect();
        let architecture = window.get("Add layer to encoder").rect();
        let end = window.get(&format!("Add view beside {title}")).rect();
        assert!(tab.left() > architecture.right(), "{title}: {tab:?}");
        assert!(tab.right() <= end.left(), "{title}: {tab:?}, {end:?}");
    }
}

/// All parts of the memory are named below the table, on as many lines as they need.
#[test]
fn the_parts_of_the_memory_are_all_named() {
    let mut window = Window::idle("conv-autoencoder");
    window.show_alone(ViewKind::Cost);
    window.run();
    let mut rows = Vec::new();
    let shapes = &window.harness.output().shapes;
    shapes
        .iter()
        .for_each(|clipped| rows_of(&clipped.shape, &mut rows));
    let parts = "weights gradients optimizer activations scratch images";
    for part in parts.split(' ') {
        let is_it = |(text, _): &(String, usize)| text.starts_with(&format!("{part} "));
        assert!(rows.iter().any(is_it), "{part}: {rows:?}");
    }
}

/// What a layer's line ends at is read whole beside its name, however long that is.
#[test]
fn the_values_of_dynamics_are_whole() {
    let folder = tempfile::tempdir().unwrap();
    let mut window = open(folder.path(), &classifier());
    window.train();
    window.show_alone(ViewKind::Dynamics);
    let role = eframe::egui::accesskit::Role::Label;
    let values = |window: &Window| {
        let labels = window.harness.query_all_by_role(role);
        let texts = labels.filter_map(|label| label.value());
        texts.filter(|text| text.parse::<f64>().is_ok()).count()
    };
    let patience = std::time::Duration::from_secs(60);
    window.wait_for(patience, "a value for each layer", |window| {
        values(window) >= 2
    });
}

/// However narrow the view is, its layers are named beside their lines' colours.
#[test]
fn the_layers_of_dynamics_are_named_at_any_width() {
    let folder = tempfile::tempdir().unwrap();
    let mut window = open(folder.path(), &classifier());
    window.train();
    for others in 0..4 {
        let pane = |kind| (1.0, Pane::of(&[kind]));
        let beside = [ViewKind::Loss, ViewKind::Runs, ViewKind::Filters];
        let beside = beside.into_iter().take(others).map(pane);
        let row = [pane(ViewKind::Dynamics)].into_iter().chain(beside);
        let arrangement = Arrangement(Some(Pane::Row(row.collect())));
        let arrange = Action::View(OnView::Arrange(arrangement));
        window.harness.state_mut().handle(arrange);
        let patience = std::time::Duration::from_secs(60);
        window.wait_for(patience, "the names of the layers", |window| {
            window.has("a line for each layer") && window.has("conv 4 k3 s2 p1")
        });
        let tile = window.get("Close Dynamics view").rect();
        let name = window.full_label("conv 4 k3 s2 p1");
        let name = window.get(&name).rect();
        assert!(
            name.top() > tile.bottom() && name.bottom() < 700.0,
            "{name:?}"
        );
    }
}

/// The bars of a transposed convolution end before the edge of their tile.
#[test]
fn the_bars_of_the_checkerboard_stay_in_their_tile() {
    let mut window = Window::idle("pretrain-classify");
    window.show_alone(ViewKind::Checkerboard);
    window.run();
    let name = window.full_label("Taps that reach each output");
    let bars = window.get(&name).rect();
    let last = window.get("Add view beside Checkerboard").rect();
    assert!(bars.right() <= last.right(), "{bars:?}, {last:?}");
}

/// The hint of the receptive field is a sentence that does not end in an ellipsis.
#[test]
fn the_hint_of_the_receptive_field_is_whole() {
    let mut window = Window::idle("conv-autoencoder");
    window.select(strata::project::Stack::Encoder, 0);
    window.show_alone(ViewKind::Field);
    window.run();
    let shapes = &window.harness.output().shapes;
    let mut rows = Vec::new();
    shapes
        .iter()
        .for_each(|clipped| rows_of(&clipped.shape, &mut rows));
    assert!(rows.iter().any(|(text, _)| text.starts_with("Hint: ")));
    let cut = elided(shapes);
    assert!(cut.iter().all(|text| !text.starts_with("Hint")), "{cut:?}");
}

/// In a low plot the name of the axis is cut short, instead of lying over the legend.
#[test]
fn the_name_of_an_axis_stays_beside_its_plot() {
    let folder = tempfile::tempdir().unwrap();
    let mut trained = open(folder.path(), &classifier());
    trained.train();
    let run = trained.state().training.run.clone().unwrap();
    for size in [vec2(960.0, 600.0), SIZE, vec2(1920.0, 1080.0)] {
        let mut window = Window::real(classifier(), size);
        window.harness.state_mut().handle(Action::Open(run.clone()));
        window.show_workspace(Workspace::Training);
        let texts = |window: &Window| {
            let mut texts = Vec::new();
            let shapes = &window.harness.output().shapes;
            shapes
                .iter()
                .for_each(|clipped| places(&clipped.shape, &mut texts));
            texts
        };
        let named = match size.y {
            ..700.0 => 0,
            700.0..1000.0 => 1,
            _ => 2,
        };
        let are_named = |window: &Window| {
            let turned = texts(window).into_iter().filter(|text| text.2);
            turned.count() >= named
        };
        window.wait_for(crate::kit::PATIENCE, "names of the axes", are_named);
        window.keep_picture(&format!("axes/{}", size.x));
        let (turned, level): (Vec<_>, Vec<_>) = texts(&window).into_iter().partition(|text| text.2);
        for (name, place, _) in &turned {
            let over = level.iter().find(|other| other.1.intersects(*place));
            assert!(over.is_none(), "{size:?}: {name} lies over {over:?}");
        }
    }
}

/// The texts of a shape with their places, and whether each is turned.
fn places(shape: &Shape, found: &mut Vec<(String, Rect, bool)>) {
    match shape {
        Shape::Vec(shapes) => shapes.iter().for_each(|shape| places(shape, found)),
        Shape::Text(text) if !text.galley.text().is_empty() => found.push((
            text.galley.text().to_owned(),
            shape.visual_bounding_rect(),
            text.angle != 0.0,
        )),
        _ => {}
    }
}
