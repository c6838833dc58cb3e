//! The change since an earlier step: the newest weights minus those that a run kept, in the terminal and in the window.

use crate::kit::runs::{completed, options, tiny, train};
use crate::kit::terminal::{code, err, json, strata};
use crate::kit::window::*;
use std::path::Path;
use strata::app::action::{Action, Show};
use strata::app::view_kind::ViewKind;
use strata::engine::storage::saved_run::SavedRun;
use strata::engine::storage::snapshots::{self, Snapshots};
use strata::inspect::activations::{self, Activations};
use strata::inspect::confusion::Confusion;
use strata::inspect::filters::{self, Filters};
use strata::inspect::neighbours::{self, Neighbours};
use strata::inspect::predictions::{self, List, Predictions};
use strata::inspect::reconstructions::Reconstructions;
use strata::inspect::saliency::{self, Saliency};
use strata::project::{Place, Stack};

fn opened(run: &Path, checkpoint: &str) -> SavedRun {
    SavedRun::open(run, checkpoint, Some("cpu"), &mut |_| true).unwrap()
}

/// The step before the last that the run kept: both are of the stage that classifies.
fn earlier(run: &Path) -> u64 {
    let steps = Snapshots::read(run).steps;
    steps[steps.len() - 2]
}

fn minus(now: &[f32], then: &[f32]) -> Vec<f32> {
    now.iter().zip(then).map(|(now, then)| now - then).collect()
}

/// Everything that has a change has exactly the difference of what both steps show by themselves.
#[test]
fn a_change_is_what_is_now_minus_what_was_then() {
    let folder = tempfile::tempdir().unwrap();
    let run = folder.path().join("run");
    completed(train(&tiny(&[]), &options(&run)).0);
    let step = earlier(&run);
    let name = snapshots::name(step);
    let [mut now, mut then, mut both] =
        ["last", name.as_str(), "last"].map(|name| opened(&run, name));
    both.compare(&run, "last", &name).unwrap();

    // The encoder is frozen in that stage.
    let first = filters::Request::Layer(Place::new(Stack::Head, 2));
    let change = both.inspect::<Filters>(&first).unwrap();
    let [new, old] = [&mut now, &mut then].map(|run| run.inspect::<Filters>(&first).unwrap());
    assert_eq!(change.values, minus(&new.values, &old.values));
    assert!(change.values.iter().any(|value| *value != 0.0));
    assert_eq!((change.step, change.since), (new.step, Some(step)));

    let request = activations::Request {
        place: Place::new(Stack::Encoder, 0),
        image: 1,
        file: None,
    };
    let change = both.inspect::<Activations>(&request).unwrap();
    let [new, old] = [&mut now, &mut then].map(|run| run.inspect::<Activations>(&request).unwrap());
    assert_eq!(change.values, minus(&new.values, &old.values));

    let request = saliency::Request::default();
    let change = both.inspect::<Saliency>(&request).unwrap();
    let [new, old] = [&mut now, &mut then].map(|run| run.inspect::<Saliency>(&request).unwrap());
    assert_eq!(change.signed, minus(&new.signed, &old.signed));
    assert_eq!(change.since_step(), Some(step));
    assert!(change.look(&Default::default()).signed);

    let change = both.inspect::<Reconstructions>(&None).unwrap();
    let [new, old] =
        [&mut now, &mut then].map(|run| run.inspect::<Reconstructions>(&None).unwrap());
    assert_eq!(
        (&change.inputs, &change.outputs),
        (&old.outputs, &new.outputs)
    );
    let squares = new.outputs.iter().zip(&old.outputs).map(|(new, old)| {
        let difference = (f64::from(*new) - f64::from(*old)) / 255.0;
        difference * difference
    });
    let mean = squares.sum::<f64>() / new.outputs.len() as f64;
    assert!((f64::from(change.mean_mse) - mean).abs() < 1e-6, "{mean}");

    let request = predictions::Request {
        list: List::First,
        ..predictions::Request::default()
    };
    let shown = both.inspect::<Predictions>(&request).unwrap();
    let [new, old] = [&mut now, &mut then].map(|run| run.inspect::<Predictions>(&request).unwrap());
    let change = shown.change.unwrap();
    let grown = new.accuracy.unwrap() - old.accuracy.unwrap();
    assert_eq!(change.accuracy, Some(grown));
    let right = change.learnt as f64 - change.forgotten as f64;
    assert!((right / new.images as f64 - grown).abs() < 1e-9);
    assert!(change.others >= change.learnt + change.forgotten);
    for (at, image) in shown.shown.iter().enumerate() {
        assert_eq!(image.before, Some(old.answers.taken(at)));
    }

    let change = both.inspect::<Confusion>(&None).unwrap();
    let [new, old] = [&mut now, &mut then].map(|run| run.inspect::<Confusion>(&None).unwrap());
    for class in 0..10 {
        for answer in 0..10 {
            let counts = [&new, &old].map(|counted| counted.counts[class][answer] as i64);
            assert_eq!(change.change(class, answer), Some(counts[0] - counts[1]));
        }
    }

    // What has none says so, and the weights of now are back.
    let refused = both.inspect::<Neighbours>(&neighbours::Request::default());
    let message = refused.err().unwrap().to_string();
    assert!(message.contains("look at each step by itself"), "{message}");
    assert_eq!(both.position.step, now.position.step);
}

