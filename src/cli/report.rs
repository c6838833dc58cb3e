//! `strata report`: a run or a sweep as one self-contained page, written at any time.

use super::args::ReportArgs;
use super::text::metrics;
use super::{WrongInput, output};
use std::path::Path;
use strata_core::format::duration;
use strata_core::project::data::Split;
use strata_core::project::file;
use strata_engine::storage::record::RunRecord;
use strata_export::{report, sweep};
use strata_sweep::folder::is_sweep;
use strata_sweep::{SweepFolder, Table};

/// Writes the page and prints its name.
pub fn run(args: &ReportArgs) -> anyhow::Result<()> {
    if is_sweep(&args.run) {
        return of_sweep(args);
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
