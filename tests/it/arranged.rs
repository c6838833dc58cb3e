//! Where things stand: menus inside of their frames, one line for what belongs on one, nothing that moves, and the order
//! in which Tab goes.

use crate::kit::window::*;
use eframe::egui::epaint::ClippedShape;
use eframe::egui::{Key, Modifiers, Order, Pos2, Rect, Shape, Vec2, vec2};
use egui_kittest::kittest::Queryable;
use strata::app::action::{Action, OnView, Overlay};
use strata::app::arrangement::Workspace;
use strata::app::view_kind::ViewKind;
use strata::engine::event::{Event, StepReport};
use strata::gui::views;
use strata::project::stage::Task;

/// The texts of a shape with their places.
fn texts_of(shape: &Shape, into: &mut Vec<(String, Rect)>) {
    match shape {
        Shape::Vec(shapes) => shapes.iter().for_each(|shape| texts_of(shape, into)),
        Shape::Text(text) => {
            let place = text.galley.rect.translate(text.pos.to_vec2());
            into.push((text.galley.text().to_owned(), place));
        }
        _ => {}
    }
}

/// All texts of the last frame that are in sight.
fn texts(window: &Window) -> Vec<(String, Rect)> {
    let mut all = Vec::new();
    for ClippedShape {
        shape, clip_rect, ..
    } in &window.harness.output().shapes
    {
        let mut own = Vec::new();
        texts_of(shape, &mut own);
        own.retain(|(_, place)| clip_rect.intersects(*place));
        all.extend(own);
    }
    all
}

/// The texts of what scrolls in a menu, and not those that it lies over.
fn texts_within(window: &Window, menu: Rect) -> Vec<(String, Rect)> {
    let mut all = Vec::new();
    let shapes = window.harness.output().shapes.iter();
    let scrolls = |clip: Rect| menu.top() < clip.top() && clip.bottom() < menu.bottom();
    for clipped in shapes.filter(|one| scrolls(one.clip_rect)) {
        texts_of(&clipped.shape, &mut all);
    }
    all.retain(|(_, place)| menu.contains(place.left_center()));
    all
}

/// Where the menu is that lies over everything.
fn menu(window: &Window) -> Rect {
    window.harness.ctx.memory(|memory| {
        let areas = memory.areas();
        let layers = areas.visible_layer_ids().into_iter();
        let above = layers.filter(|layer| layer.order == Order::Foreground);
        let rects = above.filter_map(|layer| memory.area_rect(layer.id));
        rects.max_by(|a, b| a.area().total_cmp(&b.area())).unwrap()
    })
}

#[test]
fn the_menu_of_views_has_headings_and_nothing_sticks_out_of_it() {
    let screen = vec2(1920.0, 1080.0);
    for zoom in [1.0, 1.5, 2.0] {
        let size: Vec2 = (screen / zoom).floor();
        let mut window = Window::new(builtin("pretrain-classify"), size, no_engine());
        window.run();
        window.click("Add view beside Loss");
        window.keep_picture(&format!("menu/views-{:.0}", 100.0 * zoom));
        let frame = menu(&window);
        let whole = Rect::from_min_size(Pos2::ZERO, size);
        assert!(whole.contains_rect(frame), "{zoom}: {frame:?}");
        let all = texts_within(&window, frame);
        let of = |text: &str| {
            // What the menu lies over was painted before it.
            let mut found = all.iter().filter(|(of, _)| of == text);
            found.next_back().map(|(_, place)| *place)
        };
        for info in views::all() {
            for text in [info.title, info.summary] {
                let right = of(text).map_or(frame.right(), |place| place.right());
                assert!(
                    right <= frame.right(),
                    "{zoom}: {text} ends at {right} of {frame:?}"
                );
            }
        }
        if zoom == 1.0 {
            let heads = Workspace::ALL.map(|workspace| of(workspace.name()).unwrap().top());
            assert!(heads.is_sorted(), "{heads:?}");
            let below = |title: &str, workspace: usize| of(title).unwrap().top() > heads[workspace];
            assert!(below("Images", 0) && !below("Images", 1));
            assert!(below("Cost", 1) && !below("Cost", 2));
            // What stands below the views begins where their headings do.
            let left = of("Data").unwrap().left();
            let all = texts(&window);
            for text in ["Reset arrangement", "Name this arrangement"] {
                let mut found = all.iter().filter(|(of, _)| of == text);
                let place = found.next().unwrap().1;
                assert!(
                    (place.left() - left).abs() < 1.0,
                    "{text}: {place:?}, {left}"
                );
            }
        }
    }
}

