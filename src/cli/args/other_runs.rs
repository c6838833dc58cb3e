//! The words of the commands for runs that train elsewhere, or have trained.

use clap::Args as ClapArgs;
use std::path::PathBuf;

/// `strata control`
#[derive(Debug, ClapArgs)]
pub struct ControlArgs {
    /// The folder of a run that trains, in a terminal or in the window; without more, what can be changed is listed
    pub run: PathBuf,
    /// Change a setting of the stage in training from its next step on: lr, momentum, weight_decay, and beta or rho of
    /// its sparsity; can be given several times
    #[arg(long, value_name = "KEY=VALUE")]
    pub set: Vec<String>,
    /// Wait after the next step
    #[arg(long, group = "next")]
    pub pause: bool,
    /// Go on
    #[arg(long, group = "next")]
    pub resume: bool,
    /// Train so many steps, then wait
    #[arg(long, value_name = "N", group = "next", value_parser = clap::value_parser!(u64).range(1..))]
    pub steps: Option<u64>,
    /// Save a checkpoint and end the run
    #[arg(long, group = "next")]
    pub stop: bool,
}

/// `strata replay`
#[derive(Debug, ClapArgs)]
pub struct ReplayArgs {
    /// The folder of a run that has ended
    pub run: PathBuf,
    /// Keep what is trained in this folder [default: a temporary one, kept where it differs]
    #[arg(short, long, value_name = "FOLDER")]
    pub output: Option<PathBuf>,
    /// Where to compute: cpu, cuda:0 [default: as the run was]
    #[arg(long)]
    pub device: Option<String>,
    /// Print one JSON value
    #[arg(long)]
    pub json: bool,
}
