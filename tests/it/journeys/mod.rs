//! More journeys through the window: views in tiles, the start page, the palette, edits that outlive a
//! crash, and layers moved about.

mod digits;
mod keyboard;
mod mishaps;

use crate::kit::window::*;
use eframe::egui::{DroppedFile, Event, HoveredFile, Key, Modifiers, Rect, vec2};
use egui_kittest::kittest::{NodeT, Queryable};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use strata::app::action::{Action, Overlay};
use strata::app::arrangement::Workspace;
use strata::app::state::Closing;
use strata::app::view_kind::ViewKind;
use strata::inspect::filters::Filters;
use strata::inspect::gallery::Gallery;
use strata::project::data::Source;
use strata::project::node::Node;
use strata::project::{Place, Stack, file};

fn views(window: &Window) -> Vec<ViewKind> {
    window.state().arrangement().views()
}

#[test]
fn views_are_closed_opened_again_split_and_reset() {
    let mut window = Window::idle("conv-autoencoder");
    let usual = window.state().arrangement().clone();
    window.click("Close Filters view");
    assert!(!window.has("Filters view") && !views(&window).contains(&ViewKind::Filters));
    assert!(
        window.has("No hidden units to measure yet"),
        "the view behind it comes to the front"
    );
    window.click("Add view beside Loss");
    assert!(
        window.has("Open Accuracy view"),
        "the menu lists every view"
    );
    window.get("Open Filters view").scroll_to_me();
    window.run();
    window.click("Open Filters view");
    let top = |window: &Window, label: &str| window.get(label).rect().top();
    assert_eq!(
        top(&window, "Loss view"),
        top(&window, "Filters view"),
        "a tab beside the loss"
    );
    assert!(
        window.has("they change as the network learns") && !window.has("the first steps appear")
    );
    window.click("Loss view");
    assert!(
        window.has("the first steps appear"),
        "the other tab comes to the front"
    );
    window.get("Filters view").click_secondary();
    window.run();
    window.click("Split below");
    assert!(top(&window, "Filters view") > top(&window, "Loss view") + 50.0);
    assert!(
        window.has("the first steps appear") && window.has("they change as the network learns")
    );
    window.click("Add view beside Loss");
    window.click("Reset arrangement");
    assert_eq!(*window.state().arrangement(), usual);
}

#[test]
fn a_view_is_dragged_beside_another() {
    let mut window = Window::idle("conv-autoencoder");
    let (from, to) = (
        window.get("Filters view").rect(),
        window.get("Reconstructions view").rect(),
    );
    window.drag(
        from.center(),
        to.right_center() + vec2(to.width() / 2.0, 0.0),
    );
    assert_eq!(
        window.get("Filters view").rect().top(),
        window.get("Reconstructions view").rect().top()
    );
    assert_eq!(views(&window).len(), 8);
    assert!(window.get("Loss view").rect().top() < to.top());
}

#[test]
fn when_every_view_is_closed_the_centre_says_what_to_do() {
    let mut window = Window::idle("conv-autoencoder");
    for kind in [
        "Loss",
        "Runs",
        "Filters",
        "Feature maps",
        "Sparse code",
        "Reconstructions",
        "Saliency",
        "Images",
    ] {
        window.click(&format!("Close {kind} view"));
    }
    assert!(window.has("No view is open"));
    window.click("Open Accuracy view");
    assert_eq!(views(&window), [ViewKind::Accuracy]);
    window.click("Close Accuracy view");
    window.click("Reset arrangement");
    assert_eq!(views(&window).len(), 8);
}

#[test]
fn the_arrangement_survives_a_restart_and_a_broken_file_does_no_harm() {
    let folder = tempfile::tempdir().unwrap();
    let mut window = Window::kept("conv-autoencoder", folder.path());
    window.click("Close Filters view");
    drop(window);
    let window = Window::kept("conv-autoencoder", folder.path());
    assert!(!views(&window).contains(&ViewKind::Filters) && views(&window).len() == 7);
    drop(window);
    std::fs::write(folder.path().join("views.json"), "{").unwrap();
    assert_eq!(
        views(&Window::kept("conv-autoencoder", folder.path())).len(),
        8
    );
}

