//! A network begins with the weights of another run or of a file: what fits is taken, what does not begins anew and is
//! told.

use crate::kit::runs::{completed, options, tiny, train};
use crate::kit::terminal::{code, err, out, strata};
use crate::kit::window::{builtin, open};
use eframe::egui::{Key, Modifiers};
use std::path::Path;
use strata::app::action::Action;
use strata::app::run_monitor::Phase;
use strata::app::state::SideTab;
use strata::engine::event::Event;
use strata::engine::storage::checkpoint;
use strata::engine::storage::matched_weights::MatchTable;
use strata::engine::storage::record::RunRecord;
use strata::engine::thread::RunOptions;
use strata::project::{Project, file};

/// TINY in this folder, with an init.
fn with(folder: &Path, init: &str, changes: &[(&str, &str)]) -> (Project, RunOptions) {
    let seed = format!("seed = 6\ninit = \"{init}\"");
    let changes = [&[("seed = 5", seed.as_str())], changes].concat();
    let options = RunOptions {
        base: folder.to_owned(),
        ..options(&folder.join("new"))
    };
    (tiny(&changes), options)
}

/// A tensor of a run before its first step and of another after its last.
fn tensor(file: &Path, key: &str) -> Vec<f32> {
    let weights = checkpoint::load(file).unwrap().weights;
    weights[key].flatten_all().unwrap().to_vec1().unwrap()
}

fn first(run: &Path, key: &str) -> Vec<f32> {
    tensor(&run.join("snapshots/step-0.safetensors"), key)
}

fn last(run: &Path, key: &str) -> Vec<f32> {
    tensor(&run.join("checkpoints/last.safetensors"), key)
}

#[test]
fn an_encoder_of_another_run_is_taken_and_all_else_begins_anew() {
    let folder = tempfile::tempdir().unwrap();
    let old = folder.path().join("old");
    completed(train(&tiny(&[]), &options(&old)).0);
    let (project, new) = with(folder.path(), "old encoder", &[]);
    let (outcome, events) = train(&project, &new);
    completed(outcome);
    let new = folder.path().join("new");
    for key in ["encoder.0.weight", "encoder.1.running_mean"] {
        assert_eq!(first(&new, key), last(&old, key), "{key}");
    }
    assert_ne!(first(&new, "head.2.weight"), last(&old, "head.2.weight"));
    let told = events.iter().find_map(|event| match event {
        Event::FirstWeights(told) => Some(told.clone()),
        _ => None,
    });
    let told = told.unwrap();
    assert!(
        told.table.missing.is_empty() && told.table.taken.len() >= 6,
        "{told:?}"
    );
    let table = std::fs::read_to_string(new.join("init.csv")).unwrap();
    assert!(
        table.contains("encoder.0.weight,encoder.0.weight,by name\n"),
        "{table}"
    );
    // The copy of the project finds them from anywhere.
    let kept = file::load(&new.join("project.toml")).unwrap().init.unwrap();
    assert_eq!(Path::new(&kept.from), std::path::absolute(&old).unwrap());
    let replayed = strata(folder.path(), &["replay", "new"]);
    assert_eq!(code(&replayed), 0, "{} {}", out(&replayed), err(&replayed));
    assert!(
        err(&replayed).contains("its first weights were taken from"),
        "{}",
        err(&replayed)
    );
}

#[test]
fn layers_that_were_taken_over_learn_at_a_rate_of_their_own() {
    let folder = tempfile::tempdir().unwrap();
    let old = folder.path().join("old");
    completed(train(&tiny(&[]), &options(&old)).0);
    // So slowly that no weight moves by a bit.
    let slow = "loss = \"mse\"\nrate_factors = \"pretrained=1e-9\"";
    let changes = [("loss = \"mse\"", slow), ("lr=3e-3", "lr=1e-4")];
    let (project, new) = with(folder.path(), "old encoder", &changes);
    completed(train(&project, &new).0);
    let new = folder.path().join("new");
    let after = |key: &str| tensor(&new.join("checkpoints/stage-1.safetensors"), key);
    assert_eq!(first(&new, "encoder.0.weight"), after("encoder.0.weight"));
    assert_ne!(first(&new, "decoder.0.weight"), after("decoder.0.weight"));
}

