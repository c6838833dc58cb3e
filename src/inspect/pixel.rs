//! One value of a trained network as arithmetic: the numbers a layer reads for it, its weights, every product and
//! their sum, compared with the network's own value.
//!
//! Running statistics are used, dropout and noise are off, as when the network is used. A place outside of the
//! output is moved to its edge. Fails as the network does, and for a place where there is no layer.

mod source;
mod terms;

use super::inspection::{InspectError, Inspection, InspectionContext, Needs};
use super::network_copy::InspectionNetwork;
use super::reconstructions::Probe;
use super::{channels_first, route_through};
use source::Source;
use std::path::PathBuf;
use strata_core::project::Place;
use strata_core::project::size::Shape;
use strata_core::shape::layers::Reads;
use strata_core::shape::{Inference, Op};
use strata_design::layer_math::{number, planned};
use strata_nn::{Mode, NnError};
use terms::Layer;

/// Terms that are kept one by one, of all that were summed.
pub(crate) const MOST_TERMS: usize = 4096;
/// Contributions to a unit of a dense layer that are kept: the largest.
pub const TOP: usize = 10;

/// Which value is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// The layer; inside a repeat that of the first pass.
    pub place: Place,
    /// Channel, depth, row and column in its output, 0 for axes it has not; `None` for the middle of channel 0.
    pub at: Option<[usize; 4]>,
    /// Which of the probe images.
    pub image: usize,
    /// An image file instead.
    pub file: Option<PathBuf>,
}

impl Request {
    /// The middle of a layer's first channel, for the first probe image.
    pub fn of(place: Place) -> Request {
        Request {
            place,
            at: None,
            image: 0,
            file: None,
        }
    }
}

/// A question that has no answer.
#[derive(Debug, thiserror::Error)]
pub enum PixelError {
    /// The network could not compute.
    #[error(transparent)]
    Network(#[from] NnError),
    /// The device failed.
    #[error(transparent)]
    Device(#[from] candle_core::Error),
    /// There is no such layer, or the network doesn't run it.
    #[error("{0}")]
    NoLayer(String),
}

/// A number that was read, and what it was multiplied with.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Term {
    /// Depth, row and column in the input; outside of it in the padding.
    pub at: [i64; 3],
    /// The number; 0 in the padding.
    pub value: f32,
    /// The weight; `None` where the layer has none.
    pub weight: Option<f32>,
    /// Which position of the kernel it is.
    pub tap: usize,
}

impl Term {
    /// What it adds to the sum.
    pub fn product(&self) -> f64 {
        f64::from(self.value) * self.weight.map_or(1.0, f64::from)
    }
}

/// What one channel of the input contributes.
#[derive(Clone, Debug, PartialEq)]
pub struct Part {
    /// The channel of the input.
    pub channel: usize,
    /// Its terms; empty where more were summed than are kept.
    pub terms: Vec<Term>,
    /// The sum of all of them; of a mean the mean, of a maximum the maximum.
    pub sum: f64,
    /// A separable convolution: the weight its sum is multiplied with.
    pub factor: Option<f32>,
    /// Which term counts, where only one does.
    pub chosen: Option<usize>,
}

/// How the parts become the value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Joined {
    /// They are summed.
    Sum,
    /// There is one part, and its mean is the value.
    Mean,
    /// There is one part, and its largest number is the value.
    Max,
    /// The value is a function of what is read; [`Pixel::words`] says which.
    Function,
}

/// One value of a layer's output and where it comes from.
#[derive(Clone, Debug, PartialEq)]
pub struct Pixel {
    /// Steps taken when it was computed.
    pub step: u64,
    /// The layer's text in the network that was looked into.
    pub text: String,
    /// What goes into the layer.
    pub input: Shape,
    /// What comes out.
    pub output: Shape,
    /// Channel, depth, row and column of the value.
    pub at: [usize; 4],
    /// The image, of how many.
    pub image: [usize; 2],
    /// Height and width of the kernel, where there is one.
    pub kernel: Option<[usize; 2]>,
    /// How the parts become the value.
    pub joined: Joined,
    /// By channel of the input.
    pub parts: Vec<Part>,
    /// What other inputs of a dense layer add, and how many they are.
    pub rest: Option<(u64, f64)>,
    /// The bias.
    pub bias: Option<f32>,
    /// The arithmetic in words, where it is no sum.
    pub words: Option<String>,
    /// What the parts give.
    pub value: f64,
    /// What the network has there.
    pub network: f32,
    /// The layer's whole input and output for this image, in C, D, H, W order.
    pub maps: [Vec<f32>; 2],
}

impl Pixel {
    /// The sum over channels in one line: `0.12 + 0.33 + (−0.05) + bias 0.01 = 0.41`.
    pub fn sentence(&self) -> String {
        if let Some(words) = &self.words {
            return words.clone();
        }
        let result = number(self.value);
        let first = self.parts.first();
        let listed = |between: &str| {
            let terms = first
                .into_iter()
                .flat_map(|part| &part.terms)
                .map(|term| number(term.value.into()));
            shortened(terms.collect(), between)
        };
        match self.joined {
            Joined::Max => format!("max({}) = {result}", listed(", ")),
            Joined::Mean => format!(
                "({})/{} = {result}",
                listed(" + "),
                first.map_or(0, |part| part.terms.len())
            ),
            Joined::Sum | Joined::Function => format!("{} = {result}", self.terms()),
        }
    }

