//! One layer as arithmetic: its formulas with their numbers, the same layer on a grid that fits the eye with every
//! step of its sums, and the layer as a sparse matrix.
//!
//! [`Lens::of`] is pure and total: for any layer of any project it returns, in a time that doesn't depend on the
//! layer's sizes. What can't be shown is said in words.

mod elementwise_examples;
mod formula;
mod matrix;
mod partner;
mod random;
mod resize_examples;
mod sample;
mod slide;
mod values;
mod windows;

pub use formula::{Formula, axis_names};
pub use matrix::{Entry, Matrix};
pub use sample::{Sample, Sheet, Step, Touch, Way};
pub use slide::Slide;

use std::str::FromStr;
use strata_core::format::is_scientific;
use strata_core::project::layer::{Activation, Family, Kind, Layer};
use strata_core::project::node::Node;
use strata_core::project::size::Shape;
use strata_core::project::{Network, Place};
use strata_core::shape::error::ShapeError;
use strata_core::shape::infer::{Inference, Row};
use strata_core::shape::layers::Example;
use strata_core::shape::op::{Geometry, Op, Plan, Planned, PlannedLayer};
use strata_core::shape::rules::{self, Context};

/// A layer or block as arithmetic.
#[derive(Clone, Debug, PartialEq)]
pub struct Lens {
    /// Its place.
    pub place: Place,
    /// Its text.
    pub text: String,
    /// Its family, for colours.
    pub family: Family,
    /// What goes in, if it is known.
    pub input: Option<Shape>,
    /// What comes out, if it is known.
    pub output: Option<Shape>,
    /// The formulas: sizes first.
    pub formulas: Vec<Formula>,
    /// What is lost: cells that are never read.
    pub remarks: Vec<String>,
    /// What should be known besides: what the small grid leaves out, how branches join.
    pub notes: Vec<String>,
    /// The layer on a small grid, or why there is none.
    pub sample: Result<Sample, String>,
    /// The sample as a matrix; `None` where there is no sample or the layer is not linear.
    pub matrix: Option<Matrix>,
    /// The layer that multiplies by the transposed matrix, where there is one.
    pub partner: Option<String>,
    /// Whether a window moves by more than one cell.
    pub strided: bool,
    /// The elementwise function, where it is one.
    pub function: Option<Activation>,
    /// What is wrong with the layer.
    pub error: Option<ShapeError>,
}

impl Lens {
    /// The layer or block at a place; `None` where there is none.
    pub fn of(network: &Network, inference: &Inference, place: &Place) -> Option<Lens> {
        let row = inference.row(place)?;
        let mut lens = Lens::bare(row);
        if row.error.is_some() {
            lens.sample =
                Err("The layer has an error: mend it, then its arithmetic is shown.".into());
        } else if row.is_block {
            block(&mut lens, network, inference);
        } else if let Some((kind, planned)) = resolved(inference, row) {
            layer(&mut lens, &kind, &planned);
        }
        lens.matrix = lens.sample.as_ref().ok().and_then(Matrix::of);
        Some(lens)
    }

    /// The same without the small grid and its matrix: the formulas with what is said of them.
    pub fn facts(network: &Network, inference: &Inference, place: &Place) -> Option<Lens> {
        let row = inference.row(place)?;
        let mut lens = Lens::bare(row);
        if row.error.is_some() {
            return Some(lens);
        }
        if row.is_block {
            block(&mut lens, network, inference);
        } else if let Some((kind, planned)) = resolved(inference, row) {
            facts(&mut lens, &kind, &planned);
        }
        Some(lens)
    }

    fn bare(row: &Row) -> Lens {
        Lens {
            place: row.place.clone(),
            text: row.text.clone(),
            family: row.family,
            input: row.input.clone(),
            output: row.output.clone(),
            formulas: Vec::new(),
            remarks: Vec::new(),
            notes: Vec::new(),
            sample: Err("The input's shape is not known: a layer before it has an error.".into()),
            matrix: None,
            partner: None,
            strided: false,
            function: None,
            error: row.error.clone(),
        }
    }
}

