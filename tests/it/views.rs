//! The views of what is inside: saliency, the sparse code, the images, the runs; driven by their labels.

use crate::kit::window::*;
use std::path::Path;
use strata::app::action::{Action, OnView, Show};
use strata::app::view_kind::ViewKind;
use strata::data::Dataset;
use strata::engine::command::Command;
use strata::engine::event::{Event, StepReport};
use strata::engine::inspection::reply::{Query, Reply};
use strata::inspect::image_set::ImagesOf;
use strata::inspect::inspection::Subject;
use strata::inspect::saliency::{Answer, Question, Request, Saliency};
use strata::inspect::sparse::SparseCode;
use strata::inspect::statistics::{self, Set, Statistics, measure};
use strata::project::Project;
use strata::project::data::{DataSpec, Normalize, Source, Split};
use strata::project::edit::Edit;
use strata::project::stage::Task;

/// Eight pixels a side, so that a run is over in a moment.
fn small(name: &str) -> Project {
    let mut project = builtin(name);
    project.data.limit = Some(64);
    (project.stages[0].epochs, project.stages[0].batch) = (1, 16);
    project
}

#[test]
fn a_trained_run_shows_what_its_answers_rest_on() {
    let folder = tempfile::tempdir().unwrap();
    let mut window = open(folder.path(), &classifier());
    window.show_column(&[ViewKind::Loss, ViewKind::Saliency]);
    assert!(window.has("Press Train, or open a run folder"));
    window.train();
    window.wait("maps", |state| {
        state
            .inspections
            .latest::<Saliency>()
            .is_some_and(|seen| seen.result.is_ok())
    });
    assert!(window.has("saliency of 16 images") && window.has("gradient of the predicted class"));
    let image = folder.path().join("own.png");
    image::RgbImage::from_pixel(40, 40, image::Rgb([200, 30, 30]))
        .save(&image)
        .unwrap();
    window.enter("Image file", image.to_str().unwrap());
    window.wait("the image", |state| {
        let seen = state.inspections.latest::<Saliency>();
        seen.and_then(|seen| seen.result.as_ref().ok())
            .is_some_and(|saliency| saliency.answers.len() == 1)
    });
    assert!(window.has("saliency of 1 images"));
    window.enter(
        "Image file",
        folder.path().join("project.toml").to_str().unwrap(),
    );
    window.wait("the refusal", |state| {
        state
            .inspections
            .latest::<Saliency>()
            .is_some_and(|seen| seen.result.is_err())
    });
    assert!(window.has("project.toml") && window.has("not an image"));
    window.click("Probe images");
    window.wait("the probe images", |state| {
        state
            .inspections
            .latest::<Saliency>()
            .is_some_and(|seen| seen.result.as_ref().is_ok_and(|s| s.answers.len() == 16))
    });
    let named = Request {
        question: Some(Question::Class(3)),
        image: None,
        ..Default::default()
    };
    window
        .harness
        .state_mut()
        .handle(Action::Show(Show::Saliency(named)));
    window.wait("the class", |state| {
        let seen = state.inspections.latest::<Saliency>();
        seen.and_then(|seen| seen.result.as_ref().ok())
            .is_some_and(|saliency| saliency.answers[0].class == Some(3))
    });
}

#[test]
fn the_code_of_a_run_is_measured_against_its_target() {
    let folder = tempfile::tempdir().unwrap();
    let mut window = open(folder.path(), &small("sparse-autoencoder"));
    window.show_column(&[ViewKind::Loss, ViewKind::Sparse]);
    assert!(window.has("No hidden units to measure yet"));
    window.train();
    // The run in training measured as many as there was time for.
    window.wait("all means", |state| {
        let seen = state.inspections.latest::<SparseCode>();
        seen.is_some_and(|seen| {
            seen.result.is_ok() && matches!(seen.query.subject, Subject::Stored(_))
        })
    });
    assert!(
        window.has("target ρ 0.035")
            && window.has("penalty ")
            && window.has("encoder layer 3 sigmoid")
    );
    let seen = window
        .state()
        .inspections
        .latest::<SparseCode>()
        .unwrap()
        .result
        .as_ref()
        .unwrap();
    assert_eq!(
        (seen.images, seen.of, seen.split),
        (640, 640, ImagesOf::Split(Split::Unlabeled))
    );
}

/// The statistics on screen.
fn measured(window: &mut Window) -> Statistics {
    window.wait("statistics", |state| {
        state
            .inspections
            .reply_to(&state.statistics_query())
            .is_some()
    });
    let seen = window.state().inspections.latest::<Statistics>().unwrap();
    Statistics::clone(seen.result.as_ref().unwrap())
}

