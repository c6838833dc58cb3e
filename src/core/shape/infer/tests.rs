use super::*;
use crate::networks::network;
use crate::project::node::Node;
use crate::shape::op::{Op, Planned};

fn encoder(input: &str, texts: &[&str]) -> Inference {
    infer(&network(input, texts, &[], &[]))
}

fn shapes(inference: &Inference) -> Vec<String> {
    inference.rows.iter().map(Row::shape_text).collect()
}

fn errors(inference: &Inference) -> Vec<String> {
    inference
        .errors()
        .map(|(row, error)| format!("{}: {error}", row.place))
        .collect()
}

/// The CIFAR network of the Keras lab: 122,570 parameters as `model.summary()` prints them.
#[test]
fn keras_lab() {
    let convolutions = [
        "conv 32 k3",
        "relu",
        "maxpool",
        "conv 64 k3",
        "relu",
        "maxpool",
        "conv 64 k3",
        "relu",
    ];
    let inference = infer(&network(
        "3x32x32",
        &convolutions,
        &[],
        &["flatten", "dense 64", "relu", "dense 10"],
    ));
    let shapes: Vec<String> = inference
        .rows
        .iter()
        .filter(|row| row.family != Family::Activation)
        .map(Row::shape_text)
        .collect();
    assert_eq!(
        shapes,
        [
            "32×30×30",
            "32×15×15",
            "64×13×13",
            "64×6×6",
            "64×4×4",
            "1024",
            "64",
            "10"
        ]
    );
    let parameters: Vec<u64> = inference
        .rows
        .iter()
        .map(|row| row.parameters)
        .filter(|&n| n > 0)
        .collect();
    assert_eq!(parameters, [896, 18_496, 36_928, 65_600, 650]);
    assert_eq!(inference.totals.parameters, 122_570);
    let macs = [27 * 32 * 900, 288 * 64 * 169, 576 * 64 * 16, 65_536, 640];
    assert_eq!(inference.totals.macs, macs.iter().sum::<u64>());
    assert_eq!(inference.answer, "10".parse().ok());
    let plan = inference.plan.unwrap();
    assert!(plan.stacks.iter().all(Option::is_some));
    assert_eq!((plan.slots, plan.code.to_string()), (2, "64×4×4".into()));
}

#[test]
fn unpools_mirror_the_poolings() {
    let inference = infer(&network(
        "3x21x32",
        &["conv 8 k3 p1", "maxpool 2", "conv 16 k3 p1", "maxpool 2"],
        &["unpool", "convt 8 k3 p1", "unpool", "convt 3 k3 p1"],
        &["unpool", "gap"],
    ));
    assert_eq!(errors(&inference), [""; 0]);
    let stack = |stack| {
        inference
            .stack(stack)
            .map(Row::shape_text)
            .collect::<Vec<_>>()
    };
    assert_eq!(
        stack(Stack::Decoder),
        ["16×10×16", "8×10×16", "8×21×32", "3×21×32"]
    );
    // The head pairs with the encoder's poolings as if there were no decoder.
    assert_eq!(stack(Stack::Head), ["16×10×16", "16"]);
    assert_eq!(inference.output_equals_input, Some(true));
    let plan = inference.plan.unwrap();
    let slots = |stack| {
        let slot = |node: &Planned| match node {
            Planned::Layer(layer) => match layer.op {
                Op::MaxPool { slot, .. } | Op::Unpool { slot, .. } => Some(slot),
                _ => None,
            },
            _ => None,
        };
        plan.stack(stack)
            .unwrap()
            .iter()
            .filter_map(slot)
            .collect::<Vec<_>>()
    };
    assert_eq!(
        (
            slots(Stack::Encoder),
            slots(Stack::Decoder),
            slots(Stack::Head)
        ),
        (vec![0, 1], vec![1, 0], vec![1])
    );
}

