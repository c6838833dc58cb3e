//! The words of `strata sweep`.

use super::{at_least_one, project_name};
use crate::cli::overrides::Changes;
use clap::Args as ClapArgs;
use std::path::PathBuf;
use strata_sweep::Shard;
use strata_sweep::emit::Engine;

/// `strata sweep`
#[derive(Debug, ClapArgs)]
pub struct SweepArgs {
    /// A project file with a [sweep], or the folder of a sweep to go on with
    #[arg(value_name = "PROJECT|DIR", required_unless_present = "merge", value_parser = project_name())]
    pub project: Option<String>,
    /// The sweep's folder; one that was begun goes on [default: the next free sweeps/TITLE-N next to the project]
    #[arg(short, long, value_name = "DIR")]
    pub output: Option<PathBuf>,
    /// Print the trials, and which of them do not fit, without training
    #[arg(long)]
    pub list: bool,
    /// Train so many trials side by side [default: as many as are fastest here, which is measured]
    #[arg(long, value_name = "N", value_parser = at_least_one)]
    pub jobs: Option<usize>,
    /// Train a part of the runs: 2/4 is the second of four
    #[arg(long, value_name = "I/N")]
    pub shard: Option<Shard>,
    /// Make one sweep of the folders of its parts: their runs stay where they are
    #[arg(long, value_name = "DIR", num_args = 1.., conflicts_with_all = ["project", "shard", "emit", "list"])]
    pub merge: Vec<PathBuf>,
    /// Print a script that trains the sweep by slurm, k8s, ray or parallel
    #[arg(long, value_name = "ENGINE", value_parser = engine, conflicts_with_all = ["shard", "list"])]
    pub emit: Option<Engine>,
    /// With --emit: so many processes share the runs [default: one a run, 16 at most]
    #[arg(long, value_name = "N", requires = "emit", value_parser = at_least_one)]
    pub shards: Option<usize>,
    /// Go on with runs that have failed, too
    #[arg(long)]
    pub retry: bool,
    /// Keep weights of earlier steps in the runs, to look back at
    #[arg(long)]
    pub snapshots: bool,
    /// Where to compute: cpu, cuda:0
    #[arg(long)]
    pub device: Option<String>,
    #[command(flatten)]
    pub changes: Changes,
    /// Print the table as one JSON value
    #[arg(long)]
    pub json: bool,
}

fn engine(word: &str) -> Result<Engine, String> {
    let words = || Engine::ALL.map(Engine::word).join(", ");
    let found = Engine::ALL.into_iter().find(|engine| engine.word() == word);
    found.ok_or_else(|| format!("write one of {}", words()))
}
