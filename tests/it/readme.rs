//! What the README says is so: its commands run, its pictures are there, its table is complete.

use std::path::Path;
use std::process::Command;
use strata::project::layer_text::KINDS;
use strata::project::stage::Loss;
use strata::project::{builtin, node::Node};

fn readme() -> String {
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md")).unwrap()
}

/// The lines of all `sh` blocks that start with this word, comments cut off.
fn commands(program: &str) -> Vec<Vec<String>> {
    let text = readme();
    let blocks = text
        .split("```sh\n")
        .skip(1)
        .filter_map(|rest| rest.split("```").next());
    let lines = blocks
        .flat_map(str::lines)
        .map(|line| line.split('#').next().unwrap_or_default());
    let words = lines.map(|line| {
        line.split_whitespace()
            .map(str::to_owned)
            .collect::<Vec<_>>()
    });
    words
        .filter(|words| words.first().is_some_and(|first| first == program))
        .collect()
}

#[test]
fn two_commands_do_all_the_set_up() {
    let cargo: Vec<String> = commands("cargo")
        .iter()
        .map(|words| words.join(" "))
        .collect();
    assert_eq!(cargo, ["cargo run --release", "cargo test"]);
    let checks =
        std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(".ci/run")).unwrap();
    assert!(
        checks.lines().any(|line| line == "cargo test"),
        "the checks run the README's test command"
    );
}

#[test]
fn every_command_of_the_tour_runs() {
    let folder = tempfile::tempdir().unwrap();
    let tour = commands("strata");
    assert!(tour.len() >= 5);
    for mut words in tour {
        if words[1] == "train" {
            // The same command on a handful of images.
            words.extend(["--set", "data.limit=40"].map(str::to_owned));
        }
        let output = Command::new(env!("CARGO_BIN_EXE_strata"))
            .args(&words[1..])
            .current_dir(&folder)
            .output()
            .unwrap();
        assert!(
            output.status.success(),
            "{words:?}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
    }
    assert!(folder.path().join("filters.png").exists());
}

/// "views of …": each has its place in the window.
#[test]
fn the_table_names_every_view() {
    let text = readme();
    let row = text
        .lines()
        .find(|line| line.starts_with("| **Window**"))
        .unwrap();
    for kind in strata::gui::views::ViewKind::ALL {
        let word = match kind {
            strata::gui::views::ViewKind::Data => "images".to_owned(),
            kind => kind.title().to_lowercase(),
        };
        assert!(row.contains(&word), "{word}");
    }
}

#[test]
fn every_picture_is_there() {
    let text = readme();
    let pictures: Vec<&str> = text
        .split("](")
        .skip(1)
        .filter_map(|rest| rest.split(')').next())
        .filter(|link| link.ends_with(".png"))
        .collect();
    assert!(pictures.len() >= 4);
    for picture in pictures {
        assert!(
            Path::new(env!("CARGO_MANIFEST_DIR")).join(picture).exists(),
            "{picture}"
        );
    }
}

#[test]
fn the_table_names_every_layer_and_loss() {
    let text = readme();
    let activations = KINDS.iter().filter(|(_, example, _)| {
        let Node::Layer(layer) = Node::from_text(example) else {
            return false;
        };
        matches!(layer.kind, strata::project::layer::Kind::Activation(_))
    });
    assert_eq!(
        activations.clone().count(),
        10,
        "the README counts ten activations"
    );
    let names: Vec<&str> = activations.map(|(word, ..)| *word).collect();
    for (word, ..) in KINDS.iter().filter(|(word, ..)| !names.contains(word)) {
        assert!(text.contains(&format!("`{word}`")), "{word}");
    }
    for loss in Loss::ALL {
        assert!(text.contains(&loss.to_string()), "{loss}");
    }
}

#[test]
fn the_examples_it_names_are_built_in() {
    let text = readme();
    assert!(builtin::ALL.len() >= 5);
    for name in [
        "deep-autoencoder",
        "lenet-mnist",
        "keras-cifar",
        "sparse-autoencoder",
    ] {
        assert!(builtin::find(name).is_some(), "{name}");
    }
    for name in ["inception", "unet", "resnet-18", "mobilenet-v2", "xception"] {
        assert!(
            builtin::find(name).is_some() && text.contains(&format!("`{name}`")),
            "{name}"
        );
    }
    assert!(
        text.contains(
            builtin::ALL[0].project().unwrap().network.encoder[0]
                .text()
                .as_str()
        )
    );
}
