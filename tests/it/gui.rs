//! The window, driven as a user would: by the names of its controls.

use crate::kit::window::*;
use eframe::egui::{Key, Modifiers, Rect, vec2};
use egui_kittest::kittest::{NodeT, Queryable};
use std::path::Path;
use std::sync::atomic::Ordering;
use strata::app::action::Action;
use strata::app::run_monitor::Phase;
use strata::app::state::Closing;
use strata::engine::command::Command;
use strata::engine::event::EpochReport;
use strata::engine::event::{Event, Failure, Metrics, Outcome, StepReport, Summary};
use strata::inspect::filters::Filters;
use strata::inspect::reconstructions::Reconstructions;
use strata::project::data::Split;
use strata::project::node::Node;
use strata::project::stage::Task;
use strata::project::{Project, Stack, file};

#[test]
fn a_layer_is_edited_in_place_and_shapes_follow_every_letter() {
    let mut window = Window::idle("conv-autoencoder");
    assert!(window.has("encoder.0: conv 32 k8 s4 p2 gives 32×8×8, 6,176 parameters"));
    assert!(window.has("output 3×32×32 = input 3×32×32"));
    window.type_over("encoder.0", "conv 8 k4 s2");
    assert!(
        window.has("gives 8×15×15, 392 parameters"),
        "shapes follow before Enter"
    );
    assert_eq!(
        window.texts(Stack::Encoder)[0],
        "conv 32 k8 s4 p2",
        "nothing is committed yet"
    );
    window.press(Modifiers::NONE, Key::Escape);
    assert!(window.has("gives 32×8×8"), "Esc takes the former text back");
    window.enter("encoder.0", "conv 8 k4 s2");
    assert_eq!(window.texts(Stack::Encoder)[0], "conv 8 k4 s2");
    assert!(window.has("Unsaved changes"));
    assert!(!window.has("output 3×32×32 = input 3×32×32"));
}

#[test]
fn a_broken_layer_says_why_and_is_mended() {
    let mut window = Window::idle("deep-autoencoder");
    window.enter("encoder.3", "conv 32 k30");
    assert!(window.has("kernel 30×30 is larger than the input"));
    assert!(window.has("Cannot train yet"));
    assert!(window.get("Train").accesskit_node().is_disabled());
    assert!(
        window.has("encoder.5: maxpool 2 gives 32×?×?"),
        "what follows shows what is still known"
    );
    window.enter("encoder.3", "cnov 32 k3");
    assert!(window.has("there is no layer cnov") && window.has("did you mean conv?"));
    window.enter("encoder.3", "conv 32 k3 p1");
    assert!(window.has("output 3×32×32 = input 3×32×32"));
    assert!(!window.get("Train").accesskit_node().is_disabled());
}

#[test]
fn leaving_a_field_commits_it() {
    let mut window = Window::idle("conv-autoencoder");
    window.type_over("encoder.1", "tanh");
    window.get("decoder.0").focus();
    window.run();
    assert_eq!(window.texts(Stack::Encoder)[1], "tanh");
}

#[test]
fn every_edit_is_undone_and_redone() {
    let mut window = Window::idle("conv-autoencoder");
    let first = window.state().project().clone();
    window.enter("encoder.0", "conv 8 k3 p1");
    window.enter("Input shape", "1x28x28");
    window.enter("Project title", "Mine");
    window.enter("Optimizer", "sgd lr=0.1");
    let last = window.state().project().clone();
    window.click("Undo");
    assert_eq!(
        window.state().project().stages[0].optimizer,
        first.stages[0].optimizer
    );
    (0..3).for_each(|_| window.press(Modifiers::COMMAND, Key::Z));
    assert_eq!(*window.state().project(), first);
    assert!(window.has("No unsaved changes"));
    window.press(Modifiers::COMMAND, Key::Y);
    window.press(Modifiers::COMMAND | Modifiers::SHIFT, Key::Z);
    window.click("Redo");
    window.click("Redo");
    assert_eq!(*window.state().project(), last);
}

