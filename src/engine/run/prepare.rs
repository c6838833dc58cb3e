//! Everything before the first step: checks, run folder, images, network.
//!
//! What is quick and can be wrong comes first. A run that cannot begin leaves no folder behind.

mod project;

use super::clock::Clock;
use super::compatibility;
use super::control::Control;
use super::memory_check;
use super::parts;
use super::resume::{self, PreviousRun};
use super::session::{Session, stages_left};
use crate::error::RunError;
use crate::event::{Event, Metrics, Sink};
use crate::inspection::live::LiveResults;
use crate::inspection::live_previews::LivePreviews;
use crate::storage::changes::Changes;
use crate::storage::checkpoint::{self, Checkpoint, Position};
use crate::storage::dynamics_csv::DynamicsWriter;
use crate::storage::first_weights::FirstWeights;
use crate::storage::init;
use crate::storage::metrics_csv::MetricsWriter;
use crate::storage::record::{RunRecord, Status};
use crate::storage::repair;
use crate::storage::run_folder::{RunFolder, died_at_start};
use crate::storage::transform_file;
use crate::thread::RunOptions;
use candle_core::{Device, Tensor};
pub use project::image_counts;
use project::{check_project, effective, only_stage, tell_of_images};
use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};
use strata_core::format;
use strata_core::project::data::Split;
use strata_core::project::stage::Task;
use strata_core::project::{Project, ProjectError, file};
use strata_core::shape::Inference;
use strata_core::system_memory::available_bytes;
use strata_cost::Machine;
use strata_data::{Dataset, Progress};
use strata_inspect::inspector::Inspector;
use strata_nn::device::has_own_kernels;
use strata_nn::{self, Network};

/// Between two reports on the reading of images.
const REPORT_EVERY: Duration = Duration::from_millis(50);

/// What a run needs before anything of it is written.
struct Opened {
    project: Project,
    only: Option<usize>,
    inference: Inference,
    device: Device,
    free_on_device: Option<u64>,
    folder: RunFolder,
    dataset: Arc<Dataset>,
    network: Network,
    position: Position,
    optimizer: Option<HashMap<String, Tensor>>,
    changes: Changes,
    /// The project of the run that is resumed.
    former: Option<Project>,
    first_weights: Option<FirstWeights>,
    is_resumed: bool,
    loaders: usize,
}

/// Prepares a run, up to the checkpoint before its first step.
pub(crate) fn prepare<'a>(
    project: &Project,
    options: &RunOptions,
    mut control: Control<'a>,
    sink: &'a mut dyn Sink,
    live: &'a LiveResults,
) -> Result<Session<'a>, RunError> {
    let mut opened = open(effective(project, options), options, &mut control, sink)?;
    let former = opened.former.take();
    let first_weights = opened.first_weights.take();
    let mut session = go_live(opened, options, control, sink, live)?;
    begin(&mut session, former.as_ref(), options)?;
    if let Some(told) = first_weights {
        session.record.parent = told.parent.clone();
        let written = told.write(session.folder.path());
        written.map_err(|reason| session.write_error(reason))?;
        session.sink.event(Event::FirstWeights(told));
    }
    Ok(session)
}

