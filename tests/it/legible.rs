//! What is written can be read and what is there can be seen, at every size; and nothing moves while it is used.

use super::kit::PATIENCE;
use super::kit::contrast::{contrast, too_faint};
use super::kit::window::*;
use eframe::egui::{Key, Modifiers, Pos2, Rect, Shape, Vec2, vec2};
use egui_kittest::kittest::Queryable;
use std::collections::BTreeSet;
use std::path::Path;
use strata::app::action::{Action, Answer};
use strata::app::arrangement::Workspace;
use strata::app::messages::Weight;
use strata::app::run_monitor::Phase;
use strata::app::view_kind::ViewKind;
use strata::engine::event::{EpochReport, Event, Metrics, Outcome, Summary};
use strata::gui::views;
use strata::project::data::{Source, Split};
use strata::project::stage::Task;

/// A text of a frame: what it says, where, and the sizes of its letters.
struct Written {
    text: String,
    place: Rect,
    sizes: Vec<f32>,
}

fn texts_of(shape: &Shape, clip: Rect, into: &mut Vec<Written>) {
    match shape {
        Shape::Vec(shapes) => shapes.iter().for_each(|shape| texts_of(shape, clip, into)),
        Shape::Text(text) => {
            let place = text.galley.rect.translate(text.pos.to_vec2());
            let sections = text.galley.job.sections.iter();
            into.push(Written {
                text: text.galley.text().to_owned(),
                place: place.intersect(clip),
                sizes: sections
                    .map(|section| section.format.font_id.size)
                    .collect(),
            });
        }
        _ => {}
    }
}

/// All texts of the last frame that can be seen.
fn texts(window: &Window) -> Vec<Written> {
    let mut found = Vec::new();
    for shape in &window.harness.output().shapes {
        texts_of(&shape.shape, shape.clip_rect, &mut found);
    }
    found.retain(|text| !text.text.trim().is_empty() && text.place.is_positive());
    found
}

/// Pixels of a point where pixels are looked at: letters are as sharp as on a good screen.
const SHARP: f32 = 1.5;

/// A window whose pixels are looked at.
fn sharp(name: &str) -> Window {
    let mut window = Window::new(builtin(name), SHARP * SIZE, no_engine());
    window.harness.set_pixels_per_point(SHARP);
    window.run();
    window
}

fn check_contrast(window: &mut Window, what: &str) {
    window.harness.remove_cursor();
    window.run();
    let found = too_faint(window, SHARP);
    assert!(found.is_empty(), "{what}: {}", found.join("\n"));
}

#[test]
fn every_text_has_contrast_on_what_it_is_written_on() {
    for dark in [true, false] {
        let mut window = sharp("pretrain-classify");
        window.set_dark(dark);
        let theme = if dark { "dark" } else { "light" };
        for workspace in [Workspace::Data, Workspace::Design] {
            window.show_workspace(workspace);
            check_contrast(&mut window, &format!("{theme} {}", workspace.name()));
        }
        window.show_workspace(Workspace::Training);
        window.select(strata::project::Stack::Encoder, 1);
        window.enter("encoder.0", "cnov 3");
        check_contrast(&mut window, &format!("{theme}, a broken layer"));
        window.harness.state_mut().handle(Action::Start(true));
        window.run();
        check_contrast(&mut window, &format!("{theme}, start page"));
        window.harness.state_mut().handle(Action::New);
        window
            .harness
            .state_mut()
            .handle(Action::Unsaved(Answer::Discard));
        window.run();
        assert!(window.has("What do you want to build?"));
        check_contrast(&mut window, &format!("{theme}, a new project"));
    }
}

