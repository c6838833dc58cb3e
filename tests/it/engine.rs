//! What a run promises: it repeats, it can be stopped and resumed without a trace, it obeys, and
//! whatever goes wrong is one message with the run folder whole.

use crate::kit::PATIENCE;
use crate::kit::runs::{
    self, assert_same, completed, failed, metrics, options, stop_at, stopped, tiny, train,
    train_until,
};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;
use strata::engine::command::Command;
use strata::engine::event::{Event, Outcome};
use strata::engine::inspection::reply::{AnyQuery, AnyReply, InspectionError, Query};
use strata::engine::inspection::service::{self, Service};
use strata::engine::storage::checkpoint;
use strata::engine::storage::record::{RunRecord, Status};
use strata::engine::thread::{RunOptions, Running, start};
use strata::inspect::filters::{self, Filters};
use strata::inspect::gallery::Gallery;
use strata::inspect::image_set::{FromSplit, ImageSet, ImagesOf};
use strata::inspect::inspection::{Inspection, Subject};
use strata::inspect::reconstructions::Reconstructions;
use strata::inspect::saliency::{Question, Request, Saliency};
use strata::inspect::sparse::SparseCode;
use strata::project::data::Split;
use strata::project::file;

#[test]
fn two_runs_are_equal_to_the_last_bit() {
    let folder = tempfile::tempdir().unwrap();
    let runs = ["a", "b"].map(|name| folder.path().join(name));
    for run in &runs {
        completed(train(&tiny(&[]), &options(run)).0);
    }
    assert_same(&runs[0], &runs[1]);
    assert_eq!(
        metrics(&runs[0]).len(),
        1 + 2 * (2 + 2) + 2,
        "train and valid an epoch, test a stage"
    );
    let other = folder.path().join("other seed");
    completed(train(&tiny(&[("seed = 5", "seed = 6")]), &options(&other)).0);
    assert_ne!(metrics(&runs[0]), metrics(&other));
}

/// Geometry, colour, noise, a choice, and mixup over the batch.
const AUGMENT: &str = r#"[data]
augment = ["hflip p0.5", "rotate 18", "shift 0.1 reflect", "contrast 0.8..1.2", { choice = ["noise 0.05", "erase p0.5"] }, "mixup 0.2"]"#;

#[test]
fn a_run_with_augmentation_is_the_same_with_any_number_of_loader_threads() {
    let folder = tempfile::tempdir().unwrap();
    let project = tiny(&[("[data]", AUGMENT)]);
    let run = |name: &str, loaders| {
        let path = folder.path().join(name);
        completed(
            train(
                &project,
                &RunOptions {
                    loaders: Some(loaders),
                    ..options(&path)
                },
            )
            .0,
        );
        path
    };
    let one = run("one", 1);
    for (name, loaders) in [("two", 2), ("five", 5)] {
        assert_same(&one, &run(name, loaders));
    }
    let stopping = folder.path().join("stopped");
    stopped(train_until(&project, &options(&stopping), stop_at(4)).0);
    completed(
        train(
            &project,
            &RunOptions {
                resume: true,
                loaders: Some(2),
                ..options(&stopping)
            },
        )
        .0,
    );
    assert_same(&one, &stopping);
    let plain = folder.path().join("plain");
    let off = tiny(&[(
        "[data]",
        &AUGMENT.replace("[data]", "[data]\nuse_augment = false"),
    )]);
    completed(train(&off, &options(&plain)).0);
    let bare = folder.path().join("bare");
    completed(train(&tiny(&[]), &options(&bare)).0);
    assert_eq!(
        metrics(&plain),
        metrics(&bare),
        "switched off, the images are as they are"
    );
    assert_ne!(metrics(&one), metrics(&bare));
}

