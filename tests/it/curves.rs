//! Curves and headlines are the numbers: as they were measured, in the window, in pictures and in the terminal, live and
//! reopened.

use super::kit::runs::{completed, options, tiny, train};
use super::kit::terminal::{code, err, json, out, strata};
use super::kit::window::{Window, builtin, open};
use std::path::Path;
use strata::app::action::{Action, Show};
use strata::app::curves::{Curves, Quantity};
use strata::app::view_kind::ViewKind;
use strata::engine::event::Event;
use strata::engine::storage::record::RunRecord;
use strata::project::{Project, file};

/// A classifier's run whose tables hold these rows.
fn run_of(folder: &Path, steps: &str, metrics: &str) {
    let mut project = builtin("lenet-mnist");
    project.stages[0].name = "a".to_owned();
    std::fs::create_dir_all(folder).unwrap();
    file::save(&project, &folder.join("project.toml")).unwrap();
    let write = |name: &str, text: String| std::fs::write(folder.join(name), text).unwrap();
    write(
        "steps.csv",
        format!("step,stage,epoch,loss,lr,penalty,accuracy\n{steps}"),
    );
    write(
        "metrics.csv",
        format!("stage,epoch,step,split,loss,accuracy,log_loss,lr,seconds\n{metrics}"),
    );
}

/// The losses of a run that fell to exactly 0 at its second step.
fn run_of_zeros(folder: &Path) {
    let steps: String = (1..=25)
        .map(|step| {
            let loss = if step == 1 { 0.678 } else { 0.0 };
            format!("{step},a,{},{loss},0.1,,1\n", (step + 4) / 5)
        })
        .collect();
    let epoch = |epoch: u32| {
        let loss = if epoch == 1 { 0.1356 } else { 0.0 };
        let step = 5 * epoch;
        format!("a,{epoch},{step},train,{loss},0.5,,0.1,1\na,{epoch},{step},valid,0,0.5,,,1\n")
    };
    run_of(folder, &steps, &(1..=5).map(epoch).collect::<String>());
}

fn inspect(at: &Path, what: &str) -> serde_json::Value {
    let output = strata(at, &["inspect", "run", what, "-o", "plot.png", "--json"]);
    assert_eq!(code(&output), 0, "{}", err(&output));
    json(&output)
}

/// The values of a line in the JSON.
fn line(value: &serde_json::Value, name: &str) -> Vec<f64> {
    let points = value["points"].as_array().unwrap().iter();
    let of_line = points.filter(|point| point["name"] == name);
    of_line
        .map(|point| point["value"].as_f64().unwrap())
        .collect()
}

#[test]
fn a_loss_of_zero_is_told_as_zero() {
    let folder = tempfile::tempdir().unwrap();
    run_of_zeros(&folder.path().join("run"));
    let value = inspect(folder.path(), "loss");
    let batches = line(&value, "batch");
    assert_eq!((batches.len(), batches[0], batches[24]), (25, 0.678, 0.0));
    assert_eq!(line(&value, "train"), [0.1356, 0.0, 0.0, 0.0, 0.0]);
    assert_eq!(
        value["headline"],
        serde_json::json!({"train": 0.0, "valid": 0.0})
    );
    let series = value["series"].as_array().unwrap();
    let batch = series
        .iter()
        .find(|series| series["name"] == "batch")
        .unwrap();
    assert_eq!(
        (&batch["zeros"], &batch["non_finite"]),
        (&24.into(), &0.into())
    );
    let last = value["points"].as_array().unwrap().last().unwrap();
    assert_eq!(
        (&last["name"], &last["split"], last["epoch"].as_f64()),
        (&"valid".into(), &"valid".into(), Some(5.0))
    );
}

#[test]
fn zeros_on_a_logarithmic_axis_are_marked_and_counted() {
    let folder = tempfile::tempdir().unwrap();
    let run = folder.path().join("run");
    run_of_zeros(&run);
    let mut window = Window::idle("conv-autoencoder");
    window.harness.state_mut().handle(Action::Open(run));
    window.wait("the curves", |state| !state.training.is_reading());
    window.show_alone(ViewKind::Loss);
    window
        .harness
        .state_mut()
        .handle(Action::Show(Show::LogLoss(true)));
    window.run();
    // 4 of the epochs' zeros are of the training, 5 of the validation images.
    assert!(window.has("24 zeros") && window.has("9 zeros of epochs"));
    assert!(window.has("train 0") && window.has("valid 0"));
    window.keep_picture("curves/zeros-log");
    window
        .harness
        .state_mut()
        .handle(Action::Show(Show::LogLoss(false)));
    window.run();
    assert!(!window.has("zeros"), "they have a place on a linear axis");
}

