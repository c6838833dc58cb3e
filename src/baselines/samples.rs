//! The rows that baselines learn from: the pixels of images as the project scales them, or what a layer of a run gives
//! for them. Training images are read as they are, not augmented.

use super::error::BaselineError;
use super::model::{Monitor, Samples};
use std::path::{Path, PathBuf};
use strata_core::format::{count, short};
use strata_core::project::data::{DataSpec, MeanStd, Normalize, Split};
use strata_core::project::target::Target;
use strata_core::project::{Place, Project, Stack, file};
use strata_core::shape::Inference;
use strata_core::system_memory::available_bytes;
use strata_data::{Dataset, Progress, SplitData, epoch_order, fill_batch};
use strata_engine::storage::saved_run::SavedRun;
use strata_inspect::layer_rows::{LayerRows, Request};

/// Training images that are fitted unless asked for otherwise.
pub const FITTED: usize = 10_000;
/// Images that are read between two questions whether to go on.
const BLOCK: usize = 500;
/// A copy of the rows is held by what is fitted to them; the same again stays free.
const COPIES: u64 = 4;

/// A layer of a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LayerFeatures {
    /// The run's folder.
    pub run: PathBuf,
    /// The layer (`encoder.3`) or stack (`encoder`: its last layer); `None` for the code.
    pub layer: Option<String>,
}

/// The rows of a project's labelled images.
pub struct Read {
    /// Those that are fitted.
    pub fitted: Samples,
    /// Of how many training images.
    pub of: usize,
    /// Those that are asked, split by split.
    pub held_out: Vec<(Split, Samples)>,
    /// What a row is, in words: `784 pixels from 0 to 1`.
    pub rows: String,
    /// The layer with its text, of features.
    pub layer: Option<String>,
    /// The classes' names.
    pub classes: Vec<String>,
    /// The name of the data.
    pub data_hash: String,
}

/// Where rows come from.
enum Origin {
    Pixels(Box<Dataset>),
    Layer(Box<SavedRun>, Place),
}

impl Origin {
    fn dataset(&self) -> &Dataset {
        match self {
            Origin::Pixels(dataset) => dataset,
            Origin::Layer(run, _) => &run.dataset,
        }
    }
}

/// Reads the rows of a project, whose relative paths start at `base`.
pub fn read(
    project: &Project,
    base: &Path,
    features: Option<&LayerFeatures>,
    limit: usize,
    seed: u64,
    monitor: Monitor<'_>,
) -> Result<Read, BaselineError> {
    let mut origin = match features {
        None => {
            let channels = Some(project.network.input.channels());
            Origin::Pixels(Box::new(open(project, channels, base, monitor)?))
        }
        Some(features) => layer_of(project, base, features, monitor)?,
    };
    let (indices, of, held_out) = chosen(origin.dataset(), limit, seed)?;
    check_memory(&origin, indices.len(), &held_out)?;
    let fitted = origin.samples(Split::Train, &indices, monitor)?;
    let mut asked = Vec::new();
    for (split, images) in held_out {
        let all: Vec<u32> = (0..images as u32).collect();
        asked.push((split, origin.samples(split, &all, monitor)?));
    }
    let dataset = origin.dataset();
    let layer = match &origin {
        Origin::Pixels(_) => None,
        Origin::Layer(run, place) => Some(text_of(&run.inference, place)),
    };
    let values = count(fitted.width as u64);
    let rows = match &layer {
        None => format!("{values} pixels {}", scaling(&project.data)),
        Some(layer) => format!("{values} features of {layer}"),
    };
    Ok(Read {
        of,
        held_out: asked,
        rows,
        layer,
        classes: dataset.classes().to_vec(),
        data_hash: dataset.hash(),
        fitted,
    })
}

fn open(
    project: &Project,
    channels: Option<usize>,
    base: &Path,
    monitor: Monitor<'_>,
) -> Result<Dataset, BaselineError> {
    let mut progress = |progress| monitor(progress);
    let (spec, seed) = (&project.data, project.seed);
    Ok(Dataset::open_as(spec, channels, seed, base, &mut progress)?)
}

