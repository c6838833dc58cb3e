//! `--set` and `--unset` of every command that reads a project, `strata help`, `strata report`, and files that are no
//! project.

use crate::kit::runs;
use crate::kit::terminal::{code, err, json, out, strata};
use std::path::Path;

fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("tiny.toml"), runs::TINY).unwrap();
    folder
}

#[test]
fn every_command_takes_settings_and_takes_them_out() {
    let folder = folder();
    let at = folder.path();
    let layer = ["--set", "network.encoder.0=conv 7 k3 s2 p1"];
    let rate = ["--set", "stage.0.lr=0.5"];
    let check = json(&strata(
        at,
        &[&["check", "tiny.toml", "--json"], &layer[..], &rate].concat(),
    ));
    assert_eq!(check["layers"][0]["text"], "conv 7 k3 s2 p1");
    let lens = json(&strata(
        at,
        &[&["lens", "tiny.toml", "encoder.0", "--json"], &layer[..]].concat(),
    ));
    assert_eq!(lens["text"], "conv 7 k3 s2 p1");
    let broken = ["--set", "network.decoder.0=convt 3 k3 s2 p1"];
    let solve = json(&strata(
        at,
        &[&["solve", "tiny.toml", "--json"], &broken[..]].concat(),
    ));
    assert_eq!(solve["output_equals_input"], false);
    let data = json(&strata(
        at,
        &[
            "data",
            "shapes",
            "--set",
            "per_class=20",
            "--set",
            "seed=3",
            "--json",
        ],
    ));
    assert_eq!(data["splits"]["train"]["images"], 200);
    for command in [
        &["check", "tiny.toml"][..],
        &["solve", "tiny.toml"],
        &["lens", "tiny.toml", "encoder.0"],
        &["train", "tiny.toml"],
    ] {
        let refused = strata(at, &[command, &["--set", "data.normalize=train"]].concat());
        assert_eq!(code(&refused), 2, "{command:?}");
        assert!(
            err(&refused).contains("add --unset data.range"),
            "{}",
            err(&refused)
        );
        let nothing = strata(at, &[command, &["--unset", "data.fold"]].concat());
        assert!(
            code(&nothing) == 2 && err(&nothing).contains("--unset data.fold: there is no `fold`")
        );
    }
    let range = ["--unset", "data.range", "--set", "data.normalize=train"];
    let train = strata(
        at,
        &[
            &["train", "tiny.toml", "--epochs", "1", "-o", "run"],
            &range[..],
        ]
        .concat(),
    );
    assert_eq!(code(&train), 0, "{}", err(&train));
    let text = std::fs::read_to_string(at.join("run/project.toml")).unwrap();
    assert!(
        text.contains("normalize = \"train\"") && !text.contains("range"),
        "{text}"
    );
}

/// What only the number of images can tell is told by `check --images`: 33 of them in batches of 32 leave one to batch
/// norm, and a few steps leave its running statistics near their start.
#[test]
fn check_asks_the_images_where_that_is_wanted() {
    let folder = folder();
    let advice = |options: &[&str]| -> Vec<String> {
        let settings = [
            "--set",
            "data.limit=33",
            "--set",
            "stage.0.batch=32",
            "--json",
        ];
        let report = json(&strata(
            folder.path(),
            &[&["check", "tiny.toml"], &settings[..], options].concat(),
        ));
        let all = report["advice"].as_array().unwrap().clone();
        all.iter()
            .map(|one| one["message"].as_str().unwrap().to_owned())
            .collect()
    };
    let told = advice(&["--images"]);
    for part in [
        "33 images in batches of 32 leave a last batch of 1",
        "running statistics",
    ] {
        assert!(
            told.iter().any(|message| message.contains(part)),
            "{part}: {told:?}"
        );
        assert!(
            !advice(&[]).iter().any(|message| message.contains(part)),
            "{part}"
        );
    }
}

#[test]
fn data_refuses_what_does_not_act() {
    let folder = folder();
    for (settings, part) in [
        (
            &["--set", "length=3"][..],
            "length changes nothing: shapes has images",
        ),
        (&["--set", "labels=coarse"], "labels changes nothing"),
        (
            &["--set", "stage.0.lr=1"],
            "reads the settings of [data] and the seed alone",
        ),
        (&["--set", "fold=1/5", "--set", "valid=0.1"], "delete one"),
        (&["--unset", "fold"], "there is no `fold`"),
        (
            &["--set", "limit=many"],
            "limit = \"many\" is not possible: write a whole number from 1",
        ),
    ] {
        let output = strata(folder.path(), &[&["data", "shapes"], settings].concat());
        assert_eq!(code(&output), 2, "{settings:?}");
        assert!(
            err(&output).contains(part),
            "{settings:?}: {}",
            err(&output)
        );
    }
}

