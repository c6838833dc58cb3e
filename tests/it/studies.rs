//! Projects of several named runs: trained in their order, skipped when done, resumed when interrupted, compared; the
//! same in the terminal and in the window.

use crate::kit::runs::{completed, metrics, options, tiny, train};
use crate::kit::terminal::{code, err, json, out, strata};
use crate::kit::window::*;
use serde_json::Value;
use std::path::Path;
use std::process::{Command as Process, Stdio};
use std::time::{Duration, Instant};
use strata::app::action::Action;
use strata::app::studying::OnRuns;
use strata::engine::storage::checkpoint;
use strata::engine::storage::record::RunRecord;
use strata::project::{Project, file};
use strata_testkit::folders;

/// An autoencoder, classifiers on pixels and on its code, and a network that begins with its encoder, before it in the
/// file.
const STUDY: &str = r#"format = 1
title = "Small study"
seed = 3

[data]
source = "shapes"
resize = [16, 16]
limit = 64

[network]
input = "3x16x16"
encoder = ["conv 4 k4 s4", "relu"]
head = ["flatten", "dense 10"]

[[stage]]
name = "classify"
task = "classify"
loss = "cross-entropy"
optimizer = "adam lr=2e-3"
epochs = 2
batch = 16

# On pixels.
[[run]]
name = "pixels"
baseline = "logistic"

[[run]]
name = "transfer"
init = "autoencoder encoder"
seeds = [1, 2]

[[run]]
name = "autoencoder"

[run.network]
decoder = ["convt 3 k4 s4"]
head = []

[[run.stage]]
name = "reconstruct"
task = "reconstruct"
split = "unlabeled"
loss = "mse"
optimizer = "adam lr=2e-3"
epochs = 3
batch = 16

[[run]]
name = "code"
baseline = "knn"
features = "autoencoder"
limit = 40
"#;

const NAMES: [&str; 5] = [
    "pixels-logistic",
    "autoencoder",
    "transfer-seed-1",
    "transfer-seed-2",
    "code-knn",
];

fn write(folder: &Path) {
    std::fs::write(folder.join("p.toml"), STUDY).unwrap();
}

fn states(told: &Value) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let runs = told["runs"].as_array().unwrap().iter();
    runs.map(|run| (text(&run["name"]), text(&run["state"])))
        .collect()
}

fn all_done(told: &Value) {
    let done = NAMES.map(|name| (name.to_owned(), "done".to_owned()));
    let mut found = states(told);
    found.sort();
    let mut wanted = done.to_vec();
    wanted.sort();
    assert_eq!(found, wanted);
}

pub(crate) fn folder_of(told: &Value, name: &str) -> std::path::PathBuf {
    let runs = told["runs"].as_array().unwrap();
    let run = runs.iter().find(|run| run["name"] == name).unwrap();
    run["folder"].as_str().unwrap().into()
}

