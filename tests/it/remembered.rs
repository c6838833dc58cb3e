//! What a window leaves behind for the next one, and files of it that are damaged.

use crate::kit::window::*;
use eframe::egui::{Key, Modifiers, Rect, ViewportId, pos2, vec2};
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;
use strata::app::action::{Action, Show};
use strata::app::arrangement::Workspace;
use strata::app::arrangements::Arrangements;
use strata::app::kernels::{KernelSettings, Subject};
use strata::app::lens::LensMode;
use strata::app::persistence::REST;
use strata::app::recent::Kind;
use strata::app::recovery;
use strata::app::remembered::Remembered;
use strata::app::state::{Closing, CostColumn, SideTab, State, Switch, ViewSettings};
use strata::app::view_kind::ViewKind;
use strata::inspect::gallery::{self, Part};
use strata::inspect::kernel::Kernel;
use strata::inspect::picture::FilterScale;
use strata::inspect::saliency::{self, Question};
use strata::project::data::Split;
use strata::project::file;

const NAMES: [&str; 3] = ["views.json", "recent.json", "window.json"];

fn read(config: &Path) -> Remembered {
    let text = fs::read_to_string(config.join("window.json")).unwrap();
    Remembered::from_text(&text).unwrap()
}

fn handle(window: &mut Window, action: Action) {
    window.harness.state_mut().handle(action);
    window.run();
}

/// Runs frames until settings have rested long enough to be written, and gives the disk its time.
fn rest(window: &mut Window) {
    window.harness.step();
    std::thread::sleep(REST);
    window.harness.step();
    std::thread::sleep(Duration::from_millis(300));
}

fn close(window: &mut Window) {
    handle(window, Action::Close);
    assert_eq!(window.state().closing, Closing::Now);
}

#[test]
fn what_was_set_by_hand_comes_back() {
    let folder = tempfile::tempdir().unwrap();
    let mut window = Window::kept("conv-autoencoder", folder.path());
    window.run();
    let dark = |window: &Window| window.harness.ctx.global_style().visuals.dark_mode;
    assert!(dark(&window));
    window.find("light theme");
    window.drag(pos2(396.0, 400.0), pos2(460.0, 400.0));
    window.drag(pos2(1280.0 - 264.0, 400.0), pos2(980.0, 400.0));
    window.click("Pixels of the data");
    window.click("Stage 1: reconstruct");
    window.find("linear loss");
    window.find("plot against epochs");
    window.click("Options of filters");
    window.click("Filter scale");
    window.click("per layer");
    window.find("workspace: design");
    window.click("Show the layer as a sparse matrix");
    window.click("Transposed matrix");
    let before = window.state().view.clone();
    drop(window);

    let mut window = Window::kept("conv-autoencoder", folder.path());
    window.run();
    let view = window.state().view.clone();
    assert_eq!(view, before);
    assert!(!dark(&window));
    let is_near = |width: Option<f32>, wanted: f32| (width.unwrap() - wanted).abs() < 2.0;
    assert!(is_near(view.architecture_width, 460.0), "{view:?}");
    assert!(is_near(view.settings_width, 300.0), "{view:?}");
    window.show_tab(SideTab::Data);
    let group = window.get("Splits of the data").rect();
    assert!(group.left() >= 980.0, "the settings are as wide: {group}");
    assert!(window.has("Grey"), "the pixels are unfolded");
    assert!(!window.has("Stage name"), "the stage is folded");
    assert_eq!(
        (view.log_loss, view.by_epoch, view.filter_scale),
        (false, true, FilterScale::PerLayer)
    );
    assert_eq!(view.workspace, Workspace::Design);
    assert!(window.has("Transposed matrix"), "the lens shows the matrix");
    assert_eq!(
        (view.lens.mode, view.lens.transposed),
        (LensMode::Matrix, true)
    );
    window.press(Modifiers::COMMAND, Key::B);
    drop(window);
    let window = Window::kept("conv-autoencoder", folder.path());
    assert!(!window.state().shows_settings());
}