#[test]
fn changes_are_in_the_terminal() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    completed(train(&tiny(&[]), &options(&at.join("run"))).0);
    let step = earlier(&at.join("run"));
    let name = snapshots::name(step);
    let shown = |what: &str, more: &[&str]| {
        let args = ["inspect", "run", what, "--since", name.as_str()];
        strata(at, &[&args[..], more].concat())
    };
    let change = json(&shown("filters", &["--json", "--numbers", "change.npy"]));
    assert_eq!(change["since"], step);
    assert!(change["filters"][0]["flags"].as_array().unwrap().is_empty());
    assert!(at.join("change.npy").is_file());
    let change = json(&shown("predictions", &["--json"]));
    assert_eq!(change["change"]["since"], step);
    for what in ["activations", "saliency", "reconstructions", "confusion"] {
        let file = format!("{what}.svg");
        let made = shown(what, &["-o", &file]);
        assert_eq!(code(&made), 0, "{}", err(&made));
        let drawn = std::fs::read_to_string(at.join(&file)).unwrap();
        assert!(
            drawn.contains(&format!("change since step {step}")),
            "{what}"
        );
    }
    let refused = shown("embedding", &[]);
    assert!(
        err(&refused).contains("--since is for filters"),
        "{}",
        err(&refused)
    );
    let args = ["inspect", "run", "filters", "--since", "step-999"];
    assert_ne!(code(&strata(at, &args)), 0);
}

#[test]
fn a_switch_at_the_slider_shows_the_change() {
    let folder = tempfile::tempdir().unwrap();
    let mut window = open(folder.path(), &tiny(&[]));
    window.click("Train");
    window.wait("the end", |state| !state.training.is_running());
    let run = window.state().training.run.clone().unwrap();
    window.show_alone(ViewKind::Filters);
    assert!(!window.has("Change since this step"));
    let look = Action::Show(Show::At(Some(2)));
    window.harness.state_mut().handle(look);
    window.run();
    window.tab_to("Change since this step");
    window.click("Change since this step");
    window.wait("the change", |state| {
        let shown = state.filters().and_then(Result::ok);
        shown.is_some_and(|filters| filters.since == Some(2))
    });
    assert!(window.has("Newest weights minus those of step 2"));
    let mut both = opened(&run, "last");
    both.compare(&run, "last", "step-2").unwrap();
    let expected = both.inspect::<Filters>(&filters::Request::First).unwrap();
    let shown = window.state().filters().unwrap().unwrap();
    assert_eq!(shown.values, expected.values);
    window.keep_picture("change-filters");
    // A view that has no such change says so.
    window.show_alone(ViewKind::Neighbours);
    window.wait_for(std::time::Duration::from_secs(60), "why not", |window| {
        window.has("look at each step by itself")
    });
    for (kind, name) in [
        (ViewKind::Confusion, "change-confusion"),
        (ViewKind::Reconstructions, "change-reconstructions"),
        (ViewKind::Saliency, "change-saliency"),
        (ViewKind::Predictions, "change-predictions"),
    ] {
        window.show_alone(kind);
        window.wait("the view", |state| !state.inspections.are_asked());
        window.run();
        window.keep_picture(name);
    }
}
