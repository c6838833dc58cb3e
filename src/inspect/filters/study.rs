//! A layer's filters looked at closely: what their weights say, how active each is, and what the network does without
//! some of them.
//!
//! A filter that is switched off gives 0 behind its activation for every image: its weights and its bias are 0, so are
//! scale and shift of a batch or group norm right behind it, and before a sigmoid the bias lies far below 0. What a
//! decoder paints from one of its inputs is switched off by the weights of that input. All of it happens in a copy of
//! the network. Fails as the network and the reading of images do, and for filters that are not there.

mod switch;

use super::measures::{self, FREQUENCIES, Flag, Measures, Responses, flags};
use super::{Filters, Request as Layer, parameter_of};
use crate::attribution::score::numbers;
use crate::batches::{Batch, Walk};
use crate::confusion::classifying;
use crate::image_set::{Chosen, ImagesOf};
use crate::inspection::{InspectError, Inspection, InspectionContext, Needs};
use crate::predictions::softmax;
use crate::reconstructions::split_of;
use crate::slices::{SliceOf, shown, shown_size};
use candle_core::Tensor;
use strata_core::project::{Place, Stack};
use strata_data::Dataset;
use strata_nn::{Mode, Network, Route};
use switch::{Behind, Switch};

/// Images that are asked unless a limit is given.
pub const IMAGES: usize = 1000;
/// Images shown with and without the filters.
pub const EXAMPLES: usize = 8;
/// Images at a time, and while a run trains.
const BATCH: usize = 100;
const LIVE: usize = 25;
/// Multiplications that comparing all pairs, and their Fourier transforms, may take while a run trains.
const MOST_LIVE: usize = 1 << 26;

/// What is asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Request {
    /// Whose filters.
    pub layer: Layer,
    /// The filters that are switched off, from 0.
    pub off: Vec<u32>,
    /// The split, and how many of its images are asked.
    pub chosen: Chosen,
    /// Show weights on whitened images as they are, instead of on the images' own pixels.
    pub whitened: bool,
}

/// How well the network does on the images asked.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Score {
    /// The share of right answers; `None` where nothing is classified.
    pub accuracy: Option<f64>,
    /// Mean squared error in pixels; `None` where nothing is reconstructed.
    pub mse: Option<f64>,
    /// The same as PSNR in dB.
    pub psnr: Option<f64>,
}

/// The first images asked, with all filters and without those switched off.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Examples {
    /// Height, width and channels of an image.
    pub size: [usize; 3],
    /// Which slice of volumes is shown; `None` of images.
    pub slice: Option<SliceOf>,
    /// Their right classes.
    pub labels: Vec<Option<u32>>,
    /// `N × H × W × C` bytes.
    pub inputs: Vec<u8>,
    /// The most probable class of each, with all and without.
    pub answers: [Vec<(u32, f32)>; 2],
    /// `N × H × W × C` bytes of the reconstructions, with all and without.
    pub outputs: [Vec<u8>; 2],
}

impl Examples {
    /// The bytes of one of the images, of inputs or outputs.
    pub fn image<'a>(&self, bytes: &'a [u8], index: usize) -> &'a [u8] {
        let size = self.size.iter().product::<usize>();
        bytes
            .get(index * size..(index + 1) * size)
            .unwrap_or_default()
    }
}

/// A layer's filters looked at closely.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct FilterStudy {
    /// The filters.
    pub filters: Filters,
    /// Each in numbers.
    pub measures: Vec<Measures>,
    /// The filters in an order in which each stands behind the one it is most like; empty where a run in training has
    /// no time to compare them.
    pub by_likeness: Vec<u32>,
    /// Which frequencies pass each; `None` of filters without places, and of volumes.
    pub responses: Option<Responses>,
    /// The classes' names.
    pub classes: Vec<String>,
    /// Whose images were asked.
    pub split: ImagesOf,
    /// How many, of how many.
    pub images: usize,
    /// See `images`.
    pub of: usize,
    /// Those that are switched off, from 0.
    pub off: Vec<u32>,
    /// With all filters, and without those that are switched off.
    pub scores: [Score; 2],
    /// A few of the images.
    pub examples: Examples,
}

/// In which order filters are shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Order {
    /// As the layer has them.
    #[default]
    Layer,
    /// The largest norm first.
    Norm,
    /// Like ones side by side.
    Likeness,
    /// The most active first.
    Activity,
}

