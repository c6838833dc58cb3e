//! The sparse code: how active every hidden unit is on average, and the penalty for it.
//!
//! A unit is a feature or a channel of one layer's output: of the layer that the stage's sparsity names, by
//! default the code (the encoder's last output). Fails as the network or the reading of an image does.

use super::inspection::{InspectError, Inspection, InspectionContext, Needs};
use super::layer_name;
use super::network_copy::InspectionNetwork;
use candle_core::{Device, Tensor};
use std::time::Instant;
use strata_core::project::Stack;
use strata_core::project::data::Split;
use strata_core::project::stage::Sparsity;
use strata_core::shape::{Inference, Planned, Target};
use strata_data::{DataError, SplitData, epoch_order, fill_batch};
use strata_nn::{Mode, NnError, Route};

/// Images measured at most.
pub(crate) const MOST_IMAGES: usize = 2000;
/// Images at a time.
const BATCH: usize = 100;
/// Mean activations are kept this far from 0 and 1 in the penalty, which is infinite there: as in training.
const MARGIN: f64 = 1e-6;

/// Mean activations of one layer.
#[derive(Clone, Debug, Default, PartialEq, serde::Serialize)]
pub struct SparseCode {
    /// Steps taken when they were measured.
    pub step: u64,
    /// The layer with its text: ``encoder.2 `sigmoid` ``.
    pub layer: String,
    /// The split measured.
    pub split: Split,
    /// How many images, of how many the split has.
    pub images: usize,
    /// See `images`.
    pub of: usize,
    /// The mean activation of each unit, in the layer's order.
    pub means: Vec<f32>,
    /// The target ρ and the weight β, where the stage has a sparsity.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub target: Option<(f64, f64)>,
    /// β·Σ KL(ρ‖ρ̂) of these means.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub penalty: Option<f64>,
}

impl SparseCode {
    /// The means, falling.
    pub fn sorted(&self) -> Vec<f32> {
        let mut sorted = self.means.clone();
        sorted.sort_by(|a, b| b.total_cmp(a));
        sorted
    }

    /// How many means lie in each of `bins` equal parts of `range`; the last holds its upper end.
    pub fn histogram(&self, range: [f32; 2], bins: usize) -> Vec<usize> {
        let mut counts = vec![0; bins];
        let width = (range[1] - range[0]) / bins.max(1) as f32;
        for mean in self
            .means
            .iter()
            .filter(|mean| (range[0]..=range[1]).contains(*mean))
        {
            let bin = if width > 0.0 {
                ((mean - range[0]) / width) as usize
            } else {
                0
            };
            if let Some(count) = counts.get_mut(bin.min(bins.saturating_sub(1))) {
                *count += 1;
            }
        }
        counts
    }

    /// From where to where an axis has to go: 0, every finite mean and the target.
    pub fn range(&self) -> [f32; 2] {
        let target = self.target.map(|(rho, _)| rho as f32);
        let all = || {
            self.means
                .iter()
                .copied()
                .filter(|mean| mean.is_finite())
                .chain(target)
                .chain([0.0])
        };
        [all().fold(0.0, f32::min), all().fold(0.0, f32::max)]
    }
}

/// What is measured.
#[derive(Clone, Copy)]
pub struct Measured<'a> {
    /// Which stacks the images run through.
    pub route: Route,
    /// The stage's sparsity.
    pub sparsity: Option<&'a Sparsity>,
    /// Name and images of the split.
    pub split: (Split, &'a SplitData),
    /// Stop after the first batch that ends later than this.
    pub until: Option<Instant>,
}