#[test]
fn a_reopened_run_shows_the_last_values_of_its_tables() {
    let folder = tempfile::tempdir().unwrap();
    let rows: String = (1..=12)
        .map(|epoch| {
            let (step, train) = (10 * epoch, 0.10 + 0.0377 * f64::from(epoch));
            let train = if epoch == 12 { 0.5532 } else { train };
            format!("a,{epoch},{step},train,1.3,{train},,0.1,1\na,{epoch},{step},valid,1.414,0.54,,,1\na,{epoch},{step},test,2.855924e74,0.53,,,1\n")
        })
        .collect();
    let run = folder.path().join("run");
    run_of(&run, "1,a,1,2.3,0.1,,0.1\n", &rows);
    let mut window = Window::idle("conv-autoencoder");
    window.harness.state_mut().handle(Action::Open(run));
    window.wait("the curves", |state| !state.training.is_reading());
    window.show_alone(ViewKind::Accuracy);
    assert!(
        window.has("train 55.32 %") && window.has("valid 54.00 %") && window.has("test 53.00 %")
    );
    window.show_alone(ViewKind::Loss);
    assert!(window.has("test 2.86e74"));
    let results =
        "train loss 1.300, 55.32 % · valid loss 1.414, 54.00 % · test loss 2.86e74, 53.00 %";
    assert!(window.has(results), "the bar below says what was reached");
    let value = inspect(folder.path(), "accuracy");
    assert_eq!(value["headline"]["train"], 0.5532);
    assert_eq!(value["headline"]["test"], 0.53);
    for dark in [true, false] {
        window.set_dark(dark);
        let theme = if dark { "dark" } else { "light" };
        for kind in [ViewKind::Loss, ViewKind::Accuracy] {
            window.show_alone(kind);
            window.keep_picture(&format!("curves/reopened-{}-{theme}", kind as usize));
        }
    }
}

/// Losses that are constant, one alone, not finite, huge, or hardly differ.
#[test]
fn curves_of_any_numbers_are_drawn() {
    let folder = tempfile::tempdir().unwrap();
    let constant: String = (1..=12)
        .map(|step| format!("{step},a,{step},1.618,0,,0.2\n"))
        .collect();
    let near: String = (1..=12)
        .map(|step| format!("{step},a,{step},{},0,,0\n", 1.618 + 1e-6 * f64::from(step)))
        .collect();
    let wild = "1,a,1,1e30,0.1,,0\n2,a,1,NaN,0.1,,0\n3,a,1,inf,0.1,,0\n4,a,1,-5,0.1,,0\n5,a,1,1e-30,0.1,,0\n";
    let valid = "a,1,5,train,NaN,0,,0.1,1\na,1,5,valid,inf,0,,,1\n";
    for (name, steps, metrics) in [
        (
            "constant",
            constant.as_str(),
            "a,12,12,valid,1.565,0.2,,,1\n",
        ),
        ("near", near.as_str(), ""),
        ("one", "1,a,1,0.5,0.1,,1\n", ""),
        ("wild", wild, valid),
        ("none finite", "1,a,1,NaN,0.1,,\n", ""),
        ("measured alone", "", valid),
    ] {
        let run = folder.path().join("run");
        run_of(&run, steps, metrics);
        for what in ["loss", "accuracy"] {
            let output = strata(
                folder.path(),
                &["inspect", "run", what, "-o", "plot.png", "--json"],
            );
            if what == "accuracy" && name == "none finite" {
                assert!(code(&output) == 2 && err(&output).contains("nothing was classified"));
                continue;
            }
            assert_eq!(code(&output), 0, "{name} {what}: {}", err(&output));
            let value = json(&output);
            assert!(!value["points"].as_array().unwrap().is_empty());
            let plot = image::open(folder.path().join("plot.png")).unwrap();
            assert_eq!((plot.width(), plot.height()), (1920, 1200));
        }
    }
    run_of(&folder.path().join("run"), wild, valid);
    let value = inspect(folder.path(), "loss");
    assert_eq!(
        value["headline"],
        serde_json::json!({"train": "NaN", "valid": "inf"})
    );
    assert_eq!(value["series"][0]["non_finite"], 2);
}

