//! The effective receptive field: how strongly each pixel influences one position of a layer's map (Luo, Li, Urtasun,
//! Zemel 2016, "Understanding the Effective Receptive Field in Deep Convolutional Neural Networks").
//!
//! The gradient of the value there, summed over the layer's channels, by the input; of it the absolute values,
//! summed over the input's channels and averaged over the probe images. It is inside the theoretical field
//! (`shape::field`), mostly in its middle. Of a layer that is a softmax it is that of what comes into it: the sum
//! of a softmax's channels is always 1, and has no gradient. Running statistics are used, dropout and noise are off.
//! Fails as the network does, and for a layer that is not there.

use super::inspection::{InspectError, Inspection, InspectionContext, Needs};
use super::network_copy::InspectionNetwork;
use super::reconstructions::Probe;
use super::slices::{SliceOf, shown, shown_size};
use candle_core::{Device, Tensor};
use strata_core::project::Place;
use strata_core::shape::field::{Seen, path, seen};
use strata_core::shape::op::{Op, Planned};
use strata_core::shape::{Inference, Plan};
use strata_data::Dataset;
use strata_nn::{Mode, Network, NnError, Route};

/// Pixels count as effective above this fraction of the largest value: two standard deviations of a Gaussian.
pub const EFFECTIVE: f32 = 1.0 - 0.9545;

/// Which position.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// The layer.
    pub place: Place,
    /// The position in its map by axis; by default the middle.
    pub cell: Vec<usize>,
}

/// The effective field of a position.
#[derive(Clone, Debug, PartialEq)]
pub struct EffectiveField {
    /// Steps taken when it was measured.
    pub step: u64,
    /// The layer.
    pub place: Place,
    /// Its text.
    pub text: String,
    /// The theoretical field, with the position and the map's sizes.
    pub seen: Seen,
    /// Height, width and channels of an image.
    pub height: usize,
    /// See `height`.
    pub width: usize,
    /// See `height`.
    pub channels: usize,
    /// How many images it is the mean of.
    pub images: usize,
    /// `N × H × W × C` bytes of the images.
    pub inputs: Vec<u8>,
    /// Which slice of volumes is shown; `None` of images.
    pub slice: Option<SliceOf>,
    /// `H × W` mean absolute gradients.
    pub values: Vec<f32>,
}

impl EffectiveField {
    /// Pixels with more than [`EFFECTIVE`] of the largest value.
    pub fn effective(&self) -> usize {
        let largest = self.values.iter().copied().fold(0.0, f32::max);
        self.values
            .iter()
            .filter(|value| **value > EFFECTIVE * largest)
            .count()
    }

    /// Rows and columns that are seen of what is shown, from the first to the last; nothing where another slice is shown
    /// than those seen.
    pub fn shown_bounds(&self) -> Option<[(i64, i64); 2]> {
        match *self.seen.bounds.as_deref()? {
            [columns] => Some([(0, 0), columns]),
            [rows, columns] => Some([rows, columns]),
            [(first, last), rows, columns] => {
                let slice = self.slice?.slice as i64;
                (first..=last).contains(&slice).then_some([rows, columns])
            }
            _ => None,
        }
    }

    /// The bytes of an image.
    pub fn input(&self, index: usize) -> &[u8] {
        let size = self.height * self.width * self.channels;
        self.inputs
            .get(index * size..(index + 1) * size)
            .unwrap_or_default()
    }
}

