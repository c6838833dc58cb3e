//! The script for PyTorch on images with several labels, and with layers that are unfrozen one after the other.

use crate::kit::terminal::{code, err, json, strata};
use crate::label_sets::{data, project};
use crate::training_script::{
    PLAIN, assert_alike, done, exported, pytorch, record, script, trained_and_exported,
    wait_for_steps,
};
use crate::unfreezing::moved;
use std::fs;
use std::process::Stdio;
use strata::engine::storage::record::Status;

#[test]
fn several_labels_are_trained_there_too() {
    let Some(python) = pytorch("several_labels_are_trained_there_too") else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    data(at);
    let mut project = project(at, "dense 3", "bce", "");
    project.stages[0].class_weights = "balanced".parse().ok();
    trained_and_exported(at, &project);
    for (processes, name) in [(1, "one"), (2, "two")] {
        done(&script(&python, at, processes, &[name]).output().unwrap());
        let [own, made] = ["run", name].map(|run| record(&at.join(run)));
        assert_eq!((made.status, made.steps), (Status::Completed, own.steps));
        // Other first weights, the same task: both learn it.
        let [own, made] = [&own.metrics["test"], &made.metrics["test"]];
        let near = |one: Option<f64>, other: Option<f64>| (one.unwrap() - other.unwrap()).abs();
        assert!(
            made.f1.unwrap() > 0.9 && near(own.f1, made.f1) < 0.08,
            "{made:?}"
        );
        assert!(near(own.accuracy, made.accuracy) < 0.05, "{own:?} {made:?}");
        // What it measured is what Strata measures of its weights, with the same weights of the labels.
        let told = json(&strata(at, &["eval", name, "--json"]));
        for (key, value) in [
            ("loss", made.loss),
            ("accuracy", made.accuracy.unwrap()),
            ("f1", made.f1.unwrap()),
            ("exact_match", made.exact_match.unwrap()),
        ] {
            let measured = told["test"][key].as_f64().unwrap();
            assert!(
                (measured - value).abs() < 1e-5,
                "{name} {key}: {measured} {value}"
            );
        }
        let table = fs::read_to_string(at.join(name).join("metrics.csv")).unwrap();
        assert!(table.starts_with("stage,epoch,step,split,loss,accuracy,f1,exact_match,log_loss"));
    }
    assert_alike_labels(&record(&at.join("one")), &record(&at.join("two")));
    let longer = strata(at, &["train", "one", "--resume", "--more-epochs", "1"]);
    assert_eq!(code(&longer), 0, "{}", err(&longer));
}

/// One process and two start alike and see the same batches.
fn assert_alike_labels(
    one: &strata::engine::storage::record::RunRecord,
    two: &strata::engine::storage::record::RunRecord,
) {
    let [one, two] = [one, two].map(|record| record.metrics["test"].loss);
    assert!((one - two).abs() < 1e-3 * one.abs(), "{one} {two}");
}

#[test]
fn layers_are_unfrozen_there_too() {
    let Some(python) = pytorch("layers_are_unfrozen_there_too") else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    let encoder =
        "encoder = [\"conv 6 k3 s2 p1\", \"relu\", \"conv 4 k3 p1\", \"relu\", \"conv 4 k3 p1\"]";
    let changes = [
        &PLAIN[..],
        &[
            ("encoder = [\"conv 6 k3 s2 p1\", \"relu\"]", encoder),
            (
                "freeze = [\"encoder.0\"]",
                "freeze = [\"*.0\"]\nunfreeze = \"encoder layers=1 every=1\"\ncheckpoints = \"every 1\"",
            ),
            ("sgd lr=0.05 momentum=0.9 nesterov\"\nepochs = 2", "adam lr=3e-3\"\nepochs = 4"),
        ],
    ]
    .concat();
    exported(at, &changes);
    let one = script(&python, at, 1, &["one"]).output().unwrap();
    done(&one);
    let told = String::from_utf8_lossy(&one.stdout).into_owned();
    assert!(
        told.contains("from epoch 2 on encoder.4 is trained too"),
        "{told}"
    );
    // The pattern keeps the first layer as it is.
    let all = ["encoder.2", "encoder.4", "head.1"];
    for (epoch, layers) in [(1, &all[2..]), (2, &all[1..]), (3, &all[..]), (4, &all[..])] {
        let from = match epoch {
            1 => "stage-1".to_owned(),
            epoch => format!("stage-2-epoch-{}", epoch - 1),
        };
        for run in ["one", "run"] {
            let found = moved(&at.join(run), &from, &format!("stage-2-epoch-{epoch}"));
            assert_eq!(found, layers, "{run}, epoch {epoch}");
        }
    }
    done(&script(&python, at, 2, &["two"]).output().unwrap());
    assert_alike(&record(&at.join("one")), &record(&at.join("two")), 1e-3);
    // Stopped between two layers and gone on with, it comes to the same.
    for steps in [14, 17, 20] {
        let run = at.join(format!("stopped-{steps}"));
        let name = run.file_name().unwrap().to_str().unwrap();
        fs::create_dir_all(&run).unwrap();
        let mut child = script(&python, at, 1, &[name, "--epochs", "4"])
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        wait_for_steps(&run, &mut child, steps);
        fs::write(run.join("commands.txt"), "stop\n").unwrap();
        assert!(child.wait().unwrap().success());
        let stopped = record(&run);
        if stopped.status == Status::Stopped {
            let rest = [name, "--epochs", "4", "--resume"];
            done(&script(&python, at, 1, &rest).output().unwrap());
        }
        let whole = at.join("whole");
        if !whole.exists() {
            done(
                &script(&python, at, 1, &["whole", "--epochs", "4"])
                    .output()
                    .unwrap(),
            );
        }
        let table = |run: &std::path::Path| fs::read_to_string(run.join("steps.csv")).unwrap();
        assert_eq!(
            table(&whole),
            table(&run),
            "stopped after step {}",
            stopped.steps
        );
    }
    // What is left of one that was stopped is trained here.
    let longer = strata(at, &["train", "one", "--resume", "--more-epochs", "1"]);
    assert_eq!(code(&longer), 0, "{}", err(&longer));
}

