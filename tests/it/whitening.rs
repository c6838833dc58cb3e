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
