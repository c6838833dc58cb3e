//! A run of an earlier version, kept in `tests/fixtures/old_run` as that version wrote it (its README says how): it
//! opens, is inspected and evaluated, and is resumed as if it were a run of today.

use crate::kit::runs::{completed, options, train};
use std::path::Path;
use strata::app::curves::Curves;
use strata::engine::storage::saved_run::SavedRun;
use strata::engine::thread::RunOptions;
use strata::inspect::filters::{Filters, Request};
use strata::project::data::Split;
use strata::project::file;

/// A copy that may be written to.
fn old_run() -> tempfile::TempDir {
    let copy = tempfile::tempdir().unwrap();
    copy_files(
        &Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/old_run"),
        copy.path(),
    );
    copy
}

fn copy_files(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let target = to.join(path.file_name().unwrap());
        if path.is_dir() {
            copy_files(&path, &target);
        } else {
            std::fs::copy(&path, &target).unwrap();
        }
    }
}

/// The values of a column of a split, in order.
fn column(run: &Path, name: &str, split: &str) -> Vec<f64> {
    let mut table = csv::Reader::from_path(run.join("metrics.csv")).unwrap();
    let header = table.headers().unwrap().clone();
    let at = |name: &str| header.iter().position(|column| column == name).unwrap();
    table
        .records()
        .map(Result::unwrap)
        .filter(|row| &row[at("split")] == split)
        .filter_map(|row| row[at(name)].parse().ok())
        .collect()
}

#[test]
fn an_old_run_opens_with_its_curves_its_filters_and_its_figures() {
    let folder = old_run();
    let run = folder.path();
    let curves = Curves::read(run);
    let stages: Vec<&str> = curves
        .stages
        .iter()
        .map(|stage| stage.name.as_str())
        .collect();
    assert_eq!(stages, ["images", "labels"]);
    assert_eq!(curves.steps(), 12);
    assert!(
        curves.holds_penalty,
        "that version added the penalty to the loss of a step"
    );
    let valid = column(run, "loss", "valid");
    assert_eq!(valid.len(), 4, "{valid:?}");
    let drawn: Vec<f64> = curves.loss.valid.iter().map(|point| point[1]).collect();
    assert_eq!(drawn, valid);

    let mut saved = SavedRun::open(run, "last", Some("cpu"), &mut |_| true).unwrap();
    assert_eq!(saved.warnings, [""; 0], "its images are those of today");
    let filters = saved.inspect::<Filters>(&Request::default()).unwrap();
    assert_eq!([filters.count, filters.height, filters.width], [4, 3, 3]);
    assert_eq!(filters.step, 12);
    let measured = saved.evaluate(Split::Valid).unwrap().metrics;
    assert_eq!(
        measured.accuracy,
        column(run, "accuracy", "valid").last().copied()
    );
}

#[test]
fn an_old_run_is_resumed_for_an_epoch() {
    let folder = old_run();
    let run = folder.path();
    let lines = |name: &str| -> Vec<String> {
        let text = std::fs::read_to_string(run.join(name)).unwrap();
        text.lines().map(str::to_owned).collect()
    };
    let [steps, metrics] = ["steps.csv", "metrics.csv"].map(&lines);
    let project = file::load(&run.join("project.toml")).unwrap();
    let longer = RunOptions {
        resume: true,
        epochs: Some(3),
        stage: Some("labels".to_owned()),
        ..options(run)
    };
    let summary = completed(train(&project, &longer).0);
    assert_eq!(summary.run, run);
    let [more_steps, more_metrics] = ["steps.csv", "metrics.csv"].map(&lines);
    assert_eq!(more_steps.len(), steps.len() + 3, "{more_steps:?}");
    assert!(more_steps.starts_with(&steps) && more_metrics.starts_with(&metrics));
    assert!(more_metrics.len() > metrics.len());
}
