//! Filters, reconstructions and the course of a training looked at closely: the same in the terminal and in the window.

use crate::kit::runs::{completed, options, tiny, train};
use crate::kit::terminal::{code, err, json, strata};
use crate::kit::window::*;
use egui_kittest::kittest::Queryable;
use std::path::Path;
use strata::app::action::Action;
use strata::app::choices::Choice;
use strata::app::view_kind::ViewKind;
use strata::engine::inspection::dynamics::{Dynamics, Figure};
use strata::gui::panels::dynamics::DynamicsChoice;
use strata::gui::panels::filters::FilterChoice;
use strata::gui::panels::reconstructions::{ReconstructionChoice, Shown};
use strata::inspect::code_edit::{self, CodeEdit};
use strata::inspect::filters::study::{FilterStudy, Order};
use strata::inspect::reconstruction_errors::ReconstructionErrors;

/// A run of the small classifier in `run`.
fn classified(folder: &Path) {
    completed(train(&classifier(), &options(&folder.join("run"))).0);
}

#[test]
fn filters_are_measured_sorted_and_left_out_in_the_terminal() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    classified(at);
    let whole = json(&strata(at, &["eval", "run", "--json"]));
    let before = std::fs::read(at.join("run/checkpoints/last.safetensors")).unwrap();
    let args = [
        "inspect",
        "run",
        "filters",
        "--sort",
        "norm",
        "--without",
        "1,3",
        "--split",
        "test",
        "--json",
        "-o",
        "off.png",
    ];
    let seen = json(&strata(at, &args));
    let filters = seen["filters"].as_array().unwrap();
    let norms: Vec<f64> = filters
        .iter()
        .map(|one| one["norm"].as_f64().unwrap())
        .collect();
    assert!(norms.windows(2).all(|pair| pair[0] >= pair[1]), "{norms:?}");
    assert_eq!(seen["off"], serde_json::json!([1, 3]));
    let [with, found] =
        [&seen["with"]["accuracy"], &whole["test"]["accuracy"]].map(|n| n.as_f64().unwrap());
    assert!((with - found).abs() < 1e-12, "{with} {found}");
    assert!(seen["without"]["accuracy"].as_f64().is_some());
    assert!(image::open(at.join("off.png")).is_ok());
    let after = std::fs::read(at.join("run/checkpoints/last.safetensors")).unwrap();
    assert!(before == after, "the run keeps its weights");
    let args = [
        "inspect",
        "run",
        "filters",
        "--show",
        "frequencies",
        "--numbers",
        "f.npy",
        "-o",
        "f.svg",
    ];
    let said = strata(at, &args);
    assert_eq!(code(&said), 0, "{}", err(&said));
    let npy = std::fs::read(at.join("f.npy")).unwrap();
    assert!(String::from_utf8_lossy(&npy[..128]).contains("(4, 32, 32,)"));
    assert!(
        std::fs::read_to_string(at.join("f.svg"))
            .unwrap()
            .starts_with("<svg")
    );
    let rows = [
        "inspect",
        "run",
        "filters",
        "--show",
        "channels",
        "--layer",
        "encoder.0",
    ];
    assert_eq!(code(&strata(at, &rows)), 0);
    for (args, part) in [
        (&["--without", "99"][..], "there is no filter 99"),
        (&["--without", "0"], "0"),
        (&["--sort", "size"], "layer, norm, similarity, activation"),
    ] {
        let refused = strata(at, &[&["inspect", "run", "filters"][..], args].concat());
        assert_eq!(code(&refused), 2, "{args:?}");
        assert!(err(&refused).contains(part), "{}", err(&refused));
    }
}

fn studied(window: &mut Window, off: &[u32]) -> FilterStudy {
    let off = off.to_vec();
    window.wait("the study", |state| {
        let reply = state.inspections.latest::<FilterStudy>();
        reply.is_some_and(|reply| reply.query.request.off == off && reply.result.is_ok())
    });
    let reply = window.state().inspections.latest::<FilterStudy>().unwrap();
    reply.result.as_deref().unwrap().clone()
}

#[test]
fn a_click_in_the_window_switches_a_filter_off_and_the_space_bar_on_again() {
    let folder = tempfile::tempdir().unwrap();
    let mut window = open(folder.path(), &classifier());
    window.show_alone(ViewKind::Filters);
    window.run();
    assert!(window.has("No filters yet"));
    window.train();
    window.click("Measure");
    let study = studied(&mut window, &[]);
    assert!(study.scores[0].accuracy.is_some());
    assert!(window.has("With all filters: ") && window.has("a click switches a filter off and on"));
    let place = window
        .harness
        .get_by_label_contains("4 filters of conv 4 k3")
        .rect();
    let first = place.min + eframe::egui::vec2(8.0, 8.0);
    window.harness.hover_at(first);
    window.run();
    window.harness.drag_at(first);
    window.harness.drop_at(first);
    window.run();
    let off = studied(&mut window, &[0]);
    assert_eq!(off.images, study.images);
    assert!(window.has("Without 1: ") && window.has("1 off"));
    window.harness.key_press(eframe::egui::Key::Space);
    window.run();
    studied(&mut window, &[]);
    assert!(!window.has("Without 1: "));
    let choice = FilterChoice {
        order: Order::Likeness,
        shown: strata::gui::plate::of_filters::Shown::Frequencies,
        ..FilterChoice::default()
    };
    let action = Action::Choose(Choice::new(choice));
    window.harness.state_mut().handle(action);
    window.run();
    assert!(window.has("Order of filters") && window.has("What of filters"));
    for (dark, theme) in [(true, "dark"), (false, "light")] {
        window.set_dark(dark);
        window.keep_picture(&format!("filters/frequencies-{theme}"));
    }
}