#[test]
fn the_start_page_opens_built_in_recent_and_new_projects() {
    let folder = tempfile::tempdir().unwrap();
    let (mine, gone) = (
        folder.path().join("mine.toml"),
        folder.path().join("gone.toml"),
    );
    let mut window = Window::kept("conv-autoencoder", &folder.path().join("config"));
    for (path, name) in [(&mine, "lenet-mnist"), (&gone, "unet")] {
        file::save(&builtin(name), path).unwrap();
        window
            .harness
            .state_mut()
            .handle(Action::Open(path.clone()));
        window.run();
    }
    drop(window);
    std::fs::remove_file(&gone).unwrap();
    let mut window = Window::kept("conv-autoencoder", &folder.path().join("config"));
    window.click("Start page");
    assert!(
        window
            .get("Open recent U-Net: take the noise away")
            .accesskit_node()
            .is_disabled(),
        "it is gone"
    );
    window.click("Open recent LeNet for MNIST");
    assert_eq!(window.state().file.as_deref(), Some(mine.as_path()));
    assert!(!window.state().start);
    window.click("Start page");
    window.click("Start from keras-cifar");
    assert!(window.has("122,570 parameters"));
    window.click("Start page");
    window.click("New project");
    assert!(window.state().network().encoder.is_empty() && window.has("Add layer to encoder"));
    window.click("Start page");
    window.click("← Back to the project");
    assert_eq!(window.state().project().title, "New project");
}

#[test]
fn a_run_comes_to_the_top_of_what_was_opened_lately() {
    let (engine, start) = fake_engine();
    let mut window = Window::new(builtin("conv-autoencoder"), vec2(1280.0, 720.0), start);
    window.click("Train");
    engine.tell(started(Path::new("runs/one-1")));
    window.run();
    assert!(window.state().recents.is_newest(Path::new("runs/one-1")));
}

#[test]
fn pictures_replace_no_file_unasked_and_say_where_they_cannot_go() {
    let folder = tempfile::tempdir().unwrap();
    let mut window = Window::idle("conv-autoencoder");
    assert!(
        window
            .get("Save picture of Loss")
            .accesskit_node()
            .is_disabled(),
        "there is nothing to save yet"
    );
    window.click("Images view");
    window.wait("images", |state| {
        state.inspections.latest::<Gallery>().is_some()
    });
    let there = folder.path().join("there.png");
    std::fs::write(&there, "precious").unwrap();
    window.click("Save picture of Images");
    window.enter("Path", there.to_str().unwrap());
    assert_eq!(std::fs::read(&there).unwrap(), b"precious");
    window.click("Replace the file");
    window.wait("the picture", |state| !state.is_saving_pictures());
    assert!(image::open(&there).is_ok() && window.has("Picture saved to"));
    window.click("Save picture of Images");
    window.enter("Path", "/proc/none");
    window.wait("the refusal", |state| !state.is_saving_pictures());
    assert!(window.has("/proc/none.png cannot be written") && window.has("choose another place"));
    // A folder that is not there is made, with what was typed.
    let inside = folder.path().join("figures/of/today.png");
    window.click("Save picture of Images");
    window.enter("Path", inside.to_str().unwrap());
    assert!(window.has("figures/of is not there yet"));
    assert!(
        window
            .state()
            .ask
            .as_ref()
            .unwrap()
            .start
            .ends_with("today.png")
    );
    window.keep_picture("pictures/make-folder");
    window.click("Make the folder");
    window.wait("the picture", |state| !state.is_saving_pictures());
    assert!(image::open(&inside).is_ok() && window.state().ask.is_none());
}

#[derive(Debug)]
struct Dropped(PathBuf);

impl DroppedFile for Dropped {
    fn path(&self) -> &Path {
        &self.0
    }

    fn bytes(&self) -> Result<Vec<u8>, String> {
        std::fs::read(&self.0).map_err(|error| error.to_string())
    }
}

fn drop_on(window: &mut Window, path: &Path) {
    window
        .harness
        .input_mut()
        .dropped_files
        .push(Arc::new(Dropped(path.to_path_buf())));
    window.run();
}

