//! What the data table says against itself, the network's input and the losses.

use super::project_check::Problem;
use super::value_range;
use strata_core::project::augment::Augment;
use strata_core::project::data::{DataSpec, Idle, MeanStd, Normalize, Whiten, Whitening};
use strata_core::project::help::{DataSetting, Help, Repair, StageSetting, Step};
use strata_core::project::layer::Kind;
use strata_core::project::node::Node;
use strata_core::project::size::Shape;
use strata_core::project::stage::Loss;
use strata_core::project::{Network, Project, Stack};

/// The problems of the data table.
pub fn data(project: &Project) -> Vec<Problem> {
    let data = &project.data;
    let mut problems = Vec::new();
    problems.extend(data.idle().into_iter().map(|idle| {
        let Idle { key, why } = idle;
        Problem::error(format!("{key} of the data changes nothing: {why}"))
            .help(Help::without(key))
            .harmless()
    }));
    problems.extend(data.contradictions().into_iter().map(|[one, other]| {
        let problem = Problem::error(format!(
            "the data has both {one} and {other}, which exclude each other"
        ));
        problem
            .help(Help::without(one))
            .help(Help::without(other).or())
    }));
    if let Some([low, high]) = data.range
        && !(low.is_finite() && high.is_finite() && low < high)
    {
        problems.push(
            Problem::error(format!("the range [{low}, {high}] is not one")).help(
                Help::from(Repair::Data(DataSetting::Range(usual_range(low, high))))
                    .remark(": the lower number first"),
            ),
        );
    }
    if let Some(normalize) = data.normalize.as_ref().and_then(Normalize::numbers) {
        problems.extend(normalization(normalize, project.network.input.channels()));
    }
    problems.extend(
        [("valid", data.valid), ("test", data.test)]
            .into_iter()
            .filter_map(|(key, share)| no_share(key, share?)),
    );
    problems.extend(nothing_left(data));
    problems.extend(image_size(data, project));
    problems.extend(whitening(data, &project.network));
    problems
}

fn no_share(key: &str, share: f32) -> Option<Problem> {
    let help = || match key {
        "valid" => Help::from(Repair::Data(DataSetting::Valid(0.1))),
        _ => Help::line(format!("{key} = 0.1")),
    };
    let problem = || {
        Problem::error(format!(
            "{key} = {share} is not a share from 0 to less than 1"
        ))
        .help(help())
    };
    (!(0.0..1.0).contains(&share)).then(problem)
}

/// What whitening cannot do, and what a network cannot do with it.
fn whitening(data: &DataSpec, network: &Network) -> Vec<Problem> {
    let Some(whiten) = data.whiten else {
        return Vec::new();
    };
    let (numbers, most) = (network.input.elements(), Whiten::MOST_NUMBERS);
    if numbers > most {
        let message =
            format!("an image has {numbers} numbers, and up to {most} can be whitened together");
        let smaller = Help::from(Repair::Data(DataSetting::Patch([8, 8])));
        return vec![
            Problem::error(message)
                .help(smaller)
                .help(Help::without("whiten").or()),
        ];
    }
    let first = network.encoder.first().or(network.head.first());
    let mixes = matches!(first, Some(Node::Layer(layer)) if matches!(layer.kind, Kind::Flatten | Kind::Dense { .. }));
    if whiten.by == Whitening::Pca && first.is_some() && !mixes {
        let zca = Whiten {
            by: Whitening::Zca,
            ..whiten
        };
        return vec![
            Problem::warning(
                "the numbers stand in the order of the principal components, so that neighbours have nothing to do with each other: the first layer should be dense",
            )
            .help(Help::line(format!("whiten = \"{zca}\""))),
        ];
    }
    Vec::new()
}

/// Counts of 0 that leave nothing to train on.
fn nothing_left(data: &DataSpec) -> Vec<Problem> {
    let counts = [
        ("limit", data.limit == Some(0), "images"),
        ("per_class", data.per_class == Some(0), "labelled images"),
        (
            "patches_per_image",
            data.patches.is_some() && data.patches_per_image == Some(0),
            "patches",
        ),
        ("length", data.length == Some(0), "samples"),
        ("rate", data.rate == Some(0), "samples"),
    ];
    counts
        .into_iter()
        .filter(|(_, is_zero, _)| *is_zero)
        .map(|(key, _, what)| {
            Problem::error(format!("{key} = 0 leaves no {what}"))
                .help(Help::without(key).remark(", or make it larger"))
        })
        .collect()
}

fn normalization(normalize: &MeanStd, channels: usize) -> Vec<Problem> {
    let mut problems = Vec::new();
    for (what, values) in [("mean", &normalize.mean), ("std", &normalize.std)] {
        if values.len() != channels {
            let message = format!(
                "normalize has {} values of {what}, but the input has {channels} channels",
                values.len()
            );
            problems.push(
                Problem::error(message).help(
                    Help::from(Repair::Data(DataSetting::NormalizeByTrain))
                        .remark(format!(", or write {channels} numbers")),
                ),
            );
        }
    }
    if normalize
        .std
        .iter()
        .any(|std| !(*std > 0.0 && std.is_finite()))
    {
        problems.push(
            Problem::error("normalize divides by a std that is not above 0")
                .help("use each channel's standard deviation, about 0.2 to 0.3"),
        );
    }
    problems
}

