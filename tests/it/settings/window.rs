//! Settings in the window: what is red is not trained, what is mended is not complained about, what is shown is of the
//! project that is shown.

use crate::kit::runs;
use crate::kit::window::*;
use eframe::egui::{Key, Modifiers, vec2};
use strata::app::action::{Action, Show};
use strata::app::state::{SideTab, Switch};
use strata::engine::event::{Event, Failure, Outcome};
use strata::project::data::{DataSpec, Source, Split};
use strata::project::edit::Edit;

const SIZE: eframe::egui::Vec2 = vec2(1440.0, 900.0);

#[test]
fn nothing_is_trained_while_a_field_is_red() {
    let (engine, start) = fake_engine();
    let mut window = Window::new(builtin("conv-autoencoder"), SIZE, start);
    window.enter("Epochs", "abc");
    assert!(window.has("Cannot train yet: Epochs: write a whole number from 1"));
    window.harness.state_mut().handle(Action::Train);
    window.run();
    assert!(!window.state().training.is_running());
    assert!(window.has("Esc in the field takes its former text back"));
    let lasting = |window: &Window| window.state().messages.lasting().count();
    assert_eq!(lasting(&window), 1);
    // A card that is closed hides the field and mends nothing.
    window
        .harness
        .state_mut()
        .handle(Action::Show(Show::Stage(None)));
    window.run();
    window.harness.state_mut().handle(Action::Train);
    assert!(!window.state().training.is_running());
    window
        .harness
        .state_mut()
        .handle(Action::Show(Show::Stage(Some(0))));
    window.run();
    window.enter("Epochs", "3");
    assert_eq!(lasting(&window), 0, "mended, the message goes");
    window.click("Train");
    assert!(window.state().training.is_running());
    assert_eq!(engine.with(|run| run.project.stages[0].epochs), 3);
}

#[test]
fn a_red_text_is_taken_back_with_escape() {
    let (_, start) = fake_engine();
    let mut window = Window::new(builtin("conv-autoencoder"), SIZE, start);
    for (field, text) in [
        ("Batch", "0"),
        ("Optimizer", "adam lr=fast"),
        ("Seed", "x"),
        ("Input shape", "3x0x3"),
    ] {
        window.type_over(field, text);
        window.run();
        window.harness.state_mut().handle(Action::Train);
        assert!(!window.state().training.is_running(), "{field}");
        let hindrance = window.state().hindrance().unwrap();
        assert!(hindrance.starts_with(&format!("{field}: ")), "{hindrance}");
        window.press(Modifiers::NONE, Key::Escape);
        window.run();
        assert_eq!(window.state().hindrance(), None, "{field}");
    }
}

/// A field that is gone with its stage or its source keeps nothing from being trained.
#[test]
fn red_fields_that_are_gone_are_forgotten() {
    let (_, start) = fake_engine();
    let mut window = Window::new(builtin("pretrain-classify"), SIZE, start);
    window
        .harness
        .state_mut()
        .handle(Action::Show(Show::Stage(Some(2))));
    window.run();
    window.enter("Epochs", "abc");
    assert!(window.state().hindrance().is_some());
    window
        .harness
        .state_mut()
        .handle(Action::Edit(Edit::RemoveStage(2)));
    window.run();
    assert_eq!(window.state().hindrance(), None);
}

#[test]
fn numbers_of_another_source_are_not_shown() {
    let (engine, start) = fake_engine();
    let mut window = Window::new(builtin("conv-autoencoder"), SIZE, start);
    window.show_tab(SideTab::Data);
    window.click("Train");
    engine.tell(Event::Started {
        run: "run".into(),
        device: "cpu".into(),
        splits: vec![(Split::Train, 8123)],
        classes: Vec::new(),
        skipped: Vec::new(),
    });
    window.run();
    assert!(window.has("8,123 train"));
    let data = DataSpec {
        source: Source::Stl10,
        path: Some("/none".into()),
        ..window.state().project().data.clone()
    };
    window
        .harness
        .state_mut()
        .handle(Action::Edit(Edit::Data(data)));
    window.run();
    assert!(!window.has("8,123 train"));
    window.harness.state_mut().handle(Action::Undo);
    window.run();
    assert!(window.has("8,123 train"));
}