impl Order {
    /// All of them.
    pub const ALL: [Order; 4] = [Order::Layer, Order::Norm, Order::Likeness, Order::Activity];

    /// Its word in the terminal.
    pub fn word(self) -> &'static str {
        match self {
            Order::Layer => "layer",
            Order::Norm => "norm",
            Order::Likeness => "similarity",
            Order::Activity => "activation",
        }
    }
}

impl FilterStudy {
    /// The filters in this order, from 0.
    pub fn order(&self, order: Order) -> Vec<usize> {
        let mut all: Vec<usize> = (0..self.measures.len()).collect();
        let key = |index: &usize| match order {
            Order::Norm => self.measures[*index].norm,
            _ => self.measures[*index].activity.unwrap_or(f32::NEG_INFINITY),
        };
        match order {
            Order::Layer => {}
            Order::Likeness if self.by_likeness.is_empty() => {}
            Order::Likeness => all = self.by_likeness.iter().map(|at| *at as usize).collect(),
            Order::Norm | Order::Activity => all.sort_by(|a, b| key(b).total_cmp(&key(a))),
        }
        all
    }

    /// Why filters deserve a look; nothing of a change of weights.
    pub fn flags(&self) -> Vec<Vec<Flag>> {
        match self.filters.since {
            Some(_) => vec![Vec::new(); self.measures.len()],
            None => flags(&self.measures),
        }
    }

    /// A class's name; its number where it has none.
    pub fn class_name(&self, class: u32) -> String {
        crate::class_name(&self.classes, class)
    }
}

/// What is asked of the network for each batch.
struct Asked<'a> {
    dataset: &'a Dataset,
    classifies: bool,
    reconstructs: bool,
    route: Route,
    /// Whose activity is measured: of the input of the layer (what a decoder paints from), or of what it gives.
    tap: (Place, bool),
}

/// Sums over the images asked so far.
#[derive(Default)]
struct Sums {
    images: usize,
    labelled: usize,
    right: [usize; 2],
    squares: [f64; 2],
    activity: Vec<f64>,
    zeros: Vec<usize>,
    values: usize,
}

impl Sums {
    /// Asks the network once, with all filters (0) or without some (1).
    fn ask(
        &mut self,
        network: &mut Network,
        asked: &Asked<'_>,
        (images, batch): (&Tensor, &Batch),
        (which, examples): (usize, &mut Examples),
    ) -> Result<(), InspectError> {
        if which == 0 {
            network.set_taps(std::slice::from_ref(&asked.tap.0))?;
        }
        if asked.reconstructs {
            let output = numbers(&network.forward(Route::Reconstruct, images, Mode::Eval)?)?;
            let units = asked.dataset.pixel_units();
            let mean = units.mean_square(&output, &batch.values);
            self.squares[which] += mean * batch.len() as f64;
            let size: usize = examples.size.iter().product();
            let kept = &mut examples.outputs[which];
            let room = (EXAMPLES * size)
                .saturating_sub(kept.len())
                .min(output.len());
            kept.extend(asked.dataset.to_pixels(&output[..room]));
            self.measure(network, asked, which, Route::Reconstruct)?;
        }
        if asked.classifies {
            let output = network.forward(Route::Classify, images, Mode::Eval)?;
            let scores = numbers(&network.logits(&output)?)?;
            let answers = (scores.len() / batch.len().max(1)).max(1);
            for (label, scores) in batch.labels.iter().zip(scores.chunks_exact(answers)) {
                let said = taken(&softmax(scores));
                self.right[which] += usize::from(*label == Some(said.0));
                if examples.answers[which].len() < EXAMPLES {
                    examples.answers[which].push(said);
                }
            }
            self.measure(network, asked, which, Route::Classify)?;
        }
        if !asked.classifies && !asked.reconstructs {
            network.forward(asked.route, images, Mode::Eval)?;
            self.measure(network, asked, which, asked.route)?;
        }
        network.set_taps(&[])?;
        Ok(())
    }