/// A classifier has no decoder to compare: neither in the design nor in the architecture.
#[test]
fn a_classifier_is_shown_no_decoder() {
    let mut window = Window::idle("lenet-mnist");
    window.show_workspace(Workspace::Design);
    window.keep_picture("arranged/design-classifier");
    let arrangement = window.state().arrangement().clone();
    assert_eq!(arrangement.fronts()[0], ViewKind::Cost);
    assert!(!window.has("No decoder") && !window.has("Add layer to decoder"));
    assert!(window.has("Add layer to head"));
    // By name it is had all the same.
    window.find("Add layer to decoder");
    assert!(window.has("Add layer to decoder"));
    let mut window = Window::idle("conv-autoencoder");
    window.show_workspace(Workspace::Design);
    assert_eq!(window.state().arrangement().fronts()[0], ViewKind::Solve);
    assert!(!window.has("Add layer to head") && window.has("Add layer to decoder"));
    let mut window = Window::idle("pretrain-classify");
    window.show_workspace(Workspace::Design);
    window.keep_picture("arranged/design-both");
    assert!(window.has("Add layer to head") && window.has("Add layer to decoder"));
}

/// The U-Net's path goes into its blocks: four steps down, four steps up, and the skip connections by name.
#[test]
fn the_path_of_the_sizes_goes_into_the_blocks_of_a_unet() {
    let mut window = Window::idle("unet");
    window.show_alone(ViewKind::Solve);
    window.run();
    assert!(window.has("Every step down is undone by a step up"));
    assert!(!window.has("No layer changes the size"));
    let steps = |what: &str| window.harness.query_all_by_label_contains(what).count();
    assert_eq!(steps("maxpool 2: 16×64×64"), 1);
    let all = texts(&window);
    let count = |text: &str| all.iter().filter(|(of, _)| of == text).count();
    assert_eq!(count("concat"), 4, "one for each level");
    assert_eq!(count("4×4"), 1, "where the way turns");
    window.keep_picture("arranged/unet-path");
}

/// A graph opens so that it can be read; all of it is a click away.
#[test]
fn a_graph_opens_legibly() {
    for name in ["unet", "resnet-18", "lenet-mnist"] {
        let mut window = Window::idle(name);
        window.show_workspace(Workspace::Design);
        window
            .harness
            .state_mut()
            .handle(Action::View(OnView::Open(ViewKind::Graph, None)));
        window.run();
        window.keep_picture(&format!("arranged/graph-{name}"));
        let first = window.state().network().encoder[0].label();
        let all = texts(&window);
        let views = window.get("Add view beside Graph").rect().bottom();
        let drawn = all
            .iter()
            .filter(|(text, place)| *text == first && place.top() > views);
        let sizes: Vec<f32> = drawn.map(|(_, place)| place.height()).collect();
        assert!(
            sizes.iter().any(|height| *height >= 10.0),
            "{name}: {sizes:?}"
        );
    }
}

#[test]
fn the_button_that_closes_a_box_is_in_its_corner() {
    for overlay in [Overlay::Keys, Overlay::About, Overlay::Page(ViewKind::Loss)] {
        let mut window = Window::idle("lenet-mnist");
        window
            .harness
            .state_mut()
            .handle(Action::Overlay(Some(overlay)));
        window.run();
        window.keep_picture(&format!("arranged/{overlay:?}"));
        let (frame, close) = (menu(&window), window.get("Close box").rect());
        let gap = frame.right_top() - close.right_top();
        assert!(
            gap.x.abs() <= 12.0 && gap.y.abs() <= 12.0,
            "{overlay:?}: {frame:?} {close:?}"
        );
        assert!(
            !window.has("99 of 100 within"),
            "how long frames take is for the copied report"
        );
    }
}

