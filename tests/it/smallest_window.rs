//! What has to be whole, alone or marked in the smallest window, in both themes: results, numbers in settings, counts,
//! messages, proposals, tooltips; and the buttons that mend what only the images could tell.

use crate::kit::window::*;
use eframe::egui::{Order, Rect, vec2};
use egui_kittest::kittest::{NodeT, Queryable};
use std::path::Path;
use strata::app::action::{Action, Show};
use strata::app::arrangement::Workspace;
use strata::app::view_kind::ViewKind;
use strata::engine::event::{EpochReport, Event, Metrics, Outcome, Summary};
use strata::inspect::gallery::Gallery;
use strata::project::data::{Source, Split};
use strata::project::stage::Task;
use strata::project::{Project, Stack};
use strata_testkit::networks::nodes;

fn rect(window: &Window, part: &str) -> Rect {
    let found = window.harness.query_all_by_label_contains(part);
    let rects = found.map(|node| node.rect());
    rects
        .min_by(|a, b| a.top().total_cmp(&b.top()))
        .unwrap_or_else(|| panic!("no {part}"))
}

/// A run of a classifier that ends with these losses and accuracies.
fn ended(losses: [f64; 3]) -> (Window, tempfile::TempDir) {
    let (engine, start) = fake_engine();
    let mut window = Window::new(classifier(), SIZE, start);
    window.click("Train");
    let folder = tempfile::tempdir().unwrap();
    let metrics: Vec<(Split, Metrics)> = [Split::Train, Split::Valid, Split::Test]
        .into_iter()
        .zip(losses)
        .map(|(split, loss)| {
            let metrics = Metrics {
                loss,
                accuracy: Some(0.9854),
                ..Metrics::default()
            };
            (split, metrics)
        })
        .collect();
    engine.tell(started(folder.path()));
    engine.tell(Event::Stage {
        index: 0,
        name: "classify".into(),
        task: Task::Classify,
        epochs: 1,
        steps_per_epoch: 4,
    });
    engine.tell(Event::Epoch(EpochReport {
        stage: 0,
        epoch: 1,
        step: 4,
        metrics: metrics.clone(),
    }));
    engine.tell(Event::Finished(Outcome::Completed(Summary {
        run: folder.path().to_owned(),
        metrics,
        seconds: 75.0,
        images_per_second: 11_240.0,
    })));
    window.wait("the end", |state| !state.training.is_running());
    (window, folder)
}

#[test]
fn results_of_all_splits_are_whole() {
    for losses in [[0.0476, 0.0450, 0.0412], [1.23e7, 2.35e-5, 3.46e-7]] {
        let (mut window, _folder) = ended(losses);
        window.run();
        window.keep_picture("smallest/results");
        let results = window.state().training.curves.results();
        assert!(results.contains("test loss") && results.matches("98.54 %").count() == 3);
        // The Loss view and the status bar say the same in other words and places.
        let shown = rect(&window, "train loss");
        // A letter of the bar is 6.9 points wide: a text that is cut takes less room than all of its letters.
        let letters = results.chars().filter(|letter| *letter != ' ').count() as f32;
        let lines = (shown.height() / 14.0).round();
        assert!(
            shown.width() * lines >= 6.5 * letters,
            "{results}: {shown:?}"
        );
        let train = window.get("Train").rect();
        let status = rect(&window, "Finished in 1");
        assert!(
            shown.bottom() <= train.top() && shown.bottom() <= status.top(),
            "{shown:?} {train:?} {status:?}"
        );
        let bar = vec2(SIZE.x, SIZE.y - 28.0);
        assert!(train.bottom() <= bar.y && shown.right() <= bar.x - 264.0);
    }
}

#[test]
fn numbers_in_settings_are_never_broken() {
    let letter = 7.2;
    for optimizer in [
        "adam lr=2e-3 weight_decay=1e-3",
        "adamw lr=0.0005 beta2=0.99 weight_decay=0.0001",
        "sgd lr=0.05",
    ] {
        let mut project = classifier();
        project.stages[0].optimizer = optimizer.parse().unwrap();
        let mut window = Window::without_engine(project, SIZE);
        window.run();
        window.keep_picture("smallest/settings");
        let field = window.get("Optimizer").rect();
        let written = window.get("Optimizer").value().unwrap();
        let longest = written.split_whitespace().map(str::len).max().unwrap();
        let needed = longest as f32 * letter + 14.0;
        assert!(field.width() >= needed, "{written}: {field:?} < {needed}");
        let settings = SIZE.x - 264.0;
        assert!(
            field.left() >= settings && field.right() <= SIZE.x,
            "{field:?}"
        );
        window.type_over("Optimizer", "rmsprop lr=1e-3 weight_decay=1.5e-4");
        assert!(
            window.get("Optimizer").rect().width() >= 20.0 * letter,
            "while it is typed as well"
        );
    }
}

