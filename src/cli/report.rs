//! `strata report`: a run or a sweep as one self-contained page, written at any time.

use super::args::ReportArgs;
use super::overrides::Changes;
use super::text::metrics;
use super::{WrongInput, output, source};
use std::path::Path;
use strata_compare::Comparison;
use strata_core::format::duration;
use strata_core::project::data::Split;
use strata_core::project::file;
use strata_engine::storage::record::RunRecord;
use strata_export::study::{self, Reported, Study};
use strata_export::{report, sweep};
use strata_study::Plan;
use strata_sweep::folder::is_sweep;
use strata_sweep::{SweepFolder, Table};

/// Writes the page and prints its name.
pub fn run(args: &ReportArgs) -> anyhow::Result<()> {
    if is_sweep(&args.run) {
        return of_sweep(args);
    }
    if !args.run.is_dir() && args.run.exists() {
        return of_study(args);
    }
    let file = args
        .output
        .clone()
        .unwrap_or_else(|| report::usual_file(&args.run));
    write(&args.run, &file)?;
    output::print(&file.display().to_string())
}

/// The page of a sweep, with what its runs are at now.
fn of_sweep(args: &ReportArgs) -> anyhow::Result<()> {
    let usual = || sweep::usual_file(&args.run);
    let file = args.output.clone().unwrap_or_else(usual);
    write_sweep(&args.run, &file)?;
    output::print(&file.display().to_string())
}

/// Writes the page of a sweep into its folder, and prints its name.
pub fn tell_sweep(folder: &Path) -> anyhow::Result<()> {
    let file = sweep::usual_file(folder);
    write_sweep(folder, &file)?;
    output::print(&format!("report: {}", file.display()))
}

fn write_sweep(path: &Path, file: &Path) -> anyhow::Result<()> {
    let folder = SweepFolder::open(path)?;
    let table = Table::make(&folder.plan()?, &folder)?;
    Ok(sweep::write(path, &table, file)?)
}

/// Writes the report of a project of several runs: what is done of it.
fn of_study(args: &ReportArgs) -> anyhow::Result<()> {
    let name = args.run.display().to_string();
    let source = source::open(&name, &Changes::default())?;
    if source.project.study.is_none() {
        return Err(WrongInput(format!(
            "{name} is a project of one run: give the folder of a run that was trained, such as runs/NAME-1"
        ))
        .into());
    }
    let plan = Plan::read(&source.project, &source.base, None).map_err(WrongInput)?;
    let done = plan.done();
    if done.len() < 2 {
        return Err(WrongInput(format!(
            "fewer than two runs of {name} are done: strata train {name} trains them"
        ))
        .into());
    }
    let comparison = Comparison::read(&done, None, &mut |_| true)?;
    let words = match &args.text {
        Some(file) if !file.is_file() => {
            return Err(WrongInput(format!("there is no file {}", file.display())).into());
        }
        Some(file) => study::text_of(file),
        None => study::text_of(&study::notes_file(&args.run)),
    };
    let runs = plan.reported(Reported::of);
    let report = Study {
        project: &source.project,
        file: &name,
        words: &words,
        runs: &runs,
        comparison: &comparison,
    };
    let usual = || strata_study::report(&source.project, &source.base);
    let file = args.output.clone().unwrap_or_else(usual);
    let is_markdown = file.extension().is_some_and(|ending| ending == "md");
    let text = match is_markdown {
        true => study::markdown(&report),
        false => study::html(&report),
    };
    output::write_file(&file, text.as_bytes())?;
    output::print(&file.display().to_string())
}

/// Prints what a run reached, and writes its page into its folder.
pub fn tell(run: &Path) -> anyhow::Result<()> {
    let file = report::usual_file(run);
    write(run, &file)?;
    let mut lines = summary(run)?;
    lines.push(format!("report: {}", file.display()));
    output::print(&lines.join("\n"))
}

fn write(run: &Path, file: &Path) -> anyhow::Result<()> {
    if !run.join("run.json").is_file() {
        return Err(WrongInput(format!(
            "{} is no folder of a run or a sweep, it has no run.json: give the folder that `strata train` printed, such as runs/NAME-1",
            run.display()
        ))
        .into());
    }
    output::warn(&report::write_stored(run, file)?);
    Ok(())
}

/// The title, how far the run is, and its last metrics by split.
fn summary(run: &Path) -> anyhow::Result<Vec<String>> {
    let project = file::load(&run.join("project.toml"))?;
    let record = RunRecord::read(run)?;
    let status = format!("{:?}", record.status).to_lowercase();
    let (steps, time) = (record.steps, duration(record.seconds));
    let mut lines = vec![project.title, format!("{status}, {steps} steps in {time}")];
    lines.extend(record.message.clone());
    let of_split = |split: Split| {
        let found = record.metrics.get(split.name())?;
        Some(format!("{split}: {}", metrics(found)))
    };
    lines.extend(Split::ALL.into_iter().filter_map(of_split));
    Ok(lines)
}
