//! Ranges, losses, learning rates, batches and stages.

use super::{DOWN, UP, autoencoder, classifier, fires, project, silent};
use strata_core::project::data::DataSpec;

#[test]
fn outputs_fit_the_pixels() {
    let mut half = autoencoder(DOWN, UP);
    half.data.range = None;
    let fixed = fires(
        &half,
        "ends in tanh (from -1 to 1), but the pixels are from 0 to 1",
        "decoder.1",
        "set range to −1..1",
    );
    assert_eq!(fixed.data.range, Some([-1.0, 1.0]));
    let mut squared = autoencoder(DOWN, "convt 3 k4 s2 p1;sigmoid");
    squared.data.range = Some([0.0, 1.0]);
    let fixed = fires(
        &squared,
        "the gradient can vanish",
        "decoder.1",
        "set loss to bce in stage 1",
    );
    assert_eq!(fixed.stages[0].loss.to_string(), "bce");
    let mut linear = autoencoder(DOWN, "convt 3 k4 s2 p1");
    silent(&linear);
    linear.data.range = Some([0.0, 1.0]);
    silent(&linear);
}

#[test]
fn learning_rates_are_usual() {
    let with = |optimizer: &str| {
        let mut project = autoencoder(DOWN, UP);
        project.stages[0].optimizer = optimizer.parse().unwrap();
        project
    };
    for (optimizer, message, label, fixed) in [
        (
            "adam lr=0.1 beta1=0.5",
            "lr=0.1 is high for adam: usual is 1e-5 to 0.01",
            "set the learning rate to 1e-3 in stage 1",
            "adam lr=0.001 beta1=0.5",
        ),
        (
            "adamw lr=1e-7",
            "lr=1e-7 is low for adam",
            "set the learning rate to 1e-3 in stage 1",
            "adamw lr=0.001",
        ),
        (
            "sgd lr=10 momentum=0.9",
            "lr=10 is high for sgd: usual is 1e-4 to 1",
            "set the learning rate to 0.01 in stage 1",
            "sgd lr=0.01 momentum=0.9",
        ),
        (
            "sgd lr=0",
            "lr=0 is low",
            "set the learning rate to 0.01 in stage 1",
            "sgd lr=0.01",
        ),
    ] {
        let after = fires(&with(optimizer), message, "", label);
        assert_eq!(after.stages[0].optimizer, fixed.parse().unwrap());
    }
    for optimizer in [
        "adam lr=1e-5",
        "adam lr=1e-2",
        "sgd lr=1",
        "sgd lr=1e-4",
        "sgd lr=0.1 momentum=0.9",
    ] {
        silent(&with(optimizer));
    }
}

#[test]
fn batch_norm_needs_a_batch() {
    let mut one = classifier("conv 8 k3 nobias;bn;relu", "gap;dense 10");
    one.stages[0].batch = 1;
    let fixed = fires(
        &one,
        "batch norm at encoder.1 with a batch of 1",
        "encoder.1",
        "set batch to 32 in stage 1",
    );
    assert_eq!(fixed.stages[0].batch, 32);
    let mut plain = classifier(DOWN, "gap;dense 10");
    plain.stages[0].batch = 1;
    silent(&plain);
}

#[test]
fn freezing_comes_after_training() {
    let both = |freeze: [&[&str]; 2]| {
        let mut project = project(
            "3x16x16",
            "conv 8 k3 s2 p1 nobias;bn;relu",
            UP,
            "gap;dense 10",
        );
        for (stage, names) in project.stages.iter_mut().zip(freeze) {
            stage.freeze = names.iter().map(|name| (*name).to_owned()).collect();
        }
        project
    };
    silent(&both([&[], &["encoder"]]));
    fires(
        &both([&["encoder"], &[]]),
        "freezes encoder, which no stage before has trained",
        "",
        "don't freeze encoder in stage 1",
    );
    fires(
        &both([&[], &["encoder.1"]]),
        "freezes the batch norm encoder.1, but trains encoder.0",
        "",
        "don't freeze encoder.1 in stage 2",
    );
    silent(&both([&[], &["encoder.0", "encoder.1"]]));
}

#[test]
fn pixels_are_scaled() {
    let mut large = classifier(DOWN, "gap;dense 10");
    large.data.range = Some([0.0, 255.0]);
    let fixed = fires(
        &large,
        "the pixels are from 0 to 255",
        "",
        "set range to 0..1",
    );
    assert_eq!(
        fixed.data,
        DataSpec {
            range: Some([0.0, 1.0]),
            ..large.data
        }
    );
}