#[test]
fn one_command_trains_all_runs_in_their_order_and_a_second_one_skips_them() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    write(at);
    let first = strata(at, &["train", "p.toml", "--json"]);
    assert_eq!(code(&first), 0, "{}", err(&first));
    let told = json(&first);
    all_done(&told);
    // What is taken from is trained before.
    let said = err(&first);
    let place = |name: &str| {
        said.find(&format!(": {name}"))
            .unwrap_or_else(|| panic!("{said}"))
    };
    assert!(place("autoencoder") < place("transfer-seed-1"));
    assert!(place("autoencoder") < place("code-knn"));
    let page = std::fs::read_to_string(at.join("runs/small-study-comparison.html")).unwrap();
    for name in NAMES {
        assert!(page.contains(name), "{name}");
    }
    // The encoder came from there.
    let transfer = at.join(folder_of(&told, "transfer-seed-1"));
    let init = std::fs::read_to_string(transfer.join("init.csv")).unwrap();
    assert!(init.contains("encoder.0.weight"), "{init}");
    let seeds = ["transfer-seed-1", "transfer-seed-2"].map(|name| {
        let record = RunRecord::read(&at.join(folder_of(&told, name))).unwrap();
        record.seed
    });
    assert_eq!(seeds, [1, 2]);
    reported(at);
    let kept = |name: &str| std::fs::read_dir(at.join(name)).unwrap().count();
    let before = kept("runs");
    let again = strata(at, &["train", "p.toml", "--json"]);
    all_done(&json(&again));
    assert!(!err(&again).contains("run 1 of"), "{}", err(&again));
    assert_eq!(kept("runs"), before);
    // An edited run is trained again, and what takes from it.
    let edited = STUDY.replace("epochs = 3", "epochs = 4");
    std::fs::write(at.join("p.toml"), edited).unwrap();
    let third = strata(at, &["train", "p.toml", "--json"]);
    all_done(&json(&third));
    assert_eq!(kept("runs"), before + 4, "{}", err(&third));
    // One alone, with what it needs; it is done.
    let one = strata(at, &["train", "p.toml", "--run", "code"]);
    assert!(out(&one).contains("code-knn"), "{}", out(&one));
    for (args, part) in [
        (
            &["--run", "cnn"][..],
            "its runs are pixels, transfer, autoencoder, code",
        ),
        (&["-o", "here"][..], "--output is for a project of one run"),
        (
            &["--stage", "classify"][..],
            "--stage is for a project of one run",
        ),
    ] {
        let said = strata(at, &[&["train", "p.toml"], args].concat());
        assert_eq!(code(&said), 2);
        assert!(err(&said).contains(part), "{}", err(&said));
    }
    let baseline = out(&strata(at, &["check", "p.toml", "--run", "code"]));
    assert!(
        baseline.contains("code: baselines: knn, fitted to the code of the run autoencoder")
            && !baseline.contains("conv"),
        "{baseline}"
    );
    let check = out(&strata(at, &["check", "p.toml", "--run", "transfer"]));
    assert!(
        check.contains("dense 10") && !check.contains("convt"),
        "{check}"
    );
}

/// The report of what is done, with the author's words.
fn reported(at: &Path) {
    std::fs::write(at.join("p.notes.md"), "# Question\nDoes it help <a lot>?\n").unwrap();
    let note = at.join("runs/small-study-autoencoder-1/note.txt");
    std::fs::write(note, "Trained first.\n").unwrap();
    let page = out(&strata(at, &["report", "p.toml"]));
    let page = std::fs::read_to_string(at.join(page.trim())).unwrap();
    for part in [
        "<h2>Question</h2>",
        "Does it help &lt;a lot&gt;?",
        "Trained first.",
        "<h2>transfer-seed-2</h2>",
        "[[run]]",
        "strata train p.toml",
        "McNemar",
        "<svg",
        "Validation accuracy over the epochs",
        "<polyline",
        "<h3>Probe images over their reconstructions</h3>",
        "<h3>Saliency</h3>",
        "<h3>Filters of the first layer</h3>",
    ] {
        assert!(page.contains(part), "{part}");
    }
    assert!(!page.contains("://"));
    let text = out(&strata(at, &["report", "p.toml", "-o", "r.md"]));
    assert_eq!(text.trim(), "r.md");
    let text = std::fs::read_to_string(at.join("r.md")).unwrap();
    for part in [
        "# Small study",
        "Does it help <a lot>?",
        "| small-study-code-knn-1 |",
        "```toml",
    ] {
        assert!(text.contains(part), "{part}\n{text}");
    }
    let none = strata(at, &["report", "p.toml", "--text", "none.md"]);
    assert_eq!(code(&none), 2);
    std::fs::remove_file(at.join("r.md")).unwrap();
}