#[test]
fn an_unpool_says_what_it_is_paired_with() {
    let inference = infer(&network(
        "3x8x8",
        &["maxpool 2", "conv 3 k3 p1", "maxpool 2"],
        &["upsample 2", "unpool"],
        &[],
    ));
    let (row, error) = inference.errors().next().unwrap();
    assert_eq!(row.place.to_string(), "decoder.1");
    assert_eq!(
        error.message,
        "it undoes `maxpool 2` at encoder.2, which gave 3×2×2, but its input here is 3×4×4"
    );
    assert!(
        error.help.iter().any(|line| line
            .to_string()
            .contains("undo the pooling at encoder.0, which gave 3×4×4")),
        "{error:?}"
    );
    let inference = encoder(
        "3x8x8",
        &[
            "maxpool 2 @a",
            "maxpool 2",
            "upsample 2",
            "unpool @a",
            "unpool @b",
        ],
    );
    assert_eq!(shapes(&inference)[3], "3×8×8");
    assert_eq!(
        errors(&inference),
        ["encoder.4: there is no max pooling named @b before it"]
    );
    let inference = encoder("3x8x8", &["unpool"]);
    assert_eq!(
        errors(&inference),
        ["encoder.0: there is no max pooling left to undo"]
    );
    // The mistyped pooling may have been the partner: only the mistake is reported.
    let inference = encoder("3x8x8", &["maxpol 2", "relu", "unpool"]);
    assert_eq!(
        errors(&inference),
        ["encoder.0: there is no layer `maxpol`"]
    );
}

/// An error is reported once; what follows knows again what it can.
#[test]
fn errors_do_not_blank_what_follows() {
    let inference = encoder(
        "3x32x32",
        &[
            "conv 8 k3 p1",
            "conv 32 k99",
            "bn",
            "maxpool 2",
            "gap",
            "dense 10",
            "reshape 2x5x1",
            "convt 4 k2",
        ],
    );
    assert_eq!(
        shapes(&inference),
        [
            "8×32×32",
            "32×?×?",
            "32×?×?",
            "32×?×?",
            "32",
            "10",
            "2×5×1",
            "4×6×2"
        ]
    );
    assert_eq!(errors(&inference).len(), 1);
    assert!(inference.plan.is_none());
    assert_eq!(inference.code, "4x6x2".parse().ok());
    // A layer whose input is known again costs what it costs.
    assert_eq!(
        (inference.rows[5].parameters, inference.rows[7].parameters),
        (330, 36)
    );
    let inference = encoder(
        "3x32x32",
        &["cnov 3", "conv 8", "flatten", "dense 5", "conv 7 s0"],
    );
    assert_eq!(shapes(&inference), ["?", "8×…", "?", "5", "7×…"]);
    assert_eq!(errors(&inference).len(), 2);
    assert_eq!(inference.rows[0].error.as_ref().unwrap().span, Some(0..4));
}

#[test]
fn only_the_broken_stack_has_no_plan() {
    let inference = infer(&network(
        "3x8x8",
        &["conv 4"],
        &["conv 3 k99"],
        &["flatten", "dense 2"],
    ));
    let plan = inference.plan.unwrap();
    assert_eq!(
        plan.stacks.each_ref().map(Option::is_some),
        [true, false, true]
    );
    assert_eq!(inference.output_equals_input, None);
}

#[test]
fn blocks_have_rows_keys_and_sums() {
    let blocks = [
        "conv 8 k3 p1",
        r#"{ add = [["conv 8 k3 p1", "bn"], []] }"#,
        r#"{ repeat = 3, layers = [{ concat = [["conv 4 k1"], []] }, "maxpool 2"] }"#,
    ];
    let inference = encoder("3x16x16", &blocks);
    assert_eq!(errors(&inference), [""; 0]);
    let places: Vec<String> = inference
        .rows
        .iter()
        .map(|row| row.place.index_text())
        .collect();
    assert_eq!(
        places,
        [
            "0",
            "1",
            "1.0.0",
            "1.0.1",
            "2",
            "2.0.0",
            "2.0.0.0.0",
            "2.0.1"
        ]
    );
    assert_eq!(
        shapes(&inference)[4..],
        ["20×2×2", "12×16×16", "4×16×16", "12×8×8"]
    );
    let parameters: Vec<u64> = inference.rows.iter().map(|row| row.parameters).collect();
    let each = [8 * 4 + 4, 12 * 4 + 4, 16 * 4 + 4u64];
    let sum = each.iter().sum::<u64>();
    assert_eq!(parameters, [224, 584 + 16, 584, 16, sum, sum, sum, 0]);
    assert_eq!(inference.totals.parameters, 224 + 600 + sum);
    let plan = inference.plan.unwrap();
    let Planned::Repeat { passes, .. } = &plan.stacks[0].as_ref().unwrap()[2] else {
        panic!()
    };
    let keys: Vec<&str> = passes.iter().map(|pass| first_key(&pass[0])).collect();
    assert_eq!(
        keys,
        [
            "encoder.2.0.0.0.0",
            "encoder.2.1.0.0.0",
            "encoder.2.2.0.0.0"
        ]
    );
}

