//! `strata train` of a project of several runs: each that is not done yet, in their order, and one page that compares all.

use super::{INTERRUPTED, interrupts, train_until};
use crate::cli::args::TrainArgs;
use crate::cli::source::Source;
use crate::cli::text::{self, metrics};
use crate::cli::{FAILED, Told, WrongInput, output};
use crossbeam_channel::Receiver;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::path::PathBuf;
use strata_baselines::BaselineError;
use strata_baselines::record::BaselineRecord;
use strata_baselines::work::{Made, Request, make};
use strata_compare::Comparison;
use strata_core::project::Project;
use strata_core::project::data::Split;
use strata_core::project::study::{Study, Taken};
use strata_engine::command::Command;
use strata_engine::event::Outcome;
use strata_engine::inspection::live::LiveResults;
use strata_engine::storage::record::RunRecord;
use strata_engine::thread::RunOptions;
use strata_export::comparison::page;
use strata_study::{Item, Plan, Standing, Work, folder_of_runs};

/// How one run ended.
enum Ended {
    Done,
    Failed,
    Stopped,
}

/// Trains what is not done, and compares what is.
pub fn run(args: &TrainArgs, source: &Source) -> anyhow::Result<()> {
    let Some(study) = &source.project.study else {
        return Ok(());
    };
    refuse(args)?;
    let wanted = wanted(study, args.changes.run.as_deref());
    let commands = interrupts();
    let mut tried = BTreeSet::new();
    let mut has_failed = false;
    let plan = loop {
        let plan = plan(args, source)?;
        let next = next(&plan, &wanted, &tried).cloned();
        let Some(item) = next else { break plan };
        output::say(&heading(&plan, &item));
        tried.insert(item.name.clone());
        match one(args, source, &item, &commands) {
            Ended::Done => {}
            Ended::Failed => has_failed = true,
            Ended::Stopped => {
                let file = &args.project;
                output::say(&format!("stopped; strata train {file} goes on from there"));
                return Err(Told(INTERRUPTED).into());
            }
        }
    };
    let page = compare(source, &plan)?;
    match args.json {
        true => output::print_json(&as_json(&plan, page))?,
        false => output::print(&as_text(&plan, page))?,
    }
    // What another process trains is not done yet: whatever follows in a script would come too early.
    let is_left = |item: &Item| wanted.contains(&item.run) && item.standing != Standing::Done;
    match has_failed || plan.items.iter().any(is_left) {
        true => Err(Told(FAILED).into()),
        false => Ok(()),
    }
}

/// What is for one run alone.
fn refuse(args: &TrainArgs) -> Result<(), WrongInput> {
    let given = [
        ("--output", args.output.is_some()),
        ("--resume", args.resume),
        ("--checkpoint", args.checkpoint.is_some()),
        ("--more-epochs", args.more_epochs.is_some()),
        ("--stage", args.stage.is_some()),
    ];
    match given.into_iter().find(|(_, is_given)| *is_given) {
        None => Ok(()),
        Some((option, _)) => Err(WrongInput(format!(
            "{option} is for a project of one run: {} has several, which are named, skipped when done and gone on with by themselves",
            args.project
        ))),
    }
}

/// The runs that are asked for: all, or one with those that it takes from.
fn wanted(study: &Study, name: Option<&str>) -> Vec<usize> {
    let Some(first) = name.and_then(|name| study.find(name)) else {
        return (0..study.runs.len()).collect();
    };
    let source = |run: &usize| study.taken(*run).map(Taken::run);
    std::iter::successors(Some(first), source).collect()
}

fn plan(args: &TrainArgs, source: &Source) -> Result<Plan, WrongInput> {
    Plan::read(&source.project, &source.base, args.epochs).map_err(WrongInput)
}

fn next<'a>(plan: &'a Plan, wanted: &[usize], tried: &BTreeSet<String>) -> Option<&'a Item> {
    let mut tried = tried.clone();
    loop {
        let item = plan.next(&tried)?;
        if wanted.contains(&item.run) {
            return Some(item);
        }
        tried.insert(item.name.clone());
    }
}

fn heading(plan: &Plan, item: &Item) -> String {
    let place = plan.items.iter().position(|other| other.name == item.name);
    let (place, of) = (place.map_or(0, |place| place + 1), plan.items.len());
    let goes_on = match item.standing {
        Standing::Interrupted => ", from its last checkpoint",
        _ => "",
    };
    format!("run {place} of {of}: {}{goes_on}", item.name)
}