#[test]
fn layers_are_added_duplicated_moved_and_deleted() {
    let mut window = Window::idle("conv-autoencoder");
    window.click("Add layer to encoder");
    window.get("Search layers").type_text("batch");
    window.run();
    window.click("Add bn");
    assert_eq!(
        window.texts(Stack::Encoder),
        ["conv 32 k8 s4 p2", "relu", "bn"]
    );
    window.press(Modifiers::ALT, Key::ArrowUp);
    assert_eq!(
        window.texts(Stack::Encoder),
        ["conv 32 k8 s4 p2", "bn", "relu"]
    );
    window.click("Move layer up");
    window.click("Duplicate layer");
    assert_eq!(
        window.texts(Stack::Encoder),
        ["bn", "bn", "conv 32 k8 s4 p2", "relu"]
    );
    window.press(Modifiers::NONE, Key::Delete);
    window.click("Delete layer");
    assert_eq!(window.texts(Stack::Encoder), ["bn", "relu"]);
}

#[test]
fn a_layer_is_added_by_its_text_alone() {
    let mut window = Window::idle("conv-autoencoder");
    // An autoencoder's head is had by name: it has a place once a layer is asked for there.
    assert!(!window.has("Add layer to head"));
    window.find("Add layer to head");
    window.get("Search layers").type_text("dense 10");
    window.run();
    window.press(Modifiers::NONE, Key::Enter);
    assert_eq!(window.state().network().head, [Node::from_text("dense 10")]);
}

#[test]
fn blocks_show_their_branches_and_grow() {
    let mut window = Window::idle("conv-autoencoder");
    window.enter("encoder.1", "{ add = [[\"conv 32 k3 p1\", \"relu\"], []] }");
    assert!(window.has("encoder.1: add of 2 branches gives 32×8×8"));
    assert!(window.has("branch 2: identity"));
    window.enter("encoder.1.0.1", "tanh");
    window.click("Add layer to encoder.1 branch 2");
    window.get("Search layers").type_text("bn");
    window.run();
    window.press(Modifiers::NONE, Key::Enter);
    assert_eq!(
        window.texts(Stack::Encoder)[1],
        "{ add = [[\"conv 32 k3 p1\", \"tanh\"], [\"bn\"]] }"
    );
}

#[test]
fn settings_refuse_what_cannot_be_read() {
    let mut window = Window::idle("conv-autoencoder");
    let first = window.state().project().clone();
    window.enter("Optimizer", "adm lr=1");
    assert!(window.has("there is no optimizer adm"));
    window.click("Pixels of the data");
    window.enter("Pixel range", "1..-1");
    assert!(window.has("is no range"));
    window.enter("Epochs", "0");
    assert!(window.has("write a whole number from 1"));
    assert_eq!(*window.state().project(), first);
    window.enter("Optimizer", "sgd lr=0.01 momentum=0.9");
    window.enter("Pixel range", "0..1");
    window.enter("Epochs", "3");
    assert!(!window.has("is no range") && !window.has("write a whole number"));
    let project = window.state().project();
    assert_eq!(
        (project.stages[0].epochs, project.data.range),
        (3, Some([0.0, 1.0]))
    );
}

#[test]
fn built_in_projects_open_and_unsaved_changes_are_asked_about() {
    let mut window = Window::idle("conv-autoencoder");
    window.click("Examples ▾");
    window.click("Open example lenet-mnist");
    assert_eq!(window.state().project().title, "LeNet for MNIST");
    window.enter("encoder.1", "tanh");
    window.click("Examples ▾");
    window.click("Open example keras-cifar");
    assert!(window.has("has unsaved changes"));
    window.click("Keep editing");
    assert_eq!(window.state().project().title, "LeNet for MNIST");
    window.click("Examples ▾");
    window.click("Open example keras-cifar");
    window.click("Discard changes");
    assert!(window.has("122,570 parameters"));
}