/// Three steps an epoch, two epochs a stage: stops before the first step, in the middle of an epoch, at the
/// last step of one (so that its measuring is interrupted) and of a stage, and in the second stage.
#[test]
fn a_stopped_run_resumes_without_a_trace() {
    let folder = tempfile::tempdir().unwrap();
    let whole = folder.path().join("whole");
    completed(train(&tiny(&[]), &options(&whole)).0);
    for step in [1, 3, 4, 6, 8, 12] {
        let run = folder.path().join(step.to_string());
        let summary = stopped(train_until(&tiny(&[]), &options(&run), stop_at(step)).0);
        assert_eq!(summary.run, run);
        let saved = checkpoint::load(&run.join("checkpoints/last.safetensors")).unwrap();
        assert_eq!(saved.position.step, step);
        assert_eq!(RunRecord::read(&run).unwrap().status, Status::Stopped);
        completed(
            train(
                &tiny(&[]),
                &RunOptions {
                    resume: true,
                    ..options(&run)
                },
            )
            .0,
        );
        assert_same(&whole, &run);
    }
}

#[test]
fn a_stop_before_the_first_step_leaves_a_checkpoint_too() {
    let folder = tempfile::tempdir().unwrap();
    let run = folder.path().join("run");
    let at_start = |event: &Event| matches!(event, Event::Started { .. }).then_some(Command::Stop);
    stopped(train_until(&tiny(&[]), &options(&run), at_start).0);
    let whole = folder.path().join("whole");
    completed(
        train(
            &tiny(&[]),
            &RunOptions {
                resume: true,
                ..options(&run)
            },
        )
        .0,
    );
    completed(train(&tiny(&[]), &options(&whole)).0);
    assert_same(&whole, &run);
}

#[test]
fn a_completed_run_can_be_given_more_epochs() {
    let folder = tempfile::tempdir().unwrap();
    let only = |run: &str, epochs, resume| RunOptions {
        stage: Some("labels".into()),
        epochs: Some(epochs),
        resume,
        ..options(&folder.path().join(run))
    };
    completed(train(&tiny(&[]), &only("long", 3, false)).0);
    completed(train(&tiny(&[]), &only("short", 2, false)).0);
    completed(train(&tiny(&[]), &only("short", 3, true)).0);
    let last = |run: &str| {
        std::fs::read(folder.path().join(run).join("checkpoints/last.safetensors")).unwrap()
    };
    assert!(
        last("long") == last("short"),
        "three epochs are three epochs"
    );
    let (outcome, events) = train(&tiny(&[]), &only("short", 3, true));
    assert!(
        completed(outcome)
            .metrics
            .iter()
            .any(|(split, _)| *split == Split::Test),
        "the last metrics are known"
    );
    assert!(!events.iter().any(|event| matches!(event, Event::Step(_))));
}

#[test]
fn stages_can_be_trained_one_by_one() {
    let folder = tempfile::tempdir().unwrap();
    let (whole, parts) = (folder.path().join("whole"), folder.path().join("parts"));
    completed(train(&tiny(&[]), &options(&whole)).0);
    let only = |stage: &str, resume| RunOptions {
        stage: Some(stage.into()),
        resume,
        ..options(&parts)
    };
    completed(train(&tiny(&[]), &only("images", false)).0);
    completed(train(&tiny(&[]), &only("labels", true)).0);
    assert_same(&whole, &parts);
}

#[test]
fn early_stopping_ends_a_stage_and_keeps_the_best() {
    let folder = tempfile::tempdir().unwrap();
    let run = folder.path().join("run");
    let rule = "epochs = 30\nearly_stop = { metric = \"valid loss\", patience = 1 }\nbatch = 16\n[[stage]]\nname = \"labels\"";
    let project = tiny(&[
        ("epochs = 2\nbatch = 16\n[[stage]]\nname = \"labels\"", rule),
        ("\"adam lr=3e-3\"", "\"sgd lr=0\""),
        ("schedule = \"cosine warmup=1\"", ""),
        ("\"bn\", ", ""),
    ]);
    let options = RunOptions {
        stage: Some("images".into()),
        ..options(&run)
    };
    let (outcome, events) = train(&project, &options);
    completed(outcome);
    let epochs = events
        .iter()
        .filter(|event| matches!(event, Event::Epoch(_)))
        .count();
    assert_eq!(epochs, 2, "nothing improves at a learning rate of 0");
    assert!(run.join("checkpoints/best.safetensors").is_file());
}

