//! The command line's words. Clap checks them; what they mean is in each command's file.

mod bench;
mod design;
mod inspect;
mod other_runs;
mod sweep;

use super::data::name::{DataName, data_name};
use super::overrides::Changes;
pub use bench::{BenchArgs, BenchWhat};
use clap::builder::{OsStringValueParser, TypedValueParser};
use clap::parser::ValueSource;
use clap::{ArgMatches, Args as ClapArgs, CommandFactory, FromArgMatches, Parser, Subcommand};
pub use design::{CheckArgs, KernelArgs, LensArgs, SolveArgs};
pub use inspect::{Channels, InspectArgs};
pub use other_runs::{ControlArgs, ReplayArgs};
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use strata_core::files::path_text;
use strata_core::project::augment::Augment;
use strata_core::project::data::Split;
use strata_export::bundle::Format;
pub use sweep::SweepArgs;

/// A workbench for convolutional networks: stack layers, see every shape, train, watch it learn.
#[derive(Debug, Parser)]
#[command(
    name = "strata",
    version,
    args_conflicts_with_subcommands = true,
    disable_help_subcommand = true
)]
pub struct Args {
    /// What to do without the window
    #[command(subcommand)]
    pub command: Option<Command>,
    /// A project file, a run folder or a built-in project to open in the window
    #[arg(value_parser = project_name())]
    pub project: Option<String>,
}

impl Args {
    /// Reads the program's command line.
    pub fn read() -> Result<Args, clap::Error> {
        let grammar = Args::command();
        let mut matches = grammar.clone().try_get_matches()?;
        let given = given(&grammar, &matches);
        let mut args = Args::from_arg_matches_mut(&mut matches)?;
        if let Some(Command::Inspect(inspect)) = &mut args.command {
            inspect.given = given;
        }
        Ok(args)
    }
}

/// The options that were given to the command, as they are written.
fn given(grammar: &clap::Command, matches: &ArgMatches) -> Vec<String> {
    let command = matches
        .subcommand()
        .and_then(|(name, matches)| Some((grammar.find_subcommand(name)?, matches)));
    let Some((command, matches)) = command else {
        return Vec::new();
    };
    let is_given = |argument: &&clap::Arg| {
        let source = matches.value_source(argument.get_id().as_str());
        source == Some(ValueSource::CommandLine)
    };
    let arguments = command.get_arguments().filter(is_given);
    arguments
        .filter_map(|argument| Some(format!("--{}", argument.get_long()?)))
        .collect()
}

/// Reads which project is meant. A name on a disk need not be UTF-8: one that is not becomes the address which
/// [`path_in`](strata_core::files::path_in) reads.
fn project_name() -> impl TypedValueParser<Value = String> {
    let address = |name: OsString| path_text(Path::new(&name));
    OsStringValueParser::new().map(move |name| name.into_string().unwrap_or_else(address))
}

/// The commands that need no window.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Write one of the built-in projects to a file, or list them
    New(NewArgs),
    /// Show every layer's output shape and cost, and what keeps the project from being trained
    Check(CheckArgs),
    /// Propose the smallest edits after which the decoder's output equals the input
    Solve(SolveArgs),
    /// Show one layer as arithmetic: its formula, a small grid step by step, its sparse matrix
    Lens(LensArgs),
    /// Slide a fixed kernel over an image, or find a patch of it again; without a name lists the kernels
    Kernel(KernelArgs),
    /// Train a project; Ctrl-C saves a checkpoint and stops
    Train(TrainArgs),
    /// Change settings of a run that trains elsewhere; let it wait, go on or stop
    Control(ControlArgs),
    /// Train a run again and say whether it is the same to the last bit; exits with 1 where it differs
    Replay(ReplayArgs),
    /// Make a run of a project and the weights of a safetensors file, or a project of an ONNX file or a printed model
    Import(ImportArgs),
    /// Measure a trained run on a split
    Eval(EvalArgs),
    /// Answer for image files: classes with their probabilities, reconstructions, codes
    Predict(PredictArgs),
    /// Write a run's network for another program: PyTorch, Keras, ONNX, or its weights alone
    Export(ExportArgs),
    /// Save an image of a run: filters, loss, saliency and others
    Inspect(Box<InspectArgs>),
    /// Fit classifiers that are no networks, to the same images or to what a layer gives for them
    Baseline(BaselineArgs),
    /// Compare runs and baselines: figures, architectures, settings, significance
    Compare(CompareArgs),
    /// Train a project with other settings, many times, and rank what comes of it; several processes may share the work
    Sweep(SweepArgs),
    /// Write a run or a sweep as one page: curves, metrics, pictures, layers; also while it trains
    Report(ReportArgs),
    /// Show what a source of images holds; download it
    Data(DataArgs),
    /// Measure the layers of a project, or training steps of the benchmark cases
    Bench(BenchArgs),
    /// List where networks can be computed on this machine, and why no GPU where there is none
    Devices(DevicesArgs),
    /// Describe this program and this machine for a report of a defect, with the last lines of the log
    Doctor(DoctorArgs),
    /// Print the reference of layers, of project files, of augmentations or of data, or the help of a command
    Help(HelpArgs),
}