#[test]
fn the_counts_of_all_splits_are_whole() {
    let folder = tempfile::tempdir().unwrap();
    let mut window = open(folder.path(), &classifier());
    window.show_workspace(Workspace::Data);
    window.show_column(&[ViewKind::Data, ViewKind::Augmentation]);
    window.wait("images", |state| {
        state.inspections.latest::<Gallery>().is_some()
    });
    window.keep_picture("smallest/counts");
    let counts = "train 64 · valid 64 · test 64 · unlabeled 64";
    let shown = window.get(counts).rect();
    assert!(
        shown.width() >= 4.5 * counts.len() as f32 && shown.right() <= SIZE.x - 264.0,
        "{shown:?}"
    );
    assert!(window.has("shapes · 3×16×16"));
}

#[test]
fn messages_are_one_bar_with_their_number() {
    let folder = tempfile::tempdir().unwrap();
    let mut window = Window::idle("conv-autoencoder");
    for name in ["one.toml", "two.toml", "three.toml"] {
        let path = folder.path().join(name);
        window.harness.state_mut().handle(Action::Open(path));
    }
    window.run();
    window.keep_picture("smallest/messages");
    assert!(window.has("three.toml") && !window.has("one.toml"));
    let top = |window: &Window| rect(window, "Loss view").top();
    let folded = top(&window);
    window.click("2 more");
    assert!(window.has("one.toml") && window.has("two.toml") && window.has("three.toml"));
    assert_eq!(top(&window), folded, "they lie over the views");
    window.click("Fold");
    assert!(!window.has("one.toml"));
    window.click("Dismiss message");
    assert!(window.has("two.toml") && window.has("1 more"));
    window.click("Dismiss all");
    assert!(!window.has("two.toml") && !window.has("one.toml"));
    assert_eq!(top(&window), folded, "nothing has moved");
}

/// Hovers over everything that has a name: a second tooltip covers the first, or says it again.
#[test]
fn there_is_one_tooltip_at_a_time() {
    let (mut window, _folder) = ended([0.0476, 0.0450, 0.0412]);
    window.harness.ctx.all_styles_mut(|style| {
        style.interaction.tooltip_delay = 0.0;
        style.interaction.show_tooltips_only_when_still = false;
    });
    for workspace in [Workspace::Training, Workspace::Design, Workspace::Data] {
        window
            .harness
            .state_mut()
            .handle(Action::Show(Show::Workspace(workspace)));
        window.run();
        let screen = Rect::from_min_size(Default::default(), SIZE);
        let mut places: Vec<_> = window
            .harness
            .query_all_by(|node| node.label().is_some() || node.value().is_some())
            .map(|node| {
                let said = node.accesskit_node().label().or_else(|| node.value());
                (node.rect().center(), said.unwrap_or_default())
            })
            .filter(|(at, _)| screen.contains(*at))
            .collect();
        places.dedup_by_key(|(at, _)| (at.x as i32, at.y as i32));
        assert!(places.len() > 40, "{}", places.len());
        for (at, what) in places {
            window.harness.hover_at(at);
            for _ in 0..3 {
                window.harness.step();
            }
            let tooltips = window.harness.ctx.memory(|memory| {
                let layers = memory.areas().visible_layer_ids();
                let tooltips = layers.iter().filter(|layer| layer.order == Order::Tooltip);
                tooltips.count()
            });
            assert!(tooltips <= 1, "{tooltips} tooltips at {at:?}: {what}");
        }
    }
}

fn labels(folder: &Path, classes: &[&str], side: u32) {
    for class in classes {
        std::fs::create_dir_all(folder.join(class)).unwrap();
        for number in 0..8u8 {
            let color = image::Rgb([number * 20, 90, 200 - number * 9]);
            let picture = image::RgbImage::from_pixel(side, side, color);
            let path = folder.join(class).join(format!("{number}.png"));
            picture.save(path).unwrap();
        }
    }
}

