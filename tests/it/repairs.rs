//! Messages that repair: each has its button, leads to its field, and speaks the window's language.

use crate::kit::window::*;
use crate::kit::words::foreign;
use egui_kittest::kittest::Queryable;
use std::path::Path;
use std::sync::Arc;
use strata::app::action::Action;
use strata::app::arrangement::Workspace;
use strata::app::commands;
use strata::app::state::SideTab;
use strata::app::view_kind::ViewKind;
use strata::gui::views;
use strata::project::data::{DataSpec, Source};
use strata::project::help::Surface;
use strata::project::optimizer::OPTIMIZERS;
use strata::project::reference::{Setting, data, stage};
use strata::project::{Place, Project, Stack};
use strata::shape::layers::WORDS;
use strata::spoken::spoken;
use strata_testkit::networks::nodes;

/// Two classes of photographs of two sizes, as anybody has them.
fn photographs(folder: &Path) {
    for number in 0..16u32 {
        let class = if number % 2 == 0 { "cat" } else { "dog" };
        let (width, height) = if number % 3 == 0 { (50, 66) } else { (66, 50) };
        let path = folder.join(format!("{class}/{number}.png"));
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        let color = |x: u32, y: u32| image::Rgb([(number * 9 + x) as u8, y as u8, 90]);
        image::RgbImage::from_fn(width, height, color)
            .save(path)
            .unwrap();
    }
}

/// A small classifier of 3×32×32 on them.
fn of_photographs() -> Project {
    let mut project = classifier();
    project.network.input = "3x32x32".parse().unwrap();
    project.network.head = nodes(&["flatten", "dense 2"]);
    project.data = DataSpec {
        source: Source::Folder,
        path: Some("photos".into()),
        ..DataSpec::default()
    };
    project
}

/// The first thing that happens to anybody with images of their own.
#[test]
fn images_that_differ_in_size_are_scaled_to_what_the_network_takes_by_one_button() {
    let folder = tempfile::tempdir().unwrap();
    photographs(&folder.path().join("photos"));
    let mut window = open(folder.path(), &of_photographs());
    window.train();
    assert!(window.has("the images differ in size"));
    assert_eq!(
        window.state().view.side_tab,
        SideTab::Data,
        "its tab is open"
    );
    let field = window.get("Resize").rect();
    assert!(field.height() > 0.0, "its field is unfolded");
    assert_eq!(window.state().failed_field().unwrap().name, "resize");
    for dark in [true, false] {
        window.set_dark(dark);
        window.keep_picture(if dark {
            "repairs/scale-dark"
        } else {
            "repairs/scale-light"
        });
    }
    window.click("Scale to 32×32");
    assert_eq!(window.state().project().data.resize, Some([32, 32]));
    assert!(
        !window.has("the images differ in size"),
        "it went with the repair"
    );
    assert_eq!(window.state().failed_field(), None);
    window.train();
    assert!(!window.has("The run failed"), "it trains");
}

/// The views of the images offer the same.
#[test]
fn the_view_of_the_images_offers_the_size_of_the_network_too() {
    let folder = tempfile::tempdir().unwrap();
    photographs(&folder.path().join("photos"));
    let mut window = open(folder.path(), &of_photographs());
    window.show_alone(ViewKind::Data);
    window.run();
    window.wait_for(crate::kit::PATIENCE, "the refusal", |window| {
        window.has("the images differ in size")
    });
    assert_eq!(window.state().failed_field().unwrap().name, "resize");
    window.click("Scale to 32×32");
    assert_eq!(window.state().project().data.resize, Some([32, 32]));
}

/// Where the views begin: right of the architecture.
const ARCHITECTURE: f32 = 396.0;

/// What is missing is downloaded or looked for in the message itself, and its field is marked.
#[test]
fn a_message_about_missing_files_has_download_and_browse_inside() {
    let folder = tempfile::tempdir().unwrap();
    let mut project = builtin("lenet-mnist");
    project.data.path = Some(folder.path().join("nothing").display().to_string());
    let mut window = open(folder.path(), &project);
    window.train();
    let message = window.get("Dismiss message").rect();
    for name in ["Download what is missing", "Browse for the files"] {
        let place = window.get(name).rect();
        assert!(
            place.left() > ARCHITECTURE
                && place.top() >= message.top()
                && place.bottom() < window.get("Stop").rect().top(),
            "{name} at {place:?}, the message at {message:?}"
        );
    }
    assert_eq!(window.state().failed_field().unwrap().name, "path");
    assert_eq!(window.state().view.side_tab, SideTab::Data);
    window.keep_picture("repairs/missing");
    assert!(window.has("none of the 8 names") && !window.has("idx3-ubyte"));
    window.click("Which files?");
    assert!(window.has("train-images-idx3-ubyte.gz"));
    window.keep_picture("repairs/which_files");
    window.click("Which files?");
    assert!(!window.has("idx3-ubyte"));
}