/// The first line of the panels and of the tiles is on one height, and a layer's text on that of its shape.
#[test]
fn what_is_on_one_line_is_on_one_height() {
    let mut window = Window::idle("lenet-mnist");
    window.run();
    let all = texts(&window);
    let middle = |text: &str| {
        let mut found = all.iter().filter(|(of, _)| of == text);
        found.next().map(|(_, place)| place.center().y).unwrap()
    };
    let lines = ["Architecture", "Source", "Loss"].map(middle);
    let spread = lines
        .iter()
        .fold(0.0f32, |most, y| most.max((y - lines[0]).abs()));
    assert!(spread <= 0.51, "{lines:?}");
    let (text, shape) = (middle("conv 20 k5"), middle("20×24×24"));
    assert!((text - shape).abs() <= 0.51, "{text} and {shape}");
}

/// Tab goes through the bar from left to right, and then to what trains.
#[test]
fn tab_goes_from_left_to_right_and_reaches_train_early() {
    let mut window = Window::idle("lenet-mnist");
    window.run();
    let bar = [
        "Find anything",
        "Data workspace",
        "Design workspace",
        "Training workspace",
        "Device",
        "Hide settings",
        "Switch theme",
    ];
    let places = bar.map(|name| window.get(name).rect().left());
    assert!(places.is_sorted(), "{places:?}");
    let mut order = Vec::new();
    for tab in 1..=24 {
        window.press(Modifiers::NONE, Key::Tab);
        let focused = |name: &&&str| {
            let mut nodes = window.harness.query_all_by_label(name);
            nodes.any(|node| node.is_focused())
        };
        order.extend(
            bar.iter()
                .chain(&["Train"])
                .find(focused)
                .map(|name| (*name, tab)),
        );
    }
    let names: Vec<&str> = order.iter().map(|(name, _)| *name).collect();
    assert_eq!(names, [&bar[..], &["Train"]].concat());
    assert!(order.last().unwrap().1 <= 20, "{order:?}");
}

/// The row that is dragged follows the pointer as a whole.
#[test]
fn a_dragged_row_follows_the_pointer() {
    let mut window = Window::idle("lenet-mnist");
    window.run();
    let row = window.get("encoder.0").rect();
    let (from, by) = (row.left_center() + vec2(24.0, 0.0), vec2(30.0, 140.0));
    window.harness.hover_at(from);
    window.harness.step();
    window.harness.drag_at(from);
    window.harness.step();
    for share in [0.3, 1.0, 1.0] {
        window.harness.hover_at(from + by * share);
        window.harness.step();
    }
    if std::env::var_os("STRATA_PICTURES").is_some() {
        let folder = strata_testkit::folders::pictures();
        window.frame(1.0).save(folder.join("dragged.png")).unwrap();
    }
    let all = texts(&window);
    for text in ["conv 20 k5", "20×24×24", "520"] {
        let places: Vec<Rect> = all
            .iter()
            .filter(|(of, _)| of == text)
            .map(|(_, place)| *place)
            .collect();
        let moved = places.iter().any(|place| {
            let rests = places
                .iter()
                .any(|other| (place.min - other.min - by).length() < 2.0);
            rests && *place != places[0]
        });
        assert!(moved, "{text}: {places:?}");
    }
    window.harness.drop_at(from);
    window.run();
}

/// Marks of the axis of steps never touch, however wide the plot is and however many steps there are.
#[test]
fn marks_of_the_axis_of_steps_never_collide() {
    for steps in [37u64, 2_530, 123_457, 98_765_432] {
        let (engine, start) = fake_engine();
        let mut window = Window::new(classifier(), vec2(1280.0, 720.0), start);
        window.click("Train");
        engine.tell(started(std::path::Path::new("runs/one-1")));
        engine.tell(Event::Stage {
            index: 0,
            name: "classify".into(),
            task: Task::Classify,
            epochs: 1,
            steps_per_epoch: steps,
        });
        for part in 1..=20 {
            engine.tell(Event::Step(StepReport {
                step: steps * part / 20,
                loss: 1.0 / part as f64,
                ..StepReport::default()
            }));
        }
        window.run();
        window.show_alone(ViewKind::Loss);
        for width in (0..18).map(|index| 960.0 + 53.0 * index as f32) {
            window.harness.set_size(vec2(width, 720.0));
            window.run();
            marks_are_apart(&window, &format!("{steps} steps, {width} wide"));
        }
    }
}