/// The run with the project's images, and the layer.
fn layer_of(
    project: &Project,
    base: &Path,
    features: &LayerFeatures,
    monitor: Monitor<'_>,
) -> Result<Origin, BaselineError> {
    let mut progress = |progress| monitor(progress);
    let mut run = SavedRun::open(&features.run, "last", None, &mut progress)?;
    let place = place(&run.inference, features.layer.as_deref())?;
    let own = file::load(&features.run.join("project.toml"))?;
    let is_same = own.seed == project.seed && has_same_images(&own.data, &project.data, base);
    if !is_same {
        let channels = Some(own.network.input.channels());
        let mut dataset = open(project, channels, base, monitor)?;
        check_alike(&run.dataset, &dataset, &features.run)?;
        if let Some(transform) = run.dataset.transform() {
            dataset.use_transform(transform.clone());
        }
        run.dataset = dataset;
    }
    Ok(Origin::Layer(Box::new(run), place))
}

/// Whether both name the same images; a relative path of the project starts at `base`.
fn has_same_images(run: &DataSpec, project: &DataSpec, base: &Path) -> bool {
    let path = |spec: &DataSpec| strata_data::folder(spec, base).ok();
    let same_folder = match (path(run), path(project)) {
        (Some(run), Some(project)) => is_same_folder(&run, &project),
        _ => run.path == project.path,
    };
    let (mut run, mut project) = (run.clone(), project.clone());
    (run.path, project.path) = (None, None);
    same_folder && run == project
}

fn is_same_folder(a: &Path, b: &Path) -> bool {
    let whole = |path: &Path| path.canonicalize().unwrap_or_else(|_| path.to_path_buf());
    a == b || whole(a) == whole(b)
}

/// Refuses images that the run's network would see otherwise than those it was trained on.
fn check_alike(trained: &Dataset, asked: &Dataset, run: &Path) -> Result<(), BaselineError> {
    let run = run.display();
    let [there, here] = [trained, asked].map(Dataset::input_dims);
    if there != here {
        let times = |sizes: &[usize]| {
            let sizes: Vec<String> = sizes.iter().map(usize::to_string).collect();
            sizes.join("×")
        };
        return Err(BaselineError::Input(format!(
            "the run {run} was trained on images of {}, those of the project are {}: scale them to the same size",
            times(&there),
            times(&here)
        )));
    }
    if trained.ends() != asked.ends()
        || trained.transform().is_some() != asked.transform().is_some()
    {
        return Err(BaselineError::Input(format!(
            "the run {run} was trained on pixels that were scaled otherwise than those of the project: give both the same range or normalize, center and whiten"
        )));
    }
    Ok(())
}

/// The layer of this name; of a stack, or without a name, the last one.
fn place(inference: &Inference, name: Option<&str>) -> Result<Place, BaselineError> {
    let rows = || inference.rows.iter();
    let first = rows().next().map_or(Stack::Encoder, |row| row.place.stack);
    let name = name.unwrap_or(first.name());
    let target: Target = name
        .parse()
        .map_err(|error| BaselineError::Input(format!("`{name}` is no layer: {error}")))?;
    let found = match &target {
        Target::Stack(stack) => rows().rfind(|row| row.place.stack == *stack && row.depth == 0),
        Target::Node(place) => rows().find(|row| row.place == *place),
    };
    let there = rows().next().zip(rows().next_back());
    let there = there.map_or_else(String::new, |(first, last)| {
        format!("; there is {} to {}", first.place, last.place)
    });
    let none = || BaselineError::Input(format!("there is no layer `{name}` in the run{there}"));
    found.map(|row| row.place.clone()).ok_or_else(none)
}

fn text_of(inference: &Inference, place: &Place) -> String {
    let text = inference.row(place).map(|row| row.text.as_str());
    format!("{place} ({})", text.unwrap_or_default())
}

/// The places of the images that are fitted, of how many, and the splits that are asked.
type Chosen = (Vec<u32>, usize, Vec<(Split, usize)>);

