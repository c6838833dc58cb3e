//! The words of `strata inspect`.

mod filters;
mod neighbours;
mod visualize;

pub use filters::{CodeArgs, FilterArgs};
pub use neighbours::{EmbeddingArgs, NeighbourArgs};
pub use visualize::{Channels, VisualizeArgs};

use super::{Picture, at_least_one, split};
use clap::Args as ClapArgs;
use std::path::PathBuf;
use strata_core::project::data::Split;
use strata_engine::inspection::dynamics::Figure;
use strata_inspect::adversarial::{Attack, Norm};
use strata_inspect::attribution::Method;
use strata_inspect::predictions::List;

/// `strata inspect`
#[derive(Debug, ClapArgs)]
pub struct InspectArgs {
    /// The run's folder
    pub run: PathBuf,
    /// What to save
    pub what: Picture,
    /// Use this image instead of the run's probe images; for saliency, predictions and adversarial several times; of neighbours: the image whose neighbours are shown. Of visualize: start from it instead of noise
    #[arg(long, value_name = "FILE")]
    pub image: Vec<PathBuf>,
    /// Of saliency and predictions: the images of this split [default: probe images; for predictions test, or valid]. Of exciting: the images. Of adversarial and filters: the images whose accuracy is measured. Of reconstructions: the errors of these. Of neighbours and embedding: the images that are compared [default: test, or valid]
    #[arg(long, value_parser = split)]
    pub split: Option<Split>,
    /// Of filters, saliency, predictions, reconstructions, adversarial and exciting: so many images of the split. Of neighbours and embedding: a sample of so many, up to 5000 [default: 1000]
    #[arg(long, value_name = "N", value_parser = at_least_one)]
    pub limit: Option<usize>,
    /// Draw this slice of volumes, from 0 [default: the middle one]
    #[arg(long, value_name = "N")]
    pub slice: Option<usize>,
    /// Saliency of this class's score, by name or number [default: the class predicted for each image]. Of visualize: these classes, such as 3,5 [default: all, unless there is a --layer]
    #[arg(long, value_name = "NAME")]
    pub class: Option<String>,
    /// Of filters, activations, receptive-field and pixel: the layer, such as encoder.3 [default: for filters the first that has some; none for pixel; else the encoder's last]. Of neighbours and embedding: the layer whose output is compared [default: the encoder's last]. Of exciting: the layer whose channels are excited. Of saliency and visualize: the layer of the unit or of Grad-CAM; of visualize without --channel and --unit the whole layer
    #[arg(long, value_name = "PLACE")]
    pub layer: Option<String>,
    #[command(flatten)]
    pub filters: FilterArgs,
    #[command(flatten)]
    pub code: CodeArgs,
    #[command(flatten)]
    pub saliency: SaliencyArgs,
    #[command(flatten)]
    pub predictions: PredictionArgs,
    #[command(flatten)]
    pub adversarial: AdversarialArgs,
    #[command(flatten)]
    pub neighbours: NeighbourArgs,
    #[command(flatten)]
    pub embedding: EmbeddingArgs,
    #[command(flatten)]
    pub visualize: VisualizeArgs,
    /// Of visualize: starts everything random [default: the project's seed]. Of reconstructions: which noise [default: 0]
    #[arg(long, value_name = "N")]
    pub seed: Option<u64>,
    /// Of filters: what the decoder's last layer with weights paints, a picture for each of its inputs
    #[arg(long, conflicts_with = "layer")]
    pub decoder: bool,
    /// Of receptive-field: the position in the layer's map, such as 3x5 (row, column) [default: its middle]
    #[arg(long, value_name = "CELL")]
    pub cell: Option<String>,
    /// Of dynamics: gradient, weight, update, mean, std, zeros or saturated [default: gradient]
    #[arg(long, value_name = "WORD", value_parser = figure)]
    pub figure: Option<Figure>,
    /// Of pixel: channel, row and column of the value, such as 0,4,7; a vector's unit alone [default: the middle]
    #[arg(long, value_name = "C,Y,X")]
    pub at: Option<String>,
    /// The file to write, .png or .svg [default: WHAT.png in the run's folder]
    #[arg(short, long, value_name = "PNG")]
    pub output: Option<PathBuf>,
    /// Write the numbers of the picture too, to a .npy or .csv file; of filters, saliency, predictions, reconstructions, adversarial, neighbours, embedding, visualize, dynamics and sparse-code
    #[arg(long, value_name = "FILE")]
    pub numbers: Option<PathBuf>,
    /// The checkpoint: last, best, stage-1
    #[arg(long, default_value = "last")]
    pub checkpoint: String,
    /// Where to compute: cpu, cuda:0
    #[arg(long)]
    pub device: Option<String>,
    /// Print what the picture shows as one JSON value
    #[arg(long)]
    pub json: bool,
}