#[test]
fn what_is_dropped_on_the_window_is_opened() {
    let folder = tempfile::tempdir().unwrap();
    let (project, images) = (folder.path().join("p.toml"), folder.path().join("images"));
    file::save(&builtin("lenet-mnist"), &project).unwrap();
    std::fs::create_dir(&images).unwrap();
    std::fs::write(images.join("a.png"), "").unwrap();
    let mut window = Window::idle("conv-autoencoder");
    window
        .harness
        .input_mut()
        .hovered_files
        .push(HoveredFile::default());
    (0..3).for_each(|_| window.harness.step());
    window.harness.input_mut().hovered_files.clear();
    drop_on(&mut window, &folder.path().join("none.toml"));
    assert!(window.has("cannot read"));
    drop_on(&mut window, &project);
    assert_eq!(window.state().project().title, "LeNet for MNIST");
    drop_on(&mut window, &images);
    assert_eq!(window.state().project().data.source, Source::Folder);
    // The data are shown; an image dropped there is one to try kernels on, and while training is seen one to look into.
    assert_eq!(window.state().view.workspace, Workspace::Data);
    drop_on(&mut window, &images.join("a.png"));
    assert_eq!(window.state().inspections.saliency.image, None);
    window.show_workspace(Workspace::Training);
    drop_on(&mut window, &images.join("a.png"));
    assert_eq!(
        window.state().inspections.saliency.image,
        Some(images.join("a.png"))
    );
    window.press(Modifiers::COMMAND, Key::Z);
    assert_eq!(
        window.state().project().data.source,
        Source::Mnist,
        "Ctrl+Z takes the folder back"
    );
}

#[test]
fn everything_is_found_by_name_with_the_keyboard_alone() {
    let mut window = Window::idle("conv-autoencoder");
    window.find("lenet");
    assert_eq!(window.state().project().title, "LeNet for MNIST");
    window.find("close filt");
    assert!(!views(&window).contains(&ViewKind::Filters));
    window.find("view filt");
    assert!(views(&window).contains(&ViewKind::Filters));
    window.press(Modifiers::COMMAND, Key::K);
    assert!(window.has("Do Train"), "it starts anew each time");
    window.press(Modifiers::NONE, Key::ArrowDown);
    window.press(Modifiers::NONE, Key::Enter);
    assert!(window.state().ask.is_some(), "the second command is Open…");
    window.click("Close path bar");
    window.press(Modifiers::COMMAND, Key::K);
    window.press(Modifiers::NONE, Key::Escape);
    assert_eq!(window.state().overlay, None);
}

#[test]
fn the_keys_and_the_about_box_come_and_go() {
    let mut window = Window::idle("conv-autoencoder");
    window.press(Modifiers::NONE, Key::F1);
    assert!(window.has("Ctrl+K") && window.has("find anything by name"));
    window.press(Modifiers::NONE, Key::F1);
    assert!(!window.has("find anything by name"));
    window.click("Find anything");
    window.get("Find anything by name").type_text("about");
    window.run();
    window.click("Do About Strata");
    // The box grows by what is found out of the machine.
    let is_there = |window: &Window| window.state().about.report.is_some();
    window.wait_for(crate::kit::PATIENCE, "report of the machine", is_there);
    assert_eq!(window.state().overlay, Some(Overlay::About));
    assert!(window.has(env!("CARGO_PKG_VERSION")) && window.has("MIT OR Apache-2.0"));
    window.click("Close box");
    assert_eq!(window.state().overlay, None);
}

/// Runs frames until unsaved edits have rested long enough to be kept.
fn rest(window: &mut Window) {
    window.harness.step();
    std::thread::sleep(strata::app::recovery::REST);
    window.harness.step();
}

#[test]
fn edits_that_a_crash_cut_off_are_offered_again() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("p.toml");
    file::save(&builtin("conv-autoencoder"), &path).unwrap();
    let config = folder.path().join("config");
    let mut window = Window::kept("lenet-mnist", &config);
    window
        .harness
        .state_mut()
        .handle(Action::Open(path.clone()));
    window.run();
    window.enter("encoder.1", "tanh");
    rest(&mut window);
    let edited = window.state().project().clone();
    drop(window);
    let mut window = Window::kept("lenet-mnist", &config);
    window.run();
    assert!(window.has("Unsaved edits of “One-layer convolutional autoencoder”"));
    window.click("Recover edits");
    assert_eq!(
        (window.state().project(), window.state().file.as_deref()),
        (&edited, Some(path.as_path()))
    );
    assert!(window.has("Unsaved changes"));
    drop(window);
    let mut window = Window::kept("lenet-mnist", &config);
    window.run();
    assert!(
        window.has("Unsaved edits of"),
        "recovered edits are not lost to a second crash"
    );
    window.click("Discard edits");
    drop(window);
    assert!(
        Window::kept("lenet-mnist", &config)
            .state()
            .unsaved
            .is_empty()
    );
}

