//! The confusion matrix: the same in the terminal, in the window and in the report.

use crate::kit::runs::{completed, options, tiny, train};
use crate::kit::terminal::{code, err, json, strata};
use crate::kit::window::*;
use std::path::Path;
use strata::app::action::Action;
use strata::app::view_kind::ViewKind;
use strata::inspect::confusion::Confusion;
use strata::project::stage::Task;

/// A run of the small classifier in `run`.
fn trained(folder: &Path) {
    completed(train(&classifier(), &options(&folder.join("run"))).0);
}

fn confusion(window: &Window) -> &Confusion {
    let reply = window.state().inspections.latest::<Confusion>().unwrap();
    reply.result.as_deref().unwrap()
}

#[test]
fn the_matrix_is_that_of_eval_and_stands_in_the_report() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    trained(at);
    let measured = json(&strata(at, &["eval", "run", "--json"]));
    let shown = json(&strata(at, &["inspect", "run", "confusion", "--json"]));
    assert_eq!(shown["counts"], measured["test"]["confusion"]);
    assert_eq!((&shown["images"], &shown["of"]), (&64.into(), &64.into()));
    assert!(image::open(at.join("run/confusion.png")).is_ok());
    let report = strata(at, &["report", "run", "-o", "page.html"]);
    assert_eq!(code(&report), 0, "{}", err(&report));
    let page = std::fs::read_to_string(at.join("page.html")).unwrap();
    let accuracy = 100.0 * measured["test"]["accuracy"].as_f64().unwrap();
    for part in [
        "<h2>Confusion matrix</h2>".to_owned(),
        format!("64 of 64 test images, {accuracy:.2} % right"),
        "<td>disc</td>".to_owned(),
    ] {
        assert!(page.contains(&part), "{part}");
    }
    // A class with 6 or 7 images: each share is one of its fractions.
    let class = shown["counts"][0].as_array().unwrap();
    let total: u64 = class.iter().map(|count| count.as_u64().unwrap()).sum();
    for count in class
        .iter()
        .filter_map(|count| count.as_u64().filter(|count| *count > 0))
    {
        let share = format!(
            "{count}<br><small>{:.1} %",
            100.0 * count as f64 / total as f64
        );
        assert!(page.contains(&share), "{share}");
    }
}

#[test]
fn a_run_shows_its_matrix_while_it_is_open_and_when_it_is_opened_again() {
    let folder = tempfile::tempdir().unwrap();
    let mut window = open(folder.path(), &classifier());
    window.train();
    window.show_alone(ViewKind::Confusion);
    window.run();
    let counted = |window: &mut Window| {
        window.wait("the matrix", |state| {
            state.inspections.latest::<Confusion>().is_some()
        });
        let first = confusion(window);
        assert_eq!((first.images, first.of), (64, 64));
        let share = 100.0 * first.accuracy().unwrap();
        let total = first.total(0);
        let right = 100.0 * first.share(0, 0).unwrap();
        assert!(window.has(&format!("{share:.2} % right of 64 test images")));
        assert!(window.has(&format!("disc: {right:.1} % of {total} right")));
        first.counts.clone()
    };
    let live = counted(&mut window);
    for dark in [true, false] {
        window.set_dark(dark);
        window.keep_picture(if dark {
            "confusion/dark"
        } else {
            "confusion/light"
        });
    }
    let run = window.state().training.run.clone().unwrap();
    let mut window = Window::idle("conv-autoencoder");
    window.harness.state_mut().handle(Action::Open(run));
    window.show_alone(ViewKind::Confusion);
    window.run();
    assert_eq!(counted(&mut window), live);
}

#[test]
fn where_nothing_is_classified_there_is_no_matrix() {
    let folder = tempfile::tempdir().unwrap();
    let mut project = tiny(&[]);
    project
        .stages
        .retain(|stage| stage.task == Task::Reconstruct);
    completed(train(&project, &options(&folder.path().join("run"))).0);
    let output = strata(folder.path(), &["inspect", "run", "confusion"]);
    assert_eq!(code(&output), 2, "{}", err(&output));
    assert!(
        err(&output).contains("nothing is classified"),
        "{}",
        err(&output)
    );
    let report = strata(folder.path(), &["report", "run"]);
    assert!(
        code(&report) == 0 && err(&report).is_empty(),
        "{}",
        err(&report)
    );
    let mut window = Window::idle("conv-autoencoder");
    window.show_alone(ViewKind::Confusion);
    window.run();
    assert!(window.has("Nothing is classified"));
}