#[test]
fn a_head_for_other_classes_begins_anew_with_the_reason() {
    let folder = tempfile::tempdir().unwrap();
    completed(train(&tiny(&[]), &options(&folder.path().join("old"))).0);
    let changes = [("dense 10", "dense 12")];
    let (project, options) = with(folder.path(), "old", &changes);
    let (outcome, events) = train(&project, &options);
    completed(outcome);
    let told = events.iter().find_map(|event| match event {
        Event::FirstWeights(told) => Some(told.text()),
        _ => None,
    });
    let told = told.unwrap();
    assert!(
        told.contains("; head.2.bias begins anew:")
            || told.contains("; head.2.weight begins anew:"),
        "{told}"
    );
    assert!(told.contains("(and 1 more)"), "{told}");
    assert!(told.contains("is 10, the network wants bias 12"), "{told}");
    let new = folder.path().join("new");
    let old = folder.path().join("old");
    assert_eq!(
        first(&new, "decoder.0.weight"),
        last(&old, "decoder.0.weight")
    );
}

#[test]
fn parts_and_checkpoints_and_files_of_other_programs_can_be_named() {
    let folder = tempfile::tempdir().unwrap();
    let old = folder.path().join("old run");
    completed(train(&tiny(&[]), &options(&old)).0);
    let from = "'old run/checkpoints/stage-1.safetensors' encoder.*.bias head";
    let (project, options) = with(folder.path(), from, &[]);
    completed(train(&project, &options).0);
    let new = folder.path().join("new");
    let stage = old.join("checkpoints/stage-1.safetensors");
    for (key, is_taken) in [
        ("encoder.0.bias", true),
        ("encoder.0.weight", false),
        ("head.2.weight", true),
        ("decoder.0.weight", false),
    ] {
        assert_eq!(first(&new, key) == tensor(&stage, key), is_taken, "{key}");
    }
}

/// The units of a dense layer on patches are filters of that size: a convolution with them gives at every place what the
/// units say of the patch there.
#[test]
fn dense_units_on_patches_become_the_filters_of_a_convolution() {
    let folder = tempfile::tempdir().unwrap();
    let patches = tiny(&[
        ("resize = [16, 16]", "resize = [16, 16]\npatch = \"8x8\""),
        ("input = \"3x16x16\"", "input = \"3x8x8\""),
        (
            "[\"conv 6 k3 s2 p1\", \"bn\", \"relu\"]",
            "[\"flatten\", \"dense 20\", \"sigmoid\"]",
        ),
        (
            "[\"convt 3 k4 s2 p1\", \"tanh\"]",
            "[\"dense 192\", \"reshape 3x8x8\", \"tanh\"]",
        ),
        (
            "[\"flatten\", \"dropout 0.3\", \"dense 10\"]",
            "[\"dense 10\"]",
        ),
        ("freeze = [\"encoder.0\"]", "freeze = [\"encoder.1\"]"),
    ]);
    let old = folder.path().join("old");
    completed(train(&patches, &options(&old)).0);
    let (project, options) = with(
        folder.path(),
        "old encoder",
        &[
            (
                "[\"conv 6 k3 s2 p1\", \"bn\", \"relu\"]",
                "[\"conv 20 k8\", \"sigmoid\"]",
            ),
            (
                "[\"convt 3 k4 s2 p1\", \"tanh\"]",
                "[\"convt 3 k8\", \"tanh\"]",
            ),
        ],
    );
    let (outcome, events) = train(&project, &options);
    completed(outcome);
    let told = events.iter().find_map(|event| match event {
        Event::FirstWeights(told) => Some(told.clone()),
        _ => None,
    });
    let told = told.unwrap();
    assert!(told.table.missing.is_empty(), "{told:?}");
    let new = folder.path().join("new");
    assert_eq!(
        first(&new, "encoder.0.weight"),
        last(&old, "encoder.1.weight")
    );
    let shape = checkpoint::load(&new.join("snapshots/step-0.safetensors")).unwrap();
    assert_eq!(shape.weights["encoder.0.weight"].dims(), [20, 3, 8, 8]);
    let table = std::fs::read_to_string(new.join("init.csv")).unwrap();
    assert!(
        table.contains("encoder.0.weight,encoder.1.weight,by shape\n"),
        "{table}"
    );
}