#[test]
fn events_tell_the_whole_story_in_order() {
    let folder = tempfile::tempdir().unwrap();
    let (_, events) = train(&tiny(&[]), &options(&folder.path().join("run")));
    let started = events
        .iter()
        .position(|event| matches!(event, Event::Started { .. }))
        .unwrap();
    let first_step = events
        .iter()
        .position(|event| matches!(event, Event::Step(_)))
        .unwrap();
    assert!(started < first_step);
    let stages: Vec<u64> = events
        .iter()
        .filter_map(|event| match event {
            Event::Stage {
                steps_per_epoch, ..
            } => Some(*steps_per_epoch),
            _ => None,
        })
        .collect();
    assert_eq!(stages, [3, 3]);
    let steps: Vec<_> = events
        .iter()
        .filter_map(|event| match event {
            Event::Step(report) => Some((
                report.step,
                report.stage,
                report.epoch,
                report.step_in_epoch,
            )),
            _ => None,
        })
        .collect();
    assert_eq!(steps.len(), 12);
    assert_eq!((steps[0], steps[11]), ((1, 0, 1, 1), (12, 1, 2, 3)));
    let last = events.iter().rev().find_map(|event| match event {
        Event::Epoch(report) => Some(report),
        _ => None,
    });
    let splits: Vec<Split> = last
        .unwrap()
        .metrics
        .iter()
        .map(|(split, _)| *split)
        .collect();
    assert_eq!(splits, [Split::Train, Split::Valid, Split::Test]);
    assert!(
        last.unwrap()
            .metrics
            .iter()
            .all(|(_, metrics)| metrics.accuracy.is_some() && metrics.log_loss.is_some())
    );
}

/// The next event that is not about checkpoints.
fn next(running: &Running) -> Event {
    loop {
        match running.events.recv_timeout(PATIENCE).unwrap() {
            Event::Checkpoint { .. } | Event::Preparing { .. } | Event::Warning { .. } => {}
            event => return event,
        }
    }
}

#[test]
fn pause_step_and_resume_are_obeyed() {
    let folder = tempfile::tempdir().unwrap();
    let run = folder.path().join("run");
    let woken = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&woken);
    let project = tiny(&[("epochs = 2", "epochs = 200")]);
    let running = start(project, options(&run), move || {
        count.fetch_add(1, Ordering::Relaxed);
    })
    .unwrap();
    while !matches!(next(&running), Event::Step(_)) {}
    running.commands.send(Command::Pause).unwrap();
    while next(&running) != Event::Paused {}
    assert!(
        running
            .events
            .recv_timeout(Duration::from_millis(100))
            .is_err(),
        "a paused run is silent"
    );
    assert!(
        running
            .live
            .filters
            .latest()
            .is_some_and(|filters| filters.channels == 3 && filters.count == 6)
    );
    assert!(
        running
            .live
            .reconstructions
            .latest()
            .is_some_and(|pictures| pictures.inputs.len() == 16 * 16 * 16 * 3)
    );
    running.commands.send(Command::Steps(1)).unwrap();
    let mut steps = 0;
    loop {
        match next(&running) {
            Event::Step(_) => steps += 1,
            Event::Paused => break,
            _ => {}
        }
    }
    assert_eq!(steps, 1);
    running.commands.send(Command::Resume).unwrap();
    while next(&running) != Event::Resumed {}
    running.commands.send(Command::Pause).unwrap();
    while next(&running) != Event::Paused {}
    running.commands.send(Command::Stop).unwrap();
    loop {
        if let Event::Finished(outcome) = next(&running) {
            stopped(outcome);
            break;
        }
    }
    assert!(woken.load(Ordering::Relaxed) > 5);
}

/// Asks the paused run, and waits for the reply.
fn ask<I: Inspection>(running: &Running, request: I::Request) -> Result<Arc<I>, InspectionError> {
    let query = Query::<I>::new(Subject::Live, request);
    running.live.ask(AnyQuery::new(query.clone()));
    running.commands.send(Command::RefreshInspections).unwrap();
    while next(running) != Event::InspectionsUpdated {}
    let replies = running.live.take_replies();
    let reply = replies.iter().find_map(AnyReply::get::<I>).unwrap();
    assert_eq!(reply.query, query);
    reply.result.clone()
}

