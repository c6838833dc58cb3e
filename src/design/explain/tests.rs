//! Causes on small networks; the ten public threads are in `tests/it/reported_mismatches.rs`.

use super::*;
use strata_core::shape::infer;
use strata_testkit::networks;

fn network(input: &str, encoder: &[&str], decoder: &[&str]) -> Network {
    networks::network(input, encoder, decoder, &[])
}

fn explained(input: &str, encoder: &[&str], decoder: &[&str]) -> Explanation {
    let network = network(input, encoder, decoder);
    explain(&network, &infer(&network))
}

/// `reason at place`, of every cause.
fn causes(input: &str, encoder: &[&str], decoder: &[&str]) -> Vec<String> {
    let causes = explained(input, encoder, decoder).causes;
    causes
        .iter()
        .map(|cause| format!("{} at {}", cause.reason.name(), cause.place))
        .collect()
}

#[test]
fn a_stride_that_rounds_is_named_with_the_sizes_it_cannot_tell_apart() {
    let explanation = explained(
        "3x32x32",
        &["conv 8 k3 s2 p1", "relu"],
        &["convt 3 k3 s2 p1", "sigmoid"],
    );
    assert_eq!(
        explanation.sentences,
        [
            "Stride 2 at encoder.0 rounds down: 32 → 16 would come from 31 as well (`conv 8 k3 s2 p1`), and decoder.0 (`convt 3 k3 s2 p1`) makes 31 of it: one row and one column short."
        ]
    );
    let cause = &explanation.causes[0];
    assert_eq!(
        (cause.reason, &cause.axes[..], cause.sizes, cause.effect),
        (Reason::Floor, &[0, 1][..], Some((32, 31)), -1)
    );
    let path: Vec<_> = explanation
        .path
        .iter()
        .map(|step| (step.side, step.row, step.culprit, step.wrong))
        .collect();
    assert_eq!(
        path,
        [(Side::Down, 0, true, false), (Side::Up, 0, false, true)]
    );
    assert_eq!(explanation.path[0].dropped, [1, 1]);
}

/// Three floors, worth 8, 4 and 2 rows at the output, together 14.
#[test]
fn effects_add_up_to_the_difference() {
    let up = [
        "convt 8 k2 s2",
        "convt 8 k2 s2",
        "convt 8 k2 s2",
        "convt 1 k2 s2",
    ];
    let explanation = explained("1x1646x1646", &["maxpool 2"; 4], &up);
    let found: Vec<_> = explanation
        .causes
        .iter()
        .map(|cause| (cause.place.to_string(), cause.effect))
        .collect();
    assert_eq!(
        found,
        [
            ("encoder.3".into(), -8),
            ("encoder.2".into(), -4),
            ("encoder.1".into(), -2)
        ]
    );
    assert!(explanation.sentences[0].ends_with(
        "one row and one column short; at the output that is eight rows and eight columns short."
    ));
}

#[test]
fn causes_are_told_apart() {
    let down = "conv 8 k3 s2 p1";
    for (encoder, decoder, wanted) in [
        (&[down][..], &["convt 3 k4 s2 p1"][..], &[][..]),
        (&[down], &["convt 3 k3 s2"], &["window at decoder.0"]),
        (
            &[down],
            &["upsample 2", "conv 3 k3"],
            &["margin at decoder.1"],
        ),
        (
            &[down],
            &["upsample 3", "conv 3 k1"],
            &["factor at decoder.0"],
        ),
        (
            &[down, down],
            &["convt 3 k4 s2 p1"],
            &["missing step at encoder.0"],
        ),
        (
            &[down],
            &["convt 8 k4 s2 p1", "upsample 2", "conv 3 k1"],
            &["extra step at decoder.1"],
        ),
        (
            &["conv 8 k5", down],
            &["convt 3 k4 s2 p1"],
            &["margin at encoder.0"],
        ),
        (&["crop 1"], &["conv 3 k1"], &["margin at encoder.0"]),
        (
            &[down],
            &["convt 3 k4 s2 p1", "pad 0+1"],
            &["margin at decoder.1"],
        ),
        (
            &[down],
            &["convt 1 k4 s2 p1", "relu"],
            &["channels at decoder.0"],
        ),
        (
            &[down],
            &["convt 1 k3 s2 p1"],
            &["floor at encoder.0", "channels at decoder.0"],
        ),
        (&[down, "flatten"], &["dense 64"], &["rank at decoder.0"]),
        (
            &[down, "flatten"],
            &["dense 192", "reshape 3x8x8", "upsample 2"],
            &["start at decoder.1"],
        ),
        (
            &["maxpool 3"],
            &["upsample 3", "conv 3 k1"],
            &["floor at encoder.0"],
        ),
        (
            &["conv 8 k4 s4"],
            &["upsample 2", "upsample 2", "conv 3 k1"],
            &[],
        ),
        (&["maxpool 3"], &["upsample 3", "conv 3 k1", "pad 1"], &[]),
    ] {
        assert_eq!(
            causes("3x32x32", encoder, decoder),
            wanted,
            "{encoder:?} {decoder:?}"
        );
    }
}