#[test]
fn wrong_sources_are_told_and_leave_no_run() {
    let folder = tempfile::tempdir().unwrap();
    completed(train(&tiny(&[]), &options(&folder.path().join("old"))).0);
    for (init, changes, part) in [
        ("nowhere", &[][..], "cannot read the first weights"),
        (
            "old tail",
            &[],
            "the network has nothing that is called tail",
        ),
        (
            "old head",
            &[("dense 10", "dense 12")],
            "fits the network: head.2",
        ),
    ] {
        let (project, options) = with(folder.path(), init, changes);
        let failure = crate::kit::runs::failed(train(&project, &options).0);
        assert!(
            failure.wrong_input && failure.message.contains(part),
            "{}",
            failure.message
        );
        assert!(!folder.path().join("new").exists());
    }
    let told = strata(
        folder.path(),
        &["check", "conv-autoencoder", "--set", "init='old"],
    );
    assert!(
        code(&told) == 2 && err(&told).contains("no second quote"),
        "{}",
        err(&told)
    );
}

#[test]
fn the_window_has_a_field_for_the_first_weights() {
    let folder = tempfile::tempdir().unwrap();
    let old = folder.path().join("old");
    completed(train(&tiny(&[]), &options(&old)).0);
    let mut window = open(folder.path(), &tiny(&[("seed = 5", "seed = 6")]));
    window.show_tab(SideTab::Data);
    window.enter("First weights", "old encoder");
    assert_eq!(
        window.state().project().init.as_ref().unwrap().to_string(),
        "old encoder"
    );
    window.train();
    let run = window.state().training.run.clone().unwrap();
    assert_eq!(
        first(&run, "encoder.0.weight"),
        last(&old, "encoder.0.weight")
    );
    window.type_over("First weights", "x");
    window.press(Modifiers::NONE, Key::Backspace);
    window.press(Modifiers::NONE, Key::Enter);
    assert_eq!(window.state().project().init, None);
}

/// A layer put in between moves all behind it: none of them takes the weights of its neighbour.
#[test]
fn an_edited_network_keeps_the_weights_of_its_other_layers() {
    let folder = tempfile::tempdir().unwrap();
    let twice = "[\"conv 3 k3 p1\", \"relu\", \"conv 3 k3 p1\", \"relu\", \"conv 6 k3 s2 p1\", \"bn\", \"relu\"]";
    let layers = "[\"conv 6 k3 s2 p1\", \"bn\", \"relu\"]";
    let old = folder.path().join("old");
    let mut before = tiny(&[(layers, twice)]);
    before.stages[1].freeze.clear();
    completed(train(&before, &options(&old)).0);
    // One of the two equal convolutions goes, and a wider one comes in its place.
    let mut window = open(folder.path(), &before);
    window.harness.state_mut().handle(Action::Open(old.clone()));
    window.wait("the curves", |state| !state.training.is_reading());
    window.enter("encoder.4", "conv 8 k3 s2 p1");
    window.enter("encoder.0", "conv 3 k5 p2");
    window.click("Go on");
    window.click("Train 2 more");
    assert!(
        window.has("Train with the weights of this run"),
        "the refusal says what can be done"
    );
    window.find("train with the weights of this run");
    window.wait("the end", |state| !state.training.is_running());
    let new = window.state().training.run.clone().unwrap();
    assert_ne!(new, old);
    assert_eq!(
        first(&new, "encoder.2.weight"),
        last(&old, "encoder.2.weight")
    );
    let table = std::fs::read_to_string(new.join("init.csv")).unwrap();
    for part in [
        "encoder.2.weight,encoder.2.weight,by name\n",
        "\"the file's encoder.0.weight is 3x3x3x3, the network wants",
        "encoder.4.bias,encoder.4.bias,\"by name, widened from 6 to 8\"\n",
    ] {
        assert!(table.contains(part), "{part}: {table}");
    }
    let named = file::load(&new.join("project.toml")).unwrap().init.unwrap();
    assert_eq!(Path::new(&named.from), old, "it names its parent");
    // In the terminal by the setting, with a layer taken out: the one behind it is not its neighbour.
    let shorter = twice.replacen("\"conv 3 k3 p1\", \"relu\", ", "", 1);
    let (mut project, options) = with(folder.path(), "old", &[(layers, shorter.as_str())]);
    project.stages[1].freeze.clear();
    completed(train(&project, &options).0);
    let new = folder.path().join("new");
    assert_eq!(
        first(&new, "encoder.2.weight"),
        last(&old, "encoder.4.weight")
    );
}

