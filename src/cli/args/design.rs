//! What is asked of a network before it is trained: `check`, `solve`, `lens`, `kernel`.

use super::super::data::name::source;
use super::super::overrides::Changes;
use super::{at_least_one, project_name, split};
use clap::Args as ClapArgs;
use std::path::PathBuf;
use strata_core::project::data::{Source, Split};

/// `strata check`
#[derive(Debug, ClapArgs)]
pub struct CheckArgs {
    /// A project file, a run folder or a built-in project
    #[arg(required_unless_present = "paste", value_parser = project_name())]
    pub project: Option<String>,
    /// Instead of a project: print lines of PyTorch or Keras as the layers of one; `-` reads standard input
    #[arg(long, value_name = "FILE", conflicts_with_all = ["project", "set", "unset", "goals", "images", "time", "memory"])]
    pub paste: Option<PathBuf>,
    #[command(flatten)]
    pub changes: Changes,
    /// Exit with 1 when a goal of the project is missed that needs no training
    #[arg(long)]
    pub goals: bool,
    /// Open the images too: whether they fit, last batches of one, classes out of balance
    #[arg(long)]
    pub images: bool,
    /// Print one JSON value
    #[arg(long)]
    pub json: bool,
    /// Estimate the time of a training step too: measures this machine for a moment
    #[arg(long)]
    pub time: bool,
    /// Find the largest batch for this much memory, such as 4GB [default: what is free now]
    #[arg(long, value_name = "SIZE", value_parser = memory)]
    pub memory: Option<u64>,
}

/// `strata solve`
#[derive(Debug, ClapArgs)]
pub struct SolveArgs {
    /// A project file, a run folder or a built-in project
    #[arg(value_parser = project_name())]
    pub project: String,
    #[command(flatten)]
    pub changes: Changes,
    /// Rebuild the decoder as the encoder's mirror
    #[arg(long, group = "aim")]
    pub mirror: bool,
    /// Make the code hold at most so many numbers
    #[arg(long, value_name = "N", group = "aim")]
    pub code: Option<u64>,
    /// Give the network at most so many parameters
    #[arg(long, value_name = "N", group = "aim")]
    pub parameters: Option<u64>,
    /// Make one number of the code see the whole input
    #[arg(long, group = "aim")]
    pub receptive_field: bool,
    /// Write the project with a solution to this file
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// Which of the solutions to write, counted from 1
    #[arg(long, value_name = "N", default_value_t = 1, requires = "output", value_parser = at_least_one)]
    pub pick: usize,
    /// Replace a file that exists
    #[arg(long)]
    pub force: bool,
    /// Print one JSON value
    #[arg(long)]
    pub json: bool,
}

/// `strata lens`
#[derive(Debug, ClapArgs)]
pub struct LensArgs {
    /// A project file, a run folder or a built-in project
    #[arg(value_parser = project_name())]
    pub project: String,
    /// The layer: encoder.0, or encoder.3.1.0 inside a block
    pub layer: String,
    #[command(flatten)]
    pub changes: Changes,
    /// Print one JSON value
    #[arg(long)]
    pub json: bool,
}

/// `strata kernel`
#[derive(Debug, ClapArgs)]
pub struct KernelArgs {
    /// The kernel: identity, sobel-x, gaussian, …; without it, --values or --patch they are listed
    pub what: Option<String>,
    /// An image file
    #[arg(long, value_name = "FILE", group = "picture")]
    pub image: Option<PathBuf>,
    /// An image of this source: shapes, mnist, cifar10, …
    #[arg(long, value_name = "NAME", group = "picture", value_parser = source)]
    pub source: Option<Source>,
    /// A generated curve with noise of this standard deviation, such as 0.2
    #[arg(long, value_name = "NOISE", group = "picture")]
    pub curve: Option<f32>,
    /// The folder of the source's files
    #[arg(long, value_name = "P", requires = "source")]
    pub path: Option<String>,
    /// The split of the source [default: its first]
    #[arg(long, requires = "source", value_parser = split)]
    pub split: Option<Split>,
    /// Which image of the split, from 0
    #[arg(long, value_name = "N", default_value_t = 0, requires = "source")]
    pub index: usize,
    /// Take this slice of volumes, from 0 [default: the middle one]
    #[arg(long, value_name = "N", requires = "source")]
    pub slice: Option<usize>,
    /// The side of a kernel that comes in several sizes
    #[arg(long, value_name = "K")]
    pub size: Option<usize>,
    /// The standard deviation of a Gaussian, in pixels
    #[arg(long, value_name = "S")]
    pub sigma: Option<f32>,
    /// A kernel by hand, rows between `;`, such as "1 0 -1; 2 0 -2; 1 0 -1"
    #[arg(long, value_name = "ROWS", allow_hyphen_values = true, conflicts_with_all = ["what", "patch"])]
    pub values: Option<String>,
    /// Find this patch again: row, column, height and width, such as 4,6,8,8
    #[arg(long, value_name = "Y,X,H,W", conflicts_with = "what")]
    pub patch: Option<String>,
    /// Pixels from one position to the next
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub stride: usize,
    /// same, valid or a number of pixels; with zero, reflect or edge before a colon, such as reflect:2
    #[arg(long, value_name = "P", default_value = "zero:same")]
    pub padding: String,
    /// Pixels from one weight to the next
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub dilation: usize,
    /// Make the image grey first, instead of taking each channel by itself
    #[arg(long)]
    pub grey: bool,
    /// Rotate the kernel by 180°: convolution as in mathematics, not the cross-correlation of layers
    #[arg(long)]
    pub flip: bool,
    /// The values drawn black and white, such as 0,1; others are counted [default: from the least to the greatest]
    #[arg(
        long,
        value_name = "LOW,HIGH",
        allow_hyphen_values = true,
        conflicts_with = "patch"
    )]
    pub range: Option<String>,
    /// Write image, kernel and result side by side
    #[arg(short, long, value_name = "PNG")]
    pub output: Option<PathBuf>,
    /// Print one JSON value
    #[arg(long)]
    pub json: bool,
}

/// `512MB`, `4 GB`: in steps of 1000, as sizes are printed.
fn memory(text: &str) -> Result<u64, String> {
    let units = [
        ("kb", 1_000u64),
        ("mb", 1_000_000),
        ("gb", 1_000_000_000),
        ("tb", 1_000_000_000_000),
        ("b", 1),
    ];
    let text = text.trim().to_lowercase();
    let named = units
        .iter()
        .find_map(|(unit, bytes)| Some((text.strip_suffix(unit)?, *bytes)));
    let (number, unit) = named.unwrap_or((&text, 1));
    let number: Option<f64> = number
        .trim()
        .parse()
        .ok()
        .filter(|number: &f64| number.is_finite() && *number > 0.0);
    number
        .map(|number| (number * unit as f64) as u64)
        .ok_or_else(|| "write a size such as 512MB or 4GB".to_owned())
}
