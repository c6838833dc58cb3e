//! The code of an image changed by hand, and what the decoder makes of it: single units moved, the way from one image
//! to another, noise added to the code, and what the decoder paints from each unit alone.
//!
//! Units are counted in the order C, H, W (of volumes C, D, H, W), as PyTorch would flatten the code. The decoder works
//! at rest. Where it has an unpooling, that takes the places of the first image's largest values. Fails as the network
//! does, without a decoder whose output equals the input, and for units that are not there.

use super::attribution::score::numbers;
use super::inspection::{InspectError, Inspection, InspectionContext, Needs};
use super::reconstruction_errors::reconstructing;
use super::slices::{SliceOf, shown, shown_size};
use candle_core::Tensor;
use rand_distr::{Distribution, StandardNormal};
use std::path::PathBuf;
use strata_core::rng::{Purpose, stream};
use strata_core::shape::op::Op;
use strata_core::shape::{Plan, Planned};
use strata_data::Dataset;
use strata_nn::{Network, Route};

/// Pictures on the way from one image to another, both ends included, and pictures with noise.
pub const STEPS: usize = 8;
/// Units that are painted alone: those that differ most between images.
pub const PAINTED: usize = 32;

/// What is asked for.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Request {
    /// Which probe image, from 0.
    pub image: usize,
    /// An image file instead.
    pub file: Option<PathBuf>,
    /// The probe image at the other end of the way.
    pub other: Option<usize>,
    /// Units with the values that they are given.
    pub edits: Vec<(u32, f32)>,
    /// Noise, in standard deviations of each unit over the probe images.
    pub noise: f32,
    /// Which noise.
    pub seed: u64,
}

/// A unit over the probe images.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct UnitRange {
    /// Its smallest value.
    pub low: f32,
    /// Its largest value.
    pub high: f32,
    /// Its standard deviation.
    pub std: f32,
}

/// What the decoder makes of changed codes.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct CodeEdit {
    /// Steps taken when it was made.
    pub step: u64,
    /// The image, of how many.
    pub image: [usize; 2],
    /// The code's shape without the batch: `C`, or `C × H × W`.
    pub shape: Vec<usize>,
    /// The image's code as the network gives it.
    pub code: Vec<f32>,
    /// The same with the edits.
    pub edited: Vec<f32>,
    /// Every unit over the probe images.
    pub ranges: Vec<UnitRange>,
    /// Height, width and channels of an image.
    pub size: [usize; 3],
    /// Which slice of volumes is shown; `None` of images.
    pub slice: Option<SliceOf>,
    /// `H × W × C` bytes: the image, its reconstruction, and that of the edited code.
    pub pictures: [Vec<u8>; 3],
    /// [`STEPS`] pictures on the way to the other image; empty without one.
    pub walk: Vec<u8>,
    /// [`STEPS`] pictures of the code with noise; empty without noise.
    pub noisy: Vec<u8>,
    /// Units painted alone.
    pub painted: Vec<u32>,
    /// `painted × H × W × C`: what the decoder makes of the unit's largest value (by size) over the probe images and
    /// zeros elsewhere, less what it makes of zeros alone; in the numbers that the network gives.
    pub paints: Vec<f32>,
}

impl CodeEdit {
    /// One of several pictures.
    pub fn picture<'a>(&self, bytes: &'a [u8], index: usize) -> &'a [u8] {
        let size = self.size.iter().product::<usize>();
        bytes
            .get(index * size..(index + 1) * size)
            .unwrap_or_default()
    }

    /// What a unit paints.
    pub fn paint(&self, index: usize) -> &[f32] {
        let size = self.size.iter().product::<usize>();
        self.paints
            .get(index * size..(index + 1) * size)
            .unwrap_or_default()
    }
}

/// Codes channels first, and the shape that the network gives them in.
struct Codes {
    /// Of one code, channels last.
    dims: Vec<usize>,
    values: Vec<Vec<f32>>,
}

impl Codes {
    fn of(network: &mut Network, images: &Tensor) -> Result<Codes, InspectError> {
        let code = network.encode(images)?;
        let dims = code.dims().get(1..).unwrap_or_default().to_vec();
        let each = dims.iter().product::<usize>().max(1);
        let channels = dims.last().copied().unwrap_or(1).max(1);
        let values = numbers(&code)?;
        let first = |values: &[f32]| turned(values, [each / channels, channels]);
        Ok(Codes {
            values: values.chunks_exact(each).map(first).collect(),
            dims,
        })
    }