/// What training told while it went on, as the window collects it.
fn live(project: &Project, events: &[Event]) -> Curves {
    let mut curves = Curves::default();
    for event in events {
        match event {
            Event::Stage {
                index,
                name,
                steps_per_epoch,
                ..
            } => {
                curves.stage(name, *steps_per_epoch);
                curves.stage_loss(project.stages[*index].loss.to_string());
            }
            Event::Step(report) => curves.step(report),
            Event::Epoch(report) => curves.epoch(report),
            _ => {}
        }
    }
    curves
}

#[test]
fn a_run_in_training_and_the_same_run_reopened_are_equal() {
    let folder = tempfile::tempdir().unwrap();
    let (project, run) = (tiny(&[]), folder.path().join("run"));
    let (outcome, events) = train(&project, &options(&run));
    completed(outcome);
    let (live, stored) = (live(&project, &events), Curves::read(&run));
    assert_eq!(format!("{live:?}"), format!("{stored:?}"));
    assert!(
        stored.results().starts_with("train loss ") && stored.results().contains("test loss"),
        "{}",
        stored.results()
    );
    // The sparsity of the first stage is a line of its own, and both splits are measured without it.
    assert_eq!(
        stored.penalty.raw.points().count(),
        stored.stages[1].step as usize
    );
    assert!(
        stored
            .penalty
            .raw
            .points()
            .all(|[_, penalty]| penalty > 0.0)
    );
    let value = inspect(folder.path(), "loss");
    let batches = line(&value, "batch");
    let first_epoch = &batches[..value["stages"][0]["steps_per_epoch"].as_u64().unwrap() as usize];
    let train = line(&value, "train")[0];
    let (low, high) = first_epoch
        .iter()
        .fold((f64::MAX, f64::MIN), |(low, high), loss| {
            (low.min(*loss), high.max(*loss))
        });
    assert!(
        (low..=high).contains(&train),
        "the mean {train} of {first_epoch:?}"
    );
    assert!(!line(&value, "penalty").is_empty());
}

#[test]
fn numbers_of_any_size_are_written_short() {
    let folder = tempfile::tempdir().unwrap();
    let run = folder.path().join("run");
    let project = tiny(&[
        ("lr=0.05 momentum=0.9 nesterov", "lr=1e-2"),
        ("range = [-1, 1]", "range = [-1e10, 1e10]"),
    ]);
    let text = file::to_text(&project);
    std::fs::write(folder.path().join("p.toml"), text).unwrap();
    let trained = strata(
        folder.path(),
        &[
            "train", "p.toml", "-o", "run", "--stage", "images", "--epochs", "1", "--device", "cpu",
        ],
    );
    let said = out(&trained) + &err(&trained);
    let longest = said
        .split(|c: char| !c.is_ascii_digit())
        .map(str::len)
        .max();
    assert!(longest.unwrap() <= 7, "{said}");
    assert!(said.contains("e19") || said.contains("e20"), "{said}");
    assert!(run.exists());
}

#[test]
fn losses_of_different_kinds_are_not_laid_over_each_other() {
    let folder = tempfile::tempdir().unwrap();
    let text = "format = 1\ntitle = \"Small\"\n[data]\nsource = \"shapes\"\nresize = [8, 8]\nlimit = 32\n[network]\ninput = \"3x8x8\"\nencoder = [\"conv 3 k3 p1\"]\ndecoder = [\"conv 3 k3 p1\"]\n[[stage]]\nname = \"images\"\ntask = \"reconstruct\"\nsplit = \"unlabeled\"\nloss = \"mse\"\noptimizer = \"adam lr=1e-3\"\nepochs = 1\nbatch = 16\n";
    let project = file::parse(text, "test").unwrap();
    let runs = folder.path().join("runs");
    for (name, change) in [
        ("one", ("\"mse\"", "\"mse\"")),
        ("two", ("\"mse\"", "\"l1\"")),
        ("three", ("limit", "range = [-1, 1]\nlimit")),
    ] {
        let changed = file::parse(&text.replacen(change.0, change.1, 1), "test").unwrap();
        completed(train(&changed, &options(&runs.join(name))).0);
        std::thread::sleep(std::time::Duration::from_millis(1100));
    }
    let mut window = open(folder.path(), &project);
    window.show_alone(ViewKind::Runs);
    window.wait("the list", |state| {
        state.runs.list.len() == 3 && !state.runs.is_reading()
    });
    assert!(window.has("mse of pixels from −1 to 1. Strong: valid"));
    assert!(window.has("2 runs have another loss and are not drawn"));
    window.keep_picture("curves/runs-of-three-losses");
    window.click("Show run two");
    assert!(window.has("l1 of pixels from 0 to 1. Strong: valid"));
}

