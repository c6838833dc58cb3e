//! `strata [PROJECT]`: the window, or without a display the same training and a report.

use super::source::{self, Source};
use super::{output, train};
use crate::engine::slot::Slots;
use crate::engine::thread::RunOptions;
use crate::export::report;
use crate::project::builtin;
use anyhow::Context;

/// Opens the window where there is a display; trains headless where there is none.
pub fn run(project: Option<&str>) -> anyhow::Result<()> {
    let source = match project {
        Some(name) => source::open(name, &[])?,
        None => source::from_builtin(builtin::ALL.first().context("no built-in project")?, &[])?,
    };
    eprintln!("no display: training `{}` without a window, with a report at the end", source.project.title);
    headless(&source)
}

fn headless(source: &Source) -> anyhow::Result<()> {
    let slots = Slots::default();
    let options = RunOptions { base: source.base.clone(), ..RunOptions::default() };
    let (summary, _) = train::ended(train::train(source, &options, &slots))?;
    if summary.run.as_os_str().is_empty() {
        return Ok(());
    }
    let file =
        report::write(&summary.run, slots.filters.latest().as_deref(), slots.reconstructions.latest().as_deref())?;
    output::print(&file.display().to_string())
}
