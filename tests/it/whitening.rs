//! Whitening from the project file to the run: what was fitted is kept, and a run opened with other images still uses it.

use crate::kit::runs::{completed, options, train};
use strata::engine::storage::saved_run::SavedRun;
use strata::project::file;

const PROJECT: &str = r#"
format = 1
title = "whitened"
seed = 3
[data]
source = "shapes"
patch = "4x4"
limit = 40
whiten = "zca eps=0.1"
center = "patch"
[network]
input = "3x4x4"
encoder = ["flatten", "dense 8", "sigmoid"]
decoder = ["dense 48", "reshape 3x4x4"]
[[stage]]
name = "code"
task = "reconstruct"
loss = "mse"
optimizer = "adam lr=1e-2"
epochs = 2
batch = 50
"#;

#[test]
fn a_run_keeps_its_whitening() {
    let project = file::parse(PROJECT, "whitened.toml").unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("run");
    completed(train(&project, &options(&path)).0);
    let kept = path.join("whitening.safetensors");
    assert!(kept.is_file());
    let open = || SavedRun::open(&path, "last", Some("cpu"), &mut |_| true);
    let first = open().unwrap().dataset.transform().cloned().unwrap();
    // Other images: what would be fitted to them is another whitening.
    let text = std::fs::read_to_string(path.join("project.toml")).unwrap();
    let other = text.replace("limit = 40", "limit = 20");
    assert_ne!(text, other);
    std::fs::write(path.join("project.toml"), other).unwrap();
    assert_eq!(open().unwrap().dataset.transform(), Some(&first));
    std::fs::remove_file(&kept).unwrap();
    let fitted = open().unwrap();
    assert_ne!(fitted.dataset.transform(), Some(&first));
    std::fs::write(&kept, b"no tensors").unwrap();
    let error = open().err().unwrap().to_string();
    assert!(error.contains("whitening.safetensors"), "{error}");
}

#[test]
fn two_runs_of_whitened_images_are_equal() {
    let project = file::parse(PROJECT, "whitened.toml").unwrap();
    let folder = tempfile::tempdir().unwrap();
    let run = |name: &str| {
        let path = folder.path().join(name);
        completed(train(&project, &options(&path)).0);
        std::fs::read(path.join("whitening.safetensors")).unwrap()
    };
    assert_eq!(run("one"), run("two"));
    let [one, two] = ["one", "two"].map(|name| {
        SavedRun::open(&folder.path().join(name), "last", Some("cpu"), &mut |_| {
            true
        })
        .unwrap()
    });
    let [one, two] = [one, two].map(|run| {
        let state = run.network.state().unwrap();
        let of = |(key, value): (String, candle_core::Tensor)| {
            (key, value.flatten_all().unwrap().to_vec1::<f32>().unwrap())
        };
        state.into_iter().map(of).collect::<Vec<_>>()
    });
    assert_eq!(one, two);
}

/// Errors are those of pixels, whatever the network sees: the figures say so.
#[test]
fn the_design_says_what_whitening_cannot_do() {
    let problems = |changes: &[(&str, &str)]| {
        let text = changes.iter().fold(PROJECT.to_owned(), |text, (from, to)| {
            assert!(text.contains(from), "{from}");
            text.replace(from, to)
        });
        let project = file::parse(&text, "p").unwrap();
        let problems = strata::design::checks::project_check::check(&project);
        problems
            .into_iter()
            .map(|p| p.message)
            .collect::<Vec<_>>()
            .join("\n")
    };
    assert!(!problems(&[]).contains("whiten"));
    let large = problems(&[
        ("patch = \"4x4\"\n", ""),
        ("3x4x4", "3x32x32"),
        ("dense 48", "dense 3072"),
    ]);
    assert!(large.contains("3072 numbers"), "{large}");
    let mixed = problems(&[
        ("zca eps", "pca eps"),
        ("\"flatten\", \"dense 8\"", "\"conv 8 k4\""),
    ]);
    assert!(mixed.contains("principal components"), "{mixed}");
    let bounded = problems(&[("\"reshape 3x4x4\"", "\"reshape 3x4x4\", \"sigmoid\"")]);
    assert!(bounded.contains("whitened"), "{bounded}");
}

/// A unit's answer changes by its filter on pixels times the change of the pixels, as by its weights on whitened images
/// times the change of these.
#[test]
fn filters_on_pixels_answer_as_the_network_does() {
    use strata::inspect::filters::on_pixels::FiltersOnPixels;
    use strata::inspect::filters::{Filters, Request};
    let project = file::parse(PROJECT, "whitened.toml").unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("run");
    completed(train(&project, &options(&path)).0);
    let mut run = SavedRun::open(&path, "last", Some("cpu"), &mut |_| true).unwrap();
    let own = run.inspect::<Filters>(&Request::First).unwrap();
    let on_pixels = run.inspect::<FiltersOnPixels>(&Request::First).unwrap().0;
    assert!(on_pixels.on_pixels && !own.on_pixels);
    let data = run.dataset.splits().next().unwrap().1;
    let whitened = |index: usize| {
        let mut image = vec![0.0; 48];
        data.read(index, &mut image).unwrap();
        image
    };
    let pixels = |image: &[f32]| {
        let mut pixels = image.to_vec();
        run.dataset.transform().unwrap().undo(&mut pixels);
        pixels
    };
    let [a, b] = [whitened(3), whitened(11)];
    let [x, y] = [pixels(&a), pixels(&b)];
    let change = |weights: &[f32], a: &[f32], b: &[f32]| -> f64 {
        let terms = weights.iter().zip(a.iter().zip(b));
        terms
            .map(|(w, (a, b))| f64::from(*w) * f64::from(a - b))
            .sum()
    };
    for (own, on_pixels) in own.values.chunks(48).zip(on_pixels.values.chunks(48)) {
        let [expected, found] = [change(own, &a, &b), change(on_pixels, &x, &y)];
        assert!(
            (expected - found).abs() < 1e-3 * (1.0 + expected.abs()),
            "{expected} {found}"
        );
    }
    // What the decoder paints is what one more of the unit adds to the image.
    let painted = run.inspect::<FiltersOnPixels>(&Request::Decoder).unwrap().0;
    assert!(painted.on_pixels && painted.are_templates);
}