#[test]
fn what_cannot_be_opened_is_a_message_and_loses_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let newer = folder.path().join("newer.toml");
    std::fs::write(&newer, "format = 9\n").unwrap();
    let runs = folder.path().join("runs");
    std::fs::create_dir_all(runs.join("one")).unwrap();
    std::fs::write(runs.join("one/project.toml"), "format = 1\n").unwrap();
    let empty = folder.path().join("empty");
    std::fs::create_dir(&empty).unwrap();
    let mut window = Window::idle("conv-autoencoder");
    let first = window.state().project().clone();
    for (path, part) in [
        (newer, "has format 9"),
        (folder.path().join("none.toml"), "cannot read"),
        (runs, "holds several runs"),
        (empty, "holds no project and no run"),
    ] {
        window.click("Open…");
        window.enter("Path", path.to_str().unwrap());
        assert!(window.has(part), "{part}");
        window.click("Dismiss message");
        assert!(!window.has(part), "read messages go");
    }
    assert_eq!(*window.state().project(), first);
    // What could not be opened is of no interest once something else was.
    let nothing = folder.path().join("none.toml");
    for action in [Action::Open(nothing), Action::Builtin("keras-cifar")] {
        window.harness.state_mut().handle(action);
        window.run();
    }
    assert!(!window.has("cannot read"));
}

#[test]
fn saved_projects_come_back_and_other_files_are_not_replaced_unasked() {
    let folder = tempfile::tempdir().unwrap();
    let (mine, other) = (
        folder.path().join("mine.toml"),
        folder.path().join("other.toml"),
    );
    std::fs::write(&other, "precious").unwrap();
    let mut window = Window::idle("conv-autoencoder");
    window.enter("encoder.0", "conv 16 k8 s4 p2");
    window.press(Modifiers::COMMAND, Key::S);
    window.enter("Path", mine.to_str().unwrap());
    assert!(window.has("No unsaved changes"));
    assert_eq!(file::load(&mine).unwrap(), *window.state().project());
    window.click("Save as…");
    window.enter("Path", other.to_str().unwrap());
    assert!(window.has("exists already"));
    assert_eq!(std::fs::read_to_string(&other).unwrap(), "precious");
    window.click("Replace the file");
    assert_eq!(file::load(&other).unwrap(), *window.state().project());
}

#[test]
fn a_read_only_place_is_a_message() {
    let mut window = Window::idle("conv-autoencoder");
    window.enter("encoder.1", "tanh");
    window.click("Save");
    window.enter("Path", "/proc/p.toml");
    assert!(window.has("cannot write"));
    assert!(window.has("Unsaved changes"));
}

#[test]
fn closing_asks_about_unsaved_changes_and_saves_them() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("p.toml");
    let mut window = Window::idle("conv-autoencoder");
    window.enter("encoder.1", "tanh");
    window
        .harness
        .state_mut()
        .handle(strata::app::action::Action::Close);
    window.run();
    assert_eq!(window.state().closing, Closing::No);
    window.click("Save changes");
    window.enter("Path", path.to_str().unwrap());
    assert_eq!(window.state().closing, Closing::Now);
    assert_eq!(file::load(&path).unwrap(), *window.state().project());
}

#[test]
fn stages_are_added_opened_and_deleted() {
    let mut window = Window::idle("pretrain-classify");
    assert_eq!(window.state().project().stages.len(), 3);
    window.click("Stage 2: head only");
    window.enter("Batch", "32");
    assert_eq!(window.state().project().stages[1].batch, 32);
    window.click("Delete stage");
    assert_eq!(window.state().project().stages.len(), 2);
    window.click("Add stage");
    assert_eq!(window.state().project().stages[2].name, "stage 3");
}