#[test]
fn the_switches_of_the_views_come_back() {
    let folder = tempfile::tempdir().unwrap();
    let mut window = Window::kept("unet", folder.path());
    let all = gallery::Request {
        split: Some(Split::Test),
        part: Part::Block {
            class: Some(3),
            block: 7,
        },
    };
    let kernel = Kernel::new("own", [1, 2], vec![-3.0, 0.5], 2.0).unwrap();
    let kernels = KernelSettings {
        noise: 0.75,
        index: 5,
        ..KernelSettings::default()
            .with_subject(Subject::Curve)
            .with_own(kernel)
    };
    for show in [
        Show::Images(all),
        Show::Switch(Switch::StatisticsSplit(Split::Valid)),
        Show::Switch(Switch::EffectiveField(false)),
        Show::Switch(Switch::CostColumn(CostColumn::Time)),
        Show::Switch(Switch::SizesAxis(1)),
        Show::Kernels(Box::new(kernels.clone())),
    ] {
        handle(&mut window, Action::Show(show));
    }
    drop(window);
    let window = Window::kept("unet", folder.path());
    let state = window.state();
    let first = gallery::Request {
        split: Some(Split::Test),
        part: Part::Block {
            class: None,
            block: 0,
        },
    };
    assert_eq!(
        state.inspections.gallery, first,
        "all images, from the first one"
    );
    assert_eq!(state.view.statistics_split, Some(Split::Valid));
    assert!(!state.view.effective_field);
    assert_eq!(state.view.cost_column, CostColumn::Time);
    assert_eq!(state.view.sizes_axis, 1);
    assert_eq!(state.inspections.kernels, kernels);
}

/// A project given on the command line is opened after the settings were read.
#[test]
fn opening_a_project_keeps_what_holds_for_any_project() {
    let folder = tempfile::tempdir().unwrap();
    let mut both = builtin("conv-autoencoder");
    let mut second = both.stages[0].clone();
    second.name = "second".into();
    both.stages.push(second);
    let path = folder.path().join("both.toml");
    file::save(&both, &path).unwrap();
    let config = folder.path().join("config");
    let mut window = Window::kept("lenet-mnist", &config);
    handle(&mut window, Action::Open(path.clone()));
    let all = gallery::Request {
        part: Part::Block {
            class: None,
            block: 3,
        },
        ..gallery::Request::default()
    };
    handle(&mut window, Action::Show(Show::Images(all)));
    handle(&mut window, Action::Show(Show::Stage(Some(1))));
    drop(window);

    let mut window = Window::kept("lenet-mnist", &config);
    handle(&mut window, Action::Open(path));
    assert!(matches!(
        window.state().inspections.gallery.part,
        Part::Block { block: 0, .. }
    ));
    assert_eq!(window.state().view.stage, Some(1));
    handle(&mut window, Action::Builtin("keras-cifar"));
    assert_eq!(window.state().view.stage, Some(0), "it has one stage");
}

#[test]
fn a_class_is_chosen_for_one_project_only() {
    let folder = tempfile::tempdir().unwrap();
    let mut window = Window::kept("lenet-mnist", folder.path());
    let class = saliency::Request {
        question: Some(Question::Class(3)),
        image: None,
        ..Default::default()
    };
    handle(&mut window, Action::Show(Show::Saliency(class)));
    drop(window);
    let window = Window::kept("lenet-mnist", folder.path());
    assert_eq!(window.state().inspections.saliency.question, None);
}

#[test]
fn the_place_of_the_window_is_written_and_survives_being_maximized() {
    let folder = tempfile::tempdir().unwrap();
    let mut window = Window::kept("conv-autoencoder", folder.path());
    let set = |window: &mut Window, change: &dyn Fn(&mut eframe::egui::ViewportInfo)| {
        let viewports = &mut window.harness.input_mut().viewports;
        change(viewports.get_mut(&ViewportId::ROOT).unwrap());
        window.harness.step();
    };
    set(&mut window, &|info| {
        info.outer_rect = Some(Rect::from_min_size(pos2(70.0, 50.0), vec2(1280.0, 750.0)));
        info.maximized = Some(false);
    });
    rest(&mut window);
    let normal = read(folder.path()).window;
    assert_eq!(normal.position, Some([70.0, 50.0]));
    assert_eq!((normal.size, normal.maximized), ([1280.0, 720.0], false));
    // The size comes before the word that it is maximized.
    window.harness.set_size(vec2(1920.0, 1050.0));
    set(&mut window, &|info| {
        info.outer_rect = Some(Rect::from_min_size(pos2(0.0, 0.0), vec2(1920.0, 1080.0)));
    });
    set(&mut window, &|info| info.maximized = Some(true));
    close(&mut window);
    drop(window);
    let maximized = read(folder.path()).window;
    assert!(maximized.maximized);
    assert_eq!(
        (maximized.size, maximized.position),
        (normal.size, normal.position)
    );
}

#[test]
fn nothing_is_written_before_it_has_rested_nor_while_something_is_dragged() {
    let folder = tempfile::tempdir().unwrap();
    let mut window = Window::kept("conv-autoencoder", folder.path());
    rest(&mut window);
    let file = folder.path().join("window.json");
    let usual = fs::read_to_string(&file).ok();
    let is_new = || fs::read_to_string(&file).ok() != usual;
    let edge = pos2(396.0, 400.0);
    window.harness.hover_at(edge);
    window.harness.step();
    window.harness.drag_at(edge);
    window.harness.step();
    window.harness.hover_at(edge + vec2(60.0, 0.0));
    rest(&mut window);
    rest(&mut window);
    assert!(window.state().view.architecture_width.is_some());
    assert!(!is_new(), "it is being dragged");
    window.harness.drop_at(edge + vec2(60.0, 0.0));
    window.harness.step();
    std::thread::sleep(Duration::from_millis(200));
    assert!(!is_new(), "it has not rested");
    rest(&mut window);
    assert!(is_new());
    let width = read(folder.path()).view.architecture_width.unwrap();
    assert!((width - 456.0).abs() < 2.0, "{width}");
}