fn seen(running: &Running, request: Request) -> Result<Arc<Saliency>, InspectionError> {
    ask(running, request)
}

#[test]
fn a_paused_run_is_looked_into_and_goes_on_as_if_nobody_had() {
    let folder = tempfile::tempdir().unwrap();
    let (looked_at, left_alone) = (folder.path().join("seen"), folder.path().join("alone"));
    let running = start(tiny(&[]), options(&looked_at), || {}).unwrap();
    running.commands.send(Command::Pause).unwrap();
    while next(&running) != Event::Paused {}
    let saliency = seen(&running, Request::default()).unwrap();
    assert_eq!(
        (saliency.question, saliency.answers.len()),
        (Question::Error, 16),
        "the stage reconstructs"
    );
    let class = seen(
        &running,
        Request {
            question: Some(Question::Class(3)),
            image: None,
            ..Default::default()
        },
    )
    .unwrap();
    assert!(
        class
            .answers
            .iter()
            .all(|answer| answer.class == Some(3) && answer.top.len() == 3)
    );
    let none = Request {
        question: None,
        image: Some(folder.path().join("none.png")),
        ..Default::default()
    };
    assert!(
        seen(&running, none)
            .unwrap_err()
            .to_string()
            .contains("none.png")
    );
    let beyond = Request {
        question: Some(Question::Class(10)),
        image: None,
        ..Default::default()
    };
    assert!(
        seen(&running, beyond)
            .unwrap_err()
            .to_string()
            .contains("there is no class 10")
    );
    let code = ask::<SparseCode>(&running, FromSplit::default()).unwrap();
    assert_eq!(
        (code.means.len(), code.target, code.images),
        (6, Some((0.1, 1e-3)), 40)
    );
    running.commands.send(Command::Resume).unwrap();
    while !matches!(next(&running), Event::Finished(Outcome::Completed(_))) {}
    completed(train(&tiny(&[]), &options(&left_alone)).0);
    assert_same(&looked_at, &left_alone);
}

#[test]
fn a_trained_run_answers_and_a_folder_that_is_none_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let run = folder.path().join("run");
    completed(train(&tiny(&[]), &options(&run)).0);
    let service = service::start(Some("cpu".into()), || {}).unwrap();
    let stored = || Subject::Stored(run.clone().into());
    let saliency = reply::<Saliency>(&service, stored(), Request::default()).unwrap();
    assert!(
        saliency.answers.iter().all(|answer| answer.class.is_some()),
        "the last stage classifies"
    );
    let filters = reply::<Filters>(&service, stored(), filters::Request::First).unwrap();
    assert!(filters.count > 0);
    let pictures = reply::<Reconstructions>(&service, stored(), None).unwrap();
    assert!(pictures.mean_mse > 0.0);
    let code = reply::<SparseCode>(&service, stored(), FromSplit::default()).unwrap();
    assert_eq!(
        (code.target, code.split),
        (Some((0.1, 1e-3)), ImagesOf::Split(Split::Unlabeled)),
        "of the stage with a sparsity"
    );
    let none = Subject::Stored(folder.path().join("none").into());
    let refusal = reply::<SparseCode>(&service, none, FromSplit::default()).unwrap_err();
    assert!(refusal.to_string().contains("none"));
}

/// Asks the service, and waits for the reply.
fn reply<I: Inspection>(
    service: &Service,
    subject: Subject,
    request: I::Request,
) -> Result<Arc<I>, InspectionError> {
    let query = AnyQuery::new(Query::<I>::new(subject, request));
    service.queries.send(query).unwrap();
    received::<I>(service)
}

fn received<I: Inspection>(service: &Service) -> Result<Arc<I>, InspectionError> {
    let reply = service.replies.recv_timeout(Duration::from_secs(60));
    reply.unwrap().get::<I>().unwrap().result.clone()
}

