//! The names that torchvision gives the weights of networks that are built in here: its models load them as they are.

use candle_core::Tensor;
use std::collections::HashMap;
use strata_core::project::layer::Kind;
use strata_core::project::node::Node;
use strata_core::project::{Network, Project, builtin};
use strata_core::shape::infer;
use strata_core::shape::op::Plan;

/// A built-in project and the names of its layers with weights in torchvision, in the order in which they run.
const KNOWN: [(&str, Names); 2] = [("resnet-18", resnet_18), ("mobilenet-v2", mobilenet_v2)];

/// The names of a model's layers.
type Names = fn() -> Vec<String>;

/// The weights under torchvision's names, with the name of its model; none of a network that it does not have.
pub fn named(
    project: &Project,
    weights: &HashMap<String, Tensor>,
) -> Option<(&'static str, HashMap<String, Tensor>)> {
    let is_alike = |name: &str| {
        let known = builtin::find(name).and_then(|entry| entry.project().ok());
        known.is_some_and(|known| is_like(&project.network, &known.network))
    };
    let (name, names) = KNOWN.into_iter().find(|(name, _)| is_alike(name))?;
    let inference = infer(&project.network);
    let theirs = names();
    let ours = layers(inference.plan.as_ref()?, weights);
    if ours.len() != theirs.len() {
        return None;
    }
    let renamed = |(key, tensor): (&String, &Tensor)| {
        let (layer, end) = key.rsplit_once('.')?;
        let place = ours.iter().position(|own| own == layer)?;
        Some((format!("{}.{end}", theirs[place]), tensor.clone()))
    };
    let renamed: Option<HashMap<String, Tensor>> = weights.iter().map(renamed).collect();
    Some((name, renamed?))
}

/// Whether a network has the layers of another, whatever its input's size and the number of its classes.
fn is_like(network: &Network, known: &Network) -> bool {
    let but_last = |nodes: &[Node]| nodes.split_last().map(|(_, rest)| rest.to_vec());
    let ends_dense = |nodes: &[Node]| matches!(nodes.last(), Some(Node::Layer(layer)) if matches!(layer.kind, Kind::Dense { .. }));
    network.encoder == known.encoder
        && network.decoder == known.decoder
        && ends_dense(&network.head)
        && but_last(&network.head) == but_last(&known.head)
}

/// The keys of the layers that have weights, in the order in which they run.
fn layers(plan: &Plan, weights: &HashMap<String, Tensor>) -> Vec<String> {
    let mut keys = Vec::new();
    for (_, planned) in crate::plan::stacks(plan) {
        crate::plan::each_layer(planned, &mut |layer| {
            if weights.contains_key(&format!("{}.weight", layer.key)) {
                keys.push(layer.key.clone());
            }
        });
    }
    keys
}

fn resnet_18() -> Vec<String> {
    let mut names = vec!["conv1".to_owned(), "bn1".to_owned()];
    for layer in 1..=4 {
        for block in 0..2 {
            let ends = [
                "conv1",
                "bn1",
                "conv2",
                "bn2",
                "downsample.0",
                "downsample.1",
            ];
            let has_shortcut = layer > 1 && block == 0;
            let ends = ends.iter().take(if has_shortcut { 6 } else { 4 });
            names.extend(ends.map(|end| format!("layer{layer}.{block}.{end}")));
        }
    }
    names.push("fc".to_owned());
    names
}

fn mobilenet_v2() -> Vec<String> {
    let mut names = vec!["features.0.0".to_owned(), "features.0.1".to_owned()];
    for block in 1..=17 {
        let ends: &[&str] = match block {
            1 => &["0.0", "0.1", "1", "2"],
            _ => &["0.0", "0.1", "1.0", "1.1", "2", "3"],
        };
        names.extend(
            ends.iter()
                .map(|end| format!("features.{block}.conv.{end}")),
        );
    }
    names.extend(["features.18.0", "features.18.1", "classifier.1"].map(str::to_owned));
    names
}