fn marks_are_apart(window: &Window, what: &str) {
    let is_mark = |text: &str| {
        let digits = text.replace([',', '.'], "");
        !digits.is_empty() && digits.chars().all(|letter| letter.is_ascii_digit())
    };
    let (loss, bar) = (
        window.get("Add view beside Loss").rect(),
        window.get("Pause").rect(),
    );
    let left = bar.left() - 20.0;
    let mut marks: Vec<(String, Rect)> = texts(window)
        .into_iter()
        .filter(|(text, place)| {
            is_mark(text)
                && place.top() > loss.bottom()
                && place.bottom() < bar.top()
                && place.left() > left
        })
        .collect();
    let lowest = marks
        .iter()
        .map(|(_, place)| place.top())
        .fold(0.0, f32::max);
    marks.retain(|(_, place)| (place.top() - lowest).abs() < 1.0);
    marks.sort_by(|a, b| a.1.left().total_cmp(&b.1.left()));
    assert!(marks.len() >= 2, "{what}: {marks:?}");
    for two in marks.windows(2) {
        assert!(
            two[1].1.left() - two[0].1.right() >= 4.0,
            "{what}: {marks:?}"
        );
    }
}

/// The longest word of a choice stands on one line beside its name.
#[test]
fn the_loss_of_a_stage_is_on_one_line() {
    let mut window = Window::idle("lenet-mnist");
    window.run();
    let field = window.get("Loss").rect();
    let all = texts(&window);
    let inside = all
        .iter()
        .filter(|(_, place)| field.contains(place.center()));
    let words: Vec<&str> = inside.map(|(text, _)| text.as_str()).collect();
    assert_eq!(words, ["cross-entropy"]);
    assert!(field.height() <= 26.0, "{field:?}");
    assert!(
        window.get("Add stage").rect().width() > 60.0,
        "its words are beside the sign"
    );
}

/// Twelve equal pictures say nothing; a sentence does.
#[test]
fn augmentation_without_transforms_says_so() {
    let mut project = builtin("lenet-mnist");
    project.data = strata::project::data::DataSpec::default();
    project.data.resize = Some([28, 28]);
    project.data.grey = true;
    project.data.limit = Some(64);
    assert!(project.data.augment.is_empty());
    let mut window = Window::without_engine(project, SIZE);
    window.show_alone(ViewKind::Augmentation);
    window.run();
    window.wait_for(crate::kit::PATIENCE, "the image", |window| {
        window.has("The image before")
    });
    assert!(window.has("No transform yet"));
    assert!(!window.has("The image with all transforms"));
    window.keep_picture("arranged/augmentation");
}

/// Three things had one name: the workspace, the view and the tab of the settings.
#[test]
fn nothing_else_is_called_data() {
    assert!(views::all().iter().all(|info| info.title != "Data"));
    let window = Window::idle("lenet-mnist");
    assert!(window.harness.query_by_label("Data settings").is_none());
    assert!(window.has("Source settings"));
}

/// The button beside the layer; the form of the layer says it too.
fn question(window: &Window) -> egui_kittest::Node<'_> {
    let role = eframe::egui::accesskit::Role::Button;
    window
        .harness
        .get_by_role_and_label(role, "did you mean conv?")
}

/// A word that is not finished moves nothing: what is wrong with it lies over the rows below.
#[test]
fn an_unfinished_word_moves_no_row() {
    let mut window = Window::idle("lenet-mnist");
    window.run();
    let top = |window: &Window| window.get("encoder.1").rect().top();
    let before = top(&window);
    window.type_over("encoder.0", "cnov 20 k5");
    assert!(window.has("did you mean conv?"));
    window.keep_picture("arranged/unfinished");
    assert_eq!(top(&window), before);
    question(&window).click();
    window.run();
    assert!(window.texts(strata::project::Stack::Encoder)[0].starts_with("conv"));
}

/// Proposals are as wide as each other, with their buttons on one line.
#[test]
fn proposals_are_equally_wide() {
    let mut project = builtin("conv-autoencoder");
    project.network.encoder = strata_testkit::networks::nodes(&["conv 8 k3 s2 p1", "relu"]);
    project.network.decoder = strata_testkit::networks::nodes(&["convt 3 k3 s2 p1", "tanh"]);
    let mut window = Window::without_engine(project, SIZE);
    window.show_alone(ViewKind::Solve);
    window.run();
    window.wait_for(crate::kit::PATIENCE, "proposals", |window| {
        window.has("Apply solution 2")
    });
    window.keep_picture("arranged/proposals");
    let right = |index: usize| {
        let name = format!("Apply solution {index}");
        window.get(&name).rect().right()
    };
    assert_eq!(right(1), right(2));
}