/// `strata new`
#[derive(Debug, ClapArgs)]
pub struct NewArgs {
    /// The built-in project; without it they are listed
    pub name: Option<String>,
    /// The file to write [default: NAME.toml]
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// Replace a file that exists
    #[arg(long)]
    pub force: bool,
}

/// `strata train`
#[derive(Debug, ClapArgs)]
pub struct TrainArgs {
    /// A project file, a run folder or a built-in project
    #[arg(value_parser = project_name())]
    pub project: String,
    /// The run's folder [default: the next free runs/TITLE-N next to the project]
    #[arg(short, long, value_name = "RUN")]
    pub output: Option<PathBuf>,
    /// Where to compute: cpu, cuda:0
    #[arg(long)]
    pub device: Option<String>,
    /// Continue from the run's last checkpoint
    #[arg(long)]
    pub resume: bool,
    /// Go on from this checkpoint of a run (best, stage-1, stage-1-epoch-5, step-512), in a new run that names it
    #[arg(long, value_name = "NAME", conflicts_with = "resume")]
    pub checkpoint: Option<String>,
    /// Epochs of every stage, instead of the project's
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub epochs: Option<u32>,
    /// With --resume or --checkpoint: so many epochs from the checkpoint on, also of a stage that has had all of its own
    #[arg(long, value_name = "N", conflicts_with = "epochs", value_parser = clap::value_parser!(u32).range(1..))]
    pub more_epochs: Option<u32>,
    /// Train this stage alone
    #[arg(long, value_name = "NAME")]
    pub stage: Option<String>,
    /// Threads that make batches ahead of the trainer where images are decoded or scaled [default: as many as cores, four at
    /// most]
    #[arg(long, value_name = "N", value_parser = at_least_one)]
    pub loader_threads: Option<usize>,
    /// Keep no weights of earlier steps (folder snapshots of the run)
    #[arg(long)]
    pub no_snapshots: bool,
    #[command(flatten)]
    pub changes: Changes,
    /// Print the last metrics as one JSON value
    #[arg(long)]
    pub json: bool,
}

/// `strata import`
#[derive(Debug, ClapArgs)]
pub struct ImportArgs {
    /// The network that takes the weights: a project file, a run folder or a built-in project; or a network of which a
    /// project is made: an ONNX file, or a text with a printed model, a summary or lines of code (`-`: standard input)
    #[arg(value_parser = project_name())]
    pub project: String,
    /// The weights, a safetensors file
    pub weights: Option<PathBuf>,
    /// The run's folder [default: the next free runs/TITLE-N next to the project]; of a network the project's file
    #[arg(short, long, value_name = "PATH")]
    pub output: Option<PathBuf>,
    /// Of a network: replace the project and its weights where they exist
    #[arg(long, conflicts_with = "weights")]
    pub force: bool,
    #[command(flatten)]
    pub changes: Changes,
    /// Print what went where as one JSON value
    #[arg(long)]
    pub json: bool,
}