#[test]
fn what_failed_is_not_shown_once_it_is_mended() {
    let (engine, start) = fake_engine();
    let mut window = Window::new(builtin("conv-autoencoder"), SIZE, start);
    window.click("Train");
    let failure = Failure {
        message: "/none: cannot be read".into(),
        in_window: "/none: cannot be read".into(),
        wrong_input: true,
        stage: None,
        repairs: Vec::new(),
        of_gpu: false,
        run: None,
    };
    engine.tell(Event::Finished(Outcome::Failed(failure)));
    window.run();
    assert!(window.has("The run failed: /none"));
    window.enter("Epochs", "7");
    assert!(!window.has("/none") && window.has("Ready to train"));
}

#[test]
fn an_early_stop_has_its_field() {
    let mut window = Window::idle("conv-autoencoder");
    window.enter("Early stop", "patience=many");
    assert!(window.has("patience is a whole number of epochs"));
    assert!(window.has("such as valid loss patience=5") && !window.has("early_stop"));
    window.enter("Early stop", "train loss patience=2");
    let early = window.state().project().stages[0]
        .early_stop
        .clone()
        .unwrap();
    assert_eq!((early.metric.as_str(), early.patience), ("train loss", 2));
    window.type_over("Early stop", "x");
    window.press(Modifiers::NONE, Key::Backspace);
    window.press(Modifiers::NONE, Key::Enter);
    assert_eq!(window.state().project().stages[0].early_stop, None);
}

/// The field and its menu say the same, and what is wrong is said beside the field.
#[test]
fn layer_by_layer_training_has_its_field() {
    let mut window = Window::idle("pretrain-classify");
    window
        .harness
        .state_mut()
        .handle(Action::Show(Show::Stage(Some(2))));
    window.run();
    let set = |window: &Window| {
        let stage = &window.state().project().stages[2];
        stage.unfreeze.map(|unfreeze| unfreeze.to_string())
    };
    assert_eq!(set(&window), None);
    window.enter("Unfreeze", "body");
    assert!(window.has("is no stack") && set(&window).is_none());
    window.enter("Unfreeze", "encoder layers=1 every=2");
    assert_eq!(set(&window).as_deref(), Some("encoder layers=1 every=2"));
    window.click("Choose what is trained layer by layer");
    window.run();
    window.click("encoder layers=2 every=1");
    window.run();
    assert_eq!(set(&window).as_deref(), Some("encoder layers=2 every=1"));
    window.click("Choose what is trained layer by layer");
    window.run();
    window.click("off");
    window.run();
    assert_eq!(set(&window), None);
    window.press(Modifiers::COMMAND, Key::Z);
    window.run();
    assert_eq!(set(&window).as_deref(), Some("encoder layers=2 every=1"));
}

#[test]
fn another_source_takes_away_what_it_has_no_use_for() {
    let mut window = Window::idle("conv-autoencoder");
    let data = DataSpec {
        source: Source::Stl10,
        path: Some("/none".into()),
        source_fold: Some(3),
        ..DataSpec::default()
    };
    window
        .harness
        .state_mut()
        .handle(Action::Edit(Edit::Data(data)));
    window.run();
    window.click("Data source");
    for part in [
        "mnist, download 11.6 MB",
        "stl10, download 2.6 GB",
        "csv, your files",
    ] {
        assert!(window.has(part), "{part}");
    }
    window.keep_picture("settings/sources");
    window.click("shapes, built in");
    let data = &window.state().project().data;
    assert_eq!(
        (data.source, data.source_fold, data.path.as_deref()),
        (Source::Shapes, None, None)
    );
    assert_eq!(data.idle(), []);
}

#[test]
fn a_report_is_written_from_the_window() {
    let folder = tempfile::tempdir().unwrap();
    let mut window = open(folder.path(), &runs::tiny(&[]));
    window.harness.state_mut().handle(Action::Report);
    window.run();
    assert!(window.has("There is no run to report yet"));
    window.train();
    let run = window.state().training.run.clone().unwrap();
    window.click("Report");
    window.wait_for(crate::kit::PATIENCE, "report", |window| {
        window.has("Report saved to")
    });
    let page = std::fs::read_to_string(run.join("report.html")).unwrap();
    assert!(page.contains("<svg") && page.contains("data:image/png"));
    window.press(Modifiers::COMMAND, Key::K);
    window.type_over("Find anything by name", "report");
    assert!(window.has("Write report"));
}