fn chosen(dataset: &Dataset, limit: usize, seed: u64) -> Result<Chosen, BaselineError> {
    let input = |text: &str| BaselineError::Input(text.to_owned());
    let labelled = |split: Split| -> Option<&SplitData> {
        let data = dataset.split(split)?;
        (data.labelled() && !data.is_empty()).then_some(data)
    };
    if dataset.has_label_sets() {
        return Err(input(
            "an image may have several labels here, and a baseline tells one class of each: choose data with classes",
        ));
    }
    let Some(train) = labelled(Split::Train) else {
        return Err(input(
            "the training images have no classes, so there is nothing to learn: choose data with labels",
        ));
    };
    if dataset.classes().len() < 2 {
        return Err(input(
            "the images are all of one class, so there is nothing to tell apart: choose data with two classes or more",
        ));
    }
    let splits = [Split::Valid, Split::Test].into_iter();
    let held_out = splits.filter_map(|split| Some((split, labelled(split)?.len())));
    let held_out: Vec<(Split, usize)> = held_out.collect();
    if held_out.is_empty() {
        return Err(input(
            "there are no labelled images besides the training images, so nothing would be measured: keep some out with valid = 0.1",
        ));
    }
    let mut order = epoch_order(train.len(), seed, 0);
    order.truncate(limit.max(1));
    order.sort_unstable();
    Ok((order, train.len(), held_out))
}

/// Refuses rows for which there is no memory.
fn check_memory(
    origin: &Origin,
    fitted: usize,
    held_out: &[(Split, usize)],
) -> Result<(), BaselineError> {
    let width = match origin {
        Origin::Pixels(dataset) => dataset.shape().iter().product(),
        Origin::Layer(run, place) => {
            let row = run.inference.row(place);
            let dims = row.and_then(|row| row.output.as_ref());
            dims.map_or(1, |shape| shape.elements() as usize)
        }
    };
    let asked: usize = held_out.iter().map(|(_, images)| images).sum();
    let bytes = |images: usize| (images as u64) * (width as u64) * size_of::<f32>() as u64;
    let needed = COPIES * bytes(fitted) + bytes(asked);
    let Some(free) = available_bytes().filter(|free| *free < needed) else {
        return Ok(());
    };
    let left = free.saturating_sub(bytes(asked)) / COPIES / bytes(1).max(1);
    Err(BaselineError::Input(format!(
        "{} training images with {} values each do not fit into the memory that is free ({}): fit {} at most, or take a layer with fewer values",
        count(fitted as u64),
        count(width as u64),
        strata_core::format::bytes(free),
        count(left)
    )))
}

impl Origin {
    fn samples(
        &mut self,
        split: Split,
        indices: &[u32],
        monitor: Monitor<'_>,
    ) -> Result<Samples, BaselineError> {
        let mut samples = Samples {
            classes: self.dataset().classes().len(),
            ..Samples::default()
        };
        for block in indices.chunks(BLOCK) {
            let progress = Progress {
                what: match self {
                    Origin::Pixels(_) => "reading images",
                    Origin::Layer(..) => "asking the network",
                },
                done: samples.labels.len(),
                total: indices.len(),
            };
            if !monitor(progress) {
                return Err(BaselineError::Cancelled);
            }
            samples.values.extend(self.values(split, block)?);
            let data = self.dataset().split(split);
            let labels = block.iter().map(|index| data?.label(*index as usize));
            samples.labels.extend(labels.flatten());
        }
        samples.width = samples.values.len() / indices.len().max(1);
        Ok(samples)
    }

    fn values(&mut self, split: Split, indices: &[u32]) -> Result<Vec<f32>, BaselineError> {
        match self {
            Origin::Pixels(dataset) => {
                let Some(data) = dataset.split(split) else {
                    return Ok(Vec::new());
                };
                let length: usize = data.image_shape().iter().product();
                let mut images = vec![0.0; indices.len() * length];
                fill_batch(data, indices, &mut images, &mut vec![0; indices.len()])?;
                Ok(images)
            }
            Origin::Layer(run, place) => {
                let request = Request {
                    place: Some(place.clone()),
                    split,
                    indices: indices.to_vec(),
                };
                Ok(run.inspect::<LayerRows>(&request)?.values)
            }
        }
    }
}

/// How a project scales pixels, in words.
pub fn scaling(data: &DataSpec) -> String {
    let mut text = match (&data.normalize, data.range) {
        (Some(Normalize::Measured(_)), _) => "less the mean, divided by the deviation".to_owned(),
        (Some(Normalize::By(MeanStd { mean, std })), _) => {
            format!("less {mean:?}, divided by {std:?}")
        }
        (None, range) => {
            let [low, high] = range.unwrap_or([0.0, 1.0]).map(|end| short(end.into(), 4));
            format!("from {low} to {high}")
        }
    };
    if data.center.is_some() {
        text += ", each image less its mean";
    }
    if let Some(whiten) = data.whiten {
        text += &format!(", whitened by {whiten}");
    }
    text
}