    /// All that is summed, by channel.
    fn terms(&self) -> String {
        let part = |part: &Part| match (part.factor, self.parts.len(), part.terms.as_slice()) {
            (Some(factor), ..) => format!("{}·{}", bracketed(part.sum), bracketed(factor.into())),
            (None, 1, terms) if !terms.is_empty() => {
                shortened(terms.iter().map(product).collect(), " + ")
            }
            _ => bracketed(part.sum),
        };
        let mut all = vec![shortened(self.parts.iter().map(part).collect(), " + ")];
        all.extend(
            self.rest
                .map(|(count, sum)| format!("{count} others {}", bracketed(sum))),
        );
        all.extend(
            self.bias
                .map(|bias| format!("bias {}", bracketed(bias.into()))),
        );
        all.join(" + ")
    }
}

/// `0.5·(−0.2)`; the number alone where there is no weight.
pub fn product(term: &Term) -> String {
    let value = bracketed(term.value.into());
    term.weight.map_or_else(
        || value.clone(),
        |weight| format!("{value}·{}", bracketed(weight.into())),
    )
}

fn bracketed(value: f64) -> String {
    if value < 0.0 {
        format!("({})", number(value))
    } else {
        number(value)
    }
}

/// At most a dozen, then `…`.
fn shortened(mut terms: Vec<String>, between: &str) -> String {
    if terms.len() > 12 {
        terms.truncate(11);
        terms.push("…".into());
    }
    terms.join(between)
}

/// The arithmetic of one value, with the weights that the mirror holds.
pub fn look(
    mirror: &mut InspectionNetwork,
    inference: &Inference,
    probe: &Probe,
    request: &Request,
    step: u64,
) -> Result<Pixel, PixelError> {
    let nothing = || PixelError::NoLayer(format!("this network has no layer {}", request.place));
    let plan = inference.plan.as_ref().ok_or_else(nothing)?;
    let row = inference.row(&request.place).ok_or_else(nothing)?;
    if row.is_block {
        let message = format!("{} is a block; choose a layer inside it", request.place);
        return Err(PixelError::NoLayer(message));
    }
    let layer = planned(plan, &request.place).ok_or_else(nothing)?;
    let image = request.image.min(probe.labels().len().saturating_sub(1));
    let network = mirror.network();
    let batch = probe.images().narrow(0, image, 1)?;
    network.forward(route_through(plan, request.place.stack), &batch, Mode::Eval)?;
    let [before, after] = source::find(plan, layer).ok_or_else(nothing)?;
    let outputs = network.outputs();
    let tensor = |source: Source| match source {
        Source::Image => Some(&batch),
        Source::Node(index) => outputs.get(index).map(|(_, tensor)| *tensor),
    };
    let maps = [before, after].map(|source| -> Result<Vec<f32>, PixelError> {
        Ok(channels_first(tensor(source).ok_or_else(nothing)?)?)
    });
    let [input, output] = maps;
    let (input, output) = (input?, output?);
    let at = clamped(request.at, &layer.output);
    let worked = Layer {
        layer,
        network,
        input: &input,
        output: &output,
        at,
    }
    .work()?;
    let network = output
        .get(flat(at, &layer.output))
        .copied()
        .unwrap_or(f32::NAN);
    let terms::Worked {
        joined,
        parts,
        rest,
        bias,
        words,
        value,
    } = worked;
    let kernel = kernel(&layer.op);
    let (text, image) = (row.text.clone(), [image, probe.labels().len()]);
    let (input_shape, output_shape) = (layer.input.clone(), layer.output.clone());
    let maps = [input, output];
    let pixel = Pixel {
        step,
        text,
        input: input_shape,
        output: output_shape,
        at,
        image,
        kernel,
        joined,
        parts,
        rest,
        bias,
        words,
        value,
        network,
        maps,
    };
    Ok(pixel)
}

fn kernel(op: &Op) -> Option<[usize; 2]> {
    match op.reads() {
        Reads::Window(geometry, _) | Reads::Spread(geometry) => {
            let [depth, height, width] = geometry.kernel;
            Some([depth * height, width])
        }
        Reads::Own
        | Reads::OwnAndStatistics
        | Reads::Unpooled(_)
        | Reads::Enlarged { .. }
        | Reads::Adaptive { .. }
        | Reads::Padded { .. }
        | Reads::Cropped { .. }
        | Reads::All => None,
    }
}

/// A place inside the output; by default the middle of channel 0.
fn clamped(at: Option<[usize; 4]>, shape: &Shape) -> [usize; 4] {
    let [depth, height, width] = shape.volume();
    let at = at.unwrap_or([0, depth / 2, height / 2, width / 2]);
    let sizes = [shape.channels(), depth, height, width];
    std::array::from_fn(|axis| at[axis].min(sizes[axis] - 1))
}

/// The index of a value in a map.
pub fn flat([channel, depth, row, column]: [usize; 4], shape: &Shape) -> usize {
    let [depths, rows, columns] = shape.volume();
    ((channel * depths + depth) * rows + row) * columns + column
}

impl Inspection for Pixel {
    const NAME: &'static str = "pixel";
    const NEEDS: Needs = Needs::RunWithImages;
    type Request = Request;

    fn compute(cx: &mut InspectionContext<'_>, request: &Request) -> Result<Self, InspectError> {
        let probe = cx.probe(request.file.as_deref())?;
        let run = cx.run()?;
        let inference = run.inference;
        let step = run.step;
        Ok(look(cx.mirror()?, inference, &probe, request, step)?)
    }

    fn step(&self) -> Option<u64> {
        Some(self.step)
    }
}

impl From<PixelError> for InspectError {
    fn from(error: PixelError) -> InspectError {
        match error {
            PixelError::Network(error) => error.into(),
            PixelError::Device(error) => error.into(),
            PixelError::NoLayer(message) => InspectError::Input(message),
        }
    }
}

#[cfg(test)]
mod tests;