/// Without a portal no dialog opens, and that is said.
#[test]
fn browsing_without_a_portal_says_so() {
    let mut window = Window::with_dialogs(builtin("lenet-mnist"), Arc::new(|_| None));
    window.show_tab(SideTab::Data);
    window.click("Browse for a data folder");
    window.wait_for(crate::kit::PATIENCE, "the word", |window| {
        window.has("No file dialog opened")
    });
}

/// `did you mean conv?` is taken with a click.
#[test]
fn a_misspelt_layer_is_mended_by_a_click_on_the_question() {
    let mut window = Window::idle("lenet-mnist");
    window.enter("encoder.0", "cnov 20 k5");
    assert!(window.has("did you mean conv?") && !window.has("`"));
    window.keep_picture("repairs/misspelt");
    let role = eframe::egui::accesskit::Role::Button;
    window
        .harness
        .get_by_role_and_label(role, "did you mean conv?")
        .click();
    window.run();
    assert_eq!(window.texts(Stack::Encoder)[0], "conv 20 k5");
    assert!(!window.has("did you mean"));
}

/// What an edit can mend has its button at the layer: arguments of other libraries, numbers that are
/// missing.
#[test]
fn a_layer_that_is_nearly_right_is_mended_by_a_click() {
    for (place, written, question, meant) in [
        (
            "encoder.0",
            "Conv2d(1, 20, kernel_size=5, pading=2)",
            "did you mean padding?",
            "conv 20 k5 p2",
        ),
        (
            "encoder.0",
            "nn.Conv2d(1, 20, kernel_sise=5)",
            "did you mean kernel_size?",
            "conv 20 k5",
        ),
        (
            "encoder.0",
            "conv 8 k",
            "for example k3, or one number for each axis, k3x5",
            "conv 8 k3",
        ),
        ("head.1", "dense", "for example dense 64", "dense 64"),
        (
            "encoder.0",
            "conv 20 k99",
            "or use k3, a usual size",
            "conv 20 k3",
        ),
    ] {
        let mut window = Window::idle("lenet-mnist");
        window.enter(place, written);
        let role = eframe::egui::accesskit::Role::Button;
        let button = window.harness.query_by_role_and_label(role, question);
        button.unwrap_or_else(|| panic!("{written}")).click();
        window.run();
        let stack = if place == "head.1" {
            Stack::Head
        } else {
            Stack::Encoder
        };
        assert!(window.texts(stack).contains(&meant.to_owned()), "{written}");
    }
}

/// Every way to mend a layer is a button in its row and in Advice, also where the next layer does not fit then.
#[test]
fn every_repair_of_a_layer_is_a_button() {
    let role = eframe::egui::accesskit::Role::Button;
    for (place, written, ways) in [
        (
            "encoder.2",
            "maxpool 40",
            [
                "use k24 (or smaller)",
                "or use k3, a usual size",
                "or use p8, which pads the input",
            ]
            .as_slice(),
        ),
        ("head.0", "reshape 3x3", &["remove this layer"]),
    ] {
        let mut window = Window::idle("lenet-mnist");
        window.enter(place, written);
        for way in ways {
            let button = window.harness.query_by_role_and_label(role, way);
            assert!(button.is_some(), "{written}: {way}");
        }
        window.show_alone(ViewKind::Advice);
        window.run();
        let fixes = window.harness.query_all_by_label_contains("Fix: ").count();
        assert!(fixes >= ways.len(), "{written}: {fixes} in Advice");
        let first = window.harness.query_by_role_and_label(role, ways[0]);
        first.unwrap_or_else(|| panic!("{written}")).click();
        window.run();
        let network = window.state().network();
        assert!(
            !network
                .encoder
                .iter()
                .chain(&network.head)
                .any(|node| node.text() == written)
        );
        assert!(
            !window.state().shown.problems.is_empty(),
            "what is behind it comes to light"
        );
    }
}

/// A table of settings of something else, with values and without a format.
#[test]
fn a_toml_file_of_something_else_is_told_in_the_words_of_the_window() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("Cargo.toml");
    std::fs::write(&path, "[package]\nname = \"strata\"\n").unwrap();
    let mut window = Window::idle("lenet-mnist");
    window.harness.state_mut().handle(Action::Open(path));
    window.run();
    assert!(window.has("is no project: begin with a project of the start page"));
    assert!(!window.has("format"));
}

/// Every setting that the palette finds opens its tab and takes the keyboard, or opens the view that shows it.
#[test]
fn a_setting_that_is_found_takes_the_keyboard() {
    let mut project = builtin("pretrain-classify");
    project.stages[0].early_stop = "valid loss patience=3".parse().ok();
    let mut window = Window::without_engine(project, SIZE);
    window.run();
    for (key, label) in [
        ("resize", "Resize"),
        ("normalize", "Pixel values"),
        ("seed", "Seed"),
        ("grey", "Grey"),
        ("batch", "Batch"),
        ("loss", "Loss"),
        ("freeze", "Freeze"),
        ("early stop", "Early stop"),
        ("schedule", "Schedule"),
        ("learning rate", "Learning rate"),
        ("weight decay", "Weight decay"),
    ] {
        let Some(command) = found(&window, key) else {
            assert!(label.is_empty(), "{key} is not found");
            continue;
        };
        window.harness.state_mut().handle(command);
        window.run();
        let field = window.get(label);
        assert!(field.is_focused(), "{key}: {label}");
        let height = SIZE.y;
        assert!(
            (60.0..height - 30.0).contains(&field.rect().center().y),
            "{key} is in sight"
        );
    }
}

