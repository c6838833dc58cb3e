//! Images with several labels in the window: what each view shows of them and of what is answered about them.

use crate::kit::runs::{completed, options, train};
use crate::kit::window::*;
use crate::label_sets::{data, project};
use strata::app::action::Action;
use strata::app::view_kind::ViewKind;
use strata::inspect::confusion::Confusion;
use strata::inspect::predictions::Predictions;
use strata::inspect::saliency::Saliency;

/// Both themes of what is shown.
fn keep(window: &mut Window, name: &str) {
    for (dark, theme) in [(true, "dark"), (false, "light")] {
        window.set_dark(dark);
        window.keep_picture(&format!("labels/{name}-{theme}"));
    }
}

#[test]
fn every_view_of_labels_says_which_an_image_has() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    data(at);
    let mut project = project(at, "dense 3", "bce", "");
    // Hardly trained, so that there are mistakes.
    project.stages[0].epochs = 2;
    for run in ["labels-1", "labels-2"] {
        completed(train(&project, &options(&at.join("runs").join(run))).0);
    }
    let mut window = Window::real(project.clone(), SIZE);
    let run = at.join("runs/labels-2");
    window.harness.state_mut().handle(Action::Open(run.clone()));
    window.run();
    window.wait("the run", |state| state.training.run.as_ref() == Some(&run));

    window.show_alone(ViewKind::Data);
    window.wait_for(std::time::Duration::from_secs(60), "the images", |window| {
        window.has("Images with each label")
    });
    keep(&mut window, "images");

    window.show_alone(ViewKind::Predictions);
    window.wait("the answers", |state| {
        state.inspections.latest::<Predictions>().is_some()
    });
    window.run();
    assert!(window.has("cat") && window.has("F1"));
    keep(&mut window, "errors");

    window.show_alone(ViewKind::Confusion);
    window.wait("the figures of labels", |state| {
        state.inspections.latest::<Confusion>().is_some()
    });
    window.run();
    assert!(window.has("dog"));
    keep(&mut window, "confusion");

    window.show_alone(ViewKind::Saliency);
    window.wait("the saliency", |state| {
        state.inspections.latest::<Saliency>().is_some()
    });
    window.run();
    // The first label, and then another.
    assert!(window.has("of the class cat"));
    window.click("Saliency of");
    window.run();
    window.click("class dog");
    let limit = std::time::Duration::from_secs(60);
    window.wait_for(limit, "the other label", |window| {
        window.has("of the class dog")
    });
    assert!(!window.has("not labelled"));
    keep(&mut window, "saliency");

    window.show_alone(ViewKind::Runs);
    window.wait("the runs", |state| state.runs.list.len() == 2);
    window.run();
    let f1 = window.state().runs.list[1].f1().unwrap();
    assert!(window.has(&format!("test F1 {:.2} %", 100.0 * f1)));
    window.click("Sort runs by test F1");
    window.run();
    let results = window.state().runs.list[1].curves.results();
    assert!(
        results.contains("F1") && results.contains("exact match"),
        "{results}"
    );
    keep(&mut window, "runs");

    window.show_alone(ViewKind::Loss);
    window.run();
    keep(&mut window, "loss");
}