#[test]
fn saved_and_discarded_edits_are_not_offered_again() {
    let folder = tempfile::tempdir().unwrap();
    let mut window = Window::kept("conv-autoencoder", folder.path());
    window.enter("encoder.1", "tanh");
    rest(&mut window);
    window.harness.state_mut().handle(Action::Close);
    window.run();
    window.click("Discard changes");
    assert_eq!(window.state().closing, Closing::Now);
    drop(window);
    assert!(
        Window::kept("conv-autoencoder", folder.path())
            .state()
            .unsaved
            .is_empty()
    );
}

/// From the start page to the picture of the filters on disk, in few clicks.
#[test]
fn the_one_layer_autoencoder_is_built_trained_and_its_filters_saved_in_few_clicks() {
    let run = tempfile::tempdir().unwrap();
    let (engine, start) = fake_engine();
    let mut window = Window::new(builtin("lenet-mnist"), vec2(1280.0, 720.0), start);
    window.harness.state_mut().handle(Action::Start(true));
    window.run();
    let mut clicks = 0;
    let mut click = |window: &mut Window, label: &str| {
        clicks += 1;
        window.click(label);
    };
    click(&mut window, "New project");
    for (stack, layers) in [
        ("encoder", ["conv 32 k8 s4 p2", "relu"]),
        ("decoder", ["convt 3 k8 s4 p2", "tanh"]),
    ] {
        click(&mut window, &format!("Add layer to {stack}"));
        for layer in layers {
            window.get("Search layers").type_text(layer);
            window.run();
            window.press(Modifiers::NONE, Key::Enter);
        }
        window.press(Modifiers::NONE, Key::Escape);
    }
    assert!(window.has("output 3×32×32 = input 3×32×32"));
    click(&mut window, "Train");
    assert_eq!(engine.with(|run| run.project.network.encoder.len()), 2);
    engine.tell(started(run.path()));
    let filters = Filters {
        step: 7,
        key: "encoder.0.weight".into(),
        layer: "encoder.0 `conv 32 k8 s4 p2`".into(),
        are_templates: false,
        count: 32,
        channels: 3,
        height: 8,
        width: 8,
        slices: 1,
        values: (0..32 * 3 * 8 * 8)
            .map(|i| (i as f32 * 0.37).sin())
            .collect(),
        on_pixels: false,
        since: None,
    };
    engine.with(|run| run.live.filters.put(filters));
    window.run();
    click(&mut window, "Save picture of Filters");
    click(&mut window, "Save path");
    window.wait("the picture", |state| !state.is_saving_pictures());
    assert!(clicks <= 8, "{clicks}");
    let picture = image::open(run.path().join("filters-step-0.png"))
        .unwrap()
        .to_rgba8();
    assert_eq!(picture.dimensions(), (1920, 1200));
    let colours: std::collections::BTreeSet<_> = picture.pixels().map(|pixel| pixel.0).collect();
    assert!(
        colours.len() > 1000,
        "the filters are in it: {} colours",
        colours.len()
    );
}

fn texts(nodes: &[Node]) -> Vec<String> {
    nodes.iter().map(Node::text).collect()
}

#[test]
fn layers_are_moved_by_hand_within_a_stack_and_between_stacks() {
    let mut project = builtin("conv-autoencoder");
    project.network.head = vec![Node::from_text("gap")];
    let mut window = Window::without_engine(project.clone(), SIZE);
    window.run();
    let row = |window: &Window, place: &str| {
        window
            .harness
            .get_all_by_label_contains(&format!("{place}: "))
            .next()
            .unwrap()
            .rect()
    };
    let strip = |rect: Rect| rect.left_center() + vec2(2.0, 0.0);
    let (first, second) = (row(&window, "encoder.0"), row(&window, "encoder.1"));
    window.drag(strip(first), second.center_bottom() - vec2(0.0, 4.0));
    assert_eq!(
        texts(&window.state().network().encoder),
        ["relu", "conv 32 k8 s4 p2"]
    );
    let (from, to) = (row(&window, "encoder.0"), row(&window, "decoder.1"));
    window.drag(strip(from), to.center_top() + vec2(0.0, 4.0));
    assert_eq!(
        texts(&window.state().network().decoder),
        ["convt 3 k8 s4 p2", "relu", "tanh"]
    );
    let (from, end) = (
        row(&window, "decoder.0"),
        window.get("Add layer to head").rect(),
    );
    window.drag(strip(from), end.center());
    assert_eq!(
        texts(&window.state().network().head),
        ["gap", "convt 3 k8 s4 p2"]
    );
    (0..3).for_each(|_| window.press(Modifiers::COMMAND, Key::Z));
    assert_eq!(
        *window.state().project(),
        project,
        "each is one step to undo"
    );
}