    /// `C`, or `C × H × W`.
    fn shape(&self) -> Vec<usize> {
        let (channels, space) = match self.dims.split_last() {
            Some((channels, space)) => (*channels, space),
            None => (1, &[][..]),
        };
        std::iter::once(channels)
            .chain(space.iter().copied())
            .collect()
    }

    fn ranges(&self) -> Vec<UnitRange> {
        let units = self.values.first().map_or(0, Vec::len);
        let count = self.values.len().max(1) as f32;
        let of = |unit: usize| {
            let all = || self.values.iter().map(|code| code[unit]);
            let mean = all().sum::<f32>() / count;
            UnitRange {
                low: all().fold(f32::INFINITY, f32::min),
                high: all().fold(f32::NEG_INFINITY, f32::max),
                std: (all().map(|value| (value - mean).powi(2)).sum::<f32>() / count).sqrt(),
            }
        };
        (0..units).map(of).collect()
    }
}

/// `rows × columns` as `columns × rows`.
fn turned(values: &[f32], [rows, columns]: [usize; 2]) -> Vec<f32> {
    (0..rows * columns)
        .map(|at| values[at % rows * columns + at / rows])
        .collect()
}

/// What the decoder makes of codes, `N × H × W × C`, channels last.
fn decoded(
    network: &mut Network,
    codes: &[Vec<f32>],
    dims: &[usize],
    image: Option<&Tensor>,
) -> Result<Vec<f32>, InspectError> {
    let channels = dims.last().copied().unwrap_or(1).max(1);
    let last = codes
        .iter()
        .flat_map(|code| turned(code, [channels, code.len() / channels]));
    let last: Vec<f32> = last.collect();
    if let Some(image) = image {
        // The places of an unpooling are those of the images last encoded.
        let all = vec![image; codes.len()];
        network.encode(&Tensor::cat(&all, 0)?)?;
    }
    let shape: Vec<usize> = std::iter::once(codes.len())
        .chain(dims.iter().copied())
        .collect();
    let codes = Tensor::from_vec(last, shape, network.device())?;
    Ok(numbers(&network.decode(Route::Reconstruct, &codes)?)?)
}

/// Whether a stack puts values back where a pooling took them from.
fn unpools(nodes: &[Planned]) -> bool {
    nodes.iter().any(|node| match node {
        Planned::Layer(layer) => matches!(layer.op, Op::Unpool { .. }),
        Planned::Add { branches, .. } | Planned::Concat { branches, .. } => {
            branches.iter().any(|branch| unpools(branch))
        }
        Planned::Repeat { passes, .. } => passes.iter().any(|pass| unpools(pass)),
    })
}

fn has_unpool(plan: &Plan) -> bool {
    plan.stacks.iter().flatten().any(|stack| unpools(stack))
}

/// The codes that are decoded, in the order of the pictures.
struct Wanted {
    codes: Vec<Vec<f32>>,
    walk: usize,
    noisy: usize,
    painted: Vec<u32>,
}

impl Wanted {
    fn new(request: &Request, codes: &Codes, image: usize, ranges: &[UnitRange]) -> Wanted {
        let code = &codes.values[image];
        let mut edited = code.clone();
        for (unit, value) in &request.edits {
            if let Some(own) = edited.get_mut(*unit as usize) {
                *own = *value;
            }
        }
        let mut all = vec![code.clone(), edited.clone()];
        let other = request.other.and_then(|other| codes.values.get(other));
        let walk = other.map_or(0, |_| STEPS);
        all.extend((0..walk).map(|step| {
            let share = step as f32 / (STEPS - 1) as f32;
            let pairs = edited.iter().zip(other.into_iter().flatten());
            pairs.map(|(a, b)| a + share * (b - a)).collect()
        }));
        let noisy = if request.noise > 0.0 { STEPS } else { 0 };
        let mut rng = stream(request.seed, Purpose::Probe, 1);
        all.extend((0..noisy).map(|_| {
            let pairs = edited.iter().zip(ranges);
            let noised = pairs.map(|(value, range)| {
                let noise: f32 = StandardNormal.sample(&mut rng);
                value + request.noise * range.std * noise
            });
            noised.collect::<Vec<f32>>()
        }));
        let mut painted: Vec<u32> = (0..code.len() as u32).collect();
        let std = |unit: &u32| ranges[*unit as usize].std;
        painted.sort_by(|a, b| std(b).total_cmp(&std(a)).then(a.cmp(b)));
        painted.truncate(PAINTED);
        painted.sort_unstable();
        all.push(vec![0.0; code.len()]);
        all.extend(painted.iter().map(|unit| {
            let UnitRange { low, high, .. } = ranges[*unit as usize];
            let mut alone = vec![0.0; code.len()];
            alone[*unit as usize] = if high.abs() >= low.abs() { high } else { low };
            alone
        }));
        Wanted {
            codes: all,
            walk,
            noisy,
            painted,
        }
    }
}