#[test]
fn the_theme_switches_and_comes_back() {
    let mut window = Window::idle("conv-autoencoder");
    let corner = |window: &mut Window| *window.picture(1.0).get_pixel(640, 4);
    let before = corner(&mut window);
    window.click("Switch theme");
    let other = corner(&mut window);
    assert!(before[0].abs_diff(other[0]) > 100, "{before:?} {other:?}");
    window.click("Switch theme");
    assert_eq!(corner(&mut window), before);
}

fn stage() -> Event {
    Event::Stage {
        index: 0,
        name: "reconstruct".into(),
        task: Task::Reconstruct,
        epochs: 10,
        steps_per_epoch: 100,
    }
}

fn step(step: u64, loss: f64) -> Event {
    let epoch = 1 + (step / 100) as u32;
    let (images_per_second, seconds_left) = (11_240.0, 112.0);
    Event::Step(StepReport {
        stage: 0,
        epoch,
        step,
        step_in_epoch: step % 100,
        loss,
        penalty: None,
        accuracy: None,
        lr: 1e-3,
        images_per_second,
        seconds_left,
    })
}

fn window_with_run(project: Project) -> (Window, Engine) {
    let (engine, start) = fake_engine();
    let mut window = Window::new(project, vec2(1280.0, 720.0), start);
    window.click("Train");
    (window, engine)
}

fn pictures(engine: &Engine, step: u64) {
    let (height, width, channels, count) = (4, 4, 3, 2);
    let bytes = vec![(step % 251) as u8; count * height * width * channels];
    engine.with(|run| {
        run.live.reconstructions.put(Reconstructions {
            step,
            height,
            width,
            channels,
            inputs: bytes.clone(),
            outputs: bytes,
            slice: None,
            mse: vec![0.01; count],
            mean_mse: 0.0121,
            psnr: 25.2,
            outside: 0.0,
            since: None,
        });
        let values = vec![0.5; 4 * 3 * 3 * 3];
        let (key, layer) = ("encoder.0".into(), "conv 4 k3".into());
        run.live.filters.put(Filters {
            step,
            key,
            layer,
            are_templates: false,
            count: 4,
            height: 3,
            width: 3,
            slices: 1,
            channels: 3,
            values,
            on_pixels: false,
            since: None,
        });
    });
}

#[test]
fn a_run_is_watched_paused_stepped_and_stopped() {
    let (mut window, engine) = window_with_run(builtin("conv-autoencoder"));
    assert_eq!(
        engine.with(|run| run.project.clone()),
        *window.state().project()
    );
    engine.tell(Event::Preparing {
        what: "Drawing images".into(),
        done: 1,
        total: 2,
    });
    window.run();
    assert!(window.has("Drawing images"));
    [started(Path::new("runs/one-1")), stage()]
        .into_iter()
        .for_each(|event| engine.tell(event));
    (1..=250).for_each(|i| engine.tell(step(i, 1.0 / i as f64)));
    let metrics = vec![(
        Split::Valid,
        Metrics {
            loss: 0.0123,
            ..Metrics::default()
        },
    )];
    engine.tell(Event::Epoch(EpochReport {
        stage: 0,
        epoch: 2,
        step: 200,
        metrics,
    }));
    pictures(&engine, 250);
    window.run();
    assert!(
        window.has("epoch 3/10") && window.has("1 min 52 s left") && window.has("11,240 images/s")
    );
    assert!(window.has("2 probe images and their reconstructions, mean squared error 0.0121"));
    assert!(window.has("4 filters of conv 4 k3"));
    assert_eq!(window.state().training.curves.loss.raw.len(), 250);
    assert_eq!(window.state().training.curves.loss.valid, [[200.0, 0.0123]]);
    window.click("Pause");
    engine.tell(Event::Paused);
    window.run();
    window.click("Step");
    window.click("Resume");
    engine.tell(Event::Resumed);
    window.run();
    window.click("Stop");
    assert!(window.has("saving a checkpoint"));
    let summary = Summary {
        run: "runs/one-1".into(),
        seconds: 3.0,
        ..Summary::default()
    };
    engine.tell(Event::Finished(Outcome::Stopped(summary)));
    window.run();
    assert_eq!(
        engine.commanded(),
        [
            Command::Pause,
            Command::Steps(1),
            Command::Resume,
            Command::Stop
        ]
    );
    assert!(window.has("a checkpoint is in runs/one-1"));
    assert!(
        !window.get("Train").accesskit_node().is_disabled(),
        "the next run can start"
    );
}

