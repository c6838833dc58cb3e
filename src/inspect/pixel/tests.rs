use super::*;
use candle_core::{Device, Tensor};
use strata_core::project::{Network as Stacks, Stack};
use strata_core::shape::infer;
use strata_nn::{Network, Route};
use strata_testkit::networks::network as stacks;

/// A network whose weights and statistics are not those of the start, and images to look at.
fn moved(stacks: &Stacks) -> (Inference, InspectionNetwork, Probe) {
    let inference = infer(stacks);
    assert!(
        inference.errors().next().is_none(),
        "{:?}",
        inference.errors().next()
    );
    let plan = inference.plan.as_ref().unwrap();
    let mut trained = Network::new(plan, 3, &Device::Cpu).unwrap();
    let images = Tensor::randn(0f32, 1.0, trained.input_dims(4), &Device::Cpu).unwrap();
    for route in [Route::Reconstruct, Route::Classify] {
        for step in 0..3 {
            trained
                .forward(route, &images, Mode::Train { seed: 1, step })
                .unwrap();
        }
    }
    for parameter in trained.parameters_mut() {
        let noise = Tensor::randn(0f32, 0.3, parameter.value.dims(), &Device::Cpu).unwrap();
        parameter.value = (&parameter.value + noise).unwrap();
    }
    let mut mirror = InspectionNetwork::new(plan, &Device::Cpu).unwrap();
    mirror.take(&trained).unwrap();
    let [channels, spatial @ ..] = stacks.input.dims() else {
        panic!()
    };
    let size = match *spatial {
        [height, width] => [height, width, *channels],
        _ => panic!("images alone"),
    };
    let values = images.flatten_all().unwrap().to_vec1::<f32>().unwrap();
    (
        inference,
        mirror,
        Probe::new(values, size, &Device::Cpu).unwrap(),
    )
}

/// Looks at several values of every layer and compares the arithmetic with what the network has.
fn agrees(stacks: &Stacks) -> usize {
    let (inference, mut mirror, probe) = moved(stacks);
    let mut compared = 0;
    for row in inference.rows.iter().filter(|row| !row.is_block) {
        let output = row.output.as_ref().unwrap();
        let [depth, height, width] = output.volume();
        for n in 0..24 {
            let at = [
                7 * n % output.channels(),
                n % depth,
                5 * n % height,
                3 * n % width,
            ];
            let request = Request {
                at: Some(at),
                image: n % 4,
                ..Request::of(row.place.clone())
            };
            let pixel = look(&mut mirror, &inference, &probe, &request, 1).unwrap();
            let near = (pixel.value - f64::from(pixel.network)).abs()
                <= 1e-4 * f64::from(pixel.network.abs()).max(0.05);
            assert!(
                near,
                "{} `{}` at {at:?}: {} is {}, the network has {}",
                row.place,
                row.text,
                pixel.sentence(),
                pixel.value,
                pixel.network
            );
            assert_eq!(pixel.at, at);
            assert!(!pixel.sentence().is_empty());
            compared += 1;
        }
    }
    compared
}

#[test]
fn every_kind_of_layer_equals_the_networks_own_output() {
    let encoder = [
        "conv 6 k3 s2 p1",
        "bn",
        "gelu",
        "dwconv k3 p1 m2",
        "silu",
        "groupnorm 3",
        "maxpool 3 s2 p1",
        "sepconv 8 k3 p1",
        "leakyrelu",
        "conv 8 k3 g2 same d2",
        "tanh",
        "noise 0.1",
        "layernorm",
        "pad 1x2",
        "crop 1x2",
        "identity",
    ];
    let decoder = [
        "unpool",
        "convt 6 k3 s2 p1 op1 g2",
        "elu",
        "avgpool 3 s2 p1",
        "upsample 2 bilinear",
        "hardswish",
        "avgpool 2 s1 same",
        "upsample 2",
        "convt 3 k4 s2 p1",
        "sigmoid",
        "dropout 0.2",
        "adaptive-avgpool 7x5",
    ];
    let mut encoder = encoder.to_vec();
    encoder[7] = "sepconv 12 k3 p1";
    encoder[9] = "conv 12 k3 g2 same d2";
    assert!(
        agrees(&stacks(
            "3x20x24",
            &encoder,
            &decoder,
            &["gap", "relu6", "dense 7", "softmax"]
        )) > 500
    );
    agrees(&stacks(
        "2x9x8",
        &["conv 4 k2x3 s2x1", "step"],
        &[],
        &["flatten", "dense 12", "relu", "reshape 3x2x2", "gmp"],
    ));
}

#[test]
fn layers_inside_blocks_read_what_their_branch_reads() {
    let encoder = [
        "conv 4 k3 p1",
        "{ add = [[\"conv 4 k3 p1\", \"bn\", { repeat = 2, layers = [\"conv 4 k1\", \"relu\"] }], []] }",
        "{ concat = [[\"maxpool 2\"], [\"conv 3 k3 s2 p1\", \"tanh\"]] }",
        "conv 2 k1",
    ];
    agrees(&stacks(
        "3x8x8",
        &encoder,
        &["convt 3 k2 s2"],
        &["gap", "dense 4"],
    ));
}

#[test]
fn sums_are_told_in_words() {
    let (inference, mut mirror, probe) = moved(&stacks(
        "3x8x8",
        &["conv 4 k3 p1", "maxpool 2"],
        &[],
        &["flatten", "dense 5"],
    ));
    let mut look_at = |place: Place, at| {
        let request = Request {
            at: Some(at),
            ..Request::of(place)
        };
        look(&mut mirror, &inference, &probe, &request, 1).unwrap()
    };
    let conv = look_at(Place::new(Stack::Encoder, 0), [1, 0, 0, 0]);
    assert_eq!(
        (conv.parts.len(), conv.parts[0].terms.len(), conv.kernel),
        (3, 9, Some([3, 3]))
    );
    assert_eq!(conv.parts[0].terms[0].at, [0, -1, -1]);
    assert_eq!(conv.parts[0].terms[0].value, 0.0, "the padding is 0");
    assert!(conv.sentence().contains("bias "), "{}", conv.sentence());
    let pool = look_at(Place::new(Stack::Encoder, 1), [1, 0, 1, 1]);
    assert!(pool.sentence().starts_with("max(") && pool.parts[0].chosen.is_some());
    let dense = look_at(Place::new(Stack::Head, 1), [4, 0, 0, 0]);
    assert_eq!(
        (dense.parts.len(), dense.rest.unwrap().0),
        (TOP, 64 - TOP as u64)
    );
    let sizes: Vec<f64> = dense.parts.iter().map(|part| part.sum.abs()).collect();
    assert!(sizes.is_sorted_by(|a, b| a >= b), "the largest first");
    // Outside is moved to the edge.
    assert_eq!(
        look_at(Place::new(Stack::Encoder, 0), [9, 9, 9, 9]).at,
        [3, 0, 7, 7]
    );
}

#[test]
fn what_is_no_layer_is_refused() {
    let (inference, mut mirror, probe) = moved(&stacks(
        "3x8x8",
        &["{ add = [[\"conv 3 k3 p1\"], []] }"],
        &[],
        &["gap", "dense 4"],
    ));
    let mut message = |place| {
        look(&mut mirror, &inference, &probe, &Request::of(place), 1)
            .unwrap_err()
            .to_string()
    };
    assert!(message(Place::new(Stack::Encoder, 0)).contains("choose a layer inside"));
    assert!(message(Place::new(Stack::Decoder, 3)).contains("no layer decoder.3"));
}
