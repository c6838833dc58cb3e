//! `strata report`: a run as one self-contained page, written at any time.

use super::args::ReportArgs;
use super::text::metrics;
use super::{WrongInput, output};
use std::path::Path;
use strata_core::format::duration;
use strata_core::project::data::Split;
use strata_core::project::file;
use strata_engine::storage::record::RunRecord;
use strata_export::report;

/// Writes the page and prints its name.
pub fn run(args: &ReportArgs) -> anyhow::Result<()> {
    let file = args
        .output
        .clone()
        .unwrap_or_else(|| report::usual_file(&args.run));
    write(&args.run, &file)?;
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
            "{} is no run's folder, it has no run.json: give the folder that `strata train` printed, such as runs/NAME-1",
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