#[test]
fn filters_behind_a_whitening_say_where_they_are() {
    use crate::kit::terminal::{err, json, strata};
    use crate::kit::window::*;
    use strata::app::view_kind::ViewKind;
    let project = file::parse(PROJECT, "whitened.toml").unwrap();
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    completed(train(&project, &options(&at.join("run"))).0);
    let told = |more: &[&str]| {
        err(&strata(
            at,
            &[&["inspect", "run", "filters"], more].concat(),
        ))
    };
    assert!(told(&[]).contains(", on the images' pixels"));
    assert!(!told(&["--whitened"]).contains("pixels"));
    let study = json(&strata(at, &["inspect", "run", "filters", "--json"]));
    assert_eq!(study["on_pixels"], true);
    let refused = strata(
        at,
        &["inspect", "run", "adversarial", "--image", "none.png"],
    );
    assert_ne!(crate::kit::terminal::code(&refused), 0);
    let mut window = open(at, &project);
    window
        .harness
        .state_mut()
        .handle(strata::app::action::Action::Open(at.join("run")));
    window.show_alone(ViewKind::Filters);
    window.wait_for(std::time::Duration::from_secs(60), "pixels", |window| {
        window.has("on the images' pixels")
    });
    window.keep_picture("whitened-pixels");
    window.click("Whitened");
    window.wait_for(std::time::Duration::from_secs(60), "whitened", |window| {
        window.has("as the network sees whitened images")
    });
}

/// A step of FGSM goes up the slope that differences of the loss have, pixel by pixel, through the whitening.
#[test]
fn an_attack_goes_through_the_whitening() {
    use candle_core::{Device, Tensor};
    use strata::inspect::adversarial::{Adversarial, Attack, Norm, Request};
    use strata::nn::{Mode, Route};
    let text = PROJECT.replace("center = \"patch\"\n", "").replace(
        "[[stage]]\nname = \"code\"",
        "head = [\"flatten\", \"dense 10\"]\n[[stage]]\nname = \"code\"",
    ) + "[[stage]]\nname = \"labels\"\ntask = \"classify\"\nloss = \"cross-entropy\"\noptimizer = \"adam lr=1e-2\"\nepochs = 2\nbatch = 50\n";
    let project = file::parse(&text, "whitened.toml").unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("run");
    completed(train(&project, &options(&path)).0);
    let mut run = SavedRun::open(&path, "last", Some("cpu"), &mut |_| true).unwrap();
    let epsilon = 0.01;
    let request = Request {
        attack: Attack::Fgsm,
        norm: Norm::Linf,
        epsilon,
        ..Request::default()
    };
    let made = run.inspect::<Adversarial>(&request).unwrap();
    let transform = run.dataset.transform().cloned().unwrap();
    let ends = run.dataset.ends();
    let outcome = &made.outcomes[0];
    let label = outcome.label.unwrap_or(outcome.before[0].0) as usize;
    let mut loss = |shares: &[f32]| -> f64 {
        let pairs = shares.iter().zip(ends.iter().cycle());
        let mut numbers: Vec<f32> = pairs
            .map(|(share, [low, high])| low + (high - low) * share)
            .collect();
        transform.apply(&mut numbers);
        let image = Tensor::from_vec(numbers, (1, 4, 4, 3), &Device::Cpu).unwrap();
        let output = run
            .network
            .forward(Route::Classify, &image, Mode::Eval)
            .unwrap();
        let scores = run.network.logits(&output).unwrap();
        let scores: Vec<f32> = scores.flatten_all().unwrap().to_vec1().unwrap();
        let sum: f64 = scores.iter().map(|score| f64::from(*score).exp()).sum();
        sum.ln() - f64::from(scores[label])
    };
    let original = made.originals[..48].to_vec();
    let mut checked = 0;
    for pixel in 0..48 {
        let step = 1e-2;
        let mut moved = original.clone();
        moved[pixel] += step;
        let above = loss(&moved);
        moved[pixel] -= 2.0 * step;
        let slope = (above - loss(&moved)) / f64::from(2.0 * step);
        let change = made.changed[pixel] - original[pixel];
        let room = original[pixel] > epsilon && original[pixel] < 1.0 - epsilon;
        if slope.abs() > 1e-3 && room {
            assert!(
                (f64::from(change) - f64::from(epsilon) * slope.signum()).abs() < 1e-5,
                "{pixel}: {slope} {change}"
            );
            checked += 1;
        }
    }
    assert!(checked > 10, "{checked}");
}
