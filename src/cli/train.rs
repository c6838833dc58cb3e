//! `strata train`: trains with a progress bar. Ctrl-C saves a checkpoint and stops; a second one
//! ends the program at once.

mod study;

use super::args::TrainArgs;
use super::check::advice::lines_of_run;
use super::progress::Progress;
use super::source::{self, Source};
use super::text::metrics;
use super::{FAILED, Told, WRONG_INPUT, WrongInput, goals, output};
use crossbeam_channel::{Receiver, unbounded};
use serde_json::{Map, Value, json};
use std::sync::atomic::{AtomicBool, Ordering};
use strata_core::files::{path_in, path_text};
use strata_core::format::{count, duration};
use strata_core::project::Project;
use strata_core::shape::infer;
use strata_core::{logging, signals};
use strata_design::goals::{Judged, judge};
use strata_engine::command::Command;
use strata_engine::event::{Failure, Outcome, Summary};
use strata_engine::inspection::live::LiveResults;
use strata_engine::run::goal_metrics::measured;
use strata_engine::storage::branch::branch;
use strata_engine::thread::{RunOptions, guarded};

/// Exit code of a program ended by Ctrl-C.
pub(super) const INTERRUPTED: u8 = 130;

/// Trains and prints the last metrics.
pub fn run(args: &TrainArgs) -> anyhow::Result<()> {
    let source = source::open(&args.project, &args.changes)?;
    if source.project.study.is_some() {
        return study::run(args, &source);
    }
    let options = options(args, &source)?;
    if source.project.sweep.is_some() {
        let project = &args.project;
        output::say(&format!(
            "this trains the project as it is; its [sweep] is trained by: strata sweep {project}"
        ));
    }
    let outcome = train(&source, &options, &LiveResults::default());
    let (summary, is_stopped) = ended(outcome)?;
    let goals = judged(&source.project, &summary);
    if args.json {
        output::print_json(&as_json(&summary, is_stopped, &goals)?)?;
    } else if !summary.run.as_os_str().is_empty() {
        let mut lines = vec![as_text(&summary, &goals)];
        lines.extend(lines_of_run(&summary.run, &source.project));
        output::print(&lines.join("\n"))?;
    }
    interrupted(is_stopped)
}

/// A stopped training is no success: what a script wants to do with the trained network must not follow.
pub fn interrupted(is_stopped: bool) -> anyhow::Result<()> {
    if is_stopped {
        Err(Told(INTERRUPTED).into())
    } else {
        Ok(())
    }
}

fn judged(project: &Project, summary: &Summary) -> Vec<Judged> {
    judge(
        project,
        &infer(&project.network),
        &measured(&summary.metrics),
    )
}

fn options(args: &TrainArgs, source: &Source) -> anyhow::Result<RunOptions> {
    if args.more_epochs.is_some() && !args.resume && args.checkpoint.is_none() {
        let message = "--more-epochs goes on with a run: it needs --resume, or --checkpoint NAME";
        return Err(WrongInput(message.to_owned()).into());
    }
    let run = match (&args.output, &source.run) {
        (folder, Some(run)) if let Some(name) = &args.checkpoint => {
            Some(branch(run, name, folder.as_deref())?)
        }
        (_, None) if args.checkpoint.is_some() => {
            let message = "--checkpoint needs a run's folder: strata train RUN --checkpoint best";
            return Err(WrongInput(message.to_owned()).into());
        }
        (Some(run), _) => Some(run.clone()),
        (None, Some(run)) if args.resume => Some(run.clone()),
        (None, None) if args.resume => {
            if path_in(&args.project).is_dir() {
                let message = format!(
                    "{} is not a run, it has no run.json: --resume needs a run's folder, such as runs/NAME-1",
                    args.project
                );
                return Err(WrongInput(message).into());
            }
            let message =
                "--resume needs the run to continue: strata train RUN --resume, or -o RUN"
                    .to_owned();
            return Err(WrongInput(message).into());
        }
        _ => None,
    };
    Ok(RunOptions {
        base: source.base.clone(),
        run,
        device: args.device.clone(),
        epochs: args.epochs,
        stage: args.stage.clone(),
        resume: args.resume || args.checkpoint.is_some(),
        more_epochs: args.more_epochs,
        loaders: args.loader_threads,
        no_snapshots: args.no_snapshots,
        changes: None,
        weights_of: None,
        no_memory: false,
        until: None,
    })
}