#[test]
fn of_two_windows_the_last_one_closed_comes_back() {
    let folder = tempfile::tempdir().unwrap();
    let mut first = Window::kept("conv-autoencoder", folder.path());
    first.click("Close Filters view");
    rest(&mut first);
    let mut second = Window::kept("conv-autoencoder", folder.path());
    second.find("light theme");
    second.click("Close Loss view");
    close(&mut second);
    drop(second);
    assert_eq!(read(folder.path()).view.dark, Some(false));
    close(&mut first);
    drop(first);
    let window = Window::kept("conv-autoencoder", folder.path());
    assert_eq!(window.state().view.dark, None);
    assert!(window.state().arrangement().is_open(ViewKind::Loss));
    assert!(!window.state().arrangement().is_open(ViewKind::Filters));
}

#[test]
fn absurd_settings_leave_a_window_that_can_be_used() {
    let folder = tempfile::tempdir().unwrap();
    let text = "{\"view\": {\"architecture_width\": 90000, \"settings_width\": -7, \"stage\": 999, \
        \"sizes_axis\": 77, \"open_groups\": [\"Nothing\"]}}";
    fs::write(folder.path().join("window.json"), text).unwrap();
    let mut window = Window::kept("conv-autoencoder", folder.path());
    window.run();
    assert_eq!(window.state().messages.lasting().count(), 0);
    let screen = Rect::from_min_size(pos2(0.0, 0.0), vec2(1280.0, 720.0));
    window.show_tab(SideTab::Data);
    for label in ["encoder.0", "Pixels of the data", "Loss view"] {
        assert!(screen.contains_rect(window.get(label).rect()), "{label}");
    }
    window.find("workspace: design");
    window.enter("encoder.0", "conv 8 k8 s4 p2");
    assert_eq!(
        window.state().network().encoder[0].text(),
        "conv 8 k8 s4 p2"
    );
}

#[test]
fn one_command_takes_everything_back() {
    let folder = tempfile::tempdir().unwrap();
    let mut window = Window::kept("conv-autoencoder", folder.path());
    window.run();
    let usual = window.get("Add view beside Loss").rect();
    window.find("light theme");
    window.drag(pos2(396.0, 400.0), pos2(460.0, 400.0));
    window.click("Pixels of the data");
    window.click("Close Filters view");
    window.find("linear loss");
    assert_ne!(window.get("Add view beside Loss").rect(), usual);
    window.find("reset window layout");
    let view = window.state().view.clone();
    let expected = ViewSettings {
        looks_dark: view.looks_dark,
        resets: 1,
        ..ViewSettings::default()
    };
    assert_eq!(view, expected);
    assert_eq!(window.state().arrangements, Arrangements::default());
    assert_eq!(window.get("Add view beside Loss").rect(), usual);
    drop(window);
    let window = Window::kept("conv-autoencoder", folder.path());
    assert_eq!(window.state().view.architecture_width, None);
}

/// What a window leaves behind: another theme, a closed view, something opened lately, unsaved edits.
fn left_behind(config: &Path) {
    let project = config.parent().unwrap().join("p.toml");
    file::save(&builtin("lenet-mnist"), &project).unwrap();
    let mut window = Window::kept("conv-autoencoder", config);
    window.find("light theme");
    handle(&mut window, Action::Open(project));
    window.click("Close Filters view");
    window.enter("encoder.0", "conv 7 k5");
    window.harness.step();
    std::thread::sleep(recovery::REST);
    window.harness.step();
    drop(window);
    assert!(NAMES.iter().all(|name| config.join(name).is_file()));
}

/// A file is damaged in one way.
type Damage = (&'static str, fn(&Path));

const DAMAGES: [Damage; 7] = [
    ("cut off", |file| {
        let text = fs::read(file).unwrap();
        fs::write(file, &text[..text.len() / 2]).unwrap();
    }),
    ("empty", |file| fs::write(file, "").unwrap()),
    ("binary", |file| {
        fs::write(file, [0xff, 0, 0x80, 7]).unwrap()
    }),
    ("wrong types", |file| {
        let text = "{\"view\": 1, \"design\": true, \"training\": \"x\"}";
        fs::write(file, text).unwrap();
    }),
    ("another JSON", |file| fs::write(file, "[1, 2, 3]").unwrap()),
    ("a folder", |file| {
        fs::remove_file(file).unwrap();
        fs::create_dir(file).unwrap();
        fs::write(file.join("inside"), "kept").unwrap();
    }),
    ("unreadable", |file| {
        // Whoever may read everything finds half a file.
        fs::write(file, "{\"design\": ").unwrap();
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            fs::set_permissions(file, fs::Permissions::from_mode(0o000)).unwrap();
        }
    }),
];

