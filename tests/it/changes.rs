//! The change since an earlier step: the newest weights minus those that a run kept, in the terminal and in the window.

use crate::kit::runs::{completed, options, tiny, train};
use crate::kit::terminal::{code, err, json, strata};
use crate::kit::window::*;
use std::path::Path;
use strata::app::action::{Action, Show};
use strata::app::choices::Choice;
use strata::app::view_kind::ViewKind;
use strata::engine::storage::saved_run::SavedRun;
use strata::engine::storage::snapshots::{self, Snapshots};
use strata::gui::panels::exciting::ExcitingChoice;
use strata::gui::panels::reconstructions::{ReconstructionChoice, Shown};
use strata::inspect::activations::{self, Activations};
use strata::inspect::confusion::Confusion;
use strata::inspect::exciting::{self, Exciting};
use strata::inspect::filters::{self, Filters};
use strata::inspect::layer_statistics::{self, LayerStatistics};
use strata::inspect::neighbours::{self, Neighbours};
use strata::inspect::predictions::{self, List, Predictions};
use strata::inspect::reconstruction_errors::{self, ReconstructionErrors};
use strata::inspect::reconstructions::Reconstructions;
use strata::inspect::saliency::{self, Saliency};
use strata::inspect::sparse::SparseCode;
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

    let change = both.inspect::<Confusion>(&Default::default()).unwrap();
    let [new, old] =
        [&mut now, &mut then].map(|run| run.inspect::<Confusion>(&Default::default()).unwrap());
    for class in 0..10 {
        for answer in 0..10 {
            let counts = [&new, &old].map(|counted| counted.counts[class][answer] as i64);
            assert_eq!(change.change(class, answer), Some(counts[0] - counts[1]));
        }
    }

    of_many_images(&mut both, &mut now, &mut then);

    // What has none says so, and the weights of now are back.
    let refused = both.inspect::<Neighbours>(&neighbours::Request::default());
    let message = refused.err().unwrap().to_string();
    assert!(message.contains("look at each step by itself"), "{message}");
    assert_eq!(both.position.step, now.position.step);
}