#[test]
fn a_network_is_exported_from_the_window() {
    let folder = tempfile::tempdir().unwrap();
    let mut window = open(folder.path(), &runs::tiny(&[]));
    window.train();
    let run = window.state().training.run.clone().unwrap();
    for (word, name, file, told) in [
        (
            "state_dict",
            "Export for PyTorch",
            "model.py",
            "The network for PyTorch saved to",
        ),
        (
            "netron",
            "Export as ONNX",
            "model.onnx",
            "The network as ONNX saved to",
        ),
    ] {
        window.press(Modifiers::COMMAND, Key::K);
        window.type_over("Find anything by name", word);
        assert!(window.has(name));
        window.press(Modifiers::NONE, Key::Enter);
        window.wait_for(crate::kit::PATIENCE, "export", |window| window.has(told));
        assert!(run.join("export").join(file).is_file());
    }
}

/// The keys of `[data]` with what their fields are called, and a project of the source that has them.
const FIELDS: [(&str, &str, &str); 28] = [
    ("source", "Data source", "folder"),
    ("path", "Data path", "folder"),
    ("label", "Label rule", "folder"),
    ("class_level", "Class level", "folder"),
    ("pixel", "Black and white", "folder"),
    ("shape", "Shape of an image", "npy"),
    ("transpose", "Transpose", "npy"),
    ("resize", "Resize", "folder"),
    ("filter", "Resize filter", "folder"),
    ("fit", "Resize fit", "folder"),
    ("grey", "Grey", "folder"),
    ("patch", "Patches", "folder"),
    ("patches_per_image", "Patches per image", "folder"),
    ("length", "Signal length", "wav"),
    ("rate", "Sample rate", "wav"),
    ("spectrogram", "Spectrogram", "wav"),
    ("range", "Pixel range", "folder"),
    ("normalize", "Pixel values", "folder"),
    ("center", "Centre each image", "folder"),
    ("whiten", "Whitening", "folder"),
    ("valid", "Valid share", "folder"),
    ("test", "Test share", "folder"),
    ("fold", "Fold", "folder"),
    ("source_fold", "Source fold", "stl10"),
    ("labels", "Labels", "cifar100"),
    ("per_class", "Images per class", "folder"),
    ("weights", "Balanced drawing", "folder"),
    ("limit", "Image limit", "folder"),
];
/// Keys without a field among the settings, and why.
const ELSEWHERE: [(&str, &str); 2] = [
    (
        "augment",
        "edited in the view Augmentation, with its pictures",
    ),
    ("use_augment", "switched in the view Augmentation"),
];

#[test]
fn every_key_of_the_data_has_a_field_or_a_reason() {
    let of_key = |key: &str| FIELDS.iter().find(|(known, ..)| *known == key);
    for setting in strata::project::reference::data::ALL {
        let is_elsewhere = ELSEWHERE.iter().any(|(key, _)| *key == setting.key);
        assert_ne!(
            of_key(setting.key).is_some(),
            is_elsewhere,
            "{} needs a field in gui/panels/settings/data, or a reason here",
            setting.key
        );
    }
    for source in ["folder", "npy", "wav", "stl10", "cifar100"] {
        let mut window = Window::without_engine(builtin("conv-autoencoder"), vec2(1440.0, 2400.0));
        let data = DataSpec {
            source: Source::ALL
                .into_iter()
                .find(|one| one.name() == source)
                .unwrap(),
            path: Some("/none".into()),
            resize: Some([32, 32]),
            patches: Some([8, 8]),
            ..DataSpec::default()
        };
        let mut actions = vec![Action::Edit(Edit::Data(data))];
        let groups = ["Files", "Pixels", "Signals", "Splits"];
        actions.extend(groups.map(|title| Action::Show(Show::Switch(Switch::Group(title, true)))));
        for action in actions {
            window.harness.state_mut().handle(action);
        }
        window.run();
        for (key, field, of) in FIELDS {
            if of == source {
                assert!(window.has(field), "{key} has no field {field} for {source}");
            }
        }
    }
}