/// Another view's question waits; a cancel ends the reading; a newer page replaces the older one.
#[test]
fn reading_images_for_a_view_tells_how_far_it_is_and_can_be_cancelled() {
    let (woken, wakes) = (Arc::new(AtomicUsize::new(0)), PATIENCE);
    let count = woken.clone();
    let service = service::start(Some("cpu".into()), move || {
        count.fetch_add(1, Ordering::Relaxed);
    })
    .unwrap();
    let folder = tempfile::tempdir().unwrap();
    let classes = ["a", "b"].map(|name| folder.path().join(name));
    for class in &classes {
        std::fs::create_dir(class).unwrap();
        let image = image::RgbImage::from_pixel(8, 8, image::Rgb([9, 99, 200]));
        (0..1000).for_each(|i| image.save(class.join(format!("{i}.png"))).unwrap());
    }
    let mut project = tiny(&[]);
    project.data = strata::project::data::DataSpec {
        source: strata::project::data::Source::Folder,
        path: Some(folder.path().display().to_string()),
        ..Default::default()
    };
    let mut read = |seed| {
        project.seed = seed;
        let set = ImageSet::new(&project, ".".into(), 0);
        let query = Query::<Gallery>::new(Subject::Images(Box::new(set)), Default::default());
        service.queries.send(AnyQuery::new(query)).unwrap();
        while service.progress.latest().is_none() && service.replies.is_empty() {
            std::thread::yield_now();
        }
    };
    read(1);
    let none = Query::<Filters>::new(Subject::Stored("none".into()), filters::Request::First);
    service.queries.send(AnyQuery::new(none)).unwrap();
    assert!(received::<Gallery>(&service).is_ok(), "the first is first");
    assert!(received::<Filters>(&service).is_err());
    let deadline = std::time::Instant::now() + wakes;
    while woken.load(Ordering::Relaxed) < 3 {
        assert!(
            std::time::Instant::now() < deadline,
            "woken for both answers, and for the progress"
        );
    }
    read(2);
    service.cancel.store(true, Ordering::Relaxed);
    assert_eq!(
        received::<Gallery>(&service).unwrap_err(),
        InspectionError::Cancelled
    );
    read(3);
    assert!(
        received::<Gallery>(&service).is_ok(),
        "the next query is answered again"
    );
}

#[test]
fn a_reader_that_never_reads_holds_nothing_up() {
    let folder = tempfile::tempdir().unwrap();
    let running = start(tiny(&[]), options(&folder.path().join("run")), || {}).unwrap();
    let Running {
        commands,
        events,
        live: _live,
    } = running;
    std::thread::sleep(Duration::from_millis(10));
    drop(commands);
    let last = std::iter::from_fn(|| events.recv_timeout(PATIENCE).ok()).last();
    assert!(matches!(last, Some(Event::Finished(Outcome::Completed(_)))));
}

#[test]
fn numbers_that_explode_name_the_layer_and_keep_the_last_weights() {
    let folder = tempfile::tempdir().unwrap();
    let run = folder.path().join("run");
    let project = tiny(&[
        ("\"adam lr=3e-3\"", "\"sgd lr=1e3\""),
        ("\"bn\", \"relu\"", "\"identity\""),
        ("\"tanh\"", "\"identity\""),
        (
            "schedule = \"cosine warmup=1\"\nsparsity = \"rho=0.1 beta=1e-3\"\nepochs = 2",
            "epochs = 50",
        ),
    ]);
    let failure = failed(train(&project, &options(&run)).0);
    assert!(!failure.wrong_input);
    assert_eq!(failure.run.as_deref(), Some(run.as_path()));
    for part in [
        "at step",
        "stage `images`",
        "smaller learning rate than 1000.0, such as lr=0.01",
        "last.safetensors",
    ] {
        assert!(
            failure.message.contains(part),
            "{part}: {}",
            failure.message
        );
    }
    let names_a_layer = [
        "`conv 6 k3 s2 p1`",
        "`convt 3 k4 s2 p1`",
        "the loss of it is not",
        ".weight`",
        ".bias`",
    ];
    assert!(
        names_a_layer
            .iter()
            .any(|name| failure.message.contains(name)),
        "{}",
        failure.message
    );
    let saved = checkpoint::load(&run.join("checkpoints/last.safetensors")).unwrap();
    assert!(
        saved.position.step > 0,
        "not the weights before the first step"
    );
    for (key, tensor) in saved.weights {
        let values = tensor.flatten_all().unwrap().to_vec1::<f32>().unwrap();
        assert!(values.iter().all(|value| value.is_finite()), "{key}");
    }
    let record = RunRecord::read(&run).unwrap();
    assert_eq!(
        (record.status, record.message),
        (Status::Failed, Some(failure.message))
    );
}