#[test]
fn there_are_five_sizes_of_type() {
    let mut sizes = BTreeSet::new();
    let mut window = Window::without_engine(builtin("pretrain-classify"), vec2(1600.0, 1000.0));
    let mut add = |window: &Window| {
        let all = texts(window).into_iter().flat_map(|text| text.sizes);
        sizes.extend(all.map(|size| (10.0 * size).round() as u32));
    };
    for info in views::all() {
        // Numbers in cells are as large as there is room, and a drawing is zoomed.
        if [ViewKind::Lens, ViewKind::Graph].contains(&info.kind) {
            continue;
        }
        window.show_alone(info.kind);
        window.run();
        add(&window);
    }
    window.press(Modifiers::NONE, Key::F1);
    add(&window);
    window.press(Modifiers::NONE, Key::Escape);
    window.harness.state_mut().handle(Action::Start(true));
    window.run();
    add(&window);
    assert!(sizes.len() <= 5, "{sizes:?} tenths of a point");
}

#[test]
fn a_scroll_bar_can_be_seen() {
    for dark in [true, false] {
        let mut window = Window::idle("pretrain-classify");
        window.set_dark(dark);
        window.run();
        let picture = window.picture(1.0);
        let ground = |x: u32, y: u32| {
            let [r, g, b, _] = picture.get_pixel(x, y).0;
            [r, g, b]
        };
        // The settings are longer than the window: their bar stands in the margin at the right.
        let column = (1268..1280).map(|x| {
            let bar = (60..680).filter(|&y| contrast(ground(x, y), ground(1266, 50)) >= 3.0);
            bar.count()
        });
        assert!(column.max().unwrap() >= 100, "dark: {dark}");
    }
}

/// Where the controls lie that a hand may be on its way to.
fn places(window: &Window) -> Vec<(&'static str, Pos2)> {
    let names = [
        "Data workspace",
        "Design workspace",
        "Training workspace",
        "Find anything",
        "Switch theme",
        "Epochs",
        "Batch",
        "Optimizer",
        "encoder.0",
        "Train",
        "Stop",
    ];
    let found = names.iter().filter_map(|name| {
        let mut nodes = window.harness.query_all_by_label(name);
        Some((*name, nodes.next()?.rect().min))
    });
    found.collect()
}

#[test]
fn nothing_moves_when_a_run_starts_and_when_messages_come() {
    let (engine, start) = fake_engine();
    let mut window = Window::new(classifier(), SIZE, start);
    window.run();
    let without_train = |window: &Window| {
        let all = places(window).into_iter();
        all.filter(|(name, _)| *name != "Train").collect::<Vec<_>>()
    };
    let before = without_train(&window);
    assert!(before.len() >= 9, "{before:?}");
    window.click("Train");
    engine.tell(started(Path::new("runs/one-1")));
    engine.tell(Event::Stage {
        index: 0,
        name: "classify".into(),
        task: Task::Classify,
        epochs: 1,
        steps_per_epoch: 4,
    });
    window.run();
    assert_eq!(without_train(&window), before, "a run has started");
    let tabs = window.get("Pause").rect();
    engine.tell(Event::warning("something to know ".repeat(12)));
    window.run();
    assert!(window.has("something to know"));
    window.keep_picture("legible/message");
    assert_eq!(without_train(&window), before, "a message has come");
    assert_eq!(window.get("Pause").rect(), tabs);
    window.click("Dismiss message");
    assert!(!window.has("something to know"));
    assert_eq!(without_train(&window), before, "it was read");
}

