//! Sweeps: a project trained many times, each time with other settings, and what came of it as one table.
//!
//! | module | what it does |
//! |---|---|
//! | `plan` | the trials of a project, with why some cannot be trained |
//! | `folder` | a sweep's folder: its files, and the locks by which several processes share the work |
//! | `progress` | how far the run of a trial is, read from its folder |
//! | `bayesian` | which values the next trials get, from what those before reached |
//! | `schedule` | which runs are to be trained next, and how far: stop rule and halving |
//! | `pace` | how many trials side by side are fastest on this machine |
//! | `work` | trains what is due until nothing is |
//! | `table` | all trials as rows: ranked, with mean and deviation over seeds |
//! | `effects` | what each factor does, and the trials that no other is better than |
//! | `shard` | a part of the runs, and merging what parts have trained |
//! | `emit` | scripts for SLURM, Kubernetes, Ray and GNU parallel |
//! | `task` | a sweep on a thread of its own, as the window uses it |
//!
//! A trial's run is an ordinary run folder. What is to be done next follows from what is on disk alone, so that a sweep
//! which was killed, or is shared by several processes, goes on where it is and comes to the same table.

mod bayesian;
pub mod effects;
pub mod emit;
mod error;
pub mod folder;
pub mod pace;
pub mod plan;
pub mod progress;
pub mod schedule;
pub mod shard;
pub mod table;
pub mod task;
pub mod work;

pub use error::SweepError;
pub use folder::SweepFolder;
pub use plan::{Plan, Trial};
pub use shard::Shard;
pub use table::{Standing, Table};
