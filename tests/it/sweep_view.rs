//! The sweep in the window: set up by choosing settings, trained, stopped, gone on with, looked at, a trial opened.

use crate::kit::window::{SIZE, Window, classifier, open};
use eframe::egui::{Key, Modifiers, vec2};
use egui_kittest::kittest::Queryable;
use std::path::Path;
use strata::app::action::Action;
use strata::app::view_kind::ViewKind;
use strata::project::sweep::{Method, Values};
use strata::project::{Project, file};
use strata::sweep::{Standing, Table};

/// The window with the view of sweeps, of a project in this folder.
pub(crate) fn view(folder: &Path, project: &Project) -> Window {
    let mut window = open(folder, project);
    window.show_alone(ViewKind::Sweep);
    window.run();
    window
}

/// A small classifier with the lines of a sweep.
fn swept(lines: &str) -> Project {
    let text = file::to_text(&classifier());
    file::parse(&format!("{text}\n[sweep]\n{lines}\n"), "p").unwrap()
}

/// Adds the setting that these words find.
fn add(window: &mut Window, words: &str, values: &str) {
    window.type_over("Search settings to try", words);
    window.run();
    window.click("Setting to try");
    window.run();
    let name = window.full_label(words);
    window.click(&name);
    window.run();
    let name = name.split(" = ").next().unwrap().to_owned();
    window.enter(&format!("Values of {name}"), values);
    window.run();
}

#[test]
fn a_sweep_is_set_up_by_choosing() {
    let folder = tempfile::tempdir().unwrap();
    let mut window = view(folder.path(), &classifier());
    assert!(window.has("Add a setting"));
    add(&mut window, "stage 1: beta1", "0, 0.5, 0.9");
    let sweep = window.state().project().sweep.clone().unwrap();
    assert_eq!(sweep.factors[0].key(), "stage.0.beta1");
    assert_eq!(
        sweep.factors[0].values,
        Values::typed("0, 0.5, 0.9").unwrap()
    );
    let limit = std::time::Duration::from_secs(20);
    window.wait_for(limit, "three trials", |window| {
        window.has("3 trials, 3 runs")
    });
    window.enter("Seeds for each trial", "2");
    window.click("Method of the sweep");
    window.run();
    window.click("random");
    window.run();
    window.enter("Trials of the sweep", "2");
    window.enter("When a trial is hopeless", "valid accuracy < 0.05 after 1");
    window.run();
    let sweep = window.state().project().sweep.clone().unwrap();
    assert_eq!(
        (sweep.method, sweep.seeds, sweep.trials),
        (Method::Random, Some(2), Some(2))
    );
    assert!(sweep.stop.is_some());
    window.wait("the draws", |state| {
        let table = state.sweeping.table();
        table.is_some_and(|table| table.trials.len() == 2)
    });
    // A factor can be taken out, and comes back with one step back.
    window.click("Take out stage 1: beta1");
    window.run();
    assert!(
        window
            .state()
            .project()
            .sweep
            .as_ref()
            .unwrap()
            .factors
            .is_empty()
    );
    window.press(Modifiers::COMMAND, Key::Z);
    window.run();
    assert_eq!(window.state().project().sweep.as_ref(), Some(&sweep));
    // What is wrong stays in the field, and changes nothing.
    let bin = "Take out stage 1: beta1";
    let before = window.get(bin).rect();
    window.enter("Values of stage 1: beta1", "0, 0");
    assert_eq!(window.state().project().sweep.as_ref(), Some(&sweep));
    // The message is below the field: the bin beside it is where it was, and takes the factor out.
    assert_eq!(window.get(bin).rect(), before);
    window.click(bin);
    let sweep = window.state().project().sweep.clone().unwrap();
    assert!(sweep.factors.is_empty());
}

#[test]
fn the_window_trains_a_sweep_stops_it_and_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let project = swept("stage.0.lr = [0.001, 0.01]\nstage.0.batch = [16, 32]\nseeds = 2");
    let mut window = view(folder.path(), &project);
    window.wait("the trials", |state| state.can_sweep());
    window.click("Train sweep");
    window.wait("a run", |state| {
        let table = state.sweeping.table();
        table.is_some_and(|table| {
            table.count(Standing::Begun) + table.count(Standing::Completed) > 0
        })
    });
    window.click("Stop sweep");
    window.wait("the stop", |state| !state.sweeping.is_running());
    let (sweep, table) = window.state().sweeping.begun.clone().unwrap();
    assert!(!table.is_done());
    window.click("Go on");
    window.wait("the end", |state| !state.sweeping.is_running());
    let table = Table::read(&sweep).unwrap();
    assert_eq!(table.count(Standing::Completed), 4);
    assert!(window.state().sweeping.begun.as_ref().unwrap().1.is_done());
    // Each page says what was computed.
    let best = table.trials.iter().find(|row| row.rank == Some(1)).unwrap();
    assert!(window.has(&table.spread_text(best.value.unwrap())));
    for page in ["Coordinates", "Effects", "Front", "Trials"] {
        window.click(&format!("Page {page} of the sweep"));
        window.run();
        for dark in [true, false] {
            window.set_dark(dark);
            let theme = if dark { "dark" } else { "light" };
            window.keep_picture(&format!("sweep/{page}-{theme}"));
        }
    }
    // A window that is opened later finds it.
    drop(window);
    let mut window = view(folder.path(), &project);
    window.wait("the sweep", |state| state.sweeping.begun.is_some());
    assert!(window.has("All trained"));
    // So does one that opens the sweep's folder.
    let mut other = Window::real(classifier(), SIZE);
    other
        .harness
        .state_mut()
        .handle(Action::Open(sweep.clone()));
    other.run();
    other.wait("the sweep", |state| {
        state.sweeping.folder().as_ref() == Some(&sweep)
    });
    assert_eq!(other.state().project().sweep, project.sweep);
    assert!(other.has("All trained"));
    window.click(&window.full_label("Trial 1, rank"));
    window.run();
    let run = table.trials[0].runs[0].folder.clone().unwrap();
    window.click(&format!(
        "Open trial 1, seed {}",
        table.trials[0].runs[0].seed
    ));
    window.wait("the run", |state| state.training.run.as_ref() == Some(&run));
    assert!(window.state().project().sweep.is_none());
}