/// The bar below the views is as tall before a run as with what it has reached: from the first frame to the end all
/// stays in its place, in narrow windows and in wide ones.
#[test]
fn nothing_moves_when_a_run_reaches_something_and_ends() {
    for size in [SIZE, vec2(1440.0, 900.0), vec2(1920.0, 1080.0)] {
        let (engine, start) = fake_engine();
        let mut window = Window::new(classifier(), size, start);
        window.run();
        let folder = tempfile::tempdir().unwrap();
        let view = |window: &Window| {
            let all = places(window).into_iter();
            let all: Vec<_> = all.filter(|(name, _)| *name != "Train").collect();
            (window.get("Stop").rect(), all)
        };
        let before = view(&window);
        window.click("Train");
        engine.tell(started(folder.path()));
        engine.tell(Event::Stage {
            index: 0,
            name: "classify".into(),
            task: Task::Classify,
            epochs: 2,
            steps_per_epoch: 4,
        });
        window.run();
        let has_begun = view(&window);
        // The place to look back at earlier weights comes with the run, and before the first of them.
        let metrics = |splits: &[Split]| {
            let of = |split: &Split| {
                let metrics = Metrics {
                    loss: 0.0476,
                    accuracy: Some(0.9854),
                    ..Metrics::default()
                };
                (*split, metrics)
            };
            splits.iter().map(of).collect::<Vec<_>>()
        };
        for (epoch, splits) in [
            (1, &[Split::Train, Split::Valid][..]),
            (2, &[Split::Train, Split::Valid, Split::Test][..]),
        ] {
            engine.tell(Event::Epoch(EpochReport {
                stage: 0,
                epoch,
                step: 4 * u64::from(epoch),
                metrics: metrics(splits),
            }));
            window.run();
            assert_eq!(view(&window), has_begun, "{size:?}, epoch {epoch}");
        }
        engine.tell(Event::Finished(Outcome::Completed(Summary {
            run: folder.path().to_owned(),
            metrics: metrics(&[Split::Train, Split::Valid, Split::Test]),
            seconds: 75.0,
            images_per_second: 11_240.0,
        })));
        window.wait("the end", |state| !state.training.is_running());
        window.run();
        window.keep_picture(&format!("legible/reached-{}", size.x));
        assert_eq!(view(&window), before, "{size:?}: it has ended");
        assert!(window.has("test loss"));
    }
}

/// A lecture room: everything is larger, and still there.
#[test]
fn nothing_is_cut_at_presentation_size() {
    let screen = vec2(1920.0, 1080.0);
    for zoom in [1.3, 1.5, 1.75, 2.0] {
        let size: Vec2 = screen / zoom;
        let size = vec2(size.x.floor(), size.y.floor());
        let mut window = Window::new(builtin("pretrain-classify"), size, no_engine());
        window.run();
        for workspace in [Workspace::Data, Workspace::Design, Workspace::Training] {
            window.show_workspace(workspace);
            window.keep_picture(&format!(
                "presentation/{}-{:.0}",
                workspace.name(),
                100.0 * zoom
            ));
            let whole = Rect::from_min_size(Pos2::ZERO, size).expand(0.5);
            for label in [
                "Train",
                "Step",
                "Stop",
                "Report",
                "Switch theme",
                "Device",
                "Undo",
            ] {
                let place = window.get(label).rect();
                assert!(whole.contains_rect(place), "{label} at {zoom}: {place:?}");
            }
            let bar = window.get("Train").rect().top();
            assert!(bar > 0.6 * size.y, "the views have room");
        }
    }
}

#[test]
fn the_size_is_chosen_by_name_and_stays() {
    let config = tempfile::tempdir().unwrap();
    let mut window = Window::kept("conv-autoencoder", config.path());
    window.find("presentation");
    window.run();
    assert!((window.harness.ctx.zoom_factor() - 1.5).abs() < 1e-6);
    assert!((window.state().view.zoom - 1.5).abs() < 1e-6);
    window.find("usual size");
    window.run();
    assert!((window.harness.ctx.zoom_factor() - 1.0).abs() < 1e-6);
}

#[test]
fn messages_that_stay_lie_over_the_views() {
    let mut window = Window::idle("conv-autoencoder");
    window.show_alone(ViewKind::Loss);
    window.run();
    let before = window.get("Logarithmic axis").rect();
    let state = window.harness.state_mut();
    state.handle(Action::Open("nothing/here.toml".into()));
    window.run();
    assert!(window.has("Dismiss message"));
    assert_eq!(window.get("Logarithmic axis").rect(), before);
    assert!(
        window
            .state()
            .messages
            .lasting()
            .all(|message| message.weight != Weight::Note)
    );
}

