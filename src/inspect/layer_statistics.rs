//! How active every layer is over a split: mean, deviation and share of zeros of its values, and the channels that are 0
//! for every image.
//!
//! Over all values of a layer, whatever image and position they are of. Running statistics are used, dropout and noise
//! are off. Of the passes of a repeat each has its own row. Fails as the network and the reading of images do.

use super::activity_change::{ActivityChange, only_in};
use super::attribution::score::numbers;
use super::batches::{Batch, Walk};
use super::image_set::{FromSplit, ImagesOf};
use super::inspection::{InspectError, Inspection, InspectionContext, Needs};
use super::reconstructions::split_of;
use super::{layer_of, route_through};
use candle_core::Tensor;
use rayon::prelude::*;
use serde::Serialize;
use strata_core::project::{Place, Stack};
use strata_core::shape::{Inference, Planned};
use strata_nn::{Mode, Network};

/// Images asked unless another number is wanted.
pub const IMAGES: usize = 1000;
/// Images at a time: the outputs of all layers are held at once.
const BATCH: usize = 16;

/// Which images: of test, or of the first split there is; [`IMAGES`] of them unless another number is wanted.
pub type Request = FromSplit;

/// A layer in numbers.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct LayerFigures {
    /// Its key, `encoder.0`.
    pub layer: String,
    /// Where it stands.
    #[serde(skip)]
    pub place: Place,
    /// Its text.
    pub text: String,
    /// Its channels, or units.
    pub channels: usize,
    /// The mean of all values.
    pub mean: f64,
    /// Their standard deviation.
    pub deviation: f64,
    /// The share that is exactly 0.
    pub zeros: f64,
    /// The channels that are 0 for every image at every position, from 0.
    pub dead: Vec<u32>,
    /// What has become of it since an earlier step, where that is shown.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub change: Option<LayerChange>,
}

/// What has become of a layer since an earlier step.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct LayerChange {
    /// How much its figures have grown.
    #[serde(flatten)]
    pub figures: ActivityChange,
    /// The channels that are dead now and were not, from 0.
    pub died: Vec<u32>,
    /// The channels that were dead and are not any more, from 0.
    pub revived: Vec<u32>,
}

impl LayerFigures {
    fn figures(&self) -> [f64; 3] {
        [self.mean, self.deviation, self.zeros]
    }

    fn change_since(&self, earlier: &LayerFigures) -> LayerChange {
        LayerChange {
            figures: ActivityChange::between(earlier.figures(), self.figures()),
            died: only_in(&self.dead, &earlier.dead),
            revived: only_in(&earlier.dead, &self.dead),
        }
    }
}

/// Every layer in numbers.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct LayerStatistics {
    /// Steps taken when they were measured.
    pub step: u64,
    /// The split, how many of its images were asked, and of how many.
    pub split: ImagesOf,
    /// See `split`.
    pub images: usize,
    /// See `split`.
    pub of: usize,
    /// The layers, in the order of the network.
    pub layers: Vec<LayerFigures>,
    /// The earlier step whose figures the changes are to, where they are shown.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub since: Option<u64>,
}

/// Sums over the values of a layer, by channel.
#[derive(Clone, Debug, Default)]
struct Sums {
    key: String,
    count: u64,
    sums: Vec<f64>,
    squares: Vec<f64>,
    zeros: Vec<u64>,
}

impl Sums {
    /// Adds values whose last axis are the channels.
    fn add(&mut self, values: &[f32], channels: usize) {
        self.sums.resize(channels, 0.0);
        self.squares.resize(channels, 0.0);
        self.zeros.resize(channels, 0);
        for row in values.chunks_exact(channels.max(1)) {
            for (channel, value) in row.iter().enumerate() {
                let value = f64::from(*value);
                self.sums[channel] += value;
                self.squares[channel] += value * value;
                self.zeros[channel] += u64::from(value == 0.0);
            }
        }
        self.count += (values.len() / channels.max(1)) as u64;
    }

    fn finished(self, inference: &Inference) -> Option<LayerFigures> {
        let (layer, row) = layer_of(inference, &self.key)?;
        let all = (self.count * self.sums.len() as u64).max(1) as f64;
        let mean = self.sums.iter().sum::<f64>() / all;
        let squares = self.squares.iter().sum::<f64>() / all;
        let dead = (0..)
            .zip(&self.zeros)
            .filter(|(_, zeros)| **zeros == self.count);
        Some(LayerFigures {
            layer: self.key.clone(),
            place: layer.place.clone(),
            text: row.text.clone(),
            channels: self.sums.len(),
            mean,
            deviation: (squares - mean * mean).max(0.0).sqrt(),
            zeros: self.zeros.iter().sum::<u64>() as f64 / all,
            dead: dead.map(|(channel, _)| channel).collect(),
            change: None,
        })
    }
}

impl Inspection for LayerStatistics {
    const NAME: &'static str = "figures of the layers";
    const NEEDS: Needs = Needs::RunWithImages;
    type Request = Request;

