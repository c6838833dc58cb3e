//! The words of `strata inspect`.

use super::{Picture, at_least_one, split};
use clap::Args as ClapArgs;
use std::path::PathBuf;
use strata_core::project::data::Split;
use strata_engine::inspection::dynamics::Figure;
use strata_gui::plate::of_filters::Shown;
use strata_inspect::adversarial::{Attack, Norm};
use strata_inspect::attribution::Method;
use strata_inspect::embedding::By;
use strata_inspect::filters::study::Order;
use strata_inspect::neighbours::Metric;
use strata_inspect::predictions::List;

/// `strata inspect`
#[derive(Debug, ClapArgs)]
pub struct InspectArgs {
    /// The run's folder
    pub run: PathBuf,
    /// What to save
    pub what: Picture,
    /// Use this image instead of the run's probe images; for saliency, predictions and adversarial several times; of neighbours: the image whose neighbours are shown
    #[arg(long, value_name = "FILE")]
    pub image: Vec<PathBuf>,
    /// Of saliency and predictions: the images of this split [default: probe images; for predictions test, or valid]. Of adversarial and filters: the images whose accuracy is measured. Of reconstructions: the errors of these. Of neighbours and embedding: the images that are compared [default: test, or valid]
    #[arg(long, value_parser = split)]
    pub split: Option<Split>,
    /// Of filters, saliency, predictions, reconstructions and adversarial: so many images of the split. Of neighbours and embedding: a sample of so many, up to 5000 [default: 1000]
    #[arg(long, value_name = "N", value_parser = at_least_one)]
    pub limit: Option<usize>,
    /// Draw this slice of volumes, from 0 [default: the middle one]
    #[arg(long, value_name = "N")]
    pub slice: Option<usize>,
    /// Saliency of this class's score, by name or number [default: the class predicted for each image]
    #[arg(long, value_name = "NAME")]
    pub class: Option<String>,
    /// Of filters, activations, receptive-field and pixel: the layer, such as encoder.3 [default: for filters the first that has some; none for pixel; else the encoder's last]. Of neighbours and embedding: the layer whose output is compared [default: the encoder's last]. Of saliency: the layer of the unit or of Grad-CAM
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
    /// Write the numbers of the picture too, to a .npy or .csv file; of filters, saliency, predictions, reconstructions, adversarial, neighbours, embedding, dynamics and sparse-code
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

/// What only filters take.
#[derive(Debug, ClapArgs)]
pub struct FilterArgs {
    /// Of filters: layer, norm, similarity or activation [default: layer]
    #[arg(long, value_name = "WORD", value_parser = order)]
    pub sort: Option<Order>,
    /// Of filters: weights, channels (a picture for each input channel) or frequencies [default: weights]
    #[arg(long, value_name = "WORD", value_parser = shown)]
    pub show: Option<Shown>,
    /// Of filters: what the network does without these, counted from 1, such as 3,5; the run keeps its weights
    #[arg(long, value_name = "N,N", value_delimiter = ',', value_parser = clap::value_parser!(u32).range(1..))]
    pub without: Vec<u32>,
}

impl FilterArgs {
    /// The first that was given, as it is written.
    pub fn given(&self) -> Option<&'static str> {
        let given = [
            (self.sort.is_some(), "--sort"),
            (self.show.is_some(), "--show"),
            (!self.without.is_empty(), "--without"),
        ];
        given.into_iter().find(|(is, _)| *is).map(|(_, word)| word)
    }
}

fn figure(text: &str) -> Result<Figure, String> {
    let words = Figure::ALL.map(Figure::word).join(", ");
    let found = Figure::ALL.into_iter().find(|figure| figure.word() == text);
    found.ok_or_else(|| format!("the figures are {words}"))
}

fn order(text: &str) -> Result<Order, String> {
    let words = Order::ALL.map(Order::word).join(", ");
    let found = Order::ALL.into_iter().find(|order| order.word() == text);
    found.ok_or_else(|| format!("filters are sorted by {words}"))
}

fn shown(text: &str) -> Result<Shown, String> {
    let words = Shown::ALL.map(Shown::word).join(", ");
    let found = Shown::ALL.into_iter().find(|shown| shown.word() == text);
    found.ok_or_else(|| format!("of filters can be shown {words}"))
}

/// What only reconstructions take: the code changed by hand.
#[derive(Debug, ClapArgs)]
pub struct CodeArgs {
    /// Of reconstructions: give units of the code these values, counted from 1, such as 3=1.5,7=0
    #[arg(long, value_name = "UNIT=VALUE", value_delimiter = ',', value_parser = edit)]
    pub edit: Vec<(u32, f32)>,
    /// Of reconstructions: the way in the code from one probe image to another, counted from 1, such as 1,4
    #[arg(long, value_name = "A,B", value_delimiter = ',', value_parser = counted, num_args = 1)]
    pub walk: Vec<usize>,
    /// Of reconstructions: noise on the code, in standard deviations of each unit over the probe images
    #[arg(long, value_name = "S", value_parser = radius)]
    pub noise: Option<f32>,
    /// Of reconstructions: which noise [default: 0]
    #[arg(long, value_name = "N", requires = "noise")]
    pub seed: Option<u64>,
    /// Of reconstructions: the code of this probe image, counted from 1, and what each of its units paints alone
    #[arg(long, value_name = "N", value_parser = counted, conflicts_with_all = ["image", "walk"])]
    pub probe: Option<usize>,
}

