//! The script that goes with a network for PyTorch trains the same project there: on one process and on two, stopped,
//! killed and resumed, and leaves a run that is evaluated and gone on with here. Where Python has PyTorch.

use crate::kit::runs::{completed, options, tiny, train};
use crate::kit::terminal::{code, err, json, out, strata};
use std::ffi::OsString;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};
use strata::engine::storage::record::{RunRecord, Status};
use strata::export::bundle::{Format, Request, export};
use strata::project::Project;
use strata::project::data::Split;
use strata_testkit::folders::python_with;

/// What the tiny project lacks for a network that trains alike however it is shared out: no batch norm, no dropout.
pub(crate) const PLAIN: [(&str, &str); 2] = [("\"bn\", ", ""), ("\"dropout 0.3\", ", "")];

pub(crate) fn pytorch(test: &str) -> Option<OsString> {
    python_with(&["torch", "torchvision", "safetensors"], test)
}

/// A run of a changed tiny project in `run`, exported to `export`.
pub(crate) fn exported(at: &Path, changes: &[(&str, &str)]) {
    trained_and_exported(at, &tiny(changes));
}

/// The same of any project.
pub(crate) fn trained_and_exported(at: &Path, project: &Project) {
    completed(train(project, &options(&at.join("run"))).0);
    let exported = export(&Request {
        run: &at.join("run"),
        checkpoint: "last",
        format: Format::Pytorch,
        folder: &at.join("export"),
        force: false,
        with_training: true,
    });
    assert_eq!(exported.unwrap().without_training, None);
}

/// The script as `python` or, with two processes, as torchrun starts it.
pub(crate) fn script(
    python: &OsString,
    at: &Path,
    processes: usize,
    arguments: &[&str],
) -> Command {
    let mut command = Command::new(python);
    if processes > 1 {
        let count = format!("--nproc-per-node={processes}");
        command.args(["-m", "torch.distributed.run", "--standalone", &count]);
    }
    command
        .arg("export/train.py")
        .args(arguments)
        .args(["--device", "cpu"])
        .env("OMP_NUM_THREADS", "1")
        .current_dir(at);
    command
}

pub(crate) fn done(output: &Output) {
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{told}");
}

pub(crate) fn record(run: &Path) -> RunRecord {
    RunRecord::read(run).unwrap()
}

/// Whether two runs measured the same, but for rounding.
pub(crate) fn assert_alike(one: &RunRecord, other: &RunRecord, within: f64) {
    assert_eq!((one.status, one.steps), (other.status, other.steps));
    for split in ["train", "valid", "test", "unlabeled"] {
        let [one, other] = [one, other].map(|record| record.metrics[split].loss);
        assert!(
            (one - other).abs() <= within * one.abs(),
            "{split}: {one} and {other}"
        );
    }
}