#[test]
fn editing_while_it_trains_changes_the_project_and_not_the_run() {
    let (mut window, engine) = window_with_run(builtin("conv-autoencoder"));
    [started(Path::new("runs/one-1")), stage(), step(1, 0.5)]
        .into_iter()
        .for_each(|event| engine.tell(event));
    window.run();
    window.enter("encoder.1", "tanh");
    assert_eq!(
        engine.with(|run| run.project.network.encoder[1].text()),
        "relu"
    );
    assert!(window.has("The run uses the project as it was when started"));
}

/// What the run is told to do; that a view asks for its pictures is no order.
fn orders(engine: &Engine) -> Vec<Command> {
    let mut all = engine.commanded();
    all.retain(|command| *command != Command::RefreshInspections);
    all
}

#[test]
fn space_pauses_and_resumes_unless_text_is_edited() {
    let (mut window, engine) = window_with_run(builtin("conv-autoencoder"));
    [started(Path::new("runs/one-1")), stage(), step(1, 0.5)]
        .into_iter()
        .for_each(|event| engine.tell(event));
    window.run();
    window.press(Modifiers::NONE, Key::Space);
    engine.tell(Event::Paused);
    window.run();
    window.press(Modifiers::NONE, Key::Space);
    assert_eq!(engine.commanded(), [Command::Pause, Command::Resume]);
    window.get("encoder.0").focus();
    window.run();
    window.press(Modifiers::NONE, Key::Space);
    assert_eq!(orders(&engine), []);
}

#[test]
fn failed_and_lost_runs_are_told_and_the_next_one_starts() {
    let (mut window, engine) = window_with_run(builtin("conv-autoencoder"));
    let message = "the loss is not finite at step 12: lower lr".to_owned();
    let failure = Failure {
        in_window: message.clone(),
        message,
        wrong_input: false,
        stage: None,
        repairs: Vec::new(),
        of_gpu: false,
        run: None,
    };
    engine.tell(Event::Finished(Outcome::Failed(failure)));
    window.run();
    assert!(window.has("the loss is not finite at step 12"));
    window.click("Train");
    assert!(window.state().training.is_running());
    engine.with(|run| run.events = None);
    window.run();
    assert!(
        window.has("ended without a word"),
        "a dead thread is a failed run"
    );
    assert!(matches!(
        window.state().training.phase,
        Phase::Ended(Outcome::Failed(_))
    ));
}

#[test]
fn losses_that_are_not_finite_are_gaps() {
    let (mut window, engine) = window_with_run(builtin("conv-autoencoder"));
    [started(Path::new("runs/one-1")), stage()]
        .into_iter()
        .for_each(|event| engine.tell(event));
    for i in 1..=300 {
        engine.tell(step(
            i,
            if (100..110).contains(&i) {
                f64::NAN
            } else {
                0.1
            },
        ));
    }
    window.run();
    assert_eq!(
        window
            .state()
            .training
            .curves
            .loss
            .smooth
            .visible(0.0..=300.0, 1000)
            .len(),
        2
    );
    window.click("Logarithmic axis");
    assert!(!window.state().view.log_loss);
    window.picture(1.0);
}

#[test]
fn a_million_steps_are_taken_in_bounded_bites_and_drawn() {
    let (mut window, engine) = window_with_run(builtin("conv-autoencoder"));
    [started(Path::new("runs/one-1")), stage()]
        .into_iter()
        .for_each(|event| engine.tell(event));
    (1..=100_000).for_each(|i| engine.tell(step(i, 1.0 / (i as f64).sqrt())));
    window.harness.step();
    let taken = window.state().training.curves.loss.raw.len();
    assert!(
        taken > 0 && taken < 10_000,
        "one frame takes a bounded number: {taken}"
    );
    for _ in 0..40 {
        window.harness.step();
    }
    assert_eq!(window.state().training.curves.loss.raw.len(), 100_000);
}

