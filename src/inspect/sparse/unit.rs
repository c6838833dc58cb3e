//! One unit of a sparse code: how its activations are spread, which images excite it most, what it looks for in an image
//! and what it paints into the reconstruction.

use super::super::exciting::{Field, cell, patch};
use super::super::filters::{self, Filters};
use super::super::gallery::{fitting, shrink};
use super::super::image_set::{FromSplit, ImagesOf};
use super::super::inspection::{InspectError, Inspection, InspectionContext, Needs};
use super::super::slices::{SliceOf, shown, shown_size};
use super::super::{layer_name, layer_of};
use super::{Activations, BATCH, MOST_IMAGES, measured_layer, measured_split, measured_stage};
use std::time::Instant;
use strata_core::project::{Place, Stack};
use strata_core::shape::Inference;
use strata_data::{Dataset, SplitData, epoch_order};
use strata_nn::{Network, NnError};

/// Images that excite it most, as many as are shown.
pub const BEST: usize = 12;
/// Bars of the histogram.
pub const BINS: usize = 20;

/// One unit.
#[derive(Clone, Debug, Default, PartialEq, serde::Serialize)]
pub struct SparseUnit {
    /// Steps taken when it was measured.
    pub step: u64,
    /// The layer with its text.
    pub layer: String,
    /// Its place in the layer, from 0.
    pub unit: usize,
    /// Units of the layer.
    pub units: usize,
    /// The split measured.
    pub split: ImagesOf,
    /// Images measured.
    pub images: usize,
    /// The mean of its activations.
    pub mean: f32,
    /// From where to where they go.
    pub range: [f32; 2],
    /// How many of them lie in each of [`BINS`] equal parts of the range.
    pub histogram: Vec<usize>,
    /// The images with the largest activation, falling: place in the split, and its largest activation there; none of
    /// a unit that is 0 everywhere.
    pub best: Vec<(u32, f32)>,
    /// Height, width and channels of the pictures.
    #[serde(skip)]
    pub size: [usize; 3],
    /// The pictures of `best`, `N × H × W × C` bytes; of a volume the slice in the middle of what is seen.
    #[serde(skip)]
    pub pixels: Vec<u8>,
    /// What it sees of each where that activation is, `H × W × 4` bytes of `patch_size`; empty where it sees the whole
    /// image. Of a volume in the slice in its middle.
    #[serde(skip)]
    pub patches: Vec<Vec<u8>>,
    /// Height and width of a patch.
    #[serde(skip)]
    pub patch_size: [usize; 2],
    /// Where in the image that is, with the padding.
    pub fields: Vec<Field>,
    /// What it looks for: its weights on an image's pixels, whitening undone. `None` where it sees another layer, not
    /// the image.
    #[serde(skip)]
    pub encoder: Option<Template>,
    /// What it paints: the pixels that one more of its activation adds to the reconstruction. `None` where another
    /// layer lies between.
    #[serde(skip)]
    pub decoder: Option<Template>,
}

/// Signed numbers as a picture.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Template {
    /// Height, width and channels.
    pub size: [usize; 3],
    /// Slices that lie one below the other in the height.
    pub slices: usize,
    /// H×W×C numbers.
    pub values: Vec<f32>,
}

impl Template {
    /// The same as filters have it, for their colours.
    pub fn as_filters(&self) -> Filters {
        let [height, width, channels] = self.size;
        Filters {
            count: 1,
            height,
            width,
            slices: self.slices,
            channels,
            values: self.values.clone(),
            ..Filters::default()
        }
    }
}

/// Which unit, over which images.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Request {
    /// Its place from 0 (the last one, where there are fewer); `None` for the one with the largest mean.
    pub unit: Option<usize>,
    /// As of all units: usually up to 2,000 images of the split that the stage trains on.
    pub images: FromSplit,
}

impl Request {
    /// A unit over the usual images.
    pub fn of(unit: Option<usize>) -> Request {
        Request {
            unit,
            ..Request::default()
        }
    }
}