/// Waits until a run has taken so many steps.
pub(crate) fn wait_for_steps(run: &Path, child: &mut Child, steps: usize) {
    let start = Instant::now();
    loop {
        let text = std::fs::read_to_string(run.join("steps.csv")).unwrap_or_default();
        if text.lines().count() > steps {
            return;
        }
        assert!(
            child.try_wait().unwrap().is_none(),
            "it ended before step {steps}"
        );
        assert!(start.elapsed() < Duration::from_secs(100), "{text}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn what_it_trains_is_a_run_like_any_other() {
    let Some(python) = pytorch("what_it_trains_is_a_run_like_any_other") else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    exported(
        at,
        &[(
            "limit = 40",
            "limit = 40\naugment = [\"hflip p0.5\", \"shift 0.1\", \"saltpepper 0.1\"]",
        )],
    );
    done(&script(&python, at, 1, &["made"]).output().unwrap());
    let run = at.join("made");
    let made = record(&run);
    assert_eq!((made.status, made.steps), (Status::Completed, 12));
    assert!(made.device.contains("PyTorch"), "{}", made.device);
    let told = json(&strata(at, &["eval", "made", "--json"]));
    let trained = made.metrics[Split::Test.name()].accuracy.unwrap();
    assert!((told["test"]["accuracy"].as_f64().unwrap() - trained).abs() < 1e-9);
    let loss = made.metrics[Split::Test.name()].log_loss.unwrap();
    assert!((told["test"]["log_loss"].as_f64().unwrap() - loss).abs() < 1e-5);
    for picture in ["reconstructions", "filters", "loss"] {
        let drawn = strata(at, &["inspect", "made", picture, "-o", "drawn.png"]);
        assert_eq!(code(&drawn), 0, "{picture}: {}", err(&drawn));
    }
    let compared = strata(at, &["compare", "run", "made"]);
    assert!(out(&compared).contains("made"), "{}", err(&compared));
    let longer = strata(at, &["train", "made", "--resume", "--more-epochs", "1"]);
    assert_eq!(code(&longer), 0, "{}", err(&longer));
    assert_eq!(record(&run).steps, 15);
}

#[test]
fn two_processes_train_like_one() {
    let Some(python) = pytorch("two_processes_train_like_one") else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    let changes = [
        &PLAIN[..],
        &[("loss = \"mse\"", "loss = \"ssim range=2\"")],
        &[(
            "batch = 16\n[[stage]]",
            "batch = 7\naccumulate = 2\nclip = \"norm=1\"\n[[stage]]",
        )],
    ]
    .concat();
    exported(at, &changes);
    done(&script(&python, at, 1, &["one"]).output().unwrap());
    done(&script(&python, at, 2, &["two"]).output().unwrap());
    assert_alike(&record(&at.join("one")), &record(&at.join("two")), 1e-4);
}

#[test]
fn stopped_and_killed_it_ends_like_one_never_stopped() {
    let Some(python) = pytorch("stopped_and_killed_it_ends_like_one_never_stopped") else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    exported(
        at,
        &[(
            "epochs = 2\nbatch = 16\n[[stage]]",
            "epochs = 60\nbatch = 16\n[[stage]]",
        )],
    );
    done(&script(&python, at, 1, &["whole"]).output().unwrap());
    let run = at.join("broken");
    let start = |arguments: &[&str]| {
        let mut command = script(&python, at, 1, arguments);
        command.stdout(Stdio::null()).stderr(Stdio::null());
        command.spawn().unwrap()
    };
    let mut child = start(&["broken"]);
    wait_for_steps(&run, &mut child, 20);
    std::fs::write(run.join("commands.txt"), "stop\n").unwrap();
    assert!(child.wait().unwrap().success());
    let stopped = record(&run);
    assert_eq!(stopped.status, Status::Stopped);
    let mut child = start(&["broken", "--resume"]);
    wait_for_steps(&run, &mut child, stopped.steps as usize + 30);
    child.kill().unwrap();
    child.wait().unwrap();
    done(
        &script(&python, at, 1, &["broken", "--resume"])
            .output()
            .unwrap(),
    );
    assert_alike(&record(&at.join("whole")), &record(&run), 1e-9);
    let steps = |run: &str| std::fs::read_to_string(at.join(run).join("steps.csv")).unwrap();
    assert_eq!(steps("whole"), steps("broken"));
}

#[test]
fn it_pauses_goes_on_and_takes_another_rate() {
    let Some(python) = pytorch("it_pauses_goes_on_and_takes_another_rate") else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    exported(
        at,
        &[(
            "epochs = 2\nbatch = 16\n[[stage]]",
            "epochs = 200\nbatch = 16\n[[stage]]",
        )],
    );
    let run = at.join("made");
    let mut child = script(&python, at, 2, &["made"])
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    wait_for_steps(&run, &mut child, 10);
    let asked = strata(at, &["control", "made", "--pause"]);
    assert_eq!(code(&asked), 0, "{}", err(&asked));
    let steps = || {
        let text = std::fs::read_to_string(run.join("steps.csv")).unwrap();
        text.lines().count()
    };
    std::thread::sleep(Duration::from_secs(2));
    let paused = steps();
    std::thread::sleep(Duration::from_secs(1));
    assert_eq!(steps(), paused, "it goes on though it is paused");
    let asked = strata(at, &["control", "made", "--set", "lr=0.0005", "--resume"]);
    assert_eq!(code(&asked), 0, "{}", err(&asked));
    wait_for_steps(&run, &mut child, paused + 10);
    let asked = strata(at, &["control", "made", "--stop"]);
    assert_eq!(code(&asked), 0, "{}", err(&asked));
    assert!(child.wait().unwrap().success());
    assert_eq!(record(&run).status, Status::Stopped);
    let changes = std::fs::read_to_string(run.join("changes.csv")).unwrap();
    assert!(changes.contains(",images,lr,0.0005"), "{changes}");
}

#[test]
fn what_pytorch_has_no_word_for_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    let changes = [(
        "limit = 40",
        "limit = 40\naugment = [\"perspective 0.3 wrap\"]",
    )];
    completed(train(&tiny(&changes), &options(&at.join("run"))).0);
    let told = strata(at, &["export", "run", "--to", "pytorch"]);
    assert_eq!(code(&told), 0);
    assert!(err(&told).contains("`perspective 0.3"), "{}", err(&told));
    assert!(at.join("run/export/model.py").exists());
    assert!(!at.join("run/export/train.py").exists());
    let alone = [
        "export",
        "run",
        "--to",
        "pytorch",
        "--no-training",
        "-o",
        "alone",
    ];
    assert_eq!(err(&strata(at, &alone)), "");
}
