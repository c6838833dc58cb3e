//! Windows that miss rows, overlap or have no centre, and layers that are too large.

use super::{DOWN, autoencoder, classifier, fires, only, project, silent, texts};
use strata_core::shape::infer;

/// (7 + 0 − 3) mod 3 = 1 position is left over.
#[test]
fn rows_that_a_stride_never_reads() {
    let seven = |encoder: &str| project("3x7x7", encoder, "", "gap;dense 10");
    let fixed = fires(
        &seven("conv 8 k3 s3;relu"),
        "never reads 1 row and 1 column of its 3×7×7 input",
        "encoder.0",
        "write conv 8 k3 s3 p1 at encoder.0",
    );
    assert_eq!(infer(&fixed.network).code.unwrap().to_string(), "8×3×3");
    fires(
        &seven("conv 8 k1 s2;relu"),
        "never reads 3 rows and 3 columns",
        "encoder.0",
        "write conv 8 k3 s2 at encoder.0",
    );
    fires(
        &project("1x9", "conv 8 k4 s4;relu", "", "gap;dense 10"),
        "1 sample",
        "encoder.0",
        "write conv 8 k5 s4 at encoder.0",
    );
    silent(&seven("conv 8 k3 s2;relu"));
    // One in thirteen: a classifier can do without (the Keras tutorial's network does).
    let thirteen =
        |task: (&str, &str)| project("3x13x13", "conv 8 k3 p1;relu;maxpool 2", task.0, task.1);
    silent(&thirteen(("", "gap;dense 10")));
    let said = only(
        &thirteen(("unpool;convt 3 k3 p1;tanh", "")),
        "`maxpool 2` never reads 1 row and 1 column",
    );
    assert_eq!(
        said.fix.map(|fix| fix.label),
        Some("write maxpool 2 p1 at encoder.2".into()),
        "the pair goes along"
    );
    // A shortcut leaves every second pixel out by design.
    silent(&project(
        "8x8x8",
        "{ add = [[\"conv 8 k3 s2 p1\"], [\"conv 8 k1 s2\"]] };relu",
        "",
        "gap;dense 10",
    ));
}

#[test]
fn kernels_without_a_centre() {
    let fixed = fires(
        &classifier("conv 8 k4 p2;relu", "gap;dense 10"),
        "one larger",
        "encoder.0",
        "write conv 8 k5 p2 at encoder.0",
    );
    assert_eq!(infer(&fixed.network).code.unwrap().to_string(), "8×16×16");
    silent(&classifier("conv 8 k4 s2 p1;relu", "gap;dense 10"));
    silent(&classifier("conv 8 k4 p1;relu", "gap;dense 10"));
}

#[test]
fn poolings_that_are_not_undone_well() {
    let overlapping = autoencoder(
        "conv 4 k3 p1;relu;maxpool 3 s2 p1",
        "unpool;convt 3 k3 p1;tanh",
    );
    fires(
        &overlapping,
        "overlap",
        "encoder.2",
        "write maxpool 2 at encoder.2",
    );
    silent(&autoencoder(
        "conv 4 k3 p1;relu;maxpool 2",
        "unpool;convt 3 k3 p1;tanh",
    ));
    silent(&classifier(
        "conv 4 k3 p1;relu;maxpool 3 s2 p1",
        "gap;dense 10",
    ));
    // Both poolings keep the size, so that either can be undone first.
    let pools = "conv 4 k3 p1;relu;maxpool 1 @a;relu6;maxpool 1 @b";
    let fixed = fires(
        &autoencoder(pools, "unpool @a;unpool @b;convt 3 k3 p1;tanh"),
        "`unpool @b` at decoder.1 undoes a later pooling",
        "decoder.1",
        "leave the names of the unpools out",
    );
    assert_eq!(texts(&fixed.network.decoder)[..2], ["unpool", "unpool"]);
    silent(&autoencoder(
        pools,
        "unpool @b;unpool @a;convt 3 k3 p1;tanh",
    ));
}

/// 16·64·64 · 100 weights of 6,554,958.
#[test]
fn a_dense_layer_with_nearly_all_parameters() {
    let large = |head: &str| project("3x64x64", "conv 16 k3 p1;relu", "", head);
    fires(
        &large("flatten;dense 100;relu;dense 10"),
        "holds 99 % of all parameters: 6,553,700",
        "head.1",
        "replace flatten by gap at head.0",
    );
    silent(&large("gap;dense 100;relu;dense 10"));
    silent(&project(
        "3x64x64",
        "flatten;dense 100;relu",
        "",
        "dense 10",
    ));
    silent(&classifier(DOWN, "flatten;dense 100;relu;dense 10"));
}