fn content(file: &Path) -> Vec<u8> {
    if file.is_dir() {
        return fs::read(file.join("inside")).unwrap();
    }
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        fs::set_permissions(file, fs::Permissions::from_mode(0o600)).unwrap();
    }
    fs::read(file).unwrap()
}

fn copied(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let target = to.join(path.file_name().unwrap());
        if path.is_dir() {
            copied(&path, &target);
        } else {
            fs::copy(&path, &target).unwrap();
        }
    }
}

/// Which of the files were taken: views, what was opened lately, the window's settings, unsaved edits.
fn taken(state: &State) -> [bool; 4] {
    [
        !state.arrangement().is_open(ViewKind::Filters),
        state
            .recents
            .entries()
            .iter()
            .any(|entry| entry.kind == Kind::Project && entry.title == "LeNet for MNIST"),
        state.view.dark == Some(false),
        state.unsaved.len() == 1,
    ]
}

fn aside(config: &Path, name: &str) -> PathBuf {
    config.join(format!("{name}.broken-1"))
}

#[test]
fn a_damaged_file_is_set_aside_and_costs_the_others_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let good = folder.path().join("good");
    left_behind(&good);
    for (number, name) in NAMES.into_iter().enumerate() {
        for (what, damage) in DAMAGES {
            let config = folder.path().join(format!("{name} {what}"));
            copied(&good, &config);
            let file = config.join(name);
            damage(&file);
            // Whether it can be read now or not, its bytes are known.
            let before = match what {
                "unreadable" => b"{\"design\": ".to_vec(),
                _ => content(&file),
            };
            let mut window = Window::kept("lenet-mnist", &config);
            window.run();
            let mut expected = [true; 4];
            expected[number] = false;
            assert_eq!(taken(window.state()), expected, "{name}: {what}");
            let messages: Vec<_> = window.state().messages.lasting().collect();
            assert_eq!(messages.len(), 1, "{name}: {what}: {messages:?}");
            let now = aside(&config, name);
            let text = &messages[0].text;
            assert!(
                text.contains(&file.display().to_string())
                    && text.contains(&now.display().to_string()),
                "{text}"
            );
            assert!(
                window.has(&now.display().to_string()),
                "it is on the screen"
            );
            assert_eq!(content(&now), before, "{name}: {what}");
            close_and_discard(&mut window);
            drop(window);
            let window = Window::kept("lenet-mnist", &config);
            assert_eq!(
                window.state().messages.lasting().count(),
                0,
                "{name}: {what}: it is said once"
            );
            assert_eq!(content(&now), before, "{name}: {what}");
        }
    }
}

fn close_and_discard(window: &mut Window) {
    handle(window, Action::Close);
    if window.state().closing != Closing::Now {
        window.click("Discard changes");
    }
    assert_eq!(window.state().closing, Closing::Now);
}

#[test]
fn all_damaged_files_are_named_in_one_message() {
    let folder = tempfile::tempdir().unwrap();
    for name in NAMES {
        fs::write(folder.path().join(name), name).unwrap();
    }
    let mut window = Window::kept("conv-autoencoder", folder.path());
    window.run();
    let messages: Vec<_> = window.state().messages.lasting().collect();
    assert_eq!(messages.len(), 1, "{messages:?}");
    for name in NAMES {
        let now = aside(folder.path(), name);
        assert_eq!(fs::read_to_string(&now).unwrap(), name);
        assert!(messages[0].text.contains(&now.display().to_string()));
    }
    window.click("Dismiss message");
    window.enter("encoder.0", "conv 8 k8 s4 p2");
    window.find("light theme");
    drop(window);
    assert_eq!(read(folder.path()).view.dark, Some(false));
}

/// Panels have their usual widths in every window: one that becomes smaller gives them no width as if by hand.
#[test]
fn a_window_that_becomes_smaller_has_the_usual_widths_of_its_size() {
    let mut window = Window::without_engine(builtin("lenet-mnist"), vec2(1920.0, 1080.0));
    window.run();
    for size in [vec2(1100.0, 700.0), SIZE, vec2(1700.0, 900.0), SIZE] {
        window.harness.set_size(size);
        window.run();
        let view = &window.state().view;
        let kept = (view.architecture_width, view.settings_width);
        assert_eq!(kept, (None, None), "{size:?}");
    }
    let field = window.get("Epochs").rect();
    assert!(field.left() > SIZE.x - 264.0, "{field:?}");
}
