//! A run made of weights that another program has trained: evaluated, inspected and gone on with like any other.
//!
//! Its folder has the project, a checkpoint at the end of every stage and `run.json`; no step was taken and nothing is
//! measured yet. Fails with what does not fit, and then leaves nothing behind.

use super::checkpoint::{self, Position};
use super::matched_weights::MatchTable;
use super::record::{Part, RunRecord, Status};
use super::run_folder::RunFolder;
use super::tensor_file;
use crate::error::{RunError, one_line};
use crate::run::compatibility;
use crate::run::memory_check::check_forward;
use crate::run::prepare::new_network;
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use strata_core::project::Project;
use strata_core::project::help::Surface;
use strata_core::shape::infer;
use strata_data::{Dataset, Progress};
use strata_design::{Severity, check_inferred};

/// A run that was made of weights.
#[derive(Debug)]
pub struct Imported {
    /// Its folder.
    pub run: PathBuf,
    /// What went where.
    pub table: MatchTable,
}

/// Makes a run of a project and the weights of a safetensors file, in this folder or the next free one below `runs`.
/// `base` is the folder that relative paths of the project start at.
pub fn import(
    project: &Project,
    base: &Path,
    weights: &Path,
    folder: Option<&Path>,
    progress: &mut dyn FnMut(Progress) -> bool,
) -> Result<Imported, RunError> {
    let inference = infer(&project.network);
    let problems = check_inferred(project, &inference);
    let wrong = problems
        .iter()
        .find(|problem| problem.severity == Severity::Error);
    if let Some(problem) = wrong {
        let told = one_line(problem, project, &inference, Surface::Terminal);
        return Err(RunError::Input(told));
    }
    check_forward(&inference, 1)?;
    let (tensors, _) = tensor_file::read(weights).map_err(|reason| {
        RunError::Input(format!(
            "cannot read the weights {}: {reason}; is it a safetensors file?",
            weights.display()
        ))
    })?;
    let device = strata_nn::device::open(Some("cpu")).map_err(RunError::input)?;
    let mut network = new_network(project, &inference, &device)?;
    let state = network.shared_state();
    let wanted: Vec<(String, Vec<usize>)> = state
        .iter()
        .map(|(key, tensor)| (key.clone(), tensor.dims().to_vec()))
        .collect();
    let found: HashMap<String, Vec<usize>> = tensors
        .iter()
        .map(|(key, tensor)| (key.clone(), tensor.dims().to_vec()))
        .collect();
    let table = MatchTable::new(&wanted, &found);
    if let Some((key, reason)) = table.missing.first() {
        return Err(RunError::Input(format!(
            "{} does not fit the network: {key}: {reason}; {} of {} tensors fit",
            weights.display(),
            table.taken.len(),
            wanted.len()
        )));
    }
    network
        .load_state(&table.pick(&tensors))
        .map_err(RunError::input)?;
    let channels = Some(project.network.input.channels());
    let dataset = Dataset::open_as(&project.data, channels, project.seed, base, progress)?;
    compatibility::check_input(project, &dataset)?;
    let mut made = RunFolder::create(folder, base, &project.title)?;
    made.write_project(project, base)?;
    let last = project.stages.len().saturating_sub(1);
    let position = Position {
        stage: last,
        epoch: project.stages.get(last).map_or(0, |stage| stage.epochs),
        ..Position::default()
    };
    let file = made.checkpoint("last");
    checkpoint::save(&file, &position, &network.shared_state(), &[])?;
    let start = RunRecord::start(
        strata_nn::device::describe(&device),
        project.seed,
        dataset.hash(),
    );
    let part = Part {
        is_import: true,
        device: start.device.clone(),
        version: start.version.clone(),
        ..Part::default()
    };
    let record = RunRecord {
        status: Status::Completed,
        weights: Some(std::path::absolute(weights).unwrap_or_else(|_| weights.to_owned())),
        parts: vec![part],
        ..start
    };
    let run = made.path().to_owned();
    record
        .write(&run)
        .map_err(|reason| RunError::write(&run, reason.to_string()))?;
    made.keep();
    Ok(Imported { run, table })
}