/// What one pass over the images leaves.
struct Seen {
    indices: Vec<u32>,
    /// The largest activation of each unit for each image, a row for an image.
    peaks: Vec<f32>,
    /// All values of all units.
    batches: Vec<Activations>,
    units: usize,
}

impl Seen {
    /// The unit with the largest mean.
    fn strongest(&self) -> usize {
        let mut sums = Vec::new();
        for batch in &self.batches {
            batch.add_to(&mut sums, &mut Vec::new());
        }
        let larger = |best: usize, next: usize| if sums[next] > sums[best] { next } else { best };
        (0..sums.len()).reduce(larger).unwrap_or(0)
    }

    fn values(&self, unit: usize) -> Vec<f32> {
        self.batches
            .iter()
            .flat_map(|batch| batch.unit(unit))
            .collect()
    }

    /// What the unit sees of these images where its activation is largest; nothing where that is the whole image.
    fn fields(
        &self,
        unit: usize,
        best: &[(u32, f32)],
        inference: &Inference,
        key: &str,
    ) -> Vec<Field> {
        let found = layer_of(inference, key);
        let shape = found.and_then(|(_, row)| Some((&row.place, row.output.as_ref()?)));
        let Some((place, shape)) = shape.filter(|(_, shape)| shape.rank() > 0) else {
            return Vec::new();
        };
        let values = self.values(unit);
        let positions = shape.spatial().iter().product::<usize>().max(1);
        let field = |(index, _): &(u32, f32)| {
            let image = self.indices.iter().position(|found| found == index)?;
            let map = values.get(image * positions..(image + 1) * positions)?;
            let peak = (0..positions).reduce(|a, b| if map[b] > map[a] { b } else { a })?;
            Field::of(inference, place, &cell(peak, shape.spatial()))
        };
        let fields: Option<Vec<Field>> = best.iter().map(field).collect();
        fields.unwrap_or_default()
    }

    /// The images with the largest activation of a unit.
    fn best(&self, unit: usize) -> Vec<(u32, f32)> {
        let peaks = self.peaks.iter().skip(unit).step_by(self.units.max(1));
        let mut all: Vec<(u32, f32)> = self.indices.iter().copied().zip(peaks.copied()).collect();
        all.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
        all.truncate(BEST);
        // What is 0 everywhere is excited by no image.
        let is_dead = self.values(unit).iter().all(|value| *value == 0.0);
        if is_dead { Vec::new() } else { all }
    }
}

impl Inspection for SparseUnit {
    const NAME: &'static str = "unit of the sparse code";
    const NEEDS: Needs = Needs::RunWithImages;
    type Request = Request;

    fn compute(cx: &mut InspectionContext<'_>, request: &Request) -> Result<Self, InspectError> {
        let dataset = cx.images()?;
        let deadline = cx.deadline;
        let run = cx.run()?;
        let (inference, step) = (run.inference, run.step);
        let stage = measured_stage(run.stages);
        let key = measured_layer(inference, stage.sparsity.as_ref())?;
        let (split, data) = measured_split(dataset, &stage, request.images.split)?;
        let mut seen = Seen {
            indices: Vec::new(),
            peaks: Vec::new(),
            batches: Vec::new(),
            units: 0,
        };
        let mut order = epoch_order(data.len(), 0, 0);
        order.truncate(request.images.limit.unwrap_or(MOST_IMAGES));
        let mirror = cx.mirror()?;
        for indices in order.chunks(BATCH) {
            let batch = Activations::of(mirror, stage.task.into(), data, indices, &key)?;
            seen.units = batch.units;
            let positions = batch.values.len() / (batch.units * indices.len()).max(1);
            for image in batch.values.chunks_exact((positions * batch.units).max(1)) {
                seen.peaks.extend(peaks(image, batch.units));
            }
            seen.indices.extend(indices);
            seen.batches.push(batch);
            if deadline.is_some_and(|until| Instant::now() > until) {
                break;
            }
        }
        let wanted = request.unit.unwrap_or_else(|| seen.strongest());
        let unit = wanted.min(seen.units.saturating_sub(1));
        let network = &*cx.run()?.network;
        let (encoder, decoder) = templates(network, inference, dataset, &key, [unit, seen.units])?;
        let values = seen.values(unit);
        let best = seen.best(unit);
        let fields = seen.fields(unit, &best, inference, &key);
        let (size, pixels) = pictures(dataset, data, &best, &fields)?;
        let (patch_size, patches) = patches(dataset, data, &best, &fields)?;
        let sum: f64 = values.iter().map(|value| f64::from(*value)).sum();
        let range = range(&values);
        Ok(SparseUnit {
            step,
            layer: layer_name(inference, &key),
            unit,
            units: seen.units,
            split,
            images: seen.indices.len(),
            mean: (sum / values.len().max(1) as f64) as f32,
            range,
            histogram: histogram(&values, range),
            best,
            size,
            pixels,
            patches,
            patch_size,
            fields,
            encoder,
            decoder,
        })
    }

