//! The first layer's filters as plain arrays.
//!
//! Reading copies the weights; it fails only as a device does. A network without a layer that has
//! filters gives `None`.

use super::inspection::{InspectError, Inspection, InspectionContext, Needs};
use super::layer_of;
use strata_core::shape::Inference;
use strata_nn::{Network, NnError, Parameter};

/// Filters of the first layer with weights, each a small image.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Filters {
    /// Steps taken when they were read.
    pub step: u64,
    /// The layer's parameter key and text, for the title: `encoder.0`, `conv 16 k3 s2 p1`.
    pub key: String,
    /// The layer's text.
    pub layer: String,
    /// How many filters.
    pub count: usize,
    /// Height of each.
    pub height: usize,
    /// Width of each.
    pub width: usize,
    /// Channels of each; 3 is drawn as colour, others as a signed map (several: their mean).
    pub channels: usize,
    /// `count × height × width × channels` weights.
    pub values: Vec<f32>,
}

/// The filters of the first layer whose weight has them (convolutions of any kind and dense
/// layers; a dense layer that sees the whole input has a filter of the input's size for each unit).
pub fn first_layer(
    network: &Network,
    inference: &Inference,
    step: u64,
) -> Result<Option<Filters>, NnError> {
    let Some(parameter) = network
        .parameters()
        .iter()
        .find(|p| p.value.dims().len() >= 2)
    else {
        return Ok(None);
    };
    let weights = parameter
        .value
        .flatten_all()?
        .to_device(&candle_core::Device::Cpu)?
        .to_vec1::<f32>()?;
    let [count, channels, height, width] = sizes(parameter, inference.input.dims());
    let layer = layer_of(inference, &parameter.key);
    Ok(Some(Filters {
        step,
        key: layer
            .map_or(&parameter.key, |(layer, _)| &layer.key)
            .clone(),
        layer: layer.map(|(_, row)| row.text.clone()).unwrap_or_default(),
        count,
        height,
        width,
        channels,
        values: channels_last(&weights, channels, height * width),
    }))
}

/// Filters, channels, height and width of a weight in PyTorch's layout. Depth is laid out below height.
fn sizes(parameter: &Parameter, input: &[usize]) -> [usize; 4] {
    match *parameter.value.dims() {
        [count, inputs] if inputs == input.iter().product::<usize>() => match *input {
            [channels, ref space @ .., width] => [count, channels, space.iter().product(), width],
            _ => [count, 1, 1, inputs],
        },
        [count, inputs] => [count, 1, 1, inputs],
        [count, channels, ref space @ .., width] => {
            [count, channels, space.iter().product(), width]
        }
        _ => [0, 1, 1, 1],
    }
}

/// From `filter, channel, pixel` to `filter, pixel, channel`.
fn channels_last(weights: &[f32], channels: usize, pixels: usize) -> Vec<f32> {
    let size = (channels * pixels).max(1);
    let filter = |weights: &[f32]| -> Vec<f32> {
        (0..size)
            .map(|i| weights[(i % channels.max(1)) * pixels + i / channels.max(1)])
            .collect()
    };
    weights.chunks_exact(size).flat_map(filter).collect()
}

impl Inspection for Filters {
    const NAME: &'static str = "filters";
    const NEEDS: Needs = Needs::Run;
    type Request = ();

    fn compute(cx: &mut InspectionContext<'_>, (): &()) -> Result<Self, InspectError> {
        let run = cx.run()?;
        let filters = first_layer(run.network, run.inference, run.step)?;
        let none = || InspectError::Input("the network has no layer with filters".to_owned());
        filters.ok_or_else(none)
    }

    fn step(&self) -> Option<u64> {
        Some(self.step)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weights_turn_channels_last() {
        let weights = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0];
        assert_eq!(
            channels_last(&weights, 3, 2),
            [1.0, 3.0, 5.0, 2.0, 4.0, 6.0]
        );
        assert_eq!(channels_last(&weights, 1, 3), weights);
    }
}