/// Weight decay alone makes the weights infinite at the seventh step, while tanh keeps loss and gradients finite:
/// at the end of an epoch of one step, and on stopping inside an epoch of three.
#[test]
fn weights_that_are_not_finite_never_replace_the_last_checkpoint() {
    let folder = tempfile::tempdir().unwrap();
    let stage =
        "schedule = \"cosine warmup=1\"\nsparsity = \"rho=0.1 beta=1e-3\"\nepochs = 2\nbatch = 16";
    for batch in [64, 16] {
        let run = folder.path().join(batch.to_string());
        let project = tiny(&[
            ("\"adam lr=3e-3\"", "\"sgd lr=1e3 weight_decay=1e3\""),
            ("\"bn\", \"relu\"", "\"tanh\""),
            (stage, &format!("epochs = 50\nbatch = {batch}")),
        ]);
        let failure = failed(train_until(&project, &options(&run), stop_at(7)).0);
        assert!(!failure.wrong_input);
        for part in [
            "a weight is not finite at step 7",
            "stage `images`",
            "first in `",
            "The last finite weights are in",
        ] {
            assert!(
                failure.message.contains(part),
                "{part}: {}",
                failure.message
            );
        }
        let saved = checkpoint::load(&run.join("checkpoints/last.safetensors")).unwrap();
        assert_eq!(saved.position.step, 6);
        for (key, tensor) in saved.weights {
            let values = tensor.flatten_all().unwrap().to_vec1::<f32>().unwrap();
            assert!(values.iter().all(|value| value.is_finite()), "{key}");
        }
    }
}

#[test]
fn a_run_that_cannot_begin_leaves_an_empty_folder_empty() {
    let run = tempfile::tempdir().unwrap();
    for change in [
        ("resize = [16, 16]", "resize = [20, 16]"),
        ("source = \"shapes\"", "source = \"mnist\""),
    ] {
        assert!(failed(train(&tiny(&[change]), &options(run.path())).0).wrong_input);
        assert_eq!(
            std::fs::read_dir(run.path()).unwrap().count(),
            0,
            "{change:?}"
        );
    }
    completed(train(&tiny(&[]), &options(run.path())).0);
}

#[test]
fn another_optimizer_starts_without_the_memory_of_the_one_before() {
    let folder = tempfile::tempdir().unwrap();
    let run = folder.path().join("run");
    stopped(train_until(&tiny(&[]), &options(&run), stop_at(8)).0);
    let other = tiny(&[("sgd lr=0.05 momentum=0.9 nesterov", "adam lr=1e-3")]);
    let (outcome, events) = train(
        &other,
        &RunOptions {
            resume: true,
            ..options(&run)
        },
    );
    completed(outcome);
    let warned = |event: &Event| matches!(event, Event::Warning { message: text, .. } if text.contains("was trained with sgd") && text.contains("continues with adam"));
    assert!(events.iter().any(warned), "{events:?}");
}

#[test]
fn inside_an_epoch_the_images_to_come_stay_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let run = folder.path().join("run");
    let resume = RunOptions {
        resume: true,
        ..options(&run)
    };
    stopped(train_until(&tiny(&[]), &options(&run), stop_at(4)).0);
    let before = runs::repeatable(&run);
    for (from, to, part) in [
        ("batch = 16", "batch = 8", "batch was 16 and is 8"),
        ("seed = 5", "seed = 6", "seed was 5 and is 6"),
        (
            "split = \"unlabeled\"",
            "split = \"train\"",
            "split was unlabeled and is train",
        ),
        ("limit = 40", "limit = 30", "[data] is not what it was"),
    ] {
        let failure = failed(train(&tiny(&[(from, to)]), &resume).0);
        assert!(
            failure.wrong_input && failure.message.contains(part),
            "{part}: {failure:?}"
        );
        assert!(
            failure.message.contains("epoch 2, after 1 of its steps"),
            "{failure:?}"
        );
        assert_eq!(runs::repeatable(&run), before);
    }
    completed(train(&tiny(&[]), &resume).0);
}