/// A project without layers says what to do, and nothing in red.
#[test]
fn a_new_project_is_calm_and_asks_what_to_build() {
    for (choice, view) in [
        ("Build: A classifier", "dense 10"),
        ("Build: An autoencoder", "convt 3 k4 s2 p1"),
    ] {
        let mut window = Window::idle("conv-autoencoder");
        window.harness.state_mut().handle(Action::Start(true));
        window.run();
        window.click("New project");
        assert!(window.has("What do you want to build?"));
        for part in [
            "Cannot train",
            "needs a decoder",
            "no parameters",
            "No decoder",
        ] {
            assert!(!window.has(part), "{part}");
        }
        for dark in [true, false] {
            window.set_dark(dark);
            window.keep_picture(if dark { "begin/dark" } else { "begin/light" });
        }
        window.click(choice);
        let hindrance = window.state().hindrance();
        assert_eq!(hindrance, None, "{choice}");
        assert!(window.has(view), "{choice}");
        window.click("Undo");
        assert!(window.has("What do you want to build?"));
    }
}

/// Where there is no file dialog, a path can be typed; and what is built on the images trains with nothing else set.
#[test]
fn a_new_project_is_built_on_images_of_ones_own() {
    let folder = tempfile::tempdir().unwrap();
    for index in 0..20u8 {
        let image = image::RgbImage::from_pixel(20, 12, image::Rgb([index, 7, 200 - index]));
        image
            .save(folder.path().join(format!("{index}.png")))
            .unwrap();
    }
    let mut window = Window::real(builtin("conv-autoencoder"), SIZE);
    window.harness.state_mut().handle(Action::New);
    window.run();
    window.click("Build: From my images …");
    window.enter("Path", folder.path().to_str().unwrap());
    assert!(window.state().ask.is_none());
    window.click("Build: An autoencoder");
    let data = &window.state().project().data;
    assert_eq!((data.source, data.resize), (Source::Folder, None));
    let fit = "Fit the network";
    window.wait_for(PATIENCE, "the images", |window| window.has(fit));
    window.click(fit);
    assert_eq!(window.state().network().input.dims(), [3, 12, 20]);
    window.train();
    let ended = &window.state().training.phase;
    assert!(
        matches!(ended, Phase::Ended(Outcome::Completed(_))),
        "{ended:?}"
    );
}

/// An error of pixels and the logarithm of a probability are no values on one axis.
#[test]
fn a_loss_of_another_kind_has_an_axis_of_its_own() {
    let mut window = Window::idle("pretrain-classify");
    let run = tempfile::tempdir().unwrap();
    let project = window.state().project().clone();
    strata::project::file::save(&project, &run.path().join("project.toml")).unwrap();
    let mut rows = String::from("step,stage,epoch,loss\n");
    for step in 1..=30 {
        let stage = &project.stages[usize::from(step > 20)].name;
        let loss = if step > 20 { 2.3 } else { 0.01 };
        rows += &format!("{step},{stage},1,{loss}\n");
    }
    std::fs::write(run.path().join("steps.csv"), rows).unwrap();
    let path = run.path().to_path_buf();
    window.harness.state_mut().handle(Action::Open(path));
    window.wait("the curves", |state| !state.training.is_reading());
    assert_eq!(window.state().training.curves.kinds_of_loss().len(), 2);
    window.show_alone(ViewKind::Loss);
    window.run();
    for dark in [true, false] {
        window.set_dark(dark);
        window.keep_picture(if dark {
            "curves/kinds-dark"
        } else {
            "curves/kinds-light"
        });
    }
    let all: Vec<String> = texts(&window).into_iter().map(|text| text.text).collect();
    for title in ["loss (mse)", "loss (cross-entropy)"] {
        let count = all.iter().filter(|text| *text == title).count();
        assert_eq!(count, 1, "{title}: {all:?}");
    }
    for (stage, kind) in [(0, "mse"), (1, "cross-entropy")] {
        let name = format!("{}: {kind}", project.stages[stage].name);
        assert!(
            all.iter().any(|text| text.trim() == name),
            "{name}: {all:?}"
        );
    }
}