#[test]
fn a_study_that_is_killed_again_and_again_ends_with_the_same_runs() {
    let folder = tempfile::tempdir().unwrap();
    let [whole, killed] = ["whole", "killed"].map(|name| folder.path().join(name));
    let start = |at: &Path| {
        Process::new(env!("CARGO_BIN_EXE_strata"))
            .env("STRATA_LOG", "off")
            .current_dir(at)
            .args(["train", "p.toml", "--json", "--device", "cpu"])
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap()
    };
    for at in [&whole, &killed] {
        std::fs::create_dir(at).unwrap();
        write(at);
    }
    let began = Instant::now();
    let told = json(&start(&whole).wait_with_output().unwrap());
    let time = began.elapsed().as_millis() as u64;
    for part in [3, 5, 2, 4, 6] {
        let mut running = start(&killed);
        std::thread::sleep(Duration::from_millis(time * part / 10));
        running.kill().ok();
        running.wait().unwrap();
    }
    let ended = start(&killed).wait_with_output().unwrap();
    assert!(ended.status.success(), "{}", err(&ended));
    let ended = json(&ended);
    all_done(&ended);
    for name in ["autoencoder", "transfer-seed-1", "transfer-seed-2"] {
        let weights = |at: &Path, told: &Value| {
            let run = at.join(folder_of(told, name));
            let last = run.join("checkpoints/last.safetensors");
            (std::fs::read(last).unwrap(), metrics(&run))
        };
        assert!(weights(&whole, &told) == weights(&killed, &ended), "{name}");
    }
}

#[test]
fn the_window_lists_shows_trains_and_compares_the_runs() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    let project = file::parse(STUDY, "p").unwrap();
    let mut window = open(at, &project);
    assert!(window.has("autoencoder: not trained") && window.has("transfer: needs autoencoder"));
    assert!(window.has("0 of 5 done"));
    // The first that trains a network is shown; another one is chosen, and nothing is edited by that.
    window.click("autoencoder: not trained");
    window.run();
    assert!(window.has("encoder.0: conv 4 k4 s4"));
    assert!(window.has("convt 3 k4 s4") && !window.state().is_unsaved());
    for dark in [true, false] {
        window.set_dark(dark);
        window.keep_picture(if dark {
            "study/runs-dark"
        } else {
            "study/runs-light"
        });
    }
    window.click("Train all");
    window.wait_at_most(Duration::from_secs(120), "all runs", |state| {
        !state.studying.is_training() && state.comparing.shown.is_some()
    });
    assert!(window.has("5 of 5 done") && window.has("transfer: done"));
    let compared = window.state().comparing.shown.clone().unwrap();
    assert_eq!(compared.entries.len(), 5);
    let pages =
        ["comparison", "report"].map(|page| at.join(format!("runs/small-study-{page}.html")));
    window.wait_at_most(Duration::from_secs(60), "the pages", |_| {
        pages.iter().all(|page| page.is_file())
    });
    for page in pages {
        let page = std::fs::read_to_string(page).unwrap();
        for part in [
            "Filters of the first layer",
            "Saliency",
            "Probe images over",
        ] {
            assert!(page.contains(part), "{part}");
        }
    }
    for dark in [true, false] {
        window.set_dark(dark);
        window.keep_picture(if dark {
            "study/done-dark"
        } else {
            "study/done-light"
        });
    }
    // Baselines show no network as theirs.
    window.click("pixels: done");
    window.run();
    assert!(window.has("no network is trained"));
    assert!(!window.has("encoder.0: conv 4 k4 s4"));
    // The author's own words are kept beside the project and come back with it.
    window.click("Your words for the report");
    window.run();
    assert!(window.has("Your words for the report"));
    let words = "# Question\n\nDoes it help?".to_owned();
    window
        .harness
        .state_mut()
        .handle(Action::ReportWords(words));
    window.run();
    let kept = std::fs::read_to_string(at.join("project.notes.md")).unwrap();
    assert_eq!(kept, "# Question\n\nDoes it help?\n");
    window.keep_picture("study/baselines");
    // The terminal finds them done.
    let told = json(&strata(at, &["train", "project.toml", "--json"]));
    all_done(&told);
    // A run that is edited is to be trained again; the others stay done.
    window.click("autoencoder: done");
    let mut data = window.state().project().data.clone();
    data.limit = Some(48);
    let edit = strata::project::edit::Edit::Data(data);
    window.harness.state_mut().handle(Action::Edit(edit));
    window.run();
    assert!(window.has("autoencoder: not trained") && window.has("pixels: done"));
    assert!(window.has("transfer: needs autoencoder"));
    window.harness.state_mut().handle(Action::Undo);
    window.run();
    assert!(window.has("5 of 5 done") && !window.state().is_unsaved());
    window
        .harness
        .state_mut()
        .handle(Action::Runs(OnRuns::Show(None)));
    window.run();
    assert!(window.has("What all runs share"));
}