/// Earlier versions took settings that change nothing in silence: such a run is resumed as it was, with a warning.
#[test]
fn a_run_that_was_begun_with_what_changes_nothing_is_resumed() {
    let folder = tempfile::tempdir().unwrap();
    let whole = folder.path().join("whole");
    completed(train(&tiny(&[]), &options(&whole)).0);
    let idle = tiny(&[
        (
            "limit = 40",
            "limit = 40\nlabels = \"coarse\"\ngrey = false",
        ),
        (
            "freeze = [\"encoder.0\"]",
            "freeze = [\"encoder.0\", \"encoder.2\"]",
        ),
        (
            "epochs = 2\nbatch = 16\n[[stage]]",
            "epochs = 2\nbatch = 16\nearly_stop = \"train loss patience=0\"\n[[stage]]",
        ),
    ]);
    let run = folder.path().join("run");
    let resume = RunOptions {
        resume: true,
        ..options(&run)
    };
    stopped(train_until(&tiny(&[]), &options(&run), stop_at(4)).0);
    let refused = failed(train(&idle, &resume).0).message;
    assert!(
        refused.contains("patience of 0"),
        "new in this run: {refused}"
    );
    file::save(&idle, &run.join("project.toml")).unwrap();
    let (outcome, events) = train(&idle, &resume);
    completed(outcome);
    for part in [
        "labels of the data changes nothing",
        "`encoder.2`, which has no weights",
        "a patience of 0 epochs",
    ] {
        let is_told = |event: &Event| matches!(event, Event::Warning { message: text, .. } if text.contains(part));
        assert!(events.iter().any(is_told), "{part}: {events:?}");
    }
    assert_eq!(metrics(&whole), metrics(&run));
    let text = std::fs::read_to_string(run.join("project.toml")).unwrap();
    assert!(
        text.contains("labels = \"coarse\""),
        "the project stays as it is: {text}"
    );
    let fresh = failed(train(&idle, &options(&folder.path().join("new"))).0);
    assert!(fresh.wrong_input, "a new run is refused");
}

/// A name that the checks of the project let pass, in the second stage.
#[test]
fn sparsity_without_its_layer_fails_before_training() {
    let folder = tempfile::tempdir().unwrap();
    let run = folder.path().join("run");
    let project = tiny(&[(
        "freeze = [\"encoder.0\"]",
        "sparsity = \"rho=0.1 beta=1e-3 at=encoder\"",
    )]);
    match train(&project, &options(&run)).0 {
        Outcome::Completed(_) => {}
        outcome => {
            let failure = failed(outcome);
            assert!(
                failure.wrong_input && failure.message.contains("stage `labels`"),
                "{failure:?}"
            );
            assert!(!run.exists());
        }
    }
}

#[test]
fn a_panic_is_an_event_and_the_next_run_starts() {
    let folder = tempfile::tempdir().unwrap();
    let run = folder.path().join("run");
    let (wakes, panicked) = (AtomicUsize::new(0), AtomicBool::new(false));
    let wake = move || {
        if wakes.fetch_add(1, Ordering::Relaxed) == 10 && !panicked.swap(true, Ordering::Relaxed) {
            panic!("injected");
        }
    };
    let running = start(tiny(&[]), options(&run), wake).unwrap();
    let last = std::iter::from_fn(|| running.events.recv_timeout(PATIENCE).ok()).last();
    let Some(Event::Finished(outcome)) = last else {
        panic!("no end: {last:?}")
    };
    let failure = failed(outcome);
    assert!(
        failure.message.contains("injected") && !failure.wrong_input,
        "{}",
        failure.message
    );
    assert_eq!(RunRecord::read(&run).unwrap().status, Status::Failed);
    completed(train(&tiny(&[]), &options(&folder.path().join("next"))).0);
    completed(
        train(
            &tiny(&[]),
            &RunOptions {
                resume: true,
                ..options(&run)
            },
        )
        .0,
    );
}