/// The same of what is measured over a split.
fn of_many_images(both: &mut SavedRun, now: &mut SavedRun, then: &mut SavedRun) {
    let request = reconstruction_errors::Request::default();
    let change = both.inspect::<ReconstructionErrors>(&request).unwrap();
    let [new, old] =
        [now, then].map(|run| (run.inspect::<ReconstructionErrors>(&request).unwrap(), run));
    let ([(new, now), (old, then)], before) = ([new, old], change.before.clone().unwrap());
    assert_eq!((&change.errors, before.step), (&new.errors, old.step));
    for (now, then) in change.errors.iter().zip(&before.errors) {
        assert!(old.errors.contains(then));
        assert_eq!(now.index, then.index);
    }
    let means = [&new, &old].map(|errors| errors.mean(|error| Some(error.mse)).unwrap());
    let grown = change.mean_change(|error| Some(error.mse)).unwrap();
    assert!((grown - (means[0] - means[1])).abs() < 1e-9 && grown != 0.0);
    let [better, worse] = change.better_and_worse().unwrap();
    assert!(better + worse > 0 && better + worse <= change.errors.len());

    let change = both.inspect::<SparseCode>(&Default::default()).unwrap();
    let [new, old] =
        [&mut *now, &mut *then].map(|run| run.inspect::<SparseCode>(&Default::default()).unwrap());
    assert_eq!(change.means, minus(&new.means, &old.means));
    assert!(change.means.iter().any(|mean| *mean != 0.0));
    assert_eq!(
        change.since.as_ref().map(|since| since.step),
        Some(old.step)
    );
    let penalty = new.penalty.unwrap() - old.penalty.unwrap();
    assert_eq!((change.penalty, change.target), (Some(penalty), None));

    let request = layer_statistics::Request::default();
    let change = both.inspect::<LayerStatistics>(&request).unwrap();
    let [new, old] =
        [&mut *now, &mut *then].map(|run| run.inspect::<LayerStatistics>(&request).unwrap());
    for (layer, (new, old)) in change.layers.iter().zip(new.layers.iter().zip(&old.layers)) {
        let figures = layer.change.as_ref().unwrap().figures;
        assert_eq!((layer.mean, figures.mean), (new.mean, new.mean - old.mean));
        assert_eq!(figures.zeros, new.zeros - old.zeros);
    }

    let request = exciting::Request {
        place: Place::new(Stack::Head, 2),
        channels: None,
        split: None,
        limit: None,
    };
    let change = both.inspect::<Exciting>(&request).unwrap();
    let [new, old] = [now, then].map(|run| run.inspect::<Exciting>(&request).unwrap());
    for (at, channel) in change.channels.iter().enumerate() {
        let [new, old] = [&new, &old].map(|made| &made.channels[at]);
        let grown = channel.change.as_ref().unwrap();
        assert_eq!(grown.figures.mean, new.mean - old.mean);
        for (place, excited) in grown.places.iter().zip(&new.excited) {
            let before = old
                .excited
                .iter()
                .position(|then| then.index == excited.index);
            assert_eq!(*place, before);
        }
    }
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
    let change = json(&shown("reconstructions", &["--json", "--numbers", "e.npy"]));
    assert_eq!(change["change"]["since"], step);
    assert!(change["images"][0]["mse_before"].as_f64().is_some());
    let numbers = std::fs::read(at.join("e.npy")).unwrap();
    assert!(String::from_utf8_lossy(&numbers[..128]).contains(", 7,)"));
    for (what, more) in [
        ("reconstructions", &["--split", "valid"][..]),
        ("sparse-code", &[]),
        ("layers", &[]),
        ("exciting", &["--layer", "head.2"]),
    ] {
        let file = format!("{what}-many.svg");
        let made = shown(what, &[more, &["-o", &file]].concat());
        assert_eq!(code(&made), 0, "{}", err(&made));
        assert!(
            err(&made).contains(&format!("since step {step}")) || err(&made).contains("since then"),
            "{}",
            err(&made)
        );
        let drawn = std::fs::read_to_string(at.join(&file))
            .unwrap()
            .to_lowercase();
        assert!(
            drawn.contains(&format!("change since step {step}")),
            "{what}"
        );
        let value = json(&shown(what, &[more, &["--json"]].concat()));
        let since = value["since"]["step"].as_u64().or(value["since"].as_u64());
        let since = since.or(value["change"]["since"].as_u64());
        assert_eq!(since, Some(step), "{what}");
    }
    let refused = shown("sparse-code", &["--unit", "0"]);
    assert!(
        err(&refused).contains("at each step by itself"),
        "{}",
        err(&refused)
    );
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
    let choose = |choice| Action::Choose(choice);
    let errors = ReconstructionChoice {
        shown: Shown::Errors,
        ..ReconstructionChoice::default()
    };
    let table = |table| ExcitingChoice {
        layer: Some(Place::new(Stack::Head, 2)),
        table,
    };
    for (kind, choice, part, name) in [
        (
            ViewKind::Reconstructions,
            Choice::new(errors),
            "images have a smaller error",
            "change-errors",
        ),
        (
            ViewKind::Exciting,
            Choice::new(table(false)),
            "change since step 2",
            "change-exciting",
        ),
        (
            ViewKind::Exciting,
            Choice::new(table(true)),
            "(+",
            "change-layers",
        ),
        (
            ViewKind::Sparse,
            Choice::new(()),
            "change of the mean activation",
            "change-sparse",
        ),
    ] {
        window.show_alone(kind);
        window.harness.state_mut().handle(choose(choice));
        window.run();
        window.wait_for(std::time::Duration::from_secs(60), name, |window| {
            window.has(part)
        });
        for (dark, theme) in [(true, "dark"), (false, "light")] {
            window.set_dark(dark);
            window.keep_picture(&format!("{name}-{theme}"));
        }
    }
}