impl InspectArgs {
    /// The image file of what shows one image.
    pub fn one_image(&self) -> Option<PathBuf> {
        self.image.first().cloned()
    }
}

fn figure(text: &str) -> Result<Figure, String> {
    let words = Figure::ALL.map(Figure::word).join(", ");
    let found = Figure::ALL.into_iter().find(|figure| figure.word() == text);
    found.ok_or_else(|| format!("the figures are {words}"))
}

/// A unit of a layer: its channel, and of one value of a map its position.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unit {
    /// The channel, from 0.
    pub channel: u32,
    /// The position by axis, from 0.
    pub cell: Option<Vec<usize>>,
}

/// What only saliency takes.
#[derive(Debug, ClapArgs)]
pub struct SaliencyArgs {
    /// Of saliency: gradient, gradient-x-input, smoothgrad, integrated, guided, grad-cam or occlusion [default: gradient]
    #[arg(long, value_name = "WORD", value_parser = method)]
    pub method: Option<Method>,
    /// Of saliency: this unit (channel) of --layer, from 0, instead of a class. Of visualize: one value, in the middle of the channel or at N,Y,X. Of sparse-code: draw this unit
    #[arg(long, value_name = "N", conflicts_with = "class", value_parser = unit)]
    pub unit: Option<Unit>,
    /// Of saliency, the sanity check: draw the weights of so many layers anew, one after another from the last
    #[arg(long, value_name = "N", value_parser = at_least_one)]
    pub randomise: Option<usize>,
    /// Of saliency: draw signed values, blue against and red for the score
    #[arg(long)]
    pub signed: bool,
    /// Of saliency: so many percent of the values, the largest, may lie beyond the colours' scale
    #[arg(long, value_name = "PERCENT", value_parser = percent)]
    pub clip: Option<f32>,
    /// Of saliency: one scale for all images instead of each its own
    #[arg(long)]
    pub one_scale: bool,
    /// Of saliency: how strongly the map lies over the image, 0 to 1 [default: 1]
    #[arg(long, value_name = "SHARE", value_parser = share)]
    pub opacity: Option<f32>,
}

impl SaliencyArgs {
    /// The first that was given, as it is written.
    pub fn given(&self) -> Option<&'static str> {
        let given = [
            (self.method.is_some(), "--method"),
            (self.randomise.is_some(), "--randomise"),
            (self.signed, "--signed"),
            (self.clip.is_some(), "--clip"),
            (self.one_scale, "--one-scale"),
            (self.opacity.is_some(), "--opacity"),
        ];
        given.into_iter().find(|(is, _)| *is).map(|(_, word)| word)
    }
}

/// What only predictions take.
#[derive(Debug, ClapArgs)]
pub struct PredictionArgs {
    /// Of predictions: most-wrong, least-sure or first [default: most-wrong; first for --image]
    #[arg(long, value_name = "WORD", value_parser = list)]
    pub list: Option<List>,
    /// Of predictions: so many classes for each image [default: 3]
    #[arg(long, value_name = "N", value_parser = at_least_one)]
    pub top: Option<usize>,
    /// Of predictions: of each image the mean over so many draws of the project's augmentations
    #[arg(long, value_name = "N", value_parser = at_least_one, conflicts_with = "image")]
    pub augmentations: Option<usize>,
}