    /// Adds what passed the tapped layer, once for each batch.
    fn measure(
        &mut self,
        network: &Network,
        asked: &Asked<'_>,
        which: usize,
        route: Route,
    ) -> Result<(), InspectError> {
        let taps = network.taps();
        let tap = taps.last().filter(|_| which == 0 && route == asked.route);
        let tensor = tap.and_then(|tap| if asked.tap.1 { tap.input } else { tap.output });
        let Some(tensor) = tensor else { return Ok(()) };
        let units = tensor.dims().last().copied().unwrap_or(1).max(1);
        let values = numbers(tensor)?;
        self.activity.resize(units, 0.0);
        self.zeros.resize(units, 0);
        for row in values.chunks_exact(units) {
            for (unit, value) in row.iter().enumerate() {
                self.activity[unit] += f64::from(value.abs());
                self.zeros[unit] += usize::from(*value == 0.0);
            }
        }
        self.values += values.len() / units;
        Ok(())
    }

    fn score(&self, asked: &Asked<'_>, which: usize) -> Score {
        let is_counted = asked.classifies && self.labelled > 0;
        let mse = asked
            .reconstructs
            .then(|| self.squares[which] / self.images.max(1) as f64);
        Score {
            accuracy: is_counted.then(|| self.right[which] as f64 / self.labelled as f64),
            mse,
            psnr: mse.map(|mse| asked.dataset.pixel_units().psnr(mse)),
        }
    }
}

/// The most probable class.
fn taken(probabilities: &[f32]) -> (u32, f32) {
    let all = (0..).zip(probabilities.iter().copied());
    all.reduce(|best: (u32, f32), next| if next.1 > best.1 { next } else { best })
        .unwrap_or((0, f32::NAN))
}

impl Inspection for FilterStudy {
    const NAME: &'static str = "study of filters";
    const NEEDS: Needs = Needs::RunWithImages;
    type Request = Request;

    fn compute(cx: &mut InspectionContext<'_>, request: &Request) -> Result<Self, InspectError> {
        let filters = Filters::compute(cx, &request.layer)?;
        if let Some(wrong) = request
            .off
            .iter()
            .find(|off| **off as usize >= filters.count)
        {
            return Err(InspectError::Input(format!(
                "there is no filter {}: {} has {}",
                wrong + 1,
                filters.key,
                filters.count
            )));
        }
        // Right answers are those of images with one class each.
        let classifies = classifying(cx).is_ok() && !cx.images()?.has_label_sets();
        let is_live = cx.deadline.is_some();
        let dataset = cx.images()?;
        let run = cx.run()?;
        let inference = run.inference;
        let none = || InspectError::Input("the encoder has an error".to_owned());
        let plan = inference.plan.as_ref().ok_or_else(none)?;
        let parameter = parameter_of(run.network, &request.layer).ok_or_else(none)?;
        let layer = crate::layer_of(inference, &parameter.key).map(|(layer, _)| layer);
        let place = parameter.place.clone();
        let has_places = filters.height > 1 || parameter.value.dims().len() > 2;
        let behind = layer
            .map(|layer| Behind::of(plan, &layer.key))
            .unwrap_or_default();
        let switch = Switch::new(
            run.network,
            parameter,
            layer,
            &behind,
            &request.off,
            filters.are_templates,
        )?;
        let reconstructs = inference.output_equals_input == Some(true);
        let tapped = match (filters.are_templates, behind.last) {
            (false, Some(last)) => last,
            _ => place.clone(),
        };
        let asked = Asked {
            dataset,
            classifies: classifies && place.stack != Stack::Decoder,
            reconstructs: reconstructs && place.stack != Stack::Head,
            route: match (place.stack, reconstructs) {
                (Stack::Decoder, _) => Route::Reconstruct,
                (Stack::Encoder, true) if !classifies => Route::Reconstruct,
                _ => Route::Classify,
            },
            tap: (tapped, filters.are_templates),
        };
        let mut study = FilterStudy {
            measures: measures::by_weights(&filters, has_places),
            classes: dataset.classes().to_vec(),
            off: request.off.clone(),
            filters,
            ..FilterStudy::default()
        };
        study.compare(has_places, is_live);
        // The measures are of the network's own weights; what is drawn lies on pixels.
        if !request.whitened {
            let network = &*cx.run()?.network;
            study
                .filters
                .put_on_pixels(network, &request.layer, dataset);
        }
        if study.filters.on_pixels && study.responses.is_some() {
            study.responses = Some(Responses::new(&study.filters));
        }
        study.ask(cx, &asked, &switch, &request.chosen)?;
        study.examples.show(SliceOf::of(dataset, cx.slice));
        Ok(study)
    }