#[test]
fn layers_are_copied_and_pasted_as_text() {
    let mut window = Window::idle("conv-autoencoder");
    let place = Place::new(Stack::Encoder, 0);
    window
        .harness
        .state_mut()
        .handle(Action::Select(Some(place)));
    window.run();
    window.harness.event(Event::Copy);
    window.harness.step();
    let copied = format!("{:?}", window.harness.output().platform_output.commands);
    assert!(copied.contains("conv 32 k8 s4 p2"), "{copied}");
    window.harness.event(Event::Paste("bn\n\"tanh\",".into()));
    window.run();
    assert_eq!(
        texts(&window.state().network().encoder),
        ["conv 32 k8 s4 p2", "bn", "tanh", "relu"]
    );
    window.harness.event(Event::Paste("Dear all,".into()));
    window.run();
    assert!(window.has("The clipboard holds no layers"));
    window.press(Modifiers::COMMAND, Key::Z);
    assert_eq!(*window.state().project(), builtin("conv-autoencoder"));
    window.harness.event(Event::Cut);
    window.run();
    assert_eq!(
        texts(&window.state().network().encoder),
        ["conv 32 k8 s4 p2"]
    );
}

#[test]
fn blocks_fold_and_a_deep_network_starts_folded() {
    let mut window = Window::idle("conv-autoencoder");
    window.enter("encoder.1", "{ add = [[\"conv 32 k3 p1\", \"relu\"], []] }");
    assert!(window.has("branch 2: identity"));
    window.click("Fold encoder.1");
    assert!(!window.has("branch 2: identity") && !window.has("encoder.1.0.1"));
    window.harness.state_mut().handle(Action::Add(
        Place::new(Stack::Encoder, 0),
        Node::from_text("bn"),
    ));
    window.run();
    assert!(
        window.has("Unfold encoder.2") && !window.has("encoder.2.0.1"),
        "the fold goes with its block"
    );
    window.click("Unfold all blocks");
    assert!(window.has("encoder.2.0.1"));
    let mut window = Window::idle("xception");
    let rows = window.state().shown.inference.rows.len();
    let shown = |window: &Window| {
        window
            .harness
            .query_all_by_label_contains(" parameters")
            .count()
    };
    assert!(
        rows > 60 && shown(&window) < rows / 2,
        "{rows} rows, {} shown",
        shown(&window)
    );
    window.find("unfold all");
    assert!(shown(&window) >= rows);
}

#[test]
fn a_dropped_dataset_is_recognised_by_its_files() {
    let folder = tempfile::tempdir().unwrap();
    let set = folder.path().join("digits");
    let (pixels, labels) = (vec![7; 30 * 16], vec![1; 30]);
    let write = |name: &str, bytes: Vec<u8>| strata_testkit::files::write(&set, name, &bytes);
    write(
        "train-images-idx3-ubyte",
        strata_testkit::files::idx(&[30, 4, 4], &pixels),
    );
    write(
        "train-labels-idx1-ubyte",
        strata_testkit::files::idx(&[30], &labels),
    );
    let mut window = Window::idle("lenet-mnist");
    let before = window.state().project().data.clone();
    drop_on(&mut window, &set);
    let data = window.state().project().data.clone();
    assert_eq!(data.source.name(), "mnist");
    assert_eq!(
        data.path.as_deref(),
        Some(set.display().to_string().as_str())
    );
    let table = folder.path().join("t.csv");
    std::fs::write(&table, "path,label\n").unwrap();
    drop_on(&mut window, &table);
    assert_eq!(window.state().project().data.source.name(), "csv");
    window.press(Modifiers::COMMAND, Key::Z);
    window.press(Modifiers::COMMAND, Key::Z);
    assert_eq!(window.state().project().data, before);
}