/// `strata predict`
#[derive(Debug, ClapArgs)]
pub struct PredictArgs {
    /// The run's folder
    pub run: PathBuf,
    /// Image files, folders of them, or `-`: an image or a list of paths from standard input
    #[arg(required = true)]
    pub images: Vec<PathBuf>,
    /// So many classes of each image, the most probable first
    #[arg(long, value_name = "K", default_value_t = 3, value_parser = at_least_one)]
    pub top: usize,
    /// Write the images' codes, a row for each, as .npy or .csv
    #[arg(long, value_name = "FILE")]
    pub features: Option<PathBuf>,
    /// Write the images' reconstructions into this folder, as PNG
    #[arg(long, value_name = "FOLDER")]
    pub reconstructions: Option<PathBuf>,
    /// The checkpoint: last, best, stage-1
    #[arg(long, default_value = "last")]
    pub checkpoint: String,
    /// Where to compute: cpu, cuda:0
    #[arg(long)]
    pub device: Option<String>,
    /// Print lines of CSV
    #[arg(long, conflicts_with = "json")]
    pub csv: bool,
    /// Print one JSON value
    #[arg(long)]
    pub json: bool,
}

/// `strata export`
#[derive(Debug, ClapArgs)]
pub struct ExportArgs {
    /// The run's folder
    pub run: PathBuf,
    /// For which program: pytorch, keras, onnx, tensorboard (the curves), or the weights alone
    #[arg(long, value_name = "PROGRAM", value_parser = format)]
    pub to: Format,
    /// The folder of the files [default: export in the run's folder]
    #[arg(short, long, value_name = "FOLDER")]
    pub output: Option<PathBuf>,
    /// Which checkpoint: last, best, stage-1 or step-512
    #[arg(long, value_name = "NAME", default_value = "last")]
    pub checkpoint: String,
    /// For PyTorch: the network alone, without train.py and the images that it trains on
    #[arg(long)]
    pub no_training: bool,
    /// Replace files that exist
    #[arg(long)]
    pub force: bool,
    /// Print one JSON value
    #[arg(long)]
    pub json: bool,
}

/// `strata eval`
#[derive(Debug, ClapArgs)]
pub struct EvalArgs {
    /// The run's folder
    pub run: PathBuf,
    /// The split to measure [default: test, without such images valid, then train]
    #[arg(long, value_parser = split)]
    pub split: Option<Split>,
    /// The checkpoint: last, best, stage-1
    #[arg(long, default_value = "last")]
    pub checkpoint: String,
    /// Where to compute: cpu, cuda:0
    #[arg(long)]
    pub device: Option<String>,
    /// Print one JSON value
    #[arg(long)]
    pub json: bool,
}

/// `strata baseline`
#[derive(Debug, ClapArgs)]
pub struct BaselineArgs {
    /// A project file, a run folder or a built-in project: its splits are used
    #[arg(value_name = "PROJECT|RUN", value_parser = project_name())]
    pub project: String,
    /// logistic, forest, boosted, knn, svm, several between commas, or all
    #[arg(long, value_name = "NAME", default_value = "all")]
    pub model: String,
    /// Fit to what this layer of a run gives for the images: RUN:LAYER, or LAYER of the run that is asked for [default:
    /// their pixels, scaled as the project scales them]
    #[arg(long, value_name = "RUN:LAYER")]
    pub features: Option<String>,
    /// Fit to so many training images, drawn by the seed [default: 10000]
    #[arg(long, value_name = "N", value_parser = at_least_one)]
    pub limit: Option<usize>,
    /// The seed of what is drawn [default: the project's]
    #[arg(long, value_name = "N")]
    pub seed: Option<u64>,
    #[command(flatten)]
    pub changes: Changes,
    /// Print one JSON value
    #[arg(long)]
    pub json: bool,
}

/// `strata compare`
#[derive(Debug, ClapArgs)]
pub struct CompareArgs {
    /// The folders of runs and baselines
    #[arg(value_name = "FOLDER", required = true, num_args = 1..)]
    pub folders: Vec<PathBuf>,
    /// Tell when each run reached this accuracy, such as 0.97 [default: the best that all reached]
    #[arg(long, value_name = "SHARE")]
    pub until: Option<f64>,
    /// Write it as one page too
    #[arg(short, long, value_name = "HTML")]
    pub output: Option<PathBuf>,
    /// Print one JSON value
    #[arg(long)]
    pub json: bool,
}

