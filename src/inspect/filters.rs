//! A layer's filters as plain arrays: what its units look for, and of the decoder what each of its inputs paints.
//!
//! Reading copies the weights; it fails only as a device does. A network without a layer that has
//! filters gives `None`.

mod measures;
pub mod on_pixels;
pub mod study;

pub use measures::{ALIKE, FREQUENCIES, Flag, Measures, NOISE, Responses, WEAK, flag_lines, flags};

use super::inspection::{InspectError, Inspection, InspectionContext, Needs};
use super::{layer_of, subtract};
use strata_core::project::{Place, Stack};
use strata_core::shape::op::Op;
use strata_core::shape::{Inference, PlannedLayer};
use strata_nn::{Network, NnError, Parameter};

/// Filters of a layer with weights, each a small image.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Filters {
    /// Steps taken when they were read.
    pub step: u64,
    /// The layer's parameter key and text, for the title: `encoder.0`, `conv 16 k3 s2 p1`.
    pub key: String,
    /// The layer's text.
    pub layer: String,
    /// Whether each is what one input of the layer paints into its output, instead of what one output looks for.
    pub are_templates: bool,
    /// How many filters.
    pub count: usize,
    /// Height of each; of volumes that of all its slices, one below the other.
    pub height: usize,
    /// Width of each.
    pub width: usize,
    /// Slices of each; at most 1 of signals and images.
    pub slices: usize,
    /// Channels of each; 3 is drawn as colour, others as a signed map (several: their mean).
    pub channels: usize,
    /// `count × height × width × channels` weights.
    pub values: Vec<f32>,
    /// Whether they are weights on the pixels of images that the network sees whitened or without their mean.
    pub on_pixels: bool,
    /// Where the values are the change of the weights: since which step.
    pub since: Option<u64>,
}

/// Whose filters.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Request {
    /// Those of the first layer that has some.
    #[default]
    First,
    /// Those of the decoder's last layer that has some: what it paints the reconstruction with.
    Decoder,
    /// Those of this layer.
    Layer(Place),
}

/// The filters of a layer whose weight has them: convolutions of any kind and dense layers. A dense layer that sees
/// the whole input, or has as many outputs as that has values, has a filter of the input's size for each unit.
pub fn of_layer(
    network: &Network,
    inference: &Inference,
    request: &Request,
    step: u64,
) -> Result<Option<Filters>, NnError> {
    let Some(parameter) = parameter_of(network, request) else {
        return Ok(None);
    };
    let weights = parameter
        .value
        .flatten_all()?
        .to_device(&candle_core::Device::Cpu)?
        .to_vec1::<f32>()?;
    let layer = layer_of(inference, &parameter.key);
    let image = inference.input.dims();
    let Bank {
        sizes: [count, channels, height, width],
        weights,
        are_templates,
    } = Bank::of(parameter, layer.map(|(layer, _)| layer), image, weights);
    Ok(Some(Filters {
        step,
        key: layer
            .map_or(&parameter.key, |(layer, _)| &layer.key)
            .clone(),
        layer: layer.map(|(_, row)| row.text.clone()).unwrap_or_default(),
        are_templates,
        count,
        height,
        width,
        slices: match (parameter.value.dims(), image) {
            (&[_, _, depth, _, _], _) => depth,
            (&[_, _], &[_, depth, _, _]) if height > 1 => depth,
            _ => 1,
        },
        channels,
        values: channels_last(&weights, channels, height * width),
        on_pixels: false,
        since: None,
    }))
}

/// The weights that are asked for.
fn parameter_of<'a>(network: &'a Network, request: &Request) -> Option<&'a Parameter> {
    let mut with_filters = network
        .parameters()
        .iter()
        .filter(|parameter| parameter.value.dims().len() >= 2);
    match request {
        Request::First => with_filters.next(),
        Request::Decoder => with_filters.rfind(|found| found.place.stack == Stack::Decoder),
        Request::Layer(place) => with_filters.find(|found| found.place == *place),
    }
}

