//! What a run does with its gradients: bounds, sums over batches, rates by layer, weights of classes, schedules. Each is
//! compared with PyTorch in the rooms; here runs keep what they promise with all of them.

use crate::kit::runs::{
    assert_same, completed, options, stop_at, stopped, tiny, train, train_until,
};
use crate::kit::window::*;
use std::path::Path;
use strata::app::action::{Action, Show};
use strata::app::setting_field::UPDATES;
use strata::app::state::Switch;
use strata::engine::storage::checkpoint;
use strata::engine::storage::saved_run::SavedRun;
use strata::engine::thread::RunOptions;
use strata::project::Project;
use strata::project::data::Split;
use strata::project::stage::{ClassWeights, Clip, Decay};

/// Both stages with settings that remember something from step to step: five steps an epoch in updates of two, so that the
/// last has one.
fn remembering(first: &str, second: &str) -> Project {
    let first =
        format!("epochs = 2\nbatch = 8\naccumulate = 2\n{first}\n[[stage]]\nname = \"labels\"");
    let second = format!(
        "optimizer = \"sgd lr=0.05 momentum=0.9 dampening=0.1 weight_decay=0.01\"\nbatch = 8\naccumulate = 2\n{second}"
    );
    tiny(&[
        (
            "epochs = 2\nbatch = 16\n[[stage]]\nname = \"labels\"",
            &first,
        ),
        ("optimizer = \"sgd lr=0.05 momentum=0.9 nesterov\"", &second),
        ("epochs = 2\nbatch = 16\n", "epochs = 4\n"),
    ])
}

fn all_of_it() -> Project {
    remembering(
        "clip = \"norm=0.5\"",
        "clip = \"value=0.02\"\nclass_weights = \"balanced\"\ndecay = \"weights\"\nrate_factors = \"pretrained=0.3 head=2\"\n\
         schedule = \"plateau train patience=0 threshold=0.5 factor=0.5 warmup=1\"",
    )
}

fn resume(project: &Project, run: &Path) {
    let resumed = RunOptions {
        resume: true,
        ..options(run)
    };
    completed(train(project, &resumed).0);
}

/// Stops between the batches of an update, behind one, at the end of an epoch, and in the stage whose schedule has
/// something to remember.
#[test]
fn a_run_stopped_within_an_update_resumes_without_a_trace() {
    let folder = tempfile::tempdir().unwrap();
    let project = all_of_it();
    let whole = folder.path().join("whole");
    completed(train(&project, &options(&whole)).0);
    let again = folder.path().join("again");
    completed(train(&project, &options(&again)).0);
    assert_same(&whole, &again);
    for step in [1, 2, 3, 5, 6, 11, 13, 16, 21, 24, 27] {
        let run = folder.path().join(step.to_string());
        stopped(train_until(&project, &options(&run), stop_at(step)).0);
        let path = run.join("checkpoints/last.safetensors");
        let saved = checkpoint::load(&path).unwrap();
        let is_within = saved.position.step_in_epoch % 2 == 1 && saved.position.step_in_epoch < 5;
        let sums = saved
            .optimizer
            .keys()
            .filter(|key| key.ends_with(".accumulated"));
        assert_eq!(sums.count() > 0, is_within, "step {step}");
        resume(&project, &run);
        assert_same(&whole, &run);
    }
    let steps = std::fs::read_to_string(whole.join("steps.csv")).unwrap();
    let rate = |line: &str| line.split(',').nth(4).unwrap().parse::<f64>().unwrap();
    let rates: Vec<f64> = steps.lines().skip(1).map(rate).collect();
    assert!(
        rates[rates.len() - 1] < 0.03,
        "the plateau has fallen: {rates:?}"
    );
}

#[test]
fn a_one_cycle_resumes_without_a_trace() {
    let folder = tempfile::tempdir().unwrap();
    let project = remembering("", "schedule = \"onecycle pct_start=0.4\"");
    let whole = folder.path().join("whole");
    completed(train(&project, &options(&whole)).0);
    for step in [12, 17, 26] {
        let run = folder.path().join(step.to_string());
        stopped(train_until(&project, &options(&run), stop_at(step)).0);
        resume(&project, &run);
        assert_same(&whole, &run);
    }
}

