//! `strata bench`: what is measured, and how long.

use super::super::overrides::Changes;
use super::{at_least_one, project_name};
use clap::{Args as ClapArgs, ValueEnum};
use std::path::PathBuf;
/// What `strata bench` measures besides its cases.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum BenchWhat {
    /// The window: in a real one where there is a display
    Window,
    /// The window without painting it
    Headless,
    /// The data pipeline: decoding, scaling, augmenting, and what it costs a training
    Data,
}

impl BenchArgs {
    /// What is measured besides cases and projects.
    pub fn special(&self) -> Option<BenchWhat> {
        BenchWhat::from_str(self.what.as_deref()?, false).ok()
    }

    /// The project whose layers are measured.
    pub fn measured_project(&self) -> Option<&str> {
        self.what.as_deref().filter(|_| self.special().is_none())
    }
}

/// `strata bench`
#[derive(Debug, ClapArgs)]
pub struct BenchArgs {
    /// A project file, a run folder or a built-in project: measure the forward pass, the gradients and the update of each
    /// of its layers. Or `window` (in a real window where there is a display), `headless` (the window without painting
    /// it) or `data` (the images on their way to the network). Without it: training steps of the benchmark cases
    pub what: Option<String>,
    /// The stage of the project that is measured: its name, or its number from 0 [default: the first]
    #[arg(long, value_name = "NAME")]
    pub stage: Option<String>,
    #[command(flatten)]
    pub changes: Changes,
    /// Folder of the pictures that `data` measures with, in a folder for each case; drawn where they are absent, and
    /// kept [default: drawn, and removed at the end]
    #[arg(long, value_name = "DIR")]
    pub data: Option<PathBuf>,
    /// With `window` and `headless` the project that is trained: a file, a run folder or a built-in one
    /// [default: keras-cifar on drawn images]
    #[arg(long, value_name = "PROJECT", value_parser = project_name())]
    pub project: Option<String>,
    /// Seconds that the window is measured while it trains
    #[arg(long, value_name = "N", default_value_t = 40, value_parser = clap::value_parser!(u32).range(5..))]
    pub seconds: u32,
    /// The cases to measure, such as keras-cifar,infer-b1, or with `data` augment-32,training [default: all]
    #[arg(long, value_name = "A,B")]
    pub cases: Option<String>,
    /// Measure how the time grows with batch, image size and depth instead
    #[arg(long, conflicts_with = "cases")]
    pub scaling: bool,
    /// Threads to compute with, and as many to read images with [default: all]
    #[arg(long, value_name = "N", value_parser = at_least_one)]
    pub threads: Option<usize>,
    /// Steps to measure, after some to warm up
    #[arg(long, value_name = "N", default_value_t = 15, value_parser = at_least_one)]
    pub steps: usize,
    /// Where to compute: cpu, cuda:0
    #[arg(long, default_value = "cpu")]
    pub device: String,
    /// Print one JSON value
    #[arg(long)]
    pub json: bool,
    /// Print the peak memory of one case alone: how each case is measured in its own process
    #[arg(long, hide = true, requires = "cases")]
    pub only_memory: bool,
}