#[test]
fn a_bayesian_search_is_set_up_and_trained() {
    let folder = tempfile::tempdir().unwrap();
    let project =
        swept("metric = \"valid loss\"\nstage.0.lr = \"1e-4..0.1 log\"\nstage.0.batch = [16, 32]");
    let mut window = view(folder.path(), &project);
    window.click("Method of the sweep");
    window.run();
    window.click("Bayesian search");
    window.run();
    let sweep = |window: &Window| window.state().project().sweep.clone().unwrap();
    assert_eq!(
        (sweep(&window).method, sweep(&window).trials),
        (Method::BAYESIAN, Some(30))
    );
    window.enter("Random trials at first", "3");
    window.enter("Trials of a round", "2");
    window.enter("Trials of the sweep", "3");
    let limit = std::time::Duration::from_secs(20);
    window.wait_for(limit, "why not", |window| {
        window.has("draws the first 3 of its trials at random")
    });
    window.enter("Trials of the sweep", "7");
    window.wait_for(limit, "the trials", |window| {
        window.has("7 trials, 7 runs; 4 of them are chosen while it trains")
    });
    window.click("Train sweep");
    window.wait("the end", |state| {
        state.sweeping.begun.is_some() && !state.sweeping.is_running()
    });
    assert!(window.has("All trained"));
    let (_, table) = window.state().sweeping.begun.clone().unwrap();
    assert_eq!((table.trials.len(), table.to_choose), (7, 0));
    window.click("Page Trials of the sweep");
    window.run();
    assert!(window.has("chosen in round 2") && window.has("drawn at random"));
    window.click("Sort trials by round");
    for page in ["Settings", "Trials", "Coordinates", "Effects"] {
        window.click(&format!("Page {page} of the sweep"));
        window.run();
        for (dark, theme) in [(true, "dark"), (false, "light")] {
            window.set_dark(dark);
            window.keep_picture(&format!("bayesian/{page}-{theme}"));
        }
    }
}

#[test]
fn what_keeps_a_sweep_from_training_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let mut window = view(folder.path(), &swept("encoder.9.kernel_size = [3, 5]"));
    window.wait("the reason", |state| {
        matches!(state.sweeping.planned, Some(Err(_)))
    });
    assert!(window.has("has no entry"));
    let state = window.state();
    assert!(!state.can_sweep() && state.sweeping.folder().is_none());
}

#[test]
#[ignore = "writes pictures of the view"]
fn pictures_of_a_sweep() {
    let folder = tempfile::tempdir().unwrap();
    let lines = "seeds = 2\nstage.0.lr = [0.001, 0.003, 0.01]\nstage.0.batch = [16, 32]\n\
        encoder.0.out_channels = [4, 8, 16]\nencoder.0.kernel_size = [3, 40]";
    let project = swept(lines);
    file::save(&project, &folder.path().join("p.toml")).unwrap();
    for size in [vec2(1280.0, 720.0), vec2(1920.0, 1080.0)] {
        let mut window = Window::real(project.clone(), size);
        window
            .harness
            .state_mut()
            .handle(Action::Open(folder.path().join("p.toml")));
        window.show_alone(ViewKind::Sweep);
        window.wait("the trials", |state| {
            state.can_sweep() || state.sweeping.begun.is_some()
        });
        if window.state().can_sweep() {
            window.click("Train sweep");
            let limit = std::time::Duration::from_secs(400);
            window.wait_at_most(limit, "the end", |state| !state.sweeping.is_running());
        }
        for page in ["Settings", "Trials", "Coordinates", "Effects", "Front"] {
            window.click(&format!("Page {page} of the sweep"));
            window.run();
            for (dark, theme) in [(true, "dark"), (false, "light")] {
                window.set_dark(dark);
                window.write_picture(&format!("sweep/{}-{page}-{theme}", size.x));
            }
        }
    }
}

/// A value that a setting cannot have is refused where it is typed, and the button that trains says why it does not.
#[test]
fn a_value_that_cannot_be_tried_is_marked_at_its_field() {
    let mut project = classifier();
    let text = file::to_text(&project);
    let lines = "[sweep]\nstage.0.lr = [0.001, 0.01]\n";
    project = file::parse(&format!("{text}\n{lines}"), "p").unwrap();
    let mut window = Window::without_engine(project, SIZE);
    window.show_alone(ViewKind::Sweep);
    window.run();
    let field = window.full_label("Values of stage 1");
    window.enter(&field, "1e-4, banana");
    let tried = window.state().project().sweep.clone().unwrap();
    assert_eq!(
        tried.factors[0].values.text(),
        "0.001, 0.01",
        "nothing was taken over"
    );
    window.enter(&field, "1e-4, 5e-3");
    let tried = window.state().project().sweep.clone().unwrap();
    assert_eq!(tried.factors[0].values.listed().len(), 2);
    assert!(!window.has("banana"));
    // How many trials that makes stands beside the button, not below everything.
    window.wait_for(std::time::Duration::from_secs(30), "the plan", |window| {
        window.has("2 trials")
    });
    let mut said = window.harness.query_all_by_label_contains("2 trials");
    let said = said.next().unwrap().rect();
    assert!(said.top() < window.get("What is tried").rect().top());
}
