//! The sparse code: how active every hidden unit is on average, and the penalty for it.
//!
//! A unit is a feature or a channel of one layer's output: of the layer that the stage's sparsity names, by
//! default the code (the encoder's last output). Fails as the network or the reading of an image does. One unit of it,
//! with the images that excite it, is in [`unit`].

pub mod unit;

use super::activity_change::only_in;
use super::image_set::{FromSplit, ImagesOf};
use super::inspection::{InspectError, Inspection, InspectionContext, Needs};
use super::network_copy::InspectionNetwork;
use super::reconstructions::split_of;
use super::{layer_name, subtract};
use candle_core::{Device, Tensor};
use std::time::Instant;
use strata_core::project::Stack;
use strata_core::project::data::Split;
use strata_core::project::stage::{Sparsity, Stage};
use strata_core::shape::{Inference, Planned, Target};
use strata_data::{DataError, Dataset, SplitData, epoch_order, fill_batch};
use strata_nn::{Mode, NnError, Route};

/// Images measured at most.
pub(crate) const MOST_IMAGES: usize = 2000;
/// Images at a time.
const BATCH: usize = 100;
/// Mean activations are kept this far from 0 and 1 in the penalty, which is infinite there: as in training.
const MARGIN: f64 = 1e-6;

/// Activations above this count as active.
pub const ACTIVE: f32 = 0.1;
/// A unit that is active for more than this share of all images is always on.
const ALWAYS: f32 = 0.9;

/// Mean activations of one layer.
#[derive(Clone, Debug, Default, PartialEq, serde::Serialize)]
pub struct SparseCode {
    /// Steps taken when they were measured.
    pub step: u64,
    /// The layer with its text: ``encoder.2 `sigmoid` ``.
    pub layer: String,
    /// The split measured.
    pub split: ImagesOf,
    /// How many images, of how many the split has.
    pub images: usize,
    /// See `images`.
    pub of: usize,
    /// The mean activation of each unit, in the layer's order.
    pub means: Vec<f32>,
    /// The share of its values above [`ACTIVE`], of each unit.
    pub active: Vec<f32>,
    /// The target ρ and the weight β, where the stage has a sparsity.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub target: Option<(f64, f64)>,
    /// β·Σ KL(ρ‖ρ̂) of these means.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub penalty: Option<f64>,
    /// Where means, shares and penalty are changes: since when, and which units have died.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub since: Option<UnitChanges>,
}

/// What has become of the units since an earlier step.
#[derive(Clone, Debug, Default, PartialEq, serde::Serialize)]
pub struct UnitChanges {
    /// The earlier step.
    pub step: u64,
    /// The units that are dead now and were not, from 0.
    pub died: Vec<usize>,
    /// The units that were dead and are not any more, from 0.
    pub revived: Vec<usize>,
}

impl SparseCode {
    /// The means, falling.
    pub fn sorted(&self) -> Vec<f32> {
        let mut sorted = self.means.clone();
        sorted.sort_by(|a, b| b.total_cmp(a));
        sorted
    }

    /// The units that were active for no image, by their places from 0; of a change none, see `since`.
    pub fn dead(&self) -> Vec<usize> {
        self.units_where(|active| active == 0.0)
    }

    /// The units that were active for more than nine images of ten; of a change none.
    pub fn always_on(&self) -> Vec<usize> {
        self.units_where(|active| active > ALWAYS)
    }

    fn units_where(&self, is: impl Fn(f32) -> bool) -> Vec<usize> {
        let units = self.active.iter().enumerate();
        units
            .filter(|(_, active)| self.since.is_none() && is(**active))
            .map(|(unit, _)| unit)
            .collect()
    }

    /// The share of the penalty that each unit has, where there is one above 0.
    pub fn penalty_shares(&self) -> Option<Vec<f64>> {
        let (rho, _) = self.target?;
        let parts = self.means.iter().map(|&mean| divergence(rho, mean.into()));
        let parts: Vec<f64> = parts.collect();
        let sum: f64 = parts.iter().sum();
        (sum > 0.0).then(|| parts.iter().map(|part| part / sum).collect())
    }

    /// The share of units whose mean lies within `distance` of the target.
    pub fn near_target(&self, distance: f64) -> Option<f64> {
        let (rho, _) = self.target?;
        let is_near = |mean: &&f32| (f64::from(**mean) - rho).abs() <= distance;
        let near = self.means.iter().filter(is_near).count();
        Some(near as f64 / self.means.len().max(1) as f64)
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
    pub split: (ImagesOf, &'a SplitData),
    /// So many of them at most.
    pub most: usize,
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
    let key = measured_layer(inference, what.sparsity)?;
    let (split, data) = what.split;
    let (mut sums, mut counts) = (Vec::new(), Vec::new());
    let (mut values, mut images) = (0, 0);
    // Shuffled: splits may come class by class.
    let order = epoch_order(data.len(), 0, 0);
    for indices in order[..order.len().min(what.most)].chunks(BATCH) {
        let batch = Activations::of(mirror, what.route, data, indices, &key)?;
        batch.add_to(&mut sums, &mut counts);
        values += batch.values.len() / batch.units;
        images += indices.len();
        if what.until.is_some_and(|until| Instant::now() > until) {
            break;
        }
    }
    let means: Vec<f32> = sums
        .iter()
        .map(|sum| (sum / values.max(1) as f64) as f32)
        .collect();
    let share = |count: &u64| (*count as f64 / values.max(1) as f64) as f32;
    let active = counts.iter().map(share).collect();
    let kl = what.sparsity.filter(|sparsity| sparsity.beta > 0.0);
    let target = kl.map(|sparsity| (sparsity.rho, sparsity.beta));
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
        active,
        target,
        penalty,
        since: None,
    })
}