    fn step(&self) -> Option<u64> {
        Some(self.step)
    }
}

/// The largest value of each unit over an image's positions.
fn peaks(image: &[f32], units: usize) -> Vec<f32> {
    let mut peaks = vec![f32::NEG_INFINITY; units];
    for row in image.chunks_exact(units) {
        let pairs = peaks.iter_mut().zip(row);
        pairs.for_each(|(peak, value)| *peak = peak.max(*value));
    }
    peaks
}

/// From 0, or the least value below it, to the largest.
fn range(values: &[f32]) -> [f32; 2] {
    let finite = || values.iter().copied().filter(|value| value.is_finite());
    [finite().fold(0.0, f32::min), finite().fold(0.0, f32::max)]
}

fn histogram(values: &[f32], [low, high]: [f32; 2]) -> Vec<usize> {
    let mut counts = vec![0; BINS];
    let width = (high - low) / BINS as f32;
    for value in values.iter().filter(|value| value.is_finite()) {
        let bin = if width > 0.0 {
            ((value - low) / width) as usize
        } else {
            0
        };
        counts[bin.min(BINS - 1)] += 1;
    }
    counts
}

/// The slice that is shown of a volume: the one in the middle of what is seen.
fn slice_of(dataset: &Dataset, field: Option<&Field>) -> Option<SliceOf> {
    let slices = dataset.depth().unwrap_or(1);
    SliceOf::of(dataset, field.map(|field| field.slice(slices)))
}

/// The images as they are shown, large ones smaller.
fn pictures(
    dataset: &Dataset,
    data: &SplitData,
    best: &[(u32, f32)],
    fields: &[Field],
) -> Result<([usize; 3], Vec<u8>), InspectError> {
    let whole = data.image_shape();
    let size @ [height, width, channels] = shown_size(slice_of(dataset, None), whole);
    let [tall, wide] = fitting([height, width]);
    let mut pixels = Vec::with_capacity(best.len() * tall * wide * channels);
    let mut values = vec![0.0; whole.iter().product()];
    for (at, (index, _)) in best.iter().enumerate() {
        data.read(*index as usize, &mut values)?;
        let bytes = dataset.to_pixels(&values);
        let bytes = shown(slice_of(dataset, fields.get(at)), &bytes, whole);
        pixels.extend(shrink(bytes.into_owned(), size, [tall, wide]));
    }
    Ok(([tall, wide, channels], pixels))
}

