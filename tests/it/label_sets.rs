//! Images with several labels each: trained, measured, asked and refused, through the terminal and the window.

use crate::kit::runs::{assert_same, completed, options, stop_at, stopped, train, train_until};
use crate::kit::terminal::{code, err, json, out, strata};
use std::fs;
use std::path::Path;
use strata::engine::storage::saved_run::SavedRun;
use strata::inspect::confusion::Confusion;
use strata::inspect::predictions::{List, Predictions, Request};
use strata::project::data::Split;
use strata::project::{Project, file};
use strata_testkit::files::npy;

pub(crate) const LABELS: usize = 3;
const SIDE: usize = 8;

/// Which labels an image has: all eight combinations come, the last label seldom.
pub(crate) fn row(index: usize) -> [u8; LABELS] {
    [
        index % 2,
        usize::from(index % 5 < 2),
        usize::from(index.is_multiple_of(7)),
    ]
    .map(|bit| bit as u8)
}

/// Images with a bright patch in a corner of its own for each label, and their rows of labels.
pub(crate) fn data(at: &Path) {
    let at = &at.join("d");
    fs::create_dir(at).unwrap();
    for (name, first, count) in [("train", 0, 210), ("test", 1000, 70)] {
        let mut pixels = Vec::new();
        let mut labels = Vec::new();
        for index in first..first + count {
            let row = row(index);
            labels.extend(row);
            let mut image = [0u8; SIDE * SIDE];
            for (place, value) in image.iter_mut().enumerate() {
                let quadrant = usize::from(place / SIDE >= SIDE / 2) * 2
                    + usize::from(place % SIDE >= SIDE / 2);
                let is_there = row.get(quadrant).is_some_and(|bit| *bit == 1);
                let noise = (place * 31 + index * 17) % 60;
                *value = noise as u8 + if is_there { 150 } else { 0 };
            }
            pixels.extend(image);
        }
        fs::write(
            at.join(format!("x_{name}.npy")),
            npy("|u1", &[count, SIDE, SIDE], &pixels),
        )
        .unwrap();
        fs::write(
            at.join(format!("y_{name}.npy")),
            npy("|u1", &[count, LABELS], &labels),
        )
        .unwrap();
    }
    fs::write(at.join("classes.txt"), "cat\ndog\nhat\n").unwrap();
}

pub(crate) fn project(at: &Path, head: &str, loss: &str, more: &str) -> Project {
    let text = format!(
        r#"format = 1
title = "labels"
seed = 3
[data]
source = "npy"
path = "{}/d"
valid = 0.1
{more}
[network]
input = "1x8x8"
encoder = ["conv 6 k3 p1", "relu", "maxpool 2"]
head = ["flatten", "{head}"]
[[stage]]
name = "labels"
task = "classify"
loss = "{loss}"
optimizer = "adam lr=1e-2"
epochs = 12
batch = 16
"#,
        at.display()
    );
    fs::write(at.join("p.toml"), &text).unwrap();
    file::parse(&text, "p.toml").unwrap()
}

