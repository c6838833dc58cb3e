use super::*;
use strata_core::shape::infer;
use strata_testkit::networks::network;

const MACHINE: Machine = Machine {
    threads: 2,
    lanes: 16,
    loaders: 2,
};

fn plan(input: &str, encoder: &[&str], head: &[&str]) -> Plan {
    infer(&network(input, encoder, &[], head)).plan.unwrap()
}

fn stage(optimizer: &str, freeze: &[&str], task: Task) -> Stage {
    let freeze = freeze.iter().map(|name| (*name).to_owned()).collect();
    Stage {
        optimizer: optimizer.parse().unwrap(),
        freeze,
        task,
        ..Stage::default()
    }
}

fn bytes(plan: &Plan, stage: &Stage, batch: u32) -> Bytes {
    step_memory(plan, stage, batch, MACHINE).unwrap().total()
}

/// 20 numbers to 10 and a bias, 8 images: counted by hand.
#[test]
fn a_dense_layer_by_hand() {
    let plan = plan("20", &["dense 10"], &[]);
    let of = |optimizer: &str| bytes(&plan, &stage(optimizer, &[], Task::Reconstruct), 8);
    let sgd = of("sgd lr=0.1");
    assert_eq!(
        (sgd.weights, sgd.gradients, sgd.optimizer),
        (210 * 4, 210 * 4, 0)
    );
    // The batch, the output, and the loss's gradient; nothing asks for the gradient of the input.
    assert_eq!(sgd.activations, 8 * (20 + 10 + 10) * 4);
    // The gradient, the same turned, and the sums for the bias; a panel of 24 KiB for each of two threads; lists.
    assert_eq!(
        sgd.scratch,
        (2 * 8 + 1) * 10 * 4 + 2 * (24 << 10) + 32 * 8 + 64
    );
    assert_eq!(of("sgd lr=0.1 momentum=0.9").optimizer, 210 * 4);
    assert_eq!(
        of("adam"),
        Bytes {
            optimizer: 2 * 210 * 4,
            ..sgd
        }
    );
}

/// 128 channels to as many at 64 positions of 16 images, whose gradients are kept for eight parts of the positions.
#[test]
fn a_window_of_one_position_by_hand() {
    let plan = plan("128x8x8", &["conv 128 k1"], &[]);
    let scratch = bytes(&plan, &stage("adam", &[], Task::Reconstruct), 16).scratch;
    let shared = 128 * 128 + 8 * 129 * 128;
    // A panel, some rows of the gradient, and the same turned.
    let of_thread = (24 << 10) + 2 * 96 * 128 * 4;
    assert_eq!(scratch, shared * 4 + 2 * of_thread + 128 * 8 + 64);
}

#[test]
fn gradients_on_their_way_back_take_turns() {
    let reconstruct = stage("sgd lr=0.1", &[], Task::Reconstruct);
    let layers = ["dense 100", "gelu", "dense 100", "gelu", "dense 100"];
    let activations =
        |layers: &[&str]| bytes(&plan("100", layers, &[]), &reconstruct, 8).activations;
    // One more pair of layers adds two outputs but no gradient.
    assert_eq!(
        activations(&layers) - activations(&layers[2..]),
        2 * 8 * 100 * 4
    );
    // A relu is computed along with the layer before it.
    let fused = ["dense 100", "relu", "dense 100"];
    assert_eq!(
        activations(&["dense 100", "gelu", "dense 100"]) - activations(&fused),
        2 * 8 * 100 * 4
    );
}

#[test]
fn what_layers_keep_for_their_gradients() {
    let reconstruct = stage("sgd lr=0.1", &[], Task::Reconstruct);
    let activations = |layer: &str| {
        let plan = plan("20x5x5", &["conv 20 k1", layer, "conv 20 k1"], &[]);
        bytes(&plan, &reconstruct, 8).activations
    };
    let plain = activations("gelu");
    // A byte for each value; a factor for each channel; mean and deviation of each group.
    assert_eq!(activations("dropout 0.3") - plain, 8 * 500);
    assert_eq!(activations("dropout-channels 0.3") - plain, 8 * 20 * 4);
    assert_eq!(activations("groupnorm 4") - plain, 8 * 4 * 16);
    assert_eq!(activations("layernorm") - plain, 8 * 16);
}