/// What the layer's text means and what it became: from the plan, or (where its stack has an error further on)
/// from its own input.
fn resolved(inference: &Inference, row: &Row) -> Option<(Kind, PlannedLayer)> {
    let kind = Layer::from_str(&row.text).ok()?.kind;
    let planned = inference
        .plan
        .as_ref()
        .and_then(|plan| planned(plan, &row.place))
        .cloned();
    let alone = || {
        let input = row.input.clone()?;
        let resolved = rules::resolve(&kind, &input, &Context::default()).ok()?;
        let (key, op, output) = (row.place.to_string(), resolved.op, resolved.output);
        Some(PlannedLayer {
            place: row.place.clone(),
            key,
            op,
            input,
            output,
        })
    };
    let planned = planned.or_else(alone)?;
    Some((kind, planned))
}

/// The resolved layer at a place; inside a repeat that of the first pass.
pub fn planned<'a>(plan: &'a Plan, place: &Place) -> Option<&'a PlannedLayer> {
    fn search<'a>(nodes: &'a [Planned], place: &Place) -> Option<&'a PlannedLayer> {
        nodes.iter().find_map(|node| match node {
            Planned::Layer(layer) => (layer.place == *place).then_some(layer),
            Planned::Add { branches, .. } | Planned::Concat { branches, .. } => {
                branches.iter().find_map(|branch| search(branch, place))
            }
            Planned::Repeat { passes, .. } => passes.first().and_then(|pass| search(pass, place)),
        })
    }
    search(plan.stack(place.stack)?, place)
}

fn facts(lens: &mut Lens, kind: &Kind, planned: &PlannedLayer) {
    let PlannedLayer {
        op, input, output, ..
    } = planned;
    lens.formulas = formula::formulas(kind, op, input, output);
    if let Some(geometry) = op.slides() {
        lens.remarks.extend(unread(geometry, input.rank()));
    }
}

fn layer(lens: &mut Lens, kind: &Kind, planned: &PlannedLayer) {
    facts(lens, kind, planned);
    let PlannedLayer {
        op, input, output, ..
    } = planned;
    lens.strided = kind
        .window()
        .and_then(|window| window.stride.as_ref())
        .is_some_and(|stride| stride.sizes().iter().any(|&size| size > 1));
    if let Example::Elementwise { function, .. } = op.example() {
        lens.function = Some(function);
    }
    lens.partner = partner::transpose_of(kind, op, input, output);
    let rank = input.rank().max(output.rank());
    lens.sample = sample(op, input, output).ok_or_else(|| {
        "Its window is too large for a grid that fits the eye; the formulas hold all the same."
            .to_owned()
    });
    if lens.sample.is_ok() && rank == 3 {
        lens.notes
            .push("the small grid shows height and width of one slice of the volume".into());
    }
    if matches!(op, Op::SeparableConv { .. }) {
        lens.notes
            .push("the small grid shows the depthwise part, one channel".into());
    }
}

fn sample(op: &Op, input: &Shape, output: &Shape) -> Option<Sample> {
    let rank = input.rank();
    match op.example() {
        Example::Convolution(geometry) => windows::convolution(&geometry, rank),
        Example::Transposed(geometry) => windows::transposed(&geometry, rank),
        Example::MaxPool(geometry) => windows::max_pool(&geometry, rank),
        Example::AvgPool {
            geometry,
            count_padding,
        } => windows::average_pool(&geometry, rank, count_padding),
        Example::Unpool(geometry) => windows::unpool(&geometry, rank),
        Example::Upsample {
            input,
            factor,
            bilinear,
        } => resize_examples::upsample(input, factor, bilinear, rank),
        Example::Pad { before, after } => resize_examples::pad(input.volume(), before, after, rank),
        Example::Crop { before, after } => {
            resize_examples::crop(output.volume(), before, after, rank)
        }
        Example::Adaptive { input, output } => resize_examples::adaptive(input, output, rank),
        Example::GlobalMean => resize_examples::adaptive(input.volume(), [1; 3], rank),
        Example::GlobalMax => Some(resize_examples::global_max(input.volume(), rank)),
        Example::Dense { inputs, outputs } => Some(elementwise_examples::dense(inputs, outputs)),
        Example::Elementwise { word, function } => {
            Some(elementwise_examples::activation(word, function))
        }
        Example::Softmax => Some(elementwise_examples::softmax()),
        Example::Normalised => Some(elementwise_examples::normalised()),
        Example::Dropout { p, channels } => Some(random::dropout(f64::from(p), channels)),
        Example::Noise(std) => Some(random::noise(f64::from(std))),
        Example::Flattened => Some(elementwise_examples::reordered(true)),
        Example::Reshaped => Some(elementwise_examples::reordered(false)),
        Example::Copied => Some(elementwise_examples::identity()),
    }
}