/// Opens everything that can be wrong, and checks that it fits together.
fn open(
    mut project: Project,
    options: &RunOptions,
    control: &mut Control<'_>,
    sink: &mut dyn Sink,
) -> Result<Opened, RunError> {
    let only = only_stage(&project, options)?;
    let inference = check_project(&project, options, sink)?;
    let device = open_device(&project, &inference, only, options)?;
    let free_on_device = strata_nn::device::memory(&device).map(|memory| memory.free_bytes);
    let (folder, former) = open_folder(&project, options, sink)?;
    let changes = match &options.changes {
        Some(given) => given.clone(),
        None => Changes::read(folder.path()).map_err(RunError::Input)?,
    };
    let mut position = position(former.as_ref().map(|former| &former.checkpoint), only);
    if let Some(more) = options.more_epochs.filter(|_| former.is_some()) {
        resume::extend(&mut project, &mut position, more);
    }
    // What a run was trained on decides how a resumed run numbers its classes.
    let name = former
        .as_ref()
        .and_then(|_| RunRecord::read(folder.path()).ok())
        .map(|record| record.data_hash);
    let mut dataset = open_data(&project, &options.base, name.as_deref(), control, sink)?;
    if former.is_some() {
        transform_file::read(folder.path(), &mut dataset).map_err(RunError::Input)?;
    }
    let stages = stages_left(&project, only, &position);
    compatibility::check(&project, &inference, &dataset, &stages)?;
    if has_own_kernels(&device) {
        let (machine, free) = (machine(options), available_bytes());
        memory_check::make_room(&project, &inference, &stages, machine, &mut dataset, free)?;
    }
    let dataset = Arc::new(dataset);
    tell_of_images(&project, &inference, &dataset, sink);
    let keeps_memory = match &former {
        Some(former) => resume::check(former, &project, &position, &dataset, folder.path(), sink)?,
        None => false,
    };
    let (former, checkpoint) = former
        .map(|former| (former.project, former.checkpoint))
        .unzip();
    let mut network = build(&project, &inference, &device, checkpoint.as_ref())?;
    let first_weights = match &checkpoint {
        None => init::take(&project, &options.base, &mut network)?,
        Some(_) => None,
    };
    try_sparsity(&mut network, &project)?;
    let is_resumed = checkpoint.is_some();
    let optimizer = checkpoint
        .map(|checkpoint| match options.no_memory {
            true => HashMap::new(),
            false => checkpoint.optimizer,
        })
        .filter(|_| keeps_memory);
    Ok(Opened {
        project,
        only,
        inference,
        device,
        free_on_device,
        folder,
        dataset,
        network,
        position,
        optimizer,
        changes,
        former,
        first_weights,
        is_resumed,
        loaders: loaders(options),
    })
}

/// Starts what lives as long as the run: its record, tables, previews and clock.
fn go_live<'a>(
    opened: Opened,
    options: &RunOptions,
    mut control: Control<'a>,
    sink: &'a mut dyn Sink,
    live: &'a LiveResults,
) -> Result<Session<'a>, RunError> {
    let Opened {
        project,
        only,
        inference,
        device,
        free_on_device,
        folder,
        dataset,
        network,
        position,
        optimizer,
        changes,
        former: _,
        first_weights: _,
        is_resumed,
        loaders,
    } = opened;
    control.obey_file(folder.path());
    let record = parts::record(&folder, &project, &dataset, &device, is_resumed, sink);
    let previews = LivePreviews::new(&dataset, &inference, project.seed, &device)?;
    let with_labels = dataset.has_label_sets();
    let tables = MetricsWriter::open(folder.path(), position.step, with_labels)
        .map_err(|reason| RunError::write(folder.path(), reason.to_string()))?;
    transform_file::write(folder.path(), &dataset)
        .map_err(|reason| RunError::write(folder.path(), reason))?;
    let dynamics = DynamicsWriter::open(folder.path(), position.step)
        .map_err(|reason| RunError::write(folder.path(), reason.to_string()))?;
    let (clock, metrics) = (Clock::start(record.seconds), measured(&record));
    Ok(Session {
        project,
        only,
        inference,
        dataset,
        network,
        device,
        free_on_device,
        folder,
        record,
        changes,
        is_repeated: options.changes.is_some(),
        until: options.until,
        tables,
        dynamics,
        previews,
        snapshots: None,
        inspector: Inspector::default(),
        clock,
        loaders,
        position,
        optimizer,
        metrics,
        control,
        sink,
        live,
    })
}