/// Why there is no effective field.
#[derive(Debug, thiserror::Error)]
pub enum FieldError {
    /// The network did not compute.
    #[error(transparent)]
    Network(#[from] NnError),
    /// The device refused.
    #[error("the device refused an operation: {0}")]
    Device(#[from] candle_core::Error),
    /// There is no such layer, or it has an error.
    #[error("the network that was trained has no layer {0}")]
    NoLayer(Place),
}

/// The layers up to one layer, as a network that is inspected.
pub struct Cut {
    place: Place,
    mirror: InspectionNetwork,
}

impl Cut {
    /// Cuts a network off behind a layer; until [`Cut::take`] its weights are those of no training.
    pub fn new(inference: &Inference, place: &Place, device: &Device) -> Result<Cut, FieldError> {
        let none = || FieldError::NoLayer(place.clone());
        let plan = inference.plan.as_ref().ok_or_else(none)?;
        let mut layers = path(plan, place).ok_or_else(none)?;
        drop_softmax(&mut layers);
        let code = inference
            .row(place)
            .and_then(|row| row.output.clone())
            .ok_or_else(none)?;
        // An empty decoder hands on what it gets.
        let stacks = [Some(layers), Some(Vec::new()), None];
        let cut = Plan {
            input: plan.input.clone(),
            code,
            stacks,
            slots: plan.slots,
        };
        Ok(Cut {
            place: place.clone(),
            mirror: InspectionNetwork::new(&cut, device)?,
        })
    }

    /// The layer behind which it was cut.
    pub fn place(&self) -> &Place {
        &self.place
    }

    /// The network up to the layer: what it reconstructs is the layer's output.
    pub fn network(&mut self) -> &mut Network {
        self.mirror.network()
    }

    /// Takes over the weights of the whole network.
    pub fn take(&mut self, network: &Network) -> Result<(), FieldError> {
        Ok(self.mirror.take(network)?)
    }
}

/// Puts the identity in the place of a softmax that comes last; true when the search is over.
fn drop_softmax(layers: &mut [Planned]) -> bool {
    for node in layers.iter_mut().rev() {
        match node {
            Planned::Layer(layer) if matches!(layer.op, Op::Identity | Op::Flatten) => {}
            Planned::Layer(layer) => {
                if layer.op == Op::Softmax {
                    layer.op = Op::Identity;
                }
                return true;
            }
            Planned::Repeat { passes, .. } => {
                return passes.last_mut().is_some_and(|pass| drop_softmax(pass));
            }
            Planned::Add { .. } | Planned::Concat { .. } => return true,
        }
    }
    false
}

impl EffectiveField {
    /// The same of one slice of each volume.
    fn of_slice(self, slice: Option<SliceOf>) -> EffectiveField {
        let size = [self.height, self.width, self.channels];
        let [height, ..] = shown_size(slice, size);
        EffectiveField {
            height,
            inputs: shown(slice, &self.inputs, size).into_owned(),
            values: shown(slice, &self.values, [self.height, self.width, 1]).into_owned(),
            slice,
            ..self
        }
    }
}

/// The effective field of a position of the layer after which the network was cut.
pub fn measure(
    cut: &mut Cut,
    inference: &Inference,
    dataset: &Dataset,
    probe: &Probe,
    cell: &[usize],
    step: u64,
) -> Result<EffectiveField, FieldError> {
    let none = || FieldError::NoLayer(cut.place.clone());
    let found = seen(inference, &cut.place, cell).ok_or_else(none)?;
    let text = inference
        .row(&cut.place)
        .map(|row| row.text.clone())
        .unwrap_or_default();
    let network = cut.mirror.network();
    let output = network.forward(Route::Reconstruct, probe.images(), Mode::Eval)?;
    let hit = one_cell(&found, output.dims());
    let hit = Tensor::from_vec(hit, output.dims(), network.device())?;
    let gradient = network
        .backward_to_input(&hit)?
        .flatten_all()?
        .to_device(&Device::Cpu)?
        .to_vec1::<f32>()?;
    let [height, width, channels] = probe.size();
    let images = probe.values().len() / (height * width * channels).max(1);
    Ok(EffectiveField {
        step,
        place: cut.place.clone(),
        text,
        seen: found,
        height,
        width,
        channels,
        images,
        inputs: dataset.to_pixels(probe.values()),
        slice: None,
        values: mean(&gradient, height * width, channels),
    })
}

/// 1 for every channel of the position in every image, 0 elsewhere.
fn one_cell(found: &Seen, dims: &[usize]) -> Vec<f32> {
    let channels = dims.last().copied().unwrap_or(1).max(1);
    let cells: usize = found.map.iter().product();
    let cell = found
        .cell
        .iter()
        .zip(&found.map)
        .fold(0, |index, (at, size)| index * size + at);
    let count: usize = dims.iter().product();
    (0..count)
        .map(|value| {
            if value / channels % cells.max(1) == cell {
                1.0
            } else {
                0.0
            }
        })
        .collect()
}

/// The absolute values, summed over channels, averaged over images.
fn mean(gradient: &[f32], pixels: usize, channels: usize) -> Vec<f32> {
    let size = (pixels * channels).max(1);
    let images = (gradient.len() / size).max(1) as f32;
    let mut sums = vec![0.0; pixels];
    for image in gradient.chunks_exact(size) {
        for (sum, values) in sums.iter_mut().zip(image.chunks_exact(channels.max(1))) {
            *sum += values.iter().map(|value| value.abs()).sum::<f32>() / images;
        }
    }
    sums
}

impl Inspection for EffectiveField {
    const NAME: &'static str = "receptive field";
    const NEEDS: Needs = Needs::RunWithImages;
    type Request = Request;

    fn compute(cx: &mut InspectionContext<'_>, request: &Request) -> Result<Self, InspectError> {
        let dataset = cx.images()?;
        let probe = cx.probe(None)?;
        let kept = cx.take_kept::<Cut>();
        let run = cx.run()?;
        let inference = run.inference;
        let step = run.step;
        let kept = kept.filter(|cut| *cut.place() == request.place);
        let mut cut = kept.map_or_else(|| Cut::new(inference, &request.place, run.device), Ok)?;
        cut.take(run.network)?;
        let field = measure(&mut cut, inference, dataset, &probe, &request.cell, step)?;
        let field = field.of_slice(SliceOf::of(dataset, cx.slice));
        cx.keep(cut);
        Ok(field)
    }

    fn step(&self) -> Option<u64> {
        Some(self.step)
    }
}

impl From<FieldError> for InspectError {
    fn from(error: FieldError) -> InspectError {
        match error {
            FieldError::Network(error) => error.into(),
            FieldError::Device(error) => error.into(),
            FieldError::NoLayer(_) => InspectError::Input(error.to_string()),
        }
    }
}