/// Resized images (or patches of them) have to be what the network takes.
fn image_size(data: &DataSpec, project: &Project) -> Option<Problem> {
    let crops = data
        .augment
        .iter()
        .any(|augment| matches!(augment, Augment::Crop { .. }));
    let (word, size, setting): (_, _, fn([u32; 2]) -> DataSetting) =
        match (data.patches, data.resize) {
            (Some(size), _) => ("patch", size, DataSetting::Patch),
            (None, Some(size)) => ("resize", size, DataSetting::Resize),
            (None, None) => return None,
        };
    let input = &project.network.input;
    let [height, width] = size.map(|size| size as usize);
    if input.rank() != 2 || input.spatial() == [height, width] || (crops && word == "resize") {
        return None;
    }
    let message =
        format!("{word} gives images of {height}×{width}, but the network's input is {input}");
    // Sizes are at most 2^30.
    let setting = setting([input.spatial()[0] as u32, input.spatial()[1] as u32]);
    Some(
        Problem::error(message)
            .help(Repair::Data(setting))
            .maybe_help(resized_input(input, height, width)),
    )
}

/// The input that takes such images.
fn resized_input(input: &Shape, height: usize, width: usize) -> Option<Help> {
    let shape = Shape::new(&[input.channels(), height, width])?;
    Some(Help::from(Repair::Steps(vec![Step::Input(shape)])).or())
}

/// The range that was meant by two numbers in the wrong order.
fn usual_range(low: f32, high: f32) -> [f32; 2] {
    let is_turned = low.is_finite() && high.is_finite() && high < low;
    if is_turned { [high, low] } else { [-1.0, 1.0] }
}

/// Warns where the decoder's last layer can't give the values that the pixels have.
pub(crate) fn output_range(project: &Project, loss: Loss, last: Option<&Kind>) -> Vec<Problem> {
    let data = &project.data;
    let is_changed = data.whiten.is_some() || data.center.is_some();
    let pixels = match (&data.normalize, data.range) {
        _ if is_changed => None,
        (Some(_), _) => None,
        (None, range) => Some(range.unwrap_or([0.0, 1.0])),
    };
    if loss.spec().needs_probabilities {
        return probabilities(loss, pixels, &project.network);
    }
    let unbounded = match (data.whiten, data.center) {
        (Some(_), _) => "whitened",
        (None, Some(_)) => "less each image's mean",
        (None, None) => "normalized",
    };
    let shown = pixels.map_or(unbounded.to_owned(), |[low, high]| {
        format!("from {} to {}", plain(low), plain(high))
    });
    let Some(Kind::Activation(activation)) = last else {
        return Vec::new();
    };
    let Some(reach) = activation.range() else {
        return Vec::new();
    };
    let word = activation.name();
    let fitting = if reach[0] < 0.0 {
        [-1.0, 1.0]
    } else {
        [0.0, 1.0]
    };
    let within = pixels.is_some_and(|[low, high]| low >= reach[0] && high <= reach[1]);
    // tanh reaches all of 0..1, so only what it can't reach is worth a word.
    if within {
        return Vec::new();
    }
    let message = format!(
        "the decoder ends in {word}, which gives values {}, but the pixels are {shown}",
        span(reach)
    );
    let other_pixels = match (data.whiten, data.center) {
        (Some(_), _) => Help::without("whiten"),
        (None, Some(_)) => Help::without("center"),
        (None, None) => Repair::Data(DataSetting::Range(fitting)).into(),
    };
    vec![
        Problem::warning(message)
            .help(other_pixels)
            .help(Help::from(Repair::RemoveLast(Stack::Decoder, *activation)).or()),
    ]
}

/// A bound as it was written, the large ones short: `-1`, `0.5`, `1e10`.
fn plain(bound: f32) -> String {
    if bound == 0.0 || (1e-4..1e6).contains(&bound.abs()) {
        bound.to_string()
    } else {
        format!("{bound:e}")
    }
}

fn span([low, high]: [f32; 2]) -> String {
    if high.is_finite() {
        format!("from {low} to {high}")
    } else {
        format!("from {low} up")
    }
}

fn probabilities(loss: Loss, pixels: Option<[f32; 2]>, network: &Network) -> Vec<Problem> {
    let mut problems = Vec::new();
    if !value_range::is_fraction(value_range::at_end(network, Stack::Decoder)) {
        let message = format!("the loss {loss} needs outputs between 0 and 1");
        problems.push(Problem::warning(message).help(Help::end(Stack::Decoder, &["sigmoid"])));
    }
    if !pixels.is_some_and(|[low, high]| low >= 0.0 && high <= 1.0) {
        let message = format!("the loss {loss} needs pixels between 0 and 1");
        problems.push(
            Problem::warning(message)
                .help(Repair::Data(DataSetting::Range([0.0, 1.0])))
                .help(Help::from(Repair::Stage(StageSetting::Loss(Loss::Mse))).or()),
        );
    }
    problems
}