#[test]
fn a_run_goes_on_when_the_window_is_closed_until_its_checkpoint_is_saved() {
    let (mut window, engine) = window_with_run(builtin("conv-autoencoder"));
    [started(Path::new("runs/one-1")), stage(), step(1, 0.5)]
        .into_iter()
        .for_each(|event| engine.tell(event));
    window.run();
    window
        .harness
        .state_mut()
        .handle(strata::app::action::Action::Close);
    window.run();
    assert_eq!(window.state().closing, Closing::Waiting);
    assert_eq!(engine.commanded(), [Command::Stop]);
    engine.tell(Event::Finished(Outcome::Stopped(Summary::default())));
    window.run();
    assert_eq!(window.state().closing, Closing::Now);
}

/// The engine may hang, on a network drive that does not answer: who closes twice does not wait for it.
#[test]
fn a_second_close_ends_without_waiting() {
    let (mut window, engine) = window_with_run(builtin("conv-autoencoder"));
    let close = |window: &mut Window| {
        let action = strata::app::action::Action::Close;
        window.harness.state_mut().handle(action);
        window.run();
    };
    close(&mut window);
    assert_eq!(window.state().closing, Closing::Waiting);
    assert!(window.has("close once more to end at once"));
    close(&mut window);
    assert_eq!(window.state().closing, Closing::Now);
    assert_eq!(engine.commanded(), [Command::Stop]);
}

/// At a logout nobody can be asked: the run saves its checkpoint, and unsaved edits are offered at the next start.
#[test]
fn a_request_of_the_system_to_end_loses_nothing() {
    let (mut window, engine) = window_with_run(builtin("conv-autoencoder"));
    [started(Path::new("runs/one-1")), stage(), step(1, 0.5)]
        .into_iter()
        .for_each(|event| engine.tell(event));
    window.run();
    window.enter("encoder.1", "tanh");
    window.harness.state().end().store(true, Ordering::Relaxed);
    window.run();
    assert_eq!(window.state().closing, Closing::Waiting);
    assert_eq!(orders(&engine), [Command::Stop]);
    engine.tell(Event::Finished(Outcome::Stopped(Summary::default())));
    window.run();
    assert_eq!(window.state().closing, Closing::Now);
    let config = tempfile::tempdir().unwrap();
    let mut window = Window::kept("conv-autoencoder", config.path());
    window.enter("encoder.1", "tanh");
    let edited = window.state().project().clone();
    window.harness.state().end().store(true, Ordering::Relaxed);
    window.run();
    assert_eq!(window.state().closing, Closing::Now, "no question is asked");
    drop(window);
    let window = Window::kept("conv-autoencoder", config.path());
    assert_eq!(window.state().unsaved[0].project, edited);
}

#[test]
fn a_run_folder_opens_with_its_curves() {
    let run = tempfile::tempdir().unwrap();
    file::save(&builtin("lenet-mnist"), &run.path().join("project.toml")).unwrap();
    std::fs::write(
        run.path().join("metrics.csv"),
        "stage,epoch,step,split,loss\na,1,10,valid,0.5\n",
    )
    .unwrap();
    std::fs::write(
        run.path().join("steps.csv"),
        "step,stage,epoch,loss\n1,a,1,2.3\n2,a,1,1.9\n",
    )
    .unwrap();
    let mut window = Window::idle("conv-autoencoder");
    window.click("Open…");
    window.enter("Path", run.path().to_str().unwrap());
    assert_eq!(window.state().project().title, "LeNet for MNIST");
    window.wait("the curves", |state| !state.training.is_reading());
    assert_eq!(window.state().training.curves.loss.raw.len(), 2);
    assert!(
        window.state().file.is_none(),
        "saving must not change what was trained"
    );
}