/// Every network of these has a cause, every sound one none, and effects that can be added do.
#[test]
fn a_difference_has_a_cause_and_an_equal_output_has_none() {
    let downs = [
        "conv 4 k3 s2 p1",
        "maxpool 2",
        "conv 4 k3",
        "conv 4 k5 s3 p2",
        "maxpool 3 same",
        "pad 1",
    ];
    let ups = [
        "convt 4 k3 s2 p1",
        "upsample 2",
        "convt 4 k3",
        "convt 4 k5 s3 p2",
        "upsample 3",
        "crop 1",
    ];
    for pick in 0..6usize.pow(4) {
        let at = |nth: u32| pick / 6usize.pow(nth) % 6;
        let (encoder, decoder) = (
            [downs[at(0)], downs[at(1)]],
            [ups[at(2)], ups[at(3)], "conv 1 k1"],
        );
        let network = network("1x37x40", &encoder, &decoder);
        let inference = infer(&network);
        let explanation = explain(&network, &inference);
        assert_eq!(
            explanation.causes.is_empty(),
            inference.output_equals_input == Some(true),
            "{encoder:?} {decoder:?}"
        );
        let Some(output) = inference
            .output
            .filter(|_| inference.output_equals_input.is_some())
        else {
            continue;
        };
        for axis in 0..2 {
            let about = explanation
                .causes
                .iter()
                .filter(|cause| cause.axes.contains(&axis));
            let sum: i64 = about.map(|cause| cause.effect).sum();
            let difference = output.spatial()[axis] as i64 - network.input.spatial()[axis] as i64;
            assert_eq!(
                sum, difference,
                "{encoder:?} {decoder:?}: {:?}",
                explanation.sentences
            );
        }
    }
}

#[test]
fn signals_and_volumes_have_their_words() {
    let explanation = explained("1x25", &["conv 4 k3 s2 same"], &["convt 1 k3 s2 same"]);
    assert!(
        explanation.sentences[0].contains("rounds up: 25 → 13 would come from 26 as well"),
        "{:?}",
        explanation.sentences
    );
    assert!(explanation.sentences[0].ends_with("one sample too many."));
    let explanation = explained("1x9x16x16", &["maxpool 2"], &["upsample 2"]);
    assert!(
        explanation.sentences[0].ends_with("one slice short."),
        "{:?}",
        explanation.sentences
    );
}

#[test]
fn blocks_are_followed_along_the_branch_that_says_least() {
    let residual = "{ add = [[\"conv 8 k3 p1\", \"relu\", \"conv 8 k3 p1\"], []] }";
    let stride = "{ add = [[\"conv 8 k3 s2 p1\", \"conv 8 k3 p1\"], [\"conv 8 k1 s2\"]] }";
    let twice = "{ repeat = 2, layers = [\"conv 8 k3 s2 p1\", \"relu\"] }";
    let head = "conv 8 k3 p1";
    assert_eq!(
        causes("3x32x32", &[head, residual, stride], &["convt 3 k3 s2 p1"]),
        ["floor at encoder.2.0.0"]
    );
    assert_eq!(
        causes(
            "3x32x32",
            &[twice],
            &["convt 3 k3 s2 p1", "convt 3 k3 s2 p1"]
        ),
        ["floor at encoder.0.0.0", "floor at encoder.0.0.0"]
    );
}

#[test]
fn branches_that_do_not_meet_name_the_pooling() {
    let unet = "{ concat = [[], [\"maxpool 2\", \"conv 16 k3 p1\", \"convt 8 k2 s2\"]] }";
    let explanation = explained("3x65x64", &["conv 8 k3 p1", unet], &["conv 3 k1"]);
    let cause = &explanation.causes[0];
    assert_eq!(
        (
            cause.reason,
            cause.place.to_string().as_str(),
            &cause.axes[..]
        ),
        (Reason::Floor, "encoder.1.1.0", &[0][..])
    );
    assert!(explanation.sentences[0].starts_with("The branches of encoder.1 don't meet"));
    assert!(
        explanation.path.iter().any(|step| step.culprit)
            && explanation.path.iter().any(|step| step.wrong)
    );
    let add = "{ add = [[\"conv 8 k3 s2\"], [\"conv 8 k1 s2\"]] }";
    assert_eq!(
        causes("3x32x32", &[add], &["relu"]),
        ["branches at encoder.0.1.0"]
    );
    let nested = format!("{{ concat = [[], [\"maxpool 2\", {unet}, \"convt 8 k2 s2\"]] }}");
    assert_eq!(
        causes("3x66x66", &[&nested], &["conv 3 k1"]),
        ["floor at encoder.0.1.1.1.0"]
    );
}

