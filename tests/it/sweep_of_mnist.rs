//! The sweep of a course over MNIST in its reduced form, 128 trials: in parts of which one is killed, in the window, and
//! in one process of the terminal the same table. Minutes, so only with `cargo test long_sweep -- --ignored`.

use crate::sweeps::{finished, start, tables};
use std::path::PathBuf;
use std::process::Child;
use std::time::Duration;
use strata::project::file;
use strata::sweep::Standing;

/// The reduced form of a course's sweep over MNIST; in full with `cargo test long_sweep -- --ignored`.
const MNIST: &str = r#"
format = 1
title = "mnist sweep"
seed = 1
[data]
source = "mnist"
limit = 300
valid = 0.2
[network]
input = "1x28x28"
encoder = [{ repeat = 1, layers = ["conv 5 k3 same", "relu", "maxpool 2"] }]
head = ["flatten", "dense 10"]
[[stage]]
name = "classify"
task = "classify"
loss = "cross-entropy"
optimizer = "sgd lr=0.05"
epochs = 1
batch = 32
[sweep]
encoder.0.repeat = [1, 2]
encoder.0.layers.0.kernel_size = [2, 3, 5, 8]
encoder.0.layers.0.out_channels = [5, 10, 20, 40]
stage.0.momentum = [0, 0.5, 0.9, "0.9 nesterov"]
"#;

#[test]
#[ignore = "minutes: 256 runs on MNIST"]
fn long_sweep_of_mnist_in_four_parts_is_that_of_one_process() {
    let Some(data) = strata_testkit::folders::real_data("long_sweep_of_mnist") else {
        return;
    };
    let data = data.join("mnist");
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let text = MNIST.replace(
        "source = \"mnist\"",
        &format!("source = \"mnist\"\npath = \"{}\"", data.display()),
    );
    std::fs::write(path("p.toml"), text).unwrap();
    finished(start(folder.path(), &["sweep", "p.toml", "-o", "whole"]));
    let parts: Vec<(String, String)> = (1..=4)
        .map(|part| (format!("part-{part}"), format!("{part}/4")))
        .collect();
    let begin = |(into, shard): &(String, String)| {
        start(
            folder.path(),
            &[
                "sweep", "p.toml", "-o", into, "--shard", shard, "--jobs", "1",
            ],
        )
    };
    let mut all: Vec<Child> = parts.iter().map(begin).collect();
    std::thread::sleep(Duration::from_secs(2));
    all[2].kill().unwrap();
    all.remove(2).wait().unwrap();
    all.push(begin(&parts[2]));
    all.into_iter().for_each(finished);
    let merged: Vec<PathBuf> = parts.iter().map(|(into, _)| path(into)).collect();
    let (_, table) = strata::sweep::shard::merge(&merged, Some(&path("merged"))).unwrap();
    assert_eq!(table.count(Standing::Completed), 128);
    assert_eq!(tables(&path("whole")), tables(&path("merged")));
}

/// The same sweep by the window's engine and in the terminal.
#[test]
#[ignore = "minutes: 256 runs on MNIST"]
fn long_sweep_of_mnist_in_the_window_is_that_of_the_terminal() {
    let Some(data) = strata_testkit::folders::real_data("long_sweep_of_mnist") else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let text = MNIST.replace(
        "source = \"mnist\"",
        &format!(
            "source = \"mnist\"\npath = \"{}\"",
            data.join("mnist").display()
        ),
    );
    let project = file::parse(&text, "p").unwrap();
    let mut window = crate::sweep_view::view(folder.path(), &project);
    window.wait("the trials", |state| state.can_sweep());
    window.click("Train sweep");
    let limit = Duration::from_secs(1800);
    window.wait_at_most(limit, "the sweep", |state| {
        let table = state.sweeping.table();
        table.is_some_and(|table| table.count(Standing::Completed) == 128)
            && !state.sweeping.is_running()
    });
    let (swept, _) = window.state().sweeping.begun.clone().unwrap();
    std::fs::write(folder.path().join("p.toml"), text).unwrap();
    finished(start(folder.path(), &["sweep", "p.toml", "-o", "whole"]));
    assert_eq!(tables(&folder.path().join("whole")), tables(&swept));
}