#[test]
fn empty_views_say_what_to_do() {
    let window = Window::idle("conv-autoencoder");
    for what in ["pictures", "steps"] {
        let hint =
            format!("Press Train, or open a run folder: the first {what} appear within a second.");
        assert!(window.has(&hint), "{hint}");
    }
    assert!(window.has("Ready to train"));
    let window = Window::idle("lenet-mnist");
    assert!(window.has("Nothing classified yet"));
}

/// Every control lies inside the window (or inside a part that scrolls), in both sizes and at 150 %.
#[test]
fn nothing_is_clipped_at_the_smallest_size() {
    for (size, scale) in [
        (vec2(1280.0, 720.0), 1.0),
        (vec2(960.0, 600.0), 1.0),
        (vec2(1280.0, 720.0), 1.5),
    ] {
        let mut window = Window::new(builtin("pretrain-classify"), size, fake_engine().1);
        window.harness.set_pixels_per_point(scale);
        window.run();
        let screen = Rect::from_min_size(Default::default(), size).expand(0.5);
        let left = ["Project title", "Undo", "Redo"];
        // Where there is no room for two panels beside the views, files and workspaces have a menu each.
        let (files, workspaces) = match window.state().view.tight {
            true => (&["File ▾"][..], &["Workspace"][..]),
            false => (
                &["Examples ▾", "Open…", "Save"][..],
                &["Design workspace", "Training workspace"][..],
            ),
        };
        let right = ["Device", "Switch theme"];
        let names = [&left[..], files, workspaces, &right[..]].concat();
        for label in names.iter().chain(&["Train", "Step", "Stop"]) {
            assert!(
                screen.contains_rect(window.get(label).rect()),
                "{label} at {size:?}: {:?}",
                window.get(label).rect()
            );
        }
        for pair in names.windows(2) {
            let (left, right) = (window.get(pair[0]).rect(), window.get(pair[1]).rect());
            assert!(
                left.right() <= right.left() + 0.5,
                "{pair:?} overlap at {size:?}"
            );
        }
    }
}

#[test]
fn the_window_rests_when_nothing_happens() {
    let mut window = Window::idle("conv-autoencoder");
    window.run();
    let output = &window.harness.output().viewport_output;
    assert!(
        output
            .values()
            .all(|viewport| viewport.repaint_delay > std::time::Duration::from_secs(1))
    );
}

/// The engine itself: train, see pictures arrive, pause, resume, stop, save, reopen.
#[test]
fn a_real_run_from_train_to_reopening() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tiny.toml");
    let mut project = builtin("conv-autoencoder");
    project.data.limit = Some(64);
    project.stages[0].batch = 16;
    project.stages[0].epochs = 500;
    file::save(&project, &path).unwrap();
    let mut window = Window::real(builtin("lenet-mnist"), vec2(1280.0, 720.0));
    window.click("Open…");
    window.enter("Path", path.to_str().unwrap());
    window.click("Train");
    window.wait("steps and pictures", |state| {
        let training = &state.training;
        training.curves.loss.raw.len() > 5
            && training.reconstructions.is_some()
            && training.filters.is_some()
    });
    assert!(window.has("probe images and their reconstructions"));
    assert!(window.has("filters of conv 32 k8 s4 p2"));
    window.click("Pause");
    window.wait("the pause", |state| state.training.phase == Phase::Paused);
    let paused = window.state().training.curves.steps();
    window.click("Resume");
    window.wait("more steps", |state| state.training.curves.steps() > paused);
    window.enter("encoder.0", "conv 16 k8 s4 p2");
    window.click("Stop");
    window.wait("the end", |state| !state.training.is_running());
    let run = window.state().training.run.clone().unwrap();
    assert!(run.join("metrics.csv").exists() && run.starts_with(folder.path()));
    assert_eq!(
        file::load(&run.join("project.toml")).unwrap().network,
        project.network,
        "the run kept its copy"
    );
    window.press(Modifiers::COMMAND, Key::S);
    assert!(window.has("No unsaved changes"));
    window.click("Open…");
    window.enter("Path", run.to_str().unwrap());
    assert_eq!(
        window.state().network().encoder[0].text(),
        "conv 32 k8 s4 p2"
    );
    window.wait("the stored loss", |state| {
        state.training.curves.loss.raw.len() > 5
    });
    window.click("Open…");
    window.enter("Path", path.to_str().unwrap());
    assert_eq!(window.texts(Stack::Encoder)[0], "conv 16 k8 s4 p2");
}

