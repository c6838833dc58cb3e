//! Classifiers that are no networks, and comparisons of them with runs: the same in the terminal and in the window.

use crate::kit::runs::{completed, options, train};
use crate::kit::terminal::{code, err, json, out, strata};
use crate::kit::window::*;
use std::path::Path;
use strata::app::action::Action;
use strata::app::view_kind::ViewKind;
use strata::baselines::record::BaselineRecord;
use strata::project::data::Split;
use strata::project::file;

/// A run of the small classifier in `runs/run`, and its project beside.
fn trained(folder: &Path) {
    file::save(&classifier(), &folder.join("p.toml")).unwrap();
    std::fs::create_dir_all(folder.join("runs")).unwrap();
    completed(train(&classifier(), &options(&folder.join("runs/run"))).0);
}

#[test]
fn baselines_are_fitted_and_kept_in_the_terminal() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    trained(at);
    let all = json(&strata(at, &["baseline", "p.toml", "--json"]));
    let all = all.as_array().unwrap();
    let models: Vec<&str> = all
        .iter()
        .map(|own| own["model"].as_str().unwrap())
        .collect();
    assert_eq!(models, ["logistic", "forest", "boosted", "knn", "svm"]);
    for own in all {
        assert_eq!((&own["fitted"], &own["of"]), (&64.into(), &64.into()));
        assert!(
            own["rows"]
                .as_str()
                .unwrap()
                .starts_with("768 pixels from 0 to 1")
        );
        let kept = BaselineRecord::read(&at.join(own["folder"].as_str().unwrap())).unwrap();
        let test = kept.result(Split::Test).unwrap();
        let results = own["results"].as_array().unwrap();
        let result = results
            .iter()
            .find(|result| result["split"] == "test")
            .unwrap();
        assert_eq!(result["accuracy"].as_f64().unwrap(), test.accuracy);
        assert!(result.get("answers").is_none() && test.answers.len() == 64);
    }
    // On the features of a layer, of fewer images, with another seed.
    let ask = [
        "baseline",
        "runs/run",
        "--model",
        "knn,logistic",
        "--features",
        "encoder.1",
    ];
    let some = json(&strata(
        at,
        &[&ask[..], &["--limit", "40", "--seed", "7", "--json"]].concat(),
    ));
    let first = &some[0];
    assert_eq!((&first["fitted"], &first["seed"]), (&40.into(), &7.into()));
    assert!(
        first["features"]["layer"]
            .as_str()
            .unwrap()
            .starts_with("encoder.1")
    );
    assert!(
        first["rows"]
            .as_str()
            .unwrap()
            .starts_with("256 features of encoder.1")
    );
    let named = [
        "baseline",
        "p.toml",
        "--model",
        "knn",
        "--features",
        "runs/run:head.0",
    ];
    assert!(out(&strata(at, &named)).contains("knn"));
    for (arguments, part) in [
        (&["--model", "tree"][..], "there is no model"),
        (&["--features", "nothing"][..], "write RUN:LAYER"),
        (
            &["--features", "runs/run:encoder.9"][..],
            "there is no layer",
        ),
        (&["--set", "data.source=stl10"][..], ""),
    ] {
        let said = strata(at, &[&["baseline", "p.toml"], arguments].concat());
        assert_eq!(code(&said), 2, "{arguments:?}: {}", err(&said));
        assert!(err(&said).contains(part), "{}", err(&said));
    }
}