/// The outputs of two networks for images of different sizes cannot be compared: the run begins all the same.
#[test]
fn a_wider_network_on_images_of_another_size_begins_without_a_comparison() {
    let folder = tempfile::tempdir().unwrap();
    let old = folder.path().join("old");
    completed(train(&tiny(&[]), &options(&old)).0);
    let changes = [
        ("resize = [16, 16]", "resize = [24, 24]"),
        ("3x16x16", "3x24x24"),
        ("conv 6 k3 s2 p1", "conv 9 k3 s2 p1"),
    ];
    let (mut project, options) = with(folder.path(), "old encoder", &changes);
    project.stages.remove(0);
    project.stages[0].freeze.clear();
    completed(train(&project, &options).0);
    let table = std::fs::read_to_string(folder.path().join("new/init.csv")).unwrap();
    assert!(table.contains("widened from 6 to 9"), "{table}");
}

/// A run that is paused is stopped, and its edited network goes on in a new run that names it.
#[test]
fn the_network_of_a_paused_run_is_edited_and_widened() {
    let folder = tempfile::tempdir().unwrap();
    let mut window = open(folder.path(), &tiny(&[("epochs = 2", "epochs = 500")]));
    window.click("Train");
    window.wait("a stage", |state| state.training.stage.is_some());
    window.click("Pause");
    window.wait("the pause", |state| state.training.phase == Phase::Paused);
    let old = window.state().training.run.clone().unwrap();
    window.enter("encoder.0", "conv 9 k3 s2 p1");
    window.find("train with the weights of this run");
    window.wait("the new run", |state| {
        state.training.run.as_ref().is_some_and(|run| *run != old)
    });
    let new = window.state().training.run.clone().unwrap();
    window.wait("its weights", |_| new.join("init.csv").exists());
    window.harness.state_mut().handle(Action::Stop);
    window.wait("the end", |state| !state.training.is_running());
    let table = std::fs::read_to_string(new.join("init.csv")).unwrap();
    let wider = "encoder.0.weight,encoder.0.weight,\"by name, widened from 6 to 9\"";
    assert!(table.contains(wider), "{table}");
    let record = RunRecord::read(&new).unwrap();
    let parent = record.parent.unwrap();
    assert_eq!((parent.run, parent.checkpoint.as_str()), (old, "last"));
    // Three of the nine filters repeat the first three.
    let (before, after) = (
        last(&parent_run(&new), "encoder.0.weight"),
        first(&new, "encoder.0.weight"),
    );
    assert_eq!(after.len() / 9, before.len() / 6);
    let filter = before.len() / 6;
    assert_eq!(after[6 * filter..], before[..3 * filter]);
}

fn parent_run(run: &Path) -> std::path::PathBuf {
    RunRecord::read(run).unwrap().parent.unwrap().run
}

/// The keys of torchvision and timm (`tests/fixtures/known_weights.py`) find their layers, each in its place.
#[test]
fn weights_of_torchvision_and_timm_find_their_layers() {
    type Layers = Vec<(String, std::collections::BTreeMap<String, Vec<usize>>)>;
    let text = include_str!("../fixtures/known_weights.json");
    let known: std::collections::BTreeMap<String, Layers> = serde_json::from_str(text).unwrap();
    assert_eq!(known.len(), 3);
    for (name, layers) in known {
        let project = builtin(name.split(' ').next().unwrap());
        let plan = strata::shape::infer(&project.network).plan.unwrap();
        let network = strata::nn::Network::new(&plan, 1, &candle_core::Device::Cpu).unwrap();
        let state = network.shared_state();
        let wanted: Vec<(String, Vec<usize>)> = state
            .iter()
            .map(|(key, tensor)| (key.clone(), tensor.dims().to_vec()))
            .collect();
        let found = layers
            .iter()
            .flat_map(|(layer, ends)| {
                ends.iter()
                    .map(move |(end, shape)| (format!("{layer}.{end}"), shape.clone()))
            })
            .collect();
        let table = MatchTable::new(&wanted, &found);
        assert!(table.missing.is_empty(), "{name}: {:?}", table.missing);
        // Both in the order in which a forward pass runs through them.
        let mut own: Vec<&str> = Vec::new();
        for (key, _) in &wanted {
            let layer = key.rsplit_once('.').unwrap().0;
            if !own.contains(&layer) {
                own.push(layer);
            }
        }
        assert_eq!(own.len(), layers.len(), "{name}");
        for taken in &table.taken {
            let (layer, end) = taken.key.rsplit_once('.').unwrap();
            let place = own.iter().position(|own| *own == layer).unwrap();
            assert_eq!(
                taken.from,
                format!("{}.{end}", layers[place].0),
                "{name} {}",
                taken.key
            );
        }
        let unused = table.unused.iter().map(|(key, _)| key);
        assert!(
            unused
                .clone()
                .all(|key| key.ends_with("num_batches_tracked")),
            "{name}"
        );
    }
}