/// What only adversarial examples take.
#[derive(Debug, ClapArgs)]
pub struct AdversarialArgs {
    /// Of adversarial: fgsm, iterated or pgd [default: fgsm]
    #[arg(long, value_name = "WORD", value_parser = attack)]
    pub attack: Option<Attack>,
    /// Of adversarial: the norm of the largest change, linf or l2 [default: linf]
    #[arg(long, value_name = "WORD", value_parser = norm)]
    pub norm: Option<Norm>,
    /// Of adversarial: the largest change, where 1 is the way from black to white [default: 0.1]
    #[arg(long, value_name = "E", value_parser = radius)]
    pub epsilon: Option<f32>,
    /// Of adversarial: the class to be taken for, by name or number [default: any but the right one]
    #[arg(long, value_name = "C")]
    pub target: Option<String>,
    /// Of adversarial: average over so many random rotations, scales, brightnesses and noises in every step
    #[arg(long, value_name = "N")]
    pub transformations: Option<usize>,
    /// Of adversarial: whether the examples fool the network of this other run, too
    #[arg(long, value_name = "RUN")]
    pub transfer: Option<PathBuf>,
}

impl AdversarialArgs {
    /// The first that was given, as it is written.
    pub fn given(&self) -> Option<&'static str> {
        let given = [
            (self.attack.is_some(), "--attack"),
            (self.norm.is_some(), "--norm"),
            (self.epsilon.is_some(), "--epsilon"),
            (self.target.is_some(), "--target"),
            (self.transformations.is_some(), "--transformations"),
            (self.transfer.is_some(), "--transfer"),
        ];
        given.into_iter().find(|(is, _)| *is).map(|(_, word)| word)
    }
}

fn unit(text: &str) -> Result<Unit, String> {
    let wrong = || "write a channel from 0, or channel, row and column as 3,0,5".to_owned();
    let numbers: Result<Vec<usize>, _> = text.split(',').map(|part| part.trim().parse()).collect();
    let numbers = numbers.map_err(|_| wrong())?;
    let (channel, cell) = numbers.split_first().ok_or_else(wrong)?;
    Ok(Unit {
        channel: u32::try_from(*channel).map_err(|_| wrong())?,
        cell: (!cell.is_empty()).then(|| cell.to_vec()),
    })
}

fn attack(text: &str) -> Result<Attack, String> {
    let words = Attack::ALL.map(Attack::word).join(", ");
    Attack::of_word(text).ok_or_else(|| format!("the attacks are {words}"))
}

fn norm(text: &str) -> Result<Norm, String> {
    let words = Norm::ALL.map(Norm::word).join(", ");
    Norm::of_word(text).ok_or_else(|| format!("the norms are {words}"))
}

fn radius(text: &str) -> Result<f32, String> {
    within(text, 1e3).ok_or_else(|| "write a number from 0 on, such as 0.1".to_owned())
}

fn list(text: &str) -> Result<List, String> {
    match text {
        "most-wrong" => Ok(List::MostWrong),
        "least-sure" => Ok(List::LeastSure),
        "first" => Ok(List::First),
        _ => Err("the lists are most-wrong, least-sure, first".to_owned()),
    }
}

fn method(text: &str) -> Result<Method, String> {
    let words = Method::ALL.map(Method::word).join(", ");
    Method::of_word(text).ok_or_else(|| format!("the methods are {words}"))
}

fn percent(text: &str) -> Result<f32, String> {
    within(text, 50.0).ok_or_else(|| "write a number from 0 to 50".to_owned())
}

fn share(text: &str) -> Result<f32, String> {
    within(text, 1.0).ok_or_else(|| "write a number from 0 to 1".to_owned())
}

fn within(text: &str, most: f32) -> Option<f32> {
    text.parse()
        .ok()
        .filter(|number| (0.0..=most).contains(number))
}