/// `strata report`
#[derive(Debug, ClapArgs)]
pub struct ReportArgs {
    /// The folder of a run or a sweep, or a project file of several runs
    pub run: PathBuf,
    /// The file to write; of several runs also Markdown, as .md [default: report.html in that folder,
    /// runs/TITLE-report.html of several]
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// Of several runs: your own words for it, paragraphs and lines that begin with # [default: NAME.notes.md beside
    /// the project]
    #[arg(long, value_name = "FILE")]
    pub text: Option<PathBuf>,
}

/// `strata help`
#[derive(Debug, ClapArgs)]
pub struct HelpArgs {
    /// layers, project, augment, data, or a command
    pub about: Option<String>,
}

/// `strata data`
#[derive(Debug, ClapArgs)]
pub struct DataArgs {
    /// The source (shapes, mnist, cifar10, stl10, folder, …); or a folder, a file or an archive, whose source is
    /// recognised
    #[arg(value_name = "SOURCE|PATH", value_parser = data_name)]
    pub name: DataName,
    /// The folder its files are in
    #[arg(long, value_name = "P")]
    pub path: Option<String>,
    /// Scale images to this size, such as 32x32
    #[arg(long, value_name = "HxW", value_parser = size)]
    pub resize: Option<[u32; 2]>,
    /// Draw what this augmentation makes of an image, such as "rotate 18"; may be repeated
    #[arg(long, value_name = "TEXT", num_args = 1..)]
    pub augment: Vec<Augment>,
    /// Which training image is augmented
    #[arg(long, value_name = "N", default_value_t = 0, requires = "augment")]
    pub image_index: usize,
    /// Where the picture goes [default: augmentation.png]
    #[arg(short, long, value_name = "PNG", requires = "augment")]
    pub output: Option<PathBuf>,
    /// Change a setting of [data], such as fold=2/5 or per_class=50, or the seed; can be given several times
    #[arg(long = "set", value_name = "KEY=VALUE")]
    pub set: Vec<String>,
    /// Take out a setting that was set before, such as resize; can be given several times
    #[arg(long = "unset", value_name = "KEY")]
    pub unset: Vec<String>,
    /// Download what is missing, into --path or into the user's folder for data
    #[arg(long)]
    pub fetch: bool,
    /// Unpack an archive (.zip, .tar, .tar.gz) beside itself, then show what it holds
    #[arg(long, conflicts_with = "fetch")]
    pub unpack: bool,
    /// Measure the pixels: mean, deviation, histogram, exact duplicates, black images and those of one value
    #[arg(long)]
    pub statistics: bool,
    /// Print one JSON value
    #[arg(long)]
    pub json: bool,
}

/// `strata devices`
#[derive(Debug, ClapArgs)]
pub struct DevicesArgs {
    /// Print one JSON value
    #[arg(long)]
    pub json: bool,
}

/// `strata doctor`
#[derive(Debug, ClapArgs)]
pub struct DoctorArgs {
    /// Print one JSON value
    #[arg(long)]
    pub json: bool,
}

fn at_least_one(text: &str) -> Result<usize, String> {
    text.parse()
        .ok()
        .filter(|number| *number > 0)
        .ok_or_else(|| "write a number from 1 on".to_owned())
}

fn split(text: &str) -> Result<Split, String> {
    let names = Split::ALL.map(Split::name).join(", ");
    Split::ALL
        .into_iter()
        .find(|split| split.name() == text)
        .ok_or_else(|| format!("the splits are {names}"))
}

fn size(text: &str) -> Result<[u32; 2], String> {
    let sides: Option<Vec<u32>> = text
        .split(['x', '×'])
        .map(|side| side.parse().ok())
        .collect();
    sides
        .and_then(|sides| sides.try_into().ok())
        .ok_or_else(|| "write height x width, such as 32x32".to_owned())
}

fn format(word: &str) -> Result<Format, String> {
    let known = || Format::ALL.map(Format::name).join(", ");
    let found = Format::ALL.into_iter().find(|format| format.name() == word);
    found.ok_or_else(|| format!("there is no program `{word}`; write one of {}", known()))
}
