//! Runs whose program dies, whose folder goes, or that the system ends: what is kept, and that the resumed run is the
//! same to the last bit.

use super::{refused, shell, trained, with_project};
use crate::kit::runs::{self, assert_same, completed, options, tiny, train};
use crate::kit::terminal::{code, err, strata};
use serde_json::Value;
use std::path::{Path, PathBuf};
use strata::engine::event::Event;

/// What a run folder holds at the moment when a checkpoint of this name has just been written: what a death there leaves.
fn copies_at(checkpoint: &str, folder: &Path) -> (PathBuf, Vec<PathBuf>) {
    let project = tiny(&[
        ("limit = 40", "limit = 40\nvalid = 0.2"),
        (
            "epochs = 2\nbatch = 16\n[[stage]]",
            "epochs = 2\nbatch = 16\nearly_stop = { patience = 9 }\n[[stage]]",
        ),
    ]);
    let run = folder.join("run");
    let mut copies = Vec::new();
    let (sender, receiver) = crossbeam_channel::unbounded();
    let mut sink = |event: Event| {
        if let Event::Checkpoint { path } = &event
            && path.file_stem().is_some_and(|stem| stem == checkpoint)
        {
            let copy = folder.join(format!("copy-{}", copies.len()));
            copy_folder(&run, &copy);
            copies.push(copy);
        }
    };
    let live = strata::engine::inspection::live::LiveResults::default();
    completed(strata::engine::run::run(
        &project,
        &options(&run),
        &receiver,
        &mut sink,
        &live,
    ));
    drop(sender);
    for copy in &copies {
        let again = strata::engine::thread::RunOptions {
            resume: true,
            ..options(copy)
        };
        completed(train(&project, &again).0);
    }
    (run, copies)
}

fn copy_folder(from: &Path, to: &Path) {
    std::fs::create_dir(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let (path, place) = (entry.path(), to.join(entry.file_name()));
        if path.is_dir() {
            copy_folder(&path, &place);
        } else {
            std::fs::copy(path, place).unwrap();
        }
    }
}

/// The figures that a run says it ended with.
fn figures(run: &Path) -> Value {
    let record = std::fs::read(run.join("run.json")).unwrap();
    let record: Value = serde_json::from_slice(&record).unwrap();
    record["metrics"].clone()
}

#[test]
fn a_death_after_any_checkpoint_leaves_no_trace_in_the_resumed_run() {
    for checkpoint in ["last", "best", "stage-1", "stage-2"] {
        let folder = tempfile::tempdir().unwrap();
        let (run, copies) = copies_at(checkpoint, folder.path());
        assert!(!copies.is_empty(), "{checkpoint}");
        for copy in &copies {
            assert_same(&run, copy);
            assert_eq!(
                figures(&run),
                figures(copy),
                "{checkpoint} {}",
                copy.display()
            );
        }
    }
}

#[test]
fn checkpoints_that_an_earlier_version_left_out_are_made_when_the_run_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let project = tiny(&[
        ("limit = 40", "limit = 40\nvalid = 0.2"),
        (
            "epochs = 2\nbatch = 16\n[[stage]]",
            "epochs = 2\nbatch = 16\nearly_stop = { patience = 9 }\n[[stage]]",
        ),
    ]);
    let run = folder.path().join("run");
    let mut first = options(&run);
    first.stage = Some("images".into());
    completed(train(&project, &first).0);
    let read =
        |name: &str| std::fs::read(run.join(format!("checkpoints/{name}.safetensors"))).unwrap();
    let (stage, best) = (read("stage-1"), read("best"));
    assert_eq!(stage, read("last"));
    assert!(best == stage, "the last epoch is the best");
    for name in ["stage-1", "best"] {
        std::fs::remove_file(run.join(format!("checkpoints/{name}.safetensors"))).unwrap();
    }
    let again = strata::engine::thread::RunOptions {
        resume: true,
        ..first
    };
    completed(train(&project, &again).0);
    assert!(read("stage-1") == stage && read("best") == best);
}

#[test]
fn a_run_that_died_before_its_first_checkpoint_can_be_started_again() {
    for resume in [false, true] {
        let folder = trained();
        let run = folder.path().join("run");
        let whole = folder.path().join("whole");
        copy_folder(&run, &whole);
        // As after a death between the record and the first checkpoint.
        for inside in ["checkpoints", "probe"] {
            std::fs::remove_dir_all(run.join(inside)).unwrap();
            std::fs::create_dir(run.join(inside)).unwrap();
        }
        for table in ["metrics.csv", "steps.csv"] {
            let text = std::fs::read_to_string(run.join(table)).unwrap();
            std::fs::write(
                run.join(table),
                format!("{}\n", text.lines().next().unwrap()),
            )
            .unwrap();
        }
        std::fs::write(run.join("run.json"), "{\"status\": \"running\"}\n").unwrap();
        let args: &[&str] = if resume {
            &["train", "run", "--resume"]
        } else {
            &["train", "tiny.toml", "-o", "run"]
        };
        let output = strata(folder.path(), args);
        assert_eq!(code(&output), 0, "{}", err(&output));
        assert_eq!(
            err(&output).contains("starts from the beginning"),
            resume,
            "{}",
            err(&output)
        );
        assert_same(&whole, &run);
        let taken = strata(folder.path(), &["train", "tiny.toml", "-o", "run"]);
        refused(&taken, "holds a run already");
    }
}