impl Inspection for CodeEdit {
    const NAME: &'static str = "code";
    const NEEDS: Needs = Needs::RunWithImages;
    type Request = Request;

    fn compute(cx: &mut InspectionContext<'_>, request: &Request) -> Result<Self, InspectError> {
        reconstructing(cx)?;
        let dataset = cx.images()?;
        let probes = cx.probe(None)?;
        let run = cx.run()?;
        let (step, inference) = (run.step, run.inference);
        let unpools = inference.plan.as_ref().is_some_and(has_unpool);
        let own = match &request.file {
            Some(file) => Some(cx.probe(Some(file))?),
            None => None,
        };
        let network = cx.mirror()?.network();
        let mut codes = Codes::of(network, probes.images())?;
        let ranges = codes.ranges();
        let count = codes.values.len();
        checked(request, ranges.len(), count)?;
        let image = match &own {
            Some(own) => {
                codes
                    .values
                    .push(Codes::of(network, own.images())?.values.swap_remove(0));
                count
            }
            None => request.image,
        };
        let wanted = Wanted::new(request, &codes, image, &ranges);
        let source = own.as_ref().unwrap_or(&probes);
        let at = if own.is_some() { 0 } else { image };
        let first = source.images().narrow(0, at, 1)?;
        let outputs = decoded(
            network,
            &wanted.codes,
            &codes.dims,
            unpools.then_some(&first),
        )?;
        let size = source.size();
        let each = size.iter().product::<usize>();
        let input = &source.values()[at * each..(at + 1) * each];
        let shape = codes.shape();
        let code = codes.values.swap_remove(image);
        let place = [at, if own.is_some() { 1 } else { count }];
        let edit = CodeEdit {
            step,
            image: place,
            shape,
            edited: wanted.codes[1].clone(),
            code,
            ranges,
            size,
            ..CodeEdit::default()
        };
        let edit = edit.with_pictures(dataset, input, &outputs, wanted);
        Ok(edit.of_slice(SliceOf::of(dataset, cx.slice)))
    }

    fn step(&self) -> Option<u64> {
        Some(self.step)
    }
}

/// Refuses units and images that are not there.
fn checked(request: &Request, units: usize, images: usize) -> Result<(), InspectError> {
    if let Some((unit, _)) = request
        .edits
        .iter()
        .find(|(unit, _)| *unit as usize >= units)
    {
        let text = format!("the code has no unit {}: it has {units}", unit + 1);
        return Err(InspectError::Input(text));
    }
    let both = [Some(request.image), request.other].into_iter().flatten();
    match both.into_iter().find(|image| *image >= images) {
        Some(other) => Err(InspectError::Input(format!(
            "there is no probe image {}: there are {images}",
            other + 1
        ))),
        None => Ok(()),
    }
}

impl CodeEdit {
    /// The same of one slice of each volume.
    fn of_slice(mut self, slice: Option<SliceOf>) -> CodeEdit {
        let several = [&mut self.walk, &mut self.noisy];
        for bytes in self.pictures.iter_mut().chain(several) {
            *bytes = shown(slice, bytes, self.size).into_owned();
        }
        CodeEdit {
            paints: shown(slice, &self.paints, self.size).into_owned(),
            size: shown_size(slice, self.size),
            slice,
            ..self
        }
    }

    /// Takes the pictures out of what was decoded.
    fn with_pictures(
        self,
        dataset: &Dataset,
        input: &[f32],
        outputs: &[f32],
        wanted: Wanted,
    ) -> CodeEdit {
        let each = self.size.iter().product::<usize>();
        let part = |from: usize, count: usize| &outputs[from * each..(from + count) * each];
        let painted = wanted.painted.len();
        let zero = 2 + wanted.walk + wanted.noisy;
        let nothing = part(zero, 1);
        let paints = part(zero + 1, painted)
            .chunks_exact(each.max(1))
            .flat_map(|paint| {
                let less = paint.iter().zip(nothing);
                less.map(|(value, nothing)| value - nothing)
            });
        CodeEdit {
            pictures: [input, part(0, 1), part(1, 1)].map(|image| dataset.to_pixels(image)),
            walk: dataset.to_pixels(part(2, wanted.walk)),
            noisy: dataset.to_pixels(part(2 + wanted.walk, wanted.noisy)),
            paints: paints.collect(),
            painted: wanted.painted,
            ..self
        }
    }
}

#[cfg(test)]
mod tests;