    fn compute(cx: &mut InspectionContext<'_>, request: &Request) -> Result<Self, InspectError> {
        let dataset = cx.images()?;
        let run = cx.run()?;
        let (step, inference) = (run.step, run.inference);
        let (split, data) = split_of(dataset, request.split)?;
        let none =
            || InspectError::Input("the network has an error, so nothing passes it".to_owned());
        let plan = inference.plan.as_ref().ok_or_else(none)?;
        // A decoder and a head need a pass each.
        let stacks = [Stack::Decoder, Stack::Head];
        let mut ends: Vec<Stack> = stacks
            .into_iter()
            .filter(|stack| plan.stack(*stack).is_some())
            .collect();
        if ends.is_empty() {
            ends.push(Stack::Encoder);
        }
        let mut places = Vec::new();
        plan.stacks
            .iter()
            .flatten()
            .for_each(|stack| collect(stack, &mut places));
        let walk = Walk::drawn(
            data.len(),
            request.limit.unwrap_or(IMAGES),
            BATCH,
            "asking the network",
        );
        let mut sums = Vec::new();
        let mut mirror = cx.take_mirror()?;
        mirror.network().set_taps(&places)?;
        let read = |indices: &[u32]| Batch::read(data, indices);
        let images = walk.each(cx, read, |_, batch| {
            let network = mirror.network();
            let images = batch.tensor(network.device())?;
            let mut seen = Vec::new();
            for end in &ends {
                network.forward(route_through(plan, *end), &images, Mode::Eval)?;
                add(&mut sums, network, &mut seen)?;
            }
            Ok(())
        });
        mirror.network().set_taps(&[])?;
        cx.return_mirror(mirror);
        let images = images?;
        Ok(LayerStatistics {
            step,
            split: ImagesOf::of(dataset, split),
            images,
            of: data.len(),
            layers: sums
                .into_iter()
                .filter_map(|sums| sums.finished(inference))
                .collect(),
            since: None,
        })
    }

    fn change_since(&self, earlier: &Self) -> Result<Self, InspectError> {
        let mut made = self.clone();
        made.since = Some(earlier.step);
        for layer in &mut made.layers {
            let mut then = earlier.layers.iter();
            let then = then.find(|then| then.layer == layer.layer);
            layer.change = then.map(|then| layer.change_since(then));
        }
        Ok(made)
    }

    fn step(&self) -> Option<u64> {
        Some(self.step)
    }
}

/// The places of all layers, those of blocks too.
fn collect(nodes: &[Planned], places: &mut Vec<Place>) {
    for node in nodes {
        match node {
            Planned::Layer(layer) => places.push(layer.place.clone()),
            Planned::Add { branches, .. } | Planned::Concat { branches, .. } => {
                branches.iter().for_each(|branch| collect(branch, places));
            }
            Planned::Repeat { passes, .. } => passes.iter().for_each(|pass| collect(pass, places)),
        }
    }
}

/// Adds what passed the layers, each once for a batch.
fn add(
    sums: &mut Vec<Sums>,
    network: &Network,
    seen: &mut Vec<String>,
) -> Result<(), InspectError> {
    let taps = network.taps();
    let passed = taps.iter().filter_map(|tap| Some((tap.key, tap.output?)));
    let new: Vec<(&str, &Tensor)> = passed
        .filter(|(key, _)| !seen.iter().any(|seen| seen == key))
        .collect();
    for (key, _) in &new {
        seen.push((*key).to_owned());
        if !sums.iter().any(|sums| sums.key == *key) {
            sums.push(Sums {
                key: (*key).to_owned(),
                ..Sums::default()
            });
        }
    }
    let mut work = Vec::new();
    for sums in sums.iter_mut() {
        if let Some((_, output)) = new.iter().find(|(key, _)| *key == sums.key) {
            let channels = output.dims().last().copied().unwrap_or(1).max(1);
            work.push((sums, numbers(output)?, channels));
        }
    }
    work.into_par_iter()
        .for_each(|(sums, values, channels)| sums.add(&values, channels));
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Against `numpy.mean`, `numpy.std` and `(x == 0).mean()` of the same numbers.
    #[test]
    fn sums_give_the_figures_of_numpy() {
        let mut sums = Sums {
            key: "encoder.0".to_owned(),
            ..Sums::default()
        };
        sums.add(&[0.0, 1.5, 0.0, -2.0, 0.0, 0.0], 3);
        sums.add(&[0.0, 4.25, 0.0], 3);
        let stacks = strata_testkit::networks::network("1x4x4", &["conv 3 k3"], &[], &[]);
        let inference = strata_core::shape::infer(&stacks);
        let figures = sums.finished(&inference).unwrap();
        assert!((figures.mean - 0.416_666_666_7).abs() < 1e-9);
        assert!(
            (figures.deviation - 1.589_898_669).abs() < 1e-9,
            "{}",
            figures.deviation
        );
        assert!((figures.zeros - 6.0 / 9.0).abs() < 1e-12);
        assert_eq!((figures.channels, figures.dead), (3, vec![2]));
    }
}