#[test]
fn errors_are_explained_by_what_led_to_them() {
    let small = explained("1x8x8", &["maxpool 2", "maxpool 2", "conv 4 k3"], &["relu"]);
    assert_eq!(small.causes[0].place.to_string(), "encoder.2");
    assert!(
        small.sentences[1].contains("8 → 4 at encoder.0"),
        "{:?}",
        small.sentences
    );
    let reshape = explained("1x8x8", &["flatten", "dense 10"], &["reshape 1x8x8"]);
    assert!(
        reshape.sentences[1].contains("Its 10 numbers come from `dense 10` at encoder.1"),
        "{:?}",
        reshape.sentences
    );
}

#[test]
fn every_level_of_a_u_net_that_loses_a_row_is_told() {
    let level = |inner: &str| {
        format!("{{ concat = [[], [\"maxpool 2\", {inner}\"conv 2 same\", \"upsample 2\"]] }}")
    };
    let unet = level(&format!("{}, ", level(&format!("{}, ", level("")))));
    let network = network("1x31x31", &[], &[&unet, "conv 1 k3"]);
    let explanation = explain(&network, &infer(&network));
    let told = |cause: &Cause| (cause.reason, cause.place.to_string());
    let found: Vec<_> = explanation.causes.iter().map(told).collect();
    let wanted = [
        (Reason::Floor, "decoder.0.1.1.1.1.1.0"),
        (Reason::Floor, "decoder.0.1.1.1.0"),
        (Reason::Floor, "decoder.0.1.0"),
        (Reason::Margin, "decoder.1"),
    ];
    let wanted: Vec<_> = wanted
        .map(|(reason, place)| (reason, place.to_owned()))
        .into();
    assert_eq!(found, wanted, "{:#?}", explanation.sentences);
    let mended = |sentence: &&String| sentence.starts_with("With that mended, the branches of");
    assert_eq!(explanation.sentences.iter().filter(mended).count(), 2);
    // The outer levels are in the outer rows.
    let row = |place: &str| {
        let mut steps = explanation.path.iter();
        steps
            .find(|step| step.place.to_string() == place)
            .unwrap()
            .row
    };
    assert!(row("decoder.0.1.0") < row("decoder.0.1.1.1.0"));
    assert!(row("decoder.0.1.1.1.0") < row("decoder.0.1.1.1.1.1.0"));
}

/// What is drawn and what is said agree: of every built-in network the path goes into the blocks.
#[test]
fn the_path_goes_into_blocks_and_agrees_with_the_sentence() {
    let unet = strata_core::project::builtin::find("unet").unwrap();
    let network = unet.project().unwrap().network;
    let explanation = explain(&network, &infer(&network));
    let told = |step: &Step| (step.text.clone(), step.side, step.row, step.block);
    let path: Vec<_> = explanation.path.iter().map(told).collect();
    let step = |text: &str, side, row| (text.to_owned(), side, row, Some("concat"));
    let downs = (0..4).map(|row| step("maxpool 2", Side::Down, row));
    let ups = [128, 64, 32, 16].into_iter().zip((0..4).rev());
    let ups = ups.map(|(channels, row)| step(&format!("convt {channels} k2 s2"), Side::Up, row));
    assert_eq!(path, downs.chain(ups).collect::<Vec<_>>());
    assert!(explanation.path.iter().all(|step| !step.wrong));
    assert_eq!(
        explanation.sentences,
        [
            "Every step down is undone by a step up of the same size; `conv 3 k1` gives the input's shape."
        ]
    );
}

/// A step behind a block with a skip connection is a cause; the steps inside of the block stay in the drawing.
#[test]
fn a_cause_outside_of_a_block_leaves_the_block_in_the_path() {
    let level = "{ concat = [[], [\"maxpool 2\", \"conv 2 same\", \"upsample 2\"]] }";
    let network = network(
        "1x32x32",
        &["conv 2 k3 s2 p1", level],
        &["convt 1 k3 s2 p1"],
    );
    let explanation = explain(&network, &infer(&network));
    let told = |step: &Step| (step.place.to_string(), step.block, step.culprit);
    let path: Vec<_> = explanation.path.iter().map(told).collect();
    let of = |place: &str, block, culprit| (place.to_owned(), block, culprit);
    assert_eq!(
        path,
        [
            of("encoder.0", None, true),
            of("encoder.1.1.0", Some("concat"), false),
            of("encoder.1.1.2", Some("concat"), false),
            of("decoder.0", None, false),
        ]
    );
}

#[test]
fn a_stack_without_steps_says_so_once() {
    let network = network("1x32x32", &["conv 2 same"], &["conv 1 k1"]);
    let inference = infer(&network);
    assert_eq!(
        without_steps(&inference),
        "No layer changes the size: it passes through as it is."
    );
    let explanation = explain(&network, &inference);
    assert_eq!(explanation.path, []);
    assert_eq!(
        explanation.sentences,
        ["No layer changes the size; `conv 1 k1` gives the input's shape."]
    );
}