#[test]
fn help_prints_the_references_and_the_commands() {
    let folder = tempfile::tempdir().unwrap();
    let help = |about: &str| {
        let output = strata(folder.path(), &["help", about]);
        assert_eq!(code(&output), 0, "{about}: {}", err(&output));
        out(&output)
    };
    assert!(help("layers").contains("conv 16 k3"));
    assert!(help("augment").contains("rotate 18"));
    assert!(help("project").contains("early_stop") && help("project").contains("[[stage]]"));
    let data = help("data");
    assert!(data.contains("--statistics") && data.contains("per_class") && data.contains("stl10"));
    assert!(help("train").contains("--resume"));
    assert!(out(&strata(folder.path(), &["help"])).contains("report"));
    let wrong = strata(folder.path(), &["help", "flying"]);
    assert!(code(&wrong) == 2 && err(&wrong).contains("layers, project, augment, data"));
}

/// A short training in `run`.
fn run(at: &Path) {
    let train = strata(at, &["train", "tiny.toml", "--epochs", "1", "-o", "run"]);
    assert_eq!(code(&train), 0, "{}", err(&train));
}

#[test]
fn a_run_without_a_display_is_reported_and_not_trained_again() {
    let folder = folder();
    let at = folder.path();
    run(at);
    let files = || std::fs::read_dir(at).unwrap().count();
    let before = files();
    let shown = strata(at, &["run"]);
    assert_eq!(code(&shown), 0, "{}", err(&shown));
    for part in ["tiny", "completed", "test: loss", "report: run/report.html"] {
        assert!(out(&shown).contains(part), "{part}: {}", out(&shown));
    }
    assert_eq!(files(), before, "nothing was trained");
    let page = std::fs::read_to_string(at.join("run/report.html")).unwrap();
    for part in [
        "<svg",
        "Metrics",
        "Filters of the first layer",
        "reconstructions",
        "data:image/png",
    ] {
        assert!(page.contains(part), "{part}");
    }
}

#[test]
fn a_report_is_written_where_it_is_wanted_and_at_any_time() {
    let folder = folder();
    let at = folder.path();
    run(at);
    let written = strata(at, &["report", "run", "-o", "page.html"]);
    assert_eq!(
        (code(&written), out(&written).trim()),
        (0, "page.html"),
        "{}",
        err(&written)
    );
    // As a run that goes on has it: nothing of the checkpoint yet.
    std::fs::remove_dir_all(at.join("run/checkpoints")).unwrap();
    let early = strata(at, &["report", "run"]);
    assert_eq!(code(&early), 0, "{}", err(&early));
    assert!(
        err(&early).contains("the report has no filters"),
        "{}",
        err(&early)
    );
    assert!(
        std::fs::read_to_string(at.join("run/report.html"))
            .unwrap()
            .contains("<svg")
    );
    let none = strata(at, &["report", "."]);
    assert!(
        code(&none) == 2 && err(&none).contains("is no folder of a run"),
        "{}",
        err(&none)
    );
}

#[test]
fn files_that_are_no_project_are_named() {
    let folder = folder();
    let at = folder.path();
    run(at);
    let picture = strata(at, &["inspect", "run", "filters", "-o", "filters.png"]);
    assert_eq!(code(&picture), 0, "{}", err(&picture));
    std::fs::write(at.join("README.md"), "# A title\n\nSome words.\n").unwrap();
    for (name, part) in [
        ("filters.png", "it is a picture"),
        ("run/checkpoints/last.safetensors", "it holds weights"),
        ("README.md", "this text is no project"),
        ("lenet", "did you mean `lenet-mnist`?"),
    ] {
        let output = strata(at, &["check", name]);
        assert_eq!(code(&output), 2, "{name}");
        assert!(err(&output).contains(part), "{name}: {}", err(&output));
        assert!(!err(&output).contains("UTF-8"), "{name}: {}", err(&output));
    }
}

#[test]
fn an_early_stop_is_a_text_everywhere() {
    let folder = folder();
    let set = ["--set", "stage.0.early_stop=train loss patience=1"];
    let train = strata(
        folder.path(),
        &[
            &["train", "tiny.toml", "--stage", "images", "-o", "run"],
            &set[..],
        ]
        .concat(),
    );
    assert_eq!(code(&train), 0, "{}", err(&train));
    let text = std::fs::read_to_string(folder.path().join("run/project.toml")).unwrap();
    assert!(
        text.contains("early_stop = \"train loss patience=1\""),
        "{text}"
    );
    assert!(
        folder
            .path()
            .join("run/checkpoints/best.safetensors")
            .exists()
    );
}