/// The weights after an epoch, by key.
fn weights(run: &Path) -> Vec<(String, Vec<f32>)> {
    let saved = checkpoint::load(&run.join("checkpoints/last.safetensors")).unwrap();
    let values = |(key, tensor): (String, candle_core::Tensor)| {
        (key, tensor.flatten_all().unwrap().to_vec1().unwrap())
    };
    let mut all: Vec<_> = saved.weights.into_iter().map(values).collect();
    all.sort_by(|(one, _), (other, _)| one.cmp(other));
    all
}

/// Without layers that look at a whole batch, four batches of four are one of sixteen; the 40 images leave an update of
/// eight at the end.
#[test]
fn batches_of_one_update_learn_as_one_large_batch() {
    let folder = tempfile::tempdir().unwrap();
    let run = |name: &str, sizes: &str| {
        let path = folder.path().join(name);
        let project = tiny(&[
            ("\"bn\", \"relu\"", "\"tanh\""),
            ("\"dropout 0.3\", ", ""),
            ("sparsity = \"rho=0.1 beta=1e-3\"\n", ""),
            ("schedule = \"cosine warmup=1\"", "schedule = \"cosine\""),
            (
                "optimizer = \"adam lr=3e-3\"",
                "optimizer = \"sgd lr=0.1 momentum=0.9\"",
            ),
            ("batch = 16", sizes),
        ]);
        completed(train(&project, &options(&path)).0);
        weights(&path)
    };
    let (large, small) = (
        run("large", "batch = 16"),
        run("small", "batch = 4\naccumulate = 4"),
    );
    let alone = run("alone", "batch = 4");
    let mut most: f32 = 0.0;
    for ((key, a), (_, b)) in large.iter().zip(&small) {
        let off = a
            .iter()
            .zip(b)
            .map(|(a, b)| (a - b).abs())
            .fold(0.0, f32::max);
        assert!(off < 1e-5, "{key}: {off}");
        most = most.max(off);
    }
    println!("largest difference {most:e}");
    let differs = large
        .iter()
        .zip(&alone)
        .any(|((_, a), (_, b))| a.iter().zip(b).any(|(a, b)| (a - b).abs() > 1e-3));
    assert!(differs, "a batch alone learns otherwise");
}

/// Measuring a saved run gives what was written, also where classes do not count alike.
#[test]
fn a_weighted_loss_is_measured_as_it_was_written() {
    let folder = tempfile::tempdir().unwrap();
    let run = folder.path().join("run");
    let project = tiny(&[(
        "loss = \"cross-entropy\"",
        "loss = \"cross-entropy label_smoothing=0.1\"\nclass_weights = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]",
    )]);
    let summary = completed(train(&project, &options(&run)).0);
    let valid = summary
        .metrics
        .iter()
        .find(|(split, _)| *split == Split::Valid);
    let (_, written) = valid.unwrap();
    let mut saved = SavedRun::open(&run, "last", Some("cpu"), &mut |_| true).unwrap();
    let measured = saved.evaluate(Split::Valid).unwrap().metrics;
    assert_eq!(measured.loss, written.loss);
    assert_eq!(measured.log_loss, written.log_loss);
    assert_ne!(
        Some(measured.loss),
        measured.log_loss,
        "the log loss has no weights"
    );
}

/// Two classes in folders: dark and bright images.
fn two_folders(path: &Path) {
    for (class, level) in [("dark", 60u8), ("bright", 190)] {
        let folder = path.join(class);
        std::fs::create_dir_all(&folder).unwrap();
        for index in 0..24u8 {
            let image = image::GrayImage::from_fn(8, 8, |x, y| {
                let noise = (x * 31 + y * 17 + u32::from(index) * 7) % 60;
                image::Luma([level.saturating_add(noise as u8)])
            });
            image.save(folder.join(format!("{index}.png"))).unwrap();
        }
    }
}