    /// Norms are those of the change; what else is measured of weights says nothing about a change of them.
    fn change_since(&self, earlier: &Self) -> Result<Self, InspectError> {
        let mut made = self.clone();
        made.filters = self.filters.change_since(&earlier.filters)?;
        made.responses = None;
        made.by_likeness.clear();
        let changes = measures::by_weights(&made.filters, false);
        let before = earlier.measures.iter().map(|before| before.activity);
        for ((measures, change), before) in made.measures.iter_mut().zip(changes).zip(before) {
            let activity = measures.activity.zip(before);
            *measures = Measures {
                norm: change.norm,
                activity: activity.map(|(now, before)| now - before),
                ..Measures::default()
            };
        }
        Ok(made)
    }

    fn step(&self) -> Option<u64> {
        Some(self.filters.step)
    }
}

impl FilterStudy {
    /// Compares all pairs, and takes the Fourier transforms.
    fn compare(&mut self, has_places: bool, is_live: bool) {
        let filters = &self.filters;
        let planes = filters.count * filters.channels;
        let transforms = planes * filters.height * FREQUENCIES * FREQUENCIES;
        let pairs = filters.count * filters.values.len();
        if is_live && pairs.max(transforms) > MOST_LIVE {
            return;
        }
        let cosines = measures::cosines(filters, &self.measures);
        measures::set_nearest(&mut self.measures, &cosines);
        self.by_likeness = measures::chain(&self.measures, &cosines);
        let has_frequencies = has_places && filters.depth() == 1;
        self.responses = has_frequencies.then(|| Responses::new(filters));
    }

    fn ask(
        &mut self,
        cx: &mut InspectionContext<'_>,
        asked: &Asked<'_>,
        switch: &Switch,
        chosen: &Chosen,
    ) -> Result<(), InspectError> {
        let (split, data) = split_of(asked.dataset, chosen.split)?;
        let most = chosen.limit.unwrap_or(IMAGES);
        let batch = if cx.deadline.is_some() { LIVE } else { BATCH };
        let walk = Walk::drawn(data.len(), most, batch, "asking the network");
        self.examples.size = data.image_shape();
        self.split = ImagesOf::of(asked.dataset, split);
        self.of = data.len();
        let is_changed = !self.off.is_empty();
        let mut sums = Sums::default();
        let mut mirror = cx.take_mirror()?;
        let read = |indices: &[u32]| Batch::read(data, indices);
        sums.images = walk.each(cx, read, |_, batch| {
            let network = mirror.network();
            let images = batch.tensor(network.device())?;
            self.examples.add(asked.dataset, &batch);
            for which in 0..=usize::from(is_changed) {
                switch.turn(network, which == 1);
                sums.ask(
                    network,
                    asked,
                    (&images, &batch),
                    (which, &mut self.examples),
                )?;
            }
            switch.turn(network, false);
            sums.labelled += batch.labels.iter().flatten().count();
            Ok(())
        })?;
        cx.return_mirror(mirror);
        self.images = sums.images;
        self.scores[0] = sums.score(asked, 0);
        self.scores[1] = sums.score(asked, usize::from(is_changed));
        // A layer that does not keep its filters' channels has no activity by filter.
        if sums.activity.len() == self.measures.len() {
            let sums = sums.activity.iter().zip(&sums.zeros).map(|(sum, zeros)| {
                (
                    sum / sums.values.max(1) as f64,
                    *zeros as f64 / sums.values.max(1) as f64,
                )
            });
            for (measures, (mean, zeros)) in self.measures.iter_mut().zip(sums) {
                measures.activity = Some(mean as f32);
                measures.zeros = Some(zeros);
            }
        }
        Ok(())
    }
}

impl Examples {
    /// Leaves one slice of each volume.
    fn show(&mut self, slice: Option<SliceOf>) {
        for bytes in [&mut self.inputs].into_iter().chain(&mut self.outputs) {
            *bytes = shown(slice, bytes, self.size).into_owned();
        }
        self.size = shown_size(slice, self.size);
        self.slice = slice;
    }

    /// Keeps the first images.
    fn add(&mut self, dataset: &Dataset, batch: &Batch) {
        let size: usize = self.size.iter().product();
        let room = EXAMPLES.saturating_sub(self.labels.len()).min(batch.len());
        self.inputs
            .extend(dataset.to_pixels(&batch.values[..room * size]));
        self.labels.extend(&batch.labels[..room]);
    }
}

#[cfg(test)]
mod tests;