#[test]
fn what_is_frozen_keeps_no_outputs() {
    let plan = plan(
        "3x32x32",
        &[
            "conv 8 k3",
            "relu",
            "conv 8 k3",
            "relu",
            "conv 8 k3",
            "relu",
        ],
        &["flatten", "dense 10"],
    );
    let whole = bytes(&plan, &stage("adam", &[], Task::Classify), 64);
    let frozen = bytes(&plan, &stage("adam", &["encoder"], Task::Classify), 64);
    assert_eq!(whole.weights, frozen.weights);
    assert!(
        2 * frozen.activations < whole.activations,
        "{frozen:?} {whole:?}"
    );
}

#[test]
fn a_later_stage_finds_the_buffers_of_the_earlier() {
    let plan = plan("3x32x32", &["conv 8 k3", "relu"], &["flatten", "dense 10"]);
    let classify = stage("adam", &[], Task::Classify);
    let [large, small] =
        [64, 8].map(|batch| step_memory(&plan, &classify, batch, MACHINE).unwrap());
    assert_eq!(small.clone().after(&large), large);
    assert_eq!(large.clone().after(&small), large);
}

#[test]
fn the_largest_batch_fits_and_one_more_does_not() {
    let plan = plan(
        "3x32x32",
        &["conv 16 k3 p1", "relu", "maxpool 2", "bn", "sepconv 8 k3"],
        &["gap", "dense 10"],
    );
    let classify = stage("adam", &[], Task::Classify);
    let total = |batch| {
        let run = run_memory(&plan, &classify, batch, MACHINE).unwrap();
        run.total().total()
    };
    for budget in [
        total(1),
        total(2) - 1,
        5_000_000,
        123_456_789,
        4_000_000_000,
    ] {
        let largest = largest_batch(&plan, &classify, MACHINE, budget).unwrap();
        assert!(
            total(largest) <= budget && total(largest + 1) > budget,
            "{budget}: {largest}"
        );
    }
    assert_eq!(largest_batch(&plan, &classify, MACHINE, total(1) - 1), None);
    assert_eq!(
        largest_batch(&plan, &classify, MACHINE, u64::MAX),
        Some(MAX_BATCH)
    );
}

#[test]
fn sizes_as_large_as_can_be_typed_saturate() {
    let plan = plan("1024x16384x16384", &["conv 4 k1", "gelu"], &[]);
    let total = bytes(&plan, &stage("adam", &[], Task::Reconstruct), u32::MAX).total();
    assert_eq!(total, u64::MAX);
}

/// Four batches of 8 images made ahead, each with a label; the filters that are shown; and 16 probe images where there is a decoder.
#[test]
fn a_run_holds_images_besides_its_steps() {
    let of = |decoder: &[&str]| {
        let network = network("3x8x8", &["conv 4 k3 p1"], decoder, &["flatten", "dense 2"]);
        let plan = infer(&network).plan.unwrap();
        let classify = stage("adam", &[], Task::Classify);
        let step = bytes(&plan, &classify, 8);
        let run = run_memory(&plan, &classify, 8, MACHINE).unwrap().total();
        assert_eq!(Bytes { images: 0, ..run }, step);
        run.images
    };
    let filters = 3 * (4 * 27 + 4) * 4;
    assert_eq!(of(&[]), 4 * 8 * (192 + 1) * 4 + filters);
    assert_eq!(of(&["conv 3 k3 p1"]) - of(&[]), 16 * 192 * (24 + 4));
}

/// Image by image nothing is kept between the parts: neither what the first gives nor its gradient.
#[test]
fn a_separable_convolution_of_many_images_keeps_nothing_between_its_parts() {
    let plan = plan(
        "16x16x16",
        &["sepconv 16 k3 p1", "relu"],
        &["gap", "dense 10"],
    );
    let classify = stage("sgd", &[], Task::Classify);
    let [few, many] = [7, 8].map(|batch| bytes(&plan, &classify, batch).activations);
    let middle = 16 * 16 * 16 * 4;
    assert_eq!(8 * few - 7 * many, 2 * 7 * 8 * middle);
}