/// A run of the small autoencoder in `run`.
fn reconstructed(folder: &Path) {
    completed(train(&tiny(&[]), &options(&folder.join("run"))).0);
}

#[test]
fn errors_and_codes_of_reconstructions_are_in_the_terminal() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    reconstructed(at);
    let measured = json(&strata(at, &["eval", "run", "--split", "valid", "--json"]));
    let args = [
        "inspect",
        "run",
        "reconstructions",
        "--split",
        "valid",
        "--numbers",
        "e.csv",
        "--json",
        "-o",
        "e.png",
    ];
    let seen = json(&strata(at, &args));
    let images = seen["images"].as_array().unwrap();
    assert_eq!(seen["of"].as_u64().unwrap() as usize, images.len());
    let [found, wanted] = [&seen["mse"], &measured["valid"]["mse"]].map(|n| n.as_f64());
    if let Some(wanted) = wanted {
        assert!((found.unwrap() - wanted).abs() < 1e-6, "{found:?} {wanted}");
    }
    assert!(
        images
            .iter()
            .all(|image| image["ssim"].as_f64().is_some() && image["psnr"].as_f64().is_some())
    );
    let counts = seen["histogram"]["counts"].as_array().unwrap();
    let counted: u64 = counts.iter().map(|count| count.as_u64().unwrap()).sum();
    assert_eq!(counted as usize, images.len());
    let table = std::fs::read_to_string(at.join("e.csv")).unwrap();
    assert_eq!(table.lines().count(), images.len() + 1);
    assert!(image::open(at.join("e.png")).is_ok());
    let args = [
        "inspect",
        "run",
        "reconstructions",
        "--walk",
        "1,2",
        "--edit",
        "2=1.5",
        "--noise",
        "0.5",
        "--json",
        "-o",
        "c.svg",
    ];
    let code_of = json(&strata(at, &args));
    assert_eq!(code_of["units"][1]["edited"], 1.5);
    assert_eq!(code_of["units"][0]["edited"], code_of["units"][0]["value"]);
    for (args, part) in [
        (&["--edit", "99999=1"][..], "no unit 99999"),
        (&["--walk", "1"], "--walk 1,4"),
        (&["--probe", "99"], "no probe image 99"),
        (&["--edit", "3"], "3=1.5"),
    ] {
        let refused = strata(
            at,
            &[&["inspect", "run", "reconstructions"][..], args].concat(),
        );
        assert_eq!(code(&refused), 2, "{args:?} {}", err(&refused));
        assert!(err(&refused).contains(part), "{}", err(&refused));
    }
}

#[test]
fn the_window_shows_errors_and_a_unit_is_dragged() {
    let folder = tempfile::tempdir().unwrap();
    let mut window = open(folder.path(), &tiny(&[]));
    window.show_alone(ViewKind::Reconstructions);
    window.train();
    let choose = |window: &mut Window, shown: Shown| {
        let choice = ReconstructionChoice {
            shown,
            ..ReconstructionChoice::default()
        };
        let action = Action::Choose(Choice::new(choice));
        window.harness.state_mut().handle(action);
        window.run();
    };
    choose(&mut window, Shown::Errors);
    window.wait("the errors", |state| {
        let reply = state.inspections.latest::<ReconstructionErrors>();
        reply.is_some_and(|reply| reply.result.is_ok())
    });
    assert!(
        window.has(" images by their mean squared error, ")
            && window.has("The worst: image, reconstruction")
    );
    for (dark, theme) in [(true, "dark"), (false, "light")] {
        window.set_dark(dark);
        window.keep_picture(&format!("reconstructions/errors-{theme}"));
    }
    choose(&mut window, Shown::Code);
    let shown = |window: &mut Window, edits: usize| -> CodeEdit {
        window.wait("the code", |state| {
            let reply = state.inspections.latest::<CodeEdit>();
            reply.is_some_and(|reply| {
                reply.query.request.edits.len() == edits && reply.result.is_ok()
            })
        });
        let reply = window.state().inspections.latest::<CodeEdit>().unwrap();
        reply.result.as_deref().unwrap().clone()
    };
    let plain = shown(&mut window, 0);
    assert_eq!(plain.code, plain.edited);
    let chart = window.harness.get_by_label_contains("Code of ").rect();
    let point = chart.left_top() + eframe::egui::vec2(2.0, 6.0);
    window.harness.hover_at(point);
    window.run();
    window.harness.drag_at(point);
    window.harness.drop_at(point);
    window.run();
    let edited = shown(&mut window, 1);
    let moved = edited
        .code
        .iter()
        .zip(&edited.edited)
        .filter(|(a, b)| a != b)
        .count();
    assert_eq!(moved, 1, "one unit was dragged");
    for (dark, theme) in [(true, "dark"), (false, "light")] {
        window.set_dark(dark);
        window.keep_picture(&format!("reconstructions/code-{theme}"));
    }
    window.press(eframe::egui::Modifiers::NONE, eframe::egui::Key::Home);
    let undone = shown(&mut window, 0);
    assert_eq!(undone.code, undone.edited);
    let choice = ReconstructionChoice {
        shown: Shown::Code,
        code: code_edit::Request {
            other: Some(1),
            noise: 1.0,
            ..code_edit::Request::default()
        },
        ..ReconstructionChoice::default()
    };
    window
        .harness
        .state_mut()
        .handle(Action::Choose(Choice::new(choice)));
    window.run();
    window.wait("the walk", |state| {
        let reply = state.inspections.latest::<CodeEdit>();
        reply.is_some_and(|reply| {
            reply
                .result
                .as_ref()
                .is_ok_and(|edit| !edit.walk.is_empty() && !edit.noisy.is_empty())
        })
    });
    assert!(
        window.has("pictures on the way to the other image")
            && window.has("pictures of the code with noise")
    );
}