fn one(args: &TrainArgs, source: &Source, item: &Item, commands: &Receiver<Command>) -> Ended {
    match &item.work {
        Work::Train(project) => network(args, source, item, project, commands),
        Work::Fit(project, request) => baseline(source, project, request, commands),
    }
}

fn network(
    args: &TrainArgs,
    source: &Source,
    item: &Item,
    project: &Project,
    commands: &Receiver<Command>,
) -> Ended {
    let options = RunOptions {
        base: source.base.clone(),
        run: Some(item.folder.clone()),
        resume: item.standing == Standing::Interrupted,
        device: args.device.clone(),
        loaders: args.loader_threads,
        no_snapshots: args.no_snapshots,
        ..RunOptions::default()
    };
    match train_until(project, &options, commands, &LiveResults::default()) {
        Outcome::Completed(_) => Ended::Done,
        Outcome::Stopped(_) => Ended::Stopped,
        Outcome::Failed(failure) => {
            output::say(&format!("strata: {}: {}", item.name, failure.message));
            Ended::Failed
        }
    }
}

fn baseline(
    source: &Source,
    project: &Project,
    request: &Request,
    commands: &Receiver<Command>,
) -> Ended {
    let monitor = |_| !matches!(commands.try_recv(), Ok(Command::Stop));
    let mut each = |made: Made| {
        let record = &made.record;
        output::say(&format!("{} on {}", record.model.name(), record.rows));
    };
    let runs = folder_of_runs(&source.base);
    match make(project, &source.base, &runs, request, &monitor, &mut each) {
        Ok(()) => Ended::Done,
        Err(BaselineError::Cancelled) => Ended::Stopped,
        Err(error) => {
            output::say(&format!("strata: {error}"));
            Ended::Failed
        }
    }
}

/// Writes the page that compares what is done; none where that is less than two.
fn compare(source: &Source, plan: &Plan) -> anyhow::Result<Option<PathBuf>> {
    let done = plan.done();
    if done.len() < 2 {
        return Ok(None);
    }
    let comparison = Comparison::read(&done, None, &mut |_| true)?;
    let file = strata_study::page(&source.project, &source.base);
    output::write_file(&file, page(&comparison).as_bytes())?;
    Ok(Some(file))
}

fn standing(item: &Item) -> String {
    match &item.standing {
        Standing::New => "failed or not trained".to_owned(),
        Standing::Interrupted => "interrupted".to_owned(),
        Standing::InTraining => "is being trained by another Strata".to_owned(),
        Standing::Done => "done".to_owned(),
        Standing::Waits(name) => format!("waits for {name}"),
    }
}

/// The last figures on the test images, or else those that were kept out.
fn figures(item: &Item) -> Option<(Split, String)> {
    let splits = [Split::Test, Split::Valid];
    match &item.work {
        Work::Train(_) => {
            let record = RunRecord::read(&item.folder).ok()?;
            splits.into_iter().find_map(|split| {
                let own = record.metrics.get(split.name())?;
                Some((split, metrics(own)))
            })
        }
        Work::Fit(..) => {
            let record = BaselineRecord::read(&item.folder).ok()?;
            let result = splits.into_iter().find_map(|split| record.result(split))?;
            let accuracy = 100.0 * result.accuracy;
            let log_loss = text::figure(result.log_loss);
            Some((
                result.split,
                format!("accuracy {accuracy:.2} %, log loss {log_loss}"),
            ))
        }
    }
}

fn as_text(plan: &Plan, page: Option<PathBuf>) -> String {
    let row = |item: &Item| {
        let figures = match item.standing {
            Standing::Done => figures(item),
            _ => None,
        };
        let reached = figures.map_or_else(String::new, |(split, text)| format!("{split}: {text}"));
        vec![item.name.clone(), standing(item), reached]
    };
    let rows: Vec<Vec<String>> = plan.items.iter().map(row).collect();
    let heading = ["run", "state", "reached"].map(str::to_owned);
    let mut text = text::table_left(&heading, &rows);
    if let Some(page) = page {
        text += &format!("\ncomparison: {}", page.display());
    }
    text
}

fn as_json(plan: &Plan, page: Option<PathBuf>) -> Value {
    let item = |item: &Item| {
        json!({
            "name": item.name,
            "state": standing(item),
            "folder": item.folder,
            "metrics": RunRecord::read(&item.folder).ok().map(|record| record.metrics),
        })
    };
    json!({
        "runs": plan.items.iter().map(item).collect::<Vec<_>>(),
        "comparison": page,
    })
}
