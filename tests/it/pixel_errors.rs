//! Errors of reconstructions are those of pixels, whatever each channel was divided by.

use crate::kit::runs::{completed, options, train};
use strata::engine::storage::saved_run::SavedRun;
use strata::nn::{Mode, Route};
use strata::project::data::Split;
use strata::project::{Project, file};

/// Channels that are divided by very different numbers, and a network that is not moved.
const PROJECT: &str = r#"
format = 1
title = "pixels"
seed = 2
[data]
source = "shapes"
resize = [8, 8]
limit = 48
normalize = { mean = [0.5, 0.4, 0.3], std = [0.05, 0.25, 0.5] }
[network]
input = "3x8x8"
encoder = ["identity"]
decoder = ["conv 3 k1"]
[[stage]]
name = "still"
task = "reconstruct"
loss = "mse"
optimizer = "sgd lr=0"
epochs = 1
batch = 16
"#;

/// The mean squared error of pixels from 0 to 1 over a split, by undoing the normalisation of each channel.
fn error(run: &mut SavedRun, split: Split) -> f64 {
    let stds = [0.05, 0.25, 0.5];
    let data = run.dataset.split(split).unwrap();
    let mut sum = 0.0;
    let mut image = vec![0.0; 192];
    for index in 0..data.len() {
        data.read(index, &mut image).unwrap();
        let device = candle_core::Device::Cpu;
        let batch = candle_core::Tensor::from_slice(&image, (1, 8, 8, 3), &device).unwrap();
        let output = run
            .network
            .forward(Route::Reconstruct, &batch, Mode::Eval)
            .unwrap();
        let output: Vec<f32> = output.flatten_all().unwrap().to_vec1().unwrap();
        for (place, (y, x)) in output.iter().zip(&image).enumerate() {
            let difference = f64::from(y - x) * stds[place % 3];
            sum += difference * difference;
        }
    }
    sum / (192 * data.len()) as f64
}

#[test]
fn mse_and_psnr_undo_the_normalisation_of_each_channel() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("run");
    let project: Project = file::parse(PROJECT, "pixels.toml").unwrap();
    let summary = completed(train(&project, &options(&path)).0);
    let mut run = SavedRun::open(&path, "last", Some("cpu"), &mut |_| true).unwrap();
    for split in [Split::Train, Split::Valid, Split::Test] {
        let right = error(&mut run, split);
        let decibels = -10.0 * right.log10();
        let told = summary.metrics.iter().find(|(of, _)| *of == split).unwrap();
        let evaluated = run.evaluate(split).unwrap().metrics;
        for metrics in [&told.1, &evaluated] {
            let (mse, psnr) = (metrics.mse.unwrap(), metrics.psnr.unwrap());
            assert!((mse - right).abs() < 1e-4 * right, "{split}: {mse} {right}");
            assert!((psnr - decibels).abs() < 1e-3, "{split}: {psnr} {decibels}");
        }
        let is_loss = (evaluated.loss - right).abs() < 0.1 * right;
        assert!(!is_loss, "the loss stays that of the network's numbers");
    }
}