#[test]
fn a_stage_ends_with_the_weights_of_its_best_epoch() {
    let folder = tempfile::tempdir().unwrap();
    let project = |what: &str| -> Project {
        let setting = format!("epochs = 6\ncheckpoints = \"{what}\"\nbatch = 16\n[[stage]]");
        // So large a rate that the last epoch is not the best one.
        tiny(&[
            ("limit = 40", "limit = 40\nvalid = 0.2"),
            (
                "optimizer = \"adam lr=3e-3\"\nschedule = \"cosine warmup=1\"",
                "optimizer = \"adam lr=0.2\"",
            ),
            ("epochs = 2\nbatch = 16\n[[stage]]", &setting),
        ])
    };
    let [kept, restored] = ["best", "best restored"].map(|what| {
        let run = folder.path().join(what.replace(' ', "-"));
        completed(train(&project(what), &options(&run)).0);
        run
    });
    let load = |run: &Path, name: &str| {
        checkpoint::load(&run.join(format!("checkpoints/{name}.safetensors"))).unwrap()
    };
    let same = |one: &checkpoint::Checkpoint, other: &checkpoint::Checkpoint| {
        one.weights.iter().all(|(key, tensor)| {
            let flat = |tensor: &candle_core::Tensor| {
                tensor.flatten_all().unwrap().to_vec1::<f32>().unwrap()
            };
            flat(tensor) == flat(&other.weights[key])
        })
    };
    let best = load(&kept, "best");
    assert!(
        best.position.epoch < 6,
        "the last epoch is the best: the test tells nothing"
    );
    assert!(!same(&best, &load(&kept, "stage-1")));
    assert!(
        same(&load(&restored, "best"), &best),
        "until then both are alike"
    );
    assert!(same(&load(&restored, "stage-1"), &best));
    assert!(
        !same(&load(&restored, "last"), &load(&kept, "last")),
        "the next stage begins with them"
    );
}

/// A course project in a folder, with its data where the tests have it.
fn course(at: &Path, name: &str, changes: &[&str]) -> Option<Value> {
    let data = folders::real_data("studies")?;
    let made = strata(at, &["new", name]);
    assert_eq!(code(&made), 0, "{}", err(&made));
    let mut args: Vec<String> = ["train", &format!("{name}.toml"), "--json", "--epochs", "1"]
        .map(str::to_owned)
        .to_vec();
    for change in changes {
        let data = data.display().to_string();
        args.extend(["--set".to_owned(), change.replace("DATA", &data)]);
    }
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    let said = strata(at, &args);
    assert_eq!(code(&said), 0, "{}", err(&said));
    let told = json(&said);
    assert!(
        states(&told).iter().all(|(_, state)| state == "done"),
        "{told}"
    );
    Some(told)
}