impl Filters {
    /// Weights of a filter.
    pub fn size(&self) -> usize {
        self.height * self.width * self.channels
    }

    /// Slices that lie one below the other.
    pub fn depth(&self) -> usize {
        self.slices.max(1)
    }

    /// Whether each is a row of weights: of signals, and of dense layers behind others.
    pub fn are_rows(&self) -> bool {
        self.height == 1 && self.width > 1
    }

    /// Channels, depth, height and width of each, as far as it has them: `3×5×5`.
    pub fn dims(&self) -> String {
        let depth = self.depth();
        let mut dims = vec![self.channels];
        dims.extend((depth > 1).then_some(depth));
        dims.extend((!self.are_rows()).then_some(self.height / depth));
        dims.push(self.width);
        let dims: Vec<String> = dims.iter().map(usize::to_string).collect();
        dims.join("×")
    }

    /// The filters as one of their input channels sees them; all of them where there is no such channel.
    pub fn of_channel(&self, channel: usize) -> Filters {
        if channel >= self.channels {
            return self.clone();
        }
        let values = self.values.chunks_exact(self.channels.max(1));
        Filters {
            channels: 1,
            values: values.map(|weights| weights[channel]).collect(),
            ..self.clone()
        }
    }
}

/// Weights as filters one after the other, each channel by channel.
struct Bank {
    /// Filters, channels, height and width. Depth is laid out below height.
    sizes: [usize; 4],
    weights: Vec<f32>,
    are_templates: bool,
}

impl Bank {
    /// From a weight in PyTorch's layout. In the decoder a filter is what one input paints; a convolution has its
    /// weight by output, so it is turned about (and, as painting is its transpose, round).
    fn of(
        parameter: &Parameter,
        layer: Option<&PlannedLayer>,
        image: &[usize],
        weights: Vec<f32>,
    ) -> Bank {
        let paints = parameter.place.stack == Stack::Decoder;
        let op = layer.map(|layer| &layer.op);
        match (parameter.value.dims(), op) {
            (&[outputs, inputs], _) if paints => Bank {
                sizes: vector_sizes(inputs, outputs, image),
                weights: swapped(&weights, [outputs, inputs, 1]),
                are_templates: true,
            },
            (&[count, inputs], _) => Bank {
                sizes: vector_sizes(count, inputs, image),
                weights,
                are_templates: false,
            },
            (&[outputs, inputs, ref space @ .., width], Some(Op::Conv { groups: 1, .. }))
                if paints =>
            {
                let height: usize = space.iter().product();
                let size = height * width;
                let mut weights = swapped(&weights, [outputs, inputs, size]);
                weights
                    .chunks_exact_mut(size.max(1))
                    .for_each(<[f32]>::reverse);
                Bank {
                    sizes: [inputs, outputs, height, width],
                    weights,
                    are_templates: true,
                }
            }
            (&[count, channels, ref space @ .., width], _) => Bank {
                sizes: [count, channels, space.iter().product(), width],
                weights,
                are_templates: matches!(op, Some(Op::ConvTranspose { .. })),
            },
            _ => Bank {
                sizes: [0, 1, 1, 1],
                weights,
                are_templates: false,
            },
        }
    }
}

/// Sizes of so many filters of this length: pictures where they are as long as an image.
fn vector_sizes(count: usize, len: usize, image: &[usize]) -> [usize; 4] {
    match *image {
        [channels, ref space @ .., width] if len == image.iter().product::<usize>() => {
            [count, channels, space.iter().product(), width]
        }
        _ => [count, 1, 1, len],
    }
}

/// From `a × b × positions` to `b × a × positions`.
fn swapped(weights: &[f32], [a, b, cells]: [usize; 3]) -> Vec<f32> {
    let place = |i: usize| {
        let (cell, pair) = (i % cells.max(1), i / cells.max(1));
        let (first, second) = (pair % a.max(1), pair / a.max(1));
        (first * b + second) * cells + cell
    };
    (0..weights.len()).map(|i| weights[place(i)]).collect()
}