/// What the palette does for a setting of this name.
fn found(window: &Window, name: &str) -> Option<Action> {
    let all = commands::all(window.state(), &views::catalogue());
    let wanted = format!("Setting: {name}");
    let is_it = |command: &&commands::Command| {
        command.name == wanted || command.name.starts_with(&format!("{wanted} of "))
    };
    all.iter().find(is_it).map(|command| command.action.clone())
}

/// Hover texts are in no frame until the pointer rests: they are read where they are written.
#[test]
fn no_text_of_the_window_is_of_the_file_or_the_command_line() {
    let mut wrong = Vec::new();
    let mut judge = |of: &str, text: &str| {
        if let Some(part) = foreign(text) {
            wrong.push(format!("{of}: {part} in {text}"));
        }
    };
    for info in views::all() {
        for text in [info.title, info.summary, info.about] {
            judge(info.title, text);
        }
    }
    for setting in data::ALL.iter().chain(stage::ALL) {
        let Setting { key, about, .. } = setting;
        judge(key, &spoken(about));
    }
    for setting in OPTIMIZERS.iter().flat_map(|kind| kind.settings) {
        judge(setting.key, setting.about);
    }
    for layer in WORDS {
        judge(layer.word, layer.about);
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    for room in ["src/gui", "src/app"] {
        sources(&root.join(room), &mut |file, text| {
            // What the terminal says where no window opens, and what is taken out of the system's texts.
            let is_file = text.starts_with("format = 1");
            let is_terminal = text.contains("no OpenGL") || text == " (os error " || is_file;
            if !is_terminal {
                judge(file, text);
            }
        });
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// Calls back with every text in the sources of a folder, but those of tests and comments.
fn sources(folder: &Path, tell: &mut impl FnMut(&str, &str)) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if path.is_dir() {
            if name != "tests" {
                sources(&path, tell);
            }
            continue;
        }
        if !name.ends_with(".rs") || name == "tests.rs" {
            continue;
        }
        let text = std::fs::read_to_string(&path).unwrap();
        let code = text.split("#[cfg(test)]").next().unwrap_or_default();
        for line in code.lines().map(str::trim_start) {
            if line.starts_with("//") || line.contains("log::") || line.starts_with("(\"ё\"") {
                continue;
            }
            let between = line.replace("\\\"", "”");
            let texts = between.split('"').skip(1).step_by(2);
            texts.for_each(|text| tell(&name, text));
        }
    }
}

/// Problems and hints of broken networks and settings, as every view shows them.
#[test]
fn problems_are_said_in_the_words_of_the_window() {
    let broken: [(&str, &[&str], &[&str]); 5] = [
        ("3x32x32", &["cnov 8"], &["convt 3 k4 s2 p1"]),
        (
            "3x32x32",
            &["conv 8 k3 s2 p1", "relu"],
            &["convt 3 k3 s2 p1"],
        ),
        ("3x4x4", &["conv 8 k9"], &["convt 3 k9"]),
        ("3x32x32", &["flatten", "conv 8"], &["dense 10"]),
        ("1x31x31", &["conv 2 k3 g3"], &["Conv2d(8, 3)"]),
    ];
    for (input, encoder, decoder) in broken {
        let mut project = builtin("pretrain-classify");
        project.network.input = input.parse().unwrap();
        (project.network.encoder, project.network.decoder) = (nodes(encoder), nodes(decoder));
        project.data.range = Some([0.0, 1.0]);
        project.stages[0].freeze = vec!["encoder.9".into()];
        let mut window = Window::without_engine(project, SIZE);
        for workspace in [Workspace::Design, Workspace::Training, Workspace::Data] {
            window.show_workspace(workspace);
        }
        for kind in [
            ViewKind::Advice,
            ViewKind::Solve,
            ViewKind::Lens,
            ViewKind::Cost,
        ] {
            window.show_alone(kind);
            window.run();
        }
        let problems = window.state().shown.problems.clone();
        assert!(!problems.is_empty(), "{input}");
        for problem in &problems {
            for help in &problem.help {
                let text = spoken(&help.text(Surface::Window)).replace('`', "");
                assert_eq!(foreign(&text), None, "{text}");
            }
        }
        let place = Place::new(Stack::Encoder, 0);
        window
            .harness
            .state_mut()
            .handle(Action::Select(Some(place)));
        window.show_tab(SideTab::Layer);
        window.show_tab(SideTab::Stages);
    }
}