#[test]
fn the_course_work_on_stl_10_runs_through() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    let Some(told) = course(at, "stl10-study", &["data.path=DATA/stl10/stl10_binary"]) else {
        return;
    };
    let names: Vec<String> = states(&told).into_iter().map(|(name, _)| name).collect();
    for name in [
        "pixels-forest",
        "cnn",
        "code-logistic",
        "transfer",
        "stacked-2",
        "sparse-convolution",
    ] {
        assert!(names.iter().any(|own| own == name), "{name}");
    }
    // The filters of the patches are those of the convolution.
    let weights = |name: &str, key: &str| {
        let run = at.join(folder_of(&told, name));
        let kept = checkpoint::load(&run.join("checkpoints/last.safetensors")).unwrap();
        kept.weights[key]
            .flatten_all()
            .unwrap()
            .to_vec1::<f32>()
            .unwrap()
    };
    assert_eq!(
        weights("sparse-patches", "encoder.1.weight"),
        weights("sparse-convolution", "encoder.0.weight")
    );
    // The first layer of the stack stayed as it was while the second was trained, and moved afterwards.
    assert!(at.join("runs/stl-10-study-comparison.html").is_file());
}

#[test]
fn the_window_runs_a_course_work_through() {
    let Some(data) = folders::real_data("studies") else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let mut text = strata::project::builtin::find("eurosat-transfer")
        .unwrap()
        .text
        .to_owned();
    for (from, to) in [
        ("epochs = 40", "epochs = 1"),
        ("epochs = 30", "epochs = 1"),
        ("epochs = 20", "epochs = 1"),
        ("epochs = 10", "epochs = 1"),
    ] {
        text = text.replace(from, to);
    }
    let mut project = file::parse(&text, "p").unwrap().showing(None);
    project.data.path = Some(data.join("eurosat/EuroSAT_RGB").display().to_string());
    project.data.limit = Some(100);
    let edit = strata::project::edit::Edit::All(Box::new(project));
    let project = edit
        .apply(&file::parse(&text, "p").unwrap().showing(None))
        .unwrap();
    let mut window = open(folder.path(), &project.as_opened());
    window.click("Train all");
    window.wait_at_most(Duration::from_secs(240), "all runs", |state| {
        !state.studying.is_training() && state.comparing.shown.is_some()
    });
    assert!(window.has("4 of 4 done"));
    assert!(window.has("fine-tuned: done"));
    window.keep_picture("study/eurosat");
}

#[test]
fn the_keras_lab_runs_through_on_two_data_sets() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    let cifar = ["data.path=DATA/cifar10/jpeg-decoded", "data.limit=64"];
    let Some(_) = course(at, "keras-lab", &cifar) else {
        return;
    };
    std::fs::remove_file(at.join("keras-lab.toml")).unwrap();
    let flowers = [
        "title=Keras lab on flowers",
        "data.source=flowers17",
        "data.path=DATA/flowers17/jpg",
        "data.resize=[32, 32]",
        "data.limit=64",
        "network.head.3=dense 17",
    ];
    course(at, "keras-lab", &flowers).unwrap();
    for page in ["keras-lab-on-cifar-10", "keras-lab-on-flowers"] {
        let page = at.join(format!("runs/{page}-comparison.html"));
        assert!(page.is_file(), "{}", page.display());
    }
}

#[test]
fn a_run_that_another_process_trains_is_not_done() {
    let folder = tempfile::tempdir().unwrap();
    let text = STUDY
        .split("# On pixels.")
        .next()
        .unwrap()
        .replace("epochs = 2", "epochs = 100000");
    let path = folder.path().join("p.toml");
    std::fs::write(path, text + "[[run]]\nname = \"long\"\n").unwrap();
    let mut first = Process::new(env!("CARGO_BIN_EXE_strata"))
        .env("STRATA_LOG", "off")
        .current_dir(folder.path())
        .args(["train", "p.toml", "--device", "cpu"])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let record = folder.path().join("runs/small-study-long-1/steps.csv");
    let began = Instant::now();
    while !record.exists() && began.elapsed() < Duration::from_secs(60) {
        std::thread::sleep(Duration::from_millis(50));
    }
    let second = strata(folder.path(), &["train", "p.toml"]);
    first.kill().unwrap();
    first.wait().unwrap();
    let told = out(&second);
    assert!(
        told.contains("is being trained by another Strata"),
        "{told}"
    );
    assert_eq!(
        code(&second),
        1,
        "what follows in a script would come too early"
    );
}