/// Sentences about cells that the window never reads.
fn unread(geometry: &Geometry, rank: usize) -> Vec<String> {
    let mut all = Vec::new();
    for (axis, name) in (3 - rank.min(3)..3).zip(axis_names(rank)) {
        let slide = Slide::of(geometry, axis);
        match (slide.dropped(), line(name)) {
            (0, _) => {}
            (1, word) => all.push(format!("the last {word} of {} is never read", slide.input)),
            (many, word) => all.push(format!(
                "the last {many} {word}s of {} are never read",
                slide.input
            )),
        }
        if slide.skipped() > 0 {
            let (skipped, stride) = (slide.skipped(), slide.stride);
            all.push(format!(
                "between windows {skipped} of every {stride} {}s are never read",
                line(name)
            ));
        }
    }
    all
}

fn line(axis: &str) -> &'static str {
    match axis {
        "height" => "row",
        "width" => "column",
        "depth" => "slice",
        _ => "cell",
    }
}

fn block(lens: &mut Lens, network: &Network, inference: &Inference) {
    let Some(node) = network.node(&lens.place) else {
        return;
    };
    let ends: Vec<Option<Shape>> = (0..node.branches().len())
        .map(|branch| end(lens, inference, branch))
        .collect();
    let shapes: Option<Vec<String>> = ends
        .iter()
        .map(|shape| shape.as_ref().map(Shape::to_string))
        .collect();
    let (Some(shapes), Some(output)) = (shapes, &lens.output) else {
        return;
    };
    let chain = |of: &str, chain: Vec<String>| Formula {
        of: of.to_owned(),
        chain,
    };
    match node {
        Node::Add(_) => {
            lens.formulas = vec![chain("sum", vec![shapes.join(" + "), output.to_string()])];
            lens.notes.push(
                "all branches read the same input and end in one shape; the values are added cell by cell".into(),
            );
            lens.sample = Ok(elementwise_examples::add(shapes.len()));
        }
        Node::Concat(_) => {
            let channels: Vec<String> = ends
                .iter()
                .flatten()
                .map(|shape| shape.channels().to_string())
                .collect();
            lens.formulas = vec![chain(
                "channels",
                vec![channels.join(" + "), output.channels().to_string()],
            )];
            lens.notes.push(
                "all branches read the same input; their channels are stacked in the order of the branches".into(),
            );
            lens.sample = Ok(elementwise_examples::concat(shapes.len()));
        }
        Node::Repeat { .. } | Node::Layer(_) | Node::Broken { .. } => {
            lens.formulas = vec![chain(
                "output",
                vec!["what the last pass gives".into(), output.to_string()],
            )];
            lens.sample = Err(
                "The layers inside are passed again and again, each time with weights of their own: open one of them."
                    .into(),
            );
        }
    }
}

/// The output shape of a branch: the input's where it is empty.
fn end(lens: &Lens, inference: &Inference, branch: usize) -> Option<Shape> {
    let depth = lens.place.path.len() + 2;
    let inside = |row: &&Row| {
        let path = &row.place.path;
        row.place.stack == lens.place.stack
            && path.len() == depth
            && path.starts_with(&lens.place.path)
            && path.get(depth - 2) == Some(&branch)
    };
    inference
        .rows
        .iter()
        .rfind(inside)
        .map_or_else(|| lens.input.clone(), |row| row.output.clone())
}

/// A number as people write it: whole where it is, else four digits; with a true minus sign.
pub fn number(value: f64) -> String {
    let text = if !value.is_finite() {
        return "not finite".into();
    } else if value == value.round() && value.abs() < 1e6 {
        format!("{:.0}", value.abs())
    } else {
        let size = value.abs();
        let digits = (3 - size.log10().floor() as i32).clamp(0, 9) as usize;
        let text = format!("{size:.digits$}");
        if is_scientific(size) {
            format!("{size:.2e}")
        } else {
            trimmed(&text)
        }
    };
    if value < 0.0 {
        format!("−{text}")
    } else {
        text
    }
}

/// Without zeros at the end of the decimals.
fn trimmed(text: &str) -> String {
    if text.contains('.') {
        text.trim_end_matches('0').trim_end_matches('.').to_owned()
    } else {
        text.to_owned()
    }
}

#[cfg(test)]
mod tests;
