//! The words of `strata inspect`.

mod adversarial;
mod dynamics;
mod embedding;
mod field;
mod filters;
mod neighbours;
mod pixel;
mod predictions;
mod reconstructions;
mod saliency;
mod visualize;

use super::{at_least_one, split};
use crate::cli::inspect::picture::{Picture, pictures};
use adversarial::AdversarialArgs;
use clap::Args as ClapArgs;
use dynamics::DynamicsArgs;
use embedding::EmbeddingArgs;
use field::FieldArgs;
use filters::FilterArgs;
use neighbours::NeighbourArgs;
use pixel::PixelArgs;
use predictions::PredictionArgs;
use reconstructions::{CodeArgs, counted};
use saliency::SaliencyArgs;
use std::path::PathBuf;
use strata_core::project::data::Split;
use strata_inspect::visualize::MOST;
use visualize::VisualizeArgs;

/// `strata inspect`
#[derive(Debug, ClapArgs)]
pub struct InspectArgs {
    /// The run's folder
    pub run: PathBuf,
    /// What to save
    #[arg(value_parser = pictures())]
    pub what: &'static Picture,
    /// Look at this image file instead of the run's images; may be given several times. Of filters, exciting, layers, confusion, sparse-code and embedding: measure over these files; the right class of one is the name of its folder. Of neighbours: the image whose neighbours are shown. Of visualize: start from it instead of noise
    #[arg(long, value_name = "FILE")]
    pub image: Vec<PathBuf>,
    /// Of saliency, predictions, activations, receptive-field and pixel: the images of this split [default: probe images; for predictions test, or valid]. Of exciting, layers, confusion and sparse-code: the images. Of adversarial and filters: the images whose accuracy is measured. Of reconstructions: the errors of these; with --edit, --walk, --noise or --probe their codes. Of neighbours and embedding: the images that are compared [default: test, or valid]
    #[arg(long, value_parser = split)]
    pub split: Option<Split>,
    /// So many images of the split. Of neighbours and embedding: a sample of so many, up to 5000 [default: 1000]
    #[arg(long, value_name = "N", value_parser = at_least_one)]
    pub limit: Option<usize>,
    /// Of activations, pixel and reconstructions: this of the images, counted from 1 [default: the first]. Of reconstructions: its code, and what each of its units paints alone
    #[arg(long, value_name = "N", value_parser = counted, conflicts_with = "walk")]
    pub probe: Option<usize>,
    /// Draw this slice of volumes, from 0 [default: the middle one]
    #[arg(long, value_name = "N")]
    pub slice: Option<usize>,
    /// Saliency of this class's score, by name or number [default: the class predicted for each image]. Of visualize: these classes, such as 3,5 [default: all, unless there is a --layer]
    #[arg(long, value_name = "NAME")]
    pub class: Option<String>,
    /// Of filters, activations, receptive-field and pixel: the layer, such as encoder.3 [default: for filters the first that has some; none for pixel; else the encoder's last]. Of neighbours and embedding: the layer whose output is compared [default: the encoder's last]. Of exciting: the layer whose channels are excited. Of saliency and visualize: the layer of the unit or of Grad-CAM; of visualize without --channel and --unit the whole layer
    #[arg(long, value_name = "PLACE")]
    pub layer: Option<String>,
    /// Of saliency: this unit (channel) of --layer, from 0, instead of a class. Of visualize: one value, in the middle of the channel or at N,Y,X. Of sparse-code: draw this unit
    #[arg(long, value_name = "N", conflicts_with = "class", value_parser = unit)]
    pub unit: Option<Unit>,
    /// Of visualize and exciting: channels of --layer from 0, such as 3, 0,5,7, 0..16 or all
    #[arg(long, value_name = "LIST", requires = "layer", conflicts_with_all = ["class", "unit"], value_parser = channels)]
    pub channel: Option<Channels>,
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
    #[command(flatten)]
    pub field: FieldArgs,
    #[command(flatten)]
    pub dynamics: DynamicsArgs,
    #[command(flatten)]
    pub pixel: PixelArgs,
    /// Of visualize: starts everything random [default: the project's seed]. Of reconstructions: which noise [default: 0]
    #[arg(long, value_name = "N")]
    pub seed: Option<u64>,
    /// The file to write, .png or .svg [default: WHAT.png in the run's folder]
    #[arg(short, long, value_name = "PNG")]
    pub output: Option<PathBuf>,
    /// Write the numbers of the picture too, to a .npy or .csv file
    #[arg(long, value_name = "FILE")]
    pub numbers: Option<PathBuf>,
    /// The checkpoint: last, best, stage-1
    #[arg(long, default_value = "last")]
    pub checkpoint: String,
    /// Of filters, activations, saliency, reconstructions, predictions, confusion, exciting, layers and sparse-code: show the change of --checkpoint since this one, such as step-8
    #[arg(long, value_name = "CHECKPOINT")]
    pub since: Option<String>,
    /// Where to compute: cpu, cuda:0
    #[arg(long)]
    pub device: Option<String>,
    /// Print what the picture shows as one JSON value
    #[arg(long)]
    pub json: bool,
    /// The options that were given, as they are written: `--layer`
    #[arg(skip)]
    pub given: Vec<String>,
}

impl InspectArgs {
    /// Whether one of these options was given.
    pub fn has(&self, options: &[&str]) -> bool {
        options
            .iter()
            .any(|option| self.given.iter().any(|given| given == option))
    }

    /// The image file of what shows one image.
    pub fn one_image(&self) -> Option<PathBuf> {
        self.image.first().cloned()
    }
}

/// A unit of a layer: its channel, and of one value of a map its position.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unit {
    /// The channel, from 0.
    pub channel: u32,
    /// The position by axis, from 0.
    pub cell: Option<Vec<usize>>,
}

/// Channels of a layer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Channels {
    /// All of them.
    All,
    /// These, from 0.
    These(Vec<u32>),
}

fn channels(text: &str) -> Result<Channels, String> {
    if text == "all" {
        return Ok(Channels::All);
    }
    let wrong = || "write channels from 0: 3, 0,5,7, 0..16 or all".to_owned();
    let mut found = Vec::new();
    for part in text.split(',') {
        let number = |text: &str| text.trim().parse::<u32>().map_err(|_| wrong());
        match part.split_once("..") {
            Some((from, to)) => found.extend((number(from)?..number(to)?).take(MOST + 1)),
            None => found.push(number(part)?),
        }
    }
    if found.is_empty() || found.len() > MOST {
        return Err(format!("choose 1 to {MOST} channels at once"));
    }
    Ok(Channels::These(found))
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

/// A number from 0 on.
fn radius(text: &str) -> Result<f32, String> {
    within(text, 1e3).ok_or_else(|| "write a number from 0 on, such as 0.1".to_owned())
}

/// A number from 0 to the most.
fn within(text: &str, most: f32) -> Option<f32> {
    text.parse()
        .ok()
        .filter(|number| (0.0..=most).contains(number))
}
/// A number of percent, up to half.
fn percent(text: &str) -> Result<f32, String> {
    within(text, 50.0).ok_or_else(|| "write a number from 0 to 50".to_owned())
}

/// A share of a whole.
fn share(text: &str) -> Result<f32, String> {
    within(text, 1.0).ok_or_else(|| "write a number from 0 to 1".to_owned())
}