/// Deep inside a nest there is little room: the text says that it goes on, and is whole when it is edited.
#[test]
fn a_text_without_room_ends_in_an_ellipsis() {
    let mut window = Window::idle("unet");
    if window.has("Unfold all blocks") {
        window.click("Unfold all blocks");
    }
    let place = "encoder.7.1.7.1.7.1.7.1.1";
    let text = |window: &Window| window.get(place).value().unwrap();
    assert!(
        text(&window).starts_with("conv 256 k3") && text(&window).ends_with('…'),
        "{}",
        text(&window)
    );
    window.get(place).focus();
    window.run();
    assert_eq!(text(&window), "conv 256 k3 p1 nobias");
}

/// At 1280×720, after a run whose settings are as long as they get: the results and how it ended stand below each
/// other, and a setting takes the lines that it needs.
#[test]
fn results_and_long_settings_are_not_cut() {
    let mut project = builtin("conv-autoencoder");
    let optimizer = "sgd lr=0.05 momentum=0.9 nesterov weight_decay=0.01";
    project.stages[0].optimizer = optimizer.parse().unwrap();
    project.stages[0].sparsity = Some("rho=0.05 beta=0.001 at=encoder.1".parse().unwrap());
    project.stages[0].early_stop = Some("valid loss patience=5".parse().unwrap());
    let (mut window, engine) = window_with_run(project);
    let folder = tempfile::tempdir().unwrap();
    let measured = |loss| Metrics {
        loss,
        ..Metrics::default()
    };
    engine.tell(started(folder.path()));
    engine.tell(stage());
    engine.tell(step(100, 0.1));
    let metrics = vec![
        (Split::Train, measured(0.123_4)),
        (Split::Valid, measured(0.234_5)),
        (Split::Test, measured(0.345_6)),
    ];
    engine.tell(Event::Epoch(EpochReport {
        stage: 0,
        epoch: 1,
        step: 100,
        metrics: metrics.clone(),
    }));
    engine.tell(Event::Finished(Outcome::Completed(Summary {
        run: folder.path().to_owned(),
        metrics,
        seconds: 75.0,
        images_per_second: 11_240.0,
    })));
    window.wait("the end", |state| !state.training.is_running());
    window.run();
    window.keep_picture("layout/after-a-run");
    // The status bar below says the same once more.
    let rect = |window: &Window, part: &str| {
        let found = window.harness.query_all_by_label_contains(part);
        let rects = found.map(|node| node.rect());
        rects.min_by(|a, b| a.top().total_cmp(&b.top())).unwrap()
    };
    let results = rect(&window, "train loss 0.1234 · valid loss 0.2345");
    let status = rect(&window, "Finished in 1");
    assert!(
        results.bottom() <= status.top() + 1.0,
        "{results:?} {status:?}"
    );
    assert!(status.width() > 120.0, "the status has room: {status:?}");
    let field = |name: &str| window.get(name).rect();
    let one = field("Stage name").height();
    for name in ["Optimizer", "Sparsity", "Early stop"] {
        assert!(
            field(name).height() > 1.5 * one,
            "{name}: {:?}",
            field(name)
        );
    }
    assert_eq!(
        window.get("Optimizer").value().unwrap().replace('\n', ""),
        optimizer
    );
}