/// What is wrong shows only when the images are there: the message of the run has a button for each way.
#[test]
fn a_run_that_the_images_do_not_fit_is_mended_by_buttons() {
    let folder = tempfile::tempdir().unwrap();
    labels(&folder.path().join("pets"), &["cat", "dog", "owl"], 20);
    let mut project = classifier();
    project.data = strata::project::data::DataSpec {
        source: Source::Folder,
        path: Some("pets".into()),
        ..Default::default()
    };
    project.network.head = nodes(&["flatten", "dense 2"]);
    let mut window = open(folder.path(), &project);
    let failed = |window: &mut Window| {
        window.click("Train");
        window.wait("the end", |state| !state.training.is_running());
    };
    failed(&mut window);
    window.keep_picture("smallest/repairs");
    for button in ["Scale to 16×16", "Set the input to 3×20×20"] {
        assert!(window.has(button), "{button}");
    }
    window.click("Scale to 16×16");
    assert_eq!(window.state().project().data.resize, Some([16, 16]));
    assert!(
        !window.has("Set the input to 3×20×20"),
        "the message went with it"
    );
    failed(&mut window);
    window.click("End the head with dense 3");
    assert_eq!(window.texts(Stack::Head).last().unwrap(), "dense 3");
    failed(&mut window);
    assert!(!window.has("The run failed"), "it trains");
}

#[test]
fn a_stage_on_a_split_that_is_not_there_is_mended_by_a_button() {
    let folder = tempfile::tempdir().unwrap();
    labels(&folder.path().join("pets"), &["cat", "dog"], 16);
    let mut project: Project = builtin("conv-autoencoder");
    project.data = strata::project::data::DataSpec {
        source: Source::Folder,
        path: Some("pets".into()),
        ..project.data.clone()
    };
    project.data.resize = Some([32, 32]);
    project.stages[0].split = Split::Unlabeled;
    (project.stages[0].epochs, project.stages[0].batch) = (1, 4);
    let mut window = open(folder.path(), &project);
    window.click("Train");
    window.wait("the end", |state| !state.training.is_running());
    window.click("Set split to train in stage 1");
    assert_eq!(window.state().project().stages[0].split, Split::Train);
    window.click("Train");
    window.wait("the end", |state| !state.training.is_running());
    assert!(!window.has("The run failed"));
}

/// What keeps Train from being pressed has its button beside it.
#[test]
fn what_keeps_from_training_is_mended_beside_the_button() {
    let mut project = builtin("conv-autoencoder");
    project.network.encoder = nodes(&["conv 8 k3 s2 p1", "relu"]);
    project.network.decoder = nodes(&["convt 3 k3 s2 p1", "tanh"]);
    let mut window = Window::without_engine(project, SIZE);
    window.run();
    assert!(window.has("Cannot train yet: output"));
    let name = "Fix to train: write convt 3 k3 s2 p1 op1 at decoder.0";
    window.click(name);
    assert!(window.state().hindrance().is_none());
    assert!(window.has("Ready to train"));
}

#[test]
fn a_folder_of_images_is_opened_as_data() {
    let folder = tempfile::tempdir().unwrap();
    let pets = folder.path().join("pets");
    labels(&pets, &["train/cat", "train/dog"], 8);
    std::fs::create_dir(folder.path().join("empty")).unwrap();
    let mut window = Window::idle("lenet-mnist");
    window.enter("Project title", "Mine");
    window.click("Open…");
    window.enter("Path", pets.to_str().unwrap());
    let data = &window.state().project().data;
    assert_eq!(data.source, Source::Folder);
    assert_eq!(data.path.as_deref(), pets.to_str());
    assert_eq!(window.state().view.workspace, Workspace::Data);
    assert_eq!(
        window.state().project().title,
        "Mine",
        "no project was opened"
    );
    assert!(
        !window.has("Save them before"),
        "nothing is lost, so nothing is asked"
    );
    let empty = folder.path().join("empty");
    window.harness.state_mut().handle(Action::Open(empty));
    window.run();
    assert!(
        window.has("holds no project and no run"),
        "where no images are, a project is missed"
    );
}