/// A head of one score with bce learns two classes, its figures are those of two scores, and the views answer.
#[test]
fn one_score_tells_two_classes_of_images_apart() {
    let folder = tempfile::tempdir().unwrap();
    two_folders(&folder.path().join("images"));
    let text = |head: &str, loss: &str| {
        format!(
            "format = 1\n[data]\nsource = \"folder\"\npath = \"{}\"\nvalid = 0.25\n[network]\ninput = \"1x8x8\"\n\
             encoder = [\"flatten\", \"dense 4\", \"tanh\"]\nhead = [{head}]\n[[stage]]\nname = \"a\"\ntask = \"classify\"\n\
             loss = \"{loss}\"\noptimizer = \"adam lr=0.05\"\nepochs = 12\nbatch = 8\n",
            folder.path().join("images").display()
        )
    };
    let run = folder.path().join("run");
    let project =
        strata::project::file::parse(&text("\"dense 1\", \"sigmoid\"", "bce"), "p").unwrap();
    let summary = completed(train(&project, &options(&run)).0);
    let (_, valid) = summary
        .metrics
        .iter()
        .find(|(split, _)| *split == Split::Valid)
        .unwrap();
    assert_eq!(valid.accuracy, Some(1.0), "{valid:?}");
    assert!(
        valid.loss < 0.5 && valid.log_loss == Some(valid.loss),
        "{valid:?}"
    );
    let mut saved = SavedRun::open(&run, "last", Some("cpu"), &mut |_| true).unwrap();
    let evaluation = saved.evaluate(Split::Valid).unwrap();
    assert_eq!(evaluation.metrics.loss, valid.loss);
    let confusion = evaluation.confusion.unwrap();
    let right: u64 = (0..2).map(|class| confusion[class][class]).sum();
    let all: u64 = confusion.iter().flatten().sum();
    assert!(
        confusion.len() == 2 && all == right && all > 0,
        "{confusion:?}"
    );
    for (head, loss, part) in [
        (
            "\"dense 2\"",
            "bce",
            "by one score, but the images have 2 classes and the head gives 2",
        ),
        (
            "\"dense 1\"",
            "cross-entropy",
            "the images have 2 classes, but the head gives 1",
        ),
    ] {
        let project = strata::project::file::parse(&text(head, loss), "p").unwrap();
        let message =
            crate::kit::runs::failed(train(&project, &options(&folder.path().join("no"))).0)
                .message;
        assert!(message.contains(part), "{message}");
    }
}

#[test]
fn every_setting_of_the_updates_has_its_field() {
    let mut window = Window::without_engine(
        builtin("pretrain-classify"),
        eframe::egui::vec2(1440.0, 2400.0),
    );
    for action in [
        Action::Show(Show::Stage(Some(2))),
        Action::Show(Show::Switch(Switch::Group(UPDATES, true))),
    ] {
        window.harness.state_mut().handle(action);
    }
    window.run();
    let stage = |window: &Window| window.state().project().stages[2].clone();
    window.enter("Class weights", "balanced");
    assert_eq!(stage(&window).class_weights, Some(ClassWeights::Balanced));
    window.enter(
        "Learning rate factors",
        "pretrained=0.1 encoder layer 1=0.5",
    );
    assert_eq!(
        stage(&window).rate_factors.to_string(),
        "pretrained=0.1 encoder.0=0.5"
    );
    window.enter("Clip gradients", "norm=1");
    assert_eq!(stage(&window).clip, Some(Clip::Norm(1.0)));
    window.enter("Accumulate", "4");
    assert_eq!(stage(&window).accumulate, 4);
    window.enter("Loss label smoothing", "0.1");
    assert_eq!(
        stage(&window).loss.to_string(),
        "cross-entropy label_smoothing=0.1"
    );
    window.enter("Schedule", "multistep at=2,4");
    window.enter("Schedule after", "1, 3");
    let schedule = stage(&window).schedule.unwrap().to_string();
    assert_eq!(
        schedule,
        "multistep gamma=0.1 at=1,3"
            .parse::<strata::project::schedule::Schedule>()
            .unwrap()
            .to_string()
    );
    window.enter("Schedule", "onecycle");
    window.click("Schedule linear");
    assert_eq!(
        stage(&window).schedule.unwrap().to_string(),
        "onecycle linear"
    );
    window.keep_picture("updates/one-cycle");
    window.enter("Schedule", "plateau patience=2");
    assert!(window.has("until valid loss stalls"));
    window.enter("Optimizer", "adamw lr=1e-3");
    window.click("Decay");
    window.click("weights");
    assert_eq!(stage(&window).decay, Decay::Weights);
    window.keep_picture("updates/all");
    // What is said stays on the screen when the group is closed.
    let close = Action::Show(Show::Switch(Switch::Group(UPDATES, false)));
    window.harness.state_mut().handle(close);
    window.run();
    assert!(window.has("Clip gradients") && window.has("Accumulate"));
}