impl CodeArgs {
    /// The first that was given, as it is written.
    pub fn given(&self) -> Option<&'static str> {
        let given = [
            (!self.edit.is_empty(), "--edit"),
            (!self.walk.is_empty(), "--walk"),
            (self.noise.is_some(), "--noise"),
            (self.probe.is_some(), "--probe"),
        ];
        given.into_iter().find(|(is, _)| *is).map(|(_, word)| word)
    }
}

fn edit(text: &str) -> Result<(u32, f32), String> {
    let wrong = || "write units from 1 with their values, such as 3=1.5,7=0".to_owned();
    let (unit, value) = text.split_once('=').ok_or_else(wrong)?;
    let unit = unit.trim().parse().ok().filter(|unit| *unit > 0);
    let value = value
        .trim()
        .parse()
        .ok()
        .filter(|value: &f32| value.is_finite());
    unit.zip(value).ok_or_else(wrong)
}

fn counted(text: &str) -> Result<usize, String> {
    let number = text.trim().parse().ok().filter(|number| *number > 0);
    number.ok_or_else(|| "images are counted from 1".to_owned())
}

/// What only saliency takes.
#[derive(Debug, ClapArgs)]
pub struct SaliencyArgs {
    /// Of saliency: gradient, gradient-x-input, smoothgrad, integrated, guided, grad-cam or occlusion [default: gradient]
    #[arg(long, value_name = "WORD", value_parser = method)]
    pub method: Option<Method>,
    /// Of saliency: this unit (channel) of --layer, from 0, instead of a class. Of sparse-code: draw this unit, from 0
    #[arg(long, value_name = "N", conflicts_with = "class")]
    pub unit: Option<u32>,
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
        ];
        given.into_iter().find(|(is, _)| *is).map(|(_, word)| word)
    }
}

/// What only neighbours take.
#[derive(Debug, ClapArgs)]
pub struct NeighbourArgs {
    /// Of neighbours: the image at this place of the split, from 0 [default: 0]
    #[arg(long, value_name = "N", conflicts_with = "image")]
    pub index: Option<u32>,
    /// Of neighbours: how distance is measured, euclidean or cosine [default: euclidean]
    #[arg(long, value_name = "WORD", value_parser = metric)]
    pub metric: Option<Metric>,
    /// Of neighbours: so many neighbours vote for the class of an image [default: 5]
    #[arg(long, value_name = "N", value_parser = at_least_one)]
    pub k: Option<usize>,
}

impl NeighbourArgs {
    /// The first that was given, as it is written.
    pub fn given(&self) -> Option<&'static str> {
        let given = [
            (self.index.is_some(), "--index"),
            (self.metric.is_some(), "--metric"),
            (self.k.is_some(), "--k"),
        ];
        given.into_iter().find(|(is, _)| *is).map(|(_, word)| word)
    }
}

/// What only a map takes.
#[derive(Debug, ClapArgs)]
pub struct EmbeddingArgs {
    /// Of embedding: pca, tsne or umap [default: tsne]
    #[arg(long, value_name = "WORD", value_parser = way)]
    pub by: Option<By>,
    /// Of embedding by tsne: about how many neighbours of an image count, 2 to 200 [default: 30]
    #[arg(long, value_name = "P", value_parser = perplexity)]
    pub perplexity: Option<f64>,
    /// Of embedding by umap: how many neighbours of an image count, 2 to 200 [default: 15]
    #[arg(long, value_name = "N", value_parser = neighbours)]
    pub neighbours: Option<usize>,
    /// Of embedding: another draw of the images and of the start [default: 0]
    #[arg(long, value_name = "N")]
    pub draw: Option<u64>,
}

impl EmbeddingArgs {
    /// The first that was given, as it is written.
    pub fn given(&self) -> Option<&'static str> {
        let given = [
            (self.by.is_some(), "--by"),
            (self.perplexity.is_some(), "--perplexity"),
            (self.neighbours.is_some(), "--neighbours"),
            (self.draw.is_some(), "--draw"),
        ];
        given.into_iter().find(|(is, _)| *is).map(|(_, word)| word)
    }
}

fn metric(text: &str) -> Result<Metric, String> {
    let words = Metric::ALL.map(Metric::word).join(", ");
    Metric::of_word(text).ok_or_else(|| format!("the metrics are {words}"))
}

fn way(text: &str) -> Result<By, String> {
    let words = By::ALL.map(By::word).join(", ");
    By::of_word(text).ok_or_else(|| format!("the ways are {words}"))
}

fn perplexity(text: &str) -> Result<f64, String> {
    let number = text.parse().ok();
    number
        .filter(|number| (2.0..=200.0).contains(number))
        .ok_or_else(|| "write a number from 2 to 200".to_owned())
}

fn neighbours(text: &str) -> Result<usize, String> {
    let number = text.parse().ok();
    number
        .filter(|number| (2..=200).contains(number))
        .ok_or_else(|| "write a whole number from 2 to 200".to_owned())
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
