use super::*;
use crate::project::node::Node;
use crate::shape::op::{Op, Planned};

fn nodes(texts: &[&str]) -> Vec<Node> {
    texts.iter().map(|text| Node::from_text(text)).collect()
}

fn network(input: &str, encoder: &[&str], decoder: &[&str], head: &[&str]) -> Network {
    Network { input: input.parse().unwrap(), encoder: nodes(encoder), decoder: nodes(decoder), head: nodes(head) }
}

fn encoder(input: &str, texts: &[&str]) -> Inference {
    infer(&network(input, texts, &[], &[]))
}

fn shapes(inference: &Inference) -> Vec<String> {
    inference.rows.iter().map(Row::shape_text).collect()
}

fn errors(inference: &Inference) -> Vec<String> {
    inference.errors().map(|(row, error)| format!("{}: {error}", row.place)).collect()
}

/// The CIFAR network of the Keras lab: 122,570 parameters as `model.summary()` prints them.
#[test]
fn keras_lab() {
    let convolutions = ["conv 32 k3", "relu", "maxpool", "conv 64 k3", "relu", "maxpool", "conv 64 k3", "relu"];
    let inference = infer(&network("3x32x32", &convolutions, &[], &["flatten", "dense 64", "relu", "dense 10"]));
    let shapes: Vec<String> =
        inference.rows.iter().filter(|row| row.family != Family::Activation).map(Row::shape_text).collect();
    assert_eq!(shapes, ["32×30×30", "32×15×15", "64×13×13", "64×6×6", "64×4×4", "1024", "64", "10"]);
    let parameters: Vec<u64> = inference.rows.iter().map(|row| row.parameters).filter(|&n| n > 0).collect();
    assert_eq!(parameters, [896, 18_496, 36_928, 65_600, 650]);
    assert_eq!(inference.totals.cost.parameters, 122_570);
    let macs = [27 * 32 * 900, 288 * 64 * 169, 576 * 64 * 16, 65_536, 640];
    assert_eq!(inference.totals.cost.macs, macs.iter().sum::<u64>());
    assert_eq!(inference.answer, "10".parse().ok());
    let plan = inference.plan.unwrap();
    assert!(plan.stacks.iter().all(Option::is_some));
    assert_eq!((plan.slots, plan.code.to_string()), (2, "64×4×4".into()));
}