#[test]
fn a_run_folder_that_cannot_be_written_is_told_before_training() {
    let folder = tempfile::tempdir().unwrap();
    let in_the_way = folder.path().join("file");
    std::fs::write(&in_the_way, "mine").unwrap();
    for run in [in_the_way.clone(), in_the_way.join("below")] {
        let (outcome, events) = train(&tiny(&[]), &options(&run));
        let failure = failed(outcome);
        assert!(
            failure.wrong_input && failure.message.contains("cannot write to the run folder"),
            "{failure:?}"
        );
        assert!(
            !events
                .iter()
                .any(|event| matches!(event, Event::Started { .. }))
        );
    }
    assert_eq!(std::fs::read_to_string(&in_the_way).unwrap(), "mine");
}

#[test]
fn a_run_is_never_written_over() {
    let folder = tempfile::tempdir().unwrap();
    let run = folder.path().join("run");
    completed(train(&tiny(&[]), &options(&run)).0);
    let before = runs::repeatable(&run);
    let failure = failed(train(&tiny(&[("seed = 5", "seed = 6")]), &options(&run)).0);
    assert!(
        failure.wrong_input && failure.message.contains("holds a run already"),
        "{failure:?}"
    );
    let other = tiny(&[("conv 6 k3", "conv 7 k3")]);
    let failure = failed(
        train(
            &other,
            &RunOptions {
                resume: true,
                ..options(&run)
            },
        )
        .0,
    );
    assert!(
        failure.wrong_input && failure.message.contains("not the one that was trained"),
        "{failure:?}"
    );
    assert_eq!(runs::repeatable(&run), before);
}

#[test]
fn what_does_not_fit_is_one_message_and_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let run = folder.path().join("run");
    for (changes, part) in [
        (vec![("convt 3 k4 s2 p1", "convt 3 k3 s2 p1")], "3×15×15"),
        (vec![("dense 10", "dense 3")], "`dense 10`"),
        (
            vec![(
                "split = \"unlabeled\"",
                "split = \"unlabeled\"\nearly_stop = { metric = \"fun\", patience = 1 }",
            )],
            "fun",
        ),
        (vec![("resize = [16, 16]", "resize = [20, 16]")], "20×16"),
        (vec![("resize = [16, 16]\n", "")], "resize = [16, 16]"),
        (
            vec![(
                "task = \"classify\"",
                "task = \"classify\"\nsplit = \"unlabeled\"",
            )],
            "unlabeled",
        ),
        (
            vec![(
                "source = \"shapes\"",
                "source = \"mnist\"\npath = \"/nowhere\"",
            )],
            "/nowhere",
        ),
        (vec![("\"bn\"", "\"bm\"")], "encoder.1"),
        (
            vec![(
                "sparsity = \"rho=0.1 beta=1e-3\"",
                "sparsity = \"at=encoder.9\"",
            )],
            "encoder.9",
        ),
    ] {
        let failure = failed(train(&tiny(&changes), &options(&run)).0);
        assert!(failure.wrong_input, "{failure:?}");
        assert!(
            failure.message.contains(part),
            "{part}: {}",
            failure.message
        );
        assert!(!run.exists(), "{changes:?} left a folder");
    }
    let unknown = RunOptions {
        stage: Some("x".into()),
        ..options(&run)
    };
    assert!(
        failed(train(&tiny(&[]), &unknown).0)
            .message
            .contains("there is no stage `x`")
    );
    let device = RunOptions {
        device: Some("tpu".into()),
        ..options(&run)
    };
    assert!(failed(train(&tiny(&[]), &device).0).wrong_input);
    let nothing = RunOptions {
        resume: true,
        ..options(&run)
    };
    assert!(
        failed(train(&tiny(&[]), &nothing).0)
            .message
            .contains("nothing to resume")
    );
}

#[test]
fn default_folders_count_up_below_the_base() {
    let base = tempfile::tempdir().unwrap();
    let options = RunOptions {
        base: base.path().to_owned(),
        epochs: Some(1),
        ..RunOptions::default()
    };
    let runs: Vec<_> = (0..2)
        .map(|_| completed(train(&tiny(&[]), &options).0).run)
        .collect();
    assert_eq!(
        runs,
        ["tiny-1", "tiny-2"].map(|name| base.path().join("runs").join(name))
    );
}
