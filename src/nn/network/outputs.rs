//! What the layers gave in the latest forward pass.

use super::{Network, Result};
use crate::layers::Sequence;
use candle_core::{DType, Tensor};
use strata_core::project::Stack;

impl Network {
    /// The outputs of the latest forward pass by layer key: of every layer after
    /// [`Network::set_observed`], otherwise of those that were not computed as part of another.
    pub fn outputs(&self) -> Vec<(&str, &Tensor)> {
        let mut outputs = Vec::new();
        for sequence in self.passed() {
            sequence.visit(&mut |node| {
                outputs.extend(node.output.as_ref().map(|o| (node.key.as_str(), o)))
            });
        }
        outputs
    }

    /// The key of the first layer, in the order of the latest forward pass, whose output holds NaN or
    /// infinity; `None` when all are finite. Of layers that were computed as one it is the first, which has
    /// the weights.
    pub fn first_not_finite(&self) -> Result<Option<String>> {
        let (mut outputs, mut head) = (Vec::new(), "");
        for sequence in self.passed() {
            sequence.visit(&mut |node| {
                head = if node.skipped {
                    head
                } else {
                    node.key.as_str()
                };
                outputs.extend(node.output.as_ref().map(|output| (head, output)));
            });
        }
        for (key, output) in outputs {
            let total = output
                .to_dtype(DType::F64)?
                .abs()?
                .sum_all()?
                .to_scalar::<f64>()?;
            if !total.is_finite() {
                return Ok(Some(key.to_owned()));
            }
        }
        Ok(None)
    }

    /// What the latest batch passed through.
    pub(super) fn passed(&self) -> impl Iterator<Item = &Sequence> {
        [Stack::Encoder, self.route.second()]
            .into_iter()
            .filter_map(|stack| self.stacks[stack as usize].as_ref())
    }
}

#[cfg(test)]
mod tests {
    use crate::network::tests::network;
    use crate::{Mode, Network, Route};
    use candle_core::{Device, Tensor};

    fn keys(network: &Network) -> Vec<&str> {
        network.outputs().into_iter().map(|(key, _)| key).collect()
    }

    #[test]
    fn outputs_are_those_of_the_route_and_all_of_them_when_observed() {
        let mut network = network("1x4x4", &["conv 2 k3 p1", "relu", "flatten"], &["dense 3"]);
        let images = Tensor::ones((1, 4, 4, 1), candle_core::DType::F32, &Device::Cpu).unwrap();
        network
            .forward(Route::Classify, &images, Mode::Eval)
            .unwrap();
        assert!(
            !keys(&network).contains(&"encoder.0"),
            "what the relu gives is all there is"
        );
        network.set_observed(true);
        network
            .forward(Route::Classify, &images, Mode::Eval)
            .unwrap();
        assert_eq!(
            keys(&network),
            ["encoder.0", "encoder.1", "encoder.2", "head.0"]
        );
    }

    #[test]
    fn the_first_layer_that_is_not_finite_is_named_by_its_weights() {
        let mut network = network(
            "1x4x4",
            &["conv 2 k3 p1", "relu", "flatten"],
            &["dense 3", "softmax"],
        );
        let images = Tensor::ones((1, 4, 4, 1), candle_core::DType::F32, &Device::Cpu).unwrap();
        network
            .forward(Route::Classify, &images, Mode::Eval)
            .unwrap();
        assert_eq!(network.first_not_finite().unwrap(), None);
        for (key, expected) in [("head.0.bias", "head.0"), ("encoder.0.bias", "encoder.0")] {
            let parameter = network
                .parameters_mut()
                .iter_mut()
                .find(|parameter| parameter.key == key)
                .unwrap();
            parameter.value = (&parameter.value + f64::INFINITY).unwrap();
            network
                .forward(Route::Classify, &images, Mode::Eval)
                .unwrap();
            assert_eq!(
                network.first_not_finite().unwrap().as_deref(),
                Some(expected)
            );
        }
    }
}