/// Trains with progress on standard error and Ctrl-C as stop.
pub fn train(source: &Source, options: &RunOptions, live: &LiveResults) -> Outcome {
    train_until(&source.project, options, &interrupts(), live)
}

/// The same, obeying commands of a source that outlives the run.
fn train_until(
    project: &Project,
    options: &RunOptions,
    commands: &Receiver<Command>,
    live: &LiveResults,
) -> Outcome {
    let stages = if options.stage.is_some() {
        1
    } else {
        project.stages.len()
    };
    let mut progress = Progress::new(stages);
    let outcome = guarded(project, options, commands, &mut progress, live);
    progress.finish();
    outcome
}

/// Ctrl-C, and a request to end (SIGTERM, SIGHUP), as a command.
pub(super) fn interrupts() -> Receiver<Command> {
    let (sender, receiver) = unbounded();
    let asked = AtomicBool::new(false);
    let handler = move || {
        if asked.swap(true, Ordering::SeqCst) || sender.send(Command::Stop).is_err() {
            log::warn!("ended by a second Ctrl-C, without a checkpoint");
            logging::flush();
            std::process::exit(INTERRUPTED.into());
        }
        output::say("\nstopping after this step; Ctrl-C again ends at once, without a checkpoint");
    };
    if let Err(error) = signals::on_end_request(handler) {
        output::warn(&[format!(
            "Ctrl-C and kill will end this run without a checkpoint: {error}"
        )]);
    }
    receiver
}

/// What was reached, and whether it was stopped; a failure is an error with its exit code.
pub fn ended(outcome: Outcome) -> anyhow::Result<(Summary, bool)> {
    match outcome {
        Outcome::Completed(summary) => Ok((summary, false)),
        Outcome::Stopped(summary) => {
            output::say(&stopped(&summary));
            Ok((summary, true))
        }
        Outcome::Failed(Failure {
            message,
            wrong_input,
            ..
        }) => {
            output::say(&format!("strata: {message}"));
            Err(Told(if wrong_input { WRONG_INPUT } else { FAILED }).into())
        }
    }
}

fn stopped(summary: &Summary) -> String {
    if summary.run.as_os_str().is_empty() {
        return "stopped before the first step; no run folder was made".to_owned();
    }
    let run = summary.run.display();
    format!(
        "stopped; the checkpoint is {run}/checkpoints/last.safetensors, continue with: strata train {run} --resume"
    )
}

fn as_json(summary: &Summary, is_stopped: bool, goals: &[Judged]) -> anyhow::Result<Value> {
    let mut map = Map::new();
    for (split, metrics) in &summary.metrics {
        map.insert(split.name().to_owned(), serde_json::to_value(metrics)?);
    }
    map.insert("run".to_owned(), json!(path_text(&summary.run)));
    map.insert(
        "status".to_owned(),
        json!(if is_stopped { "stopped" } else { "completed" }),
    );
    map.insert("seconds".to_owned(), json!(summary.seconds));
    map.insert(
        "images_per_second".to_owned(),
        json!(summary.images_per_second),
    );
    map.insert("goals".to_owned(), goals::as_json(goals));
    Ok(Value::Object(map))
}

fn as_text(summary: &Summary, goals: &[Judged]) -> String {
    let splits = summary
        .metrics
        .iter()
        .map(|(split, figures)| format!("{split}: {}", metrics(figures)));
    let speed = count(summary.images_per_second as u64);
    let time = format!("{}, {speed} images/s", duration(summary.seconds));
    let last = [time, format!("run: {}", summary.run.display())];
    splits
        .chain(last)
        .chain(goals::as_text(goals))
        .collect::<Vec<_>>()
        .join("\n")
}
