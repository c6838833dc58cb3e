//! Whether an autoencoder on images without labels helps where there are few labels: MNIST with 100 of each class.

use crate::kit::terminal::{code, err, json, strata};
use crate::studies::folder_of;
use strata::engine::storage::record::RunRecord;
use strata_testkit::folders;

/// 100 labels of each class, all other images without: a denoising autoencoder first, then its encoder fine-tuned,
/// against the same network from scratch with as many epochs on the labels. Dense layers, which know nothing of images
/// beforehand: with convolutions the encoder of an autoencoder gave no more than random weights.
const MNIST: &str = r#"format = 1
title = "MNIST with few labels"
seed = 1
[data]
source = "mnist"
path = "DATA/mnist"
per_class = 100
[network]
input = "1x28x28"
encoder = ["dropout 0.3", "flatten", "dense 500 nobias", "bn", "relu", "dense 250 nobias", "bn", "relu", "dense 120 nobias", "bn", "relu"]
head = ["dense 10"]
[[stage]]
name = "all layers"
task = "classify"
loss = "cross-entropy"
optimizer = "adam lr=1e-3"
schedule = "cosine"
epochs = 30
batch = 50
[[run]]
name = "autoencoder"
[run.network]
decoder = ["dense 250 nobias", "bn", "relu", "dense 500 nobias", "bn", "relu", "dense 784", "sigmoid", "reshape 1x28x28"]
head = []
[[run.stage]]
name = "reconstruct"
task = "reconstruct"
split = "unlabeled"
loss = "mse"
optimizer = "adam lr=2e-3"
schedule = "cosine"
epochs = 20
batch = 100
[[run]]
name = "fine-tuned"
seeds = [1, 2, 3]
init = "autoencoder encoder"
[[run]]
name = "scratch"
seeds = [1, 2, 3]
"#;

#[test]
#[ignore = "takes minutes"]
fn long_fine_tuning_beats_training_from_scratch_on_few_labels() {
    let Some(data) = folders::real_data("few_labels") else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    let text = MNIST.replace("DATA", &data.display().to_string());
    std::fs::write(at.join("p.toml"), text).unwrap();
    let said = strata(at, &["train", "p.toml", "--json", "--no-snapshots"]);
    assert_eq!(code(&said), 0, "{}", err(&said));
    let told = json(&said);
    let figures = |name: &str| {
        [1, 2, 3].map(|seed| {
            let run = at.join(folder_of(&told, &format!("{name}-seed-{seed}")));
            let test = RunRecord::read(&run).unwrap().metrics["test"].clone();
            [test.accuracy.unwrap(), test.log_loss.unwrap()]
        })
    };
    let [tuned, scratch] = ["fine-tuned", "scratch"].map(figures);
    println!("accuracy and log loss: fine-tuned {tuned:?}, from scratch {scratch:?}");
    let mean =
        |all: &[[f64; 2]; 3], which: usize| all.iter().map(|one| one[which]).sum::<f64>() / 3.0;
    assert!(mean(&tuned, 0) > mean(&scratch, 0));
    assert!(mean(&tuned, 1) < mean(&scratch, 1));
}