/// Why there is no measurement.
#[derive(Debug, thiserror::Error)]
pub enum SparseError {
    /// An image could not be read.
    #[error(transparent)]
    Data(#[from] DataError),
    /// The network did not compute.
    #[error(transparent)]
    Network(#[from] NnError),
    /// The device refused.
    #[error("the device refused an operation: {0}")]
    Device(#[from] candle_core::Error),
    /// There is no such layer.
    #[error("this network has no layer `{0}` whose activations could be measured")]
    NoLayer(String),
    /// The stack that would be measured is empty.
    #[error(
        "the {0} has no layers, so there is no code to measure: name a layer in the stage, such as sparsity = \"rho=0.05 beta=0.1 at=head.1\""
    )]
    NoLayers(Stack),
}

/// Mean activations over some images of a split, with the weights that the mirror holds.
pub fn measure(
    mirror: &mut InspectionNetwork,
    inference: &Inference,
    what: Measured<'_>,
    step: u64,
) -> Result<SparseCode, SparseError> {
    let name = what
        .sparsity
        .and_then(|s| s.at.as_deref())
        .unwrap_or(Stack::Encoder.name());
    let none = || match name.parse::<Target>() {
        Ok(Target::Stack(stack)) => SparseError::NoLayers(stack),
        Ok(Target::Node(_)) | Err(_) => SparseError::NoLayer(name.to_owned()),
    };
    let key = last_layer(inference, name).ok_or_else(none)?;
    let (split, data) = what.split;
    let (mut sums, mut values, mut images) = (Vec::new(), 0, 0);
    // Shuffled: splits may come class by class.
    let order = epoch_order(data.len(), 0, 0);
    for indices in order[..order.len().min(MOST_IMAGES)].chunks(BATCH) {
        values += add_batch(mirror, what.route, data, indices, &key, &mut sums)?;
        images += indices.len();
        if what.until.is_some_and(|until| Instant::now() > until) {
            break;
        }
    }
    let means: Vec<f32> = sums
        .iter()
        .map(|sum| (sum / values.max(1) as f64) as f32)
        .collect();
    let target = what.sparsity.map(|sparsity| (sparsity.rho, sparsity.beta));
    let penalty = target.map(|(rho, beta)| {
        beta * means
            .iter()
            .map(|&mean| divergence(rho, mean.into()))
            .sum::<f64>()
    });
    let (layer, of) = (layer_name(inference, &key), data.len());
    Ok(SparseCode {
        step,
        layer,
        split,
        images,
        of,
        means,
        target,
        penalty,
    })
}

/// Adds a batch's activations to the sums of the units; returns the values that each unit had.
fn add_batch(
    mirror: &mut InspectionNetwork,
    route: Route,
    data: &SplitData,
    indices: &[u32],
    key: &str,
    sums: &mut Vec<f64>,
) -> Result<usize, SparseError> {
    let [height, width, channels] = data.image_shape();
    let mut images = vec![0.0; indices.len() * height * width * channels];
    fill_batch(data, indices, &mut images, &mut vec![0; indices.len()])?;
    let network = mirror.network();
    let images = Tensor::from_vec(
        images,
        (indices.len(), height, width, channels),
        network.device(),
    )?;
    network.forward(route, &images, Mode::Eval)?;
    let outputs = network.outputs();
    let output = outputs
        .iter()
        .find(|(found, _)| *found == key)
        .map(|(_, output)| output);
    let output = output.ok_or_else(|| SparseError::NoLayer(key.to_owned()))?;
    let units = output.dims().last().copied().unwrap_or(1).max(1);
    let activations = output
        .flatten_all()?
        .to_device(&Device::Cpu)?
        .to_vec1::<f32>()?;
    sums.resize(units, 0.0);
    for row in activations.chunks_exact(units) {
        sums.iter_mut()
            .zip(row)
            .for_each(|(sum, value)| *sum += f64::from(*value));
    }
    Ok(activations.len() / units)
}

/// KL(ρ‖ρ̂) of two coins.
fn divergence(rho: f64, mean: f64) -> f64 {
    let mean = mean.clamp(MARGIN, 1.0 - MARGIN);
    rho * (rho / mean).ln() + (1.0 - rho) * ((1.0 - rho) / (1.0 - mean)).ln()
}

/// The key of the layer that a name means: of a stack or a block, its last.
fn last_layer(inference: &Inference, name: &str) -> Option<String> {
    let target: Target = name.parse().ok()?;
    let stack = inference.plan.as_ref()?.stack(target.stack())?;
    last_of(stack, &target)
}

fn last_of(nodes: &[Planned], target: &Target) -> Option<String> {
    nodes.iter().rev().find_map(|node| match node {
        Planned::Layer(layer) => target.contains(&layer.place).then(|| layer.key.clone()),
        Planned::Add { place, branches } | Planned::Concat { place, branches } => {
            let inside = || {
                branches
                    .iter()
                    .rev()
                    .find_map(|branch| last_of(branch, target))
            };
            if target.contains(place) {
                Some(place.to_string())
            } else {
                inside()
            }
        }
        Planned::Repeat { passes, .. } => {
            passes.iter().rev().find_map(|pass| last_of(pass, target))
        }
    })
}

impl Inspection for SparseCode {
    const NAME: &'static str = "sparse code";
    const NEEDS: Needs = Needs::RunWithImages;
    type Request = ();

    /// Of the last stage with a sparsity, or of the last one.
    fn compute(cx: &mut InspectionContext<'_>, (): &()) -> Result<Self, InspectError> {
        let dataset = cx.images()?;
        let deadline = cx.deadline;
        let run = cx.run()?;
        let inference = run.inference;
        let step = run.step;
        let sparse = run.stages.iter().find(|stage| stage.sparsity.is_some());
        let stage = sparse.or(run.stages.first()).cloned().unwrap_or_default();
        let split = dataset.split(stage.split).map(|data| (stage.split, data));
        let split = split.or_else(|| dataset.splits().next());
        let none = || InspectError::Input("there are no images to measure".to_owned());
        let what = Measured {
            route: stage.task.into(),
            sparsity: stage.sparsity.as_ref(),
            split: split.ok_or_else(none)?,
            until: deadline,
        };
        Ok(measure(cx.mirror()?, inference, what, step)?)
    }

    fn step(&self) -> Option<u64> {
        Some(self.step)
    }
}

impl From<SparseError> for InspectError {
    fn from(error: SparseError) -> InspectError {
        match error {
            SparseError::Data(error) => error.into(),
            SparseError::Network(error) => error.into(),
            SparseError::Device(error) => error.into(),
            SparseError::NoLayer(_) | SparseError::NoLayers(_) => {
                InspectError::Input(error.to_string())
            }
        }
    }
}

#[cfg(test)]
mod tests;
