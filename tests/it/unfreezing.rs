//! Stages that train a stack layer by layer, and layers frozen by patterns.

use crate::kit::runs::{
    assert_same, completed, options, stop_at, stopped, tiny, train, train_until,
};
use crate::kit::terminal::{code, err, out, strata};
use std::collections::HashMap;
use std::path::Path;
use strata::engine::event::Event;
use strata::engine::storage::saved_run::weights;
use strata::engine::thread::RunOptions;
use strata::project::Project;

/// TINY's second stage over an encoder of three layers, unfrozen one after each epoch; every epoch is kept.
fn gradual(setting: &str, epochs: u32) -> Project {
    let encoder = "encoder = [\"conv 6 k3 s2 p1\", \"bn\", \"relu\", \"conv 4 k3 p1\", \"relu\", \"conv 4 k3 p1\"]";
    tiny(&[
        ("encoder = [\"conv 6 k3 s2 p1\", \"bn\", \"relu\"]", encoder),
        ("freeze = [\"encoder.0\"]", setting),
        (
            "nesterov\"\nepochs = 2",
            &format!("nesterov\"\ncheckpoints = \"every 1\"\nepochs = {epochs}"),
        ),
    ])
}

/// The layers whose weights differ between two checkpoints.
pub(crate) fn moved(run: &Path, from: &str, to: &str) -> Vec<String> {
    let [from, to] = [from, to].map(|name| weights(run, name).unwrap());
    let values = |all: &HashMap<String, candle_core::Tensor>, key: &str| {
        all[key].flatten_all().unwrap().to_vec1::<f32>().unwrap()
    };
    let is_weight = |key: &&String| !key.contains("running") && !key.starts_with("decoder");
    let changed = from
        .keys()
        .filter(is_weight)
        .filter(|key| values(&from, key) != values(&to, key));
    let mut layers: Vec<String> = changed
        .map(|key| key.rsplit_once('.').unwrap().0.to_owned())
        .collect();
    layers.sort();
    layers.dedup();
    layers
}

#[test]
fn layers_are_trained_one_after_the_other_from_the_top() {
    let folder = tempfile::tempdir().unwrap();
    let run = folder.path().join("run");
    let project = gradual("unfreeze = \"encoder layers=1 every=1\"", 4);
    let (outcome, events) = train(&project, &options(&run));
    completed(outcome);
    let all = ["encoder.0", "encoder.1", "encoder.3", "encoder.5", "head.2"];
    let steps = [
        ("stage-1", "stage-2-epoch-1", &all[4..]),
        ("stage-2-epoch-1", "stage-2-epoch-2", &all[3..]),
        ("stage-2-epoch-2", "stage-2-epoch-3", &all[2..]),
        ("stage-2-epoch-3", "stage-2-epoch-4", &all[..]),
    ];
    for (from, to, layers) in steps {
        assert_eq!(moved(&run, from, to), layers, "{from} to {to}");
    }
    let told: Vec<&String> = events
        .iter()
        .filter_map(|event| match event {
            Event::Warning { message, .. } if message.contains("is trained too") => Some(message),
            _ => None,
        })
        .collect();
    assert_eq!(told.len(), 3);
    assert!(told[0].contains("from epoch 2 on encoder.5 "), "{told:?}");
    assert!(told[2].contains("encoder.0, encoder.1"), "{told:?}");
    let kept = std::fs::read_to_string(run.join("project.toml")).unwrap();
    assert!(
        kept.contains("unfreeze = \"encoder layers=1 every=1\""),
        "{kept}"
    );
    let told = strata(folder.path(), &["replay", "run"]);
    assert!(
        out(&told).starts_with("identical"),
        "{} {}",
        out(&told),
        err(&told)
    );
}

#[test]
fn a_run_that_unfreezes_resumes_to_the_same_bits_anywhere() {
    let folder = tempfile::tempdir().unwrap();
    let whole = folder.path().join("whole");
    for (which, setting) in ["encoder layers=1 every=1", "encoder layers=2 every=2"]
        .iter()
        .enumerate()
    {
        let mut project = gradual(&format!("unfreeze = \"{setting}\""), 5);
        project.stages[1].optimizer = "adam lr=1e-3".parse().unwrap();
        let whole = whole.with_extension(which.to_string());
        completed(train(&project, &options(&whole)).0);
        // TINY has three steps an epoch, six in its first stage.
        for step in [7, 9, 10, 13, 15, 18, 20] {
            let run = folder.path().join(format!("{which}-{step}"));
            stopped(train_until(&project, &options(&run), stop_at(step)).0);
            let resume = RunOptions {
                resume: true,
                ..options(&run)
            };
            completed(train(&project, &resume).0);
            assert_same(&whole, &run);
        }
    }
}

#[test]
fn patterns_freeze_the_layers_that_they_fit() {
    let folder = tempfile::tempdir().unwrap();
    for (pattern, moves) in [
        ("encoder.*", &["head.2"][..]),
        ("encoder.[0]", &[]),
        ("*.0", &["encoder.1", "encoder.3", "encoder.5", "head.2"]),
        (
            "encoder.*5",
            &["encoder.0", "encoder.1", "encoder.3", "head.2"],
        ),
    ] {
        let run = folder
            .path()
            .join(pattern.replace(['*', '.', '[', ']'], "_"));
        let project = gradual(&format!("freeze = [\"{pattern}\"]"), 1);
        let (outcome, _) = train(&project, &options(&run));
        if moves.is_empty() {
            let told = crate::kit::runs::failed(outcome).message;
            assert!(told.contains("freeze names"), "{told}");
            continue;
        }
        completed(outcome);
        assert_eq!(moved(&run, "stage-1", "stage-2"), moves, "{pattern}");
    }
}

#[test]
fn what_unfreezes_nothing_is_told_before_training() {
    let folder = tempfile::tempdir().unwrap();
    for (setting, part) in [
        ("unfreeze = \"body\"", "is no stack"),
        ("unfreeze = \"decoder\"", "names the decoder"),
        ("unfreeze = \"encoder every=0\"", "from 1"),
    ] {
        let text = crate::kit::runs::TINY.replace("freeze = [\"encoder.0\"]", setting);
        std::fs::write(folder.path().join("p.toml"), text).unwrap();
        let told = strata(folder.path(), &["check", "p.toml"]);
        assert_eq!(code(&told), 2, "{}", out(&told));
        let said = out(&told) + &err(&told);
        assert!(said.contains(part), "{said}");
    }
}