#[test]
fn the_statistics_are_those_that_are_measured() {
    let mut project = classifier();
    project.data.limit = Some(80);
    let mut window = Window::real(project.clone(), SIZE);
    window.show_alone(ViewKind::Statistics);
    let found = measured(&mut window);
    let dataset = Dataset::open_as(
        &project.data,
        Some(3),
        project.seed,
        Path::new("."),
        &mut |_| true,
    )
    .unwrap();
    assert_eq!(
        found,
        measure(&dataset, Default::default(), &mut |_| true).unwrap()
    );
    assert!(
        window.has("train · all 80 images")
            && window.has("Mean image")
            && window.has("Deviation of each pixel")
    );
    let shows = |window: &Window, split: usize| {
        let split = &found.splits[split];
        ["red", "green", "blue"]
            .iter()
            .enumerate()
            .all(|(channel, name)| {
                window.has(&format!(
                    "{name:<6} {:.4} ± {:.4}",
                    split.mean[channel], split.std[channel]
                ))
            })
    };
    assert!(shows(&window, 0) && !shows(&window, 2));
    assert!(
        window.has("Histogram of the values by channel")
            && window.has("None among the images counted.")
    );
    let name = &found.classes[0];
    let counts = found
        .splits
        .iter()
        .filter(|split| !split.per_class.is_empty());
    let counts = counts
        .map(|split| format!("{} {}", split.split, split.per_class[0]))
        .collect::<Vec<_>>()
        .join(", ");
    assert!(window.has(&format!("{name}: {counts}")), "{name}: {counts}");
    window.click("Statistics of test");
    assert!(window.has("test · all 80 images") && shows(&window, 2) && !shows(&window, 0));
    window.click("Use as normalize");
    assert_eq!(
        window.state().project().data.normalize,
        Some(Normalize::By(found.splits[2].as_normalize()))
    );
    assert_eq!(
        measured(&mut window).splits,
        found.splits,
        "they are measured before normalize"
    );
    window
        .harness
        .state_mut()
        .handle(Action::Show(Show::Measure(statistics::Request {
            most: 30,
        })));
    assert_eq!(measured(&mut window).splits[0].counted, 30);
    assert!(window.has("30 of 80 images"));
    window.click("Measure all images");
    assert_eq!(measured(&mut window).splits, found.splits);
}

/// A folder of pictures in which one of `train` is there again in `test`, and one of `train` under another class.
fn with_copies(folder: &Path) {
    let write = |name: &str, value: u8| {
        let path = folder.join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        image::RgbImage::from_fn(40, 30, |x, y| {
            image::Rgb([value, (6 * x) as u8, (8 * y) as u8])
        })
        .save(path)
        .unwrap();
    };
    for index in 0..6u8 {
        write(&format!("train/cats/{index}.png"), 10 + index);
        write(
            &format!("train/dogs/{index}.png"),
            if index == 0 { 12 } else { 100 + index },
        );
    }
    (0..6u8).for_each(|index| {
        write(
            &format!("test/cats/{index}.png"),
            if index < 2 { 14 } else { 200 + index },
        )
    });
    write("test/dogs/0.png", 250);
}

#[test]
fn images_that_are_there_twice_are_shown_side_by_side() {
    let folder = tempfile::tempdir().unwrap();
    with_copies(&folder.path().join("images"));
    let mut project = classifier();
    project.data = DataSpec {
        source: Source::Folder,
        path: Some("nowhere".into()),
        resize: Some([30, 40]),
        valid: Some(0.0),
        ..DataSpec::default()
    };
    let mut window = open(folder.path(), &project);
    window.show_alone(ViewKind::Statistics);
    window.wait("the refusal", |state| {
        state.inspections.latest::<Statistics>().is_some()
    });
    assert!(
        window.has("Nothing to measure") && window.has("nowhere"),
        "it says which folder"
    );
    project.data.path = Some("images".into());
    window
        .harness
        .state_mut()
        .handle(Action::Edit(Edit::Data(project.data.clone())));
    let found = measured(&mut window).duplicates;
    assert_eq!(
        (found.total(), found.between(), found.sets.len()),
        (3, 2, 2)
    );
    assert!(window.has("1 within train") && window.has("2 of train again in test"));
    let splits = |set: &Set| {
        set.images
            .iter()
            .map(|twin| twin.image.0)
            .collect::<Vec<_>>()
    };
    assert_eq!(
        splits(&found.sets[0]),
        [Split::Train, Split::Test, Split::Test]
    );
    assert_eq!(splits(&found.sets[1]), [Split::Train, Split::Train]);
    for set in &found.sets {
        let names = set
            .images
            .iter()
            .map(|twin| format!("{} {}", twin.image.0, twin.image.1))
            .collect::<Vec<_>>();
        assert!(window.has(&names.join(" = ")), "{names:?}");
    }
    assert!(window.has("one image under several classes"));
    assert!(!found.sets[0].has_several_classes() && found.sets[1].has_several_classes());
    for dark in [true, false] {
        window.set_dark(dark);
        let theme = if dark { "dark" } else { "light" };
        window.keep_picture(&format!("statistics/{theme}"));
    }
}