#[cfg(unix)]
#[test]
fn under_nohup_a_hangup_is_ignored_and_kill_saves_a_checkpoint() {
    let folder = with_project();
    let text = runs::TINY.replacen("epochs = 2", "epochs = 100000", 1);
    std::fs::write(folder.path().join("long.toml"), text).unwrap();
    let script = "trap '' HUP; strata train long.toml -o run 2> messages & child=$!; \
        while ! [ -e run/probe/stage-1-epoch-0001.safetensors ]; do sleep 0.05; done; \
        kill -HUP $child; sleep 0.3; kill -0 $child || exit 99; kill -TERM $child; wait $child";
    let output = shell(folder.path(), script);
    let messages = std::fs::read_to_string(folder.path().join("messages")).unwrap();
    assert_eq!(output.status.code(), Some(130), "{messages}");
    assert!(
        messages.contains("--resume") && !messages.contains("without a checkpoint:"),
        "{messages}"
    );
    let record = std::fs::read_to_string(folder.path().join("run/run.json")).unwrap();
    assert!(record.contains("stopped"), "{record}");
}

#[test]
fn a_run_folder_that_is_gone_is_told_as_such() {
    let folder = tempfile::tempdir().unwrap();
    let run = folder.path().join("run");
    let mut is_removed = false;
    let (_sender, receiver) = crossbeam_channel::unbounded();
    let gone = run.clone();
    let mut sink = |event: Event| {
        if matches!(event, Event::Epoch(_)) && !std::mem::replace(&mut is_removed, true) {
            std::fs::remove_dir_all(&gone).unwrap();
        }
    };
    let live = strata::engine::inspection::live::LiveResults::default();
    let outcome = strata::engine::run::run(&tiny(&[]), &options(&run), &receiver, &mut sink, &live);
    let message = runs::failed(outcome).message;
    assert!(
        message.contains("the folder is gone") && !message.contains("space"),
        "{message}"
    );
}

/// A file where the folder of probe images was: what cannot be written is called what it is, with what is kept.
#[test]
fn probe_images_that_cannot_be_written_are_no_checkpoint() {
    let folder = tempfile::tempdir().unwrap();
    let run = folder.path().join("run");
    let (_sender, receiver) = crossbeam_channel::unbounded();
    let probe = run.join("probe");
    let mut sink = |event: Event| {
        if matches!(event, Event::Started { .. }) {
            std::fs::remove_dir(&probe).unwrap();
            std::fs::write(&probe, "").unwrap();
        }
    };
    let live = strata::engine::inspection::live::LiveResults::default();
    let outcome = strata::engine::run::run(&tiny(&[]), &options(&run), &receiver, &mut sink, &live);
    let message = runs::failed(outcome).message;
    assert!(
        message.contains("the probe images stage-1-epoch-0001.safetensors")
            && message.contains("the last checkpoint is kept")
            && message.contains("--resume"),
        "{message}"
    );
    assert!(!message.contains("write the checkpoint"), "{message}");
    let record = std::fs::read_to_string(run.join("run.json")).unwrap();
    assert!(record.contains("\"failed\""), "{record}");
}

/// Killed after its folder was made and before the first file in it.
#[test]
fn a_folder_that_was_only_made_is_begun_again() {
    let folder = with_project();
    for made in ["dead/checkpoints", "dead/probe"] {
        std::fs::create_dir_all(folder.path().join(made)).unwrap();
    }
    std::fs::write(folder.path().join("dead/.lock"), "").unwrap();
    let args = ["train", "tiny.toml", "-o", "dead", "--resume"];
    let output = strata(folder.path(), &args);
    assert_eq!(code(&output), 0, "{}", err(&output));
    assert!(
        err(&output).contains("starts from the beginning"),
        "{}",
        err(&output)
    );
    std::fs::create_dir(folder.path().join("mine")).unwrap();
    std::fs::write(folder.path().join("mine/notes.txt"), "mine").unwrap();
    std::fs::write(folder.path().join("mine/.lock"), "").unwrap();
    let args = ["train", "tiny.toml", "-o", "mine", "--resume"];
    refused(&strata(folder.path(), &args), "nothing to resume");
}