/// What a layer gives for some images.
pub(crate) struct Activations {
    /// Units of the layer.
    units: usize,
    /// The images' values, a row of units for each position.
    values: Vec<f32>,
}

impl Activations {
    /// Of images of a split.
    fn of(
        mirror: &mut InspectionNetwork,
        route: Route,
        data: &SplitData,
        indices: &[u32],
        key: &str,
    ) -> Result<Activations, SparseError> {
        let [height, width, channels] = data.image_shape();
        let mut images = vec![0.0; indices.len() * height * width * channels];
        fill_batch(data, indices, &mut images, &mut vec![0; indices.len()])?;
        let network = mirror.network();
        let shape = (indices.len(), height, width, channels);
        let images = Tensor::from_vec(images, shape, network.device())?;
        network.forward(route, &images, Mode::Eval)?;
        let outputs = network.outputs();
        let output = outputs.iter().find(|(found, _)| *found == key);
        let output = output.map(|(_, output)| output);
        let output = output.ok_or_else(|| SparseError::NoLayer(key.to_owned()))?;
        let values = output.flatten_all()?.to_device(&Device::Cpu)?;
        Ok(Activations {
            units: output.dims().last().copied().unwrap_or(1).max(1),
            values: values.to_vec1::<f32>()?,
        })
    }

    /// Adds them to the sums of the units, and to the numbers of values above [`ACTIVE`].
    fn add_to(&self, sums: &mut Vec<f64>, active: &mut Vec<u64>) {
        sums.resize(self.units, 0.0);
        active.resize(self.units, 0);
        for row in self.values.chunks_exact(self.units) {
            for ((sum, active), value) in sums.iter_mut().zip(active.iter_mut()).zip(row) {
                *sum += f64::from(*value);
                *active += u64::from(*value > ACTIVE);
            }
        }
    }

    /// The values of one unit, image after image.
    fn unit(&self, unit: usize) -> impl Iterator<Item = f32> + '_ {
        self.values.iter().skip(unit).step_by(self.units).copied()
    }
}

/// KL(ρ‖ρ̂) of two coins.
fn divergence(rho: f64, mean: f64) -> f64 {
    let mean = mean.clamp(MARGIN, 1.0 - MARGIN);
    rho * (rho / mean).ln() + (1.0 - rho) * ((1.0 - rho) / (1.0 - mean)).ln()
}

/// The key of the layer that is measured: the one the sparsity names, or the encoder's last.
fn measured_layer(
    inference: &Inference,
    sparsity: Option<&Sparsity>,
) -> Result<String, SparseError> {
    let name = sparsity.and_then(|sparsity| sparsity.at.as_deref());
    let name = name.unwrap_or(Stack::Encoder.name());
    last_layer(inference, name).ok_or_else(|| match name.parse::<Target>() {
        Ok(Target::Stack(stack)) => SparseError::NoLayers(stack),
        Ok(Target::Node(_)) | Err(_) => SparseError::NoLayer(name.to_owned()),
    })
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
    /// Usually up to 2,000 images of the split that the stage trains on.
    type Request = FromSplit;

    /// Of the last stage with a sparsity, or of the last one.
    fn compute(cx: &mut InspectionContext<'_>, request: &FromSplit) -> Result<Self, InspectError> {
        let dataset = cx.images()?;
        let deadline = cx.deadline;
        let run = cx.run()?;
        let (inference, step) = (run.inference, run.step);
        let stage = measured_stage(run.stages);
        let what = Measured {
            route: stage.task.into(),
            sparsity: stage.sparsity.as_ref(),
            split: measured_split(dataset, &stage, request.split)?,
            most: request.limit.unwrap_or(MOST_IMAGES),
            until: deadline,
        };
        Ok(measure(cx.mirror()?, inference, what, step)?)
    }

    /// Means and shares less those of then. The target is no change and is left out.
    fn change_since(&self, earlier: &Self) -> Result<Self, InspectError> {
        if (&self.layer, self.split) != (&earlier.layer, earlier.split) {
            return Err(InspectError::Input(format!(
                "the code was {} then and is {} now, so they have no difference: look at each step by itself",
                earlier.layer, self.layer
            )));
        }
        let mut made = self.clone();
        subtract(&mut made.means, &earlier.means)?;
        subtract(&mut made.active, &earlier.active)?;
        let [now, then] = [self, earlier].map(SparseCode::dead);
        made.since = Some(UnitChanges {
            step: earlier.step,
            died: only_in(&now, &then),
            revived: only_in(&then, &now),
        });
        made.target = None;
        let penalties = self.penalty.zip(earlier.penalty);
        made.penalty = penalties.map(|(now, then)| now - then);
        Ok(made)
    }

    fn step(&self) -> Option<u64> {
        Some(self.step)
    }
}

/// The last stage with a sparsity, or the last one.
fn measured_stage(stages: &[Stage]) -> Stage {
    let sparse = stages.iter().find(|stage| stage.sparsity.is_some());
    sparse.or(stages.first()).cloned().unwrap_or_default()
}

/// The split that is asked for; else the one that the stage trains on, or the first there is.
fn measured_split<'a>(
    dataset: &'a Dataset,
    stage: &Stage,
    asked: Option<Split>,
) -> Result<(ImagesOf, &'a SplitData), InspectError> {
    let (split, data) = match asked {
        Some(_) => split_of(dataset, asked)?,
        None => {
            let split = dataset.split(stage.split).map(|data| (stage.split, data));
            split
                .or_else(|| dataset.splits().next())
                .ok_or_else(|| InspectError::Input("there are no images to measure".to_owned()))?
        }
    };
    Ok((ImagesOf::of(dataset, split), data))
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