/// From `filter, channel, pixel` to `filter, pixel, channel`.
fn channels_last(weights: &[f32], channels: usize, pixels: usize) -> Vec<f32> {
    let size = (channels * pixels).max(1);
    let place = |i: usize| (i % channels.max(1)) * pixels + i / channels.max(1);
    // Room for all at once: a list that grows holds the values twice over for a moment.
    let mut values = Vec::with_capacity(weights.len());
    for filter in weights.chunks_exact(size) {
        values.extend((0..size).map(|i| filter[place(i)]));
    }
    values
}

impl Inspection for Filters {
    const NAME: &'static str = "filters";
    const NEEDS: Needs = Needs::Run;
    type Request = Request;

    fn compute(cx: &mut InspectionContext<'_>, request: &Request) -> Result<Self, InspectError> {
        let run = cx.run()?;
        let filters = of_layer(run.network, run.inference, request, run.step)?;
        filters.ok_or_else(|| {
            InspectError::Input(match request {
                Request::First => "the network has no layer with filters".to_owned(),
                Request::Decoder => {
                    "the decoder has no layer with filters, such as dense or convt".to_owned()
                }
                Request::Layer(place) => format!(
                    "{place} has no filters: name a layer with weights, such as dense or conv"
                ),
            })
        })
    }

    fn change_since(&self, earlier: &Self) -> Result<Self, InspectError> {
        let mut made = self.clone();
        subtract(&mut made.values, &earlier.values)?;
        made.since = Some(earlier.step);
        Ok(made)
    }

    fn step(&self) -> Option<u64> {
        Some(self.step)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use candle_core::{Device, Tensor};
    use strata_nn::{Mode, Route};

    /// What a decoder makes of a code with a single 1 in it, beyond its bias, is the template of that number.
    #[test]
    fn a_template_is_what_one_number_of_the_code_paints() {
        for (encoder, decoder) in [
            ("flatten", "dense 18;reshape 2x3x3"),
            ("identity", "conv 2 k3 p1"),
            ("identity", "convt 2 k3 p1"),
        ] {
            let decoder = strata_testkit::networks::split(decoder);
            let stacks = strata_testkit::networks::network("2x3x3", &[encoder], &decoder, &[]);
            let inference = strata_core::shape::infer(&stacks);
            let plan = inference.plan.as_ref().unwrap();
            let mut network = Network::new(plan, 3, &Device::Cpu).unwrap();
            let filters = of_layer(&network, &inference, &Request::Decoder, 0);
            let filters = filters.unwrap().unwrap();
            assert!(filters.are_templates);
            assert_eq!([filters.height, filters.width, filters.channels], [3, 3, 2]);
            let nothing = painted(&mut network, None);
            for (unit, template) in filters.values.chunks_exact(18).enumerate() {
                // Of maps the position in the middle of each; of a vector every value, in the order C, H, W.
                let [channel, cell] = match filters.count {
                    2 => [unit, 4],
                    _ => [unit / 9, unit % 9],
                };
                let something = painted(&mut network, Some(cell * 2 + channel));
                for (i, weight) in template.iter().enumerate() {
                    let painted = something[i] - nothing[i];
                    assert!((weight - painted).abs() < 1e-6, "{decoder:?}, {unit}, {i}");
                }
            }
        }
    }

    /// The reconstruction of an image of zeros with a 1 at an index, channels last.
    fn painted(network: &mut Network, one: Option<usize>) -> Vec<f32> {
        let values: Vec<f32> = (0..18)
            .map(|i| if one == Some(i) { 1.0 } else { 0.0 })
            .collect();
        let image = Tensor::from_vec(values, (1, 3, 3, 2), &Device::Cpu).unwrap();
        let output = network.forward(Route::Reconstruct, &image, Mode::Eval);
        output.unwrap().flatten_all().unwrap().to_vec1().unwrap()
    }

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