#[test]
fn several_labels_are_learnt_and_told_of_in_the_terminal() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    data(at);
    let project = project(at, "dense 3", "bce", "");
    let summary = completed(train(&project, &options(&at.join("run"))).0);
    completed(train(&project, &options(&at.join("other"))).0);
    let (_, test) = summary
        .metrics
        .iter()
        .find(|(split, _)| *split == Split::Test)
        .unwrap();
    assert!(test.accuracy.unwrap() > 0.97, "{test:?}");
    assert!(
        test.f1.unwrap() > 0.95 && test.exact_match.unwrap() > 0.9,
        "{test:?}"
    );
    assert_eq!(test.log_loss, None);
    let record = fs::read_to_string(at.join("run/run.json")).unwrap();
    assert!(record.contains("exact_match"), "{record}");

    let told = json(&strata(at, &["eval", "run", "--json"]));
    let labels = told["test"]["labels"].as_array().unwrap();
    assert_eq!(labels.len(), LABELS);
    let images: u64 = (1000..1070).map(|index| u64::from(row(index)[0])).sum();
    assert_eq!(labels[0]["images"], images);
    assert!(told["test"]["confusion"].is_null());
    let told = out(&strata(at, &["eval", "run"]));
    assert!(
        told.contains("exact match") && told.contains("recall"),
        "{told}"
    );
    assert!(told.contains("hat"), "{told}");

    // Each label has a probability of its own: their sum is no 1.
    let image = image::GrayImage::from_pixel(SIDE as u32, SIDE as u32, image::Luma([200]));
    image.save(at.join("bright.png")).unwrap();
    let told = json(&strata(at, &["predict", "run", "bright.png", "--json"]));
    let top = told[0]["top"].as_array().unwrap();
    let sum: f64 = top
        .iter()
        .map(|one| one["probability"].as_f64().unwrap())
        .sum();
    assert!(sum > 1.5, "{told}");

    let told = json(&strata(at, &["data", "d", "--json"]));
    assert_eq!(told["splits"]["train"]["several_labels"], true);
    let told = out(&strata(at, &["data", "d"]));
    assert!(
        told.contains("3 labels, of which an image may have several"),
        "{told}"
    );
    for (args, part) in [
        (&["inspect", "run", "confusion", "-o", "c.png"][..], ""),
        (&["inspect", "run", "predictions", "-o", "p.png"], ""),
        (&["report", "run", "-o", "r.html"], ""),
        (
            &["inspect", "run", "adversarial", "-o", "a.png"],
            "several labels",
        ),
        (&["inspect", "run", "saliency", "-o", "s.png"], ""),
        (
            &["inspect", "run", "saliency", "--class", "1", "-o", "s.png"],
            "",
        ),
        (&["baseline", "p.toml", "--model", "knn"], "several labels"),
        (&["compare", "run", "other"], ""),
    ] {
        let done = strata(at, args);
        assert_eq!(
            code(&done) == 0,
            part.is_empty(),
            "{args:?}: {}",
            err(&done)
        );
        assert!(err(&done).contains(part), "{args:?}: {}", err(&done));
    }
    let compared = out(&strata(at, &["compare", "run", "other"]));
    assert!(
        compared.contains("several labels") && !compared.contains("McNemar"),
        "{compared}"
    );
    assert!(compared.contains("F1 of labels"), "{compared}");
    let report = fs::read_to_string(at.join("r.html")).unwrap();
    assert!(
        report.contains("images with every label right"),
        "no figures of labels"
    );
}

#[test]
fn what_a_network_says_of_labels_is_listed() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    data(at);
    let mut project = project(at, "dense 3", "bce", "");
    // Hardly trained, so that there are mistakes.
    project.stages[0].epochs = 1;
    completed(train(&project, &options(&at.join("run"))).0);
    let mut run = SavedRun::open(&at.join("run"), "last", None, &mut |_| true).unwrap();
    let evaluation = run.evaluate(Split::Test).unwrap();
    let confusion = run.inspect::<Confusion>(&Default::default()).unwrap();
    assert_eq!(Some(&confusion.labels), evaluation.labels.as_ref());
    assert!((confusion.accuracy().unwrap() - evaluation.metrics.accuracy.unwrap()).abs() < 1e-12);
    assert!(confusion.counts.is_empty());
    for list in [List::MostWrong, List::LeastSure, List::First] {
        let request = Request {
            list,
            ..Request::default()
        };
        let said = run.inspect::<Predictions>(&request).unwrap();
        assert_eq!(said.per_class, confusion.labels);
        assert_eq!(said.calibration_error, None);
        for image in &said.shown {
            let labels = image.labels.clone().unwrap();
            let wanted = row(1000 + image.index as usize);
            let names = ["cat", "dog", "hat"];
            let there: Vec<&str> = (0..LABELS)
                .filter(|label| wanted[*label] == 1)
                .map(|label| names[label])
                .collect();
            assert_eq!(labels.len(), there.len());
            let truth = said.truth(image).unwrap();
            assert!(there.iter().all(|name| truth.contains(name)), "{truth}");
            assert_eq!(there.is_empty(), truth == "none of the labels");
            if list == List::MostWrong {
                assert!(image.is_wrong);
            }
        }
    }
}