/// The device, with enough memory for the stages that will be trained.
fn open_device(
    project: &Project,
    inference: &Inference,
    only: Option<usize>,
    options: &RunOptions,
) -> Result<Device, RunError> {
    let device = strata_nn::device::open(options.device.as_deref()).map_err(RunError::input)?;
    let stages = stages_left(project, only, &Position::default());
    if let Some(memory) = strata_nn::device::memory(&device) {
        memory_check::check_device(project, inference, &stages, memory.free_bytes)?;
    }
    if has_own_kernels(&device) {
        memory_check::check(
            project,
            inference,
            &stages,
            machine(options),
            available_bytes(),
        )?;
    }
    Ok(device)
}

/// The machine with as many threads that make batches as the run has.
fn machine(options: &RunOptions) -> Machine {
    Machine {
        loaders: loaders(options) as u64,
        ..memory_check::machine()
    }
}

/// Every layer that a stage's sparsity names is there: better reported now than after the stages before it.
fn try_sparsity(network: &mut Network, project: &Project) -> Result<(), RunError> {
    for stage in &project.stages {
        let found = network.set_sparsity(stage.sparsity.as_ref());
        found.map_err(|error| RunError::Input(format!("stage `{}`: {error}", stage.name)))?;
    }
    network.set_sparsity(None).map_err(RunError::input)
}

/// Threads that make batches ahead.
fn loaders(options: &RunOptions) -> usize {
    options.loaders.unwrap_or_else(memory_check::usual_loaders)
}

/// The first writes: from here on there is a run.
fn begin(
    session: &mut Session<'_>,
    former: Option<&Project>,
    options: &RunOptions,
) -> Result<(), RunError> {
    parts::begin(session, former, options)?;
    session
        .folder
        .write_project(&session.project, &options.base)
        .map_err(|error| match error {
            ProjectError::Write { reason, .. } => RunError::write(session.folder.path(), reason),
            error => error.into(),
        })?;
    session.write_record(Status::Running, None)?;
    if session.position == Position::default() {
        session.save_start()?;
    }
    session.folder.keep();
    parts::take_over_settings(session, former)?;
    session.sink.event(Event::Started {
        run: session.folder.path().to_owned(),
        device: session.record.device.clone(),
        splits: session
            .dataset
            .splits()
            .map(|(split, data)| (split, data.len()))
            .collect(),
        classes: session.dataset.classes().to_vec(),
        skipped: session
            .dataset
            .skipped()
            .iter()
            .map(|skipped| (skipped.file.clone(), skipped.reason.clone()))
            .collect(),
    });
    let mut stages = session.project.stages.iter();
    let classifies = stages.any(|stage| stage.task == Task::Classify);
    for note in session
        .dataset
        .notes()
        .iter()
        .filter(|note| note.line.is_some() && (classifies || !note.of_classes))
    {
        session.sink.event(Event::Warning {
            message: note.to_string(),
            in_window: note.with_change_in_window(),
        });
    }
    if !options.no_snapshots {
        session.begin_snapshots();
    }
    session.publish();
    Ok(())
}

/// A new folder, or that of the resumed run with its last checkpoint.
fn open_folder(
    project: &Project,
    options: &RunOptions,
    sink: &mut dyn Sink,
) -> Result<(RunFolder, Option<PreviousRun>), RunError> {
    if !options.resume {
        return Ok((
            RunFolder::create(options.run.as_deref(), &options.base, &project.title)?,
            None,
        ));
    }
    let path = options
        .run
        .as_deref()
        .ok_or_else(|| RunError::Input("--resume needs the run's folder".to_owned()))?;
    if died_at_start(path) {
        let run = path.display();
        sink.event(Event::warning(format!(
            "{run} has no checkpoint, its first run ended before there was one: training starts from the beginning"
        )));
        return Ok((RunFolder::restart(path)?, None));
    }
    let folder = RunFolder::reopen(path)?;
    let trained = file::load(&path.join("project.toml"))?;
    if trained.network != project.network {
        let run = path.display();
        return Err(RunError::Input(format!(
            "the network is not the one that was trained in {run}: train it in a new run folder, or resume with the network as in {run}/project.toml"
        )));
    }
    let mut checkpoint = checkpoint::load(&folder.checkpoint("last"))?;
    repair::repair(&folder, &trained, &checkpoint.position)
        .map_err(|reason| RunError::write(path, reason.to_string()))?;
    if repair::drop_ahead(&folder, &checkpoint.position)
        .map_err(|reason| RunError::write(path, reason.to_string()))?
    {
        checkpoint.position.watch.best = None;
    }
    Ok((
        folder,
        Some(PreviousRun {
            project: trained,
            checkpoint,
        }),
    ))
}

