//! Layers in an order that is unusual.

use super::{DOWN, autoencoder, classifier, fires, only, project, silent, texts};
use strata_core::project::data::Source;
use strata_core::project::stage::Loss;

#[test]
fn layers_with_nothing_nonlinear_between() {
    let fixed = fires(
        &classifier("conv 8 k3;conv 16 k3;relu", "gap;dense 10"),
        "`conv 16 k3` follows `conv 8 k3`",
        "encoder.1",
        "insert relu at encoder.1",
    );
    assert_eq!(
        texts(&fixed.network.encoder),
        ["conv 8 k3", "relu", "conv 16 k3", "relu"]
    );
    let fixed = fires(
        &classifier(
            "conv 8 k3 nobias;bn;avgpool 2;conv 16 k3;relu",
            "gap;dense 10",
        ),
        "`conv 16 k3`",
        "encoder.3",
        "insert relu at encoder.2",
    );
    assert_eq!(
        texts(&fixed.network.encoder)[1..4],
        ["bn", "relu", "avgpool 2"]
    );
    fires(
        &classifier(DOWN, "flatten;dense 64;dropout 0.5;dense 10"),
        "`dense 10`",
        "head.3",
        "insert relu at head.2",
    );
    fires(
        &classifier(
            "{ repeat = 2, layers = [\"conv 3 k3 p1\"] };relu",
            "gap;dense 10",
        ),
        "of the next pass",
        "encoder.0.0.0",
        "insert relu at encoder.0.0.1",
    );
    let inside = "{ add = [[\"conv 3 k3 p1\", \"conv 3 k3 p1\"], []] };relu";
    fires(
        &classifier(inside, "gap;dense 10"),
        "nothing nonlinear",
        "encoder.0.0.1",
        "insert relu at encoder.0.0.1",
    );
}

#[test]
fn known_designs_without_a_nonlinearity_between() {
    for encoder in [
        "conv 8 k3;maxpool 2;conv 16 k3;relu",
        "dwconv k3 p1;conv 16 k1;relu",
        "conv 6 k3 p1 g3;conv 16 k1;relu",
        "conv 16 k3;relu;conv 4 k1;conv 32 k1;relu",
        "conv 8 k1x3;conv 8 k3x1;relu",
        "conv 8 k3;{ add = [[\"conv 8 k3 p1\", \"relu\"], []] }",
        "{ repeat = 2, layers = [\"conv 3 k3 p1\", \"relu\"] }",
    ] {
        silent(&classifier(encoder, "gap;dense 10"));
    }
    // A linear code.
    silent(&project(
        "3x8x8",
        "flatten;dense 64;relu;dense 8",
        "dense 64;relu;dense 192;reshape 3x8x8",
        "",
    ));
}

#[test]
fn two_activations_in_a_row() {
    let fixed = fires(
        &classifier("conv 8 k3;relu;relu", "gap;dense 10"),
        "`relu`, `relu`",
        "encoder.2",
        "remove relu at encoder.2",
    );
    assert_eq!(texts(&fixed.network.encoder), ["conv 8 k3", "relu"]);
    let fixed = fires(
        &classifier("conv 8 k3;relu;tanh", "gap;dense 10"),
        "`relu`, `tanh`",
        "encoder.2",
        "remove relu at encoder.1",
    );
    assert_eq!(texts(&fixed.network.encoder), ["conv 8 k3", "tanh"]);
    silent(&classifier("conv 8 k3;relu;maxpool 2;relu", "gap;dense 10"));
}

#[test]
fn dropout_before_batch_norm() {
    let fixed = fires(
        &classifier("conv 8 k3 nobias;dropout 0.5;bn;relu", "gap;dense 10"),
        "`dropout 0.5` stands before the batch norm at encoder.2",
        "encoder.1",
        "move dropout 0.5 behind encoder.3",
    );
    assert_eq!(
        texts(&fixed.network.encoder),
        ["conv 8 k3 nobias", "bn", "relu", "dropout 0.5"]
    );
    let two = "dropout 0.2;conv 8 k3 nobias;bn;relu;conv 8 k3 nobias;bn;relu";
    let fixed = fires(
        &classifier(two, "gap;dense 10"),
        "dropout",
        "encoder.0",
        "move dropout 0.2 behind encoder.6",
    );
    assert_eq!(texts(&fixed.network.encoder).last().unwrap(), "dropout 0.2");
    silent(&classifier(
        "conv 8 k3 nobias;bn;relu;dropout 0.5",
        "gap;dense 10",
    ));
    only(
        &classifier("dropout 0;conv 8 k3 nobias;bn;relu", "gap;dense 10"),
        "`dropout 0` changes nothing",
    );
    silent(&classifier(
        "dropout 0.2;conv 8 k3;relu;conv 8 k3 nobias;bn;relu",
        "gap;dense 10",
    ));
}