/// The rows of a run of two epochs whose batches alternate between two losses: no mean of them is one of them.
fn alternating(low: f64, high: f64, valid: f64) -> [String; 2] {
    let steps = (1..=20)
        .map(|step| {
            let loss = if step % 2 == 0 { low } else { high };
            format!("{step},a,{},{loss},0.125,,0.75\n", (step + 9) / 10)
        })
        .collect();
    let metrics = (1..=2)
        .map(|epoch| {
            let step = 10 * epoch;
            format!("a,{epoch},{step},train,0.375,0.25,1.5,0.125,1\na,{epoch},{step},valid,{valid},0.5,1.75,,1\n")
        })
        .collect();
    [steps, metrics]
}

/// Puts the pointer into the middle of the one plot that is shown.
fn hover(window: &mut Window) {
    window.run();
    window.harness.hover_at(eframe::egui::pos2(700.0, 300.0));
    window.harness.run();
}

#[test]
fn the_pointer_tells_the_value_of_every_line() {
    let folder = tempfile::tempdir().unwrap();
    let run = folder.path().join("run");
    let [steps, metrics] = alternating(0.2, 0.8, 0.6);
    run_of(&run, &steps, &metrics);
    let mut window = Window::idle("conv-autoencoder");
    window.harness.state_mut().handle(Action::Open(run));
    window.wait("the curves", |state| !state.training.is_reading());
    window.show_alone(ViewKind::Loss);
    hover(&mut window);
    assert!(window.has("batch 0.2000") || window.has("batch 0.8000"));
    for line in [
        "train 0.3750 after epoch",
        "valid 0.6000 after epoch",
        " · epoch ",
    ] {
        assert!(window.has(line), "{line}");
    }
    window.show_alone(ViewKind::Accuracy);
    hover(&mut window);
    for line in [
        "batch 75.00 %",
        "train 25.00 % after epoch",
        "valid 50.00 % after epoch",
    ] {
        assert!(window.has(line), "{line}");
    }
}

#[test]
fn runs_are_compared_by_every_quantity_that_they_have() {
    let folder = tempfile::tempdir().unwrap();
    let runs = folder.path().join("runs");
    for (name, valid) in [("one", 0.6), ("two", 0.7)] {
        let [steps, metrics] = alternating(0.2, 0.8, valid);
        run_of(&runs.join(name), &steps, &metrics);
        let record = RunRecord {
            started: format!("2026-01-01T00:00:0{valid}"),
            ..RunRecord::default()
        };
        record.write(&runs.join(name)).unwrap();
    }
    let mut window = open(folder.path(), &builtin("lenet-mnist"));
    // A stage has a field of the same name as a quantity.
    window.click("Source settings");
    window.show_alone(ViewKind::Runs);
    window.wait("the list", |state| {
        state.runs.list.len() == 2 && !state.runs.is_reading()
    });
    for (quantity, lines) in [
        (
            Quantity::Loss,
            ["valid 0.6000 after epoch", "valid 0.7000 after epoch"],
        ),
        (
            Quantity::Accuracy,
            ["one: batch 75.00 % · train 25.00 %", "two: batch 75.00 %"],
        ),
        (
            Quantity::LogLoss,
            ["one: train 1.500", "valid 1.750 after epoch"],
        ),
        (
            Quantity::LearningRate,
            ["one: step 0.1250", "two: step 0.1250"],
        ),
    ] {
        if quantity != window.state().view.runs_quantity {
            window.click("Quantity of runs");
            assert!(!window.has("Penalty"), "no run has one");
            window.click(quantity.name());
        }
        assert_eq!(window.state().view.runs_quantity, quantity);
        hover(&mut window);
        for line in lines {
            assert!(window.has(line), "{quantity:?}: {line}");
        }
        window.keep_picture(&format!("curves/runs-by-{}", quantity.name()));
    }
}