#[test]
fn runs_lie_over_each_other_and_open_with_a_click() {
    let folder = tempfile::tempdir().unwrap();
    let mut window = open(folder.path(), &classifier());
    window.show_column(&[ViewKind::Loss, ViewKind::Runs]);
    window.wait("an empty list", |state| !state.runs.is_reading());
    assert!(window.has("No runs of this project yet"));
    for count in 1..=2 {
        window.train();
        window.wait("the list", |state| {
            state.runs.list.len() == count && !state.runs.is_reading()
        });
    }
    assert!(window.has("Hide run small-classifier-1") && window.has("Hide run small-classifier-2"));
    assert!(window.has("2 runs in "));
    window.show_alone(ViewKind::Runs);
    // Both rows are whole.
    window.harness.set_size(eframe::egui::vec2(1280.0, 960.0));
    window.run();
    window.click("Hide run small-classifier-1");
    assert!(window.has("Show run small-classifier-1"));
    window.click("Open run small-classifier-1");
    assert!(
        window
            .state()
            .training
            .run
            .as_ref()
            .unwrap()
            .ends_with("small-classifier-1")
    );
    assert_eq!(
        window.state().runs.list.len(),
        2,
        "the other runs stay beside it"
    );
}

fn live() -> (Window, Engine) {
    let (engine, start) = fake_engine();
    let mut window = Window::new(builtin("lenet-mnist"), SIZE, start);
    window.show_column(&[ViewKind::Loss, ViewKind::Accuracy]);
    window.click("Train");
    engine.tell(started(Path::new("runs/one-1")));
    engine.tell(Event::Stage {
        index: 0,
        name: "a".into(),
        task: Task::Classify,
        epochs: 1,
        steps_per_epoch: 9,
    });
    (window, engine)
}

fn step(step: u64) -> Event {
    let (stage, epoch, step_in_epoch, accuracy) = (0, 1, step, None);
    let (loss, lr, images_per_second, seconds_left) = (1.0, 1e-3, 1.0, 1.0);
    Event::Step(StepReport {
        stage,
        epoch,
        step,
        step_in_epoch,
        loss,
        penalty: None,
        accuracy,
        lr,
        images_per_second,
        seconds_left,
    })
}

fn maps(step: u64) -> Saliency {
    let (maps, inputs) = (vec![0.5; 16], vec![9; 16]);
    let top = vec![(7, 0.9), (1, 0.06), (9, 0.04)];
    let answers = vec![Answer {
        labels: None,
        label: Some(1),
        class: Some(7),
        score: 4.2,
        top,
    }];
    let question = Question::Predicted;
    Saliency {
        step,
        question,
        height: 4,
        width: 4,
        channels: 1,
        inputs,
        maps,
        answers,
        ..Saliency::default()
    }
}

/// What nobody sees is never asked for; what is seen, once a picture, and anew only when there is something new.
#[test]
fn a_view_asks_the_run_only_while_it_is_seen() {
    let (mut window, engine) = live();
    engine.tell(step(1));
    window.run();
    assert!(!engine.with(|run| run.live.is_asked::<Saliency>()));
    window.show_column(&[ViewKind::Loss, ViewKind::Saliency]);
    let query = engine.with(|run| run.live.take_query::<Saliency>());
    let query = query.unwrap().get::<Saliency>().cloned().unwrap();
    assert_eq!(query.request, Request::default());
    assert_eq!(
        engine.commanded(),
        [Command::RefreshInspections],
        "a paused run has to be told"
    );
    window.run();
    assert!(
        !engine.with(|run| run.live.is_asked::<Saliency>()),
        "one question at a time"
    );
    engine.with(|run| {
        run.live.put(Reply {
            query: query.clone(),
            result: Ok(maps(1).into()),
        })
    });
    window.run();
    assert!(window.has("the first taken for 7 with 90 %"));
    assert!(
        !engine.with(|run| run.live.is_asked::<Saliency>()),
        "nothing new to be seen"
    );
    engine.tell(step(2));
    window.run();
    assert!(
        engine.with(|run| run.live.take_query::<Saliency>().is_some()),
        "a step later there is"
    );
    window
        .harness
        .state_mut()
        .handle(Action::View(OnView::Close(ViewKind::Saliency)));
    window.run();
    engine.with(|run| {
        run.live.put(Reply {
            query: query.clone(),
            result: Ok(maps(2).into()),
        })
    });
    engine.tell(step(3));
    window.run();
    assert!(
        !engine.with(|run| run.live.is_asked::<Saliency>()),
        "hidden again"
    );
}

#[test]
fn the_code_is_shown_live() {
    let (mut window, engine) = live();
    engine.tell(step(1));
    window.show_column(&[ViewKind::Loss, ViewKind::Sparse]);
    assert!(engine.with(|run| run.live.take_query::<SparseCode>().is_some()));
    let code = SparseCode {
        step: 1,
        layer: "encoder.2 `sigmoid`".into(),
        images: 2000,
        of: 54_000,
        means: vec![0.05, 0.04, f32::NAN, 0.3],
        target: Some((0.05, 3.0)),
        penalty: Some(0.25),
        ..SparseCode::default()
    };
    engine.with(|run| {
        run.live.put(Reply {
            query: Query::new(Subject::Live, Default::default()),
            result: Ok(code.into()),
        })
    });
    window.run();
    assert!(window.has("2,000 of 54,000 train images · step 1") && window.has("penalty 0.2500"));
    window.picture(1.0);
}