/// Mixup blends rows of labels too; a stopped and resumed run has the same bits.
#[test]
fn a_resumed_run_of_labels_is_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    data(at);
    let mut project = project(at, "dense 3", "bce", "augment = [\"mixup 0.3\"]");
    project.stages[0].epochs = 3;
    completed(train(&project, &options(&at.join("whole"))).0);
    let part = options(&at.join("part"));
    stopped(train_until(&project, &part, stop_at(17)).0);
    let rest = strata::engine::thread::RunOptions {
        resume: true,
        ..part
    };
    completed(train(&project, &rest).0);
    assert_same(&at.join("whole"), &at.join("part"));
}

#[test]
fn what_does_not_fit_several_labels_is_refused_in_one_message() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    data(at);
    for (head, loss, more, parts) in [
        (
            "dense 3",
            "cross-entropy",
            "",
            ["several of 3 labels", "loss = \"bce\""],
        ),
        ("dense 4", "bce", "", ["a score for each", "dense 3"]),
        (
            "dense 3",
            "bce",
            "weights = \"balanced\"",
            ["several labels", "weights"],
        ),
        (
            "dense 3",
            "bce",
            "per_class = 3",
            ["several labels", "per_class"],
        ),
    ] {
        project(at, head, loss, more);
        let told = strata(at, &["train", "p.toml", "-o", "x"]);
        assert_eq!(code(&told), 2, "{}", err(&told));
        for part in parts {
            assert!(
                err(&told).contains(part),
                "{head} {loss} {more}: {}",
                err(&told)
            );
        }
        assert!(!at.join("x").exists());
    }
    let mut weighed = project(at, "dense 3", "bce", "");
    weighed.stages[0].class_weights = "1 2".parse().ok();
    let (outcome, _) = train(&weighed, &options(&at.join("y")));
    let failure = crate::kit::runs::failed(outcome);
    assert!(
        failure
            .message
            .contains("weighs 2 labels, but the images have 3"),
        "{}",
        failure.message
    );
}

/// A rare label that counts as much as its absence is found more often.
#[test]
fn labels_that_are_there_count_by_their_weights() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    data(at);
    let mut project = project(at, "dense 3", "bce", "");
    project.stages[0].epochs = 2;
    let recall = |name: &str, project: &Project| {
        completed(train(project, &options(&at.join(name))).0);
        let mut run = SavedRun::open(&at.join(name), "last", None, &mut |_| true).unwrap();
        let labels = run.evaluate(Split::Test).unwrap().labels.unwrap();
        labels[2].recall().unwrap_or(0.0)
    };
    let plain = recall("plain", &project);
    project.stages[0].class_weights = "balanced".parse().ok();
    let balanced = recall("balanced", &project);
    assert!(balanced > plain, "{balanced} {plain}");
    // What ranks trials may be a figure of the labels.
    let table = fs::read_to_string(at.join("plain/metrics.csv")).unwrap();
    assert!(table.starts_with("stage,epoch,step,split,loss,accuracy,f1,exact_match,log_loss"));
    let text = fs::read_to_string(at.join("p.toml")).unwrap();
    let text = text.replace("epochs = 12", "epochs = 2");
    let sweep =
        "[sweep]\nmetric = \"best valid f1\"\nstage.0.class_weights = [false, \"balanced\"]\n";
    fs::write(at.join("s.toml"), format!("{text}{sweep}")).unwrap();
    let told = json(&strata(at, &["sweep", "s.toml", "-o", "s", "--json"]));
    for trial in told["trials"].as_array().unwrap() {
        assert!(
            trial["rank"].is_number() && trial["value"]["mean"].is_number(),
            "{trial}"
        );
        assert!(
            trial["measured"]["valid exact match"]["mean"].is_number(),
            "{trial}"
        );
    }
}