/// What is seen of the images, cut out.
fn patches(
    dataset: &Dataset,
    data: &SplitData,
    best: &[(u32, f32)],
    fields: &[Field],
) -> Result<([usize; 2], Vec<Vec<u8>>), InspectError> {
    let mut cut = Vec::with_capacity(fields.len());
    let mut size = [0; 2];
    let whole = data.image_shape();
    let mut values = vec![0.0; whole.iter().product()];
    for ((index, _), field) in best.iter().zip(fields) {
        data.read(*index as usize, &mut values)?;
        let slice = slice_of(dataset, Some(field));
        let bytes = dataset.to_pixels(&values);
        let bytes = shown(slice, &bytes, whole);
        if let Some((patch_size, rgba)) = patch(&bytes, shown_size(slice, whole), Some(field)) {
            size = patch_size;
            cut.push(rgba);
        }
    }
    // Where fields differ in size (of an adaptive pooling) there is no row of like patches.
    let is_like = cut.iter().all(|rgba| rgba.len() == 4 * size[0] * size[1]);
    Ok((size, if is_like { cut } else { Vec::new() }))
}

type Templates = (Option<Template>, Option<Template>);

/// What a unit looks for and paints.
fn templates(
    network: &Network,
    inference: &Inference,
    dataset: &Dataset,
    key: &str,
    [unit, units]: [usize; 2],
) -> Result<Templates, NnError> {
    let image: usize = dataset.shape().iter().product();
    let of = |request: filters::Request, paints: bool| -> Result<Option<Template>, NnError> {
        let found = filters::of_layer(network, inference, &request, 0)?;
        let Some(bank) = found.filter(|bank| bank.count == units && bank.are_templates == paints)
        else {
            return Ok(None);
        };
        let size = [bank.height, bank.width, bank.channels];
        let each: usize = size.iter().product();
        let values = bank.values.get(unit * each..(unit + 1) * each);
        Ok(values.map(|values| Template {
            size,
            slices: bank.slices,
            values: values.to_vec(),
        }))
    };
    let first = filters::Request::First;
    let is_first = weights_before(network, key).is_some_and(|place| {
        let first = network
            .parameters()
            .iter()
            .find(|p| p.value.dims().len() >= 2);
        first.is_some_and(|first| first.place == place)
    });
    let mut encoder = if is_first { of(first, false)? } else { None };
    let is_code = key.starts_with(Stack::Encoder.name());
    let only = |stack: Stack| {
        let all = network.parameters().iter();
        all.filter(|p| p.place.stack == stack && p.value.dims().len() >= 2)
            .count()
            == 1
    };
    let mut decoder = match is_code && only(Stack::Decoder) {
        true => of(filters::Request::Decoder, true)?,
        false => None,
    };
    if let Some(transform) = dataset.transform() {
        let is_image = |template: &&mut Template| template.values.len() == image;
        if let Some(template) = encoder.as_mut().filter(is_image) {
            transform.weights_on_pixels(&mut template.values);
        }
        if let Some(template) = decoder.as_mut().filter(is_image) {
            transform.undo_differences(&mut template.values);
        }
    }
    Ok((encoder, decoder))
}

/// The layer with weights that a layer's values come from: itself, or the last one before it.
fn weights_before(network: &Network, key: &str) -> Option<Place> {
    let stack = key.split('.').next()?;
    let position = |key: &str| -> Option<usize> { key.split('.').nth(1)?.parse().ok() };
    let until = position(key)?;
    let weights = network.parameters().iter().rfind(|parameter| {
        let is_before = position(&parameter.key).is_some_and(|at| at <= until);
        parameter.key.split('.').next() == Some(stack)
            && is_before
            && parameter.value.dims().len() >= 2
    });
    weights.map(|weights| weights.place.clone())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_image_excites_a_dead_unit() {
        // Two images, two units at one place: the second unit is 0 for both.
        let batch = Activations {
            units: 2,
            values: vec![0.2, 0.0, 0.7, 0.0],
        };
        let seen = Seen {
            indices: vec![5, 9],
            peaks: batch.values.clone(),
            batches: vec![batch],
            units: 2,
        };
        assert_eq!(seen.best(0), [(9, 0.7), (5, 0.2)]);
        assert_eq!(seen.best(1), []);
    }
}