/// What comes in from outside is what Strata takes: `numpy.pad` and then torchvision, as `tests/fixtures/augment.py` makes
/// what Strata's own augmentations are compared with.
const BORDERS: &str = r#"
import sys; sys.path.insert(0, "export")
import numpy as np, torch
import torchvision.transforms.v2.functional as F
from settings import AUGMENT
from borders import Bordered, Extended, Shifted
shifted, turned, scaled, cropped = AUGMENT.transforms[:4]
assert isinstance(shifted, Shifted) and isinstance(turned, Bordered) and isinstance(scaled, Bordered)
assert isinstance(cropped.transforms[0], Extended)
image = torch.rand(3, 16, 16)
wide = lambda border, mode: torch.from_numpy(np.pad(image.numpy(), [(0, 0), (border, border), (border, border)], mode=mode))
middle = lambda moved, border: moved[..., border : border + 16, border : border + 16]
for seed in range(20):
    torch.manual_seed(seed)
    found = shifted(image)
    torch.manual_seed(seed)
    right, down = (int(round(torch.empty(1).uniform_(-4.0, 4.0).item())) for _ in range(2))
    assert torch.equal(found, torch.roll(image, (down, right), (1, 2))), seed
    torch.manual_seed(seed)
    found = turned(image)
    torch.manual_seed(seed)
    angle = float(torch.empty(1).uniform_(-30.0, 30.0))
    expected = F.rotate(wide(40, "reflect"), angle, F.InterpolationMode.BILINEAR)
    assert torch.allclose(found, middle(expected, 40), atol=1e-5), seed
    torch.manual_seed(seed)
    found = scaled(image)
    torch.manual_seed(seed)
    from torchvision.transforms import RandomAffine
    _, _, factor, _ = RandomAffine.get_params([0, 0], None, [0.2, 1.8], None, [16, 16])
    expected = F.affine(wide(64, "edge"), 0, [0, 0], factor, [0, 0], F.InterpolationMode.BILINEAR)
    assert torch.allclose(found, middle(expected, 64), atol=1e-5), (seed, factor)
    found = cropped(image)
    places = [(top, left) for top in range(7) for left in range(7)]
    assert any(torch.equal(found, wide(3, "wrap")[:, t : t + 16, l : l + 16]) for t, l in places), seed
print("borders are the same")
"#;

#[test]
fn borders_that_torchvision_has_not_are_the_same_there() {
    let Some(python) = pytorch("borders_that_torchvision_has_not_are_the_same_there") else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    let augment = "limit = 40\naugment = [\"shift 0.25 wrap\", \"rotate 30 reflect bilinear\", \"scale 0.8 edge bilinear\", \
                   \"crop 16 pad3 wrap\"]";
    exported(at, &[("limit = 40", augment)]);
    let told = std::process::Command::new(&python)
        .args(["-c", BORDERS])
        .current_dir(at)
        .output()
        .unwrap();
    done(&told);
    assert!(String::from_utf8_lossy(&told.stdout).contains("are the same"));
    done(&script(&python, at, 1, &["made"]).output().unwrap());
    assert_eq!(record(&at.join("made")).status, Status::Completed);
}
