//! The layers that a stage begins to train one after the other, from the top down: what is frozen in which epoch.

use super::layers::Linearity;
use super::{Inference, Row};
use crate::project::node::Node;
use crate::project::stage::Stage;
use crate::project::{Network, Place};

/// The layers of the stack that a stage unfreezes, the top one first: each a layer that multiplies with its weights, or
/// a block, with the norms and activations behind it. Those that the stage freezes throughout are left out.
pub fn layers(stage: &Stage, network: &Network, inference: &Inference) -> Vec<Vec<Place>> {
    let Some(unfreeze) = stage.unfreeze else {
        return Vec::new();
    };
    let mut layers: Vec<Vec<Place>> = Vec::new();
    for row in inference.stack(unfreeze.stack) {
        if row.depth > 0 || row.parameters == 0 || stage.freezes(&row.place) {
            continue;
        }
        match layers.last_mut() {
            Some(layer) if !begins_a_layer(network, row) => layer.push(row.place.clone()),
            _ => layers.push(vec![row.place.clone()]),
        }
    }
    layers.reverse();
    layers
}

fn begins_a_layer(network: &Network, row: &Row) -> bool {
    match network.node(&row.place) {
        Some(Node::Layer(layer)) => layer.kind.linearity() == Linearity::Weighted,
        _ => true,
    }
}

/// What is still frozen in an epoch of the stage, counted from 0.
pub fn frozen(stage: &Stage, network: &Network, inference: &Inference, epoch: u32) -> Vec<Place> {
    let thawed = stage.unfreeze.map_or(0, |unfreeze| unfreeze.thawed(epoch));
    let layers = layers(stage, network, inference);
    layers.into_iter().skip(thawed).flatten().collect()
}

/// The first epoch, from 0, in which the stage trains the layer at a place; 0 of what it does not unfreeze.
pub fn first_epoch(layers: &[Vec<Place>], stage: &Stage, place: &Place) -> u32 {
    let is_in = |layer: &Vec<Place>| {
        layer.iter().any(|top| {
            let name = top.to_string();
            crate::project::init::covers(&name, &place.to_string())
        })
    };
    let from_top = layers.iter().position(is_in);
    from_top
        .zip(stage.unfreeze)
        .map_or(0, |(from_top, unfreeze)| unfreeze.epoch_of(from_top))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::project::size::Shape;
    use crate::project::target::Target;
    use crate::shape::infer;

    fn places(layers: &[Vec<Place>]) -> Vec<String> {
        let joined = |layer: &Vec<Place>| {
            let places: Vec<String> = layer.iter().map(Place::to_string).collect();
            places.join(" ")
        };
        layers.iter().map(joined).collect()
    }

    #[test]
    fn a_norm_comes_with_the_layer_before_it_and_a_block_as_one() {
        let nodes = |texts: &[&str]| texts.iter().map(|text| Node::from_text(text)).collect();
        let mut encoder: Vec<Node> = nodes(&[
            "conv 4 k3 p1",
            "bn",
            "relu",
            "maxpool 2",
            "conv 6 k3 p1",
            "prelu",
        ]);
        encoder.insert(
            3,
            Node::Add(vec![nodes(&["conv 4 k3 p1", "bn"]), Vec::new()]),
        );
        let network = Network {
            input: Shape::new(&[3, 8, 8]).unwrap(),
            encoder,
            decoder: Vec::new(),
            head: nodes(&["flatten", "dense 2"]),
        };
        let inference = infer(&network);
        let mut stage = Stage {
            unfreeze: "encoder".parse().ok(),
            ..Stage::default()
        };
        let all = layers(&stage, &network, &inference);
        assert_eq!(
            places(&all),
            ["encoder.5 encoder.6", "encoder.3", "encoder.0 encoder.1"]
        );
        let still = |epoch: u32| {
            let frozen = frozen(&stage, &network, &inference, epoch);
            places(&[frozen])[0].clone()
        };
        assert_eq!(
            still(0),
            "encoder.5 encoder.6 encoder.3 encoder.0 encoder.1"
        );
        assert_eq!(still(1), "encoder.3 encoder.0 encoder.1");
        assert_eq!(still(3), "");
        let of = |text: &str| match text.parse().unwrap() {
            Target::Node(place) => first_epoch(&all, &stage, &place),
            Target::Stack(stack) => panic!("{stack}"),
        };
        assert_eq!(
            ["encoder.6", "encoder.3.0.1", "encoder.1", "head.1"].map(of),
            [1, 2, 3, 0]
        );
        stage.freeze = vec!["encoder.0".to_owned(), "encoder.1".to_owned()];
        assert_eq!(places(&layers(&stage, &network, &inference)).len(), 2);
        stage.unfreeze = None;
        assert!(layers(&stage, &network, &inference).is_empty());
    }
}