#[test]
fn dynamics_are_kept_and_shown_and_two_runs_are_equal() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    classified(at);
    completed(train(&classifier(), &options(&at.join("again"))).0);
    for file in ["dynamics.csv", "checkpoints/last.safetensors"] {
        let [one, two] =
            ["run", "again"].map(|run| std::fs::read(at.join(run).join(file)).unwrap());
        assert!(one == two, "{file}");
    }
    let args = [
        "inspect",
        "run",
        "dynamics",
        "--figure",
        "update",
        "--numbers",
        "d.csv",
        "--json",
        "-o",
        "d.svg",
    ];
    let seen = json(&strata(at, &args));
    let layers = seen["layers"].as_array().unwrap();
    let first = layers
        .iter()
        .find(|layer| layer["layer"] == "encoder.0")
        .unwrap();
    assert_eq!(first["steps"][0], 1);
    let steps = first["steps"].as_array().unwrap().len();
    for figure in ["gradient", "weight", "update"] {
        let all = first[figure].as_array().unwrap();
        assert!(
            all.len() == steps
                && all
                    .iter()
                    .all(|value| value.as_f64().is_some_and(|value| value > 0.0)),
            "{figure}"
        );
    }
    assert!(layers.iter().any(|layer| {
        layer["zeros"][0]
            .as_f64()
            .is_some_and(|share| share > 0.0 && share < 1.0)
    }));
    assert!(
        std::fs::read_to_string(at.join("d.svg"))
            .unwrap()
            .starts_with("<svg")
    );
    std::fs::remove_file(at.join("run/dynamics.csv")).unwrap();
    let none = strata(at, &["inspect", "run", "dynamics"]);
    assert_eq!(code(&none), 2);
    assert!(
        err(&none).contains("or an earlier version of Strata trained it"),
        "{}",
        err(&none)
    );
}

#[test]
fn the_window_draws_dynamics_and_says_what_is_wrong() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    let mut window = open(at, &classifier());
    window.show_alone(ViewKind::Dynamics);
    window.run();
    assert!(window.has("No training to look at yet"));
    classified(at);
    // A run whose relu has died after steps that were far too large.
    let rows = "step,layer,gradient,weight,update,mean,std,zeros,saturated\n1,encoder.0,1,2,1e-3,,,,\n1,encoder.1,,,,0.4,0.5,0.5,\n4,encoder.0,1,2,0.5,,,,\n4,encoder.1,,,,0.01,0.1,0.99,\n";
    std::fs::write(at.join("run/dynamics.csv"), rows).unwrap();
    let action = Action::Open(at.join("run"));
    window.harness.state_mut().handle(action);
    window.run();
    window.show_alone(ViewKind::Dynamics);
    window.wait("the dynamics", |state| {
        let reply = state.inspections.latest::<Dynamics>();
        reply.is_some_and(|reply| reply.result.as_ref().is_ok_and(|seen| seen.step == 4))
    });
    assert!(window.has("conv 4 k3 s2 p1, exploding: a step changes its weights by 50.0 %"));
    assert!(window.has("relu, dying relu: 99.0 % of its outputs are 0"));
    assert!(window.has("2 layers · 2 warnings · step 4"));
    for figure in Figure::ALL {
        let action = Action::Choose(Choice::new(DynamicsChoice(figure)));
        window.harness.state_mut().handle(action);
        window.run();
        let said = match figure {
            Figure::Saturated => "No layer has this figure",
            other => other.name(),
        };
        assert!(window.has(said), "{said}");
    }
    let action = Action::Choose(Choice::new(DynamicsChoice(Figure::Update)));
    window.harness.state_mut().handle(action);
    for (dark, theme) in [(true, "dark"), (false, "light")] {
        window.set_dark(dark);
        window.keep_picture(&format!("dynamics/update-{theme}"));
    }
}
