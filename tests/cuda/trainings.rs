//! Whole runs on the device: files, measuring, early stop, checkpoints that move to the CPU and back, and figures that
//! are those of the CPU within a hundredth.

use crate::place::{Place, cpu};
use crate::runs::{completed, failed, options, stop_at, stopped, tiny, train, train_until};
use std::path::Path;
use strata::engine::event::Event;
use strata::engine::storage::run_tables::each_step_row;
use strata::engine::thread::RunOptions;
use strata::project::Project;

/// The loss of every step.
fn losses(run: &Path) -> Vec<f64> {
    let mut losses = Vec::new();
    each_step_row(run, |row| losses.extend(row.number("loss")));
    losses
}

fn on(device: &str, run: &Path) -> RunOptions {
    RunOptions {
        device: Some(device.into()),
        ..options(run)
    }
}

fn assert_close(found: &[f64], wanted: &[f64], what: &str) {
    assert_eq!(found.len(), wanted.len(), "{what}");
    assert!(!wanted.is_empty(), "{what}");
    for (step, (a, b)) in found.iter().zip(wanted).enumerate() {
        assert!(
            (a - b).abs() <= 0.01 * b.abs().max(0.01),
            "{what}: step {step}: {a} {b}"
        );
    }
}

/// Projects that together have what a step can do.
fn projects() -> Vec<(&'static str, Project)> {
    let images = "loss = \"mse\"";
    let labels = "loss = \"cross-entropy\"";
    let with = |changes: &[(&str, &str)]| tiny(changes);
    vec![
        ("as it is", with(&[])),
        ("l1", with(&[(images, "loss = \"l1\"")])),
        ("huber", with(&[(images, "loss = \"huber delta=0.5\"")])),
        ("ssim", with(&[(images, "loss = \"ssim\"")])),
        (
            "bce",
            with(&[
                (images, "loss = \"bce\""),
                ("range = [-1, 1]", "range = [0, 1]"),
                ("\"tanh\"", "\"sigmoid\""),
            ]),
        ),
        (
            "both penalties, sums of batches, a bound",
            with(&[
                (
                    "sparsity = \"rho=0.1 beta=1e-3\"",
                    "sparsity = \"rho=0.1 beta=1e-3 l1=1e-4\"",
                ),
                (
                    labels,
                    "loss = \"cross-entropy label_smoothing=0.1\"\naccumulate = 2\nclip = \"norm=0.5\"",
                ),
            ]),
        ),
        (
            "class weights, a bound on values",
            with(&[(
                labels,
                "loss = \"cross-entropy\"\nclass_weights = \"balanced\"\nclip = \"value=0.01\"",
            )]),
        ),
        (
            "groups, slopes, noise, mixup",
            with(&[
                (
                    "[data]",
                    "[data]\naugment = [\"hflip p0.5\", \"mixup 0.2\"]",
                ),
                (
                    "\"bn\", \"relu\"",
                    "\"groupnorm 3\", \"prelu\", \"layernorm\", \"noise 0.1\", \"dropout-channels 0.2\"",
                ),
            ]),
        ),
        (
            "rmsprop and adagrad",
            with(&[
                ("adam lr=3e-3", "rmsprop lr=1e-3"),
                ("sgd lr=0.05 momentum=0.9 nesterov", "adagrad lr=0.01"),
            ]),
        ),
    ]
}

#[test]
fn runs_have_the_cpus_figures() {
    let folder = tempfile::tempdir().unwrap();
    for (name, project) in projects() {
        let run = folder.path().join("cpu").join(name);
        let wanted = {
            let _held = cpu();
            completed(train(&project, &on("cpu", &run)).0)
        };
        for place in Place::all() {
            let (_held, device, _) = place.hold();
            let there = folder
                .path()
                .join(device.replace(':', "-there "))
                .join(format!("{place:?}"))
                .join(name);
            let found = completed(train(&project, &on(device, &there)).0);
            assert_close(
                &losses(&there),
                &losses(&run),
                &format!("{place:?}, {name}"),
            );
            for ((split, found), (_, wanted)) in found.metrics.iter().zip(&wanted.metrics) {
                let off = (found.loss - wanted.loss).abs();
                assert!(
                    off <= 0.01 * wanted.loss.abs().max(0.01),
                    "{place:?}, {name}, {split:?}"
                );
            }
        }
    }
}

/// Stopped on one device and gone on with on the other, both ways.
#[test]
fn a_checkpoint_moves_between_devices() {
    let folder = tempfile::tempdir().unwrap();
    let project = tiny(&[]);
    let whole = folder.path().join("whole");
    {
        let _held = cpu();
        completed(train(&project, &on("cpu", &whole)).0);
    }
    let wanted = losses(&whole);
    for place in Place::all() {
        for starts_there in [true, false] {
            let run = folder.path().join(format!("{place:?} {starts_there}"));
            let part = |there: bool, resume: bool| {
                let (_held, device) = match there {
                    true => {
                        let (held, device, _) = place.hold();
                        (held, device)
                    }
                    false => (cpu(), "cpu"),
                };
                let options = RunOptions {
                    resume,
                    ..on(device, &run)
                };
                match resume {
                    true => {
                        completed(train(&project, &options).0);
                    }
                    false => {
                        stopped(train_until(&project, &options, stop_at(4)).0);
                    }
                }
            };
            part(starts_there, false);
            part(!starts_there, true);
            assert_close(
                &losses(&run),
                &wanted,
                &format!("{place:?} first: {starts_there}"),
            );
        }
    }
}

/// Previews and what is asked of a network in training, on the device.
#[test]
fn a_run_shows_what_it_learns() {
    let folder = tempfile::tempdir().unwrap();
    for place in Place::all() {
        let (_held, device, _) = place.hold();
        let run = folder.path().join(format!("{place:?}"));
        let (outcome, events) = train(&tiny(&[]), &on(device, &run));
        completed(outcome);
        assert!(run.join("dynamics.csv").is_file(), "{place:?}");
        let probes = std::fs::read_dir(run.join("probe")).unwrap().count();
        assert!(probes > 0, "{place:?}");
        assert!(events.iter().any(|event| matches!(event, Event::Epoch(_))));
    }
}

/// A network that goes wrong ends the run as on the CPU, with the last finite weights.
#[test]
fn numbers_that_are_none_end_a_run() {
    let folder = tempfile::tempdir().unwrap();
    let project = tiny(&[
        ("adam lr=3e-3", "sgd lr=1000"),
        ("\"tanh\"", "\"identity\""),
    ]);
    for place in Place::all() {
        let (_held, device, _) = place.hold();
        let run = folder.path().join(format!("{place:?}"));
        let failure = failed(train(&project, &on(device, &run)).0);
        assert!(
            failure.message.contains("the loss is"),
            "{place:?}: {}",
            failure.message
        );
        assert!(run.join("checkpoints/last.safetensors").is_file());
    }
}