fn open_data(
    project: &Project,
    base: &Path,
    name: Option<&str>,
    control: &mut Control<'_>,
    sink: &mut dyn Sink,
) -> Result<Dataset, RunError> {
    let channels = project.network.input.channels();
    let mut due = Instant::now();
    let mut progress = |progress: Progress| {
        if Instant::now() >= due {
            due = Instant::now() + REPORT_EVERY;
            let (done, total) = (progress.done as u64, progress.total as u64);
            sink.event(Event::Preparing {
                what: progress.what.to_owned(),
                done,
                total,
            });
        }
        !control.stop_asked()
    };
    let opened = Dataset::open_for_run(
        &project.data,
        Some(channels),
        project.seed,
        base,
        name,
        &mut progress,
    );
    Ok(opened.map_err(|error| error.for_project(project))?)
}

/// The network with its first weights, or with those of a checkpoint.
fn build(
    project: &Project,
    inference: &Inference,
    device: &Device,
    checkpoint: Option<&Checkpoint>,
) -> Result<Network, RunError> {
    let Some(checkpoint) = checkpoint else {
        return new_network(project, inference, device);
    };
    check_size(inference, checkpoint)?;
    let mut network = new_network(project, inference, device)?;
    load_weights(&mut network, checkpoint)?;
    Ok(network)
}

/// The network with its first weights.
pub(crate) fn new_network(
    project: &Project,
    inference: &Inference,
    device: &Device,
) -> Result<Network, RunError> {
    let plan = inference.plan.as_ref();
    let plan = plan.ok_or_else(|| RunError::Input("the encoder has an error".to_owned()))?;
    Ok(Network::new(plan, project.seed, device)?)
}

/// Replaces the weights of a network by those of a checkpoint.
pub(crate) fn load_weights(network: &mut Network, checkpoint: &Checkpoint) -> Result<(), RunError> {
    network
        .load_state(&checkpoint.weights)
        .map_err(RunError::input)
}

/// Refuses a network with more parameters than the checkpoint has numbers before memory is taken for it: the project
/// of a checkpoint may have been changed since.
pub(crate) fn check_size(inference: &Inference, checkpoint: &Checkpoint) -> Result<(), RunError> {
    let kept: u64 = checkpoint
        .weights
        .values()
        .map(|tensor| tensor.elem_count() as u64)
        .sum();
    let wanted = inference.totals.parameters;
    if wanted <= kept {
        return Ok(());
    }
    Err(RunError::Input(format!(
        "the network of project.toml has {} parameters, its checkpoint {} numbers: project.toml was changed after the training; put it back as it was",
        format::count(wanted),
        format::count(kept)
    )))
}

/// Where to continue; a stage asked for by name starts over unless the checkpoint is in it.
fn position(checkpoint: Option<&Checkpoint>, only: Option<usize>) -> Position {
    let saved = checkpoint
        .map(|checkpoint| checkpoint.position.clone())
        .unwrap_or_default();
    match only {
        Some(stage) if stage != saved.stage => saved.enter(stage),
        _ => saved,
    }
}

/// The last metrics of a run that is resumed.
fn measured(record: &RunRecord) -> Vec<(Split, Metrics)> {
    let metrics = |split: Split| Some((split, record.metrics.get(split.name())?.clone()));
    Split::ALL.into_iter().filter_map(metrics).collect()
}