#[test]
fn a_run_and_baselines_are_compared_in_the_terminal() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    trained(at);
    strata(at, &["baseline", "p.toml", "--model", "logistic,knn"]);
    let (logistic, knn) = (
        "runs/small-classifier-logistic-1",
        "runs/small-classifier-knn-1",
    );
    let folders = ["compare", "runs/run", logistic, knn];
    let found = json(&strata(at, &[&folders[..], &["--json"]].concat()));
    let entries = found["entries"].as_array().unwrap();
    let kinds: Vec<&str> = entries
        .iter()
        .map(|own| own["kind"].as_str().unwrap())
        .collect();
    assert_eq!(kinds, ["run", "baseline", "baseline"]);
    assert_eq!(
        found["pairs"].as_array().unwrap().len(),
        3,
        "all answered the same images"
    );
    let evaluated = json(&strata(at, &["eval", "runs/run", "--json"]));
    let accuracy = &found["metrics"][0];
    assert_eq!(accuracy["name"], "accuracy");
    assert_eq!(accuracy["values"][0], evaluated["test"]["accuracy"]);
    assert_eq!(entries[0]["confusion"], evaluated["test"]["confusion"]);
    let log_loss = found["metrics"][1]["values"][0].as_f64().unwrap();
    let wanted = evaluated["test"]["log_loss"].as_f64();
    let wanted = wanted.or(evaluated["test"]["loss"].as_f64()).unwrap();
    assert!((log_loss - wanted).abs() < 1e-5, "{log_loss} {wanted}");
    let text = out(&strata(
        at,
        &[&folders[..], &["-o", "page.html", "--until", "0.01"]].concat(),
    ));
    for part in [
        "A  run: network of",
        "McNemar p",
        "recall / precision",
        "time to 1.00 % accuracy",
        "page: page.html",
    ] {
        assert!(text.contains(part), "{part}\n{text}");
    }
    let page = std::fs::read_to_string(at.join("page.html")).unwrap();
    assert!(page.contains("Confusion matrices") && !page.contains("://"));
    let alone = strata(at, &["compare", "runs/run"]);
    assert_eq!(code(&alone), 2);
    assert!(err(&alone).contains("needs two"), "{}", err(&alone));
}

#[test]
fn baselines_are_fitted_listed_and_compared_in_the_window() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    trained(at);
    let mut window = open(at, &classifier());
    window.show_alone(ViewKind::Compare);
    window.wait("the run", |state| {
        state.runs.list.len() == 1 && !state.runs.is_reading()
    });
    assert!(window.has("Nothing to compare yet"));
    window.click("Model of the baseline");
    window.run();
    window.click("logistic regression");
    window.click("Fit the baseline");
    window.wait("the baseline", |state| {
        state.baselines.progress().is_none() && state.runs.baselines.len() == 1
    });
    let name = "small-classifier-logistic-1";
    window.click("Compare run");
    window.click(&format!("Compare {name}"));
    window.click("Compare what is chosen");
    window.wait("the comparison", |state| state.comparing.shown.is_some());
    window.run();
    for text in [
        "Figures",
        "More than chance?",
        "Architectures, like layers side by side",
    ] {
        assert!(window.has(text), "{text}");
    }
    for dark in [true, false] {
        window.set_dark(dark);
        window.keep_picture(if dark {
            "compare/dark"
        } else {
            "compare/light"
        });
    }
    // In a low tile the tables are not left with what the fields above them do not take: all of it is scrolled.
    window.show_column(&[ViewKind::Loss, ViewKind::Compare, ViewKind::Dynamics]);
    window.keep_picture("compare/low");
    let top = |window: &Window, name: &str| window.get(name).rect().top();
    let before = top(&window, "Fit the baseline");
    window.get("More than chance?").scroll_to_me();
    window.run();
    assert!(top(&window, "Fit the baseline") < before - 60.0);
    let tab = window.get("Compare view").rect();
    assert!(top(&window, "More than chance?") > tab.bottom());
    window.show_alone(ViewKind::Runs);
    window.run();
    assert!(window.has(&format!(
        "{name}: logistic regression on 768 pixels from 0 to 1"
    )));
    window.keep_picture("compare/runs");
    // A baseline that is damaged is listed with why.
    let record = at.join("runs").join(name).join("baseline.json");
    std::fs::write(record, "{").unwrap();
    window.harness.state_mut().handle(Action::ListRuns);
    window.wait("the damage", |state| {
        state
            .runs
            .baselines
            .first()
            .is_some_and(|own| own.record.is_err())
    });
    window.run();
    assert!(window.has("is damaged"));
    // A run of this project is looked at: its comparison stays. With another project it goes.
    window
        .harness
        .state_mut()
        .handle(Action::Open(at.join("runs/run")));
    window.run();
    assert!(window.state().comparing.shown.is_some());
    let other = at.join("other.toml");
    file::save(&builtin("lenet-mnist"), &other).unwrap();
    window.harness.state_mut().handle(Action::Open(other));
    window.run();
    let comparing = &window.state().comparing;
    assert!(comparing.shown.is_none() && comparing.chosen.is_empty());
}