#[test]
fn biases_that_batch_norm_takes_away() {
    let fixed = fires(
        &classifier("conv 8 k3;bn;relu", "gap;dense 10"),
        "the bias of encoder.0",
        "encoder.0",
        "add nobias at encoder.0",
    );
    assert_eq!(texts(&fixed.network.encoder)[0], "conv 8 k3 nobias");
    let many = classifier(
        "conv 8 k3;bn;relu;sepconv 8 k3;bn;relu;{ add = [[\"conv 8 k3 p1\", \"bn\"], []] }",
        "gap;dense 16;bn;relu;dense 10",
    );
    let fixed = fires(
        &many,
        "encoder.0, encoder.3, encoder.6.0.0 and 1 more",
        "encoder.0",
        "add nobias to 4 layers",
    );
    assert_eq!(fixed.network.encoder[3].text(), "sepconv 8 k3 nobias");
    silent(&classifier("conv 8 k3;relu;bn", "gap;dense 10"));
}

#[test]
fn what_is_locked_keeps_its_bias() {
    let mut locked = classifier("conv 8 k3;bn;relu;conv 8 k3;bn;relu", "gap;dense 10");
    locked.locked = vec!["encoder.0".into()];
    let fix = only(&locked, "biases of 2 layers").fix.unwrap();
    let fixed = fix.edit.apply(&locked).unwrap();
    assert_eq!(
        texts(&fixed.network.encoder)[..4],
        ["conv 8 k3", "bn", "relu", "conv 8 k3 nobias"]
    );
    locked.locked = vec!["encoder".into()];
    assert_eq!(only(&locked, "biases of 2 layers").fix, None);
}

#[test]
fn steps_have_no_gradient() {
    let fixed = fires(
        &classifier("conv 8 k3;step", "gap;dense 10"),
        "no gradient",
        "encoder.1",
        "write sigmoid at encoder.1",
    );
    assert_eq!(texts(&fixed.network.encoder)[1], "sigmoid");
}

#[test]
fn nothing_stands_behind_the_last_weights() {
    let fixed = fires(
        &classifier(DOWN, "gap;dense 10;dropout 0.5"),
        "`dropout 0.5` stands behind",
        "head.2",
        "remove dropout at head.2",
    );
    assert_eq!(texts(&fixed.network.head), ["gap", "dense 10"]);
    fires(
        &autoencoder(DOWN, "convt 3 k4 s2 p1 nobias;bn"),
        "`bn` stands behind",
        "decoder.1",
        "remove bn at decoder.1",
    );
    fires(
        &autoencoder(DOWN, "convt 3 k4 s2 p1;dropout-channels 0.1;tanh"),
        "behind",
        "decoder.1",
        "remove dropout-channels at decoder.1",
    );
    silent(&classifier(DOWN, "gap;dropout 0.5;dense 10"));
}

#[test]
fn scores_are_free() {
    fires(
        &classifier(DOWN, "gap;dense 10;softmax"),
        "softmax before cross-entropy",
        "head.2",
        "remove softmax at head.2",
    );
    fires(
        &classifier(DOWN, "gap;dense 10;relu"),
        "the head ends in `relu`",
        "head.2",
        "remove relu at head.2",
    );
    silent(&classifier(DOWN, "conv 10 k1;relu;gap"));
}

#[test]
fn scores_of_labels_are_free_too() {
    let mut project = classifier(DOWN, "gap;dense 10;sigmoid");
    project.data.source = Source::Folder;
    for stage in &mut project.stages {
        stage.loss = Loss::Bce;
    }
    fires(
        &project,
        "before bce, which applies a sigmoid",
        "head.2",
        "remove sigmoid at head.2",
    );
}