fn first_key(node: &Planned) -> &str {
    match node {
        Planned::Layer(layer) => &layer.key,
        Planned::Add { branches, .. } | Planned::Concat { branches, .. } => {
            first_key(&branches[0][0])
        }
        Planned::Repeat { passes, .. } => first_key(&passes[0][0]),
    }
}

#[test]
fn a_repeat_says_which_pass_fails() {
    let inference = encoder(
        "3x16x16",
        &[r#"{ repeat = 6, layers = ["maxpool 2"] }"#, "conv 5"],
    );
    let (row, error) = inference.errors().next().unwrap();
    assert_eq!(row.place.to_string(), "encoder.0.0.0");
    assert!(
        error
            .message
            .starts_with("in pass 5 of 6: kernel 2×2 is larger than the input 1×1"),
        "{error}"
    );
    assert_eq!(shapes(&inference), ["?", "3×8×8", "5×…"]);
    let inference = encoder("3x16x16", &["{ repeat = 0, layers = [\"relu\"] }"]);
    assert_eq!(
        errors(&inference),
        ["encoder.0: a block repeated 0 times is nothing"]
    );
}

#[test]
fn work_is_bounded_before_it_starts() {
    let bomb =
        r#"{ repeat = 1000000000, layers = [{ repeat = 1000000000, layers = ["conv 3 k1"] }] }"#;
    let inference = encoder("3x16x16", &["relu", bomb, "dense 10", "relu"]);
    assert_eq!(errors(&inference).len(), 1);
    assert!(
        errors(&inference)[0].starts_with("encoder.1: this unrolls to"),
        "{:?}",
        errors(&inference)
    );
    assert_eq!(shapes(&inference), ["3×16×16", "?", "?", "?", "10", "10"]);
    let many = vec!["relu"; 5000];
    let inference = encoder("3x16x16", &many);
    assert_eq!((inference.rows.len(), errors(&inference).len()), (5000, 1));
    let mut deep = Node::from_text("relu");
    for _ in 0..80 {
        deep = Node::Add(vec![vec![deep]]);
    }
    let inference = infer(&Network {
        encoder: vec![deep],
        ..network("3", &[], &[], &[])
    });
    assert!(errors(&inference)[0].contains("more than 64 deep"));
}

#[test]
fn receptive_fields() {
    let field = |texts: &[&str]| {
        encoder("3x64x64", texts)
            .rows
            .last()
            .unwrap()
            .receptive_field
            .clone()
            .unwrap()
    };
    assert_eq!(field(&["conv 8 k3x5"]), [3, 5]);
    // VGG: two 3×3, pooling, two 3×3.
    assert_eq!(
        field(&["conv 8", "conv 8", "maxpool 2", "conv 8", "conv 8"]),
        [14, 14]
    );
    assert_eq!(
        field(&["conv 8 k3 d2", "relu", "conv 8 s2", "conv 8 d4"]),
        [23, 23]
    );
    assert_eq!(field(&["conv 8 k4 s2 p1", "convt 3 k4 s2 p1"]), [6, 6]);
    assert_eq!(field(&["conv 8 k2 s2", "upsample 2", "conv 3 k2"]), [4, 4]);
    assert_eq!(
        field(&[r#"{ add = [["conv 3 p1", "conv 3 p1"], []] }"#, "conv 3"]),
        [7, 7]
    );
    assert_eq!(
        field(&["conv 8", "flatten", "dense 3", "reshape 3x1x1", "conv 1 k1"]),
        [64, 64]
    );
    // The decoder continues where the encoder ends.
    let inference = infer(&network("3x16x16", &["conv 8"], &["convt 3"], &["gap"]));
    let fields: Vec<_> = inference
        .rows
        .iter()
        .map(|row| row.receptive_field.clone().unwrap())
        .collect();
    assert_eq!(fields, [[3, 3], [5, 5], [16, 16]]);
}
